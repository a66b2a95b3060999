"""The units of systemd: whole as systemd reads them and shut as far as it can judge; and how we speak to it."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import Refused, load
from gateway.pulse import tell_systemd

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
EXPOSED_AT_MOST = 2.0  # of 10

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze comes with systemd, which is not here"
)


@pytest.fixture(params=UNITS, ids=lambda path: path.stem)
def unit(request, tmp_path) -> Path:
    """A copy whose program exists on this machine."""
    for path in UNITS:
        words = path.read_text(encoding="utf-8").replace("/opt/shouwang/.venv/bin/shouwang", "/bin/true")
        (tmp_path / path.name).write_text(words, encoding="utf-8")
    return tmp_path / request.param.name


@needs_systemd
def test_systemd_finds_nothing_wrong_with_it(unit):
    said = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)

    assert (said.returncode, said.stderr.strip()) == (0, "")


@needs_systemd
def test_little_of_the_machine_is_exposed_to_it(unit):
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", unit], capture_output=True, text=True, timeout=60
    )
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)

    assert level is not None, said.stdout + said.stderr
    assert float(level[1]) <= EXPOSED_AT_MOST


def test_what_it_starts_is_a_command_of_ours():
    from typer.main import get_command

    for path in UNITS:
        _, name, *options = re.search(r"^ExecStart=(.+)$", path.read_text(), re.MULTILINE)[1].split()
        command = get_command(app).commands[name]
        known = {word for parameter in command.params for word in parameter.opts}
        assert {option for option in options if option.startswith("--")} <= known


class Became(Exception):
    """This process would be another program from here on."""


def run_alone(part, config, monkeypatch):
    def become(path, words):
        raise Became(words)

    monkeypatch.setattr(os, "execv", become)
    monkeypatch.setenv("SHOUWANG_STATE", str(config.parent / "state"))
    CliRunner().invoke(app, ["run", "--only", part, "--config", str(config)], catch_exceptions=False)


def test_the_mirror_runs_alone_too(tmp_path, monkeypatch):
    """Neither the broker's unit nor the gateway's starts one."""
    config = tmp_path / "shouwang.toml"
    config.write_text('[influx]\nurl = "http://127.0.0.1:8086"\n', encoding="utf-8")

    with pytest.raises(Became) as became:
        run_alone("mirror", config, monkeypatch)

    (words,) = became.value.args
    assert words[0] == sys.executable and words[-4:] == ["-m", "gateway.mirror", "--config", str(config)]


def test_where_nothing_is_mirrored_its_unit_says_so(tmp_path, monkeypatch):
    config = tmp_path / "shouwang.toml"
    config.write_text("", encoding="utf-8")

    with pytest.raises(Refused, match="nothing to mirror to"):
        run_alone("mirror", config, monkeypatch)


def test_it_is_told_in_its_own_way_and_nobody_is_told_elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_systemd("READY=1")

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_systemd("READY=1", "STATUS=up")

        assert systemd.recv(100) == b"READY=1\nSTATUS=up"


def test_secrets_come_from_the_credentials_of_the_service_and_win(tmp_path, monkeypatch):
    (tmp_path / "shouwang.toml").write_text('[web]\nport = 8081\n[broker]\nurl = "mqtt://one:wrong@broker.test"\n')
    (tmp_path / "secrets.toml").write_text('[broker]\nurl = "mqtt://one:right@broker.test"\n')
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for name in ("SHOUWANG_BROKER__URL", "SHOUWANG_WEB__PORT"):
        monkeypatch.delenv(name, raising=False)

    settings = load(tmp_path / "shouwang.toml")

    assert (settings.web.port, settings.broker.url.get_secret_value()) == (8081, "mqtt://one:right@broker.test")
