"""What SMS and voice have in common: whose number it is, and how little is said.

Carriers approve the text beforehand; we fill in three short words. A message on a lock screen or a voice in a shop
says the household's code (户号), what it is and when, and no name, no address, no illness.
"""

import re

from alerts import reasons
from gateway.ports import Letter, Undeliverable

LONGEST_WORD = 12
"""Characters that the strictest carrier lets one variable have."""

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


def international(number: str) -> str:
    """With + and the country's code."""
    if number.startswith("+"):
        return number
    return f"+86{number.removeprefix('0')}"


def variables(letter: Letter) -> tuple[str, str, str]:
    """Household, what, when. No carrier takes an empty word."""
    given = (letter.household, letter.what, letter.time)
    return tuple(word[:LONGEST_WORD] or "-" for word in given)  # type: ignore[return-value]
