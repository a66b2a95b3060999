"""What detectors cost: a reading, judged by all of them, and the passing of time over ten thousand homes.

    python bench/detect.py
    python bench/detect.py --homes 1000 --seconds 30

Without a broker, on the homes of `start.py`. *A reading*: a thousand homes, copies of twelve, live through the same
three hours side by side, so that no home's memory is still at hand when its turn comes again. *Time*: ten thousand
homes with four weeks behind them, on the stores of the product, of which as many speak as at five times the mean (1,160
messages a second beside every hub's heartbeat); only ticks are counted, five of them a second as in the gateway.
"""

import argparse
import gc
import logging
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from subprocess import run

from machine import BenchError
from scale import BATCH_S, TICK_S, Life
from start import NOW, SEED, copies, fill, pipeline_of

from detectors import watch_over
from gateway.app import HAND_OVER_S, NEVER, OLDER, YOUNG, open_stores
from gateway.domain import Home, Reading
from gateway.ports import Context
from simulators.neighbourhood import neighbourhood

WATCHED, HOMES, SECONDS, RATE = 1_000, 10_000, 60, 1_160
READING_US, TIMER_SHARE = 15.0, 0.01


def observed(count: int = WATCHED) -> float:
    """Microseconds of a processor that a reading takes in a watch with every detector."""
    lives = neighbourhood(SEED, NOW, staged=False, interval=timedelta(minutes=1))
    alike: dict[str, list[Home]] = defaultdict(list)
    for home, like in copies(lives, count):
        alike[like.id].append(home)
    watches = {home.id: watch_over(home) for homes in alike.values() for home in homes}
    context, spent, readings = Context(), 0.0, 0
    for number, reading in enumerate(lives.history(timedelta(hours=3))):
        told: list[Reading] = [replace(reading, home=home.id) for home in alike[reading.home]]
        began = time.process_time()
        for one in told:
            watches[one.home].observe(one, context)
        spent, readings = spent + time.process_time() - began, readings + len(told)
        if number % 100 == 0:
            gc.collect(1)
    return 1e6 * spent / readings


def ticked(count: int = HOMES, seconds: int = SECONDS) -> float:
    """The share of a core that it takes to ask whether anybody's time has come."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, count, 0)
        stores = open_stores(folder)
        pipeline = pipeline_of(stores)
        now = NOW + timedelta(seconds=30)
        pipeline.start(now)
        pipeline.tick(now, NOW)
        while pipeline.is_behind(now):
            pipeline.tick(now, NOW)
        life, spent = Life(sorted(stores.registry.homes(), key=lambda home: home.id), Random(1), False, rate=RATE), 0.0
        for number, (now, messages) in enumerate(life.batches(now, seconds)):  # noqa: B020 (time goes on)
            pipeline.handle(messages, now)
            if number % round(TICK_S / BATCH_S) == 0:
                began = time.process_time()
                pipeline.tick(now, NOW)
                spent += time.process_time() - began
        stores.readings.close()
    return spent / seconds


def measured() -> tuple[float, float]:
    """Both, each in a process of its own: microseconds a reading, and the share of a core."""
    said = []
    for what in ("reading", "time"):
        done = run([sys.executable, __file__, "--only", what], capture_output=True, text=True)
        if done.returncode:
            raise BenchError(f"detect.py --only {what}: {done.stderr[-600:]}")
        said.append(float(done.stdout))
    return said[0], said[1]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--homes", type=int, default=HOMES, help="whose time passes")
    words.add_argument("--seconds", type=int, default=SECONDS)
    words.add_argument("--only", choices=("reading", "time"), help="and print nothing but the number")
    asked = words.parse_args()
    gc.set_threshold(YOUNG, OLDER, NEVER)  # as the gateway does before anything else
    sys.setswitchinterval(HAND_OVER_S)
    logging.disable(logging.CRITICAL)
    if asked.only:
        print(observed() if asked.only == "reading" else ticked(asked.homes, asked.seconds))
        return 0
    us, share = measured()
    print(f"a reading {us:.1f} us ({READING_US:g} asked for); time {100 * share:.2f} % of a core (1 % asked for)")
    return 0 if us <= READING_US and share <= TIMER_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
