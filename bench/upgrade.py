"""An old book under a new program, killed while it takes the steps up or back: each way is gone whole or not at all.

    python bench/upgrade.py                    # SQLite and PostgreSQL, every step, killed between every two statements
    python bench/upgrade.py --only sqlite --rows 300 --random 500 --seed 7

A book is laid out as each older program left it and filled with rows. The program of today opens it in a process of its
own, which is killed with SIGKILL: between any two statements, just before and just after the commit, and at random
moments. Afterwards the book must stand exactly where it stood or exactly where an undisturbed upgrade leaves it, and
the next start must bring it there. The same for every way back and up again, and for `readings.db`.

What a way back takes along is what the older tables have no place for: `NO_PLACE` names the rows. Nothing else may be
missing, in either direction.
"""

import argparse
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    event,
    insert,
    inspect,
    select,
    table,
    text,
)

from gateway.stores.book import open_book, revision, writing
from gateway.stores.migrations import downgrade, known, upgrade
from gateway.stores.readings import FORMAT, SqliteReadings

Row = dict[str, Any]
Picture = dict[str, list[Row]]
"""Every row of every table, in an order of its own."""

DRAWN = {"salt", "digest", "chain"}
"""Of the audit trail: drawn anew by each upgrade, so that two undisturbed ones differ in it."""

MOVED = {"override": "plan"}
RENAMED = {("account", "grid"): "place", ("override", "household"): "place"}
"""What stands elsewhere in newer books."""

NO_PLACE: dict[str, Callable[[Row], bool]] = {
    "duty": lambda row: row.get("area", "") != "",
    "plan": lambda row: row["scope"] != "home" or row["key"] in ("dementia", "risk"),
}
"""Rows that older tables cannot say: duties in areas wider than a grid, plans of areas and grids."""

GIVEN_UP = {("person", "answers_by"), ("person", "hearing"), ("person", "dialect")}
"""Columns that newer books do without: nothing was ever written into these."""

READ_BY_A_STEP = {
    "facts": '[["heard", "3"]]',  # sealed by 0009
    "risk": "high",  # moved by 0005
    "area": lambda n: f"area-{n}" if n % 2 else "",
    "scope": lambda n: "area" if n % 2 else "home",
    "place": lambda n: f"household.id.{n} 王奶奶",  # of a plan: a household that there is
}
"""Texts that steps look into; all others say where they stand."""


# --------------------------------------------------------------------------- the rows of an old book


def fill(engine: Engine, rows: int) -> None:
    """So many rows into every table, as its columns and keys allow."""
    tables = MetaData()
    tables.reflect(engine)
    with writing(engine) as connection:
        for one in tables.sorted_tables:
            if one.name != "alembic_version":
                connection.execute(insert(one), [_row(one, n) for n in range(rows)])


def _row(of: Table, n: int) -> Row:
    return {column.name: _value(column, n) for column in of.columns}


def _value(column: Column[Any], n: int) -> Any:
    for key in column.foreign_keys:
        return _value(key.column, n)
    if column.nullable and n % 3 == 0:
        return None
    if isinstance(column.type, Boolean):
        return n % 2 == 0
    if isinstance(column.type, Float):
        return n / 8
    if isinstance(column.type, Integer | BigInteger):
        return n + 1
    said = READ_BY_A_STEP.get(column.name, f"{column.table.name}.{column.name}.{n} 王奶奶")
    return said(n) if callable(said) else said


def picture(engine: Engine) -> Picture:
    """All of it, each table's rows in an order of their own."""
    with engine.connect() as connection:
        return {
            name: sorted(
                map(_undrawn, connection.execute(select(text("*")).select_from(table(name))).mappings()), key=repr
            )
            for name in inspect(connection).get_table_names()
        }


def _undrawn(row: Any) -> Row:
    return {name: value for name, value in row.items() if name not in DRAWN}


def lost(older: Picture, newer: Picture, rows_of: Picture) -> Iterator[str]:
    """What `rows_of`, one of the two, holds and the other does not, as far as both have a place for it."""
    back = rows_of is newer
    for name, old_rows in older.items():
        if name in ("alembic_version", "format") or not old_rows:
            continue
        now = MOVED.get(name, name) if MOVED.get(name, name) in newer else name
        names = {column: RENAMED.get((name, column), column) for column in old_rows[0]}
        new_columns = set(newer[now][0]) if newer.get(now) else set()
        shared = [(old, new) if new in new_columns else (old, old) for old, new in names.items()]
        if not back:
            yield from (f"{name}.{old} is gone" for old, new in shared if new not in new_columns | _given_up(name))
        shared = [(old, new) for old, new in shared if new in new_columns]
        in_old = {tuple(row[old] for old, _ in shared) for row in old_rows}
        without = NO_PLACE.get(now, lambda row: False)
        kept = [row for row in newer.get(now, []) if not (back and without(row))]
        in_new = {tuple(row[new] for _, new in shared) for row in kept}
        gone = in_new - in_old if back else in_old - in_new
        if gone or not shared:
            yield f"{name}: {len(gone)} of {len(kept if back else old_rows)} rows, as {min(gone, key=repr, default='')}"


def _given_up(table: str) -> set[str]:
    return {column for name, column in GIVEN_UP if name == table}


# --------------------------------------------------------------------------- where books lie


class Shelf(Protocol):
    """Where books are kept and copied; each is named by its URL."""

    name: str

    def new(self) -> str: ...
    def copy(self, url: str) -> str: ...
    def remove(self, url: str) -> None: ...


class Files:
    """SQLite: a book is a file."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def new(self) -> str:
        self._count += 1
        (self._folder / str(self._count)).mkdir()
        return f"sqlite:///{self._folder / str(self._count)}/gateway.db"

    def copy(self, url: str) -> str:
        made = self.new()
        shutil.copytree(
            Path(url.removeprefix("sqlite:///")).parent, self._folder / str(self._count), dirs_exist_ok=True
        )
        return made

    def remove(self, url: str) -> None:
        shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent)


class Databases:
    """PostgreSQL: a book is a database of the server that `live` has started."""

    name = "postgresql"

    def __init__(self, live: Any) -> None:
        self._live = live

    def new(self) -> str:
        return self._live.create()

    def copy(self, url: str) -> str:
        return self._live.create(like=urlsplit(url).path[1:])

    def remove(self, url: str) -> None:
        self._live.drop(urlsplit(url).path[1:])


# --------------------------------------------------------------------------- killing


def killed(act: Callable[[], None], *, before: int = 0, after_s: float = 0.0) -> bool:
    """Do it in a process of its own, killed before its so-manyth statement or after so long; False: it was faster."""
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            if before:
                _count_down(before)
            act()
        finally:
            os._exit(1 if sys.exc_info()[0] else 0)
    if after_s:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise AssertionError("the process fell by itself")
    return False


def _count_down(count: int) -> None:
    left = [count]

    def one(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", one)
    event.listen(Engine, "commit", one)  # called before it is asked for


@dataclass
class Verdict:
    """What came of all kills of one database."""

    database: str
    ways: int = 0
    kills: int = 0
    finished: int = 0  # done before the kill came
    undone: int = 0  # the kill left the book as it was
    rows: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.kills > 0 and not self.broken

    def __str__(self) -> str:
        done = self.kills - self.undone
        return (
            f"{self.database}: {self.ways} ways, {self.kills} kills ({self.undone} left it as it was, {done} as it was"
            f" to become), {self.finished} came too late; {self.rows:,} rows looked at, {len(self.broken)} wrong"
        )


class Journey:
    """One way of a book, from one revision to another, and what becomes of it however often it is killed."""

    def __init__(self, shelf: Shelf, start: str, go: Callable[[Engine], None], name: str, verdict: Verdict) -> None:
        self._shelf, self._start, self._go, self._name, self._verdict = shelf, start, go, name, verdict
        self.before = self._seen(start)
        undisturbed = shelf.copy(start)
        began = time.monotonic()
        self._act(undisturbed)
        self._took = time.monotonic() - began
        self.after = self._seen(undisturbed)
        self.end = undisturbed
        verdict.ways += 1

    def _act(self, url: str) -> None:
        engine = open_book(url, migrate=False)
        try:
            self._go(engine)
        finally:
            engine.dispose()

    def _seen(self, url: str) -> Picture:
        engine = open_book(url, migrate=False)
        try:
            return picture(engine)
        finally:
            engine.dispose()

    def at_every(self, every: int) -> None:
        """Killed before each so-manyth statement, until none is left."""
        before = 1
        while self._once(before=before):
            before += every

    def at_random(self, chance: random.Random, times: int) -> None:
        for _ in range(times):
            self._once(after_s=chance.uniform(0.0005, self._took * 1.1))

    def _once(self, **when: Any) -> bool:
        url, verdict = self._shelf.copy(self._start), self._verdict
        died = killed(lambda: self._act(url), **when)
        seen = self._seen(url)
        verdict.kills += died
        verdict.finished += not died
        verdict.rows += sum(len(rows) for rows in seen.values())
        verdict.undone += died and seen == self.before
        if seen not in (self.before, self.after):
            verdict.broken.append(f"{self._name} {when}: neither as it was nor as it was to become")
        self._act(url)
        if self._seen(url) != self.after:
            verdict.broken.append(f"{self._name} {when}: the next start did not bring it there")
        self._shelf.remove(url)
        return died


def journeys(shelf: Shelf, rows: int, verdict: Verdict, only: Collection[str]) -> Iterator[Journey]:
    """Up from every older revision, and back to each and up again."""
    every = known()
    newest = shelf.new()
    open_book(newest).dispose()
    _filled(newest, rows)
    for old in every[:-1]:
        if only and old not in only:
            continue
        url = shelf.new()
        engine = open_book(url, migrate=False)
        upgrade(engine, old)
        engine.dispose()
        _filled(url, rows)
        up = Journey(shelf, url, upgrade, f"{old} up", verdict)
        verdict.broken += [f"{old} up: {what}" for what in lost(up.before, up.after, up.before)]
        yield up
        back = Journey(shelf, newest, _back_to(old), f"back to {old}", verdict)
        verdict.broken += [f"back to {old}: {what}" for what in lost(back.after, back.before, back.before)]
        yield back
        again = Journey(shelf, back.end, upgrade, f"back to {old} and up again", verdict)
        verdict.broken += [f"{old} up again: {what}" for what in lost(again.before, again.after, again.before)]
        yield again
        for gone in (url, up.end, back.end, again.end):
            shelf.remove(gone)


def _filled(url: str, rows: int) -> None:
    engine = open_book(url, migrate=False)
    fill(engine, rows)
    engine.dispose()


def _back_to(old: str) -> Callable[[Engine], None]:
    def go(engine: Engine) -> None:
        if revision(engine) != old:  # a second start finds that it is done
            downgrade(engine, old)

    return go


# --------------------------------------------------------------------------- the readings


def upgrade_readings(folder: Path, rows: int, kills: int, chance: random.Random) -> Verdict:
    """`readings.db` as formats 1 and up left it, opened by today's program and killed meanwhile."""
    from gateway.stores.readings import _LAYOUTS

    verdict = Verdict("readings.db")
    for old in range(1, FORMAT):
        start = folder / f"format-{old}.db"
        with closing(sqlite3.connect(start)) as db:
            db.execute("pragma journal_mode = wal")
            for layout in _LAYOUTS[:old]:
                db.executescript(layout)
            db.executemany("insert or ignore into word values (?, ?)", ((n, f"word {n}") for n in range(rows)))
            db.executemany(
                "insert into reading values (?, ?, 1, 1, ?, 1.0, 5, null, 1, 0, 0)",
                ((n % 9, n, n) for n in range(rows)),
            )
            db.execute(f"pragma user_version = {old}")
            db.commit()
        before, after = _lying_in(start), {}
        done = _copied(start)
        began = time.monotonic()
        SqliteReadings(done).close()
        took = time.monotonic() - began
        after = _lying_in(done)
        verdict.ways += 1
        verdict.broken += [f"format {old} up: {what}" for what in lost(before, after, before)]
        for _ in range(kills):
            path = _copied(start)
            died = killed(lambda path=path: SqliteReadings(path).close(), after_s=chance.uniform(0.0002, took * 1.1))
            seen = _lying_in(path)
            verdict.kills += died
            verdict.finished += not died
            verdict.undone += died and seen == before
            verdict.rows += sum(len(rows) for rows in seen.values())
            if seen not in (before, after):
                verdict.broken.append(f"format {old}: neither as it was nor as it was to become")
            SqliteReadings(path).close()
            if _lying_in(path) != after:
                verdict.broken.append(f"format {old}: the next start did not bring it there")
    return verdict


def _copied(path: Path) -> Path:
    made = path.with_name("opened.db")
    for end in ("", "-wal", "-shm"):
        Path(f"{made}{end}").unlink(missing_ok=True)
        if Path(f"{path}{end}").exists():
            shutil.copy(f"{path}{end}", f"{made}{end}")
    return made


def _lying_in(path: Path) -> Picture:
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        names = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
        seen = {name: [dict(row) for row in db.execute(f"select * from {name}")] for name in names}
        (layout,) = db.execute("pragma user_version").fetchone()
        return {**seen, "format": [{"number": layout, "integrity": db.execute("pragma quick_check").fetchone()[0]}]}


# --------------------------------------------------------------------------- all of it


def upgrade_killed(
    shelf: Shelf,
    *,
    rows: int,
    every: int,
    at_random: int,
    seed: int,
    only: Collection[str] = (),
    say: Callable[[str], None] = lambda words: None,
) -> Verdict:
    """Every way of a book, killed before each `every`th statement and so often at random moments."""
    chance, verdict = random.Random(seed), Verdict(shelf.name)
    for journey in journeys(shelf, rows, verdict, only):
        journey.at_every(every)
        journey.at_random(chance, at_random)
        say(f"{shelf.name} {journey._name}: {verdict.kills} kills so far, {len(verdict.broken)} wrong")
    return verdict


def _say(words: str) -> None:
    print(words, flush=True)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--only", choices=["sqlite", "postgresql", "readings"])
    words.add_argument("--rows", type=int, default=60, help="in every table")
    words.add_argument("--every", type=int, default=1, help="kill before each so-manyth statement")
    words.add_argument("--random", type=int, default=5, help="kills at random moments, for each way")
    words.add_argument("--seed", type=int, default=2026)
    asked = words.parse_args()
    verdicts = []
    with tempfile.TemporaryDirectory() as name:
        how: dict[str, Any] = {"rows": asked.rows, "every": asked.every, "at_random": asked.random, "seed": asked.seed}
        if asked.only in (None, "sqlite"):
            verdicts.append(upgrade_killed(Files(Path(name)), **how, say=_say))
        if asked.only in (None, "readings"):
            verdicts.append(upgrade_readings(Path(name), 5_000, 20 * asked.random, random.Random(asked.seed)))
        if asked.only in (None, "postgresql"):
            from live_postgres import LivePostgres

            live = LivePostgres()
            try:
                live.start()
                verdicts.append(upgrade_killed(Databases(live), **how, say=_say))
            finally:
                live.remove()
    for verdict in verdicts:
        print(verdict)
        for what in verdict.broken[:20]:
            print("BROKEN", what)
    return 0 if all(verdict.holds for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
