"""A gateway as it runs, with every secret that it can have, after a lively morning: where none of them may lie."""

import contextlib
import json
import re
import stat
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from live_brokers import Device, eventually
from test_watchdog_live import free_port
from typer.testing import CliRunner

from gateway.broker import endpoint
from gateway.cli import app

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(180)]

CHOSEN = {
    "what signs webhooks": "hook-5ecret-of-both-of-us",
    "what opens the figures of the machine": "metrics-t0ken-of-prometheus",
    "the SMS provider's key": "aliyun-acce55-secret",
    "the mail server's password": "post-office-passw0rd",
}
"""What a person chose and wrote into the settings, whose file is theirs to keep closed."""

SETTINGS = """
state = "state"
[web]
port = {port}
metrics = "metrics-t0ken-of-prometheus"
[broker]
port = 0
[channels.webhook]
secret = "hook-5ecret-of-both-of-us"
[channels.aliyun_sms]
access_key = "LTAI5tAliyunKeyId"
access_secret = "aliyun-acce55-secret"
template = "SMS_1"
sign_name = "守望"
[channels.email]
host = "127.0.0.1"
sender = "shouwang@example.org"
security = "tls"
port = 1
username = "shouwang"
password = "post-office-passw0rd"
"""
PASSWORD = "a long enough password of ma"
EXAMPLE = Path(__file__).parents[2] / "examples" / "neighbourhood.toml"


class Provider:
    """Refuses every message and says in its refusal all that it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                provider.told.append(body)
                self.send_response(400)
                self.end_headers()
                self.wfile.write(f"I do not want {body} with {self.headers}".encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Practice:
    """The settings, the files and the processes of one gateway, and what must stay closed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state, self.port = folder, folder / "state", free_port()
        self.config, self.log = folder / "shouwang.toml", folder / "run.log"
        self.config.write_text(SETTINGS.format(port=self.port))
        self.closed = dict(CHOSEN)
        self.shown = ""
        self.processes: list[str] = []

    def command(self, *words: str) -> str:
        ran = CliRunner().invoke(app, [*words, "--config", str(self.config), "--state", str(self.state)])
        assert ran.exit_code == 0, f"{ran.output}{ran.exception}"
        return ran.output

    def morning(self, provider: Provider) -> None:
        """Registered, started, set up, signed in, guessed at, pressed, refused, looked through, backed up."""
        table = self.folder / "neighbourhood.toml"
        hook = f"http://127.0.0.1:{provider.server.server_address[1]}"
        table.write_text(EXAMPLE.read_text(encoding="utf-8").replace("https://example.org", hook), encoding="utf-8")
        self.command("homes", "import", str(table))
        self.closed["a hub's secret"] = re.search(r"password (\S+)", self.command("hubs", "secret", "hub-7f3a"))[1]
        self.closed["a token of another program"] = self.command(
            "token", "make", "city", "--right", "homes:read"
        ).split()[0]
        self.closed["what sets up"] = self.command("link").strip().rpartition("/")[2]
        with self.log.open("wb") as log:
            words = [sys.executable, "-m", "gateway.cli", "run", "--config", str(self.config)]
            child = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder)
        try:
            eventually(lambda: b"pages are up" in self.log.read_bytes(), within_s=60)
            self._visited(hook)
            self._pressed(provider)
            self.processes = [self._seen(pid) for pid in family_of(child.pid)]
            self.command("backup", "--to", str(self.folder / "backups"))
        finally:
            child.terminate()
            child.wait(30)

    def _visited(self, hook: str) -> None:
        base = f"http://127.0.0.1:{self.port}"
        with httpx.Client(base_url=base, headers={"origin": base, "sec-fetch-site": "same-origin"}) as browser:
            chosen = {"name": "ma", "password": PASSWORD, "again": PASSWORD}
            assert browser.post(f"/setup/{self.closed['what sets up']}", data=chosen).status_code == 303
            (session,) = [cookie.value for cookie in browser.cookies.jar if "session" in cookie.name]
            self.closed |= {"a session": session, "a password": PASSWORD}
            for path in ("/", "/homes/wang", "/administration", "/nothing", "/healthz", "/a/nobody.made-this"):
                self.shown += browser.get(path).text
            self.shown += browser.post("/login", data={"login": "ma", "password": PASSWORD}).text
            self.shown += browser.get("/api/v1/homes", headers={"authorization": "Bearer nonsense"}).text
            asked = {"authorization": f"Bearer {self.closed['a token of another program']}"}
            self.shown += httpx.get(f"{base}/api/v1/homes", headers=asked).text
            self.shown += httpx.post(f"{base}/in/aliyun_sms/nonsense", content=b"[]").text

    def _pressed(self, provider: Provider) -> None:
        us = endpoint(self.state)
        self.closed["what the gateway says to its broker"] = us.password
        guess = Device(replace(us, username="hub-7f3a", password="a wrong guess at a hub"))
        assert not guess.accepted
        guess.client.loop_stop()
        with Device(replace(us, username="hub-7f3a", password=self.closed["a hub's secret"])) as hub:
            hub.say("shouwang/hub-7f3a/plain/sos/new-button", '{"kind":"sos"}')
            eventually(lambda: any("/a/" in told for told in provider.told))
        letters = [json.loads(told) for told in provider.told]
        self.closed["a one-tap link"] = next(
            found[1] for letter in letters if (found := re.search(r"/a/([^\s\"]{20,})", json.dumps(letter)))
        )
        time.sleep(0.5)  # until the refusal stands in the log

    @staticmethod
    def _seen(pid: int) -> str:
        """What anybody on this machine can see of a process, and what only its user can is really his alone."""
        about = Path(f"/proc/{pid}")
        assert stat.S_IMODE((about / "environ").stat().st_mode) & 0o077 == 0
        return " ".join((about / name).read_text(errors="replace") for name in ("cmdline", "comm", "status"))


def family_of(pid: int) -> list[int]:
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(one for child in children for one in family_of(child))]


@pytest.fixture(scope="module")
def practice(tmp_path_factory) -> Iterator[Practice]:
    made, provider = Practice(tmp_path_factory.mktemp("practice")), Provider()
    try:
        made.morning(provider)
        yield made
    finally:
        provider.server.shutdown()


def is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def lies_in(folder: Path) -> dict[Path, tuple[bool, str]]:
    """Of each file whether others may read it, and what it says. What a store needs while it is open goes with it."""
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                found[path] = (is_open(path), path.read_bytes().decode("latin-1"))
    return found


def stray(practice: Practice, text: str, but: tuple[str, ...] = ()) -> list[str]:
    return [what for what, secret in practice.closed.items() if secret in text and what not in but]


def test_none_stands_in_the_log(practice):
    log = practice.log.read_text()

    assert len(practice.closed) >= 11 and '"event": "undeliverable"' in log, "the morning was lively"
    assert stray(practice, log) == []
    assert stray(practice, practice.shown) == []


def test_none_is_seen_by_whoever_lists_the_processes(practice):
    assert len(practice.processes) >= 3, "supervisor, broker and gateway"
    assert stray(practice, "\n".join(practice.processes)) == []


def test_only_what_must_be_shown_again_is_kept_and_for_its_own_user_alone(practice):
    """Sessions, passwords, tokens and hubs' secrets are kept as hashes; the broker's is needed at each connection."""
    files = lies_in(practice.state)

    assert {path.name for path in files} >= {"gateway.db", "readings.db", "page.secret"}
    for path, (_, text) in files.items():
        assert stray(practice, text, ("what the gateway says to its broker",)) == [], path
    folders = [practice.state, *(path for path in practice.state.rglob("*") if path.is_dir())]
    assert [path for path in folders if is_open(path)] == []
    # What the broker makes by itself lies behind a folder that is shut.
    opened = [path for path, (is_open_to_others, _) in files.items() if is_open_to_others]
    assert [path for path in opened if practice.state / "broker" not in path.parents] == []


def test_a_backup_is_for_its_own_user_alone_and_holds_no_more_than_the_state(practice):
    (made,) = (practice.folder / "backups").iterdir()

    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with tarfile.open(made) as archive:
        for member in archive:
            held = archive.extractfile(member)
            text = held.read().decode("latin-1") if held else ""
            assert stray(practice, text, ("what the gateway says to its broker",)) == [], member.name


def test_a_fresh_gateway_has_no_password_but_those_it_drew_itself(practice):
    """No account before the one-time link, nobody at the broker but ourselves, and no two installations alike."""
    assert len(practice.closed["what the gateway says to its broker"]) >= 22, "128 bits at least"
    assert len(practice.closed["a hub's secret"]) >= 22
    assert len((practice.state / "page.secret").read_bytes()) == 32
