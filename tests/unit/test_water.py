"""Water in litres, however a meter counts, and no litre twice."""

import json

import pytest
from the_intake import HUB, Ear, address, brief, iso, sensor, why

from gateway.domain import Kind, Role
from gateway.ports import Expose, HubDevice
from ingest.decoders.water import litres_of

W, M = Kind.WATER, Kind.METER


def home() -> Ear:
    return Ear(sensor("water", Role.WATER_METER))


@pytest.mark.parametrize(
    ("unit", "litres"),
    [
        ("", 1),
        ("l", 1),
        (" L ", 1),
        ("m3", 1000),
        ("m³", 1000),
        ("ml", 0.001),
        ("10 l", 10),
        ("0.5l", 0.5),
        ("0.1 m³", 100),
        ("gal", 3.785411784),
        ("kWh", None),
        ("0 l", None),
        ("l/h", None),
        ("-1 l", None),
        ("10 10 l", None),
        ("m", None),
    ],
)
def test_units(unit, litres):
    assert litres_of(unit) == litres


@pytest.mark.parametrize(
    ("report", "given"),
    [
        ({"kind": "water", "value": 3.5}, [(W, 3.5)]),
        ({"kind": "water", "value": 2, "unit": "10 l"}, [(W, 20)]),
        ({"kind": "water", "unit": "10 l"}, [(W, 10)]),  # a pulse
        ({"kind": "water", "value": 0.012, "unit": "m3"}, [(W, 12)]),
        ({"kind": "meter", "value": 81.204, "unit": "m³"}, [(M, 81204)]),
    ],
)
def test_what_a_meter_reports(report, given):
    assert home().plain("water", **report) == given


@pytest.mark.parametrize(
    "report",
    [
        {"kind": "water"},
        {"kind": "water", "value": 100_001},
        {"kind": "water", "value": 101, "unit": "m3"},
        {"kind": "water", "value": 3, "unit": "kWh"},
        {"kind": "meter", "value": 3, "unit": 10},
        {"kind": "meter", "value": True},
        {"kind": "meter", "value": -1},
    ],
)
def test_what_no_meter_can_report(report):
    taken = home().hears("plain/water", report)

    assert (brief(taken), why(taken)) == ([], ["bad-value"])


def test_what_a_meter_moved_is_what_was_drawn():
    ear = home()

    given = [ear.after(minutes=5).plain("water", kind="meter", value=value) for value in (5000, 5003, 5003, 5010.5)]

    assert given == [[(M, 5000)], [(M, 5003), (W, 3)], [], [(M, 5010.5), (W, 7.5)]]


@pytest.mark.parametrize("shown", [0, 4999, 250_000])
def test_a_meter_that_was_exchanged_counts_from_where_it_stands(shown):
    ear = home()
    ear.plain("water", kind="meter", value=5000)

    assert ear.after(minutes=5).plain("water", kind="meter", value=shown) == [(M, shown)]
    assert ear.after(minutes=5).plain("water", kind="meter", value=shown + 4) == [(M, shown + 4), (W, 4)]


def test_what_was_drawn_in_an_outage_is_told_at_its_own_time():
    ear = home()
    ear.plain("water", kind="meter", value=100, at=iso(ear.now))
    began = ear.now
    stored = [{"kind": "meter", "value": 100 + n, "at": iso(ear.after(minutes=9).now)} for n in (1, 2, 3)]
    ear.after(hours=2)

    taken = ear.hears("plain/water", stored)

    assert [(one.value, (one.at - began).seconds // 60) for one in taken.readings if one.kind is W] == [
        (1, 9),
        (1, 18),
        (1, 27),
    ]


def test_after_a_restart_nothing_is_drawn_twice():
    ear = home()
    for value in (100, 104):
        ear.after(minutes=5).plain("water", kind="meter", value=value)
    again = home()
    for reading in ear.readings:
        again.intake.devices.recall(reading)
    again.now = ear.now

    assert again.after(minutes=5).plain("water", kind="meter", value=104) == []
    assert again.after(minutes=5).plain("water", kind="meter", value=109) == [(M, 109), (W, 5)]


@pytest.mark.parametrize(
    ("key", "unit", "shown", "drawn"),
    [
        ("water_consumed", "L", (120, 126), 6),
        ("water_consumed", "m³", (1.2, 1.206), 6),
        ("water_total", "gal", (10, 20), 37.854),
        ("volume", "L", (7, 8.5), 1.5),
        ("pulse_count", "", (40, 43), 3),
    ],
)
def test_a_zigbee_meter_says_its_unit_when_it_is_announced(key, unit, shown, drawn):
    ear = Ear(sensor("water", Role.WATER_METER, 1))
    device = HubDevice(HUB, address(1), "water", "VALVE-9", exposes=(Expose(key, "numeric", unit=unit),))
    ear.intake.devices.remember([device])

    ear.z2m("water", **{key: shown[0]})

    assert ear.after(minutes=5).z2m("water", **{key: shown[1]})[-1] == (W, drawn)


def test_a_loudspeaker_s_volume_is_no_water():
    ear = Ear(sensor("water", Role.WATER_METER, 1))
    ear.intake.devices.remember([HubDevice(HUB, address(1), "water", exposes=(Expose("volume", "numeric", unit="%"),))])

    assert ear.hears("zigbee2mqtt/water", json.dumps({"volume": 30}).encode()).readings[1:] == []
