"""Says it to a browser that has agreed to be told (Web Push), also when no page of ours is open there."""

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from alerts import reasons
from alerts.channels.exchange import Exchange, Provider, in_json, named
from alerts.channels.lines import url_of
from gateway.domain import Delivery
from gateway.ports import Clock, Letter, Undeliverable

KEEP = timedelta(hours=4)
"""How long the push service keeps it for a telephone that is switched off. Later it is no news any more."""

SIGNED_FOR = timedelta(hours=12)

LONGEST_MESSAGE = 3_000
"""Bytes: what every push service takes once it is encrypted."""

GONE = (404, 410)
"""The browser has forgotten us, or its owner has taken the permission back."""

_EXAMPLE = '{"endpoint":"https://…","keys":{"p256dh":"…","auth":"…"}}'


@dataclass(slots=True, kw_only=True)
class WebPush(Provider):
    """One encrypted notification. The address is the subscription, as the browser gives it.

    Our key pair is made once, in the state folder: `push.pem` signs, `push.pub` is what a page shows the browser when
    it asks. Never the only way to reach anybody: in mainland China most browsers' push services cannot be reached.
    """

    clock: Clock
    keys: Path
    forget: Callable[[str], None] = lambda address: None  # told the subscription that its push service does not know
    contact: str  # mailto:… or https://…: whom the push service writes to when something is wrong
    base_url: str = ""  # empty: where the subscription says
    _key: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._exchange = Exchange(self.timeout)
        named(self, "contact")
        if not self.contact.startswith(("mailto:", "https://")):
            raise ValueError(f"contact: must begin with mailto: or https://, not {self.contact!r}")
        if find_spec("pywebpush") is None:
            raise ValueError("pywebpush is not installed: install shouwang[push]")
        if self.base_url:
            self.base_url = self.base_url.rstrip("/")
            self.url("/")

    async def __aenter__(self) -> Self:
        self._key = await asyncio.to_thread(_own_key, self.keys)
        return self

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this is no subscription."""
        _subscription(address)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        subscription = _subscription(delivery.address)
        endpoint = url_of(subscription["endpoint"])
        claims = {
            "aud": f"{endpoint.scheme}://{endpoint.netloc}",
            "sub": self.contact,
            "exp": int((self.clock.now() + SIGNED_FOR).timestamp()),
        }
        headers = {
            **self._key.sign(claims),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(KEEP.total_seconds())),
            "Urgency": "high",
            # A newer message about the same alert takes the place of one that has not been fetched.
            "Topic": hashlib.sha256(delivery.alert.encode()).hexdigest()[:32],
        }
        message = in_json({"id": delivery.id, "title": letter.title, "body": letter.body, "link": letter.link})
        body = _encrypted(message, subscription)
        to = self.url(endpoint.target) if self.base_url else endpoint
        answer = await self._exchange.ask(to, body, headers)
        if answer.status in GONE:
            await asyncio.to_thread(self.forget, delivery.address)
        answer.judge(hide=(endpoint.path,))


def _subscription(address: str) -> Mapping[str, Any]:
    try:
        read = json.loads(address)
        endpoint = url_of(read["endpoint"])
        point, shared = (_bytes(read["keys"][name]) for name in ("p256dh", "auth"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Undeliverable(f"{reasons.NO_ADDRESS}: {_EXAMPLE}") from None
    if endpoint.scheme != "https" or not endpoint.host or len(point) != 65 or len(shared) != 16:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: {_EXAMPLE}")
    return read  # type: ignore[no-any-return]


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encrypted(message: bytes, subscription: Mapping[str, Any]) -> bytes:
    from pywebpush import WebPusher

    if len(message) > LONGEST_MESSAGE:
        raise Undeliverable(f"{reasons.REFUSED}: {len(message)} > {LONGEST_MESSAGE}")
    try:
        return bytes(WebPusher(subscription).encode(message)["body"])
    except ValueError as error:  # a point that is not on the curve
        raise Undeliverable(f"{reasons.NO_ADDRESS}: {_EXAMPLE}") from error


def _own_key(path: Path) -> Any:
    """The key that says who we are to push services: made at the first start, for this user only."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from py_vapid import Vapid02

    if path.exists() and path.stat().st_size:  # a disk that gave up in that moment has left an empty one
        key = Vapid02.from_file(str(path))
    else:
        key = Vapid02()
        key.generate_keys()
        made = path.with_suffix(".new")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_pem())
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    path.with_suffix(".pub").write_text(base64.urlsafe_b64encode(point).decode().rstrip("="), encoding="ascii")
    return key
