"""While the disk takes nothing: whoever presses is called for all the same, from a copy of the book in memory.

What cannot be written is not settled. The broker keeps it, and when the disk takes writes again the gateway starts anew
on its own files, is told it once more and writes it down under the same ids. Until then only what comes by the session
for life safety is taken in, ladders are climbed, and whoever was called can answer by the link in the message.
"""

import logging
import os
import shutil
import sqlite3
import tempfile
import threading
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from alerts.desk import Desk
from gateway.pipeline import Pipeline
from gateway.ports import Clock, Message, Source
from gateway.rescue import BOOK, READINGS
from gateway.reserve import Reserve
from gateway.road import TICK
from gateway.stores.copies import memory_of

log = logging.getLogger(__name__)

TAKEN_ALONG = (
    BOOK,
    f"{BOOK}-wal",
    "page.secret",
    "push.pem",
    "push.pub",
    "mqtt-clients.json",
    "mqtt-readings.json",
    "mqtt-sos.json",
    "broker/setup.json",
    "broker/gateway.secret",
)
"""What calling people takes."""

KNOWN = ("word", "mark", "checkpoint", "heard", "device")
"""And of the readings what is known of each device: which button it is that was pressed."""

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, for our eyes only

HELD_BACK = 150
"""So many messages stay unsettled at most: a broker hands over no more than its window of them (200 of the one that
comes with us), and room for the next press is worth more than a record of the first. What called nobody goes first."""


@contextmanager
def boarded(state: Path) -> Iterator[Path]:
    """A state folder in memory, with a copy of what calling people takes; it goes when we do."""
    size = sum((state / name).stat().st_size for name in TAKEN_ALONG if (state / name).exists())
    mark = f"shouwang-{zlib.crc32(os.fsencode(state.absolute())):08x}-"
    place = _with_room(2 * size)
    for left in place.glob(f"{mark}*"):  # by one of us that was killed
        if left.stat().st_uid == os.geteuid():
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=mark, dir=place) as name:
        copy = Path(name)
        (copy / "broker").mkdir(mode=0o700)
        for part in TAKEN_ALONG:
            if (state / part).exists():
                shutil.copyfile(state / part, copy / part)
                (copy / part).chmod(0o600)
        try:
            memory_of(state / READINGS, copy / READINGS, KNOWN, is_still=True)
        except sqlite3.Error as why:  # then a press rings for its home, and nobody knows by which button
            log.warning("what is known of the devices cannot be read", extra={"reason": str(why)})
            (copy / READINGS).unlink(missing_ok=True)
        yield copy


def _with_room(wanted: int) -> Path:
    places = [IN_MEMORY, Path(tempfile.gettempdir())]
    usable = [one for one in places if os.access(one, os.W_OK)]
    return next((one for one in usable if shutil.disk_usage(one).free > wanted), usable[0])


class NoRoom(Reserve):
    """Of a disk that takes nothing: there is nothing to be let go."""

    takes_nothing = True

    def look(self) -> bool:
        self.is_full = True
        return False


class Lookout:
    """The road meanwhile. Goes round until stopped: hears what calls for help, and climbs."""

    is_busy = False  # nobody who would wait for it is let in

    def __init__(self, source: Source, pipeline: Pipeline, desk: Desk, clock: Clock) -> None:
        self._source, self._pipeline, self._desk, self._clock = source, pipeline, desk, clock
        self._stop_asked = threading.Event()
        self._known: set[object] = set()  # receipts: a broker may hand over again what is not settled
        self._quiet: deque[Message] = deque()  # not settled, and nobody was called
        self._told: deque[Message] = deque()  # not settled
        self.beat: datetime = clock.now()

    def run(self) -> None:
        wait = TICK
        while not self._stop_asked.is_set():
            for message in self._source.poll(wait):
                if message.urgent and (message.receipt is None or message.receipt not in self._known):
                    self._take(message)
            now = self._clock.now()
            wait = timedelta(0) if self._desk.tick(now) else TICK
            self.beat = now

    def _take(self, message: Message) -> None:
        found = self._pipeline.counts.findings
        self._pipeline.handle([message], self._clock.now())
        if message.receipt is None:
            return  # no broker keeps it
        self._known.add(message.receipt)
        (self._quiet if self._pipeline.counts.findings == found else self._told).append(message)
        if len(self._quiet) + len(self._told) > HELD_BACK:
            oldest = (self._quiet or self._told).popleft()
            self._known.discard(oldest.receipt)
            self._source.settle([oldest])

    def stop(self) -> None:
        """Ask it to end after the present round; thread-safe."""
        self._stop_asked.set()
