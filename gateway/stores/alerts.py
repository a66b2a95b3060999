"""Alerts in `gateway.db`: the part that must never lose a row."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, func, insert, select, update

from gateway.domain import Act, Alert, Delivery, Entry, Event, Finding, Sending, Severity, State
from gateway.ports import Timer
from gateway.stores import tables
from gateway.stores.book import TrailLedger, row_of, tidy, upsert, writing
from gateway.stores.moments import aware

_ALERT = tuple(column.name for column in tables.alert.columns)
_ENTRY = tuple(column.name for column in tables.entry.columns if column.name != "number")
_DELIVERY = tuple(column.name for column in tables.delivery.columns if column.name != "number")
_ACT = tuple(column.name for column in tables.audit.columns if column.name != "number")
_TIMER = tuple(column.name for column in tables.timer.columns)

# Built once: making a statement costs more than running it.
_alert, _delivery, _timer, _event = tables.alert, tables.delivery, tables.timer, tables.event
_ALERT_BY_ID = select(_alert).where(_alert.c.id == bindparam("id"))
_OPEN_ALERT = (
    select(_alert)
    .where(
        _alert.c.home == bindparam("home"),
        _alert.c.code == bindparam("code"),
        _alert.c.subject == bindparam("subject"),
        _alert.c.state.in_([State.RAISED, State.NOTIFIED, State.ACCEPTED]),
    )
    .order_by(_alert.c.raised_at.desc())
    .limit(1)
)
_HISTORY = (
    select(*(tables.entry.c[name] for name in _ENTRY))
    .where(tables.entry.c.alert == bindparam("alert"))
    .order_by(tables.entry.c.number)
)
_DELIVERY_COLUMNS = [_delivery.c[name] for name in _DELIVERY]
_DELIVERY_BY_ID = select(*_DELIVERY_COLUMNS).where(_delivery.c.id == bindparam("id"))
_DELIVERIES = select(*_DELIVERY_COLUMNS).where(_delivery.c.alert == bindparam("alert")).order_by(_delivery.c.number)
_UPDATE_DELIVERY = (
    update(_delivery)
    .where(_delivery.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in _DELIVERY if name != "id"})
)
_OUTBOX = (
    select(*_DELIVERY_COLUMNS)
    .outerjoin(_alert, _alert.c.id == _delivery.c.alert)
    .where(
        _delivery.c.state == Sending.WAITING,
        (_delivery.c.next_at.is_(None)) | (_delivery.c.next_at <= bindparam("now")),
    )
    .order_by(func.coalesce(_alert.c.severity, Severity.TECHNICAL.value), _delivery.c.created_at, _delivery.c.number)
    .limit(bindparam("limit"))
)
_NEXT_DELIVERY = select(
    func.min(func.coalesce(_delivery.c.next_at, _delivery.c.created_at), type_=tables.Moment)
).where(_delivery.c.state == Sending.WAITING)
_CLEAR_TIMER = tables.timer.delete().where(_timer.c.id == bindparam("key"))
_TIMERS_DUE = (
    select(_timer)
    .where(_timer.c.due_at <= bindparam("now"))
    .order_by(_timer.c.due_at, _timer.c.id)
    .limit(bindparam("limit"))
)
_NEXT_TIMER = select(func.min(_timer.c.due_at))
_EVENTS = select(_event).where(_event.c.id > bindparam("after")).order_by(_event.c.id).limit(bindparam("limit"))
_LAST_EVENT = select(func.max(_event.c.id))
_WRITE = insert(tables.entry)


def _nouns(kind: type[Any], rows: Any) -> list[Any]:
    return [kind(**row._mapping) for row in rows]


def _noun(kind: type[Any], row: Row[Any] | None) -> Any:
    return None if row is None else kind(**row._mapping)


class SqlAlerts:
    """Alerts, their history, outbox and timers, as rows of the book."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = _Writes(engine)

    @contextmanager
    def begin(self) -> Iterator["_SqlAlertLedger"]:
        with writing(self._engine) as connection:
            ledger = _SqlAlertLedger(connection, self._statements)
            yield ledger
            ledger.settle()

    def alert(self, alert_id: str) -> Alert | None:
        alert: Alert | None = _noun(Alert, self._one(_ALERT_BY_ID, id=alert_id))
        return alert

    def alerts(self, *, home: str | None = None, unclosed: bool = False, limit: int = 200) -> list[Alert]:
        wanted = select(_alert)
        if home is not None:
            wanted = wanted.where(_alert.c.home == home)
        if unclosed:
            wanted = wanted.where(_alert.c.state != State.CLOSED).order_by(_alert.c.severity)
        return _nouns(Alert, self._all(wanted.order_by(_alert.c.raised_at.desc(), _alert.c.id).limit(limit)))

    def history(self, alert_id: str) -> list[Entry]:
        return _nouns(Entry, self._all(_HISTORY, alert=alert_id))

    def deliveries(self, alert_id: str) -> list[Delivery]:
        return _nouns(Delivery, self._all(_DELIVERIES, alert=alert_id))

    def timers_due(self, now: datetime, limit: int = 200) -> list[Timer]:
        return _nouns(Timer, self._all(_TIMERS_DUE, now=aware(now), limit=limit))

    def next_timer(self) -> datetime | None:
        return self._scalar(_NEXT_TIMER)  # type: ignore[no-any-return]

    def outbox(self, now: datetime, limit: int = 200) -> list[Delivery]:
        return _nouns(Delivery, self._all(_OUTBOX, now=aware(now), limit=limit))

    def next_delivery(self) -> datetime | None:
        return self._scalar(_NEXT_DELIVERY)  # type: ignore[no-any-return]

    def events(self, after: int, limit: int = 500) -> list[Event]:
        return _nouns(Event, self._all(_EVENTS, after=after, limit=limit))

    def last_event(self) -> int:
        return self._scalar(_LAST_EVENT) or 0

    def acts(self, ref: str | None = None, limit: int = 200) -> list[Act]:
        wanted = select(*(tables.audit.c[name] for name in _ACT))
        if ref is not None:
            wanted = wanted.where(tables.audit.c.ref == ref)
        return _nouns(Act, self._all(wanted.order_by(tables.audit.c.number.desc()).limit(limit)))

    def tidy(self) -> None:
        tidy(self._engine)

    def _all(self, statement: Any, **values: object) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(statement, values).all()

    def _one(self, statement: Any, **values: object) -> Row[Any] | None:
        with self._engine.connect() as connection:
            return connection.execute(statement, values).one_or_none()

    def _scalar(self, statement: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.scalar(statement)


class _Writes:
    """The statements that are written differently for each database."""

    def __init__(self, engine: Engine) -> None:
        self.save = upsert(engine, tables.alert)
        self.join = upsert(engine, tables.finding, keep_existing=True)
        self.queue = upsert(engine, tables.delivery, keep_existing=True)
        self.set_timer = upsert(engine, tables.timer)


class _SqlAlertLedger(TrailLedger):
    def __init__(self, connection: Connection, statements: _Writes) -> None:
        super().__init__(connection)
        self._statements = statements

    def alert(self, alert_id: str) -> Alert | None:
        alert: Alert | None = _noun(Alert, self._connection.execute(_ALERT_BY_ID, {"id": alert_id}).one_or_none())
        return alert

    def open_alert(self, home: str, code: str, subject: str) -> Alert | None:
        key = {"home": home, "code": code, "subject": subject}
        alert: Alert | None = _noun(Alert, self._connection.execute(_OPEN_ALERT, key).one_or_none())
        return alert

    def join(self, finding: Finding, alert_id: str) -> bool:
        row = {"id": finding.id, "alert": alert_id, "at": finding.at}
        return self._connection.execute(self._statements.join, row).rowcount == 1

    def save(self, alert: Alert) -> None:
        self._connection.execute(self._statements.save, row_of(alert, _ALERT))

    def write(self, entry: Entry) -> None:
        self._append(_WRITE, row_of(entry, _ENTRY))

    def queue(self, delivery: Delivery) -> bool:
        return self._connection.execute(self._statements.queue, row_of(delivery, _DELIVERY)).rowcount == 1

    def deliveries(self, alert_id: str) -> list[Delivery]:
        return _nouns(Delivery, self._connection.execute(_DELIVERIES, {"alert": alert_id}))

    def delivery(self, delivery_id: str) -> Delivery | None:
        row = self._connection.execute(_DELIVERY_BY_ID, {"id": delivery_id}).one_or_none()
        delivery: Delivery | None = _noun(Delivery, row)
        return delivery

    def update(self, delivery: Delivery) -> None:
        values = row_of(delivery, _DELIVERY)
        values["key"] = values.pop("id")
        if self._connection.execute(_UPDATE_DELIVERY, values).rowcount != 1:
            raise LookupError(f"the outbox has no delivery {delivery.id!r}; queue() puts one in")

    def set_timer(self, timer: Timer) -> None:
        self._connection.execute(self._statements.set_timer, row_of(timer, _TIMER))

    def clear_timer(self, timer_id: str) -> None:
        self._connection.execute(_CLEAR_TIMER, {"key": timer_id})
