"""One alert from its first reading to the file: nothing is missing, everything in order."""

from datetime import UTC, datetime, timedelta

from alerts import timeline
from alerts.history import What
from alerts.timeline import Sort
from gateway.domain import (
    Alert,
    Delivery,
    Entry,
    Finding,
    Kind,
    Ladder,
    Purpose,
    Reading,
    Sending,
    Severity,
    Stage,
    State,
)

NIGHT = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    return NIGHT + timedelta(seconds=second)


def an_alert(**changes) -> Alert:
    finding = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=NIGHT, at=NIGHT)
    return Alert(
        id="a",
        home="h1",
        code="sos",
        subject="",
        severity=Severity.EMERGENCY,
        state=State.RAISED,
        ladder=Ladder(rungs=()),
        raised_at=NIGHT,
        finding=finding,
        **changes,
    )


def a_letter(number: int = 0, **changes) -> Delivery:
    return Delivery(
        id=f"d{number}",
        alert="a",
        purpose=Purpose.PAGE,
        person="liu",
        channel="sms",
        address="138",
        created_at=at(1),
        **changes,
    )


def test_readings_decisions_messages_and_people_in_the_order_in_which_they_happened():
    pressed = Reading("h1", "button", "bedroom", Kind.SOS, 1.0, NIGHT, NIGHT)
    history = [
        Entry(alert="a", at=at(1), what=What.RAISED),
        Entry(alert="a", at=at(1), what=What.TOLD),
        Entry(alert="a", at=at(2), what=What.SENT, facts=(("person", "liu"),)),
        Entry(alert="a", at=at(40), what=What.ACCEPTED, who="liu"),
    ]
    letter = a_letter(state=Sending.SENT, sent_at=at(2), delivered_at=at(5), opened_at=at(30))

    lines = timeline.timeline([pressed], history, [letter])

    assert [(line.at, line.sort) for line in lines] == [
        (NIGHT, Sort.READING),
        (at(1), Sort.DECISION),
        (at(1), Sort.DECISION),
        (at(2), Sort.MESSAGE),
        (at(5), Sort.MESSAGE),
        (at(30), Sort.MESSAGE),
        (at(40), Sort.PERSON),
    ]
    assert [line.of.stage for line in lines if line.sort is Sort.MESSAGE] == [Stage.SENT, Stage.DELIVERED, Stage.OPENED]


def test_a_message_that_never_left_stands_where_it_was_written_down():
    failed = a_letter(1, state=Sending.FAILED, failed_at=at(9), reason="refused")

    assert timeline.marks(a_letter()) == [(at(1), Stage.WAITING)]
    assert timeline.marks(failed) == [(at(9), Stage.FAILED)]


def test_everybody_who_came_into_it_is_named_once():
    history = [
        Entry(alert="a", at=at(40), what=What.ACCEPTED, who="he"),
        Entry(alert="a", at=at(50), what="note", who="liu"),
    ]

    assert timeline.people(an_alert(), history, [a_letter()]) == ["liu", "he"]


def test_the_readings_around_it_have_bounds():
    begin, end = timeline.window(an_alert(), at(60))
    assert (begin, end) == (NIGHT - timedelta(hours=2), at(60))

    over = an_alert(resolved_at=at(600))
    assert timeline.window(over, at(90_000))[1] == at(600) + timedelta(minutes=30)

    begin, end = timeline.window(an_alert(), NIGHT + timedelta(days=30))
    assert end - begin <= timeline.LONGEST + timeline.AFTER
