"""Says it to somebody's WeChat, through ServerChan (Server酱), in both of its generations."""

import re
from dataclasses import dataclass

from alerts import reasons
from alerts.channels.exchange import Provider, turn_down
from alerts.channels.lines import Url, url_of
from gateway.domain import Delivery
from gateway.ports import Letter, Undeliverable

OLDER = "https://sctapi.ftqq.com"
NEWER = "https://{uid}.push.ft07.com"

_KEY = re.compile(r"SCT[0-9A-Za-z]{8,64}|sctp(?P<uid>\d{1,12})t[0-9A-Za-z]{8,64}", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Serverchan(Provider):
    """One message. The address is the SendKey: `SCT…` of the older generation, `sctp<number>t…` of the newer.

    Each generation has its own host; another `base_url` stands for both.
    """

    base_url: str = OLDER

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be a SendKey."""
        _uid(address)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        key = delivery.address
        body = "\n\n".join(part for part in (letter.body, letter.link) if part)
        # A limit of the day answers like a wrong key: asking again helps neither, and the ladder must go on.
        said = await self.ask_json(self._to(key, _uid(key)), {"title": letter.title, "desp": body}, hide=(key,))
        if (code := said.get("code")) != 0:
            turn_down(code, said.get("message", said.get("error")), busy=(-1,), hide=(key,))

    def _to(self, key: str, uid: str) -> Url:
        if not uid:
            return self.url(f"/{key}.send")
        if self.base_url != OLDER:
            return self.url(f"/send/{key}.send")
        return url_of(f"{NEWER.format(uid=uid)}/send/{key}.send")


def _uid(key: str) -> str:
    """The number inside a key of the newer generation; "" in one of the older."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: SCT… / sctp1234t…")
    return found["uid"] or ""
