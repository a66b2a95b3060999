"""From a rung to messages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.escalation import Step
from alerts.routing import letters_for, pages, people_for, reachable, turn_of
from gateway.domain import Alert, Duty, Finding, Home, Ladder, Person, Purpose, Reach, Rung, Severity, State

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


class Rota:
    """A directory that knows one grid."""

    def __init__(self, *people: Person) -> None:
        self.people = list(people)

    def on_duty(self, grid: str, duty: Duty, at: datetime) -> list[Person]:
        return self.people if (grid, duty) == ("g1", Duty.GRID_WORKER) else []


def test_everybody_on_duty_is_meant_once_and_in_order():
    assert people_for(Duty.GRID_WORKER, HOME, Rota(ZHANG, LI, ZHANG), T0) == [ZHANG, LI]


def test_a_home_nobody_registered_has_nobody():
    assert people_for(Duty.GRID_WORKER, None, Rota(ZHANG), T0) == []


def test_somebody_without_a_channel_cannot_be_told():
    assert not reachable([Person(id="wang", name="王主任")])
    assert reachable([Person(id="wang", name="王主任"), LI])


def test_a_page_goes_by_every_way_in_the_persons_own_order():
    step = Step(round=2, rung=0, duty=Duty.GRID_WORKER, due_at=T0)

    deliveries = pages(ALERT, step, [ZHANG, LI], T0)

    assert [d.id.removeprefix(ALERT.id) for d in deliveries] == [
        "/page/2.0/zhang/webhook",
        "/page/2.0/zhang/console",
        "/page/2.0/li/console",
    ]
    assert deliveries[0].address == "https://a"
    assert {turn_of(d) for d in deliveries} == {(2, 0)}


def test_the_same_decision_gives_the_same_ids():
    step = Step(round=0, rung=0, duty=Duty.GRID_WORKER, due_at=T0)

    first, second = (pages(ALERT, step, [ZHANG], T0 + timedelta(seconds=s)) for s in (0, 9))

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
