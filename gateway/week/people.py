"""Those who are called: some come at once, some late, some never; some only say a word."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from alerts.desk import Desk
from gateway.domain import Answer, Delivery, FamilyWord, Outcome, Purpose
from gateway.week.diary import Week
from gateway.week.machine import PowerCut

AGAIN_S = 5.0
"""A button that did not answer is pressed again after so long."""


async def until_it_answers(week: Week, act: Callable[[Desk], object]) -> None:
    """A page's button, or a carrier's receipt: tried again until the gateway answers."""
    while True:
        if week.desk is not None:
            try:
                act(week.desk)
                return
            except PowerCut:
                week.fell.set()
            except sqlite3.OperationalError:
                pass  # the page says that it could not be done
        await asyncio.sleep(AGAIN_S)


@dataclass(slots=True)
class People:
    """Everybody whom a message may reach."""

    week: Week
    chance: Random
    hurried: set[str] = field(default_factory=set)  # alerts for which somebody is coming

    def read(self, delivery: Delivery) -> None:
        if delivery.purpose in (Purpose.PAGE, Purpose.HANDED):
            self._think_about(delivery)
        elif delivery.purpose is Purpose.ASK:
            self._are_asked(delivery)

    def _think_about(self, delivery: Delivery) -> None:
        chance = self.chance
        if delivery.alert in self.hurried or chance.random() < 0.35:
            return
        wait = chance.choice([20, 45, 90, 240, 700])
        does = chance.choice([self._comes, self._comes, self._comes, self._coordinates, self._forgets])
        if delivery.person.startswith("daughter"):
            does = chance.choice([self._has_her, self._coordinates, self._comes])
        if does in (self._comes, self._has_her):
            self.hurried.add(delivery.alert)
        self._begin(does(delivery.alert, delivery.person, wait))

    def _are_asked(self, delivery: Delivery) -> None:
        """Whoever is asked says that it is nothing, or calls for help; mostly there is no answer."""
        if self.chance.random() < 0.7:
            return
        answer = self.chance.choice([Answer.NO_HELP, Answer.NO_HELP, Answer.HELP])
        self._begin(self._answers(delivery.alert, delivery.person, answer, self.chance.choice([5, 30, 100])))

    def _begin(self, doing: Coroutine[Any, Any, None]) -> None:
        self.week.tasks.append(asyncio.ensure_future(doing))

    async def _answers(self, alert: str, who: str, answer: Answer, wait: float) -> None:
        await asyncio.sleep(wait)
        self.week.say(f"{who} answers {answer.value} to {alert}")
        await self._does(lambda desk: desk.answer(alert, answer, who, self.week.clock.now(), "speaker"))

    async def _coordinates(self, alert: str, who: str, wait: float) -> None:
        """Far away, or unable to leave: keeps it together."""
        await asyncio.sleep(wait)
        self.week.say(f"{who} coordinates {alert}")
        await self._does(lambda desk: desk.accept(alert, who, self.week.clock.now(), "link", can_arrive=False))

    async def _forgets(self, alert: str, who: str, wait: float) -> None:
        """Accepts in half sleep, and sleeps on."""
        await asyncio.sleep(wait)
        self.week.say(f"{who} accepts {alert} and forgets it")
        await self._does(lambda desk: desk.accept(alert, who, self.week.clock.now(), "voice", can_arrive=True))

    async def _has_her(self, alert: str, who: str, wait: float) -> None:
        await asyncio.sleep(wait)
        self.week.say(f"{who} has her: {alert}")
        clock, word = self.week.clock, FamilyWord.WITH_ME
        until = clock.now() + timedelta(hours=5)
        await self._does(lambda desk: desk.family(alert, who, word, until, clock.now(), sure=True))

    async def _comes(self, alert: str, who: str, wait: float) -> None:
        week, chance = self.week, self.chance
        await asyncio.sleep(wait)
        await self._does(lambda desk: desk.accept(alert, who, week.clock.now(), "link", can_arrive=True))
        week.say(f"{who} accepts {alert}")
        await asyncio.sleep(chance.choice([60, 200]))
        if chance.random() < 0.1:
            week.say(f"{who} hands {alert} over to the supervisor")
            await self._does(lambda desk: desk.hand_over(alert, who, "supervisor", week.clock.now(), why="换班"))
        await self._does(lambda desk: desk.on_the_way(alert, who, week.clock.now()))
        await asyncio.sleep(chance.choice([300, 900, 3000]))
        await self._does(lambda desk: desk.on_site(alert, who, week.clock.now(), proof="door"))
        outcome = chance.choice(list(Outcome))
        await self._does(lambda desk: desk.resolve(alert, who, outcome, "", week.clock.now()))
        week.say(f"{who} resolves {alert}: {outcome.value}")
        await self._does(lambda desk: desk.follow_up(alert, who, "", week.clock.now()))
        await self._does(lambda desk: desk.close(alert, who, week.clock.now()))

    async def _does(self, act: Callable[[Desk], object]) -> None:
        await until_it_answers(self.week, act)
