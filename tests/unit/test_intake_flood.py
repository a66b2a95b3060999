"""A device that says too much is cut, counted and told; whoever calls for help is heard, and a backlog is no flood."""

from datetime import timedelta

import pytest
from the_intake import HOME, HUB, Ear, Registered, a_home, brief, iso, sensor, why

from gateway.domain import Kind, Reading, Role
from gateway.ports import Message
from ingest.intake import STRANGERS_LISTED, Intake

PIR = sensor("pir", Role.MOTION, 1)
DOOR = sensor("door", Role.EXIT_DOOR, 2)
BUTTON = sensor("sos/bed", Role.SOS, 3)
SMOKE = sensor("smoke", Role.SMOKE, 4)


def flooding(ear: Ear, name: str = "pir", count: int = 1000) -> int:
    """One device says so many things at this moment; how many of them were used."""
    used = 0
    for number in range(count):
        used += not ear.hears(f"zigbee2mqtt/{name}", {"occupancy": bool(number % 2)}).is_cut
    return used


def cuts(ear: Ear) -> list[float]:
    return [one.value for one in ear.readings if one.kind is Kind.CUT]


# --------------------------------------------------------------------------- how much


def test_two_hundred_at_once_and_then_twenty_a_second():
    ear = Ear(PIR)

    assert flooding(ear) == 200
    for _ in range(5):
        ear.after(seconds=1)
        assert flooding(ear) == 20


def test_five_thousand_a_second_for_a_minute_leave_twenty_a_second():
    ear = Ear(PIR)

    used = 0
    for _ in range(6000):  # every 10 ms fifty
        ear.after(seconds=0.01)
        used += flooding(ear, count=50)

    assert 200 + 20 * 60 - 1 <= used <= 200 + 20 * 60


def test_a_device_that_was_quiet_has_its_burst_again():
    ear = Ear(PIR)
    flooding(ear)

    ear.after(seconds=10)

    assert flooding(ear) == 200


def test_its_neighbours_feel_nothing():
    ear = Ear(PIR, DOOR)
    flooding(ear)

    assert ear.z2m("door", contact=False) == [(Kind.DOOR, 1)]


def test_a_list_counts_as_what_it_lists():
    ear = Ear(sensor("pir", Role.MOTION))
    many = [{"kind": "motion"}] * 1000

    assert len(ear.hears("plain/pir", many).readings) == 1000
    assert ear.hears("plain/pir", many).is_cut
    assert ear.after(seconds=30).hears("plain/pir", many).is_cut
    assert not ear.after(seconds=30).hears("plain/pir", many).is_cut


# --------------------------------------------------------------------------- it is counted and told


def test_what_is_cut_is_told_at_once_then_each_minute_and_the_rest_afterwards():
    ear = Ear(PIR)
    cut = 0
    for _ in range(150):  # two and a half minutes
        ear.after(seconds=1)
        cut += 40 - flooding(ear, count=40)
    told = [(one.sensor, one.home) for one in ear.readings if one.kind is Kind.CUT]
    ear.after(minutes=10).z2m("pir", occupancy=False)

    assert told == [("pir", HOME)] * 3
    assert cuts(ear)[0] == 1
    assert len(cuts(ear)) == 4
    assert sum(cuts(ear)) == cut > 0


def test_a_second_flood_is_told_at_once_again():
    ear = Ear(PIR)
    flooding(ear, count=201)
    ear.after(hours=1)
    flooding(ear, count=201)

    assert cuts(ear) == [1, 1]


def test_what_is_cut_still_proves_that_the_hub_is_there():
    ear = Ear(PIR)
    flooding(ear)

    taken = ear.hears("zigbee2mqtt/pir", {"occupancy": True})

    assert (taken.is_cut, taken.heard, taken.readings, taken.quarantined) == (True, True, [], [])


def test_a_change_that_was_cut_is_not_taken_for_known():
    ear = Ear(DOOR)
    ear.z2m("door", contact=True)
    for _ in range(300):
        ear.z2m("door", contact=True)
    ear.readings.clear()

    assert ear.z2m("door", contact=False) == []
    assert ear.after(seconds=1).z2m("door", contact=False) == [(Kind.DOOR, 1)]


def test_a_flood_of_what_cannot_be_read_is_cut_as_well():
    ear = Ear(PIR)

    refused = [why(ear.hears("zigbee2mqtt/pir", b"{")) for _ in range(300)]

    assert refused.count(["bad-json"]) == 200
    assert cuts(ear) == [1]


# --------------------------------------------------------------------------- whoever calls is heard


@pytest.mark.parametrize("action", ["emergency", "single"])
def test_a_press_in_the_middle_of_its_buttons_own_flood(action):
    ear = Ear(BUTTON)
    for _ in range(300):
        ear.z2m("sos/bed", battery=90, linkquality=80)

    taken = ear.hears("zigbee2mqtt/sos/bed", {"action": action, "battery": 90})

    assert (Kind.SOS, 1) in brief(taken)
    assert taken.urgent
    assert not taken.is_cut


@pytest.mark.parametrize(
    ("key", "kind"), [("smoke", Kind.SMOKE), ("gas", Kind.GAS), ("water_leak", Kind.LEAK), ("sos", Kind.SOS)]
)
def test_a_danger_in_the_middle_of_its_devices_own_flood(key, kind):
    ear = Ear(SMOKE)
    for _ in range(300):
        ear.z2m("smoke", **{key: False})

    assert (kind, 1) in ear.z2m("smoke", **{key: True})
    assert ear.hears("zigbee2mqtt/smoke", {key: True}).is_cut  # known by now


def test_of_a_button_that_presses_itself_one_call_a_second_passes_in_its_flood():
    ear = Ear(BUTTON)
    for _ in range(200):
        ear.z2m("sos/bed", action="emergency")
    ear.readings.clear()

    for _ in range(1000):
        ear.z2m("sos/bed", action="emergency")

    assert ear.said.count((Kind.SOS, 1)) == 1


# --------------------------------------------------------------------------- a backlog is none


def stored_up(ear: Ear, count: int, every: timedelta, *, oldest_first: bool = True) -> int:
    """So much comes in at this moment, each under its own time; how much of it was used."""
    moments = [ear.now - every * number for number in range(count)]
    used = 0
    for number, at in enumerate(reversed(moments) if oldest_first else moments):
        payload = {"occupancy": bool(number % 2), "last_seen": iso(at)}
        used += not ear.hears("zigbee2mqtt/pir", payload).is_cut
    return used


@pytest.mark.parametrize(
    ("count", "every"),
    [(1440, timedelta(seconds=30)), (5000, timedelta(milliseconds=200)), (3000, timedelta(milliseconds=60))],
    ids=["half a day", "a busy radar", "three minutes at nearly all that is allowed"],
)
def test_what_a_hub_kept_through_an_outage_comes_in_at_once(count, every):
    ear = Ear(PIR)
    ear.z2m("pir", occupancy=False, last_seen=iso(ear.now - every * (count + 1)))

    assert stored_up(ear, count, every) == count


def test_a_flood_that_was_kept_through_an_outage_is_cut_like_one_that_was_not():
    ear = Ear(PIR)

    used = stored_up(ear, 20_000, timedelta(milliseconds=1))  # twenty seconds of 1,000 a second

    assert 200 <= used <= 200 + 20 * 20


def test_past_hours_can_be_spent_once():
    ear = Ear(PIR)

    first, again = (stored_up(ear, 3000, timedelta(seconds=1)) for _ in range(2))

    assert first == 3000
    assert again <= 200


def test_a_clock_that_is_slow_makes_no_flood_of_what_is_none_and_hides_none():
    ear = Ear(PIR)
    used = 0
    for _ in range(60):
        ear.after(seconds=1)
        for part in range(100):
            at = ear.now - timedelta(hours=3) + timedelta(milliseconds=10 * part)
            used += not ear.hears("zigbee2mqtt/pir", {"occupancy": bool(part % 2), "last_seen": iso(at)}).is_cut

    assert 200 + 20 * 58 <= used <= 200 + 20 * 61


def test_a_clock_that_was_set_back_does_not_silence_its_device():
    ear = Ear(PIR)
    ear.z2m("pir", occupancy=False, last_seen=iso(ear.now))

    used = sum(
        not ear.after(seconds=2)
        .hears("zigbee2mqtt/pir", {"occupancy": True, "last_seen": iso(ear.now - timedelta(hours=6))})
        .is_cut
        for _ in range(1000)
    )

    assert used == 1000


def test_just_after_a_connection_more_may_come_without_a_time():
    ear = Ear(PIR)
    ear.intake.unsettle(ear.now + timedelta(seconds=30))

    assert 1900 < flooding(ear, count=3000) <= 2000


# --------------------------------------------------------------------------- strangers


def test_what_nobody_registered_is_limited_for_a_whole_hub_however_many_names_it_invents():
    ear = Ear(PIR)

    taken = [ear.hears(f"plain/x{number}", {"kind": "motion"}) for number in range(3000)]

    assert sum(not one.is_cut for one in taken) == 2000
    assert [(one.sensor, one.value) for one in ear.readings] == [(HUB, 1)]
    assert sum(len(one.devices) for one in taken) == STRANGERS_LISTED
    assert ear.z2m("pir", occupancy=True) == [(Kind.MOTION, 1)]


def test_a_stranger_that_calls_for_help_is_heard_in_the_flood_of_all_others():
    ear = Ear(PIR)
    for number in range(3000):
        ear.hears(f"plain/x{number}", {"kind": "motion"})

    assert brief(ear.hears("plain/pendant", {"kind": "sos"})) == [(Kind.SOS, 1)]


def test_a_flood_of_strangers_does_not_hide_that_a_button_has_left():
    ear = Ear(BUTTON)
    for number in range(3000):
        ear.hears(f"nonsense/{number}", b"x")

    left = {"type": "device_leave", "data": {"ieee_address": BUTTON.address, "friendly_name": "sos/bed"}}
    assert brief(ear.hears("zigbee2mqtt/bridge/event", left)) == [(Kind.AVAILABLE, 0)]


def test_hubs_that_nobody_registered_share_one_limit_and_what_is_cut_can_be_seen():
    ear = Ear(PIR)

    taken = [ear.hears_at(f"shouwang/h{number}/plain/x", b"{}") for number in range(3000)]
    taken.append(ear.after(minutes=2).hears_at("shouwang/other/plain/x", b"{}"))
    put_away = [one for each in taken for one in each.quarantined]

    assert sum(one.reason == "unknown-hub" for one in put_away) == 2001
    assert sum(one.count for one in put_away if one.reason == "flooded") == 1000


def test_other_homes_feel_nothing():
    other = a_home(sensor("pir", Role.MOTION, 9), home="home-8", hub="hub-8")
    ear = Ear(PIR)
    intake = Intake(Registered(*ear.directory.all, other))
    for number in range(3000):
        intake.take(Message(f"shouwang/{HUB}/zigbee2mqtt/{PIR.address}", b'{"occupancy":true}', ear.now), number)
        intake.take(Message(f"shouwang/{HUB}/x/y", b"", ear.now), number)

    taken = intake.take(Message(f"shouwang/hub-8/zigbee2mqtt/{other.sensors[0].address}", b"{}", ear.now), 3001)

    assert not taken.is_cut


# --------------------------------------------------------------------------- memory


def test_a_restart_forgets_that_there_was_a_flood_and_nothing_else():
    ear = Ear(PIR)
    flooding(ear)
    again = Ear(PIR)
    for reading in ear.readings:
        again.intake.devices.recall(reading)
    again.intake.devices.recall(Reading(HOME, HUB, "", Kind.CUT, 9.0, ear.now, ear.now, 5))

    for name, values in again.intake.devices.last_values(HOME)["sensors"].items():
        assert (name, Kind.CUT.value.encode() in values) == ("pir", False)
    assert flooding(again.after(seconds=1)) == 200


def test_a_change_in_the_registry_does_not_open_the_gate():
    ear = Ear(PIR)
    flooding(ear)

    ear.intake.devices.refresh()

    assert flooding(ear) == 0
