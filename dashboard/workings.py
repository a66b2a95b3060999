"""What the pages of the administrator may ask of the gateway itself: what is wrong with it, its copies, its trail.

The pages know neither files nor processes, so whoever starts them hands these in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


class CouldNotLook(Exception):
    """The look itself failed; the message says why."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at: well, note or bad; in each language how it is, and what to do about it."""

    grade: str
    what: Mapping[str, str]
    to_do: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What going through the audit trail gave."""

    rows: int
    anchors: int
    breaks: Sequence[tuple[int, str]]  # number of the row, what is wrong with it


@dataclass(frozen=True, slots=True)
class Copied:
    """One of the daily copies."""

    name: str
    made_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Backed:
    """The last backup that was made on this machine, as it was when it was made."""

    made_at: datetime
    path: str
    size: int
    is_sealed: bool
    with_readings: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """How the copies and backups stand."""

    copies: Sequence[Copied]  # the newest first
    backup: Backed | None
    wished_at: datetime | None  # somebody wants one now, and it is not made yet
    failed_at: datetime | None  # one that was wished for could not be made then
    put_aside: Sequence[str]  # damaged files, by the folder they were put into


@dataclass(frozen=True, slots=True, kw_only=True)
class Workings:
    """Handed in by the gateway. `examine` and `verify` take seconds and raise CouldNotLook."""

    examine: Callable[[], Sequence[Remark]]
    verify: Callable[[], Verdict]
    copies: Callable[[], Copies]
    wish_copy: Callable[[datetime], None]
    spans: Mapping[str, timedelta]  # how long each kind of record is kept, by its name in the settings
    version: str
