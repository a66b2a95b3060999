"""The gateway's house-keeping, beside the road: copies, certificates and retention; what ends by itself; what is looked
for ahead."""

import asyncio
import gc
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from alerts import gaps, visits
from alerts.desk import Desk
from gateway import anchors, retention
from gateway.callees import write_people
from gateway.config import Settings
from gateway.domain import SIGNS_OF_LIFE, Kind
from gateway.domain.fault import FAULTS
from gateway.domain.home import GRID
from gateway.health import Health
from gateway.notices import NoCertificate, Notices, certificates
from gateway.ports import AlertStore, Clock
from gateway.registry import Registry
from gateway.rescue import AGAIN, Missing, Wish, forget_missing, is_time, keep_copies, note_missing, noted_missing

if TYPE_CHECKING:
    from gateway.app import Stores

log = logging.getLogger(__name__)

UPKEEP_EVERY_S = 10.0
"""From one look at the gateway's own affairs to the next; people are told of a full disk within a minute."""

ANCHOR_EVERY = 360
"""Of these looks, from one noting of where the audit trail ends to the next: an hour."""

PEOPLE_EVERY = 6
"""Of these looks, from one writing down of whom the watchdog tells to the next: a minute."""

CERTIFICATES_EVERY = 360
"""Of these looks, from one look at the certificates to the next: an hour."""

PAUSE_S = 0.01
"""Between two grids whose sheets are looked at: ten times as long as the look."""

TIDY_EVERY_S = 20.0
"""From one house-keeping of the stores to the next."""

SWEEP_EVERY = 30
"""House-keepings from one look at what was made since the last to the next: ten minutes."""

SWEEP_ALL_EVERY = 144 * SWEEP_EVERY
"""And from one look at everything to the next: a day."""

ROLL_UP_EVERY = 30
"""House-keepings from one summing up of the hours to the next: ten minutes, in which what is packed waits for it."""

LOOK_AHEAD_EVERY = 180
"""House-keepings from one look at the duty sheets of the coming days to the next: an hour."""

LOOKED_AT_ONCE = 200
"""Homes whose visits are looked at in one go."""


@contextmanager
def contained(desk: Desk, clock: Clock, part: str) -> Iterator[None]:
    """A fault of ours in this part of the house-keeping does not take the gateway with it: it is told, and the part is
    done again when its time comes."""
    try:
        yield
    except FAULTS:
        log.exception("house-keeping failed", extra={"part": part})
        desk.own_up(GRID, part, clock.now())


async def keep_up(settings: Settings, stores: "Stores", desk: Desk, clock: Clock, health: Health, wish: Wish) -> None:
    """The gateway's own affairs: what administrators are told of it, and whom its watchdog would tell."""
    notices, copy_at, is_damaged = Notices(), clock.now(), False
    ends: dict[str, datetime] = {}
    for round_ in itertools.count():
        now = clock.now()
        if round_ % CERTIFICATES_EVERY == 0:
            with contained(desk, clock, "certificates"):
                ends = await asyncio.to_thread(_certificates, settings)
        with contained(desk, clock, "notices"):
            missing = noted_missing(settings.state)
            said = notices.look(
                now, is_full=health.reserve.is_full, watchdog_s=health.watchdog_s(), ends=ends, missing=missing
            )
            if found := list(said):
                await asyncio.to_thread(desk.take, found, now)
            if missing:
                forget_missing(settings.state)
        if round_ % ANCHOR_EVERY == ANCHOR_EVERY - 1:  # an hour after a start, and from then on each hour
            with contained(desk, clock, "retention"):
                await asyncio.to_thread(_keep_to_retention, settings, stores, now)
        if round_ % ANCHOR_EVERY == 0:
            with contained(desk, clock, "trail"):
                await asyncio.to_thread(_note_anchor, settings.state, stores.alerts, now)
        if wish.asked_at is not None or (now >= copy_at and is_time(settings.state, now)):
            copy_at = now + AGAIN
            with contained(desk, clock, "copies"):
                try:
                    damaged = await asyncio.to_thread(keep_copies, settings.state, now, book=not settings.book)
                finally:
                    wish.tried(now)
                if damaged and not is_damaged:
                    note_missing(settings.state, Missing("damaged", now))
                is_damaged = bool(damaged)
        if round_ % PEOPLE_EVERY == 0:
            with contained(desk, clock, "people"):
                try:
                    await asyncio.to_thread(write_people, settings.state, stores.registry, now)
                except OSError as error:  # a full disk: the watchdog has the list of a moment ago
                    log.warning("the watchdog's list cannot be written", extra={"reason": error.strerror})
        await asyncio.sleep(UPKEEP_EVERY_S)


def _certificates(settings: Settings) -> dict[str, datetime]:
    """Until when each certificate is valid that can be looked at from here."""
    ends: dict[str, datetime] = {}
    for which, look in certificates(settings).items():
        try:
            ends[which] = look()
        except NoCertificate as why:
            log.warning("a certificate cannot be looked at", extra={"which": which, "reason": str(why)})
    return ends


def _keep_to_retention(settings: Settings, stores: "Stores", now: datetime) -> None:
    """Once a night: what has been kept long enough goes."""
    if retention.is_due(stores.alerts, now):
        spans = retention.Spans(**dict(settings.retention))
        privacy = stores.privacy(settings.state, stores.registrar(settings.state))
        log.info("kept long enough", extra=retention.keep_to(spans, privacy, now))


def _note_anchor(state: Path, alerts: AlertStore, now: datetime) -> None:
    """Where the audit trail ends, beside the book and in the log: whoever cuts it off later disagrees with both."""
    anchor = alerts.trail_end()
    if anchor is None:
        return
    log.info("the audit trail ends", extra={"anchor": str(anchor)})
    try:
        anchors.note(state, anchor, now)
    except (OSError, ValueError) as error:  # a full disk, or a file that somebody has touched: `audit verify` says so
        log.warning("the end of the audit trail cannot be noted", extra={"reason": str(error)})


async def keep_tidy(stores: "Stores", registrar: Registry, desk: Desk, clock: Clock, stop: asyncio.Event) -> None:
    """House-keeping of both files, beside the road, so that no commit has to do it; pauses that come to an end; and
    hours of the coming days in which nobody could be called."""
    for round_ in itertools.count(1):
        await asyncio.sleep(TIDY_EVERY_S)
        if stop.is_set():
            return
        with contained(desk, clock, "tidying"):
            await asyncio.to_thread(stores.readings.tidy)
            await asyncio.to_thread(stores.alerts.tidy)
        with contained(desk, clock, "pauses"):
            for home in await asyncio.to_thread(registrar.end_pauses, now=clock.now()):
                log.info("a pause has ended", extra={"home": home})
        with contained(desk, clock, "absences"):
            signs = partial(signs_inside, stores)
            for home in await asyncio.to_thread(registrar.plans.end_absences, signs, now=clock.now()):
                log.info("somebody is at home again", extra={"home": home})
        if round_ % ROLL_UP_EVERY == 1:
            with contained(desk, clock, "hours"):
                await asyncio.to_thread(stores.readings.roll_up)
        if round_ % LOOK_AHEAD_EVERY == 1:
            with contained(desk, clock, "shifts"):
                await look_ahead(stores, desk, clock)
            with contained(desk, clock, "visits"):
                await look_for_visits(stores, desk, clock)
        if round_ % SWEEP_ALL_EVERY == 0:
            gc.unfreeze()
        if round_ % SWEEP_EVERY == 0:
            gc.collect()
            gc.freeze()


def signs_inside(stores: "Stores", home: str, since: datetime, until: datetime) -> list[datetime]:
    """When somebody was seen inside a home; the entry door tells of whoever comes and of whoever goes."""
    seen = stores.readings.readings(home, since, until, SIGNS_OF_LIFE - {Kind.DOOR, Kind.SOS})
    return [reading.at for reading in seen if reading.is_event]


async def look_ahead(stores: "Stores", desk: Desk, clock: Clock) -> None:
    """Tell of each hour that is coming in which nobody of a grid could be called; one grid at a time and with a pause
    after it, so that a press waits for no more than one."""
    trials = await asyncio.to_thread(stores.alerts.trials)
    for place in await asyncio.to_thread(gaps.watched, stores.registry):
        now = clock.now()
        with contained(desk, clock, "shifts"):
            for finding in await asyncio.to_thread(gaps.findings, place, stores.registry, now, trials):
                await asyncio.to_thread(desk.take, [finding], now)
        await asyncio.sleep(PAUSE_S)


async def look_for_visits(stores: "Stores", desk: Desk, clock: Clock) -> None:
    """Tell of each home to which nobody has gone for too long; some homes at a time and with a pause after them, so
    that a press waits for no more than these."""
    visited = await asyncio.to_thread(stores.alerts.last_visits)
    homes = sorted(await asyncio.to_thread(stores.registry.homes), key=lambda home: (home.grid, home.id))
    for place in range(0, len(homes), LOOKED_AT_ONCE):
        now = clock.now()
        some = homes[place : place + LOOKED_AT_ONCE]
        with contained(desk, clock, "visits"):
            due = await asyncio.to_thread(visits.planned, some, stores.registry, visited, now)
            for finding in await asyncio.to_thread(list, visits.findings(due, stores.alerts, now)):
                await asyncio.to_thread(desk.take, [finding], now)
        await asyncio.sleep(PAUSE_S)
