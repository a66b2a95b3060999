"""Shifts, holidays and leave as rows of the book; what stands in the roll is read from here."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Connection, Table, delete, or_, select

from gateway.domain.rota import Holiday, Leave, Shift
from gateway.stores import tables
from gateway.stores.book import row_of
from gateway.stores.moments import aware
from gateway.stores.prepared import Legible, Prepared
from gateway.stores.roll import absent

T = TypeVar("T")

_SHIFT = tuple(tables.shift.columns.keys())
_LEAVE = tuple(tables.leave.columns.keys())
_HOLIDAY = tuple(tables.holiday.columns.keys())


def read_shifts(connection: Connection, legible: Legible) -> list[Shift]:
    """In the order in which they begin to hold, so that whoever came first is named first."""
    row = tables.shift
    return _read(connection, legible, select(row).order_by(row.c.first, row.c.begins, row.c.id), _shift, "shift")


def _shift(*, id: str, zone: str, **said: Any) -> Shift:
    return Shift(**said, zone=ZoneInfo(zone))


def read_holidays(connection: Connection, legible: Legible) -> list[Holiday]:
    row = tables.holiday
    return _read(connection, legible, select(row).order_by(row.c.day, row.c.place), Holiday, "holiday")


def read_leaves(connection: Connection, legible: Legible) -> list[Leave]:
    row = tables.leave
    return _read(connection, legible, select(row).order_by(row.c.since, row.c.person), Leave, "leave")


def _read(connection: Connection, legible: Legible, wanted: Any, make: Callable[..., T], kind: str) -> list[T]:
    statement = Prepared(connection.dialect, wanted)  # which makes values of a row's columns one row at a time
    return legible.nouns(statement, make, statement.run(connection, {}).fetchall(), kind)


class RotaLedger(ABC):
    """The part of a registry's transaction that writes the rota; who inherits says how a row is put, and notes
    what was touched."""

    _connection: Connection

    def put_shift(self, shift: Shift) -> None:
        self._check_person(shift.person, f"the shift from {shift.first} on")
        self._check_place(shift.place, f"the shift of {shift.person}")
        self._put(tables.shift, {name: getattr(shift, name) for name in _SHIFT} | {"zone": shift.zone.key})
        self._touch("rota")

    def drop_shift(self, shift_id: str) -> None:
        row = tables.shift.c
        self._connection.execute(delete(tables.shift).where(or_(row.id == shift_id, row.swap_of == shift_id)))
        self._touch("rota")

    def put_holiday(self, holiday: Holiday) -> None:
        if holiday.place:
            self._check_place(holiday.place, f"the holiday of {holiday.day}")
        self._put(tables.holiday, row_of(holiday, _HOLIDAY))
        self._touch("rota")

    def drop_holiday(self, place: str, day: date) -> None:
        row = tables.holiday.c
        self._connection.execute(delete(tables.holiday).where(row.place == place, row.day == day))
        self._touch("rota")

    def put_leave(self, leave: Leave) -> None:
        self._check_person(leave.person, "this leave")
        self._put(tables.leave, row_of(leave, _LEAVE))
        self._touch("rota")

    def drop_leave(self, person: str, since: datetime) -> None:
        row = tables.leave.c
        self._connection.execute(delete(tables.leave).where(row.person == person, row.since == aware(since)))
        self._touch("rota")

    def _is_area(self, code: str) -> bool:
        area = tables.area.c
        known = select(area.code).where(area.code == code, area.until.is_(None)).limit(1)
        return self._connection.scalar(known) is not None

    def _check_person(self, person: str, needed_by: str) -> None:
        if not self._has(tables.person.c.id, person):
            raise absent("person", person, needed_by)

    def _check_place(self, place: str, needed_by: str) -> None:
        if not (self._has(tables.grid.c.code, place) or self._is_area(place)):
            raise absent("area or grid", place, needed_by)

    @abstractmethod
    def _touch(self, part: str, name: str = "") -> None: ...

    @abstractmethod
    def _put(self, table: Table, row: Mapping[str, Any]) -> None: ...

    @abstractmethod
    def _has(self, column: Column[str], value: str) -> bool: ...
