"""Words for people, in Chinese and English."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.catalogue import ENTRIES
from alerts.escalation import Reason, Verdict
from alerts.history import What
from alerts.wording import (
    alert_name,
    answer,
    clock,
    duty_name,
    explain,
    history_line,
    kind_name,
    letter,
    outcome_name,
    purpose_name,
    reason_text,
    sending_name,
    severity_name,
    span,
    state_name,
)
from gateway.domain import (
    Alert,
    Delivery,
    Duty,
    Entry,
    Finding,
    Home,
    Kind,
    Outcome,
    Purpose,
    Room,
    Sending,
    Sensor,
    Severity,
    State,
)
from gateway.domain.home import Role

SHANGHAI = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 11, 21, 4, 17, tzinfo=UTC)  # 12:17 in the home
LAST = datetime(2026, 11, 21, 1, 12, tzinfo=UTC)  # 09:12
HOME = Home(
    id="h1",
    code="A-0312",
    name="王奶奶",
    grid="g1",
    zone=SHANGHAI,
    address="南京西路 1 号 302 室",
    access="钥匙在隔壁",
    rooms=(Room(id="kitchen", name="厨房"), Room(id="bedroom", name="卧室")),
    sensors=(Sensor(id="s1", hub="hub", address="0x1", name="卧室床垫", room="bedroom", role=Role.BED),),
)
PRESS = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=T0, at=T0, facts=(("room", "bedroom"),))
QUIET = Finding(
    home="h1",
    code="inactivity",
    severity=Severity.HIGH,
    since=LAST,
    at=T0,
    facts=(
        ("rule", "day"),
        ("elapsed_s", str(3 * 3600 + 5 * 60)),
        ("limit_s", "10800"),
        ("last_at", LAST.isoformat()),
        ("last_kind", "motion"),
        ("last_room", "kitchen"),
        ("usual_s", str(3600 + 25 * 60)),
    ),
)
PEOPLE = {"zhang": "张师傅", "li": "李姐"}


def alert_of(finding: Finding, **changes: object) -> Alert:
    alert = Alert(
        id=finding.id,
        home="h1",
        code=finding.code,
        subject="",
        severity=finding.severity,
        state=State.NOTIFIED,
        ladder=ENTRIES[0].ladder,
        raised_at=T0,
        finding=finding,
    )
    return replace(alert, **changes)


def delivery(purpose: Purpose = Purpose.PAGE, **changes: object) -> Delivery:
    plain = Delivery(
        id="d", alert=PRESS.id, purpose=purpose, person="zhang", channel="console", address="", created_at=T0
    )
    return replace(plain, **changes)


def read(finding: Finding, language: str = "zh", purpose: Purpose = Purpose.PAGE, **changes: object) -> tuple[str, str]:
    facts = changes.pop("facts", ())
    rung = changes.pop("rung", 0)
    said = letter(
        delivery(purpose, facts=facts, rung=rung),
        alert_of(finding, **changes),
        home=HOME,
        language=language,
        owner="李姐",
        link="https://x",
    )
    return said.title, said.body


# --------------------------------------------------------------------------- letters


def test_a_press_in_chinese():
    assert read(PRESS) == ("【紧急】紧急呼叫 · 户号 A-0312", "12:17 按下了紧急按钮。点开链接看原因、接单。")


def test_a_press_in_english():
    assert read(PRESS, "en") == (
        "[Emergency] Emergency call · household A-0312",
        "The emergency button was pressed at 12:17. Open the link to see why, and to accept.",
    )


def test_a_press_heard_late_says_how_late():
    late = replace(PRESS, since=T0 - timedelta(hours=3), facts=(("late_s", "10800"),))

    assert "09:17 按下了紧急按钮。消息迟到 3 小时。" in read(late)[1]


def test_gas_says_what_one_must_know_before_arriving():
    assert "勿开关电器、勿按门铃、室外拨打电话。" in read(replace(PRESS, code="gas"))[1]


def test_whoever_is_called_later_knows_that_nobody_came_before():
    assert "前面的人员没有接单" in read(PRESS, rung=1)[1]
    assert "仍然无人接单，再次呼叫您" in read(PRESS, rung=1, facts=(("round", "2"),))[1]


def test_again_says_how_often():
    title, body = read(PRESS, purpose=Purpose.AGAIN, facts=(("count", "3"),), state=State.ACCEPTED, count=4)

    assert title == "【紧急】紧急呼叫 · 户号 A-0312"
    assert body.startswith("又按了一次（共 3 次）。")


def test_again_because_it_became_worse():
    assert read(PRESS, purpose=Purpose.AGAIN)[1].startswith("情况变得更严重")


def test_taken_names_the_colleague_who_has_it():
    assert read(PRESS, purpose=Purpose.TAKEN) == (
        "已有人接单：紧急呼叫 · 户号 A-0312",
        "李姐已接单，您不用再处理。",
    )


def test_taken_by_somebody_without_a_name():
    said = letter(delivery(Purpose.TAKEN), alert_of(PRESS), home=HOME, language="en")

    assert said.body == "Somebody has accepted. You need do nothing more."


def test_a_test_message_says_that_nothing_has_happened():
    assert letter(delivery(Purpose.TEST, alert=""), None, home=None, language="zh").body.startswith("没有险情")


def test_a_home_nobody_registered_is_named_by_its_id():
    assert "h1" in letter(delivery(), alert_of(PRESS), home=None, language="zh").title


def test_an_unknown_language_is_answered_in_chinese():
    assert letter(delivery(), alert_of(PRESS), home=HOME, language="tlh").title.startswith("【紧急】")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("code", [*(entry.code for entry in ENTRIES), "something-new"])
def test_nothing_on_a_lock_screen_says_whose_home_it_is(code, purpose, language):
    finding = replace(QUIET, code=code, facts=(*QUIET.facts, ("room", "bedroom"), ("detector", "inactivity")))

    text = " ".join(read(finding, language, purpose))

    for private in (HOME.name, HOME.address, HOME.access, "厨房", "卧室"):
        assert private not in text
    assert "{" not in text


# --------------------------------------------------------------------------- why


def test_why_a_silent_elder():
    assert explain(QUIET, "zh", SHANGHAI, HOME) == [
        "3 小时 5 分没有动静（最后：厨房 09:12）。",
        "平时最长 1 小时 25 分。",
        "白天时限 3 小时。",
    ]
    assert explain(QUIET, "en", SHANGHAI, HOME) == [
        "No sign of life for 3 h 5 min (last: 厨房 09:12).",
        "Usually at most 1 h 25 min.",
        "The limit by day is 3 h.",
    ]


def test_why_without_a_room_says_what_it_was():
    bare = replace(QUIET, facts=(("last_kind", "door"), ("elapsed_s", "11100")))

    assert explain(bare, "zh", SHANGHAI) == ["3 小时 5 分没有动静（最后：大门 09:12）。"]


def test_why_without_any_fact_still_says_how_long():
    assert explain(replace(QUIET, facts=()), "zh", SHANGHAI) == ["3 小时 5 分没有动静（最后：09:12）。"]


def test_why_what_we_could_not_see_belongs_to_it():
    assert explain(replace(QUIET, blind=("s1", "s9")), "zh", SHANGHAI, HOME)[-1] == "这段时间看不见：卧室床垫、s9。"


@pytest.mark.parametrize(
    ("code", "facts", "sentences"),
    [
        ("sos", (("room", "bedroom"), ("late_s", "7200")), ["12:17 按下了紧急按钮（卧室）。", "消息迟到 2 小时。"]),
        ("smoke", (("room", "kitchen"),), ["12:17 烟感报警（厨房）。"]),
        ("gas", (), ["12:17 燃气报警。"]),
        ("co", (), ["12:17 一氧化碳报警。"]),
        ("leak", (("room", "kitchen"),), ["12:17 起地面有水（厨房）。"]),
        ("fall", (), ["12:17 报告疑似跌倒。"]),
        (
            "home_silent",
            (("elapsed_s", "240"),),
            ["12:17 以后收不到家中网关的消息（4 分钟）。", "恢复之前看不见有没有动静，也不会报“无活动”。"],
        ),
        (
            "detector_failed",
            (("detector", "inactivity"),),
            ["“inactivity”在 12:17 出错，目前不再守护这一户；其余部分照常。"],
        ),
        (
            "not_returned",
            (("elapsed_s", "25200"), ("limit_s", "21600"), ("usual_s", "5400"), ("rule", "away")),
            ["12:17 外出，已有 7 小时。", "平时外出 1 小时 30 分。", "外出时限 6 小时。"],
        ),
        (
            "inactivity",
            (("elapsed_s", "21600"), ("usual_s", "26940"), ("limit_s", "21600"), ("rule", "any")),
            ["6 小时没有动静（最后：12:17）。", "平时最长 7 小时 29 分，但任何时段最多只等 6 小时。"],
        ),
        (
            "inactivity",
            (("elapsed_s", "10800"), ("usual_s", "12000"), ("limit_s", "10800"), ("rule", "day")),
            ["3 小时没有动静（最后：12:17）。", "平时最长 3 小时 20 分，但白天最多只等 3 小时。"],
        ),
        ("something-new", (("how", "odd"),), ["12:17 起“something-new”。", "how: odd"]),
    ],
)
def test_why_of_every_kind(code, facts, sentences):
    assert explain(replace(PRESS, code=code, facts=facts), "zh", SHANGHAI, HOME) == sentences


# --------------------------------------------------------------------------- history and answers


def line(what: What | str, language: str = "zh", who: str = "", **facts: str) -> str:
    entry = Entry(alert="a", at=T0, what=what, who=who, facts=tuple(facts.items()))
    return history_line(entry, language, SHANGHAI, lambda person: PEOPLE.get(person, person))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (line(What.RAISED, code="sos", severity="emergency"), "触发：紧急呼叫，紧急"),
        (line(What.TOLD, duty="grid_worker", people="zhang,li", round="0", rung="0"), "呼叫网格员：张师傅、李姐"),
        (line(What.TOLD, duty="deputy", people="li", late_s="190"), "呼叫副手：李姐（迟了 3 分钟）"),
        (line(What.EMPTY, duty="deputy", people=""), "副手无人可联系，立即呼叫下一级"),
        (line(What.EMPTY, duty="deputy", people="li"), "在班副手（李姐）没有联系方式，立即呼叫下一级"),
        (line(What.NOBODY, again_at=T0.isoformat()), "各级都联系不到人，12:17 再试"),
        (line(What.NOBODY), "各级都联系不到人"),
        (line(What.SENT, person="zhang", channel="webhook", purpose="page"), "已发给张师傅（webhook）"),
        (line(What.SENT, person="zhang", channel="webhook", purpose="taken"), "已告知张师傅有人接单（webhook）"),
        (
            line(What.PUT_OFF, person="zhang", channel="webhook", purpose="page", reason="no answer in time: 10 s"),
            "暂未发到张师傅（webhook）：超时未答复：10 s；继续尝试",
        ),
        (
            line(What.FAILED, person="li", channel="webhook", purpose="page", reason="HTTP 404 nope"),
            "联系不到李姐（webhook）：HTTP 404 nope",
        ),
        (line(What.AGAIN, count="3"), "又一次，共 3 次"),
        (line(What.WORSE, was="technical", severity="medium"), "情况加重：由运维变为中，从头呼叫"),
        (line(What.RINGS_AGAIN, who="zhang"), "联系不到张师傅，重新呼叫"),
        (line(What.MENDED), "时钟被调回，下一时限已调整"),
        (line(What.ACCEPTED, who="zhang", how="link"), "张师傅接单（链接）"),
        (line(What.ACCEPTED, who="zhang", how="by pigeon"), "张师傅接单（其他方式）"),
        (
            line(What.RESOLVED, who="zhang", outcome="accidental-press", note="晾衣服"),
            "张师傅填写处置结果：误触（晾衣服）",
        ),
        (line(What.CLOSED), "系统归档"),
        (line(What.ACCEPTED, "en", who="zhang", how="cli"), "张师傅 accepted (at the command line)"),
        (line("from-the-future", shape="round"), "from-the-future、shape=round"),
        (line(What.RESOLVED, who="zhang", outcome="from-the-future"), "张师傅填写处置结果：from-the-future"),
    ],
)
def test_a_line_of_history(said, expected):
    assert said == expected


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("what", What)
def test_everything_that_can_happen_has_words(what, language):
    said = line(what, language)

    assert said
    assert said != what


@pytest.mark.parametrize(
    ("what", "facts", "said"),
    [
        (What.TOLD, {"duty": "elder", "people": "granny"}, "询问老人：granny"),
        (What.EMPTY, {"duty": "elder"}, "老人无法询问或已询问过，立即呼叫下一级"),
        (What.TOLD, {"duty": "grid_worker,family", "people": "zhang"}, "呼叫网格员、家属：张师傅"),
        (What.ANSWERED, {"answer": "help"}, "老人回答：需要帮助"),
        (
            What.FAMILY,
            {"word": "with_me", "until": "2026-02-17T04:30:00+00:00"},
            "家属张师傅：老人在我这，到 02-17 12:30",
        ),
        (What.HANDED, {"from": "li", "to": "zhang"}, "张师傅把它从李姐移交给张师傅"),
        (What.OVERDUE, {"limit": "site"}, "超时：没有人按时到场"),
    ],
)
def test_the_ladder_in_words(what, facts, said):
    assert line(what, who="zhang", **facts) == said


def test_names_with_braces_do_no_harm():
    assert line(What.CLOSED, who="{who}") == "{who}归档"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("reason", Reason)
def test_every_decision_has_an_answer(reason, language):
    said = answer(Verdict(False, reason, alert_of(PRESS, owner="zhang")), language, PEOPLE.__getitem__)

    assert said.endswith(("。", "."))


def test_whoever_comes_second_reads_who_has_it():
    assert (
        answer(Verdict(False, Reason.TAKEN, alert_of(PRESS, owner="zhang")), "zh", PEOPLE.__getitem__)
        == "张师傅已接单。"
    )
    assert answer(Verdict(False, Reason.TAKEN), "zh", PEOPLE.__getitem__) == "已有其他人接单。"


# --------------------------------------------------------------------------- names, moments, spans


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_code_has_a_name(language):
    names = [
        *(severity_name(s, language) for s in Severity),
        *(state_name(s, language) for s in State),
        *(outcome_name(o, language) for o in Outcome),
        *(duty_name(d, language) for d in Duty),
        *(purpose_name(p, language) for p in Purpose),
        *(sending_name(s, language) for s in Sending),
        *(alert_name(entry.code, language) for entry in ENTRIES),
        *(kind_name(kind, language) for kind in (Kind.MOTION, Kind.DOOR, Kind.SOS)),
    ]

    assert all(names)
    assert all(name.isascii() == (language == "en") for name in names)


def test_the_states_and_their_chinese():
    names = ["已触发", "核实中", "已通知", "已接单", "途中", "已到场", "已处置", "已回访", "已归档", "已撤销"]

    assert [state_name(s, "zh") for s in State] == names


def test_a_reason_of_the_providers_stays_as_it_came():
    assert reason_text("HTTP 503: busy", "zh") == "HTTP 503: busy"
    assert reason_text("accepted before it could be sent", "zh") == "发出之前已有人接单"
    assert reason_text("", "zh") == ""


@pytest.mark.parametrize(
    ("length", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (59.9, "59 秒", "59 s"),
        ("60", "1 分钟", "1 min"),
        (3599, "59 分钟", "59 min"),
        (3600, "1 小时", "1 h"),
        (timedelta(hours=3, minutes=5), "3 小时 5 分", "3 h 5 min"),
        (timedelta(hours=47), "47 小时", "47 h"),
        (timedelta(days=2), "2 天", "2 days"),
        (timedelta(days=3, hours=4, minutes=59), "3 天 4 小时", "3 days 4 h"),
    ],
)
def test_spans_as_one_would_say_them(length, zh, en):
    assert (span(length, "zh"), span(length, "en")) == (zh, en)


def test_times_are_those_of_the_home_with_the_date_where_it_is_another_day():
    assert clock(LAST, SHANGHAI, T0) == "09:12"
    assert clock(LAST - timedelta(days=1), SHANGHAI, T0) == "11-20 09:12"
    assert clock(LAST - timedelta(days=365), SHANGHAI, T0) == "2025-11-21 09:12"
