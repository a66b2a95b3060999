"""A row of the book that cannot be read, as after a way back to an older version, costs what it is about."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from live_postgres import LivePostgres
from sqlalchemy import Engine, text

from alerts.desk import Desk
from gateway.domain import (
    Area,
    Contact,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Monitoring,
    Override,
    Person,
    Position,
    Profile,
    Reach,
    Relation,
    Role,
    Room,
    RoomKind,
    Sensor,
    Severity,
    Sex,
)
from gateway.domain.fault import FAILED
from gateway.domain.rota import Holiday, Shift
from gateway.registry import Registry
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HOMES = ("h1", "h2")

pytestmark = pytest.mark.faulty


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/gateway.db"
    else:
        live: LivePostgres = request.getfixturevalue("postgres")
        url = live.empty_book()
    opened = open_book(url)
    yield opened
    opened.dispose()


class Street:
    """Two homes, somebody for each, and a press in both of them, h1's first."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.alerts, self.registry = engine, SqlAlerts(engine), SqlRegistry(engine)
        self.now = NOON
        reaches = (Reach(channel="console"),)
        Registry(self.registry, str).register(
            areas=[Area(code="a", name="a", level="community")],
            grids=[Grid(code="g1", name="一", community="a")],
            people=[
                (Person(id="zhang", name="张师傅", reaches=reaches), [(Duty.GRID_WORKER, "g1")]),
                (Person(id="wang", name="王师傅", reaches=reaches), [(Duty.DEPUTY, "g1")]),
                (Person(id="ins", name="李师傅", reaches=reaches), [(Duty.INSTALLER, "g1")]),
            ],
            homes=[
                Home(id=name, code=name.upper(), name=name, grid="g1", zone=ZoneInfo("Asia/Shanghai")) for name in HOMES
            ],
            who="test",
            now=NOON,
        )
        self.desk = Desk(self.alerts, self.registry)
        self.raised = {home: self.press(home) for home in HOMES}

    def press(self, home: str) -> str:
        self.now += timedelta(seconds=1)
        finding = Finding(home=home, code="sos", severity=Severity.EMERGENCY, since=self.now, at=self.now, subject="p")
        alert = self.desk.take([finding], self.now)[0].alert
        assert alert is not None
        return alert.id

    def spoil(self, table: str, column: str, where: str, value: str) -> None:
        with self.engine.begin() as connection:
            changed = connection.execute(
                text(f"update {table} set {column} = :to where {where} = :one"),
                {"to": "carrier-pigeon", "one": value},
            )
            assert changed.rowcount >= 1

    def goes_on(self, minutes: float) -> None:
        until = self.now + timedelta(minutes=minutes)
        while self.now < until:
            self.now += timedelta(seconds=10)
            self.desk.tick(self.now)

    def told(self, home: str) -> set[str]:
        return {one.person for one in self.alerts.deliveries(self.raised[home])}


@pytest.fixture
def street(engine: Engine) -> Street:
    return Street(engine)


def test_an_alert_that_cannot_be_read_costs_no_other_its_ladder_and_is_told(street: Street) -> None:
    street.spoil("alert", "state", "id", street.raised["h1"])
    street.desk = Desk(street.alerts, street.registry)  # a start

    street.goes_on(10)

    assert street.told("h2") >= {"zhang", "wang"}, "the next on the ladder was called"
    assert [alert.id for alert in street.alerts.alerts(home="h2", unclosed=True)] == [street.raised["h2"]]
    assert street.raised["h1"] not in {alert.id for alert in street.alerts.alerts(unclosed=True)}
    assert street.alerts.illegible() == [street.raised["h1"]]
    faults = [alert for alert in street.alerts.alerts(unclosed=True, limit=1000) if alert.code == FAILED]
    assert "book" in {alert.finding.fact("detector") for alert in faults}


def test_whoever_presses_again_there_is_heard(street: Street) -> None:
    street.spoil("alert", "state", "id", street.raised["h1"])

    again = street.press("h1")

    assert again != street.raised["h1"]
    assert street.alerts.deliveries(again), "people are called"


def test_a_message_that_cannot_be_read_keeps_no_other_in_the_outbox(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    first = min(street.alerts.outbox(street.now), key=lambda one: one.created_at)
    others = {one.id for one in street.alerts.outbox(street.now)} - {first.id}
    street.spoil("delivery", "purpose", "id", first.id)

    for _ in range(3):
        assert {one.id for one in street.alerts.outbox(street.now)} == others
    assert caplog.text.count("what cannot be read of a row is left out") == 1
    assert street.alerts.next_delivery() is not None


def test_what_can_be_read_is_the_same_as_ever(street: Street) -> None:
    assert street.alerts.illegible() == []
    (alert,) = street.alerts.alerts(home="h1", unclosed=True)
    assert replace(alert) == street.alerts.alert(street.raised["h1"])


@dataclass
class Lived:
    """h1, with a line of everything the registry can hold; h2 beside it."""

    street: Street

    def __post_init__(self) -> None:
        now = self.street.now
        with self.street.registry.begin() as ledger:
            ledger.put_home(
                Home(
                    id="h1",
                    code="H1",
                    name="h1",
                    grid="g1",
                    zone=ZoneInfo("Asia/Shanghai"),
                    state=Monitoring.TRIAL,
                    rooms=(Room(id="r1", name="卧室", kind=RoomKind.BEDROOM),),
                    hubs=(Hub(id="hub1", home="h1"),),
                    sensors=(
                        Sensor(id="s1", hub="hub1", address="a1", name="门", room="r1", role=Role.EXIT_DOOR),
                        Sensor(id="s2", hub="hub1", address="a2", name="按钮", room="r1", role=Role.SOS),
                    ),
                    position=Position(30.2, 120.2),
                ),
                now,
            )
            ledger.put_profile(Profile(person="zhang", sex=Sex.MALE), now)
            contacts = [Contact(home="h1", person=one, relation=Relation.CHILD) for one in ("zhang", "wang")]
            ledger.put_contacts("h1", contacts, now)
            for key in ("min_floor_h", "max_h"):
                ledger.put_override(
                    Override(home="h1", key=key, value="3", author="x", reason="y", since=now, until=None)
                )
            for at, person in enumerate(("zhang", "wang")):
                shift = Shift(
                    place="g1",
                    duty=Duty.GRID_WORKER,
                    person=person,
                    begins=time(8),
                    ends=time(20 + at),
                    zone=ZoneInfo("Asia/Shanghai"),
                    first=now.date(),
                )
                ledger.put_shift(shift)
            ledger.put_holiday(Holiday(place="g1", day=now.date(), counts_as=7, name="x"))

    def changes(self) -> None:
        """Something is written about each of these, by another process."""
        with SqlRegistry(self.street.engine).begin() as ledger:
            for person in ("zhang", "wang", "ins"):
                ledger.put_phones(person, [f"1380000{len(person):04}"], self.street.now)
            ledger.put_override(
                Override(home="h1", key="k", value="1", author="x", reason="y", since=self.street.now, until=None)
            )
            ledger.put_area(Area(code="b", name="b", level="community"), self.street.now)
            ledger.put_contacts("h1", [], self.street.now + timedelta(seconds=1))


def _home(registry: SqlRegistry) -> Home:
    home = registry.home("h1")
    assert home is not None
    return home


SPOILT = {
    "household state": (("household", "state", "id", "h1"), lambda r: _home(r).state is Monitoring.GUARDED),
    "household zone": (("household", "zone", "id", "h1"), lambda r: _home(r).zone.key == "Asia/Shanghai"),
    "room": (("room", "kind", "id", "r1"), lambda r: [one.kind for one in _home(r).rooms] == [RoomKind.OTHER]),
    "sensor": (("sensor", "role", "id", "s1"), lambda r: [one.id for one in _home(r).sensors] == ["s2"]),
    "profile": (("profile", "sex", "person", "zhang"), lambda r: r.profile("zhang") is None),
    "contact": (("contact", "relation", "person", "wang"), lambda r: {c.person for c in r.contacts("h1")} <= {"zhang"}),
    "duty": (("duty", "duty", "person", "ins"), lambda r: {p for p, _ in _posts(r)} == {"zhang", "wang"}),
    "shift": (
        ("shift", "duty", "person", "zhang"),
        lambda r: {s.person for s in r.rota().shifts["g1", Duty.GRID_WORKER]} == {"wang"},
    ),
    "holiday": (("holiday", "day", "place", "g1"), lambda r: not r.rota().holidays),
    "plan": (("plan", "scope", "key", "max_h"), lambda r: "max_h" not in {o.key for o in r.overrides("h1")}),
}


def _posts(registry: SqlRegistry) -> set[tuple[str, Duty]]:
    return {(post.person, post.duty) for posts in registry.rota().posts.values() for post in posts}


@pytest.mark.parametrize("what", SPOILT)
def test_a_row_of_the_registry_that_cannot_be_read_takes_nobodys_watch_away(street: Street, what: str) -> None:
    lived = Lived(street)
    row, is_left_out = SPOILT[what]
    street.spoil(*row)
    started = SqlRegistry(street.engine)

    assert is_left_out(started)
    assert {home.id for home in started.homes()} == set(HOMES)
    (named,) = started.illegible()
    assert named.startswith(what.partition(" ")[0])

    street.desk = Desk(street.alerts, started)
    again = street.press("h1")
    street.goes_on(1)
    assert street.alerts.deliveries(again), "people are called"
    faults = [alert for alert in street.alerts.alerts(unclosed=True, limit=1000) if alert.code == FAILED]
    assert "book" in {alert.finding.fact("detector") for alert in faults}

    lived.changes()
    assert {home.id for home in started.homes()} == set(HOMES), "what was changed is read as well"
    assert started.person("zhang") is not None
    assert "k" in {line.key for line in started.overrides("h1")}


def test_who_edits_a_home_does_not_end_what_cannot_be_read_of_it(street: Street) -> None:
    Lived(street)
    street.spoil("sensor", "role", "id", "s1")
    edited = replace(_home(SqlRegistry(street.engine)), name="h1, edited", sensors=())
    with SqlRegistry(street.engine).begin() as ledger:
        ledger.put_home(edited, street.now + timedelta(seconds=1))

    with street.engine.connect() as connection:
        standing = connection.execute(text("select id from sensor where household = 'h1' and until is null"))
        assert [row.id for row in standing] == ["s1"], "the other was taken away, this one nobody saw"
    assert _home(SqlRegistry(street.engine)).name == "h1, edited"
