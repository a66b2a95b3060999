"""What every channel must keep, asked of each; and the webhook against a real server that behaves badly."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.channels import CHANNELS, console, webhook
from alerts.channels.console import Console
from alerts.channels.webhook import LONGEST_ANSWER, Webhook
from gateway.domain import Delivery, Purpose
from gateway.ports import Letter, TryLater, Undeliverable

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LETTER = Letter(title="【紧急】紧急呼叫 · 户号 A-0312", body="08:00 按下了紧急按钮。", link="https://example.org/a/x")
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


# --------------------------------------------------------------------------- a server that behaves as told


class Request:
    def __init__(self, line: str, headers: Mapping[str, str], body: bytes) -> None:
        self.line = line
        self.headers = headers
        self.body = body


class Server:
    """A real server on a real socket, scripted by path."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.sent = 0  # bytes of bodies that we could hand to the network
        self._going: set[asyncio.Task[None]] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def at(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/{path}"

    async def stop(self) -> None:
        self._server.close()
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._going.add(task)
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._going.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(head[0], headers, body))
        path = head[0].split()[1].strip("/")
        return await getattr(self, f"_{path.replace('-', '_')}")(writer)

    async def _says(self, writer: asyncio.StreamWriter, status: str, body: bytes = b"", *more: str) -> bool:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        return True

    async def _ok(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "200 OK", b'{"errcode":0}')

    async def _no_content(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "204 No Content")

    async def _accepted(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "202 Accepted")

    async def _broken(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "500 Internal Server Error", b"database is on fire")

    async def _unavailable(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "503 Service Unavailable")

    async def _too_many(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "429 Too Many Requests", b"slow down")

    async def _gone(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "404 Not Found", "没有这个机器人".encode())

    async def _forbidden(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "403 Forbidden")

    async def _garbage(self, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        await writer.drain()
        return False

    async def _hang(self, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(3600)
        return False

    async def _reset(self, writer: asyncio.StreamWriter) -> bool:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    async def _cut(self, writer: asyncio.StreamWriter) -> bool:
        """Hangs up without a word."""
        return False

    async def _drip(self, writer: asyncio.StreamWriter) -> bool:
        """A header that never ends: each byte comes in time, the answer never does."""
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def _drip_body(self, writer: asyncio.StreamWriter) -> bool:
        """The answer is there; its body never ends."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def _refuses_at_length(self, writer: asyncio.StreamWriter) -> bool:
        return await self._pour(writer, "404 Not Found")

    async def _pours(self, writer: asyncio.StreamWriter) -> bool:
        return await self._pour(writer, "200 OK")

    async def _pour(self, writer: asyncio.StreamWriter, status: str) -> bool:
        size, part = 10 * 1024 * 1024, b"x" * 65_536
        writer.transport.set_write_buffer_limits(high=65_536)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode())
        while self.sent < size:
            writer.write(part)
            await writer.drain()
            self.sent += len(part)
        return True

    async def _loop(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "302 Found", b"", f"Location: {self.at('loop')}")

    async def _moved(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "308 Permanent Redirect", b"", f"Location: {self.at('ok')}")

    async def _not_modified(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "304 Not Modified")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.start()
    yield server
    await server.stop()


@contextlib.asynccontextmanager
async def opened(name: str, **options: Any) -> AsyncIterator[Any]:
    """A channel made the way the gateway makes it."""
    given = {"webhook": {"clock": Clock()}}.get(name, {})
    async with CHANNELS[name](**given | options) as channel:
        yield channel


ADDRESSES = {"console": lambda server: "", "webhook": lambda server: server.at("ok")}
"""Where each channel can be reached when all is well."""


# --------------------------------------------------------------------------- asked of every channel


def test_every_channel_has_an_address_here():
    assert ADDRESSES.keys() == CHANNELS.keys()


@pytest.mark.parametrize("name", CHANNELS)
def test_it_says_for_what_it_is(name):
    assert CHANNELS[name].__doc__
    assert "(" not in CHANNELS[name].__doc__.splitlines()[0], "a generated docstring says nothing"


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_carries_a_message(name, server):
    async with opened(name) as channel:
        await channel.send(delivery(ADDRESSES[name](server)), LETTER)


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_carries_many_at_once(name, server):
    async with opened(name) as channel, asyncio.TaskGroup() as group:
        for n in range(40):
            group.create_task(channel.send(delivery(ADDRESSES[name](server), id=f"d{n}"), LETTER))


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_changes_nothing_of_what_it_was_given(name, server):
    given, letter = delivery(ADDRESSES[name](server)), Letter(title="a", body="b")
    async with opened(name) as channel:
        assert await channel.send(given, letter) is None

    assert (given, letter) == (delivery(ADDRESSES[name](server)), Letter(title="a", body="b"))


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_can_be_opened_and_closed_without_a_message(name):
    async with opened(name):
        pass


@pytest.mark.parametrize("name", CHANNELS)
async def test_it_writes_no_private_word_into_the_log(name, server, caplog):
    with caplog.at_level(logging.DEBUG, "alerts"):
        async with opened(name) as channel:
            await channel.send(
                delivery(ADDRESSES[name](server)), Letter(title="t", body="李姐已接单", link="https://secret")
            )

    logged = "".join(str(vars(record)) for record in caplog.records if record.name.startswith("alerts"))
    assert "李姐" not in logged
    assert "secret" not in logged


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
    assert request.headers["idempotency-key"] == "h1/sos/-/20261121t080000.000z/page/0.0/%e5%bc%a0/webhook"
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
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = await _make_certificate(certificate, key)
    if not made:
        pytest.skip("openssl is not installed")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server = Server()
    await server.start(tls)
    try:
        async with opened("webhook") as channel:
            with pytest.raises(TryLater, match="no connection"):
                await channel.send(delivery(server.at("ok", "https")), LETTER)
    finally:
        await server.stop()

    assert server.requests == []


async def test_the_environment_does_not_choose_the_way_out(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with opened("webhook") as channel:
        await channel.send(delivery(server.at("ok")), LETTER)


def test_an_answer_is_waited_for_within_bounds():
    assert Webhook(Clock()).timeout == IN_TIME
    assert webhook.LONGEST_ANSWER == 64 * 1024


async def _make_certificate(certificate: Any, key: Any) -> bool:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, "-out", str(certificate), "-keyout", str(key), stderr=asyncio.subprocess.DEVNULL
        )
    except FileNotFoundError:
        return False
    return await process.wait() == 0
