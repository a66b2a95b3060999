"""Gateway and watchdog as real processes: dead, hung, full, stopped on purpose. Long: bench/watchdog.py."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.pulse import HEARTBEAT, last_sign_of

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(240)]

SETTINGS = """
state = "state"
[web]
port = {port}
[broker]
port = 0
[watchdog]
tell = ["webhook http://127.0.0.1:{hook}/dog"]
after = "PT20S"
back_within = "PT40S"
"""


def eventually(true: Callable[[], object], within_s: float = 120.0) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Telephone:
    """What was said to the one who is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        telephone = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["content-length"])))
                _, fault, _, kind, *_ = said["id"].split("/")
                telephone.heard.append((kind, fault))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Site:
    """A machine with a gateway and a watchdog on it."""

    def __init__(self, folder: Path, telephone: Telephone) -> None:
        self.state, self.telephone = folder / "state", telephone
        self.config = folder / "shouwang.toml"
        self.config.write_text(SETTINGS.format(port=free_port(), hook=telephone.server.server_address[1]))
        self.children: list[subprocess.Popen[bytes]] = []
        try:
            self.gateway = self.run("run")
            eventually(lambda: self.pulse().get("up_s", 0) > 5 and self.pulse()["deaf_s"] == 0)
            self.run("watchdog")
            eventually(lambda: (self.state / "watchdog" / HEARTBEAT).exists())
            time.sleep(2)  # it has looked once at least
        except BaseException:
            self.stop()
            raise

    def run(self, *command: str) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-m", "gateway.cli", *command, "--config", str(self.config)]
        with (self.config.parent / f"{command[0]}.log").open("ab") as log:
            self.children.append(subprocess.Popen(words, stdout=log, stderr=log))
        return self.children[-1]

    def pulse(self) -> dict:
        found = last_sign_of(self.state / HEARTBEAT, time.monotonic())
        return found[1] if found and found[0] < 5 else {}

    def stop(self) -> None:
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
                child.wait(30)


@pytest.fixture
def telephone() -> Iterator[Telephone]:
    made = Telephone()
    yield made
    made.server.shutdown()


@pytest.fixture
def site(tmp_path, telephone) -> Iterator[Site]:
    made = Site(tmp_path, telephone)
    yield made
    made.stop()


def test_a_gateway_that_is_killed_for_good_is_told(site, telephone):
    site.gateway.kill()  # the supervisor; the gateway and the broker go with it
    eventually(lambda: telephone.heard)

    assert telephone.heard == [("ill", "gone")]


def test_a_gateway_that_hangs_is_told_and_one_that_falls_once_is_not(site, telephone):
    os.kill(site.pulse()["pid"], signal.SIGKILL)
    eventually(lambda: site.pulse().get("up_s", 99) < 3)
    time.sleep(2)
    assert telephone.heard == []

    hung = site.pulse()["pid"]
    os.kill(hung, signal.SIGSTOP)
    try:
        eventually(lambda: telephone.heard)
    finally:
        os.kill(hung, signal.SIGCONT)

    assert telephone.heard == [("ill", "gone")]


def test_what_is_stopped_on_purpose_is_given_its_time(site, telephone):
    site.gateway.terminate()
    site.gateway.wait(30)
    assert last_sign_of(site.state / HEARTBEAT, time.monotonic())[1]["leaving"] is True
    eventually(lambda: telephone.heard)

    assert telephone.heard == [("ill", "left")]


def test_systemd_hears_from_inside_the_loop_and_no_more_of_what_hangs(tmp_path):
    config = tmp_path / "shouwang.toml"
    config.write_text(SETTINGS.format(port=free_port(), hook=9))
    with unit("broker", config) as (_, of_broker):
        assert of_broker.recv(100) == b"READY=1"
        with unit("gateway", config) as (gateway, said):
            assert {said.recv(100) for _ in range(3)} == {b"READY=1", b"WATCHDOG=1"}

            gateway.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            said.setblocking(False)
            while _hears(said):
                pass  # what was said before
            time.sleep(3)
            assert not _hears(said)

            gateway.send_signal(signal.SIGCONT)
            said.settimeout(60)
            assert said.recv(100) == b"WATCHDOG=1"
            gateway.terminate()
            eventually(lambda: said.recv(100) == b"STOPPING=1")
            assert gateway.wait(60) == 0


@contextmanager
def unit(part: str, config: Path) -> Iterator[tuple["subprocess.Popen[bytes]", socket.socket]]:
    """One part as systemd would start it, and what it hears of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(config.parent / part))
        systemd.settimeout(120)
        words = [sys.executable, "-m", "gateway.cli", "run", "--only", part, "--config", str(config)]
        environment = {**os.environ, "NOTIFY_SOCKET": str(config.parent / part)}
        child = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield child, systemd
        finally:
            child.send_signal(signal.SIGCONT)
            child.terminate()
            child.wait(60)


def _hears(systemd: socket.socket) -> bool:
    try:
        return bool(systemd.recv(100))
    except BlockingIOError:
        return False


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own, which only root may make."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small tmpfs can be mounted by root only")
    (tmp_path / "state").mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=192m,mode=0700", "none", str(tmp_path / "state")]
    if subprocess.run(made, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path / "state")], check=True)


def test_a_full_disk_is_told_lets_the_reserve_go_and_gets_it_back(small_disk, telephone):
    site = Site(small_disk, telephone)
    try:
        assert (site.state / "reserve").stat().st_size == 32 * 1024**2
        fill(site.state / "filler")
        eventually(lambda: telephone.heard)
        assert telephone.heard == [("ill", "full")]
        assert not (site.state / "reserve").exists()

        # There is room for alarms now, and the gateway goes round.
        eventually(lambda: site.pulse().get("full") is True and site.pulse()["road_s"] < 2)
        (site.state / "filler").unlink()
        eventually(lambda: (site.state / "reserve").exists() and site.pulse().get("full") is False)
    finally:
        site.stop()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65_536)
        except OSError:
            pass
