"""A bad week in virtual time: the production program, its faults and its people, from one seed.

The road, the desk and the courier are the ones that run live. Only the rim is simulated: hubs that publish what their
elders do (`line`), a machine that gives way (`machine`), carriers that fail (`carriers`), people who come or do not
(`people`); what a week has in store is drawn from its seed (`luck`). Afterwards a checker reads what was stored and
said, and names every promise that was broken (`checker`).

A week has four days, with as many presses and power cuts as others have in seven: quiet days prove nothing.
"""

import asyncio
import gc
import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from gateway.week.diary import Books, Week
from gateway.week.life import live_through
from gateway.week.luck import start_of
from gateway.week.ours import OurFaults
from simulators.vtime import VirtualClock, live

DAYS = 4


def live_through_a_bad_week(seed: int, days: int = DAYS) -> Week:
    """The same seed gives the same week, to the letter."""
    return lived_and_kept(seed, days)[0]


def lived_and_kept(seed: int, days: int = DAYS) -> tuple[Week, Books]:
    """A week, and what stands in the gateway's books at its end."""

    async def main(world: VirtualClock) -> tuple[Week, Books]:
        week = Week(seed, days, start, world, VirtualClock(asyncio.get_running_loop(), start))
        books = await live_through(week)
        week.broken += seen.faults
        return week, books

    start, seen, root = start_of(seed), OurFaults(), logging.getLogger()
    root.addHandler(seen)
    try:
        return live(main, start)
    finally:
        root.removeHandler(seen)


@dataclass(frozen=True, slots=True)
class Lived:
    """What is left of a week that was lived in another process."""

    seed: int
    summary: str
    broken: list[str]
    presses: int
    cuts: int
    troubles: int

    @property
    def again(self) -> str:
        return f"shouwang simulate --seed {self.seed}"


def live_through_bad_weeks(seeds: Sequence[int], processes: int) -> Iterator[Lived]:
    """Many weeks, on several cores, in the order of their seeds."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_lived, seeds, chunksize=5)


def _lived(seed: int) -> Lived:
    logging.disable(logging.WARNING)  # the story says it, and a hundred weeks' logs nobody reads
    gc.set_threshold(200_000, 20, 100)  # a week makes much and throws little away
    week = live_through_a_bad_week(seed)
    return Lived(seed, week.summary(), week.broken, len(week.presses), week.cuts, week.troubles)
