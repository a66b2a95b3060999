"""马主任 answers for a district: from the numbers of the morning down to one home, and the month on paper."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Album
from neighbourhood import Neighbourhood
from playwright.sync_api import Page, expect

from gateway.domain import Area, Finding, Gap, Grid, Kind, Outcome, Position, Reading, Severity
from gateway.ports import Batch

pytestmark = pytest.mark.browser

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8").strip()
CODES = (("sos", Severity.EMERGENCY), ("inactivity", Severity.HIGH), ("door_open", Severity.MEDIUM))
FOUND = (Outcome.ASSISTANCE_GIVEN, Outcome.ELDER_SAFE, Outcome.ACCIDENTAL_PRESS)


def grow(street: Neighbourhood) -> None:
    """The neighbourhood is one of two streets; a quarter of a year lies behind it, and two months of its batteries."""
    now, chance = street.clock.now(), random.Random(7)
    with street.registry.begin() as ledger:
        ledger.put_area(Area(code="330106", name="江滨区", level="district"), now)
        ledger.put_area(Area(code="330106001", name="江南街道", level="street", parent="330106"), now)
        ledger.put_area(Area(code="330106002", name="江北街道", level="street", parent="330106"), now)
        community = Area(code="110101001001", name="东风社区", level="community", parent="330106001")
        ledger.put_area(community, now)
        ledger.put_area(Area(code="330106002001", name="西山社区", level="community", parent="330106002"), now)
        ledger.put_grid(Grid(code="g2", name="西山第一网格", community="330106002001"))
        for number in (5, 6, 7, 8):
            home = street.registry.home(f"h{number}")
            assert home is not None
            ledger.put_home(replace(home, grid="g2"), now)
    for days_ago in range(80, 0, -1):
        at = now - timedelta(days=days_ago, hours=chance.random() * 8)
        code, severity = chance.choice(CODES)
        finding = Finding(home=f"h{chance.randrange(1, 9)}", code=code, severity=severity, since=at, at=at)
        (verdict,) = street.desk.take([finding], at)
        assert verdict.alert is not None
        answered = at + timedelta(seconds=chance.expovariate(1 / 70))
        street.desk.accept(verdict.alert.id, "worker", answered)
        street.desk.on_site(verdict.alert.id, "worker", answered + timedelta(minutes=chance.expovariate(1 / 14)))
        street.desk.resolve(verdict.alert.id, "worker", chance.choice(FOUND), "", answered + timedelta(hours=1))
    readings = []
    for hours_ago in range(24 * 60, 30, -3):
        at = now - timedelta(hours=hours_ago)
        for kind, value in ((Kind.BATTERY, 62 + hours_ago / 40), (Kind.LINK, 90 + chance.randrange(40))):
            reading = Reading("h1", "h1-liv", "living", kind, value, at, at, arrival=100_000 + len(readings))
            readings.append(reading)
        if 7 <= (at + timedelta(hours=8)).hour <= 21:
            here = Reading("h1", "h1-kit", "kitchen", Kind.MOTION, 1.0, at, at, arrival=100_000 + len(readings))
            readings.append(here)
    blind = Gap(home="h6", what="fall", why="sensor_silent", since=now - timedelta(days=2))
    street.readings.commit(Batch(readings=readings, gaps={"h6": (blind,)}))


def come_in(street: Neighbourhood, page: Page) -> None:
    page.goto(street.entrance_link())
    page.get_by_role("button", name="进入").click()
    expect(page.locator(".homes")).to_be_visible()


def is_well_made(page: Page) -> None:
    """Every target can be hit with a thumb, every word can be read, and nothing reaches over the edge."""
    expect(page.locator("body")).to_be_attached()  # for a moment after a link was followed there is no page at all
    measured = page.evaluate(f"(() => {{ const m = {MEASURE}; return [m.isWhole(), m.tooSmall(), m.faint()]; }})()")
    assert measured == [True, [], []]


def test_from_the_district_to_the_home(street: Neighbourhood, page: Page, album: Album):
    grow(street)
    street.press("h1")
    street.fall_silent("h8")
    come_in(street, page)

    page.goto(f"{street.url}/overview")
    expect(page.get_by_role("heading", name="江滨区")).to_be_visible()
    expect(page.locator(".tiles .emergency").first).to_contain_text("2")
    expect(page.locator("#charts canvas")).to_have_count(2)
    album.keep("overview-1-district")
    is_well_made(page)

    # It rings while the page is open.
    street.press("h2")
    expect(page.locator(".tiles b").first).to_have_text("3", timeout=15_000)
    expect(page.locator("#charts canvas")).to_have_count(2)

    page.locator(".parts").get_by_role("link", name="江南街道").click()
    page.locator(".parts").get_by_role("link", name="东风社区").click()
    page.locator(".parts").get_by_role("link", name="第一网格").click()
    expect(page.get_by_role("heading", name="第一网格")).to_be_visible()
    expect(page.locator("#now")).to_contain_text("王奶奶")
    album.keep("overview-2-grid")
    is_well_made(page)
    page.get_by_role("navigation", name="上级区域").get_by_role("link", name="江滨区").click()
    expect(page.get_by_role("heading", name="江滨区")).to_be_visible()


def test_every_chart_is_also_a_table(street: Neighbourhood, page: Page, album: Album):
    grow(street)
    come_in(street, page)
    page.goto(f"{street.url}/overview/330106/weeks")
    expect(page.locator("figure canvas")).to_have_count(2)
    page.get_by_text("查看数字").first.click()
    expect(page.locator("figure details table").first.locator("tbody tr")).to_have_count(13)
    album.keep("charts-1-weeks")
    is_well_made(page)

    page.emulate_media(color_scheme="dark")
    page.goto(f"{street.url}/homes/h1/days")
    expect(page.locator("figure canvas")).to_have_count(2)
    album.keep("charts-2-days")
    is_well_made(page)
    page.emulate_media(color_scheme="light")
    page.goto(f"{street.url}/homes/h1/devices")
    expect(page.locator("figure canvas")).to_have_count(1)
    expect(page.locator("figcaption")).to_contain_text("电量")
    album.keep("charts-3-devices")
    is_well_made(page)


def test_the_month_on_paper_and_as_a_workbook(street: Neighbourhood, page: Page, album: Album):
    grow(street)
    come_in(street, page)
    page.goto(f"{street.url}/overview")
    page.get_by_role("link", name="月报（可打印）").click()
    page.get_by_role("navigation", name="月份").get_by_role("link").first.click()
    expect(page.locator(".meaning")).to_contain_text("60 秒内接单")
    album.keep("month-1")
    is_well_made(page)
    page.emulate_media(media="print")
    album.keep("month-2-print")
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")


def test_the_map_shows_where_it_rings_and_leads_there(street: Neighbourhood, page: Page, album: Album):
    grow(street)
    for number in range(1, 8):
        home = street.registry.home(f"h{number}")
        assert home is not None
        position = Position(30.25 + number % 3 / 500, 120.2 + number / 700)
        street.registrar.change_home(home.id, position=position, who="leader", now=street.clock.now())
    street.press("h2")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    come_in(street, page)
    page.goto(f"{street.url}/map")
    expect(page.locator(".map path")).to_have_count(7)
    expect(page.locator("#spots")).to_contain_text("有 1 户没有坐标")
    expect(page.locator(".map .leaflet-tooltip", has_text="李爷爷")).to_be_visible()
    album.keep("map-1", whole=False)
    is_well_made(page)
    assert [url for url in asked if not url.startswith((street.url, "data:"))] == []

    # It rings somewhere else while the map is open.
    street.press("h3")
    expect(page.locator("#spots li.emergency")).to_have_count(2, timeout=15_000)
    page.emulate_media(color_scheme="dark")
    album.keep("map-2-dark", whole=False)
    page.get_by_text("列表（7）").click()
    page.locator("#spots").get_by_role("link", name="李爷爷").click()
    expect(page.get_by_role("heading", name="李爷爷")).to_be_visible()
