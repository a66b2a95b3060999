"""Says it to one person in WeCom, as a message of an app of ours (企业微信应用消息)."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts import reasons
from alerts.channels.exchange import Provider, name_of, pasted, turn_down, words
from gateway.domain import Delivery
from gateway.ports import Clock, Letter, TryLater, Undeliverable

BUSY = frozenset({-1, 45009, 45033, 45047, 40014, 42001})
"""System busy; too many; and a pass that ended early, for which a new one is fetched when it is tried again."""

ENDED = (40014, 42001)

EARLY = timedelta(minutes=5)
"""A pass is renewed this long before its end."""

LONGEST_S = 7200
"""No pass lasts longer, whatever is said."""

_USER = re.compile(r"[0-9A-Za-z_.@-]{1,64}")


@dataclass(slots=True, kw_only=True)
class WecomApp(Provider):
    """One text message. The address is the person's account in WeCom, 成员UserID."""

    clock: Clock
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    base_url: str = "https://qyapi.weixin.qq.com"
    _pass: str = field(default="", init=False, repr=False)
    _until: datetime | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        Provider.__post_init__(self)
        pasted(self, "corp_id", "secret")

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be one person's account; "@all" is not one person."""
        if not _USER.fullmatch(address) or address == "@all":
            raise Undeliverable(f"{reasons.NO_ADDRESS}: zhangsan")

    async def send(self, delivery: Delivery, letter: Letter) -> str | None:
        self.check(delivery.address)
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):  # for both questions together
                return await self._say(delivery.address, letter)
        except TimeoutError:
            raise TryLater(f"{reasons.NO_ANSWER}: {self.timeout.total_seconds():g} s") from None

    async def _say(self, user: str, letter: Letter) -> str | None:
        access = await self._access()
        said = await self.ask_json(
            self.url("/cgi-bin/message/send", access_token=access),
            {
                "touser": user,
                "msgtype": "text",
                "agentid": self.agent_id,
                "text": {"content": words(letter)},
                # Whoever answered and was not heard is told once: the provider knows a message it has had.
                "enable_duplicate_check": 1,
                "duplicate_check_interval": 30,
            },
            hide=(access, self.secret),
        )
        code = said.get("errcode")
        if code in ENDED:
            self._pass, self._until = "", None
        if code != 0:
            turn_down(code, said.get("errmsg"), busy=BUSY, hide=(access, self.secret))
        for unreached in ("invaliduser", "unlicenseduser"):  # refused inside a yes
            if said.get(unreached):
                raise Undeliverable(f"{reasons.REFUSED}: {unreached}", unreached)
        return name_of(said.get("msgid"))

    async def _access(self) -> str:
        """The pass that messages are sent with: fetched once, used until shortly before its end."""
        now = self.clock.now()
        if self._until is None or now >= self._until:
            said = await self.ask_json(
                self.url("/cgi-bin/gettoken", corpid=self.corp_id, corpsecret=self.secret), {}, hide=(self.secret,)
            )
            code, given = said.get("errcode"), said.get("access_token")
            if code != 0 or not isinstance(given, str):
                turn_down(code, said.get("errmsg"), busy=BUSY, hide=(self.secret,))
            lasts = said.get("expires_in")
            self._pass = given
            self._until = now + timedelta(seconds=min(lasts, LONGEST_S) if isinstance(lasts, int) else 0) - EARLY
        return self._pass
