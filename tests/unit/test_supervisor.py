"""The supervisor over real, small children: what falls is started again, and nothing outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gateway import supervisor

Start = Callable[[str], "subprocess.Popen[str]"]

DIARY = (
    "import os, signal, sys, time; say = lambda word: print(word, os.getpid(), file=open({diary!r}, 'a'), flush=True);"
)


def eventually(true: Callable[[], object], within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary"


@pytest.fixture
def start(tmp_path: Path, diary: Path) -> Iterator[Start]:
    """Supervise a gateway that is a line of Python; `say(word)` writes it into the diary with the process id."""
    started = []

    def supervise(gateway: str) -> "subprocess.Popen[str]":
        code = DIARY.format(diary=str(diary)) + gateway
        command = [sys.executable, "-m", "gateway.supervisor", "--state", str(tmp_path), "--no-broker"]
        child = subprocess.Popen([*command, "--", sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield supervise
    for child in started:
        child.kill()
        child.communicate()


def said(diary: Path) -> list[tuple[str, int]]:
    lines = diary.read_text().splitlines() if diary.exists() else []
    return [(word, int(pid)) for word, pid in (line.split() for line in lines)]


def test_a_gateway_that_falls_is_started_again(start: Start, diary: Path) -> None:
    above = start("say('up'); sys.exit(3)")

    eventually(lambda: len(said(diary)) >= 3)

    above.terminate()
    _, log = above.communicate(timeout=20)
    assert above.returncode == 0
    assert "it ended with code 3. Starting it again in" in log


def test_a_gateway_that_is_killed_is_started_again(start: Start, diary: Path) -> None:
    above = start("say('up'); time.sleep(600)")
    eventually(lambda: said(diary))
    os.kill(said(diary)[0][1], signal.SIGKILL)

    eventually(lambda: len(said(diary)) == 2)

    above.terminate()
    assert "it was ended by SIGKILL" in above.communicate(timeout=20)[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_stop_it_lets_the_gateway_finish(start: Start, diary: Path, how: signal.Signals) -> None:
    above = start(
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), say('settled'), sys.exit(0)));"
        "say('up'); time.sleep(600)"
    )
    eventually(lambda: said(diary))

    above.send_signal(how)
    above.communicate(timeout=20)

    assert above.returncode == 0
    assert [word for word, _ in said(diary)] == ["up", "settled"]


def test_its_own_death_ends_the_gateway(start: Start, diary: Path) -> None:
    above = start("signal.signal(signal.SIGTERM, signal.SIG_IGN); say('up'); time.sleep(600)")
    eventually(lambda: said(diary))
    gateway = said(diary)[0][1]

    above.kill()
    above.communicate(timeout=20)

    eventually(lambda: not lives(gateway))


def test_the_gateway_hears_signals(start: Start, diary: Path) -> None:
    """The supervisor blocks signals for itself; a child that inherited that could never be asked to stop."""
    start("say('blocked' if signal.pthread_sigmask(signal.SIG_BLOCK, []) else 'open'); time.sleep(600)")

    eventually(lambda: said(diary))

    assert said(diary)[0][0] == "open"


class Clock:
    """In the place of `time`, as far as the supervisor asks it."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(supervisor, "time", clock)
    return clock


@pytest.mark.parametrize("pause_s", [supervisor.BROKER_PAUSE_S, supervisor.PAUSE_S], ids=["broker", "gateway"])
@pytest.mark.parametrize("code", [1, -signal.SIGKILL], ids=["ended", "killed"])
def test_who_falls_in_each_start_waits_longer_each_time_and_for_a_second_at_most(
    pause_s: tuple[float, float], code: int, clock: Clock
) -> None:
    starts: list[float] = []
    ward = supervisor._Ward("ward", lambda: starts.append(clock.now), lambda: code, 1.0, pause_s)
    for _ in range(8):
        ward.look(clock.now)
        clock.now = ward.due
        ward.look(clock.now)

    waits = [after - before for before, after in pairwise([1000.0, *starts])]
    assert waits == pytest.approx([0.2, 0.4, 0.8, *[pause_s[1]] * 5])
    assert pause_s[1] <= 1.0


def test_who_is_killed_after_it_has_run_for_longer_than_the_pause_is_started_at_once_however_often(
    clock: Clock,
) -> None:
    starts: list[float] = []
    ward = supervisor._Ward("gateway", lambda: starts.append(clock.now), lambda: -signal.SIGKILL)
    falls = [1001.5, 1003.0, 1004.5, 1006.0, 1007.5]
    for clock.now in falls:
        ward.look(clock.now)

    assert starts == falls


def test_who_is_killed_in_the_middle_of_its_start_waits_for_the_rest_of_the_pause(clock: Clock) -> None:
    starts: list[float] = []
    ward = supervisor._Ward("gateway", lambda: starts.append(clock.now), lambda: -signal.SIGKILL, 10.0, (1.0, 1.0))
    clock.now += 0.25
    ward.look(clock.now)

    assert not starts
    assert ward.due == 1001.0


def test_who_ended_by_itself_is_not_started_again_at_once_however_long_it_had_run(clock: Clock) -> None:
    starts: list[float] = []
    ward = supervisor._Ward("gateway", lambda: starts.append(clock.now), lambda: 1)
    clock.now += 5.0
    ward.look(clock.now)

    assert not starts
    assert ward.due > clock.now


def test_a_start_that_is_refused_is_tried_again_after_the_pause(clock: Clock) -> None:
    tried: list[float] = []

    def start() -> None:
        tried.append(clock.now)
        raise OSError("the port is taken")

    ward = supervisor._Ward("broker", start, lambda: 1, 1.0, supervisor.BROKER_PAUSE_S)
    for _ in range(4):
        ward.look(clock.now)
        clock.now = ward.due

    assert [after - before for before, after in pairwise(tried)] == pytest.approx([0.4, 0.8])


def test_why_a_broker_does_not_start_is_said_once_and_again_when_it_is_something_else(caplog) -> None:
    reasons = ["the port is taken", "the port is taken", "the disk can only be read", "", "the disk can only be read"]
    left = list(reversed(reasons))

    def start() -> None:
        if why := left.pop():
            raise OSError(why)

    broker = supervisor._Ward("broker", start, lambda: 1, 1.0, supervisor.BROKER_PAUSE_S)
    now = broker._since
    while left:
        broker.look(now)
        now += 1

    said = [record.getMessage() for record in caplog.records if "does not start" in record.getMessage()]
    assert [text.rpartition(": ")[2] for text in said] == [
        "the port is taken",
        "the disk can only be read",
        "the disk can only be read",
    ]


def test_what_only_a_person_can_repair_is_not_tried_again(start: Start, diary: Path) -> None:
    above = start(f"say('up'); sys.exit({supervisor.MISCONFIGURED})")

    _, log = above.communicate(timeout=20)

    assert above.returncode == supervisor.MISCONFIGURED
    assert "cannot run as it is configured" in log
    assert len(said(diary)) == 1


def test_it_stays_small() -> None:
    """It lives as long as the machine and does nothing: it must not carry a web server about with it."""
    heavy = ["fastapi", "sqlalchemy", "paho", "uvicorn", "httpx", "jinja2", "msgspec", "typer", "pydantic", "asyncio"]
    heavy += ["dataclasses", "inspect", "shutil", "ssl"]
    asked = f"import sys, gateway.supervisor; print([name for name in {heavy} if name in sys.modules])"

    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout == "[]\n"
