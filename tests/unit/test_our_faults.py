"""A mistake of ours over one home, one message or one alert: everybody else is served, and somebody is told of it."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pages_house import HandClock
from test_courier import Post, Scripted, in_virtual_time
from test_gaps import NOON as MIDDAY
from test_gaps import a_shift, town

from alerts import gaps
from alerts.courier import Courier
from alerts.desk import Desk
from alerts.sitting import Sitting
from alerts.wording.why import explain
from detectors import Watch
from detectors.emergency import Emergency
from detectors.fall import Fall
from gateway import pipeline
from gateway.app import Stores
from gateway.domain import Area, Duty, Finding, Grid, Home, Hub, Kind, Person, Purpose, Reach, Role, Sensor, Severity
from gateway.domain.fault import FAILED, Astray
from gateway.pipeline import AFTER_A_FAULT, AWAKE_AT_MOST, Pipeline
from gateway.ports import Message
from gateway.registry import Registry
from gateway.stores.memory import MemoryAccounts, MemoryAlerts, MemoryReadings, MemoryRegistry
from gateway.upkeep import contained, look_ahead
from ingest.decoders import DECODERS
from ingest.devices import Devices
from ingest.intake import Intake
from simulators.vtime import VirtualClock

pytestmark = pytest.mark.faulty

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HOMES = ("h1", "h2")


class Street:
    """Two homes with a button and a motion sensor each; `start` is a new process on the same files."""

    def __init__(self) -> None:
        self.alerts = MemoryAlerts()
        self.registry = MemoryRegistry(self.alerts.trail)
        self.readings = MemoryReadings()
        self.now = NOON
        Registry(self.registry, str).register(
            areas=[Area(code="a", name="a", level="community")],
            grids=[Grid(code="g1", name="一", community="a")],
            people=[
                (Person(id="zhang", name="张师傅", reaches=(Reach(channel="console"),)), [(Duty.GRID_WORKER, "g1")]),
                (Person(id="ins", name="李师傅", reaches=(Reach(channel="console"),)), [(Duty.INSTALLER, "g1")]),
            ],
            homes=[self.home(name) for name in HOMES],
            who="test",
            now=NOON,
        )
        self.start()

    def home(self, name: str) -> Home:
        cord = Sensor(id=f"{name}-cord", hub=f"hub-{name}", address="sos/cord", name="拉绳", room="", role=Role.SOS)
        motion = Sensor(id=f"{name}-pir", hub=f"hub-{name}", address="pir", name="客厅", room="", role=Role.MOTION)
        bell = Sensor(id=f"{name}-bell", hub=f"hub-{name}", address="bell", name="按键", room="", role=Role.BUTTON)
        hub = Hub(id=f"hub-{name}", home=name, interval=timedelta(minutes=1))
        zone, sensors = ZoneInfo("Asia/Shanghai"), (cord, motion, bell)
        return Home(id=name, code=name.upper(), name=name, grid="g1", zone=zone, hubs=(hub,), sensors=sensors)

    def start(self, awake_at_most: int = AWAKE_AT_MOST) -> None:
        self.desk = Desk(self.alerts, self.registry)
        self.pipeline = Pipeline(
            intake=Intake(self.registry),
            directory=self.registry,
            readings=self.readings,
            desk=self.desk,
            awake_at_most=awake_at_most,
        )
        self.pipeline.start(self.now)

    def message(self, home: str, sensor: str, **said: object) -> Message:
        payload = json.dumps(said).encode()
        return Message(f"shouwang/hub-{home}/plain/{sensor}", payload, self.now, urgent="sos/" in sensor)

    def press(self, *homes: str) -> None:
        """These press in the same batch; each cord counts on, as a device does."""
        self.now += timedelta(seconds=1)
        said = [self.message(home, "sos/cord", kind="sos", value=1) for home in homes]
        assert self.pipeline.handle(said, self.now) == said, "none is left with the broker to fell the next start"

    def moves(self, *homes: str) -> None:
        self.now += timedelta(seconds=1)
        self.pipeline.handle([self.message(home, "pir", kind="motion", value=1) for home in homes], self.now)

    def goes_on(self, minutes: float) -> None:
        until = self.now + timedelta(minutes=minutes)
        while self.now < until:
            self.now += timedelta(seconds=20)
            beats = [self.message(home, "hub", kind="heartbeat") for home in HOMES]
            self.pipeline.handle(beats, self.now)
            self.pipeline.tick(self.now, NOON)

    def told(self, home: str) -> list[str]:
        return sorted(alert.code for alert in self.alerts.alerts(home=home))

    def called(self, home: str, code: str = "sos") -> set[str]:
        return {
            said.person
            for alert in self.alerts.alerts(home=home)
            if alert.code == code
            for said in self.alerts.deliveries(alert.id)
            if said.purpose is Purpose.PAGE
        }


@pytest.fixture
def street() -> Street:
    return Street()


def breaks(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, over: object = None) -> None:
    """This method has a fault of ours in it, over the one home or over all."""
    whole = getattr(owner, name)

    def broken(*given: object, **more: object) -> object:
        if over is None or over in map(_home_of, given):
            raise KeyError("a fault of ours")
        return whole(*given, **more)

    monkeypatch.setattr(owner, name, broken)


def _home_of(one: object) -> object:
    home = one if isinstance(one, (str, Home)) else getattr(one, "home", None)
    return getattr(home, "id", home)


# --------------------------------------------------------------------------- messages and homes


def test_a_message_that_breaks_its_decoder_is_kept_and_its_call_for_help_is_told(street, monkeypatch):
    whole = type(DECODERS["plain"]).decode

    def broken(self, payload, *more):
        if b'"seq": 13' in payload:
            raise ZeroDivisionError
        return whole(self, payload, *more)

    monkeypatch.setattr(type(DECODERS["plain"]), "decode", broken)
    street.now += timedelta(seconds=1)
    said = [
        street.message("h1", "sos/cord", kind="sos", value=1, seq=13),
        street.message("h1", "pir", kind="motion", value=1, seq=13),
        street.message("h2", "sos/cord", kind="sos", value=1, seq=12),
    ]

    assert street.pipeline.handle(said, street.now) == said
    assert (street.told("h1"), street.told("h2")) == ([FAILED, "sos"], ["sos"])
    assert street.called("h1") == street.called("h2") == {"zhang"}
    assert street.called("h1", FAILED) == {"ins"}
    assert {(one.topic, one.reason) for one in street.readings.quarantine()} == {
        ("shouwang/hub-h1/plain/pir", "fault"),
        ("shouwang/hub-h1/plain/sos/cord", "fault"),
    }


def test_a_remembered_message_that_breaks_us_calls_nobody(street, monkeypatch):
    breaks(monkeypatch, Devices, "device")
    retained = street.message("h1", "sos/cord", kind="sos", value=1)._replace(retained=True)
    street.pipeline.handle([retained], street.now)

    assert street.told("h1") == [FAILED]


def test_a_home_that_cannot_be_judged_is_told_once_and_its_neighbour_is_judged(street, monkeypatch):
    breaks(monkeypatch, Watch, "observe", "h1")
    street.press("h1", "h2")
    street.press("h1")
    street.moves("h1", "h2")

    assert (street.told("h1"), street.told("h2")) == ([FAILED, "sos"], ["sos"])
    assert street.called("h1") == {"zhang"}
    stored = street.readings.readings("h1", NOON, street.now + timedelta(minutes=1), [Kind.SOS])
    assert len(stored) == 2, "what it said is stored: whoever mends the fault finds it"


@pytest.mark.parametrize("detector", [Emergency, Fall])
def test_whoever_was_to_hear_a_call_for_help_is_broken_and_it_is_told_as_it_was_said(street, monkeypatch, detector):
    breaks(monkeypatch, detector, "observe")
    for _ in range(2):
        street.press("h1")

    (alert,) = [one for one in street.alerts.alerts(home="h1") if one.code == "sos"]
    assert (alert.count, alert.finding.fact("sensor")) == (2, "h1-cord")
    assert street.called("h1") == {"zhang"}


@pytest.mark.parametrize("awake", [AWAKE_AT_MOST, 0])
def test_a_home_that_cannot_be_watched_at_all_still_calls_for_help(street, monkeypatch, awake):
    breaks(monkeypatch, pipeline, "watch_over", "h1")
    street.start(awake)
    street.goes_on(1)
    street.press("h1", "h2")

    assert (set(street.told("h1")), street.told("h2")) == ({FAILED, "sos"}, ["sos"])


def test_a_start_that_holds_too_much_outlives_a_home_that_cannot_be_watched(street, monkeypatch):
    for _ in range(3):
        street.moves("h1", "h2")
    breaks(monkeypatch, pipeline, "watch_over", "h1")
    monkeypatch.setattr(pipeline, "MISSED_AT_MOST", 1)
    street.start(0)
    street.goes_on(1)
    street.press("h1", "h2")

    assert (set(street.told("h1")), street.told("h2")) == ({FAILED, "sos"}, ["sos"])


def test_a_start_outlives_what_broke_the_gateway_before(street, monkeypatch):
    breaks(monkeypatch, Watch, "observe", "h1")
    street.moves("h1", "h2")
    street.start()
    street.goes_on(1)
    street.press("h2")

    assert (set(street.told("h1")), street.told("h2")) == ({FAILED}, ["sos"])


def test_a_home_whose_deadlines_break_us_does_not_keep_others_waiting(street, monkeypatch):
    street.moves("h1", "h2")
    breaks(monkeypatch, Watch, "tick", "h1")
    street.goes_on(60 * 30)

    assert street.told("h1") == [FAILED]
    assert "inactivity" in street.told("h2")
    assert street.called("h1", FAILED) == {"ins"}


def test_it_is_looked_at_again_when_the_fault_is_mended(street, monkeypatch):
    street.moves("h1")
    with monkeypatch.context() as broken:
        breaks(broken, Watch, "tick", "h1")
        street.goes_on(60 * 24)
        assert street.told("h1") == [FAILED]
    street.goes_on(60 * 6 + AFTER_A_FAULT.total_seconds() / 60)

    assert "inactivity" in street.told("h1")


def test_a_home_of_which_no_checkpoint_can_be_made_is_remembered_from_its_readings(street, monkeypatch):
    with monkeypatch.context() as broken:
        breaks(broken, Watch, "checkpoint", "h1")
        street.moves("h1", "h2")
        street.goes_on(5)
        street.pipeline.keep_all()
        assert street.told("h1") == [FAILED]
        assert {one.home for one in street.readings.checkpoints()} == {"h2"}
    street.start()

    assert street.pipeline._kept("h1").state == street.pipeline._kept("h1").state
    street.goes_on(60 * 30)
    assert "inactivity" in street.told("h1")


@pytest.mark.parametrize("what", ["conditions", "gaps"])
def test_what_cannot_be_shown_of_its_devices_costs_no_alarm(street, monkeypatch, what):
    breaks(monkeypatch, Watch, what, "h1")
    street.goes_on(3)
    street.press("h1", "h2")
    street.goes_on(1)

    assert (street.told("h1"), street.told("h2")) == ([FAILED, "sos"], ["sos"])


def test_where_it_comes_up_over_many_homes_long_after_the_start_the_gateway_begins_anew(street, monkeypatch):
    """What it remembers is wrong then. Just after a start it is something that another would not mend."""
    monkeypatch.setattr(pipeline, "AT_FAULT_AT_MOST", 1)
    street.goes_on(15)
    breaks(monkeypatch, Watch, "observe")
    with pytest.raises(Astray, match="over 2 homes"):
        street.moves("h1", "h2")

    street.start()
    street.moves("h1", "h2")
    street.press("h1", "h2")
    assert street.called("h1") == street.called("h2") == {"zhang"}


def test_a_disk_that_fails_is_no_fault_of_ours(street, monkeypatch):
    def fails(*_: object, **more: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(MemoryReadings, "commit", fails)
    with pytest.raises(OSError, match="Input/output"):
        street.moves("h1")


# --------------------------------------------------------------------------- the desk


def test_where_the_plan_cannot_be_followed_people_are_called_without_it(street, monkeypatch):
    breaks(monkeypatch, Sitting, "consider", "h1")
    street.press("h1", "h2")

    assert street.called("h1") == street.called("h2") == {"zhang"}
    assert street.told("h2") == ["sos"]


def test_and_of_the_fault_somebody_is_told(street, monkeypatch):
    whole = Sitting.consider

    def broken(self: Sitting, finding: Finding) -> object:
        if finding.code == "sos":
            raise AttributeError
        return whole(self, finding)

    monkeypatch.setattr(Sitting, "consider", broken)
    for _ in range(3):
        street.press("h1")

    assert street.told("h1") == [FAILED, "sos", "sos", "sos"], (
        "none is merged, none is lost, and the fault is told once"
    )
    assert street.called("h1", FAILED) == {"ins"}


def test_where_nobody_of_a_home_can_be_called_the_installations_people_are_each_time(street, monkeypatch):
    breaks(monkeypatch, Sitting, "consider", "h1")
    breaks(monkeypatch, Sitting, "open_plainly", "h1")
    for _ in range(2):
        street.press("h1", "h2")
    (alert,) = street.alerts.alerts(home="grid:")

    assert (alert.code, alert.count, alert.finding.fact("over")) == (FAILED, 2, "h1")
    assert street.called("h2") == {"zhang"}
    assert explain(alert.finding, "en", street.home("h1").zone, None)[1:] == [
        "The people of the home h1 could not be told: see to it yourself."
    ]


def test_an_answer_that_breaks_the_desk_leaves_its_message_no_trap(street, monkeypatch):
    breaks(monkeypatch, Desk, "pressed")
    street.now += timedelta(seconds=1)
    said = [
        street.message("h1", "sos/cord", kind="button", value=1),
        street.message("h2", "sos/cord", kind="sos", value=1),
    ]

    assert street.pipeline.handle(said, street.now) == said
    assert street.called("h2") == {"zhang"}


def test_a_home_whose_change_breaks_us_is_watched_as_it_was_and_others_are_followed(street, monkeypatch):
    breaks(monkeypatch, Devices, "_unbind", "h1")
    with street.registry.begin() as book:
        for name in HOMES:
            book.put_home(replace(street.home(name), address="elsewhere"), NOON)
    street.goes_on(1)
    street.press("h1", "h2")

    assert (street.told("h1"), street.told("h2")) == ([FAILED, "sos"], ["sos"])


def test_a_ladder_that_breaks_the_desk_is_climbed_on_as_it_stands_and_others_as_ever(street, monkeypatch):
    with street.registry.begin() as book:
        book.put_person(Person(id="wang", name="王主任", reaches=(Reach(channel="console"),)), NOON)
        book.assign("wang", Duty.SUPERVISOR, "g1", NOON)
    street.press("h1", "h2")
    whole = Sitting.ring

    def broken(self: Sitting, timer: object) -> None:
        if timer.ref.startswith("h1/"):
            raise RecursionError
        whole(self, timer)

    monkeypatch.setattr(Sitting, "ring", broken)
    street.goes_on(4)

    assert street.called("h1") == street.called("h2") == {"zhang", "wang"}


def test_where_even_that_fails_it_is_tried_again_and_told(street, monkeypatch):
    with street.registry.begin() as book:
        book.put_person(Person(id="wang", name="王主任", reaches=(Reach(channel="console"),)), NOON)
        book.assign("wang", Duty.SUPERVISOR, "g1", NOON)
    street.press("h1", "h2")
    with monkeypatch.context() as broken:
        breaks(broken, Sitting, "_climb", "h1")
        street.goes_on(4)
        assert (street.called("h1"), street.called("h2")) == ({"zhang"}, {"zhang", "wang"})
        assert "grid:" in {alert.home for alert in street.alerts.alerts()}, "the installation's own people hear of it"
    street.goes_on(4)

    assert street.called("h1") == {"zhang", "wang"}


def test_a_start_outlives_a_deadline_that_cannot_be_mended(street, monkeypatch):
    street.press("h1", "h2")
    breaks(monkeypatch, Sitting, "mend")
    street.now -= timedelta(days=2)  # the clock was put back: every deadline lies beyond what is possible
    street.start()
    street.pipeline.tick(street.now, street.now)

    assert street.told("h1") == street.told("h2") == ["sos"]


# --------------------------------------------------------------------------- the courier


def next_door(post: Post) -> str:
    """Smoke in the home beside it."""
    now, zone = post.clock.now(), ZoneInfo("Asia/Shanghai")
    with post.registry.begin() as book:
        book.put_home(Home(id="h2", code="A-2", name="李爷爷", grid="g1", zone=zone), now)
    smoke = Finding(home="h2", code="smoke", severity=Severity.EMERGENCY, since=now, at=now)
    return post.desk.take([smoke], now)[0].alert.id


def test_a_message_whose_words_cannot_be_found_goes_without_them(monkeypatch):
    said = []

    class Reading(Scripted):
        async def send(self, delivery, letter):
            said.append((delivery.alert, letter))
            await super().send(delivery, letter)

    whole = Courier._words

    def broken(self, errand):
        if errand.alert is not None and errand.alert.subject == "strange":
            raise KeyError("{room}")
        return whole(self, errand)

    monkeypatch.setattr(Courier, "_words", broken)

    async def story(clock: VirtualClock) -> None:
        post = Post(clock, console=lambda delivery: None)
        post.channels["console"] = Reading(clock)
        post.courier = post.new_courier(link=lambda delivery: "https://example.org/a/x")
        post.on_duty(Reach(channel="console"))
        running = asyncio.create_task(post.courier.run())
        strange, plain = post.finds(subject="strange"), next_door(post)
        await asyncio.sleep(30)
        assert not running.done()
        running.cancel()

        told = dict(said)
        assert len(said) == 2, "each of them, and each once"
        assert (told[strange].household, told[strange].what) == ("A-1", "sos")
        assert told[strange].link == "https://example.org/a/x"
        assert "A-1" in told[strange].title and "A-2" in told[plain].title

    in_virtual_time(story)


def test_a_message_that_breaks_the_courier_is_tried_again_and_others_are_sent(monkeypatch):
    whole, faults = Courier._carry, []

    async def broken(self, errand):
        if errand.alert is not None and errand.alert.code == "sos" and len(faults) < 3:
            faults.append(errand.delivery.id)
            raise TypeError
        await whole(self, errand)

    monkeypatch.setattr(Courier, "_carry", broken)

    async def story(clock: VirtualClock) -> None:
        post = Post(clock, console=lambda delivery: None)
        post.on_duty(Reach(channel="console"))
        running = asyncio.create_task(post.courier.run())
        alert, other = post.finds(), next_door(post)
        await asyncio.sleep(60)
        assert not running.done()
        running.cancel()

        assert len(faults) == 3
        assert [delivery.alert for _, delivery in post.channels["console"].tried] == [other, alert]

    in_virtual_time(story)


def test_a_line_of_the_outbox_that_nobody_can_read_keeps_no_emergency_from_setting_off(monkeypatch):
    def unreadable(self, *_: object) -> None:
        raise ValueError("'carrier-pigeon' is not a valid Purpose")

    monkeypatch.setattr(MemoryAlerts, "outbox", unreadable)

    async def story(clock: VirtualClock) -> None:
        post = Post(clock, console=lambda delivery: None)
        post.on_duty(Reach(channel="console"))
        running = asyncio.create_task(post.courier.run())
        await asyncio.sleep(5)
        alert = post.finds()
        await asyncio.sleep(5)
        assert not running.done()
        running.cancel()

        assert [delivery.alert for _, delivery in post.channels["console"].tried] == [alert]

    in_virtual_time(story)


# --------------------------------------------------------------------------- house-keeping


def test_house_keeping_that_breaks_is_told_of_the_installation_and_a_disk_that_fails_is_not_swallowed(street):
    clock = HandClock(street.now)
    for _ in range(2):
        with contained(street.desk, clock, "copies"):
            raise IndexError
    with pytest.raises(OSError, match="No space"), contained(street.desk, clock, "copies"):
        raise OSError(28, "No space left on device")
    (alert,) = street.alerts.alerts()

    assert (alert.home, alert.code, alert.subject, alert.count) == ("grid:", FAILED, "copies", 1)
    assert explain(alert.finding, "en", street.home("h1").zone, None) == [
        "The part “copies” of the program failed at 12:00; its log says why."
    ]


async def test_a_grid_whose_shifts_break_us_hides_no_gap_of_another(monkeypatch):
    registry = town(a_shift("zhang", "08:00", "18:00"))
    with registry.begin() as book:
        book.put_grid(Grid(code="g0", name="零", community=""))
        book.put_home(Home(id="h0", code="A-0", name="赵爷爷", grid="g0", zone=ZoneInfo("Asia/Shanghai")), NOON)
    whole = gaps.findings

    def broken(place, *more):
        if place.grid == "g0":
            raise ValueError
        return whole(place, *more)

    monkeypatch.setattr(gaps, "findings", broken)
    stores = Stores(MemoryAlerts(registry.trail), registry, MemoryAccounts(), MemoryReadings())
    await look_ahead(stores, Desk(stores.alerts, registry), HandClock(MIDDAY))

    told = {(one.home, one.code) for one in stores.alerts.alerts()}
    assert told == {("grid:", FAILED), ("grid:g1", "no_responder")}
