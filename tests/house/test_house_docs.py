"""What the documents say is true: everything that can be named has its place there, and every example works."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from the_house import ROOT, documents, texts, tree

MOMENT = datetime(2026, 11, 1, 8, tzinfo=UTC)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[str]:
    without_blocks = FENCE.sub("", text)
    return [line for line in without_blocks.splitlines() if re.match(r"#{1,6} ", line)]


def headings_of_docs() -> str:
    pages = [path for path in documents() if path.is_relative_to(ROOT / "docs")]
    return "\n".join(line for path in pages for line in headings(path.read_text(encoding="utf-8")))


def blocks(language: str) -> list:
    found = []
    for path in documents():
        for number, match in enumerate(FENCE.finditer(path.read_text(encoding="utf-8")), 1):
            if match[1] == language:
                found.append(pytest.param(match[2], id=f"{path.relative_to(ROOT)}:{number}"))
    return found


def detectors() -> list[str]:
    from detectors import DETECTORS

    return list(DETECTORS)


def decoders() -> list[str]:
    from ingest.decoders import DECODERS

    return list(DECODERS)


def channels() -> list[str]:
    from alerts.channels import CHANNELS

    return list(CHANNELS)


def commands() -> list[str]:
    from typer.main import get_command

    from gateway.cli import app

    def walk(command, prefix):
        for name, below in getattr(command, "commands", {}).items():
            whole = f"{prefix} {name}"
            yield from walk(below, whole) if getattr(below, "commands", None) else [whole]

    return list(walk(get_command(app), "shouwang"))


@pytest.mark.parametrize("what", [detectors, decoders, channels, commands])
def test_everything_has_its_heading(what):
    in_headings = headings_of_docs()

    missing = [name for name in what() if f"`{name}`" not in in_headings]

    assert missing == [], f"no heading in docs/ names these {what.__name__}"


def test_every_setting_has_its_row_with_its_default(monkeypatch):
    from gateway.config import load, understood

    for name in [name for name in os.environ if name.startswith("SHOUWANG_")]:
        monkeypatch.delenv(name)
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| (?:`([^`]*)`|–) \|", page, re.MULTILINE)

    assert dict(rows) == {name: value for name, value, _ in understood(load())}


@pytest.mark.parametrize("block", blocks("python"))
def test_python_in_documents_runs(block, tmp_path):
    script = tmp_path / "block.py"
    script.write_text(block, encoding="utf-8")

    ran = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr


def load_example(text: str, tmp_path: Path) -> None:
    """As settings, or as a sheet of homes where it has a table that only those have."""
    from gateway.config import load
    from gateway.registry import Registry
    from gateway.stores.memory import MemoryRegistry

    values = tomllib.loads(text)
    if values.keys() & {"areas", "grids", "people", "homes"}:
        Registry(MemoryRegistry(), hash_secret=lambda secret: "$2a$").import_sheet(text, who="test", now=MOMENT)
    else:
        (tmp_path / "shouwang.toml").write_text(text, encoding="utf-8")
        load(tmp_path / "shouwang.toml")


@pytest.mark.parametrize("block", blocks("toml"))
def test_toml_in_documents_loads(block, tmp_path):
    load_example(block, tmp_path)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.name)
def test_examples_load(path, tmp_path):
    load_example(path.read_text(encoding="utf-8"), tmp_path)


def test_commented_settings_of_the_example_are_settings(tmp_path):
    example = (ROOT / "examples" / "shouwang.toml").read_text(encoding="utf-8")

    load_example(re.sub(r"^# (\w+ = )", r"\1", example, flags=re.MULTILINE), tmp_path)


def test_the_tables_of_devices_are_what_the_decoders_declare():
    from ingest.decoders.sheet import renewed

    page = (ROOT / "docs" / "devices.md").read_text(encoding="utf-8")

    assert page == renewed(page), "run scripts/devices"


def relative_links() -> list:
    found = []
    for path in documents():
        text = FENCE.sub("", path.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'(?:src|href)="([^"#]+)"', text):
            if not re.match(r"[a-z]+:", target):
                found.append(pytest.param(path, target, id=f"{path.relative_to(ROOT)}→{target}"))
    return found


@pytest.mark.parametrize(("path", "target"), relative_links())
def test_links_lead_somewhere(path, target):
    assert (path.parent / target).exists()


def test_documents_that_are_named_exist():
    named = {(path, name) for path, text in texts() for name in re.findall(r"\bdocs/[a-z0-9/-]+\.md\b", text)}

    assert sorted(f"{path}: {name}" for path, name in named if not (ROOT / name).is_file()) == []


def test_promises_name_tests_that_exist():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    tests = {
        function.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert sorted(set(re.findall(r"`(test_\w+)`", page)) - tests) == []


def test_the_chinese_readme_is_a_twin():
    english = (ROOT / "README.md").read_text(encoding="utf-8")
    chinese = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")

    def depths(text):
        return [line.split(" ")[0] for line in headings(text)]

    def code(text):
        return [match[0] for match in FENCE.finditer(text) if match[1] != "text"]

    assert depths(chinese) == depths(english)
    assert code(chinese) == code(english)
    assert "README.zh-CN.md" in english and "README.md" in chinese
