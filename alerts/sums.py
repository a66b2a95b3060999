"""Many alerts summed up for whoever answers for them: how often each rule was right, and how each week went. Pure.

What is counted, and what is a false alarm, is said in `alerts.sla`; the verdict is the outcome that people gave.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.sla import Case, Figures, Share, figures_of
from gateway.domain import Judgement, Outcome


@dataclass(frozen=True, slots=True)
class Rule:
    """How often one rule had a part in what people were called for, and how often it was right by what was found."""

    code: str
    raised: int
    real: int
    false: int
    unsure: int  # no way in: neither

    @property
    def right(self) -> Share:
        """Its precision: of what was judged, the part that was so."""
        return Share(self.real, self.real + self.false)


def by_rule(cases: Iterable[Case]) -> list[Rule]:
    """Every rule that has called anybody, the most often wrong first."""
    raised: Counter[str] = Counter()
    found: Counter[tuple[str, Judgement]] = Counter()
    for case in cases:
        for code, judgement in case.rules:
            raised[code] += 1
            if judgement is not None:
                found[code, judgement] += 1
    real, false, unsure = Judgement.REAL, Judgement.FALSE, Judgement.UNSURE
    rules = [Rule(code, n, found[code, real], found[code, false], found[code, unsure]) for code, n in raised.items()]
    return sorted(rules, key=lambda rule: (-rule.false, -rule.raised, rule.code))


def by_outcome(cases: Iterable[Case]) -> list[tuple[Outcome, int]]:
    """What was found, the most frequent first."""
    return Counter(case.outcome for case in cases if case.outcome is not None).most_common()


@dataclass(frozen=True, slots=True)
class Week:
    """How one week went, from its Monday on."""

    begins: date
    figures: Figures


def by_week(cases: Sequence[Case], zone: ZoneInfo, now: datetime, weeks: int) -> list[Week]:
    """The last weeks, the present one last; a week without an alert stands there too."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    found: dict[date, list[Case]] = {monday - timedelta(weeks=n): [] for n in reversed(range(weeks))}
    for case in cases:
        day = case.raised_at.astimezone(zone).date()
        week = found.get(day - timedelta(days=day.weekday()))
        if week is not None:
            week.append(case)
    return [Week(begins, figures_of(some, now)) for begins, some in found.items()]
