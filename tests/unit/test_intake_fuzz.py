"""Nothing that anybody can send stops the intake: all of it becomes readings, says nothing new, or is put away."""

import importlib.util
import json
import math
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from the_intake import HOME, HUB, MORNING, Ear, brief, iso, sensor, written_down

from gateway.domain import URGENT, Kind, Role
from gateway.ports import Message
from ingest.decoders import DECODERS
from ingest.decoders.plain import KINDS
from ingest.decoders.zigbee2mqtt import FIELDS
from ingest.intake import HEAD_SHOWN, TOPIC_SHOWN
from ingest.way import LARGEST, Taken

SENSORS = tuple(sensor(f"s{number}", role, number + 1) for number, role in enumerate(Role)) + tuple(
    sensor(f"p{number}", role) for number, role in enumerate(Role)
)
REASONS = {
    "bad-json",
    "not-an-object",
    "bad-value",
    "bad-topic",
    "too-large",
    "too-old",
    "unknown-hub",
    "unknown-device",
    "unknown-topic",
    "unregistered-alarm",
    "retained-event",
    "not-its-role",
    "flooded",
}

WORDS = ["true", "ON", "online", "falling", "fall", "", "single", "NaN", "-1", "\0", "２", "\ud800", "9" * 400]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=8)
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
TIMES = (
    st.none()
    | LEAVES
    | st.datetimes(MORNING.replace(tzinfo=None) - timedelta(days=20), MORNING.replace(tzinfo=None)).map(
        lambda moment: moment.isoformat() + "Z"
    )
    | st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-W01-1", "20261121", "24:00"])
)
KEYS = st.dictionaries(st.sampled_from([*FIELDS, "device", "update"]), TREES | LEAVES, max_size=6)
STATES = st.tuples(KEYS, TIMES).map(lambda both: both[0] | {"last_seen": both[1]})
REPORTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from([*KINDS, "heartbeat", "returned", ""]) | LEAVES,
        "value": LEAVES,
        "at": TIMES,
        "seq": LEAVES,
    },
)
HUB_TOPICS = ["state", "devices", "event", "response/device/rename", "health", "logging", "x/y"]
NEWS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["device_joined", "device_leave", "device_announce", "device_interview"]) | LEAVES,
        "status": st.just("ok") | LEAVES,
        "state": st.sampled_from(["online", "offline"]) | TREES,
        "data": st.fixed_dictionaries(
            {},
            optional={
                "ieee_address": st.just(SENSORS[0].address) | LEAVES,
                "friendly_name": st.sampled_from(["s0", "s1"]) | LEAVES,
                "from": st.sampled_from(["s0", "s1"]) | LEAVES,
                "to": st.sampled_from(["s1", "s2"]) | LEAVES,
                "definition": TREES,
            },
        )
        | TREES,
    },
)


def written(tree: object) -> bytes:
    return json.dumps(tree).encode("utf-8", "surrogatepass")


NAMES = st.sampled_from([one.name for one in SENSORS[: len(Role)]])
MESSAGES = st.one_of(
    st.tuples(NAMES.map(lambda name: f"zigbee2mqtt/{name}"), STATES.map(written)),
    st.tuples(NAMES.map(lambda name: f"zigbee2mqtt/{name}"), TREES.map(written) | st.binary(max_size=40)),
    st.tuples(
        st.tuples(NAMES, st.sampled_from([*FIELDS, "availability", "set", "x"])).map(
            "zigbee2mqtt/{0[0]}/{0[1]}".format
        ),
        LEAVES.map(written) | st.sampled_from([b"true", b"online", b"single", b"{}", b"21.5", b"\xff"]),
    ),
    st.tuples(
        st.sampled_from(HUB_TOPICS).map("zigbee2mqtt/bridge/{}".format),
        NEWS.map(written) | st.lists(NEWS | TREES, max_size=3).map(written) | st.binary(max_size=20),
    ),
    st.tuples(
        st.integers(0, len(Role)).map("plain/p{}".format) | st.just("plain/hub"),
        REPORTS.map(written) | st.lists(REPORTS | LEAVES, max_size=4).map(written) | st.binary(max_size=20),
    ),
    st.tuples(st.text(max_size=40) | st.text("/+#s0plainzgbe2mqt", max_size=40), st.binary(max_size=20)),
)


def check(taken: Taken, message: Message) -> None:
    assert taken.home in (HOME, "")
    assert not (taken.heard and (message.retained or not taken.home))
    assert taken.urgent == any(one.kind in URGENT and one.value == 1 for one in taken.readings)
    for one in taken.readings:
        assert math.isfinite(one.value)
        assert one.at <= one.heard + timedelta(minutes=5)
        assert one.at >= one.heard - timedelta(days=7)
        assert one.at.tzinfo is one.heard.tzinfo is MORNING.tzinfo
        assert one.at.microsecond % 1000 == 0
        assert isinstance(one.kind, Kind)
        assert 0 <= one.seq < 2**53
    for one in taken.quarantined:
        assert one.reason in REASONS
        assert len(one.topic) <= 4 * TOPIC_SHOWN
        assert len(one.head) <= HEAD_SHOWN
        (one.topic + one.detail).encode()  # can be stored and shown
    for device in taken.devices:
        (device.name + device.address + device.model).encode()


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(MESSAGES, st.booleans(), st.sampled_from([0, 1, 400, 90_000])), max_size=12))
def test_whatever_is_sent_is_accounted_for(messages):
    ear = Ear(*SENSORS)
    now = MORNING
    for number, ((topic, payload), retained, passed) in enumerate(messages):
        now += timedelta(seconds=passed)
        whole = topic if number % 4 == 3 else f"shouwang/{HUB}/{topic}"
        message = Message(whole, payload, now, retained)
        check(ear.intake.take(message, number + 1), message)

    plain = written_down(ear.intake.devices.last_values(HOME))
    assert Ear(*SENSORS).intake.devices.restore_values(HOME, plain)


@settings(max_examples=300, deadline=None)
@given(KEYS, st.sampled_from(["contact", "sos", "action", "smoke", "temperature"]))
def test_bad_neighbours_lose_no_good_key(keys, good):
    """Whatever else stands in the message, a good key gives its reading."""
    value = {"action": "emergency", "temperature": 21.5}.get(good, good != "contact")
    # `test` may rightly make an alarm a self-test, and `device` may say that it is another one.
    others = {key: one for key, one in keys.items() if key not in ("test", "device", good)}
    ear = Ear(sensor("it", Role.EXIT_DOOR, 1))

    alone = set(brief(Ear(sensor("it", Role.EXIT_DOOR, 1)).hears("zigbee2mqtt/it", {good: value})))
    taken = ear.hears("zigbee2mqtt/it", written(others | {good: value}))

    assert alone
    assert alone <= set(brief(taken)) or "bad-json" in [one.reason for one in taken.quarantined]


@pytest.mark.parametrize("retained", [False, True])
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0",
        b"{" * LARGEST,
        b"[" * LARGEST,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"action":' + b"9" * 60_000 + b"}",
        b'{"temperature":-' + b"9" * 400 + b".5e-300}",
        b'{"last_seen":1e308,"contact":true}',
        b'{"last_seen":-1,"contact":true}',
        b'{"seq":99999999999999999999,"kind":"sos"}',
        b'\xef\xbb\xbf{"contact":true}',
        b'{"contact":true}garbage',
        b'{"contact":true,"contact":"x"}',
        '{"动作":"紧急"}'.encode(),
        b'{"action":"\\ud800"}',
        b'{"device":{"ieeeAddr":"' + b"0" * 5000 + b'"}}',
    ],
    ids=range(16),
)
def test_payloads_that_have_hurt_others(payload, retained):
    ear = Ear(*SENSORS)
    for topic in (
        "zigbee2mqtt/s0",
        "zigbee2mqtt/s0/action",
        "zigbee2mqtt/bridge/devices",
        "plain/p0",
        "plain/hub",
        "x/y",
    ):
        message = Message(f"shouwang/{HUB}/{topic}", payload, ear.now, retained)
        check(ear.intake.take(message, 1), message)


@pytest.mark.parametrize("level", ["a" * 65_000, "+", "#", "$SYS", "\0", "\ud800", "a/../b", " ", "名字", "%00", "{}"])
def test_topics_that_have_hurt_others(level):
    ear = Ear(*SENSORS)
    for topic in (level, f"shouwang/{level}/plain/x", f"shouwang/{HUB}/{level}", f"shouwang/{HUB}/zigbee2mqtt/{level}"):
        message = Message(topic, b'{"sos":true}', ear.now)
        taken = ear.intake.take(message, 1)
        check(taken, message)
        assert taken.quarantined


@pytest.fixture(scope="module")
def fuzz():
    """The long run lives in bench/fuzz.py: a million messages. Here it is short."""
    where = Path(__file__).parents[2] / "bench" / "fuzz.py"
    spec = importlib.util.spec_from_file_location("bench_fuzz", where)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize("seed", [1, 2])
def test_bent_messages_of_every_decoder_are_counted_to_the_last_one(fuzz, seed):
    tally = fuzz.fuzz(6000, seed)

    assert tally.broken == []
    assert tally.used + tally.put_away + tally.cut + tally.passed_over == tally.messages == 6000
    assert tally.used >= 600
    assert set(tally.refused) <= REASONS


def test_every_decoder_is_bent(fuzz):
    assert set(fuzz.CORPUS) >= set(DECODERS)


def test_the_same_seed_bends_the_same(fuzz):
    assert list(fuzz.Bender(3).messages(200)) == list(fuzz.Bender(3).messages(200))


def test_a_flood_of_bad_messages_leaves_a_neighbours_press_alone():
    ear = Ear(sensor("button", Role.SOS, 1))
    for number in range(500):
        ear.hears("zigbee2mqtt/button", b"{" + bytes([number % 256]))

    assert ear.z2m("button", action="emergency", last_seen=iso(ear.now)) == [(Kind.SOS, 1)]
