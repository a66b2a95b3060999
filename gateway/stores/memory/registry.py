"""Who lives where and who is on duty, in memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from operator import attrgetter

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
    Scope,
)
from gateway.domain.rota import Holiday, Leave, Post, Rota, Shift
from gateway.stores.memory.trail import MemoryTrail, TrailLedger
from gateway.stores.moments import aware, checked
from gateway.stores.roll import (
    ReadsRoll,
    Roll,
    absent,
    chains,
    changed_between,
    check_home,
    check_override,
    contacts_with_phones,
    duties_changed,
    overrides_by_place,
)


class _RegistryRows:
    """The registry as it is written down; a ledger works on a copy."""

    def __init__(self) -> None:
        self.areas: dict[str, Area] = {}
        self.grids: dict[str, Grid] = {}
        self.people: dict[str, Person] = {}
        self.homes: dict[str, Home] = {}
        self.posts: list[Post] = []
        self.shifts: dict[str, Shift] = {}
        self.holidays: dict[tuple[str, date], Holiday] = {}
        self.leaves: dict[tuple[str, datetime], Leave] = {}
        self.overrides: dict[tuple[Scope, str, str, datetime], Override] = {}
        self.phones: dict[str, tuple[str, ...]] = {}
        self.profiles: dict[str, Profile] = {}
        self.contacts: dict[str, list[Contact]] = {}
        self.secrets: dict[str, str] = {}
        self.consents: dict[int, Consent] = {}
        self.installations: list[Installation] = []
        self.records: list[Commissioning] = []

    def copy(self) -> "_RegistryRows":
        copied = _RegistryRows()
        for name, rows in vars(self).items():
            setattr(copied, name, rows.copy())
        return copied


class MemoryRegistry(ReadsRoll):
    """Who lives where and who is on duty, until the program ends.

    Give it the `trail` of a `MemoryAlerts` to see its events there, as in one `gateway.db`.
    """

    def __init__(self, trail: MemoryTrail | None = None) -> None:
        super().__init__()
        self.trail = trail or MemoryTrail()
        self._current = Roll()
        self._rows = _RegistryRows()
        self.trail.plan = self._plan

    def _plan(self, lines: Sequence[Override]) -> None:
        """What was said of a home in a transaction on alerts."""
        ledger = _MemoryRegistryLedger(self._rows.copy(), self.trail)
        for line in lines:
            ledger.put_override(line)
        if lines:
            self._rows = ledger.rows
            self._turn_to(ledger.roll(self._current.version + 1))

    def _turn_to(self, roll: Roll) -> None:
        self._note_step(self._current, roll, changed_between(self._current, roll))
        self._current = roll

    def _roll(self) -> Roll:
        return self._current

    def consents(self, person: str) -> list[Consent]:
        given = [consent for consent in self._rows.consents.values() if consent.person == person]
        return sorted(given, key=attrgetter("given_at", "number"))

    def installations(self, home: str) -> list[Installation]:
        return sorted((row for row in self._rows.installations if row.home == home), key=attrgetter("at"))

    def records(self, home: str) -> list[Commissioning]:
        return [record for record in self._rows.records if record.home == home]

    @contextmanager
    def begin(self) -> Iterator["_MemoryRegistryLedger"]:
        with self.trail.writing():
            ledger = _MemoryRegistryLedger(self._rows.copy(), self.trail)
            yield ledger
            self._rows = ledger.rows
            if ledger.changed:
                self._turn_to(ledger.roll(self._current.version + 1))
            ledger.append_to(self.trail)


class _MemoryRegistryLedger(TrailLedger):
    def __init__(self, rows: _RegistryRows, trail: MemoryTrail) -> None:
        super().__init__(trail)
        self.rows = rows
        self.changed = False

    def put_area(self, area: Area, at: datetime) -> None:
        aware(at)
        self.rows.areas[area.code] = area
        self.changed = True

    def put_grid(self, grid: Grid) -> None:
        self.rows.grids[grid.code] = grid
        self.changed = True

    def close_area(self, code: str, at: datetime) -> None:
        aware(at)
        self.rows.areas.pop(code, None)
        self.changed = True

    def close_grid(self, code: str, at: datetime) -> None:
        aware(at)
        self.rows.grids.pop(code, None)
        self.changed = True

    def put_home(self, home: Home, at: datetime) -> None:
        aware(at)
        check_home(
            home,
            grid_is_known=home.grid in self.rows.grids,
            person_is_known=home.person in self.rows.people,
            code_taken_by=next(
                (h.id for h in self.rows.homes.values() if h.code == home.code and h.id != home.id), None
            ),
        )
        mine = {hub.id for hub in home.hubs}
        for other in list(self.rows.homes.values()):
            if other.id != home.id and mine.intersection(hub.id for hub in other.hubs):
                self.rows.homes[other.id] = replace(  # the hub moved, with what hangs on it
                    other,
                    hubs=tuple(hub for hub in other.hubs if hub.id not in mine),
                    sensors=tuple(sensor for sensor in other.sensors if sensor.hub not in mine),
                )
        self.rows.homes[home.id] = home
        self.changed = True

    def put_person(self, person: Person, at: datetime) -> None:
        aware(at)
        self.rows.people[person.id] = person
        self.changed = True

    def assign(self, person: str, duty: Duty, place: str, since: datetime, until: datetime | None = None) -> None:
        self._check_person(person, f"the duty {duty.value}")
        if place:
            self._check_place(place, f"the duty of {person}")
        post = checked(Post(person=person, duty=duty, place=place, since=since, until=until))
        same = [i for i, p in enumerate(self.rows.posts) if replace(p, until=until) == post]
        if same:
            self.rows.posts[same[0]] = post
        else:
            self.rows.posts.append(post)
        self.changed = True

    def put_duties(self, person: str, duties: Sequence[tuple[Duty, str]], at: datetime) -> None:
        ended, begun = duties_changed(self.rows.posts, duties, person, aware(at))
        for post in (*ended, *begun):
            self.assign(post.person, post.duty, post.place, post.since, post.until)

    def put_shift(self, shift: Shift) -> None:
        self._check_person(shift.person, f"the shift from {shift.first} on")
        self._check_place(shift.place, f"the shift of {shift.person}")
        self.rows.shifts[shift.id] = shift
        self.changed = True

    def drop_shift(self, shift_id: str) -> None:
        self.rows.shifts = {i: s for i, s in self.rows.shifts.items() if shift_id not in (i, s.swap_of)}
        self.changed = True

    def put_holiday(self, holiday: Holiday) -> None:
        if holiday.place:
            self._check_place(holiday.place, f"the holiday of {holiday.day}")
        self.rows.holidays[holiday.place, holiday.day] = holiday
        self.changed = True

    def drop_holiday(self, place: str, day: date) -> None:
        self.rows.holidays.pop((place, day), None)
        self.changed = True

    def put_leave(self, leave: Leave) -> None:
        self._check_person(leave.person, "this leave")
        self.rows.leaves[leave.person, leave.since] = checked(leave)
        self.changed = True

    def drop_leave(self, person: str, since: datetime) -> None:
        self.rows.leaves.pop((person, aware(since)), None)
        self.changed = True

    def _check_person(self, person: str, needed_by: str) -> None:
        if person not in self.rows.people:
            raise absent("person", person, needed_by)

    def _check_place(self, place: str, needed_by: str) -> None:
        if place not in self.rows.grids and place not in self.rows.areas:
            raise absent("area or grid", place, needed_by)

    def put_phones(self, person: str, phones: Sequence[str], at: datetime) -> None:
        aware(at)
        if person not in self.rows.people:
            raise absent("person", person, "this telephone number")
        self.rows.phones[person] = tuple(dict.fromkeys(phones))
        self.changed = True

    def put_profile(self, profile: Profile, at: datetime) -> None:
        aware(at)
        if profile.person not in self.rows.people:
            raise absent("person", profile.person, "this profile")
        self.rows.profiles[profile.person] = profile
        self.changed = True

    def put_contacts(self, home: str, contacts: Sequence[Contact], at: datetime) -> None:
        aware(at)
        if home not in self.rows.homes:
            raise absent("home", home, "its contacts")
        for contact in contacts:
            if contact.person not in self.rows.people:
                raise absent("person", contact.person, f"a contact of {home!r}")
        placed = [replace(contact, home=home, place=place) for place, contact in enumerate(contacts)]
        self.rows.contacts[home] = list({(c.person, c.relation): c for c in placed}.values())
        self.changed = True

    def give_consent(self, consent: Consent) -> int:
        if consent.person not in self.rows.people:
            raise absent("person", consent.person, "this consent")
        number = max(self.rows.consents, default=0) + 1
        self.rows.consents[number] = replace(checked(consent), number=number)
        return number

    def withdraw_consent(self, number: int, at: datetime) -> None:
        consent = self.rows.consents.get(number)
        if consent is None or not consent.holds:
            raise absent("consent", str(number), "the withdrawal")
        self.rows.consents[number] = replace(consent, withdrawn_at=aware(at))

    def note_installation(self, installation: Installation) -> None:
        if installation.home not in self.rows.homes:
            raise absent("home", installation.home, f"the installation of {installation.sensor!r}")
        self.rows.installations.append(checked(installation))

    def forget_home(self, home: str) -> None:
        rows = self.rows
        found = rows.homes.pop(home, None)
        for hub in found.hubs if found else ():
            rows.secrets.pop(hub.id, None)
        rows.contacts.pop(home, None)
        rows.overrides = {key: line for key, line in rows.overrides.items() if line.home != home}
        rows.installations = [row for row in rows.installations if row.home != home]
        rows.records = [record for record in rows.records if record.home != home]
        self.changed = True

    def forget_person(self, person: str) -> None:
        rows = self.rows
        for kept in (rows.people, rows.phones, rows.profiles):
            kept.pop(person, None)
        rows.posts = [post for post in rows.posts if post.person != person]
        rows.shifts = {key: shift for key, shift in rows.shifts.items() if shift.person != person}
        rows.leaves = {key: leave for key, leave in rows.leaves.items() if leave.person != person}
        rows.contacts = {home: [c for c in around if c.person != person] for home, around in rows.contacts.items()}
        rows.consents = {number: c for number, c in rows.consents.items() if c.person != person}
        self.changed = True

    def keep_record(self, record: Commissioning) -> None:
        if record.home not in self.rows.homes:
            raise absent("home", record.home, "this record")
        self.rows.records.append(checked(record))

    def set_hub_secret(self, hub: str, secret_hash: str | None) -> None:
        if all(hub != known.id for home in self.rows.homes.values() for known in home.hubs):
            raise absent("hub", hub, "this secret")
        if secret_hash is None:
            self.rows.secrets.pop(hub, None)
        else:
            self.rows.secrets[hub] = secret_hash
        self.changed = True

    def put_override(self, override: Override) -> None:
        known: dict[Scope, Mapping[str, object]] = {
            Scope.HOME: self.rows.homes,
            Scope.GRID: self.rows.grids,
            Scope.AREA: self.rows.areas,
        }
        check_override(override, is_known=override.place in known[override.scope])
        checked(override)
        self.rows.overrides[override.scope, override.place, override.key, override.since] = override
        self.changed = True

    def roll(self, version: int) -> Roll:
        placed = {hub.id for home in self.rows.homes.values() for hub in home.hubs}
        return Roll(
            version=version,
            areas=dict(sorted(self.rows.areas.items())),
            grids=dict(sorted(self.rows.grids.items())),
            people=dict(sorted(self.rows.people.items())),
            homes=dict(sorted(self.rows.homes.items())),
            rota=Rota.laid_out(
                self.rows.posts,
                sorted(self.rows.shifts.values(), key=attrgetter("first", "begins", "id")),
                sorted(self.rows.holidays.values(), key=attrgetter("day", "place")),
                sorted(self.rows.leaves.values(), key=attrgetter("since", "person")),
                chains(self.rows.areas, self.rows.grids.values()),
            ),
            overrides=overrides_by_place(self.rows.overrides.values()),
            phones=self.rows.phones,
            profiles=self.rows.profiles,
            contacts=contacts_with_phones(
                (contact for around in self.rows.contacts.values() for contact in around), self.rows.phones
            ),
            secrets={hub: secret for hub, secret in sorted(self.rows.secrets.items()) if hub in placed},
        )
