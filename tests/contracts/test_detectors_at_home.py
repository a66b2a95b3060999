"""The same asked of every detector in furnished homes, where rooms have kinds, beds have mats and hubs go dark."""

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
import pytest
from paced import live_through

from detectors import DETECTORS, Watch
from gateway.domain import Kind, Reading
from simulators.household import Household, furnish

BEGIN = datetime(2026, 3, 24, tzinfo=UTC)
UNTIL = BEGIN + timedelta(days=9)  # over the change of the hour
ROUGH = ["wanderer", "night_visitor"]


@cache
def household(persona: str, zone: str = "Europe/Berlin") -> Household:
    """Nine days in which somebody goes out at night, and the hub is dark for a while: short, and long."""
    lives = furnish("h1", persona, seed=3, interval=None, zone=ZoneInfo(zone))
    night = BEGIN + timedelta(days=4, hours=1)
    return lives.go_out(night, night + timedelta(hours=5)).stay_home(night + timedelta(hours=6), UNTIL)


@cache
def life(persona: str) -> tuple[Reading, ...]:
    """What was heard, with the marks of three holes and the mornings of a person who stays in the bathroom."""
    lives = household(persona)
    readings = [r for r in lives.readings(BEGIN, UNTIL, alive=True) if not _is_missing(r)]
    hub = lives.hub
    for hours, minutes in ((30, 5), (55, 90), (120, 4)):
        at = BEGIN + timedelta(hours=hours)
        readings.append(Reading("h1", hub, "", Kind.RETURNED, minutes * 60.0, at, at))
    return tuple(sorted(readings, key=lambda r: (r.at, r.sensor, r.kind)))


def _is_missing(reading: Reading) -> bool:
    """Each third day nothing but the bathroom is seen from eight to noon, and a door stays open in the evening."""
    day, hour = (reading.at - BEGIN).days, reading.at.hour
    if reading.kind is Kind.DOOR and not reading.value and hour >= 16:
        return True
    return day % 3 == 2 and 6 <= hour < 10 and reading.room != "bathroom" and reading.kind is not Kind.ALIVE


def only(name: str, persona: str) -> Watch:
    home = household(persona).home
    return Watch(home, {name: DETECTORS[name](home)})


@pytest.mark.parametrize("persona", ROUGH)
@pytest.mark.parametrize("name", DETECTORS)
def test_extra_ticks_change_nothing(name, persona):
    assert live_through(only(name, persona), life(persona)) == live_through(
        only(name, persona), life(persona), timedelta(minutes=3)
    )


@pytest.mark.parametrize("persona", ROUGH)
@pytest.mark.parametrize("name", DETECTORS)
def test_what_is_heard_twice_counts_once(name, persona):
    doubled = tuple(again for reading in life(persona) for again in (reading, reading))

    once, twice = live_through(only(name, persona), life(persona)), live_through(only(name, persona), doubled)

    assert {f.id for f in once} == {f.id for f in twice}


@pytest.mark.parametrize("persona", ROUGH)
@pytest.mark.parametrize("name", DETECTORS)
def test_restored_is_replayed(name, persona):
    readings = life(persona)
    for cut in random.Random(name).sample(range(1, len(readings)), 4):
        straight, restored = only(name, persona), only(name, persona)
        live_through(straight, readings[:cut])

        assert restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(straight.checkpoint())))
        assert live_through(restored, readings[cut:]) == live_through(straight, readings[cut:])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", DETECTORS)
def test_shuffled_and_late_it_goes_on(name, seed):
    chance = random.Random(seed)
    shuffled = sorted(life("wanderer"), key=lambda r: r.at + timedelta(seconds=chance.choice([0, 0, 0, 90, 1200])))
    found = live_through(only(name, "wanderer"), tuple(shuffled))

    assert not [f for f in found if f.code == "detector_failed"]
    assert all(f.since <= f.at for f in found)


def test_these_days_give_something_to_find():
    home = household("wanderer").home
    watch = Watch(home, {name: kind(home) for name, kind in DETECTORS.items()})
    codes = {f.code for f in live_through(watch, life("wanderer"))}

    assert {"bath_dwell", "night_exit", "door_open"} <= codes
