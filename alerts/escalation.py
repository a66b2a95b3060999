"""Whether anybody is told, whom next, and why. Pure: nothing is looked up here, nothing is written, time is given."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.incident import SETTLES, outranks
from alerts.maintenance import LOOK_AGAIN, is_held
from gateway.domain import Alert, Duty, Finding, State

SHORTEST_ROUND = timedelta(seconds=1)
"""However a ladder was configured, it never starts again sooner than this."""

HASTE = timedelta(seconds=5)
"""Two processes may read the clock this far apart before one of them comes to act; that is no clock put back."""

HELD_FOR_LIFE = timedelta(minutes=30)
"""Signs of life hold the next rung for so long, once: somebody may confirm that all is well before others are woken."""

STILL_THERE = (timedelta(hours=1), timedelta(hours=3), timedelta(hours=5), timedelta(hours=10))
"""Whoever is there and writes nothing down is asked after these, and then once a day."""


class Reason(StrEnum):
    """Why somebody was told or was not, why an act was done or refused."""

    # about a finding
    NEW = "a new alert"
    WORSE = "more severe than the alert already open: called again from the start"
    AGAIN = "again: whoever has it was told"
    RINGING = "again: people are being called already"
    KNOWN = "this was known already"
    HELD = "held back while somebody works in the home"
    HUSHED = "held back until the quiet hours or the silence are over"
    TESTED = "an announced test of a button: kept, and nobody is called"
    # about a person's act
    DONE = "done"
    YOURS = "you have accepted it already"
    TAKEN = "somebody else has accepted it"
    COORDINATES = "you coordinate; somebody who can be there is being called"
    NOT_YOURS = "only whoever has it hands it over"
    NO_SUCH_PERSON = "there is nobody of this name, or no way to reach them"
    NOT_BY_WORD = "no word from afar ends this alert: somebody must look"
    ASK_AGAIN = "an emergency is ended by a word only when it is said once more that it is sure"
    NO_END = "with somebody else until when? The end must lie ahead, at most 30 days"
    NOTED = "noted; the alert stays with whoever has it"
    CANCELLED = "the resident has taken it back"
    OVER = "it was resolved already"
    CLOSED = "it was closed already"
    NO_OUTCOME = "an alert is not resolved without an outcome"
    UNRESOLVED = "an alert is not closed before it was resolved"
    UNVISITED = "after something real an alert is not closed before somebody has looked in again"
    NOT_GOING = "only whoever has it, and is not there yet, gives it back"
    NOT_TOLD = "only whoever was told of it, and is still registered, answers by telephone or link"
    NOT_FAMILY = "only a member of the family says this"
    NO_WORDS = "this needs a word or two of why"
    NO_ELDER = "a follow-up says how the resident is"
    WRONG_CODE = "that is not the code of this home's door"
    PRESSED_LONG_AGO = "it was pressed so long ago that it may not hold any more"
    NOBODY = "an act needs somebody who does it"
    UNKNOWN = "there is no such alert"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision and its reason. `told`: it had an effect, somebody is told, or what was asked for was done."""

    told: bool
    reason: Reason
    alert: Alert | None = None  # as it stands after the decision

    @property
    def owner(self) -> str:
        """Who has it, if anybody."""
        return self.alert.holder if self.alert else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One rung that was climbed: when it was due, and whether there was nobody to wait for."""

    round: int
    rung: int
    duties: tuple[Duty, ...]
    due_at: datetime
    empty: bool = False


class Nudge(StrEnum):
    """What becomes due while people are called, or while somebody has it."""

    OVERDUE = "overdue"  # a limit has passed
    REMIND = "remind"  # whoever has it is asked whether anything happens
    LAPSE = "lapse"  # nothing happens: it is nobody's again


def judge(finding: Finding, *, open_alert: Alert | None, known: bool) -> Verdict:
    """Decide about one finding. `open_alert` takes in repeats of it; `known`: this very finding was taken before."""
    if known:
        return Verdict(False, Reason.KNOWN, open_alert)
    if open_alert is None:
        return Verdict(True, Reason.NEW)
    if outranks(finding, open_alert):
        return Verdict(True, Reason.WORSE, open_alert)
    if open_alert.is_taken:
        return Verdict(True, Reason.AGAIN, open_alert)
    return Verdict(False, Reason.RINGING, open_alert)


def climb(
    alert: Alert, now: datetime, staffed: Callable[[int, int], bool] = lambda round_, rung: True
) -> tuple[Alert, list[Step]]:
    """Climb every rung that is due, in order; `staffed` is asked once for each, by round and rung: is there anybody on
    it whose minutes are worth waiting for?

    A deadline follows from the deadline before it, not from when we came to it. An empty rung uses up nobody's
    minutes. After a long sleep each rung still missing from the round is climbed, but a whole round is never made
    up for: the next one begins a last rung's wait from now.
    """
    steps: list[Step] = []
    while alert.is_ringing and alert.next_at is not None and alert.next_at <= now:
        rung = alert.ladder.rungs[alert.rung]
        step = Step(alert.round, alert.rung, rung.duties, alert.next_at, empty=not staffed(alert.round, alert.rung))
        steps.append(step)
        has_waited = not any(s.round == step.round and s.rung == 0 for s in steps)
        alert = _past(alert, step, now, has_waited)
    return alert, steps


def climb_now(alert: Alert, now: datetime) -> Alert:
    """Make the next rung due at once: whoever was told cannot be reached, or somebody asks for it.

    Not across the end of a round: were every address dead, the ladder would spin.
    """
    if not alert.is_ringing or alert.next_at is None or alert.rung == 0:
        return alert
    return replace(alert, next_at=min(alert.next_at, now))


def from_the_start(alert: Alert, now: datetime) -> Alert:
    """Ring again from the first rung, as a new round, so that what is sent now has names of its own."""
    return replace(
        alert,
        state=State.RAISED if alert.notified_at is None else State.NOTIFIED,
        round=alert.round if alert.round == alert.rung == 0 else alert.round + 1,
        rung=0,
        next_at=now,
        owner="",
        owned_at=None,
        reminded=0,
        accepted_at=None,
        en_route_at=None,
        on_site_at=None,
        stirred_at=None,
    )


def held_for_life(alert: Alert, now: datetime) -> Alert:
    """There are signs of life again: the next rung waits, once. It neither gives the alert an owner nor ends it."""
    return replace(alert, stirred_at=now, next_at=now + HELD_FOR_LIFE)


def mended(alert: Alert, now: datetime) -> Alert:
    """The alert, with deadlines that can be true.

    No deadline lies further ahead than the wait that leads to it. One that does was written by a clock that has
    been put back since, and would let an emergency sleep for as long as the clock was wrong.
    """
    times = {"owned_at": alert.owned_at, "en_route_at": alert.en_route_at, "on_site_at": alert.on_site_at}
    ahead = {name: now for name, at in times.items() if at is not None and at > now + HASTE}
    if ahead:
        alert = replace(alert, **ahead)  # type: ignore[arg-type]
    if not alert.is_ringing or alert.next_at is None:
        return alert
    if is_held(alert):
        longest = LOOK_AGAIN
    elif alert.is_muted:
        longest = SETTLES
    elif alert.rung:
        longest = alert.ladder.rungs[alert.rung - 1].wait
    elif alert.round:
        longest = max(alert.ladder.rungs[-1].wait + (alert.ladder.repeat or timedelta(0)), SHORTEST_ROUND)
    else:
        longest = timedelta(0)
    if alert.stirred_at is not None:
        longest = max(longest, HELD_FOR_LIFE)
    if alert.next_at <= now + longest + HASTE:
        return alert
    return replace(alert, next_at=now + longest)


def _past(alert: Alert, step: Step, now: datetime, has_waited: bool) -> Alert:
    """The alert after this rung: the next one, and when. `has_waited`: an earlier rung of the round had its time."""
    rung, ladder = alert.ladder.rungs[alert.rung], alert.ladder
    if alert.rung + 1 < len(ladder.rungs):
        return replace(alert, rung=alert.rung + 1, next_at=step.due_at if step.empty else step.due_at + rung.wait)
    over = replace(alert, rung=0, round=alert.round + 1)
    if ladder.repeat is None:
        return replace(over, next_at=None)
    pause = rung.wait + ladder.repeat
    if step.empty and has_waited and now - step.due_at < rung.wait:
        return replace(over, next_at=step.due_at + ladder.repeat)
    # Where nobody at all was there the last rung keeps its wait, so that a grid without anybody does not spin.
    again = step.due_at + pause
    return replace(over, next_at=again if again > now else now + max(pause, SHORTEST_ROUND))


# --------------------------------------------------------------------------- accepted, and then?


def watched(alert: Alert, now: datetime) -> tuple[Alert, list[tuple[Nudge, datetime]]]:
    """What has become due by now because nobody did anything, each with when it was due.

    However many reminders were slept through, one is given. What lapses needs no reminder any more.
    """
    nudges: list[tuple[Nudge, datetime]] = []
    limit = _limit(alert)
    if limit is not None and limit <= now:
        nudges.append((Nudge.OVERDUE, limit))
        alert = replace(alert, overdue_at=limit)
    lapses = _lapses(alert)
    if lapses is not None and lapses <= now:
        return alert, [*nudges, (Nudge.LAPSE, lapses)]
    due = _reminder(alert)
    if due is not None and due <= now:
        nudges.append((Nudge.REMIND, due))
        while (due := _reminder(alert)) is not None and due <= now:
            alert = replace(alert, reminded=alert.reminded + 1)
    return alert, nudges


def next_look(alert: Alert) -> datetime | None:
    """When it is to be looked at again whether anybody does anything about it."""
    return min((at for at in (_limit(alert), _lapses(alert), _reminder(alert)) if at is not None), default=None)


def _limit(alert: Alert) -> datetime | None:
    """By when somebody should have accepted, or should be there; None when that is done or was missed already."""
    if alert.overdue_at is not None or is_held(alert) or alert.is_muted:
        return None
    ladder = alert.ladder
    if alert.is_ringing:
        return None if ladder.ack is None else alert.bad_since + ladder.ack
    if alert.state in (State.ACCEPTED, State.EN_ROUTE) and ladder.site is not None and alert.accepted_at is not None:
        return alert.accepted_at + ladder.site
    return None


def _lapses(alert: Alert) -> datetime | None:
    """When it is nobody's again. Whoever is there keeps it; whoever is on the way has the time to arrive as well."""
    lapse = alert.ladder.lapse
    if lapse is None:
        return None
    if alert.state is State.ACCEPTED and alert.owned_at is not None:
        return alert.owned_at + lapse
    if alert.state is State.EN_ROUTE and alert.en_route_at is not None:
        return alert.en_route_at + lapse + (alert.ladder.site or timedelta(0))
    return None


def _reminder(alert: Alert) -> datetime | None:
    remind = alert.ladder.remind
    if remind is None:
        return None
    if alert.state is State.ACCEPTED and alert.owned_at is not None:
        return alert.owned_at + remind * (alert.reminded + 1)
    if alert.state is State.EN_ROUTE and alert.en_route_at is not None:
        return alert.en_route_at + (alert.ladder.site or remind) * (alert.reminded + 1)
    if alert.state is State.ON_SITE and alert.on_site_at is not None:
        days = max(0, alert.reminded + 1 - len(STILL_THERE))
        return alert.on_site_at + STILL_THERE[min(alert.reminded, len(STILL_THERE) - 1)] + days * timedelta(days=1)
    return None
