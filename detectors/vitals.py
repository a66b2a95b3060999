"""Blood pressure, heart rate, oxygen, blood sugar, weight, body temperature: outside the limits of this person."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from detectors.habit import NOTHING, counted_from
from gateway.domain import VITALS, Facts, Finding, Home, Kind, Reading, Severity, seconds
from gateway.ports import Context

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)

TWO_DAYS = timedelta(hours=36)
"""Whoever measures every morning measures twice in this time."""

UNREPEATED = timedelta(hours=2)
"""So long a very bad measurement waits for a second one until it is noted."""


class Limits(NamedTuple):
    """From where on a value is told, from where on it is told as severe, and how far apart two that agree may be."""

    low: float | None = None
    high: float | None = None
    very_low: float | None = None
    very_high: float | None = None
    apart: timedelta = 5 * _MINUTE
    within: timedelta = 2 * _HOUR


STANDARD: Mapping[Kind, Limits] = {
    # Second and third grade of hypertension by the Chinese guidelines (160/100, 180/110); below 90 is hypotension.
    # Guidelines measure again after one or two minutes.
    Kind.SYSTOLIC: Limits(90, 160, 80, 180, _MINUTE, TWO_DAYS),
    Kind.DIASTOLIC: Limits(50, 100, 40, 110, _MINUTE, TWO_DAYS),
    # The early warning score of British hospitals (NEWS2): three points, the red score, at 40 and 131.
    Kind.HEART_RATE: Limits(50, 110, 40, 131),
    # WHO calls below 90 % an emergency; a household oximeter errs by two or three points.
    Kind.SPO2: Limits(low=92, very_low=89),
    # Level one and two of low blood sugar (3.9, 3.0); 13.9 and 16.7 are 250 and 300 mg/dl.
    Kind.GLUCOSE: Limits(3.9, 13.9, 3.0, 16.7, 5 * _MINUTE, TWO_DAYS),
    # Below 35.0 is hypothermia; NEWS2 scores from 38.1 and 39.1.
    Kind.BODY_TEMPERATURE: Limits(35.0, 38.0, 35.0, 39.1, 5 * _MINUTE, TWO_DAYS),
    # No weight is wrong for everybody: only its gain is judged, unless the plan says more. Scales are used once a day.
    Kind.WEIGHT: Limits(apart=5 * _MINUTE, within=TWO_DAYS),
}

GAIN_KG, GAIN_WITHIN = 2.0, timedelta(days=3)
"""Heart failure guidelines (ESC): more than two kilograms in three days is water, and a doctor should know."""

WEIGHTS_KEPT = 6

FEW = 5
"""So many measurements within the limits before one speaks of what is usual."""

WEIGHT_OF_THE_LAST = 0.1

_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?")


@dataclass(slots=True)
class Course:
    """One vital sign of one person."""

    at: datetime  # the last measurement
    usual: float = 0.0  # a moving mean of those within the limits
    count: int = 0
    out_at: datetime | None = None  # the first one outside that waits for a second
    out: float = 0.0
    side: int = 0  # -1 too low, 1 too high
    note_at: datetime | None = None  # when it is noted that nobody repeated it
    told_at: datetime | None = None
    told: int = 0  # the severity
    weights: list[list[float]] = field(default_factory=list)  # [POSIX time, kg] of the last days


@dataclass(slots=True)
class VitalsState:
    courses: Mapping[str, Course] = field(default_factory=lambda: NOTHING)  # by person and kind

    def __post_init__(self) -> None:
        courses = {name: one if isinstance(one, Course) else Course(*one) for name, one in self.courses.items()}
        self.courses = courses or NOTHING


@dataclass(slots=True)
class Vitals:
    """Two measurements of a vital sign, one after the other, agree that it is outside this person's limits.

    One alone is a slipped cuff or a cold finger; a very bad one that nobody repeats is noted for the next visit. Told
    once a day at most, and again at once when it becomes severe. Says what was measured, never what it means.
    """

    kinds: ClassVar[frozenset[Kind]] = VITALS
    home: Home
    _: KW_ONLY
    again: timedelta = timedelta(hours=24)
    state: VitalsState = field(default_factory=VitalsState, init=False)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        standard = STANDARD.get(reading.kind)
        if standard is None or reading.sensor in context.blind:
            return ()
        name = f"{reading.subject}/{reading.kind.value}"
        course = self.state.courses.get(name)
        if course is None:
            course = Course(reading.at)
            self.state.courses = {**self.state.courses, name: course}
        elif reading.at <= course.at:
            return ()  # heard twice, or old: what came after it has been judged
        course.at = reading.at
        low, high = _limits(reading, standard, context.plan)
        if reading.kind is Kind.WEIGHT and high is not None:
            high = min(high, _gained(course, reading))
        side = -1 if low is not None and reading.value < low else int(high is not None and reading.value > high)
        if not side:
            course.out_at, course.side, course.note_at = None, 0, None
            course.count += 1
            course.usual += (reading.value - course.usual) * max(WEIGHT_OF_THE_LAST, 1 / course.count)
            return ()
        first = course.out_at
        if first is None or side != course.side or reading.at - first > standard.within:
            course.out_at, course.out, course.side = reading.at, reading.value, side
            is_severe = _severity(standard, side, reading.value) is Severity.HIGH
            course.note_at = counted_from(reading) + UNREPEATED if is_severe else None
            return ()
        if reading.at - first < standard.apart:
            return ()
        # They agree as far as the milder of the two goes.
        value = min(course.out, reading.value) if side > 0 else max(course.out, reading.value)
        severity = _severity(standard, side, value)
        before, course.out_at, course.out, course.note_at = course.out, reading.at, reading.value, None
        if course.told_at is not None and reading.at - course.told_at < self.again and severity.value >= course.told:
            return ()
        course.told_at, course.told = reading.at, severity.value
        facts: Facts = (
            ("kind", reading.kind.value),
            ("side", "high" if side > 0 else "low"),
            ("value", f"{reading.value:g}"),
            ("before", f"{before:g}"),
            ("limit", f"{high if side > 0 else low:g}"),
            ("elapsed_s", seconds(reading.at - first)),
            ("last_at", reading.at.isoformat()),
        )
        if reading.late:
            facts += (("late_s", seconds(reading.heard - reading.at)),)
        told_at = max(reading.at, reading.heard)
        return (self._finding(course, severity, first, told_at, reading.subject, facts, context),)

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        """A very bad measurement that nobody repeated is noted, so that somebody asks."""
        found = []
        for name, course in self.state.courses.items():
            subject, _, kind = name.rpartition("/")
            at = course.note_at
            if at is None or at > now or course.out_at is None:
                continue
            course.note_at = None
            facts: Facts = (
                ("kind", kind),
                ("side", "high" if course.side > 0 else "low"),
                ("value", f"{course.out:g}"),
                ("elapsed_s", seconds(at - course.out_at)),
                ("last_at", course.out_at.isoformat()),
                ("rule", "once"),
                ("limit_s", seconds(UNREPEATED)),
            )
            found.append(self._finding(course, Severity.CARE, course.out_at, at, subject, facts, context))
        return sorted(found, key=lambda one: one.at)

    def due(self) -> datetime | None:
        notes = (course.note_at for course in self.state.courses.values())
        return min((at for at in notes if at is not None), default=None)

    def _finding(
        self,
        course: Course,
        severity: Severity,
        since: datetime,
        at: datetime,
        subject: str,
        facts: Facts,
        context: Context,
    ) -> Finding:
        usual = f"{course.usual:.1f}".removesuffix(".0") if course.count >= FEW else ""
        return Finding(
            home=self.home.id,
            code="vital",
            severity=severity,
            since=since,
            at=at,
            subject=subject,
            facts=(*facts, ("usual", usual)),
            blind=context.blind,
        )


def _severity(standard: Limits, side: int, value: float) -> Severity:
    very = standard.very_high if side > 0 else standard.very_low
    if very is None:
        return Severity.MEDIUM
    return Severity.HIGH if side * value >= side * very else Severity.MEDIUM


def _limits(reading: Reading, standard: Limits, plan: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Of this person by the household's plan ("88..", "..150", "100..150" or "off"), or else everybody's.

    A plan that cannot be read changes nothing.
    """
    key = f"vital.{reading.kind.value}"
    high = float("inf") if reading.kind is Kind.WEIGHT else standard.high
    planned = plan.get(f"{key}/{reading.subject}") or plan.get(key) or plan.get("vital")
    if planned is None:
        return standard.low, high
    if planned == "off":
        return None, None
    written = _SPAN.fullmatch(planned)
    if written is None or not (written[1] or written[2]):
        return standard.low, high
    return (
        float(written[1]) if written[1] else standard.low,
        float(written[2]) if written[2] else high,
    )


def _gained(course: Course, reading: Reading) -> float:
    """Above this weight somebody has gained too much in three days."""
    now = reading.at.timestamp()
    course.weights = [one for one in course.weights if now - one[0] <= GAIN_WITHIN.total_seconds()]
    least = min((kg for _, kg in course.weights), default=reading.value)
    course.weights = [*course.weights, [now, reading.value]][-WEIGHTS_KEPT:]
    return least + GAIN_KG
