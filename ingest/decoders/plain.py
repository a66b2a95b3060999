"""Our own plain JSON, for whoever builds or bridges a device: `shouwang/<hub>/plain/<sensor>`."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.ports import HubDevice
from ingest.decoders import acceleration
from ingest.decoders.base import (
    NOTHING_BEFORE,
    NOTHING_QUIET,
    Converter,
    Decoded,
    Fault,
    Heard,
    News,
    Part,
    Place,
    Row,
    Signal,
    Unreadable,
    fault,
    flag,
    moment,
    number,
    parse,
)
from ingest.decoders.water import MOST_DRAWN, MOST_LITRES, litres, litres_of

KINDS: dict[str, Row] = {
    # pulses: each report of 1 is an event of its own
    "motion": Row(Signal.MOVEMENT, flag, momentary=True),
    "vibration": Row(Signal.SHAKEN, flag, momentary=True),
    "tap": Row(Signal.TAP, flag, momentary=True),
    "button": Row(Signal.ACTION, flag, momentary=True),
    "assist": Row(Signal.ASSIST, flag, momentary=True),
    "sos": Row(Signal.CALL, flag, momentary=True),
    "water": Row(Signal.WATER, litres(1, MOST_DRAWN), momentary=True),
    # states: only a change is an event
    "door": Row(Signal.OPEN, flag),
    "opening": Row(Signal.OPEN, flag),
    "presence": Row(Signal.PRESENCE, flag),
    "bed": Row(Signal.PRESSED, flag),
    "chair": Row(Signal.PRESSED, flag),
    "appliance": Row(Signal.IN_USE, flag),
    "meter": Row(Signal.METER, litres(1)),
    # dangers that stand until they are cleared
    "smoke": Row(Signal.SMOKE, flag),
    "gas": Row(Signal.GAS, flag),
    "co": Row(Signal.CO, flag),
    "leak": Row(Signal.LEAK, flag),
    "fall": Row(Signal.FALL, flag),
    "maybe_fall": Row(Signal.MAYBE_FALL, flag),
    # measurements
    "temperature": Row(Signal.TEMPERATURE, number(-80, 200)),
    "humidity": Row(Signal.HUMIDITY, number(0, 110)),
    "illuminance": Row(Signal.ILLUMINANCE, number(0, 1_000_000)),
    "power": Row(Signal.POWER, number(-100_000, 100_000)),
    # vital signs: each report is a measurement of its own, also where it shows the same
    "systolic": Row(Signal.SYSTOLIC, number(30, 300), momentary=True),
    "diastolic": Row(Signal.DIASTOLIC, number(15, 200), momentary=True),
    "heart_rate": Row(Signal.HEART_RATE, number(15, 300), momentary=True),
    "spo2": Row(Signal.SPO2, number(30, 100), momentary=True),
    "glucose": Row(Signal.GLUCOSE, number(0.5, 45), momentary=True),
    "weight": Row(Signal.WEIGHT, number(15, 350), momentary=True),
    "body_temperature": Row(Signal.BODY_TEMPERATURE, number(25, 45), momentary=True),
    # the equipment itself
    "battery": Row(Signal.BATTERY, number(0, 100)),
    "battery_low": Row(Signal.BATTERY_LOW, flag),
    "voltage": Row(Signal.VOLTAGE, number(0, 1000)),
    "link": Row(Signal.LINK, number(0, 255)),
    "tamper": Row(Signal.TAMPER, flag),
    "available": Row(Signal.AVAILABLE, flag),
    "self_test": Row(Signal.SELF_TEST, flag),
}
"""Kind -> what it says. The role under which the sensor is registered decides what that means in the home."""

MG_DL = 18.016
"""Milligrams in a decilitre that are a millimole in a litre."""

_milligrams = number(10, 800)

PULSES = frozenset({Signal.MOVEMENT, Signal.SHAKEN, Signal.TAP, Signal.ACTION, Signal.ASSIST, Signal.CALL})
"""Whoever reports one of these and no value means that it happened."""

VOLUMES = {Signal.WATER: MOST_DRAWN, Signal.METER: MOST_LITRES}
"""What is counted in litres, or in the `unit` that stands beside it, and the most litres that can be."""


def _of_milligrams(raw: Any) -> float:
    return round(_milligrams(raw) / MG_DL, 2)


SUGARS: dict[str, Converter] = {"mmol/l": number(0.5, 45), "mg/dl": _of_milligrams}
"""Blood sugar by its unit; left out it is the first. They are eighteen apart, so that neither passes for the other."""

HEARTBEAT = "heartbeat"
"""The one kind that reports nothing but being there."""

HUB_FACTS: dict[str, Row] = {
    "mains": Row(Signal.MAINS, flag),
    "battery": Row(Signal.BATTERY, number(0, 100)),
}
"""What a hub may add to its heartbeat about itself; with `at` it also shows its clock."""

LAST_SEQ = 2**53 - 1
"""A counter that every language counts exactly."""

is_name = re.compile(r"[a-z0-9-]{1,64}").fullmatch


class Plain:
    """An object or a list of objects, each an event with its own time."""

    name = "plain"
    repeats_state = False
    announces = False

    def places(self, rest: str) -> tuple[Place, ...]:
        if rest == "hub":
            return (Place(Part.HUB),)
        name = rest.removeprefix("sos/")
        if not is_name(name):
            return ()
        place = Place(Part.DEVICE, name)
        return (place,) if name == rest else (Place(Part.DEVICE, rest), place)

    def decode(
        self,
        payload: bytes,
        key: str = "",
        device: HubDevice | None = None,
        quiet: Mapping[str, Any] = NOTHING_QUIET,
        before: Mapping[Signal, float] = NOTHING_BEFORE,
    ) -> Decoded:
        decoded = Decoded([])
        faults: list[Fault] = []
        for part, report in enumerate(_reports(payload)):
            if type(report) is not dict:
                faults.append(Fault("not-an-object", f"report {part}: a {type(report).__name__} is not an object"))
                continue
            _read(report, part, decoded.heard, faults)
        if faults:
            decoded.faults = faults
        return decoded

    def news(self, hub: str, rest: str, payload: bytes) -> News:
        news = News()
        for report in _reports(payload):
            if type(report) is not dict:
                raise Unreadable("not-an-object", f"a {type(report).__name__} is not an object")
            if report.get("kind") != HEARTBEAT:
                news.faults.append(fault("kind", report.get("kind"), f"{HEARTBEAT!r}, all that a hub may say"))
                continue
            _read_heartbeat(report, news)
        return news


def _reports(payload: bytes) -> list[Any]:
    raw = parse(payload)
    if type(raw) is list:
        return raw
    if type(raw) is dict:
        return [raw]
    raise Unreadable("not-an-object", f"a {type(raw).__name__} is neither an object nor a list of them")


def _read_heartbeat(report: dict[str, Any], news: News) -> None:
    stamp = report.get("at")
    if stamp is not None:
        try:
            news.at = moment(stamp)
        except ValueError as error:
            news.faults.append(fault("at", stamp, error))
    for key, row in HUB_FACTS.items():
        raw = report.get(key)
        if raw is None:
            continue
        try:
            value = row.convert(raw)
        except ValueError as error:
            news.faults.append(fault(key, raw, error))
            continue
        if value is not None:
            news.heard.append(Heard(row.signal, value, row.momentary, news.at, None, len(news.heard)))


def _read(report: dict[str, Any], part: int, heard: list[Heard], faults: list[Fault]) -> None:
    kind = report.get("kind")
    if kind == HEARTBEAT:
        return
    if kind == acceleration.KIND:
        acceleration.read(report, part, heard, faults)
        return
    row = KINDS.get(kind) if type(kind) is str else None
    if row is None:
        faults.append(fault("kind", kind, "a kind of plain JSON"))
        return
    signal, convert, momentary = row.signal, row.convert, row.momentary
    # {"kind":"sos"} is a press: whoever builds a button must not be able to forget the value.
    raw = report.get("value", True if signal in PULSES else None)
    unit = report.get("unit")
    if raw is None and signal is Signal.WATER and unit is not None:
        raw = 1  # a pulse
    if signal in VOLUMES and unit is not None:
        factor = litres_of(unit) if type(unit) is str else None
        if factor is None:  # litres or cubic metres: who guesses tells a thousand times too much or too little
            faults.append(fault("unit", unit, "a volume, like 'l', 'm3' or '10 l' for a pulse"))
            return
        convert = litres(factor, VOLUMES[signal])
    if signal is Signal.GLUCOSE and unit is not None:
        known = SUGARS.get(unit.strip().lower()) if type(unit) is str else None
        if known is None:
            faults.append(fault("unit", unit, "'mmol/l' or 'mg/dl'"))
            return
        convert = known
    try:
        value = convert(raw)
    except ValueError as error:
        faults.append(fault("value", raw, f"{error} ({kind})"))
        return
    if value is None:
        return
    at: datetime | None = None
    stamp = report.get("at")
    if stamp is not None:
        try:
            at = moment(stamp)
        except ValueError as error:  # what happened counts more than when: it is heard now
            faults.append(fault("at", stamp, error))
    seq = report.get("seq")
    if seq is not None and not (type(seq) is int and 0 <= seq <= LAST_SEQ):
        faults.append(fault("seq", seq, f"a whole number from 0 to {LAST_SEQ}"))
        seq = None
    # The end of a pulse is a state: only its change is kept.
    heard.append(Heard(signal, value, momentary and (value != 0 or signal not in PULSES), at, seq, part))


PLAIN = Plain()
