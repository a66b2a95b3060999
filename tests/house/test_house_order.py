"""The project around the code: locks, licence, scripts, changelog, and nothing of the machine it was written on."""

import json
import re
import subprocess

import pytest
from the_house import PACKAGES, ROOT, files, project, texts

# Written in parts, so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.~*}>])/(?:" + "|".join(["work", "tmp", "root", "farm"]) + r")/")
REGISTRY_HOSTS = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmmirror", "com"))
]
LOCKS = [path for path in files() if path.suffix == ".lock" or path.name == "package-lock.json"]


def scripts() -> list:
    """Everything that is meant to be started by its name: it has a first line that says by what."""
    found = []
    for path in files():
        with path.open("rb") as file:
            if file.read(2) == b"#!":
                found.append(pytest.param(path, id=str(path.relative_to(ROOT))))
    return found


def test_no_file_knows_the_machine_it_was_written_on():
    assert [str(path) for path, text in texts() if MACHINE_PATHS.search(text)] == []


def test_no_file_names_a_registry():
    assert [str(path) for path, text in texts() if any(host in text for host in REGISTRY_HOSTS)] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_locks_hold_no_addresses(path):
    # npm keeps the addresses of sponsors too; where a package comes from it calls "resolved".
    address = '"resolved"' if path.suffix == ".json" else "://"

    assert address not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "requirements-deploy.lock", "requirements-setup.lock"]
)
def test_every_locked_package_has_a_hash(name):
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip())

    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[\s<>=!~;\[]", requirement)[0] for requirement in requirements]


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


def test_the_locks_hold_what_the_project_asks_for():
    table = project()
    run, everything = locked("requirements.lock"), locked("requirements-dev.lock")

    assert [name for name in names(table["project"]["dependencies"]) if name not in run] == []
    assert [name for name in names(table["dependency-groups"]["dev"]) if name not in everything] == []


def test_program_and_tests_run_the_same_versions():
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()
    assert locked("requirements.lock").items() <= locked("requirements-deploy.lock").items()


def test_every_dependency_is_explained():
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    table = project()
    asked = names(table["project"]["dependencies"]) + names(table["dependency-groups"]["dev"])

    assert [name for name in asked if f"| `{name}` |" not in page] == []


def test_the_changelog_is_open():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.search(r"^## \[Unreleased\]$", changelog, re.MULTILINE)


def test_the_licence_is_the_one_we_name():
    first_lines = (ROOT / "LICENSE").read_text(encoding="utf-8").split(maxsplit=4)

    assert project()["project"]["license"] == "Apache-2.0"
    assert first_lines[:4] == ["Apache", "License", "Version", "2.0,"]


def test_the_packages_are_the_ones_we_ship():
    shipped = project()["tool"]["setuptools"]["packages"]["find"]["include"]

    assert shipped == [f"{package}*" for package in PACKAGES]


@pytest.mark.parametrize("path", scripts())
def test_scripts_can_be_started(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert path.stat().st_mode & 0o111, "a file with a #! line wants to be executable"
    if "bash" in first or first.endswith("/sh"):
        subprocess.run(["bash", "-n", path], check=True)


@pytest.mark.parametrize("name", ["run", "test", "check", "setup"])
def test_the_scripts_stand_where_the_readme_says(name):
    assert (ROOT / "scripts" / name).stat().st_mode & 0o111


def test_json_files_are_json():
    for path in files():
        if path.suffix in {".json", ".webmanifest"}:
            json.loads(path.read_text(encoding="utf-8"))


def test_test_files_have_unique_names():
    seen: dict[str, str] = {}
    for path in files():
        inside = path.relative_to(ROOT)
        if inside.parts[0] == "tests" and path.name.startswith("test_"):
            assert seen.setdefault(path.name, str(inside)) == str(inside), "pytest imports tests by their file name"
