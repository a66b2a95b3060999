"""Six figures that a telephone and we reckon from one secret and the time (TOTP, RFC 6238), and codes without it."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

INTERVAL_S = 30
DIGITS = 6
LEEWAY = 1
"""Intervals before and after this one whose figures open too: a telephone's clock is wrong by some seconds."""
CODES = 8
"""Codes for a lost telephone: 80 random bits each."""


def figures(secret: bytes, interval: int) -> str:
    """What the telephone shows during this interval (RFC 4226, 5.3)."""
    digest = hmac.new(secret, interval.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def interval_of(moment: datetime) -> int:
    return int(moment.timestamp()) // INTERVAL_S


def interval_that_says(given: str, secret: bytes, now: datetime) -> int | None:
    """The interval, of now or just beside, during which the telephone shows what was given."""
    typed, found = plain(given), None
    for interval in range(interval_of(now) - LEEWAY, interval_of(now) + LEEWAY + 1):
        # Each is compared, and each to its end: how long it takes tells nothing.
        if hmac.compare_digest(figures(secret, interval).encode(), typed.encode()):
            found = interval
    return found


def plain(given: str) -> str:
    """What was typed, without the gaps that make it readable."""
    return "".join(given.split()).replace("-", "").upper()


def in_words(secret: bytes) -> str:
    """The secret as one types it where no camera can read the picture: `GEZD GNBV …`."""
    word = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(word[at : at + 4] for at in range(0, len(word), 4))


def address(secret: bytes, login: str, gateway: str) -> str:
    """What the picture says to the telephone's app."""
    label = quote(f"{gateway}:{login}", safe="")
    return f"otpauth://totp/{label}?secret={plain(in_words(secret))}&issuer={quote(gateway, safe='')}"


def new_codes() -> list[str]:
    """To be kept on paper: `ABCD-EFGH-IJKL-MNOP`."""
    words = (base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(CODES))
    return ["-".join(word[at : at + 4] for at in range(0, 16, 4)) for word in words]
