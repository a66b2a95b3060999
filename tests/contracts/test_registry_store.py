"""What every registry keeps: one truth about who lives where, answered at once, and nobody's past thrown away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gateway.domain import (
    Area,
    Duty,
    Grid,
    Home,
    Hub,
    Monitoring,
    Override,
    Person,
    Position,
    Reach,
    Role,
    Room,
    RoomKind,
    Scope,
    Sensor,
)
from gateway.stores import tables
from gateway.stores.sql import SqlRegistry, open_book

SPRING = datetime(2026, 3, 1, tzinfo=UTC)
SUMMER = datetime(2026, 6, 1, tzinfo=UTC)
AUTUMN = datetime(2026, 9, 1, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001  (it is the naivety that is examined)
GRIDS = (Grid(code="g1", name="一号网格", community="330106001001"), Grid(code="g2", name="二号网格", community="x"))
WANG = Person(id="wang", name="王奶奶")
LI = Person(
    id="li",
    name="李伟",
    language="en",
    reaches=(Reach(channel="console"), Reach(channel="webhook", address="https://x")),
)
ZHAO = Person(id="zhao", name="赵敏")


def a_home(home_id: str = "h1", **changes) -> Home:
    hub = f"{home_id}-hub"
    button = Sensor(id="s2", hub=hub, address="0x02", name="按钮", room="bedroom", role=Role.SOS, subject="wang")
    mat = Sensor(id="s1", hub=hub, address="0x01", name="床垫", room="bedroom", role=Role.BED, inverted=True)
    home = Home(
        id=home_id,
        code=f"{home_id}-001",
        name="王奶奶",
        grid="g1",
        zone=ZoneInfo("Asia/Shanghai"),
        state=Monitoring.TRIAL,
        rooms=(
            Room(id="kitchen", name="厨房", kind=RoomKind.KITCHEN),
            Room(id="bedroom", name="卧室", kind=RoomKind.BEDROOM),
        ),
        hubs=(Hub(id=hub, home=home_id), Hub(id=f"{home_id}-old", home=home_id, interval=None)),
        sensors=(button, mat),
        address="杭州市",
        access="钥匙在邻居",
        person="wang",
    )
    return replace(home, **changes)


@pytest.fixture
def town(registry):
    """A registry with two grids and three people in it."""
    with registry.begin() as ledger:
        for grid in GRIDS:
            ledger.put_grid(grid)
        for person in (WANG, LI, ZHAO):
            ledger.put_person(person, SPRING)
    return registry


def put(registry, *homes: Home, at: datetime = SPRING) -> None:
    with registry.begin() as ledger:
        for home in homes:
            ledger.put_home(home, at)


# ------------------------------------------------------------------ what is written comes back


def test_an_empty_registry_knows_nobody(registry):
    assert registry.version() == 0
    assert registry.homes() == registry.hubs() == registry.people() == registry.areas() == registry.grids() == []
    assert registry.home("h1") is registry.person("li") is None
    assert registry.on_duty("g1", Duty.GRID_WORKER, SPRING) == []
    assert registry.plan("h1", SPRING) == []
    assert registry.hub_secrets() == {}


def test_a_home_comes_back_as_it_was(town):
    put(town, a_home("h2", hubs=(), sensors=(), rooms=(), person="", grid=""), a_home())

    assert town.home("h1") == a_home()
    assert [home.id for home in town.homes()] == ["h1", "h2"]
    assert town.hubs() == list(a_home().hubs)


def test_a_home_has_a_position_or_none(town):
    put(town, a_home(position=Position(30.25741, 120.20511)))
    assert town.home("h1").position == Position(30.25741, 120.20511)

    put(town, a_home())
    assert town.home("h1").position is None


def test_a_home_knows_what_it_lies_in(town):
    with town.begin() as ledger:
        ledger.put_area(Area(code="330106008001", name="文三社区", level="community", parent="330106008"), SPRING)
        ledger.put_area(Area(code="330106008", name="", level="street"), SPRING)
        ledger.put_grid(replace(GRIDS[0], community="330106008001"))
    put(town, a_home(), a_home("h2", hubs=(), sensors=(), grid=""))

    assert town.around("h1") == (GRIDS[0].code, "330106008001", "330106008")
    assert town.around("h2") == town.around("nowhere") == ()
    assert [town.place_name(code) for code in town.around("h1")] == [GRIDS[0].name, "文三社区", "330106008"]


def test_people_grids_and_areas_come_back_as_they_were(town):
    area = Area(code="330106", name="西湖区", level="district", parent="330100")
    with town.begin() as ledger:
        ledger.put_area(area, SPRING)

    assert town.people() == [LI, WANG, ZHAO]
    assert town.person("li") == LI
    assert town.grids() == list(GRIDS)
    assert town.areas() == [area]


def test_a_decision_sees_one_picture_from_its_first_question_to_its_last(town):
    put(town, a_home(name="before"))
    decision = town.standing()
    put(town, a_home(name="after"))

    assert (decision.home("h1").name, town.home("h1").name) == ("before", "after")
    assert decision.version() < town.version()
    assert decision.on_duty("g1", Duty.GRID_WORKER, SPRING) == []
    assert decision.consents("wang") == []


def test_putting_again_replaces(town):
    put(town, a_home())

    changed = a_home(
        name="王芳",
        grid="g2",
        zone=ZoneInfo("Asia/Urumqi"),
        state=Monitoring.GUARDED,
        rooms=(a_home().rooms[1], Room(id="hall", name="门口", kind=RoomKind.HALL)),
        hubs=(Hub(id="h1-hub", home="h1", interval=timedelta(seconds=30)),),
        sensors=(replace(a_home().sensors[0], room="hall"),),
        person="zhao",
    )
    put(town, changed, at=SUMMER)
    with town.begin() as ledger:
        ledger.put_person(replace(LI, name="李", reaches=LI.reaches[1:]), SUMMER)
        ledger.put_area(Area(code="1", name="old", level="city"), SPRING)
        ledger.put_area(Area(code="1", name="new", level="city"), SUMMER)
        ledger.put_grid(Grid(code="g1", name="新网格", community="y"))

    assert town.home("h1") == changed
    assert town.person("li") == replace(LI, name="李", reaches=LI.reaches[1:])
    assert [area.name for area in town.areas()] == ["new"]
    assert town.grids()[0].name == "新网格"


def test_what_was_taken_away_can_come_back(town):
    put(town, a_home())
    put(town, a_home(hubs=(), sensors=(), rooms=(), person="", grid=""), at=SUMMER)

    put(town, a_home(), at=AUTUMN)

    assert town.home("h1") == a_home()


def test_changing_ones_mind_at_the_same_moment_is_a_correction(town):
    put(town, a_home())
    put(town, a_home(grid="g2", sensors=()))

    put(town, a_home())

    assert town.home("h1") == a_home()


def test_a_hub_moves_with_what_hangs_on_it(town):
    put(town, a_home("h1", code="1"), a_home("h2", code="2"))

    put(town, a_home("h2", code="2", hubs=(Hub(id="h1-hub", home="h2"),), sensors=a_home().sensors), at=SUMMER)

    assert [(hub.id, hub.home) for hub in town.hubs()] == [("h1-old", "h1"), ("h1-hub", "h2")]
    assert town.home("h1").sensors == ()
    assert town.home("h2").sensors == a_home().sensors


# ------------------------------------------------------------------ on duty


def assign(registry, *posts) -> None:
    with registry.begin() as ledger:
        for post in posts:
            ledger.assign(*post)


def test_on_duty_is_who_was_assigned_first(town):
    assign(town, ("zhao", Duty.GRID_WORKER, "g1", SPRING), ("li", Duty.GRID_WORKER, "g1", SPRING))

    assert town.on_duty("g1", Duty.GRID_WORKER, SUMMER) == [ZHAO, LI]
    assert town.on_duty("g2", Duty.GRID_WORKER, SUMMER) == []
    assert town.on_duty("g1", Duty.DEPUTY, SUMMER) == []


def test_a_duty_begins_and_ends(town):
    assign(town, ("li", Duty.DEPUTY, "g1", SPRING, SUMMER), ("zhao", Duty.DEPUTY, "g1", SUMMER))

    assert town.on_duty("g1", Duty.DEPUTY, SPRING - timedelta(seconds=1)) == []
    assert town.on_duty("g1", Duty.DEPUTY, SPRING) == [LI]
    assert town.on_duty("g1", Duty.DEPUTY, SUMMER) == [ZHAO]


def test_assigning_again_from_the_same_day_ends_it_or_lets_it_go_on(town):
    assign(town, ("li", Duty.DEPUTY, "g1", SPRING), ("zhao", Duty.DEPUTY, "g1", SPRING))
    assign(town, ("li", Duty.DEPUTY, "g1", SPRING, SUMMER))

    assert town.on_duty("g1", Duty.DEPUTY, SUMMER) == [ZHAO]

    assign(town, ("li", Duty.DEPUTY, "g1", SPRING))
    assert town.on_duty("g1", Duty.DEPUTY, SUMMER) == [LI, ZHAO]


def test_who_answers_for_every_grid_comes_after_the_grids_own(town):
    assign(town, ("zhao", Duty.SUPERVISOR, "", SPRING), ("li", Duty.SUPERVISOR, "g1", SPRING))

    assert town.on_duty("g1", Duty.SUPERVISOR, SUMMER) == [LI, ZHAO]
    assert town.on_duty("g2", Duty.SUPERVISOR, SUMMER) == [ZHAO]
    assert town.on_duty("", Duty.SUPERVISOR, SUMMER) == [ZHAO]


def test_one_person_with_two_duties_is_one_person(town):
    assign(
        town,
        ("li", Duty.FAMILY, "g1", SPRING),
        ("li", Duty.GRID_WORKER, "g1", SPRING),
        ("li", Duty.GRID_WORKER, "g1", SUMMER),
        ("li", Duty.GRID_WORKER, "", SPRING),
    )

    assert town.on_duty("g1", Duty.GRID_WORKER, AUTUMN) == [LI]
    assert town.on_duty("g1", Duty.FAMILY, AUTUMN) == [LI]


# ------------------------------------------------------------------ plans, secrets


def an_override(**changes) -> Override:
    override = Override(
        home="h1", key="absence", value="住院", since=SPRING, until=SUMMER, author="li", reason="女儿电话告知"
    )
    return replace(override, **changes)


def test_a_plan_holds_for_its_time(town):
    put(town, a_home())
    later = an_override(key="inactivity.by_day", since=SPRING + timedelta(days=1), until=None)
    with town.begin() as ledger:
        ledger.put_override(later)
        ledger.put_override(an_override())

    assert town.plan("h1", SPRING - timedelta(days=1)) == []
    assert town.plan("h1", SPRING) == [an_override()]
    assert town.plan("h1", SPRING + timedelta(days=2)) == [an_override(), later], "the later one has the last word"
    assert town.plan("h1", SUMMER) == [later]
    assert town.plan("h2", SPRING) == []


def test_a_plan_can_be_ended_early(town):
    put(town, a_home())
    with town.begin() as ledger:
        ledger.put_override(an_override(until=None))
    ended = an_override(until=SPRING + timedelta(days=1))
    with town.begin() as ledger:
        ledger.put_override(ended)

    assert town.plan("h1", SPRING) == [ended]
    assert town.plan("h1", SUMMER) == []


def test_a_home_lives_by_its_own_lines_its_grids_and_its_areas_the_nearest_last(town):
    grid = next(grid for grid in town.grids() if grid.code == "g1")
    community = Area(code=grid.community, name="社区", level="community", parent="d")
    with town.begin() as ledger:
        ledger.put_area(Area(code="d", name="区", level="district"), SPRING)
        ledger.put_area(community, SPRING)
    put(town, a_home())
    own, grids = an_override(key="bath_dwell"), an_override(home="", grid="g1", key="bath_dwell", since=SUMMER)
    near = an_override(home="", area=community.code, key="night_exit")
    far = an_override(home="", area="d", key="night_exit", since=SUMMER)
    with town.begin() as ledger:
        for line in (own, grids, near, far):
            ledger.put_override(replace(line, until=None))

    lines = [replace(line, until=None) for line in (far, near, grids, own)]
    assert list(town.plan_lines("h1")) == lines
    assert town.plan("h1", SPRING) == [lines[1], lines[3]]
    assert town.overrides("g1", Scope.GRID) == [lines[2]]
    assert {line.place for line in town.in_force("bath_dwell", SUMMER)} == {"h1", "g1"}


def test_a_home_in_the_north_is_heated_by_its_province_until_somebody_says_otherwise(town):
    grid = next(grid for grid in town.grids() if grid.code == "g1")
    with town.begin() as ledger:
        ledger.put_area(Area(code="230100", name="市", level="city"), SPRING)
        ledger.put_area(Area(code=grid.community, name="社区", level="community", parent="230100"), SPRING)
    put(town, a_home())

    (usual,) = town.plan_lines("h1")
    assert (usual.key, usual.value, usual.area, usual.author) == ("heating", "10-20..04-20", "230100", "")
    assert usual.covers(SPRING)
    assert town.overrides("230100", Scope.AREA) == []

    own = replace(an_override(key="heating"), value="off", until=None)
    with town.begin() as ledger:
        ledger.put_override(own)
    assert town.plan_lines("h1") == (usual, own)


@pytest.mark.parametrize("place", [{"home": "h9"}, {"home": "", "grid": "g9"}, {"home": "", "area": "a9"}])
def test_a_plan_is_for_what_is_registered(town, place):
    put(town, a_home())
    with pytest.raises(LookupError, match="9'"), town.begin() as ledger:
        ledger.put_override(an_override(**place))


def test_secrets_are_for_hubs_that_stand_somewhere(town):
    put(town, a_home())
    with town.begin() as ledger:
        ledger.set_hub_secret("h1-hub", "$2b$hash")
    assert town.hub_secrets() == {"h1-hub": "$2b$hash"}

    put(town, a_home(hubs=(), sensors=()), at=SUMMER)
    assert town.hub_secrets() == {}, "a box that was taken out has no way in"

    put(town, a_home(), at=AUTUMN)
    assert town.hub_secrets() == {"h1-hub": "$2b$hash"}
    with town.begin() as ledger:
        ledger.set_hub_secret("h1-hub", None)
    assert town.hub_secrets() == {}


# ------------------------------------------------------------------ all or nothing, and who notices


def test_an_exception_in_the_middle_leaves_nothing(town):
    version = town.version()

    with pytest.raises(ZeroDivisionError), town.begin() as ledger:
        ledger.put_home(a_home(), SPRING)
        ledger.assign("li", Duty.DEPUTY, "g1", SPRING)
        ledger.put_override(an_override())
        ledger.set_hub_secret("h1-hub", "$2b$hash")
        ledger.put_person(Person(id="new", name="新"), SPRING)
        raise ZeroDivisionError

    assert town.version() == version
    assert town.homes() == []
    assert town.person("new") is None
    assert town.on_duty("g1", Duty.DEPUTY, SPRING) == []
    assert town.plan("h1", SPRING) == []
    assert town.hub_secrets() == {}


def test_outside_a_transaction_nothing_is_seen_before_its_end(town):
    version = town.version()

    with town.begin() as ledger:
        ledger.put_home(a_home(), SPRING)
        assert town.homes() == []
        assert town.version() == version

    assert town.homes() == [a_home()]


def test_the_version_grows_with_every_change_and_only_then(town):
    versions = [town.version()]
    with town.begin() as ledger:
        ledger.put_home(a_home(), SPRING)
        ledger.put_home(a_home("h2"), SPRING)
    versions.append(town.version())
    for change in (
        lambda ledger: ledger.put_area(Area(code="1", name="x", level="city"), SPRING),
        lambda ledger: ledger.put_grid(GRIDS[0]),
        lambda ledger: ledger.put_person(LI, SPRING),
        lambda ledger: ledger.assign("li", Duty.DEPUTY, "g1", SPRING),
        lambda ledger: ledger.set_hub_secret("h1-hub", "x"),
        lambda ledger: ledger.put_override(an_override()),
    ):
        with town.begin() as ledger:
            change(ledger)
        versions.append(town.version())

    assert versions == sorted(set(versions))

    with town.begin() as ledger:
        ledger.publish(SPRING, "registry", "h1")
    assert town.version() == versions[-1]


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda ledger: ledger.put_home(a_home(grid="g9"), SPRING), "grid 'g9'"),
        (lambda ledger: ledger.put_home(a_home(person="nobody"), SPRING), "person 'nobody'"),
        (lambda ledger: ledger.assign("nobody", Duty.DEPUTY, "g1", SPRING), "person 'nobody'"),
        (lambda ledger: ledger.assign("li", Duty.DEPUTY, "g9", SPRING), "grid 'g9'"),
        (lambda ledger: ledger.set_hub_secret("hub9", "x"), "hub 'hub9'"),
        (lambda ledger: ledger.put_override(an_override()), "home 'h1'"),
    ],
)
def test_what_is_not_registered_cannot_be_named(town, change, missing):
    with pytest.raises(LookupError, match=missing), town.begin() as ledger:
        change(ledger)


def test_a_household_code_is_one_households(town):
    put(town, a_home(code="8-302"), a_home("h2", code=""), a_home("h3", code=""))

    with pytest.raises(ValueError, match=r"8-302.*belongs to 'h1'"):
        put(town, a_home("h4", code="8-302"))


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger: ledger.put_home(a_home(), NAIVE),
        lambda ledger: ledger.put_person(LI, NAIVE),
        lambda ledger: ledger.put_area(Area(code="1", name="x", level="city"), NAIVE),
        lambda ledger: ledger.assign("li", Duty.DEPUTY, "g1", NAIVE),
        lambda ledger: ledger.assign("li", Duty.DEPUTY, "g1", SPRING, NAIVE),
        lambda ledger: ledger.put_override(an_override(until=NAIVE)),
    ],
)
def test_a_time_without_a_zone_is_refused(town, change):
    put(town, a_home())

    with pytest.raises(ValueError, match="aware"), town.begin() as ledger:
        change(ledger)
    for ask in (lambda: town.on_duty("g1", Duty.DEPUTY, NAIVE), lambda: town.plan("h1", NAIVE)):
        with pytest.raises(ValueError, match="aware"):
            ask()


# ------------------------------------------------------------------ the file


@pytest.fixture
def town_book(tmp_path):
    engine = open_book(f"sqlite:///{tmp_path}/gateway.db")
    with SqlRegistry(engine).begin() as ledger:
        for grid in GRIDS:
            ledger.put_grid(grid)
        for person in (WANG, LI, ZHAO):
            ledger.put_person(person, SPRING)
    yield engine
    engine.dispose()


def rows(engine, table, *columns):
    with engine.connect() as connection:
        wanted = select(*(table.c[column] for column in columns)).order_by(table.c.since)
        return [tuple(row) for row in connection.execute(wanted)]


def test_another_process_sees_the_change(town_book, tmp_path):
    here, there = SqlRegistry(town_book), SqlRegistry(open_book(f"sqlite:///{tmp_path}/gateway.db"))
    assert there.homes() == []
    before = there.version()

    put(here, a_home())
    assign(here, ("li", Duty.GRID_WORKER, "g1", SPRING))

    assert there.version() > before
    assert there.homes() == [a_home()]
    assert there.on_duty("g1", Duty.GRID_WORKER, SPRING) == [LI]


def test_the_past_stays_answerable(town_book):
    registry = SqlRegistry(town_book)
    put(registry, a_home())
    moved = replace(a_home().sensors[1], room="kitchen")
    put(registry, a_home(grid="g2", person="zhao", sensors=(a_home().sensors[0], moved)), at=SUMMER)
    put(registry, a_home(grid="g2", person="wang", sensors=(a_home().sensors[0],)), at=AUTUMN)

    assert rows(town_book, tables.household_grid, "grid", "since", "until") == [
        ("g1", SPRING, SUMMER),
        ("g2", SUMMER, None),
    ]
    assert rows(town_book, tables.residence, "person", "since", "until") == [
        ("wang", SPRING, SUMMER),
        ("zhao", SUMMER, AUTUMN),
        ("wang", AUTUMN, None),
    ]
    assert [row for row in rows(town_book, tables.sensor, "id", "room", "since", "until") if row[0] == "s1"] == [
        ("s1", "bedroom", SPRING, SUMMER),
        ("s1", "kitchen", SUMMER, AUTUMN),
    ]


def test_what_did_not_change_keeps_its_dates(town_book):
    registry = SqlRegistry(town_book)
    put(registry, a_home())

    put(registry, a_home(name="王芳", state=Monitoring.GUARDED), at=SUMMER)

    for table in (tables.household_grid, tables.residence, tables.room, tables.hub_place, tables.sensor):
        assert set(rows(town_book, table, "since", "until")) == {(SPRING, None)}, table.name


def test_many_questions_read_the_book_once(town_book, monkeypatch):
    registry = SqlRegistry(town_book)
    put(registry, *(a_home(f"h{number}") for number in range(5)))
    read = []
    import gateway.stores.registry as module

    original = module.read_roll
    monkeypatch.setattr(module, "read_roll", lambda connection: read.append(1) or original(connection))

    for _ in range(50):
        registry.homes()
        registry.on_duty("g1", Duty.GRID_WORKER, SPRING)

    assert len(read) == 1


def test_what_is_closed_is_not_there_any_more_and_opens_again(town):
    with town.begin() as ledger:
        ledger.put_area(Area(code="1", name="社区", level="community"), SPRING)
        ledger.close_area("1", SUMMER)
        ledger.close_grid("g1", SUMMER)

    assert town.areas() == []
    assert [grid.code for grid in town.grids()] == [grid.code for grid in GRIDS if grid.code != "g1"]
    assert "g1" not in town.rota().above

    with town.begin() as ledger:
        ledger.put_area(Area(code="1", name="新社区", level="community"), AUTUMN)
        ledger.put_grid(GRIDS[0])

    assert [area.name for area in town.areas()] == ["新社区"]
    assert town.grids() == list(GRIDS)
