"""Anything paired through Zigbee2MQTT: its base topic is `shouwang/<hub>/zigbee2mqtt`."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gateway.domain import Power
from gateway.ports import Expose, HubDevice
from ingest.decoders.base import (
    DANGERS,
    NOTHING_BEFORE,
    NOTHING_QUIET,
    Decoded,
    Fault,
    Heard,
    News,
    Part,
    Place,
    Row,
    Signal,
    Unreadable,
    an_object,
    bare,
    fault,
    flag,
    moment,
    not_flag,
    number,
    parse,
    volts,
    words,
)
from ingest.decoders.exposes import announced, rows_of, strongest
from ingest.decoders.models import MODELS, press


def _pressure(raw: Any) -> float | None:
    # A mat says true or false; a weather sensor uses the same key for hectopascals.
    return None if type(raw) is int or type(raw) is float else flag(raw)


FIELDS: dict[str, tuple[Row, ...]] = {
    "contact": (Row(Signal.OPEN, not_flag),),  # true means the magnet touches: closed
    "occupancy": (Row(Signal.MOVEMENT, flag),),
    "presence": (Row(Signal.PRESENCE, flag),),
    "pressure": (Row(Signal.PRESSED, _pressure),),
    "pressure_state": (Row(Signal.PRESSED, words(("sit", "sedentary"), ("none",))),),
    "work_state": (
        Row(
            Signal.PRESSED,
            words(("presence", "presence_5min", "presence_30min"), ("none", "none_5min", "none_30min")),
        ),
    ),
    "vibration": (Row(Signal.SHAKEN, flag),),
    "state": (Row(Signal.SWITCHED, words(("on",), ("off",))),),
    "action": press("release"),
    "click": press("release"),  # what `action` was called in the bridge's first years
    "sos": (Row(Signal.SOS, flag),),
    "smoke": (Row(Signal.SMOKE, flag),),
    "gas": (Row(Signal.GAS, flag),),
    "carbon_monoxide": (Row(Signal.CO, flag),),
    "water_leak": (Row(Signal.LEAK, flag),),
    # A radar that only suspects a fall says so first and `fall` when it has become sure: the suspicion is no alarm yet.
    "fall_down_status": (
        Row(Signal.FALL, words(("fall",), ("none",))),
        Row(Signal.MAYBE_FALL, words(("maybe_fall",), ("none", "fall"))),
    ),
    "fall_status": (
        Row(Signal.FALL, words(("fall_alarm",), ("normal",))),
        Row(Signal.MAYBE_FALL, words(("fall_warning",), ("normal", "fall_alarm"))),
    ),
    "status": (
        Row(Signal.FALL, words(("falling",), ("unoccupied", "occupied", "sitting", "on_the_bed", "low_posture"))),
        Row(
            Signal.PRESENCE,
            words(("occupied", "sitting", "on_the_bed", "low_posture", "falling"), ("unoccupied",)),
        ),
    ),
    "test": (Row(Signal.SELF_TEST, flag),),
    "temperature": (Row(Signal.TEMPERATURE, number(-80, 200)),),
    "humidity": (Row(Signal.HUMIDITY, number(0, 110)),),
    "illuminance": (Row(Signal.ILLUMINANCE, number(0, 1_000_000)),),
    "power": (Row(Signal.POWER, number(-100_000, 100_000)),),
    "battery": (Row(Signal.BATTERY, number(0, 100)),),
    "battery_low": (Row(Signal.BATTERY_LOW, flag),),
    "voltage": (Row(Signal.VOLTAGE, volts),),
    "tamper": (Row(Signal.TAMPER, flag),),
    "linkquality": (Row(Signal.LINK, number(0, 255)),),
}
"""Key -> what it says. Here stands what means the same in all models; what does not, in `models.py`."""

AVAILABILITY = Row(Signal.AVAILABLE, words(("online",), ("offline",)))

DEVICES_AT_MOST = 1024
"""Of one hub. A Zigbee network ends far below; a hub that announces more is not heard on it."""

READ_AT_MOST = 1_000
"""Makes of devices whose way of speaking is kept ready; at more all are looked up anew."""

_NAME_AT_MOST = 256
_LAST_COUNT = 2**53 - 1


class Zigbee2Mqtt:
    """Cached state in every message, names that people change, and `bridge/…` beside the devices."""

    name = "zigbee2mqtt"
    repeats_state = True
    announces = True

    def __init__(self) -> None:
        self._read: dict[tuple[str, Power, int], tuple[tuple[Expose, ...], _Fields]] = {}

    def places(self, rest: str) -> tuple[Place, ...]:
        if rest == "bridge" or rest.startswith("bridge/"):
            return (Place(Part.HUB),)
        levels = rest.split("/")
        if not all(levels):
            return ()
        last = levels[-1]
        if len(levels) > 1:
            if last in ("set", "get") or levels[-2] in ("set", "get"):
                return (Place(Part.NOTHING),)
            if last == "availability":
                return _under_both_names(rest.removesuffix("/availability"), "availability")
        whole = _under_both_names(rest, "")
        if len(levels) == 1:
            return whole
        # A name may contain slashes; and with `output: attribute` the last level is a key.
        return whole + _under_both_names("/".join(levels[:-1]), last)

    def decode(
        self,
        payload: bytes,
        key: str = "",
        device: HubDevice | None = None,
        quiet: Mapping[str, Any] = NOTHING_QUIET,
        before: Mapping[Signal, float] = NOTHING_BEFORE,
    ) -> Decoded:
        fields, has_twins = (FIELDS, False) if device is None else self._fields_of(device)
        if key:
            return _attribute(payload, key, fields)
        raw = parse(payload)
        if type(raw) is not dict:
            raise Unreadable("not-an-object", f"a {type(raw).__name__} is not an object")
        faults: list[Fault] = []
        at = quiet_at = None
        last_seen = raw.get("last_seen")
        if last_seen is not None:
            try:
                at = moment(last_seen)
            except ValueError as error:
                faults.append(fault("last_seen", last_seen, error))
        heard: list[Heard] = []
        hushed: dict[str, Any] | None = None
        if has_twins:
            quiet, before = NOTHING_QUIET, NOTHING_BEFORE
        for name, value in raw.items():
            if name in quiet:
                known = quiet[name]
                if known is value or (known == value and type(known) is type(value)):
                    quiet_at = at
                    continue
            if name not in fields or value is None:  # unknown keys pass through; null was never reported
                continue
            rows = fields[name]
            only = name if len(rows) == 1 else ""
            for row in rows:
                try:
                    said = row.convert(value)
                except ValueError as error:
                    faults.append(fault(name, value, error))
                    break
                if said is None:
                    continue
                if before and only and said == before.get(row.signal) and not row.momentary:
                    if hushed is None:
                        hushed = {}
                    hushed[name], quiet_at = value, at
                    continue
                heard.append(Heard(row.signal, said, row.momentary, at, None, 0, only))
        if has_twins:
            heard = strongest(heard)
        if "test" in raw or "self_test" in raw:
            # Whether an alarm is a self-test must be known before the alarm is looked at.
            heard.sort(key=_self_test_first)
        told = raw.get("device")
        address = _address(told.get("ieeeAddr")) if type(told) is dict else ""
        return Decoded(heard, faults or None, address, raw=raw, quiet_at=quiet_at, hushed=hushed)

    def news(self, hub: str, rest: str, payload: bytes) -> News:
        match rest:
            case "bridge/state":
                online = _is_online(payload)
                return News(is_alive=online, starts=online)
            case "bridge/devices":
                return _all_devices(hub, payload)
            case "bridge/event":
                return _event(hub, an_object(payload))
            case "bridge/response/device/rename":
                return _renamed(an_object(payload))
            case "bridge/health":
                return _health(an_object(payload))
            case _:
                # info, logging, groups, requests: the hub lives, and that is all we take from them
                return News()

    def _fields_of(self, device: HubDevice) -> "_Fields":
        """How this device speaks. It is asked for with every message, so what it announced is known by being the same
        object: all devices of a make share it."""
        make = device.model, device.power, id(device.exposes)
        known = self._read.get(make)
        if known is not None and known[0] is device.exposes:
            return known[1]
        if len(self._read) >= READ_AT_MOST:
            self._read.clear()
        fields = _fields(device.model, device.power, device.exposes)
        self._read[make] = device.exposes, fields
        return fields


_Fields = tuple[dict[str, tuple[Row, ...]], bool]
"""Key -> what it says; and whether several keys tell of the same danger."""


@lru_cache(maxsize=1024)
def _fields(model: str, power: Power, exposes: tuple[Expose, ...]) -> _Fields:
    """What is written down of a model goes before what it announces, and that before what most of them mean."""
    own: dict[str, tuple[Row, ...]] = {} if power is not Power.MAINS else {"voltage": ()}  # of no battery
    own |= rows_of(exposes, FIELDS)
    if model in MODELS:
        own |= MODELS[model].own
    if not own:
        return FIELDS, False
    fields = FIELDS | own
    dangers = Counter(row.signal for one in exposes for row in fields.get(one.property, ()) if row.signal in DANGERS)
    return fields, any(number > 1 for number in dangers.values())


def _under_both_names(name: str, key: str) -> tuple[Place, ...]:
    """A device renamed to `sos/<name>` a moment ago may still be known to us under its old name."""
    place = Place(Part.DEVICE, name, key)
    old = name.removeprefix("sos/")
    return (place,) if old == name or not old else (place, Place(Part.DEVICE, old, key))


def _self_test_first(heard: Heard) -> bool:
    return heard.signal is not Signal.SELF_TEST


def _attribute(payload: bytes, key: str, fields: dict[str, tuple[Row, ...]]) -> Decoded:
    """One key in a topic of its own; texts come without quotation marks."""
    if payload[:1] == b"{" and key != "availability":  # attributes are never objects: it is a device of that name
        raise Unreadable("unknown-device", "an object where one value was expected")
    rows = (AVAILABILITY,) if key == "availability" else fields.get(key)
    if rows is None:
        return Decoded([])
    raw = bare(payload)
    if key == "availability" and type(raw) is dict:
        raw = raw.get("state")
    decoded = Decoded([])
    if raw is None:
        return decoded
    for row in rows:
        try:
            said = row.convert(raw)
        except ValueError as error:
            decoded.faults = [fault(key, raw, error)]
            break
        if said is not None:
            decoded.heard.append(Heard(row.signal, said, row.momentary))
    return decoded


def _is_online(payload: bytes) -> bool:
    """`{"state":"online"}`, or the bare word that older bridges say."""
    raw = bare(payload)
    if type(raw) is dict:
        raw = raw.get("state")
    if raw not in ("online", "offline"):
        raise Unreadable("bad-value", "state: neither online nor offline")
    return bool(raw == "online")


def _all_devices(hub: str, payload: bytes) -> News:
    raw = parse(payload)
    if type(raw) is not list:
        raise Unreadable("not-an-object", f"a {type(raw).__name__} is not a list of devices")
    news = News(devices=[])
    assert news.devices is not None
    for number_, entry in enumerate(raw):
        if number_ >= DEVICES_AT_MOST:
            news.faults.append(Fault("bad-value", f"more than {DEVICES_AT_MOST} devices"))
            break
        if type(entry) is dict and entry.get("type") == "Coordinator":
            continue
        device = _device(hub, entry)
        if device is None:
            news.faults.append(Fault("bad-value", f"device {number_}: no ieee_address and friendly_name"))
        else:
            news.devices.append(device)
    return news


def _event(hub: str, raw: dict[str, Any]) -> News:
    news = News()
    data = raw.get("data")
    match raw.get("type"):
        case "device_joined" | "device_announce":
            pass
        case "device_interview":
            # A failed or running interview names the device as well, only not yet its model.
            pass
        case "device_leave":
            address = _address(data.get("ieee_address")) if type(data) is dict else ""
            if address:
                news.left.append(address)
            else:
                news.faults.append(Fault("bad-value", "device_leave: no ieee_address"))
            return news
        case _:
            return news
    device = _device(hub, data)
    if device is None:
        news.faults.append(Fault("bad-value", f"{raw['type']}: no ieee_address and friendly_name"))
    else:
        news.joined.append(device)
    return news


def _renamed(raw: dict[str, Any]) -> News:
    news = News()
    data = raw.get("data")
    if raw.get("status") == "ok" and type(data) is dict:
        before, after = _text(data.get("from")), _text(data.get("to"))
        if before and after:
            news.renamed.append((before, after))
        else:
            news.faults.append(Fault("bad-value", "rename: no from and to"))
    return news


def _health(raw: dict[str, Any]) -> News:
    """How many messages the bridge has had from each of its devices, also those that it did not publish."""
    news = News()
    try:
        news.at = None if raw.get("response_time") is None else moment(raw["response_time"])
    except ValueError as error:
        news.faults.append(fault("response_time", raw["response_time"], error))
    devices = raw.get("devices")
    if type(devices) is dict:
        news.messages = {}
        for address, entry in list(devices.items())[:DEVICES_AT_MOST]:
            count = entry.get("messages") if type(entry) is dict else None
            if _address(address) and type(count) is int and 0 <= count <= _LAST_COUNT:
                news.messages[_address(address)] = count
    return news


def _device(hub: str, raw: Any) -> HubDevice | None:
    if type(raw) is not dict:
        return None
    address, name = _address(raw.get("ieee_address")), _text(raw.get("friendly_name"))
    if not address or not name:
        return None
    definition = raw.get("definition")
    if type(definition) is not dict:
        definition = {}
    model = _text(definition.get("model")) or _text(raw.get("model_id"))
    return HubDevice(
        hub,
        address,
        name,
        model,
        _text(definition.get("vendor")),
        _power(raw.get("power_source")),
        announced(definition.get("exposes")),
    )


def _power(raw: Any) -> Power:
    source = _text(raw).lower()
    if "battery" in source:
        return Power.BATTERY
    return Power.MAINS if "mains" in source or "dc source" in source else Power.UNKNOWN


def _address(raw: Any) -> str:
    return _text(raw).lower()


def _text(raw: Any) -> str:
    """A name or "" where there is none that could be shown and kept."""
    return raw if type(raw) is str and len(raw) <= _NAME_AT_MOST and "\0" not in raw else ""


ZIGBEE2MQTT = Zigbee2Mqtt()
