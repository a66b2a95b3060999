"""Real brokers, each the child of the test that asks for it. What cannot be had is skipped, with the reason."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.broker import Broker, BrokerError, new_secret, reload
from gateway.child import end, spawn
from gateway.domain.endpoint import Endpoint
from gateway.ports import Message
from ingest.mqtt import MqttSource

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE_S = 120.0


class LiveBroker(Protocol):
    """A broker that a test may hurt."""

    kind: str
    gateway: Endpoint

    def hub(self, name: str) -> Endpoint: ...
    def admit(self, *names: str) -> None: ...
    def revoke(self, name: str) -> None: ...
    def kill(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def is_ours(self) -> bool: ...


def eventually(true: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait for something that another process does."""
    until = time.monotonic() + within_s
    while not true():
        if time.monotonic() > until:
            pytest.fail("waited in vain")
        time.sleep(0.01)


def listener_of(port: int) -> set[int]:
    """The processes that listen on a port of this machine."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:]:
            cells = row.split()
            if cells[3] == "0A" and int(cells[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{cells[9]}]")
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                found.add(int(process.name))
        except OSError:
            continue
    return found


class Nats:
    """The default: what `shouwang run` starts."""

    kind = "nats"

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None) -> None:
        self.folder = folder
        self._secrets: dict[str, str] = {}
        self._hashes: dict[str, str] = {}
        cert, key = certificate or (None, None)
        self.broker = Broker(folder, port=0, hubs={}, cert=cert, key=key)
        try:
            self.start()
        except BrokerError as error:
            if "nats-server" in str(error) and "no nats-server" in str(error):
                pytest.skip(str(error))
            raise

    def start(self) -> None:
        self.broker.start()
        self.gateway = self.broker.endpoint()
        assert self.is_ours()

    def hub(self, name: str) -> Endpoint:
        return replace(self.gateway, username=name, password=self._secrets[name])

    def admit(self, *names: str) -> None:
        for name in names:
            self._secrets[name], self._hashes[name] = new_secret()
        reload(self.folder, self._hashes)
        for name in names:
            eventually(lambda name=name: can_connect(self.hub(name)))

    def revoke(self, name: str) -> None:
        del self._hashes[name]
        reload(self.folder, self._hashes)
        eventually(lambda: not can_connect(self.hub(name)))

    def kill(self) -> None:
        os.kill(self.broker.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self.broker.stop()

    def freeze(self) -> None:
        os.kill(self.broker.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.broker.pid, signal.SIGCONT)

    def is_ours(self) -> bool:
        return listener_of(self.broker.port) == {self.broker.pid}


class Mosquitto:
    """Debian's broker with the configuration that we ship; only the port and the paths are the test's own."""

    kind = "mosquitto"

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None) -> None:
        binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if binary is None or shutil.which("mosquitto_passwd") is None:
            pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
        self._binary = binary
        self._folder = folder
        self._passwords = folder / "passwd"
        self._secrets: dict[str, str] = {}
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self._passwords.touch(mode=0o600)
        acl = folder / "acl"
        shutil.copy(EXAMPLES / "mosquitto.acl", acl)
        acl.chmod(0o600)
        conf = (EXAMPLES / "mosquitto.conf").read_text()
        for shipped, ours in (
            ("user mosquitto", f"user {Path.home().owner()}"),
            ("/run/mosquitto/mosquitto.pid", folder / "pid"),
            ("log_dest syslog", f"log_dest file {folder / 'log'}"),
            ("/var/lib/mosquitto/", f"{folder}/"),
            ("/etc/mosquitto/shouwang.passwd", self._passwords),
            ("/etc/mosquitto/shouwang.acl", acl),
            ("listener 1883 127.0.0.1", f"listener {self._port} 127.0.0.1"),
        ):
            assert f"\n{shipped}" in conf or shipped.startswith("/"), f"mosquitto.conf no longer says {shipped!r}"
            conf = conf.replace(shipped, str(ours))
        if certificate:
            conf += f"\ncertfile {certificate[0]}\nkeyfile {certificate[1]}\ntls_version tlsv1.2\n"
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(conf)
        self._ca = certificate[0] if certificate else None
        self._enter("_gateway")
        self.gateway = self._endpoint("_gateway")
        self.start()

    def _endpoint(self, name: str) -> Endpoint:
        return Endpoint(
            host="127.0.0.1",
            port=self._port,
            username=name,
            password=self._secrets[name],
            tls=self._ca is not None,
            ca=self._ca,
        )

    def _enter(self, name: str) -> None:
        self._secrets[name], _ = new_secret()
        subprocess.run(["mosquitto_passwd", "-b", self._passwords, name, self._secrets[name]], check=True)

    def _reload(self) -> None:
        os.kill(self._child.pid, signal.SIGHUP)

    def start(self) -> None:
        self._child = spawn([self._binary, "-c", self._conf], silent=True)
        eventually(lambda: self._child.poll() is not None or self.is_ours())
        assert self._child.poll() is None, (self._folder / "log").read_text()

    def hub(self, name: str) -> Endpoint:
        return self._endpoint(name)

    def admit(self, *names: str) -> None:
        for name in names:
            self._enter(name)
        self._reload()
        for name in names:
            eventually(lambda name=name: can_connect(self.hub(name)))

    def configure(self, shipped: str, instead: str) -> None:
        """Run with another line of configuration."""
        conf = self._conf.read_text()
        assert shipped in conf
        self.stop()
        self._conf.write_text(conf.replace(shipped, instead))
        self.start()

    def allow(self, rule: str, instead: str) -> None:
        """Another line in the access list, read again at once."""
        acl = self._folder / "acl"
        before = acl.read_text()
        assert rule in before
        acl.write_text(before.replace(rule, instead))
        self._reload()
        time.sleep(0.3)

    def admit_by_hand(self, name: str) -> None:
        """Past every check of ours, as an administrator might."""
        self._enter(name)
        self._reload()
        time.sleep(0.3)

    def revoke(self, name: str) -> None:
        subprocess.run(["mosquitto_passwd", "-D", self._passwords, name], check=True)
        self._reload()
        eventually(lambda: not can_connect(self.hub(name)))

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()

    def stop(self) -> None:
        end(self._child, 5)

    def freeze(self) -> None:
        os.kill(self._child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._child.pid, signal.SIGCONT)

    def is_ours(self) -> bool:
        return listener_of(self._port) == {self._child.pid}


BROKERS: dict[str, Callable[[Path, tuple[Path, Path] | None], LiveBroker]] = {"nats": Nats, "mosquitto": Mosquitto}


# --------------------------------------------------------------------------- devices


class Device:
    """Something in a home that speaks MQTT: publishes and waits for the broker's word, or hears what it may hear."""

    def __init__(self, endpoint: Endpoint, client_id: str = "", *, clean: bool = True, will: str = "") -> None:
        self.heard: list[mqtt.MQTTMessage] = []
        self.granted: list[bool] = []
        self.accepted: bool | None = None
        self.connections = 0
        self.drops = 0
        self.client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, protocol=mqtt.MQTTv311
        )
        client.username_pw_set(endpoint.username, endpoint.password)
        if endpoint.tls:
            client.tls_set_context(tls(endpoint))
        if will:
            client.will_set(will, "gone", 1, True)
        client.max_inflight_messages_set(1000)
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._connected
        client.on_disconnect = self._dropped
        client.on_subscribe = lambda *a: self.granted.append(not a[3][0].is_failure)
        client.on_message = lambda *a: self.heard.append(a[2])
        client.connect(endpoint.host, endpoint.port, 30)
        client.loop_start()
        eventually(lambda: self.accepted is not None)

    def _connected(self, *arguments: object) -> None:
        self.accepted = not arguments[3].is_failure
        self.connections += 1

    def _dropped(self, *_: object) -> None:
        self.drops += 1
        self.accepted = self.accepted or False

    def say(self, topic: str, payload: str | bytes = "{}", *, retain: bool = False) -> None:
        """Publish and wait until the broker has acknowledged it."""
        sent = self.client.publish(topic, payload, 1, retain)
        sent.wait_for_publish(PATIENCE_S)
        assert sent.is_published(), f"the broker never acknowledged {topic}"

    def listen(self, topic: str) -> bool:
        """Ask to hear; True when the broker grants it."""
        before = len(self.granted)
        self.client.subscribe(topic, 1)
        eventually(lambda: len(self.granted) > before)
        return self.granted[-1]

    def vanish(self) -> None:
        """Go without a word, so that the broker speaks the last will."""
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.client.loop_stop()

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def tls(endpoint: Endpoint) -> ssl.SSLContext:
    """Trusts the one certificate it was given."""
    context = ssl.create_default_context(cafile=endpoint.ca)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def can_connect(endpoint: Endpoint) -> bool:
    """Knock at the door with a bare CONNECT, and hear what the broker says to it."""
    fields = [b"\0\4MQTT\4" + bytes([0xC2]) + b"\0\x1e"]  # 3.1.1, a name and a secret, a clean session
    for text in ("", endpoint.username, endpoint.password):
        fields.append(len(text.encode()).to_bytes(2, "big") + text.encode())
    packet = b"".join(fields)
    assert len(packet) < 16384
    length = bytes([len(packet)]) if len(packet) < 128 else bytes([len(packet) % 128 | 128, len(packet) // 128])
    with socket.create_connection((endpoint.host, endpoint.port), timeout=5) as sock:
        if endpoint.tls:
            sock = tls(endpoint).wrap_socket(sock)
        sock.sendall(b"\x10" + length + packet)
        try:
            answer = sock.recv(4)
        except ConnectionResetError:
            return False
    return answer == b"\x20\x02\x00\x00"


# --------------------------------------------------------------------------- the ear


def listening(source: MqttSource) -> MqttSource:
    """Wait until it hears; nothing may have come yet."""
    until = time.monotonic() + PATIENCE_S
    while source.listening_since() is None:
        assert not source.poll(timedelta(milliseconds=20))
        assert time.monotonic() < until, source.trouble()
    return source


def hear(source: MqttSource, count: int, *, settle: bool = True, within_s: float = PATIENCE_S) -> list[Message]:
    """Poll until so many messages have come."""
    heard: list[Message] = []
    until = time.monotonic() + within_s
    while len(heard) < count:
        batch = source.poll(timedelta(milliseconds=50))
        heard += batch
        if settle:
            source.settle(batch)
        assert time.monotonic() < until, f"only {len(heard)} of {count} came; {source.trouble()}"
    return heard
