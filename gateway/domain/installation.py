"""What an installer did in a home, and the record that is kept of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.device import Gap
from gateway.domain.home import Room, Sensor


class Leaving(StrEnum):
    """Why a household is no longer watched: 搬迁, 住院, 离世, 入住养老机构, 撤回同意."""

    MOVED = "moved"
    HOSPITAL = "hospital"
    DIED = "died"
    NURSING_HOME = "nursing_home"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """How one device stood when it was put up, replaced or tried out: one line each time, none overwritten."""

    home: str
    sensor: str
    at: datetime
    by: str
    link: float | None = None  # link quality at its place, 0..255
    battery: float | None = None  # percent
    passed: bool | None = None  # what the walk test said; None: not tried yet
    note: str = ""
    photo: str = ""  # the name of a picture that shows where it hangs, for whoever changes its battery


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A test alert, and how far it came: from the press to a person who accepted it."""

    sensor: str
    pressed_at: datetime
    person: str = ""  # to whom it was sent
    sent_at: datetime | None = None
    accepted_by: str = ""
    accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commissioning:
    """The record of a home's commissioning: what hangs there and passed, who agreed, and what cannot be seen.

    Household, rooms and sensors are copies, so that the record still says what was signed when they have changed.
    """

    home: str
    at: datetime
    by: str
    code: str = ""
    name: str = ""
    address: str = ""
    rooms: tuple[Room, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    trials: tuple[Trial, ...] = ()
    rows: tuple[Installation, ...] = ()
    consent: int | None = None  # the consent's number
    signature: str = ""  # as it was drawn: an SVG path or PNG data, as text
    learning_until: datetime | None = None
    gaps: tuple[Gap, ...] = ()
