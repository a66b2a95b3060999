"""Tasmota devices, and Zigbee ones through a Tasmota bridge: `shouwang/<hub>/tasmota/<device>/<prefix>/…`."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.ports import HubDevice
from ingest.decoders.base import (
    NOTHING_BEFORE,
    NOTHING_QUIET,
    Decoded,
    News,
    Part,
    Place,
    Row,
    Signal,
    Unreadable,
    an_object,
    any_word,
    bare,
    deliberate_word,
    flag,
    moment,
    number,
    words,
)
from ingest.decoders.water import litres
from ingest.decoders.wifi import PARTS_AT_MOST, WHOLE, Saying, address, by_percent, levels

Rows = tuple[Row, ...]

_PRESS: Rows = (
    Row(Signal.ACTION, any_word, momentary=True),
    Row(Signal.ASSIST, deliberate_word, momentary=True),
)
_SWITCHED: Rows = (Row(Signal.SWITCHED, flag),)
_SWITCH: Rows = (Row(Signal.INPUT, words(("on",), ("off",))),)
_ONLINE: Rows = (Row(Signal.CONNECTED, words(("online",), ("offline",))),)
_METER: Rows = (Row(Signal.METER, litres(1)),)  # a pulse is a litre; another factor is Tasmota's to apply
_LINK: Rows = (Row(Signal.LINK, by_percent),)

SENSORS: dict[str, Rows] = {
    "temperature": (Row(Signal.TEMPERATURE, number(-80, 400)),),
    "humidity": (Row(Signal.HUMIDITY, number(0, 110)),),
    "illuminance": (Row(Signal.ILLUMINANCE, number(0, 1_000_000)),),
    "power": (Row(Signal.POWER, number(-100_000, 100_000)),),  # of the meter `ENERGY`
}
"""Key of a connected sensor, in small letters -> what it says."""

ZIGBEE: dict[str, Rows] = {
    "contact": (Row(Signal.OPEN, flag),),  # 1 is open: the other way round than Zigbee2MQTT's
    "occupancy": (Row(Signal.MOVEMENT, flag),),
    "movement": (Row(Signal.SHAKEN, flag),),
    "fire": (Row(Signal.SMOKE, flag),),
    "co": (Row(Signal.CO, flag),),
    "water": (Row(Signal.LEAK, flag),),
    "panic": (Row(Signal.SOS, flag),),
    "personalalarm": (Row(Signal.SOS, flag),),
    "click": _PRESS,
    "action": _PRESS,
    "power": _SWITCHED,
    "activepower": (Row(Signal.POWER, number(-100_000, 100_000)),),
    "temperature": (Row(Signal.TEMPERATURE, number(-80, 200)),),
    "humidity": (Row(Signal.HUMIDITY, number(0, 110)),),
    "illuminance": (Row(Signal.ILLUMINANCE, number(0, 1_000_000)),),
    "batterypercentage": (Row(Signal.BATTERY, number(0, 100)),),
    "batteryvoltage": (Row(Signal.VOLTAGE, number(0, 100)),),
    "linkquality": (Row(Signal.LINK, number(0, 255)),),
}
"""Key of a Zigbee device, in small letters -> what it says."""

_PREFIXES = ("tele", "stat", "cmnd")
_numbered = re.compile(r"(switch|button|power)(\d{0,2})", re.IGNORECASE).fullmatch
_counter = re.compile(r"c\d{1,2}", re.IGNORECASE).fullmatch


class Tasmota:
    """Telemetry that repeats everything now and then, in local time without its zone: the time we heard it counts."""

    name = "tasmota"
    repeats_state = True
    announces = False

    def places(self, rest: str) -> tuple[Place, ...]:
        # Both orders are usual: %topic%/%prefix%/ and %prefix%/%topic%/. A Zigbee device may have a level of its own.
        parts = levels(rest)
        if len(parts) < 3 or not all(parts):
            return ()
        name, prefix = (parts[1], parts[0]) if parts[0] in _PREFIXES else (parts[0], parts[1])
        device = address(name)
        if prefix not in _PREFIXES or not device:
            return ()
        if prefix == "cmnd":
            return (Place(Part.NOTHING),)
        return (Place(Part.SEVERAL, device, f"{prefix}/{parts[-1]}"),)

    def decode(
        self,
        payload: bytes,
        key: str = "",
        device: HubDevice | None = None,
        quiet: Mapping[str, Any] = NOTHING_QUIET,
        before: Mapping[Signal, float] = NOTHING_BEFORE,
    ) -> Decoded:
        saying = Saying()
        leaf = key.rpartition("/")[2].upper()
        if leaf == "LWT":
            raw = bare(payload)
            saying.say(WHOLE, _ONLINE, raw, key="LWT")
            saying.is_last_will = type(raw) is str and raw.lower() == "offline"
        elif leaf in ("SENSOR", "STATE", "RESULT"):
            _report(an_object(payload), saying)
        elif leaf in ("STATUS8", "STATUS10"):
            below = an_object(payload).get("StatusSNS")
            if type(below) is dict:
                _report(below, saying)
        elif leaf.startswith("POWER") and _numbered(leaf):
            saying.say(address(leaf), _SWITCHED, bare(payload), key=leaf)
        return saying.decoded()

    def news(self, hub: str, rest: str, payload: bytes) -> News:
        raise Unreadable("bad-value", "a Tasmota device says nothing about a hub")


def _report(raw: dict[str, Any], saying: Saying) -> None:
    if type(raw.get("Time")) is str:
        try:
            saying.at = moment(raw["Time"])
        except ValueError:  # without its zone, as nearly always: the time we heard it counts
            saying.at = None
    fahrenheit = raw.get("TempUnit") == "F"
    for name, value in raw.items():
        if name == "ZbReceived":
            _zigbee(value, saying)
        elif name == "Wifi" and type(value) is dict:
            saying.say("wifi", _LINK, value.get("RSSI"), key="RSSI")
        elif found := _numbered(name):
            _worked(found[1].lower(), name, value, saying)
        elif type(value) is dict:
            _connected(name, value, fahrenheit, saying)


def _worked(what: str, name: str, value: Any, saying: Saying) -> None:
    """A relay, a switch at an input, a button."""
    if type(value) is dict:
        value = value.get("Action")
    if what == "power":
        saying.say(address(name), _SWITCHED, value, key=name)
    elif type(value) is str:
        saying.say(address(name), _SWITCH if what == "switch" else _PRESS, value, key=name)


def _connected(name: str, sensor: dict[str, Any], fahrenheit: bool, saying: Saying) -> None:
    for key, value in sensor.items():
        if name == "COUNTER" and _counter(key):
            saying.say(address(key), _METER, value, key=key)
            continue
        small = key.lower()
        rows = SENSORS.get(small)
        if rows is None or (small == "power" and name != "ENERGY"):
            continue
        if small == "power" and type(value) is list:
            value = value[0] if value else None  # a meter of several phases
        if small == "temperature" and fahrenheit and (type(value) is int or type(value) is float):
            value = round((value - 32) / 1.8, 2)
        saying.say(address(name), rows, value, key=key)


def _zigbee(devices: Any, saying: Saying) -> None:
    """What a device said through the bridge; known by the name it was given there, else by its short address."""
    for short, said in list(devices.items())[:PARTS_AT_MOST] if type(devices) is dict else ():
        if type(said) is not dict:
            continue
        name = said.get("Name")
        part = address(name if type(name) is str and address(name) else short)
        if not part:
            continue
        for key, value in said.items():
            rows = ZIGBEE.get(key.lower())
            if rows is not None:
                saying.say(part, rows, value, key=key, is_child=True)


TASMOTA = Tasmota()
