"""A rule judged by what a gateway has already lived through: by replaying it, and by what was found at the door."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.incident import verdicts
from detectors import DETECTORS, Watch
from detectors.shadow import Shadow, is_muted
from gateway.domain import Finding, Home, Judgement, Kind, Override, Reading
from gateway.domain.plan import Unit, setting_of, span_at
from gateway.ports import AlertStore, Context, Directory, ReadingStore
from simulators.recordings import pass_time

WEEK = timedelta(weeks=1)

LEARNT = timedelta(days=35)
"""So much of the past is lived through before anything is counted: the longest memory of a habit, and a week."""

# --------------------------------------------------------------------------- replaying


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule told of one home with its present settings, and with others."""

    home: str
    weeks: float
    before: tuple[Finding, ...]
    after: tuple[Finding, ...]

    @property
    def gone(self) -> list[Finding]:
        return _without(self.before, self.after)

    @property
    def new(self) -> list[Finding]:
        return _without(self.after, self.before)


def _without(some: Iterable[Finding], others: Iterable[Finding]) -> list[Finding]:
    known = {finding.id for finding in others}
    return [finding for finding in some if finding.id not in known]


def try_rule(
    home: Home,
    rule: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    readings: ReadingStore,
    directory: Directory,
    weeks: int,
    now: datetime,
) -> Tried:
    """Live through the stored past of a home twice; its plan holds as it held then."""
    counted_from = now - weeks * WEEK
    past = readings.readings(home.id, counted_from - LEARNT, now)
    lines = directory.plan_lines(home.id)
    found = []
    for options in (before, after):
        tried = Shadow(DETECTORS[rule](home, **options))  # type: ignore[call-arg]
        watch = Watch(home, {"supervision": DETECTORS["supervision"](home), "tried": tried})  # type: ignore[call-arg]
        told = {f.id: f for f in live_again(watch, past, lines, now) if is_muted(f) and f.at >= counted_from}
        found.append(tuple(told.values()))
    began = max(past[0].at, counted_from) if past else now
    return Tried(home.id, (now - began) / WEEK, found[0], found[1])


def live_again(watch: Watch, past: Sequence[Reading], lines: Sequence[Override], until: datetime) -> Iterator[Finding]:
    """What a watch finds in a stored past: its hub was heard all the time but for the holes that are written down."""
    held = None
    for reading in past:
        if held is None or not held.since <= reading.at < held.until:
            held = span_at(lines, reading.at, watch.home.zone)
        context = Context(plan=held.plan)
        hole = timedelta(seconds=reading.value) if reading.kind is Kind.RETURNED else timedelta(0)
        watch.recall_heard(reading.heard - hole)
        yield from pass_time(watch, reading.at - hole, context)
        yield from watch.observe(reading, context)
    if held is not None:
        watch.recall_heard(until)
        yield from pass_time(watch, until, Context(plan=held.plan))


# --------------------------------------------------------------------------- what was found at the door


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule was right in one home, by what was found there."""

    home: str
    code: str
    real: int
    false: int
    unsure: int
    days: float
    newest: Finding

    @property
    def share(self) -> float | None:
        """Of what was told and is known to be so or not, the part that was so."""
        judged = self.real + self.false
        return self.real / judged if judged else None


def precisions(alerts: AlertStore, since: datetime, now: datetime, home: str | None = None) -> list[Precision]:
    """Of every rule and home that people have closed alerts of, the most often wrong first."""
    told: dict[tuple[str, str], list[tuple[Finding, Judgement]]] = {}
    for alert in alerts.raised(since, now, home=home):
        for finding, judgement in verdicts(alert):
            if judgement is not None:
                told.setdefault((alert.home, finding.code), []).append((finding, judgement))
    found = []
    for (where, code), some in told.items():
        counts = Counter(judgement for _, judgement in some)
        real, false, unsure = (counts[one] for one in (Judgement.REAL, Judgement.FALSE, Judgement.UNSURE))
        days = (now - since) / timedelta(days=1)
        found.append(Precision(where, code, real, false, unsure, days, some[-1][0]))
    return sorted(found, key=lambda one: (-one.false, one.home, one.code))


# --------------------------------------------------------------------------- what might be better


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another limit for one home, as a line of its plan. A person accepts it or does not."""

    home: str
    code: str
    key: str
    present: float
    value: float
    because: Precision


MANY = 3
"""So many false alerts of one rule in one home are more than chance."""

RIGHT_ENOUGH = 0.25
"""Where one in four was so, the limit stays: being called in vain is better than being called too late."""

LONGER, RARER = 1.5, 0.5

TURNS: Mapping[str, tuple[str, str]] = {
    "inactivity": ("inactivity.budget", ""),
    "not_returned": ("away.shortest", "limit_s"),
    "entered_no_motion": ("entered.within", "limit_s"),
    "bath_dwell": ("room.limit", "limit_s"),
    "bed_no_return": ("bed.back_within", "limit_s"),
    "night_exit": ("night.back_within", "limit_s"),
    "door_open": ("doors.open_by_day", "limit_s"),
    "door_not_used": ("doors.not_used", "limit_s"),
}
"""By which line of a plan a rule can be made milder, and which fact of a finding says where it stands."""

UNITS: Mapping[Unit, float] = {Unit.MINUTES: 60, Unit.HOURS: 3600}


def suggestions(known: Iterable[Precision], plans: Mapping[str, Mapping[str, str]]) -> Iterator[Suggestion]:
    """Milder limits for what was wrong again and again; nothing that calls for help is ever among them."""
    for one in known:
        turn = TURNS.get(one.code)
        if turn is None or one.false < MANY or (one.share or 0.0) >= RIGHT_ENOUGH:
            continue
        key, fact = turn
        setting = setting_of(key)
        if fact:
            present = float(one.newest.fact(fact, "0")) / UNITS[setting.unit]
            value = min(present * LONGER, setting.high)
            value = float(-(-value // 1))  # whole minutes or hours, upwards
        else:
            default: Any = DETECTORS["inactivity"].__dataclass_fields__["budget"].default  # type: ignore[attr-defined]
            present = float(plans.get(one.home, {}).get(key, default))
            value = max(present * RARER, setting.low)
        if present and value != present:
            yield Suggestion(one.home, one.code, key, present, value, one)
