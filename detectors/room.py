"""Somebody has been in the bathroom for too long."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, time, timedelta
from statistics import median
from typing import ClassVar

from detectors.habit import (
    BEYOND_USUAL,
    DOOR_RULE,
    EYES,
    LONG_HOLE,
    LOOK_AGAIN,
    MEMORY_DAYS,
    NOTHING,
    are_blind,
    cautious,
    follows,
    is_planned,
    packed,
    planned,
    second,
    sensors_in,
    shared,
    table,
)
from detectors.kinds import APPLIANCE, DOOR, MOTION, RETURNED
from gateway.domain import SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, RoomKind, Severity, seconds
from gateway.domain.plan import PET, UNUSUAL
from gateway.ports import Context

STILL_AFTER = timedelta(minutes=10)
"""Whoever was seen in the bathroom within this moves about there: washing by hand, or helpless on the floor."""

MOVING = 2
"""She who moves may stay so many times longer."""

HALF_BLIND = 2
"""While a room where she could have gone cannot be seen, a stay must last so many times longer."""

MATS = frozenset({Kind.BED, Kind.CHAIR})

LINGERS_IN = frozenset({RoomKind.BEDROOM, RoomKind.LIVING})
"""Rooms in which people keep still for hours. Where one of them cannot be seen, a stay in the bathroom is a guess."""


@dataclass(slots=True)
class DwellState:
    room: str = ""  # the bathroom she is in
    since: datetime | None = None  # since when
    seen_at: datetime | None = None  # when she was last seen there
    pulse_at: datetime | None = None  # the last event anywhere, a lone pulse too
    pulse_room: str = ""
    door_at: datetime | None = None  # when the entry door last moved
    rests_on: str = ""  # the bed or chair mat that says she is on it
    by_night: bool = False  # it began when people sleep
    limit_s: int = 0  # of this stay
    due_at: datetime | None = None
    told: bool = False
    hole: bool = False  # there is a hole in this stay: it must not teach
    day: int = 0  # the local date that `longest` belongs to
    longest: int = 0  # minutes: the longest stay of that day
    days: Sequence[int] = ()  # the same of up to 28 days before, oldest first

    def __post_init__(self) -> None:
        self.days = packed(self.days)


@dataclass(slots=True)
class Dwell:
    """Somebody went into the bathroom and has not been seen anywhere else for longer than is usual for her.

    The limit is one and a half times the second longest stay of 28 days, at least 45 minutes, and 60 in the evening
    when people bathe. A person who is still seen to move there has twice as long, and so has one who was seen only
    once. Who left by the entry door is not in the bathroom, nor is she whose bed or chair says that she is on it.
    """

    kinds: ClassVar[frozenset[Kind]] = (SIGNS_OF_LIFE | {Kind.RETURNED}) - {Kind.SOS}  # a pendant is anywhere
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    limit: timedelta = timedelta(minutes=45)
    bathing: timedelta = timedelta(minutes=60)
    bathing_begins: time = time(20)
    bathing_ends: time = time(22)
    day_begins: time = time(7)
    day_ends: time = time(22)
    at_most: timedelta = timedelta(hours=3)
    state: DwellState = field(default_factory=DwellState, init=False)
    _bathrooms: Mapping[str, frozenset[str]] = field(init=False)
    _lingers: tuple[frozenset[str], ...] = field(init=False)
    _elsewhere: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        home = self.home
        bathrooms = ((r.id, sensors_in(home, {r.id})) for r in home.rooms if r.kind is RoomKind.BATHROOM)
        self._bathrooms = table(tuple(bathrooms))
        self._lingers = tuple(sensors_in(home, {r.id}) for r in home.rooms if r.kind in LINGERS_IN)
        self._elsewhere = shared(
            home.exit_doors | frozenset(s.id for s in home.sensors if s.role in EYES and s.room not in self._bathrooms)
        )
        if not (self._lingers and all(self._lingers)):
            self._bathrooms = NOTHING  # this home cannot tell a stay in the bathroom from sleep

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state, kind = self.state, reading.kind
        if kind is RETURNED:
            self._after_hole(timedelta(seconds=reading.value))
            return ()
        if not self._bathrooms or not reading.is_event or reading.sensor in context.blind:
            return ()
        at, before, there = reading.at, state.pulse_at, state.pulse_room
        if before is None or at > before:
            state.pulse_at, state.pulse_room = at, reading.room
        if reading.room in self._bathrooms and kind not in MATS and kind is not DOOR:
            if kind is not MOTION or state.room == reading.room or follows(before, at):
                # What makes this pulse a sign of life is one too, if it came from here.
                is_second = there == reading.room and follows(before, at)
                self._seen(reading, min(before or at, at) if is_second else at, context)
            return ()
        if kind in MATS and not reading.value:
            # A mat that lets go, perhaps a while late, says where she was.
            if state.rests_on == reading.sensor:
                state.rests_on = ""
            return ()
        if kind is APPLIANCE and not reading.value:
            return ()  # kettles and washing machines end by themselves
        if kind in MATS:
            state.rests_on = reading.sensor
        elif kind is DOOR and (state.door_at is None or at > state.door_at):
            state.door_at = at
        self._elsewhere_seen(reading, before, context)
        return ()

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.since is None or state.due_at is None or now < state.due_at:
            return ()
        limit = planned(context, "bath_dwell", timedelta(seconds=state.limit_s))
        if limit is None:
            state.due_at = None
            return ()
        again = self._look_again(state.since, limit, now, context)
        if again is not None:
            state.due_at = again
            return ()
        at, state.due_at, state.told = state.due_at, None, True
        return (self._finding(state.since, at, limit, context),)

    def due(self) -> datetime | None:
        return self.state.due_at

    # ------------------------------------------------------------------ where she is

    def _seen(self, reading: Reading, since: datetime, context: Context) -> None:
        state, at = self.state, reading.at
        if state.rests_on and state.rests_on not in context.blind:
            return  # a cat, or a curtain
        if state.since is None or state.room != reading.room:
            if state.seen_at is not None and at <= state.seen_at:
                return
            state.room, state.since, state.seen_at = reading.room, since, at
            state.told = state.hole = False
            clock = at.astimezone(self.home.zone).time()
            state.by_night = not self.day_begins <= clock < self.day_ends
            state.limit_s = int(self._limit(clock, context).total_seconds())
        elif state.seen_at is None or at > state.seen_at:
            state.seen_at = at
        self._schedule()

    def _elsewhere_seen(self, reading: Reading, before: datetime | None, context: Context) -> None:
        state, at = self.state, reading.at
        if state.since is None or state.seen_at is None or at < state.since:
            return
        if reading.kind is MOTION and PET in context.plan and not follows(before, at):
            return
        if at < state.seen_at:  # heard late: she has come back since
            state.since = state.seen_at
            self._schedule()
            return
        if not state.told and not state.hole and reading.kind is not DOOR and UNUSUAL not in context.plan:
            self._learn(at - state.since, at)
        state.room, state.since, state.due_at = "", None, None

    def _after_hole(self, hole: timedelta) -> None:
        state = self.state
        if state.since is None:
            return
        state.hole = True
        if hole > LONG_HOLE:
            state.room, state.since, state.due_at, state.rests_on = "", None, None, ""
        elif state.due_at is not None:
            state.due_at += hole

    def _schedule(self) -> None:
        """When this stay will have lasted too long, as things are."""
        state = self.state
        if state.since is None or state.seen_at is None or state.told:
            return
        if state.door_at is not None and timedelta(0) <= state.seen_at - state.door_at <= DOOR_RULE:
            state.due_at = None
            return
        limit = timedelta(seconds=state.limit_s)
        if state.seen_at == state.since:
            # Seen there only once: somebody who fell at the door, or the sun while a sleeper turned over.
            state.due_at = None if state.by_night else state.since + MOVING * limit
            return
        state.due_at = min(max(state.since + limit, state.seen_at + STILL_AFTER), state.since + MOVING * limit)

    def _look_again(self, since: datetime, limit: timedelta, now: datetime, context: Context) -> datetime | None:
        """When a stay that is not proven yet is to be judged again; None: it is."""
        if not context.blind:
            return None
        if are_blind(self._bathrooms[self.state.room], context) or any(are_blind(s, context) for s in self._lingers):
            return now + LOOK_AGAIN
        longer = since + HALF_BLIND * limit
        return longer if longer > now and not self._elsewhere.isdisjoint(context.blind) else None

    # ------------------------------------------------------------------ what is usual

    def _limit(self, clock: time, context: Context) -> timedelta:
        limit = self.bathing if self.bathing_begins <= clock < self.bathing_ends else self.limit
        if is_planned(context, "bath_dwell"):
            return planned(context, "bath_dwell", limit) or limit
        days = [*self.state.days, self.state.longest]
        usual = timedelta(minutes=BEYOND_USUAL * second(days))
        return cautious(min(max(limit, usual), self.at_most), len(self.state.days))

    def _learn(self, length: timedelta, ended: datetime) -> None:
        state, today = self.state, ended.astimezone(self.home.zone).toordinal()
        if state.day != today:
            if state.day:
                state.days = packed([*state.days, state.longest][-MEMORY_DAYS:])
            state.day, state.longest = today, 0
        state.longest = max(state.longest, round(length / timedelta(minutes=1)))

    def _finding(self, since: datetime, at: datetime, limit: timedelta, context: Context) -> Finding:
        state = self.state
        facts: Facts = (
            ("room", state.room),
            ("elapsed_s", seconds(at - since)),
            ("limit_s", seconds(limit)),
            ("last_at", (state.seen_at or since).isoformat()),
            ("usual_s", str(60 * round(median(state.days))) if state.days else ""),
        )
        return Finding(
            home=self.home.id,
            code="bath_dwell",
            severity=Severity.HIGH,
            since=since,
            at=at,
            facts=facts,
            blind=context.blind,
        )
