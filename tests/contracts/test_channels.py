"""What every channel must keep, asked of each against real servers that behave badly."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import SMTP
from the_providers import PROVIDERS, Server

from alerts.catalogue import Catalogue
from alerts.channels import CHANNELS, console, make
from alerts.channels.console import Console
from alerts.channels.exchange import LONGEST_ANSWER
from alerts.channels.webhook import Webhook
from alerts.wording import letter
from alerts.words_ledger import trial_letter
from gateway.domain import Alert, Delivery, Finding, Home, Purpose, Role, Room, Sensor, State
from gateway.ports import Letter, TryLater, Undeliverable

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LETTER = Letter(
    title="【紧急】紧急呼叫 · 户号 A-0312",
    body="08:00 按下了紧急按钮。",
    link="https://example.org/a/x",
    household="A-0312",
    what="紧急呼叫",
    time="08:00",
)
IN_TIME = timedelta(seconds=10)
SOON = timedelta(seconds=0.2)
"""For those who never answer; long enough for a connection on this machine."""


class Clock:
    def now(self) -> datetime:
        return T0


def delivery(address: str = "", **changes: Any) -> Delivery:
    given = {"id": "h1/sos/-/20261121T080000.000Z/page/0.0/张/webhook", "alert": "h1/sos/-/20261121T080000.000Z"}
    return Delivery(
        **given | changes, purpose=Purpose.PAGE, person="zhang", channel="webhook", address=address, created_at=T0
    )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.start()
    yield server
    await server.stop()


class Asked:
    """A hub's way back that remembers what it was asked."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, bytes]] = []

    def post(self, hub: str, rest: str, payload: bytes) -> None:
        self.said.append((hub, rest, payload))


class Mailbox:
    """Behind a real mail server: what was put in."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(envelope.content)
        return "250 OK"


@pytest.fixture
async def mail_server() -> AsyncIterator[int]:
    """The port of a mail server that takes everything."""
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Mailbox()), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@dataclass
class Ready:
    """Every channel, made the way the gateway makes it and pointed at a server of ours that says yes."""

    server: Server
    mail_server: int
    folder: Path

    def address(self, name: str) -> str:
        if name in PROVIDERS:
            return PROVIDERS[name].address
        port = self.server.port
        return {
            "console": "",
            "webhook": self.server.at("ok"),
            "email": "zhang@example.org",
            "lamp": "hub-1/zigbee2mqtt/duty-room/set",
            "siren": "hub-1/zigbee2mqtt/0x00158d0001/set",
            "home": "hub-1",
            "apprise": f"json://127.0.0.1:{port}/ok",
        }[name]

    @contextlib.asynccontextmanager
    async def opened(self, name: str, mode: str = "yes", **options: Any) -> AsyncIterator[Any]:
        told: dict[str, Any] = {}
        if name in PROVIDERS:
            PROVIDERS[name].teach(self.server)
            told = {**PROVIDERS[name].options, "base_url": self.server.at(mode)}
        if name == "email":
            told = {"host": "127.0.0.1", "port": self.mail_server, "sender": "shouwang@example.org", "security": "none"}
        given = {"clock": Clock(), "post": Asked(), "keys": self.folder / "push.pem"}
        async with make(name, told | options, **given) as channel:
            yield channel


@pytest.fixture
async def ready(server, mail_server, tmp_path) -> Ready:
    return Ready(server, mail_server, tmp_path)


@contextlib.asynccontextmanager
async def opened(name: str, **options: Any) -> AsyncIterator[Any]:
    async with make(name, options, clock=Clock()) as channel:
        yield channel


# --------------------------------------------------------------------------- asked of every channel


@pytest.mark.parametrize("name", CHANNELS)
def test_it_says_for_what_it_is(name):
    assert CHANNELS[name].__doc__
    assert "(" not in CHANNELS[name].__doc__.splitlines()[0], "a generated docstring says nothing"


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_carries_a_message(name, ready):
    async with ready.opened(name) as channel:
        await channel.send(delivery(ready.address(name)), LETTER)


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_carries_many_at_once(name, ready):
    async with ready.opened(name) as channel, asyncio.TaskGroup() as group:
        for n in range(40 if name != "apprise" else 8):
            group.create_task(channel.send(delivery(ready.address(name), id=f"d{n}"), LETTER))


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_changes_nothing_of_what_it_was_given(name, ready):
    given, letter = delivery(ready.address(name)), Letter(title="a", body="b")
    async with ready.opened(name) as channel:
        message = await channel.send(given, letter)

    assert message is None or 0 < len(message) <= 128
    assert (given, letter) == (delivery(ready.address(name)), Letter(title="a", body="b"))


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_can_be_opened_and_closed_without_a_message(name, ready):
    async with ready.opened(name):
        pass


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_carries_every_purpose(name, ready):
    async with ready.opened(name) as channel:
        for purpose in Purpose:
            await channel.send(replace(delivery(ready.address(name)), purpose=purpose), LETTER)


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_writes_no_private_word_into_the_log(name, ready, caplog):
    address = ready.address(name)
    with caplog.at_level(logging.DEBUG, "alerts"):
        async with ready.opened(name) as channel:
            await channel.send(delivery(address), Letter(title="t", body="李姐已接单", link="https://secret"))

    logged = "".join(str(vars(record)) for record in caplog.records if record.name.startswith("alerts"))
    assert "李姐" not in logged
    assert "secret" not in logged
    assert not address or address not in logged


@pytest.mark.parametrize("name", CHANNELS)
def test_an_address_that_works_is_one(name, ready):
    CHANNELS[name].check(ready.address(name))


NONSENSE = [
    "",
    "x",
    "张师傅",
    "12",
    "javascript:alert(1)",
    "a\nb",
    "../../etc/passwd",
    "@all",
    "110",
    "{}",
    "h/#",
    "x" * 9000,
]


@pytest.mark.parametrize("address", NONSENSE, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("name", sorted(CHANNELS.keys() - {"console"}))
async def test_an_address_that_is_nonsense_is_refused_before_anything_is_sent(name, address, ready):
    if name == "wecom_app" and address in ("x", "12", "110"):
        return  # somebody may be called that in WeCom
    with pytest.raises(Undeliverable, match="not an address that could work"):
        CHANNELS[name].check(address)
    async with ready.opened(name) as channel:
        with pytest.raises(Undeliverable, match="not an address that could work"):
            await channel.send(delivery(address), LETTER)

    assert ready.server.requests == []


# --------------------------------------------------------------------------- asked of every provider


@pytest.mark.parametrize("name", PROVIDERS)
async def test_busy_is_tried_later(name, ready):
    async with ready.opened(name, "busy") as channel:
        with pytest.raises(TryLater, match="the other side is not well: ") as later:
            await channel.send(delivery(ready.address(name)), LETTER)

    assert not [secret for secret in PROVIDERS[name].secrets if secret in str(later.value)]


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_no_inside_a_yes_is_a_no_with_the_providers_own_code(name, ready):
    async with ready.opened(name, "never") as channel:
        with pytest.raises(Undeliverable, match=f"refused: {PROVIDERS[name].code}") as never:
            await channel.send(delivery(ready.address(name)), LETTER)

    assert not [secret for secret in PROVIDERS[name].secrets if secret in str(never.value)]


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("mode", ["broken", "unavailable", "too-many", "reset", "cut", "garbage"])
async def test_trouble_on_the_way_is_tried_later(name, mode, ready):
    async with ready.opened(name, mode) as channel:
        with pytest.raises(TryLater) as later:
            await channel.send(delivery(ready.address(name)), LETTER)

    assert len(ready.server.requests) == 1, "a channel speaks once"
    assert not [secret for secret in PROVIDERS[name].secrets if secret in str(later.value)]


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("mode", ["hang", "drip", "drip-body"])
async def test_a_provider_that_never_ends_is_not_waited_for(name, mode, ready):
    async with ready.opened(name, mode, timeout=SOON) as channel:
        with pytest.raises(TryLater, match=r"no answer in time: 0\.2 s"):
            await channel.send(delivery(ready.address(name)), LETTER)


@pytest.mark.parametrize("name", sorted(PROVIDERS.keys() - {"web_push"}))
@pytest.mark.parametrize("mode", ["login-page", "no-content", "list", "pours"])
async def test_a_yes_that_is_not_the_providers_is_no_yes(name, mode, ready):
    """A proxy's or a hotel's login page answers 200 to everything."""
    async with ready.opened(name, mode) as channel:
        with pytest.raises(TryLater, match="the other side is not well: HTTP 20"):
            await channel.send(delivery(ready.address(name)), LETTER)


ODD = [
    b"",
    b"null",
    b"0",
    b'"OK"',
    b"{}",
    b"[" * 30_000,
    b'{"errcode":[],"code":{},"Code":[],"Response":[]}',
    b'{"errcode":null,"code":null,"Code":null,"Response":null}',
    b'{"errcode":true,"code":"0","Code":"ok","Response":{"Error":[]}}',
    b'{"errcode":-1e999,"code":NaN,"Code":1,"Response":{"SendStatusSet":{},"SendStatus":[]}}',
    b'{"errcode":0,"access_token":7,"Response":{"SendStatusSet":[[]],"SendStatus":{"CallId":[]}}}',
    b'{"errcode":9' + b"9" * 5_000 + b"}",
    b'{"errcode":0,"access_token":"x","expires_in":1e400,"errmsg":"\\ud800"}',
    b"\xff\xfe\x00",
]
"""What no provider answers, until one day it does."""


@pytest.mark.parametrize("name", sorted(PROVIDERS.keys() - {"web_push"}))
@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
async def test_whatever_is_answered_it_is_one_of_two_noes(name, body, ready):
    async with ready.opened(name, "odd") as channel:
        ready.server.bodies["odd"] = body
        ready.server.status["odd"] = "200 OK"
        with contextlib.suppress(TryLater, Undeliverable):
            await channel.send(delivery(ready.address(name)), LETTER)
            assert b'"errcode":0' in body, "no yes was said"


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("mode", ["gone", "forbidden", "loop", "moved", "refuses-at-length"])
async def test_a_wrong_way_is_undeliverable(name, mode, ready):
    async with ready.opened(name, mode) as channel:
        with pytest.raises(Undeliverable) as never:
            await channel.send(delivery(ready.address(name)), LETTER)

    assert len(ready.server.requests) == 1, "a redirect is not followed"
    assert len(str(never.value)) < 300


@pytest.mark.parametrize("name", PROVIDERS)
async def test_what_is_sent_names_nobody_and_no_id_of_ours(name, ready):
    async with ready.opened(name) as channel:
        await channel.send(delivery(ready.address(name)), LETTER)

    said = "".join(unquote_plus(request.line) + request.body.decode("latin-1") for request in ready.server.requests)
    assert "zhang/" not in said and "张" not in said
    assert "h1/sos" not in said


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("address", ["ftp://example.org", "nonsense", "https://", "http://[::1"])
def test_a_base_url_that_never_can_work_is_refused_at_the_start(name, address, tmp_path):
    given = {"clock": Clock(), "post": Asked(), "keys": tmp_path / "push.pem"}
    with pytest.raises(ValueError, match="base_url: "):
        make(name, {**PROVIDERS[name].options, "base_url": address}, **given)


@pytest.mark.parametrize("name", sorted(PROVIDERS.keys() | {"webhook", "email", "lamp", "siren", "home", "apprise"}))
def test_nobody_waits_for_ever(name, tmp_path):
    options: dict[str, Any] = dict(PROVIDERS[name].options) if name in PROVIDERS else {}
    if name == "email":
        options = {"host": "localhost", "sender": "a@example.org"}
    for wrong in (timedelta(0), timedelta(hours=1)):
        with pytest.raises(ValueError, match="timeout: "):
            make(name, {**options, "timeout": wrong}, clock=Clock(), post=Asked(), keys=tmp_path / "push.pem")


@pytest.mark.parametrize("name", PROVIDERS)
def test_no_secret_is_ever_printed(name, tmp_path):
    made = make(name, PROVIDERS[name].options, clock=Clock(), post=Asked(), keys=tmp_path / "push.pem")

    assert not [secret for secret in PROVIDERS[name].secrets if secret in repr(made)]


@pytest.mark.parametrize("name", sorted(PROVIDERS.keys()))
async def test_a_provider_nobody_vouches_for_is_told_nothing(name, ready, tmp_path):
    async with certified(tmp_path) as server, ready.opened(name) as channel:
        channel.base_url = server.at("yes", "https")
        with pytest.raises(TryLater, match="no connection"):
            await channel.send(delivery(ready.address(name)), LETTER)

    assert server.requests == []


# --------------------------------------------------------------------------- the console


async def test_the_console_writes_one_line_and_remembers_the_last(caplog):
    screen = Console(keep=2)
    with caplog.at_level(logging.INFO, console.__name__):
        for n in range(3):
            await screen.send(delivery(id=f"d{n}"), LETTER)

    assert [said.delivery.id for said in screen.said] == ["d1", "d2"]
    assert screen.said[0].letter == LETTER
    assert [(record.message, record.delivery, record.title) for record in caplog.records] == [
        ("said", f"d{n}", LETTER.title) for n in range(3)
    ]


def test_a_console_that_remembers_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Console(keep=0)


# --------------------------------------------------------------------------- the webhook


async def test_what_is_posted(server):
    async with opened("webhook") as channel:
        await channel.send(delivery(server.at("ok")), LETTER)

    (request,) = server.requests
    assert request.line == "POST /ok HTTP/1.1"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["idempotency-key"] == "h1/sos/-/20261121T080000.000Z/page/0.0/%E5%BC%A0/webhook"
    assert "shouwang-signature" not in request.headers
    assert json.loads(request.body) == {
        "id": delivery().id,
        "alert": "h1/sos/-/20261121T080000.000Z",
        "purpose": "page",
        "title": LETTER.title,
        "body": LETTER.body,
        "link": LETTER.link,
    }


async def test_a_secret_signs_body_and_moment(server):
    async with opened("webhook", secret="at least sixteen") as channel:
        await channel.send(delivery(server.at("ok")), LETTER)

    (request,) = server.requests
    timestamp = request.headers["shouwang-timestamp"]
    proof = hmac.new(b"at least sixteen", timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert timestamp == str(int(T0.timestamp()))
    assert request.headers["shouwang-signature"] == f"sha256={proof}"


def test_a_secret_is_never_printed():
    assert "hush" not in repr(Webhook(Clock(), secret="hush"))


async def test_connections_are_used_again(server):
    async with opened("webhook") as channel:
        for _ in range(5):
            await channel.send(delivery(server.at("ok")), LETTER)

    assert len(server.requests) == 5
    assert server.connections == 1


@pytest.mark.parametrize("path", ["ok", "no-content", "accepted"])
async def test_any_200_is_sent(server, path):
    async with opened("webhook") as channel:
        await channel.send(delivery(server.at(path)), LETTER)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("broken", "the other side is not well: HTTP 500 database is on fire"),
        ("unavailable", "the other side is not well: HTTP 503"),
        ("too-many", "the other side is not well: HTTP 429 slow down"),
        ("reset", "no connection: "),
        ("cut", "no connection: "),
        ("garbage", "no connection: "),
    ],
)
async def test_what_may_go_better_later_is_tried_later(server, path, reason):
    async with opened("webhook") as channel:
        with pytest.raises(TryLater) as later:
            await channel.send(delivery(server.at(path)), LETTER)

    assert str(later.value).startswith(reason)
    assert len(server.requests) == 1


@pytest.mark.parametrize("path", ["hang", "drip"])
async def test_whoever_never_answers_is_not_waited_for(server, path):
    async with opened("webhook", timeout=SOON) as channel:
        with pytest.raises(TryLater, match=r"no answer in time: 0\.2 s"):
            await channel.send(delivery(server.at(path)), LETTER)


async def test_nobody_listens_there():
    free = Server()
    await free.start()
    await free.stop()
    async with opened("webhook") as channel:
        with pytest.raises(TryLater, match="no connection"):
            await channel.send(delivery(free.at("ok")), LETTER)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gone", "refused: HTTP 404 没有这个机器人"),
        ("forbidden", "refused: HTTP 403"),
        ("loop", "sent on elsewhere, which is not followed; enter the final address: HTTP 302 http://127.0.0.1:"),
        ("moved", "sent on elsewhere, which is not followed; enter the final address: HTTP 308 http://127.0.0.1:"),
        ("not-modified", "sent on elsewhere, which is not followed; enter the final address: HTTP 304 nowhere"),
    ],
)
async def test_what_never_goes_better_is_undeliverable(server, path, reason):
    async with opened("webhook") as channel:
        with pytest.raises(Undeliverable) as never:
            await channel.send(delivery(server.at(path)), LETTER)

    assert str(never.value).startswith(reason)
    assert len(server.requests) == 1, "a redirect is not followed"


@pytest.mark.parametrize(
    "address", ["", "console", "ftp://example.org/x", "file:///etc/passwd", "https://", "http://[::1", "//example.org"]
)
async def test_an_address_that_never_can_work_is_undeliverable(address):
    async with opened("webhook") as channel:
        with pytest.raises(Undeliverable, match="not an address that could work"):
            await channel.send(delivery(address), LETTER)


async def test_a_long_answer_is_not_read(server):
    async with opened("webhook") as channel:
        await channel.send(delivery(server.at("pours")), LETTER)
        with pytest.raises(Undeliverable, match="HTTP 404 xxx") as never:
            server.sent = 0
            await channel.send(delivery(server.at("refuses-at-length")), LETTER)

    assert len(str(never.value)) < 300
    assert server.sent < 10 * 1024 * 1024, f"more than {LONGEST_ANSWER} bytes and the network's buffers were taken"


async def test_an_answer_that_drips_after_its_status_was_sent(server):
    async with opened("webhook") as channel:
        await channel.send(delivery(server.at("drip-body")), LETTER)


async def test_a_hanging_address_does_not_delay_another(server):
    async with opened("webhook") as channel:
        hanging = [asyncio.create_task(channel.send(delivery(server.at("hang")), LETTER)) for _ in range(32)]
        await channel.send(delivery(server.at("ok")), LETTER)

        assert not any(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        assert all(
            isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(*hanging, return_exceptions=True)
        )


async def test_a_certificate_nobody_vouches_for_is_no_connection(tmp_path):
    async with certified(tmp_path) as server, opened("webhook") as channel:
        with pytest.raises(TryLater, match="no connection"):
            await channel.send(delivery(server.at("ok", "https")), LETTER)

    assert server.requests == []


async def test_the_environment_does_not_choose_the_way_out(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with opened("webhook") as channel:
        await channel.send(delivery(server.at("ok")), LETTER)


def test_an_answer_is_waited_for_within_bounds():
    assert Webhook(Clock()).timeout == IN_TIME
    assert LONGEST_ANSWER == 64 * 1024


@contextlib.asynccontextmanager
async def certified(folder: Path) -> AsyncIterator[Server]:
    """A server with a certificate that nobody vouches for."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    if not await _make_certificate(certificate, key):
        pytest.skip("openssl is not installed")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server = Server()
    await server.start(tls)
    try:
        yield server
    finally:
        await server.stop()


async def _make_certificate(certificate: Any, key: Any) -> bool:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, "-out", str(certificate), "-keyout", str(key), stderr=asyncio.subprocess.DEVNULL
        )
    except FileNotFoundError:
        return False
    return await process.wait() == 0


# --------------------------------------------------------------------------- every channel, every code


PRIVATE = ("王淑芬", "淑芬", "王奶奶", "东风路", "502", "门卫处", "冠心病", "阿司匹林", "市一医院")
"""What is known of a resident and stands on no lock screen: name, address, way in, illness, medicine, hospital."""

WANG = Home(
    id="home-17",
    code="A-0312",
    name="王奶奶",
    grid="g1",
    zone=ZoneInfo("Asia/Shanghai"),
    person="王淑芬",
    address="东风路 3 号 502",
    access="钥匙在门卫处",
    rooms=(Room(id="bath", name="卫生间"),),
    sensors=(Sensor(id="s1", hub="hub-1", address="s", name="床头按钮", room="bath", role=Role.SOS),),
)


def about(code: str) -> Alert:
    """An alert of this kind in the home of somebody who is ill, with everything a detector might add."""
    finding = Finding(
        home=WANG.id,
        code=code,
        severity=Catalogue().entry(code).severity,
        since=T0,
        at=T0,
        subject="s1",
        facts=(("sensor", "s1"), ("room", "bath"), ("late_s", "600"), ("of", "sos"), ("of_severity", "EMERGENCY")),
    )
    return Alert(
        id=f"{WANG.id}/{code}",
        home=WANG.id,
        code=code,
        subject="s1",
        severity=finding.severity,
        state=State.NOTIFIED,
        ladder=Catalogue().ladder(code, finding.severity),
        raised_at=T0,
        finding=finding,
        count=3,
    )


def letters(channel: str, address: str) -> Iterator[tuple[Delivery, Letter]]:
    """Every word that this channel may ever have to carry."""
    for code, purpose, language in product(Catalogue().codes(), Purpose, ("zh", "en")):
        said = replace(delivery(address, id=f"{code}/{purpose}/{language}"), purpose=purpose, channel=channel, rung=1)
        if purpose in (Purpose.DRILL, Purpose.REPLY):  # about nobody's home
            yield said, trial_letter(said, WANG, language, "https://example.org/d/x")
        else:
            yield (
                said,
                letter(said, about(code), home=WANG, language=language, owner="李姐", link="https://example.org/x"),
            )


@pytest.mark.parametrize("name", sorted(CHANNELS.keys() - {"apprise"}))  # the same letter, more slowly
async def test_no_code_puts_a_name_an_address_or_an_illness_into_any_channel(name, ready, monkeypatch):
    posted = Asked()
    mails: list[bytes] = []
    async with ready.opened(name) as channel:
        if hasattr(channel, "post"):
            channel.post = posted
        for said, words in letters(name, ready.address(name)):
            assert not [word for word in PRIVATE if word in "".join(vars_of(words))], (said.id, words)
            if name == "email":
                mails.append(channel._mail(said, words).as_bytes(policy=default_policy))
            elif is_carried(said):
                await channel.send(said, words)

    sent = [unquote_plus(request.line) + request.body.decode("utf-8", "replace") for request in ready.server.requests]
    sent += [payload.decode() for _, _, payload in posted.said]
    sent += [message_from_bytes(mail, policy=default_policy).get_content() for mail in mails]
    assert not [word for word in PRIVATE if word in "".join(sent)]


@pytest.mark.parametrize("name", ["aliyun_sms", "aliyun_voice", "tencent_sms", "tencent_voice"])
async def test_what_a_carrier_gets_is_a_template_and_short_words(name, ready):
    async with ready.opened(name) as channel:
        for said, words in letters(name, ready.address(name)):
            if is_carried(said):
                await channel.send(said, words)

    for request in ready.server.requests:
        values = given_to(name, request)
        assert 3 <= len(values) <= 4
        assert all(0 < len(value) <= 12 for value in values)
        assert "http" not in "".join(values)


def is_carried(said: Delivery) -> bool:
    """Of words that are looked at all, those that really go through the channel: enough to see that it adds nothing."""
    return said.id.endswith("/zh") and said.purpose in (Purpose.PAGE, Purpose.TAKEN, Purpose.ASK)


def vars_of(words: Letter) -> tuple[str, ...]:
    return (words.title, words.body, words.household, words.what, words.time, words.code)


def given_to(name: str, request: Any) -> list[str]:
    """The variables of the template in one request to a carrier."""
    if name.startswith("tencent"):
        return list(json.loads(request.body)["TemplateParamSet"])
    query = dict(part.partition("=")[::2] for part in request.line.split()[1].partition("?")[2].split("&"))
    return list(json.loads(unquote_plus(query["TemplateParam" if name == "aliyun_sms" else "TtsParam"])).values())


@pytest.mark.parametrize("name", ["aliyun_sms", "tencent_sms"])
async def test_a_template_that_people_can_answer_has_a_fourth_word(name, ready):
    words = replace(LETTER, code="4821")
    async with ready.opened(name, answers=True, template_taken="9") as channel:
        for purpose in (Purpose.PAGE, Purpose.TAKEN):
            await channel.send(replace(delivery(ready.address(name)), purpose=purpose), words)
    async with ready.opened(name) as channel:
        await channel.send(delivery(ready.address(name)), words)

    assert [given_to(name, request)[3:] for request in ready.server.requests] == [["4821"], [], []]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("aliyun_sms", b'{"Code":"OK","BizId":"900619746936498440^0"}'),
        ("aliyun_voice", b'{"Code":"OK","CallId":"900619746936498440^0"}'),
        ("tencent_sms", b'{"Response":{"SendStatusSet":[{"Code":"Ok","SerialNo":"900619746936498440^0"}]}}'),
        ("tencent_voice", b'{"Response":{"SendStatus":{"CallId":"900619746936498440^0"}}}'),
        ("wecom_app", b'{"errcode":0,"msgid":"900619746936498440^0"}'),
    ],
)
async def test_the_providers_own_id_is_kept(name, answer, ready):
    async with ready.opened(name) as channel:
        ready.server.bodies["yes"] = answer
        assert await channel.send(delivery(ready.address(name)), LETTER) == "900619746936498440^0"


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_no_keeps_the_providers_code_apart_from_its_words(name, ready):
    async with ready.opened(name, "never") as channel:
        with pytest.raises(Undeliverable) as never:
            await channel.send(delivery(ready.address(name)), LETTER)

    assert never.value.code == str(PROVIDERS[name].code).removeprefix("HTTP ")
