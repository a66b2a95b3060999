"""One home that has everything, and seven weeks in which everything happens there once; told by the clock on its wall.

The same weeks can be lived in any zone, with a clock that is changed in the middle of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from detectors import Watch
from gateway.domain import Finding, Home, Hub, Kind, Power, Reading, Role, Room, RoomKind, Sensor
from gateway.ports import Context
from simulators.recordings import pass_time

CONTEXT = Context(listening_since=datetime(2026, 1, 1, tzinfo=UTC))
BEGINS = date(2026, 3, 2)  # a Monday
SHANGHAI = ZoneInfo("Asia/Shanghai")
BEAT, DARK = timedelta(minutes=5), timedelta(hours=1)
"""How often the hub is heard, and how long nothing at all is said only while it is not."""

ROOMS = {
    "hall": RoomKind.HALL,
    "kitchen": RoomKind.KITCHEN,
    "bath": RoomKind.BATHROOM,
    "bedroom": RoomKind.BEDROOM,
    "living": RoomKind.LIVING,
}
SENSORS = {
    "door": ("hall", Role.EXIT_DOOR),
    "kitchen": ("kitchen", Role.MOTION),
    "bath": ("bath", Role.MOTION),
    "bedroom": ("bedroom", Role.MOTION),
    "living": ("living", Role.MOTION),
    "mat": ("bedroom", Role.BED),
    "meter": ("kitchen", Role.WATER_METER),
    "air": ("bedroom", Role.CLIMATE),
    "cuff": ("living", Role.VITALS),
    "radar": ("living", Role.FALL),
    "button": ("bath", Role.SOS),
    "smoke": ("kitchen", Role.SMOKE),
    "gas": ("kitchen", Role.GAS),
    "co": ("bedroom", Role.CO),
    "leak": ("bath", Role.LEAK),
    "plug": ("living", Role.APPLIANCE),
}


def whole_home(zone: ZoneInfo = SHANGHAI, interval: timedelta | None = BEAT) -> Home:
    return Home(
        id="h1",
        code="A-101",
        name="王奶奶",
        grid="g1",
        zone=zone,
        rooms=tuple(Room(id=name, name=name, kind=kind) for name, kind in ROOMS.items()),
        hubs=(Hub(id="hub", home="h1", interval=interval),),
        sensors=tuple(
            Sensor(id=name, hub="hub", address=name, name=name, room=room, role=role, power=Power.MAINS)
            if name == "plug"
            else Sensor(id=name, hub="hub", address=name, name=name, room=room, role=role, power=Power.BATTERY)
            for name, (room, role) in SENSORS.items()
        ),
    )


@dataclass(frozen=True, order=True)
class Said:
    """What a sensor says when the clock on the wall shows this."""

    at: datetime
    sensor: str
    kind: Kind
    value: float = 1.0


# --------------------------------------------------------------------------- days


def _at(day: int, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return datetime.combine(BEGINS + timedelta(days=day), time(int(hour), int(minute)))


def seen(day: int, clock: str, *rooms: str, apart_s: int = 60) -> list[Said]:
    """Movement, twice in each room."""
    began = _at(day, clock)
    pulses = [room for room in rooms for _ in range(2)]
    return [Said(began + n * timedelta(seconds=apart_s), room, Kind.MOTION) for n, room in enumerate(pulses)]


def through_the_door(day: int, clock: str) -> list[Said]:
    opens = _at(day, clock)
    return [Said(opens, "door", Kind.DOOR, 1), Said(opens + timedelta(seconds=20), "door", Kind.DOOR, 0)]


def out(day: int, leaves: str, comes: str) -> list[Said]:
    back = (_at(day, comes) + timedelta(minutes=1)).strftime("%H:%M")
    return [
        *seen(day, leaves, "living", apart_s=-30),
        *through_the_door(day, leaves),
        *through_the_door(day, comes),
        *seen(day, back, "kitchen"),
    ]


def drawn(day: int, *clocks: str, litres: float = 8) -> list[Said]:
    return [Said(_at(day, clock), "meter", Kind.WATER, litres) for clock in clocks]


def in_bed(day: int, clock: str, lies: int) -> list[Said]:
    return [Said(_at(day, clock), "mat", Kind.BED, lies)]


def by_half_hours(day: int, begins: str, ends: str, *rooms: str) -> list[Said]:
    at, end = _at(day, begins), _at(day, ends)
    said: list[Said] = []
    while at <= end:
        said += seen(day, f"{at:%H:%M}", rooms[len(said) // 2 % len(rooms)])
        at += timedelta(minutes=20)
    return said


def morning(day: int, up: str = "06:40") -> list[Said]:
    after = f"{_at(day, up) + timedelta(minutes=2):%H:%M}"
    return [*in_bed(day, up, 0), *seen(day, after, "bath", "kitchen"), *drawn(day, "07:10", "07:50", "08:40")]


def afternoon(day: int) -> list[Said]:
    return [*by_half_hours(day, "11:20", "20:30", "living", "kitchen", "living", "bath"), *drawn(day, "12:10", "18:20")]


def evening(day: int) -> list[Said]:
    return [*seen(day, "21:10", "bath", "bedroom"), *in_bed(day, "21:30", 1)]


def a_night_up(day: int) -> list[Said]:
    """To the bathroom and back."""
    return [*in_bed(day, "02:30", 0), *seen(day, "02:31", "bath"), *in_bed(day, "02:38", 1)]


def a_day(day: int) -> list[Said]:
    late = 10 * (day % 3)
    return [
        *a_night_up(day),
        *morning(day, f"06:{40 + late // 2}"),
        *by_half_hours(day, "08:10", "08:50", "kitchen", "living"),
        *out(day, f"09:{10 + late}", f"10:{20 + late}"),
        *afternoon(day),
        *evening(day),
    ]


# --------------------------------------------------------------------------- what happens


def wanders(day: int) -> list[Said]:
    rooms = ("bath", "living", "kitchen", "bedroom") * 7
    walks = [one for n, room in enumerate(rooms) for one in seen(day, f"00:{10 + n:02}", room, apart_s=20)]
    return [*in_bed(day, "00:09", 0), *walks, *in_bed(day, "00:45", 1), *a_day(day)]


def goes_out_at_night(day: int) -> list[Said]:
    return [
        *in_bed(day, "01:55", 0),
        *seen(day, "01:56", "living"),
        *through_the_door(day, "02:00"),
        *through_the_door(day, "02:50"),
        *seen(day, "02:52", "living"),
        *in_bed(day, "03:00", 1),
        *a_day(day)[4:],
    ]


def lies_beside_the_bed(day: int) -> list[Said]:
    return [*in_bed(day, "01:30", 0), *in_bed(day, "04:30", 1), *a_day(day)[4:]]


def stays_in_the_bathroom(day: int) -> list[Said]:
    return [
        *a_night_up(day),
        *morning(day),
        *seen(day, "08:10", "bath"),
        *seen(day, "08:20", "bath"),
        *afternoon(day),
        *evening(day),
    ]


def falls_in_the_hall(day: int) -> list[Said]:
    comes_in = [
        *seen(day, "09:10", "living", apart_s=-30),
        *through_the_door(day, "09:10"),
        *through_the_door(day, "10:00"),
    ]
    return [*a_night_up(day), *morning(day), *comes_in, *afternoon(day), *evening(day)]


def leaves_the_door_open(day: int) -> list[Said]:
    stands = [Said(_at(day, "15:05"), "door", Kind.DOOR, 1), Said(_at(day, "17:05"), "door", Kind.DOOR, 0)]
    return [*a_day(day), *stands]


def does_not_come_home(day: int) -> list[Said]:
    return [*a_night_up(day), *morning(day), *through_the_door(day, "09:10")]


def comes_home_late(day: int) -> list[Said]:
    return [*through_the_door(day, "19:00"), *seen(day, "19:01", "kitchen", "living"), *evening(day)]


def stays_in_bed(day: int) -> list[Said]:
    return [
        *in_bed(day, "13:30", 0),
        *seen(day, "13:32", "bath", "kitchen"),
        *drawn(day, "14:00"),
        *afternoon(day)[30:],
        *evening(day),
    ]


def leaves_the_tap_running(day: int) -> list[Said]:
    return [*a_day(day), *drawn(day, *(f"{half // 2:02}:{half % 2 * 30 + 5:02}" for half in range(48)), litres=70)]


def stays_in(day: int) -> list[Said]:
    return [
        *a_night_up(day),
        *morning(day),
        *by_half_hours(day, "08:20", "11:00", "living", "bath"),
        *afternoon(day),
        *evening(day),
    ]


def stays_in_and_draws_nothing(day: int) -> list[Said]:
    return [one for one in stays_in(day) if one.kind is not Kind.WATER]


def lies_still(day: int) -> list[Said]:
    return [
        *a_night_up(day),
        *morning(day),
        *seen(day, "10:00", "living"),
        *seen(day, "20:00", "living"),
        *evening(day),
    ]


def measures(day: int, kind: Kind, *values: float) -> list[Said]:
    began = _at(day, "08:00")
    return [Said(began + n * timedelta(minutes=6), "cuff", kind, value) for n, value in enumerate(values)]


def calls(day: int) -> list[Said]:
    """Whatever can call, at noon."""
    kinds = {
        "button": Kind.SOS,
        "smoke": Kind.SMOKE,
        "gas": Kind.GAS,
        "co": Kind.CO,
        "leak": Kind.LEAK,
        "radar": Kind.FALL,
    }
    at = _at(day, "12:00")
    pressed = [Said(at, name, kind, 1) for name, kind in kinds.items()]
    cleared = [Said(at + timedelta(minutes=1), name, kind, 0) for name, kind in kinds.items()]
    return [*a_day(day), *pressed, *cleared, Said(at, "button", Kind.ASSIST, 1)]


def complains(day: int) -> list[Said]:
    """The equipment says what is wrong with it."""
    at = _at(day, "12:00")
    opened = [Said(at, "smoke", Kind.TAMPER), Said(at, "smoke", Kind.FAULT), Said(at, "living", Kind.CUT, 900)]
    hub = [
        Said(at, "hub", Kind.MAINS, 0),
        Said(at, "hub", Kind.CLOCK, 400),
        Said(at + timedelta(hours=1), "hub", Kind.MAINS, 1),
    ]
    chatter = [Said(at + timedelta(seconds=n / 3), "bath", Kind.MOTION, (n + 1) % 2) for n in range(150)]
    return [*a_day(day), *opened, *hub, *chatter]


STORY: Mapping[int, Callable[[int], list[Said]]] = {
    17: wanders,
    19: goes_out_at_night,
    20: lies_beside_the_bed,
    21: stays_in_the_bathroom,
    22: falls_in_the_hall,
    23: leaves_the_door_open,
    24: does_not_come_home,
    25: comes_home_late,
    27: stays_in_bed,
    29: leaves_the_tap_running,
    30: leaves_the_tap_running,
    **dict.fromkeys(range(31, 36), stays_in),
    36: stays_in_and_draws_nothing,
    37: stays_in_and_draws_nothing,
    39: lies_still,
    41: calls,
    42: complains,
}
DAYS = 46


def _weather(day: int, hour: int) -> float:
    spells = {18: 3.0, 26: 39.0}
    return spells.get(day, 20.0) + hour % 3 / 10


def _equipment(day: int) -> Iterator[Said]:
    """What the devices say by themselves: each hour that they live, how they are heard, and how warm it is."""
    for minute in range(0, 24 * 60, 3):
        at = _at(day, "00:00") + timedelta(minutes=minute)
        if day != 43:
            yield Said(at, "plug", Kind.ALIVE)
        if minute % 60 == 30:
            for name in SENSORS:
                if name != "plug":
                    yield Said(at, name, Kind.ALIVE)
            yield Said(at, "air", Kind.TEMPERATURE, _weather(day, minute // 60))
            yield Said(at, "kitchen", Kind.LINK, 12 if day >= 44 else 180)
            yield Said(at, "leak", Kind.BATTERY, 8 if day >= 40 else 90)


def _is_heard(said: Said) -> bool:
    """For three days nothing that the living room's sensor sees, and an evening hour nothing at all."""
    day = (said.at.date() - BEGINS).days
    if said.sensor == "living" and said.kind is Kind.MOTION and day in (32, 33, 34, 35):
        return False
    return not _at(45, "14:00") <= said.at < _at(45, "15:00")


@cache
def seven_weeks() -> tuple[Said, ...]:
    said: list[Said] = []
    for day in range(DAYS):
        said += STORY.get(day, a_day)(day)
        said += _equipment(day)
        said += measures(day, Kind.SYSTOLIC, 130 if day != 28 else 190, *((192,) if day == 28 else ()))
        if day == 38:
            said += measures(day, Kind.HEART_RATE, 150)
    return tuple(sorted(one for one in said if _is_heard(one)))


# --------------------------------------------------------------------------- lived


@cache
def readings(zone: ZoneInfo = SHANGHAI, said: Sequence[Said] = ()) -> tuple[Reading, ...]:
    """In the zone of a home. What falls into an hour that its clock leaps over is not said."""
    lived = []
    for arrival, one in enumerate(said or seven_weeks()):
        at = one.at.replace(tzinfo=zone).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) != one.at:
            continue
        room = SENSORS[one.sensor][0] if one.sensor in SENSORS else ""
        lived.append(Reading("h1", one.sensor, room, one.kind, float(one.value), at, at, arrival=arrival, seq=arrival))
    return tuple(lived)


def live(watch: Watch, lived: Iterable[Reading], tick: timedelta | None = None) -> list[Finding]:
    """Through these, with the hub heard as it promised between them; asked when something is due, or at this pace."""
    found: list[Finding] = []
    now: datetime | None = None
    for reading in lived:
        if now is not None and watch.home.interval is not None and reading.heard - now <= DARK:
            found += _beats(watch, now, reading.heard)
        while tick is not None and now is not None and now + tick < reading.heard:
            now += tick
            found += watch.tick(now, CONTEXT)
        found += pass_time(watch, reading.heard, CONTEXT)
        marker = watch.hear(reading.heard, reading.arrival)
        if marker is not None:
            found += watch.observe(marker, CONTEXT)
        found += watch.observe(reading, CONTEXT)
        now = reading.heard
    return found


def _beats(watch: Watch, since: datetime, until: datetime) -> Iterator[Finding]:
    at = since + BEAT
    while at < until:
        watch.hear(at, 0)
        yield from pass_time(watch, at, CONTEXT)
        at += BEAT
