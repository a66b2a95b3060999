"""The plan on a telephone: the worker's, the supervisor's, and what the family may say."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pages_house import EVENING, Rig, hidden
from test_pages import PAYLOADS, SCRIPT, text_of

from gateway.domain import Contact, Duty, Look, Override, Person, Profile, Relation, Scope
from gateway.sharing import Sharing

AT = "/plans/home/h1"
URUMQI = ZoneInfo("Asia/Urumqi")


class Office:
    """A worker's telephone, and others as they sign in."""

    def __init__(self, login: str = "liu", duty: Duty = Duty.GRID_WORKER, grid: str = "g1") -> None:
        self.rig = Rig()
        self.browser = self.rig.signed_in(login, duty, grid)

    def page(self, at: str = AT) -> str:
        answer = self.browser.get(at)
        assert answer.status_code == 200, answer.text
        return answer.text

    def says(self, at: str = AT) -> str:
        return text_of(self.page(at))

    def post(self, path: str, at: str = AT, **form):
        return self.browser.post(at + path, data={"csrf": hidden(self.page(at), "csrf"), **form})

    def plan(self) -> dict[str, str]:
        return {line.key: line.value for line in self.rig.registry.plan("h1", self.rig.clock.now())}


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def daughter() -> Office:
    office = Office()
    by = {"who": "ma", "now": EVENING}
    for person, name in (("mei", "王梅"), ("wang", "王奶奶")):
        office.rig.registrar.put_person(Person(id=person, name=name), **by)
    office.rig.rename("h1", person="wang")
    contact = Contact(home="h1", person="mei", relation=Relation.CHILD)
    office.rig.registrar.put_contacts("h1", [contact], **by)
    agreed = {"version": "2026-11", "given_by": "wang", "evidence": "paper"}
    Sharing(office.rig.registry).show("h1", "mei", [Look.CALM], **agreed, **by)
    office.browser = office.rig.signed_in("mei", Duty.FAMILY)
    return office


def test_a_household_without_a_plan_says_so(office):
    said = office.says()

    assert "按常规" in said
    assert "/plans/home/h1" in office.page("/homes/h1"), "and is reached from the home"


def test_another_limit_holds_from_the_page_on(office):
    answer = office.post("/set", key="bath_dwell", value="90", day="2026-12-31", why="腿脚慢")
    assert answer.headers["location"] == f"{AT}?said=saved"
    assert office.plan() == {"bath_dwell": "90"}

    said = office.says()
    assert "90 分钟" in said
    assert "腿脚慢" in said
    assert "刘网格员" in said

    office.post("/end", key="bath_dwell", why="好了")
    assert office.plan() == {}


def test_nonsense_is_refused_above_the_form_and_what_was_typed_stays(office):
    answer = office.post("/set", key="bath_dwell", value="900", why="慢慢来")

    assert answer.status_code == 422
    assert "10" in text_of(answer.text)
    assert "360" in text_of(answer.text)
    assert 'value="慢慢来"' in answer.text
    assert office.plan() == {}


def test_a_rule_is_switched_off_and_a_call_for_help_never(office):
    office.post("/set", alert="door_open", off="1", day="2026-12-01", why="装修")
    assert office.plan() == {"door_open": "off"}
    assert "已关闭" in office.says()

    answer = office.post("/set", alert="sos", off="1", why="吵")
    assert answer.status_code == 422
    assert office.plan() == {"door_open": "off"}


def test_the_numbers_of_an_alert(office):
    office.post("/set", alert="leak", number="severity", value="2", why="木地板")

    assert office.plan() == {"leak.severity": "2"}
    assert "漏水" in office.says()


def test_a_silence_ends_by_itself(office):
    office.post("/silence", hours="4", codes=["door_open"], why="搬家")
    assert office.plan() == {"silence": "door_open"}

    office.rig.clock.go_on(hours=4)
    assert office.plan() == {}


def test_somebody_who_comes_regularly(office):
    office.post("/visit", begins="09:00", ends="11:00", on=["mon", "wed"], why="护工")
    office.post("/visit", begins="17:00", ends="17:30", why="送餐")

    assert office.plan() == {"visit/1": "mon,wed 09:00-11:00", "visit/2": "17:00-17:30"}
    assert "周一 周三 09:00-11:00" in office.says()

    office.post("/end", key="visit/1")
    assert list(office.plan()) == ["visit/2"]


def test_the_daughter_says_that_she_has_her_mother_with_her_and_that_she_is_back(daughter):
    assert daughter.browser.get("/").headers["location"] == "/family"
    assert daughter.browser.get("/plans").headers["location"] == AT
    # `/plans` would lead here again.
    assert 'class="up"><a href="/family/h1"' in daughter.page()

    answer = daughter.post("/absence", kind="family", day="2026-11-28")
    assert answer.headers["location"] == f"{AT}?said=away"
    (line,) = daughter.rig.registry.plan("h1", EVENING + timedelta(hours=1))
    assert (line.author, line.until.astimezone(daughter.rig.registry.home("h1").zone).day) == ("mei", 29)
    assert "在家人处" in daughter.says()

    daughter.post("/back")
    assert daughter.plan() == {}


def test_an_absence_without_an_end_or_far_too_long_is_refused(daughter):
    for form in ({"kind": "family"}, {"kind": "family", "day": "2027-11-28"}, {"kind": "pub", "day": "2026-11-28"}):
        answer = daughter.post("/absence", **form)
        assert answer.status_code == 422
    assert daughter.plan() == {}


def test_the_family_says_what_it_knows_and_no_more(daughter):
    page = daughter.page()
    csrf = hidden(page, "csrf")
    assert "/silence" not in page
    assert "/set" not in page
    for path in ("/set", "/silence"):
        assert daughter.browser.post(AT + path, data={"csrf": csrf, "why": "x"}).status_code == 403
    assert daughter.browser.post(AT + "/end", data={"csrf": csrf, "key": "bath_dwell"}).status_code == 403
    assert daughter.browser.get("/plans/home/h2").status_code == 404
    assert daughter.browser.get("/plans/grid/g1").status_code == 404
    assert daughter.browser.get("/homes/h1").status_code == 403


def test_what_the_file_says_of_health_is_not_for_the_family_and_not_ended_here(daughter):
    by = {"who": "ma", "now": EVENING}
    daughter.rig.registrar.put_person(Person(id="wang", name="王桂芳"), **by)
    daughter.rig.registrar.change_home("h1", person="wang", **by)
    daughter.rig.registrar.put_profile(Profile(person="wang", dementia=True), **by)
    assert "走失" not in daughter.says()

    worker = daughter.rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    page = worker.get(AT).text
    assert "走失" in text_of(page)
    assert "痴呆" not in page
    assert 'value="dementia"' not in page


def test_a_grid_has_a_plan_for_its_supervisor(office):
    office.browser = office.rig.signed_in("ma", Duty.SUPERVISOR, "g1")
    office.post("/set", "/plans/grid/g1", key="quiet", value="22:00-07:00", why="夜间")
    assert [line.value for line in office.rig.registry.overrides("g1", Scope.GRID)] == ["22:00-07:00"]

    assert 'href="/plans/grid/g1"' in office.page(), "a home says what its grid says, and where that is changed"
    assert office.browser.get("/plans/grid/g2").status_code == 404
    assert office.browser.get("/plans/area/1101").status_code == 404
    whole = office.rig.signed_in("he", Duty.ADMIN)
    area, grid = (text_of(whole.get(f"/plans/{place}").text) for place in ("area/1101", "grid/g1"))
    assert "辖区设置 东风社区" in area and "网格设置 g1" in grid
    assert "一户一案" not in area + grid
    back = 'class="up"><a href="/administration/alerts?place=1101"'
    assert back in whole.get("/plans/area/1101").text
    assert whole.get("/administration/alerts?place=1101").status_code == 200
    assert office.rig.signed_in("liu", Duty.GRID_WORKER, "g1").get("/plans/grid/g1").status_code == 404


def test_the_plan_of_a_grid_ends_by_the_clock_of_its_homes(office):
    office.rig.rename("h3", zone=URUMQI)
    whole = office.browser = office.rig.signed_in("he", Duty.ADMIN)
    office.post("/set", "/plans/grid/g2", key="quiet", value="22:00-07:00", day="2026-12-31", why="夜间")
    (quiet,) = office.rig.registry.overrides("g2", Scope.GRID)
    assert quiet.until == datetime(2027, 1, 1, tzinfo=URUMQI)

    note = "本页的日期和时间是 Asia/Urumqi（UTC+6）的时间，现在 20:38；每天的时段按各户当地时间。"
    assert note in office.says("/plans/grid/g2")
    assert "Asia/Shanghai（UTC+8）的时间，现在 22:38" in office.says("/plans/grid/g1"), "its clock is not everybody's"
    english = whole.get("/plans/grid/g2", headers={"accept-language": "en"}).text
    assert "Days and times here are those of Asia/Urumqi (UTC+6), now 20:38; hours that come" in text_of(english)

    alert = "/administration/alerts/g2/door_open"
    assert note in office.says(alert)
    office.browser.post(
        alert,
        data={
            "csrf": hidden(office.page(alert), "csrf"),
            "number": "ack",
            "value": "9",
            "day": "2026-12-31",
            "why": "x",
        },
    )
    ends = {line.key: line.until for line in office.rig.registry.overrides("g2", Scope.GRID)}
    assert ends["door_open.ack"] == datetime(2027, 1, 1, tzinfo=URUMQI)


def test_where_all_homes_have_one_clock_no_plan_names_it(office):
    office.rig.rename("h3", zone=ZoneInfo("Asia/Chongqing"))
    office.browser = office.rig.signed_in("he", Duty.ADMIN)

    assert "UTC" not in office.says("/plans/grid/g1") + office.says("/plans/area/1101")


def test_another_grids_home_is_nobodys_here(office):
    assert office.browser.get("/plans/home/h3").status_code == 404
    csrf = hidden(office.page(), "csrf")
    answer = office.browser.post("/plans/home/h3/set", data={"csrf": csrf, "key": "pet", "value": "yes", "why": "x"})
    assert answer.status_code == 404
    assert office.browser.post(f"{AT}/set", data={"key": "pet", "value": "yes", "why": "x"}).status_code == 403


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_is_typed_runs(office, payload):
    with office.rig.registry.begin() as ledger:
        ledger.put_override(
            Override(home="h1", key="bath_dwell", value="90", since=EVENING, until=None, author=payload, reason=payload)
        )

    page = office.page()
    assert SCRIPT not in page
    assert payload not in page or payload == "{{7*7}}", "shown as it was typed, not reckoned out"


def test_both_languages(office):
    office.browser.cookies.set("language", "en")
    office.post("/set", key="environment.cold", value="12", why="x")

    said = office.says()
    assert "A room is too cold below: 12 °C" in said
