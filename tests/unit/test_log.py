"""Logs carry ids and never names, addresses, telephone numbers or secrets, whatever goes wrong."""

import io
import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from pages_house import Rig

from alerts.courier import Courier
from detectors import Watch
from gateway.domain import Area, Duty, Finding, Grid, Person, Reach, Severity
from gateway.log import set_up_log
from gateway.ports import Context, TryLater, Undeliverable
from gateway.stores.sql import SqlRegistry, open_book

PRIVATE = ("王奶奶", "东风路", "钥匙在门卫处", "刘网格员", "13800138000", "a long enough password", "gu8rd-tok3n")


@pytest.fixture
def logged():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    told = io.StringIO()
    set_up_log("debug", "json", told)
    yield told
    root.handlers[:] = before
    root.setLevel(level)


def lines(told: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in told.getvalue().splitlines()]


def private_in(text: str) -> list[str]:
    return [word for word in PRIVATE if word in text or word in text.encode().decode("unicode_escape", "ignore")]


class Refusing:
    """A carrier that says no in every way there is."""

    def __init__(self) -> None:
        self.noes = [TryLater("no answer"), Undeliverable("no such number"), ValueError("a fault of ours")]

    async def send(self, delivery, letter):
        if self.noes:
            raise self.noes.pop(0)


class Broken:
    """A detector that has a home in its hands when it breaks."""

    state = None

    def __init__(self, home) -> None:
        self.home = home

    def observe(self, reading, context):
        whose = self.home.name
        raise LookupError(len(whose))

    tick = observe

    def due(self):
        return None


@pytest.mark.faulty
async def test_a_day_with_everything_going_wrong_names_nobody(logged):
    rig = Rig()
    with rig.registry.begin() as ledger:
        ways = (Reach(channel="phone", address="13800138000"), Reach(channel="phone", address="gu8rd-tok3n"))
        ledger.put_person(Person(id="liu", name="刘网格员", reaches=ways), rig.clock.now())
    now = rig.clock.now()
    rig.desk.take([Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=now, at=now)], now)
    courier = Courier(rig.alerts, rig.desk, rig.registry, {"phone": Refusing()}, rig.clock, rig.links.link)
    for _ in range(5):
        await courier.round()
        rig.clock.go_on(seconds=61)
        rig.desk.tick(rig.clock.now())
    browser = rig.signed_in("ma", Duty.SUPERVISOR)
    for path in ("/", "/homes/h1", f"/homes/{'x' * 300}", "/alerts/nothing", "/healthz"):
        browser.get(path)
    browser.post("/login", data={"login": "ma", "password": "a long enough password"})
    watch = Watch(rig.registry.home("h1"), {"broken": Broken(rig.registry.home("h1"))})
    list(watch.tick(now + timedelta(days=1), Context()))

    said = lines(logged)
    assert {"undeliverable", "channel fails", "delivery failed"} <= {line["event"] for line in said}
    assert private_in(logged.getvalue()) == []


def test_what_a_fault_held_in_its_hands_stays_out_of_the_log(logged):
    def break_down() -> None:
        resident, phone = "王奶奶", "13800138000"
        raise LookupError(len(resident + phone))

    try:
        break_down()
    except LookupError:
        logging.getLogger("test").exception("it broke", extra={"home": "h1"})

    (said,) = lines(logged)
    assert said["event"] == "it broke" and said["home"] == "h1"
    assert said["exception"][0]["frames"][-1]["name"] == "break_down"
    assert private_in(logged.getvalue()) == []


def test_what_a_statement_was_to_write_stays_out_of_the_log(logged, tmp_path: Path):
    registry = SqlRegistry(book := open_book(f"sqlite:///{tmp_path}/gateway.db"))
    with registry.begin() as ledger:
        ledger.put_area(Area(code="1", name="东风社区", level="community"), Rig().clock.now())
        ledger.put_grid(Grid(code="g1", name="g1", community="1"))
    with book.begin() as connection:
        connection.exec_driver_sql("drop table person")

    try:
        with registry.begin() as ledger:
            ledger.put_person(Person(id="liu", name="刘网格员"), Rig().clock.now())
    except Exception:
        logging.getLogger("test").exception("it broke")

    assert "no such table: person" in logged.getvalue()
    assert private_in(logged.getvalue()) == []


def test_at_a_terminal_it_is_text():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    told = io.StringIO()
    try:
        set_up_log("info", "text", told)
        logging.getLogger("test").info("listening", extra={"home": "h1"})
    finally:
        root.handlers[:] = before
        root.setLevel(level)

    assert "listening" in told.getvalue() and "home=h1" in told.getvalue()
    assert not told.getvalue().startswith("{")
