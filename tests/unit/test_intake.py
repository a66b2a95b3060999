"""What comes of a message: the rules that hold for every device, told as what happened in one home."""

from dataclasses import replace
from datetime import timedelta

import pytest
from the_intake import HOME, HUB, MORNING, Ear, Registered, a_home, address, brief, iso, sensor, why

from gateway.domain import Kind, Monitoring, Role
from gateway.ports import HubDevice, Message
from ingest.intake import Intake

DOOR = sensor("hall/door", Role.EXIT_DOOR, 1)
PIR = sensor("kitchen/pir", Role.MOTION, 2)
BUTTON = sensor("sos/bed", Role.SOS, 3, subject="wang")
SMOKE = sensor("smoke", Role.SMOKE, 4)


def awake(*sensors, **states):
    """An ear to which each of these sensors has spoken once, a while ago."""
    ear = Ear(*sensors)
    for name, keys in states.items():
        ear.z2m(next(one.name for one in sensors if one.id.replace("/", "_") == name), **keys)
    ear.readings.clear()
    ear.after(minutes=30)
    return ear


# --------------------------------------------------------------------------- a change is an event


def test_a_door_opens():
    ear = awake(DOOR, hall_door={"contact": True})

    [opened] = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "linkquality": 90}).readings[:1]

    assert (opened.home, opened.sensor, opened.room) == (HOME, "hall/door", "room")
    assert (opened.kind, opened.value, opened.at, opened.heard) == (Kind.DOOR, 1.0, ear.now, ear.now)
    assert opened.is_life
    assert not opened.late


def test_a_battery_report_repeats_the_open_door_and_nobody_has_moved():
    ear = awake(DOOR, hall_door={"contact": False, "battery": 90})

    assert ear.after(hours=1).z2m("hall/door", contact=False, battery=88) == [(Kind.BATTERY, 88)]
    assert ear.after(hours=5).z2m("hall/door", contact=False, battery=88) == []


def test_what_a_bridge_remembers_of_a_new_sensor_is_kept_but_is_no_sign_of_life():
    ear = Ear(DOOR, PIR)

    ear.z2m("kitchen/pir", occupancy=True)
    ear.z2m("hall/door", contact=True)

    assert ear.said == [(Kind.MOTION, 1), (Kind.DOOR, 0)]
    assert [one.is_undated for one in ear.readings] == [True, True]
    assert not any(one.is_life for one in ear.readings)


def test_the_first_change_of_a_new_sensor_is_life():
    ear = Ear(PIR)
    ear.z2m("kitchen/pir", occupancy=True)
    ear.after(seconds=90).z2m("kitchen/pir", occupancy=False)
    ear.after(minutes=5).z2m("kitchen/pir", occupancy=True)

    assert [one.is_life for one in ear.readings] == [False, True, True]


def test_a_bridge_that_starts_publishes_all_it_knew_and_nothing_has_happened():
    ear = awake(DOOR, PIR, hall_door={"contact": True}, kitchen_pir={"occupancy": False})

    assert ear.z2m("hall/door", contact=True) == []
    assert ear.z2m("kitchen/pir", occupancy=False) == []


def test_null_and_unknown_keys_say_nothing():
    ear = Ear(PIR)

    taken = ear.hears("zigbee2mqtt/kitchen/pir", {"occupancy": None, "update": {"state": "idle"}, "new_key": [1]})

    assert (taken.readings, taken.quarantined, taken.heard) == ([], [], True)


def test_one_bad_key_does_not_lose_its_neighbours():
    ear = awake(PIR, kitchen_pir={"occupancy": False})

    taken = ear.hears("zigbee2mqtt/kitchen/pir", {"battery": "full", "occupancy": True, "illuminance": -4})

    assert brief(taken) == [(Kind.MOTION, 1)]
    assert [(one.reason, one.detail.split(":")[0]) for one in taken.quarantined] == [
        ("bad-value", "battery"),
        ("bad-value", "illuminance"),
    ]


# --------------------------------------------------------------------------- the role comes from registration


@pytest.mark.parametrize(
    ("role", "keys", "then", "expected"),
    [
        (Role.EXIT_DOOR, {"contact": True}, {"contact": False}, (Kind.DOOR, 1)),
        (Role.OPENING, {"contact": True}, {"contact": False}, (Kind.OPENING, 1)),
        (Role.BED, {"contact": False}, {"contact": True}, (Kind.BED, 1)),
        (Role.CHAIR, {"contact": False}, {"contact": True}, (Kind.CHAIR, 1)),
        (Role.BED, {"pressure": False}, {"pressure": True}, (Kind.BED, 1)),
        (Role.BED, {"occupancy": False}, {"occupancy": True}, (Kind.BED, 1)),
        (Role.BED, {"vibration": False}, {"vibration": True}, (Kind.VIBRATION, 1)),
        (Role.BED, {"work_state": "none"}, {"work_state": "presence_5min"}, (Kind.BED, 1)),
        (Role.CHAIR, {"pressure_state": "none"}, {"pressure_state": "sit"}, (Kind.CHAIR, 1)),
        (Role.MOTION, {"occupancy": False}, {"occupancy": True}, (Kind.MOTION, 1)),
        (Role.MOTION, {"vibration": False}, {"vibration": True}, (Kind.VIBRATION, 1)),
        (Role.PRESENCE, {"presence": False}, {"presence": True}, (Kind.PRESENCE, 1)),
        (Role.PRESENCE, {"occupancy": False}, {"occupancy": True}, (Kind.PRESENCE, 1)),
        (Role.APPLIANCE, {"state": "OFF"}, {"state": "ON"}, (Kind.APPLIANCE, 1)),
        (Role.SOS, {"contact": True}, {"contact": False}, (Kind.SOS, 1)),
        (Role.SMOKE, {"smoke": False}, {"smoke": True}, (Kind.SMOKE, 1)),
        (Role.GAS, {"gas": False}, {"gas": True}, (Kind.GAS, 1)),
        (Role.CO, {"carbon_monoxide": False}, {"carbon_monoxide": True}, (Kind.CO, 1)),
        (Role.LEAK, {"water_leak": False}, {"water_leak": True}, (Kind.LEAK, 1)),
        (Role.FALL, {"fall_down_status": "none"}, {"fall_down_status": "fall"}, (Kind.FALL, 1)),
        (Role.FALL, {"fall_status": "normal"}, {"fall_status": "fall_alarm"}, (Kind.FALL, 1)),
    ],
)
def test_what_a_key_means_comes_from_the_role(role, keys, then, expected):
    ear = Ear(sensor("it", role, 9))
    ear.z2m("it", **keys)

    assert ear.after(minutes=1).z2m("it", **then) == [expected]


def test_a_mat_wired_the_other_way_round():
    ear = Ear(sensor("bed", Role.BED, 9, inverted=True))
    ear.z2m("bed", contact=True)

    assert ear.after(minutes=1).z2m("bed", contact=False) == [(Kind.BED, 1)]


def test_a_kettle_is_in_use_by_its_watts_although_its_plug_is_always_on():
    ear = Ear(sensor("kettle", Role.APPLIANCE, 9))
    ear.z2m("kettle", power=0.4, state="ON", voltage=229)
    ear.readings.clear()
    for minutes, power in ((10, 1850), (3, 7), (3, 0.4)):
        ear.after(minutes=minutes).z2m("kettle", power=power, state="ON", voltage=230)

    assert [one for one in ear.said if one[0] is Kind.APPLIANCE] == [(Kind.APPLIANCE, 1), (Kind.APPLIANCE, 0)]


def test_the_better_witness_is_believed_also_when_each_key_has_its_own_topic():
    ear = Ear(sensor("kettle", Role.APPLIANCE, 9))
    for _ in range(3):
        ear.after(minutes=5)
        ear.hears("zigbee2mqtt/kettle/state", b"ON")
        ear.hears("zigbee2mqtt/kettle/power", b"1")

    assert [one for one in ear.said if one[0] is Kind.APPLIANCE] == [(Kind.APPLIANCE, 1), (Kind.APPLIANCE, 0)]


def test_a_radar_first_suspects_a_fall_and_then_is_sure():
    ear = Ear(sensor("radar", Role.FALL, 9))
    ear.z2m("radar", fall_down_status="none")

    assert ear.z2m("radar", fall_down_status="maybe_fall") == [(Kind.MAYBE_FALL, 1)]
    assert ear.z2m("radar", fall_down_status="fall") == [(Kind.FALL, 1), (Kind.MAYBE_FALL, 0)]
    assert ear.z2m("radar", fall_down_status="fall") == []


def test_a_sensor_given_another_role_starts_anew():
    ear = Ear(sensor("it", Role.OPENING, 9))
    ear.z2m("it", contact=True)

    ear.directory.all = [a_home(sensor("it", Role.BED, 9))]
    ear.intake.devices.refresh()
    ear.after(minutes=1).z2m("it", contact=True)

    assert ear.said == [(Kind.OPENING, 0), (Kind.BED, 1)]
    assert ear.readings[-1].is_undated


def test_a_sensor_given_another_name_by_its_installer_goes_on():
    ear = awake(DOOR, hall_door={"contact": True})

    ear.directory.all = [a_home(replace(DOOR, room="stairs", name="前门"))]
    ear.intake.devices.refresh()

    assert ear.z2m("hall/door", contact=True) == []
    [opened] = ear.hears("zigbee2mqtt/hall/door", {"contact": False}).readings
    assert opened.room == "stairs"


# --------------------------------------------------------------------------- a press


@pytest.mark.parametrize("action", ["emergency", "sos", "single", "hold", "off", "a word no maker has used yet"])
def test_any_action_of_an_emergency_button_is_a_press(action):
    ear = Ear(BUTTON)

    taken = ear.hears("zigbee2mqtt/sos/bed", {"action": action, "battery": 100})

    assert brief(taken)[0] == (Kind.SOS, 1)
    assert taken.urgent
    assert taken.readings[0].subject == "wang"
    assert brief(taken).count((Kind.SOS, 1)) == 1


def test_the_same_press_again_is_another_press():
    ear = Ear(BUTTON)

    assert [ear.after(seconds=1).z2m("sos/bed", action="emergency") for _ in range(3)] == [[(Kind.SOS, 1)]] * 3


@pytest.mark.parametrize("echo", ["", None])
def test_an_empty_action_is_the_echo_of_one(echo):
    taken = Ear(BUTTON).hears("zigbee2mqtt/sos/bed", {"action": echo})

    assert (taken.readings, taken.quarantined, taken.urgent) == ([], [], False)


def test_a_retained_press_is_never_a_press_and_can_be_seen():
    taken = Ear(BUTTON).hears("zigbee2mqtt/sos/bed", {"action": "emergency"}, retained=True)

    assert (taken.readings, why(taken), taken.heard) == ([], ["retained-event"], False)


def test_a_press_is_heard_beside_a_state_that_says_there_is_none():
    taken = Ear(BUTTON).hears("zigbee2mqtt/sos/bed", {"sos": False, "action": "emergency", "last_seen": iso(MORNING)})

    pressed = [one for one in taken.readings if one.value == 1]
    assert [one.kind for one in pressed] == [Kind.SOS]
    assert len({(one.kind, one.at, one.seq) for one in taken.readings}) == len(taken.readings)
    assert taken.urgent


def test_an_ordinary_button_is_a_sign_of_life():
    ear = Ear(sensor("button", Role.BUTTON, 9))

    [pressed] = ear.hears("zigbee2mqtt/button", {"action": "single"}).readings

    assert pressed.kind is Kind.BUTTON
    assert pressed.is_life


def test_a_call_for_help_from_an_ordinary_button_alarms():
    taken = Ear(sensor("button", Role.BUTTON, 9)).hears("zigbee2mqtt/button", {"action": "emergency"})

    assert (Kind.SOS, 1) in brief(taken)
    assert taken.urgent


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("sos", Kind.SOS),
        ("smoke", Kind.SMOKE),
        ("gas", Kind.GAS),
        ("carbon_monoxide", Kind.CO),
        ("water_leak", Kind.LEAK),
    ],
)
def test_a_danger_from_a_sensor_registered_for_something_else_alarms(key, kind):
    taken = Ear(DOOR).hears("zigbee2mqtt/hall/door", {"contact": True, key: True})

    assert (kind, 1) in brief(taken)
    assert taken.urgent


def test_a_latched_sos_alarms_on_its_change_and_not_on_its_repetition():
    ear = Ear(sensor("sos/panic", Role.SOS, 9))
    ear.z2m("sos/panic", sos=False)

    assert ear.z2m("sos/panic", sos=True) == [(Kind.SOS, 1)]
    assert ear.z2m("sos/panic", sos=True, battery_low=False) == [(Kind.BATTERY_LOW, 0)]
    assert ear.z2m("sos/panic", sos=False) == [(Kind.SOS, 0)]
    assert ear.z2m("sos/panic", sos=True) == [(Kind.SOS, 1)]


def test_one_press_published_as_object_and_as_attribute_is_one_press():
    ear = Ear(BUTTON)
    for _ in range(2):
        ear.after(seconds=40)
        ear.hears("zigbee2mqtt/sos/bed", {"action": "single"})
        ear.hears("zigbee2mqtt/sos/bed/action", b"single")

    assert ear.said == [(Kind.SOS, 1)] * 2


def test_presses_published_as_attributes_only():
    ear = Ear(BUTTON)

    assert brief(ear.hears("zigbee2mqtt/sos/bed/action", b"single")) == [(Kind.SOS, 1)]
    assert brief(ear.hears("zigbee2mqtt/sos/bed/action", b"single")) == [(Kind.SOS, 1)]
    assert brief(ear.hears("zigbee2mqtt/sos/bed/action", b"")) == []


# --------------------------------------------------------------------------- latched, late, retained


def test_smoke_that_began_while_nobody_listened_alarms_out_of_a_retained_message():
    ear = awake(SMOKE, smoke={"smoke": False})

    taken = ear.hears("zigbee2mqtt/smoke", {"smoke": True}, retained=True)

    assert brief(taken) == [(Kind.SMOKE, 1)]
    assert taken.urgent
    assert taken.readings[0].late
    assert not taken.heard


def test_a_retained_alarm_that_is_known_does_not_alarm_at_each_reconnection():
    ear = awake(SMOKE, smoke={"smoke": True})

    assert [ear.z2m("smoke", retained=True, smoke=True) for _ in range(3)] == [[], [], []]


def test_a_retained_state_is_kept_but_is_no_sign_of_life():
    ear = awake(DOOR, hall_door={"contact": True})

    taken = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": iso(ear.now)}, retained=True)

    assert brief(taken) == [(Kind.DOOR, 1)]
    assert not taken.readings[0].is_life
    assert ear.z2m("hall/door", contact=False) == []


def test_a_self_test_is_noted_and_wakes_nobody():
    ear = awake(SMOKE, smoke={"smoke": False, "test": False})

    taken = ear.hears("zigbee2mqtt/smoke", {"smoke": True, "test": True})

    assert (brief(taken), taken.urgent) == ([(Kind.SELF_TEST, 1)], False)
    assert ear.after(seconds=20).z2m("smoke", smoke=False, test=False) == [(Kind.SELF_TEST, 0)]
    assert ear.after(hours=1).z2m("smoke", smoke=True, test=False) == [(Kind.SMOKE, 1)]


def test_smoke_that_goes_on_after_the_self_test_is_smoke():
    ear = awake(SMOKE, smoke={"smoke": False, "test": False})
    ear.z2m("smoke", smoke=True, test=True)

    assert ear.after(seconds=30).z2m("smoke", smoke=True, test=False) == [(Kind.SELF_TEST, 0), (Kind.SMOKE, 1)]


def test_a_self_test_that_is_told_again_after_it_ended_wakes_nobody():
    ear = awake(SMOKE, smoke={"smoke": False, "test": False, "last_seen": iso(MORNING)})
    begins, ends = iso(ear.now), iso(ear.now + timedelta(seconds=30))
    ear.z2m("smoke", smoke=True, test=True, last_seen=begins)
    ear.after(seconds=30).z2m("smoke", smoke=False, test=False, last_seen=ends)

    assert ear.after(hours=2).z2m("smoke", smoke=True, test=True, last_seen=begins) == []


def test_a_test_flag_that_is_stuck_does_not_mute_a_real_alarm():
    ear = awake(SMOKE, smoke={"smoke": False, "test": True})

    assert ear.after(days=3).z2m("smoke", smoke=True, test=True) == [(Kind.SMOKE, 1)]


# --------------------------------------------------------------------------- when it happened


@pytest.mark.parametrize(
    "write",
    [
        iso,
        lambda moment: (moment + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S.000+08:00"),
        lambda moment: int(moment.timestamp() * 1000),
    ],
    ids=["ISO_8601", "ISO_8601_local", "epoch"],
)
def test_last_seen_in_its_three_forms(write):
    ear = awake(DOOR, hall_door={"contact": True})
    happened = ear.now - timedelta(seconds=4)

    [opened] = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": write(happened)}).readings

    assert (opened.at, opened.heard, opened.late) == (happened, ear.now, False)
    assert opened.seq != 0


def test_what_was_stored_up_is_told_late_under_its_own_time():
    ear = awake(DOOR, hall_door={"contact": True})
    happened = ear.now - timedelta(minutes=20)

    [opened] = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": iso(happened)}).readings

    assert (opened.at, opened.late, opened.is_life) == (happened, True, True)


def test_a_clock_that_runs_ahead_is_not_believed():
    ear = awake(DOOR, hall_door={"contact": True})

    later = ear.now + timedelta(minutes=6)
    [opened] = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": iso(later)}).readings

    assert (opened.at, opened.late) == (ear.now, False)


@pytest.mark.parametrize("never_set", ["1970-01-01T00:03:12Z", "2000-01-01T00:00:40Z", 43_000, 0])
def test_a_clock_that_was_never_set_tells_no_time(never_set):
    ear = awake(DOOR, hall_door={"contact": True})

    [opened] = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": never_set}).readings

    assert (opened.at, opened.late, opened.seq) == (ear.now, False, 0)


def test_news_of_last_week_is_put_away():
    ear = awake(DOOR, hall_door={"contact": True})

    taken = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": iso(ear.now - timedelta(days=8))})

    assert (taken.readings, why(taken)) == ([], ["too-old"])


def test_a_press_of_last_week_still_reaches_somebody():
    ear = Ear(BUTTON)

    last_week = iso(ear.now - timedelta(days=8))
    [pressed] = ear.hears("zigbee2mqtt/sos/bed", {"action": "emergency", "last_seen": last_week}).readings

    assert (pressed.kind, pressed.at, pressed.late) == (Kind.SOS, ear.now, True)


def test_a_time_that_cannot_be_read_loses_the_time_only():
    ear = awake(DOOR, hall_door={"contact": True})

    taken = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": "yesterday"})

    assert brief(taken) == [(Kind.DOOR, 1)]
    assert taken.readings[0].at == ear.now
    assert why(taken) == ["bad-value"]


def test_a_motion_that_the_bridge_itself_clears_clears_after_it_began():
    ear = awake(PIR, kitchen_pir={"occupancy": False})
    seen = iso(ear.now)

    ear.z2m("kitchen/pir", occupancy=True, last_seen=seen)
    ear.after(seconds=90).z2m("kitchen/pir", occupancy=False, last_seen=seen)

    assert ear.said == [(Kind.MOTION, 1), (Kind.MOTION, 0)]
    assert ear.readings[0].at < ear.readings[1].at <= ear.now


def test_messages_told_again_are_the_same_readings():
    ear = awake(PIR, kitchen_pir={"occupancy": False})
    told = []
    for minute, occupied in ((0, True), (2, False), (9, True)):
        told.append({"occupancy": occupied, "last_seen": iso(ear.now + timedelta(minutes=minute))})
    ear.after(minutes=10)
    for payload in told:
        ear.hears("zigbee2mqtt/kitchen/pir", payload)
    first = {(one.at, one.kind, one.seq, one.value) for one in ear.readings}

    for payload in told * 2:
        ear.after(seconds=20).hears("zigbee2mqtt/kitchen/pir", payload)

    assert {(one.at, one.kind, one.seq, one.value) for one in ear.readings} == first
    assert ear.after(seconds=20).z2m("kitchen/pir", occupancy=True) == []


def test_a_bridge_that_lost_its_memory_publishes_old_states_and_nobody_has_moved_since():
    ear = awake(DOOR, hall_door={"contact": False})
    opened, closed = iso(ear.now), iso(ear.now + timedelta(minutes=1))
    ear.z2m("hall/door", contact=True, last_seen=opened)
    ear.after(minutes=1).z2m("hall/door", contact=False, last_seen=closed)
    last_life = ear.readings[-1].at

    ear.after(hours=2).z2m("hall/door", contact=True, last_seen=opened)
    ear.after(minutes=5).z2m("hall/door", contact=False, battery=80, last_seen=iso(ear.now))

    assert max(one.at for one in ear.readings if one.is_life) == last_life


def test_a_hub_whose_clock_was_set_back_is_still_heard():
    ear = awake(PIR, kitchen_pir={"occupancy": False})
    ear.z2m("kitchen/pir", occupancy=True, last_seen=iso(ear.now))
    ear.z2m("kitchen/pir", occupancy=False, last_seen=iso(ear.now + timedelta(seconds=60)))
    ear.readings.clear()

    for _ in range(10):  # its clock is now ten minutes slow
        ear.after(minutes=2).z2m(
            "kitchen/pir", occupancy=True, last_seen=iso(ear.now - timedelta(minutes=10, seconds=7))
        )
        ear.after(minutes=2).z2m(
            "kitchen/pir", occupancy=False, last_seen=iso(ear.now - timedelta(minutes=10, seconds=7))
        )

    assert ear.said.count((Kind.MOTION, 1)) == 10
    assert all(one.late for one in ear.readings)


# --------------------------------------------------------------------------- thinning


def test_link_quality_and_voltage_are_kept_once_an_hour():
    ear = Ear(PIR)
    for minute in range(121):
        ear.now = MORNING + timedelta(minutes=minute)
        ear.z2m("kitchen/pir", linkquality=60 + minute, voltage=3000 - minute)

    assert [one.at.minute for one in ear.readings if one.kind is Kind.LINK] == [0, 0, 0]
    assert [one.value for one in ear.readings if one.kind is Kind.VOLTAGE] == [3.0, 2.94, 2.88]


def test_a_temperature_is_kept_once_a_minute_but_a_leap_at_once():
    ear = Ear(sensor("climate", Role.CLIMATE, 9))
    for second, celsius in ((0, 21.0), (10, 21.1), (20, 21.2), (30, 22.3), (50, 22.4), (90, 22.4), (200, 22.4)):
        ear.now = MORNING + timedelta(seconds=second)
        ear.z2m("climate", temperature=celsius)

    assert [value for _, value in ear.said] == [21.0, 22.3, 22.4]


def test_a_low_battery_and_an_opened_case_are_told_at_once():
    ear = awake(PIR, kitchen_pir={"battery_low": False, "tamper": False})

    assert ear.z2m("kitchen/pir", battery_low=True, tamper=True) == [(Kind.BATTERY_LOW, 1), (Kind.TAMPER, 1)]


@pytest.mark.parametrize(("raw", "volts"), [(2985, 2.985), (231, 231), (3.1, 3.1), (0, 0)])
def test_millivolts_of_a_battery_and_volts_of_a_socket(raw, volts):
    assert Ear(PIR).z2m("kitchen/pir", voltage=raw) == [(Kind.VOLTAGE, volts)]


# --------------------------------------------------------------------------- names


def test_a_renamed_device_keeps_its_sensor():
    ear = awake(DOOR, hall_door={"contact": True})

    taken = ear.hears(
        "zigbee2mqtt/bridge/response/device/rename",
        {"data": {"from": "hall/door", "to": "front door"}, "status": "ok"},
    )

    assert taken.devices == [HubDevice(HUB, address(1), "front door")]
    assert ear.z2m("front door", contact=False) == [(Kind.DOOR, 1)]
    assert why(ear.hears("zigbee2mqtt/hall/door", {"contact": True})) == ["unknown-device"]


def test_a_refused_rename_changes_nothing():
    ear = awake(DOOR, hall_door={"contact": True})

    ear.hears("zigbee2mqtt/bridge/response/device/rename", {"data": {}, "status": "error", "error": "no such device"})

    assert ear.z2m("hall/door", contact=False) == [(Kind.DOOR, 1)]


def test_a_press_right_after_its_button_was_renamed_is_heard_although_the_new_name_is_not_known_yet():
    ear = Ear(sensor("pendant", Role.SOS, 9))

    assert ear.z2m("sos/pendant", action="emergency") == [(Kind.SOS, 1)]


def test_the_list_of_a_hub_names_its_devices():
    ear = Ear(PIR, names={"old": address(8)})
    listed = [
        {"ieee_address": "0x00124b0000000000", "type": "Coordinator", "friendly_name": "Coordinator"},
        {
            "ieee_address": address(2),
            "type": "EndDevice",
            "friendly_name": "kitchen/pir",
            "definition": {"model": "SNZB-03", "vendor": "SONOFF", "description": "Motion sensor"},
        },
        {"ieee_address": address(5), "type": "EndDevice", "friendly_name": "spare", "definition": None},
        {"friendly_name": "nobody"},
        17,
    ]

    taken = ear.hears("zigbee2mqtt/bridge/devices", listed, retained=True)
    again = ear.hears("zigbee2mqtt/bridge/devices", listed, retained=True)

    assert taken.devices == [
        HubDevice(HUB, address(2), "kitchen/pir", "SNZB-03", "SONOFF"),
        HubDevice(HUB, address(5), "spare"),
    ]
    assert why(taken) == ["bad-value", "bad-value"]
    assert not taken.heard
    assert again.devices == []
    assert ear.z2m("kitchen/pir", occupancy=True) == [(Kind.MOTION, 1)]


@pytest.mark.parametrize("event", ["device_joined", "device_announce", "device_interview"])
def test_a_device_that_joins_is_known_by_its_name(event):
    ear = Ear(PIR, names={"other": address(8)})

    taken = ear.hears(
        "zigbee2mqtt/bridge/event",
        {"type": event, "data": {"friendly_name": "new name", "ieee_address": address(2), "status": "successful"}},
    )

    assert taken.devices == [HubDevice(HUB, address(2), "new name")]
    assert ear.z2m("new name", occupancy=True) == [(Kind.MOTION, 1)]


def test_a_device_that_leaves_its_network_is_out_of_reach_until_it_joins_again():
    ear = awake(BUTTON, sos_bed={"battery": 90})
    data = {"ieee_address": address(3), "friendly_name": "sos/bed"}

    assert brief(ear.hears("zigbee2mqtt/bridge/event", {"type": "device_leave", "data": data})) == [(Kind.AVAILABLE, 0)]
    assert brief(ear.hears("zigbee2mqtt/bridge/event", {"type": "device_joined", "data": data})) == [
        (Kind.AVAILABLE, 1)
    ]
    assert brief(ear.hears("zigbee2mqtt/bridge/event", {"type": "device_announce", "data": data})) == []


def test_a_device_that_tells_its_address_is_known_before_its_hub_has_listed_it():
    ear = Ear(PIR, names={"other": address(8)})

    taken = ear.hears("zigbee2mqtt/a/b", {"occupancy": True, "device": {"ieeeAddr": address(2).upper()[2:]}})
    assert why(taken) == ["unknown-device"]
    taken = ear.hears("zigbee2mqtt/a/b", {"occupancy": True, "device": {"ieeeAddr": address(2)}})

    assert brief(taken) == [(Kind.MOTION, 1)]
    assert HubDevice(HUB, address(2), "a/b") in taken.devices


def test_a_name_that_was_given_to_another_device_follows_it():
    ear = Ear(DOOR, PIR)

    taken = ear.hears("zigbee2mqtt/hall/door", {"occupancy": True, "device": {"ieeeAddr": address(2)}})

    assert [(one.sensor, one.kind) for one in taken.readings] == [("kitchen/pir", Kind.MOTION)]


def test_a_device_named_below_another_is_not_an_attribute_of_it():
    ear = Ear(sensor("bed", Role.BED, 9))

    taken = ear.hears("zigbee2mqtt/bed/button", {"action": "emergency"})

    assert (brief(taken), why(taken)) == ([(Kind.SOS, 1)], ["unregistered-alarm"])


def test_a_device_that_nobody_registered_calls_for_help_in_a_guarded_home_and_somebody_is_told():
    ear = Ear(PIR)

    taken = ear.hears("zigbee2mqtt/sos/new", {"action": "emergency"})

    assert (brief(taken), taken.urgent, why(taken)) == ([(Kind.SOS, 1)], True, ["unregistered-alarm"])
    assert (taken.readings[0].home, taken.readings[0].sensor) == (HOME, "sos/new")


def test_what_such_a_device_merely_repeats_is_called_once():
    ear = Ear(PIR)

    assert brief(ear.hears("zigbee2mqtt/kitchen/smoke", {"smoke": True})) == [(Kind.SMOKE, 1)]
    assert brief(ear.after(minutes=1).hears("zigbee2mqtt/kitchen/smoke", {"smoke": True})) == []
    assert brief(ear.after(minutes=1).hears("zigbee2mqtt/kitchen/smoke", {"smoke": True}, retained=True)) == []


def test_what_such_a_device_repeated_before_the_clock_was_put_back_is_called_anew():
    ear = Ear(PIR)
    ear.hears("zigbee2mqtt/kitchen/smoke", {"smoke": True})

    assert brief(ear.after(hours=-6).hears("zigbee2mqtt/kitchen/smoke", {"smoke": True})) == [(Kind.SMOKE, 1)]
    assert brief(ear.after(minutes=1).hears("zigbee2mqtt/kitchen/smoke", {"smoke": True})) == []


def test_before_a_home_is_guarded_its_strange_devices_page_nobody():
    ear = Ear(PIR)
    ear.directory.all[0] = replace(ear.directory.all[0], state=Monitoring.REGISTERED)
    ear.intake.devices.refresh()

    taken = ear.hears("zigbee2mqtt/sos/new", {"action": "emergency"})

    assert (brief(taken), why(taken)) == ([], ["unregistered-alarm"])


def test_a_sensor_may_be_registered_under_its_name():
    ear = Ear(sensor("pir one", Role.MOTION), names={"pir one": address(5)})

    assert ear.z2m("pir one", occupancy=True) == [(Kind.MOTION, 1)]


@pytest.mark.parametrize("registered", ["0x00158D0000000002", "0X00158d0000000002"])
def test_an_address_may_be_typed_in_capitals(registered):
    ear = Ear(sensor("pir", Role.MOTION, address=registered), names={"pir": address(2)})

    assert ear.z2m("pir", occupancy=True) == [(Kind.MOTION, 1)]


# --------------------------------------------------------------------------- the hub


@pytest.mark.parametrize("online", [b"online", b'{"state":"online"}'])
@pytest.mark.parametrize("offline", [b"offline", b'{"state":"offline"}'])
def test_reach_of_a_device(online, offline):
    ear = Ear(PIR)

    assert brief(ear.hears("zigbee2mqtt/kitchen/pir/availability", online)) == [(Kind.AVAILABLE, 1)]
    assert brief(ear.hears("zigbee2mqtt/kitchen/pir/availability", online)) == []
    assert brief(ear.hears("zigbee2mqtt/kitchen/pir/availability", offline)) == [(Kind.AVAILABLE, 0)]
    assert brief(ear.hears("zigbee2mqtt/kitchen/pir/availability", b"", retained=True)) == []


@pytest.mark.parametrize(
    ("topic", "payload", "retained", "lives"),
    [
        ("zigbee2mqtt/bridge/state", b'{"state":"online"}', False, True),
        ("zigbee2mqtt/bridge/state", b"online", True, False),
        ("zigbee2mqtt/bridge/state", b'{"state":"offline"}', False, False),
        ("zigbee2mqtt/bridge/state", b"offline", False, False),
        ("zigbee2mqtt/bridge/health", b'{"process":{"uptime_sec":86400}}', False, True),
        ("zigbee2mqtt/bridge/health", b'{"process":{"uptime_sec":86400}}', True, False),
        ("zigbee2mqtt/bridge/logging", b'{"level":"info","message":"x"}', False, True),
        ("zigbee2mqtt/bridge/info", b"{}", True, False),
        ("plain/hub", b'{"kind":"heartbeat"}', False, True),
        ("plain/hub", b'{"kind":"heartbeat"}', True, False),
        ("zigbee2mqtt/lamp/set", b'{"state":"ON"}', False, True),
    ],
)
def test_what_proves_that_a_hub_is_alive(topic, payload, retained, lives):
    taken = Ear(PIR).hears(topic, payload, retained=retained)

    assert (taken.home, taken.heard, taken.readings, taken.quarantined) == (HOME, lives, [], [])


@pytest.mark.parametrize("topic", ["kitchen/pir/set", "kitchen/pir/get", "kitchen/pir/set/state", "kitchen/pir/l1/set"])
def test_commands_are_no_states(topic):
    taken = Ear(PIR).hears(f"zigbee2mqtt/{topic}", {"occupancy": True})

    assert (taken.readings, taken.quarantined) == ([], [])


# --------------------------------------------------------------------------- plain JSON


def test_plain_json_says_what_happened_and_when():
    ear = Ear(sensor("kitchen", Role.MOTION))
    at = ear.now - timedelta(seconds=3)

    taken = ear.hears("plain/kitchen", {"kind": "motion", "value": 1, "at": iso(at), "seq": 17})

    [moved] = taken.readings
    assert (moved.kind, moved.value, moved.at, moved.seq, moved.is_life) == (Kind.MOTION, 1, at, 17, True)


def test_each_plain_pulse_is_an_event_and_a_state_only_when_it_changes():
    ear = Ear(sensor("pir", Role.MOTION), sensor("bed", Role.BED))

    for _ in range(3):
        ear.after(minutes=1)
        ear.plain("pir", kind="motion", value=1)
        ear.plain("bed", kind="bed", value=True)

    assert ear.said == [(Kind.MOTION, 1), (Kind.BED, 1), (Kind.MOTION, 1), (Kind.MOTION, 1)]


def test_the_shortest_press():
    ear = Ear(sensor("pull", Role.SOS))

    taken = ear.hears("plain/sos/pull", {"kind": "sos"})

    assert (brief(taken), taken.urgent) == ([(Kind.SOS, 1)], True)


def test_a_plain_sensor_may_be_registered_with_or_without_its_subtree():
    ear = Ear(sensor("a", Role.SOS, address="sos/a"), sensor("b", Role.SOS, address="b"))

    assert ear.plain("sos/a", kind="sos") == [(Kind.SOS, 1)]
    assert ear.plain("sos/b", kind="sos") == [(Kind.SOS, 1)]
    assert ear.plain("b", kind="sos") == [(Kind.SOS, 1)]


def test_a_list_of_reports_with_a_bad_one_in_it():
    ear = Ear(sensor("door", Role.EXIT_DOOR))

    taken = ear.hears(
        "plain/door",
        [
            {"kind": "door", "value": 1, "at": iso(ear.now - timedelta(seconds=30))},
            {"kind": "colour", "value": 1},
            {"kind": "battery", "value": 1000},
            "door",
            {"kind": "motion", "value": 1},
            {"kind": "door", "value": 0, "at": "noon"},
        ],
    )

    assert brief(taken) == [(Kind.DOOR, 1), (Kind.DOOR, 0)]
    assert sorted(why(taken)) == ["bad-value", "bad-value", "bad-value", "not-an-object", "not-its-role"]


def test_a_list_of_like_reports_without_times_gives_readings_that_can_be_told_apart():
    taken = Ear(sensor("pir", Role.MOTION)).hears("plain/pir", [{"kind": "motion"}] * 4)

    assert len({one.seq for one in taken.readings}) == 4


def test_what_a_plain_device_stored_up_comes_in_under_its_own_time():
    ear = Ear(sensor("door", Role.EXIT_DOOR))
    ear.plain("door", kind="door", value=0, at=iso(ear.now))
    hours = [ear.now - timedelta(hours=hour) for hour in (4, 3, 2, 1)]

    for number, at in enumerate(hours):
        ear.plain("door", kind="door", value=(number + 1) % 2, at=iso(at))

    assert [one.at for one in ear.readings[1:]] == hours
    assert ear.plain("door", kind="door", value=0, at=iso(ear.now + timedelta(seconds=1))) == []


def test_a_counter_tells_a_repetition_from_a_new_event():
    ear = Ear(sensor("pir", Role.MOTION))

    assert ear.plain("pir", kind="motion", value=1, seq=8) == [(Kind.MOTION, 1)]
    assert ear.after(seconds=30).plain("pir", kind="motion", value=1, seq=8) == []
    assert ear.after(seconds=30).plain("pir", kind="motion", value=1, seq=9) == [(Kind.MOTION, 1)]


def test_a_button_that_counts_from_one_after_each_press_is_not_taken_for_a_repetition_for_long():
    ear = Ear(sensor("pull", Role.SOS))

    assert ear.plain("sos/pull", kind="sos", seq=1) == [(Kind.SOS, 1)]
    assert ear.after(minutes=2).plain("sos/pull", kind="sos", seq=1) == [(Kind.SOS, 1)]


# --------------------------------------------------------------------------- what cannot be used


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("zigbee2mqtt/kitchen/pir", b"{", "bad-json"),
        ("zigbee2mqtt/kitchen/pir", b'{"occupancy":NaN}', "bad-json"),
        ("zigbee2mqtt/kitchen/pir", b'{"temperature":Infinity}', "bad-json"),
        ("zigbee2mqtt/kitchen/pir", b'{"temperature":1e400}', "bad-json"),
        ("zigbee2mqtt/kitchen/pir", b'{"name":"\xff"}', "bad-json"),
        ("zigbee2mqtt/kitchen/pir", b"[" * 30_000 + b"]" * 30_000, "bad-json"),
        ("zigbee2mqtt/kitchen/pir", b"true", "not-an-object"),
        ("zigbee2mqtt/kitchen/pir", b"[]", "not-an-object"),
        ("zigbee2mqtt/kitchen/pir", b'{"occupancy":"perhaps"}', "bad-value"),
        ("zigbee2mqtt/kitchen/pir", b'{"temperature":' + b"9" * 300 + b"}", "bad-value"),
        ("zigbee2mqtt/kitchen/pir", b'{"action":7}', "bad-value"),
        ("zigbee2mqtt/kitchen/pir", b'{"x":"' + b"x" * 65_536 + b'"}', "too-large"),
        ("zigbee2mqtt/bridge/logging", b"x" * (1024 * 1024 + 1), "too-large"),
        ("zigbee2mqtt/bridge/devices", b"{}", "not-an-object"),
        ("zigbee2mqtt/bridge/devices", b"[{]", "bad-json"),
        ("zigbee2mqtt/bridge/state", b"perhaps", "bad-value"),
        ("zigbee2mqtt/lamp", b'{"state":"ON"}', "unknown-device"),
        ("zigbee2mqtt/lamp", b"?", "unknown-device"),
        ("zigbee2mqtt/pendant", b'{"action":"emergency"}', "unregistered-alarm"),
        ("zigbee2mqtt/detector/smoke", b"true", "unregistered-alarm"),
        ("zigbee2mqtt/", b"{}", "bad-topic"),
        ("zigbee2mqtt//x", b"{}", "bad-topic"),
        ("plain/Küche", b"{}", "bad-topic"),
        ("plain/a/b/c", b"{}", "bad-topic"),
        ("plain/" + "a" * 65, b"{}", "bad-topic"),
        ("plain/nobody", b'{"kind":"sos"}', "unregistered-alarm"),
        ("plain/hub", b'{"kind":"motion"}', "bad-value"),
        ("homeassistant/sensor/x/config", b"{}", "unknown-topic"),
    ],
)
def test_what_cannot_be_used_is_put_away_with_its_reason(topic, payload, reason):
    taken = Ear(PIR).hears(topic, payload)

    assert why(taken) == [reason]
    assert bool(taken.readings) == (reason == "unregistered-alarm")
    [refused] = taken.quarantined
    assert (refused.hub, refused.size, refused.head) == (HUB, len(payload), payload[:256])
    assert taken.home == HOME


def test_the_largest_list_of_devices_is_read():
    ear = Ear(PIR)
    listed = [
        {"ieee_address": f"0x{number:016x}", "friendly_name": f"d{number}", "definition": {"description": "x" * 800}}
        for number in range(1000)
    ]

    taken = ear.hears("zigbee2mqtt/bridge/devices", listed)

    assert (len(taken.devices), taken.quarantined) == (1000, [])


@pytest.mark.parametrize("topic", ["", "shouwang", "shouwang/hub-7", "shouwang/hub-7/plain", "other/hub-7/plain/x"])
def test_a_topic_that_is_not_ours(topic):
    taken = Ear(PIR).hears_at(topic, b"{}")

    assert (taken.home, taken.heard, why(taken)) == ("", False, ["bad-topic"])


@pytest.mark.parametrize("hub", ["HUB-7", "hub 7", "", "h" * 65, "hub_7", "../hub-7"])
def test_a_hub_id_that_cannot_be_one(hub):
    assert why(Ear(PIR).hears_at(f"shouwang/{hub}/plain/x", b"{}")) == ["bad-topic"]


def test_a_hub_nobody_registered_is_nobodys():
    taken = Ear(PIR).hears_at("shouwang/stranger/zigbee2mqtt/kitchen/pir", b'{"occupancy":true}')

    assert (taken.home, taken.heard, why(taken), taken.quarantined[0].hub) == ("", False, ["unknown-hub"], "stranger")


def test_who_has_left_is_not_listened_to():
    ear = Ear(PIR)
    ear.directory.all = [a_home(PIR, state=Monitoring.RETIRED)]
    ear.intake.devices.refresh()

    assert why(ear.hears("zigbee2mqtt/kitchen/pir", {"occupancy": True})) == ["unknown-hub"]
    assert ear.intake.devices.last_values(HOME)["sensors"] == {}


def test_homes_are_sealed_from_each_other():
    mine = a_home(sensor("pir", Role.MOTION, 1))
    theirs = a_home(sensor("pir", Role.MOTION, 1), home="home-8", hub="hub-8")
    spy = replace(theirs, sensors=(*theirs.sensors, replace(sensor("spy", Role.SOS, 2), hub=HUB)))
    intake = Intake(Registered(mine, spy))

    heard = intake.take(Message(f"shouwang/{HUB}/zigbee2mqtt/{address(2)}", b'{"sos":true}', MORNING), 1)
    other = intake.take(Message(f"shouwang/hub-8/zigbee2mqtt/{address(1)}", b'{"occupancy":true}', MORNING), 2)

    assert (heard.home, why(heard)) == (HOME, ["unregistered-alarm"])
    assert [(one.home, one.sensor) for one in heard.readings] == [(HOME, address(2))]
    assert {one.home for one in other.readings} == {"home-8"}


def test_topics_that_a_hub_invents_cost_no_memory():
    ear = Ear(PIR)
    for number in range(3000):
        ear.hears(f"zigbee2mqtt/kitchen/pir/invented-{number}", b"1")
        ear.hears(f"zigbee2mqtt/stranger-{number}", b"{}")

    assert len(ear.intake._roads) <= 1008
    assert ear.after(seconds=1).z2m("kitchen/pir", occupancy=True) == [(Kind.MOTION, 1)]


def test_one_arrival_number_stands_on_each_reading_of_a_message():
    ear = Ear(PIR)
    ear.arrival = 41

    taken = ear.hears("zigbee2mqtt/kitchen/pir", {"occupancy": True, "battery": 80, "linkquality": 90})

    assert [one.arrival for one in taken.readings] == [42, 42, 42]


# --------------------------------------------------------------------------- handed over again, behind newer messages


def test_what_the_broker_hands_over_again_behind_newer_messages_is_not_taken_for_a_repetition():
    """Unacknowledged messages may come back after newer ones: 0 1 2 [3 4 5] 6 7 arrives as 0 1 2 6 7 3 4 5."""
    ear = awake(DOOR)
    said = [{"contact": bool(n % 2), "last_seen": iso(ear.now + timedelta(seconds=n))} for n in range(1, 9)]
    ear.after(seconds=20).z2m("hall/door", **said[0])
    ear.readings.clear()  # the first says what was so before

    for n in (1, 2, 6, 7, 3, 4, 5):
        ear.z2m("hall/door", **said[n])

    assert sorted((r.at, r.value) for r in ear.readings if r.kind is Kind.DOOR) == [
        (ear.now - timedelta(seconds=20 - n), float(n % 2 == 0)) for n in range(2, 9)
    ]


def test_a_door_that_closed_while_the_opening_was_still_on_its_way_is_closed():
    ear = awake(DOOR)
    began = ear.now
    ear.z2m("hall/door", contact=True, last_seen=iso(began))
    ear.after(seconds=20).z2m("hall/door", contact=True, last_seen=iso(began + timedelta(seconds=9)))
    ear.z2m("hall/door", contact=False, last_seen=iso(began + timedelta(seconds=8)))
    doors = [(r.at - began, r.value) for r in ear.readings if r.kind is Kind.DOOR and r.at > began]

    assert doors == [(timedelta(seconds=8), 1.0), (timedelta(seconds=9), 0.0)]

    ear.after(minutes=1).z2m("hall/door", contact=True, last_seen=iso(ear.now))

    assert ear.readings[-1].at - began == timedelta(seconds=9)


def test_just_after_a_connection_a_repetition_is_kept_in_case_the_change_before_it_is_still_on_its_way():
    """The power may fail again between the two, and what was acknowledged does not come a second time."""
    ear = awake(DOOR)
    began = ear.now
    ear.z2m("hall/door", contact=True, last_seen=iso(began))
    ear.readings.clear()
    ear.intake.unsettle(ear.now + timedelta(seconds=30))

    [again] = (
        ear.after(seconds=20)
        .hears("zigbee2mqtt/hall/door", {"contact": True, "last_seen": iso(began + SECOND * 9)})
        .readings
    )

    assert (again.at, again.value, again.is_life) == (began + SECOND * 9, 0.0, False)

    [opened] = ear.hears("zigbee2mqtt/hall/door", {"contact": False, "last_seen": iso(began + SECOND * 8)}).readings

    assert (opened.at, opened.value, opened.is_life) == (began + SECOND * 8, 1.0, True)


def test_a_repetition_from_a_clock_that_ran_ahead_is_not_news_once_the_clock_is_right():
    ear = awake(DOOR)
    began = ear.now
    ear.z2m("hall/door", contact=True, last_seen=iso(began))
    ear.after(seconds=10).z2m("hall/door", contact=True, last_seen=iso(began + timedelta(days=3650)))
    ear.readings.clear()

    ear.after(seconds=10).z2m("hall/door", contact=False, last_seen=iso(ear.now))

    assert [(r.at, r.value) for r in ear.readings] == [(ear.now, 1.0)]


def test_after_a_restart_too():
    """What is recalled does not say which of a device's keys it came from; the first word after it must not be lost."""
    before = awake(DOOR)
    began = before.now
    ear = awake(DOOR)
    for reading in before.hears("zigbee2mqtt/hall/door", {"contact": True, "last_seen": iso(began)}).readings:
        ear.intake.devices.recall(reading)
    ear.intake.unsettle(ear.now + timedelta(seconds=30))

    [again] = (
        ear.after(seconds=20)
        .hears("zigbee2mqtt/hall/door", {"contact": True, "last_seen": iso(began + SECOND * 9)})
        .readings
    )

    assert (again.at, again.value, again.is_life) == (began + SECOND * 9, 0.0, False)


def test_once_a_connection_has_settled_a_repetition_is_no_reading():
    ear = awake(DOOR)
    ear.z2m("hall/door", contact=True, last_seen=iso(ear.now))
    ear.intake.unsettle(ear.now + timedelta(seconds=30))

    assert (
        ear.after(seconds=40).hears("zigbee2mqtt/hall/door", {"contact": True, "last_seen": iso(ear.now)}).readings
        == []
    )


SECOND = timedelta(seconds=1)
