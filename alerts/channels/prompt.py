"""Says it in the home itself: to a box on one of our hubs that can speak, show or flash, and that people can answer."""

import json
import re
from dataclasses import dataclass

from alerts import reasons
from alerts.channels.lamp import Asking
from gateway.domain import Delivery, Purpose
from gateway.ports import Letter, Undeliverable

_ADDRESS = re.compile(
    r"(?=[^/]*[A-Za-z])(?=[^/]*[0-9-])(?P<hub>[0-9A-Za-z_-]{1,64})(?:/(?P<rest>[^\s#+*>/]+(?:/[^\s#+*>/]+)*))?"
)

PROMPT = "prompt"
"""The topic below the hub, where the address names no other."""


@dataclass(slots=True, kw_only=True)
class Prompt(Asking):
    """One message to the home's hub. The address is the hub, `hub-3f2a`, or the hub and a topic below it.

    What the box does with the words is its own affair; `ask` says that an answer is waited for. It comes back as any
    other reading: a press of an ordinary button says that all is well, an emergency button calls.
    """

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be a hub."""
        _place(address)

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        hub, rest = _place(delivery.address)
        words = {
            "id": delivery.id,
            "purpose": delivery.purpose.value,
            "ask": delivery.purpose is Purpose.ASK,
            "title": letter.title,
            "text": letter.body,
        }
        await self.ask_hub(hub, rest, json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode())


def _place(address: str) -> tuple[str, str]:
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: hub-3f2a")
    return found["hub"], found["rest"] or PROMPT
