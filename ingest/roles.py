"""What a signal means in a home: the role comes from registration, never from the device's key.

The same contact is the entry door, a drawer, a bed mat or a pull cord; whoever installs it knows which.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from typing import NamedTuple

from gateway.domain import SIGNS_OF_LIFE, URGENT, VITALS, Kind, Role
from ingest.decoders.base import Signal

Turn = Callable[[float, float | None], float]
"""From a signal's value, and the last value of the kind it stands for, to a value of that kind."""

IN_USE_FROM_W, IDLE_BELOW_W = 10.0, 5.0
"""A kettle, a stove hood, a television: in use it draws more than the first, on standby less than the second."""


def closed(value: float, last: float | None) -> float:
    """A mat under a mattress is a switch that the weight closes."""
    return 1.0 - value


def drawing(value: float, last: float | None) -> float:
    """In use or not, by the watts it draws."""
    return float(value >= (IDLE_BELOW_W if last else IN_USE_FROM_W))


class Use(NamedTuple):
    """What a role makes of a signal."""

    kind: Kind
    turn: Turn | None = None


_SEEN = {
    Signal.PRESENCE: Use(Kind.PRESENCE),
    Signal.MOVEMENT: Use(Kind.PRESENCE),
    Signal.INPUT: Use(Kind.PRESENCE),
}


def _lain_on(kind: Kind) -> dict[Signal, Use]:
    return {
        Signal.PRESSED: Use(kind),
        Signal.OPEN: Use(kind, closed),
        Signal.PRESENCE: Use(kind),
        Signal.MOVEMENT: Use(kind),
        Signal.INPUT: Use(kind),
        Signal.SHAKEN: Use(Kind.VIBRATION),  # somebody stirs; whoever lies still has not got up
    }


ROLES: dict[Role, dict[Signal, Use]] = {
    Role.MOTION: {
        Signal.MOVEMENT: Use(Kind.MOTION),
        Signal.PRESENCE: Use(Kind.PRESENCE),
        Signal.INPUT: Use(Kind.MOTION),
        Signal.SHAKEN: Use(Kind.VIBRATION),
    },
    Role.PRESENCE: _SEEN,
    Role.EXIT_DOOR: {Signal.OPEN: Use(Kind.DOOR), Signal.INPUT: Use(Kind.DOOR)},
    Role.OPENING: {
        Signal.OPEN: Use(Kind.OPENING),
        Signal.INPUT: Use(Kind.OPENING),
        Signal.SHAKEN: Use(Kind.VIBRATION),
    },
    Role.BED: _lain_on(Kind.BED),
    Role.CHAIR: _lain_on(Kind.CHAIR),
    Role.APPLIANCE: {
        Signal.IN_USE: Use(Kind.APPLIANCE),
        Signal.POWER: Use(Kind.APPLIANCE, drawing),
        Signal.SWITCHED: Use(Kind.APPLIANCE),
        Signal.INPUT: Use(Kind.APPLIANCE),
        Signal.SHAKEN: Use(Kind.APPLIANCE),
    },
    Role.TAP: {Signal.TAP: Use(Kind.TAP), Signal.INPUT: Use(Kind.TAP), Signal.SHAKEN: Use(Kind.TAP)},
    Role.BUTTON: {
        Signal.ACTION: Use(Kind.BUTTON),
        Signal.INPUT: Use(Kind.BUTTON),
        Signal.ASSIST: Use(Kind.ASSIST),
    },
    Role.SOS: {
        Signal.ACTION: Use(Kind.SOS),
        Signal.OPEN: Use(Kind.SOS),  # a cord pulls a magnet off its contact
        Signal.ASSIST: Use(Kind.SOS),  # whoever presses an emergency button twice or long needs it no less
        Signal.INPUT: Use(Kind.SOS),
    },
    Role.FALL: {**_SEEN, Signal.INPUT: Use(Kind.FALL)},
    Role.SMOKE: {Signal.INPUT: Use(Kind.SMOKE)},
    Role.GAS: {Signal.INPUT: Use(Kind.GAS)},
    Role.CO: {Signal.INPUT: Use(Kind.CO)},
    Role.LEAK: {Signal.INPUT: Use(Kind.LEAK)},
    Role.CLIMATE: {},
    Role.WATER_METER: {
        Signal.METER: Use(Kind.METER),
        Signal.TAP: Use(Kind.TAP),
        Signal.INPUT: Use(Kind.TAP),
    },
    Role.VITALS: {},
}
"""Role -> signal -> what it makes of it. Where several signals stand for the same kind, the first one a device has
is believed and the others are not listened to."""

ANY_ROLE: dict[Signal, Kind] = {
    # a danger is one, whatever the device was registered for
    Signal.CALL: Kind.SOS,
    Signal.SOS: Kind.SOS,
    Signal.SMOKE: Kind.SMOKE,
    Signal.GAS: Kind.GAS,
    Signal.CO: Kind.CO,
    Signal.LEAK: Kind.LEAK,
    Signal.FALL: Kind.FALL,
    Signal.MAYBE_FALL: Kind.MAYBE_FALL,
    Signal.IMPACT: Kind.IMPACT,
    Signal.STIRS: Kind.STIRS,
    Signal.TEMPERATURE: Kind.TEMPERATURE,
    Signal.HUMIDITY: Kind.HUMIDITY,
    Signal.ILLUMINANCE: Kind.ILLUMINANCE,
    Signal.POWER: Kind.POWER,
    Signal.WATER: Kind.WATER,
    Signal.SYSTOLIC: Kind.SYSTOLIC,
    Signal.DIASTOLIC: Kind.DIASTOLIC,
    Signal.HEART_RATE: Kind.HEART_RATE,
    Signal.SPO2: Kind.SPO2,
    Signal.GLUCOSE: Kind.GLUCOSE,
    Signal.WEIGHT: Kind.WEIGHT,
    Signal.BODY_TEMPERATURE: Kind.BODY_TEMPERATURE,
    Signal.BATTERY: Kind.BATTERY,
    Signal.BATTERY_LOW: Kind.BATTERY_LOW,
    Signal.VOLTAGE: Kind.VOLTAGE,
    Signal.LINK: Kind.LINK,
    Signal.TAMPER: Kind.TAMPER,
    Signal.AVAILABLE: Kind.AVAILABLE,
    Signal.CONNECTED: Kind.CONNECTED,
    Signal.SELF_TEST: Kind.SELF_TEST,
    Signal.FAULT: Kind.FAULT,
}


class Nature(Enum):
    """How the values of a kind become readings."""

    LIFE = "life"  # a state that a person changes: every change
    ALARM = "alarm"  # a danger: every change, whatever its age
    FLAG = "flag"  # a state of the equipment: every change
    MEASURE = "measure"  # thinned


LIFE, ALARM, FLAG, MEASURE = (
    Nature  # for where it is asked with every reading: a look into the enum is as dear as a call
)


@dataclass(frozen=True, slots=True)
class Thin:
    """A measurement is kept when it changed and `every` has passed since the last one kept, or it moved by `leap`."""

    every: timedelta
    leap: float = float("inf")


_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)

THINNED: dict[Kind, Thin] = {
    Kind.TEMPERATURE: Thin(_MINUTE, leap=1),
    Kind.HUMIDITY: Thin(_MINUTE, leap=5),
    Kind.ILLUMINANCE: Thin(_MINUTE, leap=100),
    Kind.POWER: Thin(_MINUTE, leap=50),
    Kind.BATTERY: Thin(_HOUR, leap=10),
    Kind.VOLTAGE: Thin(_HOUR),
    Kind.LINK: Thin(_HOUR),
}
"""Devices repeat these in every message; more often than this nobody reads them."""

METERED = frozenset({Kind.WATER, Kind.METER})
"""No litre of these is left out: they add up."""

CALLS: dict[Signal, Kind] = {
    Signal.CALL: Kind.SOS,
    Signal.SOS: Kind.SOS,
    Signal.SMOKE: Kind.SMOKE,
    Signal.GAS: Kind.GAS,
    Signal.CO: Kind.CO,
    Signal.LEAK: Kind.LEAK,
    Signal.FALL: Kind.FALL,
}
"""What a device that nobody registered calls for, where its home is guarded."""

SELF_TESTED = frozenset({Kind.SMOKE, Kind.GAS, Kind.CO})


def nature(kind: Kind) -> Nature:
    if kind in URGENT:
        return Nature.ALARM
    if kind in THINNED or kind in METERED or kind in VITALS:
        return Nature.MEASURE
    return Nature.LIFE if kind in SIGNS_OF_LIFE else Nature.FLAG


HUB: dict[Signal, Kind] = {Signal.MAINS: Kind.MAINS, Signal.BATTERY: Kind.BATTERY}
"""What a hub says about itself, under its own id instead of a sensor's."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one signal of one sensor stands for. `rank` says how good a witness it is; 0 is the best."""

    kind: Kind
    nature: Nature
    rank: int
    turn: Turn | None


@cache
def meanings(role: Role, inverted: bool) -> Mapping[Signal, tuple[Meaning, ...]]:
    """Everything a sensor of this role can say; one table is shared by all of them."""
    found: dict[Signal, tuple[Meaning, ...]] = {}
    for rank, (signal, use) in enumerate(ROLES[role].items()):
        turn = _other_way_round(use.turn) if inverted and signal is not Signal.ACTION else use.turn
        found[signal] = (Meaning(use.kind, nature(use.kind), rank, turn),)
    for signal, kind in ANY_ROLE.items():
        found[signal] = (*found.get(signal, ()), Meaning(kind, nature(kind), 0, None))
    return found


def _other_way_round(turn: Turn | None) -> Turn:
    def inverted(value: float, last: float | None) -> float:
        return 1.0 - (value if turn is None else turn(value, None if last is None else 1.0 - last))

    return inverted
