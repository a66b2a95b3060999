"""A person's ways one after the other: when the next is taken, and when it is not needed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import reasons
from alerts.ways import LONGEST, after, call_of, next_ways, one_by_one, waiting_its_turn
from gateway.domain import Delivery, Purpose, Reach, Sending, Severity

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def way(channel: str, after: timedelta = timedelta(0), **changes) -> Delivery:
    """One way of a call; put behind the others where it says so."""
    delivery = Delivery(
        id=f"a/page/0.0/zhang/{channel}",
        alert="a",
        purpose=Purpose.PAGE,
        person="zhang",
        channel=channel,
        address="x",
        created_at=T0,
    )
    return replace(waiting_its_turn(delivery, Reach(channel=channel, after=after)), **changes)


def sent(delivery: Delivery, at: datetime = T0, **changes) -> Delivery:
    return replace(delivery, state=Sending.SENT, sent_at=at, next_at=None, **changes)


def failing(delivery: Delivery, at: datetime = T0) -> Delivery:
    return replace(delivery, attempts=1, failed_at=at, next_at=at + timedelta(seconds=1))


def failed(delivery: Delivery, at: datetime = T0) -> Delivery:
    return replace(delivery, state=Sending.FAILED, failed_at=at)


PUSH, SMS, VOICE = way("wecom"), way("sms", 5 * MINUTE), way("voice", 10 * MINUTE)


def test_whoever_may_be_dying_is_called_by_everything_at_once():
    assert [severity.name for severity in Severity if one_by_one(severity)] == ["MEDIUM", "CARE", "TECHNICAL"]


def test_a_way_in_a_row_waits_from_the_beginning():
    assert [d.next_at for d in (PUSH, SMS, VOICE)] == [None, T0 + 5 * MINUTE, T0 + 10 * MINUTE]
    assert after(way("sms", timedelta(days=3))) == LONGEST


def test_a_receipt_has_its_time_from_the_moment_of_sending():
    push = sent(PUSH, T0 + 2 * MINUTE)

    moved = next_ways(push, [push, SMS, VOICE], T0 + 2 * MINUTE)

    assert [d.next_at for d in moved] == [T0 + 7 * MINUTE, T0 + 12 * MINUTE]


def test_what_has_arrived_needs_no_other_way():
    push = sent(PUSH, delivered_at=T0 + MINUTE)

    moved = next_ways(push, [push, SMS, VOICE], T0 + MINUTE)

    assert [(d.channel, d.state, d.reason) for d in moved] == [
        ("sms", Sending.WITHDRAWN, reasons.ARRIVED),
        ("voice", Sending.WITHDRAWN, reasons.ARRIVED),
    ]


def test_a_dead_address_hands_over_at_once():
    push = failed(PUSH)

    moved = next_ways(push, [push, SMS, VOICE], T0 + MINUTE)

    assert [d.next_at for d in moved] == [T0 + MINUTE, T0 + 6 * MINUTE]


def test_a_channel_that_carries_nothing_is_given_twenty_seconds():
    push = failing(PUSH, T0 + timedelta(seconds=1))

    (sms, _) = next_ways(push, [push, SMS, VOICE], T0 + timedelta(seconds=1))
    assert sms.next_at == T0 + timedelta(seconds=20)
    (sms, _) = next_ways(push, [push, sms, VOICE], T0 + timedelta(seconds=40))
    assert sms.next_at == T0 + timedelta(seconds=20), "it was due already, and is not put off"


def test_the_third_way_follows_the_second():
    push, sms = sent(PUSH), sent(SMS, T0 + 6 * MINUTE)

    (voice,) = next_ways(sms, [push, sms, VOICE], T0 + 6 * MINUTE)

    assert voice.next_at == T0 + 11 * MINUTE


def test_one_way_of_two_that_works_is_enough_to_wait_for():
    push, mail = failed(PUSH), sent(way("email"))

    assert next_ways(push, [push, mail, SMS], T0) == []


def test_a_way_that_was_tried_is_the_couriers():
    assert next_ways(failed(PUSH), [failed(PUSH), failing(SMS)], T0) == []


@pytest.mark.parametrize("other", ["a/page/1.0/zhang/sms", "a/page/0.0/li/sms", "a/taken/0.0/zhang/sms"])
def test_a_call_is_one_message_to_one_person(other):
    assert call_of(PUSH, [PUSH, SMS, replace(SMS, id=other)]) == [PUSH, SMS]
