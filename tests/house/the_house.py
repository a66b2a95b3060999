"""How the rules look at the house: its files, its modules and what they import."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "ingest", "detectors", "alerts", "dashboard", "simulators")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project: what git holds or would hold; without git, what is not hidden or built."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        hidden = ("build", "dist", "state", "node_modules", "test-artifacts")
        listed = [
            str(path.relative_to(ROOT))
            for path in ROOT.rglob("*")
            if not any(part in hidden or part.startswith(".") for part in path.relative_to(ROOT).parts)
        ]
    return tuple(sorted(ROOT / name for name in listed if name and (ROOT / name).is_file()))


def texts() -> Iterator[tuple[Path, str]]:
    """Every file that people can read, and what it says."""
    for path in files():
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def documents() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, of the program itself."""
    found = {}
    for path in files():
        inside = path.relative_to(ROOT)
        if path.suffix == ".py" and inside.parts[0] in PACKAGES:
            dotted = ".".join(inside.with_suffix("").parts)
            found[dotted.removesuffix(".__init__")] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(module: str) -> Iterator[str]:
    """What a module imports, lazily or not; `from a import b` gives `a.b` where that is a module, else `a`."""
    for node in ast.walk(tree(modules()[module])):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            assert node.level == 0, f"{module} imports relatively; we write whole names"
            for name in node.names:
                whole = f"{base}.{name.name}"
                yield whole if whole in modules() else base


def within(name: str, roots: tuple[str, ...] | frozenset[str] | set[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
