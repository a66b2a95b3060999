"""A device that is there but has nothing new to say is noted now and then; and how a hub itself is."""

from datetime import timedelta

import pytest
from the_intake import HOME, HUB, MORNING, Ear, Registered, a_home, address, brief, iso, sensor, why, written_down

from gateway.domain import Kind, Role
from gateway.ports import HubDevice
from ingest.intake import Intake

DOOR = sensor("door", Role.EXIT_DOOR, 1)
PIR = sensor("pir", Role.MOTION, 2)
PLAIN = sensor("kitchen", Role.MOTION)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def said(ear: Ear, minutes: int, *, every: int = 1, dated: bool = True) -> list[float]:
    """A door repeats for so long that it is closed; the minutes at which it is noted as alive."""
    begins = ear.now
    for _ in range(0, minutes, every):
        ear.after(minutes=every).z2m("door", contact=True, **({"last_seen": iso(ear.now)} if dated else {}))
    return [(one.at - begins) / MINUTE for one in ear.alive]


# --------------------------------------------------------------------------- alive


@pytest.mark.parametrize("dated", [True, False], ids=["last_seen", "no time"])
def test_a_door_that_stays_closed_is_noted_every_other_minute(dated):
    ear = Ear(DOOR)
    ear.z2m("door", contact=True, **({"last_seen": iso(ear.now)} if dated else {}))
    ear.alive.clear()

    assert said(ear, 10, dated=dated) == [2, 4, 6, 8, 10]
    assert {(one.kind, one.value, one.sensor, one.home) for one in ear.alive} == {(Kind.ALIVE, 1, "door", HOME)}
    assert not any(one.is_life for one in ear.alive)
    assert [one for one in ear.said if one[0] is Kind.DOOR] == [(Kind.DOOR, 0)]


def test_one_that_has_news_needs_no_such_note():
    ear = Ear(DOOR)
    ear.z2m("door", contact=True, last_seen=iso(ear.now))
    ear.alive.clear()

    for number in range(10):
        ear.after(minutes=3).z2m("door", contact=bool(number % 2), last_seen=iso(ear.now))
        ear.after(minutes=1).z2m("door", contact=bool(number % 2), last_seen=iso(ear.now))

    assert ear.alive == []


def test_what_a_broker_kept_proves_nothing_about_now():
    ear = Ear(DOOR)

    ear.hears("zigbee2mqtt/door", {"contact": True}, retained=True)
    ear.after(hours=1).hears("zigbee2mqtt/door", {"contact": True, "last_seen": iso(ear.now)}, retained=True)

    assert ear.alive == []


def test_a_bridge_that_starts_repeats_old_times_and_no_dead_device_comes_to_life():
    ear = Ear(DOOR)
    died = ear.now
    ear.z2m("door", contact=True, last_seen=iso(died))
    ear.alive.clear()

    for _ in range(3):
        ear.after(hours=5).hears("zigbee2mqtt/bridge/state", {"state": "online"})
        ear.after(seconds=3).z2m("door", contact=True, last_seen=iso(died + SECOND))

    assert ear.alive == []


def test_nor_where_it_tells_no_times():
    ear = Ear(DOOR)
    ear.z2m("door", contact=True)
    ear.alive.clear()

    ear.after(hours=5).hears("zigbee2mqtt/bridge/state", {"state": "online"})
    ear.after(seconds=3).z2m("door", contact=True)
    assert ear.alive == []

    ear.after(hours=5).z2m("door", contact=True)
    assert [one.at for one in ear.alive] == [ear.now]


def test_nor_just_after_a_connection_of_ours():
    ear = Ear(DOOR)
    ear.z2m("door", contact=True)
    ear.alive.clear()

    ear.after(hours=5).intake.unsettle(ear.now + 30 * SECOND)
    ear.z2m("door", contact=True)
    assert ear.alive == []

    ear.after(seconds=31).z2m("door", contact=True)
    assert len(ear.alive) == 1


def test_what_was_stored_up_was_alive_then():
    ear = Ear(DOOR)
    ear.z2m("door", contact=True, last_seen=iso(ear.now))
    ear.alive.clear()
    began = ear.now
    ear.after(hours=6)

    for minute in range(1, 361):
        ear.z2m("door", contact=True, last_seen=iso(began + minute * MINUTE))

    assert [(one.at - began) / MINUTE for one in ear.alive] == list(range(2, 361, 2))
    assert ear.alive[0].late
    assert not ear.alive[-1].late


def test_a_clock_that_was_set_back_hides_no_living_device():
    ear = Ear(DOOR)
    ear.z2m("door", contact=True, last_seen=iso(ear.now))
    ear.alive.clear()

    for _ in range(60):
        ear.after(minutes=1).z2m("door", contact=True, last_seen=iso(ear.now - timedelta(hours=3)))

    assert len(ear.alive) == 30


@pytest.mark.parametrize("dated", [True, False], ids=["last_seen", "no time"])
def test_our_own_clock_that_was_set_back_hides_no_living_device(dated):
    ear = Ear(DOOR)
    ear.z2m("door", contact=True, **({"last_seen": iso(ear.now)} if dated else {}))
    ear.alive.clear()
    ear.after(hours=-6)

    assert said(ear, 10, dated=dated) == [1, 3, 5, 7, 9]


def test_reach_is_the_word_of_the_bridge_and_not_of_the_device():
    ear = Ear(DOOR)

    for state in (b"online", b"offline", b"offline"):
        ear.after(minutes=10).hears("zigbee2mqtt/door/availability", state)

    assert ear.alive == []


def test_a_heartbeat_is_all_that_it_takes():
    ear = Ear(PLAIN)

    ear.plain("kitchen", kind="heartbeat")
    ear.after(minutes=5).plain("kitchen", kind="heartbeat")

    assert len(ear.alive) == 2
    assert ear.readings == []


def test_told_again_it_is_the_same_reading():
    said_again = []
    for _ in range(2):
        ear = Ear(DOOR)
        ear.z2m("door", contact=True, last_seen=iso(MORNING))
        ear.after(minutes=9).z2m("door", contact=True, last_seen=iso(MORNING + 8 * MINUTE))
        said_again.append([(one.at, one.seq, one.kind) for one in ear.alive])

    assert said_again[0] == said_again[1]
    assert all(seq for _, seq, _ in said_again[0])


def test_after_a_restart_it_is_noted_when_it_would_have_been():
    ear = Ear(DOOR)
    ear.z2m("door", contact=True, last_seen=iso(ear.now))
    said(ear, 5)
    recalled, restored = Ear(DOOR), Ear(DOOR)
    for reading in sorted(ear.readings + ear.alive, key=lambda one: one.arrival):
        recalled.intake.devices.recall(reading)
    restored.intake.devices.restore_values(HOME, written_down(ear.intake.devices.last_values(HOME)))

    for again in (recalled, restored, ear):
        again.alive.clear()
        again.now = MORNING + 5 * MINUTE
        assert said(again, 4) == [1, 3]


# --------------------------------------------------------------------------- by the bridge's own counters


def health(ear: Ear, *, retained: bool = False, **counts: int) -> list[str]:
    """The bridge says how many messages it has had from each device; who is thereby noted as alive."""
    ear.alive.clear()
    where = {one.name: one.address for one in (DOOR, PIR)}
    devices = {where[name]: {"messages": count, "leave_count": 0} for name, count in counts.items()}
    told = {"response_time": int(ear.now.timestamp() * 1000), "devices": devices}
    ear.hears("zigbee2mqtt/bridge/health", told, retained=retained)
    return [one.sensor for one in ear.alive]


def test_a_device_whose_counter_grows_is_alive_although_nothing_of_it_was_published():
    ear = Ear(DOOR, PIR)

    assert health(ear, door=40, pir=7) == []
    assert health(ear.after(minutes=3), door=41, pir=7) == ["door"]
    assert health(ear.after(minutes=3), door=41, pir=7) == []
    assert health(ear.after(minutes=3), door=42, pir=8) == ["door", "pir"]
    assert health(ear.after(minutes=1), door=43, pir=9) == []


def test_a_bridge_that_was_restarted_counts_anew():
    ear = Ear(DOOR, PIR)
    health(ear, door=40, pir=7)

    assert health(ear.after(minutes=3), door=2, pir=0) == ["door"]


def test_retained_counters_are_where_it_starts_from():
    ear = Ear(DOOR, PIR)

    assert health(ear, retained=True, door=40, pir=7) == []
    assert health(ear.after(minutes=3), door=40, pir=8) == ["pir"]


@pytest.mark.parametrize(
    "devices", [None, [], {"0x1": 4}, {"0x1": {"messages": -1}}, {"0x1": {"messages": True}}, {"": {"messages": 2}}]
)
def test_counters_that_are_none(devices):
    taken = Ear(DOOR).hears("zigbee2mqtt/bridge/health", {"devices": devices})

    assert (taken.readings, taken.quarantined) == ([], [])


# --------------------------------------------------------------------------- the hub itself


def heartbeat(ear: Ear, **facts: object) -> list[tuple[Kind, float]]:
    return brief(ear.hears("plain/hub", {"kind": "heartbeat", **facts}))


def test_power_fails_and_comes_back():
    ear = Ear(DOOR)

    assert heartbeat(ear, mains=True, battery=100) == [(Kind.MAINS, 1), (Kind.BATTERY, 100)]
    assert heartbeat(ear.after(minutes=1), mains=True, battery=100) == []
    assert heartbeat(ear.after(minutes=1), mains=False, battery=99) == [(Kind.MAINS, 0)]
    assert heartbeat(ear.after(minutes=20), mains=False, battery=85) == [(Kind.BATTERY, 85)]
    assert heartbeat(ear.after(minutes=1), mains=True, battery=84) == [(Kind.MAINS, 1)]
    assert {(one.home, one.sensor, one.room) for one in ear.readings} == {(HOME, HUB, "")}


def test_a_power_cut_that_was_stored_up_is_told_under_its_own_time():
    ear = Ear(DOOR)
    heartbeat(ear, mains=True, at=iso(ear.now))
    failed, restored = ear.now + MINUTE, ear.now + 40 * MINUTE
    ear.after(hours=2)

    heartbeat(ear, mains=False, at=iso(failed))
    heartbeat(ear, mains=True, at=iso(restored))

    mains = [(one.value, one.at, one.late) for one in ear.readings if one.kind is Kind.MAINS]
    assert mains[1:] == [(0, failed, True), (1, restored, True)]


def test_how_a_hub_is_survives_a_restart():
    ear = Ear(DOOR)
    heartbeat(ear, mains=False, battery=60)
    recalled, restored = Ear(DOOR), Ear(DOOR)
    for reading in ear.readings:
        recalled.intake.devices.recall(reading)
    restored.intake.devices.restore_values(HOME, written_down(ear.intake.devices.last_values(HOME)))

    for again in (recalled, restored):
        assert heartbeat(again.after(minutes=1), mains=False, battery=60) == []
        assert heartbeat(again, mains=True) == [(Kind.MAINS, 1)]


@pytest.mark.parametrize("fact", [{"mains": "perhaps"}, {"battery": 400}, {"at": "noon"}])
def test_a_fact_that_cannot_be_read_is_put_away_and_the_hub_is_heard(fact):
    taken = Ear(DOOR).hears("plain/hub", {"kind": "heartbeat", **fact})

    assert (taken.heard, taken.readings, why(taken)) == (True, [], ["bad-value"])


def clock(ear: Ear, minutes: int, ahead: float, *, held_up: float = 0.2) -> list[float]:
    """Heartbeats for so long from a hub whose clock is so many seconds ahead; what is said of its clock."""
    ear.readings.clear()
    for _ in range(minutes):
        ear.after(minutes=1)
        heartbeat(ear, at=iso(ear.now + timedelta(seconds=ahead - held_up)))
    return [one.value for one in ear.readings if one.kind is Kind.CLOCK]


def test_how_a_hubs_clock_stands_is_told_once_and_when_it_has_moved():
    ear = Ear(DOOR)

    assert clock(ear, 60, 0) == [0]
    assert clock(ear, 60, 90) == [90]
    assert clock(ear, 60, 90.9) == []
    assert clock(ear, 60, -3600) == [-3600]


def test_an_outage_is_no_slow_clock():
    ear = Ear(DOOR)
    clock(ear, 30, 0)
    began = ear.now
    ear.readings.clear()
    ear.after(hours=3)
    for minute in range(1, 180):
        heartbeat(ear, at=iso(began + minute * MINUTE))

    assert [one for one in ear.readings if one.kind is Kind.CLOCK] == []
    assert clock(ear, 60, 0) == []


def test_the_bridge_shows_its_clock_too():
    ear = Ear(DOOR)
    for _ in range(12):
        ear.after(minutes=1)
        health(ear, door=4)

    assert ear.said == [(Kind.CLOCK, 0)]


# --------------------------------------------------------------------------- what waits for its installer


def test_a_plain_device_nobody_registered_is_listed_once_with_what_it_spoke_of():
    ear = Ear(DOOR)

    first = ear.hears("plain/sos/cord", {"kind": "battery", "value": 80})
    again = ear.hears("plain/cord", {"kind": "motion"})

    assert (first.devices, again.devices) == ([HubDevice(HUB, "cord", "cord")], [])
    assert why(first) == ["unknown-device"]
    assert again.quarantined[0].detail == "battery movement"


def test_one_that_its_hub_lists_is_not_listed_again():
    ear = Ear(DOOR, names={"spare": address(9)})

    taken = ear.hears("zigbee2mqtt/spare", {"occupancy": True, "battery": 90})

    assert taken.devices == []
    assert taken.quarantined[0].detail == "battery movement"


def test_a_strangers_name_is_not_taken_for_one_of_the_hubs_own():
    """A plain device and a Zigbee device may bear the same name; after a restart too."""
    ear = Ear(DOOR)
    ear.intake.devices.remember([HubDevice(HUB, "door", "door")])

    assert ear.z2m("door", contact=True) == [(Kind.DOOR, 0)]
    assert ear.hears("plain/door", {"kind": "motion"}).readings == []


def test_what_was_listed_in_an_earlier_run_is_not_listed_again():
    ear = Ear(DOOR)
    ear.intake.devices.remember([HubDevice(HUB, "cord", "cord")])

    assert ear.hears("plain/cord", {"kind": "motion"}).devices == []


def test_once_registered_it_is_heard():
    ear = Ear(DOOR)
    ear.hears("plain/cord", {"kind": "motion"})

    ear.directory.all = [a_home(DOOR, sensor("cord", Role.MOTION))]
    ear.intake.devices.refresh()

    assert ear.plain("cord", kind="motion") == [(Kind.MOTION, 1)]


# --------------------------------------------------------------------------- what its hub announced


def test_a_decoder_is_told_what_the_hub_announced_and_told_anew_when_that_changes(monkeypatch):
    ear = Ear(DOOR, names={"door": DOOR.address})
    given = []
    decoder = type(ear.intake._find(f"shouwang/{HUB}/zigbee2mqtt/door", MORNING).decoder)
    decode = decoder.decode
    monkeypatch.setattr(
        decoder,
        "decode",
        lambda self, payload, key="", device=None, *_: given.append(device) or decode(self, payload, key),
    )

    ear.z2m("door", contact=True)
    entry = {"ieee_address": DOOR.address, "friendly_name": "door", "definition": {"model": "SNZB-04", "vendor": "x"}}
    ear.hears("zigbee2mqtt/bridge/devices", [entry])
    ear.z2m("door", contact=True)
    ear.hears("zigbee2mqtt/bridge/event", {"type": "device_announce", "data": entry | {"definition": None}})
    ear.z2m("door", contact=True)

    assert [device.model for device in given] == ["", "SNZB-04", "SNZB-04"]


def test_what_a_hub_once_announced_of_a_device_is_known_after_a_restart():
    intake = Intake(Registered(a_home(DOOR)))
    announced = HubDevice(HUB, DOOR.address, "door", "SNZB-04", "SONOFF")

    intake.devices.remember([announced])

    assert intake._find(f"shouwang/{HUB}/zigbee2mqtt/door", MORNING).device == announced
