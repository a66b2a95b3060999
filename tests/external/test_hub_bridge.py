"""A hub whose line is cut keeps what happens in the home, and hands it on when the line is back. With a real Mosquitto.

The box is set up by the very kit that an installer downloads; the gateway's side is each broker in turn.
"""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hub_boxes import Box, Line
from live_brokers import BROKERS, Device, LiveBroker, eventually
from test_broker_tls import issue

from alerts.desk import Desk
from gateway.clock import SystemClock
from gateway.domain import Area, Duty, Grid, Home, Hub, Kind, Person, Reach, Role, Room, Sensor
from gateway.domain.endpoint import Endpoint
from gateway.pipeline import Pipeline
from gateway.ports import Message
from gateway.registry import Registry
from gateway.stores.memory import MemoryAlerts, MemoryReadings, MemoryRegistry
from ingest.intake import Intake
from ingest.mqtt import MqttSource
from ingest.post import MqttPost
from ingest.stand_in import StandIn

pytestmark = pytest.mark.external

EIGHT = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
DOOR, CORD = "0x00124b0029aa0001", "0x00124b0029aa0002"


class Gateway:
    """The road behind a real broker, in a time of its own: an outage of hours passes at once."""

    def __init__(self, broker: LiveBroker, folder: Path) -> None:
        self.time = EIGHT
        self.alerts = MemoryAlerts()
        self.registry = MemoryRegistry(self.alerts.trail)
        self.readings = MemoryReadings()
        self.home = Home(
            id="h1",
            code="A-101",
            name="王奶奶",
            grid="g1",
            zone=ZoneInfo("Asia/Shanghai"),
            rooms=(Room(id="hall", name="门口"),),
            hubs=(Hub(id="hub-a", home="h1", interval=timedelta(minutes=1)),),
            sensors=(
                Sensor(id="door", hub="hub-a", address=DOOR, name="入户门", room="hall", role=Role.EXIT_DOOR),
                Sensor(id="cord", hub="hub-a", address=CORD, name="拉绳", room="hall", role=Role.SOS),
            ),
        )
        Registry(self.registry, str).register(
            areas=[Area(code="a", name="a", level="community")],
            grids=[Grid(code="g1", name="一", community="a")],
            people=[(Person(id="z", name="张师傅", reaches=(Reach(channel="console"),)), [(Duty.GRID_WORKER, "g1")])],
            homes=[self.home],
            who="test",
            now=EIGHT,
        )
        self.pipeline = Pipeline(
            intake=Intake(self.registry),
            directory=self.registry,
            readings=self.readings,
            desk=Desk(self.alerts, self.registry),
        )
        self.pipeline.start(EIGHT)
        folder.mkdir()
        self.source = MqttSource(broker.gateway, folder, self)
        eventually(lambda: self.turn() or self.source.listening_since())

    def now(self) -> datetime:
        return self.time

    def turn(self) -> None:
        messages = self.source.poll(timedelta(milliseconds=20))
        self.pipeline.handle(messages, self.time)
        self.source.settle(messages)
        self.pipeline.tick(self.time, EIGHT)

    def until(self, true) -> None:
        eventually(lambda: self.turn() or true())

    def passes(self, minutes: int) -> None:
        """Time passes and nobody says anything."""
        for _ in range(minutes):
            self.time += timedelta(minutes=1)
            self.turn()

    def moved(self) -> list[datetime]:
        """When the door was moved, as it is stored."""
        return self.stored(Kind.DOOR)

    def stored(self, kind: Kind) -> list[datetime]:
        return [r.at for r in self.readings.readings("h1", EIGHT, EIGHT + timedelta(days=9), [kind])]

    def told(self) -> list[str]:
        return [alert.code for alert in self.alerts.alerts(limit=1000)]


@pytest.fixture
def line(broker: LiveBroker) -> Iterator[Line]:
    line = Line(broker.gateway)
    yield line
    line.close()


@pytest.fixture
def box(broker: LiveBroker, line: Line, tmp_path: Path) -> Iterator[Box]:
    uplink = replace(broker.hub("hub-a"), host="127.0.0.1", port=line.port)
    box = Box(tmp_path / "box", "hub-a", uplink)
    yield box
    box.stop()


@pytest.fixture
def gateway(broker: LiveBroker, box: Box, tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(broker, tmp_path / "state")
    box.heartbeat(gateway.time)
    gateway.until(lambda: gateway.readings.heard())
    yield gateway
    gateway.source.close()


class Bridge(Device):
    """Zigbee2MQTT on the box."""

    def moves_the_door(self, at: datetime, *, is_open: bool) -> None:
        self.says("door", {"contact": not is_open, "battery": 97}, at, DOOR)

    def says(self, name: str, keys: dict, at: datetime, address: str) -> None:
        said = {**keys, "last_seen": at.isoformat(), "device": {"ieeeAddr": address, "friendlyName": name}}
        self.say(f"shouwang/hub-a/zigbee2mqtt/{name}", json.dumps(said))


@pytest.fixture
def zigbee(box: Box, gateway: Gateway) -> Iterator[Bridge]:
    with box.device(Bridge) as bridge:
        bridge.say("shouwang/hub-a/zigbee2mqtt/bridge/state", '{"state":"online"}', retain=True)
        bridge.moves_the_door(EIGHT, is_open=False)  # the first word of all is only what the bridge remembers
        gateway.until(lambda: gateway.moved())
        yield bridge


def test_what_happens_while_the_line_is_cut_is_stored_once_with_its_own_time(
    gateway: Gateway, line: Line, box: Box, zigbee: Bridge
) -> None:
    moments = [EIGHT + timedelta(minutes=7 * n) for n in range(61)]
    for number, at in enumerate(moments[1:10], 1):
        gateway.time = at
        zigbee.moves_the_door(at, is_open=number % 2 == 1)
        gateway.until(lambda number=number: len(gateway.moved()) == number + 1)

    line.cut()
    for number, at in enumerate(moments[10:30], 10):
        zigbee.moves_the_door(at, is_open=number % 2 == 1)
    gateway.passes(4)
    assert gateway.told() == ["home_silent"], "after three of the hub's intervals, and nothing is said of the person"

    box.stop()
    box.start()
    eventually(lambda: zigbee.connections == 2)
    for number, at in enumerate(moments[30:], 30):
        zigbee.moves_the_door(at, is_open=number % 2 == 1)
    gateway.passes(6 * 60)
    assert len(gateway.moved()) == 10
    assert gateway.told() == ["home_silent"], "six hours of silence, and it is the hub that is silent"

    line.mend()
    gateway.until(lambda: len(gateway.moved()) >= len(moments))
    box.heartbeat(gateway.time)
    for _ in range(50):
        gateway.turn()

    assert gateway.moved() == moments, "each of them, each once, each when it happened"
    assert gateway.told() == ["home_silent"]


def test_a_press_while_the_line_is_cut_is_told_late_rather_than_never(
    gateway: Gateway, line: Line, box: Box, zigbee: Bridge
) -> None:
    line.cut()
    gateway.passes(30)
    pressed_at = gateway.time
    zigbee.says("sos/cord", {"action": "emergency"}, pressed_at, CORD)
    gateway.passes(60)
    assert "sos" not in gateway.told()

    line.mend()
    gateway.until(lambda: "sos" in gateway.told())

    assert gateway.stored(Kind.SOS) == [pressed_at]


def test_a_box_that_is_killed_while_the_line_is_cut_keeps_what_it_has_written(
    gateway: Gateway, line: Line, box: Box, zigbee: Bridge
) -> None:
    gateway.passes(2)
    line.cut()
    zigbee.moves_the_door(gateway.time, is_open=True)
    time.sleep(2.5)  # it writes each second here, each ten in a home
    box.kill()
    box.start()

    line.mend()
    gateway.until(lambda: len(gateway.moved()) == 2)

    assert gateway.moved() == [EIGHT, gateway.time]


def test_more_than_a_thousand_wait(gateway: Gateway, line: Line, box: Box, zigbee: Bridge) -> None:
    """Mosquitto's own default would have dropped what came after the thousandth."""
    line.cut()
    moments = [EIGHT + timedelta(seconds=n) for n in range(3000)]
    for number, at in enumerate(moments[1:-1], 1):
        said = {"contact": number % 2 == 0, "last_seen": at.isoformat(), "device": {"ieeeAddr": DOOR}}
        zigbee.client.publish("shouwang/hub-a/zigbee2mqtt/door", json.dumps(said), 1)
    zigbee.moves_the_door(moments[-1], is_open=True)

    gateway.time = moments[-1] + timedelta(minutes=1)
    line.mend()
    gateway.until(lambda: len(gateway.moved()) >= len(moments))

    assert gateway.moved() == moments


def test_a_request_reaches_the_hub_once_and_no_other_home(
    broker: LiveBroker, gateway: Gateway, box: Box, zigbee: Bridge
) -> None:
    asked = b'{"from":"0x00124b0029aa0002","to":"sos/cord"}'
    zigbee.listen("shouwang/#")
    with Device(broker.hub("hub-b")) as neighbour:
        neighbour.listen("shouwang/hub-b/#")
        post = MqttPost(broker.gateway)
        post.post("hub-a", "zigbee2mqtt/bridge/request/device/rename", asked)
        post.post("hub-a", "zigbee2mqtt/sos/cord/set", b"{}")
        post.post("hub-b", "zigbee2mqtt/bridge/request/permit_join", b'{"time":1}')
        eventually(lambda: neighbour.heard and len(received(zigbee)) >= 2)
        zigbee.say("shouwang/hub-a/zigbee2mqtt/bridge/response/device/rename", '{"status":"ok"}')
        gateway.until(lambda: gateway.pipeline.counts.messages >= 3)
        time.sleep(0.5)

        assert received(zigbee) == [
            ("shouwang/hub-a/zigbee2mqtt/bridge/request/device/rename", asked),
            ("shouwang/hub-a/zigbee2mqtt/sos/cord/set", b"{}"),
        ]
        assert [m.topic for m in neighbour.heard] == ["shouwang/hub-b/zigbee2mqtt/bridge/request/permit_join"]


def received(zigbee: Bridge) -> list[tuple[str, bytes]]:
    return [(m.topic, m.payload) for m in zigbee.heard if "/request/" in m.topic or m.topic.endswith("/set")]


def test_a_request_made_while_the_line_is_cut_does_not_come_true_later(
    broker: LiveBroker, gateway: Gateway, line: Line, zigbee: Bridge
) -> None:
    """To let anybody join an hour later, when nobody stands there, would open the home's network to strangers."""
    zigbee.listen("shouwang/#")
    line.cut()
    MqttPost(broker.gateway).post("hub-a", "zigbee2mqtt/bridge/request/permit_join", b'{"time":254}')

    line.mend()
    zigbee.moves_the_door(EIGHT, is_open=True)
    gateway.until(lambda: len(gateway.moved()) == 2)
    time.sleep(0.5)

    assert received(zigbee) == []


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("quality", [0, 1])
def test_what_is_too_large_for_the_broker_does_not_block_the_line(
    gateway: Gateway, zigbee: Bridge, retain: bool, quality: int
) -> None:
    zigbee.client.publish("shouwang/hub-a/zigbee2mqtt/bridge/devices", b"x" * 1_500_000, quality, retain)
    zigbee.moves_the_door(EIGHT, is_open=True)

    gateway.until(lambda: len(gateway.moved()) == 2)


@pytest.mark.parametrize("broker", ["nats"], indirect=True)
def test_a_name_with_a_space_silences_the_home_until_the_box_forgets_it(
    gateway: Gateway, box: Box, zigbee: Bridge
) -> None:
    """The box sends it again at each reconnection, and nothing behind it gets through: the README says what to do."""
    zigbee.say("shouwang/hub-a/zigbee2mqtt/living room")
    zigbee.moves_the_door(EIGHT, is_open=True)
    eventually(lambda: box.log().count("shouwang-line closed its connection") >= 3)
    gateway.turn()
    assert len(gateway.moved()) == 1

    box.stop()
    (box.folder / "mosquitto.db").unlink()
    box.start()
    eventually(lambda: zigbee.connections == 2)
    zigbee.moves_the_door(EIGHT, is_open=True)

    gateway.until(lambda: len(gateway.moved()) == 2)


@pytest.mark.parametrize("kind", BROKERS)
def test_a_broker_that_the_kits_certificate_does_not_vouch_for_is_told_nothing(kind: str, tmp_path: Path) -> None:
    papers, others = issue(tmp_path / "papers"), issue(tmp_path / "others")
    (folder := tmp_path / "broker").mkdir()
    live = BROKERS[kind](folder, (papers.cert, papers.key))
    live.admit("hub-a")
    uplink = replace(live.hub("hub-a"), host="127.0.0.1", ca=papers.ca)
    right = Box(tmp_path / "right", "hub-a", uplink)
    wrong = Box(tmp_path / "wrong", "hub-a", replace(uplink, ca=others.ca))
    with Device(live.gateway) as gateway, right.device(Device) as here, wrong.device(Device) as there:
        gateway.listen("shouwang/#")
        there.say("shouwang/hub-a/plain/hall", "wrong")
        eventually(lambda: "certificate verify failed" in wrong.log())
        here.say("shouwang/hub-a/plain/hall", "right")
        eventually(lambda: gateway.heard)

        assert [m.payload for m in gateway.heard] == [b"right"]
    for one in (right, wrong, live):
        one.stop()


def test_the_heartbeat_says_what_the_box_lives_on(gateway: Gateway, line: Line, box: Box, zigbee: Bridge) -> None:
    supplies = box.folder / "power"
    for name, files in {
        "AC": {"type": "Mains", "online": "1"},
        "usb": {"type": "USB", "online": "0"},
        "BAT0": {"type": "Battery", "capacity": "87"},
    }.items():
        (supplies / name).mkdir(parents=True)
        for file, text in files.items():
            (supplies / name / file).write_text(f"{text}\n")
    zigbee.listen("shouwang/hub-a/plain/hub")
    said = []

    def beat() -> dict:
        before = len(zigbee.heard)
        box.heartbeat(gateway.time, SHOUWANG_SUPPLIES=str(supplies))
        eventually(lambda: len(zigbee.heard) > before)
        said.append(json.loads(zigbee.heard[-1].payload))
        return said[-1]

    assert beat().items() >= {"kind": "heartbeat", "mains": True, "battery": 87}.items()
    (supplies / "AC" / "online").write_text("0\n")
    line.cut()
    assert beat().items() >= {"mains": False}.items()
    beat()
    assert [m.qos for m in zigbee.heard] == [1, 1, 0], "that mains failed is kept for the gateway, a heartbeat is not"
    assert {one["at"] for one in said} == {"2026-03-02T00:00:00Z"}


class Siren(Device):
    """A siren in the home, and what it was told."""

    def listens(self) -> "Siren":
        self.listen("shouwang/hub-a/zigbee2mqtt/siren/set")
        return self

    def is_loud(self) -> bool:
        return bool(self.heard) and b'"emergency"' in self.heard[-1].payload


def test_a_press_that_the_gateway_has_not_rings_in_the_home_until_it_has(
    gateway: Gateway, line: Line, box: Box, zigbee: Bridge
) -> None:
    with box.ringing(), box.device(Siren) as siren:
        siren.listens()
        zigbee.says("sos/cord", {"action": "emergency"}, gateway.time, CORD)
        gateway.until(lambda: "sos" in gateway.told())
        time.sleep(1.5)
        assert siren.heard == [], "the gateway has it, and calls people"

        line.cut()
        gateway.passes(60)
        gateway.time += timedelta(hours=11)
        gateway.passes(1)
        zigbee.says("sos/cord", {"action": "emergency"}, pressed_at := gateway.time, CORD)
        eventually(siren.is_loud)
        gateway.passes(60)
        gateway.time += timedelta(hours=11)
        gateway.passes(1)
        assert siren.is_loud()

        line.mend()
        gateway.until(lambda: pressed_at in gateway.stored(Kind.SOS))
        eventually(lambda: not siren.is_loud())

    assert set(gateway.told()) == {"sos", "home_silent"}, "a day without a word, and nobody is called inactive"


@pytest.mark.parametrize("broker", ["nats"], indirect=True)
def test_whoever_is_there_ends_the_ringing(gateway: Gateway, line: Line, box: Box, zigbee: Bridge) -> None:
    with box.ringing(), box.device(Siren) as siren:
        siren.listens()
        line.cut()
        zigbee.says("kitchen", {"smoke": True}, gateway.time, CORD)
        eventually(siren.is_loud)

        zigbee.says("cancel", {"action": "single"}, gateway.time, "0x00124b0029aa0003")
        eventually(lambda: not siren.is_loud())
        said = len(siren.heard)
        line.mend()
        gateway.until(lambda: "smoke" in gateway.told() or gateway.pipeline.counts.messages > 3)
        time.sleep(0.5)

        assert len(siren.heard) == said, "what it was told while the line was cut is not told again by the other end"


@pytest.fixture
def detour(broker: LiveBroker) -> Iterator[Line]:
    line = Line(broker.gateway)
    yield line
    line.close()


@pytest.mark.parametrize("broker", ["nats"], indirect=True)
def test_a_hub_whose_first_way_is_dead_takes_its_second(
    broker: LiveBroker, line: Line, detour: Line, tmp_path: Path
) -> None:
    ways = replace(broker.hub("hub-a"), host="127.0.0.1", port=line.port, second=f"127.0.0.1:{detour.port}")
    box = Box(tmp_path / "box", "hub-a", ways)
    with Device(broker.gateway) as there, box.device(Device) as here:
        there.listen("shouwang/#")
        here.say("shouwang/hub-a/plain/hall", "1")
        eventually(lambda: len(there.heard) == 1)
        line.cut()
        for number in range(2, 50):
            here.say("shouwang/hub-a/plain/hall", str(number))
        eventually(lambda: len(there.heard) >= 49)
        line.mend()
        detour.cut()
        here.say("shouwang/hub-a/plain/hall", "50")
        eventually(lambda: there.heard[-1].payload == b"50")
    box.stop()

    assert [int(m.payload) for m in there.heard] == list(range(1, 51)), (
        "each of them, in the order in which it was said"
    )


def test_a_press_behind_thousands_of_readings_is_heard_where_nothing_is_acknowledged(tmp_path: Path) -> None:
    """While the gateway's disk takes nothing: what waits for its acknowledgement does not keep the line shut."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stand_in = StandIn(
        "127.0.0.1", port, lambda *pair: pair == ("hub-a", "not-a-real-secret"), lambda: None, SystemClock()
    )
    box = Box(
        tmp_path / "box", "hub-a", Endpoint(host="127.0.0.1", port=port, username="hub-a", password="not-a-real-secret")
    )
    with closing(stand_in), closing(box), box.device(Bridge) as bridge:
        for _ in range(3000):
            bridge.client.publish("shouwang/hub-a/zigbee2mqtt/door", '{"contact":true}', 1)
        bridge.says("sos/cord", {"action": "emergency"}, EIGHT, CORD)
        heard: list[Message] = []
        until = time.monotonic() + 20
        while not heard and time.monotonic() < until:
            heard += stand_in.poll(timedelta(milliseconds=50))

    assert [message.topic for message in heard] == ["shouwang/hub-a/zigbee2mqtt/sos/cord"]
