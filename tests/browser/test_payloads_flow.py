"""A real browser opens pages full of scripts that somebody wrote into names and notes. None of them runs.

The policy that forbids them is switched off here: what is examined is that they never became scripts at all.
"""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser

from dashboard.app import create_app

UNIT = str(Path(__file__).resolve().parents[1] / "unit")
sys.path.insert(0, UNIT)
try:
    from test_matrix import ROUTES, filled, names
    from the_payloads import PAYLOADS, poison
    from walled_house import Walled, guarded
finally:
    sys.path.remove(UNIT)

pytestmark = pytest.mark.browser

LISTEN = "window.ran = []; window.xss = (n) => { window.ran.push(n); };"


@contextmanager
def served(rig: Walled) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(replace(rig.house, base_url=url, secure_cookies=False))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.02)
        yield url
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.mark.parametrize("role", ["admin", "worker", "family", "elder"])
def test_nothing_that_was_written_runs(chromium: Browser, role: str) -> None:
    rig = Walled()
    poison(rig, lambda field: " ".join(PAYLOADS))
    guarded(rig, "h1")
    token = rig.visit(role).browser.cookies["__Host-session"]
    opened = []
    with served(rig) as url:
        context = chromium.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
        context.add_cookies([{"name": "session", "value": token, "url": url}])
        context.add_init_script(LISTEN)
        page = context.new_page()
        page.set_content("<img src=x onerror='xss(1)'>")
        page.wait_for_function("window.ran.length === 1")  # the ear hears

        ours = names(rig, "own")
        for route, entry in ROUTES.items():
            verb, _, address = route.partition(" ")
            skipped = address.endswith(("/events", ".csv", ".xlsx", "/kit")) or address == "/events"
            if verb != "GET" or role not in entry.who or skipped or address.startswith("/api/"):
                continue
            page.goto(url + filled(address + entry.query, ours, address), wait_until="load")
            ran = [n for frame in page.frames for n in frame.evaluate("window.ran || []")]
            assert ran == [], (route, [PAYLOADS[n] for n in ran])
            assert page.url.startswith(url), (route, page.url)
            opened.append("xss(" in page.content())
        context.close()

    assert sum(opened) >= {"elder": 2, "family": 2}.get(role, 8), "the pages show what was written"
