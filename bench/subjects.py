"""Who is measured: the gateway, and what people would use instead. Each is started, asked what it has stored, ended.

All of them listen to `shouwang/+/zigbee2mqtt/#` on the broker they are given and call the same webhook for a press.
"""

import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from homes import DEVICES, Homes
from machine import (
    BENCH,
    ROOT,
    STATE,
    BenchError,
    build,
    command,
    cpu_s,
    end,
    free_port,
    python,
    start,
    tree,
    wait_until,
)
from traffic import Sink


class Subject:
    """One candidate in a folder of its own."""

    name = ""
    counts_presses = False  # whether `stored` counts presses beside readings

    def __init__(self, folder: Path, broker_port: int, sink: Sink, homes: Homes) -> None:
        self.folder = folder / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broker_port, self.sink, self.homes = broker_port, sink, homes
        self.child: subprocess.Popen | None = None

    def start(self) -> None:
        raise NotImplementedError

    def stored(self) -> int:
        """How many readings are where they survive us."""
        raise NotImplementedError

    def pids(self) -> list[int]:
        """Its processes, a broker that it brought along left out."""
        return [pid for pid in tree(self.child.pid) if command(pid) != "nats-server"]

    def stop(self) -> None:
        if self.child is not None:
            end(self.child, 20)

    def listen(self) -> None:
        """Wait until it listens to all that comes, where a press that it answers does not say so."""

    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def wait_stored(self, wanted: int, within_s: float) -> int:
        """Wait until `wanted` readings are stored; the monotonic ns at which we saw it.

        Asks seldom while there is far to go, so that the asking costs the one who is asked nothing.
        """
        began = last = time.monotonic()
        first = before = self.stored()
        while before < wanted:
            if not self.alive():
                raise BenchError(f"{self.name} ended with {before} of {wanted} stored; see {self.folder}")
            if last - began > within_s:
                raise BenchError(f"{self.name}: {wanted - before} of {wanted} not stored within {within_s:.0f} s")
            pace = max((before - first) / (last - began), 1000.0) if last > began else 20000.0
            time.sleep(min(max((wanted - before) / pace / 2, 0.01), 0.5))
            before, last = self.stored(), time.monotonic()
        return time.monotonic_ns()


class Floor(Subject):
    """A C client that acknowledges, counts and calls: no decoding, no store. Nobody gets below."""

    name = "C floor"

    def start(self) -> None:
        self._counts = self.folder / "counts"
        args = [build() / "mqfloor", "--port", self.broker_port, "--count", self._counts, "--hook", self.sink.port]
        self.child = start(args, self.folder / "log")
        wait_until(self.name, lambda: self._counts.exists() and self._counts.stat().st_size == 16, 5)

    def stored(self) -> int:
        return struct.unpack("QQ", self._counts.read_bytes())[0]


class _Rows(Subject):
    """A peer that writes one row a message into a table `reading`."""

    counts_presses = True

    def stored(self) -> int:
        if not (self.folder / "readings.db").exists():
            return 0
        # Not read-only: without a write-ahead log SQLite may ask a reader to look after the journal.
        with closing(sqlite3.connect(self.folder / "readings.db", timeout=30)) as db:
            try:
                return db.execute("select coalesce(max(id), 0) from reading").fetchone()[0]
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return 0
                raise


class CommitEach(_Rows):
    """An afternoon of Python: paho, JSON, SQLite in WAL mode, one commit a message."""

    name = "paho + SQLite, commit each"

    def start(self) -> None:
        args = [
            python(),
            BENCH / "peers" / "commit_each.py",
            self.broker_port,
            self.folder / "readings.db",
            self.sink.port,
        ]
        self.child = start(args, self.folder / "log")


class AiomqttEach(_Rows):
    """An hour of Python, as the design has it: the same over aiomqtt."""

    name = "aiomqtt + SQLite, commit each"

    def start(self) -> None:
        script = BENCH / "peers" / "aiomqtt" / "commit_each.py"
        args = [python(), script, self.broker_port, self.folder / "readings.db", self.sink.port]
        environment = {**os.environ, "PYTHONPATH": str(STATE / "aiomqtt" / "packages")}
        self.child = start(args, self.folder / "log", env=environment)

    @staticmethod
    def install() -> str | None:
        """Install the pinned versions into the bench's cache. None when it can run, else why it cannot."""
        cache, pinned = STATE / "aiomqtt", BENCH / "peers" / "aiomqtt" / "requirements.lock"
        stamp = cache / "installed"
        if stamp.exists() and stamp.read_bytes() == pinned.read_bytes():
            return None
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(parents=True)
        uv = Path(sys.executable).with_name("uv")
        args = [uv, "pip", "install", "-q", "--require-hashes", "--target", cache / "packages", "-r", pinned]
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True)
        if done.returncode:
            return f"uv could not install it: {done.stderr.strip()[-300:]}"
        shutil.copy(pinned, stamp)
        return None


class NodeRed(_Rows):
    """What most people wire first: Node-RED with its SQLite node, here in WAL mode."""

    name = "Node-RED, WAL"
    journal = "wal"

    def start(self) -> None:
        home = self.folder / "user"
        home.mkdir(exist_ok=True)
        for file in ("settings.js", "flow.json"):
            shutil.copy(BENCH / "peers" / "nodered" / file, home / file)
        installed = STATE / "nodered" / "node_modules"
        if not (home / "node_modules").exists():
            (home / "node_modules").symlink_to(installed)
        shutil.copy(STATE / "nodered" / "package.json", home / "package.json")
        environment = {
            **os.environ,
            "BENCH_BROKER_PORT": str(self.broker_port),
            "BENCH_DATABASE": str(self.folder / "readings.db"),
            "BENCH_HOOK": self.sink.url,
            "BENCH_JOURNAL": self.journal,
            "BENCH_UI_PORT": str(free_port()),
        }
        script = installed / "node-red" / "red.js"
        args = ["node", script, "--userDir", home, "--settings", home / "settings.js", home / "flow.json"]
        self.child = start(args, self.folder / "log", env=environment)

    @staticmethod
    def install() -> str | None:
        """Install the pinned versions into the bench's cache. None when it can run, else why it cannot."""
        cache = STATE / "nodered"
        pinned = BENCH / "peers" / "nodered"
        if not (shutil.which("node") and shutil.which("npm")):
            return "node and npm are not on this machine (apt-get install nodejs npm)"
        wanted = (pinned / "package-lock.json").read_bytes()
        stamp = cache / "installed"
        if stamp.exists() and stamp.read_bytes() == wanted:
            return None
        cache.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(pinned / file, cache / file)
        print("installing Node-RED from npm into", cache, "(once, about two minutes) …", flush=True)
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--omit=dev"], cwd=cache, capture_output=True, text=True
        )
        built = list(cache.glob("node_modules/sqlite3/build/Release/*.node"))
        if done.returncode or not built:
            return f"npm could not install Node-RED with its SQLite node: {done.stderr.strip()[-300:]}"
        stamp.write_bytes(wanted)
        return None


class NodeRedAsInstalled(NodeRed):
    """The same flow without the line that switches the journal."""

    name = "Node-RED, as installed"
    journal = "delete"


class HomeAssistant(Subject):
    """What a household would take: Home Assistant, a sensor for each device, its recorder, an automation."""

    name = "Home Assistant"

    def start(self) -> None:
        pinned = BENCH / "peers" / "homeassistant"
        shutil.copy(pinned / "configuration.yaml", self.folder / "configuration.yaml")
        (self.folder / "sensors.json").write_text(json.dumps([*self._sensors()]))
        entry = {"entry_id": "bench", "version": 1, "minor_version": 2, "domain": "mqtt", "title": "bench"}
        entry |= {"data": {"broker": "127.0.0.1", "port": self.broker_port, "discovery": False}, "options": {}}
        entry |= {"source": "user", "unique_id": None, "disabled_by": None, "discovery_keys": {}, "subentries": []}
        entry |= {"pref_disable_new_entities": False, "pref_disable_polling": False}
        entry |= dict.fromkeys(("created_at", "modified_at"), "2026-01-01T00:00:00+00:00")
        entries = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry]}}
        (self.folder / ".storage").mkdir(exist_ok=True)
        (self.folder / ".storage" / "core.config_entries").write_text(json.dumps(entries))
        environment = {**os.environ, "BENCH_HOOK": self.sink.url, "BENCH_UI_PORT": str(free_port())}
        script = STATE / "homeassistant" / "venv" / "bin" / "hass"
        args = [script, "--config", self.folder, "--skip-pip"]
        self.child = start(args, self.folder / "log", env=environment)

    def listen(self) -> None:
        """It says nowhere when it has subscribed to the last of its sensors' topics; it rests when it has."""
        used, until = cpu_s(self.pids()), time.monotonic() + 180
        while time.monotonic() < until:
            time.sleep(3)
            before, used = used, cpu_s(self.pids())
            if used - before < 0.15:
                return
        raise BenchError(f"{self.name} does not come to rest; see {self.folder}")

    def _sensors(self) -> Iterator[dict[str, Any]]:
        for home in range(self.homes.count):
            for device, _, role in DEVICES:
                key, is_on = ("occupancy", "True") if role == "motion" else ("contact", "False")
                yield {
                    "name": f"{Homes.name(home)} {device}",
                    "unique_id": f"{Homes.name(home)}-{device}",
                    "state_topic": f"shouwang/{Homes.name(home)}/zigbee2mqtt/{device}",
                    "value_template": f"{{{{ value_json.{key} }}}}",
                    "payload_on": is_on,
                    "payload_off": "False" if is_on == "True" else "True",
                    "qos": 1,
                }

    def stored(self) -> int:
        """What the recorder has written: a row for each change of a sensor. *Unknown*, as all begin, is none."""
        if not (self.folder / "home-assistant_v2.db").exists():
            return 0
        with closing(sqlite3.connect(self.folder / "home-assistant_v2.db", timeout=30)) as db:
            try:
                return db.execute(
                    "select count(*) from states where state in ('on', 'off') and metadata_id in"
                    " (select metadata_id from states_meta where entity_id like 'binary_sensor.%')"
                ).fetchone()[0]
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return 0
                raise

    @staticmethod
    def install() -> str | None:
        """Install the pinned versions into the bench's cache. None when it can run, else why it cannot."""
        cache, pinned = STATE / "homeassistant", BENCH / "peers" / "homeassistant" / "requirements.lock"
        stamp, venv = cache / "installed", cache / "venv"
        if stamp.exists() and stamp.read_bytes() == pinned.read_bytes():
            return None
        found = [shutil.which("python3.13"), *sorted(Path.home().glob(".pyenv/versions/3.13*/bin/python3.13"))]
        python = next(
            (one for one in found if one and not subprocess.call([one, "-c", ""], stderr=subprocess.DEVNULL)), None
        )
        if python is None:
            return "it needs Python 3.13, and there is none on this machine"
        print("installing Home Assistant from PyPI into", cache, "(once, about two minutes) …", flush=True)
        shutil.rmtree(cache, ignore_errors=True)
        for args in ([python, "-m", "venv", venv], [venv / "bin" / "pip", "install", "-q", "-r", pinned]):
            done = subprocess.run([str(a) for a in args], capture_output=True, text=True)
            if done.returncode:
                return f"pip could not install it: {done.stderr.strip()[-300:]}"
        shutil.copy(pinned, stamp)
        return None


LARGEST_SHEET = 10_000
"""Homes. More are entered without `homes import`."""

LIFE = ("motion", "door", "opening")
"""Every message of the generator changes one of these and nothing else."""

_LIFE_ROWS = f"kind in (select id from word where text in ({', '.join(repr(kind) for kind in LIFE)}))"


_PRESS = re.compile(r"[^/]*/?h(\d{5})/sos/p(\d+)/")
"""A delivery's id begins with its alert's, and that with the home and whose button it was."""


@dataclass(frozen=True, slots=True)
class Climbed:
    """One rung as the history of an alert tells it."""

    at: int  # wall-clock microseconds
    round: int
    rung: int
    people: tuple[str, ...]
    late_s: float


class Gateway(Subject):
    """The gateway itself: validation, de-duplication, detectors, alerts, audit and pages, all on."""

    name = "Shouwang"

    def __init__(
        self,
        folder: Path,
        broker_port: int | None,
        sink: Sink,
        homes: Homes,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`broker_port` None takes the broker that comes with it, with a secret for each hub."""
        super().__init__(folder, broker_port or free_port(), sink, homes)
        self._embedded = broker_port is None
        self._environment = {**os.environ, **(environment or {})}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation keeps what it compiled once
        self._config = self.folder / "shouwang.toml"
        self.state = self.folder / "state"
        self.web_port = free_port()

    def prepare(self) -> None:
        """Write the settings and register the homes."""
        broker = f"port = {self.broker_port}" if self._embedded else f'url = "mqtt://127.0.0.1:{self.broker_port}"'
        self._config.write_text(
            f'state = "state"\nlog = "info"\n\n[web]\nhost = "127.0.0.1"\nport = {self.web_port}\n\n'
            f"[broker]\n{broker}\n" + ("" if self._embedded else "queue_checked = true\n")
        )
        if self.homes.count > LARGEST_SHEET:
            self._enter()
            return
        sheet = self.folder / "homes.toml"
        sheet.write_text(self.homes.sheet(self.sink.url, secrets=self._embedded))
        self.command("homes", "import", sheet)

    def _enter(self) -> None:
        """Register a county in one transaction: an import goes slowly, to let presses by, and nobody presses yet."""
        sys.path.insert(0, str(ROOT))
        from gateway.app import open_stores
        from gateway.domain import Monitoring
        from gateway.sheets import STANDARD_LEVELS, read, understand
        from gateway.stores.memory import MemoryRegistry

        stores, now = open_stores(self.state), datetime.fromtimestamp(time.time(), UTC)
        sheet = self.homes.sheet(self.sink.url, secrets=False, only=1)
        found = understand(read({"homes.toml": sheet.encode()}), MemoryRegistry(), STANDARD_LEVELS, now)
        with stores.registry.begin() as ledger:
            for area in found.areas:
                ledger.put_area(area, now)
            for grid in found.grids:
                ledger.put_grid(grid)
            for person in found.people:
                ledger.put_person(person, now)
                ledger.put_duties(person.id, found.duties[person.id], now)
            for number in range(self.homes.count):
                home = self.homes.like(found.homes[0], number)
                ledger.put_home(replace(home, state=Monitoring.GUARDED), now)
        stores.readings.close()

    def command(self, *args: object) -> str:
        done = subprocess.run(
            [str(a) for a in (python(), "-m", "gateway.cli", *args, "--config", self._config)],
            cwd=ROOT, capture_output=True, text=True, env={**self._environment, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if done.returncode:
            raise BenchError(f"shouwang {' '.join(map(str, args))}: {(done.stderr or done.stdout).strip()[-600:]}")
        return done.stdout

    def start(self) -> None:
        if not self._config.exists():
            self.prepare()
        args = [python(), "-m", "gateway.cli", "run", "--config", self._config]
        environment = {"PYTHONPATH": str(ROOT), **self._environment}
        self.child = start(args, self.folder / "log", env=environment, cwd=ROOT)

    def tokens(self, count: int, right: str) -> list[str]:
        """The secrets of so many other programs, each of which may do this and nothing else."""
        sys.path.insert(0, str(ROOT))
        from dashboard.keys import Right, make_token
        from gateway.app import open_stores

        stores, now = open_stores(self.state), datetime.fromtimestamp(time.time(), UTC)
        made = [make_token(stores.accounts, now, f"bench-{at}", [Right(right)], "", 1, "bench") for at in range(count)]
        stores.readings.close()
        return [secret for _, secret in made]

    def fill(self, count: int, days: int = 3) -> None:
        """Put `count` readings of the past days into the store, as if they had been heard. It must not run."""
        sys.path.insert(0, str(ROOT))
        from gateway.domain import Kind, Reading
        from gateway.ports import Batch
        from gateway.stores.readings import SqliteReadings

        kinds = {"motion": Kind.MOTION, "exit_door": Kind.DOOR, "opening": Kind.OPENING}
        store = SqliteReadings(self.state / "readings.db")
        arrival, sensors = store.last_arrival(), self.homes.count * len(DEVICES)
        began = datetime.fromtimestamp(time.time(), UTC) - timedelta(days=days)
        step = timedelta(days=days) / count
        for first in range(0, count, 5000):
            batch = Batch()
            for number in range(first, min(first + 5000, count)):
                home, device = divmod(number % sensors, len(DEVICES))
                name, room, role = DEVICES[device]
                at, arrival = began + step * number, arrival + 1
                batch.readings.append(
                    Reading(
                        home=Homes.name(home), sensor=name.replace("_", "-"), room=room, kind=kinds[role],
                        value=float(number // sensors % 2), at=at, heard=at, arrival=arrival,
                    )
                )  # fmt: skip
            batch.last_arrival = arrival
            store.commit(batch)
        store.close()

    def well(self) -> bool:
        """Whether its pages are up and it listens to the broker."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/healthz", timeout=1) as answer:
                return bool(json.load(answer).get("well"))
        except (OSError, ValueError):
            return False

    def wait_well(self, within_s: float = 180) -> None:
        """Wait until it is; falls with its last words when it ends instead."""

        def settled() -> bool:
            return self.well() or not self.alive()

        wait_until("the gateway's pages", settled, within_s)
        if not self.alive():
            raise BenchError(f"the gateway ended: {(self.folder / 'log').read_text()[-600:]}")

    def wait_quiet(self, within_s: float = 120) -> None:
        """Wait until it does nothing by itself any more: a start remembers homes while it already listens."""

        def rests() -> bool:
            used = cpu_s(self.pids())
            time.sleep(1)
            return cpu_s(self.pids()) - used < 0.1

        wait_until("the gateway's rest", rests, within_s)

    def worker(self) -> int | None:
        """The process that does the work: what the crash test kills. None while the supervisor is starting another."""
        for pid in tree(self.child.pid)[1:]:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"gateway.app" in words:
                return pid
        return None

    def stored(self) -> int:
        with self._readings() as db:
            return (
                0 if db is None else db.execute(f"select count(*) from every_reading where {_LIFE_ROWS}").fetchone()[0]
            )

    def moments(self) -> list[tuple[int, str, int]]:
        """Every stored reading of the generator as (home, sensor, last_seen in ms), as often as it is stored."""
        with self._readings() as db:
            words = dict(db.execute("select id, text from word"))
            rows = db.execute(f"select home, sensor, at from every_reading where {_LIFE_ROWS}").fetchall()
        return [(int(words[home][1:]), words[sensor], at) for home, sensor, at in rows]

    def alerts(self) -> list[tuple[int, int]]:
        """(home, button) of every alert for a press, as often as there is one."""
        with self._book() as db:
            rows = db.execute("select home, subject from alert where code = 'sos'").fetchall()
        return [(int(home[1:]), int(subject[1:] or 0)) for home, subject in rows]

    def climbed(self) -> dict[str, list[Climbed]]:
        """Every rung climbed for a press, by alert, in the order of its history."""
        found: dict[str, list[Climbed]] = {}
        with self._book() as db:
            rows = db.execute(
                "select entry.alert, entry.at, entry.facts from entry join alert on alert.id = entry.alert"
                " where alert.code = 'sos' and entry.what in ('told', 'empty') order by entry.number"
            ).fetchall()
        for alert, at, facts in rows:
            said = dict(json.loads(facts))
            people = tuple(person for person in said["people"].split(",") if person)
            step = Climbed(at, int(said["round"]), int(said["rung"]), people, float(said.get("late_s", 0)))
            found.setdefault(alert, []).append(step)
        return found

    def pages(self) -> list[tuple[int, int, int, int]]:
        """(home, button, decided, sent) of the first message for each press, both in wall-clock microseconds."""
        with self._book() as db:
            return [
                (int(home[1:]), int(subject[1:] or 0), decided, sent or 0)
                for home, subject, decided, sent in db.execute(
                    "select alert.home, alert.subject, min(delivery.created_at), min(delivery.sent_at) from delivery"
                    " join alert on alert.id = delivery.alert where alert.code = 'sos' group by alert.id"
                )
            ]

    def handed(self) -> dict[tuple[int, int], int]:
        """(home, button) -> when the first message about its press was handed to a channel, wall-clock microseconds."""
        found: dict[tuple[int, int], int] = {}
        for line in (self.folder / "log").read_text().splitlines():
            said = json.loads(line) if line.startswith("{") else {}
            press = _PRESS.match(said.get("delivery", ""))
            if press and "handed_at" in said:
                at = datetime.fromisoformat(said["handed_at"])
                found.setdefault((int(press[1]), int(press[2])), int(at.timestamp() * 1_000_000))
        return found

    def overtaken(self) -> list[str]:
        """The messages that had not set off when the same person was called anew by the same alert."""
        with self._book() as db:
            return [one for (one,) in db.execute("select id from delivery where state = 'withdrawn'")]

    def set_off(self) -> list[float]:
        """When its road began to go round, at each start that came so far: wall-clock seconds."""
        lines = (self.folder / "log").read_text().splitlines()
        said = [json.loads(line) for line in lines if line.startswith('{"event": "listening to the broker"')]
        return [datetime.fromisoformat(one["timestamp"]).timestamp() for one in said]

    @contextmanager
    def _readings(self) -> Iterator[sqlite3.Connection | None]:
        yield from self._looking_into("readings.db")

    @contextmanager
    def _book(self) -> Iterator[Any]:
        if url := self._environment.get("SHOUWANG_DATABASE"):
            import psycopg

            with psycopg.connect(url) as db:
                yield db
        else:
            yield from self._looking_into("gateway.db")

    def _looking_into(self, file: str) -> Iterator[sqlite3.Connection | None]:
        if not (self.state / file).exists():
            yield None
            return
        with closing(sqlite3.connect(f"file:{self.state / file}?mode=ro", uri=True, timeout=10)) as db:
            yield db
