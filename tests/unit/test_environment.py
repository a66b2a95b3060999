"""Too cold, too hot: from what a thermometer says, for long enough, once a day."""

import pytest
from measured_home import Life, a_home, day

from detectors.environment import Environment
from gateway.domain import Kind, Severity
from gateway.ports import Context

T = Kind.TEMPERATURE


def living(**options) -> Life:
    home = a_home()
    return Life(Environment(home, **options), home)


def shows(life: Life, number: int, hours: range, value: float, sensor: str = "bed-air") -> None:
    for hour in hours:
        life.says(day(number, f"{hour:02}:00"), sensor, T, value)


def test_four_cold_hours_are_told():
    life = living()
    shows(life, 0, range(6), 9)
    shows(life, 0, range(6, 12), 4.4)

    (found,) = life.found
    assert (life.told, found.severity) == ([("05 10:00", "room_cold")], Severity.MEDIUM)
    assert (found.fact("room"), found.fact("limit"), found.fact("value")) == ("bedroom", "5", "4.4")
    assert found.fact("elapsed_s") == str(4 * 3600)


def test_a_heated_home_is_cold_much_sooner():
    life = living(heated=True)
    shows(life, 0, range(6), 13)

    assert life.told == [("05 04:00", "room_cold")]


def test_heat_is_told_too():
    life = living()
    shows(life, 0, range(10, 18), 36.5)

    assert life.told == [("05 14:00", "room_hot")]


def test_an_aired_room_is_no_cold_home():
    life = living()
    shows(life, 0, range(3), 3)
    shows(life, 0, range(3, 4), 12)
    shows(life, 0, range(4, 7), 3)

    assert life.told == []


def test_once_a_day_and_no_oftener():
    life = living()
    for number in range(3):
        shows(life, number, range(24), 2)

    assert life.told == [("05 04:00", "room_cold"), ("06 04:00", "room_cold"), ("07 04:00", "room_cold")]


def test_a_balcony_may_be_cold():
    life = living()
    shows(life, 0, range(24), -3, sensor="balcony-air")

    assert life.told == []


def test_a_thermometer_that_shows_the_same_need_only_be_alive():
    life = living()
    life.says(day(0, "00:00"), "bed-air", T, 3)
    for hour in range(1, 6):
        life.says(day(0, f"{hour:02}:00"), "bed-air", Kind.ALIVE)

    assert life.told == [("05 04:00", "room_cold")]


def test_one_that_fell_silent_tells_nothing():
    life = living()
    life.says(day(0, "00:00"), "bed-air", T, 3)
    life.says(day(0, "09:00"), "bed-air", T, 3)

    assert life.told == []


def test_nobody_freezes_in_a_home_declared_empty():
    life = living()
    life.context = Context(plan={"absence": "daughter"})
    shows(life, 0, range(24), 2)

    assert life.told == []


@pytest.mark.parametrize(("plan", "told"), [("10", 1), ("off", 0), ("a little", 0)])
def test_the_plan_of_a_household_has_the_last_word(plan, told):
    life = living()
    life.context = Context(plan={"room_cold": plan})
    shows(life, 0, range(8), 8)

    assert len(life.found) == told


def test_what_is_usual_is_learnt_over_days():
    life = living()
    for number in range(4):
        shows(life, number, range(24), 16)
    shows(life, 4, range(6), 3)

    assert life.found[0].fact("usual") == "16.0"


def test_a_thermometer_that_supervision_does_not_believe_is_not_believed():
    life = living()
    life.context = Context(blind=("bed-air",))
    shows(life, 0, range(12), 2)

    assert life.told == []


def test_a_thermometer_that_tells_the_humidity_first_is_believed_when_it_is_warm_again():
    """One message says both; whichever comes first, the temperature of it counts."""
    life = living()
    for hour, degrees in enumerate([4.0] * 6 + [18.0] * 40):
        at = day(hour // 24, f"{hour % 24:02}:00")
        life.says(at, "bed-air", Kind.HUMIDITY, 60)
        life.says(at, "bed-air", T, degrees)

    assert life.told == [("05 04:00", "room_cold")]
