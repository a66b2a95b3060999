"""Somebody works in a home: what is tried out goes out as a test, and everything else is as real as ever."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from test_care_loop import T0, House, at, refuses

from alerts.desk import Desk
from alerts.escalation import Reason, Verdict
from alerts.maintenance import ONE_SENSOR_SAYS_IT, TEST, Treatment, has_passed, treatment, work_in
from detectors.emergency import Emergency
from detectors.fall import Fall
from gateway.domain import (
    URGENT,
    Alert,
    Condition,
    Finding,
    Home,
    Kind,
    Monitoring,
    Outcome,
    Override,
    Reach,
    Reading,
    Severity,
    State,
)
from gateway.ports import Context

WORK_BEGINS = 100
AN_HOUR = 3600


class Flat(House):
    """The house of the care loop, with an installer in the flat."""

    has_passed: Callable[[Finding], bool] = staticmethod(lambda finding: False)

    def restart(self) -> None:
        super().restart()
        self.desk = Desk(self.store, self.registry, catalogue=self.catalogue, has_passed=self.has_passed)

    def begins_work(self, *testing: str, lasts: float = AN_HOUR, author: str = "zhao") -> None:
        """From now on Zhao works here and tries these sensors out."""
        line = Override(
            home="h1",
            key="maintenance",
            value=",".join(testing),
            since=self.now(),
            until=self.now() + timedelta(seconds=lasts),
            author=author,
            reason="安装",
        )
        with self.registry.begin() as book:
            book.put_override(line)

    def hears(self, code: str, sensor: str, severity: Severity = Severity.EMERGENCY, late: float = 0) -> Verdict:
        since = self.now() - timedelta(seconds=late)
        facts = (("kind", code), ("sensor", sensor), ("room", "bath"))
        finding = Finding(home="h1", code=code, severity=severity, since=since, at=self.now(), facts=facts)
        return self.desk.take([finding], self.now())[0]

    def misses(self, severity: Severity = Severity.TECHNICAL, since: float | None = None) -> Verdict:
        """The hub has gone silent."""
        began = self.now() if since is None else at(since)
        finding = Finding(home="h1", code="home_silent", severity=severity, since=began, at=self.now())
        return self.desk.take([finding], self.now())[0]

    def the(self, code: str) -> Alert:
        (found,) = [alert for alert in self.store.alerts() if alert.code == code]
        return found

    def lines(self, code: str) -> list[str]:
        return [entry.what for entry in self.store.history(self.the(code).id)]


@pytest.fixture
async def flat() -> Flat:
    flat = Flat()
    await flat.until(WORK_BEGINS)
    return flat


async def test_the_button_under_test_reaches_one_real_responder_as_a_test_and_climbs_no_further(flat):
    flat.begins_work("cord")
    await flat.until(150)
    flat.hears("sos", "cord")
    await flat.until(2 * AN_HOUR)

    assert flat.phone.rang == [(150, "page", "zhang")]
    (letter,) = flat.phone.letters
    assert letter.title == "【测试】紧急呼叫 · 户号 A-0312"
    assert "没有发生任何情况" in letter.body and "无需上门" in letter.body
    alert = flat.the(TEST)
    assert (alert.severity, alert.state, alert.next_at) == (Severity.CARE, State.NOTIFIED, None)


async def test_the_responder_accepts_and_the_installer_files_it_as_a_test(flat):
    flat.begins_work("cord")
    flat.hears("sos", "cord")
    await flat.until(120)
    flat.desk.accept(flat.the(TEST).id, "zhang", flat.now(), "link")

    (filed,) = flat.desk.end_tests("h1", "zhao", flat.now())

    assert (filed.state, filed.outcome, filed.owner) == (State.CLOSED, Outcome.TEST_OR_DRILL, "zhang")
    assert flat.desk.end_tests("h1", "zhao", flat.now()) == []


async def test_a_call_from_outside_the_test_list_pages_everybody(flat):
    flat.begins_work("cord")
    await flat.until(150)
    flat.hears("sos", "pendant")
    await flat.until(350)

    assert [(when, who) for when, _, who in flat.phone.rang] == [(150, "zhang"), (210, "li"), (330, "wang")]
    assert flat.the("sos").severity is Severity.EMERGENCY


async def test_a_real_call_never_joins_the_test_of_the_same_home(flat):
    flat.begins_work("cord")
    flat.hears("sos", "cord")
    await flat.until(130)
    flat.desk.accept(flat.the(TEST).id, "zhang", flat.now(), "link")
    flat.hears("sos", "pendant")
    await flat.until(200)

    assert flat.the("sos").is_ringing
    assert flat.phone.rang[1:] == [(130, "page", "zhang"), (190, "page", "li")]


@pytest.mark.parametrize("code", ["fall", "smoke", "gas", "co"])
async def test_a_fall_or_a_fire_at_minute_ten_is_real_unless_that_very_sensor_is_tried_out(flat, code):
    flat.begins_work("cord")
    await flat.until(WORK_BEGINS + 600)
    verdict = flat.hears(code, "ceiling", Severity.HIGH if code == "fall" else Severity.EMERGENCY)

    assert verdict.reason is Reason.NEW and verdict.alert.code == code
    await flat.until(WORK_BEGINS + 600 + 61)
    assert [who for _, _, who in flat.phone.rang] == ["zhang", "li"]


async def test_maintenance_ends_by_itself_and_the_same_button_is_real_again(flat):
    flat.begins_work("cord", lasts=AN_HOUR)
    await flat.until(WORK_BEGINS + AN_HOUR)
    flat.hears("sos", "cord")

    assert flat.the("sos").severity is Severity.EMERGENCY


async def test_maintenance_that_names_no_end_ends_after_four_hours(flat):
    flat.begins_work("cord", lasts=30 * 24 * AN_HOUR)
    await flat.until(WORK_BEGINS + 4 * AN_HOUR - 1)
    flat.hears("sos", "cord")
    await flat.until(WORK_BEGINS + 4 * AN_HOUR)
    flat.hears("sos", "cord")

    assert {alert.code for alert in flat.store.alerts()} == {TEST, "sos"}


async def test_a_press_from_before_the_work_is_real_although_it_is_heard_during_it(flat):
    flat.begins_work("cord")
    await flat.until(WORK_BEGINS + 60)
    flat.hears("sos", "cord", late=90)

    assert flat.the("sos").is_ringing


async def test_silence_of_the_elder_is_never_held_back(flat):
    flat.begins_work("motion")
    verdict = flat.finds("inactivity", Severity.HIGH)

    assert verdict.reason is Reason.NEW
    await flat.until(WORK_BEGINS + 1)
    assert flat.phone.rang == [(WORK_BEGINS, "page", "zhang")]


async def test_a_fault_is_written_down_and_told_when_the_work_is_over(flat):
    flat.begins_work("cord")
    await flat.until(WORK_BEGINS + 300)
    verdict = flat.misses()

    assert (verdict.told, verdict.reason) == (False, Reason.HELD)
    await flat.until(WORK_BEGINS + AN_HOUR - 1)
    assert flat.phone.rang == []
    assert flat.lines("home_silent") == ["raised", "held"]
    await flat.until(WORK_BEGINS + AN_HOUR + 61)
    assert [who for _, _, who in flat.phone.rang] == ["zhao"]
    assert flat.lines("home_silent") == ["raised", "held", "released", "told", "sent"]
    assert {"alert.held", "alert.released"} <= {act.what for act in flat.store.acts()}


async def test_a_fault_that_has_passed_when_the_work_is_over_calls_nobody(flat):
    flat.has_passed = lambda finding: finding.code == "home_silent"
    flat.restart()
    flat.begins_work("cord")
    flat.misses()
    await flat.until(2 * AN_HOUR)

    alert = flat.the("home_silent")
    assert flat.phone.rang == []
    assert (alert.state, alert.outcome, alert.owner) == (State.RESOLVED, Outcome.TEST_OR_DRILL, "zhao")


async def test_a_hub_that_was_unplugged_for_the_work_does_not_call_the_grid_worker(flat):
    flat.begins_work("cord")
    began = flat.seconds
    await flat.until(WORK_BEGINS + 180)
    flat.misses(since=began)
    await flat.until(WORK_BEGINS + 1800)
    flat.misses(Severity.MEDIUM, since=began)

    assert flat.phone.rang == []
    await flat.until(WORK_BEGINS + AN_HOUR + 61)
    assert [who for _, _, who in flat.phone.rang] == ["zhang"]  # still dark: now it is a blind home


async def test_a_home_that_was_dark_before_the_work_began_is_told_as_ever(flat):
    flat.begins_work("cord")
    flat.misses(Severity.MEDIUM, since=10)
    await flat.until(WORK_BEGINS + 1)

    assert [who for _, _, who in flat.phone.rang] == ["zhang"]


async def test_a_restart_lets_nothing_go_and_loses_nothing(flat):
    flat.begins_work("cord")
    flat.misses()
    flat.sleeps_until(WORK_BEGINS + 900)
    flat.restart()
    await flat.until(WORK_BEGINS + AN_HOUR - 60)

    assert flat.phone.rang == [] and flat.lines("home_silent") == ["raised", "held"]
    await flat.until(WORK_BEGINS + AN_HOUR + 61)
    assert [who for _, _, who in flat.phone.rang] == ["zhao"]


async def test_pressed_once_more_after_a_minute_the_test_goes_out_once_more(flat):
    flat.begins_work("cord")
    for second in (150, 170, 215):
        await flat.until(second)
        flat.hears("sos", "cord")
    await flat.until(400)

    assert flat.phone.rang == [(150, "page", "zhang"), (215, "page", "zhang")]
    assert flat.the(TEST).count == 3


async def test_the_test_goes_to_the_first_who_can_be_reached(flat):
    flat = Flat(reaches={"zhang": (), "li": (Reach(channel="phone", address="li"),)})
    await flat.until(WORK_BEGINS)
    flat.begins_work("cord")
    flat.hears("sos", "cord")
    await flat.until(600)

    assert [who for _, _, who in flat.phone.rang] == ["li"]


async def test_a_number_that_does_not_exist_is_told_to_the_installer_and_wakes_nobody_else(flat):
    flat.phone.answers["zhang"] = refuses
    flat.begins_work("cord")
    flat.hears("sos", "cord")
    await flat.until(600)

    assert flat.phone.rang == []
    assert flat.lines(TEST) == ["raised", "told", "failed", "nobody"]


# ------------------------------------------------------------------ a pause


def pauses(flat: Flat, lasts: float | None = AN_HOUR) -> None:
    """She is in hospital, says the grid worker."""
    until = None if lasts is None else flat.now() + timedelta(seconds=lasts)
    line = Override(
        home="h1", key="pause", value="guarded", since=flat.now(), until=until, author="zhang", reason="住院"
    )
    with flat.registry.begin() as book:
        book.put_override(line)


def falls_silent(flat: Flat) -> Verdict:
    finding = Finding(home="h1", code="inactivity", severity=Severity.HIGH, since=at(0), at=flat.now())
    return flat.desk.take([finding], flat.now())[0]


async def test_an_empty_home_that_is_paused_calls_nobody_until_the_pause_ends(flat):
    pauses(flat)
    await flat.until(200)
    assert falls_silent(flat).reason is Reason.HELD
    await flat.until(AN_HOUR)
    assert flat.phone.rang == []

    await flat.until(AN_HOUR + 300)
    assert flat.phone.rang != [], "nobody has come home, and the pause is over"


async def test_who_came_home_before_the_pause_ended_is_not_called_about(flat):
    flat.has_passed = lambda finding: finding.code == "inactivity"
    flat.restart()
    pauses(flat)
    await flat.until(200)
    falls_silent(flat)
    await flat.until(2 * AN_HOUR)

    assert flat.phone.rang == []
    assert flat.the("inactivity").outcome is Outcome.ELDER_AWAY


async def test_a_press_in_a_paused_home_is_a_press(flat):
    pauses(flat, lasts=None)
    await flat.until(200)
    flat.hears("sos", "cord")
    await flat.until(220)

    assert flat.phone.rang != []
    assert flat.the("sos").severity is Severity.EMERGENCY


# ------------------------------------------------------------------ a home on file that nobody watches yet


def stands(flat: Flat, state: Monitoring) -> None:
    home = flat.registry.home("h1")
    with flat.registry.begin() as book:
        book.put_home(replace(home, state=state), flat.now())


async def test_while_a_home_is_being_installed_only_danger_calls_somebody(flat):
    stands(flat, Monitoring.REGISTERED)
    flat.misses()
    falls_silent(flat)
    flat.finds("night_exit", Severity.HIGH)
    await flat.until(3 * 24 * AN_HOUR)
    assert flat.phone.rang == []

    flat.hears("sos", "cord")
    await flat.until(3 * 24 * AN_HOUR + 61)
    assert [who for _, _, who in flat.phone.rang] == ["zhang", "li"], "a press is a press from the first day"


async def test_what_a_rule_calls_an_emergency_is_one_before_the_home_is_watched(flat):
    stands(flat, Monitoring.REGISTERED)
    verdict = flat.finds("bathroom_stay", Severity.EMERGENCY)

    assert verdict.reason is Reason.NEW and verdict.alert.is_ringing


async def test_before_a_home_is_watched_its_cord_can_be_tried_out_like_anywhere(flat):
    stands(flat, Monitoring.REGISTERED)
    flat.begins_work("cord")
    flat.hears("sos", "cord")
    flat.misses()
    await flat.until(2 * AN_HOUR)

    assert [letter.title for letter in flat.phone.letters] == ["【测试】紧急呼叫 · 户号 A-0312"]
    assert flat.lines("home_silent") == ["raised", "held"], "the work is over, and nobody watches it yet"


async def test_a_hub_that_is_still_dark_when_the_watch_begins_is_told_then(flat):
    stands(flat, Monitoring.REGISTERED)
    flat.misses(Severity.MEDIUM)
    await flat.until(AN_HOUR)
    stands(flat, Monitoring.TRIAL)
    await flat.until(AN_HOUR + 61)

    assert [who for _, _, who in flat.phone.rang] == ["zhang"]
    assert flat.lines("home_silent")[:3] == ["raised", "held", "released"]


async def test_what_has_passed_when_the_watch_begins_calls_nobody(flat):
    flat.has_passed = lambda finding: True
    flat.restart()
    stands(flat, Monitoring.REGISTERED)
    flat.misses()
    falls_silent(flat)
    stands(flat, Monitoring.TRIAL)
    await flat.until(2 * AN_HOUR)

    assert flat.phone.rang == []
    assert {(a.state, a.outcome) for a in flat.store.alerts()} == {(State.RESOLVED, Outcome.TEST_OR_DRILL)}


@pytest.mark.parametrize(("life", "is_over"), [(at(200), True), (at(50), False), (None, False)])
def test_a_silence_has_passed_when_somebody_has_broken_it(life, is_over):
    silence = Finding(home="h1", code="inactivity", severity=Severity.HIGH, since=at(0), at=at(100))

    assert has_passed(silence, [], at(300), life) is is_over


def test_who_works_where_follows_from_the_plan_alone():
    early = Override(home="h1", key="maintenance", value="a,b", since=T0, until=at(60), author="x", reason="")
    later = Override(home="h1", key="maintenance", value="c", since=at(30), until=None, author="y", reason="")
    other = Override(home="h1", key="absence", value="", since=T0, until=None, author="z", reason="")

    assert work_in([other], at(1)) is None
    assert work_in([early, other], at(1)).testing == {"a", "b"}
    assert work_in([early, later], at(40)).author == "y"
    assert work_in([later], at(30) + timedelta(hours=4)) is None


@pytest.mark.parametrize(
    ("heard", "faults", "is_over"),
    [
        (at(90), (), True),  # it has spoken since, and nothing is wrong with it
        (at(90), ("offline",), False),
        (at(10), (), False),  # its fault is not told any more, but nobody has heard it either
        (None, (), False),
    ],
)
def test_a_fault_has_passed_when_its_device_speaks_again_without_it(heard, faults, is_over):
    fault = Finding(home="h1", code="device_offline", subject="m", severity=Severity.TECHNICAL, since=at(20), at=at(60))

    assert has_passed(fault, [Condition(home="h1", sensor="m", heard=heard, faults=faults)], at(95)) is is_over
    assert not has_passed(fault, [], at(95))


@pytest.mark.parametrize(("heard", "is_over"), [(at(50), False), (at(70), True), (None, False)])
def test_a_silent_home_has_passed_when_it_is_heard_again(heard, is_over):
    silence = Finding(home="h1", code="home_silent", severity=Severity.TECHNICAL, since=at(20), at=at(60))

    assert has_passed(silence, [], heard) is is_over


@pytest.mark.parametrize("kind", sorted(URGENT))
def test_whatever_one_sensor_calls_for_names_that_sensor(kind):
    """Or a test could never be told from a call."""
    home = Home(id="h1", code="A-0312", name="王奶奶", grid="g1", zone=ZoneInfo("Asia/Shanghai"))
    reading = Reading("h1", "cord", "bath", kind, 1.0, at(5), at(5))
    (found,) = (Fall if kind is Kind.FALL else Emergency)(home).observe(reading, Context())
    line = Override(home="h1", key="maintenance", value="cord", since=T0, until=at(60), author="zhao", reason="")

    assert found.code in ONE_SENSOR_SAYS_IT
    assert treatment(found, work_in([line], at(5)), found.severity) is Treatment.TEST


def test_a_radar_taken_down_from_its_ceiling_is_in_the_installers_hands():
    line = Override(home="h1", key="maintenance", value="", since=at(30), until=at(60), author="zhao", reason="")
    fault = Finding(home="h1", code="device_offline", subject="r", severity=Severity.MEDIUM, since=at(10), at=at(40))

    assert treatment(fault, work_in([line], at(40)), Severity.TECHNICAL) is Treatment.HELD


def test_an_empty_test_list_tests_nothing():
    line = Override(home="h1", key="maintenance", value="", since=T0, until=at(60), author="x", reason="")
    press = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=at(1), at=at(1))

    assert treatment(press, work_in([line], at(1)), Severity.EMERGENCY) is Treatment.REAL
