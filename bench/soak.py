"""A day of a thousand homes in two hours, with a fault every minute: does anything of the gateway grow, or slow down?

    python bench/soak.py                                    # two hours at twelve times an ordinary home's pace
    python bench/soak.py --hours 0.4 --speed 12             # two minutes, to see that it runs
    python bench/soak.py --broker mosquitto --kills 10

Each minute one fault of a kind that leaves the gateway's process alone: a webhook in a mood, a thousand hubs that
reconnect, gateway or broker standing still, a held file, a broker that is killed. So memory and descriptors are of one
process from the first minute to the last. `--kills` strikes the gateway itself afterwards, once a minute; these rows
count for what was lost only. Presses ring, are looked at and are resolved, as on any day.

Each minute is a line of `soak.csv` in the folder of the run. The verdict compares the median of the last quarter with
that of the first; a press is *calm* when it came after its minute's fault was over, and only those are timed.
"""

import argparse
import csv
import heapq
import json
import math
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import astuple, dataclass, fields
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
from chaos import Town, standing_still
from homes import DEVICES, Homes
from hubs import Hubs
from machine import STATE, BenchError, anon_mb, describe, fall_in_order, kill, rss_mb, wait_until
from moody import Moody
from traffic import Publisher, Traffic, pressed_where, sent_in

ORDINARY_PER_S = 0.021
"""Messages of an ordinary home: about 1,800 a day."""

MINUTE_S = 60.0
PRESSES_A_MINUTE = 30
PRESSING, BUTTONS = 100, 1
"""Homes in which somebody presses, again after three minutes. One button each: a press that joins an alert of its home
which rings already is told under that one's name, and then nothing says which button it was."""

RESOLVED_AFTER_S = 20.0
CALM_AFTER_S = 5.0
"""After a fault, until presses are as on any day."""

TOLD_WITHIN_S = 120.0
"""A press that nobody was told of by then counts as lost, for now."""

WINDOW = 10
"""Minutes whose presses make the percentiles of a line."""

GROWTH, DRIFT = 0.05, 0.10


@dataclass(frozen=True, slots=True)
class Line:
    """One minute: what the gateway's process holds, how soon the calm presses of late were told, what is lost."""

    minute: int
    fault: str
    pid: int
    rss_mb: float
    anon_mb: float  # of these, its own: files that are mapped left out
    broker_mb: float
    fds: int
    threads: int
    p50_ms: float
    p99_ms: float
    all_p99_ms: float  # faults included
    presses: int  # acknowledged so far
    lost: int
    book_mb: float
    book_wal_mb: float
    readings_mb: float
    readings_wal_mb: float
    load: float  # of the machine: what else went on there


@dataclass(frozen=True, slots=True)
class Indoors(Homes):
    """Homes without a door to the street: the generator's opens and closes all night and nobody comes in by it, so that
    at eleven in the evening a thousand people would be looked for."""

    def sheet(self, hook: str, *, secrets: bool) -> str:
        return Homes.sheet(self, hook, secrets=secrets).replace('role = "exit_door"', 'role = "opening"')


@dataclass(frozen=True, slots=True)
class Press:
    where: tuple[int, int]
    minute: int
    sent_ns: int
    is_calm: bool


class Duty:
    """Whoever is called: looks at the page behind each link and resolves the alert a little later."""

    def __init__(self, sink: Moody) -> None:
        self._sink, self._stopping = sink, threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Duty":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _serve(self) -> None:
        heard, seen, due = 0, set(), []
        with httpx.Client(timeout=10) as browser:
            while not self._stopping.wait(0.5):
                for _, body in self._sink.calls[heard:]:
                    heard += 1
                    said = json.loads(body)
                    if said["link"] and said["alert"] not in seen:
                        seen.add(said["alert"])
                        heapq.heappush(due, (time.monotonic() + RESOLVED_AFTER_S, said["link"]))
                while due and due[0][0] <= time.monotonic() and not self._stopping.is_set():
                    _, link = heapq.heappop(due)
                    try:
                        self._resolve(browser, link)
                    except httpx.TransportError:  # it stands still: on a telephone one tries again
                        heapq.heappush(due, (time.monotonic() + RESOLVED_AFTER_S, link))

    def _resolve(self, browser: httpx.Client, link: str) -> None:
        browser.get(link)
        here = "{0.scheme}://{0.netloc}".format(urlsplit(link))
        browser.post(f"{link}/resolve", data={"outcome": "test-or-drill"}, headers={"Origin": here})


class Soak:
    """The town, its traffic, and what is known of its presses."""

    def __init__(self, stack: ExitStack, folder: Path, broker: str, *, homes: int, rate: float, minutes: int) -> None:
        self.folder, self.rate, self.minutes = folder, rate, minutes
        self.sink = stack.enter_context(Moody(folder))
        self.town = Town(stack, folder, broker, homes=homes, buttons=BUTTONS, sink=self.sink)
        self.town.homes = self.town.gateway.homes = Indoors(homes, BUTTONS)
        self.presses: list[Press] = []
        self.told: dict[tuple[int, int], list[int]] = {}
        self.lines: list[Line] = []
        self._heard = 0
        self._calm: list[tuple[int, int]] = []
        self._log = folder / "readings.log"
        self._readings: Publisher | None = None
        stack.enter_context(Duty(self.sink))

    def start(self, stack: ExitStack) -> None:
        town = self.town
        town.gateway.prepare()
        town.gateway.start()
        town.gateway.wait_well(300)
        count, port = town.homes.count, town.gateway.broker_port
        users = None if town.outside else town.homes.write_users(self.folder / "users")
        self.traffic = Traffic(
            self.folder, port, count, users=users, buttons=town.homes.buttons, connections=count, window=64
        )
        self.speak()
        town.gateway.wait_stored(count * len(DEVICES), 300)
        times = self.minutes * PRESSES_A_MINUTE // (PRESSING * BUTTONS) + 2
        hubs = Hubs(port, town.homes, secrets=town.outside is None, first=count - PRESSING, times=times)
        town.hubs = stack.enter_context(hubs)
        town.hubs.press_on(PRESSES_A_MINUTE / MINUTE_S)

    def speak(self) -> None:
        """Every hub comes, says which devices it has and that they rest, and goes on talking."""
        self.traffic.rest()
        seconds = (self.minutes + 60) * MINUTE_S
        plan = f"{self.rate}:{int(seconds * self.rate)}"
        self._readings = self.traffic.readings(plan, log=self._log, give_up=seconds)

    def hush(self) -> None:
        with suppress(BenchError):  # it falls where its broker does, or closes a connection
            self._readings.stop()

    def minute(self, number: int, fault: str, strike: Callable[[], None]) -> Line:
        """One minute with one fault at its beginning."""
        began = time.monotonic()
        strike()
        calm = time.monotonic_ns() + int(CALM_AFTER_S * 1e9)
        while time.monotonic() < began + MINUTE_S:
            time.sleep(1)
            if self._readings.child.poll() is not None:
                with suppress(BenchError):
                    self.speak()
        self._calm.append((calm, time.monotonic_ns()))
        self.note(number)
        line = self._look(number, fault)
        self.lines.append(line)
        return line

    def note(self, number: int) -> None:
        """What was pressed since, and what was told."""
        for press in self.town.hubs.acknowledged[len(self.presses) :]:
            is_calm = any(first <= press.sent_ns < last for first, last in self._calm[-WINDOW:])
            self.presses.append(Press((press.home, press.device), number, press.sent_ns, is_calm))
        for at, body in self.sink.calls[self._heard :]:
            self._heard += 1
            where = pressed_where(body)
            if where is not None and json.loads(body)["purpose"] in ("page", "again"):
                self.told.setdefault(where, []).append(at)

    def waited_ms(self, press: Press) -> float | None:
        """From the press until somebody was called; None while nobody was."""
        calls = self.told.get(press.where, [])
        place = bisect(calls, press.sent_ns)
        return (calls[place] - press.sent_ns) / 1e6 if place < len(calls) else None

    def lost(self, older_than_s: float = TOLD_WITHIN_S) -> list[Press]:
        late = time.monotonic_ns() - int(older_than_s * 1e9)
        return [press for press in self.presses if press.sent_ns < late and self.waited_ms(press) is None]

    def _look(self, number: int, fault: str) -> Line:
        pid, state = self.town.worker_pid(), self.town.gateway.state
        near = [(press, self.waited_ms(press)) for press in self.presses if press.minute > number - WINDOW]
        every = [ms for _, ms in near if ms is not None]
        calm = [ms for press, ms in near if ms is not None and press.is_calm]
        sizes = [_mb(state / name) for name in ("gateway.db", "gateway.db-wal", "readings.db", "readings.db-wal")]
        return Line(
            number, fault, pid, round(rss_mb([pid]), 1), round(anon_mb(pid), 1),
            round(rss_mb([self.town.broker_pid() or 0]), 1),
            _entries(f"/proc/{pid}/fd"), _entries(f"/proc/{pid}/task"),
            _share(calm, 0.5), _share(calm, 0.99), _share(every, 0.99),
            len(self.presses), len(self.lost()), *sizes, round(os.getloadavg()[0], 1),
        )  # fmt: skip

    def readings_lost(self) -> tuple[int, int]:
        """(acknowledged to the devices, of these not stored), once nobody speaks any more."""
        at = {device.replace("_", "-"): number for number, (device, _, _) in enumerate(DEVICES)}
        heard = {(one.home * len(DEVICES) + one.device) << 48 | one.last_seen for one in sent_in(self._log)}
        until = time.monotonic() + 120
        while True:
            stored = {
                (home * len(DEVICES) + at[sensor]) << 48 | ms
                for home, sensor, ms in self.town.gateway.moments()
                if sensor in at
            }
            missing = len(heard - stored)
            if not missing or time.monotonic() > until:
                return len(heard), missing
            time.sleep(2)

    # ---- faults

    def faults(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """One a minute, again and again."""
        kinds: list[tuple[str, Callable[[], None]]] = [
            ("webhook: 500", partial(self._mood, "500")),
            ("hubs reconnect", self._reconnect),
            ("gateway stands still", partial(self._still, self.town.worker_pid)),
            ("webhook: hang", partial(self._mood, "hang")),
            ("gateway.db held", partial(self._held, "gateway.db")),
            ("broker stands still", partial(self._still, self.town.broker_pid)),
            ("webhook: reset", partial(self._mood, "reset")),
            ("readings.db held", partial(self._held, "readings.db")),
            ("webhook: drip", partial(self._mood, "drip")),
            ("webhook: 429", partial(self._mood, "429")),
            ("webhook: redirect", partial(self._mood, "redirect")),
        ]
        if self.town.outside is None:  # the other one loses what it acknowledged last, which is no fault of ours
            kinds.append(("broker killed", self.town.kill_broker))
        return cycle(kinds)

    def _mood(self, mood: str) -> None:
        self.sink.mood = mood
        time.sleep(10)
        self.sink.mood = ""

    def _still(self, pid: Callable[[], int | None]) -> None:
        with standing_still(pid()):
            time.sleep(5)

    def _held(self, name: str) -> None:
        with closing(sqlite3.connect(self.town.gateway.state / name, isolation_level=None, timeout=30)) as held:
            held.execute("begin exclusive")
            time.sleep(5)

    def _reconnect(self) -> None:
        """All hubs leave, and come back together."""
        self.hush()
        self.speak()

    def kill_gateway(self) -> None:
        kill(self.town.worker_pid())
        self.town.gateway.wait_well()


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _mb(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 1) if path.exists() else 0.0


def _share(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) if ordered else math.nan


# --------------------------------------------------------------------------- the verdict


def verdict(lines: Sequence[Line]) -> list[tuple[str, str, bool]]:
    """(what, in figures, whether it holds) of each bar: the last quarter's median beside the first's."""
    quarter = max(1, len(lines) // 4)

    def medians(of: str) -> tuple[float, float]:
        seen = [[value for line in part if not math.isnan(value := getattr(line, of))] for part in parts]
        return tuple(median(values) if values else math.nan for values in seen)

    parts = lines[:quarter], lines[-quarter:]
    found = []
    for what, of, unit, most in (
        ("memory", "rss_mb", "MB", GROWTH),
        ("descriptors", "fds", "", 0.0),
        ("a press, p99", "p99_ms", "ms", DRIFT),
    ):
        first, last = medians(of)
        grown = last / first - 1
        bar = f"less than {most:.0%}" if most else "none"
        found.append(
            (what, f"{first:g} to {last:g} {unit}".strip() + f" ({grown:+.1%}; bar: {bar})", grown < (most or 1e-9))
        )
    return found


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--hours", type=float, default=24, help="of an ordinary home's day to live")
    words.add_argument("--speed", type=float, default=12)
    words.add_argument("--homes", type=int, default=1000)
    words.add_argument("--broker", choices=("nats", "mosquitto"), default="nats")
    words.add_argument("--kills", type=int, default=0, help="of the gateway, one a minute, after the rest")
    words.add_argument("--folder", type=Path, default=STATE, help="where the folder of the run is made")
    asked = words.parse_args()
    fall_in_order()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
    minutes = max(2, round(asked.hours * 60 / asked.speed))
    rate = asked.homes * ORDINARY_PER_S * asked.speed
    asked.folder.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=asked.folder))
    print(
        f"{asked.homes} homes, {rate:.0f} messages/s, {minutes} minutes, then {asked.kills} kills; {folder}", flush=True
    )
    for name, value in describe().items():
        print(f"  {name}: {value}", flush=True)
    holds = True
    with ExitStack() as stack:
        soak = Soak(stack, folder, asked.broker, homes=asked.homes, rate=rate, minutes=minutes + asked.kills)
        soak.start(stack)
        faults = soak.faults()
        with (folder / "soak.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(field.name for field in fields(Line))
            try:
                for number in range(minutes + asked.kills):
                    fault = next(faults) if number < minutes else ("gateway killed", soak.kill_gateway)
                    table.writerow(astuple(soak.minute(number, *fault)))
                    file.flush()
            except KeyboardInterrupt:
                print("told to end early", flush=True)
        soak.hush()
        soak.town.hubs.rest()
        soak.town.hubs.wait_acknowledged()
        with suppress(BenchError):
            wait_until("the last calls", lambda: not (soak.note(minutes) or soak.lost(0)), 60, 0.5)
        lived = soak.lines[:minutes]
        for what, figures, is_kept in verdict(lived):
            print(f"{what:14} {'kept' if is_kept else 'BROKEN':7} {figures}")
            holds = holds and is_kept
        falls = len({line.pid for line in lived}) - 1
        lost, (heard, missing) = soak.lost(0), soak.readings_lost()
        print(f"presses {len(soak.presses)}, lost {len(lost)}; messages {heard}, lost {missing}; falls {falls}")
        holds = holds and not (lost or missing or falls)
    print("every promise kept" if holds else "BROKEN", f"({folder})")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
