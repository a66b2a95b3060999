"""Shelly devices of all generations, and Bluetooth ones through them: `shouwang/<hub>/shelly/<device>/…`."""

from collections.abc import Mapping
from typing import Any

from gateway.ports import HubDevice
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
    Unreadable,
    an_object,
    any_word,
    bare,
    deliberate_word,
    fault,
    flag,
    moment,
    number,
    words,
)
from ingest.decoders.water import litres
from ingest.decoders.wifi import PARTS_AT_MOST, WHOLE, Saying, address, by_dbm, levels

_INPUT = (Row(Signal.INPUT, flag),)
_PRESS = Row(Signal.ACTION, any_word, momentary=True), Row(Signal.ASSIST, deliberate_word, momentary=True)
_SWITCHED, _POWER = (Row(Signal.SWITCHED, flag),), (Row(Signal.POWER, number(-100_000, 100_000)),)
_TEMPERATURE, _HUMIDITY = (Row(Signal.TEMPERATURE, number(-80, 200)),), (Row(Signal.HUMIDITY, number(0, 110)),)
_LUX = (Row(Signal.ILLUMINANCE, number(0, 1_000_000)),)
_BATTERY, _VOLTAGE = (Row(Signal.BATTERY, number(0, 100)),), (Row(Signal.VOLTAGE, number(0, 100)),)
_LINK, _CONNECTED = (Row(Signal.LINK, by_dbm),), (Row(Signal.CONNECTED, flag),)
_OPEN, _SHAKEN, _MOVEMENT = (Row(Signal.OPEN, flag),), (Row(Signal.SHAKEN, flag),), (Row(Signal.MOVEMENT, flag),)
_SMOKE, _LEAK = (Row(Signal.SMOKE, flag),), (Row(Signal.LEAK, flag),)

Rows = tuple[Row, ...]

COMPONENTS: dict[str, dict[str, Rows]] = {
    "input": {"state": _INPUT},
    "smoke": {"alarm": _SMOKE},
    "flood": {"alarm": _LEAK},
    "temperature": {"tC": _TEMPERATURE},
    "humidity": {"rh": _HUMIDITY},
    "illuminance": {"lux": _LUX},
    "switch": {"output": _SWITCHED, "apower": _POWER},
    "pm1": {"apower": _POWER},
    "boolean": {"value": _INPUT},
    "presencezone": {"value": _INPUT},
}
"""Generation 2 and later: component -> key -> what it says."""

BTHOME: dict[str, Rows] = {
    "window": _OPEN,  # 1 is open: the other way round than Zigbee2MQTT's contact
    "motion": _MOVEMENT,
    "button": (Row(Signal.ACTION, lambda raw: 1.0 if number(0, 255)(raw) else None, momentary=True),),
    "temperature": _TEMPERATURE,
    "humidity": _HUMIDITY,
    "illuminance": _LUX,
    "battery": _BATTERY,
    "rssi": _LINK,
}
"""A Bluetooth advertisement as Shelly's gateway script (`shelly-blu`) hands it on, in words."""

TEXTS: dict[str, Rows] = {
    "sensor/state": (Row(Signal.OPEN, words(("open",), ("close",))),),
    "sensor/vibration": _SHAKEN,
    "sensor/motion": _MOVEMENT,
    "sensor/flood": _LEAK,
    "sensor/smoke": _SMOKE,
    "sensor/gas": (Row(Signal.GAS, words(("mild", "heavy"), ("none",))),),
    "sensor/self_test": (Row(Signal.SELF_TEST, words(("running",), ("completed", "not_completed", "pending"))),),
    "sensor/operation": (Row(Signal.FAULT, words(("fault", "warmup"), ("normal",))),),
    "sensor/temperature": _TEMPERATURE,
    "sensor/humidity": _HUMIDITY,
    "sensor/lux": _LUX,
    "sensor/battery": _BATTERY,
    "online": _CONNECTED,
}
"""Generation 1: topic below the device -> what the bare text in it says. `online` is the same in all generations."""

STATUS: dict[str, Rows] = {
    "motion": _MOVEMENT,
    "vibration": _SHAKEN,
    "lux": _LUX,
    "bat": _BATTERY,
}
"""Generation 1, the motion sensor's object under `status`."""

NO_PRESS = ("btn_down", "btn_up")
"""How a press begins and ends; the press itself has a word of its own."""

SLEEPERS = ("shellydw", "shellyht", "shellyflood", "shellysmoke", "shellybutton", "shellyplusht", "shellyplussmoke")
"""They run on batteries and say goodbye after each report: that they are offline means nothing."""

_OF_PRESSES = ("input", "bthomedevice")
_PASSED_ON = "shelly-blu"
_LAST_COUNT = 2**53 - 2


class Shelly:
    """Components that report what changed; battery devices that sleep; Bluetooth children with names of their own."""

    name = "shelly"
    repeats_state = True
    announces = False

    def places(self, rest: str) -> tuple[Place, ...]:
        name, *below = levels(rest)
        device = address(name)
        if not below and name in ("announce", "command"):  # generation 1: to all, and from all
            return (Place(Part.NOTHING),)
        if not device or not below or not all(below):
            return ()
        key = "/".join(below)
        if below[0] in ("command", "rpc", "debug") or below[-1] == "command":
            return (Place(Part.NOTHING),)
        if key == "online" and device.lower().startswith(SLEEPERS):
            return (Place(Part.NOTHING),)
        return (Place(Part.SEVERAL, device, key),)

    def decode(
        self,
        payload: bytes,
        key: str = "",
        device: HubDevice | None = None,
        quiet: Mapping[str, Any] = NOTHING_QUIET,
        before: Mapping[Signal, float] = NOTHING_BEFORE,
    ) -> Decoded:
        saying = Saying()
        top, _, below = key.partition("/")
        if key == "events/rpc":
            _notification(an_object(payload), saying)
        elif top == "status" and below:
            _component(below, an_object(payload), saying)
        elif key == "status":
            raw = an_object(payload)
            for name, rows in STATUS.items():
                saying.say(WHOLE if name == "bat" else "sensor", rows, raw.get(name), key=name)
        elif top == "input_event":
            raw = an_object(payload)
            saying.say(address(f"input:{below}"), _PRESS, raw.get("event"), key="event", seq=_counted(raw, saying))
        elif top == "input":
            saying.say(address(f"input:{below}"), _INPUT, bare(payload), key=key)
        elif top == "relay":
            channel, _, what = below.partition("/")
            if what in ("", "power"):
                saying.say(address(f"relay:{channel}"), _POWER if what else _SWITCHED, bare(payload), key=key)
        elif key in TEXTS:
            raw_text = bare(payload)
            whole = key in ("online", "sensor/battery")
            saying.say(WHOLE if whole else "sensor", TEXTS[key], raw_text, key=key)
            saying.is_last_will = key == "online" and raw_text is False
        return saying.decoded()

    def news(self, hub: str, rest: str, payload: bytes) -> News:
        raise Unreadable("bad-value", "a Shelly says nothing about a hub")


def _notification(raw: dict[str, Any], saying: Saying) -> None:
    """`NotifyStatus` tells what changed, `NotifyFullStatus` all, `NotifyEvent` what happened."""
    params = raw.get("params")
    if type(params) is not dict:
        saying.doubt(Fault("bad-value", "no params"))
        return
    _take_time(params, saying)
    if raw.get("method") == "NotifyEvent":
        events = params.get("events")
        for event in events[:PARTS_AT_MOST] if type(events) is list else ():
            if type(event) is dict:
                _happened(event, saying)
        return
    for name, status in params.items():
        if type(status) is dict:
            _component(name, status, saying)


def _take_time(raw: dict[str, Any], saying: Saying) -> None:
    if raw.get("ts") is not None:
        try:
            saying.at = moment(raw["ts"])
        except ValueError as error:
            saying.doubt(fault("ts", raw["ts"], error))


def _component(name: str, status: dict[str, Any], saying: Saying) -> None:
    kind, part = name.partition(":")[0], address(name)
    if kind == "devicepower":
        battery = status.get("battery")
        if type(battery) is dict:
            saying.say(WHOLE, _BATTERY, battery.get("percent"), key="percent")
            saying.say(WHOLE, _VOLTAGE, battery.get("V"), key="V")
    elif kind == "wifi":
        saying.say(part, _LINK, status.get("rssi") or None, key="rssi")
    elif kind == "bthomedevice":
        saying.say(part, _BATTERY, status.get("battery"), key="battery", is_child=True)
        saying.say(part, _LINK, status.get("rssi"), key="rssi", is_child=True)
    elif kind == "bthomesensor":
        # It does not say what it measures. A yes or no is named by its role; a bare number could be anything.
        if type(status.get("value")) is bool:
            saying.say(part, _INPUT, status["value"], key="value", is_child=True)
    else:
        for key, rows in COMPONENTS.get(kind, {}).items():
            saying.say(part, rows, status.get(key), key=key)
        counts = status.get("counts") if kind == "input" else None
        if type(counts) is dict:
            # The device itself can turn pulses into litres (`xcounts`); otherwise each is one.
            total = counts.get("xtotal") if counts.get("xtotal") is not None else counts.get("total")
            saying.say(part, (Row(Signal.METER, litres(1)),), total, key="counts")


def _happened(event: dict[str, Any], saying: Saying) -> None:
    component, word = event.get("component"), event.get("event")
    if type(component) is not str or type(word) is not str:
        return
    _take_time(event, saying)
    kind = component.partition(":")[0]
    if kind in _OF_PRESSES and word not in NO_PRESS:
        saying.say(address(component), _PRESS, word, key="event", is_child=kind == "bthomedevice")
    data = event.get("data")
    if word == _PASSED_ON and type(data) is dict and type(data.get("address")) is str:
        # Each advertisement is sent several times, with the same number in it.
        seq = _counted(data, saying, "pid")
        for key, rows in BTHOME.items():
            saying.say(address(data["address"]), rows, data.get(key), key=key, seq=seq, is_child=True)


def _counted(raw: dict[str, Any], saying: Saying, key: str = "event_cnt") -> int | None:
    """A device's own counter; ours begin with 1, for 0 is none."""
    count = raw.get(key)
    if count is None:
        return None
    if type(count) is int and 0 <= count <= _LAST_COUNT:
        return count + 1
    saying.doubt(fault(key, count, f"a whole number from 0 to {_LAST_COUNT}"))
    return None


SHELLY = Shelly()
