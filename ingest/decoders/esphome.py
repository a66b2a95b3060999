"""ESPHome devices: `shouwang/<hub>/esphome/<node>/<component>/<object>/state`."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.ports import Expose, HubDevice
from ingest.decoders.base import (
    NOTHING_BEFORE,
    NOTHING_QUIET,
    Decoded,
    Fault,
    News,
    Part,
    Place,
    Row,
    Signal,
    an_object,
    any_word,
    bare,
    deliberate_word,
    flag,
    number,
    volts,
    words,
)
from ingest.decoders.exposes import either
from ingest.decoders.water import litres, litres_of
from ingest.decoders.wifi import WHOLE, Saying, address, by_dbm, levels

DISCOVERY = "homeassistant"
"""The level below which nodes announce what they have."""

YES_OR_NO: dict[str, Signal] = {
    "motion": Signal.MOVEMENT,
    "moving": Signal.MOVEMENT,
    "moving_target": Signal.MOVEMENT,
    "occupancy": Signal.PRESENCE,
    "presence": Signal.PRESENCE,
    "has_target": Signal.PRESENCE,
    "door": Signal.OPEN,
    "window": Signal.OPEN,
    "opening": Signal.OPEN,
    "garage_door": Signal.OPEN,
    "vibration": Signal.SHAKEN,
    "smoke": Signal.SMOKE,
    "gas": Signal.GAS,
    "carbon_monoxide": Signal.CO,
    "moisture": Signal.LEAK,
    "leak": Signal.LEAK,
    "sos": Signal.SOS,
    "fall": Signal.FALL,
    "running": Signal.IN_USE,
    "battery": Signal.BATTERY_LOW,
    "battery_low": Signal.BATTERY_LOW,
    "problem": Signal.FAULT,
    "tamper": Signal.TAMPER,
}
"""A yes or no: its device class, or what its name ends with -> what it says. ON is open, wet, there. One that has
neither is what its role in the home says (`Signal.INPUT`)."""

MEASURES: dict[str, Row] = {
    "temperature": Row(Signal.TEMPERATURE, number(-80, 200)),
    "humidity": Row(Signal.HUMIDITY, number(0, 110)),
    "illuminance": Row(Signal.ILLUMINANCE, number(0, 1_000_000)),
    "power": Row(Signal.POWER, number(-100_000, 100_000)),
    "battery": Row(Signal.BATTERY, number(0, 100)),
    "battery_level": Row(Signal.BATTERY, number(0, 100)),
    "battery_voltage": Row(Signal.VOLTAGE, volts),
    "signal_strength": Row(Signal.LINK, by_dbm),
    "wifi_signal": Row(Signal.LINK, by_dbm),
    "water": Row(Signal.METER, litres(1)),
    "water_total": Row(Signal.METER, litres(1)),
}
"""A number: the same."""

TELLS_NOTHING = ("still_target", "status", "connected", "restart")
"""Beside a radar's presence, whether the target lies still; and what a chip says about itself."""

_CHIP = ("internal", "cpu", "chip", "esp32", "esp8266")
_EQUIPMENT = frozenset({Signal.BATTERY, Signal.BATTERY_LOW, Signal.VOLTAGE})
_FALL = Row(Signal.FALL, words(("fall", "falling", "fallen", "fall_alarm"), ("none", "normal", "no_fall")))
_PRESS = Row(Signal.ACTION, any_word, momentary=True)
_DELIBERATE = Row(Signal.ASSIST, deliberate_word, momentary=True)
_ON_OFF = words(("on",), ("off",))
_between = re.compile(r"[\W_]+")
_TEXT_AT_MOST = 64


class EspHome:
    """One topic for each entity, retained: what a reconnect replays is known already. `status` is the last will too."""

    name = "esphome"
    repeats_state = True
    announces = False

    def places(self, rest: str) -> tuple[Place, ...]:
        parts = levels(rest)
        if not all(parts):
            return ()
        if parts[0] == DISCOVERY:
            return (Place(Part.HUB),) if parts[-1] == "config" else ()
        device = address(parts[0])
        match parts[1:]:
            case _ if not device:
                return ()
            case ["status"]:
                return (Place(Part.SEVERAL, device, "status"),)
            case ["debug"] | [_, _, "command"]:
                return (Place(Part.NOTHING),)
            case [component, entity, "state"]:
                return (Place(Part.SEVERAL, device, f"{component}/{entity}"),)
            case [_, *_]:
                return (Place(Part.NOTHING),)  # the speed of a fan, the colour of a lamp
        return ()

    def decode(
        self,
        payload: bytes,
        key: str = "",
        device: HubDevice | None = None,
        quiet: Mapping[str, Any] = NOTHING_QUIET,
        before: Mapping[Signal, float] = NOTHING_BEFORE,
    ) -> Decoded:
        saying = Saying()
        component, _, entity = key.partition("/")
        if key == "status":
            raw = bare(payload)
            saying.say(WHOLE, (Row(Signal.CONNECTED, words(("online",), ("offline",))),), raw, key="status")
            saying.is_last_will = raw == "offline"
            return saying.decoded()
        row = _row(component, entity, device)
        if row is not None:
            raw = bare(payload)
            if component == "event" and type(raw) is dict:
                raw = raw.get("event_type")
            if not (component == "sensor" and _is_unknown(raw)):
                part = WHOLE if row.signal in _EQUIPMENT else address(entity)
                saying.say(part, (row, _DELIBERATE) if row is _PRESS else (row,), raw, key=entity)
        return saying.decoded()

    def news(self, hub: str, rest: str, payload: bytes) -> News:
        """A node tells of one entity at a time; what it has is the sum of them."""
        raw = an_object(payload)
        state = raw.get("stat_t", raw.get("state_topic"))
        above = f"shouwang/{hub}/{self.name}/"
        if type(state) is not str or not state.startswith(above):
            return News(faults=[Fault("bad-value", f"state_topic: not below {above}")])
        news = News()
        for place in self.places(state.removeprefix(above)):
            component, _, entity = place.key.partition("/")
            if place.part is Part.SEVERAL and entity:
                news.joined.append(_announced(hub, place.name, component, entity, raw))
        return news


def _row(component: str, entity: str, device: HubDevice | None) -> Row | None:
    expose = None
    if device is not None:
        part = address(entity)
        expose = next((one for one in device.exposes if one.property == part), None)
    kind = _kind(entity, expose)
    match component:
        case "binary_sensor":
            if kind in TELLS_NOTHING:
                return None
            said = flag if expose is None else either(expose.on, expose.off)
            return Row(YES_OR_NO.get(kind, Signal.INPUT), said)
        case "sensor":
            row = MEASURES.get(kind)
            if row is not None and row.signal is Signal.METER and expose is not None and expose.unit:
                factor = litres_of(expose.unit)
                return None if factor is None else Row(Signal.METER, litres(factor))
            return row
        case "switch":
            return Row(Signal.SWITCHED, _ON_OFF)
        case "event":
            return _PRESS
        case "text_sensor":
            return _FALL if "fall" in entity.lower() else None
    return None


def _kind(entity: str, expose: Expose | None) -> str:
    """The device class where it was announced, else the longest ending of its name that we know."""
    parts = _between.split(entity.lower())
    if any(part in _CHIP for part in parts):
        return ""
    if expose is not None and expose.means:
        return expose.means
    endings = ("_".join(parts[start:]) for start in range(len(parts)))
    known = (YES_OR_NO.keys(), MEASURES.keys(), TELLS_NOTHING)
    return next((ending for ending in endings if any(ending in words_ for words_ in known)), "")


def _is_unknown(raw: Any) -> bool:
    return type(raw) is str and raw.lower() in ("nan", "inf", "-inf", "unknown", "unavailable")


def _announced(hub: str, name: str, component: str, entity: str, raw: dict[str, Any]) -> HubDevice:
    device = raw.get("dev", raw.get("device"))
    if type(device) is not dict:
        device = {}
    is_binary = component in ("binary_sensor", "switch")
    expose = Expose(
        address(entity),
        "binary" if is_binary else "numeric" if component == "sensor" else "enum" if component == "event" else "text",
        _text(raw.get("pl_on", raw.get("payload_on")), "ON") if is_binary else "",
        _text(raw.get("pl_off", raw.get("payload_off")), "OFF") if is_binary else "",
        _text(raw.get("unit_of_meas", raw.get("unit_of_measurement"))),
        _text(raw.get("dev_cla", raw.get("device_class"))),
    )
    return HubDevice(
        hub,
        name,
        name,
        _text(device.get("mdl", device.get("model"))),
        _text(device.get("mf", device.get("manufacturer"))),
        exposes=(expose,),
    )


def _text(raw: Any, otherwise: str = "") -> str:
    return raw if type(raw) is str and len(raw) <= _TEXT_AT_MOST and "\0" not in raw else otherwise


ESPHOME = EspHome()
