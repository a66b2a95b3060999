"""The book in a real PostgreSQL: what it must be, two writers at once, the server killed, the gateway killed."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from live_postgres import LivePostgres
from sqlalchemy import inspect, text

from gateway.stores import WrongBook
from gateway.stores.book import HEAD, one_picture, revision, writing
from gateway.stores.migrations import downgrade, upgrade
from gateway.stores.sql import SqlAlerts, open_book
from gateway.stores.tables import metadata

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.external, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[LivePostgres]:
    live = LivePostgres()
    live.start(durable=True)
    yield live
    live.remove()


# ------------------------------------------------------------------ what it must be


def test_the_migrations_make_the_tables_there_too(server):
    engine = open_book(server.create())

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_every_step_can_be_taken_back_there_too(server):
    engine = open_book(server.create())
    downgrade(engine, "base")

    assert inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(engine)
    assert revision(engine) == HEAD
    engine.dispose()


@pytest.mark.parametrize(
    "more", ["encoding 'SQL_ASCII' locale 'C'", "encoding 'UTF8' locale_provider icu icu_locale 'zh' locale 'C'"]
)
def test_a_database_that_would_sort_or_write_otherwise_is_refused(server, more):
    with pytest.raises(WrongBook, match="createdb --template template0"):
        open_book(server.create(more))


def test_a_server_that_is_not_there_is_named_without_its_password():
    with pytest.raises(WrongBook) as refusal:
        open_book("postgresql://shouwang:geheim@127.0.0.1:1/book")

    assert "127.0.0.1:1/book cannot be opened" in str(refusal.value)
    assert "geheim" not in str(refusal.value)


def test_a_commit_waits_for_the_disk_whatever_the_server_is_set_to(server):
    engine = open_book(server.create())
    with engine.begin() as connection:
        connection.exec_driver_sql("alter role shouwang set synchronous_commit = off")
    engine.dispose()

    with engine.connect() as connection:
        assert connection.exec_driver_sql("show synchronous_commit").scalar() == "on"
    with engine.begin() as connection:
        connection.exec_driver_sql("alter role shouwang reset synchronous_commit")
    engine.dispose()


# ------------------------------------------------------------------ several at once


def test_what_one_reads_before_it_decides_is_still_so_when_it_writes(server):
    """Four writers add one to the same number, each by reading it first: none of them is lost."""
    engine = open_book(server.create())
    with writing(engine) as connection:
        connection.execute(text("insert into counter values ('press', 0)"))

    def press() -> None:
        for _ in range(50):
            with writing(engine) as connection:
                known = connection.scalar(text("select value from counter where name = 'press'"))
                connection.execute(text("update counter set value = :next where name = 'press'"), {"next": known + 1})

    hands = [threading.Thread(target=press) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()

    with engine.connect() as connection:
        assert connection.scalar(text("select value from counter where name = 'press'")) == 200
    engine.dispose()


def test_one_picture_is_one_moment(server):
    engine = open_book(server.create())
    with one_picture(engine) as picture:
        picture.scalar(text("select count(*) from counter"))
        with writing(engine) as connection:
            connection.execute(text("insert into counter values ('later', 1)"))

        assert picture.scalar(text("select count(*) from counter")) == 0
    engine.dispose()


# ------------------------------------------------------------------ the power goes


@pytest.mark.timeout(200)
def test_what_was_said_to_be_written_survives_the_death_of_the_server(server):
    """And whoever had the book open before goes on with it."""
    url, said = server.create(), []
    alerts = SqlAlerts(engine := open_book(url))
    assert alerts.alerts() == []
    for seconds in (0.3, 0.8):
        command = [sys.executable, ROOT / "tests" / "contracts" / "raises_alerts.py", url]
        here = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=here
        ) as writer:
            said.append(writer.stdout.readline().strip())
            time.sleep(seconds)
            server.kill()
            said += [line.strip() for line in writer.stdout]
        server.start(durable=True)

    kept = {alert.id for alert in alerts.alerts(limit=1_000_000)}
    assert len(said) > 10
    assert kept >= set(said)
    late = alerts.alert(said[0]).finding.at + timedelta(days=400)
    assert {delivery.alert for delivery in alerts.outbox(late, limit=1_000_000)} == kept, "all of it, or none"
    assert {timer.ref for timer in alerts.timers_due(late, limit=1_000_000)} == kept
    engine.dispose()


# ------------------------------------------------------------------ the whole gateway on it


@pytest.fixture(scope="module")
def crash() -> Iterator[Callable[..., object]]:
    if shutil.which("cc") is None:
        pytest.skip("the load generator needs a C compiler (cc)")
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        import crash as module

        yield module.crash
    finally:
        sys.path.remove(str(ROOT / "bench"))


@pytest.mark.timeout(400)
def test_nothing_acknowledged_is_lost_when_a_gateway_on_postgresql_is_killed(server, crash, monkeypatch, tmp_path):
    monkeypatch.setenv("SHOUWANG_DATABASE", server.create())

    verdict = crash(
        tmp_path, kills=4, seed=2026, broker="nats", homes=20, readings_per_s=150, longest_s=1.5, say=lambda *a, **k: 0
    )

    assert verdict.holds, verdict
    assert verdict.presses >= 10 and verdict.readings >= 300
    assert not (tmp_path / "state" / "gateway.db").exists()
