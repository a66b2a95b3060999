"""The watchman over the watchman: a process of its own that says when the gateway is dead, hung, full or deaf.

It follows the gateway's sign of life and needs nothing else of it: neither its database nor its broker nor its courier.
Whom to tell was written down for it beforehand. Everything in `Watchman` is plain: it is given what is seen and when.
"""

import asyncio
import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx

from alerts import words_watchdog
from alerts.channels import CHANNELS, make
from alerts.wording import clock as clock_text
from alerts.wording import say
from gateway.callees import Callee, put, read_people
from gateway.config import Settings
from gateway.domain import Delivery, Purpose
from gateway.ports import Channel, Clock, Letter, TryLater, Undeliverable
from gateway.pulse import HEARTBEAT, WATCHDOG, Pulse, SignOfLife, last_sign_of, pulse_in, tell_systemd

log = logging.getLogger(__name__)

LOOKS_EVERY_S = 1.0

ASKS_EVERY_S = 5.0
"""How often a gateway on another machine is asked over the network."""

ASLEEP_S = 10.0
"""Whoever has not looked for so long was asleep himself, and may not judge what he sees first."""

THERE_S = 8.0
"""A sign of life is given each second; one that is older than this says nothing of the present."""

STEADY_S = 60.0
"""So long the gateway has to be well without a break before that is said."""

FALLS, WITHIN_S = 4, 600.0
"""Falls within that time, after which a gateway that is there at each look counts as one that is not."""

PINGS_EVERY_S = 60.0

WAITS_S = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Before each attempt at one way; the last one again and again, for as long as the news is news."""

PATIENCE_S = 15.0
"""For one attempt, whatever a channel believes."""

ZONE = ZoneInfo("Asia/Shanghai")
"""The clock in the messages."""


class Fault(StrEnum):
    """What is wrong with the gateway, the worst first; whichever comes first is told."""

    GONE = "gone"  # no sign of life: dead, hung, or its disk does not take a byte
    LEFT = "left"  # it was told to stop, and did not come back
    FALLING = "falling"  # it starts again and again
    STUCK = "stuck"  # nothing is taken in, no deadline noticed, no ladder climbed
    MUTE = "mute"  # nothing is sent
    DEAF = "deaf"  # the broker cannot be heard
    HUSHED = "hushed"  # no home says anything
    FULL = "full"  # the disk


class Kind(StrEnum):
    ILL = "ill"
    STILL = "still"  # and nobody has said that they see to it
    WELL = "well"  # again


@dataclass(frozen=True, slots=True)
class News:
    """What people are to be told."""

    kind: Kind
    fault: Fault
    since: datetime
    round: int = 0  # how often it was repeated
    homes: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen at one look: how old the sign of life is, and what it says."""

    age_s: float
    pulse: Pulse


@dataclass(slots=True)
class Watchman:
    """Judges what is seen. `now` is a monotonic clock's, `moment` the time of day, for the words only."""

    began: float
    after_s: float = 45.0  # without what should be there, until it is told
    back_within_s: float = 180.0  # what was told to stop comes back by then, and so does a machine that starts
    again_s: float = 900.0
    told: dict[Fault, datetime] = field(default_factory=dict)  # what was told and is not over, with since when
    round: int = 0
    _again_at: float = 0.0
    _well_since: float | None = None
    _looked: float | None = None
    _was_asleep: bool = False
    _is_there: bool = False  # at this very look, and meaning to stay
    _last: Pulse | None = None
    _falls: deque[float] = field(default_factory=deque)

    @property
    def is_sure(self) -> bool:
        """All is well, at this moment and as far as can be known."""
        return not self.told and self._is_there and self._well_since is not None

    def look(self, sight: Sight | None, now: float, moment: datetime, *, is_seen: bool = False) -> News | None:
        """What is to be said now, if anything. `is_seen`: somebody has said that they see to it."""
        slept, self._looked = self._looked is not None and now - self._looked > ASLEEP_S, now
        if slept and not self._was_asleep:
            self._was_asleep = True  # once: a machine that never lets us look in time is no reason to be silent
            return None
        self._was_asleep = False
        if sight is not None:
            self._note(sight.pulse, now)
        self._is_there = sight is not None and sight.age_s < THERE_S and not sight.pulse.leaving
        found = self._fault(sight, now)
        if found is None and self._is_there:
            return self._well(now)
        self._well_since = None
        if found is None:
            return None  # not there, and not for long enough to say so
        fault, lasts_s = found
        if fault not in self.told:
            self.told[fault] = moment - timedelta(seconds=lasts_s)
            self.round, self._again_at = 0, now + self.again_s
            return self._news(Kind.ILL, fault)
        if now < self._again_at:
            return None
        self._again_at = now + self.again_s
        if is_seen:
            return None
        self.round += 1
        return self._news(Kind.STILL, fault)

    def recall(self, told: Mapping[Fault, datetime], round_: int, now: float) -> None:
        """What was told before a restart of our own is not told anew."""
        self.told, self.round, self._again_at = dict(told), round_, now + self.again_s

    def _fault(self, sight: Sight | None, now: float) -> tuple[Fault, float] | None:
        """What is wrong, and for how long; None while all is well or may yet be."""
        if sight is None:
            waited = now - self.began
            return (Fault.GONE, waited) if waited > self.back_within_s else None
        age, pulse = sight.age_s, sight.pulse
        if pulse.leaving:
            return (Fault.LEFT, age) if age > self.back_within_s else None
        if age > self.after_s:
            return Fault.GONE, age
        while self._falls and now - self._falls[0] > WITHIN_S:
            self._falls.popleft()
        if len(self._falls) >= FALLS:
            return Fault.FALLING, now - self._falls[0]
        if age > THERE_S:
            return None  # what it said of its parts is old: it is about to be told as gone
        for fault, lasts_s in ((Fault.STUCK, pulse.road_s), (Fault.MUTE, pulse.courier_s), (Fault.DEAF, pulse.deaf_s)):
            if lasts_s > self.after_s:
                return fault, lasts_s
        if pulse.hushed_s:
            return Fault.HUSHED, pulse.hushed_s
        return (Fault.FULL, age) if pulse.full else None

    def _note(self, pulse: Pulse, now: float) -> None:
        before, self._last = self._last, pulse
        if before is not None and before.pid != pulse.pid and not before.leaving:
            self._falls.append(now)

    def _well(self, now: float) -> News | None:
        if self._well_since is None:
            self._well_since = now
        if not self.told or now - self._well_since < STEADY_S:
            return None
        fault = next(fault for fault in Fault if fault in self.told)  # the worst of what was told
        since = min(self.told.values())
        self.told.clear()
        return News(Kind.WELL, fault, since, homes=self._homes())

    def _news(self, kind: Kind, fault: Fault) -> News:
        return News(kind, fault, self.told[fault], self.round, self._homes())

    def _homes(self) -> int:
        return self._last.homes if self._last else 0


# --------------------------------------------------------------------------- words


def letter_of(news: News, place: str, language: str, now: datetime) -> Letter:
    """What one person reads. No home and no name stands in it."""
    title, time_ = say(language, words_watchdog.TITLES[news.fault]), clock_text(news.since, ZONE, now)
    if news.kind is Kind.WELL:
        title = say(language, words_watchdog.AGAIN, what=title)
        body = [say(language, words_watchdog.SINCE, time=time_)]
        body.append(say(language, words_watchdog.MEANWHILE))
    else:
        body = [say(language, words_watchdog.MEANS[news.fault], time=time_)]
        if news.homes:
            body.append(say(language, words_watchdog.HOMES, count=news.homes))
        body.append(say(language, words_watchdog.TO_DO[news.fault]))
        if news.kind is Kind.STILL:
            body.append(say(language, words_watchdog.STILL, count=news.round + 1))
    return Letter(title=f"{title} · {place}", body="\n".join(body), household=place, what=title, time=time_)


# --------------------------------------------------------------------------- telling them


@dataclass(slots=True)
class Crier:
    """Tells people by every way they have, all at once, each way again until it takes the message."""

    settings: Settings
    channels: Mapping[str, Channel]
    clock: Clock
    place: str
    people: Path
    _known: list[Callee] = field(default_factory=list)  # the last good list, should the file go with the disk

    def learn(self) -> None:
        self._known = read_people(self.people) or self._known

    def callees(self, news: News) -> list[Callee]:
        self.learn()
        named = [
            Callee(f"settings-{number}", self.settings.language, True, ((channel, address),))
            for number, (channel, address) in enumerate(self.settings.watchdog.ways)
        ]
        people = [*named, *self._known]
        first = [one for one in people if one.is_first]
        # Who was told that it is ill is told that it is well, and that it goes on.
        return people if news.round or news.kind is Kind.WELL or not first else first

    async def cry(self, news: News) -> None:
        """Until every way has taken it or never will. Cancelled when it is no news any more."""
        callees = self.callees(news)
        if not callees:
            log.error("there is nobody to tell", extra={"fault": news.fault.value})
        ways = [(callee, *way) for callee in callees for way in enumerate(callee.ways)]
        carried = (self._carry(news, callee, number, *way) for callee, number, way in ways)
        # Each by itself: what goes wrong with one way must not keep the news from the others.
        for (callee, _, (channel, _)), end in zip(
            ways, await asyncio.gather(*carried, return_exceptions=True), strict=True
        ):
            if isinstance(end, BaseException):
                log.error("cannot be told", exc_info=end, extra={"person": callee.id, "channel": channel})

    async def _carry(self, news: News, callee: Callee, number: int, channel: str, address: str) -> None:
        carrier = self.channels.get(channel)
        if carrier is None:
            return  # a lamp hangs on the broker; what is not set up was said at the start
        now = self.clock.now()
        delivery = Delivery(
            id=f"{WATCHDOG}/{news.fault}/{news.since:%Y%m%dT%H%M%SZ}/{news.kind}/{news.round}/{callee.id}/{number}",
            alert=f"{WATCHDOG}/{news.fault}/{news.since:%Y%m%dT%H%M%SZ}",
            purpose=Purpose.OVER if news.kind is Kind.WELL else Purpose.PAGE,
            person=callee.id,
            channel=channel,
            address=address,
            created_at=now,
        )
        words = letter_of(news, self.place, callee.language, now)
        for wait in _waits():
            await asyncio.sleep(wait)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await carrier.send(delivery, words)
            except (TryLater, TimeoutError) as why:
                log.warning("not told yet", extra={"delivery": delivery.id, "channel": channel, "reason": str(why)})
            except Undeliverable as why:
                log.error("cannot be told", extra={"delivery": delivery.id, "channel": channel, "reason": str(why)})
                return
            else:
                log.info("told", extra={"delivery": delivery.id, "channel": channel})
                return


def _waits() -> Iterator[float]:
    yield from WAITS_S
    while True:
        yield WAITS_S[-1]


@contextlib.asynccontextmanager
async def carriers(settings: Settings, clock: Clock) -> AsyncIterator[Mapping[str, Channel]]:
    """Every channel that needs no broker: that may be what is broken."""
    given = {"clock": clock, "post": None, "keys": settings.state / "push.pem"}
    async with contextlib.AsyncExitStack() as stack:
        ready: dict[str, Channel] = {}
        for name in settings.ready_channels:
            declared: Any = CHANNELS[name]
            if not any(one.name == "post" for one in fields(declared)):
                ready[name] = await stack.enter_async_context(make(name, settings.channels.get(name, {}), **given))
        yield ready


# --------------------------------------------------------------------------- looking


class Look(Protocol):
    """How the gateway is seen: by its file on this machine, or by its address from another."""

    async def __call__(self, now: float) -> Sight | None: ...


@dataclass(frozen=True, slots=True)
class ByFile:
    path: Path

    async def __call__(self, now: float) -> Sight | None:
        found = last_sign_of(self.path, now)
        pulse = pulse_in(found[1]) if found else None
        return Sight(found[0], pulse) if found and pulse else None


@dataclass(slots=True)
class ByAddress:
    """Asks `/healthz`, and so sees what stands between people and pages too. What is no answer ages the last one."""

    url: str
    _http: httpx.AsyncClient
    _asked: float = float("-inf")
    _answered: float = 0.0
    _pulse: Pulse | None = None

    async def __call__(self, now: float) -> Sight | None:
        if now - self._asked >= ASKS_EVERY_S:
            self._asked = now
            with suppress(httpx.HTTPError, ValueError):
                answer = (await self._http.get(self.url)).json()
                pulse = pulse_in(answer) if isinstance(answer, dict) else None
                if pulse is not None:
                    self._pulse, self._answered = pulse, now
        return Sight(now - self._answered, self._pulse) if self._pulse else None


# --------------------------------------------------------------------------- the process


@dataclass(slots=True)
class Memory:
    """What must not be forgotten when the watchdog itself is started again; on a full disk it is only remembered."""

    folder: Path

    def keep(self, man: Watchman) -> None:
        told = {fault.value: since.isoformat() for fault, since in man.told.items()}
        with suppress(OSError):
            put(self.folder / "told.json", json.dumps({"told": told, "round": man.round}))

    def recall(self, man: Watchman, now: float) -> None:
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            said = json.loads((self.folder / "told.json").read_text(encoding="utf-8"))
            told = {Fault(fault): datetime.fromisoformat(since) for fault, since in said["told"].items()}
            man.recall(told, int(said["round"]), now)

    @property
    def seen(self) -> Path:
        return self.folder / "seen"

    def is_seen(self) -> bool:
        return self.seen.exists()

    def forget_seen(self) -> None:
        with suppress(OSError):
            self.seen.unlink()


async def watch(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Look once a second until told to stop; tell people; tell the world outside that we look."""
    part, folder = settings.watchdog, settings.state / WATCHDOG
    sign = SignOfLife(folder / HEARTBEAT)
    memory = Memory(folder)
    man = Watchman(
        time.monotonic(), part.after.total_seconds(), part.back_within.total_seconds(), part.again.total_seconds()
    )
    memory.recall(man, man.began)
    place = urlsplit(settings.base_url).hostname or ""
    timeout = httpx.Timeout(ASKS_EVERY_S)
    async with httpx.AsyncClient(timeout=timeout, trust_env=False) as http, carriers(settings, clock) as ready:
        look: Look = ByAddress(part.follow, http) if part.follow else ByFile(settings.state / HEARTBEAT)
        crier = Crier(settings, ready, clock, place, folder / "people.json")
        for callee in crier.callees(News(Kind.WELL, Fault.GONE, clock.now())):
            for channel in sorted({channel for channel, _ in callee.ways} - ready.keys()):
                log.warning("no way for a watchdog", extra={"person": callee.id, "channel": channel})
        async with asyncio.TaskGroup() as group:
            telling: asyncio.Task[None] | None = None
            pinging = group.create_task(_ping(part.ping.get_secret_value(), man, http), name="ping")
            tell_systemd("READY=1")
            while not stop.is_set():
                now = time.monotonic()
                try:
                    sign.give({"pid": os.getpid()})
                except OSError as error:
                    log.error("no sign of life can be given", extra={"reason": error.strerror})
                tell_systemd("WATCHDOG=1")
                news = man.look(await look(now), now, clock.now(), is_seen=memory.is_seen())
                if news is not None:
                    log.warning("news", extra={"kind": news.kind.value, "fault": news.fault.value})
                    if news.kind is not Kind.STILL:
                        memory.forget_seen()
                    memory.keep(man)
                    if telling is not None:
                        telling.cancel()
                    telling = group.create_task(crier.cry(news), name="telling")
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOKS_EVERY_S)
            pinging.cancel()
            if telling is not None:
                telling.cancel()
    tell_systemd("STOPPING=1")
    sign.close()


async def _ping(url: str, man: Watchman, http: httpx.AsyncClient) -> None:
    """Tell a dead man's switch outside that gateway and watchdog are well; it calls people when it hears nothing."""
    is_ill = False
    while url:
        if man.is_sure:
            try:
                answer = await http.get(url, timeout=10.0)
                failed = "" if answer.is_success else f"HTTP {answer.status_code}"
            except httpx.HTTPError as error:
                failed = type(error).__name__  # its words may hold the address, which is a secret
            if bool(failed) is not is_ill:
                is_ill = bool(failed)
                log.warning("the outside switch", extra={"answers": failed or "again"})
        await asyncio.sleep(PINGS_EVERY_S)
