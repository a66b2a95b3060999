"""Reads what was stored and what was said, and nothing else: which promises were broken?

The invariants stand in the order of docs/reliability.md. Whoever adds one shows in tests/simulation that it can fail.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from alerts.incident import BEFORE_ANYBODY_COMES, codes_of
from detectors.ear import PATIENCE
from gateway.domain import Alert, Duty, Entry, Purpose, Sending, State
from gateway.week.diary import Books, Week
from gateway.week.luck import HUB_INTERVAL

HASTE = ("failed", "answered", "coordinates", "family", "worse", "rings-again", "lapsed", "mended")
"""What makes the next rung due at once, or gives an alert another ladder."""

LONGEST_DOWN = timedelta(hours=2)
"""A gateway that fell is up again by then, whatever befalls it on the way."""

A_MOMENT = timedelta(minutes=1)

AT_FIRST = timedelta(hours=11)
"""As long a silence is told in a home that nobody knows yet, and a little more."""

OF_SILENCE = ("inactivity", "not_returned")


def check(week: Week, books: Books) -> list[str]:
    """Every promise that did not hold, each in a sentence."""
    return list(_broken(week, books))


def _broken(week: Week, books: Books) -> Iterator[str]:
    yield from _presses_are_taken_up(week, books)
    yield from _nobody_is_called_after_somebody_came(week)
    yield from _nothing_is_said_twice(week)
    yield from _nobody_reads_of_a_home_that_is_not_theirs(week, books)
    yield from _nobody_who_is_not_heard_is_called_inactive(week, books)
    yield from _times_never_go_back(week, books)
    yield from _the_silent_are_found(week, books)
    yield from _the_dark_are_told(week, books)
    for alert in books.alerts:
        yield from _somebody_is_told(alert, books)
        yield from _the_ladder_is_climbed_in_order(alert, books.history[alert.id])
        yield from _no_rung_is_climbed_early(alert, books.history[alert.id])
        yield from _nobody_is_called_twice_in_a_round(alert, books)
        yield from _is_somebodys(alert, books)
        yield from _has_a_reason(alert)


# --------------------------------------------------------------------------- I1, I2: taken in, and told


def _presses_are_taken_up(week: Week, books: Books) -> Iterator[str]:
    """I1: what was acknowledged is an incident; and somebody was told of it, is being called, or she took it back."""
    for home, at in week.presses:
        taking = [
            alert
            for alert in books.alerts
            if alert.home == home
            and "sos" in codes_of(alert)
            and (week.journal.raised(alert) >= at or week.journal.over.get(alert.id, at) >= at)
        ]
        if not taking:
            yield f"the press in {home} at {at:%d %H:%M:%S} opened no alert"
        elif not any(_has_told(alert, books) or _rings(alert) or alert.state is State.CANCELLED for alert in taking):
            yield f"the press in {home} at {at:%d %H:%M:%S} reached nobody and rings no more"


def _somebody_is_told(alert: Alert, books: Books) -> Iterator[str]:
    """I2: of every incident somebody was told, or a message still waits, or its next rung does."""
    waits = any(d.state is Sending.WAITING for d in books.deliveries[alert.id])
    speaks_for_it = alert.incident not in ("", alert.id)
    if alert.is_open and not (_has_told(alert, books) or waits or _rings(alert) or speaks_for_it):
        yield f"nobody was told of {alert.id}, and nobody will be"


def _has_told(alert: Alert, books: Books) -> bool:
    """A carrier took it; or somebody acted on it although the carrier never said that it had gone out."""
    if alert.accepted_at is not None:
        return True
    return any(d.state is Sending.SENT and d.purpose is Purpose.PAGE for d in books.deliveries[alert.id])


def _rings(alert: Alert) -> bool:
    return alert.is_ringing and alert.next_at is not None


# --------------------------------------------------------------------------- I3: the ladder


def _the_ladder_is_climbed_in_order(alert: Alert, history: list[Entry]) -> Iterator[str]:
    """No step is skipped, none comes twice."""
    steps = [
        (int(dict(e.facts)["round"]), int(dict(e.facts)["rung"]))
        for e in history
        if "rung" in dict(e.facts) and "round" in dict(e.facts)
    ]
    if len(steps) != len(set(steps)):
        yield f"a rung of {alert.id} was climbed twice: {steps}"
    if steps != sorted(steps):
        yield f"the ladder of {alert.id} was climbed out of order: {steps}"
    for (round_, rung), following in pairwise(steps):
        if following[0] == round_ and following[1] != rung + 1:
            yield f"a rung of {alert.id} was skipped: {steps}"


def _no_rung_is_climbed_early(alert: Alert, history: list[Entry]) -> Iterator[str]:
    """Each rung has its time, unless something was said or found out that makes the next one due at once."""
    before: tuple[Entry, datetime] | None = None
    by_this_ladder = max((n for n, entry in enumerate(history) if entry.what == "worse"), default=0)
    # Whoever had been called before it grew worse is called again at once, rung by rung.
    at_once = {entry.at for entry in history if entry.what == "worse"}
    # What cannot wait while the resident is asked passes over whoever would only be asked.
    pressing = {entry.at for entry in history if entry.what == "joined"}
    for entry in history[by_this_ladder:]:
        if entry.what not in ("told", "empty"):
            # Nobody waits for whoever cannot be reached; and what grew worse has another ladder.
            before = None if entry.what in HASTE else before
            continue
        facts = dict(entry.facts)
        due = entry.at - timedelta(seconds=int(facts.get("late_s", "0")))
        if before is not None and facts["round"] == dict(before[0].facts)["round"]:
            rung = alert.ladder.rungs[int(dict(before[0].facts)["rung"])]
            told = set(dict(before[0].facts)["duty"].split(","))
            waited_for = {duty.value for duty in rung.waited_for}
            if alert.coordinator:
                waited_for -= {Duty.ELDER, Duty.FAMILY}  # they have answered
            waited = before[0].what == "told" and told & waited_for
            if entry.at in pressing and BEFORE_ANYBODY_COMES.issuperset(rung.duties):
                waited = set()
            if waited and entry.at not in at_once and due < before[1] + rung.wait - timedelta(seconds=3):
                yield f"a rung of {alert.id} was climbed {before[1] + rung.wait - due} early"
        before = entry, due


def _nobody_is_called_after_somebody_came(week: Week) -> Iterator[str]:
    """Nobody is paged for what somebody has, and nobody who keeps it together from afar."""
    for carried in week.carried:
        delivery = carried.delivery
        if delivery.purpose is not Purpose.PAGE:
            continue
        entries = week.journal.entries[delivery.alert]
        if any(begin < carried.began < end for begin, end in _owned(entries)):
            yield f"{delivery.person} was paged for {delivery.alert} while somebody had it"
        if any(e.what == "coordinates" and e.who == delivery.person and at < carried.began for at, e in entries):
            yield f"{delivery.person} coordinates {delivery.alert} and was paged for it"


def _owned(entries: list[tuple[datetime, Entry]]) -> Iterator[tuple[datetime, datetime]]:
    """While somebody had it: from each acceptance until it was resolved or rang again."""
    begin: datetime | None = None
    for at, entry in entries:
        if entry.what == "accepted":
            begin = at
        elif entry.what in ("rings-again", "lapsed", "worse", "resolved") and begin is not None:
            yield begin, at
            begin = None
    if begin is not None:
        yield begin, datetime.max.replace(tzinfo=UTC)


def _nobody_is_called_twice_in_a_round(alert: Alert, books: Books) -> Iterator[str]:
    told = [
        (d.person, d.channel, d.address, dict(d.facts).get("round", ""))
        for d in books.deliveries[alert.id]
        if d.purpose is Purpose.PAGE and d.state is Sending.SENT
    ]
    if len(told) != len(set(told)):
        yield f"somebody was called twice in one round of {alert.id}"


def _nothing_is_said_twice(week: Week) -> Iterator[str]:
    """One notice may be repeated for each fall between sending and writing down that it was sent."""
    known: dict[str, int] = defaultdict(int)
    repeated = 0
    for carried in week.carried:
        repeated += known[carried.delivery.id] > 0
        known[carried.delivery.id] += carried.is_known
    if repeated > week.falls:
        yield f"{repeated} messages were repeated in {week.falls} falls"


def _is_somebodys(alert: Alert, books: Books) -> Iterator[str]:
    """What is open rings or has an owner, and is looked at again, soon enough; what nobody does anything about rings
    again."""
    if not alert.is_open:
        return
    due, lapse = alert.due_at, alert.ladder.lapse
    if due is None or not (alert.is_ringing or alert.owner):
        yield f"{alert.id} is open, and nobody will ever look at it again"
    elif due < books.now - LONGEST_DOWN:
        yield f"{alert.id} should have been looked at {books.now - due} ago"
    elif due > books.now + _longest(alert):
        yield f"{alert.id} will only be looked at in {due - books.now}"
    if alert.state is State.ACCEPTED and lapse and alert.owned_at and books.now > alert.owned_at + lapse + LONGEST_DOWN:
        yield f"{alert.id} was accepted by {alert.owner} and forgotten"


def _longest(alert: Alert) -> timedelta:
    """Nothing that a ladder asks for lies further ahead, unless a clock was wrong when it was written down."""
    ladder = alert.ladder
    spans = (ladder.repeat, ladder.ack, ladder.remind, ladder.lapse, ladder.site, *(rung.wait for rung in ladder.rungs))
    return timedelta(days=1) + sum((span for span in spans if span is not None), timedelta(0))


# --------------------------------------------------------------------------- I4: homes are sealed


def _nobody_reads_of_a_home_that_is_not_theirs(week: Week, books: Books) -> Iterator[str]:
    """I4: no notice names a home that its receiver may not see."""
    home_of = {alert.id: alert.home for alert in books.alerts}
    for carried in week.carried:
        letter, delivery = carried.letter, carried.delivery
        text = f"{letter.title} {letter.body} {letter.link} {letter.household}"
        named = {home for home, names in week.names.items() if any(name in text for name in (*names, f"/{home}/"))}
        named |= {home_of[delivery.alert]} & week.names.keys() if delivery.alert in home_of else set()
        for home in sorted(named - week.may_see[delivery.person]):
            yield f"{delivery.person} was written to about {home} and has nothing to do with it: {letter.title}"


# --------------------------------------------------------------------------- I5: silence of whom we hear


def _nobody_who_is_not_heard_is_called_inactive(week: Week, books: Books) -> Iterator[str]:
    """I5: of an inactive person the devices were heard just before; else the hub is silent, and not she."""
    for alert in books.alerts:
        if alert.code != "inactivity":
            continue
        at = week.journal.raised(alert)
        heard = max((then for then in week.heard[alert.home] if then <= at), default=week.start)
        was_down = any(begin <= at and heard <= end + A_MOMENT for begin, end in week.down)
        if at - heard > HUB_INTERVAL * PATIENCE + A_MOMENT and not was_down:
            yield f"{alert.home} was told as inactive at {at:%d %H:%M}, and was last heard at {heard:%d %H:%M}"


# --------------------------------------------------------------------------- I6, I7: what is written down


def _times_never_go_back(week: Week, books: Books) -> Iterator[str]:
    """I6: the times of the audit trail and of a history go on, but by as much as somebody set the clock back."""
    trails = {"the audit trail": [act.at for act in books.acts if act.at >= week.start - timedelta(days=30)]}
    trails |= {f"the history of {alert}": [entry.at for entry in kept] for alert, kept in books.history.items()}
    for trail, times in trails.items():
        back = sum((max(one - other, timedelta(0)) for one, other in pairwise(times)), timedelta(0))
        if back > week.put_back:
            yield f"{trail} goes back by {back}; the clock was set back by {week.put_back}"


def _has_a_reason(alert: Alert) -> Iterator[str]:
    """I7: every alert says why, with numbers: how long, since when, how much."""
    for finding in (alert.finding, *(joined.finding for joined in alert.also)):
        if not any(_is_a_number(value) for _, value in finding.facts):
            yield f"{alert.id} gives no reason with numbers for {finding.code}: {finding.facts}"


def _is_a_number(value: str) -> bool:
    for kind in (float, datetime.fromisoformat):
        with suppress(ValueError):
            kind(value)
            return True
    return False


# --------------------------------------------------------------------------- what there was to be found


def _the_silent_are_found(week: Week, books: Books) -> Iterator[str]:
    for home, since in week.silent.items():
        found = [
            finding.id
            for alert in books.alerts
            for finding in (alert.finding, *(joined.finding for joined in alert.also))
            if alert.home == home and finding.code in OF_SILENCE
        ]
        if not any(week.journal.found[one] >= since for one in found) and _has_lasted(week, home, since):
            yield f"{home} has been silent since {since:%d %H:%M} and nobody was told"


def _has_lasted(week: Week, home: str, since: datetime) -> bool:
    """Long enough to be told: in a first week ten hours; twice that and what was missed, where part was not seen.

    What was dated by a clock of the gateway's that was ahead lies as far ahead once the clock is put right.
    """
    heard = [since, *(at for at in week.heard.get(home, ()) if at > since)]
    gaps = [other - one for one, other in pairwise(heard)]
    missed = sum((gap for gap in gaps if gap > HUB_INTERVAL * PATIENCE), timedelta(0))
    told_by = AT_FIRST * (2 if missed else 1) + missed + week.put_back + A_MOMENT
    return heard[-1] == since or heard[-1] - since > told_by


def _the_dark_are_told(week: Week, books: Books) -> Iterator[str]:
    for home, (since, until) in week.dark.items():
        was_up = not any(begin < until and since < end for begin, end in week.down)
        told = [alert for alert in books.alerts if alert.home == home and alert.code == "home_silent"]
        if until - since > HUB_INTERVAL * 4 and was_up and not any(week.journal.raised(a) >= since for a in told):
            yield f"{home} went dark at {since:%d %H:%M} and nobody was told"
