"""Says it in a Feishu group, through the group's robot (飞书群机器人), signed."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from alerts.channels.exchange import Provider, robot, turn_down, words
from gateway.domain import Delivery
from gateway.ports import Clock, Letter

BUSY = frozenset({11232, 11233, 99991400})
"""More than a hundred messages a minute or five a second."""

_TOKEN = re.compile(r"[0-9A-Za-z-]{16,64}")
_EXAMPLE = "0f3e1ca0-4c2d-… the secret"


@dataclass(slots=True, kw_only=True)
class Feishu(Provider):
    """One text message in the group. The address is the robot's id, or its whole address, a space, its secret.

    Without a secret nothing is signed: for robots that are guarded by a keyword or by our address. Lark is the same
    under another `base_url`.
    """

    clock: Clock
    base_url: str = "https://open.feishu.cn"

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be a robot's id."""
        robot(address, _TOKEN, _EXAMPLE)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        token, secret = robot(delivery.address, _TOKEN, _EXAMPLE)
        message: dict[str, object] = {"msg_type": "text", "content": {"text": words(letter)}}
        if secret:
            timestamp = str(int(self.clock.now().timestamp()))
            message |= {"timestamp": timestamp, "sign": signature(secret, timestamp)}
        said = await self.ask_json(self.url(f"/open-apis/bot/v2/hook/{token}"), message, hide=(token, secret))
        code = said.get("code", said.get("StatusCode"))  # the older of its two ways to say yes
        if code != 0:
            turn_down(code, said.get("msg"), busy=BUSY, hide=(token, secret))


def signature(secret: str, timestamp: str) -> str:
    """Here the moment and the secret together are the key, and nothing is what is signed. Seconds, unlike DingTalk."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()
