"""A row of the book that cannot be read, as after a way back to an older version, costs what it is about."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from live_postgres import LivePostgres
from sqlalchemy import Engine, text

from alerts.desk import Desk
from gateway.domain import Area, Duty, Finding, Grid, Home, Person, Reach, Severity
from gateway.domain.fault import FAILED
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
    assert caplog.text.count("a row cannot be read and is left out") == 1
    assert street.alerts.next_delivery() is not None


def test_what_can_be_read_is_the_same_as_ever(street: Street) -> None:
    assert street.alerts.illegible() == []
    (alert,) = street.alerts.alerts(home="h1", unclosed=True)
    assert replace(alert) == street.alerts.alert(street.raised["h1"])
