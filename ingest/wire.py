"""The wire under an MQTT connection: what was said is cut out of it many packets at a time, and so is acknowledged.

It carries a connection that paho has opened and keeps up. Paho needs four reads and a write for each message; here a
read brings a hundred of them, and one write acknowledges a hundred.
"""

import socket
import ssl
import struct
import time
from collections.abc import Iterable
from typing import Final, NamedTuple

CHUNK: Final = 128 * 1024  # one read from the socket
LARGEST_KEPT: Final = 2 * 1024 * 1024  # of a message; intake refuses at half of this, so more is of no use
LARGEST_UNSENT: Final = 1024 * 1024  # acknowledgements for a quarter of a million messages that nobody takes

_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_puback = struct.Struct("!BBH").pack


class Lost(Exception):
    """The connection is of no more use; the text says why."""


class Said(NamedTuple):
    """One PUBLISH as it stood on the wire."""

    topic: bytes
    payload: bytes
    retained: bool
    mid: int  # 0: sent without guarantee, so there is nothing to acknowledge


class Wire:
    """The socket under one connection: reads much at once, cuts PUBLISH packets, gathers what is to be written.

    Paho sees it as its socket, and through it every packet but PUBLISH.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = b""
        self._at = 0  # where the next packet begins
        self._skip = 0  # bytes of an oversized payload that are still to run past
        self._out = bytearray()
        self.heard_at = time.monotonic()
        self.ended = ""  # why there is no more to read

    # what paho asks of a socket

    def recv(self, size: int) -> bytes:
        """Only what was read already. Nothing at all means that the connection has ended."""
        data = self._in[self._at : self._at + size]
        if not data and not self.ended:
            raise BlockingIOError
        self._at += len(data)
        return data

    def send(self, data: bytes) -> int:
        self._out += data
        return len(data)

    def fileno(self) -> int:
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        self._sock.setblocking(flag)

    def settimeout(self, timeout: float | None) -> None:
        self._sock.settimeout(timeout)

    def do_handshake(self) -> None:
        if isinstance(self._sock, ssl.SSLSocket):
            self._sock.do_handshake()

    def close(self) -> None:
        self.flush()
        self._sock.close()

    # what the session asks of it

    def fill(self) -> bool:
        """Read one chunk of what the kernel holds; False when there is nothing now."""
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            self.ended = str(error)
            return False
        if not data:
            self.ended = "closed by the broker"
            return False
        self.heard_at = time.monotonic()
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        self._in = self._in[self._at :] + data
        self._at = 0
        return True

    def cut(self, room: int) -> list[Said]:
        """At most `room` PUBLISH packets from what was read; stops at a packet that is paho's, or not whole yet."""
        said: list[Said] = []
        data, at, size = self._in, self._at, len(self._in)
        while len(said) < room and size - at >= 2:
            first = data[at]
            if first & 0xF0 != _PUBLISH:
                break
            length = data[at + 1]
            if length < 0x80:
                body, end = at + 2, at + 2 + length
            elif size - at > 2 and data[at + 2] < 0x80:
                body, end = at + 3, at + 3 + (length & 0x7F | data[at + 2] << 7)
            else:
                body, end = _extent(data, at)
            if end > size:
                if size - at <= LARGEST_KEPT:
                    break
                # No sensor says this much. Keep the head for the quarantine and let the rest run past.
                self._skip = end - size
                end = size
            elif end == 0:
                break
            topic = body + 2
            cut = topic + (data[body] << 8 | data[body + 1]) if topic <= end else end + 1
            guaranteed = first & 0x06
            payload = cut + 2 if guaranteed else cut
            if payload > end or guaranteed == 0x06:
                raise Lost("the broker sent a malformed PUBLISH")
            mid = data[cut] << 8 | data[cut + 1] if guaranteed else 0
            said.append(Said(data[topic:cut], data[payload:end], first & 1 == 1, mid))
            at = end
        self._at = at
        return said

    def is_for_paho(self) -> bool:
        """A whole packet of another kind lies at the front, or the connection has ended."""
        if self.ended:
            return True
        if self._at >= len(self._in) or self._in[self._at] & 0xF0 == _PUBLISH:
            return False
        _, end = _extent(self._in, self._at)
        return 0 < end <= len(self._in)

    def packet(self) -> tuple[int, bytes] | None:
        """A whole packet of another kind that lies at the front, for whoever has no paho: its first byte, its body."""
        if self._at >= len(self._in) or self._in[self._at] & 0xF0 == _PUBLISH:
            return None
        body, end = _extent(self._in, self._at)
        if not 0 < end <= len(self._in):
            return None
        first, self._at = self._in[self._at], end
        return first, self._in[body:end]

    @property
    def unread(self) -> int:
        """Bytes that were read from the socket and not taken from here."""
        return len(self._in) - self._at

    def acknowledge(self, mids: Iterable[int]) -> None:
        self._out += b"".join([_puback(_PUBACK, 2, mid) for mid in mids])

    def publish(self, topic: bytes, mid: int) -> None:
        """Say something short, with guarantee; its acknowledgement is paho's, who does not mind it."""
        body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big")
        if len(body) > 127:
            raise ValueError(f"no short topic: {topic!r} has {len(topic)} bytes, and 123 can be said so")
        self._out += bytes([_PUBLISH | 0x02, len(body)]) + body

    def flush(self) -> None:
        """Write what the socket takes now."""
        if not self._out:
            return
        try:
            sent = self._sock.send(self._out)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        except OSError as error:
            self.ended = self.ended or str(error)
            return
        del self._out[:sent]
        if len(self._out) > LARGEST_UNSENT:
            self.ended = "the broker takes no acknowledgements"

    @property
    def has_unsent(self) -> bool:
        return bool(self._out)


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the body of the packet at `at` begins and ends; (0, 0) while its length has not arrived."""
    length = shift = 0
    for place in range(at + 1, min(at + 5, len(data))):
        digit = data[place]
        length |= (digit & 0x7F) << shift
        if digit < 0x80:
            return place + 1, place + 1 + length
        shift += 7
    if shift >= 28:
        raise Lost("the broker sent a packet without a length")
    return 0, 0
