"""Vital signs: two that agree, limits of this person, and never a name for an illness."""

from datetime import timedelta

import pytest
from measured_home import Life, a_home, day

from detectors.vitals import STANDARD, Vitals
from gateway.domain import VITALS, Kind, Severity
from gateway.ports import Context

K = Kind


def measured(*values: tuple[str, Kind, float], plan: dict[str, str] | None = None, subject: str = "") -> Life:
    home = a_home()
    life = Life(Vitals(home), home)
    life.context = Context(plan=plan or {})
    for clock, kind, value in values:
        life.says(day(0, clock), "cuff", kind, value, subject)
    return life


def test_two_that_agree_are_told():
    life = measured(("08:00", K.SYSTOLIC, 171), ("08:02", K.SYSTOLIC, 168))
    (found,) = life.found

    assert (found.code, found.severity, found.at.minute) == ("vital", Severity.MEDIUM, 2)
    assert (found.fact("value"), found.fact("before"), found.fact("limit")) == ("168", "171", "160")
    assert found.fact("elapsed_s") == "120"


def test_one_slipped_cuff_is_nothing():
    assert measured(("08:00", K.SYSTOLIC, 175), ("08:02", K.SYSTOLIC, 132)).told == []


def test_two_on_different_sides_do_not_agree():
    assert measured(("08:00", K.GLUCOSE, 3.1), ("08:20", K.GLUCOSE, 15)).told == []


def test_two_mornings_agree_too():
    home = a_home()
    life = Life(Vitals(home), home)
    life.says(day(0, "08:00"), "cuff", K.SYSTOLIC, 167)
    life.says(day(1, "08:10"), "cuff", K.SYSTOLIC, 171)

    assert life.told == [("06 08:10", "vital")]


def test_the_same_one_heard_twice_is_one():
    assert measured(("08:00", K.SPO2, 84), ("08:00", K.SPO2, 84), ("08:01", K.SPO2, 84)).told == []


def test_they_agree_as_far_as_the_milder_goes():
    mild = measured(("08:00", K.SYSTOLIC, 195), ("08:02", K.SYSTOLIC, 165))
    severe = measured(("08:00", K.SYSTOLIC, 195), ("08:02", K.SYSTOLIC, 184))

    assert [f.severity for f in mild.found + severe.found] == [Severity.MEDIUM, Severity.HIGH]


def test_told_once_a_day_unless_it_becomes_severe():
    life = measured(*((f"{hour:02}:{minute}", K.SPO2, 91) for hour in range(8, 20) for minute in ("00", "10")))
    life.says(day(0, "21:00"), "cuff", K.SPO2, 86)
    life.says(day(0, "21:06"), "cuff", K.SPO2, 87)
    life.says(day(0, "21:20"), "cuff", K.SPO2, 87)

    assert [f.severity for f in life.found] == [Severity.MEDIUM, Severity.HIGH]


def test_a_very_bad_one_that_nobody_repeats_is_noted_for_the_next_visit():
    life = measured(("08:00", K.SYSTOLIC, 204))
    life.waits_until(day(0, "09:59"))

    assert life.told == []

    life.waits_until(day(1))
    (found,) = life.found
    assert (life.told, found.severity, found.fact("rule")) == ([("05 10:00", "vital")], Severity.CARE, "once")


def test_a_second_one_in_order_takes_the_first_back():
    life = measured(("08:00", K.SYSTOLIC, 204), ("08:05", K.SYSTOLIC, 141))
    life.waits_until(day(2))

    assert life.told == []


def test_limits_are_those_of_the_person():
    lungs = {"vital.spo2/p-2": "86..", "vital.systolic": "..140"}
    usual_for_him = measured(("08:00", K.SPO2, 88), ("08:10", K.SPO2, 88), plan=lungs, subject="p-2")
    not_for_her = measured(("08:00", K.SPO2, 88), ("08:10", K.SPO2, 88), plan=lungs, subject="p-1")
    both = measured(("08:00", K.SYSTOLIC, 145), ("08:02", K.SYSTOLIC, 146), plan=lungs, subject="p-2")

    assert (usual_for_him.told, len(not_for_her.found), len(both.found)) == ([], 1, 1)
    assert both.found[0].subject == "p-2"


@pytest.mark.parametrize(("plan", "told"), [("off", 0), ("nonsense", 1), ("..", 1)])
def test_a_plan_switches_off_and_a_spoilt_one_changes_nothing(plan, told):
    life = measured(("08:00", K.GLUCOSE, 2.6), ("08:06", K.GLUCOSE, 2.7), plan={"vital.glucose": plan})

    assert len(life.found) == told


def test_two_persons_in_one_home_are_two():
    home = a_home()
    life = Life(Vitals(home), home)
    life.says(day(0, "08:00"), "cuff", K.BODY_TEMPERATURE, 38.6, "p-1")
    life.says(day(0, "08:10"), "cuff", K.BODY_TEMPERATURE, 38.7, "p-2")

    assert life.told == []


def test_water_in_the_body_is_told_by_the_scales():
    home = a_home()
    life = Life(Vitals(home), home)
    for number, kg in enumerate([61.0, 60.8, 61.1, 63.2, 63.4]):
        life.says(day(number, "07:00"), "cuff", K.WEIGHT, kg)

    (found,) = life.found
    assert (found.fact("value"), found.fact("limit")) == ("63.4", "62.8")


def test_an_ordinary_weight_is_no_news():
    home = a_home()
    life = Life(Vitals(home), home)
    for number in range(30):
        life.says(day(number, "07:00"), "cuff", K.WEIGHT, 61 + number % 3 / 2)

    assert life.told == []


def test_it_says_what_is_usual_once_it_knows():
    values = [(f"{6 + n:02}:00", K.HEART_RATE, 72.0) for n in range(6)]
    life = measured(*values, ("13:00", K.HEART_RATE, 124), ("13:06", K.HEART_RATE, 121))

    assert life.found[0].fact("usual") == "72"


def test_every_vital_sign_has_its_limits():
    assert set(STANDARD) == VITALS
    assert all(limits.apart < limits.within <= timedelta(hours=36) for limits in STANDARD.values())
