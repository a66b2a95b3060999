"""Homes in which life changes slowly: what is noted, how soon, and what is noted where nothing has changed."""

import msgspec
import pytest
from the_trials import false, figures, lives_of

from simulators.trials import Lived, decline

pytestmark = [pytest.mark.simulation, pytest.mark.slow]

DAY = 24 * 60


@pytest.fixture(scope="module")
def homes() -> list[Lived]:
    return lives_of(decline.run, decline.HOMES)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "share"), [("up at night", 0.9), ("sits all day", 0.85), ("goes out no more", 0.6)])
def test_a_slow_decline_is_noted_within_three_weeks(homes, name, share):
    found = figures(homes, name)

    assert found.share >= share, found
    assert found.typical <= 8 * DAY


@pytest.mark.timeout(900)
def test_where_nothing_changes_hardly_anything_is_noted(homes):
    """In ten years of ordinary days."""
    assert false(homes, "trend_note") <= 10


def test_its_state_is_small():
    _, watch = decline.calm(0)

    assert len(msgspec.msgpack.encode(watch.checkpoint()["detectors"]["trend"])) <= 450
