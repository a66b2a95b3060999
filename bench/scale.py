"""What a message costs where there are a hundred homes, and where there are a hundred thousand; what they hold and how
long a start takes.

    python bench/scale.py                              # 100, 1,000, 10,000 and 100,000 homes, about half an hour
    python bench/scale.py --homes 1000 --seconds 30
    python bench/scale.py --homes 100000 --keep DIR    # the filled state folders stay there for the next run

The homes are those of `start.py`: copies of twelve that have lived through four weeks, on the stores of the product and
without a broker. People live in bursts: ten messages of one home's devices within half a minute, then of another's; so
that the road has 2,000 of these a second beside every hub's heartbeat each minute. Then the same number is scattered,
each message from another home, which nobody lives like: it is the worst that can be. In between somebody presses.
"""

import argparse
import gc
import json
import logging
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import run

from machine import describe
from start import NOW, fill, pipeline_of

from gateway.app import HAND_OVER_S, NEVER, OLDER, YOUNG, open_stores
from gateway.domain import Home, Role
from gateway.ports import Message
from gateway.road import JUST_MADE

HOMES = (100, 1_000, 10_000, 100_000)
RATE = 2_000
"""Messages of devices a second, beside the heartbeats."""

BATCH_S, TICK_S = 0.05, 0.2
"""What the source hands over at once, and how often time passes."""

BURST, BURST_EVERY_S = 10, 3.0
PRESS_EVERY_S, TIDY_S = 0.5, 5.0
MOVES = (Role.MOTION, Role.EXIT_DOOR)
RSS_MB, START_S, PRESS_MS = 1_536, 60.0, 100.0


@dataclass(slots=True)
class Life:
    """What comes from the homes, one batch after the other."""

    homes: list[Home]
    luck: random.Random
    is_scattered: bool
    rate: int = RATE
    turn: int = 0
    beat: int = 0
    last: dict[tuple[str, str], bool] = field(default_factory=dict)  # what each said: every message is news

    def batches(self, begin: datetime, seconds: int) -> Iterator[tuple[datetime, list[Message]]]:
        waiting: dict[int, list[int]] = defaultdict(list)  # number of a batch -> homes of which a burst goes on in it
        apart = round(BURST_EVERY_S / BATCH_S)
        for number in range(round(seconds / BATCH_S)):
            now = begin + timedelta(seconds=number * BATCH_S)
            wanted = round(self.rate * BATCH_S)
            homes = [] if self.is_scattered else waiting.pop(number, [])[:wanted]
            for home in homes:
                if self.luck.random() > 1 / BURST:
                    waiting[number + apart].append(home)
            while len(homes) < wanted:
                homes.append(self.luck.randrange(len(self.homes)))
                if not self.is_scattered:
                    waiting[number + apart].append(homes[-1])
            messages = [self._moves(self.homes[home], now) for home in homes]
            beats, self.beat = self.beat, round((number + 1) * BATCH_S * len(self.homes) / 60)
            for home in range(beats, self.beat):
                hub = self.homes[home % len(self.homes)].id
                messages.append(Message(f"shouwang/{hub}/plain/hub", b'{"kind":"heartbeat"}', now))
            yield now, messages
        self.beat = 0

    def _moves(self, home: Home, now: datetime) -> Message:
        self.turn += 1
        moving = [sensor for sensor in home.sensors if sensor.role in MOVES]
        sensor = moving[self.turn % len(moving)]
        key = "occupancy" if sensor.role is Role.MOTION else "contact"
        was = self.last[sensor.hub, sensor.address] = not self.last.get((sensor.hub, sensor.address), False)
        said = {key: was, "linkquality": 90, "last_seen": now.isoformat()}
        return Message(f"shouwang/{home.id}/zigbee2mqtt/{sensor.address}", json.dumps(said).encode(), now)

    def press(self, now: datetime) -> Message:
        home = self.luck.choice(self.homes)
        button = next(sensor for sensor in home.sensors if sensor.role is Role.SOS)
        topic = f"shouwang/{home.id}/plain/sos/{button.address}"
        return Message(topic, b'{"kind":"sos","value":1}', now, urgent=True)


def drive(folder: Path, seconds: int) -> None:
    """In a process of its own: start, catch up, live in bursts, live scattered."""
    gc.set_threshold(YOUNG, OLDER, NEVER)  # as the gateway does before anything else
    sys.setswitchinterval(HAND_OVER_S)
    logging.disable(logging.CRITICAL)  # nobody is on duty for these presses, and it says so each time
    began, worked = time.monotonic(), time.process_time()
    stores = open_stores(folder)
    pipeline = pipeline_of(stores)
    now = NOW + timedelta(seconds=30)
    pipeline.start(now)
    gc.freeze()
    started = time.monotonic() - began
    pipeline.tick(now, NOW)
    while pipeline.is_behind(now):
        pipeline.tick(now, NOW)
    said = [started, time.monotonic() - began, time.process_time() - worked, _held_mb()]
    homes = sorted(stores.registry.homes(), key=lambda home: home.id)
    for is_scattered in (False, True):
        life, spent, count, presses, ticks = Life(homes, random.Random(1), is_scattered), 0.0, 0, [], []
        for number, (now, messages) in enumerate(life.batches(now, seconds)):  # noqa: B020 (time goes on)
            worked = time.process_time()
            pipeline.handle(messages, now)
            if number % round(TICK_S / BATCH_S) == 0:
                began = time.monotonic()
                pipeline.tick(now, NOW)
                gc.collect(JUST_MADE)
                ticks.append(time.monotonic() - began)
            spent += time.process_time() - worked
            count += len(messages)
            if number % round(TIDY_S / BATCH_S) == 0:
                stores.readings.tidy()  # as the gateway does beside its road
            if number % round(PRESS_EVERY_S / BATCH_S) == 0:
                began = time.monotonic()
                pipeline.handle([life.press(now)], now)
                presses.append(time.monotonic() - began)
        presses.sort()
        late_ms = 1000 * presses[len(presses) * 99 // 100]
        said += [1e6 * spent / count, count / seconds, late_ms, 1000 * sorted(ticks)[len(ticks) * 99 // 100]]
    print(*said, _held_mb())


def _held_mb() -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def measure(count: int, seconds: int, keep: Path) -> bool:
    folder = keep / f"homes-{count}"
    if not (folder / "filled").exists():
        fill(folder, count, 0)
        (folder / "filled").touch()
    command = [sys.executable, __file__, "--drive", str(folder), "--seconds", str(seconds)]
    driven = run(command, capture_output=True, text=True)
    if driven.stderr:
        sys.exit(driven.stderr)
    numbers = [float(word) for word in driven.stdout.split()]
    started, ready, worked, idle_mb, us, rate, press, tick, scattered_us, _, scattered_press, _, held_mb = numbers
    print(
        f"{count:>7,} homes: started {started:.1f} s, all looked at {ready:.1f} s ({worked:.1f} s of a processor),"
        f" {idle_mb:.0f} MB; {rate:,.0f} messages/s in bursts {us:.0f} us each, a press p99 {press:.1f} ms,"
        f" a tick p99 {tick:.1f} ms; scattered {scattered_us:.0f} us, a press p99 {scattered_press:.1f} ms;"
        f" {held_mb:.0f} MB afterwards",
        flush=True,
    )
    return held_mb <= RSS_MB and ready <= START_S and press + tick <= PRESS_MS


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--homes", type=int, action="append", help="may be given several times")
    words.add_argument("--seconds", type=int, default=60, help="of life in bursts, and as many scattered")
    words.add_argument("--keep", type=Path, help="where the filled state folders stay")
    words.add_argument("--drive", type=Path, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.drive is not None:
        drive(asked.drive, asked.seconds)
        return 0
    print(*(f"{what}: {how}" for what, how in describe().items()), sep=", ")
    with tempfile.TemporaryDirectory() as passing:
        held = [measure(count, asked.seconds, asked.keep or Path(passing)) for count in asked.homes or HOMES]
    print(
        f"asked: {RSS_MB:,} MB, all looked at within {START_S:.0f} s, a press that waits for a tick {PRESS_MS:.0f} ms"
    )
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
