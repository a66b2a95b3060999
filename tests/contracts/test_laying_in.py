"""Where a reading lies in `readings.db` is nobody's business: as it came, where it belongs, or in both at once."""

import random
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain import Kind, Reading
from gateway.ports import Batch
from gateway.stores import fresh
from gateway.stores import readings as file
from gateway.stores.memory import MemoryReadings
from gateway.stores.readings import SqliteReadings

MORNING = datetime(2026, 11, 21, 0, 5, tzinfo=UTC)
FOREVER = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))
HOMES = ("h1", "h2", "h3")
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.db"


def said(arrival: int, at: float, home: str = "h1", sensor: str = "pir", kind: Kind = Kind.MOTION, seq: int = 0):
    moment = MORNING + timedelta(seconds=at)
    return Reading(home, sensor, "bed", kind, float(arrival), moment, moment, arrival, seq)


def in_both(path: Path) -> tuple[int, int]:
    """How many rows lie as they came, and how many where they belong."""
    with sqlite3.connect(path) as db:
        return tuple(db.execute(f"select count(*) from {table}").fetchone()[0] for table in ("fresh", "reading"))


def test_five_hundred_homes_in_one_commit_are_some_pages(path):
    store = SqliteReadings(path)
    log = path.with_name("readings.db-wal")
    store.commit(Batch(readings=[said(n, n, f"home {n}") for n in range(1, 501)]))
    before = log.stat().st_size

    store.commit(Batch(readings=[said(500 + n, n + 0.5, f"home {n}") for n in range(1, 501)]))

    assert log.stat().st_size - before < 40 * PAGE
    assert in_both(path) == (1000, 0)
    store.close()


def test_when_enough_has_come_together_it_is_laid_in(path, monkeypatch):
    monkeypatch.setattr(fresh, "AT_LEAST", 30)
    store = SqliteReadings(path)

    store.commit(Batch(readings=[said(n, n) for n in range(1, 30)]))
    assert store._laying is None
    store.commit(Batch(readings=[said(30, 30)]))
    store._laying.result()

    assert in_both(path) == (0, 30)
    assert [one.arrival for one in store.readings("h1", *FOREVER)] == list(range(1, 31))
    store.close()


def test_many_homes_gather_more_of_it(path, monkeypatch):
    monkeypatch.setattr(fresh, "AT_LEAST", 5)
    monkeypatch.setattr(fresh, "AT_MOST", 90)
    store = SqliteReadings(path)

    store.commit(Batch(readings=[said(n, n, f"home {n % 8}") for n in range(1, 80)]))
    assert store._laying is None, "ten of each are eighty"
    store.commit(Batch(readings=[said(80, 80)]))
    assert store._laying is None, "of nine homes ninety"
    store.commit(Batch(readings=[said(n, n, f"home {n}") for n in range(81, 91)]))
    store._laying.result()

    assert in_both(path) == (0, 90)
    store.close()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_in_whatever_order_answers_are_those_of_the_memory(path, monkeypatch, seed):
    """Commits with what was told before, told late and told twice; closed and opened, and looked into at any step."""
    dice = random.Random(seed)
    monkeypatch.setattr(fresh, "A_HOME", 0)
    monkeypatch.setattr(fresh, "AT_LEAST", dice.choice((1, 5, 20)))
    monkeypatch.setattr(fresh, "LAID_AT_ONCE", dice.choice((1, 3)))
    monkeypatch.setattr(fresh, "SWEPT_AT_ONCE", dice.choice((1, 3)))
    monkeypatch.setattr(file, "GIVE_WAY_S", 0)
    model, store, arrival = MemoryReadings(), SqliteReadings(path), 0
    told: list[Reading] = []

    for turn in range(60):
        batch = []
        for _ in range(dice.randrange(8)):
            arrival += 1
            at, home = arrival // 3 - dice.choice((0, 0, 0, 1, 20)), dice.choice(HOMES)
            batch.append(
                said(arrival, at, home, dice.choice("ab"), dice.choice((Kind.MOTION, Kind.DOOR)), dice.randrange(3))
            )
        batch += dice.sample(told, min(len(told), dice.choice((0, 0, 2))))
        told += batch
        model.commit(Batch(readings=batch))
        if dice.random() < 0.5:
            store.commit(Batch(readings=batch))
        else:
            store.commit_beside(Batch(readings=batch)).result()
        what, home = dice.randrange(8), dice.choice(HOMES)
        if what == 0:
            store.close()
            store = SqliteReadings(path)
        elif what == 1:
            for each in (model, store):
                each.roll_up()
            assert store.hours(home, *FOREVER, [Kind.MOTION]) == model.hours(home, *FOREVER, [Kind.MOTION])
        elif what == 2 and dice.random() < 0.2:
            assert store.forget(home, [], f"gone {turn}") == model.forget(home, [], f"gone {turn}")
            told = [one for one in told if one.home != home]
        elif what == 3 and dice.random() < 0.2:
            bound = MORNING + timedelta(seconds=arrival // 6)
            assert store.expire(bound) == model.expire(bound)
            told = [one for one in told if one.at >= bound]
        assert store.readings(home, *FOREVER) == model.readings(home, *FOREVER)
        span = MORNING, MORNING + timedelta(seconds=arrival // 4)
        assert store.readings(home, *span, [Kind.DOOR]) == model.readings(home, *span, [Kind.DOOR])
        assert store.newest(home, [Kind.MOTION], 5) == model.newest(home, [Kind.MOTION], 5)
    if store._laying is not None:
        store._laying.result()
    store.close()


def test_who_reads_while_it_is_laid_in_finds_each_reading_once(path, monkeypatch):
    monkeypatch.setattr(fresh, "A_HOME", 0)
    monkeypatch.setattr(fresh, "AT_LEAST", 40)
    monkeypatch.setattr(fresh, "LAID_AT_ONCE", 2)
    monkeypatch.setattr(fresh, "SWEPT_AT_ONCE", 2)
    monkeypatch.setattr(file, "GIVE_WAY_S", 0)
    store, written, wrong = SqliteReadings(path), [0], []

    def look() -> None:
        while written[0] < 1_000:
            least = written[0]
            found = [one.arrival for one in store.readings("h1", *FOREVER)]
            newest = [one.arrival for one in store.newest("h1", [Kind.MOTION], 3)]
            if found != list(range(1, len(found) + 1)) or len(found) < least:
                wrong.append(found)
            if newest and newest != list(range(newest[0], max(newest[0] - 3, 0), -1)):
                wrong.append(newest)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    for n in range(1, 1_001):
        store.commit(Batch(readings=[said(n, n)]))
        written[0] = n
    for looker in lookers:
        looker.join()

    assert wrong == []
    assert in_both(path)[1] > 0, "and there was something to be found in both"
    store.close()


def test_two_programs_that_write_into_one_file_lose_nothing(path, monkeypatch):
    monkeypatch.setattr(fresh, "A_HOME", 0)
    monkeypatch.setattr(fresh, "AT_LEAST", 7)
    one, other = SqliteReadings(path), SqliteReadings(path)

    for n in range(1, 60, 2):
        one.commit(Batch(readings=[said(n, n)]))
        other.commit(Batch(readings=[said(n, n), said(n + 1, n + 1)]))

    for store in (one, other):
        assert [reading.arrival for reading in store.readings("h1", *FOREVER)] == list(range(1, 61))
        store.close()


def test_who_only_reads_finds_what_another_program_wrote_last(path):
    reader, writer = SqliteReadings(path), SqliteReadings(path)

    writer.commit(Batch(readings=[said(1, 1, "a home of its own")]))

    assert [reading.arrival for reading in reader.newest("a home of its own", [Kind.MOTION])] == [1]
    assert [reading.arrival for reading in reader.readings("a home of its own", *FOREVER)] == [1]
    for store in (reader, writer):
        store.close()


def test_what_cannot_be_laid_in_stays_where_it_is_and_is_told_when_it_is_too_much(path, monkeypatch, caplog):
    monkeypatch.setattr(fresh, "A_HOME", 0)
    monkeypatch.setattr(fresh, "AT_LEAST", 5)
    monkeypatch.setattr(fresh, "AT_MOST", 10)
    monkeypatch.setattr(file, "LAY_AGAIN_S", 0)
    store = SqliteReadings(path)
    with sqlite3.connect(path) as db:
        db.execute("create trigger broken before insert on reading begin select raise(abort, 'a bad page'); end")

    with pytest.raises(sqlite3.IntegrityError, match="a bad page"):
        for n in range(1, 1_000):
            store.commit(Batch(readings=[said(n, n)]))
            if store._laying is not None:
                store._laying.exception()
    kept = [one.arrival for one in store.readings("h1", *FOREVER)]
    assert kept == list(range(1, n)) and n >= 2 * fresh.AT_MOST
    assert "what came last cannot be laid in" in caplog.text

    with sqlite3.connect(path) as db:
        db.execute("drop trigger broken")
    store.roll_up()
    assert in_both(path) == (0, n - 1)
    assert [one.arrival for one in store.readings("h1", *FOREVER)] == kept
    store.close()


def test_who_looks_by_hand_sees_each_reading_once(path):
    store = SqliteReadings(path)
    store.commit(Batch(readings=[said(n, n) for n in range(1, 11)]))
    with sqlite3.connect(path) as db:  # as in the middle of laying in
        db.execute(f"insert into reading select {fresh.COLUMNS} from fresh where number <= 4")

    with sqlite3.connect(path) as db:
        assert db.execute("select count(*), count(distinct at) from every_reading").fetchone() == (10, 10)
    assert len(store.readings("h1", *FOREVER)) == 10
    store.close()


def test_sums_are_not_made_while_somebody_closes(path):
    store = SqliteReadings(path)
    store.commit(Batch(readings=[said(1, 1)]))
    store._closing.set()

    store.roll_up()
    assert store.expire(MORNING + timedelta(days=9)) == {}

    store._closing.clear()
    store.roll_up()
    assert [hour.count for hour in store.hours("h1", *FOREVER, [Kind.MOTION])] == [1]
    store.close()
