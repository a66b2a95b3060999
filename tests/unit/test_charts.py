"""What the charts are drawn from: a sentence and a table, of one's own area and of homes that are one's own to see."""

from datetime import timedelta

import pytest
from pages_house import Rig

from gateway.domain import Duty, Kind, Outcome, Reading
from gateway.ports import Batch

ZH = {"accept-language": "zh"}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def tell(rig: Rig, kind: Kind, value: float, days_ago: float, sensor: str = "h1-m") -> None:
    at = rig.clock.now() - timedelta(days=days_ago)
    rig._arrival += 1
    reading = Reading("h1", sensor, "kitchen", kind, value, at, at, arrival=rig._arrival)
    rig.readings.commit(Batch(readings=[reading]))


def test_the_weeks_of_an_area(rig: Rig):
    alert = rig.press("h1")
    rig.clock.go_on(minutes=2)
    rig.desk.accept(alert.id, "liu", rig.clock.now())
    rig.desk.resolve(alert.id, "liu", Outcome.ASSISTANCE_GIVEN, "", rig.clock.now())

    page = rig.signed_in().get("/overview/1101/weeks", headers=ZH).text

    assert "11-16 起的一周，一半的报警在 2 分钟内接单" in page
    assert page.count('<tr><th scope="row">') == 2 * 13
    assert '<th scope="row">11-16</th><td>2</td>' in page


def test_days_tell_the_nights_the_outings_and_how_much_somebody_moved(rig: Rig):
    for days_ago in range(1, 6):
        tell(rig, Kind.MOTION, 1, days_ago + 0.02)  # 22:10
        tell(rig, Kind.MOTION, 1, days_ago - 0.35)  # 07:00
    page = rig.signed_in().get("/homes/h1/days", headers=ZH).text

    assert "平均每晚休息" in page
    assert "平常一天里有 2 个小时有活动" in page


def test_a_device_tells_of_its_battery_and_its_signal(rig: Rig):
    for days_ago, battery in ((60, 80), (30, 70), (1, 61)):
        tell(rig, Kind.BATTERY, battery, days_ago)
        tell(rig, Kind.LINK, 120, days_ago)
    page = rig.signed_in().get("/homes/h1/devices", headers=ZH).text

    assert "厨房感应" in page
    assert "电量 61 %，期初 80 %" in page
    assert "门磁" not in page, "it has told neither"
    assert "<td>70</td><td>120</td>" in page


def test_an_empty_home_says_so(rig: Rig):
    assert "新数据每十分钟汇总一次" in rig.signed_in().get("/homes/h1/devices", headers=ZH).text


@pytest.mark.parametrize(
    ("duty", "days", "devices", "weeks"),
    [
        (Duty.GRID_WORKER, 200, 200, 403),
        (Duty.INSTALLER, 403, 200, 403),
        (Duty.FAMILY, 403, 403, 403),
        (Duty.SUPERVISOR, 200, 200, 404),
    ],
)
def test_who_may_see_what(rig: Rig, duty: Duty, days: int, devices: int, weeks: int):
    browser = rig.signed_in("liu", duty, place="g1")

    assert browser.get("/homes/h1/days").status_code == days
    assert browser.get("/homes/h1/devices").status_code == devices
    assert browser.get("/overview/1101/weeks").status_code == weeks, "the community is more than the grid"
    assert browser.get("/homes/h3/days").status_code in (403, 404)
    assert browser.get("/homes/h3/devices").status_code in (403, 404)
