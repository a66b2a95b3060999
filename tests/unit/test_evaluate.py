"""How well a rule does: on stored history, on recordings, by what was found at the door, and muted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from test_commands import EXAMPLE, Terminal

from alerts import muted
from alerts.desk import Desk
from detectors import watch_over
from gateway.config import Refused
from gateway.domain import (
    Alert,
    Area,
    Finding,
    Grid,
    Home,
    Hub,
    Joined,
    Kind,
    Ladder,
    Outcome,
    Reading,
    Role,
    Room,
    Sensor,
    Severity,
    State,
)
from gateway.evaluate import Bar, Figures, Recorded, Report, picture, poisson_95, rules
from gateway.hindsight import precisions, suggestions, try_rule
from gateway.pipeline import Pipeline
from gateway.ports import Batch, Context
from gateway.registry import Registry
from gateway.stores.memory import MemoryAlerts, MemoryReadings, MemoryRegistry
from ingest.intake import Intake
from simulators.incidents import Result, judge, life_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 3, 2, tzinfo=SHANGHAI).astimezone(UTC)
HOME = Home(
    id="wang",
    code="A-101",
    name="王奶奶",
    grid="g1",
    zone=SHANGHAI,
    rooms=(Room(id="kitchen", name="厨房"),),
    hubs=(Hub(id="hub1", home="wang"),),
    sensors=(
        Sensor(id="pir", hub="hub1", address="pir", name="厨房", room="kitchen", role=Role.MOTION),
        Sensor(id="door", hub="hub1", address="door", name="大门", room="kitchen", role=Role.EXIT_DOOR),
    ),
)


def days(count: int, *, but_from: int = 24, until: int = 24) -> list[Reading]:
    """Somebody moves every half hour by day and every three hours at night; one afternoon a week she rests."""
    readings = []
    for minute in range(0, count * 24 * 60, 30):
        day, of_day = divmod(minute, 24 * 60)
        hour = of_day // 60
        rests = (day % 7 == 6 and but_from <= hour < until) or ((hour < 6 or hour >= 22) and of_day % 180)
        for second in () if rests else (0, 70):
            at = BEGIN + timedelta(minutes=minute, seconds=second)
            readings.append(Reading("wang", "pir", "kitchen", Kind.MOTION, 1.0, at, at, len(readings) + 1))
        for sensor in ("pir", "door"):  # each reports by itself
            at = BEGIN + timedelta(minutes=minute + 10)
            readings.append(Reading("wang", sensor, "kitchen", Kind.ALIVE, 1.0, at, at, len(readings) + 1))
    return readings


def an_office(readings: list[Reading]) -> tuple[MemoryReadings, MemoryRegistry, MemoryAlerts]:
    alerts = MemoryAlerts()
    registry, stored = MemoryRegistry(alerts.trail), MemoryReadings()
    Registry(registry, str).register(
        areas=[Area(code="a", name="a", level="community")],
        grids=[Grid(code="g1", name="一", community="a")],
        homes=[HOME],
        who="test",
        now=BEGIN,
    )
    stored.commit(Batch(readings=readings, last_arrival=len(readings)))
    return stored, registry, alerts


# --------------------------------------------------------------------------- stored history


def test_a_rule_replayed_with_another_limit_says_which_alerts_come_and_go():
    stored, registry, _ = an_office(days(21, but_from=13, until=17))
    plain, now = {"learns": False}, BEGIN + timedelta(days=21)

    tried = try_rule(
        HOME,
        "inactivity",
        plain,
        {**plain, "by_day": timedelta(hours=5)},
        readings=stored,
        directory=registry,
        weeks=2,
        now=now,
    )

    assert tried.weeks == 2
    assert len(tried.before) == len(tried.gone) == 2
    assert tried.after == ()
    assert {found.code for found in tried.before} == {"shadow/inactivity"}


def test_a_hole_that_is_written_down_is_no_silence_in_the_replay():
    readings = days(2)
    noon = BEGIN + timedelta(days=1, hours=18)
    heard = [r for r in readings if not BEGIN + timedelta(days=1, hours=8) < r.at < noon]
    mark = Reading("wang", "hub1", "", Kind.RETURNED, 10 * 3600.0, noon, noon, len(readings) + 1)
    stored, registry, _ = an_office([*heard, mark])

    tried = try_rule(
        HOME,
        "inactivity",
        {"learns": False},
        {},
        readings=stored,
        directory=registry,
        weeks=1,
        now=BEGIN + timedelta(days=2),
    )

    assert tried.before == ()


def test_at_the_terminal_it_prints_alerts_per_home_week(tmp_path: Path):
    at = Terminal(tmp_path)
    at("homes import", str(EXAMPLE))

    assert "Name a rule with --rule" in at.refused("evaluate")
    assert "There is no rule 'inactvity'" in at.refused("evaluate --rule inactvity")
    assert "has no option ['bugdet']" in at.refused("evaluate --rule inactivity --set bugdet=2")
    assert "Nothing is stored" in at.refused("evaluate --rule inactivity --set budget=2")
    assert "No alert of this time has been closed" in at.refused("evaluate suggest")


# --------------------------------------------------------------------------- verdicts


def a_finding(code: str, number: int, **facts: str) -> Finding:
    at = BEGIN + timedelta(days=number)
    told = (("elapsed_s", "2700"), *facts.items())
    return Finding(home="wang", code=code, severity=Severity.HIGH, since=at, at=at, facts=told)


def closed(alerts: MemoryAlerts, *outcomes: Outcome, code: str = "bath_dwell") -> None:
    for number, outcome in enumerate(outcomes):
        found = a_finding(code, number, limit_s="2700")
        alert = Alert(
            id=found.id,
            home="wang",
            code=code,
            subject="",
            severity=Severity.HIGH,
            state=State.CLOSED,
            ladder=Ladder(rungs=()),
            raised_at=found.at,
            finding=found,
            outcome=outcome,
        )
        with alerts.begin() as ledger:
            ledger.save(alert)


def test_what_was_found_says_how_often_a_rule_was_right():
    _, _, alerts = an_office([])
    closed(alerts, Outcome.ELDER_SAFE, Outcome.ASSISTANCE_GIVEN, Outcome.NO_ACCESS, Outcome.ELDER_SAFE)

    (known,) = precisions(alerts, BEGIN, BEGIN + timedelta(days=9))

    assert (known.home, known.code, known.real, known.false, known.unsure) == ("wang", "bath_dwell", 1, 2, 1)
    assert known.share == pytest.approx(1 / 3)


def an_incident(alerts: MemoryAlerts, outcome: Outcome, leads: str, *beside: str) -> None:
    closed(alerts, outcome, code=leads)
    (alert,) = alerts.raised(BEGIN, BEGIN + timedelta(days=1))
    also = tuple(Joined(finding=a_finding(code, 0, limit_s="2700"), count=2) for code in beside)
    with alerts.begin() as ledger:
        ledger.save(replace(alert, also=also))


def judged(alerts: MemoryAlerts) -> dict[str, tuple[int, int, int]]:
    known = precisions(alerts, BEGIN, BEGIN + timedelta(days=9))
    return {one.code: (one.real, one.false, one.unsure) for one in known}


def test_how_she_was_found_speaks_of_every_rule_of_the_incident():
    _, _, alerts = an_office([])
    an_incident(alerts, Outcome.ASSISTANCE_GIVEN, "bath_dwell", "inactivity", "not_up")

    assert judged(alerts) == {"bath_dwell": (1, 0, 0), "inactivity": (1, 0, 0), "not_up": (1, 0, 0)}


def test_a_button_that_was_touched_by_mistake_says_nothing_of_her_silence():
    _, _, alerts = an_office([])
    an_incident(alerts, Outcome.ACCIDENTAL_PRESS, "sos", "inactivity")

    assert judged(alerts) == {"sos": (0, 1, 0), "inactivity": (0, 0, 1)}


def test_a_rule_that_is_wrong_again_and_again_is_suggested_to_be_milder_here():
    _, _, alerts = an_office([])
    closed(alerts, *[Outcome.ELDER_SAFE] * 4)

    (made,) = suggestions(precisions(alerts, BEGIN, BEGIN + timedelta(days=9)), {})

    assert (made.key, made.present, made.value) == ("room.limit", 45, 68)


def test_the_budget_is_halved_where_inactivity_is_wrong_too_often():
    _, _, alerts = an_office([])
    closed(alerts, *[Outcome.ELDER_SAFE] * 3, code="inactivity")
    known = precisions(alerts, BEGIN, BEGIN + timedelta(days=9))

    assert [made.value for made in suggestions(known, {})] == [0.5]
    assert [made.value for made in suggestions(known, {"wang": {"inactivity.budget": "2"}})] == [1]


@pytest.mark.parametrize(
    ("code", "outcomes"),
    [
        ("bath_dwell", [Outcome.ELDER_SAFE] * 2),
        ("bath_dwell", [Outcome.ELDER_SAFE] * 3 + [Outcome.REAL_EMERGENCY]),
        ("sos", [Outcome.ACCIDENTAL_PRESS] * 9),
        ("smoke", [Outcome.ELDER_SAFE] * 9),
    ],
)
def test_nothing_is_suggested_by_chance_or_for_what_calls_for_help(code, outcomes):
    _, _, alerts = an_office([])
    closed(alerts, *outcomes, code=code)

    assert list(suggestions(precisions(alerts, BEGIN, BEGIN + timedelta(days=20)), {})) == []


# --------------------------------------------------------------------------- muted


def test_what_a_muted_rule_finds_is_kept_and_pages_nobody():
    stored, registry, alerts = an_office([])
    pipeline = Pipeline(
        intake=Intake(registry),
        directory=registry,
        readings=stored,
        desk=Desk(alerts, registry),
        options={"inactivity": {"learns": False}},
        shadow={"inactivity": {"by_day": timedelta(hours=2)}},
    )
    pipeline.start(BEGIN)
    pipeline._tell([a_finding("shadow/inactivity", 0, limit_s="7200")], BEGIN)

    (kept,) = muted.heard_of(alerts, "wang")
    assert kept.what == "shadow/inactivity"
    assert dict(kept.facts)["limit_s"] == "7200"
    assert alerts.alerts() == []
    assert pipeline.counts.findings == 0


def test_a_shadow_finds_by_its_own_setting_beside_the_live_one():
    watch = watch_over(HOME, {"inactivity": {"learns": False}}, {"inactivity": {"by_day": timedelta(hours=2)}})
    last = BEGIN + timedelta(hours=9)
    for at in (last - timedelta(seconds=70), last):
        watch.observe(Reading("wang", "pir", "kitchen", Kind.MOTION, 1.0, at, at), Context())
    watch.recall_heard(last + timedelta(hours=4))

    told = {f.code: f.at - last for f in watch.tick(last + timedelta(hours=4), Context())}

    assert told == {"shadow/inactivity": timedelta(hours=2), "inactivity": timedelta(hours=3)}


# --------------------------------------------------------------------------- recordings


def test_who_falls_in_a_recorded_home_is_found_and_who_lives_on_is_not():
    life = life_of(HOME, days(24), timedelta(days=10))

    result = judge(life, lambda home: watch_over(home), per_home=20)

    assert result.false == []
    assert len(result.by_day) + len(result.by_night) >= 20
    assert result.missed == result.outages_wrong == 0
    assert max(result.by_day) < timedelta(hours=8)
    assert max(result.outages) <= timedelta(minutes=5)


def test_the_same_seed_draws_the_same_incidents():
    life = life_of(HOME, days(18), timedelta(days=10))

    one, same, other = (judge(life, lambda home: watch_over(home), per_home=10, seed=seed) for seed in (1, 1, 2))

    assert one.by_day == same.by_day
    assert one.by_day != other.by_day


def test_a_recording_is_named_in_one_word():
    recorded = Recorded.parse("wang=casas:data/wang.txt.gz:FrontDoor,Balcony:9")

    assert (recorded.name, recorded.format, recorded.exits) == ("wang", "casas", ("FrontDoor", "Balcony"))
    assert recorded.learns == timedelta(days=9)
    with pytest.raises(Refused, match="name=format:path"):
        Recorded.parse("data/wang.txt.gz")


def test_a_bar_says_whether_it_is_met_and_is_not_asked_of_a_diary_where_it_has_none():
    figures = Figures(Result(days=30.0, by_day=[timedelta(hours=2)]))
    bar = Bar("by day, median", lambda f: f.day_median_h, 2.3, unit=" h")

    assert bar.line(figures, is_sparse=False).split()[-1] == "✓"
    assert bar.line(figures, is_sparse=True) is None


def test_no_false_alarm_in_few_days_says_little():
    low, high = poisson_95(0)

    assert (low, round(high, 1)) == (0.0, 3.7)


def test_the_picture_has_a_frame_for_each_home():
    life = life_of(HOME, days(16), timedelta(days=10))
    report = Report([life])
    report.tried = {("wang", rule.name): Figures(Result(days=6.0)) for rule in rules()}

    assert picture(report).count("wang: hours until told") == 1
    assert len(list(report.lines())) > 10
