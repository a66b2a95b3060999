"""She left her bed at night and has not come back, or she has not got up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, time, timedelta
from statistics import median
from typing import Any, ClassVar

from detectors.habit import (
    BEYOND_USUAL,
    DOOR_RULE,
    LONG_HOLE,
    LOOK_AGAIN,
    MEMORY_DAYS,
    NOTHING,
    SURE_AFTER,
    are_blind,
    cautious,
    counted_from,
    follows,
    is_planned,
    local,
    packed,
    planned,
    second,
    sensors_in,
    shared,
)
from detectors.kinds import APPLIANCE, BED, DOOR, MOTION, RETURNED
from gateway.domain import SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, Role, RoomKind, Severity, seconds
from gateway.domain.plan import OFF, UNUSUAL
from gateway.ports import Context

BOUNCE = timedelta(seconds=60)
"""A bed that is empty for no longer has not been left: she turned over."""

SLEPT = timedelta(minutes=30)
"""Who has lain for so long in one go has gone to bed."""

SLEPT_WITHIN = timedelta(hours=3)
"""And if she left it again no later than this, it is still the same night."""

STILL_AFTER = timedelta(minutes=10)
"""Whoever was seen outside the bedroom within this is up and about."""

FEW_RISES = 3
"""With fewer known mornings nobody knows when she gets up."""

UP_AND_WASHING = timedelta(minutes=60)
"""Seen in the bathroom or hall so lately, she is getting up."""

BEFORE_DAWN = timedelta(hours=6)
"""Nearer to the next dawn it is night."""

NOT_A_DAY = frozenset({RoomKind.BEDROOM, RoomKind.BATHROOM, RoomKind.HALL})
"""Where people go at night as well. In the other rooms a day is lived."""


@dataclass(slots=True)
class Sleeper:
    """One person's bed, or beds."""

    on: list[str] = field(default_factory=list)  # the mats that are lain on
    lay_at: datetime | None = None  # since when she has been in bed
    out_at: datetime | None = None  # since when the bed has been empty
    slept_at: datetime | None = None  # when she last left it after a sleep
    due_at: datetime | None = None
    limit_s: int = 0
    told: bool = False
    hole: bool = False
    long_due_at: datetime | None = None  # when she will have been in bed for too long; None: up, or that was told
    night: int = 0  # the local date that `longest` belongs to
    longest: int = 0  # minutes: the longest absence of that night
    nights: Sequence[int] = ()  # the same of up to 28 nights before, oldest first

    def __post_init__(self) -> None:
        self.nights = packed(self.nights)


@dataclass(slots=True)
class BedState:
    sleepers: Mapping[str, Sleeper] = field(default_factory=lambda: NOTHING)
    pulse_at: datetime | None = None
    seen_at: datetime | None = None  # the last sign of life anywhere inside
    about_at: datetime | None = None  # the last one outside the bedroom
    door_at: datetime | None = None
    dawn_at: datetime | None = None  # from then on who is seen in a room of the day has got up
    rise_due_at: datetime | None = None
    hole: bool = False  # part of this morning was not seen
    rises: Sequence[int] = ()  # of up to 28 mornings: minutes after midnight

    def __post_init__(self) -> None:
        self.rises = packed(self.rises)
        self.sleepers = {who: _revived(one) for who, one in self.sleepers.items()} or NOTHING


def _revived(plain: Any) -> Sleeper:
    return plain if isinstance(plain, Sleeper) else Sleeper(*plain)


@dataclass(slots=True)
class Bed:
    """Somebody left the bed at night and did not come back, or has not got up by the time at which she always has.

    Back to bed: 45 minutes between 22 and 6, or one and a half times the second longest absence of 28 nights; 90
    minutes while she is seen about. Who is seen in the kitchen or living room after four has got up. Getting up: an
    hour after the latest morning of 28 days, not before nine; or fourteen hours in bed.
    """

    kinds: ClassVar[frozenset[Kind]] = (SIGNS_OF_LIFE | {Kind.RETURNED}) - {Kind.SOS}
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    back_within: timedelta = timedelta(minutes=45)
    about_within: timedelta = timedelta(minutes=90)
    at_most: timedelta = timedelta(hours=3)
    night_begins: time = time(22)
    night_ends: time = time(6)
    dawn: time = time(4)
    earliest: time = time(9)
    margin: timedelta = timedelta(minutes=60)
    in_bed: timedelta = timedelta(hours=14)
    state: BedState = field(default_factory=BedState, init=False)
    _mats: frozenset[str] = field(init=False)
    _bedrooms: frozenset[str] = field(init=False)
    _nightly: frozenset[str] = field(init=False)
    _eyes_of_day: frozenset[str] = field(init=False)
    _bedroom_eyes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        home = self.home
        self._mats = shared(frozenset(sensor.id for sensor in home.sensors if sensor.role is Role.BED))
        self._bedrooms = shared(frozenset(room.id for room in home.rooms if room.kind is RoomKind.BEDROOM))
        self._nightly = shared(frozenset(room.id for room in home.rooms if room.kind in NOT_A_DAY))
        self._eyes_of_day = sensors_in(home, {room.id for room in home.rooms} - self._nightly)
        self._bedroom_eyes = sensors_in(home, self._bedrooms)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state, kind = self.state, reading.kind
        if kind is RETURNED:
            self._after_hole(reading, timedelta(seconds=reading.value))
            return ()
        if not reading.is_event or reading.sensor in context.blind:
            return ()
        if kind is APPLIANCE and not reading.value:
            return ()  # kettles and washing machines end by themselves
        at, before = reading.at, state.pulse_at
        if before is None or at > before:
            state.pulse_at = at
        if kind is BED:
            self._lies(reading, context) if reading.value else self._leaves(reading, context)
        elif kind is DOOR:
            self._door_moved(at)
        if kind is MOTION and not follows(before, at):
            return ()
        self._seen(reading, context)
        return ()

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        found: list[Finding] = []
        for who, sleeper in self.state.sleepers.items():
            if sleeper.due_at is not None and now >= sleeper.due_at:
                found += self._not_back(who, sleeper, now, context)
            if sleeper.long_due_at is not None and now >= sleeper.long_due_at:
                found += self._long_in_bed(who, sleeper, now, context)
        if self.state.rise_due_at is not None and now >= self.state.rise_due_at:
            found += self._not_up(now, context)
        return found

    def due(self) -> datetime | None:
        soonest = self.state.rise_due_at
        for sleeper in self.state.sleepers.values():
            for due in (sleeper.due_at, sleeper.long_due_at):
                if due is not None and (soonest is None or due < soonest):
                    soonest = due
        return soonest

    # ------------------------------------------------------------------ in and out of bed

    def _lies(self, reading: Reading, context: Context) -> None:
        state, at = self.state, reading.at
        sleeper = state.sleepers.get(reading.subject)
        if sleeper is None:
            sleeper = Sleeper()
            state.sleepers = {**state.sleepers, reading.subject: sleeper}
        if reading.sensor not in sleeper.on:
            sleeper.on.append(reading.sensor)
        out = sleeper.out_at
        if out is None:
            if sleeper.lay_at is None:
                sleeper.lay_at, sleeper.long_due_at = at, counted_from(reading) + self.in_bed
            return
        if at <= out:
            return
        if at - out > BOUNCE or sleeper.lay_at is None:
            if sleeper.slept_at is not None and not sleeper.told and not sleeper.hole and UNUSUAL not in context.plan:
                self._learn(sleeper, out, at)
            sleeper.lay_at, sleeper.long_due_at = at, counted_from(reading) + self.in_bed
        sleeper.out_at = sleeper.due_at = None

    def _leaves(self, reading: Reading, context: Context) -> None:
        sleeper = self.state.sleepers.get(reading.subject)
        if sleeper is None or reading.sensor not in sleeper.on:
            return
        sleeper.on.remove(reading.sensor)
        at, lay = reading.at, sleeper.lay_at
        if sleeper.on or lay is None or at < lay:
            return
        sleeper.out_at, sleeper.told, sleeper.hole = at, False, False
        if at - lay >= SLEPT:
            sleeper.slept_at = at
        slept = sleeper.slept_at
        if slept is None or at - slept > SLEPT_WITHIN or not self._is_night(at):
            sleeper.due_at = None
            return
        sleeper.limit_s = int(self._limit(sleeper, context).total_seconds())
        sleeper.due_at = counted_from(reading) + timedelta(seconds=sleeper.limit_s)

    def _is_night(self, at: datetime) -> bool:
        clock = at.astimezone(self.home.zone).time()
        return clock >= self.night_begins or clock < self.night_ends

    def _limit(self, sleeper: Sleeper, context: Context) -> timedelta:
        if is_planned(context, "bed_no_return"):
            return planned(context, "bed_no_return", self.back_within) or self.back_within
        usual = timedelta(minutes=BEYOND_USUAL * second([*sleeper.nights, sleeper.longest]))
        return cautious(min(max(self.back_within, usual), self.at_most), len(sleeper.nights))

    def _learn(self, sleeper: Sleeper, out: datetime, back: datetime) -> None:
        if back - out > self.at_most or not self._is_night(out):
            return
        # A night belongs to the day on which it ends.
        night = (out.astimezone(self.home.zone) + timedelta(hours=12)).toordinal()
        if sleeper.night != night:
            if sleeper.night:
                sleeper.nights = packed([*sleeper.nights, sleeper.longest][-MEMORY_DAYS:])
            sleeper.night, sleeper.longest = night, 0
        sleeper.longest = max(sleeper.longest, round((back - out) / timedelta(minutes=1)))

    def _not_back(self, who: str, sleeper: Sleeper, now: datetime, context: Context) -> Iterable[Finding]:
        out, due, about = sleeper.out_at, sleeper.due_at, self.state.about_at
        limit = planned(context, "bed_no_return", timedelta(seconds=sleeper.limit_s))
        if out is None or due is None or limit is None:
            sleeper.due_at = None
            return
        if self._mats_of(who) & set(context.blind):
            sleeper.due_at = now + LOOK_AGAIN
            return
        longest = max(out + limit, out + self.about_within)
        is_about = about is not None and about > out and due - about < STILL_AFTER
        if is_about and about is not None and due < longest:  # looked at again when she has been still for a while
            sleeper.due_at = min(about + STILL_AFTER, longest)
            return
        sleeper.due_at, sleeper.told = None, True
        facts: Facts = (
            ("rule", "about" if is_about else "still"),
            ("elapsed_s", seconds(due - out)),
            ("limit_s", seconds(self.about_within if is_about and limit < self.about_within else limit)),
            ("last_at", max(out, self.state.seen_at or out).isoformat()),
            ("usual_s", str(60 * round(median(sleeper.nights))) if sleeper.nights else ""),
        )
        yield self._finding("bed_no_return", out, due, facts, context, who)

    def _mats_of(self, who: str) -> set[str]:
        return {sensor.id for sensor in self.home.sensors if sensor.role is Role.BED and sensor.subject == who}

    def _long_in_bed(self, who: str, sleeper: Sleeper, now: datetime, context: Context) -> Iterable[Finding]:
        lay, due, sleeper.long_due_at = sleeper.lay_at, sleeper.long_due_at, None
        if lay is None or due is None or sleeper.out_at is not None or context.plan.get("not_up") == OFF:
            return
        if self._mats_of(who) & set(context.blind):
            return
        facts: Facts = (
            ("rule", "in_bed"),
            ("elapsed_s", seconds(due - lay)),
            ("limit_s", seconds(self.in_bed)),
            ("last_at", lay.isoformat()),
            ("usual_at", self._usually_up()),
        )
        yield self._finding("not_up", lay, due, facts, context, who)

    # ------------------------------------------------------------------ getting up

    def _door_moved(self, at: datetime) -> None:
        state = self.state
        if state.door_at is None or at > state.door_at:
            state.door_at = at
        for sleeper in state.sleepers.values():
            if sleeper.out_at is not None and at > sleeper.out_at:
                sleeper.due_at = None  # gone out, or somebody has come

    def _seen(self, reading: Reading, context: Context) -> None:
        state, at, kind = self.state, reading.at, reading.kind
        seen = state.seen_at
        if kind is not DOOR and (seen is None or at > seen):
            state.seen_at = at
        if kind is BED:
            return
        if reading.room not in self._bedrooms and (state.about_at is None or at > state.about_at):
            state.about_at = at
        if reading.room in self._nightly and kind is not DOOR:
            return
        if state.dawn_at is None:  # as if it were morning, though of this day nothing can be learnt
            state.dawn_at, state.hole = at, True
        if at >= state.dawn_at:
            self._risen(at, self._was_away(seen), context)
        elif state.dawn_at - at >= BEFORE_DAWN:
            self._is_up()

    def _was_away(self, seen: datetime | None) -> bool:
        """Whether whoever was last seen then had left."""
        door = self.state.door_at
        return door is not None and (seen is None or seen <= door + DOOR_RULE)

    def _dawn_after(self, at: datetime) -> datetime:
        there = at.astimezone(self.home.zone)
        dawn = local(self.home.zone, there.date(), self.dawn)
        return dawn if dawn > at else local(self.home.zone, there.date() + timedelta(days=1), self.dawn)

    def _risen(self, at: datetime, was_away: bool, context: Context) -> None:
        """The first sign of a new day: what it teaches, and by when tomorrow's is expected."""
        state, there = self.state, at.astimezone(self.home.zone)
        self._is_up()
        if there.hour < 12 and not was_away and not state.hole and UNUSUAL not in context.plan:
            state.rises = packed([*state.rises, 60 * there.hour + there.minute][-MEMORY_DAYS:])
        state.hole = False
        state.dawn_at = self._dawn_after(at)
        tomorrow = state.dawn_at.astimezone(self.home.zone).date()
        expected = self._expected(context)
        state.rise_due_at = None if expected is None else local(self.home.zone, tomorrow, expected)

    def _is_up(self) -> None:
        """Whoever is seen in a room of the day by day need not come back to bed."""
        for sleeper in self.state.sleepers.values():
            if sleeper.out_at is not None:
                sleeper.due_at = sleeper.slept_at = None

    def _expected(self, context: Context) -> time | None:
        """By when she will have got up; None while nobody knows, or nobody wants to."""
        said, rises = context.plan.get("not_up", ""), self.state.rises
        if said == OFF:
            return None
        try:
            return time.fromisoformat(said)
        except ValueError:  # the plan says nothing of it
            pass
        if len(rises) < FEW_RISES or not self._eyes_of_day:
            return None
        margin = self.margin if len(rises) >= SURE_AFTER else 2 * self.margin
        latest = max(rises) + int(margin / timedelta(minutes=1))
        return max(self.earliest, time(min(latest // 60, 23), latest % 60))

    def _not_up(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        due, state.rise_due_at = state.rise_due_at, None
        if due is None or state.hole or state.seen_at is None or self._was_away(state.seen_at):
            return
        if context.plan.get("not_up") == OFF or not self._eyes_of_day.isdisjoint(context.blind):
            return
        if due - state.seen_at > timedelta(days=1):
            return  # no late riser: nobody has lived here since yesterday
        since, who = state.seen_at, ""
        if self._mats and not self._mats <= set(context.blind):
            lying = [(one.lay_at, name) for name, one in state.sleepers.items() if one.on and one.lay_at is not None]
            if not lying:
                return  # not in bed: she is up somewhere
            since, who = min(lying)
            state.sleepers[who].long_due_at = None
        elif are_blind(self._bedroom_eyes, context):
            return
        elif state.about_at is not None and due - state.about_at < UP_AND_WASHING:
            state.rise_due_at = state.about_at + UP_AND_WASHING
            return
        facts: Facts = (
            ("rule", "rise"),
            ("elapsed_s", seconds(due - since)),
            ("limit_at", due.isoformat()),
            ("last_at", state.seen_at.isoformat()),
            ("usual_at", self._usually_up()),
        )
        yield self._finding("not_up", since, due, facts, context, who)

    def _usually_up(self) -> str:
        """By the clock; empty while no morning is known."""
        if not self.state.rises:
            return ""
        usual = round(median(self.state.rises))
        return f"{usual // 60:02d}:{usual % 60:02d}"

    def _after_hole(self, reading: Reading, hole: timedelta) -> None:
        state = self.state
        state.hole = state.hole or (hole > LONG_HOLE and state.dawn_at is not None and reading.at > state.dawn_at)
        for sleeper in state.sleepers.values():
            sleeper.hole = True
            if hole > LONG_HOLE:
                sleeper.out_at = sleeper.due_at = None
                sleeper.lay_at = reading.at if sleeper.on else None
                if sleeper.long_due_at is not None:
                    sleeper.long_due_at = reading.at + self.in_bed if sleeper.on else None
            elif sleeper.due_at is not None:
                sleeper.due_at += hole

    def _finding(
        self, code: str, since: datetime, at: datetime, facts: Facts, context: Context, who: str = ""
    ) -> Finding:
        return Finding(
            home=self.home.id,
            code=code,
            severity=Severity.HIGH,
            since=since,
            at=at,
            subject=who,
            facts=facts,
            blind=context.blind,
        )
