"""TLS on both brokers: what is not vouched for is not listened to."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from live_brokers import BROKERS, Device, LiveBroker, can_connect, eventually, hear, listening
from paho.mqtt.enums import CallbackAPIVersion

from gateway.broker import Broker, BrokerError
from gateway.clock import SystemClock
from gateway.domain.endpoint import Endpoint
from ingest.mqtt import MqttSource
from ingest.stand_in import StandIn

pytestmark = pytest.mark.external


@dataclass(frozen=True)
class Papers:
    """A throw-away authority and the certificate that it gave to 127.0.0.1."""

    ca: Path
    cert: Path
    key: Path


def issue(folder: Path, *, days: int = 2) -> Papers:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=authority")
    openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:broker.test\n")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days), "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.crt", *signing)
    return Papers(folder / "ca.crt", folder / "server.crt", folder / "server.key")


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return issue(tmp_path / "papers")


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path, papers: Papers) -> Iterator[LiveBroker]:
    """Each broker in turn, speaking TLS only."""
    (folder := tmp_path / "broker").mkdir()
    live = BROKERS[request.param](folder, (papers.cert, papers.key))
    live.admit("hub-a")
    yield live
    assert live.is_ours(), "another server answered on this port: the test proves nothing"
    live.stop()


Ears = Callable[[Endpoint], MqttSource]


@pytest.fixture
def ears(tmp_path: Path) -> Iterator[Ears]:
    opened: list[MqttSource] = []

    def open_ear(endpoint: Endpoint) -> MqttSource:
        (folder := tmp_path / f"ear{len(opened)}").mkdir()
        opened.append(MqttSource(endpoint, folder, SystemClock()))
        return opened[-1]

    yield open_ear
    for source in opened:
        source.close()


def test_everything_works_as_without(broker: LiveBroker, papers: Papers, ears: Ears) -> None:
    gateway = replace(broker.gateway, ca=papers.ca, check_name=True)
    source = listening(ears(gateway))
    large = b"x" * 500_000
    with Device(broker.hub("hub-a")) as hub:
        for number in range(300):
            hub.client.publish("shouwang/hub-a/plain/hall", str(number), 1)
        hub.say("shouwang/hub-a/zigbee2mqtt/bridge/devices", large)
        hub.say("shouwang/hub-a/plain/sos/bed", "press")

    heard = hear(source, 302)

    assert [m.payload for m in heard if m.urgent] == [b"press"]
    assert [m.payload for m in heard if not m.urgent] == [*(str(n).encode() for n in range(300)), large]


def test_the_certificate_itself_will_do(broker: LiveBroker, papers: Papers, ears: Ears) -> None:
    """So the embedded broker needs no authority between itself and its own gateway."""
    listening(ears(replace(broker.gateway, ca=papers.cert, check_name=False)))


def test_a_stranger_is_not_listened_to(broker: LiveBroker, tmp_path: Path, ears: Ears) -> None:
    other = issue(tmp_path / "other")
    for endpoint in (
        replace(broker.gateway, ca=other.ca, check_name=True),
        replace(broker.gateway, ca=other.cert, check_name=False),
        replace(broker.gateway, ca=None, check_name=True),  # nobody on the machine's list vouches for it
    ):
        assert "CERTIFICATE_VERIFY_FAILED" in trouble(ears(endpoint))


def test_another_name_is_not_listened_to(broker: LiveBroker, papers: Papers, ears: Ears) -> None:
    elsewhere = replace(broker.gateway, host="localhost", ca=papers.ca, check_name=True)

    assert "localhost" in trouble(ears(elsewhere))


def test_no_plain_words_on_a_closed_line(broker: LiveBroker, ears: Ears) -> None:
    plain = replace(broker.gateway, tls=False, ca=None)
    source = ears(plain)

    for _ in range(50):
        source.poll(timedelta(milliseconds=10))

    assert source.listening_since() is None


def test_an_expired_certificate_is_not_listened_to(tmp_path: Path, ears: Ears) -> None:
    expired = issue(tmp_path / "expired", days=-1)
    broker = Broker(tmp_path / "state", port=0, cert=expired.cert, key=expired.key)
    broker.start()

    assert "expired" in trouble(ears(replace(broker.endpoint(), ca=expired.ca)))
    broker.stop()


def test_hubs_are_admitted_over_tls(broker: LiveBroker) -> None:
    broker.admit("hub-b")

    assert can_connect(broker.hub("hub-b"))


def test_papers_that_do_not_fit_are_told(tmp_path: Path, papers: Papers) -> None:
    with pytest.raises(BrokerError, match="'cert' and 'key'"):
        Broker(tmp_path, cert=papers.cert)
    with pytest.raises(BrokerError, match=r"missing\.key"):
        Broker(tmp_path, cert=papers.cert, key=tmp_path / "missing.key")
    other = issue(tmp_path / "other")
    with pytest.raises(BrokerError, match="private key does not match"):
        Broker(tmp_path, port=0, cert=papers.cert, key=other.key).start()


def trouble(source: MqttSource) -> str:
    """What keeps it from listening, once it has tried."""
    eventually(lambda: not source.poll(timedelta(milliseconds=10)) and "not answered" not in source.trouble())
    assert source.listening_since() is None
    return source.trouble()


def test_who_stands_in_for_a_broker_that_speaks_tls_speaks_nothing_else(papers: Papers) -> None:
    """While the disk takes nothing (`ingest/stand_in.py`)."""

    def context() -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(papers.cert, papers.key)
        return made

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with closing(StandIn("127.0.0.1", port, lambda *_: True, lambda: None, SystemClock(), tls=context)) as stand_in:
        said: list[str] = []
        for name, ca in (("plain", None), ("tls", papers.ca)):
            hub = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, reconnect_on_failure=False)
            hub.username_pw_set(name, "secret")
            if ca:
                hub.tls_set(str(ca))
            calling = threading.Thread(target=hub.connect, args=("127.0.0.1", port), daemon=True)
            calling.start()
            while calling.is_alive():
                stand_in.poll(timedelta(milliseconds=10))
            hub.publish(f"shouwang/{name}/plain/sos/cord", "{}", 1)
            hub.loop_start()
            for _ in range(20):
                said += [message.topic for message in stand_in.poll(timedelta(milliseconds=20))]
            hub.disconnect()
            hub.loop_stop()

    assert said == ["shouwang/tls/plain/sos/cord"]
