"""How the gateway looks at itself: what goes round, what is heard, and how long all homes together are ever silent."""

import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from gateway.health import AT_LEAST_S, Health, Hush, is_going_round
from gateway.pulse import HEARTBEAT, WATCHDOG, Pulse, SignOfLife, last_sign_of, pulse_in
from gateway.reserve import Reserve

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 16)


@dataclass
class District:
    """All homes together, as the hush hears them."""

    hush: Hush = field(default_factory=Hush)
    now: float = 0.0
    messages: int = 0
    day: date = MONDAY

    def speaks_every(self, seconds: float, *, for_s: float) -> float:
        """The longest unusual silence that was told meanwhile."""
        told = 0.0
        for _ in range(int(for_s // seconds)):
            told = max(told, self.silent(seconds - 1))
            self.messages += 1
            told = max(told, self.silent(1))
        return told

    def silent(self, seconds: float, *, is_listening: bool = True) -> float:
        self.now += seconds
        return self.hush.seconds(self.messages, is_listening, self.now, self.day)

    def next_day(self) -> None:
        self.day += timedelta(days=1)


def test_nothing_is_unusual_on_the_first_day():
    district = District()
    district.speaks_every(5, for_s=600)

    assert district.silent(3600) == 0


def test_homes_that_speak_every_few_seconds_are_missed_within_a_minute():
    district = District()
    district.speaks_every(5, for_s=600)
    district.next_day()
    assert district.speaks_every(5, for_s=600) == 0

    assert district.silent(AT_LEAST_S - 1) == 0
    assert district.silent(5) > AT_LEAST_S


def test_a_village_that_is_silent_for_an_hour_each_night_is_not():
    district = District()
    district.speaks_every(3600, for_s=36_000)
    district.next_day()

    assert district.silent(3 * 3600 - 60) == 0
    assert district.silent(120) > 0


def test_a_silence_that_was_told_does_not_become_usual():
    district = District()
    district.speaks_every(5, for_s=600)
    district.next_day()
    district.silent(30_000)
    district.messages += 1
    district.silent(1)

    assert district.silent(100) > 0


def test_while_the_broker_is_away_nobody_is_called_silent():
    district = District()
    district.speaks_every(5, for_s=600)
    district.next_day()

    assert district.silent(5000, is_listening=False) == 0
    assert district.silent(10) == 0


def test_only_the_last_week_counts():
    hush = Hush({f"2026-11-{day:02}": 5.0 for day in range(2, 9)} | {"2026-11-01": 9000.0})
    hush.seconds(1, True, 0.0, date(2026, 11, 9))
    hush.seconds(2, True, 5.0, date(2026, 11, 9))

    assert len(hush.longest) == 7 and hush.usual(date(2026, 11, 9)) == AT_LEAST_S


# --------------------------------------------------------------------------- the sign of life


@pytest.fixture
def gateway(tmp_path):
    """A gateway's parts, each of which can be made to stand still."""
    parts = SimpleNamespace(rounds=0, listening=NOW, state=tmp_path)
    counts = SimpleNamespace(messages=0, readings=0, quarantined=0, findings=0, last_message_at=None, took_s=0.0)
    pipeline = SimpleNamespace(homes=lambda: 3, counts=counts, arrived=lambda: 0, kept_at=None)
    parts.health = lambda: Health(
        SimpleNamespace(now=lambda: NOW),
        NOW,
        pipeline,
        SimpleNamespace(listening_since=lambda: parts.listening),
        SimpleNamespace(last_event=lambda: 0),
        tmp_path,
        Reserve(tmp_path, size=4096, low=0, ample=0),
        road=lambda: parts.rounds,
        courier=lambda: parts.rounds,
        attempts=dict,
    )
    return parts


def test_what_goes_round_is_well_and_what_stands_still_is_not(gateway, monkeypatch):
    health, moment = gateway.health(), 1000.0
    monkeypatch.setattr("gateway.health.time.monotonic", lambda: moment)
    assert is_going_round(health.pulse())

    moment += 20
    assert health.pulse().road_s == 20 and not is_going_round(health.pulse())
    gateway.rounds += 1
    assert health.report()["well"]

    gateway.listening = None
    moment += 5
    assert health.pulse().deaf_s == 5 and not health.report()["well"]


def test_its_sign_of_life_is_itself_and_remembers_over_a_restart(gateway):
    before = gateway.health()
    before.hush.longest["2026-11-20"] = 12.5
    before.beat(SignOfLife(gateway.state / HEARTBEAT))

    found = last_sign_of(gateway.state / HEARTBEAT, float("inf"))
    assert isinstance(pulse := pulse_in(found[1]), Pulse) and (pulse.pid, pulse.homes) == (os.getpid(), 3)
    assert gateway.health().hush.longest["2026-11-20"] == 12.5


def test_a_disk_that_takes_no_byte_ends_the_signs_and_not_the_gateway(gateway, caplog):
    class Deaf:
        def give(self, said):
            raise OSError(5, "Input/output error")

    health = gateway.health()
    for _ in range(3):
        health.beat(Deaf())

    assert [record.message for record in caplog.records] == ["no sign of life can be given"]


def test_whenever_there_is_room_again_the_broker_is_started_anew(gateway, monkeypatch):
    renewed: list[object] = []
    monkeypatch.setattr("gateway.health.renew", lambda state: renewed.append(state) or True)
    health, sign = gateway.health(), SignOfLife(gateway.state / HEARTBEAT)
    for free in (100_000, -1, 100_000):
        monkeypatch.setattr(Reserve, "free", lambda self, free=free: free)
        health.beat(sign)

    assert renewed == [gateway.state] * 2


def test_it_says_how_long_ago_a_watchdog_was_there(gateway):
    health = gateway.health()
    assert health.watchdog_s() is None

    SignOfLife(gateway.state / WATCHDOG / HEARTBEAT).give({"pid": 1})

    assert health.watchdog_s() < 60
    assert health.meters()["watchdog_s"] < 60
