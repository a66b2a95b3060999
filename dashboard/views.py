"""What a page shows, worked out from the stores: pure functions, no clock, no words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from alerts.incident import OUTAGE
from alerts.maintenance import TEST, Work, is_held, work_in
from alerts.routing import people_for, reachable
from alerts.wording import STANDARD
from gateway.domain import (
    HAZARDS,
    SIGNS_OF_LIFE,
    Alert,
    Delivery,
    Duty,
    Gap,
    Home,
    Kind,
    Monitoring,
    Override,
    Person,
    Reading,
    Sensor,
    Severity,
    last_sign,
)
from gateway.ports import AlertStore, Directory, ReadingStore

SILENT_AFTER = 3
"""A home's hub that was not heard for this many of its own intervals is not heard."""
OUT_AFTER = timedelta(minutes=1)
"""This long after the front door without a sign of life inside, the resident counts as out."""
MERGE = timedelta(minutes=15)
"""Movements in one room no further apart than this are told as one stay."""
PULSES = frozenset({Kind.MOTION, Kind.VIBRATION, Kind.TAP, Kind.BUTTON})
LASTING = frozenset({Kind.PRESENCE, Kind.BED, Kind.CHAIR, Kind.APPLIANCE})
PASSAGES = frozenset({Kind.DOOR, Kind.OPENING})
ALARMS = HAZARDS | {Kind.SOS, Kind.ASSIST, Kind.TAMPER}
ALL = 100_000
"""More alerts than a county has unclosed: a limit here would one day hide the newest behind what nobody filed."""
LOOK_BACK = (6, 60)
"""How many of the newest readings are enough to find the last sign of life: mostly a few, and so many where cleared
sensors and lone pulses hide it."""


# --------------------------------------------------------------------------- the list of homes


class Stand(IntEnum):
    """How a home stands, worst first: the order of the list."""

    EMERGENCY = 0  # an alert in which a life may be in danger rings
    RINGING = 1
    TAKEN = 2  # somebody has accepted
    BLIND = 3  # not heard: we do not know
    CARE = 4  # something about the equipment or the trend wants looking at
    PAUSED = 5  # not watched, by decision
    UNKNOWN = 6  # heard, but nothing has moved yet since it was registered
    AWAY = 7
    WELL = 8


@dataclass(frozen=True, slots=True)
class Life:
    """The newest sign of life."""

    at: datetime
    room: str  # the room's name
    kind: Kind
    value: float


@dataclass(frozen=True, slots=True)
class HomeLine:
    """One home in one line."""

    home: Home
    stand: Stand
    since: datetime | None  # when this began, where it is known
    heard: datetime | None  # when any of its hubs spoke last
    life: Life | None
    alert: Alert | None  # the worst that is open
    blind_since: datetime | None  # beside an alert it still matters that we are blind
    to_file: int  # resolved alerts that nobody has filed yet
    gaps: tuple[Gap, ...] = ()  # what cannot be noticed there at present
    work: Work | None = None  # somebody works there


@dataclass(frozen=True, slots=True)
class Overview:
    ringing: tuple[tuple[Alert, Home], ...]  # what is shown large
    lines: tuple[HomeLine, ...]

    @property
    def quiet(self) -> tuple[HomeLine, ...]:
        """The homes that are not shown large already."""
        large = {home.id for alert, home in self.ringing if alert.code != OUTAGE}
        return tuple(line for line in self.lines if line.home.id not in large)

    def line(self, home_id: str) -> HomeLine:
        """The line of a home that is on the list."""
        return next(line for line in self.lines if line.home.id == home_id)

    def count(self, stand: Stand) -> int:
        return sum(line.stand is stand for line in self.lines)


@dataclass(slots=True)
class Lives:
    """The newest sign of life of each home, looked for again only when the home was heard since: a list of hundreds is
    asked for at every event, and from few of its homes anything has come meanwhile."""

    readings: ReadingStore
    _known: dict[str, tuple[Home, datetime | None, Life | None]] = field(default_factory=dict, init=False, repr=False)

    def of(self, home: Home, heard: datetime | None) -> Life | None:
        """What is known when it was last heard at that moment; renamed rooms are said by their new names."""
        known = self._known.get(home.id)
        if known is not None and known[0] is home and known[1] == heard:
            return known[2]
        life = last_life(home, self.readings)
        self._known[home.id] = (home, heard, life)
        return life


def overview(
    homes: Iterable[Home], alerts: AlertStore, readings: ReadingStore, directory: Directory, now: datetime, lives: Lives
) -> Overview:
    """Every home of the list, worst first, and the alerts that ring."""
    homes = list(homes)
    only = homes[0].id if len(homes) == 1 else None  # of one home nobody reads what all the others have
    heard, gaps = readings.heard(only), readings.gaps(only)
    unclosed: dict[str, list[Alert]] = {}
    for alert in alerts.alerts(home=only, unclosed=True, limit=ALL):
        unclosed.setdefault(alert.home, []).append(alert)
    plans = directory.plans((home.id for home in homes), now)
    lines, ringing = [], []
    for home in homes:
        own = unclosed.get(home.id, [])
        if home.state is Monitoring.RETIRED and not any(alert.is_open for alert in own):
            continue
        at = heard.get(home.id)
        blind = blind_spots(gaps.get(home.id, ()))
        lines.append(home_line(home, own, at, lives.of(home, at), plans[home.id], now, blind))
        ringing += [
            (alert, home) for alert in own if alert.is_ringing and not alert.is_muted and is_for_people(alert.severity)
        ]
    lines.sort(key=_order)
    ringing.sort(key=lambda pair: (pair[0].severity.value, pair[0].raised_at))
    return Overview(tuple(ringing), tuple(lines))


def is_for_people(severity: Severity) -> bool:
    """Rings for a person on duty; care hints and equipment wait for daylight."""
    return severity.worse_than(Severity.CARE)


def blind_spots(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """What could be noticed and cannot now; for what nobody has installed anything, the home's own page is enough."""
    return tuple(gap for gap in gaps if gap.why != "sensor_missing")


def is_equipment(alert: Alert) -> bool:
    """Whoever looks after the equipment may see it: a fault, however bad, a dark area, or the test of a device."""
    usual = STANDARD.entry(alert.code).severity
    return Severity.TECHNICAL in (usual, alert.severity) or alert.code in (TEST, OUTAGE)


def home_line(
    home: Home,
    unclosed: Sequence[Alert],
    heard: datetime | None,
    life: Life | None,
    plan: Sequence[Override],
    now: datetime,
    gaps: tuple[Gap, ...] = (),
) -> HomeLine:
    """How one home stands, and since when."""
    own = (alert for alert in unclosed if alert.is_open and not alert.is_muted and alert.code != OUTAGE)
    alert = min(own, key=_gravity, default=None)
    to_file = sum(not alert.is_open for alert in unclosed)
    blind = blind_since(home, heard, now)
    away = away_since(home, plan, life, now)

    def line(stand: Stand, since: datetime | None) -> HomeLine:
        return HomeLine(home, stand, since, heard, life, alert, blind, to_file, gaps, work_in(plan, now))

    if alert is not None and is_for_people(alert.severity):
        if alert.is_ringing:
            return line(Stand.EMERGENCY if alert.severity.is_emergency else Stand.RINGING, alert.raised_at)
        return line(Stand.TAKEN, alert.accepted_at)
    if home.state in (Monitoring.PAUSED, Monitoring.RETIRED, Monitoring.REGISTERED):
        return line(Stand.PAUSED, None)
    if blind is not None:
        return line(Stand.BLIND, blind)
    if alert is not None:
        return line(Stand.CARE, alert.raised_at)
    if away is not None:
        return line(Stand.AWAY, away)
    if life is None:
        return line(Stand.UNKNOWN, None)
    return line(Stand.WELL, life.at)


def _gravity(alert: Alert) -> tuple[bool, bool, int, datetime]:
    """What makes one open alert of a home matter more than another: for people, ringing, severe, old."""
    return (not is_for_people(alert.severity), not alert.is_ringing, alert.severity.value, alert.raised_at)


def _order(line: HomeLine) -> tuple[int, int, float, str]:
    severity = line.alert.severity.value if line.alert else 9
    since = line.since.timestamp() if line.since and line.stand is not Stand.WELL else 0.0
    return (line.stand, severity, since, line.home.code)


def last_life(home: Home, readings: ReadingStore) -> Life | None:
    """The newest sign of life, by the detectors' own rule: a sensor that clears, or one lone pulse, is passed over."""
    for many in LOOK_BACK:
        newest = readings.newest(home.id, SIGNS_OF_LIFE, many)
        if not newest:
            return None
        reading = last_sign(newest)
        if reading is not None or len(newest) < many:
            break
    reading = reading or newest[0]
    return Life(reading.at, room_name(home, reading.room), reading.kind, reading.value)


def blind_since(home: Home, heard: datetime | None, now: datetime) -> datetime | None:
    """Since when we do not hear this home; None while we hear it, or when it has promised nothing.

    A home of which nothing was ever heard is blind since for ever: the epoch says so.
    """
    interval = home.interval
    if interval is None:
        return None
    if heard is None:
        return datetime.fromtimestamp(0, tz=now.tzinfo)
    return heard if now - heard > SILENT_AFTER * interval else None


def away_since(home: Home, plan: Sequence[Override], life: Life | None, now: datetime) -> datetime | None:
    """Since when the resident is out: declared, or the front door and then nothing inside."""
    declared = next((line.since for line in plan if line.key == "absence"), None)
    if declared is not None:
        return declared
    if life is None or not home.exit_doors or life.kind is not Kind.DOOR:
        return None
    return life.at if now - life.at >= OUT_AFTER else None


def room_name(home: Home, room: str) -> str:
    found = home.room(room)
    return found.name if found else room


# --------------------------------------------------------------------------- a day on a ribbon


@dataclass(frozen=True, slots=True)
class Stay:
    """A stretch of time with signs of life of one sort in one room; a moment where it has no length."""

    start: datetime
    end: datetime
    room: str  # id
    sensor: str  # id, where one sensor tells it
    kind: Kind
    value: float = 1.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """A stay drawn: minutes from the ribbon's left edge."""

    x: float
    width: float
    kind: str  # "life", "door", "danger" or "hole"


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    blocks: tuple[Block, ...]
    is_door: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """An hour on the ribbon's scale."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A day of one home: a row for each room and one for the front door, with what we could not see greyed."""

    start: datetime
    end: datetime
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...]
    minutes: float
    now_x: float | None


THINNEST = 9.0
"""A moment is drawn this many minutes wide, so that it can be seen on a phone."""


def stays(readings: Iterable[Reading]) -> list[Stay]:
    """One day's readings as stretches of life, doors and dangers, in order of their beginning."""
    told: list[Stay] = []
    running: dict[tuple[str, Kind], Stay] = {}  # by room and kind: the stay that may still go on
    alarms: set[tuple[str, Kind]] = set()
    for reading in readings:
        if reading.kind in PASSAGES:
            told.append(_moment(reading))
        elif reading.kind in ALARMS:
            # That a danger is over is worth a line only after it was there; sensors report their rest all day long.
            alarm = (reading.sensor, reading.kind)
            if reading.value or alarm in alarms:
                told.append(_moment(reading))
            alarms.add(alarm) if reading.value else alarms.discard(alarm)
        elif reading.kind in LASTING:
            _lasting(reading, running, told)
        elif reading.kind in PULSES and reading.value:
            _pulse(reading, running, told)
    told += running.values()
    told.sort(key=lambda stay: (stay.start, stay.room))
    return told


def _moment(reading: Reading) -> Stay:
    return Stay(reading.at, reading.at, reading.room, reading.sensor, reading.kind, reading.value)


def _pulse(reading: Reading, running: dict[tuple[str, Kind], Stay], told: list[Stay]) -> None:
    key = (reading.room, reading.kind)
    before = running.get(key)
    if before is not None and reading.at - before.end <= MERGE:
        running[key] = Stay(before.start, reading.at, before.room, "", before.kind, 1.0, before.count + 1)
        return
    if before is not None:
        told.append(before)
    running[key] = _moment(reading)


def _lasting(reading: Reading, running: dict[tuple[str, Kind], Stay], told: list[Stay]) -> None:
    key = (f"{reading.room}/{reading.sensor}", reading.kind)
    before = running.pop(key, None)
    if before is not None:
        told.append(Stay(before.start, reading.at, before.room, before.sensor, before.kind, 1.0))
    elif not reading.value:
        told.append(_moment(reading))
    if reading.value:
        running[key] = _moment(reading)


def holes(readings: Iterable[Reading], blind: datetime | None, now: datetime) -> list[tuple[datetime, datetime]]:
    """When the home was not heard: each return names the length of its hole, and one may still be going on."""
    found = [(r.at - timedelta(seconds=r.value), r.at) for r in readings if r.kind is Kind.RETURNED and r.value > 0]
    if blind is not None:
        found.append((blind, now))
    return found


def ribbon(
    home: Home, readings: Sequence[Reading], blind: datetime | None, start: datetime, end: datetime, now: datetime
) -> Ribbon:
    """A day drawn: which room and when, the front door, and what we could not see."""
    minutes = (end - start).total_seconds() / 60

    def block(begin: datetime, finish: datetime, kind: str) -> Block | None:
        left = max(0.0, (begin - start).total_seconds() / 60)
        right = min(minutes, (finish - start).total_seconds() / 60)
        if right < 0 or left > minutes:
            return None
        wide = right - left if kind == "hole" else max(right - left, THINNEST)
        return Block(round(min(left, minutes - wide), 1), round(wide, 1), kind)

    dark = [b for begin, finish in holes(readings, blind, now) if (b := block(begin, finish, "hole"))]
    told = stays(readings)
    doors = [s for s in told if s.kind is Kind.DOOR]
    rooms: dict[str, list[Block]] = {room.id: [] for room in home.rooms}
    for stay in told:
        if stay.kind is Kind.DOOR:
            continue
        kind = "life" if stay.kind in SIGNS_OF_LIFE and stay.kind is not Kind.SOS else "danger"
        # Something still going on (in bed) reaches to now; a stay that ended reaches to its end.
        finish = min(now, end) if stay.kind in LASTING and stay.end == stay.start and stay.value else stay.end
        if (kind == "danger" and not stay.value) or not (drawn := block(stay.start, finish, kind)):
            continue
        rooms.setdefault(stay.room, []).append(drawn)
    rows = [
        Row(room_name(home, room), tuple(dark + blocks)) for room, blocks in rooms.items() if blocks or home.room(room)
    ]
    if home.exit_doors or doors:
        drawn_doors = [b for stay in doors if stay.value and (b := block(stay.start, stay.end, "door"))]
        rows.append(Row("", tuple(dark + drawn_doors), is_door=True))
    return Ribbon(
        start=start,
        end=end,
        rows=tuple(rows),
        marks=_marks(home, start, end),
        minutes=minutes,
        now_x=round((now - start).total_seconds() / 60, 1) if start <= now < end else None,
    )


def _marks(home: Home, start: datetime, end: datetime) -> tuple[Mark, ...]:
    """Every third hour of the home's own clock; days with 23 or 25 hours come out right."""
    marks = []
    moment = start.replace(minute=0, second=0, microsecond=0)
    while moment <= end:
        local = moment.astimezone(home.zone)
        if moment >= start and local.hour % 3 == 0 and local.minute == 0:
            marks.append(Mark(round((moment - start).total_seconds() / 60, 1), f"{local:%H}"))
        moment += timedelta(hours=1)
    return tuple(marks)


# --------------------------------------------------------------------------- sensors


@dataclass(frozen=True, slots=True)
class SensorLine:
    sensor: Sensor
    room: str
    heard: datetime | None
    battery: float | None
    unreachable: bool


def sensor_lines(home: Home, readings: Iterable[Reading]) -> list[SensorLine]:
    """Each registered sensor with when it last said anything, the longest silent first."""
    heard: dict[str, datetime] = {}
    battery: dict[str, float] = {}
    available: dict[str, float] = {}
    for reading in readings:
        heard[reading.sensor] = max(reading.heard, heard.get(reading.sensor, reading.heard))
        if reading.kind is Kind.BATTERY:
            battery[reading.sensor] = reading.value
        elif reading.kind is Kind.AVAILABLE:
            available[reading.sensor] = reading.value
    lines = [
        SensorLine(
            sensor,
            room_name(home, sensor.room),
            heard.get(sensor.id),
            battery.get(sensor.id),
            available.get(sensor.id) == 0,
        )
        for sensor in home.sensors
    ]
    lines.sort(key=lambda line: (line.heard is not None, line.heard.timestamp() if line.heard else 0.0, line.sensor.id))
    return lines


# --------------------------------------------------------------------------- an alert


@dataclass(frozen=True, slots=True)
class NextStep:
    """Whom the ladder calls next, and when."""

    at: datetime
    duty: Duty
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery with its person's name."""

    delivery: Delivery
    name: str


@dataclass(frozen=True, slots=True)
class AlertView:
    alert: Alert
    home: Home | None
    owner: str  # the name of who accepted
    told: tuple[Told, ...]
    next: NextStep | None
    life: Life | None
    blind: datetime | None


def alert_view(
    alert: Alert,
    deliveries: Sequence[Delivery],
    directory: Directory,
    readings: ReadingStore,
    now: datetime,
) -> AlertView:
    """Everything one needs to know about an alert to go, or to leave it to who has it."""
    home = directory.home(alert.home)
    return AlertView(
        alert=alert,
        home=home,
        owner=person_name(directory, alert.owner) if alert.owner else "",
        told=tuple(Told(d, person_name(directory, d.person)) for d in deliveries),
        next=next_step(alert, home, directory),
        life=last_life(home, readings) if home else None,
        blind=blind_since(home, readings.heard(home.id).get(home.id), now) if home else None,
    )


def next_step(alert: Alert, home: Home | None, directory: Directory) -> NextStep | None:
    """The next rung that has anybody on it, while the alert rings; an empty one uses up nobody's minutes."""
    if not alert.is_ringing or alert.next_at is None or not alert.ladder.rungs or is_held(alert) or alert.is_muted:
        return None
    rungs = alert.ladder.rungs
    left = rungs[alert.rung :]
    for number, rung in enumerate((*left, *rungs)):  # when nobody is left on this round's, the next round begins
        for duty in rung.duties:
            if duty is Duty.ELDER and (alert.round or alert.coordinator or number >= len(left)):
                continue  # asked in the first round only
            people = tuple(p for p in people_for(duty, home, directory, alert.next_at) if p.id != alert.coordinator)
            if reachable(people):
                return NextStep(alert.next_at, duty, people)
    return NextStep(alert.next_at, rungs[0].duty, ())


def person_name(directory: Directory, person: str) -> str:
    found = directory.person(person)
    return found.name if found else person
