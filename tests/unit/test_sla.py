"""How fast people answer and come: the clocks of an alert, the board, and the figures of a month."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts import sla
from alerts.sla import Share, Step
from gateway.domain import Alert, Duty, Finding, Ladder, Outcome, Rung, Severity, State

NIGHT = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)  # 03:00 in Shanghai
CHINA = ZoneInfo("Asia/Shanghai")
LADDER = Ladder(
    rungs=(Rung(duty=Duty.GRID_WORKER, wait=timedelta(seconds=60)),),
    ack=timedelta(seconds=60),
    remind=timedelta(minutes=5),
    site=timedelta(minutes=15),
)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def an_alert(number: int = 1, at: datetime = NIGHT, *, code: str = "sos", **changes) -> Alert:
    severity = changes.pop("severity", Severity.EMERGENCY)
    finding = Finding(home="h1", code=code, severity=severity, since=at, at=at)
    alert = Alert(
        id=f"{number}",
        home="h1",
        code=code,
        subject="",
        severity=severity,
        state=State.RAISED,
        ladder=LADDER,
        raised_at=at,
        finding=finding,
    )
    return replace(alert, **changes)


def handled(number: int, answer: float, arrival: float | None, outcome: Outcome, **changes) -> Alert:
    """Answered and arrived so many seconds after it was raised; nobody went there where the arrival is None."""
    arrived = None if arrival is None else NIGHT + seconds(arrival)
    return an_alert(
        number,
        state=State.CLOSED,
        accepted_at=NIGHT + seconds(answer),
        en_route_at=arrived and NIGHT + seconds(answer),
        on_site_at=arrived,
        resolved_at=NIGHT + timedelta(hours=1),
        outcome=outcome,
        **changes,
    )


def place(home: str) -> tuple[str, ZoneInfo]:
    return {"h1": "g1", "h2": "g2"}[home], CHINA


# --------------------------------------------------------------------------- clocks


def test_every_step_has_its_clock_and_the_next_begins_when_one_ends():
    rings = an_alert()
    assert (sla.running(rings).step, sla.running(rings).due_at) == (Step.ACCEPT, NIGHT + seconds(60))

    accepted = replace(rings, state=State.ACCEPTED, accepted_at=NIGHT + seconds(40), owned_at=NIGHT + seconds(40))
    assert (sla.running(accepted).step, sla.running(accepted).due_at) == (Step.DEPART, NIGHT + seconds(340))

    going = replace(accepted, state=State.EN_ROUTE, en_route_at=NIGHT + seconds(100))
    assert (sla.running(going).step, sla.running(going).due_at) == (Step.ARRIVE, NIGHT + seconds(940))

    there = replace(going, state=State.ON_SITE, on_site_at=NIGHT + seconds(1000))
    assert sla.running(there) is None
    assert [clock.is_breached(NIGHT + timedelta(hours=5)) for clock in sla.clocks(there)] == [False, False, True]


def test_what_is_settled_by_telephone_stops_every_clock():
    settled = an_alert(
        state=State.RESOLVED,
        accepted_at=NIGHT + seconds(40),
        resolved_at=NIGHT + seconds(90),
        outcome=Outcome.ELDER_AWAY,
    )

    assert sla.running(settled) is None
    assert not any(clock.is_breached(NIGHT + timedelta(days=1)) for clock in sla.clocks(settled))


def test_what_was_growing_worse_is_measured_from_when_it_did():
    worse = an_alert(worse_at=NIGHT + timedelta(hours=2))

    assert sla.running(worse).due_at == NIGHT + timedelta(hours=2, seconds=60)


def test_the_board_shows_what_is_late_first_and_then_what_is_due_next():
    late = an_alert(1, NIGHT - timedelta(minutes=5), severity=Severity.HIGH)
    worst = an_alert(2, NIGHT - timedelta(minutes=2))
    soon = an_alert(3, NIGHT - seconds(30))
    later = an_alert(4, NIGHT)
    there = an_alert(5, NIGHT, state=State.ON_SITE, accepted_at=NIGHT, on_site_at=NIGHT)
    spoken_for = an_alert(6, NIGHT - timedelta(hours=1), incident="1")

    lines = sla.board([later, soon, there, late, worst, spoken_for], NIGHT)

    assert [alert.id for alert, _ in lines] == ["2", "1", "3", "4"]
    assert [clock.is_breached(NIGHT) for _, clock in lines] == [True, True, False, False]


# --------------------------------------------------------------------------- looking in again


@pytest.mark.parametrize(
    ("outcome", "needed"),
    [(Outcome.REAL_EMERGENCY, True), (Outcome.NO_ACCESS, True), (Outcome.ACCIDENTAL_PRESS, False), (None, False)],
)
def test_after_something_real_somebody_looks_in_again_by_the_next_day(outcome, needed):
    resolved = an_alert(state=State.RESOLVED, resolved_at=NIGHT, outcome=outcome)

    assert sla.follow_up_due(resolved) == (NIGHT + timedelta(days=1) if needed else None)
    assert sla.follow_up_due(replace(resolved, state=State.FOLLOWED_UP)) is None


# --------------------------------------------------------------------------- figures


def test_the_figures_of_a_month():
    alerts = [
        handled(1, 30, 600, Outcome.REAL_EMERGENCY),
        handled(2, 120, 1200, Outcome.ASSISTANCE_GIVEN),
        handled(3, 600, 3000, Outcome.NO_ACCESS),
        handled(4, 20, None, Outcome.ACCIDENTAL_PRESS),  # one telephone call: no late arrival
        handled(5, 20, 300, Outcome.SENSOR_FAULT, home="h2"),
        handled(6, 1, 1, Outcome.TEST_OR_DRILL),
        handled(7, 1, 1, Outcome.REAL_EMERGENCY, severity=Severity.TECHNICAL),
        an_alert(8, state=State.CANCELLED),
        an_alert(9, NIGHT + timedelta(days=40)),
    ]

    g1, g2, whole = sla.figures(sla.cases_of(alerts), "2026-11", place, NIGHT + timedelta(days=9))

    assert (g1.grid, g1.alerts) == ("g1", 4)
    assert g1.answered == (Share(2, 4), Share(3, 4))
    assert g1.arrived == (Share(1, 3), Share(2, 3))
    assert g1.false == Share(1, 3)
    assert (g1.answer, g1.arrival) == (seconds(75), seconds(1200))
    assert (g2.grid, g2.alerts, g2.false) == ("g2", 1, Share(1, 1))
    assert (whole.grid, whole.alerts, whole.answered[0]) == ("", 5, Share(3, 5))
    assert round(whole.false.percent) == 50


def test_what_still_has_time_is_counted_neither_way_and_what_has_none_left_is_missed():
    ringing = an_alert()

    (_, early) = sla.figures(sla.cases_of([ringing]), "2026-11", place, NIGHT + seconds(30))
    (_, late) = sla.figures(sla.cases_of([ringing]), "2026-11", place, NIGHT + timedelta(minutes=20))

    assert early.answered == (Share(0, 0), Share(0, 0)) and early.answered[0].percent is None
    assert late.answered == (Share(0, 1), Share(0, 1))
    assert late.arrived == (Share(0, 1), Share(0, 0))


def test_a_month_ends_at_the_midnight_of_the_home():
    midnight = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # in Shanghai it is the first of December

    before, after = an_alert(1, midnight - seconds(1)), an_alert(2, midnight)

    assert [row.alerts for row in sla.figures(sla.cases_of([before, after]), "2026-11", place, midnight)] == [1, 1]
    begin, end = sla.span_of("2026-12")
    assert begin <= midnight < end
    with pytest.raises(ValueError):
        sla.span_of("December")


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_name_that_begins_like_a_formula_is_none_in_a_spreadsheet(name):
    assert sla.cell(name) == f"'{name}"
    assert "\n=" not in sla.sheet(["grid"], [[name]])


def test_numbers_stay_numbers_and_commas_stay_in_their_cell():
    assert sla.sheet(["a", "b", "c"], [[-3, "x,y", None]]) == 'a,b,c\r\n-3,"x,y",\r\n'
