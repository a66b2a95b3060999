"""Every finding can say why: how long, the limit, and what is usual, in numbers; the same input says the same words."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import pytest
from test_detectors_at_home import BEGIN, CONTEXT, UNTIL, household, life

from alerts.wording import explain
from detectors import DETECTORS, Watch
from gateway.domain import SIGNS_OF_LIFE, Finding, Reading, Severity
from simulators.household import furnish
from simulators.recordings import pass_time

TOLD_AT_ONCE = frozenset({"sos", "assist", "smoke", "gas", "co", "leak", "fall", "self_test", "tamper", "battery_low"})
"""What is told from the reading itself: nothing has lasted, and no limit was waited for."""

BY_HABIT = frozenset({"inactivity", "not_returned", "bath_dwell", "bed_no_return", "not_up", "wandering", "trend_note"})
"""What is held against what is usual here; what is usual is said as soon as it is known."""


def then_silence(persona: str) -> Iterator[Reading]:
    """Nine rough days, then three in which the devices go on and nobody moves."""
    yield from life(persona)
    for reading in household(persona).readings(UNTIL, UNTIL + timedelta(days=3), alive=True):
        if reading.kind not in SIGNS_OF_LIFE:
            yield reading


def found_by(watch: Watch, readings: Iterator[Reading]) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for reading in readings:
        found += pass_time(watch, reading.at, CONTEXT)
        found += watch.observe(reading, CONTEXT)
    return tuple(found)


def a_watch(persona: str) -> Watch:
    home = household(persona).home
    return Watch(home, {name: kind(home) for name, kind in DETECTORS.items()})


@cache
def rough_days(persona: str) -> tuple[Finding, ...]:
    return found_by(a_watch(persona), then_silence(persona))


@cache
def a_change() -> tuple[Finding, ...]:
    """Six weeks with somebody who is up at night now and then, and a week with somebody who always is."""
    calm, restless = (furnish("h1", name, seed=3, interval=None) for name in ("gardener", "night_visitor"))
    watch = Watch(calm.home, {"trend": DETECTORS["trend"](calm.home)})
    changes = BEGIN + timedelta(days=42)
    readings = (*calm.readings(BEGIN, changes), *restless.readings(changes, changes + timedelta(days=8)))
    return found_by(watch, iter(readings))


def all_found() -> tuple[Finding, ...]:
    return (*rough_days("wanderer"), *rough_days("night_visitor"), *a_change())


def test_these_days_give_much_to_explain():
    assert {"inactivity", "bath_dwell", "night_exit", "door_open", "not_up", "trend_note"} <= {
        found.code for found in all_found()
    }


def test_every_finding_says_how_long_and_what_the_limit_was():
    for found in all_found():
        facts = dict(found.facts)
        if found.code in TOLD_AT_ONCE:
            continue
        assert facts["elapsed_s"].isdecimal(), found
        if found.severity is not Severity.TECHNICAL:
            assert facts.keys() & {"limit_s", "limit_at", "limit"}, found


def test_what_is_held_against_a_habit_says_what_is_usual():
    for code in BY_HABIT & {found.code for found in all_found()}:
        last = [found for found in all_found() if found.code == code][-1]

        assert any(name.startswith("usual") for name, _ in last.facts), last


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_finding_is_put_into_words_with_a_number_in_them(language):
    home = household("wanderer").home
    for found in all_found():
        words = " ".join(explain(found, language, home.zone, home))

        assert any(sign.isdigit() for sign in words), found


def test_the_same_input_gives_the_same_words_byte_for_byte():
    zone = household("wanderer").home.zone
    again = found_by(a_watch("wanderer"), then_silence("wanderer"))
    for language in ("zh", "en"):
        said, said_again = (
            [explain(found, language, zone) for found in some] for some in (rough_days("wanderer"), again)
        )

        assert said == said_again
