"""What the gateway tells its administrators about itself: its disk, its certificates, its watchman, what it lost.

Such a thing is told like any other, by an alert with a ladder, under a home that is none: the installation as a whole.
"""

import base64
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from gateway.config import Settings
from gateway.domain import Finding, Severity
from gateway.domain.home import GRID
from gateway.rescue import Missing

DISK, WATCHMAN, CERTIFICATE = "gateway_disk", "gateway_watchdog", "gateway_certificate"
MISSING = "gateway_missing"

UNWATCHED = timedelta(minutes=10)
"""A watchdog that was there once and has given no sign of life for so long is missed."""

AHEAD = (timedelta(days=30), timedelta(days=7), timedelta(days=1))
"""When the end of a certificate is told beforehand."""


LOOK_WITHIN_S = 5.0


class NoCertificate(Exception):
    """What was looked at is none; the message says what it is instead."""


def ends_at(pem: str) -> datetime:
    """Until when the first certificate in a PEM file is valid. Raises NoCertificate."""
    found = re.search("-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", pem, re.DOTALL)
    if found is None:
        raise NoCertificate("no certificate stands in it")
    try:
        # Certificate, in it what is signed; in that, behind a version and a number, the fourth is from when until when.
        signed = next(_parts(next(_parts(base64.b64decode(found[1])))[1]))[1]
        fields = [(kind, value) for kind, value in _parts(signed) if kind != 0xA0]
        _, (kind, until) = _parts(fields[3][1])
        text = until.decode("ascii").removesuffix("Z")
        # Two digits of a year are 1950 to 2049.
        century = "" if kind == 0x18 else "19" if int(text[:2]) >= 50 else "20"
        return datetime.strptime(f"{century}{text}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except (ValueError, LookupError, StopIteration) as error:
        raise NoCertificate("it cannot be read as a certificate") from error


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The values that stand one after the other in DER, each with its tag."""
    at = 0
    while at < len(der):
        kind, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(der[at : at + size])
            at += size
        if at + length > len(der):
            raise ValueError("a value that is longer than what it stands in")
        yield kind, der[at : at + length]
        at += length


def certificate_in(path: Path) -> datetime:
    """The same of a file."""
    try:
        return ends_at(path.read_text(encoding="ascii", errors="replace"))
    except OSError as error:
        raise NoCertificate(f"it cannot be read: {error.strerror}") from error


def certificate_at(host: str, port: int) -> datetime:
    """The same of what a server shows on this port."""
    try:
        return ends_at(ssl.get_server_certificate((host, port), timeout=LOOK_WITHIN_S))
    except (OSError, ValueError) as error:
        raise NoCertificate(f"{host}:{port} shows none: {error}") from error


def certificates(settings: Settings) -> dict[str, Callable[[], datetime]]:
    """Which certificates can be looked at from here, and how; none where nothing is sealed by one."""
    found: dict[str, Callable[[], datetime]] = {}
    outside, pages = urlsplit(settings.broker.url.get_secret_value()), urlsplit(settings.base_url)
    if settings.broker.cert is not None and not outside.scheme:
        found["broker"] = partial(certificate_in, settings.broker.cert)
    if outside.scheme == "mqtts" and outside.hostname:
        found["broker"] = partial(certificate_at, outside.hostname, outside.port or 8883)
    if settings.web.cert is not None:
        found["pages"] = partial(certificate_in, settings.web.cert)
    elif pages.scheme == "https" and pages.hostname:
        found["pages"] = partial(certificate_at, pages.hostname, pages.port or 443)
    return found


def warned_at(ends: datetime, now: datetime) -> datetime | None:
    """The latest moment at which its end was to be told; None while there is time."""
    passed = [ends - ahead for ahead in AHEAD if ends - ahead <= now]
    return max(passed) if passed else None


@dataclass(slots=True)
class Notices:
    """Remembers since when each thing is so: the same thing is the same finding, however often it is looked for."""

    since: dict[str, datetime] = field(default_factory=dict)

    def look(
        self,
        now: datetime,
        *,
        is_full: bool,
        watchdog_s: float | None,
        ends: Mapping[str, datetime],
        missing: Sequence[Missing] = (),
    ) -> Iterator[Finding]:
        """What is to be told at this moment. `watchdog_s` None: there never was one, which `shouwang doctor` says."""
        if self._lasts(DISK, is_full, now):
            yield _finding(DISK, self.since[DISK], now)
        if self._lasts(WATCHMAN, (watchdog_s or 0.0) > UNWATCHED.total_seconds(), now):
            yield _finding(WATCHMAN, self.since[WATCHMAN], now)
        for one in missing:
            facts = (("what", one.what), ("until", one.until.isoformat() if one.until else ""))
            yield _finding(MISSING, one.found_at, now, one.what, facts)
        for which, until in ends.items():
            since = warned_at(until, now)
            if since is not None:
                yield _finding(CERTIFICATE, since, now, which, (("until", until.isoformat()), ("which", which)))

    def _lasts(self, code: str, is_so: bool, now: datetime) -> bool:
        if is_so:
            self.since.setdefault(code, now)
        else:
            self.since.pop(code, None)
        return is_so


def _finding(
    code: str, since: datetime, now: datetime, subject: str = "", facts: tuple[tuple[str, str], ...] = ()
) -> Finding:
    return Finding(home=GRID, code=code, severity=Severity.TECHNICAL, since=since, at=now, subject=subject, facts=facts)
