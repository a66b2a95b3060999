"""Whom next, and when: the ladder, with time as an argument."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.escalation import (
    HELD_FOR_LIFE,
    Nudge,
    climb,
    climb_now,
    from_the_start,
    held_for_life,
    mended,
    next_look,
    watched,
)
from gateway.domain import Alert, Duty, Finding, Ladder, Rung, Severity, State

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
RUNGS = (
    Rung(duty=Duty.GRID_WORKER, wait=timedelta(seconds=60)),
    Rung(duty=Duty.DEPUTY, wait=timedelta(seconds=120)),
    Rung(duty=Duty.SUPERVISOR, wait=timedelta(seconds=120)),
)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def alert_with(ladder: Ladder | None = None, **changes: object) -> Alert:
    finding = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=T0, at=T0)
    alert = Alert(
        id=finding.id,
        home="h1",
        code="sos",
        subject="",
        severity=Severity.EMERGENCY,
        state=State.RAISED,
        ladder=ladder or Ladder(rungs=RUNGS, repeat=timedelta(0)),
        raised_at=T0,
        finding=finding,
        next_at=T0,
    )
    return replace(alert, **changes)


def rungs_of(steps: list) -> list[tuple[int, int]]:
    return [(step.round, step.rung) for step in steps]


def test_the_first_rung_is_climbed_at_once():
    alert, steps = climb(alert_with(), T0)

    assert [step.duties for step in steps] == [(Duty.GRID_WORKER,)]
    assert (alert.rung, alert.next_at) == (1, at(60))


def test_before_the_deadline_nothing_is_climbed():
    alert, _ = climb(alert_with(), T0)

    assert climb(alert, at(59.999)) == (alert, [])


def test_a_late_tick_does_not_move_the_next_deadline():
    alert, _ = climb(alert_with(), T0)

    alert, steps = climb(alert, at(61.7))

    assert rungs_of(steps) == [(0, 1)]
    assert alert.next_at == at(180)


def test_what_is_overdue_is_climbed_in_order():
    alert, steps = climb(alert_with(), at(200))

    assert [(step.rung, step.due_at) for step in steps] == [(0, T0), (1, at(60)), (2, at(180))]
    assert alert.next_at == at(300)


def test_rounds_slept_through_are_not_made_up_for():
    alert, steps = climb(alert_with(), at(86_400))

    assert rungs_of(steps) == [(0, 0), (0, 1), (0, 2)]
    assert (alert.round, alert.rung, alert.next_at) == (1, 0, at(86_400 + 120))


def test_an_empty_rung_uses_up_nobodys_minutes():
    alert, steps = climb(alert_with(), T0, lambda round_, rung: rung == 2)

    assert [step.empty for step in steps] == [True, True, False]
    assert alert.next_at == at(120)


def test_a_ladder_without_anybody_waits_before_it_starts_again():
    alert, steps = climb(alert_with(), T0, lambda round_, rung: False)

    assert len(steps) == 3
    assert (alert.round, alert.next_at) == (1, at(120))


def test_an_upper_rung_without_anybody_does_not_make_the_next_round_later():
    alert, _ = climb(alert_with(), at(60), lambda round_, rung: rung < 2)

    alert, steps = climb(alert, at(180), lambda round_, rung: rung < 2)

    assert rungs_of(steps) == [(0, 2), (1, 0)]
    assert (steps[0].empty, alert.next_at) == (True, at(240))


def test_those_told_beside_the_worker_do_not_use_up_time_where_no_worker_is():
    tier = Rung(duty=Duty.GRID_WORKER, wait=timedelta(seconds=60), also=(Duty.FAMILY, Duty.ELDER))

    assert tier.duties == (Duty.GRID_WORKER, Duty.FAMILY, Duty.ELDER)
    assert tier.waited_for == (Duty.GRID_WORKER,)
    assert Rung(duty=Duty.ELDER, wait=timedelta(seconds=60)).waited_for == (Duty.ELDER,)


def test_a_ladder_that_does_not_repeat_ends_after_its_last_rung():
    alert, steps = climb(alert_with(Ladder(rungs=RUNGS)), at(1000))

    assert len(steps) == 3
    assert alert.next_at is None
    assert climb(alert, at(9999)) == (alert, [])


@pytest.mark.parametrize("state", [State.ACCEPTED, State.RESOLVED, State.CLOSED])
def test_nobody_is_called_for_what_somebody_has(state):
    alert = alert_with(state=state)

    assert climb(alert, at(1000)) == (alert, [])


def test_a_dead_number_makes_the_next_rung_due_now():
    alert, _ = climb(alert_with(), T0)

    assert climb_now(alert, at(3)).next_at == at(3)


def test_dead_numbers_do_not_make_a_round_begin_sooner():
    alert, _ = climb(alert_with(), at(180))

    assert alert.rung == 0
    assert climb_now(alert, at(181)) == alert


def test_from_the_start_is_a_round_of_its_own():
    alert, _ = climb(alert_with(), T0)

    again = from_the_start(replace(alert, state=State.ACCEPTED, owner="zhang", notified_at=T0), at(500))

    assert (again.round, again.rung, again.next_at) == (1, 0, at(500))
    assert (again.state, again.owner, again.accepted_at) == (State.NOTIFIED, "", None)


@pytest.mark.parametrize(
    ("rung", "round_", "longest"),
    [(1, 0, 60), (2, 0, 120), (0, 1, 120), (0, 0, 0)],
    ids=["second rung", "third rung", "next round", "first rung"],
)
def test_no_deadline_lies_further_ahead_than_its_wait(rung, round_, longest):
    alert = alert_with(rung=rung, round=round_, next_at=at(3600))

    assert mended(alert, T0).next_at == at(longest)


def test_a_deadline_that_can_be_true_is_left_alone():
    alert, _ = climb(alert_with(), T0)

    assert mended(alert, T0) == alert


# --------------------------------------------------------------------------- accepted, and then?


WATCHED = Ladder(
    rungs=RUNGS,
    repeat=timedelta(0),
    ack=timedelta(seconds=60),
    remind=timedelta(minutes=5),
    lapse=timedelta(minutes=15),
    site=timedelta(minutes=15),
)


def accepted(at_: float = 0, **changes: object) -> Alert:
    mine = {"state": State.ACCEPTED, "owner": "zhang", "accepted_at": at(at_), "owned_at": at(at_), "next_at": None}
    return alert_with(WATCHED, **{**mine, **changes})


def test_nobody_has_accepted_in_time():
    alert = alert_with(WATCHED)

    assert next_look(alert) == at(60)
    alert, nudges = watched(alert, at(61))
    assert nudges == [(Nudge.OVERDUE, at(60))]
    assert (alert.overdue_at, next_look(alert)) == (at(60), None)


def test_accepted_and_forgotten():
    alert = accepted()

    looks = [(second, watched(alert, at(second))[1]) for second in (299, 300)]
    alert, _ = watched(alert, at(300))
    assert looks == [(299, []), (300, [(Nudge.REMIND, at(300))])]
    assert next_look(alert) == at(600)
    alert, _ = watched(alert, at(600))
    assert watched(alert, at(900))[1] == [(Nudge.OVERDUE, at(900)), (Nudge.LAPSE, at(900))]


def test_reminders_that_were_slept_through_are_one():
    alert, nudges = watched(accepted(), at(899))

    assert nudges == [(Nudge.REMIND, at(300))]
    assert (alert.reminded, next_look(alert)) == (2, at(900))


def test_whoever_is_on_the_way_has_the_time_to_arrive():
    alert = accepted(state=State.EN_ROUTE, en_route_at=at(120))

    assert watched(alert, at(899))[1] == []
    alert, nudges = watched(alert, at(1020))
    assert nudges == [(Nudge.OVERDUE, at(900)), (Nudge.REMIND, at(1020))]
    assert watched(alert, at(120 + 1800))[1] == [(Nudge.LAPSE, at(1920))]


def test_whoever_is_there_keeps_it_and_is_asked_for_what_it_was_ever_more_seldom():
    alert, told = accepted(state=State.ON_SITE, on_site_at=T0), []
    while len(told) < 7:
        due = next_look(alert)
        alert, nudges = watched(alert, due)
        told += [(nudge, (when - T0) / timedelta(hours=1)) for nudge, when in nudges]

    assert told == [(Nudge.REMIND, hours) for hours in (1, 3, 5, 10, 34, 58, 82)]


@pytest.mark.parametrize("state", [State.RESOLVED, State.FOLLOWED_UP, State.CLOSED, State.CANCELLED])
def test_what_is_over_is_not_looked_at_again(state):
    assert next_look(accepted(state=state)) is None


def test_signs_of_life_hold_one_rung_and_no_longer():
    alert, _ = climb(alert_with(), T0)

    alert = held_for_life(alert, at(60))

    assert alert.is_ringing
    assert alert.next_at == at(60) + HELD_FOR_LIFE
    assert mended(alert, at(60)) == alert
    assert climb(alert, at(1860))[1][0].rung == 1


def test_a_clock_put_back_does_not_let_a_forgotten_alert_sleep():
    alert = mended(accepted(3600), T0)

    assert next_look(alert) == at(300)


# --------------------------------------------------------------------------- whatever the times


waits = st.integers(0, 900).map(lambda seconds: timedelta(seconds=seconds))
ladders = st.builds(
    Ladder,
    rungs=st.lists(st.builds(Rung, duty=st.sampled_from(Duty), wait=waits), min_size=1, max_size=5).map(tuple),
    repeat=st.one_of(st.none(), waits),
)
looks = st.lists(st.floats(0, 4000), min_size=1, max_size=40).map(sorted)


@given(ladders, looks, st.sets(st.sampled_from(Duty)))
def test_no_rung_is_skipped_doubled_or_early_however_the_ticks_come(ladder, seconds, staffed):
    alert, climbed = alert_with(ladder), []
    for second in seconds:
        alert, steps = climb(alert, at(second), lambda round_, rung: ladder.rungs[rung].duty in staffed)
        assert all(step.due_at <= at(second) for step in steps)
        assert len(steps) <= 2 * len(ladder.rungs)
        climbed += steps

    size = len(ladder.rungs)
    assert [step.round * size + step.rung for step in climbed] == list(range(len(climbed)))
    assert [step.due_at for step in climbed] == sorted(step.due_at for step in climbed)
    assert alert.next_at is None or alert.next_at > at(seconds[-1])


@given(ladders, looks)
def test_how_often_we_look_changes_nothing_but_when_we_notice(ladder, seconds):
    """Within the first round; later ones begin when somebody is there to begin them."""
    often = alert_with(ladder)
    steps_often = []
    for second in seconds:
        often, steps = climb(often, at(second))
        steps_often += steps
    _, steps_once = climb(alert_with(ladder), at(seconds[-1]))

    assert [s for s in steps_often if s.round == 0] == [s for s in steps_once if s.round == 0]
