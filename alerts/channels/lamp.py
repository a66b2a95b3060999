"""Lights a lamp or sounds a siren that hangs on one of our hubs: in a duty room, beside a deaf neighbour's bed."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from alerts import reasons
from alerts.channels.exchange import IN_TIME, LONGEST_TIME
from alerts.channels.telephone import UNANSWERED
from gateway.domain import Delivery, Purpose
from gateway.ports import Letter, Post, TryLater, Undeliverable

HANDS = 4
"""Requests under way at once. They have threads of their own: a broker that hangs must not hold up anybody's else."""

CALLS = frozenset({Purpose.PAGE, Purpose.AGAIN, Purpose.REMIND, Purpose.HANDED})
"""Why somebody has to come."""

_ADDRESS = re.compile(r"(?P<hub>[0-9A-Za-z_-]{1,64})/(?P<rest>[^\s#+*>/]+(?:/[^\s#+*>/]+)*)")


@dataclass(slots=True, kw_only=True)
class Asking:
    """What all have in common that ask something of a hub: threads of their own, and a bound on waiting."""

    post: Post
    timeout: timedelta = IN_TIME  # for the broker to have it
    _hands: ThreadPoolExecutor | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.timeout <= LONGEST_TIME:
            raise ValueError(f"timeout: the broker is waited for at most {LONGEST_TIME}, not {self.timeout}")

    async def __aenter__(self) -> Self:
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="lamp")
        return self

    async def __aexit__(self, *why: object) -> None:
        if self._hands is not None:
            self._hands.shutdown(wait=False, cancel_futures=True)
            self._hands = None

    async def ask_hub(self, hub: str, rest: str, payload: bytes) -> None:
        """Say it below the hub, once."""
        asking = asyncio.get_running_loop().run_in_executor(self._hands, self.post.post, hub, rest, payload)
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                await asking
        except TimeoutError:
            raise TryLater(f"{reasons.NO_ANSWER}: {self.timeout.total_seconds():g} s") from None
        except TryLater as error:
            raise TryLater(f"{reasons.NO_CONNECTION}: {error}") from error
        except ValueError as error:
            raise Undeliverable(f"{reasons.NO_ADDRESS}: {error}") from error


@dataclass(slots=True, kw_only=True)
class Lamp(Asking):
    """One request to a hub. The address is the hub and the topic below it: `hub-3f2a/zigbee2mqtt/duty-room/set`.

    What is asked is JSON as Zigbee2MQTT reads it: to a call, when it is over or somebody else has accepted, to a test,
    and to a question to the resident.
    """

    on: str = '{"state":"ON","on_time":600}'
    off: str = '{"state":"OFF"}'
    test: str = '{"effect":"blink"}'
    ask: str = '{"effect":"breathe"}'

    def __post_init__(self) -> None:
        Asking.__post_init__(self)
        for name in ("on", "off", "test", "ask"):
            try:
                json.loads(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: is no JSON ({error})") from None

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be a topic of a hub."""
        _place(address)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        hub, rest = _place(delivery.address)
        if delivery.purpose in CALLS:
            asked = self.on
        elif delivery.purpose in UNANSWERED:
            asked = self.off
        else:  # something is only said, or tried: nobody's siren sounds for that
            asked = self.ask if delivery.purpose is Purpose.ASK else self.test
        await self.ask_hub(hub, rest, asked.encode())


@dataclass(slots=True, kw_only=True)
class Siren(Lamp):
    """The same, as a siren is asked: loud for three minutes, a chirp for a test and for a question."""

    on: str = '{"warning":{"mode":"emergency","level":"very_high","strobe":true,"duration":180}}'
    off: str = '{"warning":{"mode":"stop","level":"low","strobe":false,"duration":1}}'
    test: str = '{"warning":{"mode":"emergency","level":"low","strobe":true,"duration":2}}'
    ask: str = '{"warning":{"mode":"emergency","level":"low","strobe":true,"duration":1}}'


def _place(address: str) -> tuple[str, str]:
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: hub-3f2a/zigbee2mqtt/duty-room/set")
    return found["hub"], found["rest"]
