"""What every detector must keep, asked of the one that hears of falls, with a life in which somebody falls."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from paced import live_through

from detectors import DETECTORS, Watch
from gateway.domain import Home, Hub, Kind, Reading, Role, Room, RoomKind, Sensor
from gateway.domain.impact import LEVELS, TRAITS, Impact

BEGIN = datetime(2026, 3, 20, tzinfo=UTC)
UNTIL = BEGIN + timedelta(days=12)  # over the change of the hour
ROOMS = {"bath": RoomKind.BATHROOM, "kitchen": RoomKind.KITCHEN, "living": RoomKind.LIVING}
LIKE_A_FALL = (8, 9, 6, 5, 9, 10, 10, 2, 6, 7, 2, 7, 7)


def a_home(zone: str = "Europe/Berlin") -> Home:
    radar = Sensor(id="radar", hub="hub", address="radar", name="", room="bath", role=Role.FALL)
    eyes = (Sensor(id=room, hub="hub", address=room, name="", room=room, role=Role.MOTION) for room in ROOMS)
    return Home(
        id="h1",
        code="A-1",
        name="",
        grid="g",
        zone=ZoneInfo(zone),
        rooms=tuple(Room(id=name, name=name, kind=kind) for name, kind in ROOMS.items()),
        hubs=(Hub(id="hub", home="h1", interval=None),),
        sensors=(radar, *eyes),
    )


def a_life_with_falls(seed: int) -> list[Reading]:
    """Radars that suspect, are sure and change their minds; knocks and falls of a watch; steps, doors, beds between."""
    chance = random.Random(seed)
    readings: list[Reading] = []
    at = BEGIN
    while at < UNTIL:
        at += timedelta(seconds=chance.choice([3, 8, 25, 50, 70, 130, 400, 3000]) * chance.uniform(0.5, 1.5))
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        levels = tuple(min(max(level + chance.randint(-2, 2), 0), LEVELS - 1) for level in LIKE_A_FALL)
        sensor, room, kind, value = chance.choice(
            [(room, room, Kind.MOTION, 1.0) for room in ROOMS]
            + [("door", "hall", Kind.DOOR, 1.0), ("bed", "bedroom", Kind.BED, chance.choice([0.0, 1.0]))]
            + [("radar", "bath", Kind.MAYBE_FALL, chance.choice([1.0, 1.0, 0.0]))]
            + [("radar", "bath", Kind.FALL, chance.choice([1.0, 0.0]))]
            + [("watch", "living", Kind.IMPACT, Impact(levels).packed())]
            + [("watch", "living", Kind.STIRS, chance.choice([0.0, 1.0]))]
        )
        subject = chance.choice(["", "", "wang", "li"]) if sensor == "watch" else ""
        number = len(readings) + 1
        readings.append(Reading("h1", sensor, room, kind, value, at, at, arrival=number, seq=number, subject=subject))
    return readings


def watch(zone: str = "Europe/Berlin") -> Watch:
    home = a_home(zone)
    return Watch(home, {"fall": DETECTORS["fall"](home)})


@pytest.mark.parametrize("seed", range(6))
def test_falls_are_told_the_same_at_any_tick_pace(seed):
    life = a_life_with_falls(seed)
    found = live_through(watch(), life)

    assert found == live_through(watch(), life) == live_through(watch(), life, tick=timedelta(seconds=7))
    assert {one.fact("rule") for one in found} >= {"sure", "suspected", "together", "unrecovered"}
    assert {one.code for one in found} == {"fall"}


@pytest.mark.parametrize("seed", range(6))
def test_a_fall_heard_twice_is_one(seed):
    life = a_life_with_falls(seed)
    doubled = [again for reading in life for again in (reading, reading)]

    assert live_through(watch(), doubled) == live_through(watch(), life)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_known_of_falls_is_restored_as_replayed(seed):
    life = a_life_with_falls(seed)
    for cut in random.Random(seed).sample(range(1, len(life)), 12):
        straight, restored = watch(), watch()
        live_through(straight, life[:cut])
        wire = msgspec.msgpack.encode(straight.checkpoint())

        assert len(wire) <= 1024
        assert restored.restore(msgspec.msgpack.decode(wire))
        assert live_through(restored, life[cut:]) == live_through(straight, life[cut:])
        assert restored.checkpoint() == straight.checkpoint()


@pytest.mark.parametrize("seed", range(4))
def test_falls_shuffled_and_late_break_nothing_and_lose_no_sure_one(seed):
    chance = random.Random(seed)
    life = a_life_with_falls(seed)
    late = sorted(life, key=lambda r: r.at + timedelta(seconds=chance.choice([0, 0, 0, 90, 1200])))
    found = live_through(watch(), late)

    assert {one.code for one in found} == {"fall"}
    assert all(one.since <= one.at for one in found)
    # Every sure word is told, or belongs to one within ten minutes of it that is.
    begun = [one.since for one in found]
    for reading in life:
        if reading.kind is Kind.FALL and reading.value:
            assert any(abs(reading.at - since) <= timedelta(minutes=10) for since in begun), reading


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_falls_know_no_clock(zone):
    life = a_life_with_falls(1)

    assert live_through(watch(zone), life) == live_through(watch(), life)


def test_each_finding_carries_how_sure_it_is_and_why():
    for one in live_through(watch(), a_life_with_falls(2)):
        assert 1 <= int(one.fact("confidence")) <= 99
        assert one.fact("sources") and one.fact("rule")
        assert int(one.fact("elapsed_s")) >= 0 and int(one.fact("limit_s")) > 0
    assert len(LIKE_A_FALL) == len(TRAITS)
