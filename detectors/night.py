"""She goes out in the middle of the night, or walks about without rest."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
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
    Pairs,
    are_blind,
    cautious,
    follows,
    local,
    packed,
    planned,
    second,
)
from detectors.kinds import APPLIANCE, BED, DOOR, MOTION, RETURNED
from detectors.silence import eyes_of
from gateway.domain import SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, Role, Severity, seconds
from gateway.domain.plan import DEMENTIA, OFF, SECOND_PERSON, UNUSUAL, YES
from gateway.ports import Context

BACK_WELL = timedelta(hours=3)
"""Whoever comes back within this was on an errand of her own: it teaches what is usual."""

SAME_HOUR = 30
"""Minutes by which two outings of the same habit lie apart at most."""

HABIT = 3
"""So many outings of 28 days at about the same hour are a habit: the market, exercise before dawn."""

RESTLESS_WITHIN = timedelta(minutes=30)
RESTLESS_FOR = timedelta(minutes=10)
"""Within how long the changes of room are counted, and how long it must go on."""

ROOMS = 3
"""To and fro between two sensors that see the same spot is no wandering."""

FEWEST = 4
"""No plan names fewer changes of room, so fewer are not looked at more closely."""

KEPT = 40
"""Changes of room kept at most; nobody has gone through so many within half an hour."""


@dataclass(slots=True)
class NightState:
    begins: datetime | None = None  # the night that is running or comes next
    ends: datetime | None = None
    pulse_at: datetime | None = None
    inside_at: datetime | None = None  # the last sign of life inside
    door_at: datetime | None = None  # when the entry door last moved
    out_at: datetime | None = None  # since when somebody has been out
    entering: bool = False  # the door has moved again since
    arriving: bool = False  # the door moved in an empty home, and nobody has been seen inside since
    due_at: datetime | None = None
    in_bed: Sequence[str] = ()  # mats that are lain on
    exits: Pairs = NO_PAIRS  # date and minute of the day, of outings by night that ended well
    room: str = ""
    rooms: Sequence[str] = ()  # the last changes of room, and when (whole seconds)
    times: Sequence[int] = ()
    peak: int = 0  # the most changes within half an hour of this night
    peaks: Sequence[int] = ()  # the same of up to 28 nights before
    told: bool = False  # of this night's wandering

    def __post_init__(self) -> None:
        self.exits, self.peaks = Pairs.of(self.exits), packed(self.peaks)
        self.in_bed, self.rooms, self.times = tuple(self.in_bed), tuple(self.rooms), tuple(self.times)


@dataclass(slots=True)
class Night:
    """Somebody went out by the entry door between 23:00 and 4:30 and did not come back, or walks about without rest.

    Out: fifteen minutes, unless she has left at about that hour three times in 28 days and come back well. Wandering:
    ten changes of room within half an hour, or one and a half times the second most restless night of 28.
    """

    kinds: ClassVar[frozenset[Kind]] = (SIGNS_OF_LIFE | {Kind.RETURNED}) - {Kind.SOS}
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    begins: time = time(23)
    ends: time = time(4, 30)
    back_within: timedelta = timedelta(minutes=15)
    changes: int = 10
    state: NightState = field(default_factory=NightState, init=False)
    _eyes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._eyes = eyes_of(self.home)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state, kind = self.state, reading.kind
        if kind is RETURNED:
            self._after_hole(timedelta(seconds=reading.value))
            return ()
        if not reading.is_event or reading.sensor in context.blind:
            return ()
        if kind is APPLIANCE and not reading.value:
            return ()  # kettles and washing machines end by themselves
        at, before = reading.at, state.pulse_at
        if before is None or at > before:
            state.pulse_at = at
        if state.ends is None or at >= state.ends:
            self._next_night(at, context)
        if kind is DOOR:
            self._door_moved(at, context)
            return ()
        if kind is BED:
            self._lies(reading)
        if kind is MOTION and not follows(before, at):
            return ()
        self._inside(at, context)
        if state.begins is not None and at >= state.begins and reading.room and reading.room != state.room:
            return self._walks(reading, context)
        return ()

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.due_at is None or now < state.due_at or state.out_at is None:
            return ()
        limit = planned(context, "night_exit", self.back_within)
        if limit is None or self._all_in_bed(context):
            state.due_at = None
            return ()
        if are_blind(self._eyes, context):
            state.due_at = now + LOOK_AGAIN
            return ()
        if not self._eyes.isdisjoint(context.blind) and now < state.out_at + 2 * limit:
            state.due_at = state.out_at + 2 * limit  # she may have come back unseen
            return ()
        at, out, state.due_at = state.due_at, state.out_at, None
        facts: Facts = (
            ("elapsed_s", seconds(at - out)),
            ("limit_s", seconds(limit)),
            ("last_at", out.isoformat()),
            ("usual", str(len(self._exits_known(at)))),
        )
        severity = Severity.EMERGENCY if _is_forgetful(context) else Severity.HIGH
        return (self._finding("night_exit", severity, out, at, facts, context),)

    def due(self) -> datetime | None:
        return self.state.due_at

    # ------------------------------------------------------------------ out of the door

    def _door_moved(self, at: datetime, context: Context) -> None:
        state = self.state
        last, inside = state.door_at, state.inside_at
        if last is not None and at <= last:
            return
        state.door_at = at
        was_away = last is not None and (inside is None or inside <= last + DOOR_RULE)
        if state.out_at is not None:
            state.entering = state.entering or (last is not None and at - last > DOOR_RULE)
            return
        state.arriving = state.arriving or (was_away and last is not None and at - last > DOOR_RULE)
        if state.begins is None or state.ends is None or not state.begins <= at < state.ends:
            return
        if inside is None or state.arriving:
            return  # somebody comes home
        if inside > at + DOOR_RULE:
            return  # heard late: somebody has been seen inside since
        state.out_at, state.entering = at, False
        limit = planned(context, "night_exit", self.back_within)
        if limit is not None and not self._is_usual(at):
            state.due_at = at + limit

    def _inside(self, at: datetime, context: Context) -> None:
        """A sign of life inside: whoever went out is back, or nobody did."""
        state = self.state
        state.arriving = False
        if state.inside_at is None or at > state.inside_at:
            state.inside_at = at
        if state.out_at is None or state.door_at is None or at <= state.door_at:
            return
        if not state.entering and at <= state.door_at + DOOR_RULE:
            return
        out = state.out_at
        if state.entering and at - out <= BACK_WELL and not _is_forgetful(context) and UNUSUAL not in context.plan:
            self._learn_exit(out)
        state.out_at, state.due_at, state.entering = None, None, False

    def _lies(self, reading: Reading) -> None:
        others = tuple(mat for mat in self.state.in_bed if mat != reading.sensor)
        if not reading.value:
            self.state.in_bed = others
        elif reading.sensor not in self.state.in_bed:
            self.state.in_bed = (*others, reading.sensor)

    def _all_in_bed(self, context: Context) -> bool:
        """Everybody who has a bed with a mat lies in it: it was somebody else who left."""
        sleepers = {sensor.id: sensor.subject for sensor in self.home.sensors if sensor.role is Role.BED}
        lying = {sleepers.get(mat, "") for mat in self.state.in_bed if mat not in context.blind}
        return bool(lying) and lying >= set(sleepers.values())

    def _is_usual(self, at: datetime) -> bool:
        there = at.astimezone(self.home.zone)
        minute = 60 * there.hour + there.minute
        return sum(_apart(one, minute) <= SAME_HOUR for one in self._exits_known(at)) >= HABIT

    def _exits_known(self, at: datetime) -> list[int]:
        """Of the outings by night of the last 28 days the minute of the clock."""
        today = at.astimezone(self.home.zone).toordinal()
        return [minute for day, minute in self.state.exits if day > today - MEMORY_DAYS]

    def _learn_exit(self, at: datetime) -> None:
        there = at.astimezone(self.home.zone)
        exits = [*self.state.exits, (there.toordinal(), 60 * there.hour + there.minute)]
        self.state.exits = Pairs(exits[-MEMORY_DAYS:])

    def _after_hole(self, hole: timedelta) -> None:
        state = self.state
        state.times = state.rooms = ()
        if hole > LONG_HOLE:
            state.out_at = state.due_at = None
            state.in_bed = ()
        elif state.due_at is not None:
            state.due_at += hole

    # ------------------------------------------------------------------ walking about

    def _next_night(self, at: datetime, context: Context) -> None:
        """The night that is running at this moment, or the next one; what the last one taught."""
        state, zone = self.state, self.home.zone
        if state.ends is not None and not state.told and UNUSUAL not in context.plan:
            state.peaks = packed([*state.peaks, state.peak][-MEMORY_DAYS:])
        day = at.astimezone(zone).date()
        ends = local(zone, day, self.ends)
        if at >= ends:
            day += timedelta(days=1)
            ends = local(zone, day, self.ends)
        state.begins, state.ends = local(zone, day - timedelta(days=1), self.begins), ends
        state.peak, state.told = 0, False
        state.times = state.rooms = ()

    def _walks(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state, moment = self.state, int(reading.at.timestamp())
        state.room = reading.room
        if state.times and moment < state.times[-1]:
            return ()
        gone = moment - int(RESTLESS_WITHIN.total_seconds())
        first = max(bisect_left(state.times, gone), len(state.times) - KEPT + 1)
        state.times = (*state.times[first:], moment)
        state.rooms = (*state.rooms[first:], reading.room)
        count = len(state.times)
        state.peak = max(state.peak, count)
        if state.told or count < min(FEWEST, self.changes) or len(set(state.rooms)) < ROOMS:
            return ()
        lasted = timedelta(seconds=moment - state.times[0])
        limit = self._restless(context)
        if limit is None or count < limit or lasted < RESTLESS_FOR:
            return ()
        state.told = True
        facts: Facts = (
            ("count", str(count)),
            ("limit", str(limit)),
            ("elapsed_s", seconds(lasted)),
            ("limit_s", seconds(RESTLESS_WITHIN)),
            ("last_at", reading.at.isoformat()),
            ("usual", str(second(state.peaks)) if len(state.peaks) > 1 else ""),
        )
        severity = Severity.HIGH if _is_forgetful(context) else Severity.MEDIUM
        return (self._finding("wandering", severity, reading.at - lasted, reading.at, facts, context),)

    def _restless(self, context: Context) -> int | None:
        """How many changes of room within half an hour are too many; None: the plan wants none told."""
        said = context.plan.get("wandering", "")
        if said == OFF or context.plan.get(SECOND_PERSON) == YES:
            return None
        if said.isdecimal() and int(said):
            return int(said)
        if _is_forgetful(context):  # what is usual for her is what she is watched for
            return self.changes
        most = max(self.changes, int(BEYOND_USUAL * second(self.state.peaks)))
        return round(most * (cautious(RESTLESS_WITHIN, len(self.state.peaks)) / RESTLESS_WITHIN))

    def _finding(
        self, code: str, severity: Severity, since: datetime, at: datetime, facts: Facts, context: Context
    ) -> Finding:
        return Finding(
            home=self.home.id, code=code, severity=severity, since=since, at=at, facts=facts, blind=context.blind
        )


def _is_forgetful(context: Context) -> bool:
    return context.plan.get(DEMENTIA) == YES


def _apart(one: int, other: int) -> int:
    """How many minutes of the clock lie between, the shorter way round."""
    return min(abs(one - other), 1440 - abs(one - other))
