"""What `scripts/audit` makes of an index's answer: a weakness ends a change only where the gateway runs with it."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "scripts" / "audit"


@pytest.fixture(scope="module")
def audit():
    spec = spec_from_loader("audit", SourceFileLoader("audit", str(PATH)))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WELL = {"vulns": []}
WEAK = {"vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.0"]}]}
AWAY = {"skip_reason": "Dependency not found on PyPI and could not be audited"}


def test_a_weakness_of_what_the_gateway_runs_with_is_a_fault(audit):
    told, code = audit.judged({"httpx 0.28": WEAK}, {"httpx 0.28": WEAK, "pytest 9": WELL})

    assert code == 1
    assert told[0] == "WEAK: httpx 0.28: PYSEC-2026-1 (mended in 2.0); the gateway runs with it"


def test_one_of_a_tool_is_told(audit):
    told, code = audit.judged({"httpx 0.28": WELL}, {"pytest 9": WEAK})

    assert code == 0
    assert "tests and tools use it" in told[0]


def test_one_that_was_looked_at_is_told_with_the_reason(audit, monkeypatch):
    monkeypatch.setitem(audit.ACCEPTED, "PYSEC-2026-1", "its server part is not used")

    told, code = audit.judged({"httpx 0.28": WEAK}, {})

    assert (code, told[0]) == (0, "accepted: httpx 0.28: PYSEC-2026-1: its server part is not used")


@pytest.mark.parametrize("answers", [{}, {"httpx 0.28": AWAY, "pytest 9": AWAY}], ids=["nothing", "without weaknesses"])
def test_an_index_that_knows_nothing_is_never_taken_for_a_good_answer(audit, answers):
    told, code = audit.judged(answers, {})

    assert code == 0
    assert told[0].startswith("SKIPPED") and told[-1] == "0 packages were asked about"


def test_what_could_not_be_asked_is_named(audit):
    told, _ = audit.judged({"httpx 0.28": WELL, "paho-mqtt 2.1": AWAY}, {})

    assert told == ["SKIPPED for 1 of 2: paho-mqtt 2.1", "1 packages were asked about"]
