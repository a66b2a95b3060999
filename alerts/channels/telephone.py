"""What SMS and voice have in common: whose number it is, and how little is said.

Carriers approve the text beforehand; we fill in three short words. A message on a lock screen or a voice in a shop
says the household's code (户号), what it is and when, and no name, no address, no illness.
"""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts import reasons
from gateway.domain import Purpose
from gateway.ports import Letter, Undeliverable

LONGEST_WORD = 12
"""Characters that the strictest carrier lets one variable have."""

CHINA = ZoneInfo("Asia/Shanghai")

LASTING = ("空号", "停机", "销号", "黑名单", "号码不存在", "号码错误")

UNANSWERED = frozenset({Purpose.TAKEN, Purpose.OVER, Purpose.REPLY})
"""What is told to whoever need do nothing about it."""

_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
_FIXED = re.compile(r"0[0-9]{9,11}")
_ABROAD = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")


def number(address: str, *, fixed: bool = False) -> str:
    """A mobile as 11 digits, a number abroad with its +, and where a voice is sent, a fixed line with its area code."""
    bare = re.sub(r"[ -]", "", address)
    if found := _MOBILE.fullmatch(bare):
        return found[1]
    if _ABROAD.fullmatch(bare) or (fixed and _FIXED.fullmatch(bare)):
        return bare
    raise Undeliverable(f"{reasons.NO_ADDRESS}: {'057112345678, ' if fixed else ''}13800138000, +85212345678")


# --------------------------------------------------------------------------- what comes back


def listed(body: object) -> list[dict[str, Any]]:
    """What a provider pushes is one object or a list of them; whatever else stands in it is passed over."""
    return [said for said in (body if isinstance(body, list) else [body]) if isinstance(said, dict)]


def in_china(written: object) -> datetime | None:
    """A provider's "2026-02-17 03:00:05", by the clock in Beijing."""
    try:
        return datetime.fromisoformat(str(written)).replace(tzinfo=CHINA)
    except ValueError:
        return None


def is_lasting(why: str) -> bool:
    """Whether it is the number that is wrong, by the provider's words; of codes each carrier has its own."""
    return any(word in why for word in LASTING)


def same_number(one: str, other: str) -> bool:
    """Whether two ways of writing mean the same telephone: with or without the country's code, with spaces or not."""
    return _bare(one) == _bare(other) != ""


def _bare(written: str) -> str:
    digits = re.sub(r"\D", "", written).removeprefix("00")
    return digits[2:] if re.fullmatch(r"861[3-9]\d{9}", digits) else digits


def international(number: str) -> str:
    """With + and the country's code."""
    if number.startswith("+"):
        return number
    return f"+86{number.removeprefix('0')}"


def variables(letter: Letter, *, with_code: bool = False) -> tuple[str, ...]:
    """Household, what, when, and where the template has a place for it, what an answer begins with.

    No carrier takes an empty word.
    """
    given = (letter.household, letter.what, letter.time, *((letter.code,) if with_code else ()))
    return tuple(word[:LONGEST_WORD] or "-" for word in given)
