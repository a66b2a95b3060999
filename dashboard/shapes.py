"""What other programs are answered with: the shapes of the OpenAPI document. Moments are ISO 8601, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.domain import Monitoring, Outcome, State

Words = Mapping[str, str]
"""The same in every language, by "zh" and "en"."""


@dataclass(frozen=True)
class SignShape:
    """The newest sign of life."""

    at: str
    room: str
    kind: str


@dataclass(frozen=True)
class HomeShape:
    """A home as its line on the list says it.

    `stand`, worst first: emergency, ringing, taken, blind (not heard: nothing is known), care, paused, unknown, away,
    well.
    """

    id: str
    code: str
    name: str
    address: str
    grid: str
    zone: str
    state: Monitoring
    person: str
    stand: Literal["emergency", "ringing", "taken", "blind", "care", "paused", "unknown", "away", "well"]
    since: str | None
    heard: str | None
    last_sign: SignShape | None
    blind_since: str | None
    alert: str | None
    learning_until: str | None


@dataclass(frozen=True)
class HomesShape:
    homes: list[HomeShape]
    next: str | None


@dataclass(frozen=True)
class GapShape:
    """One thing that cannot be noticed: the code of the alert, and why."""

    what: str
    why: str
    since: str
    room: str
    sensor: str


@dataclass(frozen=True)
class CoverageShape:
    home: str
    state: Monitoring
    complete: bool
    blind: bool
    heard: str | None
    learning_until: str | None
    statement: Words
    gaps: list[GapShape]


@dataclass(frozen=True)
class DeviceShape:
    """`functions` (when each function last spoke) tells of somebody's day: installers and tokens without `days:read`
    are not told."""

    sensor: str
    name: str
    room: str
    role: str
    model: str
    power: str
    heard: str | None
    battery: float | None
    empty_at: str | None
    link: float | None
    faults: list[str]
    functions: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class DevicesShape:
    home: str
    devices: list[DeviceShape]


@dataclass(frozen=True)
class StayShape:
    """A stretch with signs of life of one sort in one room; a moment where it has no length."""

    start: str
    end: str
    room: str
    sensor: str
    kind: str
    value: float
    count: int


@dataclass(frozen=True)
class HoleShape:
    """The home was not heard, so nothing is known of this time."""

    start: str
    end: str


@dataclass(frozen=True)
class DayShape:
    home: str
    start: str
    end: str
    stays: list[StayShape]
    holes: list[HoleShape]


@dataclass(frozen=True)
class PlanLineShape:
    """One line: what holds here instead of the usual, of the home itself, its grid or an area around it."""

    scope: Literal["home", "grid", "area"]
    place: str
    key: str
    value: str
    since: str
    until: str | None
    author: str
    reason: str


@dataclass(frozen=True)
class PlanShape:
    home: str
    lines: list[PlanLineShape]


@dataclass(frozen=True)
class PlacePlanShape:
    place: str
    lines: list[PlanLineShape]


@dataclass(frozen=True)
class ContactShape:
    person: str
    name: str
    relation: str
    hours: str
    is_far: bool
    phones: list[str]


@dataclass(frozen=True)
class ContactsShape:
    home: str
    contacts: list[ContactShape]


@dataclass(frozen=True)
class DutyShape:
    duty: str
    place: str


@dataclass(frozen=True)
class PersonShape:
    id: str
    name: str
    duties: list[DutyShape]


@dataclass(frozen=True)
class PeopleShape:
    people: list[PersonShape]
    next: str | None


@dataclass(frozen=True)
class ClockShape:
    step: str
    due_at: str
    done_at: str | None


@dataclass(frozen=True)
class AlertShape:
    """`at` has the moment of each step that was taken: raised, notified, accepted, en_route, on_site, resolved …"""

    id: str
    home: str
    code: str
    subject: str
    severity: int
    state: State
    owner: str
    coordinator: str
    outcome: Outcome | None
    judgement: str | None
    note: str
    count: int
    at: Mapping[str, str | None]
    clocks: list[ClockShape]


@dataclass(frozen=True)
class AlertsShape:
    alerts: list[AlertShape]
    next: str | None


@dataclass(frozen=True)
class TimelineLineShape:
    """A line in words; with it stands what the line is about (`sensor`, `what`, `message` …)."""

    at: str
    sort: Literal["reading", "decision", "message", "person"]
    text: Words


@dataclass(frozen=True)
class MessageShape:
    id: str
    purpose: str
    person: str
    channel: str
    duty: str | None
    stage: str
    attempts: int
    reason: str
    at: Mapping[str, str | None]


@dataclass(frozen=True)
class NamedShape:
    person: str
    name: str


@dataclass(frozen=True)
class TimelineShape:
    alert: AlertShape
    timeline: list[TimelineLineShape]
    messages: list[MessageShape]
    people: list[NamedShape]


@dataclass(frozen=True)
class DoneShape:
    """What an act did. `reason` is the desk's own code: done, yours (it was so already), coordinates …"""

    done: bool
    reason: str
    ref: str
    state: str


@dataclass(frozen=True)
class ImportShape:
    """What an import changed; with `check=true` what it would change."""

    said: str
    changed: bool
    homes: list[str]


@dataclass(frozen=True)
class ShareShape:
    """So many of so many."""

    part: int
    whole: int


@dataclass(frozen=True)
class FigureShape:
    """One grid in one month; "" is all of them. `answered` is within 60 and 180 seconds, `arrived` within 15 and 30
    minutes."""

    grid: str
    alerts: int
    answered: list[ShareShape]
    arrived: list[ShareShape]
    false: ShareShape
    looked_in: ShareShape
    breached: ShareShape
    answer_seconds: float | None
    arrival_seconds: float | None


@dataclass(frozen=True)
class FiguresShape:
    month: str
    grids: list[FigureShape]


@dataclass(frozen=True)
class WayShape:
    """One way to reach one person, and what its last test said; the address itself is not told."""

    person: str
    name: str
    channel: str
    standing: str
    tested_at: str | None


@dataclass(frozen=True)
class ButtonShape:
    home: str
    sensor: str
    name: str
    tested_at: str | None
    is_due: bool


@dataclass(frozen=True)
class DrillsShape:
    ways: list[WayShape]
    buttons: list[ButtonShape]
    next: str | None


@dataclass(frozen=True)
class UnreadShape:
    topic: str
    reason: str
    hub: str
    detail: str
    at: str
    size: int
    count: int


@dataclass(frozen=True)
class QuarantineShape:
    unread: list[UnreadShape]
