"""The way back to a hub: one message, asked of the broker by a connection that is made for it and then gone.

Requests to hubs are rare (rename a device, let new ones join), and who asks waits for the answer on a page. So there
is no connection to keep alive beside the ear's two, and nothing is queued: what cannot be said now is told at once.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.domain.endpoint import Endpoint
from gateway.ports import TryLater
from ingest.mqtt import ROOT, converse, dial, leave

LONGEST: Final = 1024
"""Characters of a topic below the hub; the name of a device ends far before."""


@dataclass(frozen=True, slots=True)
class MqttPost:
    """Asks hubs through the gateway's own broker (`ports.Post`). Blocks: call it from a thread that may wait."""

    endpoint: Endpoint
    within: timedelta = timedelta(seconds=10)

    def post(self, hub: str, rest: str, payload: bytes) -> None:
        """Publish to `shouwang/<hub>/<rest>` at QoS 1; returns when the broker has it. Raises `TryLater`.

        That the broker has it does not say that the hub is there: its answer comes on `bridge/response/…`.
        """
        topic = _topic(hub, rest)
        until = time.monotonic() + self.within.total_seconds()
        try:
            client = dial(self.endpoint, "", until, clean=True)
        except OSError as error:  # ConnectionError and failures of TLS among them
            raise TryLater(f"{hub} was not asked: {self.endpoint} cannot be reached ({error})") from error
        try:
            acknowledged: list[int] = []
            client.on_publish = lambda _client, _userdata, mid, _reason, _properties: acknowledged.append(mid)
            client.publish(topic, payload, qos=1)
            if not converse(client, until, lambda: bool(acknowledged)):
                raise TryLater(f"{hub} was not asked: {self.endpoint} did not acknowledge {topic}")
        finally:
            leave(client)


def _topic(hub: str, rest: str) -> str:
    """A wildcard would reach every home, and a space ends the connection of whoever says it to the embedded broker."""
    if not hub or not rest or "/" in hub or len(rest) > LONGEST:
        raise ValueError(f"a hub and what follows it, at most {LONGEST} characters, not {hub!r} and {rest!r:.80}")
    if odd := [c for c in f"{hub}{rest}" if c in "#+*>\x7f" or c <= " "]:
        raise ValueError(f"{odd[0]!r} cannot stand in the topic of a request: {hub!r}, {rest!r:.80}")
    return f"{ROOT}/{hub}/{rest}"
