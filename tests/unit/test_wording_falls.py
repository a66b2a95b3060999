"""A fall in sentences: who says so, what speaks for it, and what has been seen since, in both languages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from measured_home import a_home

from alerts.wording import explain
from gateway.domain import Finding, Severity

ZONE = ZoneInfo("Asia/Shanghai")
SINCE = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
KNOCK = {"likelihood": "92", "threshold": "78", "peak_dg": "53"}


def said(language: str, **facts: str) -> list[str]:
    finding = Finding(
        home="h1",
        code="fall",
        severity=Severity.HIGH,
        since=SINCE,
        at=SINCE + timedelta(seconds=65),
        facts=tuple(facts.items()),
    )
    return explain(finding, language, ZONE, a_home())


def test_two_sources_are_named_with_what_they_said():
    facts = {
        "sources": "radar:maybe_fall,watch:impact",
        "rule": "together",
        "room": "bath",
        "confidence": "81",
        **KNOCK,
    }

    assert said("en", elapsed_s="12", **facts) == [
        "radar suspects a fall since 09:00.",
        "watch, which is worn, felt a hard knock at 09:00: 5.3 g.",
        "By its course the knock is 92 of 100 like a fall; from 78 on it is looked at.",
        "Where: bath.",
        "2 sources say so within two minutes.",
        "Confidence 81 %.",
    ]
    assert said("zh", elapsed_s="12", **facts)[-2:] == ["两分钟内有 2 个来源同时报告。", "可信度 81%。"]


def test_who_lies_still_is_said_for_how_long():
    facts = {
        "sources": "watch:impact",
        "rule": "still",
        "still_s": "60",
        "elapsed_s": "65",
        "confidence": "80",
        **KNOCK,
    }

    assert "Since then the wearer has lain still, for 1 min." in said("en", **facts)
    assert "此后佩戴者静止不动，已有 1 分钟。" in said("zh", **facts)
    assert "Before that last seen: living." in said("en", room="living", **facts)


@pytest.mark.parametrize("rule", ["sure", "suspected", "stands", "unrecovered"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_rule_is_said_and_nothing_is_left_unfilled(rule, language):
    sentences = said(language, sources="radar:fall", rule=rule, room="bath", elapsed_s="180", confidence="80")

    assert len(sentences) == (3 if rule == "sure" else 4)
    assert not any("{" in sentence for sentence in sentences)


def test_a_fall_of_an_older_gateway_is_still_said():
    assert said("en", kind="fall", sensor="radar", room="bath") == ["A fall was reported at 09:00 (bath)."]
