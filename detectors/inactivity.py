"""Nobody has moved for too long."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import ClassVar

from gateway.domain import SECOND_EVENT, SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, Role, Severity, seconds
from gateway.ports import Context

DOOR_RULE = timedelta(seconds=60)
"""A silence that begins this soon after the entry door moved is an outing."""

LONGEST_OUTING_FIRST = timedelta(hours=4)
"""What a home's longest outing is taken to be before it has been seen."""

OUTING_FLOOR, OUTING_CEILING = timedelta(hours=6), timedelta(hours=24)

EYES = frozenset({Role.MOTION, Role.PRESENCE, Role.BED})
"""What sees whoever is at home and moves. The entry door sees who leaves."""

HALF_BLIND = 2
"""While one of these may be dead, somebody may live on unseen: a silence must last so many times longer."""

LOOK_AGAIN = timedelta(minutes=5)
"""How long a silence that nobody can vouch for waits until it is judged again."""

MEMORY_DAYS = 28

WORTH_REMEMBERING = timedelta(minutes=10)
"""Shorter silences are not looked at when the usual is learnt: they never are a day's longest."""


@dataclass(slots=True)
class InactivityState:
    life_at: datetime | None = None  # the last sign of life
    life_kind: str = ""
    life_room: str = ""
    pulse_at: datetime | None = None  # the last event of any kind, a lone pulse too
    door_at: datetime | None = None  # when the entry door last moved
    out: bool = False  # the present silence began at the entry door
    hole: bool = False  # the present silence has a hole in it: it must not teach
    told: bool = False
    due_at: datetime | None = None  # the exact deadline of this silence, once computed
    day: str = ""  # the local date that `longest_s` belongs to
    longest_s: float = 0.0  # today's longest silence at home within the window so far
    days: list[float] = field(default_factory=list)  # of up to 28 days before, oldest first
    outings: list[list[float]] = field(default_factory=list)  # [day ordinal, longest outing in seconds]


@dataclass(slots=True)
class Inactivity:
    """Nobody has moved for three hours of the day (07–22), or for six hours at any time; outings have their own limit.

    Says so once, and again only after life has been seen in between. Silence before seven in the morning does not
    count towards the three hours. A silence that begins at the entry door is an outing: its limit is 1.5 times the
    longest one of 28 days, between 6 and 24 hours, and it is told as *not returned*.

    A silence is evidence only as far as the sensors are known to live. Of a sensor that reports regularly its next
    word is waited for; while one is blind the limits are doubled; while all are, nothing is said.
    """

    kinds: ClassVar[frozenset[Kind]] = SIGNS_OF_LIFE | {Kind.RETURNED}
    home: Home
    _: KW_ONLY
    by_day: timedelta = timedelta(hours=3)
    at_any_time: timedelta = timedelta(hours=6)
    day_begins: time = time(7)
    day_ends: time = time(22)
    state: InactivityState = field(default_factory=InactivityState, init=False)
    _eyes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._eyes = frozenset(sensor.id for sensor in self.home.sensors if sensor.role in EYES)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        kind = reading.kind
        if kind is Kind.RETURNED:
            self.state.hole = True
            return ()
        # A clearing motion sensor or radar, a closing drawer's echo: only what a person *causes* counts.
        # A sensor that chatters or is stuck tells of itself.
        if not reading.is_event or reading.sensor in context.blind:
            return ()
        state, at = self.state, reading.at
        if kind is Kind.DOOR:
            self._door_moved(at)
        before = state.pulse_at
        if before is None or at > before:
            state.pulse_at = at
        # The same moment again is the same pulse heard twice, not a second event.
        if kind is Kind.MOTION and (before is None or at == before or abs(at - before) > SECOND_EVENT):
            return ()
        if state.life_at is None or at > state.life_at:
            self._lived(reading)
        return ()

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.life_at is None or state.told:
            return ()
        if state.due_at is None:
            state.due_at = self._deadline(state.life_at)
        if now < state.due_at:
            return ()
        again = self._look_again(state.life_at, now, context)
        if again is not None:
            state.due_at = again
            return ()
        state.told = True
        return (self._finding(state.life_at, state.due_at, context),)

    def due(self) -> datetime | None:
        state = self.state
        if state.life_at is None or state.told:
            return None
        # Until a silence has lasted for the shortest limit nobody needs its exact deadline, which costs a time zone.
        return state.due_at or state.life_at + min(self.by_day, self.at_any_time)

    def _look_again(self, since: datetime, now: datetime, context: Context) -> datetime | None:
        """When a silence that is not proven yet is to be judged again; None: it is, as far as it can be."""
        if context.vouched_at is not None and context.vouched_at <= since + SECOND_EVENT:
            return now + LOOK_AGAIN  # one of those who could have seen somebody has not been heard since
        if self._eyes and self._eyes.issubset(context.blind):
            return now + LOOK_AGAIN
        unheard = _unheard(since, context)
        if not context.blind and not unheard:
            return None
        longer = self._deadline(since, self._times(since, context)) + unheard
        if unheard or not self.home.exit_doors.isdisjoint(context.blind):
            longer = max(longer, since + unheard + self._outing_limit())  # who knows whether this is an outing
        return min(longer, now + LOOK_AGAIN) if longer > now else None

    def _times(self, since: datetime, context: Context) -> int:
        """How many times longer than usual a silence must last, for what was not seen."""
        is_blind = any(name in self._eyes or name in self.home.exit_doors for name in context.blind)
        return HALF_BLIND if is_blind or _unheard(since, context) else 1

    def _door_moved(self, at: datetime) -> None:
        state = self.state
        if state.door_at is None or at > state.door_at:
            state.door_at = at
        if state.life_at is not None and at <= state.life_at <= at + DOOR_RULE:  # heard late: it was the door after all
            state.out, state.due_at = True, None

    def _lived(self, reading: Reading) -> None:
        state = self.state
        last, at = state.life_at, reading.at
        if last is not None and at - last >= WORTH_REMEMBERING and not state.hole and not state.told:
            self._learn(last, at)
        state.life_at, state.life_kind, state.life_room = at, reading.kind.value, reading.room
        state.out = state.door_at is not None and timedelta(0) <= at - state.door_at <= DOOR_RULE
        state.due_at, state.told, state.hole = None, False, False

    def _learn(self, began: datetime, ended: datetime) -> None:
        state = self.state
        today = ended.astimezone(self.home.zone).date()
        if state.out:
            day = float(today.toordinal())
            length = (ended - began).total_seconds()
            state.outings = [o for o in state.outings if o[0] > day - MEMORY_DAYS]
            if state.outings and state.outings[-1][0] == day:
                state.outings[-1][1] = max(state.outings[-1][1], length)
            else:
                state.outings.append([day, length])
            return
        if state.day != today.isoformat():
            if state.day:
                state.days = [*state.days, state.longest_s][-MEMORY_DAYS:]
            state.day, state.longest_s = today.isoformat(), 0.0
        within = ended - max(began, self._local(today, self.day_begins))
        if within > timedelta(0):
            state.longest_s = max(state.longest_s, within.total_seconds())

    def _deadline(self, since: datetime, times: int = 1) -> datetime:
        if self.state.out:
            return since + self._outing_limit() * times
        by_day, deadline = self.by_day * times, since + self.at_any_time * times
        date_ = since.astimezone(self.home.zone).date()
        for day in (date_, date_ + timedelta(days=1)):
            due = max(since, self._local(day, self.day_begins)) + by_day
            if since + by_day <= due <= self._local(day, self.day_ends):
                return min(deadline, due)
        return deadline

    def _outing_limit(self) -> timedelta:
        longest = max((o[1] for o in self.state.outings), default=LONGEST_OUTING_FIRST.total_seconds())
        return min(max(timedelta(seconds=1.5 * longest), OUTING_FLOOR), OUTING_CEILING)

    def _local(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.home.zone).astimezone(UTC)

    def _finding(self, since: datetime, at: datetime, context: Context) -> Finding:
        state, out = self.state, self.state.out
        times = self._times(since, context)
        rule = "away" if out else ("any" if at - since >= self.at_any_time * times else "day")
        limit = times * (self._outing_limit() if out else (self.at_any_time if rule == "any" else self.by_day))
        facts: Facts = (
            ("rule", rule),
            ("elapsed_s", seconds(at - since)),
            ("limit_s", seconds(limit)),
            ("last_at", since.isoformat()),
            ("last_kind", state.life_kind),
            ("last_room", state.life_room),
        )
        if out and state.outings:
            facts += (("usual_s", str(int(median(o[1] for o in state.outings)))),)
        elif not out and state.days:
            facts += (("usual_s", str(int(median(state.days)))),)
        return Finding(
            home=self.home.id,
            code="not_returned" if out else "inactivity",
            severity=Severity.HIGH,
            since=since,
            at=at,
            facts=facts,
            blind=context.blind,
        )


def _unheard(since: datetime, context: Context) -> timedelta:
    """How much of a silence lies in a hole from which nothing came in afterwards: then time stood still."""
    if context.hole is None:
        return timedelta(0)
    began, ended = context.hole
    return max(ended - max(began, since), timedelta(0))
