"""Hubs of the bench whose buttons ask until the broker has taken the press, through whatever becomes of the broker.

`mqload` (traffic.py) publishes faster and falls with its broker; these are slow and do not. What they know of
themselves, which press was acknowledged and when, is all that a checker may read of them.
"""

import json
import random
import threading
import time
from datetime import UTC, datetime
from functools import partial

import paho.mqtt.client as paho
from homes import Homes
from machine import BenchError, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from traffic import Sent

KEEPALIVE_S = 15
UNDER_WAY = 20_000
"""Messages that a hub of ours lets out unacknowledged (gateway/kit/box/mosquitto.conf)."""

AGAIN_S = (0.2, 2.0)
"""How soon a hub tries to reach its broker again: at first, and at the latest."""


class Hubs:
    """`with Hubs(...) as hubs:` connects one hub a home. Every button is pressed once, in an order that follows from
    the seed, so that each press has to become an alert of its own. `times`: again and again in the same order."""

    def __init__(
        self, port: int, homes: Homes, *, secrets: bool, seed: int = 1, first: int = 0, times: int = 1
    ) -> None:
        self.acknowledged: list[Sent] = []
        self._under_way: dict[tuple[int, int], tuple[int, int, int]] = {}  # home, packet id -> button, ms, sent
        self._lock = threading.Lock()
        self._left = [(home, button) for home in range(first, homes.count) for button in range(homes.buttons)]
        random.Random(seed).shuffle(self._left)
        self._left *= times
        self._stopping = threading.Event()
        self._presser: threading.Thread | None = None
        self._clients = {home: self._hub(port, homes, home, secrets) for home in range(first, homes.count)}

    def __enter__(self) -> "Hubs":
        wait_until("the hubs", lambda: all(client.is_connected() for client in self._clients.values()), 30)
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()
        for client in self._clients.values():
            client.disconnect()
            client.loop_stop()

    def press_on(self, rate: float) -> None:
        """Press buttons from now on, so many a second, until told to rest."""
        self._stopping.clear()
        self._presser = threading.Thread(target=self._press_on, args=(rate,), daemon=True)
        self._presser.start()

    def rest(self) -> None:
        """Press no more; what was pressed is still asked for."""
        self._stopping.set()
        if self._presser is not None:
            self._presser.join()
            self._presser = None

    def wait_acknowledged(self, within_s: float = 90) -> list[Sent]:
        """Wait until the broker has taken all of them."""
        wait_until(f"an answer to every press of {len(self._under_way)}", lambda: not self._under_way, within_s)
        return list(self.acknowledged)

    def unanswered(self) -> list[Sent]:
        """What was pressed and is not acknowledged."""
        with self._lock:
            return [Sent(home, button, ms, 0, sent, 0) for (home, _), (button, ms, sent) in self._under_way.items()]

    def _press_on(self, rate: float) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            due += 1 / rate
            if not self._left:
                raise BenchError("every button was pressed; take more homes or buttons")
            self._press(*self._left.pop())

    def _press(self, home: int, button: int) -> None:
        ms = int(time.time() * 1000)
        at = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        payload = json.dumps({"action": "emergency", "battery": 100, "last_seen": at, "linkquality": 87})
        topic = f"shouwang/{Homes.name(home)}/zigbee2mqtt/sos/button_{button}"
        with self._lock:  # the answer may be quicker than the number under which it comes
            sent = time.monotonic_ns()
            mid = self._clients[home].publish(topic, payload, 1).mid
            self._under_way[home, mid] = button, ms, sent

    def _hub(self, port: int, homes: Homes, home: int, secrets: bool) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{home}", clean_session=False)
        if secrets:
            client.username_pw_set(homes.name(home), homes.secret(home))
        client.reconnect_delay_set(*AGAIN_S)
        client.max_inflight_messages_set(UNDER_WAY)
        client.on_publish = partial(self._taken, home)
        client.connect_async("127.0.0.1", port, KEEPALIVE_S)
        client.loop_start()
        return client

    def _taken(self, home: int, _client: object, _userdata: object, mid: int, *_: object) -> None:
        with self._lock:
            button, ms, sent = self._under_way.pop((home, mid))
            self.acknowledged.append(Sent(home, button, ms, 0, sent, time.monotonic_ns()))
