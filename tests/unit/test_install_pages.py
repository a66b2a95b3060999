"""The installer's pages: who may open them, what each button does, and what never leaves them."""

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from pages_house import EVENING, SECRET, Rig, a_home, hidden
from test_pages import PAYLOADS, SCRIPT, strange_parts, text_of

from dashboard import inbox
from dashboard.auth import Gatekeeper
from dashboard.doors import Doors
from dashboard.install import routes
from dashboard.install_view import SECRET_SHOWN, Install, steps
from dashboard.live import Feed
from dashboard.pages import Pages
from dashboard.printer import Printer, qr_code
from gateway.domain import (
    Condition,
    Duty,
    Home,
    Installation,
    Kind,
    Monitoring,
    Power,
    Role,
)
from gateway.domain.endpoint import Endpoint
from gateway.ports import Batch, Expose, HubDevice, Quarantined, TryLater

PIR = "0x00158d0001a2b3c4"
SOS = "0x00158d0009f8e7d6"
JPEG = b"\xff\xd8\xff\xda\x00\x02" + b"j" * 100 + b"\xff\xd9"


class Postbox:
    """Keeps what hubs were asked; or the broker is away."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict]] = []
        self.is_away = False

    def post(self, hub: str, rest: str, payload: bytes) -> None:
        if self.is_away:
            raise TryLater("no broker")
        self.asked.append((hub, rest, json.loads(payload)))


@pytest.fixture
def rig(tmp_path) -> Rig:
    post = Postbox()
    uplink = Endpoint(host="watch.test", port=8883, tls=True)
    rig = Rig(more={"post": post, "uplink": uplink, "photos": tmp_path / "photos"})
    rig.post = post
    return rig


class Hands:
    """An installer at work: opens pages, presses buttons."""

    def __init__(self, rig: Rig, login: str = "li", duty: Duty = Duty.INSTALLER, grid: str = "g1") -> None:
        self.rig = rig
        self.browser = rig.signed_in(login, duty, grid)
        self.csrf = hidden(self.browser.get("/install").text, "csrf")

    def see(self, path: str) -> str:
        answer = self.browser.get(f"/install{path}")
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    def press(self, path: str, **fields) -> str:
        """Where it leads."""
        answer = self.browser.post(f"/install{path}", data={"csrf": self.csrf, **fields})
        assert answer.status_code == 303, (path, answer.status_code, text_of(answer.text)[-600:])
        return answer.headers["location"].removeprefix("/install")

    def home(self, home: str = "h1") -> Home:
        found = self.rig.registry.home(home)
        assert found is not None
        return found

    def new_home(self, code: str = "B-7") -> str:
        where = self.press("/new", code=code, name="钱奶奶", grid="g1", address="西街 2 号")
        return where.split("/")[1]

    def with_hub(self) -> tuple[str, str]:
        home = self.new_home()
        self.press(f"/{home}/rooms", room=["living", "bedroom"])
        secret_page = self.press(f"/{home}/hub")
        return home, secret_page.split("/")[3]


@pytest.fixture
def hands(rig) -> Hands:
    return Hands(rig)


def announce(rig: Rig, hub: str, address: str, *properties: str, model: str = "", name: str = "") -> None:
    device = HubDevice(
        hub=hub,
        address=address,
        name=name or address,
        model=model,
        vendor="Aqara" if model else "",
        power=Power.BATTERY,
        exposes=tuple(Expose(p, "binary") for p in properties),
    )
    rig.readings.commit(Batch(devices=[device]))


def stranger_says(rig: Rig, hub: str, rest: str, head: bytes = b"{}", *, reason: str = "unknown-device") -> None:
    row = Quarantined(f"shouwang/{hub}/{rest}", reason, rig.clock.now(), len(head), head, hub)
    rig.readings.commit(Batch(quarantined=[row]))


# --------------------------------------------------------------------------- who may


PAGES = [
    "",
    "/edit",
    "/rooms",
    "/hub",
    "/hubs/hub-1/secret",
    "/hubs/hub-1/kit",
    "/inbox",
    "/devices/new",
    "/devices/h1-m",
    "/devices/h1-m/edit",
    "/devices/h1-m/replace",
    "/photos/0123456789abcdef0123456789abcdef.jpg",
    "/state",
]
ACTS = [
    "/edit",
    "/rooms",
    "/hub",
    "/hubs/hub-1/taken-over",
    "/hubs/hub-1/renew",
    "/hubs/hub-1/replace",
    "/hubs/hub-1/revoke",
    "/hubs/hub-1/remove",
    "/hubs/hub-1/join",
    "/devices/new",
    "/devices/h1-m/edit",
    "/devices/h1-m/fast-lane",
    "/devices/h1-m/replace",
    "/devices/h1-m/remove",
    "/devices/h1-m/photo",
    "/state",
]


def test_every_route_of_these_pages_is_in_the_lists_below(rig):
    def shape(path: str) -> str:
        return re.sub(
            r"\{(\w+)\}", lambda m: {"hub_id": "hub-1", "sensor_id": "h1-m", "name": PAGES[11][8:]}[m[1]], path
        )

    printer = Printer(rig.house)
    install = Install(rig.house, printer, Pages(rig.house, printer, Feed(rig.alerts), rig.links))
    found: dict[str, set[str]] = {"GET": set(), "POST": set()}
    for route in routes(install, Doors(rig.house, Gatekeeper(rig.accounts, rig.clock, SECRET))).routes:
        if route.path.startswith("/install/{home_id}"):
            for method in route.methods & found.keys():
                found[method].add(shape(route.path.removeprefix("/install/{home_id}")))

    assert found == {"GET": set(PAGES), "POST": set(ACTS)}


@pytest.mark.parametrize("duty", [d for d in Duty if d not in (Duty.INSTALLER, Duty.ADMIN)])
def test_nobody_else_installs(rig, duty):
    browser = rig.signed_in("x", duty)
    for path in ("/install", "/install/new", *(f"/install/h1{page}" for page in PAGES)):
        assert browser.get(path).status_code == 403, path
    for path in ("/install/new", *(f"/install/h1{act}" for act in ACTS)):
        assert browser.post(path, data={"csrf": "x"}).status_code == 403, path


def test_nobody_installs_without_signing_in(rig):
    for path in ("/install", "/install/new", *(f"/install/h1{page}" for page in PAGES)):
        assert rig.browser().get(path).status_code == 303, path
    for act in ACTS:
        assert rig.browser().post(f"/install/h1{act}").status_code in (303, 401), act


def test_another_grids_home_is_like_one_that_does_not_exist(hands):
    before = hands.home("h3")
    for page in PAGES:
        foreign, nowhere = (
            hands.browser.get(f"/install/{home}{page.replace('hub-1', 'hub-3').replace('h1-m', 'h3-m')}")
            for home in ("h3", "nowhere")
        )
        assert foreign.status_code == nowhere.status_code == 404, page
        assert "赵奶奶" not in foreign.text
    for act in ACTS:
        path = f"/install/h3{act.replace('hub-1', 'hub-3').replace('h1-m', 'h3-m')}"
        assert hands.browser.post(path, data={"csrf": hands.csrf, "act": "retire"}).status_code == 404, act

    assert hands.home("h3") == before and hands.rig.post.asked == []


def test_what_hangs_in_one_home_is_not_reached_through_another(hands):
    for path in ("/h1/hubs/hub-2/secret", "/h1/devices/h2-m"):
        assert hands.browser.get(f"/install{path}").status_code == 404
    for path in ("/h1/hubs/hub-2/revoke", "/h1/hubs/hub-2/renew", "/h1/devices/h2-m/remove"):
        assert hands.browser.post(f"/install{path}", data={"csrf": hands.csrf, "why": "x"}).status_code == 404


@pytest.mark.parametrize("act", ACTS)
def test_a_form_of_another_site_does_nothing(hands, act):
    before, version = hands.home(), hands.rig.registry.version()
    for token in ("", "x" * 64):
        assert hands.browser.post(f"/install/h1{act}", data={"csrf": token, "why": "x"}).status_code == 403
    strange = {"origin": "https://evil.test"}
    assert hands.browser.post(f"/install/h1{act}", data={"csrf": hands.csrf}, headers=strange).status_code == 403

    assert (hands.home(), hands.rig.registry.version()) == (before, version)


def test_an_installer_lands_on_the_installers_list(rig):
    browser = rig.signed_in("li", Duty.INSTALLER, "g1")

    assert browser.get("/").headers["location"] == "/install"
    page = browser.get("/install").text
    assert "王奶奶" in page and "赵奶奶" not in page
    assert browser.get("/homes/h1").status_code == 403  # how somebody lives is not the installer's to see


# --------------------------------------------------------------------------- the list and a household


def test_what_is_to_be_installed_stands_first_and_who_has_left_is_not_listed(hands):
    hands.new_home("Z-9")
    hands.rig.rename("h2", state=Monitoring.RETIRED)

    page = text_of(hands.see(""))

    assert page.index("钱奶奶") < page.index("王奶奶") and "李爷爷" not in page
    assert "李爷爷" in hands.see("?q=A-2")
    assert "没有找到" in hands.see("?q=nobody")


def test_a_household_from_nothing(hands):
    home = hands.home(hands.new_home("b-7"))

    assert (home.id, home.code, home.name, home.state) == ("h-b-7", "b-7", "钱奶奶", Monitoring.REGISTERED)
    assert {act.who for act in hands.rig.alerts.acts()[:3]} == {"li"}
    assert hands.rig.registry.person(home.person).name == "钱奶奶"  # who can agree to be watched over


@pytest.mark.parametrize("code", ["东风路三号", "A-1", "new", "户号 7/8"])
def test_a_household_number_of_any_kind_gives_an_id_that_topics_can_hold(hands, code):
    hands.rig.rename("h1", code="other")

    home = hands.home(hands.new_home(code))

    assert re.fullmatch(r"[a-z0-9-]{1,64}", home.id) and home.code == code


def test_what_cannot_be_is_said_and_nothing_typed_is_lost(hands):
    given = {"csrf": hands.csrf, "code": "A-1", "name": "钱奶奶", "grid": "g1", "address": "西街"}
    for change, said in (
        ({}, "A-1"),  # the number is taken
        ({"code": ""}, "请填写户号和称呼"),
        ({"grid": "g2"}, "请选择网格"),  # a grid, but not theirs
        ({"code": "N-1", "zone": "Mars/Olympus"}, "不是时区"),
        ({"code": "N-1", "position": "杭州"}, "不是坐标"),
        ({"code": "N-1", "position": "120.20511, 30.25741"}, "不是坐标"),
    ):
        answer = hands.browser.post("/install/new", data=given | change)
        assert answer.status_code == 422 and said in text_of(answer.text)
        assert "西街</textarea>" in answer.text


def test_rooms_by_tapping(hands):
    home = hands.new_home()

    assert hands.press(f"/{home}/rooms", room=["living", "bathroom"], own="佛堂", more="1") == f"/{home}/rooms"
    page = hands.see(f"/{home}/rooms")
    own = next(room.id for room in hands.home(home).rooms if room.name == "佛堂")
    assert hands.press(f"/{home}/rooms", room=["living", "bedroom", own]) == f"/{home}/hub"

    assert page.count(" checked>") == 3
    assert [room.name for room in hands.home(home).rooms] == ["客厅", "佛堂", "卧室"]


def test_a_room_in_which_something_hangs_stays(hands):
    answer = hands.browser.post("/install/h1/rooms", data={"csrf": hands.csrf, "room": ["bedroom"]})

    assert answer.status_code == 422 and "厨房感应" in answer.text
    assert hands.home().room("kitchen") is not None


# --------------------------------------------------------------------------- the hub and its secret


def shown_secret(page: str) -> str:
    return unescape(page.split('class="secret">')[1].split("<")[0])


def test_a_hubs_secret_is_shown_once_and_kept_nowhere(rig, hands):
    home, hub = hands.with_hub()
    page = hands.see(f"/{home}/hubs/{hub}/secret")
    secret = shown_secret(page)

    assert len(secret) >= 22 and rig.hashes[hub] == f"hash of {secret}"
    assert str(qr_code(f"mqtts://{hub}:{secret}@watch.test:8883")) in page
    assert hands.press(f"/{home}/hubs/{hub}/taken-over") == f"/{home}/hub"
    for path in ("secret", "kit"):
        answer = hands.browser.get(f"/install/{home}/hubs/{hub}/{path}")
        assert answer.status_code in (303, 404) and secret not in answer.text
    assert all(secret not in repr(act) for act in rig.alerts.acts())


def test_a_secret_that_nobody_took_over_is_gone_after_a_quarter_of_an_hour(rig, hands):
    home, hub = hands.with_hub()
    rig.clock.at += SECRET_SHOWN

    assert hands.browser.get(f"/install/{home}/hubs/{hub}/secret").headers["location"] == f"/install/{home}/hub"
    assert hands.browser.get(f"/install/{home}/hubs/{hub}/kit").status_code == 404


def test_only_the_browser_that_made_a_secret_sees_it(rig, hands):
    home, hub = hands.with_hub()
    other = Hands(rig, "wu", Duty.ADMIN, "")

    assert other.browser.get(f"/install/{home}/hubs/{hub}/secret").status_code == 303
    assert other.browser.get(f"/install/{home}/hubs/{hub}/kit").status_code == 404


def test_the_page_with_a_secret_is_never_stored_and_has_no_picture_of_its_own(hands):
    home, hub = hands.with_hub()
    answer = hands.browser.get(f"/install/{home}/hubs/{hub}/secret")

    assert answer.headers["cache-control"] == "no-store"
    assert shown_secret(answer.text) not in str(answer.url)
    assert strange_parts(answer.text) == []


def test_the_kit_holds_the_secret_and_is_had_while_that_is_shown(hands):
    home, hub = hands.with_hub()
    secret = shown_secret(hands.see(f"/{home}/hubs/{hub}/secret"))

    answer = hands.browser.get(f"/install/{home}/hubs/{hub}/kit")
    kit = zipfile.ZipFile(io.BytesIO(answer.content))

    assert any(secret in kit.read(name).decode() for name in kit.namelist())
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == f'attachment; filename="hub-{hub}.zip"'


def test_a_button_pressed_twice_makes_one_hub(hands):
    home, hub = hands.with_hub()

    assert hands.press(f"/{home}/hub") == f"/{home}/hubs/{hub}/secret"
    assert len(hands.home(home).hubs) == 1


def test_a_new_secret_voids_the_old_one_and_touches_no_other_home(rig, hands):
    home, hub = hands.with_hub()
    old = rig.hashes[hub]
    other_home, other = "h1", "hub-1"
    hands.press(f"/{other_home}/hubs/{other}/renew")
    others = rig.hashes[other]

    where = hands.press(f"/{home}/hubs/{hub}/renew")

    assert shown_secret(hands.see(where)) in rig.hashes[hub] != old
    assert rig.hashes[other] == others


def test_a_hub_cut_off_has_no_way_in(rig, hands):
    home, hub = hands.with_hub()

    assert hands.press(f"/{home}/hubs/{hub}/revoke") == f"/{home}/hub?said=revoked"

    assert hub not in rig.hashes
    assert hands.browser.get(f"/install/{home}/hubs/{hub}/kit").status_code == 404
    assert "不能接入" in hands.see(f"/{home}/hub")


def test_a_new_box_takes_over_the_devices_of_the_old_one(rig, hands):
    where = hands.press("/h1/hubs/hub-1/replace")

    (hub,) = hands.home().hubs
    assert hub.id != "hub-1" and where == f"/h1/hubs/{hub.id}/secret"
    assert {sensor.hub for sensor in hands.home().sensors} == {hub.id}
    assert "hub-1" not in rig.hashes and hub.id in rig.hashes


def test_a_hub_is_removed_only_when_nothing_hangs_on_it(hands):
    home, hub = hands.with_hub()
    refused = hands.browser.post("/install/h1/hubs/hub-1/remove", data={"csrf": hands.csrf})

    assert refused.status_code == 422 and "厨房感应" in refused.text
    assert hands.press(f"/{home}/hubs/{hub}/remove") == f"/{home}/hub?said=hub-removed"
    assert hands.home(home).hubs == ()


def test_the_page_notices_by_itself_that_the_hub_speaks(rig, hands):
    home, _ = hands.with_hub()
    before = text_of(hands.see(f"/{home}/hub"))
    rig.is_heard(home)

    assert "还没有信号" in before and "下一步：查找设备" not in before
    assert "已接通" in hands.see(f"/{home}/hub") and "下一步：查找设备" in hands.see(f"/{home}/hub")


# --------------------------------------------------------------------------- the inbox


def test_what_just_moved_stands_on_top(rig, hands):
    home, hub = hands.with_hub()
    announce(rig, hub, PIR, "occupancy", "battery", model="RTCGQ11LM")
    announce(rig, hub, SOS, "action", model="TS0215A")
    before = text_of(hands.see(f"/{home}/inbox"))
    stranger_says(rig, hub, f"zigbee2mqtt/{SOS}", b'{"action":"emergency","battery":100}')

    page = text_of(hands.see(f"/{home}/inbox"))

    assert "刚刚" not in before and before.count("还没有信号") == 2
    assert page.index("紧急按钮") < page.index("人体感应器") and "刚刚" in page
    rig.clock.go_on(minutes=5)
    assert "5 分钟前" in text_of(hands.see(f"/{home}/inbox"))


def test_what_is_registered_or_another_homes_is_not_in_the_inbox(rig, hands):
    announce(rig, "hub-1", "m", "occupancy")
    announce(rig, "hub-2", PIR, "occupancy")
    stranger_says(rig, "hub-2", "plain/other")

    assert "还没有听到新设备" in hands.see("/h1/inbox")


def test_a_press_of_a_device_that_nobody_registered_stands_out(rig, hands):
    stranger_says(rig, "hub-1", "plain/sos/cord", b'{"kind":"sos"}', reason="unregistered-alarm")

    page = text_of(hands.see("/h1/inbox"))

    assert "紧急按钮" in page and "在求助" in page and "cord" in page


def test_what_could_not_be_understood_is_told_too(rig, hands):
    stranger_says(rig, "hub-1", "zigbee2mqtt/m", b"{", reason="bad-json")

    assert "没看懂的消息（1）" in hands.see("/h1/inbox") and "不是 JSON" in hands.see("/h1/inbox")


def test_a_device_whose_hub_has_not_said_who_it_is_cannot_be_registered_yet(rig, hands):
    stranger_says(rig, "hub-1", "zigbee2mqtt/卧室门")

    page = hands.see("/h1/inbox")

    assert "还没说明这是哪个设备" in page and "devices/new" not in page


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("plain/sos/cord", "cord"),
        ("plain/kitchen/kettle", "kitchen/kettle"),
        ("shelly/shellyplus1-a8032a/events/rpc", "shellyplus1-a8032a"),
        ("tasmota/tele/kettle/SENSOR", "kettle"),
        ("esphome/radar-1/binary_sensor/presence/state", "radar-1"),
        (f"zigbee2mqtt/{PIR.upper().replace('0X', '0x')}/availability", PIR),
    ],
)
def test_the_topic_tells_the_address_where_the_dialect_has_lasting_names(topic, address):
    home = a_home(1, "g1", "王奶奶")
    row = Quarantined(f"shouwang/hub-1/{topic}", "unknown-device", EVENING, 2, b"{}", "hub-1")

    (found,) = inbox.strangers(home, [], [row])

    assert found.address == address


@pytest.mark.parametrize(
    ("says", "first"),
    [
        (("contact", "battery", "voltage"), Role.EXIT_DOOR),
        (("occupancy", "illuminance", "battery"), Role.MOTION),
        (("presence", "fall_down_status"), Role.FALL),
        (("presence", "target_distance"), Role.PRESENCE),
        (("smoke", "self_test", "battery"), Role.SMOKE),
        (("water_leak", "battery_low", "tamper"), Role.LEAK),
        (("carbon_monoxide",), Role.CO),
        (("gas",), Role.GAS),
        (("action", "battery"), Role.SOS),
        (("power", "energy", "state", "voltage"), Role.APPLIANCE),
        (("vibration", "battery"), Role.BED),
        (("temperature", "humidity", "battery"), Role.CLIMATE),
    ],
)
def test_the_role_is_suggested_from_what_a_device_can_say(says, first):
    assert inbox.likely_roles(says)[0] is first


def test_of_what_says_nothing_in_particular_no_role_is_suggested():
    assert inbox.likely_roles(("battery", "linkquality")) == ()


def test_unknown_hubs_are_told_to_the_administrator_of_all_grids_only(rig, hands):
    row = Quarantined("shouwang/hub-77/plain/x", "unknown-hub", rig.clock.now(), 2, b"{}", "hub-77", count=3)
    rig.readings.commit(Batch(quarantined=[row]))

    assert "hub-77" not in hands.see("")
    assert "hub-77" in Hands(rig, "chief", Duty.ADMIN, "").see("")


# --------------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "label",
    [
        "00158D0001A2B3C4",
        "0x00158d0001a2b3c4",
        "00:15:8D:00:01:A2:B3:C4",
        "G$M:69775$S:680S00003915$D:0000000017B2335C%Z$A:00158D0001A2B3C4$I:83FED3407A939723A5C639B26916D505C3B5",
        "Z:00158D0001A2B3C4$I:83FED3407A939723A5C639B26916D505C3B5",
    ],
)
def test_a_label_leads_to_its_device(rig, hands, label):
    announce(rig, "hub-1", PIR, "occupancy")

    answer = hands.browser.get("/install/h1/inbox", params={"q": label})

    assert answer.headers["location"] == f"/install/h1/devices/new?hub=hub-1&address={PIR}"


def test_a_label_that_nobody_has_heard_says_what_to_do(hands):
    page = text_of(hands.see(f"/h1/inbox?q={PIR}"))

    assert "没有发现" in page and "开始配对" in page


def test_the_camera_may_be_used_on_these_pages_only(hands):
    policy = "permissions-policy"

    assert "camera=(self)" in hands.browser.get("/install/h1/inbox").headers[policy]
    assert "camera=()" in hands.browser.get("/login").headers[policy]


# --------------------------------------------------------------------------- registering


def test_a_device_with_three_taps(rig, hands):
    announce(rig, "hub-1", PIR, "occupancy", model="RTCGQ11LM")
    form = hands.see(f"/h1/devices/new?hub=hub-1&address={PIR}")

    where = hands.press("/h1/devices/new", hub="hub-1", address=PIR, room="bedroom", role="motion")

    sensor = hands.home().sensors[-1]
    assert re.search(r'value="motion" required checked', form)
    assert where == "/h1/inbox?said=registered"
    assert (sensor.address, sensor.name, sensor.room, sensor.role) == (PIR, "卧室人体感应器", "bedroom", Role.MOTION)
    assert (sensor.model, sensor.power) == ("RTCGQ11LM", Power.BATTERY)
    assert rig.post.asked == []  # no life-safety device: its name stays


def test_a_life_safety_device_is_renamed_into_the_fast_lane(rig, hands):
    announce(rig, "hub-1", SOS, "action")
    hands.press("/h1/devices/new", hub="hub-1", address=SOS, room="bedroom", role="sos", subject="爷爷")

    sensor = hands.home().sensors[-1]
    assert sensor.subject == "爷爷"
    assert rig.post.asked == [
        ("hub-1", "zigbee2mqtt/bridge/request/device/rename", {"from": SOS, "to": f"sos/{sensor.id}"})
    ]


def test_a_hub_that_cannot_be_asked_keeps_the_registration_and_says_so(rig, hands):
    announce(rig, "hub-1", SOS, "action")
    rig.post.is_away = True

    where = hands.press("/h1/devices/new", hub="hub-1", address=SOS, room="bedroom", role="sos")
    sensor = hands.home().sensors[-1]
    page = hands.see(f"/h1/devices/{sensor.id}")
    rig.post.is_away = False
    again = hands.press(f"/h1/devices/{sensor.id}/fast-lane")

    assert "可以使用" in hands.see(where)
    assert "开通紧急通道" in page and again.endswith("said=renamed") and len(rig.post.asked) == 1
    announce(rig, "hub-1", SOS, "action", name=f"sos/{sensor.id}")
    assert "开通紧急通道" not in hands.see(f"/h1/devices/{sensor.id}")


def test_the_button_pressed_twice_registers_one_device(rig, hands):
    announce(rig, "hub-1", PIR, "occupancy")
    for _ in range(2):
        hands.press("/h1/devices/new", hub="hub-1", address=PIR, room="bedroom", role="motion")

    assert sum(sensor.address == PIR for sensor in hands.home().sensors) == 1


def test_two_alike_get_names_of_their_own(rig, hands):
    for address in (PIR, SOS):
        announce(rig, "hub-1", address, "occupancy")
        hands.press("/h1/devices/new", hub="hub-1", address=address, room="bedroom", role="motion")

    assert [sensor.name for sensor in hands.home().sensors[-2:]] == ["卧室人体感应器", "卧室人体感应器 2"]


@pytest.mark.parametrize(("field", "value"), [("room", "cellar"), ("room", ""), ("role", "spy"), ("role", "")])
def test_a_device_needs_its_room_and_its_purpose(rig, hands, field, value):
    announce(rig, "hub-1", PIR, "occupancy")
    given = {"csrf": hands.csrf, "hub": "hub-1", "address": PIR, "room": "bedroom", "role": "motion"}

    answer = hands.browser.post("/install/h1/devices/new", data=given | {field: value})

    assert answer.status_code == 422 and "请选择" in answer.text
    assert len(hands.home().sensors) == 2


def test_what_nobody_heard_cannot_be_registered(hands):
    given = {"csrf": hands.csrf, "hub": "hub-1", "address": PIR, "room": "bedroom", "role": "motion"}

    assert hands.browser.post("/install/h1/devices/new", data=given).status_code == 404


def test_pairing_is_opened_for_two_minutes(rig, hands):
    assert hands.press("/h1/hubs/hub-1/join") == "/h1/inbox?said=joining"

    hub, topic, asked = rig.post.asked[0]
    assert (hub, topic, asked["time"]) == ("hub-1", "zigbee2mqtt/bridge/request/permit_join", 120)
    assert "正在配对" in hands.see("/h1/inbox")
    rig.clock.go_on(minutes=2)
    assert "开始配对" in hands.see("/h1/inbox")
    rig.post.is_away = True
    assert hands.press("/h1/hubs/hub-1/join") == "/h1/inbox?said=not-joining"


# --------------------------------------------------------------------------- the life of a device


def test_a_device_replaced_keeps_its_place_and_its_history(rig, hands):
    rig.hear("h1", minutes_ago=3)
    announce(rig, "hub-1", PIR, "occupancy", model="SNZB-03P")
    assert PIR in hands.see("/h1/devices/h1-m/replace")

    where = hands.press("/h1/devices/h1-m/replace", hub="hub-1", address=PIR)

    (sensor,) = [s for s in hands.home().sensors if s.id == "h1-m"]
    assert (sensor.address, sensor.model, sensor.room) == (PIR, "SNZB-03P", "kitchen")
    page = text_of(hands.see(where.removesuffix("?said=replaced")))
    assert "SNZB-03P" in page and "有动静" in page  # what the old one said is still there


def test_a_device_is_moved_renamed_and_turned_round(hands):
    fields = {"room": "bedroom", "role": "bed", "name": "王奶奶的床", "inverted": "1"}

    assert hands.press("/h1/devices/h1-m/edit", **fields) == "/h1/devices/h1-m?said=saved"

    (sensor,) = [s for s in hands.home().sensors if s.id == "h1-m"]
    assert (sensor.room, sensor.role, sensor.name, sensor.inverted) == ("bedroom", Role.BED, "王奶奶的床", True)


def test_a_device_is_removed_with_a_reason(rig, hands):
    assert hands.press("/h1/devices/h1-m/remove", why="") == "/h1/devices/h1-m"
    assert hands.press("/h1/devices/h1-m/remove", why="坏了") == "/h1?said=removed"

    assert [sensor.id for sensor in hands.home().sensors] == ["h1-d"]
    assert "坏了" in repr(rig.alerts.acts()[0])


def test_how_a_device_is_stands_on_its_page(rig, hands):
    now = rig.clock.now()
    condition = Condition(
        home="h1",
        sensor="h1-m",
        heard=now - timedelta(minutes=2),
        functions=((Kind.MOTION, now - timedelta(hours=2)),),
        battery=41,
        empty_at=now + timedelta(days=33),
        link=28,
        faults=("mute",),
    )
    rig.readings.commit(Batch(conditions=[condition]))

    page = text_of(hands.see("/h1/devices/h1-m"))

    for words in ("有信号，但功能没有反应", "2 分钟前", "2 小时前", "41 %", "约 2026-12-24 用完", "28/255"):
        assert words in page, words
    assert "有信号，但功能没有反应" in text_of(hands.see("/h1"))


# --------------------------------------------------------------------------- pictures


def send(hands: Hands, picture: bytes, name: str = "x.jpg", home: str = "h1", sensor: str = "h1-m"):
    return hands.browser.post(
        f"/install/{home}/devices/{sensor}/photo",
        data={"csrf": hands.csrf},
        files={"picture": (name, picture, "text/html")},
    )


def test_a_picture_is_kept_under_a_name_of_our_own_and_shown_as_what_it_is(hands, tmp_path):
    assert send(hands, JPEG, "../../evil.html").headers["location"].endswith("said=photo")

    page = hands.see("/h1/devices/h1-m")
    path = re.search(r'class="photo" src="([^"]+)"', page)[1]
    answer = hands.browser.get(path)
    assert re.fullmatch(r"/install/h1/photos/[0-9a-f]{32}\.jpg", path)
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert answer.headers["x-content-type-options"] == "nosniff"
    (kept,) = (tmp_path / "photos").iterdir()
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("picture", [b"", b"<script>alert(1)</script>", b"GIF89a....", b"\xff\xd8\xff" + b"x" * 2**21])
def test_what_is_no_picture_or_too_large_is_not_kept(hands, picture, tmp_path):
    answer = send(hands, picture)

    assert answer.status_code == 413 or answer.headers["location"].endswith("said=no-photo")
    assert not (tmp_path / "photos").exists()


def test_a_body_far_too_large_is_refused_before_it_is_read(hands):
    assert send(hands, b"\xff\xd8\xff" + b"x" * 4_000_000).status_code == 413


def test_a_picture_of_another_home_is_none(rig, hands):
    send(hands, JPEG)
    name = hands.see("/h1/devices/h1-m").split("/photos/")[1].split('"')[0]

    assert hands.browser.get(f"/install/h2/photos/{name}").status_code == 404
    assert hands.browser.get("/install/h1/photos/..%2f..%2fpage.secret").status_code == 404
    assert Hands(rig, "wu", Duty.INSTALLER, "g2").browser.get(f"/install/h1/photos/{name}").status_code == 404


# --------------------------------------------------------------------------- how far it has come, and how it stands


def test_the_checklist_knows_what_is_next(rig):
    home = rig.registry.home("h1")
    new = replace(home, rooms=(), hubs=(), sensors=())

    def following(home: Home, *lines: Installation, is_heard: bool = True, is_recorded: bool = False) -> str:
        step = steps(home, is_heard, lines, is_recorded)[1]
        return step.code if step else ""

    def tried(sensor: str, passed: bool) -> Installation:
        return Installation(home="h1", sensor=sensor, at=rig.clock.now(), by="li", passed=passed)

    assert following(new) == "rooms"
    assert following(replace(new, rooms=home.rooms)) == "hub"
    assert following(replace(home, sensors=()), is_heard=False) == "hub"
    assert following(replace(home, sensors=())) == "devices"
    assert following(home) == "walk"
    assert following(home, tried("h1-m", True), tried("h1-d", False)) == "walk"
    assert following(home, tried("h1-m", True), tried("h1-d", False), tried("h1-d", True)) == "record"
    assert following(home, tried("h1-m", True), tried("h1-d", True), is_recorded=True) == ""


def test_the_household_leads_to_its_next_step(hands):
    home = hands.new_home()
    page = hands.see(f"/{home}")

    assert f'class="big button" href="/install/{home}/rooms"' in page


def test_pause_and_resume(rig, hands):
    rig.rename("h1", state=Monitoring.TRIAL, trial_until=rig.clock.now() + timedelta(days=9))
    assert hands.press("/h1/state", act="pause", why="住院", days="7") == "/h1?said=saved"
    paused = hands.home()
    page = text_of(hands.see("/h1/state"))
    hands.press("/h1/state", act="resume")

    assert paused.state is Monitoring.PAUSED and "住院" in page and "11-28 22:38" in page
    assert hands.home().state is Monitoring.TRIAL  # as before the pause


def test_a_household_is_given_up_with_a_reason_and_its_hub_loses_its_way_in(rig, hands):
    home, hub = hands.with_hub()
    refused = hands.browser.post(f"/install/{home}/state", data={"csrf": hands.csrf, "act": "retire", "why": "bored"})

    assert refused.status_code == 422 and hub in rig.hashes
    assert hands.press(f"/{home}/state", act="retire", why="nursing_home") == f"/{home}?said=saved"
    assert hands.home(home).state is Monitoring.RETIRED and hub not in rig.hashes
    hands.press(f"/{home}/state", act="reopen")
    assert hands.home(home).state is Monitoring.REGISTERED


def test_an_act_that_is_none_is_refused(hands):
    assert hands.browser.post("/install/h1/state", data={"csrf": hands.csrf, "act": "sell"}).status_code == 422


# --------------------------------------------------------------------------- strangers' words


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_people_or_devices_write_becomes_a_part_of_the_page(rig, hands, payload):
    home = rig.registry.home("h1")
    sensors = tuple(replace(sensor, name=payload, model=payload, subject=payload) for sensor in home.sensors)
    rooms = tuple(replace(room, name=payload) for room in home.rooms)
    rig.rename("h1", name=payload, code=payload, address=payload, access=payload, rooms=rooms, sensors=sensors)
    announce(rig, "hub-1", PIR, payload, model=payload, name=payload)
    stranger_says(rig, "hub-1", f"zigbee2mqtt/{payload}", payload.encode())
    stranger_says(rig, "hub-1", f"odd/{payload}", payload.encode(), reason=payload)
    rig.readings.commit(Batch(conditions=[Condition(home="h1", sensor="h1-m", faults=(payload,))]))
    rig.registrar.note_installation(
        Installation(home="h1", sensor="h1-m", at=rig.clock.now(), by=payload, note=payload),
        who="li",
        now=rig.clock.now(),
    )
    csrf = {"csrf": hands.csrf}
    pages = [
        hands.see("/h1"),
        hands.see(""),
        hands.browser.get("/install", params={"q": payload}).text,
        hands.browser.get("/install/h1", params={"said": payload}).text,
        hands.see("/h1/edit"),
        hands.see("/h1/rooms"),
        hands.see("/h1/hub"),
        hands.see("/h1/inbox"),
        hands.browser.get("/install/h1/inbox", params={"q": payload}).text,
        hands.see(f"/h1/devices/new?hub=hub-1&address={PIR}"),
        hands.see("/h1/devices/h1-m"),
        hands.see("/h1/devices/h1-m/edit"),
        hands.see("/h1/devices/h1-m/replace"),
        hands.see("/h1/state"),
        hands.browser.post("/install/new", data=csrf | {"code": payload, "name": payload, "address": payload}).text,
        hands.browser.post("/install/h1/rooms", data=csrf | {"room": ["kitchen", "bedroom"], "own": payload}).text,
        hands.browser.post("/install/h1/state", data=csrf | {"act": "retire", "why": payload}).text,
    ]
    for number, page in enumerate(pages):
        assert [part for part in strange_parts(page) if part != "img"] == [], number
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\bsrc=)", page), number
    assert payload in unescape(pages[0]) and payload in unescape(pages[10])


def test_a_formula_stays_a_name(hands):
    home = hands.home(hands.press("/new", code="=1+1", name='=HYPERLINK("x")', grid="g1").split("/")[1])

    assert (home.code, home.name) == ("=1+1", '=HYPERLINK("x")')
    assert SCRIPT not in hands.see(f"/{home.id}")


def test_every_page_speaks_english_too(hands):
    hands.browser.get("/language/en")
    for page in ("", "/new", "/h1", "/h1/rooms", "/h1/hub", "/h1/inbox", "/h1/devices/h1-m", "/h1/state"):
        text = re.sub(
            r"王奶奶|李爷爷|钥匙在门卫处|东风路 3 号|厨房感应|门磁|厨房|卧室|中文|东风社区",
            "",
            text_of(hands.see(page)),
        )
        assert not re.search(r"[\u4e00-\u9fff]", text), (page, re.findall(r".{5}[\u4e00-\u9fff]+.{5}", text)[:5])
