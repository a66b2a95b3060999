"""Who can be called when: duties that are held, shifts, swaps, leave, and the days that count as another weekday.

Hours are those of a clock that hangs where the shift is worked; an answer is in moments. Nothing here knows a store.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.domain.home import Duty, Person
from gateway.domain.people import Relation

K = TypeVar("K")
V = TypeVar("V")

A_DAY = timedelta(days=1)
EVERY_DAY = "1234567"
"""Monday is 1, as on every duty sheet."""

EVER_SINCE = datetime.min.replace(tzinfo=UTC)
FOR_GOOD = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A duty that somebody holds for a grid or a wider area, from and to; a place of "" is every grid."""

    person: str
    duty: Duty
    place: str
    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """班次: somebody can be called for a duty on these days, from `begins` until `ends` by the clock of the place.

    A shift that does not end later than it begins ends on the next day: 22:00–06:00, and 08:00–08:00 is a whole day.
    A swap is a shift of one day in the place of another one, `swap_of`.
    """

    place: str  # a grid or an area
    duty: Duty
    person: str
    begins: time
    ends: time
    zone: ZoneInfo
    first: date
    last: date | None = None  # None: until somebody ends it
    weekdays: str = EVERY_DAY
    swap_of: str = ""

    def __post_init__(self) -> None:
        if not self.weekdays or set(self.weekdays) - set(EVERY_DAY) or len(set(self.weekdays)) < len(self.weekdays):
            raise ValueError(f"the weekdays of a shift are some of 1 (Monday) to 7, each once, not {self.weekdays!r}")
        if self.last is not None and self.last < self.first:
            raise ValueError(f"a shift that begins on {self.first} has its last day then or later, not on {self.last}")
        if self.swap_of and self.last != self.first:
            raise ValueError(f"a swap is for one day, not from {self.first} until {self.last}")

    @property
    def id(self) -> str:
        """What makes it this shift; whoever works the day of another one has that shift's id and the day."""
        if self.swap_of:
            return f"{self.swap_of}@{self.first}"
        hours = f"{self.begins:%H%M}-{self.ends:%H%M}"
        return f"{self.place}/{self.duty}/{self.person}/{self.first}/{self.weekdays}/{hours}"

    def in_force(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def hours(self, day: date) -> tuple[datetime, datetime]:
        """When the shift of this day begins and ends. An hour that the clock leaves out or strikes twice makes it
        shorter or longer, and never a hole between two shifts of which one ends as the other begins."""
        until = day if self.ends > self.begins else day + A_DAY
        return _moment(day, self.begins, self.zone), _moment(until, self.ends, self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """节假日 or 调休: a day on which the rota of another weekday holds. A feast counts as a Sunday, a Saturday that has
    to be worked as a Monday."""

    day: date
    place: str = ""  # a grid or an area; "" is everywhere
    counts_as: int = 7
    name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.counts_as <= 7:
            raise ValueError(f"a day counts as a weekday from 1 (Monday) to 7 (Sunday), not as {self.counts_as}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """请假: somebody who works for us is not called for any duty from then until then."""

    person: str
    since: datetime
    until: datetime
    reason: str = ""
    author: str = ""

    def __post_init__(self) -> None:
        if not self.since < self.until:
            raise ValueError(f"leave ends after it has begun, not from {self.since} until {self.until}")

    def covers(self, at: datetime) -> bool:
        return self.since <= at < self.until


class Why(StrEnum):
    """By what right somebody is called."""

    POST = "post"  # holds the duty, at any hour
    SHIFT = "shift"
    HOLIDAY = "holiday"  # a shift, because the day counts as another weekday
    SWAP = "swap"  # in place of somebody else
    NIGHT = "night"  # because nobody who works in the grid can be called at this hour
    CONTACT = "contact"  # stands around the household


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One shift on one day, by whoever works it."""

    shift: Shift
    day: date
    person: str
    begins: datetime
    ends: datetime
    why: Why = Why.SHIFT
    instead_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Somebody who can be called now, and why it is this person."""

    person: Person
    why: Why
    place: str = ""
    turn: Turn | None = None
    relation: Relation | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """Who can be called for a duty, first choice first, and from when until when that is so."""

    people: tuple[OnCall, ...] = ()
    since: datetime = EVER_SINCE
    until: datetime = FOR_GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """Everything that says who can be called when, laid out so that asking is quick."""

    posts: Mapping[tuple[str, Duty], tuple[Post, ...]] = field(default_factory=dict)
    shifts: Mapping[tuple[str, Duty], tuple[Shift, ...]] = field(default_factory=dict)
    swaps: Mapping[tuple[str, date], Shift] = field(default_factory=dict)
    holidays: Mapping[tuple[str, date], Holiday] = field(default_factory=dict)
    leaves: Mapping[str, tuple[Leave, ...]] = field(default_factory=dict)
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A place -> itself and what it lies in, the nearest first: grid, community, street, district, and last ""."""
    spans: Mapping[tuple[str, Duty], Mapping[str, tuple[datetime, datetime]]] = field(default_factory=dict)
    """Per place and duty: from when until when the shifts speak of each person."""

    @classmethod
    def laid_out(
        cls,
        posts: Iterable[Post] = (),
        shifts: Iterable[Shift] = (),
        holidays: Iterable[Holiday] = (),
        leaves: Iterable[Leave] = (),
        above: Mapping[str, tuple[str, ...]] | None = None,
    ) -> "Rota":
        shifts = tuple(shifts)
        worked = _sorted_out(((s.place, s.duty), s) for s in shifts if not s.swap_of)
        return cls(
            posts=_sorted_out(((post.place, post.duty), post) for post in posts),
            shifts=worked,
            swaps={(s.swap_of, s.first): s for s in shifts if s.swap_of},
            holidays={(holiday.place, holiday.day): holiday for holiday in holidays},
            leaves=_sorted_out((leave.person, leave) for leave in leaves),
            above=above or {},
            spans={key: _spans(kept) for key, kept in worked.items()},
        )

    def spell(self, grid: str, duty: Duty, at: datetime, people: Mapping[str, Person]) -> Spell:
        """Who can be called for this duty of this grid at that moment.

        The nearest place with anybody who can be reached is meant: the grid itself, else its community, and so on up;
        and those who answer for every grid. Within a place: who is on shift, then who holds the duty and keeps no
        hours. Whoever has shifts there is called in them only, from the first of them to the last.
        """
        edges = _Edges(at)
        found: dict[str, OnCall] = {}
        for place in self.above.get(grid) or ((grid, "") if grid else ("",)):
            here = self._here(place, duty, people, edges)
            if place == "" or not any(one.person.reaches for one in found.values()):
                for one in here:
                    found.setdefault(one.person.id, one)
        return Spell(tuple(found.values()), edges.since, edges.until)

    def turns(self, place: str, duty: Duty, day: date) -> list[Turn]:
        """The shifts of one day at this very place, in the order in which they begin; leave is not looked at."""
        found = [turn for shift in self.shifts.get((place, duty), ()) if (turn := self._turn(shift, day)) is not None]
        return sorted(found, key=lambda turn: turn.begins)

    def is_away(self, person: str, at: datetime) -> bool:
        return any(leave.covers(at) for leave in self.leaves.get(person, ()))

    def holiday(self, place: str, day: date) -> Holiday | None:
        """What the nearest of a place and the areas around it says of this day."""
        around = self.above.get(place) or (place, "")
        return next((found for code in around if (found := self.holidays.get((code, day))) is not None), None)

    def _here(self, place: str, duty: Duty, people: Mapping[str, Person], edges: "_Edges") -> list[OnCall]:
        """Who can be called at this very place; every moment at which that may change is noted."""
        found: list[Turn] = []
        days: dict[ZoneInfo, tuple[date, date]] = {}
        for shift in self.shifts.get((place, duty), ()):
            if shift.zone not in days:
                today = edges.at.astimezone(shift.zone).date()
                days[shift.zone] = today - A_DAY, today
                edges.note(_midnight(today, shift.zone))
                edges.note(_midnight(today + A_DAY, shift.zone))
            for day in days[shift.zone]:
                turn = self._turn(shift, day)
                if turn is not None and edges.is_within(turn.begins, turn.ends):
                    found.append(turn)
        found.sort(key=lambda turn: turn.begins)
        spans = self.spans.get((place, duty), {}).items()
        keeps_hours = {person for person, (begins, ends) in spans if edges.is_within(begins, ends)}
        named = [OnCall(person=people[t.person], why=t.why, place=place, turn=t) for t in found if t.person in people]
        for post in self.posts.get((place, duty), ()):
            if edges.is_within(post.since, post.until or FOR_GOOD) and post.person not in keeps_hours:
                named.append(OnCall(person=people[post.person], why=Why.POST, place=place))
        return [one for one in named if not self._is_on_leave(one.person.id, edges)]

    def _turn(self, shift: Shift, day: date) -> Turn | None:
        if not shift.in_force(day):
            return None
        holiday = self.holiday(shift.place, day) if self.holidays else None
        if str(holiday.counts_as if holiday else day.isoweekday()) not in shift.weekdays:
            return None
        begins, ends = shift.hours(day)
        swap = self.swaps.get((shift.id, day)) if self.swaps else None
        if swap is not None and swap.person != shift.person:
            return Turn(
                shift=shift,
                day=day,
                person=swap.person,
                begins=begins,
                ends=ends,
                why=Why.SWAP,
                instead_of=shift.person,
            )
        why = Why.HOLIDAY if holiday and str(day.isoweekday()) not in shift.weekdays else Why.SHIFT
        return Turn(shift=shift, day=day, person=shift.person, begins=begins, ends=ends, why=why)

    def _is_on_leave(self, person: str, edges: "_Edges") -> bool:
        away = [edges.is_within(leave.since, leave.until) for leave in self.leaves.get(person, ())]
        return any(away)


class _Edges:
    """The nearest moments before and after `at` at which an answer may become another one."""

    __slots__ = ("at", "since", "until")

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)
        self.since, self.until = EVER_SINCE, FOR_GOOD

    def note(self, edge: datetime) -> None:
        if edge <= self.at:
            self.since = max(self.since, edge)
        else:
            self.until = min(self.until, edge)

    def is_within(self, begins: datetime, ends: datetime) -> bool:
        self.note(begins)
        self.note(ends)
        return begins <= self.at < ends


def _sorted_out(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}


def _spans(shifts: Iterable[Shift]) -> dict[str, tuple[datetime, datetime]]:
    spans: dict[str, tuple[datetime, datetime]] = {}
    for shift in shifts:
        begins = _midnight(shift.first, shift.zone)
        ends = FOR_GOOD if shift.last is None else _midnight(shift.last + A_DAY, shift.zone)
        first, last = spans.get(shift.person, (begins, ends))
        spans[shift.person] = min(first, begins), max(last, ends)
    return spans


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _moment(day, time.min, zone)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
