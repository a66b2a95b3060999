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
import threading
from array import array
from collections.abc import Iterator, Sequence
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
_MARK = 0xFFFF_FFFF


class Fresh:
    """The index. Who writes holds the store's lock and is in a transaction; who reads needs neither.

    Arrays, for a county has thousands of homes and some hundred thousand rows here: a row takes twelve bytes, a home
    some hundred and twenty. A home's rows hang together, each knows the number of the one before it.
    """

    def __init__(self) -> None:
        self._moving = threading.Lock()  # held for as long as nobody may follow a home's rows
        self._forget(0)

    def _forget(self, last: int) -> None:
        self._base = self._begun = self._last = last  # what lies here is behind `_base`, and not begun behind `_begun`
        self._before = array("q")  # of each row behind `_base`: the number of the one of the same home before it
        self._marks = array("I")  # of each row: the hash of its key, cut short
        self._count = self._homes = 0  # rows and homes behind `_begun`
        self._places: dict[int, int] = {}  # of each home its place in these three
        self._newest = array("q")  # the number of its newest row
        self._until = array("q")  # the latest moment of a reading of this home, here or where it belongs
        self._since = array("q")  # the number of the first row of that moment; up to `_base`: nobody knows any more
        self._late: dict[int, set[int]] = {}  # the marks of all its rows here, where somebody came late

    def learn(self, db: sqlite3.Connection) -> None:
        """Know what the file knows: at the start, and after a transaction that was undone."""
        found = db.execute("select number, home, at, sensor, kind, seq from fresh order by number").fetchall()
        last = _newest(db)
        with self._moving:
            self._forget(found[0][0] - 1 if found else last)
            for number, home, *key in found:
                place = self._place(db, home)
                self._until[place], self._since[place] = max(self._until[place], key[0]), self._base
                self._add(place, number, hash(tuple(key)) & _MARK)
            self._last = last

    def _place(self, db: sqlite3.Connection, home: int) -> int:
        place = self._places.get(home)
        if place is None:
            (until,) = db.execute("select max(at) from reading where home = ?", [home]).fetchone()
            self._newest.append(self._base)
            self._until.append(_BEFORE_ALL if until is None else until)
            self._since.append(self._base)
            place = self._places[home] = len(self._newest) - 1
        return place

    def _add(self, place: int, number: int, mark: int) -> None:
        missing = number - self._base - 1 - len(self._before)
        if missing:  # rows of a home that was forgotten
            self._before.extend([0] * missing)
            self._marks.extend([0] * missing)
        newest = self._newest[place]
        if newest <= self._begun:
            self._homes += 1
        self._count += 1
        self._before.append(newest)
        self._marks.append(mark)
        self._newest[place] = number

    def put(self, db: sqlite3.Connection, rows: Sequence[Row]) -> Sequence[Row]:
        """Add rows; those that were not in the file yet."""
        self._catch_up(db)
        number, new = self._last, []
        waiting: list[tuple[int | float | None, ...]] = []
        for row in rows:
            place, at = self._place(db, row[0]), row[1]
            mark = hash(row[1:5]) & _MARK
            if at > self._until[place]:
                self._until[place], self._since[place] = at, number + 1
            elif (at < self._until[place] or self._may_be_told(place, mark)) and self._is_known(
                db, place, row, mark, waiting
            ):
                continue
            number += 1
            self._add(place, number, mark)
            if place in self._late:
                self._late[place].add(mark)
            waiting.append((number, *row))
            new.append(row)
        db.executemany(_INSERT, waiting)
        db.execute("insert or replace into mark values ('fresh', ?)", [number])
        self._last = number  # now: whoever reads looks for what is newer in the file
        return new

    def _catch_up(self, db: sqlite3.Connection) -> None:
        if _newest(db) != self._last:
            self.learn(db)  # another process has written

    def _may_be_told(self, place: int, mark: int) -> bool:
        """Whether a reading of its home's latest moment may be one of those that were told of it already."""
        since, number = self._since[place], self._newest[place]
        if since <= self._base:
            return True
        while number >= since:
            row = number - self._base - 1
            if self._marks[row] == mark:
                return True
            number = self._before[row]
        return False

    def _rows(self, place: int, after: int) -> Iterator[int]:
        """The numbers of a home's rows behind this one, the newest first."""
        number = self._newest[place]
        while number > after:
            yield number
            number = self._before[number - self._base - 1]

    def _is_known(
        self,
        db: sqlite3.Connection,
        place: int,
        row: Row,
        mark: int,
        waiting: list[tuple[int | float | None, ...]],
    ) -> bool:
        """Whether a row that is not the newest of its home is here or where it belongs."""
        late = self._late.get(place)
        if late is None:
            late = self._late[place] = {self._marks[n - self._base - 1] for n in self._rows(place, self._base)}
        if mark in late:
            db.executemany(_INSERT, waiting)
            waiting.clear()
            numbers = json.dumps(list(self._rows(place, self._base)))
            if row[1:5] in db.execute(f"select at, sensor, kind, seq from fresh where {_NUMBERED}", [numbers]):
                return True
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
        return self._count >= AT_LEAST and self._count >= min(A_HOME * self._homes, AT_MOST)

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
        self._begun, self._count, self._homes = self._last, 0, 0
        # Each home's newest row as it is now, and an array that only grows until this is done: nobody need stop for it.
        firsts = array("q", [self._newest[place] for _, place in sorted(self._places.items())])
        return self._last, _steps(firsts, self._before, self._base)

    def end(self, last: int) -> None:
        """All up to the number that `begin` gave has been laid in and swept out."""
        with self._moving:
            laid = max(last - self._base, 0)  # less, where what was forgotten lay at the border
            del self._before[:laid], self._marks[:laid]
            self._base += laid
        self._late.clear()

    # ---- reading

    def rows(
        self, db: sqlite3.Connection, home: int | None, columns: str, where: str, values: Sequence[object]
    ) -> list[Any]:
        """What of this home lies nowhere else. To be asked before anything else is read from `db` in the same
        transaction: what is laid in before that is found where it belongs."""
        if home is None:  # nobody here has met its name yet: whatever lies here is looked through
            last, numbers = 0, "[]"
        else:
            last, numbers = self._numbers(home)
        one = f"select {columns} from fresh where {{}} and {where} and {_NOT_LAID}"
        here, behind = one.format(f"{_NUMBERED} and number <= ?"), one.format("number > ?")
        return db.execute(f"{here} union all {behind}", [numbers, last, *values, last, *values]).fetchall()

    def _numbers(self, home: int) -> tuple[int, str]:
        """How far this index is known to reach, and what of this home lies here up to there (and what is being put)."""
        with self._moving:
            last, place = self._last, self._places.get(home)
            return last, json.dumps([] if place is None else list(self._rows(place, self._base)))


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


def _steps(firsts: "array[int]", before: "array[int]", base: int) -> Iterator[str]:
    step: list[int] = []
    for number in firsts:
        while number > base:
            step.append(number)
            number = before[number - base - 1]
            if len(step) == LAID_AT_ONCE:
                yield json.dumps(step)
                step.clear()
    if step:
        yield json.dumps(step)
