"""Every page there is, before axe: whoever cannot see, has a keyboard, a large type or a small telephone is served too.

The table below is compared with the routes of the pages: a new page has to stand in it, or beside it with a reason.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE_MS
from neighbourhood import Neighbourhood
from playwright.sync_api import Browser, BrowserContext, Page, expect
from village import PEOPLE, Village

from dashboard.app import create_app

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
VENDOR = HERE / "vendor"
AXE = (VENDOR / "axe.min.js").read_text("utf-8")
MEASURE = (HERE / "measure.js").read_text("utf-8").strip()

PAGES: dict[str, dict[str, list[str]]] = {
    # ------------------------------------------------------------------ everybody
    "/login": {"nobody": ["/login"]},
    "/setup/{token}": {"nobody": ["/setup/used-up"]},  # the form itself: test_the_first_start
    "/join/{token}": {"nobody": ["/join/{join}", "/join/used-up"]},
    "/enter/{token}": {"nobody": ["/enter/x"]},
    "/offline": {"nobody": ["/offline"]},
    "/a/{token}": {"nobody": ["/a/{link}", "/a/x"]},
    "/a/{token}/card": {"nobody": ["/a/{link}/card"]},
    "/d/{token}": {"nobody": ["/d/{drill}"]},
    "/account": {"worker": ["/account"]},
    "/device": {"worker": ["/device"], "family": ["/device"]},
    # ------------------------------------------------------------------ families and residents
    "/family": {"family": ["/family"]},
    "/family/{home_id}": {"family": ["/family/h1"]},
    "/family/{home_id}/timeline": {"family": ["/family/h1/timeline"]},
    "/plans": {"family": ["/plans"]},
    "/me": {"elder": ["/me"]},
    "/me/looks": {"elder": ["/me/looks"]},
    # ------------------------------------------------------------------ homes and alerts
    "/": {"worker": ["/"]},
    "/homes/{home_id}": {"worker": ["/homes/h3", "/homes/h4", "/homes/none"]},
    "/homes/{home_id}/visit": {"worker": ["/homes/h3/visit"]},
    "/homes/{home_id}/who": {"supervisor": ["/homes/h1/who"]},
    "/homes/{home_id}/days": {"worker": ["/homes/h1/days"]},
    "/homes/{home_id}/devices": {"worker": ["/homes/h1/devices"]},
    "/alerts/{alert_id:path}": {
        "worker": ["/alerts/{ringing}", "/alerts/{accepted}", "/alerts/{there}"],
        "supervisor": ["/alerts/{silent}", "/alerts/{settled}"],
    },
    "/alerts/{alert_id:path}/card": {"worker": ["/alerts/{there}/card"]},
    "/alerts/{alert_id:path}/timeline": {"supervisor": ["/alerts/{settled}/timeline"]},
    "/today": {"worker": ["/today"], "supervisor": ["/today"]},
    "/clocks": {"worker": ["/clocks"]},
    "/figures": {"supervisor": ["/figures"]},
    "/plans/{scope}/{place}": {
        "worker": ["/plans/home/h3"],
        "supervisor": ["/plans/grid/g1", "/plans/area/330106"],
        "family": ["/plans/home/h1"],
    },
    # ------------------------------------------------------------------ whoever answers for an area
    "/overview": {"supervisor": ["/overview"]},
    "/overview/{place}": {"supervisor": ["/overview/g1"]},
    "/overview/{place}/weeks": {"supervisor": ["/overview/330106/weeks"]},
    "/month/{place}/{month}": {"supervisor": ["/month/330106/{month}"]},
    "/map": {"supervisor": ["/map"]},
    "/map/{place}": {"supervisor": ["/map/g1"]},
    "/glass": {"supervisor": ["/glass"]},
    "/glass/break": {"worker": ["/glass/break"]},
    "/rota": {"supervisor": ["/rota"]},
    "/rota/{code}": {"supervisor": ["/rota/g1"]},
    "/drills": {"supervisor": ["/drills"], "worker": ["/drills"]},
    "/board": {"supervisor": ["/board"]},
    "/board/route": {"installer": ["/board/route"]},
    "/accounts": {"admin": ["/accounts"]},
    "/accounts/one": {"admin": ["/accounts/one?login=worker"]},
    "/accounts/homes/{home_id}": {"admin": ["/accounts/homes/h1"]},
    "/tokens": {"admin": ["/tokens"]},
    "/quarantine": {"admin": ["/quarantine"]},
    "/administration": {"admin": ["/administration"], "supervisor": ["/administration"]},
    "/administration/places": {"admin": ["/administration/places"]},
    "/administration/places/{code}": {"admin": ["/administration/places/g1", "/administration/places/330106"]},
    "/administration/people": {"admin": ["/administration/people"]},
    "/administration/people/{person_id}": {"admin": ["/administration/people/worker"]},
    "/administration/alerts": {"admin": ["/administration/alerts?place=g1"]},
    "/administration/alerts/{code}/{alert}": {"admin": ["/administration/alerts/g1/bath_dwell"]},
    "/administration/channels": {"admin": ["/administration/channels"]},
    "/administration/audit": {"admin": ["/administration/audit"]},
    "/administration/retention": {"admin": ["/administration/retention"]},
    "/administration/backup": {"admin": ["/administration/backup"]},
    "/administration/health": {"admin": ["/administration/health"]},
    # ------------------------------------------------------------------ residents and contacts
    "/install/{home_id}/door": {"installer": ["/install/h1/door"]},
    "/install/{home_id}/looks": {"installer": ["/install/h1/looks"]},
    "/install/{home_id}/privacy": {"admin": ["/install/h1/privacy"]},
    "/install/{home_id}/people": {"installer": ["/install/h1/people"]},
    "/install/{home_id}/people/profile": {"installer": ["/install/h1/people/profile"]},
    "/install/{home_id}/people/health": {"installer": ["/install/h1/people/health"]},
    "/install/{home_id}/people/contacts/new": {"installer": ["/install/h1/people/contacts/new"]},
    "/install/{home_id}/people/contacts/{relation}/{person}": {"installer": ["/install/h1/people/contacts/child/mei"]},
    # ------------------------------------------------------------------ installing
    "/install": {"installer": ["/install", "/install?q=nothing-of-the-kind"]},
    "/install/new": {"installer": ["/install/new"]},
    "/install/{home_id}": {"installer": ["/install/h8", "/install/h3"]},
    "/install/{home_id}/edit": {"installer": ["/install/h8/edit"]},
    "/install/{home_id}/rooms": {"installer": ["/install/h8/rooms"]},
    "/install/{home_id}/hub": {"installer": ["/install/h8/hub"]},
    "/install/{home_id}/inbox": {"installer": ["/install/h8/inbox"]},
    "/install/{home_id}/devices/new": {"installer": ["/install/h8/devices/new?hub=hub-8&address=0x00158d0000000009"]},
    "/install/{home_id}/devices/{sensor_id}": {"installer": ["/install/h8/devices/h8-sos"]},
    "/install/{home_id}/devices/{sensor_id}/edit": {"installer": ["/install/h8/devices/h8-door/edit"]},
    "/install/{home_id}/devices/{sensor_id}/replace": {"installer": ["/install/h8/devices/h8-kit/replace"]},
    "/install/{home_id}/state": {"installer": ["/install/h3/state"]},
    "/install/{home_id}/walk": {"installer": ["/install/h8/walk"]},
    "/install/{home_id}/consent": {"installer": ["/install/h8/consent"]},
    "/install/{home_id}/record": {"installer": ["/install/h8/record"]},
    "/install/{home_id}/records/{number}": {"installer": ["/install/h3/records/1"]},
}
"""Each page's address in the table of routes -> who opens it, under which addresses."""

NOT_PAGES = {
    "/healthz": "read by machines",
    "/metrics": "read by machines",
    "/worker.js": "a script",
    "/manifest/{language}.webmanifest": "read by the browser",
    "/device/me": "asked by a script",
    "/ringing": "a piece of every page",
    "/events": "a stream",
    "/a/{token}/events": "a stream",
    "/family/{home_id}/events": "a stream",
    "/language/{language}": "leads back to where one was",
    "/door/{token}": "leads to the alert",
    "/alerts/{alert_id:path}/photos/{name}": "a picture",
    "/a/{token}/photos/{name}": "a picture",
    "/install/{home_id}/photos/{name}": "a picture",
    "/figures.csv": "a file",
    "/figures.xlsx": "a file",
    "/administration/audit.csv": "a file",
    "/administration/health/checkup": "the page of the gateway's health, looked at in a process of its own for seconds",
    "/overview/{place}/parts.csv": "a file",
    "/overview/{place}/parts.xlsx": "a file",
    "/month/{place}/{month}.xlsx": "a file",
    "/install/{home_id}/hubs/{hub_id}/kit": "a file",
    "/install/{home_id}/hubs/{hub_id}/secret": "shown after a press: is_shown_a_secret",
}
"""What answers to GET and shows nobody a page, with what it is; everything under /api/v1 is for programs."""


def routes(village: Village) -> set[str]:
    found = set()
    for route in create_app(village.house()).router.routes:
        for one in getattr(route, "routes", None) or [route]:
            if "GET" in (getattr(one, "methods", None) or ()):
                found.add(f"{getattr(one, 'prefix', '')}{one.path}")
    return {path for path in found if not path.startswith("/api/")}


@pytest.fixture(scope="module")
def village() -> Iterator[Village]:
    neighbourhood = Village()
    with neighbourhood.open_for_visits():
        yield neighbourhood


class Walker:
    """One window for each person, opened once."""

    def __init__(self, browser: Browser, village: Village) -> None:
        self.browser, self.village, self.names = browser, village, village.names()
        self.windows: dict[str, Page] = {}
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def window(self, who: str) -> Page:
        if who not in self.windows:
            context = self.browser.new_context(locale="zh-CN", service_workers="block", reduced_motion="reduce")
            context.set_default_timeout(PATIENCE_MS)
            if who in PEOPLE:
                context.add_cookies([self.village.cookie(who)])
            self.contexts.append(context)
            self.windows[who] = context.new_page()
            self.windows[who].on("pageerror", lambda error: self.complaints.append(str(error)))
        return self.windows[who]

    def visit(self, who: str, address: str) -> Page:
        page = self.window(who)
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="light")
        page.goto(self.village.url + address.format(**self.names))
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture(scope="module")
def walker(chromium: Browser, village: Village) -> Iterator[Walker]:
    walker = Walker(chromium, village)
    yield walker
    walker.close()
    assert walker.complaints == []


TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SEEN = ["color-contrast", "target-size", "link-in-text-block"]
"""The rules whose answer depends on colours and on the size of the screen; the others need to be asked once."""

ASK = """async (only) => {
  const found = await axe.run(document, { resultTypes: ["violations"], elementRef: false, runOnly: only });
  return found.violations.map((one) => [one.help, ...one.nodes.slice(0, 4).map((node) => node.html.slice(0, 200))]);
}"""


def faults_of(page: Page) -> dict[str, Any]:
    """What is wrong with an open page: on a telephone by day, a narrow one, in large type, at a desk in the dark."""
    page.evaluate(f"{MEASURE}.openAll()")
    page.evaluate(AXE)
    found = {
        "axe": page.evaluate(ASK, {"type": "tag", "values": TAGS}),
        "smaller than a thumb": page.evaluate(f"{MEASURE}.tooSmall()"),
        "wider than 390": page.evaluate(f"{MEASURE}.tooWide()"),
    }
    page.set_viewport_size({"width": 320, "height": 844})
    found["wider than 320"] = page.evaluate(f"{MEASURE}.tooWide()")
    page.set_viewport_size({"width": 640, "height": 844})
    found["wider in large type"] = page.evaluate(f"{MEASURE}.inLargeType()")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="dark")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")  # where no button sticks over what is above it
    found["axe in the dark"] = page.evaluate(ASK, {"type": "rule", "values": SEEN})
    found["wider than 1280"] = page.evaluate(f"{MEASURE}.tooWide()")
    return {where: what for where, what in found.items() if what}


def test_every_page_stands_in_the_table(village: Village):
    assert routes(village) == set(PAGES) | set(NOT_PAGES), "say in the table of this test who opens a new page"


def test_axe_is_what_the_manifest_says():
    manifest = json.loads((VENDOR / "manifest.json").read_text("utf-8"))

    files = manifest["axe-core"]["files"]
    assert {path.name for path in VENDOR.iterdir()} == {"manifest.json", *files}
    for name, digest in files.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, f"{name}: run scripts/vendor"


LOOKS = [(who, address) for people in PAGES.values() for who, some in people.items() for address in some]


@pytest.mark.parametrize(("who", "address"), LOOKS, ids=[f"{who}:{address}" for who, address in LOOKS])
def test_everybody_can_use_it(walker: Walker, who: str, address: str):
    page = walker.visit(who, address)

    assert faults_of(page) == {}


# --------------------------------------------------------------------------- pages as they are after something was done


def signs_in_wrongly(page: Page) -> None:
    page.get_by_label("登录名").fill("worker")
    page.get_by_label("密码").fill("not the password")
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".error")).to_be_visible()


def sets_an_impossible_limit(page: Page) -> None:
    page.get_by_text("调整限值").click()
    form = page.locator("form[action$='/set']").first
    form.locator("select").select_option(index=1)
    form.locator("[name=value]").fill("许多")
    form.locator("[name=why]").fill("试试")
    form.get_by_role("button", name="保存").click()
    expect(page.locator(".error")).to_be_visible()


def is_shown_a_secret(page: Page) -> None:
    page.locator("details summary").last.click()
    page.locator("form[action$='/renew'] button").click()
    expect(page.locator("code.secret")).to_be_visible()


def opens_the_menu(page: Page) -> None:
    page.locator(".menu summary").click()
    expect(page.locator(".menu form button")).to_be_visible()


def presses_without_a_line(page: Page) -> None:
    expect(page.locator("body[data-line=up]")).to_be_attached()
    page.context.set_offline(True)
    page.get_by_role("button", name="我出发了").click()
    expect(page.locator("#waiting")).to_contain_text("我出发了")


@pytest.mark.parametrize(
    ("who", "address", "act"),
    [
        ("nobody", "/login", signs_in_wrongly),
        ("worker", "/plans/home/h3", sets_an_impossible_limit),
        ("installer", "/install/h8/hub", is_shown_a_secret),
        ("supervisor", "/glass", opens_the_menu),
        ("worker", "/alerts/{accepted}", presses_without_a_line),
    ],
    ids=lambda given: getattr(given, "__name__", given),
)
def test_everybody_can_still_use_it(walker: Walker, who: str, address: str, act: Callable[[Page], None]):
    page = walker.visit(who, address)
    try:
        act(page)

        assert faults_of(page) == {}
    finally:
        page.context.set_offline(False)


def test_the_first_start(chromium: Browser, street: Neighbourhood):
    page = chromium.new_page(locale="zh-CN", viewport={"width": 390, "height": 844})
    page.goto(street.setup_link())

    assert faults_of(page) == {}
    page.context.close()
