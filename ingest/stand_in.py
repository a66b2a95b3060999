"""Stands in for the broker that comes with us while the disk takes nothing: hears who calls for help, and acknowledges
nothing.

NATS that cannot write lets nobody in, and of whoever was in already it takes one message and ends the connection. So it
is ended, and its port is ours for as long. Hubs sign in as ever and say what they have to say. Nothing is acknowledged,
so they keep it, ring on in the home, and say it again to the broker as soon as there is one. The server's half of
MQTT 3.1.1, as far as a hub needs it.
"""

import logging
import resource
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from gateway.ports import Clock, Message, Source
from ingest.mqtt import CHUNKS_AT_ONCE, ROOT, is_for_sos
from ingest.wire import LARGEST_KEPT, Lost, Wire

log = logging.getLogger(__name__)

VACATED_WITHIN_S: Final = 1.0  # from when the broker was ended until its port is free
AGAIN_S: Final = 1.0  # before the port is tried for again
SIGNS_IN_WITHIN_S: Final = 10.0
LARGEST_SIGN_IN: Final = 4096  # bytes; name, secret and last will of a hub are some hundred
FILES_OF_OUR_OWN: Final = 256  # of those that a process may have open, what is left to its other parts
NEWCOMERS_AT_ONCE: Final = 64  # taken in before somebody is listened to again
AT_ONCE: Final = timedelta(0)
LOOKED_THROUGH_S: Final = 5.0  # how often for those who have fallen silent

_CONNECT, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ, _DISCONNECT = 0x10, 0x82, 0xA2, 0xC0, 0xE0
_PINGRESP: Final = b"\xd0\x00"
_OTHER_PROTOCOL, _NOT_ADMITTED = 1, 5  # what a CONNACK says
_SPOKEN: Final = ((b"MQTT", 4), (b"MQIsdp", 3))


class Receipt(NamedTuple):
    """What is said again over a new connection has the same, for its number is free only when it is acknowledged."""

    client: bytes
    mid: int
    topic: bytes
    payload: bytes


class _Caller:
    """One connection."""

    def __init__(self, sock: socket.socket, now: float) -> None:
        self.wire = Wire(sock)
        self.client = b""
        self.root = b""  # of the topics that are this hub's; empty before it has signed in
        self.patience_s = SIGNS_IN_WITHIN_S
        self.since = now

    def is_lost(self, now: float) -> bool:
        """It said nothing for too long, or, before it has signed in, nothing that counts."""
        return now - (self.wire.heard_at if self.root else self.since) > self.patience_s


class StandIn:
    """A source (`ports.Source`) of nothing but calls for help. What it hears itself is never settled."""

    def __init__(
        self,
        host: str,
        port: int,
        admits: Callable[[str, str], bool],
        vacate: Callable[[], object],
        clock: Clock,
        *,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """`admits` judges a hub's name and secret, `vacate` ends whoever has the port, so far as it may be ended."""
        self._host, self._port, self._admits, self._vacate, self._clock = host, port, admits, vacate, clock
        self._tls = tls
        self._kept: Source | None = None
        self._context: ssl.SSLContext | None = None
        self._door: socket.socket | None = None
        self._poll = select.epoll()
        self._callers: dict[int, _Caller] = {}
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - FILES_OF_OUR_OWN
        self._since: datetime | None = None
        self._trouble = ""
        self._due = 0.0
        self._look_at = 0.0
        self._open()

    def hand_over_too(self, kept: Source) -> None:
        """What the broker had acknowledged before, and what nobody has been called for."""
        self._kept = kept

    # ---- the port

    def poll(self, wait: timedelta) -> Sequence[Message]:
        """What has come by now, or came first within `wait`."""
        said = list(self._kept.poll(AT_ONCE)) if self._kept else []
        wait = AT_ONCE if said else wait
        if self._door is None:
            time.sleep(wait.total_seconds())
            self._open()
            return said
        for descriptor, _ in self._poll.poll(wait.total_seconds()):
            if descriptor == self._door.fileno():
                self._let_in(self._door)
            else:
                said += self._listen(descriptor)
        self._look_through()
        return said

    def presses(self) -> Sequence[Message]:
        return self.poll(AT_ONCE)

    def settle(self, messages: Iterable[Message]) -> None:
        """Nothing to the hubs: what is acknowledged to them lies on a disk."""
        if self._kept:
            self._kept.settle([message for message in messages if not isinstance(message.receipt, Receipt)])

    def listening_since(self) -> datetime | None:
        return self._since

    def trouble(self) -> str:
        """Why nobody is heard; "" while all is well."""
        return self._trouble

    def close(self) -> None:
        for descriptor in list(self._callers):
            self._hang_up(descriptor)
        if self._kept:
            self._kept.close()
        if self._door is not None:
            self._door.close()
        self._poll.close()

    # ---- how it is done

    def _open(self) -> None:
        """Have whoever has the port ended, and take it before it is started again."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + AGAIN_S
        try:
            self._context = self._tls() if self._tls else None
            self._vacate()
            door = self._bind(now + VACATED_WITHIN_S)
        except OSError as error:
            if str(error) != self._trouble:  # say it once
                log.error("the port of the broker cannot be had", extra={"port": self._port, "reason": str(error)})
            self._trouble = str(error)
            return
        door.setblocking(False)
        self._poll.register(door, select.EPOLLIN)
        self._door, self._since, self._trouble = door, self._clock.now(), ""
        log.warning("hubs are heard in the broker's place, and nothing is acknowledged", extra={"port": self._port})

    def _bind(self, until: float) -> socket.socket:
        family, kind, _, _, address = socket.getaddrinfo(
            self._host or None, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        while True:
            door = socket.socket(family, kind)
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(address)
                door.listen(1024)  # a town of hubs comes back at once
            except OSError:
                door.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return door

    def _let_in(self, door: socket.socket) -> None:
        for _ in range(NEWCOMERS_AT_ONCE):
            try:
                sock, _address = door.accept()
            except OSError:  # nobody waits any more, or no descriptor is left
                return
            sock.setblocking(False)
            if len(self._callers) >= self._most:
                sock.close()
                continue
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is not None:
                    sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            except OSError:  # it has gone already
                sock.close()
                continue
            self._callers[sock.fileno()] = _Caller(sock, time.monotonic())
            self._poll.register(sock, select.EPOLLIN)

    def _listen(self, descriptor: int) -> list[Message]:
        """Read what lies ready of one caller, answer what wants an answer, and pick out what calls for help."""
        caller = self._callers.get(descriptor)
        if caller is None:
            return []  # hung up meanwhile, by itself on another connection
        said: list[Message] = []
        try:
            for _ in range(CHUNKS_AT_ONCE):
                is_more = caller.wire.fill()
                said += self._understand(caller)
                if not is_more:
                    break
            caller.wire.flush()
        except (Lost, ValueError, IndexError, struct.error):
            self._hang_up(descriptor)
            return said
        if caller.wire.ended:
            self._hang_up(descriptor)
        return said

    def _understand(self, caller: _Caller) -> list[Message]:
        wire, said = caller.wire, []
        while True:
            for topic, payload, _, mid in wire.cut(LARGEST_KEPT):
                if not caller.root:
                    raise Lost("it says something before it has signed in")
                if topic.startswith(caller.root) and is_for_sos(topic):
                    receipt = Receipt(caller.client, mid, topic, payload) if mid else None
                    text = topic.decode("utf-8", "replace")
                    said.append(Message(text, payload, self._clock.now(), urgent=True, receipt=receipt))
            packet = wire.packet()
            if packet is None:
                if wire.unread > (LARGEST_KEPT if caller.root else LARGEST_SIGN_IN):
                    raise Lost("it says more than any hub does")
                return said
            self._answer(caller, *packet)

    def _answer(self, caller: _Caller, first: int, body: bytes) -> None:
        wire = caller.wire
        if not caller.root:
            self._sign_in(caller, first, body)
        elif first == _PINGREQ:
            wire.send(_PINGRESP)
        elif first == _SUBSCRIBE:  # granted, and nothing will come
            granted = bytes(_asked_for(body))
            wire.send(b"\x90" + _length(2 + len(granted)) + body[:2] + granted)
        elif first == _UNSUBSCRIBE:
            wire.send(b"\xb0\x02" + body[:2])
        elif first in (_CONNECT, _DISCONNECT):
            raise Lost("it goes")

    def _sign_in(self, caller: _Caller, first: int, body: bytes) -> None:
        if first != _CONNECT:
            raise Lost("it does not sign in")
        protocol, at = _text(body, 0)
        level, flags, keepalive = struct.unpack_from("!BBH", body, at)
        if (protocol, level) not in _SPOKEN:
            self._refuse(caller, _OTHER_PROTOCOL)
        client, at = _text(body, at + 4)
        if flags & 0x04:  # a last will: that a hub has gone is nothing to be told now
            _, at = _text(body, at)
            _, at = _text(body, at)
        name, at = _text(body, at) if flags & 0x80 else (b"", at)
        secret, at = _text(body, at) if flags & 0x40 else (b"", at)
        if not self._admits(name.decode(), secret.decode()):
            self._refuse(caller, _NOT_ADMITTED)
        root = f"{ROOT}/{name.decode()}/".encode()
        for descriptor, other in list(self._callers.items()):
            if (other.client, other.root) == (client, root):
                self._hang_up(descriptor)  # the line broke, and it did not hear of it
        caller.client, caller.root = client, root
        caller.patience_s = 1.5 * keepalive or float("inf")
        is_known = not flags & 0x02  # it asked for a session that lasts, and what it keeps for it holds
        caller.wire.send(bytes([0x20, 2, is_known, 0]))

    def _refuse(self, caller: _Caller, why: int) -> None:
        caller.wire.send(bytes([0x20, 2, 0, why]))
        caller.wire.flush()
        raise Lost("it is not admitted")

    def _look_through(self) -> None:
        """Hang up on those who have fallen silent."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOKED_THROUGH_S
            for descriptor, caller in list(self._callers.items()):
                if caller.is_lost(now):
                    self._hang_up(descriptor)

    def _hang_up(self, descriptor: int) -> None:
        self._callers.pop(descriptor).wire.close()  # which takes it out of what is polled as well


def _text(body: bytes, at: int) -> tuple[bytes, int]:
    """A string with its length before it, and where the next thing begins."""
    (length,) = struct.unpack_from("!H", body, at)
    end = at + 2 + length
    if end > len(body):
        raise ValueError("a string that does not end")
    return body[at + 2 : end], end


def _asked_for(body: bytes) -> Iterable[int]:
    """The quality of each filter in a SUBSCRIBE."""
    at = 2
    while at < len(body):
        _, at = _text(body, at)
        yield min(body[at], 1)
        at += 1


def _length(length: int) -> bytes:
    digits = bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(digits)
