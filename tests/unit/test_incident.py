"""What belongs together, decided on plain facts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest

from alerts.catalogue import Catalogue
from alerts.incident import (
    OUTAGE,
    SAID_BY_THE_HUB,
    TOGETHER,
    Outage,
    joined_by,
    led_by,
    muted_by,
    outage_at,
    outage_of,
    outranks,
    rung_within,
    spoken_for_by,
    taking,
    time_left,
    until_called,
    wider,
)
from alerts.maintenance import HELD_FOR
from gateway.domain import Alert, Duty, Finding, Ladder, Rung, Severity, State

T0 = datetime(2026, 1, 5, 19, 0, tzinfo=UTC)
LADDER = Ladder(rungs=(Rung(duty=Duty.GRID_WORKER, wait=timedelta(minutes=1)),))
CATALOGUE = Catalogue()


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def found(code: str, minutes: float = 0, severity: Severity | None = None, subject: str = "", **facts: str) -> Finding:
    return Finding(
        home="h1",
        code=code,
        severity=severity or CATALOGUE.entry(code).severity,
        since=at(minutes),
        at=at(minutes),
        subject=subject,
        facts=tuple(facts.items()),
    )


def opened_by(finding: Finding, **changes) -> Alert:
    alert = Alert(
        id=finding.id,
        home=finding.home,
        code=finding.code,
        subject=finding.subject,
        severity=finding.severity,
        state=State.NOTIFIED,
        ladder=LADDER,
        raised_at=finding.at,
        finding=finding,
    )
    return replace(alert, **changes)


def takes(finding: Finding, *open_alerts: Alert, minutes: float = 1, alone: bool = False) -> Alert | None:
    return taking(finding, open_alerts, CATALOGUE.usual, at(minutes), alone=alone)


def gathered(*findings: Finding) -> list[Alert]:
    """What a desk makes of these, in this order, while nobody accepts anything."""
    alerts: list[Alert] = []
    for finding in findings:
        alert = takes(finding, *alerts)
        if alert is None:
            alerts.append(opened_by(finding))
            continue
        after = led_by if outranks(finding, alert) else joined_by
        alerts[alerts.index(alert)] = after(alert, finding, finding.at)
    return alerts


# ------------------------------------------------------------------ one incident


def test_a_fall_and_a_silence_after_a_press_are_one_incident():
    (alert,) = gathered(found("sos"), found("fall", 1), found("inactivity", 30))

    assert (alert.code, alert.severity) == ("sos", Severity.EMERGENCY)
    assert [one.finding.code for one in alert.also] == ["fall", "inactivity"]


def test_what_is_worse_leads_and_what_led_stays_beside_it():
    (alert,) = gathered(found("inactivity"), found("inactivity", 5), found("sos", 10))

    assert (alert.code, alert.severity, alert.count, alert.worse_at) == ("sos", Severity.EMERGENCY, 1, at(10))
    assert [(one.finding.code, one.count) for one in alert.also] == [("inactivity", 2)]
    assert alert.id == found("inactivity").id, "whoever holds its link still finds it"


def test_gas_outranks_a_press():
    press, gas = found("sos"), found("gas", 2)

    assert outranks(gas, opened_by(press))
    assert not outranks(press, opened_by(gas))
    assert not outranks(found("smoke", 3), opened_by(gas)), "people have been called for a fire already"


def test_what_joined_can_come_to_lead_and_brings_its_count_along():
    (alert,) = gathered(found("sos"), found("fall", 1), found("fall", 2), found("gas", 3), found("sos", 4))

    assert alert.code == "gas"
    assert {(one.finding.code, one.count) for one in alert.also} == {("sos", 2), ("fall", 2)}

    worse = led_by(alert, found("fall", 5, Severity.EMERGENCY), at(5))

    assert (worse.code, worse.count) == ("fall", 3)
    assert {(one.finding.code, one.count) for one in worse.also} == {("sos", 2), ("gas", 1)}


def test_the_newest_of_a_kind_is_shown():
    (alert,) = gathered(found("sos"), found("fall", 3, room="bath"), found("fall", 1, room="hall"))

    assert [one.finding.fact("room") for one in alert.also] == ["bath"]


def test_two_pendants_of_a_couple_are_two_alerts():
    first, second = gathered(
        found("sos", subject="wang"), found("sos", 1, subject="li"), found("fall", 2, subject="li")
    )

    assert [first.subject, second.subject] == ["wang", "li"]
    assert [one.finding.code for one in second.also] == ["fall"]


def test_what_is_about_nobody_in_particular_joins_and_leaves_room_for_one_name():
    first, second = gathered(found("inactivity"), found("sos", 1, subject="wang"), found("sos", 2, subject="li"))

    assert [first.subject, second.subject] == ["wang", "li"]


def test_a_fire_is_everybodys():
    (alert,) = gathered(found("sos", subject="wang"), found("smoke", 1, subject="kitchen-alarm"))

    assert (alert.code, alert.subject) == ("smoke", "wang")


def test_equipment_neither_hides_a_persons_incident_nor_hides_in_one():
    press, silent = opened_by(found("sos")), opened_by(found("home_silent", severity=Severity.MEDIUM))

    assert takes(found("home_silent", 1, Severity.MEDIUM), press) is None
    assert takes(found("device_offline", 1, subject="s1"), press) is None
    assert takes(found("inactivity", 1), silent) is None


@pytest.mark.parametrize("code", ["test", "no_responder", OUTAGE, "of-a-newer-program"])
def test_some_things_stand_alone(code):
    alone = found(code, 1, Severity.MEDIUM)

    assert takes(alone, opened_by(found("sos"))) is None
    assert takes(found("sos", 2), opened_by(alone)) is None
    assert takes(replace(alone, since=at(3)), opened_by(alone)) is not None, "but a repeat is one"


def test_a_care_hint_waits_for_the_next_visit_and_a_press_does_not_wait_for_it():
    hint = opened_by(found("vital", severity=Severity.CARE))

    assert takes(found("sos", 1), hint) is None
    assert takes(found("vital", 1, Severity.CARE), opened_by(found("sos"))) is None
    assert takes(found("vital", 1, Severity.HIGH), hint) is hint, "the same, worse"


def test_a_measurement_that_has_become_severe_joins_what_is_going_on():
    hint, press = opened_by(found("vital", severity=Severity.CARE)), opened_by(found("sos"))

    assert takes(found("vital", 1, Severity.HIGH), hint, press) is press


def test_what_was_accepted_in_the_morning_does_not_swallow_the_evening():
    had = opened_by(found("sos"), state=State.ACCEPTED, owner="zhang")
    just_after, evening = TOGETHER / timedelta(minutes=1), 600

    assert takes(found("inactivity", just_after), had, minutes=just_after) is had
    assert takes(found("inactivity", evening), had, minutes=evening) is None
    assert takes(found("sos", just_after), had, minutes=just_after) is had, "pressed again is told to whoever has it"
    assert takes(found("sos", evening), had, minutes=evening) is None, "in the evening everybody is called"
    with_silence = joined_by(had, found("inactivity", 5), at(5))
    assert takes(found("inactivity", evening), with_silence, minutes=evening) is None, "nor is this one told before"
    ringing = replace(had, state=State.NOTIFIED)
    assert takes(found("inactivity", evening), ringing, minutes=evening) is ringing, "nobody has come yet"


def test_what_is_held_back_is_known_to_nobody_so_nothing_hides_in_it():
    held = opened_by(found("inactivity", **{HELD_FOR: "zhao"}))

    assert takes(found("leak", 1), held) is None
    assert takes(found("inactivity", 1), held) is held


def test_what_would_be_held_back_joins_only_its_like():
    assist, silence = opened_by(found("assist")), found("inactivity", 1)

    assert takes(silence, assist) is assist
    assert takes(silence, assist, alone=True) is None


def test_of_two_incidents_the_worse_takes_in_what_may_belong_to_either():
    wang, li = opened_by(found("assist", subject="wang")), opened_by(found("sos", subject="li"))

    assert takes(found("inactivity", 1), wang, li) is li


def asking(*waits: int) -> Ladder:
    """The resident and the family first, each for so many minutes, and then the grid worker."""
    duties = (Duty.ELDER, Duty.FAMILY)[: len(waits)]
    rungs = [Rung(duty=duty, wait=timedelta(minutes=wait)) for duty, wait in zip(duties, waits, strict=True)]
    return Ladder(rungs=(*rungs, Rung(duty=Duty.GRID_WORKER, wait=timedelta(minutes=5))))


def test_how_long_a_ladder_takes_until_somebody_can_come():
    assert until_called(asking(10, 5)) == timedelta(minutes=15)
    assert until_called(asking(10, 5), 1) == timedelta(minutes=5)
    assert until_called(asking()) == timedelta(0)
    assert time_left(opened_by(found("inactivity"), ladder=asking(10, 5), rung=1, next_at=at(7)), at(3)) == timedelta(
        minutes=9
    )


def test_a_ladder_is_entered_where_it_calls_in_time():
    assert rung_within(asking(10, 5), timedelta(minutes=20)) == 0
    assert rung_within(asking(10, 5), timedelta(minutes=14)) == 1
    assert rung_within(asking(10, 5), timedelta(0)) == 2
    assert rung_within(asking(), timedelta(0)) == 0
    nobody_comes = Ladder(rungs=(Rung(duty=Duty.FAMILY, wait=timedelta(minutes=5)),))
    assert rung_within(nobody_comes, timedelta(0)) == 0


SEVERAL = (
    found("assist"),
    found("sos", 1),
    found("fall", 2, Severity.EMERGENCY),
    found("gas", 3),
    found("inactivity", 4),
    found("leak", 5),
)


def test_in_whatever_order_they_come_one_incident_holds_them_all_and_the_fire_leads():
    for order in permutations(SEVERAL):
        (alert,) = gathered(*order)

        assert (alert.code, alert.severity) == ("gas", Severity.EMERGENCY)
        assert {alert.finding, *(one.finding for one in alert.also)} == set(SEVERAL)


@pytest.mark.parametrize("seed", range(200))
def test_nothing_is_lost_whatever_comes(seed):
    chance = Random(seed)
    codes = [code for code in CATALOGUE.codes() if code != "test"]
    findings = [
        found(chance.choice(codes), minute, chance.choice(list(Severity)), chance.choice(["", "", "wang", "li"]))
        for minute in range(40)
    ]

    alerts = gathered(*findings)

    counted = sum(alert.count + sum(one.count for one in alert.also) for alert in alerts)
    assert counted == len(findings)
    for alert in alerts:
        worst = min((alert.severity, *(one.finding.severity for one in alert.also)), key=lambda s: s.value)
        assert alert.severity is worst
        about = {one.finding.subject for one in alert.also if one.finding.code not in ("smoke", "gas", "co")}
        assert len(about - {""}) <= 1


# ------------------------------------------------------------------ what another alert says better


def test_a_silent_hub_says_more_than_its_silent_devices():
    hub, device = opened_by(found("home_silent")), opened_by(found("device_offline", 1, subject="s1"))

    assert spoken_for_by([device, hub]) is hub
    assert spoken_for_by([device]) is None
    assert muted_by(hub, [device, opened_by(found("sos"))]) == [device]


@pytest.mark.parametrize("code", ["sos", "inactivity", "battery_low", "tamper", "power_fail", "device_faulty"])
def test_a_silent_hub_mutes_nothing_that_somebody_or_something_has_said(code):
    hub = opened_by(found("home_silent"))

    assert code not in SAID_BY_THE_HUB
    assert muted_by(hub, [opened_by(found(code))]) == []


def test_what_somebody_has_accepted_is_not_muted():
    taken = opened_by(found("device_offline", subject="s1"), state=State.ACCEPTED, owner="zhao")

    assert muted_by(opened_by(found("home_silent")), [taken]) == []


# ------------------------------------------------------------------ an area that has gone dark


def town(**grids: int) -> dict[str, tuple[str, ...]]:
    """So many homes in each grid; a grid's community is its first letter, and there is one street."""
    return {f"{grid}-{n}": (grid, grid[0], "street") for grid, homes in grids.items() for n in range(homes)}


def homes_of(grid: str, count: int) -> list[str]:
    return [f"{grid}-{n}" for n in range(count)]


def dark_at(home: str, dark: Sequence[str], places: Mapping[str, Sequence[str]]) -> Outage | None:
    watched = Counter(area for areas in places.values() for area in areas)
    return outage_at(home, {one: places[one] for one in dark if one in places}, watched)


def test_five_homes_of_one_grid_are_an_outage_of_that_grid():
    places = town(a1=100, a2=100)

    outage = dark_at("a1-0", homes_of("a1", 5), places)

    assert outage is not None
    assert (outage.area, outage.homes) == ("a1", tuple(homes_of("a1", 5)))
    assert dark_at("a1-0", homes_of("a1", 4), places) is None


def test_a_few_of_thousands_are_what_happens_every_day():
    places = town(a1=2500, b1=2500)

    assert dark_at("a1-0", [*homes_of("a1", 5), *homes_of("b1", 5)], places) is None
    assert dark_at("a1-0", [*homes_of("a1", 25), *homes_of("b1", 25)], places) is not None


def test_two_grids_of_a_community_are_an_outage_of_the_community():
    places = town(a1=50, a2=50, b1=50)

    outage = dark_at("a2-0", [*homes_of("a1", 20), *homes_of("a2", 20)], places)

    assert outage is not None
    assert outage.area == "a"
    assert len(outage.homes) == 40


def test_one_home_elsewhere_does_not_make_a_dark_street_of_a_dark_grid():
    places = town(a1=50, a2=50, b1=50)
    dark = [*homes_of("a1", 30), "b1-7"]

    assert dark_at("b1-7", dark, places) is None
    outage = dark_at("a1-3", dark, places)
    assert outage is not None
    assert (outage.area, len(outage.homes)) == ("a1", 30)


def test_the_same_homes_give_the_same_outage_whichever_is_asked_last():
    places = town(a1=40, a2=40, b1=40)
    dark = [*homes_of("a1", 12), *homes_of("a2", 12)]

    assert len({dark_at(home, dark, places) for home in dark}) == 1


def test_a_home_that_is_not_watched_makes_no_outage():
    assert dark_at("c1-0", homes_of("c1", 9), town(a1=50)) is None


def test_later_homes_belong_to_the_outage_of_their_area_while_it_goes_on():
    places = town(a1=40, b1=40)
    outage = opened_by(found(OUTAGE, severity=Severity.MEDIUM, subject="a1"))

    assert outage_of("a1-33", [outage], places, at(30)) is outage
    assert outage_of("b1-3", [outage], places, at(30)) is None
    assert outage_of("a1-33", [outage], places, at(90)) is None, "this is another one"
    assert outage_of("a1-33", [replace(outage, last_at=at(80))], places, at(90)) is not None


def test_outages_of_grids_grow_into_one():
    places = town(a1=40, a2=40, b1=40)
    first, second, other = (
        opened_by(found(OUTAGE, severity=Severity.MEDIUM, subject=area)) for area in ("a1", "a2", "b1")
    )

    assert wider("a", [first, second, other], places.values()) == [first, second]
    assert wider("street", [first, second, other], places.values()) == [first, second, other]
    assert wider("a1", [second], places.values()) == []
