"""`shouwang devices …`: what hangs in the homes, what is waiting to be registered, and how each device is."""

from datetime import datetime
from typing import Annotated

import typer

from gateway.commands import Config, Office, State, Who, office, one_of, say
from gateway.config import Refused
from gateway.domain import Condition, Home, Power, Role, Sensor
from gateway.ports import HubDevice

devices = typer.Typer(help="Devices: what was heard, what hangs where, how it is. 设备")

HubOf = Annotated[str, typer.Option("--hub", help="which hub; not needed where there is one")]


@devices.callback(invoke_without_command=True)
def plain_devices(context: typer.Context, config: Config = None, state: State = None, hub: str = "") -> None:
    """Without a subcommand: the same as `shouwang devices inbox --all`."""
    if context.invoked_subcommand is None:
        devices_inbox(config=config, state=state, hub=hub, all_=True)


@devices.command("inbox")
def devices_inbox(
    hub: Annotated[str, typer.Option("--hub", help="of this hub only")] = "",
    all_: Annotated[bool, typer.Option("--all", help="registered ones too")] = False,
    config: Config = None,
    state: State = None,
) -> None:
    """Devices that hubs have announced or that were heard, with the address to register them by."""
    from dashboard.inbox import strangers

    with office(config, state) as here:
        registry, readings = here.stores.registry, here.stores.readings
        announced, put_away = readings.devices(hub or None), readings.quarantine()
        if all_:
            for home in registry.homes():
                for sensor in home.sensors:
                    if not hub or sensor.hub == hub:
                        say(f"{sensor.hub:20} {sensor.address:20} {sensor.name:30} {sensor.model}  registered")
        for home in registry.homes():
            for one in strangers(home, announced, put_away):
                if not hub or one.hub == hub:
                    say(f"{one.hub:20} {one.address or '-':20} {one.name:30} {one.vendor} {one.model}  -")
        placed = {known.id for known in registry.hubs()}
        for device in announced:
            if device.hub not in placed:
                say(f"{device.hub:20} {device.address:20} {device.name:30} {device.vendor} {device.model}  hub unknown")


@devices.command("list")
def devices_list(
    home: Annotated[str, typer.Argument(help="of this home only")] = "", config: Config = None, state: State = None
) -> None:
    """Every registered device: home, id, room, role, hub, address, model."""
    with office(config, state) as here:
        for one, sensor in _sensors(here, home):
            place = f"{one.id:20} {sensor.id:20} {sensor.room:12} {sensor.role.value:12}"
            say(f"{place} {sensor.hub:20} {sensor.address:20} {sensor.model} {sensor.power.value}".rstrip())


@devices.command("check")
def devices_check(
    home: Annotated[str, typer.Argument(help="of this home only")] = "", config: Config = None, state: State = None
) -> None:
    """How each device is: when it was heard, battery, link, faults. Exit code 1 when any has a fault."""
    with office(config, state) as here:
        conditions = {(c.home, c.sensor): c for c in here.stores.readings.conditions(home or None)}
        is_faulty = False
        for one, sensor in _sensors(here, home):
            condition = conditions.get((one.id, sensor.id))
            is_faulty = is_faulty or (condition is not None and bool(condition.faults))
            say(f"{one.id:20} {sensor.id:20} {sensor.role.value:12} {condition_of(condition, one, here.now)}")
    if is_faulty:
        raise typer.Exit(1)


def condition_of(condition: Condition | None, home: Home, now: datetime) -> str:
    """One line: when it was heard, what is left in it, what is wrong with it."""
    if condition is None or condition.heard is None:
        return "never heard" + _faults(condition)
    parts = [f"heard {condition.heard.astimezone(home.zone):%m-%d %H:%M}"]
    if condition.battery is not None:
        parts.append(f"battery {condition.battery:.0f} %")
    if condition.empty_at is not None:
        parts.append(f"empty in {max((condition.empty_at - now).days, 0)} days")
    if condition.link is not None:
        parts.append(f"link {condition.link:.0f}")
    return ", ".join(parts) + _faults(condition)


def _faults(condition: Condition | None) -> str:
    return f"  ! {', '.join(condition.faults)}" if condition is not None and condition.faults else ""


def _sensors(here: Office, home: str) -> list[tuple[Home, Sensor]]:
    homes = [here.home(home)] if home else here.stores.registry.homes()
    return [(one, sensor) for one in homes for sensor in one.sensors]


@devices.command("add")
def devices_add(
    home: str,
    device: Annotated[str, typer.Argument(help="its id here: a-z, 0-9 and '-'")],
    address: Annotated[str, typer.Option("--address", help="IEEE address or topic name, as the inbox shows it")],
    room: Annotated[str, typer.Option("--room")],
    role: Annotated[str, typer.Option("--role", help="what it is for: exit_door, motion, sos, bed …")],
    name: Annotated[str, typer.Option("--name", help="what people call it")] = "",
    hub: HubOf = "",
    subject: Annotated[str, typer.Option("--subject", help="whose pendant or bed, where several live there")] = "",
    inverted: Annotated[bool, typer.Option("--inverted", help="it tells the opposite of what happens")] = False,
    note: Annotated[str, typer.Option("--note", help="where it hangs, for whoever comes after you")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Register a device in a home; its make and power come from what its hub announced."""
    with office(config, state) as here:
        hub = hub or _only_hub(here.home(home))
        known = _announced(here, hub, address)
        sensor = Sensor(
            id=device,
            hub=hub,
            address=_as_announced(address),
            name=name or device,
            room=room,
            role=one_of(Role, role, "role of a device"),
            subject=subject,
            inverted=inverted,
            model=known.model if known else "",
            power=known.power if known else Power.UNKNOWN,
        )
        here.registrar.put_sensor(home, sensor, note=note, who=who, now=here.now)


@devices.command("replace")
def devices_replace(
    home: str,
    device: str,
    address: Annotated[str, typer.Option("--address", help="of the new one")],
    hub: HubOf = "",
    note: Annotated[str, typer.Option("--note")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Another box in the same place: its id stays, so the history of its readings goes on."""
    with office(config, state) as here:
        old = next((s for s in here.home(home).sensors if s.id == device), None)
        hub = hub or (old.hub if old else "")
        known = _announced(here, hub, address)
        here.registrar.replace_sensor(
            home,
            device,
            hub=hub,
            address=_as_announced(address),
            model=known.model if known else "",
            power=known.power if known else Power.UNKNOWN,
            note=note,
            who=who,
            now=here.now,
        )


@devices.command("move")
def devices_move(
    home: str, device: str, room: str, config: Config = None, state: State = None, who: Who = "cli"
) -> None:
    """The same device in another room; where it hung before stays known."""
    with office(config, state) as here:
        here.registrar.move_sensor(home, device, room, who=who, now=here.now)


@devices.command("remove")
def devices_remove(
    home: str,
    device: str,
    why: Annotated[str, typer.Option(help="for the audit trail")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Take a device down. What it said stays in the history."""
    with office(config, state) as here:
        here.registrar.remove_sensor(home, device, why, who=who, now=here.now)


def _only_hub(home: Home) -> str:
    if len(home.hubs) != 1:
        names = ", ".join(hub.id for hub in home.hubs) or "none yet; `shouwang hubs add` makes one"
        raise Refused(f"Say with --hub through which hub it speaks; home {home.id!r} has {names}.")
    return home.hubs[0].id


def _announced(here: Office, hub: str, address: str) -> HubDevice | None:
    wanted = address.lower()
    return next((d for d in here.stores.readings.devices(hub) if d.address.lower() == wanted), None)


def _as_announced(address: str) -> str:
    """IEEE addresses are kept in small letters, however a label writes them."""
    return address.lower() if address.lower().startswith("0x") else address
