"""Homes, rooms, devices, people, grids: what installers register. Every act is one audited transaction."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from gateway import sheets
from gateway.acting import Acting
from gateway.domain import (
    Act,
    Area,
    Commissioning,
    Consent,
    Contact,
    Duty,
    Facts,
    Grid,
    Home,
    Hub,
    Installation,
    Leaving,
    Monitoring,
    Override,
    Person,
    Power,
    Profile,
    Reach,
    Role,
    Room,
    Sensor,
)
from gateway.domain.people import HEALTH
from gateway.plans import Plans
from gateway.ports import RegistryLedger, RegistryStore
from gateway.refusals import (
    HOURS,
    N_,
    PHONE,
    SHORTEST_SECRET,
    Known,
    RegistrationError,
    Sentence,
    check_length,
    faults_of,
    is_name,
    is_person_id,
    known_home,
    known_person,
    refused,
    sentences,
)

__all__ = ["LEARNING", "MAINTENANCE_AT_MOST", "RegistrationError", "Registry"]

LEARNING = timedelta(days=14)
"""How long a home is on trial where nobody says otherwise: the cold start of the detectors."""

MAINTENANCE_AT_MOST = timedelta(hours=4)
"""Nobody works in a home for longer; what was forgotten ends by itself."""

WRITTEN_AT_ONCE, LET_OTHERS_S = 20, 0.015
"""Of a sheet so many homes or people are written in one transaction, 1 to 4 ms each; then whoever has called for help
meanwhile is let by: as long as SQLite makes a writer of another process wait before it asks again."""

OVERTAKEN_AT_MOST = 5
"""So often a sheet is understood anew because somebody else registered something between two of its slices."""

OVERTAKEN = N_(
    "Somebody else registered something while this was being written. What stood first in it has been taken; mend the "
    "rest and enter it again, all of it: what has been taken stays as it is."
)

SECRET_BYTES = 16
"""128 random bit: nobody guesses them."""

HUB_INTERVAL = timedelta(seconds=60)

MAINTENANCE, PAUSE, RETIRED = "maintenance", "pause", "retired"
"""Keys of a household's plan that say why it stands as it does; each line has its author, reason and end."""

BUTTON_TEST = "button_test"
"""The key of an announced test of a home's emergency buttons; `alerts.selftest` reads it."""

BUTTON_TEST_AT_MOST = timedelta(minutes=30)


class _Overtaken(Exception):
    """Somebody registered something between two slices of a sheet."""


@dataclass(slots=True)
class _Act(Acting):
    """The same, with the secrets of hubs: the broker is told of them once it is over."""

    hubs_changed: bool = False

    def set_secret(self, hub: str, hashed: str | None) -> None:
        self.ledger.set_hub_secret(hub, hashed)
        self.hubs_changed = True


class Registry:
    """The use-cases of registration, for the command line and the installer's pages alike."""

    def __init__(
        self,
        store: RegistryStore,
        hash_secret: Callable[[str], str],
        on_hubs: Callable[[Mapping[str, str]], None] = lambda secrets: None,
        levels: Sequence[str] = sheets.STANDARD_LEVELS,
        codes: Iterable[str] = (),
        lines: Sequence[Reach] = (),
    ) -> None:
        """`hash_secret` gives what the broker keeps; `on_hubs` hands every hash to the embedded broker; `levels` says
        how areas are nested here; `codes` are the alerts that a plan may speak of, without any all; `lines` are the
        ways that need a telephone number and nothing else."""
        self._store = store
        self._hash = hash_secret
        self._on_hubs = on_hubs
        self._levels = tuple(levels)
        self._codes = frozenset(codes)
        self._lines = tuple(lines)
        self._beside: Callable[[RegistryLedger], None] = lambda ledger: None

    @property
    def levels(self) -> tuple[str, ...]:
        """How areas are nested here, the widest first: each a code and its Chinese name."""
        return self._levels

    @property
    def plans(self) -> Plans:
        """What is planned for homes, grids and areas."""
        return Plans(self._store, self._act, self._codes)

    def beside(self, write: Callable[[RegistryLedger], None]) -> "Registry":
        """The same for one act: what it changes and what `write` writes become durable together."""
        other = copy(self)
        other._beside = write
        return other

    def import_sheet(self, text: str, *, who: str, now: datetime) -> str:
        """Register everything a TOML sheet names; a sentence saying what it was."""
        return str(self.import_files({"sheet.toml": text.encode()}, who=who, now=now).summary())

    def import_files(
        self, files: Mapping[str, bytes], *, who: str, now: datetime, only_check: bool = False
    ) -> sheets.Changes:
        """Add and change what these tables name, or with `only_check` nothing in any case.

        Raises RegistrationError with everything that is wrong in them, each with its file, row and column, and then
        nothing was changed. What is right is written `WRITTEN_AT_ONCE` homes or people at a time: whoever calls for
        help waits for one such slice and not for a district. After a fall between two of them the same sheet is
        entered again, and changes what is left.
        """
        tables = sheets.read(files)  # before any transaction: nobody else has to wait while it is read
        told: sheets.Changes | None = None
        for _ in range(OVERTAKEN_AT_MOST):
            version = self._store.version()
            changes = self._read_again(tables, now, is_begun=told is not None)
            told = changes if told is None else told
            if only_check or self._take_in_slices(changes, version, who, now):
                return told
        with self._act(who, now) as act:  # somebody registers something all the time: now they wait until it is done
            self._take_over(act, self._hashed(self._read_again(tables, now, is_begun=True)))
        return told or sheets.Changes()

    def _read_again(self, tables: sheets.Tables, now: datetime, *, is_begun: bool) -> sheets.Changes:
        try:
            return sheets.understand(tables, self._store, self._levels, now)
        except RegistrationError as wrong:
            if is_begun:
                raise RegistrationError(Sentence(OVERTAKEN), *wrong.sentences) from wrong
            raise

    def _take_in_slices(self, changes: sheets.Changes, version: int, who: str, now: datetime) -> bool:
        """Write what was understood of this version of the registry. False: somebody else has written meanwhile, and
        what is left has to be understood anew."""
        silent = copy(self)  # the broker is told once, however many slices hold new secrets
        silent._on_hubs = lambda secrets: None
        parts = list(changes.slices(WRITTEN_AT_ONCE))
        try:
            for number, part in enumerate(parts, 1):
                hashed, is_last = self._hashed(part), number == len(parts)
                with (silent if is_last else silent.beside(lambda ledger: None))._act(who, now) as act:
                    if self._store.version() != version:
                        raise _Overtaken
                    self._take_over(act, hashed)
                version += 1  # by ourselves
                if not is_last:
                    sleep(LET_OTHERS_S)
        except _Overtaken:
            return False
        finally:
            if changes.secrets:
                self._on_hubs(self._store.hub_secrets())
        return True

    def _hashed(self, changes: sheets.Changes) -> sheets.Changes:
        """What is to be written: of each secret only what the broker needs."""
        return replace(changes, secrets={hub: self._hash(secret) for hub, secret in changes.secrets.items()})

    def note_export(self, *, who: str, now: datetime) -> None:
        """Everything registered has left the house as tables: who did that is kept."""
        with self._store.begin() as ledger:
            ledger.audit(Act(at=now, who=who, what="registry.export", ref="registry"))

    def _take_over(self, act: "_Act", changes: sheets.Changes) -> None:
        ledger, now = act.ledger, act.now
        for area in changes.areas:
            ledger.put_area(area, now)
            act.note("area.put", area.code)
        for grid in changes.grids:
            ledger.put_grid(grid)
            act.note("grid.put", grid.code)
        for person in changes.people:
            ledger.put_person(person, now)
        named = {person.id: person for person in changes.people}
        for person_id, phones in changes.phones.items():
            ledger.put_phones(person_id, phones, now)
            self._follow_phones(act, named.get(person_id) or self._person(person_id), phones)
        for person_id, duties in changes.duties.items():
            ledger.put_duties(person_id, duties, now)
        for person_id in dict.fromkeys((*(p.id for p in changes.people), *changes.phones, *changes.duties)):
            act.note("person.put", person_id)
        for profile in changes.profiles:
            ledger.put_profile(profile, now)
            act.note("profile.put", profile.person)
        profiles = {profile.person: profile for profile in changes.profiles}
        put = {home.id: home for home in changes.homes}
        before = {home_id: put.get(home_id) or self._home(home_id) for home_id in changes.states}
        for home_id, (state, _, trial_until) in changes.states.items():
            put[home_id] = _standing(before[home_id], state, trial_until, now)
        for home in put.values():
            ledger.put_home(home, now)
            if home.person:
                self.plans.follow_profile(act, home, profiles.get(home.person) or self._store.profile(home.person))
            act.note("home.put", home.id, facts=(("state", home.state.value),))
        for home in self._store.homes() if profiles else ():
            if home.id not in put and home.person in profiles:
                self.plans.follow_profile(act, home, profiles[home.person])
        for home_id, (state, why, _) in changes.states.items():
            self._say_why(act, before[home_id], state, why, None)
        for home_id, contacts in changes.contacts.items():
            ledger.put_contacts(home_id, contacts, now)
            act.note("contacts.put", home_id)
        for hub, hashed in changes.secrets.items():
            act.set_secret(hub, hashed)
            act.note("hub.secret", hub)
        for shift in changes.shifts:
            ledger.put_shift(shift)
            act.note("shift.put", shift.id)
        for holiday in changes.holidays:
            ledger.put_holiday(holiday)
            act.note("holiday.put", f"{holiday.day}", facts=(("place", holiday.place),))
        for leave in changes.leaves:
            ledger.put_leave(leave if leave.author else replace(leave, author=act.who))
            act.note("leave.put", leave.person, why=leave.reason)
        if changes:
            act.publish(",".join(sorted(changes.touched)[:20]))

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

    # ------------------------------------------------------------------ households

    def open_home(self, home: Home, *, resident: Person | None = None, who: str, now: datetime) -> Home:
        """Register a new household, with whoever lives there; its hubs have no secret yet."""
        with self._act(who, now) as act:
            if self._store.home(home.id) is not None:
                raise refused(N_("There is a home '{home}' already; open that one."), home=home.id)
            if resident is None:
                return self._put(act, None, home, "home.open")
            self._put_person(act, resident, None, None)
            act.publish(resident.id)
            return self._put(act, None, replace(home, person=resident.id), "home.open", newcomer=resident.id)

    def change_home(self, home_id: str, *, who: str, now: datetime, **fields: Any) -> Home:
        """Change its code, name, grid, zone, address, access, position or person."""
        unknown = fields.keys() - {"code", "name", "grid", "zone", "address", "access", "position", "person"}
        if unknown:
            raise TypeError(f"change_home does not change {sorted(unknown)}; there are other use-cases for these")
        with self._act(who, now) as act:
            home = self._home(home_id)
            changed = tuple((name, "") for name, value in fields.items() if getattr(home, name) != value)
            return self._put(act, home, replace(home, **fields), "home.change", facts=changed)

    def put_room(self, home_id: str, room: Room, *, who: str, now: datetime) -> Home:
        """Add a room, or rename one."""
        with self._act(who, now) as act:
            home = self._home(home_id)
            known = home.room(room.id) is not None
            rooms = tuple(room if r.id == room.id else r for r in home.rooms) + (() if known else (room,))
            return self._put(act, home, replace(home, rooms=rooms), "room.put", ref=room.id)

    def remove_room(self, home_id: str, room_id: str, *, who: str, now: datetime) -> Home:
        with self._act(who, now) as act:
            home = self._home(home_id)
            if home.room(room_id) is None:
                raise refused(N_("There is no room '{room}' in home '{home}'."), room=room_id, home=home_id)
            hanging = [sensor.name or sensor.id for sensor in home.sensors if sensor.room == room_id]
            if hanging:
                text = N_("In this room there still hang {devices}; move or remove them first.")
                raise refused(text, devices=", ".join(hanging))
            rooms = tuple(room for room in home.rooms if room.id != room_id)
            return self._put(act, home, replace(home, rooms=rooms), "room.remove", ref=room_id)

    # ------------------------------------------------------------------ hubs

    def add_hub(
        self, home_id: str, *, hub_id: str = "", interval: timedelta | None = HUB_INTERVAL, who: str, now: datetime
    ) -> tuple[Hub, str]:
        """A new hub for this home, and its secret: to be shown once, for only its hash is kept."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._act(who, now) as act:
            home = self._home(home_id)
            hub = Hub(id=hub_id or self._new_hub_id(), home=home_id, interval=interval)
            self._put(act, home, replace(home, hubs=(*home.hubs, hub)), "hub.add", ref=hub.id)
            act.set_secret(hub.id, self._hash(secret))
        return hub, secret

    def replace_hub(self, home_id: str, hub_id: str, *, new_id: str = "", who: str, now: datetime) -> tuple[Hub, str]:
        """A new box for a broken one: what hung on the old one hangs on the new one, and the old one has no way in."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._act(who, now) as act:
            home = self._home(home_id)
            old = self._hub(home, hub_id)
            hub = replace(old, id=new_id or self._new_hub_id())
            act.set_secret(old.id, None)
            hubs = tuple(hub if h.id == old.id else h for h in home.hubs)
            sensors = tuple(replace(s, hub=hub.id) if s.hub == old.id else s for s in home.sensors)
            facts = (("replaced", old.id),)
            self._put(act, home, replace(home, hubs=hubs, sensors=sensors), "hub.replace", ref=hub.id, facts=facts)
            act.set_secret(hub.id, self._hash(secret))
        return hub, secret

    def renew_secret(self, hub: str, secret: str | None, *, who: str, now: datetime) -> None:
        """Give a hub a new secret, or with None none at all: it is cut off from then on, and no other home is touched.

        Raises RegistrationError for a hub that nobody registered.
        """
        if secret is not None and len(secret) < SHORTEST_SECRET:
            raise refused(N_("The secret is too short; at least {least} characters (128 bit)."), least=SHORTEST_SECRET)
        with self._act(who, now) as act:
            place = next((known.home for known in self._store.hubs() if known.id == hub), None)
            if place is None:
                raise refused(N_("There is no hub '{hub}'."), hub=hub)
            act.set_secret(hub, self._hash(secret) if secret else None)
            act.write("hub.secret" if secret else "hub.revoke", hub, self._home(place))

    def remove_hub(self, home_id: str, hub_id: str, *, who: str, now: datetime) -> Home:
        """Take a hub out of a home: it has no way in from then on."""
        with self._act(who, now) as act:
            home = self._home(home_id)
            self._hub(home, hub_id)
            hanging = [sensor.name or sensor.id for sensor in home.sensors if sensor.hub == hub_id]
            if hanging:
                text = N_("On this hub there still hang {devices}; replace the hub, or remove them first.")
                raise refused(text, devices=", ".join(hanging))
            act.set_secret(hub_id, None)
            hubs = tuple(hub for hub in home.hubs if hub.id != hub_id)
            return self._put(act, home, replace(home, hubs=hubs), "hub.remove", ref=hub_id)

    # ------------------------------------------------------------------ devices

    def put_sensor(
        self,
        home_id: str,
        sensor: Sensor,
        *,
        note: str = "",
        photo: str = "",
        link: float | None = None,
        battery: float | None = None,
        who: str,
        now: datetime,
    ) -> Home:
        """Register a device, or change what it is called or is for; a new one begins its installation history."""
        with self._act(who, now) as act:
            home = self._home(home_id)
            is_new = all(known.id != sensor.id for known in home.sensors)
            sensors = tuple(sensor if s.id == sensor.id else s for s in home.sensors) + ((sensor,) if is_new else ())
            changed = self._put(act, home, replace(home, sensors=sensors), "device.put", ref=sensor.id)
            if is_new or note or photo:
                act.ledger.note_installation(
                    Installation(
                        home=home_id,
                        sensor=sensor.id,
                        at=now,
                        by=who,
                        link=link,
                        battery=battery,
                        note=note,
                        photo=photo,
                    )
                )
            return changed

    def replace_sensor(
        self,
        home_id: str,
        sensor_id: str,
        *,
        hub: str,
        address: str,
        model: str = "",
        power: Power = Power.UNKNOWN,
        note: str = "",
        photo: str = "",
        who: str,
        now: datetime,
    ) -> Home:
        """Another box in the same place: the id stays, so the history of its readings goes on."""
        with self._act(who, now) as act:
            home = self._home(home_id)
            old = self._sensor(home, sensor_id)
            new = replace(old, hub=hub, address=address, model=model, power=power)
            sensors = tuple(new if s.id == sensor_id else s for s in home.sensors)
            facts = (("address", address), ("replaced", old.address))
            changed = self._put(act, home, replace(home, sensors=sensors), "device.replace", ref=sensor_id, facts=facts)
            act.ledger.note_installation(
                Installation(home=home_id, sensor=sensor_id, at=now, by=who, note=note, photo=photo)
            )
            return changed

    def move_sensor(self, home_id: str, sensor_id: str, room: str, *, who: str, now: datetime) -> Home:
        """The same device in another room; where it hung before stays known."""
        with self._act(who, now) as act:
            home = self._home(home_id)
            old = self._sensor(home, sensor_id)
            sensors = tuple(replace(s, room=room) if s.id == sensor_id else s for s in home.sensors)
            facts = (("from", old.room), ("to", room))
            return self._put(act, home, replace(home, sensors=sensors), "device.move", ref=sensor_id, facts=facts)

    def remove_sensor(self, home_id: str, sensor_id: str, why: str, *, who: str, now: datetime) -> Home:
        """Take a device down. What it said stays in the history."""
        if not why.strip():
            raise refused(N_("Please say why the device is removed."))
        with self._act(who, now) as act:
            home = self._home(home_id)
            old = self._sensor(home, sensor_id)
            sensors = tuple(s for s in home.sensors if s.id != sensor_id)
            facts = (("address", old.address), ("role", old.role.value))
            return self._put(
                act, home, replace(home, sensors=sensors), "device.remove", ref=sensor_id, why=why, facts=facts
            )

    def note_installation(self, installation: Installation, *, who: str, now: datetime) -> None:
        """What a walk test said of a device, or where it hangs: one more line of its history."""
        with self._act(who, now) as act:
            home = self._home(installation.home)
            self._sensor(home, installation.sensor)
            act.ledger.note_installation(installation)
            act.write("device.note", f"{home.id}/{installation.sensor}", home)

    def keep_record(self, record: Commissioning, *, who: str, now: datetime) -> None:
        """Keep a signed commissioning record, as it is."""
        with self._act(who, now) as act:
            act.ledger.keep_record(record)
            act.write("home.record", record.home, self._home(record.home))

    # ------------------------------------------------------------------ state and maintenance

    def set_state(
        self,
        home_id: str,
        state: Monitoring,
        *,
        why: str = "",
        trial_until: datetime | None = None,
        until: datetime | None = None,
        who: str,
        now: datetime,
    ) -> Home:
        """建档, 试运行, 守护中, 暂停, 停用.

        On trial a home is watched in full, while its detectors still learn: `trial_until` says to everybody until
        when (14 days). It becomes guarded by a person's act, never by itself. A pause needs a reason and may have an
        end (`until`); a retired home needs one of the reasons of `Leaving`, and its hubs lose their secrets.
        """
        with self._act(who, now) as act:
            home = self._home(home_id)
            if state in (Monitoring.TRIAL, Monitoring.GUARDED) and not home.sensors:
                raise refused(N_("Nothing hangs in this home yet; without a device it cannot be watched."))
            if state is Monitoring.TRIAL and trial_until is not None and trial_until <= now:
                raise refused(N_("The learning period has to end in the future."))
            if state is Monitoring.PAUSED and not why.strip():
                raise refused(N_("Please say why the home is not to be watched for a while."))
            if state is Monitoring.PAUSED and until is not None and until <= now:
                raise refused(N_("The pause has to end in the future."))
            if state is Monitoring.RETIRED and why not in list(Leaving):
                raise refused(N_("Please say why the home is given up: {reasons}."), reasons=", ".join(Leaving))
            new = _standing(home, state, trial_until, now)
            self._say_why(act, home, state, why, until)
            return self._put(act, home, new, f"home.{state.value}", why=why)

    def _say_why(self, act: "_Act", before: Home, state: Monitoring, why: str, until: datetime | None) -> None:
        """What goes with a state: the reason in the home's plan; and whoever has left is not listened to."""
        self._end(act, before.id, PAUSE, RETIRED)
        if state is Monitoring.PAUSED:
            last = self._last_pause(before.id)
            was_paused = before.state is Monitoring.PAUSED and last is not None
            self._begin(act, before.id, PAUSE, last.value if was_paused and last else before.state.value, until, why)
        elif state is Monitoring.RETIRED:
            self._begin(act, before.id, RETIRED, why, None, why)
            self._end(act, before.id, MAINTENANCE)
            for hub in before.hubs:
                act.set_secret(hub.id, None)

    def end_pauses(self, *, now: datetime) -> list[str]:
        """Watch again over the homes whose pause has come to its end, as before it; returns their ids."""
        resumed = []
        for home in self._store.homes():
            if home.state is not Monitoring.PAUSED:
                continue
            with self._act("gateway", now) as act:
                line = self._last_pause(home.id)
                if line is None or line.until is None or line.until > now:
                    continue
                self._put(act, home, replace(home, state=Monitoring(line.value)), f"home.{line.value}", why="pause.end")
                resumed.append(home.id)
        return resumed

    def maintain(
        self, home_id: str, until: datetime, testing: Sequence[str], *, why: str, who: str, now: datetime
    ) -> Override:
        """Somebody works in the home until then, at most four hours, and tries out these devices and no others."""
        if not now < until <= now + MAINTENANCE_AT_MOST:
            raise refused(N_("Maintenance ends within four hours; begin it again if you are still there."))
        if not why.strip():
            raise refused(N_("Please say what is done in the home."))
        with self._act(who, now) as act:
            home = self._home(home_id)
            for sensor_id in testing:
                self._sensor(home, sensor_id)
            self._end(act, home_id, MAINTENANCE)
            line = self._begin(act, home_id, MAINTENANCE, ",".join(testing), until, why)
            act.write("home.maintain", home_id, home, why=why, facts=(("testing", line.value),))
            return line

    def end_maintenance(self, home_id: str, *, who: str, now: datetime) -> None:
        """The work is done. Nothing to end is no error: it may have ended by itself."""
        with self._act(who, now) as act:
            home = self._home(home_id)
            if self._end(act, home_id, MAINTENANCE):
                act.write("home.maintain.end", home_id, home)

    def announce_button_test(self, home_id: str, until: datetime, *, who: str, now: datetime) -> Override:
        """Emergency buttons are about to be tried out: until then the first press of each calls nobody."""
        if not now < until <= now + BUTTON_TEST_AT_MOST:
            raise refused(
                N_("A test of buttons ends within half an hour; announce it when somebody is about to press.")
            )
        with self._act(who, now) as act:
            home = self._home(home_id)
            buttons = [sensor.id for sensor in home.sensors if sensor.role is Role.SOS]
            if not buttons:
                raise refused(N_("There is no emergency button in home '{home}'."), home=home_id)
            self._end(act, home_id, BUTTON_TEST)
            line = self._begin(act, home_id, BUTTON_TEST, ",".join(buttons), until, "monthly test")
            act.write("home.button-test", home_id, home, facts=(("buttons", line.value),))
            return line

    # ------------------------------------------------------------------ people

    def put_person(
        self,
        person: Person,
        *,
        phones: Sequence[str] | None = None,
        duties: Sequence[tuple[Duty, str]] | None = None,
        who: str,
        now: datetime,
    ) -> None:
        """Register somebody, or change them; telephone numbers and duties stay as they are where none are given."""
        with self._act(who, now) as act:
            self._put_person(act, person, phones, duties)
            act.publish(person.id)

    def drop_way(self, way: Reach, *, who: str, now: datetime) -> None:
        """This way leads nowhere any more: whoever had it is reached by their others."""
        for person in self._store.people():
            if way in person.reaches:
                left = tuple(reach for reach in person.reaches if reach != way)
                self.put_person(replace(person, reaches=left), who=who, now=now)

    def read_profile(self, person_id: str, *, who: str, now: datetime) -> Profile:
        """A resident's file, blank where nobody began one. Illnesses stand in it: whoever reads it is written down."""
        with self._act(who, now) as act:
            self._person(person_id)
            act.note("profile.read", person_id)
            return self._store.profile(person_id) or Profile(person=person_id)

    def put_profile(self, profile: Profile, *, who: str, now: datetime) -> None:
        if profile.birth_year is not None and not 1900 <= profile.birth_year <= now.year:
            raise refused(N_("A year of birth lies between 1900 and now, not at {year}."), year=profile.birth_year)
        with self._act(who, now) as act:
            self._person(profile.person)
            act.ledger.put_profile(profile, now)
            self.plans.follow_resident(act, profile)
            act.note("profile.put", profile.person)
            act.publish(profile.person)

    def put_contacts(
        self, home_id: str, contacts: Sequence[Contact], *, people: Iterable[Person] = (), who: str, now: datetime
    ) -> None:
        """All contacts of a home in the order in which they are called, with people of theirs who are new to us."""
        with self._act(who, now) as act:
            home = self._home(home_id)
            for person in people:
                self._put_person(act, person, None, None)
            known = {person.id: person for person in (*self._store.people(), *people)}
            for contact in contacts:
                if contact.person not in known:
                    raise refused(N_("There is nobody '{person}'; register them."), person=contact.person)
                if contact.hours and not HOURS.fullmatch(contact.hours):
                    text = N_("'{hours}' are no hours; they look like 08:00-22:00, or are empty.")
                    raise refused(text, hours=contact.hours)
                if contact.phones:
                    self._put_phones(act, known[contact.person], contact.phones)
            act.ledger.put_contacts(home_id, contacts, now)
            act.write("contacts.put", home_id, home)

    def give_consent(self, consent: Consent, *, who: str, now: datetime) -> int:
        """Keep what somebody agreed to; returns its number."""
        with self._act(who, now) as act:
            self._person(consent.person)
            number = act.ledger.give_consent(consent)
            act.note("consent.give", consent.person, facts=(("purpose", consent.purpose),))
            act.publish(consent.person)
            return number

    def withdraw_consent(self, person_id: str, number: int, *, why: str = "", who: str, now: datetime) -> None:
        """What was agreed to no longer holds; that it once did stays known. What was kept by it alone goes at once."""
        with self._act(who, now) as act:
            standing = [c for c in self._store.consents(person_id) if c.number == number and c.holds]
            if not standing:
                raise refused(N_("This consent was withdrawn already, or was never given."))
            act.ledger.withdraw_consent(number, now)
            act.note("consent.withdraw", person_id, why=why, facts=(("purpose", standing[0].purpose),))
            profile = self._store.profile(person_id)
            holding = [c for c in self._store.consents(person_id) if c.holds and c.number != number]
            if profile is not None and standing[0].purpose == HEALTH and all(c.purpose != HEALTH for c in holding):
                act.ledger.put_profile(profile.without_health(), now)
                self.plans.follow_resident(act, profile.without_health())
                act.note("profile.put", person_id, why="consent.withdraw")
            act.publish(person_id)

    # ------------------------------------------------------------------ what every act has in common

    @contextmanager
    def _act(self, who: str, now: datetime) -> Iterator["_Act"]:
        """One transaction. What is read inside it stays as it is until its end: there is one writer at a time."""
        with self._store.begin() as ledger:
            act = _Act(ledger, who, now)
            yield act
            self._beside(ledger)
        if act.hubs_changed:
            self._on_hubs(self._store.hub_secrets())

    def _put(
        self,
        act: "_Act",
        before: Home | None,
        home: Home,
        what: str,
        *,
        ref: str = "",
        why: str = "",
        facts: Facts = (),
        newcomer: str = "",
    ) -> Home:
        """Write a home as it now is, unless something about it cannot be that could be before. `newcomer` is somebody
        whom this transaction has registered."""
        known = self._known()
        if newcomer:
            known = replace(known, people=known.people | {newcomer})
        old = set() if before is None else {fault.sentence for fault in faults_of(before, known)}
        wrong = [sentence for sentence in sentences(faults_of(home, known)) if sentence not in old]
        if wrong:
            raise RegistrationError(*wrong)
        act.ledger.put_home(home, act.now)
        if home.person and (before is None or before.person != home.person):
            self.plans.follow_profile(act, home, self._store.profile(home.person))
        act.write(what, f"{home.id}/{ref}" if ref else home.id, home, why=why, facts=facts)
        return home

    def _known(self) -> Known:
        homes = self._store.homes()
        return Known(
            grids=frozenset(grid.code for grid in self._store.grids()),
            people=frozenset(person.id for person in self._store.people()),
            hubs={hub.id: home.id for home in homes for hub in home.hubs},
            codes={home.code: home.id for home in homes},
        )

    def _put_person(
        self, act: "_Act", person: Person, phones: Sequence[str] | None, duties: Sequence[tuple[Duty, str]] | None
    ) -> None:
        if not is_person_id(person.id):
            raise refused(
                N_("'{id}' is no id of a person: 1 to 80 characters on one line, without ';', ':' and '/'."),
                id=person.id,
            )
        if not person.name or not is_name(person.name):
            raise refused(N_("A person needs a name of at most 80 characters."))
        places = {grid.code for grid in self._store.grids()} | {area.code for area in self._store.areas()}
        for _, grid in duties or ():
            if grid and grid not in places:
                raise refused(N_("There is no grid '{grid}'; register it first."), grid=grid)
        act.ledger.put_person(person, act.now)
        if phones is not None:
            self._put_phones(act, person, phones)
        if duties is not None:
            act.ledger.put_duties(person.id, duties, act.now)
        act.note("person.put", person.id)

    def _put_phones(self, act: "_Act", person: Person, phones: Sequence[str]) -> None:
        for number in phones:
            if not PHONE.fullmatch(number):
                text = N_("'{number}' is no telephone number; it looks like 13800001111 or 0571-88880000.")
                raise refused(text, number=number)
        act.ledger.put_phones(person.id, phones, act.now)
        self._follow_phones(act, person, phones)

    def _follow_phones(self, act: "_Act", person: Person, phones: Sequence[str]) -> None:
        """Whoever has a telephone and no other way to be told is written to and rung up on it; where the number of such
        a way changes, the way goes along."""
        old, channels = self._store.phones(person.id), {line.channel for line in self._lines}
        by_number = [way for way in person.reaches if way.channel in channels and way.address in old]
        own = tuple(way for way in person.reaches if way not in by_number)
        lines = by_number if own else self._lines
        ways = (*own, *(replace(line, address=phones[0]) for line in lines if phones))
        if ways != person.reaches:
            act.ledger.put_person(replace(person, reaches=ways), act.now)

    def _begin(self, act: "_Act", home_id: str, key: str, value: str, until: datetime | None, why: str) -> Override:
        check_length(why)
        line = Override(home=home_id, key=key, value=value, since=act.now, until=until, author=act.who, reason=why)
        act.ledger.put_override(line)
        return line

    def _end(self, act: "_Act", home_id: str, *keys: str) -> bool:
        """End these lines of the plan now, where they are in force."""
        running = [line for line in self._store.overrides(home_id) if line.key in keys and line.covers(act.now)]
        for line in running:
            act.ledger.put_override(replace(line, until=act.now))
        return bool(running)

    def _last_pause(self, home_id: str) -> Override | None:
        """Its value is the state before the pause."""
        pauses = [line for line in self._store.overrides(home_id) if line.key == PAUSE]
        return pauses[-1] if pauses else None

    def _home(self, home_id: str) -> Home:
        return known_home(self._store, home_id)

    def _hub(self, home: Home, hub_id: str) -> Hub:
        hub = next((hub for hub in home.hubs if hub.id == hub_id), None)
        if hub is None:
            raise refused(N_("There is no hub '{hub}' in home '{home}'."), hub=hub_id, home=home.id)
        return hub

    def _sensor(self, home: Home, sensor_id: str) -> Sensor:
        sensor = next((sensor for sensor in home.sensors if sensor.id == sensor_id), None)
        if sensor is None:
            raise refused(N_("There is no device '{device}' in home '{home}'."), device=sensor_id, home=home.id)
        return sensor

    def _person(self, person_id: str) -> Person:
        return known_person(self._store, person_id)

    def _new_hub_id(self) -> str:
        """Opaque: topics name it, and say nothing about whose home it is."""
        taken = {hub.id for hub in self._store.hubs()}
        return next(made for made in (f"hub-{secrets.token_hex(4)}" for _ in range(100)) if made not in taken)


def _standing(home: Home, state: Monitoring, trial_until: datetime | None, now: datetime) -> Home:
    """The home in this state. What it has learnt does not end with the trial; it ends with the home."""
    if state is Monitoring.TRIAL:
        ends = trial_until or now + LEARNING
        return replace(home, state=state, trial_until=ends.replace(second=0, microsecond=0))
    return replace(home, state=state, trial_until=None if state is Monitoring.RETIRED else home.trial_until)
