"""The ear against a broker without manners: one that floods, hangs, talks nonsense or is not one at all."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.domain.endpoint import Endpoint
from gateway.ports import Message
from ingest.mqtt import READINGS, SOS, MqttSource


def publish(topic: bytes, payload: bytes = b"{}", mid: int = 1) -> bytes:
    body = struct.pack("!H", len(topic)) + topic + struct.pack("!H", mid) + payload
    assert len(body) < 128
    return bytes([0x32, len(body)]) + body


class Rascal:
    """Accepts whoever comes, says what it is told to, and writes down what it hears. One connection is one session."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.greeting = b"\x20\x02\x00\x00"
        self.grants = True
        self.first_words = b""  # said behind the grant, to every session
        self.sessions: list[socket.socket] = []
        self.heard: list[bytes] = []
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while True:
            try:
                session, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(session,), daemon=True).start()

    def _serve(self, session: socket.socket) -> None:
        try:
            while packet := self._packet(session):
                kind = packet[0] & 0xF0
                if kind == 0x10:
                    session.sendall(self.greeting)
                elif kind == 0x80 and self.grants:
                    filters = b"\x01" * packet.count(b"#")
                    session.sendall(bytes([0x90, 2 + len(filters)]) + packet[2:4] + filters + self.first_words)
                    self.sessions.append(session)
                else:
                    self.heard.append(packet)
        except OSError:
            pass

    @staticmethod
    def _packet(session: socket.socket) -> bytes:
        """One packet with the length of its body in a single byte, also where it came in two."""
        head = session.recv(2, socket.MSG_WAITALL)
        if len(head) < 2 or not head[1]:
            return head
        size = head[1]
        if size & 0x80:
            size = (size & 0x7F) + (session.recv(1)[0] << 7)
        return bytes([head[0], size & 0x7F]) + session.recv(size, socket.MSG_WAITALL)

    def close(self) -> None:
        self.server.close()
        for session in self.sessions:
            session.close()


@pytest.fixture
def rascal() -> Iterator[Rascal]:
    broker = Rascal()
    yield broker
    broker.close()


@pytest.fixture
def source(rascal: Rascal, tmp_path: Path) -> Iterator[MqttSource]:
    ear = MqttSource(Endpoint(host="127.0.0.1", port=rascal.port), tmp_path, SystemClock())
    yield ear
    ear.close()


def poll_until(source: MqttSource, true: Callable[[], object], within_s: float = 20.0) -> list[Message]:
    heard: list[Message] = []
    until = time.monotonic() + within_s
    while not true():
        heard += source.poll(timedelta(milliseconds=10))
        assert time.monotonic() < until, source.trouble()
    return heard


def test_a_flood_waits_outside(rascal: Rascal, source: MqttSource) -> None:
    """It sends without a window. What we do not ask for stays in the sockets, and then with the broker."""
    poll_until(source, source.listening_since)
    sender = rascal.sessions[1]
    sender.setblocking(False)
    flood = publish(b"shouwang/h/plain/hall", b"x" * 90) * 2000
    sent = 0

    def pour() -> int:
        nonlocal sent
        before = sent
        quiet = 0
        while quiet < 20:
            try:
                sent += sender.send(flood[sent % len(flood) :])
                quiet = 0
            except BlockingIOError:
                quiet += 1
                time.sleep(0.01)
        return sent - before

    pour()
    assert pour() == 0, "nobody polls, so nobody reads"
    batch = source.poll(timedelta(seconds=1))
    assert len(batch) == 500
    assert pour() < 2_000_000, "one poll makes room for what it took, and a little"


def test_the_life_safety_session_subscribes_first(rascal: Rascal, source: MqttSource) -> None:
    """Else a press that came between the two would be kept by one session and dropped for the sake of the other."""
    rascal.grants = False
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        source.poll(timedelta(milliseconds=10))

    assert len([packet for packet in rascal.heard if packet[0] & 0xF0 == 0x80]) == 1
    assert b"/sos/#" in rascal.heard[0]


@pytest.mark.parametrize(("present", "changed"), [(b"\x01", False), (b"\x00", False), (b"\x01", True)])
def test_our_own_broker_is_asked_again_only_for_what_it_does_not_know(
    rascal: Rascal, tmp_path: Path, present: bytes, changed: bool
) -> None:
    rascal.greeting = b"\x20\x02" + present + b"\x00"
    (tmp_path / "mqtt-sos.json").write_text(json.dumps(SOS))
    (tmp_path / "mqtt-readings.json").write_text(json.dumps(READINGS[1:] if changed else READINGS))
    where = Endpoint(host="127.0.0.1", port=rascal.port)
    with closing(MqttSource(where, tmp_path, SystemClock(), renew=lambda: None)) as ours:
        poll_until(ours, ours.listening_since)

        assert len(rascal.sessions) == {(b"\x00", False): 2, (b"\x01", True): 1, (b"\x01", False): 0}[present, changed]


def test_a_guest_that_is_turned_away_goes_again(
    rascal: Rascal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ingest.mqtt.BACKLOG_WITHIN_S", 0.0)
    monkeypatch.setattr("ingest.mqtt.ASK_AGAIN_S", 0.2)
    monkeypatch.setattr("ingest.mqtt.QUIET_S", 0.2)
    rascal.greeting = b"\x20\x02\x01\x00"
    (tmp_path / "mqtt-sos.json").write_text(json.dumps(SOS))
    (tmp_path / "mqtt-readings.json").write_text(json.dumps(READINGS))
    where = Endpoint(host="127.0.0.1", port=rascal.port)
    with closing(MqttSource(where, tmp_path, SystemClock(), renew=lambda: None)) as ours:
        poll_until(ours, ours.listening_since)
        rascal.greeting = b"\x20\x02\x00\x03"  # unavailable
        poll_until(ours, lambda: caplog.text.count("What is retained could not be asked for") == 2)
        rascal.first_words = b"".join(
            bytes([first]) + publish(topic)[1:]
            for first, topic in (
                (0x33, b"shouwang/h/plain/hall"),  # retained
                (0x33, b"shouwang/h/\xff"),  # retained, and no text
                (0x32, b"shouwang/h/plain/hall"),  # said anew: our session brings it
            )
        )
        rascal.greeting = b"\x20\x02\x00\x00"
        heard: list[Message] = []
        until = time.monotonic() + 3.0
        while time.monotonic() < until:
            heard += ours.poll(timedelta(milliseconds=10))

        assert [(m.topic, m.retained, m.receipt) for m in heard] == [("shouwang/h/plain/hall", True, None)]
        assert len(rascal.sessions) == 1, "once is enough"


def test_a_topic_that_is_no_text_is_handed_on(rascal: Rascal, source: MqttSource) -> None:
    rascal.first_words = publish(b"shouwang/h/plain/\xff\xfe", b"x", 9)
    heard = poll_until(source, lambda: len(rascal.sessions) == 2)
    heard += [*source.poll(timedelta(seconds=1)), *source.poll(timedelta(seconds=1))]

    assert {m.topic for m in heard} == {"shouwang/h/plain/\ufffd\ufffd"}
    source.settle(heard)
    eventually(lambda: rascal.heard.count(b"\x40\x02\x00\x09") == 2)


def test_nonsense_is_a_reason_to_begin_again(rascal: Rascal, source: MqttSource) -> None:
    rascal.first_words = b"\x36\x05\x00\x01t\x00\x01"
    poll_until(source, lambda: "malformed" in source.trouble())
    rascal.first_words = b""

    poll_until(source, source.listening_since)


def test_an_unknown_packet_is_a_reason_to_begin_again(rascal: Rascal, source: MqttSource) -> None:
    rascal.first_words = b"\xf0\x00"
    poll_until(source, lambda: source.trouble() and "not answered" not in source.trouble())
    rascal.first_words = b""

    poll_until(source, source.listening_since)


def test_a_broker_that_never_grants_is_given_up(
    rascal: Rascal, source: MqttSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.mqtt.GRANT_WITHIN_S", 0.2)
    rascal.grants = False
    poll_until(source, lambda: "did not subscribe us" in source.trouble())
    rascal.grants = True

    poll_until(source, source.listening_since)


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x05", b"\x20\x02\x00\x01", b"\0"]
)
def test_who_is_no_broker_or_does_not_want_us(rascal: Rascal, source: MqttSource, greeting: bytes) -> None:
    rascal.greeting = greeting
    until = time.monotonic() + 0.7
    while time.monotonic() < until:
        assert not source.poll(timedelta(milliseconds=10))

    assert source.listening_since() is None
    assert source.trouble()


def test_messages_of_a_lost_connection_are_not_settled_on_the_next(rascal: Rascal, source: MqttSource) -> None:
    poll_until(source, source.listening_since)
    rascal.sessions[1].sendall(publish(b"shouwang/h/plain/hall", b"old", 7))
    old = poll_until_some(source)
    rascal.sessions[1].shutdown(socket.SHUT_RDWR)
    poll_until(source, lambda: len(rascal.sessions) == 3 and source.listening_since())
    rascal.sessions[2].sendall(publish(b"shouwang/h/plain/hall", b"new", 7))
    new = poll_until_some(source)

    source.settle(old)
    source.settle(new)

    eventually(lambda: b"\x40\x02\x00\x07" in rascal.heard)
    assert rascal.heard.count(b"\x40\x02\x00\x07") == 1


def test_a_batch_of_large_messages_is_bounded_too(rascal: Rascal, source: MqttSource) -> None:
    poll_until(source, source.listening_since)
    body = b"\0\1t\0\1" + b"x" * 299_995
    large = b"\x32" + bytes([300_000 % 128 | 128, 300_000 // 128 % 128 | 128, 300_000 // 16384]) + body
    threading.Thread(target=lambda: rascal.sessions[1].sendall(large * 60), daemon=True).start()

    sizes = []
    while sum(sizes) < 60:
        sizes.append(len(source.poll(timedelta(seconds=1))))

    assert max(sizes) <= 15


def poll_until_some(source: MqttSource) -> list[Message]:
    heard: list[Message] = []
    until = time.monotonic() + 20
    while not heard:
        heard += source.poll(timedelta(milliseconds=10))
        assert time.monotonic() < until
    return heard


def eventually(true: Callable[[], object], within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)
