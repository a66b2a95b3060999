"""Zigbee models: the keys that each uses in its own way, and what whoever installs it should know.

Most say the same thing in the same words (`FIELDS` in `zigbee2mqtt.py`), so most rows here only name their keys. The
table in `docs/devices.md` is made from this one.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ingest.decoders.base import Converter, Row, Signal, any_word, deliberate_word, flag, not_flag, one_word, words

CALLS = ("emergency", "sos", "panic", "help")
"""What makers of emergency buttons call a press; such a press calls for help whatever the button is registered for."""

Rows = tuple[Row, ...]


class Model(NamedTuple):
    """One product. `keys` are those we listen to; `own` those among them that mean something else than elsewhere."""

    maker: str
    product: str
    keys: str
    own: Mapping[str, Rows] = {}
    clears: str = ""  # how a movement ends, and how long the sensor is blind before
    note: str = ""  # what its installer should know


def press(*echoes: str) -> Rows:
    """Every word of a button is a press, except those that only tell how another one ended."""

    def convert(raw: object) -> float | None:
        pressed = any_word(raw)
        if pressed and str(raw).strip().lower().rsplit("_", 1)[-1] in echoes:
            return None
        return pressed

    return (
        Row(Signal.CALL, one_word(*CALLS), momentary=True),
        Row(Signal.ACTION, convert, momentary=True),
        Row(Signal.ASSIST, deliberate_word, momentary=True),
    )


def _stirs(meaning: Converter) -> Mapping[str, Rows]:
    """What such a sensor calls an action is something that happened to it, and nobody's press."""
    return {"action": (Row(Signal.SHAKEN, meaning, momentary=True),)}


_SEES: Mapping[str, Rows] = {
    "occupancy": (Row(Signal.PRESENCE, flag),)
}  # a radar: somebody is there, also who sits still
_NOT_AT_WORK: Rows = (Row(Signal.FAULT, flag),)
_OFF_ENDS: Mapping[str, Rows] = {"action": press("release", "off")}
_OF_THE_MAINS: Mapping[str, Rows] = {"voltage": ()}

_BY_DEVICE = "device"
_PAD = "find out on site which value is *in bed*, and set `inverted` if it is the other"

CONTACTS = {
    "MCCGQ11LM": Model("Aqara", "contact", "contact battery voltage"),
    "MCCGQ12LM": Model("Aqara", "contact T1", "contact battery voltage"),
    "MCCGQ13LM": Model("Aqara", "contact P1", "contact battery voltage tamper"),
    "MCCGQ01LM": Model("Xiaomi", "Mi contact", "contact battery voltage"),
    "SNZB-04": Model("SONOFF", "contact", "contact battery_low battery voltage"),
    "SNZB-04P": Model("SONOFF", "contact", "contact battery_low tamper battery voltage"),
    "TS0203": Model("Tuya", "contact, many labels", "contact battery voltage tamper battery_low"),
    "E2013": Model("IKEA", "Parasoll", "contact battery voltage"),
    "HS1DS": Model("Heiman", "contact", "contact battery_low tamper battery"),
    "HS3DS": Model("Heiman", "contact", "contact battery_low tamper battery"),
    "WISZB-120": Model("Develco", "contact", "contact battery_low tamper temperature battery voltage"),
    "3RDS17BZ": Model("Third Reality", "contact", "contact battery_low battery voltage"),
}

INFRARED = {
    "RTCGQ11LM": Model(
        "Aqara",
        "motion",
        "occupancy illuminance battery voltage",
        clears="bridge, 90 s; blind for 60 s",
        note="walk past it once a minute at most when trying it out",
    ),
    "RTCGQ12LM": Model("Aqara", "motion T1", "occupancy illuminance battery voltage", clears="bridge, 62 s"),
    "RTCGQ14LM": Model("Aqara", "motion P1", "occupancy illuminance battery voltage", clears="bridge, 32 s"),
    "RTCGQ15LM": Model("Aqara", "motion E1", "occupancy illuminance battery voltage", clears="bridge"),
    "SNZB-03": Model("SONOFF", "motion", "occupancy battery_low battery voltage", clears="device, 60 s"),
    "SNZB-03P": Model("SONOFF", "motion", "occupancy battery voltage", clears="device, 5 to 60 s"),
    "TS0202": Model("Tuya", "motion", "occupancy battery_low battery voltage tamper", clears=_BY_DEVICE),
    "IH012-RT01": Model(
        "Tuya", "motion ZG-204Z", "occupancy battery_low battery voltage", clears="device, 30, 60 or 120 s"
    ),
    "9290012607": Model("Philips", "Hue motion", "occupancy temperature illuminance battery", clears=_BY_DEVICE),
    "E2134": Model("IKEA", "Vallhorn", "occupancy illuminance battery voltage", clears=_BY_DEVICE),
    "MOSZB-140": Model(
        "Develco", "motion", "occupancy tamper battery_low temperature illuminance battery voltage", clears=_BY_DEVICE
    ),
}

RADARS = {
    "RTCZCGQ11LM": Model(
        "Aqara",
        "presence FP1",
        "presence",
        own={"action": ()},  # somebody walked between its regions
        note="`null` says that it does not know: as before",
    ),
    "FP1E": Model("Aqara", "presence FP1E", "presence"),
    "SNZB-06P": Model("SONOFF", "presence", "occupancy", own=_SEES),
    "ZY-M100-S_1": Model("Tuya", "presence, mini", "presence illuminance"),
    "ZY-M100-24G": Model("Tuya", "presence, 24 GHz", "presence illuminance"),
}

FALL_RADARS = {
    "MIR-HE200-TY": Model(
        "Tuya",
        "presence and fall",
        "presence fall_down_status illuminance tumble_switch",
        own={"occupancy": (), "tumble_switch": (Row(Signal.FAULT, not_flag),)},
        note="`maybe_fall` is a suspicion, `fall` is sure; with `tumble_switch` OFF it sees none and counts as faulty",
    ),
    "FDS315": Model("OWON", "fall detection", "status", note="`falling` is a fall; lying low is not yet one"),
    "HS2FD-EF1-3.0": Model(
        "Heiman",
        "fall detection",
        "occupancy fall_status",
        own=_SEES,
        note="`fall_warning` is a suspicion, `fall_alarm` is sure",
    ),
}

BUTTONS = {
    "HS1EB/HS1EB-E": Model("Heiman", "emergency button", "action battery", own=_OFF_ENDS, note="`off` ends a press"),
    "TS0215A_sos": Model("Tuya", "SOS button, Woox R7052", "action battery voltage", note="calls from any role"),
    "TS0601_sos": Model("Tuya", "SOS button", "action battery", note="calls from any role"),
    "ZG-101Z": Model("Loginovo", "SOS button", "action battery_low", note="calls from any role"),
    "SE21": Model("ORVIBO", "emergency button", "action", own=_OFF_ENDS, note="`off` ends a press"),
    "MIR-SO100": Model("MultIR", "SOS button", "action battery"),
    "PB206": Model("OWON", "panic button", "sos battery_low", note="calls from any role, until it says `false`"),
    "SEB01ZB": Model(
        "Feibit", "SOS button", "sos battery_low tamper battery", note="calls from any role, until it says `false`"
    ),
    "SBTZB-110": Model("Develco", "button", "action battery voltage"),
    "WXKG11LM": Model("Aqara", "button", "action battery voltage", note="`release` ends a press"),
    "WXKG01LM": Model("Xiaomi", "Mi button", "action battery voltage", note="`release` ends a press"),
    "SNZB-01": Model("SONOFF", "button", "action battery voltage"),
    "SNZB-01P": Model("SONOFF", "button", "action battery voltage"),
    "TS0041": Model("Tuya", "1 button", "action battery"),
    "TS0044": Model(
        "Tuya",
        "4 buttons",
        "action battery voltage",
        note="the second key, and any key held or pressed twice, asks for help that can wait",
    ),
}

BEDS = {
    "TS0601_bed_presence_sensor": Model(
        "Tuya",
        "pressure strap",
        "work_state occupancy illuminance battery",
        own=_SEES,
        note="`work_state` is believed first",
    ),
    "ZG-210Z": Model("HOBEIAN", "pressure strap", "pressure_state temperature humidity battery"),
    "C3007": Model("Tuya", "pressure pad", "pressure battery_low battery voltage"),
    "SPM915": Model("OWON", "sleeping pad", "contact battery_low tamper battery", note=f"speaks as a contact: {_PAD}"),
    "DJT11LM": Model(
        "Aqara", "vibration", "action vibration battery voltage", own=_stirs(any_word), clears="bridge, 90 s"
    ),
    "DJT12LM": Model("Aqara", "vibration T1", "action battery voltage", own=_stirs(any_word)),
    "DWZTCGQ11LM": Model(
        "Aqara",
        "multi-state P100",
        "action contact battery voltage",
        own=_stirs(words(("triple_tap", "movement", "vibration", "orientation", "fall"), ())),
        note="`fall` says that the sensor itself was dropped, and nothing of a person",
    ),
    "3RVS01031Z": Model("Third Reality", "vibration", "vibration battery"),
    "TS0210": Model("Tuya", "vibration", "vibration battery voltage"),
}

ALARMS = {
    "JY-GZ-01AQ": Model("Aqara", "smoke", "smoke test battery voltage"),
    "HS3SA/HS1SA": Model("Heiman", "smoke", "smoke battery_low battery test"),
    "HS1SA-E": Model("Heiman", "smoke", "smoke battery_low battery test"),
    "SMSZB-120": Model(
        "Develco", "smoke", "smoke battery_low test fault temperature battery voltage", own={"fault": _NOT_AT_WORK}
    ),
    "TS0205": Model("Tuya", "smoke", "smoke tamper battery"),
    "JT-BZ-01AQ/A": Model(
        "Aqara",
        "natural gas",
        "gas test state",
        own={"state": (Row(Signal.FAULT, words(("preparation",), ("work",))),)},
        note="measures nothing for some minutes after power: it counts as faulty until `work`",
    ),
    "HS1CG": Model("Heiman", "combustible gas", "gas battery_low tamper"),
    "HS3CG": Model("Heiman", "combustible gas", "gas battery_low tamper"),
    "HS1CG-E": Model("Heiman", "combustible gas", "gas battery_low tamper"),
    "TS0601_gas_sensor_1": Model(
        "Tuya",
        "gas",
        "gas self_test fault_alarm",
        own={"self_test": (Row(Signal.SELF_TEST, flag),), "fault_alarm": _NOT_AT_WORK},
    ),
    "HS1CA-E": Model("Heiman", "carbon monoxide", "carbon_monoxide battery_low battery"),
    "SJCGQ11LM": Model("Aqara", "water leak", "water_leak battery_low battery voltage"),
    "SNZB-05P": Model("SONOFF", "water leak", "water_leak battery_low battery"),
    "HS1WL/HS3WL": Model("Heiman", "water leak", "water_leak battery_low tamper battery"),
    "TS0207_water_leak_detector": Model("Tuya", "water leak", "water_leak battery_low battery tamper"),
    "E2202": Model("IKEA", "Badring", "water_leak battery voltage"),
}

CLIMATE = {
    "WSDCGQ11LM": Model(
        "Aqara", "climate", "temperature humidity battery voltage", note="its `pressure` is the weather"
    ),
    "SNZB-02": Model("SONOFF", "climate", "temperature humidity battery voltage"),
    "SNZB-02D": Model("SONOFF", "climate with screen", "temperature humidity battery"),
    "TS0201": Model("Tuya", "climate", "temperature humidity battery voltage"),
    "HMSZB-110": Model("Develco", "climate", "temperature humidity battery voltage battery_low"),
}

PLUGS = {
    "TS011F_plug_1": Model(
        "Tuya",
        "plug with meter",
        "state power",
        own=_OF_THE_MAINS,
        note="a sign of life where a person switches what hangs on it: kettle, television",
    ),
}

FAMILIES: dict[str, dict[str, Model]] = {
    "Door and window contacts": CONTACTS,
    "Infrared motion": INFRARED,
    "Presence radars": RADARS,
    "Fall radars": FALL_RADARS,
    "Buttons": BUTTONS,
    "Beds, chairs, vibration": BEDS,
    "Smoke, gas, carbon monoxide, water": ALARMS,
    "Temperature and humidity": CLIMATE,
    "Plugs": PLUGS,
}

MODELS: dict[str, Model] = {name: model for family in FAMILIES.values() for name, model in family.items()}
"""By the name under which Zigbee2MQTT announces them."""
