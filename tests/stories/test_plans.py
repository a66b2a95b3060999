"""One household, one plan (一户一案): who is told what, how soon and how urgently, and what waits till the morning."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from test_care_loop import T0, House, at

from alerts.plans import WORSE_FOR
from alerts.wording import explain
from gateway.domain import Absence, Outcome, Profile, Scope, Severity, State
from gateway.domain.people import Risk
from gateway.registry import RegistrationError, Registry

CHINA = ZoneInfo("Asia/Shanghai")
HOUR = 3600
TEN_PM, SEVEN_AM = 11 * HOUR, 20 * HOUR  # on the home's clock, counted from T0, eleven in the morning


class Planned(House):
    """The house of the care loop, with the office in which plans are made."""

    def __init__(self) -> None:
        super().__init__()
        self.office = Registry(self.registry, str, codes=self.catalogue.codes())

    def plans(self, key: str, value: str, place: str = "h1", scope: Scope = Scope.HOME, until: float | None = None):
        end = None if until is None else at(until)
        return self.office.plans.put(
            place, key, value, scope=scope, until=end, why="因人而异", who="wang", now=self.now()
        )

    def told(self) -> list[tuple[float, str]]:
        return [(seconds, person) for seconds, what, person in self.phone.rang if what == "page"]


@pytest.fixture
def house() -> Planned:
    return Planned()


# --------------------------------------------------------------------------- how soon


async def test_the_household_beats_its_grid_and_the_grid_the_district(house):
    house.plans("leak.ack", "20", "310106", Scope.AREA)
    house.plans("leak.ack", "10", "g1", Scope.GRID)
    house.finds("leak", Severity.MEDIUM)
    await house.until(601)
    assert house.told() == [(0, "zhang"), (600, "li")]

    house.desk.resolve(house.alert().id, "li", Outcome.SENSOR_FAULT, "", house.now())
    house.plans("leak.ack", "3")
    house.phone.rang.clear()
    house.finds("leak", Severity.MEDIUM)
    await house.until(601 + 181)
    assert house.told() == [(601, "zhang"), (601 + 180, "li")]


async def test_what_is_under_way_keeps_the_times_it_began_with(house):
    house.plans("leak.ack", "10")
    house.finds("leak", Severity.MEDIUM)
    await house.until(60)
    house.plans("leak.ack", "1")
    await house.until(601)

    assert house.told() == [(0, "zhang"), (600, "li")]


async def test_each_rung_has_its_own_wait_where_the_plan_says_so(house):
    house.plans("sos.wait1", "0.5")
    house.plans("sos.wait2", "1")
    house.finds("sos")
    await house.until(91)

    assert house.told() == [(0, "zhang"), (30, "li"), (90, "wang")]


# --------------------------------------------------------------------------- how bad


def test_how_bad_it_is_is_said_by_the_plan(house):
    house.plans("leak.severity", "2")

    assert house.finds("leak", Severity.MEDIUM).alert.severity is Severity.HIGH


@pytest.mark.parametrize("code", WORSE_FOR["dementia"])
def test_whoever_may_lose_the_way_is_looked_for_at_once(house, code):
    with house.registry.begin() as book:
        book.put_home(_with_resident(house), T0)
    house.office.put_profile(Profile(person="zhang", dementia=True), who="li", now=T0)

    usual = house.catalogue.entry(code).severity
    alert = house.finds(code, usual).alert

    assert alert.severity is WORSE_FOR["dementia"][code]
    assert alert.severity.worse_than(usual)

    house.office.put_profile(Profile(person="zhang"), who="li", now=at(60))
    house._now = at(120)
    house.desk.resolve(alert.id, "li", Outcome.ELDER_SAFE, "", house.now())
    assert house.finds(code, usual).alert.severity is usual


def test_at_high_risk_a_cold_room_is_not_left_till_tomorrow(house):
    with house.registry.begin() as book:
        book.put_home(_with_resident(house), T0)
    house.office.put_profile(Profile(person="zhang", risk=Risk.HIGH), who="li", now=T0)

    assert house.finds("room_cold", Severity.MEDIUM).alert.severity is Severity.HIGH
    assert house.finds("door_open", Severity.MEDIUM).alert.severity is Severity.HIGH, "one incident with the cold room"


def _with_resident(house):
    return replace(house.registry.home("h1"), person="zhang")


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "家中养有宠物，活动可能来自宠物。"), ("en", "A pet lives here: what moved")]
)
def test_who_reads_an_alert_hears_what_else_may_have_moved(house, language, said):
    alert = house.finds("inactivity", Severity.HIGH, facts=(("plan", "pet"),)).alert

    assert any(sentence.startswith(said) for sentence in explain(alert.finding, language, CHINA))


# --------------------------------------------------------------------------- quiet


async def test_what_can_wait_comes_in_one_message_in_the_morning(house):
    house.plans("quiet", "22:00-07:00", "g1", Scope.GRID)
    await house.until(TEN_PM + 60)
    for code in ("door_open", "leak", "room_cold"):
        house.finds(code, Severity.MEDIUM)
    await house.until(SEVEN_AM - 1)
    assert house.phone.rang == []

    await house.until(SEVEN_AM + 1)
    assert house.phone.rang == [(SEVEN_AM, "page", "zhang")]
    (letter,) = house.phone.letters
    assert letter.title == "有 3 项预警待处理 · 最重：门未关"
    assert letter.body.count("A-0312") == 3
    assert "王" not in letter.title + letter.body, "no name on a lock screen"


async def test_one_thing_that_has_waited_is_told_like_any_other(house):
    house.plans("quiet", "22:00-07:00", "g1", Scope.GRID)
    await house.until(TEN_PM + 60)
    house.finds("leak", Severity.MEDIUM)
    await house.until(SEVEN_AM + 1)

    assert house.told() == [(SEVEN_AM, "zhang")]
    assert house.history()[:3] == ["raised", "held", "released"]
    assert "overdue" not in house.history(), "people's time is counted from when they hear of it"


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("sos", Severity.EMERGENCY),
        ("gas", Severity.EMERGENCY),
        ("inactivity", Severity.HIGH),
        ("bath_dwell", Severity.HIGH),
        ("assist", Severity.MEDIUM),
    ],
)
async def test_the_night_is_quiet_for_nobody_in_need(house, code, severity):
    house.plans("quiet", "22:00-07:00", "g1", Scope.GRID)
    await house.until(TEN_PM + 60)
    house.finds(code, severity)
    await house.until(TEN_PM + 62)

    assert house.told() == [(TEN_PM + 60, "zhang")]


async def test_an_emergency_does_not_vanish_in_what_waits(house):
    house.plans("quiet", "22:00-07:00", "g1", Scope.GRID)
    await house.until(TEN_PM + 60)
    house.finds("door_open", Severity.MEDIUM)
    await house.until(TEN_PM + 120)
    house.finds("sos")
    await house.until(TEN_PM + 122)

    assert house.told() == [(TEN_PM + 120, "zhang")]


async def test_a_silence_holds_back_what_it_names_and_ends(house):
    house.office.plans.silence("h1", "door_open", at(2 * HOUR), why="搬家", who="li", now=T0)
    house.finds("door_open", Severity.MEDIUM)
    house.finds("leak", Severity.MEDIUM)
    await house.until(2 * HOUR - 1)
    assert {person for seconds, person in house.told() if seconds == 0} == {"zhang"}
    (waiting,) = [alert for alert in house.store.alerts() if alert.code == "door_open"]
    assert waiting.state is State.RAISED

    await house.until(2 * HOUR + 1)
    assert (2 * HOUR, "zhang") in house.told()


async def test_nothing_silences_a_call_for_help(house):
    house.office.plans.silence("g1", "", at(2 * HOUR), scope=Scope.GRID, why="演习", who="li", now=T0)
    for code in ("sos", "smoke", "co"):
        house.finds(code)
    await house.until(1)
    assert house.told()

    with pytest.raises(RegistrationError, match="'sos' is never silenced"):
        house.office.plans.silence("h1", "sos", at(HOUR), why="吵", who="li", now=T0)


async def test_a_restart_in_the_middle_of_the_night_changes_nothing(house):
    house.plans("quiet", "22:00-07:00", "g1", Scope.GRID)
    await house.until(TEN_PM + 60)
    house.finds("door_open", Severity.MEDIUM)
    house.finds("leak", Severity.MEDIUM)
    await house.until(TEN_PM + 3 * HOUR)
    house.restart()
    house.sleeps_until(SEVEN_AM + 600)
    await house.until(SEVEN_AM + 601)

    assert house.told() == [(SEVEN_AM + 600, "zhang")]


# --------------------------------------------------------------------------- what the office refuses


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda o: o.plans.put("h1", "bath_dwell", "90", why=" ", who="li", now=T0), "Please say why"),
        (lambda o: o.plans.put("h9", "bath_dwell", "90", why="x", who="li", now=T0), "There is no home 'h9'"),
        (lambda o: o.plans.put("g9", "bath_dwell", "90", scope=Scope.GRID, why="x", who="li", now=T0), "no grid 'g9'"),
        (lambda o: o.plans.put("1", "bath_dwell", "90", scope=Scope.AREA, why="x", who="li", now=T0), "no area '1'"),
        (lambda o: o.plans.put("g1", "pet", "yes", scope=Scope.GRID, why="x", who="li", now=T0), "said of one home"),
        (lambda o: o.plans.put("h1", "absence", "family", why="x", who="li", now=T0), "a way of its own"),
        (
            lambda o: o.plans.put("h1", "bath_dwell", "90", since=at(-1), why="x", who="li", now=T0),
            "begins now or later",
        ),
        (lambda o: o.plans.put("h1", "bath_dwell", "90", until=T0, why="x", who="li", now=T0), "end after it begins"),
        (lambda o: o.plans.end("h1", "bath_dwell", who="li", now=T0), "Nothing is planned"),
        (lambda o: o.plans.end("h1", "keep_alerts", who="li", now=T0), "Nothing is planned"),
        (lambda o: o.plans.silence("h1", "", at(25 * HOUR), why="x", who="li", now=T0), "within 24 hours"),
        (
            lambda o: o.plans.declare_absence("h1", Absence.FAMILY, T0 + timedelta(days=31), who="li", now=T0),
            "within 30 days",
        ),
        (lambda o: o.plans.expect_visit("h1", "nine", why="x", who="li", now=T0), "is written as"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(house, act, sentence):
    with pytest.raises(RegistrationError, match=sentence):
        act(house.office)


def test_every_act_stands_in_the_audit_trail_with_its_reason(house):
    house.plans("bath_dwell", "90")
    house.office.plans.end("h1", "bath_dwell", why="好了", who="li", now=at(60))
    house.office.plans.declare_absence("h1", Absence.HOSPITAL, at(HOUR), why="体检", who="daughter", now=at(120))
    house.office.plans.end_absence("h1", who="daughter", now=at(180))

    acts = [(act.what, act.who, dict(act.facts)["key"]) for act in house.store.acts("h1")][::-1]
    assert acts == [
        ("plan.home", "wang", "bath_dwell"),
        ("plan.end.home", "li", "bath_dwell"),
        ("plan.home", "daughter", "absence"),
        ("plan.end.home", "daughter", "absence"),
    ]


def test_declared_anew_an_absence_has_its_new_end(house):
    house.office.plans.declare_absence("h1", Absence.FAMILY, at(HOUR), who="li", now=T0)
    house.office.plans.declare_absence("h1", Absence.FAMILY, at(9 * HOUR), who="li", now=at(60))

    assert [line.key for line in house.registry.plan("h1", at(2 * HOUR))] == ["absence"]
    assert isinstance(house.registry.plan("h1", at(2 * HOUR))[0].until, datetime)
    assert house.registry.plan("h1", at(10 * HOUR)) == []


def test_a_journey_of_next_week_does_not_end_the_stay_of_today(house):
    house.office.plans.declare_absence("h1", Absence.HOSPITAL, at(5 * HOUR), who="li", now=T0)
    house.office.plans.declare_absence("h1", Absence.HOLIDAY, at(50 * HOUR), since=at(24 * HOUR), who="li", now=at(60))

    assert [line.value for line in house.registry.plan("h1", at(2 * HOUR))] == ["hospital"]
    assert house.registry.plan("h1", at(10 * HOUR)) == []
    assert [line.value for line in house.registry.plan("h1", at(30 * HOUR))] == ["holiday"]
