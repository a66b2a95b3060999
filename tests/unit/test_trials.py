"""The table of seeded homes: every rule stands in it, and what is tried is counted right."""

from collections import Counter
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import Refused
from gateway.trials import ALARMS, TRIALS, hazards, table
from simulators.trials import Lived, Tried

MINUTE = timedelta(minutes=1)


def test_whoever_calls_for_help_is_heard_at_once_and_a_try_out_calls_nobody():
    lived = hazards(1)

    assert [one.incident for one in lived.tried] == list(ALARMS)
    assert {one.after for one in lived.tried} == {timedelta()}
    assert not lived.false
    assert lived == hazards(1)


def test_the_table_says_what_was_found_what_was_missed_and_what_was_told_for_nothing():
    afters = [None, *(n * MINUTE for n in range(1, 11))]
    homes = [Lived([Tried("fell", "bath_dwell", after)], 30, ("bath_dwell", "wandering")) for after in afters]
    homes[0].false = Counter({"bath_dwell": 2})

    told = list(table(homes))

    assert told[2:] == [
        "| `bath_dwell` | fell | 11 | 10 | 1 | 6 min | 10 min | 2 in 330 days |",
        "| `wandering` |  |  |  |  |  |  | 0 in 330 days |",
    ]


def test_the_command_prints_it():
    ran = CliRunner().invoke(app, ["evaluate", "simulated", "--only", "hazards", "--homes", "1"])

    assert ran.exit_code == 0, ran.output
    assert "| `assist` | presses the second key for help | 1 | 1 | 0 | 0 s | 0 s |" in ran.output
    assert "| `gas` | gas | 1 | 1 | 0 |" in ran.output


def test_a_trial_that_does_not_exist_is_refused_with_those_that_do():
    ran = CliRunner().invoke(app, ["evaluate", "simulated", "--only", "weather"])

    assert isinstance(ran.exception, Refused)
    assert all(name in str(ran.exception) for name in TRIALS)


@pytest.mark.parametrize("name", sorted(TRIALS.keys() - {"hazards", "rooms", "falls", "decline", "water"}))
def test_one_home_of_each_quick_kind_lives_the_same_twice(name):
    lived = TRIALS[name].run(0)

    assert lived.tried
    assert lived == TRIALS[name].run(0)
