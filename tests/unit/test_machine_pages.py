"""An administrator looks into the audit trail, at how long things are kept, at copies, and at the gateway itself."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from pages_house import EVENING, Rig, hidden
from test_pages import text_of
from the_workings import Inside, remark

from dashboard.workings import Backed, Copied, CouldNotLook, Verdict
from gateway.domain import Act, Duty, Finding, Monitoring, Person, Severity
from gateway.domain.home import GRID

AUDIT, RETENTION = "/administration/audit", "/administration/retention"
BACKUP, HEALTH = "/administration/backup", "/administration/health"


class Office(Rig):
    """The rig with a gateway that can be asked about itself."""

    def __post_init__(self) -> None:
        self.inside, self.meters = Inside(), {"uptime_s": 7200, "homes": 3, "watchdog_s": 1.0, "last_message_s": 4.0}
        self.more = {"workings": self.inside.workings(), "meters": lambda: self.meters}
        super().__post_init__()
        self.registrar.put_person(Person(id="wang", name="王奶奶本人"), who="ma", now=EVENING)
        self.rename("h1", person="wang")

    def acts(self, *acts: Act) -> None:
        with self.registry.begin() as ledger:
            for act in acts:
                ledger.audit(act)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def chief(office):
    return office.signed_in("zhao", Duty.ADMIN)


def posted(browser, path: str, at: str, **form):
    return browser.post(path, data={"csrf": hidden(browser.get(at).text, "csrf"), **form})


# --------------------------------------------------------------------------- the audit trail


def test_somebody_is_looked_for_by_name_and_by_number(office, chief):
    office.acts(
        Act(at=EVENING, who="liu", what="read.home", ref="h2"),
        Act(at=EVENING, who="ma", what="consent.give", ref="wang", why="书面同意"),
        Act(at=EVENING - timedelta(days=9), who="liu", what="profile.read", ref="wang"),
    )

    by_name = text_of(chief.get(f"{AUDIT}?who=刘网格员").text)
    assert "李爷爷 A-2" in by_name and "书面同意" not in by_name
    about = text_of(chief.get(f"{AUDIT}?about=A-1").text)
    assert "书面同意" in about and "profile.read" in about and "李爷爷" not in about
    since = text_of(chief.get(f"{AUDIT}?about=A-1&first=2026-11-20&kind=profile.").text)
    assert "书面同意" not in since and "profile.read" not in since
    assert office.alerts.acts("h1", who="zhao", what="read."), "whoever reads what was done there has looked at them"
    assert chief.get(f"{AUDIT}?first=gestern").status_code == 422


def test_an_alert_is_found_with_its_home(office, chief):
    alert = office.press("h1")

    assert "alert.raised" in text_of(chief.get(f"{AUDIT}?about=A-1").text)
    assert "alert.raised" in text_of(chief.get(AUDIT, params={"about": alert.id}).text)


def test_pages_follow_one_another(office, chief):
    office.acts(*(Act(at=EVENING + timedelta(seconds=n), who="liu", what="drill", ref=f"n{n}n") for n in range(60)))

    first = chief.get(f"{AUDIT}?kind=drill").text
    assert "n59n" in first and "n35n" in first and "n34n" not in first
    assert "page=2" in first
    last = chief.get(f"{AUDIT}?kind=drill&page=3").text
    assert "n0n" in last and "page=4" not in last


def test_what_is_taken_along_holds_no_formula_and_is_written_down(office, chief):
    office.acts(Act(at=EVENING, who="liu", what="consent.give", ref="wang", why="=cmd|'/c calc'!A1"))

    answer = chief.get(f"{AUDIT}.csv?about=A-1&kind=consent.")

    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row[7] for row in rows[1:]] == ["'=cmd|'/c calc'!A1"]
    (noted,) = office.alerts.acts("audit", what="audit.export")
    assert (noted.who, dict(noted.facts)["asked"]) == ("zhao", "kind=consent.&about=A-1")


def test_the_chain_is_gone_through_and_what_is_broken_is_said(office, chief):
    assert "还没有" in text_of(chief.get(AUDIT).text)

    assert posted(chief, f"{AUDIT}/check", AUDIT).headers["location"] == f"{AUDIT}?said=checked"
    assert "完好" in text_of(chief.get(AUDIT).text)

    office.inside.verdict = Verdict(12, 3, ((7, "altered"), (9, "broken")))
    posted(chief, f"{AUDIT}/check", AUDIT)
    said = text_of(chief.get(AUDIT).text)
    assert "2 处" in said and "第 7 行" in said and "第 9 行" in said
    checked = office.alerts.acts("audit", what="audit.checked")
    assert [dict(act.facts)["broken"] for act in checked] == ["2", "0"]


def test_a_trail_that_cannot_be_gone_through_now_is_said(office, chief):
    def fails():
        raise CouldNotLook("no room")

    office.house.workings.__class__.verify.__set__(office.house.workings, fails)
    assert posted(chief, f"{AUDIT}/check", AUDIT).headers["location"].endswith("failed")
    assert office.alerts.acts("audit", what="audit.checked") == []


def test_whoever_keeps_one_area_finds_what_is_about_its_homes(office):
    office.acts(
        Act(at=EVENING, who="liu", what="home.change", ref="h1"),
        Act(at=EVENING, who="far", what="home.change", ref="h3"),
    )
    local = office.signed_in("qian", Duty.ADMIN, "g1")

    assert "home.change" not in local.get(AUDIT).text
    assert "home.change" in local.get(f"{AUDIT}?about=A-1").text
    for elsewhere in ("A-3", "h3", "far", "赵奶奶"):
        assert "home.change" not in local.get(f"{AUDIT}?about={elsewhere}").text
    assert local.get(f"{AUDIT}.csv?about=A-3").text.count("\n") == 1
    csrf = hidden(local.get(RETENTION).text, "csrf")
    assert local.post(f"{AUDIT}/check", data={"csrf": csrf}).status_code == 403
    for page in (BACKUP, HEALTH, f"{HEALTH}/checkup"):
        assert local.get(page).status_code == 403


# --------------------------------------------------------------------------- how long things are kept


def test_what_went_in_the_nights_stands_with_its_proof(office, chief):
    night = EVENING - timedelta(hours=9)
    office.acts(
        Act(at=night, who="gateway", what="retention.alerts", ref="retention", facts=(("sha256", "9f86d0"),)),
        Act(
            at=night, who="gateway", what="retention.done", ref="retention", facts=(("alerts", "4"), ("readings", "0"))
        ),
    )

    said = text_of(chief.get(RETENTION).text)

    assert "1095 天" in said and "90 天" in said
    assert "4 条预警" in said and "9f86d0" in said


def test_one_household_gets_a_time_of_its_own_and_loses_it_again(office, chief):
    keep = f"{RETENTION}/keep"
    wrong = (
        {"code": "A-77", "days": "100", "why": "x"},
        {"code": "A-1", "days": "2000", "why": "法院"},  # longer, and no end
        {"code": "A-1", "days": "many", "why": "x"},
        {"code": "A-1", "days": "200", "why": " "},
        {"code": "A-1", "days": "200", "why": "x", "day": "never"},
    )
    for form in wrong:
        assert posted(chief, keep, RETENTION, kind="keep_alerts", **form).status_code == 422
    assert office.registry.in_force("keep_alerts", EVENING) == []

    form = {"code": "A-1", "kind": "keep_alerts", "days": "2000", "day": "2030-06-30", "why": "法院来函"}
    assert posted(chief, keep, RETENTION, **form).headers["location"] == f"{RETENTION}?said=kept"
    (line,) = office.registry.in_force("keep_alerts", EVENING)
    assert (line.home, line.value, line.author, line.reason) == ("h1", "2000", "zhao", "法院来函")
    said = text_of(chief.get(RETENTION).text)
    assert "2000 天" in said and "2030-06-30" in said and "法院来函" in said

    elsewhere = office.signed_in("qian", Duty.ADMIN, "g2")
    assert "法院来函" not in elsewhere.get(RETENTION).text
    csrf = hidden(elsewhere.get(RETENTION).text, "csrf")
    end = {"csrf": csrf, "home": "h1", "kind": "keep_alerts"}
    assert elsewhere.post(f"{RETENTION}/end", data=end).status_code == 404
    assert elsewhere.post(keep, data={**form, "csrf": csrf}).status_code == 422

    posted(chief, f"{RETENTION}/end", RETENTION, home="h1", kind="keep_alerts")
    assert office.registry.in_force("keep_alerts", EVENING) == []


# --------------------------------------------------------------------------- copies


def test_copies_stand_with_their_age_and_one_is_wished_for(office, chief):
    none = text_of(chief.get(BACKUP).text)
    assert "从未" in none

    made = EVENING - timedelta(hours=6)
    office.inside.copies = replace(
        office.inside.copies,
        copies=(Copied("gateway-20261121T083800.db", made, 4_200_000),),
        backup=Backed(EVENING - timedelta(days=20), "/mnt/usb/shouwang.tar.gz", 9_000_000, False, True),
        put_aside=("damaged/20261120T010000/gateway.db",),
    )
    page = chief.get(BACKUP).text
    said = text_of(page)
    assert "gateway-20261121T083800.db" in said and "4.2 MB" in said and "6 小时" in said
    assert "/mnt/usb/shouwang.tar.gz" in said and "20 天" in said
    assert "damaged/20261120T010000/gateway.db" in said

    assert posted(chief, f"{BACKUP}/copy", BACKUP).status_code == 303
    assert office.inside.wished == [EVENING]
    assert office.alerts.acts("copies", who="zhao")[0].what == "copy.wished"
    office.inside.copies = replace(office.inside.copies, wished_at=EVENING)
    assert "every 5s" in chief.get(BACKUP).text
    office.inside.copies = replace(office.inside.copies, wished_at=None, failed_at=EVENING)
    assert "没有做成" in text_of(chief.get(BACKUP).text)


def test_what_was_missing_at_a_start_is_told(office, chief):
    facts = (("what", "learnt"), ("until", EVENING.isoformat()))
    finding = Finding(
        home=GRID, code="gateway_missing", severity=Severity.TECHNICAL, since=EVENING, at=EVENING, facts=facts
    )
    assert "三个月内没有" in text_of(chief.get(BACKUP).text)
    office.desk.take([finding], EVENING)

    assert "gateway_missing" in chief.get(BACKUP).text


# --------------------------------------------------------------------------- whether it is well


@pytest.mark.parametrize(
    ("meters", "said"),
    [
        ({"deaf_s": 90}, "没有收到消息，已 1 分钟"),
        ({"road_s": 40.0}, "读数与时限"),
        ({"full": True, "free": 1}, "磁盘"),
        ({"watchdog_s": None}, "看门狗"),
        ({"attempts": {("sms", "failed"): 3}}, "sms"),
    ],
)
def test_what_is_wrong_stands_in_plain_words_with_what_to_do(office, chief, meters, said):
    well = chief.get(HEALTH).text
    assert 'class="emergency"' not in well

    office.meters = office.meters | meters
    page = chief.get(HEALTH).text

    assert 'class="emergency"' in page and said in text_of(page) and "to-do" in page


def test_all_of_it_is_looked_at_once_for_all_who_ask(office, chief):
    office.inside.remarks = [
        remark("well", "gateway.db is whole."),
        remark("bad", "Others may read page.secret.", "chmod it."),
        remark("note", "No time server.", "Install chrony."),
    ]
    assert "checkup" in chief.get(HEALTH).text

    said = text_of(chief.get(f"{HEALTH}/checkup").text)
    chief.get(f"{HEALTH}/checkup")

    assert said.index("page.secret") < said.index("No time server") < said.index("gateway.db is whole")
    assert "chmod it." in said
    assert office.inside.looks == 1
    office.clock.go_on(minutes=2)
    chief.get(f"{HEALTH}/checkup")
    assert office.inside.looks == 2


def test_the_front_page_says_how_each_stands(office, chief):
    from dashboard.live import Feed
    from dashboard.machine import Machine
    from dashboard.pages import Pages
    from dashboard.printer import Printer
    from dashboard.words import Tongue

    machine = Machine(Pages(office.house, Printer(office.house), Feed(office.alerts), office.links))
    visitor = type("Visitor", (), {"account": office.account("zhao", Duty.ADMIN)})()
    lines = machine.lines(visitor, Tongue("en"))
    assert [line.address for line in lines] == [AUDIT, RETENTION, BACKUP, HEALTH]
    assert [line.grade for line in lines] == ["well", "well", "bad", "well"]

    office.meters = office.meters | {"deaf_s": 90}
    assert machine.lines(visitor, Tongue("en"))[-1].grade == "bad"
    local = type("Visitor", (), {"account": office.account("qian", Duty.ADMIN, "g1")})()
    assert [line.address for line in machine.lines(local, Tongue("zh"))] == [AUDIT, RETENTION]


def test_nobody_else_comes_in(office):
    for duty in (Duty.SUPERVISOR, Duty.GRID_WORKER, Duty.INSTALLER, Duty.FAMILY):
        browser = office.signed_in(f"x-{duty.value}", duty)
        for page in (AUDIT, f"{AUDIT}.csv", RETENTION, BACKUP, HEALTH):
            assert browser.get(page).status_code == 403
    assert office.registry.home("h1").state is not Monitoring.RETIRED
