"""What every detector must keep, asked of each, also of the one that does not exist yet."""

import random
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from paced import CONTEXT, live_through

from detectors import DETECTORS, Watch, watch_over
from gateway.domain import Home, Hub, Kind, Reading, Role, Room, Sensor

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def flat(zone: str = "Asia/Shanghai", interval: timedelta | None = None) -> Home:
    return Home(
        id="h1",
        code="A-101",
        name="王奶奶",
        grid="g1",
        zone=ZoneInfo(zone),
        rooms=(Room(id="kitchen", name="厨房"), Room(id="hall", name="门口")),
        hubs=(Hub(id="hub1", home="h1", interval=interval),),
        sensors=(Sensor(id="door", hub="hub1", address="door", name="大门", room="hall", role=Role.EXIT_DOOR),),
    )


def a_life(seed: int, days: int = 12) -> list[Reading]:
    """Twelve days of a home: nights, silences long enough to be told, outings, presses, measurements between."""
    chance = random.Random(seed)
    readings: list[Reading] = []
    at, end = BEGIN, BEGIN + timedelta(days=days)
    arrival = 0
    while at < end:
        at += timedelta(seconds=chance.choice([40, 70, 90, 300, 1500, 5400, 11000, 24000]) * chance.uniform(0.5, 1.5))
        kind, value = chance.choice(
            [(Kind.MOTION, 1)] * 8
            + [(Kind.MOTION, 0), (Kind.DOOR, 1), (Kind.DOOR, 0), (Kind.BED, 1), (Kind.BED, 0), (Kind.OPENING, 1)]
            + [(Kind.TEMPERATURE, 20.5), (Kind.BATTERY, 90), (Kind.SOS, 1), (Kind.SMOKE, 1), (Kind.SMOKE, 0)]
        )
        arrival += 1
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        readings.append(Reading("h1", kind.value, "kitchen", kind, float(value), at, at, arrival=arrival))
    return readings


def only(name: str, **home) -> Watch:
    flat_ = flat(**home)
    return Watch(flat_, {name: DETECTORS[name](flat_)})


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("seed", range(5))
def test_same_days_same_findings(name, seed):
    life = a_life(seed)

    assert live_through(only(name), life) == live_through(only(name), life)


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("seed", range(5))
def test_extra_ticks_change_nothing(name, seed):
    life = a_life(seed)

    assert live_through(only(name), life) == live_through(only(name), life, tick=timedelta(minutes=7))


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("seed", range(5))
def test_a_reading_heard_twice_counts_once(name, seed):
    life = a_life(seed)
    doubled = [again for reading in life for again in (reading, reading)]

    once = {finding.id for finding in live_through(only(name), life)}
    twice = {finding.id for finding in live_through(only(name), doubled)}

    # A lone pulse doubled is still one pulse, so nothing comes to life by being heard twice.
    assert once == twice


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("seed", range(3))
def test_restored_is_replayed(name, seed):
    life = a_life(seed)
    for cut in random.Random(seed).sample(range(1, len(life)), 8):
        straight = only(name)
        live_through(straight, life[:cut])
        restored = only(name)
        wire = msgspec.msgpack.decode(msgspec.msgpack.encode(straight.checkpoint()))

        assert restored.restore(wire)
        assert live_through(restored, life[cut:]) == live_through(straight, life[cut:])
        assert restored.checkpoint() == straight.checkpoint()


@pytest.mark.parametrize("name", DETECTORS)
def test_a_checkpoint_of_another_make_is_refused(name):
    watch = only(name)
    state = watch.checkpoint()

    assert not watch.restore({**state, "version": 99})
    assert not watch.restore({**state, "detectors": {name: {"no_such_field": 1}}})


@pytest.mark.parametrize("name", DETECTORS)
def test_measurements_and_batteries_are_passed_over(name):
    dull = [Kind.TEMPERATURE, Kind.BATTERY, Kind.LINK, Kind.VOLTAGE, Kind.AVAILABLE, Kind.HUMIDITY]
    readings = [
        Reading(
            "h1", "s", "hall", dull[n % len(dull)], float(n), BEGIN + timedelta(hours=n), BEGIN + timedelta(hours=n)
        )
        for n in range(60)
    ]

    assert live_through(only(name), readings, tick=timedelta(minutes=20)) == []


@pytest.mark.parametrize("name", DETECTORS)
def test_it_says_in_a_sentence_what_it_notices(name):
    assert len((DETECTORS[name].__doc__ or "").split("\n")[0]) > 30


@pytest.mark.parametrize("name", DETECTORS)
def test_every_finding_can_say_why(name):
    for finding in live_through(only(name), a_life(1)):
        assert finding.facts
        assert finding.since <= finding.at


@pytest.mark.parametrize("name", DETECTORS)
def test_its_state_is_small_and_plain(name):
    watch = only(name)
    live_through(watch, a_life(2, days=60))

    assert len(msgspec.msgpack.encode(watch.checkpoint())) <= 4096
    for field in fields(watch.detectors[name].state):
        assert not callable(getattr(watch.detectors[name].state, field.name))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York"])
def test_a_change_of_the_clock_neither_hides_nor_invents(zone):
    """Across both changes of the hour the quiet spell that is told is the one that was long enough in real time."""
    for change in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        last = change - timedelta(hours=1)
        watch = watch_over(flat(zone))
        found = []
        for at in (last - timedelta(seconds=60), last):
            found += watch.observe(Reading("h1", "pir", "kitchen", Kind.MOTION, 1.0, at, at), CONTEXT)
        found += watch.tick(last + timedelta(hours=30), CONTEXT)
        (told,) = found

        assert timedelta(hours=6) <= told.at - told.since <= timedelta(hours=10)


@pytest.mark.faulty
def test_a_broken_detector_does_not_blind_the_others():
    class Broken:
        """Falls at every reading."""

        def __init__(self) -> None:
            self.state = DETECTORS["emergency"](flat()).state

        def observe(self, reading, context):
            raise ZeroDivisionError

        def tick(self, now, context):
            return ()

        def due(self):
            return None

    home = flat()
    watch = Watch(home, {"broken": Broken(), "emergency": DETECTORS["emergency"](home)})
    press = Reading("h1", "button", "hall", Kind.SOS, 1.0, BEGIN, BEGIN)
    found = watch.observe(press, CONTEXT) + watch.observe(replace(press, at=BEGIN + timedelta(hours=1)), CONTEXT)

    assert [f.code for f in found] == ["detector_failed", "sos", "sos"]
