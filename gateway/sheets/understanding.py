"""What an import is going to change: the rows that were read, held against each other and against what is known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gateway.domain import (
    Area,
    Contact,
    Duty,
    Grid,
    Home,
    Hub,
    Leaving,
    Monitoring,
    Person,
    Profile,
    Role,
    Room,
    Sensor,
)
from gateway.domain.rota import Holiday, Leave, Shift
from gateway.ports import RegistryStore
from gateway.refusals import ID, N_, Known, RegistrationError, Sentence, faults_of, is_name, is_person_id
from gateway.sheets.columns import ROTA, STANDARD_ZONE, TABLES
from gateway.sheets.reading import Row, Tables
from gateway.sheets.words import choices, codes

T = TypeVar("T")

STANDARD_LEVELS = ("city 市", "district 区县", "street 街道", "community 社区")
"""How areas are nested, the widest first: each a code and its Chinese name."""

MOST_SAID = 100
"""Nobody reads more sentences than this at once; how many more there are is said."""


@dataclass
class Changes:
    """What an import is going to change: only what differs from what is known."""

    areas: list[Area] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    phones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    duties: dict[str, tuple[tuple[Duty, str], ...]] = field(default_factory=dict)
    profiles: list[Profile] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)  # with the state they have now, or begin with
    states: dict[str, tuple[Monitoring, str, datetime | None]] = field(default_factory=dict)  # state, why, trial until
    contacts: dict[str, list[Contact]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    shifts: list[Shift] = field(default_factory=list)
    holidays: list[Holiday] = field(default_factory=list)
    leaves: list[Leave] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)  # table -> rows

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) for part in fields(self) if part.name != "read")

    @property
    def touched(self) -> set[str]:
        """Homes of which anything changes."""
        return {home.id for home in self.homes} | self.states.keys() | self.contacts.keys()

    def slices(self, at_most: int) -> Iterator["Changes"]:
        """The same in parts of so many homes, people or shifts, to be written one after the other: what a part names
        is in it or in one before it. At least one, which may be empty."""
        singles = self._one_by_one()
        yield _together(islice(singles, at_most))
        while part := _together(islice(singles, at_most)):
            yield part

    def _one_by_one(self) -> Iterator["Changes"]:
        """A home comes with its state, its contacts, the secrets of its hubs and the file of whoever lives there."""
        profiles, secrets = {profile.person: profile for profile in self.profiles}, dict(self.secrets)
        yield from (Changes(areas=[area]) for area in self.areas)
        yield from (Changes(grids=[grid]) for grid in self.grids)
        people = {person.id: person for person in self.people}
        for name in dict.fromkeys((*people, *self.phones, *self.duties)):
            yield Changes(
                people=[people[name]] if name in people else [],
                phones=_only(self.phones, name),
                duties=_only(self.duties, name),
            )
        homes = {home.id: home for home in self.homes}
        residents = {home.person for home in homes.values()}
        yield from (Changes(profiles=[profile]) for name, profile in profiles.items() if name not in residents)
        for name in dict.fromkeys((*homes, *self.states, *self.contacts)):
            home = homes.get(name)
            own = [hub.id for hub in home.hubs if hub.id in secrets] if home is not None else []
            profile = profiles.pop(home.person, None) if home is not None else None
            yield Changes(
                profiles=[] if profile is None else [profile],
                homes=[] if home is None else [home],
                states=_only(self.states, name),
                contacts=_only(self.contacts, name),
                secrets={hub: secrets.pop(hub) for hub in own},
            )
        yield from (Changes(secrets={hub: secret}) for hub, secret in secrets.items())
        yield from (Changes(shifts=[shift]) for shift in self.shifts)
        yield from (Changes(holidays=[holiday]) for holiday in self.holidays)
        yield from (Changes(leaves=[leave]) for leave in self.leaves)

    def summary(self) -> Sentence:
        counts = {name: self.read.get(name, 0) for name in ("homes", "people", "grids", "devices")}
        text = N_("{homes} homes, {people} people, {grids} grids, {devices} devices read; {changed} homes changed.")
        return Sentence(text, (*counts.items(), ("changed", len(self.touched))))

    def rota_summary(self) -> Sentence:
        counts = {name: self.read.get(name, 0) for name in ROTA}
        changed = len(self.shifts) + len(self.holidays) + len(self.leaves)
        text = N_("{shifts} shifts, {holidays} holidays, {leaves} leaves read; {changed} of them new or changed.")
        return Sentence(text, (*counts.items(), ("changed", changed)))


def _only(known: Mapping[str, T], name: str) -> dict[str, T]:
    return {name: known[name]} if name in known else {}


def _together(parts: Iterable[Changes]) -> Changes:
    whole = Changes()
    for part in parts:
        for one in fields(part):
            had, more = getattr(whole, one.name), getattr(part, one.name)
            had.extend(more) if isinstance(had, list) else had.update(more)
    return whole


def understand(tables: Tables, store: RegistryStore, levels: Sequence[str], now: datetime) -> Changes:
    """What these tables change. Raises RegistrationError with everything that is wrong in them."""
    changes = Changes(read={name: len(rows) for name, rows in tables.rows.items()})
    _understand_areas(tables, store, levels, changes)
    _understand_people(tables, store, now, changes)
    _understand_homes(tables, store, now, changes)
    _understand_contacts(tables, store, changes)
    _understand_rota(tables, store, changes)
    wrong = tables.sentences()
    if wrong:
        said = wrong[:MOST_SAID]
        if more := len(wrong) - len(said):
            said.append(Sentence(N_("… and {more} more."), (("more", more),)))
        raise RegistrationError(*said)
    return changes


def _understand_areas(tables: Tables, store: RegistryStore, levels: Sequence[str], changes: Changes) -> None:
    order = [level.split(" ", 1)[0] for level in levels]
    codes = {name: code for level, code in zip(levels, order, strict=True) for name in (code, level.partition(" ")[2])}
    areas = {area.code: area for area in store.areas()}
    rows = tables.rows["areas"]
    for row in rows:
        area = _made(Area, areas.get(row.values["code"]), row, tables, "areas", level=order[0], name="")
        level = codes.get(area.level)
        if level is None:
            text = N_("'{value}' is none of {choices}.")
            tables.fault(row, "level", text, value=area.level, choices=", ".join(levels))
        else:
            area = replace(area, level=level)
        if areas.get(area.code) != area:
            changes.areas.append(area)
        areas[area.code] = area
    for row in rows:
        area = areas[row.values["code"]]
        parent = areas.get(area.parent)
        if area.parent and parent is None:
            tables.fault(row, "parent", N_("There is no area '{area}'."), area=area.parent)
        elif parent is not None and not lies_above(parent, area, order):
            text = N_("'{area}' is a {level}; it cannot lie above this one.")
            tables.fault(row, "parent", text, area=area.parent, level=parent.level)
    grids = {grid.code: grid for grid in store.grids()}
    for row in tables.rows["grids"]:
        grid = _made(Grid, grids.get(row.values["code"]), row, tables, "grids", name="", community="")
        if not ID.fullmatch(grid.code.lower()):
            tables.fault(row, "code", N_("A grid's code is 1 to 64 letters, digits and '-'."))
        if "community" in row.values and grid.community and grid.community not in areas:
            tables.fault(row, "community", N_("There is no area '{area}'."), area=grid.community)
        if grids.get(grid.code) != grid:
            changes.grids.append(grid)
        grids[grid.code] = grid


def lies_above(parent: Area, area: Area, order: Sequence[str]) -> bool:
    """Whether it is the wider of the two. Of levels we do not know nothing is said; they were told already."""
    known = {parent.level, area.level} <= set(order)
    return not known or order.index(parent.level) < order.index(area.level)


def _understand_people(tables: Tables, store: RegistryStore, now: datetime, changes: Changes) -> None:
    grids = _places(store, changes)
    people = {person.id: person for person in store.people()}
    for row in tables.rows["people"]:
        values = {key: value for key, value in row.values.items() if key not in ("phones", "duties")}
        before = people.get(values["id"])
        person = _made(Person, before, replace(row, values=values), tables, "people", name="")
        if not is_person_id(person.id):
            text = N_("'{id}' is no id of a person: 1 to 80 characters on one line, without ';', ':' and '/'.")
            tables.fault(row, "id", text, id=person.id)
        if not is_name(person.name):
            tables.fault(row, "name", N_("A name has at most 80 characters and no line breaks."))
        if before != person:
            changes.people.append(person)
        people[person.id] = person
        phones = row.values.get("phones")
        if phones is not None and phones != store.phones(person.id):
            changes.phones[person.id] = phones
        duties = row.values.get("duties")
        for _, grid in duties or ():
            if grid and grid not in grids:
                text = N_("There is no grid '{grid}'; register it first.")
                tables.fault(row, "duties", text, grid=grid)
        if duties is not None and set(duties) != set(store.duties(person.id, now)):
            changes.duties[person.id] = duties
    for row in tables.rows["profiles"]:
        name = row.values["person"]
        if name not in people:
            text = N_("There is nobody '{person}'; register them.")
            tables.fault(row, "person", text, person=name)
            continue
        before_profile = store.profile(name)
        profile = _made(Profile, before_profile, row, tables, "profiles")
        if profile.birth_year is not None and not 1900 <= profile.birth_year <= now.year:
            text = N_("A year of birth lies between 1900 and now, not at {year}.")
            tables.fault(row, "birth_year", text, year=profile.birth_year)
        if before_profile != profile:
            changes.profiles.append(profile)


def _understand_homes(tables: Tables, store: RegistryStore, now: datetime, changes: Changes) -> None:
    before = {home.id: home for home in store.homes()}
    after = dict(before)
    rows: dict[tuple[str, str, str], Row] = {}  # kind, home, id -> where it was read
    for row in tables.rows["homes"]:
        home_id = row.values["id"]
        rows["home", home_id, home_id] = row
        after[home_id] = _home(before.get(home_id), row, tables)
    for name, kind in (("rooms", "room"), ("hubs", "hub"), ("devices", "sensor")):
        for row in tables.rows[name]:
            home_id, part_id = row.values["home"], row.values["id"]
            rows[kind, home_id, part_id] = row
            home = after.get(home_id)
            if home is None:
                tables.fault(row, "home", N_("There is no home '{home}'."), home=home_id)
            else:
                after[home_id] = _with_part(home, name, row, tables)
            if row.values.get("secret"):
                changes.secrets[part_id] = row.values["secret"]
    touched = dict.fromkeys(home_id for _, home_id, _ in rows if home_id in after)
    known = _known(store, after, changes)
    for home_id in touched:
        home = after[home_id]
        old = set() if home_id not in before else {f.sentence for f in faults_of(before[home_id], known)}
        own = rows.get(("home", home_id, home_id))
        anywhere = own or next(row for (_, owner, _), row in rows.items() if owner == home_id)
        for fault in faults_of(home, known):
            if fault.sentence not in old:
                row = rows.get((fault.kind, home_id, fault.id), anywhere)
                tables.fault(row, "interval_s" if fault.field == "interval" else fault.field, fault.sentence)
        if own is not None:
            home = _state_of(before.get(home_id), home, own, now, tables, changes)
        if before.get(home_id) != home:
            changes.homes.append(home)


def _home(before: Home | None, row: Row, tables: Tables) -> Home:
    """The household of this row, still with the state that it has."""
    values = {key: value for key, value in row.values.items() if key not in ("state", "why", "trial_until")}
    zone = ZoneInfo(STANDARD_ZONE)
    return _made(Home, before, replace(row, values=values), tables, "homes", name="", code="", grid="", zone=zone)


def _with_part(home: Home, name: str, row: Row, tables: Tables) -> Home:
    """The home with one room, hub or device more, or changed."""
    values = {key: value for key, value in row.values.items() if key not in ("home", "secret")}
    part_id = values["id"]
    if name == "rooms":
        room = home.room(part_id)
        new_room = _made(Room, room, replace(row, values=values), tables, name, name="")
        return replace(home, rooms=_with(home.rooms, new_room))
    if name == "hubs":
        known = next((hub for hub in home.hubs if hub.id == part_id), None)
        if "interval_s" in values:
            values["interval"] = values.pop("interval_s")
        return replace(
            home, hubs=_with(home.hubs, _made(Hub, known, replace(row, values=values), tables, name, home=home.id))
        )
    sensor = next((sensor for sensor in home.sensors if sensor.id == part_id), None)
    only_hub = home.hubs[0].id if len(home.hubs) == 1 else ""
    if not values.get("hub"):
        if sensor is None and not only_hub:
            hubs = ", ".join(hub.id for hub in home.hubs) or "–"
            text = N_("Say through which hub this device speaks; the home has {hubs}.")
            tables.fault(row, "hub", text, hubs=hubs)
        values["hub"] = only_hub or (sensor.hub if sensor else "")
    empty = {"name": "", "room": "", "role": Role.CLIMATE, "address": ""}
    return replace(
        home, sensors=_with(home.sensors, _made(Sensor, sensor, replace(row, values=values), tables, name, **empty))
    )


def _with(parts: tuple[T, ...], part: T) -> tuple[T, ...]:
    """The same parts with this one in the place of its namesake, or last."""
    part_id = part.id  # type: ignore[attr-defined]
    if any(p.id == part_id for p in parts):  # type: ignore[attr-defined]
        return tuple(part if p.id == part_id else p for p in parts)  # type: ignore[attr-defined]
    return (*parts, part)


def _state_of(before: Home | None, home: Home, row: Row, now: datetime, tables: Tables, changes: Changes) -> Home:
    """A new home begins with its state; a known one changes to it as if somebody had said so."""

    old = before.state if before else None
    state = row.values.get("state") or old or (Monitoring.GUARDED if home.sensors else Monitoring.REGISTERED)
    given = row.values.get("trial_until")
    until = home.trial_until
    if "trial_until" in row.values:
        until = given and (given[0] if given[1] else given[0].replace(tzinfo=home.zone)).astimezone(UTC)
    why = row.values.get("why", "")
    leaving = codes(Leaving)
    if state is not old:
        if state in (Monitoring.TRIAL, Monitoring.GUARDED) and not home.sensors:
            tables.fault(row, "state", N_("Nothing hangs in this home yet; without a device it cannot be watched."))
        if state is Monitoring.PAUSED and not why:
            tables.fault(row, "why", N_("Please say why the home is not to be watched for a while."))
        if state is Monitoring.RETIRED and why not in leaving:
            tables.fault(row, "why", N_("Please say why the home is given up: {reasons}."), reasons=choices(Leaving))
        if state is Monitoring.TRIAL and until is not None and until <= now:
            tables.fault(row, "trial_until", N_("The learning period has to end in the future."))
        changes.states[home.id] = state, leaving.get(why, why) if state is Monitoring.RETIRED else why, until
    return replace(home, state=old or Monitoring.REGISTERED, trial_until=until)


def _known(store: RegistryStore, after: Mapping[str, Home], changes: Changes) -> Known:
    """What homes may name once everything here is registered; a hub or code is whose it is now, or the first one's."""
    hubs = {hub.id: hub.home for hub in store.hubs()}
    codes = {home.code: home.id for home in store.homes()}
    for home in after.values():
        for hub in home.hubs:
            hubs.setdefault(hub.id, home.id)
        codes.setdefault(home.code, home.id)
    return Known(
        grids=frozenset(grid.code for grid in (*store.grids(), *changes.grids)),
        people=frozenset(person.id for person in (*store.people(), *changes.people)),
        hubs=hubs,
        codes=codes,
    )


def _understand_contacts(tables: Tables, store: RegistryStore, changes: Changes) -> None:
    """Contacts in the order of the table; those of a home that are not in it come after these."""
    homes = {home.id for home in store.homes()} | {home.id for home in changes.homes}
    people = {person.id for person in (*store.people(), *changes.people)}
    named: dict[str, list[Contact]] = {}
    for row in tables.rows["contacts"]:
        home_id, person_id = row.values["home"], row.values["person"]
        if home_id not in homes:
            tables.fault(row, "home", N_("There is no home '{home}'."), home=home_id)
        if person_id not in people:
            text = N_("There is nobody '{person}'; register them.")
            tables.fault(row, "person", text, person=person_id)
        known = {(c.person, c.relation): c for c in store.contacts(home_id)}
        before = known.get((person_id, row.values["relation"]))
        named.setdefault(home_id, []).append(_made(Contact, before, row, tables, "contacts"))
    for home_id, contacts in named.items():
        known_now = store.contacts(home_id)
        keys = {(c.person, c.relation) for c in contacts}
        all_of_them = contacts + [c for c in known_now if (c.person, c.relation) not in keys]
        placed = [replace(c, place=place, phones=()) for place, c in enumerate(all_of_them)]
        if placed != [replace(c, phones=()) for c in known_now]:
            changes.contacts[home_id] = placed


def _places(store: RegistryStore, changes: Changes) -> set[str]:
    """Every grid and area there is once this is taken."""
    grids = {grid.code for grid in (*store.grids(), *changes.grids)}
    return grids | {area.code for area in (*store.areas(), *changes.areas)}


def _understand_rota(tables: Tables, store: RegistryStore, changes: Changes) -> None:
    rota, places = store.rota(), _places(store, changes)
    people = {person.id for person in (*store.people(), *changes.people)}
    shifts = {shift.id: shift for shifts in rota.shifts.values() for shift in shifts}
    swaps = {swap.id: swap for swap in rota.swaps.values()}
    read: list[tuple[Row, Shift]] = []
    for row in tables.rows["shifts"]:
        _check_row(row, tables, people, places)
        if row.values["duty"] is Duty.ELDER:
            tables.fault(row, "duty", N_("A resident works no shifts."))
        swap_of, first = row.values.get("swap_of", ""), row.values["first"]
        defaults = {"zone": ZoneInfo(STANDARD_ZONE), "last": first if swap_of else None}
        if row.values.get("last") is not None and row.values["last"] < first:
            tables.fault(row, "last", N_("The last day lies before the first."))
        elif swap_of and (row.values.get("last") or first) != first:
            tables.fault(row, "last", N_("A swap is for one day."))
        else:
            said = {key: value for key, value in row.values.items() if value is not None}
            read.append((row, Shift(**{**defaults, **said})))
    known = shifts | {shift.id: shift for _, shift in read if not shift.swap_of}
    for row, shift in read:
        if shift.swap_of and shift.swap_of not in known:
            tables.fault(row, "swap_of", N_("There is no shift '{shift}'."), shift=shift.swap_of)
        if (shifts | swaps).get(shift.id) != shift:
            changes.shifts.append(shift)
    for row in tables.rows["holidays"]:
        _check_row(row, tables, people, places)
        holiday = Holiday(**row.values)
        if rota.holidays.get((holiday.place, holiday.day)) != holiday:
            changes.holidays.append(holiday)
    leaves = {(leave.person, leave.since): leave for leaves in rota.leaves.values() for leave in leaves}
    for row in tables.rows["leaves"]:
        _check_row(row, tables, people, places)
        if "until" not in row.values:
            if "until" not in row.headers:
                text = N_("The column '{name}' is missing; a new row needs it.")
                tables.fault(row, "", text, name="until (结束)")
            continue
        since, until = _there(row.values["since"]), _there(row.values["until"])
        if until <= since:
            tables.fault(row, "until", N_("Leave ends after it has begun."))
            continue
        before = leaves.get((row.values["person"], since))
        author, reason = (before.author, before.reason) if before else ("", "")
        reason = row.values.get("reason", reason)
        leave = Leave(person=row.values["person"], since=since, until=until, reason=reason, author=author)
        if before != leave:
            changes.leaves.append(leave)


def _check_row(row: Row, tables: Tables, people: set[str], places: set[str]) -> None:
    person, place = row.values.get("person"), row.values.get("place")
    if person is not None and person not in people:
        tables.fault(row, "person", N_("There is nobody '{person}'; register them."), person=person)
    if place and place not in places:
        tables.fault(row, "place", N_("There is no grid or area '{place}'; register it first."), place=place)


def _there(read: tuple[datetime, bool]) -> datetime:
    """A moment of somebody who lives nowhere in particular: by the clock of the standard zone."""
    moment, names_zone = read
    return (moment if names_zone else moment.replace(tzinfo=ZoneInfo(STANDARD_ZONE))).astimezone(UTC)


def _made(kind: type[T], before: T | None, row: Row, tables: Tables, table: str, **defaults: Any) -> T:
    """The noun of a row: the known one with what the row says, or a new one."""
    if before is not None:
        return replace(before, **row.values)  # type: ignore[type-var]
    for column in TABLES[table].columns:
        if column.needed and column.name not in row.values and column.name not in row.headers and column.name != "home":
            text = N_("The column '{name}' is missing; a new row needs it.")
            tables.fault(row, "", text, name=f"{column.name} ({column.zh})")
    return kind(**{**defaults, **row.values})
