"""When somebody was last seen to live, and whether the silence since then began at the entry door."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from detectors.habit import DOOR_RULE, EYES, LOOK_AGAIN, shared
from detectors.kinds import DOOR, MOTION, RETURNED
from gateway.domain import SECOND_EVENT, SIGNS_OF_LIFE, Home, Kind, Reading
from gateway.ports import Context

HEARD_FOR_SILENCE = SIGNS_OF_LIFE | {Kind.RETURNED}

_NOTHING = timedelta(0)
_WORDS = {kind: kind.value for kind in Kind}  # found five times as fast as by the enum

AT_THE_DOOR = timedelta(minutes=2)
"""Whoever stands in the open door for so long and then leaves has not come home."""

STAYED = timedelta(minutes=5)
"""Who is seen this soon after the door moved, and not in the first minute, has stayed at home."""

WORTH_REMEMBERING = timedelta(minutes=10)
"""Shorter silences are not looked at when the usual is learnt: they never are a day's longest, and no outing."""

LONE_OF, LONE_KNOWN, OFTEN = 64, 16, 0.75
"""Over how many infrared pulses it is counted how many are lone, after how many that is known, and from what share on
it is usual here. The share is high on purpose: where fewer are lone, a ghost's pulse would hide somebody who lies on
the floor."""

HALF_BLIND = 2
"""While one that sees people may be dead, somebody may live on unseen: a silence must last so many times longer."""


class Silence(NamedTuple):
    """A silence that has ended."""

    began: datetime
    ended: datetime
    out: bool  # it began at the entry door
    hole: bool  # part of it was not heard: it must not teach


@dataclass(slots=True)
class SilenceState:
    life_at: datetime | None = None  # the last sign of life
    life_kind: str = ""
    life_room: str = ""
    pulse_at: datetime | None = None  # the last event of any kind, a lone pulse too
    lone: float = 0.0  # the share of infrared pulses here that come long after any other event
    pulses: int = 0  # of how many, up to as many as are counted
    door_at: datetime | None = None  # when the entry door last moved
    out: bool = False  # the present silence began at the entry door
    entering: bool = False  # the door last moved after an outing, so that whoever is seen next has come in
    hole: bool = False  # the present silence has a hole in it: it must not teach
    told: bool = False
    due_at: datetime | None = None  # when to judge this silence again that could not be judged at its deadline
    excused_at: datetime | None = None  # up to when an absence was declared, as far as we know

    def take(self, reading: Reading, context: Context) -> Silence | None:
        """Note what this reading says of life; the silence that it has ended, if it is a sign of life and that was
        worth remembering."""
        kind = reading.kind
        if kind is RETURNED:
            self.hole = True
            return None
        # A clearing motion sensor or radar, a closing drawer's echo: only what a person *causes* counts.
        # A sensor that chatters or is stuck tells of itself.
        if not reading.is_event or reading.sensor in context.blind:
            return None
        at, door, began = reading.at, self.door_at, self.life_at
        is_same = False
        if kind is DOOR:
            is_same = self.entering and door is not None and at - door <= DOOR_RULE  # it is being closed
            if door is None or at > door:
                self.door_at = door = at
            if began is not None and at <= began <= at + DOOR_RULE:  # heard late: it was the door
                self.out, self.due_at = True, None
        if not self._is_life(reading) or (reading.late if began is None else at <= began):
            return None  # of a new home the first word must be one of today
        was_out = self.out
        if kind is DOOR:
            self.entering = is_same or (began is not None and was_out and at - began > AT_THE_DOOR)
        self.life_at, self.life_kind, self.life_room = at, _WORDS[kind], reading.room
        # Seen inside: home again, however near the door.
        is_inside = self.entering and kind is not DOOR
        self.out = door is not None and not is_inside and _NOTHING <= at - door <= DOOR_RULE
        if began is None or at - began < WORTH_REMEMBERING:
            return None  # as nearly always
        return Silence(began, at, was_out, self.hole)

    def _is_life(self, reading: Reading) -> bool:
        at, before = reading.at, self.pulse_at
        if before is None or at > before:
            self.pulse_at = at
        if reading.kind is not MOTION:
            return True
        if before is None:  # of whoever hangs the sensors up: from the first event on silence is counted
            return True
        if at == before:  # the same pulse heard twice is no second event
            return False
        is_lone = abs(at - before) > SECOND_EVENT
        if at > before and not self.out:  # what fires in an empty home says nothing of how anybody is seen
            self.pulses = min(self.pulses + 1, LONE_OF)
            self.lone += (is_lone - self.lone) / self.pulses
        # Where sensors rest so long after each pulse that lone ones are the usual thing, they are all that is ever
        # seen of somebody.
        if not is_lone or (self.pulses >= LONE_KNOWN and self.lone > OFTEN):
            return True
        # Elsewhere one proves nobody, unless somebody has just come in or not gone after all.
        return self.out and (self.entering or (self.door_at is not None and DOOR_RULE < at - self.door_at <= STAYED))

    def begin(self) -> None:
        """A new silence: nothing has been said of it yet."""
        self.due_at, self.told, self.hole, self.excused_at = None, False, False, None


def looked_last(due_at: datetime, now: datetime) -> datetime:
    """When a silence was last looked at that is looked at again and again since its deadline, at whatever pace."""
    return due_at + max(now - due_at, timedelta(0)) // LOOK_AGAIN * LOOK_AGAIN


def unheard(since: datetime, context: Context) -> timedelta:
    """How much of a silence lies in a hole from which nothing came in afterwards: then time stood still."""
    if context.hole is None:
        return timedelta(0)
    began, ended = context.hole
    return max(ended - max(began, since), timedelta(0))


def eyes_of(home: Home) -> frozenset[str]:
    """What sees people in this home."""
    return shared(frozenset(sensor.id for sensor in home.sensors if sensor.role in EYES))


def cannot_tell(since: datetime, context: Context, eyes: frozenset[str]) -> bool:
    """Whether nobody can vouch for this silence: one who could have seen somebody has not been heard since, or all
    are blind."""
    if context.vouched_at is not None and context.vouched_at <= since + SECOND_EVENT:
        return True
    return bool(eyes) and eyes.issubset(context.blind)


def times_longer(home: Home, eyes: frozenset[str], since: datetime, context: Context) -> int:
    """How many times longer than usual a silence must last, for what was not seen."""
    is_blind = any(name in eyes or name in home.exit_doors for name in context.blind)
    return HALF_BLIND if is_blind or unheard(since, context) else 1
