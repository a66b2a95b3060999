"""How batteries die: voltage over a life, what a device makes of it, noise and cold mornings, all from one seed.

A curve says what a cell still gives, by the share of its life that is used. Lithium cells hold their voltage for years
and then fall off a cliff; alkaline ones sink all the way. What the device reports is another matter: few count what
was drawn, most take the voltage for the charge, each in its own way.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from math import cos, pi
from random import Random

from gateway.domain import Kind, Reading

Curve = tuple[tuple[float, float], ...]

COIN: Curve = (
    (0.00, 3.12), (0.02, 3.03), (0.10, 2.98), (0.30, 2.95), (0.50, 2.92), (0.70, 2.87), (0.80, 2.82),
    (0.88, 2.74), (0.93, 2.62), (0.97, 2.42), (1.00, 2.10),
)  # fmt: skip
LARGE_COIN: Curve = (
    (0.00, 3.15), (0.02, 3.05), (0.10, 3.00), (0.40, 2.96), (0.60, 2.93), (0.75, 2.88), (0.85, 2.80),
    (0.90, 2.72), (0.95, 2.56), (0.98, 2.38), (1.00, 2.10),
)  # fmt: skip
ALKALINE: Curve = (
    (0.00, 3.16), (0.05, 3.02), (0.20, 2.80), (0.40, 2.66), (0.60, 2.54), (0.75, 2.44), (0.87, 2.30),
    (0.95, 2.14), (1.00, 2.00),
)  # fmt: skip
LITHIUM_AAA: Curve = (
    (0.00, 3.55), (0.03, 3.38), (0.20, 3.20), (0.50, 3.10), (0.75, 3.00), (0.86, 2.92), (0.92, 2.80),
    (0.96, 2.60), (0.99, 2.30), (1.00, 2.10),
)  # fmt: skip
BLOCK_9V: Curve = (
    (0.00, 9.50), (0.10, 8.95), (0.30, 8.40), (0.50, 7.95), (0.70, 7.50), (0.83, 7.15), (0.92, 6.88),
    (0.97, 6.65), (1.00, 6.40),
)  # fmt: skip

CELLS: Mapping[str, Curve] = {
    "CR2032": COIN,
    "CR2450": LARGE_COIN,
    "2xAAA": ALKALINE,
    "2xAAA lithium": LITHIUM_AAA,
    "9V": BLOCK_9V,
}


def _volts(used: float, curve: Curve) -> float:
    for (u0, v0), (u1, v1) in pairwise(curve):
        if used <= u1:
            return v0 + (v1 - v0) * (used - u0) / (u1 - u0)
    return curve[-1][1]


def _straight(empty: float, full: float) -> Callable[[float], float]:
    return lambda volts: 100 * (volts - empty) / (full - empty)


def _bent(volts: float) -> float:
    """A widely used table for 3 V cells: steep where the cell is flat, flat where it falls."""
    points = ((2.1, 0.0), (2.44, 6.0), (2.74, 18.0), (2.9, 42.0), (3.0, 100.0))
    for (v0, p0), (v1, p1) in pairwise(points):
        if volts <= v1:
            return max(0.0, p0 + (p1 - p0) * (volts - v0) / (v1 - v0))
    return 100.0


METERS: Mapping[str, tuple[str, ...]] = {
    "CR2032": ("bent", "straight", "counted", "volts"),
    "CR2450": ("bent", "straight", "counted", "volts"),
    "2xAAA": ("straight", "counted", "volts"),
    "2xAAA lithium": ("straight", "counted", "volts"),
    "9V": ("straight", "counted", "volts"),
}
"""How a device with such a cell may arrive at what it reports."""

RANGES: Mapping[str, tuple[float, float]] = {"9V": (6.4, 9.0)}
"""What the device takes for empty and full, where it is not a 3 V cell."""


@dataclass(frozen=True, kw_only=True)
class Battery:
    """One battery from new to empty in one device."""

    seed: int
    cell: str
    meter: str
    life: timedelta
    since: datetime
    cold: float = 0.06  # how deep a cold morning presses 3 V
    winter: float = 0.02  # how much lower the whole winter is
    noise: float = 0.008

    @property
    def empty_at(self) -> datetime:
        return self.since + self.life

    @cached_property
    def _cold_days(self) -> frozenset[int]:
        """Each winter a few spells of one to five days in which the room is not heated."""
        chance, days = Random(f"{self.seed}/cold"), set[int]()
        for day in range(int(self.life / timedelta(days=1)) + 1):
            month = (self.since + timedelta(days=day)).month
            if month in (11, 12, 1, 2, 3) and chance.random() < 0.06:
                days.update(range(day, day + chance.randint(1, 5)))
        return frozenset(days)

    def reports(self, every: timedelta = timedelta(hours=4)) -> Iterator[tuple[datetime, Kind, float]]:
        """What the device says about it, as often as it says so, until it says nothing any more."""
        chance = Random(f"{self.seed}/battery")
        at, scale = self.since, CELLS[self.cell][0][1] / 3.1
        while at < self.empty_at:
            day = int((at - self.since) / timedelta(days=1))
            used = (at - self.since) / self.life
            season = (1 + cos((at.timetuple().tm_yday - 15) * 2 * pi / 365.25)) / 2
            volts = _volts(used, CELLS[self.cell])
            volts -= scale * (self.winter * season + chance.gauss(0, self.noise))
            if day in self._cold_days:
                volts -= scale * self.cold * (1.0 if 2 <= at.hour < 10 else 0.6)
            yield at, *self._said(volts, used, chance)
            at += every * chance.uniform(0.8, 1.2)

    def _said(self, volts: float, used: float, chance: Random) -> tuple[Kind, float]:
        if self.meter == "volts":
            return Kind.VOLTAGE, round(volts, 2)
        if self.meter == "counted":
            percent = 100 * (1 - used) + chance.gauss(0, 1)
        elif self.meter == "bent":
            percent = _bent(volts)
        else:
            percent = _straight(*RANGES.get(self.cell, (2.0, 3.0)))(volts)
        return Kind.BATTERY, float(min(100, max(0, round(percent))))

    def readings(self, home: str, sensor: str) -> Iterator[Reading]:
        """As the gateway stores them: what has not changed is not news."""
        last: float | None = None
        for number, (at, kind, value) in enumerate(self.reports(), 1):
            alive = value == last
            last = value
            yield Reading(home, sensor, "", Kind.ALIVE if alive else kind, 1.0 if alive else value, at, at, number)


def a_battery(seed: int, since: datetime) -> Battery:
    """Some cell in some device, lasting between ten months and four years."""
    chance = Random(f"{seed}/which")
    cell = chance.choice(sorted(CELLS))
    meter = chance.choice(METERS[cell])
    life = timedelta(days=chance.randint(300, 1460))
    return Battery(seed=seed, cell=cell, meter=meter, life=life, since=since + timedelta(days=chance.randint(0, 364)))
