"""Pages that say that something is not there, not allowed or not readable; and in whose hours a page speaks."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from pages_house import Rig
from test_pages import text_of

from dashboard.printer import alert_url
from dashboard.words import Tongue
from gateway.domain import Contact, Duty, Person, Relation, Role, Sensor, Severity

URUMQI = ZoneInfo("Asia/Urumqi")
WRONG = {404: "/nothing", 403: "/tokens", 422: "/?part=none"}


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize("status", WRONG)
def test_whoever_is_signed_in_keeps_the_menu_and_hears_what_rings(rig, status):
    worker = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    answer = worker.get(WRONG[status])

    assert answer.status_code == status
    assert 'href="/today"' in answer.text and 'action="/logout"' in answer.text
    assert 'hx-get="/ringing"' in answer.text


def test_a_family_keeps_the_menu_and_nothing_rings(rig):
    answer = rig.signed_in("he", Duty.FAMILY).get("/nothing")

    assert 'action="/logout"' in answer.text
    assert 'hx-get="/ringing"' not in answer.text


def test_nobody_and_a_link_get_the_plain_page(rig):
    for path, status in {"/nothing": 404, "/a/x": 410}.items():
        answer = rig.browser().get(path)
        assert answer.status_code == status
        assert 'action="/logout"' not in answer.text and 'hx-get="/ringing"' not in answer.text


def test_programs_are_answered_as_data_even_from_a_browser_that_is_signed_in(rig):
    answer = rig.signed_in("liu", Duty.GRID_WORKER, "g1").get("/api/v1/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_while_nothing_can_be_written_down_nobody_is_looked_for():
    rig = Rig(more={"answers_only": True})
    rig.accounts.session = None  # asking for a session would fail

    answer = rig.browser(cookies={"session": "x"}).get("/a/x")

    assert answer.status_code == 410


# --------------------------------------------------------------------------- who was told


def test_whoever_has_no_channel_is_not_said_to_have_been_called():
    rig = Rig()
    with rig.registry.begin() as ledger:
        ledger.put_person(Person(id="mei", name="小梅"), rig.clock.now())
        ledger.put_contacts("h1", [Contact(home="h1", person="mei", relation=Relation.CHILD)], rig.clock.now())
    alert = rig.press("h1")

    page = rig.signed_in("he", Duty.ADMIN).get(alert_url(alert.id))

    assert "呼叫网格员、家属：刘网格员、小梅（没有登记通知方式）" in text_of(page.text)


# --------------------------------------------------------------------------- hours of another zone


@pytest.mark.parametrize(
    ("zone", "offset"),
    [("Asia/Shanghai", "UTC+8"), ("Asia/Kolkata", "UTC+5:30"), ("America/St_Johns", "UTC-3:30"), ("UTC", "UTC+0")],
)
def test_a_zone_is_named_by_its_distance(rig, zone, offset):
    assert Tongue.offset(ZoneInfo(zone), rig.clock.now()) == offset


def test_a_home_whose_clocks_are_others_says_so_on_its_pages_and_on_lists(rig):
    at, worker = rig.clock.now(), rig.signed_in("he", Duty.ADMIN)
    home = rig.registry.home("h3")
    with rig.registry.begin() as ledger:
        ledger.put_home(replace(home, zone=URUMQI), at)
    alert = rig.press("h3", Severity.EMERGENCY)

    note = "本页时间是这户的当地时间：Asia/Urumqi（UTC+6），现在 20:38。"
    assert note in text_of(worker.get("/homes/h3").text)
    assert note in text_of(worker.get(alert_url(alert.id)).text)
    english = text_of(worker.get("/homes/h3", headers={"accept-language": "en"}).text)
    assert "The hours here are those of this home: Asia/Urumqi (UTC+6), now 20:38." in english
    assert "UTC" not in text_of(worker.get("/homes/h1").text)
    for page in ("/", "/clocks"):
        assert text_of(worker.get(page).text).count("UTC+6") == 1, page


def test_lists_of_what_is_to_be_done_mark_a_home_of_other_clocks_too(rig):
    hub = rig.registry.home("h3").hubs[0].id
    cord = Sensor(id="h3-sos", hub=hub, address="sos/cord", name="拉绳", room="kitchen", role=Role.SOS)
    rig.rename("h3", zone=URUMQI, sensors=(*rig.registry.home("h3").sensors, cord))
    worker = rig.signed_in("he", Duty.ADMIN)
    rig.desk.accept(rig.press("h3").id, "he", rig.clock.now())
    rig.press("h3", Severity.TECHNICAL, "detector_failed")

    for page in ("/today", "/drills", "/board"):
        said = text_of(worker.get(page).text)
        assert "UTC+6" in said and "UTC+8" not in said, page


def test_another_name_for_the_same_clock_is_not_worth_a_word(rig):
    with rig.registry.begin() as ledger:
        ledger.put_home(replace(rig.registry.home("h2"), zone=ZoneInfo("Asia/Chongqing")), rig.clock.now())

    assert "UTC" not in text_of(rig.signed_in("he", Duty.ADMIN).get("/homes/h2").text)
