"""Recorded homes: the files that research has published, read as readings of a home that is inferred from them.

A recording is read twice: once to see which sensors there are, once to be lived through; it is never held in memory.
A line that cannot be read is counted and reported, never fatal. Recorders wrote the local wall clock without a zone;
the hour that a clock change repeats is told apart by the order of the lines.
"""

import csv
import gzip
import heapq
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from detectors import Watch
from gateway.domain import Finding, Home, Hub, Kind, Reading, Role, Room, RoomKind, Sensor
from gateway.ports import Context
from simulators.speech import Publication, encoded, heartbeat

LONGEST_LINE = 16 * 1024
"""Characters. Nothing that a recorder writes is longer; what is, is no line of a recording."""

DISORDER = timedelta(hours=1)
"""How much later than its neighbours a line may stand in the file and still be put in its place."""

HELD_AT_MOST = 50_000
"""Lines held back to be put in order; a file whose clock stands still must not fill the memory."""

EXAMPLES = 20
"""How many unreadable lines are remembered word by word."""

HEARTBEATS_LOOKED_AT = 5_000


class RecordingError(ValueError):
    """There is nothing in this file that could be lived through."""


# --------------------------------------------------------------------------- what a line says


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a line says. `kind` None: nothing but that the device, or (no device) time, goes on."""

    at: datetime
    device: str
    kind: Kind | None
    value: float
    line: int
    place: str = ""


@dataclass(slots=True)
class Unread:
    """Lines that could not be read: how many, why, and some of them."""

    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str, str]] = field(default_factory=list)  # line, reason, text

    @property
    def count(self) -> int:
        return self.reasons.total()

    def note(self, line: int, reason: str, text: str) -> None:
        self.reasons[reason] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((line, reason, text[:120]))


class BadLine(ValueError):
    """Why a line cannot be read, in a few words that can be counted."""


class WallClock:
    """Turns a recorder's local times into moments, line after line."""

    TOLERANCE = timedelta(minutes=10)
    """A line this much earlier than the one before is out of order; one earlier still is after the clock went back."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._last: datetime | None = None
        self._went_back = False  # within the repeated hour: it is the second time

    def moment(self, text: str) -> datetime:
        stamp = _stamp(text)
        first, second = self._both(stamp)
        not_before = self._last and self._last - self.TOLERANCE
        self._went_back = second > first and (self._went_back or (not_before is not None and first < not_before))
        at = second if self._went_back else first
        if self._last is None or at > self._last:
            self._last = at
        return at

    def moment_after(self, text: str, begin: datetime) -> datetime:
        """The end of something that began then."""
        end, second = self._both(_stamp(text))
        if end < begin <= second:
            end = second
        if end < begin:
            raise BadLine("ends before it begins")
        return end

    def _both(self, stamp: datetime) -> tuple[datetime, datetime]:
        """The moment, twice; or the two moments at which a clock that is set back shows this time."""
        if stamp.tzinfo is not None:
            first = second = stamp.astimezone(UTC)
        else:
            first, second = (stamp.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        # An hour that never was has its two readings the other way round; the first keeps the order of the lines.
        return _to_ms(first), _to_ms(max(first, second))


def _stamp(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise BadLine("no time") from None


def _to_ms(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


# --------------------------------------------------------------------------- formats

Line = tuple[int, str]
Format = Callable[[Iterator[Line], WallClock, frozenset[str], Unread], Iterator[Entry]]
"""Reads lines, in the order of the file, and notes those it cannot read."""

ON, OFF = (
    frozenset({"ON", "OPEN", "PRESENT", "1", "TRUE"}),
    frozenset({"OFF", "CLOSE", "CLOSED", "ABSENT", "0", "FALSE"}),
)

EXIT_WORDS = ("frontdoor", "outsidedoor", "mainentry", "maindoor", "entrydoor", "exit")
"""What recorders call the door of the home, where nobody says which it is."""


def _flag(word: str) -> float | None:
    upper = word.upper()
    return 1.0 if upper in ON else 0.0 if upper in OFF else None


def read_casas(lines: Iterator[Line], clock: WallClock, exits: frozenset[str], unread: Unread) -> Iterator[Entry]:
    """`date time [area] sensor value [label …]`, separated by blanks, tabs or commas."""
    for number, text in lines:
        words = text.replace(",", " ").split()
        if not words:
            continue
        try:
            if len(words) < 4:
                raise BadLine("too few fields")
            at = clock.moment(f"{words[0]} {words[1]}")
            column = next((c for c in range(3, min(len(words), 6)) if _VALUE.fullmatch(words[c].upper())), None)
            if column is None:
                raise BadLine("no value")
            names = dict.fromkeys(words[2:column])
            kind, value = _casas_meaning(names, words[column].upper(), exits)
        except BadLine as bad:
            unread.note(number, str(bad), text)
            continue
        yield Entry(at, "/".join(names), kind, value, number, next(iter(names)))


_VALUE = re.compile(r"ON|OFF|OPEN|CLOSED?|PRESENT|ABSENT|-?\d+(\.\d+)?%?")


def _casas_meaning(names: Iterable[str], word: str, exits: frozenset[str]) -> tuple[Kind, float]:
    """CASAS names tell the sort of sensor: M motion, D door, T temperature, LS light level, BAT battery."""
    parts = list(names)
    sensor = parts[-1].upper()
    flag = _flag(word)
    if _is_exit(parts, exits, is_contact=word.startswith(("OPEN", "CLOSE"))):
        if flag is None:
            raise BadLine("a door that is neither open nor closed")
        return Kind.DOOR, flag
    number = re.fullmatch(r"(-?\d+(?:\.\d+)?)%?", word)
    if number is not None and not re.match(r"(M|MA|D|L)\d", sensor):
        measured = float(number[1])
        if sensor.startswith("BATV"):
            return Kind.VOLTAGE, measured / 1000
        if sensor.startswith("BATP"):
            return Kind.BATTERY, measured
        if sensor.startswith("LS") or "LIGHT" in sensor:
            return Kind.ILLUMINANCE, measured
        if sensor.startswith("T") or "TEMP" in sensor:
            return Kind.TEMPERATURE, measured
        raise BadLine("a number from a sensor of unknown sort")
    if number is not None:
        flag = float(float(number[1]) > 0)  # a light switch says 0 or 100
    if flag is None:
        raise BadLine("no value")
    if word.startswith(("OPEN", "CLOSE")) or re.match(r"D\d", sensor):
        return Kind.OPENING, flag
    if re.match(r"L\d", sensor):
        return Kind.APPLIANCE, flag
    return Kind.MOTION, flag


def read_ordonez(lines: Iterator[Line], clock: WallClock, exits: frozenset[str], unread: Unread) -> Iterator[Entry]:
    """`start end location type place`, separated by tabs in any number, under two lines of headings."""
    for number, text in lines:
        words = [word.strip() for word in text.split("\t") if word.strip()]
        if not words or (number <= 2 and not words[0][0].isdigit()):
            continue
        try:
            if len(words) < 4:
                raise BadLine("too few fields")
            begin = clock.moment(words[0])
            end = clock.moment_after(words[1], begin)
        except BadLine as bad:
            unread.note(number, str(bad), text)
            continue
        location, sort = words[2], words[3]
        place = words[4] if len(words) > 4 else ""
        if _is_exit([location], exits, is_contact=True):
            kind = Kind.DOOR
        else:
            kind = _ORDONEZ.get(location.lower()) or _ORDONEZ.get(sort.lower(), Kind.APPLIANCE)
        device = "/".join(words[2:])
        yield Entry(begin, device, kind, 1.0, number, place)
        yield Entry(end, device, kind, 0.0, number, place)


_ORDONEZ = {"bed": Kind.BED, "seat": Kind.CHAIR, "pir": Kind.MOTION, "magnetic": Kind.OPENING}


def read_kasteren(lines: Iterator[Line], clock: WallClock, exits: frozenset[str], unread: Unread) -> Iterator[Entry]:
    """`dd-Mon-yyyy hh:mm:ss`, the same for the end, and the sensor's number, separated by tabs."""
    for number, text in lines:
        words = [word.strip() for word in text.split("\t") if word.strip()]
        if not words:
            continue
        try:
            if len(words) < 3:
                raise BadLine("too few fields")
            begin = clock.moment(_english(words[0]))
            end = clock.moment_after(_english(words[1]), begin)
        except BadLine as bad:
            unread.note(number, str(bad), text)
            continue
        device = f"s{words[2]}"
        kind = Kind.DOOR if exits & {device, words[2]} else Kind.OPENING
        yield Entry(begin, device, kind, 1.0, number)
        yield Entry(end, device, kind, 0.0, number)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _english(text: str) -> str:
    """`25-Feb-2008 00:20:14` as an ISO date; not by `strptime`, which asks the machine for its language."""
    match = re.fullmatch(r"(\d\d?)-([A-Za-z]{3})-(\d{4}) +(\S+)", text)
    if match is None or match[2].lower() not in _MONTHS:
        raise BadLine("no time")
    return f"{match[3]}-{_MONTHS.index(match[2].lower()) + 1:02}-{int(match[1]):02} {match[4]}"


def read_stream(lines: Iterator[Line], clock: WallClock, exits: frozenset[str], unread: Unread) -> Iterator[Entry]:
    """`time,device,kind,value`: a home's stream as our evaluation writes it; heartbeats and ticks pass the time."""
    for number, text in lines:
        words = next(csv.reader([text])) if '"' in text else text.split(",")
        if not text.strip() or (number == 1 and words[0].strip().lower() == "time"):
            continue
        try:
            if len(words) < 3:
                raise BadLine("too few fields")
            at = clock.moment(words[0].strip())
            device, sort, word = words[1].strip(), words[2].strip().lower(), words[3].strip() if len(words) > 3 else ""
            if sort == "tick":
                yield Entry(at, "", None, 0.0, number)
                continue
            if not device:
                raise BadLine("no device")
            if sort == "heartbeat":
                yield Entry(at, device, None, 1.0, number, word)
                continue
            kind = Kind.DOOR if device in exits else _STREAM.get(sort)
            if kind is None:
                raise BadLine("unknown kind")
            value = _flag(word) if word else 1.0
            if value is None:
                value = _number(word)
        except BadLine as bad:
            unread.note(number, str(bad), text)
            continue
        yield Entry(at, device, kind, value, number)


_STREAM = {kind.value: kind for kind in Kind if kind is not Kind.RETURNED} | {
    "water": Kind.TAP,  # somebody drew some, whatever the amount
    "light": Kind.APPLIANCE,
}


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise BadLine("no value") from None


def _is_exit(names: Sequence[str], exits: frozenset[str], *, is_contact: bool) -> bool:
    if exits:
        return "/".join(names) in exits or any(name in exits for name in names)
    return is_contact and any(word in name.lower().replace("_", "") for word in EXIT_WORDS for name in names)


def read_diary(lines: Iterator[Line], clock: WallClock, exits: frozenset[str], unread: Unread) -> Iterator[Entry]:
    """`number,activity,date of its end,begin,end,…` under a heading: what somebody wrote down of a day."""
    for number, text in lines:
        words = text.split(",")
        if not text.strip() or (number == 1 and not words[0].isdigit()):
            continue
        try:
            if len(words) < 5:
                raise BadLine("too few fields")
            # The date stands for itself; that of the two times is none.
            day, begin_of_day, end_of_day = words[2][:10], words[3][11:], words[4][11:]
            if begin_of_day > end_of_day:
                begin = clock.moment(f"{_day_before(day)} {begin_of_day}")
            else:
                begin = clock.moment(f"{day} {begin_of_day}")
            end = clock.moment_after(f"{day} {end_of_day}", begin)
        except BadLine as bad:
            unread.note(number, str(bad), text)
            continue
        is_exit = words[1] in exits or words[1] in ("Leave_Home", "Enter_Home")
        yield Entry(begin, words[1], Kind.DOOR if is_exit else Kind.MOTION, 1.0, number)
        yield Entry(end, words[1], Kind.DOOR if is_exit else Kind.MOTION, 1.0 if is_exit else 0.0, number)


def _day_before(day: str) -> str:
    return (_stamp(day) - timedelta(days=1)).date().isoformat()


FORMATS: dict[str, Format] = {
    "casas": read_casas,
    "ordonez": read_ordonez,
    "kasteren": read_kasteren,
    "stream": read_stream,
    "diary": read_diary,
}
"""A new format is one function and one line here."""


# --------------------------------------------------------------------------- a recording


@dataclass(frozen=True, slots=True)
class Row:
    """Time has come to `at`; and, unless this only passes the time, a sensor said something."""

    at: datetime
    reading: Reading | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A home that was recorded: who it is, how long, how much of it could be read, and its life in order of time."""

    path: Path
    home: Home
    first: datetime
    last: datetime
    entries: int
    unread: Unread
    _format: Format
    _exits: frozenset[str]

    def rows(self) -> Iterator[Row]:
        """Everything in order of time, streamed from the file. A heartbeat is an *available* reading: not life."""
        ids = {sensor.name: sensor for sensor in self.home.sensors}
        home = self.home.id
        unread = Unread()  # noted when the home was inferred
        entries = self._format(_lines(self.path, unread), WallClock(self.home.zone), self._exits, unread)
        for arrival, entry in enumerate(_in_order(entries), 1):
            sensor = ids.get(entry.device)
            if sensor is None:
                yield Row(entry.at, None)
                continue
            kind = entry.kind or Kind.AVAILABLE
            yield Row(
                entry.at,
                Reading(home, sensor.id, sensor.room, kind, entry.value, entry.at, entry.at, arrival, entry.line),
            )

    def readings(self) -> Iterator[Reading]:
        return (row.reading for row in self.rows() if row.reading is not None)

    def as_publications(self, shift: timedelta = timedelta(0)) -> Iterator[Publication]:
        """The same through a broker, as a plain hub would say it, dated `shift` later than it was recorded."""
        hub = self.home.hubs[0].id
        address = {sensor.id: sensor.address for sensor in self.home.sensors}
        for reading in self.readings():
            at = reading.at + shift
            if reading.kind is Kind.AVAILABLE:
                yield heartbeat(hub, (at - _EPOCH) // timedelta(milliseconds=1))
                continue
            value = int(reading.value) if reading.value == int(reading.value) else reading.value
            when = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            said = {"kind": reading.kind.value, "value": value, "at": when, "seq": reading.seq}
            topic = f"shouwang/{hub}/plain/{address[reading.sensor]}"
            yield Publication(at, topic, encoded(said), hub)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_recording(
    path: Path, format: str, *, zone: ZoneInfo, home: str = "", exits: Iterable[str] = (), hub: str = ""
) -> Recording:
    """Look a recording through and infer its home. Raises RecordingError when nothing in it can be read."""
    if format not in FORMATS:
        raise RecordingError(f"there is no format {format!r}; there are {', '.join(FORMATS)}")
    if not path.is_file():
        raise RecordingError(f"there is no file {path}")
    doors = frozenset(exits)
    unread, survey = Unread(), _Survey()
    for entry in FORMATS[format](_lines(path, unread), WallClock(zone), doors, unread):
        survey.take(entry)
    if survey.first is None or survey.last is None:
        why = "; ".join(f"line {n}: {reason}: {text!r}" for n, reason, text in unread.examples[:3]) or "it is empty"
        raise RecordingError(f"{path} holds no line that can be read as {format}: {why}")
    name = home or path.name.split(".")[0]
    recording = Recording(
        path=path,
        home=survey.home(name, zone, hub or _slug(name)),
        first=survey.first,
        last=survey.last,
        entries=survey.entries,
        unread=unread,
        _format=FORMATS[format],
        _exits=doors,
    )
    unknown = doors - {
        part for device in survey.devices for part in (device, device.removeprefix("s"), *device.split("/"))
    }
    if unknown:
        known = ", ".join(sorted(survey.devices))
        raise RecordingError(f"{path} has no sensor {', '.join(sorted(unknown))} to be the entry door; it has {known}")
    return recording


def replay(recording: Recording, watch: Watch, context: Context | None = None) -> Iterator[Finding]:
    """Live through a recording: what the watch finds, each at its own moment, even between two rows."""
    context = context or Context()
    for row in recording.rows():
        yield from pass_time(watch, row.at, context)
        if row.reading is not None:
            marker = watch.hear(row.at, row.reading.arrival)
            if marker is not None:
                yield from watch.observe(marker, context)
            yield from watch.observe(row.reading, context)
    yield from watch.tick(recording.last, context)


def pass_time(watch: Watch, until: datetime, context: Context) -> Iterator[Finding]:
    """Tick a watch whenever something falls due, up to and including `until`."""
    before: datetime | None = None
    while (due := watch.due()) is not None and due <= until:
        if before is not None and due <= before:  # it waits for something else than time
            return
        yield from watch.tick(due, context)
        before = due


# --------------------------------------------------------------------------- reading in order


def _lines(path: Path, unread: Unread) -> Iterator[Line]:
    number = 0
    with _open(path) as file:
        try:
            while text := file.readline(LONGEST_LINE):
                number += 1
                if len(text) == LONGEST_LINE and not text.endswith("\n"):
                    unread.note(number, "too long", text)
                    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                        pass
                    continue
                yield number, text.rstrip("\r\n").lstrip("\ufeff")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:  # a download that broke off
            unread.note(number + 1, "the packed file is damaged", str(error))


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open(encoding="utf-8", errors="replace", newline="")


def _in_order(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Put in their place what stands too late in the file, and the ends of what lasted."""
    waiting: list[tuple[datetime, int, Entry]] = []
    newest = datetime.min.replace(tzinfo=UTC) + DISORDER
    for number, entry in enumerate(entries):
        if entry.at > newest and not _lies_ahead(entry):
            newest = entry.at
        heapq.heappush(waiting, (entry.at, number, entry))
        while waiting and (waiting[0][0] <= newest - DISORDER or len(waiting) > HELD_AT_MOST):
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _lies_ahead(entry: Entry) -> bool:
    """The end of what lasted may lie hours after its line, and says nothing of the lines to come."""
    return entry.value == 0 and entry.kind is not None


# --------------------------------------------------------------------------- whose home it is

_ROLES: dict[Kind, Role] = {
    Kind.DOOR: Role.EXIT_DOOR,
    Kind.MOTION: Role.MOTION,
    Kind.OPENING: Role.OPENING,
    Kind.BED: Role.BED,
    Kind.CHAIR: Role.CHAIR,
    Kind.APPLIANCE: Role.APPLIANCE,
    Kind.PRESENCE: Role.PRESENCE,
    Kind.TAP: Role.TAP,
    Kind.BUTTON: Role.BUTTON,
    Kind.SOS: Role.SOS,
}

_ROOMS: dict[str, RoomKind] = {
    "bed": RoomKind.BEDROOM,
    "bath": RoomKind.BATHROOM,
    "toilet": RoomKind.BATHROOM,
    "kitchen": RoomKind.KITCHEN,
    "living": RoomKind.LIVING,
    "lounge": RoomKind.LIVING,
    "hall": RoomKind.HALL,
    "entr": RoomKind.HALL,
    "door": RoomKind.HALL,
}


@dataclass(slots=True)
class _Survey:
    """What the first reading of a file is for."""

    first: datetime | None = None
    last: datetime | None = None
    entries: int = 0
    devices: dict[str, tuple[Kind | None, str]] = field(default_factory=dict)
    _beats: dict[str, list[datetime]] = field(default_factory=dict)
    _beats_seen: int = 0

    def take(self, entry: Entry) -> None:
        self.entries += 1
        self.first = entry.at if self.first is None else min(self.first, entry.at)
        self.last = entry.at if self.last is None else max(self.last, entry.at)
        if not entry.device:
            return
        known, place = self.devices.get(entry.device, (None, ""))
        if entry.kind is None:
            known = known or _STREAM.get(entry.place)
            if self._beats_seen < HEARTBEATS_LOOKED_AT:
                self._beats.setdefault(entry.device, []).append(entry.at)
                self._beats_seen += 1
            self.devices[entry.device] = known, place
        else:
            self.devices[entry.device] = (known if known in _ROLES else entry.kind), entry.place or place

    def interval(self) -> timedelta | None:
        """How often the home promises to be heard: by its own heartbeats, or never when it has none."""
        gaps = [after - before for beats in self._beats.values() for before, after in pairwise(beats)]
        return sorted(gaps)[len(gaps) // 2] if gaps else None

    def home(self, name: str, zone: ZoneInfo, hub: str) -> Home:
        places = {place for _, place in self.devices.values() if _is_room(place)}
        rooms = tuple(Room(id=_slug(place), name=place, kind=_room_kind(place)) for place in sorted(places))
        taken: set[str] = set()
        sensors = tuple(
            Sensor(
                id=_unique(_slug(device), taken),
                hub=hub,
                address="",
                name=device,
                room=_slug(place) if _is_room(place) else "",
                role=_ROLES.get(kind, Role.CLIMATE) if kind else Role.CLIMATE,
            )
            for device, (kind, place) in sorted(self.devices.items())
        )
        return Home(
            id=name,
            code=name,
            name=name,
            grid="",  # whoever registers it says whose it is
            zone=zone,
            rooms=rooms,
            hubs=(Hub(id=hub, home=name, interval=self.interval()),),
            sensors=tuple(replace(sensor, address=sensor.id) for sensor in sensors),
        )


def _is_room(place: str) -> bool:
    """`Kitchen` is one; `M016` is the number of a sensor."""
    return bool(place) and not re.search(r"\d", place)


def _room_kind(place: str) -> RoomKind:
    return next((kind for word, kind in _ROOMS.items() if word in place.lower()), RoomKind.OTHER)


def _slug(name: str) -> str:
    """A name as topics may carry it: small letters, digits and hyphens, 64 at most."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "x"


def _unique(slug: str, taken: set[str]) -> str:
    name, number = slug, 1
    while name in taken:
        number += 1
        name = f"{slug}-{number}"
    taken.add(name)
    return name
