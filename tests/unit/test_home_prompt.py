"""The resident is asked at home: what goes to the hub, and what a press of a button says to it."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.channels import make
from alerts.channels.prompt import Prompt
from alerts.desk import Desk
from alerts.wording import letter
from gateway.domain import (
    Answers,
    Area,
    Delivery,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Kind,
    Person,
    Profile,
    Purpose,
    Reach,
    Reading,
    Role,
    Sensor,
    Severity,
    State,
)
from gateway.pipeline import _answers
from gateway.ports import Letter, Undeliverable
from gateway.stores.memory import MemoryAlerts, MemoryRegistry

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Flat:
    """A home whose resident answers by a button, with a hub that can be asked."""

    def __init__(self, answers_by: Answers = Answers.BUTTON) -> None:
        self.store = MemoryAlerts()
        self.registry = MemoryRegistry(self.store.trail)
        self.desk = Desk(self.store, self.registry)
        with self.registry.begin() as book:
            book.put_area(Area(code="a", name="a", level="district"), T0)
            book.put_grid(Grid(code="g1", name="g", community="a"))
            book.put_person(Person(id="wang", name="王奶奶", reaches=(Reach(channel="home", address="hub-1"),)), T0)
            book.put_profile(Profile(person="wang", answers_by=answers_by), T0)
            book.put_person(Person(id="li", name="李姐", reaches=(Reach(channel="console"),)), T0)
            book.assign("li", Duty.GRID_WORKER, "g1", T0)
            button = Sensor(id="ok", hub="hub-1", address="ok", name="应答按钮", room="", role=Role.BUTTON)
            home = Home(
                id="h1",
                code="A-1",
                name="王奶奶",
                grid="g1",
                person="wang",
                zone=ZoneInfo("Asia/Shanghai"),
                hubs=(Hub(id="hub-1", home="h1"),),
                sensors=(button,),
            )
            book.put_home(home, T0)

    def finds(self, code: str = "inactivity", severity: Severity = Severity.HIGH) -> str:
        alert = self.desk.take([Finding(home="h1", code=code, severity=severity, since=T0, at=T0)], T0)[0].alert
        assert alert is not None
        for delivery in self.store.outbox(T0):
            self.desk.said(delivery.id, T0 + SECOND)
        return alert.id

    def state(self, alert: str) -> State:
        return self.store.alert(alert).state


def test_the_question_goes_to_the_home_first():
    flat = Flat()
    alert = flat.finds()

    (asked,) = flat.store.deliveries(alert)
    assert (asked.purpose, asked.person, asked.channel) == (Purpose.ASK, "wang", "home")
    assert flat.state(alert) is State.CONFIRMING


@pytest.mark.parametrize("answers_by", [Answers.BUTTON, Answers.SPEAKER])
def test_a_press_after_the_question_says_that_all_is_well(answers_by):
    flat = Flat(answers_by)
    alert = flat.finds()

    flat.desk.pressed("h1", T0 + 30 * SECOND, T0 + 31 * SECOND)

    assert flat.state(alert) is State.CANCELLED


def test_a_press_before_the_question_or_long_after_it_says_nothing():
    flat = Flat()
    alert = flat.finds()

    for moment in (T0, T0 + 20 * MINUTE):
        assert flat.desk.pressed("h1", moment, T0 + 20 * MINUTE) == []
    assert flat.state(alert) is State.CONFIRMING


def test_whoever_answers_by_telephone_presses_buttons_for_other_things():
    flat = Flat(Answers.PHONE)
    alert = flat.finds()

    assert flat.desk.pressed("h1", T0 + 30 * SECOND, T0 + 31 * SECOND) == []
    assert flat.store.alert(alert).is_ringing


def test_smoke_is_not_answered_by_a_button():
    flat = Flat()
    alert = flat.finds("smoke", Severity.EMERGENCY)

    flat.desk.pressed("h1", T0 + 30 * SECOND, T0 + 31 * SECOND)

    assert flat.store.alert(alert).is_ringing


def reading(kind: Kind, value: float = 1.0, **changes) -> Reading:
    return Reading("h1", "ok", "", kind, value, T0, T0, **changes)


def test_what_counts_as_an_answer():
    press = reading(Kind.BUTTON)

    assert _answers([reading(Kind.MOTION), press]) == [press]
    assert _answers([press, reading(Kind.ASSIST)]) == [], "pressed twice or long: that is a call for help"
    assert _answers([reading(Kind.BUTTON, 0.0)]) == []
    assert _answers([reading(Kind.BUTTON, late=True)]) == []


# --------------------------------------------------------------------------- what goes to the hub


class Asked:
    def __init__(self) -> None:
        self.said: list[tuple[str, str, bytes]] = []

    def post(self, hub: str, rest: str, payload: bytes) -> None:
        self.said.append((hub, rest, payload))


def asked(address: str = "hub-1", purpose: Purpose = Purpose.ASK) -> Delivery:
    return Delivery(
        id="a/ask/0.0/wang/home",
        alert="a",
        purpose=purpose,
        person="wang",
        channel="home",
        address=address,
        created_at=T0,
    )


@pytest.mark.parametrize(
    ("address", "topic"), [("hub-1", "prompt"), ("hub-1/ha/speaker", "ha/speaker"), ("hub_3f2a", "prompt")]
)
async def test_a_question_is_json_below_the_hub(address, topic):
    post = Asked()
    async with make("home", {}, post=post) as channel:
        await channel.send(asked(address), Letter(title="您还好吗？", body="没事请按应答按钮。"))

    ((hub, rest, payload),) = post.said
    assert (hub, rest) == (address.partition("/")[0], topic)
    assert json.loads(payload) == {
        "id": "a/ask/0.0/wang/home",
        "purpose": "ask",
        "ask": True,
        "title": "您还好吗？",
        "text": "没事请按应答按钮。",
    }


async def test_what_is_only_told_asks_nothing():
    post = Asked()
    async with make("home", {}, post=post) as channel:
        await channel.send(asked(purpose=Purpose.TAKEN), Letter(title="a", body="b"))

    assert json.loads(post.said[0][2])["ask"] is False


@pytest.mark.parametrize("address", ["wang", "12", "hub-1/#", "hub-1/a b", ""])
def test_what_is_no_hub_is_refused(address):
    with pytest.raises(Undeliverable):
        Prompt.check(address)


def test_a_button_is_asked_for_where_a_button_answers():
    flat = Flat()
    alert = flat.store.alert(flat.finds())
    (question,) = flat.store.deliveries(alert.id)

    said = letter(question, alert, home=flat.registry.home("h1"), language="zh")
    assert "应答按钮" in said.body
    assert "王奶奶" not in said.title + said.body
