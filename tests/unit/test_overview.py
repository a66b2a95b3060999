"""Whoever answers for a district looks at it: what is open and late in each part, and which rules are right."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pages_house import EVENING, Rig, a_home

from alerts import sla, sums
from alerts.gaps import A_MOMENT
from alerts.sla import Share
from dashboard import pages
from dashboard.county import NOWHERE, WHOLE, County
from dashboard.files import Table, as_csv, as_workbook
from dashboard.tally import Tally
from gateway.domain import (
    Area,
    ButtonTest,
    Duty,
    Finding,
    Gap,
    Grid,
    Joined,
    Kind,
    Monitoring,
    Outcome,
    Role,
    Sensor,
    Severity,
    State,
)
from gateway.ports import Batch

CHINA = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def rig() -> Rig:
    """A district of two streets; 东风社区 with its grids g1 and g2 lies in the first, g9 of 西山社区 in the second."""
    rig = Rig()
    now = rig.clock.now()
    with rig.registry.begin() as ledger:
        ledger.put_area(Area(code="11", name="江滨区", level="district"), now)
        ledger.put_area(Area(code="1101s", name="江南街道", level="street", parent="11"), now)
        ledger.put_area(Area(code="1102s", name="江北街道", level="street", parent="11"), now)
        ledger.put_area(Area(code="1101", name="东风社区", level="community", parent="1101s"), now)
        ledger.put_area(Area(code="1109", name="西山社区", level="community", parent="1102s"), now)
        ledger.put_grid(Grid(code="g9", name="西山第九网格", community="1109"))
        ledger.put_home(a_home(9, "g9", "孙奶奶"), now)
    rig.is_heard("h1", "h2", "h3", "h9")
    return rig


def judge(rig: Rig, alert_id: str, outcome: Outcome, after: timedelta = timedelta(seconds=40)) -> None:
    """Accepted so long after it was raised, gone to, and found to be this."""
    rig.clock.at += after
    rig.desk.accept(alert_id, "liu", rig.clock.now())
    rig.desk.on_the_way(alert_id, "liu", rig.clock.now())
    rig.clock.go_on(minutes=10)
    rig.desk.on_site(alert_id, "liu", rig.clock.now())
    rig.desk.resolve(alert_id, "liu", outcome, "", rig.clock.now())


# --------------------------------------------------------------------------- counting


def test_each_part_has_what_happens_in_it_and_the_worst_stands_first(rig: Rig):
    rig.press("h9")
    rig.press("h1", Severity.HIGH, "inactivity")
    rig.press("h1", Severity.TECHNICAL, "device_offline")
    rig.clock.go_on(seconds=90)  # nobody has come to 孙奶奶 within a minute

    sight = County(rig.house, Tally(rig.alerts)).see("11", rig.clock.now())

    north, south = sight.parts
    assert (north.code, north.calls, north.open[Severity.EMERGENCY], north.overdue) == ("1102s", 1, 1, 1)
    assert (south.code, south.calls, south.overdue, south.faults) == ("1101s", 1, 0, 1)
    assert (south.watched, sight.whole.watched, sight.whole.calls) == (3, 4, 2)
    assert [home.name for _, home, _ in sight.open] == ["孙奶奶", "王奶奶"], "what is late is on top"


def test_one_goes_down_to_the_home(rig: Rig):
    rig.press("h1")
    county, now = County(rig.house, Tally(rig.alerts)), rig.clock.now()

    assert [part.code for part in county.see("1101s", now).parts] == ["1101"]
    assert [part.code for part in county.see("1101", now).parts] == ["g1", "g2"]
    here = county.see("g1", now)
    assert here.is_grid
    assert [(home.name, calls) for home, calls, _ in here.here] == [("王奶奶", 1), ("李爷爷", 0)]
    assert here.trail == ("", "11", "1101s", "1101")


def test_one_begins_where_there_is_more_than_one_part(rig: Rig):
    county = County(rig.house, Tally(rig.alerts))

    assert county.widest(WHOLE) == "11", "there is one district: nobody chooses it by hand"
    assert county.widest("1101s") == "1101"
    assert county.widest("g1") == "g1"
    with rig.registry.begin() as ledger:
        ledger.put_home(replace(a_home(5, "g1", "吴奶奶"), grid=""), rig.clock.now())
    assert county.widest(WHOLE) == WHOLE, "a home in no grid would not be seen from the district"
    assert {part.code for part in county.see(WHOLE, rig.clock.now()).parts} == {"11", NOWHERE}


def test_a_home_that_is_not_heard_or_sees_less_is_counted_once(rig: Rig):
    rig.clock.go_on(minutes=10)
    rig.is_heard("h1", "h2", "h3")
    since = rig.clock.now()
    gap = Gap(home="h1", what="fall", why="sensor_silent", since=since)
    missing = Gap(home="h2", what="fall", why="sensor_missing", since=since)
    dark = Gap(home="h9", what="fall", why="hub_silent", since=since)
    rig.readings.commit(Batch(gaps={"h1": (gap,), "h2": (missing,), "h9": (dark,)}))

    sight = County(rig.house, Tally(rig.alerts)).see("11", rig.clock.now())

    assert [home.id for home, _ in sight.silent] == ["h9"]
    assert (sight.whole.silent, sight.whole.limited) == (1, 1), "what nobody has installed is no fault"
    assert sight.blind_to == [("fall", 2)]
    assert sight.whole.seen == Share(2, 4)


def test_a_home_that_nobody_watches_is_neither_silent_nor_limited(rig: Rig):
    rig.rename("h9", state=Monitoring.PAUSED)
    rig.clock.go_on(days=2)

    whole = County(rig.house, Tally(rig.alerts)).see("1102s", rig.clock.now()).whole

    assert (whole.watched, whole.silent, whole.homes[Monitoring.PAUSED]) == (0, 0, 1)


def test_how_people_did_and_whether_the_rule_was_right(rig: Rig):
    judge(rig, rig.press("h1").id, Outcome.ASSISTANCE_GIVEN)
    judge(rig, rig.press("h2").id, Outcome.ACCIDENTAL_PRESS, after=timedelta(seconds=100))
    judge(rig, rig.press("h9", Severity.HIGH, "inactivity").id, Outcome.NO_ACCESS)
    rig.clock.go_on(days=2)

    sight = County(rig.house, Tally(rig.alerts)).see("11", rig.clock.now())

    assert sight.figures.answered == (Share(2, 3), Share(3, 3))
    assert sight.figures.arrived == (Share(3, 3), Share(3, 3))
    assert sight.figures.false == Share(1, 2)
    assert sight.figures.breached == Share(1, 3), "one emergency was accepted later than its ladder allows"
    assert [(rule.code, rule.raised, rule.right) for rule in sight.rules] == [
        ("sos", 2, Share(1, 2)),
        ("inactivity", 1, Share(0, 0)),
    ]
    assert sight.follow_ups == Share(2, 2), "nobody has looked in again within a day of help and of a shut door"
    assert sight.figures.looked_in == Share(0, 2)


def test_what_is_older_than_four_weeks_is_in_the_weeks_and_not_in_the_figures(rig: Rig):
    judge(rig, rig.press("h1").id, Outcome.ASSISTANCE_GIVEN)
    rig.clock.go_on(weeks=5)

    county, now = County(rig.house, Tally(rig.alerts)), rig.clock.now()

    assert county.see("11", now).figures.alerts == 0
    weeks = county.weeks("11", now)
    assert len(weeks) == 13
    assert [week.figures.alerts for week in weeks] == [0] * 7 + [1] + [0] * 5
    assert weeks[-1].begins.weekday() == 0


def test_load_and_proof(rig: Rig):
    for _ in range(6):
        judge(rig, rig.press("h1").id, Outcome.ACCIDENTAL_PRESS)
        rig.clock.go_on(hours=1)
    button = Sensor(id="b", hub="hub-2", address="b", name="按钮", room="", role=Role.SOS)
    rig.rename("h2", sensors=(button,))
    rig.rename("h3", sensors=(replace(button, hub="hub-3"),))
    with rig.alerts.begin() as ledger:
        ledger.keep_test(ButtonTest(home="h2", sensor="b", at=rig.clock.now() - timedelta(days=3), by="liu"))

    county = County(rig.house, Tally(rig.alerts))
    sight = county.see("11", rig.clock.now())

    assert [(one.who, one.count, one.is_too_high) for one in sight.homes] == [("h1", 6, True)]
    assert {one.who: one.count for one in sight.people}["liu"] == 6
    assert sight.proof.buttons == Share(1, 2)
    assert sight.proof.reached.whole == 3, "each of the three on duty has one way"
    assert county.see("1102s", rig.clock.now()).people == []


# --------------------------------------------------------------------------- the tally


def test_the_tally_follows_what_happens_without_reading_it_all_again(rig: Rig):
    tally, now = Tally(rig.alerts), rig.clock.now()
    since = now - timedelta(weeks=4)
    assert tally.look(now, since).unclosed == ()

    alert = rig.press("h1")
    (open_,) = tally.look(rig.clock.now(), since).unclosed
    assert open_.id == alert.id

    judge(rig, alert.id, Outcome.ACCIDENTAL_PRESS)
    rig.desk.close(alert.id, "liu", rig.clock.now())
    picture = tally.look(rig.clock.now(), since)
    assert picture.unclosed == ()
    (case,) = picture.cases
    assert (case.answer, case.outcome) == (timedelta(seconds=40), Outcome.ACCIDENTAL_PRESS)

    rig.press("h2", code="inactivity", severity=Severity.HIGH)
    fresh = Tally(rig.alerts).look(rig.clock.now(), since)
    followed = tally.look(rig.clock.now(), since)
    assert set(followed.cases) == set(fresh.cases)
    assert {a.id for a in followed.unclosed} == {a.id for a in fresh.unclosed}


def test_what_turns_out_to_be_a_double_is_counted_no_more(rig: Rig):
    tally = Tally(rig.alerts)
    alert = rig.press("h1")
    since = EVENING - timedelta(days=1)
    assert len(tally.look(rig.clock.now(), since).cases) == 1

    rig.desk.accept(alert.id, "liu", rig.clock.now())
    rig.desk.resolve(alert.id, "liu", Outcome.DUPLICATE, "", rig.clock.now())

    assert tally.look(rig.clock.now(), since).cases == ()


def test_a_button_that_is_proven_meanwhile_is_proven_on_the_page(rig: Rig):
    tally, now = Tally(rig.alerts), rig.clock.now()
    assert tally.look(now, now).tested == {}

    with rig.alerts.begin() as ledger:
        ledger.keep_test(ButtonTest(home="h2", sensor="b", at=now, by="liu"))
        ledger.publish(now, "home", "h2", "h2", "g1")

    assert tally.look(now, now).tested["h2", "b"].at == now


def test_what_was_erased_is_counted_no_longer(rig: Rig):
    alert, now = rig.press("h1"), rig.clock.now()
    tally = Tally(rig.alerts)
    assert [case.home for case in tally.raised(now - timedelta(days=30), now + A_MOMENT, now)] == ["h1"]

    with rig.alerts.begin() as ledger:
        ledger.forget_alert(alert.id)
        ledger.publish(now, "alert", alert.id, "h1")
    assert tally.look(now).unclosed == () and not tally.raised(now - timedelta(days=30), now + A_MOMENT, now)


def test_the_list_of_a_district_goes_on_by_parts_and_is_searched(rig: Rig, monkeypatch):
    browser = rig.signed_in()
    assert "part=2" not in browser.get("/").text, "a grid stands on one page"
    monkeypatch.setattr(pages, "LINES_SHOWN", 1)

    first, second = browser.get("/").text, browser.get("/?part=2").text
    assert first.count('<li id="home-') == second.count('<li id="home-') == 1
    assert first.split('<li id="home-')[1][:4] != second.split('<li id="home-')[1][:4]
    assert "part=2" in first and 'hx-get="/?part=2"' in second, "and is looked at again where it stands"
    found = browser.get("/?sought=no such household").text
    assert '<li id="home-' not in found and "no such household" in found


def test_weeks_begin_on_monday_by_the_clock_of_the_place():
    sunday_night = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    weeks = sums.by_week((), CHINA, sunday_night, 2)
    assert [str(week.begins) for week in weeks] == ["2026-11-09", "2026-11-16"]
    assert str(sums.by_week((), CHINA, sunday_night + timedelta(minutes=1), 1)[0].begins) == "2026-11-23"


def test_a_test_or_what_was_held_back_is_no_case(rig: Rig):
    alert = rig.press("h1")
    assert sla.case_of(alert) is not None
    assert sla.case_of(replace(alert, state=State.CANCELLED)) is None
    held = Finding(home="h1", code="sos", severity=Severity.HIGH, since=EVENING, at=EVENING, facts=(("held_for", "x"),))
    assert sla.case_of(replace(alert, finding=held)) is None


def test_each_rule_that_had_a_part_is_judged_and_what_was_wrong_with_a_button_says_nothing_of_the_others(rig: Rig):
    fall = Finding(home="h1", code="fall", severity=Severity.EMERGENCY, since=EVENING, at=EVENING)
    pressed = replace(rig.press("h1"), also=(Joined(finding=fall),))

    def right(outcome: Outcome | None) -> dict[str, tuple[int, int, int, int]]:
        case = sla.case_of(replace(pressed, outcome=outcome))
        assert case is not None
        return {rule.code: (rule.raised, rule.real, rule.false, rule.unsure) for rule in sums.by_rule([case])}

    assert right(None) == {"sos": (1, 0, 0, 0), "fall": (1, 0, 0, 0)}
    assert right(Outcome.REAL_EMERGENCY) == {"sos": (1, 1, 0, 0), "fall": (1, 1, 0, 0)}
    assert right(Outcome.ACCIDENTAL_PRESS) == {"sos": (1, 0, 1, 0), "fall": (1, 0, 0, 1)}


# --------------------------------------------------------------------------- the page


def test_the_page_says_it_in_both_languages(rig: Rig):
    rig.press("h9")
    rig.hear("h1", Kind.MOTION)
    browser = rig.signed_in()

    page = browser.get("/overview", headers={"accept-language": "zh"}).text
    assert "江滨区" in page
    assert "江北街道" in page
    assert "其中紧急 1 起" in page
    assert "Open, life in danger" in browser.get("/overview", headers={"accept-language": "en"}).text


@pytest.mark.parametrize("path", ["/overview/1102s", "/overview/1102s/parts.csv", "/overview/1102s/parts.xlsx"])
def test_a_supervisor_sees_the_own_area_and_of_others_not_even_that_they_exist(rig: Rig, path: str):
    browser = rig.signed_in(place="1101s")

    assert "江北" not in browser.get("/overview").text
    assert browser.get("/overview/g1").status_code == 200
    foreign, nowhere = browser.get(path), browser.get(path.replace("1102s", "nowhere"))
    assert foreign.status_code == nowhere.status_code == 404
    assert foreign.text.replace("1102s", "") == nowhere.text.replace("nowhere", "")
    assert browser.get("/overview/11").status_code == 404, "nor what lies around it"


@pytest.mark.parametrize("duty", [Duty.GRID_WORKER, Duty.INSTALLER, Duty.FAMILY])
def test_nobody_else_comes_in(rig: Rig, duty: Duty):
    assert rig.signed_in("liu", duty).get("/overview").status_code == 403


# --------------------------------------------------------------------------- files

FORMULA = '=HYPERLINK("http://evil","王")'


@pytest.mark.parametrize("beginning", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", FORMULA])
def test_no_name_becomes_a_formula(beginning: str):
    table = Table("区域", ["名称", "值"], [(beginning, 3), ("王", -1)])

    text = as_csv("x", table, "总数").body.decode("utf-8-sig")
    assert f"'{beginning[0]}" in text
    assert "王,-1" in text, "a number stays one"

    with zipfile.ZipFile(io.BytesIO(as_workbook("x", [table], "总数").body)) as box:
        page = box.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in page
        assert 't="s"' in page, "text lies among the texts"
        assert "<v>-1</v>" in page
        assert 'quotePrefix="1"' in box.read("xl/styles.xml").decode()


def test_a_share_is_a_percentage_with_of_how_many_beside_it():
    table = Table("a", ["Area", "False"], [("g1", Share(1, 3)), ("g2", Share(0, 0))])
    assert as_csv("x", table, "of").body.decode("utf-8-sig").split("\r\n") == [
        'Area,"False, %",of',
        "g1,33.3,3",
        "g2,,0",
        "",
    ]


def test_two_sheets_of_one_name_and_a_name_that_is_none():
    names = ["[东/风]*?", "[东/风]*?", "", "一" * 40]
    body = as_workbook("x", [Table(name, ["a"], []) for name in names], "of").body
    with zipfile.ZipFile(io.BytesIO(body)) as box:
        book = box.read("xl/workbook.xml").decode()
    assert 'name="东 风"' in book
    assert 'name="东 风 2"' in book
    assert 'name="-"' in book
    assert f'name="{"一" * 31}"' in book


# --------------------------------------------------------------------------- the month


def test_a_month_on_paper_with_what_each_figure_means(rig: Rig):
    judge(rig, rig.press("h1").id, Outcome.ASSISTANCE_GIVEN)
    judge(rig, rig.press("h9").id, Outcome.ACCIDENTAL_PRESS)
    rig.clock.go_on(days=40)
    browser = rig.signed_in()

    page = browser.get("/month/11/2026-11", headers={"accept-language": "zh"}).text

    assert "50 % (1/2)" in page, "of two alerts one was false"
    assert "从报警到有能到场的人接单" in page
    assert "江南街道" in page
    assert "本月尚未结束" not in page
    assert "本月没有通知过人员" in browser.get("/month/11/2026-12").text
    for month in ("2026-13", "2026", "yesterday"):
        assert browser.get(f"/month/11/{month}").status_code == 404
    with zipfile.ZipFile(io.BytesIO(browser.get("/month/11/2026-11.xlsx").content)) as box:
        assert 'name="分区域"' in box.read("xl/workbook.xml").decode()


def test_a_month_ends_at_the_midnight_of_the_homes(rig: Rig):
    rig.clock.at = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    rig.press("h1")
    rig.clock.go_on(minutes=2)
    rig.press("h2")
    county, now = County(rig.house, Tally(rig.alerts)), rig.clock.now()

    assert county.month("11", "2026-11", now).figures.alerts == 1
    assert county.month("11", "2026-12", now).figures.alerts == 1


def test_the_month_of_another_area_is_not_there(rig: Rig):
    browser = rig.signed_in(place="1101s")
    assert browser.get("/month/1101/2026-11").status_code == 200
    assert browser.get("/month/1102s/2026-11").status_code == 404
    assert browser.get("/month/1102s/2026-11.xlsx").status_code == 404
