"""How much room the intake takes for a home: bytes on the heap, each object counted once."""

import gc
import json
import sys
import types
from collections.abc import Iterable
from datetime import timedelta

import pytest
from the_intake import MORNING, Registered, a_home, address, iso, sensor

from gateway.domain import Kind, Role
from gateway.ports import HubDevice, Message
from ingest import devices as devices_room
from ingest.flood import BURST
from ingest.intake import Intake
from ingest.known import Bound

ROOMS = ("hall", "bedroom", "kitchen", "bathroom", "living")
SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def topics_of(intake: Intake) -> list[str]:
    firsts = [one.topic for one in intake.devices._devices["home-7"] if isinstance(one, Bound)]
    return [*firsts, *intake.devices._topics.get("home-7", ())]


def held(root: object, besides: Iterable[object]) -> int:
    """What is reached from here and not from there."""
    met: set[int] = set()
    total, ahead = 0, [root]
    for known in (True, False):
        ahead = list(besides) if known else [root]
        while ahead:
            one = ahead.pop()
            if id(one) not in met and not isinstance(one, SHARED):
                met.add(id(one))
                total += 0 if known else sys.getsizeof(one)
                ahead += gc.get_referents(one)
    return total


def lived(count: int) -> tuple[Intake, Registered]:
    """So many homes of eight devices, each of which has said twenty times what Zigbee2MQTT says."""
    devices = [sensor(f"motion-{room}", Role.MOTION, number + 1) for number, room in enumerate(ROOMS)]
    devices += [sensor(f"contact-{room}", Role.OPENING, number + 6) for number, room in enumerate(ROOMS[:3])]
    homes = [a_home(*devices, home=f"home-{number}", hub=f"hub-{number}") for number in range(count)]
    directory = Registered(*homes)
    intake = Intake(directory)
    intake.devices.remember(
        HubDevice(f"hub-{number}", address(at + 1), one.name)
        for number in range(count)
        for at, one in enumerate(devices)
    )
    for turn in range(20):
        for number in range(count):
            for at, one in enumerate(devices):
                heard = MORNING + timedelta(minutes=turn, milliseconds=number * 10 + at)
                said = {"battery": 97, "illuminance": 37, "linkquality": 120, "voltage": 2985, "last_seen": iso(heard)}
                said |= {"occupancy" if one.role is Role.MOTION else "contact": turn % 2 == 0}
                topic = f"shouwang/hub-{number}/zigbee2mqtt/{one.name}"
                assert intake.take(Message(topic, json.dumps(said).encode(), heard), 1).readings
    intake.devices.make_room(heard + BURST)
    return intake, directory


def test_only_who_speaks_again_soon_stays_in_hand(monkeypatch):
    """A thousand homes that each say something once, as after a start, take the room of those that are laid aside."""
    monkeypatch.setattr(devices_room, "NEWCOMERS", 2)
    devices = [sensor(f"contact-{number}", Role.OPENING, number) for number in range(1, 9)]
    intake, now = Intake(Registered(a_home(*devices))), MORNING

    def says(device: int) -> None:
        heard = now + timedelta(milliseconds=device)
        said = json.dumps({"contact": True, "last_seen": iso(heard)}).encode()
        intake.take(Message(f"shouwang/hub-7/zigbee2mqtt/{address(device)}", said, heard), 1)

    def in_hand() -> set[int]:
        return {at for at, one in enumerate(intake.devices._devices["home-7"], 1) if not isinstance(one, bytes)}

    for device in range(1, 9):
        says(device)
    assert in_hand() == {6, 7, 8}, "two newcomers, and the one that is speaking"

    now += timedelta(seconds=5)
    for device in range(1, 9):
        says(device)
    assert in_hand() == set(range(1, 9))
    assert len(topics_of(intake)) == len(intake._roads) == 8


def test_coming_and_going_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(devices_room, "NEWCOMERS", 0)
    devices = [sensor(f"contact-{number}", Role.OPENING, number) for number in (1, 2)]
    intake = Intake(Registered(a_home(*devices)))
    for turn in range(50):
        heard = MORNING + timedelta(minutes=2 * turn)
        said = json.dumps({"contact": turn % 4 < 2, "last_seen": iso(heard)}).encode()
        assert intake.take(Message(f"shouwang/hub-7/zigbee2mqtt/{address(turn % 2 + 1)}", said, heard), 1).readings

    assert len(topics_of(intake)) == len(intake._roads) == 1


def test_whoever_was_laid_aside_says_nothing_new_by_saying_the_same(monkeypatch):
    monkeypatch.setattr(devices_room, "NEWCOMERS", 0)
    devices = [sensor(f"contact-{number}", Role.OPENING, number) for number in (1, 2)]
    intake, now = Intake(Registered(a_home(*devices))), MORNING

    def says(device: int, battery: float, *, low: bool = False) -> list[tuple[Kind, float]]:
        nonlocal now
        now += timedelta(hours=2)
        said = {"contact": True, "battery": battery, "battery_low": low, "last_seen": iso(now)}
        taken = intake.take(Message(f"shouwang/hub-7/zigbee2mqtt/{address(device)}", json.dumps(said).encode(), now), 1)
        return [(one.kind, one.value) for one in taken.readings if one.kind is not Kind.ALIVE]

    def quiet() -> dict[str, float] | None:
        (device,) = (one for one in intake.devices._devices["home-7"] if isinstance(one, Bound))
        return device.quiet

    assert {Kind.BATTERY, Kind.BATTERY_LOW} < {kind for kind, _ in says(1, 80)}
    assert says(2, 90)
    assert says(1, 80) == []
    assert quiet() == {"battery": 80, "battery_low": False}, "of its keys as they were met, though its bytes have none"
    assert says(1, 60) == [(Kind.BATTERY, 60.0)]
    assert says(2, 90, low=True) == [(Kind.BATTERY_LOW, 1.0)]
    assert says(1, 60) == []


def test_what_is_said_for_two_parts_at_once_is_remembered_of_both(monkeypatch):
    """One is in hand and the other is not, who takes its room: only after it has heard."""
    buttons = [sensor(f"button-{number}", Role.SOS, address=f"box/input:{number}") for number in range(2)]
    intake, now = Intake(Registered(a_home(*buttons))), MORNING

    def says(topic: str, payload: bytes) -> list[tuple[str, Kind, float]]:
        nonlocal now
        now += timedelta(minutes=1)
        taken = intake.take(Message(f"shouwang/hub-7/shelly/box/{topic}", payload, now), 1)
        return [(one.sensor, one.kind, one.value) for one in taken.readings if one.kind is not Kind.ALIVE]

    says("online", b"true")
    monkeypatch.setattr(devices_room, "NEWCOMERS", 0)
    intake.devices.make_room(now)
    says("status/input:0", b'{"id": 0, "state": false}')
    for said, value in ((b"false", 0.0), (b"true", 1.0)):
        assert says("online", said) == [(f"button-{number}", Kind.CONNECTED, value) for number in range(2)]


@pytest.mark.parametrize(("in_hand", "most"), [(10_000, 13_500), (0, 7_200)], ids=["in hand", "laid aside"])
def test_a_home_of_eight_devices_takes_no_more_room_than_this(monkeypatch, in_hand, most):
    """Beside its registration: some 13 kB while its devices are in hand, half of it when they have been silent."""
    monkeypatch.setattr(devices_room, "IN_HAND", in_hand)
    monkeypatch.setattr(devices_room, "NEWCOMERS", min(in_hand, devices_room.NEWCOMERS))
    small, large = (held(intake, [directory]) for intake, directory in map(lived, (10, 30)))

    assert (large - small) / 20 <= most
