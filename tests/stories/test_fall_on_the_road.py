"""From a wearable's batches and a radar's words to an alert that somebody is called for, through a restart."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.desk import Desk
from gateway.domain import Alert, Area, Duty, Grid, Home, Hub, Kind, Person, Reach, Role, Room, Sensor, Severity
from gateway.pipeline import Pipeline
from gateway.ports import Message
from gateway.registry import Registry
from gateway.stores.memory import MemoryAlerts, MemoryReadings, MemoryRegistry
from ingest.intake import Intake
from simulators.falls import HERTZ, Wearer, message, record, windows

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NINA = Wearer(number=7, is_old=True, at_waist=False, vigour=0.8, limit_g=16, noise_g=0.01, hertz=50)


class Flat:
    """A radar over the bath, a watch on her wrist, and a gateway that may be started anew."""

    def __init__(self) -> None:
        self.alerts = MemoryAlerts()
        self.registry = MemoryRegistry(self.alerts.trail)
        self.readings = MemoryReadings()
        places = (("radar", Role.FALL, "bath"), ("watch", Role.FALL, "living"), ("pir", Role.MOTION, "kitchen"))
        home = Home(
            id="h1",
            code="A-101",
            name="王奶奶",
            grid="g1",
            zone=ZoneInfo("Asia/Shanghai"),
            rooms=tuple(Room(id=room, name=room) for _, _, room in places),
            hubs=(Hub(id="hub1", home="h1", interval=timedelta(minutes=1)),),
            sensors=tuple(Sensor(id=n, hub="hub1", address=n, name=n, room=r, role=role) for n, role, r in places),
        )
        worker = Person(id="zhang", name="张师傅", reaches=(Reach(channel="console"),))
        Registry(self.registry, str).register(
            areas=[Area(code="a", name="a", level="community")],
            grids=[Grid(code="g1", name="一", community="a")],
            people=[(worker, [(Duty.GRID_WORKER, "g1")])],
            homes=[home],
            who="test",
            now=NOON,
        )
        self.now = NOON
        self.start()

    def start(self) -> "Flat":
        self.pipeline = Pipeline(
            intake=Intake(self.registry),
            directory=self.registry,
            readings=self.readings,
            desk=Desk(self.alerts, self.registry),
        )
        self.pipeline.start(self.now)
        return self

    def hears(self, sensor: str, report: dict) -> "Flat":
        payload = json.dumps(report).encode()
        self.pipeline.handle([Message(f"shouwang/hub1/plain/{sensor}", payload, self.now, urgent=True)], self.now)
        return self

    def after(self, seconds: int) -> "Flat":
        for _ in range(seconds // 5):
            self.now += timedelta(seconds=5)
            self.hears("hub", {"kind": "heartbeat"})
            self.pipeline.tick(self.now, NOON)
        return self

    def falls_with_the_watch(self) -> "Flat":
        """The device sends what it felt, four seconds after the knock."""
        samples = record("topples", NINA, 1).samples
        first, last = next(windows(samples))
        began = self.now - timedelta(seconds=(last - first) / HERTZ)
        return self.hears("sos/watch", message(samples[first:last], began))

    def lies(self, seconds: int) -> "Flat":
        """Ten seconds at a time, as the documents ask for."""
        for _ in range(seconds // 10):
            self.after(10)
            self.hears("sos/watch", message([(0.6, 0.8, 0.02)] * (10 * HERTZ), self.now - timedelta(seconds=10)))
        return self

    @property
    def alert(self) -> Alert:
        (alert,) = (one for one in self.alerts.alerts() if one.code == "fall")
        return alert

    @property
    def is_calm(self) -> bool:
        return not [one for one in self.alerts.alerts() if one.code == "fall"]


@pytest.fixture
def flat() -> Flat:
    return Flat()


def test_who_falls_with_a_watch_and_lies_still_is_an_emergency_after_a_minute(flat):
    flat.falls_with_the_watch().lies(50)
    assert flat.is_calm

    flat.lies(30)
    assert flat.alert.severity is Severity.EMERGENCY
    assert flat.alert.finding.fact("rule") == "still"


def test_a_fall_is_two_readings_and_the_minute_after_it_none(flat):
    flat.falls_with_the_watch().lies(120)

    kinds = [one.kind for one in flat.readings.readings("h1", NOON - timedelta(hours=1), NOON + timedelta(hours=1))]
    assert [kind for kind in kinds if kind in (Kind.IMPACT, Kind.STIRS)] == [Kind.IMPACT, Kind.STIRS]


def test_a_watch_and_a_radar_are_an_emergency_at_once(flat):
    flat.falls_with_the_watch()
    flat.after(10).hears("sos/radar", {"kind": "maybe_fall", "value": 1})

    assert flat.alert.severity is Severity.EMERGENCY
    assert flat.alert.finding.fact("sources") == "watch:impact,radar:maybe_fall"


def test_a_radar_alone_asks_first_and_becomes_an_emergency_of_the_same_alert(flat):
    flat.hears("sos/radar", {"kind": "fall", "value": 1})
    first = flat.alert
    assert first.severity is Severity.HIGH

    flat.after(65)
    assert (flat.alert.id, flat.alert.severity) == (first.id, Severity.EMERGENCY)


def test_the_same_batch_heard_again_changes_nothing(flat):
    flat.falls_with_the_watch().falls_with_the_watch().lies(90)

    assert flat.alert.severity is Severity.EMERGENCY
    assert len(flat.readings.newest("h1", [Kind.IMPACT], 9)) == 1


def test_a_gateway_that_is_started_anew_within_the_minute_still_tells(flat):
    flat.falls_with_the_watch().lies(30)
    flat.start().lies(40)

    assert flat.alert.severity is Severity.EMERGENCY
