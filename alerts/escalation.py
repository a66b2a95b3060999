"""Whether anybody is told, whom next, and why. Pure: nothing is looked up here, nothing is written, time is given."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.maintenance import LOOK_AGAIN, is_held
from gateway.domain import Alert, Duty, Finding, State

SHORTEST_ROUND = timedelta(seconds=1)
"""However a ladder was configured, it never starts again sooner than this."""

HASTE = timedelta(seconds=5)
"""Two processes may read the clock this far apart before one of them comes to act; that is no clock put back."""


class Reason(StrEnum):
    """Why somebody was told or was not, why an act was done or refused."""

    # about a finding
    NEW = "a new alert"
    WORSE = "more severe than the alert already open: called again from the start"
    AGAIN = "again: whoever has it was told"
    RINGING = "again: people are being called already"
    KNOWN = "this was known already"
    HELD = "held back while somebody works in the home"
    # about a person's act
    DONE = "done"
    YOURS = "you have accepted it already"
    TAKEN = "somebody else has accepted it"
    OVER = "it was resolved already"
    CLOSED = "it was closed already"
    NO_OUTCOME = "an alert is not resolved without an outcome"
    UNRESOLVED = "an alert is not closed before it was resolved"
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
        return self.alert.owner if self.alert else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One rung that was climbed: when it was due, and whether there was nobody on it."""

    round: int
    rung: int
    duty: Duty
    due_at: datetime
    empty: bool = False


def judge(finding: Finding, *, open_alert: Alert | None, known: bool) -> Verdict:
    """Decide about one finding. `open_alert` takes in repeats of it; `known`: this very finding was taken before."""
    if known:
        return Verdict(False, Reason.KNOWN, open_alert)
    if open_alert is None:
        return Verdict(True, Reason.NEW)
    if finding.severity.worse_than(open_alert.severity):
        return Verdict(True, Reason.WORSE, open_alert)
    if open_alert.state is State.ACCEPTED:
        return Verdict(True, Reason.AGAIN, open_alert)
    return Verdict(False, Reason.RINGING, open_alert)


def climb(alert: Alert, now: datetime, staffed: Callable[[Duty], bool] = lambda duty: True) -> tuple[Alert, list[Step]]:
    """Climb every rung that is due, in order; `staffed` says whether a duty has anybody who can be told.

    A deadline follows from the deadline before it, not from when we came to it. An empty rung uses up nobody's
    minutes. After a long sleep each rung still missing from the round is climbed, but a whole round is never made
    up for: the next one begins a last rung's wait from now.
    """
    steps: list[Step] = []
    while alert.is_ringing and alert.next_at is not None and alert.next_at <= now:
        duty = alert.ladder.rungs[alert.rung].duty
        step = Step(alert.round, alert.rung, duty, alert.next_at, empty=not staffed(duty))
        steps.append(step)
        alert = _past(alert, step, now)
    return alert, steps


def climb_now(alert: Alert, now: datetime) -> Alert:
    """Make the next rung due at once, for whoever was told cannot be reached.

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
        accepted_at=None,
    )


def mended(alert: Alert, now: datetime) -> Alert:
    """The alert, with a deadline that can be true.

    No deadline lies further ahead than the wait that leads to it. One that does was written by a clock that has
    been put back since, and would let an emergency sleep for as long as the clock was wrong.
    """
    if not alert.is_ringing or alert.next_at is None:
        return alert
    if is_held(alert):
        longest = LOOK_AGAIN
    elif alert.rung:
        longest = alert.ladder.rungs[alert.rung - 1].wait
    elif alert.round:
        longest = max(alert.ladder.rungs[-1].wait + (alert.ladder.repeat or timedelta(0)), SHORTEST_ROUND)
    else:
        longest = timedelta(0)
    if alert.next_at <= now + longest + HASTE:
        return alert
    return replace(alert, next_at=now + longest)


def _past(alert: Alert, step: Step, now: datetime) -> Alert:
    """The alert after this rung: the next one, and when."""
    rung, ladder = alert.ladder.rungs[alert.rung], alert.ladder
    if alert.rung + 1 < len(ladder.rungs):
        return replace(alert, rung=alert.rung + 1, next_at=step.due_at if step.empty else step.due_at + rung.wait)
    over = replace(alert, rung=0, round=alert.round + 1)
    if ladder.repeat is None:
        return replace(over, next_at=None)
    # The last rung keeps its wait even when it is empty, so that a grid without anybody does not spin.
    pause = rung.wait + ladder.repeat
    again = step.due_at + pause
    return replace(over, next_at=again if again > now else now + max(pause, SHORTEST_ROUND))
