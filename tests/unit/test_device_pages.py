"""A grid worker's telephone: acts that come late or twice, pages that may be kept, browsers that are told by push."""

import asyncio
import base64
import json
import os
import re
import ssl
import struct
import subprocess
import zlib
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pages_house import Rig, a_home, hidden

from alerts.channels import make
from dashboard import pictures, push
from dashboard.printer import alert_url
from gateway.domain import Delivery, Duty, Entry, Override, Purpose, Reach, Severity
from gateway.ports import Letter, Undeliverable

ROOT = Path(__file__).resolve().parents[2]
BARE = b"\xff\xd8\xff\xda\x00\x02" + b"0" * 40 + b"\xff\xd9"
QUEUE = {"accept": "application/json"}


@pytest.fixture
def rig(tmp_path) -> Rig:
    (tmp_path / "push.pub").write_text("our-public-key", "ascii")
    return Rig(more={"photos": tmp_path / "photos", "push_key": tmp_path / "push.pub"})


def history(rig: Rig, alert: str, what: str) -> list[Entry]:
    return [entry for entry in rig.alerts.history(alert) if entry.what == what]


def does(rig: Rig, browser, alert: str, act: str, **form):
    at = alert_url(alert)
    csrf = browser.get("/device/me").json()["csrf"]
    headers = form.pop("headers", {})
    return browser.post(f"{at}/{act}", data={"csrf": csrf, **form}, headers=headers, files=form.pop("files", None))


# --------------------------------------------------------------------------- acts that waited


def test_an_act_that_comes_twice_is_done_once(rig):
    alert = rig.press().id
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    for _ in range(3):
        answer = does(rig, worker, alert, "note", note="敲门无应答", key="k1", headers=QUEUE)
        assert answer.json() == {"done": True, "said": ""}

    assert len(history(rig, alert, "note")) == 1
    does(rig, worker, alert, "note", note="敲门无应答", key="k2")
    assert len(history(rig, alert, "note")) == 2  # another press is another note


def test_somebody_elses_key_uses_up_nothing(rig):
    alert = rig.press().id
    does(rig, rig.signed_in("he", Duty.DEPUTY, "g1"), alert, "note", note="一", key="same")

    does(rig, rig.signed_in("liu", Duty.GRID_WORKER, "g1"), alert, "note", note="二", key="same")

    assert len(history(rig, alert, "note")) == 2


def test_what_came_late_counts_from_now_and_says_when_it_was_pressed(rig):
    alert = rig.press().id
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    pressed = rig.clock.now()
    rig.clock.go_on(minutes=12)

    does(rig, worker, alert, "accept", key="k", pressed=pressed.isoformat(), headers=QUEUE)

    assert rig.alert(alert).accepted_at == rig.clock.now()
    (late,) = history(rig, alert, "late")
    assert dict(late.facts) == {"pressed": pressed.isoformat(), "act": "accept"}
    assert "刘网格员在22:38就已按下，当时没有网络" in worker.get(alert_url(alert)).text


@pytest.mark.parametrize(
    "pressed", ["", "yesterday", "2026-11-21T14:38:00", "2019-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]
)
def test_a_clock_that_is_wrong_is_not_believed(rig, pressed):
    alert = rig.press().id

    does(rig, rig.signed_in("liu", Duty.GRID_WORKER, "g1"), alert, "accept", key="k", pressed=pressed)

    assert history(rig, alert, "late") == []


@pytest.mark.parametrize(("minutes", "is_meant"), [(14, True), (16, False)])
def test_a_promise_of_an_hour_ago_keeps_nobody_from_being_called(rig, minutes, is_meant):
    alert = rig.press().id
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    pressed = rig.clock.now()
    rig.clock.go_on(minutes=minutes)

    answer = does(rig, worker, alert, "accept", key="k", pressed=pressed.isoformat(), headers=QUEUE).json()

    assert answer["done"] is is_meant and rig.alert(alert).is_ringing is not is_meant
    assert is_meant or "如果您仍要去，请再按一次" in answer["said"]


def test_whoever_was_quicker_is_named(rig):
    alert = rig.press().id
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    rig.desk.accept(alert, "he", rig.clock.now())

    answer = does(rig, worker, alert, "accept", key="k", headers=QUEUE).json()

    assert answer["done"] is False and "何副手" in answer["said"]


def test_by_a_link_acts_wait_too(rig):
    alert, browser = rig.press().id, rig.browser()
    at = f"/a/{rig.links.token(alert, 'liu')}"

    for _ in range(2):
        assert browser.post(f"{at}/accept", data={"key": "k"}, headers=QUEUE).json()["done"]

    assert len(history(rig, alert, "accepted")) == 1


def test_the_token_of_a_form_is_needed_as_ever(rig):
    alert = rig.press().id
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    answer = worker.post(f"{alert_url(alert)}/accept", data={"csrf": "old", "key": "k"}, headers=QUEUE)

    assert answer.status_code == 403 and rig.alert(alert).is_ringing


# --------------------------------------------------------------------------- what may be kept


def test_pages_say_for_whom_they_may_be_kept_and_secret_ones_never(rig):
    alert = rig.press().id
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    mine = worker.get("/device/me").json()["who"]
    theirs = rig.signed_in("he", Duty.DEPUTY, "g1").get("/device/me").json()["who"]

    assert mine != theirs and "liu" not in mine
    for path in ("/", "/homes/h1", "/today", alert_url(alert)):
        assert worker.get(path).headers["x-keep"] == mine, path
    for path in (f"{alert_url(alert)}/card", "/device", "/device/me", "/clocks", "/nowhere"):
        assert "x-keep" not in worker.get(path).headers, path
    assert "x-keep" not in rig.browser().get(f"/a/{rig.links.token(alert, 'liu')}").headers


def test_no_page_that_another_site_made_the_browser_ask_for_is_compressed(rig):
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    def is_squeezed(path: str, **headers: str) -> bool:
        answer = worker.get(path, headers={"accept-encoding": "gzip", **headers})
        assert answer.status_code == 200
        return answer.headers.get("content-encoding") == "gzip"

    assert is_squeezed("/", **{"sec-fetch-site": "none"})
    assert is_squeezed("/", **{"sec-fetch-site": "same-origin"})
    assert not is_squeezed("/", **{"sec-fetch-site": "cross-site"})
    assert not is_squeezed("/", **{"sec-fetch-site": "same-site"})
    assert not is_squeezed("/")
    assert is_squeezed("/static/pages.css", **{"sec-fetch-site": "cross-site"})


def test_what_needs_nobody_signed_in_tells_nothing(rig):
    browser = rig.browser()

    assert browser.get("/worker.js").headers["content-type"].startswith("text/javascript")
    assert browser.get("/manifest/zh.webmanifest").json()["short_name"] == "守望"
    assert browser.get("/manifest/en.webmanifest").json()["lang"] == "en"
    assert browser.get("/manifest/../zh.webmanifest").status_code == 404
    assert "没有网络" in browser.get("/offline").text
    for path in ("/device", "/device/me", "/ringing", "/today"):
        assert browser.get(path).status_code == 303, path


# --------------------------------------------------------------------------- what rings, and what is for today


def test_of_many_that_ring_three_push_the_page_down_and_all_are_heard(rig):
    with rig.registry.begin() as ledger:
        for number in (4, 5, 6):
            ledger.put_home(a_home(number, "g1", "孙奶奶"), rig.clock.now())
    ringing = [rig.press(home).id for home in ("h1", "h2", "h4", "h5", "h6")]

    text = rig.signed_in("liu", Duty.GRID_WORKER, "g1").get("/ringing").text

    above, _, below = text.partition("<details")
    assert (above.count("data-rings"), below.count("data-rings")) == (3, 2)
    assert all(f'data-rings="{alert}"' in text for alert in ringing) and "还有 2 处正在响" in below


def test_on_an_alerts_page_and_what_belongs_to_it_the_others_ring(rig):
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    here, other = rig.press("h1").id, rig.press("h2").id

    asks = re.search(r'id="siren" hx-get="([^"]+)"', worker.get(alert_url(here)).text)
    assert asks is not None
    rings = worker.get(unescape(asks[1])).text
    assert f'data-rings="{other}"' in rings and f'data-rings="{here}"' not in rings, "it is on the page already"
    assert 'hx-get="/ringing"' in worker.get(alert_url(here) + "/timeline").text
    assert 'id="siren"' not in worker.get("/").text, "there each of them is a card"


def test_only_an_emergency_of_theirs_that_nobody_has_stands_on_every_page(rig):
    rig.press("h2", Severity.HIGH, "inactivity")
    taken, theirs = rig.press("h1").id, rig.press("h3").id
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    assert alert_url(taken) in worker.get("/ringing").text
    rig.desk.accept(taken, "he", rig.clock.now())

    text = worker.get("/ringing").text

    assert alert_url(taken) not in text and alert_url(theirs) not in text and "inactivity" not in text
    assert rig.signed_in("wu", Duty.INSTALLER, "g1").get("/ringing").status_code == 403


def test_todays_list_holds_what_is_hers_and_nothing_of_the_next_grid(rig):
    now = rig.clock.now()
    mine, looked_in = rig.press("h1").id, rig.press("h2").id
    elsewhere = rig.press("h3").id
    rig.desk.accept(mine, "liu", now)
    for alert in (looked_in, elsewhere):
        rig.desk.resolve(alert, "liu", "assistance-given", "", now)
    with rig.registry.begin() as ledger:
        for home, hours in (("h1", 20), ("h2", 60), ("h3", 20)):
            until = now + timedelta(hours=hours)
            since = now - timedelta(days=2)
            ledger.put_override(
                Override(home=home, key="absence", value="hospital", since=since, until=until, author="ma", reason="")
            )
    rig.rename("h3", name="别的网格")

    text = rig.signed_in("liu", Duty.GRID_WORKER, "g1").get("/today").text

    assert "我已接单" in text and alert_url(mine) in text
    assert "待回访" in text and alert_url(looked_in) in text
    assert "即将回家" in text and text.count("出院") == 1
    assert "别的网格" not in text


def test_a_day_without_work_says_so(rig):
    assert "今天没有待办" in rig.signed_in("liu", Duty.GRID_WORKER, "g1").get("/today").text


# --------------------------------------------------------------------------- the alert: the day, the way


def test_the_day_is_for_who_is_called_by_their_post(rig):
    rig.hear("h1", minutes_ago=30)
    alert = rig.press("h1", code="inactivity").id

    assert 'class="ribbon"' in rig.signed_in("liu", Duty.GRID_WORKER, "g1").get(alert_url(alert)).text
    assert 'class="ribbon"' in rig.browser().get(f"/a/{rig.links.token(alert, 'liu')}").text
    assert 'class="ribbon"' not in rig.browser().get(f"/a/{rig.links.token(alert, 'a-neighbour')}").text


def test_the_way_is_a_tap_and_no_request_of_ours(rig):
    text = rig.signed_in("liu", Duty.GRID_WORKER, "g1").get(alert_url(rig.press("h1").id)).text

    assert 'href="geo:0,0?q=%E4%B8%9C' in text
    assert 'href="https://uri.amap.com/search?keyword=%E4%B8%9C' in text and 'rel="noreferrer"' in text


# --------------------------------------------------------------------------- pictures without their place


def segment(mark: int, body: bytes) -> bytes:
    return bytes((0xFF, mark)) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_picture_is_kept_without_what_tells_where_it_was_taken():
    tables, frame, scan = segment(0xDB, b"q" * 64), segment(0xC0, b"f" * 9), b"\xff\xda\x00\x02data\xff\x00\xff\xd9"
    exif, note = segment(0xE1, b"Exif\0\0GPS 30.65987 104.06321"), segment(0xFE, b"my telephone")
    appended = b"\xff\xd8" + exif + b"\xff\xd9"

    assert (
        pictures.without_place(b"\xff\xd8" + exif + tables + note + frame + scan + appended)
        == b"\xff\xd8" + tables + frame + scan
    )


def test_a_drawing_too():
    start, end = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"h" * 13), chunk(b"IDAT", b"d" * 20) + chunk(b"IEND", b"")
    told = chunk(b"eXIf", b"GPS") + chunk(b"tEXt", b"Author\0me")

    assert pictures.without_place(start + told + end + b"more") == start + end


@pytest.mark.parametrize("broken", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe1\xff\xff", b"\x89PNG\r\n\x1a\nxx", BARE[:-2]])
def test_what_cannot_be_read_as_a_picture_is_not_kept(tmp_path, broken):
    assert pictures.keep(tmp_path / "photos", broken) == ""
    assert not (tmp_path / "photos").exists()


def test_a_picture_goes_after_its_time_and_the_line_of_the_history_stays(rig):
    alert = rig.press().id
    rig.desk.accept(alert, "liu", rig.clock.now())
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    csrf = hidden(worker.get(alert_url(alert)).text, "csrf")
    files = {"picture": ("a.jpg", BARE, "image/jpeg")}
    for _ in range(2):  # twice over a bad line
        data = {"csrf": csrf, "key": "k"}
        assert worker.post(f"{alert_url(alert)}/photo", data=data, files=files, headers=QUEUE).json()["done"]
    (kept,) = (rig.house.photos / "alerts").iterdir()
    assert kept.name in worker.get(alert_url(alert)).text

    os.utime(kept, (0, (rig.clock.now() - pictures.KEPT - timedelta(hours=1)).timestamp()))
    assert pictures.let_go(rig.house.photos, rig.clock.now()) == 1

    assert kept.name not in worker.get(alert_url(alert)).text
    assert len(history(rig, alert, "photo")) == 1


# --------------------------------------------------------------------------- push


BROWSER = ec.generate_private_key(ec.SECP256R1())
SHARED = bytes(range(16))


def subscription(endpoint: str = "https://push.example.org/send/one") -> str:
    point = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": base64.urlsafe_b64encode(point).decode(), "auth": base64.urlsafe_b64encode(SHARED).decode()}
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys})


def subscribe(browser, given: str = ""):
    csrf = browser.get("/device/me").json()["csrf"]
    return browser.post("/device/push", data={"csrf": csrf, "subscription": given or subscription()})


def ways(rig: Rig, person: str = "liu") -> list[str]:
    found = rig.registry.person(person)
    assert found is not None
    return [reach.channel for reach in found.reaches]


def test_a_browser_is_told_until_it_is_signed_out(rig):
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    assert "our-public-key" in worker.get("/device").text
    assert subscribe(worker).status_code == 204
    assert subscribe(worker).status_code == 204  # the same browser once more
    other = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    subscribe(other, subscription("https://push.example.org/send/two"))
    assert ways(rig) == ["console", "web_push", "web_push"]
    assert "本浏览器会收到通知" in worker.get("/device").text

    worker.post("/logout", data={"csrf": worker.get("/device/me").json()["csrf"]})

    assert ways(rig) == ["console", "web_push"]
    other.post("/device/push/off", data={"csrf": other.get("/device/me").json()["csrf"]})
    assert ways(rig) == ["console"]


def test_a_session_that_ended_without_a_word_is_swept(rig):
    subscribe(rig.signed_in("liu", Duty.GRID_WORKER, "g1"))
    push.sweep(rig.house)
    assert ways(rig) == ["console", "web_push"]

    rig.accounts.end_sessions("liu")
    push.sweep(rig.house)

    assert ways(rig) == ["console"]


def test_at_most_five_browsers_of_one_person(rig):
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    for number in range(8):
        subscribe(worker, subscription(f"https://push.example.org/{number}"))

    person = rig.registry.person("liu")
    endpoints = [json.loads(reach.address)["endpoint"][-1] for reach in push.of(person)]
    assert endpoints == ["3", "4", "5", "6", "7"]


def test_an_address_that_somebody_typed_stands_in_nobodys_way(rig):
    person = rig.registry.person("liu")
    typed = replace(
        person, reaches=(Reach(channel="web_push", address="nonsense"), Reach(channel="web_push", address="[1]"))
    )
    rig.registrar.put_person(typed, who="ma", now=rig.clock.now())

    push.sweep(rig.house)
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    assert subscribe(worker).status_code == 204
    assert ways(rig) == ["web_push"] * 3


@pytest.mark.parametrize("given", ["", "{}", "[1]", '{"endpoint":"http://a","keys":{}}', subscription("http://here/x")])
def test_what_is_no_subscription_is_refused(rig, given):
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    csrf = worker.get("/device/me").json()["csrf"]

    assert worker.post("/device/push", data={"csrf": csrf, "subscription": given}).status_code == 422
    assert ways(rig) == ["console"]


def test_where_push_is_not_set_up_the_page_says_so(rig):
    bare = Rig()
    worker = bare.signed_in("liu", Duty.GRID_WORKER, "g1")

    assert "没有开通浏览器推送" in worker.get("/device").text
    assert subscribe(worker).status_code == 422


class PushService:
    """A push service on a real socket: keeps what it was handed, or says that it knows nobody of that name."""

    def __init__(self, status: str = "201 Created") -> None:
        self.status, self.bodies, self.headers = status, [], []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        self.bodies.append(await reader.readexactly(int(headers["content-length"])))
        self.headers.append(headers)
        writer.write(f"HTTP/1.1 {self.status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


async def told_by_push(rig: Rig, service: PushService, keys) -> None:
    """What the courier does with the way that the page has made."""
    person = rig.registry.person("liu")
    (reach,) = push.of(person)
    options = {"contact": "mailto:a@b.cn", "base_url": service.url}

    def forget(address: str) -> None:
        rig.registrar.drop_way(replace(reach, address=address), who="gateway", now=rig.clock.now())

    delivery = Delivery(
        id="h1/sos/x/0/liu",
        alert="h1/sos/x",
        purpose=Purpose.PAGE,
        person="liu",
        channel="web_push",
        address=reach.address,
        created_at=rig.clock.now(),
    )
    letter = Letter(title="【紧急】紧急呼叫 · 户号 A-1", body="请接单", link="https://watch.test/a/x")
    async with make("web_push", options, clock=rig.clock, keys=keys, forget=forget) as channel:
        await channel.send(delivery, letter)


async def test_from_the_button_to_the_push_service_and_what_the_browser_reads_there(rig, tmp_path):
    subscribe(rig.signed_in("liu", Duty.GRID_WORKER, "g1"))

    async with PushService() as service:
        await told_by_push(rig, service, tmp_path / "push.pem")

    said = json.loads(http_ece.decrypt(service.bodies[0], private_key=BROWSER, auth_secret=SHARED))
    assert said["title"] == "【紧急】紧急呼叫 · 户号 A-1"
    assert service.headers[0]["urgency"] == "high" and service.headers[0]["authorization"].startswith("vapid t=")
    assert ways(rig) == ["console", "web_push"]


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_a_browser_that_has_forgotten_us_is_told_no_more(rig, tmp_path, status):
    subscribe(rig.signed_in("liu", Duty.GRID_WORKER, "g1"))

    async with PushService(status) as service:
        with pytest.raises(Undeliverable):
            await told_by_push(rig, service, tmp_path / "push.pem")

    assert ways(rig) == ["console"]


# --------------------------------------------------------------------------- HTTPS without a public name


def test_the_certificate_is_trusted_by_whoever_has_the_authority_and_for_these_names_only(tmp_path):
    folder = tmp_path / "tls"

    def certify(*names: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "scripts" / "certificate", folder, *names], capture_output=True, text=True, check=False
        )

    first = certify("127.0.0.1", "shouwang.lan")
    assert first.returncode == 0, first.stderr
    assert 'base_url = "https://127.0.0.1:8443"' in first.stdout
    authority = (folder / "ca.crt").read_bytes()
    assert (folder / "ca.key").stat().st_mode & 0o077 == 0
    assert certify("127.0.0.1").returncode == 0
    assert certify("shouwang.lan").returncode == 0
    assert certify("127.0.0.1").returncode == 0
    assert (folder / "ca.crt").read_bytes() == authority  # telephones need nothing new

    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "web.crt", folder / "web.key")
    assert shakes_hands(server, ssl.create_default_context(cafile=folder / "ca.crt"), "127.0.0.1")
    assert not shakes_hands(server, ssl.create_default_context(cafile=folder / "ca.crt"), "10.0.0.7")
    assert not shakes_hands(server, ssl.create_default_context(), "127.0.0.1")

    for other in ("bank.example", "10.0.0.7"):
        refused = certify(other)
        assert refused.returncode == 1 and "other names" in refused.stderr
    assert shakes_hands(server, ssl.create_default_context(cafile=folder / "ca.crt"), "127.0.0.1")


@pytest.mark.parametrize("name", ["192.168.1.20", "shouwang.lan"])
def test_an_authority_of_one_kind_of_names_vouches_for_none_of_the_other(tmp_path, name):
    for names, status in (((name,), 0), (("bank.example",), 1), (("8.8.8.8",), 1)):
        made = subprocess.run([ROOT / "scripts" / "certificate", tmp_path, *names], capture_output=True, check=False)
        assert made.returncode == status


def shakes_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    """A TLS handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        done = 0
        for side in (here, there):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
        if done == 2:
            return True
    return False
