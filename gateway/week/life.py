"""Living through a week: the production program on a shaky machine, and everything that happens around it."""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from alerts.courier import Courier
from alerts.desk import Desk
from alerts.maintenance import has_passed
from gateway.domain import SIGNS_OF_LIFE, Delivery, Finding, last_sign
from gateway.pipeline import Pipeline
from gateway.road import Listening
from gateway.stores.memory import MemoryAlerts, MemoryReadings, MemoryRegistry, MemoryTrail
from gateway.week.carriers import Carrier
from gateway.week.checker import check
from gateway.week.diary import Books, Week
from gateway.week.line import BrokerSource, KeepingBroker, publish_all
from gateway.week.luck import Luck, dice, luck_of, neighbourhood, on_the_way
from gateway.week.machine import POINTS, Disk, Power, PowerCut, ShakyAlerts, ShakyReadings
from gateway.week.people import People
from ingest.intake import Intake
from simulators.vtime import inline

SHORTEST_WAIT, LONGEST_WAIT = timedelta(milliseconds=200), timedelta(minutes=10)
"""The simulated road sleeps until the next deadline, within these; the real one goes round every 200 ms."""

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 4.0, 600.0
WELL_AFTER = timedelta(seconds=10)
"""A gateway that keeps falling is started again after pauses that grow, as its supervisor's do."""

AFTERWARDS = timedelta(hours=6)
"""A quiet while more, in which whatever still rings is answered or goes on ringing."""


@dataclass(slots=True)
class Site:
    """What outlives a power cut, and what stands around the gateway."""

    week: Week
    luck: Luck
    alerts: MemoryAlerts
    readings: MemoryReadings
    registry: MemoryRegistry
    broker: KeepingBroker
    power: Power
    disk: Disk
    people: People
    carriers: dict[str, Carrier]


async def live_through(week: Week) -> Books:
    """From its first minute to its last, and what stands in the books then."""
    with tempfile.TemporaryDirectory() as folder:
        site = _site(week, Path(folder))
        households = neighbourhood(week, site.registry)
        streams = [on_the_way(week, household) for household in households]
        beside = [asyncio.ensure_future(trouble) for trouble in _troubles(site)]
        gateway = asyncio.ensure_future(_supervise(site))
        await publish_all(week, site.broker, streams, site.luck.pace)
        await week.until(week.end)
        for trouble in beside:
            trouble.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        _calm(site)
        await asyncio.sleep(AFTERWARDS.total_seconds())
        for task in (gateway, *week.tasks):
            task.cancel()
        ended = await asyncio.gather(gateway, *week.tasks, return_exceptions=True)
    for fault in ended:
        if isinstance(fault, BaseException) and not isinstance(fault, asyncio.CancelledError):
            raise fault
    books = Books.of(site.alerts, week.clock.now())
    week.raised = len(books.alerts)
    week.broken = check(week, books)
    return books


def _site(week: Week, folder: Path) -> Site:
    trail, luck = MemoryTrail(), luck_of(week)
    power, people = Power(week), People(week, dice(week.seed, "people"))

    def carrier(channel: str) -> Carrier:
        chance = dice(week.seed, channel)
        spells, receipts = luck.spells[channel], luck.receipts[channel]
        return Carrier(week, power, chance, spells, receipts, luck.dead_numbers, people.read)

    return Site(
        week,
        luck,
        MemoryAlerts(trail),
        MemoryReadings(),
        MemoryRegistry(trail),
        KeepingBroker(),
        power,
        Disk(folder),
        people,
        {channel: carrier(channel) for channel in luck.spells},
    )


# --------------------------------------------------------------------------- what goes wrong around it


def _troubles(site: Site) -> list[Coroutine[Any, Any, None]]:
    luck = site.luck
    return [
        _cut_the_power(site),
        *(_step_the_clock(site, *step) for step in luck.steps),
        *(_fill_the_disk(site, *span) for span in luck.full),
        *(_hold_the_file(site, *span) for span in luck.locked),
        *(_stop_the_broker(site, *span) for span in luck.broker_away),
    ]


def _calm(site: Site) -> None:
    """What still goes wrong when the week is over does not go on."""
    site.power.armed = ""
    site.disk.is_held = False
    site.disk.empty()
    site.disk.look()
    site.broker.start()


async def _cut_the_power(site: Site) -> None:
    """At the worst moments."""
    chance = dice(site.week.seed, "power")
    while True:
        await asyncio.sleep(chance.expovariate(1 / site.luck.cut_every_s))
        site.power.armed = chance.choice(POINTS)


async def _step_the_clock(site: Site, at: Any, by: timedelta) -> None:
    week = site.week
    await week.until(at)
    week.trouble(f"somebody sets the gateway's clock {by} further")
    week.clock.step(by)
    site.broker.came.set()  # the road looks at the clock five times a second
    week.put_back += max(-by, timedelta(0))


async def _fill_the_disk(site: Site, begin: Any, end: Any) -> None:
    week, disk = site.week, site.disk
    await week.until(begin)
    week.trouble("the disk is full")
    disk.fill()
    await asyncio.sleep(1)
    disk.look()
    if site.luck.is_taken_too:
        await week.until(begin + (end - begin) / 2)
        week.say("whoever fills it has taken the reserve's room as well")
        disk.fill()
    await week.until(end)
    week.say("there is room on the disk again")
    disk.empty()
    await asyncio.sleep(1)
    disk.look()


async def _hold_the_file(site: Site, begin: Any, end: Any) -> None:
    await site.week.until(begin)
    site.week.trouble("another process holds the gateway's files")
    site.disk.is_held = True
    await site.week.until(end)
    site.disk.is_held = False


async def _stop_the_broker(site: Site, begin: Any, end: Any) -> None:
    await site.week.until(begin)
    site.week.trouble("the broker is stopped")
    site.broker.stop()
    await site.week.until(end)
    site.broker.start()


# --------------------------------------------------------------------------- the gateway


async def _supervise(site: Site) -> None:
    """The supervisor: starts the gateway, and starts it again when it falls."""
    week, chance = site.week, dice(site.week.seed, "supervisor")
    pause = SHORTEST_PAUSE_S
    while True:
        begun_at = week.world.now()
        try:
            await _run_gateway(site)
        except* PowerCut as cuts:
            why, pause = f"the power fails {cuts.exceptions[0]}", chance.choice([2, 5, 30, 600, 3600])
        except* sqlite3.OperationalError as faults:
            is_again = week.world.now() - begun_at < WELL_AFTER
            pause = min(2 * pause, LONGEST_PAUSE_S) if is_again else SHORTEST_PAUSE_S
            why = f"the gateway falls: {faults.exceptions[0]}"
        fell_at = week.world.now()
        week.say(why)
        week.falls += 1
        week.desk = None
        week.fell.clear()
        site.broker.lost()
        await asyncio.sleep(pause)
        week.down.append((fell_at, week.world.now()))


async def _run_gateway(site: Site) -> None:
    week, clock, alerts = site.week, site.week.clock, site.alerts
    shaky = ShakyAlerts(alerts, site.power, site.disk)
    courier: Courier | None = None

    def is_over(finding: Finding) -> bool:
        readings = site.readings
        life, heard = last_sign(readings.newest(finding.home, SIGNS_OF_LIFE, limit=20)), readings.heard()
        conditions = readings.conditions(finding.home)
        return has_passed(finding, conditions, heard.get(finding.home), life.at if life else None)

    def link(delivery: Delivery) -> str:
        return f"https://example.org/a/{delivery.alert}"

    site.disk.look()
    desk = Desk(
        shaky,
        site.registry,
        lambda: courier.wake() if courier is not None else None,
        prepare=lambda said: courier.prepare(said) if courier is not None else None,
        has_passed=is_over,
    )
    pipeline = Pipeline(
        intake=Intake(site.registry),
        directory=site.registry,
        readings=ShakyReadings(site.readings, site.power, site.disk),
        desk=desk,
        checkpoint_every=site.luck.checkpoint_every,
    )
    pipeline.start(clock.now())
    courier = Courier(shaky, desk, site.registry, site.carriers, clock, link, offload=inline, seed=week.seed, poll=None)
    week.desk = desk
    week.say("the gateway is up")
    parts = [
        asyncio.ensure_future(courier.run()),
        asyncio.ensure_future(_road(site, BrokerSource(site.broker, clock, week), pipeline)),
        asyncio.ensure_future(_fall_with_the_others(week)),
    ]
    try:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in done:
            part.result()
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)


async def _fall_with_the_others(week: Week) -> None:
    """The power failed while a page was being answered."""
    await week.fell.wait()
    raise PowerCut("behind a page")


async def _road(site: Site, source: BrokerSource, pipeline: Pipeline) -> None:
    """`gateway.road` without its thread: the same three calls in the same order."""
    week, came = site.week, site.broker.came
    listening = Listening(source, asyncio.get_running_loop().time)
    stalls = _Stalls(dice(week.seed, f"stalls {week.falls}")) if site.luck.stalls else None
    while True:
        messages = source.poll(SHORTEST_WAIT)
        if stalls is not None and (pause := stalls.next()):
            await asyncio.sleep(pause)
        now = week.clock.now()
        since = listening.since(now)
        if messages:
            pipeline.handle(messages, now)
            source.settle(messages)
        pipeline.tick(now, since)
        if not source.broker.waiting or not source.broker.connected:
            came.clear()
            due = min((d for d in (pipeline.next_due(), site.alerts.next_timer()) if d is not None), default=None)
            wait = LONGEST_WAIT if due is None else max(SHORTEST_WAIT, min(due - now, LONGEST_WAIT))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await came.wait()


@dataclass(slots=True)
class _Stalls:
    """Now and then the machine has no time for the gateway."""

    chance: Random

    def next(self) -> float:
        return self.chance.choice([1, 15, 90]) if self.chance.random() < 0.01 else 0.0
