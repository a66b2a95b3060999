"""The daughter on the metro and her mother at home: what one lets the other see, in a real browser."""

import re
from datetime import timedelta

import pytest
from conftest import Album
from neighbourhood import Neighbourhood
from playwright.sync_api import Page, expect
from test_handling_flow import fits

from dashboard.app import make_entrance_link
from gateway.domain import Contact, Duty, Kind, Look, Person, Relation, Sight
from gateway.ports import Batch
from gateway.sharing import Sharing

pytestmark = pytest.mark.browser


def family_of(street: Neighbourhood, *looks: Look) -> None:
    """王桂芳 lives in h1; her daughter and her son stand on the list, and a week of days lies behind her."""
    by = {"who": "leader", "now": street.clock.now()}
    street.registrar.put_person(Person(id="wang", name="王桂芳"), **by)
    street.registrar.change_home("h1", person="wang", **by)
    people = [Person(id="mei", name="王小梅"), Person(id="gang", name="王刚")]
    contacts = [
        Contact(home="h1", person="mei", relation=Relation.CHILD, may_see=Sight.ALL, phones=("13800002222",)),
        Contact(home="h1", person="gang", relation=Relation.CHILD, phones=("13800003333",)),
    ]
    street.registrar.put_contacts("h1", contacts, people=people, **by)
    if looks:
        agreed = {"version": "2026-11", "given_by": "wang", "evidence": "page"}
        Sharing(street.registry).show("h1", "mei", looks, **agreed, **by)
    midnight = street.clock.now().replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for day in range(2, 8):
        if day == 5:
            continue  # the hub was not heard on that day
        for hour, room, sensor in ((7.2, "kitchen", "kit"), (13, "living", "liv"), (22.1, "living", "liv")):
            at = midnight - timedelta(days=day) + timedelta(hours=hour)
            street.hear(1, f"h1-{sensor}", room, Kind.MOTION, at)
        for hour in (9.5, 9.6 + day / 4):
            street.hear(1, "h1-door", "living", Kind.DOOR, midnight - timedelta(days=day) + timedelta(hours=hour))
    street.readings.commit(Batch(heard={"h1": street.clock.now()}))


def come_in_as(street: Neighbourhood, page: Page, person: str, duty: Duty) -> None:
    found = street.registry.person(person)
    assert found is not None
    page.goto("about:blank")  # an open page that finds itself signed out asks anew, and would cut off the way in
    page.context.clear_cookies()
    page.goto(make_entrance_link(street.accounts, street.clock, street.url, found, duty))
    page.get_by_role("button", name="进入").click()


def test_one_calm_sentence_and_what_a_daughter_can_do(street: Neighbourhood, page: Page, album: Album):
    family_of(street, Look.CALM, Look.ALERTS, Look.DAYS)
    come_in_as(street, page, "mei", Duty.FAMILY)

    expect(page).to_have_url(re.compile("/family/h1$"))
    expect(page.locator(".calm h1")).to_have_text(re.compile("今天平安|夜里平静"))
    expect(page.locator(".bars")).to_have_count(2)
    expect(page.locator(".bars .unknown").first).to_be_visible()
    fits(page)
    album.keep("family")

    street.fall_silent("h1")
    expect(page.locator(".calm.ringing h1")).to_have_text("长时间无活动")  # by itself, on the open page
    fits(page)
    album.keep("family-alert")

    page.get_by_role("button", name="我来处理").click()
    expect(page.locator(".calm.taken h1")).to_have_text("王小梅 正在处理")
    page.get_by_text("老人在我这", exact=True).first.click()
    page.get_by_role("radio", name="6 小时").check(force=True)
    album.keep("family-with-me")
    page.get_by_role("button", name="老人在我这").click()
    expect(page.locator(".calm.away h1")).to_be_visible()
    album.keep("family-away")


def test_a_home_that_is_not_heard_is_shown_neither_well_nor_in_danger(street: Neighbourhood, page: Page, album: Album):
    family_of(street, Look.CALM)
    contact = Contact(home="h4", person="mei", relation=Relation.CHILD, may_see=Sight.CALM)
    by = {"who": "leader", "now": street.clock.now()}
    street.registrar.put_person(Person(id="chen", name="陈爷爷"), **by)
    street.registrar.change_home("h4", person="chen", **by)
    street.registrar.put_contacts("h4", [contact], **by)
    agreed = {"version": "2026-11", "given_by": "chen", "evidence": "paper"}
    Sharing(street.registry).show("h4", "mei", [Look.CALM], **agreed, **by)
    come_in_as(street, page, "mei", Duty.FAMILY)

    expect(page.get_by_role("heading", name="查看哪一户")).to_be_visible()
    page.get_by_role("link", name=re.compile("陈爷爷")).click()
    expect(page.locator(".calm.blind h1")).to_have_text("现在看不到")
    fits(page)
    album.keep("family-blind")


def test_a_mother_decides_and_sees_who_looked(street: Neighbourhood, page: Page, album: Album):
    family_of(street)
    come_in_as(street, page, "mei", Duty.FAMILY)
    expect(page.get_by_text("还没有人同意让您查看")).to_be_visible()
    album.keep("family-nothing")

    come_in_as(street, page, "wang", Duty.ELDER)
    expect(page.get_by_role("heading", name="谁能看到我")).to_be_visible()
    fits(page)
    album.keep("me-nothing")
    page.get_by_role("button", name=re.compile("^让看.*王小梅、每日概况")).click()
    expect(page.locator(".note-said")).to_contain_text("对方可以看到")
    expect(page.get_by_role("button", name=re.compile("^不让看.*王小梅、今天是否平安"))).to_be_visible()

    come_in_as(street, page, "mei", Duty.FAMILY)
    expect(page.locator(".bars")).to_have_count(2)
    come_in_as(street, page, "wang", Duty.ELDER)
    expect(page.locator("ol.words")).to_contain_text("王小梅")
    fits(page)
    album.keep("me")

    page.get_by_text("暂时不给家里人看").click()
    page.get_by_role("button", name="暂时不显示").click()
    expect(page.get_by_text("家里人什么都看不到。").first).to_be_visible()
    page.get_by_text("暂时不要守护我").click()
    page.locator("form[action='/me/unwatched'] button").click()
    expect(page.get_by_role("button", name="恢复守护")).to_be_visible()
    album.keep("me-paused")
    page.get_by_role("link", name="查看全部，可以打印").click()
    fits(page)
    album.keep("me-looks")

    come_in_as(street, page, "mei", Duty.FAMILY)
    expect(page.get_by_role("heading", name="暂不显示")).to_be_visible()
    album.keep("family-hidden")


def test_an_open_page_shows_nothing_more_within_the_minute(street: Neighbourhood, page: Page):
    family_of(street, Look.CALM, Look.DAYS)
    come_in_as(street, page, "mei", Duty.FAMILY)
    expect(page.locator(".bars")).to_have_count(2)

    Sharing(street.registry).hide("h1", "mei", [Look.DAYS], who="wang", now=street.clock.now())

    expect(page.locator(".bars")).to_have_count(0, timeout=35_000)
