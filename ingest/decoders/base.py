"""What every decoder speaks in: signals, places that topics name, news of a hub; and how values are read.

A decoder knows one dialect: its topics and its words. It knows nothing of homes, roles or yesterday. What a
signal *means* here, and whether it is news, is decided by `ingest/intake.py` from registration and memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import msgspec

from gateway.ports import HubDevice


class Signal(StrEnum):
    """What a device said, in one polarity for all makers, before its role in the home is applied."""

    # what a person causes
    MOVEMENT = "movement"  # 1 something warm moved, 0 the sensor cleared
    PRESENCE = "presence"  # 1 somebody is there
    OPEN = "open"  # 1 the contact is apart, 0 it touches
    PRESSED = "pressed"  # 1 somebody lies or sits on it
    SHAKEN = "shaken"  # 1 it was shaken
    SWITCHED = "switched"  # 1 a plug is on
    IN_USE = "in_use"  # 1 an appliance works
    TAP = "tap"  # 1 water was drawn
    INPUT = "input"  # 1 a wire or a nameless value is on: only its role in the home can name it
    ACTION = "action"  # 1 a button was worked, however
    ASSIST = "assist"  # 1 its second key, or a press that nobody makes in passing: double, or held
    # life in danger
    CALL = "call"  # 1 somebody called for help, just now
    SOS = "sos"  # 1 a call for help stands until it is cleared
    SMOKE = "smoke"
    GAS = "gas"
    CO = "co"
    LEAK = "leak"
    FALL = "fall"
    MAYBE_FALL = "maybe_fall"  # 1 a radar suspects a fall
    # what somebody wears
    IMPACT = "impact"  # something struck the wearer: its traits in a number
    STIRS = "stirs"  # 1 the wearer moves, 0 keeps still
    # measurements
    TEMPERATURE = "temperature"  # degrees Celsius
    HUMIDITY = "humidity"  # percent
    ILLUMINANCE = "illuminance"  # lux
    POWER = "power"  # watts
    WATER = "water"  # litres since the last report
    METER = "meter"  # litres that a water meter has counted in all
    SYSTOLIC = "systolic"  # mmHg
    DIASTOLIC = "diastolic"  # mmHg
    HEART_RATE = "heart_rate"  # beats a minute
    SPO2 = "spo2"  # percent
    GLUCOSE = "glucose"  # mmol/l
    WEIGHT = "weight"  # kilograms
    BODY_TEMPERATURE = "body_temperature"  # degrees Celsius
    # the equipment itself
    BATTERY = "battery"  # percent
    BATTERY_LOW = "battery_low"
    VOLTAGE = "voltage"  # volts
    LINK = "link"  # 0..255
    TAMPER = "tamper"
    AVAILABLE = "available"
    CONNECTED = "connected"  # 1 it has its own connection to the broker, 0 that broke off
    SELF_TEST = "self_test"  # 1 the device tries itself out: its alarm is none
    FAULT = "fault"  # 1 the device itself says that it cannot do its work
    MAINS = "mains"  # of a hub: 1 it lives on mains power, 0 on its battery


DANGERS = frozenset(
    {Signal.CALL, Signal.SOS, Signal.SMOKE, Signal.GAS, Signal.CO, Signal.LEAK, Signal.FALL},
)
"""Signals that nobody may miss, whatever the device was registered for, and even when it was not registered."""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One thing a device said. (A msgspec struct, for it is made four times as fast as a frozen dataclass.)

    `momentary` says that it happened with this message and is no lasting state: a press, a pulse, litres.
    `at` is the device's own time where it gave a usable one, `seq` its own counter. `part` tells apart what one
    message lists several times.
    """

    signal: Signal
    value: float
    momentary: bool = False
    at: datetime | None = None
    seq: int | None = None
    part: int = 0
    key: str = ""  # under which it was said, where that key says nothing else


class Fault(NamedTuple):
    """A key that could not be used while its neighbours could."""

    reason: str
    detail: str


class Portion(NamedTuple):
    """What a message says for one part of a device.

    Part "" is the whole device: its battery, and whether it can be reached. What a part says counts for the whole
    where nobody registered that part by itself; a child is a device of its own that only speaks through this one.
    """

    part: str
    heard: list[Heard]
    is_child: bool = False


NOTHING_QUIET: Mapping[str, Any] = MappingProxyType({})
NOTHING_BEFORE: Mapping[Signal, float] = {}


class Decoded(msgspec.Struct, gc=False):
    """What one message of one device said; what it says for several of them stands in `portions`."""

    heard: list[Heard]
    faults: list[Fault] | None = None
    address: str = ""  # the device's lasting address, where the message itself tells it
    portions: list[Portion] | None = None
    is_last_will: bool = False  # the broker says it, because the device is gone
    raw: dict[str, Any] | None = None  # what each key said
    quiet_at: datetime | None = None  # the device's own time of what was not told again
    hushed: dict[str, Any] | None = None  # of that, what each key said whose signal was known before


class Unreadable(ValueError):
    """The payload as a whole says nothing that can be used; `reason` is the code under which it is put away."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


class Part(Enum):
    """What a topic is about."""

    DEVICE = "device"  # something a device says
    SEVERAL = "several"  # something a device says for its parts, or for others that speak through it
    HUB = "hub"  # something the hub says about itself or its devices
    NOTHING = "nothing"  # commands to devices: nothing was sensed


class Place(NamedTuple):
    """One way to understand a topic. `key` is set where the topic carries a single value instead of an object."""

    part: Part
    name: str = ""
    key: str = ""


@dataclass(slots=True)
class News:
    """What a hub said about itself or its devices."""

    is_alive: bool = True  # False: the broker speaks for it, because it is gone
    starts: bool = False  # it has just connected, and will now repeat all it remembers
    at: datetime | None = None  # what its clock showed when it said this
    heard: list[Heard] = field(default_factory=list)  # what it said about itself: on mains or battery
    messages: dict[str, int] | None = None  # address -> how many messages it has had from that device since it started
    devices: list[HubDevice] | None = None  # all of its devices: whatever is not among them has gone
    joined: list[HubDevice] = field(default_factory=list)  # one that is there (again)
    left: list[str] = field(default_factory=list)  # addresses
    renamed: list[tuple[str, str]] = field(default_factory=list)  # from, to
    faults: list[Fault] = field(default_factory=list)


class Decoder(Protocol):
    """One dialect. `name` is the level of the topic after the hub: `shouwang/<hub>/<name>/…`."""

    name: str
    repeats_state: bool
    """True: every message repeats what is known, so that only a change is an event. False: a message is an event."""
    announces: bool
    """True: the hub lists its devices with addresses that stay. False: the name in the topic is the address."""

    def places(self, rest: str) -> tuple[Place, ...]:
        """How the topic below `<name>/` may be understood, the likeliest first; empty when it is no topic of ours."""
        ...

    def decode(
        self,
        payload: bytes,
        key: str = "",
        device: HubDevice | None = None,
        quiet: Mapping[str, Any] = NOTHING_QUIET,
        before: Mapping[Signal, float] = NOTHING_BEFORE,
    ) -> Decoded:
        """What a device said; `device` is what its hub announced about it. Raises `Unreadable`, and nothing else.

        What stands in `quiet` with its value need not be told again, nor what `before` holds by its signal: whoever
        asks knows that it would be no news.
        """
        ...

    def news(self, hub: str, rest: str, payload: bytes) -> News:
        """What a hub said. Raises `Unreadable`, and nothing else."""
        ...


# --------------------------------------------------------------------------- reading values

Converter = Callable[[Any], float | None]
"""From a raw value to a number; None when it says nothing. Raises ValueError with what would have been right."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a decoder's table."""

    signal: Signal
    convert: Converter
    momentary: bool = False


_FLAGS = {"true": 1.0, "on": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "off": 0.0, "no": 0.0, "0": 0.0}


def flag(raw: Any) -> float:
    if raw is True:
        return 1.0
    if raw is False:
        return 0.0
    # An alarm must not be lost to a maker who writes "ON" or 1 where others write true.
    word = _FLAGS.get(raw.lower()) if type(raw) is str else 1.0 if raw == 1 else 0.0 if raw == 0 else None
    if word is None:
        raise ValueError("true or false")
    return word


def not_flag(raw: Any) -> float:
    return 1.0 - flag(raw)


def number(low: float, high: float) -> Callable[[Any], float]:
    """A measurement within what its unit can be."""

    def convert(raw: Any) -> float:
        if (type(raw) is float or type(raw) is int) and low <= raw <= high:
            return float(raw)
        raise ValueError(f"a number from {low:g} to {high:g}")

    return convert


def volts(raw: Any) -> float:
    # Battery devices say millivolts, mains devices volts; no battery works below 0.5 V and no socket above 500 V.
    value = _volts(raw)
    return value / 1000 if value >= 500 else value


_volts = number(0, 500_000)


def words(on: tuple[str, ...], off: tuple[str, ...]) -> Converter:
    """A state told as text. Words of neither list say nothing: they are warnings, or unknown to the device itself."""
    meaning = dict.fromkeys(off, 0.0) | dict.fromkeys(on, 1.0)

    def convert(raw: Any) -> float | None:
        if type(raw) is str:
            return meaning.get(raw.lower())
        raise ValueError(f"one of {', '.join(on + off)}")

    return convert


def any_word(raw: Any) -> float | None:
    """An action, whatever it is called; an empty text is the echo of one that is over."""
    if type(raw) is str:
        return 1.0 if raw.strip() else None
    raise ValueError("a text")


_DELIBERATE = frozenset({"double", "hold", "long", "2"})
_SHORT_FOR_DELIBERATE = frozenset({"ss", "l"})  # Shelly's first generation: short twice, long


def deliberate_word(raw: Any) -> float | None:
    """A press that nobody makes in passing: double, held, or on the second key ("hold", "2_single", "long_push")."""
    if type(raw) is not str:
        raise ValueError("a text")
    word = raw.strip().lower()
    parts = word.split("_")
    is_one = word in _SHORT_FOR_DELIBERATE or not _DELIBERATE.isdisjoint(parts)
    return 1.0 if is_one and parts[-1] not in ("release", "off") else None


def one_word(*known: str) -> Converter:
    """An action of one of these names; others are not ours to know."""

    def convert(raw: Any) -> float | None:
        if type(raw) is str:
            return 1.0 if raw.strip().lower() in known else None
        raise ValueError("a text")

    return convert


UNSET_CLOCK = datetime(2001, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set (1970, 1980 and 2000 are where clocks start): it tells no time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_BELOW = 100_000_000_000  # as milliseconds that would be March 1973
_LAST_MS = 253_402_300_799_000  # the end of the year 9999


def moment(raw: Any) -> datetime | None:
    """A device's time to the millisecond, in UTC; None when its clock was never set. Raises ValueError."""
    if type(raw) is str:
        at = datetime.fromisoformat(raw)
        if at.tzinfo is None:
            raise ValueError("a time with its zone, like 2026-11-21T08:00:00Z")
        if at.tzinfo is not UTC:
            try:
                at = at.astimezone(UTC)
            except OverflowError:
                raise ValueError("a time in the years 1 to 9999") from None
        if at.microsecond % 1000:
            at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    elif (type(raw) is int or type(raw) is float) and 0 <= raw <= _LAST_MS:
        at = _EPOCH + timedelta(milliseconds=int(raw * 1000 if raw < _SECONDS_BELOW else raw))
    else:
        raise ValueError("ISO 8601 with its zone, or milliseconds since 1970")
    return at if at >= UNSET_CLOCK else None


_parse = msgspec.json.Decoder().decode


def parse(payload: bytes) -> Any:
    """Strict JSON: no NaN, no Infinity, no broken UTF-8, no bottomless nesting."""
    try:
        return _parse(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("bad-json", str(error)) from None


def bare(payload: bytes) -> Any:
    """One value alone in its topic; texts come without quotation marks."""
    try:
        return parse(payload)
    except Unreadable:
        try:
            return payload.decode()
        except UnicodeDecodeError as error:
            raise Unreadable("bad-json", str(error)) from None


def an_object(payload: bytes) -> dict[str, Any]:
    raw = parse(payload)
    if type(raw) is not dict:
        raise Unreadable("not-an-object", f"a {type(raw).__name__} is not an object")
    return raw


def fault(key: str, raw: Any, expected: object) -> Fault:
    """A value that could not be used, said briefly: what it was, and what would have been right."""
    shown = type(raw).__name__ if isinstance(raw, dict | list) else ascii(raw)[:60]
    return Fault("bad-value", f"{ascii(key[:60])[1:-1]}: {shown} is not {expected}")
