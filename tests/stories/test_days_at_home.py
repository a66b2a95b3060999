"""What a home's watch makes of a day."""

from datetime import date, time, timedelta

import pytest

from gateway.domain import Kind
from simulators.story import Story


def test_a_morning_without_a_sound(story):
    story.at("08:05").moves_in("kitchen")
    story.at("13:00")

    assert story.told == [("11:05", "inactivity")]


def test_a_press_is_told_at_once(story):
    story.at("03:12").presses("sos")

    assert story.told == [("03:12", "sos")]


def test_a_press_that_comes_late_says_how_late(story):
    story.at("09:30").presses("sos", minutes_ago=25)

    assert story.told == [("09:30", "sos")]
    assert story.findings[0].fact("late_s") == "1500"


def test_who_is_out_at_the_market_is_left_alone(story):
    story.at("08:00").moves_in("kitchen")
    story.at("08:20").goes_out()
    story.at("12:30").comes_home()

    assert story.told == []


def test_who_does_not_come_back_is_missed(story):
    story.at("08:00").moves_in("kitchen")
    story.at("08:20").goes_out()
    story.at("21:00")

    assert [code for _, code in story.told] == ["not_returned"]


def test_sun_on_a_curtain_is_no_sign_of_life(story):
    story.at("08:00").moves_in("kitchen")
    story.at("09:00").is_seen_once_in("living")
    story.at("10:30").is_seen_once_in("living")
    story.at("12:00")

    assert story.told == [("11:00", "inactivity")]


def test_a_battery_that_reports_is_no_sign_of_life(story):
    story.at("08:00").moves_in("kitchen")
    story.at("10:59").reports(Kind.BATTERY, 97)
    story.at("12:00")

    assert story.told == [("11:00", "inactivity")]


def test_tea_in_the_kitchen_is(story):
    story.at("08:00").moves_in("kitchen")
    story.at("10:40").boils_water()
    story.at("13:00")

    assert story.told == []


def test_a_night_in_bed_with_one_visit_to_the_bathroom(story):
    story.at("21:30").lies_down()
    story.at("02:10").gets_up().moves_in("bathroom").lies_down()
    story.at("06:30").gets_up().moves_in("kitchen")

    assert story.told == []


def test_an_evening_nobody_gets_up_from(story):
    story.at("20:40").sits_down()
    story.at("03:00")

    assert story.told == [("02:40", "inactivity")]


def test_a_dark_hub_is_not_a_silent_home(story):
    story.at("08:00").moves_in("kitchen")
    story.at("09:00").hub_goes_dark()
    story.at("14:00")

    assert story.told == [("09:03", "home_silent"), ("09:30", "home_silent")]


def test_a_hub_that_returns_finds_her_well(story):
    story.at("08:00").moves_in("kitchen")
    story.at("09:00").hub_goes_dark()
    story.at("09:20").hub_returns().moves_in("living")
    story.at("10:00").opens("fridge").closes("fridge")
    story.at("12:00")

    assert story.told == [("09:03", "home_silent")]


def test_smoke_is_told_at_once(story):
    story.at("17:45").smoke_rises()

    assert story.told == [("17:45", "smoke")]


def test_limits_are_options():
    story = Story(options={"inactivity": {"learns": False, "by_day": timedelta(hours=2)}})
    story.at("08:05").moves_in("kitchen")
    story.at("13:00")

    assert story.told == [("10:05", "inactivity")]


def test_a_story_may_begin_on_any_day_and_time_only_goes_forward():
    story = Story(day=date(2026, 7, 1), begins=time(22))
    story.at("07:30").moves_in("kitchen")

    assert story.now.astimezone(story.home.zone).date() == date(2026, 7, 2)


def test_what_is_not_in_the_home_cannot_be_used(story):
    with pytest.raises(LookupError, match=r"no 'piano' in this story; there are door, fridge"):
        story.opens("piano")
    with pytest.raises(LookupError, match=r"home story has no motion sensor in 'attic'"):
        story.moves_in("attic")
