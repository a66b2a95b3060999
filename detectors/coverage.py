"""What a home can notice, by the sensors that are registered in it, and what it cannot while some of them are blind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.domain import Gap, Home, Role, RoomKind, Severity


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be noticed: the code of its alert, how bad that is, and whether each room needs its own witness."""

    what: str
    severity: Severity
    by_room: bool = False


SOS = Task("sos", Severity.EMERGENCY, by_room=True)
SMOKE = Task("smoke", Severity.EMERGENCY, by_room=True)
GAS = Task("gas", Severity.EMERGENCY, by_room=True)
CO = Task("co", Severity.EMERGENCY, by_room=True)
FALL = Task("fall", Severity.HIGH, by_room=True)
BATH_DWELL = Task("bath_dwell", Severity.HIGH, by_room=True)
INACTIVITY = Task("inactivity", Severity.HIGH)
INACTIVITY_HERE = Task("inactivity", Severity.CARE, by_room=True)  # one room unseen: the others still tell of life
BED_NO_RETURN = Task("bed_no_return", Severity.HIGH)
NOT_RETURNED = Task("not_returned", Severity.HIGH)
NIGHT_EXIT = Task("night_exit", Severity.HIGH)
LEAK = Task("leak", Severity.MEDIUM, by_room=True)
WATER_LOW = Task("water_low", Severity.MEDIUM)
ROOM_TEMPERATURE = Task("room_temperature", Severity.MEDIUM, by_room=True)

NOTICES: Mapping[Role, tuple[Task, ...]] = {
    Role.SOS: (SOS,),
    Role.SMOKE: (SMOKE,),
    Role.GAS: (GAS,),
    Role.CO: (CO,),
    Role.FALL: (FALL,),
    Role.LEAK: (LEAK,),
    Role.MOTION: (INACTIVITY, INACTIVITY_HERE),
    Role.PRESENCE: (INACTIVITY, INACTIVITY_HERE),
    Role.EXIT_DOOR: (NOT_RETURNED, NIGHT_EXIT),
    Role.BED: (BED_NO_RETURN,),
    Role.WATER_METER: (WATER_LOW,),
    Role.CLIMATE: (ROOM_TEMPERATURE,),
}
"""What the sensor of a role lets us notice. Roles that are not here only help: chairs, drawers, kettles, buttons."""

IN_ROOM: Mapping[tuple[Role, RoomKind], tuple[Task, ...]] = {
    (Role.MOTION, RoomKind.BATHROOM): (FALL, BATH_DWELL),
    (Role.PRESENCE, RoomKind.BATHROOM): (FALL, BATH_DWELL),
}
"""And what besides, where it hangs in a certain room: who lies on the bathroom floor stays too long."""

WANTED = (SOS, SMOKE, INACTIVITY, NOT_RETURNED, NIGHT_EXIT, BED_NO_RETURN)
"""What every home is asked about: without any sensor for it, its coverage statement says so."""

WANTED_IN: Mapping[RoomKind, tuple[Task, ...]] = {RoomKind.BATHROOM: (FALL,)}


@dataclass(frozen=True, slots=True)
class Blindness:
    """Why one sensor sees nothing, and since when."""

    why: str
    since: datetime


class Coverage:
    """Which sensors testify to what in one home."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def _witnesses(self) -> dict[tuple[Task, str], list[str]]:
        """Who sees what: asked for seldom enough not to be kept for every home."""
        found: dict[tuple[Task, str], list[str]] = {}
        rooms = {room.id: room.kind for room in self.home.rooms}
        for sensor in self.home.sensors:
            extra = IN_ROOM.get((sensor.role, rooms.get(sensor.room, RoomKind.OTHER)), ())
            for task in NOTICES.get(sensor.role, ()) + extra:
                found.setdefault((task, sensor.room if task.by_room else ""), []).append(sensor.id)
        return found

    def lost_with(self, sensor: str, blind: Mapping[str, Blindness]) -> list[Task]:
        """What nobody can notice any more when this sensor is blind too."""
        return [
            task
            for (task, _), witnesses in self._witnesses().items()
            if sensor in witnesses and all(one == sensor or one in blind for one in witnesses)
        ]

    def gaps(self, blind: Mapping[str, Blindness], begun: datetime) -> tuple[Gap, ...]:
        """All that cannot be noticed, worst first. What no sensor was ever there for is missing since `begun`."""
        witnesses_of = self._witnesses()
        found: list[tuple[Task, Gap]] = []
        for (task, room), witnesses in witnesses_of.items():
            if not all(one in blind for one in witnesses):
                continue
            # It could be noticed until the last of its witnesses went blind.
            last = max(witnesses, key=lambda one: blind[one].since)
            found.append((task, self._gap(task, blind[last].why, blind[last].since, room, last)))
        if any(task is INACTIVITY for task, _ in found):
            found = [(task, gap) for task, gap in found if task is not INACTIVITY_HERE]
        here = {task.what for task, _ in witnesses_of}
        found += [(task, self._gap(task, "sensor_missing", begun)) for task in WANTED if task.what not in here]
        for place in self.home.rooms:
            for task in WANTED_IN.get(place.kind, ()):
                if (task, place.id) not in witnesses_of:
                    found.append((task, self._gap(task, "sensor_missing", begun, place.id)))
        found.sort(key=lambda one: one[0].severity.value)
        return tuple(gap for _, gap in found)

    def _gap(self, task: Task, why: str, since: datetime, room: str = "", sensor: str = "") -> Gap:
        return Gap(home=self.home.id, what=task.what, why=why, since=since, room=room, sensor=sensor)
