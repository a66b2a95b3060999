"""From a rung to people, and from people to messages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.escalation import Step
from alerts.routing import can_be_called, letters_for, on_call, pages, people_for, reachable, turn_of
from gateway.domain import (
    Alert,
    Answers,
    Contact,
    Duty,
    Finding,
    Grid,
    Home,
    Ladder,
    Person,
    Profile,
    Purpose,
    Reach,
    Relation,
    Rung,
    Severity,
    State,
)
from gateway.domain.rota import Why
from gateway.stores.memory import MemoryRegistry

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
HOME = Home(id="h1", code="A-0312", name="王奶奶", grid="g1", zone=ZoneInfo("Asia/Shanghai"))
ZHANG = Person(
    id="zhang", name="张师傅", reaches=(Reach(channel="webhook", address="https://a"), Reach(channel="console"))
)
LI = Person(id="li", name="李姐", reaches=(Reach(channel="console"),))
PRESS = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=T0, at=T0)
ALERT = Alert(
    id=PRESS.id,
    home="h1",
    code="sos",
    subject="",
    severity=Severity.EMERGENCY,
    state=State.RAISED,
    ladder=Ladder(rungs=(Rung(duty=Duty.GRID_WORKER, wait=timedelta(seconds=60)),)),
    raised_at=T0,
    finding=PRESS,
)


NIGHT = datetime(2026, 2, 16, 19, 0, tzinfo=UTC)  # 03:00 in the home, on the first day of Spring Festival


def town(*duties: tuple[Person, Duty], around: tuple[tuple[Person, Relation, str], ...] = ()) -> MemoryRegistry:
    """One grid with these people on duty, and one home with these around it."""
    registry = MemoryRegistry()
    with registry.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一网格", community=""))
        for person in dict.fromkeys([p for p, _ in duties] + [p for p, _, _ in around]):
            ledger.put_person(person, NIGHT)
        ledger.put_home(HOME, NIGHT)
        for person, duty in duties:
            ledger.assign(person.id, duty, "g1", NIGHT - timedelta(days=1))
        contacts = [Contact(home="h1", person=p.id, relation=relation, hours=hours) for p, relation, hours in around]
        ledger.put_contacts("h1", contacts, NIGHT)
    return registry


def somebody(name: str, *channels: str) -> Person:
    return Person(id=name, name=name, reaches=tuple(Reach(channel=channel) for channel in channels or ("console",)))


def test_everybody_on_duty_is_meant_once_and_in_order():
    registry = town((ZHANG, Duty.GRID_WORKER), (LI, Duty.GRID_WORKER))

    assert people_for(Duty.GRID_WORKER, HOME, registry, T0) == [ZHANG, LI]


def test_a_home_nobody_registered_has_nobody():
    assert people_for(Duty.GRID_WORKER, None, town((ZHANG, Duty.GRID_WORKER)), T0) == []


def test_a_family_is_called_in_its_order_and_in_its_hours():
    son, daughter, niece = somebody("son"), somebody("daughter"), somebody("niece")
    around = (
        (son, Relation.CHILD, "08:00-22:00"),
        (niece, Relation.RELATIVE, ""),
        (daughter, Relation.CHILD, "22:00-07:00"),
    )
    registry = town(around=around)

    assert people_for(Duty.FAMILY, HOME, registry, NIGHT) == [niece, daughter]
    assert people_for(Duty.FAMILY, HOME, registry, T0) == [son, niece]


def test_whoever_has_a_key_comes_before_whoever_lives_next_door():
    neighbour, guard, holder = somebody("neighbour"), somebody("guard"), somebody("holder")
    around = (
        (neighbour, Relation.NEIGHBOUR, ""),
        (guard, Relation.PROPERTY, ""),
        (holder, Relation.KEY_HOLDER, ""),
        (neighbour, Relation.KEY_HOLDER, ""),
    )

    assert people_for(Duty.KEY_HOLDER, HOME, town(around=around), T0) == [holder, neighbour, guard]


@pytest.mark.parametrize(
    ("relation", "duty"),
    [
        (Relation.DOCTOR, Duty.DOCTOR),
        (Relation.MEDICAL, Duty.MEDICAL),
        (Relation.VOLUNTEER, Duty.VOLUNTEER),
        (Relation.CADRE, Duty.COMMUNITY),
    ],
)
def test_others_around_a_household_have_their_duty(relation, duty):
    registry = town(around=((LI, relation, ""),))

    (one,) = on_call(duty, HOME, registry, T0)
    assert (one.person, one.why, one.relation) == (LI, Why.CONTACT, relation)
    assert on_call(Duty.FAMILY, HOME, registry, T0) == []


def test_the_night_pool_is_woken_only_when_nobody_who_works_there_can_be_called():
    desk, guard, mute = somebody("desk"), somebody("guard"), Person(id="mute", name="mute")
    around = ((guard, Relation.PROPERTY, ""),)

    assert people_for(Duty.NIGHT_POOL, HOME, town((desk, Duty.NIGHT_POOL), around=around), NIGHT) == [desk, guard]
    for worker in (Duty.GRID_WORKER, Duty.DEPUTY):
        registry = town((desk, Duty.NIGHT_POOL), (ZHANG, worker), around=around)
        assert people_for(Duty.NIGHT_POOL, HOME, registry, NIGHT) == []
    registry = town((desk, Duty.NIGHT_POOL), (mute, Duty.GRID_WORKER))
    assert [one.why for one in on_call(Duty.NIGHT_POOL, HOME, registry, NIGHT)] == [Why.NIGHT]


def test_the_resident_is_who_lives_there():
    wang = somebody("wang", "lamp")
    registry = town((wang, Duty.INSTALLER))

    assert people_for(Duty.ELDER, replace(HOME, person="wang"), registry, T0) == []  # by what means would she answer?
    with registry.begin() as book:
        book.put_profile(Profile(person="wang", answers_by=Answers.BUTTON), T0)
    assert people_for(Duty.ELDER, replace(HOME, person="wang"), registry, T0) == [wang]
    assert people_for(Duty.ELDER, HOME, registry, T0) == []


@pytest.mark.parametrize(
    ("hours", "clock", "can"),
    [
        ("", "03:00", True),
        ("08:00-22:00", "07:59", False),
        ("08:00-22:00", "08:00", True),
        ("08:00-22:00", "22:00", False),
        ("22:00-06:00", "23:00", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
        ("08:00-08:00", "03:00", True),
    ],
)
def test_hours_are_those_of_the_clock_in_the_home(hours, clock, can):
    moment = datetime.fromisoformat(f"2026-02-17T{clock}:00+08:00")

    assert can_be_called(hours, moment, HOME.zone) is can


def test_somebody_without_a_channel_cannot_be_told():
    assert not reachable([Person(id="wang", name="王主任")])
    assert reachable([Person(id="wang", name="王主任"), LI])


def test_a_page_goes_by_every_way_in_the_persons_own_order():
    step = Step(round=2, rung=0, duties=(Duty.GRID_WORKER,), due_at=T0)

    deliveries = pages(ALERT, step, [(Duty.GRID_WORKER, ZHANG), (Duty.GRID_WORKER, LI)], T0)

    assert [d.id.removeprefix(ALERT.id) for d in deliveries] == [
        "/page/2.0/zhang/webhook",
        "/page/2.0/zhang/console",
        "/page/2.0/li/console",
    ]
    assert deliveries[0].address == "https://a"
    assert {turn_of(d) for d in deliveries} == {(2, 0)}


def test_the_same_decision_gives_the_same_ids():
    step = Step(round=0, rung=0, duties=(Duty.GRID_WORKER,), due_at=T0)

    first, second = (pages(ALERT, step, [(Duty.GRID_WORKER, ZHANG)], T0 + timedelta(seconds=s)) for s in (0, 9))

    assert [d.id for d in first] == [d.id for d in second]


def test_two_telephones_on_one_channel_are_two_messages():
    person = Person(
        id="wang", name="王主任", reaches=(Reach(channel="sms", address="1"), Reach(channel="sms", address="2"))
    )

    deliveries = letters_for(person, ALERT, Purpose.AGAIN, "29", T0)

    assert [(d.id.rpartition("/")[2], d.channel, d.address) for d in deliveries] == [
        ("sms", "sms", "1"),
        ("sms.2", "sms", "2"),
    ]
