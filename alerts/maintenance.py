"""While somebody works in a home: what is only a test, what is held back, and what is as real as ever. Pure.

A home under maintenance has a line in its plan: who works there, until when, and which sensors are being tried out.
A home that is paused, or is on file and not watched yet, is treated alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gateway.domain import Alert, Condition, Finding, Monitoring, Override, Severity

KEY = "maintenance"
"""The key of the plan's line; its value names the sensors under test, separated by commas."""

LONGEST = timedelta(hours=4)
"""Whatever the line says, nobody works in a home for longer: maintenance that was forgotten ends by itself."""

LOOK_AGAIN = timedelta(minutes=1)
"""What is held back is looked at this often, for the work may end early or be prolonged."""

TEST = "test"
"""The code of a test alert, so that it never shares an alert with a real call from the same home."""

ONE_SENSOR_SAYS_IT = frozenset({"sos", "smoke", "gas", "co", "leak", "fall"})
"""What can be tried out: a single sensor says it, and says it because somebody made it."""

HELD_FOR = "held_for"
"""The fact that marks a finding as held back, and names who works there."""


HUSHED = "hushed"
"""The fact that says that it is quiet hours or a silence that hold it back, and no work."""


class Treatment(StrEnum):
    REAL = "real"
    TEST = "test"
    HELD = "held"


PAUSE = "pause"
"""The key of the plan's line of a home that is not watched for a while: its people are in hospital, or away."""


@dataclass(frozen=True, slots=True)
class Work:
    """Somebody works in this home, and these sensors are being tried out; or it is paused, or not watched yet."""

    since: datetime
    until: datetime
    author: str
    testing: frozenset[str]
    is_paused: bool = False
    is_registered: bool = False  # 建档: on file, being installed


def work_in(plan: Iterable[Override], now: datetime) -> Work | None:
    """The work that goes on in a home, by the lines of its plan that are in force; None when nobody works there."""
    works = [_work(line) for line in plan if line.key == KEY]
    return next((work for work in reversed(works) if work.since <= now < work.until), None)


def work_or_pause_in(plan: Iterable[Override], now: datetime, state: Monitoring = Monitoring.GUARDED) -> Work | None:
    """The work in a home, with what holds back more and may have no end: a pause, or that nobody watches it yet."""
    plan = list(plan)
    work = work_in(plan, now)
    if state is Monitoring.REGISTERED:
        always = Work(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "", frozenset())
        return replace(work or always, is_registered=True)
    pause = next((line for line in plan if line.key == PAUSE and line.since <= now), None)
    if pause is None or (pause.until is not None and pause.until <= now):
        return work
    alone = Work(pause.since, pause.until or datetime.max.replace(tzinfo=UTC), pause.author, frozenset())
    return replace(work or alone, is_paused=True)


def _work(line: Override) -> Work:
    longest = line.since + LONGEST
    return Work(
        since=line.since,
        until=longest if line.until is None else min(line.until, longest),
        author=line.author,
        testing=frozenset(name for name in line.value.split(",") if name),
    )


def treatment(finding: Finding, work: Work | None, usual: Severity) -> Treatment:
    """How this finding is taken; `usual` is how bad the catalogue calls its code.

    Only what the work itself can have caused is ever treated differently. Whatever comes from a sensor that is not
    being tried out, began before the work, or was concluded from silence, is as real as on any other day.
    """
    if work is None:
        return Treatment.REAL
    began_with_the_work = finding.since >= work.since
    if finding.code in ONE_SENSOR_SAYS_IT:
        is_tried_out = finding.fact("sensor") in work.testing
        return Treatment.TEST if is_tried_out and began_with_the_work else Treatment.REAL
    if work.is_registered:  # whoever is in danger of life is called for, whatever is still missing there
        return Treatment.REAL if finding.severity.is_emergency else Treatment.HELD
    if work.is_paused:
        return Treatment.HELD  # nobody is at home, as far as we were told; whoever presses a button is
    if finding.severity is Severity.TECHNICAL:
        return Treatment.HELD  # nobody would come for hours; whoever would come is there
    if usual is Severity.TECHNICAL and (finding.subject or began_with_the_work):
        return Treatment.HELD  # a device that blinds something, in the installer's hands; a hub unplugged just now
    return Treatment.REAL


def as_test(finding: Finding, work: Work) -> Finding:
    """The same as a test: under a code of its own, one for each sensor, and never more than a hint."""
    facts = (*finding.facts, ("of", finding.code), ("of_severity", finding.severity.name), ("by", work.author))
    return replace(finding, code=TEST, subject=finding.fact("sensor"), severity=Severity.CARE, facts=facts)


def tested(finding: Finding) -> Finding:
    """What a test was a test of."""
    of, severity = finding.fact("of"), finding.fact("of_severity")
    return replace(finding, code=of, severity=Severity[severity]) if of else finding


def held_back(finding: Finding, work: Work) -> Finding:
    return replace(finding, facts=(*finding.facts, (HELD_FOR, work.author)))


def let_go(finding: Finding) -> Finding:
    return replace(finding, facts=tuple(fact for fact in finding.facts if fact[0] not in (HELD_FOR, HUSHED)))


def has_passed(
    finding: Finding, conditions: Iterable[Condition], heard: datetime | None, life: datetime | None = None
) -> bool:
    """Whether what was held back is over by now: a fault whose device has spoken since without it, a home that is heard
    again, a silence that somebody has broken.

    `conditions` are those of the home's devices, `heard` when its hubs were last heard, `life` its last sign of life.
    Of what none of them tells anything about, it is not over.
    """
    if finding.code == "inactivity":
        return life is not None and life > finding.at
    fault = finding.code.removeprefix("device_")
    for condition in conditions:
        if condition.sensor == finding.subject:
            has_spoken = condition.heard is not None and condition.heard > finding.since
            return has_spoken and fault not in condition.faults
    return finding.code == "home_silent" and heard is not None and heard > finding.at


def is_held(alert: Alert) -> bool:
    """It is on the books and nobody is called yet, because somebody works in the home."""
    return alert.is_ringing and any(name == HELD_FOR for name, _ in alert.finding.facts)
