"""Alerts in `gateway.db`: the part that must never lose a row."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, bindparam, delete, func, or_, select, text, update

from gateway.domain import (
    RINGING,
    TAKEN,
    Act,
    Alert,
    ButtonTest,
    Delivery,
    Elder,
    Entry,
    Event,
    Finding,
    Outcome,
    Override,
    Purpose,
    Sending,
    Severity,
    State,
)
from gateway.domain.trail import Anchor, Sealed
from gateway.domain.visit import Visit
from gateway.ports import Answered, Carried, Timer
from gateway.stores import ANSWERS_KEPT, CARRIED_LOOKED_AT, naming, tables
from gateway.stores.book import ACT, Pen, TrailLedger, row_of, scrub, tidy, upsert
from gateway.stores.moments import aware
from gateway.stores.prepared import Glance, Legible, Prepared, appending
from gateway.stores.registry import put_override

T = TypeVar("T")

FOR_PEOPLE = (Severity.EMERGENCY, Severity.HIGH, Severity.MEDIUM)

WORDS_KEPT = timedelta(days=3)
"""So long a word from outside that comes a second time is known: a message can be answered for a day."""

_ALERT = tuple(column.name for column in tables.alert.columns)
_ENTRY = tuple(column.name for column in tables.entry.columns if column.name != "number")
_DELIVERY = tuple(column.name for column in tables.delivery.columns if column.name != "number")
_FINDING = tuple(column.name for column in tables.finding.columns)
_TIMER = tuple(column.name for column in tables.timer.columns)

# Built once: making a statement costs more than running it.
_alert, _delivery, _timer, _event = tables.alert, tables.delivery, tables.timer, tables.event
_answer = tables.api_answer
_ALERT_BY_ID = select(_alert).where(_alert.c.id == bindparam("id"))
_OPEN = or_(*(_alert.c.state == state for state in (*RINGING, *TAKEN)))
_OPEN_ALERTS = select(_alert).where(_alert.c.home == bindparam("home"), _OPEN).order_by(_alert.c.raised_at, _alert.c.id)
_UNCLOSED = (
    select(_alert)
    .where(_alert.c.home == bindparam("home"), _alert.c.state != State.CLOSED, _alert.c.state != State.CANCELLED)
    .order_by(_alert.c.severity, _alert.c.raised_at.desc(), _alert.c.id)
    .limit(bindparam("limit"))
)
_OPEN_EVERYWHERE = (
    select(_alert).where(_alert.c.code == bindparam("code"), _OPEN).order_by(_alert.c.raised_at, _alert.c.id)
)
_HOMES_WITH = (
    select(_alert.c.home)
    .distinct()
    .where(_alert.c.raised_at >= bindparam("since"), _alert.c.code == bindparam("code"), _OPEN)
    .order_by(_alert.c.home)
)
_MEMBERS = (
    select(_alert)
    .where(_alert.c.incident == bindparam("incident"), _alert.c.id != _alert.c.incident)
    .order_by(_alert.c.home, _alert.c.id)
)
_HISTORY = (
    select(*(tables.entry.c[name] for name in _ENTRY))
    .where(tables.entry.c.alert == bindparam("alert"))
    .order_by(tables.entry.c.number)
)
_DELIVERY_COLUMNS = [_delivery.c[name] for name in _DELIVERY]
_DELIVERY_BY_ID = select(*_DELIVERY_COLUMNS).where(_delivery.c.id == bindparam("id"))
_DELIVERIES = select(*_DELIVERY_COLUMNS).where(_delivery.c.alert == bindparam("alert")).order_by(_delivery.c.number)
_DELIVERY_BY_MESSAGE = (
    select(*_DELIVERY_COLUMNS)
    .where(_delivery.c.message == bindparam("message"), text(tables.NAMED))
    .where(_delivery.c.channel == bindparam("channel"))
    .order_by(_delivery.c.number.desc())
    .limit(1)
)
_SENT = (
    select(*_DELIVERY_COLUMNS)
    .where(_delivery.c.channel == bindparam("channel"), _delivery.c.sent_at.is_not(None))
    .where(_delivery.c.sent_at >= bindparam("since"))
    .order_by(_delivery.c.sent_at.desc(), _delivery.c.number.desc())
    .limit(bindparam("limit"))
)
_tested = tables.button_test
_TEST_COLUMNS = (_tested.c.home, _tested.c.sensor, _tested.c.at, _tested.c.by)
_BUTTON_TESTS = (
    select(*_TEST_COLUMNS)
    .where(
        _tested.c.number.in_(
            select(func.max(_tested.c.number)).where(_tested.c.home == bindparam("home")).group_by(_tested.c.sensor)
        )
    )
    .order_by(_tested.c.number)
)
_visit = tables.visit
_VISIT = ("home", "at", "person", "elder", "note", "proof")
_CALLS_TO = (
    select(*_DELIVERY_COLUMNS)
    .where(
        _delivery.c.person == bindparam("person"),
        _delivery.c.created_at >= bindparam("since"),
        _delivery.c.purpose == Purpose.PAGE,
    )
    .order_by(_delivery.c.created_at.desc(), _delivery.c.number.desc())
    .limit(bindparam("limit"))
)
_UPDATE_DELIVERY = (
    update(_delivery)
    .where(_delivery.c.id == bindparam("id"))
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


def _sealed(row: Mapping[Any, Any]) -> Sealed:
    act = Act(**{name: row[name] for name in ACT})
    return Sealed(row["number"], act, row["salt"], row["digest"], row["chain"])


def _noun(kind: type[T], row: Mapping[str, Any] | None) -> T | None:
    return None if row is None else kind(**row)


class SqlAlerts:
    """Alerts, their history, outbox and timers, as rows of the book."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pen = Pen(engine)
        self._sql = _Statements(engine)

    @contextmanager
    def begin(self) -> Iterator["_SqlAlertLedger"]:
        with self._pen.writing() as connection:
            ledger = _SqlAlertLedger(connection, self._sql)
            yield ledger
            ledger.settle()
            ledger.announce()

    def alert(self, alert_id: str) -> Alert | None:
        with self._engine.connect() as connection:
            return _noun(Alert, self._sql.alert_by_id.one(connection, {"id": alert_id}))

    def alerts(self, *, home: str | None = None, unclosed: bool = False, limit: int = 200) -> list[Alert]:
        if home is not None and unclosed:
            return self._sql.unclosed.nouns(Alert, home=home, limit=limit)
        wanted = select(_alert)
        if home is not None:
            wanted = wanted.where(_alert.c.home == home)
        if unclosed:
            ended = or_(_alert.c.state == State.CLOSED, _alert.c.state == State.CANCELLED)
            wanted = wanted.where(~ended).order_by(_alert.c.severity)
        return self._asked(Alert, wanted.order_by(_alert.c.raised_at.desc(), _alert.c.id).limit(limit))

    def raised(
        self,
        since: datetime,
        until: datetime,
        *,
        home: str | None = None,
        code: str | None = None,
        outcome: Outcome | None = None,
    ) -> list[Alert]:
        wanted = select(_alert).where(_alert.c.raised_at >= aware(since), _alert.c.raised_at < aware(until))
        for column, value in ((_alert.c.home, home), (_alert.c.code, code), (_alert.c.outcome, outcome)):
            if value is not None:
                wanted = wanted.where(column == value)
        return self._asked(Alert, wanted.order_by(_alert.c.raised_at, _alert.c.id))

    def called(self, since: datetime) -> list[tuple[str, str, int]]:
        alerts = func.count(_delivery.c.alert.distinct())
        wanted = (
            select(_delivery.c.person, _alert.c.home, alerts)
            .join(_alert, _alert.c.id == _delivery.c.alert)
            .where(
                _alert.c.raised_at >= aware(since),
                _delivery.c.purpose == Purpose.PAGE,
                _delivery.c.state == Sending.SENT,
            )
            .group_by(_delivery.c.person, _alert.c.home)
            .order_by(_delivery.c.person, _alert.c.home)
        )
        with self._engine.connect() as connection:
            return [(person, home, count) for person, home, count in connection.execute(wanted)]

    def raised_by_home(self, since: datetime) -> list[tuple[str, int]]:
        wanted = (
            select(_alert.c.home, func.count())
            .where(
                _alert.c.raised_at >= aware(since),
                or_(*(_alert.c.severity == severity for severity in FOR_PEOPLE)),
                or_(_alert.c.incident == "", _alert.c.incident == _alert.c.id),
                or_(_alert.c.outcome.is_(None), _alert.c.outcome.not_in((Outcome.TEST_OR_DRILL, Outcome.DUPLICATE))),
            )
            .group_by(_alert.c.home)
            .order_by(_alert.c.home)
        )
        with self._engine.connect() as connection:
            return [(home, count) for home, count in connection.execute(wanted)]

    def members(self, alert_id: str) -> list[Alert]:
        return self._found(Alert, self._sql.members, incident=alert_id)

    def history(self, alert_id: str) -> list[Entry]:
        return self._found(Entry, self._sql.history, alert=alert_id)

    def deliveries(self, alert_id: str) -> list[Delivery]:
        return self._found(Delivery, self._sql.deliveries, alert=alert_id)

    def delivery(self, delivery_id: str) -> Delivery | None:
        with self._engine.connect() as connection:
            return _noun(Delivery, self._sql.delivery_by_id.one(connection, {"id": delivery_id}))

    def by_message(self, channel: str, message: str) -> Delivery | None:
        with self._engine.connect() as connection:
            return _noun(
                Delivery, self._sql.delivery_by_message.one(connection, {"channel": channel, "message": message})
            )

    def was_heard(self, word: str) -> bool:
        with self._engine.connect() as connection:
            return self._sql.was_heard.scalar(connection, {"id": word}) is not None

    def answered(self, token: str, key: str, now: datetime) -> Answered | None:
        since = aware(now) - ANSWERS_KEPT
        this = select(_answer).where(_answer.c.token == token, _answer.c.key == key, _answer.c.at >= since)
        return next(iter(self._asked(Answered, this)), None)

    def sent(self, channel: str, since: datetime, limit: int = 1000) -> list[Delivery]:
        return self._found(Delivery, self._sql.sent, channel=channel, since=aware(since), limit=limit)

    def carried(self, since: datetime) -> list[Carried]:
        row = _delivery.c
        arrived = func.coalesce(row.delivered_at, row.opened_at, row.answered_at).is_not(None)
        alike = (row.channel, row.state, arrived, row.code)
        newest = select(func.coalesce(func.max(row.number), 0) - CARRIED_LOOKED_AT).scalar_subquery()
        wanted = (
            select(*alike, func.max(row.reason), func.count(), func.max(row.created_at))
            .where(row.number > newest, row.created_at >= aware(since))
            .group_by(*alike)
            .order_by(*alike)
        )
        with self._engine.connect() as connection:
            return [
                Carried(channel=channel, state=state, arrived=bool(came), code=code, reason=reason, count=n, last=last)
                for channel, state, came, code, reason, n, last in connection.execute(wanted)
            ]

    def trials(self, person: str | None = None) -> list[Delivery]:
        way = (_delivery.c.person, _delivery.c.channel, _delivery.c.address)
        newest = select(func.max(_delivery.c.number)).where(text(tables.TRIED)).group_by(*way)
        if person is not None:
            newest = newest.where(_delivery.c.person == person)
        wanted = select(*_DELIVERY_COLUMNS).where(_delivery.c.number.in_(newest)).order_by(_delivery.c.number)
        return self._asked(Delivery, wanted)

    def button_tests(self, home: str | None = None) -> list[ButtonTest]:
        if home is not None:
            return self._found(ButtonTest, self._sql.button_tests, home=home)
        newest = select(func.max(_tested.c.number)).group_by(_tested.c.home, _tested.c.sensor)
        return self._asked(
            ButtonTest, select(*_TEST_COLUMNS).where(_tested.c.number.in_(newest)).order_by(_tested.c.number)
        )

    def visits(
        self, home: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[Visit]:
        wanted = select(_visit).order_by(_visit.c.at, _visit.c.home, _visit.c.person)
        if home is not None:
            wanted = wanted.where(_visit.c.home == home)
        if since is not None:
            wanted = wanted.where(_visit.c.at >= aware(since))
        if until is not None:
            wanted = wanted.where(_visit.c.at < aware(until))
        return self._asked(Visit, wanted)

    def last_visits(self, home: str | None = None) -> list[Visit]:
        met = select(_visit.c.home, func.max(_visit.c.at).label("at")).where(_visit.c.elder != Elder.NOT_REACHED)
        newest = (met if home is None else met.where(_visit.c.home == home)).group_by(_visit.c.home).subquery()
        same = (_visit.c.home == newest.c.home) & (_visit.c.at == newest.c.at)
        wanted = select(_visit).join(newest, same).where(_visit.c.elder != Elder.NOT_REACHED)
        found = self._asked(Visit, wanted.order_by(_visit.c.home, _visit.c.person))
        return list({visit.home: visit for visit in found}.values())

    def timers_due(self, now: datetime, limit: int = 200) -> list[Timer]:
        return self._found(Timer, self._sql.timers_due, now=aware(now), limit=limit)

    def next_timer(self) -> datetime | None:
        return self._scalar(self._sql.next_timer)  # type: ignore[no-any-return]

    def outbox(self, now: datetime, limit: int = 200) -> list[Delivery]:
        return self._found(Delivery, self._sql.outbox, now=aware(now), limit=limit)

    def next_delivery(self) -> datetime | None:
        return self._scalar(self._sql.next_delivery)  # type: ignore[no-any-return]

    def events(self, after: int, limit: int = 500) -> list[Event]:
        return self._found(Event, self._sql.events, after=after, limit=limit)

    def last_event(self) -> int:
        return self._scalar(self._sql.last_event) or 0

    def acts(
        self,
        ref: str | None = None,
        limit: int = 200,
        *,
        who: str = "",
        what: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Act]:
        row = tables.audit.c
        wanted = select(*(row[name] for name in ACT))
        if ref is not None:
            wanted = wanted.where(row.ref == ref)
        if who:
            wanted = wanted.where(row.who == who)
        if what:
            wanted = wanted.where(row.what.startswith(what, autoescape=True))
        if since is not None:
            wanted = wanted.where(row.at >= aware(since))
        if until is not None:
            wanted = wanted.where(row.at < aware(until))
        return self._asked(Act, wanted.order_by(row.number.desc()).limit(limit))

    def sealed(self, after: int = 0, limit: int = 100_000) -> list[Sealed]:
        row = tables.audit
        wanted = select(row).where(row.c.number > after).order_by(row.c.number).limit(limit)
        with self._engine.connect() as connection:
            return [_sealed(found) for found in connection.execute(wanted).mappings()]

    def trail_end(self) -> Anchor | None:
        row = tables.audit.c
        wanted = select(row.number, row.chain).order_by(row.number.desc()).limit(1)
        with self._engine.connect() as connection:
            last = connection.execute(wanted).one_or_none()
        return None if last is None else Anchor(last.number, last.chain)

    def illegible(self) -> list[str]:
        return sorted(name for _, name in self._sql.legible.left_out)

    def tidy(self) -> None:
        tidy(self._engine)

    def scrub(self) -> None:
        scrub(self._engine)

    def _found(self, kind: type[T], statement: Prepared, **values: object) -> list[T]:
        with self._engine.connect() as connection:
            return self._sql.nouns(connection, kind, statement, values)

    def _scalar(self, statement: Prepared) -> Any:
        with self._engine.connect() as connection:
            return statement.scalar(connection, {})

    def _asked(self, kind: type[T], statement: Any) -> list[T]:
        """For what is put together by the question, and asked by pages only."""
        return self._found(kind, Prepared(self._engine.dialect, statement))


class _Statements:
    """Every statement of the road, as this database wants it."""

    def __init__(self, engine: Engine) -> None:
        def prepared(statement: Any, row: Iterable[str] | None = None) -> Prepared:
            return Prepared(engine.dialect, statement, row)

        self.legible = Legible()
        self.alert_by_id = prepared(_ALERT_BY_ID)
        self.open_alerts = prepared(_OPEN_ALERTS)
        self.unclosed = Glance(engine, _UNCLOSED, self.legible.nouns)
        self.open_everywhere = prepared(_OPEN_EVERYWHERE)
        self.homes_with = prepared(_HOMES_WITH)
        self.members = prepared(_MEMBERS)
        self.history = prepared(_HISTORY)
        self.deliveries = prepared(_DELIVERIES)
        self.delivery_by_id = prepared(_DELIVERY_BY_ID)
        self.calls_to = prepared(_CALLS_TO)
        self.delivery_by_message = prepared(_DELIVERY_BY_MESSAGE)
        self.sent = prepared(_SENT)
        self.outbox = prepared(_OUTBOX)
        self.next_delivery = prepared(_NEXT_DELIVERY)
        self.timers_due = prepared(_TIMERS_DUE)
        self.next_timer = prepared(_NEXT_TIMER)
        self.events = prepared(_EVENTS)
        self.last_event = prepared(_LAST_EVENT)
        self.clear_timer = prepared(_CLEAR_TIMER)
        self.update_delivery = prepared(_UPDATE_DELIVERY)
        self.save = prepared(upsert(engine, tables.alert), _ALERT)
        self.join = prepared(upsert(engine, tables.finding, keep_existing=True), _FINDING)
        self.queue = prepared(upsert(engine, tables.delivery, keep_existing=True).inline(), _DELIVERY)
        self.set_timer = prepared(upsert(engine, tables.timer), _TIMER)
        self.write = appending(engine.dialect, tables.entry, _ENTRY)
        self.hear = prepared(upsert(engine, tables.inbound, keep_existing=True), ("id", "at"))
        self.was_heard = prepared(select(tables.inbound.c.id).where(tables.inbound.c.id == bindparam("id")))
        self.forget = prepared(tables.inbound.delete().where(tables.inbound.c.at < bindparam("before")))
        self.button_tests = prepared(_BUTTON_TESTS)
        self.keep_test = appending(engine.dialect, tables.button_test, ("home", "sensor", "at", "by"))
        self.keep_visit = prepared(upsert(engine, _visit, keep_existing=True), _VISIT)

    def nouns(self, connection: Connection, kind: type[T], statement: Prepared, values: Mapping[str, Any]) -> list[T]:
        return self.legible.nouns(statement, kind, statement.run(connection, values).fetchall())


class _SqlAlertLedger(TrailLedger):
    def __init__(self, connection: Connection, sql: _Statements) -> None:
        super().__init__(connection)
        self._sql = sql
        self.announce: Callable[[], None] = lambda: None

    def _nouns(self, kind: type[T], statement: Prepared, values: Mapping[str, Any]) -> list[T]:
        return self._sql.nouns(self._connection, kind, statement, values)

    def alert(self, alert_id: str) -> Alert | None:
        return _noun(Alert, self._sql.alert_by_id.one(self._connection, {"id": alert_id}))

    def open_alerts(self, home: str) -> list[Alert]:
        return self._nouns(Alert, self._sql.open_alerts, {"home": home})

    def open_everywhere(self, code: str) -> list[Alert]:
        return self._nouns(Alert, self._sql.open_everywhere, {"code": code})

    def homes_with(self, code: str, since: datetime) -> list[str]:
        rows = self._sql.homes_with.all(self._connection, {"code": code, "since": aware(since)})
        return [row["home"] for row in rows]

    def members(self, alert_id: str) -> list[Alert]:
        return self._nouns(Alert, self._sql.members, {"incident": alert_id})

    def join(self, finding: Finding, alert_id: str) -> bool:
        row = {"id": finding.id, "alert": alert_id, "at": finding.at}
        return bool(self._sql.join.run(self._connection, row).rowcount == 1)

    def save(self, alert: Alert) -> None:
        self._sql.save.run_of(self._connection, alert)

    def write(self, entry: Entry) -> None:
        self._append(self._sql.write, self._sql.write.bound_of(entry))

    def queue(self, delivery: Delivery) -> bool:
        return bool(self._sql.queue.run_of(self._connection, delivery).rowcount == 1)

    def deliveries(self, alert_id: str) -> list[Delivery]:
        return self._nouns(Delivery, self._sql.deliveries, {"alert": alert_id})

    def delivery(self, delivery_id: str) -> Delivery | None:
        return _noun(Delivery, self._sql.delivery_by_id.one(self._connection, {"id": delivery_id}))

    def calls_to(self, person: str, since: datetime, limit: int = 10_000) -> list[Delivery]:
        asked = {"person": person, "since": aware(since), "limit": limit}
        return self._nouns(Delivery, self._sql.calls_to, asked)

    def update(self, delivery: Delivery) -> None:
        if self._sql.update_delivery.run_of(self._connection, delivery).rowcount != 1:
            raise LookupError(f"the outbox has no delivery {delivery.id!r}; queue() puts one in")

    def hear(self, word: str, at: datetime) -> None:
        self._sql.forget.run(self._connection, {"before": aware(at) - WORDS_KEPT})
        self._sql.hear.run(self._connection, {"id": word, "at": at})

    def keep_test(self, test: ButtonTest) -> None:
        self._append(self._sql.keep_test, self._sql.keep_test.bound_of(test))

    def keep_visit(self, visit: Visit) -> None:
        self._sql.keep_visit.run_of(self._connection, visit)

    def put_override(self, override: Override) -> None:
        put_override(self._connection, override)

    def button_tests(self, home: str) -> list[ButtonTest]:
        return self._nouns(ButtonTest, self._sql.button_tests, {"home": home})

    def set_timer(self, timer: Timer) -> None:
        self._sql.set_timer.run_of(self._connection, timer)

    def before_commit(self, act: Callable[[], None]) -> None:
        self.announce = act

    def forget_alert(self, alert_id: str) -> None:
        for table in (tables.entry, tables.delivery, tables.finding):
            self._connection.execute(delete(table).where(table.c.alert == alert_id))
        self._connection.execute(delete(_timer).where(_timer.c.ref == alert_id))
        self._connection.execute(delete(_alert).where(_alert.c.id == alert_id))

    def forget_home(self, home: str, people: Collection[str], stand_in: str) -> None:
        self._connection.execute(delete(_tested).where(_tested.c.home == home))
        self._connection.execute(delete(_visit).where(_visit.c.home == home))
        # What opened the home, or was about an alert of it or one of the people, is an answer of no home.
        named = (_answer.c.answer.contains(words, autoescape=True) for words in naming(home, people))
        self._connection.execute(delete(_answer).where(or_(_answer.c.home == home, *named)))
        ref = _event.c.ref
        told_of = or_(_event.c.home == home, ref.in_([home, *people]), ref.startswith(f"{home}/", autoescape=True))
        self._connection.execute(update(_event).where(told_of).values(ref=stand_in, home=stand_in, grid=""))

    def redact(self, rows: Mapping[int, Act]) -> None:
        for number, act in rows.items():
            this = update(tables.audit).where(tables.audit.c.number == number)
            self._connection.execute(this.values(**row_of(act, ACT), salt=""))

    def cut_trail(self, last: int) -> int:
        return self._connection.execute(delete(tables.audit).where(tables.audit.c.number <= last)).rowcount

    def clear_timer(self, timer_id: str) -> None:
        self._sql.clear_timer.run(self._connection, {"key": timer_id})
