"""Seeded homes with a water meter and a thermometer, and persons with a cuff: found, missed, and told for nothing."""

from itertools import pairwise

import pytest
from the_trials import false, figures, lives_of

from gateway.domain import Severity
from simulators.trials import Lived, climate, vitals, water
from simulators.trials.vitals import Measured, of_vitals, pages

pytestmark = [pytest.mark.simulation, pytest.mark.slow]

HOUR = 60


# --------------------------------------------------------------------------- water


@pytest.fixture(scope="module")
def homes() -> list[Lived]:
    return lives_of(water.run, water.HOMES)


@pytest.mark.timeout(900)
def test_homes_where_nothing_happens_are_left_in_peace_and_so_are_days_at_the_daughters(homes):
    months = water.HOMES * water.DAYS / 30

    assert sum(false(homes, code) for code in ("water_low", "water_high", "water_trickle")) / months <= 0.1


def test_whoever_draws_no_more_water_at_home_is_found_within_a_day(homes):
    found = figures(homes, "draws no more water at home")

    assert found.share >= 0.9, found
    assert found.typical <= 22 * HOUR
    assert found.latest <= 36 * HOUR


def test_a_burst_pipe_is_told_when_two_cubic_metres_have_run(homes):
    assert figures(homes, "a pipe bursts").share == 1


def test_a_drip_is_told_after_a_day(homes):
    found = figures(homes, "a tap drips")

    assert found.share == 1
    assert found.latest <= 24 * HOUR + 31


# --------------------------------------------------------------------------- vital signs


@pytest.fixture(scope="module")
def people() -> list[Measured]:
    return [of_vitals(seed) for seed in range(vitals.HOMES)]


def test_whoever_turns_ill_is_told_with_the_next_two_measurements():
    lives = [vitals.run(seed) for seed in range(vitals.HOMES)]
    told = [one.after is not None and one.after.total_seconds() <= 26 * 3600 for life in lives for one in life.tried]

    assert sum(told) >= 0.97 * vitals.HOMES


def test_whoever_is_very_ill_is_told_as_such(people):
    severe = [one for one in people if any(f.severity is Severity.HIGH for f in one.ill if f.at >= one.ill_at)]

    assert len(severe) >= 0.9 * vitals.HOMES


def test_a_slipped_cuff_calls_nobody(people):
    """Of those whose own values are well within the limits; who lives at the edge of them needs a plan."""
    calls = [len(pages(one.well)) for one in people]
    months = vitals.HOMES * vitals.MEASURED_DAYS / 30

    assert sum(calls) / months <= 0.1, calls
    assert sum(1 for one in people for f in one.well if f.severity is Severity.CARE) / months <= 0.5


def test_times_only_go_forward(people):
    wet = [water.of_water(seed).untouched for seed in range(4)]
    for found in [*wet, *(one.ill for one in people)]:
        assert all(one.at <= other.at for one, other in pairwise(found))


# --------------------------------------------------------------------------- rooms


def test_what_fails_is_told_after_four_bad_hours_and_an_open_window_is_not():
    rooms = lives_of(climate.run, climate.HOMES)
    cold, hot = (figures(rooms, season.incident) for season in (climate.WINTER, climate.SUMMER))

    assert cold.share == hot.share == 1
    assert cold.latest <= 6 * HOUR
    assert hot.late <= 10 * HOUR  # a morning's airing cools the room for an hour
    assert (false(rooms, "room_cold"), false(rooms, "room_hot")) == (0, 0)
