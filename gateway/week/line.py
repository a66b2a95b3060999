"""The way between the hubs and the gateway: a broker that keeps what is not acknowledged, and a line that is slow."""

import asyncio
import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.ports import Clock, Message
from gateway.week.diary import Week
from simulators.speech import Publication, is_press

AT_ONCE = 50


@dataclass(slots=True)
class KeepingBroker:
    """Keeps what was published at QoS 1 until it is settled; a new connection gets all of it again, in order."""

    kept: dict[int, Publication] = field(default_factory=dict)
    retained: dict[str, Publication] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)
    connected: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    _number: int = 0

    def __post_init__(self) -> None:
        self.up.set()

    def publish(self, publication: Publication) -> bool:
        """False when it was lost: QoS 0 and nobody listening."""
        if publication.retained:
            self.retained[publication.topic] = replace(publication, retained=False)
        if publication.qos == 0 and not self.connected:
            return False
        self._number += 1
        self.kept[self._number] = replace(publication, retained=False)  # whoever listens already gets it as news
        self.waiting.append(self._number)
        self.came.set()
        return True

    def connect(self) -> None:
        self.connected = True
        self.kept = {number: said for number, said in self.kept.items() if not said.retained}  # they come anew
        again = sorted(self.kept)
        for publication in self.retained.values():
            self._number += 1
            self.kept[self._number] = replace(publication, retained=True)
            again.append(self._number)
        self.waiting = deque(again)
        self.came.set()

    def lost(self) -> None:
        """Whoever listened is gone."""
        self.connected = False

    def stop(self) -> None:
        self.up.clear()
        self.lost()
        self.came.set()

    def start(self) -> None:
        self.up.set()
        self.came.set()


@dataclass(slots=True)
class BrokerSource:
    """The gateway's end of it: a Source that never waits, for virtual time does."""

    broker: KeepingBroker
    clock: Clock
    week: Week
    since: datetime | None = None

    def poll(self, wait: timedelta) -> Sequence[Message]:
        broker, now = self.broker, self.clock.now()
        if not broker.up.is_set():
            self.since = None
            return ()
        if not broker.connected:
            broker.connect()
            self.since = now
        messages = []
        for _ in range(min(AT_ONCE, len(broker.waiting))):
            number = broker.waiting.popleft()
            said = broker.kept[number]
            messages.append(Message(said.topic, said.payload, now, said.retained, "/sos/" in said.topic, number))
            if not said.retained:
                self.week.heard[self.week.home_of[said.hub]].append(self.week.world.now())
        return sorted(messages, key=lambda m: not m.urgent)

    def presses(self) -> Sequence[Message]:
        return ()  # here a batch takes no time

    def settle(self, messages: Iterable[Message]) -> None:
        if self.broker.connected:  # else nobody is there to hear it, and all of it comes again
            for message in messages:
                self.broker.kept.pop(message.receipt, None)  # type: ignore[call-overload]

    def listening_since(self) -> datetime | None:
        return self.since

    def close(self) -> None:
        self.broker.lost()


async def publish_all(
    week: Week,
    broker: KeepingBroker,
    streams: Sequence[Iterable[Publication]],
    pace: timedelta,
) -> None:
    """Every hub says what its home has to say. What is urgent goes at once; the rest is gathered for as long as `pace`,
    and is overtaken."""
    gathered: list[Publication] = []
    leaves = week.end
    for said in heapq.merge(*streams, key=lambda said: said.at):
        if gathered and said.at >= leaves:
            await _hand_over(week, broker, gathered, leaves)
        if pace and "/sos/" not in said.topic:
            leaves = leaves if gathered else said.at + pace
            gathered.append(said)
        else:
            await _hand_over(week, broker, [said], said.at)
    await _hand_over(week, broker, gathered, leaves)


async def _hand_over(week: Week, broker: KeepingBroker, said: list[Publication], at: datetime) -> None:
    await week.until(at)
    await broker.up.wait()
    for one in said:
        is_taken = broker.publish(one)
        if is_press(one):
            home, is_known = week.home_of[one.hub], one.payload in week.pressed
            week.say(f"{home} presses the button{' (told twice)' if is_known else '' if is_taken else ' (lost)'}")
            if is_taken and not is_known:
                week.presses.append((home, week.world.now()))
                week.pressed.add(one.payload)
    said.clear()
