"""Those who carry messages to people, in every way in which they fail."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from random import Random

from alerts.desk import Desk
from gateway.domain import Delivery, Purpose, Stage
from gateway.ports import Letter, TryLater, Undeliverable
from gateway.week.diary import Carried, Week
from gateway.week.machine import Power
from gateway.week.ours import Untried
from gateway.week.people import until_it_answers

FOR_EVER_S = 86_400.0


class Mode(StrEnum):
    """How a carrier behaves while something is wrong with it."""

    LATER = "is down"
    REFUSES = "refuses every number"
    HANGS = "takes a message and says nothing"
    UNHEARD = "carries it, and its answer is lost"
    FALLS = "breaks in a way that nobody thought of"


class Receipts(StrEnum):
    """What comes back of what was taken over."""

    NONE = "never"
    COME = "soon"
    LATE = "after hours"
    DENY = "and now and then they say that it did not arrive"


@dataclass(frozen=True, slots=True)
class Spell:
    """So long something is wrong with a carrier."""

    begin: datetime
    end: datetime
    mode: Mode


@dataclass(slots=True)
class Carrier:
    """One channel of the week. It works, it is slow, it does not know a number, or something is wrong with it."""

    week: Week
    power: Power
    chance: Random
    spells: Sequence[Spell]
    receipts: Receipts
    dead_numbers: frozenset[str]
    is_read: Callable[[Delivery], None]

    async def send(self, delivery: Delivery, letter: Letter) -> str:
        week, now = self.week, self.week.world.now()
        mode = next((spell.mode for spell in self.spells if spell.begin <= now < spell.end), None)
        if mode is Mode.LATER:
            raise TryLater("the carrier is down")
        if mode is Mode.REFUSES or delivery.person in self.dead_numbers:
            raise Undeliverable("no such number")
        if mode is Mode.FALLS:
            raise Untried("a carrier that nobody has tried out")
        if mode is Mode.HANGS:
            await asyncio.sleep(FOR_EVER_S)
        is_lost = self.receipts is Receipts.DENY and self.chance.random() < 0.15
        await asyncio.sleep(self.chance.choice([0.2, 0.5, 1, 8]))
        if not is_lost:
            week.say(f"{delivery.person} reads: {letter.title} [{delivery.purpose.value}] {delivery.alert}")
            week.carried.append(Carried(delivery, letter, now, is_known=mode is not Mode.UNHEARD))
            self.power.passes("after sending")
            self.is_read(delivery)
        if mode is Mode.UNHEARD:
            await asyncio.sleep(FOR_EVER_S)
        if self.receipts is not Receipts.NONE and delivery.purpose is not Purpose.TEST:
            week.tasks.append(asyncio.ensure_future(self._receipt(delivery.id, is_lost)))
        return delivery.id

    async def _receipt(self, delivery: str, is_lost: bool) -> None:
        await asyncio.sleep(self.chance.uniform(3600, 20_000) if self.receipts is Receipts.LATE else 4)
        clock, at = self.week.clock, self.week.clock.now()

        def tell(desk: Desk) -> None:
            if is_lost:
                desk.gave_up(delivery, "not on the air", clock.now(), lasting=False)
            else:
                desk.arrived(delivery, Stage.DELIVERED, at, clock.now())

        await until_it_answers(self.week, tell)
