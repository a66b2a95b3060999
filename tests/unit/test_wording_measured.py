"""What is measured, in sentences: numbers, the usual and the limit, in both languages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from measured_home import a_home

from alerts.wording import STANDARD, explain
from gateway.domain import VITALS, Finding, Severity

ZONE = ZoneInfo("Asia/Shanghai")
SINCE = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


def said(code: str, language: str, after: timedelta = timedelta(hours=4), **facts: str) -> list[str]:
    finding = Finding(
        home="h1", code=code, severity=Severity.MEDIUM, since=SINCE, at=SINCE + after, facts=tuple(facts.items())
    )
    return explain(finding, language, ZONE, a_home())


def test_a_cold_room_is_named_with_its_numbers():
    facts = {"room": "bedroom", "limit": "5", "value": "3.8", "worst": "3.1", "usual": "9.5", "elapsed_s": "14400"}

    assert said("room_cold", "en", **facts) == [
        "bedroom: below 5 °C for 4 h, now 3.8 °C (lowest 3.1 °C).",
        "In the last days it was usually 9.5 °C there.",
    ]
    assert said("room_cold", "zh", **facts)[0] == "bedroom：低于 5 °C 已 4 小时，现在 3.8 °C（最低 3.1 °C）。"


def test_a_dry_day_says_whether_anybody_was_seen():
    facts = {"litres": "3", "limit": "10", "limit_s": "43200", "usual_s": "12000", "last_at": SINCE.isoformat()}

    assert said("water_low", "en", lives="no", **facts) == [
        "3 litres drawn since 09:00. Less than 10 in 12 h of waking time at home is told.",
        "The longest such time of a day is usually 3 h 20 min.",
        "Last sign of life: 09:00.",
    ]
    assert said("water_low", "en", lives="yes", **facts)[-1] == "Other sensors still tell of life (last: 09:00)."


def test_water_that_never_stops():
    assert said("water_trickle", "en", litres="19", least="0.4") == [
        "Water has run in every half hour since 09:00, at least 0.4 litres; 19 litres in all."
    ]
    assert said("water_high", "zh", litres="2036", limit="2000") == ["09:00 起已用水 2036 升；一天超过 2000 升即提醒。"]


def test_a_blood_pressure_is_told_as_numbers_and_never_as_an_illness():
    facts = {"kind": "systolic", "side": "high", "value": "188", "before": "192", "limit": "160", "elapsed_s": "120"}

    assert said("vital", "en", usual="138.5", **facts) == [
        "Systolic blood pressure: 188 mmHg, and 192 mmHg 2 min before; the upper limit is 160 mmHg.",
        "Usually it is about 138.5 mmHg.",
    ]
    assert said("vital", "zh", **facts) == ["收缩压：188 mmHg，前一次（相隔 2 分钟）为 192 mmHg；上限 160 mmHg。"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", sorted(VITALS))
def test_one_that_nobody_repeated(kind, language):
    (sentence,) = said("vital", language, kind=kind, side="low", value="2", elapsed_s="7200", rule="once")

    assert "2" in sentence
    assert kind.replace("_", " ") not in sentence.lower() or language == "en"


@pytest.mark.parametrize(
    "code", ["assist", "room_cold", "room_hot", "water_low", "water_high", "water_trickle", "vital"]
)
def test_what_stands_on_a_lock_screen_names_no_number_of_a_body(code):
    entry = STANDARD.entry(code)

    assert entry.code == code
    assert "{value}" not in entry.call
