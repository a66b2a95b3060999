"""The embedded broker as a process: ports, restarts, and who survives whom."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from live_brokers import Device, can_connect, eventually, hear, listener_of, listening

from gateway.broker import Broker, BrokerError, endpoint, new_secret, reload, running
from gateway.clock import SystemClock
from gateway.domain.endpoint import Endpoint
from ingest.mqtt import MqttSource

pytestmark = pytest.mark.external


@dataclass
class Supervised:
    """A supervisor with a gateway that only says that it is there."""

    state: Path
    process: "subprocess.Popen[str]"

    def broker(self) -> int:
        eventually(lambda: running(self.state) and endpoint(self.state) and can_reach(endpoint(self.state)))
        pid = running(self.state)
        assert pid is not None
        assert listener_of(endpoint(self.state).port) == {pid}
        assert parent_of(pid) == self.process.pid
        return pid

    def gateway(self) -> int:
        eventually(lambda: (self.state / "gateway.pid").exists() and lives(self.gateway_now()))
        return self.gateway_now()

    def gateway_now(self) -> int:
        return int((self.state / "gateway.pid").read_text() or 0)


def can_reach(where: Endpoint) -> bool:
    try:
        return can_connect(where)
    except OSError:
        return False


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    gateway = f"import os, pathlib, time; pathlib.Path({str(tmp_path / 'gateway.pid')!r}).write_text(str(os.getpid()));"
    command = [sys.executable, "-m", "gateway.supervisor", "--state", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--", sys.executable, "-c", gateway + "time.sleep(600)"], stderr=subprocess.PIPE, text=True
    )
    yield Supervised(tmp_path, process)
    process.kill()
    process.communicate()


def test_a_gateway_that_falls_leaves_the_broker_up(supervised: Supervised) -> None:
    broker, gateway = supervised.broker(), supervised.gateway()
    os.kill(gateway, signal.SIGKILL)

    eventually(lambda: supervised.gateway_now() != gateway and lives(supervised.gateway_now()))

    assert supervised.broker() == broker


def test_a_broker_that_falls_is_back_on_its_port_with_its_queue(supervised: Supervised, tmp_path: Path) -> None:
    broker, gateway, where = supervised.broker(), supervised.gateway(), endpoint(supervised.state)
    secret, hashed = new_secret()
    reload(supervised.state, {"hub-a": hashed})
    hub = Endpoint(host=where.host, port=where.port, username="hub-a", password=secret)
    eventually(lambda: can_connect(hub))
    (ear := tmp_path / "ear").mkdir()
    listening(MqttSource(where, ear, SystemClock())).close()
    with Device(hub) as device:
        device.say("shouwang/hub-a/plain/hall", "kept")
    os.kill(broker, signal.SIGKILL)

    eventually(lambda: running(supervised.state) not in (None, broker))

    assert supervised.broker() != broker
    assert endpoint(supervised.state) == where
    assert supervised.gateway() == gateway
    source = MqttSource(where, ear, SystemClock())
    assert [m.payload for m in hear(source, 1)] == [b"kept"]
    source.close()


def test_its_own_death_ends_both(supervised: Supervised) -> None:
    broker, gateway = supervised.broker(), supervised.gateway()

    supervised.process.kill()

    eventually(lambda: not lives(broker) and not lives(gateway))
    assert running(supervised.state) is None


def test_told_to_stop_nothing_is_left(supervised: Supervised) -> None:
    broker, gateway = supervised.broker(), supervised.gateway()

    supervised.process.terminate()
    _, log = supervised.process.communicate(timeout=30)

    assert supervised.process.returncode == 0
    assert not lives(broker)
    assert not lives(gateway)
    assert "Stopping: the gateway first, then the broker." in log


def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "gateway.supervisor", "--state", str(tmp_path), "--port", str(port)]
        told = subprocess.run([*command, "--", "true"], capture_output=True, text=True, timeout=30)

    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert f"端口 {port} 已被进程 {os.getpid()}" in told.stderr
    assert f"port {port} is taken by process {os.getpid()}" in told.stderr
    assert "0 picks a free one" in told.stderr


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [("203.0.113.1", 0, "cannot listen on"), ("no.such.name.invalid", 18830, "not an address of this machine")],
)
def test_an_address_that_is_not_ours_is_told(tmp_path: Path, host: str, port: int, said: str) -> None:
    with pytest.raises(BrokerError, match=said):
        Broker(tmp_path, host, port).start()


def test_one_state_folder_one_broker(tmp_path: Path) -> None:
    first = Broker(tmp_path, port=0)
    first.start()

    with pytest.raises(BrokerError, match=f"running already \\(process {first.pid}\\)"):
        Broker(tmp_path, port=0).start()

    first.stop()


def test_what_has_run_once_is_started_again_as_it_stands(tmp_path: Path) -> None:
    broker = Broker(tmp_path, port=0)
    broker.start()
    reload(tmp_path, {"hub-1": new_secret()[1]})  # a hub is added while it runs
    conf = tmp_path / "broker" / "nats.conf"
    written = conf.stat().st_mtime_ns

    os.kill(broker.pid, signal.SIGKILL)
    eventually(lambda: broker.fallen() is not None)
    broker.start()

    assert conf.stat().st_mtime_ns == written
    assert "hub-1" in conf.read_text()
    broker.stop()
    broker.start()
    assert conf.stat().st_mtime_ns > written
    broker.stop()


def test_a_free_port_is_picked_once(tmp_path: Path) -> None:
    first = Broker(tmp_path, port=0)
    first.start()
    first.stop()
    again = Broker(tmp_path, port=0)
    again.start()

    assert again.port == first.port == endpoint(tmp_path).port
    again.stop()


def test_a_stranger_with_its_number_gets_no_signal(tmp_path: Path) -> None:
    """Process ids are used again; SIGHUP would end whoever has it now."""
    broker = Broker(tmp_path, port=0)
    broker.start()
    broker.stop()
    stranger = subprocess.Popen(["sleep", "600"])
    (tmp_path / "broker" / "nats.pid").write_text(str(stranger.pid))

    assert reload(tmp_path, {}) is False
    assert stranger.poll() is None

    stranger.kill()
    stranger.wait()


def test_hubs_admitted_while_it_was_down_are_known_at_the_start(tmp_path: Path) -> None:
    broker = Broker(tmp_path, port=0, hubs={})
    broker.start()
    broker.stop()
    secret, hashed = new_secret()
    assert reload(tmp_path, {"hub-a": hashed}) is False

    broker.start()

    where = broker.endpoint()
    assert can_connect(Endpoint(host=where.host, port=where.port, username="hub-a", password=secret))
    broker.stop()


def test_a_hash_that_is_none_never_reaches_the_broker(tmp_path: Path) -> None:
    """A secret in plain text, or a line of configuration, would otherwise be written where a hash belongs."""
    broker = Broker(tmp_path, port=0)
    broker.start()
    for nonsense in ("", "secret", '$2a$04$"}, {user: "x"', "$argon2id$v=19$m=1"):
        with pytest.raises(ValueError, match="no bcrypt hash"):
            reload(tmp_path, {"hub-a": nonsense})
    with pytest.raises(ValueError, match="cannot be a hub's id"):
        reload(tmp_path, {"#": new_secret()[1]})

    assert can_connect(broker.endpoint())
    broker.stop()


def test_a_broker_of_ones_own_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_SERVER", str(tmp_path / "nothing"))

    with pytest.raises(BrokerError, match="NATS_SERVER names"):
        Broker(tmp_path, port=0).start()


def test_a_full_queue_does_not_lock_the_gateway_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NATS with a full store takes no connection at all, so the only one who could empty it would stay outside."""
    monkeypatch.setattr("gateway.broker.ROOM", 2_000_000)
    monkeypatch.setattr("gateway.broker.LEAST_ROOM", 2_000_000)
    secret, hashed = new_secret()
    broker = Broker(tmp_path, port=0, hubs={"hub-a": hashed})
    broker.start()
    where = broker.endpoint()
    hub = Endpoint(host=where.host, port=where.port, username="hub-a", password=secret)
    (ear := tmp_path / "ear").mkdir()
    listening(MqttSource(where, ear, SystemClock())).close()
    with Device(hub) as device:
        acknowledged: set[int] = set()
        device.client.on_publish = lambda *said: acknowledged.add(said[2])
        for _ in range(3000):
            device.client.publish("shouwang/hub-a/plain/hall", "x" * 1000, 1)
        eventually(lambda: device.drops)
        assert not can_connect(where)
        assert broker.make_room()

        source = MqttSource(where, ear, SystemClock())
        eventually(lambda: source.settle(source.poll(timedelta(milliseconds=50))) or source.listening_since())
        for _ in range(20):  # room is given in small steps here, and in large ones otherwise
            broker.make_room()
            for _ in range(10):
                source.settle(source.poll(timedelta(milliseconds=50)))
        eventually(lambda: source.settle(source.poll(timedelta(milliseconds=50))) or len(acknowledged) == 3000)
    source.close()
    broker.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "none", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk is a tmpfs, and only root may mount one")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_broker_whose_disk_was_full_takes_messages_again_when_there_is_room(small_disk: Path) -> None:
    """NATS that once could not write refuses everything from then on, also when the disk is empty again."""
    secret, hashed = new_secret()
    broker = Broker(small_disk, port=0, hubs={"hub-a": hashed})
    broker.start()
    where = broker.endpoint()
    hub = Endpoint(host=where.host, port=where.port, username="hub-a", password=secret)
    listening(MqttSource(where, small_disk, SystemClock())).close()
    with Device(hub) as device:
        device.say("shouwang/hub-a/plain/hall", "before")
        assert not broker.mend()
        with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(b"x" * 65_536)
        press = device.client.publish("shouwang/hub-a/plain/sos/button", "x" * 4096, 1)
        eventually(lambda: b"no space left" in (small_disk / "broker" / "nats.log").read_bytes())
        assert not broker.mend()  # it could not write now either
        (small_disk / "filler").unlink()

        assert broker.mend()
        eventually(broker.fallen)
        broker.start()

        press.wait_for_publish(30)
        assert press.is_published()
        assert not broker.mend()
    broker.stop()
