"""Seeded homes with a water meter: whoever draws no more, whoever is at her daughter's, a burst pipe, a drip."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from detectors.water import Water
from gateway.domain import SIGNS_OF_LIFE, Finding, Kind, Reading, Role, Sensor
from simulators.household import Household, furnish
from simulators.personas import PERSONAS, Activity
from simulators.trials import Lived, Tried, first_after, live

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
    return live(Water(home), sorted([*life, *water], key=lambda one: one.at), until)


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


def run(seed: int) -> Lived:
    wet = of_water(seed)
    tried = (
        Tried("draws no more water at home", "water_low", first_after(wet.fell_at, wet.silent, "water_low")),
        Tried("a pipe bursts", "water_high", first_after(wet.burst_at, wet.burst, "water_high")),
        Tried("a tap drips", "water_trickle", first_after(wet.drip_at, wet.drip, "water_trickle")),
    )
    # A holiday is no thirst: what is told of it is false as well.
    told = Counter(one.code for one in wet.untouched)
    told.update(one.code for one in wet.holiday if one.at >= wet.left_at)
    return Lived(list(tried), DAYS, ("water_low", "water_high", "water_trickle"), told)
