"""Rules of the code that no formatter knows."""

import ast
import re
from collections.abc import Iterator

import pytest
from the_house import modules, texts, tree

ASKS_THE_TIME = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
}
MAY_ASK_THE_TIME = {"gateway.clock"}
MAY_CONTAIN_ANYTHING = {"detectors.watch", "alerts.courier"}  # the two bulkheads
EVERYTHING = {"Exception", "BaseException"}
NAMES_NOBODY_NEEDS = {"utils", "util", "core", "common", "manager", "helpers", "misc", "base_classes"}


def dotted(node: ast.expr) -> str:
    """`datetime.datetime.now` -> "datetime.now": the last two names, which is how people read it."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    return ".".join(reversed(names[:2]))


def questions_to_the_clock(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and dotted(node) in ASKS_THE_TIME:
            yield f"line {node.lineno}: {dotted(node)}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for name in node.names:
                if f"time.{name.name}" in ASKS_THE_TIME:
                    yield f"line {node.lineno}: from time import {name.name}"


def broad_handlers(module: ast.Module) -> Iterator[str]:
    """Handlers that swallow everything. One that ends with a bare `raise` only tidies up, and hides nothing."""
    for node in ast.walk(module):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            is_broad = any(kind is None or dotted(kind) in EVERYTHING for kind in caught)
            last = node.body[-1]
            if is_broad and not (isinstance(last, ast.Raise) and last.exc is None):
                yield f"line {node.lineno}"
        if isinstance(node, ast.Call) and dotted(node.func) in {"suppress", "contextlib.suppress"}:
            yield from (f"line {node.lineno}" for argument in node.args if dotted(argument) in EVERYTHING)


@pytest.mark.parametrize("module", sorted(modules().keys() - MAY_ASK_THE_TIME))
def test_time_is_an_argument(module):
    assert list(questions_to_the_clock(tree(modules()[module]))) == [], "only gateway/clock.py asks the time"


@pytest.mark.parametrize("module", sorted(modules().keys() - MAY_CONTAIN_ANYTHING))
def test_only_the_bulkheads_catch_everything(module):
    assert list(broad_handlers(tree(modules()[module]))) == [], "catch what you expect; let the rest fall"


@pytest.mark.parametrize("module", sorted(MAY_CONTAIN_ANYTHING))
def test_a_bulkhead_says_what_it_keeps_from_sinking(module):
    lines = modules()[module].read_text(encoding="utf-8").splitlines()
    numbers = [int(place.removeprefix("line ")) for place in broad_handlers(tree(modules()[module]))]

    assert numbers, "a bulkhead that contains nothing can go"
    assert [number for number in numbers if "# bulkhead: " not in lines[number - 1]] == []


@pytest.mark.parametrize("module", sorted(modules()))
def test_an_assertion_only_tells_the_type_checker_what_is_there(module):
    for node in ast.walk(tree(modules()[module])):
        if isinstance(node, ast.Assert):
            told = isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], ast.IsNot)
            assert told, f"line {node.lineno}: the gateway runs without assertions (-OO); raise what is to be refused"


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_module_says_what_it_is_for(module):
    file = tree(modules()[module])

    assert not file.body or ast.get_docstring(file), f"{module} has no docstring"


def test_nothing_is_a_drawer_for_everything():
    parts = {part for module in modules() for part in module.split(".")}

    assert parts & NAMES_NOBODY_NEEDS == set()


def test_nothing_is_left_for_later():
    # Written in parts, so that this file does not find itself.
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")

    found = [
        str(path) for path, text in texts() if path.suffix in {".py", ".html", ".js", ".css"} and marks.search(text)
    ]

    assert found == []
