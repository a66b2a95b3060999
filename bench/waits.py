"""Of a press that took long: how much of it the broker took, and whether the disk kept everybody waiting.

The broker answers nobody while it saves what it keeps, and a virtual disk now and then answers nobody for a second.
Neither is the gateway's, nor can it do anything about either: so both stand beside the goals that they spoil, without a
bar."""

import os
import tempfile
import threading
import time

from book import Notebook
from machine import STATE
from traffic import Answered

EVERY_S = 0.05


class DiskBeside:
    """What another program on this disk waits for, 4 KiB at a time, as long as the context lasts."""

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sync, daemon=True)

    def __enter__(self) -> "DiskBeside":
        STATE.mkdir(exist_ok=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sync(self) -> None:
        with tempfile.TemporaryFile(dir=STATE, prefix="disk-beside-") as file:
            while not self._ended.wait(EVERY_S):
                os.pwrite(file.fileno(), b"\0" * 4096, 0)
                began = time.perf_counter_ns()
                os.fdatasync(file.fileno())
                self.longest_ms = max(self.longest_ms, (time.perf_counter_ns() - began) / 1e6)


def note_waits(
    book: Notebook, goal: str, what: str, who: str, repetition: int, took: Answered, disk: DiskBeside
) -> None:
    """Beside "`what`, p99 ms" of a stage during which `disk` was watched."""
    book.note(goal, f"{what}, from the broker's answer on, p99 ms", who, repetition, took.after_broker(0.99))
    book.note(goal, f"{what}: a file beside, longest sync ms", "the disk", repetition, disk.longest_ms)
