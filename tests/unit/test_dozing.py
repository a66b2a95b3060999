"""Homes that sleep in their checkpoints: what is noticed in a county is what would be noticed in a village."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerts.desk import Desk
from gateway.domain import Area, Duty, Grid, Home, Hub, Kind, Override, Person, Reach, Role, Room, RoomKind, Sensor
from gateway.pipeline import AWAKE_AT_A_START, AWAKE_AT_MOST, MISSED_AT_MOST, TICK_US, Pipeline, _unpacked
from gateway.ports import Message
from gateway.registry import Registry
from gateway.stores.memory import MemoryAlerts, MemoryReadings, MemoryRegistry
from ingest.intake import Intake
from ingest.known import recalled

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # noon in Shanghai
HOMES = ("h1", "h2")
DEVICES = (
    ("hall", Role.MOTION, "hall"),
    ("bath", Role.MOTION, "bath"),
    ("door", Role.EXIT_DOOR, "hall"),
    ("bed", Role.BED, "bedroom"),
    ("sos/cord", Role.SOS, "bath"),
)


def a_home(name: str) -> Home:
    rooms = (("hall", RoomKind.HALL), ("bath", RoomKind.BATHROOM), ("bedroom", RoomKind.BEDROOM))
    return Home(
        id=name,
        code=name,
        name=name,
        grid="g1",
        zone=ZoneInfo("Asia/Shanghai"),
        rooms=tuple(Room(id=room, name=room, kind=kind) for room, kind in rooms),
        hubs=(Hub(id=f"hub-{name}", home=name, interval=timedelta(minutes=1)),),
        sensors=tuple(
            Sensor(id=n.replace("/", "-"), hub=f"hub-{name}", address=n, name=n, room=room, role=role)
            for n, role, room in DEVICES
        ),
    )


class County:
    """Two homes on the road, of which so many are kept awake, and so many from a start on, which holds so much of what
    the others have missed."""

    def __init__(self, awake_at_most: int, at_a_start: int = AWAKE_AT_A_START, missed: int = MISSED_AT_MOST) -> None:
        self.awake_at_most, self.at_a_start, self.missed = awake_at_most, at_a_start, missed
        self.alerts = MemoryAlerts()
        self.registry = MemoryRegistry(self.alerts.trail)
        self.readings = MemoryReadings()
        self.now = NOON
        Registry(self.registry, str).register(
            areas=[Area(code="a", name="a", level="community")],
            grids=[Grid(code="g1", name="一", community="a")],
            people=[
                (Person(id="zhang", name="张师傅", reaches=(Reach(channel="console"),)), [(Duty.GRID_WORKER, "g1")])
            ],
            homes=[a_home(name) for name in HOMES],
            who="test",
            now=NOON,
        )
        self.start()

    def start(self) -> None:
        self.pipeline = Pipeline(
            intake=Intake(self.registry),
            directory=self.registry,
            readings=self.readings,
            desk=Desk(self.alerts, self.registry),
            awake_at_most=self.awake_at_most,
        )
        with patch.multiple("gateway.pipeline", AWAKE_AT_A_START=self.at_a_start, MISSED_AT_MOST=self.missed):
            self.pipeline.start(self.now)
        while self.pipeline.is_behind(self.now):
            self.pipeline.tick(self.now, NOON)

    def hears(self, home: str, topic: str, **said) -> None:
        self.pipeline.handle([Message(f"shouwang/hub-{home}/{topic}", json.dumps(said).encode(), self.now)], self.now)

    def told(self) -> list[tuple]:
        return sorted((a.home, a.code, a.raised_at, a.count, a.severity.value) for a in self.alerts.alerts())

    def stored(self) -> list[tuple]:
        found = (self.readings.readings(home, NOON, self.now + timedelta(days=1)) for home in HOMES)
        return [(r.home, r.sensor, r.kind, r.value, r.at, r.late) for readings in found for r in readings]

    def remembered(self) -> list[dict]:
        """What a checkpoint of each home would hold; by when it is to be asked next may be early, never late."""
        for home in self.pipeline._dozing.copy():
            self.pipeline._rouse(home)
        kept = [msgspec.msgpack.decode(_unpacked(self.pipeline._kept(home).state)) for home in HOMES]
        for one in kept:
            devices = one["values"]["sensors"]
            one["values"]["sensors"] = {name: recalled(packed) for name, packed in devices.items()}
        return [{"watch": one["watch"], "values": one["values"]} for one in kept]


def live(county: County, seed: int) -> None:
    """Half a day of two people: they move, sleep, go out, press; hubs fall silent; the gateway is restarted."""
    luck = random.Random(seed)
    silent_until = dict.fromkeys(HOMES, 0)
    for minute in range(6 * 60):
        county.now += timedelta(minutes=1)
        for home in HOMES:
            if minute < silent_until[home]:
                continue
            if luck.random() < 0.002:
                silent_until[home] = minute + luck.choice((5, 90))
            if luck.random() < 0.9:
                county.hears(home, "plain/hub", kind="heartbeat", at=county.now.isoformat())
            if luck.random() < 0.05:
                for room in luck.choices(("hall", "bath"), k=3):
                    county.hears(home, f"plain/{room}", kind="motion", value=1)
                    county.now += timedelta(seconds=3)
            if luck.random() < 0.004:
                county.hears(home, "plain/door", kind="door", value=luck.choice((0, 1)))
            if luck.random() < 0.003:
                county.hears(home, "plain/bed", kind="bed", value=luck.choice((0, 1)))
            if luck.random() < 0.004:
                county.hears(home, "plain/sos/cord", kind="sos", value=1)
        county.pipeline.tick(county.now, NOON)
        if luck.random() < 0.004:
            if luck.random() < 0.5:
                county.pipeline.keep_all()
            county.now += timedelta(minutes=luck.choice((0, 3)))
            county.start()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "laid_down", [(0,), (1,), (2, 0), (2, 0, 3)], ids=["both", "one", "at a start", "and little held"]
)
def test_who_sleeps_is_watched_like_who_is_awake(seed, laid_down):
    village, county = County(AWAKE_AT_MOST), County(*laid_down)
    live(village, seed)
    live(county, seed)

    assert village.told()
    assert county.told() == village.told()
    assert county.stored() == village.stored()
    assert county.remembered() == village.remembered()


def test_what_a_start_cannot_hold_is_remembered_once_also_behind_a_checkpoint_of_another_make():
    village, county = County(AWAKE_AT_MOST), County(AWAKE_AT_MOST, at_a_start=0, missed=2)
    for one in (village, county):
        one.hears("h1", "plain/hall", kind="motion", value=1)
        one.hears("h2", "plain/hall", kind="motion", value=1)
        one.pipeline.keep_all()
        (theirs,) = [kept for kept in one.readings.checkpoints() if kept.home == "h1"]
        one.readings.keep([replace(theirs, state=b"of another make")], one.readings.settled())
        for minute in range(8):
            one.now += timedelta(minutes=1)
            one.hears(HOMES[minute % 2], f"plain/{('hall', 'bath')[minute // 2 % 2]}", kind="motion", value=1)
        one.start()

    assert county.remembered() == village.remembered()


def test_a_home_in_which_a_device_floods_stays_awake_until_that_is_told():
    county = County(awake_at_most=0)
    county.now += timedelta(minutes=1)  # just after a start a flood may be what was stored up
    for _ in range(400):
        county.hears("h1", "plain/hall", kind="motion", value=1)
    county.pipeline.tick(county.now, NOON)
    assert "h1" not in county.pipeline._dozing

    county.now += timedelta(minutes=2)
    county.hears("h1", "plain/hall", kind="motion", value=1)
    county.pipeline.tick(county.now, NOON)

    assert "h1" in county.pipeline._dozing
    assert sum(r.value for r in county.readings.newest("h1", [Kind.CUT], 5)) == 200


def test_what_is_changed_in_a_home_that_sleeps_holds_when_it_wakes():
    county = County(awake_at_most=0)
    county.hears("h1", "plain/hall", kind="motion", value=1)
    county.pipeline.tick(county.now, NOON)
    home = a_home("h1")
    moved = [replace(s, room="bath") if s.id == "hall" else s for s in home.sensors]
    Registry(county.registry, str).register(homes=[replace(home, sensors=tuple(moved))], who="test", now=county.now)
    county.pipeline.tick(county.now, NOON)
    county.now += timedelta(minutes=1)
    county.hears("h1", "plain/hall", kind="motion", value=1)

    assert [r.room for r in county.readings.newest("h1", [Kind.MOTION], 2)] == ["bath", "hall"]


def test_only_a_device_wakes_a_home_and_not_the_heartbeat_of_its_hub():
    county = County(awake_at_most=0)
    county.hears("h1", "plain/hall", kind="motion", value=1)
    for _ in range(10):
        county.pipeline.tick(county.now, NOON)
        county.now += timedelta(seconds=60)
        county.hears("h1", "plain/hub", kind="heartbeat")

    assert "h1" in county.pipeline._dozing
    assert county.readings.heard()["h1"] == county.now
    assert county.told() == []


def test_no_tick_lays_more_than_a_few_to_sleep_and_the_next_follows_at_once(monkeypatch):
    """Whoever presses a button while a whole street wakes does not wait until it has fallen asleep again."""
    monkeypatch.setattr("gateway.pipeline.LAID_DOWN_AT_ONCE", 1)
    county = County(awake_at_most=0)
    pipeline, awake = county.pipeline, []

    for home in HOMES:
        pipeline._rouse(home)
    while pipeline.is_behind(county.now):
        awake.append(len(pipeline._watches))
        pipeline.tick(county.now, NOON)

    assert awake == [2, 1]
    assert not pipeline._watches


def test_whoever_lies_in_a_checkpoint_as_they_are_is_laid_down_without_another(monkeypatch):
    """In a county most have been written down since they last moved: to pack them once more would be half of all."""
    county, kept = County(awake_at_most=AWAKE_AT_MOST), []
    for home in HOMES:
        county.hears(home, "plain/hall", kind="motion", value=1)
    county.pipeline.keep_all()
    county.now += timedelta(seconds=20)
    county.hears("h1", "plain/bath", kind="motion", value=1)
    before = county.remembered()

    keep = county.readings.keep
    monkeypatch.setattr(
        county.readings,
        "keep",
        lambda some, settled, batch: keep([kept.append(one.home) or one for one in some], settled, batch),
    )
    county.pipeline._awake_at_most = 0
    county.pipeline.tick(county.now, NOON)

    assert kept == ["h1"]
    assert not county.pipeline._watches
    assert county.remembered() == before


@pytest.mark.parametrize("at_a_start", [0, AWAKE_AT_A_START])
def test_a_town_that_falls_silent_is_told_of_home_by_home(monkeypatch, at_a_start):
    """Whoever presses a button while every hub of a town falls silent does not wait until all of it is written down."""
    monkeypatch.setattr("gateway.pipeline.TOLD_US", TICK_US)
    county, told = County(AWAKE_AT_MOST, at_a_start), []
    for home in HOMES:
        county.hears(home, "plain/hub", kind="heartbeat")

    county.now += timedelta(minutes=5)
    while county.pipeline.is_behind(county.now):
        county.pipeline.tick(county.now, NOON)
        told.append(len(county.told()))

    assert told[:2] == [1, 2]


def test_of_many_ladders_that_are_due_a_tick_climbs_a_few_and_the_next_follows_at_once(monkeypatch):
    monkeypatch.setattr("alerts.desk.TIMERS_AT_ONCE", 1)
    county, due = County(awake_at_most=AWAKE_AT_MOST), []
    for home in HOMES:
        county.hears(home, "plain/sos/cord", kind="sos", value=1)

    county.now += timedelta(minutes=5)
    county.pipeline.tick(county.now, NOON)
    while county.pipeline.is_behind(county.now):
        due.append(len(county.alerts.timers_due(county.now)))
        county.pipeline.tick(county.now, NOON)

    assert due[0] == 1
    assert not county.alerts.timers_due(county.now)


@pytest.mark.parametrize("first", HOMES)
def test_a_press_is_somebodys_at_every_moment_while_its_hub_moves_to_another_home(monkeypatch, first):
    monkeypatch.setattr("gateway.pipeline.FOLLOW_US", TICK_US)  # a home in each tick
    county = County(awake_at_most=AWAKE_AT_MOST)
    h1, h2 = a_home("h1"), a_home("h2")
    moved = tuple(replace(sensor, hub="hub-h1") for sensor in h2.sensors)
    with county.registry.begin() as ledger:
        ledger.put_home(replace(h1, hubs=(), sensors=()), NOON)
        ledger.put_home(replace(h2, hubs=(Hub(id="hub-h1", home="h2"),), sensors=moved), NOON)
    county.pipeline._version = county.registry.version()
    county.pipeline._is_following = True
    county.pipeline._to_follow.extend([first, *(home for home in HOMES if home != first)])

    for _ in range(3):
        county.now += timedelta(minutes=2)
        county.hears("h1", "plain/sos/cord", kind="sos", value=1)
        county.pipeline.tick(county.now, NOON)

    assert [reading[0] for reading in county.stored() if reading[2] is Kind.SOS] in (["h1", "h2", "h2"], ["h2"] * 3)
    assert not county.pipeline.is_behind(county.now)


def test_a_line_for_a_district_is_read_for_a_few_homes_in_each_tick(monkeypatch):
    monkeypatch.setattr("gateway.pipeline.FOLLOW_US", TICK_US // 2)
    county = County(awake_at_most=AWAKE_AT_MOST)
    for home in HOMES:
        county.hears(home, "plain/hall", kind="motion", value=1)
    with county.registry.begin() as ledger:
        line = Override(area="a", key="inactivity", value="off", since=NOON, until=None, author="li", reason="试点")
        ledger.put_override(line)

    known = []
    for _ in range(3):
        county.pipeline.tick(county.now, NOON)
        known.append(sum(line in held.lines for held in county.pipeline._held.values()))

    assert known == [1, 2, 2]
    assert not county.pipeline.is_behind(county.now)
