"""How long the gateway takes to remember ten thousand homes, each with four weeks behind it.

    python bench/start.py                     # 10,000 homes after a clean stop
    python bench/start.py --homes 2000 --minutes 10      # killed so many minutes after the last checkpoints

Twelve simulated homes live through 28 days; every home is a copy of one of them, with its memory. Then a process of its
own does what `shouwang run` does before it takes in its first message: it opens the stores, remembers every home from
its checkpoint and replays what came after it.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run

from machine import describe

from alerts.desk import Desk
from gateway.app import NEVER, OLDER, YOUNG, Stores, open_stores
from gateway.domain import Home, Reading
from gateway.pipeline import Pipeline
from gateway.ports import Batch, Checkpoint
from ingest.intake import Intake
from simulators.neighbourhood import Neighbourhood, neighbourhood

NOW = datetime(2026, 3, 30, 2, 0, tzinfo=UTC)
HOMES, LIMIT_S = 10_000, 20.0
SEED = 7
AT_ONCE = 500


def pipeline_of(stores: Stores) -> Pipeline:
    return Pipeline(
        intake=Intake(stores.registry),
        directory=stores.registry,
        readings=stores.readings,
        desk=Desk(stores.alerts, stores.registry),
    )


def lived(folder: Path) -> tuple[Neighbourhood, dict[str, Checkpoint]]:
    """Twelve homes after four weeks, and what the gateway would keep of each."""
    lives = neighbourhood(SEED, NOW, staged=False, interval=timedelta(minutes=1))
    stores = open_stores(folder)
    with stores.registry.begin() as ledger:
        lives.register(ledger)
    heard = dict.fromkeys((home.id for home in lives.homes), NOW)
    stores.readings.commit(Batch(readings=list(lives.history()), heard=heard))
    pipeline = pipeline_of(stores)
    pipeline.start(NOW)
    pipeline.tick(NOW, NOW)  # whatever was due has been looked at when a gateway is stopped
    pipeline.keep_all()
    kept = {one.home: one for one in stores.readings.checkpoints()}
    stores.readings.close()
    return lives, kept


def copies(lives: Neighbourhood, count: int) -> Iterator[tuple[Home, Home]]:
    """Each home, and the one it is a copy of."""
    for number in range(count):
        like = lives.homes[number % len(lives.homes)]
        (hub,) = like.hubs
        name = f"h{number:05}"
        sensors = tuple(replace(sensor, hub=name) for sensor in like.sensors)
        yield replace(like, id=name, code=name, hubs=(replace(hub, id=name, home=name),), sensors=sensors), like


def fill(folder: Path, count: int, minutes: int) -> None:
    """A state folder as a gateway leaves it that is stopped, or killed so many minutes after its last checkpoints."""
    with tempfile.TemporaryDirectory() as small:
        lives, kept = lived(Path(small))
    stores, homes = open_stores(folder), list(copies(lives, count))
    with stores.registry.begin() as ledger:
        for area in lives.areas:
            ledger.put_area(area, NOW)
        ledger.put_grid(lives.grid)
        for person in lives.people:
            ledger.put_person(person, NOW)
        for home, _ in homes:
            ledger.put_home(home, NOW)
    stores.readings.keep((replace(kept[like.id], home=home.id, arrival=0) for home, like in homes), 0)
    after: dict[str, list[Reading]] = {}
    for reading in lives.history(timedelta(minutes=minutes)) if minutes else ():
        after.setdefault(reading.home, []).append(reading)
    arrival = 0
    for begin in range(0, count, AT_ONCE):
        part, batch = homes[begin : begin + AT_ONCE], Batch()
        for home, like in part:
            batch.heard[home.id] = NOW
            for reading in after.get(like.id, ()):
                arrival += 1
                batch.readings.append(replace(reading, home=home.id, arrival=arrival))
        stores.readings.commit(batch)
    stores.readings.close()


def start(folder: Path) -> None:
    """In a process of its own: what it took, and what it holds when it is ready."""
    gc.set_threshold(YOUNG, OLDER, NEVER)  # as the gateway does before anything else
    began, worked = time.monotonic(), time.process_time()
    stores = open_stores(folder)
    opened = time.monotonic()
    pipeline = pipeline_of(stores)
    pipeline.start(NOW + timedelta(seconds=30))
    ready = time.monotonic()
    rss = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    print(opened - began, ready - opened, time.process_time() - worked, int(rss.split()[1]) / 1024)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--homes", type=int, default=HOMES)
    words.add_argument("--minutes", type=int, default=0, help="of life after the last checkpoints, to be replayed")
    words.add_argument("--times", type=int, default=3)
    words.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.start is not None:
        start(asked.start)
        return 0
    print(*(f"{what}: {how}" for what, how in describe().items()), sep=", ")
    took = []
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), asked.homes, asked.minutes)
        size = (Path(folder) / "readings.db").stat().st_size / 2**20
        for _ in range(asked.times):
            said = run([sys.executable, __file__, "--start", folder], check=True, capture_output=True, text=True)
            if said.stderr:  # a memory that is refused is read anew from what is stored, and there is nothing
                sys.exit(said.stderr)
            opened, remembered, worked, rss = (float(word) for word in said.stdout.split())
            took.append(opened + remembered)
            said_of = (
                f"stores {opened:.2f} s, memory {remembered:.2f} s; {worked:.2f} s of a processor, {rss:.0f} MB held"
            )
            print(f"{asked.homes} homes: {said_of}", flush=True)
    met = min(took) <= LIMIT_S
    print(f"readings.db {size:.0f} MB; ready after {min(took):.1f} to {max(took):.1f} s; {LIMIT_S:.0f} s are asked for")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
