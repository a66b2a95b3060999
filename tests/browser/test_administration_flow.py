"""The first administrator takes over a new street: a grid, its worker, how to reach them, and whether it rings."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import Album
from neighbourhood import Neighbourhood
from playwright.sync_api import Page, expect
from test_overview_flow import is_well_made

from alerts.channels.console import Console
from dashboard.app import House
from gateway.domain import Delivery, Purpose, Sending

pytestmark = pytest.mark.browser


class Staffed(Neighbourhood):
    """The neighbourhood with a channel that speaks, and one that was refused today."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.console = Console()

    def house(self) -> House:
        return replace(
            super().house(), channels={"console": self.console, "tencent_sms": Console()}, demo=False, phone=None
        )


@pytest.fixture
def street() -> Iterator[Staffed]:
    street = Staffed()
    with street.open_for_visits():
        with street.alerts.begin() as ledger:
            for n in range(3):
                ledger.queue(
                    Delivery(
                        id=f"a/{n}",
                        alert="a",
                        purpose=Purpose.PAGE,
                        person="worker",
                        channel="tencent_sms",
                        address="13800138000",
                        created_at=street.clock.now(),
                        state=Sending.FAILED,
                        reason="refused: 触发天级流控",
                        code="LimitExceeded.PhoneNumberDailyLimit",
                    )
                )
        yield street


def picture(page: Page, album: Album, name: str) -> None:
    is_well_made(page)
    album.keep(f"administration-{name}")


def test_a_new_grid_gets_its_worker_and_the_telephone_rings(street: Staffed, page: Page, album: Album):
    page.goto(street.setup_link())
    page.locator("[name=name]").fill("chief")
    for field in ("password", "again"):
        page.locator(f"[name={field}]").fill("a long enough password")
    page.locator("main form button").click()
    expect(page).not_to_have_url(re.compile("/setup"))

    page.goto(f"{street.url}/administration")
    expect(page.get_by_role("link", name="区划与网格")).to_contain_text("1 个社区 · 1 个网格")
    picture(page, album, "1-hub")

    page.get_by_role("link", name="区划与网格").click()
    page.get_by_role("link", name="东风社区").click()
    page.get_by_text("在此新建下级").click()
    page.locator("[name=level]").select_option("grid")
    page.locator("[name=name]:visible").fill("第二网格")
    page.locator("[name=code]").fill("g2")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_role("link", name="第二网格")).to_contain_text("没有网格员")
    picture(page, album, "2-community")

    page.goto(f"{street.url}/administration/people")
    page.get_by_text("添加人员").click()
    page.locator("[name=name]:visible").fill("周网格员")
    page.locator("[name=phone]").fill("13700001111")
    page.locator("[name=place]").select_option("g2")
    page.get_by_role("button", name="添加").click()
    page.get_by_text("添加通知方式").click()
    page.locator("[name=channel]").select_option("console")
    page.locator("form", has=page.locator("[name=where]")).get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存，即时生效。")).to_be_visible()
    picture(page, album, "3-person")

    page.get_by_role("button", name="发送测试").click()
    expect(page.locator("#tested")).to_contain_text("已发")
    assert [said.delivery.person for said in street.console.said] == ["13700001111"]
    expect(page.locator("main")).to_contain_text("LimitExceeded.PhoneNumberDailyLimit")
    picture(page, album, "4-channels")

    page.goto(f"{street.url}/administration/alerts?place=g2")
    page.get_by_role("link", name="卫生间").click()
    page.locator("summary", has_text="接单时限").click()
    number = page.locator("details", has_text="接单时限")
    number.locator("[name=value]").fill("10")
    number.locator("[name=why]").fill("山路远")
    number.get_by_role("button", name="修改").click()
    page.locator("summary", has_text="接单时限").click()
    expect(page.get_by_text("chief：山路远")).to_be_visible()
    picture(page, album, "5-alert")
    page.goto(f"{street.url}/administration/alerts?place=g2")
    expect(page.get_by_role("row", name="卫生间")).to_contain_text("本地改动")
    picture(page, album, "6-alerts")

    page.emulate_media(color_scheme="dark")
    page.goto(f"{street.url}/administration/places/g2")
    expect(page.get_by_role("main")).to_contain_text("周网格员")
    picture(page, album, "7-grid-dark")


def test_what_was_typed_survives_an_error_and_a_session_that_ends(street: Staffed, page: Page):
    page.goto(street.entrance_link())
    page.get_by_role("button", name="进入").click()
    page.goto(f"{street.url}/rota/g1")
    page.get_by_text("登记请假").click()
    leave = page.locator("form[action$='/leave']")
    leave.locator("[name=person]").select_option(index=1)
    leave.locator("[name=first]").fill("2026-03-05")
    leave.locator("[name=last]").fill("2026-03-02")
    leave.locator("[name=why]").fill("住院")

    leave.get_by_role("button", name="保存").click()

    expect(page.locator("#main .error")).to_be_visible()
    expect(leave.locator("[name=why]")).to_have_value("住院")
    expect(leave.locator("[name=first]")).to_have_value("2026-03-05")

    leave.locator("[name=last]").fill("2026-03-09")
    signed_in = page.context.cookies()
    page.context.clear_cookies()
    leave.get_by_role("button", name="保存").click()
    expect(page.locator(".error")).to_contain_text("没有保存")
    page.context.add_cookies(signed_in)
    page.goto(f"{street.url}/rota/g1")

    expect(leave.locator("[name=last]")).to_have_value("2026-03-09")
    expect(leave.locator("[name=why]")).to_have_value("住院")
