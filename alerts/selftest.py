"""The monthly test of an emergency button: announced by a person, it calls nobody. Pure.

A real call must never be taken for a test, so only the first press of an announced button counts as one, within
minutes, and what is pressed a minute later is as real as ever.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gateway.domain import ButtonTest, Finding, Override

KEY = "button_test"
"""The key of the plan's line; its value names the buttons that are to be pressed, separated by commas."""

WINDOW = timedelta(minutes=10)
LONGEST = timedelta(minutes=30)
"""Whatever the line says, a window is open for no longer."""

SAME_TEST = timedelta(seconds=60)
"""Whoever tries a button out presses it twice; after this a press is meant."""

EVERY = timedelta(days=31)
"""How often each button, and each way to a responder, is to be proven."""

PRESSES = frozenset({"sos", "assist"})


def announced_in(plan: Iterable[Override], now: datetime) -> Override | None:
    """The test that is announced at this moment."""
    lines = [line for line in plan if line.key == KEY and line.since <= now < ends(line)]
    return lines[-1] if lines else None


def ends(line: Override) -> datetime:
    longest = line.since + LONGEST
    return longest if line.until is None else min(line.until, longest)


def is_test(finding: Finding, line: Override | None, tests: Iterable[ButtonTest]) -> bool:
    """Whether this press is the one that was announced. One that came late is real: it was made before, or got lost."""
    sensor = finding.fact("sensor")
    if line is None or finding.code not in PRESSES or sensor not in line.value.split(","):
        return False
    if finding.fact("late_s") or not line.since <= finding.since < ends(line):
        return False
    done = [test.at for test in tests if test.sensor == sensor and test.at >= line.since]
    return not done or finding.since - min(done) <= SAME_TEST
