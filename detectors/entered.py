"""Somebody came home, and nothing has moved inside since."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from statistics import median
from sys import intern
from typing import ClassVar

from detectors.habit import DOOR_RULE, LOOK_AGAIN, packed
from detectors.kinds import DOOR, MOTION, RETURNED
from detectors.silence import (
    AT_THE_DOOR,
    HEARD_FOR_SILENCE,
    unheard,
)
from gateway.domain import SECOND_EVENT, Facts, Finding, Home, Kind, Reading, Severity, seconds
from gateway.domain.plan import ABSENCE
from gateway.ports import Context

ENTRIES, UNSEEN = 32, 2
"""Where of the last 32 entries two went unseen although somebody lived on, the door's word is not enough here."""

TRUSTED_AFTER = 3
"""Nobody is accused by the door before so many entries here were followed by life in time: a sensor that never sees
the hall would accuse everybody who comes home."""

SEEN_KEPT = 9
"""By so many entries it is known how soon somebody is usually seen, and by which sensors."""

JUST_NOW = timedelta(seconds=5)
"""So little before the door's own signal a sensor near it sees the one who opens it from outside."""


@dataclass(slots=True)
class EnteredState:
    door_at: datetime | None = None  # when the entry door last moved
    inside_at: datetime | None = None  # when something inside was last moved, were it a lone pulse
    left_at: datetime | None = None  # when the door moved by which the last person left
    entered_at: datetime | None = None  # when it opened again; None: nobody has come in that was not seen inside
    last_room: str = ""
    due_at: datetime | None = None
    told: bool = False
    unseen: int = 0  # of the last entries, newest lowest: a bit for each after which nobody was seen in time
    seen_s: Sequence[int] = ()  # after how many seconds somebody was, of the last entries in time
    seen_by: Sequence[str] = ()  # and by which sensor

    def __post_init__(self) -> None:
        self.seen_s, self.seen_by = packed(self.seen_s), tuple(map(intern, self.seen_by))


@dataclass(slots=True)
class Entered:
    """The entry door opened in an empty home, and within fifteen minutes nothing has moved inside.

    A home is empty when nothing inside has moved since the entry door did, but for the first minute: whoever leaves
    is seen leaving, and a lone infrared pulse is nobody. The door opening again, two minutes later or more, is
    somebody coming in; any movement inside ends it. Whoever falls in the hall with the shopping would otherwise count
    as out for hours.
    """

    kinds: ClassVar[frozenset[Kind]] = HEARD_FOR_SILENCE
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    within: timedelta = timedelta(minutes=15)
    state: EnteredState = field(default_factory=EnteredState, init=False)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state = self.state
        if reading.kind is RETURNED:  # who went out and came in meanwhile, nobody knows
            state.left_at = state.entered_at = state.due_at = None
            return ()
        if not reading.is_event or reading.sensor in context.blind:
            return ()
        at = reading.at
        if reading.kind is DOOR:
            if state.door_at is not None and at <= state.door_at:
                return ()
            self._door_moved(at, opened=reading.value != 0)
            return ()
        before = state.inside_at
        if before is None or at > before:
            state.inside_at, state.last_room = at, reading.room
        if state.entered_at is not None and at >= state.entered_at:
            is_late = state.due_at is not None and at > state.due_at
            state.unseen = (state.unseen << 1 | is_late) % (1 << ENTRIES)
            if not is_late:
                took_s = int((at - state.entered_at).total_seconds())
                state.seen_s = packed([*state.seen_s[1 - SEEN_KEPT :], took_s])
                state.seen_by = (*state.seen_by[1 - SEEN_KEPT :], intern(reading.sensor))
            state.left_at = state.entered_at = state.due_at = None
        elif self._is_at_home(reading, before):
            state.left_at = None
        return ()

    def _is_at_home(self, reading: Reading, before: datetime | None) -> bool:
        """Seen after the door, and not for a moment only: a lone pulse in an empty home is nobody."""
        left, at = self.state.left_at, reading.at
        if left is None or self.state.entered_at is not None or at <= left + DOOR_RULE:
            return False
        return reading.kind is not MOTION or (before is not None and left < before < at <= before + SECOND_EVENT)

    def _door_moved(self, at: datetime, *, opened: bool) -> None:
        state = self.state
        is_empty = state.left_at is not None and at - state.left_at > AT_THE_DOOR
        state.door_at = at
        if is_empty and state.inside_at is not None and JUST_NOW < at - state.inside_at <= SECOND_EVENT:
            is_empty = False  # a pulse, and then the door: somebody is leaving
        if state.entered_at is not None:
            state.due_at = min(at, state.entered_at + AT_THE_DOOR) + self.within
        elif is_empty and opened:
            state.entered_at, state.due_at, state.told = at, at + self.within, False
        else:
            state.left_at = at

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.due_at is None or state.entered_at is None or state.told or now < state.due_at:
            return ()
        is_trusted = len(state.seen_s) >= TRUSTED_AFTER and state.unseen.bit_count() < UNSEEN
        if ABSENCE in context.plan or not is_trusted:  # whoever waters the flowers
            state.told = True
            return ()
        # Most sensors report by themselves once an hour: their next word is not waited for, while none is overdue.
        if unheard(state.entered_at, context):
            state.due_at = now + LOOK_AGAIN
            return ()
        if any(name in state.seen_by or name in self.home.exit_doors for name in context.blind):
            state.told = True  # it may have been seen by one that sees nothing now
            return ()
        state.told = True
        facts: Facts = (
            ("elapsed_s", seconds(state.due_at - state.entered_at)),
            ("limit_s", seconds(self.within)),
            ("last_at", state.entered_at.isoformat()),
            ("last_kind", Kind.DOOR.value),
            ("usual_s", str(int(median(state.seen_s)))),
        )
        if state.left_at is not None:
            facts += (("out_s", seconds(state.entered_at - state.left_at)),)
        found = Finding(
            home=self.home.id,
            code="entered_no_motion",
            severity=Severity.HIGH,
            since=state.entered_at,
            at=state.due_at,
            facts=facts,
            blind=context.blind,
        )
        return (found,)

    def due(self) -> datetime | None:
        return None if self.state.told else self.state.due_at
