"""The roll as it lies in rows: read whole at a start, and afterwards only what changes were about.

Each transaction on the registry leaves behind what it touched (`registry_change`). Of a county of a hundred thousand
homes somebody changes one every few seconds; to read it all again takes longer than that.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Connection, Table, and_, select

from gateway.domain import (
    Ability,
    Answers,
    Area,
    Contact,
    Duty,
    Grid,
    Hearing,
    Home,
    Hub,
    Living,
    Monitoring,
    Override,
    Person,
    Position,
    Power,
    Profile,
    Reach,
    Relation,
    Risk,
    Role,
    Room,
    RoomKind,
    Scope,
    Sensor,
    Sex,
    Sight,
)
from gateway.domain.fault import FAULTS
from gateway.domain.rota import Post, Rota
from gateway.stores import tables
from gateway.stores.prepared import Legible
from gateway.stores.roll import STANDARD_ZONE, Roll, chains, contacts_with_phones, overrides_by_place
from gateway.stores.rota import read_holidays, read_leaves, read_shifts

COUNTER = "registry"
VERSION = select(tables.counter.c.value).where(tables.counter.c.name == COUNTER)

TOUCHED_AT_MOST = 5_000
"""What one transaction touched is noted name by name up to here; beyond it the roll is read whole again."""

STEPS_KEPT = 1_000
"""So many versions back it is known what they touched; who has read nothing for longer reads it whole."""

HOME, PERSON, ROTA, ALL = "home", "person", "rota", "all"
"""Parts that a change can be about; beside them a grid or area, by the name of its scope."""

_K = TypeVar("_K", str, tuple[Scope, str])
_V = TypeVar("_V")
_Only = Collection[str] | None
"""The names that are asked for; None: every one."""

_NOBODY: Mapping[str, Home] = MappingProxyType({})

_S = TypeVar("_S")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Book:
    """The rows of the registry in one transaction. One that cannot be read is left out, and noted: it costs the person,
    device or line that it is about, and not the whole neighbourhood its watch."""

    connection: Connection
    legible: Legible

    def find(self, statement: Any, options: Mapping[str, Any] = {}) -> Any:
        return self.connection.execute(statement, execution_options=options)

    def nouns(self, kind: str, rows: Iterable[Any], make: Callable[[Any], _T]) -> Iterator[_T]:
        """A noun of each row; what stands first and second in a row names it."""
        for row in rows:
            try:
                noun = make(row)
            except FAULTS as error:
                self.leave_out(kind, " ".join(map(str, row[:2])), error)
            else:
                yield noun

    def either(self, kind: str, name: str, make: Callable[[_S], _T], said: _S, instead: _T) -> _T:
        """What a column says, or else what holds where nothing can be made of it."""
        try:
            return make(said)
        except FAULTS as error:
            self.leave_out(kind, name, error)
            return instead

    def leave_out(self, kind: str, name: str, error: Exception) -> None:
        self.legible.leave_out(kind, name, error)


def read_roll(book: Book, before: Roll | None = None) -> Roll:
    """The registry at one version; the transaction that reads the counter reads the rest.

    A home that is still the same is the same noun as `before`: nothing is in memory twice, and who has changed shows.
    """
    areas, grids = _read_areas(book), _read_grids(book)
    phones = _read_phones(book)
    return Roll(
        version=book.connection.scalar(VERSION) or 0,
        areas=areas,
        grids=grids,
        people=_read_people(book),
        homes=_read_homes(book, known=_NOBODY if before is None else before.homes),
        rota=_read_rota(book, areas, grids),
        overrides=_read_overrides(book),
        phones=phones,
        profiles=_read_profiles(book),
        contacts=_read_contacts(book, phones),
        secrets=_read_secrets(book),
    )


def touched_since(book: Book, roll: Roll) -> tuple[int, dict[str, set[str]] | None]:
    """The version that the registry stands at now, and what was changed since that of this roll: by part, or scope, the
    names. None: it is not known any more, or so much that all of it has to be read."""
    version = book.connection.scalar(VERSION) or 0
    row = tables.registry_change.c
    steps = book.find(select(row.version, row.part, row.name).where(row.version > roll.version)).all()
    touched: dict[str, set[str]] = {}
    for _, part, name in steps:
        touched.setdefault(part, set()).add(name)
    missed = version - roll.version - len({step.version for step in steps})
    return version, None if missed or ALL in touched or len(steps) > TOUCHED_AT_MOST else touched


def follow(book: Book, roll: Roll, version: int, touched: Mapping[str, set[str]]) -> Roll:
    """The roll at this later version, of which only that is read which the changes since were about."""
    homes, people = touched.get(HOME, set()), touched.get(PERSON, set())
    places = {scope: touched.get(scope.value, set()) for scope in (Scope.GRID, Scope.AREA)}
    after = replace(roll, version=version)
    if homes:
        after = _with_homes(book, after, homes)
    if people:
        after = _with_people(book, after, people)
    if any(places.values()):
        after = replace(after, areas=_read_areas(book), grids=_read_grids(book))
    if around := (homes | _around(book, people)):
        contacts = _read_contacts(book, after.phones, around)
        after = replace(after, contacts=_renewed(after.contacts, around, contacts))
    is_laid_out_anew = after.areas != roll.areas or after.grids != roll.grids  # else a line was written there
    if ROTA in touched or is_laid_out_anew:
        after = replace(after, rota=_read_rota(book, after.areas, after.grids))
    for scope, names in ((Scope.HOME, homes), *places.items()):
        if names:
            read = _read_overrides(book, scope, names)
            lines = _renewed(after.overrides, {(scope, name) for name in names}, read)
            after = replace(after, overrides=lines)
    return after


def _with_homes(book: Book, roll: Roll, homes: set[str]) -> Roll:
    hubs = {hub.id for home in homes if home in roll.homes for hub in roll.homes[home].hubs}
    read = _read_homes(book, homes, roll.homes)
    hubs.update(hub.id for home in read.values() for hub in home.hubs)
    secrets = _renewed(roll.secrets, hubs, _read_secrets(book, hubs))
    return replace(roll, homes=_renewed(roll.homes, homes, read), secrets=secrets)


def _with_people(book: Book, roll: Roll, people: set[str]) -> Roll:
    return replace(
        roll,
        people=_renewed(roll.people, people, _read_people(book, people)),
        phones=_renewed(roll.phones, people, _read_phones(book, people)),
        profiles=_renewed(roll.profiles, people, _read_profiles(book, people)),
    )


def _around(book: Book, people: set[str]) -> set[str]:
    """The homes of whose contacts these people are: a contact carries its telephone numbers."""
    if not people:
        return set()
    row = tables.contact.c
    return set(book.connection.scalars(select(row.household).where(row.person.in_(people), row.until.is_(None))))


def _renewed(before: Mapping[_K, _V], touched: Collection[_K], read: Mapping[_K, _V]) -> Mapping[_K, _V]:
    """What was touched as it was read now, everything else as it was, in the same order."""
    if all(before.get(key) == read.get(key) for key in touched):
        return before
    after = dict(before)
    for key in touched:
        if key not in read:
            after.pop(key, None)
    is_known = after.keys() >= read.keys()
    after.update(read)
    return after if is_known else {key: after[key] for key in sorted(after)}


def _read_areas(book: Book) -> dict[str, Area]:
    return {
        row.code: Area(code=row.code, name=row.name, level=row.level, parent=row.parent)
        for row in _in_force(book, tables.area, tables.area.c.code)
    }


def _read_grids(book: Book) -> dict[str, Grid]:
    open_ones = select(tables.grid).where(tables.grid.c.closed_at.is_(None)).order_by(tables.grid.c.code)
    return {row.code: Grid(code=row.code, name=row.name, community=row.community) for row in book.find(open_ones)}


def _read_rota(book: Book, areas: Mapping[str, Area], grids: Mapping[str, Grid]) -> Rota:
    return Rota.laid_out(
        book.nouns("duty", book.find(select(tables.duty).order_by(tables.duty.c.number)), post_of),
        read_shifts(book.connection, book.legible),
        read_holidays(book.connection, book.legible),
        read_leaves(book.connection, book.legible),
        chains(areas, grids.values()),
    )


def _read_overrides(
    book: Book, scope: Scope | None = None, places: Collection[str] = ()
) -> dict[tuple[Scope, str], tuple[Override, ...]]:
    wanted, row = select(tables.plan), tables.plan.c
    if scope is not None:
        wanted = wanted.where(row.scope == scope.value, row.place.in_(places))
    return overrides_by_place(book.nouns("plan", book.find(wanted), _override))


def _read_contacts(
    book: Book, phones: Mapping[str, tuple[str, ...]], only: _Only = None
) -> dict[str, tuple[Contact, ...]]:
    rows = _in_force(book, tables.contact, only=_among(tables.contact.c.household, only))
    return contacts_with_phones(book.nouns("contact", rows, _contact), phones)


def _read_profiles(book: Book, only: _Only = None) -> dict[str, Profile]:
    found = _in_force(book, tables.profile, only=_among(tables.profile.c.person, only))
    return {profile.person: profile for profile in book.nouns("profile", found, _profile)}


def post_of(row: Any) -> Post:
    place = row.grid or row.area
    return Post(person=row.person, duty=Duty(row.duty), place=place, since=row.since, until=row.until)


def _override(row: Any) -> Override:
    return Override(
        **{row.scope: row.place},
        key=row.key,
        value=row.value,
        since=row.since,
        until=row.until,
        author=row.author,
        reason=row.reason,
    )


def _contact(row: Any) -> Contact:
    return Contact(
        home=row.household,
        person=row.person,
        relation=Relation(row.relation),
        place=row.place,
        hours=row.hours,
        may_see=Sight(row.may_see),
        is_far=row.is_far,
    )


def _profile(row: Any) -> Profile:
    return Profile(
        person=row.person,
        birth_year=row.birth_year,
        sex=Sex(row.sex),
        living=Living(row.living),
        ability=Ability(row.ability),
        risk=Risk(row.risk),
        conditions=row.conditions,
        dialect=row.dialect,
        hearing=Hearing(row.hearing),
        answers_by=Answers(row.answers_by),
        hospital=row.hospital,
        dementia=row.dementia,
    )


def _read_phones(book: Book, only: _Only = None) -> dict[str, tuple[str, ...]]:
    phone = tables.phone
    found = _in_force(book, phone, phone.c.person, phone.c.place, only=_among(phone.c.person, only))
    numbers = _grouped(found, "person")
    return {person: tuple(row.number for row in rows) for person, rows in numbers.items()}


def _read_people(book: Book, only: _Only = None) -> dict[str, Person]:
    reach, person = tables.reach, tables.person
    found = _in_force(book, reach, reach.c.person, reach.c.place, only=_among(reach.c.person, only))
    reaches = _grouped(found, "person")
    return {
        row.id: Person(
            id=row.id,
            name=row.name,
            language=row.language,
            reaches=tuple(book.nouns("reach", reaches.get(row.id, ()), _reach)),
        )
        for row in book.find(select(person).where(*_among(person.c.id, only)).order_by(person.c.id))
    }


def _reach(row: Any) -> Reach:
    return Reach(channel=row.channel, address=row.address, after=timedelta(seconds=row.after_s))


def _read_homes(book: Book, only: _Only = None, known: Mapping[str, Home] = _NOBODY) -> dict[str, Home]:
    """As they stand; one that is as it was `known` is that noun."""
    homes = {}
    for home in _each_home(book, only):
        same = known.get(home.id)
        homes[home.id] = same if same == home else home
    return homes


def _each_home(book: Book, only: _Only) -> Iterator[Home]:
    of = tables.household.c

    def by_home(table: Table, *columns: Column[Any]) -> _ByHome:
        # Only what is used: of a million sensors nobody asks when they were hung up. Joined, so that the order is that
        # of the homes and nothing belongs to none of them.
        here = select(table.c.household, *columns).join(tables.household, of.id == table.c.household)
        here = here.where(table.c.until.is_(None), *_among(of.id, only)).order_by(of.id)
        here = here.order_by(table.c.place) if "place" in table.c else here
        return _ByHome(book.find(here, _IN_PARTS))

    grid, residence, room, place = tables.household_grid.c, tables.residence.c, tables.room.c, tables.hub_place.c
    grids = by_home(tables.household_grid, grid.grid)
    residents = by_home(tables.residence, residence.person)
    rooms = by_home(tables.room, room.id, room.name, room.kind)
    hubs = by_home(tables.hub_place, place.hub, place.interval_us)
    sensors = by_home(tables.sensor, *(tables.sensor.c[name] for name in _SENSOR))
    households = select(tables.household).where(*_among(of.id, only)).order_by(of.id)
    for row in book.find(households, _IN_PARTS):
        # What is not known of a household takes nobody's watch away.
        zone = book.either("household", row.id, ZoneInfo, row.zone, STANDARD_ZONE)
        state = book.either("household", row.id, Monitoring, row.state, Monitoring.GUARDED)
        yield Home(
            id=row.id,
            code=row.code,
            name=row.name,
            grid=next((grid for _, grid in grids.get(row.id)), ""),
            zone=zone,
            state=state,
            rooms=_rooms_of(book, row.id, rooms.get(row.id)),
            hubs=tuple(
                Hub(id=hub, home=row.id, interval=None if us is None else _interval(us))
                for _, hub, us in hubs.get(row.id)
            ),
            sensors=(*book.nouns("sensor", sensors.get(row.id), _sensor),),
            address=row.address,
            access=row.access,
            person=next((person for _, person in residents.get(row.id)), ""),
            trial_until=row.trial_until,
            position=book.either("household", row.id, _position, (row.latitude, row.longitude), None),
        )


_SENSOR = ("id", "hub", "address", "name", "room", "role", "subject", "inverted", "model", "power")

_IN_PARTS = {"yield_per": 1000}
"""A county's million sensors are never in memory as rows: they would take four times what is made of them."""


class _ByHome:
    """Rows that belong to homes, in the order of the homes: each home takes its own as its turn comes."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = next(self._groups, None)

    def get(self, home: str) -> Sequence[Any]:
        if self._next is None or self._next[0] != home:
            return ()
        rows = list(self._next[1])
        self._next = next(self._groups, None)
        return rows


_once = sys.intern
"""The words of ten thousand homes are the same few; the driver makes a new one for each row."""


def _position(said: tuple[float | None, float]) -> Position | None:
    latitude, longitude = said
    return None if latitude is None else Position(latitude, longitude)


def _rooms_of(book: Book, home: str, rows: Sequence[Any]) -> tuple[Room, ...]:
    said = tuple([(name, text, kind) for _, name, text, kind in rows])
    try:
        return _rooms(said)
    except FAULTS as error:
        book.leave_out("room", home, error)  # only what kind it is: devices hang in it
        return _rooms(
            tuple([(name, text, kind if kind in _ROOM_KINDS else RoomKind.OTHER) for name, text, kind in said])
        )


@lru_cache(maxsize=4096)
def _rooms(rooms: tuple[tuple[str, str, str], ...]) -> tuple[Room, ...]:
    """Most homes have the same few rooms."""
    return tuple(Room(id=_once(room), name=_once(name), kind=RoomKind(kind)) for room, name, kind in rooms)


@lru_cache(maxsize=64)
def _interval(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


_ROOM_KINDS = frozenset(kind.value for kind in RoomKind)
_ROLES = {role.value: role for role in Role}
_POWERS = {power.value: power for power in Power}


def cannot_be_read(sensor: Mapping[str, Any]) -> bool:
    """Whether this row of a sensor, by its columns, is left out: of a version that knows more kinds of them."""
    return sensor["role"] not in _ROLES


def _sensor(row: Any) -> Sensor:
    _, sensor, hub, address, name, room, role, subject, inverted, model, power = row
    return Sensor(
        id=_once(sensor),
        hub=_once(hub),
        address=address,
        name=_once(name),
        room=_once(room),
        role=_ROLES[role],
        subject=_once(subject),
        inverted=inverted,
        model=_once(model),
        power=_POWERS.get(power, Power.UNKNOWN),
    )


def _read_secrets(book: Book, only: _Only = None) -> dict[str, str]:
    """Of the hubs that stand in a home: one that was taken out keeps its secret but has no way in."""
    hub, placed = tables.hub, tables.hub_place
    rows = book.find(
        select(hub.c.id, hub.c.secret_hash)
        .join(placed, and_(placed.c.hub == hub.c.id, placed.c.until.is_(None)))
        .where(hub.c.secret_hash.is_not(None), *_among(hub.c.id, only))
        .order_by(hub.c.id)
    )
    return {row.id: row.secret_hash for row in rows}


def _in_force(book: Book, table: Table, *order: Any, only: Sequence[Any] = ()) -> Iterable[Any]:
    return list(book.find(select(table).where(table.c.until.is_(None), *only).order_by(*order)))


def _among(column: Column[str], names: _Only) -> Sequence[Any]:
    return () if names is None else (column.in_(names),)


def _grouped(rows: Iterable[Any], column: str) -> dict[str, list[Any]]:
    return {owner: list(group) for owner, group in groupby(rows, key=lambda row: getattr(row, column))}
