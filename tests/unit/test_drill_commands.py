"""`shouwang drill` and `shouwang receipts`, as somebody types them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.clock import SystemClock
from gateway.config import Refused
from gateway.domain import (
    Area,
    ButtonTest,
    Grid,
    Home,
    Hub,
    Person,
    Purpose,
    Reach,
    Role,
    Sending,
    Sensor,
    Stage,
)
from gateway.sheets.columns import _reaches
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUWANG_LANGUAGE", "en")
    monkeypatch.setattr("gateway.commands.drill.LOOK_EVERY_S", 0.01)
    book = open_book(f"sqlite:///{tmp_path / 'gateway.db'}")
    with SqlRegistry(book).begin() as ledger:
        ledger.put_area(Area(code="a", name="a", level="district"), LONG_AGO)
        ledger.put_grid(Grid(code="g1", name="g", community="a"))
        ledger.put_person(Person(id="zhang", name="张师傅", reaches=(Reach(channel="console"),)), LONG_AGO)
        ledger.put_person(Person(id="li", name="李姐"), LONG_AGO)
        button = Sensor(id="pendant", hub="hub-1", address="p", name="p", room="", role=Role.SOS)
        home = Home(id="h1", code="A-1", name="x", grid="g1", zone=ZoneInfo("Asia/Shanghai"))
        ledger.put_home(replace(home, hubs=(Hub(id="hub-1", home="h1"),), sensors=(button,)), LONG_AGO)
        ledger.put_home(replace(home, id="h2", code="A-2"), LONG_AGO)
    return book


@pytest.fixture
def shouwang(book, tmp_path):
    def terminal(*line):
        ran = CliRunner().invoke(app, [*line, "--state", str(tmp_path)])
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.output, ran.exit_code

    return terminal


def test_a_drill_stands_in_the_outbox_of_the_running_gateway(shouwang, book):
    said, exit_code = shouwang("drill", "person", "zhang", "--wait", "0", "--who", "ma")

    (message,) = SqlAlerts(book).outbox(SystemClock().now())
    assert (message.purpose, message.person) == (Purpose.DRILL, "zhang")
    assert (said.split(), exit_code) == (["console", "waiting"], 0)
    assert [(act.who, act.what) for act in SqlAlerts(book).acts("zhang")] == [("ma", "drill")]


def test_whoever_waits_for_an_answer_and_gets_none_is_told_so(shouwang):
    assert shouwang("drill", "person", "zhang", "--wait", "0.001")[1] == 1


def test_who_cannot_be_drilled_is_refused(shouwang):
    with pytest.raises(Refused, match="There is no person 'nobody'"):
        shouwang("drill", "person", "nobody")
    with pytest.raises(Refused, match="Nothing reaches li"):
        shouwang("drill", "person", "li")


def test_a_test_of_buttons_is_announced(shouwang, book):
    said, exit_code = shouwang("drill", "button", "h1", "--no-wait", "--who", "li")

    assert "Press now, each button once: pendant." in said
    assert exit_code == 0
    assert [line.author for line in SqlRegistry(book).plan("h1", SystemClock().now()) if line.key == "button_test"] == [
        "li"
    ]


def test_a_home_without_a_button_is_refused(shouwang):
    with pytest.raises(Refused, match="There is no emergency button in home 'h2'"):
        shouwang("drill", "button", "h2")


def test_what_is_overdue_stands_on_the_list_and_what_was_proven_does_not(shouwang, book):
    said, _ = shouwang("drill", "list")
    assert [line.split() for line in said.splitlines()] == [
        ["never", "zhang", "console", "-"],
        ["due", "h1", "pendant", "-"],
    ]

    shouwang("tell", "zhang")
    with SqlAlerts(book).begin() as ledger:
        ledger.keep_test(ButtonTest(home="h1", sensor="pendant", at=SystemClock().now() - timedelta(days=3), by="li"))

    assert shouwang("drill", "list")[0] == ""
    assert [line.split()[:3] for line in shouwang("drill", "list", "--all")[0].splitlines()] == [
        ["sent", "zhang", "console"],
        ["well", "h1", "pendant"],
    ]


def test_what_tell_heard_is_kept(shouwang, book):
    reaches = (Reach(channel="console"), Reach(channel="webhook", address="nowhere"))
    with SqlRegistry(book).begin() as ledger:
        ledger.put_person(Person(id="zhang", name="张师傅", reaches=reaches), SystemClock().now())

    shouwang("tell", "zhang")

    console, webhook = SqlAlerts(book).trials("zhang")
    assert (console.stage, console.purpose) == (Stage.SENT, Purpose.TEST)
    assert (webhook.state, webhook.lasting) == (Sending.FAILED, True)
    assert SqlAlerts(book).outbox(SystemClock().now()) == [], "nothing of it is left to be carried"


def test_the_addresses_for_providers(shouwang, tmp_path):
    (tmp_path / "page.secret").write_bytes(b"x" * 32)

    said = shouwang("receipts")[0].splitlines()

    assert [line.split()[0] for line in said] == [
        "aliyun_sms",
        "aliyun_voice",
        "tencent_sms",
        "tencent_voice",
        "webhook",
    ]
    keys = {line.split()[1].rpartition("/")[2] for line in said[:4]}
    assert len(keys) == 4
    assert all(len(key) == 32 for key in keys)
    assert "shut: set channels.webhook.secret" in said[4]


def test_a_way_that_waits_is_read_from_a_sheet():
    assert _reaches("console; +5 tencent_sms 13800138000") == (
        Reach(channel="console"),
        Reach(channel="tencent_sms", address="13800138000", after=timedelta(minutes=5)),
    )


def test_a_way_that_waits_for_others_is_registered(shouwang, book):
    shouwang("people", "put", "li", "--reach", "console", "--reach", "+5 webhook:https://x.test")

    assert SqlRegistry(book).person("li").reaches == (
        Reach(channel="console"),
        Reach(channel="webhook", address="https://x.test", after=timedelta(minutes=5)),
    )


def test_another_way_is_tried_first_and_waits_for_nothing(shouwang, book):
    shouwang("people", "put", "li", "--reach", "console", "--reach", "+5 webhook:https://x.test")
    shouwang("people", "first", "li", "webhook")

    assert SqlRegistry(book).person("li").reaches == (
        Reach(channel="webhook", address="https://x.test"),
        Reach(channel="console", after=timedelta(minutes=5)),
    )
