"""Says it through any other service that Apprise knows: the long tail, such as ntfy, Gotify, Bark, Telegram, Matrix."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, Self

from alerts import reasons
from alerts.channels.exchange import LONGEST_TIME
from gateway.domain import Delivery
from gateway.ports import Letter, TryLater, Undeliverable

OWN = frozenset({"dingtalk", "wecombot", "wecom", "feishu", "lark", "schan", "pushplus"})
"""Services that say no inside a yes, which Apprise does not hear. We have channels of our own for them."""

LONGEST = timedelta(seconds=12)
"""Apprise waits by the piece; this is for the whole, and below the courier's own patience."""

HANDS = 4
"""Messages under way at once, in threads of their own: one that hangs must not hold up anybody else's."""


@dataclass(slots=True, kw_only=True)
class Apprise:
    """One message. The address is one of Apprise's own, such as `ntfys://ntfy.example.org/topic`.

    What went wrong Apprise tells its log only, so everything but a wrong address is tried later.
    """

    timeout: timedelta = LONGEST
    _hands: ThreadPoolExecutor | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.timeout <= LONGEST_TIME:
            raise ValueError(f"timeout: an answer is waited for at most {LONGEST_TIME}, not {self.timeout}")

    async def __aenter__(self) -> Self:
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="apprise")
        # It logs addresses, and with them tokens.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        return self

    async def __aexit__(self, *why: object) -> None:
        if self._hands is not None:
            self._hands.shutdown(wait=False, cancel_futures=True)
            self._hands = None

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when Apprise does not know such an address, or when we have a channel of our own for it."""
        _service(address, 1.0)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        seconds = self.timeout.total_seconds()
        body = "\n".join(part for part in (letter.body, letter.link) if part)
        sending = asyncio.get_running_loop().run_in_executor(
            self._hands, _notify, delivery.address, letter.title, body, seconds
        )
        try:
            async with asyncio.timeout(seconds):
                sent = await sending
        except TimeoutError:
            raise TryLater(f"{reasons.NO_ANSWER}: {seconds:g} s") from None
        if not sent:
            raise TryLater(reasons.UNSAID)


def _notify(address: str, title: str, body: str, seconds: float) -> bool:
    return bool(_service(address, seconds).notify(title=title, body=body))


def _service(address: str, seconds: float) -> Any:
    if find_spec("apprise") is None:
        raise Undeliverable(f"{reasons.NOT_CONFIGURED}: shouwang[apprise]")
    from apprise import Apprise as Services

    scheme = address.partition("://")[0].lower()
    if scheme in OWN:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: {scheme}")
    services = Services()
    joined = "&" if "?" in address else "?"
    if "://" not in address or not services.add(f"{address}{joined}cto={seconds:g}&rto={seconds:g}"):
        raise Undeliverable(f"{reasons.NO_ADDRESS}: ntfys://ntfy.example.org/topic")
    return services
