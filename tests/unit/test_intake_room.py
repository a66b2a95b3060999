"""How much room the intake takes for a home: bytes on the heap, each object counted once."""

import gc
import json
import sys
import types
from collections.abc import Iterable
from datetime import timedelta

import pytest
from the_intake import MORNING, Registered, a_home, address, iso, sensor

from gateway.domain import Role
from gateway.ports import HubDevice, Message
from ingest import intake as intake_room
from ingest.flood import BURST
from ingest.intake import Intake

ROOMS = ("hall", "bedroom", "kitchen", "bathroom", "living")
SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


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
    intake.remember_devices(
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
    intake.make_room(heard + BURST)
    return intake, directory


@pytest.mark.parametrize(("in_hand", "most"), [(10_000, 13_500), (0, 7_200)], ids=["in hand", "laid aside"])
def test_a_home_of_eight_devices_takes_no_more_room_than_this(monkeypatch, in_hand, most):
    """Beside its registration: some 13 kB while its devices are in hand, half of it when they have been silent."""
    monkeypatch.setattr(intake_room, "IN_HAND", in_hand)
    small, large = (held(intake, [directory]) for intake, directory in map(lived, (10, 30)))

    assert (large - small) / 20 <= most
