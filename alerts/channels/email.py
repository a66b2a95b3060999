"""Says it by e-mail, through a mail server of your own."""

import asyncio
import hashlib
import importlib
import re
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import NoReturn, Self

from alerts import reasons
from alerts.channels.exchange import IN_TIME, LONGEST_TIME, clean, named
from gateway.domain import Delivery
from gateway.ports import Clock, Letter, TryLater, Undeliverable

PORTS = {"tls": 465, "starttls": 587, "none": 25}

_ADDRESS = re.compile(r"[0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[0-9A-Za-z-]{1,63}\.)+[0-9A-Za-z-]{2,63}")


@dataclass(slots=True, kw_only=True)
class Email:
    """One mail, over a connection of its own. The address is an e-mail address.

    A server that does not offer the encryption that was asked for is told nothing at all.
    """

    clock: Clock
    host: str
    sender: str  # the address that it comes from
    port: int = 0  # 0: the usual one of `security`
    security: str = "starttls"  # or "tls" from the first byte, or "none" for a relay on this machine
    username: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None  # who vouches for the server, where the system does not know it
    timeout: timedelta = IN_TIME  # for the whole conversation
    _tls: ssl.SSLContext | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        named(self, "host", "sender")
        if self.security not in PORTS:
            raise ValueError(f"security: one of {sorted(PORTS)}, not {self.security!r}")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port: between 0 and 65535, not {self.port}")
        if not _ADDRESS.fullmatch(self.sender):
            raise ValueError(f"sender: an e-mail address such as shouwang@example.org, not {self.sender!r}")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password belong together; one of them is missing")
        if self.password and self.security == "none":
            raise ValueError('a password is never sent in the clear; security must be "starttls" or "tls"')
        if self.ca is not None and not self.ca.is_file():
            raise ValueError(f"ca: there is no file {self.ca}")
        if not timedelta(0) < self.timeout <= LONGEST_TIME:
            raise ValueError(f"timeout: an answer is waited for at most {LONGEST_TIME}, not {self.timeout}")

    async def __aenter__(self) -> Self:
        importlib.import_module("aiosmtplib")  # now, and not while somebody waits for the mail
        if self.security != "none":
            self._tls = ssl.create_default_context(cafile=self.ca)
        return self

    async def __aexit__(self, *why: object) -> None:
        """There is nothing to close."""

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when this never can be an e-mail address."""
        if not _ADDRESS.fullmatch(address):
            raise Undeliverable(f"{reasons.NO_ADDRESS}: somebody@example.org")

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        import aiosmtplib  # only where mail is set up

        self.check(to := delivery.address)
        hide = (to, self.password, self.username)
        server = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port or PORTS[self.security],
            username=self.username or None,
            password=self.password or None,
            timeout=self.timeout.total_seconds(),
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            tls_context=self._tls,
        )
        try:
            # Each answer has its own limit inside; this one is for a server that drips.
            async with asyncio.timeout(self.timeout.total_seconds()):
                await server.connect()
                await server.sendmail(self.sender, [to], self._mail(delivery, letter).as_bytes())
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            raise TryLater(f"{reasons.NO_ANSWER}: {self.timeout.total_seconds():g} s") from None
        except aiosmtplib.SMTPRecipientsRefused as refused:
            _refuse(refused.recipients[0].code, refused.recipients[0].message, hide)
        except aiosmtplib.SMTPResponseException as refused:
            _refuse(refused.code, refused.message, hide)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise TryLater(f"{reasons.NO_CONNECTION}: {clean(str(error), hide) or type(error).__name__}") from error
        finally:
            server.close()

    def _mail(self, delivery: Delivery, letter: Letter) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = " ".join(letter.title.split())
        mail["From"], mail["To"] = self.sender, delivery.address
        mail["Date"] = format_datetime(self.clock.now())
        # Derived, so that a mail that comes twice after a crash is one to whoever reads it.
        name = hashlib.sha256(delivery.id.encode()).hexdigest()[:32]
        mail["Message-ID"] = f"<{name}@{self.sender.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n\n".join(part for part in (letter.body, letter.link) if part), cte="base64")
        return mail


def _refuse(code: int, text: str, hide: tuple[str, ...]) -> NoReturn:
    """A mail server's own rule: 4xx is not now, 5xx is never; -1 is a connection that broke."""
    said = clean(f"{code} {text}", hide)
    if code >= 500:
        raise Undeliverable(f"{reasons.REFUSED}: {said}", str(code))
    raise TryLater(f"{reasons.NOT_WELL}: {said}", str(code))
