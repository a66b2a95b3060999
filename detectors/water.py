"""Too little water for somebody who lives here, too much, or water that never stops."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from statistics import median
from typing import Any

from detectors.habit import (
    DOOR_RULE,
    LONG_HOLE,
    MEMORY_DAYS,
    NO_PAIRS,
    NOT_ASKED,
    Pairs,
    counted_from,
    packed,
    planned_number,
    shared,
)
from detectors.kinds import DOOR, MOTION, RETURNED
from gateway.domain import SECOND_EVENT, SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, Role, Severity, seconds
from gateway.domain.plan import ABSENCE, OFF, UNUSUAL
from gateway.ports import Context

A_DRAUGHT = 1.0
"""Litres at once that a person draws; less may be a drip. It tells of life only where nothing else could: a washing
machine draws water in an empty home too."""

WITNESSES = frozenset({Role.MOTION, Role.PRESENCE, Role.BED, Role.CHAIR, Role.OPENING, Role.TAP, Role.APPLIANCE})

HALF_HOUR = timedelta(minutes=30)
A_DAY = 48
"""Half hours in which use is remembered."""

OFTEN = 4
"""In so many half hours of one day a meter must have told of use, or its silence is only that of a slow reporter."""

NEW_FOR = timedelta(days=14)
"""So long it is not known yet what is usual here, and a whole day must be dry."""

USUAL_TIMES = 1.25
"""A dry spell must be so much longer than the second longest of 28 days: the longest was perhaps an unseen outing."""

LIVES_WITHIN = timedelta(hours=3)
"""Somebody seen this recently lives, and the lack of water is less urgent."""

A_WHOLE_DAY = timedelta(hours=24)

TOLD_BY_METERS = SIGNS_OF_LIFE | {Kind.WATER, Kind.RETURNED}


@dataclass(slots=True)
class Use:
    """What the meter has told, and the present dry spell."""

    begun: datetime  # when it was first heard to tell of use
    last_at: datetime | None = None  # the last report of use
    last: list[float] = field(default_factory=list)  # its number and litres
    step: float = 0.0  # the smallest amount it has ever told
    finest: int = 0  # in how many half hours of one day it has told of use at best
    half_hour: int = 0  # the newest of `used`, counted since 1970
    used: list[int] = field(default_factory=list)  # tenths of a litre in each of the last half hours, the newest last
    much_at: datetime | None = None  # when too much was last told
    trickles: bool = False  # told that it never stops
    # the dry spell
    dry_at: datetime | None = None  # when enough had last been drawn
    drawn: float = 0.0  # litres since
    counted_s: float = 0.0  # waking time at home in it, up to `home_at`
    home_at: datetime | None = None  # since when somebody is at home
    life_at: datetime | None = None
    pulse_at: datetime | None = None  # the last movement, a lone one too
    door_at: datetime | None = None
    left_at: datetime | None = None  # since when perhaps nobody is at home
    due_at: datetime | None = None  # the exact deadline, once computed
    told: bool = False
    day: str = ""  # the local date that `longest_s` belongs to
    longest_s: float = 0.0  # today's longest dry spell
    days: Sequence[int] = ()  # of up to 28 days before, oldest first: minutes
    draws: Pairs = NO_PAIRS  # of up to 28 days: litres, and half hours in which they ran
    unusual_at: datetime | None = None  # when it was last unusual here: what that belongs to must not teach

    def __post_init__(self) -> None:
        self.days, self.draws = packed(self.days), Pairs.of(self.draws)


@dataclass(slots=True)
class WaterState:
    use: Use | None = None

    def __post_init__(self) -> None:
        self.use = _revived(self.use)


def _revived(plain: Any) -> Any:
    """From a checkpoint, where the values stand in order, without their names."""
    return plain if plain is None or isinstance(plain, Use) else Use(*plain)


@dataclass(slots=True)
class Water:
    """Less than ten litres in twelve waking hours at home, more than two cubic metres in a day, or use without a pause.

    Waking time (07–22) counts only while somebody is at home: from the moment the entry door moves until life is seen
    inside again it stands still, and so it does through a declared absence and through long holes. Where no sensor
    watches the entry door, and in the first fourteen days, it takes a whole day of fifteen waking hours. Too much water
    is told also of an empty home.
    """

    home: Home
    _: KW_ONLY
    too_little: float = 10.0
    waking_hours: timedelta = timedelta(hours=12)
    too_much: float = 2000.0
    day_begins: time = time(7)
    day_ends: time = time(22)
    state: WaterState = field(default_factory=WaterState, init=False)
    kinds: frozenset[Kind] = field(init=False)
    _meters: frozenset[str] = field(init=False)
    _has_witnesses: bool = field(init=False)

    def __post_init__(self) -> None:
        self._meters = shared(frozenset(one.id for one in self.home.sensors if one.role is Role.WATER_METER))
        self._has_witnesses = any(one.role in WITNESSES for one in self.home.sensors)
        self.kinds = TOLD_BY_METERS if self._meters else NOT_ASKED

    # ------------------------------------------------------------------ readings

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        kind = reading.kind
        if self.state.use is not None and UNUSUAL in context.plan:
            self.state.use.unusual_at = reading.at
        if kind is Kind.WATER:
            return self._drawn(reading, context) if reading.sensor in self._meters and reading.value > 0 else ()
        if self.state.use is None:
            return ()
        if kind is RETURNED:
            if reading.value > LONG_HOLE.total_seconds():
                self._begin_anew(reading.at)  # what was drawn in it nobody knows
        elif reading.is_event and reading.sensor not in context.blind and reading.sensor not in self._meters:
            if context.plan and ABSENCE in context.plan:
                self._begin_anew(reading.at)
            if kind is DOOR:
                self._door_moved(reading.at)
            elif kind is not MOTION or self._is_second(reading.at):
                self._lived(reading.at)
        return ()

    def _drawn(self, reading: Reading, context: Context) -> Iterable[Finding]:
        at, litres = reading.at, reading.value
        counted = counted_from(reading)
        if self.state.use is None:
            self.state.use = Use(counted)
            self._begin_anew(counted)
        state = self._use
        if at == state.last_at and state.last == [reading.seq, litres]:
            return ()  # heard twice
        state.step = min(state.step or litres, litres)
        if state.last_at is not None and at - state.last_at > A_WHOLE_DAY:
            litres *= A_WHOLE_DAY / (at - state.last_at)  # counted over a longer time: of one day it is a part
        if state.last_at is None or at > state.last_at:
            state.last_at = at
        state.last = [reading.seq, reading.value]
        self._count(at, litres)
        if reading.value >= A_DRAUGHT and not self._has_witnesses:
            self._lived(counted)
        if state.dry_at is not None and counted > state.dry_at:
            state.drawn += reading.value
            if state.drawn >= self._least(context):
                self._enough(counted)
        return self._too_much(reading, context)

    def _count(self, at: datetime, litres: float) -> None:
        """Into its half hour of the last day; what is older is forgotten."""
        state = self._use
        number = int(at.timestamp() // HALF_HOUR.total_seconds())
        if not state.used:
            state.half_hour, state.used = number, [0]
        ahead = number - state.half_hour
        if ahead > 0:
            if number // A_DAY > state.half_hour // A_DAY and len(state.used) == A_DAY:
                self._learn_draws(at)
            state.used = ([*state.used, *[0] * min(ahead, A_DAY)])[-A_DAY:]
            state.half_hour = number
            state.trickles = state.trickles and ahead == 1
        place = len(state.used) - 1 + min(ahead, 0)
        if place >= 0:
            state.used[place] += ceil(10 * litres)
            state.finest = max(state.finest, sum(1 for one in state.used if one))

    def _learn_draws(self, at: datetime) -> None:
        """Once a day: what the last one had, unless it was told as too much."""
        state = self._use
        was_told = state.trickles or (state.much_at is not None and at - state.much_at <= 2 * A_WHOLE_DAY)
        is_hers = state.unusual_at is None or at - state.unusual_at > A_WHOLE_DAY
        if not was_told and is_hers:
            day = (sum(state.used) // 10, sum(1 for one in state.used if one))
            state.draws = Pairs([*state.draws, day][-MEMORY_DAYS:])

    def _too_much(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state, at = self._use, reading.at
        litres = sum(state.used) / 10
        most = planned_number(context.plan.get("water_high"), self.too_much, off=float("inf"))
        began = datetime.fromtimestamp((state.half_hour - len(state.used) + 1) * HALF_HOUR.total_seconds(), UTC)
        facts: Facts = (
            ("elapsed_s", seconds(max(at - began, timedelta(0)))),
            ("litres", f"{litres:.0f}"),
            ("last_at", at.isoformat()),
        )
        if litres > most and (state.much_at is None or at - state.much_at >= A_WHOLE_DAY):
            state.much_at = at
            more: Facts = (*facts, ("limit", f"{most:g}"), ("usual", self._usually(0)))
            yield self._finding("water_high", began, reading, more, context)
        if not state.trickles and len(state.used) == A_DAY and all(state.used):
            state.trickles = True
            if context.plan.get("water_trickle") != OFF:
                least = min(state.used[:-1]) / 10
                more = (
                    *facts,
                    ("limit_s", seconds(A_WHOLE_DAY)),
                    ("least", f"{least:.1f}"),
                    ("usual", self._usually(1)),
                )
                yield self._finding("water_trickle", began, reading, more, context)

    def _usually(self, which: int) -> str:
        """The litres of a day, or the half hours in which they run; empty while no day is known."""
        draws = self._use.draws
        return f"{median(day[which] for day in draws):.0f}" if draws else ""

    def _finding(self, code: str, since: datetime, reading: Reading, facts: Facts, context: Context) -> Finding:
        if reading.late:
            facts += (("late_s", seconds(reading.heard - reading.at)),)
        at = max(reading.at, reading.heard, since)
        return Finding(
            home=self.home.id,
            code=code,
            severity=Severity.MEDIUM,
            since=since,
            at=at,
            facts=facts,
            blind=context.blind,
        )

    # ------------------------------------------------------------------ the dry spell

    def _begin_anew(self, at: datetime) -> None:
        """Whatever was dry before is forgotten, and teaches nothing."""
        state = self._use
        state.dry_at, state.drawn, state.counted_s, state.due_at, state.told = at, 0.0, 0.0, None, False
        state.home_at = at

    def _enough(self, at: datetime) -> None:
        """So much has been drawn that somebody must have washed, cooked or flushed."""
        state = self._use
        is_hers = state.unusual_at is None or (state.dry_at is not None and state.unusual_at < state.dry_at)
        if not state.told and is_hers:
            self._learn(self._counted(at), at)
        self._begin_anew(at)

    def _is_second(self, at: datetime) -> bool:
        """One lone pulse is heat, sun or a mouse; the same moment again is the same pulse heard twice. What she did
        before the door moved is no witness of what moves after it."""
        state = self._use
        before, door = state.pulse_at, state.door_at
        if before is None or at > before:
            state.pulse_at = at
        if before is None or (door is not None and before <= door < at):
            return False
        return timedelta(0) < abs(at - before) <= SECOND_EVENT

    def _least(self, context: Context) -> float:
        return planned_number(context.plan.get("water_low"), self.too_little, off=0.0)

    def _counted(self, until: datetime) -> float:
        """Waking seconds at home since enough was drawn."""
        state = self._use
        if state.home_at is None:
            return state.counted_s
        end = until if state.left_at is None else min(until, state.left_at)
        return state.counted_s + self._waking(state.home_at, end)

    def _door_moved(self, at: datetime) -> None:
        state = self._use
        if state.door_at is None or at > state.door_at:
            state.door_at = at
            if state.left_at is None and (state.home_at is None or at >= state.home_at):
                state.left_at, state.due_at = at, None

    def _lived(self, at: datetime) -> None:
        state = self._use
        if state.life_at is not None and at <= state.life_at:
            return
        state.life_at = at
        if state.left_at is not None and (state.door_at is None or at - state.door_at > DOOR_RULE):
            # She is at home; what lay between is no time in which she could have drawn water.
            state.counted_s = self._counted(at)
            state.home_at, state.left_at, state.due_at = at, None, None

    def _learn(self, dry_s: float, at: datetime) -> None:
        state = self._use
        today = at.astimezone(self.home.zone).date().isoformat()
        if state.day != today:
            if state.day:
                state.days = packed([*state.days, round(state.longest_s / 60)][-MEMORY_DAYS:])
            state.day, state.longest_s = today, 0.0
        state.longest_s = max(state.longest_s, dry_s)

    # ------------------------------------------------------------------ time

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state, due = self.state.use, self.due()
        if state is None or due is None or now < due or state.home_at is None or state.dry_at is None:
            return ()
        if state.due_at is None:
            state.due_at = due = self._when(state.home_at, self._limit_s() - state.counted_s)
            if now < due:
                return ()
        litres = self._least(context)
        if ABSENCE in context.plan or not self._meters.isdisjoint(context.blind) or state.drawn >= litres:
            self._begin_anew(due)  # nobody at home, or a meter that cannot tell, or a plan that is content with less
            return ()
        state.told = True
        lives = state.life_at is not None and due - state.life_at <= LIVES_WITHIN
        facts: Facts = (
            ("elapsed_s", seconds(due - state.dry_at)),
            ("limit_s", str(int(self._limit_s()))),
            ("litres", f"{state.drawn:g}"),
            ("limit", f"{litres:g}"),
            ("lives", "yes" if lives else "no"),
            ("usual_s", str(int(60 * median(state.days))) if state.days else ""),
        )
        if state.life_at is not None:
            facts += (("last_at", state.life_at.isoformat()),)
        return (
            Finding(
                home=self.home.id,
                code="water_low",
                severity=Severity.MEDIUM if lives else Severity.HIGH,
                since=state.dry_at,
                at=due,
                facts=facts,
                blind=context.blind,
            ),
        )

    def due(self) -> datetime | None:
        state = self.state.use
        if state is None or state.home_at is None or state.told or state.left_at is not None or not self._can_tell():
            return None
        # Until so much time has passed at all, nobody needs the exact deadline, which costs a time zone.
        return state.due_at or state.home_at + timedelta(seconds=max(0.0, self._least_s() - state.counted_s))

    @property
    def _use(self) -> Use:
        assert self.state.use is not None  # nothing is reckoned before the meter was heard
        return self.state.use

    def _can_tell(self) -> bool:
        """Whether this meter reports finely and often enough for its silence to mean something."""
        return self._use.step <= self.too_little and self._use.finest >= OFTEN

    def _least_s(self) -> float:
        return self.waking_hours.total_seconds()

    def _limit_s(self) -> float:
        """How much waking time at home may pass without enough water."""
        state = self._use
        whole_day = self._day_s()
        assert state.home_at is not None
        if not self.home.exit_doors or state.home_at - state.begun < NEW_FOR:
            return max(whole_day, self._least_s())
        seldom = 60 * sorted(state.days)[-2] if len(state.days) > 1 else 0
        return min(max(self._least_s(), USUAL_TIMES * seldom), 2 * whole_day)

    def _day_s(self) -> float:
        day = date(2000, 1, 1)
        return (datetime.combine(day, self.day_ends) - datetime.combine(day, self.day_begins)).total_seconds()

    def _waking(self, began: datetime, ended: datetime) -> float:
        """Waking seconds between two moments."""
        total, day = 0.0, began.astimezone(self.home.zone).date()
        while ended > began:
            morning, evening = self._local(day, self.day_begins), self._local(day, self.day_ends)
            if morning >= ended:
                break
            total += max(0.0, (min(ended, evening) - max(began, morning)).total_seconds())
            day += timedelta(days=1)
        return total

    def _when(self, began: datetime, waking_s: float) -> datetime:
        """When so much waking time will have passed since `began`."""
        day = began.astimezone(self.home.zone).date()
        while True:
            start, evening = max(began, self._local(day, self.day_begins)), self._local(day, self.day_ends)
            here = max(0.0, (evening - start).total_seconds())
            if waking_s <= here:
                return start + timedelta(seconds=max(0.0, waking_s))
            waking_s -= here
            day += timedelta(days=1)

    def _local(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.home.zone).astimezone(UTC)
