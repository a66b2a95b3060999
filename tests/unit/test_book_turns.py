"""Writers of one gateway take turns at the book; only another program is ever waited for in vain."""

import sqlite3
from threading import Event, Thread

import pytest
from sqlalchemy.exc import OperationalError

from gateway.stores import book
from gateway.stores.sql import open_book


@pytest.fixture
def impatient(tmp_path, monkeypatch):
    """A book at which nobody waits for another program."""
    monkeypatch.setattr(book, "BUSY_TIMEOUT_MS", 0)
    engine = open_book(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield engine
    engine.dispose()


def test_who_writes_beside_a_long_transaction_waits_for_it_however_long_it_takes(impatient):
    has_begun, may_end, wrote = Event(), Event(), []

    def climb_a_thousand_ladders():
        with book.writing(impatient):
            has_begun.set()
            may_end.wait()
            wrote.append("ladders")

    def strike_out_what_was_said():
        with book.writing(impatient):
            wrote.append("said")

    road = Thread(target=climb_a_thousand_ladders)
    road.start()
    has_begun.wait()
    courier = Thread(target=strike_out_what_was_said)
    courier.start()
    courier.join(0.05)  # without a turn of its own it would have fallen by now
    may_end.set()
    road.join()
    courier.join()

    assert wrote == ["ladders", "said"]


def test_another_program_that_holds_the_book_is_not_waited_for_for_ever(impatient, tmp_path):
    with sqlite3.connect(tmp_path / "gateway.db", isolation_level=None) as other:
        other.execute("begin exclusive")

        with pytest.raises(OperationalError, match="locked"), book.writing(impatient):
            pass
    other.close()
