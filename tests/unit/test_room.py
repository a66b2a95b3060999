"""Too long in the bathroom, told by a home that lives through it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from furnished import Furnished

from gateway.domain import Role


class Home(Furnished):
    codes = ("bath_dwell",)

    def bathes(self, minutes: int) -> "Home":
        self.moves_in("bathroom")
        for _ in range(minutes // 5):
            self.after(minutes=5).is_seen_once_in("bathroom")
        return self.moves_in("bedroom")

    def lives(self, days: int, minutes: int = 10) -> "Home":
        for _ in range(days):
            self.at("08:00").moves_in("kitchen").at("09:00").bathes(minutes).at("21:00").moves_in("living")
        return self


@pytest.fixture
def home() -> Home:
    return Home.kit()


def test_whoever_does_not_come_out_is_told_at_45_minutes(home):
    home.lives(15).at("09:00").moves_in("bathroom").at("12:00")

    assert home.told == [("09:45", "bath_dwell")]


def test_a_home_that_is_not_known_yet_waits_twice_as_long(home):
    home.at("09:00").moves_in("bathroom").at("12:00")

    assert home.told == [("10:30", "bath_dwell")]


def test_coming_out_in_time_is_no_news(home):
    home.lives(15).at("09:00").moves_in("bathroom").at("09:40").moves_in("living").at("12:00")

    assert home.told == []


def test_in_the_evening_people_bathe(home):
    home.lives(15).at("20:30").moves_in("bathroom").at("23:00")

    assert home.told == [("21:30", "bath_dwell")]


def test_who_always_takes_long_has_a_longer_limit(home):
    home.lives(16, minutes=50).at("09:00").moves_in("bathroom").at("12:00")

    assert home.told == [("10:15", "bath_dwell")]
    assert home.last.fact("usual_s") == str(50 * 60)


def test_who_still_moves_there_has_twice_as_long(home):
    home.lives(15).at("09:00").moves_in("bathroom")
    for _ in range(24):
        home.after(minutes=5).is_seen_once_in("bathroom")

    assert home.told == [("10:30", "bath_dwell")]


def test_whoever_has_left_the_home_is_not_in_the_bathroom(home):
    home.lives(15).at("09:00").moves_in("bathroom").goes_out()
    home.is_seen_once_in("bathroom").at("12:00")  # it sees the front door close

    assert home.told == []


def test_who_lies_in_bed_is_not_in_the_bathroom_whatever_moves_there(home):
    home.lives(15).at("22:30").lies_down().at("23:00").moves_in("bathroom").at("03:00")

    assert home.told == []


def test_a_kettle_that_switches_itself_off_is_nobody(home):
    home.lives(15).at("08:59").opens("kettle").at("09:00").moves_in("bathroom").at("09:05").closes("kettle").at("12:00")

    assert home.told == [("09:45", "bath_dwell")]


def test_the_sun_in_the_bathroom_at_night_is_nobody(home):
    home.lives(15).at("02:00").is_seen_once_in("bedroom").is_seen_once_in("bathroom").at("06:00")

    assert home.told == []


def test_with_a_cat_one_pulse_elsewhere_is_not_enough(home):
    home.lives(15).plans(pet="yes").at("09:00").moves_in("bathroom").at("09:20").is_seen_once_in("kitchen").at("12:00")

    assert home.told == [("09:45", "bath_dwell")]


def test_the_plan_sets_the_limit_or_switches_it_off(home):
    home.plans(bath_dwell="30").at("09:00").moves_in("bathroom").at("10:00")
    home.plans(bath_dwell="off").moves_in("kitchen").at("11:00").moves_in("bathroom").at("14:00")

    assert home.told == [("09:30", "bath_dwell")]


def test_a_short_hole_moves_the_deadline_and_a_long_one_forgets():
    home = Home().plans(bath_dwell="30").at("08:50").moves_in("kitchen")
    home.at("09:00").moves_in("bathroom").at("09:10").hub_goes_dark().at("09:15").hub_returns().at("09:50")
    home.moves_in("kitchen").at("10:00").moves_in("bathroom").at("10:10").hub_goes_dark().at("10:25").hub_returns()
    home.at("11:00")

    assert home.told == [("09:35", "bath_dwell")]


def test_while_the_bedroom_cannot_be_seen_nothing_is_said(home):
    unseen = [s.id for s in home.home.sensors if s.room == "bedroom" and s.role in (Role.MOTION, Role.BED)]
    home.lives(15)
    dwell = home.watch.detectors["room"]
    home.at("09:00").moves_in("bathroom")
    due = dwell.due()

    assert list(dwell.tick(due, replace(home.context, blind=tuple(unseen)))) == []
    assert dwell.due() == due + timedelta(minutes=5)


def test_while_the_kitchen_cannot_be_seen_it_takes_twice_as_long(home):
    blind = (next(s.id for s in home.home.sensors if s.room == "kitchen" and s.role is Role.MOTION),)
    home.lives(15).at("09:00").moves_in("bathroom")
    dwell = home.watch.detectors["room"]
    since, context = dwell.state.since, replace(home.context, blind=blind)

    assert list(dwell.tick(dwell.due(), context)) == []
    (told,) = dwell.tick(dwell.due(), context)
    assert told.at - since == timedelta(minutes=90)
    assert told.blind == blind


def test_a_home_without_eyes_in_the_bedroom_cannot_tell():
    home = Home.kit("entry/door", "living/motion", "kitchen/motion", "bathroom/motion")
    home.plans(bath_dwell="30").at("22:00").moves_in("bathroom").at("04:00")

    assert home.told == []
