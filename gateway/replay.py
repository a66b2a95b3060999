"""Recorded homes: through the detectors in event time, or through the real broker and all of the road behind it."""

import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from zoneinfo import ZoneInfo

from alerts.desk import Desk
from alerts.wording import explain
from detectors import watch_over
from gateway import broker
from gateway.app import open_stores
from gateway.config import ConfigError, Refused
from gateway.domain import Area, Duty, Finding, Grid, Home, Person, Reach
from gateway.pipeline import Pipeline
from ingest.intake import Intake
from ingest.mqtt import MqttSource
from simulators.broker import AS_FAST_AS_POSSIBLE, Hubs
from simulators.recordings import Recording, RecordingError, open_recording, replay
from simulators.speech import Publication

KINDS = {"not_returned": "away_long", "home_silent": "home_offline"}
"""What a scorer of detectors calls our codes, where it has another name for them."""

STEP = timedelta(minutes=4)
"""How much recorded time goes through the broker at once: within what counts as heard in time."""

AT_ONCE = 200
LOST_AFTER_S = 20.0


class ReplayError(Refused):
    """A recording cannot be replayed; the message says which and why."""


def replay_files(
    files: Sequence[Path],
    format: str,
    *,
    home: str,
    zone: str,
    exits: Iterable[str],
    alerts: Path | None,
    say: Callable[[str], None],
) -> None:
    """Live through recordings, one home a file, and say what was found; with `alerts` also as CSV.

    Raises ReplayError for a file that holds nothing that can be read.
    """
    where = _zone(zone)
    many = len(files) > 1
    with alerts.open("w", newline="", encoding="utf-8") if alerts else nullcontext(None) as out:
        rows = csv.writer(out) if out else None
        if rows:
            rows.writerow(["home", "start", "kind", "reason"])
        with _progress() as bar:
            for file in files:
                recording = _open(file, format, where, home, exits)
                count = 0
                for found in replay(_watched(recording, bar), watch_over(recording.home)):
                    count += 1
                    row = _row(recording.home, found)
                    if rows:
                        rows.writerow(row)
                    if not many:
                        say(f"{row[1]}  {row[2]:16} {row[3]}")
                say(_summary(recording, count))


def _row(home: Home, found: Finding) -> list[str]:
    start = found.at.astimezone(home.zone).replace(tzinfo=None).isoformat(timespec="seconds")
    return [home.id, start, KINDS.get(found.code, found.code), " ".join(explain(found, "en", home.zone))]


def _summary(recording: Recording, count: int) -> str:
    days = max((recording.last - recording.first) / timedelta(days=1), 1 / 24)
    unread = f", {recording.unread.count} lines unread" if recording.unread.count else ""
    return f"{recording.home.id}: {recording.entries} rows over {days:.1f} days, {count} findings{unread}"


def _open(file: Path, format: str, zone: ZoneInfo, home: str, exits: Iterable[str]) -> Recording:
    try:
        return open_recording(file, format, zone=zone, home=home, exits=exits)
    except RecordingError as error:
        raise ReplayError(str(error)) from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        raise ReplayError(f"{name!r} is no time zone; Asia/Shanghai is one.") from None


# --------------------------------------------------------------------------- progress


@contextmanager
def _progress() -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield bar


@dataclass(frozen=True)
class _Watched:
    """A recording whose rows move a progress bar."""

    recording: Recording
    bar: Any

    def rows(self) -> Iterator[Any]:
        task = self.bar.add_task(self.recording.home.id, total=self.recording.entries)
        for number, row in enumerate(self.recording.rows()):
            if number % 500 == 0:
                self.bar.update(task, completed=number)
            yield row
        self.bar.remove_task(task)

    @property
    def last(self) -> datetime:
        return self.recording.last


def _watched(recording: Recording, bar: Any) -> Any:
    return _Watched(recording, bar)


# --------------------------------------------------------------------------- through the real broker


@dataclass(slots=True)
class RecordedClock:
    """Time as it was when the recording was made; whoever plays it moves it on."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def replay_via_mqtt(
    files: Sequence[Path],
    format: str,
    *,
    home: str,
    zone: str,
    exits: Iterable[str],
    state: Path | None,
    say: Callable[[str], None],
) -> None:
    """Publish recordings as plain JSON to a real broker, and take them in by the whole road, at their own time.

    Everything ends in the state folder, where `shouwang run --state …` shows it. Raises ReplayError when a message
    does not come through.
    """
    where = _zone(zone)
    recordings = [_open(file, format, where, home, exits) for file in files]
    folder = state or Path(tempfile.mkdtemp(prefix="shouwang-replay-"))
    stores = open_stores(folder)
    if stores.registry.homes() and not (folder / "replay").exists():
        raise ConfigError(f"state: {folder} holds real homes; a recording needs a folder of its own.")
    (folder / "replay").touch()
    begins = min(recording.first for recording in recordings)
    clock = RecordedClock(begins)
    secrets = {hub.id: broker.new_secret()[0] for recording in recordings for hub in recording.home.hubs}
    grid = recordings[0].home.grid or "replay"
    stores.registrar(folder).register(
        areas=[Area(code="replay", name="回放", level="community")],
        grids=[Grid(code=grid, name="回放", community="replay")],
        people=[
            (Person(id="replay", name="回放", reaches=(Reach(channel="console"),)), [(Duty.GRID_WORKER, grid)]),
        ],
        homes=[recording.home for recording in recordings],
        secrets=secrets,
        who="replay",
        now=begins,
    )
    server = broker.Broker(folder, "127.0.0.1", 0, stores.registry.hub_secrets())
    server.start()
    try:
        desk = Desk(stores.alerts, stores.registry)
        pipeline = Pipeline(
            intake=Intake(stores.registry), directory=stores.registry, readings=stores.readings, desk=desk
        )
        pipeline.start(begins)
        with closing(MqttSource(broker.endpoint(folder), folder, clock, linger=timedelta(0))) as source:
            _listen(source)
            with _progress() as bar:
                for recording in recordings:
                    _play(recording, secrets, folder, source, pipeline, clock, bar)
        pipeline.keep_all()
    finally:
        server.stop()
    for recording in recordings:
        raised = stores.alerts.alerts(home=recording.home.id, limit=100_000)
        say(f"{_summary(recording, len(raised))}; {pipeline.counts.readings} readings, {len(raised)} alerts")
        for alert in reversed(raised):
            row = _row(recording.home, alert.finding)
            say(f"{row[1]}  {row[2]:16} {row[3]}")
    stores.readings.close()
    say(f"看一看 · look at it:  shouwang run --state {folder}")


def _listen(source: MqttSource) -> None:
    deadline = time.monotonic() + LOST_AFTER_S
    while source.listening_since() is None:
        source.poll(timedelta(milliseconds=50))
        if time.monotonic() > deadline:
            raise ReplayError(f"The broker cannot be heard: {source.trouble() or 'no answer'}.")


def _play(
    recording: Recording,
    secrets: dict[str, str],
    folder: Path,
    source: MqttSource,
    pipeline: Pipeline,
    clock: RecordedClock,
    bar: Any,
) -> None:
    task = bar.add_task(recording.home.id, total=recording.entries)
    said: SimpleQueue[list[Publication] | None] = SimpleQueue()
    stream = (publication for part in iter(said.get, None) for publication in part)
    with Hubs(broker.endpoint(folder), secrets, stream, pace=AS_FAST_AS_POSSIBLE):
        try:
            for part in _parts(recording.as_publications()):
                clock.moment = max(clock.moment, part[-1].at)
                said.put(part)  # the next part is said only when this one is in: its time has come then
                _take_in(len(part), source, pipeline, clock)
                bar.advance(task, len(part))
        finally:
            said.put(None)
    clock.moment = max(clock.moment, recording.last)
    pipeline.tick(clock.now(), recording.first)


def _parts(stream: Iterable[Publication]) -> Iterator[list[Publication]]:
    part: list[Publication] = []
    for said in stream:
        if part and (len(part) >= AT_ONCE or said.at - part[0].at > STEP):
            yield part
            part = []
        part.append(said)
    if part:
        yield part


def _take_in(expected: int, source: MqttSource, pipeline: Pipeline, clock: RecordedClock) -> None:
    deadline = time.monotonic() + LOST_AFTER_S
    taken = 0
    while taken < expected:
        messages = source.poll(timedelta(milliseconds=50))
        if messages:
            pipeline.handle(messages, clock.now())
            source.settle(messages)
            taken += len(messages)
        elif time.monotonic() > deadline:
            raise ReplayError(f"{expected - taken} of {expected} messages did not come through the broker.")
    pipeline.tick(clock.now(), clock.now())
