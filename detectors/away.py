"""Somebody went out and has not come back."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import ClassVar

from detectors.habit import LOOK_AGAIN, MEMORY_DAYS, NO_PAIRS, Pairs, packed
from detectors.silence import (
    HEARD_FOR_SILENCE,
    Silence,
    SilenceState,
    cannot_tell,
    eyes_of,
    looked_last,
    times_longer,
    unheard,
)
from gateway.domain import Facts, Finding, Home, Kind, Reading, Severity, seconds
from gateway.domain.plan import ABSENCE, OFF, UNUSUAL
from gateway.ports import Context

LONGEST_FIRST = timedelta(hours=4)
"""What a home's longest outing is taken to be before one has been seen."""

TIMES_THE_LONGEST = 1.5

NIGHT_BEGINS_H, NIGHT_ENDS_H = 23, 6

KNOWN_AFTER_DAYS = 14
"""So long a home must have been known before *never out at this hour* means anything."""


NEVER = -MEMORY_DAYS
AT_NO_HOUR = packed([NEVER] * 24)


@dataclass(slots=True)
class AwayState(SilenceState):
    known_since: int = 0  # the ordinal of the first local date, from which days are counted
    outings: Pairs = NO_PAIRS  # day and longest outing in minutes
    hours: Sequence[int] = field(default_factory=lambda: AT_NO_HOUR)  # each: the last day on which somebody was out

    def __post_init__(self) -> None:
        self.outings, self.hours = Pairs.of(self.outings), packed(self.hours)


@dataclass(slots=True)
class Away:
    """Somebody left by the entry door and has been out far longer than this home's longest outing of four weeks.

    An outing is a silence that begins within a minute of the entry door moving, and lasts until somebody moves
    inside. Its limit is one and a half times the longest of 28 days, between six and 24 hours; by night an hour,
    where nobody was ever out at that time. It is told once, however long it lasts: a journey is one alert. While an
    absence is declared in the household's plan nothing is said.
    """

    kinds: ClassVar[frozenset[Kind]] = HEARD_FOR_SILENCE
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    shortest: timedelta = timedelta(hours=6)
    longest: timedelta = timedelta(hours=24)
    by_night: timedelta = timedelta(minutes=60)
    state: AwayState = field(default_factory=AwayState, init=False)
    _eyes: frozenset[str] = field(init=False)
    _reckoned: tuple[datetime, datetime] | None = field(default=None, init=False)  # of this silence: the deadline

    def __post_init__(self) -> None:
        self._eyes = eyes_of(self.home)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state = self.state
        before = state.life_at
        silence = state.take(reading, context)
        if state.life_at is before:
            return ()
        if before is None:
            state.known_since = reading.at.astimezone(self.home.zone).toordinal()
        elif silence is not None and silence.out:
            is_usual = not (state.told or silence.hole or state.excused_at or UNUSUAL in context.plan)
            if is_usual:
                self._learn(silence)
        state.begin()
        return ()

    def _learn(self, outing: Silence) -> None:
        state = self.state
        length = outing.ended - outing.began
        ended = outing.ended.astimezone(self.home.zone)
        day, minutes = ended.toordinal() - state.known_since, length // timedelta(minutes=1)
        hours = list(state.hours)
        for ago in range(min(minutes // 60, 23) + 1):
            hours[(ended - timedelta(hours=ago)).hour] = day
        hours[outing.began.astimezone(self.home.zone).hour] = day
        state.hours = packed(hours)
        outings = [one for one in state.outings if one[0] > day - MEMORY_DAYS]
        if outings and outings[-1][0] == day:
            minutes = max(outings.pop()[1], minutes)
        state.outings = Pairs([*outings, (day, minutes)])

    # ------------------------------------------------------------------ limits

    def _limit(self, since: datetime) -> tuple[timedelta, str]:
        state = self.state
        left = since.astimezone(self.home.zone)
        day = left.toordinal() - state.known_since
        is_night = not NIGHT_ENDS_H <= left.hour < NIGHT_BEGINS_H
        if is_night and day >= KNOWN_AFTER_DAYS:
            hours = {left.hour, (left + self.by_night).hour}
            if all(state.hours[hour] <= day - MEMORY_DAYS for hour in hours):
                return self.by_night, "night"
        longest = max((timedelta(minutes=one[1]) for one in state.outings), default=LONGEST_FIRST)
        return min(max(TIMES_THE_LONGEST * longest, self.shortest), self.longest), "away"

    # ------------------------------------------------------------------ time

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.life_at is None or state.told or not state.out:
            return ()
        if state.due_at is None and (self._reckoned is None or self._reckoned[0] is not state.life_at):
            self._reckoned = (state.life_at, state.life_at + self._limit(state.life_at)[0])
        due_at = state.due_at or (self._reckoned and self._reckoned[1])
        if due_at is None or now < due_at:
            return ()
        again = self._look_again(state.life_at, due_at, now, context)
        if again is not None:
            state.due_at = again
            return ()
        state.told = True
        return (self._finding(state.life_at, due_at, context),)

    def due(self) -> datetime | None:
        state = self.state
        if state.life_at is None or state.told or not state.out:
            return None
        if state.due_at is None and self._reckoned is not None and self._reckoned[0] is state.life_at:
            return self._reckoned[1]
        return state.due_at or state.life_at + min(self.by_night, self.shortest)

    def _look_again(self, since: datetime, due_at: datetime, now: datetime, context: Context) -> datetime | None:
        """When an outing that is excused, or not proven, is to be judged again; None: it has lasted too long."""
        if ABSENCE in context.plan:
            self.state.excused_at = looked_last(due_at, now)
            return self.state.excused_at + LOOK_AGAIN
        if context.plan.get("not_returned") == OFF:
            return looked_last(due_at, now) + LOOK_AGAIN
        excused_at = self.state.excused_at
        if excused_at is not None and now < excused_at + self.shortest:
            return excused_at + self.shortest  # the absence has ended: she may be on her way
        if cannot_tell(since, context, self._eyes):
            return now + LOOK_AGAIN
        missed = unheard(since, context)
        if not context.blind and not missed:
            return None
        longer = since + self._limit(since)[0] * times_longer(self.home, self._eyes, since, context) + missed
        return min(longer, now + LOOK_AGAIN) if longer > now else None

    def _finding(self, since: datetime, at: datetime, context: Context) -> Finding:
        state = self.state
        limit, rule = self._limit(since)
        usual = str(int(60 * median(one[1] for one in state.outings))) if state.outings else ""
        facts: Facts = (
            ("rule", rule),
            ("elapsed_s", seconds(at - since)),
            ("limit_s", seconds(limit * times_longer(self.home, self._eyes, since, context))),
            ("last_at", since.isoformat()),
            ("last_kind", state.life_kind),
            ("last_room", state.life_room),
            ("usual_s", usual),
        )
        return Finding(
            home=self.home.id,
            code="not_returned",
            severity=Severity.HIGH,
            since=since,
            at=at,
            facts=facts,
            blind=context.blind,
        )
