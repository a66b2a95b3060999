"""Says it to somebody's WeChat, through PushPlus (推送加)."""

import re
from dataclasses import dataclass

from alerts import reasons
from alerts.channels.exchange import Provider, turn_down
from gateway.domain import Delivery
from gateway.ports import Letter, Undeliverable

BUSY = frozenset({500, 600})
"""The provider's own faults. 900, too many in a day, is not among them: it lasts for days, and asking makes it last."""

_TOKEN = re.compile(r"[0-9A-Za-z]{16,64}")


@dataclass(slots=True, kw_only=True)
class Pushplus(Provider):
    """One message. The address is the token of whoever is to read it."""

    base_url: str = "https://www.pushplus.plus"

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be a token."""
        if not _TOKEN.fullmatch(address):
            raise Undeliverable(f"{reasons.NO_ADDRESS}: 6bf2c0…")

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        self.check(token := delivery.address)
        content = "\n".join(part for part in (letter.body, letter.link) if part)
        said = await self.ask_json(
            self.url("/send"),
            {"token": token, "title": letter.title, "content": content, "template": "txt"},
            hide=(token,),
        )
        if (code := said.get("code")) != 200:
            turn_down(code, said.get("msg"), busy=BUSY, hide=(token,))
