"""What the gateway stands on, and how it gives way: the power fails, the disk is full, another holds the file."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.domain import Alert, Entry
from gateway.ports import AlertLedger, AlertStore, Batch, Checkpoint, ReadingStore
from gateway.reserve import Reserve
from gateway.week.diary import Week

POINTS = ("before the desk", "after the desk", "before the commit", "after the commit", "after sending")
"""Where the power may fail: at a random one of these, when it is next passed."""

FULL = "database or disk is full"
LOCKED = "database is locked"
"""What SQLite says."""

PAGES = 16
"""Bytes that a transaction takes. Everything on this disk is a thousandth of what it would be."""

ROOM, KEPT, LOW, AMPLE = 10**9, 32 * 1024, 8 * 1024, 64 * 1024


class PowerCut(BaseException):
    """The gateway's process ends here and now; what was not durable is gone."""


@dataclass(slots=True)
class Power:
    """Decides when the gateway falls: armed for one point of the road, it cuts when that point is passed."""

    week: Week
    armed: str = ""

    def passes(self, point: str) -> None:
        if self.armed == point:
            self.armed = ""
            self.week.cuts += 1
            raise PowerCut(point)


class Disk:
    """A disk with the gateway's reserve on it, that others may fill; and a file that another process may hold."""

    def __init__(self, folder: Path) -> None:
        self.room = ROOM  # what others and we have left, the reserve not counted
        self.is_held = False
        self._reserve = _ReserveOn(self, folder)
        self.look()

    def look(self) -> None:
        """What the gateway does at each start and each second: let the reserve go, or make it again."""
        self._reserve.look()

    def fill(self) -> None:
        self.room = KEPT if self._reserve.stands() else 0

    def empty(self) -> None:
        self.room = ROOM

    def free(self) -> int:
        return self.room - (KEPT if self._reserve.stands() else 0)

    def write(self) -> None:
        if self.is_held:
            raise sqlite3.OperationalError(LOCKED)
        if self.room < KEPT + PAGES and self.free() < PAGES:
            raise sqlite3.OperationalError(FULL)
        self.room -= PAGES


class _ReserveOn(Reserve):
    """The gateway's own reserve, on a disk that is not there."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        super().__init__(folder, size=KEPT, low=LOW, ample=AMPLE)
        self._disk = disk

    def free(self) -> int:
        return self._disk.free()


@dataclass(slots=True)
class ShakyAlerts:
    """The alert store on such a machine, around whose transactions it may give way."""

    store: AlertStore
    power: Power
    disk: Disk

    @contextlib.contextmanager
    def begin(self) -> Iterator[AlertLedger]:
        self.power.passes("before the desk")
        with self.store.begin() as ledger:
            written = _Written(ledger)
            yield written
            self.disk.write()
        written.settle(self.power.week)
        self.power.passes("after the desk")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass(slots=True)
class _Written:
    """A ledger that is listened to, so that the week's journal knows what was truly written when."""

    ledger: AlertLedger
    alerts: list[Alert] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def save(self, alert: Alert) -> None:
        self.ledger.save(alert)
        self.alerts.append(alert)

    def write(self, entry: Entry) -> None:
        self.ledger.write(entry)
        self.entries.append(entry)

    def settle(self, week: Week) -> None:
        now = week.world.now()
        for alert in self.alerts:
            week.journal.note(alert, now)
        for entry in self.entries:
            week.journal.entries[entry.alert].append((now, entry))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)


@dataclass(slots=True)
class ShakyReadings:
    """The reading store of the same machine."""

    store: ReadingStore
    power: Power
    disk: Disk

    def commit(self, batch: Batch) -> None:
        self.power.passes("before the commit")
        self.disk.write()
        self.store.commit(batch)
        self.power.passes("after the commit")

    def keep(self, checkpoints: Iterable[Checkpoint], settled: int, batch: Batch | None = None) -> None:
        self.disk.write()
        self.store.keep(checkpoints, settled, batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)
