"""What is known of the equipment, and what a home therefore cannot see."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.reading import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How one device is, as supervision knows it: for pages and for whoever drives out to it."""

    home: str
    sensor: str
    heard: datetime | None = None  # by any message
    functions: tuple[tuple[Kind, datetime], ...] = ()  # each function of it: when it last said something new
    battery: float | None = None  # percent, whatever the device itself counts in
    empty_at: datetime | None = None  # where the learnt slope of its battery ends
    link: float | None = None  # usual link quality, 0..255
    faults: tuple[str, ...] = ()  # codes: "offline", "mute", "stuck", "chatter", "battery_low", "link_weak" …


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that cannot be noticed in a home, since when and why: a line of its coverage statement.

    `what` is the code of the alert that cannot be raised ("fall", "inactivity", "sos" …); `why` a code such as
    "sensor_silent", "sensor_missing", "sensor_stuck", "hub_silent", "maintenance".
    """

    home: str
    what: str
    why: str
    since: datetime
    room: str = ""
    sensor: str = ""
