"""What belongs together: the findings of one incident, what another alert says better, a street that has gone dark.

Pure: everything is decided on plain facts that are handed in, and time is one of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.maintenance import TEST, is_held
from gateway.domain import Alert, Delivery, Duty, Finding, Joined, Judgement, Ladder, Outcome, Sending, Severity

FIRE = frozenset({"smoke", "gas", "co"})
"""Dangers of the house itself: they outrank whatever else is equally bad, for whoever goes in must know of them."""

OF_ONE_DEVICE = frozenset({Outcome.ACCIDENTAL_PRESS, Outcome.SENSOR_FAULT, Outcome.SENSOR_PLACEMENT})
"""What was wrong with a button or a sensor speaks of what leads the incident. How she was found speaks of all of it."""

BEFORE_ANYBODY_COMES = frozenset({Duty.ELDER, Duty.FAMILY})

APART = frozenset({TEST, "no_responder", "area_outage"})
"""What is never part of another incident, however bad it is."""

TOGETHER = timedelta(hours=1)
"""What is found longer after the last that was found is an incident of its own, once somebody has had the first for as
long: that person has long been there. While nobody has it, everything found in the home belongs to it."""

HUB = "home_silent"
SAID_BY_THE_HUB = frozenset({"device_offline", "device_mute", "device_stuck", "link_weak"})
"""What is concluded from a device's silence says nothing while its hub is silent."""

OUTAGE = "area_outage"
MANY_HOMES, ONE_IN = 5, 100
WITHIN = timedelta(minutes=10)
"""An area has gone dark when so many of its homes, and one in so many of those that are watched there, fell silent
within these minutes. Single hubs fail too: if each did once a week, one home in a thousand would fall silent in any ten
minutes. Five together are no chance in a street, nor are fifty in a district of five thousand."""

NEARLY_ALL = 0.9
"""An area is called dark when it has this part of the dark homes in it; the others have reasons of their own."""

GOES_ON = timedelta(hours=1)
"""A home that falls silent so long after the last one still belongs to the outage of its area: lines fail by and by."""

LOOK_WHETHER_OVER = timedelta(minutes=2)
"""What another alert speaks for is looked at this often: the other may be over, and this one with it."""

SETTLES = timedelta(minutes=10)
"""What comes back comes one after the other: so long after its hub is heard again, or after its area's outage was
resolved, a device or a home has to speak before its own silence is told."""

STORM, CALLS_AT_ONCE = timedelta(minutes=2), 3
"""Whoever was called about so many alerts within these minutes hears of the next, unless it is an emergency, when they
have passed: all of it in one message."""

ENOUGH_CALLS = 30
"""So many of somebody's newest calls, by each way one, tell whether there are many."""

GRACE = timedelta(seconds=5)
"""What is to be said in one message is put together by then; else each goes by itself."""

BUNDLED = "bundled_until"
"""The fact of a call that waits, to be said in one message with others."""

SETTLING = "settles_at"
"""The fact that says until when what is muted may still come back by itself."""


# --------------------------------------------------------------------------- one incident of people


def merges(code: str, severity: Severity, usual: Severity | None) -> bool:
    """Whether this is about the people of a home, so that it is one incident with what else is found of them now.

    `usual` is how bad the catalogue calls the code, None where it does not know it. Equipment stands alone: it never
    hides a person's incident, nor hides in one. So do care hints, which wait for the next visit, and what nobody wrote
    into the catalogue.
    """
    if code in APART or usual in (None, Severity.TECHNICAL):
        return False
    return severity.worse_than(Severity.CARE)


def taking(
    finding: Finding,
    open_alerts: Sequence[Alert],
    usual: Callable[[str], Severity | None],
    now: datetime,
    *,
    alone: bool = False,
) -> Alert | None:
    """The open alert of this home that takes the finding in; None: it is a new one.

    What is about people goes to the worst incident that is going on about the same person, and of several to the one
    that has the same in it already. Whatever is no part of that, or is held back (`alone`), only meets its like.
    """
    same = [alert for alert in open_alerts if _key(finding) in ((alert.code, alert.subject), _key(alert.finding))]
    if not alone and merges(finding.code, finding.severity, usual(finding.code)):
        incidents = [alert for alert in open_alerts if merges(alert.code, alert.severity, usual(alert.code))]
        going_on = [alert for alert in incidents if _goes_with(alert, finding, now)]
        again = [alert for alert in going_on if alert in same or _has_beside(alert, finding)]
        if going_on:
            return again[-1] if again else min(going_on, key=lambda alert: alert.severity.value)
        same = [alert for alert in same if alert not in incidents or is_held(alert)]
    return same[-1] if same else None


def outranks(finding: Finding, alert: Alert) -> bool:
    """Whether people are called anew for it: it is worse, or it is a fire where there was none."""
    if finding.severity is alert.severity:
        return finding.code in FIRE and alert.code not in FIRE
    return finding.severity.worse_than(alert.severity)


def is_seconded(alert: Alert, finding: Finding) -> bool:
    """Another detector says too that the house is in danger: two do not err at once, so nobody waits to be sure."""
    said = {alert.finding, *(one.finding for one in alert.also)}
    sensors = {one.fact("sensor") for one in said if one.code in FIRE} - {""}
    return finding.code in FIRE and bool(sensors) and finding.fact("sensor") not in {"", *sensors}


def led_by(alert: Alert, finding: Finding, now: datetime) -> Alert:
    """The incident with this at its head; what led it so far stands beside it."""
    if finding.code == alert.code:
        also, count = alert.also, alert.count + (finding.id != alert.finding.id)
    else:
        before = next((one for one in alert.also if _key(one.finding) == _key(finding)), None)
        also = tuple(one for one in alert.also if one is not before)
        also = _with(also, Joined(finding=alert.finding, count=alert.count))
        count = 1 + (before.count if before else 0)
    return replace(
        alert,
        code=finding.code,
        subject=alert.subject or _person(finding),
        severity=finding.severity,
        finding=finding,
        also=also,
        count=count,
        last_at=now,
        worse_at=now,
    )


def joined_by(alert: Alert, finding: Finding, now: datetime) -> Alert:
    """The incident with this as evidence: a repeat of what leads it is counted, anything else stands in `also`.

    It shows the newest of what is equally bad; a lesser one of the same is only counted.
    """
    if finding.id == alert.finding.id:  # the same cause, not another press
        return alert
    alert = replace(alert, last_at=now, subject=alert.subject or _person(finding))
    if finding.code != alert.code:
        return replace(alert, also=_with(alert.also, Joined(finding=finding)))
    alert = replace(alert, count=alert.count + 1)
    if finding.severity is alert.severity and finding.at >= alert.finding.at:
        return replace(alert, finding=finding)
    return alert


def codes_of(alert: Alert) -> tuple[str, ...]:
    """What all was found in it: first what leads, then what stands beside it."""
    return (alert.code, *(one.finding.code for one in alert.also))


def verdicts(alert: Alert) -> Iterator[tuple[Finding, Judgement | None]]:
    """Each rule that had a part in it, and whether it was right by what was found there; None: nobody has said yet."""
    outcome = alert.outcome
    yield alert.finding, outcome.judgement if outcome else None
    for one in alert.also:
        if one.finding.code != alert.code:
            beside = Judgement.UNSURE if outcome in OF_ONE_DEVICE else outcome.judgement if outcome else None
            yield one.finding, beside


def until_called(ladder: Ladder, rung: int = 0) -> timedelta:
    """How long a ladder takes from this rung until somebody is called who can come; asking and the family go before."""
    wait = timedelta(0)
    for one in ladder.rungs[rung:]:
        if not BEFORE_ANYBODY_COMES.issuperset(one.duties):
            break
        wait += one.wait
    return wait


def rung_within(ladder: Ladder, left: timedelta) -> int:
    """The first rung from which somebody who can come is called within that time."""
    return next((rung for rung in range(len(ladder.rungs)) if until_called(ladder, rung) <= left), 0)


def time_left(alert: Alert, now: datetime) -> timedelta:
    """How long until this ringing incident calls somebody who can come, while it has called nobody who can."""
    if alert.next_at is None:
        return timedelta.max
    return max(alert.next_at - now, timedelta(0)) + until_called(alert.ladder, alert.rung)


def _has_beside(alert: Alert, finding: Finding) -> bool:
    return any(_key(one.finding) == _key(finding) for one in alert.also)


def _goes_with(alert: Alert, finding: Finding, now: datetime) -> bool:
    """About the same person, or about nobody in particular, and not after it was as good as over."""
    if is_held(alert):
        return False  # nobody knows of it yet
    if alert.subject and _person(finding) not in ("", alert.subject):
        return False
    newest = max(at for at in (alert.raised_at, alert.last_at, alert.owned_at) if at is not None)
    return alert.is_ringing or now - newest <= TOGETHER


def _person(finding: Finding) -> str:
    """Whom it is about; a fire is everybody's."""
    return "" if finding.code in FIRE else finding.subject


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.subject


def _with(also: tuple[Joined, ...], new: Joined) -> tuple[Joined, ...]:
    """`also` with one more; the same found again takes the place of the older one, and is counted."""
    for place, one in enumerate(also):
        if _key(one.finding) == _key(new.finding):
            newest = max(one.finding, new.finding, key=lambda finding: finding.at)
            both = Joined(finding=newest, count=one.count + new.count)
            return (*also[:place], both, *also[place + 1 :])
    return (*also, new)


# --------------------------------------------------------------------------- what another alert says better


def settling(finding: Finding, until: datetime | None) -> Finding:
    """The finding of a muted alert, marked with until when what it is about may still come back by itself."""
    facts = tuple(fact for fact in finding.facts if fact[0] != SETTLING)
    return replace(finding, facts=facts if until is None else (*facts, (SETTLING, until.isoformat())))


def spoken_for_by(open_alerts: Iterable[Alert]) -> Alert | None:
    """The open alert of the same home that says more than the silence of a device (`SAID_BY_THE_HUB`) would."""
    return next((alert for alert in open_alerts if alert.code == HUB), None)


def muted_by(alert: Alert, open_alerts: Iterable[Alert]) -> list[Alert]:
    """Which ringing alerts of the same home this one makes superfluous."""
    if alert.code != HUB:
        return []
    return [other for other in open_alerts if other.code in SAID_BY_THE_HUB and other.is_ringing and not is_held(other)]


# --------------------------------------------------------------------------- many calls to one person


def bundled_until(calls: Iterable[Delivery], alert: str, now: datetime) -> datetime | None:
    """Until when a further call to somebody waits, to be said in one message with others; None: it is made now.

    `calls` are those of the last minutes to this person. The first few go at once; whatever is no emergency and comes
    after them waits, and goes with what waits already.
    """
    calls = list(calls)
    gathering = [moment for call in calls if (moment := gathered_at(call)) is not None and moment > now]
    if gathering:
        return min(gathering)
    others = {call.alert for call in calls if call.alert != alert and call.created_at > now - STORM}
    return now + STORM if len(others) >= CALLS_AT_ONCE else None


def gathered_at(call: Delivery) -> datetime | None:
    """When what waits with this call is said in one message."""
    until = dict(call.facts).get(BUNDLED, "")
    return datetime.fromisoformat(until) if until and call.state is Sending.WAITING else None


def bundled(call: Delivery, until: datetime) -> Delivery:
    """The call, put off till then; later if it waits for other ways of the same person anyway."""
    wait = timedelta(0) if call.next_at is None else call.next_at - call.created_at
    return replace(call, facts=(*call.facts, (BUNDLED, until.isoformat())), next_at=until + GRACE + wait)


def unbundled(call: Delivery, now: datetime) -> Delivery:
    until = gathered_at(call)
    later = None if until is None or call.next_at is None else call.next_at - until - GRACE
    return replace(call, next_at=now + later if later else None)


# --------------------------------------------------------------------------- an area that has gone dark


@dataclass(frozen=True, slots=True)
class Outage:
    """Many homes of one area that fell silent within minutes."""

    area: str
    homes: tuple[str, ...]


def outage_at(home: str, dark: Mapping[str, Sequence[str]], watched: Mapping[str, int]) -> Outage | None:
    """The area that has gone dark around this home, if one has.

    `dark` are the watched homes that fell silent within the last minutes, each with the areas in which it lies, the
    smallest first; `watched` says how many homes of each area are. The widest area in which enough of them are dark
    counts; it is called by the smallest one that has nearly all of them in it, so that a dark street is not called a
    dark district.
    """
    around = dark.get(home, ())
    for area in reversed(around):
        hit = [other for other, areas in dark.items() if area in areas]
        if len(hit) < MANY_HOMES or len(hit) * ONE_IN < watched[area]:
            continue
        held = Counter(one for other in hit for one in dark[other])
        enough = [one for one, count in held.items() if count >= NEARLY_ALL * len(hit)]
        if set(enough) <= set(around):  # else it is dark over there, and this home fell silent for a reason of its own
            called = min(enough, key=around.index)
            return Outage(called, tuple(sorted(other for other in hit if called in dark[other])))
    return None


def about_area(finding: Finding, area: str, name: str) -> Finding:
    """The finding of an outage, of this area."""
    return replace(finding, subject=area, facts=(("area", name),))


def wider(area: str, outages: Iterable[Alert], lines: Iterable[Sequence[str]]) -> list[Alert]:
    """The outages of places within this area: they have grown into one. `lines` are the grids, each with the areas
    around it, the smallest first."""
    within = {one for areas in lines if area in areas for one in areas[: areas.index(area) + 1]}
    return [alert for alert in outages if alert.subject in within]


def outage_of(home: str, outages: Iterable[Alert], places: Mapping[str, Sequence[str]], now: datetime) -> Alert | None:
    """The outage that is going on in an area of this home."""
    around = places.get(home, ())
    for alert in outages:
        if alert.subject in around and now - (alert.last_at or alert.raised_at) <= GOES_ON:
            return alert
    return None
