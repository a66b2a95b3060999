"""Signs of life: a small file that is written over in place, and what the gateway says of itself in it.

In place, so that a full disk does not stop it. With the machine's monotonic clock, which all processes share and nobody
sets. It takes nothing of the program's with it, so that whoever watches need not load what he watches.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

HEARTBEAT = "heartbeat"
"""The gateway's, in the state folder."""

WATCHDOG = "watchdog"
"""The watchdog's folder in the state folder; its own file in it is called like the gateway's."""

SIZE = 2048
"""Bytes of the file: written at once, and never more."""


class Pulse(NamedTuple):
    """How the gateway is, in ages: two clocks are never compared. Seconds each, 0 where all is well."""

    pid: int
    up_s: float  # since it started
    homes: int = 0
    road_s: float = 0.0  # since the road last went round: what comes in, what falls due, what is to be climbed
    courier_s: float = 0.0  # since the courier last looked what is to be sent
    deaf_s: float = 0.0  # since when the broker cannot be heard
    hushed_s: float = 0.0  # for how long no home has said anything, once that is longer than it ever was
    full: bool = False  # the disk is, and what was kept in reserve has been let go
    leaving: bool = False  # it was told to stop


class SignOfLife:
    """Says, as often as it is asked to, that whoever writes it lives."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def give(self, said: Mapping[str, Any]) -> None:
        """Raises OSError where even this cannot be written."""
        words = json.dumps({"at": time.monotonic(), **said}).encode()
        if len(words) > SIZE:
            raise ValueError(f"a sign of life has {SIZE} bytes, this one {len(words)}")
        os.pwrite(self._file, words.ljust(SIZE), 0)

    def close(self) -> None:
        os.close(self._file)


def last_sign_of(path: Path, now: float) -> tuple[float, dict[str, Any]] | None:
    """How many seconds ago it was given, and what it said; None where there is none of since this machine started."""
    try:
        said = json.loads(path.read_bytes())
        age = now - float(said.pop("at"))
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None
    return (age, said) if age >= 0 else None


def as_words(pulse: Pulse) -> dict[str, Any]:
    return pulse._asdict()


def pulse_in(said: Mapping[str, Any]) -> Pulse | None:
    """The pulse among other things that were said; None where it is of another make."""
    try:
        return Pulse(**{name: said[name] for name in Pulse._fields})
    except (LookupError, TypeError):
        return None


class Standing:
    """Since when something that should go round stands still: told by its own turns, which no set clock disturbs."""

    def __init__(self, turns: Callable[[], object]) -> None:
        self._turns = turns
        self._seen: object = None
        self._since: float | None = None

    def seconds(self, now: float) -> float:
        turns = self._turns()
        if self._since is None or turns != self._seen:
            self._seen, self._since = turns, now
        return now - self._since


def tell_systemd(*words: str) -> None:
    """`READY=1`, `WATCHDOG=1`, `STOPPING=1`: to systemd where it has started us, and to nobody elsewhere."""
    import socket

    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
        way.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        way.sendall("\n".join(words).encode())
