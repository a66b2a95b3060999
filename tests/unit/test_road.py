"""Somebody sets the clock of the machine; what nobody lived through is no silence of a hub."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.road import Listening

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


class Machine:
    """A source, a clock that may be set, and time, which only goes on."""

    def __init__(self) -> None:
        self.says, self.elapsed = NOW, 1000.0
        self.granted: datetime | None = NOW
        self.listening = Listening(self, lambda: self.elapsed)

    def listening_since(self) -> datetime | None:
        return self.granted

    def passes(self, span: timedelta, *, set_by: timedelta = timedelta(0)) -> datetime | None:
        self.says, self.elapsed = self.says + span + set_by, self.elapsed + span.total_seconds()
        return self.listening.since(self.says)


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.passes(SECOND)
    return machine


@pytest.mark.parametrize("by", [DAY, -DAY, 2 * MINUTE])
def test_when_the_clock_was_set_we_listen_since_then(machine, by):
    set_at = machine.passes(SECOND, set_by=by)

    assert set_at == NOW + 2 * SECOND + by
    assert machine.passes(MINUTE) == set_at


def test_a_machine_that_stood_still_was_not_set(machine):
    assert machine.passes(10 * MINUTE) == NOW


def test_a_clock_that_is_put_right_little_by_little_was_not_set(machine):
    for _ in range(300):
        machine.passes(SECOND, set_by=SECOND)

    assert machine.listening.since(machine.says) == NOW


def test_who_hears_again_afterwards_listens_since_that(machine):
    machine.passes(SECOND, set_by=DAY)

    machine.granted = None
    assert machine.passes(MINUTE) is None

    machine.granted = machine.says
    assert machine.passes(MINUTE) == machine.granted
