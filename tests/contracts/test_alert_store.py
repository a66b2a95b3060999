"""What every store of alerts keeps: all or nothing, each thing once, in the order in which people need it."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

import gateway
from gateway.domain import (
    OVER,
    RINGING,
    TAKEN,
    Act,
    Alert,
    Delivery,
    Duty,
    Entry,
    Event,
    Finding,
    Joined,
    Judgement,
    Ladder,
    Outcome,
    Purpose,
    Rung,
    Sending,
    Severity,
    State,
)
from gateway.ports import Timer
from gateway.stores import WrongBook
from gateway.stores.book import HEAD, upsert, writing
from gateway.stores.migrations import alembic_config, downgrade, upgrade
from gateway.stores.sql import SqlAlerts, open_book, revision
from gateway.stores.tables import metadata

MORNING = datetime(2026, 11, 21, 0, 5, 0, 123_000, UTC)
NAIVE = datetime(2026, 11, 21, 8, 5)  # noqa: DTZ001  (it is the naivety that is examined)
LADDER = Ladder(
    rungs=(Rung(duty=Duty.GRID_WORKER, wait=timedelta(seconds=60)), Rung(duty=Duty.DEPUTY, wait=timedelta(minutes=2))),
    repeat=timedelta(minutes=5),
)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def a_finding(home="h1", code="sos", since=MORNING, severity=Severity.EMERGENCY, subject="") -> Finding:
    return Finding(
        home=home,
        code=code,
        severity=severity,
        since=since,
        at=since + timedelta(seconds=1),
        subject=subject,
        facts=(("sensor", "按钮"), ("room", "bedroom")),
        blind=("motion-kitchen",),
    )


def an_alert(finding: Finding | None = None, **changes) -> Alert:
    finding = finding or a_finding()
    alert = Alert(
        id=finding.id,
        home=finding.home,
        code=finding.code,
        subject=finding.subject,
        severity=finding.severity,
        state=State.RAISED,
        ladder=LADDER,
        raised_at=finding.at,
        finding=finding,
    )
    return replace(alert, **changes)


def a_delivery(alert: Alert, number: int = 0, **changes) -> Delivery:
    delivery = Delivery(
        id=f"{alert.id}/page/0/{number}",
        alert=alert.id,
        purpose=Purpose.PAGE,
        person="li",
        channel="console",
        address="",
        created_at=alert.raised_at,
    )
    return replace(delivery, **changes)


def saved(alerts, *new: Alert) -> None:
    with alerts.begin() as ledger:
        for alert in new:
            ledger.save(alert)


def queued(alerts, *new: Delivery) -> None:
    with alerts.begin() as ledger:
        for delivery in new:
            ledger.queue(delivery)


def test_what_is_done_before_the_commit_is_done_when_nobody_else_can_see_it_yet(alerts):
    alert, seen = an_alert(), []
    with alerts.begin() as ledger:
        ledger.before_commit(lambda: seen.append(alerts.alert(alert.id)))
        ledger.save(alert)
        assert seen == []

    assert seen == [None] and alerts.alert(alert.id) == alert


# ------------------------------------------------------------------ what is written comes back


def test_an_alert_comes_back_as_it_was(alerts):
    alert = an_alert(
        state=State.RESOLVED,
        rung=1,
        round=2,
        next_at=MORNING + minutes(1),
        count=3,
        last_at=MORNING + timedelta(microseconds=7),
        notified_at=MORNING + minutes(2),
        accepted_at=MORNING + minutes(3),
        resolved_at=MORNING + minutes(4),
        closed_at=MORNING + minutes(5),
        owner="li",
        outcome=Outcome.REAL_EMERGENCY,
        note="已送医院",
    )

    saved(alerts, alert)

    assert alerts.alert(alert.id) == alert
    assert alerts.alert("nobody/knows/it") is None


def test_saving_again_replaces(alerts):
    saved(alerts, an_alert())

    saved(alerts, an_alert(state=State.ACCEPTED, owner="li"))

    assert [alert.owner for alert in alerts.alerts()] == ["li"]


def test_a_moment_in_another_zone_is_the_same_moment(alerts):
    saved(alerts, an_alert(last_at=MORNING.astimezone(ZoneInfo("Asia/Shanghai"))))

    assert alerts.alert(a_finding().id).last_at == MORNING


def test_a_delivery_comes_back_as_it_was(alerts):
    delivery = a_delivery(
        an_alert(),
        purpose=Purpose.TAKEN,
        duty=Duty.DEPUTY,
        rung=2,
        facts=(("who", "李伟"),),
        attempts=4,
        next_at=MORNING,
        sent_at=MORNING + minutes(1),
        reason="HTTP 500",
    )

    queued(alerts, delivery)

    assert alerts.deliveries(delivery.alert) == [delivery]


def test_history_is_told_in_the_order_in_which_it_was_written(alerts):
    entries = [
        Entry(alert="a", at=MORNING, what="raised"),
        Entry(alert="a", at=MORNING, what="accepted", who="li", facts=(("how", "link"),)),
        Entry(alert="a", at=MORNING - minutes(1), what="noted", who="li"),
    ]
    with alerts.begin() as ledger:
        ledger.write(entries[0])
        ledger.write(Entry(alert="b", at=MORNING, what="raised"))
    with alerts.begin() as ledger:
        ledger.write(entries[1])
        ledger.write(entries[2])

    assert alerts.history("a") == entries


# ------------------------------------------------------------------ all or nothing


def test_an_exception_in_the_middle_leaves_nothing(alerts):
    alert = an_alert()

    with pytest.raises(ZeroDivisionError), alerts.begin() as ledger:
        ledger.join(alert.finding, alert.id)
        ledger.save(alert)
        ledger.write(Entry(alert=alert.id, at=MORNING, what="raised"))
        ledger.queue(a_delivery(alert))
        ledger.set_timer(Timer("climb/a", "climb", alert.id, MORNING))
        ledger.publish(MORNING, "alert", alert.id)
        ledger.audit(Act(at=MORNING, who="li", what="accept", ref=alert.id))
        raise ZeroDivisionError

    assert alerts.alert(alert.id) is None
    assert alerts.history(alert.id) == []
    assert alerts.deliveries(alert.id) == []
    assert alerts.next_timer() is None
    assert alerts.next_delivery() is None
    assert alerts.last_event() == 0
    assert alerts.acts() == []
    with alerts.begin() as ledger:
        assert ledger.join(alert.finding, alert.id), "the finding of an undone transaction is still new"


def test_an_undone_transaction_changes_nothing_that_was_there(alerts):
    alert = an_alert()
    with alerts.begin() as ledger:
        ledger.save(alert)
        ledger.queue(a_delivery(alert))
        ledger.set_timer(Timer("climb/a", "climb", alert.id, MORNING))

    with pytest.raises(ZeroDivisionError), alerts.begin() as ledger:
        ledger.save(replace(alert, state=State.ACCEPTED))
        ledger.update(a_delivery(alert, state=Sending.SENT))
        ledger.clear_timer("climb/a")
        raise ZeroDivisionError

    assert alerts.alert(alert.id) == alert
    assert alerts.deliveries(alert.id) == [a_delivery(alert)]
    assert alerts.next_timer() == MORNING


def test_inside_a_transaction_one_sees_what_one_wrote_and_outside_nobody_does(alerts):
    alert = an_alert()

    with alerts.begin() as ledger:
        ledger.save(alert)
        ledger.queue(a_delivery(alert))
        assert ledger.alert(alert.id) == alert
        assert ledger.open_alerts("h1") == [alert]
        assert ledger.deliveries(alert.id) == [a_delivery(alert)]
        assert ledger.delivery(a_delivery(alert).id) == a_delivery(alert)
        assert alerts.alert(alert.id) is None
        assert alerts.outbox(MORNING + minutes(1)) == []

    assert alerts.alert(alert.id) == alert


def test_two_threads_take_turns(alerts):
    def count_up() -> None:
        for _ in range(20):
            with alerts.begin() as ledger:
                alert = ledger.alert(a_finding().id)
                ledger.save(replace(alert, count=alert.count + 1))

    saved(alerts, an_alert(count=0))
    threads = [threading.Thread(target=count_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert alerts.alert(a_finding().id).count == 60


# ------------------------------------------------------------------ each thing once


def test_a_finding_joins_once(alerts):
    finding = a_finding()

    with alerts.begin() as ledger:
        assert ledger.join(finding, "a")
        assert not ledger.join(finding, "a")
    with alerts.begin() as ledger:
        assert not ledger.join(finding, "another"), "known already, whatever became of it"
        assert ledger.join(a_finding(since=MORNING + minutes(1)), "a")


def test_an_alert_takes_in_what_is_found_until_it_is_over(alerts):
    def open_now() -> list[Alert]:
        with alerts.begin() as ledger:
            return ledger.open_alerts("h1")

    saved(alerts, an_alert(a_finding(home="h2")))
    assert open_now() == []
    for state in (*RINGING, *TAKEN):
        saved(alerts, an_alert(state=state))
        assert open_now() == [an_alert(state=state)]
    later = an_alert(a_finding(code="leak", since=MORNING + minutes(1)))
    saved(alerts, later)
    assert open_now() == [an_alert(state=state), later], "the oldest first"
    for state in OVER:
        saved(alerts, an_alert(state=state))
        assert open_now() == [later]


def test_what_else_was_found_comes_back_with_the_alert(alerts):
    fall = Joined(finding=a_finding(code="fall", severity=Severity.HIGH), count=2)
    alert = an_alert(also=(fall, Joined(finding=a_finding(code="inactivity"))), worse_at=MORNING + minutes(1))

    saved(alerts, alert)

    assert alerts.alert(alert.id) == alert


def test_one_alert_can_speak_for_others(alerts):
    outage = an_alert(a_finding(home="h3", code="area_outage"))
    silent = [
        an_alert(a_finding(home=home, code="home_silent"), incident=outage.id, state=state)
        for home, state in (("h2", State.RAISED), ("h1", State.RESOLVED))
    ]
    saved(alerts, replace(outage, incident=outage.id), *silent, an_alert())

    assert [alert.home for alert in alerts.members(outage.id)] == ["h1", "h2"]
    with alerts.begin() as ledger:
        assert [alert.home for alert in ledger.members(outage.id)] == ["h1", "h2"]
        assert ledger.members(an_alert().id) == []


def test_open_alerts_of_one_kind_are_found_in_every_home(alerts):
    saved(
        alerts,
        an_alert(a_finding(home="h2", code="home_silent")),
        an_alert(a_finding(home="h1", code="home_silent", since=MORNING + minutes(5))),
        an_alert(a_finding(home="h3", code="home_silent"), state=State.RESOLVED),
        an_alert(),
    )

    with alerts.begin() as ledger:
        assert [alert.home for alert in ledger.open_everywhere("home_silent")] == ["h2", "h1"]
        assert ledger.homes_with("home_silent", MORNING) == ["h1", "h2"]
        assert ledger.homes_with("home_silent", MORNING + minutes(2)) == ["h1"]


def test_the_load_of_people_and_homes_is_counted_in_alerts(alerts):
    first, second = an_alert(), an_alert(a_finding(code="leak", since=MORNING + minutes(1)))
    old = an_alert(a_finding(code="fall"), raised_at=MORNING - minutes(60))
    other = an_alert(a_finding(home="h2"))
    saved(alerts, first, second, old, other)
    for number, (alert, person, state) in enumerate(
        [
            (first, "li", Sending.SENT),
            (first, "li", Sending.SENT),
            (second, "li", Sending.SENT),
            (old, "li", Sending.SENT),
            (other, "li", Sending.WAITING),
            (other, "wang", Sending.SENT),
        ]
    ):
        queued(alerts, a_delivery(alert, number, person=person, state=state))
    saved(
        alerts,
        an_alert(a_finding(home="h2", code="battery_low", severity=Severity.TECHNICAL)),
        an_alert(a_finding(home="h2", code="home_silent", severity=Severity.MEDIUM), incident="an outage"),
        an_alert(a_finding(home="h2", code="smoke"), outcome=Outcome.TEST_OR_DRILL),
    )

    assert alerts.called(MORNING) == [("li", "h1", 2), ("wang", "h2", 1)]
    assert alerts.raised_by_home(MORNING) == [("h1", 2), ("h2", 1)]


def test_who_was_called_lately_can_be_asked(alerts):
    alert = an_alert()
    for number, (person, minute, purpose) in enumerate(
        [("li", 0, Purpose.PAGE), ("li", 5, Purpose.PAGE), ("li", 6, Purpose.TAKEN), ("wang", 6, Purpose.PAGE)]
    ):
        queued(
            alerts,
            a_delivery(alert, number, person=person, created_at=MORNING + minutes(minute), purpose=purpose),
        )

    with alerts.begin() as ledger:
        ledger.queue(a_delivery(alert, 7, created_at=MORNING + minutes(7)))
        called = [delivery.created_at - MORNING for delivery in ledger.calls_to("li", MORNING + minutes(1))]
        newest = [delivery.created_at - MORNING for delivery in ledger.calls_to("li", MORNING, 1)]

    assert called == [minutes(7), minutes(5)]
    assert newest == [minutes(7)]


def test_a_delivery_is_queued_once_and_stays_as_it_became(alerts):
    delivery = a_delivery(an_alert())
    sent = replace(delivery, state=Sending.SENT, attempts=1, sent_at=MORNING)

    with alerts.begin() as ledger:
        assert ledger.queue(delivery)
        assert not ledger.queue(delivery)
    with alerts.begin() as ledger:
        ledger.update(sent)
    with alerts.begin() as ledger:
        assert not ledger.queue(delivery)
        assert ledger.delivery(delivery.id) == sent
        assert ledger.delivery("unknown") is None


def test_what_was_never_queued_cannot_be_updated(alerts):
    with pytest.raises(LookupError, match="outbox has no delivery"), alerts.begin() as ledger:
        ledger.update(a_delivery(an_alert()))


# ------------------------------------------------------------------ order


def test_lists_show_the_newest_first_and_open_ones_the_worst_first(alerts):
    old = an_alert(a_finding(home="h1"))
    quiet = an_alert(a_finding(home="h2", code="inactivity", since=MORNING + minutes(2), severity=Severity.HIGH))
    new = an_alert(a_finding(home="h3", since=MORNING + minutes(1)))
    over = an_alert(a_finding(home="h1", since=MORNING + minutes(3)), state=State.CLOSED)
    done = an_alert(a_finding(home="h4", since=MORNING - minutes(1)), state=State.RESOLVED)
    saved(alerts, quiet, over, old, done, new)

    assert alerts.alerts() == [over, quiet, new, old, done]
    assert alerts.alerts(limit=2) == [over, quiet]
    assert alerts.alerts(unclosed=True) == [new, old, done, quiet], "resolved is not closed"
    assert alerts.alerts(home="h1") == [over, old]
    assert alerts.alerts(home="h1", unclosed=True) == [old]


def test_what_was_raised_is_asked_by_time_home_rule_and_outcome(alerts):
    day = timedelta(days=1)
    first = an_alert(a_finding(code="fall"), outcome=Outcome.VISITOR_OR_PET, raised_at=MORNING)
    second = an_alert(a_finding(home="h2", code="fall"), raised_at=MORNING + minutes(1))
    late = an_alert(a_finding(since=MORNING + day), raised_at=MORNING + day)
    with alerts.begin() as ledger:
        for alert in (late, second, first):
            ledger.save(alert)

    assert alerts.raised(MORNING, MORNING + day) == [first, second]
    assert alerts.raised(MORNING, MORNING + 2 * day, home="h2") == [second]
    assert alerts.raised(MORNING, MORNING + 2 * day, code="sos") == [late]
    assert alerts.raised(MORNING, MORNING + day, outcome=Outcome.VISITOR_OR_PET) == [first]
    assert first.outcome.judgement is Judgement.FALSE


def test_the_outbox_gives_the_urgent_first_then_the_oldest(alerts):
    sos = an_alert(a_finding(since=MORNING + minutes(5)))
    quiet = an_alert(a_finding(code="inactivity", severity=Severity.HIGH))
    saved(alerts, sos, quiet)
    early, second, third = (a_delivery(quiet, number) for number in range(3))
    page, again = a_delivery(sos, 7), a_delivery(sos, 1)
    test = replace(a_delivery(sos, 9), alert="", purpose=Purpose.TEST, created_at=MORNING - minutes(9))
    queued(alerts, test, replace(third, created_at=MORNING + minutes(9)), early, second, page, again)

    now = MORNING + minutes(10)

    assert [d.id for d in alerts.outbox(now)] == [d.id for d in (page, again, early, second, third, test)]
    assert alerts.outbox(now, limit=1) == [page]


def test_a_delivery_waits_for_its_time(alerts):
    alert = an_alert()
    saved(alerts, alert)
    now, later = a_delivery(alert, 0), a_delivery(alert, 1, next_at=MORNING + minutes(3))

    assert alerts.next_delivery() is None
    queued(alerts, later)
    assert alerts.next_delivery() == MORNING + minutes(3)
    assert alerts.outbox(MORNING + minutes(2)) == []
    assert alerts.outbox(MORNING + minutes(3)) == [later]

    queued(alerts, now)
    assert alerts.next_delivery() == now.created_at, "without a time of its own: at once"

    with alerts.begin() as ledger:
        for state, delivery in zip((Sending.SENT, Sending.WITHDRAWN), (now, later), strict=True):
            ledger.update(replace(delivery, state=state))
    assert alerts.outbox(MORNING + minutes(9)) == []
    assert alerts.next_delivery() is None


def test_timers_fall_due_in_order_and_can_be_moved_or_cleared(alerts):
    with alerts.begin() as ledger:
        for minute, name in ((3, "c"), (1, "a"), (2, "b"), (2, "d")):
            ledger.set_timer(Timer(name, "climb", f"alert-{name}", MORNING + minutes(minute)))

    assert alerts.next_timer() == MORNING + minutes(1)
    assert [timer.id for timer in alerts.timers_due(MORNING + minutes(2))] == ["a", "b", "d"]
    assert [timer.id for timer in alerts.timers_due(MORNING + minutes(2), limit=1)] == ["a"]

    with alerts.begin() as ledger:
        ledger.set_timer(Timer("a", "climb", "alert-a", MORNING + minutes(9)))
        ledger.clear_timer("b")
        ledger.clear_timer("unknown")
    assert [timer.id for timer in alerts.timers_due(MORNING + minutes(9))] == ["d", "c", "a"]


def test_events_are_followed_from_the_last_one_seen(book):
    with book.alerts.begin() as ledger:
        ledger.publish(MORNING, "alert", "a", home="h1", grid="g1")
        ledger.publish(MORNING, "alert", "b")
    with book.registry.begin() as ledger:
        ledger.publish(MORNING + minutes(1), "registry", "h1")

    first, second, third = book.alerts.events(0)

    assert first == Event(id=first.id, at=MORNING, topic="alert", ref="a", home="h1", grid="g1")
    assert first.id < second.id < third.id == book.alerts.last_event()
    assert (third.topic, third.at) == ("registry", MORNING + minutes(1)), "one bus for all of the book"
    assert book.alerts.events(first.id) == [second, third]
    assert book.alerts.events(first.id, limit=1) == [second]
    assert book.alerts.events(third.id) == []


def test_the_audit_trail_is_read_newest_first(book):
    acts = [
        Act(at=MORNING, who="li", what="accept", ref="a", why="on my way", facts=(("how", "link"),)),
        Act(at=MORNING, who="zhao", what="register", ref="h1"),
        Act(at=MORNING, who="li", what="resolve", ref="a"),
    ]
    with book.alerts.begin() as ledger:
        ledger.audit(acts[0])
    with book.registry.begin() as ledger:
        ledger.audit(acts[1])
    with book.alerts.begin() as ledger:
        ledger.audit(acts[2])

    assert book.alerts.acts() == acts[::-1]
    assert book.alerts.acts("a") == [acts[2], acts[0]]
    assert book.alerts.acts(limit=1) == [acts[2]]


@pytest.mark.parametrize(
    "write",
    [
        lambda ledger: ledger.save(an_alert(next_at=NAIVE)),
        lambda ledger: ledger.write(Entry(alert="a", at=NAIVE, what="raised")),
        lambda ledger: ledger.queue(a_delivery(an_alert(), created_at=NAIVE)),
        lambda ledger: ledger.set_timer(Timer("a", "climb", "a", NAIVE)),
        lambda ledger: ledger.publish(NAIVE, "alert", "a"),
        lambda ledger: ledger.audit(Act(at=NAIVE, who="li", what="accept", ref="a")),
    ],
)
def test_a_time_without_a_zone_is_refused(alerts, write):
    with pytest.raises(ValueError, match="aware"), alerts.begin() as ledger:
        write(ledger)


def test_asking_with_a_time_without_a_zone_is_refused(alerts):
    for ask in (alerts.timers_due, alerts.outbox):
        with pytest.raises(ValueError, match="aware"):
            ask(NAIVE)


# ------------------------------------------------------------------ the file


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/gateway.db"


def test_the_migrations_give_exactly_the_tables(url):
    engine = open_book(url)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        for table in metadata.tables.values():  # what the comparison does not look at
            made = connection.scalar(text("select sql from sqlite_master where name = :name"), {"name": table.name})
            assert ("AUTOINCREMENT" in made) == table.dialect_options["sqlite"]["autoincrement"], table.name
    indexes = {index.name: index for table in metadata.tables.values() for index in table.indexes}
    with engine.connect() as connection:
        for name, index in indexes.items():
            made = connection.scalar(text("select sql from sqlite_master where name = :name"), {"name": name})
            assert (index.dialect_options["sqlite"]["where"] is not None) == (" WHERE " in made), name


def test_every_step_can_be_taken_back(url):
    engine = open_book(url)
    downgrade(engine, "base")

    assert inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(engine)
    assert revision(engine) == HEAD


def test_the_newest_migration_is_the_one_a_start_looks_for():
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_a_start_on_an_up_to_date_book_does_not_load_alembic(url):
    open_book(url).dispose()
    program = (
        f"import sys; from gateway.stores.sql import open_book;open_book({url!r}); print('alembic' in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", program], env=with_the_house()).strip() == b"False"


def test_a_migration_cut_off_half_way_has_not_begun(url):
    engine = open_book(url, migrate=False)

    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        metadata.tables["alert"].create(connection)
        raise ZeroDivisionError

    assert inspect(engine).get_table_names() == []
    assert revision(engine) is None


def test_a_book_of_a_newer_program_is_refused(url):
    engine = open_book(url)
    with writing(engine) as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    with pytest.raises(WrongBook, match="newer program"):
        open_book(url)


def test_the_book_is_for_our_eyes_only(tmp_path, url):
    saved(SqlAlerts(open_book(url)), an_alert())

    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "gateway.db": 0o600,
        "gateway.db-wal": 0o600,
        "gateway.db-shm": 0o600,
    }


def test_a_book_needs_a_file():
    with pytest.raises(ValueError, match="needs a file"):
        open_book("sqlite://")


def test_every_connection_is_durable_and_waits_its_turn(url):
    engine = open_book(url)

    with engine.connect() as connection:
        asked = {name: connection.scalar(text(f"pragma {name}")) for name in ("journal_mode", "synchronous")}
        assert asked == {"journal_mode": "wal", "synchronous": 2}
        assert connection.scalar(text("pragma foreign_keys")) == 1
        assert connection.scalar(text("pragma busy_timeout")) >= 1000


def test_two_processes_write_into_one_book(url):
    here, there = SqlAlerts(open_book(url)), SqlAlerts(open_book(url))
    saved(here, an_alert())

    with there.begin() as ledger:
        ledger.save(replace(ledger.alert(a_finding().id), owner="li"))

    assert here.alert(a_finding().id).owner == "li"


def test_tidying_up_loses_nothing_while_others_read(url):
    engine = open_book(url)
    alerts = SqlAlerts(engine)
    saved(alerts, an_alert())

    with engine.connect() as reader:
        reader.execute(text("begin"))
        reader.execute(text("select * from alert")).all()
        alerts.tidy()
        saved(alerts, an_alert(owner="li"))
    alerts.tidy()

    assert alerts.alert(a_finding().id).owner == "li"


def test_the_book_could_be_kept_in_postgresql():
    engine = SimpleNamespace(dialect=postgresql.dialect())

    made = [str(CreateTable(table).compile(dialect=engine.dialect)) for table in metadata.sorted_tables]
    written = [str(upsert(engine, table).compile(dialect=engine.dialect)) for table in metadata.sorted_tables]

    assert all("INTEGER NOT NULL, \n\tPRIMARY KEY (number)" not in table for table in made)
    assert all("ON CONFLICT" in statement for statement in written)


def test_no_other_database_is_taken_for_one_we_know():
    with pytest.raises(WrongBook, match="not in 'mysql'"):
        upsert(SimpleNamespace(dialect=SimpleNamespace(name="mysql")), metadata.tables["alert"])


def with_the_house() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(gateway.__file__).parents[1])}


def test_what_was_said_to_be_written_survives_kill_9(url):
    dice, said = random.Random(9), []
    for _ in range(3):
        command = [sys.executable, Path(__file__).with_name("raises_alerts.py"), url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=with_the_house(), text=True) as writer:
            first = writer.stdout.readline()  # it runs
            time.sleep(dice.uniform(0, 0.15))
            writer.send_signal(signal.SIGKILL)
            # The last line may be torn; what it says was not said.
            said += [line.strip() for line in [first, *writer.stdout] if line.endswith("\n")]

    alerts = SqlAlerts(open_book(url))
    kept = {alert.id for alert in alerts.alerts(limit=1_000_000)}

    assert len(said) > 3
    assert kept >= set(said)
    whole = MORNING + timedelta(days=400)
    assert {delivery.alert for delivery in alerts.outbox(whole, limit=1_000_000)} == kept, "all of it, or none"
    assert {timer.ref for timer in alerts.timers_due(whole, limit=1_000_000)} == kept
    assert {event.ref for event in alerts.events(0, limit=1_000_000)} == kept
