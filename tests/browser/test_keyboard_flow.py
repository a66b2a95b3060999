"""The night of a grid worker and the minute of a daughter with Tab, Enter and Space, and what a voice would read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from neighbourhood import Neighbourhood
from playwright.sync_api import Locator, Page, expect
from test_family_flow import family_of

from dashboard.app import make_entrance_link
from dashboard.auth import Passwords
from gateway.domain import Duty, Look, State
from gateway.ports import Account

pytestmark = pytest.mark.browser

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8").strip()
PASSWORD = "a long enough password"
FARTHEST = 60
"""Presses of Tab: more means that something cannot be reached."""

SOUND = """
Object.defineProperty(HTMLMediaElement.prototype, "paused", { get() { return !this.isOn; } });
Audio.prototype.play = function () { this.isOn = true; return Promise.resolve(); };
Audio.prototype.pause = function () { this.isOn = false; };
"""
"""A loudspeaker that plays without having been touched."""


@pytest.fixture
def size() -> str:
    return "desk"


@pytest.fixture
def go_to(page: Page) -> Callable[[Locator], None]:
    """Presses Tab until this has the focus; whatever has it on the way there shows it."""

    def go(goal: Locator) -> None:
        goal.wait_for()
        for _ in range(FARTHEST):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement !== document.body"):
                assert page.evaluate(f"{MEASURE}.showsFocus()"), page.evaluate("document.activeElement.outerHTML")
            if goal.evaluate("(one) => one === document.activeElement"):
                return
        raise AssertionError(f"{goal} cannot be reached with Tab")

    return go


def follows(page: Page) -> None:
    expect(page.locator("body[data-line=up]")).to_be_attached()


def test_the_whole_night_without_a_mouse(street: Neighbourhood, page: Page, go_to: Callable[[Locator], None]):
    account = Account(
        login="worker", password_hash=Passwords().hash(PASSWORD), person="worker", duty=Duty.GRID_WORKER, place="g1",
        created_at=street.clock.now(),
    )  # fmt: skip
    street.accounts.put(account)
    page.add_init_script(SOUND)
    page.goto(f"{street.url}/login")
    go_to(page.get_by_label("登录名"))
    page.keyboard.type("worker")
    go_to(page.get_by_label("密码"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="现在没有报警")).to_be_visible()
    follows(page)

    # The first stop leads past the menu.
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    # It rings: once in words, and aloud until a key is pressed.
    alert = street.press("h1")
    expect(page.locator("#cried")).to_have_text("紧急呼叫 王奶奶 A-1201")
    expect(page.locator("main")).to_be_focused()
    expect(page.get_by_role("button", name="静音两分钟")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="秒后再响")).to_be_visible()

    go_to(page.locator(".ring-body"))
    page.keyboard.press("Enter")
    stood = page.locator(".stood")
    expect(stood).to_contain_text("已响")
    expect(page.locator("#hush")).to_contain_text("秒后再响")  # it stays silenced on the next page, and says how long
    page.locator("#hush").press("Enter")
    expect(page.locator("#hush")).to_contain_text("静音两分钟")  # heard again
    page.keyboard.press("Escape")
    for act, says, key in (
        ("我来接单", "您已接单", "Enter"),
        ("我出发了", "您已出发", "Enter"),
        ("我到了", "您已到场", "Space"),
    ):
        go_to(page.get_by_role("button", name=act, exact=True))
        page.keyboard.press(key)
        expect(stood).to_contain_text(says)
        expect(stood).to_be_focused()  # what the act has changed is what is read
    go_to(page.get_by_role("radio", name="真实险情"))
    page.keyboard.press("Space")
    go_to(page.get_by_label("备注").first)
    page.keyboard.type("扶起，送医")
    go_to(page.get_by_role("button", name="办结").first)
    page.keyboard.press("Enter")
    expect(stood).to_contain_text("真实险情")
    found = street.alerts.alert(alert)
    assert found is not None and found.state is State.RESOLVED and found.note == "扶起，送医"

    # The menu opens and closes by key.
    page.locator(".menu summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".menu form button")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".menu form button")).to_be_hidden()
    expect(page.locator(".menu summary")).to_be_focused()


def test_what_others_do_is_said_once(street: Neighbourhood, page: Page):
    alert = street.press("h1")
    leader = street.registry.person("leader")
    assert leader is not None
    page.goto(make_entrance_link(street.accounts, street.clock, street.url, leader))
    page.get_by_role("button", name="进入").click()
    expect(page.locator(".homes")).to_be_visible()
    page.goto(f"{street.url}/alerts/{alert}")
    follows(page)
    page.evaluate("""window.said = []; new MutationObserver(() => window.said.push(told.textContent))
        .observe(document.getElementById("told"), { childList: true }); 0""")

    street.desk.accept(alert, "deputy", street.clock.now())
    expect(page.locator("#told")).to_have_text("王奶奶：已接单 何副手")
    street.desk.note(alert, "deputy", "路上", street.clock.now())  # a line more in the history is no news of the alert
    expect(page.locator(".history")).to_contain_text("路上")

    assert page.evaluate("window.said") == ["王奶奶：已接单 何副手"]


def test_a_daughter_without_a_mouse(street: Neighbourhood, page: Page, go_to: Callable[[Locator], None]):
    family_of(street, *Look)
    daughter = street.registry.person("mei")
    assert daughter is not None
    page.goto(make_entrance_link(street.accounts, street.clock, street.url, daughter, Duty.FAMILY))
    go_to(page.get_by_role("button", name="进入"))
    page.keyboard.press("Enter")
    expect(page.locator(".calm h1")).to_be_visible()
    follows(page)

    street.fall_silent("h1")
    expect(page.locator("#told")).to_have_text("长时间无活动")
    go_to(page.get_by_role("button", name="我来处理"))
    page.keyboard.press("Enter")
    expect(page.locator(".calm.taken h1")).to_have_text("王小梅 正在处理")
    go_to(page.locator("summary", has_text="老人在我这"))
    page.keyboard.press("Enter")
    go_to(page.get_by_role("radio").first)
    page.keyboard.press("Space")
    go_to(page.get_by_role("button", name="老人在我这"))
    page.keyboard.press("Enter")
    expect(page.locator(".calm.away h1")).to_be_visible()
