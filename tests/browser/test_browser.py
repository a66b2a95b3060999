"""What people do on the pages, in a real browser, on a telephone and at a desk. The pictures are kept."""

import re
from pathlib import Path

import pytest
from conftest import Album
from neighbourhood import Neighbourhood
from playwright.sync_api import FrameLocator, Page, expect

pytestmark = pytest.mark.browser

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8").strip()


def come_in(street: Neighbourhood, page: Page) -> None:
    page.goto(street.entrance_link())
    page.get_by_role("button", name="进入").click()
    expect(page.locator(".homes")).to_be_visible()


def follows(page: Page) -> None:
    """The line for events stands."""
    expect(page.locator("body[data-line=up]")).to_be_attached()


def test_the_first_start_and_an_alert_from_ring_to_file(street: Neighbourhood, page: Page, album: Album):
    page.goto(street.setup_link())
    page.get_by_label("姓名").fill("赵敏")
    page.get_by_label("密码（至少").fill("correct horse battery")
    page.get_by_label("再输一次").fill("correct horse battery")
    album.keep("1-setup")
    page.get_by_role("button", name="开始").click()
    expect(page.get_by_role("heading", name="现在没有报警")).to_be_visible()
    follows(page)
    album.keep("2-homes")

    # It rings while nobody touches the page.
    street.press("h1")
    ring = page.locator(".ring.emergency")
    expect(ring).to_contain_text("王奶奶")
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    street.fall_silent("h8")
    expect(page.locator(".ring")).to_have_count(2)
    album.keep("3-ringing")

    ring.locator("a.ring-body").click()
    expect(page.locator(".why")).to_contain_text("按下了紧急按钮（卧室）")
    expect(page.locator(".next")).to_contain_text("通知副手 · 何副手")
    follows(page)
    album.keep("4-alert")
    page.get_by_role("button", name="我来接单").click()
    expect(page.locator(".stood")).to_contain_text("您已接单")

    # Settled by telephone. Not without an outcome: the browser itself holds the form back, and so would the gateway.
    page.get_by_text("直接办结").click()
    page.get_by_role("button", name="办结").click()
    expect(page.locator(".stood")).to_contain_text("您已接单")
    page.get_by_role("radio", name="误触").check()
    page.get_by_label("备注").fill("洗澡时碰到了拉绳")
    album.keep("5-accepted")
    page.get_by_role("button", name="办结").click()
    expect(page.locator(".stood")).to_contain_text("误触")
    expect(page.locator(".history")).to_contain_text("赵敏")
    page.get_by_role("button", name="归档").click()
    expect(page.locator(".stood")).to_contain_text("已归档")
    album.keep("6-filed")


def test_two_people_see_the_same_at_once_and_a_half_written_note_stays(street: Neighbourhood, page: Page):
    alert = street.press("h1")
    street.desk.accept(alert, "leader", street.clock.now())
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    follows(page)
    page.get_by_text("直接办结").click()
    page.get_by_role("radio", name="平安未见异常").check()
    page.get_by_label("备注").fill("写到一半")

    street.press("h1")  # pressed again meanwhile: the history grows under the form

    expect(page.locator(".history")).to_contain_text("又发生")
    expect(page.get_by_label("备注")).to_have_value("写到一半")
    expect(page.locator("input[value=elder-safe-no-cause]")).to_be_checked()


def test_a_page_that_lost_its_line_says_so_and_catches_up(street: Neighbourhood, page: Page, album: Album):
    come_in(street, page)
    follows(page)
    page.context.set_offline(True)
    page.evaluate("document.getElementById('live')._htmx.sse.reader.cancel()")
    expect(page.locator("#stale")).to_contain_text("连接中断")
    album.keep("7-no-connection", whole=False)
    street.press("h3")
    expect(page.locator(".ring")).to_have_count(0)

    page.context.set_offline(False)

    expect(page.locator(".ring")).to_contain_text("赵奶奶")
    expect(page.locator("#stale")).to_be_hidden()


def test_an_act_that_did_not_get_through_does_not_look_done(street: Neighbourhood, page: Page):
    alert = street.press("h1")
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    follows(page)
    page.context.set_offline(True)
    page.get_by_role("button", name="我来接单").click()
    expect(page.locator("#waiting")).to_contain_text("还没有送出去")
    expect(page.locator(".stood")).not_to_contain_text("您已接单")

    page.context.set_offline(False)

    expect(page.locator("#waiting")).to_be_hidden(timeout=25_000)
    expect(page.locator(".stood")).to_contain_text("您已接单")


def test_the_link_on_the_phone(street: Neighbourhood, page: Page, album: Album, size: str):
    come_in(street, page)
    street.press("h1")
    phones: Page | FrameLocator = page
    if size == "phone":
        page.get_by_role("link", name="手机").click()
    else:
        phones = page.frame_locator(".phones-beside iframe")
    worker = phones.locator("#phone-worker")
    expect(worker).to_have_class(re.compile("rings"))
    expect(worker).to_contain_text("【紧急】紧急呼叫 · 户号 A-1201")
    assert "王奶奶" not in worker.inner_text()  # no name on a lock screen
    album.keep("8-phones", whole=False)

    worker.locator("li.rings a").first.click()
    opened = phones.frame_locator("#screen iframe")
    opened.get_by_role("button", name="我来接单").click()
    expect(opened.locator(".stood")).to_contain_text("您已接单")
    album.keep("9-on-the-phone", whole=False)
    phones.get_by_role("button", name="返回手机").click()

    expect(worker).not_to_have_class(re.compile("rings"))
    expect(worker).to_contain_text("您已接单")
    if size == "desk":
        expect(page.locator("#home-h1")).to_contain_text("已接单")


def test_the_others_are_told_who_has_it(street: Neighbourhood, page: Page):
    alert = street.press("h1")
    now = street.clock.now()
    street.desk.tick(street.alerts.alert(alert).next_at)
    street.deliver()
    page.goto(f"{street.url}/phone/")
    expect(page.locator("#phone-deputy")).to_have_class(re.compile("rings"))

    street.desk.accept(alert, "worker", now)
    street.deliver()

    expect(page.locator("#phone-deputy")).to_contain_text("刘网格员已接单")
    expect(page.locator(".phone.rings")).to_have_count(0)


def test_a_home_and_its_day(street: Neighbourhood, page: Page, album: Album):
    come_in(street, page)
    page.locator("#home-h3 a").click()
    expect(page.get_by_role("heading", name="赵奶奶")).to_be_visible()
    expect(page.locator(".ribbon .row")).to_have_count(5)
    expect(page.locator(".words").first).to_contain_text("厨房：有动静")
    album.keep("10-home")
    page.get_by_role("link", name="前一天").click()
    expect(page.locator("#day-title")).to_have_text(re.compile(r"\d{4}-\d\d-\d\d"))

    page.goto(f"{street.url}/homes/h4")
    expect(page.locator(".stand")).to_contain_text("看不见")
    album.keep("11-not-seen")


def test_in_english_and_in_the_dark(street: Neighbourhood, page: Page, album: Album):
    page.emulate_media(color_scheme="dark")
    come_in(street, page)
    page.get_by_text("更多").click()
    page.get_by_role("link", name="EN").click()
    expect(page.get_by_role("heading", name="Nothing is ringing")).to_be_visible()
    street.press("h1")
    expect(page.locator(".ring")).to_contain_text("Emergency call")
    album.keep("12-english-dark")


def test_without_scripts_everything_still_works(street: Neighbourhood, chromium, size: str):
    context = chromium.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    alert = street.press("h1")
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    page.get_by_role("button", name="我来接单").click()
    expect(page.locator(".stood")).to_contain_text("您已接单")
    page.get_by_text("直接办结").click()
    page.get_by_role("radio", name="误触").check()
    page.get_by_role("button", name="办结").click()
    expect(page.locator(".stood")).to_contain_text("误触")
    context.close()


def test_the_gateway_can_be_killed_from_the_demo(street: Neighbourhood, page: Page):
    street.press("h1")
    come_in(street, page)
    expect(page.locator(".demo")).to_contain_text("下一个时限")
    page.get_by_role("button", name="kill -9").click()

    expect(page.locator("#demo-said")).to_contain_text("已杀死")
    assert street.killed.wait(5)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_menu_stays_one_line_and_the_rest_is_behind_one_word(
    street: Neighbourhood, page: Page, album: Album, language: str
):
    come_in(street, page)
    page.goto(f"{street.url}/language/{language}?back=/")
    entries = page.locator(".top nav > *")
    assert 1 < len([entry for entry in entries.all() if entry.is_visible()]) <= 4
    assert page.locator(".top").bounding_box()["height"] < 80

    page.locator(".menu summary").click()
    expect(page.locator(".menu form button")).to_be_visible()
    assert page.evaluate(f"{MEASURE}.tooSmall()") == []
    assert page.evaluate(f"{MEASURE}.faint()") == []
    assert page.evaluate(f"{MEASURE}.isWhole()")
    album.keep(f"13-menu-{language}", whole=False)
    page.locator(".menu a").first.click()
    assert page.url != f"{street.url}/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_and_hit_with_a_thumb(street: Neighbourhood, page: Page, scheme: str):
    page.emulate_media(color_scheme=scheme)
    alert = street.press("h1")
    other = street.fall_silent("h8")
    street.desk.accept(other, "leader", street.clock.now())
    page.goto(street.entrance_link())
    for path in ("", "/", "/homes/h3", f"/alerts/{alert}", f"/alerts/{other}", "/phone/", "/login"):
        if path:
            page.goto(street.url + path)
        assert page.evaluate(f"{MEASURE}.tooSmall()") == [], path
        assert page.evaluate(f"{MEASURE}.faint()") == [], path
        assert page.evaluate(f"{MEASURE}.isWhole()"), f"{path} is too wide"
        if not path:
            page.get_by_role("button", name="进入").click()
            expect(page.locator(".homes")).to_be_visible()
