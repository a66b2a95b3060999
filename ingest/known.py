"""What is known of a registered device: its last values, and what it said before. A fold over the readings given out.

By this the intake tells news from what a bridge merely remembers.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from gateway.domain import Kind, Reading
from ingest.decoders.base import Heard, Signal
from ingest.flood import Flow
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

UNRANKED = 99
LASTING = frozenset(kind for kind in Kind if nature(kind) in (Nature.LIFE, Nature.ALARM)) | {Kind.SELF_TEST}
NO_WORD = frozenset({Kind.CUT, Kind.AVAILABLE, Kind.CONNECTED})
"""Readings of a device that are not its own word: it need not be alive for them."""


@dataclass(slots=True)
class Last:
    """The last value of one kind of one sensor that was news."""

    value: float
    at: datetime
    is_dated: bool  # `at` is the device's own time, so that an older one can be told from a newer
    rank: int = UNRANKED  # of the signal it came from
    past: "list[Past] | None" = None  # what was before it, oldest first, to judge what comes late
    again: "Said | None" = None  # when the device last said the same once more

    def before(self, at: datetime) -> float | None:
        """The value in force just before `at`, or at that very moment; None where memory does not reach."""
        return next((one.value for one in reversed(self.past or ()) if one.at <= at), None)

    def began(self, value: float, at: datetime) -> datetime | None:
        """When it last became this value by that moment; None where memory does not reach."""
        return next((one.at for one in reversed(self.past or ()) if one.value == value and one.at <= at), None)

    def note(self, at: datetime, value: float, said: "Said | None" = None) -> None:
        """Something that is not the present value: it happened before."""
        past = self.past
        if past is None:
            past = self.past = []
        place = len(past)
        while place and past[place - 1].at > at:
            place -= 1
        past.insert(place, Past(at, value, said))
        if len(past) > CHANGES_REMEMBERED:
            del past[:-CHANGES_REMEMBERED]

    def contradicted(self, at: datetime, value: float) -> "tuple[float, Said] | None":
        """What merely repeated the value before, until a change at `at` turned up between: now it is news itself."""
        past = self.past
        if past and past[-1].at > at:  # else it came in order, as nearly everything does
            place = next(number for number, one in enumerate(past) if one.at > at)
            one = past[place]
            if one.said is None or one.value == value:
                return None
            past[place] = Past(one.at, one.value)
            return one.value, one.said
        if self.again is None or self.again.at <= at or self.value == value or self.at > at:
            return None
        return self.value, self.again


@dataclass(frozen=True, slots=True)
class Said:
    """A message that only repeated what was known."""

    at: datetime
    payload: bytes
    part: int


class Past(NamedTuple):
    """A change that was given out; with `said`, a repetition that was not."""

    at: datetime
    value: float
    said: Said | None = None


@dataclass(slots=True)
class Bound:
    """A registered sensor, ready for its messages."""

    home: str
    sensor: str
    room: str
    subject: str
    address: str
    meanings: Mapping[Signal, tuple[Meaning, ...]]
    lasts: dict[Kind, Last]
    is_fresh: bool = True  # its first message has still to come
    is_testing: bool = False  # the message at hand says that the device tests itself
    pressed_at: datetime | None = None  # when an action came in an object: its echo may follow
    counts: deque[tuple[Kind, int, datetime]] | None = None  # of a device that counts but tells no time
    quiet: dict[str, Any] | None = None  # what its keys say that would be no news if it were said again
    told: tuple[datetime, datetime] | None = None  # when its last reading happened, and when it was heard
    flow: Flow = field(default_factory=Flow)


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
        bound.counts = deque(maxlen=COUNTS_REMEMBERED)
    bound.counts.append((kind, seq, heard))


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
                last.note(last.again.at, last.value, last.again)
        last.value, last.at, last.is_dated, last.again = value, at, is_dated, None
        last.rank = min(last.rank, rank)


def note_told(bound: Bound, readings: Iterable[Reading]) -> bool:
    """Whether a dated word of the device itself is among these."""
    told = False
    for reading in readings:
        if reading.kind in NO_WORD or (reading.late and reading.is_undated):
            continue
        told = True
        if bound.told is None or bound.told[1] != reading.heard or bound.told[0] < reading.at:
            bound.told = reading.at, reading.heard  # of one message the newest, in whatever order they are recalled
    return told


def calls_for_help(bound: Bound, heard: Iterable[Heard], when: datetime) -> bool:
    """Whether there is something in it that nobody may miss, however much its device says."""
    for one in heard:
        for kind, sort, _, turn in bound.meanings.get(one.signal, ()):
            if sort is not Nature.ALARM:
                continue
            last = bound.lasts.get(kind)
            value = one.value if turn is None else turn(one.value, None if last is None else last.value)
            is_news = one.momentary or last is None or last.value != 1.0
            if value == 1.0 and is_news and bound.flow.lets_call(kind, when):
                return True
    return False
