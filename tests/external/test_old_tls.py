"""TLS before 1.2 is spoken by nobody here: not by what we offer, and to no server that has nothing better."""

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from live_brokers import BROKERS, eventually
from test_broker_tls import Papers, issue, trouble
from test_smtp import send

from alerts.channels.exchange import Exchange
from alerts.channels.lines import url_of
from gateway.clock import SystemClock
from gateway.domain.endpoint import Endpoint
from gateway.ports import TryLater
from gateway.stores.influx import Influx, InfluxWriter, TryAgain
from ingest.mqtt import MqttSource

pytestmark = [pytest.mark.external, pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")]

ANYTHING = "DEFAULT@SECLEVEL=0"
"""What OpenSSL must be told before it speaks the old versions at all."""

OLD, NEW = "-tls1_1", "-tls1_2"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return issue(tmp_path_factory.mktemp("tls") / "papers")


@pytest.fixture
def server(papers: Papers) -> Iterator[Callable[[str], int]]:
    """Starts servers that speak one version and no other; gives their ports."""
    started = []

    def start(version: str) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            "openssl",
            "s_server",
            "-accept",
            f"127.0.0.1:{port}",
            version,
            "-cipher",
            ANYTHING,
            "-www",
            "-quiet",
        ]
        command += ["-cert", str(papers.cert), "-key", str(papers.key)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        eventually(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        return port

    yield start
    for child in started:
        child.terminate()
        child.wait()


def speaks(port: int, version: ssl.TLSVersion) -> bool:
    """Whether somebody who speaks this version and no other is answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(ANYTHING)
    context.minimum_version = context.maximum_version = version
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line, context.wrap_socket(line):
            return True
    except OSError:
        return False


# ------------------------------------------------------------------ what we offer


def only_new(port: int) -> bool:
    return speaks(port, ssl.TLSVersion.TLSv1_2) and not (
        speaks(port, ssl.TLSVersion.TLSv1_1) or speaks(port, ssl.TLSVersion.TLSv1)
    )


@pytest.mark.parametrize("kind", BROKERS)
def test_the_broker_does_not_offer_it(kind: str, papers: Papers, tmp_path: Path) -> None:
    (folder := tmp_path / "broker").mkdir()
    broker = BROKERS[kind](folder, (papers.cert, papers.key))
    try:
        assert only_new(broker.gateway.port)
    finally:
        broker.stop()


def test_the_pages_do_not_offer_it(papers: Papers) -> None:
    async def page(scope: object, receive: object, send: Callable[[object], Awaitable[None]]) -> None: ...

    server = uvicorn.Server(  # as gateway.app sets it up
        uvicorn.Config(page, port=0, lifespan="off", log_config=None, ssl_certfile=papers.cert, ssl_keyfile=papers.key)
    )
    serving = threading.Thread(target=lambda: asyncio.run(server.serve()))
    serving.start()
    eventually(lambda: server.started)
    try:
        assert only_new(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        serving.join()


# ------------------------------------------------------------------ whom we speak to


def to_a_channel(port: int, folder: Path) -> str:
    async def ask() -> None:
        exchange = Exchange(timedelta(seconds=5))
        try:
            await exchange.ask(url_of(f"https://127.0.0.1:{port}/"))
        finally:
            await exchange.close()

    with pytest.raises(TryLater) as refusal:
        asyncio.run(ask())
    return str(refusal.value)


def to_a_mail_server(port: int, folder: Path) -> str:
    with pytest.raises(TryLater) as refusal:
        asyncio.run(send(port, security="tls"))
    return str(refusal.value)


def to_the_mirror(port: int, folder: Path) -> str:
    writer = InfluxWriter(Influx(url=f"https://127.0.0.1:{port}", token="t", org="o", bucket="b"))
    with pytest.raises(TryAgain) as refusal:
        writer.write(["a value=1"])
    writer.close()
    return str(refusal.value)


def to_a_broker(port: int, folder: Path) -> str:
    endpoint = Endpoint(host="127.0.0.1", port=port, username="a", password="b", tls=True)
    source = MqttSource(endpoint, folder, SystemClock())
    try:
        return trouble(source)
    finally:
        source.close()


@pytest.mark.parametrize(
    "speak", [to_a_channel, to_a_mail_server, to_the_mirror, to_a_broker], ids=lambda speak: speak.__name__
)
def test_nothing_is_said_to_a_server_that_has_nothing_better(speak, server, tmp_path: Path) -> None:
    """It fails at the version; with a newer one it comes as far as the certificate, which nobody here knows."""
    old, new = server(OLD), server(NEW)

    assert speaks(old, ssl.TLSVersion.TLSv1_1), "the server under test really speaks it"
    assert "protocol" in speak(old, tmp_path).lower()
    assert "certificate" in speak(new, tmp_path).lower()
