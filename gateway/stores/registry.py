"""Who lives where, what hangs on the walls and who is on duty, in `gateway.db`.

The answers are kept in memory as one roll, and where the registry's counter has grown, whichever process let it grow,
what the changes were about is read again.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, and_, bindparam, delete, select, update

from gateway.domain import (
    Area,
    Commissioning,
    Consent,
    Contact,
    Duty,
    Grid,
    Home,
    Installation,
    Override,
    Person,
    Profile,
    Relation,
    Scope,
)
from gateway.domain.rota import Post
from gateway.stores import tables
from gateway.stores.book import TrailLedger, count_up, one_picture, row_of, upsert, writing
from gateway.stores.moments import aware, checked
from gateway.stores.prepared import Glance, Legible, Prepared
from gateway.stores.roll import ReadsRoll, Roll, absent, changed_between, check_home, check_override, duties_changed
from gateway.stores.roll_rows import (
    ALL,
    COUNTER,
    HOME,
    PERSON,
    ROTA,
    STEPS_KEPT,
    TOUCHED_AT_MOST,
    VERSION,
    Book,
    cannot_be_read,
    follow,
    post_of,
    read_roll,
    touched_since,
)
from gateway.stores.rota import RotaLedger

READ_AT_ONCE = 2_000
"""Homes that are read whole while whoever asks waits, a tenth of a millisecond each. A larger county is read beside."""

_MICROSECOND = timedelta(microseconds=1)
_INSTALLATION = tuple(column.name for column in tables.installation.columns if column.name != "number")
_CONSENT = tuple(column.name for column in tables.consent.columns if column.name != "number")
_PROFILE = tuple(column.name for column in tables.profile.columns if column.name not in ("person", "since", "until"))


_OF_A_HOME = (
    tables.household_grid,
    tables.residence,
    tables.room,
    tables.hub_place,
    tables.sensor,
    tables.contact,
)
_OF_A_PERSON = (
    tables.reach,
    tables.phone,
    tables.profile,
    tables.residence,
    tables.duty,
    tables.shift,
    tables.leave,
    tables.contact,
    tables.consent,
)


class SqlRegistry(ReadsRoll):
    """Homes, people, grids and duties, as rows of the book.

    What a change was about is read while whoever asks waits. Where all of a county has to be read again, because a
    sheet touched thousands of homes or somebody was forgotten, that is done beside: no press waits ten seconds for it.
    Until then everybody is answered from the picture before, except who writes: they wait, and change what stands now.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._statements = _Writes(engine)
        self._counter = Glance(engine, VERSION)
        self._legible = Legible()
        self._current: Roll | None = None
        self._reading = threading.Lock()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="registry")
        self._beside: Future[tuple[Roll, frozenset[str] | None]] | None = None

    def _counted(self) -> int:
        return self._counter.value() or 0

    def _roll(self) -> Roll:
        current, beside = self._current, self._beside
        if current is not None and beside is not None and not beside.done():
            return current
        if current is not None and beside is None and current.version == self._counted():
            return current
        with self._reading:  # one thread reads, the others wait for what it finds
            return self._read_on(self._current)

    def _read_on(self, current: Roll | None) -> Roll:
        if current is not None and self._beside is not None:
            if not self._beside.done():
                return current
            beside, self._beside = self._beside, None
            now, changed = beside.result()
        else:
            with one_picture(self._engine) as connection:
                book = Book(connection, self._legible)
                if current is None:
                    self._current = read_roll(book)
                    return self._current
                version, touched = touched_since(book, current)
                if version == current.version:
                    return current
                if touched is None and len(current.homes) > READ_AT_ONCE:
                    self._beside = self._reader.submit(self._read_again, current)
                    return current
                now = read_roll(book, current) if touched is None else follow(book, current, version, touched)
            changed = changed_between(current, now, touched)
        self._note_step(current, now, changed)
        self._current = now
        return now

    def _read_again(self, current: Roll) -> tuple[Roll, frozenset[str] | None]:
        with one_picture(self._engine) as connection:
            now = read_roll(Book(connection, self._legible), current)
        return now, changed_between(current, now)

    def _catch_up(self) -> None:
        """Wait for what is read beside."""
        while self._current is not None and self._roll().version != self._counted():
            if (beside := self._beside) is not None:
                wait([beside])

    def illegible(self) -> list[str]:
        return sorted(f"{kind} {name}" for kind, name in self._legible.left_out)

    def consents(self, person: str) -> list[Consent]:
        row = tables.consent
        wanted = select(row).where(row.c.person == person).order_by(row.c.given_at, row.c.number)
        with self._engine.connect() as connection:
            return [Consent(**found._mapping) for found in connection.execute(wanted)]

    def installations(self, home: str) -> list[Installation]:
        row = tables.installation
        columns = [row.c[name] for name in _INSTALLATION]
        wanted = select(*columns).where(row.c.home == home).order_by(row.c.at, row.c.number)
        with self._engine.connect() as connection:
            return [Installation(**found._mapping) for found in connection.execute(wanted)]

    def records(self, home: str) -> list[Commissioning]:
        row = tables.commissioning
        wanted = select(row.c.record).where(row.c.home == home).order_by(row.c.number)
        with self._engine.connect() as connection:
            return list(connection.scalars(wanted))

    @contextmanager
    def begin(self) -> Iterator["_SqlRegistryLedger"]:
        self._catch_up()  # once before nobody else can write, and again for what was written while we waited for that
        with writing(self._engine) as connection:
            self._catch_up()
            ledger = _SqlRegistryLedger(connection, self._statements)
            yield ledger
            ledger.note_changes()
            ledger.settle()


class _Writes:
    """What a sheet of homes says and asks thousands of times while nobody else can write: each compiled once."""

    def __init__(self, engine: Engine) -> None:
        self.count_up = count_up(engine, COUNTER)
        self._engine = engine
        self._compiled: dict[tuple[Any, ...], Prepared] = {}

    def put(self, table: Table) -> Prepared:
        """Insert a whole row, or replace the one with the same key."""
        return self._once(("put", table.name), lambda: (upsert(self._engine, table), table.columns.keys()))

    def change(self, table: Table, columns: tuple[str, ...]) -> Prepared:
        """Set these columns of the row with this `id`."""
        return self._once(
            ("change", table.name, columns), lambda: (update(table).where(table.c.id == bindparam("key")), columns)
        )

    def named(self, column: Column[str]) -> Prepared:
        """Is there a row of this `name`?"""
        return self._once(
            ("named", column.table.name, column.name),
            lambda: (select(column).where(column == bindparam("name")).limit(1), None),
        )

    def namesake(self) -> Prepared:
        """Another household with this 户号."""
        row = tables.household.c
        return self._once(
            ("namesake",),
            lambda: (
                select(row.id).where(row.code == bindparam("code"), row.id != bindparam("mine")).limit(1),
                None,
            ),
        )

    def standing(self, table: Table, owner: tuple[str, ...]) -> Prepared:
        """The rows in force that belong to an owner, named by these columns."""
        return self._once(
            ("standing", table.name, owner),
            lambda: (
                select(table).where(*(table.c[key] == bindparam(key) for key in owner), table.c.until.is_(None)),
                None,
            ),
        )

    def end(self, table: Table) -> Prepared:
        """From `until` on this row is not in force any more."""
        return self._once(("end", table.name), lambda: (update(table).where(_this_row(table)), ("until",)))

    def undo(self, table: Table) -> Prepared:
        return self._once(("undo", table.name), lambda: (delete(table).where(_this_row(table)), None))

    def elsewhere(self, table: Table) -> Prepared:
        """Does this hub, or what hangs on it, stand in another home?"""
        row = table.c
        return self._once(
            ("elsewhere", table.name),
            lambda: (
                select(row.household)
                .where(row.hub == bindparam("name"), row.household != bindparam("mine"), row.until.is_(None))
                .limit(1),
                None,
            ),
        )

    def _once(self, key: tuple[Any, ...], make: Callable[[], tuple[Any, Iterable[str] | None]]) -> Prepared:
        known = self._compiled.get(key)
        if known is None:
            known = self._compiled[key] = Prepared(self._engine.dialect, *make())
        return known


class _SqlRegistryLedger(TrailLedger, RotaLedger):
    def __init__(self, connection: Connection, statements: _Writes) -> None:
        super().__init__(connection)
        self._statements = statements
        self._touched: set[tuple[str, str]] = set()

    def note_changes(self) -> None:
        """Let the counter grow if anything has changed, and say what that was about: before the commit."""
        if not self._touched:
            return
        self._connection.execute(self._statements.count_up)
        version = self._connection.scalar(VERSION) or 0
        everything = (ALL, "")
        is_all = everything in self._touched or len(self._touched) > TOUCHED_AT_MOST
        touched = [everything] if is_all else sorted(self._touched)
        rows = [{"version": version, "part": part, "name": name} for part, name in touched]
        self._statements.put(tables.registry_change).run_all(self._connection, rows)
        row = tables.registry_change
        self._connection.execute(delete(row).where(row.c.version <= version - STEPS_KEPT))

    def _touch(self, part: str, name: str = "") -> None:
        self._touched.add((part, name))

    def put_area(self, area: Area, at: datetime) -> None:
        row = {"name": area.name, "level": area.level, "parent": area.parent}
        self._keep_dated(tables.area, {"code": area.code}, "code", {area.code: row}, at)
        self._touch(Scope.AREA, area.code)

    def put_grid(self, grid: Grid) -> None:
        row = {"code": grid.code, "name": grid.name, "community": grid.community}
        self._put(tables.grid, row)
        self._touch(Scope.GRID, grid.code)

    def close_area(self, code: str, at: datetime) -> None:
        self._keep_dated(tables.area, {"code": code}, "code", {}, at)
        self._touch(Scope.AREA, code)

    def close_grid(self, code: str, at: datetime) -> None:
        self._connection.execute(update(tables.grid).where(tables.grid.c.code == code).values(closed_at=aware(at)))
        self._touch(Scope.GRID, code)

    def put_person(self, person: Person, at: datetime) -> None:
        new = {"name": person.name, "language": person.language}
        self._put_noun(tables.person, person.id, new, at)
        reaches = {
            place: {
                "channel": reach.channel,
                "address": reach.address,
                "language": "",
                "after_s": int(reach.after.total_seconds()),
            }
            for place, reach in enumerate(person.reaches)
        }
        self._keep_dated(tables.reach, {"person": person.id}, "place", reaches, at)
        self._touch(PERSON, person.id)

    def put_home(self, home: Home, at: datetime) -> None:
        namesake = {"code": home.code, "mine": home.id}
        check_home(
            home,
            grid_is_known=self._has(tables.grid.c.code, home.grid),
            person_is_known=self._has(tables.person.c.id, home.person),
            code_taken_by=self._statements.namesake().scalar(self._connection, namesake),
        )
        self._put_household(home, at)
        mine = {"household": home.id}
        grids: dict[str, dict[str, Any]] = {home.grid: {}} if home.grid else {}
        self._keep_dated(tables.household_grid, mine, "grid", grids, at)
        resident = {home.person: {"place": 0}} if home.person else {}
        self._keep_dated(tables.residence, mine | {"place": 0}, "person", resident, at)
        rooms = {
            room.id: {"name": room.name, "kind": room.kind.value, "place": place}
            for place, room in enumerate(home.rooms)
        }
        self._keep_dated(tables.room, mine, "id", rooms, at)
        self._put_hubs(home, at)
        sensors = {
            sensor.id: {
                "hub": sensor.hub,
                "address": sensor.address,
                "name": sensor.name,
                "room": sensor.room,
                "role": sensor.role.value,
                "subject": sensor.subject,
                "inverted": sensor.inverted,
                "model": sensor.model,
                "power": sensor.power.value,
                "place": place,
            }
            for place, sensor in enumerate(home.sensors)
        }
        self._keep_dated(tables.sensor, mine, "id", sensors, at, spared=cannot_be_read)
        self._touch(HOME, home.id)

    def assign(self, person: str, duty: Duty, place: str, since: datetime, until: datetime | None = None) -> None:
        checked(Post(person=person, duty=duty, place=place, since=since, until=until))
        self._check_person(person, f"the duty {duty.value}")
        if place:
            self._check_place(place, f"the duty of {person}")
        is_grid = bool(place) and self._has(tables.grid.c.code, place)
        grid, area = (place, "") if is_grid else (None, place)
        row = tables.duty
        this = and_(
            row.c.person == person,
            row.c.duty == duty.value,
            row.c.grid == grid if grid else row.c.grid.is_(None),
            row.c.area == area,
            row.c.since == since,
        )
        if self._connection.execute(update(row).where(this).values(until=until)).rowcount == 0:
            values = {"person": person, "duty": duty.value, "grid": grid, "area": area, "since": since, "until": until}
            self._connection.execute(row.insert(), values)
        self._touch(ROTA)

    def put_duties(self, person: str, duties: Sequence[tuple[Duty, str]], at: datetime) -> None:
        row = tables.duty
        held = [post_of(found) for found in self._connection.execute(select(row).where(row.c.person == person))]
        ended, begun = duties_changed(held, duties, person, aware(at))
        for post in (*ended, *begun):
            self.assign(post.person, post.duty, post.place, post.since, post.until)

    def put_phones(self, person: str, phones: Sequence[str], at: datetime) -> None:
        if not self._has(tables.person.c.id, person):
            raise absent("person", person, "this telephone number")
        numbers = {number: {"place": place} for place, number in enumerate(dict.fromkeys(phones))}
        self._keep_dated(tables.phone, {"person": person}, "number", numbers, at)
        self._touch(PERSON, person)

    def put_profile(self, profile: Profile, at: datetime) -> None:
        if not self._has(tables.person.c.id, profile.person):
            raise absent("person", profile.person, "this profile")
        self._keep_dated(
            tables.profile, {"person": profile.person}, "person", {profile.person: row_of(profile, _PROFILE)}, at
        )
        self._touch(PERSON, profile.person)

    def put_contacts(self, home: str, contacts: Sequence[Contact], at: datetime) -> None:
        if not self._has(tables.household.c.id, home):
            raise absent("home", home, "its contacts")
        rows: dict[str, dict[str, dict[str, Any]]] = {}
        for place, contact in enumerate(contacts):
            if not self._has(tables.person.c.id, contact.person):
                raise absent("person", contact.person, f"a contact of {home!r}")
            row = {"place": place, "hours": contact.hours, "may_see": contact.may_see.value, "is_far": contact.is_far}
            rows.setdefault(contact.relation.value, {})[contact.person] = row
        for relation in Relation:
            mine = {"household": home, "relation": relation.value}
            self._keep_dated(tables.contact, mine, "person", rows.get(relation.value, {}), at)
        self._touch(HOME, home)

    def give_consent(self, consent: Consent) -> int:
        if not self._has(tables.person.c.id, consent.person):
            raise absent("person", consent.person, "this consent")
        given = self._connection.execute(tables.consent.insert(), row_of(consent, _CONSENT))
        key = given.inserted_primary_key
        return int(key[0]) if key else 0

    def withdraw_consent(self, number: int, at: datetime) -> None:
        this = tables.consent.c.number == number
        standing = update(tables.consent).where(this, tables.consent.c.withdrawn_at.is_(None))
        if self._connection.execute(standing.values(withdrawn_at=aware(at))).rowcount == 0:
            raise absent("consent", str(number), "the withdrawal")

    def note_installation(self, installation: Installation) -> None:
        if not self._has(tables.household.c.id, installation.home):
            raise absent("home", installation.home, f"the installation of {installation.sensor!r}")
        self._connection.execute(tables.installation.insert(), row_of(installation, _INSTALLATION))

    def keep_record(self, record: Commissioning) -> None:
        checked(record)
        if not self._has(tables.household.c.id, record.home):
            raise absent("home", record.home, "this record")
        self._connection.execute(tables.commissioning.insert(), {"home": record.home, "record": record})

    def forget_home(self, home: str) -> None:
        stood = select(tables.hub_place.c.hub).where(tables.hub_place.c.household == home)
        hubs = list(self._connection.scalars(stood))
        for table in (*_OF_A_HOME, tables.installation, tables.commissioning):
            row = table.c
            self._connection.execute(delete(table).where((row.household if "household" in row else row.home) == home))
        mine = (tables.plan.c.scope == Scope.HOME.value, tables.plan.c.place == home)
        self._connection.execute(delete(tables.plan).where(*mine))
        ids = tables.external_id.c
        self._connection.execute(delete(tables.external_id).where(ids.kind == "household", ids.id == home))
        for hub in hubs:
            elsewhere = select(tables.hub_place.c.hub).where(tables.hub_place.c.hub == hub)
            if self._connection.execute(elsewhere).first() is None:
                self._connection.execute(delete(tables.hub).where(tables.hub.c.id == hub))
        self._connection.execute(delete(tables.household).where(tables.household.c.id == home))
        self._forget_changes(HOME, home)

    def forget_person(self, person: str) -> None:
        for table in _OF_A_PERSON:
            self._connection.execute(delete(table).where(table.c.person == person))
        ids = tables.external_id.c
        self._connection.execute(delete(tables.external_id).where(ids.kind == "person", ids.id == person))
        self._connection.execute(delete(tables.person).where(tables.person.c.id == person))
        self._forget_changes(PERSON, person)

    def _forget_changes(self, part: str, name: str) -> None:
        """Whatever named them names nobody now, the steps of the counter among it: whoever follows reads it whole."""
        row = tables.registry_change.c
        self._connection.execute(delete(tables.registry_change).where(row.part == part, row.name == name))
        self._touch(ALL)

    def set_hub_secret(self, hub: str, secret_hash: str | None) -> None:
        place = tables.hub_place.c
        standing = self._connection.scalar(select(place.household).where(place.hub == hub, place.until.is_(None)))
        if standing is None:
            raise absent("hub", hub, "this secret")
        self._connection.execute(update(tables.hub).where(tables.hub.c.id == hub).values(secret_hash=secret_hash))
        self._touch(HOME, standing)

    def put_override(self, override: Override) -> None:
        checked(override)
        known: dict[Scope, Column[str]] = {
            Scope.HOME: tables.household.c.id,
            Scope.GRID: tables.grid.c.code,
            Scope.AREA: tables.area.c.code,
        }
        check_override(override, is_known=self._has(known[override.scope], override.place))
        row = {
            "scope": override.scope.value,
            "place": override.place,
            "key": override.key,
            "value": override.value,
            "author": override.author,
            "reason": override.reason,
            "since": override.since,
            "until": override.until,
        }
        self._put(tables.plan, row)
        self._touch(override.scope, override.place)

    def _put_household(self, home: Home, at: datetime) -> None:
        row = {
            "code": home.code,
            "name": home.name,
            "zone": home.zone.key,
            "state": home.state.value,
            "address": home.address,
            "access": home.access,
            "trial_until": home.trial_until,
            "latitude": home.position.latitude if home.position else None,
            "longitude": home.position.longitude if home.position else None,
        }
        self._put_noun(tables.household, home.id, row, at)

    def _put_noun(self, table: Table, key: str, row: Mapping[str, Any], at: datetime) -> None:
        """Change what is known of somebody or something, or register it."""
        if self._has(table.c.id, key):
            self._statements.change(table, tuple(row)).run(self._connection, {"key": key, **row})
        else:
            self._put(table, {"id": key, "registered_at": aware(at), **row})

    def _put_hubs(self, home: Home, at: datetime) -> None:
        hubs = {}
        for place, hub in enumerate(home.hubs):
            if not self._has(tables.hub.c.id, hub.id):
                self._put(tables.hub, {"id": hub.id})
            self._leave_other_homes(hub.id, home.id, at)
            interval = None if hub.interval is None else hub.interval // _MICROSECOND
            hubs[hub.id] = {"interval_us": interval, "place": place}
        self._keep_dated(tables.hub_place, {"household": home.id}, "hub", hubs, at)

    def _leave_other_homes(self, hub: str, home: str, at: datetime) -> None:
        """The hub moved, with what hangs on it."""
        for table in (tables.hub_place, tables.sensor):
            if self._statements.elsewhere(table).scalar(self._connection, {"name": hub, "mine": home}) is None:
                continue
            here = and_(table.c.hub == hub, table.c.household != home, table.c.until.is_(None))
            for other in self._connection.scalars(select(table.c.household).where(here).distinct()):
                self._touch(HOME, other)
            self._connection.execute(delete(table).where(here, table.c.since >= at))
            self._connection.execute(update(table).where(here).values(until=at))

    def _keep_dated(
        self,
        table: Table,
        owner: Mapping[str, Any],
        name: str,
        wanted: Mapping[Any, Mapping[str, Any]],
        at: datetime,
        spared: Callable[[Mapping[str, Any]], bool] = lambda row: False,
    ) -> None:
        """Make `wanted` what is in force of this owner from `at` on; what did not change keeps its row and its dates.

        A row that would end before it began was never in force: it is corrected or taken away instead of closed. One
        that is `spared`, for it cannot be read, stays: who wrote this did not see it.
        """
        aware(at)
        for old in self._statements.standing(table, tuple(owner)).all(self._connection, owner):
            new = wanted.get(old[name])
            if new is None and spared(old):
                continue
            if new is not None and all(old[key] == value for key, value in new.items()):
                wanted = {key: value for key, value in wanted.items() if key != old[name]}
                continue
            this = {f"key_{column.name}": old[column.name] for column in table.primary_key}
            if old["since"] < at:
                self._statements.end(table).run(self._connection, {"until": at, **this})
            else:
                self._statements.undo(table).run(self._connection, this)
        row = {**_blank(table), **owner, "since": at}
        new_rows = [{**row, name: key, **values} for key, values in wanted.items()]
        if new_rows:
            self._statements.put(table).run_all(self._connection, new_rows)

    def _put(self, table: Table, row: Mapping[str, Any]) -> None:
        self._statements.put(table).run(self._connection, {**_blank(table), **row})

    def _has(self, column: Column[str], value: str) -> bool:
        return self._statements.named(column).scalar(self._connection, {"name": value}) is not None


def put_override(connection: Connection, override: Override) -> None:
    """A line of a plan, in whatever transaction this is."""
    ledger = _SqlRegistryLedger(connection, _Writes(connection.engine))
    ledger.put_override(override)
    ledger.note_changes()


def _this_row(table: Table) -> Any:
    return and_(*(column == bindparam(f"key_{column.name}") for column in table.primary_key))


@cache
def _blank(table: Table) -> dict[str, Any]:
    """What a new row holds where nothing is said."""
    return {column.name: getattr(column.default, "arg", None) for column in table.columns}
