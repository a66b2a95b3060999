"""`shouwang visits`, as somebody types it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.clock import SystemClock
from gateway.config import Refused
from gateway.domain import Area, Grid, Home, Person, Profile, Risk
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUWANG_LANGUAGE", "en")
    book = open_book(f"sqlite:///{tmp_path / 'gateway.db'}")
    with SqlRegistry(book).begin() as ledger:
        ledger.put_area(Area(code="a", name="a", level="district"), LONG_AGO)
        ledger.put_grid(Grid(code="g1", name="g", community="a"))
        for person in ("wang", "liu"):
            ledger.put_person(Person(id=person, name=person), LONG_AGO)
        ledger.put_profile(Profile(person="wang", risk=Risk.HIGH), LONG_AGO)
        home = Home(
            id="h1",
            code="A-1",
            name="王奶奶",
            grid="g1",
            zone=ZoneInfo("Asia/Shanghai"),
            person="wang",
            trial_until=LONG_AGO,
        )
        ledger.put_home(home, LONG_AGO)
    return book


@pytest.fixture
def shouwang(book, tmp_path):
    def terminal(*line):
        ran = CliRunner().invoke(app, ["visits", *line, "--state", str(tmp_path)])
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.output

    return terminal


def test_what_is_due_is_listed_until_somebody_was_there(shouwang, book):
    assert "h1" in shouwang("list") and "2026-01-08" in shouwang("list")

    assert "noted" in shouwang("done", "h1", "--person", "liu", "--note", "聊了天", "--who", "ma")

    (visit,) = SqlAlerts(book).visits("h1")
    assert (visit.person, visit.note) == ("liu", "聊了天") and "聊了天" in shouwang("show", "h1")
    assert ("ma", "visit") in {(act.who, act.what) for act in SqlAlerts(book).acts("h1")}
    assert "anywhere" in shouwang("list") and "liu" in shouwang("list", "--all")


def test_a_day_is_set_and_what_cannot_be_is_refused(shouwang, book):
    ahead = (SystemClock().now() + timedelta(days=9)).date()

    assert f"{ahead}" in shouwang("on", "h1", f"{ahead}", "--why", "重阳")
    assert [line.key for line in SqlRegistry(book).overrides("h1")] == ["visit_on"]
    with pytest.raises(Refused, match="no date"):
        shouwang("on", "h1", "soon", "--why", "重阳")
    with pytest.raises(Refused, match="no person"):
        shouwang("done", "h1", "--person", "nobody")
    with pytest.raises(Refused, match="not come yet"):
        shouwang("done", "h1", "--person", "liu", "--at", f"{ahead}")
