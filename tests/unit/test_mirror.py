"""The mirror by itself: an hour without its server, and what a reading looks like there."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gateway.domain import Kind, Reading
from gateway.mirror import AT_ONCE, PAUSE_S, Mirror, how_it_is
from gateway.ports import Batch
from gateway.stores import readings as readings_module
from gateway.stores.influx import TryAgain, line_of
from gateway.stores.memory import MemoryReadings
from gateway.stores.readings import SqliteReadings

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)


class SetClock:
    def __init__(self) -> None:
        self.at = EIGHT

    def now(self) -> datetime:
        return self.at


class Server:
    """Away between two moments; keeps what it said yes to, and loses the yes now and then."""

    def __init__(self, clock: SetClock, away: tuple[datetime, datetime], seed: int = 1) -> None:
        self.clock, self.away, self.dice = clock, away, random.Random(seed)
        self.kept: set[str] = set()
        self.asked: list[datetime] = []

    def write(self, lines):
        self.asked.append(self.clock.at)
        if self.away[0] <= self.clock.at < self.away[1]:
            raise TryAgain("ConnectionRefusedError")
        self.kept.update(lines)
        if self.dice.random() < 0.2:
            raise TryAgain("ReadTimeoutError")
        return []


def a_reading(number: int, at: datetime = EIGHT, **more: object) -> Reading:
    given = {"home": f"h{number % 7}", "sensor": "pir", "room": "bed", "kind": Kind.MOTION, "value": 1.0} | more
    return Reading(at=at, heard=at, arrival=number, **given)


def tell(store, numbers, at=EIGHT):
    batch = Batch()
    batch.readings.extend(a_reading(number, at) for number in numbers)
    store.commit(batch)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_an_hour_without_the_server_under_load_loses_nothing(kind, tmp_path):
    store = MemoryReadings() if kind == "memory" else SqliteReadings(tmp_path / "readings.db")
    clock = SetClock()
    server = Server(clock, (EIGHT + timedelta(minutes=10), EIGHT + timedelta(minutes=70)))
    mirror = Mirror(store, server, clock, tmp_path)
    told = 0

    def wait(seconds: float) -> bool:
        """Time passes: five readings a second arrive, and every minute everybody's checkpoint is newer."""
        nonlocal told
        before, clock.at = clock.at, clock.at + timedelta(seconds=max(seconds, 5.0))
        count = int((clock.at - EIGHT).total_seconds() * 5) - told
        if clock.at < EIGHT + timedelta(minutes=90):
            tell(store, range(told + 1, told + 1 + count), clock.at)
            told += count
        if before.minute != clock.at.minute:
            store.keep([], told)
        return clock.at > EIGHT + timedelta(hours=2)

    mirror.run(wait)

    assert told > 25_000
    assert server.kept == {line_of(reading) for reading in store.replay(0)}
    assert len(server.kept) == told
    away = [at for at in server.asked if server.away[0] <= at < server.away[1]]
    assert len(away) < 90, "who is away is not asked every second"
    assert max(later - earlier for earlier, later in pairwise(away)) <= timedelta(seconds=PAUSE_S[1])


def test_what_waits_lies_handy_until_it_was_taken(tmp_path):
    """With checkpoints newer than all of it a start needs it no more; the mirror still does."""
    store = SqliteReadings(tmp_path / "readings.db")
    store.mirror(0)
    tell(store, range(1, 101))

    store.keep([], 100)
    assert [reading.arrival for reading in store.replay(0)] == [*range(1, 101)]
    store.mirror(60)
    tell(store, range(101, 103))
    store.keep([], 102)

    assert [reading.arrival for reading in store.replay(60)] == [*range(61, 103)]


def test_a_mirror_that_is_away_for_ever_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(readings_module, "WAITING_LIMIT", 200)
    store = SqliteReadings(tmp_path / "readings.db")
    store.mirror(0)

    for first in range(1, 2_001, 10):
        tell(store, range(first, first + 10))

    waiting = store._writer.execute("select sum(readings) from recent").fetchone()[0]
    assert waiting <= 210
    assert [reading.arrival for reading in store.replay(0)] == [*range(1, 2_001)], "the rows themselves are there"


def test_a_long_way_back_is_looked_up_once(tmp_path):
    class Counting(MemoryReadings):
        replays = 0

        def replay(self, after=0, home=None):
            self.replays += 1
            return super().replay(after, home)

    store, clock = Counting(), SetClock()
    tell(store, range(1, 3 * AT_ONCE + 2))
    server = Server(clock, (EIGHT + timedelta(days=1),) * 2, seed=3)
    server.dice.random = lambda: 1.0
    mirror = Mirror(store, server, clock, tmp_path)

    while mirror.step():
        pass

    assert store.replays == 1
    assert len(server.kept) == 3 * AT_ONCE + 1


def test_it_says_how_it_is(tmp_path):
    store, clock = MemoryReadings(), SetClock()
    tell(store, range(1, 11))
    mirror = Mirror(store, Server(clock, (EIGHT, EIGHT + timedelta(hours=1))), clock, tmp_path)
    assert how_it_is(tmp_path, EIGHT) is None

    mirror.run(lambda seconds: True)

    told = how_it_is(tmp_path, EIGHT + timedelta(seconds=5))
    assert told["behind"] == 10
    assert told["trouble"] == "ConnectionRefusedError"
    assert told["since"] == EIGHT.isoformat()
    assert told["age_s"] == 5.0


@pytest.mark.parametrize(
    ("reading", "line"),
    [
        (a_reading(7), "motion,home=h0,sensor=pir,room=bed value=1.0 1772438400000000007"),
        (a_reading(1_000_007), "motion,home=h1,sensor=pir,room=bed value=1.0 1772438400000000007"),
        (a_reading(7, room=""), "motion,home=h0,sensor=pir value=1.0 1772438400000000007"),
        (
            a_reading(7, room="客厅 1,a=b\\", late=True, kind=Kind.WATER, value=1.25),
            "water,home=h0,sensor=pir,room=客厅\\ 1\\,a\\=b/ value=1.25,late=true 1772438400000000007",
        ),
    ],
)
def test_a_reading_as_a_line(reading, line):
    assert line_of(reading) == line


def test_no_line_names_a_person():
    assert "li-si" not in line_of(a_reading(1, subject="li-si"))
