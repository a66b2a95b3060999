"""Every finding can say why: how long, the limit, what is usual, by what, in numbers; the same input says the same."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from whole_home import live, readings, whole_home

from alerts.catalogue import ENTRIES
from alerts.wording import USUAL, explain
from detectors import watch_over
from gateway.domain import Finding

TOLD_AT_ONCE = {"sos", "assist", "smoke", "gas", "co", "leak", "tamper", "battery_low", "device_flood"}
"""What is told from the word of a device itself: no limit was waited for."""

OF_NO_HABIT = TOLD_AT_ONCE | {"fall", "device_chatter", "device_faulty", "power_fail", "hub_clock"}
"""What is held against no habit: nobody usually presses the button, falls, or lives on the hub's battery."""

NOT_FOUND_IN_A_HOME = {"visit_due", "area_outage", "no_responder", "detector_failed", "test"}
"""What no detector finds: it is told of areas, of duty sheets, of ourselves, or asked for by a person."""

DETECTION = Path(__file__).parents[2] / "docs" / "detection.md"


@cache
def all_found() -> tuple[Finding, ...]:
    home = whole_home()
    return tuple(live(watch_over(home), readings()))


def of(codes: Iterable[str]) -> list[Finding]:
    return [found for found in all_found() if found.code in codes]


def test_these_weeks_give_everything_to_explain():
    codes = {entry.code for entry in ENTRIES if not entry.code.startswith("gateway_")} - NOT_FOUND_IN_A_HOME

    assert codes <= {found.code for found in all_found()}


def test_every_finding_says_how_long_and_what_the_limit_was():
    for found in all_found():
        facts = dict(found.facts)
        if found.code in TOLD_AT_ONCE:
            continue
        assert facts["elapsed_s"].isdecimal(), found
        assert any(facts.get(name) for name in ("limit_s", "limit_at", "limit")), found


def test_every_finding_that_is_held_against_a_habit_says_what_is_usual():
    for found in all_found():
        names = {name for name, _ in found.facts}

        assert bool(names & USUAL) is (found.code not in OF_NO_HABIT), found


def test_after_three_weeks_it_is_known_what_is_usual():
    """An empty one says that nobody knows it yet; no rule says so for ever."""
    for code in {found.code for found in all_found()} - OF_NO_HABIT:
        assert any(value for found in of({code}) for name, value in found.facts if name in USUAL), code


def test_what_is_not_known_yet_is_said_so():
    (found,) = of({"vital"})[-1:]

    assert found.fact("kind") == "heart_rate"
    assert "What is usual is not known yet." in explain(found, "en", whole_home().zone)


def test_every_finding_names_by_what_it_was_found():
    """When the last reading came that it rests on; of a slow change the counts of the days."""
    for found in all_found():
        if found.code == "trend_note":
            assert len(found.fact("days").split(",")) == 3
        else:
            assert datetime.fromisoformat(found.fact("last_at")) <= found.at, found


def test_where_nothing_is_usual_the_page_says_so():
    page = DETECTION.read_text(encoding="utf-8").partition("## Explanations")[2]

    assert all(f"`{code}`" in page for code in OF_NO_HABIT)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_finding_is_put_into_words_with_a_number_in_them(language):
    home = whole_home()
    for found in all_found():
        words = " ".join(explain(found, language, home.zone, home))

        assert any(sign.isdigit() for sign in words), found
        assert "{" not in words, found


def test_the_same_input_gives_the_same_words_byte_for_byte():
    zone = whole_home().zone
    again = live(watch_over(whole_home()), readings())
    for language in ("zh", "en"):
        assert [explain(one, language, zone) for one in again] == [explain(one, language, zone) for one in all_found()]
