"""Whether a message would arrive, tried on a quiet afternoon while whoever asked is waiting for the answer."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from alerts import reasons
from alerts.courier import PATIENCE
from alerts.routing import ways_of
from alerts.wording import letter
from gateway.domain import Delivery, Person, Purpose, Sending
from gateway.ports import Channel, Clock, TryLater, Undeliverable


def tests_for(person: Person, now: datetime) -> Iterator[tuple[str, Delivery]]:
    """A test for each way to reach somebody, in their order; the second telephone on one channel is its second."""
    for way, reach in ways_of(person):
        yield (
            way,
            Delivery(
                id=f"tell/{person.id}/{now:%Y%m%dT%H%M%S.%f}/{way}",
                alert=f"tell/{person.id}",
                purpose=Purpose.TEST,
                person=person.id,
                channel=reach.channel,
                address=reach.address,
                created_at=now,
            ),
        )


async def tried(test: Delivery, person: Person, channels: Mapping[str, Channel], clock: Clock) -> Delivery:
    """The test as it ended: taken by the provider, or failed with its words and code. It is tried once."""
    channel = channels.get(test.channel)
    if channel is None:
        return _failed(test, f"{reasons.NOT_CONFIGURED}: {test.channel}", clock)
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            message = await channel.send(test, letter(test, None, home=None, language=person.language))
    except TimeoutError:
        return _failed(test, f"{reasons.NO_ANSWER}: {PATIENCE.total_seconds():g} s", clock)
    except (TryLater, Undeliverable) as error:
        failed = replace(test, code=error.code, lasting=isinstance(error, Undeliverable))
        return _failed(failed, str(error) or reasons.UNSAID, clock)
    return replace(test, state=Sending.SENT, sent_at=clock.now(), message=message or "")


def _failed(test: Delivery, why: str, clock: Clock) -> Delivery:
    return replace(test, state=Sending.FAILED, failed_at=clock.now(), reason=why)
