"""The second key: help that can wait, from the word of a button to the finding."""

import pytest
from the_intake import Ear, brief, sensor, why

from detectors.emergency import Emergency
from gateway.domain import Kind, Role, Severity
from gateway.ports import Context


@pytest.mark.parametrize("word", ["double", "hold", "long", "1_double", "4_hold", "2_single", "button_2_single"])
def test_a_deliberate_press_of_an_ordinary_button_asks_for_help(word):
    ear = Ear(sensor("button", Role.BUTTON, 9))

    assert ear.z2m("button", action=word) == [(Kind.BUTTON, 1), (Kind.ASSIST, 1)]


@pytest.mark.parametrize("word", ["single", "1_single", "on", "triple"])
def test_a_plain_press_does_not(word):
    assert Ear(sensor("button", Role.BUTTON, 9)).z2m("button", action=word) == [(Kind.BUTTON, 1)]


def test_letting_go_of_a_held_button_is_not_a_second_call():
    ear = Ear(sensor("button", Role.BUTTON, 9))
    ear.z2m("button", action="hold")

    assert ear.after(seconds=3).z2m("button", action="hold_release") == []


@pytest.mark.parametrize("word", ["double", "hold", "2_single"])
def test_of_an_emergency_button_every_press_is_the_emergency_and_only_one(word):
    assert Ear(sensor("cord", Role.SOS, 9)).z2m("cord", action=word) == [(Kind.SOS, 1)]


def test_a_word_of_emergency_stays_one_on_any_button():
    ear = Ear(sensor("button", Role.BUTTON, 9))

    assert (Kind.SOS, 1) in ear.z2m("button", action="emergency")


def test_a_home_made_button_asks_in_plain_words():
    assert Ear(sensor("button", Role.BUTTON)).plain("button", kind="assist") == [(Kind.ASSIST, 1)]
    assert Ear(sensor("cord", Role.SOS)).plain("cord", kind="assist") == [(Kind.SOS, 1)]


def test_a_remembered_call_is_none():
    taken = Ear(sensor("button", Role.BUTTON)).hears("plain/button", {"kind": "assist"}, retained=True)

    assert (brief(taken), why(taken)) == ([], ["retained-event"])


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        (
            "shelly/it/events/rpc",
            {"method": "NotifyEvent", "params": {"events": [{"component": "input:0", "event": "long_push"}]}},
        ),
        ("tasmota/it/stat/RESULT", {"Button1": {"Action": "DOUBLE"}}),
    ],
)
def test_buttons_on_wifi_ask_too(topic, said):
    ear = Ear(sensor("button", Role.BUTTON, address="it"))

    assert (Kind.ASSIST, 1) in brief(ear.hears(topic, said))


def test_it_is_found_at_once_as_help_that_can_wait():
    ear = Ear(sensor("button", Role.BUTTON, 9, subject="p-1"))
    [_, asked] = ear.hears("zigbee2mqtt/button", {"action": "double"}).readings
    (found,) = Emergency(ear.directory.all[0]).observe(asked, Context())

    assert (found.code, found.severity, found.subject) == ("assist", Severity.MEDIUM, "p-1")
    assert asked.is_life


def test_a_self_test_of_a_detector_is_kept_and_wakes_nobody():
    """Smoke, gas and carbon monoxide that a detector makes itself to try itself out."""
    for role in (Role.SMOKE, Role.GAS, Role.CO):
        key = "carbon_monoxide" if role is Role.CO else role.value
        ear = Ear(sensor("it", role, 9))
        emergency = Emergency(ear.directory.all[0])
        taken = ear.hears("zigbee2mqtt/it", {key: True, "test": True})

        assert brief(taken) == [(Kind.SELF_TEST, 1)]
        assert [f for reading in taken.readings for f in emergency.observe(reading, Context())] == []

        real = ear.after(minutes=30).hears("zigbee2mqtt/it", {key: True, "test": False})
        (found,) = [f for reading in real.readings for f in emergency.observe(reading, Context())]

        assert (found.code, found.severity) == (role.value, Severity.EMERGENCY)
