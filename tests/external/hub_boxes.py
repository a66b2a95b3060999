"""The box in a home as our kit sets it up: Debian's Mosquitto with the kit's very file, and a line that can be cut."""

import os
import selectors
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pytest
from live_brokers import Device, eventually, listener_of

from gateway.child import end, spawn
from gateway.domain.endpoint import Endpoint
from gateway.kit import contents

D = TypeVar("D", bound=Device)


class Line:
    """Between a home and the gateway: what is said on one end comes out at the other, unless it is cut."""

    def __init__(self, there: Endpoint) -> None:
        self._there = (there.host, there.port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.is_up = True
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._ears = selectors.DefaultSelector()
        self._ears.register(self._door, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()
        self._ears.register(self._woken, selectors.EVENT_READ)
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self.is_up = False
        self._wake.send(b"!")
        eventually(lambda: not self._pairs)

    def mend(self) -> None:
        self.is_up = True

    def close(self) -> None:
        self._ended = True
        self._wake.send(b"!")
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._ears.select():
                if key.fileobj is self._door:
                    self._take()
                elif key.fileobj is self._woken:
                    self._woken.recv(64)
                elif key.fileobj in self._pairs:
                    self._pass_on(key.fileobj)
            if self._ended or not self.is_up:
                for sock in list(self._pairs):
                    self._drop(sock)
        self._door.close()

    def _take(self) -> None:
        near, _ = self._door.accept()
        if not self.is_up:
            near.close()
            return
        try:
            far = socket.create_connection(self._there, timeout=5)
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self._pairs[one] = other
            self._ears.register(one, selectors.EVENT_READ)

    def _pass_on(self, sock: socket.socket) -> None:
        try:
            said = sock.recv(65536)
            if said:
                self._pairs[sock].sendall(said)
                return
        except OSError:
            pass
        self._drop(sock)

    def _drop(self, sock: socket.socket) -> None:
        other = self._pairs.pop(sock, None)
        if other is not None:
            self._ears.unregister(sock)
            sock.close()
            self._drop(other)


class Box:
    """The hub's own broker; the paths and its port are the test's, everything else is the kit's."""

    def __init__(self, folder: Path, hub: str, uplink: Endpoint) -> None:
        binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if binary is None or shutil.which("mosquitto_pub") is None:
            pytest.skip("mosquitto and mosquitto-clients are not installed")
        self._binary = binary
        self.hub = hub
        self.folder = folder
        folder.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        for name, mode, text in contents(hub, uplink.password, uplink):
            (folder / name).write_text(text)
            (folder / name).chmod(mode)
        conf = (folder / "mosquitto.conf").read_text()
        for shipped, ours in (
            ("user mosquitto", f"user {Path.home().owner()}"),
            ("/run/mosquitto/mosquitto.pid", folder / "pid"),
            ("log_dest syslog", f"log_dest file {folder / 'log'}"),
            ("log_type notice", "log_type notice\nlog_type subscribe"),
            ("/var/lib/mosquitto/", f"{folder}/"),
            ("listener 1883 127.0.0.1", f"listener {self.port} 127.0.0.1"),
            ("/etc/mosquitto/shouwang-ca.crt", folder / "shouwang-ca.crt"),
            ("autosave_interval 10", "autosave_interval 1"),
            ("restart_timeout 2 10" if uplink.second else "restart_timeout 2 20", "restart_timeout 1 1"),
        ):
            assert shipped in conf or "shouwang-ca" in shipped, f"the kit's mosquitto.conf no longer says {shipped!r}"
            conf = conf.replace(shipped, str(ours))
        (folder / "mosquitto.conf").write_text(conf)
        self.start()

    def start(self) -> None:
        self._child = spawn([self._binary, "-c", self.folder / "mosquitto.conf"], silent=True)
        eventually(lambda: self._child.poll() is not None or listener_of(self.port) == {self._child.pid})
        assert self._child.poll() is None, self.log()

    def stop(self) -> None:
        end(self._child, 5)

    close = stop

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def device(self, kind: type[D], client_id: str = "") -> D:
        """Zigbee2MQTT, or whatever else speaks to the box from inside the home."""
        return kind(Endpoint(host="127.0.0.1", port=self.port), client_id)

    @contextmanager
    def ringing(self) -> Iterator[None]:
        """The kit's own ringer, as its unit runs it."""
        log = (self.folder / "ring.log").open("w")
        ringer = subprocess.Popen(
            ["sh", self.folder / "shouwang-ring", "127.0.0.1", str(self.port)],
            env={"PATH": os.environ["PATH"], "SHOUWANG_RING": str(self.folder / "shouwang-ring.conf")},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            eventually(lambda: "1 shouwang-ring" in self.log())  # it has subscribed
            yield
        finally:
            os.killpg(ringer.pid, signal.SIGKILL)
            ringer.wait()
            log.close()

    def heartbeat(self, at: datetime, **environment: str) -> None:
        """The kit's own script, as the timer runs it; `at` is what the box's clock shows."""
        (programs := self.folder / "bin").mkdir(exist_ok=True)
        (clock := programs / "date").write_text(f"#!/bin/sh\necho {at:%Y-%m-%dT%H:%M:%SZ}\n")
        clock.chmod(0o755)
        subprocess.run(
            ["sh", self.folder / "shouwang-heartbeat", "127.0.0.1", str(self.port)],
            check=True,
            env={
                "PATH": f"{programs}:{os.environ['PATH']}",
                "SHOUWANG_BEFORE": str(self.folder / "mains"),
                **environment,
            },
        )
