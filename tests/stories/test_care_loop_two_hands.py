"""Two processes at one file: a page, the command line and the gateway itself act at the same moment."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.desk import Desk
from alerts.escalation import Reason
from gateway.domain import (
    Area,
    Duty,
    Finding,
    Grid,
    Home,
    Outcome,
    Person,
    Purpose,
    Reach,
    Sending,
    Severity,
    State,
)
from gateway.ports import AlertStore, RegistryStore
from gateway.stores.memory import MemoryAlerts, MemoryRegistry
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
LONG_AGO = T0 - timedelta(days=30)
HANDS = 6
DUTIES = {"zhang": Duty.GRID_WORKER, "li": Duty.DEPUTY, "wang": Duty.SUPERVISOR}

Stores = tuple[AlertStore, RegistryStore]


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@pytest.fixture(params=["memory", "sqlite"])
def open_again(request, tmp_path) -> Iterator[Callable[[], Stores]]:
    """Opens the same book once more, as another process would."""
    engines = []
    if request.param == "memory":
        alerts = MemoryAlerts()
        stores = (alerts, MemoryRegistry(alerts.trail))

        def again() -> Stores:
            return stores
    else:

        def again() -> Stores:
            engine = open_book(f"sqlite:///{tmp_path / 'gateway.db'}")
            engines.append(engine)
            return SqlAlerts(engine), SqlRegistry(engine)

    _, registry = again()
    with registry.begin() as book:
        book.put_area(Area(code="a", name="a", level="district"), LONG_AGO)
        book.put_grid(Grid(code="g1", name="g", community="a"))
        home = Home(id="h1", code="A-1", name="王奶奶", grid="g1", zone=ZoneInfo("Asia/Shanghai"))
        book.put_home(home, LONG_AGO)
        for person, duty in DUTIES.items():
            book.put_person(Person(id=person, name=person, reaches=(Reach(channel="phone"),)), LONG_AGO)
            book.assign(person, duty, "g1", LONG_AGO)
    yield again
    for engine in engines:
        engine.dispose()


def all_at_once(open_again: Callable[[], Stores], act: Callable[[Desk, int], object]) -> list[object]:
    """Each hand has a desk of its own, and all act at the same moment."""
    desks = [Desk(*open_again()) for _ in range(HANDS)]
    ready = threading.Barrier(HANDS)

    def hand(number: int) -> object:
        ready.wait()
        return act(desks[number], number)

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(hand, range(HANDS)))


def press(second: float = 0) -> Finding:
    return Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=at(second), at=at(second))


def test_one_press_is_one_alert(open_again):
    verdicts = all_at_once(open_again, lambda desk, n: desk.take([press()], T0)[0])

    store, _ = open_again()
    assert Counter(v.reason for v in verdicts) == {Reason.NEW: 1, Reason.KNOWN: HANDS - 1}
    (alert,) = store.alerts()
    assert alert.count == 1
    assert len(store.deliveries(alert.id)) == 1


def test_many_presses_are_all_counted(open_again):
    all_at_once(open_again, lambda desk, n: [desk.take([press(n + k / 10)], at(1)) for k in range(5)])

    (alert,) = open_again()[0].alerts()
    assert alert.count == HANDS * 5


def test_one_of_all_who_accept_has_it(open_again):
    store, registry = open_again()
    alert = Desk(store, registry).take([press()], T0)[0].alert

    verdicts = all_at_once(open_again, lambda desk, n: desk.accept(alert.id, f"person-{n}", at(5)))

    assert Counter(v.reason for v in verdicts) == {Reason.DONE: 1, Reason.TAKEN: HANDS - 1}
    owner = store.alert(alert.id).owner
    assert {v.owner for v in verdicts} == {owner}
    assert [e.who for e in store.history(alert.id) if e.what == "accepted"] == [owner]


def test_a_rung_is_climbed_once_however_many_look_at_the_clock(open_again):
    store, registry = open_again()
    alert = Desk(store, registry).take([press()], T0)[0].alert

    all_at_once(open_again, lambda desk, n: desk.tick(at(60)))
    all_at_once(open_again, lambda desk, n: desk.tick(at(180)))

    assert [dict(e.facts)["rung"] for e in store.history(alert.id) if e.what == "told"] == ["0", "1", "2"]
    assert len(store.deliveries(alert.id)) == 3


def test_accepting_and_climbing_at_the_same_moment_leave_nobody_paged(open_again):
    store, registry = open_again()
    alert = Desk(store, registry).take([press()], T0)[0].alert

    all_at_once(open_again, lambda desk, n: desk.accept(alert.id, "li", at(60)) if n == 0 else desk.tick(at(60)))

    waiting = [d for d in store.deliveries(alert.id) if d.state is Sending.WAITING]
    assert store.alert(alert.id).state is State.ACCEPTED
    assert waiting == []
    assert store.next_timer() == at(60) + timedelta(minutes=5)  # when whoever has it is asked whether anything happens


def test_resolved_once_and_with_one_outcome(open_again):
    store, registry = open_again()
    alert = Desk(store, registry).take([press()], T0)[0].alert
    outcomes = list(Outcome)

    verdicts = all_at_once(open_again, lambda desk, n: desk.resolve(alert.id, f"p{n}", outcomes[n], "", at(9)))

    assert Counter(v.reason for v in verdicts) == {Reason.DONE: 1, Reason.OVER: HANDS - 1}
    (resolved,) = [e for e in store.history(alert.id) if e.what == "resolved"]
    assert dict(resolved.facts)["outcome"] == store.alert(alert.id).outcome.value


def test_what_was_said_and_what_was_accepted_at_the_same_moment_ends_with_who_has_it(open_again):
    store, registry = open_again()
    alert = Desk(store, registry).take([press()], T0)[0].alert
    (page,) = store.deliveries(alert.id)

    all_at_once(open_again, lambda desk, n: desk.accept(alert.id, "li", at(1)) if n == 0 else desk.said(page.id, at(1)))

    states = {d.purpose: d.state for d in store.deliveries(alert.id)}
    assert states == {Purpose.PAGE: Sending.SENT, Purpose.TAKEN: Sending.WAITING}
    assert [e.what for e in store.history(alert.id)].count("sent") == 1


def test_the_whole_life_of_an_alert_reads_the_same_from_the_book(open_again):
    store, registry = open_again()
    desk = Desk(store, registry)
    alert = desk.take([press()], T0)[0].alert
    desk.said(store.deliveries(alert.id)[0].id, at(0.2))
    desk.tick(at(60))
    desk.gave_up(store.deliveries(alert.id)[1].id, "no such number", at(61))
    desk.put_off(store.deliveries(alert.id)[2].id, "HTTP 503", at(63), at(62))
    desk.take([press(70)], at(70))
    desk.accept(alert.id, "wang", at(80), "link")
    desk.take([press(90)], at(90))
    desk.on_the_way(alert.id, "wang", at(100))
    desk.hand_over(alert.id, "wang", "zhang", at(200), why="我在医院")
    desk.on_site(alert.id, "zhang", at(600), proof="door")
    desk.note(alert.id, "zhang", "门是开着的", at(610))
    desk.resolve(alert.id, "zhang", Outcome.ASSISTANCE_GIVEN, "扶起", at(900))
    desk.follow_up(alert.id, "li", "", at(901))
    desk.close(alert.id, "li", at(902))

    end = open_again()[0].alert(alert.id)
    history = [e.what for e in store.history(alert.id)]
    assert (end.state, end.count, end.owner, end.note) == (State.CLOSED, 3, "zhang", "扶起")
    assert (end.on_site_at, end.overdue_at, end.coordinator) == (at(600), at(60), "")
    assert history == [
        *["raised", "told", "sent", "overdue", "told", "failed", "told", "put-off", "again"],
        *["accepted", "again", "en-route", "handed", "on-site", "note", "resolved", "followed-up", "closed"],
    ]
    assert [(d.purpose.value, d.person, d.state.value) for d in store.deliveries(alert.id)] == [
        ("page", "zhang", "sent"),
        ("page", "li", "failed"),
        ("page", "wang", "withdrawn"),
        ("taken", "zhang", "waiting"),
        ("again", "wang", "withdrawn"),
        ("handed", "zhang", "withdrawn"),
    ]
    assert {event.ref for event in store.events(0) if event.topic == "alert"} == {alert.id}
