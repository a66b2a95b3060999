"""The production program lives through bad weeks: lost messages, dead carriers, power cuts, people who do not come."""

import os
from dataclasses import replace

import pytest

from gateway.domain import Alert
from gateway.week import Week, live_through_a_bad_week, live_through_bad_weeks

pytestmark = [pytest.mark.simulation, pytest.mark.slow]

WEEKS = 200


@pytest.fixture(scope="module")
def weeks():
    return list(live_through_bad_weeks(range(WEEKS), os.cpu_count() or 1))


@pytest.mark.timeout(1500)
def test_no_promise_is_broken_in_two_hundred_bad_weeks(weeks):
    broken = {week.again: week.broken for week in weeks if week.broken}

    assert not broken


def test_the_weeks_were_bad_enough_to_mean_something(weeks):
    presses = sum(week.presses for week in weeks)
    cuts = sum(week.cuts for week in weeks)

    assert presses >= WEEKS
    assert cuts >= 5 * WEEKS


def test_the_same_seed_lives_the_same_week_to_the_letter():
    first, second = (live_through_a_bad_week(11, days=2) for _ in range(2))

    assert first.story == second.story
    assert first.summary() == second.summary()


def test_the_checker_sees_a_press_that_reached_nobody(monkeypatch):
    """A test that cannot fail is none: with a desk that opens nothing the promise must be found broken."""
    from alerts.desk import Desk

    monkeypatch.setattr(Desk, "take", lambda self, findings, now: [])
    week = next(w for w in map(_week, range(50)) if w.presses)

    assert any("opened no alert" in promise for promise in week.broken)


def _week(seed: int) -> Week:
    return live_through_a_bad_week(seed, days=2)


def test_the_checker_sees_what_nobody_will_ever_look_at_again(monkeypatch):
    monkeypatch.setattr("alerts.minutes.next_look", lambda alert: None)

    assert _breaks("nobody will ever look at it again")


def test_the_checker_sees_a_rung_that_was_climbed_early(monkeypatch):
    from alerts.climbing import Calls

    monkeypatch.setattr(Calls, "are_waited_for", lambda self, round_, rung: False)

    assert _breaks("early")


def test_the_checker_sees_a_coordinator_who_is_called(monkeypatch):
    from alerts.sitting import Sitting

    coordinate = Sitting.coordinate

    def forgotten(self: Sitting, alert: Alert, who: str, how: str) -> Alert:
        return self._save(replace(coordinate(self, alert, who, how), coordinator=""))

    monkeypatch.setattr(Sitting, "coordinate", forgotten)

    assert _breaks("coordinates")


def _breaks(promise: str) -> bool:
    weeks = map(_week, range(12))  # one after the other, until it is seen
    return any(promise in broken for week in weeks for broken in week.broken)
