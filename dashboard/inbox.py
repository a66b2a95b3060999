"""What a home's hubs have heard and nobody has registered yet, and what each of it is probably for. Pure; no words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain import Home, Power, Role
from gateway.ports import HubDevice, Quarantined

STRANGE = frozenset({"unknown-device", "unregistered-alarm"})
"""Why the messages of a device that nobody registered are put away."""

JUST_NOW = timedelta(seconds=30)
"""So long a device counts as the one that the installer has just touched."""

IEEE = re.compile(r"0x[0-9a-f]{16}")
_LABELLED = re.compile(r"(?<![0-9A-Fa-f])(?:0x)?((?:[0-9A-Fa-f]{2}[:-]?){7}[0-9A-Fa-f]{2})(?![0-9A-Fa-f])")
_PLAIN = re.compile(r"(?!0x)[\w.:-]{1,64}(/[\w.:-]{1,64})*")
_KEY = re.compile(rb'"([a-z_0-9]{2,40})"\s*:')
_PLAIN_KIND = re.compile(rb'"kind"\s*:\s*"([a-z_]{2,40})"')


@dataclass(frozen=True, slots=True)
class Stranger:
    """A device that is heard, or announced by its hub, and not registered."""

    hub: str
    address: str  # "" while its hub has not said which device bears this name: it cannot be registered yet
    name: str  # as its hub calls it
    model: str = ""
    vendor: str = ""
    power: Power = Power.UNKNOWN
    says: tuple[str, ...] = ()  # the properties it is known to tell
    heard: datetime | None = None  # when it last said something; None: only announced
    count: int = 0
    calls: bool = False  # what it said was a call for help

    @property
    def is_zigbee(self) -> bool:
        return IEEE.fullmatch(self.address) is not None

    def is_fresh(self, now: datetime) -> bool:
        return self.heard is not None and now - self.heard <= JUST_NOW


def strangers(home: Home, devices: Iterable[HubDevice], put_away: Iterable[Quarantined]) -> list[Stranger]:
    """Everything that could be registered in this home, what was heard last first."""
    hubs = {hub.id for hub in home.hubs}
    registered = {(sensor.hub, sensor.address.lower()) for sensor in home.sensors}
    announced = [device for device in devices if device.hub in hubs]
    found: dict[tuple[str, str], Stranger] = {}
    for device in announced:
        key = (device.hub, device.address.lower())
        if key not in registered:
            found[key] = _announced(device)
    for row in put_away:
        if row.hub in hubs and row.reason in STRANGE:
            one = _heard(row, [device for device in announced if device.hub == row.hub])
            key = (one.hub, one.address.lower() or one.name)
            if key not in registered:
                found[key] = _both(found.get(key), one)
    return sorted(found.values(), key=_order)


def _announced(device: HubDevice) -> Stranger:
    return Stranger(
        device.hub,
        device.address.lower(),
        device.name,
        device.model,
        device.vendor,
        device.power,
        tuple(expose.property for expose in device.exposes),
    )


def _heard(row: Quarantined, announced: Sequence[HubDevice]) -> Stranger:
    """Who said it: the announced device of that name, or whoever the topic itself names."""
    decoder, _, rest = row.topic.split("/", 2)[-1].partition("/")
    named = [device for device in announced if rest == device.name or rest.startswith(device.name + "/")]
    calls = row.reason == "unregistered-alarm"
    if named:
        one = _announced(max(named, key=lambda device: len(device.name)))
    else:
        one = Stranger(row.hub, _address(decoder, rest), rest)
    return replace(one, says=one.says or _told(row.head), heard=row.at, count=row.count, calls=calls)


def _address(decoder: str, rest: str) -> str:
    """The lasting address in a topic. Zigbee2MQTT's names are changed by people; only its IEEE addresses last."""
    name = rest.removeprefix("sos/")
    match decoder:
        case "zigbee2mqtt":
            first = name.split("/")[0].lower()
            return first if IEEE.fullmatch(first) else ""
        case "shelly" | "esphome":
            name = name.split("/")[0]
        case "tasmota":  # tele/<device>/SENSOR
            parts = name.split("/")
            name = parts[1] if len(parts) > 1 else name
    return name if _PLAIN.fullmatch(name) else ""


def _told(head: bytes) -> tuple[str, ...]:
    """The keys in the first bytes of what it said, which may be cut; for our own plain reports their kind."""
    keys = _PLAIN_KIND.findall(head) or _KEY.findall(head)
    return tuple(dict.fromkeys(key.decode() for key in keys))


def _both(before: Stranger | None, now: Stranger) -> Stranger:
    if before is None or before.heard is None:
        return now
    newer, older = (now, before) if now.heard and now.heard >= before.heard else (before, now)
    return replace(
        newer,
        count=newer.count + older.count,
        calls=newer.calls or older.calls,
        says=tuple(dict.fromkeys(newer.says + older.says)),
    )


def _order(one: Stranger) -> tuple[bool, float, str]:
    return (one.heard is None, -one.heard.timestamp() if one.heard else 0.0, one.name)


# --------------------------------------------------------------------------- unreadable, and hubs that nobody knows


def unread(home: Home, put_away: Iterable[Quarantined]) -> list[Quarantined]:
    """What this home's hubs said that could not be used, for other reasons than that nobody registered the device."""
    hubs = {hub.id for hub in home.hubs}
    return [row for row in put_away if row.hub in hubs and row.reason not in STRANGE]


def unknown_hubs(put_away: Iterable[Quarantined]) -> list[Quarantined]:
    """Each hub that talks and is not registered, once, with when it was last heard."""
    found: dict[str, Quarantined] = {}
    for row in put_away:
        if row.reason == "unknown-hub":
            known = found.get(row.hub)
            if known is None:
                found[row.hub] = row
            else:
                found[row.hub] = replace(known, at=max(known.at, row.at), count=known.count + row.count)
    return sorted(found.values(), key=lambda row: row.at, reverse=True)


# --------------------------------------------------------------------------- labels


def addresses_on(label: str) -> tuple[str, ...]:
    """The IEEE addresses in what a label says: a bare one, one with colons, or somewhere within a maker's QR code."""
    found = [re.sub(r"[:-]", "", match).lower() for match in _LABELLED.findall(label)]
    return tuple(dict.fromkeys(f"0x{digits}" for digits in found))


def matching(found: Iterable[Stranger], sought: str) -> list[Stranger]:
    """Those whose address stands on the label, or whose address, name or model holds what was typed."""
    labelled = addresses_on(sought)
    if labelled:
        return [one for one in found if one.address in labelled]
    word = sought.strip().lower()
    return [one for one in found if word in f"{one.address} {one.name} {one.model} {one.vendor}".lower()]


# --------------------------------------------------------------------------- what it is for

_BY_PROPERTY: tuple[tuple[str, tuple[Role, ...]], ...] = (
    # The first that fits decides, so what is particular stands above what many devices have.
    (r"smoke(_.*)?", (Role.SMOKE,)),
    (r"carbon_monoxide|co", (Role.CO,)),
    (r"gas(_.*)?", (Role.GAS,)),
    (r"water_leak|leak", (Role.LEAK,)),
    (r"fall.*|tumble_.*|.*fall_detection.*", (Role.FALL, Role.PRESENCE)),
    (r"sos|call", (Role.SOS,)),
    (r"contact|open|opening|door", (Role.EXIT_DOOR, Role.OPENING, Role.BED, Role.CHAIR, Role.SOS)),
    (r"bed|pressure|pressed", (Role.BED, Role.CHAIR)),
    (r"chair", (Role.CHAIR, Role.BED)),
    (r"presence|radar", (Role.PRESENCE, Role.FALL, Role.MOTION)),
    (r"occupancy|motion|movement", (Role.MOTION, Role.PRESENCE)),
    (r"vibration|shaken", (Role.BED, Role.CHAIR, Role.TAP, Role.APPLIANCE, Role.OPENING)),
    (r"action|button", (Role.SOS, Role.BUTTON)),
    (r"water|water_consumed|volume|litres|flow", (Role.WATER_METER, Role.TAP)),
    (r"systolic|diastolic|heart_rate|spo2|glucose|weight|body_temperature", (Role.VITALS,)),
    (r"tap", (Role.TAP, Role.WATER_METER)),
    (r"power|energy|current|appliance|state.*", (Role.APPLIANCE,)),
    (r"temperature|humidity|illuminance", (Role.CLIMATE,)),
)
_EQUIPMENT = frozenset(
    {"battery", "battery_low", "voltage", "linkquality", "tamper", "update", "device_temperature", "last_seen"}
)


def likely_roles(says: Iterable[str]) -> tuple[Role, ...]:
    """What a device that tells these properties is probably hung up for, the likeliest first; empty: no idea."""
    told = set(says) - _EQUIPMENT
    for pattern, roles in _BY_PROPERTY:
        if any(re.fullmatch(pattern, one) for one in told):
            return roles
    return ()
