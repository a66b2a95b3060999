"""Posts it as JSON to an address of your own: a duty desk's program, a chat robot's bridge."""

import asyncio
import hashlib
import hmac
import json
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import Self
from urllib.parse import quote

import httpx

from alerts import reasons
from alerts.channels.exchange import IN_TIME, JSON, LONGEST_ANSWER, LONGEST_REASON, Exchange
from gateway.domain import Delivery
from gateway.ports import Clock, Letter, TryLater, Undeliverable

POLITE_WAIT = timedelta(seconds=1)
"""How long the rest of an answer is waited for once its status has been read. Only the status counts here; the rest is
for the connection's next use."""


@dataclass(slots=True)
class Webhook:
    """One POST for each message, tried once.

    With a `secret` the header `Shouwang-Signature: sha256=…` proves that it came from us and when: it is the
    HMAC-SHA256 of `timestamp + "." + body`, where the timestamp stands in `Shouwang-Timestamp`.
    """

    clock: Clock
    _: KW_ONLY
    secret: str = field(default="", repr=False)
    timeout: timedelta = IN_TIME  # for the whole exchange, up to the answer's status
    _exchange: Exchange = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._exchange = Exchange(self.timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *why: object) -> None:
        await self._exchange.close()

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be posted to."""
        _checked(address)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        url = _checked(delivery.address)
        body = json.dumps(
            {
                "id": delivery.id,
                "alert": delivery.alert,
                "purpose": delivery.purpose.value,
                "title": letter.title,
                "body": letter.body,
                "link": letter.link,
            },
            ensure_ascii=False,
        ).encode()
        headers = {
            **JSON,
            "Idempotency-Key": quote(delivery.id, safe="/:.,"),
        }
        if self.secret:
            headers |= self._signed(body)
        answer = await self._exchange.begin(url, body, headers)
        try:
            await self._judge(answer)
        finally:
            # Closing waits for nobody: what has not been read is thrown away with the connection.
            with suppress(httpx.TransportError):
                await answer.aclose()

    async def _judge(self, answer: httpx.Response) -> None:
        status = answer.status_code
        head = await _read(answer)
        if status // 100 == 2:
            return
        said = f"HTTP {status}" + (f" {head}" if head else "")
        if status >= 500 or status == 429:
            raise TryLater(f"{reasons.NOT_WELL}: {said}", str(status))
        if status // 100 == 3:
            elsewhere = answer.headers.get("location", "nowhere")[:LONGEST_REASON]
            raise Undeliverable(f"{reasons.SENT_ON}: HTTP {status} {elsewhere}", str(status))
        raise Undeliverable(f"{reasons.REFUSED}: {said}", str(status))

    def _signed(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(self.clock.now().timestamp()))
        proof = hmac.new(self.secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"Shouwang-Timestamp": timestamp, "Shouwang-Signature": f"sha256={proof}"}


def _checked(address: str) -> httpx.URL:
    """The address as a URL; Undeliverable when it never can be one."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: https://… or http://…")
    return url


async def _read(answer: httpx.Response) -> str:
    """The beginning of what was answered; reads on, within bounds, so that the connection can be used again."""
    head, size = b"", 0
    with suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(POLITE_WAIT.total_seconds()):
            async for part in answer.aiter_raw(16 * 1024):
                head += part[: max(0, LONGEST_REASON * 4 - len(head))]
                size += len(part)
                if size > LONGEST_ANSWER:
                    break
    return head.decode("utf-8", "replace").strip()[:LONGEST_REASON]
