"""Stores that remember while the program runs: for tests, simulation and a first look.

They keep every promise of their ports but durability: an exception inside a transaction undoes it, nothing is seen
before it is committed, and one writer goes at a time.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter

from gateway.domain import (
    Act,
    Alert,
    Area,
    ButtonTest,
    Commissioning,
    Condition,
    Consent,
    Contact,
    Delivery,
    Duty,
    Entry,
    Event,
    Finding,
    Gap,
    Grid,
    Home,
    Installation,
    Kind,
    Outcome,
    Override,
    Person,
    Profile,
    Purpose,
    Reading,
    Scope,
    Sending,
    Severity,
    State,
)
from gateway.domain.rota import Holiday, Leave, Post, Rota, Shift
from gateway.domain.trail import BEGINNING, Anchor, Sealed, digest_of, linked
from gateway.domain.visit import Visit
from gateway.ports import (
    Account,
    Answered,
    ApiToken,
    Batch,
    Carried,
    Checkpoint,
    Hour,
    HubDevice,
    Quarantined,
    SecondStep,
    Session,
    Timer,
)
from gateway.stores import (
    ANSWERS_KEPT,
    CARRIED_LOOKED_AT,
    QUARANTINE_HEAD,
    QUARANTINE_LIMIT,
    QUARANTINE_TEXT,
    SUMMED_UP,
    naming,
)
from gateway.stores.moments import aware, checked, from_ms, to_ms
from gateway.stores.roll import (
    ReadsRoll,
    Roll,
    absent,
    chains,
    changed_between,
    check_home,
    check_override,
    contacts_with_phones,
    duties_changed,
    overrides_by_place,
)

# --------------------------------------------------------------------------- one book, one writer


class MemoryTrail:
    """Events and audit: what alerts and registry write into together, as they do in one `gateway.db`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.sealed: list[Sealed] = []
        self.answers: dict[tuple[str, str], Answered] = {}
        self.plan: Callable[[Sequence[Override]], None] = _of_no_home  # what alerts say of a home; set by its registry
        self._writing = threading.Lock()
        self._writer: int | None = None

    @property
    def acts(self) -> list[Act]:
        return [row.act for row in self.sealed]

    def seal(self, act: Act) -> None:
        """Append to the audit trail, chained to what stands there."""
        last = self.sealed[-1] if self.sealed else None
        salt = secrets.token_hex(16)
        digest = digest_of(act, salt)
        chain = linked(last.chain if last else BEGINNING, digest)
        self.sealed.append(Sealed(last.number + 1 if last else 1, act, salt, digest, chain))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer at a time; a second transaction inside the first could never end, so it is refused."""
        if self._writer == threading.get_ident():
            raise RuntimeError("this thread has a transaction open already; finish it before the next begin()")
        with self._writing:
            self._writer = threading.get_ident()
            try:
                yield
            finally:
                self._writer = None


def _of_no_home(lines: Sequence[Override]) -> None:
    for line in lines:
        raise absent("home", line.place, "a plan")


class _TrailLedger:
    """Notes what is to be appended when the transaction is committed."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._trail = trail
        self._answers: dict[tuple[str, str], Answered] = {}
        self._published: list[tuple[datetime, str, str, str, str]] = []
        self._acts: list[Act] = []

    def audit(self, act: Act) -> None:
        self._acts.append(checked(act))

    def publish(self, at: datetime, topic: str, ref: str, home: str = "", grid: str = "") -> None:
        self._published.append((aware(at), topic, ref, home, grid))

    def remember(self, answered: Answered) -> bool:
        this, since = (answered.token, answered.key), checked(answered).at - ANSWERS_KEPT
        if this in self._answers or (this in self._trail.answers and self._trail.answers[this].at >= since):
            return False
        self._answers[this] = answered
        return True

    def append_to(self, trail: MemoryTrail) -> None:
        for answered in self._answers.values():
            fresh = {key: old for key, old in trail.answers.items() if old.at >= answered.at - ANSWERS_KEPT}
            trail.answers = fresh | {(answered.token, answered.key): answered}
        for at, topic, ref, home, grid in self._published:
            number = len(trail.events) + 1
            trail.events.append(Event(id=number, at=at, topic=topic, ref=ref, home=home, grid=grid))
        for act in self._acts:
            trail.seal(act)


# --------------------------------------------------------------------------- alerts


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


class _MemoryAlertLedger(_TrailLedger):
    def __init__(self, rows: _AlertRows, trail: MemoryTrail) -> None:
        super().__init__(trail)
        self.lines: list[Override] = []
        self._below = rows
        self._new = _AlertRows()
        self._forgotten: set[str] = set()
        self._moved: dict[str, str] = {}
        self._redacted: dict[int, Act] = {}
        self._cut = 0

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


# --------------------------------------------------------------------------- registry


class _RegistryRows:
    """The registry as it is written down; a ledger works on a copy."""

    def __init__(self) -> None:
        self.areas: dict[str, Area] = {}
        self.grids: dict[str, Grid] = {}
        self.people: dict[str, Person] = {}
        self.homes: dict[str, Home] = {}
        self.posts: list[Post] = []
        self.shifts: dict[str, Shift] = {}
        self.holidays: dict[tuple[str, date], Holiday] = {}
        self.leaves: dict[tuple[str, datetime], Leave] = {}
        self.overrides: dict[tuple[Scope, str, str, datetime], Override] = {}
        self.phones: dict[str, tuple[str, ...]] = {}
        self.profiles: dict[str, Profile] = {}
        self.contacts: dict[str, list[Contact]] = {}
        self.secrets: dict[str, str] = {}
        self.consents: dict[int, Consent] = {}
        self.installations: list[Installation] = []
        self.records: list[Commissioning] = []

    def copy(self) -> "_RegistryRows":
        copied = _RegistryRows()
        for name, rows in vars(self).items():
            setattr(copied, name, rows.copy())
        return copied


class MemoryRegistry(ReadsRoll):
    """Who lives where and who is on duty, until the program ends.

    Give it the `trail` of a `MemoryAlerts` to see its events there, as in one `gateway.db`.
    """

    def __init__(self, trail: MemoryTrail | None = None) -> None:
        super().__init__()
        self.trail = trail or MemoryTrail()
        self._current = Roll()
        self._rows = _RegistryRows()
        self.trail.plan = self._plan

    def _plan(self, lines: Sequence[Override]) -> None:
        """What was said of a home in a transaction on alerts."""
        ledger = _MemoryRegistryLedger(self._rows.copy(), self.trail)
        for line in lines:
            ledger.put_override(line)
        if lines:
            self._rows = ledger.rows
            self._turn_to(ledger.roll(self._current.version + 1))

    def _turn_to(self, roll: Roll) -> None:
        self._note_step(self._current, roll, changed_between(self._current, roll))
        self._current = roll

    def _roll(self) -> Roll:
        return self._current

    def consents(self, person: str) -> list[Consent]:
        given = [consent for consent in self._rows.consents.values() if consent.person == person]
        return sorted(given, key=attrgetter("given_at", "number"))

    def installations(self, home: str) -> list[Installation]:
        return sorted((row for row in self._rows.installations if row.home == home), key=attrgetter("at"))

    def records(self, home: str) -> list[Commissioning]:
        return [record for record in self._rows.records if record.home == home]

    @contextmanager
    def begin(self) -> Iterator["_MemoryRegistryLedger"]:
        with self.trail.writing():
            ledger = _MemoryRegistryLedger(self._rows.copy(), self.trail)
            yield ledger
            self._rows = ledger.rows
            if ledger.changed:
                self._turn_to(ledger.roll(self._current.version + 1))
            ledger.append_to(self.trail)


class _MemoryRegistryLedger(_TrailLedger):
    def __init__(self, rows: _RegistryRows, trail: MemoryTrail) -> None:
        super().__init__(trail)
        self.rows = rows
        self.changed = False

    def put_area(self, area: Area, at: datetime) -> None:
        aware(at)
        self.rows.areas[area.code] = area
        self.changed = True

    def put_grid(self, grid: Grid) -> None:
        self.rows.grids[grid.code] = grid
        self.changed = True

    def close_area(self, code: str, at: datetime) -> None:
        aware(at)
        self.rows.areas.pop(code, None)
        self.changed = True

    def close_grid(self, code: str, at: datetime) -> None:
        aware(at)
        self.rows.grids.pop(code, None)
        self.changed = True

    def put_home(self, home: Home, at: datetime) -> None:
        aware(at)
        check_home(
            home,
            grid_is_known=home.grid in self.rows.grids,
            person_is_known=home.person in self.rows.people,
            code_taken_by=next(
                (h.id for h in self.rows.homes.values() if h.code == home.code and h.id != home.id), None
            ),
        )
        mine = {hub.id for hub in home.hubs}
        for other in list(self.rows.homes.values()):
            if other.id != home.id and mine.intersection(hub.id for hub in other.hubs):
                self.rows.homes[other.id] = replace(  # the hub moved, with what hangs on it
                    other,
                    hubs=tuple(hub for hub in other.hubs if hub.id not in mine),
                    sensors=tuple(sensor for sensor in other.sensors if sensor.hub not in mine),
                )
        self.rows.homes[home.id] = home
        self.changed = True

    def put_person(self, person: Person, at: datetime) -> None:
        aware(at)
        self.rows.people[person.id] = person
        self.changed = True

    def assign(self, person: str, duty: Duty, place: str, since: datetime, until: datetime | None = None) -> None:
        self._check_person(person, f"the duty {duty.value}")
        if place:
            self._check_place(place, f"the duty of {person}")
        post = checked(Post(person=person, duty=duty, place=place, since=since, until=until))
        same = [i for i, p in enumerate(self.rows.posts) if replace(p, until=until) == post]
        if same:
            self.rows.posts[same[0]] = post
        else:
            self.rows.posts.append(post)
        self.changed = True

    def put_duties(self, person: str, duties: Sequence[tuple[Duty, str]], at: datetime) -> None:
        ended, begun = duties_changed(self.rows.posts, duties, person, aware(at))
        for post in (*ended, *begun):
            self.assign(post.person, post.duty, post.place, post.since, post.until)

    def put_shift(self, shift: Shift) -> None:
        self._check_person(shift.person, f"the shift from {shift.first} on")
        self._check_place(shift.place, f"the shift of {shift.person}")
        self.rows.shifts[shift.id] = shift
        self.changed = True

    def drop_shift(self, shift_id: str) -> None:
        self.rows.shifts = {i: s for i, s in self.rows.shifts.items() if shift_id not in (i, s.swap_of)}
        self.changed = True

    def put_holiday(self, holiday: Holiday) -> None:
        if holiday.place:
            self._check_place(holiday.place, f"the holiday of {holiday.day}")
        self.rows.holidays[holiday.place, holiday.day] = holiday
        self.changed = True

    def drop_holiday(self, place: str, day: date) -> None:
        self.rows.holidays.pop((place, day), None)
        self.changed = True

    def put_leave(self, leave: Leave) -> None:
        self._check_person(leave.person, "this leave")
        self.rows.leaves[leave.person, leave.since] = checked(leave)
        self.changed = True

    def drop_leave(self, person: str, since: datetime) -> None:
        self.rows.leaves.pop((person, aware(since)), None)
        self.changed = True

    def _check_person(self, person: str, needed_by: str) -> None:
        if person not in self.rows.people:
            raise absent("person", person, needed_by)

    def _check_place(self, place: str, needed_by: str) -> None:
        if place not in self.rows.grids and place not in self.rows.areas:
            raise absent("area or grid", place, needed_by)

    def put_phones(self, person: str, phones: Sequence[str], at: datetime) -> None:
        aware(at)
        if person not in self.rows.people:
            raise absent("person", person, "this telephone number")
        self.rows.phones[person] = tuple(dict.fromkeys(phones))
        self.changed = True

    def put_profile(self, profile: Profile, at: datetime) -> None:
        aware(at)
        if profile.person not in self.rows.people:
            raise absent("person", profile.person, "this profile")
        self.rows.profiles[profile.person] = profile
        self.changed = True

    def put_contacts(self, home: str, contacts: Sequence[Contact], at: datetime) -> None:
        aware(at)
        if home not in self.rows.homes:
            raise absent("home", home, "its contacts")
        for contact in contacts:
            if contact.person not in self.rows.people:
                raise absent("person", contact.person, f"a contact of {home!r}")
        placed = [replace(contact, home=home, place=place) for place, contact in enumerate(contacts)]
        self.rows.contacts[home] = list({(c.person, c.relation): c for c in placed}.values())
        self.changed = True

    def give_consent(self, consent: Consent) -> int:
        if consent.person not in self.rows.people:
            raise absent("person", consent.person, "this consent")
        number = max(self.rows.consents, default=0) + 1
        self.rows.consents[number] = replace(checked(consent), number=number)
        return number

    def withdraw_consent(self, number: int, at: datetime) -> None:
        consent = self.rows.consents.get(number)
        if consent is None or not consent.holds:
            raise absent("consent", str(number), "the withdrawal")
        self.rows.consents[number] = replace(consent, withdrawn_at=aware(at))

    def note_installation(self, installation: Installation) -> None:
        if installation.home not in self.rows.homes:
            raise absent("home", installation.home, f"the installation of {installation.sensor!r}")
        self.rows.installations.append(checked(installation))

    def forget_home(self, home: str) -> None:
        rows = self.rows
        found = rows.homes.pop(home, None)
        for hub in found.hubs if found else ():
            rows.secrets.pop(hub.id, None)
        rows.contacts.pop(home, None)
        rows.overrides = {key: line for key, line in rows.overrides.items() if line.home != home}
        rows.installations = [row for row in rows.installations if row.home != home]
        rows.records = [record for record in rows.records if record.home != home]
        self.changed = True

    def forget_person(self, person: str) -> None:
        rows = self.rows
        for kept in (rows.people, rows.phones, rows.profiles):
            kept.pop(person, None)
        rows.posts = [post for post in rows.posts if post.person != person]
        rows.shifts = {key: shift for key, shift in rows.shifts.items() if shift.person != person}
        rows.leaves = {key: leave for key, leave in rows.leaves.items() if leave.person != person}
        rows.contacts = {home: [c for c in around if c.person != person] for home, around in rows.contacts.items()}
        rows.consents = {number: c for number, c in rows.consents.items() if c.person != person}
        self.changed = True

    def keep_record(self, record: Commissioning) -> None:
        if record.home not in self.rows.homes:
            raise absent("home", record.home, "this record")
        self.rows.records.append(checked(record))

    def set_hub_secret(self, hub: str, secret_hash: str | None) -> None:
        if all(hub != known.id for home in self.rows.homes.values() for known in home.hubs):
            raise absent("hub", hub, "this secret")
        if secret_hash is None:
            self.rows.secrets.pop(hub, None)
        else:
            self.rows.secrets[hub] = secret_hash
        self.changed = True

    def put_override(self, override: Override) -> None:
        known: dict[Scope, Mapping[str, object]] = {
            Scope.HOME: self.rows.homes,
            Scope.GRID: self.rows.grids,
            Scope.AREA: self.rows.areas,
        }
        check_override(override, is_known=override.place in known[override.scope])
        checked(override)
        self.rows.overrides[override.scope, override.place, override.key, override.since] = override
        self.changed = True

    def roll(self, version: int) -> Roll:
        placed = {hub.id for home in self.rows.homes.values() for hub in home.hubs}
        return Roll(
            version=version,
            areas=dict(sorted(self.rows.areas.items())),
            grids=dict(sorted(self.rows.grids.items())),
            people=dict(sorted(self.rows.people.items())),
            homes=dict(sorted(self.rows.homes.items())),
            rota=Rota.laid_out(
                self.rows.posts,
                sorted(self.rows.shifts.values(), key=attrgetter("first", "begins", "id")),
                sorted(self.rows.holidays.values(), key=attrgetter("day", "place")),
                sorted(self.rows.leaves.values(), key=attrgetter("since", "person")),
                chains(self.rows.areas, self.rows.grids.values()),
            ),
            overrides=overrides_by_place(self.rows.overrides.values()),
            phones=self.rows.phones,
            profiles=self.rows.profiles,
            contacts=contacts_with_phones(
                (contact for around in self.rows.contacts.values() for contact in around), self.rows.phones
            ),
            secrets={hub: secret for hub, secret in sorted(self.rows.secrets.items()) if hub in placed},
        )


# --------------------------------------------------------------------------- accounts


class MemoryAccounts:
    """Who may sign in, until the program ends."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, Session] = {}
        self._steps: dict[str, SecondStep] = {}
        self._invitations: dict[str, tuple[str, datetime]] = {}
        self._tokens: dict[str, ApiToken] = {}
        self._changing = threading.Lock()

    def account(self, login: str) -> Account | None:
        return self._accounts.get(login)

    def accounts(self) -> list[Account]:
        return sorted(self._accounts.values(), key=lambda account: account.login)

    def count(self) -> int:
        return len(self._accounts)

    def put(self, account: Account) -> None:
        self._accounts[account.login] = checked(account)

    def open_session(self, session: Session) -> None:
        checked(session)
        if session.login not in self._accounts:
            raise absent("account", session.login, "this session")
        with self._changing:
            now = session.created_at  # those that have ended by themselves are cleared away at the next sign-in
            self._sessions = {key: old for key, old in self._sessions.items() if old.expires_at > now}
            self._sessions[session.token_hash] = session

    def session(self, token_hash: str, now: datetime) -> Session | None:
        aware(now)
        session = self._sessions.get(token_hash)
        return session if session is not None and now < session.expires_at else None

    def sessions(self, login: str, now: datetime) -> list[Session]:
        aware(now)
        own = [session for session in self._sessions.values() if session.login == login and now < session.expires_at]
        return sorted(own, key=lambda session: (session.seen_at, session.token_hash), reverse=True)

    def see_session(self, token_hash: str, now: datetime) -> None:
        aware(now)
        with self._changing:
            if token_hash in self._sessions:
                self._sessions[token_hash] = replace(self._sessions[token_hash], seen_at=now)

    def end_session(self, token_hash: str) -> None:
        self._sessions.pop(token_hash, None)

    def end_sessions(self, login: str) -> None:
        with self._changing:
            self._sessions = {key: session for key, session in self._sessions.items() if session.login != login}

    def second_step(self, login: str) -> SecondStep | None:
        return self._steps.get(login)

    def put_second_step(self, step: SecondStep) -> None:
        if step.login not in self._accounts:
            raise absent("account", step.login, "this second step")
        self._steps[step.login] = checked(step)

    def drop_second_step(self, login: str) -> None:
        self._steps.pop(login, None)

    def use_interval(self, login: str, interval: int) -> bool:
        with self._changing:
            step = self._steps.get(login)
            if step is None or interval <= step.used:
                return False
            self._steps[login] = replace(step, used=interval)
            return True

    def use_code(self, login: str, code_hash: str) -> bool:
        with self._changing:
            step = self._steps.get(login)
            if step is None or code_hash not in step.codes:
                return False
            self._steps[login] = replace(step, codes=step.codes - {code_hash})
            return True

    def put_invitation(self, token_hash: str, purpose: str, expires_at: datetime) -> None:
        self._invitations[token_hash] = purpose, aware(expires_at)

    def invitation(self, token_hash: str, now: datetime) -> str | None:
        purpose, expires_at = self._invitations.get(token_hash, (None, aware(now)))
        return purpose if now < expires_at else None

    def use_invitation(self, token_hash: str, now: datetime) -> str | None:
        aware(now)
        with self._changing:
            purpose, expires_at = self._invitations.get(token_hash, (None, now))
            if purpose is None or expires_at <= now:
                return None
            del self._invitations[token_hash]
            return purpose

    def invitations(self, now: datetime) -> list[tuple[str, datetime]]:
        aware(now)
        return sorted((purpose, until) for purpose, until in self._invitations.values() if now < until)

    def forget(self, login: str) -> None:
        self.end_sessions(login)
        self.drop_second_step(login)
        self._accounts.pop(login, None)

    def end_invitations(self, purpose: str) -> None:
        with self._changing:
            self._invitations = {key: kept for key, kept in self._invitations.items() if kept[0] != purpose}

    def put_token(self, token: ApiToken) -> None:
        self._tokens[token.id] = checked(token)

    def token(self, token_hash: str) -> ApiToken | None:
        return next((token for token in self._tokens.values() if token.token_hash == token_hash), None)

    def tokens(self) -> list[ApiToken]:
        newest = sorted(self._tokens.values(), key=lambda token: (token.created_at, token.id), reverse=True)
        return sorted(newest, key=lambda token: token.name)

    def see_token(self, token_id: str, now: datetime) -> None:
        aware(now)
        with self._changing:
            if token_id in self._tokens:
                self._tokens[token_id] = replace(self._tokens[token_id], last_used_at=now)


# --------------------------------------------------------------------------- readings


class MemoryReadings:
    """What sensors said, until the program ends. Like `readings.db` it keeps times to the millisecond."""

    def __init__(self) -> None:
        self._homes: dict[str, dict[tuple[int, str, Kind, int], Reading]] = {}
        self._last_arrival = 0
        self._checkpoints: dict[str, Checkpoint] = {}
        self._settled = 0
        self._mirrored: int | None = None
        self._heard: dict[str, datetime] = {}
        self._devices: dict[tuple[str, str], HubDevice] = {}
        self._conditions: dict[tuple[str, str], Condition] = {}
        self._gaps: dict[str, tuple[Gap, ...]] = {}
        self._quarantine: dict[tuple[str, str], Quarantined] = {}
        self._refused: dict[str, int] = {}
        self._changing = threading.Lock()

    def last_arrival(self) -> int:
        return self._last_arrival

    def commit_beside(self, batch: Batch) -> Future[None]:
        done: Future[None] = Future()
        self.commit(batch)
        done.set_result(None)
        return done

    def commit(self, batch: Batch) -> None:
        for moment in (*batch.heard.values(), *(refused.at for refused in batch.quarantined)):
            aware(moment)
        with self._changing:
            for reading in batch.readings:
                at, heard = to_ms(reading.at), to_ms(reading.heard)
                key = (at, reading.sensor, reading.kind, reading.seq or -reading.arrival)
                if reading.at.microsecond % 1000 or reading.heard.microsecond % 1000:
                    reading = replace(reading, at=from_ms(at), heard=from_ms(heard))
                self._homes.setdefault(reading.home, {}).setdefault(key, reading)
                self._last_arrival = max(self._last_arrival, reading.arrival)
            self._last_arrival = max(self._last_arrival, batch.last_arrival)
            for home, moment in batch.heard.items():
                self._heard[home] = from_ms(to_ms(moment))
            for device in batch.devices:
                self._devices[device.hub, device.address] = device
            for condition in batch.conditions:
                self._conditions[condition.home, condition.sensor] = condition
            self._gaps |= batch.gaps
            for refused in batch.quarantined:
                self._put_away(refused)

    def _put_away(self, refused: Quarantined) -> None:
        self._refused[refused.reason] = self._refused.get(refused.reason, 0) + refused.count
        topic, at = refused.topic[:QUARANTINE_TEXT], from_ms(to_ms(refused.at))
        earlier = self._quarantine.pop((topic, refused.reason), None)
        self._quarantine[topic, refused.reason] = replace(
            refused,
            topic=topic,
            at=max(at, earlier.at) if earlier else at,
            head=refused.head[:QUARANTINE_HEAD],
            detail=refused.detail[:QUARANTINE_TEXT],
            count=refused.count + (earlier.count if earlier else 0),
        )
        while len(self._quarantine) > QUARANTINE_LIMIT:
            del self._quarantine[next(iter(self._quarantine))]

    def readings(
        self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind] | None = None
    ) -> list[Reading]:
        aware(since), aware(until)
        wanted = None if kinds is None else frozenset(kinds)
        found = [r for r in self._of(home) if since <= r.at < until and (wanted is None or r.kind in wanted)]
        return sorted(found, key=attrgetter("at", "arrival"))

    def newest(self, home: str, kinds: Iterable[Kind], limit: int = 1) -> list[Reading]:
        wanted = frozenset(kinds)
        found = [reading for reading in self._of(home) if reading.kind in wanted]
        return sorted(found, key=attrgetter("at", "arrival"), reverse=True)[:limit]

    def roll_up(self) -> None:
        """Nothing to do: what is asked for is summed up then."""

    def hours(self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind], sensor: str = "") -> list[Hour]:
        told: dict[tuple[datetime, str, Kind], list[float]] = {}
        for reading in self.readings(home, since, until + timedelta(hours=1), frozenset(kinds) & SUMMED_UP):
            hour = reading.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            if since <= hour < until and sensor in ("", reading.sensor):
                told.setdefault((hour, reading.sensor, reading.kind), []).append(reading.value)
        return [
            Hour(name, kind, hour, len(values), sum(values), min(values), max(values))
            for (hour, name, kind), values in sorted(told.items())
        ]

    def replay(self, after: int = 0, home: str | None = None) -> Iterator[Reading]:
        homes = list(self._homes) if home is None else [home]
        found = [reading for name in homes for reading in self._of(name) if reading.arrival > after]
        return iter(sorted(found, key=attrgetter("arrival")))

    def checkpoints(self) -> Iterator[Checkpoint]:
        return iter(list(self._checkpoints.values()))

    def checkpoint(self, home: str) -> Checkpoint | None:
        return self._checkpoints.get(home)

    def keep(self, checkpoints: Iterable[Checkpoint], settled: int) -> None:
        self._checkpoints |= {checkpoint.home: checkpoint for checkpoint in checkpoints}
        self._settled = settled

    def settled(self) -> int:
        return self._settled

    def mirrored(self) -> int | None:
        return self._mirrored

    def mirror(self, arrival: int | None) -> None:
        self._mirrored = arrival

    def forget_checkpoints(self) -> None:
        self._checkpoints.clear()
        self._settled = 0

    def expire(self, before: datetime, apart: Mapping[str, datetime] = {}) -> Mapping[str, int]:
        gone: dict[str, int] = {}
        with self._changing:
            for home, kept in self._homes.items():
                bound = to_ms(apart.get(home, before)) // 3_600_000 * 3_600_000
                old = [key for key in kept if key[0] < bound]
                for key in old:
                    del kept[key]
                if old:
                    gone[home] = len(old)
        return gone

    def expire_hours(self, before: datetime, apart: Mapping[str, datetime] = {}) -> int:
        return 0  # sums are reckoned from the readings here, and go with them

    def forget(self, home: str, hubs: Collection[str], stand_in: str) -> int:
        with self._changing:
            gone = self._homes.pop(home, {})
            self._heard.pop(home, None)
            self._checkpoints.pop(home, None)
            self._gaps.pop(home, None)
            self._conditions = {key: c for key, c in self._conditions.items() if key[0] != home}
            self._devices = {key: device for key, device in self._devices.items() if key[0] not in hubs}
            self._quarantine = {key: kept for key, kept in self._quarantine.items() if kept.hub not in hubs}
            return len(gone)

    def heard(self, home: str | None = None) -> Mapping[str, datetime]:
        return {name: at for name, at in self._heard.items() if home is None or name == home}

    def devices(self, hub: str | None = None) -> list[HubDevice]:
        return [self._devices[key] for key in sorted(self._devices) if hub is None or key[0] == hub]

    def conditions(self, home: str | None = None) -> list[Condition]:
        with self._changing:
            return [self._conditions[key] for key in sorted(self._conditions) if home is None or key[0] == home]

    def gaps(self, home: str | None = None) -> Mapping[str, tuple[Gap, ...]]:
        with self._changing:
            return {name: told for name, told in sorted(self._gaps.items()) if told and home in (None, name)}

    def quarantine(self, limit: int = 200) -> list[Quarantined]:
        with self._changing:
            kept = list(reversed(self._quarantine.values()))
        return sorted(kept, key=attrgetter("at"), reverse=True)[:limit]

    def refused(self) -> Mapping[str, int]:
        return dict(self._refused)

    def tidy(self) -> None:
        """Nothing to do: memory keeps no log."""

    def close(self) -> None:
        """Nothing to do: it is forgotten with the program."""

    def _of(self, home: str) -> list[Reading]:
        with self._changing:
            return list(self._homes.get(home, {}).values())
