"""A real browser before a real server. Without Chromium these tests are skipped, and say so."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from neighbourhood import Neighbourhood
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ARTEFACTS = Path(__file__).resolve().parents[2] / "test-artifacts"
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 30_000
"""What does not come is waited for this long: on a machine that is busy with other tests everything takes its time."""

expect.set_options(timeout=PATIENCE_MS)
SIZES = {"phone": (390, 844), "desk": (1280, 900)}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("NO BROWSER: chromium is not on the PATH (apt-get install chromium fonts-noto-cjk)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def street() -> Iterator[Neighbourhood]:
    neighbourhood = Neighbourhood()
    with neighbourhood.open_for_visits():
        yield neighbourhood


@pytest.fixture(params=SIZES, ids=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(chromium: Browser, size: str) -> Iterator[Page]:
    """A window whose scripts may not complain."""
    width, height = SIZES[size]
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    window = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # What is refused or cut off on purpose is told by the browser too.
        expected = ("Failed to load resource", "ERR_INTERNET_DISCONNECTED", "Failed to fetch", "network error")
        if message.type in ("error", "warning") and not any(words in message.text for words in expected):
            complaints.append(message.text)

    window.on("console", listen)
    window.on("pageerror", lambda error: complaints.append(str(error)))
    yield window
    context.close()
    assert complaints == []


class Album:
    """Keeps what was on the screen, to be looked at by people."""

    def __init__(self, page: Page, size: str) -> None:
        self.page, self.size = page, size
        ARTEFACTS.mkdir(exist_ok=True)

    def keep(self, name: str, *, whole: bool = True) -> None:
        self.page.screenshot(path=ARTEFACTS / f"{name}-{self.size}.png", full_page=whole)


@pytest.fixture
def album(page: Page, size: str) -> Album:
    return Album(page, size)
