"""One-tap links: a letter's way to its alert, without a password, for one person and one alert.

Looking at a link does nothing. Chat programs and virus scanners open every link they see, so only a button acts.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from gateway.domain import Delivery
from gateway.ports import Clock

LINK_LIFE = timedelta(hours=24)
"""Longer than any alert should stay open, shorter than a phone stays lost."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a link says: this person may see and answer for this alert, until then."""

    alert: str
    person: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links that the courier sends, and reads them again."""

    secret: bytes
    base_url: str
    clock: Clock
    _signer: URLSafeSerializer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_signer", URLSafeSerializer(self.secret, salt="shouwang.link"))

    def link(self, delivery: Delivery) -> str:
        """The address to put into the letter; the courier's `link`."""
        return f"{self.base_url.rstrip('/')}/a/{self.token(delivery.alert, delivery.person)}"

    def token(self, alert: str, person: str) -> str:
        expires = self.clock.now() + LINK_LIFE
        return str(self._signer.dumps([alert, person, int(expires.timestamp())]))

    def read(self, token: str) -> Pass | None:
        """None when it was not made by us, was changed, or has expired."""
        try:
            alert, person, expires = self._signer.loads(token)
        except (BadData, ValueError, TypeError):
            return None
        now = self.clock.now()
        moment = datetime.fromtimestamp(expires, tz=now.tzinfo)
        return Pass(alert=alert, person=person, expires=moment) if now < moment else None
