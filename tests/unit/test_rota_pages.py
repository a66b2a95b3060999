"""The duty sheet on a telephone: the week of a grid, gaps, two taps to swap, and who would be called."""

import re
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pages_house import EVENING, Rig, a_home, hidden
from test_pages import text_of

from alerts.gaps import findings, watched
from dashboard import administration
from gateway.domain import Duty, Monitoring
from gateway.domain.rota import Leave, Shift

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 16)  # it is Saturday evening of this week, 22:38
NEXT = MONDAY + timedelta(days=7)


class Sheet:
    """Two grids that are worked by day, and the supervisor of both with a telephone."""

    def __init__(self, grid: str = "") -> None:
        self.rig = Rig()
        with self.rig.registry.begin() as ledger:
            for person in ("liu", "he", "ma"):
                ledger.put_duties(person, [(Duty.INSTALLER, "g1")], EVENING)
            for place, person in (("g1", "liu"), ("g2", "he")):
                ledger.put_shift(self.shift(place, person))
        self.browser = self.rig.signed_in("ma", Duty.SUPERVISOR, grid)

    @staticmethod
    def shift(place: str, person: str, begins: str = "08:00", ends: str = "18:00") -> Shift:
        return Shift(
            place=place,
            duty=Duty.GRID_WORKER,
            person=person,
            begins=time.fromisoformat(begins),
            ends=time.fromisoformat(ends),
            zone=SHANGHAI,
            first=MONDAY,
        )

    def page(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **form):
        csrf = hidden(self.page("/rota/g1"), "csrf")
        return self.browser.post(path, data={"csrf": csrf, **form})

    def on_duty(self, grid: str, day: date) -> list[str]:
        noon = EVENING.astimezone(SHANGHAI).replace(year=day.year, month=day.month, day=day.day, hour=12)
        return [person.id for person in self.rig.registry.on_duty(grid, Duty.GRID_WORKER, noon)]


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


def links(page: str) -> list[str]:
    """The shifts that can be tapped first."""
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*pick=[^"]*)"', page)]


# --------------------------------------------------------------------------- who may


def test_only_who_keeps_the_sheet_sees_it_and_only_their_grids():
    rig = Rig()
    for number, duty in enumerate((Duty.GRID_WORKER, Duty.DEPUTY, Duty.INSTALLER, Duty.FAMILY)):
        browser = rig.signed_in(f"p{number}", duty)
        assert browser.get("/rota").status_code == browser.get("/rota/g1").status_code == 403
    keeper = rig.signed_in("ma", Duty.SUPERVISOR, "g1")
    assert keeper.get("/rota").headers["location"] == "/rota/g1"
    assert keeper.get("/rota/g1").status_code == 200
    assert keeper.get("/rota/g2").status_code == keeper.get("/rota/none").status_code == 404
    assert rig.browser().get("/rota").headers["location"].startswith("/login")


def test_nothing_is_changed_without_the_forms_own_token(sheet):
    assert sheet.browser.post("/rota/g1/leave", data={"person": "liu", "first": "2026-12-01"}).status_code == 403


# --------------------------------------------------------------------------- the week


def test_the_list_shows_the_next_hours_that_nobody_has(sheet):
    page = text_of(sheet.page("/rota"))

    assert page.count("无人可以通知") == 2
    assert "11-20" not in page


def test_a_week_shows_who_works_and_in_red_when_nobody_does(sheet):
    page = sheet.page("/rota/g1")

    assert text_of(page).count("刘网格员") >= 7
    assert "周六 11-21 · 今天" in text_of(page)
    assert page.count('class="hole"') == 3, "this evening, and tomorrow before and after the shift"
    assert "现在这里没有人可以通知" not in text_of(page), "the installer can be called"
    assert text_of(sheet.page(f"/rota/g1?week={NEXT}")).count("无人可以通知") == 14


def test_leave_that_nobody_stands_in_for_is_red(sheet):
    with sheet.rig.registry.begin() as ledger:
        ledger.put_leave(Leave(person="liu", since=EVENING, until=EVENING + timedelta(days=3), reason="病假"))

    page = text_of(sheet.page("/rota/g1"))

    assert "请假，无人顶班" in page
    assert "病假" in page


def test_what_is_over_cannot_be_swapped(sheet):
    page = sheet.page("/rota/g1")

    assert len(links(page)) == 1, "only Sunday's shift is still to come"


# --------------------------------------------------------------------------- two taps


def test_two_grids_swap_two_shifts_in_two_taps(sheet):
    tuesday, thursday = NEXT + timedelta(days=1), NEXT + timedelta(days=3)
    first = next(link for link in links(sheet.page(f"/rota/g1?week={NEXT}")) if f"{tuesday}" in link)
    page = sheet.page(first)
    assert "换这个班" in text_of(page)
    assert "周二 11-24" in text_of(page)

    other = next(link for link in links(page) if link.startswith("/rota/g2"))
    page = sheet.page(other)
    form = next(f for f in page.split("<form")[1:] if "/swap" in f and f'@{thursday}"' in f)
    answer = sheet.post("/rota/g2/swap", one=hidden(form, "one"), other=hidden(form, "other"), week=f"{NEXT}")

    assert answer.headers["location"] == f"/rota/g2?week={NEXT}&said=swapped"
    assert "已换班" in text_of(sheet.page(answer.headers["location"]))
    assert sheet.on_duty("g1", tuesday) == ["he"]
    assert sheet.on_duty("g2", thursday) == ["liu"]
    assert sheet.on_duty("g1", thursday) == ["liu"]
    assert "顶刘网格员的班" in text_of(sheet.page(f"/rota/g1?week={NEXT}"))


def test_somebody_stands_in(sheet):
    key = f"{Sheet.shift('g1', 'liu').id}@{NEXT}"

    sheet.post("/rota/g1/stand-in", one=key, person="ma", week=f"{NEXT}")

    assert sheet.on_duty("g1", NEXT) == ["ma"]


def test_a_supervisor_of_one_grid_swaps_nothing_of_another():
    sheet = Sheet("g1")
    one, other = f"{Sheet.shift('g1', 'liu').id}@{NEXT}", f"{Sheet.shift('g2', 'he').id}@{NEXT}"

    assert sheet.post("/rota/g1/swap", one=one, other=other).status_code == 404
    assert sheet.post("/rota/g1/shifts/end", shift=Sheet.shift("g2", "he").id).status_code == 404
    assert sheet.post("/rota/g2/leave", person="he", first=f"{NEXT}").status_code == 404
    assert sheet.on_duty("g2", NEXT) == ["he"]


def test_the_same_persons_shifts_are_not_offered_and_refused_in_a_sentence(sheet):
    one, other = (f"{Sheet.shift('g1', 'liu').id}@{NEXT + timedelta(days=n)}" for n in (0, 1))

    assert "/swap" not in sheet.page(f"/rota/g1?week={NEXT}&pick={one}")
    refused = sheet.post("/rota/g1/swap", one=one, other=other)
    assert refused.status_code == 422
    assert "两个班次已经都是" in refused.text


# --------------------------------------------------------------------------- entering


def test_a_shift_is_entered_and_ended(sheet):
    form = {"person": "ma", "duty": "night_pool", "begins": "18:00", "ends": "08:00", "first": f"{NEXT}"}
    answer = sheet.post("/rota/g1/shifts", **form, day=["1", "2", "3", "4", "5", "6", "7"], week=f"{NEXT}")
    assert answer.status_code == 303, answer.text
    assert "无人可以通知" not in text_of(sheet.page(f"/rota/g1?week={NEXT + timedelta(days=7)}"))

    ((shift,),) = (s for key, s in sheet.rig.registry.rota().shifts.items() if key[1] is Duty.NIGHT_POOL)
    sheet.post("/rota/g1/shifts/end", shift=shift.id)
    assert not [key for key in sheet.rig.registry.rota().shifts if key[1] is Duty.NIGHT_POOL]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"duty": "elder"}, "请选择职责"),
        ({"begins": "25:00"}, "班次要有开始"),
        ({"first": "bald"}, "班次要有开始"),
        ({"last": "2020-01-01"}, "末日不能早于首日"),
        ({"day": []}, "请选择星期"),
    ],
)
def test_a_shift_that_cannot_be_is_refused_in_a_sentence(sheet, change, said):
    form = {"person": "liu", "duty": "deputy", "begins": "18:00", "ends": "08:00", "first": f"{NEXT}", "day": ["1"]}

    answer = sheet.post("/rota/g1/shifts", **{**form, **change})

    assert answer.status_code == 422
    assert said in text_of(answer.text)


def test_leave_is_entered_and_ends_early(sheet):
    sheet.post("/rota/g1/leave", person="liu", first=f"{NEXT}", last=f"{NEXT}", why="年假")
    assert sheet.on_duty("g1", NEXT) == []
    assert sheet.on_duty("g1", NEXT + timedelta(days=1)) == ["liu"]

    sheet.post("/rota/g1/leave/end", person="liu")
    assert sheet.on_duty("g1", NEXT) == ["liu"]
    assert sheet.post("/rota/g1/leave", person="liu", first=f"{NEXT}", last="2020-01-01").status_code == 422
    assert sheet.post("/rota/g1/leave", person="stranger", first=f"{NEXT}").status_code == 404


def test_a_day_counts_as_another_in_this_grid(sheet):
    sheet.post("/rota/g1/holiday", day=f"{NEXT}", counts_as="7", name="庙会")

    assert "庙会: 按周日排班" in text_of(sheet.page(f"/rota/g1?week={NEXT}")).replace("：", ": ")
    sheet.post("/rota/g1/holiday", day=f"{NEXT}", counts_as="0")
    assert not sheet.rig.registry.rota().holidays
    assert sheet.post("/rota/g1/holiday", day="someday").status_code == 422


# --------------------------------------------------------------------------- hours that nobody has


def test_a_gap_stands_on_the_list_like_a_household_and_leads_to_the_sheet(sheet):
    rig, now = sheet.rig, EVENING
    with rig.registry.begin() as ledger:
        ledger.put_home(a_home(1, "g1", "王奶奶"), now)
        for person in ("liu", "he", "ma"):
            ledger.put_duties(person, [], now)
    (finding, *_) = findings(watched(rig.registry)[0], rig.registry, now)
    (verdict,) = rig.desk.take([finding], now)

    page = sheet.page("/")
    assert "无人可响应" in text_of(page)
    alert = sheet.page(f"/alerts/{verdict.alert.id}")
    assert "网格员、副手、夜间值守和各级值班都没有人可以通知" in text_of(alert)
    assert "值班表" in text_of(alert)
    assert sheet.browser.get("/homes/grid:g1").headers["location"] == "/rota/g1"
    assert Sheet("g2").browser.get("/homes/grid:g1").status_code == 404


SUBJECT = "/administration"


def test_administration_says_of_the_sheets_what_their_list_says(sheet):
    # Both are worked by day alone, and nobody was told of it yet.
    assert text_of(sheet.page("/rota")).count("无人可以通知") == 2
    assert "2 个网格有时段无人可派" in text_of(sheet.page(SUBJECT))
    leader = sheet.rig.signed_in("liu", Duty.SUPERVISOR, "g1")
    english = text_of(leader.get(SUBJECT, headers={"accept-language": "en"}).text)
    assert "1 grid has hours that nobody has" in english

    with sheet.rig.registry.begin() as ledger:
        ledger.assign("ma", Duty.COMMUNITY, "1101", EVENING)
    assert text_of(sheet.page("/rota")).count("未来一周每个时段都有人可以通知") == 2
    assert "值班 未来一周每个时段都有人可以通知" in text_of(sheet.page(SUBJECT))


def test_hours_that_nobody_has_are_no_warning_where_nobody_is_watched(sheet):
    for home in ("h1", "h2", "h3"):
        sheet.rig.rename(home, state=Monitoring.REGISTERED)

    assert "还没有守护中的住户" in text_of(sheet.page(SUBJECT))
    week = text_of(sheet.page(f"/rota/g1?week={NEXT}"))
    assert "无人可以通知" in week
    assert "这里还没有守护中的住户，暂不提醒无人时段。" in week

    sheet.rig.rename("h1", state=Monitoring.GUARDED)
    assert "暂不提醒" not in text_of(sheet.page(f"/rota/g1?week={NEXT}"))
    assert "暂不提醒" in text_of(sheet.page(f"/rota/g2?week={NEXT}"))


def test_of_a_county_administration_says_what_was_told(sheet, monkeypatch):
    monkeypatch.setattr(administration, "GRIDS_LOOKED_THROUGH", 1)
    assert "没有未处理的无人可派提醒" in text_of(sheet.page(SUBJECT))

    (finding, *_) = findings(watched(sheet.rig.registry)[0], sheet.rig.registry, EVENING)
    sheet.rig.desk.take([finding], EVENING)
    assert "1 条提醒：有时段无人可派" in text_of(sheet.page(SUBJECT))


# --------------------------------------------------------------------------- an area's own sheet


def test_the_night_desk_of_a_community_has_a_sheet_of_its_own(sheet):
    assert "东风社区" in text_of(sheet.page("/rota"))
    with sheet.rig.registry.begin() as ledger:
        ledger.assign("ma", Duty.COMMUNITY, "1101", EVENING)
    form = {"person": "ma", "duty": "night_pool", "begins": "18:00", "ends": "08:00", "first": f"{NEXT}"}
    answer = sheet.post("/rota/1101/shifts", **form, day=["1", "2", "3", "4", "5", "6", "7"])
    assert answer.status_code == 303, answer.text

    assert "夜间值守" in text_of(sheet.page(f"/rota/1101?week={NEXT}"))
    assert "夜间值守 · 东风社区" in text_of(sheet.page(f"/rota/g1?week={NEXT}"))
    assert Sheet("g1").browser.get("/rota/1101").status_code == 404
    assert "东风社区" not in text_of(Sheet("g1").page("/rota/g1"))


# --------------------------------------------------------------------------- who would be called


def test_who_would_be_called_about_a_home(sheet):
    page = text_of(sheet.page("/homes/h1/who?at=周日 12:00"))

    assert "周日 2026-11-22 12:00" in page
    assert "刘网格员 网格员: 值班" in page.replace("：", ": ")
    night = text_of(sheet.page("/homes/h1/who?at=周日 03:00"))
    assert "刘网格员" not in night
    assert "无人值班，立即通知下一级" in night
    assert sheet.rig.alerts.alerts() == [], "nothing was raised in earnest"


def test_a_moment_that_cannot_be_is_said_and_nobody_sees_a_strangers_home(sheet):
    answer = sheet.browser.get("/homes/h1/who?at=someday")

    assert answer.status_code == 422
    assert "看不懂这个时间" in answer.text
    assert sheet.browser.get("/homes/none/who").status_code == 404
    assert Sheet("g2").browser.get("/homes/h1/who").status_code == 404


def test_a_week_without_shifts_says_whether_anybody_holds_a_post():
    rig = Rig()
    keeper = rig.signed_in("ma", Duty.SUPERVISOR)
    assert "没有排班；在岗人员随时可以叫到。" in text_of(keeper.get("/rota/g1").text)

    with rig.registry.begin() as ledger:
        for person in ("liu", "he", "ma"):
            ledger.put_duties(person, [(Duty.INSTALLER, "g1")], EVENING)
    said = text_of(keeper.get("/rota/g1").text)
    assert "在岗人员" not in said
