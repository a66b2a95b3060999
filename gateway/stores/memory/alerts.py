"""Alerts, their history, outbox and timers in memory."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from gateway.domain import (
    Act,
    Alert,
    ButtonTest,
    Delivery,
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
from gateway.stores import ANSWERS_KEPT, CARRIED_LOOKED_AT, naming
from gateway.stores.memory.trail import MemoryTrail, TrailLedger
from gateway.stores.moments import aware, checked


class _AlertRows:
    """The tables of alerts. A ledger is one of these too: it holds what is new and looks the rest up below."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.findings: dict[str, str] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.timers: dict[str, Timer | None] = {}  # None: cleared
        self.inbound: dict[str, datetime] = {}
        self.button_tests: list[ButtonTest] = []
        self.visits: dict[tuple[str, datetime, str], Visit] = {}


class MemoryAlerts:
    """Alerts, their history, outbox and timers, until the program ends."""

    def __init__(self, trail: MemoryTrail | None = None) -> None:
        self.trail = trail or MemoryTrail()
        self._rows = _AlertRows()
        self._changing = threading.Lock()  # readers see a whole transaction or nothing of it

    @contextmanager
    def begin(self) -> Iterator["_MemoryAlertLedger"]:
        with self.trail.writing():
            ledger = _MemoryAlertLedger(self._rows, self.trail)
            yield ledger
            ledger.announce()
            with self._changing:
                self.trail.plan(ledger.lines)
                ledger.settle()
                ledger.append_to(self.trail)

    def alert(self, alert_id: str) -> Alert | None:
        return self._rows.alerts.get(alert_id)

    def alerts(self, *, home: str | None = None, unclosed: bool = False, limit: int = 200) -> list[Alert]:
        with self._changing:
            found = [a for a in self._rows.alerts.values() if home is None or a.home == home]
        if unclosed:
            found = [a for a in found if a.state not in (State.CLOSED, State.CANCELLED)]
        found.sort(key=attrgetter("id"))
        found.sort(key=attrgetter("raised_at"), reverse=True)
        if unclosed:
            found.sort(key=lambda a: a.severity.value)
        return found[:limit]

    def raised(
        self,
        since: datetime,
        until: datetime,
        *,
        home: str | None = None,
        code: str | None = None,
        outcome: Outcome | None = None,
    ) -> list[Alert]:
        aware(since), aware(until)
        with self._changing:
            found = [a for a in self._rows.alerts.values() if since <= a.raised_at < until]
        wanted = ((home, "home"), (code, "code"), (outcome, "outcome"))
        found = [a for a in found if all(v is None or getattr(a, name) == v for v, name in wanted)]
        return sorted(found, key=attrgetter("raised_at", "id"))

    def called(self, since: datetime) -> list[tuple[str, str, int]]:
        aware(since)
        with self._changing:
            raised = {a.id: a.home for a in self._rows.alerts.values() if a.raised_at >= since}
            calls = {
                (d.person, raised[d.alert], d.alert)
                for d in self._rows.deliveries.values()
                if d.alert in raised and d.purpose is Purpose.PAGE and d.state is Sending.SENT
            }
        counts = Counter((person, home) for person, home, _ in calls)
        return [(person, home, count) for (person, home), count in sorted(counts.items())]

    def raised_by_home(self, since: datetime) -> list[tuple[str, int]]:
        aware(since)
        with self._changing:
            raised = [a.home for a in self._rows.alerts.values() if a.raised_at >= since and _is_for_people(a)]
        return sorted(Counter(raised).items())

    def members(self, alert_id: str) -> list[Alert]:
        with self._changing:
            return _members(self._rows.alerts.values(), alert_id)

    def history(self, alert_id: str) -> list[Entry]:
        with self._changing:
            return list(self._rows.entries.get(alert_id, ()))

    def deliveries(self, alert_id: str) -> list[Delivery]:
        with self._changing:
            return [d for d in self._rows.deliveries.values() if d.alert == alert_id]

    def delivery(self, delivery_id: str) -> Delivery | None:
        return self._rows.deliveries.get(delivery_id)

    def by_message(self, channel: str, message: str) -> Delivery | None:
        found = [d for d in self._deliveries() if message and (d.channel, d.message) == (channel, message)]
        return found[-1] if found else None

    def was_heard(self, word: str) -> bool:
        return word in self._rows.inbound

    def answered(self, token: str, key: str, now: datetime) -> Answered | None:
        kept = self.trail.answers.get((token, key))
        return kept if kept is not None and kept.at >= aware(now) - ANSWERS_KEPT else None

    def sent(self, channel: str, since: datetime, limit: int = 1000) -> list[Delivery]:
        aware(since)
        found = [
            d
            for d in reversed(self._deliveries())
            if d.channel == channel and d.sent_at is not None and d.sent_at >= since
        ]
        return sorted(found, key=lambda d: d.sent_at or since, reverse=True)[:limit]

    def carried(self, since: datetime) -> list[Carried]:
        aware(since)
        alike: dict[tuple[str, Sending, bool, str], list[Delivery]] = {}
        for d in self._deliveries()[-CARRIED_LOOKED_AT:]:
            if d.created_at >= since:
                alike.setdefault((d.channel, d.state, d.has_arrived, d.code), []).append(d)
        return [
            Carried(
                channel=channel,
                state=state,
                arrived=arrived,
                code=code,
                reason=max(d.reason for d in found),
                count=len(found),
                last=max(d.created_at for d in found),
            )
            for (channel, state, arrived, code), found in sorted(alike.items())
        ]

    def trials(self, person: str | None = None) -> list[Delivery]:
        tried = [
            d
            for d in self._deliveries()
            if d.purpose in (Purpose.TEST, Purpose.DRILL) and (person is None or d.person == person)
        ]
        newest = {(d.person, d.channel, d.address): d.id for d in tried}
        return [d for d in tried if d.id in newest.values()]

    def button_tests(self, home: str | None = None) -> list[ButtonTest]:
        with self._changing:
            tests = [test for test in self._rows.button_tests if home is None or test.home == home]
        newest = {(test.home, test.sensor): test for test in tests}
        return [test for test in tests if newest[test.home, test.sensor] is test]

    def visits(
        self, home: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[Visit]:
        with self._changing:
            found = [visit for visit in self._rows.visits.values() if home in (None, visit.home)]
        told = [one for one in found if (not since or one.at >= aware(since)) and (not until or one.at < aware(until))]
        return sorted(told, key=lambda visit: (visit.at, visit.home, visit.person))

    def last_visits(self, home: str | None = None) -> list[Visit]:
        with self._changing:
            met = [one for one in self._rows.visits.values() if one.has_met and home in (None, one.home)]
        newest = {one.home: one for one in sorted(met, key=lambda one: (one.at, one.person))}
        return [newest[name] for name in sorted(newest)]

    def _deliveries(self) -> list[Delivery]:
        with self._changing:
            return list(self._rows.deliveries.values())

    def illegible(self) -> list[str]:
        return []

    def timers_due(self, now: datetime, limit: int = 200) -> list[Timer]:
        aware(now)
        due = [timer for timer in self._timers() if timer.due_at <= now]
        return sorted(due, key=lambda t: (t.due_at, t.id))[:limit]

    def next_timer(self) -> datetime | None:
        return min((timer.due_at for timer in self._timers()), default=None)

    def outbox(self, now: datetime, limit: int = 200) -> list[Delivery]:
        aware(now)
        with self._changing:
            ready = [d for d in self._waiting() if d.next_at is None or d.next_at <= now]
            ready.sort(key=lambda d: (self._urgency(d), d.created_at))
        return ready[:limit]

    def next_delivery(self) -> datetime | None:
        with self._changing:
            return min((d.next_at or d.created_at for d in self._waiting()), default=None)

    def events(self, after: int, limit: int = 500) -> list[Event]:
        return self.trail.events[max(0, after) : max(0, after) + limit]  # the first has the id 1

    def last_event(self) -> int:
        return len(self.trail.events)

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
        found = [act for act in reversed(self.trail.acts) if ref is None or act.ref == ref]
        found = [act for act in found if (not who or act.who == who) and act.what.startswith(what)]
        found = [act for act in found if since is None or act.at >= aware(since)]
        return [act for act in found if until is None or act.at < aware(until)][:limit]

    def sealed(self, after: int = 0, limit: int = 100_000) -> list[Sealed]:
        return [row for row in self.trail.sealed if row.number > after][:limit]

    def trail_end(self) -> Anchor | None:
        rows = self.trail.sealed
        return Anchor(rows[-1].number, rows[-1].chain) if rows else None

    def tidy(self) -> None:
        """Nothing to do: memory keeps no log."""

    def scrub(self) -> None:
        """Nothing to do: what is deleted is gone."""

    def _timers(self) -> list[Timer]:
        with self._changing:
            return [timer for timer in self._rows.timers.values() if timer is not None]

    def _waiting(self) -> list[Delivery]:
        return [d for d in self._rows.deliveries.values() if d.state is Sending.WAITING]

    def _urgency(self, delivery: Delivery) -> int:
        alert = self._rows.alerts.get(delivery.alert)
        return (alert.severity if alert else Severity.TECHNICAL).value


def _is_for_people(alert: Alert) -> bool:
    doubled = alert.incident not in ("", alert.id) or alert.outcome in (Outcome.TEST_OR_DRILL, Outcome.DUPLICATE)
    return alert.severity.worse_than(Severity.CARE) and not doubled


def _members(alerts: Iterable[Alert], incident: str) -> list[Alert]:
    found = [alert for alert in alerts if alert.incident == incident != alert.id]
    return sorted(found, key=attrgetter("home", "id"))


class _MemoryAlertLedger(TrailLedger):
    def __init__(self, rows: _AlertRows, trail: MemoryTrail) -> None:
        super().__init__(trail)
        self.lines: list[Override] = []
        self._below = rows
        self._new = _AlertRows()
        self._forgotten: set[str] = set()
        self._moved: dict[str, str] = {}
        self._redacted: dict[int, Act] = {}
        self._cut = 0
        self.announce: Callable[[], None] = lambda: None

    def alert(self, alert_id: str) -> Alert | None:
        return self._new.alerts.get(alert_id) or self._below.alerts.get(alert_id)

    def open_alerts(self, home: str) -> list[Alert]:
        return self._open(lambda alert: alert.home == home)

    def open_everywhere(self, code: str) -> list[Alert]:
        return self._open(lambda alert: alert.code == code)

    def homes_with(self, code: str, since: datetime) -> list[str]:
        aware(since)
        return sorted({alert.home for alert in self.open_everywhere(code) if alert.raised_at >= since})

    def members(self, alert_id: str) -> list[Alert]:
        return _members(self._all().values(), alert_id)

    def _open(self, is_meant: Callable[[Alert], bool]) -> list[Alert]:
        found = [alert for alert in self._all().values() if alert.is_open and is_meant(alert)]
        return sorted(found, key=attrgetter("raised_at", "id"))

    def _all(self) -> dict[str, Alert]:
        return {**self._below.alerts, **self._new.alerts}

    def join(self, finding: Finding, alert_id: str) -> bool:
        if finding.id in self._new.findings or finding.id in self._below.findings:
            return False
        self._new.findings[finding.id] = alert_id
        return True

    def save(self, alert: Alert) -> None:
        self._new.alerts[alert.id] = checked(alert)

    def write(self, entry: Entry) -> None:
        self._new.entries.setdefault(entry.alert, []).append(checked(entry))

    def queue(self, delivery: Delivery) -> bool:
        if self.delivery(delivery.id) is not None:
            return False
        self._new.deliveries[delivery.id] = checked(delivery)
        return True

    def deliveries(self, alert_id: str) -> list[Delivery]:
        return [d for d in {**self._below.deliveries, **self._new.deliveries}.values() if d.alert == alert_id]

    def delivery(self, delivery_id: str) -> Delivery | None:
        return self._new.deliveries.get(delivery_id) or self._below.deliveries.get(delivery_id)

    def calls_to(self, person: str, since: datetime, limit: int = 10_000) -> list[Delivery]:
        aware(since)
        written = {**self._below.deliveries, **self._new.deliveries}.values()
        found = [d for d in written if d.purpose is Purpose.PAGE and d.person == person and d.created_at >= since]
        return sorted(found, key=attrgetter("created_at"), reverse=True)[:limit]

    def update(self, delivery: Delivery) -> None:
        if self.delivery(delivery.id) is None:
            raise LookupError(f"the outbox has no delivery {delivery.id!r}; queue() puts one in")
        self._new.deliveries[delivery.id] = checked(delivery)

    def hear(self, word: str, at: datetime) -> None:
        self._new.inbound.setdefault(word, aware(at))

    def keep_test(self, test: ButtonTest) -> None:
        self._new.button_tests.append(checked(test))

    def keep_visit(self, visit: Visit) -> None:
        self._new.visits.setdefault((visit.home, visit.at, visit.person), checked(visit))

    def put_override(self, override: Override) -> None:
        self.lines.append(checked(override))

    def button_tests(self, home: str) -> list[ButtonTest]:
        return list({t.sensor: t for t in self._below.button_tests if t.home == home}.values())

    def set_timer(self, timer: Timer) -> None:
        self._new.timers[timer.id] = checked(timer)

    def clear_timer(self, timer_id: str) -> None:
        self._new.timers[timer_id] = None

    def forget_alert(self, alert_id: str) -> None:
        self._forgotten.add(alert_id)

    def forget_home(self, home: str, people: Collection[str], stand_in: str) -> None:
        self._moved |= dict.fromkeys((home, *people), stand_in)
        trail = self._trail
        words = naming(home, people)
        trail.answers = {
            key: kept
            for key, kept in trail.answers.items()
            if kept.home != home and not any(one in kept.answer for one in words)
        }

    def redact(self, rows: Mapping[int, Act]) -> None:
        self._redacted |= {number: checked(act) for number, act in rows.items()}

    def cut_trail(self, last: int) -> int:
        self._cut = last
        return sum(row.number <= last for row in self._trail.sealed)

    def append_to(self, trail: MemoryTrail) -> None:
        trail.sealed = [
            replace(row, act=self._redacted[row.number], salt="") if row.number in self._redacted else row
            for row in trail.sealed
            if row.number > self._cut
        ]
        super().append_to(trail)
        for place, event in enumerate(trail.events):
            stand_in = self._moved.get(event.home) or self._moved.get(event.ref.partition("/")[0])
            if stand_in is not None:
                trail.events[place] = replace(event, ref=stand_in, home=stand_in, grid="")

    def _forget(self) -> None:
        below = self._below
        for alert_id in self._forgotten:
            below.alerts.pop(alert_id, None)
            below.entries.pop(alert_id, None)
        gone = self._forgotten
        below.deliveries = {key: d for key, d in below.deliveries.items() if d.alert not in gone}
        below.findings = {key: alert for key, alert in below.findings.items() if alert not in gone}
        below.timers = {key: t for key, t in below.timers.items() if t is None or t.ref not in gone}
        below.button_tests = [test for test in below.button_tests if test.home not in self._moved]
        below.visits = {key: visit for key, visit in below.visits.items() if visit.home not in self._moved}

    def before_commit(self, act: Callable[[], None]) -> None:
        self.announce = act

    def settle(self) -> None:
        if self._forgotten or self._moved:
            self._forget()
        self._below.alerts |= self._new.alerts
        self._below.findings |= self._new.findings
        self._below.deliveries |= self._new.deliveries
        self._below.inbound |= self._new.inbound
        self._below.button_tests += self._new.button_tests
        self._below.visits = self._new.visits | self._below.visits
        for alert, entries in self._new.entries.items():
            self._below.entries.setdefault(alert, []).extend(entries)
        for name, timer in self._new.timers.items():
            if timer is None:
                self._below.timers.pop(name, None)
            else:
                self._below.timers[name] = timer
