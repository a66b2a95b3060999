"""The map: homes where they are, areas where there are many, and nobody else's host is asked for its ground."""

from dataclasses import replace

import pytest
from pages_house import Rig, a_home
from pydantic import ValidationError

from dashboard import atlas
from dashboard.atlas import Atlas, Matter
from dashboard.county import County
from dashboard.overview import Overview
from dashboard.pages import Pages
from dashboard.tally import Tally
from dashboard.words import Tongue
from gateway.config import Settings
from gateway.domain import Position, Severity

ZH = Tongue("zh")


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.rename("h1", position=Position(30.25741, 120.20511))
    rig.rename("h2", position=Position(30.25755, 120.20533))
    rig.is_heard("h1", "h2", "h3")
    return rig


def drawn(rig: Rig, place: str = "1101"):
    overview = Overview(Pages(rig.house, None, None, rig.links), County(rig.house, Tally(rig.alerts)))  # type: ignore[arg-type]
    sight = overview.county.see(place, rig.clock.now())
    return Atlas(overview).spots(place, sight, ZH)


# --------------------------------------------------------------------------- positions


@pytest.mark.parametrize(
    "text", ["30.25741,120.20511", "30.25741, 120.20511", " 30.25741 120.20511 ", "30.25741，120.20511"]
)
def test_a_position_as_people_copy_it(text: str):
    assert Position.read(text) == Position(30.25741, 120.20511)
    assert Position.read(str(Position.read(text))) == Position.read(text)


@pytest.mark.parametrize(
    "text", ["杭州", "30.2", "120.20511, 30.25741", "91, 0", "0, 181", "nan, 1", "1e3, 2", "30;DROP"]
)
def test_what_is_none_is_refused(text: str):
    with pytest.raises(ValueError):
        Position.read(text)


def test_nobody_has_to_know_it():
    assert Position.read("  ") is None


# --------------------------------------------------------------------------- what is drawn


def test_each_home_stands_where_it_is_with_what_is_the_matter(rig: Rig):
    rig.press("h2", Severity.HIGH, "inactivity")

    spots, unknown = drawn(rig)

    assert [(spot.name, spot.matter, spot.calls, spot.href) for spot in spots] == [
        ("王奶奶", Matter.WELL, 0, "/homes/h1"),
        ("李爷爷", Matter.RINGING, 1, "/homes/h2"),
    ], "the worst last, so that it lies on top"
    assert unknown == 1


def test_a_home_that_is_not_heard_and_one_in_danger(rig: Rig):
    rig.clock.go_on(minutes=10)
    rig.press("h2")

    spots, _ = drawn(rig)

    assert [spot.matter for spot in spots] == [Matter.BLIND, Matter.EMERGENCY]


def test_many_homes_are_shown_by_area(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(atlas, "MANY", 2)
    now = rig.clock.now()
    with rig.registry.begin() as ledger:
        for number in (11, 12):
            home = a_home(number, "g2", f"住户{number}")
            ledger.put_home(replace(home, position=Position(30.3, 120.0 + number / 10)), now)
    rig.is_heard("h11", "h12")
    rig.press("h12")

    spots, _ = drawn(rig)

    first, second = spots
    assert (first.name, first.homes, first.matter, first.href) == ("g1", 2, Matter.WELL, "/map/g1")
    assert (second.name, second.homes, second.matter, second.calls) == ("g2", 2, Matter.EMERGENCY, 1)
    assert (second.position.latitude, second.position.longitude) == pytest.approx((30.3, 121.15))
    assert len(drawn(rig, "g2")[0]) == 2, "a grid always shows its homes"


# --------------------------------------------------------------------------- the page


def test_the_page_is_a_list_too_and_asks_nobody_else(rig: Rig):
    answer = rig.signed_in().get("/map/1101")

    assert 'data-latitude="30.25741" data-longitude="120.20511"' in answer.text
    assert "有 1 户没有坐标" in answer.text
    assert "img-src" not in answer.headers["content-security-policy"]


def test_tiles_may_come_from_one_host_and_only_onto_the_map():
    rig = Rig(more={"map_tiles": "https://tiles.example.org/{z}/{x}/{y}.png"})
    browser = rig.signed_in()

    policy = browser.get("/map").headers["content-security-policy"]
    assert policy.endswith("; img-src 'self' https://tiles.example.org")
    assert "tiles.example.org" not in browser.get("/overview").headers["content-security-policy"]


def test_another_areas_map_is_not_there(rig: Rig):
    browser = rig.signed_in(place="g1")
    assert "王奶奶" in browser.get("/map").text
    assert browser.get("/map/g2").status_code == browser.get("/map/nowhere").status_code == 404


def test_a_name_is_no_page(rig: Rig):
    rig.rename("h1", name="<img src=x onerror=alert(1)>")
    page = rig.signed_in().get("/map").text
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    "tiles",
    [
        "http://tiles.example.org/{z}/{x}/{y}.png",
        "https://tiles.example.org/{z}/{x}.png",
        "https://a.example https://b.example/{z}/{x}/{y}",
        "https://*; script-src */{z}/{x}/{y}",
    ],
)
def test_tiles_that_are_none_are_refused(tiles: str):
    with pytest.raises(ValidationError, match="https://"):
        Settings(map={"tiles": tiles})
    assert Settings(map={"tiles": "https://t.example.org:8443/{z}/{x}/{y}.png?k=1"}).map.tiles
