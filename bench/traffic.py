"""What goes in and what comes out: the generator that publishes, the webhook that listens, presses joined to calls."""

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from machine import BenchError, build, end, start


class Sink:
    """The webhook at the end of the road. Every call as (monotonic ns, body), in the order of arrival."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[tuple[int, str]] = []
        self._child = start(
            [build() / "hooksink"], folder / "hooksink.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._lines = self._child.stdout
        words = b""
        while not words.endswith(b"\n"):
            words += self._lines.read(1) or _fall("hooksink ended before it listened")
        self.port = int(words.split()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        rest = b""
        while chunk := self._lines.read(1 << 16):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                moment, _status, body = line.split(b" ", 2)
                self.calls.append((int(moment), body.decode(errors="replace")))

    @property
    def pid(self) -> int:
        return self._child.pid

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stdin.close()
        end(self._child)


def _fall(why: str) -> bytes:
    raise BenchError(why)


@dataclass(frozen=True, slots=True)
class Sent:
    """One acknowledged message, as the generator logged it."""

    home: int
    device: int
    last_seen: int  # ms
    counter: int
    sent_ns: int
    acked_ns: int

    @classmethod
    def of(cls, line: str) -> "Sent":
        return cls(*(int(cell) for cell in line.split()))


def sent_in(path: Path) -> list[Sent]:
    """The device log: what the broker acknowledged."""
    if not path.exists():
        return []
    return [Sent.of(line) for line in path.read_text().splitlines() if line.count(" ") == 5]


@dataclass(slots=True)
class Publisher:
    """A run of `mqload`, in the background until `result` is asked for."""

    child: subprocess.Popen
    what: str
    log: Path | None = None
    _result: dict | None = None

    def result(self) -> dict:
        if self._result is None:
            out, err = self.child.communicate()
            if self.child.returncode:
                raise BenchError(f"{self.what}: {err.strip() or out.strip()[-300:]}")
            self._result = json.loads(out.splitlines()[-1])
        return self._result

    def stop(self) -> dict:
        """Publish no more; what was sent is still waited for."""
        if self._result is not None:
            return self._result
        self.child.terminate()
        out, err = self.child.communicate()
        if self.child.returncode == -signal.SIGTERM:  # it had not even begun
            return {"sent": 0, "acked": 0}
        if self.child.returncode:
            raise BenchError(f"{self.what}: {err.strip() or out.strip()[-300:]}")
        self._result = json.loads(out.splitlines()[-1])
        return self._result


class Traffic:
    """Publishes for the homes of one run, remembering the state of each device from stage to stage."""

    def __init__(
        self,
        folder: Path,
        port: int,
        homes: int,
        *,
        users: Path | None = None,
        buttons: int = 1,
        connections: int = 4,
        window: int = 256,
    ) -> None:
        self.homes = homes
        self._folder, self._port, self._users, self._buttons = folder, port, users, buttons
        self._connections, self._window = connections, window
        self._presses = 0
        self._next_slot = 0

    def rest(self, rate: float = 0) -> dict:
        """Every hub says which devices it has, every device says that nothing happens; at most `rate` a second."""
        return self._start(["--rest", "--rest-rate", rate], homes=self.homes, state="readings").result()

    def readings(self, plan: str, log: Path | None = None, give_up: float = 300, at_once: int = 0) -> Publisher:
        """`plan` as mqload takes it: rate:count[,rate:count]; every message changes a device's state. With `at_once`
        people live in that many homes until each device there has spoken, and then in others."""
        args = ["--plan", plan, "--give-up", give_up, "--window", self._window, "--at-once", at_once]
        return self._start(args + (["--log", log] if log else []), homes=self.homes, state="readings")

    def presses(self, rate: float, count: int, *, give_up: float = 300) -> Publisher:
        """`count` presses on buttons that were not pressed before, so that each has to become an alert of its own."""
        first, button = self._next_slot % self.homes, self._next_slot // self.homes
        if button >= self._buttons:
            raise BenchError(f"all {self.homes * self._buttons} buttons were pressed; take more homes or buttons")
        count = min(count, self.homes - first)
        self._next_slot += count
        self._presses += 1
        log = self._folder / f"presses-{self._presses}.log"
        args = ["--sos", "--plan", f"{rate}:{count}", "--seed", self._presses, "--log", log, "--give-up", give_up]
        args += ["--buttons", self._buttons, "--button-of", button, "--first-home", first, "--connections", 1]
        publisher = self._start(args, homes=count, state=None)
        publisher.log = log
        return publisher

    def buttons_left(self) -> int:
        return self.homes * self._buttons - self._next_slot

    def _start(self, args: list, *, homes: int, state: str | None) -> Publisher:
        args = [build() / "mqload", "--port", self._port, "--homes", homes, *args]
        if "--buttons" not in args:
            args += ["--buttons", self._buttons]
        if self._users is not None:
            args += ["--users", self._users]
        elif "--connections" not in args:
            args += ["--connections", self._connections]
        if state is not None:
            args += ["--state", self._folder / f"mqload-{state}"]
        child = subprocess.Popen(
            [str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
        )
        return Publisher(child, " ".join(str(a) for a in args[1:8]))


# --------------------------------------------------------------------------- presses and calls

_HOME = re.compile(r"\bh(\d{5})\b")
_BUTTON = re.compile(r"button_(\d+)|/sos/p(\d+)/")


@dataclass(slots=True)
class Answered:
    """How long presses took to reach the webhook; `lost` never did."""

    ms: list[float] = field(default_factory=list)
    lost: int = 0
    after_ms: list[float] = field(default_factory=list)
    """From the broker's answer to whoever pressed; a call may come before it."""

    def share(self, share: float) -> float:
        return _share(self.ms, share)

    def after_broker(self, share: float) -> float:
        return _share(self.after_ms, share)

    @property
    def summary(self) -> dict[str, float]:
        return {
            "p50": self.share(0.5),
            "p99": self.share(0.99),
            "max": self.share(1.0),
            "lost": self.lost,
            "n": len(self.ms),
        }


def _share(found: list[float], share: float) -> float:
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def pressed_where(body: str) -> tuple[int, int] | None:
    """(home, button) that a webhook's body speaks of."""
    home = _HOME.search(body)
    if home is None:
        return None
    button = _BUTTON.search(body)
    return int(home[1]), int(button[1] or button[2]) if button else 0


def first_calls(calls: list[tuple[int, str]]) -> Mapping[tuple[int, int], int]:
    """(home, button) -> when its first call came."""
    first: dict[tuple[int, int], int] = {}
    for moment, body in list(calls):
        where = pressed_where(body)
        if where is not None:
            first.setdefault(where, moment)
    return first


def answered(presses: list[Sent], sink: Sink, within_s: float = 10) -> Answered:
    """Join presses to calls; waits up to `within_s` for the last ones."""
    until = time.monotonic() + within_s
    while True:
        calls = first_calls(sink.calls)
        missing = [p for p in presses if (p.home, p.device) not in calls]
        if not missing or time.monotonic() > until:
            break
        time.sleep(0.02)
    came = [(p, calls[p.home, p.device]) for p in presses if (p.home, p.device) in calls]
    return Answered(
        [(called - p.sent_ns) / 1e6 for p, called in came],
        len(missing),
        [(called - max(p.acked_ns, p.sent_ns)) / 1e6 for p, called in came],
    )
