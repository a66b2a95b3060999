"""What a Zigbee device announces it can tell (`exposes`), and how one is read by it that nobody wrote down here."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from gateway.ports import Expose
from ingest.decoders.base import DANGERS, Converter, Heard, Row, Signal, flag, words
from ingest.decoders.water import litres, litres_of

EXPOSES_AT_MOST = 64
"""Of one device; the richest has about forty, and most of those are settings."""

_DEEPEST = 2  # a switch or a lock holds its state as a feature
_TEXT_AT_MOST = 64
_KINDS = frozenset({"binary", "numeric", "enum", "text", "composite"})
_PUBLISHED, _SETTABLE = 1, 2  # bits of `access`

BINARIES: dict[str, Signal] = {
    "contact": Signal.OPEN,
    "door": Signal.OPEN,
    "window": Signal.OPEN,
    "opening": Signal.OPEN,
    "window_open": Signal.OPEN,
    "garage_door_contact": Signal.OPEN,
    "occupancy": Signal.MOVEMENT,
    "motion": Signal.MOVEMENT,
    "motion_status": Signal.MOVEMENT,
    "moving": Signal.MOVEMENT,
    "pir_detection": Signal.MOVEMENT,
    "presence": Signal.PRESENCE,
    "human_presence": Signal.PRESENCE,
    "occupancy_status": Signal.PRESENCE,
    "occupied": Signal.PRESENCE,
    "pressure": Signal.PRESSED,
    "vibration": Signal.SHAKEN,
    "tilt": Signal.SHAKEN,
    "sos": Signal.SOS,
    "panic": Signal.SOS,
    "emergency": Signal.SOS,
    "smoke": Signal.SMOKE,
    "gas": Signal.GAS,
    "carbon_monoxide": Signal.CO,
    "co": Signal.CO,
    "water_leak": Signal.LEAK,
    "water_sensor": Signal.LEAK,
    "water": Signal.LEAK,
    "leak": Signal.LEAK,
    "leakage": Signal.LEAK,
    "fall": Signal.FALL,
    "fall_detected": Signal.FALL,
    "test": Signal.SELF_TEST,
    "testing": Signal.SELF_TEST,
    "self_test": Signal.SELF_TEST,
    "test_in_progress": Signal.SELF_TEST,
    "tamper": Signal.TAMPER,
    "battery_low": Signal.BATTERY_LOW,
    "fault": Signal.FAULT,
    "device_fault": Signal.FAULT,
    "trouble": Signal.FAULT,
    "error": Signal.FAULT,
    "end_of_life": Signal.FAULT,
    "out_of_service": Signal.FAULT,
    "warming_up": Signal.FAULT,
}
"""What an announced yes or no stands for, by the name that makers give it; `…_alarm` and `…_1` are left off first."""

_SOMEBODY, _NOBODY = (
    ("presence", "occupied", "move", "moving", "static", "small", "large", "peaceful"),
    ("none", "absent"),
)

ENUMS: dict[str, Row] = {
    name: Row(Signal.PRESENCE, words(_SOMEBODY, _NOBODY))
    for name in ("presence_state", "motion_state", "human_motion_state")
} | {"smoke_state": Row(Signal.SMOKE, words(("alarm",), ("normal",)))}

METERS = ("water_consumed_total", "water_consumed", "water_total", "volume", "pulse_count")
"""Where a water meter counts, the best first. A count of pulses is one of litres."""


def announced(raw: Any) -> tuple[Expose, ...]:
    """What can be heard of it; settings, and what cannot be read here, are left out."""
    found: list[Expose] = []
    for expose in _exposes(raw, _DEEPEST):
        if len(found) >= EXPOSES_AT_MOST:
            break
        found.append(expose)
    return tuple(found)


def _exposes(raw: Any, deep: int) -> Iterator[Expose]:
    for entry in raw if type(raw) is list else ():
        if type(entry) is not dict:
            continue
        kind, name = entry.get("type"), entry.get("name")
        if type(kind) is not str or kind not in _KINDS:
            if deep > 1:
                yield from _exposes(entry.get("features"), deep - 1)
            continue
        property_ = entry.get("property") or name
        if not _is_text(property_) or not _is_heard(entry.get("access"), kind, property_):
            continue
        yield Expose(
            property_,
            kind,
            _as_text(entry.get("value_on")),
            _as_text(entry.get("value_off")),
            _as_text(entry.get("unit")),
            name if _is_text(name) and name != property_ else "",
        )


def _is_heard(access: Any, kind: str, name: str) -> bool:
    if type(access) is not int:
        return True
    # What can be set as well is a setting; only a plug's state is both.
    return bool(access & _PUBLISHED) and (not access & _SETTABLE or (kind == "binary" and name.startswith("state")))


def _is_text(raw: Any) -> TypeGuard[str]:
    return type(raw) is str and 0 < len(raw) <= _TEXT_AT_MOST and "\0" not in raw


def _as_text(raw: Any) -> str:
    """A value as an expose keeps it: true and false as JSON writes them."""
    if raw is True or raw is False:
        return "true" if raw else "false"
    if type(raw) is int:
        return str(raw)
    return raw if _is_text(raw) else ""


def rows_of(exposes: Iterable[Expose], fields: Mapping[str, tuple[Row, ...]]) -> dict[str, tuple[Row, ...]]:
    """How to read what was announced, where `fields` do not tell; of several keys for one thing the first is asked.

    Dangers are the exception: of several smoke chambers each may call.
    """
    found: dict[str, tuple[Row, ...]] = {}
    told = {row.signal for expose in exposes for row in fields.get(expose.property, ())}
    for expose in exposes:
        row = _row(expose)
        if row is None:
            continue
        if expose.property in fields:
            if expose.kind == "binary" and {expose.on, expose.off} != {"true", "false"}:
                found[expose.property] = (row,)
        elif row.signal not in told or row.signal in DANGERS:
            found[expose.property] = (row,)
            told.add(row.signal)
    meters = [expose for name in METERS for expose in exposes if name in (expose.property, expose.means)]
    for expose in meters[:1]:
        if expose.kind == "numeric" and (factor := litres_of(expose.unit)) is not None:
            found[expose.property] = (Row(Signal.METER, litres(factor)),)
    return found


def strongest(heard: Iterable[Heard]) -> list[Heard]:
    """Of several chambers one that calls is not talked down by another."""
    first: dict[Signal, Heard] = {}
    for one in heard:
        known = first.get(one.signal)
        if known is None or (one.signal in DANGERS and one.value > known.value):
            first[one.signal] = one
    return list(first.values())


_ENDING = re.compile(r"(_alarm)?(_\d{1,2})?$")


def _row(expose: Expose) -> Row | None:
    names = (expose.property, expose.means, _ENDING.sub("", expose.means or expose.property))
    if expose.kind == "enum":
        return next((ENUMS[name] for name in names if name in ENUMS), None)
    if expose.kind != "binary":
        return None
    signal = next((BINARIES[name] for name in names if name in BINARIES), None)
    return None if signal is None else Row(signal, either(expose.on, expose.off))


def either(on: str, off: str) -> Converter:
    """Yes or no in a device's own words."""
    meaning = {off.lower(): 0.0, on.lower(): 1.0}

    def convert(raw: Any) -> float | None:
        said = meaning.get(_as_text(raw).lower()) if on and off else None
        return flag(raw) if said is None else said

    return convert
