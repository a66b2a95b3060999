"""The mirror: a small process beside the gateway that copies what sensors said from `readings.db` into InfluxDB.

It is never on the road of an alarm. Its cursor is the arrival number up to which the server has said yes, kept in
`readings.db`; when the server is away it waits and goes on from there, and what it sends twice is one point.
"""

import argparse
import json
import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

from gateway.clock import SystemClock
from gateway.domain import Reading
from gateway.ports import Clock, ReadingStore
from gateway.stores.influx import Influx, InfluxWriter, TryAgain, line_of

log = logging.getLogger(__name__)

AT_ONCE = 5_000
"""Lines in one request, as InfluxDB's makers advise."""

EVERY_S = 1.0
"""How often is looked for what is new, once everything was sent."""

PAUSE_S = (1.0, 60.0)
"""Before asking a server again that was away: the first and the longest."""

STATE = "mirror.json"
"""What the mirror says of itself, for the pages and for whoever looks after it."""


_STOP = {signal.SIGTERM, signal.SIGINT}


class Writer(Protocol):
    def write(self, lines: Sequence[str]) -> list[str]: ...


@dataclass(slots=True)
class Told:
    """How the mirror is, as it stands in `mirror.json`."""

    at: str = ""
    behind: int = 0  # readings that are not there yet
    since: str = ""  # since when the server has not said yes; empty while it does
    trouble: str = ""
    refused: int = 0  # lines that the server would not take, whatever was tried
    sent: int = 0


@dataclass(slots=True)
class Mirror:
    """Sends piece by piece, in the order of arrival."""

    readings: ReadingStore
    writer: Writer
    clock: Clock
    folder: Path
    told: Told = field(default_factory=Told)
    _rows: Iterator[Reading] | None = None  # of a long way back: found once, not anew for each piece

    def step(self) -> bool:
        """One piece; whether there is more. Raises TryAgain when the server has not said yes."""
        cursor = self.readings.mirrored() or 0
        rows, self._rows = self._rows or self.readings.replay(cursor), None  # what is not taken is found again
        piece = list(islice(rows, AT_ONCE))
        if piece:
            refused = self.writer.write([line_of(reading) for reading in piece])
            for line in refused:
                log.error("the mirror does not take a line", extra={"line": line.partition(" ")[0]})
            self.told.refused += len(refused)
            self.told.sent += len(piece) - len(refused)
            cursor = max(reading.arrival for reading in piece)
        if piece or self.readings.mirrored() is None:
            self.readings.mirror(cursor)
        self.told.since = self.told.trouble = ""
        if len(piece) == AT_ONCE:
            self._rows = rows
            return True
        return False

    def run(self, wait: Callable[[float], bool]) -> None:
        """Until `wait` (seconds; whether to stop) says so."""
        pause = PAUSE_S[0]
        while True:
            try:
                more = self.step()
                pause, seconds = PAUSE_S[0], 0.0 if more else EVERY_S
            except TryAgain as error:
                if not self.told.since:
                    self.told.since = self.clock.now().isoformat()
                    log.warning("the mirror waits for its server", extra={"reason": error.reason})
                self.told.trouble = error.reason
                # Many gateways must not come back to one server in the same second.
                pause, seconds = min(pause * 2, PAUSE_S[1]), pause * random.uniform(0.5, 1.0)  # noqa: S311
            self.tell()
            if wait(seconds):
                return

    def tell(self) -> None:
        """Write down how it is; a reader never finds half of it."""
        self.told.at = self.clock.now().isoformat()
        self.told.behind = max(0, self.readings.last_arrival() - (self.readings.mirrored() or 0))
        made = self.folder / f"{STATE}.new"
        try:
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(asdict(self.told), file)
            made.replace(self.folder / STATE)
        except OSError as error:  # a full disk: its age says it
            log.warning("the mirror cannot say how it is", extra={"reason": error.strerror})


def how_it_is(folder: Path, now: datetime) -> dict[str, object] | None:
    """What the mirror last said of itself, and how old that is in seconds; None where there never was one."""
    try:
        told = json.loads((folder / STATE).read_text())
        return {**told, "age_s": round((now - datetime.fromisoformat(told["at"])).total_seconds(), 1)}
    except (OSError, ValueError, KeyError):
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m gateway.mirror --config FILE`; the supervisor starts it where `influx.url` is set."""
    from gateway.config import ConfigError, load
    from gateway.log import set_up_log
    from gateway.stores.readings import SqliteReadings

    parser = argparse.ArgumentParser(prog="python -m gateway.mirror", description=__doc__)
    parser.add_argument("--config", type=Path)
    asked = parser.parse_args(arguments)
    try:
        settings = load(asked.config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG
    set_up_log(settings.log)
    part = settings.influx
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    influx = Influx(part.url, part.token.get_secret_value(), part.org, part.bucket)
    try:
        writer = InfluxWriter(influx)
    except ImportError:
        sys.stderr.write("the mirror needs influxdb-client: install it with `pip install 'shouwang[influx]'`\n")
        return os.EX_CONFIG
    readings = SqliteReadings(settings.state / "readings.db")
    mirror = Mirror(readings, writer, SystemClock(), settings.state)
    mirror.run(lambda seconds: signal.sigtimedwait(_STOP, seconds) is not None)
    readings.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
