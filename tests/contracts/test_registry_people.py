"""What every registry keeps of the people in and around a home, and of what was installed there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from gateway.domain import (
    Ability,
    Answers,
    Commissioning,
    Consent,
    Contact,
    Duty,
    Gap,
    Grid,
    Hearing,
    Home,
    Hub,
    Installation,
    Living,
    Person,
    Power,
    Profile,
    Relation,
    Risk,
    Role,
    Room,
    RoomKind,
    Sensor,
    Sex,
    Sight,
    Trial,
)
from gateway.stores import tables
from gateway.stores.book import writing
from gateway.stores.migrations import alembic_config, upgrade
from gateway.stores.sql import SqlRegistry, open_book

SPRING = datetime(2026, 3, 1, tzinfo=UTC)
SUMMER = datetime(2026, 6, 1, tzinfo=UTC)
AUTUMN = datetime(2026, 9, 1, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001  (it is the naivety that is examined)
WANG = Person(id="wang", name="王奶奶")
LI = Person(id="li", name="李伟")
DOOR = Sensor(
    id="door",
    hub="hub-1",
    address="0x01",
    name="大门",
    room="hall",
    role=Role.EXIT_DOOR,
    model="X",
    power=Power.BATTERY,
)
HOME = Home(
    id="h1",
    code="A-1",
    name="王奶奶家",
    grid="g1",
    zone=ZoneInfo("Asia/Shanghai"),
    rooms=(Room(id="hall", name="门口"),),
    hubs=(Hub(id="hub-1", home="h1"),),
    sensors=(DOOR,),
    person="wang",
    trial_until=SUMMER,
)
PROFILE = Profile(
    person="wang",
    birth_year=1941,
    sex=Sex.FEMALE,
    living=Living.ALONE,
    ability=Ability.MILD,
    risk=Risk.KEY,
    conditions="高血压",
    dialect="吴语",
    hearing=Hearing.POOR,
    answers_by=Answers.SPEAKER,
    hospital="市一医院",
    dementia=True,
)
CONSENT = Consent(person="wang", purpose="monitoring", version="2026-01", given_at=SPRING, given_by="本人")


@pytest.fixture
def town(registry):
    furnish(registry)
    return registry


def furnish(registry) -> None:
    with registry.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一号网格", community="c"))
        ledger.put_grid(Grid(code="g2", name="二号网格", community="c"))
        for person in (WANG, LI):
            ledger.put_person(person, SPRING)
        ledger.put_home(HOME, SPRING)


def test_a_learning_period_and_what_a_device_lives_on_come_back(town):
    assert town.home("h1") == HOME


def test_a_profile_comes_back_as_it_was_and_can_change(town):
    assert town.profile("wang") is None
    with town.begin() as ledger:
        ledger.put_profile(PROFILE, SPRING)
    assert town.profile("wang") == PROFILE

    with town.begin() as ledger:
        ledger.put_profile(replace(PROFILE, hearing=Hearing.DEAF, birth_year=None), SUMMER)

    assert town.profile("wang") == replace(PROFILE, hearing=Hearing.DEAF, birth_year=None)
    assert town.profile("li") is None


def test_telephone_numbers_stand_in_the_order_in_which_they_are_tried(town):
    with town.begin() as ledger:
        ledger.put_phones("li", ["13800001111", "0571-88880000", "13800001111"], SPRING)
    assert town.phones("li") == ("13800001111", "0571-88880000")

    with town.begin() as ledger:
        ledger.put_phones("li", ["0571-88880000", "13911112222"], SUMMER)

    assert town.phones("li") == ("0571-88880000", "13911112222")
    assert town.phones("wang") == ()


def test_contacts_come_in_their_order_with_their_telephones(town):
    daughter = Contact(home="h1", person="li", relation=Relation.CHILD, hours="08:00-22:00", may_see=Sight.ALERTS)
    keys = Contact(home="h1", person="li", relation=Relation.KEY_HOLDER)
    herself = Contact(home="h1", person="wang", relation=Relation.NEIGHBOUR)
    with town.begin() as ledger:
        ledger.put_phones("li", ["13800001111"], SPRING)
        ledger.put_contacts("h1", [keys, herself, daughter], SPRING)

    assert town.contacts("h1") == [
        replace(keys, place=0, phones=("13800001111",)),
        replace(herself, place=1),
        replace(daughter, place=2, phones=("13800001111",)),
    ]

    with town.begin() as ledger:
        ledger.put_contacts("h1", [daughter], SUMMER)
    assert [(c.relation, c.place) for c in town.contacts("h1")] == [(Relation.CHILD, 0)]
    assert town.contacts("h2") == []


def test_a_consent_is_given_withdrawn_and_never_forgotten(town):
    with town.begin() as ledger:
        first = ledger.give_consent(CONSENT)
        second = ledger.give_consent(replace(CONSENT, purpose="family", given_at=SUMMER, evidence="纸质 12 号"))
    with town.begin() as ledger:
        ledger.withdraw_consent(first, AUTUMN)

    assert first != second
    assert town.consents("wang") == [
        replace(CONSENT, number=first, withdrawn_at=AUTUMN),
        replace(CONSENT, number=second, purpose="family", given_at=SUMMER, evidence="纸质 12 号"),
    ]
    assert town.consents("li") == []
    with pytest.raises(LookupError, match="consent"), town.begin() as ledger:
        ledger.withdraw_consent(first, AUTUMN)


def test_the_history_of_a_device_grows(town):
    put_up = Installation(home="h1", sensor="door", at=SPRING, by="赵工", link=120, battery=100, photo="door.jpg")
    tried = Installation(home="h1", sensor="door", at=SUMMER, by="赵工", passed=True, note="磁铁换了边")
    with town.begin() as ledger:
        ledger.note_installation(tried)
        ledger.note_installation(put_up)

    assert town.installations("h1") == [put_up, tried]
    assert town.installations("h2") == []


def test_a_signed_record_stays_as_it_was_signed(town):
    row = Installation(home="h1", sensor="door", at=SPRING, by="赵工", passed=True)
    gap = Gap(home="h1", what="fall", why="sensor_missing", since=SPRING, room="bath")
    record = Commissioning(
        home="h1",
        at=SPRING,
        by="赵工",
        code="A-1",
        name="王奶奶",
        rooms=(Room(id="bath", name="卫生间", kind=RoomKind.BATHROOM),),
        sensors=(Sensor(id="door", hub="hub-1", address="d", name="门磁", room="", role=Role.EXIT_DOOR),),
        trials=(Trial(sensor="cord", pressed_at=SPRING, person="li", sent_at=SPRING),),
        rows=(row,),
        consent=1,
        signature="M0 0L9 9",
        learning_until=SUMMER,
        gaps=(gap,),
    )
    later = Commissioning(home="h1", at=SUMMER, by="赵工")
    with town.begin() as ledger:
        ledger.keep_record(record)
        ledger.keep_record(later)

    assert town.records("h1") == [record, later]
    assert town.records("h2") == []


def test_duties_that_go_on_keep_their_place(town):
    with town.begin() as ledger:
        ledger.put_duties("li", [(Duty.DEPUTY, "g1"), (Duty.FAMILY, "")], SPRING)
        ledger.put_duties("wang", [(Duty.DEPUTY, "g1")], SPRING + timedelta(days=1))
        ledger.put_duties("li", [(Duty.DEPUTY, "g1"), (Duty.INSTALLER, "g2")], SUMMER)

    assert town.on_duty("g1", Duty.DEPUTY, AUTUMN) == [LI, WANG], "who held it first is still first choice"
    assert town.duties("li", SPRING) == [(Duty.DEPUTY, "g1"), (Duty.FAMILY, "")]
    assert set(town.duties("li", AUTUMN)) == {(Duty.DEPUTY, "g1"), (Duty.INSTALLER, "g2")}
    assert town.duties("nobody", AUTUMN) == []


def test_every_line_of_a_plan_stays_to_be_read(town):
    from gateway.domain import Override

    paused = Override(home="h1", key="pause", value="trial", since=SPRING, until=SUMMER, author="li", reason="住院")
    with town.begin() as ledger:
        ledger.put_override(paused)

    assert town.plan("h1", AUTUMN) == []
    assert town.overrides("h1") == [paused]
    assert town.overrides("h2") == []


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda ledger: ledger.put_phones("nobody", ["1"], SPRING), "person 'nobody'"),
        (lambda ledger: ledger.put_profile(Profile(person="nobody"), SPRING), "person 'nobody'"),
        (lambda ledger: ledger.put_contacts("h9", [], SPRING), "home 'h9'"),
        (
            lambda ledger: ledger.put_contacts(
                "h1", [Contact(home="h1", person="nobody", relation=Relation.CHILD)], SPRING
            ),
            "person 'nobody'",
        ),
        (lambda ledger: ledger.give_consent(replace(CONSENT, person="nobody")), "person 'nobody'"),
        (lambda ledger: ledger.withdraw_consent(99, SPRING), "consent '99'"),
        (
            lambda ledger: ledger.note_installation(Installation(home="h9", sensor="x", at=SPRING, by="y")),
            "home 'h9'",
        ),
        (lambda ledger: ledger.keep_record(Commissioning(home="h9", at=SPRING, by="y")), "home 'h9'"),
    ],
)
def test_what_is_not_registered_cannot_be_named(town, change, missing):
    with pytest.raises(LookupError, match=missing), town.begin() as ledger:
        change(ledger)


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger: ledger.put_phones("li", ["1"], NAIVE),
        lambda ledger: ledger.put_profile(PROFILE, NAIVE),
        lambda ledger: ledger.put_contacts("h1", [], NAIVE),
        lambda ledger: ledger.put_duties("li", [], NAIVE),
        lambda ledger: ledger.give_consent(replace(CONSENT, given_at=NAIVE)),
        lambda ledger: ledger.note_installation(Installation(home="h1", sensor="x", at=NAIVE, by="y")),
        lambda ledger: ledger.keep_record(Commissioning(home="h1", at=NAIVE, by="y")),
    ],
)
def test_a_time_without_a_zone_is_refused(town, change):
    with pytest.raises(ValueError, match="aware"), town.begin() as ledger:
        change(ledger)


def test_an_exception_in_the_middle_leaves_nothing(town):
    with pytest.raises(ZeroDivisionError), town.begin() as ledger:
        ledger.put_profile(PROFILE, SPRING)
        ledger.put_phones("li", ["13800001111"], SPRING)
        ledger.put_contacts("h1", [Contact(home="h1", person="li", relation=Relation.CHILD)], SPRING)
        ledger.give_consent(CONSENT)
        ledger.note_installation(Installation(home="h1", sensor="door", at=SPRING, by="y"))
        ledger.keep_record(Commissioning(home="h1", at=SPRING, by="y"))
        raise ZeroDivisionError

    assert town.profile("wang") is None
    assert town.phones("li") == ()
    assert town.contacts("h1") == town.consents("wang") == town.installations("h1") == town.records("h1") == []


# ------------------------------------------------------------------ the file


def test_what_did_not_change_keeps_its_dates(tmp_path):
    engine = open_book(f"sqlite:///{tmp_path}/gateway.db")
    registry = SqlRegistry(engine)
    furnish(registry)
    contact = Contact(home="h1", person="li", relation=Relation.CHILD)
    for moment in (SPRING, SUMMER):
        with registry.begin() as ledger:
            ledger.put_profile(PROFILE, moment)
            ledger.put_phones("li", ["13800001111"], moment)
            ledger.put_contacts("h1", [contact], moment)
            ledger.put_duties("li", [(Duty.DEPUTY, "g1")], moment)

    for table in (tables.profile, tables.phone, tables.contact, tables.duty):
        with engine.connect() as connection:
            dates = connection.execute(select(table.c.since, table.c.until)).all()
        assert [tuple(row) for row in dates] == [(SPRING, None)], table.name


def test_a_book_of_the_first_release_keeps_everything(tmp_path):
    engine = open_book(f"sqlite:///{tmp_path}/gateway.db", migrate=False)
    config = alembic_config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for line in (
            "insert into grid values ('g1', '一号网格', 'c')",
            "insert into person values ('wang', '王奶奶', '', '', 'zh', '', '', '', 0)",
            "insert into household values ('h1', 'A-1', '王奶奶家', 'Asia/Shanghai', 'trial', '', '', 0)",
            "insert into residence values ('wang', 'h1', 0, 0, null)",
            "insert into room values ('h1', 'hall', '门口', 'hall', 0, 0, null)",
            "insert into hub values ('hub-1', '$2a$', null)",
            "insert into hub_place values ('hub-1', 'h1', 60000000, 0, 0, null)",
            "insert into sensor values ('h1', 'door', 'hub-1', '0x01', '大门', 'hall', 'exit_door', '', 0, 0, 0, null)",
            "insert into phone values ('wang', '13800001111', null, 0, null)",
        ):
            connection.execute(text(line))

    upgrade(engine)
    home = SqlRegistry(engine).home("h1")

    assert home.trial_until is None
    assert [(s.id, s.model, s.power) for s in home.sensors] == [("door", "", Power.UNKNOWN)]
    assert home.person == "wang"
    assert SqlRegistry(engine).phones("wang") == ("13800001111",)
    assert {"profile", "installation", "commissioning"} <= set(inspect(engine).get_table_names())
