"""`shouwang tell`: the installer tries every way to reach the grid worker while both stand in the same room."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import ConfigError, Refused
from gateway.domain import Person, Reach
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUWANG_LANGUAGE", "en")
    return tmp_path


@pytest.fixture
def book(state):
    return open_book(f"sqlite:///{state / 'gateway.db'}")


@pytest.fixture
def shouwang(state, book):
    def terminal(*line):
        ran = CliRunner().invoke(app, [*line, "--state", str(state)])
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.output, ran.exit_code

    return terminal


def register(book, *reaches: Reach) -> None:
    with SqlRegistry(book).begin() as ledger:
        ledger.put_person(Person(id="zhang", name="张师傅", reaches=reaches), datetime(2026, 1, 1, tzinfo=UTC))


def test_each_way_is_tried_and_what_it_said_is_printed(shouwang, book):
    register(
        book,
        Reach(channel="console"),
        Reach(channel="webhook", address="http://127.0.0.1:1/hook"),
        Reach(channel="webhook", address="nowhere"),
        Reach(channel="aliyun_sms", address="13800138000"),
    )

    said, exit_code = shouwang("tell", "zhang")

    lines = [line.split(maxsplit=1) for line in said.splitlines() if line[:1].isalpha()]
    assert [name for name, _ in lines] == ["console", "webhook", "webhook.2", "aliyun_sms"]
    assert [told.partition("  (")[0].partition(": ")[0] for _, told in lines] == [
        "已发 sent",
        "no connection",
        "not an address that could work",
        "there is no such channel",
    ]
    assert exit_code == 1
    assert "13800138000" not in said


def test_a_person_who_can_be_told_ends_well_and_it_is_written_down_who_tried(shouwang, book):
    register(book, Reach(channel="console"))

    assert shouwang("tell", "zhang", "--who", "zhao")[1] == 0
    assert [(act.who, act.what) for act in SqlAlerts(book).acts("zhang")] == [("zhao", "tell")]


def test_somebody_unknown_or_without_any_way_is_refused(shouwang, book):
    register(book)

    with pytest.raises(Refused, match="There is no person 'li'"):
        shouwang("tell", "li")
    with pytest.raises(Refused, match="Nothing reaches zhang"):
        shouwang("tell", "zhang")


def test_check_names_whom_nothing_would_reach(shouwang, book):
    register(book, Reach(channel="dingtalk", address="钉钉群"), Reach(channel="console"))

    with pytest.raises(ConfigError, match="zhang: the address for 'dingtalk' is not an address that could work"):
        shouwang("check")
