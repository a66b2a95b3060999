"""A volunteer learns where to go and what to do there, and nothing about who lives there."""

from dataclasses import replace

import pytest
from pages_house import EVENING, Rig
from test_pages import text_of

from alerts import card
from alerts.routing import volunteers
from alerts.wording import letter
from gateway.domain import Contact, Duty, Person, Purpose, Reach, Relation, State

SECRETS = ("王奶奶", "王桂芳", "高血压", "钥匙在门卫处", "紧急呼叫", "A-1", "刘网格员")


class Errand:
    """A press at 王奶奶's, a minute ago; 小陈 is a volunteer next door."""

    def __init__(self, *duties: Duty) -> None:
        self.rig = rig = Rig()
        with rig.registry.begin() as ledger:
            ledger.put_person(Person(id="chen", name="小陈", reaches=(Reach(channel="console"),)), EVENING)
            contacts = [Contact(home="h1", person="chen", relation=Relation.VOLUNTEER)]
            ledger.put_contacts("h1", contacts, EVENING)
            for duty in duties:
                ledger.assign("chen", duty, "g1", EVENING)
        self.alert = rig.press()
        while not self.calls and rig.clock.at < EVENING.replace(hour=16):
            rig.clock.go_on(seconds=60)
            rig.desk.tick(rig.clock.now())
        self.token = rig.links.token(self.alert.id, "chen", self.calls[0].id)
        self.browser = rig.browser()

    @property
    def calls(self):
        return [d for d in self.rig.alerts.deliveries(self.alert.id) if d.person == "chen"]

    def page(self) -> str:
        answer = self.browser.get(f"/a/{self.token}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def does(self, act: str, **form):
        return self.browser.post(f"/a/{self.token}/{act}", data=form)


@pytest.fixture
def errand() -> Errand:
    return Errand()


def test_the_message_names_nobody_and_nothing(errand):
    (call,) = errand.calls
    assert call.duty is Duty.VOLUNTEER
    home = errand.rig.registry.home("h1")

    for purpose in (Purpose.PAGE, Purpose.AGAIN, Purpose.TAKEN, Purpose.OVER):
        said = letter(
            replace(call, purpose=purpose),
            errand.rig.alert(errand.alert.id),
            home=home,
            language="zh",
            owner="刘网格员",
            link="https://watch.test/a/x",
        )
        assert not [secret for secret in SECRETS if secret in said.title + said.body + said.what]
        assert "东风路" not in said.title + said.body, "a lock screen shows no address"


def test_the_page_shows_the_address_and_the_task_and_nothing_else(errand):
    page = text_of(errand.page())

    assert "东风路 3 号" in page
    assert "按门铃、敲门" in page
    assert not [secret for secret in SECRETS if secret in page]


def test_a_volunteer_accepts_goes_there_and_says_what_it_was(errand):
    for act, button in (("accept", "我去"), ("depart", "出发"), ("arrive", "到")):
        assert button in text_of(errand.page())
        assert errand.does(act, position="").status_code == 303
    assert errand.rig.alert(errand.alert.id).state is State.ON_SITE

    assert errand.does("resolve", outcome="assistance-given", note="").status_code == 303
    assert "谢谢" in text_of(errand.page())
    assert not [secret for secret in SECRETS if secret in text_of(errand.page())]


def test_whoever_comes_second_is_thanked(errand):
    errand.rig.desk.accept(errand.alert.id, "liu", errand.rig.clock.now())

    page = text_of(errand.page())
    assert "已经有人过去" in page
    assert "东风路" not in page


def test_the_card_with_the_illnesses_stays_shut_for_a_volunteer_even_as_the_owner(errand):
    errand.does("accept")
    alert = errand.rig.alert(errand.alert.id)
    assert alert.owner == "chen"

    deliveries = errand.rig.alerts.deliveries(alert.id)
    assert volunteers(deliveries) == {"chen"}
    assert "chen" not in card.responders(alert, deliveries)
    assert "高血压" not in errand.browser.get(f"/a/{errand.token}/card").text


def test_whoever_is_called_for_another_duty_too_is_no_mere_volunteer():
    errand = Errand(Duty.GRID_WORKER)

    assert volunteers(errand.rig.alerts.deliveries(errand.alert.id)) == set()
    assert "王奶奶" in errand.page()
