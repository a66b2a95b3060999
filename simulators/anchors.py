"""Plain rules of silence, as districts use them and papers publish them: what a learnt detector is measured against.

Nobody runs them in a home. They take a sign of life and an outing for what our own detector takes them for, so that
only the rule differs.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, time, timedelta
from math import ceil
from typing import ClassVar

from detectors.silence import HEARD_FOR_SILENCE, Silence, SilenceState
from gateway.domain import Finding, Home, Kind, Reading, Severity, seconds
from gateway.ports import Context

MEMORY = timedelta(days=28)
WORTH_REMEMBERING = timedelta(minutes=5)
SHORTEST, LONGEST = timedelta(minutes=45), timedelta(hours=16)
QUARTER_S, DAY_S = 900, 86400


@dataclass(slots=True)
class Anchor(ABC):
    """A rule that gives each silence at home a deadline when it begins."""

    kinds: ClassVar[frozenset[Kind]] = HEARD_FOR_SILENCE
    home: Home
    state: SilenceState = field(default_factory=SilenceState, init=False)
    _past: list[tuple[float, float]] = field(default_factory=list, init=False)  # begin and end of silences, local s
    _due: datetime | None = field(default=None, init=False)

    @abstractmethod
    def deadline(self, since: datetime) -> datetime: ...

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        before = self.state.life_at
        silence = self.state.take(reading, context)
        if self.state.life_at is not before:
            if silence is not None:
                self._remember(silence)
            self.state.begin()
            self._due = None
        return ()

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        due, since = self.due(), self.state.life_at
        if due is None or since is None or now < due:
            return ()
        if self._due is None:  # until now nobody needed its exact deadline
            self._due = self.deadline(since)
            return self.tick(now, context)
        self.state.told = True
        facts = (("elapsed_s", seconds(due - since)), ("limit_s", seconds(due - since)))
        code, severity = "inactivity", Severity.HIGH
        return (Finding(home=self.home.id, code=code, severity=severity, since=since, at=due, facts=facts),)

    def due(self) -> datetime | None:
        state = self.state
        if state.life_at is None or state.told or state.out:
            return None
        return self._due or state.life_at + SHORTEST

    def _remember(self, silence: Silence) -> None:
        length = silence.ended - silence.began
        if WORTH_REMEMBERING <= length <= LONGEST and not silence.out and not silence.hole:
            began = self.local_s(silence.began)
            oldest = began - MEMORY.total_seconds()
            while self._past and self._past[0][0] < oldest:
                self._past.pop(0)
            self._past.append((began, began + length.total_seconds()))

    def local_s(self, at: datetime) -> float:
        there = at.astimezone(self.home.zone)
        return there.toordinal() * DAY_S + there.hour * 3600 + there.minute * 60 + there.second

    def before_today(self, since: datetime) -> list[tuple[float, float]]:
        """What the last four weeks have taught, up to the midnight before this silence."""
        midnight = self.local_s(since) // DAY_S * DAY_S
        return [one for one in self._past if one[1] <= midnight]


def _bounded(length_s: float) -> timedelta:
    return min(max(timedelta(seconds=length_s), SHORTEST), LONGEST)


@dataclass(slots=True)
class FixedHours(Anchor):
    """So many hours without a sign of life, at any time: twelve is what most districts write into their contracts."""

    _: KW_ONLY
    hours: float = 12.0

    def deadline(self, since: datetime) -> datetime:
        return since + timedelta(hours=self.hours)


@dataclass(slots=True)
class HoursOfDay(Anchor):
    """So many hours without a sign of life between seven and ten in the evening; the night does not count."""

    _: KW_ONLY
    hours: float = 4.0
    begins: time = time(7)
    ends: time = time(22)

    def deadline(self, since: datetime) -> datetime:
        there, allowed = since.astimezone(self.home.zone), timedelta(hours=self.hours)
        for ahead in range(3):
            day = there.date() + timedelta(days=ahead)
            begins, ends = (datetime.combine(day, clock, self.home.zone) for clock in (self.begins, self.ends))
            due = max(there, begins) + allowed
            if due <= ends:
                return due.astimezone(since.tzinfo)
        return since + timedelta(days=4)


@dataclass(slots=True)
class HourQuantile(Anchor):
    """So many times the 99 % quantile of the silences that began within an hour of this time of day."""

    _: KW_ONLY
    factor: float = 1.5
    quantile: float = 0.99

    def deadline(self, since: datetime) -> datetime:
        past, hour = self.before_today(since), int(self.local_s(since) % DAY_S // 3600)
        near = [end - begin for begin, end in past if (begin % DAY_S // 3600 - hour + 1) % 24 <= 2]
        lengths = sorted(near if len(near) >= 5 else [end - begin for begin, end in past])
        if not lengths:
            return since + timedelta(hours=4)
        place = self.quantile * (len(lengths) - 1)
        low, high = lengths[int(place)], lengths[ceil(place)]
        return since + _bounded(self.factor * (low + (high - low) * (place % 1)))


@dataclass(slots=True)
class ClockMaximum(Anchor):
    """So many times the longest silence that had lasted at this time of day, half an hour about (Cuddihy 2007)."""

    _: KW_ONLY
    factor: float = 1.5

    def deadline(self, since: datetime) -> datetime:
        longest = [0.0] * 96
        for begin, end in self.before_today(since):
            quarter = int(begin // QUARTER_S)
            while quarter * QUARTER_S < end:
                ends = min((quarter + 1) * QUARTER_S, end)
                longest[quarter % 96] = max(longest[quarter % 96], ends - begin)
                quarter += 1
        if not any(longest):
            return since + timedelta(hours=4)
        began = self.local_s(since)
        first = int(began // QUARTER_S)
        for quarter in range(first, first + 96):
            near = max(longest[(quarter + about) % 96] for about in range(-2, 3))
            allowed = _bounded(self.factor * near).total_seconds()
            if (quarter + 1) * QUARTER_S - began >= allowed:
                return since + timedelta(seconds=max(allowed, quarter * QUARTER_S - began))
        return since + LONGEST


ANCHORS: dict[str, type[Anchor]] = {
    "fixed": FixedHours,
    "day": HoursOfDay,
    "quantile": HourQuantile,
    "clock": ClockMaximum,
}
