"""Seeded bedrooms, aired every day: a heating or a fan that fails is told of, an open window is not."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import exp
from random import Random

from detectors.environment import Environment
from gateway.domain import Finding, Kind, Reading, Role, Sensor
from simulators.household import furnish
from simulators.personas import PERSONAS
from simulators.trials import Lived, Tried, first_after, live

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOMES = 60
DAYS = 29


@dataclass(frozen=True, slots=True)
class Season:
    """What is outside, what is kept inside until it fails, and from where on it is told."""

    incident: str
    code: str
    outside: float
    kept: tuple[float, float]
    limit: float


WINTER = Season("the heating fails", "room_cold", -2.0, (16, 22), 14.0)
SUMMER = Season("the fan fails in a heat wave", "room_hot", 40.0, (24, 30), 35.0)


def of_a_room(seed: int, season: Season, *, fails: bool) -> tuple[list[Finding], datetime | None]:
    """A bedroom for a month, aired daily, whose heating or cooling may fail; and when it passed the limit for good."""
    chance = Random(seed)
    home = furnish(f"room{seed}", min(PERSONAS), seed=seed, interval=None).home
    air = Sensor(id="air", hub=home.hubs[0].id, address="air", name="x", room="bedroom", role=Role.CLIMATE)
    home = replace(home, sensors=(air,))
    kept, slow = chance.uniform(*season.kept), chance.uniform(8, 30)  # °C, and hours to lose most of what it keeps
    fails_at = BEGIN + timedelta(days=chance.uniform(5, 25)) if fails else None
    airing = [(BEGIN + timedelta(days=n, minutes=chance.uniform(0, 180)), chance.uniform(10, 60)) for n in range(30)]
    readings, passed_at = [], None
    at = BEGIN
    while at < BEGIN + DAYS * timedelta(days=1):
        at += timedelta(minutes=chance.uniform(10, 40))
        hours = 0.0 if fails_at is None else max(0.0, (at - fails_at) / timedelta(hours=1))
        inside = season.outside + (kept - season.outside) * exp(-hours / slow)
        if passed_at is None and (inside < season.limit if season is WINTER else inside > season.limit):
            passed_at = at
        is_open = any(timedelta(0) <= at - opened <= timedelta(minutes=long) for opened, long in airing)
        shown = round((inside + season.outside) / 2 if is_open else inside + chance.gauss(0, 0.2), 1)
        readings.append(Reading(home.id, "air", "bedroom", Kind.TEMPERATURE, shown, at, at))
    return live(Environment(home, heated=season is WINTER), readings, at), passed_at


def run(seed: int) -> Lived:
    lived = Lived(days=DAYS, watched=("room_cold", "room_hot"))
    for season in (WINTER, SUMMER):
        found, passed_at = of_a_room(seed, season, fails=True)
        if passed_at is not None:
            lived.tried.append(Tried(season.incident, season.code, first_after(passed_at, found, season.code)))
        lived.false.update(one.code for one in of_a_room(seed, season, fails=False)[0])
    return lived
