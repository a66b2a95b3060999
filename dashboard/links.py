"""One-tap links: a letter's way to its alert, without a password, for one person and one alert.

Looking at a link does nothing. Chat programs and virus scanners open every link they see, so only a button acts.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from gateway.domain import Delivery, Purpose
from gateway.ports import Clock

LINK_LIFE = timedelta(hours=24)
"""Longer than any alert should stay open, shorter than a phone stays lost."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a link says: this person may see and answer for this alert, until then."""

    alert: str
    person: str
    expires: datetime
    delivery: str = ""  # the message that the link stood in


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
        where = "d" if delivery.purpose is Purpose.DRILL else "a"
        return f"{self.base_url.rstrip('/')}/{where}/{self.token(delivery.alert, delivery.person, delivery.id)}"

    def token(self, alert: str, person: str, delivery: str = "") -> str:
        expires = self.clock.now() + LINK_LIFE
        return str(self._signer.dumps([alert, person, int(expires.timestamp()), delivery.removeprefix(f"{alert}/")]))

    def read(self, token: str) -> Pass | None:
        """None when it was not made by us, was changed, or has expired."""
        try:
            alert, person, expires, way = self._signer.loads(token)
        except (BadData, ValueError, TypeError):
            return None
        now = self.clock.now()
        moment = datetime.fromtimestamp(expires, tz=now.tzinfo)
        if now >= moment:
            return None
        return Pass(alert=alert, person=person, expires=moment, delivery=f"{alert}/{way}" if way else "")

    def code(self, delivery: Delivery) -> str:
        """What this person's answer by SMS about this alert begins with; the courier's `code`."""
        return f"{int(self._digest('answer', delivery.alert, delivery.person), 16) % 10_000:04}"

    def key(self, door: str) -> str:
        """The part of a door's address that only we and one provider know: 128 bits."""
        return self._digest("door", door)[:32]

    # What hangs beside a household's door: whoever reads it out stands before it.

    def doorplate(self, home: str) -> str:
        """What the printed code leads to; the same for as long as our secret is."""
        return str(URLSafeSerializer(self.secret, salt="shouwang.doorplate").dumps(home))

    def at_door(self, token: str) -> str:
        """The home whose doorplate this is; empty when we never printed it."""
        try:
            return str(URLSafeSerializer(self.secret, salt="shouwang.doorplate").loads(token))
        except (BadData, ValueError, TypeError):
            return ""

    def door_code(self, home: str) -> str:
        """The same in six figures, for whoever cannot scan."""
        return f"{int(self._digest('doorplate', home), 16) % 1_000_000:06}"

    def _digest(self, *words: str) -> str:
        return hmac.new(self.secret, "\n".join(words).encode(), hashlib.sha256).hexdigest()
