"""What came last into `readings.db`, in the order in which it came, until it is laid where it belongs.

In the table of readings a home's day lies together, so five hundred messages of five hundred homes would touch as many
pages of the file, each of them written twice: 6 KB for a reading of 35 bytes, 90 MB a second at ten thousand readings a
second. So a commit only appends to this table, some pages. When fifty thousand readings, or ten a home, have come
together they are laid in, home by home, each page once; beside the road, and in steps so small that no commit waits for
long.

This is the index over what lies here, in memory: of each home the numbers of its rows, and how far its readings reach,
which tells without looking that one is not here yet.
"""

# ruff: noqa: S608  (every statement below is put together from this package's own constants; values are always bound)

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Row = tuple[int, int, int, int, int, float, int, int | None, int, int, int]
"""A reading as it lies in the file: the columns below."""

COLUMNS = "home, at, sensor, kind, seq, value, delay, arrival, room, late, subject"

_NOT_LAID = (
    "not exists (select 1 from reading r where r.home = fresh.home and r.at = fresh.at and r.sensor = fresh.sensor"
    " and r.kind = fresh.kind and r.seq = fresh.seq)"
)
"""What is being laid in lies in both tables until the last of it does."""

SCHEMA = f"""
create table fresh (
    number integer primary key,  -- in the order in which they came
    home integer not null, at integer not null, sensor integer not null, kind integer not null, seq integer not null,
    value real not null, delay integer not null, arrival integer, room integer not null, late integer not null,
    subject integer not null
);
create view every_reading as
    select {COLUMNS} from reading union all select {COLUMNS} from fresh where {_NOT_LAID};
"""
"""The view is for whoever looks by hand."""

A_HOME = 10
"""Laid in when so many readings a home have come together: their page is then touched once, and not ten times."""

AT_LEAST, AT_MOST = 50_000, 200_000
"""But not sooner than this, nor later."""

LAID_AT_ONCE = 1_000
"""Rows laid in by one transaction: some 4 ms of work."""

SWEPT_AT_ONCE = 5_000
"""Rows swept out by one transaction, when all have been laid in: whole pages, a millisecond."""

_INSERT = f"insert into fresh (number, {COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_NUMBERED = "number in (select value from json_each(?))"
_LAY = (
    f"with step (one) as (select value from json_each(?)) insert into reading ({COLUMNS})"
    f" select {COLUMNS} from step cross join fresh on number = one"
    " where true order by home, at, sensor, kind, seq on conflict do nothing"
)
_IS_LAID = "select 1 from reading where home = ? and at = ? and sensor = ? and kind = ? and seq = ?"

_BEFORE_ALL = -(2**63)


class _Tail:
    """Of one home what lies here."""

    __slots__ = ("keys", "numbers", "said", "until")

    def __init__(self, until: int, said: list[Sequence[int]] | None) -> None:
        self.until = until  # the latest moment of a reading of this home, here or where it belongs
        self.said = said  # what was told of that moment: sensor, kind and counter; None: nobody knows any more
        self.keys: set[int] | None = None  # the hash of each row's key that lies here; None: was never asked for
        self.numbers = array("q")


class Fresh:
    """The index. Who writes holds the store's lock and is in a transaction; who reads needs no lock."""

    def __init__(self) -> None:
        self._tails: dict[int, _Tail] = {}
        self._laying: dict[int, _Tail] = {}
        self._last = 0
        self._count = 0
        self._show()

    def _show(self) -> None:
        # Together, for whoever reads: every row up to the last is in one of these tails.
        self._shown = self._last, self._tails, self._laying

    def learn(self, db: sqlite3.Connection) -> None:
        """Know what the file knows: at the start, and after a transaction that was undone."""
        tails: dict[int, _Tail] = {}
        self._last, self._count = _newest(db), 0
        for number, home, at in db.execute("select number, home, at from fresh order by number"):
            tail = tails.get(home)
            if tail is None:
                tail = tails[home] = _begun(db, home)
            tail.numbers.append(number)
            tail.until, tail.said = max(tail.until, at), None
            self._count += 1
        self._tails, self._laying = tails, {}
        self._show()

    def put(self, db: sqlite3.Connection, rows: Sequence[Row]) -> Sequence[Row]:
        """Add rows; those that were not in the file yet."""
        self._catch_up(db)
        number, new = self._last, []
        waiting: list[tuple[int | float | None, ...]] = []
        for row in rows:
            home, at = row[0], row[1]
            tail = self._tails.get(home)
            if tail is None:
                laid = self._laying.get(home)
                tail = self._tails[home] = _begun(db, home) if laid is None else _Tail(laid.until, laid.said)
            key = row[2:5]
            if at > tail.until:
                tail.until, tail.said = at, [key]
            elif at == tail.until and tail.said is not None:
                if key in tail.said:
                    continue
                tail.said.append(key)
            elif self._is_known(db, tail, row, waiting):
                continue
            if tail.keys is not None:
                tail.keys.add(hash(row[1:5]))
            number += 1
            tail.numbers.append(number)
            waiting.append((number, *row))
            new.append(row)
        db.executemany(_INSERT, waiting)
        db.execute("insert or replace into mark values ('fresh', ?)", [number])
        self._last, self._count = number, self._count + len(new)
        self._show()
        return new

    def _catch_up(self, db: sqlite3.Connection) -> None:
        if _newest(db) != self._last:
            self.learn(db)  # another process has written

    def _is_known(
        self, db: sqlite3.Connection, tail: _Tail, row: Row, waiting: list[tuple[int | float | None, ...]]
    ) -> bool:
        """Whether a row that is not the newest of its home is here or where it belongs."""
        if tail.keys is None or hash(row[1:5]) in tail.keys:
            db.executemany(_INSERT, waiting)
            waiting.clear()
            numbers = _numbers(row[0], self._tails, self._laying)
            found = db.execute(f"select at, sensor, kind, seq from fresh where {_NUMBERED}", [numbers]).fetchall()
            if row[1:5] in found:
                return True
            tail.keys = set(map(hash, found))
        return db.execute(_IS_LAID, row[:5]).fetchone() is not None

    def drop(self, db: sqlite3.Connection, home: int) -> int:
        """Nothing of this home is left here; how many of its rows were nowhere else."""
        (only,) = db.execute(f"select count(*) from fresh where home = ? and {_NOT_LAID}", [home]).fetchone()
        db.execute("delete from fresh where home = ?", [home])
        self.learn(db)
        return int(only)

    # ---- laying in

    @property
    def is_full(self) -> bool:
        return self._count >= AT_LEAST and self._count >= min(A_HOME * len(self._tails), AT_MOST)

    @property
    def has_too_much(self) -> bool:
        """So much that it was tried in vain for long to lay it in."""
        return self._count >= 2 * AT_MOST

    def begin(self, db: sqlite3.Connection) -> tuple[int, Iterator[str]]:
        """Begin to lay in what is here, up to this number: the rows of each step, as `lay` takes them."""
        self._catch_up(db)
        (lie_here,) = db.execute("select count(*) from fresh").fetchone()
        if lie_here != self._count:  # nothing may be swept out that was not laid in
            self.learn(db)
        self._laying, self._tails, self._count = self._tails, {}, 0
        self._show()
        return self._last, _steps([tail.numbers for _, tail in sorted(self._laying.items())])

    def end(self) -> None:
        """All that `begin` gave has been laid in and swept out."""
        self._laying = {}
        self._show()

    # ---- reading

    def rows(
        self, db: sqlite3.Connection, home: int | None, columns: str, where: str, values: Sequence[object]
    ) -> list[Any]:
        """What of this home lies nowhere else. To be asked before anything else is read from `db` in the same
        transaction: what is laid in before that is found where it belongs."""
        last, *tails = self._shown
        if home is None:  # nobody here has met its name yet: whatever lies here is looked through
            last, numbers = 0, "[]"
        else:
            numbers = _numbers(home, *tails)
        one = f"select {columns} from fresh where {{}} and {where} and {_NOT_LAID}"
        here, behind = one.format(f"{_NUMBERED} and number <= ?"), one.format("number > ?")
        return db.execute(f"{here} union all {behind}", [numbers, last, *values, last, *values]).fetchall()


def every(where: str) -> str:
    """All readings for which this is so, wherever they lie; what is bound in it is to be given twice. (Through the view
    SQLite would look through every home for one.)"""
    laid = f"select {COLUMNS} from reading where {where}"
    return f"({laid} union all select {COLUMNS} from fresh where {where} and {_NOT_LAID})"


def lay(db: sqlite3.Connection, numbers: str) -> None:
    """Lay in the rows of one step: one statement, so that nobody is shut out for longer than SQLite works on it."""
    db.execute(_LAY, [numbers])


def sweep(db: sqlite3.Connection, until: int) -> bool:
    """Sweep out some of what has been laid in up to this number; whether that was all."""
    some = f"select number from fresh where number <= ? order by number limit {SWEPT_AT_ONCE}"
    return db.execute(f"delete from fresh where number in ({some})", [until]).rowcount < SWEPT_AT_ONCE


def _newest(db: sqlite3.Connection) -> int:
    """The highest number that was ever given: none comes again, so whoever sweeps up to one sweeps nothing newer."""
    found = db.execute("select value from mark where name = 'fresh'").fetchone()
    return 0 if found is None else int(found[0])


def _begun(db: sqlite3.Connection, home: int) -> _Tail:
    (until,) = db.execute("select max(at) from reading where home = ?", [home]).fetchone()
    return _Tail(_BEFORE_ALL, []) if until is None else _Tail(until, None)


def _numbers(home: int, *parts: dict[int, _Tail]) -> str:
    return json.dumps([number for part in parts if home in part for number in part[home].numbers.tolist()])


def _steps(tails: "Iterable[array[int]]") -> Iterator[str]:
    step: list[int] = []
    for numbers in tails:
        step += numbers
        while len(step) >= LAID_AT_ONCE:
            yield json.dumps(step[:LAID_AT_ONCE])
            del step[:LAID_AT_ONCE]
    if step:
        yield json.dumps(step)
