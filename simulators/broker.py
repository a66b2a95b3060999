"""Simulated hubs on a real broker: each connects with its own name and secret and publishes what its home says."""

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from gateway.domain.endpoint import Endpoint
from gateway.ports import Clock
from simulators.speech import Publication, encoded

IN_FLIGHT = 100
"""Messages of one hub that the broker has not acknowledged yet; above that a fast stream waits for it."""

KEPT = 10_000
"""Messages that a hub keeps while its line is down; then the next is dropped, and counted."""

KEEPALIVE_S = 20
RETRY_S = (1, 15)  # the first and the longest wait between attempts to connect
LINE_WAIT_S = 5.0  # how long a fast stream waits for a hub that has no line before it goes on with the others

AS_FAST_AS_POSSIBLE = math.inf


@dataclass(slots=True)
class Counts:
    """What has become of the messages."""

    published: int = 0
    acknowledged: int = 0
    dropped: int = 0


@dataclass(slots=True)
class _Hub:
    """One hub's connection. Paho's thread keeps it alive and says what was acknowledged."""

    client: paho.Client
    counts: Counts
    changed: threading.Condition
    connected: bool = False
    lost_at: float = field(default_factory=time.monotonic)  # since when it has no line
    unacknowledged: int = 0
    trouble: str = ""  # why the broker would not have us
    _promised: set[int] = field(default_factory=set)
    _early: set[int] = field(default_factory=set)  # acknowledged before `publish` has returned

    def on_connect(self, client: paho.Client, _: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self.changed:
            self.connected = not reason.is_failure
            self.trouble = str(reason) if reason.is_failure else ""
            self.changed.notify_all()

    def on_disconnect(self, client: paho.Client, _: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self.changed:
            self.connected, self.lost_at = False, time.monotonic()
            self.changed.notify_all()

    def on_publish(self, client: paho.Client, _: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        with self.changed:
            if mid in self._promised:
                self._promised.discard(mid)
                self.unacknowledged -= 1
                self.counts.acknowledged += 1
                self.changed.notify_all()
            else:
                self._early.add(mid)

    def publish(self, said: Publication) -> None:
        # Without our lock: paho holds one of its own while it tells us what was acknowledged.
        info = self.client.publish(said.topic, said.payload, said.qos, said.retained)
        with self.changed:
            is_early = info.mid in self._early
            self._early.discard(info.mid)
            if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE or (said.qos == 0 and info.rc):
                self.counts.dropped += 1
                return
            self.counts.published += 1
            if said.qos > 0 and is_early:
                self.counts.acknowledged += 1
            elif said.qos > 0:
                self._promised.add(info.mid)
                self.unacknowledged += 1


class Hubs:
    """Plays a stream of publications, in order of time, over one connection per hub.

    With a `clock` each message goes out when its time has come (`pace` 1), and what lies in the past at once, as a
    hub that was late; without, time begins with the first message. `pace` 60 lives an hour in a minute;
    `AS_FAST_AS_POSSIBLE` waits for nothing but the broker. A hub connects when it has something to say.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        secrets: Mapping[str, str],
        publications: Iterable[Publication],
        *,
        clock: Clock | None = None,
        pace: float = 1.0,
    ) -> None:
        if not pace > 0:
            raise ValueError(f"a pace is a number above 0 (1 is real time), not {pace}")
        self._endpoint, self._secrets = endpoint, dict(secrets)
        self._publications = publications
        self._clock, self._pace = clock, pace
        self._hubs: dict[str, _Hub] = {}
        self._changed = threading.Condition(threading.RLock())
        self._stop_asked = threading.Event()
        self._player = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hubs")
        self._played: Future[None] = Future()
        self.counts = Counts()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._played = self._player.submit(self._play)

    def stop(self) -> None:
        """End after the present message and close every connection; raises what the stream raised."""
        self._stop_asked.set()
        with self._changed:
            self._changed.notify_all()
        self._player.shutdown()
        for hub in self._hubs.values():
            hub.client.disconnect()
        for hub in self._hubs.values():
            hub.client.loop_stop()
        if self._played.done():
            self._played.result()

    def join(self, within_s: float | None = None) -> bool:
        """Wait until the stream has ended and the broker has all of it. False when that took too long."""
        deadline = None if within_s is None else time.monotonic() + within_s
        try:
            self._played.result(within_s)
        except TimeoutError:
            return False
        with self._changed:
            return self._changed.wait_for(
                lambda: not any(hub.unacknowledged for hub in self._hubs.values()),
                None if deadline is None else max(0.0, deadline - time.monotonic()),
            )

    def troubles(self) -> dict[str, str]:
        """Hubs that the broker turned away, and what it said."""
        with self._changed:
            return {name: hub.trouble for name, hub in self._hubs.items() if hub.trouble}

    # ------------------------------------------------------------------ the player's thread

    def _play(self) -> None:
        begin: datetime | None = None
        started = time.monotonic()
        for said in self._publications:
            begin = begin or said.at
            self._wait_for(said.at, begin, started)
            if self._stop_asked.is_set():
                return
            hub = self._hubs.get(said.hub) or self._connect(said)
            self._wait_for_room(hub)
            hub.publish(said)

    def _wait_for(self, at: datetime, begin: datetime, started: float) -> None:
        if self._pace == AS_FAST_AS_POSSIBLE:
            return
        if self._clock is not None and self._pace == 1:
            wait = (at - self._clock.now()).total_seconds()
        else:
            wait = started + (at - begin).total_seconds() / self._pace - time.monotonic()
        if wait > 0:
            self._stop_asked.wait(wait)

    def _wait_for_room(self, hub: _Hub) -> None:
        with self._changed:
            while hub.unacknowledged >= IN_FLIGHT and not self._stop_asked.is_set():
                if not hub.connected and time.monotonic() > hub.lost_at + LINE_WAIT_S:
                    return  # it has no line: what it says is kept or dropped, the others go on
                self._changed.wait(0.2)

    def _connect(self, first: Publication) -> _Hub:
        hub = _Hub(_client(self._endpoint, first.hub, self._secret(first.hub)), self.counts, self._changed)
        if "/zigbee2mqtt/" in first.topic:
            will = f"shouwang/{first.hub}/zigbee2mqtt/bridge/state"
            hub.client.will_set(will, encoded({"state": "offline"}), qos=1, retain=True)
        hub.client.on_connect = hub.on_connect
        hub.client.on_disconnect = hub.on_disconnect
        hub.client.on_publish = hub.on_publish
        self._hubs[first.hub] = hub
        hub.client.connect_async(self._endpoint.host, self._endpoint.port, KEEPALIVE_S)
        hub.client.loop_start()
        with self._changed:  # a hub that cannot connect goes on trying, and keeps what it has to say
            self._changed.wait_for(lambda: hub.connected or hub.trouble or self._stop_asked.is_set(), 5)
        return hub

    def _secret(self, hub: str) -> str:
        if hub not in self._secrets:
            raise LookupError(f"no secret for {hub}; there are secrets for {sorted(self._secrets)}")
        return self._secrets[hub]


def publish_once(
    endpoint: Endpoint, hub: str, secret: str, publications: Publication | Iterable[Publication], within_s: float = 10
) -> None:
    """Connect as this hub, publish, wait until the broker has it, go. Raises ConnectionError when it does not."""
    stream = [publications] if isinstance(publications, Publication) else list(publications)
    hubs = Hubs(endpoint, {hub: secret}, stream, pace=AS_FAST_AS_POSSIBLE)
    hubs.start()
    try:
        if not hubs.join(within_s):
            why = hubs.troubles().get(hub, "no answer")
            raise ConnectionError(f"the broker at {endpoint} did not take what {hub} said within {within_s:g} s: {why}")
    finally:
        hubs.stop()


def _client(endpoint: Endpoint, hub: str, secret: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="", protocol=paho.MQTTv311, clean_session=True)
    client.username_pw_set(hub, secret)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.max_queued_messages_set(KEPT)
    client.reconnect_delay_set(*RETRY_S)
    client.on_socket_open = _speak_at_once
    if endpoint.tls:
        context = ssl.create_default_context(cafile=None if endpoint.ca is None else str(endpoint.ca))
        if endpoint.ca is not None:  # the server's very certificate will do as well
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.check_hostname = endpoint.check_name
        client.tls_set_context(context)
    return client


def _speak_at_once(client: paho.Client, _: Any, sock: Any) -> None:
    """A press is one small packet: it must not wait for a second one."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
