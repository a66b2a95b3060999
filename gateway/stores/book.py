"""`gateway.db`, the book of the house: opening it, one transaction on it, and what every transaction may add.

SQLite by default, PostgreSQL by its URL; what differs between them stands in this file only.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Table,
    create_engine,
    delete,
    event,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy import column as plain_column
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError

from gateway.domain import Act
from gateway.domain.trail import BEGINNING, digest_of, linked
from gateway.ports import Answered
from gateway.stores import ANSWERS_KEPT, WrongBook, tables
from gateway.stores.moments import aware, checked
from gateway.stores.prepared import Prepared, appending

HEAD = "0016"
"""The newest migration. Held against the migrations by a test, so that a start need not load Alembic to know."""

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another program: much longer than our transactions, shorter than a person's patience."""

_TURNS: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()
"""Writers of one program take turns here and never give up. The database would let whoever is unlucky ask in vain until
its time is over: a gateway that climbed two thousand ladders fell over its own messages."""

CHECKPOINT_PAGES = 4_000
"""When the log has grown by 16 MB a commit folds it in by itself; `tidy` does so earlier, in idle moments."""

ONE_WRITER = 0x53_48_4F_55
"""The lock by which the writers of one book on PostgreSQL wait for each other, as they do on SQLite."""


def open_book(url: str, *, migrate: bool = True) -> Engine:
    """Open the book (a file is created with mode 0600 where missing) and bring its tables up to date.

    Raises WrongBook, in a sentence that says what would be right, for a database that cannot hold it.
    """
    where = make_url(url)
    if where.get_backend_name() == "postgresql":
        engine = _open_postgresql(where)
    else:
        if not where.database or where.database == ":memory:":
            raise ValueError(f"the book needs a file, as in sqlite:////var/lib/shouwang/gateway.db, not {url!r}")
        _create_private(Path(where.database))
        engine = create_engine(where, hide_parameters=True)  # an error goes into the log; among them are names
        event.listen(engine, "connect", _prepare_sqlite)
    _TURNS[engine] = Lock()
    if migrate:
        _bring_up_to_date(engine)
    return engine


def revision(engine: Engine) -> str | None:
    """The migration this book stands at; None for an empty one."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.scalar(select(plain_column("version_num")).select_from(table("alembic_version")))


def tidy(engine: Engine) -> None:
    """Fold the write-ahead log into the file: for idle moments, so that no alarm has to wait for it."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("pragma wal_checkpoint(passive)")
        finally:
            connection.close()


def scrub(engine: Engine) -> None:
    """Write the whole file anew without what was deleted from it, and the log empty: seconds for a county."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("vacuum")
            cursor.execute("pragma wal_checkpoint(truncate)")
    finally:
        connection.close()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: durable on leaving, undone by an exception."""
    with _TURNS[engine], engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # Who begins as a reader can be refused half-way; who begins as a writer only has to wait.
            connection.exec_driver_sql("begin immediate")
        else:
            # What an act reads before it decides must still be so when it writes: two people accept one alert at once.
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({ONE_WRITER})")
        yield connection


class Pen:
    """A connection kept for writing, where a press waits for it: to take one from the pool and to give it back costs
    more than to begin and to commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The same as `writing`."""
        if self._engine.dialect.name != "sqlite":  # a server may close what lies idle
            with writing(self._engine) as connection:
                yield connection
            return
        with _TURNS[self._engine]:
            kept = self._kept = self._kept or self._engine.connect()
            driver: Any = kept.connection.driver_connection
            driver.execute("begin immediate")
            try:
                yield kept
                kept.commit()  # where a statement went through SQLAlchemy, which then believes that it has begun
                driver.commit()
            except BaseException:
                kept.rollback()
                driver.rollback()
                raise


@contextmanager
def one_picture(engine: Engine) -> Iterator[Connection]:
    """For reading several tables as they stood at one moment."""
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("begin")
        yield connection


def upsert(engine: Engine, into: Table, *, keep_existing: bool = False) -> Any:
    """An insert of one whole row that replaces the row with the same key, or with `keep_existing` leaves it alone."""
    insert = _insert_or(engine, into)
    key = [column.name for column in into.primary_key]
    others = {column.name: insert.excluded[column.name] for column in into.columns if column.name not in key}
    if keep_existing or not others:
        return insert.on_conflict_do_nothing()
    return insert.on_conflict_do_update(index_elements=key, set_=others)


def count_up(engine: Engine, name: str) -> Any:
    """Let the counter of this name grow by one."""
    insert = _insert_or(engine, tables.counter).values(name=name, value=1)
    return insert.on_conflict_do_update(index_elements=["name"], set_={"value": tables.counter.c.value + 1})


class TrailLedger:
    """Inside one transaction on the book: what can be added beside one's own rows.

    Rows that are only ever appended wait for the end of the transaction and go in together: it is half the work.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._appended: dict[Prepared, list[Any]] = {}
        self._acts: list[Act] = []
        self._audit, self._publish, self._last_chain = _trail_of(connection.dialect)

    def audit(self, act: Act) -> None:
        self._acts.append(checked(act))

    def publish(self, at: datetime, topic: str, ref: str, home: str = "", grid: str = "") -> None:
        row = {"at": at, "topic": topic, "ref": ref, "home": home, "grid": grid}
        self._append(self._publish, self._publish.bound(row))

    def remember(self, answered: Answered) -> bool:
        old = delete(tables.api_answer).where(tables.api_answer.c.at < aware(answered.at) - ANSWERS_KEPT)
        self._connection.execute(old)
        keep = _insert_or(self._connection, tables.api_answer).values(**row_of(answered, ANSWER))
        kept = self._connection.execute(keep.on_conflict_do_nothing().returning(tables.api_answer.c.key))
        return kept.one_or_none() is not None

    def settle(self) -> None:
        """Write what waited: the last thing before the commit."""
        if self._acts:
            self._audit.run_all(self._connection, self._sealed())
        for statement, rows in self._appended.items():
            statement.run_bound(self._connection, rows)

    def _sealed(self) -> Iterator[dict[str, Any]]:
        """The acts as rows, each chained to the one before: there is one writer, so the last row stays the last."""
        chain = self._last_chain.scalar(self._connection, {}) or BEGINNING
        for act in self._acts:
            salt = secrets.token_hex(16)
            digest = digest_of(act, salt)
            chain = linked(chain, digest)
            yield {**row_of(act, ACT), "salt": salt, "digest": digest, "chain": chain}

    def _append(self, statement: Prepared, row: Any) -> None:
        self._appended.setdefault(statement, []).append(row)


def row_of(noun: object, names: tuple[str, ...]) -> dict[str, Any]:
    """A noun as a row whose columns are named like its fields; a naive datetime in it is refused."""
    checked(noun)
    return {name: getattr(noun, name) for name in names}


ANSWER = tuple(column.name for column in tables.api_answer.columns)

ACT = ("at", "who", "what", "ref", "why", "facts")
"""The columns of the audit trail that say something; the others seal it."""


@lru_cache(maxsize=8)  # one for each book that is open
def _trail_of(dialect: Dialect) -> tuple[Prepared, Prepared, Prepared]:
    """How to append to the audit trail, how to publish, and the chain of the trail's last row."""
    published = [column.name for column in tables.event.columns if column.name != "id"]
    row = tables.audit.c
    return (
        appending(dialect, tables.audit, (*ACT, "salt", "digest", "chain")),
        appending(dialect, tables.event, published),
        Prepared(dialect, select(row.chain).order_by(row.number.desc()).limit(1)),
    )


# --------------------------------------------------------------------------- what differs between databases


def _insert_or(engine: Engine | Connection, into: Table) -> Any:
    if engine.dialect.name == "sqlite":
        return sqlite_insert(into)
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # a tenth of a second of every start

        return postgresql_insert(into)
    raise WrongBook(f"the book can be kept in SQLite or PostgreSQL, not in {engine.dialect.name!r}")


def _create_private(path: Path) -> None:
    # SQLite gives its side files (-wal, -shm) the mode of the main one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _open_postgresql(where: URL) -> Engine:
    """Connections that know a dead server for dead, write durably, and never wait for ever."""
    shown = where.render_as_string(hide_password=True)
    try:
        engine = create_engine(
            where.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,  # after the server's restart the next question is asked on a new connection
            connect_args={
                "connect_timeout": BUSY_TIMEOUT_MS // 1000,
                "client_encoding": "utf8",
                "keepalives_idle": 10,
                "options": f"-c lock_timeout={BUSY_TIMEOUT_MS} -c synchronous_commit=on -c TimeZone=UTC",
            },
        )
    except ImportError:
        raise WrongBook(
            f"{shown} needs the driver psycopg: install it with `pip install 'shouwang[postgresql]'`."
        ) from None
    try:
        with engine.connect() as connection:
            encoding, sorts_by_bytes = connection.exec_driver_sql(
                "select pg_encoding_to_char(encoding), 'B' < 'a' from pg_database where datname = current_database()"
            ).one()
    except OperationalError as error:
        raise WrongBook(f"{shown} cannot be opened: {' '.join(str(error.orig).split())}") from None
    if encoding != "UTF8" or not sorts_by_bytes:  # else lists would stand in another order than on SQLite
        raise WrongBook(
            f"{shown} is written in {encoding} and does {'' if sorts_by_bytes else 'not '}sort by bytes; the book "
            "needs UTF8 and the locale C: `createdb --template template0 --encoding UTF8 --locale C shouwang`."
        )
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # `writing` and `one_picture` say where a transaction begins
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = wal",
        "synchronous = full",
        "foreign_keys = on",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    ):
        connection.execute(f"pragma {pragma}")


def _bring_up_to_date(engine: Engine) -> None:
    if revision(engine) != HEAD:
        from gateway.stores.migrations import upgrade  # Alembic takes a second to load and is seldom needed

        upgrade(engine)
