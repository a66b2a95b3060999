"""Faults of every kind, one after another, against real processes: does every press that was taken in reach somebody?

    python bench/chaos.py                                   # each kind in short, on the broker that comes with it
    python bench/chaos.py --only points --trials 300 --broker mosquitto
    python bench/chaos.py --only stop,lock,disk,sink,clock,storm

What is compared are two logs: what the buttons know to have been acknowledged, and what the webhook has said yes to.
*Lost* is a press of the first that never came to the second, *doubled* one that became two alerts; a message said
once more, under its own id, is allowed and counted. *Worst* is the longest from the acknowledgement to the first call.

Kinds: `kills` (bench/crash.py), `points` (at named places of the gateway), `broker` (killed), `stop` (SIGSTOP of
gateway, broker, webhook), `lock` (another program holds a file), `disk` (a full tmpfs; wants root), `worn` (a disk that
can only be read; wants root), `power` (what was not on the disk is gone; wants root), `sink` (a webhook in every mood),
`clock` (the wall clock jumps while ladders are climbed), `storm` (a thousand hubs reconnect at once), `flood`
(bench/flood.py).
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from broker import Mosquitto
from crash import Verdict, compare_readings, crash, said_again
from flood import flood
from homes import DEVICES, HOMES_A_GRID, Homes
from hubs import Hubs
from machine import (
    BENCH,
    ROOT,
    STATE,
    BenchError,
    build,
    card,
    command,
    fall_in_order,
    kill,
    lose_power,
    mend,
    mount,
    rss_mb,
    tree,
    wait_until,
    wear_out,
)
from moody import MOODS, Moody
from points.sitecustomize import POINTS
from subjects import Gateway
from traffic import Sent, Sink, Traffic, first_calls, pressed_where, sent_in

RUNGS = 3
"""Of the ladder of a press, those on which there is anybody in the bench."""

SAVED_AFTER_S = 2.5
"""Mosquitto saves once a second, where it is let; what it acknowledged since is lost with it (docs/broker.md)."""

SLACK_S = 20.0
"""By which a rung may come late where a machine is busy; what is asked here is whether it comes."""

DAY_S = 86_400


class NotHere(Exception):
    """This kind of fault cannot be made on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one kind of fault."""

    kind: str
    broker: str
    trials: int
    acknowledged: int
    lost: int
    doubled: int = 0
    again: int = 0
    worst_s: float = 0.0
    remark: str = ""
    holds: bool = True

    def __str__(self) -> str:
        figures = (
            f"{self.trials:7} {self.acknowledged:8} {self.lost:5} {self.doubled:5} {self.again:6} {self.worst_s:7.1f}"
        )
        verdict = "kept" if self.holds else "BROKEN"
        return f"{self.kind:28} {self.broker:10} {figures}  {verdict:6} {self.remark}"


HEAD = f"{'kind':28} {'broker':10}  trials  acked.  lost  twice  again worst s"


def compare(kind: str, broker: str, trials: int, pressed: list[Sent], calls: list[tuple[int, str]]) -> Row:
    """The devices' log beside the webhook's."""
    told = first_calls(calls)
    lost = [press for press in pressed if (press.home, press.device) not in told]
    messages, alerts = Counter(), {}
    for _, body in calls:
        said = json.loads(body)
        messages[said["id"]] += 1
        if "/sos/" in said["alert"]:
            alerts.setdefault(pressed_where(body), set()).add(said["alert"])
    doubled = sum(len(alerts.get((press.home, press.device), ())) > 1 for press in pressed)
    waits = [told[press.home, press.device] - press.acked_ns for press in pressed if press not in lost]
    remark = "" if not lost else f"lost: {[(one.home, one.device) for one in lost[:5]]}"
    return Row(
        kind, broker, trials, len(pressed), len(lost), doubled, sum(messages.values()) - len(messages),
        max([0, *waits]) / 1e9, remark, bool(pressed) and not lost and not doubled,
    )  # fmt: skip


# --------------------------------------------------------------------------- a town under test


class Town:
    """One gateway with its broker, the hubs of some homes, and whoever is told; each a process of its own."""

    def __init__(
        self,
        stack: ExitStack,
        folder: Path,
        broker: str,
        *,
        homes: int = 20,
        buttons: int = 40,
        sink: Sink | Moody | None = None,
        rung_s: float | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.kind, self.folder = broker, folder
        self.homes = Homes(homes, buttons)
        self.sink = sink or stack.enter_context(Sink(folder))
        self.outside = stack.enter_context(Mosquitto(folder)) if broker == "mosquitto" else None
        port = self.outside.port if self.outside else None
        self.gateway = Gateway(folder, port, self.sink, self.homes, environment=environment)
        self._rung_s = rung_s
        stack.callback(self.gateway.stop)

    def start(self, stack: ExitStack, *, seed: int = 1, registered: Callable[[], object] = bool) -> None:
        """Begin, and have every device known; `registered` is called when the homes are in the book."""
        self.gateway.prepare()
        if self._rung_s is not None:
            for grid in range((self.homes.count - 1) // HOMES_A_GRID + 1):
                for rung in range(1, RUNGS + 1):
                    span = f"{self._rung_s / 60:.3f}"
                    self.gateway.command("plan", "set", f"g{grid}", f"sos.wait{rung}", span, "--grid", "--why", "bench")
        registered()
        self.gateway.start()
        self.gateway.wait_well(120)
        self.users = None if self.outside else self.homes.write_users(self.folder / "users")
        self.traffic = Traffic(
            self.folder, self.gateway.broker_port, self.homes.count, users=self.users, buttons=self.homes.buttons
        )
        self.traffic.rest()
        # Only now is it known which button has which name; a stranger's call rings for its home and not for a person.
        self.gateway.wait_stored(self.homes.count * len(DEVICES), 120)
        self.hubs = stack.enter_context(
            Hubs(self.gateway.broker_port, self.homes, secrets=self.outside is None, seed=seed)
        )

    def kill_broker(self) -> None:
        """With `kill -9`; whoever keeps it starts it again, or we do where nobody does."""
        if self.outside:
            self.outside.fall()
            self.outside.start()
        else:
            kill(_found("a broker to kill", self.broker_pid))

    def broker_pid(self) -> int | None:
        if self.outside:
            return self.outside.pid
        return next((pid for pid in tree(self.gateway.child.pid) if command(pid) == "nats-server"), None)

    def worker_pid(self) -> int:
        return _found("a gateway", self.gateway.worker)

    def settle(self, kind: str, trials: int, *, within_s: float = 120) -> Row:
        """Press no more, wait for what is under way, and compare."""
        self.hubs.rest()
        pressed = self.hubs.wait_acknowledged(within_s)
        wanted = {(press.home, press.device) for press in pressed}
        with suppress(BenchError):
            wait_until("the calls", lambda: wanted <= first_calls(self.sink.calls).keys(), within_s, 0.2)
        return compare(kind, self.kind, trials, pressed, list(self.sink.calls))


def _found(what: str, find: Callable[[], int | None]) -> int:
    """What is found as soon as there is one: whoever fell is started again within a second."""
    seen: list[int] = []
    wait_until(what, lambda: (one := find()) is not None and not seen.append(one), 30, 0.01)
    return seen[0]


# --------------------------------------------------------------------------- the kinds


def kills(folder: Path, broker: str, trials: int, seed: int) -> Iterator[Row]:
    """The gateway is killed at random moments; readings are compared too. Every 25 kills begin with an empty book:
    nobody accepts, so thousands of alerts would ring beside each other."""
    rate = 500 if broker == "mosquitto" else 50  # the embedded broker writes each message to the disk
    for part, count in enumerate([25] * (trials // 25) + [trials % 25] * (trials % 25 > 0)):
        (place := folder / str(part)).mkdir()
        said = crash(
            place, kills=count, seed=seed + part, broker=broker, homes=100, buttons=40,
            readings_per_s=rate, presses_per_s=12,
        )  # fmt: skip
        remark = f"of {said.readings} readings lost {said.readings_lost}, twice {said.readings_twice}"
        remark += f"; {said.again_at_most} said again after one kill at most"
        lost = max(said.alerts_missing, said.never_told)
        figures = said.presses, lost, said.alerts_twice, said.told_again, said.press_ms.get("max", 0) / 1000
        yield Row("kills", broker, said.kills, *figures, remark, said.holds)


def points(folder: Path, broker: str, trials: int, seed: int) -> Iterator[Row]:
    """The gateway kills itself at each named place of the road in turn, in the middle of a press."""
    chance = random.Random(seed)
    plan = folder / "plan"
    plan.mkdir()
    environment = {"PYTHONPATH": f"{BENCH / 'points'}{os.pathsep}{ROOT}", "CHAOS_PLAN": str(plan)}
    with ExitStack() as stack:
        town = Town(stack, folder, broker, homes=10 + trials // 2, buttons=60, environment=environment)
        town.start(stack, seed=seed)
        for number in range(trials):
            point = list(POINTS)[number % len(POINTS)]
            (plan / f"{number:05}.next").write_text(f"{point} {chance.randint(1, 3)}")
        kill(town.worker_pid())  # the next one takes the first line of the plan
        readings = town.traffic.readings(f"50:{trials * 50 * 15}", give_up=trials * 15)
        town.hubs.press_on(1.5)
        wait_until("the last of the plan", lambda: not any(plan.glob("*.next")), trials * 20 + 60, 0.2)
        struck = plan / "struck"
        with suppress(BenchError):  # where it fell otherwise, one of them was taken and never came to its place
            wait_until("the last of the falls", lambda: _lines(struck) == trials, 30, 0.2)
        with suppress(BenchError):  # it is there to be in the way, and falls where a starved broker closes a connection
            readings.stop()
        town.gateway.wait_well()
        falls = [line.partition(" ") for line in struck.read_text().splitlines()]
        row, at = town.settle("points", len(falls)), Counter(point for _, _, point in falls)
        again = said_again(town.sink.calls, [int(moment) for moment, _, _ in falls])
        said = ", ".join(f"{n} at {falls[fall][2]}" for fall, n in sorted(again.items()) if n)
        remark = f"{', '.join(f'{n} {p}' for p, n in at.items())}; again: {said}"
        yield replace(row, remark=f"{row.remark} {remark}".strip())


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def broker(folder: Path, broker: str, trials: int, seed: int) -> Iterator[Row]:
    """The broker is killed while buttons are pressed; every other time the gateway may hear it again first. Mosquitto
    may lose what it acknowledged in its last second."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        town = Town(stack, folder, broker, homes=10 + trials, buttons=60)
        town.start(stack, seed=seed)
        town.hubs.press_on(4)
        fell, back = [], []
        for turn in range(trials):
            time.sleep(chance.uniform(0.1, 2.5))
            fell.append(time.monotonic_ns())
            town.kill_broker()
            if turn % 2:
                wait_until("the gateway to be deaf", lambda: not town.gateway.well(), 10)
                town.gateway.wait_well()
                back.append((time.monotonic_ns() - fell[-1]) / 1e9)
        row = town.settle("broker killed", trials)
        told = first_calls(town.sink.calls)
        lost = [press for press in town.hubs.acknowledged if (press.home, press.device) not in told]
        before = [min([at - press.acked_ns for at in fell if at > press.acked_ns] or [10**18]) / 1e9 for press in lost]
        remark = f"{row.remark} heard again after {sorted(back)[len(back) // 2]:.1f} s, {max(back):.1f} at most"
        if broker == "mosquitto" and lost:
            remark += f"; lost what was acknowledged at most {max(before):.2f} s before a kill"
            row = replace(row, holds=max(before) <= SAVED_AFTER_S and not row.doubled)
        yield replace(row, remark=remark.strip())


def stop(folder: Path, broker: str, trials: int, seed: int) -> Iterator[Row]:
    """Gateway, broker and webhook stand still for 5 to 60 s each and go on as if nothing had been."""
    chance = random.Random(seed)
    for what in ("gateway", "broker", "webhook"):
        (place := folder / what).mkdir()
        with ExitStack() as stack:
            town = Town(stack, place, broker, homes=20, buttons=60)
            town.start(stack, seed=seed)
            town.hubs.press_on(2)
            spans = [5.0, 60.0, *(chance.uniform(5, 60) for _ in range(trials - 2))][:trials]
            for span in spans:
                time.sleep(2)
                pid = {"gateway": town.worker_pid(), "broker": town.broker_pid(), "webhook": town.sink.pid}
                with standing_still(pid[what]):
                    time.sleep(span)
            time.sleep(3)
            yield town.settle(f"SIGSTOP of the {what}", trials)


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # somebody may have ended it for that
            os.kill(pid, signal.SIGCONT)


def lock(
    folder: Path, broker: str, trials: int, seed: int, *, held_s: float = 60, files=("gateway.db", "readings.db")
) -> Iterator[Row]:
    """Another program holds one of the files and does not let go for a minute."""
    for name in files:
        (place := folder / name).mkdir()
        with ExitStack() as stack:
            town = Town(stack, place, broker, homes=10, buttons=60)
            town.start(stack, seed=seed)
            town.hubs.press_on(2)
            for _ in range(trials):
                time.sleep(2)
                with sqlite3.connect(town.gateway.state / name, isolation_level=None, timeout=30) as held:
                    held.execute("begin exclusive")
                    time.sleep(held_s)
                held.close()
            yield town.settle(f"{name} held {held_s:.0f} s", trials)


def disk(folder: Path, broker: str, trials: int, seed: int, *, full_s: float = 20) -> Iterator[Row]:
    """The state folder's disk fills and empties: under a gateway that works, and under one that stands still."""
    for gone in (False, True):
        (place := folder / f"disk-{gone}").mkdir()
        with ExitStack() as stack:
            town = Town(stack, place, broker, homes=10, buttons=60)
            stack.enter_context(_small_disk(town.gateway.state))
            stack.callback(town.gateway.stop)
            town.start(stack, seed=seed)
            town.hubs.press_on(2)
            for _ in range(trials):
                time.sleep(3)
                with ExitStack() as meanwhile:
                    if gone:
                        meanwhile.enter_context(standing_still(pid := town.worker_pid()))
                    _fill(town.gateway.state / "filler")
                    time.sleep(full_s)
                    (town.gateway.state / "filler").unlink()
                    if gone:
                        kill(pid)
                time.sleep(5)
            yield town.settle("disk full, no gateway" if gone else "disk full", trials)


@contextmanager
def _small_disk(at: Path, size: str = "192m") -> Iterator[None]:
    at.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", at]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        raise NotHere("a small disk is a tmpfs, and only root may mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", at], check=True)


def worn(folder: Path, broker: str, trials: int, seed: int, *, worn_s: float = 30) -> Iterator[Row]:
    """The kernel gives the disk up, and somebody mends it: who presses meanwhile is called for from memory, and stands
    in the book afterwards."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        town = Town(stack, folder, broker, homes=10, buttons=60)
        chip = _card_for(stack, town.gateway.state, folder)
        stack.callback(town.gateway.stop)
        town.start(stack, seed=seed)
        meanwhile, told, waits = 0, 0, [0]
        for _ in range(trials):
            town.hubs.press_on(2)
            time.sleep(chance.uniform(2, 4))
            began = time.monotonic_ns()
            wear_out(town.gateway.state)
            time.sleep(worn_s)
            town.hubs.rest()
            time.sleep(2)
            calls = first_calls(town.sink.calls)
            pressed = [*town.hubs.acknowledged, *town.hubs.unanswered()]  # our own broker acknowledges nothing
            pressed = [press for press in pressed if press.sent_ns > began]
            meanwhile += len(pressed)
            called = {press: calls[where] for press in pressed if (where := (press.home, press.device)) in calls}
            told += len(called)
            waits += [at - press.sent_ns for press, at in called.items()]
            mend(town.gateway.state, chip)
            wanted = {(press.home, press.device) for press in town.hubs.wait_acknowledged()}
        with suppress(BenchError):
            wait_until("the book", lambda: wanted <= set(town.gateway.alerts()), 60, 1)
        missing = len(wanted - set(town.gateway.alerts()))
        row = town.settle(f"disk only to be read {worn_s:.0f} s", trials)
        remark = f"{told} of {meanwhile} called for meanwhile, within {max(waits) / 1e9:.1f} s, "
        remark += f"{missing} not in the book afterwards {row.remark}"
        yield replace(row, remark=remark, holds=row.holds and not missing and told == meanwhile)


def power(folder: Path, broker: str, trials: int, seed: int) -> Iterator[Row]:
    """The plug is pulled at random moments, as far as a disk can know: whatever was not written down is gone, and all
    that ran on it. Mosquitto has a disk of its own, which goes on, and readings too, whose generator needs a broker."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        town = Town(stack, folder, broker, homes=10 + trials, buttons=60)
        chip = _card_for(stack, town.gateway.state, folder)
        stack.callback(town.gateway.stop)
        town.start(stack, seed=seed)
        town.hubs.press_on(4)
        log = folder / "readings.log"
        readings = None
        if town.outside:
            readings = town.traffic.readings(f"50:{trials * 50 * 20}", log=log, give_up=trials * 20)
        for turn in range(trials):
            if turn % 2:
                town.gateway.wait_well(60)
            time.sleep(chance.uniform(0.1, 3))
            lose_power(town.gateway.state)
            for pid in tree(town.gateway.child.pid):
                with suppress(ProcessLookupError):
                    kill(pid)
            wait_until("the disk to be free", lambda: _unmounted(town.gateway.state), 20, 0.1)
            mount(town.gateway.state, chip)
            town.gateway.start()
        if readings:
            readings.stop()
        town.gateway.wait_well(60)
        row = town.settle("power cut", trials)
        alerts = set(town.gateway.alerts())
        missing = sum((press.home, press.device) not in alerts for press in town.hubs.acknowledged)
        said = Verdict(seed, broker)
        if readings:
            compare_readings(said, sent_in(log), town.gateway, town.homes.count)
        remark = f"{missing} not in the book; of {said.readings} readings lost {said.readings_lost}"
        remark += f", twice {said.readings_twice} {row.remark}"
        yield replace(row, remark=remark, holds=row.holds and not missing and not said.readings_lost)


def _unmounted(at: Path) -> bool:
    return subprocess.run(["umount", at], capture_output=True).returncode == 0


def _card_for(stack: ExitStack, state: Path, folder: Path) -> Path:
    """A disk for the state folder that can be made to fail: a file with ext4 in it."""
    state.mkdir(mode=0o700)
    try:
        chip = card(folder)
        mount(state, chip)
    except (OSError, subprocess.CalledProcessError) as why:
        raise NotHere("a disk that fails is a file with ext4 in it, and only root may mount one") from why
    stack.callback(subprocess.run, ["umount", "-l", state], check=True)
    return chip


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 65_536)


def sink(folder: Path, broker: str, trials: int, seed: int, *, bad_s: float = 20) -> Iterator[Row]:
    """Whoever is told is in each mood for a while, and well again. With an unsigned certificate nobody ever hears, and
    the next person does."""
    for mood in MOODS:
        (place := folder / mood).mkdir()
        with ExitStack() as stack:
            well = stack.enter_context(Moody(place))
            town = Town(stack, place, broker, homes=10, buttons=60, sink=well, rung_s=6)
            if mood == "tls":
                wrong = stack.enter_context(Moody(place, "tls"))
                sheet = town.homes.sheet
                town.gateway.homes = _Elsewhere(
                    town.homes, f"{well.url}/grid_worker", f"{wrong.url}/grid_worker", sheet
                )
            town.start(stack, seed=seed)
            town.hubs.press_on(2)
            before = rss_mb([town.worker_pid()])
            for _ in range(trials):
                time.sleep(2)
                well.mood = "" if mood == "tls" else mood
                time.sleep(bad_s)
                well.mood = ""
                time.sleep(3)
            row = town.settle(f"webhook: {mood}", trials)
            grown = rss_mb([town.worker_pid()]) - before
            tried = (wrong if mood == "tls" else well).tried
            yield replace(row, remark=f"{row.remark} {tried} calls, memory {grown:+.0f} MB".strip())


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The same homes with one address changed."""

    homes: Homes
    old: str
    new: str
    of: Callable[..., str]

    def sheet(self, hook: str, *, secrets: bool) -> str:
        return self.of(hook, secrets=secrets).replace(self.old, self.new)

    def __getattr__(self, name: str) -> object:
        return getattr(self.homes, name)


JUMPS = (3600, 0, -3600, 0, DAY_S, 0, -DAY_S, 0, "1970", 0, "2038", 0)
"""By how much the wall clock is off, in this order."""


def clock(
    folder: Path, broker: str, trials: int, seed: int, *, jumps=JUMPS, dwell_s: float = 15, rung_s: float = 6
) -> Iterator[Row]:
    """The wall clock of the gateway jumps while ladders are climbed; monotonic time goes on."""
    off = folder / "off"
    off.write_bytes(struct.pack("q", -10 * DAY_S))  # whoever is on duty has been for longer than a clock is put back
    environment = {"LD_PRELOAD": str(build() / "wrongclock.so"), "WRONGCLOCK_FILE": str(off)}
    with ExitStack() as stack:
        town = Town(stack, folder, broker, homes=20, buttons=60, rung_s=rung_s, environment=environment)
        town.start(stack, seed=seed, registered=lambda: _put(off, 0))
        town.hubs.press_on(0.5)
        time.sleep(dwell_s)
        for jump in jumps * trials:
            _put(off, _by(jump))
            time.sleep(dwell_s)
        time.sleep(2 * rung_s)
        row = town.settle("clock jumps", len(jumps) * trials)
        steps, late, left_out = _climbed(town.sink.calls, rung_s)
        others = Counter(json.loads(body)["alert"].split("/")[1] for _, body in town.sink.calls if "/sos/" not in body)
        remark = f"{steps} rungs climbed, {left_out} left out, longest pause {late:.1f} s; also told: {dict(others)}"
        # A clock that is put back lets the wait that was under way begin anew, and twice two such follow each other.
        holds = row.holds and not left_out and late <= rung_s + 2 * dwell_s + SLACK_S
        yield replace(row, remark=f"{row.remark} {remark}".strip(), holds=holds)


def _put(off: Path, seconds: int) -> None:
    with off.open("r+b", buffering=0) as file:  # not written anew: whoever looks at it has it mapped
        file.write(struct.pack("q", seconds))


def _by(jump: int | str) -> int:
    if isinstance(jump, int):
        return jump
    there = time.mktime((int(jump), 1, 2, 12, 0, 0, 0, 1, -1))
    return int(there - time.time())


def _climbed(calls: list[tuple[int, str]], rung_s: float) -> tuple[int, float, int]:
    """Rungs on which somebody was called for a press; the longest pause between two; those that a round left out."""
    ladders: dict[str, dict[tuple[int, int], int]] = {}
    for at, body in calls:
        said = json.loads(body)
        if "/sos/" in said["alert"] and "/page/" in said["id"]:
            place = said["id"].split("/page/")[1].split("/")[0].split(".")
            ladders.setdefault(said["alert"], {}).setdefault((int(place[0]), int(place[1])), at)
    staffed = {rung for places in ladders.values() for _, rung in places}
    late, left_out = 0.0, 0
    for places in ladders.values():
        moments = sorted(places.values())
        late = max([late, *((after - before) / 1e9 for before, after in pairwise(moments))])
        last = max(places)
        due = {(round_, rung) for round_ in range(last[0] + 1) for rung in staffed if (round_, rung) <= last}
        left_out += len(due - places.keys())
    return sum(map(len, ladders.values())), late, left_out


def storm(folder: Path, broker: str, trials: int, seed: int, *, hubs: int = 1000, at_once: int = 10) -> Iterator[Row]:
    """A thousand hubs lose their broker in one moment and come back together; other homes press meanwhile."""
    others = 20
    with ExitStack() as stack:
        town = Town(stack, folder, broker, homes=hubs + others, buttons=4)
        town.gateway.prepare()
        town.gateway.start()
        town.gateway.wait_well(180)
        users = None if town.outside else town.homes.write_users(folder / "users")
        crowd: list[subprocess.Popen] = []

        def come() -> None:
            """Each says which devices it has and goes on talking; ten processes, so that they come together."""
            each = hubs // at_once
            for first in range(0, hubs, each):
                args = [BENCH / "bin" / "mqload", "--port", town.gateway.broker_port, "--homes", each]
                args += ["--first-home", first, "--connections", each, "--buttons", 4, "--announce"]
                args += ["--plan", f"10:{10 * 600}", "--give-up", 600, "--window", 20]
                args += ["--users", users] if users else []
                crowd.append(subprocess.Popen([str(a) for a in args], stdout=subprocess.DEVNULL, process_group=0))

        def go() -> None:
            for one in crowd:
                one.kill()
            for one in crowd:
                one.wait()
            crowd.clear()

        stack.callback(go)
        Traffic(folder, town.gateway.broker_port, hubs + others, users=users, buttons=4).rest()
        town.gateway.wait_stored((hubs + others) * len(DEVICES), 120)
        town.hubs = stack.enter_context(
            Hubs(town.gateway.broker_port, town.homes, secrets=town.outside is None, seed=seed, first=hubs)
        )
        town.hubs.press_on(1)
        for _ in range(trials):
            come()
            time.sleep(12)
            go()
        row = town.settle(f"{hubs} hubs reconnect", trials)
        yield row


def one_floods(folder: Path, broker: str, trials: int, seed: int) -> Iterator[Row]:
    """One device says all that its broker takes of it (bench/flood.py)."""
    said = flood(
        folder, broker=broker, rate=5000, seconds=20.0 * trials, homes=100, presses_per_s=4, readings_per_s=100
    )
    n = int(said.others_flooded_ms["n"]) + 1
    lost = int(said.others_flooded_ms["lost"]) + (said.own_call_ms is None)
    remark = f"{said.published_per_s:.0f}/s taken of it, others' p99 {said.others_flooded_ms['p99']:.0f} ms"
    yield Row(
        "one device floods", broker, trials, n, lost, 0, 0, said.others_flooded_ms["max"] / 1000, remark, said.holds
    )


KINDS: dict[str, tuple[Callable[..., Iterator[Row]], int]] = {
    "kills": (kills, 10),
    "points": (points, 16),
    "broker": (broker, 6),
    "stop": (stop, 1),
    "lock": (lock, 1),
    "disk": (disk, 1),
    "worn": (worn, 1),
    "power": (power, 6),
    "sink": (sink, 1),
    "clock": (clock, 1),
    "storm": (storm, 2),
    "flood": (one_floods, 1),
}
"""And how many trials make a short run."""


def rows(
    folder: Path, kind: str, *, broker: str = "nats", trials: int = 0, seed: int = 1, **how: object
) -> Iterator[Row]:
    """One kind of fault; raises NotHere where it cannot be made."""
    make, few = KINDS[kind]
    yield from make(folder, broker, trials or few, seed, **how)


def chaos(folder: Path, kind: str, **how: object) -> list[Row]:
    """The same at once, for the tests."""
    return list(rows(folder, kind, **how))


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--only", default=",".join(KINDS))
    words.add_argument("--broker", choices=("nats", "mosquitto"), default="nats")
    words.add_argument("--trials", type=int, default=0, help="of each kind; else few")
    words.add_argument("--seed", type=int, default=None, help="printed; the same seed strikes at the same moments")
    words.add_argument("--keep", action="store_true", help="leave the folders of the run behind")
    asked = words.parse_args()
    fall_in_order()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    STATE.mkdir(exist_ok=True)
    print(f"seed {seed}\n{HEAD}", flush=True)
    holds = True
    for kind in asked.only.split(","):
        folder = Path(tempfile.mkdtemp(prefix=f"chaos-{kind}-", dir=STATE))
        is_kept = True
        try:
            for row in rows(folder, kind, broker=asked.broker, trials=asked.trials, seed=seed):
                print(row, flush=True)
                is_kept = is_kept and row.holds
        except NotHere as why:
            print(f"{kind:28} LEFT OUT: {why}", flush=True)
        except BenchError as error:
            print(f"{kind:28} could not be made: {error}", flush=True)
            is_kept = False
        if is_kept and not asked.keep:
            shutil.rmtree(folder)
        elif not is_kept:
            holds = False
            print(f"  see {folder}")
    print("every promise kept" if holds else "BROKEN")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
