"""The road of a reading, measured: the goals of docs/performance.md, the gateway beside what people use instead.

    python bench/road.py                 # five repetitions of everything, about three hours
    python bench/road.py --quick         # one repetition with shorter stages, about 15 minutes
    python bench/road.py --only P1,P5    # some goals

Every repetition starts each subject on a fresh Mosquitto with an empty store, in the order A B C and then C B A. Trust
ratios within one repetition and CPU per message; absolute rates are this machine's, on that day.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import county
import strain
from book import Figure, Notebook, write_document
from broker import Mosquitto
from days import DAY_GOALS, days
from machine import STATE, BenchError, cpu_s, describe, fall_in_order
from stage import Scale
from traffic import Traffic

ALONE: dict[str, Callable[[Notebook, Scale, int], None]] = {
    "P6": strain.backlog,
    "P7": strain.killed,
    "P8": strain.started,
    "P10": strain.storm,
    "P11": strain.slow_disk,
    "P12": county.asked,
    "P13": county.judged,
    "P14": county.ten_thousand,
    "URGENT": county.urgent,
    "URGENT100K": county.urgent_in_a_county,
    "NATS": strain.own_broker,
    "CARE": strain.cared_for,
}

BY_CHOICE = frozenset({"URGENT100K"})
"""Measured only where somebody asks for it: a quarter of an hour."""


def generator(book: Notebook) -> None:
    """That the generator is no bottleneck: what it gets into a Mosquitto to which nobody listens."""
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="road-", dir=STATE))
    with Mosquitto(folder) as broker:
        used = cpu_s([broker.pid])
        said = Traffic(folder, broker.port, 1000).readings("0:300000").result()
        broker_us = (cpu_s([broker.pid]) - used) / said["acked"] * 1e6
    shutil.rmtree(folder, ignore_errors=True)
    book.note("load", "published readings/s, nobody listening", "mqload", 0, said["acked_per_s"])
    book.note("load", "CPU us/message of the generator", "mqload", 0, said["cpu_us"])
    book.note("load", "CPU us/message of the broker", "Mosquitto", 0, broker_us)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--quick", action="store_true", help="one repetition, shorter stages")
    words.add_argument("--repetitions", type=int, default=None, help="5; with --quick 1")
    words.add_argument("--only", default="", help=f"of {', '.join((*DAY_GOALS, *ALONE))}")
    words.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    words.add_argument(
        "--add", type=Path, action="append", default=[], help="figures of an earlier run (--json) as well"
    )
    words.add_argument("--json", type=Path, default=None, help="where the figures go; bench/state/road.json otherwise")
    asked = words.parse_args()
    fall_in_order()
    only = {goal.strip().upper() for goal in asked.only.split(",") if goal.strip()}
    unknown = only - {*DAY_GOALS, *ALONE}
    if unknown:
        words.error(f"--only: there is no goal {sorted(unknown)}; there are {[*DAY_GOALS, *ALONE]}")
    scale = Scale.of(asked.quick)
    repetitions = asked.repetitions or (1 if asked.quick else 5)
    book, machine = Notebook(), describe()
    print("\n".join(f"{key}: {value}" for key, value in machine.items()), flush=True)
    began = time.monotonic()
    try:
        generator(book)
        if not only or only & set(DAY_GOALS):
            days(book, scale, repetitions)
        for goal, measure in ALONE.items():
            is_wanted = goal in only or not (only or goal in BY_CHOICE)
            for repetition in range(repetitions if is_wanted else 0):
                print(f"  repetition {repetition + 1}: {goal}", flush=True)
                try:
                    measure(book, scale, repetition)
                except BenchError as error:
                    book.skip(f"{goal} in repetition {repetition + 1}: {error}")
    except KeyboardInterrupt:
        book.skip("everything after this: stopped by hand")
    took = time.monotonic() - began
    for earlier in map(json.loads, (path.read_text() for path in asked.add)):
        book.figures += [Figure(**figure) for figure in earlier["figures"]]
        book.skipped += earlier["skipped"]
    print(f"\n{book.table()}\n")
    for why in book.skipped:
        print(f"SKIPPED: {why}")
    print(f"{took / 60:.0f} minutes; repetitions: {repetitions}{', quick' if asked.quick else ''}")
    path = asked.json or STATE / "road.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"machine": machine, "minutes": round(took / 60, 1), "quick": asked.quick, "repetitions": repetitions}
    said |= {"skipped": book.skipped, "figures": [asdict(figure) for figure in book.figures]}
    path.write_text(json.dumps(said, indent=1))
    print(f"figures in {path}")
    if asked.write:
        write_document(book, said)
    return 1 if book.skipped and not scale.quick else 0


if __name__ == "__main__":
    sys.exit(main())
