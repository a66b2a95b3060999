"""What the pages show, to whom, and what their buttons do."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from pages_house import BASE, EVENING, Rig, hidden

from dashboard import views
from dashboard.links import LINK_LIFE, Links
from dashboard.printer import STATIC, alert_url
from dashboard.views import Stand
from dashboard.words import Tongue, choose_language
from gateway.domain import Duty, Finding, Kind, Monitoring, Outcome, Override, Reading, Severity, State
from gateway.ports import Batch, Quarantined

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.is_heard("h1", "h2", "h3")
    return rig


def stands(rig: Rig) -> dict[str, Stand]:
    view = views.overview(
        rig.registry.homes(), rig.alerts, rig.readings, rig.registry, rig.clock.now(), views.Lives(rig.readings)
    )
    return {line.home.id: line.stand for line in view.lines}


def text_of(page: str) -> str:
    """What a reader sees, roughly."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# --------------------------------------------------------------------------- how a home stands


def test_a_home_with_recent_life_is_in_order(rig):
    rig.hear("h1", minutes_ago=12)

    assert stands(rig)["h1"] is Stand.WELL
    assert "12 分钟前 · 厨房" in text_of(rig.signed_in().get("/").text)


def test_a_home_that_is_not_heard_is_not_seen_whatever_it_said_before(rig):
    rig.hear("h1", minutes_ago=12)
    rig.clock.go_on(minutes=3, seconds=1)  # three intervals of its hub

    assert stands(rig)["h1"] is Stand.BLIND
    page = text_of(rig.signed_in().get("/").text)
    assert "看不见 · 自 22:38" in page and "无活动" not in page


def test_a_home_that_promised_nothing_is_never_unseen(rig):
    home = rig.registry.home("h1")
    rig.rename("h1", hubs=(replace(home.hubs[0], interval=None),))
    rig.hear("h1")
    rig.clock.go_on(days=2)

    assert stands(rig)["h1"] is Stand.WELL


def test_the_front_door_and_then_nothing_inside_is_out(rig):
    rig.hear("h1", minutes_ago=40)
    rig.hear("h1", Kind.DOOR, 1.0, minutes_ago=39)
    rig.hear("h1", Kind.DOOR, 0.0, minutes_ago=38.5)
    rig.hear("h1", Kind.MOTION, 0.0, minutes_ago=37)  # the sensor in the hall clears
    rig.is_heard("h1")

    assert stands(rig)["h1"] is Stand.AWAY
    assert "外出 · 自 21:59" in text_of(rig.signed_in().get("/").text)

    rig.hear("h1", minutes_ago=1)
    assert stands(rig)["h1"] is Stand.AWAY  # one lone pulse in an empty home is heat, sun or a mouse

    rig.hear("h1")
    assert stands(rig)["h1"] is Stand.WELL


def test_a_declared_absence_is_out(rig):
    rig.hear("h1")
    with rig.registry.begin() as ledger:
        since = rig.clock.now() - timedelta(days=1)
        ledger.put_override(
            Override(home="h1", key="absence", value="", since=since, until=None, author="ma", reason="探亲")
        )

    assert stands(rig)["h1"] is Stand.AWAY


def test_a_paused_home_says_so(rig):
    rig.rename("h1", state=Monitoring.PAUSED)

    assert stands(rig)["h1"] is Stand.PAUSED


def test_worst_first(rig):
    rig.hear("h2")
    rig.press("h3", Severity.HIGH, "inactivity")
    rig.press("h1")

    view = views.overview(
        rig.registry.homes(), rig.alerts, rig.readings, rig.registry, rig.clock.now(), views.Lives(rig.readings)
    )

    assert [line.home.id for line in view.lines] == ["h1", "h3", "h2"]
    assert [home.id for _, home in view.ringing] == ["h1", "h3"]
    assert [line.home.id for line in view.quiet] == ["h2"]


def test_equipment_does_not_ring_large(rig):
    rig.press("h1", Severity.TECHNICAL, "detector_failed")

    view = views.overview(
        rig.registry.homes(), rig.alerts, rig.readings, rig.registry, rig.clock.now(), views.Lives(rig.readings)
    )

    assert view.ringing == ()
    assert stands(rig)["h1"] is Stand.CARE


def test_what_waits_to_be_filed_does_not_hide_how_the_home_stands(rig):
    alert = rig.press("h1")
    rig.desk.resolve(alert.id, "ma", Outcome.ACCIDENTAL_PRESS, "", rig.clock.now())
    rig.hear("h1")

    assert stands(rig)["h1"] is Stand.WELL
    assert "待归档 1" in text_of(rig.signed_in().get("/").text)


def test_a_retired_home_is_shown_only_while_something_is_open(rig):
    alert = rig.press("h1")
    rig.rename("h1", state=Monitoring.RETIRED)
    assert "h1" in stands(rig)

    rig.desk.resolve(alert.id, "ma", Outcome.ELDER_SAFE, "", rig.clock.now())
    assert "h1" not in stands(rig)


# --------------------------------------------------------------------------- a day


def test_a_day_on_a_ribbon(rig):
    home = rig.registry.home("h1")
    start = EVENING - timedelta(hours=24)

    def at(hours: float, kind: Kind, value: float = 1.0, room: str = "kitchen") -> Reading:
        moment = start + timedelta(hours=hours)
        return Reading("h1", "h1-m", room, kind, value, moment, moment)

    readings = [
        at(1, Kind.MOTION),
        at(1.1, Kind.MOTION),
        at(1.2, Kind.MOTION, 0.0),
        at(2, Kind.DOOR, room=""),
        at(6, Kind.RETURNED, 2 * 3600, room=""),
        at(7, Kind.SOS, room="bedroom"),
        at(23, Kind.BED, room="bedroom"),
    ]
    day = views.ribbon(home, readings, None, start, EVENING, EVENING)

    kitchen, bedroom, door = day.rows
    hole = views.Block(240.0, 120.0, "hole")
    assert kitchen.blocks == (hole, views.Block(60.0, views.THINNEST, "life"))
    assert bedroom.blocks == (hole, views.Block(420.0, views.THINNEST, "danger"), views.Block(1380.0, 60.0, "life"))
    assert door.is_door and door.blocks == (hole, views.Block(120.0, views.THINNEST, "door"))
    assert [mark.label for mark in day.marks] == ["00", "03", "06", "09", "12", "15", "18", "21"]


def test_movement_in_one_room_is_one_stay_until_a_quarter_of_an_hour_passes():
    def pulse(minute: int) -> Reading:
        at = EVENING + timedelta(minutes=minute)
        return Reading("h1", "m", "kitchen", Kind.MOTION, 1.0, at, at)

    told = views.stays([pulse(0), pulse(10), pulse(20), pulse(36)])

    assert [(stay.count, stay.end - stay.start) for stay in told] == [
        (3, timedelta(minutes=20)),
        (1, timedelta(0)),
    ]


def test_the_day_is_told_in_words_with_what_could_not_be_seen(rig):
    rig.hear("h1", minutes_ago=70)
    rig.hear("h1", minutes_ago=60)
    rig.hear("h1", Kind.RETURNED, 1200, minutes_ago=20)
    rig.hear("h1", Kind.DOOR, minutes_ago=5)

    page = text_of(rig.signed_in().get("/homes/h1").text)

    assert "22:33 大门打开" in page
    assert "21:58 到 22:18 为止看不见" in page
    assert "21:28 厨房：有动静，到 21:38" in page


@pytest.mark.parametrize(
    ("day", "title"),
    [("2026-11-20", "2026-11-20"), ("2026-11-22", "最近 24 小时"), ("nonsense", "最近 24 小时"), ("", "最近 24 小时")],
)
def test_any_day_can_be_looked_at(rig, day, title):
    assert title in rig.signed_in().get("/homes/h1", params={"day": day}).text


def test_a_day_with_25_hours_is_drawn_whole(rig):
    berlin = ZoneInfo("Europe/Berlin")
    home = replace(rig.registry.home("h1"), zone=berlin)
    start = datetime(2026, 10, 25, tzinfo=berlin).astimezone(UTC)
    end = datetime(2026, 10, 26, tzinfo=berlin).astimezone(UTC)

    day = views.ribbon(home, [], None, start, end, end)

    assert day.minutes == 25 * 60
    assert [mark.label for mark in day.marks] == ["00", "03", "06", "09", "12", "15", "18", "21", "00"]


def test_sensors_are_listed_the_longest_silent_first(rig):
    rig.hear("h1", minutes_ago=3)
    rig.hear("h1", Kind.BATTERY, 41)

    lines = views.sensor_lines(
        rig.registry.home("h1"), rig.readings.readings("h1", EVENING - timedelta(1), EVENING + timedelta(1))
    )

    assert [(line.sensor.id, line.battery) for line in lines] == [("h1-d", None), ("h1-m", 41)]
    assert "一周没有信号" in rig.signed_in().get("/homes/h1").text


# --------------------------------------------------------------------------- an alert


def test_an_alert_says_why_who_was_told_and_what_comes_next(rig):
    now = rig.clock.now()
    facts = (
        ("last_room", "kitchen"),
        ("elapsed_s", "11520"),
        ("usual_s", "5400"),
        ("limit_s", "10800"),
        ("rule", "day"),
    )
    found = Finding(
        home="h1", code="inactivity", severity=Severity.HIGH, since=now - timedelta(hours=3.2), at=now, facts=facts
    )
    (verdict,) = rig.desk.take([found], now)
    (delivery,) = rig.alerts.outbox(now)
    rig.desk.said(delivery.id, now)

    page = text_of(rig.signed_in().get(alert_url(verdict.alert.id)).text)

    assert "3 小时 12 分没有动静（最后：厨房 19:26）。 平时最长 1 小时 30 分。" in page
    assert "若无人接单，22:48 通知副手 · 何副手 还有 10 分钟" in page
    assert "刘网格员 网格员 通知接单 · 已发 22:38" in page
    assert "东风路 3 号" in page and "钥匙在门卫处" in page


def test_accept_resolve_file(rig):
    alert = rig.press()
    browser = rig.signed_in("ma")
    page = alert_url(alert.id)
    csrf = hidden(browser.get(page).text, "csrf")

    assert browser.post(f"{page}/accept", data={"csrf": csrf}).headers["location"] == page
    assert (rig.alert(alert.id).state, rig.alert(alert.id).owner) == (State.ACCEPTED, "ma")
    assert "您已接单" in browser.get(page).text

    answer = browser.post(f"{page}/resolve", data={"csrf": csrf, "outcome": "accidental-press", "note": "洗澡时碰到了"})
    assert answer.headers["location"] == page
    done = rig.alert(alert.id)
    assert (done.state, done.outcome, done.note) == (State.RESOLVED, Outcome.ACCIDENTAL_PRESS, "洗澡时碰到了")

    browser.post(f"{page}/close", data={"csrf": csrf})
    assert rig.alert(alert.id).state is State.CLOSED
    assert "误触" in browser.get(page).text


@pytest.mark.parametrize("outcome", ["", "nothing-of-the-kind"])
def test_without_an_outcome_it_stays_open_and_the_note_is_kept(rig, outcome):
    alert = rig.press()
    browser = rig.signed_in("ma")
    csrf = hidden(browser.get("/").text, "csrf")
    browser.post(f"{alert_url(alert.id)}/accept", data={"csrf": csrf, "back": "/"})

    answer = browser.post(f"{alert_url(alert.id)}/resolve", data={"csrf": csrf, "outcome": outcome, "note": "已敲门"})

    assert 'role="alert"' in answer.text and "已敲门</textarea>" in answer.text
    assert rig.alert(alert.id).state is State.ACCEPTED


def test_a_home_that_rings_and_is_not_heard_is_not_in_order(rig):
    rig.clock.go_on(hours=5)
    rig.press("h1")

    page = rig.signed_in().get("/homes/h1").text

    assert "没有盲区" not in page and "收不到这户的任何信号" in page


def test_who_comes_second_is_told_who_has_it(rig):
    alert = rig.press()
    rig.desk.accept(alert.id, "liu", rig.clock.now(), "link")
    browser = rig.signed_in("he", Duty.DEPUTY)
    csrf = hidden(browser.get(alert_url(alert.id)).text, "csrf")

    answer = browser.post(f"{alert_url(alert.id)}/accept", data={"csrf": csrf})

    assert "刘网格员" in answer.text and rig.alert(alert.id).owner == "liu"


def test_only_who_has_it_or_who_leads_finishes_it(rig):
    alert = rig.press()
    rig.desk.accept(alert.id, "liu", rig.clock.now(), "link")

    for login, duty, finishes in (("he", Duty.DEPUTY, False), ("ma", Duty.SUPERVISOR, True)):
        browser = rig.signed_in(login, duty)
        page = browser.get(alert_url(alert.id)).text
        assert ('id="settle"' in page) is finishes
        data = {"csrf": hidden(page, "csrf"), "outcome": "elder-safe-no-cause"}
        browser.post(f"{alert_url(alert.id)}/resolve", data=data)
        assert (rig.alert(alert.id).state is State.RESOLVED) is finishes


def test_the_next_step_passes_over_a_rung_with_nobody_on_it(rig):
    alert = rig.press("h3")  # its grid has nobody on duty at all
    home = rig.registry.home("h3")

    step = views.next_step(alert, home, rig.registry)

    assert step is not None and step.people == () and step.duty is alert.ladder.rungs[alert.rung].duty


# --------------------------------------------------------------------------- one-tap links


def test_looking_at_a_link_does_nothing_however_often(rig):
    alert = rig.press()
    path = f"/a/{rig.links.token(alert.id, 'liu')}"

    for agent in ("MicroMessenger", "Slackbot-LinkExpanding 1.0", "curl/8"):
        for verb in ("GET", "HEAD"):
            rig.browser(headers={"user-agent": agent}).request(verb, path)
    page = rig.browser().get(path)

    assert rig.alert(alert.id).is_ringing
    assert page.status_code == 200 and "王奶奶" in page.text and "我来接单" in page.text


def test_the_button_behind_a_link_accepts_in_that_persons_name(rig):
    alert = rig.press()
    path = f"/a/{rig.links.token(alert.id, 'liu')}"
    browser = rig.browser()

    assert browser.post(f"{path}/accept", data={"csrf": ""}).headers["location"] == path
    assert rig.alert(alert.id).owner == "liu"
    assert rig.alerts.history(alert.id)[-1].facts == (("how", "link"),)

    browser.post(f"{path}/resolve", data={"outcome": "assistance-given"})
    assert rig.alert(alert.id).state is State.RESOLVED


def test_another_persons_link_shows_who_has_it_and_finishes_nothing(rig):
    alert = rig.press()
    rig.desk.accept(alert.id, "liu", rig.clock.now(), "link")
    path = f"/a/{rig.links.token(alert.id, 'he')}"
    browser = rig.browser()

    assert "刘网格员已接单" in browser.get(path).text
    answer = browser.post(f"{path}/resolve", data={"outcome": "duplicate"})
    assert "刘网格员" in answer.text and rig.alert(alert.id).state is State.ACCEPTED


def test_a_link_opens_its_own_alert_and_nothing_else(rig):
    alert = rig.press()
    browser = rig.browser()
    browser.get(f"/a/{rig.links.token(alert.id, 'liu')}")

    for path in ("/", "/homes/h1", alert_url(alert.id), "/events"):
        assert browser.get(path).status_code in (303, 401)


def test_a_link_that_is_old_changed_or_invented_opens_nothing(rig):
    alert = rig.press()
    token = rig.links.token(alert.id, "liu")
    strange = Links(b"another secret, also 32 bytes...", BASE, rig.clock).token(alert.id, "liu")

    assert rig.links.read(token).person == "liu"
    for wrong in (token[:-2] + "xx", "liu." + token, strange, "", "a.b.c"):
        assert rig.links.read(wrong) is None
        assert rig.browser().get(f"/a/{wrong or 'x'}").status_code == 410

    rig.clock.at += LINK_LIFE
    assert rig.browser().get(f"/a/{token}").status_code == 410


# --------------------------------------------------------------------------- whose homes


def test_a_grid_sees_its_own_homes_only(rig):
    for home in ("h1", "h2", "h3"):
        rig.hear(home)
    foreign = rig.press("h3")
    browser = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    assert "王奶奶" in browser.get("/").text and "赵奶奶" not in browser.get("/").text
    csrf = hidden(browser.get("/").text, "csrf")
    for answer in (
        browser.get("/homes/h3"),
        browser.get(alert_url(foreign.id)),
        *(
            browser.post(f"{alert_url(foreign.id)}/{act}", data={"csrf": csrf, "outcome": "duplicate"})
            for act in ("accept", "resolve", "close")
        ),
    ):
        assert answer.status_code == 404 and "赵奶奶" not in answer.text
    assert browser.get("/homes/nowhere").text == browser.get("/homes/h3").text
    assert rig.alert(foreign.id).is_ringing


def test_only_the_administrator_sees_what_could_not_be_read(rig):
    kept = Quarantined(
        topic=f"shouwang/{SCRIPT}", reason="bad-json", at=EVENING, size=9, head=SCRIPT.encode() + b"\xff", count=2
    )
    rig.readings.commit(Batch(quarantined=[kept]))

    page = rig.signed_in("chief", Duty.ADMIN).get("/quarantine").text

    assert "不是 JSON" in page and SCRIPT not in page
    assert rig.signed_in("ma").get("/quarantine").status_code == 403


# --------------------------------------------------------------------------- strangers' words


class Parts(HTMLParser):
    """Collects what a browser would run: scripts that are not ours, handlers, strange elements."""

    def __init__(self) -> None:
        super().__init__()
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        source = known.get("src") or known.get("href") or ""
        if tag in ("script", "img", "iframe") and not source.startswith("/static/"):
            self.strange.append(tag)
        if any(name.startswith("on") or name == "style" for name in known) or source.startswith("javascript:"):
            self.strange.append(f"{tag} {known}")


def strange_parts(page: str) -> list[str]:
    parts = Parts()
    parts.feed(page)
    return parts.strange


PAYLOADS = [SCRIPT, '"><img src=x onerror=alert(1)>', "' onmouseover='x", "{{7*7}}", "</textarea><svg onload=x>"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_people_write_becomes_a_part_of_the_page(rig, payload):
    home = rig.registry.home("h1")
    rig.rename(
        "h1",
        name=payload,
        code=payload,
        address=payload,
        access=payload,
        rooms=tuple(replace(room, name=payload) for room in home.rooms),
        sensors=tuple(replace(sensor, name=payload) for sensor in home.sensors),
    )
    with rig.registry.begin() as ledger:
        ledger.put_person(replace(rig.registry.person("liu"), name=payload), rig.clock.now())
    rig.hear("h1", minutes_ago=1)
    alert = rig.press("h1", Severity.HIGH, payload)
    rig.desk.accept(alert.id, "liu", rig.clock.now(), payload)
    browser = rig.signed_in("ma")
    csrf = hidden(browser.get("/").text, "csrf")
    pages = [
        browser.get("/").text,
        browser.get("/homes/h1").text,
        browser.get("/homes/h1", params={"day": payload}).text,
        browser.get(alert_url(alert.id)).text,
        rig.browser().get(f"/a/{rig.links.token(alert.id, 'liu')}").text,
        browser.post(f"{alert_url(alert.id)}/resolve", data={"csrf": csrf, "outcome": payload, "note": payload}).text,
        rig.browser().post(rig.setup_path(), data={"name": payload, "password": "x"}).text,
        rig.browser().get("/login", params={"next": "/" + payload}).text,
    ]
    for page in pages:
        assert strange_parts(page) == []
    assert payload in unescape(pages[0]) and payload in unescape(pages[3])


def test_every_answer_is_sealed(rig):
    alert = rig.press()
    browser = rig.signed_in("ma")
    answers = [
        browser.get("/"),
        browser.get("/nowhere"),
        browser.get("/healthz"),
        rig.browser().get("/login"),
        rig.browser().get(f"/a/{rig.links.token(alert.id, 'liu')}"),
        browser.get(f"/static/logo.svg?v={'0' * 12}"),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'self'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "strict-origin"
    assert {answer.headers["cache-control"] for answer in answers[:-1]} == {"no-store"}
    assert "immutable" in answers[-1].headers["cache-control"]


def test_no_page_holds_a_script_or_a_style_of_its_own(rig):
    alert = rig.press()
    rig.hear("h1")
    browser = rig.signed_in("ma")
    for path in ("/", "/homes/h1", alert_url(alert.id), "/login"):
        page = browser.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)


def test_a_form_that_is_too_large_is_refused(rig):
    path = rig.setup_path()

    assert rig.browser().post(path, content=b"name=" + b"x" * 100_000).status_code == 413


def test_nobody_gets_a_description_of_the_pages(rig):
    for path in ("/docs", "/redoc", "/openapi.json", "/static/", "/static/../app.py"):
        assert rig.browser().get(path).status_code == 404


# --------------------------------------------------------------------------- language


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "de,en;q=0.5", "en"),
        (None, "en;q=0.4,zh;q=0.9", "zh"),
        (None, "fr", "zh"),
        (None, "en;q=nonsense", "zh"),
        ("en", "zh-CN", "en"),
        ("xx", "zh-CN", "zh"),
    ],
)
def test_chinese_first_and_whatever_the_reader_chose(cookie, accepted, language):
    assert choose_language(cookie, accepted) == language


def test_the_switch_is_remembered(rig):
    browser = rig.signed_in()

    assert 'lang="zh-CN"' in browser.get("/").text
    assert browser.get("/language/en", params={"back": "/homes/h1"}).headers["location"] == "/homes/h1"
    assert '<html lang="en">' in browser.get("/").text


def test_moments_are_told_by_the_clock_of_the_home():
    shanghai = ZoneInfo("Asia/Shanghai")
    zh, en = Tongue("zh"), Tongue("en")

    assert zh.clock(EVENING, shanghai, EVENING) == "22:38"
    assert zh.clock(EVENING - timedelta(hours=23), shanghai, EVENING) == "昨天 23:38"
    assert en.clock(EVENING + timedelta(hours=2), shanghai, EVENING) == "tomorrow 00:38"
    assert zh.clock(EVENING - timedelta(days=9), shanghai, EVENING) == "11-12 22:38"
    assert en.clock(EVENING - timedelta(days=400), shanghai, EVENING) == "2025-10-17 22:38"
    assert (zh.ago(EVENING, EVENING), en.ago(EVENING - timedelta(minutes=65), EVENING)) == ("刚刚", "1 h 5 min ago")


# --------------------------------------------------------------------------- what is shipped


def test_vendored_files_are_what_the_manifest_says():
    vendor = STATIC / "vendor"
    manifest = json.loads((vendor / "manifest.json").read_text("utf-8"))

    licences = {name: part["licence"] for name, part in manifest.items()}
    assert licences == {"htmx.org": "BSD-0-Clause", "uplot": "MIT", "leaflet": "BSD-2-Clause"}
    assert manifest["htmx.org"]["version"].startswith("4.")
    files = {name: digest for part in manifest.values() for name, digest in part["files"].items()}
    assert {path.name for path in vendor.iterdir()} == {"manifest.json", *files}
    for name, digest in files.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest, f"{name}: run scripts/vendor"


def test_every_state_has_a_shape_of_its_own():
    sprite = ElementTree.parse(STATIC / "icons.svg")
    shapes = {s.get("id"): ElementTree.tostring(s) for s in sprite.iter("{http://www.w3.org/2000/svg}symbol")}

    assert {stand.name.lower() for stand in Stand} <= shapes.keys()
    assert len({shape.split(b">", 1)[1] for shape in shapes.values()}) == len(shapes)


def test_the_demo_buttons_exist_in_the_demo_only(rig):
    pressed: list[str] = []
    demo = Rig(more={"demo": True, "demo_press": pressed.append})
    demo.is_heard("h1", "h2", "h3")
    browser = demo.signed_in("ma")
    csrf = hidden(browser.get("/").text, "csrf")

    assert browser.post("/demo/press", data={"csrf": csrf, "home": "h2"}).status_code == 200
    assert pressed == ["h2"]
    assert browser.post("/demo/kill", data={"csrf": csrf}).status_code == 404
    assert rig.signed_in("ma").post("/demo/press", data={"home": "h2"}).status_code in (404, 405)
    assert "kill -9" not in rig.signed_in("ma").get("/").text


def test_that_a_danger_is_over_is_told_only_after_it_was_there():
    def said(minute: int, value: float, kind: Kind = Kind.SMOKE) -> Reading:
        at = EVENING + timedelta(minutes=minute)
        return Reading("h1", "s", "kitchen", kind, value, at, at)

    told = views.stays([said(0, 0.0), said(1, 0.0, Kind.TAMPER), said(5, 1.0), said(9, 0.0), said(12, 0.0)])

    assert [(stay.kind, stay.value) for stay in told] == [(Kind.SMOKE, 1.0), (Kind.SMOKE, 0.0)]
