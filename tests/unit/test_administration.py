"""Administration in one place: how each subject stands, and what an administrator changes there without a command.

Most stories share one house, each with a grid and people of its own: to build the pages takes half a second.
"""

from dataclasses import dataclass, replace
from datetime import time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from pages_house import EVENING, Rig, a_home, hidden
from test_pages import text_of

from alerts.channels.console import Console
from gateway.domain import Delivery, Duty, Grid, Person, Purpose, Reach, Scope, Sending
from gateway.domain.rota import Shift
from gateway.ports import Undeliverable

CHINA = ZoneInfo("Asia/Shanghai")
PLACES, PEOPLE, ALERTS, CHANNELS = (f"/administration/{name}" for name in ("places", "people", "alerts", "channels"))


class Blocked(Console):
    """A provider that says no in its own words."""

    async def send(self, delivery, letter):
        raise Undeliverable("refused: 触发天级流控", "isv.DAY_LIMIT_CONTROL")


class Office:
    """Somebody signed in before a browser."""

    def __init__(self, rig: Rig, login: str = "chief", duty: Duty = Duty.ADMIN, place: str = "") -> None:
        self.rig, self.registry = rig, rig.registry
        self.browser = rig.signed_in(login, duty, place)
        self.csrf = hidden(self.browser.get("/account").text, "csrf")

    def says(self, at: str) -> str:
        answer = self.browser.get(at, headers={"accept-language": "en"})
        assert answer.status_code == 200, answer.text
        return text_of(answer.text)

    def post(self, path: str, **form):
        return self.browser.post(path, data={"csrf": self.csrf, **form}, headers={"accept-language": "en"})

    def last_act(self, ref: str) -> tuple[str, str]:
        act = self.rig.alerts.acts(ref)[0]
        return act.who, act.what


@dataclass
class Corner:
    """A grid of 东风社区 with a household, a worker and a deputy who are in no other story."""

    code: str
    worker: str
    deputy: str
    home: str


def a_rig() -> Rig:
    return Rig(more={"channels": {"console": Console(), "email": Blocked()}})


@pytest.fixture(scope="module")
def rig() -> Rig:
    return a_rig()


@pytest.fixture(scope="module")
def office(rig) -> Office:
    return Office(rig)


NUMBERS = count(20)


@pytest.fixture
def corner(rig) -> Corner:
    n, now = next(NUMBERS), rig.clock.now()
    found = Corner(f"g{n}", f"worker{n}", f"deputy{n}", f"h{n}")
    with rig.registry.begin() as ledger:
        ledger.put_grid(Grid(code=found.code, name=f"第{n}网格", community="1101"))
        ledger.put_home(a_home(n, found.code, f"奶奶{n}"), now)
        for person, duty in ((found.worker, Duty.GRID_WORKER), (found.deputy, Duty.DEPUTY)):
            ledger.put_person(Person(id=person, name=person.title(), reaches=(Reach(channel="console"),)), now)
            ledger.assign(person, duty, found.code, now)
    return found


# ------------------------------------------------------------------ the page itself


def test_each_subject_says_in_a_line_how_it_stands():
    office = Office(a_rig())
    said = office.says("/administration")

    assert "1 community · 2 grids · 1 grid without a grid worker" in said  # nobody works in g2
    assert "3 people are called" in said
    assert "kinds of alert · all as usual" in said
    assert "2 channels are set up" in said
    page = office.browser.get("/administration").text
    assert all(f'href="{at}"' in page for at in (PLACES, PEOPLE, ALERTS, CHANNELS, "/rota", "/drills", "/tokens"))
    assert all(f'href="/administration/{at}"' in page for at in ("audit", "retention"))
    assert 'href="/administration"' in office.browser.get("/overview").text

    office.post(f"{ALERTS}/1101/bath_dwell", number="ack", value="20", why="山区")
    office.post(f"{CHANNELS}/email/test", person="liu")
    office.post(f"{PEOPLE}/liu/ways/remove", way="console")
    said = office.says("/administration")
    assert "1 changed in 1 place" in said
    assert "1 cannot be reached" in said


def test_a_supervisor_reads_what_lies_in_their_place_and_opens_nothing(rig, corner):
    ma = Office(rig, "ma", Duty.SUPERVISOR, corner.code)

    said = ma.says(PLACES)
    assert f"第{corner.code[1:]}网格" in said and "东风社区" not in said
    assert ma.browser.get(f"{PLACES}/g2").status_code == 404
    assert ma.post(PLACES, around="1101", code="g3", name="三", level="grid").status_code == 403
    assert "Rename" not in ma.says(f"{PLACES}/{corner.code}")


@pytest.mark.parametrize("duty", [Duty.GRID_WORKER, Duty.INSTALLER, Duty.FAMILY])
def test_nobody_else_comes_in(rig, duty):
    browser = rig.signed_in(f"some {duty}", duty, "g1")
    assert {browser.get(at).status_code for at in ("/administration", PLACES, PEOPLE, ALERTS, CHANNELS)} == {403}


# ------------------------------------------------------------------ areas and grids


def test_a_grid_is_opened_and_says_that_nobody_works_there(office, corner):
    answer = office.post(PLACES, around="1101", code="g13", name="第十三网格", level="grid")

    assert answer.headers["location"] == f"{PLACES}/1101?said=opened"
    assert "grid worker nobody" in office.says(f"{PLACES}/g13")
    assert f"grid worker {corner.worker.title()}" in office.says(f"{PLACES}/{corner.code}")
    assert office.last_act("g13") == ("chief", "grid.open")


def test_what_was_refused_stands_above_the_form_with_what_was_typed(office):
    answer = office.post(PLACES, around="1101", code="g2", name="又一个", level="grid")

    assert answer.status_code == 422
    assert "The code g2 is taken by g2." in text_of(answer.text)
    assert 'value="又一个"' in answer.text


def test_a_grid_is_renamed_and_closed_with_its_households_in_another(office, corner):
    office.post(f"{PLACES}/{corner.code}", name="东风一", around="1101")
    assert "东风一" in office.says(f"{PLACES}/1101")
    assert "1 households still lie" in text_of(office.post(f"{PLACES}/{corner.code}/close", why="合并").text)

    answer = office.post(f"{PLACES}/{corner.code}/close", into="g2", why="合并")
    assert answer.headers["location"] == f"{PLACES}/1101?said=closed"
    assert office.registry.home(corner.home).grid == "g2"
    assert office.browser.get(f"{PLACES}/{corner.code}").status_code == 404


def test_nobody_is_left_with_an_account_for_a_place_that_is_gone(office, corner):
    office.rig.account("zhou", Duty.GRID_WORKER, corner.code)
    answer = office.post(f"{PLACES}/{corner.code}/close", into="g2", why="合并")

    assert "zhou sign in for this place" in text_of(answer.text)
    assert office.registry.home(corner.home).grid == corner.code


def test_whoever_keeps_one_grid_neither_takes_in_nor_gives_away(rig, corner):
    local = Office(rig, "adm", Duty.ADMIN, corner.code)

    assert local.post(f"{PLACES}/{corner.code}", name="x", around="").status_code == 404
    assert local.post(f"{PLACES}/{corner.code}/close", into="g2", why="x").status_code == 404
    assert local.post(f"{PLACES}/g2", name="x", around="1101").status_code == 404
    assert local.post(f"{PLACES}/{corner.code}", name="本网格", around="1101").status_code == 303, "its name is theirs"


# ------------------------------------------------------------------ people


def test_somebody_new_is_added_called_and_can_be_reached(office, corner):
    now, number = office.rig.clock.now(), f"137000011{corner.code[1:]}"
    answer = office.post(PEOPLE, name="周网格员", phone=number, duty="grid_worker", place="g2")
    assert answer.headers["location"] == f"{PEOPLE}/{number}?said=added"
    assert "no message would reach them" in office.says(PEOPLE)

    office.post(f"{PEOPLE}/{number}/ways", channel="console", after="5")
    office.post(f"{PEOPLE}/{number}/duties", duty="deputy", place=corner.code)

    person = office.registry.person(number)
    assert (person.name, person.reaches) == ("周网格员", (Reach(channel="console", after=timedelta(minutes=5)),))
    assert set(office.registry.duties(number, now)) == {(Duty.GRID_WORKER, "g2"), (Duty.DEPUTY, corner.code)}
    assert "周网格员" in office.says(f"{PLACES}/g2")

    office.post(f"{PEOPLE}/{number}/duties/end", duty="grid_worker", place="g2")
    assert office.registry.duties(number, now) == [(Duty.DEPUTY, corner.code)]
    assert office.post(PEOPLE, name="又一人", phone=number, duty="deputy", place="g2").status_code == 422, "taken"


def test_the_tree_says_who_is_on_shift_at_this_moment(office, corner):
    shift = Shift(
        place=corner.code,
        duty=Duty.GRID_WORKER,
        person=corner.worker,
        begins=time(20),
        ends=time(6),
        zone=CHINA,
        first=EVENING.date(),
    )
    with office.registry.begin() as ledger:
        ledger.put_duties(corner.worker, [], EVENING)
        ledger.put_shift(shift)
    name, until = corner.worker.title(), "tomorrow 06:00"
    assert f"1 household · {name}, on shift until {until}" in office.says(f"{PLACES}/1101")
    assert f"{name} on shift until {until}" in office.says(f"{PLACES}/{corner.code}")

    with office.registry.begin() as ledger:
        ledger.drop_shift(shift.id)
        ledger.put_shift(replace(shift, begins=time(8), ends=time(20)))
    assert f"{name}, who cannot be called now" in office.says(f"{PLACES}/1101")
    assert f"{name} not now" in office.says(f"{PLACES}/{corner.code}")


def test_what_a_household_has_of_its_own_stands_below_the_table_with_whose_word_it_is(office, corner):
    at = f"{ALERTS}?place={corner.code}"
    assert "holds in every household" in office.says(at)
    office.rig.registrar.plans.put(corner.home, "inactivity.ack", "20", why="住在山上", who=corner.worker, now=EVENING)

    said = office.says(at)
    assert "otherwise in 1 household" in said and f"by {corner.worker.title()}: 住在山上" in said
    assert f'href="/plans/home/{corner.home}"' in office.browser.get(at).text
    assert "holds in every household" in office.says(f"{ALERTS}?place=g2"), "elsewhere nothing has changed"


def test_a_wrong_address_is_refused_and_a_key_is_not_shown_again(office, corner):
    at = f"{PEOPLE}/{corner.worker}"
    assert "not an address" in text_of(office.post(f"{at}/ways", channel="email", where="nowhere").text)

    worker = office.registry.person(corner.worker)
    robot = replace(worker, reaches=(Reach(channel="wecom", address="693a91f6-secret-8a55"),))
    office.rig.registrar.put_person(robot, who="x", now=EVENING)
    page = office.browser.get(at).text
    assert "693a91f6" not in page and "…8a55" in page

    office.post(f"{at}/ways/remove", way="wecom")
    assert office.registry.person(corner.worker).reaches == ()


def test_whoever_reads_messages_on_another_telephone_is_tried_there_first(office, corner):
    at = f"{PEOPLE}/{corner.worker}"
    robot, sms = Reach(channel="wecom", address="693a91f6"), Reach(channel="tencent_sms", address="13700001111")
    waits = timedelta(minutes=5)
    worker = replace(office.registry.person(corner.worker), reaches=(robot, replace(sms, after=waits)))
    office.rig.registrar.put_person(worker, who="x", now=EVENING)

    page = office.browser.get(at).text
    assert page.count("/ways/up") == 1, "the first stands where it stands"
    office.post(f"{at}/ways/up", way="tencent_sms")
    assert office.registry.person(corner.worker).reaches == (sms, replace(robot, after=waits)), "the place waits"
    assert office.post(f"{at}/ways/up", way="pigeon").status_code == 404


def test_numbers_are_changed_and_leave_is_noted(office, corner):
    at, tomorrow = f"{PEOPLE}/{corner.worker}", EVENING + timedelta(days=1)
    office.post(at, name="刘网格员", phone=["13700002222", ""], language="en")
    office.post(f"{at}/leave", first="2026-11-22", last="2026-11-24", why="婚假")

    assert office.registry.phones(corner.worker) == ("13700002222",)
    assert office.registry.person(corner.worker).language == "en"
    assert office.registry.rota().is_away(corner.worker, tomorrow)
    assert "婚假" in office.says(at)

    office.post(f"{at}/leave/end")
    assert not office.registry.rota().is_away(corner.worker, tomorrow)


def test_whoever_also_works_elsewhere_is_changed_by_whoever_keeps_both(rig, corner):
    ma, at = Office(rig, "ma", Duty.SUPERVISOR, corner.code), f"{PEOPLE}/{corner.worker}"
    assert ma.post(f"{at}/ways", channel="email", where="liu@example.org").status_code == 303, "theirs alone"
    with rig.registry.begin() as ledger:
        ledger.assign(corner.worker, Duty.GRID_WORKER, "g2", rig.clock.now())

    assert "beyond your place" in ma.says(at)
    assert ma.post(at, name="x").status_code == 403
    assert ma.post(f"{at}/ways", channel="email", where="other@example.org").status_code == 403
    assert ma.post(f"{at}/duties", duty="deputy", place=corner.code).status_code == 303, "in their own place they may"
    assert ma.post(f"{at}/duties", duty="deputy", place="g2").status_code == 404
    assert ma.post(f"{at}/duties", duty="admin", place=corner.code).status_code == 404


def test_only_whoever_keeps_all_lets_the_gateway_speak_to_any_machine(rig, corner):
    ma = Office(rig, "ma", Duty.SUPERVISOR, corner.code)

    assert ma.post(f"{PEOPLE}/{corner.deputy}/ways", channel="console").status_code == 404


def test_a_supervisor_of_everything_changes_no_administrators_telephone(rig, corner):
    ma = Office(rig, "ma", Duty.SUPERVISOR)
    rig.account(corner.worker, Duty.ADMIN, corner.code)

    assert ma.post(f"{PEOPLE}/{corner.worker}/ways", channel="email", where="ma@example.org").status_code == 403
    assert ma.post(f"{PEOPLE}/{corner.deputy}/ways", channel="email", where="ma@example.org").status_code == 303


def test_residents_and_relatives_do_not_stand_among_those_who_work(office, corner):
    person = f"resident-{corner.code}"
    office.rig.registrar.put_person(Person(id=person, name="老人家"), who="x", now=EVENING)
    office.rig.rename(corner.home, person=person)

    assert "老人家" not in office.says(PEOPLE)
    assert office.browser.get(f"{PEOPLE}/{person}").status_code == 404


# ------------------------------------------------------------------ alerts


def test_a_community_is_given_longer_and_one_of_its_grids_less_again(office, corner):
    grid = corner.code
    assert office.post(f"{ALERTS}/1101/bath_dwell", number="ack", value="20", why="山区").status_code == 303
    assert "20 min 东风社区" in office.says(f"{ALERTS}?place={grid}")

    office.post(f"{ALERTS}/{grid}/bath_dwell", number="ack", value="10", why="有人驻点", day="2026-12-31")
    assert "10 min changed here" in office.says(f"{ALERTS}?place={grid}")
    assert "by chief: 有人驻点" in office.says(f"{ALERTS}/{grid}/bath_dwell")
    assert office.registry.plan(corner.home, office.rig.clock.now())[-1].value == "10"
    assert office.last_act(grid) == ("chief", "plan.grid")

    office.post(f"{ALERTS}/{grid}/bath_dwell/reset", number="ack")
    assert "20 min 东风社区" in office.says(f"{ALERTS}?place={grid}")


def test_the_table_shows_what_the_desk_would_take(office, corner):
    """A milder alert has the ladder of its level, and asking longer first moves what comes after."""
    at = f"{ALERTS}/{corner.code}/water_low"
    office.post(at, number="severity", value="3", why="邻居常来")
    office.post(at, number="confirm", value="40", why="邻居常来")

    said = office.says(at)
    assert "at once, again until 30 min resident after 35 min resident, family after 40 min grid worker" in said
    assert "district desk" not in said


@pytest.mark.parametrize(
    ("alert", "form", "why"),
    [
        ("leak", {"number": "ack", "value": "soon", "why": "x"}, "is a number from 0.5 to 10080"),
        ("leak", {"number": "ack", "value": "10"}, "Please say why"),
        ("sos", {"number": "severity", "value": "3", "why": "吵"}, "always an emergency"),
        ("sos", {"number": "watched", "why": "吵"}, "never switched off"),
        ("leak", {"number": "ack", "value": "10", "why": "x", "day": "soon"}, "no date"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(office, alert, form, why):
    answer = office.post(f"{ALERTS}/g2/{alert}", **form)

    assert answer.status_code == 422
    assert why in text_of(answer.text)
    assert office.registry.overrides("g2", Scope.GRID) == []


def test_a_rule_is_switched_off_and_on_again(office, corner):
    at, table = f"{ALERTS}/{corner.code}/door_open", f"{ALERTS}?place={corner.code}"
    office.post(at, number="watched", why="门坏了，周五修")
    assert "switched off" in office.says(table)

    office.post(f"{at}/reset", number="watched", why="修好了")
    assert "switched off" not in office.says(table)
    assert office.browser.get(f"{ALERTS}/{corner.code}/nonsense").status_code == 404


# ------------------------------------------------------------------ channels


def test_a_test_goes_out_is_written_down_and_does_not_ring_on_and_on(office, corner):
    console = office.rig.house.channels["console"]
    answer = office.post(f"{CHANNELS}/console/test", person=corner.worker)

    assert answer.headers["location"] == f"{CHANNELS}?channel=console&person={corner.worker}#tested"
    said = console.said[-1]
    assert (said.delivery.purpose, said.delivery.person) == (Purpose.TEST, corner.worker)
    assert f"The last test to {corner.worker.title()}" in office.says(answer.headers["location"])
    assert office.last_act(corner.worker) == ("chief", "tell")

    again = office.post(f"{CHANNELS}/console/test", person=corner.worker)
    assert again.status_code == 422 and "wait a minute" in text_of(again.text)
    assert console.said[-1] is said


def test_what_the_provider_said_is_shown_with_its_code(office, corner):
    office.post(f"{PEOPLE}/{corner.worker}/ways", channel="email", where="liu@example.org")
    answer = office.post(f"{CHANNELS}/email/test", person=corner.worker)

    said = office.says(answer.headers["location"])
    assert "failed" in said and "触发天级流控" in said and "isv.DAY_LIMIT_CONTROL" in said
    assert "messages failed today" in office.says("/administration")


def test_a_day_of_messages_is_counted_and_what_is_not_set_up_says_what_it_needs(office):
    def message(n: int, **more) -> Delivery:
        usual = {"alert": "a", "purpose": Purpose.PAGE, "person": "liu", "channel": "console", "address": ""}
        return Delivery(**{**usual, "id": f"a/{n}", "created_at": EVENING, "state": Sending.SENT, **more})

    with office.rig.alerts.begin() as ledger:
        ledger.queue(message(1, delivered_at=EVENING))
        ledger.queue(message(2, state=Sending.FAILED, reason="refused: 空号", code="MK:0001"))
        ledger.queue(message(3, created_at=EVENING - timedelta(days=2), code="OLD"))

    said = office.says(CHANNELS)
    assert "of these 1 arrived; 1 failed; 0 waiting" in said
    assert "1 × MK:0001 refused: 空号" in said and "OLD" not in said
    assert "[channels.tencent_sms]" in said and "secret_id" in said


def test_a_test_goes_to_nobody_who_is_not_theirs(rig, corner):
    he = Office(rig, "he", Duty.SUPERVISOR, "g2")

    assert he.post(f"{CHANNELS}/console/test", person=corner.worker).status_code == 404
    assert he.post(f"{CHANNELS}/nothing/test", person="he").status_code == 404
    assert he.post(f"{CHANNELS}/console/test", person="he").status_code == 303, "but to themselves"
