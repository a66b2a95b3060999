"""What every decoder must keep, asked of each, also of the one that does not exist yet."""

import json
import math
import re
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain import Role
from ingest.decoders import DECODERS, acceleration
from ingest.decoders.base import DANGERS, Decoded, Heard, Part, Signal, Unreadable
from ingest.decoders.esphome import MEASURES, YES_OR_NO
from ingest.decoders.exposes import BINARIES, ENUMS
from ingest.decoders.models import MODELS
from ingest.decoders.plain import HEARTBEAT, HUB_FACTS, KINDS, LAST_SEQ
from ingest.decoders.shelly import BTHOME, COMPONENTS, STATUS, TEXTS
from ingest.decoders.tasmota import SENSORS, ZIGBEE
from ingest.decoders.zigbee2mqtt import AVAILABILITY, FIELDS
from ingest.roles import ANY_ROLE, HUB, ROLES, THINNED, Nature, nature

PAGE = (Path(__file__).parents[2] / "docs" / "decoders.md").read_text(encoding="utf-8")

# What a device of each dialect sends, below the decoder's name, and what it says. A new decoder brings its own.
SAMPLES: dict[str, list[tuple[str, bytes, dict[Signal, float]]]] = {
    "zigbee2mqtt": [
        (
            "hall/door",
            b'{"contact":false,"battery":97,"linkquality":134,"voltage":2995,"trigger_count":0}',
            {Signal.OPEN: 1, Signal.BATTERY: 97, Signal.LINK: 134, Signal.VOLTAGE: 2.995},
        ),
        ("sos/bed", b'{"action":"emergency","battery":100}', {Signal.CALL: 1, Signal.ACTION: 1, Signal.BATTERY: 100}),
        ("kitchen/gas", b'{"gas":true,"tamper":false,"state":"work"}', {Signal.GAS: 1, Signal.TAMPER: 0}),
        ("hall/door/availability", b'{"state":"offline"}', {Signal.AVAILABLE: 0}),
        ("hall/door/contact", b"true", {Signal.OPEN: 0}),
    ],
    "shelly": [
        (
            "plus1/events/rpc",
            b'{"method":"NotifyStatus","params":{"ts":1795248000.12,"input:0":{"id":0,"state":true}}}',
            {Signal.INPUT: 1},
        ),
        (
            "sos/plus1/events/rpc",
            b'{"method":"NotifyEvent","params":{"events":[{"component":"input:0","event":"single_push"}]}}',
            {Signal.ACTION: 1},
        ),
        ("sos/loft/status/smoke:0", b'{"id":0,"alarm":true,"mute":false}', {Signal.SMOKE: 1}),
        ("shellydw2-a1b2c3/sensor/state", b"close", {Signal.OPEN: 0}),
        ("plus1/online", b"false", {Signal.CONNECTED: 0}),
    ],
    "tasmota": [
        ("hall/stat/RESULT", b'{"Switch1":{"Action":"ON"}}', {Signal.INPUT: 1}),
        ("tele/hall/LWT", b"Offline", {Signal.CONNECTED: 0}),
        (
            "zb/tele/SENSOR",
            b'{"ZbReceived":{"0x1A2B":{"Name":"door","Contact":1,"LinkQuality":70}}}',
            {Signal.OPEN: 1, Signal.LINK: 70},
        ),
    ],
    "esphome": [
        ("radar/binary_sensor/presence/state", b"ON", {Signal.PRESENCE: 1}),
        ("sos/bell/event/button/state", b'{"event_type":"single"}', {Signal.ACTION: 1}),
        ("room/sensor/temperature/state", b"21.5", {Signal.TEMPERATURE: 21.5}),
        ("room/status", b"offline", {Signal.CONNECTED: 0}),
    ],
    "plain": [
        ("kitchen", b'{"kind":"motion","value":1,"at":"2026-11-21T08:00:00Z","seq":17}', {Signal.MOVEMENT: 1}),
        ("sos/cord", b'{"kind":"sos"}', {Signal.CALL: 1}),
        (
            "room",
            b'[{"kind":"temperature","value":21.5},{"kind":"humidity","value":44}]',
            {Signal.TEMPERATURE: 21.5, Signal.HUMIDITY: 44},
        ),
    ],
}

WORDS = st.sampled_from(
    [
        *("method", "params", "ts", "events", "component", "event", "data", "address", "pid", "window", "button"),
        *("input:0", "input:2", "state", "counts", "total", "xtotal", "devicepower:0", "battery", "percent", "V"),
        *("wifi", "rssi", "bthomesensor:201", "bthomedevice:200", "value", "smoke:0", "alarm", "event_cnt"),
        *("Time", "Switch1", "Button1", "POWER", "Action", "Wifi", "RSSI", "ENERGY", "Power", "COUNTER", "C1"),
        *("AM2301", "Temperature", "TempUnit", "StatusSNS", "ZbReceived", "0x1A2B", "Name", "Contact", "Click"),
        *("event_type", "stat_t", "dev", "dev_cla", "last_seen"),
    ]
)
KEYS = [
    *("events/rpc", "status/input:2", "status/devicepower:0", "status", "input_event/0", "input/0", "relay/0/power"),
    *("online", "sensor/state", "tele/SENSOR", "tele/STATE", "tele/LWT", "stat/RESULT", "stat/STATUS10", "stat/POWER"),
    *("binary_sensor/door", "sensor/temperature", "event/button", "text_sensor/fall", "switch/relay"),
]

every_decoder = pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS)
every_sample = pytest.mark.parametrize(
    ("name", "rest", "payload", "said"),
    [pytest.param(name, *sample, id=f"{name}/{sample[0]}") for name, samples in SAMPLES.items() for sample in samples],
)


def device_places(decoder, rest):
    return [place for place in decoder.places(rest) if place.part in (Part.DEVICE, Part.SEVERAL)]


def all_heard(decoded: Decoded) -> list[Heard]:
    """What a message said, whichever part of the device said it."""
    return [*decoded.heard, *(one for portion in decoded.portions or () for one in portion.heard)]


def understood(decoder, rest, payload) -> Decoded:
    """By the first of its places under which the payload can be read and says something."""
    for place in device_places(decoder, rest):
        try:
            decoded = decoder.decode(payload, place.key)
        except Unreadable:
            continue
        if all_heard(decoded):
            return decoded
    raise AssertionError(f"{rest}: {payload!r} says nothing")


def check(heard: Heard) -> None:
    assert heard.signal in Signal
    assert type(heard.value) is float
    assert math.isfinite(heard.value)
    assert heard.signal not in DANGERS or heard.value in (0.0, 1.0)
    assert heard.seq is None or 0 <= heard.seq <= LAST_SEQ
    if heard.at is not None:
        assert heard.at.tzinfo is UTC
        assert heard.at.microsecond % 1000 == 0


@pytest.mark.parametrize("name", DECODERS)
def test_it_is_listed_under_its_name_and_brings_samples(name):
    assert DECODERS[name].name == name
    assert type(DECODERS[name]).__doc__
    assert SAMPLES[name]
    assert f"## `{name}`" in PAGE


@every_sample
def test_its_samples_are_understood(name, rest, payload, said):
    decoded = understood(DECODERS[name], rest, payload)

    assert {heard.signal: heard.value for heard in all_heard(decoded)} == said
    assert decoded.faults is None
    for heard in all_heard(decoded):
        check(heard)


@every_sample
def test_the_same_message_says_the_same_again(name, rest, payload, said):
    assert understood(DECODERS[name], rest, payload) == understood(DECODERS[name], rest, payload)


@every_sample
def test_half_a_message_is_unreadable_and_says_so(name, rest, payload, said):
    for place in device_places(DECODERS[name], rest):
        for end in range(1, len(payload) - 1):
            try:
                for heard in all_heard(DECODERS[name].decode(payload[:end], place.key)):
                    check(heard)
            except Unreadable as error:
                assert error.reason in ("bad-json", "not-an-object", "bad-value", "unknown-device")


@every_decoder
@settings(max_examples=150, deadline=None)
@given(
    payload=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | WORDS, inner, max_size=4),
    ).map(lambda tree: json.dumps(tree).encode("utf-8", "surrogatepass")),
    rest=st.text(max_size=30) | st.sampled_from(["hub", "bridge/devices", "bridge/event", "bridge/state", "a/b/c"]),
    key=st.sampled_from(["", "contact", "action", "availability", "x", *KEYS]),
)
def test_nothing_makes_it_stumble(decoder, payload, rest, key):
    """Any topic has a tuple of places; any payload is understood or `Unreadable`, and nothing else happens."""
    assert all(place.name for place in device_places(decoder, rest))
    for ask in (lambda: decoder.decode(payload, key), lambda: decoder.news("hub", rest, payload)):
        try:
            answer = ask()
        except Unreadable as error:
            assert error.reason in ("bad-json", "not-an-object", "bad-value", "unknown-device")
            continue
        for heard in all_heard(answer) if isinstance(answer, Decoded) else answer.heard:
            check(heard)


def test_whatever_is_said_has_a_meaning_in_some_role():
    spoken = {row.signal for rows in FIELDS.values() for row in rows} | {row.signal for row in KINDS.values()}
    spoken |= {AVAILABILITY.signal, *(row.signal for row in HUB_FACTS.values())}
    spoken |= {row.signal for model in MODELS.values() for rows in model.own.values() for row in rows}
    rows = (*COMPONENTS.values(), BTHOME, TEXTS, STATUS, SENSORS, ZIGBEE)
    spoken |= {row.signal for table in rows for rows_ in table.values() for row in rows_}
    spoken |= {*YES_OR_NO.values(), *(row.signal for row in MEASURES.values())}
    spoken |= {*BINARIES.values(), *(row.signal for row in ENUMS.values())}
    spoken |= {Signal.IMPACT, Signal.STIRS}  # of batches of acceleration
    meant = {*ANY_ROLE, *HUB} | {signal for uses in ROLES.values() for signal in uses}

    assert spoken == meant == set(Signal)


def test_every_role_knows_what_to_listen_to_and_no_danger_is_lost_in_any():
    assert set(ROLES) == set(Role)
    assert set(ANY_ROLE) >= DANGERS
    assert all(nature(ANY_ROLE[danger]) is Nature.ALARM for danger in DANGERS)
    assert all(thin.every >= timedelta(minutes=1) for thin in THINNED.values())


# --------------------------------------------------------------------------- the page


def rows_of_the_page() -> dict[str, str]:
    """Kind -> its example, from the table of kinds."""
    section = PAGE.split("## `plain`")[1]
    return dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `(\{.+?\})` \|", section, re.MULTILINE))


def test_the_page_shows_an_example_of_every_kind():
    assert set(rows_of_the_page()) == {*KINDS, HEARTBEAT}


@pytest.mark.parametrize("kind", [*KINDS, HEARTBEAT])
def test_an_example_on_the_page_says_what_it_claims(kind):
    example = rows_of_the_page()[kind].encode()

    decoded = DECODERS["plain"].decode(example)

    assert decoded.faults is None
    assert [heard.signal for heard in decoded.heard] == ([KINDS[kind].signal] if kind in KINDS else [])
    assert json.loads(example)["kind"] == kind


def test_the_schema_on_the_page_names_the_kinds_and_bounds_that_are_read():
    schema = json.loads(re.search(r"```json\n(\{\s+\"\$schema\".*?)```", PAGE, re.DOTALL)[1])
    report = schema["$defs"]["report"]

    assert set(report["properties"]["kind"]["enum"]) == {*KINDS, HEARTBEAT}
    assert set(report["properties"]) == {"kind", "value", "at", "seq", "unit"}
    assert report["required"] == ["kind"]
    assert report["properties"]["seq"]["maximum"] == LAST_SEQ


def test_the_batches_of_acceleration_on_the_page_are_those_that_are_read():
    section = PAGE.split("### Batches of acceleration")[1]
    schema, example = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", section, re.DOTALL)[:2])
    properties = schema["properties"]

    assert properties["kind"]["const"] == example["kind"] == acceleration.KIND
    assert set(properties["unit"]["enum"]) == set(acceleration.UNITS)
    assert (properties["rate"]["minimum"], properties["rate"]["maximum"]) == (
        acceleration.SLOWEST,
        acceleration.FASTEST,
    )
    assert properties["t"]["items"]["maximum"] == 1000 * acceleration.LONGEST_S
    assert properties["samples"]["maxItems"] == acceleration.MOST_SAMPLES
    decoded = DECODERS["plain"].decode(json.dumps(example).encode())
    assert decoded.faults is None
    assert [(one.signal, one.value) for one in decoded.heard] == [(Signal.STIRS, 0)]


def test_the_page_names_every_key_of_zigbee2mqtt():
    section = PAGE.split("## `zigbee2mqtt`")[1].split("\n## ")[0]

    assert set(FIELDS) - set(re.findall(r"`(\w+)`", section)) == set()
