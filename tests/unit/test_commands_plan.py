"""A household's plan at the terminal."""

from datetime import timedelta

import pytest
from test_commands import Terminal, shouwang  # noqa: F401 (a fixture)

from gateway.clock import SystemClock
from gateway.config import Refused

SOON = f"{SystemClock().now() + timedelta(days=60):%Y-%m-%d}"


@pytest.fixture
def town(shouwang) -> Terminal:  # noqa: F811
    shouwang("homes open h9 --name 王奶奶 --grid g-01")
    return shouwang


def test_a_plan_from_its_beginning_to_its_end(town):
    town("plan set g-01 bath_dwell 60 --grid --why 试点")
    town("plan set h9 bath_dwell 90 --why 慢", "--until", SOON)
    town("plan off h9 door_open --why 装修", "--until", SOON)

    listed = town("plan list h9")
    assert "bath_dwell                   60" in listed
    assert "(grid g-01)" in listed
    assert "bath_dwell                   90" in listed
    assert "door_open                    off" in listed

    town("plan end h9 bath_dwell --why 好了")
    assert "bath_dwell                   90" not in town("plan list h9")
    assert "bath_dwell                   90" in town("plan list h9 --all")


def test_an_absence_and_a_visit(town):
    assert town("plan visit h9", "mon,wed 09:00-11:00", "--why", "护工").strip() == "visit/1"
    assert town("plan visit h9 14:00-15:00 --why 送餐").strip() == "visit/2"
    with pytest.raises(Refused, match="An absence ends within 30 days"):
        town("plan absence h9 hospital --until 2099-01-01")
    town("plan silence h9 --hours 2 --alerts door_open --why 搬家")

    listed = town("plan list h9")
    assert "visit/1                      mon,wed 09:00-11:00" in listed
    assert "silence                      door_open" in listed


def test_everything_that_can_be_planned_is_named(town):
    keys = town("plan keys")

    assert "bath_dwell                       minutes 10..360         , off" in keys
    assert "<alert>.ack" in keys
    assert "absence" not in keys


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("plan set h9 bath_dwell lange --why x", "is a number from 10 to 360"),
        ("plan set h9 bath_dwell 90", "Please say why"),
        ("plan off h9 sos --why x", "'sos' is never switched off"),
        ("plan set h9 bath_dwel.ack 5 --why x", "A plan knows no 'bath_dwel.ack'"),
        ("plan set h9 bath_dwell 90 --why x --until morgen", "is no date"),
        ("plan list h9 --grid --area", "not both"),
        ("plan end h9 bath_dwell", "Nothing is planned"),
    ],
)
def test_what_was_asked_wrongly_is_answered_with_a_sentence(town, line, sentence):
    assert sentence in town.refused(line)
