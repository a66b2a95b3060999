import json
import zlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerts.desk import Desk
from gateway.domain import (
    Area,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Kind,
    Outcome,
    Override,
    Person,
    Reach,
    Role,
    Room,
    Sensor,
    Severity,
    State,
)
from gateway.pipeline import AWAKE_AT_MOST, SLICE, TOLD_AT_ONCE, Pipeline, _unpacked
from gateway.ports import Checkpoint, Message
from gateway.registry import Registry
from gateway.stores.memory import MemoryAlerts, MemoryReadings, MemoryRegistry
from ingest.intake import Intake

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # noon in Shanghai


class PowerCut(BaseException):
    pass


class Gateway:
    """The road over stores that outlive it; `start` is a new process on the same files."""

    def __init__(self, awake_at_most: int = AWAKE_AT_MOST) -> None:
        self.awake_at_most = awake_at_most
        self.alerts = MemoryAlerts()
        self.registry = MemoryRegistry(self.alerts.trail)
        self.readings = MemoryReadings()
        sensors = [("pir", Role.MOTION), ("pir2", Role.MOTION), ("door", Role.EXIT_DOOR), ("sos/cord", Role.SOS)]
        self.home = Home(
            id="h1",
            code="A-101",
            name="王奶奶",
            grid="g1",
            zone=ZoneInfo("Asia/Shanghai"),
            rooms=(Room(id="hall", name="门口"),),
            hubs=(Hub(id="hub1", home="h1", interval=timedelta(minutes=1)),),
            sensors=tuple(
                Sensor(id=n.replace("/", "-"), hub="hub1", address=n, name=n, room="hall", role=r) for n, r in sensors
            ),
        )
        Registry(self.registry, str).register(
            areas=[Area(code="a", name="a", level="community")],
            grids=[Grid(code="g1", name="一", community="a")],
            people=[
                (Person(id="zhang", name="张师傅", reaches=(Reach(channel="console"),)), [(Duty.GRID_WORKER, "g1")])
            ],
            homes=[self.home],
            who="test",
            now=NOON,
        )
        self.now = NOON
        self.limits: dict[str, timedelta] = {}
        self.start()

    def start(self) -> None:
        self.pipeline = Pipeline(
            intake=Intake(self.registry),
            directory=self.registry,
            readings=self.readings,
            desk=Desk(self.alerts, self.registry),
            options={"inactivity": {"learns": False, **self.limits}},
            awake_at_most=self.awake_at_most,
        )
        self.pipeline.start(self.now)

    def message(self, sensor: str, **said) -> Message:
        return Message(f"shouwang/hub1/plain/{sensor}", json.dumps(said).encode(), self.now, urgent="sos/" in sensor)

    def hears(self, *said: tuple[str, dict]) -> None:
        self.pipeline.handle([self.message(sensor, **payload) for sensor, payload in said], self.now)

    def beats(self, minutes: int) -> None:
        """The hub's heart beats each minute and time passes."""
        for _ in range(minutes):
            self.now += timedelta(minutes=1)
            self.hears(("hub", {"kind": "heartbeat"}))
            self.pipeline.tick(self.now, NOON)

    def moves(self) -> None:
        self.hears(("pir", {"kind": "motion", "value": 1}))
        self.now += timedelta(seconds=20)
        self.hears(("pir2", {"kind": "motion", "value": 1}))
        self.now += timedelta(seconds=20)
        self.hears(("pir", {"kind": "motion", "value": 0}), ("pir2", {"kind": "motion", "value": 0}))

    def memory(self) -> tuple[dict, dict]:
        """What a checkpoint of the home would hold: its watch, and the last value of each sensor with its moment."""
        if "h1" in self.pipeline._dozing:
            self.pipeline._rouse("h1")
        kept = msgspec.msgpack.decode(_unpacked(self.pipeline._kept("h1").state))
        values = {
            (sensor, kind): last[:2]
            for sensor, device in kept["values"]["sensors"].items()
            for kind, last in msgspec.msgpack.decode(device)[0].items()
        }
        return kept["watch"], values

    def told(self) -> list[tuple[str, int]]:
        return sorted((alert.code, alert.count) for alert in self.alerts.alerts())


@pytest.fixture(params=[AWAKE_AT_MOST, 0], ids=["awake", "dozing"])
def gateway(request):
    """One whose home is always awake, and one whose home sleeps whenever nothing is asked of it."""
    return Gateway(request.param)


def test_a_press_is_an_alert_with_somebody_to_tell_before_handle_returns(gateway):
    gateway.hears(("sos/cord", {"kind": "sos", "value": 1}))
    (alert,) = gateway.alerts.alerts()

    assert (alert.code, alert.state) == ("sos", State.RAISED) or alert.state is State.NOTIFIED
    assert [d.person for d in gateway.alerts.outbox(gateway.now)] == ["zhang"]
    assert [r.kind for r in gateway.readings.newest("h1", [Kind.SOS])] == [Kind.SOS]


def test_a_press_with_a_counter_that_is_heard_again_is_one_press(gateway):
    press = ("sos/cord", {"kind": "sos", "value": 1, "at": "2026-03-02T03:59:58Z", "seq": 7})
    for _ in range(3):
        gateway.hears(press)

    assert gateway.told() == [("sos", 1)]


def test_a_press_in_the_midst_of_a_batch_does_not_wait_for_the_rest_of_it(gateway):
    batch = [gateway.message("pir", kind="motion", value=n % 2) for n in range(3 * SLICE)]
    rings, told = [gateway.message("sos/cord", kind="sos", value=1)], []

    def presses():
        told.append(gateway.told())
        pressed = rings[:]
        rings.clear()
        return pressed

    handled = gateway.pipeline.handle(batch, gateway.now, presses)

    assert told == [[], [("sos", 1)]], "asked after each slice, and told before the next"
    assert [message.urgent for message in handled] == [False] * SLICE + [True] + [False] * 2 * SLICE
    assert [r.kind for r in gateway.readings.newest("h1", [Kind.SOS])] == [Kind.SOS], "durable, so it may be settled"


def test_whoever_calls_for_help_does_not_wait_for_what_other_readings_show(gateway, monkeypatch):
    """Where every device of a town chatters in the same minute, whoever presses a button waits for a few of them."""
    told, observe, take = [], gateway.pipeline._observe, gateway.pipeline._desk.take

    def chatters(watch, reading, found):
        if reading.kind is Kind.MOTION:
            device = f"device-{len(found) + sum(map(len, told))}"
            one = {"home": "h1", "severity": Severity.TECHNICAL, "since": reading.at, "at": reading.at}
            found.append(Finding(code="device_chatter", subject=device, **one))
        return observe(watch, reading, found)

    def takes(findings, now):
        told.append([one.code for one in findings])
        return take(findings, now)

    monkeypatch.setattr(gateway.pipeline, "_observe", chatters)
    monkeypatch.setattr(gateway.pipeline._desk, "take", takes)
    presses = [gateway.message("sos/cord", kind="sos", value=1)]
    batch = [gateway.message("pir", kind="motion", value=n % 2) for n in range(5 * TOLD_AT_ONCE // 2)]
    gateway.pipeline.handle(batch[:-1] + presses + batch[-1:], gateway.now)

    assert told == [
        ["device_chatter"] * TOLD_AT_ONCE,
        ["device_chatter"] * TOLD_AT_ONCE,
        ["sos"],
        ["device_chatter"] * (TOLD_AT_ONCE // 2),
    ]
    assert sum(count for code, count in gateway.told() if code == "device_chatter") == len(batch)


def test_what_calls_for_help_keeps_its_order_in_a_batch_of_presses(gateway):
    """An alarm that ended is not heard again after its end, because what was said later was asked for in between."""
    batch = [gateway.message("sos/cord", kind="sos", value=1) for _ in range(3 * SLICE)]
    later = gateway.message("sos/cord", kind="sos", value=0)
    readings = [gateway.message("pir", kind="motion", value=n % 2) for n in range(2 * SLICE)]

    handled = gateway.pipeline.handle(batch, gateway.now, lambda: [later])
    assert all(message is not later for message in handled)

    handled = gateway.pipeline.handle([*batch, *readings], gateway.now, lambda: [later])
    place = {id(message): at for at, message in reversed(list(enumerate(handled)))}
    assert place[id(later)] > place[id(batch[-1])]


def test_the_road_gives_way_to_whoever_calls_people_once_a_batch(gateway):
    given = []
    gateway.pipeline._give_way = lambda: given.append((gateway.told(), gateway.readings.newest("h1", [Kind.SOS])))

    gateway.hears(("pir", {"kind": "motion", "value": 1}))
    assert given == []

    gateway.hears(*[("sos/cord", {"kind": "sos", "value": 1, "seq": n}) for n in range(3)])
    assert given == [([("sos", 1)], [])], "as soon as people can be called, and before the readings are stored"


def test_three_hours_without_life_are_told_though_every_hub_message_is_heard(gateway):
    gateway.moves()
    gateway.beats(200)

    assert gateway.told() == [("inactivity", 1)]


def test_a_dark_hub_is_told_as_a_hub_and_never_as_an_inactive_person(gateway):
    gateway.moves()
    gateway.beats(2)
    for _ in range(300):
        gateway.now += timedelta(minutes=1)
        gateway.pipeline.tick(gateway.now, NOON)

    assert [code for code, _ in gateway.told()] == ["home_silent"]


def test_while_we_are_deaf_ourselves_no_hub_is_called_silent(gateway):
    gateway.moves()
    gateway.beats(2)
    for _ in range(120):
        gateway.now += timedelta(minutes=1)
        gateway.pipeline.tick(gateway.now, None)

    assert gateway.told() == []


def test_a_restart_in_a_long_silence_forgets_nothing(gateway):
    gateway.moves()
    gateway.beats(100)
    gateway.start()
    gateway.beats(100)

    assert gateway.told() == [("inactivity", 1)]


def test_a_restart_without_any_checkpoint_forgets_nothing(gateway):
    gateway.moves()
    gateway.beats(100)
    gateway.readings.forget_checkpoints()
    gateway.start()
    gateway.beats(100)

    assert gateway.told() == [("inactivity", 1)]


PATIENT = {"by_day": timedelta(hours=5)}
"""How long an older program waited, which the one of today does not."""


def upgrade(gateway: Gateway) -> None:
    """The program that wakes judges sooner than the one that went to sleep, and cannot read its checkpoints."""
    gateway.limits = {}
    gateway.readings.forget_checkpoints()
    gateway.start()


def lies_still(gateway: Gateway) -> None:
    """Four hours without life, in which a sensor said that it sees nobody: a replay finds the silence by that."""
    gateway.moves()
    gateway.beats(200)
    gateway.hears(("pir", {"kind": "motion", "value": 0}))
    gateway.beats(40)


def test_a_silence_that_only_the_newer_program_calls_one_is_told_at_its_first_tick(gateway):
    gateway.limits = PATIENT
    gateway.start()
    lies_still(gateway)
    assert gateway.told() == []

    upgrade(gateway)
    gateway.beats(2)
    assert gateway.told() == [("inactivity", 1)]

    upgrade(gateway)
    gateway.beats(2)
    assert gateway.told() == [("inactivity", 1)], "found again by each replay, and known"


def test_what_a_replay_found_is_told_before_its_home_may_fall_asleep_again(gateway):
    gateway.limits = PATIENT
    gateway.start()
    lies_still(gateway)
    upgrade(gateway)
    gateway.hears(("pir", {"kind": "motion", "value": 0}))

    assert gateway.told() == [("inactivity", 1)]


def test_what_a_replay_found_is_not_lost_by_a_stop_before_the_first_tick(gateway):
    gateway.limits = PATIENT
    gateway.start()
    lies_still(gateway)
    upgrade(gateway)
    gateway.pipeline.keep_all()
    gateway.start()
    gateway.beats(2)

    assert gateway.told() == [("inactivity", 1)]


def test_a_silence_that_only_the_newer_program_calls_one_and_that_life_has_ended_is_history(gateway):
    gateway.limits = PATIENT
    gateway.start()
    lies_still(gateway)
    gateway.moves()
    upgrade(gateway)
    gateway.beats(2)

    assert gateway.told() == []


def test_what_was_told_found_again_by_a_replay_is_known_whatever_became_of_it(gateway):
    lies_still(gateway)
    (alert,) = gateway.alerts.alerts()
    assert gateway.pipeline._desk.resolve(alert.id, "zhang", Outcome.ELDER_SAFE, "睡着了", gateway.now).told
    upgrade(gateway)
    gateway.beats(2)

    assert gateway.told() == [("inactivity", 1)]
    assert [alert.state for alert in gateway.alerts.alerts()] == [State.RESOLVED]


def test_restored_is_replayed_for_the_whole_memory_of_a_home(gateway):
    for _ in range(6):
        gateway.moves()
        gateway.beats(37)
    gateway.pipeline.keep_all()
    gateway.start()
    restored = gateway.memory()
    gateway.readings.forget_checkpoints()
    gateway.start()

    assert gateway.memory() == restored


def test_a_checkpoint_packed_without_the_words_is_read_too(gateway):
    gateway.moves()
    gateway.beats(100)
    gateway.pipeline.keep_all()
    before, kept = gateway.memory(), next(gateway.readings.checkpoints())
    plain = zlib.compress(_unpacked(kept.state))
    assert len(kept.state) < 0.7 * len(plain)

    gateway.readings.keep([Checkpoint("h1", kept.arrival, plain)], kept.arrival)
    gateway.start()

    assert gateway.memory() == before


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x80",
        zlib.compress(b"\xc1"),
        zlib.compress(msgspec.msgpack.encode({"watch": {}, "values": {"version": 2}})),
    ],
)
def test_a_checkpoint_that_cannot_be_read_is_replayed_and_stops_nobody(gateway, garbage):
    gateway.moves()
    gateway.beats(100)
    gateway.pipeline.keep_all()
    before = gateway.memory()
    gateway.readings.keep([Checkpoint("h1", gateway.readings.last_arrival(), garbage)], gateway.readings.last_arrival())
    gateway.start()

    assert gateway.memory() == before


def test_the_power_fails_before_the_commit_and_the_broker_repeats(gateway, monkeypatch):
    press = ("sos/cord", {"kind": "sos", "value": 1, "at": "2026-03-02T03:59:58Z", "seq": 7})

    def fails(batch):
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(gateway.readings, "commit", fails)
        with pytest.raises(PowerCut):
            gateway.hears(press)
    gateway.start()
    gateway.hears(press)

    assert gateway.told() == [("sos", 1)]
    assert len(gateway.readings.newest("h1", [Kind.SOS], 10)) == 1


def test_what_belongs_to_nobody_is_kept_where_it_can_be_seen(gateway):
    gateway.hears(("nobody", {"kind": "motion", "value": 1}))
    gateway.pipeline.handle([Message("shouwang/hub9/plain/pir", b"{", gateway.now)], gateway.now)

    assert {kept.reason for kept in gateway.readings.quarantine()} >= {"unknown-device"}
    assert len(gateway.readings.quarantine()) == 2


def test_a_home_registered_while_we_run_is_watched_at_the_next_tick(gateway):
    second = Home(
        id="h2",
        code="A-102",
        name="李爷爷",
        grid="g1",
        zone=ZoneInfo("Asia/Shanghai"),
        rooms=(Room(id="hall", name="门口"),),
        hubs=(Hub(id="hub2", home="h2"),),
        sensors=(Sensor(id="cord", hub="hub2", address="sos/cord", name="拉绳", room="hall", role=Role.SOS),),
    )
    Registry(gateway.registry, str).register(homes=[second], who="test", now=NOON)
    gateway.pipeline.tick(gateway.now, NOON)
    said = json.dumps({"kind": "sos", "value": 1}).encode()
    gateway.pipeline.handle([Message("shouwang/hub2/plain/sos/cord", said, gateway.now)], gateway.now)

    assert [alert.home for alert in gateway.alerts.alerts()] == ["h2"]
    assert gateway.pipeline.homes() == 2


def test_how_the_devices_are_and_what_a_home_cannot_notice_stands_in_the_store(gateway):
    gateway.moves()
    gateway.beats(2)
    shown = {condition.sensor: condition for condition in gateway.readings.conditions("h1")}

    assert shown["pir"].heard is not None
    assert shown["sos-cord"].heard is None
    assert {(gap.what, gap.why) for gap in gateway.readings.gaps("h1")["h1"]} == {
        ("smoke", "sensor_missing"),
        ("bed_no_return", "sensor_missing"),
    }


def test_a_fault_is_shown_at_the_tick_that_found_it_and_goes_with_it(gateway):
    gateway.moves()
    for _ in range(5):
        gateway.now += timedelta(minutes=1)
        gateway.pipeline.tick(gateway.now, NOON)
    assert {gap.why for gap in gateway.readings.gaps("h1")["h1"]} == {"hub_silent", "sensor_missing"}
    gateway.beats(1)

    assert {gap.why for gap in gateway.readings.gaps("h1")["h1"]} == {"sensor_missing"}


def test_when_a_device_was_last_heard_is_shown_about_each_minute(gateway):
    gateway.moves()
    gateway.beats(2)
    before = gateway.readings.conditions("h1")
    gateway.moves()
    gateway.beats(2)
    after = gateway.readings.conditions("h1")

    assert {c.sensor for c in after if c.heard} == {"pir", "pir2"}
    assert max(c.heard for c in after if c.heard) > max(c.heard for c in before if c.heard)


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(days=4_000)])
@pytest.mark.parametrize("falls", [False, True])
def test_a_hub_that_dies_after_the_clock_was_put_back_is_told_in_its_usual_time(gateway, by, falls):
    gateway.beats(5)
    gateway.now -= by
    if falls:
        gateway.start()
    since = gateway.now
    gateway.pipeline.tick(gateway.now, since)
    assert gateway.readings.heard()["h1"] == since, "nobody reads on a page that a home was heard in years to come"

    for _ in range(2):
        gateway.now += timedelta(minutes=1)
        gateway.pipeline.tick(gateway.now, since)
    assert gateway.told() == []

    gateway.now += timedelta(minutes=2)
    gateway.pipeline.tick(gateway.now, since)
    assert gateway.told() == [("home_silent", 1)]


def test_a_hub_that_lives_when_the_clock_is_put_back_is_accused_of_nothing(gateway):
    gateway.beats(5)
    for by in (timedelta(days=-1), timedelta(days=1), timedelta(days=4_000), timedelta(days=-4_000)):
        gateway.now += by
        since = gateway.now
        for _ in range(10):
            gateway.pipeline.tick(gateway.now, since)
            gateway.now += timedelta(seconds=30)
            gateway.hears(("hub", {"kind": "heartbeat"}))

    assert gateway.told() == []


def test_who_lies_still_after_the_clock_was_put_back_is_missed(gateway):
    """What was lived under a clock that was years ahead does not pass for life until then."""
    gateway.now += timedelta(days=4_000)
    gateway.beats(1)
    gateway.moves()
    gateway.beats(10)
    gateway.now -= timedelta(days=4_000)
    gateway.beats(9 * 60)

    assert ("inactivity", 1) in gateway.told()


def test_after_the_clock_was_put_back_checkpoints_are_written_as_often_as_before(gateway):
    gateway.beats(5)
    gateway.now -= timedelta(days=1)
    gateway.beats(5)

    assert gateway.pipeline.kept_at is not None
    assert timedelta(0) <= gateway.now - gateway.pipeline.kept_at <= timedelta(minutes=2)


def test_who_tells_no_time_is_known_to_live_after_the_clock_was_put_back(gateway):
    """What a bridge repeats just after a connection or its own start proves nothing; a clock put back ends that."""

    def repeats(minutes: int) -> None:
        for _ in range(minutes):
            gateway.now += timedelta(minutes=1)
            gateway.pipeline.handle(
                [Message("shouwang/hub1/zigbee2mqtt/door", b'{"contact": true}', gateway.now)], gateway.now
            )
            gateway.pipeline.tick(gateway.now, listening)

    listening = gateway.now
    started = Message("shouwang/hub1/zigbee2mqtt/bridge/state", b'{"state": "online"}', gateway.now)
    gateway.pipeline.handle([started], gateway.now)
    gateway.pipeline.tick(gateway.now, listening)
    gateway.now -= timedelta(days=1)
    listening = gateway.now
    gateway.pipeline.tick(gateway.now, listening)
    repeats(10)

    told = gateway.readings.readings("h1", listening, gateway.now + timedelta(minutes=1))
    assert len([one for one in told if one.sensor == "door" and one.kind is Kind.ALIVE]) >= 3


def test_who_was_down_while_one_plan_ended_and_another_began_accuses_nobody(gateway):
    """The first message after it comes before the first tick: it is no word from the hours between."""
    until = NOON + timedelta(hours=8)
    with gateway.registry.begin() as ledger:
        ledger.put_override(
            Override(area="a", key="festivals", value="no", since=NOON, until=until, author="li", reason="春节")
        )
    gateway.pipeline.tick(gateway.now, NOON)
    gateway.moves()
    gateway.beats(10)
    gateway.now += timedelta(hours=30)
    gateway.start()
    gateway.hears(("hub", {"kind": "heartbeat"}))
    gateway.pipeline.tick(gateway.now, gateway.now)

    assert gateway.told() == []


def test_what_was_stored_before_the_clock_was_put_back_is_read_back_by_the_clock_as_it_stands(gateway):
    gateway.moves()
    gateway.pipeline.tick(gateway.now, NOON)
    gateway.now -= timedelta(days=1)
    gateway.pipeline.tick(gateway.now, gateway.now)
    gateway.hears(("hub", {"kind": "heartbeat"}))
    gateway.start()
    since = gateway.now
    for _ in range(4):
        gateway.now += timedelta(minutes=1)
        gateway.pipeline.tick(gateway.now, since)

    assert gateway.told() == [("home_silent", 1)]
