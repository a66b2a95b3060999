"""The broker that all subjects of one repetition share in kind: a fresh Mosquitto, as we tell people to set it up."""

import shutil
import subprocess
from pathlib import Path

from machine import ROOT, BenchError, end, free_port, listens, start, wait_until

KEPT = ("persistence ", "autosave_", "max_", "set_tcp_nodelay", "message_size_limit")
"""What is taken from examples/mosquitto.conf: all that it says about queues, delays and what survives."""


def shipped() -> list[str]:
    """The lines of the shipped configuration that decide how fast and how safe it is."""
    text = (ROOT / "examples" / "mosquitto.conf").read_text()
    return [line for line in text.splitlines() if line.startswith(KEPT)]


class Mosquitto:
    """`with Mosquitto(folder) as broker:` runs one on `broker.port`. `queue` 0: no limit; 1000 is the usual default."""

    def __init__(self, folder: Path, queue: int = 0) -> None:
        if shutil.which("mosquitto") is None:
            raise BenchError("the bench compares everybody on Mosquitto: apt-get install mosquitto")
        self.folder = folder / "mosquitto"
        self.port = free_port()
        self._queue = queue
        self._child: subprocess.Popen | None = None

    def __enter__(self) -> "Mosquitto":
        self.folder.mkdir(parents=True)
        conf = self.folder / "mosquitto.conf"
        lines = [line for line in shipped() if not (self._queue and line.startswith("max_queued_messages"))]
        lines += [f"max_queued_messages {self._queue}"] if self._queue else []
        lines += ["user root"]  # it would become a user who may not write into the folder of a run, and keep nothing
        lines += [f"listener {self.port} 127.0.0.1", "allow_anonymous true", f"persistence_location {self.folder}/"]
        conf.write_text("\n".join([*lines, "log_type error", "log_type warning", ""]))
        self.start()
        return self

    def start(self) -> None:
        """On its port, with what it had saved when it fell."""
        self._child = start(["mosquitto", "-c", self.folder / "mosquitto.conf"], self.folder / "log")
        wait_until("mosquitto", lambda: listens(self.port) or self._child.poll() is not None, 10)
        if self._child.poll() is not None:
            raise BenchError(f"mosquitto did not start: {(self.folder / 'log').read_text()[-300:]}")

    def fall(self) -> None:
        """Kill it, as a crash would."""
        self._child.kill()
        self._child.wait()

    def __exit__(self, *_: object) -> None:
        end(self._child)

    @property
    def pid(self) -> int:
        return self._child.pid
