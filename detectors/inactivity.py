"""Nobody has moved for too long, by what is usual in this home at this time of day."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from math import exp
from typing import Any, ClassVar

from detectors.habit import LOOK_AGAIN
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
from detectors.usual import (
    DAY_S,
    HOURS,
    NOTHING_KNOWN,
    QUARTER_S,
    QUARTERS,
    Day,
    Days,
    Usual,
    longest_s,
    lowest_rung,
    with_silence,
)
from gateway.domain import Facts, Finding, Home, Kind, Reading, Severity, seconds
from gateway.domain.plan import ABSENCE, OFF, UNUSUAL
from gateway.ports import Context

MEMORY_DAYS, MEMORY_WEEKS, DAYS_OF_WEEK = 28, 4, 7
"""The last of the weeks is still being lived."""

SHORTEST = timedelta(minutes=45)
"""No silence is told earlier, however lively a home is."""

UNBELIEVABLE = timedelta(hours=16)
"""A longer silence is an absence that nobody saw: it teaches nothing of life at home."""

RUNGS = ((4, 8), (5, 9), (6, 10), (8, 12), (12, 16), (24, 24))
"""The ladder, a ceiling that any carer can read: so many hours of the day, or so many at any time. Below it lies the
rung that the options name; a home stands on the lowest that would not have alarmed in its last 28 days."""

AT_FIRST, WITHOUT_DOOR = timedelta(hours=6), timedelta(hours=8)
"""In a home that is being learnt it starts at 6 | 10, and where nobody sees who leaves at 8 | 12."""

MORE_THAN_MOST = 1.25
"""A silence may hold so many times the life that was due in the home's second most unusual one of 28 days …"""

LONGER_THAN_LONGEST = 1.5
"""… and last so many times as long as the second longest that began about the same hour."""

ALONE_DAYS, LEARNING_DAYS = 7, 14
"""For a week the ladder stands alone; the learnt limits then begin at half as much again and are in force after
fourteen."""

LEAST_DUE, LEAST_LASTING = 4.0, timedelta(hours=3)
"""What the learnt limits are at least, before that, while a home is being learnt."""

STEP, FACTOR_LOW, FACTOR_HIGH = 0.25, 0.6, 4.0
"""How fast the common factor of both limits follows the alarms, and how far."""

SPENT = 0.6
"""The part of the budget that the learnt limits aim at: chance and the ladder have the rest."""

UNSEEN_OUTING = timedelta(hours=6)
"""How long somebody may be out who may have left unseen."""

PROMPT = timedelta(minutes=10)
"""How long the elder may be asked first, where somebody or something in the home can ask."""


@dataclass(slots=True)
class InactivityState(SilenceState):
    factor: float = 1.0
    today: int = 0  # the ordinal of the local date that the newest day has; 0 before the first sign of life
    over: int = 0  # silences of today that passed the learnt limit
    seen: bool = False  # a silence of today was held against that limit
    due_most: float = 0.0  # how much life was due in today's most unusual silence
    days: Days = field(default_factory=Days)  # up to 28 lived at home, today among them
    lived: int = 0  # how many days were ever lived here, today among them
    weeks: list[bytes] = field(default_factory=list)  # of each seven of these days the longest silences, oldest first

    def __post_init__(self) -> None:
        kept: Any = self.days
        if not isinstance(kept, Days):  # from a checkpoint, which keeps the values alone
            self.days = Days(kept)


@dataclass(slots=True)
class Inactivity:
    """Nobody at home has moved for longer than this home's last four weeks make believable at this time of day.

    Two limits are learnt from each day: how much life was due in a silence, and how long silences last that begin at
    this hour. A common factor follows the alarms so that their number tends to a budget. Over both stands a ladder of
    plain hours, which is all there is for the first week; silence before seven does not count towards its hours
    of the day. A silence that begins at the entry door is an outing, and none of this detector's business.

    A silence is evidence only as far as the sensors are known to live. Of a sensor that reports regularly its next
    word is waited for; while one is blind the limits are doubled; while all are, nothing is said.
    """

    kinds: ClassVar[frozenset[Kind]] = HEARD_FOR_SILENCE
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    by_day: timedelta = timedelta(hours=3)
    at_any_time: timedelta = timedelta(hours=6)
    day_begins: time = time(7)
    day_ends: time = time(22)
    budget: float = 1.0
    learns: bool = True
    state: InactivityState = field(default_factory=InactivityState, init=False)
    _eyes: frozenset[str] = field(init=False)
    _reckoned: tuple[datetime, datetime] | None = field(default=None, init=False)  # of this silence: the deadline
    _rungs: tuple[tuple[timedelta, timedelta], ...] = field(init=False)
    _usual: Usual = field(default=NOTHING_KNOWN, init=False)
    _usual_of: tuple[InactivityState | None, int] = field(default=(None, 0), init=False)
    _quarter: tuple[InactivityState, datetime, datetime] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._eyes = eyes_of(self.home)
        self._rungs = _ladder(self.by_day, self.at_any_time)

    # ------------------------------------------------------------------ life

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state = self.state
        before = state.life_at
        silence = state.take(reading, context)
        if state.life_at is before:
            return ()
        if self.learns and UNUSUAL not in context.plan:
            if silence is not None:
                self._learn(silence)
            self._note_life(reading.at)
        state.begin()
        return ()

    def _note_life(self, at: datetime) -> None:
        # Nearly every reading falls into the quarter hour of the one before.
        noted = self._quarter
        if noted is not None and noted[0] is self.state and noted[1] <= at < noted[2]:
            return
        local = self._local_s(at)
        ordinal, second = divmod(int(local), DAY_S)
        quarter = second // QUARTER_S
        begins = at - timedelta(seconds=local % QUARTER_S)
        self._quarter = (self.state, begins, begins + timedelta(seconds=QUARTER_S))
        self._day(ordinal).lived(quarter)

    def _day(self, ordinal: int) -> Day:
        """The newest day; one of a later date ends it, and the factor follows what it brought."""
        state = self.state
        if ordinal > state.today:
            if state.seen:
                aim = SPENT * self.budget / 30
                state.factor = min(max(state.factor * exp(STEP * (state.over - aim)), FACTOR_LOW), FACTOR_HIGH)
            if state.lived % DAYS_OF_WEEK == 0:
                state.weeks = [*state.weeks[1 - MEMORY_WEEKS :], bytes(2 * HOURS)]
            state.today, state.over, state.seen, state.due_most = ordinal, 0, False, 0.0
            state.lived += 1
            state.days.begin(state.lived, MEMORY_DAYS + 1)
        return state.days.newest

    def _learn(self, silence: Silence) -> None:
        """What a silence at home teaches that has ended; one that is a hole or an absence teaches nothing."""
        state = self.state
        length = silence.ended - silence.began
        began, ended = self._local_s(silence.began), self._local_s(silence.ended)
        if silence.out or silence.hole or state.excused_at is not None or length > UNBELIEVABLE:
            self._could_not_see(int(began) // QUARTER_S + 1, int(ended) // QUARTER_S)
            return
        usual = self._what_is_usual()
        limit = self._learnt(silence.began, usual)
        over = limit is not None and limit < silence.ended
        today = self._day(int(ended) // DAY_S)
        state.seen = state.seen or limit is not None
        state.over += over
        state.weeks[-1] = with_silence(state.weeks[-1], int(began) % DAY_S // 3600, length.total_seconds())
        due = usual.due(began, ended)
        if due > state.due_most:
            state.due_most = due
            today.began_m, today.length_m = int(began) % DAY_S // 60, length // timedelta(minutes=1)
        rung = lowest_rung(len(self._rungs), lambda rung: self._on_rung(rung, silence.began) < silence.ended)
        today.rung = max(today.rung, rung)

    def _could_not_see(self, begin: int, end: int) -> None:
        """Of these quarter hours nothing is known: up to midnight on the day on which they began, and today."""
        midnight = end // QUARTERS * QUARTERS
        if begin < min(midnight, end) and begin // QUARTERS == self.state.today:
            self._day(self.state.today).could_not_see(
                begin % QUARTERS, min(end - begin // QUARTERS * QUARTERS, QUARTERS)
            )
        if max(begin, midnight) < end:
            self._day(end // QUARTERS).could_not_see(max(begin, midnight) % QUARTERS, end % QUARTERS)

    # ------------------------------------------------------------------ limits

    def _what_is_usual(self) -> Usual:
        """By the days before the last one that somebody lived here."""
        state = self.state
        if self._usual_of[0] is not state or self._usual_of[1] != state.today:
            days = list(state.days.before())
            self._usual = Usual(days) if days else NOTHING_KNOWN
            self._usual_of = (state, state.today)
        return self._usual

    def _learnt(self, since: datetime, usual: Usual) -> datetime | None:
        """When this silence becomes one that the home has not known; None while too little is known of it."""
        if usual.days < ALONE_DAYS:
            return None
        began = self._local_s(since)
        factor = self.state.factor
        due = usual.most * MORE_THAN_MOST * factor
        lasts = longest_s(self.state.weeks, began) * LONGER_THAN_LONGEST * factor
        if min(usual.known(began), usual.moved(began)) < ALONE_DAYS:
            # She is usually out at this hour, or sleeps through it: how long she rests who moved then nobody knows yet.
            lasts = max(lasts, LEAST_LASTING.total_seconds() * factor)
        if usual.days < LEARNING_DAYS:
            caution = 2 - usual.days / LEARNING_DAYS
            due, lasts = max(due, LEAST_DUE) * caution, max(lasts, LEAST_LASTING.total_seconds()) * caution
        limit = min(usual.when(began, due) - began, lasts)
        return since + max(timedelta(seconds=limit), SHORTEST)

    def _rung(self) -> int:
        """Where on the ladder the home stands."""
        first, lowest = 0, AT_FIRST if self.state.lived <= ALONE_DAYS else timedelta(0)
        if not self.home.exit_doors:
            lowest = WITHOUT_DOOR
        if self.learns:
            first = lowest_rung(len(self._rungs), lambda rung: self._rungs[rung][0] < lowest)
        highest = len(self._rungs) - 1  # a plan may have shortened the ladder since
        return min(max([first, *(day.rung for day in self.state.days)]), highest)

    def _on_rung(self, rung: int, since: datetime) -> datetime:
        by_day, at_any_time = self._rungs[rung]
        deadline = since + at_any_time
        date_ = since.astimezone(self.home.zone).date()
        for day in (date_, date_ + timedelta(days=1)):
            due = max(since, self._local(day, self.day_begins)) + by_day
            if since + by_day <= due <= self._local(day, self.day_ends):
                return min(deadline, due)
        return deadline

    def _deadline(self, since: datetime) -> tuple[datetime, str]:
        usual = self._what_is_usual()
        rung = self._rung()
        ceiling = self._on_rung(rung, since)
        learnt = self._learnt(since, usual) if self.learns else None
        if learnt is not None and learnt < ceiling:
            return learnt, "usual"
        return ceiling, "any" if ceiling - since >= self._rungs[rung][1] else "day"

    def _local(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.home.zone).astimezone(UTC)

    def _local_s(self, at: datetime) -> float:
        """Seconds of local time since the first of January of the year 1, so that whole days are ordinals."""
        there = at.astimezone(self.home.zone)
        return there.toordinal() * DAY_S + there.hour * 3600 + there.minute * 60 + there.second + at.microsecond / 1e6

    # ------------------------------------------------------------------ time

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.life_at is None or state.told or state.out:
            return ()
        if state.due_at is None and (self._reckoned is None or self._reckoned[0] is not state.life_at):
            self._reckoned = (state.life_at, self._deadline(state.life_at)[0])
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
        if state.life_at is None or state.told or state.out:
            return None
        if state.due_at is None and self._reckoned is not None and self._reckoned[0] is state.life_at:
            return self._reckoned[1]
        # Until a silence has lasted for the shortest limit nobody needs its exact deadline, which costs a time zone.
        return state.due_at or state.life_at + SHORTEST

    def _look_again(self, since: datetime, due_at: datetime, now: datetime, context: Context) -> datetime | None:
        """When a silence that is not proven yet is to be judged again; None: it is, as far as it can be."""
        if ABSENCE in context.plan:
            self.state.excused_at = looked_last(due_at, now)
            return self.state.excused_at + LOOK_AGAIN
        if context.plan.get("inactivity") == OFF:
            return looked_last(due_at, now) + LOOK_AGAIN
        excused_at = self.state.excused_at
        if excused_at is not None and now < excused_at + UNSEEN_OUTING:
            return excused_at + UNSEEN_OUTING
        if cannot_tell(since, context, self._eyes):
            return now + LOOK_AGAIN
        missed = unheard(since, context)
        if not context.blind and not missed:
            return None
        usual_limit = self._deadline(since)[0] - since
        longer = since + usual_limit * times_longer(self.home, self._eyes, since, context) + missed
        if missed or not self.home.exit_doors.isdisjoint(context.blind):
            longer = max(longer, since + missed + UNSEEN_OUTING)  # who knows whether this is an outing
        return min(longer, now + LOOK_AGAIN) if longer > now else None

    def _finding(self, since: datetime, at: datetime, context: Context) -> Finding:
        state = self.state
        deadline, rule = self._deadline(since)
        limit = (deadline - since) * times_longer(self.home, self._eyes, since, context)
        began = self._local_s(since)
        usual = self._what_is_usual()
        facts: Facts = (
            ("rule", rule),
            ("elapsed_s", seconds(at - since)),
            ("limit_s", seconds(limit)),
            ("last_at", since.isoformat()),
            ("last_kind", state.life_kind),
            ("last_room", state.life_room),
        )
        is_known = usual.days >= ALONE_DAYS
        facts += (("usual_s", str(int(usual.when(began, usual.most) - began)) if is_known else ""),)
        if is_known:
            facts += (("moves_in_10", str(usual.tenths(self._local_s(at)))),)
        if usual.days < LEARNING_DAYS:
            facts += (("learning_days", str(LEARNING_DAYS - usual.days)),)
        return Finding(
            home=self.home.id,
            code="inactivity",
            severity=Severity.HIGH,
            since=since,
            at=at,
            facts=(*facts, ("prompt_s", seconds(PROMPT))),
            blind=context.blind,
        )


@cache
def _ladder(by_day: timedelta, at_any_time: timedelta) -> tuple[tuple[timedelta, timedelta], ...]:
    """The rung that the options name, and those above it. All homes share it."""
    higher = (tuple(timedelta(hours=h) for h in rung) for rung in RUNGS)
    return (
        (by_day, at_any_time),
        *((day, any_time) for day, any_time in higher if day > by_day and any_time > at_any_time),
    )
