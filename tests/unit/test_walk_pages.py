"""The installer's last quarter of an hour: every device tried, the resident asked, the record kept."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pages_house import EVENING, Rig, hidden

from alerts.maintenance import TEST
from dashboard import proof
from dashboard.proof import Doubt
from dashboard.walk import SIGNATURE
from gateway.domain import (
    Duty,
    Finding,
    Kind,
    Monitoring,
    Outcome,
    Person,
    Reach,
    Reading,
    Role,
    Sensor,
    Severity,
    State,
)
from gateway.ports import Batch

WALK = "/install/h1/walk"
DRAWN = "M10 20L30 40L31 41M100 100L101 100"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


class Flat:
    """王奶奶's flat with a motion sensor, a door contact and a pull cord, and the installer's telephone."""

    def __init__(self) -> None:
        self.rig = Rig()
        home = self.rig.registry.home("h1")
        cord = Sensor(id="h1-s", hub="hub-1", address="s", name="拉绳", room="bedroom", role=Role.SOS, model="SNZB-01P")
        with self.rig.registry.begin() as ledger:
            ledger.put_person(Person(id="wang", name="王桂芳"), EVENING)
            ledger.put_person(Person(id="zhao", name="赵工", reaches=(Reach(channel="console"),)), EVENING)
            ledger.put_home(
                replace(home, sensors=(*home.sensors, cord), person="wang", state=Monitoring.REGISTERED), EVENING
            )
        self.browser = self.rig.signed_in("zhao", Duty.INSTALLER)
        self._arrival = 0

    @property
    def home(self) -> Any:
        return self.rig.registry.home("h1")

    def page(self, path: str = WALK) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **data: Any) -> Any:
        csrf = hidden(self.page("/install/h1/walk"), "csrf")
        return self.browser.post(path, data={"csrf": csrf, **data})

    def begins(self) -> None:
        assert self.post(f"{WALK}/start").headers["location"] == WALK

    def says(self, sensor: str, kind: Kind, value: float = 1.0, *, late: bool = False) -> None:
        self.rig.clock.go_on(seconds=1)
        now = self.rig.clock.now()
        self._arrival += 1
        reading = Reading("h1", f"h1-{sensor}", "", kind, value, now, now, arrival=self._arrival, late=late)
        self.rig.readings.commit(Batch(readings=[reading], heard={"h1": now}))

    def presses(self, *, sent: bool = True) -> str:
        self.says("s", Kind.SOS)
        now = self.rig.clock.now()
        found = Finding(
            home="h1", code="sos", severity=Severity.EMERGENCY, since=now, at=now, facts=(("sensor", "h1-s"),)
        )
        (verdict,) = self.rig.desk.take([found], now)
        if sent:
            self.rig.clock.go_on(seconds=2)
            for delivery in self.rig.alerts.outbox(self.rig.clock.now()):
                self.rig.desk.said(delivery.id, self.rig.clock.now())
        return verdict.alert.id

    def walks(self) -> None:
        """Everything fires, and the test arrives."""
        self.says("m", Kind.MOTION)
        self.says("d", Kind.DOOR)
        self.presses()

    def tries(self) -> dict[str, proof.Try]:
        since = self.rig.registry.plan("h1", self.rig.clock.now())[-1].since
        rig = self.rig
        found = proof.tries(self.home, rig.alerts, rig.readings, rig.registry, since, rig.clock.now())
        return {one.sensor.id: one for one in found}

    def agrees(self, **more: Any) -> Any:
        form = {"purpose": ["whereabouts", "sharing"], "by": "elder", "signature": DRAWN}
        return self.post("/install/h1/consent", **{**form, **more})


@pytest.fixture
def flat() -> Flat:
    return Flat()


# --------------------------------------------------------------------------- the walk test


def test_a_sensor_turns_green_when_it_fires(flat):
    flat.begins()
    assert "0 / 3 通过" in text_of(flat.page())

    flat.says("m", Kind.MOTION)

    page = flat.page()
    assert "1 / 3 通过" in text_of(page) and 'class="passed"' in page
    assert 'hx-trigger="every 2s"' in page
    assert flat.tries()["h1-m"].passed and not flat.tries()["h1-d"].passed


def test_what_was_said_before_the_walk_or_is_only_remembered_proves_nothing(flat):
    flat.says("m", Kind.MOTION)
    flat.rig.clock.go_on(minutes=1)
    flat.begins()
    flat.says("d", Kind.DOOR, late=True)  # out of the hub's memory
    flat.says("m", Kind.MOTION, 0)  # it only cleared

    assert [flat.tries()[f"h1-{name}"].doubts for name in "mds"] == [
        (Doubt.SILENT,),
        (Doubt.REMEMBERED,),
        (Doubt.SILENT,),
    ]


def test_a_new_sensor_whose_first_word_may_be_a_memory_is_not_called_silent(flat):
    """Otherwise the installer takes a good sensor off the wall."""
    flat.begins()
    flat.says("m", Kind.MOTION, late=True)

    assert "等两分钟" in text_of(flat.page())
    flat.says("m", Kind.MOTION, 0)  # it has calmed
    flat.says("m", Kind.MOTION)
    assert flat.tries()["h1-m"].passed


def test_while_the_walk_goes_on_the_home_is_under_maintenance_with_every_sensor_on_the_list(flat):
    flat.begins()

    (line,) = flat.rig.registry.plan("h1", flat.rig.clock.now())
    assert (line.key, line.author) == ("maintenance", "zhao")
    assert set(line.value.split(",")) == {"h1-m", "h1-d", "h1-s"}
    assert line.until == flat.rig.clock.now() + timedelta(hours=1)


def test_the_press_travels_to_a_real_person_and_the_page_says_how_far_it_came(flat):
    flat.begins()
    alert = flat.presses(sent=False)
    assert flat.tries()["h1-s"].doubts == (Doubt.NOT_SENT,)

    for delivery in flat.rig.alerts.outbox(flat.rig.clock.now()):
        flat.rig.desk.said(delivery.id, flat.rig.clock.now())
    page = text_of(flat.page())
    assert "22:38:01 按下" in page and "22:38:01 已发给刘网格员" in page and "尚未接单" in page

    flat.rig.clock.go_on(seconds=20)
    flat.rig.desk.accept(alert, "liu", flat.rig.clock.now(), "link")
    assert "22:38:21 刘网格员已接单" in text_of(flat.page())
    assert flat.tries()["h1-s"].passed


def test_a_test_that_reaches_nobody_does_not_pass_and_says_why(flat):
    flat.begins()
    flat.presses(sent=False)
    for delivery in flat.rig.alerts.outbox(flat.rig.clock.now()):
        flat.rig.desk.gave_up(delivery.id, "there is no such channel: sms", flat.rig.clock.now())

    assert flat.tries()["h1-s"].doubts == (Doubt.NOT_REACHED,)
    assert "没有这个渠道" in text_of(flat.page())


@pytest.mark.parametrize(
    ("kind", "value", "doubt", "words"),
    [
        (Kind.LINK, 32, Doubt.WEAK_LINK, "信号弱"),
        (Kind.BATTERY, 12, Doubt.LOW_BATTERY, "电量低"),
        (Kind.BATTERY_LOW, 1, Doubt.LOW_BATTERY, "电量低"),  # of many smoke detectors the only word
    ],
)
def test_a_weak_signal_or_a_low_battery_does_not_pass(flat, kind, value, doubt, words):
    flat.begins()
    flat.says("m", Kind.MOTION)
    flat.says("m", kind, value)

    assert flat.tries()["h1-m"].doubts == (doubt,)
    assert words in text_of(flat.page())

    flat.says("m", kind, 0 if kind is Kind.BATTERY_LOW else 90)  # moved nearer, or a new battery
    assert flat.tries()["h1-m"].passed


def test_the_walk_is_not_finished_while_anything_is_unsettled(flat):
    flat.begins()
    flat.says("m", Kind.MOTION)
    flat.presses()

    answer = flat.post(f"{WALK}/end")
    assert answer.status_code == 422 and "还有设备没有通过" in answer.text
    assert flat.post(f"{WALK}/note", sensor="h1-d", note="  ").status_code == 422

    flat.post(f"{WALK}/note", sensor="h1-d", note="磁铁掉了，周三再来")
    assert "磁铁掉了，周三再来" in flat.page()
    assert flat.post(f"{WALK}/end").headers["location"] == "/install/h1/consent"
    results = proof.last_results(flat.home, flat.rig.registry)
    assert {sensor: (row.passed, row.note) for sensor, row in results.items()} == {
        "h1-m": (True, ""),
        "h1-s": (True, ""),
        "h1-d": (False, "磁铁掉了，周三再来"),
    }


def test_finishing_ends_the_maintenance_and_files_the_tests(flat):
    flat.begins()
    flat.walks()
    flat.post(f"{WALK}/end")

    assert flat.rig.registry.plan("h1", flat.rig.clock.now()) == []
    (test,) = [alert for alert in flat.rig.alerts.alerts() if alert.code == TEST]
    assert (test.state, test.outcome) == (State.CLOSED, Outcome.TEST_OR_DRILL)


def test_broken_off_it_writes_nothing_down_and_everything_is_real_again(flat):
    flat.begins()
    flat.walks()
    assert flat.post(f"{WALK}/stop").headers["location"] == WALK

    assert flat.rig.registry.plan("h1", flat.rig.clock.now()) == []
    assert proof.last_results(flat.home, flat.rig.registry) == {}


def test_a_home_of_another_grid_is_not_there(flat):
    browser = flat.rig.signed_in("far", Duty.INSTALLER, "g2")

    assert [browser.get(f"/install/h1/{page}").status_code for page in ("walk", "consent", "record")] == [404] * 3


@pytest.mark.parametrize("duty", [Duty.GRID_WORKER, Duty.SUPERVISOR, Duty.FAMILY])
def test_only_installers_walk(flat, duty):
    browser = flat.rig.signed_in("x", duty)

    assert browser.get(WALK).status_code == 403


def test_a_form_from_elsewhere_starts_nothing(flat):
    assert flat.browser.post(f"{WALK}/start", data={"csrf": "guessed"}).status_code == 403
    assert flat.rig.registry.plan("h1", flat.rig.clock.now()) == []


# --------------------------------------------------------------------------- consent


def test_each_purpose_is_agreed_to_by_itself(flat):
    assert flat.agrees().headers["location"] == "/install/h1/record"

    consents = flat.rig.registry.consents("wang")
    assert [(c.purpose, c.given_by, c.evidence) for c in consents] == [
        ("whereabouts", "wang", f"drawn:{DRAWN}"),
        ("sharing", "wang", f"drawn:{DRAWN}"),
    ]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"purpose": ["whereabouts", "health"]}, "少了这两项"),
        ({"purpose": []}, "少了这两项"),
        ({"by": "guardian"}, "监护人"),
        ({"signature": "", "paper": " "}, "还没有签名"),
        ({"signature": 'M1 1L2 2"/><script>'}, "无法识别"),
        ({"signature": "M1 1L2 2" + "L9999 1"}, "无法识别"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_kept(flat, form, words):
    answer = flat.agrees(**form)

    assert answer.status_code == 422 and words in answer.text
    assert flat.rig.registry.consents("wang") == []


def test_a_guardian_may_sign_on_paper(flat):
    flat.agrees(by="guardian", guardian="王芳（女儿）", signature="", paper="档案 2026-118")

    assert {(c.given_by, c.evidence) for c in flat.rig.registry.consents("wang")} == {
        ("王芳（女儿）", "paper:档案 2026-118")
    }


def test_a_signature_as_long_as_a_hostile_one_is_read_at_once():
    assert SIGNATURE.fullmatch("M1 1" + "L2 2" * 6000) is None
    assert SIGNATURE.fullmatch("M1 1L1 1" * 60) and not SIGNATURE.fullmatch("M1 1L1 1" * 61)


# --------------------------------------------------------------------------- the record


def test_nothing_is_recorded_before_everything_was_tried_and_agreed_to(flat):
    assert flat.post("/install/h1/record", days=14).status_code == 422
    assert flat.rig.registry.records("h1") == [] and flat.home.state is Monitoring.REGISTERED


def test_the_record_is_kept_and_the_home_begins_to_learn(flat):
    flat.begins()
    flat.walks()
    flat.post(f"{WALK}/end")
    flat.agrees()

    answer = flat.post("/install/h1/record", days=14)

    assert answer.headers["location"] == "/install/h1/records/1"
    (record,) = flat.rig.registry.records("h1")
    assert (flat.home.state, flat.home.trial_until) == (Monitoring.TRIAL, record.learning_until)
    assert record.learning_until == EVENING + timedelta(days=14)
    assert {row.sensor for row in record.rows if row.passed} == {"h1-m", "h1-d", "h1-s"}
    sheet = text_of(flat.page("/install/h1/records/1"))
    for words in (
        "王奶奶 · A-1",
        "东风路 3 号",
        "hub-1",
        "拉绳",
        "SNZB-01P",
        "22:38:03 按下",
        "已发给刘网格员",
        "12-05",
    ):
        assert words in sheet, words
    assert DRAWN in flat.page("/install/h1/records/1")


def test_whoever_files_the_test_did_not_answer_it(flat):
    test_the_record_is_kept_and_the_home_begins_to_learn(flat)

    (record,) = flat.rig.registry.records("h1")
    assert [(trial.person, trial.accepted_by) for trial in record.trials] == [("liu", "")]
    assert "赵工已接单" not in text_of(flat.page("/install/h1/records/1"))


def test_the_record_says_what_was_signed_when_devices_have_changed_since(flat):
    test_the_record_is_kept_and_the_home_begins_to_learn(flat)
    flat.rig.rename("h1", sensors=flat.home.sensors[:1], name="别人")

    sheet = text_of(flat.page("/install/h1/records/1"))
    assert "拉绳" in sheet and "王奶奶" in sheet
    assert flat.browser.get("/install/h1/records/2").status_code == 404


@pytest.mark.parametrize("days", [0, 6, 29, 10_000])
def test_the_learning_period_has_bounds(flat, days):
    flat.begins()
    flat.walks()
    flat.post(f"{WALK}/end")
    flat.agrees()

    assert flat.post("/install/h1/record", days=days).status_code == 422


def test_a_guarded_home_that_is_walked_again_stays_guarded(flat):
    flat.rig.rename("h1", state=Monitoring.GUARDED)
    flat.begins()
    flat.walks()
    flat.post(f"{WALK}/end")
    flat.agrees()
    flat.post("/install/h1/record", days=14)

    assert flat.home.state is Monitoring.GUARDED and len(flat.rig.registry.records("h1")) == 1


def test_whoever_changes_a_battery_says_so_and_tries_nothing_out(flat):
    page = flat.page("/install/h1")
    assert "我正在这里作业" in page
    csrf = hidden(page, "csrf")

    assert (
        flat.browser.post("/install/h1/upkeep", data={"csrf": csrf, "why": "更换电池", "hours": "2"}).status_code == 303
    )

    line = next(line for line in flat.rig.registry.plan("h1", EVENING) if line.key == "maintenance")
    assert (line.value, line.reason, line.until) == ("", "更换电池", EVENING + timedelta(hours=2))
    assert "作业完成" in flat.page("/install/h1")
    assert "开始步测" in flat.page()  # it is no walk test

    flat.browser.post("/install/h1/upkeep/end", data={"csrf": csrf})
    assert not [line for line in flat.rig.registry.plan("h1", EVENING) if line.key == "maintenance"]


@pytest.mark.parametrize("said", [{"why": " "}, {"why": "x", "hours": "9"}])
def test_work_has_a_reason_and_an_end(flat, said):
    csrf = hidden(flat.page("/install/h1"), "csrf")

    assert flat.browser.post("/install/h1/upkeep", data={"csrf": csrf, **said}).status_code == 422
