"""Homes in which life changes slowly: what is noted, how soon, and what is noted where nothing has changed."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from detectors import DETECTORS, Watch
from gateway.domain import Finding, Reading, RoomKind
from gateway.ports import Context
from simulators.household import furnish
from simulators.personas import PERSONAS, Activity, Leisure, Persona
from simulators.recordings import pass_time

pytestmark = [pytest.mark.simulation, pytest.mark.slow]

BEGIN = datetime(2026, 3, 1, 4, tzinfo=UTC)
CHANGES = BEGIN + timedelta(days=45)
DAYS, CALM_DAYS = 66, 180
HOMES = 20

SITS = (
    Leisure(room=RoomKind.LIVING, activity=Activity.TV, minutes=95, weight=6),
    Leisure(room=RoomKind.BEDROOM, activity=Activity.READ, minutes=95),
)


def up_at_night(before: Persona) -> Persona:
    low, high = before.night_visits
    return replace(before, night_visits=(low + 3, high + 4))


def sits_all_day(before: Persona) -> Persona:
    return replace(before, leisure=SITS, cooks=False, lively=0.4 * before.lively)


def stays_in(before: Persona) -> Persona:
    return replace(before, outings=())


DECLINES = {
    "up at night": (up_at_night, {"toilet_night", "bed_exits", "in_bed", "up"}),
    "sits all day": (sits_all_day, {"active", "rooms", "toilet_day", "up"}),
    "goes out no more": (stays_in, {"out", "rooms", "active"}),
}


def lived(persona: Persona, seed: int, since: datetime, until: datetime) -> Iterator[Reading]:
    return furnish("h1", persona, seed=seed, interval=None).readings(since, until)


def noted(seed: int, readings: Iterable[Reading]) -> tuple[list[Finding], int]:
    home = furnish("h1", PERSONAS["gardener"], seed=seed, interval=None).home
    watch = Watch(home, {"trend": DETECTORS["trend"](home)})
    found: list[Finding] = []
    for reading in readings:
        found += pass_time(watch, reading.at, Context())
        found += watch.observe(reading, Context())
    return found, len(msgspec.msgpack.encode(watch.checkpoint()["detectors"]["trend"]))


def calm(seed: int) -> tuple[list[Finding], int]:
    persona = PERSONAS[sorted(PERSONAS)[seed % len(PERSONAS)]]
    return noted(seed, lived(persona, seed, BEGIN, BEGIN + timedelta(days=CALM_DAYS)))


def declining(case: tuple[str, int]) -> tuple[str, str, float | None]:
    """Which decline, by what it was noted, and after how many days."""
    name, seed = case
    change, tells = DECLINES[name]
    fit = sorted(key for key, one in PERSONAS.items() if name != "goes out no more" or _is_out_daily(one))
    before = PERSONAS[fit[seed % len(fit)]]
    until = BEGIN + timedelta(days=DAYS)
    found, _ = noted(seed, (*lived(before, seed, BEGIN, CHANGES), *lived(change(before), seed, CHANGES, until)))
    hit = next((one for one in found if one.at > CHANGES and one.fact("feature") in tells), None)
    return name, hit.fact("feature") if hit else "", None if hit is None else (hit.at - CHANGES) / timedelta(days=1)


def _is_out_daily(persona: Persona) -> bool:
    return sum(o.minutes * o.chance * len(o.days) / 7 for o in persona.outings) >= 100


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as workers:
        yield workers


@pytest.fixture(scope="module")
def declines(pool) -> list[tuple[str, str, float | None]]:
    return list(pool.map(declining, [(name, seed) for name in DECLINES for seed in range(HOMES)], chunksize=5))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "share"), [("up at night", 0.9), ("sits all day", 0.85), ("goes out no more", 0.6)])
def test_a_slow_decline_is_noted_within_three_weeks(declines, name, share):
    days = [after for what, _, after in declines if what == name]
    found = [after for after in days if after is not None]

    assert len(found) >= share * len(days), (name, len(found), len(days))
    assert sorted(found)[len(found) // 2] <= 8


@pytest.mark.timeout(600)
def test_where_nothing_changes_hardly_anything_is_noted(pool):
    """In ten years of ordinary days, and in a state that is small."""
    calm_homes = list(pool.map(calm, range(HOMES), chunksize=5))

    assert sum(len(found) for found, _ in calm_homes) <= 10
    assert max(size for _, size in calm_homes) <= 450
