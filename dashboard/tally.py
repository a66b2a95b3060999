"""The alerts of the last weeks in memory, kept up to date from the event table.

Whoever answers for a county looks at counts. They are counted from here: a page reads the few alerts that have changed
since the last one, and not the thousands that have not.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.sla import Case, case_of, cases_of
from gateway.domain import Alert, ButtonTest, State
from gateway.domain.visit import Visit
from gateway.ports import AlertStore

A_PIECE = timedelta(days=7)
"""Of what was raised so much is read at once: nobody else has to wait for a quarter of a year."""

KEPT = timedelta(weeks=13)
"""What was raised since then may stay in memory: a quarter of a year, which the pages show week by week."""

AT_ONCE = 500
"""Events read at once."""

ANEW = timedelta(days=1)
"""How often all of it is read again, so that what has become old is let go."""

ALL = 1_000_000
"""More alerts than a county has unclosed."""

FILED = (State.CLOSED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known at one moment."""

    unclosed: Sequence[Alert]
    cases: Sequence[Case]
    tested: Mapping[tuple[str, str], ButtonTest]  # home and button -> the last proof that it calls
    visited: Mapping[str, Visit]  # home -> when somebody who was not called last met the resident


@dataclass(slots=True)
class Tally:
    """Follows one store of alerts; asked from any thread."""

    alerts: AlertStore
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _seen: int = 0
    _read_at: datetime | None = None
    _since: datetime | None = None  # what was raised from here on is known
    _unclosed: dict[str, Alert] = field(default_factory=dict)
    _cases: dict[str, Case] = field(default_factory=dict)
    _tested: dict[tuple[str, str], ButtonTest] = field(default_factory=dict)
    _visited: dict[str, Visit] = field(default_factory=dict)

    def raised(self, since: datetime, until: datetime, now: datetime) -> list[Case]:
        """Every case that was raised in this time. What is longer ago than is looked at again and again is read for
        this one asking, and let go."""
        if now - KEPT <= since <= now:
            return [case for case in self.look(now, since).cases if since <= case.raised_at < until]
        found: list[Case] = []
        while since < until:
            found += cases_of(self.alerts.raised(since, min(since + A_PIECE, until)))
            since += A_PIECE
        return found

    def look(self, now: datetime, since: datetime | None = None) -> Picture:
        """What is unclosed, and every case that was raised since then, and perhaps older ones."""
        with self._turn:
            if self._read_at is None or now - self._read_at >= ANEW:
                self._begin(now)
            else:
                self._follow()
            self._reach_back(since or now)
            return Picture(
                tuple(self._unclosed.values()), tuple(self._cases.values()), dict(self._tested), dict(self._visited)
            )

    def _begin(self, now: datetime) -> None:
        """Afresh. What changes meanwhile is told by events that are newer than this."""
        self._seen, self._read_at, self._since = self.alerts.last_event(), now, now
        self._unclosed, self._cases = {}, {}
        for alert in self.alerts.alerts(unclosed=True, limit=ALL):
            self._note(alert)
        self._tested = {(test.home, test.sensor): test for test in self.alerts.button_tests()}
        self._visited = {visit.home: visit for visit in self.alerts.last_visits()}

    def _reach_back(self, since: datetime) -> None:
        while self._since is not None and self._since > since:
            until = self._since
            self._since = max(until - A_PIECE, since)
            for alert in self.alerts.raised(self._since, until):
                self._note(alert)

    def _follow(self) -> None:
        while events := self.alerts.events(self._seen, AT_ONCE):
            for changed in {event.ref for event in events if event.topic == "alert"}:
                alert = self.alerts.alert(changed)
                if alert is not None:
                    self._note(alert)
                else:
                    self._unclosed.pop(changed, None)
                    self._cases.pop(changed, None)
            for home in {event.ref for event in events if event.topic == "home"}:
                self._tested |= {(test.home, test.sensor): test for test in self.alerts.button_tests(home)}
            for home in {event.home for event in events if event.topic == "visit"}:
                self._visited |= {visit.home: visit for visit in self.alerts.last_visits(home)}
            self._seen = events[-1].id

    def _note(self, alert: Alert) -> None:
        if alert.state in FILED:
            self._unclosed.pop(alert.id, None)
        else:
            self._unclosed[alert.id] = alert
        case = case_of(alert)
        if case is None:
            self._cases.pop(alert.id, None)
        else:
            self._cases[alert.id] = case
