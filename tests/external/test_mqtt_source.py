"""The ear on real brokers: nothing settled too early, nothing lost, and a press before everything else."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from live_brokers import Device, LiveBroker, Mosquitto, Nats, eventually, hear, listening

from gateway.clock import SystemClock
from gateway.domain.endpoint import Endpoint
from gateway.ports import Message
from ingest.mqtt import MqttSource, queue_warning

pytestmark = pytest.mark.external

Ear = Callable[..., MqttSource]


def payloads(messages: list[Message]) -> list[bytes]:
    return [message.payload for message in messages]


@contextmanager
def soon(hub: Device, word: str) -> Iterator[None]:
    """A press while somebody already listens, and the broker's word for it before the hub may leave."""
    press = threading.Timer(0.2, hub.say, ("shouwang/hub-a/plain/sos/bed", word))
    press.start()
    yield
    press.join()


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
        with soon(hub, "press"):
            assert payloads(source.poll(timedelta(minutes=1))) == [b"press"]
        assert payloads(source.poll(timedelta(0))) == [b"waits to share a commit"]


def test_presses_are_heard_in_the_midst_of_a_batch(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "a batch")
        assert payloads(hear(source, 1)) == [b"a batch"]
        assert not source.presses()

        hub.say("shouwang/hub-a/plain/sos/bed", "press")
        hub.say("shouwang/hub-a/plain/hall", "the next batch")
        pressed: list[Message] = []
        until = time.monotonic() + 10
        while not pressed and time.monotonic() < until:
            pressed += source.presses()

        assert payloads(pressed) == [b"press"]
        source.settle(pressed)
        assert payloads(hear(source, 1)) == [b"the next batch"]


def test_a_flood_of_presses_does_not_silence_readings(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear(linger=timedelta(hours=1)))
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "first")
        assert payloads(hear(source, 1)) == [b"first"]
        hub.say("shouwang/hub-a/plain/hall", "waiting")
        with soon(hub, "press 1"):
            assert payloads(source.poll(timedelta(minutes=1))) == [b"press 1"]
        with soon(hub, "press 2"):
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


def test_what_is_left_of_a_backlog_does_not_linger(broker: LiveBroker, ear: Ear) -> None:
    source = listening(ear(batch=50, linger=timedelta(hours=1)))
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "first")
        sent = [hub.client.publish("shouwang/hub-a/plain/sos-not", str(n), 1) for n in range(120)]
        sent[-1].wait_for_publish(30)
        first = source.poll(timedelta(seconds=5))
        while len(first) < 50:  # it began to read before a batch was there
            source.settle(first)
            source._rests_until = 0.0
            first = source.poll(timedelta(seconds=5))
        source.settle(first)

        assert len(source.poll(timedelta(seconds=5))) > 0


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
    assert source.trouble() != "", "closed or reset, as it happens"

    broker.start()
    listening(source)
    assert source.trouble() == ""


def test_a_retained_message_is_marked(broker: LiveBroker, ear: Ear) -> None:
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/zigbee2mqtt/bridge/state", '{"state":"online"}', retain=True)

    heard = hear(ear(), 1)

    assert (heard[0].topic, heard[0].retained) == ("shouwang/hub-a/zigbee2mqtt/bridge/state", True)


def poll_for(source: MqttSource, seconds: float) -> list[Message]:
    """Whatever comes within so long, unsettled."""
    heard: list[Message] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        heard += source.poll(timedelta(milliseconds=20))
    return heard


def retain(broker: LiveBroker, count: int) -> None:
    with Device(broker.hub("hub-a")) as hub:
        for number in range(count - 1):
            hub.client.publish(f"shouwang/hub-a/esphome/s{number}/state", "ON", 1, True)
        hub.say("shouwang/hub-a/esphome/sos/last/state", "ON", retain=True)  # the broker has all that came before


def test_what_is_retained_is_heard_at_each_start(broker: LiveBroker, ear: Ear) -> None:
    """Also what was published without guarantee while we were away: so a danger that nobody queued is still told."""
    listening(ear()).close()
    with Device(broker.hub("hub-a")) as hub:
        hub.client.publish("shouwang/hub-a/esphome/kitchen/state", "ON", 0, True)
        hub.say("shouwang/hub-a/plain/hall", "waited")
        hub.say("shouwang/hub-a/esphome/sos/cord/state", "OFF", retain=True)

    for _ in range(2):
        source = ear()
        heard = poll_for(source, 2.0)
        source.settle(heard)
        source.close()

        remembered = {m.topic.removeprefix("shouwang/hub-a/esphome/"): m.payload for m in heard if m.retained}
        assert remembered == {"kitchen/state": b"ON", "sos/cord/state": b"OFF"}
        assert {m.urgent for m in heard if "/sos/" in m.topic} == {True}


def test_who_dies_over_what_is_retained_is_not_deaf_ever_after(broker: LiveBroker, ear: Ear) -> None:
    """NATS counts it against the session, so that a gateway killed while it started heard nothing from then on."""
    listening(ear()).close()
    retain(broker, 450)
    for _ in range(3):
        source = ear()
        poll_for(source, 2.0)
        source.close()  # it "crashed" with all of it in its hands
    source = ear()
    source.settle(poll_for(source, 2.0))
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "motion")
        hub.say("shouwang/hub-a/plain/sos/bed", "press")

    new: list[bytes] = []
    until = time.monotonic() + 20
    while len(new) < 2 and time.monotonic() < until:
        batch = source.poll(timedelta(milliseconds=50))
        source.settle(batch)
        new += [m.payload for m in batch if "/plain/" in m.topic]
    assert sorted(new) == [b"motion", b"press"]


def test_what_waited_is_heard_before_what_is_retained(nats: LiveBroker, tmp_path: Path) -> None:
    folder = tmp_path / "ear"
    folder.mkdir()
    with closing(MqttSource(nats.gateway, folder, SystemClock(), renew=lambda: None)) as source:
        listening(source)
    with Device(nats.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/esphome/door/state", "ON", retain=True)
        for number in range(700):
            hub.client.publish("shouwang/hub-a/plain/hall", str(number), 1)
        hub.say("shouwang/hub-a/plain/hall", "700")

    with closing(MqttSource(nats.gateway, folder, SystemClock(), renew=lambda: None)) as source:
        heard = hear(source, 703)

    assert [m.retained for m in heard].index(True) == 702, "the 702 that waited, and then what is retained"


def test_our_own_broker_that_delivers_nothing_is_started_anew(
    nats: Nats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a first start that died in the midst of what others had retained."""
    monkeypatch.setattr("ingest.mqtt.ECHO_EVERY_S", 0.2)
    monkeypatch.setattr("ingest.mqtt.ECHO_WITHIN_S", 3.0)
    folder = tmp_path / "ear"
    folder.mkdir()

    def open_ear(renew: Callable[[], object] | None) -> MqttSource:
        return MqttSource(nats.gateway, folder, SystemClock(), renew=renew)

    renewed: list[float] = []

    def renew() -> None:
        renewed.append(time.monotonic())
        nats.kill()
        nats.start()

    retain(nats, 450)
    with closing(open_ear(None)) as source:
        poll_for(source, 1.0)  # and dies
    with closing(open_ear(renew)) as source:
        with Device(nats.hub("hub-a")) as hub:
            hub.say("shouwang/hub-a/plain/hall", "motion")
        heard: list[bytes] = []
        until = time.monotonic() + 40
        while b"motion" not in heard and time.monotonic() < until:
            batch = source.poll(timedelta(milliseconds=50))
            source.settle(batch)
            heard += [m.payload for m in batch]
        assert b"motion" in heard
        assert len(renewed) == 1
        assert "delivers nothing" in caplog.text
        eventually(lambda: not source.settle(source.poll(timedelta(milliseconds=20))) and source.deaf_to() == [])


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


def forget_session(broker: LiveBroker, folder: Path, name: str) -> None:
    """What a broker that lost its memory does: to connect with a clean session is to be forgotten."""
    ids = json.loads((folder / "mqtt-clients.json").read_text())
    Device(broker.gateway, ids[name]).leave()


def test_a_press_that_only_the_readings_session_kept_is_not_dropped(
    broker: LiveBroker, ear: Ear, tmp_path: Path
) -> None:
    """The broker lost the life-safety session and kept the other: the press then exists once, among the readings."""
    listening(ear()).close()
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/sos/bed", "press")
        forget_session(broker, tmp_path / "ear", "sos")

        assert payloads(hear(ear(), 1)) == [b"press"]


def test_a_new_life_safety_filter_does_not_swallow_what_waits(broker: LiveBroker, ear: Ear, tmp_path: Path) -> None:
    """After an update that widens the life-safety session, the backlog holds presses from before."""
    listening(ear()).close()
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/sos/bed", "press")
    granted = tmp_path / "ear" / "mqtt-sos.json"
    granted.write_text(json.dumps(json.loads(granted.read_text())[:1]))  # as an older release left it

    heard = hear(ear(), 2)

    assert payloads(heard) == [b"press", b"press"]  # by both sessions: twice is harmless, never is not


def test_both_sessions_forgotten_is_like_the_first_day(broker: LiveBroker, ear: Ear, tmp_path: Path) -> None:
    listening(ear()).close()
    for name in ("sos", "readings"):
        forget_session(broker, tmp_path / "ear", name)
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/sos/bed", "press")

    assert payloads(hear(source, 1)) == [b"press"]
    assert not source.poll(timedelta(milliseconds=300))


@pytest.mark.parametrize("broker", ["nats"], indirect=True)
def test_while_life_safety_is_refused_the_readings_carry_it(
    broker: LiveBroker, ear: Ear, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """NATS refuses a filter when a session's windows pass 65,535 together: two fit, ten do not."""
    monkeypatch.setattr("gateway.broker.MAX_ACK_PENDING", 20_000)
    broker.stop()
    broker.start()
    source = ear()
    with Device(broker.hub("hub-a")) as hub:
        eventually(lambda: not source.poll(timedelta(milliseconds=10)) and source.deaf_to() == ["sos"])
        hub.say("shouwang/hub-a/zigbee2mqtt/sos/bed", "press")

        assert [(m.payload, m.urgent) for m in hear(source, 1)] == [(b"press", False)]
    assert source.listening_since() is None
    assert "refused to let us hear shouwang/+/zigbee2mqtt/sos/#" in source.trouble()
    assert [r.levelname for r in caplog.records].count("ERROR") == 1, "said once, not at each attempt"

    monkeypatch.undo()  # somebody repairs it
    broker.stop()
    broker.start()
    listening(source)


def test_a_wrong_secret_is_told(broker: LiveBroker, tmp_path: Path) -> None:
    source = MqttSource(replace(broker.gateway, password="wrong"), tmp_path, SystemClock())

    eventually(lambda: not source.poll(timedelta(milliseconds=10)) and "refused us" in source.trouble())

    source.close()


def test_a_second_gateway_on_the_same_folder_is_told(broker: LiveBroker, ear: Ear) -> None:
    first, second = listening(ear()), ear()

    eventually(
        lambda: (
            not [*first.poll(timedelta(0)), *second.poll(timedelta(0))]
            and "a second gateway" in first.trouble() + second.trouble()
        )
    )


def test_an_absent_host_does_not_hold_up_the_thread(tmp_path: Path) -> None:
    """The same thread keeps the deadlines of every home; nobody may make it wait for a network."""
    with socket.create_server(("127.0.0.1", 0)) as dumb:  # takes the connection and never says a word
        endpoint = Endpoint(host="127.0.0.1", port=dumb.getsockname()[1])
        source = MqttSource(endpoint, tmp_path, SystemClock())
        for _ in range(20):
            assert not source.poll(timedelta(0))
            time.sleep(0.01)
        assert "has not answered" in source.trouble()
        source.close()
    nowhere = Endpoint(host="no-such-host.invalid", port=1883)
    source = MqttSource(nowhere, tmp_path, SystemClock())
    eventually(lambda: not source.poll(timedelta(0)) and "cannot be reached" in source.trouble())
    source.close()


def test_how_much_the_broker_keeps_is_found_out(broker: LiveBroker) -> None:
    assert queue_warning(broker.gateway) == ""


def test_a_queue_limit_that_loses_messages_is_told(mosquitto: Mosquitto) -> None:
    mosquitto.configure("max_queued_messages 0", "max_queued_messages 1000")

    said = queue_warning(mosquitto.gateway)

    assert "只为离线的网关保留约 1000 条消息" in said
    assert "keeps only about 1000 messages" in said


def test_where_the_queue_cannot_be_tried_that_is_told(broker: LiveBroker) -> None:
    said = queue_warning(broker.hub("hub-a"))  # who may not write there

    assert "allow us to read and write shouwang-probe/#" in said


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_granted_and_yet_deaf(
    broker: Mosquitto, ear: Ear, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Mosquitto grants a subscription that its access list then never fills; every home would seem to fall silent."""
    monkeypatch.setattr("ingest.mqtt.ECHO_EVERY_S", 0.2)
    monkeypatch.setattr("ingest.mqtt.ECHO_WITHIN_S", 0.5)
    allowed = "topic readwrite shouwang/#"
    broker.allow(allowed, "topic write shouwang/#")
    source = listening(ear())

    eventually(lambda: not source.poll(timedelta(milliseconds=10)) and source.deaf_to() == ["sos", "readings"])

    assert "delivers nothing" in source.trouble()
    assert [r.levelname for r in caplog.records].count("ERROR") == 2, "said once a session"
    broker.allow("topic write shouwang/#", allowed)
    listening(source)
    assert source.trouble() == ""


def test_its_own_voice_is_not_handed_on(broker: LiveBroker, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.mqtt.ECHO_EVERY_S", 0.05)
    monkeypatch.setattr("ingest.mqtt.ECHO_WITHIN_S", 5.0)
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        assert hub.listen("shouwang/hub-a/#")
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            assert not source.poll(timedelta(milliseconds=20))
        hub.say("shouwang/hub-a/plain/hall", "said")

    assert payloads(hear(source, 1)) == [b"said"]
    assert source.deaf_to() == []
    source.close()
    assert not ear().poll(timedelta(milliseconds=500)), "and it was settled"


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_who_may_not_call_out_still_hears(
    broker: Mosquitto, ear: Ear, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ingest.mqtt.ECHO_EVERY_S", 0.2)
    monkeypatch.setattr("ingest.mqtt.ECHO_WITHIN_S", 0.5)
    broker.allow("topic readwrite shouwang/#", "topic read shouwang/#")
    source = listening(ear())
    for _ in range(100):
        source.poll(timedelta(milliseconds=10))
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "1")
        hub.say("shouwang/hub-a/plain/sos/bed", "2")

    assert sorted(payloads(hear(source, 2))) == [b"1", b"2"]
    assert source.deaf_to() == []
    assert "cannot try our ears" in caplog.text


def test_a_broker_that_hangs_is_noticed(broker: LiveBroker, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection stands and nothing comes: only asking tells that from a quiet night."""
    monkeypatch.setattr("ingest.mqtt.PING_EVERY_S", 0.1)
    monkeypatch.setattr("ingest.mqtt.SILENT_S", 1.0)
    source = listening(ear())
    since = source.listening_since()
    until = time.monotonic() + 2.0
    while time.monotonic() < until:
        source.poll(timedelta(milliseconds=20))
    assert source.listening_since() == since, "a quiet broker is not a dead one"

    broker.freeze()
    eventually(lambda: not source.poll(timedelta(milliseconds=20)) and source.listening_since() is None)
    assert "says nothing any more" in source.trouble()

    broker.thaw()
    listening(source)
