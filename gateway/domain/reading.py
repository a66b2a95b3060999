"""What a sensor said, and when it happened."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a reading tells, after the sensor's registered role has been applied.

    A plain magnet contact on the entry door gives DOOR, the same contact under a bed mat gives BED:
    the role comes from registration, never from the device's key.
    """

    # signs of life
    MOTION = "motion"  # 1 a passive infrared sensor fired, 0 it cleared
    PRESENCE = "presence"  # 1 a radar sees somebody, 0 nobody
    DOOR = "door"  # the home's entry door: 1 opened, 0 closed
    OPENING = "opening"  # any other door, drawer, fridge: 1 opened, 0 closed
    BED = "bed"  # 1 in bed, 0 out of bed
    CHAIR = "chair"  # 1 seated, 0 up
    VIBRATION = "vibration"  # 1 shaken
    APPLIANCE = "appliance"  # 1 in use, 0 not
    TAP = "tap"  # 1 water drawn
    BUTTON = "button"  # 1 an ordinary button was pressed
    ASSIST = "assist"  # 1 somebody asked for help that can wait: the second key, a double or long press
    # life safety
    SOS = "sos"  # 1 an emergency button was pressed or a cord pulled
    SMOKE = "smoke"  # 1 alarm, 0 clear; GAS, CO, LEAK and FALL alike
    GAS = "gas"
    CO = "co"
    LEAK = "leak"
    FALL = "fall"
    MAYBE_FALL = "maybe_fall"  # 1 a radar suspects a fall and is not sure yet, 0 it does not any more
    # what somebody wears
    IMPACT = "impact"  # something struck the wearer: its traits, packed into a number (`Impact`)
    STIRS = "stirs"  # 1 the wearer moves, 0 keeps still
    # measurements
    TEMPERATURE = "temperature"  # degrees Celsius
    HUMIDITY = "humidity"  # percent
    ILLUMINANCE = "illuminance"  # lux
    POWER = "power"  # watts
    WATER = "water"  # litres since the last reading
    METER = "meter"  # litres a water meter has counted in all; WATER is how far it moved
    # vital signs, each measurement an event of its own
    SYSTOLIC = "systolic"  # blood pressure, mmHg
    DIASTOLIC = "diastolic"  # blood pressure, mmHg
    HEART_RATE = "heart_rate"  # beats a minute
    SPO2 = "spo2"  # oxygen saturation, percent
    GLUCOSE = "glucose"  # blood sugar, mmol/l
    WEIGHT = "weight"  # kilograms
    BODY_TEMPERATURE = "body_temperature"  # degrees Celsius
    # the equipment itself
    BATTERY = "battery"  # percent
    BATTERY_LOW = "battery_low"  # 1 low
    VOLTAGE = "voltage"  # volts
    LINK = "link"  # link quality 0..255
    TAMPER = "tamper"  # 1 opened
    AVAILABLE = "available"  # 1 the bridge can reach the device, 0 it cannot
    CONNECTED = "connected"  # 1 a device on Wi-Fi has its connection, 0 it broke off: perhaps for a moment
    SELF_TEST = "self_test"  # 1 the device tries itself out, 0 it has ended
    FAULT = "fault"  # 1 the device itself says that it cannot do its work
    ALIVE = "alive"  # the device was heard and had nothing new to say; told now and then
    CUT = "cut"  # messages of a device not used since the last such reading, because it flooded
    MAINS = "mains"  # of a hub: 1 on mains power, 0 on its battery
    CLOCK = "clock"  # of a hub: seconds by which its clock is ahead of ours
    RETURNED = "returned"  # a hub was heard again; the value is the length of the hole in seconds


SIGNS_OF_LIFE = frozenset(
    {
        Kind.MOTION,
        Kind.PRESENCE,
        Kind.DOOR,
        Kind.OPENING,
        Kind.BED,
        Kind.CHAIR,
        Kind.VIBRATION,
        Kind.APPLIANCE,
        Kind.TAP,
        Kind.BUTTON,
        Kind.ASSIST,
        Kind.SOS,
    }
)
"""Kinds that a person causes. Their *change* is life; a report of battery or temperature is not."""

HAZARDS = frozenset({Kind.SMOKE, Kind.GAS, Kind.CO, Kind.LEAK, Kind.FALL})
"""Latched dangers: they stay 1 until cleared, so one that differs from its last stored value alarms, however late."""

URGENT = HAZARDS | {Kind.SOS}
"""What is committed at once instead of waiting for a group commit."""

VITALS = frozenset(
    {
        Kind.SYSTOLIC,
        Kind.DIASTOLIC,
        Kind.HEART_RATE,
        Kind.SPO2,
        Kind.GLUCOSE,
        Kind.WEIGHT,
        Kind.BODY_TEMPERATURE,
    }
)
"""What is measured on a person. Two alike are two measurements: that the second agrees is what counts."""

CLEARS_BY_ITSELF = frozenset({Kind.MOTION, Kind.PRESENCE, Kind.VIBRATION, Kind.TAP, Kind.BUTTON, Kind.ASSIST, Kind.SOS})
"""Kinds whose return to 0 nobody caused."""

SECOND_EVENT = timedelta(seconds=120)
"""A passive infrared pulse is life only with another event this near to it: one lone pulse is heat, sun or a mouse."""

LATE = timedelta(minutes=5)
"""Heard longer after it happened than this is heard late."""


@dataclass(frozen=True, slots=True, init=False)
class Reading:
    """One thing a sensor said.

    `seq` tells apart what happened in the same millisecond: the device's own counter, or a digest of the
    payload where the device gives its time, or else 0, and then the arrival number stands in. `arrival`
    counts the messages this gateway has taken in, in the order in which it took them.
    """

    home: str
    sensor: str
    room: str
    kind: Kind
    value: float
    at: datetime  # when it happened (UTC)
    heard: datetime  # when it reached us (UTC)
    arrival: int = 0
    seq: int = 0
    late: bool = False  # heard long after it happened, or out of a bridge's memory
    subject: str = ""  # whose pendant, whose bed; empty where the home has one person
    is_event: bool = field(init=False, compare=False, repr=False)
    """Something a person may have done just then: life, and not a sensor that merely cleared."""

    # There are thousands a second, and what is made for a frozen dataclass takes twice as long.
    def __init__(
        self,
        home: str,
        sensor: str,
        room: str,
        kind: Kind,
        value: float,
        at: datetime,
        heard: datetime,
        arrival: int = 0,
        seq: int = 0,
        late: bool = False,
        subject: str = "",
    ) -> None:
        if at.tzinfo is None or heard.tzinfo is None:
            raise ValueError(f"a reading needs aware times: at={at!r} heard={heard!r}")
        _home(self, home)
        _sensor(self, sensor)
        _room(self, room)
        _kind(self, kind)
        _value(self, value)
        _at(self, at)
        _heard(self, heard)
        _arrival(self, arrival)
        _seq(self, seq)
        _late(self, late)
        _subject(self, subject)
        # Nearly every detector asks this of every reading.
        is_change = kind in SIGNS_OF_LIFE and (value != 0 or kind not in CLEARS_BY_ITSELF)
        _is_event(self, is_change and not (late and self.is_undated))

    @property
    def is_undated(self) -> bool:
        """Out of a bridge's memory: we know that it is so, not since when."""
        return self.late and self.heard - self.at <= LATE

    @property
    def is_life(self) -> bool:
        """Somebody caused it, and we know when. What a bridge merely remembers is no sign of life."""
        return self.kind in SIGNS_OF_LIFE and not (self.late and self.is_undated)


_home, _sensor, _room, _kind, _value, _at, _heard, _arrival, _seq, _late, _subject, _is_event = (
    getattr(Reading, one.name).__set__ for one in fields(Reading)
)


def last_sign(newest_first: Iterable[Reading]) -> Reading | None:
    """The newest sign of life among these readings; one lone infrared pulse is none."""
    events = [reading for reading in newest_first if reading.is_event]
    for place, reading in enumerate(events):
        if reading.kind is not Kind.MOTION:
            return reading
        if any(timedelta(0) < reading.at - other.at <= SECOND_EVENT for other in events[place + 1 :]):
            return reading
    return None
