"""Areas and grids are opened, renamed, moved and closed, and nobody is left behind in what is closed."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from pages_house import EVENING, a_home
from test_commands import Terminal

from gateway.config import Refused
from gateway.domain import Area, Duty, Grid, Person, Scope
from gateway.domain.rota import Shift
from gateway.places import Places
from gateway.registry import RegistrationError, Registry
from gateway.stores.memory import MemoryAlerts, MemoryRegistry, MemoryTrail
from gateway.stores.roll import STANDARD_ZONE

BY = {"who": "chief", "now": EVENING}
STREET = Area(code="1100", name="东风街道", level="street")


class Town:
    """A community with two grids and three households, and who works in the first; without any page."""

    def __init__(self) -> None:
        trail = MemoryTrail()
        self.alerts, self.registry = MemoryAlerts(trail), MemoryRegistry(trail)
        self.registrar = Registry(self.registry, str)
        with self.registry.begin() as ledger:
            ledger.put_area(Area(code="1101", name="东风社区", level="community"), EVENING)
            for grid in ("g1", "g2"):
                ledger.put_grid(Grid(code=grid, name=grid, community="1101"))
            for person, duty in (("liu", Duty.GRID_WORKER), ("he", Duty.DEPUTY)):
                ledger.put_person(Person(id=person, name=person), EVENING)
                ledger.assign(person, duty, "g1", EVENING - timedelta(days=1))
            for number, grid in ((1, "g1"), (2, "g1"), (3, "g2")):
                ledger.put_home(a_home(number, grid, f"奶奶{number}"), EVENING)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def places(town) -> Places:
    return Places(town.registry)


def refusal(do) -> str:
    with pytest.raises(RegistrationError) as refused:
        do()
    return str(refused.value)


def test_a_street_is_laid_around_a_community(town, places):
    places.open(STREET, **BY)
    places.change(replace(places.find("1101"), parent="1100"), **BY)

    assert town.registry.rota().above["g1"] == ("g1", "1101", "1100", "")
    last, first = town.alerts.acts(limit=2)
    assert [(act.what, act.ref) for act in (first, last)] == [("area.open", "1100"), ("area.change", "1101")]


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (Grid(code="g1", name="又一个", community="1101"), "The code g1 is taken by g1."),
        (Grid(code="g 3", name="三", community="1101"), "A code is 1 to 64 letters"),
        (Grid(code="g3", name="", community="1101"), "needs a name"),
        (Grid(code="g3", name="三", community="nowhere"), "There is no area 'nowhere'."),
        (Area(code="12", name="某省", level="province"), "'province' is none of city, district, street, community."),
        (Area(code="12", name="某街道", level="street", parent="1101"), "it cannot lie above this one"),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_sentence(town, places, place, why):
    assert why in refusal(lambda: places.open(place, **BY))
    assert places.find(place.code) != place


def test_nothing_lies_in_itself(places):
    places.open(STREET, **BY)
    assert "cannot lie above" in refusal(lambda: places.change(replace(STREET, parent="1100"), **BY))


def test_a_grid_with_households_closes_only_into_another_one(town, places):
    assert "2 households still lie in g1" in refusal(lambda: places.close("g1", why="合并", **BY))
    assert "2 households" in refusal(lambda: places.close("g1", into="g1", why="合并", **BY))

    assert places.close("g1", into="g2", why="合并", **BY) == 2

    assert {home.grid for home in town.registry.homes()} == {"g2"}
    assert [grid.code for grid in town.registry.grids()] == ["g2"]
    assert town.alerts.acts("g1")[0].facts == (("into", "g2"), ("homes", "2"))


def test_what_was_agreed_on_for_a_closed_grid_ends_with_it(town, places):
    registry = town.registry
    worked = {"duty": Duty.GRID_WORKER, "begins": time(8), "ends": time(20), "zone": STANDARD_ZONE}
    with registry.begin() as ledger:
        ledger.put_shift(Shift(place="g1", person="liu", first=date(2026, 11, 1), **worked))
        ledger.put_shift(Shift(place="g1", person="he", first=date(2026, 12, 1), **worked))
    town.registrar.plans.put("g1", "leak.severity", "2", scope=Scope.GRID, why="木地板", **BY)

    places.close("g1", into="g2", why="合并", **BY)

    later = EVENING + timedelta(minutes=1)
    assert registry.duties("liu", later) == registry.duties("he", later) == []
    (kept,) = registry.rota().shifts["g1", Duty.GRID_WORKER]
    assert kept.last == date(2026, 11, 20)
    assert [line.until for line in registry.overrides("g1", Scope.GRID)] == [EVENING]


def test_an_area_closes_when_nothing_lies_in_it(town, places):
    assert "In 东风社区 there still lie g1, g2" in refusal(lambda: places.close("1101", why="撤并", **BY))

    for grid in ("g1", "g2"):
        places.change(replace(places.find(grid), community=""), **BY)
    places.close("1101", why="撤并", **BY)

    assert town.registry.areas() == []


def test_whoever_closes_says_why(places):
    assert "say why" in refusal(lambda: places.close("g2", into="g1", why=" ", **BY))
    assert "no grid or area 'gx'" in refusal(lambda: places.close("gx", why="x", **BY))


def test_the_same_at_the_terminal(tmp_path):
    terminal = Terminal(tmp_path)
    assert terminal.registry.areas() == []
    terminal("places", "put", "330106", "--name", "西湖区", "--level", "district")
    terminal("places", "put", "g1", "--name", "一网格", "--in", "330106")
    terminal("places", "put", "g1", "--name", "第一网格")

    assert terminal("places", "list") == "330106  西湖区  district\n  g1  第一网格  0 homes  NOBODY\n"
    with pytest.raises(Refused, match="In 西湖区 there still lie 第一网格"):
        terminal("places", "close", "330106", "--why", "撤并")
    terminal("places", "close", "g1", "--why", "撤并")
    assert "g1" not in terminal("places", "list")
