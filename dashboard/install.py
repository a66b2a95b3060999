"""The installer's pages: a household commissioned from a phone, one question on each screen.

A hub's secret is made here, shown until the installer says that it has been taken over, and kept nowhere: the
registry and the broker have its hash. What nobody has registered yet is found in the inbox, one tap away from a room.
"""

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from zlib import crc32
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from alerts import wording
from dashboard import inbox, pictures, views
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.house import House
from dashboard.inbox import Stranger
from dashboard.pages import QUARANTINE_REASONS, Pages
from dashboard.printer import FALLBACK_ZONE, Printer, tongue_of
from dashboard.views import room_name
from dashboard.words import N_, Tongue
from gateway.domain import (
    Condition,
    Duty,
    Grid,
    Home,
    Hub,
    Installation,
    Kind,
    Leaving,
    Monitoring,
    Person,
    Reading,
    Role,
    Room,
    RoomKind,
    Sensor,
)
from gateway.domain.endpoint import Endpoint
from gateway.kit import make_kit
from gateway.ports import Clock, TryLater
from gateway.registry import RegistrationError

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


# --------------------------------------------------------------------------- words

ROOMS: tuple[tuple[str, RoomKind, str], ...] = (
    ("living", RoomKind.LIVING, N_("Living room")),
    ("bedroom", RoomKind.BEDROOM, N_("Bedroom")),
    ("bathroom", RoomKind.BATHROOM, N_("Bathroom")),
    ("kitchen", RoomKind.KITCHEN, N_("Kitchen")),
    ("hall", RoomKind.HALL, N_("Hall")),
    ("bedroom-2", RoomKind.BEDROOM, N_("Second bedroom")),
    ("balcony", RoomKind.OTHER, N_("Balcony")),
    ("storage", RoomKind.OTHER, N_("Storage room")),
)
DEVICES = {
    Role.MOTION: (N_("motion sensor"), ""),
    Role.EXIT_DOOR: (N_("front door contact"), ""),
    Role.SOS: (N_("emergency button"), N_("button or pull cord")),
    Role.BED: (N_("bed mat"), ""),
    Role.CHAIR: (N_("chair mat"), ""),
    Role.PRESENCE: (N_("presence radar"), ""),
    Role.FALL: (N_("fall radar"), ""),
    Role.SMOKE: (N_("smoke detector"), ""),
    Role.GAS: (N_("gas detector"), ""),
    Role.CO: (N_("carbon monoxide detector"), ""),
    Role.LEAK: (N_("leak sensor"), ""),
    Role.OPENING: (N_("door contact"), N_("cupboard, fridge, inner door")),
    Role.APPLIANCE: (N_("metering plug"), N_("kettle, cooker, television")),
    Role.TAP: (N_("tap sensor"), ""),
    Role.WATER_METER: (N_("water meter"), ""),
    Role.CLIMATE: (N_("thermometer"), ""),
    Role.VITALS: (N_("vitals device"), N_("cuff, oximeter, glucose meter, scales")),
    Role.BUTTON: (N_("plain button"), N_("not for emergencies")),
}
"""What a device is for, as one would say it on the ladder: its noun, and a hint where that is not enough."""

STATES = {
    Monitoring.REGISTERED: N_("being installed"),
    Monitoring.TRIAL: N_("on trial"),
    Monitoring.GUARDED: N_("guarded"),
    Monitoring.PAUSED: N_("paused"),
    Monitoring.RETIRED: N_("retired"),
}
LEAVING = {
    Leaving.MOVED: N_("moved away"),
    Leaving.HOSPITAL: N_("in hospital for long"),
    Leaving.NURSING_HOME: N_("moved to a nursing home"),
    Leaving.DIED: N_("died"),
    Leaving.WITHDRAWN: N_("does not want it any more"),
}
PAUSES = (N_("away for a while"), N_("in hospital"), N_("building work"), N_("equipment trouble"))
REMOVALS = (N_("broken"), N_("not needed any more"), N_("registered by mistake"), N_("taken to another home"))
FAULTS = {
    "offline": N_("not heard for too long"),
    "mute": N_("heard, but its function is silent"),
    "stuck": N_("stuck"),
    "chatter": N_("says too much"),
    "faulty": N_("says itself that it is faulty"),
    "flood": N_("floods its hub"),
    "battery_low": N_("battery low"),
    "battery_unknown": N_("its battery figure does not move"),
    "link_weak": N_("weak signal"),
    "tamper": N_("was opened"),
    "mains": N_("without mains power"),
    "clock": N_("wrong clock"),
}
SAID = {
    "registered": N_("Registered."),
    "slow": N_(
        "Registered, and it works. Its hub could not be asked to give it the fast lane for emergencies:"
        " open the device later and try again."
    ),
    "saved": N_("Saved."),
    "renamed": N_("The hub has been asked to give it the fast lane for emergencies."),
    "not-renamed": N_("The hub could not be asked. The device works; after an outage it is only slower."),
    "joining": N_("The hub takes new devices in for two minutes. Start pairing on the device now."),
    "not-joining": N_("The hub could not be asked. Is it connected? Try again, or open pairing on the hub itself."),
    "replaced": N_("Replaced. What was learnt from the old one stays."),
    "removed": N_("Removed."),
    "revoked": N_("This hub has no access any more. No other home was touched."),
    "hub-removed": N_("The hub is removed."),
    "photo": N_("The picture is kept."),
    "no-photo": N_("That is no JPEG or PNG picture of at most 2 MB. Nothing was kept."),
    "many-photos": N_("This home has enough pictures. Nothing was kept."),
}


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


def qr_code(text: str) -> Markup:
    """Drawn into the page itself: a picture of its own would have an address, and a secret must not be fetched."""
    return Markup(segno.make(text, error="m", micro=False).svg_inline(border=4, omitsize=True, svgclass="qr"))  # noqa: S704 - our own drawing; the text is only its dots


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


def tidy(text: str) -> str:
    """One line, without what cannot be seen."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


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

    def hub_heard(self, home: Home, hub: Hub) -> datetime | None:
        """When this hub was last heard; of a home with one hub the home's own time is as good and comes sooner."""
        known = [c.heard for c in self.house.readings.conditions(home.id) if c.sensor == hub.id and c.heard]
        if len(home.hubs) == 1 and (heard := self.house.readings.heard().get(home.id)):
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
        is_admin = visitor.account.duty is Duty.ADMIN and not visitor.account.grid
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
        bound = visitor.account.grid
        return [grid for grid in self.house.registry.grids() if not bound or grid.code == bound]

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
            given=dict.fromkeys(("code", "name", "grid", "address", "access", "zone"), "") | given,
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
        if sum(bool(line.photo) for line in self.house.registry.installations(home.id)) >= PHOTOS_AT_MOST:
            return "many-photos"
        name = pictures.keep(self.house.photos, picture)
        if not name:
            return "no-photo"
        now, who = self.house.clock.now(), visitor.account.person
        line = Installation(home=home.id, sensor=sensor.id, at=now, by=who, photo=name)
        self.house.registrar.note_installation(line, who=who, now=now)
        return "photo"

    def photo(self, home: Home, name: str) -> Response:
        """A picture of this home: of another one's it answers as if there were none."""
        is_ours = any(line.photo == name for line in self.house.registry.installations(home.id))
        found = pictures.show(self.house.photos, name) if is_ours else None
        if found is None:
            raise HTTPException(404)
        return found


FIGURES = {
    Kind.BATTERY: N_("battery {n:.0f} %"),
    Kind.VOLTAGE: N_("{n:.2f} volts"),
    Kind.LINK: N_("signal {n:.0f} of 255"),
    Kind.TEMPERATURE: N_("{n:.1f} °C"),
    Kind.HUMIDITY: N_("humidity {n:.0f} %"),
    Kind.ILLUMINANCE: N_("{n:.0f} lux"),
    Kind.POWER: N_("{n:.0f} watts"),
    Kind.WATER: N_("{n:.1f} litres"),
    Kind.SYSTOLIC: N_("systolic {n:.0f} mmHg"),
    Kind.DIASTOLIC: N_("diastolic {n:.0f} mmHg"),
    Kind.HEART_RATE: N_("heart rate {n:.0f}"),
    Kind.SPO2: N_("oxygen {n:.0f} %"),
    Kind.GLUCOSE: N_("blood sugar {n:.1f} mmol/l"),
    Kind.WEIGHT: N_("{n:.1f} kg"),
    Kind.BODY_TEMPERATURE: N_("body {n:.1f} °C"),
}
EQUIPMENT = {
    Kind.BATTERY_LOW: (N_("battery low"), N_("battery in order")),
    Kind.AVAILABLE: (N_("can be reached"), N_("cannot be reached")),
    Kind.SELF_TEST: (N_("tests itself"), N_("self-test over")),
    Kind.ALIVE: (N_("was heard, nothing new"), N_("was heard, nothing new")),
    Kind.CUT: (N_("says too much"), N_("says too much")),
}


def in_words(tongue: Tongue, reading: Reading) -> str:
    """One reading for whoever tests a device: what happened, or the figure."""
    if reading.kind in FIGURES:
        return tongue.say(FIGURES[reading.kind], n=reading.value)
    if reading.kind in EQUIPMENT:
        on, off = EQUIPMENT[reading.kind]
        return tongue.say(on if reading.value else off)
    return tongue.happening(reading.kind, reading.value)


def function_name(tongue: Tongue, kind: Kind) -> str:
    """What a device can do, as a noun."""
    if kind.value in list(Role):
        return tongue.role(Role(kind.value))
    return wording.kind_name(kind.value, tongue.language) or kind.value


def _is_retired(home: Home) -> bool:
    return home.state is Monitoring.RETIRED


# --------------------------------------------------------------------------- routes


def routes(install: Install, doors: Doors) -> APIRouter:
    """The addresses of the installer's pages. Each is for installers and administrators, and within their grid."""
    router = APIRouter(prefix="/install")
    house, registrar, counter = install.house, install.house.registrar, install.counter
    In = Annotated[Visitor, Depends(doors.signed_in(*INSTALLERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*INSTALLERS))]  # noqa: N806
    Text = Annotated[str, Form(max_length=500)]  # noqa: N806

    def go(path: str, said: str = "") -> Response:
        return RedirectResponse(f"/install{path}" + (f"?said={said}" if said else ""), status_code=303)

    def who(visitor: Visitor) -> dict[str, Any]:
        return {"who": visitor.account.person, "now": house.clock.now()}

    # ------------------------------------------------------------------ households

    @router.get("")
    def show_list(request: Request, visitor: In, q: str = "") -> Response:
        return install.show_list(request, visitor, q[:100])

    @router.get("/new")
    def show_new(request: Request, visitor: In) -> Response:
        return install.show_home_form(request, visitor, None, {})

    def zone_of(name: str) -> ZoneInfo | None:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            return None

    def with_resident(visitor: Visitor, home: Home) -> None:
        """Somebody lives there: whoever agrees to be watched over has to be a person of ours."""
        if not home.person:
            resident = Person(id=f"{home.id[:55]}-elder", name=home.name)
            registrar.put_person(resident, **who(visitor))
            registrar.change_home(home.id, person=resident.id, **who(visitor))

    def save_home(request: Request, visitor: Visitor, home: Home | None, given: dict[str, str]) -> Response:
        """A new household, or the same one with other words; what cannot be is said, and nothing typed is lost."""
        tongue = tongue_of(request)
        grids = {grid.code for grid in install.grids(visitor)}
        zone = zone_of(given["zone"])
        if not given["code"] or not given["name"]:
            error = tongue.say("The household needs its number and a name.")
        elif given["grid"] not in grids:
            error = tongue.say("Please choose the grid.")
        elif zone is None:
            error = tongue.say("{zone} is no time zone; Asia/Shanghai is one.", zone=given["zone"])
        else:
            fields: dict[str, Any] = {**given, "zone": zone}
            try:
                if home is not None:
                    with_resident(visitor, registrar.change_home(home.id, **fields, **who(visitor)))
                    return go(f"/{home.id}", "saved")
                made = home_id_for(given["code"], lambda wanted: house.registry.home(wanted) is not None)
                new = Home(id=made, state=Monitoring.REGISTERED, **fields)
                with_resident(visitor, registrar.open_home(new, **who(visitor)))
                return go(f"/{made}/rooms")
            except RegistrationError as refusal:
                error = refusal.say(tongue.language)
        return install.show_home_form(request, visitor, home, given, error)

    @router.post("/new")
    def open_home(
        request: Request,
        visitor: Acting,
        code: Text = "",
        name: Text = "",
        grid: Text = "",
        address: Text = "",
        access: Text = "",
        zone: Text = "Asia/Shanghai",
    ) -> Response:
        given = {"code": code, "name": name, "grid": grid, "address": address, "access": access, "zone": zone}
        return save_home(request, visitor, None, {key: tidy(value) for key, value in given.items()})

    @router.get("/{home_id}")
    def show_home(request: Request, visitor: In, home_id: str) -> Response:
        return install.show_home(request, visitor, install.home(visitor, home_id))

    @router.get("/{home_id}/edit")
    def show_edit(request: Request, visitor: In, home_id: str) -> Response:
        home = install.home(visitor, home_id)
        given = {name: getattr(home, name) for name in ("code", "name", "grid", "address", "access")}
        return install.show_home_form(request, visitor, home, {**given, "zone": home.zone.key})

    @router.post("/{home_id}/edit")
    def edit_home(
        request: Request,
        visitor: Acting,
        home_id: str,
        code: Text = "",
        name: Text = "",
        grid: Text = "",
        address: Text = "",
        access: Text = "",
        zone: Text = "Asia/Shanghai",
    ) -> Response:
        given = {"code": code, "name": name, "grid": grid, "address": address, "access": access, "zone": zone}
        home = install.home(visitor, home_id)
        return save_home(request, visitor, home, {key: tidy(value) for key, value in given.items()})

    # ------------------------------------------------------------------ rooms

    def rooms_page(request: Request, visitor: Visitor, home: Home, error: str = "") -> Response:
        tongue = tongue_of(request)
        presets = [(room, tongue.say(word)) for room, _, word in ROOMS if home.room(room) is None]
        status = 422 if error else 200
        return install.page(
            request, "install_rooms.html", visitor, status=status, home=home, presets=presets, error=error
        )

    @router.get("/{home_id}/rooms")
    def show_rooms(request: Request, visitor: In, home_id: str) -> Response:
        return rooms_page(request, visitor, install.home(visitor, home_id))

    @router.post("/{home_id}/rooms")
    def save_rooms(
        request: Request,
        visitor: Acting,
        home_id: str,
        room: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006 - read only
        own: Annotated[str, Form(max_length=40)] = "",
        more: Annotated[str, Form()] = "",
    ) -> Response:
        """Whatever is ticked is there afterwards; what is not ticked any more goes, unless something hangs in it."""
        home, tongue = install.home(visitor, home_id), tongue_of(request)
        try:
            for known in home.rooms:
                if known.id not in room:
                    registrar.remove_room(home.id, known.id, **who(visitor))
            for id_, kind, word in ROOMS:
                if id_ in room and home.room(id_) is None:
                    registrar.put_room(home.id, Room(id=id_, name=tongue.say(word), kind=kind), **who(visitor))
            if name := tidy(own):
                made = Room(id=f"room-{crc32(name.encode()):08x}", name=name)
                registrar.put_room(home.id, made, **who(visitor))
        except RegistrationError as refusal:
            return rooms_page(request, visitor, install.home(visitor, home_id), refusal.say(tongue.language))
        if more:
            return go(f"/{home.id}/rooms")
        if not install.home(visitor, home_id).rooms:
            return rooms_page(request, visitor, home, tongue.say("Please tick at least one room."))
        return go(f"/{home.id}" if home.hubs else f"/{home.id}/hub")

    # ------------------------------------------------------------------ the hub

    @router.get("/{home_id}/hub")
    def show_hub(request: Request, visitor: In, home_id: str) -> Response:
        home = install.home(visitor, home_id)
        held = house.registry.hub_secrets()
        hubs = [(hub, install.hub_heard(home, hub), hub.id in held) for hub in home.hubs]
        return install.page(
            request, "install_hub.html", visitor, page_zone=home.zone, home=home, hubs=hubs, error="", is_followed=True
        )

    def hub_refused(request: Request, visitor: Visitor, home: Home, refusal: RegistrationError) -> Response:
        held = house.registry.hub_secrets()
        hubs = [(hub, install.hub_heard(home, hub), hub.id in held) for hub in home.hubs]
        return install.page(
            request,
            "install_hub.html",
            visitor,
            status=422,
            page_zone=home.zone,
            home=home,
            hubs=hubs,
            error=refusal.say(tongue_of(request).language),
            is_followed=False,
        )

    @router.post("/{home_id}/hub")
    def add_hub(request: Request, visitor: Acting, home_id: str) -> Response:
        home = install.home(visitor, home_id)
        # The button pressed twice: the first secret still lies there, and makes a second hub unlikely to be wanted.
        for hub in home.hubs:
            if counter.see(visitor, hub.id) is not None:
                return go(f"/{home.id}/hubs/{hub.id}/secret")
        try:
            hub, secret = registrar.add_hub(home.id, **who(visitor))
        except RegistrationError as refusal:
            return hub_refused(request, visitor, home, refusal)
        counter.lay(visitor, hub.id, secret)
        return go(f"/{home.id}/hubs/{hub.id}/secret")

    @router.get("/{home_id}/hubs/{hub_id}/secret")
    def show_secret(request: Request, visitor: In, home_id: str, hub_id: str) -> Response:
        home = install.home(visitor, home_id)
        hub = install.hub(home, hub_id)
        secret = counter.see(visitor, hub.id)
        if secret is None:
            return go(f"/{home.id}/hub")
        uplink = house.uplink
        line = address_of(uplink, hub.id, secret) if uplink else f"{hub.id}:{secret}"
        return install.page(
            request,
            "install_secret.html",
            visitor,
            home=home,
            hub=hub,
            secret=secret,
            uplink=uplink,
            qr=qr_code(line),
        )

    @router.get("/{home_id}/hubs/{hub_id}/kit")
    def download_kit(visitor: In, home_id: str, hub_id: str) -> Response:
        """The hub kit holds the secret, so it is had while that is shown and never again."""
        home = install.home(visitor, home_id)
        hub = install.hub(home, hub_id)
        secret = counter.see(visitor, hub.id)
        if secret is None or house.uplink is None:
            raise HTTPException(404)
        kit = make_kit(hub.id, secret, house.uplink, home=home.code)
        name = {"content-disposition": f'attachment; filename="hub-{hub.id}.zip"'}
        return Response(kit, media_type="application/zip", headers=name)

    @router.post("/{home_id}/hubs/{hub_id}/taken-over")
    def taken_over(visitor: Acting, home_id: str, hub_id: str) -> Response:
        home = install.home(visitor, home_id)
        counter.clear(install.hub(home, hub_id).id)
        return go(f"/{home.id}/hub")

    @router.post("/{home_id}/hubs/{hub_id}/renew")
    def renew(visitor: Acting, home_id: str, hub_id: str) -> Response:
        home = install.home(visitor, home_id)
        hub, secret = install.hub(home, hub_id), secrets.token_urlsafe(16)
        registrar.renew_secret(hub.id, secret, **who(visitor))
        counter.lay(visitor, hub.id, secret)
        return go(f"/{home.id}/hubs/{hub.id}/secret")

    @router.post("/{home_id}/hubs/{hub_id}/replace")
    def replace_hub(visitor: Acting, home_id: str, hub_id: str) -> Response:
        home = install.home(visitor, home_id)
        counter.clear(hub_id)
        hub, secret = registrar.replace_hub(home.id, install.hub(home, hub_id).id, **who(visitor))
        counter.lay(visitor, hub.id, secret)
        return go(f"/{home.id}/hubs/{hub.id}/secret")

    @router.post("/{home_id}/hubs/{hub_id}/revoke")
    def revoke(visitor: Acting, home_id: str, hub_id: str) -> Response:
        home = install.home(visitor, home_id)
        hub = install.hub(home, hub_id)
        counter.clear(hub.id)
        registrar.renew_secret(hub.id, None, **who(visitor))
        return go(f"/{home.id}/hub", "revoked")

    @router.post("/{home_id}/hubs/{hub_id}/remove")
    def remove_hub(request: Request, visitor: Acting, home_id: str, hub_id: str) -> Response:
        home = install.home(visitor, home_id)
        hub = install.hub(home, hub_id)
        try:
            registrar.remove_hub(home.id, hub.id, **who(visitor))
        except RegistrationError as refusal:
            return hub_refused(request, visitor, home, refusal)
        counter.clear(hub.id)
        return go(f"/{home.id}/hub", "hub-removed")

    @router.post("/{home_id}/hubs/{hub_id}/join")
    def join(visitor: Acting, home_id: str, hub_id: str) -> Response:
        home = install.home(visitor, home_id)
        is_open = install.open_door(install.hub(home, hub_id).id)
        return go(f"/{home.id}/inbox", "joining" if is_open else "not-joining")

    # ------------------------------------------------------------------ the inbox

    @router.get("/{home_id}/inbox")
    def show_inbox(request: Request, visitor: In, home_id: str, q: str = "") -> Response:
        home = install.home(visitor, home_id)
        labelled = inbox.addresses_on(q)
        if labelled:  # a label that was scanned leads straight to its device
            for one in inbox.matching(install.strangers(home), q):
                if one.address:
                    return go(f"/{home.id}/devices/new?hub={quote(one.hub)}&address={quote(one.address)}")
        return install.show_inbox(request, visitor, home, labelled[0] if labelled else q[:100])

    @router.get("/{home_id}/devices/new")
    def show_register(request: Request, visitor: In, home_id: str, hub: str = "", address: str = "") -> Response:
        home = install.home(visitor, home_id)
        if any((sensor.hub, sensor.address.lower()) == (hub, address.lower()) for sensor in home.sensors):
            return go(f"/{home.id}/inbox", "registered")
        if not home.rooms:
            return go(f"/{home.id}/rooms")
        return install.show_device_form(request, visitor, home, stranger=install.stranger(home, hub, address))

    @router.post("/{home_id}/devices/new")
    def register(
        request: Request,
        visitor: Acting,
        home_id: str,
        hub: Text = "",
        address: Text = "",
        room: Text = "",
        role: Text = "",
        name: Text = "",
        subject: Text = "",
        inverted: Text = "",
    ) -> Response:
        home, tongue = install.home(visitor, home_id), tongue_of(request)
        if any((sensor.hub, sensor.address.lower()) == (hub, address.lower()) for sensor in home.sensors):
            return go(f"/{home.id}/inbox", "registered")  # the button was pressed twice
        stranger = install.stranger(home, hub, address)
        given = {"room": room, "role": role, "name": tidy(name), "subject": tidy(subject), "inverted": inverted}
        error = _missing(tongue, home, room, role)
        if not error:
            sensor = Sensor(
                id=sensor_id_for(home, stranger),
                hub=stranger.hub,
                address=stranger.address,
                name=given["name"] or name_for(tongue, home, room, Role(role)),
                room=room,
                role=Role(role),
                subject=given["subject"],
                inverted=bool(inverted),
                model=stranger.model,
                power=stranger.power,
            )
            try:
                registrar.put_sensor(home.id, sensor, **who(visitor))
            except RegistrationError as refusal:
                error = refusal.say(tongue.language)
            else:
                is_fast = not install.has_slow_lane(sensor) or install.give_fast_lane(sensor)
                return go(f"/{home.id}/inbox", "registered" if is_fast else "slow")
        return install.show_device_form(request, visitor, home, stranger=stranger, given=given, error=error)

    # ------------------------------------------------------------------ the life of a device

    @router.get("/{home_id}/devices/{sensor_id}")
    def show_device(request: Request, visitor: In, home_id: str, sensor_id: str) -> Response:
        home = install.home(visitor, home_id)
        return install.show_device(request, visitor, home, install.sensor(home, sensor_id))

    @router.get("/{home_id}/devices/{sensor_id}/edit")
    def show_device_edit(request: Request, visitor: In, home_id: str, sensor_id: str) -> Response:
        home = install.home(visitor, home_id)
        return install.show_device_form(request, visitor, home, sensor=install.sensor(home, sensor_id))

    @router.post("/{home_id}/devices/{sensor_id}/edit")
    def edit_device(
        request: Request,
        visitor: Acting,
        home_id: str,
        sensor_id: str,
        room: Text = "",
        role: Text = "",
        name: Text = "",
        subject: Text = "",
        inverted: Text = "",
    ) -> Response:
        home, tongue = install.home(visitor, home_id), tongue_of(request)
        sensor = install.sensor(home, sensor_id)
        given = {"room": room, "role": role, "name": tidy(name), "subject": tidy(subject), "inverted": inverted}
        error = _missing(tongue, home, room, role)
        if not error:
            changed = replace(
                sensor,
                role=Role(role),
                name=given["name"] or sensor.name,
                subject=given["subject"],
                inverted=bool(inverted),
            )
            try:
                if changed != sensor:
                    registrar.put_sensor(home.id, changed, **who(visitor))
                if room != sensor.room:
                    registrar.move_sensor(home.id, sensor.id, room, **who(visitor))
            except RegistrationError as refusal:
                error = refusal.say(tongue.language)
            else:
                return go(f"/{home.id}/devices/{sensor.id}", "saved")
        return install.show_device_form(request, visitor, home, sensor=sensor, given=given, error=error)

    @router.post("/{home_id}/devices/{sensor_id}/fast-lane")
    def fast_lane(visitor: Acting, home_id: str, sensor_id: str) -> Response:
        home = install.home(visitor, home_id)
        is_asked = install.give_fast_lane(install.sensor(home, sensor_id))
        return go(f"/{home.id}/devices/{sensor_id}", "renamed" if is_asked else "not-renamed")

    @router.get("/{home_id}/devices/{sensor_id}/replace")
    def show_replace(request: Request, visitor: In, home_id: str, sensor_id: str, q: str = "") -> Response:
        home = install.home(visitor, home_id)
        return install.show_inbox(request, visitor, home, q[:200], replacing=install.sensor(home, sensor_id))

    @router.post("/{home_id}/devices/{sensor_id}/replace")
    def replace_device(
        request: Request, visitor: Acting, home_id: str, sensor_id: str, hub: Text = "", address: Text = ""
    ) -> Response:
        home = install.home(visitor, home_id)
        sensor, new = install.sensor(home, sensor_id), install.stranger(home, hub, address)
        registrar.replace_sensor(
            home.id,
            sensor.id,
            hub=new.hub,
            address=new.address,
            model=new.model,
            power=new.power,
            note=new.model or new.name,
            **who(visitor),
        )
        replaced = install.sensor(install.home(visitor, home_id), sensor_id)
        is_fast = not install.has_slow_lane(replaced) or install.give_fast_lane(replaced)
        return go(f"/{home.id}/devices/{sensor.id}", "replaced" if is_fast else "not-renamed")

    @router.post("/{home_id}/devices/{sensor_id}/remove")
    def remove_device(visitor: Acting, home_id: str, sensor_id: str, why: Text = "") -> Response:
        home = install.home(visitor, home_id)
        sensor = install.sensor(home, sensor_id)
        if not tidy(why):
            return go(f"/{home.id}/devices/{sensor.id}")
        registrar.remove_sensor(home.id, sensor.id, tidy(why), **who(visitor))
        return go(f"/{home.id}", "removed")

    @router.post("/{home_id}/devices/{sensor_id}/photo", max_body_size=pictures.FORM)
    def take_photo(
        visitor: Acting, home_id: str, sensor_id: str, picture: Annotated[UploadFile | None, File()] = None
    ) -> Response:
        home = install.home(visitor, home_id)
        sensor = install.sensor(home, sensor_id)
        seen = picture.file.read(pictures.LARGEST + 1) if picture else b""
        return go(f"/{home.id}/devices/{sensor.id}", install.keep_photo(visitor, home, sensor, seen))

    @router.get("/{home_id}/photos/{name}")
    def show_photo(visitor: In, home_id: str, name: str) -> Response:
        return install.photo(install.home(visitor, home_id), name)

    # ------------------------------------------------------------------ how the household stands

    def state_page(request: Request, visitor: Visitor, home: Home, error: str = "") -> Response:
        tongue = tongue_of(request)
        return install.page(
            request,
            "install_state.html",
            visitor,
            status=422 if error else 200,
            page_zone=home.zone,
            home=home,
            error=error,
            pauses=[tongue.say(why) for why in PAUSES],
            leaving=[(why.value, tongue.say(word)) for why, word in LEAVING.items()],
            plan=[line for line in house.registry.plan(home.id, house.clock.now()) if line.key in ("pause", "retired")],
        )

    @router.get("/{home_id}/state")
    def show_state(request: Request, visitor: In, home_id: str) -> Response:
        return state_page(request, visitor, install.home(visitor, home_id))

    @router.post("/{home_id}/state")
    def set_state(
        request: Request,
        visitor: Acting,
        home_id: str,
        act: Annotated[str, Form()] = "",
        why: Text = "",
        days: Annotated[str, Form(max_length=3)] = "",
    ) -> Response:
        home, now = install.home(visitor, home_id), house.clock.now()
        until = now + timedelta(days=int(days)) if days.isdecimal() and int(days) else None
        try:
            match act:
                case "pause":
                    registrar.set_state(home.id, Monitoring.PAUSED, why=tidy(why), until=until, **who(visitor))
                case "resume":
                    registrar.set_state(home.id, install.before_pause(home), **who(visitor))
                case "retire":
                    registrar.set_state(home.id, Monitoring.RETIRED, why=why, **who(visitor))
                case "reopen":
                    registrar.set_state(home.id, Monitoring.REGISTERED, **who(visitor))
                case _:
                    raise HTTPException(422)
        except RegistrationError as refusal:
            return state_page(request, visitor, home, refusal.say(tongue_of(request).language))
        return go(f"/{home.id}", "saved")

    return router


def _missing(tongue: Tongue, home: Home, room: str, role: str) -> str:
    """What the form of a device still lacks, as a sentence."""
    if home.room(room) is None:
        return tongue.say("Please choose the room.")
    return "" if role in list(Role) else tongue.say("Please choose what it is for.")
