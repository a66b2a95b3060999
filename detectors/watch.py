"""One home's detectors, in order."""

import logging
from array import array
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from detectors.coverage import Blindness
from detectors.ear import Ear, EarState
from detectors.emergency import SEVERITIES, Emergency
from detectors.fall import Fall
from detectors.inactivity import Inactivity
from detectors.kinds import CLOCK, RETURNED
from detectors.supervision import Supervision
from gateway.domain import SIGNS_OF_LIFE, URGENT, Condition, Finding, Gap, Home, Kind, Reading, Severity
from gateway.domain.fault import FAILED, fault
from gateway.ports import Context, Detector

log = logging.getLogger(__name__)

CHECKPOINT_VERSION = 3


@dataclass(frozen=True, slots=True)
class SetBack:
    """Somebody has put the clock back, from one moment to another."""

    before: datetime
    now: datetime

    def of(self, remembered: Any) -> Any:
        """The same memory by the clock as it stands: nothing lies ahead that has happened, it has happened just now;
        and what was to come is as far ahead as it was."""
        kind: Any = type(remembered)
        if kind is datetime:
            return min(remembered, self.now) if remembered <= self.before else remembered - (self.before - self.now)
        if kind is dict:
            return {name: self.of(one) for name, one in remembered.items()}
        return [self.of(one) for one in remembered] if kind is list or kind is tuple else remembered


@dataclass(slots=True)
class Doze:
    """A home whose watch is not kept in memory: what must be known of it until its checkpoint is read again."""

    ear: Ear
    soonest: datetime | None
    check_at: datetime | None

    @classmethod
    def restored(
        cls, home: Home, ear: Mapping[str, Any], soonest: datetime | None = None, check_at: datetime | None = None
    ) -> "Doze":
        """From what a checkpoint says of the ear, and of when the watch must be there again."""
        doze = cls(Ear(home), soonest, check_at)
        doze.ear.state = EarState(**ear)
        return doze

    @property
    def home(self) -> Home:
        return self.ear.home

    def hears(self, heard: datetime) -> bool:
        """Note that the hub was heard. False: that ends a hole, and the watch has to be there for it."""
        if self.ear.hole(heard) is not None:
            return False
        self.ear.hear(heard)
        return True

    def due(self) -> datetime | None:
        """The same as of its watch: before this moment `tick` has nothing to say, unless a reading comes."""
        return _due(self.ear, self.soonest, self.check_at)


class Watch:
    """Feeds one home's readings and the passing of time to its detectors; contains a broken one and reports it.

    Detectors see only event time. It runs on as long as the home is heard, stands still through a hole, and never
    depends on how often anybody ticks: a deadline that lies before a reading is told before the reading is seen.
    """

    __slots__ = (
        "_asked",
        "_broken",
        "_check_at",
        "_detectors",
        "_ear",
        "_names",
        "_soonest",
        "_supervision",
        "_told",
        "home",
    )

    def __init__(self, home: Home, detectors: Mapping[str, Detector]) -> None:
        self.home = home
        self._names = _shared(tuple(detectors))
        self._detectors = tuple(detectors.values())
        self._ear = Ear(home)
        self._broken: Set[str] = _NONE
        self._supervision = next((one for one in self._detectors if isinstance(one, Supervision)), None)
        self._told: tuple[Context, Mapping[str, Blindness], Context] | None = None
        self._asked = _asked_about(tuple(map(_wishes_of, self._detectors)))
        # The first deadline of all but supervision, whose time stands still sooner; or one that has moved on since.
        self._soonest: datetime | None = None
        self._check_at: datetime | None = None
        self._look_ahead()

    @property
    def detectors(self) -> dict[str, Detector]:
        """By name, in order. It is made anew each time: every home has fourteen, and their names are the same."""
        return dict(zip(self._names, self._detectors, strict=True))

    def hear(self, heard: datetime, arrival: int) -> Reading | None:
        """A message proves that a hub of this home is alive. After a hole: the reading that marks its end.

        The marker is to be stored and observed like any other reading, before those of the message itself. Only with it
        the hub counts as heard: what comes due before, because another plan held for part of the hole, knows of none.
        """
        ear = self._ear
        last, allowed = ear.state.heard, ear.allowed
        if last is not None and allowed is not None and heard - last > allowed:
            return ear.marker(heard, heard - last, arrival)
        if last is None or heard > last:
            ear.state.heard = heard
        return None

    def observe(self, reading: Reading, context: Context) -> list[Finding]:
        """Take in one reading, stored or live: what became true before it, then what it says itself."""
        ear, kind, detectors = self._ear, reading.kind, self._detectors
        if kind is RETURNED:
            ear.returned(reading)
        else:
            if ear.state.heard is None or reading.heard > ear.state.heard:
                ear.hear(reading.heard)
            if kind is CLOCK:
                ear.note_clock(reading)
            elif reading.late and ear.state.behind_s:
                reading = ear.in_our_time(reading)
        found = self._advance(reading.at, context)
        told, supervision, soonest = self._with_blind_spots(context), self._supervision, self._soonest
        seen = 0 if supervision is None else supervision.revision
        for place in self._asked[reading.is_event][kind]:
            detector = detectors[place]
            # Not through a closure: this is the road of every reading.
            try:
                if said := detector.observe(reading, told):
                    found.extend(said)
            except Exception:  # bulkhead: one broken detector must not blind the others
                found.extend(self._report_broken(detector, reading.at))
                found.extend(self._call_all_the_same(detector, reading))
            due = detector.due()
            if detector is supervision:
                self._check_at = due
                if supervision.revision != seen:  # it may just have learnt that one of those is blind that judge next
                    told = self._with_blind_spots(context)
            elif due is not None and (soonest is None or due < soonest):
                soonest = due
        self._soonest = soonest
        return found

    def tick(self, now: datetime, context: Context) -> list[Finding]:
        """Time has passed: what has become true by `now`."""
        found = self._advance(now, context)
        found.extend(self._ear.tick(now, context))
        return found

    def due(self) -> datetime | None:
        """Before this moment `tick` has nothing to say, unless a reading comes."""
        return _due(self._ear, self._soonest, self._check_at)

    def is_due_before(self, moment: datetime) -> bool:
        """Whether it may be due sooner than at this moment, at which it was due before: asked after every message."""
        soonest, check_at = self._soonest, self._check_at
        return (soonest is not None and soonest < moment) or (check_at is not None and check_at < moment)

    # ------------------------------------------------------------------ what it can see

    @property
    def revision(self) -> tuple[int, bool]:
        """Another whenever a device's condition or what the home can see has changed."""
        return 0 if self._supervision is None else self._supervision.revision, self._ear.state.told > 0

    def conditions(self) -> list[Condition]:
        """How each device of the home is."""
        return [] if self._supervision is None else self._supervision.conditions()

    def gaps(self) -> tuple[Gap, ...]:
        """What cannot be noticed in this home at present, since when and why."""
        supervision = self._supervision
        if supervision is None or supervision.state.begun is None:
            return ()
        begun, heard = supervision.state.begun, self._ear.state.heard
        blind = dict(supervision.blind())
        if self._ear.state.told and heard is not None:
            blind = {sensor.id: Blindness("hub_silent", heard) for sensor in self.home.sensors}
        return supervision.coverage.gaps(blind, begun)

    def _with_blind_spots(self, context: Context) -> Context:
        """The same context for this home, which does not see everything."""
        if self._supervision is None or not (blind := self._supervision.blind()):
            return context
        told = self._told
        if told is None or told[0] is not context or told[1] is not blind:
            told = self._told = (context, blind, replace(context, blind=tuple(blind)))
        return told[2]

    def _with_testimony(self, now: datetime, context: Context) -> Context:
        """What a detector needs to know that judges silence at `now`: whose silence it can believe."""
        if self._supervision is None:
            return context
        return self._supervision.testimony(now, context)

    # ------------------------------------------------------------------ memory

    def heard_at(self) -> datetime | None:
        return self._ear.state.heard

    def is_unanswered(self, found: Finding) -> bool:
        """Whether nobody was seen to live after this was found, as far as this home lets anybody be seen. A detector's
        own failure nobody answers."""
        if found.code == FAILED:
            return True
        seen = next((one.state.life_at for one in self._detectors if isinstance(one, Inactivity)), None)
        return seen is not None and seen <= found.at

    def recall_heard(self, heard: datetime) -> None:
        """After a replay: messages without readings were heard until then, so there was no hole before it."""
        if self._ear.state.heard is None or heard > self._ear.state.heard:
            self._ear.state.heard = heard

    def checkpoint(self) -> dict[str, Any]:
        """The fold over the past as plain values, so that a restart need not read the past again."""
        return {
            "version": CHECKPOINT_VERSION,
            "ear": _plain(self._ear.state),
            "detectors": {name: _plain(one.state) for name, one in zip(self._names, self._detectors, strict=True)},
        }

    def set_back(self, by: SetBack) -> None:
        """Go on by the clock as it stands: until it is again where it was, nothing would be silent otherwise."""
        self.restore(by.of(self.checkpoint()))

    def dues(self) -> tuple[datetime | None, datetime | None]:
        """By when it is to be asked while its hub is heard, and while its hub keeps its promise."""
        self._look_ahead()
        return self._soonest, self._check_at

    def doze(self) -> Doze:
        """What is left of it while nobody needs more."""
        return Doze(self._ear, *self.dues())

    def restore(self, plain: Mapping[str, Any]) -> bool:
        """Take over a checkpoint. False when it is of another make: then replay the readings instead."""
        states = plain.get("detectors", {})
        if plain.get("version") != CHECKPOINT_VERSION or states.keys() != set(self._names):
            return False
        try:
            ear = EarState(**plain["ear"])
            restored = [type(one.state)(**states[name]) for name, one in zip(self._names, self._detectors, strict=True)]
        except TypeError:  # a field that came or went with another version of a detector
            return False
        self._ear.state = ear
        for detector, state in zip(self._detectors, restored, strict=True):
            detector.state = state
        self._look_ahead()
        return True

    def _advance(self, now: datetime, context: Context) -> list[Finding]:
        found: list[Finding] = []
        ear, soonest, check_at = self._ear, self._soonest, self._check_at
        thaws_at = ear.state.thaws_at
        if (
            (soonest is None or soonest > now)
            and (check_at is None or check_at > now)
            and (thaws_at is None or thaws_at <= now)
        ):
            return found  # as nearly always: no silence is evidence beyond now
        horizon = ear.horizon(now)
        if horizon is None:
            return found
        kept = ear.kept(horizon)
        if (soonest is None or soonest > horizon) and (check_at is None or check_at > kept):
            return found
        for detector in self._detectors:
            is_supervision = detector is self._supervision
            due, until = detector.due(), kept if is_supervision else horizon
            if due is not None and due <= until:
                told = context if is_supervision else self._with_testimony(horizon, context)
                found.extend(self._ask(detector, until, told))
        self._look_ahead()
        return found

    def _look_ahead(self) -> None:
        """When each detector has something to say next. What one of them is asked may put its deadline off, and most
        readings do: that is found out when the one before has come, for to look at all of them each time is dear."""
        soonest = None
        for detector in self._detectors:
            due = detector.due()
            if detector is self._supervision:
                self._check_at = due
            elif due is not None and (soonest is None or due < soonest):
                soonest = due
        self._soonest = soonest

    def _ask(self, detector: Detector, now: datetime, context: Context) -> list[Finding]:
        try:
            return list(detector.tick(now, context))
        except Exception:  # bulkhead: one broken detector must not blind the others
            return self._report_broken(detector, now)

    def _report_broken(self, detector: Detector, at: datetime) -> list[Finding]:
        """Say it once: a failure of ours is itself a finding, so that somebody is told."""
        name = next(name for name, one in zip(self._names, self._detectors, strict=True) if one is detector)
        if name in self._broken:
            return []
        self._broken |= {name}
        log.exception("detector failed", extra={"home": self.home.id, "detector": name})
        return [fault(self.home.id, name, at)]

    def _call_all_the_same(self, detector: Detector, reading: Reading) -> list[Finding]:
        """Whoever was to hear a call for help is broken: then it is told as it was said."""
        if not isinstance(detector, (Emergency, Fall)) or reading.kind not in URGENT or not reading.value:
            return []
        said = (("kind", reading.kind.value), ("sensor", reading.sensor), ("room", reading.room))
        return [
            Finding(
                home=self.home.id,
                code=reading.kind.value,
                severity=SEVERITIES.get(reading.kind, Severity.EMERGENCY),
                since=reading.at,
                at=reading.heard,
                subject=reading.subject,
                facts=(*said, ("last_at", reading.at.isoformat())),
            )
        ]


def _due(ear: Ear, soonest: datetime | None, check_at: datetime | None) -> datetime | None:
    first = ear.due()
    for reached in (
        None if soonest is None else ear.when(soonest),
        None if check_at is None else ear.when_kept(check_at),
    ):
        if reached is not None and (first is None or reached < first):
            first = reached
    return first


_NONE: frozenset[str] = frozenset()
_ALL = frozenset(Kind)


def _wishes_of(detector: Detector) -> tuple[frozenset[Kind], bool]:
    """What a detector wants to hear of: its kinds, or all; and of signs of life perhaps only what a person did."""
    return getattr(detector, "kinds", _ALL), getattr(detector, "events_only", False)


@cache
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """All homes with the same detectors share their names."""
    return names


@cache
def _asked_about(
    wishes: tuple[tuple[frozenset[Kind], bool], ...],
) -> tuple[Mapping[Kind, tuple[int, ...]], Mapping[Kind, tuple[int, ...]]]:
    """Which detectors are asked, by their place, about a reading that is no event, and about one that is. All homes
    share the tables: most readings matter to one or two, and asking the others is what would make a reading dear."""
    numbered = list(enumerate(wishes))
    event = {kind: tuple(place for place, (kinds, _) in numbered if kind in kinds) for kind in Kind}
    other = {
        kind: tuple(
            place for place, (kinds, only) in numbered if kind in kinds and not (only and kind in SIGNS_OF_LIFE)
        )
        for kind in Kind
    }
    return other, event


def _plain(state: Any) -> dict[str, Any]:
    kind: Any = type(state)
    names, values = _parts(kind)
    return {name: _value(value) for name, value in zip(names, values(state), strict=True)}


def _value(value: Any) -> Any:
    """Of what is nested only the values, in order: their names would need more room than they do."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {name: one if type(one) in _PLAIN else _value(one) for name, one in value.items()}
    if kind is array:
        return value.tolist()
    if hasattr(kind, "plain"):  # one that is kept in less room than it is written in
        return value.plain()
    if hasattr(kind, "__dataclass_fields__"):
        return [one if type(one) in _PLAIN else _value(one) for one in _parts(kind)[1](value)]
    return value


_PLAIN = frozenset({int, float, bool, str, bytes, datetime, list, tuple, type(None)})
"""What states hold most of. In their lists and tuples stand values, never nouns."""


@cache
def _parts(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The fields of a state, and what takes all their values at once."""
    names = tuple(field.name for field in fields(kind) if field.init)
    if len(names) > 1:
        return names, attrgetter(*names)
    return names, lambda state: tuple(getattr(state, name) for name in names)
