"""From a cuff's message to a finding: every measurement counts, also one that shows the same as the last."""

import pytest
from the_intake import Ear, brief, iso, sensor, why

from detectors.vitals import Vitals
from gateway.domain import Kind, Role
from gateway.ports import Context


def a_cuff() -> Ear:
    return Ear(sensor("cuff", Role.VITALS, subject="p-1"))


def test_two_alike_are_two_measurements():
    ear = a_cuff()

    assert ear.plain("cuff", kind="systolic", value=171) == [(Kind.SYSTOLIC, 171)]
    assert ear.after(minutes=2).plain("cuff", kind="systolic", value=171) == [(Kind.SYSTOLIC, 171)]


def test_both_pressures_and_the_pulse_come_in_one_message():
    ear = a_cuff()
    reports = [
        {"kind": "systolic", "value": 142},
        {"kind": "diastolic", "value": 81},
        {"kind": "heart_rate", "value": 68},
    ]

    assert brief(ear.hears("plain/cuff", reports)) == [
        (Kind.SYSTOLIC, 142),
        (Kind.DIASTOLIC, 81),
        (Kind.HEART_RATE, 68),
    ]


def test_told_again_it_is_the_same_reading():
    ear = a_cuff()
    report = {"kind": "spo2", "value": 88, "at": iso(ear.now)}
    first, again = (
        ear.hears("plain/cuff", report).readings[0],
        ear.after(seconds=5).hears("plain/cuff", report).readings,
    )

    assert [(one.at, one.seq) for one in again] in ([], [(first.at, first.seq)])


@pytest.mark.parametrize(
    ("report", "value"),
    [
        ({"value": 5.8}, 5.8),
        ({"value": 5.8, "unit": "mmol/L"}, 5.8),
        ({"value": 104, "unit": "mg/dL"}, 5.77),
    ],
)
def test_sugar_by_its_unit(report, value):
    assert a_cuff().plain("cuff", kind="glucose", **report) == [(Kind.GLUCOSE, value)]


@pytest.mark.parametrize(
    "report",
    [
        {"kind": "glucose", "value": 104},  # milligrams, and nobody said so
        {"kind": "glucose", "value": 5.8, "unit": "g"},
        {"kind": "systolic", "value": 14.2},
        {"kind": "body_temperature", "value": 98.6},
        {"kind": "spo2", "value": 140},
        {"kind": "weight"},
    ],
)
def test_what_no_person_has_is_put_away(report):
    taken = a_cuff().hears("plain/cuff", report)

    assert (taken.readings, why(taken)) == ([], ["bad-value"])


def test_a_remembered_measurement_is_none():
    taken = a_cuff().hears("plain/cuff", {"kind": "spo2", "value": 84}, retained=True)

    assert (taken.readings, why(taken)) == ([], ["retained-event"])


def test_from_the_cuff_to_the_finding():
    ear = a_cuff()
    vitals = Vitals(ear.directory.all[0])
    for _ in range(2):
        for reading in ear.after(minutes=3).hears("plain/cuff", {"kind": "systolic", "value": 186}).readings:
            found = list(vitals.observe(reading, Context()))

    (told,) = found
    assert (told.code, told.subject, told.fact("value")) == ("vital", "p-1", "186")
