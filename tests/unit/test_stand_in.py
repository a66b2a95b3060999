"""In the broker's place while the disk takes nothing: whoever calls for help is heard, and nothing is acknowledged."""

import logging
import socket
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from test_wire import publish, with_length

from gateway.ports import Message
from ingest import stand_in
from ingest.stand_in import Receipt, StandIn

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PRESS = b'{"action":"emergency"}'
BUTTON = b"shouwang/hub-1/zigbee2mqtt/sos/cord"
NO_TIME = timedelta(0)


def text(said: bytes) -> bytes:
    return struct.pack("!H", len(said)) + said


def sign_in(
    hub: bytes,
    secret: bytes = b"secret",
    client: bytes = b"",
    *,
    clean: bool = False,
    level: int = 4,
    keepalive: int = 60,
) -> bytes:
    head = text(b"MQTT") + bytes([level, 0xC0 | clean << 1]) + struct.pack("!H", keepalive)
    return with_length(0x10, head + text(client or hub) + text(hub) + text(secret))


class Place(SimpleNamespace):
    """A stand-in on a free port, the hubs that call it, and what it has handed over."""

    source: StandIn
    port: int
    said: list[Message]

    def call(self, *packets: bytes) -> socket.socket:
        hub = socket.create_connection(("127.0.0.1", self.port))
        hub.settimeout(2)
        self.hubs.append(hub)
        hub.sendall(b"".join(packets))
        self.go_round()
        return hub

    def go_round(self) -> None:
        """Until nothing has come for a while."""
        for _ in range(3):
            self.said += self.source.poll(timedelta(milliseconds=20))

    def heard(self) -> list[tuple[str, bytes]]:
        return [(message.topic, message.payload) for message in self.said]


@pytest.fixture
def clock() -> SimpleNamespace:
    return SimpleNamespace(now=lambda: NOW)


@pytest.fixture
def place(clock: SimpleNamespace) -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = StandIn("127.0.0.1", port, lambda hub, secret: (hub, secret) in KNOWN, lambda: None, clock)
    place = Place(source=source, port=port, said=[], hubs=[])
    yield place
    source.close()
    for hub in place.hubs:
        hub.close()


KNOWN = {("hub-1", "secret"), ("hub-2", "secret")}


def is_hung_up(hub: socket.socket) -> bool:
    try:
        while hub.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_press_is_handed_over_and_never_acknowledged(place: Place) -> None:
    hub = place.call(sign_in(b"hub-1"), publish(BUTTON, PRESS, mid=7))
    place.source.settle(place.said)
    place.go_round()

    assert place.said == [
        Message(BUTTON.decode(), PRESS, NOW, urgent=True, receipt=Receipt(b"hub-1", 7, BUTTON, PRESS))
    ]
    hub.sendall(b"\xc0\x00")
    place.go_round()
    assert hub.recv(100) == b"\x20\x02\x01\x00" + b"\xd0\x00"  # welcome, and the answer to a ping: no PUBACK between


def test_a_hub_of_paho_signs_in_asks_to_hear_and_keeps_what_it_said(place: Place) -> None:
    hub = paho.Client(CallbackAPIVersion.VERSION2, client_id="hub-1", clean_session=False)
    hub.username_pw_set("hub-1", "secret")
    hub.will_set("shouwang/hub-1/plain/hub", "gone", 1)
    granted: list[int] = []
    hub.on_connect = lambda *_: hub.subscribe([("shouwang/hub-1/#", 1), ("shouwang/hub-1/plain/hub", 0)])
    hub.on_subscribe = lambda _c, _u, _m, reasons, _p: granted.extend(reason.value for reason in reasons)
    hub.connect("127.0.0.1", place.port)
    hub.loop_start()
    try:
        said = hub.publish(BUTTON.decode(), PRESS, 1)
        until = time.monotonic() + 5
        while not (granted and place.said) and time.monotonic() < until:
            place.go_round()
        assert granted == [1, 0]
        assert place.heard() == [(BUTTON.decode(), PRESS)]
        assert not said.is_published()
    finally:
        hub.disconnect()
        hub.loop_stop()


def test_what_is_said_again_over_a_new_connection_has_the_same_receipt_and_another_press_has_not(place: Place) -> None:
    place.call(sign_in(b"hub-1"), publish(BUTTON, PRESS, mid=7))
    place.call(sign_in(b"hub-1"), publish(BUTTON, PRESS, mid=7), publish(BUTTON, PRESS, mid=8))

    first, again, another = [message.receipt for message in place.said]
    assert first == again != another


def test_what_was_said_without_guarantee_is_heard_too(place: Place) -> None:
    place.call(sign_in(b"hub-1"), publish(BUTTON, PRESS))

    assert [message.receipt for message in place.said] == [None]


def test_readings_and_what_another_homes_hub_says_are_not_heard(place: Place) -> None:
    place.call(
        sign_in(b"hub-2"),
        publish(b"shouwang/hub-2/zigbee2mqtt/hall", b'{"occupancy":true}', mid=1),
        publish(BUTTON, PRESS, mid=2),
        publish(b"shouwang/hub-2/zigbee2mqtt/sos/cord", PRESS, mid=3),
    )

    assert place.heard() == [("shouwang/hub-2/zigbee2mqtt/sos/cord", PRESS)]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (sign_in(b"hub-1", b"guessed"), b"\x20\x02\x00\x05"),
        (sign_in(b"#"), b"\x20\x02\x00\x05"),
        (sign_in(b"hub-1", level=5), b"\x20\x02\x00\x01"),
        (b"", b""),
        (sign_in(b"hub-1")[:9] + b"\xff" * 60, b""),
        (b"\xc0\x00", b""),
        (b"\x30\xff\xff\xff\xff\xff", b""),
        (with_length(0x10, b"x" * 5000)[:4500], b""),
        (b"GET / HTTP/1.1\r\nHost: shouwang\r\n\r\n", b""),
    ],
    ids=["secret", "name", "protocol", "nothing", "cut", "ping", "length", "size", "browser"],
)
def test_who_does_not_sign_in_is_not_heard_and_is_hung_up(
    place: Place, said: bytes, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "LOOKED_THROUGH_S", 0.0)
    monkeypatch.setattr(stand_in, "SIGNS_IN_WITHIN_S", 0.05)
    stranger = place.call(said, publish(BUTTON, PRESS, mid=1) if answer else b"")
    place.go_round()

    assert stranger.recv(100) == answer if answer else is_hung_up(stranger)
    place.call(sign_in(b"hub-1"), publish(BUTTON, PRESS, mid=1))
    assert place.heard() == [(BUTTON.decode(), PRESS)]


def test_a_press_before_signing_in_is_nobodys(place: Place) -> None:
    stranger = place.call(publish(BUTTON, PRESS, mid=1))

    assert is_hung_up(stranger)
    assert place.said == []


def test_a_hub_that_comes_back_takes_the_place_of_its_dead_connection_and_of_no_other(place: Place) -> None:
    dead = place.call(sign_in(b"hub-1", client=b"line"))
    other = place.call(sign_in(b"hub-2", client=b"line"))
    place.call(sign_in(b"hub-1", client=b"line"))

    assert is_hung_up(dead)
    other.sendall(publish(b"shouwang/hub-2/plain/sos/cord", b"{}", mid=1))
    place.go_round()
    assert place.heard() == [("shouwang/hub-2/plain/sos/cord", b"{}")]


def test_who_falls_silent_is_hung_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in, "LOOKED_THROUGH_S", 0.0)
    silent, steady = place.call(sign_in(b"hub-1", keepalive=1)), place.call(sign_in(b"hub-2", keepalive=0))
    began = time.monotonic()
    while time.monotonic() < began + 1.7:
        place.go_round()

    assert is_hung_up(silent)
    steady.settimeout(0.1)
    assert not is_hung_up(steady)


def test_the_port_is_taken_from_whoever_may_be_ended(clock: SimpleNamespace) -> None:
    broker = socket.create_server(("127.0.0.1", 0))
    port = broker.getsockname()[1]

    source = StandIn("127.0.0.1", port, lambda *_: True, broker.close, clock)

    assert source.listening_since() == NOW
    source.close()


def test_while_another_has_the_port_it_is_tried_for_again_and_said_once(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stand_in, "VACATED_WITHIN_S", 0.05)
    monkeypatch.setattr(stand_in, "AGAIN_S", 0.0)
    with caplog.at_level(logging.ERROR), socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        source = StandIn("127.0.0.1", port, lambda *_: True, lambda: None, clock)
        source.poll(NO_TIME)
        assert source.listening_since() is None
        assert "in use" in source.trouble()
    source.poll(NO_TIME)

    assert (source.listening_since(), source.trouble()) == (NOW, "")
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]  # the second: it has the port
    source.close()


class Kept:
    """What a broker had taken in before."""

    def __init__(self, *messages: Message) -> None:
        self.left, self.settled, self.is_closed = list(messages), [], False

    def poll(self, wait: timedelta) -> list[Message]:
        assert wait == NO_TIME, "a press at the door must not wait for it"
        left, self.left = self.left, []
        return left

    def settle(self, messages: list[Message]) -> None:
        self.settled += messages

    def close(self) -> None:
        self.is_closed = True


def test_what_the_broker_had_acknowledged_is_handed_over_too_and_settled_with_its_copy(place: Place) -> None:
    before = Message("shouwang/hub-2/plain/sos/cord", b"{}", NOW, urgent=True, receipt=("sos", 1, 1))
    kept = Kept(before)
    place.source.hand_over_too(kept)
    place.call(sign_in(b"hub-1"), publish(BUTTON, PRESS, mid=7))

    assert [message.payload for message in place.said] == [b"{}", PRESS]
    place.source.settle(place.said)
    assert kept.settled == [before]
    place.source.close()
    assert kept.is_closed
