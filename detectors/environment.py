"""A room too cold or too hot for somebody who cannot leave it."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from detectors.habit import NOT_ASKED, NOTHING, planned_number, table
from detectors.kinds import TEMPERATURE
from gateway.domain import Facts, Finding, Home, Kind, Reading, Role, RoomKind, Severity, seconds
from gateway.domain.plan import ABSENCE, UNUSUAL
from gateway.ports import Context

COLD_UNHEATED, COLD_HEATED, HOT = 5.0, 14.0, 35.0
"""Degrees Celsius: what the south puts up with in an unheated room in winter, what a heated home never falls to, and
from where on a fan no longer cools."""

ONCE_A_DAY = timedelta(hours=24)

USUAL_OVER = timedelta(days=7)
"""Over about so long the usual temperature of a room is reckoned."""

GAP_COUNTS = timedelta(hours=6)
"""A thermometer that was silent for longer tells nothing about the time between."""

TOLD_BY_CLIMATE = frozenset({Kind.TEMPERATURE, Kind.HUMIDITY, Kind.ALIVE})


@dataclass(slots=True)
class Felt:
    """What one thermometer has shown."""

    at: datetime
    value: float
    usual: float
    known_s: float = 0.0  # over how long the usual was reckoned
    cold_at: datetime | None = None  # without a break too cold since
    hot_at: datetime | None = None
    worst: float = 0.0  # of the present spell


@dataclass(slots=True)
class EnvironmentState:
    rooms: Mapping[str, Felt] = field(default_factory=lambda: NOTHING)  # by thermometer
    told: Mapping[str, datetime] = field(default_factory=lambda: NOTHING)  # when each code was last told

    def __post_init__(self) -> None:
        self.rooms = {name: one if isinstance(one, Felt) else Felt(*one) for name, one in self.rooms.items()} or NOTHING
        self.told = self.told or NOTHING


@dataclass(slots=True)
class Environment:
    """A room has been too cold or too hot for four hours, by the climate it stands in.

    Told from what a thermometer says, never from its silence: at the end of the four hours it must have spoken, and it
    must have been so without a break. Once a day at most. While the household is declared absent nobody freezes.
    """

    home: Home
    _: KW_ONLY
    heated: bool = False
    cold: float | None = None  # instead of the climate's own limit
    hot: float = HOT
    lasts: timedelta = timedelta(hours=4)
    state: EnvironmentState = field(default_factory=EnvironmentState, init=False)
    kinds: frozenset[Kind] = field(init=False)
    _rooms: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        kinds = {room.id: room.kind for room in self.home.rooms}
        all_ = {one.id: one.room for one in self.home.sensors if one.role is Role.CLIMATE}
        # A balcony or a shed may be as cold as it likes, as long as a thermometer hangs where somebody lives.
        lived_in = {name: room for name, room in all_.items() if kinds.get(room) is not RoomKind.OTHER}
        self._rooms = table(tuple((lived_in or all_).items()))
        self.kinds = TOLD_BY_CLIMATE if self._rooms else NOT_ASKED

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        room = self._rooms.get(reading.sensor)
        if room is None or reading.is_undated or reading.sensor in context.blind:
            return ()
        felt = self.state.rooms.get(reading.sensor)
        is_measured = reading.kind is TEMPERATURE
        if felt is None:
            if not is_measured:
                return ()
            felt = Felt(reading.at, reading.value, reading.value)
            self.state.rooms = {**self.state.rooms, reading.sensor: felt}
        elif reading.at < felt.at or (reading.at == felt.at and not is_measured):
            return ()  # told late or twice: what came after it is known; the humidity of one message may come first
        if not is_measured and felt.cold_at is None and felt.hot_at is None:
            return ()  # it lives and shows what it showed: that matters only while something is wrong
        cold, hot = self._limits(context.plan)
        teaches = UNUSUAL not in context.plan
        self._feel(felt, reading.at, reading.value if is_measured else felt.value, cold, hot, teaches=teaches)
        since = felt.cold_at or felt.hot_at
        if since is None or reading.at - since < self.lasts or ABSENCE in context.plan:
            return ()
        code, limit = ("room_hot", hot) if felt.cold_at is None else ("room_cold", cold)
        told = self.state.told.get(code)
        if told is not None and reading.at - told < ONCE_A_DAY:
            return ()
        self.state.told = {**self.state.told, code: reading.at}
        return (self._finding(code, since, limit, felt, reading, room, context),)

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        return ()

    def due(self) -> datetime | None:
        return None

    def _limits(self, plan: Any) -> tuple[float, float]:
        climate = COLD_HEATED if self.heated else COLD_UNHEATED
        cold = planned_number(plan.get("room_cold"), climate if self.cold is None else self.cold, off=-273.0)
        return cold, planned_number(plan.get("room_hot"), self.hot, off=1000.0)

    def _feel(self, felt: Felt, at: datetime, value: float, cold: float, hot: float, *, teaches: bool) -> None:
        gap = at - felt.at
        if teaches and timedelta(0) < gap <= GAP_COUNTS and felt.cold_at is None and felt.hot_at is None:
            felt.known_s += gap.total_seconds()
            felt.usual += (felt.value - felt.usual) * min(1.0, gap / min(USUAL_OVER, timedelta(seconds=felt.known_s)))
        if gap > GAP_COUNTS:
            felt.cold_at = felt.hot_at = None  # nobody knows whether it was so all the time
        felt.at, felt.value = at, value
        if value < cold:
            felt.worst = value if felt.cold_at is None else min(felt.worst, value)
            felt.cold_at, felt.hot_at = felt.cold_at or at, None
        elif value > hot:
            felt.worst = value if felt.hot_at is None else max(felt.worst, value)
            felt.hot_at, felt.cold_at = felt.hot_at or at, None
        else:
            felt.cold_at = felt.hot_at = None

    def _finding(
        self, code: str, since: datetime, limit: float, felt: Felt, reading: Reading, room: str, context: Context
    ) -> Finding:
        facts: Facts = (
            ("elapsed_s", seconds(reading.at - since)),
            ("limit_s", seconds(self.lasts)),
            ("limit", f"{limit:g}"),
            ("value", f"{felt.value:.1f}"),
            ("worst", f"{felt.worst:.1f}"),
            ("sensor", reading.sensor),
            ("room", room),
            ("last_at", reading.at.isoformat()),
            ("usual", f"{felt.usual:.1f}" if felt.known_s >= ONCE_A_DAY.total_seconds() else ""),
        )
        if reading.late:
            facts += (("late_s", seconds(reading.heard - reading.at)),)
        return Finding(
            home=self.home.id,
            code=code,
            severity=Severity.MEDIUM,
            since=since,
            at=max(reading.at, reading.heard),
            facts=facts,
            blind=context.blind,
        )
