"""The ear: two durable MQTT sessions, read by the one thread that also stores what was heard.

A message is settled, that is acknowledged to the broker, only when it is safe with us; until then the broker keeps
it. Life-safety devices have a session of their own, so that a press never waits behind a backlog of readings.
Nothing is read from a socket before there is room for it: the bound on our memory is the batch, not the broker's
good manners.

Paho speaks MQTT 3.1.1 for us: connect, subscribe, ping, TLS. Only the two packets of which there are millions,
PUBLISH in and PUBACK out, are cut and packed by ourselves (`wire.py`), at a fifth of the cost. Paho lets us under
its socket by a public door: the context that is asked to wrap it (`tls_set_context`).
"""

import json
import logging
import os
import queue
import secrets
import select
import socket
import ssl
import string
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final, cast

import paho.mqtt.client as paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.domain.endpoint import Endpoint
from gateway.ports import Clock, Message
from ingest.decoders import DECODERS
from ingest.wire import Lost, Said, Wire

log = logging.getLogger(__name__)

ROOT: Final = "shouwang"
READINGS: Final = (f"{ROOT}/#",)
SOS: Final = tuple(f"{ROOT}/+/{dialect}/sos/#" for dialect in DECODERS)

KEEPALIVE_S: Final = 30  # what we promise the broker; it gives us up after one and a half times this
PING_EVERY_S: Final = 8.0
SILENT_S: Final = 20.0  # without a byte, not even an answer to two pings: the connection is dead
DIAL_WITHIN_S: Final = 5.0  # to connect, and to agree on TLS
GRANT_WITHIN_S: Final = 10.0  # from connected to subscribed
RETRY_S: Final = (0.2, 3.0)  # the first and the longest wait between attempts
LONGEST_HERE_S: Final = 0.5  # the longest where the broker is on this machine: asking it costs nobody anything
STEADY_S: Final = 10.0  # a connection that held this long was a good one, and the next attempt is not hurried less
PATIENCE_S: Final = 2.0  # how long the readings wait for the life-safety session to be first
PRESSES_AT_ONCE: Final = 16  # in the midst of a batch, which has an end as well
CHUNKS_AT_ONCE: Final = 32  # so that a batch of nothing but large messages is bounded too, to 4 MiB
ECHO: Final = f"{ROOT}/_echo/plain/sos/echo"  # both sessions hear it; no hub and no user may be called so
ECHO_EVERY_S: Final = 30.0
ECHO_WITHIN_S: Final = 20.0
RENEW_EVERY_S: Final = 600.0  # at most so often is our own broker started anew because it delivers nothing
BACKLOG_WITHIN_S: Final = 15.0  # what is retained is asked for behind what was kept for us, or after this
RETAINED_WITHIN_S: Final = 3600.0  # to hear all of it: a county's millions too
QUIET_S: Final = 2.0  # after the last of it
ASK_AGAIN_S: Final = 30.0  # where that was not possible
OVERLAP: Final = timedelta(minutes=10)
"""After a life-safety session had to be made anew beside an old readings session: see `MqttSource._is_doubled`."""

_DIALECTS: Final = frozenset(dialect.encode() for dialect in DECODERS)
_PINGREQ: Final = b"\xc0\x00"
_ECHO: Final = ECHO.encode()
_ECHO_MID: Final = 1  # at most one is under way


# --------------------------------------------------------------------------- a connection


class _Door:
    """What paho takes for a TLS context: it wraps the connected socket into our wire, with TLS inside where asked."""

    check_hostname = True  # whether names are checked is our context's business, not paho's

    def __init__(self, endpoint: Endpoint) -> None:
        self._context = _tls(endpoint) if endpoint.tls else None
        self.wire: Wire | None = None

    def wrap_socket(self, sock: socket.socket, server_hostname: str = "", **_: Any) -> Wire:
        # A press must not wait for the acknowledgement of the one before (Nagle and delayed ACK: 43 ms).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context:
            sock = self._context.wrap_socket(sock, server_hostname=server_hostname, do_handshake_on_connect=False)
        self.wire = Wire(sock)
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
        resumes: bool,
    ) -> None:
        self.name = name
        self.state = _State.AWAY
        self.generation = 0  # grows with each connection: packet ids mean nothing on another one
        self.granted_at: datetime | None = None  # None while it hears nothing
        self.granted_on = 0.0  # the same by the monotonic clock, and kept when it is lost
        self.resumed_on = 0.0  # by the monotonic clock: when it last went on hearing without a new subscription
        self.heard_at = 0.0
        self.echoed_at = 0.0
        self.trouble = f"{endpoint} has not answered yet"
        # When the broker began to keep messages for us, bracketed; 0 is before our time.
        self.kept_after = 0.0
        self.kept_by = 0.0
        self._is_new = False
        self._resumes = resumes  # see `MqttSource`
        self._filters = list(filters)
        self._endpoint = endpoint
        self._clock = clock
        self._kept = kept  # a file that names the filters which the broker has granted to this session
        self._wake = wake
        self._wire: Wire | None = None
        self._dialled = threading.Event()
        self._failed: Exception | None = None
        self._refused = ""
        self._closed = False
        self._next_try = 0.0
        self._pause = RETRY_S[0]
        self._longest = LONGEST_HERE_S if endpoint.is_here else RETRY_S[1]
        self._opened = 0.0
        self._pinged = 0.0
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
        elif self._wire is not None and now - self._pinged > PING_EVERY_S:
            # Not left to paho, who does not see the messages and would take a busy connection for a dead one.
            self._pinged = now
            self._wire.send(_PINGREQ)
            self._wire.flush()

    def doubt(self, now: float) -> None:
        """Give a connection up that has fallen silent. To be called when everything that came has been read."""
        if self._wire is not None and now - self._wire.heard_at > SILENT_S:
            self._give_up(f"{self._endpoint} says nothing any more")

    def due(self, now: float) -> float:
        """When there is something to do at the latest."""
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
            if self._door.wire:
                self._door.wire.close()
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
        self._opened = self._pinged = now
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
        if self._resumes and not self._is_new:
            self.resumed_on = time.monotonic()
            self._listen()
        else:
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
        self._listen()

    def _listen(self) -> None:
        self.state = _State.GRANTED
        self.granted_at = self._clock.now()
        self.granted_on = time.monotonic()
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
        why = self._refused or (self._wire.ended if self._wire else "") or str(reason)
        if self.state is _State.GRANTED:
            if time.monotonic() - self.granted_on > STEADY_S:
                self._pause = RETRY_S[0]
            else:
                why += " (does a second gateway use the same state folder?)"
        self._back_off(why)

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
        self._pause = min(self._pause * 2, self._longest)

    # ---- what is said

    def read(self, room: int) -> list[Said]:
        """At most `room` messages of those that lie ready."""
        said: list[Said] = []
        chunks = 0
        self.flush()  # what the socket did not take before
        while (wire := self._wire) is not None and len(said) < room:
            try:
                said += wire.cut(room - len(said))
                if len(said) >= room or chunks == CHUNKS_AT_ONCE:
                    break
                if wire.is_for_paho():
                    self._let_paho_read()
                elif wire.fill():
                    chunks += 1
                elif not wire.ended:
                    break
            except Lost as error:
                self._give_up(str(error))
        if said:
            self.heard_at = time.monotonic()
            if self.granted_at is None and self.state is _State.GRANTED:
                log.warning("Hearing %s from %s after all.", self.name, self._endpoint)
                self.granted_at, self.trouble = self._clock.now(), ""
        return said

    def call_out(self, topic: str) -> None:
        """Say something that we should hear ourselves."""
        if self._wire is not None:
            self._wire.publish(topic.encode(), _ECHO_MID)
            self._wire.flush()

    def seems_deaf(self) -> None:
        """It is subscribed and yet does not hear what it should: so it is not listening, whatever was granted."""
        self.granted_at = None
        self.trouble = (
            f"{self._endpoint} granted what we asked to hear and delivers nothing; "
            f"its access list should let us read and write {ROOT}/#"
        )
        log.error("Not hearing %s: %s.", self.name, self.trouble)
        if self._resumes:  # whatever the broker thinks we asked for, we ask again
            self._kept.unlink(missing_ok=True)

    def _let_paho_read(self) -> None:
        self._client.loop_read()  # one packet: paho takes more only while messages of its own are under way
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


# --------------------------------------------------------------------------- what is retained


class _Guest:
    """Goes to the broker, has itself told what is retained, and leaves. A thread of its own waits for it.

    Without a session and without guarantee, so that the broker keeps no account of what a guest never acknowledged.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.been_on = 0.0  # by the monotonic clock: when it set out for the last time that it came back with all
        self._endpoint = endpoint
        self._brought: queue.Queue[tuple[str, bytes]] = queue.Queue(1000)
        self._errand: threading.Thread | None = None
        self._not_before = 0.0
        self._closed = threading.Event()

    def send(self, now: float) -> None:
        """Let it go, unless it is on its way or was turned away a moment ago."""
        if now >= self._not_before and (self._errand is None or not self._errand.is_alive()):
            self._errand = threading.Thread(target=self._go, args=(now,), name="mqtt-guest", daemon=True)
            self._errand.start()

    def take(self, room: int) -> list[tuple[str, bytes]]:
        """Topics and payloads, at most `room` of those that it has brought."""
        taken: list[tuple[str, bytes]] = []
        while len(taken) < room:
            try:
                taken.append(self._brought.get_nowait())
            except queue.Empty:
                break
        return taken

    def close(self) -> None:
        self._closed.set()

    def _go(self, now: float) -> None:
        try:
            self._ask()
        except (OSError, ValueError) as error:  # an odd host name is a UnicodeError, and that is a ValueError
            self._not_before = time.monotonic() + ASK_AGAIN_S
            log.warning("What is retained could not be asked for: %s. Trying again.", error)
        else:
            self.been_on = now

    def _ask(self) -> None:
        until = time.monotonic() + GRANT_WITHIN_S
        last: float | None = None  # when it was granted, or told something since

        def heard(message: paho.MQTTMessage) -> None:
            nonlocal last
            if not message.retain:
                return  # what is said anew our sessions hear
            try:
                topic = message.topic
            except UnicodeDecodeError:
                return  # it went to the quarantine when it was said
            self._keep((topic, bytes(message.payload)))
            last = time.monotonic()

        def granted(*_: object) -> None:
            nonlocal last
            last = time.monotonic()

        client = dial(self._endpoint, "", until, clean=True, heard=heard)
        client.on_subscribe = granted
        client.subscribe([(f, 0) for f in READINGS])
        has_all = converse(client, until, lambda: last is not None) and converse(
            client, time.monotonic() + RETAINED_WITHIN_S, lambda: last is not None and time.monotonic() - last > QUIET_S
        )
        leave(client)
        if not has_all:
            raise ConnectionError(f"{self._endpoint} did not tell it to its end")

    def _keep(self, told: tuple[str, bytes]) -> None:
        while not self._closed.is_set():
            try:
                return self._brought.put(told, timeout=0.5)
            except queue.Full:
                continue
        raise ConnectionError("we are leaving")


# --------------------------------------------------------------------------- the source


class MqttSource:
    """Everything that the hubs say, each message kept by the broker until it is settled (`ports.Source`).

    One thread calls `poll`, `settle` and `close`; anybody may ask `listening_since` and `trouble`.

    `renew` is given where the broker is the one that comes with us, and starts it anew. NATS (2.15) counts each
    retained message that a connection left unacknowledged against its session for ever, and when 200 have come together
    that session hears nothing any more: each subscription tells all that is retained, so whoever was killed in the
    first second was deaf from then on. So there a session that the broker knows is not subscribed again, for the
    broker has written down what it hears; what is retained a guest asks for; and where a session is deaf all the same
    the broker is started anew, which forgets the count and loses nothing.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        state_dir: Path,
        clock: Clock,
        *,
        batch: int = 500,
        linger: timedelta = timedelta(milliseconds=50),
        renew: Callable[[], object] | None = None,
    ) -> None:
        """`batch` bounds what one `poll` hands over. `linger` keeps polls that found readings apart, so that readings
        share a commit; a press ends it at once, and neither the first reading after a silence nor what is left of a
        backlog waits."""
        self._clock = clock
        self._batch = batch
        self._linger_s = linger.total_seconds()
        self._ear, self._wake = socket.socketpair()
        self._ear.setblocking(False)
        self._wake.setblocking(False)
        ids = _client_ids(state_dir)

        def session(name: str, filters: Sequence[str]) -> _Session:
            kept = state_dir / f"mqtt-{name}.json"
            return _Session(
                name, ids[name], filters, endpoint, clock, kept=kept, wake=self._wake, resumes=renew is not None
            )

        self._readings = session("readings", READINGS)
        self._sos = session("sos", SOS)
        self._stood_back = False  # the readings did, for a press
        self._echo_due = 0.0
        self._called_at: float | None = None  # when we called out and have not judged the echo yet
        self._may_call = True
        self._rests_until = 0.0  # until then no readings are handed over
        self._sos_well = time.monotonic()
        self._guest = _Guest(endpoint)
        self._renew = renew
        self._renewed_on = -RENEW_EVERY_S

    # ---- the port

    def poll(self, wait: timedelta) -> Sequence[Message]:
        """What has come. A press comes alone, so that its commit waits for nothing; the readings stand back once."""
        deadline = time.monotonic() + wait.total_seconds()
        while True:
            self._tend()
            if urgent := self._hear(self._sos, self._batch):
                if not self._stood_back:
                    self._stood_back = True
                    return urgent
                # The second time in a row: a flood of presses does not silence everybody's readings.
                return self._hand_over(urgent + self._hear(self._readings, self._batch))
            now = time.monotonic()
            until = min(deadline, self._rests_until)
            if now < until:
                # While we linger only a press may wake us: readings gather in the socket meanwhile.
                self._sleep(now, until, for_readings=False)
                continue
            readings = self._hear(self._readings, self._batch)
            if readings := readings + self._recall(now, self._batch - len(readings)):
                return self._hand_over(readings)
            for session in (self._sos, self._readings):
                session.doubt(now)
            self._try_our_ears(now)
            if now >= deadline:
                return readings
            self._sleep(now, deadline, for_readings=True)

    def presses(self) -> Sequence[Message]:
        """What the life-safety session brings while a batch of readings is worked on, a few at a time."""
        return self._hear(self._sos, PRESSES_AT_ONCE)

    def settle(self, messages: Iterable[Message]) -> None:
        """Acknowledge them in one write a session; what came by an older connection is passed over."""
        mids: dict[_Session, list[int]] = {self._sos: [], self._readings: []}
        for message in messages:
            receipt: Any = message.receipt  # as `_hear` has made it
            if receipt is not None:
                session, generation, mid = receipt
                if generation == session.generation:
                    mids[session].append(mid)
        for session, numbers in mids.items():
            if numbers:
                session.acknowledge(numbers)

    def listening_since(self) -> datetime | None:
        """Since when both sessions have been subscribed; None while one of them is not."""
        readings, sos = self._readings.granted_at, self._sos.granted_at
        return max(readings, sos) if readings and sos else None

    def close(self) -> None:
        for session in (self._sos, self._readings):
            session.close()
        self._guest.close()
        self._ear.close()
        self._wake.close()

    def deaf_to(self) -> list[str]:
        """The sessions that hear nothing now: of "sos" and "readings"."""
        return [session.name for session in (self._sos, self._readings) if session.granted_at is None]

    def trouble(self) -> str:
        """Why we are deaf, for people who must repair it; "" while all is well."""
        return self._sos.trouble or self._readings.trouble

    # ---- how it is done

    def _hand_over(self, messages: list[Message]) -> list[Message]:
        self._stood_back = False
        if len(messages) < self._batch:  # else more of them lie ready
            self._rests_until = time.monotonic() + self._linger_s
        return messages

    def _tend(self) -> None:
        """The life-safety session goes first: only what the broker keeps for it may be dropped by the other."""
        now = time.monotonic()
        self._sos.tend(now)
        if self._sos.state is _State.GRANTED:
            if self._sos_well < self._sos.granted_on:
                self._readings.hurry()
            self._sos_well = now
        elif self._readings.state is _State.AWAY and now - self._sos_well < PATIENCE_S:
            return
        self._readings.tend(now)

    def _try_our_ears(self, now: float) -> None:
        """Call out now and then, and doubt a session that hears neither that nor anything else.

        A broker may grant a subscription and then deliver nothing: Mosquitto does when the access list lacks us. A
        home that fell silent and a gateway that fell deaf look the same, and only one of them is to be visited.
        """
        if self._called_at is not None:
            if self._sos.state is not _State.GRANTED:
                if now - self._called_at < 2.0:
                    self._may_call = False
                    log.warning("The broker ends the connection when we write to %s, so we cannot try our ears.", ECHO)
                self._called_at = None
            elif now - self._called_at > ECHO_WITHIN_S:
                deaf = [
                    session
                    for session in (self._sos, self._readings)
                    if session.heard_at < self._called_at and session.granted_at is not None
                ]
                for session in deaf:
                    session.seems_deaf()
                self._called_at = None
                if deaf and self._renew and now - self._renewed_on >= RENEW_EVERY_S:
                    log.warning("The broker is started anew, for it is our own and it delivers nothing.")
                    self._renewed_on = now
                    self._renew()
        elif self._may_call and now >= self._echo_due and self._readings.state is self._sos.state is _State.GRANTED:
            self._echo_due = now + ECHO_EVERY_S
            self._called_at = now
            self._sos.call_out(ECHO)

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
        urgent, generation = session is self._sos, session.generation
        passed: list[int] = []
        messages = []
        for topic, payload, retained, mid in said:
            if b"/sos" in topic:
                if topic == _ECHO:
                    session.echoed_at = session.heard_at
                if topic == _ECHO or (not urgent and self._is_doubled(topic)):
                    passed.append(mid)
                    continue
            receipt = (session, generation, mid) if mid else None
            messages.append(Message(_text(topic), payload, heard, retained, urgent, receipt))
        if passed:
            session.acknowledge(filter(None, passed))
        return messages

    def _recall(self, now: float, room: int) -> list[Message]:
        """What is retained, where a session went on without a new subscription: behind what was kept for it, so that
        what was is not heard after what is."""
        resumed = max(self._sos.resumed_on, self._readings.resumed_on)
        backlog_heard = self._readings.echoed_at > resumed or now - resumed > BACKLOG_WITHIN_S
        if resumed > self._guest.been_on and backlog_heard and self.listening_since():
            self._guest.send(now)
        brought = self._guest.take(room)
        if not brought:
            return []
        heard = self._clock.now()
        return [Message(topic, payload, heard, True, is_for_sos(topic.encode())) for topic, payload in brought]

    def _is_doubled(self, topic: bytes) -> bool:
        """Does the life-safety session bring this for certain?

        Not while it is refused or away. And not what the broker may have begun to keep for the readings before it
        kept anything for life safety, as after its memory of that session was lost: such a press exists once.
        """
        if self._sos.state is not _State.GRANTED or not is_for_sos(topic):
            return False
        kept_by = self._sos.kept_by
        return self._readings.kept_after >= kept_by or time.monotonic() - kept_by > OVERLAP.total_seconds()


def is_for_sos(topic: bytes) -> bool:
    """The same as the filters in SOS."""
    levels = topic.split(b"/", 4)
    return len(levels) > 3 and levels[2] in _DIALECTS and levels[3] == b"sos"


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


# --------------------------------------------------------------------------- what the broker keeps

PROBE: Final = f"{ROOT}-probe"
ASKED: Final = 1200  # just above the thousand that Mosquitto and others keep by default
PROBE_WITHIN_S: Final = 20.0


def queue_warning(endpoint: Endpoint) -> str:
    """A sentence for people when the broker keeps too little for a gateway that is away; "" when all is well.

    No broker tells its limit, so we try it: a session of its own goes away, small messages are sent to it, and when it
    is back they are counted. Takes a fraction of a second and leaves nothing behind. OSError when nobody answers.
    """
    kept = kept_while_away(endpoint, ASKED)
    if kept is None:
        return (
            f"无法得知 {endpoint} 会为离线的网关保留多少消息：请允许网关读写 {PROBE}/#，或自行检查其队列上限。 / "
            f"{endpoint} does not let us find out how much it keeps for a gateway that is away: allow us to read and "
            f"write {PROBE}/#, or look at its queue limit yourself"
        )
    if kept < ASKED:
        return (
            f"{endpoint} 只为离线的网关保留约 {kept} 条消息，其余会无声丢弃；"
            f"Mosquitto 请设 max_queued_messages 0（见 examples/mosquitto.conf）。 / "
            f"{endpoint} keeps only about {kept} messages for a gateway that is away and drops the rest without a "
            f"word; for Mosquitto set max_queued_messages 0, see examples/mosquitto.conf"
        )
    return ""


def kept_while_away(endpoint: Endpoint, asked: int) -> int | None:
    """How many of `asked` messages a durable session finds when it is back; None when we may not know."""
    name = secrets.token_hex(11)
    topic = f"{PROBE}/{name}"
    until = time.monotonic() + PROBE_WITHIN_S
    try:
        if not _goes_away(endpoint, name, topic, until) or not _sends(endpoint, topic, asked, until):
            return None
        return _finds(endpoint, name, asked, until) or None
    finally:
        forgotten = dial(endpoint, name, until, clean=True)  # to connect so is to be forgotten
        leave(forgotten)


def _goes_away(endpoint: Endpoint, name: str, topic: str, until: float) -> bool:
    granted: list[bool] = []
    client = dial(endpoint, name, until, clean=False)
    client.on_subscribe = lambda _c, _u, _m, reasons, _p: granted.append(not reasons[0].is_failure)
    client.subscribe(topic, 1)
    agreed = converse(client, until, lambda: bool(granted)) and granted[0]
    leave(client)
    return agreed


def _sends(endpoint: Endpoint, topic: str, asked: int, until: float) -> bool:
    sent: set[int] = set()
    client = dial(endpoint, "", until, clean=True)
    client.on_publish = lambda _c, _u, mid, _r, _p: sent.add(mid)
    for number in range(asked):
        client.publish(topic, str(number), 1)
    agreed = converse(client, until, lambda: len(sent) == asked)
    leave(client)
    return agreed


def _finds(endpoint: Endpoint, name: str, asked: int, until: float) -> int:
    found: set[bytes] = set()
    # What is kept comes right behind the greeting, so the ear is open before it.
    client = dial(endpoint, name, until, clean=False, heard=lambda message: found.add(bytes(message.payload)))
    before = -1
    while before < len(found) < asked:  # until a whole second brings no more
        before = len(found)
        converse(client, min(until, time.monotonic() + 1.0), lambda: len(found) == asked)
    leave(client)
    return len(found)


def dial(
    endpoint: Endpoint,
    client_id: str,
    until: float,
    *,
    clean: bool,
    heard: Callable[[paho.MQTTMessage], None] | None = None,
) -> paho.Client:
    """A connected client for a short errand; ConnectionError when the broker does not want us."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, reconnect_on_failure=False
    )
    if endpoint.username:
        client.username_pw_set(endpoint.username, endpoint.password)
    if endpoint.tls:
        client.tls_set_context(_tls(endpoint))
    client.connect_timeout = DIAL_WITHIN_S
    client.max_inflight_messages_set(ASKED)
    if heard:
        client.on_message = lambda _client, _userdata, message: heard(message)
    client.connect(endpoint.host, endpoint.port, KEEPALIVE_S)
    if not converse(client, until, client.is_connected):
        raise ConnectionError(f"{endpoint} refused us or does not answer")
    return client


def converse(client: paho.Client, until: float, agreed: Callable[[], bool]) -> bool:
    """Read and write until it is agreed; False when the connection or our patience ends before."""
    while not agreed():
        if time.monotonic() > until or client.loop(0.05) != paho.MQTT_ERR_SUCCESS:
            return False
    return True


def leave(client: paho.Client) -> None:
    """Say goodbye, so that the broker does not speak of a lost connection."""
    client.disconnect()
    client.loop(0.05)
