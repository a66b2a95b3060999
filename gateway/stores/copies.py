"""Copies of the two files while others write into them, and whether a file is whole."""

# ruff: noqa: S608  (the names of tables below are this file's own)

import os
import sqlite3
import time
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

MEMORY = ("word", "mark", "checkpoint", "heard", "device", "condition", "gap", "hour")
"""Of `readings.db`: what the detectors have learnt and what is known of devices, without the readings themselves."""

_STEPS = 200_000
"""Instructions of SQLite's machine between two looks at the clock: some milliseconds. For each of them it waits until
whoever loads the rest of a start meanwhile hands the interpreter over."""


def what_is_wrong(path: Path, *, within_s: float | None = None) -> str:
    """Why a file cannot be trusted, in SQLite's words; "" where nothing was found.

    Every page is read and every index held against its rows, unless `within_s` is over before. What SQLite cannot
    see is a byte that was changed inside a text or a number. Raises sqlite3.Error for a file that cannot be looked at
    now, because another holds it or the disk fails: that is no damage.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
            if within_s is not None:
                until = time.monotonic() + within_s
                db.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            try:
                (found,) = db.execute("pragma quick_check(1)").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    return ""
                raise
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        return str(error)
    return "" if found == "ok" else str(found)


def copy_of(path: Path, to: Path) -> None:
    """The file as it stands at one moment. Nobody who writes waits for it. Mode 0600."""
    _create_private(to)
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)  # in one go: in steps it would begin anew whenever somebody has written
        target.execute("pragma journal_mode = delete")  # one file, whole in itself


def memory_of(readings: Path, to: Path, tables: Collection[str] = MEMORY, *, is_still: bool = False) -> None:
    """Of `readings.db` what is worth most and weighs least: a start with it knows each home's habits again. `is_still`:
    nobody can write there, not even what SQLite keeps beside a file that is read."""
    _create_private(to)
    with closing(sqlite3.connect(f"file:{to}", uri=True, isolation_level=None)) as target:
        alone = "&immutable=1" if is_still and not Path(f"{readings}-wal").exists() else ""
        target.execute("attach ? as live", [f"file:{readings}?mode=ro{alone}"])
        target.execute("begin")
        for name, made in target.execute(
            "select name, sql from live.sqlite_master where type in ('table', 'index', 'view') and sql is not null"
        ).fetchall():
            target.execute(made)
            if name in tables:
                target.execute(f"insert into main.{name} select * from live.{name}")
        (layout,) = target.execute("pragma live.user_version").fetchone()
        target.execute(f"pragma main.user_version = {layout}")
        # The rows are not here, so nothing may be looked for among them, nor summed up from them anew.
        target.execute("delete from mark where name in ('mirrored', 'summed', 'unsummed')")
        target.execute("commit")
        target.execute("detach live")


def _create_private(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
