"""Seeded homes with a water meter and a thermometer, and persons with a cuff: found, missed, and told for nothing."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp
from random import Random
from zoneinfo import ZoneInfo

import pytest

from detectors.environment import Environment
from detectors.vitals import Vitals
from detectors.water import Water
from gateway.domain import SIGNS_OF_LIFE, Finding, Home, Hub, Kind, Reading, Role, Sensor, Severity
from gateway.ports import Context, Detector
from simulators.household import Household, furnish
from simulators.personas import PERSONAS, Activity

pytestmark = [pytest.mark.simulation, pytest.mark.slow]

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 35
KNOWN = BEGIN + timedelta(days=16)
"""Incidents happen from here on, when a home is no longer new."""

LITRES: dict[Activity, tuple[float, float, float]] = {
    Activity.TOILET: (0.95, 3, 7),
    Activity.WASH: (0.9, 3, 30),
    Activity.COOK: (0.9, 3, 12),
    Activity.TEA: (0.8, 0.4, 2),
    Activity.CHORES: (0.5, 3, 25),
    Activity.EAT: (0.4, 1, 6),
}
"""How likely somebody draws water while doing this, and from how much to how much."""

CONTEXT = Context()


def live(detector: Detector, readings: Iterator[Reading], until: datetime) -> list[Finding]:
    found: list[Finding] = []

    def pass_time(to: datetime) -> None:
        while (due := detector.due()) is not None and due <= to:
            found.extend(detector.tick(to, CONTEXT))
            if detector.due() == due:
                return

    for reading in readings:
        pass_time(reading.at)
        found.extend(detector.observe(reading, CONTEXT))
    pass_time(until)
    return found


# --------------------------------------------------------------------------- water


@dataclass
class Wet:
    """One home, lived through five times with the same seed."""

    seed: int
    untouched: list[Finding] = field(default_factory=list)
    silent: list[Finding] = field(default_factory=list)
    fell_at: datetime = BEGIN
    holiday: list[Finding] = field(default_factory=list)
    left_at: datetime = BEGIN
    burst: list[Finding] = field(default_factory=list)
    burst_at: datetime = BEGIN
    drip: list[Finding] = field(default_factory=list)
    drip_at: datetime = BEGIN


def draughts(household: Household, until: datetime, silent: datetime | None = None) -> Iterator[tuple[datetime, float]]:
    """What runs through the meter, by what somebody does; a pulse for each litre would say the same."""
    for number in range(DAYS + 1):
        day = (BEGIN + timedelta(days=number)).date()
        chance = Random(household.seed * 1000 + number)
        for stay in household.stays(day):
            likely, least, most = LITRES.get(stay.activity, (0.0, 0.0, 0.0))
            wet, litres = chance.random() < likely, chance.uniform(least, most)
            at = stay.at + (stay.until - stay.at) * chance.uniform(0.3, 0.9)
            if wet and at < until and (silent is None or at < silent):
                yield at, round(litres, 1)


def seen(household: Household, until: datetime) -> list[Reading]:
    return [one for one in household.readings(BEGIN, until) if one.kind in SIGNS_OF_LIFE]


def told(
    household: Household, life: list[Reading], drawn: list[tuple[datetime, float]], until: datetime
) -> list[Finding]:
    hub = household.home.hubs[0].id
    meter = Sensor(id="meter", hub=hub, address="meter", name="水表", room="kitchen", role=Role.WATER_METER)
    home = replace(household.home, sensors=(*household.home.sensors, meter))
    water = [
        Reading(home.id, "meter", "kitchen", Kind.WATER, litres, at, at, seq=number + 1)
        for number, (at, litres) in enumerate(sorted(drawn))
    ]
    return live(Water(home), iter(sorted([*life, *water], key=lambda one: one.at)), until)


def of_water(seed: int) -> Wet:
    chance = Random(seed)
    household = furnish(f"water{seed}", sorted(PERSONAS)[seed % len(PERSONAS)], seed=seed, interval=None)
    end = BEGIN + timedelta(days=DAYS)
    trial = Wet(seed)
    life, drawn = seen(household, end), list(draughts(household, end))
    trial.untouched = told(household, life, drawn, end)

    moments = [one.at for one in life if one.at > KNOWN and one.kind is not Kind.DOOR]
    trial.fell_at = chance.choice(moments)
    inside = household.stay_home(trial.fell_at, end).fall_silent(trial.fell_at)
    until = trial.fell_at + timedelta(days=2)
    trial.silent = told(inside, seen(inside, until), list(draughts(household, until, trial.fell_at)), until)

    trial.left_at = KNOWN + timedelta(days=chance.uniform(1, 6))
    back = trial.left_at + timedelta(days=chance.uniform(2, 5))
    away = household.go_out(trial.left_at, back, "女儿家")
    trial.holiday = told(
        away,
        seen(away, back + timedelta(days=4)),
        list(draughts(away, back + timedelta(days=4))),
        back + timedelta(days=4),
    )

    trial.burst_at = KNOWN + timedelta(days=chance.uniform(0, 8))
    flow = chance.uniform(120, 900)  # litres an hour
    gush = [(trial.burst_at + n * timedelta(minutes=10), round(flow / 6, 1)) for n in range(6 * 30)]
    trial.burst = told(household, life, [*drawn, *gush], trial.burst_at + timedelta(hours=30))

    trial.drip_at = KNOWN + timedelta(days=chance.uniform(0, 8))
    every = chance.uniform(2, 25)  # minutes between two tenths of a litre
    drops = [(trial.drip_at + n * timedelta(minutes=every), 0.1) for n in range(int(60 * 48 / every))]
    trial.drip = told(household, life, [*drawn, *drops], trial.drip_at + timedelta(hours=48))
    return trial


HOMES = 48


@pytest.fixture(scope="module")
def homes() -> list[Wet]:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(of_water, range(HOMES), chunksize=4))


def codes(found: list[Finding], since: datetime = BEGIN) -> list[str]:
    return [one.code for one in found if one.at >= since]


@pytest.mark.timeout(900)
def test_homes_where_nothing_happens_are_left_in_peace(homes):
    wrong = {home.seed: [(one.code, one.since, one.at) for one in home.untouched] for home in homes if home.untouched}
    months = HOMES * DAYS / 30

    assert sum(len(found) for found in wrong.values()) / months <= 0.1, wrong


def test_whoever_draws_no_more_water_at_home_is_found_within_a_day(homes):
    delays = []
    for home in homes:
        at = [one.at for one in home.silent if one.code == "water_low" and one.at >= home.fell_at]
        delays.append(min(at) - home.fell_at if at else None)

    found = sorted(delay for delay in delays if delay is not None)
    assert len(found) >= 0.9 * HOMES, delays
    assert found[len(found) // 2] <= timedelta(hours=22)
    assert found[-1] <= timedelta(hours=36)


def test_days_at_the_daughters_are_no_thirst(homes):
    wrong = {home.seed: codes(home.holiday, home.left_at) for home in homes if codes(home.holiday, home.left_at)}

    assert len(wrong) <= 0.05 * HOMES, wrong


def test_a_burst_pipe_is_told_when_two_cubic_metres_have_run(homes):
    missed = [home.seed for home in homes if "water_high" not in codes(home.burst, home.burst_at)]

    assert missed == []


def test_a_drip_is_told_after_a_day(homes):
    late = {}
    for home in homes:
        at = [one.at for one in home.drip if one.code == "water_trickle"]
        if not at or at[0] - home.drip_at > timedelta(hours=24, minutes=31):
            late[home.seed] = at

    assert late == {}


# --------------------------------------------------------------------------- vital signs

PEOPLE, MEASURED_DAYS = 200, 60

COMMON: dict[Kind, tuple[float, float, float]] = {
    Kind.SYSTOLIC: (132, 8, 7),
    Kind.HEART_RATE: (72, 6, 4),
    Kind.SPO2: (96.5, 0.8, 1.0),
    Kind.GLUCOSE: (7.0, 1.2, 0.5),
    Kind.BODY_TEMPERATURE: (36.5, 0.2, 0.2),
}
"""What an old person has, how much that differs between people and between two measurements of one."""

ILL: dict[Kind, float] = {
    Kind.SYSTOLIC: 196,
    Kind.HEART_RATE: 138,
    Kind.SPO2: 85,
    Kind.GLUCOSE: 20,
    Kind.BODY_TEMPERATURE: 39.4,
}
SLIPPED = 0.02
"""Of all measurements: a cuff that slipped, a cold finger, a drop of juice."""


@dataclass
class Measured:
    kind: Kind
    well: list[Finding]
    ill: list[Finding]
    ill_at: datetime


def of_vitals(seed: int) -> Measured:
    chance = Random(seed)
    kind = sorted(COMMON)[seed % len(COMMON)]
    mean, between, within = COMMON[kind]
    own = chance.gauss(mean, between)
    home = Home(
        id=f"p{seed}",
        code="1",
        name="x",
        grid="g",
        zone=ZoneInfo("Asia/Shanghai"),
        hubs=(Hub(id="hub", home=f"p{seed}", interval=None),),
        sensors=(Sensor(id="cuff", hub="hub", address="cuff", name="x", room="", role=Role.VITALS),),
    )
    end, ill_at = BEGIN + timedelta(days=MEASURED_DAYS), BEGIN + timedelta(days=chance.uniform(20, 50))

    def measure(turns_ill: datetime | None, until: datetime) -> Iterator[Reading]:
        dice = Random(seed + 1)
        for number in range(2 * MEASURED_DAYS):
            at = BEGIN + timedelta(hours=12 * number, minutes=dice.uniform(0, 90))
            for again in range(2):  # twice in a row, as one is told to
                is_ill = turns_ill is not None and at >= turns_ill
                value = dice.gauss(ILL[kind] if is_ill else own, within)
                if dice.random() < SLIPPED:
                    value += dice.choice([-1, 1]) * 8 * within
                if at < until:
                    yield Reading(home.id, "cuff", "", kind, round(value, 1), at, at, seq=2 * number + again + 1)
                at += timedelta(minutes=6)

    well = live(Vitals(home), measure(None, end), end)
    until = ill_at + timedelta(days=3)
    return Measured(kind, well, live(Vitals(home), measure(ill_at, until), until), ill_at)


@pytest.fixture(scope="module")
def people() -> list[Measured]:
    return [of_vitals(seed) for seed in range(PEOPLE)]


def pages(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.severity is not Severity.CARE]


def test_whoever_turns_ill_is_told_with_the_next_two_measurements(people):
    found = [
        one
        for one in people
        if any(f.at - one.ill_at <= timedelta(hours=26) for f in pages(one.ill) if f.at >= one.ill_at)
    ]
    severe = [one for one in people if any(f.severity is Severity.HIGH for f in one.ill if f.at >= one.ill_at)]

    assert len(found) >= 0.97 * PEOPLE
    assert len(severe) >= 0.9 * PEOPLE


def test_a_slipped_cuff_calls_nobody(people):
    """Of those whose own values are well within the limits; who lives at the edge of them needs a plan."""
    calls = [len(pages(one.well)) for one in people]
    months = PEOPLE * MEASURED_DAYS / 30

    assert sum(calls) / months <= 0.1, calls
    assert sum(1 for one in people for f in one.well if f.severity is Severity.CARE) / months <= 0.5


def test_times_only_go_forward(homes, people):
    for found in [*(home.untouched for home in homes), *(one.ill for one in people)]:
        assert all(one.at <= other.at for one, other in pairwise(found))


# --------------------------------------------------------------------------- rooms

ROOMS, OUTSIDE = 60, -2.0


def of_a_room(seed: int, *, fails: bool) -> tuple[list[Finding], datetime | None]:
    """A heated bedroom for a month, aired daily, whose heating may fail; and when it fell below 14 °C for good."""
    chance = Random(seed)
    home = furnish(f"room{seed}", min(PERSONAS), seed=seed, interval=None).home
    air = Sensor(id="air", hub=home.hubs[0].id, address="air", name="x", room="bedroom", role=Role.CLIMATE)
    home = replace(home, sensors=(air,))
    kept, slow = chance.uniform(16, 22), chance.uniform(8, 30)  # °C, and hours to lose most of its warmth
    fails_at = BEGIN + timedelta(days=chance.uniform(5, 25)) if fails else None
    airing = [(BEGIN + timedelta(days=n, minutes=chance.uniform(0, 180)), chance.uniform(10, 60)) for n in range(30)]
    readings, cold_at = [], None
    at = BEGIN
    while at < BEGIN + timedelta(days=29):
        at += timedelta(minutes=chance.uniform(10, 40))
        hours = 0.0 if fails_at is None else max(0.0, (at - fails_at) / timedelta(hours=1))
        warm = OUTSIDE + (kept - OUTSIDE) * exp(-hours / slow)
        if warm < 14 and cold_at is None:
            cold_at = at
        is_open = any(timedelta(0) <= at - opened <= timedelta(minutes=long) for opened, long in airing)
        shown = round((warm + OUTSIDE) / 2 if is_open else warm + chance.gauss(0, 0.2), 1)
        readings.append(Reading(home.id, "air", "bedroom", Kind.TEMPERATURE, shown, at, at))
    return live(Environment(home, heated=True), iter(readings), at), cold_at


def test_a_heating_that_fails_is_told_after_four_cold_hours_and_an_open_window_is_not():
    broken = [of_a_room(seed, fails=True) for seed in range(ROOMS)]
    late = [
        (cold, found[:1])
        for found, cold in broken
        if not found or cold is None or found[0].at - cold > timedelta(hours=6)
    ]
    false = [found for seed in range(ROOMS) if (found := of_a_room(seed, fails=False)[0])]

    assert (late, false) == ([], [])
