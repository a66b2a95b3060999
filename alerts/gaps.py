"""Hours that are coming in which nobody of a grid could be called: told while somebody can still do something. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from alerts.catalogue import Catalogue
from gateway.domain import Delivery, Duty, Facts, Finding, Home, Monitoring, Person, Sending, Severity
from gateway.domain.home import GRID
from gateway.domain.rota import Spell
from gateway.ports import Directory

NO_RESPONDER = "no_responder"

AHEAD = timedelta(days=7)
"""How far ahead a sheet is looked at: a week is planned in the week before."""

SOON = timedelta(hours=12)
"""What begins sooner is told at any hour; anything else by day."""

BY_DAY = range(8, 20)

A_MOMENT = timedelta(microseconds=1)

OF_THE_HOUSEHOLD = frozenset({Duty.ELDER, Duty.FAMILY, Duty.KEY_HOLDER, Duty.VOLUNTEER, Duty.DOCTOR, Duty.MEDICAL})
"""Whom a household brings along itself; a grid must not rely on them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """From when until when nobody of a grid could be called."""

    since: datetime
    until: datetime


def works(trials: Iterable[Delivery]) -> Callable[[Person], bool]:
    """Whether a message could reach somebody: by one way at least, which did not fail when it was tried last."""
    failed = {(d.person, d.channel, d.address) for d in trials if d.state is Sending.FAILED}

    def can_be_reached(person: Person) -> bool:
        return any((person.id, reach.channel, reach.address) not in failed for reach in person.reaches)

    return can_be_reached


def duties_of_a_grid(catalogue: Catalogue) -> tuple[Duty, ...]:
    """Whom an emergency would call, apart from the household's own people."""
    rungs = catalogue.ladder("sos", Severity.EMERGENCY).rungs
    duties = dict.fromkeys(duty for rung in rungs for duty in rung.duties)
    return tuple(duty for duty in duties if duty not in OF_THE_HOUSEHOLD)


def gaps(
    grid: str,
    directory: Directory,
    now: datetime,
    until: datetime,
    duties: Sequence[Duty],
    reached: Callable[[Person], bool] = lambda person: bool(person.reaches),
) -> Iterator[Gap]:
    """The gaps of one grid, each from where it began; only the last is cut off where it is not looked any further."""
    at = now
    since: datetime | None = None
    while at < until:
        spells = [directory.on_call(grid, duty, at) for duty in duties]
        if staffed := [spell.until for spell in spells if _anybody([spell], reached)]:
            if since is not None:
                yield Gap(since, at)
            at, since = max(staffed), None
        else:
            if since is None:
                since = at if at > now else _began(grid, directory, at, duties, reached)
            at = min(spell.until for spell in spells)
    if since is not None:
        yield Gap(since, until)


def _began(
    grid: str, directory: Directory, at: datetime, duties: Sequence[Duty], reached: Callable[[Person], bool]
) -> datetime:
    """Since when nobody could be called; what is longer ago than it is looked ahead has no beginning."""
    since, earliest = at, at - AHEAD
    while since > earliest:
        spells = [directory.on_call(grid, duty, since - A_MOMENT) for duty in duties]
        if _anybody(spells, reached):
            break
        since = max(spell.since for spell in spells)
    return max(since, earliest)


def _anybody(spells: Iterable[Spell], reached: Callable[[Person], bool]) -> bool:
    return any(reached(one.person) for spell in spells for one in spell.people)


def watched(directory: Directory) -> list[Home]:
    """The grids in which any home is watched."""
    grids = {h.grid for h in directory.homes() if h.grid and h.state in (Monitoring.GUARDED, Monitoring.TRIAL)}
    places = (directory.home(GRID + grid) for grid in sorted(grids))
    return [place for place in places if place is not None]


def findings(
    place: Home,
    directory: Directory,
    now: datetime,
    trials: Iterable[Delivery] = (),
    catalogue: Catalogue | None = None,
) -> list[Finding]:
    """What is to be told about the coming days of a grid: its first gap, and whoever is on duty there and cannot be
    reached. The same gap is the same finding, however often it is looked for."""
    return list(_of(place, directory, now, duties_of_a_grid(catalogue or Catalogue()), works(trials)))


def _of(
    place: Home, directory: Directory, now: datetime, duties: Sequence[Duty], reached: Callable[[Person], bool]
) -> Iterator[Finding]:
    there = now.astimezone(place.zone)
    is_day = there.hour in BY_DAY
    monday = datetime.combine(there.date() - timedelta(days=there.weekday()), time.min, place.zone).astimezone(
        now.tzinfo
    )
    gap = next(gaps(place.grid, directory, now, now + AHEAD, duties, reached), None)
    if gap is not None and (is_day or gap.since < now + SOON):
        # What has no beginning is told anew each week.
        since = max(gap.since, monday) if gap.since <= now else gap.since
        yield _finding(place, since, now, facts=(("until", gap.until.isoformat()), ("grid", place.name)))
    if not is_day:
        return
    for person, duty, at in _unreachable(place, directory, now, duties, reached):
        facts = (("name", person.name), ("duty", duty.value), ("on_duty_at", at.isoformat()), ("grid", place.name))
        yield _finding(place, monday, now, subject=person.id, facts=facts)


def _unreachable(
    place: Home, directory: Directory, now: datetime, duties: Sequence[Duty], reached: Callable[[Person], bool]
) -> Iterator[tuple[Person, Duty, datetime]]:
    """Whoever will be on duty in the coming days and cannot be told of anything, with when that begins."""
    rota = directory.rota()
    keys = [(code, duty) for duty in duties for code in rota.above.get(place.grid, ())]
    named = {post.person for key in keys for post in rota.posts.get(key, ())}
    shifts = [shift for key in keys for shift in rota.shifts.get(key, ())]
    named |= {shift.person for shift in shifts} | {swap.person for swap in rota.swaps.values()}
    people = (directory.person(name) for name in sorted(named))
    mute = {person.id for person in people if person is not None and not reached(person)}
    for duty in duties:
        at = now
        while mute and at < now + AHEAD:
            spell = directory.on_call(place.grid, duty, at)
            for one in spell.people:
                if one.person.id in mute:
                    mute.remove(one.person.id)
                    yield one.person, duty, at
            at = spell.until


def _finding(place: Home, since: datetime, now: datetime, *, subject: str = "", facts: Facts = ()) -> Finding:
    return Finding(
        home=place.id, code=NO_RESPONDER, severity=Severity.MEDIUM, since=since, at=now, subject=subject, facts=facts
    )
