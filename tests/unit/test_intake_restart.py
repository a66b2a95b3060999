"""A restart turns nothing old into news: restored from a checkpoint or recalled from readings, it goes on alike."""

import itertools
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from the_intake import HOME, HUB, MORNING, Ear, brief, iso, sensor, written_down

from gateway.domain import Kind, Reading, Role
from gateway.ports import HubDevice, Message
from ingest.flood import BURST
from ingest.intake import Intake
from ingest.known import Bound

SENSORS = (
    sensor("door", Role.EXIT_DOOR, 1),
    sensor("pir", Role.MOTION, 2),
    sensor("sos/panic", Role.SOS, 3),
    sensor("smoke", Role.SMOKE, 4),
    sensor("climate", Role.CLIMATE, 5),
    sensor("plainpir", Role.MOTION),
    sensor("plaindoor", Role.OPENING),
)
FLAG = st.booleans()
STATES = {
    "zigbee2mqtt/door": st.fixed_dictionaries({"contact": FLAG}, optional={"linkquality": st.integers(0, 255)}),
    "zigbee2mqtt/pir": st.fixed_dictionaries({"occupancy": FLAG}, optional={"battery": st.integers(0, 100)}),
    "zigbee2mqtt/sos/panic": st.fixed_dictionaries({"sos": FLAG}) | st.just({"action": "single"}),
    "zigbee2mqtt/smoke": st.fixed_dictionaries({"smoke": FLAG, "test": FLAG}, optional={"battery_low": FLAG}),
    "zigbee2mqtt/climate": st.fixed_dictionaries({"temperature": st.integers(200, 230).map(lambda t: t / 10)}),
    "plain/plainpir": st.fixed_dictionaries({"kind": st.just("motion"), "value": FLAG}),
    "plain/plaindoor": st.fixed_dictionaries({"kind": st.just("opening"), "value": FLAG}),
}


@st.composite
def spoken(draw):
    """Something a device says, perhaps with its own time, perhaps out of order, perhaps retained."""
    topic = draw(st.sampled_from(sorted(STATES)))
    keys = dict(draw(STATES[topic]))
    passed = draw(st.sampled_from([0.0, 0.5, 3.0, 61.0, 700.0, 4000.0]))
    behind = draw(st.sampled_from([None, 0.0, 0.0, 0.3, 2.0, 90.0, 1000.0, -2.0, -1000.0]))
    if topic.startswith("plain") and draw(st.booleans()):
        keys["seq"] = draw(st.integers(0, 3))
    return topic, keys, passed, behind, draw(st.integers(0, 9)) == 0


@st.composite
def lives(draw):
    heard = MORNING
    messages = []
    for topic, keys, passed, behind, retained in draw(st.lists(spoken(), min_size=1, max_size=30)):
        heard += timedelta(seconds=passed)
        if behind is not None:
            keys["at" if topic.startswith("plain") else "last_seen"] = iso(heard - timedelta(seconds=behind))
        messages.append(Message(f"shouwang/{HUB}/{topic}", json.dumps(keys).encode(), heard, retained))
    return messages


def an_intake() -> Intake:
    ear = Ear(*SENSORS)
    return ear.intake


def live(intake: Intake, messages, first: int = 1) -> list[list[Reading]]:
    return [intake.take(message, number).readings for number, message in enumerate(messages, first)]


def forget_repetitions(intake: Intake) -> None:
    """What merely repeated what was known is not stored, so a restart does not know of it."""
    for device in intake.devices._devices.get(HOME, ()):
        for last in device.lasts.values() if isinstance(device, Bound) else ():
            last.forget_repetitions()


def gathered(told) -> list[set[Reading]]:
    """The order in which the keys of one message are read may differ."""
    return [set(readings) for readings in told]


@settings(max_examples=150, deadline=None)
@given(lives(), st.data())
def test_restored_is_replayed(messages, data):
    cut = data.draw(st.integers(0, len(messages)), label="restart after")
    kept = data.draw(st.integers(0, cut), label="checkpoint after")
    never_stopped = an_intake()
    before = live(never_stopped, messages[:kept])
    checkpoint = written_down(never_stopped.devices.last_values(HOME))
    since = live(never_stopped, messages[kept:cut], kept + 1)
    forget_repetitions(never_stopped)
    expected = gathered(live(never_stopped, messages[cut:], cut + 1))

    recalled = an_intake()
    for readings in (*before, *since):
        for reading in readings:
            recalled.devices.recall(reading)
    restored = an_intake()
    assert restored.devices.restore_values(HOME, checkpoint)
    for readings in since:
        for reading in readings:
            restored.devices.recall(reading)

    assert gathered(live(recalled, messages[cut:], cut + 1)) == expected
    assert gathered(live(restored, messages[cut:], cut + 1)) == expected


@settings(max_examples=150, deadline=None)
@given(lives(), st.sampled_from([timedelta(0), BURST]))
def test_whoever_is_laid_aside_is_heard_as_if_in_hand(messages, silent):
    """A county's devices lie as bytes while they are silent; nothing they said is forgotten, not even repetitions."""
    in_hand, aside = an_intake(), an_intake()
    said = []
    for number, message in enumerate(messages, 1):
        said.append(aside.take(message, number).readings)
        taken = [*aside.devices._newcomers, *aside.devices._in_hand]
        aside.devices._newcomers.clear()
        aside.devices._in_hand.clear()
        for bound in taken:
            aside.devices._lay_aside(bound, message.heard + silent, speaks=False)

    assert said == live(in_hand, messages)
    assert aside.devices.last_values(HOME) == in_hand.devices.last_values(HOME)


@st.composite
def timely_lives(draw):
    """Devices that tell the time and have spoken before; bridges that clear a motion with the time of the motion."""
    messages, heard = [], MORNING
    for topic in sorted(STATES):
        first = dict(STATES_FIRST[topic])
        first["at" if topic.startswith("plain") else "last_seen"] = iso(heard)
        messages.append(Message(f"shouwang/{HUB}/{topic}", json.dumps(first).encode(), heard))
    for topic in draw(st.lists(st.sampled_from(sorted(STATES)), min_size=1, max_size=20)):
        keys = dict(draw(STATES[topic]))
        heard += timedelta(seconds=draw(st.sampled_from([1.0, 61.0, 4000.0])))
        keys["at" if topic.startswith("plain") else "last_seen"] = iso(heard - timedelta(seconds=0.3))
        messages.append(Message(f"shouwang/{HUB}/{topic}", json.dumps(keys).encode(), heard))
        if keys.get("occupancy"):
            keys["occupancy"] = False
            messages.append(
                Message(f"shouwang/{HUB}/{topic}", json.dumps(keys).encode(), heard + timedelta(seconds=0.5))
            )
    return messages


STATES_FIRST = {
    "zigbee2mqtt/door": {"contact": True},
    "zigbee2mqtt/pir": {"occupancy": False},
    "zigbee2mqtt/sos/panic": {"sos": False},
    "zigbee2mqtt/smoke": {"smoke": False, "test": False},
    "zigbee2mqtt/climate": {"temperature": 20.0},
    "plain/plainpir": {"kind": "motion", "value": False},
    "plain/plaindoor": {"kind": "opening", "value": False},
}


@settings(max_examples=100, deadline=None)
@given(timely_lives(), st.integers(1, 20))
def test_what_a_broker_tells_again_after_a_crash_is_stored_already_or_older_than_what_is_known(
    messages, unacknowledged
):
    before, after = an_intake(), an_intake()
    stored, newest = set(), {}
    for number, message in enumerate(messages):
        for reading in before.take(message, number).readings:
            stored.add(row(reading))
            newest[reading.sensor, reading.kind] = reading.at
            after.devices.recall(reading)

    told_again = [
        Message(one.topic, one.payload, messages[-1].heard + timedelta(seconds=20))
        for one in messages[len(SENSORS) :][-unacknowledged:]
    ]
    for intake in (before, after):  # after a lost connection, and after a crash
        for reading in itertools.chain(*live(intake, told_again, 1000)):
            if reading.kind is not Kind.ALIVE:  # it was, then: nothing is made of it
                assert row(reading) in stored or reading.at < newest[reading.sensor, reading.kind]


def row(reading: Reading):
    return reading.sensor, reading.kind, reading.at, reading.seq, reading.value


def test_cached_state_after_a_restart_is_no_event():
    ear = Ear(*SENSORS)
    ear.z2m("door", contact=True)
    ear.after(minutes=5).z2m("door", contact=False)
    ear.z2m("smoke", smoke=True)

    again = Ear(*SENSORS)
    for reading in ear.readings:
        again.intake.devices.recall(reading)

    assert again.after(hours=1).z2m("door", contact=False) == []
    assert again.z2m("smoke", retained=True, smoke=True) == []
    assert again.z2m("door", contact=True) == [(Kind.DOOR, 0)]


def test_names_of_an_earlier_run_are_known_before_the_hub_lists_its_devices():
    ear = Ear(*SENSORS, names={})
    ear.intake.devices.remember([HubDevice(HUB, SENSORS[2].address, "sos/panic"), HubDevice("other", "0x1", "x")])

    assert ear.z2m("sos/panic", action="single") == [(Kind.SOS, 1)]


def test_two_witnesses_of_one_thing_are_weighed_alike_after_a_restart():
    plug = sensor("kettle", Role.APPLIANCE, 9)
    ear = Ear(plug)
    for topic, payload in (("state", b"ON"), ("power", b"1"), ("state", b"ON")):
        ear.after(minutes=2).hears(f"zigbee2mqtt/kettle/{topic}", payload)
    again = Ear(plug)
    again.intake.devices.restore_values(HOME, ear.intake.devices.last_values(HOME))

    assert brief(again.after(hours=1).hears("zigbee2mqtt/kettle/state", b"ON")) == []


def test_a_checkpoint_of_another_make_is_refused():
    assert not Ear(*SENSORS).intake.devices.restore_values(HOME, {"version": 0, "sensors": {}})
    assert not Ear(*SENSORS).intake.devices.restore_values(HOME, {})


def test_a_checkpoint_may_name_sensors_and_kinds_that_are_gone():
    ear = Ear(*SENSORS)
    ear.z2m("door", contact=False, last_seen=iso(MORNING))
    ear.hears("plain/plainpir", {"kind": "motion", "value": 1, "seq": 4})
    values = ear.intake.devices.last_values(HOME)
    now_gone = {name: packed.replace(b"\xa6motion", b"\xa6psychi") for name, packed in values["sensors"].items()}
    ear = Ear(*SENSORS)

    assert ear.intake.devices.restore_values(HOME, values | {"sensors": now_gone | {"gone": now_gone["door"]}})
    assert ear.after(minutes=1).z2m("door", contact=False) == []


@pytest.mark.parametrize("kind", [Kind.RETURNED, Kind.DOOR])
def test_readings_of_sensors_that_are_gone_are_passed_over(kind):
    ear = Ear(*SENSORS)

    ear.intake.devices.recall(Reading(HOME, HUB, "", kind, 900.0, MORNING, MORNING, 5, 5))
    ear.intake.devices.recall(Reading("elsewhere", "door", "", kind, 1.0, MORNING, MORNING, 6))

    assert ear.intake.devices.last_values(HOME)["sensors"] == {}
