"""Starts scripts/run as a stranger would, waits for the simulated button press, accepts and resolves it, waits until
it rings for the one who fell silent, and stops.

Needs nothing but the standard library. Everything listens on this machine only, on free ports, with its state in a
temporary folder; at the end no process may be left.
"""

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from html import unescape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UP_WITHIN_S = 300  # the first start makes .venv and plays 28 days of history
RINGS_WITHIN_S = 180
STOPS_WITHIN_S = 30


class Failed(Exception):
    """The walk did not see what it should have seen."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, within_s: float, look: Callable[[], str | None]) -> str:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.5)
    raise Failed(f"{what}: not seen within {within_s} s")


class Browser:
    """A very small one: cookies, forms, and the origin that every browser sends with a form."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        ).open

    def get(self, path: str) -> str:
        return self._read(urllib.request.Request(self.base + path))

    def post(self, path: str, **fields: str) -> str:
        body = urllib.parse.urlencode(fields).encode()
        return self._read(urllib.request.Request(self.base + path, body, {"Origin": self.base}))

    def _read(self, request: urllib.request.Request) -> str:
        try:
            with self._open(request, timeout=15) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}\n{error.read().decode(errors='replace')}"


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return unescape(found[1]) if found else ""


def ringing_emergency(phones: str) -> str | None:
    """The link in a ringing message that speaks of an emergency."""
    for message in re.findall(r"<li [^>]*\brings\b.*?</li>", phones, re.DOTALL):
        link = re.search(r'href="(/a/[^"]+)"', message)
        if link and "紧急" in message:
            return unescape(link[1])
    return None


def rings_for_the_silent(said: list[str], homes: str) -> str | None:
    """What the list of homes says of whoever was said to fall silent, when that rings."""
    who = next((found[1] for line in said if (found := re.search(r"(\S+) 太久没有动静", line))), None)
    ringing = re.findall(r'<article class="ring.*?</article>', homes, re.DOTALL)
    return next((one for one in ringing if who and who in one), None)


def walk(address: str, said: list[str]) -> None:
    base, _, path = address.partition("/enter/")
    browser = Browser(base)

    homes = browser.post(f"/enter/{path}")
    if homes.count("/homes/") < 12:
        raise Failed(f"the list of homes does not show twelve homes:\n{homes[:2000]}")
    print("walk: the entrance opens, twelve homes are listed")

    link = wait_for("a ringing phone", RINGS_WITHIN_S, lambda: ringing_emergency(browser.get("/phone/")))
    print("walk: a button was pressed, and a phone rings")

    form = f'action="{link}/resolve"'
    page = browser.get(link)
    page = browser.post(f"{link}/accept", csrf=hidden(page, "csrf"))
    if form not in page:
        raise Failed(f"the alert could not be accepted:\n{page[:2000]}")
    if ringing_emergency(browser.get("/phone/")):
        raise Failed("a phone still rings for an alert that was accepted")
    print("walk: accepted, and no phone rings for it any more")

    without = browser.post(f"{link}/resolve", csrf=hidden(page, "csrf"))
    if form not in without and not without.startswith("HTTP 4"):
        raise Failed("the alert could be resolved without an outcome")
    page = browser.post(f"{link}/resolve", csrf=hidden(page, "csrf"), outcome="accidental-press")
    if page.startswith("HTTP") or form in browser.get(link):
        raise Failed(f"the alert could not be resolved:\n{page[:2000]}")
    print("walk: not resolved without an outcome, resolved with one")

    wait_for("the silence", RINGS_WITHIN_S, lambda: rings_for_the_silent(said, browser.get("/")))
    print("walk: and it rings for the one who has been silent for too long")


def left_in_session(session: int) -> list[str]:
    """Processes of the session that we started: field 4 after the name, in /proc/<pid>/stat, is the session."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                left.append(f"{stat.parent.name} {(stat.parent / 'cmdline').read_text().replace(chr(0), ' ').strip()}")
        except OSError:
            continue  # it ended while we looked
    return left


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="shouwang-walk-") as folder:
        command = [ROOT / "scripts" / "run", "--state", f"{folder}/state"]
        command += ["--port", str(free_port()), "--mqtt-port", str(free_port())]
        demo = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=(Path(folder) / "stderr").open("wb"),
            text=True,
            start_new_session=True,
        )
        said: list[str] = []
        assert demo.stdout is not None
        listener = threading.Thread(target=lambda: said.extend(iter(demo.stdout.readline, "")), daemon=True)
        listener.start()

        def address() -> str | None:
            if demo.poll() is not None:
                raise Failed(f"scripts/run ended with {demo.returncode}")
            return next((found[0] for line in said if (found := re.search(r"http://\S+/enter/\S+", line))), None)

        try:
            walk(wait_for("the printed address", UP_WITHIN_S, address), said)
            problem = ""
        except (Failed, OSError) as error:
            problem = str(error)
        demo.send_signal(signal.SIGTERM)
        try:
            demo.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            problem += f"\nit did not stop within {STOPS_WITHIN_S} s of SIGTERM"
        left = left_in_session(demo.pid)
        for line in left:
            os.kill(int(line.split()[0]), signal.SIGKILL)
        if left:
            problem += "\nprocesses were left: " + "; ".join(left)
        if problem:
            print(f"walk: FAILED: {problem}\n--- it said:\n{''.join(said)}", file=sys.stderr)
            print((Path(folder) / "stderr").read_text(errors="replace")[-6000:], file=sys.stderr)
            return 1
    print("walk: stopped, and no process is left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
