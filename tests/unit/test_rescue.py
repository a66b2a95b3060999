"""A start on files that are damaged, gone or cut short: never silently, and never over what was there."""

import os
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.app import open_stores, page_secret
from gateway.domain import Kind, Reading
from gateway.ports import Batch, Checkpoint
from gateway.pulse import HEARTBEAT, SignOfLife
from gateway.rescue import (
    BOOK,
    KEPT,
    READINGS,
    Missing,
    copies,
    forget_missing,
    is_short,
    is_time,
    keep_copies,
    note_missing,
    noted_missing,
    rescue,
)
from gateway.stores import WrongBook
from gateway.stores.copies import what_is_wrong
from gateway.stores.readings import SqliteReadings

NIGHT = datetime(2026, 3, 2, 3, tzinfo=UTC)
MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A gateway's folder with a copy of the night; since then more has come."""
    folder = tmp_path / "state"
    live(folder, range(1, 201))
    page_secret(folder)
    keep_copies(folder, NIGHT)
    live(folder, range(201, 301))
    return folder


def live(folder: Path, numbers: range) -> None:
    stores = open_stores(folder)
    batch = Batch()
    for number in numbers:
        at = NIGHT + timedelta(seconds=number)
        batch.readings.append(Reading("h1", "pir", "bed", Kind.MOTION, 1.0, at, at, number))
        with stores.alerts.begin() as ledger:
            ledger.publish(at, "alert", f"a{number}")
    stores.readings.commit(batch)
    stores.readings.keep([Checkpoint("h1", numbers[-1], b"habits %d" % numbers[-1])], numbers[-1])
    stores.readings.close()


def lay_in(folder: Path) -> None:
    readings = SqliteReadings(folder / READINGS)
    readings.roll_up()
    readings.close()


def reached(folder: Path) -> tuple[int, int]:
    stores = open_stores(folder)
    found = stores.alerts.last_event(), stores.readings.last_arrival()
    stores.readings.close()
    return found


def fold(path: Path) -> None:
    """Nothing is left in a log beside it, so that what lies in the file counts."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma wal_checkpoint(truncate)")


def spoil(path: Path) -> None:
    fold(path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(4096))


def test_whole_files_are_left_alone(state):
    assert rescue(state, MORNING) == []
    assert reached(state) == (300, 300)


def test_a_secret_that_a_power_cut_left_empty_is_made_anew(state):
    """Else nothing would start any more."""
    (state / "page.secret").write_bytes(b"")

    assert len(page_secret(state)) == 32
    assert page_secret(state) == page_secret(state)


def test_a_first_start_is_none_of_its_business(tmp_path):
    assert rescue(tmp_path, MORNING) == []


@pytest.mark.parametrize("how", ["spoilt", "gone", "empty", "another file"])
def test_the_book_goes_on_from_the_copy_of_the_night(state, how):
    if how == "spoilt":
        spoil(state / BOOK)
    elif how == "gone":
        (state / BOOK).unlink()
    else:
        fold(state / BOOK)
        (state / BOOK).write_bytes(b"" if how == "empty" else b"no database" * 1000)

    found = rescue(state, MORNING)

    if how == "empty":  # for SQLite an empty file is an empty database; the sign of life knows better
        assert found == []
        return
    assert found == [Missing("book", MORNING, NIGHT)]
    assert noted_missing(state) == found
    assert reached(state) == (200, 300)
    if how != "gone":
        (aside,) = (state / "damaged").iterdir()
        assert (aside / BOOK).exists(), "somebody may still find something in it"


def test_what_was_learnt_outlives_damaged_readings(state):
    spoil(state / READINGS)

    assert rescue(state, MORNING) == [Missing("learnt", MORNING, NIGHT)]

    stores = open_stores(state)
    (checkpoint,) = stores.readings.checkpoints()
    assert checkpoint.state == b"habits 200"
    assert stores.readings.last_arrival() == 200
    live(state, range(201, 203))
    assert [reading.arrival for reading in stores.readings.replay(stores.readings.settled())] == []
    assert [reading.arrival for reading in stores.readings.readings("h1", NIGHT, MORNING)] == [
        r.arrival for r in stores.readings.replay(0)
    ]
    stores.readings.roll_up()
    assert stores.readings.hours("h1", NIGHT, MORNING, [Kind.MOTION])
    stores.readings.close()


def test_without_a_copy_the_readings_begin_anew_and_say_so(state):
    shutil.rmtree(state / "copies")
    spoil(state / READINGS)

    assert rescue(state, MORNING) == [Missing("readings", MORNING)]
    assert reached(state) == (300, 0)


def test_without_a_copy_of_the_book_nothing_starts(state):
    shutil.rmtree(state / "copies")
    spoil(state / BOOK)

    with pytest.raises(WrongBook, match="shouwang restore"):
        rescue(state, MORNING)
    assert (state / BOOK).exists()


def test_a_damaged_copy_is_passed_over(state):
    keep_copies(state, NIGHT + timedelta(hours=1))
    spoil(copies(state, BOOK)[0])
    spoil(state / BOOK)

    assert rescue(state, MORNING) == [Missing("book", MORNING, NIGHT)]


def test_what_is_put_aside_is_for_nobody_else(state):
    spoil(state / BOOK)

    rescue(state, MORNING)

    aside = state / "damaged"
    assert {path.stat().st_mode & 0o077 for path in (aside, *aside.iterdir())} == {0}


def test_a_damaged_file_is_not_copied(state):
    spoil(state / BOOK)

    assert keep_copies(state, MORNING) == [BOOK]
    assert len(copies(state, BOOK)) == 1


def test_a_file_that_cannot_be_opened_is_not_damaged(state):
    """It is not put aside for that: the start fails, and is tried again."""
    fold(state / BOOK)
    (state / BOOK).rename(state / "elsewhere")
    (state / BOOK).mkdir()

    with pytest.raises(WrongBook, match="cannot be looked at"):
        rescue(state, MORNING)

    assert not (state / "damaged").exists()
    (state / BOOK).rmdir()
    (state / "elsewhere").rename(state / BOOK)
    assert rescue(state, MORNING) == []


def test_a_full_disk_is_left_alone(state, monkeypatch):
    monkeypatch.setattr("gateway.rescue.ROOM_LEFT", 10**18)

    assert keep_copies(state, MORNING) == []

    assert len(copies(state, BOOK)) == len(copies(state, READINGS)) == 1
    assert list((state / "copies").glob("*.new")) == []


def test_a_copy_that_cannot_be_finished_leaves_nothing_and_falls_nobody(state, monkeypatch):
    def fails(path, to):
        to.write_bytes(b"half")
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("gateway.rescue._MAKE", {BOOK: fails, READINGS: fails})

    assert keep_copies(state, MORNING) == []

    assert list((state / "copies").glob("*.new")) == []


def test_a_week_of_copies_is_kept(state):
    for day in range(1, 12):
        keep_copies(state, NIGHT + timedelta(days=day))

    assert len(copies(state, BOOK)) == len(copies(state, READINGS)) == KEPT
    assert not is_time(state, NIGHT + timedelta(days=11, hours=23))
    assert is_time(state, NIGHT + timedelta(days=12))
    assert {path.stat().st_mode & 0o777 for path in (state / "copies").iterdir()} == {0o600}


def test_an_end_that_was_cut_off_is_noticed_by_the_last_sign_of_life(state):
    sign = SignOfLife(state / HEARTBEAT)
    sign.give({"last_event": 300, "last_arrival": 300})
    sign.close()
    assert is_short(state, 300, 300, MORNING) is None
    assert is_short(state, 301, 305, MORNING) is None

    assert is_short(state, 290, 300, MORNING) == Missing("short", MORNING)
    assert is_short(state, 300, 12, MORNING) == Missing("short", MORNING)


def test_a_sign_of_life_that_cannot_be_read_accuses_nobody(state):
    (state / HEARTBEAT).write_text("{ torn")

    assert is_short(state, 0, 0, MORNING) is None


def test_what_is_missing_is_remembered_until_it_was_told(state):
    note_missing(state, Missing("book", NIGHT, NIGHT))
    note_missing(state, Missing("short", MORNING))

    assert noted_missing(state) == [Missing("book", NIGHT, NIGHT), Missing("short", MORNING)]
    forget_missing(state)
    assert noted_missing(state) == []


@pytest.mark.parametrize("seed", range(100))
def test_a_hundred_flipped_bytes_never_start_silently_with_rows_missing(tmp_path_factory, seed):
    """One byte anywhere in either file: noticed, or every row is still there. (Inside a text or a number it changes
    that, and SQLite cannot know; the audit trail's chain does.) Half of the readings lie as they came."""
    folder = _template(tmp_path_factory)
    state = tmp_path_factory.mktemp("flipped") / "state"
    shutil.copytree(folder, state)
    dice = random.Random(seed)
    path = state / dice.choice([BOOK, READINGS])
    content = bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)

    try:
        found = rescue(state, MORNING)
        stores = open_stores(state)
        with closing(sqlite3.connect(state / READINGS)) as db:
            (rows,) = db.execute("select count(*) from every_reading").fetchone()
        counts = len(stores.alerts.events(0, limit=1_000)), rows
        short = is_short(state, stores.alerts.last_event(), stores.readings.last_arrival(), MORNING)
        stores.readings.close()
    except (WrongBook, sqlite3.DatabaseError, ValueError, LookupError):
        return  # loud enough
    assert found or short or counts == (200, 200)


_made: list[Path] = []


def _template(factory: pytest.TempPathFactory) -> Path:
    if not _made:
        folder = factory.mktemp("template") / "state"
        live(folder, range(1, 101))
        lay_in(folder)
        live(folder, range(101, 201))
        page_secret(folder)
        keep_copies(folder, NIGHT)
        for name in (BOOK, READINGS):
            fold(folder / name)
        sign = SignOfLife(folder / HEARTBEAT)
        sign.give({"last_event": 200, "last_arrival": 200})
        sign.close()
        assert what_is_wrong(folder / BOOK) == what_is_wrong(folder / READINGS) == ""
        _made.append(folder)
    return _made[0]
