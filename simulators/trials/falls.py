"""Homes with a radar in the bathroom and a watch on the wrist: who falls, who only knocks on the table.

What strikes the watch is simulated physics, of wearers whom the shipped model has not seen, and goes the whole way:
samples, a batch as the device publishes it, the decoder, an impact. Each home lives on untouched for two weeks with
six knocks a day and a radar that suspects somebody once a day; falls are tried on copies of it.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from detectors import Watch
from detectors.fall import Fall
from gateway.domain import Kind, Reading, RoomKind
from ingest.decoders import DECODERS
from ingest.decoders.base import Signal
from simulators.falls import DAILY, FALLS, YOUNG_ONLY, Wearer, does, message, record, windows
from simulators.household import Household, furnish
from simulators.personas import PERSONAS
from simulators.trials import Lived, Tried, first_after, lies_still, live

HOMES, DAYS, TRIED_ON = 30, 14, range(2, 14, 2)
KNOCKS_A_DAY = 6
BEGIN = datetime(2026, 3, 1, 4, tzinfo=UTC)
DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
UNSEEN = 4711
"""Not the seed of the people on whom the shipped model was trained."""

URGENTLY = "fall, severity 1"


@cache
def felt(number: int, name: str, seed: int) -> tuple[float, ...]:
    """What a watch makes of this: the impacts of one trial, packed."""
    recording = record(name, Wearer.drawn(number, UNSEEN), f"trial {seed}")
    told: list[float] = []
    for first, last in windows(recording.samples):
        payload = json.dumps(message(recording.samples[first:last], BEGIN)).encode()
        told += [one.value for one in DECODERS["plain"].decode(payload).heard if one.signal is Signal.IMPACT]
    return tuple(told)


def said(sensor: str, kind: Kind, value: float, at: datetime, room: str = "") -> Reading:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return Reading("h", sensor, room, kind, value, at, at)


def knocks(number: int, noon: datetime, household: Household, chance: Random) -> Iterator[Reading]:
    """A day of a watch on which somebody lives, and of a radar that sees a curtain."""
    names = sorted(DAILY.keys() & set(does(Wearer.drawn(number, UNSEEN))) - YOUNG_ONLY)
    stays = [s for s in household.stays(noon.astimezone(household.home.zone).date()) if s.room and s.at > noon]
    for _ in range(KNOCKS_A_DAY):
        stay = chance.choice(stays)
        at = stay.at + (stay.until - stay.at) * chance.random()
        for impact in felt(number, chance.choice(names), chance.randrange(6)):
            yield said("watch", Kind.IMPACT, impact, at)
            at += 5 * SECOND
        yield said("watch", Kind.STIRS, 0, at)
        if chance.random() < 0.8:  # the others sit still for a while
            yield said("watch", Kind.STIRS, 1, at + chance.uniform(2, 50) * SECOND)
    at = noon + chance.random() * DAY
    yield said("radar", Kind.MAYBE_FALL, 1, at, "bathroom")
    yield said("radar", Kind.MAYBE_FALL, 0, at + chance.uniform(5, 75) * SECOND, "bathroom")


def falls(how: str, number: int, at: datetime, chance: Random) -> list[Reading]:
    """What is said of one fall. In three of ten it is not over with it: she struggles."""
    told: list[Reading] = []
    if how != "in the bathroom, no watch":
        for impact in felt(number, chance.choice(sorted(FALLS)), chance.randrange(100)):
            told.append(said("watch", Kind.IMPACT, impact, at))
        told.append(said("watch", Kind.STIRS, 1, at - 30 * SECOND))
        told.append(said("watch", Kind.STIRS, 0, at + 4 * SECOND))
        if chance.random() < 0.3:
            told.append(said("watch", Kind.STIRS, 1, at + chance.uniform(6, 40) * SECOND))
    if how != "anywhere, with a watch":
        suspects = at + chance.uniform(1, 8) * SECOND
        told.append(said("radar", Kind.MAYBE_FALL, 1, suspects, "bathroom"))
        if chance.random() < 0.8:
            told.append(said("radar", Kind.FALL, 1, suspects + chance.uniform(5, 40) * SECOND, "bathroom"))
    return told


HOW = ("anywhere, with a watch", "in the bathroom, no watch", "in the bathroom, with a watch")


def run(number: int) -> Lived:
    chance = Random(f"falls {number}")
    household = furnish(f"fall{number}", sorted(PERSONAS)[number % len(PERSONAS)], seed=number, interval=None)
    lived, watch = Lived(days=DAYS, watched=("fall", URGENTLY)), Watch(household.home, {"fall": Fall(household.home)})
    for day in range(DAYS):
        noon = BEGIN + day * DAY
        usual = [*household.readings(noon, noon + DAY)]
        if day in TRIED_ON:
            for how in HOW:
                stays = [s for s in household.stays(noon.astimezone(household.home.zone).date()) if s.room]
                if how != HOW[0]:
                    stays = [s for s in stays if s.room is RoomKind.BATHROOM]
                stay = chance.choice([s for s in stays if noon < s.at < noon + DAY - timedelta(hours=2)])
                at = stay.at + (stay.until - stay.at) * chance.random()
                end = at + 20 * MINUTE
                before = (r for r in usual if r.at < end)
                readings = sorted([*lies_still(before, at), *falls(how, number, at, chance)], key=lambda one: one.at)
                told = live(deepcopy(watch), readings, end)
                urgent = [one for one in told if one.severity.is_emergency]
                lived.tried.append(Tried(f"falls {how}", "fall", first_after(at, told, "fall")))
                lived.tried.append(Tried(f"falls {how}", URGENTLY, first_after(at, urgent, "fall")))
        day_of_hers = sorted([*usual, *knocks(number, noon, household, chance)], key=lambda one: one.at)
        found = live(watch, day_of_hers, noon + DAY)
        lived.false.update("fall" for _ in {one.since for one in found})
        lived.false.update(URGENTLY for one in found if one.severity.is_emergency)
    return lived
