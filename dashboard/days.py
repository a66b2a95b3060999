"""A resident's days in a few numbers: when they got up, how long they rested, how often they were out. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from gateway.domain import Home, Kind, Reading, RoomKind

A_DAY = timedelta(days=1)

EVENING, SMALL_HOURS, NOON = time(18), time(4), time(14)
"""A night lies between an evening and a noon; nobody gets up before the small hours are over."""

NIGHT_HOURS = (23, 0, 1, 2, 3, 4)
NIGHT_WALK = timedelta(minutes=15)
"""Whoever is up for less than this in the hours of the night drinks something and goes back to bed."""

APART = timedelta(minutes=15)
"""Movements no further apart belong together."""

SHORTEST_REST = timedelta(hours=2)
"""A shorter pause in a night is no rest of which anything could be said."""

RESTING = frozenset({RoomKind.BEDROOM, RoomKind.BATHROOM, RoomKind.HALL})
"""Rooms in which somebody moves who is not up: the bed, and the way to the bathroom."""

AT_THE_DOOR = timedelta(minutes=2)
"""Whoever leaves is still seen in the hall for so long after the door."""

SHORTEST_OUTING = timedelta(minutes=10)
"""Whoever takes the rubbish out was not out."""

PARTS: tuple[tuple[str, int, int], ...] = (
    ("night", 0, 5),
    ("morning", 5, 11),
    ("noon", 11, 14),
    ("afternoon", 14, 18),
    ("evening", 18, 24),
)
"""Parts of a day, by the hours of the clock in the home."""

ROOMS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Outing:
    """From the front door to the front door, and nobody inside meanwhile. Still out, where it has no end."""

    left: datetime
    back: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """What one day was like; None is not known, and never zero."""

    on: date
    up: datetime | None
    rested: timedelta | None  # in the night before it
    outings: tuple[Outing, ...]
    was_seen: bool  # anything at all was heard of anybody on this day

    def out_for(self, now: datetime) -> timedelta | None:
        """How long altogether; not known of a day on which nothing was seen."""
        if not self.was_seen:
            return None
        return sum(((outing.back or now) - outing.left for outing in self.outings), timedelta(0))


def days_of(home: Home, readings: Sequence[Reading], first: date, last: date, now: datetime) -> list[Day]:
    """Each day from the first to the last. `readings` begin a day before it, in the order in which they happened."""
    events = [reading for reading in readings if reading.is_event]
    resting = {room.id for room in home.rooms if room.kind in RESTING}
    up = [reading.at for reading in events if reading.room not in resting and reading.kind is not Kind.BED]
    if not up or (resting and all(room.id in resting for room in home.rooms)):
        up = [reading.at for reading in events]
    holes = [(r.at - timedelta(seconds=r.value), r.at) for r in readings if r.kind is Kind.RETURNED and r.value > 0]
    gone = outings(home, readings)
    found = []
    for number in range((last - first).days + 1):
        on = first + number * A_DAY
        begins, ends = moment(home, on, time()), moment(home, on + A_DAY, time())
        night = _night(home, _within(up, moment(home, on - A_DAY, EVENING), moment(home, on, NOON)))
        rested = None
        if night is not None and not any(start < night[1] and end > night[0] for start, end in holes):
            rested = night[1] - night[0]
        small_hours = moment(home, on, SMALL_HOURS)
        earliest = min(_within(up, small_hours, moment(home, on, NOON)), default=None)
        got_up = night[1] if night is not None and night[1] >= small_hours else earliest
        found.append(
            Day(
                on=on,
                up=got_up,
                rested=rested,
                outings=tuple(outing for outing in gone if begins <= outing.left < ends),
                was_seen=any(begins <= reading.at < ends for reading in events),
            )
        )
    return found


def outings(home: Home, readings: Iterable[Reading]) -> list[Outing]:
    """Between two uses of the front door nobody moved inside, for a while; nothing where no such door is known."""
    if not home.exit_doors:
        return []
    found: list[Outing] = []
    door: datetime | None = None  # when the front door was used last and nobody seen inside since
    for reading in readings:
        if reading.kind is Kind.DOOR:
            if door is not None and reading.at - door >= SHORTEST_OUTING:
                found.append(Outing(door, reading.at))
            door = reading.at
        elif reading.kind is Kind.RETURNED:
            door = None  # whoever could not be heard meanwhile may have come home
        elif reading.is_event and (door is None or reading.at - door > AT_THE_DOOR):
            door = None
    if door is not None:
        found.append(Outing(door, None))
    return found


def _night(home: Home, up: Sequence[datetime]) -> tuple[datetime, datetime] | None:
    """From when to when somebody rested: the longest pause of a night, whatever they went to drink meanwhile."""
    spells: list[tuple[datetime, datetime]] = []
    for at in up:
        if spells and at - spells[-1][1] <= APART:
            spells[-1] = spells[-1][0], at
        else:
            spells.append((at, at))
    awake = [
        (begin, end)
        for begin, end in spells
        if end - begin >= NIGHT_WALK or begin.astimezone(home.zone).hour not in NIGHT_HOURS
    ]
    pauses = [(before[1], after[0]) for before, after in pairwise(awake)]
    longest = max(pauses, key=lambda pause: pause[1] - pause[0], default=None)
    return longest if longest is not None and longest[1] - longest[0] >= SHORTEST_REST else None


def part_of_day(home: Home, readings: Iterable[Reading]) -> dict[str, list[str]]:
    """In which rooms somebody moved in each part of a day, where most first; parts without anything are not in it."""
    counts: dict[str, Counter[str]] = {}
    for reading in readings:
        if reading.is_event and reading.kind is not Kind.DOOR and home.room(reading.room) is not None:
            hour = reading.at.astimezone(home.zone).hour
            part = next(name for name, begins, ends in PARTS if begins <= hour < ends)
            counts.setdefault(part, Counter())[reading.room] += 1
    return {part: [room for room, _ in rooms.most_common(ROOMS_NAMED)] for part, rooms in counts.items()}


def moment(home: Home, on: date, clock: time) -> datetime:
    """When a clock in the home shows this."""
    return datetime.combine(on, clock, home.zone).astimezone(UTC)


def _within(moments: Iterable[datetime], since: datetime, until: datetime) -> list[datetime]:
    return [at for at in moments if since <= at < until]
