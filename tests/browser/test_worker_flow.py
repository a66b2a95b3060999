"""The grid worker at three in the morning on a bad line: kept pages, acts that wait, an alarm that sounds, a push."""

import base64
import json
import re
from pathlib import Path

import pytest
from conftest import Album
from neighbourhood import Neighbourhood
from playwright.sync_api import Page, expect

from dashboard.auth import make_entrance_link
from dashboard.links import Links
from dashboard.printer import STATIC
from gateway.domain import Duty, Entry

pytestmark = pytest.mark.browser

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8").strip()

WITHOUT = """
for (const [owner, name] of [[Navigator.prototype, "serviceWorker"], [Navigator.prototype, "mediaDevices"],
    [Navigator.prototype, "geolocation"], [Navigator.prototype, "vibrate"], [Navigator.prototype, "userActivation"],
    [window, "PushManager"], [window, "Notification"], [window, "BarcodeDetector"]]) delete owner[name];
"""
"""What the web views of WeChat and WeCom leave out."""


def come_in(street: Neighbourhood, page: Page) -> None:
    worker = street.registry.person("worker")
    assert worker is not None
    page.goto(make_entrance_link(street.accounts, street.clock, street.url, worker, Duty.GRID_WORKER, "g1"))
    page.get_by_role("button", name="进入").click()
    expect(page.locator(".homes")).to_be_visible()


def is_kept(street: Neighbourhood, page: Page) -> None:
    """The service worker stands, and has this page and the list."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    for address in (page.url, f"{street.url}/"):
        page.wait_for_function(
            """async (address) => {
                const kept = (await caches.keys()).filter((name) => name.startsWith("pages-"));
                const found = await Promise.all(kept.map(async (name) => (await caches.open(name)).match(address)));
                return found.some(Boolean);
            }""",
            arg=address,
        )


def fits(page: Page) -> None:
    expect(page.locator("body")).to_be_attached()  # for a moment after a link was followed there is no page at all
    assert page.evaluate(f"{MEASURE}.isWhole()"), "the page is wider than the screen"
    assert page.evaluate(f"{MEASURE}.tooSmall()") == []
    assert page.evaluate(f"{MEASURE}.faint()") == []


def history(street: Neighbourhood, alert: str) -> list[Entry]:
    return street.alerts.history(alert)


def test_the_alert_shows_the_day_and_the_way(street: Neighbourhood, page: Page, album: Album):
    alert = street.fall_silent("h8")
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")

    expect(page.locator(".ribbon .row")).to_have_count(5)
    expect(page.get_by_role("link", name="地图", exact=True)).to_have_attribute("href", re.compile(r"^geo:0,0\?q=%E4"))
    expect(page.get_by_role("link", name="高德地图")).to_have_attribute("href", re.compile("^https://uri.amap.com/"))
    fits(page)
    album.keep("worker-1-alert")


def test_an_arrival_in_a_cellar(street: Neighbourhood, page: Page, album: Album):
    alert = street.press("h1")
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    is_kept(street, page)
    page.get_by_role("button", name="我来接单", exact=True).click()
    expect(page.locator(".stood")).to_contain_text("您已接单")

    # The line goes. The page can be opened anew, and says how old it is.
    page.context.set_offline(True)
    page.get_by_role("button", name="我出发了").click()
    expect(page.locator("#waiting")).to_contain_text("我出发了")
    expect(page.locator("#waiting")).to_contain_text("有网络后自动发送")
    page.reload()
    expect(page.locator("#stale")).to_contain_text("连接中断")
    expect(page.locator(".stood")).to_contain_text("您已接单")  # what it said last, not what it said when it was opened
    expect(page.locator("#waiting")).to_contain_text("我出发了")
    album.keep("worker-2-offline", whole=False)
    fits(page)
    page.goto(f"{street.url}/homes/h5")
    expect(page.get_by_role("heading", name="没有网络")).to_be_visible()
    album.keep("worker-3-never-seen", whole=False)
    page.goto(f"{street.url}/")
    expect(page.locator(".homes")).to_be_visible()

    # It comes back: what was pressed goes by itself, once.
    page.context.set_offline(False)
    expect(page.locator("#waiting")).to_be_hidden(timeout=20_000)
    page.goto(f"{street.url}/alerts/{alert}")
    expect(page.locator(".stood")).to_contain_text("您已出发")
    assert [entry.what for entry in history(street, alert)].count("en-route") == 1


def test_a_session_that_ends_with_the_outcome_half_written(street: Neighbourhood, page: Page):
    alert = street.press("h1")
    street.desk.accept(alert, "worker", street.clock.now())
    street.desk.on_site(alert, "worker", street.clock.now())
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    page.locator("[value=assistance-given]").check()
    page.get_by_label("备注").fill("扶起，血压正常")
    page.context.clear_cookies()

    page.get_by_role("button", name="办结").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    come_in(street, page)

    expect(page.locator("#waiting")).to_be_hidden(timeout=20_000)
    page.goto(f"{street.url}/alerts/{alert}")
    expect(page.locator(".note")).to_contain_text("扶起，血压正常")


def test_a_picture_taken_in_a_cellar(street: Neighbourhood, page: Page, album: Album):
    alert = street.press("h1")
    street.desk.accept(alert, "worker", street.clock.now())
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    expect(page.locator("body[data-line=up]")).to_be_attached()
    page.context.set_offline(True)
    page.locator("input[type=file]").set_input_files(STATIC / "icons" / "192.png")
    expect(page.locator("#waiting")).to_contain_text("照片")
    album.keep("worker-10-picture-waits", whole=False)

    page.context.set_offline(False)

    expect(page.locator("#waiting")).to_be_hidden(timeout=25_000)
    expect(page.locator("img.photo")).to_have_count(1)
    assert page.locator("img.photo").evaluate("(picture) => picture.decode().then(() => picture.naturalWidth)") == 192
    assert [entry.what for entry in history(street, alert)].count("photo") == 1


@pytest.mark.parametrize("size", ["phone"], indirect=True)
def test_a_visit_noted_in_a_cellar(street: Neighbourhood, page: Page, album: Album):
    come_in(street, page)
    page.goto(f"{street.url}/today")
    page.get_by_label("门牌码").fill(Links(street.secret, street.url, street.clock).door_code("h1"))
    fits(page)
    album.keep("worker-11-at-a-door")
    page.get_by_role("button", name="打开登记").click()
    expect(page.get_by_role("heading", name="老人情况怎么样？")).to_be_visible()
    fits(page)
    album.keep("worker-12-visit")
    page.goto(f"{street.url}/homes/h1/visit")
    is_kept(street, page)

    page.context.set_offline(True)
    page.reload()
    page.locator("input[name=elder][value=well]").check(force=True)
    page.get_by_role("button", name="记下").click()
    expect(page.locator("#waiting")).to_contain_text("探访")
    album.keep("worker-13-visit-waits", whole=False)

    page.context.set_offline(False)
    for _ in range(250):  # the page is opened anew as the line comes, and shows nothing waiting before it has looked
        if street.alerts.visits("h1"):
            break
        page.wait_for_timeout(100)
    expect(page.locator("#waiting")).to_be_hidden(timeout=25_000)
    assert len(street.alerts.visits("h1")) == 1
    page.locator("input[name=elder][value=well]").check(force=True)
    page.get_by_role("button", name="记下").click()
    page.wait_for_url("**/today")


def test_an_act_whose_answer_was_lost_is_done_once(street: Neighbourhood, page: Page):
    alert = street.press("h1")
    street.desk.accept(alert, "worker", street.clock.now())
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    page.evaluate("document.getElementById('note-box').open = true")
    page.locator("#note-box textarea").fill("敲门无应答")

    # It reaches the gateway, and the answer does not come back.
    page.evaluate("""() => {
        const ask = window.fetch;
        window.fetch = async (...what) => {
            window.fetch = ask;
            await ask(...what);
            throw new TypeError("network error");
        };
    }""")
    page.locator("#note-box button").click()

    expect(page.locator("#waiting")).to_be_hidden(timeout=25_000)
    expect(page.locator(".history")).to_contain_text("敲门无应答")
    assert [entry.what for entry in history(street, alert)].count("note") == 1


def test_somebody_was_quicker_meanwhile(street: Neighbourhood, page: Page, album: Album):
    alert = street.press("h1")
    come_in(street, page)
    page.goto(f"{street.url}/alerts/{alert}")
    expect(page.locator("body[data-line=up]")).to_be_attached()
    page.context.set_offline(True)
    page.get_by_role("button", name="我来接单", exact=True).click()
    expect(page.locator("#waiting")).to_contain_text("我来接单")
    street.desk.accept(alert, "deputy", street.clock.now())

    page.context.set_offline(False)

    expect(page.locator("#waiting")).to_contain_text("没有办成：我来接单", timeout=25_000)
    expect(page.locator("#waiting")).to_contain_text("何副手")
    album.keep("worker-4-conflict", whole=False)
    fits(page)
    page.get_by_role("button", name="知道了").click()
    expect(page.locator("#waiting")).to_be_hidden()


def test_who_signs_out_leaves_nothing_behind(street: Neighbourhood, page: Page):
    come_in(street, page)
    is_kept(street, page)
    page.locator(".menu summary").click()
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("密码")).to_be_visible()

    names = page.evaluate("caches.keys()")
    assert [name for name in names if name.startswith("pages-")] == []
    page.context.set_offline(True)
    page.goto(f"{street.url}/")
    expect(page.locator("body")).not_to_contain_text("王奶奶")


def test_an_emergency_stands_on_every_page_and_sounds(street: Neighbourhood, page: Page, album: Album):
    come_in(street, page)
    page.goto(f"{street.url}/today")
    expect(page.get_by_role("heading", name="今日")).to_be_visible()
    album.keep("worker-5-today")
    fits(page)
    page.evaluate("""window.played = []; Audio.prototype.play = function () {
        this.paused_ = false; window.played.push(this.src); return Promise.resolve(); }; 0""")
    street.press("h1")

    expect(page.locator(".rings")).to_contain_text("王奶奶")
    page.wait_for_function("window.played.some((src) => src.includes('alarm.wav'))")
    album.keep("worker-6-rings", whole=False)
    fits(page)
    page.locator(".rings").click()
    expect(page.locator(".stood")).to_be_visible()


def test_a_browser_that_wants_a_touch_first_is_told_of(street: Neighbourhood, page: Page, album: Album):
    page.add_init_script("Audio.prototype.play = () => Promise.reject(new DOMException('', 'NotAllowedError'))")
    street.press("h1")
    come_in(street, page)
    expect(page.get_by_role("button", name="打开报警声音")).to_be_visible()
    album.keep("worker-7-unheard", whole=False)
    fits(page)


def test_inside_the_web_view_of_a_chat_program(street: Neighbourhood, page: Page, album: Album):
    page.add_init_script(WITHOUT)
    alert = street.press("h1")
    come_in(street, page)
    assert page.evaluate("'serviceWorker' in navigator || 'PushManager' in window") is False
    page.goto(f"{street.url}/alerts/{alert}")
    page.get_by_role("button", name="我来接单", exact=True).click()
    page.get_by_role("button", name="我出发了").click()
    expect(page.locator(".stood")).to_contain_text("您已出发")
    expect(page.get_by_text("附上我的位置")).to_be_hidden()  # it cannot, so it does not offer

    # Without a service worker acts wait all the same.
    page.context.set_offline(True)
    page.get_by_role("button", name="我到了").click()
    expect(page.locator("#waiting")).to_contain_text("我到了")
    page.context.set_offline(False)
    expect(page.locator("#waiting")).to_be_hidden(timeout=25_000)
    expect(page.locator(".stood")).to_contain_text("您已到场")
    assert page.locator("input[type=file]").get_attribute("capture") == "environment"

    page.goto(f"{street.url}/device")
    expect(page.locator("main")).to_contain_text("有网络后自动发送")
    album.keep("worker-8-web-view")
    fits(page)


def test_it_can_be_put_on_the_home_screen(street: Neighbourhood, page: Page):
    come_in(street, page)
    told = page.context.request.get(f"{street.url}{page.locator('link[rel=manifest]').get_attribute('href')}").json()

    assert (told["short_name"], told["display"], told["start_url"]) == ("守望", "standalone", "/")
    for icon in told["icons"]:
        drawn = page.context.request.get(street.url + icon["src"])
        assert drawn.ok
        if icon["type"] == "image/png":
            width = int.from_bytes(drawn.body()[16:20], "big")
            assert icon["sizes"] == f"{width}x{width}"


def test_a_push_on_the_lock_screen(street: Neighbourhood, page: Page, album: Album):
    page.context.grant_permissions(["notifications"], origin=street.url)
    come_in(street, page)
    page.goto(f"{street.url}/device")
    expect(page.get_by_role("button", name="在本机通知我")).to_be_visible()
    keys = {
        "p256dh": base64.urlsafe_b64encode(b"\x04" + b"p" * 64).decode(),
        "auth": base64.urlsafe_b64encode(b"a" * 16).decode(),
    }
    given = {"endpoint": "https://push.example.org/one", "keys": keys}
    page.evaluate(f"PushManager.prototype.subscribe = async () => ({json.dumps(given)})")
    page.get_by_role("button", name="在本机通知我").click()
    expect(page.locator("main")).to_contain_text("本浏览器会收到通知")
    album.keep("worker-9-device")
    fits(page)
    worker = street.registry.person("worker")
    assert worker is not None and worker.reaches[-1].channel == "web_push"

    # What the push service hands over, the worker shows: as the browser would, over its debugger.
    workers: list[str] = []
    line = page.context.new_cdp_session(page)
    line.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: workers.extend(r["registrationId"] for r in told["registrations"]),
    )
    line.send("ServiceWorker.enable")
    page.wait_for_timeout(300)
    said = {
        "id": "h1/sos/x/0/worker",
        "title": "【紧急】紧急呼叫 · 户号 A-1201",
        "body": "请接单",
        "link": f"{street.url}/a/x",
    }
    line.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": street.url, "registrationId": workers[0], "data": json.dumps(said)},
    )
    shown = page.evaluate("""async () => {
        const worker = await navigator.serviceWorker.ready;
        for (let tries = 0; tries < 100; tries++) {
            const [told] = await worker.getNotifications();
            if (told) return [told.title, told.tag, told.data.link];
            await new Promise((go) => setTimeout(go, 100));
        }
    }""")
    assert shown == [said["title"], "h1/sos/x", said["link"]]

    page.get_by_role("button", name="不再通知本浏览器").click()
    expect(page.get_by_role("button", name="在本机通知我")).to_be_visible()
