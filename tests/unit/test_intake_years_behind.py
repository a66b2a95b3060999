"""A hub that was without power begins in the year it was made: what it says is news all the same."""

from datetime import datetime, timedelta

import pytest
from the_intake import Ear, iso, sensor, why

from gateway.domain import Kind, Role

DOOR = sensor("door", Role.EXIT_DOOR, 1)
YEARS = [timedelta(days=-400), timedelta(days=400)]


def an_ear_whose_hub_is(wrong: timedelta) -> Ear:
    """The gateway has heard for a while what time its hub believes it to be."""
    ear = Ear(DOOR)
    for _ in range(3):
        ear.after(minutes=6).hears("zigbee2mqtt/bridge/health", {"response_time": ms(ear.now + wrong)})
    ear.z2m("door", contact=True, last_seen=iso(ear.now + wrong))
    return ear


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize("wrong", YEARS)
def test_what_happens_now_is_told_at_its_time(wrong):
    ear = an_ear_whose_hub_is(wrong)

    ear.after(minutes=5)
    opened = ear.hears(
        "zigbee2mqtt/door", {"contact": False, "last_seen": iso(ear.now - timedelta(seconds=20) + wrong)}
    )

    (reading,) = [one for one in opened.readings if one.kind is Kind.DOOR]
    assert reading.at == ear.now - timedelta(seconds=20)
    assert not reading.is_undated
    assert not why(opened)


@pytest.mark.parametrize("wrong", YEARS)
def test_a_device_that_says_nothing_new_is_alive(wrong):
    ear = an_ear_whose_hub_is(wrong)
    ear.alive.clear()

    ear.after(minutes=5).z2m("door", contact=True, last_seen=iso(ear.now + wrong))

    assert [one.at for one in ear.alive] == [ear.now]


def test_what_is_old_by_the_hubs_own_clock_is_no_news():
    ear = an_ear_whose_hub_is(YEARS[0])

    told = ear.hears("zigbee2mqtt/door", {"contact": False, "last_seen": iso(ear.now - timedelta(days=430))})

    assert why(told) == ["too-old"]


def test_of_a_hub_whose_clock_is_right_an_old_word_is_old():
    ear = an_ear_whose_hub_is(timedelta(0))

    told = ear.hears("zigbee2mqtt/door", {"contact": False, "last_seen": iso(ear.now - timedelta(days=400))})

    assert why(told) == ["too-old"]
