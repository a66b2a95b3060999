"""A plan as a home lives by it: from its own time on, without a restart, and the same again when it is replayed."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain import Absence, Area, Finding, Grid, Home, Hub, Kind, Override, Role, Room, RoomKind, Scope, Sensor
from gateway.pipeline import TURN_US, Pipeline
from gateway.ports import Message
from gateway.registry import Registry
from gateway.stores.memory import MemoryReadings, MemoryRegistry
from ingest.intake import Intake

CHINA = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 5, 4, tzinfo=UTC)  # eight in the morning, where the home stands
DEVICES = (
    ("pir", "living", Role.MOTION),
    ("pir2", "living", Role.MOTION),
    ("bath", "bath", Role.MOTION),
    ("door", "hall", Role.EXIT_DOOR),
    ("mat", "bed", Role.BED),
    ("therm", "living", Role.CLIMATE),
)
ROOMS = {"living": RoomKind.LIVING, "bath": RoomKind.BATHROOM, "hall": RoomKind.HALL, "bed": RoomKind.BEDROOM}


class Listener:
    """Takes what was found, as the desk does."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def take(self, findings: Sequence[Finding], now: datetime) -> None:
        self.found += findings

    def tick(self, now: datetime) -> None:
        pass


class Street:
    """One home on a grid in a district, and the road over its stores; `start` is a new process on the same files."""

    def __init__(self) -> None:
        self.registry, self.readings = MemoryRegistry(), MemoryReadings()
        self.acts = Registry(self.registry, str)
        self.home = Home(
            id="h1",
            code="A-101",
            name="王奶奶",
            grid="g1",
            zone=CHINA,
            rooms=tuple(Room(id=name, name=name, kind=kind) for name, kind in ROOMS.items()),
            hubs=(Hub(id="hub1", home="h1", interval=None),),
            sensors=tuple(
                Sensor(id=name, hub="hub1", address=name, name=name, room=room, role=role)
                for name, room, role in DEVICES
            ),
        )
        self.acts.register(
            areas=[
                Area(code="d", name="区", level="district"),
                Area(code="c", name="社区", level="community", parent="d"),
            ],
            grids=[Grid(code="g1", name="一", community="c")],
            homes=[self.home],
            who="test",
            now=T0 - timedelta(days=1),
        )
        self.now = T0
        self.listener = Listener()
        self.start()

    def start(self) -> None:
        self.pipeline = Pipeline(
            intake=Intake(self.registry),
            directory=self.registry,
            readings=self.readings,
            desk=self.listener,
        )
        self.pipeline.start(self.now)

    def says(self, sensor: str, kind: str, value: float, at: datetime | None = None) -> None:
        said = {"kind": kind, "value": value, "ts": (at or self.now).isoformat()}
        topic = f"shouwang/hub1/plain/{sensor}"
        self.pipeline.handle([Message(topic, json.dumps(said).encode(), self.now)], self.now)

    def moves(self) -> None:
        """About in the living room, so that nobody takes it for a ghost."""
        self.says("pir", "motion", 1)
        self.now += timedelta(seconds=20)
        self.says("pir2", "motion", 1)

    def waits(self, tick: timedelta = timedelta(minutes=1), **span: float) -> None:
        end = self.now + timedelta(**span)
        while self.now < end:
            self.now = min(self.now + tick, end)
            self.pipeline.tick(self.now, T0)

    def goes_out(self) -> None:
        self.moves()
        self.now += timedelta(seconds=30)
        self.says("door", "door", 1)
        self.now += timedelta(seconds=10)
        self.says("door", "door", 0)

    def told(self, code: str) -> list[str]:
        """When it was told, on the home's clock."""
        return [f"{one.at.astimezone(CHINA):%d %H:%M}" for one in self.listener.found if one.code == code]

    def knows(self) -> dict:
        return self.pipeline._watches["h1"].checkpoint()


@pytest.fixture
def street() -> Street:
    return Street()


def test_a_limit_holds_from_the_moment_on_at_which_it_is_said_without_a_restart(street):
    street.acts.plans.put("h1", "inactivity.by_day", "12", why="午睡", who="li", now=street.now)
    street.acts.plans.put("h1", "inactivity.at_any_time", "14", why="午睡", who="li", now=street.now)
    street.moves()
    street.waits(hours=13)
    assert street.told("inactivity") == ["04 20:00"]

    street.moves()
    street.waits(hours=1)
    street.acts.plans.end("h1", "inactivity.at_any_time", who="li", now=street.now)
    street.acts.plans.end("h1", "inactivity.by_day", who="li", now=street.now)
    street.waits(hours=20)
    assert len(street.told("inactivity")) == 2


def test_a_line_for_a_district_comes_to_all_its_homes_and_to_a_few_at_once(street, monkeypatch):
    """Nobody who presses a button waits until ten thousand homes have changed their limits."""
    names = [f"n{n}" for n in range(5)]
    homes = [replace(street.home, id=name, code=name, hubs=(), sensors=()) for name in names]
    street.acts.register(homes=homes, who="test", now=street.now)
    street.waits(minutes=1)
    monkeypatch.setattr("gateway.pipeline.TICK_US", 2 * TURN_US)
    for name in names:
        street.pipeline._plan(street.pipeline._watches[name], street.now, [])
    street.acts.plans.put("d", "inactivity.by_day", "9", scope=Scope.AREA, why="试点", who="li", now=street.now)

    def reached() -> int:
        watches = street.pipeline._watches.values()
        return sum(watch.detectors["inactivity"].by_day == timedelta(hours=9) for watch in watches)

    counts = []
    for _ in range(4):
        street.now += timedelta(seconds=2)
        street.pipeline.tick(street.now, T0)
        counts.append(reached())
    assert counts == [2, 4, 5, 5], "the sixth home has not been heard yet: it learns of it with its first reading"
    street.moves()
    assert reached() == 6


def test_the_household_has_the_last_word_over_grid_and_district(street):
    at = {"why": "试点", "who": "li", "now": street.now}
    street.acts.plans.put("d", "doors.open_by_day", "60", scope=Scope.AREA, **at)
    street.acts.plans.put("g1", "doors.open_by_day", "40", scope=Scope.GRID, **at)
    street.acts.plans.put("h1", "door_open", "25", **at)
    street.moves()
    street.says("door", "door", 1)
    street.waits(hours=2)
    assert street.told("door_open") == ["04 08:25"]

    street.says("door", "door", 0)
    street.acts.plans.end("h1", "door_open", who="li", now=street.now)
    street.waits(minutes=2)
    street.says("door", "door", 1)
    street.waits(hours=3)
    grids = timedelta(minutes=80)  # twice as long in a home that is new
    assert street.listener.found[-1].at - street.listener.found[-1].since == grids


def test_a_rule_that_is_switched_off_for_a_month_comes_back(street):
    end = street.now + timedelta(days=30)
    street.acts.plans.put("h1", "door_open", "off", until=end, why="装修", who="li", now=street.now)
    street.says("door", "door", 1)
    street.waits(timedelta(minutes=30), days=2)
    street.says("door", "door", 0)
    assert street.told("door_open") == []

    street.waits(timedelta(hours=1), days=29)
    street.says("door", "door", 1)
    street.waits(hours=4)
    assert len(street.told("door_open")) == 1


def test_what_a_rule_would_have_told_while_it_was_off_is_told_when_it_is_on_again(street):
    """A silence that lasts is as bad as it was; only the saying of it was put off."""
    end = street.now + timedelta(days=2)
    street.acts.plans.put("h1", "inactivity", "off", until=end, why="试用", who="li", now=street.now)
    street.moves()
    street.waits(timedelta(minutes=5), hours=47)
    assert street.told("inactivity") == []

    street.waits(timedelta(minutes=1), hours=1, minutes=6)
    assert len(street.told("inactivity")) == 1


def test_an_absence_of_twelve_days_is_silent_and_ends_by_itself(street):
    street.acts.plans.declare_absence(
        "h1", Absence.FAMILY, street.now + timedelta(days=12), who="daughter", now=street.now
    )
    street.goes_out()
    street.waits(timedelta(minutes=5), days=12)
    assert street.listener.found == []

    street.waits(timedelta(minutes=5), hours=7)
    assert street.told("not_returned") == ["16 13:56"], "six hours to come home in, from when it was last looked at"


def test_an_absence_that_ends_early_is_over(street):
    street.acts.plans.declare_absence("h1", Absence.HOSPITAL, street.now + timedelta(days=12), who="li", now=street.now)
    street.goes_out()
    street.waits(timedelta(minutes=5), days=3)
    assert street.acts.plans.end_absence("h1", why="出院", who="li", now=street.now)
    street.waits(timedelta(minutes=5), days=1)

    assert street.told("not_returned") == ["07 14:01"]
    assert not street.acts.plans.end_absence("h1", who="li", now=street.now)


def test_an_absence_ends_when_somebody_lives_there_again(street):
    def signs(home: str, since: datetime, until: datetime) -> list[datetime]:
        return [
            one.at for one in street.readings.readings(home, since, until) if one.is_event and one.kind is Kind.MOTION
        ]

    street.acts.plans.declare_absence(
        "h1", Absence.FAMILY, street.now + timedelta(days=12), who="daughter", now=street.now
    )
    street.goes_out()
    street.waits(timedelta(minutes=5), days=2)
    street.moves()  # the neighbour waters the flowers
    street.waits(minutes=8)
    street.moves()
    assert street.acts.plans.end_absences(signs, now=street.now) == []

    street.waits(timedelta(minutes=5), days=1)
    for _ in range(5):
        street.moves()
        street.waits(minutes=9)
    assert street.acts.plans.end_absences(signs, now=street.now) == ["h1"]
    assert street.acts.plans.end_absences(signs, now=street.now) == []

    street.waits(timedelta(minutes=5), hours=12)
    assert street.told("inactivity"), "she is watched as usual again"


def test_whoever_may_lose_the_way_is_an_emergency_at_night(street):
    with street.registry.begin() as ledger:
        ledger.put_override(
            Override(
                home="h1", key="dementia", value="yes", since=street.now, until=None, author="li", reason="profile"
            )
        )
    street.waits(timedelta(minutes=30), hours=16)
    street.goes_out()
    street.waits(minutes=30)

    (out,) = [one for one in street.listener.found if one.code == "night_exit"]
    assert out.severity.is_emergency
    assert not any("dementia" in name + value for name, value in out.facts), "what is told says nothing of an illness"


def test_visitors_of_the_spring_festival_teach_nothing():
    """Sixteen quiet days, a week in which somebody is about at every hour, and the same quiet life again."""

    def lived(visitors: bool) -> dict:
        street = Street()
        street.now = datetime(2027, 1, 25, tzinfo=UTC)
        for day in range(24):
            is_festival = 11 <= day < 18  # from 5 to 12 February in the morning
            if not is_festival:
                for _ in range(6):
                    street.moves()
                    street.waits(timedelta(minutes=20), hours=2)
                street.waits(timedelta(hours=1), hours=12)
            else:
                for _ in range(24):
                    if visitors:
                        street.moves()
                    street.waits(timedelta(minutes=30), hours=1)
            street.now = street.now.replace(hour=0, minute=0, second=0)
        return street.knows()["detectors"]["inactivity"]

    with_visitors, alone = lived(True), lived(False)

    assert with_visitors["lived"] == alone["lived"] == 16
    quarters = [[day[0] for day in state["days"].values()] for state in (with_visitors, alone)]
    assert quarters[0] == quarters[1], "no hour in which only visitors are about counts as hers"


def test_who_reads_an_alert_is_told_what_else_may_have_moved(street):
    street.acts.plans.put("h1", "pet", "yes", why="猫", who="li", now=street.now)
    street.acts.plans.expect_visit("h1", "07:00-22:00", why="护工", who="li", now=street.now)
    street.says("door", "door", 1)
    street.waits(hours=2)

    (found,) = street.listener.found
    assert dict(found.facts)["plan"] == "visit,pet"


# --------------------------------------------------------------------------- lived, restored, replayed


def some_weeks(seed: int, *, tick: timedelta, restarts: bool) -> Street:
    """Three weeks of a home whose plan is changed again and again, with readings that come late."""
    chance, street = random.Random(seed), Street()
    kinds = [("pir", "motion"), ("pir2", "motion"), ("bath", "motion"), ("door", "door"), ("mat", "bed")]
    end, cuts = T0 + timedelta(days=21), random.Random(seed + 1)
    while street.now < end:
        street.waits(tick, minutes=chance.choice([1, 2, 2, 5, 20, 60, 240, 500]))
        sensor, kind = chance.choice(kinds)
        late = timedelta(minutes=chance.choice([0, 0, 0, 0, 30]))
        street.says(sensor, kind, chance.choice([1, 1, 0]), street.now - late)
        street.now += timedelta(seconds=1)  # nobody writes at the very moment at which somebody moves
        act = chance.random()
        who = {"why": "x", "who": "li", "now": street.now}
        later = street.now + timedelta(hours=chance.randint(1, 60))
        if act < 0.03:
            street.acts.plans.declare_absence("h1", Absence.HOLIDAY, later, who="li", now=street.now)
        elif act < 0.05:
            street.acts.plans.end_absence("h1", who="li", now=street.now)
        elif act < 0.08:
            street.acts.plans.put("h1", chance.choice(["bath_dwell", "door_open"]), "off", until=later, **who)
        elif act < 0.11:
            street.acts.plans.put(
                "g1", "inactivity.by_day", str(chance.randint(2, 9)), scope=Scope.GRID, until=later, **who
            )
        elif act < 0.14:
            street.acts.plans.put("h1", "night.begins", chance.choice(["20:30", "22:00"]), since=later, **who)
        elif act < 0.15:
            street.acts.plans.expect_visit("h1", "09:00-11:00", until=later, **who)
        if restarts and cuts.random() < 0.02:
            street.pipeline.keep_all()
            street.start()
    street.says("pir", "motion", 1)
    return street


@pytest.mark.parametrize("seed", range(6))
def test_what_was_lived_by_a_plan_is_what_is_replayed_and_restored(seed):
    lived = some_weeks(seed, tick=timedelta(minutes=1), restarts=False)
    knew, found = lived.knows(), lived.listener.found

    lived.readings.forget_checkpoints()
    lived.start()
    assert lived.knows() == knew, "replayed"

    restored = some_weeks(seed, tick=timedelta(minutes=1), restarts=True)
    assert restored.knows() == knew, "restored again and again"
    assert [one.id for one in restored.listener.found] == [one.id for one in found]


def test_the_pace_of_ticks_changes_nothing():
    fast, slow = (some_weeks(3, tick=timedelta(minutes=m), restarts=False) for m in (1, 7))

    assert fast.knows() == slow.knows()
    assert {one.id for one in fast.listener.found} == {one.id for one in slow.listener.found}
