"""The elders we model: the same seed lives the same day, and every day is one that a person could live."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from simulators.personas import PERSONAS, Activity, Persona

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 3, 2)

every_persona = pytest.mark.parametrize("persona", PERSONAS.values(), ids=PERSONAS)


def month_of(persona: Persona, seed: int = 3, zone: ZoneInfo = SHANGHAI):
    return [persona.day(seed, MONDAY + timedelta(days=n), zone) for n in range(28)]


def test_there_are_at_least_six_kinds_of_elder():
    assert len(PERSONAS) >= 6


@every_persona
def test_a_day_is_the_same_whichever_days_were_lived_before(persona):
    lived_through = month_of(persona)[20]

    assert persona.day(3, MONDAY + timedelta(days=20), SHANGHAI) == lived_through


@every_persona
def test_days_differ_from_one_another_and_seeds_too(persona):
    month = month_of(persona)

    assert len({tuple((s.room, s.activity, s.until - s.at) for s in day) for day in month}) == 28
    assert month != month_of(persona, seed=4)


@every_persona
def test_no_moment_of_a_month_is_missing_or_lived_twice(persona):
    stays = [stay for day in month_of(persona) for stay in day]

    assert all(before.until == after.at for before, after in pairwise(stays))
    assert all(stay.at < stay.until for stay in stays)


@every_persona
def test_nights_are_slept_in_believable_pieces(persona):
    for day in month_of(persona):
        night = [s for s in day if s.activity is Activity.SLEEP]
        slept = sum(((s.until - s.at) for s in night), timedelta())

        assert timedelta(hours=5) < slept < timedelta(hours=11.5)
        assert max(s.until - s.at for s in night) <= timedelta(hours=5)
        assert len(night) >= 2  # nobody sleeps through without getting up once


@every_persona
def test_everybody_eats_washes_and_uses_the_toilet_each_day(persona):
    for day in month_of(persona):
        done = [stay.activity for stay in day]

        assert done.count(Activity.EAT) == 3
        assert done.count(Activity.TOILET) >= 5
        assert Activity.WASH in done


def test_the_card_player_is_out_most_afternoons():
    out = [
        day
        for day in month_of(PERSONAS["card_player"])
        if any(s.activity is Activity.OUT and s.why == "打牌" for s in day)
    ]

    assert len(out) > 20


def test_the_grandchild_is_taken_to_school_on_weekdays_only():
    for day in month_of(PERSONAS["school_run"]):
        weekday = day[0].at.astimezone(SHANGHAI).weekday()
        went = any(s.why == "送孙女上学" for s in day)

        assert not (went and weekday >= 5)


def test_who_walks_about_at_night_sometimes_leaves_by_the_door():
    nights = [
        stay.at.astimezone(SHANGHAI).hour
        for day in month_of(PERSONAS["wanderer"])
        for stay in day
        if stay.why == "night"
    ]

    assert nights
    assert all(hour >= 21 or hour < 6 for hour in nights)


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)], ids=["clocks go forward", "clocks go back"])
def test_a_day_on_which_clocks_change_has_no_gap(day):
    new_york = ZoneInfo("America/New_York")
    persona = PERSONAS["gardener"]
    stays = [s for n in (-1, 0, 1) for s in persona.day(3, day + timedelta(days=n), new_york)]

    assert all(before.until == after.at for before, after in pairwise(stays))
