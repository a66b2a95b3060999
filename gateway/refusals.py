"""What cannot be registered, and the sentence that says so: the same for pages, command line and imported tables."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.domain import Home, Person, Sensor
from gateway.locales import catalogue
from gateway.ports import Directory

ID = re.compile(r"[a-z0-9-]{1,64}")
"""Ids of homes, rooms, hubs and sensors stand in topics and addresses: a space would close a connection."""

ADDRESS = re.compile(r"0x[0-9a-f]{16}|(?!0x)[\w.:-]{1,64}(/[\w.:-]{1,64})*")
PHONE = re.compile(r"\+?[0-9][0-9 -]{1,18}[0-9]")
HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
SHORTEST_SECRET = 22
"""Characters that hold 128 bit."""

LONGEST_NAME = 80
LONGEST_TEXT = 2_000


def N_(text: str) -> str:  # noqa: N802 (gettext's own name, which the extraction looks for)
    """Marks a text for the catalogue of the pages."""
    return text


@dataclass(frozen=True)
class Sentence:
    """What is wrong, and what would be right, with its names still apart, so that it can be said in any language."""

    text: str
    values: tuple[tuple[str, object], ...] = ()

    def say(self, language: str = "en") -> str:
        values = {name: value.say(language) if isinstance(value, Sentence) else value for name, value in self.values}
        return catalogue(language, "pages").gettext(self.text).format(**values)

    def __str__(self) -> str:
        return self.say()


class RegistrationError(Exception):
    """What was to be registered cannot be; one sentence a line. Nothing was changed, unless the first says what was."""

    def __init__(self, *sentences: Sentence) -> None:
        super().__init__("\n".join(map(str, sentences)))
        self.sentences = sentences

    def say(self, language: str) -> str:
        return "\n".join(sentence.say(language) for sentence in self.sentences)


def refused(text: str, **values: object) -> RegistrationError:
    return RegistrationError(Sentence(text, tuple(values.items())))


def known_home(directory: Directory, home_id: str) -> Home:
    """The home of this id; refused where nobody registered one."""
    home = directory.home(home_id)
    if home is None:
        raise refused(N_("There is no home '{home}'."), home=home_id)
    return home


def known_person(directory: Directory, person_id: str) -> Person:
    """The person of this id; refused where nobody registered one."""
    person = directory.person(person_id)
    if person is None:
        raise refused(N_("There is nobody '{person}'; register them."), person=person_id)
    return person


def check_reason(why: str) -> None:
    """Refuses an act of which nobody says why."""
    if not why.strip():
        raise refused(N_("Please say why; whoever reads it later has to understand it."))
    check_length(why)


def check_length(why: str) -> None:
    """Refuses a reason that nobody would read to its end; none at all may be given."""
    if len(why) > LONGEST_TEXT:
        raise refused(N_("The reason is too long; {most} characters at most."), most=LONGEST_TEXT)


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of a home or of something in it."""

    kind: str  # "home", "room", "hub", "sensor"
    id: str
    field: str
    sentence: Sentence


@dataclass(frozen=True)
class Known:
    """What a home may name, and what is taken by others."""

    grids: frozenset[str]
    people: frozenset[str]
    hubs: Mapping[str, str]  # hub -> home
    codes: Mapping[str, str]  # 户号 -> home


def faults_of(home: Home, known: Known) -> Iterator[Fault]:
    """Everything about this home that cannot be."""

    def fault(kind: str, id_: str, field: str, text: str, **values: object) -> Fault:
        return Fault(kind, id_, field, Sentence(text, tuple({"id": id_, **values}.items())))

    if not ID.fullmatch(home.id):
        yield fault("home", home.id, "id", N_("'{id}' is no id of a home: an id is 1 to 64 of a-z, 0-9 and '-'."))
    if home.grid and home.grid not in known.grids:
        yield fault("home", home.id, "grid", N_("There is no grid '{grid}'; register it first."), grid=home.grid)
    if home.person and home.person not in known.people:
        yield fault("home", home.id, "person", N_("There is nobody '{person}'; register them."), person=home.person)
    owner = known.codes.get(home.code, home.id) if home.code else home.id
    if owner != home.id:
        text = N_("The household code '{code}' belongs to home '{owner}'; each home has its own.")
        yield fault("home", home.id, "code", text, code=home.code, owner=owner)
    if not home.name or not is_name(home.name):
        yield fault("home", home.id, "name", N_("The home needs a name of at most 80 characters, such as 王奶奶."))
    for kind, ids in (
        ("room", [room.id for room in home.rooms]),
        ("hub", [hub.id for hub in home.hubs]),
        ("sensor", [sensor.id for sensor in home.sensors]),
    ):
        for twice in sorted({one for one in ids if ids.count(one) > 1}):
            yield fault(kind, twice, "id", N_("'{id}' is there twice; each needs an id of its own."))
    for room in home.rooms:
        if not ID.fullmatch(room.id):
            yield fault("room", room.id, "id", N_("'{id}' is no id of a room: an id is 1 to 64 of a-z, 0-9 and '-'."))
        if not is_name(room.name):
            yield fault("room", room.id, "name", N_("A name has at most 80 characters and no line breaks."))
    for hub in home.hubs:
        if not ID.fullmatch(hub.id):
            text = N_("Hub id '{id}' goes into topics: 1 to 64 of a-z, 0-9 and '-', no space.")
            yield fault("hub", hub.id, "id", text)
        owner = known.hubs.get(hub.id, home.id)
        if owner != home.id:
            text = N_("Hub '{id}' already stands in home '{owner}'; remove it there first.")
            yield fault("hub", hub.id, "id", text, owner=owner)
        if hub.interval is not None and not 5 <= hub.interval.total_seconds() <= 86_400:
            yield fault("hub", hub.id, "interval", N_("A hub promises to be heard every 5 to 86400 seconds."))
    for sensor in home.sensors:
        yield from _faults_of_sensor(sensor, home)


def _faults_of_sensor(sensor: Sensor, home: Home) -> Iterator[Fault]:
    def fault(field: str, text: str, **values: object) -> Fault:
        return Fault("sensor", sensor.id, field, Sentence(text, tuple({"id": sensor.id, **values}.items())))

    rooms, hubs = [room.id for room in home.rooms], [hub.id for hub in home.hubs]
    if not ID.fullmatch(sensor.id):
        yield fault("id", N_("'{id}' is no id of a device: an id is 1 to 64 of a-z, 0-9 and '-'."))
    if sensor.room not in rooms:
        text = N_("Device '{id}' hangs in room '{room}', which is not among {rooms}.")
        yield fault("room", text, room=sensor.room, rooms=", ".join(rooms) or "–")
    if sensor.hub not in hubs:
        text = N_("Device '{id}' names hub '{hub}', which is not among {hubs}.")
        yield fault("hub", text, hub=sensor.hub, hubs=", ".join(hubs) or "–")
    if not ADDRESS.fullmatch(sensor.address):
        text = N_(
            "Address '{address}' of device '{id}' must be an IEEE address such as 0x00158d0001a2b3c4 or a topic name"
            " of letters, digits, '-', '_' and '/'; a space in a topic closes the connection."
        )
        yield fault("address", text, address=sensor.address)
    at = home.sensors.index(sensor)
    namesake = next((s.id for s in home.sensors[:at] if (s.hub, s.address) == (sensor.hub, sensor.address)), None)
    if namesake is not None:
        text = N_("Address '{address}' is registered already, as device '{other}' of this home.")
        yield fault("address", text, address=sensor.address, other=namesake)
    if not is_name(sensor.name):
        yield fault("name", N_("A name has at most 80 characters and no line breaks."))


def is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and text.isprintable()


def is_person_id(text: str) -> bool:
    """People are called as they sign in, which may be 赵敏; their ids stand in no topic."""
    return bool(text) and is_name(text) and text == text.strip() and not set(text) & set(";；:/")


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def sentences(faults: Iterable[Fault]) -> tuple[Sentence, ...]:
    return tuple(dict.fromkeys(fault.sentence for fault in faults))
