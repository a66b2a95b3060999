"""A device that nobody wrote down here is read by what it announces of itself."""

import json

import pytest
from the_intake import HUB, Ear, address, brief, sensor

from gateway.domain import Kind, Power, Role
from gateway.ports import Expose
from ingest.decoders.exposes import EXPOSES_AT_MOST, announced
from ingest.decoders.zigbee2mqtt import ZIGBEE2MQTT

K = Kind


def binary(name: str, on: object = True, off: object = False, **more: object) -> dict[str, object]:
    return {"type": "binary", "name": name, "property": name, "access": 1, "value_on": on, "value_off": off} | more


def numeric(name: str, unit: str = "", **more: object) -> dict[str, object]:
    return {"type": "numeric", "name": name, "property": name, "access": 1, "unit": unit} | more


def enum(name: str, *values: str) -> dict[str, object]:
    return {"type": "enum", "name": name, "property": name, "access": 1, "values": list(values)}


def entry(*exposes: dict[str, object], power: object = "Battery", model: str = "NEW-1") -> dict[str, object]:
    """An unknown product, as a hub lists it."""
    return {
        "ieee_address": address(1),
        "type": "EndDevice",
        "friendly_name": "room/it",
        "supported": True,
        "power_source": power,
        "definition": {"model": model, "vendor": "Nobody", "description": "", "exposes": list(exposes)},
    }


def home_with(role: Role, *exposes: dict[str, object], **more: object) -> Ear:
    ear = Ear(sensor("room/it", role, 1))
    ear.hears("zigbee2mqtt/bridge/devices", json.dumps([entry(*exposes, **more)]).encode())
    return ear


@pytest.mark.parametrize(
    ("source", "power"),
    [
        ("Battery", Power.BATTERY),
        ("Mains (single phase)", Power.MAINS),
        ("Mains (3 phase)", Power.MAINS),
        ("DC Source", Power.MAINS),
        ("Emergency mains and transfer switch", Power.MAINS),
        ("Unknown", Power.UNKNOWN),
        (None, Power.UNKNOWN),
        (7, Power.UNKNOWN),
    ],
)
def test_what_a_device_lives_on(source, power):
    [device] = ZIGBEE2MQTT.news(HUB, "bridge/devices", json.dumps([entry(power=source)]).encode()).devices

    assert device.power is power


def test_what_is_announced_is_kept_briefly():
    told = [
        binary("contact", False, True),
        binary("contact", property="contact_left", endpoint="left"),
        numeric("voltage", "mV"),
        enum("action", "single", "hold"),
        {"type": "switch", "features": [binary("state", "ON", "OFF", access=7)]},
        {"type": "composite", "name": "warning", "property": "warning", "features": [binary("strobe")], "access": 2},
    ]

    assert announced(told) == (
        Expose("contact", "binary", on="false", off="true"),
        Expose("contact_left", "binary", on="true", off="false", means="contact"),
        Expose("voltage", "numeric", unit="mV"),
        Expose("action", "enum"),
        Expose("state", "binary", on="ON", off="OFF"),
    )


def test_settings_are_nothing_a_device_says():
    assert announced([binary("fall_detection", "ON", "OFF", access=7), numeric("sensitivity", access=2)]) == ()


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        "x",
        {},
        [None],
        [[]],
        [{"type": "binary"}],
        [{"type": []}],
        [{"type": "binary", "property": "x" * 65}],
        [{"type": "lock", "features": 7}],
        [{"type": "binary", "property": "a\0b"}],
        [binary("x", access="all") | {"property": 1}],
    ],
)
def test_what_is_announced_may_be_anything(told):
    assert announced(told) == ()


def test_nobody_announces_without_end():
    deep = {"type": "light", "features": [{"type": "light", "features": [binary("state")]}]}

    assert len(announced([binary(f"x{n}") for n in range(500)])) == EXPOSES_AT_MOST
    assert announced([deep]) == ()


@pytest.mark.parametrize(
    ("role", "expose", "quiet", "said", "reading"),
    [
        (Role.EXIT_DOOR, binary("contact", "OPEN", "CLOSED"), "CLOSED", "OPEN", (K.DOOR, 1)),
        (Role.EXIT_DOOR, binary("window", "CLOSE", "OPEN"), "CLOSE", "OPEN", (K.DOOR, 0)),
        (Role.OPENING, binary("garage_door_contact", False, True), True, False, (K.OPENING, 1)),
        (Role.MOTION, binary("occupancy", "yes", "no"), "no", "yes", (K.MOTION, 1)),
        (Role.MOTION, binary("moving"), False, True, (K.MOTION, 1)),
        (Role.PRESENCE, binary("human_presence", 1, 0), 0, 1, (K.PRESENCE, 1)),
        (Role.PRESENCE, enum("presence_state", "none", "presence"), "none", "presence", (K.PRESENCE, 1)),
        (Role.PRESENCE, enum("motion_state", "none", "large", "static"), "none", "static", (K.PRESENCE, 1)),
        (Role.SMOKE, binary("smoke", "ALARM", "NORMAL"), "NORMAL", "ALARM", (K.SMOKE, 1)),
        (Role.SMOKE, enum("smoke_state", "alarm", "normal"), "normal", "alarm", (K.SMOKE, 1)),
        (Role.CO, binary("carbon_monoxide", "ON", "OFF"), "OFF", "ON", (K.CO, 1)),
        (Role.GAS, binary("gas_alarm_1"), False, True, (K.GAS, 1)),
        (Role.LEAK, binary("water_leak_alarm_2"), False, True, (K.LEAK, 1)),
        (Role.SOS, binary("sos_alarm"), False, True, (K.SOS, 1)),
        (Role.CLIMATE, binary("battery_low", "Low", "Normal"), "Normal", "Low", (K.BATTERY_LOW, 1)),
        (Role.CLIMATE, binary("fault", "DETECTED", "NOT_DETECTED"), "NOT_DETECTED", "DETECTED", (K.FAULT, 1)),
        (Role.CLIMATE, binary("trouble"), False, True, (K.FAULT, 1)),
        (Role.CLIMATE, binary("tamper_alarm", "ON", "OFF"), "OFF", "ON", (K.TAMPER, 1)),
    ],
)
def test_a_yes_or_no_in_a_device_s_own_words(role, expose, quiet, said, reading):
    ear = home_with(role, expose)
    key = expose["property"]
    ear.z2m("room/it", **{key: quiet})

    assert ear.after(seconds=30).z2m("room/it", **{key: said}) == [reading]
    assert ear.after(seconds=30).z2m("room/it", **{key: said}) == []


@pytest.mark.parametrize("key", ["presence", "occupancy", "contact", "vibration", "smoke", "gas", "water_leak", "sos"])
def test_the_usual_words_need_no_announcement(key):
    plain = home_with(Role.MOTION)
    announcing = home_with(Role.MOTION, binary(key, *((False, True) if key == "contact" else (True, False))))

    assert plain.z2m("room/it", **{key: True}) == announcing.z2m("room/it", **{key: True})


def test_a_state_that_is_no_switch_switches_nothing():
    ear = home_with(Role.APPLIANCE, binary("state", "preparation", "work"))

    assert ear.z2m("room/it", state="preparation") == []


def test_of_several_names_for_one_thing_the_first_is_asked():
    ear = home_with(Role.PRESENCE, binary("presence"), binary("human_presence"))

    assert ear.z2m("room/it", presence=True, human_presence=False) == [(K.PRESENCE, 1)]


def test_of_several_chambers_each_may_call():
    ear = home_with(Role.SMOKE, binary("smoke_alarm_1"), binary("smoke_alarm_2"))
    ear.z2m("room/it", smoke_alarm_1=False, smoke_alarm_2=False)

    assert ear.after(seconds=9).z2m("room/it", smoke_alarm_1=False, smoke_alarm_2=True) == [(K.SMOKE, 1)]
    assert ear.after(seconds=9).z2m("room/it", smoke_alarm_1=False, smoke_alarm_2=True) == []
    assert ear.after(seconds=9).z2m("room/it", smoke_alarm_1=False, smoke_alarm_2=False) == [(K.SMOKE, 0)]


def test_the_volts_of_a_device_on_the_mains_are_those_of_no_battery():
    assert (
        home_with(Role.APPLIANCE, numeric("voltage", "V"), power="Mains (single phase)").z2m("room/it", voltage=9) == []
    )
    assert home_with(Role.APPLIANCE, numeric("voltage", "mV")).z2m("room/it", voltage=2950) == [(K.VOLTAGE, 2.95)]


def test_a_word_that_was_not_announced_is_put_away_and_says_what_would_be_right():
    ear = home_with(Role.MOTION, binary("moving", "YES", "NOPE"))
    taken = ear.hears("zigbee2mqtt/room/it", {"moving": "perhaps", "linkquality": 90})

    assert brief(taken) == [(K.LINK, 90)]
    assert [one.detail for one in taken.quarantined] == ["moving: 'perhaps' is not true or false"]
