"""Nobody has moved for too long."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from gateway.domain import SECOND_EVENT, Facts, Finding, Home, Kind, Reading, Severity, seconds
from gateway.ports import Context

DOOR_RULE = timedelta(seconds=60)
"""A silence that begins this soon after the entry door moved is an outing."""

LONGEST_OUTING_FIRST = timedelta(hours=4)
"""What a home's longest outing is taken to be before it has been seen."""

OUTING_FLOOR, OUTING_CEILING = timedelta(hours=6), timedelta(hours=24)

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
    """

    home: Home
    _: KW_ONLY
    by_day: timedelta = timedelta(hours=3)
    at_any_time: timedelta = timedelta(hours=6)
    day_begins: time = time(7)
    day_ends: time = time(22)
    state: InactivityState = field(default_factory=InactivityState, init=False)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        kind = reading.kind
        if kind is Kind.RETURNED:
            self.state.hole = True
            return ()
        # A clearing motion sensor or radar, a closing drawer's echo: only what a person *causes* counts.
        if not reading.is_event:
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
        state.told = True
        return (self._finding(state.life_at, state.due_at, context),)

    def due(self) -> datetime | None:
        state = self.state
        if state.life_at is None or state.told:
            return None
        # Until a silence has lasted for the shortest limit nobody needs its exact deadline, which costs a time zone.
        return state.due_at or state.life_at + min(self.by_day, self.at_any_time)

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

    def _deadline(self, since: datetime) -> datetime:
        if self.state.out:
            return since + self._outing_limit()
        deadline = since + self.at_any_time
        date_ = since.astimezone(self.home.zone).date()
        for day in (date_, date_ + timedelta(days=1)):
            due = max(since, self._local(day, self.day_begins)) + self.by_day
            if since + self.by_day <= due <= self._local(day, self.day_ends):
                return min(deadline, due)
        return deadline

    def _outing_limit(self) -> timedelta:
        longest = max((o[1] for o in self.state.outings), default=LONGEST_OUTING_FIRST.total_seconds())
        return min(max(timedelta(seconds=1.5 * longest), OUTING_FLOOR), OUTING_CEILING)

    def _local(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.home.zone).astimezone(UTC)

    def _finding(self, since: datetime, at: datetime, context: Context) -> Finding:
        state, out = self.state, self.state.out
        rule = "away" if out else ("any" if at - since >= self.at_any_time else "day")
        limit = self._outing_limit() if out else (self.at_any_time if rule == "any" else self.by_day)
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
