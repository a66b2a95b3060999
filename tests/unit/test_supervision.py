"""Stories of equipment: what is told of it, when, and what a home cannot see meanwhile."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerts.wording import explain, fault_name, say_coverage, say_gap
from detectors import Watch, watch_over
from gateway.domain import (
    Condition,
    Finding,
    Gap,
    Home,
    Hub,
    Kind,
    Power,
    Reading,
    Role,
    Room,
    RoomKind,
    Sensor,
    Severity,
)
from gateway.ports import Context
from simulators.neighbourhood import neighbourhood

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # eight in the morning of a Monday in Shanghai
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

SENSORS = (
    ("hall_pir", Role.MOTION, "hall"),
    ("bath_pir", Role.MOTION, "bath"),
    ("bed", Role.BED, "bedroom"),
    ("door", Role.EXIT_DOOR, "hall"),
    ("cord", Role.SOS, "bath"),
    ("smoke", Role.SMOKE, "hall"),
    ("plug", Role.APPLIANCE, "hall"),
)


def a_flat(*sensors: tuple[str, Role, str], interval: timedelta | None = MINUTE) -> Home:
    return Home(
        id="h1",
        code="A-101",
        name="王奶奶",
        grid="g1",
        zone=ZoneInfo("Asia/Shanghai"),
        rooms=(
            Room(id="hall", name="门口", kind=RoomKind.HALL),
            Room(id="bath", name="卫生间", kind=RoomKind.BATHROOM),
            Room(id="bedroom", name="卧室", kind=RoomKind.BEDROOM),
        ),
        hubs=(Hub(id="hub1", home="h1", interval=interval),),
        sensors=tuple(
            Sensor(
                id=name,
                hub="hub1",
                address=name,
                name=name,
                room=room,
                role=role,
                power=Power.MAINS if name == "plug" else Power.BATTERY,
            )
            for name, role, room in sensors or SENSORS
        ),
    )


class Equipment:
    """A home whose devices report by themselves each hour (the plug every three minutes) and whose hub beats."""

    def __init__(self, home: Home | None = None) -> None:
        self.home = home or a_flat()
        self.watch: Watch = watch_over(self.home, {"inactivity": {"learns": False}})
        self.now = BEGIN
        self.context = Context(listening_since=BEGIN)
        self.found: list[Finding] = []
        self.dead: set[str] = set()
        self.hub_is_dark = False
        self.minute = 0

    def says(self, sensor: str, kind: Kind, value: float = 1, at: datetime | None = None) -> None:
        room = next((one.room for one in self.home.sensors if one.id == sensor), "")
        self._hub()
        reading = Reading("h1", sensor, room, kind, value, at or self.now, self.now, self.minute)
        self.found += self.watch.observe(reading, self.context)

    def live(self, span: timedelta, *, moves: bool = True) -> None:
        """Time passes. She moves about by day, and now and then by night, unless told otherwise."""
        end = self.now + span
        while self.now < end:
            self.now += MINUTE
            self.minute += 1
            if not self.hub_is_dark:
                self._hub()
                self._reports()
                local = self.now.astimezone(self.home.zone)
                if moves and self.minute % (20 if 7 <= local.hour < 22 else 120) == 0:
                    self._moves()
            self.found += self.watch.tick(self.now, self.context)

    def _hub(self) -> None:
        marker = self.watch.hear(self.now, self.minute)
        if marker is not None:
            self.found += self.watch.observe(marker, self.context)

    def _reports(self) -> None:
        for place, sensor in enumerate(self.home.sensors):
            every = 3 if sensor.power is Power.MAINS else 60
            if sensor.id not in self.dead and (self.minute + 7 * place) % every == 0:
                self.says(sensor.id, Kind.ALIVE)

    def _moves(self) -> None:
        here = {one.id for one in self.home.sensors} - self.dead
        for step, sensor in enumerate(("hall_pir", "bath_pir")):
            if sensor in here:
                self.says(sensor, Kind.MOTION, 1, self.now - timedelta(seconds=50 - 10 * step))
                self.says(sensor, Kind.MOTION, 0, self.now - timedelta(seconds=20 - step))
        if "door" in here and self.minute % 360 == 0:
            self.says("door", Kind.DOOR, 1, self.now - 5 * MINUTE)
            self.says("door", Kind.DOOR, 0, self.now - 4 * MINUTE)

    def told(self, *codes: str) -> list[tuple[str, str, Severity]]:
        return [(one.code, one.subject, one.severity) for one in self.found if not codes or one.code in codes]

    def condition(self, sensor: str) -> Condition:
        return next(one for one in self.watch.conditions() if one.sensor == sensor)

    def gaps(self) -> list[tuple[str, str, str]]:
        return [(gap.what, gap.room, gap.why) for gap in self.watch.gaps()]


@pytest.fixture
def equipment() -> Equipment:
    lived = Equipment()
    lived.live(3 * DAY)
    assert lived.told() == []
    return lived


# --------------------------------------------------------------------------- silence


def test_a_plug_is_missed_within_ten_minutes(equipment):
    equipment.dead.add("plug")
    last = equipment.condition("plug").heard
    equipment.live(30 * MINUTE)
    [found] = equipment.found

    assert (found.code, found.subject, found.severity) == ("device_offline", "plug", Severity.TECHNICAL)
    assert found.at - last <= 10 * MINUTE


def test_a_battery_device_is_missed_within_two_and_a_half_of_its_intervals(equipment):
    equipment.dead.add("bed")
    last = equipment.condition("bed").heard
    equipment.live(5 * HOUR)
    [found] = [one for one in equipment.found if one.subject == "bed"]

    assert 2 * HOUR < found.at - last <= 2.5 * HOUR
    assert found.since == last
    assert equipment.condition("bed").faults == ("offline",)


def test_what_takes_away_the_last_witness_is_the_grids_business(equipment):
    equipment.dead.update({"cord", "smoke", "hall_pir"})
    equipment.live(5 * HOUR)

    assert {subject: severity for _, subject, severity in equipment.told("device_offline")} == {
        "cord": Severity.MEDIUM,  # nobody can call from the bathroom
        "smoke": Severity.MEDIUM,
        "hall_pir": Severity.TECHNICAL,  # the other one still sees life
    }


def test_a_dead_device_is_told_once_and_never_shown_as_well(equipment):
    equipment.dead.add("bed")
    equipment.live(3 * DAY)

    assert len(equipment.told("device_offline")) == 1
    assert equipment.condition("bed").faults == ("offline",)


def test_a_device_that_comes_and_goes_does_not_flap(equipment):
    for _ in range(4):
        equipment.says("cord", Kind.AVAILABLE, 0)
        equipment.live(20 * MINUTE)
        equipment.says("cord", Kind.AVAILABLE, 1)
        equipment.live(20 * MINUTE)

    assert equipment.told("device_offline") == [("device_offline", "cord", Severity.MEDIUM)]
    assert equipment.condition("cord").faults == ()


def test_a_panic_button_that_leaves_its_network_is_told_at_once(equipment):
    equipment.says("cord", Kind.AVAILABLE, 0)
    [found] = equipment.found

    assert (found.code, found.severity, found.fact("how")) == ("device_offline", Severity.MEDIUM, "left")
    assert found.fact("blinds") == "sos"


def test_a_dark_hub_is_no_fault_of_its_devices(equipment):
    equipment.hub_is_dark = True
    equipment.live(8 * HOUR)
    equipment.hub_is_dark = False
    equipment.live(90 * MINUTE)

    assert {code for code, *_ in equipment.told()} == {"home_silent"}
    assert equipment.gaps() == []


def test_without_a_promise_of_the_hub_silence_says_nothing():
    recording = Equipment(a_flat(interval=None))
    recording.live(DAY)
    recording.dead.update(one.id for one in recording.home.sensors)
    recording.live(2 * DAY, moves=False)

    assert recording.told("device_offline") == []


# --------------------------------------------------------------------------- functions


def test_a_sensor_that_reports_and_sees_nobody_is_mute():
    lived = Equipment()
    lived.live(21 * DAY)
    lived._moves = lambda: lived.says("hall_pir", Kind.MOTION, 1)
    lived.live(4 * DAY)

    assert ("device_mute", "bath_pir", Severity.MEDIUM) in lived.told()
    assert ("fall", "bath", "sensor_mute") in lived.gaps()
    lived.says("bath_pir", Kind.MOTION, 1)
    assert lived.gaps() == []


def test_nobody_is_called_mute_while_the_home_is_empty():
    lived = Equipment()
    lived.live(21 * DAY)
    lived.found.clear()
    lived.says("door", Kind.DOOR, 1)
    lived.live(12 * DAY, moves=False)

    assert lived.told("device_mute", "device_stuck", "device_offline") == []


def test_a_motion_sensor_that_never_clears_is_stuck(equipment):
    equipment.live(6 * HOUR)
    equipment.dead.add("hall_pir")  # of its own accord it says nothing new
    equipment.says("hall_pir", Kind.MOTION, 1)
    equipment.live(150 * MINUTE)

    assert ("device_stuck", "hall_pir", Severity.TECHNICAL) in equipment.told()


def test_what_chatters_is_told_and_is_no_life(equipment):
    equipment.live(8 * HOUR)
    for _ in range(120):
        equipment.now += timedelta(seconds=0.4)
        equipment.says("hall_pir", Kind.MOTION, 1)
    life = equipment.watch.detectors["inactivity"].state.life_at

    assert equipment.told() == [("device_chatter", "hall_pir", Severity.TECHNICAL)]
    assert equipment.now - life > timedelta(seconds=10)
    equipment.live(15 * MINUTE, moves=False)
    assert equipment.condition("hall_pir").faults == ()


def test_a_flood_is_told_once_with_what_was_cut(equipment):
    for _ in range(3):
        equipment.says("plug", Kind.CUT, 900)
        equipment.live(MINUTE)

    assert equipment.told() == [("device_flood", "plug", Severity.TECHNICAL)]
    assert equipment.found[0].fact("count") == "900"


def test_a_link_that_fades_is_told_once(equipment):
    for hour in range(80):
        equipment.live(HOUR)
        equipment.says("bed", Kind.LINK, 120 - hour % 7 if hour < 50 else 38 + hour % 5)

    assert equipment.told("link_weak") == [("link_weak", "bed", Severity.TECHNICAL)]


# --------------------------------------------------------------------------- batteries and hubs


def test_an_empty_battery_is_told_once_and_a_new_one_begins_anew(equipment):
    for percent in (40, 30, 22, 21, 18, 17, 16, 19, 15, 14, 14):
        equipment.says("bed", Kind.BATTERY, percent)
        equipment.live(DAY)

    assert equipment.told("battery_low") == [("battery_low", "bed", Severity.TECHNICAL)]
    assert "battery_low" in equipment.condition("bed").faults
    equipment.says("bed", Kind.BATTERY, 100)
    equipment.live(3 * DAY)
    assert equipment.condition("bed").faults == ()


def test_one_cold_morning_tells_nothing(equipment):
    for percent in (70, 12, 69, 70, 69):
        equipment.says("bed", Kind.BATTERY, percent)
        equipment.live(8 * HOUR)
        equipment.says("bed", Kind.BATTERY, 69)
        equipment.live(16 * HOUR)

    assert equipment.told() == []


def test_a_device_that_only_knows_low_is_believed_on_the_second_day(equipment):
    equipment.says("smoke", Kind.BATTERY_LOW, 1)
    equipment.live(3 * DAY)

    assert equipment.told() == [("battery_low", "smoke", Severity.TECHNICAL)]


def test_of_a_device_that_only_knows_low_the_next_battery_is_told_of_too(equipment):
    equipment.says("smoke", Kind.BATTERY_LOW, 1)
    equipment.live(3 * DAY)
    equipment.says("smoke", Kind.BATTERY_LOW, 0)  # a warm noon, and low again
    equipment.live(2 * DAY)
    equipment.says("smoke", Kind.BATTERY_LOW, 1)
    equipment.live(3 * DAY)
    assert len(equipment.told("battery_low")) == 1

    equipment.says("smoke", Kind.BATTERY_LOW, 0)  # somebody has put in a new one
    equipment.live(9 * DAY)
    assert "battery_low" not in equipment.condition("smoke").faults

    equipment.says("smoke", Kind.BATTERY_LOW, 1)
    equipment.live(3 * DAY)
    assert len(equipment.told("battery_low")) == 2


def test_a_power_cut_is_equipment_first_and_the_grids_after_half_an_hour(equipment):
    equipment.says("hub1", Kind.MAINS, 0)
    equipment.live(40 * MINUTE)

    assert equipment.told() == [
        ("power_fail", "hub1", Severity.TECHNICAL),
        ("power_fail", "hub1", Severity.MEDIUM),
    ]
    assert [one.at - one.since for one in equipment.found] == [MINUTE, 30 * MINUTE]


def test_a_flicker_of_the_light_is_no_power_cut(equipment):
    equipment.says("hub1", Kind.MAINS, 0)
    equipment.now += timedelta(seconds=30)
    equipment.says("hub1", Kind.MAINS, 1)
    equipment.live(HOUR)

    assert equipment.told() == []


def test_a_wrong_clock_is_told_once(equipment):
    for ahead in (3, 400, 420, 90, 430):
        equipment.says("hub1", Kind.CLOCK, ahead)

    assert equipment.told() == [("hub_clock", "hub1", Severity.TECHNICAL)]


# --------------------------------------------------------------------------- what follows from it


def test_a_dead_sensor_is_not_an_inactive_person(equipment):
    """The hall sensor is all that sees her just now, and it dies."""
    equipment.live(2 * HOUR)
    equipment.dead.update({"hall_pir", "bath_pir"})
    equipment.live(5 * HOUR)

    assert {code for code, *_ in equipment.told()} == {"device_offline"}


def test_a_person_who_lies_still_is_told_while_all_sensors_live(equipment):
    equipment.live(6 * HOUR)
    equipment.live(4 * HOUR, moves=False)
    [found] = equipment.found

    assert found.code == "inactivity"
    assert timedelta(hours=3) <= found.at - found.since <= timedelta(hours=3, minutes=20)


def test_one_blind_eye_is_named_and_doubles_the_patience(equipment):
    equipment.dead.add("bed")
    equipment.live(6 * HOUR)
    equipment.found.clear()
    equipment.live(8 * HOUR, moves=False)
    [found] = [one for one in equipment.found if one.code == "inactivity"]

    assert found.blind == ("bed",)
    assert timedelta(hours=6) <= found.at - found.since <= timedelta(hours=6, minutes=10)


def test_restored_is_replayed_with_faults_batteries_and_gaps(equipment):
    equipment.dead.update({"bed", "cord"})
    equipment.says("smoke", Kind.BATTERY, 40)
    equipment.live(9 * HOUR)
    again = watch_over(equipment.home, {"inactivity": {"learns": False}})

    assert again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(equipment.watch.checkpoint())))
    assert again.checkpoint() == equipment.watch.checkpoint()
    assert again.gaps() == equipment.watch.gaps()
    assert again.conditions() == equipment.watch.conditions()


def test_the_memory_of_a_home_with_eight_devices_is_small():
    lived = Equipment(a_flat(*SENSORS, ("second", Role.MOTION, "bedroom")))
    for _ in range(40):
        lived.live(DAY)
        for sensor in lived.home.sensors:
            lived.says(sensor.id, Kind.BATTERY, 80 - lived.minute % 7)
            lived.says(sensor.id, Kind.LINK, 100)

    assert len(msgspec.msgpack.encode(lived.watch.checkpoint())) <= 4096


# --------------------------------------------------------------------------- in words


def test_a_gap_is_said_as_an_installer_would_say_it():
    home = a_flat()
    since = datetime(2026, 3, 3, 6, 10, tzinfo=UTC)
    gap = Gap(home="h1", what="fall", why="sensor_silent", since=since, room="bath", sensor="bath_pir")

    assert say_gap(gap, home, "zh") == "卫生间的跌倒自周二 14:10 起无法发现：移动传感器没有消息。"
    assert (
        say_gap(gap, home, "en") == "Falls in the bathroom cannot be noticed since Tuesday 14:10: motion sensor silent."
    )
    assert "03-03 14:10" in say_gap(gap, home, "zh", since + 30 * DAY)


def test_a_coverage_statement_is_calm_where_all_is_well(equipment):
    assert say_coverage(equipment.watch.gaps(), equipment.home, "zh") == "已登记的设备全部正常，没有盲区。"
    equipment.hub_is_dark = True
    equipment.live(HOUR)
    said = say_coverage(equipment.watch.gaps(), equipment.home, "en", equipment.now)

    assert said.startswith("Nothing in this home can be noticed since ")
    assert said.endswith(": the hub is silent.")


def test_what_was_never_installed_is_said_apart():
    bare = Equipment(a_flat(("hall_pir", Role.MOTION, "hall"), ("door", Role.EXIT_DOOR, "hall")))
    bare.live(HOUR)

    assert say_coverage(bare.watch.gaps(), bare.home, "zh") == (
        "已登记的设备全部正常，没有盲区。没有安装相应设备，因此无法发现：紧急呼叫、烟雾、离床未归、卫生间的跌倒。"
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_fault_and_every_finding_has_words(equipment, language):
    equipment.dead.add("bed")
    equipment.says("hub1", Kind.MAINS, 0)
    equipment.says("hub1", Kind.CLOCK, 999)
    equipment.says("cord", Kind.TAMPER, 1)
    equipment.says("plug", Kind.CUT, 5)
    equipment.live(5 * HOUR)

    for finding in equipment.found:
        sentences = explain(finding, language, equipment.home.zone, equipment.home)
        assert sentences
        assert not any("{" in one or finding.code in one for one in sentences)
    for condition in equipment.watch.conditions():
        assert all(fault_name(code, language) != code for code in condition.faults)


# --------------------------------------------------------------------------- what a device says of itself


def test_a_device_that_says_it_cannot_work_is_believed_after_ten_minutes_and_blinds(equipment):
    equipment.says("smoke", Kind.FAULT, 1)
    equipment.live(9 * MINUTE)
    assert equipment.told() == []

    equipment.live(2 * MINUTE)

    assert equipment.told() == [("device_faulty", "smoke", Severity.MEDIUM)]
    assert equipment.gaps() == [("smoke", "hall", "sensor_faulty")]
    assert fault_name("faulty", "zh") == "自报故障"

    equipment.says("smoke", Kind.FAULT, 0)

    assert equipment.gaps() == []


def test_a_gas_sensor_that_warms_up_after_a_power_failure_is_no_news(equipment):
    equipment.says("smoke", Kind.FAULT, 1)
    equipment.live(4 * MINUTE)
    equipment.says("smoke", Kind.FAULT, 0)
    equipment.live(HOUR)

    assert equipment.told() == []


def test_a_connection_that_breaks_off_for_a_moment_is_no_news(equipment):
    equipment.says("plug", Kind.CONNECTED, 0)
    equipment.live(2 * MINUTE)
    equipment.says("plug", Kind.CONNECTED, 1)
    equipment.live(20 * MINUTE)

    assert equipment.told() == []


def test_a_device_on_wifi_that_does_not_come_back_is_missed_within_ten_minutes(equipment):
    equipment.dead.add("cord")  # it says nothing for days, so only its connection tells
    equipment.says("cord", Kind.CONNECTED, 0)
    gone = equipment.now
    equipment.live(10 * MINUTE)

    [found] = equipment.found
    assert (found.code, found.subject) == ("device_offline", "cord")
    assert found.at - gone <= 10 * MINUTE
    assert dict(found.facts)["how"] == "left"


def test_a_cuff_that_nobody_uses_is_not_missed():
    equipment = Equipment(a_flat(*SENSORS, ("cuff", Role.VITALS, "bedroom")))
    equipment.dead.add("cuff")
    equipment.live(timedelta(days=2))

    assert equipment.told("device_offline") == []


def test_sensors_are_asked_seldom_whether_they_are_stuck_and_no_later_than_if_they_always_were():
    """Each sees nothing but what it saw last, or nothing at all, from some moment on."""
    lives, dice = neighbourhood(7, BEGIN + 6 * DAY, staged=False), Random(7)
    fate = {
        (home.id, sensor.id): (BEGIN + dice.random() * 4 * DAY, dice.choice(["well", "stuck", "dead"]))
        for home in lives.homes
        for sensor in home.sensors
    }
    seldom, always = ({home.id: watch_over(home) for home in lives.homes} for _ in range(2))
    asked, told = Context(listening_since=BEGIN), {True: [], False: []}
    for reading in lives.history(6 * DAY):
        at, how = fate.get((reading.home, reading.sensor), (reading.at, "well"))
        if reading.at > at and (how == "dead" or (how == "stuck" and not reading.value)):
            continue
        always[reading.home].detectors["supervision"]._judge_at = 0
        for is_seldom, watches in ((True, seldom), (False, always)):
            told[is_seldom] += watches[reading.home].observe(reading, asked)

    assert told[True] == told[False]
    assert {one.code for one in told[True]} >= {"device_stuck"}
