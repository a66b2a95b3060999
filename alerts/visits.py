"""探访: how often somebody goes to a home without being called, and where that is due. Pure, but for what it asks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.gaps import A_MOMENT, BY_DAY
from gateway.domain import Elder, Finding, Home, Monitoring, Outcome, Override, Profile, Risk, Severity
from gateway.domain.plan import ABSENCE, OFF, VISIT_DUE, VISIT_ON
from gateway.domain.visit import Visit
from gateway.ports import AlertStore, Directory

A_DAY = timedelta(days=1)

USUAL: Mapping[Risk, timedelta] = {Risk.HIGH: 7 * A_DAY, Risk.KEY: 30 * A_DAY, Risk.GENERAL: 90 * A_DAY}
"""高风险 weekly, 重点 monthly, 一般 quarterly, where no plan says otherwise; who has no class is not planned for."""

AGAIN = A_DAY
"""After a visit at which somebody needed help they are looked in on again."""

SOON = 3 * A_DAY
"""So long before it is due a visit stands on the list of a day, at most; a weekly one a day before."""

TOLD_AT_ONCE = 3
"""Of one grid, in one look: whoever begins to keep visits with forty overdue is not told of forty in one minute."""

OUTCOMES: Mapping[Elder, Outcome] = {
    Elder.WELL: Outcome.ELDER_SAFE,
    Elder.NEEDS_HELP: Outcome.ASSISTANCE_GIVEN,
    Elder.IN_HOSPITAL: Outcome.ELDER_AWAY,
    Elder.MOVED: Outcome.ELDER_AWAY,
    Elder.DECEASED: Outcome.DECEASED,
}
"""What a visit was to find out, as it settles the alert that asked for it."""


@dataclass(frozen=True, slots=True)
class Due:
    """When somebody has to go to a home next, and since when nobody has been there."""

    home: Home
    every: timedelta | None  # None: only on a day that was set
    last: Visit | None
    since: datetime | None  # None: nobody knows since when to count
    at: datetime | None  # None: nobody has ever been there, as far as is known

    def is_due(self, now: datetime) -> bool:
        return self.at is None or self.at <= now

    def is_soon(self, now: datetime) -> bool:
        ahead = SOON if self.every is None else min(SOON, self.every / 7)
        return self.at is None or self.at <= now + ahead


def dues(
    homes: Iterable[Home], directory: Directory, visited: Iterable[Visit], plans: Mapping[str, Sequence[Override]]
) -> list[Due]:
    """Of every home that is watched and planned for, what is due first in front. `plans` as they hold now."""
    last = {visit.home: visit for visit in visited}
    profiles = directory.profiles()
    found = []
    for home in homes:
        if home.state not in (Monitoring.TRIAL, Monitoring.GUARDED):
            continue
        due = _of(home, profiles, last.get(home.id), plans.get(home.id, ()))
        if due is not None:
            found.append(due)
    return sorted(found, key=lambda due: (due.at is not None, due.at or due.since, due.home.id))


def _of(home: Home, profiles: Mapping[str, Profile], last: Visit | None, plan: Sequence[Override]) -> Due | None:
    said = {line.key: line for line in plan}  # the nearest comes last
    if ABSENCE in said:
        return None  # nobody is there to be visited
    every, line = _usual(home, profiles), said.get(VISIT_DUE)
    if line is not None:
        every = None if line.value == OFF else timedelta(days=float(line.value))
    if last is not None and last.elder is Elder.NEEDS_HELP:
        every = min(every or AGAIN, AGAIN)
    day = said.get(VISIT_ON)
    if day is not None and (last is None or last.at < day.since):
        return Due(home, every, last, day.since, day.since)
    if every is None:
        return None
    since = last.at if last else home.trial_until or (line.since if line else None)
    return Due(home, every, last, since, since + every if since else None)


def _usual(home: Home, profiles: Mapping[str, Profile]) -> timedelta | None:
    profile = profiles.get(home.person)
    return USUAL.get(profile.risk) if profile else None


def planned(homes: Sequence[Home], directory: Directory, visited: Iterable[Visit], now: datetime) -> list[Due]:
    """The same of these homes, as their plans stand."""
    return dues(homes, directory, visited, directory.plans((home.id for home in homes), now))


def findings(dues: Iterable[Due], alerts: AlertStore, now: datetime) -> Iterator[Finding]:
    """What is to be told, by day: each time that nobody has been there for too long is one finding, however often it
    is looked for. Whoever came because of an alert has been there."""
    told: dict[str, int] = {}
    for due in dues:
        home = due.home
        if due.at is None or due.since is None or due.at > now or now.astimezone(home.zone).hour not in BY_DAY:
            continue
        if told.get(home.grid, 0) >= TOLD_AT_ONCE:
            continue
        known = alerts.raised(due.since, now + A_MOMENT, home=home.id)
        if any(one.on_site_at is not None and one.on_site_at > due.since for one in known):
            continue
        finding = Finding(home=home.id, code=VISIT_DUE, severity=Severity.CARE, since=due.since, at=now)
        if all(one.code != VISIT_DUE or one.finding.since != due.since for one in known):
            told[home.grid] = told.get(home.grid, 0) + 1
            yield finding
