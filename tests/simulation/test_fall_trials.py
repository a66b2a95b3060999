"""Thirty homes with a radar in the bathroom and a watch on the wrist: who falls, who only knocks on the table."""

import pytest
from the_trials import false, figures, lives_of

from simulators.trials import Lived, falls

pytestmark = [pytest.mark.simulation, pytest.mark.slow]


@pytest.fixture(scope="module")
def homes() -> list[Lived]:
    return lives_of(falls.run, falls.HOMES)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("how", "found", "urgent", "within"),
    [
        ("anywhere, with a watch", 0.75, 0.75, 70),
        ("in the bathroom, no watch", 0.98, 0.95, 70),
        ("in the bathroom, with a watch", 0.98, 0.95, 10),
    ],
)
def test_who_falls_is_found_and_who_lies_there_is_an_emergency(homes, how, found, urgent, within):
    told = figures(homes, f"falls {how}", "fall")
    worst = figures(homes, f"falls {how}", falls.URGENTLY)

    assert told.tried == falls.HOMES * len(falls.TRIED_ON)
    assert told.share >= found, told
    assert worst.share >= urgent, worst
    assert 60 * worst.typical <= within


@pytest.mark.timeout(900)
def test_of_a_hundred_knocks_hardly_two_are_asked_about(homes):
    """420 days at home with 2,520 knocks and 420 suspicions of a radar, and nobody who answers when asked."""
    assert false(homes, "fall") <= 50
    assert false(homes, falls.URGENTLY) <= 42
