"""探访: nobody is forgotten for a quarter of a year because nothing ever rang there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pages_house import EVENING, HandClock, Rig, hidden

from alerts import visits
from alerts.sla import Share
from dashboard.county import County, Visited
from dashboard.tally import Tally
from gateway.domain import Absence, Duty, Elder, Outcome, Person, Profile, Risk, State
from gateway.domain.visit import Visit

A_DAY = timedelta(days=1)
MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, a Monday


@pytest.fixture
def rig():
    """Mrs Wang is at high risk, Mr Li is to be looked in on each month; a third home has no class."""
    house = Rig(clock=HandClock(MORNING))
    for home, person, risk in (("h1", "wang", Risk.HIGH), ("h2", "li", Risk.KEY), ("h3", "zhao", Risk.UNKNOWN)):
        house.registrar.put_person(Person(id=person, name=person), who="x", now=MORNING)
        house.registrar.put_profile(Profile(person=person, risk=risk), who="x", now=MORNING)
        house.rename(home, person=person, trial_until=MORNING - 8 * A_DAY)
    return house


def due(rig):
    now = rig.clock.now()
    return {
        one.home.id: one.at for one in visits.planned(rig.registry.homes(), rig.registry, rig.alerts.last_visits(), now)
    }


def looked(rig):
    now = rig.clock.now()
    planned = visits.planned(rig.registry.homes(), rig.registry, rig.alerts.last_visits(), now)
    rig.desk.take(list(visits.findings(planned, rig.alerts, now)), now)
    return [alert for alert in rig.alerts.alerts(unclosed=True) if alert.code == "visit_due"]


def go(rig, home, elder=Elder.WELL, person="liu"):
    rig.desk.visited(Visit(home=home, at=rig.clock.now(), person=person, elder=elder, note="聊了天"), rig.clock.now())


def test_the_class_of_a_resident_says_how_often_and_a_plan_says_it_better(rig):
    began = MORNING - 8 * A_DAY

    assert due(rig) == {"h1": began + 7 * A_DAY, "h2": began + 30 * A_DAY}
    rig.registrar.plans.put("h2", "visit_due", "3", why="刚出院", who="ma", now=MORNING)
    rig.registrar.plans.put("h1", "visit_due", "off", why="女儿同住", who="ma", now=MORNING)
    assert due(rig) == {"h2": began + 3 * A_DAY}


def test_nobody_is_visited_who_is_away(rig):
    rig.registrar.plans.declare_absence("h1", Absence.HOSPITAL, MORNING + 5 * A_DAY, who="ma", now=MORNING)

    assert "h1" not in due(rig)


def test_a_day_that_was_set_is_due_on_that_day(rig):
    rig.registrar.plans.put("h3", "visit_on", "yes", since=MORNING + A_DAY, why="重阳", who="ma", now=MORNING)

    assert "h3" not in due(rig)
    rig.clock.go_on(days=1)
    assert due(rig)["h3"] == MORNING + A_DAY
    go(rig, "h3")
    assert "h3" not in due(rig)


def test_an_overdue_visit_is_told_once_by_day_and_settled_by_the_visit(rig):
    (alert,) = looked(rig)
    assert (alert.home, alert.severity.value, alert.finding.since) == ("h1", 4, MORNING - 8 * A_DAY)
    rig.clock.go_on(hours=1)
    assert looked(rig) == [rig.alert(alert.id)]

    go(rig, "h1")

    settled = rig.alert(alert.id)
    assert (settled.state, settled.outcome, settled.owner) == (State.CLOSED, Outcome.ELDER_SAFE, "liu")
    assert looked(rig) == [] and due(rig)["h1"] == rig.clock.now() + 7 * A_DAY
    assert ("liu", "visit") in {(act.who, act.what) for act in rig.alerts.acts("h1")}


def test_whoever_rings_in_vain_has_to_come_again(rig):
    (alert,) = looked(rig)
    go(rig, "h1", Elder.NOT_REACHED)

    assert rig.alert(alert.id).is_ringing and due(rig)["h1"] < rig.clock.now()
    assert [visit.elder for visit in rig.alerts.visits("h1")] == [Elder.NOT_REACHED]


def test_a_resident_who_needs_help_is_looked_in_on_again(rig):
    (alert,) = looked(rig)
    go(rig, "h1", Elder.NEEDS_HELP)

    assert rig.alert(alert.id).outcome is Outcome.ASSISTANCE_GIVEN
    assert due(rig)["h1"] == rig.clock.now() + A_DAY


def test_nobody_is_told_at_night_nor_where_somebody_came_because_of_an_alert(rig):
    rig.clock.at = EVENING + 2 * A_DAY
    assert looked(rig) == []
    rig.clock.at = MORNING
    press = rig.press("h1")
    rig.desk.accept(press.id, "liu", rig.clock.now())
    rig.desk.on_site(press.id, "liu", rig.clock.now())
    assert looked(rig) == []


def test_what_was_pressed_twice_in_a_minute_is_one_visit(rig):
    go(rig, "h1")
    go(rig, "h1", Elder.NEEDS_HELP)

    assert [visit.elder for visit in rig.alerts.visits("h1")] == [Elder.WELL]
    with pytest.raises(ValueError, match="minute"):
        replace(rig.alerts.visits("h1")[0], at=MORNING + timedelta(seconds=3))


# --------------------------------------------------------------------------- pages


def test_whoever_answers_for_the_area_sees_who_was_visited_and_who_is_overdue(rig):
    tally, now = Tally(rig.alerts), rig.clock.now()
    county = County(rig.house, tally)
    looked(rig)

    assert tally.look(now, now).visited == {}
    assert (county.see("", now).proof.overdue, county.see("", now).proof.visited.part) == (1, 0)
    go(rig, "h1")
    assert tally.look(now, now).visited["h1"].at == now
    assert (county.see("", now).proof.overdue, county.see("", now).proof.visited.part) == (0, 1)


def test_a_worker_finds_the_visit_on_the_list_of_the_day_and_notes_it(rig):
    looked(rig)
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    assert '/homes/h1/visit"' in worker.get("/today").text
    page = worker.get("/homes/h1/visit").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    code = rig.links.door_code("h1")
    answer = worker.post("/homes/h1/visit", data={"csrf": csrf, "elder": "well", "note": "腿好些了", "code": code})
    assert answer.status_code == 303
    (visit,) = rig.alerts.visits("h1")
    assert (visit.person, visit.note, visit.proof) == ("liu", "腿好些了", "code")
    assert "腿好些了" in worker.get("/homes/h1/visit").text
    assert '/homes/h1/visit"' not in worker.get("/today").text
    assert worker.post("/homes/h1/visit", data={"csrf": csrf, "elder": "well", "code": "0"}).status_code == 422
    assert worker.post("/homes/h1/visit", data={"csrf": csrf, "elder": ""}).status_code == 422


def test_a_visit_pressed_without_a_line_is_of_its_own_minute_and_noted_once(rig):
    browser, pressed = rig.signed_in("liu", Duty.GRID_WORKER, "g1"), rig.clock.now()
    csrf = hidden(browser.get("/homes/h1/visit").text, "csrf")
    rig.clock.go_on(hours=3)

    def sent(**more):
        form = {"csrf": csrf, "elder": "well", "key": "k" * 32, "pressed": pressed.isoformat(), **more}
        return browser.post("/homes/h1/visit", data=form, headers={"accept": "application/json"}).json()

    assert sent(elder="")["said"] and sent(code="1")["said"] == "这不是这一户的门牌码。"
    assert sent() == sent() == {"done": True, "said": ""}
    rig.clock.go_on(minutes=5)
    assert sent(pressed="") == {"done": True, "said": ""}, "the same press, whatever the telephone says of its clock"
    assert [visit.at for visit in rig.alerts.visits("h1")] == [pressed]
    assert sent(key="another", pressed="2036-01-01T00:00:00Z")["done"]  # a clock that is wrong says nothing
    assert rig.alerts.visits("h1")[-1].at == rig.clock.now()


def test_the_code_at_a_door_opens_the_form_of_that_home_for_whoever_goes_there(rig):
    browser, code = rig.signed_in("liu", Duty.GRID_WORKER, "g1"), rig.links.door_code("h2")
    csrf = hidden(browser.get("/today").text, "csrf")

    scanned = browser.get(f"/door/{rig.links.doorplate('h2')}").text
    typed = browser.post("/door", data={"csrf": csrf, "code": f"{code[:3]} {code[3:]}"}).text

    for page in (scanned, typed):
        assert 'action="/homes/h2/visit"' in page and f'value="{code}"' in page
    for beyond in (rig.links.door_code("h3"), "no code", ""):
        assert browser.post("/door", data={"csrf": csrf, "code": beyond}).status_code == 404
    assert (
        "x-keep" in browser.get("/homes/h2/visit").headers
        and "x-keep" not in browser.get(f"/door/{rig.links.doorplate('h2')}").headers
    )


def test_the_printed_month_says_how_often_somebody_came(rig):
    go(rig, "h1")
    go(rig, "h2", Elder.NOT_REACHED)
    rig.clock.go_on(days=1)
    rig.desk.visited(
        Visit(home="h1", at=rig.clock.now(), person="liu", elder=Elder.WELL, proof="code"), rig.clock.now()
    )

    month = County(rig.house, Tally(rig.alerts)).month("1101", "2026-11", rig.clock.now())

    assert month.visits == Visited(made=3, met=Share(2, 3), proven=Share(1, 3), homes=Share(1, 3))
    page = rig.signed_in("ma", Duty.SUPERVISOR, "1101").get("/month/1101/2026-11").text
    assert "探访到的住户" in page and "门口有据" in page
    assert County(rig.house, Tally(rig.alerts)).month("1101", "2026-10", rig.clock.now()).visits.made == 0
