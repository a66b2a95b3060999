"""`shouwang doctor`: each thing that can be wrong with a gateway is found, and comes with what to do."""

import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from alerts.desk import Desk
from gateway.callees import put
from gateway.cli import app
from gateway.config import load
from gateway.doctor import Grade, examine
from gateway.domain import Finding, Person, Reach, Severity
from gateway.notices import AHEAD, NoCertificate, Notices, certificate_in, ends_at, warned_at
from gateway.pulse import HEARTBEAT, WATCHDOG, Pulse, SignOfLife, as_words
from gateway.reserve import Reserve
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book

EXAMPLE = Path(__file__).parents[2] / "examples" / "neighbourhood.toml"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Practice:
    """A gateway's folder, and the doctor's round through it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        CliRunner().invoke(app, ["homes", "import", str(EXAMPLE), "--state", str(state)], catch_exceptions=False)
        Reserve(state).look()

    def lives(self, **pulse: object) -> None:
        """Give the signs of life of a gateway and a watchdog."""
        SignOfLife(self.state / HEARTBEAT).give(as_words(Pulse(pid=1, up_s=60, homes=2, **pulse)))
        SignOfLife(self.state / WATCHDOG / HEARTBEAT).give({"pid": 2})

    def says(self, **settings: object) -> dict[str, Grade]:
        remarks = examine(load(state=self.state, **settings), NOW)
        return {remark.what.say("en"): remark.grade for remark in remarks}


@pytest.fixture
def practice(tmp_path, monkeypatch) -> Practice:
    monkeypatch.setattr("gateway.doctor.LOOKS_FOR_S", 0.0)
    return Practice(tmp_path / "state")


def bad(said: dict[str, Grade]) -> str:
    return "\n".join(what for what, grade in said.items() if grade is Grade.BAD)


def test_what_is_in_order_is_said_to_be(practice):
    practice.lives()

    said = practice.says()

    assert said["gateway.db is whole."] is said["readings.db is whole."] is Grade.WELL
    assert said["The audit trail is unbroken."] is Grade.WELL
    assert said["The gateway runs and hears the broker; 2 homes."] is Grade.WELL
    assert said["A watchdog watches."] is Grade.WELL


def test_a_damaged_file_is_found_and_nothing_else_is_read_from_it(practice):
    book = practice.state / "gateway.db"
    words = bytearray(book.read_bytes())
    words[5000:9000] = b"\xff" * 4000
    book.write_bytes(words)
    (practice.state / "gateway.db-wal").unlink(missing_ok=True)

    said = practice.says()

    assert "gateway.db is damaged" in bad(said)
    assert not any("audit trail" in what for what in said)


def test_a_file_that_is_not_there(practice):
    (practice.state / "readings.db").unlink()

    assert "readings.db is not there." in bad(practice.says())


def test_an_audit_trail_that_was_altered(practice):
    with sqlite3.connect(practice.state / "gateway.db") as db:
        db.execute("update audit set who = 'somebody else' where number = 1")

    assert "The audit trail was altered" in bad(practice.says())


def test_an_alert_that_cannot_be_read(practice):
    finding = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=NOW, at=NOW)
    assert not any("left out" in what for what in practice.says())
    engine = open_book(f"sqlite:///{practice.state}/gateway.db")
    Desk(SqlAlerts(engine), SqlRegistry(engine)).take([finding], NOW)
    engine.dispose()
    with sqlite3.connect(practice.state / "gateway.db") as db:
        assert db.execute("update alert set state = 'carrier-pigeon'").rowcount == 1

    assert f"1 alerts or messages cannot be read and are left out; the first is {finding.id}." in bad(practice.says())


def test_a_row_of_the_registry_that_cannot_be_read(practice):
    with sqlite3.connect(practice.state / "gateway.db") as db:
        (home,) = db.execute("select min(id) from household").fetchone()
        db.execute("update household set state = 'carrier-pigeon' where id = ?", [home])

    said = bad(practice.says())
    assert "1 rows of the registry cannot be read wholly" in said
    assert f"the first is household {home}." in said


def test_files_that_others_may_read(practice):
    (practice.state / "gateway.db").chmod(0o644)

    assert "Others on this machine may read gateway.db." in bad(practice.says())


def test_a_gateway_that_hangs_and_one_that_is_deaf(practice):
    assert "does not run, or hangs" in bad(practice.says())

    practice.lives(deaf_s=70.0)
    assert "has not heard the broker for 70 s" in bad(practice.says())

    practice.lives(road_s=70.0)
    assert "stood still for 70 s" in bad(practice.says())


def test_a_disk_without_a_reserve(practice):
    (practice.state / "reserve").unlink()

    assert "there is no reserve for alarms" in bad(practice.says())


def test_a_watchdog_that_is_away_or_knows_nobody(practice):
    said = practice.says()
    assert "No watchdog runs" in bad(said) and "knows nobody to tell" in bad(said)

    practice.lives()
    put(
        practice.state / WATCHDOG / "people.json",
        json.dumps([{"id": "a", "language": "zh", "is_first": True, "ways": [["console", "x"]]}]),
    )
    assert "watchdog" not in bad(practice.says()).replace(str(practice.state), "").lower()


def test_a_channel_that_people_need_and_nobody_set_up(practice):
    with SqlRegistry(open_book(f"sqlite:///{practice.state}/gateway.db")).begin() as ledger:
        ledger.put_person(Person(id="zhao", name="赵", reaches=(Reach(channel="email", address="z@example.org"),)), NOW)

    assert "told by email, which is not set up" in bad(practice.says())


def test_at_a_terminal_it_ends_with_1_and_says_what_to_do(practice):
    ran = CliRunner().invoke(app, ["doctor", "--state", str(practice.state)])

    assert ran.exit_code == 1
    assert "✗ 网关没有运行，或已卡死。\n    → 请启动它，并查看日志末尾。" in ran.output


# --------------------------------------------------------------------------- certificates


def a_certificate(until: datetime) -> str:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, until - timedelta(days=90), until)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("until", [datetime(2026, 12, 1, 8, 30, tzinfo=UTC), datetime(2051, 2, 3, tzinfo=UTC)])
def test_the_end_of_a_certificate_is_read(until):
    assert ends_at(a_certificate(until)) == until


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_said_to_be_none(text, tmp_path):
    (tmp_path / "cert.pem").write_text(text)

    with pytest.raises(NoCertificate):
        certificate_in(tmp_path / "cert.pem")


def test_the_doctor_and_the_gateway_tell_of_it_beforehand(practice, tmp_path):
    ends = NOW + timedelta(days=5)
    (tmp_path / "cert.pem").write_text(a_certificate(ends))
    (tmp_path / "key.pem").write_text("")
    broker = {"cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}

    assert practice.says(broker=broker)["The certificate of broker ends in 5 days."] is Grade.NOTE
    assert [warned_at(ends, ends - ahead) for ahead in AHEAD] == [ends - ahead for ahead in AHEAD]
    assert warned_at(ends, ends - timedelta(days=31)) is None


def told(notices: Notices, now: datetime, **now_is: object) -> list[str]:
    state = {"is_full": False, "watchdog_s": 1.0, "ends": {}} | now_is
    return [finding.id for finding in notices.look(now, **state)]


def test_the_same_thing_is_the_same_finding_until_it_is_over():
    notices, later = Notices(), NOW + timedelta(seconds=10)

    assert told(notices, NOW, watchdog_s=None) == []  # there never was one
    assert told(notices, NOW, is_full=True) == told(notices, later, is_full=True) != []
    assert told(notices, later, is_full=False) == []
    assert told(notices, later, is_full=True) != told(Notices(), NOW, is_full=True)
    assert told(notices, NOW, watchdog_s=700.0) == told(notices, later, watchdog_s=710.0) != []


def test_a_certificate_is_told_three_times():
    ends = NOW + timedelta(days=40)
    days = [NOW + timedelta(days=day) for day in range(45)]

    assert len({one for day in days for one in told(Notices(), day, ends={"pages": ends})}) == 3


# --------------------------------------------------------------------------- room


def test_the_reserve_is_all_there_or_not_at_all(tmp_path):
    room = Reserve(tmp_path, size=1024 * 1024, low=0, ample=0)
    room.look()

    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 1024 * 1024
    assert room.stands() and not room.is_full


def test_the_reserve_is_let_go_when_there_is_no_other_room_and_made_again(tmp_path, monkeypatch):
    room, states = Reserve(tmp_path, size=4096, low=1000, ample=8000), []
    for free in (100_000, 999, 5_000, 12_000, 12_096, 5_000):
        monkeypatch.setattr(Reserve, "free", lambda self, free=free: free)
        freed = room.look()
        states.append((room.stands(), room.is_full, freed))

    assert states == [
        (True, False, False),
        (False, True, True),  # let go: whoever could not write can again
        (False, True, False),
        (False, True, False),
        (True, False, True),  # there is room of its own again
        (True, False, False),
    ]


def test_a_start_on_a_disk_that_was_full_knows_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Reserve, "free", lambda self: 5_000)
    room = Reserve(tmp_path, size=4096, low=1000, ample=8000)
    room.look()

    assert room.is_full


def test_the_sign_of_life_outlives_a_full_disk(tmp_path):
    """It is written over in place: what is not asked for needs no room."""
    sign = SignOfLife(tmp_path / HEARTBEAT)
    sign.give({"pid": 1})
    blocks = (tmp_path / HEARTBEAT).stat().st_blocks
    for number in range(50):
        sign.give({"pid": number, "at that": time.monotonic()})

    assert (tmp_path / HEARTBEAT).stat().st_blocks == blocks
