"""E-mail against a real mail server: what it takes, what it refuses, and what is told to one that cannot be trusted."""

import asyncio
import contextlib
import email.policy
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from alerts.channels.email import Email
from gateway.domain import Delivery, Purpose
from gateway.ports import Letter, TryLater, Undeliverable

pytestmark = pytest.mark.external

NIGHT = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
LETTER = Letter(title="【紧急】紧急呼叫 · 户号 A-0312", body="03:00 按下了紧急按钮。", link="https://example.org/a/x")


class Clock:
    def now(self) -> datetime:
        return NIGHT


class Mailbox:
    """What the server does with whom: it knows zhang, has never heard of li, and wang's box is full."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.greylisted = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("li@"):
            return f"550 5.1.1 <{address}>: no such user"
        if address.startswith("wang@"):
            return f"452 4.2.2 <{address}>: mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.greylisted:
            return "451 4.7.1 try again later"
        self.mails.append((session, envelope))
        return "250 OK"


@contextlib.asynccontextmanager
async def serving(mailbox: Mailbox, **options: Any) -> AsyncIterator[int]:
    async with await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, **options), "127.0.0.1", 0
    ) as server:
        yield server.sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def speaking(answer: Any) -> AsyncIterator[int]:
    """A server of our own that says what it likes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost, and the context of a server that has it."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", str(cert), "-keyout", str(key)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return cert, context


def delivery(address: str = "zhang@example.org") -> Delivery:
    return Delivery(
        id="h1/sos/page/0.0/zhang/email",
        alert="h1/sos",
        purpose=Purpose.PAGE,
        person="zhang",
        channel="email",
        address=address,
        created_at=NIGHT,
    )


async def send(port: int, to: str = "zhang@example.org", *, host: str = "127.0.0.1", **options: Any) -> None:
    given: dict[str, Any] = {"security": "none", "sender": "shouwang@example.org", "port": port, "host": host}
    async with Email(clock=Clock(), **(given | options)) as channel:
        await channel.send(delivery(to), LETTER)


async def test_a_mail_arrives_as_it_was_written():
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        await send(port)
        await send(port)

    (_, envelope), (_, again) = mailbox.mails
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shouwang@example.org", ["zhang@example.org"])
    assert (mail["Subject"], mail["From"], mail["To"]) == (LETTER.title, "shouwang@example.org", "zhang@example.org")
    assert mail.get_content() == f"{LETTER.body}\n\n{LETTER.link}\n"
    assert mail["Date"].datetime == NIGHT
    assert mail["Message-ID"] == email.message_from_bytes(again.content, policy=email.policy.default)["Message-ID"]
    assert "sos" not in mail["Message-ID"]


async def test_a_recipient_nobody_knows_is_undeliverable():
    async with serving(Mailbox()) as port:
        with pytest.raises(Undeliverable, match=r"refused: 550 5\.1\.1 <…>: no such user"):
            await send(port, "li@example.org")


async def test_a_full_mailbox_and_a_server_that_asks_for_time_are_tried_later():
    mailbox = Mailbox()
    mailbox.greylisted = True
    async with serving(mailbox) as port:
        with pytest.raises(TryLater, match=r"not well: 452 4\.2\.2 <…>: mailbox full"):
            await send(port, "wang@example.org")
        with pytest.raises(TryLater, match=r"not well: 451 4\.7\.1 try again later"):
            await send(port)


async def test_starttls_and_a_password(certificate):
    cert, context = certificate
    mailbox = Mailbox()

    def let_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"hunter2", handled=False)

    options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": let_in}
    async with serving(mailbox, **options) as port:
        known = {"host": "localhost", "security": "starttls", "ca": cert, "username": "shouwang"}
        await send(port, password="hunter2", **known)
        with pytest.raises(Undeliverable, match="refused: 535") as never:
            await send(port, password="hunter3", **known)

    ((session, _),) = mailbox.mails
    assert session.ssl is not None
    assert "hunter" not in str(never.value)


async def test_a_mail_server_nobody_vouches_for_is_told_nothing(certificate):
    _, context = certificate
    mailbox = Mailbox()
    async with serving(mailbox, tls_context=context) as port:
        with pytest.raises(TryLater, match="no connection"):
            await send(port, host="localhost", security="starttls")

    assert mailbox.mails == []


async def test_a_server_without_the_encryption_that_was_asked_for_is_told_nothing():
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        with pytest.raises(TryLater, match="no connection"):
            await send(port, security="starttls", username="u", password="hunter2")
        with pytest.raises(TryLater):
            await send(port, security="tls", timeout=timedelta(seconds=1))

    assert mailbox.mails == []


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A greeting that never ends: each byte comes in time."""
    writer.write(b"220 ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A greeting of very many lines."""
    while True:
        writer.write(b"220-welcome\r\n" * 100)
        await writer.drain()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")
    await reader.readline()


async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"421 too many connections\r\n")


@pytest.mark.parametrize("answer", [hang, drip, chatter, nonsense, hang_up, busy])
async def test_a_mail_server_in_trouble_is_tried_later(answer):
    async with speaking(answer) as port:
        with pytest.raises(TryLater):
            await send(port, timeout=timedelta(seconds=0.3))


async def test_nobody_listens_there():
    async with speaking(hang) as port:
        pass
    with pytest.raises(TryLater, match="no connection"):
        await send(port)
