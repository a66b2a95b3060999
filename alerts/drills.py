"""Tests while nothing happens: does a button call, does a message reach whoever is meant? Pure, but for `drill`.

A button's test is announced: within its window the first press of that button is kept as a test and calls nobody. A
drill is a real message on the real way, which its reader has to answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.desk import Desk
from alerts.routing import ways_of
from alerts.selftest import EVERY, announced_in
from gateway.domain import (
    Act,
    ButtonTest,
    Delivery,
    Home,
    Monitoring,
    Override,
    Person,
    Purpose,
    Reach,
    Role,
    Sensor,
    Stage,
)
from gateway.ports import RegistryStore

IN_TIME = timedelta(minutes=10)
"""So long somebody has to answer a drill before it counts as unanswered."""


class Standing(StrEnum):
    """How a way to somebody stands, by its last test; the worst first."""

    FAILED = "failed"  # it carries nothing
    UNANSWERED = "unanswered"  # the provider took it, and nothing came back
    NEVER = "never"
    OVERDUE = "overdue"  # it worked, more than a month ago
    UNDER_WAY = "under-way"
    SENT = "sent"  # a test that asks for no answer: taken by the provider
    WELL = "well"  # answered

    @property
    def is_due(self) -> bool:
        return self in (Standing.FAILED, Standing.UNANSWERED, Standing.NEVER, Standing.OVERDUE)


@dataclass(frozen=True, slots=True)
class WayLine:
    """One way to reach one person, and what its last test said."""

    person: Person
    reach: Reach
    last: Delivery | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class ButtonLine:
    """One emergency button, and when it was last proven to call."""

    home: Home
    sensor: Sensor
    last: ButtonTest | None
    is_due: bool
    announced: Override | None = None  # a test is under way


def standing(last: Delivery | None, now: datetime) -> Standing:
    """How a way stands by its newest test or drill."""
    if last is None:
        return Standing.NEVER
    if last.stage in (Stage.FAILED, Stage.WITHDRAWN):
        return Standing.FAILED
    is_old = now - last.created_at > EVERY
    if last.answered_at is not None:
        return Standing.OVERDUE if is_old else Standing.WELL
    if last.purpose is Purpose.TEST:
        return Standing.OVERDUE if is_old else Standing.SENT
    return Standing.UNANSWERED if now - last.created_at > IN_TIME else Standing.UNDER_WAY


def way_lines(people: Iterable[Person], trials: Iterable[Delivery], now: datetime) -> list[WayLine]:
    """Every way to every one of these people, the worst first."""
    newest = {(d.person, d.channel, d.address): d for d in trials}
    order = list(Standing)
    lines = []
    for person in people:
        for reach in person.reaches:
            last = newest.get((person.id, reach.channel, reach.address))
            lines.append(WayLine(person, reach, last, standing(last, now)))
    return sorted(lines, key=lambda line: (order.index(line.standing), line.person.id))


def button_lines(
    homes: Iterable[Home], tests: Iterable[ButtonTest], plans: Mapping[str, Sequence[Override]], now: datetime
) -> Iterator[ButtonLine]:
    """Every emergency button of the homes that are watched; those that are due first."""
    newest = {(test.home, test.sensor): test for test in tests}
    lines = []
    for home in homes:
        if home.state not in (Monitoring.TRIAL, Monitoring.GUARDED):
            continue
        announced = announced_in(plans.get(home.id, ()), now)
        for sensor in buttons(home):
            last = newest.get((home.id, sensor.id))
            is_due = last is None or now - last.at > EVERY
            lines.append(ButtonLine(home, sensor, last, is_due, announced))
    yield from sorted(
        lines,
        key=lambda line: (
            not line.is_due,
            line.last.at if line.last else datetime.min.replace(tzinfo=now.tzinfo),
            line.home.id,
        ),
    )


def responders(directory: RegistryStore) -> list[Person]:
    """Whoever can be told something, apart from the residents themselves: they are asked, and not drilled."""
    residents = {home.person for home in directory.homes()}
    return [person for person in directory.people() if person.id not in residents]


def buttons(home: Home) -> list[Sensor]:
    return [sensor for sensor in home.sensors if sensor.role is Role.SOS]


def drill(desk: Desk, person: Person, who: str, now: datetime) -> list[Delivery]:
    """A marked message by everything that reaches this person, to be answered; it is carried like any other."""
    alert = f"drill/{person.id}/{now:%Y%m%dT%H%M%SZ}"
    messages = [
        Delivery(
            id=f"{alert}/{way}",
            alert=alert,
            purpose=Purpose.DRILL,
            person=person.id,
            channel=reach.channel,
            address=reach.address,
            created_at=now,
        )
        for way, reach in ways_of(person)
    ]
    desk.say(messages, Act(at=now, who=who, what="drill", ref=person.id))
    return messages
