"""Before the files are opened at a start: whether they are whole, and what takes the place of one that is not.

Once a day the gateway copies its book, and of the readings what the detectors have learnt, into `copies/`. A file that
is damaged or gone is put aside, never written over, and the newest whole copy goes on in its place. Whatever is missing
then is told to the administrators: nothing starts silently with less than there was.
"""

import errno
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.pulse import HEARTBEAT
from gateway.refusals import N_, Sentence
from gateway.stores import WrongBook
from gateway.stores.copies import copy_of, memory_of, what_is_wrong

log = logging.getLogger(__name__)

BOOK, READINGS = "gateway.db", "readings.db"

COPIES = "copies"
DAMAGED = "damaged"
"""What was put aside, in a folder for each time: somebody may still find something in it."""

MISSING = "missing.json"
"""What is to be told; it goes when it stands in an alert."""

EVERY = timedelta(hours=24)

AGAIN = timedelta(hours=1)
"""After a copy that was not made; looking through a large file costs seconds of a processor."""

ROOM_LEFT = 256 * 1024**2
"""What stays free beside a copy: the room that alarms need is worth more."""

KEPT = 7
"""Copies of each file: a week, so that damage that nobody noticed for days has not reached all of them."""

LOOK_S: Mapping[str, float] = {BOOK: 2.0, READINGS: 0.5}
"""How long a file is looked at before a start goes on. The book is small and read whole; the readings of a county are
not, and are read whole before each copy of them."""

_MAKE: Mapping[str, Callable[[Path, Path], None]] = {BOOK: copy_of, READINGS: memory_of}


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that was known is not known any more."""

    what: str  # "book", "readings", "learnt", "backup", "short"; "damaged" while it runs
    found_at: datetime
    until: datetime | None = None  # what came after this moment is missing; None: all of it


# --------------------------------------------------------------------------- at a start


def rescue(state: Path, now: datetime, *, book: bool = True) -> list[Missing]:
    """Look at the files and put whole ones where they are not; what is missing now. `book` False: it lies elsewhere.

    Raises WrongBook when the book is damaged or gone and no copy of it is whole: without it nobody could be told.
    """
    found = []
    for name in (BOOK, READINGS) if book else (READINGS,):
        path = state / name
        if path.exists():
            try:
                wrong = what_is_wrong(path, within_s=LOOK_S[name])
            except sqlite3.Error as error:  # held by another, or the disk fails: nothing is put aside for that
                raise WrongBook(f"{path} cannot be looked at: {error}") from error
        else:
            wrong = "it is gone" if _was_there(state) else ""
        if wrong:
            found.append(_replace(state, name, wrong, now))
    for missing in found:
        note_missing(state, missing)
    return found


def _was_there(state: Path) -> bool:
    """Whether a gateway has lived in this folder before."""
    return any((state / name).exists() for name in (BOOK, READINGS, "page.secret"))


def _replace(state: Path, name: str, wrong: str, now: datetime) -> Missing:
    copy = next((one for one in copies(state, name) if not what_is_wrong(one)), None)
    if copy is None and name == BOOK:
        raise WrongBook(
            str(
                Sentence(
                    N_("{file} is damaged ({why}), and there is no whole copy of it: `shouwang restore` a backup."),
                    (("file", state / name), ("why", wrong)),
                )
            )
        )
    log.error("a file is damaged and was put aside", extra={"file": name, "reason": wrong})
    aside = state / DAMAGED / f"{now.astimezone(UTC):%Y%m%dT%H%M%S}"
    aside.parent.mkdir(exist_ok=True, mode=0o700)  # the mode holds for the last folder only
    aside.mkdir(exist_ok=True, mode=0o700)
    for part in (name, f"{name}-wal", f"{name}-shm"):  # a log that is not its own would spoil the copy
        if (state / part).exists():
            (state / part).rename(aside / part)
    if copy is None:
        return Missing("readings", now)
    copy_of(copy, state / name)
    log.warning("a copy has taken its place", extra={"file": name, "copy": copy.name})
    return Missing("book" if name == BOOK else "learnt", now, made_at(copy))


def is_short(state: Path, last_event: int, last_arrival: int, now: datetime) -> Missing | None:
    """Whether the last sign of life knew of more than the files do: their end was cut off, or older ones lie there."""
    try:
        said = json.loads((state / HEARTBEAT).read_bytes())
        known = int(said["last_event"]), int(said["last_arrival"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if known[0] <= last_event and known[1] <= last_arrival:
        return None
    return Missing("short", now)


# --------------------------------------------------------------------------- what is to be told


def note_missing(state: Path, missing: Missing) -> None:
    """Keep it until it stands in an alert, over a crash too."""
    said = [*_noted(state), missing]
    made = state / f"{MISSING}.new"
    words = [[one.what, one.found_at.isoformat(), one.until and one.until.isoformat()] for one in said]
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(words, file)
        file.flush()
        os.fsync(file.fileno())
    made.replace(state / MISSING)


def noted_missing(state: Path) -> list[Missing]:
    """What is still to be told."""
    return list(_noted(state))


def forget_missing(state: Path) -> None:
    """It stands in an alert now."""
    (state / MISSING).unlink(missing_ok=True)


def _noted(state: Path) -> Iterator[Missing]:
    try:
        said = json.loads((state / MISSING).read_text())
    except (OSError, ValueError):
        return
    for what, found_at, until in said:
        yield Missing(what, datetime.fromisoformat(found_at), until and datetime.fromisoformat(until))


# --------------------------------------------------------------------------- the copies


def copies(state: Path, name: str) -> list[Path]:
    """Of this file, the newest first."""
    return sorted((state / COPIES).glob(f"{Path(name).stem}-*.db"), reverse=True)


def made_at(copy: Path) -> datetime:
    """When it was made, as its name says."""
    return datetime.strptime(copy.stem.rpartition("-")[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def is_time(state: Path, now: datetime) -> bool:
    """Whether the last copy is a day old, or there is none."""
    last = last_copy(state)
    return last is None or now - last >= EVERY


def last_copy(state: Path) -> datetime | None:
    """When the files were last copied."""
    newest = copies(state, READINGS)
    return made_at(newest[0]) if newest else None


def keep_copies(state: Path, now: datetime, *, book: bool = True) -> list[str]:
    """Copy both files beside the road; the names of those that are damaged, of which no copy was made.

    A copy is worth no alarm: where there is no room for it, or a file cannot be read now, there is none this time.
    """
    damaged = []
    for name in (BOOK, READINGS) if book else (READINGS,):
        begun = state / COPIES / f"{Path(name).stem}.new"
        try:
            begun.parent.mkdir(exist_ok=True, mode=0o700)
            if _copied(state / name, begun):
                begun.rename(begun.with_name(f"{begun.stem}-{now.astimezone(UTC):%Y%m%dT%H%M%S}.db"))
                for old in copies(state, name)[KEPT:]:
                    old.unlink()
            else:
                damaged.append(name)
        except (OSError, sqlite3.Error) as error:
            log.warning("no copy of a file was made", extra={"file": name, "reason": str(error)})
        finally:
            begun.unlink(missing_ok=True)
    return damaged


def _copied(path: Path, to: Path) -> bool:
    """Whether a whole copy was made and is on the disk. Raises OSError where that would take the last room."""
    to.unlink(missing_ok=True)  # of a copy that a power cut ended
    if shutil.disk_usage(to.parent).free < path.stat().st_size + ROOM_LEFT:
        raise OSError(errno.ENOSPC, "the disk has no room for a copy")
    wrong = what_is_wrong(path)
    if not wrong:
        _MAKE[path.name](path, to)
        wrong = what_is_wrong(to)
    if wrong:
        log.error("a file is damaged, no copy of it was made", extra={"file": path.name, "reason": wrong})
        return False
    with to.open("rb") as file:
        os.fsync(file.fileno())
    return True


@dataclass(slots=True)
class Wish:
    """Somebody wants a copy now. Whoever makes the daily ones makes it, so that two are never made at once."""

    asked_at: datetime | None = None  # until it was tried
    tried_at: datetime | None = None  # the last that was wished for

    def make(self, now: datetime) -> None:
        self.asked_at = now

    def tried(self, now: datetime) -> None:
        """It was made, or it could not be: the folder says which. `now` is when it was begun."""
        if self.asked_at is not None:
            self.asked_at, self.tried_at = None, now


def forget_copies(state: Path) -> None:
    """Delete them all: somebody is to be forgotten, in the copies too. The next ones are made within minutes."""
    for name in (BOOK, READINGS):
        for copy in copies(state, name):
            copy.unlink()
