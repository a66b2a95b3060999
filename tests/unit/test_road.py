"""Somebody sets the clock of the machine; what nobody lived through is no silence of a hub. And what is worked on while
the disk writes is settled when the disk has it, no sooner and once."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pytest
from test_pipeline import Gateway

from gateway.pipeline import SLICE
from gateway.ports import Batch, Message
from gateway.road import MANY, Listening, Road
from gateway.stores.memory import MemoryReadings

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


# ------------------------------------------------------------------ beside the disk


ASKED = MANY // SLICE - 1
"""How often the source is asked for presses during such a batch."""


class SlowDisk(MemoryReadings):
    """It writes when it is told to, or when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: Writing | None = None

    def commit_beside(self, batch: Batch) -> Future[None]:
        assert self.under_way is None or self.under_way.done(), "one after the other"
        self.under_way = Writing(lambda: self.commit(batch))
        return self.under_way


class Writing(Future[None]):
    def __init__(self, write: Callable[[], None]) -> None:
        super().__init__()
        self._write = write

    def end(self) -> None:
        try:
            self.set_result(self._write())
        except OSError as full:
            self.set_exception(full)

    def result(self, timeout: float | None = None) -> None:
        if not self.done():
            self.end()
        return super().result(timeout)


class Town:
    """A broker with batches that lie ready, a disk that takes its time, and a diary of both."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self.disk = self.gateway.readings = SlowDisk()
        self.gateway.start()
        self.diary: list[object] = []
        self.batches: list[list[Message]] = []
        self.between: list[Callable[[], Sequence[Message]]] = []  # what happens after each slice of a batch
        self.road = Road(self, self.gateway.pipeline, self)
        self.says("the first tick", 1)

    def now(self) -> datetime:
        return self.gateway.now

    def listening_since(self) -> datetime:
        return self.gateway.now

    def says(self, batch: int | str, count: int) -> None:
        """So many messages, of which each changes something."""
        told = []
        for number in range(count):
            self.gateway.now += SECOND
            said = self.gateway.message("pir", kind="motion", value=(number + 1) % 2)
            told.append(said._replace(receipt=(batch, number)))
        self.batches.append(told)

    def poll(self, wait: timedelta) -> Sequence[Message]:
        if self.batches:
            return self.batches.pop(0)
        self.diary.append(("nothing lies ready", 0, wait.total_seconds()))
        self.road.stop()
        return []

    def presses(self) -> Sequence[Message]:
        return self.between.pop(0)() if self.between else ()

    def settle(self, messages: Iterable[Message]) -> None:
        numbers = [message.receipt[0] for message in messages]
        stored = len(self.disk.readings("h1", NOW - 365 * DAY, NOW + 365 * DAY))
        self.diary += [(batch, numbers.count(batch), stored) for batch in dict.fromkeys(numbers)]


@pytest.fixture
def town() -> Town:
    return Town()


def test_what_is_worked_on_while_the_disk_writes_is_settled_when_it_is_durable(town):
    town.says(1, MANY)
    town.says(2, MANY)
    town.says(3, MANY)

    town.road.run()

    batch, settled, stored = zip(*[line for line in town.diary if line[0] != "nothing lies ready"], strict=True)
    assert batch == ("the first tick", 1, 2, 3), "in their order and once"
    assert settled == (1, MANY, MANY, MANY)
    assert stored == (1, MANY + 1, 2 * MANY + 1, 3 * MANY + 1), "each when its own readings were there"


def test_what_the_disk_has_is_settled_in_the_midst_of_the_next_batch(town):
    def now_the_disk_has_it() -> Sequence[Message]:
        town.disk.under_way.end()
        return ()

    town.says(1, MANY)
    town.says(2, MANY)
    town.between = [tuple] * ASKED + [tuple, now_the_disk_has_it, lambda: town.diary.append("later") or ()]

    town.road.run()

    assert town.diary[1:3] == [(1, MANY, MANY + 1), "later"]


def test_who_calls_for_help_meanwhile_is_heard_before_the_disk_is_done(town):
    def a_press() -> Sequence[Message]:
        return [town.gateway.message("sos/cord", kind="sos")._replace(receipt=("press", 0))]

    def told() -> Sequence[Message]:
        town.diary.append(("told", town.gateway.told(), town.disk.under_way.done()))
        return ()

    town.says(1, MANY)
    town.says(2, MANY)
    town.between = [tuple] * ASKED + [a_press, told]

    town.road.run()

    assert town.diary[1] == ("told", [("sos", 1)], False)
    (stored,) = [stored for what, _, stored in town.diary[2:] if what == "press"]
    assert stored > 2 * MANY + 1, "settled with the batch in which it came"


def test_when_nothing_more_lies_ready_the_disk_is_waited_for(town):
    town.says(1, MANY)

    town.road.run()

    assert town.diary[1:] == [("nothing lies ready", 0, 0), (1, MANY, MANY + 1)]


def test_a_disk_that_refuses_a_batch_brings_the_road_down_and_nothing_is_settled_or_kept(town):
    def refuse(batch: Batch) -> None:
        raise OSError("no space left on device")

    commit = town.disk.commit
    town.disk.commit = lambda batch: refuse(batch) if len(batch.readings) >= MANY else commit(batch)
    town.says(1, MANY)
    town.says(2, MANY)

    with pytest.raises(OSError, match="no space left"):
        town.road.run()

    assert town.diary == [("the first tick", 1, 1)]
    with pytest.raises(OSError, match="no space left"):
        town.gateway.pipeline.keep_all()
    assert [kept.arrival for kept in town.disk.checkpoints()] == [1], "what knows of it is not written either"
