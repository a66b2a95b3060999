"""Seconds from a fault of the gateway until a person is told, by real processes; and months in which nothing is wrong.

    python bench/watchdog.py                        # 20 trials of each fault, ten gateways at a time: about 20 minutes
    python bench/watchdog.py --only gone,hung       # some faults
    python bench/watchdog.py --months 24            # months of looks in virtual time, with what is no fault

What is measured is the program as it is installed, at its own settings: supervisor, broker and gateway, the watchdog
beside them, and a webhook that notes when it was called. A full disk is a small tmpfs, and a worn-out one a file with
ext4 in it which the kernel is told to give up; for both it has to be root.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broker import Mosquitto
from homes import Homes
from machine import (
    ROOT,
    STATE,
    BenchError,
    card,
    end,
    fall_in_order,
    kill,
    mend,
    mount,
    python,
    start,
    tree,
    wait_until,
    wear_out,
)
from subjects import Gateway
from traffic import Sink, Traffic, answered, sent_in

HOMES, BUTTONS = 4, 8
PATIENCE_S = 150.0
DAY_S = 86_400


class Watched:
    """One gateway with its watchdog, in a folder of its own."""

    def __init__(self, folder: Path, sink: Sink, *, broker: Mosquitto | None = None, extra: str = "") -> None:
        self.name, self.sink, self.broker = f"{folder.name}.test", sink, broker
        self.gateway = Gateway(folder, broker.port if broker else None, sink, Homes(HOMES, BUTTONS))
        self.extra = extra
        self._dog: subprocess.Popen | None = None
        self._freeing: Callable[[], object] = bool

    def start(self) -> None:
        self.gateway.prepare()
        config = self.gateway.folder / "shouwang.toml"
        config.write_text(f'{config.read_text()}\n[watchdog]\ntell = ["webhook {self.sink.url}/dog"]\n{self.extra}\n')
        self._begin()
        users = None if self.broker else self.gateway.homes.write_users(self.gateway.folder / "users")
        self.traffic = Traffic(self.gateway.folder, self.gateway.broker_port, HOMES, users=users, buttons=BUTTONS)
        self.traffic.rest()
        time.sleep(3)  # it has been seen well

    def _begin(self) -> None:
        self.gateway.start()
        args = [python(), "-m", "gateway.cli", "watchdog", "--config", self.gateway.folder / "shouwang.toml"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOUWANG_WEB__BASE_URL": f"http://{self.name}"}
        self._dog = start(args, self.gateway.folder / "watchdog.log", env=environment, cwd=ROOT)
        self.gateway.wait_well(300)

    def told(self, fault: str = "") -> list[tuple[int, str]]:
        """When and of what people were told of this gateway."""
        mark = f'"watchdog/{fault}'
        return [(at, body) for at, body in self.sink.calls if mark in body and self.name in body]

    def press(self) -> tuple[int, int]:
        """Press until a press of every home was acknowledged, as a button does; how many were, and how many of these
        reached nobody."""
        sent = []
        for _ in range(BUTTONS):
            publisher = self.traffic.presses(2, HOMES, give_up=10)
            with suppress(BenchError):
                publisher.result()
            sent += sent_in(publisher.log)
            if len({press.home for press in sent}) == HOMES:
                break
            time.sleep(2)
        return len(sent), answered(sent, self.sink, 30).lost

    def press_meanwhile(self, mended: Callable[[], None]) -> tuple[int, int]:
        """Press in every home while nothing can be written; how many of these reached nobody once it was mended."""
        publisher = self.traffic.presses(2, HOMES, give_up=10)
        publisher.result()
        sent = sent_in(publisher.log)
        self.stop()
        mended()
        self._begin()
        return len(sent), answered(sent, self.sink, 60).lost

    def stop(self) -> None:
        self._freeing()
        if self._dog is not None:
            end(self._dog)
        self.gateway.stop()

    # ---- faults

    def gone(self) -> None:
        kill(self.gateway.child.pid)  # and all below it die with it

    def hung(self) -> None:
        self._pause(self.gateway.worker())

    def deaf(self) -> None:
        end(self.broker._child)

    def stalled(self) -> None:
        """The broker stands still, and its connections with it."""
        brokers = [pid for pid in tree(self.gateway.child.pid) if "nats-server" in _line(pid)]
        self._pause(brokers[0])

    def locked(self) -> None:
        """Another program holds the book, and does not let go."""
        held = sqlite3.connect(self.gateway.state / "gateway.db", isolation_level=None, check_same_thread=False)
        wait_until("the lock", lambda: _locks(held), 20)
        self._freeing = held.close
        self.traffic.presses(2, HOMES, give_up=5)  # while nothing happens a lock harms nobody

    def full(self) -> None:
        self.traffic.readings("20:2400", give_up=60)  # what is written in that very second has no room
        time.sleep(1)
        filler = self.gateway.state / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 65_536)

    def worn(self) -> None:
        """The kernel gives the disk up, as it does with a worn-out card: one can only read it until it is mended."""
        wear_out(self.gateway.state)

    def _pause(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        self._freeing = lambda: os.kill(pid, signal.SIGCONT)


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _locks(db: sqlite3.Connection) -> bool:
    try:
        db.execute("begin exclusive")
    except sqlite3.OperationalError:
        return False
    return True


FAULTS = ("gone", "hung", "deaf", "stalled", "locked", "full", "worn")
DISKS = ("full", "worn")


@dataclass(frozen=True, slots=True)
class Trial:
    fault: str
    seconds: float | None  # None: nobody was told
    said: str  # the watchdog's word for it
    pressed: int = 0  # presses while the disk took nothing, as far as the broker acknowledged them
    lost: int = 0  # of these


def trial(folder: Path, number: int, fault: str, extra: str = "") -> Trial:
    place = folder / f"{fault}-{number}"
    place.mkdir()
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(place))
        broker = stack.enter_context(Mosquitto(place)) if fault in ("deaf", "worn") else None
        one = Watched(place, sink, broker=broker, extra=extra)
        if fault in DISKS:
            one.gateway.state.mkdir(mode=0o700)
            chip = card(place) if fault == "worn" else None
            mount(one.gateway.state, chip)
            stack.callback(subprocess.run, ["umount", "-l", one.gateway.state], check=True)
        stack.callback(one.stop)
        one.start()
        if early := one.told():
            raise BenchError(f"{fault}: somebody was told before there was a fault: {early[0][1][:300]}")
        began = time.monotonic_ns()
        getattr(one, fault)()
        with suppress(BenchError):
            wait_until("the news", one.told, PATIENCE_S, 0.05)
        pressed, lost = 0, 0
        if fault == "full":
            pressed, lost = one.press()
        elif fault == "worn":
            pressed, lost = one.press_meanwhile(lambda: mend(one.gateway.state, chip))
        if not (told := one.told()):
            return Trial(fault, None, "", pressed, lost)
        return Trial(
            fault, round((told[0][0] - began) / 1e9, 1), told[0][1].split('"watchdog/')[1].split("/")[0], pressed, lost
        )


def month(seed: int) -> int:
    """How often people are told in thirty days in which nothing is wrong that they could see to: stops that are
    announced, falls that a supervisor mends, a machine that is busy, restarts of the watchdog. In virtual time."""
    sys.path.insert(0, str(ROOT))
    from gateway.pulse import Pulse
    from gateway.watchdog import Sight, Watchman

    chance, moment = random.Random(seed), datetime(2026, 1, 1, tzinfo=UTC)
    man, told, pid, silent_until, leaving = Watchman(0.0), 0, 1, 0.0, False
    beaten = 0.0
    for second in range(30 * DAY_S):
        now = float(second)
        if now >= silent_until:
            if leaving:
                leaving, pid = False, pid + 1
            beaten = now
        what = chance.random() * DAY_S
        if what < 0.3:  # twice a week it is stopped and started: an upgrade, with a migration now and then
            leaving, silent_until = True, now + chance.uniform(3, 150)
        elif what < 1.3:  # once a day it falls
            pid, silent_until = pid + 1, now + chance.uniform(1, 15)
        elif what < 3.3:  # twice a day the machine has no time for it
            silent_until = max(silent_until, now + chance.uniform(1, 35))
        elif what < 3.5:
            man = Watchman(now)
        news = man.look(
            Sight(now - beaten, Pulse(pid=pid, up_s=1, leaving=leaving)), now, moment + timedelta(seconds=now)
        )
        told += news is not None
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=10, help="gateways side by side")
    parser.add_argument("--only", default=",".join(FAULTS))
    parser.add_argument("--months", type=int, default=0, help="instead: so many months of virtual time")
    asked = parser.parse_args()
    fall_in_order()
    if asked.months:
        said = [month(seed) for seed in range(asked.months)]
        print(f"{asked.months} months: people told {sum(said)} times without a cause")
        return 1 if max(said) > 1 else 0
    folder = Path(tempfile.mkdtemp(prefix="shouwang-watchdog-"))
    holds, results = True, {}
    pool = ThreadPoolExecutor(asked.at_once)
    try:
        for fault in asked.only.split(","):
            if fault in DISKS and os.geteuid():
                print(f"{fault}: left out, only root may mount a disk")
                continue
            done = list(pool.map(lambda number, what=fault: trial(folder, number, what), range(asked.trials)))
            results[fault] = report(fault, done)
            holds = holds and not (results[fault]["later than 90 s"] or results[fault]["presses lost"])
    finally:
        pool.shutdown(cancel_futures=True)  # those under way end what they have started
        shutil.rmtree(folder, ignore_errors=True)
        STATE.mkdir(exist_ok=True)
        (STATE / "watchdog.json").write_text(json.dumps(results, indent=1))
    return 0 if holds else 1


def report(fault: str, done: list[Trial]) -> dict:
    took = sorted(one.seconds for one in done if one.seconds is not None)
    said = {
        "trials": len(done),
        "seconds": took,
        "said": sorted({one.said for one in done}),
        "later than 90 s": sum(one.seconds is None or one.seconds > 90 for one in done),
        "presses": sum(one.pressed for one in done),
        "presses lost": sum(one.lost for one in done),
    }
    middle, last = (took[len(took) // 2], took[-1]) if took else ("-", "-")
    print(
        f"{fault:8} {len(done)} trials: p50 {middle} s, max {last} s, later than 90 s: {said['later than 90 s']};"
        f" of {said['presses']} presses lost: {said['presses lost']}; {', '.join(said['said'])}",
        flush=True,
    )
    return said


if __name__ == "__main__":
    sys.exit(main())
