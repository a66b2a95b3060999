"""What the rules about rooms, beds, nights and doors share: a person's habit, and her household's plan."""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gateway.domain import SECOND_EVENT, Home, Kind, Reading, Role
from gateway.domain.plan import OFF
from gateway.ports import Context

T = TypeVar("T")

MEMORY_DAYS = 28

SURE_AFTER = 14
"""Until so many days are known a limit is longer than it will be: twice as long on the first day."""

BEYOND_USUAL = 1.5
"""How many times what is usual something may last."""

LONG_HOLE = timedelta(minutes=10)
"""Of what happens in a shorter hole hardly anything is missed; after a longer one nobody knows where she is."""

LOOK_AGAIN = timedelta(minutes=5)
"""How long something that too few sensors can vouch for waits until it is judged again."""

DOOR_RULE = timedelta(seconds=60)
"""Whoever is seen no later than this after the entry door moved may have left by it."""

EYES = frozenset({Role.MOTION, Role.PRESENCE, Role.BED})
"""What sees whoever is at home and moves."""


def planned(context: Context, code: str, usual: timedelta) -> timedelta | None:
    """The limit of this household: the minutes in its plan, else the usual one. None: switched off there."""
    said = context.plan.get(code, "")
    if said == OFF:
        return None
    return timedelta(minutes=int(said)) if said.isdecimal() and int(said) else usual


def planned_number(said: str | None, usual: float, *, off: float) -> float:
    """A limit in litres or degrees by the household's plan. What it says that is no number changes nothing."""
    if said == OFF:
        return off
    try:
        return usual if said is None else float(said)
    except ValueError:
        return usual


def is_planned(context: Context, code: str) -> bool:
    """Whether the plan gives this rule a limit of its own, so that habit has no say."""
    return context.plan.get(code, "").isdecimal()


def cautious(limit: timedelta, days_known: int) -> timedelta:
    """A limit for a home of which so many days are known."""
    return limit * (2 - min(days_known, SURE_AFTER) / SURE_AFTER)


def packed(numbers: Iterable[int]) -> Sequence[int]:
    """A history at four bytes a number. Every home has a dozen of these, and a list keeps each number as an object."""
    return numbers if isinstance(numbers, array) else array("i", numbers) or ()


class Pairs:
    """A history of pairs, packed likewise; made anew when one is added."""

    __slots__ = ("_numbers",)

    def __init__(self, pairs: Iterable[Iterable[int]] = ()) -> None:
        self._numbers = packed(chain.from_iterable(pairs))

    @classmethod
    def of(cls, kept: "Pairs | Collection[Iterable[int]]") -> "Pairs":
        """These, or what a checkpoint has of them."""
        if isinstance(kept, Pairs):
            return kept
        return cls(kept) if kept else NO_PAIRS

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._numbers[::2], self._numbers[1::2], strict=True)

    def __len__(self) -> int:
        return len(self._numbers) // 2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pairs) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def plain(self) -> list[tuple[int, int]]:
        return list(self)


NO_PAIRS = Pairs()

NOTHING: Mapping[str, Any] = {}
"""What most homes have of nearly everything: it is shared, and never added to."""

_WHOLE = {float(number): float(number) for number in range(256)}


def alike(number: float) -> float:
    """The same number, as one object for all who have it: most that devices say is on, off, or a whole percentage."""
    return _WHOLE.get(number, number)


def second(values: Sequence[int]) -> int:
    """The second largest: the largest is too often something that nobody saw. 0 when there is none."""
    return sorted(values)[-2] if len(values) > 1 else 0


def follows(before: datetime | None, at: datetime) -> bool:
    """Whether another event is near enough to this infrared pulse to make it a sign of life."""
    return before is not None and at != before and abs(at - before) <= SECOND_EVENT


def counted_from(reading: Reading) -> datetime:
    """From when on it is waited for what ends this. Of a sensor that is heard late that is heard late too."""
    return reading.heard if reading.late else reading.at


def local(zone: ZoneInfo, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def sensors_in(home: Home, rooms: Collection[str]) -> frozenset[str]:
    """The sensors that see people in these rooms."""
    return shared(frozenset(sensor.id for sensor in home.sensors if sensor.role in EYES and sensor.room in rooms))


NOT_ASKED: frozenset[Kind] = frozenset()
"""What a detector wants to hear of in a home that has nothing for it."""


@lru_cache(maxsize=4096)
def shared(names: frozenset[str]) -> frozenset[str]:
    """These names as one object for all homes that have the same: what hangs on their walls is called alike."""
    return names


@lru_cache(maxsize=4096)
def table(rows: tuple[tuple[str, T], ...]) -> Mapping[str, T]:
    """What is looked up by a room's or a sensor's name, likewise as one object for all."""
    return dict(rows)


def are_blind(sensors: Iterable[str], context: Context) -> bool:
    """Whether none of these sees anything, or there is none at all."""
    return all(sensor in context.blind for sensor in sensors)
