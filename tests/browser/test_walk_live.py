"""The walk test in a real browser: green by itself, nothing typed is lost, a signature drawn with a finger."""

import re
import threading
from collections.abc import Callable

import pytest
from conftest import Album
from neighbourhood import Neighbourhood
from playwright.sync_api import Page, expect

from alerts.maintenance import TEST
from dashboard.auth import Passwords
from dashboard.walk import PURPOSES, SIGNATURE
from gateway.domain import Duty, Kind, Person
from gateway.ports import Account

pytestmark = pytest.mark.browser

PASSWORD = "a long enough password"


@pytest.fixture
def installer(street: Neighbourhood, page: Page) -> Callable[[str], None]:
    """Zhao, signed in; goes to an address of the street."""
    now = street.clock.now()
    with street.registry.begin() as ledger:
        ledger.put_person(Person(id="zhao", name="赵工"), now)
    hashed = Passwords().hash(PASSWORD)
    street.accounts.put(Account(login="zhao", password_hash=hashed, person="zhao", duty=Duty.INSTALLER, created_at=now))
    page.goto(f"{street.url}/login")
    page.get_by_label("登录名").fill("zhao")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(re.compile("/install"))
    return lambda path: page.goto(f"{street.url}{path}") and None


def test_every_device_turns_green_by_itself_and_what_is_typed_stays(
    street: Neighbourhood, page: Page, installer: Callable[[str], None], album: Album
) -> None:
    installer("/install/h3/walk")
    page.get_by_role("button", name="开始步测").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("0 / 6 通过")

    door = page.locator("li", has_text="大门门磁")
    door.locator("summary").click()
    door.locator("textarea").fill("磁铁掉了，周三再来")
    for name, room in (("bed", "bedroom"), ("liv", "living"), ("kit", "kitchen"), ("bath", "bathroom")):
        street.hear(3, f"h3-{name}", room, Kind.MOTION, street.clock.now())
    street.hear(3, "h3-sos", "bedroom", Kind.SOS, street.clock.now())
    street.press("h3")

    expect(page.get_by_role("heading", level=1)).to_have_text("5 / 6 通过")  # without a tap
    (test,) = [alert for alert in street.alerts.alerts(home="h3") if alert.code == TEST]
    expect(page.locator(".trial")).to_contain_text("已发给刘网格员")
    (told,) = street.alerts.deliveries(test.id)
    street.desk.accept(test.id, told.person, street.clock.now(), "link")
    expect(page.locator(".trial")).to_contain_text("刘网格员已接单")
    threading.Event().wait(2.5)  # one more look of the page
    expect(door.locator("textarea")).to_have_value("磁铁掉了，周三再来")
    album.keep("walk-green")

    door.get_by_role("button", name="记下").click()
    page.get_by_role("button", name="完成步测").click()
    expect(page).to_have_url(re.compile("/install/h3/consent"))
    assert [line for line in street.registry.plan("h3", street.clock.now()) if line.author] == []


def test_a_signature_is_drawn_with_a_finger(
    street: Neighbourhood, page: Page, installer: Callable[[str], None], album: Album
) -> None:
    with street.registry.begin() as ledger:
        ledger.put_person(Person(id="sun", name="孙秀英"), street.clock.now())
    street.registrar.change_home("h3", person="sun", who="zhao", now=street.clock.now())
    installer("/install/h3/consent")
    for box in page.get_by_role("checkbox").all():
        box.check()
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    corner = canvas.bounding_box()
    assert corner is not None
    page.mouse.move(corner["x"] + 20, corner["y"] + 60)
    page.mouse.down()
    for step in range(1, 20):
        page.mouse.move(corner["x"] + 20 + 12 * step, corner["y"] + 60 + (step % 3) * 14)
    page.mouse.up()
    album.keep("consent-signed")
    page.get_by_role("button", name="同意并签字").click()
    expect(page).to_have_url(re.compile("/install/h3/record"))

    kind, _, path = street.registry.consents("sun")[0].evidence.partition(":")
    assert kind == "drawn" and SIGNATURE.fullmatch(path) and path.count("L") > 15
    assert {consent.purpose for consent in street.registry.consents("sun")} == set(PURPOSES)
