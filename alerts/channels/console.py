"""Says it in the log, and remembers the last of what was said: for a first look, a demonstration, and tests."""

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from gateway.domain import Delivery
from gateway.ports import Letter

log = logging.getLogger(__name__)


class Said(NamedTuple):
    delivery: Delivery
    letter: Letter


@dataclass(slots=True)
class Console:
    """One structured line in the log for each message.

    The line carries ids and the title; the body stays out of it, for it may name a colleague.
    """

    keep: int = 200  # how many messages are remembered
    said: deque[Said] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ValueError(f"a console remembers at least 1 message, not {self.keep}")
        self.said = deque(maxlen=self.keep)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *why: object) -> None:
        """There is nothing to close."""

    @staticmethod
    def check(address: str) -> None:
        """Any address will do."""

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        self.said.append(Said(delivery, letter))
        log.info(
            "said",
            extra={
                "delivery": delivery.id,
                "alert": delivery.alert,
                "purpose": delivery.purpose.value,
                "person": delivery.person,
                "title": letter.title,
            },
        )
