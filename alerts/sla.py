"""How fast people answer and come: the clock of each step, what is due next, and the figures of a month.

Pure: over alerts and a moment. The limits are those that the alert was opened with; a later edit changes none of them.
"""

import csv
import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from alerts.incident import verdicts
from alerts.maintenance import TEST, is_held
from gateway.domain import Alert, Judgement, Outcome, Severity, State

ANSWERED = (timedelta(seconds=60), timedelta(seconds=180))
"""What the audits of alarm centres ask: 97.5 % within the first, 99 % within the second."""

ARRIVED = (timedelta(minutes=15), timedelta(minutes=30))
"""In town, and remote."""

FOLLOW_UP_WITHIN = timedelta(days=1)
"""After something real somebody looks in again by the next day."""


# --------------------------------------------------------------------------- the clock of each step


class Step(StrEnum):
    """What somebody has to do next: 接单, 出发, 到场."""

    ACCEPT = "accept"
    DEPART = "depart"
    ARRIVE = "arrive"


@dataclass(frozen=True, slots=True)
class Clock:
    """One step of one alert: by when, and when it was done."""

    step: Step
    due_at: datetime
    done_at: datetime | None = None

    def late(self, now: datetime) -> timedelta:
        """By how much; zero while there is time."""
        return max((self.done_at or now) - self.due_at, timedelta(0))

    def is_breached(self, now: datetime) -> bool:
        return self.late(now) > timedelta(0)


def clocks(alert: Alert) -> list[Clock]:
    """The clocks that were ever started, each with its end where it has one. Whatever was settled stops them."""
    settled = alert.resolved_at or alert.closed_at
    found = []
    if alert.ladder.ack is not None:
        begin = alert.bad_since
        found.append(Clock(Step.ACCEPT, begin + alert.ladder.ack, alert.accepted_at or settled))
    if alert.accepted_at is not None:
        set_out = alert.en_route_at or alert.on_site_at or settled
        if alert.ladder.remind is not None:
            found.append(Clock(Step.DEPART, (alert.owned_at or alert.accepted_at) + alert.ladder.remind, set_out))
        if alert.ladder.site is not None:
            found.append(Clock(Step.ARRIVE, alert.accepted_at + alert.ladder.site, alert.on_site_at or settled))
    return found


def running(alert: Alert) -> Clock | None:
    """The clock that runs out first, of those that run; None when nobody is waited for."""
    if not alert.is_open or alert.is_muted or is_held(alert) or alert.code == TEST:
        return None
    return min((clock for clock in clocks(alert) if clock.done_at is None), key=lambda c: c.due_at, default=None)


def board(alerts: Iterable[Alert], now: datetime) -> list[tuple[Alert, Clock]]:
    """Every open alert with the clock that runs: what is late first, the worst of it on top, then what is due next."""
    lines = [(alert, clock) for alert in alerts if (clock := running(alert)) is not None]

    def order(line: tuple[Alert, Clock]) -> tuple[bool, int, datetime]:
        alert, clock = line
        late = clock.is_breached(now)
        return not late, alert.severity.value if late else 0, clock.due_at

    return sorted(lines, key=order)


# --------------------------------------------------------------------------- looking in again


def needs_follow_up(alert: Alert) -> bool:
    """Whether somebody has to look in again before it is filed: after everything that was real, or may have been."""
    if alert.outcome is None or not is_for_people(alert):
        return False
    return alert.outcome is Outcome.NO_ACCESS or alert.outcome.judgement is Judgement.REAL


def follow_up_due(alert: Alert) -> datetime | None:
    """By when, while nobody has."""
    if alert.state is not State.RESOLVED or alert.resolved_at is None or not needs_follow_up(alert):
        return None
    return alert.resolved_at + FOLLOW_UP_WITHIN


# --------------------------------------------------------------------------- the figures of a month


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many: the numbers stay beside the percentage, so that one of one is not taken for a record."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        return 100 * self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Figures:
    """How one grid did in one month."""

    grid: str
    month: str  # "2026-11", by the clock of the homes
    alerts: int
    answered: tuple[Share, Share]  # within the two limits of ANSWERED
    arrived: tuple[Share, Share]  # of those that somebody went to, or should have gone to
    false: Share  # of those that were judged
    answer: timedelta | None  # the median
    arrival: timedelta | None
    looked_in: Share  # again, within a day of an outcome that asks for it
    breached: Share  # alerts of which any clock ran out, by the limits they were opened with


@dataclass(frozen=True, slots=True)
class Case:
    """What one alert adds to the figures, and no more: a county's months of them fit into memory."""

    home: str
    code: str
    severity: Severity
    raised_at: datetime
    bad_since: datetime
    answer: timedelta | None  # None: nobody has accepted it
    is_gone_to: bool
    arrival: timedelta | None
    resolved_at: datetime | None
    outcome: Outcome | None
    judgement: Judgement | None
    rules: tuple[tuple[str, Judgement | None], ...]  # each that had a part in it, the leading one first
    looks_in: bool  # somebody has to look in again
    followed_up_at: datetime | None
    was_late: bool  # with a step that is done
    due_at: datetime | None  # by when the first step that is not done has to be

    def is_breached(self, now: datetime) -> bool:
        return self.was_late or (self.due_at is not None and now > self.due_at)


def case_of(alert: Alert) -> Case | None:
    """What is counted of an alert; None where nothing is."""
    if not is_counted(alert):
        return None
    steps = clocks(alert)
    return Case(
        home=alert.home,
        code=alert.code,
        severity=alert.severity,
        raised_at=alert.raised_at,
        bad_since=alert.bad_since,
        answer=alert.accepted_at - alert.bad_since if alert.accepted_at else None,
        is_gone_to=_is_gone_to(alert),
        arrival=alert.on_site_at - alert.bad_since if alert.on_site_at else None,
        resolved_at=alert.resolved_at,
        outcome=alert.outcome,
        judgement=alert.outcome.judgement if alert.outcome else None,
        rules=tuple((finding.code, judgement) for finding, judgement in verdicts(alert)),
        looks_in=needs_follow_up(alert),
        followed_up_at=alert.followed_up_at,
        was_late=any(step.done_at is not None and step.done_at > step.due_at for step in steps),
        due_at=min((step.due_at for step in steps if step.done_at is None), default=None),
    )


def is_for_people(alert: Alert) -> bool:
    """An emergency, something serious or something to see to; not the equipment, a care hint or a test."""
    return alert.code != TEST and alert.severity.worse_than(Severity.CARE)


def is_counted(alert: Alert) -> bool:
    """Whatever people were called for, but neither what was only a test or a double, nor what another one speaks for,
    nor what the resident took back before anybody had it."""
    if not is_for_people(alert) or is_held(alert) or alert.incident not in ("", alert.id):
        return False
    return alert.state is not State.CANCELLED and alert.outcome not in (Outcome.TEST_OR_DRILL, Outcome.DUPLICATE)


def cases_of(alerts: Iterable[Alert]) -> Iterator[Case]:
    """What is counted of these."""
    return (case for alert in alerts if (case := case_of(alert)) is not None)


def figures(
    cases: Iterable[Case],
    month: str,
    place: Callable[[str], tuple[str, ZoneInfo]],
    now: datetime,
) -> list[Figures]:
    """One row for each grid that had anything in this month, and the sum of all (grid "") last.

    `place` gives a home's grid and time zone: a month ends at the home's own midnight.
    """
    by_grid: dict[str, list[Case]] = {}
    for case in cases:
        grid, zone = place(case.home)
        if month_of(case.raised_at, zone) == month:
            by_grid.setdefault(grid, []).append(case)
    rows = [figures_of(found, now, grid, month) for grid, found in sorted(by_grid.items())]
    everything = [case for found in by_grid.values() for case in found]
    return [*rows, figures_of(everything, now, "", month)]


def month_of(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m}"


def span_of(month: str) -> tuple[datetime, datetime]:
    """From when to when, in any time zone there is, something may belong to this month. ValueError: it is no month."""
    first = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    after = (first + timedelta(days=32)).replace(day=1)
    return first - timedelta(days=1), after + timedelta(days=1)


def figures_of(cases: Sequence[Case], now: datetime, grid: str = "", month: str = "") -> Figures:
    """The figures of whatever cases these are: a month of a grid, four weeks of a district."""
    answers = sorted(case.answer for case in cases if case.answer is not None)
    unanswered = [now - case.bad_since for case in cases if case.answer is None]
    gone = [case for case in cases if case.is_gone_to]
    arrivals = sorted(case.arrival for case in gone if case.arrival is not None)
    not_there = [(case.resolved_at or now) - case.bad_since for case in gone if case.arrival is None]
    judged = [case.judgement for case in cases if case.judgement is not None]
    ended = [(case.resolved_at, case.followed_up_at) for case in cases if case.looks_in]
    looked_in = sorted(seen - over for over, seen in ended if over and seen)
    not_seen = [now - over for over, seen in ended if over and not seen]
    return Figures(
        grid=grid,
        month=month,
        alerts=len(cases),
        answered=(_within(answers, unanswered, ANSWERED[0]), _within(answers, unanswered, ANSWERED[1])),
        arrived=(_within(arrivals, not_there, ARRIVED[0]), _within(arrivals, not_there, ARRIVED[1])),
        false=Share(judged.count(Judgement.FALSE), len(judged) - judged.count(Judgement.UNSURE)),
        answer=_median(answers),
        arrival=_median(arrivals),
        looked_in=_within(looked_in, not_seen, FOLLOW_UP_WITHIN),
        breached=Share(sum(case.is_breached(now) for case in cases), len(cases)),
    )


def _is_gone_to(alert: Alert) -> bool:
    """Somebody set out, or somebody was to be there by now. What was settled by telephone is no late arrival."""
    if alert.en_route_at is not None or alert.on_site_at is not None:
        return True
    return alert.is_open and alert.ladder.site is not None


def _within(spans: Sequence[timedelta], waited: Sequence[timedelta], limit: timedelta) -> Share:
    """How many were within the limit, of those of which it is known: what still has time is not counted. `spans` are
    sorted."""
    return Share(bisect_right(spans, limit), len(spans) + sum(wait > limit for wait in waited))


def _median(spans: Sequence[timedelta]) -> timedelta | None:
    """Of spans that are sorted, to the second."""
    if not spans:
        return None
    middle = (spans[(len(spans) - 1) // 2] + spans[len(spans) // 2]) / 2
    return timedelta(seconds=round(middle.total_seconds()))


# --------------------------------------------------------------------------- as a sheet


FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of one."""


def sheet(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV that a spreadsheet reads as text and numbers: a name that begins like a formula is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: object) -> str:
    text = "" if value is None else str(value)
    is_number = isinstance(value, int | float)
    return f"'{text}" if text.startswith(FORMULAS) and not is_number else text
