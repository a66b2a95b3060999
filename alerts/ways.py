"""A person's ways, one after the other: what is not urgent goes by the next only when nothing comes back. Pure.

What is urgent goes by every way at once; there the ways do not wait for each other, and nothing here applies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts import reasons
from gateway.domain import Delivery, Facts, Person, Reach, Sending, Severity

HASTE = timedelta(seconds=20)
"""A way that carries nothing is given this long; then the next is taken, however long it was to wait for receipts."""

LONGEST = timedelta(hours=1)
"""No way waits longer for the ones before it, whatever was registered."""

RINGS = "_voice"
"""So end the names of the channels that ring a telephone up."""

AFTER = "after_s"
"""The fact of a delivery that waits for others: how long after the first of them was sent it goes."""


def one_by_one(severity: Severity) -> bool:
    """Whether ways wait for each other at all: 3 to 5. Whoever may be dying is called by everything there is."""
    return severity not in (Severity.EMERGENCY, Severity.HIGH)


def rung_up(person: Person, phones: Sequence[str], call: str) -> Person:
    """Somebody as they are reached when it is urgent: a message may lie unread until morning, a telephone rings.

    `call` is the channel that rings people up. Whoever has one like it among their ways keeps those.
    """
    if not phones or any(reach.channel.endswith(RINGS) for reach in person.reaches):
        return person
    return replace(person, reaches=(*person.reaches, Reach(channel=call, address=phones[0])))


def waiting_its_turn(delivery: Delivery, reach: Reach) -> Delivery:
    """The delivery by this way, put behind the ways before it where the way says so."""
    after = min(reach.after, LONGEST)
    if after <= timedelta(0):
        return delivery
    facts: Facts = (*delivery.facts, (AFTER, str(int(after.total_seconds()))))
    return replace(delivery, facts=facts, next_at=delivery.created_at + after)


def after(delivery: Delivery) -> timedelta:
    return timedelta(seconds=int(dict(delivery.facts).get(AFTER, "0")))


def call_of(delivery: Delivery, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The same message to the same person, by every way, in their order."""
    call = delivery.id.rpartition("/")[0]
    return [other for other in deliveries if other.id.rpartition("/")[0] == call]


def next_ways(delivery: Delivery, call: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """The ways that still wait, as they are to stand now that something has become of `delivery`.

    Something came back: they are not needed. All before them failed: now. None of them carries anything: soon. One
    was sent: its receipt has until then.
    """
    later = [other for other in call if other.state is Sending.WAITING and after(other) and not other.attempts]
    if not later:
        return []
    if any(other.has_arrived for other in call):
        return [replace(d, state=Sending.WITHDRAWN, next_at=None, reason=reasons.ARRIVED) for d in later]
    first = later[0]
    earlier = call[: call.index(first)]
    if all(other.state in (Sending.FAILED, Sending.WITHDRAWN) for other in earlier):
        at = now
    elif all(other.state is not Sending.SENT and other.failed_at is not None for other in earlier):
        at = max(now, first.created_at + HASTE)
        at = at if first.next_at is None else min(at, first.next_at)
    elif delivery.state is Sending.SENT:
        at = now + after(first) - after(delivery)
    else:
        return []
    return [replace(other, next_at=at - after(first) + after(other)) for other in later]
