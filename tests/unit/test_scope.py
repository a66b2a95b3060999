"""Whose homes somebody sees: of a grid, of an area with everything below it, of their family, or none."""

from dataclasses import replace

import pytest
from pages_house import Rig

from dashboard import scope
from gateway.domain import Area, Contact, Duty, Grid, Look, Person, Relation, Sight
from gateway.sharing import Sharing


@pytest.fixture
def rig() -> Rig:
    """h1 and h2 in grid g1, h3 in grid g2, both in community 1101; h4 in another community of the same street."""
    rig = Rig()
    now = rig.clock.now()
    with rig.registry.begin() as ledger:
        ledger.put_area(Area(code="11", name="东街", level="street"), now)
        ledger.put_area(Area(code="1101", name="东风社区", level="community", parent="11"), now)
        ledger.put_area(Area(code="1102", name="西风社区", level="community", parent="11"), now)
        ledger.put_grid(Grid(code="g3", name="g3", community="1102"))
        ledger.put_person(Person(id="wang", name="王奶奶"), now)
        ledger.put_person(Person(id="wei", name="王伟"), now)
    rig.rename("h1", person="wang")
    found = rig.registry.home("h2")
    with rig.registry.begin() as ledger:
        ledger.put_home(replace(found, id="h4", code="A-4", grid="g3", hubs=(), sensors=()), now)
        ledger.put_contacts("h1", [Contact(home="h1", person="wei", relation=Relation.CHILD, may_see=Sight.ALL)], now)
        ledger.put_contacts("h3", [Contact(home="h3", person="wei", relation=Relation.NEIGHBOUR)], now)
    agreed = {"version": "2026-11", "given_by": "wang", "evidence": "paper"}
    Sharing(rig.registry).show("h1", "wei", [Look.CALM], **agreed, who="ma", now=now)
    return rig


@pytest.mark.parametrize(
    ("duty", "place", "theirs"),
    [
        (Duty.GRID_WORKER, "g1", "h1 h2"),
        (Duty.DEPUTY, "g2", "h3"),
        (Duty.INSTALLER, "g3", "h4"),
        (Duty.SUPERVISOR, "1101", "h1 h2 h3"),
        (Duty.SUPERVISOR, "1102", "h4"),
        (Duty.SUPERVISOR, "11", "h1 h2 h3 h4"),
        (Duty.SUPERVISOR, "nowhere", ""),
        (Duty.ADMIN, "", "h1 h2 h3 h4"),
    ],
)
def test_whoever_works_for_us_sees_the_homes_of_their_place(rig, duty, place, theirs):
    account = rig.account("li", duty, place)

    assert " ".join(home.id for home in scope.homes_of(account, rig.registry)) == theirs
    for home in rig.registry.homes():
        is_theirs = scope.home_of(account, home.id, rig.registry) is not None
        assert is_theirs == (home.id in theirs.split())


@pytest.mark.parametrize(
    ("person", "duty", "theirs"),
    [
        ("wei", Duty.FAMILY, ["h1"]),  # next door to h3 he is a neighbour
        ("wang", Duty.ELDER, ["h1"]),
        ("nobody", Duty.ELDER, []),
        ("", Duty.ELDER, []),
        ("wei", Duty.VOLUNTEER, []),
        ("wei", Duty.KEY_HOLDER, []),
    ],
)
@pytest.mark.parametrize("place", ["", "11"])
def test_a_place_in_their_account_means_nothing_to_families_and_residents(rig, person, duty, theirs, place):
    account = rig.account(person, duty, place)

    assert [home.id for home in scope.homes_of(account, rig.registry)] == theirs
    assert not scope.covers(account, "g1", rig.registry)
    assert scope.home_of(account, "grid:g1", rig.registry) is None


def test_a_grid_that_something_is_told_about_is_seen_like_its_homes(rig):
    supervisor, worker = rig.account("ma", Duty.SUPERVISOR, "1101"), rig.account("li", Duty.GRID_WORKER, "g1")

    def seen(account):
        places = ("grid:g1", "grid:g2", "grid:g3", "grid:1101", "grid:11")
        return [place for place in places if scope.home_of(account, place, rig.registry)]

    assert seen(supervisor) == ["grid:g1", "grid:g2", "grid:1101"]
    assert seen(worker) == ["grid:g1"]
