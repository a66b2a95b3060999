"""Breaking the glass: who may open the emergency card, for what reason, and who is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pages_house import Rig

from alerts import card
from alerts.card import Denial, Opening
from gateway.domain import Duty, Outcome, Purpose, Severity


@pytest.fixture
def rig() -> Rig:
    return Rig()


def breaks(rig: Rig, alert, who: str = "liu", why: str = "昏迷，已叫 120", *, leads: bool = False):
    return card.disclose(rig.alerts, rig.registry, alert.id, who, why, rig.clock.now(), leads=leads)


def told(rig: Rig, alert) -> list[str]:
    return [d.person for d in rig.alerts.deliveries(alert.id) if d.purpose is Purpose.CARD]


def acts(rig: Rig, alert, what: str):
    return [(act.who, act.why) for act in rig.alerts.acts(alert.id) if act.what == what]


def test_whoever_was_called_opens_it_with_a_reason_and_whoever_leads_is_told(rig):
    alert = rig.press()

    opening = breaks(rig, alert)

    assert opening == Opening("liu", rig.clock.now(), rig.clock.now() + timedelta(hours=1), "昏迷，已叫 120")
    assert acts(rig, alert, "card.opened") == [("liu", "昏迷，已叫 120")]
    assert told(rig, alert) == ["ma"]
    assert [
        entry.who for entry in rig.alerts.history(alert.id) if entry.what == "card-opened" or entry.what == "card"
    ] == ["liu"]


def test_it_closes_by_itself_and_with_the_alert(rig):
    alert = rig.press()
    opening = breaks(rig, alert)
    history = rig.alerts.history(alert.id)

    assert card.opened(alert, history, "liu", rig.clock.now() + timedelta(minutes=59)) == opening
    assert card.opened(alert, history, "liu", rig.clock.now() + timedelta(minutes=60)) is None
    assert card.opened(alert, history, "he", rig.clock.now()) is None

    rig.desk.resolve(alert.id, "liu", Outcome.REAL_EMERGENCY, "", rig.clock.now())
    assert card.opened(rig.alert(alert.id), history, "liu", rig.clock.now()) is None


def test_without_cause_it_stays_shut_and_the_attempt_is_written_down(rig):
    alert, mild = rig.press(), rig.press("h2", Severity.MEDIUM, "assist")

    assert breaks(rig, alert, "he") is Denial.NOT_A_RESPONDER, "nobody has called him yet"
    assert breaks(rig, alert, why=" ") is Denial.NO_REASON
    assert breaks(rig, mild) is Denial.NO_EMERGENCY
    rig.desk.resolve(alert.id, "liu", Outcome.ACCIDENTAL_PRESS, "", rig.clock.now())
    assert breaks(rig, alert) is Denial.OVER
    assert card.disclose(rig.alerts, rig.registry, "nothing", "liu", "why", rig.clock.now()) is Denial.UNKNOWN

    assert acts(rig, alert, "card.opened") == []
    assert [who for who, _ in acts(rig, alert, "card.refused")] == ["liu", "liu", "he"]
    assert told(rig, alert) == []


def test_whoever_leads_needs_not_have_been_called(rig):
    alert = rig.press()

    assert isinstance(breaks(rig, alert, "ma", leads=True), Opening)
    assert told(rig, alert) == [], "nobody is told of what they did themselves"


def test_the_message_says_that_it_was_opened_and_nothing_of_an_illness(rig):
    from alerts.wording import letter

    alert = rig.press()
    breaks(rig, alert)
    (delivery,) = [d for d in rig.alerts.deliveries(alert.id) if d.purpose is Purpose.CARD]

    said = letter(delivery, alert, home=rig.registry.home("h1"), language="zh")

    assert "A-1" in said.title and "刘网格员" in said.body
    assert "昏迷" not in said.title + said.body and "王奶奶" not in said.title + said.body


def test_neighbours_family_and_volunteers_are_no_responders_of_a_card(rig):
    alert = rig.press()
    (page,) = rig.alerts.deliveries(alert.id)

    def responders(*duties: Duty) -> set[str]:
        return card.responders(alert, [replace(page, person="li", duty=duty) for duty in duties])

    for duty in (Duty.KEY_HOLDER, Duty.VOLUNTEER, Duty.FAMILY):
        assert responders(duty) == set()
        assert responders(duty, Duty.GRID_WORKER) == {"li"}, "who holds a post as well"
    assert card.responders(replace(alert, owner="li"), [replace(page, person="li", duty=Duty.VOLUNTEER)]) == set()
