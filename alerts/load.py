"""For how many alerts a person is called, and how many a home raises: of too many none is taken seriously. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)

OF_A_PERSON = 8
"""In a day. Going to see takes the better part of an hour, so more than these cannot all have been gone to."""

OF_A_HOME = 5
"""In a week. A home that calls more often has a resident who needs more than visits, or a sensor in the wrong place."""


@dataclass(frozen=True, slots=True)
class Load:
    """For how many alerts a person was called, or how many a home has raised."""

    who: str
    count: int
    most: int

    @property
    def is_too_high(self) -> bool:
        return self.count > self.most


def of_people(calls: Iterable[tuple[str, str, int]], homes: Collection[str]) -> list[Load]:
    """The load of each person, the highest first. `calls` are person, home and number of alerts."""
    counts: Counter[str] = Counter()
    for person, home, count in calls:
        if home in homes:
            counts[person] += count
    return _sorted(counts, OF_A_PERSON)


def of_homes(alerts: Iterable[tuple[str, int]], homes: Collection[str]) -> list[Load]:
    """The homes that raise too many, the worst first. `alerts` are home and number."""
    return [load for load in _sorted(Counter({h: n for h, n in alerts if h in homes}), OF_A_HOME) if load.is_too_high]


def _sorted(counts: Counter[str], most: int) -> list[Load]:
    return [Load(who, count, most) for who, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
