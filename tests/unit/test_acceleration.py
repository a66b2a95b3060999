"""What a wearable's accelerometer says: a knock becomes one reading, and whether its wearer keeps still another."""

import json
from datetime import UTC, datetime, timedelta
from math import cos, sin

import pytest
from the_intake import Ear, sensor

from gateway.domain import Kind, Role
from gateway.domain.impact import LEVELS, TRAITS, Impact
from ingest.decoders import DECODERS
from ingest.decoders.base import Signal, Unreadable
from simulators.falls import FALLS, HERTZ, Wearer, message, record, windows

BEGIN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
NINA = Wearer(number=1, is_old=True, at_waist=False, vigour=0.8, limit_g=16, noise_g=0.01, hertz=50)
FALL = record("slips", NINA, 3).samples


def heard(report: dict) -> dict[Signal, float]:
    return {one.signal: one.value for one in decode(report).heard}


def decode(report: dict):
    return DECODERS["plain"].decode(json.dumps(report).encode())


def report(samples, **more) -> dict:
    return {**message(samples, BEGIN), **more}


def window(samples=FALL):
    first, last = next(windows(samples))
    return samples[first:last]


def resting(seconds: float, g: float = 1.0) -> list[list[float]]:
    return [[0.0, 0.02, g] for _ in range(round(seconds * HERTZ))]


def waving(seconds: float) -> list[list[float]]:
    return [[0.0, 0.8 * sin(n / 4), 1.0 + 0.7 * sin(n / 3)] for n in range(round(seconds * HERTZ))]


def test_a_fall_is_one_impact_and_then_stillness():
    told = decode(report(window()))

    impact, stirs = told.heard
    assert (impact.signal, impact.momentary, stirs.signal, stirs.momentary) == (
        Signal.IMPACT,
        True,
        Signal.STIRS,
        False,
    )
    assert BEGIN + timedelta(seconds=2) <= impact.at <= BEGIN + timedelta(seconds=3)
    assert stirs.at > impact.at
    assert told.faults is None


def test_what_it_was_like_can_be_read_off_the_reading():
    struck = Impact.unpacked(heard(report(window()))[Signal.IMPACT])

    hardest = max(sum(value**2 for value in sample) ** 0.5 for sample in window())
    assert struck.value("peak") == pytest.approx(hardest, rel=0.1)
    assert struck.value("turned") > 15
    assert struck.value("rest") < 0.2


@pytest.mark.parametrize("name", sorted(FALLS))
def test_packed_is_a_whole_number_that_a_float_holds(name):
    for seed in range(3):
        for first, last in windows(record(name, NINA, seed).samples):
            value = heard(report(record(name, NINA, seed).samples[first:last])).get(Signal.IMPACT)
            if value is not None:
                assert value == int(value) < 2**53
                assert Impact.unpacked(value).packed() == value


def test_every_level_comes_back():
    for level in range(LEVELS):
        struck = Impact(tuple((level + place) % LEVELS for place in range(len(TRAITS))))
        assert Impact.unpacked(struck.packed()) == struck
    for trait in TRAITS:
        assert [trait.level(trait.value(level)) for level in range(LEVELS)] == list(range(LEVELS))


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1.5, 2.0**53, 2.0**51])
def test_another_number_is_no_impact(value):
    with pytest.raises(ValueError, match="no packed impact"):
        Impact.unpacked(value)


def test_it_does_not_matter_which_way_round_it_is_worn():
    def worn_otherwise(sample):
        x, y, z = sample
        return [-z, cos(0.6) * x - sin(0.6) * y, -sin(0.6) * x - cos(0.6) * y]

    straight = Impact.unpacked(heard(report(window()))[Signal.IMPACT])
    turned = Impact.unpacked(heard(report([worn_otherwise(s) for s in window()]))[Signal.IMPACT])

    # Two decimals are rounded otherwise, so that a trait may fall on the other side of a step.
    assert all(abs(a - b) <= 1 for a, b in zip(straight.levels, turned.levels, strict=True))


@pytest.mark.parametrize(("unit", "factor"), [("g", 1), ("mg", 1000), ("m/s2", 9.80665)])
def test_units(unit, factor):
    scaled = [[value * factor for value in sample] for sample in window()]

    in_unit = Impact.unpacked(heard(report(window()) | {"samples": scaled, "unit": unit})[Signal.IMPACT])
    in_g = Impact.unpacked(heard(report(window()))[Signal.IMPACT])
    assert all(abs(a - b) <= 1 for a, b in zip(in_unit.levels, in_g.levels, strict=True))


def test_samples_in_bursts_out_of_order_and_twice_are_put_in_order():
    samples = report(window())["samples"]
    times = [20 * n for n in range(len(samples))]
    # A burst of five hands over its third before its second, and its first twice.
    mixed = [
        n for start in range(0, len(samples) - 4, 5) for n in (start, start + 2, start + 1, start, start + 3, start + 4)
    ]
    bursts = report(window()) | {"samples": [samples[n] for n in mixed], "t": [times[n] for n in mixed]}
    del bursts["rate"]

    assert heard(bursts)[Signal.IMPACT] == heard(report(window()))[Signal.IMPACT]


@pytest.mark.parametrize("rate", [25, 50, 100, 208])
def test_any_rate_is_looked_at_alike(rate):
    every = [window()[min(int(n * HERTZ / rate), len(window()) - 1)] for n in range(int(len(window()) * rate / HERTZ))]

    struck = Impact.unpacked(heard(report(every, rate=rate))[Signal.IMPACT])

    assert struck.value("turned") == pytest.approx(
        Impact.unpacked(heard(report(window()))[Signal.IMPACT]).value("turned"), abs=23
    )


def test_without_an_impact_only_whether_she_moves_is_told():
    assert heard(report(resting(10))) == {Signal.STIRS: 0}
    assert heard(report(waving(10))) == {Signal.STIRS: 1}
    assert heard(report(resting(8) + waving(2))) == {Signal.STIRS: 1}


def test_what_swings_after_an_impact_is_no_movement_of_hers():
    struck = resting(3) + [[0, 0, 6.0]] + [[0, 0, 1 + 0.9 * sin(n)] for n in range(60)] + resting(4)

    assert heard(report(struck))[Signal.STIRS] == 0


def test_an_impact_at_the_edge_is_left_to_the_next_batch():
    assert Signal.IMPACT not in heard(report([*resting(8), [0, 0, 7.0], *resting(0.5)]))
    assert Signal.IMPACT in heard(report([*resting(5), [0, 0, 7.0], *resting(5)]))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"samples": None}, "`samples` is a list"),
        ({"samples": [[0, 0, 1]] * 5}, "`samples` is a list of 20 to 4000, not 5"),
        ({"samples": [[0, 0, 1]] * 60 + [[0, 1]]}, "a sample is [x, y, z]"),
        ({"samples": [[0, 0, 1]] * 60 + [[0, 1, "2"]]}, "a sample is [x, y, z]"),
        ({"samples": [[0, 0, True]] * 60}, "a sample is [x, y, z]"),
        ({"samples": [[0, 0, 1]] * 60 + [[0, 0, 900]]}, "900 g is no acceleration"),
        ({"rate": 5}, "`rate` is a number from 20 to 400"),
        ({"rate": None}, "`rate` is a number from 20 to 400"),
        ({"unit": "stone"}, "the unit is one of g, mg"),
        ({"samples": [[0, 0, 9.81]] * 200}, "9.81 g on average; the `unit` is another"),
        ({"samples": [[0, 0, 1]] * 60, "t": [5] * 60}, "only 1 different times"),
        ({"samples": [[0, 0, 1]] * 60, "t": [1] * 4}, "a time in milliseconds for each sample"),
        ({"samples": [[0, 0, 1]] * 60, "t": [-1] * 60}, "milliseconds since `at`"),
    ],
)
def test_what_cannot_be_used_says_what_would_have_been_right(more, said):
    told = decode(report(resting(3)) | more)

    assert told.heard == []
    (fault,) = told.faults
    assert fault.reason == "bad-value"
    assert said in fault.detail


def test_a_bad_time_costs_the_time_and_not_the_fall():
    told = decode(report(window(), at="yesterday"))

    assert {one.signal for one in told.heard} == {Signal.IMPACT, Signal.STIRS}
    assert all(one.at is None for one in told.heard)


def test_the_road_is_not_flooded_by_an_hour_of_quiet_batches():
    ear = Ear(sensor("watch", Role.FALL))
    for number in range(360):
        at = ear.after(seconds=10).now - timedelta(seconds=10)
        ear.hears("plain/sos/watch", message(resting(10) if number != 200 else waving(10), at))

    assert [(one.kind, one.value) for one in ear.readings] == [(Kind.STIRS, 0), (Kind.STIRS, 1), (Kind.STIRS, 0)]


def test_the_same_impact_told_by_two_batches_that_overlap_is_two_readings_of_about_one_moment():
    ear = Ear(sensor("watch", Role.FALL))
    for first, last in ((0, 500), (100, 600)):
        ear.now = BEGIN + timedelta(seconds=last / HERTZ)
        ear.hears("plain/watch", message(FALL[first:last], BEGIN + timedelta(seconds=first / HERTZ)))
    one, other = (reading for reading in ear.readings if reading.kind is Kind.IMPACT)

    assert abs(one.at - other.at) <= timedelta(milliseconds=20)
    assert one.seq != other.seq


@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59Z", 253402300799000, "0001-01-01T00:00:00Z", 0, -1, {}, [], True, 1e308]
)
def test_whatever_a_clock_shows_the_fall_is_heard(at):
    told = decode(report(window(), at=at))

    assert {one.signal for one in told.heard} == {Signal.IMPACT, Signal.STIRS}


@pytest.mark.parametrize("value", [10**400, 2**70, 1e308, -1e308, None, "1", [], {}, True])
def test_whatever_a_sample_holds_nothing_falls_over(value):
    for more in ({"samples": [[0, value, 1]] * 60}, {"samples": [value] * 60}, {"rate": value}, {"t": [value] * 150}):
        raw = json.dumps(report(resting(3)) | more).encode()
        try:
            told = DECODERS["plain"].decode(raw)
        except Unreadable:
            continue
        assert told.heard == [] or told.heard[0].signal is Signal.STIRS
