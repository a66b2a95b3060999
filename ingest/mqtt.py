"""The ear: two durable MQTT sessions, read by the one thread that also stores what was heard.

A message is settled, that is acknowledged to the broker, only when it is safe with us; until then the broker keeps
it. Life-safety devices have a session of their own, so that a press never waits behind a backlog of readings.
Nothing is read from a socket before there is room for it: the bound on our memory is the batch, not the broker's
good manners.

Paho speaks MQTT 3.1.1 for us: connect, subscribe, ping, TLS. Only the two packets of which there are millions,
PUBLISH in and PUBACK out, are cut and packed here (`_Wire`), because paho needs four reads and a write for each.
It lets us under its socket by a public door: the context that is asked to wrap it (`tls_set_context`).
"""

import json
import logging
import os
import secrets
import select
import socket
import ssl
import string
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import paho.mqtt.client as paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.domain.endpoint import Endpoint
from gateway.ports import Clock, Message

log = logging.getLogger(__name__)

ROOT: Final = "shouwang"
READINGS: Final = (f"{ROOT}/#",)
SOS: Final = (f"{ROOT}/+/zigbee2mqtt/sos/#", f"{ROOT}/+/plain/sos/#")

KEEPALIVE_S: Final = 20
DIAL_WITHIN_S: Final = 5.0  # to connect, and to agree on TLS
GRANT_WITHIN_S: Final = 10.0  # from connected to subscribed
RETRY_S: Final = (0.2, 5.0)  # the first and the longest wait between attempts
PATIENCE_S: Final = 2.0  # how long the readings wait for the life-safety session to be first
OVERLAP: Final = timedelta(minutes=10)
"""After a life-safety session had to be made anew beside an old readings session: see `MqttSource._is_doubled`."""

CHUNK: Final = 128 * 1024  # one read from the socket
LARGEST_KEPT: Final = 2 * 1024 * 1024  # of a payload; intake refuses at half of this, so the rest is only counted
LARGEST_UNSENT: Final = 1024 * 1024  # acknowledgements for a quarter of a million messages that nobody takes


class _Lost(Exception):
    """The connection is of no more use; the text says why."""


# --------------------------------------------------------------------------- the wire


class _Said(NamedTuple):
    """One PUBLISH as it stood on the wire."""

    topic: bytes
    payload: bytes
    retained: bool
    mid: int  # 0: sent without guarantee, so there is nothing to acknowledge


class _Wire:
    """The socket under one connection: reads much at once, cuts PUBLISH packets, gathers what is to be written.

    Paho sees it as its socket, and through it every packet but PUBLISH.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = b""
        self._at = 0  # where the next packet begins
        self._skip = 0  # bytes of an oversized payload that are still to run past
        self._out = bytearray()
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
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        self._in = self._in[self._at :] + data
        self._at = 0
        return True

    def cut(self, room: int) -> list[_Said]:
        """At most `room` PUBLISH packets from what was read; stops at a packet that is paho's, or not whole yet."""
        said: list[_Said] = []
        data, at, size = self._in, self._at, len(self._in)
        while len(said) < room and size - at >= 2:
            first = data[at]
            if first & 0xF0 != _PUBLISH:
                break
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
                raise _Lost("the broker sent a malformed PUBLISH")
            mid = data[cut] << 8 | data[cut + 1] if guaranteed else 0
            said.append(_Said(data[topic:cut], data[payload:end], first & 1 == 1, mid))
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

    def acknowledge(self, mids: Iterable[int]) -> None:
        self._out += b"".join([_puback(0x40, 2, mid) for mid in mids])

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


_PUBLISH: Final = 0x30
_puback = struct.Struct("!BBH").pack


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
        raise _Lost("the broker sent a packet without a length")
    return 0, 0


class _Door:
    """What paho takes for a TLS context: it wraps the connected socket into our wire, with TLS inside where asked."""

    check_hostname = True  # whether names are checked is our context's business, not paho's

    def __init__(self, endpoint: Endpoint) -> None:
        self._context = _tls(endpoint) if endpoint.tls else None
        self.wire: _Wire | None = None

    def wrap_socket(self, sock: socket.socket, server_hostname: str = "", **_: Any) -> _Wire:
        # A press must not wait for the acknowledgement of the one before (Nagle and delayed ACK: 43 ms).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context:
            sock = self._context.wrap_socket(sock, server_hostname=server_hostname, do_handshake_on_connect=False)
        self.wire = _Wire(sock)
        return self.wire


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(endpoint.ca) if endpoint.ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = endpoint.check_name
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # "ca" may be the very certificate of the server
    return context


# --------------------------------------------------------------------------- a session


class _State(Enum):
    AWAY = "no connection"
    DIALLING = "a thread of its own is connecting"
    OPENING = "connected, not yet subscribed"
    GRANTED = "subscribed"


class _Session:
    """One durable session: connects, subscribes, and begins again whenever that ends."""

    def __init__(
        self,
        name: str,
        client_id: str,
        filters: Sequence[str],
        endpoint: Endpoint,
        clock: Clock,
        *,
        kept: Path,
        wake: socket.socket,
    ) -> None:
        self.name = name
        self.state = _State.AWAY
        self.generation = 0  # grows with each connection: packet ids mean nothing on another one
        self.granted_at: datetime | None = None
        self.trouble = ""
        # When the broker began to keep messages for us, bracketed; 0 is before our time.
        self.kept_after = 0.0
        self.kept_by = 0.0
        self._is_new = False
        self._filters = list(filters)
        self._endpoint = endpoint
        self._clock = clock
        self._kept = kept  # a file that names the filters which the broker has granted to this session
        self._wake = wake
        self._wire: _Wire | None = None
        self._dialled = threading.Event()
        self._failed: Exception | None = None
        self._refused = ""
        self._closed = False
        self._next_try = 0.0
        self._pause = RETRY_S[0]
        self._opened = 0.0
        self._looked_after = 0.0
        self._lost_at: float | None = None
        self._door = _Door(endpoint)
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=paho.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,  # not by paho, and never with an older protocol
        )
        client.connect_timeout = DIAL_WITHIN_S
        client.tls_set_context(cast(ssl.SSLContext, self._door))
        if endpoint.username:
            client.username_pw_set(endpoint.username, endpoint.password)
        client.connect_async(endpoint.host, endpoint.port, KEEPALIVE_S)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected

    # ---- the connection

    def tend(self, now: float) -> None:
        """Do what is due: connect, take over a connection, give one up, keep one alive."""
        if self.state is _State.AWAY:
            if now >= self._next_try:
                self._dial()
        elif self.state is _State.DIALLING:
            if self._dialled.is_set():
                self._take_over(now)
        elif self.state is _State.OPENING and now - self._opened > GRANT_WITHIN_S:
            self._give_up(f"{self._endpoint} did not subscribe us within {GRANT_WITHIN_S:.0f} s")
        elif now - self._looked_after >= 1.0:
            self._looked_after = now
            self._client.loop_misc()
            self.flush()

    def due(self, now: float) -> float:
        """When `tend` has something to do at the latest."""
        return self._next_try if self.state is _State.AWAY else now + 1.0

    def hurry(self) -> None:
        """What we waited for has come: do not wait out the pause."""
        self._next_try = 0.0

    def _dial(self) -> None:
        """Names, connections and TLS may take seconds, so a thread waits for them, and then it is gone."""
        self.state = _State.DIALLING
        self._dialled.clear()
        threading.Thread(target=self._reach, name=f"dial-{self.name}", daemon=True).start()

    def _reach(self) -> None:
        self._failed = None
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:  # an odd host name is a UnicodeError, and that is a ValueError
            self._failed = error
        if self._closed:
            self._client.disconnect()
        self._dialled.set()
        try:
            self._wake.send(b"!")
        except OSError:
            pass  # full of wake-ups already, or the source was closed meanwhile

    def _take_over(self, now: float) -> None:
        if self._failed is not None:
            self._back_off(f"{self._endpoint} cannot be reached ({self._failed})")
            return
        self.state = _State.OPENING
        self.generation += 1
        self._opened = self._looked_after = now
        self._wire = self._door.wire
        self.flush()

    def _connected(
        self, client: paho.Client, _: object, flags: ConnectFlags, reason: ReasonCode, __: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refused = f"{self._endpoint} refused us: {reason}"
            return
        self._is_new = not flags.session_present or not self._was_granted()
        if not flags.session_present:
            self.kept_after = time.monotonic()
        client.subscribe([(f, 1) for f in self._filters])

    def _subscribed(
        self, _: paho.Client, __: object, ___: int, reasons: list[ReasonCode], ____: Properties | None
    ) -> None:
        refused = [f for f, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        if refused or len(reasons) < len(self._filters):
            self._refused = f"{self._endpoint} refused to let us hear {', '.join(refused or self._filters)}"
            return
        if self._is_new:
            self.kept_by = time.monotonic()
            _write(self._kept, json.dumps(self._filters))
        self.state = _State.GRANTED
        self.granted_at = self._clock.now()
        self._pause = RETRY_S[0]
        if self._lost_at is None:
            log.info("Hearing %s from %s.", self.name, self._endpoint)
        else:
            away_s = time.monotonic() - self._lost_at
            log.warning("Hearing %s from %s again after %.1f s.", self.name, self._endpoint, away_s)
        self._lost_at = None
        self.trouble = ""

    def _was_granted(self) -> bool:
        """Before our time, or on an earlier connection: all of the filters that we ask for today."""
        try:
            return bool(json.loads(self._kept.read_text()) == self._filters)
        except (OSError, ValueError):
            return False

    def _disconnected(
        self, _: paho.Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: Properties | None
    ) -> None:
        self._back_off(self._refused or (self._wire.ended if self._wire else "") or str(reason))

    def _give_up(self, why: str) -> None:
        self._refused = why
        self._client.disconnect()  # paho closes the connection and tells `_disconnected`

    def _back_off(self, why: str) -> None:
        if not self._closed and (self._lost_at is None or self.trouble != why):  # say it once
            level = logging.ERROR if self._refused else logging.WARNING
            log.log(level, "Not hearing %s: %s. Trying again until it works.", self.name, why)
        self.trouble, self._refused = why, ""
        self.state = _State.AWAY
        self.granted_at = None
        self._wire = None
        now = time.monotonic()
        self._lost_at = self._lost_at or now
        self._next_try = now + self._pause
        self._pause = min(self._pause * 2, RETRY_S[1])

    # ---- what is said

    def read(self, room: int) -> list[_Said]:
        """At most `room` messages of those that lie ready."""
        said: list[_Said] = []
        while (wire := self._wire) is not None and len(said) < room:
            try:
                said += wire.cut(room - len(said))
                if len(said) >= room:
                    break
                if wire.is_for_paho():
                    self._let_paho_read()
                elif not wire.fill() and not wire.ended:
                    break
            except _Lost as error:
                self._give_up(str(error))
        return said

    def _let_paho_read(self) -> None:
        self._client.loop_read()
        if self._refused and self._wire is not None:
            self._give_up(self._refused)
        elif self._client.want_write():  # what a callback wanted to say
            self._client.loop_write()
            self.flush()

    def acknowledge(self, mids: Iterable[int]) -> None:
        if self._wire is not None:
            self._wire.acknowledge(mids)
            self._wire.flush()

    def flush(self) -> None:
        if self._wire is not None:
            self._wire.flush()

    def watch(self, poll: "select.poll", reading: bool) -> None:
        """Let `poll` wake us for what we wait for."""
        if self._wire is not None:
            mask = (select.POLLIN if reading else 0) | (select.POLLOUT if self._wire.has_unsent else 0)
            if mask:
                poll.register(self._wire.fileno(), mask)

    def close(self) -> None:
        self._closed = True
        if self.state is not _State.DIALLING or self._dialled.is_set():
            self._client.disconnect()
        self._wire = None


# --------------------------------------------------------------------------- the source


class MqttSource:
    """Everything that the hubs say, each message kept by the broker until it is settled (`ports.Source`).

    One thread calls `poll`, `settle` and `close`; anybody may ask `listening_since` and `trouble`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        state_dir: Path,
        clock: Clock,
        *,
        batch: int = 500,
        linger: timedelta = timedelta(milliseconds=8),
    ) -> None:
        """`batch` bounds what one `poll` hands over. `linger` keeps polls that found readings apart, so that readings
        share a commit; a press ends it at once, and the first reading after a silence does not wait either."""
        self._clock = clock
        self._batch = batch
        self._linger_s = linger.total_seconds()
        self._ear, self._wake = socket.socketpair()
        self._ear.setblocking(False)
        self._wake.setblocking(False)
        ids = _client_ids(state_dir)

        def session(name: str, filters: Sequence[str]) -> _Session:
            kept = state_dir / f"mqtt-{name}.json"
            return _Session(name, ids[name], filters, endpoint, clock, kept=kept, wake=self._wake)

        self._readings = session("readings", READINGS)
        self._sos = session("sos", SOS)
        self._held: list[Message] = []  # read, and handed over with the next poll
        self._stood_back = False
        self._returned = 0.0
        self._sos_well = time.monotonic()

    # ---- the port

    def poll(self, wait: timedelta) -> Sequence[Message]:
        """What has come, urgent first. A press comes alone; readings that were read with it come with the next poll."""
        deadline = time.monotonic() + wait.total_seconds()
        while True:
            self._tend()
            if urgent := self._hear(self._sos, self._batch):
                if self._held and self._stood_back:  # a flood of presses does not silence everybody's readings
                    return self._hand_over(urgent + self._held)
                self._stood_back = bool(self._held)
                return urgent
            if len(self._held) < self._batch:
                self._held += self._hear(self._readings, self._batch - len(self._held))
            now = time.monotonic()
            until = min(deadline, self._returned + self._linger_s) if self._held else deadline
            if len(self._held) >= self._batch or now >= until:
                return self._hand_over(self._held)
            # While we linger only a press may wake us: readings gather in the socket meanwhile.
            self._sleep(now, until, for_readings=not self._held)

    def settle(self, messages: Iterable[Message]) -> None:
        """Acknowledge them in one write a session; what came by an older connection is passed over."""
        mids: dict[_Session, list[int]] = {}
        for message in messages:
            if message.receipt is not None:
                session, generation, mid = cast(tuple[_Session, int, int], message.receipt)
                if generation == session.generation:
                    mids.setdefault(session, []).append(mid)
        for session, numbers in mids.items():
            session.acknowledge(numbers)

    def listening_since(self) -> datetime | None:
        """Since when both sessions have been subscribed; None while one of them is not."""
        readings, sos = self._readings.granted_at, self._sos.granted_at
        return max(readings, sos) if readings and sos else None

    def close(self) -> None:
        for session in (self._sos, self._readings):
            session.close()
        self._ear.close()
        self._wake.close()

    def trouble(self) -> str:
        """Why we are deaf, for people who must repair it; "" while all is well."""
        return self._sos.trouble or self._readings.trouble

    # ---- how it is done

    def _hand_over(self, messages: list[Message]) -> list[Message]:
        self._held = []
        self._stood_back = False
        self._returned = time.monotonic()
        return messages

    def _tend(self) -> None:
        """The life-safety session goes first: only what the broker keeps for it may be dropped by the other."""
        now = time.monotonic()
        was_granted = self._sos.state is _State.GRANTED
        self._sos.tend(now)
        if was_granted:
            self._sos_well = now
        if was_granted or self._readings.state is not _State.AWAY or now - self._sos_well > PATIENCE_S:
            self._readings.tend(now)

    def _sleep(self, now: float, until: float, *, for_readings: bool) -> None:
        until = min(until, self._sos.due(now), self._readings.due(now))
        poll = select.poll()
        poll.register(self._ear, select.POLLIN)
        self._sos.watch(poll, True)
        self._readings.watch(poll, for_readings)
        for descriptor, _ in poll.poll(max(0.0, until - now) * 1000 + 0.5):
            if descriptor == self._ear.fileno():
                self._ear.recv(64)

    def _hear(self, session: _Session, room: int) -> list[Message]:
        """Read what lies ready in one session and make messages of it."""
        said = session.read(room)
        if not said:
            return []
        heard = self._clock.now()
        urgent = session is self._sos
        doubled: list[int] = []
        messages = []
        for topic, payload, retained, mid in said:
            if not urgent and b"/sos" in topic and self._is_doubled(topic):
                doubled.append(mid)
                continue
            receipt = (session, session.generation, mid) if mid else None
            messages.append(Message(_text(topic), payload, heard, retained, urgent, receipt))
        if doubled:
            session.acknowledge(filter(None, doubled))
        return messages

    def _is_doubled(self, topic: bytes) -> bool:
        """Does the life-safety session bring this for certain?

        Not while it is refused or away. And not what the broker may have begun to keep for the readings before it
        kept anything for life safety, as after its memory of that session was lost: such a press exists once.
        """
        if self._sos.state is not _State.GRANTED or not _is_for_sos(topic):
            return False
        kept_by = self._sos.kept_by
        return self._readings.kept_after >= kept_by or time.monotonic() - kept_by > OVERLAP.total_seconds()


def _is_for_sos(topic: bytes) -> bool:
    """The same as the filters in SOS."""
    levels = topic.split(b"/", 4)
    return len(levels) > 3 and levels[2] in (b"zigbee2mqtt", b"plain") and levels[3] == b"sos"


def _text(topic: bytes) -> str:
    """A topic that is no text gets marks where it is broken: no device is called so, and it goes to the quarantine."""
    return topic.decode("utf-8", "replace")


def _client_ids(state_dir: Path) -> dict[str, str]:
    """Random and secret: whoever connects with a session's id takes what the broker keeps for it."""
    path = state_dir / "mqtt-clients.json"
    if not path.exists():
        letters = string.ascii_letters + string.digits
        drawn = {name: "".join(secrets.choice(letters) for _ in range(22)) for name in ("readings", "sos")}
        _write(path, json.dumps(drawn))
    ids: dict[str, str] = json.loads(path.read_text())
    if not {"readings", "sos"} <= ids.keys():
        raise ValueError(f"{path} should hold the ids of 'readings' and 'sos'; delete it and new ones are made")
    return ids


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
