"""The mirror before real servers: everything once, whatever the server does meanwhile; and long ranges read back."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer
from live_brokers import eventually
from live_influx import SERVERS, Influx1, Victoria

from gateway.app import open_stores
from gateway.clock import SystemClock
from gateway.commands.mirror import mirror as mirror_command
from gateway.domain import Home, Kind, Reading
from gateway.mirror import Mirror, how_it_is
from gateway.ports import Batch
from gateway.stores.influx import Influx, InfluxHistory, InfluxWriter, TryAgain, line_of
from gateway.stores.readings import SqliteReadings

ROOT = Path(__file__).parents[2]
MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)

pytestmark = [pytest.mark.external]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Influx1 | Victoria]:
    (folder := tmp_path / "server").mkdir()
    live = SERVERS[request.param](folder)
    yield live
    live.remove()


@pytest.fixture
def influxdb(tmp_path: Path) -> Iterator[Influx1]:
    (folder := tmp_path / "server").mkdir()
    live = Influx1(folder)
    yield live
    live.remove()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteReadings]:
    readings = SqliteReadings(tmp_path / "readings.db")
    yield readings
    readings.close()


def where(server: Influx1 | Victoria) -> Influx:
    return Influx(server.url, "a token", "street", "homes")


def lives(store: SqliteReadings, count: int) -> None:
    """So many pulses, one a second, two of them in the same millisecond now and then."""
    batch, first = Batch(), store.last_arrival() + 1
    for number in range(first, first + count):
        at = MORNING + timedelta(seconds=number - number % 10 // 9)
        batch.readings.append(
            Reading("h1", "pir", "客厅 1", Kind.MOTION, float(number % 2), at, at, number, seq=number)
        )
    store.commit(batch)


def kept_of(count: int, server: Influx1 | Victoria) -> int:
    """Where times are whole milliseconds, two of one millisecond are one: a tenth of these."""
    return count if server.knows_nanoseconds else count - count // 10


def mirror(store: SqliteReadings, server: Influx1 | Victoria, folder: Path) -> Mirror:
    return Mirror(store, InfluxWriter(where(server)), SystemClock(), folder)


def send_all(mirror: Mirror) -> None:
    while mirror.step():
        pass


def test_everything_arrives_once_however_often_it_is_sent(server, store, tmp_path):
    lives(store, 12_000)
    copying = mirror(store, server, tmp_path)

    send_all(copying)
    store.mirror(3_000)  # the yes of the server was lost on the way
    send_all(copying)

    assert store.mirrored() == 12_000
    eventually(lambda: server.count("motion") == kept_of(12_000, server))


def test_while_the_server_is_away_nothing_is_lost(server, store, tmp_path):
    copying = mirror(store, server, tmp_path)
    lives(store, 1_000)
    send_all(copying)
    server.stop()
    lives(store, 2_000)

    with pytest.raises(TryAgain):
        copying.step()
    store.keep([], 3_000)  # every checkpoint is newer: a start would not need them any more
    server.start()
    send_all(copying)

    eventually(lambda: server.count("motion") == kept_of(3_000, server))


def test_a_line_that_the_server_refuses_does_not_hold_back_the_others(influxdb):
    writer = InfluxWriter(where(influxdb))
    good = [f"motion,home=h1,sensor=s value={n}.0 {n}" for n in range(1, 100)]

    refused = writer.write([*good[:50], "motion,home=h1,sensor=s value=nonsense 5", *good[50:]])

    assert refused == ["motion,home=h1,sensor=s value=nonsense 5"]
    assert influxdb.count("motion") == 99


def test_long_ranges_come_back_as_the_store_itself_sums_them(influxdb, store, tmp_path):
    lives(store, 7_200)
    store.roll_up()
    send_all(mirror(store, influxdb, tmp_path))
    asked = ("h1", MORNING, MORNING + timedelta(hours=3), [Kind.MOTION, Kind.DOOR])
    history = InfluxHistory(where(influxdb))

    hours = history.hours(*asked)

    assert hours == store.hours(*asked)
    assert sum(hour.count for hour in hours) == 7_200
    assert history.hours(*asked, sensor="pir") == hours
    assert history.hours(*asked, sensor="another") == []
    assert history.hours("h1' or home <> '", *asked[1:]) == []


BOARD = json.loads((ROOT / "deploy/grafana/dashboards/home.json").read_text(encoding="utf-8"))


def test_every_panel_of_the_board_is_answered_with_points(influxdb, store, tmp_path):
    """As Grafana asks: with the home that was chosen, the time that is looked at and its own width of a step."""
    asked = {
        f"{panel['title']}: {target['query']}": target["query"]
        .replace("$home", "h1")
        .replace("$timeFilter", "time >= '2026-03-02T08:00:00Z' and time <= '2026-03-02T10:00:00Z'")
        .replace("$__interval", "10m")
        for panel in BOARD["panels"]
        for target in panel["targets"]
    }
    shown = {Kind(kind) for query in asked.values() for kind in re.findall('FROM "([a-z_]+)"', query)}
    batch = Batch()
    for number, (kind, minute) in enumerate(itertools.product(sorted(shown), range(60)), 1):
        at = MORNING + timedelta(minutes=minute)
        batch.readings.append(Reading("h1", f"a {kind}", "客厅 1", kind, 21.5, at, at, number, seq=number))
    store.commit(batch)
    send_all(mirror(store, influxdb, tmp_path))

    without = [title for title, query in asked.items() if not any(points_of(influxdb, query))]

    assert without == []
    [homes] = [variable["query"] for variable in BOARD["templating"]["list"]]
    assert set(points_of(influxdb, homes)) == {"h1"}


def points_of(influxdb: Influx1, query: str) -> list[float | str]:
    """What stands beside each time or name of an answer, and is something."""
    asked = urllib.parse.urlencode({"db": "homes", "q": query})
    with urllib.request.urlopen(f"{influxdb.url}/query?{asked}", timeout=10) as answer:
        [result] = json.load(answer)["results"]
    assert "error" not in result, result["error"]
    return [row[1] for series in result.get("series", ()) for row in series["values"] if row[1]]


def test_it_runs_as_a_process_beside_and_says_how_it_is(influxdb, store, tmp_path):
    lives(store, 500)
    here = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SHOUWANG_STATE": str(tmp_path),
        "SHOUWANG_INFLUX__URL": influxdb.url,
        "SHOUWANG_INFLUX__BUCKET": "homes",
        "SHOUWANG_INFLUX__TOKEN": "s3cret-token",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.mirror"], env=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        eventually(lambda: influxdb.count("motion") == 500)
        influxdb.stop()
        lives(store, 10)
        eventually(lambda: (how_it_is(tmp_path, SystemClock().now()) or {}).get("trouble"))
        told = how_it_is(tmp_path, SystemClock().now())
        influxdb.start()
        eventually(lambda: influxdb.count("motion") == 510)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=20)[0]

    assert process.returncode == 0
    assert told["behind"] == 10 and told["since"]
    assert "s3cret-token" not in said


def test_a_home_is_compared_there_and_here(influxdb, tmp_path, monkeypatch, capsys):
    stores = open_stores(tmp_path)
    with stores.registry.begin() as ledger:
        ledger.put_home(Home(id="h1", name="王奶奶", code="001", grid="", zone=ZoneInfo("Asia/Shanghai")), MORNING)
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    batch = Batch()
    for number in range(1, 301):
        at = now - timedelta(hours=10) + timedelta(minutes=number)
        batch.readings.append(Reading("h1", "pir", "bed", Kind.MOTION, 1.0, at, at, number))
    stores.readings.commit(batch)
    stores.readings.roll_up()
    monkeypatch.setenv("SHOUWANG_INFLUX__URL", influxdb.url)
    monkeypatch.setenv("SHOUWANG_INFLUX__BUCKET", "homes")
    writer = InfluxWriter(where(influxdb))
    lines = [line_of(reading) for reading in stores.readings.replay(0)]

    writer.write(lines[:-1])
    with pytest.raises(typer.Exit):
        mirror_command(check="h1", state=tmp_path)
    assert "1 here, 0 there" in capsys.readouterr().out
    writer.write(lines[-1:])
    mirror_command(check="h1", state=tmp_path)

    assert "300 readings in" in capsys.readouterr().out
