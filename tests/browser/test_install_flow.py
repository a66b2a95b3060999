"""A home commissioned from nothing, on a telephone: the whole gateway, its own broker, and a hub made of paper.

The hub connects with what the page shows once, announces eight devices as Zigbee2MQTT does, lets each of them speak
when the installer touches it, and answers what the gateway asks. Every tap and every typed letter is counted.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from conftest import Album
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Locator, Page, expect

from gateway.broker import BrokerError, _binary
from gateway.clock import SystemClock

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8").strip()
SHEET = """
[[areas]]
code = "110101001001"
name = "东风社区"
level = "community"

[[grids]]
code = "g1"
name = "第一网格"
community = "110101001001"

[[people]]
id = "liu"
name = "刘网格员"
reaches = [{ channel = "console" }]
duties = [{ duty = "grid_worker", grid = "g1" }]
"""


@dataclass(frozen=True)
class Thing:
    """A device on the old lady's shelf."""

    address: str
    model: str
    exposes: tuple[str, ...]
    touched: dict  # what it says when somebody does what it is for
    room: str
    role: str  # the word on the page
    behind: bool = False  # its role is behind "something else"


THINGS = (
    Thing("0x00158d0000000001", "RTCGQ11LM", ("occupancy", "illuminance"), {"occupancy": True}, "客厅", "人体感应器"),
    Thing("0x00158d0000000002", "RTCGQ11LM", ("occupancy", "illuminance"), {"occupancy": True}, "卧室", "人体感应器"),
    Thing("0x00158d0000000003", "SNZB-03P", ("occupancy",), {"occupancy": True}, "卫生间", "人体感应器"),
    Thing("0x00158d0000000004", "SNZB-03P", ("occupancy",), {"occupancy": True}, "厨房", "人体感应器"),
    Thing("0x00158d0000000005", "MCCGQ11LM", ("contact",), {"contact": False}, "客厅", "大门门磁"),
    Thing("0x00158d0000000006", "TS0215A_sos", ("action",), {"action": "emergency"}, "卧室", "紧急按钮"),
    Thing("0x00158d0000000007", "TS0205", ("smoke",), {"smoke": True}, "厨房", "烟雾报警器"),
    Thing("0x00158d0000000008", "SNZB-04P", ("contact",), {"contact": False}, "卧室", "床垫"),
)


LENS = """
navigator.mediaDevices.getUserMedia = async () => {
  const label = document.createElement("canvas");
  setInterval(() => label.getContext("2d").fillRect(0, 0, 9, 9), 50);
  return label.captureStream();
};
window.BarcodeDetector = class {
  async detect() { return window.label ? [{ rawValue: window.label }] : []; }
};
"""
"""A camera and a reader of codes, which no headless browser has: they see whatever label the test holds up."""


class PaperHub:
    """A hub as Zigbee2MQTT behaves: it keeps a list of its devices, renames them when asked, lets new ones join."""

    def __init__(self, name: str, secret: str, port: int) -> None:
        self.name = name
        self.names = {thing.address: thing.address for thing in THINGS}
        self.joining = threading.Event()
        self._asked: list[str] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"paper-{name}")
        self.client.username_pw_set(name, secret)
        self.client.on_message = self._hear
        self.client.on_connect = lambda client, *_: client.subscribe(f"shouwang/{name}/zigbee2mqtt/bridge/request/#", 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.say("bridge/state", {"state": "online"})

    def say(self, rest: str, what: object) -> None:
        said = self.client.publish(f"shouwang/{self.name}/zigbee2mqtt/{rest}", json.dumps(what), qos=1)
        said.wait_for_publish(10)
        assert said.is_published()

    def announce(self, count: int) -> None:
        self.say("bridge/devices", [self._entry(thing) for thing in THINGS[:count]])

    def _entry(self, thing: Thing) -> dict:
        exposes = [{"type": "binary", "property": p, "value_on": True, "value_off": False} for p in thing.exposes]
        battery = {"type": "numeric", "property": "battery", "unit": "%"}
        return {
            "ieee_address": thing.address,
            "friendly_name": self.names[thing.address],
            "type": "EndDevice",
            "power_source": "Battery",
            "supported": True,
            "interview_completed": True,
            "definition": {"model": thing.model, "vendor": "Aqara", "exposes": [*exposes, battery]},
        }

    def touch(self, thing: Thing) -> None:
        """Somebody walks past it, opens it, presses it."""
        self.say(self.names[thing.address], {**self._rest(thing), **thing.touched})

    def settle(self, thing: Thing) -> None:
        """It is as before: a motion sensor says so after a minute or more, when it has long been registered."""
        self.say(self.names[thing.address], self._rest(thing))

    def _rest(self, thing: Thing) -> dict:
        still = {key: not value for key, value in thing.touched.items() if key != "action"}
        now = SystemClock().now().isoformat(timespec="milliseconds")  # the kit switches last_seen on
        return {**still, "battery": 97, "linkquality": 120, "last_seen": now}

    def _hear(self, client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        asked, given = message.topic.rsplit("bridge/request/", 1)[1], json.loads(message.payload)
        if asked == "permit_join":
            self.joining.set()
        if asked == "device/rename":
            self.names[given["from"]] = given["to"]
            answer = {"status": "ok", "data": given}
            client.publish(f"shouwang/{self.name}/zigbee2mqtt/bridge/response/device/rename", json.dumps(answer), 1)
            self._asked.append(given["to"])

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@dataclass
class Gateway:
    """`shouwang run`, as anybody starts it."""

    url: str
    mqtt_port: int
    setup: str


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    try:
        _binary()
    except BrokerError as error:
        pytest.skip(f"NO BROKER: {error}")
    state, sheet, port, mqtt_port = tmp_path / "state", tmp_path / "sheet.toml", free_port(), free_port()
    sheet.write_text(SHEET, encoding="utf-8")
    shouwang = [sys.executable, "-m", "gateway.cli"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    asked = [*shouwang, "homes", "import", sheet, "--state", state]
    subprocess.run(asked, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    log = (tmp_path / "gateway.log").open("w+")
    running = subprocess.Popen(
        [*shouwang, "run", "--state", state, "--port", str(port), "--mqtt-port", str(mqtt_port)],
        cwd=tmp_path,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Gateway(f"http://127.0.0.1:{port}", mqtt_port, setup_link(running, tmp_path / "gateway.log"))
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)
        log.close()


def setup_link(running: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + 60
    while not (found := re.search(r"http://\S+/setup/\S+", log.read_text("utf-8"))):
        assert running.poll() is None and time.monotonic() < until, log.read_text("utf-8")[-2000:]
        time.sleep(0.05)
    while True:  # the link is printed a moment before the pages answer
        try:
            urllib.request.urlopen(found[0].split("/setup/")[0] + "/login", timeout=5)
            return found[0]
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)


@dataclass
class Thumb:
    """Taps and types, and counts both."""

    page: Page
    taps: int = 0
    letters: int = 0
    screens: int = 0
    by_step: dict[str, tuple[int, int]] = field(default_factory=dict)

    def tap(self, target: Locator) -> None:
        target.click()
        self.taps += 1

    def button(self, name: str) -> None:
        self.tap(self.page.get_by_role("button", name=name, exact=True))

    def link(self, name: str) -> None:
        self.tap(self.page.get_by_role("link", name=name))

    def choose(self, word: str) -> None:
        self.tap(self.page.locator("label").filter(has_text=re.compile(rf"^\s*{word}(\s|$)")).locator("input").first)

    def type(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)
        self.taps += 1
        self.letters += len(text)

    def step(self, name: str) -> None:
        taps, letters = (sum(done[i] for done in self.by_step.values()) for i in (0, 1))
        self.by_step[name] = (self.taps - taps, self.letters - letters)


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def looks_right(page: Page, where: str) -> None:
    page.wait_for_load_state("load")  # a click has left the page before, and the style may still be on its way
    expect(page.locator("body")).to_be_attached()  # for a moment after a link was followed there is no page at all
    assert page.evaluate(f"{MEASURE}.tooSmall()") == [], where
    assert page.evaluate(f"{MEASURE}.faint()") == [], where
    assert page.evaluate(f"{MEASURE}.isWhole()"), f"{where} is too wide"


def test_a_home_from_nothing(gateway: Gateway, page: Page, album: Album, request: pytest.FixtureRequest):
    thumb = Thumb(page)
    page.add_init_script(LENS)
    page.goto(gateway.setup)
    page.get_by_label("姓名").fill("陈安装")
    page.get_by_label("密码（至少").fill("correct horse battery")
    page.get_by_label("再输一次").fill("correct horse battery")
    page.get_by_role("button", name="开始").click()
    page.get_by_role("link", name="安装").click()
    looks_right(page, "the list")
    album.keep("20-install-list")

    # A household: its number, its name, where it is.
    thumb.link("新建住户")
    thumb.type("户号", "A-1201")
    thumb.type("称呼", "王奶奶")
    thumb.type("地址", "东风路12号院3号楼102")
    thumb.type("怎么进门", "钥匙在门卫")
    looks_right(page, "a new household")
    album.keep("21-household")
    thumb.button("下一步：房间")
    thumb.step("household")

    for room in ("客厅", "卧室", "卫生间", "厨房"):
        thumb.choose(room)
    looks_right(page, "rooms")
    album.keep("22-rooms")
    thumb.button("下一步：网关")
    thumb.step("rooms")

    # Its hub: a secret that is seen once.
    album.keep("23-no-hub")
    thumb.button("添加网关")
    name, secret = page.locator("dd code").nth(1).inner_text(), page.locator("code.secret").inner_text()
    looks_right(page, "the secret")
    album.keep("24-secret")
    with page.expect_download() as download:
        thumb.link("下载网关安装包")
    assert download.value.suggested_filename == f"hub-{name}.zip"
    thumb.button("已填好")
    expect(page.locator("main")).to_contain_text("还没有信号")
    album.keep("25-hub-waits")
    hub = PaperHub(name, secret, gateway.mqtt_port)
    request.addfinalizer(hub.leave)
    expect(page.locator("main")).to_contain_text("已接通")  # without a touch
    looks_right(page, "the hub")
    album.keep("26-hub-heard")
    thumb.link("下一步：查找设备")
    thumb.step("hub")

    # Pairing, then each device: touch it, say where and what for.
    expect(page.locator("main")).to_contain_text("还没有听到新设备")
    thumb.button("开始配对（2 分钟）")
    assert hub.joining.wait(10)
    album.keep("27-pairing")
    for number, thing in enumerate(THINGS, 1):
        hub.announce(number)
        hub.touch(thing)
        mine = page.locator(".found li.fresh").filter(has_text=thing.address)
        expect(mine).to_be_visible()
        if number in (1, 6):
            looks_right(page, "the inbox")
            album.keep(f"28-inbox-{number}")
        if number == 2:
            thumb.button("扫描标签")
            page.evaluate("window.label = 'https://example.org/fridge'")
            expect(page.locator("#scan-said")).to_contain_text("没有设备编号")
            page.evaluate("address => { window.label = `Z:${address}$I:91D5` }", thing.address[2:].upper())
            expect(page.locator(".found li")).to_have_count(1)
        thumb.tap(mine)
        thumb.choose(thing.room)
        chosen = page.locator("input[name=role]:checked").evaluate_all("all => all.map(i => i.parentElement.innerText)")
        if not chosen or not chosen[0].strip().startswith(thing.role):
            thumb.choose(thing.role)
        if number in (1, 8):
            looks_right(page, "the form of a device")
            album.keep(f"29-register-{number}")
        thumb.button("登记")
        expect(page.locator("main [role=status]").first).to_contain_text("已登记")
    thumb.step("devices")
    until(lambda: sum(named.startswith("sos/") for named in hub.names.values()) == 2)  # the button and the smoke alarm
    hub.announce(len(THINGS))
    for thing in THINGS:
        hub.settle(thing)
    album.keep("30-all-found")
    looks_right(page, "all found")

    # The household's page says what is next; a device's page how it is.
    page.goto(f"{gateway.url}/install/h-a-1201")
    expect(page.locator(".steps")).to_contain_text("8 个设备")
    looks_right(page, "the household")
    album.keep("31-household")
    page.get_by_role("link", name="卧室紧急按钮").click()
    expect(page.locator("main")).to_contain_text("紧急按钮")
    looks_right(page, "a device")
    album.keep("32-device")
    page.go_back()

    # The walk test: each device does once what it hangs there for, and the press reaches whoever is on duty.
    thumb.link("开始步测")
    thumb.button("开始步测")
    expect(page.locator("h1")).to_have_text("0 / 8 通过")
    for thing in THINGS:
        hub.touch(thing)

    def walk_by_again() -> bool:
        """What has not turned green is left in peace, and tried once more."""
        waiting = page.locator(".tries li:not(.passed) strong").all_inner_texts()
        for thing in THINGS:
            if any(name.endswith(thing.role) and (thing.room in name or "大门" in name) for name in waiting):
                hub.settle(thing)
                hub.touch(thing)
        page.wait_for_timeout(2_000)
        return page.locator("h1").inner_text() == "8 / 8 通过"

    until(walk_by_again, 40)
    expect(page.locator("main")).to_contain_text("刘网格员")
    album.keep("33-walk-test")
    thumb.button("完成步测")
    thumb.step("walk test")

    # Consent, read aloud and signed with a finger; then the record, and the learning period begins.
    for box in page.locator("input[name=purpose]").all():
        thumb.tap(box)
    canvas = page.locator("#sign canvas")
    canvas.scroll_into_view_if_needed()
    frame = canvas.bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + 40, frame["y"] + 60)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(frame["x"] + 40 + 25 * step, frame["y"] + 60 + 30 * (step % 2))
    page.mouse.up()
    thumb.taps += 1
    album.keep("35-consent")
    thumb.button("同意并签字")
    expect(page.locator("h1")).to_contain_text("交付记录")
    album.keep("36-record")
    thumb.button("保存记录，开始试运行")
    album.keep("37-record-kept")
    thumb.step("consent and record")
    page.goto(f"{gateway.url}/install/h-a-1201")
    expect(page.locator(".stand")).to_contain_text("试运行 · 学习期到")
    expect(page.locator(".steps .well")).to_have_count(5)
    album.keep("38-commissioned")
    print(f"\nsteps (taps, letters): {thumb.by_step}; in all {thumb.taps} taps and {thumb.letters} letters")
