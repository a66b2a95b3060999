"""The front door: open too long, or not used for days."""

from dataclasses import replace

import pytest
from furnished import Furnished


class Home(Furnished):
    codes = ("door_open", "door_not_used")

    def lives(self, days: int, airs: int = 0) -> "Home":
        """So many days with an errand each, and the door open for a while."""
        for _ in range(days):
            self.at("09:00").moves_in("living").goes_out().after(minutes=40).comes_home()
            if airs:
                self.opens("door").after(minutes=airs).closes("door").moves_in("hall").after(minutes=2).moves_in(
                    "living"
                )
            self.at("20:00").moves_in("living")
        return self

    def stays_in(self, days: int) -> "Home":
        for _ in range(days):
            self.at("08:00").moves_in("kitchen").at("13:00").moves_in("living").at("19:00").moves_in("living")
        return self


@pytest.fixture
def home() -> Home:
    return Home.kit()


def test_a_door_left_open_by_day_is_told_after_a_quarter_of_an_hour(home):
    home.lives(15).at("10:00").moves_in("hall").opens("door").at("12:00")

    assert home.told == [("10:15", "door_open")]


def test_by_night_after_five_minutes(home):
    home.at("23:30").moves_in("hall").opens("door").at("02:00")

    assert home.told == [("23:35", "door_open")]


def test_a_door_that_stands_open_into_the_night(home):
    home.lives(15).at("21:55").moves_in("hall").opens("door").at("23:00")

    assert home.told == [("22:05", "door_open")]


def test_closing_it_in_time_is_no_news(home):
    home.lives(15).at("10:00").opens("door").at("10:14").closes("door").at("12:00")

    assert home.told == []


def test_where_doors_stand_open_every_day_nobody_is_called(home):
    home.lives(16, airs=25).at("10:00").moves_in("hall").opens("door").at("12:00")

    assert home.told == [("10:37", "door_open")]


def test_after_a_long_hole_nobody_knows_how_it_stands():
    home = Home().at("10:00").opens("door").at("10:05").hub_goes_dark().at("10:20").hub_returns().at("12:00")

    assert home.told == []


def test_somebody_at_home_who_has_not_used_the_door_for_two_days(home):
    home.lives(15).stays_in(4)

    assert home.told == [("09:40", "door_not_used")]
    assert home.last.fact("limit_s") == str(48 * 3600)


def test_in_the_first_weeks_three_days_later(home):
    home.lives(2).stays_in(3)

    assert home.told == []

    home.stays_in(2)

    assert home.told == [("09:40", "door_not_used")]


def test_who_stays_in_for_days_at_a_time_has_a_longer_limit(home):
    home.lives(15).stays_in(4).lives(1).stays_in(4)

    assert len(home.told) == 1


def test_who_is_away_does_not_use_the_door(home):
    home.lives(15).at("09:00").goes_out().after(days=6)

    assert home.told == []


@pytest.mark.parametrize("plan", [{"housebound": "yes"}, {"door_not_used": "off"}])
def test_the_plan_switches_it_off(home, plan):
    home.lives(15).plans(**plan).stays_in(5)

    assert home.told == []


def test_while_the_doors_sensor_is_blind_nothing_is_said(home):
    home.lives(15).stays_in(1)
    doors = home.watch.detectors["doors"]
    blind = replace(home.context, blind=tuple(home.home.exit_doors))

    assert list(doors.tick(doors.due(), blind)) == []
