"""What goes wrong between a home and us: lost, doubled, late and shuffled messages, dead devices, wrong clocks.

Each fault turns a stream of publications, in order of time, into another one, in order of the time at which the
broker gets them. The same seed does the same harm. They are put one after the other:

    stream = suffering(household.publications(monday, friday), Late(((noon, evening),)), Doubled(seed=3, share=0.02))
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from simulators.speech import Publication, encoded

BACKLOG_PACE = timedelta(milliseconds=5)
"""How fast a hub sends what it kept, one message after the other."""

NOT_CACHED = ("action", "click", "no_occupancy_since", "elapsed")
"""Keys that Zigbee2MQTT says once and does not remember."""


class Fault(Protocol):
    """One thing that goes wrong."""

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]: ...


def suffering(stream: Iterable[Publication], *faults: Fault) -> Iterator[Publication]:
    """The stream after all these faults, the first of them nearest to the home."""
    for fault in faults:
        stream = fault.over(stream)
    return iter(stream)


# --------------------------------------------------------------------------- on the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Messages without a promise (QoS 0) get lost; one with a promise is only ever late."""

    seed: int
    share: float

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        chance = Random(f"{self.seed}/lost")
        for said in stream:
            is_lost = chance.random() < self.share
            if not (is_lost and said.qos == 0):
                yield said


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubled:
    """Messages with a promise (QoS 1) come a second time, a little later: the acknowledgement was lost."""

    seed: int
    share: float
    within: timedelta = timedelta(seconds=20)

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        def twice() -> Iterator[tuple[datetime, Publication]]:
            chance = Random(f"{self.seed}/doubled")
            for said in stream:
                yield said.at, said
                again, after = chance.random() < self.share, chance.random() * self.within
                if again and said.qos > 0:
                    yield said.at, replace(said, at=said.at + after)

        return _in_order(twice())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shuffled:
    """Some messages are overtaken by those after them."""

    seed: int
    share: float
    within: timedelta = timedelta(seconds=5)

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        def held_up() -> Iterator[tuple[datetime, Publication]]:
            chance = Random(f"{self.seed}/shuffled")
            for said in stream:
                held, after = chance.random() < self.share, chance.random() * self.within
                yield said.at, replace(said, at=said.at + after) if held else said

        return _in_order(held_up())


@dataclass(frozen=True, slots=True)
class Late:
    """The line is down: the hub keeps what has a promise and sends it afterwards in order; the rest is lost.

    Keeps at most `most` messages, the newest, as a bridge with a bounded queue does.
    """

    outages: tuple[tuple[datetime, datetime], ...]
    most: int = 100_000

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        def kept() -> Iterator[tuple[datetime, Publication]]:
            count = 0
            for said in stream:
                until = next((end for begin, end in self.outages if begin <= said.at < end), None)
                if until is None:
                    count = 0
                    yield said.at, said
                elif said.qos > 0 and count < self.most:
                    yield said.at, replace(said, at=until + count * BACKLOG_PACE)
                    count += 1

        return _in_order(kept())


# --------------------------------------------------------------------------- in the home


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A device's battery is empty: nothing of this topic any more."""

    topic: str  # below the hub, e.g. "zigbee2mqtt/living/motion" or "plain/living-motion"
    since: datetime

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        own = ("/" + self.topic, f"/{self.topic}/availability")
        return (said for said in stream if said.at < self.since or not said.topic.endswith(own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifting:
    """A clock in the home is wrong: off by `offset` at `since`, and further by `per_day` with each day."""

    since: datetime
    offset: timedelta = timedelta(0)
    per_day: timedelta = timedelta(0)
    topic: str = ""  # one device; "" is all of the stream

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        for said in stream:
            if said.at >= self.since and (not self.topic or said.topic.endswith("/" + self.topic)):
                wrong = self.offset + self.per_day * ((said.at - self.since) / timedelta(days=1))
                yield replace(said, payload=_dated_anew(said.payload, wrong))
            else:
                yield said


@dataclass(frozen=True, slots=True)
class Restarted:
    """Zigbee2MQTT falls and starts again: its last will, its birth, and the remembered state of every device."""

    moments: tuple[datetime, ...]
    away: timedelta = timedelta(seconds=12)

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        memory: dict[str, Publication] = {}
        to_come = sorted(self.moments)
        for said in stream:
            while to_come and to_come[0] <= said.at:
                yield from self._restart(to_come.pop(0), memory)
            if self._is_away(said):
                continue  # the radio still hears, but nobody listens to it
            if "/zigbee2mqtt/" in said.topic:
                memory[said.topic] = said
            yield said

    def _is_away(self, said: Publication) -> bool:
        return "/zigbee2mqtt/" in said.topic and any(at <= said.at < at + self.away for at in self.moments)

    def _restart(self, at: datetime, memory: Mapping[str, Publication]) -> Iterator[Publication]:
        hubs = sorted({said.hub for said in memory.values()})
        for hub in hubs:
            topic = f"shouwang/{hub}/zigbee2mqtt/bridge/state"
            yield Publication(at, topic, encoded({"state": "offline"}), hub, retained=True)
        for hub in hubs:
            mine = {topic: said for topic, said in memory.items() if said.hub == hub}
            for topic in sorted(mine, key=_birth_order):
                said = mine[topic]
                if "/bridge/health" not in topic:
                    yield replace(said, at=at, payload=_remembered(said.payload))


def _birth_order(topic: str) -> tuple[int, str]:
    """The bridge first, then who is reachable, then what each device said last."""
    if "/bridge/state" in topic:
        return 0, topic
    if "/bridge/" in topic:
        return 1, topic
    return (2, topic) if topic.endswith("/availability") else (3, topic)


def _remembered(payload: bytes) -> bytes:
    said = json.loads(payload)
    if isinstance(said, dict) and any(key in said for key in NOT_CACHED):
        return encoded({key: value for key, value in said.items() if key not in NOT_CACHED})
    return payload


def _dated_anew(payload: bytes, wrong: timedelta) -> bytes:
    """The same message from a device whose clock is off."""
    said = json.loads(payload)
    reports = said if isinstance(said, list) else [said]
    for report in reports:
        for key in ("last_seen", "at", "response_time"):
            if isinstance(report, dict) and key in report:
                report[key] = _moved(report[key], wrong)
    return encoded(said)


def _moved(stamp: Any, by: timedelta) -> Any:
    if isinstance(stamp, str):
        moved = (datetime.fromisoformat(stamp) + by).isoformat(timespec="milliseconds")
        return moved.replace("+00:00", "Z") if stamp.endswith("Z") else moved
    return stamp + int(by / timedelta(milliseconds=1))


def _in_order(comings: Iterable[tuple[datetime, Publication]]) -> Iterator[Publication]:
    """Publications in the order in which they arrive, from (when it was said, what arrives when) in order of saying.

    Nothing arrives before it was said, so whatever arrives before the newest saying is complete.
    """
    waiting: list[tuple[datetime, int, Publication]] = []
    for number, (said_at, coming) in enumerate(comings):
        while waiting and waiting[0][0] <= said_at:
            yield heapq.heappop(waiting)[2]
        heapq.heappush(waiting, (coming.at, number, coming))
    while waiting:
        yield heapq.heappop(waiting)[2]


# --------------------------------------------------------------------------- all at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """A bad network in one word: shares of messages lost, doubled and shuffled, and what else befalls a home."""

    seed: int
    lost: float = 0.0
    doubled: float = 0.0
    shuffled: float = 0.0
    outages: tuple[tuple[datetime, datetime], ...] = ()
    restarts: tuple[datetime, ...] = ()
    more: tuple[Fault, ...] = field(default=())

    def over(self, stream: Iterable[Publication]) -> Iterator[Publication]:
        return suffering(
            stream,
            Restarted(self.restarts),
            *self.more,
            Late(self.outages),
            Lost(seed=self.seed, share=self.lost),
            Doubled(seed=self.seed, share=self.doubled),
            Shuffled(seed=self.seed, share=self.shuffled),
        )
