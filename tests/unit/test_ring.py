"""What rings in the home while the gateway does not have a call: which words of a device are one, and for how long."""

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.endpoint import Endpoint
from gateway.kit import contents
from ingest.decoders.base import DANGERS
from ingest.decoders.plain import PLAIN
from ingest.decoders.zigbee2mqtt import Zigbee2Mqtt
from simulators.household import furnish

KIT = {name: text for name, _, text in contents("hub-7", "s3cret-s3cret-s3cret", Endpoint(host="b"))}
SETTINGS = dict(re.findall(r"^([A-Z]+)='?(.*?)'?$", KIT["shouwang-ring.conf"], re.MULTILINE))
PRESS = 'zigbee2mqtt/sos/cord {"action":"emergency"}'
ITS_TIME_HAS_COME = "shouwang-ring call-1"
ASKS = 'shouwang/hub-7/plain/hub {"kind":"heartbeat","call":"call-1"}'
IS_THERE = 'shouwang-back/plain/hub {"kind":"heartbeat","call":"call-1"}'
ON = f"shouwang/hub-7/zigbee2mqtt/siren/set {SETTINGS['ON']}"
OFF = f"shouwang/hub-7/zigbee2mqtt/siren/set {SETTINGS['OFF']}"

# The box around the ringer: what it hears stands in a file, what it says is written down, its calls have a number, and
# no alarm clock ever rings by itself.
PROGRAMS = {
    "mosquitto_sub": 'exec /bin/cat "$HEARD"',
    "mosquitto_pub": 'shift 6; echo "$2 $4" >>"$SAID"',
    "cat": "echo call-1",
    "sleep": "exit 1",
}


@pytest.fixture
def hears(tmp_path):
    """The kit's own script, and what it says when these come in one after the other."""
    for name, does in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "ring").write_text(KIT["shouwang-ring"])
    (tmp_path / "conf").write_text(KIT["shouwang-ring.conf"])

    def hears(*lines: str) -> list[str]:
        heard, said = tmp_path / "heard", tmp_path / "said"
        heard.write_text(
            "".join(f"{line if line.startswith('shouwang-') else f'shouwang/hub-7/{line}'}\n" for line in lines)
        )
        said.write_text("")
        given = {"SHOUWANG_RING": tmp_path / "conf", "HEARD": heard, "SAID": said}
        path = f"{tmp_path}:{os.environ['PATH']}"
        subprocess.run(["sh", tmp_path / "ring"], env={"PATH": path} | given, check=True, capture_output=True)
        return said.read_text().splitlines()

    return hears


def test_a_call_that_the_gateway_has_within_a_second_rings_nowhere(hears):
    assert hears(PRESS, IS_THERE, ITS_TIME_HAS_COME) == [ASKS]


def test_one_that_it_does_not_have_rings_until_it_has(hears):
    assert hears(PRESS, ITS_TIME_HAS_COME, ITS_TIME_HAS_COME, IS_THERE, ITS_TIME_HAS_COME) == [
        ASKS, ON, ASKS, ON, ASKS, OFF,
    ]  # fmt: skip


def test_whoever_is_there_ends_it(hears):
    assert hears(PRESS, ITS_TIME_HAS_COME, 'zigbee2mqtt/cancel {"action":"single"}') == [ASKS, ON, ASKS, OFF]


def test_the_same_button_says_nothing_by_letting_its_battery_be_known(hears):
    assert hears(PRESS, ITS_TIME_HAS_COME, 'zigbee2mqtt/cancel {"action":"","battery":97}') == [ASKS, ON, ASKS]


def test_it_ends_by_itself_and_rings_for_the_next_call(hears):
    times = int(SETTINGS["TIMES"])

    said = hears(PRESS, *[ITS_TIME_HAS_COME] * (times + 1), PRESS, ITS_TIME_HAS_COME)

    assert said.count(ON) == times + 1
    assert said[-4:] == [OFF, ASKS, ON, ASKS]


def test_a_button_that_is_pressed_on_and_on_does_not_put_it_off(hears):
    assert hears(PRESS, PRESS, PRESS, ITS_TIME_HAS_COME) == [ASKS, ON, ASKS]


def test_the_word_of_another_call_ends_nothing(hears):
    assert hears(PRESS, ITS_TIME_HAS_COME, IS_THERE.replace("call-1", "call-0")) == [ASKS, ON, ASKS]


@pytest.mark.parametrize(
    "payload",
    [
        '{"action":"emergency","battery":100}',
        '{"battery":100,"action":"sos","device":{"ieeeAddr":"0x1"}}',
        '{"sos":true,"tamper":false}',
        '{"sos":false,"tamper":true}',
        '{"smoke":true,"battery_low":false}',
        '{"smoke":false,"test":true}',
        '{"gas": true}',
        '{"carbon_monoxide":true}',
        '{"water_leak":true}',
        '{"water_leak":false}',
        '{"fall_down_status":"fall"}',
        '{"fall_down_status":"maybe_fall"}',
        '{"contact":false,"occupancy":true}',
        '{"action":"single"}',
        '{"action":""}',
        '{"action":null}',
        "{}",
    ],
)
def test_any_device_of_zigbee2mqtt_is_understood_as_the_gateway_understands_it(hears, payload):
    heard = Zigbee2Mqtt().decode(payload.encode()).heard

    assert bool(hears(f"zigbee2mqtt/kitchen {payload}")) == any(h.signal in DANGERS and h.value for h in heard)


@pytest.mark.parametrize(
    "payload",
    [
        '{"kind":"sos"}',
        '{"kind": "sos", "seq": 7}',
        '{"kind":"sos","value":false}',
        '{"kind":"smoke","value":true}',
        '{"kind":"smoke","value":1}',
        '{"kind":"smoke","value":0}',
        '[{"kind":"battery","value":0},{"kind":"sos","at":"2026-03-02T00:00:00Z"}]',
        '[{"kind":"sos","value":false},{"kind":"leak","value":true}]',
        '{"kind":"motion"}',
        '{"kind":"heartbeat"}',
    ],
)
def test_plain_json_is_understood_as_the_gateway_understands_it(hears, payload):
    heard = PLAIN.decode(payload.encode()).heard

    assert bool(hears(f"plain/hall {payload}")) == any(h.signal in DANGERS and h.value for h in heard)


@pytest.mark.parametrize(
    ("said", "is_a_call"),
    [
        ('zigbee2mqtt/sos/cord {"contact":false}', True),
        ('zigbee2mqtt/sos/cord {"contact":true,"battery":90}', False),
        ('zigbee2mqtt/sos/button {"action":"single"}', True),
        ('zigbee2mqtt/sos/button {"action":"hold_release"}', False),
        ('zigbee2mqtt/sos/button {"action":"","battery":90}', False),
        ('plain/sos/cord {"kind":"button"}', True),
        ('tasmota/sos/bath/stat/RESULT {"Button1":{"Action":"SINGLE"}}', True),
        ('shelly/sos/bath/events/rpc {"params":{"events":[{"component":"input:0","event":"single_push"}]}}', True),
        ('shelly/sos/hall/status/smoke:0 {"id":0,"alarm":true}', True),
        ("esphome/sos/bath/binary_sensor/fall/state ON", True),
        ("esphome/sos/bath/binary_sensor/fall/state OFF", False),
        ('zigbee2mqtt/sos/cord/set {"state":"ON"}', False),
    ],
)
def test_below_sos_every_press_is_a_call(hears, said, is_a_call):
    assert bool(hears(said)) is is_a_call


def test_a_week_of_a_home_waits_for_the_line():
    """Three times over: what Mosquitto counts is what the messages say, without their topics."""
    room = int(re.search(r"^max_queued_bytes (\d+)$", KIT["mosquitto.conf"], re.MULTILINE)[1])
    monday = datetime(2026, 3, 1, 16, tzinfo=UTC)

    day = furnish("h1", "napper", seed=5).publications(monday, monday + timedelta(days=1))

    assert "\nmax_queued_messages 0\n" in KIT["mosquitto.conf"]
    assert 3 * 7 * sum(len(said.payload) for said in day) < room
