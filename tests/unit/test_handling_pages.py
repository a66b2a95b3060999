"""The alert in hand: the one button, the emergency card behind its glass, the clocks, the figures, the timeline."""

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest
from pages_house import BASE, Rig, hidden
from test_pages import PAYLOADS, SCRIPT, text_of

from dashboard.printer import alert_url
from gateway.domain import (
    Consent,
    Contact,
    Duty,
    Elder,
    Kind,
    Outcome,
    Person,
    Profile,
    Purpose,
    Relation,
    Severity,
    State,
)

PICTURE = b"\xff\xd8\xff\xda\x00\x02" + b"0" * 100 + b"\xff\xd9"


class Night:
    """An emergency call at 王奶奶's, and the telephone of the grid worker who is called."""

    def __init__(self, **more) -> None:
        self.rig = rig = Rig(more=more)
        self.by = {"who": "ma", "now": rig.clock.now()}
        rig.is_heard("h1", "h2", "h3")
        rig.registrar.put_person(Person(id="wang", name="王桂芳"), **self.by)
        rig.registrar.change_home("h1", person="wang", **self.by)
        contacts = [
            Contact(home="h1", person="li", relation=Relation.KEY_HOLDER, phones=("13800003333",)),
            Contact(home="h1", person="mei", relation=Relation.CHILD, phones=("13800002222",)),
        ]
        people = [Person(id="li", name="老李"), Person(id="mei", name="王小梅")]
        rig.registrar.put_contacts("h1", contacts, people=people, **self.by)
        self.alert_id = rig.press("h1").id
        self.browser = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    @property
    def alert(self):
        return self.rig.alert(self.alert_id)

    @property
    def at(self) -> str:
        return alert_url(self.alert_id)

    def page(self, path: str = "", browser=None) -> str:
        answer = (browser or self.browser).get(self.at + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def does(self, act: str, browser=None, **form):
        browser = browser or self.browser
        csrf = hidden(browser.get(self.at).text, "csrf")
        return browser.post(f"{self.at}/{act}", data={"csrf": csrf, **form})

    def link(self, person: str) -> str:
        return f"/a/{self.rig.links.token(self.alert_id, person)}"

    def agrees(self, purpose: str, evidence: str = "paper:柜 3") -> None:
        consent = Consent(
            person="wang",
            purpose=purpose,
            version="2026-11",
            given_at=self.rig.clock.now(),
            given_by="wang",
            evidence=evidence,
        )
        self.rig.registrar.give_consent(consent, **self.by)

    def is_told(self) -> None:
        """王奶奶 has told of her illnesses, and may be helped out of a locked home."""
        self.agrees("health")
        self.agrees("entry", "paper:档案柜 3-18")
        profile = Profile(person="wang", birth_year=1938, conditions="冠心病\n硝苯地平", hospital="市一医院")
        self.rig.registrar.put_profile(profile, **self.by)


@pytest.fixture
def night() -> Night:
    return Night()


# --------------------------------------------------------------------------- the one button


def test_one_button_follows_the_state_from_the_call_to_the_file(night):
    steps = []
    for act, form in (
        ("accept", {}),
        ("depart", {}),
        ("arrive", {}),
        ("resolve", {"outcome": "assistance-given", "note": "扶起"}),
        ("follow-up", {"elder": "well"}),
        ("close", {}),
    ):
        offered = re.findall(r'class="act[^"]*" id="([\w-]+)"', night.page())
        steps.append(offered)
        night.rig.clock.go_on(minutes=2)
        assert night.does(act, **form).status_code == 303, act

    assert steps == [["accept"], ["depart"], ["arrive"], ["resolve"], ["follow-up"], ["close"]]
    alert, begin = night.alert, night.alert.raised_at
    assert alert.state is State.CLOSED
    moments = (alert.accepted_at, alert.en_route_at, alert.on_site_at, alert.resolved_at, alert.followed_up_at)
    assert [(at - begin).total_seconds() / 60 for at in moments] == [2, 4, 6, 8, 10]


def test_while_it_is_somebody_elses_the_page_says_whose_and_offers_nothing(night):
    night.does("accept")
    leader = night.rig.signed_in("ma", Duty.SUPERVISOR)
    deputy = night.rig.signed_in("he", Duty.DEPUTY, "g1")

    assert "刘网格员已接单" in text_of(night.page(browser=deputy))
    assert not re.findall(r'class="act', night.page(browser=deputy))
    refused = night.rig.browser().post(f"{night.link('he')}/depart")
    assert "刘网格员已" in text_of(refused.text) and night.alert.state is State.ACCEPTED
    assert "直接办结" in night.page(browser=leader), "whoever leads may finish for somebody who cannot"


def test_whoever_cannot_go_coordinates_and_the_ladder_goes_on(night):
    night.does("accept", afar="1")

    assert (night.alert.coordinator, night.alert.is_ringing) == ("liu", True)
    assert "由您协调" in text_of(night.page())


def test_whoever_cannot_go_after_all_gives_it_back(night):
    night.does("accept")
    night.does("depart")
    night.rig.clock.go_on(minutes=1)

    night.does("cannot-go", why="电动车坏了")

    assert (night.alert.owner, night.alert.coordinator, night.alert.is_ringing) == ("", "liu", True)
    assert "电动车坏了" in text_of(night.page())
    refused = night.does("cannot-go")
    assert refused.status_code == 200 and "退回" in text_of(refused.text)


def test_it_is_handed_over_with_a_reason_to_somebody_who_is_told(night):
    night.does("accept")
    assert "何副手" in night.page()

    assert "原因" in text_of(night.does("hand-over", to="he").text)
    assert night.does("hand-over", to="he", why="我在医院").status_code == 303

    assert night.alert.owner == "he"
    told = [d.person for d in night.rig.alerts.deliveries(night.alert_id) if d.purpose is Purpose.HANDED]
    assert told == ["he"]


def test_an_outcome_is_mandatory_and_so_is_how_the_resident_is(night):
    night.does("accept")
    assert "处置结果" in text_of(night.does("resolve").text)
    night.does("resolve", outcome="real-emergency")

    closed = night.does("close")
    assert "回访" in text_of(closed.text) and night.alert.state is State.RESOLVED
    assert "老人" in text_of(night.does("follow-up").text) and night.alert.state is State.RESOLVED
    night.does("follow-up", elder=Elder.NOT_REACHED)
    assert "未联系上" in text_of(night.page()) and night.alert.state is State.RESOLVED, "tried, and still to be done"
    assert night.does("follow-up", elder=Elder.IN_HOSPITAL).status_code == 303
    assert "住院" in text_of(night.page())


def test_what_was_a_mishap_is_filed_without_a_visit(night):
    night.does("resolve", outcome="accidental-press")

    assert night.does("close").status_code == 303 and night.alert.state is State.CLOSED


def test_the_page_says_by_when_and_how_late(night):
    night.does("accept")
    due = night.alert.accepted_at + night.alert.ladder.remind
    assert "前出发" in text_of(night.page())

    night.rig.clock.at = due + timedelta(minutes=3)
    assert "超时 3 分钟" in text_of(night.page())


def test_whom_one_can_call_stands_there_while_it_is_open(night):
    assert 'href="tel:13800003333"' in night.page()

    night.does("resolve", outcome="accidental-press")
    assert "tel:" not in night.page()


def test_a_test_of_a_device_asks_nobody_to_go_anywhere(night):
    equipment = night.rig.press("h2", Severity.TECHNICAL, "battery_low")
    installer = night.rig.signed_in("zhao", Duty.INSTALLER, "g1")
    page = installer.get(alert_url(equipment.id)).text

    assert "去不了现场" not in page and "急救交接卡" not in page and "tel:" not in page


@pytest.mark.parametrize("act", ["nothing", "card2", "photos"])
def test_what_is_no_act_is_not_there(night, act):
    assert night.does(act).status_code == 404
    assert night.rig.browser().post(f"{night.link('liu')}/close").status_code == 404, "filing needs an account"


def test_forms_of_other_sites_do_nothing(night):
    assert night.browser.post(f"{night.at}/depart").status_code == 403
    stranger = night.rig.browser(headers={"origin": "https://elsewhere.test"})
    assert stranger.post(f"{night.link('liu')}/depart").status_code == 403
    assert night.alert.is_ringing


# --------------------------------------------------------------------------- proof of arrival


def test_the_door_the_code_and_the_position_prove_an_arrival(night):
    night.does("accept")
    night.rig.hear("h1", Kind.DOOR, minutes_ago=2)
    code = night.rig.links.door_code("h1")

    night.does("arrive", code=code, position="30.65987,104.06321,12")

    (entry,) = [e for e in night.rig.alerts.history(night.alert_id) if e.what == "on-site"]
    assert re.fullmatch(
        r"door=2026-11-21T14:36:00\+00:00;code;position=30\.65987,104\.06321,12", dict(entry.facts)["proof"]
    )
    page = text_of(night.page())
    assert "大门 22:36 打开" in page and "已核对门牌码" in page and "30.65987,104.06321" in page


def test_a_wrong_code_is_said_and_no_code_is_no_hindrance(night):
    night.does("accept")

    assert "不是这一户的门牌码" in text_of(night.does("arrive", code="000000x").text)
    assert night.alert.state is State.ACCEPTED
    night.does("arrive", position="nonsense;door=<b>")
    assert night.alert.state is State.ON_SITE
    (entry,) = [e for e in night.rig.alerts.history(night.alert_id) if e.what == "on-site"]
    assert entry.facts == ()


def test_the_printed_code_leads_whoever_has_the_alert_to_their_button(night):
    sheet = night.rig.signed_in("ma", Duty.SUPERVISOR).get("/install/h1/door").text
    code = night.rig.links.door_code("h1")
    assert f"{code[:3]} {code[3:]}" in sheet and "王桂芳" not in sheet
    plate = f"/door/{night.rig.links.doorplate('h1')}"
    page = night.browser.get(plate).text
    assert f'value="{code}"' in page and 'action="/homes/h1/visit"' in page, "nothing of theirs is open: it is a visit"

    night.does("accept")

    page = night.browser.get(plate).text
    assert f'value="{code}"' in page and "我到了" in page
    assert night.rig.browser().get(plate).headers["location"].startswith("/login")
    assert night.rig.signed_in("qian", Duty.GRID_WORKER, "g2").get(plate).status_code == 404
    assert night.browser.get("/door/forged").status_code == 404


# --------------------------------------------------------------------------- pictures and notes


def test_a_picture_is_kept_with_the_alert_and_shown_to_whoever_may_see_it(tmp_path):
    night = Night(photos=tmp_path / "photos")
    csrf = hidden(night.page(), "csrf")

    def take(content: bytes):
        files = {"picture": ("a.jpg", content, "image/jpeg")}
        return night.browser.post(f"{night.at}/photo", data={"csrf": csrf}, files=files)

    assert take(PICTURE).status_code == 303
    (name,) = re.findall(r"photos/([0-9a-f]{32}\.jpg)", night.page())
    assert night.browser.get(f"{night.at}/photos/{name}").content == PICTURE
    assert take(b"<svg>").status_code == 422
    assert night.rig.signed_in("qian", Duty.GRID_WORKER, "g2").get(f"{night.at}/photos/{name}").status_code == 404
    other = night.rig.press("h2")
    assert night.browser.get(f"{alert_url(other.id)}/photos/{name}").status_code == 404
    assert night.rig.browser().get(f"{night.link('liu')}/photos/{name}").content == PICTURE


def test_a_note_is_written_down_and_an_empty_one_is_not(night):
    night.does("note", note="门是开着的")
    assert "门是开着的" in text_of(night.page())
    assert night.does("note", note="  ").status_code == 200


# --------------------------------------------------------------------------- the emergency card


def test_the_card_is_behind_glass_and_opening_it_is_audited(night):
    night.is_told()
    assert "冠心病" not in night.page() and "冠心病" not in night.page("/card")

    assert night.does("card", why="呼叫无应答").headers["location"] == f"{night.at}/card"

    card = text_of(night.page("/card"))
    for said in (
        "王桂芳",
        "1938",
        "冠心病",
        "市一医院",
        "东风路 3 号",
        "老李",
        "13800003333",
        "档案柜 3-18",
        "呼叫无应答",
    ):
        assert said in card, said
    acts = [(a.who, a.why) for a in night.rig.alerts.acts(night.alert_id) if a.what == "card.opened"]
    assert acts == [("liu", "呼叫无应答")]
    reads = [(a.who, a.why) for a in night.rig.alerts.acts("wang") if a.what == "profile.disclosed"]
    assert reads == [("liu", "呼叫无应答")], "whoever asks who has read her file finds it"
    assert [d.person for d in night.rig.alerts.deliveries(night.alert_id) if d.purpose is Purpose.CARD] == ["ma"]

    night.rig.clock.go_on(hours=1)
    assert "冠心病" not in night.page("/card"), "it closes by itself"


def test_without_cause_the_glass_does_not_break(night):
    night.is_told()
    mild = night.rig.press("h2", Severity.MEDIUM, "assist")
    csrf = hidden(night.page(), "csrf")

    assert night.does("card", why="").status_code == 403
    answer = night.browser.post(f"{alert_url(mild.id)}/card", data={"csrf": csrf, "why": "好奇"})
    assert answer.status_code == 403 and "只有紧急" in text_of(answer.text)
    deputy = night.rig.signed_in("he", Duty.DEPUTY, "g1")
    assert night.does("card", browser=deputy, why="好奇").status_code == 403
    for duty in (Duty.INSTALLER, Duty.FAMILY):
        assert night.rig.signed_in("x", duty, "g1").get(f"{night.at}/card").status_code == 403
    assert night.rig.signed_in("qian", Duty.GRID_WORKER, "g2").get(f"{night.at}/card").status_code == 404
    assert [a.what for a in night.rig.alerts.acts(night.alert_id) if a.what == "card.opened"] == []


def test_by_a_link_only_who_has_the_alert_opens_it(night):
    night.is_told()
    link = night.link("liu")
    phone = night.rig.browser()
    assert phone.post(f"{link}/card", data={"why": "急"}).status_code == 403

    night.does("card", why="无应答")
    assert "冠心病" in night.page("/card") and "冠心病" not in phone.get(f"{link}/card").text
    phone.post(f"{link}/accept")
    phone.post(f"{link}/card", data={"why": "无应答"})

    assert "冠心病" in phone.get(f"{link}/card").text
    assert "冠心病" not in phone.get(f"{night.link('he')}/card").text


def test_what_the_resident_did_not_agree_to_is_not_on_the_card_either(night):
    night.rig.registrar.put_profile(Profile(person="wang", conditions="冠心病", hospital="市一医院"), **night.by)
    night.does("card", why="无应答")

    card = text_of(night.page("/card"))
    assert "没有同意保存健康信息" in card and "冠心病" not in card and "市一医院" not in card
    assert "没有登记授权" in card and 'href="tel:110"' in night.page("/card")


def test_the_police_post_and_the_rule_of_two_come_from_the_plan(night):
    night.rig.registrar.plans.put("h1", "card.police", "东风路警务室 028-8765 4321", why="社区公示", **night.by)
    night.rig.registrar.plans.put("h1", "card.two_people", "yes", why="曾有纠纷", **night.by)
    night.does("card", why="无应答")

    card = text_of(night.page("/card"))
    assert "东风路警务室 028-8765 4321" in card and "须两人同行" in card


# --------------------------------------------------------------------------- the family


def test_the_daughter_says_with_one_tap_that_she_sees_to_it_or_asks_for_somebody(night):
    link, phone = night.link("mei"), night.rig.browser()
    page = phone.get(link).text
    assert "老人在我这" in page and "请网格员上门" in page and "我来接单" not in page

    phone.post(f"{link}/family", data={"word": "send_worker"})
    assert night.alert.is_ringing and night.alert.coordinator == "mei"
    assert night.rig.browser().post(f"{night.link('liu')}/family", data={"word": "mine"}).status_code == 200
    assert night.alert.owner == "", "a grid worker is no family"


def test_whoever_of_the_family_sees_to_it_has_the_same_buttons_as_anybody(night):
    link, phone = night.link("mei"), night.rig.browser()
    phone.post(f"{link}/family", data={"word": "mine"})

    assert night.alert.owner == "mei"
    page = phone.get(link).text
    assert "我出发了" in page and "老人在我这" in page and 'id="family-mine"' not in page


def test_that_she_is_with_her_needs_an_end_and_in_an_emergency_to_be_sure(night):
    link, phone = night.link("mei"), night.rig.browser()

    assert "30 天" in text_of(phone.post(f"{link}/family", data={"word": "with_me", "sure": "1"}).text)
    assert "确定" in text_of(phone.post(f"{link}/family", data={"word": "with_me", "hours": "6"}).text)
    assert night.alert.is_open

    assert phone.post(f"{link}/family", data={"word": "with_me", "hours": "6", "sure": "1"}).status_code == 303
    assert not night.alert.is_open


# --------------------------------------------------------------------------- timeline


def test_the_timeline_is_complete_in_both_languages_and_as_data(night):
    night.rig.hear("h1", minutes_ago=12)
    night.does("accept")
    night.does("card", why="无应答")
    night.does("resolve", outcome="assistance-given", note="扶起")

    sheet = text_of(night.page("/timeline"))
    for said in (
        "厨房：有动静",
        "触发：紧急呼叫",
        "刘网格员：通知接单",
        "刘网格员接单",
        "打开了急救交接卡",
        "提供帮助",
    ):
        assert said in sheet, said
    data = json.loads(night.browser.get(f"/api/v1{night.at}/timeline").text)
    assert data["alert"]["outcome"] == "assistance-given" and data["alert"]["judgement"] == "real"
    times = [line["at"] for line in data["timeline"]]
    assert times == sorted(times)
    assert {line["sort"] for line in data["timeline"]} == {"reading", "decision", "message", "person"}
    assert all(line["text"]["zh"] and line["text"]["en"] for line in data["timeline"])
    history = [e.what for e in night.rig.alerts.history(night.alert_id) if e.what not in ("sent", "failed")]
    assert [line["what"] for line in data["timeline"] if "what" in line] == history
    assert {m["id"] for m in data["messages"]} == {d.id for d in night.rig.alerts.deliveries(night.alert_id)}
    assert {"person": "liu", "name": "刘网格员"} in data["people"]
    assert "address" not in json.dumps(data["messages"])


def test_a_timeline_is_for_those_who_may_see_the_home(night):
    api = f"/api/v1{night.at}/timeline"

    assert night.rig.browser(headers={"accept": "application/json"}).get(api).status_code == 401
    assert night.rig.signed_in("qian", Duty.GRID_WORKER, "g2").get(api).status_code == 404
    assert night.rig.signed_in("zhao", Duty.INSTALLER, "g1").get(api).status_code == 403


# --------------------------------------------------------------------------- clocks and figures


def test_the_clocks_show_what_is_late_first_and_who_is_to_be_looked_in_on(night):
    rig = night.rig
    rig.clock.go_on(minutes=2)
    rig.press("h2")
    done = rig.press("h2", Severity.HIGH, "inactivity")
    rig.desk.resolve(done.id, "liu", Outcome.REAL_EMERGENCY, "", rig.clock.now())

    page = text_of(night.browser.get("/clocks").text)

    assert page.index("王奶奶") < page.index("李爷爷") and "超时 1 分钟" in page
    assert "待回访" in page and "真实险情" in page
    assert "赵奶奶" not in page, "another grid's"


def test_the_figures_by_grid_as_page_and_as_sheet(night):
    rig = night.rig
    rig.clock.go_on(seconds=40)
    night.does("accept")
    night.does("resolve", outcome="accidental-press")
    rig.press("h3")
    with rig.registry.begin() as ledger:
        ledger.put_grid(replace(rig.registry.grids()[0], name="=1+1"))
    leader = rig.signed_in("ma", Duty.SUPERVISOR)

    page = text_of(leader.get("/figures?month=2026-11").text)
    assert "100 % 1/1" in page and "合计" in page
    sheet = leader.get("/figures.csv?month=2026-11")
    assert sheet.headers["content-type"].startswith("text/csv") and sheet.text.startswith("\ufeff")
    assert "'=1+1,2026-11,1,1/1,1/1" in sheet.text and "\n=1+1" not in sheet.text
    mine = night.browser.get("/figures.csv?month=2026-11").text
    assert "g2" not in mine, "a grid worker sees the figures of the own grid"
    book = leader.get("/figures.xlsx?month=2026-11").content
    with zipfile.ZipFile(io.BytesIO(book)) as box:
        cells = box.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>100</v>" in cells and "<f>" not in cells
    assert leader.get("/figures?month=December").status_code == 404


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_people_type_becomes_part_of_a_page(night, payload):
    night.agrees("entry", f"paper:{payload}")
    night.agrees("health")
    night.rig.registrar.put_profile(Profile(person="wang", conditions=payload, hospital=payload), **night.by)
    night.does("note", note=payload)
    night.does("card", why=payload + "..")

    for path in ("", "/card", "/timeline"):
        assert SCRIPT not in night.page(path)
    data = night.browser.get(f"/api/v1{night.at}/timeline")
    assert data.headers["content-type"] == "application/json"


def test_in_english(night):
    night.does("accept")
    headers = {"accept-language": "en", "origin": BASE}

    assert "I am setting off" in night.browser.get(night.at, headers=headers).text
    for path in ("/clocks", "/figures"):
        assert "Deadlines" in night.browser.get(path, headers=headers).text
