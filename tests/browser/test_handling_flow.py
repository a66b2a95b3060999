"""One alert in one hand at three in the morning, from the first tap to the file, in a real browser."""

import re
from pathlib import Path

import pytest
from conftest import Album
from neighbourhood import Neighbourhood
from playwright.sync_api import Page, expect

from dashboard.links import Links
from gateway.domain import Consent, Contact, Hearing, Kind, Outcome, Person, Profile, Relation, Sex

pytestmark = pytest.mark.browser

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8").strip()


def with_a_file(street: Neighbourhood) -> None:
    """王奶奶 has told what a responder needs to know, and signed that her door may be opened."""
    by = {"who": "leader", "now": street.clock.now()}
    street.registrar.put_person(Person(id="wang", name="王桂芳"), **by)
    street.registrar.change_home("h1", person="wang", **by)
    people = [Person(id="mei", name="王小梅"), Person(id="li", name="老李")]
    contacts = [
        Contact(home="h1", person="li", relation=Relation.KEY_HOLDER, phones=("13800003333",)),
        Contact(home="h1", person="mei", relation=Relation.CHILD, phones=("13800002222",)),
    ]
    street.registrar.put_contacts("h1", contacts, people=people, **by)
    for purpose, evidence in (("health", "paper:档案柜 3-17"), ("entry", "paper:档案柜 3-18")):
        consent = Consent(
            person="wang", purpose=purpose, version="2026-11", given_at=by["now"], given_by="wang", evidence=evidence
        )
        street.registrar.give_consent(consent, **by)
    street.registrar.put_profile(
        Profile(
            person="wang",
            birth_year=1938,
            sex=Sex.FEMALE,
            conditions="高血压、冠心病\n硝苯地平 30 mg，每日一次",
            hearing=Hearing.POOR,
            dialect="四川话",
            hospital="市第一人民医院",
        ),
        **by,
    )


def come_in(street: Neighbourhood, page: Page) -> None:
    page.goto(street.entrance_link())
    page.get_by_role("button", name="进入").click()
    expect(page.locator(".homes")).to_be_visible()


def fits(page: Page) -> None:
    """Nothing reaches over the edge of the telephone."""
    expect(page.locator("body")).to_be_attached()  # for a moment after a link was followed there is no page at all
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"


def test_one_alert_in_one_hand(street: Neighbourhood, page: Page, album: Album):
    with_a_file(street)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"latitude": 30.65987, "longitude": 104.06321, "accuracy": 12})
    alert = street.press("h1")
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    album.keep("handling-1-ringing", whole=False)
    fits(page)

    page.get_by_role("button", name="我来接单", exact=True).click()
    expect(page.get_by_role("button", name="我出发了")).to_be_in_viewport()
    album.keep("handling-2-accepted")
    page.get_by_role("button", name="我出发了").click()

    # At the door: the code on the sheet, the position, and the door itself tells too.
    expect(page.locator(".stood")).to_contain_text("您已出发")
    street.hear(1, "h1-door", "living", Kind.DOOR, street.clock.now())
    page.get_by_text("附上我的位置").click()
    page.get_by_text("门牌码", exact=True).click()
    page.get_by_placeholder("六位数字").fill(Links(street.secret, street.url, street.clock).door_code("h1"))
    expect(page.locator("input[name=position]")).to_have_value(re.compile(r"30\.65987,104\.06321,\d+"))
    album.keep("handling-3-at-the-door")
    page.get_by_role("button", name="我到了").click()
    expect(page.locator(".stood")).to_contain_text("您已到场")
    expect(page.locator(".history")).to_contain_text("已核对门牌码")
    expect(page.get_by_role("heading", name="到场情况如何？")).to_be_visible()  # not the form for the telephone
    page.get_by_text("写一条记录").click()
    page.locator("#note textarea").fill("已敲门，无人应答")
    page.locator("#note button").click()
    expect(page.locator(".history")).to_contain_text("已敲门，无人应答")
    expect(page.locator("#note textarea")).to_have_value("")  # nobody writes it down twice

    # She does not answer: the glass is broken.
    page.get_by_role("link", name="急救交接卡").click()
    album.keep("handling-4-glass", whole=False)
    page.get_by_label("为什么需要打开").fill("呼叫无应答，120 已出发")
    page.get_by_role("button", name="打开交接卡").click()
    expect(page.locator(".card-who")).to_contain_text("王桂芳")
    expect(page.locator("main")).to_contain_text("硝苯地平")
    expect(page.get_by_role("link", name="13800003333")).to_have_attribute("href", "tel:13800003333")
    album.keep("handling-5-card")
    fits(page)

    page.get_by_role("link", name="返回预警").click()
    page.get_by_role("radio", name="真实险情").check()
    page.get_by_label("备注").fill("跌倒，髋部疼痛，已送市一医院")
    album.keep("handling-6-on-site")
    page.get_by_role("button", name="办结").click()

    # Nothing real is filed before somebody has looked in again.
    expect(page.get_by_role("heading", name="回访：老人现在怎么样？")).to_be_visible()
    expect(page.get_by_role("button", name="归档")).to_have_count(0)
    page.get_by_role("radio", name="住院").check()
    album.keep("handling-7-follow-up")
    page.get_by_role("button", name="记下").click()
    page.get_by_role("button", name="归档").click()
    expect(page.locator(".stood")).to_contain_text("已归档")

    page.get_by_role("link", name="完整时间线").click()
    expect(page.locator(".timeline")).to_contain_text("大门")
    album.keep("handling-8-timeline")
    fits(page)


def test_the_clocks_the_figures_and_the_sheet_for_the_door(street: Neighbourhood, page: Page, album: Album):
    street.press("h1")
    accepted = street.press("h3")
    street.desk.accept(accepted, "leader", street.clock.now())
    seen_to = street.press("h5")
    street.desk.resolve(seen_to, "leader", Outcome.ASSISTANCE_GIVEN, "", street.clock.now())
    come_in(street, page)

    page.goto(f"{street.url}/clocks")
    expect(page.locator(".clocks li")).to_have_count(2)
    expect(page.locator(".linked")).to_contain_text("周奶奶")
    album.keep("handling-9-clocks")
    fits(page)
    page.get_by_role("link", name="月度指标").click()
    expect(page.locator(".sum-row")).to_contain_text("合计")
    album.keep("handling-10-figures")
    fits(page)
    page.goto(f"{street.url}/install/h1/door")
    expect(page.locator(".qr-box svg")).to_be_visible()
    album.keep("handling-11-door", whole=False)
    fits(page)
