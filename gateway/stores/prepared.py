"""Statements compiled once, for the road of a press.

SQLAlchemy writes the SQL of each database and knows the types of its columns. What it does at every call beside that
(looking up the compiled form, wrapping cursors and rows) costs several times what SQLite itself needs, so where a
person waits the compiled text goes to the driver directly, inside the same connection and transaction.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine, PoolProxiedConnection, Table, insert

from gateway.domain.fault import FAULTS

log = logging.getLogger(__name__)

T = TypeVar("T")

REMEMBERED = 1_000
"""Answers of a `Glance` of which the nouns are kept."""


class Prepared:
    """One statement for one database: `run` gives the driver's cursor, `one`, `all` and `scalar` typed rows."""

    def __init__(self, dialect: Dialect, statement: Any, row: Iterable[str] | None = None) -> None:
        """`row` names the columns of an insert or update whose values are given with each call."""
        compiled = statement.compile(dialect=dialect, column_keys=None if row is None else list(row))
        self.text = str(compiled)
        self._order: list[str] | None = compiled.positiontup  # None: this driver takes values by name
        self._to_driver: dict[str, Callable[[Any], Any]] = {}
        self._fixed: dict[str, Any] = {}
        for name, bind in compiled.binds.items():
            convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                self._to_driver[name] = convert
            if not bind.required and bind.value is not None:
                self._fixed[name] = bind.value if convert is None else convert(bind.value)
        # Of a noun whose fields are named like the columns: all of them at once, and how each goes to the driver.
        self._places = self._order or list(compiled.binds)
        self._fields: Callable[[Any], Any] | None = attrgetter(*self._places) if len(self._places) > 1 else None
        self._converting = [self._to_driver.get(name) for name in self._places]
        self._names: list[str] = []
        self._from_driver: list[Callable[[Any], Any] | None] = []
        for column in getattr(statement, "selected_columns", ()):
            self._names.append(column.key)
            self._from_driver.append(column.type.dialect_impl(dialect).result_processor(dialect, None))

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Execute with these values; the driver's cursor, for its count of rows."""
        cursor = connection.connection.cursor()
        cursor.execute(self.text, self.bound(values))
        return cursor

    def run_of(self, connection: Connection, noun: object) -> Any:
        """The same with the values of a noun whose fields are named like the columns."""
        cursor = connection.connection.cursor()
        cursor.execute(self.text, self.bound_of(noun))
        return cursor

    def run_all(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute once for each row."""
        self.run_bound(connection, [self.bound(row) for row in rows])

    def run_bound(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Execute once for each row, of values as the driver takes them."""
        connection.connection.cursor().executemany(self.text, rows)

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every row found, by the names of the columns."""
        return [self.row(found) for found in self.run(connection, values).fetchall()]

    def one(self, connection: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first row found, or None."""
        found = self.run(connection, values).fetchone()
        return None if found is None else self.row(found)

    def scalar(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, or None."""
        return self.first(self.run(connection, values).fetchone())

    def found(self, cursor: Any, values: Mapping[str, Any]) -> list[Any]:
        """Every row, each as the driver gives it: `row` makes it a typed one. The cursor is the driver's."""
        cursor.execute(self.text, self.bound(values))
        return cast("list[Any]", cursor.fetchall())

    def first(self, found: Any) -> Any:
        convert = self._from_driver[0]
        return None if found is None else found[0] if convert is None else convert(found[0])

    def bound_of(self, noun: object) -> Any:
        """A noun's values as the driver takes them. A wide row costs several times as much by way of a dict."""
        assert self._fields is not None
        values = [
            value if value is None or convert is None else convert(value)
            for value, convert in zip(self._fields(noun), self._converting, strict=True)
        ]
        return values if self._order is not None else dict(zip(self._places, values, strict=True))

    def bound(self, values: Mapping[str, Any]) -> Any:
        """Values by their names, as the driver takes them."""
        to_driver = self._to_driver
        given = dict(self._fixed)
        for name, value in values.items():
            convert = to_driver.get(name)
            given[name] = value if convert is None else convert(value)
        return given if self._order is None else [given[name] for name in self._order]

    def nouns(self, kind: Callable[..., T], found: Iterable[Any]) -> list[T]:
        """A noun of each row as the driver gave it."""
        return [kind(**self.row(one)) for one in found]

    def named(self, found: Any) -> str:
        """What tells a row from others, also where nothing else of it can be read: its id, else what stands first."""
        return str(found[self._names.index("id")]) if "id" in self._names else " ".join(map(str, found[:2]))

    def row(self, found: Any) -> dict[str, Any]:
        return {
            name: value if convert is None else convert(value)
            for name, value, convert in zip(self._names, found, self._from_driver, strict=True)
        }


def appending(dialect: Dialect, table: Table, columns: Iterable[str]) -> Prepared:
    """An insert of a row with these columns; the database draws the others."""
    return Prepared(dialect, insert(table).inline(), columns)


class Legible:
    """Makes nouns of rows. One that cannot be read, as after a way back to an older version, is left out of what is
    asked for together with others, so that it costs what it is about and not everybody's ladder."""

    def __init__(self) -> None:
        self.left_out: set[tuple[str, str]] = set()  # of what kind it is, and what names it

    def nouns(self, statement: Prepared, make: Callable[..., T], found: Iterable[Any], kind: str = "") -> list[T]:
        nouns = []
        for row in found:
            try:
                nouns.append(make(**statement.row(row)))
            except FAULTS as error:
                self.leave_out(kind or make.__name__, statement.named(row), error)
        return nouns

    def leave_out(self, kind: str, name: str, error: Exception) -> None:
        if (kind, name) not in self.left_out:  # once, and not at each look
            self.left_out.add((kind, name))
            log.error("what cannot be read of a row is left out", extra={"row": name, "of": kind}, exc_info=error)


class Glance:
    """One question that is asked at every step of the road, or by every program that asks us, by any thread.

    Taking a connection from the pool and giving it back costs several times the question itself, so one is kept for
    it; where a question opens a transaction it would hold that open, and is asked in the ordinary way.
    """

    def __init__(
        self,
        engine: Engine,
        statement: Any,
        nouns: Callable[[Prepared, type[Any], Iterable[Any]], list[Any]] = Prepared.nouns,
    ) -> None:
        self._engine = engine
        self._statement = Prepared(engine.dialect, statement)
        self._nouns = nouns
        self._asking = threading.Lock()
        self._kept: PoolProxiedConnection | None = None
        self._cursor: Any = None
        self._made: dict[tuple[Any, ...], tuple[list[Any], list[Any]]] = {}

    def value(self) -> Any:
        """The value as it stands now, whichever process wrote it last; None where there is none."""
        return self._statement.first(next(iter(self._found({})), None))

    def nouns(self, kind: type[T], **values: Any) -> list[T]:
        """A noun of every row found with these values, as they stand now. They are made again only where the rows are
        others than the last time: of a wide row that costs several times the question."""
        rows, asked = self._found(values), tuple(values.values())
        if not rows:
            return []
        known = self._made.get(asked)
        if known is None or known[0] != rows:
            if known is None and len(self._made) >= REMEMBERED:
                self._made.clear()
            known = self._made[asked] = rows, self._nouns(self._statement, kind, rows)
        return list(known[1])

    def _found(self, values: Mapping[str, Any]) -> list[Any]:
        if self._engine.dialect.name != "sqlite":
            with self._engine.connect() as connection:
                return self._statement.found(connection.connection.cursor(), values)
        with self._asking:
            if self._cursor is None:
                self._kept = self._engine.raw_connection()
                self._cursor = self._kept.cursor()
            try:
                return self._statement.found(self._cursor, values)
            except BaseException:
                self._cursor = None  # what it had begun to read would keep the file's log from being folded in
                raise
