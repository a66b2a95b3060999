"""Zigbee2MQTT's words and topics. Each device's message is made from the keys its maker documents."""

import json

import pytest

from gateway.ports import HubDevice
from ingest.decoders.base import Part, Place, Signal, Unreadable
from ingest.decoders.zigbee2mqtt import DEVICES_AT_MOST, ZIGBEE2MQTT


def says(**keys) -> dict[Signal, float]:
    decoded = ZIGBEE2MQTT.decode(json.dumps(keys).encode())
    assert decoded.faults is None
    return {heard.signal: heard.value for heard in decoded.heard}


def news(rest: str, tree: object):
    return ZIGBEE2MQTT.news("h", f"bridge/{rest}", json.dumps(tree).encode())


@pytest.mark.parametrize(
    ("device", "keys", "said"),
    [
        ("magnet contact, open", {"contact": False, "power_outage_count": 12}, {Signal.OPEN: 1}),
        ("magnet contact, closed", {"contact": True, "detection_distance": "10mm"}, {Signal.OPEN: 0}),
        ("infrared", {"occupancy": True, "motion_sensitivity": "high"}, {Signal.MOVEMENT: 1}),
        ("infrared after five quiet minutes", {"no_occupancy_since": 300}, {}),
        ("radar", {"presence": True, "presence_event": "approach"}, {Signal.PRESENCE: 1}),
        ("radar that does not know", {"presence": None, "device_temperature": 30}, {}),
        ("radar with a state", {"state": "presence", "presence": True, "distance": 1.6}, {Signal.PRESENCE: 1}),
        (
            "fall radar, suspecting",
            {"fall_down_status": "maybe_fall", "presence": True},
            {Signal.MAYBE_FALL: 1, Signal.PRESENCE: 1},
        ),
        ("fall radar, sure", {"fall_down_status": "fall"}, {Signal.FALL: 1, Signal.MAYBE_FALL: 0}),
        ("another, sure", {"status": "falling", "breathing_rate": 15}, {Signal.FALL: 1, Signal.PRESENCE: 1}),
        ("another, empty room", {"status": "unoccupied"}, {Signal.FALL: 0, Signal.PRESENCE: 0}),
        (
            "a third, warning",
            {"fall_status": "fall_warning", "occupancy": True},
            {Signal.MAYBE_FALL: 1, Signal.MOVEMENT: 1},
        ),
        ("a third, unknown", {"fall_status": "unknown"}, {}),
        ("panic button", {"sos": True, "battery_low": False}, {Signal.SOS: 1, Signal.BATTERY_LOW: 0}),
        ("emergency button", {"action": "SOS"}, {Signal.CALL: 1, Signal.ACTION: 1}),
        ("four buttons", {"action": "4_hold"}, {Signal.ACTION: 1, Signal.ASSIST: 1}),
        ("old bridge", {"click": "double"}, {Signal.ACTION: 1, Signal.ASSIST: 1}),
        ("echo of an action", {"action": " "}, {}),
        ("pressure pad", {"pressure": True}, {Signal.PRESSED: 1}),
        ("weather", {"pressure": 1009.6, "temperature": -4}, {Signal.TEMPERATURE: -4}),
        ("strap, sitting long", {"pressure_state": "sedentary", "current_pressure": 9}, {Signal.PRESSED: 1}),
        ("strap, nobody", {"work_state": "none_30min"}, {Signal.PRESSED: 0}),
        ("vibration", {"vibration": True, "angle_x": 3}, {Signal.SHAKEN: 1}),
        ("a sensor that fell down itself", {"action": "fall", "orientation": "up"}, {Signal.ACTION: 1}),
        ("carbon monoxide", {"carbon_monoxide": True}, {Signal.CO: 1}),
        ("gas, warming up", {"gas": False, "state": "preparation", "gas_density": 0}, {Signal.GAS: 0}),
        ("leak", {"water_leak": True, "trigger_count": 3}, {Signal.LEAK: 1}),
        (
            "plug",
            {"current": 0.9, "power": 205, "state": "ON", "voltage": 231},
            {Signal.POWER: 205, Signal.SWITCHED: 1, Signal.VOLTAGE: 231},
        ),
        ("battery not known yet", {"battery": None, "voltage": 3000}, {Signal.VOLTAGE: 3}),
        ("an alarm by another word", {"smoke": "ON", "water_leak": 1}, {Signal.SMOKE: 1, Signal.LEAK: 1}),
    ],
)
def test_what_devices_say(device, keys, said):
    assert says(**keys) == said


def test_a_self_test_is_known_before_the_alarm_that_it_explains():
    decoded = ZIGBEE2MQTT.decode(b'{"smoke":true,"test":true}')

    assert [heard.signal for heard in decoded.heard] == [Signal.SELF_TEST, Signal.SMOKE]


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("contact", "perhaps"),
        ("contact", 2),
        ("contact", [True]),
        ("battery", "97"),
        ("battery", 101),
        ("battery", True),
        ("temperature", -274),
        ("temperature", {"value": 21}),
        ("linkquality", 256),
        ("humidity", 10**300),
        ("action", ["single"]),
        ("state", 1),
        ("last_seen", "2026-11-21T08:00:00"),
        ("last_seen", True),
    ],
)
def test_what_cannot_be_is_named_with_what_would_be_right(key, raw):
    decoded = ZIGBEE2MQTT.decode(json.dumps({key: raw, "tamper": True}).encode())

    assert [heard.signal for heard in decoded.heard] == [Signal.TAMPER]
    [fault] = decoded.faults
    assert fault.reason == "bad-value"
    assert fault.detail.startswith(f"{key}: ")
    assert " is not " in fault.detail
    assert len(fault.detail) < 200


@pytest.mark.parametrize(
    ("rest", "places"),
    [
        ("door", [Place(Part.DEVICE, "door")]),
        ("hall/door", [Place(Part.DEVICE, "hall/door"), Place(Part.DEVICE, "hall", "door")]),
        ("hall/door/availability", [Place(Part.DEVICE, "hall/door", "availability")]),
        ("availability", [Place(Part.DEVICE, "availability")]),
        ("hall/door/set", [Place(Part.NOTHING)]),
        ("hall/door/get", [Place(Part.NOTHING)]),
        ("door/set/state", [Place(Part.NOTHING)]),
        ("bridge/state", [Place(Part.HUB)]),
        ("bridge", [Place(Part.HUB)]),
        ("bridges", [Place(Part.DEVICE, "bridges")]),
        ("客厅/门", [Place(Part.DEVICE, "客厅/门"), Place(Part.DEVICE, "客厅", "门")]),
        ("", []),
        ("door/", []),
        ("/door", []),
    ],
)
def test_how_a_topic_may_be_understood(rest, places):
    assert list(ZIGBEE2MQTT.places(rest)) == places


def test_a_life_safety_device_may_still_be_known_under_its_name_of_yesterday():
    assert ZIGBEE2MQTT.places("sos/cord")[:2] == (Place(Part.DEVICE, "sos/cord"), Place(Part.DEVICE, "cord"))


@pytest.mark.parametrize(
    ("key", "payload", "value"),
    [
        ("contact", b"false", 1.0),
        ("action", b"single", 1.0),
        ("action", b'"single"', 1.0),
        ("temperature", b"21.5", 21.5),
        ("state", b"ON", 1.0),
        ("availability", b"online", 1.0),
        ("availability", b'{"state":"offline"}', 0.0),
    ],
)
def test_a_key_in_a_topic_of_its_own(key, payload, value):
    assert [heard.value for heard in ZIGBEE2MQTT.decode(payload, key).heard][:1] == [value]


@pytest.mark.parametrize(
    ("key", "payload"), [("battery", b"null"), ("action", b'""'), ("update", b"idle"), ("last_seen", b"1")]
)
def test_an_attribute_that_says_nothing(key, payload):
    decoded = ZIGBEE2MQTT.decode(payload, key)

    assert (decoded.heard, decoded.faults) == ([], None)


def test_an_object_is_never_an_attribute():
    with pytest.raises(Unreadable) as refused:
        ZIGBEE2MQTT.decode(b'{"action":"emergency"}', "button")

    assert refused.value.reason == "unknown-device"


# --------------------------------------------------------------------------- the hub


def test_the_list_of_devices():
    listed = [
        {"type": "Coordinator", "ieee_address": "0x0", "friendly_name": "Coordinator"},
        {
            "type": "EndDevice",
            "ieee_address": "0x00158D0001A2B3C4",
            "friendly_name": "hall/door",
            "definition": {"model": "SNZB-04", "vendor": "SONOFF", "exposes": [{"type": "binary"}]},
        },
        {"type": "Unknown", "ieee_address": "0x2", "friendly_name": "new", "definition": None, "model_id": "X1"},
        {"type": "EndDevice", "ieee_address": "0x3"},
        {"type": "EndDevice", "ieee_address": "0x4", "friendly_name": "n" * 300},
        None,
    ]

    told = news("devices", listed)

    assert told.devices == [
        HubDevice("h", "0x00158d0001a2b3c4", "hall/door", "SNZB-04", "SONOFF"),
        HubDevice("h", "0x2", "new", "X1"),
    ]
    assert [fault.detail.split(":")[0] for fault in told.faults] == ["device 3", "device 4", "device 5"]


def test_a_hub_cannot_announce_without_end():
    listed = [{"ieee_address": f"0x{n:x}", "friendly_name": f"d{n}"} for n in range(DEVICES_AT_MOST + 5)]

    told = news("devices", listed)

    assert len(told.devices) == DEVICES_AT_MOST
    assert len(told.faults) == 1


@pytest.mark.parametrize("kind", ["device_joined", "device_announce", "device_interview"])
def test_a_device_that_joins(kind):
    data = {"friendly_name": "x", "ieee_address": "0xA", "definition": {"model": "M", "vendor": "V"}}

    assert news("event", {"type": kind, "data": data}).joined == [HubDevice("h", "0xa", "x", "M", "V")]


def test_a_device_that_leaves():
    assert news("event", {"type": "device_leave", "data": {"ieee_address": "0xA"}}).left == ["0xa"]


@pytest.mark.parametrize("data", [None, [], {}, {"ieee_address": 7, "friendly_name": "x"}, {"friendly_name": "x"}])
@pytest.mark.parametrize("kind", ["device_joined", "device_leave"])
def test_an_event_without_an_address_is_a_fault_and_nothing_else(kind, data):
    told = news("event", {"type": kind, "data": data})

    assert (told.joined, told.left, len(told.faults)) == ([], [], 1)


def test_other_events_and_answers_are_passed_over():
    for rest, tree in (
        ("event", {"type": "device_options_changed", "data": {}}),
        ("event", {"data": 5}),
        ("response/device/rename", {"status": "error", "data": {}}),
        ("response/permit_join", {"status": "ok", "data": {"time": 254}}),
        ("groups", []),
        ("health", {"mqtt": {"connected": True}}),
    ):
        told = news(rest, tree)

        assert told.is_alive
        assert not (told.devices or told.joined or told.left or told.renamed or told.faults)


def test_a_rename():
    told = news("response/device/rename", {"status": "ok", "data": {"from": "a", "to": "sos/a"}})

    assert told.renamed == [("a", "sos/a")]


@pytest.mark.parametrize("payload", [b"", b"maybe", b'{"state":1}', b"[]", b"\xff"])
def test_a_state_of_the_bridge_that_is_none(payload):
    with pytest.raises(Unreadable):
        ZIGBEE2MQTT.news("h", "bridge/state", payload)
