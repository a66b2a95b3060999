"""`readings.db`: what sensors said, in a file of its own so that noise never waits in the way of an alarm.

A reading is one row of some 35 bytes, keyed by home first, so that a home's day lies together; names are kept once, as
numbers. Times are whole milliseconds, rounded down: a reading comes back exactly to the millisecond. What came last
lies in a table of its own (`stores/fresh.py`) as it came, and is laid in from there beside the road.

Beside the rows the readings of each commit are kept once more, packed, until every home's checkpoint is newer than
they are (`keep`). After a restart only these are read again, in the order in which they came.

Now and then what has come is summed up by the hour (`roll_up`), beside the road: a chart of a year reads the sums. They
can be made again from the rows at any time, as far back as these are kept.
"""

# ruff: noqa: S608  (every statement below is put together from this file's own constants; values are always bound)

import logging
import math
import os
import sqlite3
import threading
import time
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from gateway.domain import Condition, Gap, Kind, Power, Reading
from gateway.ports import Batch, Checkpoint, Expose, Hour, HubDevice, Quarantined
from gateway.stores import QUARANTINE_HEAD, QUARANTINE_LIMIT, QUARANTINE_TEXT, SUMMED_UP, WrongBook, fresh
from gateway.stores.fresh import Fresh, Row
from gateway.stores.moments import EPOCH, aware, from_ms, to_ms

log = logging.getLogger(__name__)

FORMAT = 4
"""What `pragma user_version` says of a file laid out as below."""

RECENT_LIMIT = 300_000
"""Readings kept packed when nobody writes checkpoints; beyond it a restart reads the rows themselves, more slowly."""

WAITING_LIMIT = 5_000_000
"""The same where a mirror still has to take them: some 200 MB, days of a thousand homes while its server is away."""

SWEPT_AT_ONCE = 40_000
"""Packed readings thrown out in one transaction: some 5 ms of work."""

HOURS_AT_ONCE = 500
"""Sums written in one transaction: some 3 ms of work."""

LAY_AGAIN_S = 10.0
"""After what came last could not be laid in."""

GIVE_WAY_S = 0.003
"""Between two steps of laying in, so that whoever waits to commit comes first."""

CHECKPOINT_PAGES = 16_000
"""When the log has grown by 64 MB a commit folds it in by itself; `tidy` does so earlier, in idle moments."""

BUSY_TIMEOUT_S = 5
"""How long a writer waits for another process; the program itself has one writer."""

READERS_KEPT = 8
"""Idle connections kept open for reading; more threads than that open and close their own."""

_SCHEMA = """
create table word (id integer primary key, text text not null unique);
create table reading (
    home integer not null,
    at integer not null,        -- when it happened, ms since 1970 in UTC
    sensor integer not null,
    kind integer not null,
    seq integer not null,       -- the device's own counter, or minus the arrival number where it has none
    value real not null,
    delay integer not null,     -- heard this many ms after it happened
    arrival integer,            -- null where seq tells it
    room integer not null,
    late integer not null,
    subject integer not null,
    primary key (home, at, sensor, kind, seq)
) without rowid;
create table recent (
    number integer primary key,
    first_arrival integer not null,
    last_arrival integer not null,
    readings integer not null,
    packed blob not null
);
create table mark (name text primary key, value integer not null) without rowid;
create table checkpoint (home text primary key, arrival integer not null, state blob not null) without rowid;
create table heard (home text primary key, at integer not null) without rowid;
create table device (
    hub text not null, address text not null, name text not null, model text not null, vendor text not null,
    primary key (hub, address)
) without rowid;
create table quarantine (
    topic text not null, reason text not null, hub text not null, detail text not null,
    first_at integer not null, last_at integer not null, size integer not null, head blob not null,
    count integer not null,
    primary key (topic, reason)
);
create index quarantine_last_at on quarantine (last_at);
create table refused (reason text primary key, count integer not null) without rowid;
"""

_SECOND = """
alter table device add column power text not null default '';
alter table device add column exposes blob not null default x'90';
create table condition (
    home text not null, sensor text not null, packed blob not null, primary key (home, sensor)
) without rowid;
create table gap (home text primary key, packed blob not null) without rowid;
"""
"""What came with format 2: how each device is, and what a home cannot see; nouns, packed as they are."""

_THIRD = """
create table hour (
    home integer not null,
    kind integer not null,
    sensor integer not null,
    hour integer not null,      -- hours since 1970 in UTC
    count integer not null,
    total real not null,
    least real not null,
    most real not null,
    primary key (home, kind, sensor, hour)
) without rowid;
insert into mark values ('unsummed', 1);
"""
"""What came with format 3: the sums of each hour. Marked as missing, so that those of an older file are made once."""

_LAYOUTS = (_SCHEMA, _SECOND, _THIRD, fresh.SCHEMA)

_SELECT = f"select {fresh.COLUMNS} from reading"
_ARRIVAL = "coalesce(arrival, -seq)"
_AT_HOME = "home = (select id from word where text = ?)"
_BY_TIME = f"order by at, {_ARRIVAL}"

_HOUR_MS = 3_600_000
_SUM = (
    f"select home, kind, sensor, at / {_HOUR_MS} as hour, count(*), sum(value), min(value), max(value) from reading"
    " where home = ? and at >= ? and at < ? and kind in (select id from word where text in"
    f" ({', '.join(repr(kind.value) for kind in sorted(SUMMED_UP))})) group by home, kind, sensor, hour"
)

_MILLISECOND = timedelta(milliseconds=1)

Sum = tuple[int, int, int, int, int, float, float, float]
"""The sum of an hour as it lies in the file."""

Span = tuple[int, int, int]
"""A home, and from when until when, in ms since 1970."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Row]).decode
_unpack_exposes = msgspec.msgpack.Decoder(tuple[Expose, ...]).decode
_unpack_condition = msgspec.msgpack.Decoder(Condition).decode
_unpack_gaps = msgspec.msgpack.Decoder(tuple[Gap, ...]).decode


class SqliteReadings:
    """Readings in one SQLite file. One writer, in any thread; readers in any other, and in other processes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        # SQLite gives its side files (-wal, -shm) the mode of the main one.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._writing = threading.Lock()  # a commit beside is ended by another thread than began it
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="readings")
        self._writer = _connect(self._path)
        self._writer.execute("pragma synchronous = full")
        self._writer.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
        _lay_out(self._writer, self._path)
        self._idle: list[sqlite3.Connection] = []
        self._words = _Words(self._writer)
        self._fresh = Fresh()
        self._layer = ThreadPoolExecutor(1, thread_name_prefix="laying")
        self._laying: Future[bool] | None = None
        self._lay_after = -math.inf  # by the monotonic clock
        self._laid_by_one = threading.Lock()
        self._closing = threading.Event()
        self._last_arrival = 0
        self._packed = 0
        self._mirrored: int | None = None
        self._summed = 0  # the number of the newest packed row that is summed up
        self._holds = False  # whether somebody here sums up: then nothing packed is let go before it is
        self._lost = False  # something was let go that was not summed up
        self._recall()

    # ---- writing

    def last_arrival(self) -> int:
        with self._reader() as db:  # another process may have written since
            return _mark(db, "last_arrival")

    def commit(self, batch: Batch) -> None:
        with self._transaction() as db:
            self._write(db, batch)

    def commit_beside(self, batch: Batch) -> Future[None]:
        with ExitStack() as transaction:
            self._write(transaction.enter_context(self._transaction()), batch)
            end = transaction.pop_all().close
        try:
            return self._beside.submit(end)
        except RuntimeError:  # no thread is to be had; should one come later, nothing is left for it to end
            end()
            done: Future[None] = Future()
            done.set_result(None)
            return done

    def _write(self, db: sqlite3.Connection, batch: Batch) -> None:
        last = max(batch.last_arrival, *(r.arrival for r in batch.readings)) if batch.readings else batch.last_arrival
        if batch.readings:
            self._put_by(db, self._fresh.put(db, self._rows(batch.readings)))
            self._lay_soon()
        if batch.heard:
            _note_heard(db, batch.heard)
        if batch.devices:
            _note_devices(db, batch.devices)
        if batch.conditions:
            _note_conditions(db, batch.conditions)
        if batch.gaps:
            _note_gaps(db, batch.gaps)
        if batch.quarantined:
            _put_away(db, batch.quarantined)
        if last > self._last_arrival:
            _set_mark(db, "last_arrival", last)
            self._last_arrival = last

    def _lay_soon(self) -> None:
        """Have what came last laid in, when there is enough. What keeps that from being done is raised only where much
        has come together meanwhile: all of it is safe where it is as well."""
        if not self._fresh.is_full or time.monotonic() < self._lay_after:
            return
        if self._laying is not None:
            if not self._laying.done():
                return
            if self._fresh.has_too_much:
                self._laying.result()
        try:
            self._laying = self._layer.submit(self._lay)
        except RuntimeError:  # no thread is to be had: a later commit asks again
            self._lay_after = time.monotonic() + LAY_AGAIN_S

    def _lay(self) -> bool:
        """Lay in what came last, where it belongs, in small steps. Until the last of them it lies here as well, so none
        of them waits for the disk, and whoever is cut off begins anew. False: it was not done, for somebody closes."""
        with self._laid_by_one, self._reader() as db:  # not the writer's connection: it is not kept from the road
            last, is_done = 0, False
            try:
                with self._transaction() as writer:
                    last, steps = self._fresh.begin(writer)
                db.execute("pragma synchronous = normal")
                db.execute("pragma wal_autocheckpoint = 0")
                for numbers in steps:
                    if self._closing.wait(GIVE_WAY_S):
                        return False
                    fresh.lay(db, numbers)
                while not fresh.sweep(db, last):
                    pass
                is_done = True
            except sqlite3.Error:
                self._lay_after = time.monotonic() + LAY_AGAIN_S
                log.exception("what came last cannot be laid in")
                raise
            finally:
                with self._writing:
                    if is_done:
                        self._fresh.end(last)
                    else:
                        self._fresh.learn(self._writer)
        self.tidy()  # here, so that no commit has to
        return True

    def keep(self, checkpoints: Iterable[Checkpoint], settled: int, batch: Batch | None = None) -> None:
        with self._transaction() as db:
            if batch:
                self._write(db, batch)
            db.executemany(
                "insert or replace into checkpoint values (?, ?, ?)",
                [(checkpoint.home, checkpoint.arrival, checkpoint.state) for checkpoint in checkpoints],
            )
            _set_mark(db, "settled", settled)  # not "packed_from": the bound on what is packed moves that as well
            self._mirrored = _find_mark(db, "mirrored")
            self._let_go(db, settled if self._mirrored is None else min(settled, self._mirrored))

    def settled(self) -> int:
        with self._reader() as db:
            return _mark(db, "settled")

    def mirrored(self) -> int | None:
        with self._reader() as db:
            return _find_mark(db, "mirrored")

    def mirror(self, arrival: int | None) -> None:
        with self._transaction() as db:
            if arrival is None:
                db.execute("delete from mark where name = 'mirrored'")
            else:
                _set_mark(db, "mirrored", arrival)
            self._mirrored = arrival

    def forget_checkpoints(self) -> None:
        with self._transaction() as db:
            db.execute("delete from checkpoint")
            _set_mark(db, "settled", 0)

    def roll_up(self) -> None:
        self._holds, self._lost = True, False
        with self._reader() as db:
            (newest,) = db.execute("select coalesce(max(number), 0) from recent").fetchone()
        if not self._lay():
            return
        with self._reader() as db:
            spans = _all_of_it(db) if _mark(db, "unsummed") else _touched(db, self._summed, newest)
            sums: list[Sum] = []
            for span in spans:
                sums += db.execute(_SUM, span)
                while len(sums) >= HOURS_AT_ONCE:
                    self._put_hours(sums[:HOURS_AT_ONCE])
                    del sums[:HOURS_AT_ONCE]
            self._put_hours(sums)
        with self._transaction() as db:
            _set_mark(db, "summed", newest)
            _set_mark(db, "unsummed", int(self._lost))
        self._summed = newest

    def _put_hours(self, sums: Sequence[Sum]) -> None:
        if sums:
            with self._transaction() as db:
                db.executemany("insert or replace into hour values (?, ?, ?, ?, ?, ?, ?, ?)", sums)

    def expire(self, before: datetime, apart: Mapping[str, datetime] = {}) -> Mapping[str, int]:
        # To the whole hour, so that no sum is ever made anew of what is left of one. A home at a time, for no commit
        # shall wait for a long sweep.
        gone: dict[str, int] = {}
        if not self._lay():
            return gone
        with self._reader() as db:
            homes = list(_homes_in(db))
        for number in homes:
            home = self._words.texts[number]
            bound = to_ms(apart.get(home, before)) // _HOUR_MS * _HOUR_MS
            with self._transaction() as db:
                count = db.execute("delete from reading where home = ? and at < ?", [number, bound]).rowcount
            if count:
                gone[home] = count
        return gone

    def expire_hours(self, before: datetime, apart: Mapping[str, datetime] = {}) -> int:
        gone = 0
        with self._reader() as db:
            homes = list(_homes_in(db, "hour"))
        for number in homes:
            with self._transaction() as db:
                bound = to_ms(apart.get(self._words.texts[number], before)) // _HOUR_MS
                gone += db.execute("delete from hour where home = ? and hour < ?", [number, bound]).rowcount
        return gone

    def forget(self, home: str, hubs: Collection[str], stand_in: str) -> int:
        with self._transaction() as db:
            db.execute("pragma secure_delete = on")  # what is deleted is overwritten in the file
            number = _number(db, home)
            gone = 0
            if number is not None:
                gone = self._fresh.drop(db, number)
                gone += db.execute("delete from reading where home = ?", [number]).rowcount
                db.execute("delete from hour where home = ?", [number])
                db.execute("update word set text = ? where id = ?", [stand_in, number])
            for table in ("checkpoint", "heard", "condition", "gap"):
                db.execute(f"delete from {table} where home = ?", [home])
            for hub in hubs:
                db.execute("delete from device where hub = ?", [hub])
                db.execute("delete from quarantine where hub = ?", [hub])
            self._words.learn(db, afresh=True)
        with self._writing:
            self._writer.execute("pragma wal_checkpoint(truncate)")
        return gone

    def tidy(self) -> None:
        """Fold the write-ahead log into the file: for idle moments, so that no alarm has to wait for it."""
        with self._reader() as db:  # not the writer's connection: a commit may go on meanwhile
            db.execute("pragma wal_checkpoint(passive)")

    def close(self) -> None:
        self._closing.set()
        self._layer.shutdown()
        self._beside.shutdown()
        with self._writing:
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    # ---- reading

    def readings(
        self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind] | None = None
    ) -> list[Reading]:
        # Rows hold whole milliseconds: a bound between two of them means the later one.
        bounds = [-((EPOCH - aware(moment)) // _MILLISECOND) for moment in (since, until)]
        where, given = f"{_AT_HOME} and at >= ? and at < ?", [home, *bounds]
        if kinds is not None:
            names = list(kinds)
            where, given = f"{where} and {_one_of(names)}", [*given, *names]
        with self._moment() as db:
            last = self._fresh.rows(db, self._words.get(home), fresh.COLUMNS, where, given)
            rows = db.execute(f"{_SELECT} where {where} {_BY_TIME}", given).fetchall()
            if last:
                rows = sorted(rows + last, key=_when)
            return self._nouns(db, rows)

    def newest(self, home: str, kinds: Iterable[Kind], limit: int = 1) -> list[Reading]:
        names = list(kinds)
        where, given = f"{_AT_HOME} and {_one_of(names)}", [home, *names]
        with self._moment() as db:
            last = self._fresh.rows(db, self._words.get(home), fresh.COLUMNS, where, given)
            rows = db.execute(
                f"{_SELECT} where {where} order by at desc, {_ARRIVAL} desc limit ?", [*given, limit]
            ).fetchall()
            return self._nouns(db, sorted(rows + last, key=_when, reverse=True)[:limit])

    def replay(self, after: int = 0, home: str | None = None) -> Iterator[Reading]:
        with self._moment() as db:
            self._words.learn(db)
            only = None if home is None else _number(db, home)
            for row in _recent(db, after) if after >= _mark(db, "packed_from") else _by_arrival(db, after, home):
                if home is None or row[0] == only:
                    yield self._noun(row)

    def hours(self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind], sensor: str = "") -> list[Hour]:
        names = list(kinds)
        bounds = [-(-to_ms(since) // _HOUR_MS), -(-to_ms(until) // _HOUR_MS)]
        with self._reader() as db:
            found = db.execute(
                "select s.text, k.text, hour, count, total, least, most from hour"
                " join word k on k.id = kind join word s on s.id = sensor"
                f" where {_AT_HOME} and {_one_of(names)} and hour >= ? and hour < ? and (? = '' or s.text = ?)"
                " order by hour, s.text, k.text",
                [home, *names, *bounds, sensor, sensor],
            )
            return [
                Hour(name, Kind(kind), from_ms(hour * _HOUR_MS), count, total, least, most)
                for name, kind, hour, count, total, least, most in found
            ]

    def checkpoints(self) -> Iterator[Checkpoint]:
        with self._reader() as db:
            for home, arrival, state in db.execute("select home, arrival, state from checkpoint order by home"):
                yield Checkpoint(home, arrival, state)

    def checkpoint(self, home: str) -> Checkpoint | None:
        with self._reader() as db:
            found = db.execute("select home, arrival, state from checkpoint where home = ?", [home]).fetchone()
            return None if found is None else Checkpoint(*found)

    def heard(self, home: str | None = None) -> Mapping[str, datetime]:
        with self._reader() as db:
            where, given = _only("home", home)
            return {name: from_ms(at) for name, at in db.execute(f"select home, at from heard{where}", given)}

    def devices(self, hub: str | None = None) -> list[HubDevice]:
        with self._reader() as db:
            where, given = _only("hub", hub)
            rows = db.execute(
                f"select hub, address, name, model, vendor, power, exposes from device{where} order by hub, address",
                given,
            )
            return [
                HubDevice(hub_id, address, name, model, vendor, Power(power), _unpack_exposes(exposes))
                for hub_id, address, name, model, vendor, power, exposes in rows
            ]

    def conditions(self, home: str | None = None) -> list[Condition]:
        with self._reader() as db:
            where, given = _only("home", home)
            rows = db.execute(f"select packed from condition{where} order by home, sensor", given)
            return [_unpack_condition(packed) for (packed,) in rows]

    def gaps(self, home: str | None = None) -> Mapping[str, tuple[Gap, ...]]:
        with self._reader() as db:
            where, given = _only("home", home)
            rows = db.execute(f"select home, packed from gap{where} order by home", given)
            return {name: _unpack_gaps(packed) for name, packed in rows}

    def quarantine(self, limit: int = 200) -> list[Quarantined]:
        with self._reader() as db:
            rows = db.execute(
                "select topic, reason, last_at, size, head, hub, detail, count from quarantine"
                " order by last_at desc, rowid desc limit ?",
                [limit],
            )
            return [
                Quarantined(topic, reason, from_ms(at), size, head, hub, detail, count)
                for topic, reason, at, size, head, hub, detail, count in rows
            ]

    def refused(self) -> Mapping[str, int]:
        with self._reader() as db:
            return dict(db.execute("select reason, count from refused order by reason").fetchall())

    # ---- within

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            done = False
            self._writer.execute("begin immediate")
            try:
                yield self._writer
                self._writer.execute("commit")
                done = True
            finally:
                if not done:
                    if self._writer.in_transaction:
                        self._writer.execute("rollback")
                    self._recall()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own: taken from those that lie idle, or a new one."""
        try:
            db = self._idle.pop()
        except IndexError:
            db = _connect(self._path)
        try:
            yield db
        finally:
            if len(self._idle) < READERS_KEPT:
                self._idle.append(db)
            else:
                db.close()

    @contextmanager
    def _moment(self) -> Iterator[sqlite3.Connection]:
        """The same, and one picture of the file, whatever is committed meanwhile."""
        with self._reader() as db:
            db.execute("begin")
            try:
                yield db
            finally:
                db.execute("rollback")

    def _recall(self) -> None:
        """Know again what the file knows: at the start, and after a transaction that was undone."""
        self._fresh.learn(self._writer)  # before the words, so that of whatever is in it the home is known
        self._words.learn(self._writer, afresh=True)
        self._last_arrival = _mark(self._writer, "last_arrival")
        self._mirrored = _find_mark(self._writer, "mirrored")
        self._packed = self._writer.execute("select coalesce(sum(readings), 0) from recent").fetchone()[0]
        self._summed = _mark(self._writer, "summed")

    def _rows(self, readings: Iterable[Reading]) -> list[Row]:
        number, rows = self._words, []
        heard, heard_ms = EPOCH, 0  # most readings of a batch were heard at the same moment
        for r in readings:
            at = (r.at - EPOCH) // _MILLISECOND
            if r.heard != heard:
                heard, heard_ms = r.heard, (r.heard - EPOCH) // _MILLISECOND
            rows.append(
                (
                    number[r.home],
                    at,
                    number[r.sensor],
                    number[r.kind],
                    r.seq or -r.arrival,
                    r.value,
                    heard_ms - at,
                    r.arrival if r.seq else None,
                    number[r.room],
                    1 if r.late else 0,
                    number[r.subject],
                )
            )
        return rows

    def _nouns(self, db: sqlite3.Connection, rows: Sequence[Row]) -> list[Reading]:
        try:
            return [self._noun(row) for row in rows]
        except KeyError:  # another process has written names that we have not met
            self._words.learn(db)
            return [self._noun(row) for row in rows]

    def _noun(self, row: Row) -> Reading:
        home, at, sensor, kind, seq, value, delay, arrival, room, late, subject = row
        texts = self._words.texts
        moment = from_ms(at)
        return Reading(
            texts[home],
            texts[sensor],
            texts[room],
            self._words.kinds[kind],
            value,
            moment,
            from_ms(at + delay) if delay else moment,
            -seq if arrival is None else arrival,
            0 if arrival is None else seq,
            late == 1,
            texts[subject],
        )

    def _put_by(self, db: sqlite3.Connection, rows: Sequence[Row]) -> None:
        """Keep what this commit brought packed as well, for a quick start."""
        if not rows:
            return
        arrivals = [_arrival(row) for row in rows]
        db.execute(
            "insert into recent (first_arrival, last_arrival, readings, packed) values (?, ?, ?, ?)",
            (min(arrivals), max(arrivals), len(rows), _pack(rows)),
        )
        self._packed += len(rows)
        if self._holds_too_much():
            a_tenth = "order by last_arrival limit 1 offset (select count(*) / 10 from recent)"
            self._let_go(db, db.execute(f"select last_arrival from recent {a_tenth}").fetchone()[0])

    def _holds_too_much(self) -> bool:
        return self._packed > (RECENT_LIMIT if self._mirrored is None else WAITING_LIMIT)

    def _let_go(self, db: sqlite3.Connection, settled: int) -> None:
        """What is packed may end at this arrival; what came before is from now on replayed from the rows themselves.

        It is swept out piece by piece, so that no press has to wait for a large broom.
        """
        packed_from = _mark(db, "packed_from")
        if settled > packed_from:
            _set_mark(db, "packed_from", settled)
        settled = max(settled, packed_from)
        last = swept = 0
        for number, readings in db.execute(
            "select number, readings from recent where last_arrival <= ? and number < (select max(number) from recent)"
            " order by number",  # the newest stays, so that no number comes again
            [settled],
        ):
            if self._holds and number > self._summed and not self._holds_too_much():
                break
            last, swept = number, swept + readings
            if swept >= SWEPT_AT_ONCE:
                break
        db.execute("delete from recent where number <= ? and last_arrival <= ?", [last, settled])
        self._packed -= swept
        if last > self._summed:
            self._lost = True
            _set_mark(db, "unsummed", 1)


class _Words(dict[str, int]):
    """Every name that readings carry, as a number: looked up by the text, and given a number when it is new."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        super().__init__()
        self._writer = writer
        self.texts: dict[int, str] = {}
        self.kinds: dict[int, Kind] = {}

    def __missing__(self, text: str) -> int:
        text = str(text)
        number = _number(self._writer, text)
        if number is None:
            number = self._writer.execute("insert into word (text) values (?)", [text]).lastrowid
            assert number is not None
        self._meet(number, text)
        return number

    def learn(self, db: sqlite3.Connection, *, afresh: bool = False) -> None:
        if afresh:
            self.clear()
        for number, text in db.execute("select id, text from word"):
            self._meet(number, text)

    def _meet(self, number: int, text: str) -> None:
        self[text] = number
        self.texts[number] = text
        if text in _KINDS:
            self.kinds[number] = Kind(text)


_KINDS = frozenset(kind.value for kind in Kind)


# --------------------------------------------------------------------------- the file


def _only(column: str, name: str | None) -> tuple[str, list[str]]:
    """What asks for one hub or home by its key, or for all of them."""
    return ("", []) if name is None else (f" where {column} = ?", [name])


def _connect(path: Path) -> sqlite3.Connection:
    # A connection is used by one thread at a time, but not always by the thread that opened it.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S)
    connection.execute("pragma journal_mode = wal")
    return connection


def _lay_out(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file, add those that an older one lacks; one from the future is refused."""
    if _format(db) < FORMAT:
        db.execute("begin immediate")
        known = _format(db)  # somebody else may have been faster
        for layout in _LAYOUTS[known:]:
            for statement in layout.split(";"):
                db.execute(statement)
        if known == 0:
            # The shortest numbers for the words in every row.
            db.executemany("insert into word (id, text) values (?, ?)", enumerate(["", *(kind.value for kind in Kind)]))
        if known < FORMAT:
            db.execute(f"pragma user_version = {FORMAT}")
        db.execute("commit")
    if _format(db) > FORMAT:
        raise WrongBook(f"{path} was written by a newer program (format {_format(db)}); this one knows {FORMAT}")


def _format(db: sqlite3.Connection) -> int:
    return int(db.execute("pragma user_version").fetchone()[0])


def _mark(db: sqlite3.Connection, name: str) -> int:
    return _find_mark(db, name) or 0


def _find_mark(db: sqlite3.Connection, name: str) -> int | None:
    row = db.execute("select value from mark where name = ?", [name]).fetchone()
    return row[0] if row else None


def _set_mark(db: sqlite3.Connection, name: str, value: int) -> None:
    db.execute("insert or replace into mark values (?, ?)", [name, value])


def _number(db: sqlite3.Connection, text: str) -> int | None:
    row = db.execute("select id from word where text = ?", [text]).fetchone()
    return row[0] if row else None


def _arrival(row: Row) -> int:
    return -row[4] if row[7] is None else row[7]


def _when(row: Row) -> tuple[int, int]:
    return row[1], _arrival(row)


def _one_of(kinds: Sequence[Kind]) -> str:
    return f"kind in (select id from word where text in ({', '.join('?' * len(kinds))}))"


def _recent(db: sqlite3.Connection, after: int) -> Iterator[Row]:
    """What is packed, in arrival order: an urgent message may have been committed before those that came earlier."""
    waiting: list[Row] = []
    for first, packed in db.execute(
        "select first_arrival, packed from recent where last_arrival > ? order by first_arrival, number", [after]
    ):
        waiting.sort(key=_arrival)
        ready = bisect_left(waiting, first, key=_arrival)
        yield from waiting[:ready]
        del waiting[:ready]
        waiting += [row for row in _unpack(packed) if _arrival(row) > after]
    yield from sorted(waiting, key=_arrival)


def _touched(db: sqlite3.Connection, after: int, until: int) -> Iterator[Span]:
    """The hours of each home for which something was packed behind this number, up to that one."""
    hours: dict[int, set[int]] = {}
    for (packed,) in db.execute("select packed from recent where number > ? and number <= ?", [after, until]):
        for row in _unpack(packed):
            hours.setdefault(row[0], set()).add(row[1] // _HOUR_MS)
    for home, touched in sorted(hours.items()):
        begun = before = -1
        for hour in sorted(touched):
            if hour != before + 1 or begun < 0:
                if begun >= 0:
                    yield home, begun * _HOUR_MS, (before + 1) * _HOUR_MS
                begun = hour
            before = hour
        yield home, begun * _HOUR_MS, (before + 1) * _HOUR_MS


def _all_of_it(db: sqlite3.Connection) -> Iterator[Span]:
    """Every home with the whole of its time."""
    for home in _homes_in(db):
        first, last = db.execute("select min(at), max(at) from reading where home = ?", [home]).fetchone()
        yield home, first, last + 1


def _homes_in(db: sqlite3.Connection, rows: str = "reading") -> Iterator[int]:
    """Every home that has such rows, by one step through the key for each."""
    home = -1
    while (home := db.execute(f"select min(home) from {rows} where home > ?", [home]).fetchone()[0]) is not None:
        yield home


def _by_arrival(db: sqlite3.Connection, after: int, home: str | None) -> Iterator[Row]:
    where = f"{_ARRIVAL} > ?" if home is None else f"{_ARRIVAL} > ? and {_AT_HOME}"
    values = [after] if home is None else [after, home]
    yield from db.execute(f"select * from {fresh.every(where)} order by {_ARRIVAL}, at", values * 2)


def _note_heard(db: sqlite3.Connection, heard: Mapping[str, datetime]) -> None:
    db.executemany(
        "insert into heard values (?, ?) on conflict (home) do update set at = excluded.at",
        [(home, to_ms(moment)) for home, moment in heard.items()],
    )


def _note_devices(db: sqlite3.Connection, devices: Iterable[HubDevice]) -> None:
    db.executemany(
        "insert or replace into device (hub, address, name, model, vendor, power, exposes)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [(d.hub, d.address, d.name, d.model, d.vendor, d.power.value, _pack(d.exposes)) for d in devices],
    )


def _note_conditions(db: sqlite3.Connection, conditions: Iterable[Condition]) -> None:
    db.executemany(
        "insert or replace into condition values (?, ?, ?)", [(c.home, c.sensor, _pack(c)) for c in conditions]
    )


def _note_gaps(db: sqlite3.Connection, gaps: Mapping[str, tuple[Gap, ...]]) -> None:
    db.executemany("delete from gap where home = ?", [(home,) for home in gaps])
    db.executemany("insert into gap values (?, ?)", [(home, _pack(told)) for home, told in gaps.items() if told])


def _put_away(db: sqlite3.Connection, quarantined: Sequence[Quarantined]) -> None:
    db.executemany(
        "insert into quarantine values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (topic, reason) do update set"
        " hub = excluded.hub, detail = excluded.detail, last_at = max(last_at, excluded.last_at),"
        " size = excluded.size, head = excluded.head, count = count + excluded.count",
        [
            (
                q.topic[:QUARANTINE_TEXT],
                q.reason,
                q.hub,
                q.detail[:QUARANTINE_TEXT],
                to_ms(q.at),
                to_ms(q.at),
                q.size,
                q.head[:QUARANTINE_HEAD],
                q.count,
            )
            for q in quarantined
        ],
    )
    db.executemany(
        "insert into refused values (?, ?) on conflict (reason) do update set count = count + excluded.count",
        [(q.reason, q.count) for q in quarantined],
    )
    (kept,) = db.execute("select count(*) from quarantine").fetchone()
    if kept > QUARANTINE_LIMIT:
        db.execute(
            "delete from quarantine where rowid in (select rowid from quarantine order by last_at, rowid limit ?)",
            [kept - QUARANTINE_LIMIT],
        )
