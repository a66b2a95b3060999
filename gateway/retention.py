"""When the time of a record is over it goes, each night, and a row of the audit trail proves what went.

A proof says what kind, how many, from when to when, and one hash over the names of all of it: whoever keeps a list, as
in a backup, can show that it was this and nothing else. The trail's own oldest rows go last, and prove it the same way.
Where a household's records are kept for a time of their own (`keeping`), that time counts.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.domain import Act, Alert, Home, Monitoring, State
from gateway.domain.trail import CUT, Sealed
from gateway.keeping import Kept, lines
from gateway.keeping import spans as spans_apart
from gateway.ports import AlertStore, RegistryStore
from gateway.privacy import Privacy
from gateway.refusals import RegistrationError

WHO = "gateway"

REMOVED = "retention."
"""So begins the act that proves a removal; then comes what it was."""

A_NIGHT = timedelta(hours=20)
"""From one going through to the next at least: once in a night, whenever the gateway was started."""

AT_ONCE = 100
"""Alerts removed in one transaction, so that no press waits for more."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """How long each kind is kept."""

    readings: timedelta
    hours: timedelta  # the sums of each hour
    alerts: timedelta  # from being raised, with history and messages
    audit: timedelta
    given_up: timedelta  # a household that is given up, with its resident's file


def is_due(store: AlertStore, now: datetime) -> bool:
    """Whether this night has not been gone through yet."""
    return not store.acts("retention", 1, what=f"{REMOVED}done", since=now - A_NIGHT)


def keep_to(spans: Spans, privacy: Privacy, now: datetime) -> dict[str, int]:
    """Remove what has been kept long enough; how many of each kind."""
    apart = {kind: _bounds(privacy.registry, kind, now) for kind in Kept}
    gone = {
        "homes": _given_up(privacy, now - spans.given_up, now),
        "alerts": _alerts(privacy.alerts, now - spans.alerts, apart[Kept.ALERTS], now),
        "audit": _trail(privacy, now - spans.audit, now),
        "readings": _readings(privacy, now - spans.readings, apart[Kept.READINGS], now),
        "hours": privacy.readings.expire_hours(now - spans.hours, apart[Kept.HOURS]),
    }
    with privacy.registry.begin() as ledger:
        facts = tuple((kind, str(count)) for kind, count in gone.items())
        ledger.audit(Act(at=now, who=WHO, what=f"{REMOVED}done", ref="retention", facts=facts))
    return gone


def _bounds(registry: RegistryStore, kind: Kept, now: datetime) -> dict[str, datetime]:
    """The homes in which something older or newer than elsewhere goes: what is before this moment."""
    return {home: now - span for home, span in spans_apart(registry, kind, now).items()}


def _given_up(privacy: Privacy, before: datetime, now: datetime) -> int:
    """Households that nobody watches any more and nobody took up again: erased, each with its own proof.

    One of which something is to be kept until a day is not erased before it.
    """
    gone = 0
    held = {line.home for _, line in lines(privacy.registry, now) if line.until is not None}
    for home in privacy.registry.homes():
        if home.state is not Monitoring.RETIRED or not _was_given_up(privacy.registry, home, before):
            continue
        if home.id in held:
            continue
        try:
            privacy.erase(home.id, why=f"{REMOVED}given_up", who=WHO, now=now)
        except RegistrationError:  # an alert of it is still open: in another night
            continue
        gone += 1
    return gone


def _was_given_up(registry: RegistryStore, home: Home, before: datetime) -> bool:
    since = [line.since for line in registry.overrides(home.id) if line.key == "retired"]
    return bool(since) and max(since) < before


def _alerts(store: AlertStore, before: datetime, apart: Mapping[str, datetime], now: datetime) -> int:
    """Alerts that are over; one that is still open is kept, however old."""
    old = [
        alert
        for alert in store.raised(BEGINNING, max([before, *apart.values()]))
        if alert.state in (State.CLOSED, State.CANCELLED) and alert.raised_at < apart.get(alert.home, before)
    ]
    for at in range(0, len(old), AT_ONCE):
        some = old[at : at + AT_ONCE]
        with store.begin() as ledger:
            for alert in some:
                ledger.forget_alert(alert.id)
            ledger.audit(_proof("alerts", some, now))
    return len(old)


def _readings(privacy: Privacy, before: datetime, apart: Mapping[str, datetime], now: datetime) -> int:
    """What sensors said so long ago, in every home; the proof names how many went in each."""
    gone = privacy.readings.expire(before, apart)
    if gone:
        facts = (
            ("count", str(sum(gone.values()))),
            ("to", before.isoformat()),
            ("sha256", fingerprint(f"{home} {count}" for home, count in gone.items())),
        )
        with privacy.registry.begin() as ledger:
            ledger.audit(Act(at=now, who=WHO, what=f"{REMOVED}readings", ref="retention", facts=facts))
    return sum(gone.values())


def _proof(kind: str, removed: Sequence[Alert], now: datetime) -> Act:
    facts = (
        ("count", str(len(removed))),
        ("from", removed[0].raised_at.isoformat()),
        ("to", removed[-1].raised_at.isoformat()),
        ("sha256", fingerprint(alert.id for alert in removed)),
    )
    return Act(at=now, who=WHO, what=f"{REMOVED}{kind}", ref="retention", facts=facts)


def _trail(privacy: Privacy, before: datetime, now: datetime) -> int:
    """The oldest rows, as far as they are old without a gap; the last always stays, for the next is chained to it."""
    old: list[Sealed] = []
    end = privacy.alerts.trail_end()
    for row in privacy.trail():
        if row.act.at >= before or (end is not None and row.number >= end.number):
            break
        old.append(row)
    if not old:
        return 0
    with privacy.alerts.begin() as ledger:
        gone = ledger.cut_trail(old[-1].number)
        facts = (
            ("last", str(old[-1].number)),
            ("chain", old[-1].chain),
            ("count", str(gone)),
            ("from", old[0].act.at.isoformat()),
            ("to", old[-1].act.at.isoformat()),
        )
        ledger.audit(Act(at=now, who=WHO, what=CUT, ref="retention", facts=facts))
    return gone


def fingerprint(names: Iterable[str]) -> str:
    """One hash over the names of everything that was removed, in whatever order."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
