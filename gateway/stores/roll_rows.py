"""The roll as it lies in rows: read whole at a start, and afterwards only what changes were about.

Each transaction on the registry leaves behind what it touched (`registry_change`). Of a county of a hundred thousand
homes somebody changes one every few seconds; to read it all again takes longer than that.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
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
from gateway.domain.rota import Post, Rota
from gateway.stores import tables
from gateway.stores.roll import Roll, chains, contacts_with_phones, overrides_by_place
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


def read_roll(connection: Connection, before: Roll | None = None) -> Roll:
    """The registry at one version; the transaction that reads the counter reads the rest.

    A home that is still the same is the same noun as `before`: nothing is in memory twice, and who has changed shows.
    """
    areas, grids = _read_areas(connection), _read_grids(connection)
    phones = _read_phones(connection)
    return Roll(
        version=connection.scalar(VERSION) or 0,
        areas=areas,
        grids=grids,
        people=_read_people(connection),
        homes=_read_homes(connection, known=_NOBODY if before is None else before.homes),
        rota=_read_rota(connection, areas, grids),
        overrides=_read_overrides(connection),
        phones=phones,
        profiles=_read_profiles(connection),
        contacts=_read_contacts(connection, phones),
        secrets=_read_secrets(connection),
    )


def touched_since(connection: Connection, roll: Roll) -> tuple[int, dict[str, set[str]] | None]:
    """The version that the registry stands at now, and what was changed since that of this roll: by part, or scope, the
    names. None: it is not known any more, or so much that all of it has to be read."""
    version = connection.scalar(VERSION) or 0
    row = tables.registry_change.c
    steps = connection.execute(select(row.version, row.part, row.name).where(row.version > roll.version)).all()
    touched: dict[str, set[str]] = {}
    for _, part, name in steps:
        touched.setdefault(part, set()).add(name)
    missed = version - roll.version - len({step.version for step in steps})
    return version, None if missed or ALL in touched or len(steps) > TOUCHED_AT_MOST else touched


def follow(connection: Connection, roll: Roll, version: int, touched: Mapping[str, set[str]]) -> Roll:
    """The roll at this later version, of which only that is read which the changes since were about."""
    homes, people = touched.get(HOME, set()), touched.get(PERSON, set())
    places = {scope: touched.get(scope.value, set()) for scope in (Scope.GRID, Scope.AREA)}
    after = replace(roll, version=version)
    if homes:
        after = _with_homes(connection, after, homes)
    if people:
        after = _with_people(connection, after, people)
    if any(places.values()):
        after = replace(after, areas=_read_areas(connection), grids=_read_grids(connection))
    if around := (homes | _around(connection, people)):
        contacts = _read_contacts(connection, after.phones, around)
        after = replace(after, contacts=_renewed(after.contacts, around, contacts))
    is_laid_out_anew = after.areas != roll.areas or after.grids != roll.grids  # else a line was written there
    if ROTA in touched or is_laid_out_anew:
        after = replace(after, rota=_read_rota(connection, after.areas, after.grids))
    for scope, names in ((Scope.HOME, homes), *places.items()):
        if names:
            read = _read_overrides(connection, scope, names)
            lines = _renewed(after.overrides, {(scope, name) for name in names}, read)
            after = replace(after, overrides=lines)
    return after


def _with_homes(connection: Connection, roll: Roll, homes: set[str]) -> Roll:
    hubs = {hub.id for home in homes if home in roll.homes for hub in roll.homes[home].hubs}
    read = _read_homes(connection, homes, roll.homes)
    hubs.update(hub.id for home in read.values() for hub in home.hubs)
    secrets = _renewed(roll.secrets, hubs, _read_secrets(connection, hubs))
    return replace(roll, homes=_renewed(roll.homes, homes, read), secrets=secrets)


def _with_people(connection: Connection, roll: Roll, people: set[str]) -> Roll:
    return replace(
        roll,
        people=_renewed(roll.people, people, _read_people(connection, people)),
        phones=_renewed(roll.phones, people, _read_phones(connection, people)),
        profiles=_renewed(roll.profiles, people, _read_profiles(connection, people)),
    )


def _around(connection: Connection, people: set[str]) -> set[str]:
    """The homes of whose contacts these people are: a contact carries its telephone numbers."""
    if not people:
        return set()
    row = tables.contact.c
    return set(connection.scalars(select(row.household).where(row.person.in_(people), row.until.is_(None))))


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


def _read_areas(connection: Connection) -> dict[str, Area]:
    return {
        row.code: Area(code=row.code, name=row.name, level=row.level, parent=row.parent)
        for row in _in_force(connection, tables.area, tables.area.c.code)
    }


def _read_grids(connection: Connection) -> dict[str, Grid]:
    open_ones = select(tables.grid).where(tables.grid.c.closed_at.is_(None)).order_by(tables.grid.c.code)
    return {
        row.code: Grid(code=row.code, name=row.name, community=row.community) for row in connection.execute(open_ones)
    }


def _read_rota(connection: Connection, areas: Mapping[str, Area], grids: Mapping[str, Grid]) -> Rota:
    return Rota.laid_out(
        (post_of(row) for row in connection.execute(select(tables.duty).order_by(tables.duty.c.number))),
        read_shifts(connection),
        read_holidays(connection),
        read_leaves(connection),
        chains(areas, grids.values()),
    )


def _read_overrides(
    connection: Connection, scope: Scope | None = None, places: Collection[str] = ()
) -> dict[tuple[Scope, str], tuple[Override, ...]]:
    wanted, row = select(tables.plan), tables.plan.c
    if scope is not None:
        wanted = wanted.where(row.scope == scope.value, row.place.in_(places))
    return overrides_by_place(
        Override(
            **{row.scope: row.place},
            key=row.key,
            value=row.value,
            since=row.since,
            until=row.until,
            author=row.author,
            reason=row.reason,
        )
        for row in connection.execute(wanted)
    )


def _read_contacts(
    connection: Connection, phones: Mapping[str, tuple[str, ...]], only: _Only = None
) -> dict[str, tuple[Contact, ...]]:
    return contacts_with_phones(
        (
            Contact(
                home=row.household,
                person=row.person,
                relation=Relation(row.relation),
                place=row.place,
                hours=row.hours,
                may_see=Sight(row.may_see),
                is_far=row.is_far,
            )
            for row in _in_force(connection, tables.contact, only=_among(tables.contact.c.household, only))
        ),
        phones,
    )


def _read_profiles(connection: Connection, only: _Only = None) -> dict[str, Profile]:
    found = _in_force(connection, tables.profile, only=_among(tables.profile.c.person, only))
    return {row.person: _profile(row) for row in found}


def post_of(row: Any) -> Post:
    place = row.grid or row.area
    return Post(person=row.person, duty=Duty(row.duty), place=place, since=row.since, until=row.until)


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


def _read_phones(connection: Connection, only: _Only = None) -> dict[str, tuple[str, ...]]:
    phone = tables.phone
    found = _in_force(connection, phone, phone.c.person, phone.c.place, only=_among(phone.c.person, only))
    numbers = _grouped(found, "person")
    return {person: tuple(row.number for row in rows) for person, rows in numbers.items()}


def _read_people(connection: Connection, only: _Only = None) -> dict[str, Person]:
    reach, person = tables.reach, tables.person
    found = _in_force(connection, reach, reach.c.person, reach.c.place, only=_among(reach.c.person, only))
    reaches = _grouped(found, "person")
    return {
        row.id: Person(
            id=row.id,
            name=row.name,
            language=row.language,
            reaches=tuple(
                Reach(channel=r.channel, address=r.address, after=timedelta(seconds=r.after_s))
                for r in reaches.get(row.id, ())
            ),
        )
        for row in connection.execute(select(person).where(*_among(person.c.id, only)).order_by(person.c.id))
    }


def _read_homes(connection: Connection, only: _Only = None, known: Mapping[str, Home] = _NOBODY) -> dict[str, Home]:
    """As they stand; one that is as it was `known` is that noun."""
    homes = {}
    for home in _each_home(connection, only):
        same = known.get(home.id)
        homes[home.id] = same if same == home else home
    return homes


def _each_home(connection: Connection, only: _Only) -> Iterator[Home]:
    of = tables.household.c

    def by_home(table: Table, *columns: Column[Any]) -> _ByHome:
        # Only what is used: of a million sensors nobody asks when they were hung up. Joined, so that the order is that
        # of the homes and nothing belongs to none of them.
        here = select(table.c.household, *columns).join(tables.household, of.id == table.c.household)
        here = here.where(table.c.until.is_(None), *_among(of.id, only)).order_by(of.id)
        here = here.order_by(table.c.place) if "place" in table.c else here
        return _ByHome(connection.execute(here, execution_options=_IN_PARTS))

    grid, residence, room, place = tables.household_grid.c, tables.residence.c, tables.room.c, tables.hub_place.c
    grids = by_home(tables.household_grid, grid.grid)
    residents = by_home(tables.residence, residence.person)
    rooms = by_home(tables.room, room.id, room.name, room.kind)
    hubs = by_home(tables.hub_place, place.hub, place.interval_us)
    sensors = by_home(tables.sensor, *(tables.sensor.c[name] for name in _SENSOR))
    households = select(tables.household).where(*_among(of.id, only)).order_by(of.id)
    for row in connection.execute(households, execution_options=_IN_PARTS):
        yield Home(
            id=row.id,
            code=row.code,
            name=row.name,
            grid=next((grid for _, grid in grids.get(row.id)), ""),
            zone=ZoneInfo(row.zone),
            state=Monitoring(row.state),
            rooms=_rooms(tuple([(name, said, kind) for _, name, said, kind in rooms.get(row.id)])),
            hubs=tuple(
                Hub(id=hub, home=row.id, interval=None if us is None else _interval(us))
                for _, hub, us in hubs.get(row.id)
            ),
            sensors=tuple([_sensor(*said) for _, *said in sensors.get(row.id)]),
            address=row.address,
            access=row.access,
            person=next((person for _, person in residents.get(row.id)), ""),
            trial_until=row.trial_until,
            position=None if row.latitude is None else Position(row.latitude, row.longitude),
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


@lru_cache(maxsize=4096)
def _rooms(rooms: tuple[tuple[str, str, str], ...]) -> tuple[Room, ...]:
    """Most homes have the same few rooms."""
    return tuple(Room(id=_once(room), name=_once(name), kind=RoomKind(kind)) for room, name, kind in rooms)


@lru_cache(maxsize=64)
def _interval(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


_ROLES = {role.value: role for role in Role}
_POWERS = {power.value: power for power in Power}


def _sensor(
    sensor: str,
    hub: str,
    address: str,
    name: str,
    room: str,
    role: str,
    subject: str,
    inverted: bool,
    model: str,
    power: str,
) -> Sensor:
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
        power=_POWERS[power],
    )


def _read_secrets(connection: Connection, only: _Only = None) -> dict[str, str]:
    """Of the hubs that stand in a home: one that was taken out keeps its secret but has no way in."""
    hub, placed = tables.hub, tables.hub_place
    rows = connection.execute(
        select(hub.c.id, hub.c.secret_hash)
        .join(placed, and_(placed.c.hub == hub.c.id, placed.c.until.is_(None)))
        .where(hub.c.secret_hash.is_not(None), *_among(hub.c.id, only))
        .order_by(hub.c.id)
    )
    return {row.id: row.secret_hash for row in rows}


def _in_force(connection: Connection, table: Table, *order: Any, only: Sequence[Any] = ()) -> Iterable[Any]:
    return connection.execute(select(table).where(table.c.until.is_(None), *only).order_by(*order)).all()


def _among(column: Column[str], names: _Only) -> Sequence[Any]:
    return () if names is None else (column.in_(names),)


def _grouped(rows: Iterable[Any], column: str) -> dict[str, list[Any]]:
    return {owner: list(group) for owner, group in groupby(rows, key=lambda row: getattr(row, column))}
