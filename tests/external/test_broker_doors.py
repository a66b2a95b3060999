"""Homes are sealed from each other: what a hub may not do fails at the broker, on both brokers."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from live_brokers import Device, LiveBroker, Mosquitto, Nats, can_connect, eventually, hear, listening

from gateway.broker import check_hub, new_secret, reload
from gateway.domain.endpoint import Endpoint
from ingest.mqtt import MqttSource

pytestmark = pytest.mark.external

ODD_NAMES = [
    "#",
    "+",
    "/",
    "$SYS",
    "hub-a/#",
    "HUB",
    "hub_a",
    "hub a",
    "hub.a",
    "hub.>",
    "*",
    ">",
    "王奶奶",
    "",
    "x" * 65,
]


def test_a_hub_hears_its_own_topics(broker: LiveBroker) -> None:
    with Device(broker.hub("hub-a")) as hub:
        assert hub.listen("shouwang/hub-a/#")
        hub.say("shouwang/hub-a/zigbee2mqtt/lamp/set", "on")

        eventually(lambda: [m.payload for m in hub.heard] == [b"on"])


@pytest.mark.parametrize(
    "wanted",
    [
        "shouwang/hub-b/#",
        "shouwang/hub-b/plain/hall",
        "shouwang/#",
        "shouwang/+/plain/hall",
        "+/hub-b/#",
        "#",
        "+/+/+/+",
        "$MQTT/#",
        "$MQTT/sub/#",
        "$JS/#",
        "$SYS/#",
    ],
)
def test_a_hub_does_not_hear_another_home(broker: LiveBroker, wanted: str) -> None:
    with Device(broker.hub("hub-a")) as spy, Device(broker.hub("hub-b")) as hub:
        hub.listen("shouwang/hub-b/#")
        hub.say("shouwang/hub-b/plain/kept", "retained", retain=True)
        granted = spy.listen(wanted)
        spy.listen("shouwang/hub-a/#")
        hub.say("shouwang/hub-b/plain/hall", "private")
        hub.say("shouwang/hub-b/plain/sos/bed", "private")
        spy.say("shouwang/hub-a/last", "mine")
        eventually(lambda: [m for m in spy.heard if m.payload == b"mine"])

        assert {m.topic for m in spy.heard} == {"shouwang/hub-a/last"}
        assert not granted or broker.kind == "mosquitto"  # which grants everything and delivers nothing


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize(
    "topic",
    [
        "shouwang/hub-b/plain/sos/bed",
        "shouwang/hub-b",
        "shouwang/_gateway/plain/x",
        "shouwang",
        "shouwang/hub-a-2/plain/x",
        "elsewhere",
    ],
)
def test_a_hub_does_not_speak_for_another_home(
    broker: LiveBroker, ear: Callable[..., MqttSource], topic: str, retain: bool
) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        hub.client.publish(topic, "forged", 1, retain)
        hub.client.publish(topic, "forged", 0, retain)
    with Device(broker.hub("hub-b")) as hub:
        hub.say("shouwang/hub-b/plain/hall", "true")
        assert [m.payload for m in hear(source, 1)] == [b"true"]
        hub.listen("shouwang/hub-b/#")
        hub.say("shouwang/hub-b/plain/end")
        eventually(lambda: hub.heard)
        assert [m.topic for m in hub.heard] == ["shouwang/hub-b/plain/end"]


def test_a_last_will_is_held_to_the_same_list(broker: LiveBroker, ear: Callable[..., MqttSource]) -> None:
    source = listening(ear())
    try:
        Device(broker.hub("hub-a"), will="shouwang/hub-b/plain/sos/bed").vanish()
    except OSError:
        pass  # refused at the door is fine too
    Device(broker.hub("hub-a"), will="shouwang/hub-a/zigbee2mqtt/bridge/state").vanish()
    with Device(broker.hub("hub-b")) as hub:
        hub.say("shouwang/hub-b/plain/hall", "true")

    heard = {m.topic for m in hear(source, 2)}

    assert heard == {"shouwang/hub-a/zigbee2mqtt/bridge/state", "shouwang/hub-b/plain/hall"}


def test_who_takes_a_hubs_session_does_not_take_its_messages(broker: LiveBroker) -> None:
    """Client ids are not secrets of hubs, so another hub may connect with one; it hears nothing by it."""
    victim = Device(broker.hub("hub-b"), "client-of-b", clean=False)
    assert victim.listen("shouwang/hub-b/#")
    victim.leave()
    with Device(broker.hub("hub-b")) as hub:
        hub.say("shouwang/hub-b/zigbee2mqtt/lock/set", "open")

    with Device(broker.hub("hub-a"), "client-of-b", clean=False) as thief:
        thief.listen("shouwang/hub-a/#")
        thief.say("shouwang/hub-a/end")
        eventually(lambda: [m for m in thief.heard if m.topic == "shouwang/hub-a/end"])

        assert not [m for m in thief.heard if m.topic.startswith("shouwang/hub-b")]


def test_no_secret_no_entry(broker: LiveBroker) -> None:
    right = broker.hub("hub-a")
    for username, password in (
        ("", ""),
        ("hub-a", ""),
        ("hub-a", broker.hub("hub-b").password),
        ("hub-c", right.password),
        ("_gateway", right.password),
        *((name, right.password) for name in ODD_NAMES),
    ):
        wrong = Endpoint(host=right.host, port=right.port, username=username, password=password)
        assert not can_connect(wrong), username
    assert can_connect(right)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_could_reach_further_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="小写字母"):
        check_hub(name)


def test_hubs_come_and_go_while_the_others_stay(broker: LiveBroker, ear: Callable[..., MqttSource]) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as staying, Device(broker.hub("hub-b")) as leaving:
        broker.admit("hub-c")
        with Device(broker.hub("hub-c")) as new:
            new.say("shouwang/hub-c/plain/hall", "new")
        broker.revoke("hub-b")
        eventually(lambda: leaving.drops)
        staying.say("shouwang/hub-a/plain/hall", "still here")

        assert [m.payload for m in hear(source, 2)] == [b"new", b"still here"]
        assert (staying.connections, staying.drops) == (1, 0)
        assert source.trouble() == ""


def test_a_thousand_hubs_are_admitted_at_once(nats: Nats) -> None:
    secret, hashed = new_secret()
    with Device(nats.hub("hub-a")) as staying:
        reload(nats.folder, {**{f"h-{n}": hashed for n in range(1000)}, **nats._hashes})
        last = Endpoint(host="127.0.0.1", port=nats.gateway.port, username="h-999", password=secret)
        eventually(lambda: can_connect(last))

        assert staying.drops == 0


def test_a_space_in_a_topic_ends_the_connection(broker: LiveBroker, ear: Callable[..., MqttSource]) -> None:
    """NATS: whoever names a device must know it. Mosquitto lets it pass."""
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        hub.client.publish("shouwang/hub-a/zigbee2mqtt/living room", "{}", 1)
        if broker.kind == "nats":
            eventually(lambda: hub.drops)
        else:
            assert hear(source, 1)[0].topic == "shouwang/hub-a/zigbee2mqtt/living room"


@pytest.mark.parametrize("name", ["卧室门", "a.b", "0x00158d0001a2b3c4", "sos/床头", "Tür", "a_b-c", "😀"])
def test_other_names_pass(broker: LiveBroker, ear: Callable[..., MqttSource], name: str) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        hub.say(f"shouwang/hub-a/zigbee2mqtt/{name}")

    assert hear(source, 1)[0].topic == f"shouwang/hub-a/zigbee2mqtt/{name}"


def test_a_topic_that_is_no_text_does_not_hurt(broker: LiveBroker, ear: Callable[..., MqttSource]) -> None:
    source = listening(ear())
    with Device(broker.hub("hub-a")) as hub:
        topic = b"shouwang/hub-a/plain/\xff\xfe"
        packet = bytes([0x30, 2 + len(topic) + 1, 0, len(topic)]) + topic + b"x"
        hub.client.socket().send(packet)
        time.sleep(0.1)
    with Device(broker.hub("hub-a")) as hub:
        hub.say("shouwang/hub-a/plain/hall", "next")

    heard = hear(source, 1)
    if heard[0].payload == b"x":  # the broker passed it on
        assert heard[0].topic == "shouwang/hub-a/plain/\ufffd\ufffd"
        heard = hear(source, 1)

    assert heard[0].payload == b"next"


def test_mosquitto_alone_refuses_a_user_named_like_a_wildcard(mosquitto: Mosquitto) -> None:
    """Should an administrator add one by hand, the access list must not open every home to it."""
    for name in ("#", "+"):
        mosquitto.admit_by_hand(name)
        with Device(mosquitto.hub(name)) as odd, Device(mosquitto.hub("hub-b")) as hub:
            odd.client.subscribe("shouwang/#", 1)
            odd.client.publish("shouwang/hub-b/plain/sos/bed", "forged", 0)
            assert hub.listen("shouwang/hub-b/#")
            hub.say("shouwang/hub-b/plain/hall", "private")
            eventually(lambda hub=hub: hub.heard)
            assert [m.payload for m in hub.heard] == [b"private"]
            assert not odd.heard


def test_secrets_lie_closed(nats: Nats) -> None:
    corner: Path = nats.folder / "broker"
    assert corner.stat().st_mode & 0o777 == 0o700
    for name in ("nats.conf", "setup.json", "gateway.secret"):
        assert (corner / name).stat().st_mode & 0o777 == 0o600, name
    for secret in (nats.gateway.password, nats.hub("hub-a").password):
        shown = subprocess.run(["grep", "-rl", secret, corner], capture_output=True, text=True, check=False).stdout
        assert shown.split() == ([str(corner / "gateway.secret")] if secret == nats.gateway.password else [])
