"""Somebody seems to have fallen: what radars and wearables say, and whether she has got up since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from detectors.fall_model import FallModel, load
from detectors.habit import EYES, NOTHING, shared
from detectors.kinds import STIRS
from gateway.domain import SECOND_EVENT, SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, Role, Severity, seconds
from gateway.domain.impact import Impact
from gateway.domain.plan import ABSENCE, OFF
from gateway.ports import Context

TELLS = frozenset({Kind.FALL, Kind.MAYBE_FALL, Kind.IMPACT})
"""What says that somebody may have fallen."""

EPISODE = timedelta(minutes=10)
"""What is said within this of the first word belongs to the same fall."""

SETTLES = timedelta(seconds=20)
"""Within this of a fall sensors still tell of the fall itself: a hand that reaches, a mat that lets go."""

STANDS_BY_IT = timedelta(seconds=60)
"""A radar that is sure for so long sees nobody upright."""

DELIBERATE = frozenset({Kind.DOOR, Kind.OPENING, Kind.TAP})
"""Who does one of these is on her feet, or somebody is with her."""

SITS_OR_LIES = frozenset({Kind.BED, Kind.CHAIR, Kind.APPLIANCE})
"""The same, where it begins. What ends may end by itself, or by a fall."""

WEIGHTS = {Kind.FALL: 80, Kind.MAYBE_FALL: 45, Kind.IMPACT: 70}
"""How far each is believed by itself, in percent; of an impact so much of its likelihood."""

STILL_COUNTS, QUIET_COUNTS = 50, 30
"""How much stillness of the wearer, and silence elsewhere in a home that would see her, take from the doubt."""


@dataclass(slots=True)
class FallState:
    since: datetime | None = None  # the first word of this fall; None: nobody suspects one
    sources: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # sensor -> what it said
    weights: Mapping[str, int] = field(default_factory=lambda: NOTHING)  # sensor -> how far it is believed, in percent
    stands: Sequence[str] = ()  # radars that still say so
    room: str = ""
    subject: str = ""
    likelihood: int = 0  # of the likeliest impact, in percent
    peak_dg: int = 0  # and how hard it was, in tenths of a g
    told: int = 0  # the severity that was told; 0: none yet
    due_at: datetime | None = None
    still: Mapping[str, datetime] = field(default_factory=lambda: NOTHING)  # wearables that tell of no movement since
    worn: bool = False  # somebody here wears one
    seen_room: str = ""  # where she was last seen
    elsewhere: bool = False  # that was not where the radar suspects a fall
    moved_at: datetime | None = None  # somebody moved elsewhere since the fall
    moved_room: str = ""

    def __post_init__(self) -> None:
        self.sources, self.weights = self.sources or NOTHING, self.weights or NOTHING
        self.stands, self.still = tuple(self.stands), self.still or NOTHING


@dataclass(slots=True)
class Fall:
    """A radar saw somebody fall, or suspects it, or something struck a wearer as only a fall does, and nobody got up.

    What a radar is sure of is told at once, with severity 2; what is only suspected, by a radar or by the model of
    impacts, when nothing has told of her for a minute, or for three where she was last seen in another room. It is an
    emergency when a second source says so within two minutes, when the wearer lies still for a minute, when the radar
    stands by it for a minute, and when nobody has recovered after three. Whoever opens a door, draws water or is seen
    walking elsewhere has recovered: a suspicion that was not told yet is dropped, and one that was told does not
    become worse.
    """

    kinds: ClassVar[frozenset[Kind]] = SIGNS_OF_LIFE | TELLS | {Kind.STIRS}
    events_only: ClassVar[bool] = True
    home: Home
    _: KW_ONLY
    confirm: timedelta = timedelta(seconds=60)
    still_for: timedelta = timedelta(seconds=60)
    unrecovered: timedelta = timedelta(minutes=3)
    together: timedelta = timedelta(minutes=2)
    threshold: int = 0
    model: str = ""
    state: FallState = field(default_factory=FallState, init=False)
    _model: FallModel = field(init=False, repr=False)
    _seen: frozenset[str] = field(init=False, repr=False)
    _has_radar: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._model = load(self.model)
        self._seen = shared(frozenset(sensor.room for sensor in self.home.sensors if sensor.role in EYES))
        self._has_radar = any(sensor.role is Role.FALL for sensor in self.home.sensors)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state, kind = self.state, reading.kind
        if kind in TELLS:
            return self._heard(reading, context)
        if kind is STIRS:
            self._note_stirring(reading)
        elif (
            (state.since is not None or self._has_radar or state.worn)
            and reading.is_event
            and reading.sensor not in context.blind
        ):
            self._note_seen(reading, context)
        return ()

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        found: list[Finding] = []
        while state.due_at is not None and state.due_at <= now:
            at, state.due_at = state.due_at, None
            if ABSENCE in context.plan:  # nobody is in: a radar may see a curtain
                break
            if rule := self._is_emergency(at):
                found.append(self._tell(rule, Severity.EMERGENCY, at, context))
            elif not state.told:
                found.append(self._tell("suspected", Severity.HIGH, at, context))
            else:
                self._schedule(at)
        return found

    def due(self) -> datetime | None:
        return self.state.due_at

    # ------------------------------------------------------------------ what is said of a fall

    def _heard(self, reading: Reading, context: Context) -> Iterable[Finding]:
        """A radar's word, or an impact."""
        state, at, is_sure = self.state, reading.at, reading.kind is Kind.FALL
        if not reading.value:
            self._note_cleared(reading)
            return ()
        if context.plan.get("fall") == OFF:
            return ()
        weight = WEIGHTS[reading.kind]
        if not is_sure:
            if reading.sensor in context.blind or ABSENCE in context.plan:
                return ()
            if reading.kind is Kind.IMPACT and not (weight := self._weighed(reading)):
                return ()
        if state.since is not None and not self._is_same(reading):
            if at <= state.since + EPISODE:
                # Of another person, or heard late of another time: what is looked at goes on.
                return (self._alone(reading, context),) if is_sure else ()
            self._end()
        if self._is_another(reading):
            self._end()
        if state.since is None:
            self._begin(reading)
        if state.weights.get(reading.sensor, 0) < weight:
            state.sources = {**state.sources, reading.sensor: reading.kind.value}
            state.weights = {**state.weights, reading.sensor: weight}
        if reading.kind is not Kind.IMPACT and reading.sensor not in state.stands:
            state.stands = (*state.stands, reading.sensor)
        assert state.since is not None
        heard = max(reading.heard, state.since)
        if len(state.sources) > 1 and at - state.since <= self.together and state.told != Severity.EMERGENCY.value:
            return (self._tell("together", Severity.EMERGENCY, heard, context, reading),)
        if is_sure and not state.told:
            return (self._tell("sure", Severity.HIGH, heard, context, reading),)
        self._schedule(at)
        return ()

    def _weighed(self, reading: Reading) -> int:
        """How far an impact is believed; 0 when it is none of a fall."""
        state, struck = self.state, Impact.unpacked(reading.value)
        state.worn = True
        likelihood = round(100 * self._model.likelihood(struck))
        if likelihood < (self.threshold or 100 * self._model.threshold):
            return 0
        if state.since is None or likelihood > state.likelihood or not self._is_same(reading):
            state.likelihood, state.peak_dg = likelihood, round(10 * struck.value("peak"))
        return WEIGHTS[Kind.IMPACT] * likelihood // 100

    def _is_same(self, reading: Reading) -> bool:
        """Whether this speaks of the fall at hand, of the same person where both name one."""
        state = self.state
        is_other = bool(state.subject and reading.subject) and state.subject != reading.subject
        return state.since is not None and not is_other and abs(reading.at - state.since) <= EPISODE

    def _is_another(self, reading: Reading) -> bool:
        """Whether this must be told by itself although something was told: that may have been settled meanwhile."""
        state, sensor = self.state, reading.sensor
        if state.since is None or not state.told:
            return False
        if sensor not in state.sources and reading.at - state.since <= self.together:
            return False  # a second source
        if reading.kind is Kind.FALL:
            return sensor not in state.stands or state.sources.get(sensor) != Kind.FALL.value
        return state.due_at is None and state.told != Severity.EMERGENCY.value

    def _begin(self, reading: Reading) -> None:
        state = self.state
        if reading.kind is not Kind.IMPACT:
            state.likelihood = state.peak_dg = 0
        state.since, state.subject = reading.at, reading.subject
        # Where sensors saw her elsewhere last, and nobody in the radar's room since, it may be a curtain.
        is_watched = reading.room in self._seen and state.seen_room != ""
        state.elsewhere = reading.kind is Kind.MAYBE_FALL and is_watched and state.seen_room != reading.room
        state.room = state.seen_room if reading.kind is Kind.IMPACT else reading.room

    def _end(self) -> None:
        """She has recovered, or this fall is long over."""
        state = self.state
        state.since = state.due_at = state.moved_at = None
        state.sources, state.weights, state.stands = NOTHING, NOTHING, ()
        state.room = state.subject = state.moved_room = ""
        state.told = 0

    def _note_cleared(self, reading: Reading) -> None:
        """A radar does not say so any more. One that only suspected has changed its mind; one that was sure may have
        lost sight of whoever lies there."""
        state = self.state
        if reading.sensor not in state.stands or state.since is None or reading.at < state.since:
            return
        only_suspects = state.sources.get(reading.sensor) == Kind.MAYBE_FALL.value
        if reading.kind is Kind.MAYBE_FALL and not only_suspects:
            return
        state.stands = tuple(name for name in state.stands if name != reading.sensor)
        if not only_suspects:
            return
        if state.told:
            if len(state.sources) == 1:
                state.due_at = None  # it becomes no worse
            return
        state.sources = {name: said for name, said in state.sources.items() if name != reading.sensor}
        state.weights = {name: weight for name, weight in state.weights.items() if name != reading.sensor}
        if not state.sources:
            self._end()

    # ------------------------------------------------------------------ what is said of her since

    def _note_stirring(self, reading: Reading) -> None:
        state = self.state
        state.worn = True
        if reading.value:
            state.still = {name: since for name, since in state.still.items() if name != reading.sensor} or NOTHING
        elif reading.sensor not in state.still:
            state.still = {**state.still, reading.sensor: reading.at}
            if reading.sensor in state.sources:
                self._schedule(reading.at)

    def _note_seen(self, reading: Reading, context: Context) -> None:
        """Somebody did something: she has recovered, or was there last."""
        state = self.state
        if state.since is not None:
            is_over = state.due_at is None and reading.at > state.since + EPISODE
            if is_over or (reading.at > state.since + SETTLES and self._is_recovery(reading, context)):
                self._end()
        if state.since is None:
            state.seen_room = reading.room or state.seen_room

    def _is_recovery(self, reading: Reading, context: Context) -> bool:
        """Whether she, or somebody who is with her, is up and about."""
        state, kind = self.state, reading.kind
        if kind in DELIBERATE or (kind in SITS_OR_LIES and reading.value):
            return True
        if kind is not Kind.MOTION and kind is not Kind.PRESENCE:
            return False  # a call for help is no recovery
        if reading.room == state.room or "pet" in context.plan or "second_person" in context.plan:
            return False
        before, room = state.moved_at, state.moved_room
        state.moved_at, state.moved_room = reading.at, reading.room
        is_second = before is not None and timedelta(0) < reading.at - before <= SECOND_EVENT
        return is_second and (state.room != "" or room != reading.room)

    def _still(self, at: datetime) -> timedelta:
        """For how long the wearer has lain still by then."""
        state = self.state
        since = [max(state.still[name], state.since) for name in state.sources if name in state.still and state.since]
        return max((at - moment for moment in since), default=timedelta(0))

    def _is_emergency(self, at: datetime) -> str:
        """By which rule it is one by then; empty: it is not."""
        state = self.state
        assert state.since is not None
        if self._still(at) >= self.still_for:
            return "still"
        sure = [name for name in state.stands if state.sources.get(name) == Kind.FALL.value]
        if sure and at - state.since >= STANDS_BY_IT:
            return "stands"
        return "unrecovered" if state.told and at - state.since >= self.unrecovered else ""

    def _schedule(self, at: datetime) -> None:
        """When it is to be judged next; what was told only if that is after `at`."""
        state = self.state
        assert state.since is not None
        still = [max(state.still[n], state.since) + self.still_for for n in state.sources if n in state.still]
        if not state.told:
            only_suspected = state.elsewhere and len(state.sources) == 1
            asked = state.since + (self.unrecovered if only_suspected else self.confirm)
            # Who has almost lain still for long enough is not called a suspicion first.
            state.due_at = min((moment for moment in still if asked < moment <= asked + SETTLES), default=asked)
            return
        moments = [] if state.told == Severity.EMERGENCY.value else [state.since + self.unrecovered, *still]
        if moments and state.stands:
            moments.append(state.since + STANDS_BY_IT)
        state.due_at = min((moment for moment in moments if moment > at), default=None)

    # ------------------------------------------------------------------ telling

    def _tell(
        self, rule: str, severity: Severity, at: datetime, context: Context, reading: Reading | None = None
    ) -> Finding:
        state = self.state
        assert state.since is not None
        state.told = severity.value
        limits = {
            "sure": STANDS_BY_IT,
            "stands": STANDS_BY_IT,
            "still": self.still_for,
            "together": self.together,
            "unrecovered": self.unrecovered,
        }
        facts: Facts = (
            ("kind", Kind.FALL.value),
            ("rule", rule),
            ("confidence", str(self._confidence(at))),
            ("sources", ",".join(f"{name}:{how}" for name, how in state.sources.items())),
            ("room", state.room),
            ("elapsed_s", seconds(at - state.since)),
            ("limit_s", seconds(limits.get(rule, at - state.since))),
            ("last_at", state.since.isoformat()),
        )
        if len(state.sources) == 1:
            facts += (("sensor", next(iter(state.sources))),)
        if Kind.IMPACT.value in state.sources.values():
            least = self.threshold or round(100 * self._model.threshold)
            facts += (("likelihood", str(state.likelihood)), ("threshold", str(least)), ("peak_dg", str(state.peak_dg)))
        if still := self._still(at):
            facts += (("still_s", seconds(still)),)
        if reading is not None and reading.late and not reading.is_undated:
            facts += (("late_s", seconds(reading.heard - reading.at)),)
        found = Finding(
            home=self.home.id,
            code="fall",
            severity=severity,
            since=state.since,
            at=at,
            subject=state.subject,
            facts=facts,
            blind=context.blind,
        )
        self._schedule(at if reading is None else min(at, reading.at))
        return found

    def _confidence(self, at: datetime) -> int:
        """In percent: what is left of the doubt when each source, stillness and silence have taken their part."""
        state, doubt = self.state, 1.0
        assert state.since is not None
        for weight in state.weights.values():
            doubt *= 1 - weight / 100
        if self._still(at) >= self.still_for:
            doubt *= 1 - STILL_COUNTS / 100
        if len(self._seen) > 1 and state.moved_at is None and at - state.since >= self.confirm:
            doubt *= 1 - QUIET_COUNTS / 100
        return min(99, round(100 * (1 - doubt)))

    def _alone(self, reading: Reading, context: Context) -> Finding:
        """A sure word about another time or person than the one that is being looked at."""
        facts: Facts = (
            ("kind", Kind.FALL.value),
            ("rule", "sure"),
            ("confidence", str(WEIGHTS[Kind.FALL])),
            ("sources", f"{reading.sensor}:{Kind.FALL.value}"),
            ("room", reading.room),
            ("elapsed_s", seconds(max(reading.heard - reading.at, timedelta(0)))),
            ("limit_s", seconds(STANDS_BY_IT)),
            ("last_at", reading.at.isoformat()),
            ("sensor", reading.sensor),
        )
        if reading.late and not reading.is_undated:
            facts += (("late_s", seconds(reading.heard - reading.at)),)
        return Finding(
            home=self.home.id,
            code="fall",
            severity=Severity.HIGH,
            since=reading.at,
            at=max(reading.heard, reading.at),
            subject=reading.subject,
            facts=facts,
            blind=context.blind,
        )
