"""The wire: whatever way the bytes arrive in, the same messages come out, and paho gets what is paho's."""

import random
import socket
import struct
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.domain.endpoint import Endpoint
from ingest import mqtt, wire
from ingest.wire import Lost, Said, Wire

PINGRESP = b"\xd0\x00"


def with_length(first: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([first]) + bytes(digits) + body


def publish(topic: bytes, payload: bytes, *, mid: int = 0, retained: bool = False) -> bytes:
    first = 0x30 | (0x02 if mid else 0) | retained
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", mid) if mid else b"") + payload
    return with_length(first, body)


Line = SimpleNamespace


@pytest.fixture
def line() -> Iterator[Line]:
    """A wire, and the broker's end of it."""
    ours, broker = socket.socketpair()
    ours.setblocking(False)
    yield SimpleNamespace(wire=Wire(ours), broker=broker)
    ours.close()
    broker.close()


def take(wire: Wire, room: int = 1000) -> list[Said]:
    """Everything that is there, passing over what is paho's."""
    said: list[Said] = []
    while True:
        said += wire.cut(room)
        if wire.is_for_paho() and not wire.ended:
            wire.recv(2)
        elif not wire.fill():
            return said


def test_a_message_is_cut_out(line: Line) -> None:
    line.broker.send(publish(b"shouwang/h/plain/hall", b'{"kind":"motion"}', mid=513, retained=True))

    assert take(line.wire) == [Said(b"shouwang/h/plain/hall", b'{"kind":"motion"}', True, 513)]


def test_without_guarantee_it_has_no_number(line: Line) -> None:
    line.broker.send(publish(b"t", b""))

    assert take(line.wire) == [Said(b"t", b"", False, 0)]


@pytest.mark.parametrize("seed", range(30))
def test_any_fragments_give_the_same_messages(line: Line, seed: int) -> None:
    chance = random.Random(seed)
    sizes = [0, 1, 2, 5, 100, 126, 127, 128, 129, 200, 16_000, 17_000]
    expected, stream = [], b""
    for number in range(1, 40):
        topic = b"shouwang/" + b"x" * chance.choice(sizes[:8])
        payload = chance.randbytes(chance.choice(sizes))
        mid = number if chance.random() < 0.8 else 0
        expected.append(Said(topic, payload, False, mid))
        stream += publish(topic, payload, mid=mid)
        if chance.random() < 0.3:
            stream += PINGRESP

    said, at = [], 0
    while at < len(stream):
        step = chance.choice([1, 2, 3, 7, 50, 4000])
        line.broker.sendall(stream[at : at + step])
        at += step
        said += take(line.wire, room=chance.choice([1, 2, 1000]))
    said += take(line.wire)

    assert said == expected


def test_a_bound_is_kept(line: Line) -> None:
    line.broker.send(b"".join(publish(b"t", b"x", mid=number) for number in range(1, 11)))
    line.wire.fill()

    assert [len(line.wire.cut(4)) for _ in range(4)] == [4, 4, 2, 0]


def test_paho_gets_its_packet_whole_or_not_at_all(line: Line) -> None:
    line.broker.send(publish(b"t", b"x") + b"\x90\x03\x00")
    line.wire.fill()
    line.wire.cut(10)

    assert not line.wire.is_for_paho()
    with pytest.raises(BlockingIOError):
        Wire(line.broker).recv(1)
    line.broker.send(b"\x01\x01")
    line.wire.fill()
    assert line.wire.is_for_paho()
    assert line.wire.recv(1) + line.wire.recv(1) + line.wire.recv(3) == b"\x90\x03\x00\x01\x01"


@pytest.mark.parametrize(
    "nonsense",
    [
        with_length(0x36, b"\x00\x01t\x00\x01"),  # quality 3 does not exist
        with_length(0x32, b"\x00\x01t"),  # no number though it is guaranteed
        with_length(0x30, b"\x00\x09t"),  # the topic is longer than the packet
        with_length(0x30, b"\x00"),
        with_length(0x30, b""),
        b"\x30\xff\xff\xff\xff\x01",
        b"\x90\xff\xff\xff\xff\x01",
    ],
)
def test_nonsense_ends_the_connection(line: Line, nonsense: bytes) -> None:
    line.broker.send(nonsense)

    with pytest.raises(Lost):
        take(line.wire)


def test_an_endless_message_costs_no_endless_memory(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_KEPT", 1000)
    monkeypatch.setattr(wire, "CHUNK", 300)
    line.broker.send(publish(b"big", b"x" * 20_000, mid=7) + publish(b"next", b"y", mid=8))

    big, following = take(line.wire)

    assert (big.topic, big.mid, len(big.payload) < 1300) == (b"big", 7, True)
    assert following == Said(b"next", b"y", False, 8)


def test_acknowledgements_go_out_in_one_write(line: Line) -> None:
    line.wire.acknowledge([1, 513])
    line.wire.flush()

    assert line.broker.recv(100) == b"\x40\x02\x00\x01\x40\x02\x02\x01"
    assert not line.wire.has_unsent


def test_what_the_socket_does_not_take_is_kept_in_order(line: Line) -> None:
    numbers = [*range(1, 60_000)]
    line.wire.acknowledge(numbers)

    got = b""
    while line.wire.has_unsent:
        line.wire.flush()
        got += line.broker.recv(1_000_000)

    assert [n for (n,) in struct.iter_unpack("!xxH", got)] == numbers


def test_a_broker_that_takes_nothing_is_given_up(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_UNSENT", 1000)
    while not line.wire.ended:
        line.wire.acknowledge(range(10_000))
        line.wire.flush()

    assert line.wire.ended == "the broker takes no acknowledgements"


def test_an_end_is_noticed_after_everything_was_read(line: Line) -> None:
    line.broker.send(publish(b"t", b"last words"))
    line.broker.close()

    assert [s.payload for s in take(line.wire)] == [b"last words"]
    assert line.wire.ended == "closed by the broker"
    assert line.wire.recv(1) == b""


def test_paho_lets_us_in_at_its_door() -> None:
    """What we rely on in the pinned paho: the context that we hand it wraps the socket, and it speaks through that."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        door = mqtt._Door(Endpoint(host="127.0.0.1", port=server.getsockname()[1]))
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="x", clean_session=False, manual_ack=True)
        client.tls_set_context(door)
        client.connect(*server.getsockname())
        broker, _ = server.accept()
        with broker:
            assert door.wire is not None
            assert client.socket() is door.wire
            door.wire.flush()
            assert broker.recv(100)[:8] == b"\x10\x0d\x00\x04MQTT"
            broker.send(b"\x20\x02\x01\x00" + publish(b"t", b"ours", mid=3))
            connected: list[bool] = []
            client.on_connect = lambda _c, _u, flags, _r, _p: connected.append(flags.session_present)
            client.on_message = lambda *_: pytest.fail("a message is cut out before paho sees it")
            wait_for(door.wire.fill)
            assert not door.wire.cut(10)
            assert door.wire.is_for_paho()
            client.loop_read()
            assert connected == [True]
            assert [s.payload for s in door.wire.cut(10)] == [b"ours"]
            client.disconnect()


def wait_for(true: Callable[[], bool]) -> None:
    while not true():
        pass
