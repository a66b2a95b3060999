"""Installing for other programs: households, rooms, hubs, the inbox of devices, and how a household stands.

A hub's secret is told once, in the answer to the act that made it, and kept nowhere: whoever lost it renews it.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal
from zlib import crc32
from zoneinfo import ZoneInfo

from fastapi import Body

from dashboard.answers import aware, iso
from dashboard.api_door import ApiDoor, Doing, Name, Said, Why, done, refused
from dashboard.board import Board
from dashboard.forms import tidy
from dashboard.inbox import likely_roles
from dashboard.install_view import INSTALLERS, Install, address_of, name_for, resident_of, sensor_id_for, steps
from dashboard.keys import Caller, Right
from dashboard.problems import Field
from gateway.domain import Home, Hub, Monitoring, Role, Room, RoomKind, Sensor
from gateway.domain.home import Position

# --------------------------------------------------------------------------- bodies and shapes


@dataclass(frozen=True, kw_only=True)
class HouseholdBody(Said):
    """A household as it is to be; what is not named stays, and of a new one is empty."""

    code: Name | None = None
    name: Name | None = None
    grid: Name | None = None
    address: Annotated[str, Body(max_length=300)] | None = None
    access: Annotated[str, Body(max_length=300, description="how to get in")] | None = None
    position: Annotated[str, Body(max_length=60, description="30.25741, 120.20511")] | None = None
    zone: Annotated[str, Body(max_length=60, description="Asia/Shanghai where nothing is said")] | None = None


@dataclass(frozen=True, kw_only=True)
class RoomBody(Said):
    """A room; with the id of one that is there it is renamed."""

    name: Annotated[str, Body(min_length=1, max_length=40)]
    kind: RoomKind = RoomKind.OTHER
    id: Annotated[str, Body(max_length=40, pattern=r"^[a-z0-9-]*$")] = ""


@dataclass(frozen=True, kw_only=True)
class DeviceBody(Said):
    """What a device is for: where it hangs, what for, and how it is called."""

    room: Name
    role: Role
    name: Name = ""
    subject: Annotated[str, Body(max_length=80, description="whose, or of what: 冰箱, 王奶奶")] = ""
    inverted: bool = False


@dataclass(frozen=True, kw_only=True)
class HeardBody(Said):
    """One of the inbox: the hub that hears it, and its address there."""

    hub: Name
    address: Name


@dataclass(frozen=True, kw_only=True)
class NewDeviceBody(HeardBody, DeviceBody):
    """A device of the inbox, and what it is to be for."""


@dataclass(frozen=True, kw_only=True)
class WhyBody(Said):
    why: Annotated[str, Body(min_length=1, max_length=300)]


@dataclass(frozen=True, kw_only=True)
class StateBody(Said):
    """Pause with a reason, resume, give up with one of the reasons of leaving, open again; or say of a home whose
    learning period is over that it is guarded from now on."""

    act: Literal["pause", "resume", "retire", "reopen", "guard"]
    why: Why = ""
    until: datetime | None = None


@dataclass(frozen=True)
class RoomShape:
    id: str
    name: str
    kind: RoomKind


@dataclass(frozen=True)
class HubShape:
    id: str
    heard: str | None
    has_secret: bool


@dataclass(frozen=True)
class StepShape:
    """A step of the installation; `count` of `of`, where that is known."""

    step: Literal["rooms", "hub", "devices", "walk", "record"]
    done: bool
    count: int
    of: int


@dataclass(frozen=True)
class InstallationShape:
    home: str
    state: Monitoring
    steps: list[StepShape]
    next: str | None
    rooms: list[RoomShape]
    hubs: list[HubShape]


@dataclass(frozen=True)
class SecretShape:
    """`secret`, and `address` with everything a hub needs to connect, stand in the first answer only."""

    home: str
    hub: str
    secret: str | None
    address: str | None


@dataclass(frozen=True)
class StrangerShape:
    """A device that is heard and not registered. Without an address its hub has not said yet which one it is."""

    hub: str
    address: str
    name: str
    model: str
    vendor: str
    power: str
    says: list[str]
    likely: list[Role]
    heard: str | None
    calls: bool


@dataclass(frozen=True)
class InboxShape:
    home: str
    joining_until: str | None
    devices: list[StrangerShape]


# --------------------------------------------------------------------------- the addresses


def routes(door: ApiDoor, install: Install, board: Board) -> None:
    """Hang up the addresses."""
    right, house = Right.INSTALL, door.house

    # ------------------------------------------------------------------ households

    def fields_of(doing: Doing, said: HouseholdBody) -> dict[str, Any]:
        """What is said of a household, each part as it is kept; what cannot be is named with what would be right."""
        given = {name: value for name in said.__dataclass_fields__ if (value := getattr(said, name)) is not None}
        given = {name: tidy(value) for name, value in given.items()}
        if "grid" in given and given["grid"] not in {grid.code for grid in install.grids(doing.visitor)}:
            raise refused("There is no such grid in your place.", Field("grid", "is a grid of `/api/v1/grids`"))
        try:
            if "zone" in given:
                given["zone"] = ZoneInfo(given["zone"])
        except (KeyError, ValueError, OSError):
            raise refused("There is no such time zone.", Field("zone", "is one as Asia/Shanghai")) from None
        try:
            if "position" in given:
                given["position"] = Position.read(given["position"]) if given["position"] else None
        except ValueError:
            raise refused("That is no position.", Field("position", "is one as 30.25741, 120.20511")) from None
        return given

    @door.act("/homes", right, "home.open")
    def open_home(doing: Doing, said: HouseholdBody) -> Mapping[str, Any]:
        """Register a new household, with its resident; `ref` is its id from now on."""
        fields = {"zone": ZoneInfo("Asia/Shanghai"), **fields_of(doing, said)}
        if not all(fields.get(name) for name in ("code", "name", "grid")):
            raise refused(
                "A household needs its number, a name and a grid.", Field("code", "is the household's number")
            )
        home = install.new_home(fields)
        body = done(home.id, home)
        doing.registrar(home.id, body).open_home(home, resident=resident_of(home), **doing.by)
        return body

    @door.act("/homes/{home_id}", right, "home.change")
    def change_home(doing: Doing, home: Home, said: HouseholdBody) -> None:
        """Change what is said of a household."""
        install.change_home(home, fields_of(doing, said), **doing.by)

    @door.read("/homes/{home_id}/installation", Right.REGISTRY, InstallationShape, *INSTALLERS)
    def show_installation(caller: Caller, home: Home) -> Mapping[str, Any]:
        """How far the installation has come: rooms, hubs, devices, walk test, record."""
        registry, held = house.registry, house.registry.hub_secrets()
        heard = {hub.id: install.hub_heard(home, hub) for hub in home.hubs}
        told, following = steps(
            home, any(heard.values()), registry.installations(home.id), bool(registry.records(home.id))
        )
        return {
            "home": home.id,
            "state": home.state.value,
            "steps": [{"step": s.code, "done": s.is_done, "count": s.count, "of": s.of} for s in told],
            "next": following.code if following else None,
            "rooms": [{"id": room.id, "name": room.name, "kind": room.kind.value} for room in home.rooms],
            "hubs": [{"id": hub, "heard": iso(at), "has_secret": hub in held} for hub, at in heard.items()],
        }

    @door.act("/homes/{home_id}/rooms", right, "room.put")
    def put_room(doing: Doing, home: Home, said: RoomBody) -> None:
        """Add a room, or rename one."""
        made = said.id or f"room-{crc32(said.name.encode()):08x}"
        doing.registrar(made).put_room(home.id, Room(id=made, name=tidy(said.name), kind=said.kind), **doing.by)

    @door.act("/homes/{home_id}/rooms/{room}/remove", right, "room.remove")
    def remove_room(doing: Doing, home: Home, room: str) -> None:
        """Take a room away in which nothing hangs any more."""
        doing.registrar(room).remove_room(home.id, room, **doing.by)

    @door.act("/homes/{home_id}/state", right, "home.state")
    def set_state(doing: Doing, home: Home, said: StateBody) -> Mapping[str, Any]:
        """How the household stands: paused, watched again, given up, opened again, guarded."""
        match said.act:
            case "guard":
                board.guard(doing.visitor, home.id)
                return done(home.id, replace(home, state=Monitoring.GUARDED))
            case "pause":
                state = Monitoring.PAUSED
            case "resume":
                state = install.before_pause(home)
            case "retire":
                state = Monitoring.RETIRED
            case "reopen":
                state = Monitoring.REGISTERED
        body = done(home.id, replace(home, state=state))
        until = aware(said.until, "until") if said.act == "pause" else None
        doing.registrar(body=body).set_state(home.id, state, why=tidy(said.why), until=until, **doing.by)
        return body

    # ------------------------------------------------------------------ hubs

    def told(doing: Doing, home: Home, hub: Hub, secret: str) -> Mapping[str, Any]:
        """The hub with its secret: told with this answer, and kept nowhere."""
        doing.hidden |= {
            "secret": secret,
            "address": address_of(house.uplink, hub.id, secret) if house.uplink else None,
        }
        return {"home": home.id, "hub": hub.id, "secret": None, "address": None}

    def new_hub(doing: Doing) -> str:
        """The same key gives the same hub: of two requests at once one is refused, and none makes a second hub."""
        assert doing.caller.token is not None  # `Keys.may` lets nobody else act
        return f"hub-{hashlib.sha256(f'{doing.caller.token.id}/{doing.once.key}'.encode()).hexdigest()[:8]}"

    @door.act("/homes/{home_id}/hubs", right, "hub.add", SecretShape)
    def add_hub(doing: Doing, home: Home) -> Mapping[str, Any]:
        """A new hub for this home. Its secret stands in this answer, and in no repetition of it."""
        hub = new_hub(doing)
        kept = {"home": home.id, "hub": hub, "secret": None, "address": None}
        return told(doing, home, *doing.registrar(hub, kept).add_hub(home.id, hub_id=hub, **doing.by))

    @door.act("/homes/{home_id}/hubs/{hub_id}/replace", right, "hub.replace", SecretShape)
    def replace_hub(doing: Doing, home: Home, hub_id: str) -> Mapping[str, Any]:
        """A new box for a broken one: what hung on the old one hangs on the new one, which has an id of its own."""
        old, hub = install.hub(home, hub_id), new_hub(doing)
        install.counter.clear(old.id)
        kept = {"home": home.id, "hub": hub, "secret": None, "address": None}
        return told(doing, home, *doing.registrar(hub, kept).replace_hub(home.id, old.id, new_id=hub, **doing.by))

    @door.act("/homes/{home_id}/hubs/{hub_id}/renew", right, "hub.renew", SecretShape)
    def renew_hub(doing: Doing, home: Home, hub_id: str) -> Mapping[str, Any]:
        """A new secret for a hub; the old one opens nothing any more."""
        hub, secret = install.hub(home, hub_id), secrets.token_urlsafe(16)
        install.counter.clear(hub.id)
        kept = {"home": home.id, "hub": hub.id, "secret": None, "address": None}
        doing.registrar(hub.id, kept).renew_secret(hub.id, secret, **doing.by)
        return told(doing, home, hub, secret)

    @door.act("/homes/{home_id}/hubs/{hub_id}/revoke", right, "hub.revoke")
    def revoke_hub(doing: Doing, home: Home, hub_id: str) -> None:
        """Cut a hub off: it has no secret from then on."""
        install.counter.clear(install.hub(home, hub_id).id)
        doing.registrar(hub_id).renew_secret(hub_id, None, **doing.by)

    @door.act("/homes/{home_id}/hubs/{hub_id}/remove", right, "hub.remove")
    def remove_hub(doing: Doing, home: Home, hub_id: str) -> None:
        """Take a hub away on which nothing hangs any more."""
        install.counter.clear(install.hub(home, hub_id).id)
        doing.registrar(hub_id).remove_hub(home.id, hub_id, **doing.by)

    def asked(is_asked: bool, home: Home) -> Mapping[str, Any]:
        """That the broker has the request; whether the hub is there to answer it, only its answer shows."""
        return {**done(home.id, home), "done": is_asked, "reason": "done" if is_asked else "not-asked"}

    @door.act("/homes/{home_id}/hubs/{hub_id}/join", right, "hub.join")
    def open_hub(doing: Doing, home: Home, hub_id: str) -> Mapping[str, Any]:
        """Let a hub take new devices in for two minutes."""
        return asked(install.open_door(install.hub(home, hub_id).id), home)

    # ------------------------------------------------------------------ the inbox, and devices

    @door.read("/homes/{home_id}/inbox", Right.REGISTRY, InboxShape, *INSTALLERS)
    def show_inbox(caller: Caller, home: Home) -> Mapping[str, Any]:
        """What the home's hubs have heard and nobody has registered yet, the newest first, and what each is probably
        for."""
        devices = [
            {
                "hub": one.hub,
                "address": one.address,
                "name": one.name,
                "model": one.model,
                "vendor": one.vendor,
                "power": one.power.value,
                "says": list(one.says),
                "likely": [role.value for role in likely_roles(one.says)],
                "heard": iso(one.heard),
                "calls": one.calls,
            }
            for one in install.strangers(home)
        ]
        return {"home": home.id, "joining_until": iso(install.joining_until(home)), "devices": devices}

    def in_room(home: Home, said: DeviceBody) -> None:
        if home.room(said.room) is None:
            raise refused("There is no such room in this home.", Field("room", "is the id of a room of this home"))

    def hangs(home: Home, said: HeardBody) -> Sensor | None:
        """The device of this home that is it: whoever asks again, for no answer came, finds it registered."""
        return next((one for one in home.sensors if (one.hub, one.address) == (said.hub, said.address)), None)

    def hurry(sensor: Sensor) -> bool:
        return not install.has_slow_lane(sensor) or install.give_fast_lane(sensor)

    @door.act("/homes/{home_id}/devices", right, "device.register")
    def register_device(doing: Doing, home: Home, said: NewDeviceBody) -> Mapping[str, Any]:
        """Register a device of the inbox; `ref` is its id. The reason is `slow-lane` where a life-safety device could
        not be given its own session."""
        in_room(home, said)
        hung = hangs(home, said)
        if hung is not None and (hung.room, hung.role) == (said.room, said.role):
            return {**done(hung.id, home), "reason": "done" if hurry(hung) else "slow-lane"}
        stranger = install.stranger(home, said.hub, said.address)
        sensor = Sensor(
            id=sensor_id_for(home, stranger),
            hub=stranger.hub,
            address=stranger.address,
            name=tidy(said.name) or name_for(doing.tongue, home, said.room, said.role),
            room=said.room,
            role=said.role,
            subject=tidy(said.subject),
            inverted=said.inverted,
            model=stranger.model,
            power=stranger.power,
        )
        house.registrar.put_sensor(home.id, sensor, **doing.by)
        return {**done(sensor.id, home), "reason": "done" if hurry(sensor) else "slow-lane"}

    @door.act("/homes/{home_id}/devices/{sensor_id}", right, "device.change")
    def change_device(doing: Doing, home: Home, sensor_id: str, said: DeviceBody) -> Mapping[str, Any]:
        """Another room, another purpose, another name; where it hung before stays known."""
        in_room(home, said)
        sensor = install.sensor(home, sensor_id)
        changed = replace(
            sensor,
            role=said.role,
            name=tidy(said.name) or sensor.name,
            subject=tidy(said.subject),
            inverted=said.inverted,
        )
        install.change_device(home, sensor, changed, said.room, **doing.by)
        return done(sensor.id, home)

    @door.act("/homes/{home_id}/devices/{sensor_id}/replace", right, "device.replace")
    def replace_device(doing: Doing, home: Home, sensor_id: str, said: HeardBody) -> Mapping[str, Any]:
        """Another box of the inbox in the same place: the id stays, so the history of its readings goes on."""
        sensor = install.sensor(home, sensor_id)
        if hangs(home, said) == sensor:
            is_fast = hurry(sensor)
        else:
            is_fast = install.replace_device(home, sensor, install.stranger(home, said.hub, said.address), **doing.by)
        return {**done(sensor.id, home), "reason": "done" if is_fast else "slow-lane"}

    @door.act("/homes/{home_id}/devices/{sensor_id}/remove", right, "device.remove")
    def remove_device(doing: Doing, home: Home, sensor_id: str, said: WhyBody) -> None:
        """Take a device down. What it said stays in the history."""
        install.sensor(home, sensor_id)
        doing.registrar(sensor_id).remove_sensor(home.id, sensor_id, tidy(said.why), **doing.by)

    @door.act("/homes/{home_id}/devices/{sensor_id}/fast-lane", right, "device.fast-lane")
    def hurry_device(doing: Doing, home: Home, sensor_id: str) -> Mapping[str, Any]:
        """Ask the hub of a life-safety device to let it speak on a session of its own."""
        return asked(install.give_fast_lane(install.sensor(home, sensor_id)), home)
