"""What an awake home weighs in memory: ten thousand of them, or a hundred thousand, share one small machine."""

import gc
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import FunctionType, ModuleType

import msgspec
import pytest

from detectors import Watch, watch_over
from gateway.domain import Kind, Reading, Role
from gateway.ports import Context
from simulators.neighbourhood import Neighbourhood, neighbourhood

NOW = datetime(2026, 3, 30, 2, 0, tzinfo=UTC)
NEW, LIVED = 11_500, 18_000
"""Bytes of a home with thirteen devices that was met six hours ago, and of one with four weeks behind it: a little more
than they take. They took 24,000 and 58,000 when each history was a list of numbers and each home had its own tables,
and 18,000 and 27,000 while supervision kept every device in hand."""


@pytest.fixture(scope="module")
def one_home() -> Neighbourhood:
    lives = neighbourhood(7, NOW, staged=False, interval=timedelta(minutes=1))
    return replace(lives, households=lives.households[1:2])


def lived(lives: Neighbourhood, span: timedelta) -> Watch:
    (home,) = lives.homes
    watch = watch_over(home)
    for reading in lives.history(span):
        watch.observe(reading, Context())
    return watch


def reached(watch: Watch) -> dict[int, int]:
    """The bytes of each object that hangs on this watch; what the programme itself consists of is left out."""
    found: dict[int, int] = {}
    waiting: list[object] = [watch]
    while waiting:
        one = waiting.pop()
        if id(one) not in found and not isinstance(one, type | ModuleType | FunctionType):
            found[id(one)] = sys.getsizeof(one)
            waiting += gc.get_referents(one)
    return found


def weight(watch: Watch) -> int:
    """In bytes, without what another watch over the same home shares with it."""
    alone = reached(watch).items() - reached(watch_over(watch.home)).items()
    return sum(size for _, size in alone)


def restored(watch: Watch) -> Watch:
    again = watch_over(watch.home)
    assert again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(watch.checkpoint())))
    return again


def test_a_home_that_was_just_met_takes_little_room(one_home):
    assert weight(lived(one_home, timedelta(hours=6))) < NEW


def test_a_home_with_four_weeks_behind_it_takes_little_room(one_home):
    watch = lived(one_home, timedelta(days=28))

    assert weight(watch) < LIVED
    assert weight(restored(watch)) < LIVED


def test_what_lies_as_bytes_knows_as_much_as_what_is_in_hand(one_home, monkeypatch):
    """Nothing is found sooner or later, and nothing is told otherwise, because a device was laid aside meanwhile."""
    lives = []
    for soon in (timedelta(0), timedelta(days=99)):
        monkeypatch.setattr("detectors.supervision.SOON", soon)
        watch = lived(one_home, timedelta(days=3))
        found = watch.tick(NOW + timedelta(hours=30), Context())
        lives.append((found, watch.checkpoint(), watch.conditions(), watch.gaps(), watch.due()))

    aside, in_hand = lives
    assert aside == in_hand
    assert aside[0]


def test_a_device_that_speaks_once_in_a_while_does_not_stay_in_hand(one_home):
    (home,) = one_home.homes
    watch, speaks = watch_over(home), [sensor.id for sensor in home.sensors if sensor.role is Role.MOTION][:3]

    def says(sensor: str, after: timedelta) -> list[str]:
        at = NOW + after
        watch.observe(Reading(home.id, sensor, "", Kind.BATTERY, 97.0, at, at), Context())
        return [
            name for name, known in watch.detectors["supervision"].state.devices.items() if type(known) is not bytes
        ]

    for round_, kept in ((0, speaks[2:]), (60, speaks[2:]), (65, speaks)):
        for number, sensor in enumerate(speaks):
            in_hand = says(sensor, timedelta(seconds=round_ + number))
        assert in_hand == sorted(kept, key=in_hand.index)
