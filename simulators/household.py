"""A flat with a hub and sensors: turns what its elder does into what the devices say, byte for byte.

From the inside out: a persona's stays become what a body does (moves, lies down, opens), that becomes what each
device notices (with its blind time and its clearing), and that becomes messages as Zigbee2MQTT or a plain hub
publish them, or, much faster and for a long history, readings.

A household never changes. What happens to it (`press_sos`, `fall_silent`, `go_out`, `hub_dark`, `kill_sensor`)
gives another household that lives the same life up to that moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from math import cos, pi
from random import Random
from zoneinfo import ZoneInfo

from gateway.domain import Home, Hub, Kind, Power, Reading, Role, Room, RoomKind, Sensor
from simulators.devices import MODELS, PARTS, Device, Model, Signal
from simulators.personas import PERSONAS, Activity, Persona, Stay
from simulators.speech import EPOCH, Dialect, LastSeen, Plain, Publication, Zigbee2mqtt, moment, speak

SHANGHAI = ZoneInfo("Asia/Shanghai")

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000  # times inside are whole milliseconds since 1970

ACTIVITY_SEEN_EVERY: Mapping[Activity, float] = {
    Activity.SLEEP: 4800,
    Activity.NAP: 2400,
    Activity.BED_REST: 1100,
    Activity.TOILET: 80,
    Activity.WASH: 70,
    Activity.COOK: 75,
    Activity.TEA: 80,
    Activity.EAT: 260,
    Activity.TV: 560,
    Activity.READ: 620,
    Activity.CHORES: 95,
    Activity.GUEST: 110,
    Activity.WANDER: 45,
}
"""How many seconds pass between two movements that a motion sensor can see, on average, while somebody does this."""

ROOM_NAMES: Mapping[RoomKind, str] = {
    RoomKind.BEDROOM: "卧室",
    RoomKind.BATHROOM: "卫生间",
    RoomKind.KITCHEN: "厨房",
    RoomKind.LIVING: "客厅",
    RoomKind.HALL: "门口",
}


# --------------------------------------------------------------------------- what happens to a household


@dataclass(frozen=True, slots=True)
class Press:
    at: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """From `since` nobody moves any more."""

    since: datetime


@dataclass(frozen=True, slots=True)
class GoneOut:
    at: datetime
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class AtHome:
    """Whatever the persona planned, nobody goes out between these moments."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Dark:
    """The hub has no power: nothing it hears is kept."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Dead:
    sensor: str
    since: datetime


HEARD_EVERY = 2 * MINUTE
"""A gateway keeps no more often than this that a device was heard which had nothing new to say."""

LATCHED = 10 * SECOND
"""How long an emergency button that reports a state instead of an action stays pressed."""

Act = Press | Silence | GoneOut | AtHome | Dark | Dead


# --------------------------------------------------------------------------- the household


@dataclass(frozen=True, kw_only=True)
class Household:
    """One flat, its elder and its devices: the same seed lives the same life, byte for byte."""

    home: Home
    persona: Persona
    seed: int
    devices: tuple[Device, ...]
    dialect: Dialect = Dialect.ZIGBEE2MQTT
    last_seen: LastSeen = LastSeen.ISO
    qos: int = 1
    health: timedelta = timedelta(minutes=1)  # how often its Zigbee2MQTT publishes `bridge/health`
    beat: timedelta | None = None  # a heartbeat of the box itself on plain/hub, where its interval asks for one
    acts: tuple[Act, ...] = ()

    # ------------------------------------------------------------------ what happens to it

    def press_sos(self, at: datetime) -> "Household":
        """Somebody presses the first emergency button at this moment."""
        return replace(self, acts=(*self.acts, Press(at)))

    def press_now(self, at: datetime) -> list[Publication]:
        """The message of one press at this moment, ready to be published by whoever plays the hub."""
        pressed = self.press_sos(at)
        return list(pressed.publications(at, at + timedelta(milliseconds=1), starts=False))

    def fall_silent(self, since: datetime) -> "Household":
        """The last sign of life is at `since`, in the kitchen; then nobody moves, while the devices go on."""
        return replace(self, acts=(*self.acts, Silence(since)))

    def go_out(self, at: datetime, until: datetime | None = None, why: str = "外出") -> "Household":
        """Leave by the door at `at`, and come back at `until` if at all."""
        return replace(self, acts=(*self.acts, GoneOut(at, until, why)))

    def stay_home(self, since: datetime, until: datetime) -> "Household":
        """Not go out between these moments, whatever was planned."""
        return replace(self, acts=(*self.acts, AtHome(since, until)))

    def hub_dark(self, since: datetime, until: datetime | None = None) -> "Household":
        """The hub's plug is pulled: nothing is heard, nothing is kept, and afterwards it starts anew."""
        return replace(self, acts=(*self.acts, Dark(since, until)))

    def kill_sensor(self, sensor: str, since: datetime) -> "Household":
        """This sensor's battery is dead from `since`."""
        if all(device.sensor.id != sensor for device in self.devices):
            known = ", ".join(device.sensor.id for device in self.devices)
            raise ValueError(f"home {self.home.id} has no sensor {sensor!r}; it has {known}")
        return replace(self, acts=(*self.acts, Dead(sensor, since)))

    @property
    def hub(self) -> str:
        return self.home.hubs[0].id

    def device(self, role: Role, room: str | None = None) -> Device:
        """The first device of this role, in this room if one is named."""
        for device in self.devices:
            if device.role is role and room in (None, device.room):
                return device
        raise LookupError(f"home {self.home.id} has no {role} sensor" + (f" in {room}" if room else ""))

    def is_dark(self, at: datetime) -> bool:
        return any(begin <= _ms(at) and (end is None or _ms(at) < end) for begin, end in self._dark_spans)

    def heard_by(self, at: datetime) -> datetime:
        """When its hub was last heard by `at`: now, or when it went dark."""
        ms = _ms(at)
        begins = [begin for begin, end in self._dark_spans if begin <= ms and (end is None or ms < end)]
        return moment(min(begins)) if begins else at

    # ------------------------------------------------------------------ its life

    def stays(self, day: date) -> list[Stay]:
        """Where the elder is, from waking on this day to waking on the next, after all that happened to her."""
        stays = list(self.persona.day(self.seed, day, self.home.zone))
        begin, end = stays[0].at, stays[-1].until
        for act in self.acts:
            match act:
                case GoneOut(at, until, why):
                    stays = _carve(stays, Stay(max(at, begin), min(until or end, end), None, Activity.OUT, why))
                case AtHome(since, until):
                    for stay in [s for s in stays if s.room is None and s.at < until and s.until > since]:
                        stays = _carve(stays, replace(stay, room=RoomKind.LIVING, activity=Activity.CHORES, why=""))
                case Silence(since):
                    before = since - timedelta(minutes=20)
                    stays = _carve(stays, Stay(max(before, begin), min(since, end), RoomKind.KITCHEN, Activity.CHORES))
        return stays

    def signals(self, since: datetime, until: datetime | None = None) -> Iterator[Signal]:
        """What the devices notice, in order of time; endless without `until`."""
        until = self._until_dark_for_good(until)
        first, last = _ms(since), None if until is None else _ms(until)
        day = since.astimezone(self.home.zone).date() - timedelta(days=1)
        lost = self._losses()
        while True:
            stays = self.stays(day)
            begin, end = _ms(stays[0].at), _ms(stays[-1].until)
            if last is not None and begin >= last:
                return
            if end > first:
                signals = self._noticed(stays)
                signals.extend(self._check_ins(begin, end))
                signals.extend(self._presses(begin, end))
                signals.sort()
                for signal in signals:
                    if signal[0] >= first and (last is None or signal[0] < last) and not lost(signal):
                        yield signal
            day += timedelta(days=1)

    def changes(self, since: datetime, until: datetime | None = None, *, alive: bool = False) -> Iterator[Signal]:
        """Only what a gateway takes for news: presses, a plain hub's pulses, and whatever differs from before.

        With `alive` also that a device was heard which had no news.
        """
        known = dict[tuple[int, Kind], float]()
        told = dict[int, int]()
        pulses = (Kind.SOS, Kind.MOTION) if self.dialect is Dialect.PLAIN else (Kind.SOS,)
        for signal in self.signals(since, until):
            at, index, kind, value = signal
            if kind is Kind.ALIVE or (known.get((index, kind)) == value and not (value and kind in pulses)):
                if alive and at - told.get(index, 0) >= HEARD_EVERY:
                    told[index] = at
                    yield at, index, Kind.ALIVE, 1.0
                continue
            known[index, kind] = value
            told[index] = at
            yield signal

    def reading(self, signal: Signal, arrival: int = 0) -> Reading:
        """A signal as the gateway would have stored it, heard at once."""
        ms, index, kind, value = signal
        sensor, room, subject = self._places[index]
        at = moment(ms)
        return Reading(self.home.id, sensor, room, kind, value, at, at, arrival, subject=subject)

    def readings(self, since: datetime, until: datetime | None = None, *, alive: bool = False) -> Iterator[Reading]:
        """The same life as readings: much faster than messages, for a long history."""
        return map(self.reading, self.changes(since, until, alive=alive))

    @cached_property
    def _places(self) -> list[tuple[str, str, str]]:
        return [(d.sensor.id, d.room, d.sensor.subject) for d in self.devices]

    def publications(
        self, since: datetime, until: datetime | None = None, *, starts: bool = True
    ) -> Iterator[Publication]:
        """The same life as messages, in order of time; endless without `until`. With `starts` the hub starts first."""
        until = self._until_dark_for_good(until)
        first, last = _ms(since), None if until is None else _ms(until)
        dark = self._dark_spans
        begins = [first] if starts and not self.is_dark(since) else []
        begins.extend(end for _, end in dark if end is not None and end >= first and (last is None or end < last))
        voice: Zigbee2mqtt | Plain = (
            Zigbee2mqtt(self.hub, self.devices, self.home.zone, self.last_seen, self.qos, self.seed)
            if self.dialect is Dialect.ZIGBEE2MQTT
            else Plain(self.hub, self.devices, self.qos, self.seed)
        )
        # from a day earlier, so that the hub's memory is what it would be
        signals = self.signals(since - timedelta(days=1), until)
        return speak(
            voice, self.hub, signals, first, last, starts=begins, dark=dark, health=self.health, beat=self.beat
        )

    def _until_dark_for_good(self, until: datetime | None) -> datetime | None:
        """A hub that never comes back has an end, or whoever waits for its next word would wait for ever."""
        ends = [act.since for act in self.acts if isinstance(act, Dark) and act.until is None]
        return min([*ends, *([until] if until is not None else [])], default=None)

    @cached_property
    def _dark_spans(self) -> list[tuple[int, int | None]]:
        return [
            (_ms(act.since), None if act.until is None else _ms(act.until))
            for act in self.acts
            if isinstance(act, Dark)
        ]

    # ------------------------------------------------------------------ from the body to the devices

    @cached_property
    def _eyes(self) -> dict[str, int]:
        return {d.room: i for i, d in enumerate(self.devices) if d.role is Role.MOTION}

    @cached_property
    def _first(self) -> dict[Role, int]:
        return {d.role: i for i, d in reversed(list(enumerate(self.devices)))}

    def _noticed(self, stays: list[Stay]) -> list[Signal]:
        """One day: every movement of the body, then what each device makes of it."""
        moves: dict[str, list[int]] = {room: [] for room in self._eyes}
        signals: list[Signal] = []
        for index in range(len(stays)):
            _Body(self, stays, index, moves, signals).live()
        silent = self._silent_since
        if silent is not None:
            signals = [signal for signal in signals if signal[0] <= silent]
            moves = {room: [at for at in seen if at <= silent] for room, seen in moves.items()}
        self._small_lives(stays, moves)
        for room, device in self._eyes.items():
            signals.extend(_watch_room(self.devices[device].model, device, sorted(moves[room])))
        return signals

    @cached_property
    def _silent_since(self) -> int | None:
        moments = [_ms(act.since) for act in self.acts if isinstance(act, Silence)]
        return min(moments) if moments else None

    def _small_lives(self, stays: list[Stay], moves: dict[str, list[int]]) -> None:
        """A cat, and now and then sun on a curtain: single pulses, never two together."""
        begin, end = _ms(stays[0].at), _ms(stays[-1].until)
        chance = Random(f"{self.seed}/small/{begin}")
        rooms = sorted(moves)
        every = 35 * MINUTE if self.persona.cat else 40 * HOUR
        at = begin + int(chance.expovariate(1 / every))
        while rooms and at < end - 3 * MINUTE:
            moves[chance.choice(rooms)].append(at)
            at += 5 * MINUTE + int(chance.expovariate(1 / every))

    def _check_ins(self, begin: int, end: int) -> Iterator[Signal]:
        for index, device in enumerate(self.devices):
            period = device.model.checks_in_min * MINUTE
            phase = _digest(self.seed, device.sensor.id) % period
            for at in range(begin + (phase - begin) % period, end, period):
                if device.model.mains:
                    yield at, index, Kind.ALIVE, 1.0
                else:
                    yield at, index, Kind.BATTERY, _battery_left(phase, at)
            if device.role is Role.CLIMATE:
                period = 25 * MINUTE
                for at in range(begin + (phase - begin) % period, end, period):
                    yield at, index, Kind.TEMPERATURE, _temperature(phase, at)
                    yield at, index, Kind.HUMIDITY, _humidity(phase, at)

    def _presses(self, begin: int, end: int) -> Iterator[Signal]:
        for act in self.acts:
            if isinstance(act, Press) and begin <= _ms(act.at) < end:
                button = self._first[Role.SOS]
                yield _ms(act.at), button, Kind.SOS, 1.0
                if not self.devices[button].model.press:  # it latches, and lets go by itself
                    yield _ms(act.at) + LATCHED, button, Kind.SOS, 0.0

    def _losses(self) -> Callable[[Signal], bool]:
        """Which signals nobody ever hears: of dead sensors, and while the hub is dark."""
        dark = self._dark_spans
        number = {device.sensor.id: index for index, device in enumerate(self.devices)}
        dead = {number[a.sensor]: _ms(a.since) for a in self.acts if isinstance(a, Dead)}

        def lost(signal: Signal) -> bool:
            at, device, _, _ = signal
            return (device in dead and at >= dead[device]) or any(
                since <= at and (until is None or at < until) for since, until in dark
            )

        return lost if dark or dead else lambda signal: False


@dataclass(slots=True)
class _Body:
    """One stay of somebody with a body: enters, moves about, lies, sits, cooks, leaves."""

    household: Household
    stays: list[Stay]
    index: int
    moves: dict[str, list[int]]  # by room: when a sensor there could see her
    signals: list[Signal]

    def live(self) -> None:
        stay = self.stays[self.index]
        begin, end = _ms(stay.at), _ms(stay.until)
        chance = Random(f"{self.household.seed}/body/{begin}")
        if stay.room is None:
            self._be_out(begin, end, chance)
            return
        room = stay.room.value
        first, last = self.index == 0, self.index == len(self.stays) - 1
        before = RoomKind.BEDROOM if first else self.stays[self.index - 1].room
        if before is not stay.room:
            if before is RoomKind.BEDROOM and first:
                self._move("bedroom", begin + SECOND)
            if before is not None and room != "hall":
                self._move("hall", begin + 3 * SECOND)
            self._move(room, begin + chance.randint(6, 14) * SECOND)
        if stay.activity is Activity.GUEST:
            self._have_a_guest(begin, end)
        every = ACTIVITY_SEEN_EVERY[stay.activity] * SECOND / self.household.persona.lively
        quiet = end - (3 * MINUTE if last else 8 * SECOND)
        at = begin + 15 * SECOND + int(chance.expovariate(1 / every))
        while at < quiet:
            self._move(room, at)
            at += int(chance.expovariate(1 / every)) + SECOND
        if not last and self.stays[self.index + 1].room is not stay.room:
            self._move(room, end - 3 * SECOND)
        self._press_mats(stay, begin, end)
        if stay.room is RoomKind.KITCHEN:
            self._use_kitchen(stay.activity, begin, end, chance)

    def _be_out(self, begin: int, end: int, chance: Random) -> None:
        if self.index > 0 and self.stays[self.index - 1].room is not None:
            self._move("hall", begin - 18 * SECOND)
            self._open_door(begin, chance.randint(5, 9))
        if self.index < len(self.stays) - 1:
            self._open_door(end, chance.randint(6, 11))
            self._move("hall", end + 4 * SECOND)

    def _have_a_guest(self, begin: int, end: int) -> None:
        """Somebody comes in and leaves again; the elder sees them to the door and is seen in the flat afterwards."""
        self._open_door(begin + 20 * SECOND, 8)
        self._move("hall", begin + 24 * SECOND)
        self._open_door(end - 3 * MINUTE, 9)
        self._move("hall", end - 3 * MINUTE - 5 * SECOND)
        self._move("living", end - MINUTE)

    def _move(self, room: str, at: int) -> None:
        if room in self.moves:  # a room without a sensor sees nothing
            self.moves[room].append(at)

    def _open_door(self, at: int, seconds: int) -> None:
        self._toggle(Role.EXIT_DOOR, Kind.DOOR, at, at + seconds * SECOND)

    def _toggle(self, role: Role, kind: Kind, on: int | None, off: int | None) -> None:
        device = self.household._first.get(role)
        if device is None:
            return
        if on is not None:
            self.signals.append((on, device, kind, 1.0))
        if off is not None:
            self.signals.append((off, device, kind, 0.0))

    def _press_mats(self, stay: Stay, begin: int, end: int) -> None:
        if end - begin < 2 * MINUTE:
            return
        before = self.stays[self.index - 1] if self.index else None
        after = self.stays[self.index + 1] if self.index + 1 < len(self.stays) else None
        if stay.activity.is_in_bed:
            lies_already = (
                before is not None and before.activity.is_in_bed and before.until - before.at >= timedelta(minutes=2)
            )
            lies_on = after is not None and after.activity.is_in_bed and after.until - after.at >= timedelta(minutes=2)
            self._toggle(
                Role.BED,
                Kind.BED,
                None if lies_already else begin + 25 * SECOND,
                None if lies_on else end - 12 * SECOND,
            )
        elif stay.activity.is_seated and stay.room is RoomKind.LIVING:
            self._toggle(Role.CHAIR, Kind.CHAIR, begin + 20 * SECOND, end - 6 * SECOND)

    def _use_kitchen(self, activity: Activity, begin: int, end: int, chance: Random) -> None:
        span = end - begin - 60 * SECOND
        if span <= 0:
            return
        if end == self.household._silent_since:
            self._take_one_last_thing(end)
            return
        times = {Activity.COOK: chance.randint(2, 4), Activity.CHORES: chance.randint(0, 1)}.get(activity, 0)
        closed = begin
        for at in sorted(begin + 20 * SECOND + int(chance.random() * span) for _ in range(times)):
            at = max(at, closed + 10 * SECOND)
            closed = at + chance.randint(4, 20) * SECOND
            self._toggle(Role.OPENING, Kind.OPENING, at, closed)
        if activity is Activity.TEA or (activity is Activity.COOK and chance.random() < 0.5):
            boiled = min(begin + chance.randint(150, 230) * SECOND, end - 10 * SECOND)
            self._toggle(Role.APPLIANCE, Kind.APPLIANCE, begin + 25 * SECOND, boiled)

    def _take_one_last_thing(self, at: int) -> None:
        """The last sign of life is exactly this moment: the fridge, or two sensors that both see her."""
        if Role.OPENING in self.household._first:
            self._toggle(Role.OPENING, Kind.OPENING, at - 9 * SECOND, at)
        else:
            self._move("hall", at - 15 * SECOND)
            self._move("living", at)


def _watch_room(model: Model, device: int, moves: Iterable[int]) -> Iterator[Signal]:
    """A motion sensor: fires, is blind for a while, clears itself some time after it last fired."""
    blind, clears = model.blind_s * SECOND, model.clears_s * SECOND
    sees_again = clear_at = 0
    for at in moves:
        if at < sees_again:
            continue
        if 0 < clear_at <= at:
            yield clear_at, device, Kind.MOTION, 0.0
        yield at, device, Kind.MOTION, 1.0
        sees_again, clear_at = at + blind, at + clears
    if clear_at:
        yield clear_at, device, Kind.MOTION, 0.0


def _carve(stays: list[Stay], piece: Stay) -> list[Stay]:
    """The same day with this piece in it instead of what was there."""
    if piece.until <= piece.at:
        return stays
    carved: list[Stay] = []
    for stay in stays:
        if stay.at < piece.at:
            carved.append(replace(stay, until=min(stay.until, piece.at)))
        if stay.at <= piece.at < stay.until:
            carved.append(piece)
        if stay.until > piece.until:
            carved.append(replace(stay, at=max(stay.at, piece.until)))
    return carved


def _ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def _digest(*what: object) -> int:
    return int.from_bytes(blake2b("/".join(map(str, what)).encode(), digest_size=8).digest(), "big")


def _battery_left(phase: int, at: int) -> float:
    """Percent: new some time before we came, changed every twenty months, never low by chance."""
    days = (at // (24 * HOUR) + phase % 600) % 600
    return float(100 - days * 65 // 600)


def _temperature(phase: int, at: int) -> float:
    """Degrees in the living room: the season, the time of day, and a breath of chance."""
    days = at / (24 * HOUR)
    season, hour = cos((days - 197) * 2 * pi / 365.25), cos((days + 8 / 24 - 15 / 24) * 2 * pi)
    return round(21.5 + 4.5 * season + 1.2 * hour + (_digest(phase, at) % 61 - 30) / 100, 2)


def _humidity(phase: int, at: int) -> float:
    return round(52 + 14 * cos((at / (24 * HOUR) - 197) * 2 * pi / 365.25) + (_digest(at, phase) % 401 - 200) / 100, 2)


# --------------------------------------------------------------------------- furnishing

WHOLE_KIT = tuple(PARTS)
SMALL_KIT = ("entry/door", "living/motion", "kitchen/motion", "bathroom/motion", "bedroom/motion", "sos/bedside")


def furnish(
    id: str,
    persona: Persona | str,
    *,
    seed: int,
    name: str = "",
    code: str = "",
    grid: str = "grid",
    address: str = "",
    access: str = "",
    person: str = "",
    dialect: Dialect = Dialect.ZIGBEE2MQTT,
    last_seen: LastSeen = LastSeen.ISO,
    chinese_names: bool = False,
    interval: timedelta | None = timedelta(seconds=60),
    qos: int = 1,
    kit: Iterable[str] = WHOLE_KIT,
    zone: ZoneInfo = SHANGHAI,
) -> Household:
    """A flat with its rooms, a hub and the parts of a kit (names of `PARTS`); which makes hang there is the seed's."""
    lives = PERSONAS[persona] if isinstance(persona, str) else persona
    hub = f"hub-{_digest(seed, id) % 2**32:08x}"
    devices = tuple(_hang(part, id, hub, seed, dialect, chinese_names) for part in kit)
    rooms = tuple(Room(id=kind.value, name=zh, kind=kind) for kind, zh in ROOM_NAMES.items())
    home = Home(
        id=id,
        code=code or id,
        name=name or a_name(seed, id),
        grid=grid,
        zone=zone,
        rooms=rooms,
        hubs=(Hub(id=hub, home=id, interval=interval),),
        sensors=tuple(device.sensor for device in devices),
        address=address,
        access=access,
        person=person,
    )
    # Zigbee2MQTT can say how it is once a minute at most; a box that promises more must beat by itself.
    health = (
        timedelta(minutes=10) if interval is None else min(max(interval, timedelta(minutes=1)), timedelta(minutes=10))
    )
    beat = None if interval is None or interval > timedelta(minutes=1) else interval * 2 / 3
    return Household(
        home=home,
        persona=lives,
        seed=_digest(seed, id, lives.key) % 2**48,
        devices=devices,
        dialect=dialect,
        last_seen=last_seen,
        qos=qos,
        health=health,
        beat=beat,
    )


SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"


def a_name(seed: int, home: str) -> str:
    """What the neighbours call whoever lives here: 王奶奶, 李爷爷."""
    choice = _digest(seed, home, "name")
    return SURNAMES[choice % len(SURNAMES)] + ("奶奶", "爷爷")[choice // 64 % 2]


def _hang(name: str, home: str, hub: str, seed: int, dialect: Dialect, chinese: bool) -> Device:
    part = PARTS[name]
    choice = _digest(seed, home, name)
    model = MODELS[part.models[choice % len(part.models)]]
    short = name.replace("/", "-")
    zigbee = dialect is Dialect.ZIGBEE2MQTT
    sensor = Sensor(
        id=f"{home}-{short}",
        hub=hub,
        address=f"0x{choice % 2**64:016x}" if zigbee else short.removeprefix("sos-"),
        name=part.zh.removeprefix("sos/").replace("/", ""),
        room=part.room.value,
        role=part.role,
        model=model.model,
        power=Power.MAINS if model.mains else Power.BATTERY,
    )
    if zigbee:
        topic = part.zh if chinese else name
    else:
        topic = f"sos/{sensor.address}" if part.role.is_life_safety else sensor.address
    return Device(sensor=sensor, model=model, topic=topic)
