"""What belongs together stands on one page: what else was found, and the homes of a dark area."""

import pytest
from pages_house import Rig, a_home
from test_pages import text_of

from dashboard.printer import alert_url
from gateway.domain import Alert, Duty, Finding, Outcome, Severity


def page_of(browser, alert: Alert) -> str:
    return read(browser, alert_url(alert.id))


def read(browser, path: str) -> str:
    answer = browser.get(path, headers={"accept-language": "zh"})
    assert answer.status_code == 200, answer.text
    return text_of(answer.text)


def notices(rig: Rig, code: str, home: str = "h1", severity: Severity = Severity.TECHNICAL, subject: str = "") -> None:
    now = rig.clock.now()
    rig.desk.take([Finding(home=home, code=code, severity=severity, since=now, at=now, subject=subject)], now)


@pytest.fixture
def dark() -> tuple[Rig, Alert]:
    """Six homes of the first grid have fallen silent."""
    rig = Rig()
    with rig.registry.begin() as ledger:
        for number in range(11, 17):
            ledger.put_home(a_home(number, "g1", f"第 {number} 户"), rig.clock.now())
    for number in range(11, 17):
        notices(rig, "home_silent", f"h{number}")
    (outage,) = [alert for alert in rig.alerts.alerts() if alert.code == "area_outage"]
    return rig, outage


def test_the_alerts_page_shows_what_else_was_found_and_why():
    rig = Rig()
    notices(rig, "sos", severity=Severity.EMERGENCY)
    notices(rig, "leak", severity=Severity.MEDIUM)

    page = page_of(rig.signed_in(), rig.alerts.alerts()[0])

    assert "紧急呼叫" in page
    assert "疑似漏水" in page and "地面有水" in page
    assert "同时发现：疑似漏水" in page, "and its history says when"


def test_the_list_of_homes_names_what_rings_with_it():
    rig = Rig()
    notices(rig, "sos", severity=Severity.EMERGENCY)
    notices(rig, "leak", severity=Severity.MEDIUM)

    assert "同时：疑似漏水" in read(rig.signed_in(), "/")


def test_the_page_of_an_outage_lists_its_homes_and_is_about_none_of_them(dark):
    rig, outage = dark

    page = page_of(rig.signed_in(), outage)

    assert "片区失联" in page and "共 6 个，6 个仍失联" in page
    assert all(f"第 {number} 户" in page and f"A-{number}" in page for number in range(11, 17))
    assert "东风路" not in page and "钥匙" not in page


def test_whoever_came_by_a_link_reads_codes_and_no_names(dark):
    rig, outage = dark

    page = read(rig.browser(), f"/a/{rig.links.token(outage.id, 'ma')}")

    assert "A-13" in page and "第 13 户" not in page


def test_a_dark_area_is_shown_large_once_and_its_homes_as_not_seen(dark):
    rig, _ = dark

    page = read(rig.signed_in(), "/")

    assert page.count("片区失联") == 1


def test_an_installer_may_open_it(dark):
    rig, outage = dark

    assert "片区失联" in page_of(rig.signed_in("bo", Duty.INSTALLER), outage)


def test_what_another_alert_stands_for_says_so_and_leads_there(dark):
    rig, _ = dark
    (silent,) = rig.alerts.alerts(home="h13")

    page = page_of(rig.signed_in(), silent)

    assert "已由另一条预警统一处理，期间不单独通知" in page
    assert "片区失联" in page


def test_a_home_that_is_back_says_when():
    rig = Rig()
    notices(rig, "home_silent")
    notices(rig, "device_offline", subject="h1-m")
    hub = next(alert for alert in rig.alerts.alerts() if alert.code == "home_silent")
    rig.clock.go_on(minutes=5)
    rig.desk._has_passed = lambda finding: finding.code == "device_offline"
    rig.desk.tick(rig.clock.now())

    page = page_of(rig.signed_in(), hub)

    assert "厨房感应" in page and "22:43 恢复通信" in page


def test_too_many_calls_are_marked_for_the_worker_and_for_the_home():
    rig = Rig()
    for _ in range(9):
        alert = rig.press()
        rig.desk.resolve(alert.id, "liu", Outcome.ACCIDENTAL_PRESS, "", rig.clock.now())
        rig.clock.go_on(minutes=10)
    rig.press("h2")

    page = read(rig.signed_in(), "/clocks")

    assert "刘网格员 24 小时内接到 10 条预警 · 过多：一天最多能处理 8 条" in page
    assert "王奶奶 A-1 7 天内 9 条预警" in page
    assert "李爷爷 A-2 7 天内" not in page


def test_a_quiet_week_has_no_load_to_show():
    assert "报警负荷" not in read(Rig().signed_in(), "/clocks")
