"""审计链: how the audit trail shows that nobody has altered it.

Each row of the trail carries a digest of what it says and the chain: a hash over the chain of the row before and this
digest. Whoever changes, removes or moves a row breaks the chain from there on. Whoever cuts off its end, or forges all
of it anew, disagrees with an anchor: number and chain of a row, noted elsewhere while it was the last.

What a law wants forgotten can be taken out of a row without breaking the chain: its digest stays, its salt goes, so
nobody can guess back what stood there, and a later row proves by whom and when it was taken out.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gateway.domain.alert import Act

BEGINNING = "0" * 64
"""The chain before the first row."""

REDACTED = "audit.redacted"
"""The act that proves what was taken out of earlier rows: their numbers, and a hash of what is left in each."""

CUT = "audit.cut"
"""The act that proves that the oldest rows were removed when their time was over: up to which, and their chain."""

AT_ONCE = 200
"""So many rows one proof speaks of; more need another."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One row of the trail as it is kept."""

    number: int
    act: Act
    salt: str  # empty: something was taken out of it
    digest: str
    chain: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the trail as it was once, noted elsewhere."""

    number: int
    chain: str

    def __str__(self) -> str:
        return f"{self.number}:{self.chain}"

    @classmethod
    def of(cls, text: str) -> "Anchor":
        number, _, chain = text.strip().rpartition(" ")[2].partition(":")
        if not number.isdecimal() or len(chain) != len(BEGINNING):
            raise ValueError(f"{text!r} is no anchor; one looks like 1024:9f86d081884c7d65… with 64 characters")
        return cls(int(number), chain)


class Flaw(StrEnum):
    """What is wrong with a trail."""

    ALTERED = "altered"  # the row does not say what it said
    BROKEN = "broken"  # it does not follow on the row before: one was removed, put in or moved
    MISSING = "missing"  # rows that once were the last are not there, or are others


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the trail is not what it was."""

    number: int
    flaw: Flaw


def content(act: Act) -> str:
    """The same text for the same act, wherever and whenever it is made."""
    at = (act.at - _EPOCH) // timedelta(microseconds=1)
    said = [at, act.who, act.what, act.ref, act.why, [list(fact) for fact in act.facts]]
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def digest_of(act: Act, salt: str) -> str:
    return hashlib.sha256(f"{salt}\n{content(act)}".encode()).hexdigest()


def linked(before: str, digest: str) -> str:
    """The chain of a row: over the chain of the one before it and its own digest."""
    return hashlib.sha256(f"{before}\n{digest}".encode()).hexdigest()


def proof(rows: Iterable[tuple[int, Act]]) -> tuple[tuple[str, str], ...]:
    """The facts of a `REDACTED` act: what is left in each of these rows."""
    return tuple((str(number), digest_of(act, "")) for number, act in rows)


def examined(rows: Iterable[Sealed], anchors: Iterable[Anchor] = ()) -> list[Break]:
    """Every place where the trail is not what it was; nothing, where it is whole. `rows` in their order."""
    rows = list(rows)
    breaks: list[Break] = []
    proven = _proven(rows)
    chain = _chain_before(rows)
    for row in rows:
        if linked(chain, row.digest) != row.chain:
            breaks.append(Break(row.number, Flaw.BROKEN))
        expected = digest_of(row.act, row.salt)
        if row.digest != expected if row.salt else proven.get(row.number) != expected:
            breaks.append(Break(row.number, Flaw.ALTERED))
        chain = row.chain
    chains = {row.number: row.chain for row in rows}
    oldest = rows[0].number if rows else 0
    for anchor in anchors:
        was_cut = _was_cut(rows, oldest) and anchor.number < oldest
        if not was_cut and chains.get(anchor.number) != anchor.chain:
            breaks.append(Break(anchor.number, Flaw.MISSING))
    return breaks


def _proven(rows: Iterable[Sealed]) -> dict[int, str]:
    """What the proofs in the trail say is left in rows out of which something was taken; the newest counts."""
    found: dict[int, str] = {}
    for row in rows:
        if row.act.what == REDACTED:
            found |= {int(number): left for number, left in row.act.facts if number.isdecimal()}
    return found


def _chain_before(rows: Iterable[Sealed]) -> str:
    """What the first row that is left has to follow on."""
    rows = list(rows)
    if not rows:
        return BEGINNING
    cut = _cuts(rows).get(rows[0].number - 1)
    return BEGINNING if cut is None else cut


def _was_cut(rows: Iterable[Sealed], oldest: int) -> bool:
    return oldest - 1 in _cuts(rows)


def _cuts(rows: Iterable[Sealed]) -> Mapping[int, str]:
    """Up to which row the oldest were removed, and the chain of that row."""
    acts = (dict(row.act.facts) for row in rows if row.act.what == CUT)
    return {int(facts["last"]): facts["chain"] for facts in acts}
