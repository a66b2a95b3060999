"""The monthly test of a button: announced it calls nobody, and everything else is as real as ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.desk import Desk
from alerts.drills import IN_TIME, Standing, button_lines, drill, standing, way_lines
from alerts.escalation import Reason
from alerts.selftest import LONGEST, SAME_TEST, WINDOW
from gateway.domain import (
    Area,
    Delivery,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Monitoring,
    Person,
    Purpose,
    Reach,
    Role,
    Sending,
    Sensor,
    Severity,
)
from gateway.registry import RegistrationError, Registry
from gateway.stores.memory import MemoryAlerts, MemoryRegistry

T0 = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LI = Person(
    id="li", name="李姐", reaches=(Reach(channel="console"), Reach(channel="webhook", address="https://x.test"))
)


def button(name: str) -> Sensor:
    return Sensor(id=name, hub="hub-1", address=name, name=name, room="", role=Role.SOS)


class House:
    """A home with two buttons, a grid worker, and a clock moved by hand."""

    def __init__(self) -> None:
        self.store = MemoryAlerts()
        self.registry = MemoryRegistry(self.store.trail)
        self.registrar = Registry(self.registry, lambda secret: secret, lambda hubs: None)
        self.desk = Desk(self.store, self.registry)
        with self.registry.begin() as book:
            book.put_area(Area(code="a", name="a", level="district"), T0)
            book.put_grid(Grid(code="g1", name="g", community="a"))
            home = Home(
                id="h1",
                code="A-1",
                name="王奶奶",
                grid="g1",
                zone=ZoneInfo("Asia/Shanghai"),
                hubs=(Hub(id="hub-1", home="h1"),),
                sensors=(button("pendant"), button("cord")),
            )
            book.put_home(home, T0)
            book.put_person(LI, T0)
            book.assign("li", Duty.GRID_WORKER, "g1", T0)

    def announce(self, at: datetime = T0) -> None:
        self.registrar.announce_button_test("h1", at + WINDOW, who="li", now=at)

    def press(self, at: datetime, sensor: str = "pendant", **facts: str) -> Reason:
        found = Finding(
            home="h1",
            code="sos",
            severity=Severity.EMERGENCY,
            since=at,
            at=at,
            facts=(("sensor", sensor), *facts.items()),
        )
        return self.desk.take([found], at)[0].reason


@pytest.fixture
def house() -> House:
    return House()


def test_an_announced_press_calls_nobody_and_is_kept(house):
    house.announce()

    assert house.press(T0 + MINUTE) is Reason.TESTED
    assert house.store.alerts() == []
    assert house.store.outbox(T0 + MINUTE) == []
    assert [(t.sensor, t.at, t.by) for t in house.store.button_tests("h1")] == [("pendant", T0 + MINUTE, "li")]
    assert next((act.who, act.what) for act in house.store.acts("h1")) == ("li", "button.tested")


def test_without_a_test_a_press_is_a_press(house):
    assert house.press(T0) is Reason.NEW


def test_before_and_after_the_window_a_press_is_real(house):
    house.announce()

    assert house.press(T0 + WINDOW) is Reason.NEW
    assert house.press(T0 + MINUTE, late_s="600") is not Reason.TESTED, "a press of earlier that was heard only now"


def test_whoever_presses_again_a_minute_later_means_it(house):
    house.announce()
    house.press(T0 + MINUTE)

    assert house.press(T0 + MINUTE + SAME_TEST) is Reason.TESTED, "pressed twice to be sure"
    assert house.press(T0 + MINUTE + SAME_TEST + timedelta(seconds=1)) is Reason.NEW


def test_each_button_has_its_own_test(house):
    house.announce()
    house.press(T0 + MINUTE, "pendant")

    assert house.press(T0 + 5 * MINUTE, "cord") is Reason.TESTED
    assert {t.sensor for t in house.store.button_tests()} == {"pendant", "cord"}


def test_a_button_that_was_not_announced_is_real(house):
    house.announce()

    assert house.press(T0 + MINUTE, "somebody-elses") is Reason.NEW


def test_smoke_during_a_test_is_smoke(house):
    house.announce()
    smoke = Finding(home="h1", code="smoke", severity=Severity.EMERGENCY, since=T0 + MINUTE, at=T0 + MINUTE)

    assert house.desk.take([replace(smoke, facts=(("sensor", "pendant"),))], T0 + MINUTE)[0].reason is Reason.NEW


def test_the_same_press_told_again_after_a_restart_calls_nobody_either(house):
    house.announce()
    house.press(T0 + MINUTE)
    house.registrar.announce_button_test("h1", T0 + 3 * WINDOW, who="li", now=T0 + 2 * WINDOW)

    assert house.press(T0 + MINUTE) is Reason.KNOWN
    assert house.store.alerts() == []


def test_a_window_is_short(house):
    with pytest.raises(RegistrationError):
        house.registrar.announce_button_test("h1", T0 + LONGEST + MINUTE, who="li", now=T0)
    with pytest.raises(RegistrationError):
        house.registrar.announce_button_test("h1", T0, who="li", now=T0)
    with pytest.raises(RegistrationError):
        house.registrar.announce_button_test("nowhere", T0 + MINUTE, who="li", now=T0)


def test_what_is_due_stands_first(house):
    house.announce()
    house.press(T0 + MINUTE, "pendant")
    plans = {"h1": house.registry.plan("h1", T0 + MINUTE)}

    lines = list(button_lines(house.registry.homes(), house.store.button_tests(), plans, T0 + MINUTE))
    assert [(line.sensor.id, line.is_due, line.announced is not None) for line in lines] == [
        ("cord", True, True),
        ("pendant", False, True),
    ]
    later = list(button_lines(house.registry.homes(), house.store.button_tests(), {}, T0 + timedelta(days=32)))
    assert all(line.is_due and line.announced is None for line in later)


@pytest.mark.parametrize("state", [Monitoring.REGISTERED, Monitoring.PAUSED, Monitoring.RETIRED])
def test_a_home_that_is_not_watched_owes_no_test(house, state):
    homes = [replace(home, state=state) for home in house.registry.homes()]

    assert list(button_lines(homes, [], {}, T0)) == []


# --------------------------------------------------------------------------- drills


def test_a_drill_goes_by_every_way_and_stands_in_the_ledger(house):
    messages = drill(house.desk, LI, "ma", T0)

    assert [(d.purpose, d.channel) for d in house.store.outbox(T0)] == [
        (Purpose.DRILL, "console"),
        (Purpose.DRILL, "webhook"),
    ]
    assert drill(house.desk, LI, "ma", T0) == messages
    assert len(house.store.outbox(T0)) == 2, "the same drill is said once"
    assert next((act.who, act.what) for act in house.store.acts("li")) == ("ma", "drill")


def trial(purpose: Purpose = Purpose.DRILL, **changes) -> Delivery:
    given = Delivery(
        id="drill/li/1/console",
        alert="drill/li/1",
        purpose=purpose,
        person="li",
        channel="console",
        address="",
        created_at=T0,
        state=Sending.SENT,
        sent_at=T0,
    )
    return replace(given, **changes)


@pytest.mark.parametrize(
    ("last", "after", "stands"),
    [
        (None, MINUTE, Standing.NEVER),
        (trial(), MINUTE, Standing.UNDER_WAY),
        (trial(delivered_at=T0), IN_TIME + MINUTE, Standing.UNANSWERED),
        (trial(answered_at=T0), IN_TIME + MINUTE, Standing.WELL),
        (trial(answered_at=T0), timedelta(days=32), Standing.OVERDUE),
        (trial(state=Sending.FAILED), MINUTE, Standing.FAILED),
        (trial(Purpose.TEST), timedelta(days=3), Standing.SENT),
        (trial(Purpose.TEST), timedelta(days=32), Standing.OVERDUE),
        (trial(state=Sending.WAITING, sent_at=None), IN_TIME + MINUTE, Standing.UNANSWERED),
    ],
)
def test_how_a_way_stands(last, after, stands):
    assert standing(last, T0 + after) is stands


def test_a_way_that_changed_was_never_tried():
    lines = way_lines([LI], [trial(answered_at=T0), trial(channel="webhook", address="https://old.test")], T0 + MINUTE)

    assert [(line.reach.channel, line.standing) for line in lines] == [
        ("webhook", Standing.NEVER),
        ("console", Standing.WELL),
    ]
