"""Says it in a WeCom group, through the group's robot (企业微信群机器人)."""

import re
from dataclasses import dataclass

from alerts.channels.exchange import Provider, robot, turn_down, words
from gateway.domain import Delivery
from gateway.ports import Letter

BUSY = frozenset({-1, 45009, 45033, 45047})
"""System busy; more than twenty messages a minute; too many at once."""

_KEY = re.compile(r"[0-9A-Za-z-]{16,64}")


@dataclass(slots=True, kw_only=True)
class Wecom(Provider):
    """One text message in the group. The address is the robot's key, or its whole webhook address."""

    base_url: str = "https://qyapi.weixin.qq.com"

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be a robot's key."""
        robot(address, _KEY, "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa")

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        key, _ = robot(delivery.address, _KEY, "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa")
        said = await self.ask_json(
            self.url("/cgi-bin/webhook/send", key=key),
            {"msgtype": "text", "text": {"content": words(letter)}},
            hide=(key,),
        )
        if (code := said.get("errcode")) != 0:
            turn_down(code, said.get("errmsg"), busy=BUSY, hide=(key,))
