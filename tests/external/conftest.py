"""Each real broker in turn, and ears that listen to it; what is measured at length in bench/, in short."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from live_brokers import BROKERS, LiveBroker

from gateway.broker import renew
from gateway.clock import SystemClock
from ingest.mqtt import MqttSource


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveBroker]:
    """Each broker in turn, with two hubs admitted."""
    yield from alive(request.param, tmp_path)


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[LiveBroker]:
    yield from alive("nats", tmp_path)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[LiveBroker]:
    yield from alive("mosquitto", tmp_path)


def alive(kind: str, tmp_path: Path) -> Iterator[LiveBroker]:
    (folder := tmp_path / "broker").mkdir()
    live = BROKERS[kind](folder, None)
    live.admit("hub-a", "hub-b")
    yield live
    assert live.is_ours(), "another server answered on this port: the test proves nothing"
    live.stop()


@pytest.fixture
def ear(broker: LiveBroker, tmp_path: Path) -> Iterator[Callable[..., MqttSource]]:
    """Opens sources as the gateway. They share one state folder: the second is the first after a restart."""
    opened: list[MqttSource] = []
    (folder := tmp_path / "ear").mkdir()

    def open_ear(**options: object) -> MqttSource:
        if broker.kind == "nats":  # as the gateway has it
            options.setdefault("renew", lambda: renew(broker.folder))
        source = MqttSource(broker.gateway, folder, SystemClock(), **options)
        opened.append(source)
        return source

    yield open_ear
    for source in opened:
        source.close()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable]:
    """A measurement of bench/ by its name; each runs for minutes there, and for seconds here."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "bench"))
    return lambda name, room="": getattr(import_module(room or name), name)
