"""An alert from the list to the file, at the terminal."""

import json
from datetime import timedelta

import pytest
from test_commands import Terminal, shouwang  # noqa: F401 (a fixture)

from alerts.desk import Desk
from gateway.clock import SystemClock
from gateway.config import Refused
from gateway.domain import Finding, Outcome, Severity, State


@pytest.fixture
def called(shouwang) -> Terminal:  # noqa: F811
    """An emergency call at 王奶奶's, a moment ago."""
    now = SystemClock().now()
    found = Finding(home="wang", code="sos", severity=Severity.EMERGENCY, since=now, at=now)
    desk = Desk(shouwang.alerts, shouwang.registry)
    desk.take([found], now)
    for delivery in shouwang.alerts.outbox(now):
        desk.said(delivery.id, now)
    shouwang.id = found.id
    return shouwang


def test_from_the_call_to_the_file(called):
    assert f"{called.id}" in called("alerts list")
    assert "accept by" in called(f"alerts show {called.id}")
    assert "accept " in called("alerts clocks")

    for act in (
        "accept {} zhang",
        "depart {} zhang",
        "arrive {} zhang",
        "note {} zhang 门是开着的",
        "resolve {} zhang assistance-given --note 扶起",
    ):
        called("alerts " + act.format(called.id))
        assert called.exit_code == 0, act
    assert "look-in" in called("alerts clocks")
    assert "looks in again first" in called(f"alerts close {called.id} chen") and called.exit_code == 1
    called(f"alerts follow-up {called.id} chen well")
    called(f"alerts close {called.id} chen")

    alert = called.alerts.alert(called.id)
    assert (alert.state, alert.outcome, alert.owner) == (State.CLOSED, Outcome.ASSISTANCE_GIVEN, "zhang")
    assert called("alerts list") == "" and called.id in called("alerts list --all")


def test_what_else_was_found_and_what_is_told_in_another_alert(called):
    now = SystemClock().now()
    water, hub, device = (
        Finding(home="wang", code=code, severity=severity, since=now, at=now, subject=subject)
        for code, severity, subject in (
            ("leak", Severity.MEDIUM, ""),
            ("home_silent", Severity.TECHNICAL, ""),
            ("device_mute", Severity.TECHNICAL, "s"),
        )
    )
    Desk(called.alerts, called.registry).take([water, hub, device], now)

    assert "+ leak x1  Water on the floor" in called(f"alerts show {called.id}")
    assert f"{device.id}  told in {hub.id}" in called("alerts list")
    assert f"told in {hub.id}" in called(f"alerts show {device.id}")
    assert f"for {device.id}" in called(f"alerts show {hub.id}")


def test_somebody_far_away_and_somebody_else(called):
    called(f"alerts accept {called.id} chen --afar")
    assert "coordinator chen" in called("alerts list")
    called(f"alerts accept {called.id} zhang")
    assert "only" in called(f"alerts cannot-go {called.id} li").lower() and called.exit_code == 1

    with pytest.raises(Refused, match="--why"):
        called(f"alerts hand-over {called.id} zhang li")
    called(f"alerts hand-over {called.id} zhang li --why 换班")
    assert "owner li" in called("alerts list")


def test_the_timeline_in_words_and_as_data(called):
    called(f"alerts accept {called.id} zhang")

    told = called(f"alerts timeline {called.id}")
    assert "Raised: Emergency call" in told and "张师傅 accepted" in told and "sent" in told
    data = json.loads(called(f"alerts timeline {called.id} --json"))
    assert data["alert"]["id"] == called.id and data["timeline"][-1]["sort"] == "person"


def test_the_figures_as_a_table_and_as_a_sheet(called, tmp_path):
    called(f"alerts accept {called.id} zhang")
    month = f"{called.alerts.alert(called.id).raised_at + timedelta(hours=8):%Y-%m}"

    assert "100 % (1/1)" in called(f"alerts figures --month {month}")
    assert f"第一网格,{month},1,1/1,1/1" in called(f"alerts figures --month {month} --csv -")
    called(f"alerts figures --month {month} --csv {tmp_path / 'figures.csv'}")
    assert (tmp_path / "figures.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "1/1" not in called("alerts figures --month 2020-01")
    with pytest.raises(Refused, match="is no month"):
        called("alerts figures --month yesterday")


def test_the_card_is_opened_with_a_reason_by_who_was_called(called):
    with pytest.raises(Refused, match="Write down why"):
        called(f"alerts card {called.id} zhang")
    with pytest.raises(Refused, match="Only who was called"):
        called(f"alerts card {called.id} zhao --why curious")

    assert "None on file" in called(f"alerts card {called.id} zhang --why unconscious")
    assert [a.who for a in called.alerts.acts(called.id) if a.what == "card.opened"] == ["zhang"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("alerts accept nothing zhang", ""),
        ("alerts show nothing", "There is no alert"),
        ("alerts timeline nothing", "There is no alert"),
        ("alerts resolve nothing zhang fine", "is no outcome"),
        ("alerts follow-up nothing zhang fine", "is no state of a resident"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(called, line, sentence):
    if not sentence:
        assert "no such alert" in called(line) and called.exit_code == 1
        return
    with pytest.raises(Refused, match=sentence):
        called(line)


def test_a_wrong_code_of_the_door_is_refused(called):
    with pytest.raises(Refused, match="is not the code"):
        called(f"alerts arrive {called.id} zhang --code 12")
