"""A disk that takes nothing: people are called from memory, and what was not written down is not settled."""

import asyncio
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from pages_house import Rig
from test_pipeline import Gateway

from alerts.desk import Desk
from gateway import lifeboat
from gateway.app import _beat, open_stores, until_mended
from gateway.domain import Area
from gateway.lifeboat import HELD_BACK, Lookout, boarded
from gateway.ports import Message
from gateway.reserve import takes_writes


class Adrift:
    """A gateway that can write nothing, and a broker that hands over what lies there and notes what was settled."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self.alerts = self.gateway.alerts
        self.settled: list[object] = []
        self.lookout = Lookout(self, self.gateway.pipeline, Desk(self.alerts, self.gateway.registry), self)

    def now(self) -> datetime:
        return self.gateway.now

    def poll(self, wait: timedelta) -> list[Message]:
        if not self.waiting:
            self.lookout.stop()
        said, self.waiting = self.waiting, []
        return said

    def settle(self, messages: Iterable[Message]) -> None:
        self.settled += [message.receipt for message in messages]

    def hears(self, *messages: Message) -> None:
        self.waiting = list(messages)
        self.lookout.run()
        self.lookout = Lookout(self, self.gateway.pipeline, Desk(self.alerts, self.gateway.registry), self)

    def message(self, sensor: str, receipt: object, **said: object) -> Message:
        return self.gateway.message(sensor, **said)._replace(receipt=receipt)

    def press(self, receipt: object) -> Message:
        return self.message("sos/cord", receipt, kind="sos")


@pytest.fixture
def adrift() -> Adrift:
    return Adrift()


def test_a_press_calls_somebody_and_stays_with_the_broker(adrift):
    adrift.hears(adrift.press(1))

    assert [alert.code for alert in adrift.alerts.alerts()] == ["sos"]
    assert [call.person for call in adrift.alerts.outbox(adrift.now())] == ["zhang"]
    assert adrift.settled == []


def test_what_is_handed_over_again_because_nobody_settled_it_is_no_second_press(adrift):
    adrift.hears(adrift.press(1), adrift.press(1))

    assert adrift.gateway.told() == [("sos", 1)]


def test_readings_wait_for_the_disk_and_a_silent_home_is_accused_of_nothing(adrift):
    adrift.hears(adrift.message("pir", 1, kind="motion"))
    adrift.gateway.now += timedelta(days=1)
    adrift.hears()

    assert adrift.alerts.alerts() == []
    assert adrift.gateway.pipeline.counts.messages == 0


def test_nobody_has_answered_so_the_next_are_called(adrift):
    adrift.hears(adrift.press(1))
    adrift.gateway.now += timedelta(minutes=10)
    adrift.hears()

    (alert,) = adrift.alerts.alerts()
    assert "empty" in [entry.what for entry in adrift.alerts.history(alert.id)]  # a further rung, with nobody on it


def test_there_is_room_for_the_next_press_whatever_a_wearable_says(adrift):
    chatter = [adrift.message("sos/cord", number, kind="battery", value=80) for number in range(HELD_BACK)]
    adrift.hears(adrift.press("a press"), *chatter, adrift.press("another"))

    assert len(adrift.settled) == 2
    assert not {"a press", "another"} & set(adrift.settled)


def test_what_calling_people_takes_comes_along_and_goes_again(tmp_path, monkeypatch):
    monkeypatch.setattr(lifeboat, "IN_MEMORY", tmp_path)
    state = tmp_path / "state"
    stores = open_stores(state)
    with stores.registry.begin() as ledger:
        ledger.put_area(Area(code="1101", name="东风社区", level="community"), Gateway().now)
    stores.readings.close()
    (state / "page.secret").write_bytes(b"x" * 32)

    for _ in range(2):
        with boarded(state) as copy:
            left = copy
            there = open_stores(copy)
            with closing(there.readings):
                assert [area.name for area in there.registry.areas()] == ["东风社区"]
            assert (copy / "page.secret").read_bytes() == b"x" * 32
            assert copy.stat().st_mode & 0o077 == 0
            assert all(file.stat().st_mode & 0o077 == 0 for file in copy.rglob("*.*"))
        assert not left.exists()


def test_what_one_of_us_left_that_was_killed_is_taken_away(tmp_path, monkeypatch):
    monkeypatch.setattr(lifeboat, "IN_MEMORY", tmp_path)
    (state := tmp_path / "state").mkdir()
    with boarded(state) as copy:
        mark = copy.name[:-8]
    (left := tmp_path / f"{mark}left").mkdir()

    with boarded(state):
        assert not left.exists()


async def test_it_ends_when_the_disk_takes_writes_and_not_where_none_hangs(tmp_path, monkeypatch):
    looks = []

    async def looked(wait: float) -> None:
        looks.append(wait)
        if len(looks) == 2:
            (tmp_path / "readings.db").touch()  # it is mounted again

    monkeypatch.setattr("gateway.app.asyncio.sleep", looked)
    await until_mended(tmp_path)

    assert len(looks) == 2


async def test_a_gateway_falls_with_its_disk_although_nobody_gives_it_anything_to_write():
    beats = []
    health = SimpleNamespace(
        beat=beats.append, is_silenced=True, state=Path("/proc/self")
    )  # nobody can make a file there

    with pytest.raises(OSError, match="Read-only"):
        await _beat(health, "a sign")
    assert beats == ["a sign"]


async def test_a_sign_of_life_that_fails_on_a_disk_that_is_well_ends_nothing(tmp_path, monkeypatch):
    health = SimpleNamespace(beat=lambda _: None, is_silenced=True, state=tmp_path)
    slept = []

    async def asleep(_: float) -> None:
        slept.append(1)
        if len(slept) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr("gateway.app.asyncio.sleep", asleep)
    with pytest.raises(asyncio.CancelledError):
        await _beat(health, None)
    assert len(slept) == 3


def test_whether_a_disk_takes_writes(tmp_path):
    assert takes_writes(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not takes_writes(Path("/proc/self"))  # nobody can make a file there


def test_whoever_is_called_answers_and_everything_else_has_to_wait():
    rig = Rig(more={"answers_only": True})
    alert = rig.press()
    token = rig.links.token(alert.id, "liu")
    browser = rig.browser()

    accepted = browser.post(f"/a/{token}/accept")
    waits = browser.get("/", headers={"accept-language": "en"})

    assert accepted.status_code == 303
    assert rig.alert(alert.id).owner == "liu"
    assert (waits.status_code, "Calls go out all the same" in waits.text) == (503, True)
    assert browser.post("/login", data={"login": "ma"}).status_code == 503
    assert browser.get("/api/v1/alerts").status_code == 503
    assert browser.get("/static/pages.css").status_code == 200
