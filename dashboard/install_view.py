"""What the installer's pages show: the steps of a household, its inbox, one device. Addresses: `install.py`."""

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zlib import crc32

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from alerts.maintenance import work_in
from dashboard import inbox, pictures, views
from dashboard.auth import Visitor
from dashboard.house import House
from dashboard.inbox import Stranger
from dashboard.install_words import DEVICES, FAULTS, REMOVALS, SAID, STATES, function_name, in_words
from dashboard.pages import QUARANTINE_REASONS, Pages
from dashboard.printer import FALLBACK_ZONE, Printer, tongue_of
from dashboard.views import room_name
from dashboard.walk import WORK_HOURS, WORKS
from dashboard.words import Tongue
from gateway.domain import (
    Condition,
    Duty,
    Grid,
    Home,
    Hub,
    Installation,
    Monitoring,
    Person,
    Reading,
    Role,
    Sensor,
)
from gateway.domain.endpoint import Endpoint
from gateway.ports import Clock, TryLater

INSTALLERS = (Duty.INSTALLER, Duty.ADMIN)
HOMES_SHOWN = 200
"""Whoever has more to install searches."""
PUT_AWAY = 5_000
"""All that the quarantine keeps apart: the device just touched must not be hidden behind another home's noise."""
JOINING = timedelta(seconds=120)
"""So long a hub takes new devices in; then it closes its door by itself."""
PHOTOS_AT_MOST = 100
"""Of one home: enough for every device and its successors, too few to fill a disk."""
READINGS_SHOWN = 8
LOOK_BACK = timedelta(days=7)
LATELY = timedelta(hours=1)
SECRET_SHOWN = timedelta(minutes=15)
SECRETS_AT_ONCE = 200


# --------------------------------------------------------------------------- a secret, shown once


@dataclass(slots=True)
class Counter:
    """Where a new secret lies between its making and the installer's *taken over*: in memory, and not for long.

    Only the session that made it sees it. A restart forgets it, as does time; then the hub is given a new one.
    """

    clock: Clock
    _lying: OrderedDict[tuple[str, str], tuple[str, datetime]] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def lay(self, visitor: Visitor, hub: str, secret: str) -> None:
        with self._lock:
            # Of two secrets of one hub the older is void already, whoever made it.
            for key in [key for key in self._lying if key[1] == hub]:
                del self._lying[key]
            self._lying[visitor.token_hash, hub] = (secret, self.clock.now() + SECRET_SHOWN)
            while len(self._lying) > SECRETS_AT_ONCE:
                self._lying.popitem(last=False)

    def see(self, visitor: Visitor, hub: str) -> str | None:
        with self._lock:
            secret, until = self._lying.get((visitor.token_hash, hub), ("", None))
            if until is None or until <= self.clock.now():
                self._lying.pop((visitor.token_hash, hub), None)
                return None
            return secret

    def clear(self, hub: str) -> None:
        with self._lock:
            for key in [key for key in self._lying if key[1] == hub]:
                del self._lying[key]


def address_of(uplink: Endpoint, hub: str, secret: str) -> str:
    """Everything a hub needs to connect, in one line: what the QR code holds."""
    scheme, host = ("mqtts" if uplink.tls else "mqtt"), f"[{uplink.host}]" if ":" in uplink.host else uplink.host
    return f"{scheme}://{quote(hub)}:{quote(secret, safe='')}@{host}:{uplink.port}"


# --------------------------------------------------------------------------- how far it has come


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the installer's checklist."""

    code: str  # rooms, hub, devices, walk, record
    is_done: bool
    count: int = 0
    of: int = 0


def steps(
    home: Home, is_heard: bool, installations: Sequence[Installation], is_recorded: bool
) -> tuple[list[Step], Step | None]:
    """How far the installation of a home has come, and the step that is next; None when nothing is left."""
    passed = {line.sensor: line.passed for line in installations if line.passed is not None}  # the last one counts
    good = sum(passed.get(sensor.id) is True for sensor in home.sensors)
    told = [
        Step("rooms", bool(home.rooms), len(home.rooms)),
        Step("hub", bool(home.hubs) and is_heard, len(home.hubs)),
        Step("devices", bool(home.sensors), len(home.sensors)),
        Step("walk", bool(home.sensors) and good == len(home.sensors), good, len(home.sensors)),
        Step("record", is_recorded),
    ]
    return told, next((step for step in told if not step.is_done), None)


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A registered device with how it is."""

    sensor: Sensor
    room: str
    condition: Condition | None
    heard: datetime | None

    @property
    def is_bad(self) -> bool:
        return self.condition is not None and bool(self.condition.faults)


def device_lines(home: Home, conditions: Sequence[Condition], lately: Sequence[Reading]) -> list[DeviceLine]:
    """What has a fault first, then by room. What was said lately is known before supervision has judged it."""
    known = {condition.sensor: condition for condition in conditions}
    said = {line.sensor.id: line.heard for line in views.sensor_lines(home, lately)}
    order = {room.id: place for place, room in enumerate(home.rooms)}
    lines = []
    for sensor in home.sensors:
        condition = known.get(sensor.id)
        moments = [at for at in (condition.heard if condition else None, said[sensor.id]) if at is not None]
        lines.append(DeviceLine(sensor, room_name(home, sensor.room), condition, max(moments, default=None)))
    return sorted(lines, key=lambda line: (not line.is_bad, order.get(line.sensor.room, 99), line.sensor.name))


def home_id_for(code: str, taken: Callable[[str], bool]) -> str:
    """A home's lasting id: from its 户号 where that can be read in an address, else drawn."""
    plain = re.sub(r"[^a-z0-9]+", "-", code.lower()).strip("-")[:40]
    wanted = f"h-{plain}"
    is_faithful = bool(plain) and code.isascii()
    return wanted if is_faithful and not taken(wanted) else f"h-{secrets.token_hex(5)}"


def sensor_id_for(home: Home, stranger: Stranger) -> str:
    """The same device gives the same id, so that a form sent twice registers it once."""
    wanted = f"{home.id[:50]}-{crc32(f'{stranger.hub}/{stranger.address}'.encode()):08x}"
    taken = {sensor.id for sensor in home.sensors}
    return wanted if wanted not in taken else f"{wanted}-{secrets.token_hex(2)}"


def name_for(tongue: Tongue, home: Home, room: str, role: Role) -> str:
    """ "Bedroom motion sensor", with a number when there is one already."""
    noun = tongue.say(DEVICES[role][0])
    where = room_name(home, room)
    name = noun if role is Role.EXIT_DOOR or not where else tongue.say("{room} {device}", room=where, device=noun)
    taken = {sensor.name for sensor in home.sensors}
    number, wanted = 2, name
    while wanted in taken:
        wanted, number = f"{name} {number}", number + 1
    return wanted


# --------------------------------------------------------------------------- the pages


class Install:
    """What each of these pages needs from the stores, for whom."""

    def __init__(self, house: House, printer: Printer, sight: Pages) -> None:
        self.house = house
        self.printer = printer
        self.sight = sight
        self.counter = Counter(house.clock)
        self._joining: dict[str, datetime] = {}  # hub -> until when it takes new devices in

    def page(self, request: Request, template: str, visitor: Visitor, **context: Any) -> Response:
        said = request.query_params.get("said", "")
        tongue = tongue_of(request)
        return self.printer.page(
            request,
            template,
            visitor=visitor,
            said=tongue.say(SAID[said]) if said in SAID else "",
            state_word=lambda state: tongue.say(STATES[state]),
            device_word=lambda role: tongue.say(DEVICES[role][0]),
            fault_word=lambda code: tongue.say(FAULTS[code]) if code in FAULTS else code,
            **context,
        )

    def home(self, visitor: Visitor, home_id: str) -> Home:
        return self.sight.home(visitor, home_id)

    def hub(self, home: Home, hub_id: str) -> Hub:
        found = next((hub for hub in home.hubs if hub.id == hub_id), None)
        if found is None:
            raise HTTPException(404)
        return found

    def sensor(self, home: Home, sensor_id: str) -> Sensor:
        found = next((sensor for sensor in home.sensors if sensor.id == sensor_id), None)
        if found is None:
            raise HTTPException(404)
        return found

    def open_home(self, fields: Mapping[str, Any], *, who: str, now: datetime) -> Home:
        """A new household with its resident; its lasting id comes from its number."""
        home = self.new_home(fields)
        return self.house.registrar.open_home(home, resident=resident_of(home), who=who, now=now)

    def new_home(self, fields: Mapping[str, Any]) -> Home:
        made = home_id_for(fields["code"], lambda wanted: self.house.registry.home(wanted) is not None)
        return Home(id=made, state=Monitoring.REGISTERED, **fields)

    def change_home(self, home: Home, fields: Mapping[str, Any], *, who: str, now: datetime) -> Home:
        changed = self.house.registrar.change_home(home.id, **fields, who=who, now=now)
        return self._with_resident(changed, who=who, now=now)

    def _with_resident(self, home: Home, *, who: str, now: datetime) -> Home:
        """Somebody lives there: whoever agrees to be watched over has to be a person of ours."""
        if home.person:
            return home
        resident = resident_of(home)
        self.house.registrar.put_person(resident, who=who, now=now)
        return self.house.registrar.change_home(home.id, person=resident.id, who=who, now=now)

    def change_device(self, home: Home, sensor: Sensor, changed: Sensor, room: str, *, who: str, now: datetime) -> None:
        """What it is called and is for, and where it hangs: that it moved is a line of its own in its history."""
        if changed != sensor:
            self.house.registrar.put_sensor(home.id, changed, who=who, now=now)
        if room != sensor.room:
            self.house.registrar.move_sensor(home.id, sensor.id, room, who=who, now=now)

    def replace_device(self, home: Home, sensor: Sensor, new: Stranger, *, who: str, now: datetime) -> bool:
        """Another box in the same place. False: it is a life-safety device, and its hub could not be asked to hurry."""
        replaced = self.house.registrar.replace_sensor(
            home.id,
            sensor.id,
            hub=new.hub,
            address=new.address,
            model=new.model,
            power=new.power,
            note=new.model or new.name,
            who=who,
            now=now,
        )
        hung = self.sensor(replaced, sensor.id)
        return not self.has_slow_lane(hung) or self.give_fast_lane(hung)

    def hub_heard(self, home: Home, hub: Hub) -> datetime | None:
        """When this hub was last heard; of a home with one hub the home's own time is as good and comes sooner."""
        known = [c.heard for c in self.house.readings.conditions(home.id) if c.sensor == hub.id and c.heard]
        if len(home.hubs) == 1 and (heard := self.house.readings.heard(home.id).get(home.id)):
            known.append(heard)
        return max(known, default=None)

    def joining_until(self, home: Home) -> datetime | None:
        now = self.house.clock.now()
        self._joining = {hub: until for hub, until in self._joining.items() if until > now}
        return max((self._joining[hub.id] for hub in home.hubs if hub.id in self._joining), default=None)

    # ------------------------------------------------------------------ households

    def show_list(self, request: Request, visitor: Visitor, sought: str) -> Response:
        house, word = self.house, sought.strip().lower()
        homes = [
            home
            for home in self.sight.homes(visitor)
            if (word in f"{home.code} {home.name} {home.address}".lower() if word else not _is_retired(home))
        ]
        order = list(Monitoring)
        homes.sort(key=lambda home: (order.index(home.state), home.code))
        faults: dict[str, int] = {}
        for condition in house.readings.conditions():
            faults[condition.home] = faults.get(condition.home, 0) + bool(condition.faults)
        is_admin = visitor.account.duty is Duty.ADMIN and not visitor.account.place
        return self.page(
            request,
            "install_list.html",
            visitor,
            homes=homes[:HOMES_SHOWN],
            more=max(0, len(homes) - HOMES_SHOWN),
            sought=sought,
            faults=faults,
            unknown_hubs=inbox.unknown_hubs(house.readings.quarantine(PUT_AWAY)) if is_admin else [],
            page_zone=FALLBACK_ZONE,
        )

    def grids(self, visitor: Visitor) -> list[Grid]:
        return [grid for grid in self.house.registry.grids() if self.sight.covers(visitor, grid.code)]

    def show_home_form(
        self, request: Request, visitor: Visitor, home: Home | None, given: dict[str, str], error: str = ""
    ) -> Response:
        areas = {area.code: area.name for area in self.house.registry.areas()}
        grids = self.grids(visitor)
        return self.page(
            request,
            "install_household.html",
            visitor,
            status=422 if error else 200,
            home=home,
            given=dict.fromkeys(("code", "name", "grid", "address", "access", "position", "zone"), "") | given,
            error=error,
            grids=[(grid.code, f"{areas.get(grid.community, '')} {grid.name}".strip()) for grid in grids],
        )

    def show_home(self, request: Request, visitor: Visitor, home: Home) -> Response:
        house, registry, now = self.house, self.house.registry, self.house.clock.now()
        is_heard = any(self.hub_heard(home, hub) for hub in home.hubs)
        told, following = steps(home, is_heard, registry.installations(home.id), bool(registry.records(home.id)))
        return self.page(
            request,
            "install_home.html",
            visitor,
            now=now,
            page_zone=home.zone,
            home=home,
            steps=told,
            following=following,
            lines=device_lines(
                home,
                house.readings.conditions(home.id),
                house.readings.readings(home.id, now - LATELY, now + LATELY),
            ),
            gaps=house.readings.gaps(home.id).get(home.id, ()),
            work=work_in(registry.plan(home.id, now), now),
            works=WORKS,
            hours=WORK_HOURS,
        )

    def before_pause(self, home: Home) -> Monitoring:
        """As the household stood before it was paused."""
        plan = self.house.registry.plan(home.id, self.house.clock.now())
        kept = [line.value for line in plan if line.key == "pause" and line.value in list(Monitoring)]
        return Monitoring(kept[-1]) if kept else Monitoring.GUARDED

    # ------------------------------------------------------------------ the inbox

    def strangers(self, home: Home) -> list[Stranger]:
        devices = [device for hub in home.hubs for device in self.house.readings.devices(hub.id)]
        return inbox.strangers(home, devices, self.house.readings.quarantine(PUT_AWAY))

    def stranger(self, home: Home, hub: str, address: str) -> Stranger:
        """The one that was tapped; 404 when it is registered by now, or never was there."""
        for one in self.strangers(home):
            if (one.hub, one.address) == (hub, address) and address:
                return one
        raise HTTPException(404)

    def show_inbox(
        self, request: Request, visitor: Visitor, home: Home, sought: str, replacing: Sensor | None = None
    ) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        found = self.strangers(home)
        shown = inbox.matching(found, sought) if sought.strip() else found
        return self.page(
            request,
            "install_inbox.html",
            visitor,
            now=now,
            page_zone=home.zone,
            home=home,
            strangers=shown,
            hidden=len(found) - len(shown),
            sought=sought,
            replacing=replacing,
            likely=lambda one: [tongue.say(DEVICES[role][0]) for role in inbox.likely_roles(one.says)[:2]],
            unread=inbox.unread(home, self.house.readings.quarantine(PUT_AWAY))[:20],
            reason=lambda code: tongue.say(QUARANTINE_REASONS[code]) if code in QUARANTINE_REASONS else code,
            joining=self.joining_until(home),
            can_ask=self.house.post is not None,
            is_heard=any(self.hub_heard(home, hub) for hub in home.hubs),
        )

    # ------------------------------------------------------------------ asking a hub

    def ask(self, hub: str, rest: str, **question: Any) -> bool:
        """Whether the broker has the request. That the hub is there to answer it, only its answer shows."""
        if self.house.post is None:
            return False
        try:
            self.house.post.post(hub, rest, json.dumps(question).encode())
        except TryLater:
            return False
        return True

    def open_door(self, hub: str) -> bool:
        # `value` is what Zigbee2MQTT 1 asks for beside the time; 2 passes over it.
        span = int(JOINING.total_seconds())
        if not self.ask(hub, "zigbee2mqtt/bridge/request/permit_join", time=span, value=True):
            return False
        self._joining[hub] = self.house.clock.now() + JOINING
        return True

    def give_fast_lane(self, sensor: Sensor) -> bool:
        """Life-safety devices are called `sos/…`: they then travel by a session of their own."""
        address = sensor.address
        return self.ask(
            sensor.hub, "zigbee2mqtt/bridge/request/device/rename", **{"from": address, "to": f"sos/{sensor.id}"}
        )

    def has_slow_lane(self, sensor: Sensor) -> bool:
        """A life-safety device whose hub calls it by an ordinary name."""
        if not sensor.role.is_life_safety or not inbox.IEEE.fullmatch(sensor.address.lower()):
            return False
        known = [d for d in self.house.readings.devices(sensor.hub) if d.address.lower() == sensor.address.lower()]
        return not any(device.name.startswith("sos/") for device in known)

    # ------------------------------------------------------------------ a device

    def show_device_form(
        self,
        request: Request,
        visitor: Visitor,
        home: Home,
        *,
        stranger: Stranger | None = None,
        sensor: Sensor | None = None,
        given: dict[str, str] | None = None,
        error: str = "",
    ) -> Response:
        likely = inbox.likely_roles(stranger.says) if stranger else ((sensor.role,) if sensor else ())
        if likely and Role.EXIT_DOOR in likely and home.exit_doors and not sensor:
            # A home has one front door; the next contact hangs elsewhere.
            likely = tuple(sorted(likely, key=lambda role: role is Role.EXIT_DOOR))
        roles = [*likely, *(role for role in DEVICES if role not in likely)]
        if given is None and sensor is not None:
            given = {
                "room": sensor.room,
                "role": sensor.role.value,
                "name": sensor.name,
                "subject": sensor.subject,
                "inverted": "1" if sensor.inverted else "",
            }
        tongue = tongue_of(request)
        return self.page(
            request,
            "install_register.html",
            visitor,
            status=422 if error else 200,
            page_zone=home.zone,
            home=home,
            stranger=stranger,
            sensor=sensor,
            given={"room": "", "role": likely[0].value if likely else "", "name": "", "subject": "", "inverted": ""}
            | (given or {}),
            roles=[(role, *(tongue.say(word) if word else "" for word in DEVICES[role])) for role in roles],
            shown_roles=max(4, len(likely)),
            error=error,
        )

    def show_device(self, request: Request, visitor: Visitor, home: Home, sensor: Sensor) -> Response:
        house, now = self.house, self.house.clock.now()
        tongue = tongue_of(request)
        condition = next((c for c in house.readings.conditions(home.id) if c.sensor == sensor.id), None)
        said = [r for r in house.readings.readings(home.id, now - LOOK_BACK, now + LOOK_BACK) if r.sensor == sensor.id]
        history = [line for line in house.registry.installations(home.id) if line.sensor == sensor.id]
        return self.page(
            request,
            "install_device.html",
            visitor,
            now=now,
            page_zone=home.zone,
            home=home,
            sensor=sensor,
            room=room_name(home, sensor.room),
            condition=condition,
            functions=[(function_name(tongue, kind), at) for kind, at in (condition.functions if condition else ())],
            readings=[(r.at, in_words(tongue, r)) for r in said[::-1][:READINGS_SHOWN]],
            history=[(line, self.sight.name_of(line.by)) for line in history[::-1]],
            photo=next((line.photo for line in history[::-1] if line.photo), ""),
            can_picture=house.photos is not None,
            is_slow=self.has_slow_lane(sensor),
            can_ask=house.post is not None,
            removals=[tongue.say(why) for why in REMOVALS],
        )

    # ------------------------------------------------------------------ pictures

    def keep_photo(self, visitor: Visitor, home: Home, sensor: Sensor, picture: bytes) -> str:
        """What is to be said about it: only what begins like a JPEG or PNG is kept, under a name of our own."""
        if self.has_enough_photos(home):
            return "many-photos"
        name = pictures.keep(self.house.photos, picture)
        if not name:
            return "no-photo"
        now, who = self.house.clock.now(), visitor.account.person
        line = Installation(home=home.id, sensor=sensor.id, at=now, by=who, photo=name)
        self.house.registrar.note_installation(line, who=who, now=now)
        return "photo"

    def has_enough_photos(self, home: Home) -> bool:
        return sum(bool(line.photo) for line in self.house.registry.installations(home.id)) >= PHOTOS_AT_MOST

    def photo(self, home: Home, name: str) -> Response:
        """A picture of this home: of another one's it answers as if there were none."""
        is_ours = any(line.photo == name for line in self.house.registry.installations(home.id))
        found = pictures.show(self.house.photos, name) if is_ours else None
        if found is None:
            raise HTTPException(404)
        return found


def resident_of(home: Home) -> Person:
    return Person(id=f"{home.id[:55]}-elder", name=home.name)


def _is_retired(home: Home) -> bool:
    return home.state is Monitoring.RETIRED
