"""The channels: what became of a day's messages, what is not set up and what it needs, and a test to see it ring."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.channels import CHANNELS, needs
from alerts.drills import responders
from alerts.tell import tests_for, tried
from dashboard.accounts import LEADERS, Accounts
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Word
from dashboard.pages import CHANNELS as CHANNEL_NAMES
from dashboard.printer import tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Act, Delivery, Person, Sending, Stage
from gateway.ports import Carried

A_DAY = timedelta(days=1)

BETWEEN_TESTS = timedelta(minutes=1)
"""From one test of a way to the next: a text costs money, and a telephone that rings on and on tells nothing more."""

EXTRAS: Mapping[str, str] = {"web_push": "push", "apprise": "apprise"}
"""Channels that need a package which is not always there."""


@dataclass(frozen=True, slots=True)
class Line:
    """A channel that is set up, and its last day."""

    name: str
    sent: int  # taken by the provider, arrived or not
    arrived: int
    waiting: int
    failed: int
    answers: Sequence[Carried]  # what the provider said where it went wrong, the most frequent first
    people: Sequence[Person]  # who can be sent a test by it

    @property
    def is_bad(self) -> bool:
        return self.failed > self.sent or bool(self.answers and not self.sent)


class Telling:
    """What the page needs from the stores."""

    def __init__(self, them: Accounts) -> None:
        self.them = them
        self.house = them.house
        self.pages = them.pages

    def lines(self, visitor: Visitor) -> list[Line]:
        house, now = self.house, self.house.clock.now()
        carried = house.alerts.carried(now - A_DAY)
        people = self.people(visitor)
        return [
            _line(
                name,
                [one for one in carried if one.channel == name],
                [one for one in people if any(reach.channel == name for reach in one.reaches)],
            )
            for name in house.channels
        ]

    def people(self, visitor: Visitor) -> list[Person]:
        """Whoever of theirs can be told something, and first the visitor; residents are asked, and not tried out."""
        theirs = {person.id for person in self.pages.people(visitor)} | {visitor.account.person}
        found = [person for person in responders(self.house.registry) if person.id in theirs and person.reaches]
        return sorted(found, key=lambda person: (person.id != visitor.account.person, person.name))

    def line(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        """How they stand, in one line; and whether one carries nothing."""
        lines = self.lines(visitor)
        bad = [line.name for line in lines if line.is_bad]
        said = tongue.say(
            N_("{n} channel is set up") if len(lines) == 1 else N_("{n} channels are set up"), n=len(lines)
        )
        if bad:
            names = tongue.say(", ").join(name_of(name, tongue) for name in bad)
            said += " · " + tongue.say("{names}: messages failed today", names=names)
        return said, bool(bad) or not lines

    def show(
        self, request: Request, visitor: Visitor, channel: str = "", person: str = "", error: str = ""
    ) -> Response:
        tongue, house = tongue_of(request), self.house
        return self.them.printer.page(
            request,
            "administration_channels.html",
            status=422 if error else 200,
            visitor=visitor,
            here="/administration/channels",
            lines=self.lines(visitor),
            absent=[
                (name, needs(kind), EXTRAS.get(name, ""))
                for name, kind in CHANNELS.items()
                if name not in house.channels
            ],
            tested=self.tested(visitor, channel, person),
            name=lambda one: name_of(one, tongue),
            stage=lambda delivery: tongue.stage(delivery.stage),
            failed=Stage.FAILED,
            reason=lambda text: wording.reason_text(text, tongue.language) if text else "",
            person=next((one for one in self.people(visitor) if one.id == person), None),
            error=error,
        )

    def tested(self, visitor: Visitor, channel: str, person: str) -> list[Delivery]:
        """The newest test of each way of somebody on a channel."""
        if person not in {one.id for one in self.people(visitor)}:
            return []
        return [trial for trial in self.house.alerts.trials(person) if trial.channel == channel]

    def about_to(self, visitor: Visitor, channel: str, person_id: str) -> tuple[Person, list[Delivery]]:
        """The tests that are to be sent; none where one went a moment ago. That somebody tries it is written down."""
        person = next((one for one in self.people(visitor) if one.id == person_id), None)
        if person is None or channel not in self.house.channels:
            raise HTTPException(404)
        now = self.house.clock.now()
        tests = [test for _, test in tests_for(person, now) if test.channel == channel]
        if not tests:
            raise HTTPException(404)
        recent = [one for one in self.tested(visitor, channel, person_id) if now - one.created_at < BETWEEN_TESTS]
        if recent:
            return person, []
        with self.house.registry.begin() as ledger:
            act = Act(at=now, who=visitor.account.person, what="tell", ref=person.id, facts=(("channel", channel),))
            ledger.audit(act)
        return person, tests

    def keep(self, told: Sequence[Delivery]) -> None:
        """As they ended: nothing is left to be carried, and the list of drills knows it."""
        with self.house.alerts.begin() as ledger:
            for test in told:
                ledger.queue(test)


def name_of(channel: str, tongue: Tongue) -> str:
    return tongue.say(CHANNEL_NAMES[channel]) if channel in CHANNEL_NAMES else channel


def _line(name: str, carried: Sequence[Carried], people: Sequence[Person]) -> Line:
    def count(*states: Sending) -> int:
        return sum(one.count for one in carried if one.state in states)

    wrong = [one for one in carried if one.state is Sending.FAILED or (one.state is Sending.WAITING and one.reason)]
    return Line(
        name,
        sent=count(Sending.SENT),
        arrived=sum(one.count for one in carried if one.arrived),
        waiting=count(Sending.WAITING),
        failed=count(Sending.FAILED),
        answers=sorted(wrong, key=lambda one: -one.count),
        people=people,
    )


def routes(telling: Telling, doors: Doors) -> Addresses:
    """For administrators and supervisors: a test goes to themselves or to somebody of theirs."""
    router = Addresses(prefix="/administration/channels")
    house = telling.house
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*LEADERS))]  # noqa: N806

    @router.get("")
    def show(request: Request, visitor: Leader, channel: str = "", person: str = "") -> Response:
        return telling.show(request, visitor, channel, person)

    @router.post("/{channel}/test")
    async def test(request: Request, visitor: Acting, channel: str, person: Word = "") -> Response:
        """On the loop, where the channels live; everything that may wait for a disk is done beside it."""
        found, tests = await asyncio.to_thread(telling.about_to, visitor, channel, person)
        if not tests:
            error = tongue_of(request).say("A test went there a moment ago; wait a minute before the next one.")
            return await asyncio.to_thread(telling.show, request, visitor, channel, person, error)
        told = await asyncio.gather(*(tried(one, found, house.channels, house.clock) for one in tests))
        await asyncio.to_thread(telling.keep, told)
        query = f"channel={quote(channel, safe='')}&person={quote(person, safe='')}"
        return RedirectResponse(f"/administration/channels?{query}#tested", status_code=303)

    return router
