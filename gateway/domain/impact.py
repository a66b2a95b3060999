"""What a wearable felt when something struck it: thirteen small numbers that travel in one reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple, Self

LEVELS = 16
"""Each trait is told in so many steps: four bits, so that thirteen of them fit into the value of a reading exactly."""

_BITS = LEVELS.bit_length() - 1


class Trait(NamedTuple):
    """One thing about an impact, from `low` (level 0) to `high`; what is felt by ratios has steps of equal ratio."""

    name: str
    low: float
    high: float
    is_ratio: bool = True

    def level(self, value: float) -> int:
        place = _share(log(max(value, self.low) / self.low), log(self.high / self.low)) if self.is_ratio else 0.0
        if not self.is_ratio:
            place = _share(value - self.low, self.high - self.low)
        return round(place * (LEVELS - 1))

    def value(self, level: int) -> float:
        share = level / (LEVELS - 1)
        if self.is_ratio:
            return self.low * exp(share * log(self.high / self.low))
        return self.low + share * (self.high - self.low)


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0)


TRAITS: tuple[Trait, ...] = (
    Trait("peak", 2.5, 12),  # g: the hardest moment, to which all times below are relative
    Trait("jerk", 0.5, 10),  # g: the largest step from one fiftieth of a second to the next
    Trait("width", 0, 0.7, False),  # s above 1.8 g from 0.4 s before to 0.6 s after: a body lands longer than a hand
    Trait("crowd", 0, 0.4, False),  # share of the second before and after above 2 g: clapping and running go on
    Trait("push", 0.15, 1.8),  # g·s: the most by which the speed changed, gravity taken off
    Trait("shock", 0.2, 3),  # g off 1 g on average, from 0.3 s before to 0.3 s after
    Trait("bounce", 0.02, 1.5),  # the same from 0.3 to 0.8 s after …
    Trait("rest", 0.01, 1.3),  # … and from 1.5 to 2.5 s after
    Trait("approach", 0.01, 1.2),  # the same from 1.5 to 0.8 s before
    Trait("stir", 0.02, 2),  # g: how much it was moved from 2.5 to 1.5 s before
    Trait("weight", 0.95, 1.6),  # g on average from 1 to 4 s after
    Trait("turned", 0, 165, False),  # degrees between how it hung before and how it lies from 1 to 4 s after …
    Trait("tipped", 0, 165, False),  # … and how it lies from 0.8 to 1.8 s after
)
"""What an impact is told by, whichever way round the device is worn. Stored readings hold it: a trait is never
changed, only another kind of reading can take its place."""

_MARK = 1 << _BITS * len(TRAITS)
"""A bit above all levels, so that no small number passes for an impact."""


@dataclass(frozen=True, slots=True)
class Impact:
    """One impact, as levels of the traits in their order."""

    levels: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.levels) != len(TRAITS) or not all(0 <= level < LEVELS for level in self.levels):
            raise ValueError(f"an impact has {len(TRAITS)} levels from 0 to {LEVELS - 1}, not {self.levels!r}")

    @classmethod
    def measured(cls, values: Mapping[str, float]) -> Self:
        return cls(tuple(trait.level(values[trait.name]) for trait in TRAITS))

    @classmethod
    def unpacked(cls, value: float) -> Self:
        """Out of the value of a reading."""
        whole = int(value)
        if whole != value or whole >> _BITS * len(TRAITS) != 1:
            raise ValueError(f"{value!r} is no packed impact")
        return cls(tuple(whole >> _BITS * place & LEVELS - 1 for place in range(len(TRAITS))))

    def packed(self) -> float:
        """As the value of a reading: a whole number that a float holds exactly."""
        return float(_MARK + sum(level << _BITS * place for place, level in enumerate(self.levels)))

    def value(self, name: str) -> float:
        """About what this trait was."""
        return next(trait.value(level) for trait, level in zip(TRAITS, self.levels, strict=True) if trait.name == name)
