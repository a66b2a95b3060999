"""Whether the equipment of a home is alive, and each function of it: what it can see, it must be known to see."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from detectors.battery import DAY
from detectors.coverage import Blindness, Coverage, Task
from detectors.device import Devices, Fault, Function, Known
from detectors.habit import NOTHING
from detectors.kinds import ALIVE, AVAILABLE, CONNECTED, MOTION, RETURNED
from gateway.domain import (
    SIGNS_OF_LIFE,
    URGENT,
    Condition,
    Facts,
    Finding,
    Home,
    Kind,
    Power,
    Reading,
    Role,
    Sensor,
    Severity,
)
from gateway.domain import seconds as in_seconds
from gateway.ports import Context

TIMES_ITS_INTERVAL = 2.5
MAINS_FLOOR, BATTERY_FLOOR = timedelta(minutes=10), timedelta(minutes=30)
LONGEST = timedelta(hours=25)
"""A device is offline after so many of its own intervals of silence, not before its floor and never later than this."""

FIRST_LIMIT = timedelta(hours=6)
"""What a battery device is allowed at least, while only a few hours of it are known."""

KNOWN_AFTER: Mapping[bool, timedelta] = {True: timedelta(minutes=30), False: timedelta(hours=6)}
KNOWN_REPORTS = 6
"""On its first day a device (mains or not) is judged once it has reported so often by itself over so long."""

HEARD_WITHIN = timedelta(minutes=2)
"""That a device was heard is kept no more often than this, so its silences look so much longer at most."""

DAYS_KEPT, FEW_DAYS = 14, 3

OVERDUE = 1.25
"""A sensor this many of its intervals late may be dead: from then on its silence is no evidence."""

VOUCHES_WITHIN = timedelta(hours=3)
"""Only of a sensor that reports this often can one say that it is overdue while it still matters."""

QUARTER = timedelta(minutes=15)
MUTE_TIMES, MUTE_AFTER, MUTE_AFTER_DAYS = 3, 48, 200
"""A function is mute after three times its longest gap. Gaps are counted in quarter hours in which the *neighbours*
told of life: nobody expects a sensor to fire in an empty home. What sees people is allowed twelve such hours at least;
fifty, which is some days, while it is new; and so is everything else, once it is known."""

GAPS_KNOWN = 20
GAPS_AGE = timedelta(days=28)

BROKEN_OFF_AFTER = timedelta(minutes=8)
"""A connection breaks off when a router restarts; a device that is not back by then has gone."""

WARMS_UP = timedelta(minutes=10)
"""A gas sensor measures nothing for some minutes after each power failure, and says so."""

STUCK_AFTER = timedelta(hours=2)
STUCK_LIVED = 4
"""A motion sensor that clears by itself has not seen somebody move for so long without a pause, least of all while
others told of life in so many quarter hours."""

CHATTER = 60
"""More events than this in a minute are made by no person."""

CALM_AFTER = timedelta(minutes=10)
_NOTHING, _MINUTE = timedelta(0), timedelta(minutes=1)
_UNKNOWN, _MAINS = Power.UNKNOWN, Power.MAINS
SAME_FAULT = timedelta(hours=6)
"""A fault that comes back within this is the same one, and is not told again."""

ON_BATTERY, ON_BATTERY_LONG = timedelta(seconds=60), timedelta(minutes=30)
CLOCK_OFF_S, CLOCK_RIGHT_S = 120.0, 60.0

LINK_WEAK, LINK_FALLEN, LINK_KNOWN = 25.0, 0.5, 24
"""Of 255; half of what is usual; once so many values are known."""

FAIR_PART = 0.03
"""Of the quarter hours with life, until a sensor was last heard of."""

NEVER = datetime.max.replace(tzinfo=UTC)

SOON = timedelta(seconds=10)
"""A device that speaks again within this stays in hand; the others lie as bytes until they speak."""

LONG_HOLE = timedelta(minutes=10)
"""In a shorter one hardly anybody leaves the home unheard."""

JUDGED: Mapping[Role, frozenset[Kind]] = {
    Role.MOTION: frozenset({Kind.MOTION, Kind.PRESENCE}),
    Role.PRESENCE: frozenset({Kind.PRESENCE}),
    Role.FALL: frozenset({Kind.PRESENCE}),
    Role.EXIT_DOOR: frozenset({Kind.DOOR}),
    Role.OPENING: frozenset({Kind.OPENING}),
    Role.BED: frozenset({Kind.BED}),
    Role.CHAIR: frozenset({Kind.CHAIR}),
    Role.APPLIANCE: frozenset({Kind.APPLIANCE}),
    Role.TAP: frozenset({Kind.TAP}),
    Role.WATER_METER: frozenset({Kind.TAP, Kind.WATER}),
    Role.CLIMATE: frozenset({Kind.TEMPERATURE}),
}
"""The functions that a living home makes speak again and again. An emergency button is pressed once in years."""

EYES = frozenset({Role.MOTION, Role.PRESENCE, Role.BED, Role.EXIT_DOOR})
"""Without one of these somebody may well be alive and unseen."""

SEES_PEOPLE = frozenset({Role.MOTION, Role.PRESENCE})
LASTING = frozenset({Kind.PRESENCE, Kind.BED, Kind.CHAIR, Kind.OPENING, Kind.DOOR, Kind.APPLIANCE})
FUNCTIONS = SIGNS_OF_LIFE | URGENT | {Kind.TEMPERATURE, Kind.HUMIDITY, Kind.WATER, Kind.POWER}

SEES_ALL: Mapping[str, Blindness] = {}
"""What is blind in most homes."""

BLINDING: Mapping[str, str] = {
    "offline": "sensor_silent",
    "mute": "sensor_mute",
    "stuck": "sensor_stuck",
    "chatter": "sensor_chatter",
    "faulty": "sensor_faulty",
}
"""Fault -> why its sensor sees nothing."""


@dataclass(slots=True)
class HubKnown:
    """What is known of one hub besides its being heard."""

    lost_at: datetime | None = None  # when it lost the mains
    told: int = 0  # the worst severity said about it
    clock_at: datetime | None = None  # since when its clock has been wrong


@dataclass(slots=True)
class SupervisionState:
    begun: datetime | None = None  # when this home was first heard
    resumed: datetime | None = None  # when the home was last heard again after a hole
    hole_began: datetime | None = None  # the last long hole, unless its hub stored up what happened in it
    hole_ended: datetime | None = None
    check_at: datetime | None = None
    quarters: int = 0  # quarter hours in which somebody lived here, ever
    quarter_ends: datetime | None = None
    devices: Devices = field(default_factory=Devices)
    hubs: Mapping[str, HubKnown] = field(default_factory=lambda: NOTHING)

    def __post_init__(self) -> None:
        devices: Any = self.devices  # out of a checkpoint the values alone, in order; so of the hubs
        hubs: Any = self.hubs
        self.devices = devices if isinstance(devices, Devices) else Devices.restored(devices)
        self.hubs = {hub: HubKnown(*one) for hub, one in hubs.items()} or NOTHING


@dataclass(slots=True)
class Supervision:
    """A device that is silent, mute, stuck, chattering, badly heard or nearly empty, and a hub without mains power.

    Silence is measured by each device's own habit, and only while its hub is heard. Whatever is told here is told of
    the equipment, and what the home cannot see meanwhile is handed to those who judge its silence.
    """

    home: Home
    _: KW_ONLY
    warn_before_empty: timedelta = timedelta(days=60)
    state: SupervisionState = field(default_factory=SupervisionState, init=False)
    revision: int = field(default=0, init=False)
    """Grows whenever the condition of a device, or what the home can see, has changed."""
    _sensors: dict[str, Sensor] = field(init=False)
    _promised: bool = field(init=False)
    _met: object = field(default=None, init=False)
    _blind: Mapping[str, Blindness] = field(default_factory=lambda: SEES_ALL, init=False)
    _blind_of: object = field(default=None, init=False)
    _blind_at: int = field(default=0, init=False)
    _judged: object = field(default=None, init=False)  # whose sensors were asked last whether they are mute …
    _judge_at: int = field(default=0, init=False)  # … and in which quarter hour of life one of them may be
    _newcomer: str = field(default="", init=False)  # the device that was taken in hand last, unless it speaks often …
    _came_at: datetime = field(default=NEVER, init=False)  # … and when

    def __post_init__(self) -> None:
        self._promised = self.home.interval is not None
        hubs = {hub.id for hub in self.home.hubs}
        self._sensors = {sensor.id: sensor for sensor in self.home.sensors if sensor.hub in hubs}

    @property
    def coverage(self) -> Coverage:
        return Coverage(self.home)

    # ------------------------------------------------------------------ readings

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state, kind = self.state, reading.kind
        if self._met is not state:
            self._meet(reading.heard)
        if kind is RETURNED:
            self._resume(reading)
            return ()
        known = state.devices.get(reading.sensor)
        if known is None:
            is_hub = any(hub.id == reading.sensor for hub in self.home.hubs)
            return self._hear_hub(reading) if is_hub else ()
        if isinstance(known, bytes):
            known = self._take(reading.sensor, reading.heard)
        if reading.late and reading.is_undated:
            return ()  # the bridge remembers it; the device may be dead
        if kind is AVAILABLE and not reading.value:
            return self._begin(reading.sensor, "offline", known.heard or known.since, reading.heard, how="left")
        if reading.late and state.hole_ended is not None and reading.at < state.hole_ended:
            state.hole_began = state.hole_ended = None  # the hub has stored up what happened meanwhile
        if kind is CONNECTED and not reading.value:
            known.gone_at = known.gone_at or reading.heard
            self._expect(known, known.gone_at + BROKEN_OFF_AFTER)
            return ()
        found: list[Finding] = []
        self._hear(known, reading, found)
        if kind in FUNCTIONS:
            self._function(known, reading, found)
        elif kind is not ALIVE and kind is not AVAILABLE:
            self._equipment(known, reading, found)
        return found

    def _meet(self, now: datetime) -> None:
        """The registry or the memory is another: every registered sensor is known, and a replaced one is new."""
        state = self.state
        if state.begun is None:
            state.begun = now
        devices = state.devices
        for name, sensor in self._sensors.items():
            known = devices.take(name) if name in devices else None
            if known is not None and known.address == sensor.address:
                known.next_at = None
            else:
                known = devices[name] = Known(sensor.address, now, now)
                self._expect_silence(name, known)
                self.revision += 1
            devices.rest(name)
        for gone in devices.keys() - self._sensors.keys():
            del devices[gone]
            self.revision += 1
        self._met = state

    def _take(self, name: str, heard: datetime) -> Known:
        """A device that lay as bytes has spoken. The one before it lies down again, unless it speaks often."""
        devices = self.state.devices
        former, known = devices.get(self._newcomer), devices.take(name)
        if known.heard is not None and heard - known.heard < SOON:
            return known
        if isinstance(former, Known) and (former.heard is None or former.heard <= self._came_at):
            devices.rest(self._newcomer)
        self._newcomer, self._came_at = name, heard
        return known

    def _lay_down(self, now: datetime) -> None:
        """Those that have stopped speaking lie as bytes."""
        devices = self.state.devices
        for name, known in devices.items():
            if isinstance(known, Known) and (known.heard is None or now - known.heard >= SOON):
                devices.rest(name)

    def _resume(self, reading: Reading) -> None:
        state, hole = self.state, timedelta(seconds=reading.value)
        if hole >= LONG_HOLE:
            # Two that lie near each other count as one: between them hardly anything was heard.
            if state.hole_began is None or state.hole_ended is None or reading.at - hole - state.hole_ended > DAY / 2:
                state.hole_began = reading.at - hole
            state.hole_ended = reading.at
        state.resumed = reading.at
        for name, known in state.devices.seen():
            if known.gone_at is not None:  # they come back one after the other
                state.devices.take(name).gone_at = reading.at

    def _hear(self, known: Known, reading: Reading, found: list[Finding]) -> None:
        heard, before = reading.heard, known.heard
        if before is not None and heard <= before:
            return
        known.heard, known.gone_at = heard, None
        resumed = self.state.resumed
        if before is not None and (resumed is None or before >= resumed):  # through a hole nobody was heard
            gap = (heard - before).total_seconds()
            if gap > known.longest_s:
                known.longest_s = int(gap)
        if not known.days:
            if known.reports < 255 and (reading.kind not in SIGNS_OF_LIFE or self._is_mains(reading.sensor, known)):
                known.reports += 1
            if known.reports >= KNOWN_REPORTS:  # before that it is allowed what it was allowed when it was met
                self._expect_silence(reading.sensor, known)
        if heard - known.day_at >= DAY:
            self._close_days(known, reading.sensor, heard)
        battery = known.battery
        if battery.day_at is not None and heard - battery.day_at >= DAY:
            found.extend(self._battery_due(reading.sensor, known, heard))
        if known.faults:
            if known.has("offline"):
                self._end(known, "offline", heard)
                self._expect_silence(reading.sensor, known)
            self._calm(known, heard)

    def _close_days(self, known: Known, sensor: str, heard: datetime) -> None:
        if known.longest_s:
            known.days = (*known.days, known.longest_s)[-DAYS_KEPT:]
        known.longest_s = 0
        while heard - known.day_at >= DAY:
            known.day_at += DAY
        self._expect_silence(sensor, known)

    # ------------------------------------------------------------------ functions

    def _function(self, known: Known, reading: Reading, found: list[Finding]) -> None:
        state, at, kind = self.state, reading.at, reading.kind
        is_event, function = reading.is_event, known.function(kind)
        if is_event:
            self._count(known, function, reading, found)
        if function is not None and at <= function.at:
            return
        if function is None:
            function = Function(kind, at, reading.value, -1, since=at, begun=state.quarters)
            known.functions = (*known.functions, function)
            if kind is Kind.POWER:
                self._expect_silence(reading.sensor, known)  # it is on mains, so it is allowed less
        elif state.quarters > function.quarter:
            self._learn_gap(function, state.quarters - function.quarter, at)
        is_new_quarter = is_event and (state.quarter_ends is None or at >= state.quarter_ends)
        if is_new_quarter and not known.has("chatter"):
            state.quarters += 1
            state.quarter_ends = at + QUARTER
        if is_event and function.quarter != state.quarters:
            function.lived += 1
        function.at, function.value, function.quarter = at, reading.value, state.quarters
        if kind is MOTION:
            function.clears = function.clears or not reading.value
        if known.faults:
            for code in ("mute", "stuck"):
                if known.has(code):
                    self._end(known, code, at)
        if is_new_quarter:
            found.extend(self._listen_for_mutes(at))

    def _learn_gap(self, function: Function, gap: int, at: datetime) -> None:
        function.gaps = min(function.gaps + 1, 255)
        if function.since is None or at - function.since >= GAPS_AGE:
            function.before, function.longest, function.since = function.longest, 0, at
        function.longest = max(function.longest, gap)

    def _listen_for_mutes(self, at: datetime) -> Iterable[Finding]:
        """Somebody lives here just now: which sensors have been told nothing of it for too long?"""
        self._lay_down(at)
        state, quarters = self.state, self.state.quarters
        if self._judged is state and quarters < self._judge_at:
            return
        judge_at = quarters + STUCK_LIVED  # whoever speaks from now on is not due sooner
        for name in state.devices:
            role = self._sensors[name].role
            if (judged := JUDGED.get(role)) is None:
                continue
            known = state.devices.look(name)
            functions = known.among(judged)
            if not functions:
                continue
            last = max(functions, key=lambda one: one.at)
            lived, longest = quarters - last.quarter, max(last.longest, last.before)
            is_away = known.heard is None or known.has("offline")
            if last.clears and last.value:
                judge_at = min(judge_at, last.quarter + STUCK_LIVED)
                if lived >= STUCK_LIVED and at - last.at >= STUCK_AFTER and not is_away:
                    usual, limit = in_seconds(longest * QUARTER), in_seconds(STUCK_AFTER)
                    yield from self._begin(name, "stuck", last.at, at, usual_s=usual, limit_s=limit)
            sees_people, is_known = role in SEES_PEOPLE, last.gaps >= GAPS_KNOWN
            if not is_known and not sees_people:
                continue
            floor = MUTE_AFTER if is_known and sees_people else MUTE_AFTER_DAYS
            allowed = max(MUTE_TIMES * longest, floor)
            judge_at = min(judge_at, last.quarter + allowed + 1)
            if lived <= allowed or is_away:
                continue
            is_on = any(one.value and one.kind in LASTING for one in functions)
            code = "stuck" if is_on else "mute"
            yield from self._begin(
                name,
                code,
                last.at,
                at,
                lived_s=in_seconds(lived * QUARTER),
                usual_s=in_seconds(longest * QUARTER),
                limit_s=in_seconds(allowed * QUARTER),
            )
        self._judged, self._judge_at = state, judge_at

    def _count(self, known: Known, function: Function | None, reading: Reading, found: list[Finding]) -> None:
        at = reading.at
        began = known.minute_at
        if began is None or not _NOTHING <= at - began < _MINUTE:
            known.minute_at, known.minute = at, 1
            return
        if function is not None and function.at == at:
            return  # heard twice
        known.minute += 1
        if known.minute > CHATTER:
            known.calm_at = at + CALM_AFTER
            self._expect(known, known.calm_at)
            found.extend(self._begin(reading.sensor, "chatter", began, at, count=str(known.minute), limit=str(CHATTER)))

    # ------------------------------------------------------------------ equipment

    def _equipment(self, known: Known, reading: Reading, found: list[Finding]) -> None:
        kind, value, at, sensor = reading.kind, reading.value, reading.heard, reading.sensor
        match kind:
            case Kind.BATTERY:
                known.battery.said_percent(value, at)
            case Kind.VOLTAGE:
                if not self._is_mains(sensor, known):
                    known.battery.said_volts(value, at)
            case Kind.BATTERY_LOW:
                known.battery.said_low(bool(value), at)
            case Kind.LINK:
                self._link(known, reading, found)
            case Kind.TAMPER:
                if value:
                    found.extend(self._begin(sensor, "tamper", reading.at, at))
                elif known.has("tamper"):
                    self._end(known, "tamper", at)
            case Kind.FAULT:
                if not value:
                    known.faulty_at = None
                    if known.has("faulty"):
                        self._end(known, "faulty", at)
                elif known.faulty_at is None:
                    known.faulty_at = at
                    self._expect(known, at + WARMS_UP)
            case Kind.CUT:
                known.calm_at = at + CALM_AFTER
                self._expect(known, known.calm_at)
                found.extend(self._begin(sensor, "flood", at, at, count=str(int(value))))

    def _link(self, known: Known, reading: Reading, found: list[Finding]) -> None:
        if known.link_at is not None and reading.at <= known.link_at:
            return
        known.link_at = reading.at
        if known.links == 0:
            known.link = known.usual_link = reading.value
        known.links = min(known.links + 1, 255)
        known.link = round(known.link + (reading.value - known.link) / 8, 1)
        if not known.has("link_weak"):  # what is wrong does not become usual
            known.usual_link = round(known.usual_link + (reading.value - known.usual_link) / 100, 1)
        if known.links < LINK_KNOWN:
            return
        limit = max(LINK_WEAK, LINK_FALLEN * known.usual_link)
        if known.link < limit:
            found.extend(
                self._begin(
                    reading.sensor,
                    "link_weak",
                    reading.at,
                    reading.heard,
                    link=str(int(known.link)),
                    usual=str(int(known.usual_link)),
                    limit=str(int(limit)),
                )
            )
        elif known.link > 1.3 * limit and known.has("link_weak"):
            self._end(known, "link_weak", reading.heard)

    def _battery_due(self, sensor: str, known: Known, heard: datetime) -> Iterable[Finding]:
        battery = known.battery
        told = battery.told
        if battery.pass_time(heard, self.warn_before_empty):
            facts: Facts = (("percent", str(round(battery.percent or 0))),)
            empty = battery.empty_at()
            if empty is not None:
                facts += (("empty_at", empty.isoformat()),)
            yield self._finding("battery_low", sensor, heard, heard, Severity.TECHNICAL, facts)
        if battery.told != told:
            self.revision += 1

    def _hear_hub(self, reading: Reading) -> Iterable[Finding]:
        if reading.is_undated:
            return
        hub = self.state.hubs.get(reading.sensor)
        if hub is None:
            hub = HubKnown()
            self.state.hubs = {**self.state.hubs, reading.sensor: hub}
        match reading.kind:
            case Kind.MAINS if reading.value:
                if hub.told:
                    self.revision += 1
                hub.lost_at, hub.told = None, 0
            case Kind.MAINS if hub.lost_at is None:
                hub.lost_at = reading.at
                self._look_at(reading.at + ON_BATTERY)
            case Kind.CLOCK if abs(reading.value) >= CLOCK_OFF_S:
                if hub.clock_at is None:
                    hub.clock_at = reading.heard
                    facts = (("ahead_s", str(int(reading.value))), ("limit_s", str(int(CLOCK_OFF_S))))
                    yield self._finding(
                        "hub_clock", reading.sensor, reading.heard, reading.heard, Severity.TECHNICAL, facts
                    )
            case Kind.CLOCK if abs(reading.value) <= CLOCK_RIGHT_S:
                hub.clock_at = None

    # ------------------------------------------------------------------ time

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if self._met is not state:
            self._meet(now)
        found: list[Finding] = []
        state.check_at = None
        for name, known in state.devices.seen():
            due = known.next_at
            if due is not None and due > now:
                self._look_at(due)
                continue
            known = state.devices.take(name)
            known.next_at = NEVER
            for code, deadline in self._deadlines(name, known):
                if deadline > now:
                    self._expect(known, deadline)
                elif code == "calm":
                    self._calm(known, now)
                elif code == "gone":
                    lasted = in_seconds(BROKEN_OFF_AFTER)
                    found.extend(
                        self._begin(name, "offline", known.heard or known.since, deadline, how="left", limit_s=lasted)
                    )
                elif code == "faulty":
                    found.extend(
                        self._begin(name, "faulty", deadline - WARMS_UP, deadline, limit_s=in_seconds(WARMS_UP))
                    )
                else:
                    found.extend(self._silent(name, known, deadline))
        for name, hub in state.hubs.items():
            found.extend(self._without_mains(name, hub, now))
        self._lay_down(now)
        return found

    def due(self) -> datetime | None:
        return self.state.check_at

    def _expect(self, known: Known, moment: datetime) -> None:
        due = known.next_at
        if due is not None and moment < due:  # without one it is asked at the next look anyway
            known.next_at = moment
        self._look_at(moment)

    def _look_at(self, moment: datetime) -> None:
        if self.state.check_at is None or moment < self.state.check_at:
            self.state.check_at = moment

    def _deadlines(self, name: str, known: Known) -> Iterable[tuple[str, datetime]]:
        """What may become true of a device by the mere passing of time."""
        if self._is_expected(name) and not known.has("offline"):
            quiet = self._quiet_since(known)
            yield "offline", quiet + self._limit(name, known, quiet)
        if known.gone_at is not None and not known.has("offline"):
            yield "gone", known.gone_at + BROKEN_OFF_AFTER
        if known.faulty_at is not None and not known.has("faulty"):
            yield "faulty", known.faulty_at + WARMS_UP
        if known.calm_at is not None:
            yield "calm", known.calm_at

    def _silent(self, name: str, known: Known, at: datetime) -> Iterable[Finding]:
        since = known.heard or known.since
        interval = self._interval(name, known, at)
        return self._begin(
            name,
            "offline",
            since,
            at,
            how="silent" if known.heard else "never",
            limit_s=in_seconds(at - self._quiet_since(known)),
            usual_s="" if interval is None else in_seconds(interval),
        )

    def _without_mains(self, name: str, hub: HubKnown, now: datetime) -> Iterable[Finding]:
        if hub.lost_at is None:
            return
        for limit, severity in ((ON_BATTERY_LONG, Severity.MEDIUM), (ON_BATTERY, Severity.TECHNICAL)):
            at = hub.lost_at + limit
            if now < at:
                self._look_at(at)
            elif hub.told != severity.value and hub.told != Severity.MEDIUM.value:
                hub.told = severity.value
                self.revision += 1
                yield self._finding("power_fail", name, hub.lost_at, at, severity, (("limit_s", in_seconds(limit)),))
                return

    # ------------------------------------------------------------------ how long a silence may be

    def _quiet_since(self, known: Known) -> datetime:
        quiet, resumed = known.heard or known.since, self.state.resumed
        return quiet if resumed is None or resumed < quiet else resumed

    def _is_expected(self, name: str) -> bool:
        """Where its hub promises nothing, nobody can tell a silent device from a silent hub; and a cuff or a pair of
        scales speaks only when somebody uses it."""
        return self._promised and self._sensors[name].role is not Role.VITALS

    def _expect_silence(self, name: str, known: Known) -> None:
        if self._is_expected(name):
            quiet = self._quiet_since(known)
            self._expect(known, quiet + self._limit(name, known, quiet))

    def _interval(self, name: str, known: Known, now: datetime) -> timedelta | None:
        """How long this device is usually silent at most: by its last fourteen days, without the worst of them."""
        if known.days:
            worst = len(known.days) - 1
            usual = sorted(known.days)[worst if worst < FEW_DAYS else 9 * worst // 10]
            return max(timedelta(seconds=usual) - HEARD_WITHIN, timedelta(0))
        known_for = now - known.since
        if known.reports >= KNOWN_REPORTS and known_for >= KNOWN_AFTER[self._is_mains(name, known)]:
            return max(timedelta(seconds=known.longest_s) - HEARD_WITHIN, timedelta(0))
        return None

    def _limit(self, name: str, known: Known, now: datetime) -> timedelta:
        interval = self._interval(name, known, now)
        if interval is None:
            return LONGEST
        is_mains = self._is_mains(name, known)
        floor = MAINS_FLOOR if is_mains else BATTERY_FLOOR if known.days else FIRST_LIMIT
        return min(max(TIMES_ITS_INTERVAL * interval, floor), LONGEST)

    def _is_mains(self, name: str, known: Known) -> bool:
        """By registration, or else by what it reports: only what has no battery measures power."""
        power = self._sensors[name].power
        if power is _UNKNOWN:
            return known.battery.percent is None and known.function(Kind.POWER) is not None
        return power is _MAINS

    # ------------------------------------------------------------------ faults

    def _begin(self, name: str, code: str, since: datetime, at: datetime, **facts: str) -> Iterable[Finding]:
        """A fault has come to light; it is told unless it was there a moment ago."""
        known = self.state.devices.take(name)
        fault = known.faults.get(code)
        if fault is not None and fault.ended is None:
            return ()
        before = self.blind()
        known.faults = {**known.faults, code: Fault(since)}
        self.revision += 1
        if fault is not None and fault.ended is not None and at - fault.ended < SAME_FAULT:
            return ()
        lost = self.coverage.lost_with(name, before) if name in self.blind() else []
        more: Facts = tuple(facts.items())
        if lost:
            more += (("blinds", ",".join(dict.fromkeys(task.what for task in lost))),)
        if code in _OF_DEVICE:
            code = f"device_{code}"
        return (self._finding(code, name, since, at, _severity(lost), more),)

    def _end(self, known: Known, code: str, at: datetime) -> None:
        known.faults[code].ended = at
        self.revision += 1

    def _calm(self, known: Known, now: datetime) -> None:
        if known.calm_at is not None and now >= known.calm_at:
            known.calm_at = None
            for code in ("chatter", "flood"):
                if known.has(code):
                    self._end(known, code, now)

    def _finding(
        self, code: str, subject: str, since: datetime, at: datetime, severity: Severity, more: Facts
    ) -> Finding:
        sensor = self._sensors.get(subject)
        facts: Facts = (("last_at", since.isoformat()), ("elapsed_s", in_seconds(at - since)), *more)
        if sensor is not None:
            battery = self.state.devices.look(subject).battery.percent
            facts += (("role", sensor.role.value), ("room", sensor.room))
            if battery is not None and code == "device_offline":
                facts += (("percent", str(round(battery))),)
        return Finding(
            home=self.home.id,
            code=code,
            severity=severity,
            since=since,
            at=max(at, since),
            subject=subject,
            facts=facts,
        )

    # ------------------------------------------------------------------ what others ask

    def blind(self) -> Mapping[str, Blindness]:
        """The sensors that see nothing at present, why, and since when."""
        if self._blind_of is not self.state or self._blind_at != self.revision:
            found: dict[str, Blindness] = {}
            for name, known in self.state.devices.seen():
                sensor = self._sensors.get(name) if known.faults else None
                if sensor is None:
                    continue
                for code, why in BLINDING.items():
                    if known.has(code) and (code in ("offline", "faulty") or _sees(sensor.role)):
                        if code == "offline" and known.battery.told:
                            why = "battery_empty"
                        found[name] = Blindness(why, known.faults[code].since)
                        break
            self._blind = found or SEES_ALL
            self._blind_of, self._blind_at = self.state, self.revision
        return self._blind

    def testimony(self, now: datetime, context: Context) -> Context:
        """The context for whoever judges silence at `now`: whose silence is no evidence, and up to when the others'
        is. A hole counts where the devices report by themselves and nothing of that was stored up for us."""
        state = self.state
        blind = [name for name in self.blind() if self._is_missed(name)]
        vouched: datetime | None = None
        for name in state.devices if self._promised else ():
            if name in self._blind or self._sensors[name].role not in EYES:
                continue
            known = state.devices.look(name)
            if known.heard is None:
                continue
            interval = self._interval(name, known, now)
            if interval is None or interval > VOUCHES_WITHIN:
                continue
            quiet = self._quiet_since(known)
            if now - quiet > max(OVERDUE * interval, MAINS_FLOOR):
                if self._is_missed(name):
                    blind.append(name)
                continue
            vouched = known.heard if vouched is None else min(vouched, known.heard)
        if not blind and vouched is None:
            return context
        hole = None
        if state.hole_began is not None and state.hole_ended is not None:
            hole = (state.hole_began, state.hole_ended)
        return replace(context, blind=tuple(blind), vouched_at=vouched, hole=hole)

    def _is_missed(self, name: str) -> bool:
        """Whether this sensor tells of a fair part of the life here: a light in a closet can be done without."""
        role = self._sensors[name].role
        if role is Role.EXIT_DOOR:
            return True
        told = self.state.devices.look(name).among(JUDGED.get(role, frozenset()))
        return not told or any(one.lived >= FAIR_PART * (one.quarter - one.begun) for one in told)

    def conditions(self) -> list[Condition]:
        return [
            Condition(
                home=self.home.id,
                sensor=name,
                heard=known.heard,
                functions=tuple((one.kind, one.at) for one in known.functions),
                battery=known.battery.percent,
                empty_at=known.battery.empty_at(),
                link=known.link if known.links else None,
                faults=_faults(known),
            )
            for name, known in self.state.devices.seen()
            if name in self._sensors
        ]


_OF_DEVICE = frozenset({"offline", "mute", "stuck", "chatter", "flood", "faulty"})


def _sees(role: Role) -> bool:
    """Whether a sensor that no longer tells of life is blind: one that only calls for help is not."""
    return role is Role.FALL or not role.is_life_safety


def _severity(lost: Iterable[Task]) -> Severity:
    """Equipment, unless it takes away what an alert of the first two severities needs."""
    worst = any(not Severity.HIGH.worse_than(task.severity) for task in lost)
    return Severity.MEDIUM if worst else Severity.TECHNICAL


def _faults(known: Known) -> tuple[str, ...]:
    faults = [code for code, fault in known.faults.items() if fault.ended is None]
    if known.battery.told:
        faults.append("battery_low")
    if known.heard is not None and known.battery.is_stuck(known.heard):
        faults.append("battery_unknown")
    return tuple(faults)
