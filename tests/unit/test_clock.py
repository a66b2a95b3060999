"""A machine without a battery for its clock comes up in 1970, and the homes must not notice."""

from datetime import UTC, datetime, timedelta

from gateway.clock import SystemClock

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Machine:
    """Its clock may be set; what has elapsed only grows."""

    def __init__(self, says: datetime) -> None:
        self.says, self.elapsed = says, 1000.0
        self.clock = SystemClock(lambda: self.says, lambda: self.elapsed)

    def passes(self, span: timedelta) -> None:
        self.says, self.elapsed = self.says + span, self.elapsed + span.total_seconds()


def test_a_clock_that_knows_the_time_is_believed_forward_and_back():
    machine = Machine(NOW)
    heard = [machine.clock.now()]
    for says in (NOW + HOUR, NOW - HOUR):
        machine.says = says
        heard.append(machine.clock.now())

    assert heard == [NOW, NOW + HOUR, NOW - HOUR]


def test_a_clock_that_falls_back_to_1970_goes_on_where_it_was():
    machine = Machine(NOW)
    machine.clock.now()
    machine.says = LONG_AGO
    machine.passes(MINUTE)

    assert machine.clock.now() == NOW + MINUTE
    assert not machine.clock.has_forgotten()


def test_a_machine_that_begins_in_1970_goes_on_from_what_was_lived_last():
    machine = Machine(LONG_AGO)
    assert machine.clock.has_forgotten()

    machine.clock.go_on_from(NOW)
    machine.passes(MINUTE)

    assert machine.clock.now() == NOW + MINUTE


def test_once_it_knows_the_time_again_that_holds():
    machine = Machine(LONG_AGO)
    machine.clock.go_on_from(NOW)
    machine.says = NOW + HOUR

    assert machine.clock.now() == NOW + HOUR
