"""What the charts are drawn from: a sentence and a table, of one's own area and of homes that are one's own to see."""

from datetime import date, datetime, timedelta

import pytest
from pages_house import Rig

from gateway.domain import Duty, Kind, Outcome, Override, Reading
from gateway.keeping import Kept
from gateway.ports import Batch, Hour

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


class Mirror:
    """An InfluxDB that remembers what is long gone here, or is away."""

    def __init__(self) -> None:
        self.is_away = False
        self.asked: list[tuple[datetime, datetime]] = []

    def hours(self, home, since, until, kinds, sensor=""):
        self.asked.append((since, until))
        if self.is_away:
            raise ConnectionError("HTTP 503")
        mornings = [since + timedelta(days=1, hours=hour) for hour in (8, 9, 17)]
        return [Hour(f"{home}-m", Kind.MOTION, at, 4, 4.0, 1.0, 1.0) for at in mornings]


def test_years_that_are_long_gone_here_come_from_the_mirror():
    mirror = Mirror()
    rig = Rig(more={"history": mirror})
    tell(rig, Kind.MOTION, 1, 300)  # 2026-01-25
    browser = rig.signed_in()

    assert "2017</a>" in browser.get("/homes/h1/days", headers=ZH).text and not mirror.asked
    page = browser.get("/homes/h1/days?year=2020", headers=ZH).text
    assert "平常一天里有 3 个小时有活动" in page and '<th scope="row">01-02</th><td>3</td>' in page
    assert page.count('<th scope="row">') == 366

    mirror.asked.clear()
    page = browser.get("/homes/h1/days?year=2026", headers=ZH).text
    assert '<th scope="row">01-25</th><td>1</td>' in page and '<th scope="row">01-02</th><td>3</td>' in page
    assert mirror.asked[0][1].date() == date(2026, 1, 25), "what is kept here is read here"

    mirror.is_away = True
    page = browser.get("/homes/h1/days?year=2026", headers=ZH).text
    assert "长期数据（InfluxDB）暂时读不到" in page and '<th scope="row">01-25</th><td>1</td>' in page


def test_of_a_household_that_is_forgotten_sooner_the_mirror_tells_nothing():
    mirror = Mirror()
    rig = Rig(more={"history": mirror})
    with rig.registry.begin() as ledger:
        line = Override(
            home="h1", key=Kept.HOURS, value="60", since=rig.clock.now(), until=None, author="ma", reason="x"
        )
        ledger.put_override(line)
    assert "这一年没有数据" in rig.signed_in().get("/homes/h1/devices?year=2025", headers=ZH).text
    assert mirror.asked == []


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
