"""Out at night, restless at night."""

from dataclasses import replace
from datetime import timedelta

import pytest
from furnished import Furnished

from gateway.domain import Kind, Reading, Role, Severity


class Home(Furnished):
    codes = ("night_exit", "wandering")

    def goes_to_market(self, days: int, clock: str = "04:10") -> "Home":
        for _ in range(days):
            self.at("22:00").moves_in("living").at(clock).moves_in("hall").goes_out().after(minutes=50).comes_home()
        return self

    def wanders(self, rooms: int) -> "Home":
        for n in range(rooms):
            self.after(seconds=80).is_seen_once_in(("bedroom", "hall", "living", "hall", "kitchen", "hall")[n % 6])
        return self

    def quiet_nights(self, nights: int) -> "Home":
        for _ in range(nights):
            self.at("22:30").moves_in("bedroom").at("02:00").moves_in("bathroom").moves_in("bedroom")
        return self

    @property
    def severity(self) -> Severity:
        return next(f for f in reversed(self.findings) if f.code in ("night_exit", "wandering")).severity


@pytest.fixture
def home() -> Home:
    return Home.kit()


def test_who_goes_out_at_two_and_does_not_come_back_is_told_after_a_quarter_of_an_hour(home):
    home.at("22:30").moves_in("living").at("02:00").goes_out().at("04:00")

    assert home.told == [("02:15", "night_exit")]
    assert home.severity is Severity.HIGH


def test_with_dementia_it_is_an_emergency(home):
    home.plans(dementia="yes").at("22:30").moves_in("living").at("02:00").goes_out().at("04:00")

    assert home.severity is Severity.EMERGENCY


def test_coming_back_in_time_is_no_news(home):
    home.at("22:30").moves_in("living").at("02:00").goes_out().at("02:08").comes_home().at("04:00")

    assert home.told == []


def test_opening_the_door_and_staying_in_is_no_exit(home):
    home.at("22:30").moves_in("living").at("02:00").opens("door").closes("door").at("02:02").moves_in("hall").at(
        "04:00"
    )

    assert home.told == []


def test_a_lone_pulse_in_an_empty_home_is_nobody(home):
    home.at("22:30").moves_in("living").at("02:00").goes_out().at("02:10").is_seen_once_in("kitchen").at("04:00")

    assert home.told == [("02:15", "night_exit")]


def test_a_door_that_is_heard_of_late_is_no_exit_if_somebody_was_seen_since(home):
    home.at("22:30").moves_in("living").at("02:05").moves_in("hall")
    door, at = next(s for s in home.home.sensors if s.role is Role.EXIT_DOOR), home.now - timedelta(minutes=4)
    home.watch.observe(Reading(home.home.id, door.id, door.room, Kind.DOOR, 1, at, home.now), home.context)
    home.at("04:00")

    assert home.told == []


def test_coming_home_late_and_going_straight_to_sleep_is_no_exit(home):
    home.at("19:00").moves_in("living").goes_out().at("23:40").opens("door").closes("door").at("03:00")

    assert home.told == []


def test_a_guest_leaves_while_she_lies_in_bed(home):
    home.at("22:30").lies_down().at("23:10").opens("door").closes("door").at("03:00")

    assert home.told == []


def test_before_eleven_and_after_half_past_four_people_go_out(home):
    home.at("20:00").moves_in("living").at("22:50").goes_out().at("23:40").comes_home()
    home.at("04:40").moves_in("hall").goes_out().at("07:00")

    assert home.told == []


def test_the_morning_market_becomes_a_habit(home):
    home.goes_to_market(8)

    assert home.told == [("04:25", "night_exit")] * 3


def test_with_dementia_nothing_becomes_a_habit(home):
    home.plans(dementia="yes").goes_to_market(6)

    assert home.told == [("04:25", "night_exit")] * 6


def test_after_a_long_hole_nobody_knows_who_is_out():
    home = (
        Home()
        .at("22:30")
        .moves_in("living")
        .at("02:00")
        .goes_out()
        .hub_goes_dark()
        .at("02:20")
        .hub_returns()
        .at("04:00")
    )

    assert home.told == []


def test_while_nothing_sees_nothing_is_said(home):
    home.at("22:30").moves_in("living").at("02:00").goes_out()
    night = home.watch.detectors["night"]
    blind = tuple(s.id for s in home.home.sensors if s.role.value in ("motion", "bed"))

    assert list(night.tick(night.due(), replace(home.context, blind=blind))) == []


def test_walking_from_room_to_room_is_told_once_a_night(home):
    home.quiet_nights(15).at("02:00").wanders(30)

    assert [code for _, code in home.told] == ["wandering"]
    assert home.severity is Severity.MEDIUM
    assert home.last.fact("count") == "10"


def test_visits_to_the_bathroom_are_not_wandering(home):
    home.quiet_nights(15).at("01:00")
    for _ in range(4):
        home.after(minutes=15).moves_in("hall").moves_in("bathroom").moves_in("hall").moves_in("bedroom")

    assert home.told == []


def test_to_and_fro_between_two_sensors_is_not_wandering(home):
    home.quiet_nights(15).at("01:00")
    for n in range(40):
        home.after(seconds=50).is_seen_once_in(("hall", "living")[n % 2])

    assert home.told == []


def test_in_the_first_nights_more_is_allowed_but_not_with_dementia(home):
    home.at("02:00").wanders(20)

    assert home.told == []

    home.plans(dementia="yes").at("02:00").wanders(20)

    assert [code for _, code in home.told] == ["wandering"]
    assert home.severity is Severity.HIGH


@pytest.mark.parametrize("plan", [{"wandering": "off"}, {"second_person": "yes"}])
def test_the_plan_switches_it_off(home, plan):
    home.quiet_nights(15).plans(**plan).at("02:00").wanders(30)

    assert home.told == []
