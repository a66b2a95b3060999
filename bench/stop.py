"""SIGTERM in the middle of a burst: how long the stop takes, how long the start after it, and that neither forgets.

    python bench/stop.py                       # 1,000 homes with thirty days behind them, ten stops

Readings come in bursts of a thousand, and twenty presses a second, over Mosquitto, which stays up. The whole gateway is
told to stop as systemd does it and started again as soon as it has ended; what the devices know is compared with what
is there afterwards, as in bench/crash.py. Nothing of the past may be told again by a start.
"""

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from broker import Mosquitto
from crash import Verdict, _compare_alerts, compare_readings
from homes import DEVICES, Homes
from machine import STATE, BenchError, cpu_s, describe, fall_in_order, tree, wait_until
from subjects import Gateway
from traffic import Sink, Traffic, answered, sent_in

STOP_S, READY_S = 3.0, 5.0
DAYS = 30


def stop(folder: Path, *, stops: int, homes: int, readings: int, seed: int) -> tuple[Verdict, list[float], list[float]]:
    """What was lost, how long each stop took, and each start."""
    chance, neighbourhood, verdict = random.Random(seed), Homes(homes, 20), Verdict(seed, "mosquitto")
    ended_s: list[float] = []
    ready_s: list[float] = []
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(folder))
        broker = stack.enter_context(Mosquitto(folder))
        gateway = Gateway(folder, broker.port, sink, neighbourhood)
        gateway.prepare()
        gateway.fill(readings, days=DAYS)
        gateway.start()
        stack.callback(gateway.stop)
        gateway.wait_well(900)  # nothing was remembered yet: it reads all of it again
        traffic = Traffic(folder, gateway.broker_port, homes, buttons=20, window=64)
        traffic.rest()
        gateway.wait_stored(homes * len(DEVICES), 120)
        seconds = stops * 20.0 + 30
        log = folder / "readings.log"
        coming = traffic.readings(",".join(["0:1000,100:200"] * int(seconds / 2)), log=log, give_up=seconds)
        pressing = traffic.presses(20, traffic.homes, give_up=seconds)
        for turn in range(stops):
            time.sleep(chance.uniform(1.0, 4.0))
            ended, worked = _told_to_stop(gateway)
            ended_s.append(ended)
            began = time.monotonic()
            gateway.start()
            gateway.wait_well()
            ready_s.append(time.monotonic() - began)
            print(
                f"  {turn + 1} of {stops}: stopped in {ended:.2f} s ({worked:.2f} s of a processor), ready in "
                f"{ready_s[-1]:.2f} s ({cpu_s(tree(gateway.child.pid)):.2f} s of a processor)",
                flush=True,
            )
        coming.stop()
        pressing.stop()
        pressed = sent_in(pressing.log)
        verdict.press_ms = answered(pressed, sink, 90).summary
        compare_readings(verdict, sent_in(log), gateway, homes)
        _compare_alerts(verdict, pressed, gateway, sink)
    return verdict, ended_s, ready_s


def _told_to_stop(gateway: Gateway) -> tuple[float, float]:
    """How long it took, and how much of a processor: on a busy machine only the second says anything."""
    before, began = cpu_s(tree(gateway.child.pid)) + _ended_cpu_s(), time.monotonic()
    gateway.child.terminate()
    wait_until("the end", lambda: gateway.child.poll() is not None, 60, 0.005)
    return time.monotonic() - began, _ended_cpu_s() - before


def _ended_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--stops", type=int, default=10)
    words.add_argument("--homes", type=int, default=1000)
    words.add_argument("--readings", type=int, default=600_000, help=f"of the past {DAYS} days, in all homes")
    words.add_argument("--seed", type=int, default=2026)
    asked = words.parse_args()
    fall_in_order()
    print(*(f"{what}: {how}" for what, how in describe().items()), sep=", ")
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="stop-", dir=STATE))
    try:
        verdict, ended_s, ready_s = stop(
            folder, stops=asked.stops, homes=asked.homes, readings=asked.readings, seed=asked.seed
        )
    except BenchError as error:
        print(f"the test could not be made: {error} (folder {folder})", file=sys.stderr)
        return 2
    print(
        f"stop {min(ended_s):.2f} to {max(ended_s):.2f} s (asked for: {STOP_S}); "
        f"ready {min(ready_s):.2f} to {max(ready_s):.2f} s (asked for: {READY_S})"
    )
    print(
        f"{verdict.readings:,} readings, {verdict.readings_lost} lost, {verdict.readings_twice} twice; "
        f"{verdict.presses} presses, {verdict.alerts_missing} without an alert, {verdict.alerts_twice} twice, "
        f"{verdict.never_told} not told, {verdict.told_again} told again"
    )
    print(json.dumps(verdict.examples[:5], ensure_ascii=False) if verdict.examples else "nothing is missing")
    holds = verdict.holds and not verdict.told_again and max(ended_s) <= STOP_S and max(ready_s) <= READY_S
    if holds:
        shutil.rmtree(folder)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
