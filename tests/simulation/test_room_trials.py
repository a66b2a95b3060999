"""Forty homes in which somebody falls, does not come back to bed or home, does not get up, walks out at night."""

import pytest
from the_trials import Figures, false, figures, lives_of

from simulators.trials import Lived, rooms

pytestmark = [pytest.mark.simulation, pytest.mark.slow]


@pytest.fixture(scope="module")
def homes() -> list[Lived]:
    return lives_of(rooms.run, rooms.HOMES)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("incident", "share", "typical", "late"),
    [
        ("fell by day", 0.98, 150, 300),
        ("fell in the bathroom", 0.8, 55, 120),
        ("fell out of bed at night", 0.9, 45, 50),
        ("did not get up", 0.98, 300, 360),
        ("went out at night", 0.98, 16, 16),
        ("left the door open", 0.98, 16, 30),
        ("did not use the door", 0.95, 4 * 24 * 60, 10 * 24 * 60),
        ("did not come home", 0.95, 9 * 60, 14 * 60),
        ("came home and fell in the hall", 0.9, 20, 20),
    ],
)
def test_what_happens_is_found_in_time(homes, incident, share, typical, late):
    found: Figures = figures(homes, incident)

    assert found.tried >= 30
    assert found.share >= share, found
    assert found.typical <= typical, found
    assert found.late <= late, found


@pytest.mark.timeout(900)
def test_long_wandering_is_found_on_most_nights(homes):
    found = figures(homes, "wandered at night")

    assert found.tried >= 10
    assert found.share >= 0.85, found


@pytest.mark.timeout(900)
def test_somebody_to_whom_nothing_happens_is_hardly_ever_told(homes):
    """In forty months at home, the first weeks among them; a wandering person does wander."""
    wrong = {code: false(homes, code) for code in rooms.CODES}

    assert max(wrong[code] for code in ("bath_dwell", "bed_no_return", "not_up", "night_exit", "door_open")) <= 1, wrong
    assert wrong["wandering"] == 0
    assert wrong["door_not_used"] <= 0.25 * rooms.HOMES
    assert wrong["inactivity"] <= 1.6 * rooms.HOMES * rooms.DAYS / 30, wrong
    assert max(wrong["not_returned"], wrong["entered_no_motion"]) <= 0.1 * rooms.HOMES, wrong
