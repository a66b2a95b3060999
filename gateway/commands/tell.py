"""`shouwang tell PERSON`: whether a message would arrive, tried on a quiet afternoon."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from gateway.commands import Config, Office, State, Who, office, say
from gateway.config import Refused
from gateway.domain import Act, Delivery, Person, Purpose, Sending


def tell(
    person: Annotated[str, typer.Argument(help="their id; `shouwang people list` names them")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Send a test message by everything that reaches a person, and print what each channel said. 测试通知"""
    with office(config, state) as here:
        found = here.stores.registry.person(person)
        if found is None:
            raise Refused(f"There is no person {person!r}; `shouwang people list` names them.")
        if not found.reaches:
            raise Refused(f"Nothing reaches {person}: give them a way with `shouwang people put {person} --reach …`.")
        with here.stores.registry.begin() as ledger:
            ledger.audit(Act(at=here.now, who=who, what="tell", ref=person))
        if not asyncio.run(_tell(found, here)):
            raise typer.Exit(1)


async def _tell(person: Person, here: Office) -> bool:
    """One after the other, so that it is seen which telephone rings for which line. Whether all of them were sent."""
    from alerts import reasons
    from alerts.wording import letter, reason_text
    from gateway.app import channels
    from gateway.clock import SystemClock
    from gateway.ports import TryLater, Undeliverable

    all_sent, clock = True, SystemClock()
    async with channels(here.settings, clock) as ready:
        for way, delivery in _tests(person, here):
            channel, began = ready.get(delivery.channel), time.monotonic()
            words, why = letter(delivery, None, home=None, language=person.language), ""
            if channel is None:
                why = f"{reasons.NOT_CONFIGURED}: {delivery.channel}"
            else:
                try:
                    message = await channel.send(delivery, words)
                    delivery = replace(delivery, state=Sending.SENT, sent_at=clock.now(), message=message or "")
                except (TryLater, Undeliverable) as error:
                    why = str(error) or reasons.UNSAID
                    delivery = replace(delivery, code=error.code, lasting=isinstance(error, Undeliverable))
            if why:
                delivery = replace(delivery, state=Sending.FAILED, failed_at=clock.now(), reason=why)
            with here.stores.alerts.begin() as ledger:
                ledger.queue(delivery)  # as it ended: nothing is left to be carried, and the list of drills knows it
            all_sent = all_sent and not why
            told = reason_text(why, here.settings.language) if why else "已发 sent"
            say(f"{way:16} {told}  ({time.monotonic() - began:.1f} s)")
    return all_sent


def _tests(person: Person, here: Office) -> Iterator[tuple[str, Delivery]]:
    """A test for each way to reach somebody, in their order; the second telephone on one channel is its second."""
    from alerts.routing import ways_of

    for way, reach in ways_of(person):
        yield (
            way,
            Delivery(
                id=f"tell/{person.id}/{here.now:%Y%m%dT%H%M%S.%f}/{way}",
                alert=f"tell/{person.id}",
                purpose=Purpose.TEST,
                person=person.id,
                channel=reach.channel,
                address=reach.address,
                created_at=here.now,
            ),
        )
