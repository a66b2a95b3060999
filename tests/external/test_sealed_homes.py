"""What a hub's credential can do to other homes: nothing. Everything that we could think of, on both brokers.

`test_broker_doors.py` examines the doors in their ordinary use; here somebody who holds one hub's secret tries.
"""

import json
import struct
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from live_brokers import Device, LiveBroker, Mosquitto, can_connect, eventually, hear, listening

from gateway.broker import new_secret, reload
from ingest.mqtt import MqttSource
from ingest.post import MqttPost

pytestmark = pytest.mark.external

OWN = "shouwang/hub-a"
OTHER = "shouwang/hub-b"

CLOSED = "the connection ends"
PASSES = "it reaches the gateway, and its own home"
THROWN_AWAY = "nobody hears it"


# A topic, and what becomes of a message to it: on the embedded broker, on Mosquitto.
WITHIN_THE_HOME = [
    (b"/plain/hall", PASSES, PASSES),
    (b"", PASSES, PASSES),
    (b"/", PASSES, PASSES),
    (b"//", PASSES, PASSES),
    (b"/a//b", PASSES, PASSES),
    (b"//../hub-b/x", PASSES, PASSES),
    (b"/a.b/.c.", PASSES, PASSES),
    (b"/*", PASSES, PASSES),  # a wildcard of NATS' own, and here a name like any other
    (b"/>", PASSES, PASSES),
    ("/plain/卧室门".encode(), PASSES, PASSES),
    ("/plain/\U0001f6aa".encode(), PASSES, PASSES),
    (b"/" + b"x" * 60_000, PASSES, PASSES),
    (b"/" + b"x" * (65_535 - len(OWN) - 1), PASSES, PASSES),  # there is no longer one
    (b"/" + b"." * 40_000, PASSES, PASSES),  # for NATS a dot is two characters
    (b"/a" * 10, PASSES, PASSES),
    (b"/a" * 11, THROWN_AWAY, PASSES),  # more than twelve levels
    (b"/" * 200, THROWN_AWAY, CLOSED),
    (b"/plain/living room", CLOSED, PASSES),
    (b"/#", CLOSED, CLOSED),
    (b"/+", CLOSED, CLOSED),
    (b"/+/plain", CLOSED, CLOSED),
    (b"/\0", CLOSED, CLOSED),
    (b"/\t", CLOSED, CLOSED),
    (b"/\n", CLOSED, CLOSED),
    (b"/\xff\xfe", CLOSED, CLOSED),
    (b"/\xed\xa0\x80", CLOSED, CLOSED),  # half of a character
]

BEYOND_THE_HOME = [
    f"{OTHER}/plain/hall",
    f"{OTHER}/zigbee2mqtt/bridge/request/permit_join",
    OTHER,
    f"{OTHER}/",
    f"{OWN}-2/plain/hall",
    f"{OWN}.hub-b/plain/hall",
    "shouwang",
    "shouwang/",
    "shouwang//hub-b/plain/hall",
    "/shouwang/hub-b/plain/hall",
    "shouwang/./hub-b/plain/hall",
    "shouwang.hub-b.plain.hall",
    "shouwang/_gateway/plain/hall",
    "shouwang/_echo/plain/sos/echo",
    "shouwang-probe/x",
    "shouwang/*/plain/hall",
    "shouwang/>",
    "*",
    ">",
    "*/>",
    "$share/g/shouwang/hub-b/plain/hall",
    "$SYS/broker/clients/connected",
    "$SYS/REQ/SERVER/PING",
    "$JS/API/STREAM/LIST",
    "$JS/API/STREAM/PURGE/$MQTT_msgs",
    "$JS/ACK/$MQTT_msgs/x/1/1/1/1/1",
    "$JS.API.STREAM.PURGE.$MQTT_msgs",
    "$MQTT/msgs/shouwang/hub-b/plain/hall",
    "$MQTT/rmsgs/shouwang/hub-b/plain/hall",
    "$MQTT/deliver/pubrel/x",
    "$MQTT/sub/x",
    "$MQTT.sub.x",
    "$MQTT/JSA/x",
    "_INBOX/x",
]

FILTERS = [
    "#",
    "+",
    "+/#",
    "+/+/+/+",
    "/#",
    "shouwang/#",
    "shouwang/+",
    "shouwang/+/#",
    "shouwang/+/plain/hub",
    "shouwang/+/plain/hall",
    "+/hub-b/#",
    f"{OTHER}/#",
    f"{OTHER}/plain/hall",
    OTHER,
    "shouwang//hub-b/#",
    ">",
    "*",
    "*/>",
    "shouwang/>",
    "shouwang/*/plain/hall",
    "shouwang/*/>",
    f"{OTHER}/>",
    "shouwang.hub-b.plain.hall",
    "shouwang.>",
    "$share/g/#",
    "$share/g/shouwang/#",
    f"$share/g/{OTHER}/#",
    f"$share/g/{OTHER}/plain/hall",
    f"$queue/{OTHER}/#",
    "$SYS/#",
    "$SYS/broker/log/#",
    "$SYS/broker/connection/#",
    "$SYS/>",
    "$JS/#",
    "$JS/>",
    "$JS.>",
    "$MQTT/#",
    "$MQTT/>",
    "$MQTT/sub/#",
    "$MQTT/sub/>",
    "$MQTT/sub/*",
    "$MQTT.sub.>",
    "$MQTT/msgs/#",
    "$MQTT/rmsgs/#",
    "_INBOX/#",
    "_INBOX/>",
    "shouwang/_echo/#",
    "shouwang-probe/#",
]


def published(topic: bytes, payload: bytes, *, retain: bool = False, quality: int = 0) -> bytes:
    """A PUBLISH packet as it stands on the wire: no library of ours looks at the topic first."""
    body = struct.pack(">H", len(topic)) + topic + (b"\0\7" if quality else b"") + payload
    left, length = len(body), b""
    while left or not length:
        left, digit = divmod(left, 128)
        length += bytes([digit | (128 if left else 0)])
    return bytes([0x30 | quality << 1 | retain]) + length + body


def subscribed(name: bytes) -> bytes:
    body = b"\0\7" + struct.pack(">H", len(name)) + name + b"\1"
    assert len(body) < 128
    return bytes([0x82, len(body)]) + body


@pytest.fixture
def neighbour(broker: LiveBroker) -> Iterator[Device]:
    """Another home's hub, that hears everything it may."""
    with Device(broker.hub("hub-b")) as hub:
        assert hub.listen(f"{OTHER}/#")
        yield hub


@pytest.fixture
def gateway(broker: LiveBroker) -> Iterator[Device]:
    with Device(broker.gateway) as listener:
        assert listener.listen("shouwang/#")
        assert listener.listen("shouwang-probe/#")
        yield listener


def once(broker: LiveBroker) -> Device:
    """The intruder, who does not come back by itself when it is thrown out."""
    hub = Device(broker.hub("hub-a"))
    hub.client.reconnect_delay_set(60, 60)
    return hub


def send(hub: Device, *packets: bytes) -> None:
    """Raw; whoever was thrown out in the middle of it says the rest to nobody."""
    for packet in packets:
        sock = hub.client.socket()
        if sock is not None:
            try:
                sock.sendall(packet)
            except OSError:
                return


def settled(broker: LiveBroker, *listeners: Device) -> None:
    """Everything said before has arrived at these by now, if it arrives at all."""
    with Device(broker.gateway) as teller:
        for hub in ("hub-a", "hub-b"):
            teller.say(f"shouwang/{hub}/end")
    for listener in listeners:
        eventually(lambda listener=listener: [m for m in listener.heard if m.topic.endswith("/end")])


def heard(listener: Device) -> list[bytes]:
    said = [m.payload for m in listener.heard if not m.topic.endswith("/end")]
    listener.heard.clear()
    return said


@pytest.mark.parametrize(("retain", "quality"), [(False, 0), (True, 1)])
def test_what_becomes_of_odd_names(
    broker: LiveBroker, gateway: Device, neighbour: Device, retain: bool, quality: int
) -> None:
    became = {}
    for name, *_ in WITHIN_THE_HOME:
        topic = OWN.encode() + name
        hub = once(broker)
        send(hub, published(topic, b"odd", retain=retain, quality=quality))
        send(hub, published(OWN.encode(), b"next", quality=quality))
        eventually(lambda hub=hub: hub.drops or b"next" in [m.payload for m in gateway.heard])
        arrived = b"odd" in [m.payload for m in gateway.heard]
        became[name] = CLOSED if hub.drops else PASSES if arrived else THROWN_AWAY
        hub.leave()
        gateway.heard.clear()
    settled(broker, neighbour)

    column = 1 if broker.kind == "nats" else 2
    assert became == {row[0]: row[column] for row in WITHIN_THE_HOME}
    assert heard(neighbour) == []
    assert (gateway.drops, neighbour.drops) == (0, 0)


@pytest.mark.parametrize("quality", [0, 1])
def test_nothing_is_said_in_another_home(broker: LiveBroker, gateway: Device, neighbour: Device, quality: int) -> None:
    neighbour.say(f"{OTHER}/plain/kept", "its own", retain=True)
    eventually(lambda: neighbour.heard and gateway.heard)
    assert heard(neighbour) == heard(gateway) == [b"its own"]
    for topic in (*BEYOND_THE_HOME, f"{OTHER}/plain/kept"):
        for retain, payload in ((False, b"forged"), (True, b"forged"), (True, b"")):  # the last would delete
            hub = once(broker)
            send(hub, published(topic.encode(), payload, retain=retain, quality=quality))
            hub.leave()
    settled(broker, gateway, neighbour)

    assert heard(neighbour) == []
    assert heard(gateway) == []
    with Device(broker.gateway) as fresh:
        fresh.listen("shouwang/#")
        eventually(lambda: fresh.heard)
        settled(broker, fresh)
        assert heard(fresh) == [b"its own"], "what another home keeps is neither replaced nor deleted"
    assert (gateway.drops, neighbour.drops) == (0, 0)


@pytest.mark.parametrize("broker", ["nats"], indirect=True)
@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize(
    "name", [b"x" * 65_520, b"." * 40_000, (b"x" * 4096 + b"/") * 12], ids=["long", "dots", "deep"]
)
def test_a_monstrous_topic_takes_nobodys_messages_with_it(
    broker: LiveBroker, ear: Callable[..., MqttSource], name: bytes, retain: bool
) -> None:
    """NATS wrote a length that does not fit, and after a kill lost everything behind it, of every home."""
    listening(ear()).close()
    with Device(broker.hub("hub-b")) as hub:
        hub.say(f"{OTHER}/plain/sos/bed", "before")
        intruder = once(broker)
        send(intruder, published(f"{OWN}/".encode() + name, b"odd", retain=retain, quality=1))
        time.sleep(0.2)
        intruder.leave()
        hub.say(f"{OTHER}/plain/sos/bed", "after")
        hub.say(f"{OTHER}/plain/kept", "kept", retain=True)
        broker.kill()
    broker.start()

    source = ear()
    payloads: list[bytes] = []
    eventually(lambda: payloads.extend(collect(source)) or len({*payloads} - {b"odd"}) >= 3)
    assert [payload for payload in payloads if payload not in (b"odd", b"kept")] == [b"before", b"after"]
    with Device(broker.gateway) as fresh:
        fresh.listen(f"{OTHER}/#")
        eventually(lambda: [m.payload for m in fresh.heard] == [b"kept"])


def collect(source: MqttSource) -> list[bytes]:
    batch = source.poll(timedelta(milliseconds=50))
    source.settle(batch)
    return [message.payload for message in batch]


def test_no_last_will_reaches_another_home(broker: LiveBroker, gateway: Device, neighbour: Device) -> None:
    for will in BEYOND_THE_HOME:
        try:
            Device(broker.hub("hub-a"), will=will).vanish()
        except (OSError, AttributeError):
            pass  # thrown out at the door, which will do
    Device(broker.hub("hub-a"), will=f"{OWN}/zigbee2mqtt/bridge/state").vanish()
    eventually(lambda: b"gone" in [m.payload for m in gateway.heard])
    settled(broker, gateway, neighbour)

    assert [m.topic for m in gateway.heard if m.payload == b"gone"] == [f"{OWN}/zigbee2mqtt/bridge/state"]
    assert heard(neighbour) == []


def test_nothing_of_another_home_is_heard(broker: LiveBroker, neighbour: Device) -> None:
    neighbour.say(f"{OTHER}/plain/kept", "private", retain=True)
    spies = []
    for wanted in FILTERS:
        spy = once(broker)
        spy.listen(f"{OWN}/#")
        send(spy, subscribed(wanted.encode()))
        spies.append(spy)
    time.sleep(0.5)
    for topic in (f"{OTHER}/plain/hall", f"{OTHER}/plain/hub", f"{OTHER}/plain/sos/bed", OTHER):
        neighbour.say(topic, "private")
    settled(broker, *[spy for spy in spies if not spy.drops])

    foreign = {
        wanted: [m.topic for m in spy.heard if not m.topic.startswith(f"{OWN}/")]
        for wanted, spy in zip(FILTERS, spies, strict=True)
    }
    assert {wanted: topics for wanted, topics in foreign.items() if topics} == {}
    for spy in spies:
        spy.leave()


def test_nothing_is_heard_by_a_session_that_lasts(broker: LiveBroker, neighbour: Device) -> None:
    """What a broker queues for a session that is away is held to the list of its user as well."""
    for wanted in ("shouwang/#", f"{OTHER}/#", "#", f"$share/g/{OTHER}/#"):
        spy = Device(broker.hub("hub-a"), "a-lasting-spy", clean=False)
        spy.client.reconnect_delay_set(60, 60)
        spy.listen(f"{OWN}/#")
        send(spy, subscribed(wanted.encode()))
        time.sleep(0.2)
        spy.leave()
        neighbour.say(f"{OTHER}/plain/hall", "private")
        with Device(broker.hub("hub-a"), "a-lasting-spy", clean=False) as spy:
            settled(broker, spy)
            assert b"private" not in heard(spy), wanted


def test_a_home_that_is_tried_so_works_as_ever(
    broker: LiveBroker, neighbour: Device, ear: Callable[..., MqttSource]
) -> None:
    source = listening(ear())
    for topic in ("#", "$JS/API/STREAM/PURGE/$MQTT_msgs", f"{OTHER}/plain/sos/bed", f"{OWN}/living room"):
        hub = once(broker)
        send(hub, published(topic.encode(), b"{}", retain=True, quality=1))
        send(hub, subscribed(b"#"))
        hub.leave()

    with Device(broker.hub("hub-a")) as hub:
        assert hub.listen(f"{OWN}/#")
        hub.say(f"{OWN}/plain/sos/bed", "press")
        MqttPost(broker.gateway).post("hub-a", "zigbee2mqtt/bridge/request/permit_join", b'{"time":60}')
        eventually(lambda: b'{"time":60}' in [m.payload for m in hub.heard])
        assert b"press" in [m.payload for m in hear(source, 1)]
    assert source.trouble() == ""
    assert heard(neighbour) == []


def test_a_request_is_heard_by_its_hub_only(broker: LiveBroker, neighbour: Device) -> None:
    rename = b'{"from":"0x00124b0029aa0002","to":"sos/cord"}'
    with Device(broker.hub("hub-a")) as hub:
        assert hub.listen(f"{OWN}/zigbee2mqtt/bridge/request/#")
        MqttPost(broker.gateway).post("hub-a", "zigbee2mqtt/bridge/request/device/rename", rename)
        eventually(lambda: hub.heard)
        settled(broker, neighbour)

        assert [(m.topic, m.payload) for m in hub.heard] == [
            (f"{OWN}/zigbee2mqtt/bridge/request/device/rename", rename)
        ]
    assert heard(neighbour) == []


def test_a_request_with_a_hubs_own_credential_goes_nowhere_else(broker: LiveBroker, neighbour: Device) -> None:
    """Only the gateway may ask. The brokers do not refuse: one throws away, the other ends the connection."""
    try:
        MqttPost(broker.hub("hub-a")).post("hub-b", "zigbee2mqtt/bridge/request/permit_join", b'{"time":254}')
    except Exception as refused:
        assert "hub-b was not asked" in str(refused)
    settled(broker, neighbour)

    assert heard(neighbour) == []


# --------------------------------------------------------------------------- the name of a connection


def test_no_id_that_can_be_guessed_disturbs_the_gateway(
    broker: LiveBroker, ear: Callable[..., MqttSource], tmp_path: Path
) -> None:
    source = listening(ear())
    since = source.listening_since()
    for guess in ("_gateway", "gateway", "shouwang", "readings", "sos", "hub-b", "mqttjs_1", "mosq", "*", ">", "#"):
        for clean in (True, False):
            hub = Device(broker.hub("hub-a"), guess, clean=clean)
            hub.leave()
    with Device(broker.hub("hub-a")) as hub:
        hub.say(f"{OWN}/plain/hall", "heard")

    assert [m.payload for m in hear(source, 1)] == [b"heard"]
    assert (source.listening_since(), source.trouble()) == (since, "")
    kept = json.loads((tmp_path / "ear" / "mqtt-clients.json").read_text())
    assert all(len(kept[name]) == 22 for name in ("readings", "sos")), "131 bits each: nobody guesses them"


def test_who_knows_an_id_throws_its_owner_out_and_learns_nothing(broker: LiveBroker) -> None:
    """Both brokers know clients by their id alone. So ids are secrets: the kit makes them from the hub's secret."""
    victim = Device(broker.hub("hub-b"), "id-of-b", clean=False)
    assert victim.listen(f"{OTHER}/#")
    thief = Device(broker.hub("hub-a"), "id-of-b", clean=False)
    thief.client.reconnect_delay_set(60, 60)
    eventually(lambda: victim.drops)
    with Device(broker.gateway) as gateway:
        gateway.say(f"{OTHER}/zigbee2mqtt/lock/set", "private")
    eventually(lambda: victim.connections > 1)
    thief.leave()
    victim.listen(f"{OTHER}/#")
    with Device(broker.gateway) as gateway:
        gateway.say(f"{OTHER}/zigbee2mqtt/lock/set", "again")

    eventually(lambda: b"again" in [m.payload for m in victim.heard])
    assert b"private" not in [m.payload for m in thief.heard]
    victim.leave()


def test_mosquitto_can_be_told_to_tie_the_id_to_the_name(mosquitto: Mosquitto) -> None:
    """The line that the shipped file offers for a listener of hubs: nobody throws anybody else out."""
    offered = "use_username_as_clientid true"
    assert f"#{offered}" in (Path(__file__).parents[2] / "examples" / "mosquitto.conf").read_text()
    mosquitto.stop()
    mosquitto._conf.write_text(f"{mosquitto._conf.read_text()}\n{offered}\n")
    mosquitto.start()
    with Device(mosquitto.hub("hub-b"), "id-of-b") as victim:
        assert victim.listen(f"{OTHER}/#")
        with Device(mosquitto.hub("hub-a"), "id-of-b") as other:
            other.say(f"{OWN}/plain/hall")
        victim.say(f"{OTHER}/plain/hall", "here")
        eventually(lambda: [m.payload for m in victim.heard] == [b"here"])

        assert victim.drops == 0


# --------------------------------------------------------------------------- secrets that change


def test_a_new_secret_cuts_the_old_one_off_and_nobody_else(
    broker: LiveBroker, neighbour: Device, ear: Callable[..., MqttSource]
) -> None:
    source = listening(ear())
    since = source.listening_since()
    old = broker.hub("hub-a")
    with Device(old) as before:
        broker.admit("hub-a")  # made anew
        eventually(lambda: before.drops)
        assert not can_connect(old)
    with Device(broker.hub("hub-a")) as after:
        after.say(f"{OWN}/plain/hall", "with the new one")

    assert [m.payload for m in hear(source, 1)] == [b"with the new one"]
    assert (neighbour.connections, neighbour.drops) == (1, 0)
    assert (source.listening_since(), source.trouble()) == (since, "")


def test_a_secret_is_renewed_in_the_middle_of_everything_and_no_message_is_lost(
    broker: LiveBroker, ear: Callable[..., MqttSource]
) -> None:
    """What was not acknowledged to the hub it says again, once somebody has put the new secret into it."""
    source, said, taken, heard = listening(ear()), set(), set(), set()
    with Device(broker.hub("hub-a"), "renewed", clean=False) as hub:
        hub.client.on_publish = lambda client, data, mid, *rest: taken.add(mid)
        for number in range(400):
            said.add(hub.client.publish(f"{OWN}/plain/hall", str(number), 1).mid)
            if number == 150:
                drops = hub.drops
                broker.admit("hub-a")  # made anew, while what was said before is still under way
                eventually(lambda drops=drops: hub.drops > drops)
            if number == 250:
                hub.client.username_pw_set("hub-a", broker.hub("hub-a").password)
        eventually(lambda: said <= taken)
    while len(heard) < 400:
        heard |= {int(m.payload) for m in hear(source, 1)}

    assert heard == set(range(400))


def test_a_revoked_hub_keeps_nothing_and_comes_back_as_it_was(broker: LiveBroker, neighbour: Device) -> None:
    with Device(broker.hub("hub-a"), "lasting", clean=False) as hub:
        hub.listen(f"{OWN}/#")
        broker.revoke("hub-a")
        eventually(lambda: hub.drops)
        hub.client.publish(f"{OWN}/plain/sos/bed", "too late", 1)
    neighbour.say(f"{OTHER}/plain/hall", "still here")
    eventually(lambda: neighbour.heard)
    assert heard(neighbour) == [b"still here"]
    broker.admit("hub-a")
    with Device(broker.hub("hub-a"), "lasting", clean=False) as hub:
        hub.say(f"{OWN}/plain/hall")

    assert (neighbour.connections, neighbour.drops) == (1, 0)


def test_many_hubs_come_and_go_under_load(broker: LiveBroker, neighbour: Device) -> None:
    """A day of installations: each reload while the others speak, and not one message is lost or told twice."""
    if broker.kind != "nats":
        pytest.skip("Mosquitto is told by its administrator")
    for number in range(20):
        neighbour.client.publish(f"{OTHER}/plain/hall", str(number), 1)
        _, hashed = new_secret()
        reload(broker.folder, {**broker._hashes, f"new-{number}": hashed})
    eventually(lambda: len(neighbour.heard) >= 20)

    assert heard(neighbour) == [str(number).encode() for number in range(20)]
    assert neighbour.drops == 0
