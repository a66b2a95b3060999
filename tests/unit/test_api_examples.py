"""Every example of docs/api.md, run as it stands there, one after the other, against the pages on a loopback port."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from test_handling_pages import PICTURE
from test_privacy_pages import Bureau
from the_workings import Inside

from dashboard.keys import Right, make_token

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```(sh|py|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(tmp_path):
    """A gateway's pages with a home in which somebody has pressed, as the document tells it."""
    rig = Bureau(more={"photos": tmp_path, "workings": Inside().workings()})
    (tmp_path / "floor.jpg").write_bytes(PICTURE)
    for home in ("h1", "h2"):
        rig.hear(home, minutes_ago=8)
    rig.press("h1")
    _, secret = make_token(rig.accounts, rig.clock.now(), "city-platform", tuple(Right), "1101", 30, "chief")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(rig.app, log_level="error", lifespan="off"))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        serving.start()
        while not server.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        yield {**os.environ, "SHOUWANG": address, "TOKEN": secret, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        server.should_exit = True
        serving.join()


def same_shape(shown, given, at="the answer"):
    """What the document shows is what comes: the same names, and the same values where they are words of ours."""
    assert type(shown) is type(given) or shown is None or given is None, at
    if isinstance(shown, dict):
        assert shown.keys() == given.keys(), at
        for name in shown:
            same_shape(shown[name], given[name], f"{at}.{name}")
    elif isinstance(shown, list):
        for one, other in zip(shown, given, strict=False):
            same_shape(one, other, f"{at}[]")
    elif isinstance(shown, str) and not at.endswith((".next", ".at", ".detail", ".heard")):
        assert shown == given, at


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_every_example_runs_and_answers_as_it_is_shown(environment, tmp_path, monkeypatch):
    for name in ("SHOUWANG", "TOKEN", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, environment[name])
    room, said, ran = {}, "", 0

    for language, text in BLOCK.findall(DOCUMENT.read_text()):
        if language == "sh":
            done = subprocess.run(
                ["bash", "-euc", text],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
            said = done.stdout
            if "curl" in text:
                assert isinstance(json.loads(said), dict), text
        elif language == "json":
            same_shape(json.loads(text), json.loads(said))
        else:
            exec(compile(text, str(DOCUMENT), "exec"), room)
        ran += 1

    assert ran > 12
    room["shouwang"].close()
