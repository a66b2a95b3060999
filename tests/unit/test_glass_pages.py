"""Somebody's life is in danger and whoever can go was not called: they break the glass, and everybody hears of it."""

from datetime import timedelta

import pytest
from pages_house import EVENING, Rig, hidden
from test_pages import text_of

from gateway.domain import Consent, Duty, Person, Profile, Purpose, Severity
from gateway.domain.people import HEALTH

BREAK = "/glass/break"


class Danger(Rig):
    """Mrs Wang of grid 1 has pressed; whoever is near belongs to grid 2."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.registrar.put_person(Person(id="wang", name="王奶奶本人"), who="ma", now=EVENING)
        with self.registry.begin() as ledger:
            ledger.put_profile(Profile(person="wang", conditions="心脏起搏器"), EVENING)
            ledger.give_consent(Consent(person="wang", purpose=HEALTH, version="1", given_at=EVENING, given_by="wang"))
            ledger.put_person(Person(id="far", name="远网格员"), EVENING)
        self.rename("h1", person="wang")


@pytest.fixture
def danger() -> Danger:
    return Danger()


def breaks(browser, code: str = "A-1", why: str = "街道派我先到"):
    return browser.post(BREAK, data={"csrf": hidden(browser.get(BREAK).text, "csrf"), "code": code, "why": why})


def test_whoever_is_near_sees_what_they_need_and_everybody_hears_of_it(danger):
    alert = danger.press()
    far = danger.signed_in("far", Duty.DEPUTY, "g2")
    at = f"/alerts/{alert.id}"
    for page in (at, f"{at}/card", "/homes/h1"):
        assert far.get(page).status_code == 404

    assert breaks(far).headers["location"] == at

    assert "王奶奶" in far.get(at).text
    assert far.get("/homes/h1").status_code == 200
    assert "心脏起搏器" in far.get(f"{at}/card").text
    (opened,) = danger.alerts.acts(alert.id, what="card.opened")
    assert (opened.who, opened.why) == ("far", "街道派我先到")
    told = [one for one in danger.alerts.deliveries(alert.id) if one.purpose is Purpose.CARD]
    assert {one.person for one in told} == {"ma"}
    assert "街道派我先到" in text_of(danger.signed_in("ma").get("/glass").text)
    assert "街道派我先到" in text_of(danger.signed_in("wang", Duty.ELDER).get("/me/looks").text)
    for page in ("/plans/home/h1", "/install/h1/people", "/homes/h2", "/api/v1/homes/h1", "/homes/h1/days"):
        assert far.get(page).status_code in (403, 404), page


def test_it_shuts_after_an_hour_and_not_before_whoever_took_it_is_done(danger):
    alert = danger.press()
    far = danger.signed_in("far", Duty.DEPUTY, "g2")
    breaks(far)
    danger.clock.go_on(minutes=61)
    assert far.get(f"/alerts/{alert.id}").status_code == 404

    breaks(far, why="又被派去")
    csrf = hidden(far.get(f"/alerts/{alert.id}").text, "csrf")
    assert far.post(f"/alerts/{alert.id}/accept", data={"csrf": csrf}).status_code in (200, 303)
    danger.clock.go_on(minutes=61)
    assert far.get(f"/alerts/{alert.id}").status_code == 200
    assert far.get(f"/alerts/{alert.id}/card").status_code == 200
    assert "心脏起搏器" not in far.get(f"/alerts/{alert.id}/card").text, "the card itself is behind glass again"


def test_whoever_was_not_called_in_their_own_grid_breaks_it_too(danger):
    alert = danger.press()
    danger.registrar.put_person(Person(id="chen", name="陈网格员"), who="ma", now=EVENING)
    near = danger.signed_in("chen", Duty.GRID_WORKER, "g1")
    assert "心脏起搏器" not in near.get(f"/alerts/{alert.id}/card").text

    breaks(near)

    assert "心脏起搏器" in near.get(f"/alerts/{alert.id}/card").text


def test_a_wrong_number_and_no_emergency_answer_alike(danger):
    danger.press("h2", Severity.HIGH, "bath_dwell")
    far = danger.signed_in("far", Duty.DEPUTY, "g2")

    answers = [breaks(far, code).text for code in ("A-77", "A-2", "A-1")]

    assert len({text_of(one).replace(code, "") for one, code in zip(answers, ("A-77", "A-2", "A-1"), strict=True)}) == 1
    assert far.get("/homes/h2").status_code == 404
    assert len(danger.alerts.acts("glass", who="far", what="card.refused")) == 3
    assert breaks(far, why=" ").status_code == 422


def test_nobody_guesses_on(danger):
    danger.press()
    far = danger.signed_in("far", Duty.DEPUTY, "g2")
    for number in range(5):
        breaks(far, f"X-{number}")

    assert breaks(far).status_code == 422
    danger.clock.go_on(minutes=61)
    assert breaks(far).status_code == 303


def test_it_ends_with_the_alert_and_is_for_whoever_is_on_duty(danger):
    alert = danger.press()
    far = danger.signed_in("far", Duty.DEPUTY, "g2")
    breaks(far)
    worker = danger.signed_in("liu", Duty.GRID_WORKER, "g1")
    csrf = hidden(worker.get(f"/alerts/{alert.id}").text, "csrf")
    worker.post(f"/alerts/{alert.id}/accept", data={"csrf": csrf})
    worker.post(f"/alerts/{alert.id}/resolve", data={"csrf": csrf, "outcome": "accidental-press", "note": "没事"})
    assert not danger.alert(alert.id).is_open
    assert far.get(f"/alerts/{alert.id}").status_code == 404

    for duty in (Duty.INSTALLER, Duty.FAMILY, Duty.ELDER, Duty.VOLUNTEER):
        assert danger.signed_in(f"x-{duty.value}", duty, "g1").get(BREAK).status_code == 403
    assert danger.clock.now() - EVENING < timedelta(hours=1)
