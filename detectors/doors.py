"""The entry door stands open, or nobody has used it for days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, time, timedelta
from typing import ClassVar

from detectors.habit import (
    BEYOND_USUAL,
    DOOR_RULE,
    LONG_HOLE,
    LOOK_AGAIN,
    MEMORY_DAYS,
    NO_PAIRS,
    NOTHING,
    SURE_AFTER,
    Pairs,
    cautious,
    counted_from,
    follows,
    is_planned,
    local,
    packed,
    planned,
    second,
    shared,
)
from detectors.kinds import DOOR, MOTION, RETURNED
from gateway.domain import SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, Severity, seconds
from gateway.domain.plan import UNUSUAL, YES
from gateway.ports import Context

WORTH_REMEMBERING = timedelta(hours=12)
"""A door that was not used for less long than this has been used every day."""

NEW = timedelta(hours=72)
"""How much later it is told while the habits of a home are not known yet."""


@dataclass(slots=True)
class DoorsState:
    open: Mapping[str, datetime] = field(default_factory=lambda: NOTHING)  # door -> since when it has stood open
    told: Sequence[str] = ()  # doors of which that was told
    open_due_at: datetime | None = None
    day: int = 0  # the local date that `longest` belongs to
    longest: int = 0  # minutes that a door stood open that day, at most
    days: Sequence[int] = ()  # the same of up to 28 days before, oldest first
    begun: datetime | None = None  # when this home was first heard
    used_at: datetime | None = None  # when the door last moved
    pulse_at: datetime | None = None
    inside: bool = False  # somebody was seen inside since
    unused_due_at: datetime | None = None  # while somebody is inside and it was not told
    gaps: Pairs = NO_PAIRS  # date and hours of long spans without the door
    unusual: bool = False  # part of the span since `used_at` was: it must not teach

    def __post_init__(self) -> None:
        self.open, self.told = self.open or NOTHING, tuple(self.told)
        self.days, self.gaps = packed(self.days), Pairs.of(self.gaps)


@dataclass(slots=True)
class Doors:
    """The entry door stands open for longer than usual, or somebody is at home and has not used it for days.

    Open: 15 minutes by day and 5 by night, by day also one and a half times the second longest of 28 days. Not used:
    a day (and half as much again) longer than the longest such span of 28 days, at least 48 hours, and only while
    somebody is seen inside.
    """

    kinds: ClassVar[frozenset[Kind]] = SIGNS_OF_LIFE | {Kind.RETURNED}
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    open_by_day: timedelta = timedelta(minutes=15)
    open_by_night: timedelta = timedelta(minutes=5)
    night_begins: time = time(22)
    night_ends: time = time(6)
    not_used: timedelta = timedelta(hours=48)
    margin: timedelta = timedelta(hours=24)
    at_most: timedelta = timedelta(days=10)
    state: DoorsState = field(default_factory=DoorsState, init=False)
    _doors: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._doors = shared(self.home.exit_doors)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        if not self._doors:
            return ()
        state, kind = self.state, reading.kind
        if kind is RETURNED:
            self._after_hole(reading, timedelta(seconds=reading.value))
            return ()
        if not reading.is_event or reading.sensor in context.blind:
            return ()
        at, before = reading.at, state.pulse_at
        if before is None or at > before:
            state.pulse_at = at
        if state.begun is None:
            state.begun = state.used_at = at
        if UNUSUAL in context.plan:
            state.unusual = True
        if kind is DOOR and reading.sensor in self._doors:
            self._moved(reading, context)
        elif state.inside or state.used_at is None or at <= state.used_at + DOOR_RULE:
            return ()
        elif kind is not MOTION or follows(before, at):
            self._seen_inside(state.used_at, context)
        return ()

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        return (*self._stands_open(now, context), *self._is_not_used(now, context))

    def due(self) -> datetime | None:
        opened, unused = self.state.open_due_at, self.state.unused_due_at
        if opened is None or unused is None:
            return opened or unused
        return min(opened, unused)

    def _moved(self, reading: Reading, context: Context) -> None:
        state, at, door, used = self.state, reading.at, reading.sensor, counted_from(reading)
        if state.used_at is None or used > state.used_at:
            was_shut = None if state.used_at is None else used - state.used_at
            if was_shut is not None and was_shut >= WORTH_REMEMBERING and state.inside and not state.unusual:
                self._learn_gap(used, was_shut)
            state.used_at, state.inside, state.unused_due_at = used, False, None
            state.unusual = UNUSUAL in context.plan
        elif used < state.used_at:
            return  # heard late: how it stands is known
        since = state.open.get(door)
        if reading.value and since is None:
            if reading.late:
                return  # how it stood then: that it was closed since may be on its way
            state.open = {**state.open, door: at}
            self._schedule(context)
        elif not reading.value and since is not None:
            state.open = {name: then for name, then in state.open.items() if name != door} or NOTHING
            if door in state.told:
                state.told = tuple(name for name in state.told if name != door)
            elif UNUSUAL not in context.plan:
                self._learn_open(at, at - since)
            self._schedule(context)

    def _after_hole(self, reading: Reading, hole: timedelta) -> None:
        """How the doors stand after a long hole nobody knows, nor whether they were used in it."""
        state = self.state
        if hole <= LONG_HOLE:
            return
        state.open, state.told, state.open_due_at = NOTHING, (), None
        if state.used_at is not None and reading.at > state.used_at:
            state.used_at, state.inside, state.unused_due_at = reading.at, False, None

    # ------------------------------------------------------------------ left open

    def _stands_open(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.open_due_at is None or now < state.open_due_at:
            return
        for door, since in sorted(state.open.items()):
            limit = self._open_limit(since, context)
            if limit is None or door in state.told or since + limit > now:
                continue
            if door in context.blind:
                state.open_due_at = now + LOOK_AGAIN
                return
            state.told = (*state.told, door)
            yield self._finding("door_open", since, since + limit, limit, context, door)
        self._schedule(context)

    def _schedule(self, context: Context) -> None:
        state = self.state
        dues = [
            since + limit
            for door, since in state.open.items()
            if door not in state.told and (limit := self._open_limit(since, context)) is not None
        ]
        state.open_due_at = min(dues, default=None)

    def _open_limit(self, since: datetime, context: Context) -> timedelta | None:
        """How long a door may stand open that was opened then; into the night no longer than by night."""
        if is_planned(context, "door_open") or planned(context, "door_open", self.open_by_day) is None:
            return planned(context, "door_open", self.open_by_day)
        zone = self.home.zone
        there = since.astimezone(zone)
        if not self.night_ends <= there.time() < self.night_begins:
            return self.open_by_night
        usual = timedelta(minutes=BEYOND_USUAL * second([*self.state.days, self.state.longest]))
        by_day = cautious(max(self.open_by_day, usual), len(self.state.days))
        tonight = local(zone, there.date(), self.night_begins) + self.open_by_night
        return min(by_day, tonight - since)

    def _learn_open(self, ended: datetime, length: timedelta) -> None:
        state, today = self.state, ended.astimezone(self.home.zone).toordinal()
        if state.day != today:
            if state.day:
                state.days = packed([*state.days, state.longest][-MEMORY_DAYS:])
            state.day, state.longest = today, 0
        state.longest = max(state.longest, round(length / timedelta(minutes=1)))

    # ------------------------------------------------------------------ not used

    def _is_not_used(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.unused_due_at is None or state.used_at is None or now < state.unused_due_at:
            return
        due, state.unused_due_at = state.unused_due_at, None
        if context.plan.get("housebound") == YES or planned(context, "door_not_used", self.not_used) is None:
            return
        if not self._doors.isdisjoint(context.blind):  # counted from when it is seen again
            state.used_at, state.inside = now, False
            return
        yield self._finding("door_not_used", state.used_at, due, due - state.used_at, context)

    def _seen_inside(self, used: datetime, context: Context) -> None:
        """Somebody is at home; from when on it is strange that the door has not been used."""
        state = self.state
        state.inside = True
        longest = timedelta(hours=max((hours for _, hours in state.gaps), default=0))
        limit = min(max(self.not_used, longest + self.margin, BEYOND_USUAL * longest), self.at_most)
        if state.begun is not None and used - state.begun < timedelta(days=SURE_AFTER):
            limit += NEW
        if is_planned(context, "door_not_used"):
            limit = planned(context, "door_not_used", limit) or limit
        state.unused_due_at = used + limit

    def _learn_gap(self, ended: datetime, length: timedelta) -> None:
        today = ended.toordinal()
        kept = [gap for gap in self.state.gaps if gap[0] > today - MEMORY_DAYS]
        self.state.gaps = Pairs([*kept, (today, round(length / timedelta(hours=1)))][-MEMORY_DAYS:])

    def _usually_open(self) -> str:
        """Seconds; empty while hardly a day is known."""
        days = [*self.state.days, self.state.longest]
        return str(60 * max(second(days), 1)) if len(days) > 1 else ""

    def _usually_unused(self, since: datetime) -> str:
        state = self.state
        if state.gaps:
            return str(3600 * max(hours for _, hours in state.gaps))
        is_known = state.begun is not None and since - state.begun >= timedelta(days=SURE_AFTER)
        return seconds(WORTH_REMEMBERING) if is_known else ""

    def _finding(
        self, code: str, since: datetime, at: datetime, limit: timedelta, context: Context, door: str = ""
    ) -> Finding:
        facts: Facts = (
            ("elapsed_s", seconds(at - since)),
            ("limit_s", seconds(limit)),
            ("last_at", since.isoformat()),
            ("usual_s", self._usually_open() if door else self._usually_unused(since)),
        )
        if door:
            facts += (("sensor", door),)
        return Finding(
            home=self.home.id,
            code=code,
            severity=Severity.MEDIUM,
            since=since,
            at=at,
            facts=facts,
            blind=context.blind,
        )
