"""Whether anybody is told, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.escalation import Reason, Verdict, judge
from gateway.domain import Alert, Duty, Finding, Ladder, Rung, Severity, State

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
PRESS = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=T0, at=T0)
QUIET = Finding(home="h1", code="inactivity", severity=Severity.HIGH, since=T0 - timedelta(hours=3), at=T0)


def alert_of(finding: Finding, state: State = State.NOTIFIED) -> Alert:
    ladder = Ladder(rungs=(Rung(duty=Duty.GRID_WORKER, wait=timedelta(minutes=1)),))
    return Alert(
        id=finding.id,
        home=finding.home,
        code=finding.code,
        subject=finding.subject,
        severity=finding.severity,
        state=state,
        ladder=ladder,
        raised_at=T0,
        finding=finding,
    )


def test_something_new_is_told():
    assert judge(PRESS, open_alert=None, known=False) == Verdict(True, Reason.NEW)


@pytest.mark.parametrize("open_alert", [None, alert_of(PRESS), alert_of(PRESS, State.ACCEPTED)])
def test_what_was_taken_before_is_told_to_nobody(open_alert):
    verdict = judge(PRESS, open_alert=open_alert, known=True)

    assert (verdict.told, verdict.reason) == (False, Reason.KNOWN)


@pytest.mark.parametrize("state", [State.RAISED, State.NOTIFIED])
def test_again_while_people_are_being_called_is_only_counted(state):
    verdict = judge(PRESS, open_alert=alert_of(PRESS, state), known=False)

    assert (verdict.told, verdict.reason) == (False, Reason.RINGING)


def test_again_after_somebody_accepted_is_told_to_that_person():
    verdict = judge(PRESS, open_alert=replace(alert_of(PRESS, State.ACCEPTED), owner="zhang"), known=False)

    assert (verdict.told, verdict.reason, verdict.owner) == (True, Reason.AGAIN, "zhang")


@pytest.mark.parametrize("state", [State.RAISED, State.NOTIFIED, State.ACCEPTED])
def test_worse_than_before_is_told_whoever_has_it(state):
    worse = replace(QUIET, severity=Severity.EMERGENCY)

    verdict = judge(worse, open_alert=alert_of(QUIET, state), known=False)

    assert (verdict.told, verdict.reason) == (True, Reason.WORSE)


def test_better_than_before_is_not_worse():
    better = replace(QUIET, severity=Severity.CARE)

    assert judge(better, open_alert=alert_of(QUIET), known=False).reason is Reason.RINGING


def test_a_verdict_about_nothing_has_no_owner():
    assert Verdict(False, Reason.UNKNOWN).owner == ""
