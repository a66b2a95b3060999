"""The installer's pages: a household commissioned from a phone, one question on each screen.

A hub's secret is made here, shown until the installer says that it has been taken over, and kept nowhere: the
registry and the broker have its hash. What nobody has registered yet is found in the inbox, one tap away from a room.
"""

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote
from zlib import crc32
from zoneinfo import ZoneInfo

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboard import inbox, pictures
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Text, tidy
from dashboard.install_view import INSTALLERS, Install, address_of, name_for, sensor_id_for
from dashboard.install_words import LEAVING, PAUSES, ROOMS
from dashboard.printer import qr_code, tongue_of
from dashboard.words import Tongue
from gateway.domain import (
    Home,
    Monitoring,
    Position,
    Role,
    Room,
    Sensor,
)
from gateway.kit import make_kit
from gateway.registry import RegistrationError


def routes(install: Install, doors: Doors) -> Addresses:
    """The addresses of the installer's pages. Each is for installers and administrators, and within their grid."""
    router = Addresses(prefix="/install")
    house, registrar, counter = install.house, install.house.registrar, install.counter
    In = Annotated[Visitor, Depends(doors.signed_in(*INSTALLERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*INSTALLERS))]  # noqa: N806

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

    def position_of(text: str) -> Position | None:
        try:
            return Position.read(text)
        except ValueError:
            return None

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
        elif (position := position_of(given["position"])) is None and given["position"]:
            error = tongue.say("{said} is no position; 30.25741, 120.20511 is one.", said=given["position"])
        else:
            fields: dict[str, Any] = {**given, "zone": zone, "position": position}
            try:
                if home is not None:
                    install.change_home(home, fields, **who(visitor))
                    return go(f"/{home.id}", "saved")
                return go(f"/{install.open_home(fields, **who(visitor)).id}/rooms")
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
        position: Text = "",
        zone: Text = "Asia/Shanghai",
    ) -> Response:
        given = {"code": code, "name": name, "grid": grid, "address": address, "access": access}
        given |= {"position": position, "zone": zone}
        return save_home(request, visitor, None, {key: tidy(value) for key, value in given.items()})

    @router.get("/{home_id}")
    def show_home(request: Request, visitor: In, home_id: str) -> Response:
        return install.show_home(request, visitor, install.home(visitor, home_id))

    @router.get("/{home_id}/edit")
    def show_edit(request: Request, visitor: In, home_id: str) -> Response:
        home = install.home(visitor, home_id)
        given = {name: getattr(home, name) for name in ("code", "name", "grid", "address", "access")}
        position = str(home.position) if home.position else ""
        return install.show_home_form(request, visitor, home, {**given, "position": position, "zone": home.zone.key})

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
        position: Text = "",
        zone: Text = "Asia/Shanghai",
    ) -> Response:
        given = {"code": code, "name": name, "grid": grid, "address": address, "access": access}
        given |= {"position": position, "zone": zone}
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
                install.change_device(home, sensor, changed, room, **who(visitor))
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
        is_fast = install.replace_device(home, sensor, new, **who(visitor))
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
