"""What is broken, what will be soon, where to drive: the installer's board, coverage, and alerts about equipment."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pages_house import EVENING, Rig, hidden

from dashboard import faults
from dashboard.faults import Spare, Urgency
from dashboard.printer import alert_url
from gateway.domain import Condition, Duty, Finding, Gap, Kind, Monitoring, Power, Role, Sensor, Severity, State
from gateway.ports import Batch

LONG_AGO = EVENING - timedelta(days=3)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.is_heard("h1", "h2", "h3")
    return rig


def is_so(rig: Rig, home: str = "h1", sensor: str = "m", **more: Any) -> None:
    """Supervision knows this of a device."""
    condition = Condition(home=home, sensor=f"{home}-{sensor}", heard=EVENING, **more)
    rig.readings.commit(Batch(conditions=[condition]))


def cannot_see(rig: Rig, what: str, sensor: str = "h1-m", why: str = "sensor_silent", home: str = "h1") -> Gap:
    gap = Gap(home=home, what=what, why=why, since=LONG_AGO, room="kitchen" if sensor else "", sensor=sensor)
    before = rig.readings.gaps(home).get(home, ())
    rig.readings.commit(Batch(gaps={home: (*before, gap)}))
    return gap


def found(rig: Rig) -> list[faults.Fault]:
    return faults.faults(rig.registry.homes(), rig.alerts.alerts(unclosed=True), rig.readings, rig.clock.now())


def with_model(rig: Rig, model: str, power: Power = Power.BATTERY, home: str = "h1") -> None:
    known = rig.registry.home(home)
    sensors = tuple(replace(s, model=model, power=power) for s in known.sensors)
    rig.rename(home, sensors=sensors)


# --------------------------------------------------------------------------- what is on the board


def test_where_nothing_is_wrong_the_board_says_so(rig):
    assert found(rig) == []
    assert "没有故障" in rig.signed_in("zhao", Duty.INSTALLER).get("/board").text


def test_what_blinds_a_grave_alert_stands_first(rig):
    is_so(rig, "h2", faults=("link_weak",))
    is_so(rig, "h1", battery=15)
    is_so(rig, "h3", faults=("stuck",))
    is_so(rig, "h1", "d", faults=("offline",))
    cannot_see(rig, "not_returned", "h1-d")

    assert [(f.home.id, f.urgency) for f in found(rig)] == [
        ("h1", Urgency.LIFE),
        ("h3", Urgency.FAULT),
        ("h1", Urgency.BATTERY),
        ("h2", Urgency.HINT),
    ]


def test_a_home_that_is_not_heard_is_one_line_and_not_one_for_each_sensor(rig):
    for what in ("fall", "inactivity"):
        cannot_see(rig, what, why="hub_silent")
    rig.clock.go_on(minutes=5)
    rig.is_heard("h2", "h3")

    (fault,) = found(rig)
    assert (fault.urgency, fault.sensor, fault.bring) == (Urgency.LIFE, None, ((Spare.HUB, ""),))
    page = text_of(rig.signed_in("zhao", Duty.INSTALLER).get("/board").text)
    assert "自 22:38 起收不到这户的信号" in page and "备用网关" in page


@pytest.mark.parametrize("state", [Monitoring.REGISTERED, Monitoring.PAUSED, Monitoring.RETIRED])
def test_homes_that_are_not_in_service_are_not_on_it(rig, state):
    is_so(rig, faults=("offline",))
    rig.rename("h1", state=state)

    assert found(rig) == []


@pytest.mark.parametrize(("days", "is_due"), [(59, True), (61, False)], ids=["within two months", "later"])
def test_batteries_come_by_their_forecast(rig, days, is_due):
    is_so(rig, battery=55, empty_at=EVENING + timedelta(days=days))

    assert [f.urgency for f in found(rig)] == ([Urgency.BATTERY] if is_due else [])


def test_what_is_on_the_mains_has_no_battery_to_bring(rig):
    with_model(rig, "SNZB-03P", Power.MAINS)
    is_so(rig, battery=5, empty_at=EVENING)

    assert found(rig) == []


@pytest.mark.parametrize(
    ("model", "condition", "bring"),
    [
        ("SNZB-03P", {"battery": 8.0, "faults": ("battery_low",)}, ((Spare.CELL, "CR2477"),)),
        ("no-such-model", {"battery": 8.0}, ((Spare.CELL, ""),)),
        ("SNZB-03P", {"faults": ("offline",)}, ((Spare.CELL, "CR2477"), (Spare.DEVICE, "SNZB-03P"))),
        ("SNZB-03P", {"faults": ("link_weak",)}, ((Spare.REPEATER, ""),)),
    ],
)
def test_what_to_bring(rig, model, condition, bring):
    with_model(rig, model)
    is_so(rig, **condition)

    (fault,) = found(rig)
    assert fault.bring == bring


def test_an_alert_about_equipment_is_a_line_with_the_way_to_it(rig):
    alert = rig.press("h1", Severity.TECHNICAL, "detector_failed")

    (fault,) = found(rig)
    assert (fault.urgency, fault.alerts) == (Urgency.FAULT, (alert,))
    assert alert_url(alert.id) in rig.signed_in("zhao", Duty.INSTALLER).get("/board").text


def test_an_emergency_is_not_on_the_board(rig):
    rig.press("h1")

    assert found(rig) == []


def test_what_was_never_there_is_missing_and_said_once_a_home(rig):
    cannot_see(rig, "sos", "", "sensor_missing")
    cannot_see(rig, "smoke", "", "sensor_missing")

    (fault,) = found(rig)
    assert (fault.urgency, fault.bring, len(fault.gaps)) == (Urgency.HINT, ((Spare.MISSING, ""),), 2)


def test_homes_whose_learning_period_is_over_wait_for_a_decision(rig):
    rig.rename("h1", state=Monitoring.TRIAL, trial_until=EVENING - timedelta(minutes=1))
    rig.rename("h2", state=Monitoring.TRIAL, trial_until=EVENING + timedelta(days=1))

    page = text_of(rig.signed_in("zhao", Duty.INSTALLER).get("/board").text)
    assert "学习期已满" in page and "王奶奶" in page and "李爷爷" not in page


@pytest.mark.parametrize("duty", [Duty.INSTALLER, Duty.SUPERVISOR, Duty.ADMIN])
def test_whoever_has_looked_at_it_says_on_the_board_that_it_is_guarded(rig, duty):
    rig.rename("h1", state=Monitoring.TRIAL, trial_until=EVENING - timedelta(minutes=1))
    rig.rename("h2", state=Monitoring.TRIAL, trial_until=EVENING + timedelta(days=1))
    browser = rig.signed_in("zhao", duty)
    csrf = hidden(browser.get("/board").text, "csrf")

    for _ in range(2):  # pressed twice
        assert browser.post("/board/homes/h1/guard", data={"csrf": csrf}).headers["location"] == "/board"
    assert rig.registry.home("h1").state is Monitoring.GUARDED
    assert "学习期已满" not in text_of(browser.get("/board").text)

    assert browser.post("/board/homes/h2/guard", data={"csrf": csrf}).status_code == 422  # it still learns
    assert browser.post("/board/homes/h1/guard", data={}).status_code in (403, 422)
    assert rig.registry.home("h2").state is Monitoring.TRIAL


def test_the_page_of_a_home_asks_it_too_once_it_has_learnt(rig):
    rig.rename("h1", state=Monitoring.TRIAL, trial_until=EVENING + timedelta(days=9))
    browser = rig.signed_in("zhao", Duty.INSTALLER)
    assert "/board/homes/h1/guard" not in browser.get("/install/h1").text

    rig.clock.go_on(days=9)

    page = browser.get("/install/h1").text
    assert "/board/homes/h1/guard" in page
    assert "学习期到" not in text_of(page)


def test_nobody_guards_a_home_of_another_grid(rig):
    rig.rename("h1", state=Monitoring.TRIAL, trial_until=EVENING - timedelta(minutes=1))
    browser = rig.signed_in("far", Duty.SUPERVISOR, "g2")
    csrf = hidden(browser.get("/board").text, "csrf")

    assert browser.post("/board/homes/h1/guard", data={"csrf": csrf}).status_code == 404
    assert rig.registry.home("h1").state is Monitoring.TRIAL


# --------------------------------------------------------------------------- who sees it


@pytest.mark.parametrize(
    ("duty", "status"),
    [(Duty.INSTALLER, 200), (Duty.SUPERVISOR, 200), (Duty.ADMIN, 200), (Duty.GRID_WORKER, 403), (Duty.FAMILY, 403)],
)
@pytest.mark.parametrize("path", ["/board", "/board/route"])
def test_who_may_look(rig, duty, status, path):
    assert rig.signed_in("x", duty).get(path).status_code == status


def test_of_another_grid_nothing_is_seen(rig):
    for home in ("h1", "h3"):
        is_so(rig, home, faults=("offline",))

    page = rig.signed_in("zhao", Duty.INSTALLER, "g2").get("/board").text
    assert "A-3" in page and "A-1" not in page


# --------------------------------------------------------------------------- the round


def test_the_round_goes_by_grid_and_address_and_says_what_to_put_into_the_bag(rig):
    with_model(rig, "SNZB-03P")
    rig.rename("h1", address="东风路 9 号")
    rig.rename("h2", address="东风路 1 号")
    is_so(rig, "h1", battery=9)
    is_so(rig, "h1", "d", battery=9)
    is_so(rig, "h2", faults=("offline",))
    is_so(rig, "h3", faults=("mute",))
    is_so(rig, "h2", "d", faults=("link_weak",))

    stops = [(grid, [stop.home.id for stop in stops]) for grid, stops in faults.route(found(rig))]
    assert stops == [("g1", ["h2", "h1"]), ("g2", ["h3"])]
    page = text_of(rig.signed_in("zhao", Duty.INSTALLER).get("/board/route").text)
    assert "电池 CR2477 × 2" in page and "钥匙在门卫处" in page
    assert page.index("东风路 1 号") < page.index("东风路 9 号")
    assert "中继插座" not in page  # that can wait
    assert "中继插座" in rig.signed_in("zhao", Duty.INSTALLER).get("/board/route?all=1").text


# --------------------------------------------------------------------------- alerts for installers


def test_an_installer_deals_with_alerts_about_the_equipment(rig):
    alert = rig.press("h1", Severity.TECHNICAL, "detector_failed")
    rig.hear("h1")
    browser = rig.signed_in("zhao", Duty.INSTALLER, "g1")
    page = browser.get(alert_url(alert.id))

    assert page.status_code == 200 and "最近有动静" not in page.text and "/homes/h1" not in page.text
    csrf = hidden(page.text, "csrf")
    browser.post(f"{alert_url(alert.id)}/accept", data={"csrf": csrf})
    browser.post(f"{alert_url(alert.id)}/resolve", data={"csrf": csrf, "outcome": "sensor-fault", "note": "换了电池"})
    assert (rig.alert(alert.id).state, rig.alert(alert.id).owner) == (State.RESOLVED, "zhao")


def test_and_with_no_others(rig):
    calls = [rig.press("h1"), rig.press("h1", Severity.HIGH, "inactivity")]
    elsewhere = rig.press("h3", Severity.TECHNICAL, "detector_failed")
    browser = rig.signed_in("zhao", Duty.INSTALLER, "g1")
    csrf = hidden(browser.get("/board").text, "csrf")

    for alert in (*calls, elsewhere):
        assert browser.get(alert_url(alert.id)).status_code == 404
        assert browser.post(f"{alert_url(alert.id)}/accept", data={"csrf": csrf}).status_code == 404
        assert browser.get(f"/events?ref={alert.id}").status_code == 404
    assert browser.get("/events").status_code == 404
    assert browser.get("/homes/h1").status_code == 403


def test_why_a_message_was_not_sent_is_said_in_the_readers_language(rig):
    now = rig.clock.now()
    (verdict,) = rig.desk.take([Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=now, at=now)], now)
    (delivery,) = rig.alerts.outbox(now)
    rig.desk.gave_up(delivery.id, "there is no such channel: sms", now)

    page = rig.signed_in().get(alert_url(verdict.alert.id)).text
    assert "没有这个渠道" in page and "there is no such channel" not in page


# --------------------------------------------------------------------------- coverage and the learning period


def test_a_home_says_what_cannot_be_noticed_in_it(rig):
    rig.hear("h1")
    rig.hear("h2")
    cannot_see(rig, "fall")
    browser = rig.signed_in()

    assert "无法发现：跌倒" in text_of(browser.get("/").text)
    page = text_of(browser.get("/homes/h1").text)
    assert "这里看不到的情况" in page and "厨房" in page
    assert "能看到的情况" in text_of(browser.get("/homes/h2").text)


def test_what_nobody_has_installed_is_no_blind_spot_of_today(rig):
    rig.hear("h1")
    cannot_see(rig, "smoke", "", "sensor_missing")
    browser = rig.signed_in()

    assert "无法发现" not in text_of(browser.get("/").text)
    assert "is-blind" not in browser.get("/homes/h1").text
    assert browser.get("/api/v1/homes/h1/coverage").json()["blind"] is False


def test_a_paused_home_says_first_that_it_is_paused_why_and_until_when(rig):
    now = rig.clock.now()
    rig.hear("h1")
    rig.registrar.set_state("h1", Monitoring.PAUSED, why="住院", until=now + timedelta(days=5), who="ma", now=now)
    browser = rig.signed_in()

    shown = text_of(browser.get("/homes/h1").text)
    told = browser.get("/api/v1/homes/h1/coverage").json()

    assert "暂停至 11-26 22:38：住院" in shown
    assert "这户已暂停守护：没有动静、设备故障都不叫人，求助照样叫人。" in shown
    assert told["state"] == "paused" and told["statement"]["en"].startswith("This home is paused")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Monitoring.REGISTERED, "being installed"),
        (Monitoring.RETIRED, "not watched any more"),
        (Monitoring.TRIAL, "Everything registered can be seen"),
    ],
)
def test_the_coverage_says_how_the_home_stands(rig, state, words):
    rig.hear("h1")
    rig.rename("h1", state=state)

    told = rig.signed_in().get("/api/v1/homes/h1/coverage").json()

    assert words in told["statement"]["en"].partition(".")[0]


def test_what_is_held_back_says_what_it_waits_for(rig):
    browser = rig.signed_in()
    for state, words in ((Monitoring.PAUSED, "暂停结束前不叫人"), (Monitoring.REGISTERED, "开始守护前不叫人")):
        rig.clock.go_on(minutes=1)
        now = rig.clock.now()
        if state is Monitoring.PAUSED:
            rig.registrar.set_state("h1", state, why="住院", who="ma", now=now)
        else:
            rig.rename("h2", state=state)
        home = "h1" if state is Monitoring.PAUSED else "h2"
        found = Finding(home=home, code="home_silent", severity=Severity.TECHNICAL, since=now, at=now)
        (verdict,) = rig.desk.take([found], now)
        page = text_of(browser.get(alert_url(verdict.alert.id)).text)
        assert words in page
        assert rig.alerts.outbox(now) == []


def test_other_programs_may_ask_for_the_coverage(rig):
    gap = cannot_see(rig, "fall")
    answer = rig.signed_in().get("/api/v1/homes/h1/coverage")

    told = answer.json()
    assert not told["complete"] and told["blind"]
    assert "跌倒" in told["statement"]["zh"] and "all" in told["statement"]["en"]
    assert told["gaps"] == [
        {
            "what": "fall",
            "why": "sensor_silent",
            "since": gap.since.isoformat(),
            "room": "kitchen",
            "sensor": "h1-m",
        }
    ]


def test_and_for_how_the_devices_are(rig):
    is_so(rig, battery=41.0, link=88.0, functions=((Kind.MOTION, LONG_AGO),))

    motion, door = rig.signed_in().get("/api/v1/homes/h1/devices").json()["devices"]
    assert (motion["sensor"], motion["battery"], motion["link"]) == ("h1-m", 41.0, 88.0)
    assert motion["functions"] == {"motion": LONG_AGO.isoformat()}
    assert (door["heard"], door["faults"]) == (None, [])
    # When somebody last moved is no business of whoever changes the battery.
    told = rig.signed_in("zhao", Duty.INSTALLER).get("/api/v1/homes/h1/devices").json()["devices"]
    assert all("functions" not in one for one in told)


@pytest.mark.parametrize("what", ["coverage", "devices"])
def test_nobody_else_is_told_anything(rig, what):
    path = f"/api/v1/homes/h1/{what}"

    assert rig.browser().get(path).status_code == 401
    assert rig.signed_in("far", Duty.SUPERVISOR, "g2").get(path).status_code == 404
    assert rig.signed_in("x", Duty.FAMILY).get(path).status_code == 403
    assert rig.signed_in("ma").get(f"/api/v1/homes/nowhere/{what}").status_code == 404


def test_the_learning_period_is_said_wherever_the_home_is_shown(rig):
    rig.hear("h1")
    rig.rename("h1", state=Monitoring.TRIAL, trial_until=EVENING + timedelta(days=9))
    alert = rig.press("h1")
    rig.desk.accept(alert.id, "ma", rig.clock.now())
    browser = rig.signed_in()

    for path in ("/", "/homes/h1", alert_url(alert.id)):
        assert "学习期到 11-30" in text_of(browser.get(path).text), path

    assert "学习期到 11-30" in text_of(rig.signed_in("zhao", Duty.INSTALLER).get("/install").text)

    rig.clock.go_on(days=9)
    assert "学习期到" not in browser.get("/homes/h1").text


def test_work_in_a_home_is_said_where_the_home_is_shown(rig):
    rig.hear("h1")
    rig.house.registrar.maintain("h1", EVENING + timedelta(hours=1), ["h1-m"], why="安装", who="zhao", now=EVENING)
    alert = rig.press("h1", Severity.TECHNICAL, "detector_failed")
    browser = rig.signed_in()

    assert "入户作业中，到 23:38" in text_of(browser.get("/").text)
    assert "正在入户作业，到 23:38" in text_of(browser.get("/homes/h1").text)
    page = text_of(browser.get(alert_url(alert.id)).text)
    assert "作业结束前不通知任何人" in page and "若无人接单" not in page


def test_a_new_sensor_has_a_line_of_its_own_with_its_room(rig):
    home = rig.registry.home("h1")
    mat = Sensor(id="h1-b", hub="hub-1", address="b", name="床垫", room="bedroom", role=Role.BED)
    rig.rename("h1", sensors=(*home.sensors, mat))
    is_so(rig, "h1", "b", faults=("mute",))

    page = text_of(rig.signed_in("zhao", Duty.INSTALLER).get("/board").text)
    assert "床垫 · 卧室" in page
