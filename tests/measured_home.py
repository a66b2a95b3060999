"""One home with a water meter, thermometers and a cuff; time as it pleases."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.domain import Finding, Home, Hub, Kind, Reading, Role, Room, RoomKind, Sensor
from gateway.ports import Context, Detector

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 1, 5, 0, 0, tzinfo=SHANGHAI)  # a Monday

_SENSORS = {
    "door": ("hall", Role.EXIT_DOOR),
    "pir": ("kitchen", Role.MOTION),
    "meter": ("kitchen", Role.WATER_METER),
    "bed-air": ("bedroom", Role.CLIMATE),
    "balcony-air": ("balcony", Role.CLIMATE),
    "cuff": ("bedroom", Role.VITALS),
}


def a_home(*names: str, zone: ZoneInfo = SHANGHAI) -> Home:
    """With these of its sensors, or with all."""
    kinds = {"hall": RoomKind.HALL, "kitchen": RoomKind.KITCHEN, "bedroom": RoomKind.BEDROOM, "balcony": RoomKind.OTHER}
    return Home(
        id="h1",
        code="A-101",
        name="王奶奶",
        grid="g1",
        zone=zone,
        rooms=tuple(Room(id=name, name=name, kind=kind) for name, kind in kinds.items()),
        hubs=(Hub(id="hub1", home="h1", interval=None),),
        sensors=tuple(
            Sensor(id=name, hub="hub1", address=name, name=name, room=room, role=role)
            for name, (room, role) in _SENSORS.items()
            if not names or name in names
        ),
    )


class Life:
    """Says things to one detector in order and remembers what it found."""

    def __init__(self, detector: Detector, home: Home) -> None:
        self.detector, self.home = detector, home
        self.context = Context()
        self.found: list[Finding] = []

    def says(self, at: datetime, sensor: str, kind: Kind, value: float = 1.0, subject: str = "") -> list[Finding]:
        self.waits_until(at)
        moment = at.astimezone(UTC)
        room = _SENSORS[sensor][0] if sensor in _SENSORS else ""
        reading = Reading("h1", sensor, room, kind, value, moment, moment, subject=subject)
        return self._note(self.detector.observe(reading, self.context))

    def waits_until(self, at: datetime) -> list[Finding]:
        found, moment = [], at.astimezone(UTC)
        for _ in range(100):  # a detector may move its deadline more than once
            due = self.detector.due()
            if due is None or due > moment:
                break
            found += self._note(self.detector.tick(moment, self.context))
        return found

    def _note(self, found: Iterable[Finding]) -> list[Finding]:
        new = list(found)
        self.found += new
        return new

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(f"{f.at.astimezone(self.home.zone):%d %H:%M}", f.code) for f in self.found]


def day(number: int, clock: str = "00:00", zone: ZoneInfo = SHANGHAI) -> datetime:
    """A clock time on the so many-th day."""
    hour, minute = clock.split(":")
    date = (BEGIN + timedelta(days=number)).date()
    return datetime(date.year, date.month, date.day, int(hour), int(minute), tzinfo=zone)
