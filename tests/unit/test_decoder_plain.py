"""Our own plain JSON, read strictly where it counts and kindly where it does not."""

import json
from datetime import UTC, datetime

import pytest

from ingest.decoders.base import Part, Place, Signal, Unreadable, moment, parse
from ingest.decoders.plain import KINDS, LAST_SEQ, PLAIN

EIGHT = datetime(2026, 11, 21, 8, tzinfo=UTC)


def read(tree: object):
    return PLAIN.decode(json.dumps(tree).encode())


def test_a_report_with_all_it_can_say():
    [heard] = read({"kind": "motion", "value": 1, "at": "2026-11-21T16:00:00+08:00", "seq": 17, "room": "?"}).heard

    assert (heard.signal, heard.value, heard.momentary, heard.at, heard.seq) == (Signal.MOVEMENT, 1.0, True, EIGHT, 17)


@pytest.mark.parametrize("kind", ["motion", "vibration", "tap", "button", "assist", "sos"])
def test_a_pulse_needs_no_value_and_its_end_is_a_state(kind):
    [pulse] = read({"kind": kind}).heard
    [end] = read({"kind": kind, "value": False}).heard

    assert (pulse.value, pulse.momentary) == (1.0, True)
    assert (end.value, end.momentary) == (0.0, False)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"motion", "vibration", "tap", "button", "assist", "sos"}))
def test_everything_else_needs_one(kind):
    decoded = read({"kind": kind})

    assert decoded.heard == []
    assert decoded.faults[0].reason == "bad-value"


@pytest.mark.parametrize("value", [2, -1, "maybe", None, [], {}, 0.5])
def test_a_door_is_open_or_not(value):
    decoded = read({"kind": "door", "value": value})

    assert (decoded.heard, len(decoded.faults)) == ([], 1)


@pytest.mark.parametrize("seq", [-1, 1.5, "17", True, LAST_SEQ + 1, []])
def test_a_counter_that_does_not_count_loses_the_counter_only(seq):
    decoded = read({"kind": "sos", "seq": seq})

    assert [(heard.value, heard.seq) for heard in decoded.heard] == [(1.0, None)]
    assert len(decoded.faults) == 1


@pytest.mark.parametrize("at", ["noon", "2026-11-21T08:00:00", "", True, [], -5, 1e300, "2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_loses_the_time_only(at):
    decoded = read({"kind": "sos", "at": at})

    assert [(heard.value, heard.at) for heard in decoded.heard] == [(1.0, None)]
    assert len(decoded.faults) == 1


@pytest.mark.parametrize("kind", ["returned", "telepathy", "", None, 5, ["motion"], "MOTION"])
def test_kinds_that_are_none(kind):
    decoded = read({"kind": kind, "value": 1})

    assert (decoded.heard, len(decoded.faults)) == ([], 1)


def test_a_list_is_as_many_reports():
    decoded = read([{"kind": "door", "value": 1}, 5, {"kind": "door", "value": 0}, {"kind": "heartbeat"}])

    assert [(heard.value, heard.part) for heard in decoded.heard] == [(1.0, 0), (0.0, 2)]
    assert [fault.reason for fault in decoded.faults] == ["not-an-object"]


@pytest.mark.parametrize(
    ("rest", "places"),
    [
        ("kitchen-1", [Place(Part.DEVICE, "kitchen-1")]),
        ("sos/cord", [Place(Part.DEVICE, "sos/cord"), Place(Part.DEVICE, "cord")]),
        ("hub", [Place(Part.HUB)]),
        ("sos/hub", [Place(Part.DEVICE, "sos/hub"), Place(Part.DEVICE, "hub")]),
        ("sos", [Place(Part.DEVICE, "sos")]),
        ("", []),
        ("sos/", []),
        ("Kitchen", []),
        ("living room", []),
        ("a/b", []),
        ("a\n", []),
        ("a" * 65, []),
    ],
)
def test_names_of_plain_sensors(rest, places):
    assert list(PLAIN.places(rest)) == places


def test_a_hub_says_only_that_it_is_there():
    assert PLAIN.news("h", "hub", b'{"kind":"heartbeat"}').faults == []
    assert len(PLAIN.news("h", "hub", b'{"kind":"sos"}').faults) == 1
    with pytest.raises(Unreadable):
        PLAIN.news("h", "hub", b"[1]")


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-21T08:00:00Z",
        "2026-11-21T08:00:00.000900+00:00",
        "2026-11-21T09:00:00+01:00",
        1_795_248_000_000,
        1_795_248_000_000.4,
        1_795_248_000,
    ],
)
def test_the_forms_of_a_time(raw):
    assert moment(raw) == EIGHT


@pytest.mark.parametrize("raw", [0, 1000, "1970-01-01T00:00:00Z", "2000-01-01T00:10:00+00:00", "0001-01-01T00:00:00Z"])
def test_a_clock_that_was_never_set(raw):
    assert moment(raw) is None


@pytest.mark.parametrize(
    "payload", [b"NaN", b"-Infinity", b'{"a":01}', b"{'a':1}", b'"\xc3"', b"[" * 100_000, b"{}{}", b"\xff\xfe{\0}\0"]
)
def test_what_is_not_json(payload):
    with pytest.raises(Unreadable) as refused:
        parse(payload)

    assert refused.value.reason == "bad-json"
