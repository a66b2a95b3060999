"""What is known of a registered device: its last values, and what it said before. A fold over the readings given out.

By this the intake tells news from what a bridge merely remembers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, Generic, TypeVar

import msgspec

from gateway.domain import Kind, Reading
from ingest.decoders.base import Heard, Signal
from ingest.flood import BURST, NEVER, Flow
from ingest.roles import THINNED, Meaning, Nature, nature

SELF_TEST = timedelta(minutes=10)
"""How long a device that says it tests itself is believed. A flag that is stuck must not mute a real alarm."""

SAME_COUNT, SAME_CALL = timedelta(hours=1), timedelta(minutes=1)
"""A device's counter at the same value within this is the same message again; later the device was started anew.

For calls for help it is short: a second page for one press costs little, a press held for a repetition costs all.
"""

COUNTS_REMEMBERED = 64

CHANGES_REMEMBERED = 12
"""Of one kind of one sensor: a broker that hands over again what was not acknowledged does so behind newer messages."""

K = TypeVar("K")

UNRANKED = 99
_KINDS = frozenset(kind.value for kind in Kind)
LASTING = frozenset(kind for kind in Kind if nature(kind) in (Nature.LIFE, Nature.ALARM)) | {Kind.SELF_TEST}
NO_WORD = frozenset({Kind.CUT, Kind.AVAILABLE, Kind.CONNECTED})
"""Readings of a device that are not its own word: it need not be alive for them."""


_CHANGE = Struct("<ddI")
"""A change that was given out: its timestamp and its value. With a number other than 0 it was not given out, but merely
repeated what was known; as a reading it would have this `seq`."""

_LONG = _CHANGE.size
_MOST = CHANGES_REMEMBERED * _LONG
_BELOW_MS = tuple(timedelta(microseconds=us) for us in range(1000))
_change, _changes_in, _when = _CHANGE.pack, _CHANGE.iter_unpack, Struct("<d").unpack_from


class Said(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message that only repeated what was known."""

    at: datetime
    seq: int  # of the reading it would be


class Last(msgspec.Struct, array_like=True, gc=False):
    """The last value of one kind of one sensor that was news. (A msgspec struct: there are a million of them, and they
    are laid aside as bytes.)"""

    value: float
    at: datetime
    is_dated: bool  # `at` is the device's own time, so that an older one can be told from a newer
    rank: int = UNRANKED  # of the signal it came from
    past: bytes = b""  # what was before it, oldest first, to judge what comes late: one `_CHANGE` after the other
    again: Said | None = None  # when the device last said the same once more

    def before(self, at: datetime) -> float | None:
        """The value in force just before `at`, or at that very moment; None where memory does not reach."""
        moment = at.timestamp()
        return next((value for when, value, _ in reversed([*_changes_in(self.past)]) if when <= moment), None)

    def began(self, value: float, at: datetime) -> datetime | None:
        """When it last became this value by that moment; None where memory does not reach."""
        moment, changes = at.timestamp(), reversed([*_changes_in(self.past)])
        return next((_moment(when) for when, was, _ in changes if was == value and when <= moment), None)

    def note(self, at: datetime, value: float, seq: int = 0) -> None:
        """Something that is not the present value: it happened before."""
        past, moment = self.past, at.timestamp()
        place = len(past)
        while place and _when(past, place - _LONG)[0] > moment:
            place -= _LONG
        change = _change(moment, value, seq)
        self.past = (past + change if place == len(past) else past[:place] + change + past[place:])[-_MOST:]

    def forget_repetitions(self) -> None:
        self.again = None
        if self.past:
            self.past = b"".join(_change(*one) for one in _changes_in(self.past) if not one[2])

    def contradicted(self, at: datetime, value: float) -> tuple[float, Said] | None:
        """What merely repeated the value before, until a change at `at` turned up between: now it is news itself."""
        past = self.past
        if past and _when(past, -_LONG)[0] > (moment := at.timestamp()):
            changes = [*_changes_in(past)]  # else it came in order, as nearly everything does
            place = next(number for number, one in enumerate(changes) if one[0] > moment)
            when, was, seq = changes[place]
            if not seq or was == value:
                return None
            changes[place] = when, was, 0
            self.past = b"".join(_change(*one) for one in changes)
            return was, Said(_moment(when), seq)
        if self.again is None or self.again.at <= at or self.value == value or self.at > at:
            return None
        return self.value, self.again


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def to_ms(moment: datetime) -> datetime:
    """As it will be stored, so that what is recalled after a restart is what was given out."""
    below = moment.microsecond % 1000
    return moment - _BELOW_MS[below] if below else moment  # the same object: it is remembered in several places


@dataclass(slots=True, eq=False)
class Bound:
    """A registered sensor, ready for its messages."""

    home: str
    place: int  # among its home's sensors; -1 when it is none of them any more
    sensor: str
    room: str
    subject: str
    address: str
    meanings: Mapping[Signal, tuple[Meaning, ...]]
    lasts: dict[Kind, Last] = field(default_factory=dict)
    is_fresh: bool = True  # its first message has still to come
    is_testing: bool = False  # the message at hand says that the device tests itself
    pressed_at: datetime | None = None  # when an action came in an object: its echo may follow
    counts: list[tuple[Kind, int, datetime]] | None = None  # of a device that counts but tells no time
    quiet: dict[str, Any] | None = None  # what its keys say that would be no news if it were said again
    topic: str = ""  # the first that led to it, of those that are kept
    told_at: datetime | None = None  # when its last reading happened …
    told_heard: datetime | None = None  # … and when it was heard
    flow: Flow = field(default_factory=Flow)
    taken_at: datetime = NEVER  # when it was taken in hand

    def spoke_after(self, moment: datetime) -> bool:
        """Whether it told something after this moment, as far as is known of a device that was laid aside."""
        return self.flow.own > moment or (self.told_heard is not None and self.told_heard > moment)

    def may_rest(self, now: datetime) -> bool:
        """Whether all that matters of it is in `packed`: what it may say, too, when it has said little or nothing for a
        while."""
        flow = self.flow
        if flow.cut or flow.told_at is not NEVER or flow.left < timedelta(0):
            return False
        return flow.is_full or flow.heard is NEVER or abs(now - flow.heard) >= BURST

    def packed(self) -> bytes:
        """What is known of it, in a tenth of the room; empty when that is nothing."""
        own = None if self.flow.own is NEVER else self.flow.own
        if not self.lasts and self.told_at is None and not self.counts and own is None:
            return b""
        told_at, told_heard, is_fresh = self.told_at, self.told_heard, self.is_fresh
        return _pack(_Packed(self.lasts, told_at, told_heard, is_fresh, own, self.pressed_at, self.counts))

    def unpack(self, packed: bytes) -> None:
        """Know again what `packed` gave, or `recalled`. Raises ValueError for what they never gave."""
        if not packed:
            return
        known = _unpack(packed)
        self.lasts, self.counts = known.lasts, known.counts
        self.told_at, self.told_heard, self.is_fresh = known.told_at, known.told_heard, known.is_fresh
        self.pressed_at = known.pressed_at
        if known.own is not None:
            self.flow.own = known.own


class _Packed(msgspec.Struct, Generic[K], array_like=True):
    """How a device's memory lies while nobody asks for it."""

    lasts: dict[K, Last]
    told_at: datetime | None
    told_heard: datetime | None
    is_fresh: bool
    own: datetime | None
    pressed_at: datetime | None
    counts: list[tuple[K, int, datetime]] | None


_encode = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Packed[Kind]).decode
_unpack_older = msgspec.msgpack.Decoder(_Packed[str]).decode  # of a program that perhaps knew other kinds


def _pack(known: _Packed[Any]) -> bytes:
    """A copy: to what it returns msgspec leaves the room in which it wrote, up to half as much again."""
    return b"".join((_encode(known), b""))


def recalled(packed: bytes) -> bytes:
    """What is left of it after a restart, which knows no more than the readings that were given out. Raises ValueError
    for what is nothing that a device could know."""
    known = _unpack_older(packed)
    known.lasts = {kind: last for kind, last in known.lasts.items() if kind in _KINDS}
    for last in known.lasts.values():
        last.forget_repetitions()
    if known.counts is not None:
        known.counts = [one for one in known.counts if one[0] in _KINDS] or None
    known.is_fresh, known.own, known.pressed_at = True, None, None
    return _pack(known)


def is_thin(kind: Kind, value: float, at: datetime, last: Last) -> bool:
    thin = THINNED.get(kind)
    return thin is not None and abs(at - last.at) < thin.every and abs(value - last.value) < thin.leap


def tests_itself(bound: Bound, at: datetime) -> bool:
    """Whether an alarm of that moment is a try-out, by this message or the last one that spoke of it."""
    test = bound.lasts.get(Kind.SELF_TEST)
    if test is None or not (bound.is_testing or test.value == 1.0):
        return False
    if test.value == 1.0 and abs(at - test.at) <= SELF_TEST:
        return True
    began = test.began(1.0, at)  # told again after that test was over
    return began is not None and at - began <= SELF_TEST


def is_counted(bound: Bound, nature: Nature, kind: Kind, seq: int, heard: datetime) -> bool:
    """Whether a device without a clock has said this before: the same count, not long ago."""
    within = SAME_CALL if nature is Nature.ALARM else SAME_COUNT
    for place, (counted, number, when) in enumerate(bound.counts or ()):
        if number == seq and counted is kind and abs(heard - when) <= within:
            assert bound.counts is not None
            bound.counts[place] = kind, seq, max(heard, when)  # some repeat their last press for as long as they run
            return True
    note_count(bound, kind, seq, heard)
    return False


def note_count(bound: Bound, kind: Kind, seq: int, heard: datetime) -> None:
    if bound.counts is None:
        bound.counts = []  # no deque: the smallest takes the room of sixty-four
    bound.counts.append((kind, seq, heard))
    del bound.counts[:-COUNTS_REMEMBERED]


def remember(
    lasts: dict[Kind, Last], kind: Kind, value: float, at: datetime, is_dated: bool, rank: int = UNRANKED
) -> None:
    last = lasts.get(kind)
    if last is None:
        lasts[kind] = Last(value, at, is_dated, rank)
    elif is_dated and last.is_dated and at < last.at:
        if kind in LASTING:
            last.note(at, value)
    else:
        if is_dated and kind in LASTING:
            last.note(last.at, last.value)
            if last.again is not None and last.again.at < at:
                last.note(last.again.at, last.value, last.again.seq)
        last.value, last.at, last.is_dated, last.again = value, at, is_dated, None
        if rank < last.rank:
            last.rank = rank


def note_told(bound: Bound, readings: Iterable[Reading]) -> bool:
    """Whether a dated word of the device itself is among these."""
    told = False
    for reading in readings:
        if reading.kind in NO_WORD or (reading.late and reading.is_undated):
            continue
        told = True
        if bound.told_at is None or bound.told_heard != reading.heard or bound.told_at < reading.at:
            # Of one message the newest, in whatever order they are recalled.
            bound.told_at, bound.told_heard = reading.at, reading.heard
    return told


def calls_for_help(bound: Bound, heard: Iterable[Heard], when: datetime) -> bool:
    """Whether there is something in it that nobody may miss, however much its device says."""
    for one in heard:
        for meaning in bound.meanings.get(one.signal, ()):
            if meaning.nature is not Nature.ALARM:
                continue
            turn, last = meaning.turn, bound.lasts.get(meaning.kind)
            value = one.value if turn is None else turn(one.value, None if last is None else last.value)
            is_news = one.momentary or last is None or last.value != 1.0
            if value == 1.0 and is_news and bound.flow.lets_call(meaning.kind, when):
                return True
    return False
