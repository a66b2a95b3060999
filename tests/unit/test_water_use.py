"""Too little, too much, without a pause; and whoever is out does not thirst."""

from datetime import timedelta

import pytest
from measured_home import Life, a_home, day

from detectors.water import Water
from gateway.domain import Kind, Severity
from gateway.ports import Context

W = Kind.WATER


class Elder(Life):
    """Draws water as one does at home."""

    def draws(self, number: int, *clocks: str, litres: float = 12) -> None:
        for clock in clocks:
            self.says(day(number, clock), "meter", W, litres)

    def washes(self, number: int, *clocks: str) -> None:
        for clock in clocks:
            self.draws(number, clock, litres=3)
            self.draws(number, clock, litres=9)

    def moves(self, number: int, clock: str) -> None:
        self.says(day(number, clock), "pir", Kind.MOTION)
        self.says(day(number, clock) + timedelta(seconds=90), "pir", Kind.MOTION)

    def door(self, number: int, clock: str) -> None:
        self.says(day(number, clock), "door", Kind.DOOR, 1)
        self.says(day(number, clock) + timedelta(seconds=8), "door", Kind.DOOR, 0)

    def lives(self, days: range) -> "Elder":
        for number in days:
            for clock in ("07:10", "09:30", "12:00", "15:00", "18:20", "21:30"):
                self.moves(number, clock)
                self.washes(number, clock)
        return self


def at_home(*names: str) -> Elder:
    home = a_home(*names)
    return Elder(Water(home), home)


def test_twelve_dry_waking_hours_are_told():
    life = at_home().lives(range(20))
    life.waits_until(day(21))

    (found,) = life.found
    # 21:30 to 22:00 and 07:00 to 18:30
    assert (life.told, found.severity) == ([("25 18:30", "water_low")], Severity.HIGH)
    assert (found.fact("litres"), found.fact("limit"), found.fact("limit_s")) == ("0", "10", str(12 * 3600))
    assert found.fact("usual_s") == str(200 * 60)  # from 15:00 to 18:20


def test_while_others_see_life_it_is_less_urgent():
    life = at_home().lives(range(20))
    life.moves(20, "17:00")
    life.waits_until(day(21))

    assert [(f.severity, f.fact("lives")) for f in life.found] == [(Severity.MEDIUM, "yes")]


def test_a_little_water_is_too_little():
    life = at_home().lives(range(20))
    life.draws(20, "08:00", "12:00", litres=3)
    life.waits_until(day(21))

    assert [f.fact("litres") for f in life.found] == ["6"]


def test_while_it_is_new_a_whole_day_must_be_dry():
    life = at_home().lives(range(2))
    life.waits_until(day(4))

    assert life.told == [("07 21:30", "water_low")]


def test_whoever_is_out_does_not_thirst():
    life = at_home().lives(range(20))
    life.door(20, "08:00")
    life.waits_until(day(24))
    life.door(24, "10:00")
    life.moves(24, "10:05")
    life.waits_until(day(24, "20:29"))

    assert life.told == []

    life.waits_until(day(25))  # half an hour in the evening, one in the morning, ten and a half after coming home

    assert life.told == [("29 20:36", "water_low")]


def test_a_mouse_in_an_empty_home_changes_nothing():
    life = at_home().lives(range(20))
    life.door(20, "08:00")
    for number in range(20, 25):
        life.says(day(number, "13:00"), "pir", Kind.MOTION)
        life.says(day(number, "16:00"), "meter", W, 1.5)  # the washing machine has its own mind
    life.waits_until(day(26))

    assert life.told == []


def test_without_a_sensor_at_the_door_it_takes_a_whole_day():
    life = at_home("pir", "meter").lives(range(20))
    life.waits_until(day(22))

    assert life.told == [("25 21:30", "water_low")]


def test_where_only_a_meter_hangs_its_water_is_the_sign_of_life():
    life = at_home("door", "meter").lives(range(20))
    life.door(20, "08:00")
    life.door(20, "11:00")
    life.washes(20, "11:30")
    life.waits_until(day(22))

    assert life.told == [("26 08:30", "water_low")]


def test_a_declared_absence_is_none_of_ours():
    life = at_home("pir", "meter").lives(range(20))
    life.context = Context(plan={"absence": "hospital"})
    life.waits_until(day(30))
    life.context = Context()
    life.lives(range(30, 31))

    assert life.told == []


def test_a_meter_that_is_not_heard_accuses_nobody():
    life = at_home().lives(range(20))
    life.context = Context(blind=("meter",))
    life.waits_until(day(21))

    assert life.told == []


@pytest.mark.parametrize("litres", [100.0, 1000.0])
def test_a_coarse_meter_cannot_tell_too_little(litres):
    life = at_home()
    for number in range(20):
        life.draws(number, "07:00", "11:00", "15:00", "19:00", litres=litres)
    life.waits_until(day(23))

    assert "water_low" not in {code for _, code in life.told}


def test_nor_can_one_that_reports_once_a_day():
    life = at_home()
    for number in range(20):
        life.draws(number, "02:00", litres=140)
    life.waits_until(day(23))

    assert life.told == []


def test_whoever_always_goes_long_without_is_allowed_longer():
    life = at_home()
    for number in range(40):
        life.washes(number, "07:00")
        life.draws(number, "10:00", "13:00", litres=1)
        life.washes(number, "20:00")  # thirteen waking hours later
    life.waits_until(day(42))

    (found,) = life.found
    assert found.since == day(39, "20:00")
    assert found.fact("limit_s") == str(int(1.25 * 13 * 3600))


def test_a_report_heard_twice_counts_once():
    once, twice = at_home(), at_home()
    for number in range(20):
        for clock in ("07:00", "12:00", "16:00", "21:00"):
            once.draws(number, clock, litres=7)
            twice.draws(number, clock, clock, litres=7)

    assert once.told == twice.told
    assert once.detector.state == twice.detector.state


def test_a_long_hole_begins_the_count_anew():
    life = at_home().lives(range(20))
    life.says(day(20, "12:00"), "hub1", Kind.RETURNED, 3600)
    life.waits_until(day(20, "23:59"))

    assert life.told == []


def test_two_cubic_metres_in_a_day_are_told_also_of_an_empty_home():
    life = at_home().lives(range(3))
    life.door(3, "08:00")
    life.context = Context(plan={"absence": "daughter"})
    for hour in range(9, 24):
        life.draws(3, f"{hour:02}:00", litres=400)

    (found,) = life.found
    assert (life.told, found.severity) == ([("08 13:00", "water_high")], Severity.MEDIUM)
    assert (found.fact("litres"), found.fact("limit")) == ("2036", "2000")


def test_what_ran_in_three_weeks_is_not_of_one_day():
    life = at_home().lives(range(3))
    life.draws(24, "10:00", litres=2500)  # an old drip, told by the difference of a meter that was not heard

    assert "water_high" not in {code for _, code in life.told}


def test_water_in_every_half_hour_is_a_leak():
    life = at_home()
    for half in range(120):
        life.says(day(0) + half * timedelta(minutes=30), "meter", W, 0.4)

    (found,) = life.found
    assert life.told == [("05 23:30", "water_trickle")]
    assert (found.fact("litres"), found.fact("least")) == ("19", "0.4")


def test_one_dry_half_hour_and_it_is_none():
    life = at_home()
    for half in range(200):
        if half % 40:
            life.says(day(0) + half * timedelta(minutes=30), "meter", W, 0.4)

    assert "water_trickle" not in {code for _, code in life.told}


def test_the_plan_of_a_household_has_the_last_word():
    content = at_home().lives(range(20))
    content.context = Context(plan={"water_low": "5", "water_high": "off"})
    content.draws(20, "08:00", litres=6)
    content.waits_until(day(20, "19:30"))
    content.draws(20, "19:40", litres=5000)

    assert content.told == []


def test_a_home_without_a_meter_asks_for_nothing():
    home = a_home("door", "pir")

    assert Water(home).kinds == frozenset()
    assert Water(home).due() is None
