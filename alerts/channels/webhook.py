"""Posts it as JSON to an address of your own: a duty desk's program, a chat robot's bridge."""

import hashlib
import hmac
import json
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import Self
from urllib.parse import quote

from alerts import reasons
from alerts.channels.exchange import IN_TIME, JSON, LONGEST_REASON, Exchange
from alerts.channels.lines import Url, url_of
from gateway.domain import Delivery
from gateway.ports import Clock, Letter, Undeliverable

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
        answer = await self._exchange.ask(url, body, headers, rest=POLITE_WAIT)
        if not answer.is_good:
            if answer.status // 100 == 3:
                elsewhere = answer.location[:LONGEST_REASON] or "nowhere"
                raise Undeliverable(f"{reasons.SENT_ON}: HTTP {answer.status} {elsewhere}", str(answer.status))
            answer.judge()

    def _signed(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(self.clock.now().timestamp()))
        proof = hmac.new(self.secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"Shouwang-Timestamp": timestamp, "Shouwang-Signature": f"sha256={proof}"}


def _checked(address: str) -> Url:
    """The address as a URL; Undeliverable when it never can be one."""
    try:
        return url_of(address)
    except ValueError as error:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: {error}") from error
