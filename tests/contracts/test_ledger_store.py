"""What every store keeps of a message after it was sent, of what comes back, and of tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain import (
    Act,
    ButtonTest,
    Delivery,
    Elder,
    Entry,
    Grid,
    Home,
    Override,
    Person,
    Purpose,
    Reach,
    Sending,
    Stage,
)
from gateway.domain.visit import Visit
from gateway.stores.memory import MemoryAlerts, MemoryRegistry
from gateway.stores.roll import STANDARD_ZONE
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", "sqlite"])
def stores(request, tmp_path):
    if request.param == "memory":
        alerts = MemoryAlerts()
        return alerts, MemoryRegistry(alerts.trail)
    book = open_book(f"sqlite:///{tmp_path / 'gateway.db'}")
    return SqlAlerts(book), SqlRegistry(book)


@pytest.fixture
def alerts(stores):
    return stores[0]


def sent(number: int, **changes) -> Delivery:
    delivery = Delivery(
        id=f"a/page/0.0/li/sms.{number}",
        alert="a",
        purpose=Purpose.PAGE,
        person="li",
        channel="tencent_sms",
        address="13800138000",
        created_at=T0,
        state=Sending.SENT,
        sent_at=T0 + number * MINUTE,
        message=f"no-{number}",
    )
    return replace(delivery, **changes)


def keep(alerts, *deliveries: Delivery) -> None:
    with alerts.begin() as ledger:
        for delivery in deliveries:
            ledger.queue(delivery)


def test_how_far_a_message_came_is_kept_with_each_time(alerts):
    keep(alerts, sent(1))
    whole = sent(
        1,
        code="DELIVRD",
        reason="why",
        lasting=True,
        failed_at=T0,
        delivered_at=T0 + MINUTE,
        opened_at=T0 + 2 * MINUTE,
        answered_at=T0 + 3 * MINUTE,
    )
    with alerts.begin() as ledger:
        ledger.update(whole)

    assert alerts.delivery(whole.id) == whole
    assert alerts.delivery(whole.id).stage is Stage.ANSWERED
    assert alerts.delivery("nobody") is None


def test_a_stage_is_the_furthest_that_was_reached():
    assert sent(1).stage is Stage.SENT
    assert sent(1, delivered_at=T0).stage is Stage.DELIVERED
    assert sent(1, delivered_at=T0, opened_at=T0).stage is Stage.OPENED
    assert sent(1, opened_at=T0, answered_at=T0).stage is Stage.ANSWERED
    assert sent(1, state=Sending.FAILED).stage is Stage.FAILED
    assert sent(1, state=Sending.WAITING).stage is Stage.WAITING


def test_a_provider_is_understood_by_its_own_id(alerts):
    keep(alerts, sent(1), sent(2), sent(3, message=""))

    assert alerts.by_message("tencent_sms", "no-2").id == sent(2).id
    assert alerts.by_message("aliyun_sms", "no-2") is None
    assert alerts.by_message("tencent_sms", "") is None


def test_what_was_sent_lately_newest_first(alerts):
    keep(alerts, *(sent(n) for n in range(5)), sent(9, channel="wecom"), sent(8, state=Sending.WAITING, sent_at=None))

    found = alerts.sent("tencent_sms", T0 + 2 * MINUTE)

    assert [d.message for d in found] == ["no-4", "no-3", "no-2"]
    assert [d.message for d in alerts.sent("tencent_sms", T0, limit=1)] == ["no-4"]
    with pytest.raises(ValueError, match="aware"):
        alerts.sent("tencent_sms", datetime(2026, 11, 21))  # noqa: DTZ001 (refused is what it must be)


def test_a_word_from_outside_is_known_again(alerts):
    assert not alerts.was_heard("one")
    for _ in range(2):
        with alerts.begin() as ledger:
            ledger.hear("one", T0)

    assert alerts.was_heard("one")
    assert not alerts.was_heard("two")


def test_the_newest_test_of_each_way(alerts):
    drill = {"purpose": Purpose.DRILL, "alert": "drill"}
    keep(
        alerts,
        sent(1),
        sent(2, **drill),
        sent(3, purpose=Purpose.TEST, state=Sending.FAILED),
        sent(4, **drill, address="13900139000"),
        sent(5, **drill, person="zhao"),
    )

    assert [d.message for d in alerts.trials()] == ["no-3", "no-4", "no-5"]
    assert [d.message for d in alerts.trials("zhao")] == ["no-5"]
    assert alerts.trials("nobody") == []


def test_the_newest_test_of_each_button(alerts):
    first, again, other = (
        ButtonTest(home="h1", sensor="sos", at=T0, by="li"),
        ButtonTest(home="h1", sensor="sos", at=T0 + MINUTE, by="zhao"),
        ButtonTest(home="h2", sensor="cord", at=T0, by=""),
    )
    for test in (first, again, other):
        with alerts.begin() as ledger:
            ledger.keep_test(test)

    assert alerts.button_tests() == [again, other]
    assert alerts.button_tests("h1") == [again]


def test_visits_are_kept_once_and_the_newest_at_which_somebody_was_met(alerts):
    first = Visit(home="h1", at=T0, person="li", elder=Elder.NEEDS_HELP, note="药", proof="code")
    again = replace(first, at=T0 + MINUTE, elder=Elder.WELL)
    vain = replace(first, at=T0 + 2 * MINUTE, elder=Elder.NOT_REACHED)
    other = replace(first, home="h2", elder=Elder.NOT_REACHED)
    for visit in (again, first, vain, other, replace(first, note="twice")):
        with alerts.begin() as ledger:
            ledger.keep_visit(visit)

    assert alerts.visits("h1") == [first, again, vain]
    assert alerts.visits(since=again.at, until=vain.at) == [again]
    assert alerts.last_visits() == alerts.last_visits("h1") == [again]
    assert alerts.last_visits("h2") == []
    with alerts.begin() as ledger:
        ledger.forget_home("h1", (), "gone")
    assert alerts.visits("h1") == [] and alerts.visits("h2") == [other]


def away(home: str, **changes) -> Override:
    line = Override(
        home=home, key="absence", value="family", since=T0, until=T0 + MINUTE, author="daughter", reason="family"
    )
    return replace(line, **changes)


def test_what_is_said_of_an_alert_may_be_said_of_the_home_in_one_transaction(book):
    alerts, registry = book.alerts, book.registry
    with registry.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一网格", community=""))
        ledger.put_home(Home(id="h1", code="A-1", name="王奶奶", grid="g1", zone=STANDARD_ZONE), T0)
    version = registry.version()

    with alerts.begin() as ledger:
        ledger.put_override(away("h1"))
        ledger.audit(Act(at=T0, who="daughter", what="plan.home", ref="h1"))

    assert registry.overrides("h1") == [away("h1")]
    assert registry.plan("h1", T0) == [away("h1")]
    assert registry.version() > version, "whoever keeps what it read has to read anew"


def test_a_transaction_that_falls_leaves_the_plan_as_it_was(book):
    alerts, registry = book.alerts, book.registry
    with registry.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一网格", community=""))
        ledger.put_home(Home(id="h1", code="A-1", name="王奶奶", grid="g1", zone=STANDARD_ZONE), T0)

    with pytest.raises(OSError, match="no power"), alerts.begin() as ledger:
        ledger.put_override(away("h1"))
        raise OSError("no power")
    with pytest.raises(LookupError, match="nowhere"), alerts.begin() as ledger:
        ledger.write(Entry(alert="a", at=T0, what="family"))
        ledger.put_override(away("nowhere"))

    assert registry.overrides("h1") == []
    assert alerts.history("a") == []


def test_ways_in_a_row_are_registered(stores):
    reaches = (
        Reach(channel="wecom_app", address="li"),
        Reach(channel="tencent_sms", address="1", after=timedelta(minutes=5)),
    )
    with stores[1].begin() as ledger:
        ledger.put_person(Person(id="li", name="李姐", reaches=reaches), T0)

    assert stores[1].person("li").reaches == reaches


def test_what_became_of_a_days_messages_is_counted_by_channel_and_answer(alerts):
    keep(
        alerts,
        sent(1),
        sent(2, delivered_at=T0 + 3 * MINUTE),
        sent(3, state=Sending.FAILED, code="isv.LIMIT", reason="触发流控", sent_at=None),
        sent(4, state=Sending.FAILED, code="isv.LIMIT", reason="触发流控", sent_at=None, created_at=T0 + MINUTE),
        sent(5, channel="email"),
        sent(6, created_at=T0 - MINUTE),
    )

    counted = {(c.channel, c.state, c.arrived, c.code): (c.count, c.reason, c.last) for c in alerts.carried(T0)}

    assert counted == {
        ("email", Sending.SENT, False, ""): (1, "", T0),
        ("tencent_sms", Sending.SENT, False, ""): (1, "", T0),
        ("tencent_sms", Sending.SENT, True, ""): (1, "", T0),
        ("tencent_sms", Sending.FAILED, False, "isv.LIMIT"): (2, "触发流控", T0 + MINUTE),
    }
