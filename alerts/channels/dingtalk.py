"""Says it in a DingTalk group, through the group's robot (钉钉群机器人), signed."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from alerts.channels.exchange import Provider, robot, turn_down, words
from gateway.domain import Delivery
from gateway.ports import Clock, Letter

BUSY = frozenset({-1, 130101, 410100, 90018, 90030})
"""System busy; more than twenty messages a minute, under the names it has had."""

_TOKEN = re.compile(r"[0-9A-Za-z]{16,128}")
_EXAMPLE = "566cc69da782ec… SECb8b1…"


@dataclass(slots=True, kw_only=True)
class Dingtalk(Provider):
    """One text message in the group. The address is the robot's token, or its whole address, a space, its secret.

    Without a secret nothing is signed: for robots that are guarded by a keyword or by our address.
    """

    clock: Clock
    base_url: str = "https://oapi.dingtalk.com"

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be a robot's token."""
        robot(address, _TOKEN, _EXAMPLE)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        token, secret = robot(delivery.address, _TOKEN, _EXAMPLE)
        query = {"access_token": token}
        if secret:
            timestamp = str(int(self.clock.now().timestamp() * 1000))
            query |= {"timestamp": timestamp, "sign": signature(secret, timestamp)}
        said = await self.ask_json(
            self.url("/robot/send", **query),
            {"msgtype": "text", "text": {"content": words(letter)}},
            hide=(token, secret),
        )
        if (code := said.get("errcode")) != 0:
            turn_down(code, said.get("errmsg"), busy=BUSY, hide=(token, secret))


def signature(secret: str, timestamp: str) -> str:
    """Proves who sent it and when; the provider lets an hour pass at most. Milliseconds, unlike Feishu."""
    proof = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(proof).decode()
