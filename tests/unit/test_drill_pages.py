"""The page of drills: who sees it, what stands first, and its two buttons."""

import re
from dataclasses import replace

import pytest
from pages_house import Rig

from gateway.domain import Duty, Purpose, Role, Sensor


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    home = rig.registry.home("h1")
    button = Sensor(id="h1-sos", hub="hub-1", address="s", name="床头按钮", room="bedroom", role=Role.SOS)
    with rig.registry.begin() as ledger:
        ledger.put_home(replace(home, sensors=(*home.sensors, button)), rig.clock.now())
    return rig


def csrf(page) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def test_what_was_never_tried_is_due(rig):
    page = rig.signed_in().get("/drills", headers={"accept-language": "zh"})

    assert "床头按钮" in page.text and "刘网格员" in page.text
    assert page.text.count("从未") >= 4  # a button and three people


def test_a_test_is_opened_and_a_press_in_it_calls_nobody(rig):
    browser = rig.signed_in()
    answer = browser.post("/drills/homes/h1", data={"csrf": csrf(browser.get("/drills"))})

    assert (answer.status_code, answer.headers["location"]) == (303, "/drills")
    assert [line.key for line in rig.registry.plan("h1", rig.clock.now())] == ["button_test"]
    assert [act.who for act in rig.alerts.acts("h1") if not act.what.startswith("read.")] == ["ma"]


def test_a_home_without_a_button_is_told_so(rig):
    browser = rig.signed_in()

    assert browser.post("/drills/homes/h2", data={"csrf": csrf(browser.get("/drills"))}).status_code == 422


def test_a_drill_is_sent(rig):
    browser = rig.signed_in()
    browser.post("/drills/people/liu", data={"csrf": csrf(browser.get("/drills"))})

    (message,) = rig.alerts.outbox(rig.clock.now())
    assert (message.purpose, message.person) == (Purpose.DRILL, "liu")


def test_a_grid_worker_tries_out_buttons_and_drills_nobody(rig):
    browser = rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    page = browser.get("/drills")

    assert "床头按钮" in page.text and "何副手" not in page.text
    assert browser.post("/drills/people/he", data={"csrf": csrf(page)}).status_code == 403
    assert rig.signed_in("zhou", Duty.GRID_WORKER, "g2").post("/drills/homes/h1", data={"csrf": "x"}).status_code == 403


def test_another_grids_home_is_not_there(rig):
    rig.registry.home("h3")
    browser = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    assert browser.post("/drills/homes/h3", data={"csrf": csrf(browser.get("/drills"))}).status_code == 404


@pytest.mark.parametrize("duty", [Duty.FAMILY, Duty.INSTALLER])
def test_who_has_nothing_to_do_with_it_sees_nothing(rig, duty):
    assert rig.signed_in("somebody", duty).get("/drills").status_code == 403


def test_nobody_is_not_there(rig):
    browser = rig.signed_in()

    assert browser.post("/drills/people/nobody", data={"csrf": csrf(browser.get("/drills"))}).status_code == 404
