"""What every detector must keep, asked of those that measure, with a life that has something to measure."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from measured_home import a_home
from paced import live_through

from detectors import DETECTORS, Watch
from gateway.domain import VITALS, Kind, Reading

MEASURING = ("environment", "water", "vitals")
BEGIN = datetime(2026, 3, 10, tzinfo=UTC)


def a_measured_life(seed: int, days: int = 24) -> list[Reading]:
    """Draughts and dry days, cold nights, bad and good measurements, movement and the door between."""
    chance = random.Random(seed)
    readings: list[Reading] = []
    at, arrival = BEGIN, 0
    cold = 0.0
    while at < BEGIN + timedelta(days=days):
        at += timedelta(seconds=chance.choice([40, 90, 300, 900, 1800]) * chance.uniform(0.5, 1.5))
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        arrival += 1
        cold += chance.uniform(-0.4, 0.4)
        is_dry = at.day % 6 == 0
        sensor, kind, value = chance.choice(
            [("pir", Kind.MOTION, 1.0)] * 3
            + [
                ("door", Kind.DOOR, 1.0),
                ("bed-air", Kind.TEMPERATURE, round(6 + cold, 1)),
                ("bed-air", Kind.ALIVE, 1.0),
            ]
            + ([] if is_dry else [("meter", Kind.WATER, chance.choice([0.5, 1.0, 6.0, 40.0, 250.0]))] * 2)
            + [("cuff", chance.choice(sorted(VITALS)), float(chance.choice([3, 36, 38.4, 70, 88, 91, 130, 170, 190])))]
        )
        readings.append(Reading("h1", sensor, "bedroom", kind, value, at, at, arrival=arrival, seq=arrival))
    return readings


def only(name: str, zone: str = "Asia/Shanghai") -> Watch:
    home = a_home(zone=ZoneInfo(zone))
    return Watch(home, {name: DETECTORS[name](home)})


@pytest.mark.parametrize("name", MEASURING)
@pytest.mark.parametrize("seed", range(4))
def test_the_same_life_is_told_the_same_at_any_tick_pace(name, seed):
    life = a_measured_life(seed)
    found = live_through(only(name), life)

    assert found == live_through(only(name), life, tick=timedelta(minutes=7))
    assert found
    assert {finding.code for finding in found}.isdisjoint({"detector_failed"})


@pytest.mark.parametrize("name", MEASURING)
@pytest.mark.parametrize("seed", range(4))
def test_a_measurement_heard_twice_counts_once(name, seed):
    life = a_measured_life(seed)
    doubled = [again for reading in life for again in (reading, reading)]

    assert live_through(only(name), doubled) == live_through(only(name), life)


@pytest.mark.parametrize("name", MEASURING)
@pytest.mark.parametrize("seed", range(4))
def test_shuffled_neighbours_invent_nothing(name, seed):
    """Two of the same minute told in the other order: no more is told than in order."""
    chance, life = random.Random(seed), a_measured_life(seed)
    shuffled = list(life)
    for place in chance.sample(range(len(life) - 1), len(life) // 20):
        if life[place + 1].at - life[place].at < timedelta(seconds=60):
            shuffled[place], shuffled[place + 1] = shuffled[place + 1], shuffled[place]

    in_order = {finding.code for finding in live_through(only(name), life)}

    assert {finding.code for finding in live_through(only(name), shuffled)} <= in_order


@pytest.mark.parametrize("name", MEASURING)
@pytest.mark.parametrize("seed", range(3))
def test_measured_and_restored_is_replayed(name, seed):
    life = a_measured_life(seed)
    for cut in random.Random(seed).sample(range(1, len(life)), 6):
        straight, restored = only(name), only(name)
        live_through(straight, life[:cut])

        assert restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(straight.checkpoint())))
        assert live_through(restored, life[cut:]) == live_through(straight, life[cut:])
        assert restored.checkpoint() == straight.checkpoint()


@pytest.mark.parametrize("name", MEASURING)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_change_of_the_hour_stops_nobody(name, zone):
    watch = only(name, zone)
    found = live_through(watch, a_measured_life(1))

    assert found
    assert all(finding.since <= finding.at for finding in found)


@pytest.mark.parametrize("name", MEASURING)
def test_what_is_remembered_of_measurements_is_small(name):
    watch = only(name)
    live_through(watch, a_measured_life(2, days=60))

    assert len(msgspec.msgpack.encode(watch.checkpoint())) <= 1024


@pytest.mark.parametrize("name", MEASURING)
def test_each_finding_has_numbers_to_explain_it(name):
    for finding in live_through(only(name), a_measured_life(3)):
        assert finding.fact("elapsed_s")
        assert finding.fact("limit") or finding.fact("limit_s") or finding.fact("rule") == "once"
