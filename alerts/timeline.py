"""One alert from its first reading to the file, in order: what was seen, decided, said and done. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.history import What
from gateway.domain import Alert, Delivery, Entry, Reading, Sending, Stage

BEFORE = timedelta(hours=2)
"""So much of the home's day before the cause belongs to it: enough to see what the day was like."""

AFTER = timedelta(minutes=30)
"""So much after it was resolved: whether life went on."""

LONGEST = timedelta(hours=72)
"""However long an alert stayed open, no more of the home's readings belong to it."""

READINGS_AT_MOST = 5_000


class Sort(StrEnum):
    """What kind of line: a reading, a decision of the gateway's, a message, or what a person did."""

    READING = "reading"
    DECISION = "decision"
    MESSAGE = "message"
    PERSON = "person"


IN_THE_LEDGER = frozenset({What.SENT, What.FAILED})
"""Lines of the history that the ledger of messages tells better."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a message had come."""

    delivery: Delivery
    stage: Stage


@dataclass(frozen=True, slots=True)
class Line:
    """One line of it. `of` is what it tells of: words are made from it at the rim."""

    at: datetime
    sort: Sort
    of: Reading | Entry | Mark


def window(alert: Alert, now: datetime) -> tuple[datetime, datetime]:
    """From when to when the home's readings belong to this alert."""
    begin = min(alert.finding.since, alert.raised_at) - BEFORE
    end = min(alert.resolved_at + AFTER, now) if alert.resolved_at else now
    begin = max(begin, alert.raised_at - LONGEST)
    return begin, min(end, begin + LONGEST + AFTER)


def timeline(readings: Iterable[Reading], history: Iterable[Entry], deliveries: Iterable[Delivery]) -> list[Line]:
    """Everything about an alert in the order in which it happened; of one moment, first what was seen."""
    lines = [Line(reading.at, Sort.READING, reading) for reading in readings]
    lines += [Line(entry.at, sort_of(entry), entry) for entry in history if entry.what not in IN_THE_LEDGER]
    lines += [Line(at, Sort.MESSAGE, Mark(delivery, stage)) for delivery in deliveries for at, stage in marks(delivery)]
    order = list(Sort)
    return sorted(lines, key=lambda line: (line.at, order.index(line.sort)))


def marks(delivery: Delivery) -> list[tuple[datetime, Stage]]:
    """Every stage of a message that has a time; one that never left stands where it was written down."""
    times = (
        (delivery.sent_at, Stage.SENT),
        (delivery.delivered_at, Stage.DELIVERED),
        (delivery.opened_at, Stage.OPENED),
        (delivery.answered_at, Stage.ANSWERED),
    )
    reached = [(at, stage) for at, stage in times if at is not None]
    if delivery.state is Sending.FAILED:
        reached.append((delivery.failed_at or delivery.created_at, Stage.FAILED))
    return reached or [(delivery.created_at, delivery.stage)]


def sort_of(entry: Entry) -> Sort:
    if entry.what == What.PUT_OFF:
        return Sort.MESSAGE
    return Sort.PERSON if entry.who else Sort.DECISION


def people(alert: Alert, history: Sequence[Entry], deliveries: Sequence[Delivery]) -> list[str]:
    """Everybody who was called about it or did something, in the order in which they came into it."""
    told = [(delivery.created_at, delivery.person) for delivery in deliveries]
    acted = [(entry.at, entry.who) for entry in history if entry.who]
    return list(dict.fromkeys(person for _, person in sorted([*told, *acted])))
