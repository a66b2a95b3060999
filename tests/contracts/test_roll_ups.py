"""What every store of readings keeps of the hours: the same sums, in whatever order and however late readings came."""

import random
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain import VITALS, Kind, Reading
from gateway.ports import Batch, Checkpoint, Hour
from gateway.stores import SUMMED_UP, memory
from gateway.stores import readings as file
from gateway.stores.readings import SqliteReadings

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
WHOLE = (MIDNIGHT - timedelta(days=9), MIDNIGHT + timedelta(days=9))
KINDS = (Kind.MOTION, Kind.BATTERY, Kind.LINK)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "readings.db"


@pytest.fixture(params=["memory", "sqlite"])
def store(request, path):
    made = memory.MemoryReadings() if request.param == "memory" else SqliteReadings(path)
    yield made
    made.close()


def told(arrival: int, at: datetime, kind: Kind = Kind.MOTION, value: float = 1.0, **changes) -> Reading:
    named = {"home": "h1", "sensor": "kitchen", "room": "kitchen", **changes}
    return Reading(kind=kind, value=value, at=at, heard=at + timedelta(milliseconds=9), arrival=arrival, **named)


def a_few_days(seed: int, homes: int = 3, readings: int = 400) -> list[Reading]:
    """In the order of their arrival, which is not the order in which they happened; the last of each home is old."""
    chance, found = random.Random(seed), []
    for number in range(1, readings + 1):
        at = MIDNIGHT + timedelta(seconds=chance.randrange(3 * 86_400))
        kind = chance.choice(KINDS)
        value = float(chance.randrange(2)) if kind is Kind.MOTION else round(chance.uniform(1, 200), 1)
        named = {"home": f"h{chance.randrange(homes)}", "sensor": chance.choice(("kitchen", "bath"))}
        found.append(told(number, at, kind, value, **named))
    return [*found, *(told(readings + 1 + n, MIDNIGHT - timedelta(days=6), home=f"h{n}") for n in range(homes))]


def summed(readings: list[Reading], home: str) -> list[Hour]:
    """The sums as one would make them by hand."""
    values: dict[tuple[datetime, str, Kind], list[float]] = {}
    for one in readings:
        if one.home == home and one.kind in SUMMED_UP:
            hour = one.at.replace(minute=0, second=0, microsecond=0)
            values.setdefault((hour, one.sensor, one.kind), []).append(one.value)
    return [
        Hour(sensor, kind, hour, len(some), pytest.approx(sum(some)), min(some), max(some))
        for (hour, sensor, kind), some in sorted(values.items())
    ]


def assert_all_summed(store, readings: list[Reading]) -> None:
    for home in {one.home for one in readings}:
        assert store.hours(home, *WHOLE, KINDS) == summed(readings, home)


def test_an_hour_is_summed_up(store):
    store.commit(
        Batch(
            readings=[
                told(1, MIDNIGHT, Kind.LINK, 80),
                told(2, MIDNIGHT + timedelta(minutes=59, seconds=59), Kind.LINK, 100),
                told(3, MIDNIGHT + timedelta(hours=1), Kind.LINK, 60),
                told(4, MIDNIGHT, Kind.ALIVE),
            ]
        )
    )
    store.roll_up()

    first, second = store.hours("h1", *WHOLE, [Kind.LINK, Kind.ALIVE])
    assert first == Hour("kitchen", Kind.LINK, MIDNIGHT, 2, 180, 80, 100)
    assert first.mean == 90
    assert second.begins == MIDNIGHT + timedelta(hours=1)
    assert store.hours("h1", *WHOLE, [Kind.ALIVE]) == [], "that a device lives is no measurement"


def test_everything_that_is_measured_on_a_person_is_summed_up(store):
    vitals = sorted(VITALS)
    store.commit(Batch(readings=[told(n, MIDNIGHT, kind, 37.5) for n, kind in enumerate(vitals, 1)]))
    store.roll_up()

    assert {hour.kind for hour in store.hours("h1", *WHOLE, vitals)} == VITALS


def test_only_what_was_asked_for(store):
    readings = a_few_days(5)
    store.commit(Batch(readings=readings))
    store.roll_up()

    since, until = MIDNIGHT + timedelta(hours=3, minutes=20), MIDNIGHT + timedelta(hours=30)
    found = store.hours("h1", since, until, [Kind.BATTERY], "bath")

    wanted = [h for h in summed(readings, "h1") if h.kind is Kind.BATTERY and h.sensor == "bath"]
    assert found == [h for h in wanted if since <= h.begins < until]
    assert found
    assert store.hours("nobody", *WHOLE, KINDS) == []


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_late_and_told_twice_gives_the_same_sums(store, seed):
    """The sums are made again and again while readings come in; at the end they are those of all of it."""
    readings, chance = a_few_days(seed), random.Random(seed)
    begin = 0
    while begin < len(readings):
        piece = readings[begin : begin + chance.randrange(1, 60)]
        begin += len(piece)
        chance.shuffle(piece)
        store.commit(Batch(readings=piece))
        if chance.random() < 0.6:
            store.roll_up()
    store.commit(Batch(readings=chance.sample(readings, 50)))
    store.commit(Batch(readings=readings))
    store.roll_up()

    assert_all_summed(store, readings)


# ------------------------------------------------------------------ the file


def test_what_is_let_go_while_nobody_sums_up_is_summed_from_the_rows(path):
    """A program that was started without the house-keeping has swept; the next one makes it all again, once."""
    readings = a_few_days(1)
    before = SqliteReadings(path)
    for one in readings:
        before.commit(Batch(readings=[one]))
    before.keep([Checkpoint("h1", 380, b"")], settled=380)
    before.close()

    store = SqliteReadings(path)
    store.roll_up()
    assert_all_summed(store, readings)
    store.close()


def test_what_is_not_summed_up_yet_is_not_let_go(path):
    store, readings = SqliteReadings(path), a_few_days(2)
    store.roll_up()
    for one in readings:
        store.commit(Batch(readings=[one]))
    store.keep([], settled=10_000)
    assert packed(path) == len(readings)

    store.roll_up()
    store.keep([], settled=10_000)
    assert packed(path) == 1, "the newest stays, so that no number comes again"
    assert_all_summed(store, readings)

    late = told(999, MIDNIGHT + timedelta(minutes=1), home="h0")
    store.commit(Batch(readings=[late]))
    store.roll_up()
    assert_all_summed(store, [*readings, late])
    store.close()


def test_when_too_much_is_packed_it_is_let_go_all_the_same_and_made_again(path, monkeypatch):
    monkeypatch.setattr(file, "RECENT_LIMIT", 20)
    store, readings = SqliteReadings(path), a_few_days(3)
    store.roll_up()
    for one in readings:
        store.commit(Batch(readings=[one]))
    assert packed(path) <= 20

    store.roll_up()
    assert_all_summed(store, readings)
    store.close()


def test_the_sums_are_made_again_by_forgetting_them(path):
    store, readings = SqliteReadings(path), a_few_days(4)
    store.commit(Batch(readings=readings))
    store.roll_up()
    with sqlite3.connect(path) as db:
        db.execute("delete from hour")
        db.execute("insert or replace into mark values ('unsummed', 1)")
    store.roll_up()
    assert_all_summed(store, readings)
    store.close()


def test_sums_outlive_the_rows(path):
    store, readings = SqliteReadings(path), a_few_days(6)
    store.commit(Batch(readings=readings))
    store.roll_up()
    with sqlite3.connect(path) as db:
        db.execute("delete from reading where at < ?", [int(MIDNIGHT.timestamp() * 1000) + 86_400_000])
    store.commit(Batch(readings=[told(9_999, MIDNIGHT + timedelta(days=2))]))
    store.roll_up()
    assert store.hours("h0", MIDNIGHT, MIDNIGHT + timedelta(days=1), KINDS) == [
        hour for hour in summed(readings, "h0") if MIDNIGHT <= hour.begins < MIDNIGHT + timedelta(days=1)
    ]
    store.close()


def test_a_file_of_the_format_before_gets_its_sums(path):
    store, readings = SqliteReadings(path), a_few_days(7)
    store.commit(Batch(readings=readings))
    store.roll_up()  # has all laid in where the older program looks
    store.close()
    with sqlite3.connect(path) as db:
        for later in ("view every_reading", "table fresh", "table hour"):
            db.execute(f"drop {later}")
        db.execute("delete from mark where name in ('summed', 'unsummed')")
        db.execute("pragma user_version = 2")

    store = SqliteReadings(path)
    store.roll_up()
    assert_all_summed(store, readings)
    store.close()


def packed(path) -> int:
    with sqlite3.connect(path) as db:
        return db.execute("select coalesce(sum(readings), 0) from recent").fetchone()[0]


def test_each_home_may_have_a_time_of_its_own(store):
    day = MIDNIGHT + timedelta(days=2)
    said = [
        told(n, at, home=home)
        for n, (home, at) in enumerate(
            [(h, MIDNIGHT + timedelta(days=d)) for h in ("h1", "h2", "h3") for d in range(4)]
        )
    ]
    store.commit(Batch(readings=said))

    gone = store.expire(day, {"h1": MIDNIGHT + timedelta(days=3), "h2": MIDNIGHT})

    assert dict(gone) == {"h1": 3, "h3": 2}
    assert [len(store.readings(home, *WHOLE)) for home in ("h1", "h2", "h3")] == [1, 4, 2]
