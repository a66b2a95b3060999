"""Simulated hubs on real brokers: everything arrives once, in order, under the right name, and is remembered."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from live_brokers import Device, eventually

from simulators.broker import AS_FAST_AS_POSSIBLE, Hubs, publish_once
from simulators.household import furnish

pytestmark = pytest.mark.external

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
def listener(broker):
    """Somebody who hears everything on the broker."""
    with Device(broker.gateway) as listening:
        assert listening.listen("shouwang/#")
        yield listening


@pytest.fixture
def homes(broker):
    households = [furnish(f"h{n}", "gardener", seed=5) for n in range(2)]
    broker.admit(*(household.hub for household in households))
    return households


def test_everything_arrives_in_the_order_of_each_home(broker, homes, listener):
    said = {h.hub: list(h.publications(NOON, NOON + timedelta(hours=3))) for h in homes}
    stream = sorted((p for ps in said.values() for p in ps), key=lambda p: p.at)
    secrets = {hub: broker.hub(hub).password for hub in said}

    with Hubs(broker.gateway, secrets, stream, pace=AS_FAST_AS_POSSIBLE) as hubs:
        assert hubs.join(60)
        eventually(lambda: len(listener.heard) >= len(stream))

    for hub, publications in said.items():
        heard = [(m.topic, m.payload) for m in listener.heard if m.topic.startswith(f"shouwang/{hub}/")]
        assert heard == [(p.topic, p.payload) for p in publications]
    assert hubs.counts.acknowledged == len(stream)
    assert hubs.counts.dropped == 0


def test_one_press_is_published_once(broker, homes, listener):
    household = homes[0]

    publish_once(broker.gateway, household.hub, broker.hub(household.hub).password, household.press_now(NOON))

    eventually(lambda: listener.heard)
    assert [message.topic for message in listener.heard] == [f"shouwang/{household.hub}/zigbee2mqtt/sos/bedside"]


def test_a_wrong_secret_is_told(broker, homes):
    household = homes[0]

    with pytest.raises(ConnectionError, match=f"did not take what {household.hub} said within 3 s: .*uthori"):
        publish_once(broker.gateway, household.hub, "guessed", household.press_now(NOON), within_s=3)


def test_what_a_hub_says_while_the_broker_is_away_comes_later(broker, homes):
    household = homes[0]
    first, *rest = household.publications(NOON, NOON + timedelta(minutes=30))
    gate = threading.Event()

    def stream():
        yield first
        gate.wait()
        yield from rest

    with Hubs(
        broker.gateway, {household.hub: broker.hub(household.hub).password}, stream(), pace=AS_FAST_AS_POSSIBLE
    ) as hubs:
        eventually(lambda: hubs.counts.acknowledged == 1)
        broker.kill()
        gate.set()
        eventually(lambda: hubs.counts.published == 1 + len(rest))
        broker.start()
        assert hubs.join(60)

    assert hubs.counts.acknowledged == 1 + len(rest)


def test_it_can_be_stopped_at_any_time(broker, homes):
    household = homes[0]
    endless = (replace(p, at=NOON) for p in household.publications(NOON))

    with Hubs(broker.gateway, {household.hub: broker.hub(household.hub).password}, endless) as hubs:
        eventually(lambda: hubs.counts.acknowledged > 100)

    assert hubs.counts.published >= 100


def test_what_the_stream_raises_comes_out(broker):
    def stream():
        raise LookupError("no such day")
        yield

    hubs = Hubs(broker.gateway, {}, stream())
    hubs.start()

    with pytest.raises(LookupError, match="no such day"):
        hubs.stop()
