"""What the gateway tells its administrators about itself, from the finding to what stands on their telephone."""

from datetime import timedelta

import pytest
from pages_house import Rig

from alerts.wording import explain, letter
from gateway.domain import Duty, Person, Reach
from gateway.domain.home import GRID
from gateway.notices import Notices


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    with made.registry.begin() as ledger:
        reaches = (Reach(channel="console", address="desk"),)
        ledger.put_person(Person(id="chen", name="陈工", reaches=reaches), made.clock.now())
        ledger.assign("chen", Duty.ADMIN, "", made.clock.now() - timedelta(days=1))
    return made


def told(rig: Rig, **state: object) -> list[tuple[str, str]]:
    """Who is written to, and under which title, in Chinese."""
    now = rig.clock.now()
    usual = {"is_full": False, "watchdog_s": None, "ends": {}} | state
    rig.desk.take(list(Notices().look(now, **usual)), now)
    return [
        (delivery.person, letter(delivery, rig.alerts.alert(delivery.alert), home=home, language="zh").title)
        for delivery in rig.alerts.outbox(now)
        if (home := rig.registry.home(GRID)) is not None
    ]


def test_a_full_disk_is_told_to_whoever_runs_the_gateway_and_to_no_grid_worker(rig):
    assert told(rig, is_full=True) == [("chen", "【运维】磁盘已满 · 守望 Shouwang")]


def test_a_watchdog_that_is_missed(rig):
    assert told(rig, watchdog_s=700.0) == [("chen", "【运维】看门狗未运行 · 守望 Shouwang")]


def test_a_certificate_that_ends_says_which_and_when(rig):
    assert told(rig, ends={"broker": rig.clock.now() + timedelta(days=5)}) == [
        ("chen", "【运维】证书即将到期 · 守望 Shouwang")
    ]
    (alert,) = rig.alerts.alerts(unclosed=True)
    home = rig.registry.home(alert.home)
    assert explain(alert.finding, "zh", home.zone, home) == ["消息服务器的证书将于 2026-11-26 22:38 到期。"]


def test_its_page_opens_for_the_administrator_and_for_nobody_of_a_grid(rig):
    told(rig, is_full=True)
    (alert,) = rig.alerts.alerts(unclosed=True)
    admin, worker = rig.signed_in("chen", Duty.ADMIN), rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    assert "磁盘" in admin.get(f"/alerts/{alert.id}").text
    assert worker.get(f"/alerts/{alert.id}").status_code == 404
    assert admin.get(f"/homes/{GRID}").headers["location"] == "/"
