"""Seven weeks in which everything happens once, lived by every detector: whatever the road does to what is heard, they
find the same."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest
from whole_home import BEAT, BEGINS, SENSORS, Said, live, readings, seven_weeks, whole_home

from detectors import DETECTORS, Watch, watch_over
from gateway.domain import Finding, Kind, Reading

OF_PEOPLE = [name for name in DETECTORS if name != "supervision"]
"""Supervision knows the time at which something is heard, and no clock on any wall."""

A_DAY_AND_MORE = timedelta(hours=26)
SHANGHAI = ZoneInfo("Asia/Shanghai")

Told = tuple[str, str, datetime]


def only(name: str, zone: ZoneInfo = SHANGHAI, interval: timedelta | None = None) -> Watch:
    home = whole_home(zone, BEAT if name == "supervision" else interval)
    return Watch(home, {name: DETECTORS[name](home)})


def heard_by(watch: Watch, said: Iterable[Said] = ()) -> list[Reading]:
    """Of what is said that which it asks for: of the others it would not be asked."""
    (detector,) = watch.detectors.values()
    kinds = getattr(detector, "kinds", frozenset(Kind)) | {Kind.RETURNED, Kind.CLOCK}
    return [reading for reading in readings(watch.home.zone, tuple(said)) if reading.kind in kinds]


@cache
def straight(name: str) -> tuple[Finding, ...]:
    watch = only(name)
    return tuple(live(watch, heard_by(watch)))


def told(watch: Watch, found: Iterable[Finding]) -> list[tuple[Told, datetime]]:
    """What is found of whom since when, and when, by the clock on the wall."""
    zone = watch.home.zone
    return [
        ((f.code, f.subject, f.since.astimezone(zone).replace(tzinfo=None)), f.at.astimezone(zone).replace(tzinfo=None))
        for f in found
    ]


@pytest.mark.parametrize("name", DETECTORS)
def test_in_these_weeks_it_finds_something(name):
    assert straight(name)


@pytest.mark.parametrize("name", DETECTORS)
def test_it_finds_the_same_at_any_pace(name):
    watch = only(name)

    assert live(watch, heard_by(watch), tick=timedelta(minutes=7)) == list(straight(name))


@pytest.mark.parametrize("name", DETECTORS)
def test_what_is_heard_twice_is_told_once(name):
    watch = only(name)
    twice = [again for reading in heard_by(watch) for again in (reading, reading)]

    assert {found.id for found in live(watch, twice)} == {found.id for found in straight(name)}


@pytest.mark.parametrize("name", OF_PEOPLE)
@pytest.mark.parametrize("seed", range(2))
def test_what_is_heard_late_and_in_any_order_within_seconds_changes_nothing(name, seed):
    chance, watch = Random(seed), only(name)
    late = [replace(one, heard=one.at + timedelta(seconds=chance.choice((0, 0, 1, 5, 20)))) for one in heard_by(watch)]
    found = live(watch, sorted(late, key=lambda one: one.heard))

    assert sorted(one for one, _ in told(watch, found)) == sorted(one for one, _ in told(watch, straight(name)))


@pytest.mark.parametrize("name", DETECTORS)
def test_restored_on_any_day_it_goes_on_as_before(name):
    watch = only(name)
    lived = heard_by(watch)
    found: list[Finding] = []
    cuts = sorted(Random(name).sample(range(1, len(lived)), 5))
    for begin, end in zip((0, *cuts), (*cuts, len(lived)), strict=True):
        kept = msgspec.msgpack.decode(msgspec.msgpack.encode(watch.checkpoint()))
        watch = only(name)
        assert watch.restore(kept)
        found += live(watch, lived[max(begin - 1, 0) : begin])  # the last one again: the hub was heard until then
        found += live(watch, lived[begin:end])

    assert {one.id: one for one in found} == {one.id: one for one in straight(name)}


@pytest.mark.parametrize("name", OF_PEOPLE)
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Sydney"])
def test_a_change_of_the_hour_shifts_nothing_by_more_than_itself(name, zone):
    """Forward in its first week, forward later, and back: told by the wall as where no clock is ever changed."""
    watch = only(name, ZoneInfo(zone))
    lived = heard_by(watch)
    said = {one.at.astimezone(watch.home.zone).replace(tzinfo=None) for one in lived}
    there = only(name)
    same = [one for one in heard_by(there) if one.at.astimezone(SHANGHAI).replace(tzinfo=None) in said]

    changed, unchanged = told(watch, live(watch, lived)), told(there, live(there, same))

    assert [one for one, _ in changed] == [one for one, _ in unchanged]
    assert all(abs(at - other) <= timedelta(hours=1) for (_, at), (_, other) in zip(changed, unchanged, strict=True))


def test_supervision_knows_no_clock_on_the_wall():
    watch = only("supervision", ZoneInfo("Europe/Berlin"))

    assert live(watch, heard_by(only("supervision"))) == list(straight("supervision"))


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_hub_whose_clock_is_a_day_behind_changes_nothing(name):
    watch = only(name, interval=BEAT)
    lived = [one for one in readings() if one.kind is not Kind.CLOCK]
    begins = lived[0].heard
    behind = Reading("h1", "hub", "", Kind.CLOCK, -A_DAY_AND_MORE.total_seconds(), begins, begins)
    shifted = [replace(one, at=one.at - A_DAY_AND_MORE, late=True) if one.sensor != "hub" else one for one in lived]
    right = only(name, interval=BEAT)

    assert live(watch, [behind, *shifted]) == live(right, lived)


@pytest.mark.parametrize("name", OF_PEOPLE)
@pytest.mark.parametrize("sensor", ["door", "living", "bath", "mat", "meter", "air", "cuff"])
def test_a_device_whose_clock_is_a_day_behind_accuses_nobody(name, sensor):
    """What is found then is what is found without the device, or what it tells itself, so much earlier."""
    watch, without = only(name), only(name)
    lived = heard_by(watch)
    off = [replace(one, at=one.at - A_DAY_AND_MORE, late=True) if one.sensor == sensor else one for one in lived]
    right = {one for one, _ in told(watch, straight(name))}
    gone = {one for one, _ in told(without, live(without, [one for one in lived if one.sensor != sensor]))}
    shifted = {(code, who, since - A_DAY_AND_MORE) for code, who, since in right}

    found = [one for one, _ in told(watch, live(watch, off)) if one[0] != "not_returned"]

    assert set(found) <= right | gone | shifted


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_holes_never_teach(name):
    """Three times the home is dark for thirty hours: nothing of that is usual afterwards."""
    watch = only(name, interval=BEAT)
    dark = [(datetime.combine(BEGINS, datetime.min.time()) + timedelta(days=day, hours=6)) for day in (5, 9, 13)]
    length = timedelta(hours=30)
    kept = [one for one in seven_weeks() if not any(began <= one.at < began + length for began in dark)]
    marks = [Said(began + length, "hub", Kind.RETURNED, length.total_seconds()) for began in dark]

    found = live(watch, readings(SHANGHAI, tuple(sorted([*kept, *marks]))))

    for code in {one.code for one in straight(name)}:
        assert _most_usual(found, code) <= _most_usual(straight(name), code)
    assert {one.code for one in found} - {"home_silent"} == {one.code for one in straight(name)}


def _most_usual(found: Iterable[Finding], code: str) -> int:
    return max((int(one.fact("usual_s") or 0) for one in found if one.code == code), default=0)


@pytest.mark.parametrize("name", DETECTORS)
def test_what_it_does_not_know_it_passes_over(name):
    watch = only(name)
    (detector,) = watch.detectors.values()
    strange = sorted(frozenset(Kind) - getattr(detector, "kinds", frozenset(Kind)) - {Kind.RETURNED, Kind.CLOCK})
    lived = [
        said
        for place, one in enumerate(heard_by(watch))
        for said in ((one, replace(one, kind=strange[place % len(strange)], value=1.0)) if strange else (one,))
    ]
    stranger = replace(lived[0], sensor="nobody-knows-it", room="attic", kind=Kind.TEMPERATURE, value=-40.0)

    assert live(watch, [stranger, *lived]) == list(straight(name))


def test_all_together_find_what_each_finds_alone():
    watch = watch_over(whole_home())
    found = live(watch, readings())

    assert {one.code for one in found} >= {one.code for name in DETECTORS for one in straight(name)}
    assert {one.subject for one in found if one.code.startswith("device_")} <= {*SENSORS}
