"""What every store of readings keeps: each reading once, in its order, and nothing lost that was said to be kept."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import gateway
from gateway.domain import Condition, Gap, Kind, Power, Reading
from gateway.ports import Batch, Checkpoint, Expose, HubDevice, Quarantined
from gateway.stores import WrongBook
from gateway.stores import readings as file
from gateway.stores.memory import readings as memory
from gateway.stores.readings import SqliteReadings

MORNING = datetime(2026, 11, 21, 0, 5, 0, 123_000, UTC)
NAIVE = datetime(2026, 11, 21, 8, 5)  # noqa: DTZ001  (it is the naivety that is examined)
FOREVER = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))


def after(seconds: float) -> datetime:
    return MORNING + timedelta(seconds=seconds)


def moved(arrival: int, at: float = 0, home="h1", **changes) -> Reading:
    """Somebody moved, that many seconds after the morning began."""
    reading = Reading(
        home=home,
        sensor="motion-kitchen",
        room="kitchen",
        kind=Kind.MOTION,
        value=1.0,
        at=after(at),
        heard=after(at) + timedelta(milliseconds=20),
        arrival=arrival,
    )
    return replace(reading, **changes)


def commit(store, *readings: Reading, **more) -> None:
    store.commit(Batch(readings=list(readings), **more))


def arrivals(readings) -> list[int]:
    return [reading.arrival for reading in readings]


# ------------------------------------------------------------------ what is written comes back


def test_a_reading_comes_back_as_it_was(readings):
    told = [
        moved(1),
        moved(2, at=1, kind=Kind.TEMPERATURE, value=21.437, sensor="climate", room=""),
        moved(3, at=2, kind=Kind.SOS, seq=4_294_967_295, late=True, subject="wang", heard=after(9_000)),
        moved(4, at=3, kind=Kind.POWER, value=-0.5, heard=after(2.5)),  # its clock was ahead of ours
        moved(5, at=4, kind=Kind.WATER, value=1e300, seq=1),
    ]

    commit(readings, *told)

    assert readings.readings("h1", *FOREVER) == told
    assert list(readings.replay()) == told


def test_times_are_kept_to_the_millisecond_rounded_down(readings):
    commit(readings, moved(1, at=0.000999, heard=MORNING + timedelta(microseconds=2_001)))

    (kept,) = readings.readings("h1", *FOREVER)

    assert kept.at == MORNING
    assert kept.heard == MORNING + timedelta(milliseconds=2)


def test_a_moment_in_another_zone_is_the_same_moment(readings):
    shanghai = ZoneInfo("Asia/Shanghai")
    commit(readings, moved(1, at=0, heard=MORNING.astimezone(shanghai)))

    assert arrivals(readings.readings("h1", MORNING.astimezone(shanghai), after(1).astimezone(shanghai))) == [1]
    assert readings.readings("h1", *FOREVER)[0].heard == MORNING


def test_before_1970_there_were_moments_too(readings):
    commit(readings, moved(1, at=-2_000_000_000.5))

    assert readings.readings("h1", datetime(1960, 1, 1, tzinfo=UTC), MORNING) == [moved(1, at=-2_000_000_000.5)]


# ------------------------------------------------------------------ each reading once


def test_the_same_reading_heard_twice_is_kept_once(readings):
    press = moved(1, kind=Kind.SOS, seq=7)

    commit(readings, press, moved(2))
    commit(readings, replace(press, arrival=3, heard=after(60), late=True), moved(4))
    commit(readings, replace(press, arrival=5), replace(press, arrival=6), moved(7, at=1), moved(7, at=1))

    assert arrivals(readings.readings("h1", *FOREVER)) == [1, 2, 4, 7]
    assert readings.readings("h1", *FOREVER)[0] == press, "as it was told first"
    assert arrivals(readings.replay()) == [1, 2, 4, 7]
    assert readings.last_arrival() == 7


def test_what_happened_in_the_same_millisecond_is_told_apart(readings):
    commit(
        readings,
        moved(1),
        moved(2),
        moved(2, kind=Kind.BATTERY),
        moved(2, sensor="motion-hall"),
        moved(3, seq=1),
        moved(3, seq=2),
        moved(4, home="h2"),
    )

    assert len(readings.readings("h1", *FOREVER)) == 6
    assert len(readings.readings("h2", *FOREVER)) == 1


def test_a_devices_counter_is_never_taken_for_an_arrival(readings):
    commit(readings, moved(5), moved(6, seq=5))

    assert readings.readings("h1", *FOREVER) == [moved(5), moved(6, seq=5)]


# ------------------------------------------------------------------ asking


def test_a_span_begins_with_its_start_and_ends_before_its_end(readings):
    commit(readings, *(moved(number, at=number) for number in range(1, 6)))

    assert arrivals(readings.readings("h1", after(2), after(4))) == [2, 3]
    between = timedelta(microseconds=1)
    assert arrivals(readings.readings("h1", after(2) + between, after(4) + between)) == [3, 4]
    assert readings.readings("h2", *FOREVER) == []


def test_readings_are_told_in_the_order_in_which_they_happened(readings):
    commit(readings, moved(1, at=3), moved(2, at=1), moved(4, at=2, sensor="a"), moved(3, at=2, sensor="b"))

    assert arrivals(readings.readings("h1", *FOREVER)) == [2, 3, 4, 1]


def test_only_some_kinds(readings):
    commit(readings, moved(1), moved(2, kind=Kind.BATTERY), moved(3, kind=Kind.DOOR), moved(4, home="h2"))

    assert arrivals(readings.readings("h1", *FOREVER, kinds=[Kind.MOTION, Kind.DOOR])) == [1, 3]
    assert arrivals(readings.readings("h1", *FOREVER, kinds=iter([Kind.BATTERY]))) == [2]
    assert readings.readings("h1", *FOREVER, kinds=[]) == []
    assert readings.readings("h1", *FOREVER, kinds=[Kind.GAS]) == []


def test_the_newest_by_the_time_it_happened(readings):
    commit(readings, moved(1, at=9), moved(2, at=5), moved(3, at=9, sensor="b"), moved(4, at=99, kind=Kind.BATTERY))
    commit(readings, moved(5, at=50, home="h2"))

    assert arrivals(readings.newest("h1", [Kind.MOTION])) == [3]
    assert arrivals(readings.newest("h1", iter([Kind.MOTION, Kind.BATTERY]), limit=9)) == [4, 3, 1, 2]
    assert readings.newest("h1", [Kind.SOS]) == []
    assert readings.newest("unknown", [Kind.MOTION]) == []


# ------------------------------------------------------------------ replay


def test_replay_follows_the_arrivals(readings):
    commit(readings, moved(1, at=9), moved(3, at=1), moved(4, at=5, home="h2"))
    commit(readings, moved(6, at=2))
    commit(readings, moved(5, at=3), moved(7, at=4))

    assert arrivals(readings.replay()) == [1, 3, 4, 5, 6, 7]
    assert arrivals(readings.replay(after=3)) == [4, 5, 6, 7]
    assert arrivals(readings.replay(after=5)) == [6, 7]
    assert arrivals(readings.replay(after=7)) == []
    assert arrivals(readings.replay(after=1, home="h1")) == [3, 5, 6, 7]
    assert arrivals(readings.replay(home="h2")) == [4]
    assert arrivals(readings.replay(home="unknown")) == []


def test_an_urgent_message_committed_first_does_not_jump_the_queue(readings):
    commit(readings, moved(5, kind=Kind.SOS))
    commit(readings, *(moved(number, at=number) for number in (1, 2, 3, 4, 6)))
    commit(readings, moved(8, kind=Kind.SOS))
    commit(readings, moved(7))

    assert arrivals(readings.replay()) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_replay_is_whole_after_what_was_packed_has_been_let_go(readings):
    for number in range(1, 8):
        commit(readings, moved(number, at=10 - number))
    whole = list(readings.replay())

    readings.keep([], settled=3)
    commit(readings, moved(8, at=1))

    assert list(readings.replay()) == [*whole, moved(8, at=1)]
    assert list(readings.replay(after=2)) == [*whole[2:], moved(8, at=1)]
    assert list(readings.replay(after=3)) == [*whole[3:], moved(8, at=1)]
    assert list(readings.replay(after=5, home="h1")) == [*whole[5:], moved(8, at=1)]


def test_replay_goes_on_undisturbed_while_more_is_committed(readings):
    commit(readings, moved(1), moved(2))
    story = readings.replay()

    assert next(story).arrival == 1
    commit(readings, moved(3))
    readings.keep([], settled=3)

    assert arrivals(story) == [2]


def test_what_is_committed_beside_is_there_when_it_is_done(readings):
    first = readings.commit_beside(Batch(readings=[moved(1)], last_arrival=1))
    commit(readings, moved(1), moved(2))  # waits for the one before

    assert first.done()
    assert first.result() is None
    assert arrivals(readings.readings("h1", *FOREVER)) == [1, 2]
    assert readings.last_arrival() == 2


def test_arrivals_count_even_when_nothing_could_be_read(readings):
    assert readings.last_arrival() == 0

    commit(readings, last_arrival=4)
    assert readings.last_arrival() == 4

    commit(readings, moved(6), last_arrival=9)
    commit(readings, moved(8))
    assert readings.last_arrival() == 9

    commit(readings, moved(12))
    assert readings.last_arrival() == 12


# ------------------------------------------------------------------ checkpoints, hearing, devices


def test_a_checkpoint_replaces_the_one_before(readings):
    readings.keep([Checkpoint("h1", 5, b"old"), Checkpoint("h2", 5, b"\x00\xff")], settled=5)
    readings.keep([Checkpoint("h1", 8, b"new")], settled=5)

    assert sorted(readings.checkpoints(), key=lambda c: c.home) == [
        Checkpoint("h1", 8, b"new"),
        Checkpoint("h2", 5, b"\x00\xff"),
    ]
    assert readings.checkpoint("h1") == Checkpoint("h1", 8, b"new")
    assert readings.checkpoint("nobody") is None


def test_how_devices_are_is_written_with_the_checkpoints(readings):
    told = Condition(home="h1", sensor="s1", heard=None, functions=(), battery=97.0, empty_at=None, link=None)

    readings.keep([Checkpoint("h1", 1, b"state")], settled=1, batch=Batch(conditions=[told]))

    assert readings.conditions() == [told]
    assert readings.checkpoint("h1") == Checkpoint("h1", 1, b"state")


def test_checkpoints_say_how_far_they_speak(readings):
    assert readings.settled() == 0

    readings.keep([Checkpoint("h1", 9, b"state")], settled=5)

    assert readings.settled() == 5


def test_checkpoints_can_be_forgotten(readings):
    commit(readings, moved(1))
    readings.keep([Checkpoint("h1", 1, b"state")], settled=1)

    readings.forget_checkpoints()

    assert list(readings.checkpoints()) == []
    assert readings.settled() == 0
    assert arrivals(readings.replay()) == [1], "the truth is still there"


def test_a_home_was_heard_when_it_was_heard_last(readings):
    commit(readings, heard={"h1": after(5), "h2": after(1)})
    commit(readings, heard={"h1": after(3), "h2": after(2)})

    assert readings.heard() == {"h1": after(3), "h2": after(2)}, "somebody has put the clock back"
    assert readings.heard("h2") == {"h2": after(2)}
    assert readings.heard("h3") == {}


def test_devices_are_known_by_their_address(readings):
    first = HubDevice("hub1", "0x01", "old name", "WSDCGQ11LM", "Aqara")
    commit(readings, devices=[first, HubDevice("hub2", "0x01", "other")])

    commit(readings, devices=[replace(first, name="new name")])

    assert readings.devices() == [replace(first, name="new name"), HubDevice("hub2", "0x01", "other")]
    assert readings.devices("hub2") == [HubDevice("hub2", "0x01", "other")]
    assert readings.devices("hub3") == []


def test_a_device_keeps_what_it_announced(readings):
    told = (Expose("contact", "binary", on="false", off="true"), Expose("battery", "numeric", unit="%"))
    door = HubDevice("hub1", "0x01", "door", "MCCGQ11LM", "Aqara", Power.BATTERY, told)

    commit(readings, devices=[door])

    assert readings.devices() == [door]


def test_the_condition_of_a_device_is_the_last_one_told(readings):
    door = Condition(
        home="h1",
        sensor="door",
        heard=MORNING,
        functions=((Kind.DOOR, MORNING),),
        battery=41.5,
        empty_at=after(60),
        faults=("link_weak",),
    )
    commit(readings, conditions=[door, Condition(home="h2", sensor="mat")])

    commit(readings, conditions=[replace(door, faults=("offline", "link_weak"))])

    assert readings.conditions("h1") == [replace(door, faults=("offline", "link_weak"))]
    assert [c.sensor for c in readings.conditions()] == ["door", "mat"]
    assert readings.conditions("h3") == []


def test_a_home_has_the_gaps_that_were_told_last_and_none_when_it_sees_again(readings):
    blind = Gap(home="h1", what="fall", why="sensor_silent", since=MORNING, room="bathroom", sensor="radar")
    commit(readings, gaps={"h1": (blind,), "h2": (replace(blind, home="h2"),)})

    commit(readings, gaps={"h2": ()})

    assert readings.gaps() == {"h1": (blind,)}
    assert readings.gaps("h1") == {"h1": (blind,)}
    assert readings.gaps("h2") == {}


# ------------------------------------------------------------------ quarantine


def refused(topic="t", reason="bad-json", at: float = 0, **changes) -> Quarantined:
    return replace(Quarantined(topic=topic, reason=reason, at=after(at), size=9, head=b"{not json"), **changes)


def test_what_cannot_be_read_is_counted_by_topic_and_reason(readings):
    commit(readings, quarantined=[refused(), refused(at=1, count=3, head=b"newer", detail="line 1", hub="hub1")])
    commit(readings, quarantined=[refused(topic="u"), refused(reason="unknown-device", at=2)])

    assert readings.quarantine() == [
        refused(reason="unknown-device", at=2),
        refused(at=1, count=4, head=b"newer", detail="line 1", hub="hub1"),
        refused(topic="u"),
    ]
    assert readings.quarantine(limit=1) == [refused(reason="unknown-device", at=2)]
    assert readings.refused() == {"bad-json": 5, "unknown-device": 1}


def test_only_the_head_of_a_refused_message_is_kept(readings):
    commit(readings, quarantined=[refused(head=bytes(range(256)) * 2, size=512)])

    assert readings.quarantine()[0].head == bytes(range(256))
    assert readings.quarantine()[0].size == 512


def test_a_noisy_device_fills_neither_disk_nor_memory(readings, monkeypatch):
    monkeypatch.setattr(memory, "QUARANTINE_LIMIT", 10)
    monkeypatch.setattr(file, "QUARANTINE_LIMIT", 10)

    for number in range(25):
        commit(readings, quarantined=[refused(topic=f"t{number}", at=number)])

    assert [q.topic for q in readings.quarantine()] == [f"t{number}" for number in range(24, 14, -1)]
    assert readings.refused() == {"bad-json": 25}, "what was dropped is still counted"


def test_a_topic_of_64_kib_is_kept_by_its_beginning(readings):
    commit(readings, quarantined=[refused(topic="t" * 65_000, detail="d" * 65_000)])

    (kept,) = readings.quarantine()

    assert len(kept.topic) == len(kept.detail) == 512


def test_a_time_without_a_zone_is_refused(readings):
    for batch in (
        Batch(heard={"h1": NAIVE}),
        Batch(quarantined=[refused(at=0, topic="x"), replace(refused(), at=NAIVE)]),
    ):
        with pytest.raises(ValueError, match="aware"):
            readings.commit(batch)
    with pytest.raises(ValueError, match="aware"):
        readings.readings("h1", NAIVE, MORNING)

    assert readings.heard() == {}
    assert readings.quarantine() == [], "all or nothing"


# ------------------------------------------------------------------ the file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.db"


def test_a_file_of_the_first_format_is_carried_over(path):
    with sqlite3.connect(path) as db:
        db.executescript(file._LAYOUTS[0])
        db.executemany("insert into word (id, text) values (?, ?)", [(0, ""), (1, "motion")])
        db.execute("insert into device values ('hub1', '0x01', 'name', 'SNZB-03', 'SONOFF')")
        db.execute("pragma user_version = 1")
    store = SqliteReadings(path)
    commit(store, moved(1), conditions=[Condition(home="h1", sensor="motion-kitchen", heard=MORNING)])

    assert store.devices() == [HubDevice("hub1", "0x01", "name", "SNZB-03", "SONOFF")]
    assert store.conditions("h1") == [Condition(home="h1", sensor="motion-kitchen", heard=MORNING)]
    assert list(store.replay()) == [moved(1)]
    store.close()


def test_everything_is_there_after_a_restart(path):
    before = SqliteReadings(path)
    commit(
        before,
        moved(1),
        moved(2, seq=9, home="h2"),
        heard={"h1": MORNING},
        devices=[HubDevice("hub1", "0x01", "name")],
        quarantined=[refused()],
        last_arrival=3,
    )
    before.keep([Checkpoint("h1", 1, b"state")], settled=1)
    before.close()

    now = SqliteReadings(path)

    assert now.last_arrival() == 3
    assert list(now.replay()) == [moved(1), moved(2, seq=9, home="h2")]
    assert now.heard() == {"h1": MORNING}
    assert now.devices() == [HubDevice("hub1", "0x01", "name")]
    assert now.quarantine() == [refused()]
    assert list(now.checkpoints()) == [Checkpoint("h1", 1, b"state")]
    assert now.settled() == 1
    now.close()


def test_a_commit_that_fails_leaves_nothing_and_spoils_nothing(path):
    store = SqliteReadings(path)
    commit(store, moved(1))

    with pytest.raises(sqlite3.IntegrityError):
        commit(store, moved(2, room="new"), moved(3, value=float("nan"), sensor="new"), last_arrival=3)

    assert store.last_arrival() == 1
    assert arrivals(store.replay()) == [1]
    commit(store, moved(2, room="newer"), moved(3, sensor="newest"))
    assert list(store.replay()) == [moved(1), moved(2, room="newer"), moved(3, sensor="newest")]
    store.close()


def test_where_no_thread_is_to_be_had_it_is_committed_at_once(path, monkeypatch):
    store = SqliteReadings(path)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", refuse)
        assert store.commit_beside(Batch(readings=[moved(1)], last_arrival=1)).done()
    store.commit_beside(Batch(readings=[moved(2)], last_arrival=2)).result(10)

    assert arrivals(store.replay()) == [1, 2]
    store.close()


def test_a_commit_beside_that_fails_says_so_leaves_nothing_and_spoils_nothing(path):
    store = SqliteReadings(path)
    with sqlite3.connect(path) as db:  # a law that is only looked at when all is written
        db.execute("create table law (id integer primary key)")
        db.execute("create table breach (law references law deferrable initially deferred)")
        db.execute(
            "create trigger broken after insert on fresh when new.value = 13 begin insert into breach values (1); end"
        )
    store._writer.execute("pragma foreign_keys = on")

    done = store.commit_beside(Batch(readings=[moved(1, room="new"), moved(2, value=13, sensor="new")], last_arrival=2))

    with pytest.raises(sqlite3.IntegrityError):
        done.result()
    assert store.last_arrival() == 0
    assert list(store.replay()) == []
    commit(store, moved(1, room="newer"))
    assert list(store.replay()) == [moved(1, room="newer")]
    with pytest.raises(sqlite3.IntegrityError):  # and what cannot even be begun says so at once
        store.commit_beside(Batch(readings=[moved(2, value=float("nan"))]))
    commit(store, moved(2, at=2))
    assert arrivals(store.replay()) == [1, 2]
    store.close()


def test_readings_of_another_process_are_understood(path):
    here, there = SqliteReadings(path), SqliteReadings(path)
    assert there.readings("h7", *FOREVER) == []

    commit(here, moved(1, home="h7", room="新房间", sensor="新传感器"))

    assert there.readings("h7", *FOREVER) == [moved(1, home="h7", room="新房间", sensor="新传感器")]
    here.close()
    there.close()


def test_readers_in_other_threads_see_whole_batches(path):
    store = SqliteReadings(path)
    torn, done = [], threading.Event()

    def read() -> None:
        while not done.is_set():
            count = len(store.readings("h1", *FOREVER))
            if count % 10:
                torn.append(count)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(60):
        commit(store, *(moved(number * 10 + part, at=number) for part in range(1, 11)))
        store.tidy()
    done.set()
    for thread in threads:
        thread.join()

    assert torn == []
    assert len(store.readings("h1", *FOREVER)) == 600
    store.close()


def test_what_is_packed_has_a_bound_and_a_replay_is_whole_beyond_it(path, monkeypatch):
    monkeypatch.setattr(file, "RECENT_LIMIT", 20)
    store = SqliteReadings(path)

    for number in range(1, 101):
        commit(store, moved(number))

    with sqlite3.connect(path) as db:
        assert db.execute("select sum(readings) from recent").fetchone()[0] <= 20
    assert arrivals(store.replay()) == list(range(1, 101))
    assert arrivals(store.replay(after=95)) == list(range(96, 101))
    assert store.settled() == 0, "no checkpoint has spoken for what is no longer packed"
    store.close()


def test_what_is_packed_is_swept_out_piece_by_piece(path, monkeypatch):
    monkeypatch.setattr(file, "SWEPT_AT_ONCE", 10)
    store = SqliteReadings(path)
    for number in range(1, 101):
        commit(store, moved(number))

    def packed() -> int:
        with sqlite3.connect(path) as db:
            return db.execute("select count(*) from recent").fetchone()[0]

    store.keep([], settled=95)
    assert packed() == 90
    assert arrivals(store.replay(after=95)) == list(range(96, 101))
    assert arrivals(store.replay(after=80)) == list(range(81, 101))
    for _ in range(20):
        store.keep([], settled=95)
    assert packed() == 5
    assert arrivals(store.replay()) == list(range(1, 101))
    store.close()


def test_one_batch_larger_than_the_bound_is_no_trouble(path, monkeypatch):
    monkeypatch.setattr(file, "RECENT_LIMIT", 5)
    store = SqliteReadings(path)

    commit(store, *(moved(number) for number in range(1, 20)))
    commit(store, moved(20))

    assert arrivals(store.replay()) == list(range(1, 21))
    store.close()


def test_the_file_is_durable_and_for_our_eyes_only(path):
    store = SqliteReadings(path)
    commit(store, moved(1))

    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert store._writer.execute("pragma synchronous").fetchone() == (2,)
    assert store._writer.execute("pragma journal_mode").fetchone() == ("wal",)
    store.close()


def test_the_log_does_not_grow_without_end(path, monkeypatch):
    monkeypatch.setattr(file, "CHECKPOINT_PAGES", 20)
    store = SqliteReadings(path)

    for number in range(1, 200):
        commit(store, moved(number, at=number))

    assert path.with_name("readings.db-wal").stat().st_size < 60 * 4096, "nobody tidied, so the commits did"
    store.close()


def test_a_file_of_a_newer_program_is_refused(path):
    SqliteReadings(path).close()
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")

    with pytest.raises(WrongBook, match="newer program"):
        SqliteReadings(path)


COMMITS_FOREVER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_reading_store import commit, moved
from gateway.ports import Batch
from gateway.stores import fresh
from gateway.stores.readings import SqliteReadings

fresh.A_HOME, fresh.AT_LEAST, fresh.LAID_AT_ONCE, fresh.SWEPT_AT_ONCE = 0, 20, 3, 3
store = SqliteReadings(sys.argv[1])
number = store.last_arrival()
while True:
    batch = [moved(number + part, at=number + part) for part in range(1, 1 + number % 7 + 1)]
    store.commit_beside(Batch(readings=batch)).result() if number % 2 else commit(store, *batch)
    number = store.last_arrival()
    print(number, flush=True)
    if number % 3 == 0:
        store.keep([], settled=number - 40)
"""


def test_what_was_said_to_be_kept_survives_kill_9(path):
    dice, said = random.Random(7), 0
    house = {**os.environ, "PYTHONPATH": str(Path(gateway.__file__).parents[1])}
    for _ in range(4):
        command = [sys.executable, "-c", COMMITS_FOREVER, str(path), str(Path(__file__).parent)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=house, text=True) as writer:
            first = writer.stdout.readline()  # it runs
            time.sleep(dice.uniform(0, 0.1))
            writer.send_signal(signal.SIGKILL)
            # The last line may be torn; what it says was not said.
            said = max(int(line) for line in [first, *writer.stdout] if line.endswith("\n"))

        store = SqliteReadings(path)
        assert store.last_arrival() >= said
        kept = arrivals(store.replay())
        assert kept == list(range(1, store.last_arrival() + 1)), "nothing missing, nothing twice"
        assert arrivals(store.readings("h1", *FOREVER)) == kept, "wherever they lie"
        assert arrivals(store.replay(after=kept[-1] - 10)) == kept[-10:], "and the packed ones say the same"
        store.close()


def test_what_was_kept_long_enough_goes_to_the_whole_hour(readings):
    eight = datetime(2026, 3, 2, 8, tzinfo=UTC)
    batch = Batch()
    for number, minutes in enumerate((-61, -1, 0, 1, 59, 60), 1):
        at = eight + timedelta(minutes=minutes)
        batch.readings.append(Reading("h1", "pir", "bed", Kind.MOTION, 1.0, at, at, number))
    readings.commit(batch)

    assert readings.expire(eight + timedelta(minutes=45)) == {"h1": 2}
    assert readings.expire(eight + timedelta(minutes=45)) == {}

    left = readings.readings("h1", eight - timedelta(days=1), eight + timedelta(days=1))
    assert [reading.arrival for reading in left] == [3, 4, 5, 6]
