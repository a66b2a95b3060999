"""Homes, rooms, devices, people, grids: what installers register. Every act is one audited transaction."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from gateway.domain import (
    Act,
    Area,
    Duty,
    Grid,
    Home,
    Hub,
    Monitoring,
    Person,
    Reach,
    Role,
    Room,
    RoomKind,
    Sensor,
)
from gateway.ports import RegistryStore

HUB_ID = re.compile(r"[a-z0-9-]{1,64}")
ADDRESS = re.compile(r"0x[0-9a-f]{16}|[a-z0-9-]{1,64}(/[a-z0-9-]{1,64})*")


class RegistrationError(Exception):
    """What was to be registered cannot be; one sentence a line, nothing was changed."""


class _Reach(msgspec.Struct, forbid_unknown_fields=True):
    channel: str
    address: str = ""


class _Duty(msgspec.Struct, forbid_unknown_fields=True):
    duty: Duty
    grid: str


class _Person(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str
    language: str = "zh"
    reaches: list[_Reach] = []
    duties: list[_Duty] = []


class _Area(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    level: str
    parent: str = ""


class _Grid(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    community: str = ""


class _Room(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str
    kind: RoomKind = RoomKind.OTHER


class _Hub(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    interval_s: int = 60  # 0 promises nothing
    secret: str = ""  # at least 22 characters; empty: made by `shouwang hubs secret`


class _Sensor(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    address: str
    name: str
    room: str
    role: Role
    hub: str = ""  # empty: the home's only hub
    subject: str = ""
    inverted: bool = False


class _Home(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    code: str
    name: str
    grid: str
    zone: str = "Asia/Shanghai"
    state: Monitoring = Monitoring.GUARDED
    address: str = ""
    access: str = ""
    person: str = ""
    rooms: list[_Room] = []
    hubs: list[_Hub] = []
    sensors: list[_Sensor] = []


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    areas: list[_Area] = []
    grids: list[_Grid] = []
    people: list[_Person] = []
    homes: list[_Home] = []


class Registry:
    """The use-cases of registration, for the command line now and the installer's pages later."""

    def __init__(
        self,
        store: RegistryStore,
        hash_secret: Callable[[str], str],
        on_hubs: Callable[[Mapping[str, str]], None] = lambda secrets: None,
    ) -> None:
        """`hash_secret` gives what the broker keeps; `on_hubs` hands every hash to the embedded broker."""
        self._store = store
        self._hash = hash_secret
        self._on_hubs = on_hubs

    def import_sheet(self, text: str, *, who: str, now: datetime) -> str:
        """Register everything a TOML sheet names, all of it or nothing; a sentence saying what it was."""
        try:
            sheet = msgspec.convert(tomllib.loads(text), _Sheet)
        except tomllib.TOMLDecodeError as error:
            raise RegistrationError(f"The sheet is not valid TOML: {error}.") from None
        except msgspec.ValidationError as error:
            raise RegistrationError(f"{error}.") from None
        wrong = list(self._wrong(sheet))
        if wrong:
            raise RegistrationError("\n".join(wrong))
        areas = [Area(code=a.code, name=a.name, level=a.level, parent=a.parent) for a in sheet.areas]
        grids = [Grid(code=g.code, name=g.name, community=g.community) for g in sheet.grids]
        people = [(_person(p), [(d.duty, d.grid) for d in p.duties]) for p in sheet.people]
        secrets = {hub.id: hub.secret for home in sheet.homes for hub in home.hubs if hub.secret}
        self.register(
            areas=areas,
            grids=grids,
            people=people,
            homes=[_home(h) for h in sheet.homes],
            secrets=secrets,
            who=who,
            now=now,
        )
        return f"{len(sheet.homes)} homes, {len(sheet.people)} people, {len(sheet.grids)} grids registered."

    def register(
        self,
        *,
        areas: Iterable[Area] = (),
        grids: Iterable[Grid] = (),
        people: Iterable[tuple[Person, Iterable[tuple[Duty, str]]]] = (),
        homes: Iterable[Home] = (),
        secrets: Mapping[str, str] | None = None,
        who: str,
        now: datetime,
    ) -> None:
        """One transaction over everything given; secrets are stored only as the hash that the broker needs."""
        hashes = {hub: self._hash(secret) for hub, secret in (secrets or {}).items()}
        homes = list(homes)
        with self._store.begin() as ledger:
            for area in areas:
                ledger.put_area(area, now)
            for grid in grids:
                ledger.put_grid(grid)
            for person, duties in people:
                ledger.put_person(person, now)
                for duty, grid_code in duties:
                    ledger.assign(person.id, duty, grid_code, now)
                ledger.audit(Act(at=now, who=who, what="person.put", ref=person.id))
            for home in homes:
                ledger.put_home(home, now)
                ledger.audit(Act(at=now, who=who, what="home.put", ref=home.id))
            for hub, hashed in hashes.items():
                ledger.set_hub_secret(hub, hashed)
                ledger.audit(Act(at=now, who=who, what="hub.secret", ref=hub))
            ledger.publish(now, "registry", ",".join(home.id for home in homes[:20]))
        if hashes:
            self._on_hubs(self._store.hub_secrets())

    def renew_secret(self, hub: str, secret: str | None, *, who: str, now: datetime) -> None:
        """Give a hub a new secret, or with None none at all: it is cut off from then on, and no other home is touched.

        Raises RegistrationError for a hub that nobody registered.
        """
        if all(known.id != hub for known in self._store.hubs()):
            raise RegistrationError(f"There is no hub {hub!r}.")
        with self._store.begin() as ledger:
            ledger.set_hub_secret(hub, self._hash(secret) if secret else None)
            ledger.audit(Act(at=now, who=who, what="hub.secret" if secret else "hub.revoke", ref=hub))
            ledger.publish(now, "registry", hub)
        self._on_hubs(self._store.hub_secrets())

    def set_state(self, home_id: str, state: Monitoring, *, who: str, now: datetime) -> None:
        """建档, 试运行, 守护中, 暂停, 停用. Raises RegistrationError for an unknown home."""
        home = self._store.home(home_id)
        if home is None:
            raise RegistrationError(f"There is no home {home_id!r}.")
        with self._store.begin() as ledger:
            ledger.put_home(replace(home, state=state), now)
            ledger.audit(Act(at=now, who=who, what=f"home.{state.value}", ref=home_id))
            ledger.publish(now, "registry", home_id, home=home_id, grid=home.grid)

    def _wrong(self, sheet: _Sheet) -> Iterable[str]:
        """Everything in the sheet that cannot be, each with its place and what would be right."""
        grids = {g.code for g in sheet.grids} | {g.code for g in self._store.grids()}
        hubs_elsewhere = {hub.id: hub.home for hub in self._store.hubs()}
        seen: dict[str, str] = {}
        for person in sheet.people:
            for duty in person.duties:
                if duty.grid not in grids:
                    yield f"people {person.id!r}: there is no grid {duty.grid!r}."
        for home in sheet.homes:
            place = f"home {home.id!r}"
            if not HUB_ID.fullmatch(home.id):
                yield f"{place}: an id is 1 to 64 of a-z, 0-9 and '-'."
            if home.grid not in grids:
                yield f"{place}: there is no grid {home.grid!r}; name it under [[grids]]."
            if not _is_zone(home.zone):
                yield f"{place}: {home.zone!r} is no time zone; Asia/Shanghai is one."
            rooms = {room.id for room in home.rooms}
            hubs = {hub.id for hub in home.hubs}
            for hub in home.hubs:
                if not HUB_ID.fullmatch(hub.id):
                    yield f"{place}: hub id {hub.id!r} goes into topics: 1 to 64 of a-z, 0-9 and '-', no space."
                if hub.secret and len(hub.secret) < 22:
                    yield f"{place}: the secret of hub {hub.id!r} is too short; at least 22 characters (128 bit)."
                owner = seen.get(hub.id) or hubs_elsewhere.get(hub.id, home.id)
                if owner != home.id:
                    yield f"{place}: hub {hub.id!r} already stands in home {owner!r}."
                seen[hub.id] = home.id
            for sensor in home.sensors:
                yield from _wrong_sensor(place, sensor, rooms, hubs)
            doubled = _doubled(s.id for s in home.sensors)
            if doubled:
                yield f"{place}: sensor ids {doubled} are there twice."


def _wrong_sensor(place: str, sensor: _Sensor, rooms: set[str], hubs: set[str]) -> Iterable[str]:
    if sensor.room not in rooms:
        yield f"{place}: sensor {sensor.id!r} hangs in room {sensor.room!r}, which is not among {sorted(rooms)}."
    if sensor.hub and sensor.hub not in hubs:
        yield f"{place}: sensor {sensor.id!r} names hub {sensor.hub!r}, which is not among {sorted(hubs)}."
    if not sensor.hub and len(hubs) != 1:
        yield f"{place}: sensor {sensor.id!r} has to say which of the hubs {sorted(hubs)} it speaks through."
    if not ADDRESS.fullmatch(sensor.address):
        yield (
            f"{place}: address {sensor.address!r} of sensor {sensor.id!r} must be an IEEE address such as"
            " 0x00158d0001a2b3c4 or a topic name of a-z, 0-9 and '-'; a space in a topic closes the connection."
        )


def _doubled(ids: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    twice: set[str] = set()
    for one in ids:
        (twice if one in seen else seen).add(one)
    return sorted(twice)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _person(sheet: _Person) -> Person:
    reaches = tuple(Reach(channel=r.channel, address=r.address) for r in sheet.reaches)
    return Person(id=sheet.id, name=sheet.name, language=sheet.language, reaches=reaches)


def _home(sheet: _Home) -> Home:
    only_hub = sheet.hubs[0].id if len(sheet.hubs) == 1 else ""
    return Home(
        id=sheet.id,
        code=sheet.code,
        name=sheet.name,
        grid=sheet.grid,
        zone=ZoneInfo(sheet.zone),
        state=sheet.state,
        address=sheet.address,
        access=sheet.access,
        person=sheet.person,
        rooms=tuple(Room(id=r.id, name=r.name, kind=r.kind) for r in sheet.rooms),
        hubs=tuple(
            Hub(id=h.id, home=sheet.id, interval=timedelta(seconds=h.interval_s) if h.interval_s else None)
            for h in sheet.hubs
        ),
        sensors=tuple(
            Sensor(
                id=s.id,
                hub=s.hub or only_hub,
                address=s.address,
                name=s.name,
                room=s.room,
                role=s.role,
                subject=s.subject,
                inverted=s.inverted,
            )
            for s in sheet.sensors
        ),
    )
