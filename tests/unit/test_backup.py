"""A backup made while somebody writes, read back, sealed, damaged, and made into a gateway again."""

import json
import os
import sqlite3
import tarfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest

from gateway.app import open_stores, page_secret
from gateway.backup import BackupError, look_into, make, prune, restore
from gateway.domain import Kind, Reading
from gateway.ports import Batch
from gateway.pulse import HEARTBEAT, SignOfLife
from gateway.rescue import noted_missing
from gateway.stores.readings import SqliteReadings

NIGHT = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder in which a gateway has lived."""
    folder = tmp_path / "state"
    stores = open_stores(folder)
    stores.registrar(folder)
    page_secret(folder)
    tell(stores.readings, range(1, 101))
    stores.readings.close()
    (folder / "photos").mkdir()
    (folder / "photos" / "a.jpg").write_bytes(b"a picture")
    (folder / "js").mkdir()
    (folder / "js" / "queue").write_bytes(b"the broker's own")
    (folder / "reserve").write_bytes(bytes(1000))
    return folder


def tell(store: SqliteReadings, numbers: range) -> None:
    batch = Batch()
    for number in numbers:
        at = NIGHT + timedelta(seconds=number)
        batch.readings.append(Reading("h1", "pir", "bed", Kind.MOTION, 1.0, at, at, number))
    store.commit(batch)


def arrivals(folder: Path) -> list[int]:
    store = SqliteReadings(folder / "readings.db")
    try:
        return [reading.arrival for reading in store.replay(0)]
    finally:
        store.close()


def test_there_and_back(state, tmp_path):
    file, contents = make(state, tmp_path / "backups", NIGHT)

    restore(file, tmp_path / "again", NIGHT + timedelta(hours=5))

    again = tmp_path / "again"
    assert file.name == "shouwang-20260302T020000Z.tar.gz"
    assert file.stat().st_mode & 0o777 == 0o600
    assert arrivals(again) == [*range(1, 101)]
    assert page_secret(again) == page_secret(state)
    assert (again / "photos" / "a.jpg").read_bytes() == b"a picture"
    assert set(contents.files) == {"gateway.db", "readings.db", "page.secret", "photos/a.jpg"}
    assert {path.stat().st_mode & 0o077 for path in again.rglob("*")} == {0}
    (missing,) = noted_missing(again)
    assert (missing.what, missing.until) == ("backup", NIGHT), "it is told at the next start"
    assert list((tmp_path / "backups").iterdir()) == [file], "nothing else is left there"


def test_it_is_one_moment_while_others_write(state, tmp_path):
    """Every alert of a second is there or none of them, however busy it is meanwhile."""
    path, stop = state / "gateway.db", threading.Event()
    with sqlite3.connect(path) as db:
        db.execute("create table twin (one integer, other integer)")

    def write() -> None:
        with sqlite3.connect(path, isolation_level=None, timeout=20) as db:
            for number in range(1, 1_000_000):
                db.execute("begin immediate")
                db.execute("insert into twin values (?, 0)", [number])
                db.execute("update twin set other = ? where one = ?", [number, number])
                db.execute("commit")
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while sqlite3.connect(path).execute("select count(*) from twin").fetchone()[0] < 20:
            time.sleep(0.01)
        files = [make(state, tmp_path / f"to{number}", NIGHT)[0] for number in range(3)]
    finally:
        stop.set()
        writer.join()

    for number, file in enumerate(files):
        restore(file, tmp_path / f"again{number}", NIGHT)
        with sqlite3.connect(tmp_path / f"again{number}" / "gateway.db") as db:
            assert db.execute("select count(*) from twin where one <> other").fetchone() == (0,)
            assert db.execute("select count(*) from twin").fetchone()[0] >= 20


def test_sealed_it_opens_with_its_key_only(state, tmp_path):
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    for name, key in (("mine", mine), ("other", other)):
        (tmp_path / name).write_text(f"# made by age-keygen\n{key}\n")

    file, _ = make(state, tmp_path / "backups", NIGHT, recipients=[str(mine.to_public())])

    assert file.name.endswith(".tar.gz.age")
    assert b"SQLite format" not in file.read_bytes()
    with pytest.raises(BackupError, match="other does not open"):
        restore(file, tmp_path / "again", NIGHT, identity=tmp_path / "other")
    with pytest.raises(BackupError, match="is sealed"):
        look_into(file)
    restore(file, tmp_path / "again", NIGHT, identity=tmp_path / "mine")
    assert arrivals(tmp_path / "again") == [*range(1, 101)]


def test_a_key_that_is_none_is_said_before_anything_is_kept(state, tmp_path):
    with pytest.raises(BackupError, match="age1"):
        make(state, tmp_path / "backups", NIGHT, recipients=["ssh-rsa AAAA"])

    assert list((tmp_path / "backups").iterdir()) == []


def test_without_the_readings_it_is_small(state, tmp_path):
    _, contents = make(state, tmp_path / "backups", NIGHT, readings=False)

    assert "gateway.db" in contents.files
    assert not contents.with_readings


def test_a_damaged_book_is_not_backed_up(state, tmp_path):
    with closing(sqlite3.connect(state / "gateway.db")) as db:
        db.execute("pragma wal_checkpoint(truncate)")  # so that what lies in the file counts
    with (state / "gateway.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))

    with pytest.raises(BackupError, match=r"gateway\.db is damaged"):
        make(state, tmp_path / "backups", NIGHT)

    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.parametrize("place", [0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_byte_that_changed_is_noticed(state, tmp_path, place):
    file, _ = make(state, tmp_path / "backups", NIGHT)
    packed = bytearray(file.read_bytes())
    packed[int(len(packed) * place)] ^= 0x41
    file.write_bytes(packed)

    with pytest.raises(BackupError):
        restore(file, tmp_path / "again", NIGHT)

    assert not (tmp_path / "again").exists()


def test_one_cut_short_is_noticed(state, tmp_path):
    file, _ = make(state, tmp_path / "backups", NIGHT)
    file.write_bytes(file.read_bytes()[:-200])

    with pytest.raises(BackupError, match="cannot be read"):
        look_into(file)


@pytest.mark.parametrize("name", ["../outside", "/etc/cron.d/it", "photos/../../outside"])
def test_nothing_is_written_outside_the_folder(tmp_path, name):
    evil = tmp_path / "evil.tar.gz"
    with tarfile.open(evil, "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        tar.addfile(entry)

    with pytest.raises(BackupError, match="no backup of ours"):
        restore(evil, tmp_path / "deep" / "again", NIGHT)

    assert not (tmp_path / "outside").exists()


def test_one_of_a_newer_program_is_refused(state, tmp_path):
    newer = tmp_path / "newer.tar.gz"
    with tarfile.open(newer, "w:gz") as tar:
        told = tmp_path / "backup.json"
        told.write_text(json.dumps({"format": 99}))
        tar.add(told, "backup.json")

    with pytest.raises(BackupError, match="newer program"):
        look_into(newer)


def test_what_is_there_is_never_written_over(state, tmp_path):
    file, _ = make(state, tmp_path / "backups", NIGHT)
    (state / "later").write_text("written since")

    with pytest.raises(BackupError, match="--over"):
        restore(file, state, NIGHT)
    restore(file, state, NIGHT, over=True)

    assert not (state / "later").exists()
    (before,) = tmp_path.glob("state.before-*")
    assert (before / "later").read_text() == "written since"


def test_not_under_a_gateway_that_runs(state, tmp_path):
    file, _ = make(state, tmp_path / "backups", NIGHT)
    sign = SignOfLife(state / HEARTBEAT)
    sign.give({})

    with pytest.raises(BackupError, match="stop it first"):
        restore(file, state, NIGHT, over=True)
    sign.close()


def test_a_backup_does_not_swallow_backups(state):
    with pytest.raises(BackupError, match="lies in what is backed up"):
        make(state, state / "backups", NIGHT)


def test_old_ones_go_and_nothing_else(tmp_path):
    for name in ("shouwang-20260101T020000Z.tar.gz", "shouwang-20260301T020000Z.tar.gz.age", "shouwang-mine.tar.gz"):
        (tmp_path / name).touch()

    gone = prune(tmp_path, timedelta(days=30), NIGHT)

    assert [path.name for path in gone] == ["shouwang-20260101T020000Z.tar.gz"]
    assert len(list(tmp_path.iterdir())) == 2
