"""The watchman over the watchman: what it says of what it sees, second by second, and how it tells people."""

import asyncio
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from alerts.channels import CHANNELS
from gateway.callees import read_people, write_people
from gateway.clock import SystemClock
from gateway.config import ConfigError, Refused, load, problems
from gateway.domain import Duty, Person, Reach
from gateway.ports import TryLater, Undeliverable
from gateway.pulse import HEARTBEAT, WATCHDOG, Pulse, SignOfLife, Standing, as_words, last_sign_of, pulse_in
from gateway.stores.memory import MemoryRegistry
from gateway.watchdog import ByAddress, Crier, Fault, Kind, Memory, News, Sight, Watchman, _ping, letter_of

NIGHT = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)  # three in the morning in Shanghai
WELL = Pulse(pid=100, up_s=900, homes=12)


class Night:
    """A gateway and its watchman, a second at a time."""

    def __init__(self, **limits: float) -> None:
        self.now, self.man = 1000.0, Watchman(1000.0, **limits)
        self.pulse: Pulse | None = None
        self.beaten = self.now
        self.said: list[tuple[float, Kind, Fault]] = []
        self.is_seen = False

    def passes(self, seconds: float, *, beats: bool = True, **pulse: object) -> "Night":
        """Time goes by; while it `beats` the gateway says that it is well, or what is said here."""
        until = self.now + seconds
        while self.now < until:
            self.now += 1
            if beats:
                self.pulse, self.beaten = Pulse(**{**as_words(WELL), **pulse}), self.now
            self.look()
        return self

    def look(self) -> None:
        sight = Sight(self.now - self.beaten, self.pulse) if self.pulse else None
        moment = NIGHT + timedelta(seconds=self.now - 1000)
        news = self.man.look(sight, self.now, moment, is_seen=self.is_seen)
        if news is not None:
            self.said.append((self.now - 1000, news.kind, news.fault))

    @property
    def words(self) -> list[tuple[Kind, Fault]]:
        return [(kind, fault) for _, kind, fault in self.said]


def test_a_quiet_month_is_a_month_without_a_word():
    night = Night()
    for _ in range(30):
        night.passes(600).passes(20, beats=False)  # a machine that is busy now and then

    assert night.said == []
    assert not night.man.is_sure
    assert night.passes(3).man.is_sure


def test_a_dead_or_hung_gateway_is_told_within_a_minute_and_its_return_after_one():
    night = Night().passes(300).passes(100, beats=False)

    assert night.said == [(346, Kind.ILL, Fault.GONE)]

    night.passes(100, pid=101)

    assert night.said[1:] == [(461, Kind.WELL, Fault.GONE)]


def test_it_is_said_again_until_somebody_sees_to_it():
    night = Night().passes(10).passes(45 + 900 * 2 + 10, beats=False)
    assert night.words == [(Kind.ILL, Fault.GONE), (Kind.STILL, Fault.GONE), (Kind.STILL, Fault.GONE)]

    night.is_seen = True
    night.passes(5000, beats=False)

    assert len(night.said) == 3


def test_somebody_sees_to_one_thing_and_another_happens():
    night = Night().passes(100).passes(10, full=True)
    night.is_seen = True
    night.passes(60, beats=False)

    assert night.words == [(Kind.ILL, Fault.FULL), (Kind.ILL, Fault.GONE)]


def test_a_planned_restart_is_tolerated_for_a_while_and_no_longer():
    night = Night().passes(300).passes(1, leaving=True).passes(170, beats=False).passes(300, pid=101)
    assert night.said == []

    night.passes(1, leaving=True).passes(200, beats=False)

    assert night.words == [(Kind.ILL, Fault.LEFT)]


def test_who_was_told_that_it_is_gone_is_not_told_that_it_is_well_because_it_is_stopped():
    night = Night().passes(300).passes(60, road_s=60.0).passes(1, leaving=True).passes(100, beats=False)

    assert night.words == [(Kind.ILL, Fault.STUCK)]


def test_one_fall_is_nothing_and_four_in_ten_minutes_are():
    night = Night().passes(60)
    for pid in (101, 102, 103):
        night.passes(5, beats=False).passes(20, pid=pid)
    assert night.said == []

    night.passes(5, beats=False).passes(20, pid=104)

    assert night.words == [(Kind.ILL, Fault.FALLING)]


@pytest.mark.parametrize(
    ("part", "fault"), [("road_s", Fault.STUCK), ("courier_s", Fault.MUTE), ("deaf_s", Fault.DEAF)]
)
def test_a_gateway_that_lives_and_does_not_work_is_told_of(part, fault):
    night = Night().passes(100)
    for second in range(60):
        night.passes(1, **{part: float(second)})

    assert night.words == [(Kind.ILL, fault)]


def test_what_a_dead_gateway_said_of_its_parts_is_not_told_of_the_living():
    night = Night().passes(100).passes(1, courier_s=2.0, deaf_s=30.0).passes(60, beats=False)

    assert night.words == [(Kind.ILL, Fault.GONE)]


def test_silence_of_all_homes_and_a_full_disk_are_told_at_once():
    assert Night().passes(100).passes(2, hushed_s=50.0).words == [(Kind.ILL, Fault.HUSHED)]
    assert Night().passes(100).passes(2, full=True).words == [(Kind.ILL, Fault.FULL)]


def test_the_worst_is_told_and_only_once_while_it_comes_and_goes():
    night = Night().passes(100)
    for _ in range(10):
        night.passes(50, deaf_s=60.0).passes(30)

    assert night.words == [(Kind.ILL, Fault.DEAF)]


def test_whoever_was_asleep_does_not_judge_what_he_sees_first():
    night = Night().passes(100)
    night.now += 3600  # the machine was paused, and both with it
    night.look()
    night.passes(100)

    assert night.said == []


def test_a_machine_that_never_lets_it_look_in_time_is_no_reason_to_be_silent():
    night = Night().passes(100)
    for _ in range(8):
        night.now += 11
        night.look()

    assert night.words == [(Kind.ILL, Fault.GONE)]


def test_a_machine_that_has_just_started_gets_the_time_of_a_planned_restart():
    assert Night().passes(170, beats=False).said == []
    assert Night().passes(190, beats=False).words == [(Kind.ILL, Fault.GONE)]


def test_its_own_restart_repeats_nothing_and_forgets_nothing(tmp_path):
    night = Night().passes(10).passes(60, beats=False)
    Memory(tmp_path).keep(night.man)
    night.man = Watchman(night.now)
    Memory(tmp_path).recall(night.man, night.now)

    night.passes(60, beats=False).passes(100)

    assert night.words == [(Kind.ILL, Fault.GONE), (Kind.WELL, Fault.GONE)]


# --------------------------------------------------------------------------- signs of life


def test_a_sign_of_life_is_written_over_in_place_and_read_by_age(tmp_path):
    path = tmp_path / "deep" / HEARTBEAT
    sign = SignOfLife(path)
    sign.give({**as_words(WELL), "usual": {"2026-11-21": 12.5}})
    size = path.stat().st_size
    sign.give(as_words(Pulse(pid=7, up_s=1)))

    found = last_sign_of(path, float("inf"))
    assert path.stat().st_size == size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert found is not None and pulse_in(found[1]) == Pulse(pid=7, up_s=1)


@pytest.mark.parametrize("words", [None, b"", b"{", b"[]", b'{"at": "x"}', b'{"at": 9e99}'])
def test_what_is_no_sign_of_life_is_none(tmp_path, words):
    path = tmp_path / HEARTBEAT
    if words is not None:
        path.write_bytes(words)

    assert last_sign_of(path, 100.0) is None


def test_a_pulse_of_another_make_is_none():
    assert pulse_in({"pid": 1}) is None


def test_a_wheel_stands_still_by_its_own_count():
    turns = 0
    wheel = Standing(lambda: turns)

    assert (wheel.seconds(10.0), wheel.seconds(14.0)) == (0.0, 4.0)
    turns += 1
    assert wheel.seconds(15.0) == 0.0


# --------------------------------------------------------------------------- whom, and how


ADMIN = Person(id="admin", name="陈工", reaches=(Reach(channel="webhook", address="http://127.0.0.1:9/a"),))
CHIEF = Person(id="chief", name="刘主任", language="en", reaches=(Reach(channel="console", address="desk"),))
MUTE = Person(id="mute", name="小王")


@pytest.fixture
def people(tmp_path) -> Path:
    registry = MemoryRegistry()
    with registry.begin() as ledger:
        for person in (ADMIN, CHIEF, MUTE):
            ledger.put_person(person, NIGHT)
        ledger.assign("admin", Duty.ADMIN, "", NIGHT)
        ledger.assign("mute", Duty.ADMIN, "", NIGHT)
        ledger.assign("chief", Duty.SUPERVISOR, "", NIGHT)
    write_people(tmp_path, registry, NIGHT + timedelta(hours=1))
    return tmp_path / WATCHDOG / "people.json"


def test_whom_to_tell_is_written_down_beforehand_without_a_name(people):
    assert [(one.id, one.is_first, one.ways) for one in read_people(people)] == [
        ("admin", True, (("webhook", "http://127.0.0.1:9/a"),)),
        ("chief", False, (("console", "desk"),)),
    ]
    assert stat.S_IMODE(people.stat().st_mode) == 0o600
    assert "陈工" not in people.read_text()


def test_the_list_stays_known_when_its_file_is_gone(people):
    crier = Crier(load(), {}, SystemClock(), "watch.example.org", people)
    crier.learn()
    people.unlink()

    assert [one.id for one in crier.callees(News(Kind.ILL, Fault.GONE, NIGHT))] == ["admin"]


def test_administrators_first_and_everybody_when_nobody_sees_to_it(people):
    crier = Crier(load(), {}, SystemClock(), "", people)

    def told(kind: Kind, round_: int = 0) -> list[str]:
        return [one.id for one in crier.callees(News(kind, Fault.GONE, NIGHT, round_))]

    assert told(Kind.ILL) == ["admin"]
    assert told(Kind.STILL, 1) == told(Kind.WELL) == ["admin", "chief"]


def test_where_no_administrator_can_be_reached_the_next_are_told_at_once(people):
    people.write_text(json.dumps([one for one in json.loads(people.read_text()) if one["id"] == "chief"]))

    assert [one.id for one in Crier(load(), {}, SystemClock(), "", people).callees(News(Kind.ILL, Fault.GONE, NIGHT))]


class Bent:
    """A channel that answers as it is told to, one answer an attempt."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers, self.sent = list(answers), []

    async def send(self, delivery, letter):
        self.sent.append((delivery, letter))
        if self.answers and (answer := self.answers.pop(0)) is not None:
            raise answer


async def test_each_way_is_tried_until_it_takes_it_and_none_keeps_the_others_waiting(people, monkeypatch):
    monkeypatch.setattr("gateway.watchdog.WAITS_S", (0.0,))
    webhook = Bent(TryLater("no answer"), ValueError("a fault of ours in this channel"))
    console = Bent(TryLater("no answer"), TryLater("no answer"), None)
    crier = Crier(load(), {"webhook": webhook, "console": console}, SystemClock(), "watch.example.org", people)

    await crier.cry(News(Kind.STILL, Fault.GONE, NIGHT, 1))

    assert (len(webhook.sent), len(console.sent)) == (2, 3)
    assert len({delivery.id for delivery, _ in console.sent}) == 1


async def test_an_address_that_never_works_is_left_alone(people):
    webhook = Bent(Undeliverable("not an address"))

    await Crier(load(), {"webhook": webhook}, SystemClock(), "", people).cry(News(Kind.ILL, Fault.GONE, NIGHT))

    assert len(webhook.sent) == 1


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("kind", Kind)
def test_every_message_is_said_in_both_languages(kind, fault):
    news = News(kind, fault, NIGHT, 1, homes=12)
    chinese = letter_of(news, "watch.example.org", "zh", NIGHT)
    english = letter_of(news, "watch.example.org", "en", NIGHT)

    assert any("一" <= letter <= "鿿" for letter in chinese.title) and chinese.title != english.title
    assert "03:00" in chinese.body and "watch.example.org" in chinese.title
    assert "{" not in chinese.body + english.body


# --------------------------------------------------------------------------- from afar, and to the world outside


async def test_from_another_machine_the_gateway_is_seen_by_its_address():
    answers = [httpx.Response(200, json={**as_words(WELL), "well": True}), httpx.Response(502, text="proxy"), None]

    def answer(request: httpx.Request) -> httpx.Response:
        given = answers.pop(0)
        if given is None:
            raise httpx.ConnectError("no way")
        return given

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        look = ByAddress("https://watch.example.org/healthz", http)
        seen = [await look(now) for now in (0.0, 1.0, 5.0, 10.0)]

    assert [(sight.age_s, sight.pulse) for sight in seen] == [(0, WELL), (1, WELL), (5, WELL), (10, WELL)]
    assert answers == []


async def test_an_address_that_never_answered_is_no_sight():
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=["another program"]))
    async with httpx.AsyncClient(transport=transport) as http:
        assert await ByAddress("https://watch.example.org/healthz", http)(0.0) is None


async def test_the_switch_outside_is_asked_only_while_all_is_really_well(monkeypatch):
    monkeypatch.setattr("gateway.watchdog.PINGS_EVERY_S", 0.001)
    asked = []
    night = Night().passes(100)
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda request: asked.append(request.url.path) or httpx.Response(200))
    ) as http:
        pinging = asyncio.create_task(_ping("https://switch.example.org/secret", night.man, http))
        while not asked:
            await asyncio.sleep(0.001)
        night.passes(20, beats=False)  # not told yet, and not well either
        await asyncio.sleep(0.01)
        count = len(asked)
        await asyncio.sleep(0.05)
        pinging.cancel()

    assert len(asked) == count


def test_somebody_says_at_the_machine_that_they_see_to_it(tmp_path):
    from typer.testing import CliRunner

    from gateway.cli import app

    with pytest.raises(Refused, match="No watchdog has ever run"):
        CliRunner().invoke(app, ["watchdog", "--seen", "--state", str(tmp_path)], catch_exceptions=False)
    SignOfLife(tmp_path / WATCHDOG / HEARTBEAT)
    memory = Memory(tmp_path / WATCHDOG)

    said = CliRunner().invoke(app, ["watchdog", "--seen", "--state", str(tmp_path)], catch_exceptions=False)

    assert "已记录" in said.output and memory.is_seen()
    memory.forget_seen()
    assert not memory.is_seen()


# --------------------------------------------------------------------------- settings


def test_people_are_told_within_ninety_seconds_whatever_is_set():
    with pytest.raises(ConfigError, match="between PT10S and PT1M15S"):
        load(watchdog={"after": "PT5M"})


@pytest.mark.parametrize(
    ("way", "why"), [("email", "a space and an address"), ("pigeon coop", "a space and an address")]
)
def test_a_way_is_a_channel_and_an_address_and_never_printed(way, why):
    with pytest.raises(ConfigError, match=why) as error:
        load(watchdog={"tell": [way]})

    assert "coop" not in str(error.value)


def test_a_way_that_is_not_set_up_is_refused_before_the_start(tmp_path):
    settings = load(state=tmp_path, watchdog={"tell": ["email duty@example.org"]})

    assert "email" in CHANNELS and any("watchdog.tell" in line for line in problems(settings))


async def test_it_stops_when_it_is_told_to(tmp_path):
    from gateway.watchdog import watch

    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(watch(load(state=tmp_path), SystemClock(), stop), 10)

    assert (tmp_path / WATCHDOG / HEARTBEAT).exists()
