"""Why she is thought to need somebody: in the bathroom, at night, in bed, at the door."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.catalogue import Catalogue
from alerts.wording import explain
from gateway.domain import Duty, Facts, Finding, Severity
from simulators.household import furnish

SINCE = datetime(2026, 3, 2, 1, 5, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")

SAID: list[tuple[str, Facts, str, str]] = [
    (
        "bath_dwell",
        (("room", "bathroom"), ("elapsed_s", "2700"), ("limit_s", "2700"), ("usual_s", "960")),
        "已停留 45 分钟；最后一次在该处活动 09:05，此后别处均无活动。平时一天中最长停留约 16 分钟。时限 45 分钟。",
        "The longest stay of a day is usually 16 min. The limit is 45 min.",
    ),
    (
        "bed_no_return",
        (("rule", "about"), ("elapsed_s", "5400"), ("limit_s", "5400"), ("last_at", "2026-03-02T02:31:00+00:00")),
        "床自 09:05 起无人，已 1 小时 30 分。其间在家中有走动，最后一次 10:31。时限 1 小时 30 分。",
        "Seen about the home meanwhile, last at 10:31.",
    ),
    (
        "not_up",
        (("rule", "rise"), ("elapsed_s", "5400"), ("limit_at", "2026-03-02T02:35:00+00:00"), ("usual_at", "06:30")),
        "到此时仍未起床；最后活动或上床时间 09:05（已 1 小时 30 分）。平时 06:30 起床。今日限时 10:35。",
        "Usually up at 06:30. The limit today is 10:35.",
    ),
    (
        "not_up",
        (("rule", "in_bed"), ("elapsed_s", "50400"), ("limit_s", "50400")),
        "09:05 上床，已卧床 14 小时。",
        "In bed since",
    ),
    ("night_exit", (("elapsed_s", "900"), ("limit_s", "900")), "大门开动，此后 15 分钟", "nobody has been seen inside"),
    (
        "wandering",
        (("count", "10"), ("limit", "10"), ("usual", "4"), ("elapsed_s", "1200"), ("limit_s", "1800")),
        "自 09:05 起 20 分钟内在房间之间走动 10 次。平时较不安稳的夜里半小时内约 4 次。限值为半小时内 10 次。",
        "The limit is 10 within half an hour.",
    ),
    (
        "door_open",
        (("elapsed_s", "900"), ("limit_s", "900")),
        "大门自 09:05 起敞开，已 15 分钟。",
        "has stood open since 09:05",
    ),
    (
        "door_not_used",
        (("elapsed_s", "172800"), ("limit_s", "172800"), ("usual_s", "90000")),
        "近 28 天最长为",
        "2 days",
    ),
]


@pytest.mark.parametrize(("code", "facts", "zh", "en"), SAID)
def test_it_says_why_in_both_languages(code, facts, zh, en):
    home = furnish("h1", "gardener", seed=0).home
    elapsed = timedelta(seconds=int(dict(facts)["elapsed_s"]))
    found = Finding(home="h1", code=code, severity=Severity.HIGH, since=SINCE, at=SINCE + elapsed, facts=facts)

    assert zh in "".join(explain(found, "zh", SHANGHAI, home))
    assert en in " ".join(explain(found, "en", SHANGHAI, home))


@pytest.mark.parametrize(
    ("code", "severity", "minutes"),
    [
        ("bath_dwell", Severity.HIGH, 5),
        ("bed_no_return", Severity.HIGH, 5),
        ("not_up", Severity.HIGH, 10),
        ("night_exit", Severity.HIGH, 5),
        ("wandering", Severity.MEDIUM, 30),
        ("wandering", Severity.HIGH, 10),
        ("door_open", Severity.MEDIUM, 20),
        ("door_not_used", Severity.MEDIUM, 30),
    ],
)
def test_each_has_its_time_to_be_accepted(code, severity, minutes):
    called = [r for r in Catalogue().ladder(code, severity).rungs if not {Duty.ELDER, Duty.FAMILY} & {*r.duties}]

    assert {rung.wait for rung in called} == {timedelta(minutes=minutes)}


def test_whoever_forgets_and_is_out_at_night_is_an_emergency():
    entry = Catalogue().entry("night_exit")

    assert entry.ladder_for(Severity.EMERGENCY) == Catalogue().entry("sos").ladder
