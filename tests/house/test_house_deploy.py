"""What stands in `deploy/` speaks of settings, files and readings that there are."""

import json
import re

import pytest
import yaml
from the_house import ROOT

from gateway.config import load, understood
from gateway.domain import Kind

DEPLOY = ROOT / "deploy"


def written(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def test_every_setting_named_there_is_one(monkeypatch):
    known = {name for name, _, _ in understood(load())}
    named = re.findall(r"SHOUWANG_([A-Z_]+)", written("compose.yaml") + written("env.example") + written("Dockerfile"))

    assert len(named) > 10
    assert {name.lower().replace("__", ".") for name in named} - known == set()


def test_what_compose_mounts_waits_for_and_keeps_is_there():
    """But for the folder of the certificate, which is made on site, as it says."""
    compose = yaml.safe_load(written("compose.yaml"))
    for name, service in compose["services"].items():
        assert set(service.get("depends_on", ())) <= compose["services"].keys()
        for mounted in service.get("volumes", ()):
            source = mounted.split(":")[0]
            there = (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"]
            assert there or source == "./tls", f"{name}: {source}"


def test_every_secret_that_compose_fills_in_is_asked_for():
    asked = set(re.findall(r"\$\{([A-Z_]+)", written("compose.yaml")))

    assert asked <= set(re.findall(r"^([A-Z_]+)=", written("env.example"), re.MULTILINE))


def test_no_secret_is_chosen_for_anybody():
    for line in written("env.example").splitlines():
        name, _, value = line.partition("=")
        assert not (re.search("PASSWORD|TOKEN|SECRET", name) and value), f"{name} has a default"


def test_the_image_is_made_of_files_that_are_here():
    copied = re.findall(r"^COPY (?!--from)(.+) \./?$", written("Dockerfile"), re.MULTILINE)

    assert copied
    for names in copied:
        for name in names.split():
            assert (ROOT / name).exists(), name


def test_the_gateway_is_nobody_special_in_its_container():
    assert "\nUSER shouwang\n" in written("Dockerfile")
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"):
        assert line in written("compose.yaml")


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("grafana/dashboards/*.json")), ids=lambda path: path.name)
def test_a_board_asks_for_readings_that_there_are(path):
    asked = re.findall(r'FROM \\"(\w+)\\"', path.read_text(encoding="utf-8"))

    assert asked
    assert set(asked) <= {kind.value for kind in Kind}
    assert {
        target["datasource"]["uid"] for panel in json.loads(path.read_text())["panels"] for target in panel["targets"]
    } == {"readings"}
