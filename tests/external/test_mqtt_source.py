"""The ear on real brokers: nothing settled too early, nothing lost, and a press before everything else."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from live_brokers import Device, LiveBroker, eventually, hear, listening

from gateway.ports import Message
from ingest.mqtt import MqttSource

pytestmark = pytest.mark.external

Ear = Callable[..., MqttSource]


def payloads(messages: list[Message]) -> list[bytes]:
    return [message.payload for message in messages]


def test_what_a_hub_says_is_heard_once(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", '{"kind":"motion","value":1}')
        hub.say("shouwang/hub-a/zigbee2mqtt/卧室 门".replace(" ", ""), "开")

    heard = hear(source, 2)

    assert [(m.topic, m.payload.decode(), m.urgent) for m in heard] == [
        ("shouwang/hub-a/plain/hall", '{"kind":"motion","value":1}', False),
        ("shouwang/hub-a/zigbee2mqtt/卧室门", "开", False),
    ]
    assert not source.poll(timedelta(milliseconds=300))


def test_what_was_not_settled_comes_again(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        for number in range(20):
            hub.say("shouwang/hub-a/plain/hall", str(number))
        hub.say("shouwang/hub-a/plain/sos/bed", "press")
    heard = hear(source, 21, settle=False)
    source.settle([m for m in heard if not m.urgent][:5])
    source.close()  # it "crashed" with sixteen messages in its hands

    again = hear(ear(), 16)

    assert sorted(payloads(again)) == sorted([b"press", *(str(n).encode() for n in range(5, 20))])


def test_a_press_comes_by_its_own_session_and_only_once(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        for topic in ("plain/sos/bed", "zigbee2mqtt/sos/cord", "zigbee2mqtt/sos/cord/availability", "plain/hall"):
            hub.say(f"shouwang/hub-a/{topic}")

    heard = hear(source, 4)

    assert {m.topic.removeprefix("shouwang/hub-a/"): m.urgent for m in heard} == {
        "plain/sos/bed": True,
        "zigbee2mqtt/sos/cord": True,
        "zigbee2mqtt/sos/cord/availability": True,
        "plain/hall": False,
    }
    assert not source.poll(timedelta(milliseconds=300))


def test_a_press_overtakes_a_backlog(broker: LiveBroker, ear: Ear) -> None:
    listening(ear()).close()
    with Device(broker.hub("hub-a")) as readings, Device(broker.hub("hub-b")) as button:
        sent = [readings.client.publish("shouwang/hub-a/plain/hall", str(n), 1) for n in range(5000)]
        sent[-1].wait_for_publish(60)
        button.say("shouwang/hub-b/plain/sos/bed", "press")
    source = ear()

    heard: list[Message] = []
    while not any(m.urgent for m in heard):
        heard += hear(source, 1)

    before = len([m for m in heard if not m.urgent])
    assert before <= 500, "the press waited behind more than one batch"
    rest = hear(source, 5000 - before)
    assert {int(m.payload) for m in [*heard, *rest] if not m.urgent} == set(range(5000))


def test_a_press_ends_the_linger(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear(linger=timedelta(hours=1)))
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "first")
        assert payloads(hear(source, 1)) == [b"first"]
        hub.say("shouwang/hub-a/plain/hall", "waits to share a commit")
        threading.Timer(0.2, hub.say, ("shouwang/hub-a/plain/sos/bed", "press")).start()

        assert payloads(source.poll(timedelta(minutes=1))) == [b"press"]
        assert payloads(source.poll(timedelta(0))) == [b"waits to share a commit"]


def test_a_flood_of_presses_does_not_silence_readings(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear(linger=timedelta(hours=1)))
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "first")
        assert payloads(hear(source, 1)) == [b"first"]
        hub.say("shouwang/hub-a/plain/hall", "waiting")
        threading.Timer(0.2, hub.say, ("shouwang/hub-a/plain/sos/bed", "press 1")).start()
        assert payloads(source.poll(timedelta(minutes=1))) == [b"press 1"]
        threading.Timer(0.2, hub.say, ("shouwang/hub-a/plain/sos/bed", "press 2")).start()

        assert payloads(source.poll(timedelta(minutes=1))) == [b"press 2", b"waiting"]


def test_a_batch_has_a_bound(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear(batch=50))
    with Device(broker.hub("hub-a")) as hub:
        sent = [hub.client.publish("shouwang/hub-a/plain/hall", str(n), 1) for n in range(1000)]
        sent[-1].wait_for_publish(30)

    batches = []
    while sum(batches) < 1000:
        batch = source.poll(timedelta(seconds=5))
        source.settle(batch)
        batches.append(len(batch))

    assert max(batches) == 50


def test_an_old_receipt_is_passed_over(broker: LiveBroker, ear: Ear) -> None:
    """A packet id belongs to one connection; acknowledged on the next it would settle somebody else's message."""
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        for number in range(10):
            hub.say("shouwang/hub-a/plain/hall", str(number))
        old = hear(source, 10, settle=False)
    broker.stop()
    broker.start()
    again = hear(source, 10, settle=False)

    source.settle(old)

    assert {m.payload for m in again} == {m.payload for m in old}
    source.close()
    assert {int(p) for p in payloads(hear(ear(), 10))} == set(range(10))


def test_a_broker_that_is_killed_loses_nothing_and_the_ear_recovers(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    since = source.listening_since()
    with Device(broker.hub("hub-a"), "hub-a-client", clean=False) as hub:
        acknowledged = []
        for number in range(30):
            hub.say("shouwang/hub-a/plain/hall", str(number))
            acknowledged.append(number)
            if number in (10, 20):
                broker.kill()
                broker.start()
                eventually(lambda: hub.client.is_connected())
    heard = {int(m.payload) for m in hear(source, 30 if broker.kind == "nats" else 8)}
    if broker.kind == "nats":
        assert heard == set(acknowledged)
    listening(source) if source.listening_since() is None else None
    assert source.listening_since() > since
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "after")
    eventually(lambda: b"after" in payloads(list(source.poll(timedelta(seconds=1)))))


def test_deaf_while_the_broker_is_away(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    assert source.trouble() == ""
    broker.stop()

    eventually(lambda: not source.poll(timedelta(milliseconds=10)) and source.listening_since() is None)
    assert "127.0.0.1" in source.trouble() or "closed" in source.trouble()

    broker.start()
    listening(source)
    assert source.trouble() == ""


def test_a_retained_message_is_marked(broker: LiveBroker, ear: Ear) -> None:
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/zigbee2mqtt/bridge/state", '{"state":"online"}', retain=True)

    heard = hear(ear(), 1)

    assert (heard[0].topic, heard[0].retained) == ("shouwang/hub-a/zigbee2mqtt/bridge/state", True)


def test_a_large_bridge_message_arrives_whole(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    large = b"x" * (1024 * 1024)
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/zigbee2mqtt/bridge/devices", large)
        hub.say("shouwang/hub-a/plain/hall", "next")

    assert payloads(hear(source, 2)) == [large, b"next"]


def test_without_guarantee_there_is_nothing_to_settle(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        hub.client.publish("shouwang/hub-a/plain/hall", "quality 0", 0)

        heard = hear(source, 1)

    assert heard[0].receipt is None


def test_secrets_are_our_own(broker: LiveBroker, ear: Ear, tmp_path) -> None:
    ear().close()
    ids = tmp_path / "ear" / "mqtt-clients.json"
    first = ids.read_text()
    ear().close()

    assert ids.stat().st_mode & 0o777 == 0o600
    assert ids.read_text() == first
