"""Not back in bed, not up: nights and mornings of one home."""

from dataclasses import replace

import pytest
from furnished import Furnished

WITHOUT_MAT = ("entry/door", "living/motion", "kitchen/motion", "bathroom/motion", "bedroom/motion", "entry/motion")


class Home(Furnished):
    codes = ("bed_no_return", "not_up")

    def sleeps(self, nights: int, away: int = 6, up: str = "06:30") -> "Home":
        """So many nights with one visit to the bathroom, and breakfast."""
        for _ in range(nights):
            self.at("21:30").lies_down().at("02:00").gets_up().moves_in("bathroom").after(minutes=away).lies_down()
            self.at(up).gets_up().moves_in("kitchen").at("12:00").moves_in("living")
        return self

    def lies(self) -> "Home":
        return self.at("21:30").lies_down()


@pytest.fixture
def home() -> Home:
    return Home.kit()


def test_who_does_not_come_back_to_bed_is_told_after_45_minutes(home):
    home.sleeps(15).lies().at("02:00").gets_up().moves_in("bathroom").at("03:30")

    assert home.told == [("02:45", "bed_no_return")]


def test_on_the_first_night_after_twice_as_long(home):
    home.lies().at("02:00").gets_up().moves_in("bathroom").at("04:30")

    assert home.told == [("03:30", "bed_no_return")]


def test_who_is_up_and_about_is_told_after_90_minutes(home):
    home.sleeps(15).lies().at("01:00").gets_up()
    for _ in range(28):
        home.after(minutes=4).moves_in("living")

    assert home.told == [("02:30", "bed_no_return")]
    assert home.last.fact("rule") == "about"


def test_coming_back_is_no_news_and_long_absences_are_learnt(home):
    home.sleeps(16, away=40).lies().at("02:00").gets_up().moves_in("bathroom").at("04:00")

    assert home.told == [("03:00", "bed_no_return")]
    assert home.last.fact("usual_s") == str(40 * 60)


def test_turning_over_is_not_getting_up(home):
    home.sleeps(15).lies().at("02:00").gets_up().after(seconds=30).lies_down().at("05:00")

    assert home.told == []


def test_who_gets_up_for_good_before_six_is_not_missed_in_bed(home):
    home.sleeps(15).lies().at("05:10").gets_up().at("05:15").moves_in("kitchen").at("07:00")

    assert home.told == []


def test_who_goes_out_at_night_is_somebody_elses_matter(home):
    home.sleeps(15).lies().at("02:00").gets_up().goes_out().at("04:00")

    assert home.told == []


def test_by_day_nobody_has_to_come_back_to_bed(home):
    home.sleeps(15).at("13:00").lies_down().at("14:00").gets_up().at("17:00")

    assert home.told == []


def test_a_mat_that_is_blind_tells_nothing(home):
    home.sleeps(15).lies().at("02:00").gets_up()
    bed = home.watch.detectors["bed"]
    mat = next(s.id for s in home.home.sensors if s.role.value == "bed")

    assert list(bed.tick(bed.due(), replace(home.context, blind=(mat,)))) == []


def test_who_is_not_up_an_hour_after_her_latest_morning_is_told(home):
    home.sleeps(15, up="08:20").lies().at("12:00")

    assert home.told == [("09:20", "not_up")]
    assert home.last.fact("usual_at") == "08:20"


def test_not_before_nine(home):
    home.sleeps(15).lies().at("12:00")

    assert home.told == [("09:00", "not_up")]


def test_while_few_mornings_are_known_two_hours_after(home):
    home.sleeps(5, up="08:20").lies().at("12:00")

    assert home.told[-1] == ("10:20", "not_up")


def test_in_bed_for_fourteen_hours_whatever_is_known(home):
    home.lies().at("13:00")

    assert home.told == [("11:30", "not_up")]


def test_without_a_mat_the_rooms_of_the_day_tell():
    home = Home.kit(*WITHOUT_MAT)
    for _ in range(15):
        home.at("06:30").moves_in("bedroom").moves_in("kitchen").at("21:30").moves_in("bedroom")
    home.at("03:00").moves_in("bathroom").moves_in("bedroom").at("11:00")

    assert home.told == [("09:00", "not_up")]


def test_who_slept_elsewhere_is_not_late(home):
    home.sleeps(15).at("18:00").goes_out().at("12:00")

    assert home.told == []


def test_a_morning_with_a_hole_is_not_judged():
    home = Home().plans(not_up="09:00").sleeps(1).lies().at("05:00").hub_goes_dark().at("06:00").hub_returns()
    home.at("10:00")

    assert home.told == []


def test_the_plan_says_by_when_she_is_up(home):
    home.plans(not_up="10:30").sleeps(3).lies().at("11:00")

    assert home.told == [("10:30", "not_up")]


def test_the_plan_switches_both_off(home):
    home.plans(not_up="off", bed_no_return="off").sleeps(15).lies().at("02:00").gets_up().at("04:00").lies_down()
    home.at("20:00")

    assert home.told == []
