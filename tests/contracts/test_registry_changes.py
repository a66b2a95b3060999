"""Who has read the registry once follows it change by change, and knows what a fresh reading would say."""

import threading
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain import (
    Area,
    Contact,
    Duty,
    Grid,
    Home,
    Hub,
    Monitoring,
    Override,
    Person,
    Profile,
    Reach,
    Relation,
    Risk,
    Role,
    Sensor,
)
from gateway.domain.rota import Shift
from gateway.stores import roll_rows
from gateway.stores.roll import Roll
from gateway.stores.sql import SqlRegistry, open_book

SPRING = datetime(2026, 3, 1, tzinfo=UTC)
SUMMER = datetime(2026, 6, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
LI = Person(id="li", name="李伟", reaches=(Reach(channel="console"),))


def a_home(name: str, grid: str = "g1") -> Home:
    mat = Sensor(id="mat", hub=f"{name}-hub", address="0x01", name="床垫", room="", role=Role.BED)
    hub = Hub(id=f"{name}-hub", home=name)
    return Home(id=name, code=name, name=name, grid=grid, zone=SHANGHAI, hubs=(hub,), sensors=(mat,))


def settle(ledger) -> None:
    """Two grids of one community, three homes, two people."""
    ledger.put_area(Area(code="330106001", name="西溪", level="street"), SPRING)
    ledger.put_area(Area(code="330106001001", name="社区", level="community", parent="330106001"), SPRING)
    ledger.put_grid(Grid(code="g1", name="一", community="330106001001"))
    ledger.put_grid(Grid(code="g2", name="二", community=""))
    for person in (LI, Person(id="wang", name="王奶奶")):
        ledger.put_person(person, SPRING)
    for home in (a_home("h1"), a_home("h3"), a_home("h5", "g2")):
        ledger.put_home(home, SPRING)
    ledger.assign("li", Duty.GRID_WORKER, "g1", SPRING)
    ledger.put_contacts("h1", [Contact(home="h1", person="li", relation=Relation.CHILD)], SPRING)
    ledger.put_phones("li", ["110"], SPRING)


def a_line(**where) -> Override:
    return Override(**where, key="inactivity", value="off", since=SPRING, until=None, author="a", reason="b")


SHIFT = Shift(
    place="g1",
    duty=Duty.GRID_WORKER,
    person="li",
    begins=time(8),
    ends=time(9),
    zone=SHANGHAI,
    first=date(2026, 3, 1),
)

ACTS = {
    "a home is another": lambda to: to.put_home(replace(a_home("h3"), state=Monitoring.PAUSED), SUMMER),
    "a home comes": lambda to: to.put_home(a_home("h2"), SUMMER),
    "a home is forgotten": lambda to: to.forget_home("h1"),
    "a hub moves": lambda to: to.put_home(replace(a_home("h5", "g2"), hubs=(Hub(id="h1-hub", home="h5"),)), SUMMER),
    "a hub has a secret": lambda to: to.set_hub_secret("h3-hub", "hash"),
    "a person is another": lambda to: to.put_person(replace(LI, name="李", reaches=()), SUMMER),
    "a person comes": lambda to: to.put_person(Person(id="ma", name="马"), SUMMER),
    "a person is forgotten": lambda to: to.forget_person("li"),
    "a person has a telephone": lambda to: to.put_phones("li", ["120", "110"], SUMMER),
    "a person has a file": lambda to: to.put_profile(Profile(person="wang", risk=Risk.HIGH), SUMMER),
    "a home has contacts": lambda to: to.put_contacts(
        "h3", [Contact(home="h3", person="li", relation=Relation.CHILD)], SUMMER
    ),
    "a duty begins": lambda to: to.assign("wang", Duty.DEPUTY, "", SUMMER),
    "a shift begins": lambda to: to.put_shift(SHIFT),
    "a line of a home": lambda to: to.put_override(a_line(home="h3")),
    "a line of a grid": lambda to: to.put_override(a_line(grid="g1")),
    "a line of an area": lambda to: to.put_override(a_line(area="330106001")),
    "an area has another name": lambda to: to.put_area(
        Area(code="330106001", name="文新", level="street"), SUMMER
    ),
    "a grid is closed": lambda to: to.close_grid("g2", SUMMER),
    "an area is closed": lambda to: to.close_area("330106001", SUMMER),
}  # fmt: skip

OF_WHICH_HOMES = {
    "a line of a grid": {"h1", "h3"},
    "a line of an area": {"h1", "h3"},
    "a line of a home": {"h3"},
    "a duty begins": set(),
    "a person has a telephone": set(),
    "a home is another": {"h3"},
    "a hub moves": {"h1", "h5"},
    "a home comes": {"h2"},
}


def said(roll: Roll) -> dict[str, object]:
    """Everything it answers from, in its order."""
    return {
        field.name: list(value.items()) if isinstance(value := getattr(roll, field.name), dict) else value
        for field in fields(roll)
        if field.init
    }


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """A town as a file, to be copied for each act."""
    folder = tmp_path_factory.mktemp("town")
    engine = open_book(f"sqlite:///{folder / 'gateway.db'}")
    with SqlRegistry(engine).begin() as ledger:
        settle(ledger)
    with engine.connect() as connection:
        connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    engine.dispose()
    return folder / "gateway.db"


@pytest.fixture
def town_book(settled, tmp_path):
    (tmp_path / "gateway.db").write_bytes(settled.read_bytes())
    engine = open_book(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("act", ACTS)
def test_who_follows_knows_what_a_fresh_reading_says(town_book, act, monkeypatch):
    registry, other = SqlRegistry(town_book), SqlRegistry(town_book)
    before = {home.id: home for home in registry.homes()}
    if not act.endswith("is forgotten"):  # seldom, and whatever named them names nobody now
        monkeypatch.setattr("gateway.stores.registry.read_roll", None)

    with other.begin() as ledger:
        ACTS[act](ledger)
    followed = registry._roll()
    monkeypatch.undo()

    assert said(followed) == said(SqlRegistry(town_book)._roll())
    if act in OF_WHICH_HOMES:
        untouched = before.keys() - OF_WHICH_HOMES[act]
        assert all(followed.homes[home] is before[home] for home in untouched), "they were not read again"


def test_the_road_is_told_which_homes_a_change_was_about(registry):
    with registry.begin() as ledger:
        settle(ledger)
    registry.homes()

    for act, homes in OF_WHICH_HOMES.items():
        since = registry.version()
        with registry.begin() as ledger:
            ACTS[act](ledger)
        assert registry.changes(since) == homes, act

    assert registry.changes(registry.version()) == frozenset()


def test_the_road_is_told_of_a_home_that_is_forgotten(registry):
    with registry.begin() as ledger:
        settle(ledger)
    registry.homes()
    since = registry.version()

    with registry.begin() as ledger:
        ledger.forget_home("h1")

    told = registry.changes(since)
    assert told is None or "h1" in told


def test_several_changes_are_told_together_and_what_was_too_long_ago_not_at_all(registry):
    with registry.begin() as ledger:
        settle(ledger)
    registry.homes()
    since = registry.version()
    for name in ("h2", "h4"):
        with registry.begin() as ledger:
            ledger.put_home(a_home(name), SUMMER)
        registry.homes()

    assert registry.changes(since) == {"h2", "h4"}
    assert registry.changes(-1) is None


def test_whoever_has_missed_too_much_reads_it_whole(town_book, monkeypatch):
    monkeypatch.setattr("gateway.stores.registry.STEPS_KEPT", 2)
    registry, other = SqlRegistry(town_book), SqlRegistry(town_book)
    registry.homes()
    for minute in range(4):
        with other.begin() as ledger:
            ledger.put_home(replace(a_home("h3"), name=f"{minute}"), SUMMER + timedelta(minutes=minute))

    assert said(registry._roll()) == said(SqlRegistry(town_book)._roll())


def test_a_whole_sheet_of_homes_is_noted_as_one_change(town_book, monkeypatch):
    monkeypatch.setattr("gateway.stores.registry.TOUCHED_AT_MOST", 2)
    registry, other = SqlRegistry(town_book), SqlRegistry(town_book)
    registry.homes()

    with other.begin() as ledger:
        for name in ("h2", "h4", "h6"):
            ledger.put_home(a_home(name), SUMMER)

    with town_book.connect() as connection:
        noted = connection.exec_driver_sql("select part from registry_change order by version desc").scalar()
    assert noted == roll_rows.ALL
    assert said(registry._roll()) == said(SqlRegistry(town_book)._roll())


def test_a_county_is_read_whole_beside_while_the_road_goes_on_with_the_picture_before(town_book, monkeypatch):
    monkeypatch.setattr("gateway.stores.registry.READ_AT_ONCE", 1)
    may_read = threading.Event()
    registry, other = SqlRegistry(town_book), SqlRegistry(town_book)
    registry.homes()
    since, h3 = registry.version(), registry.home("h3")
    read = roll_rows.read_roll
    monkeypatch.setattr("gateway.stores.registry.read_roll", lambda *given: may_read.wait(10) and read(*given))

    with other.begin() as ledger:
        ledger.forget_home("h1")

    assert registry.home("h1") is not None, "nobody has waited"
    assert registry.version() == since
    assert registry.changes(since) == frozenset()

    may_read.set()
    with registry.begin() as ledger:  # who writes waits, and sees what stands now
        assert registry.home("h1") is None
        ledger.put_override(a_line(home="h3"))
    assert registry.changes(since) == {"h1", "h3"}
    assert registry.home("h3") is h3, "it is the same, and so the same noun"
    assert said(registry._roll()) == said(SqlRegistry(town_book)._roll())


def test_of_a_line_for_half_a_county_it_is_not_remembered_which_homes_it_speaks_of(registry, monkeypatch):
    monkeypatch.setattr("gateway.stores.roll.CHANGED_AT_MOST", 1)
    with registry.begin() as ledger:
        settle(ledger)
    registry.homes()
    since = registry.version()

    with registry.begin() as ledger:
        ledger.put_override(a_line(area="330106001"))

    assert registry.changes(since) is None
