"""What a family is told of a day, from what sensors said: rest, rising, outings."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from pages_house import a_home

from dashboard.days import days_of, outings, part_of_day
from gateway.domain import Home, Kind, Reading, Room, RoomKind

ON = date(2026, 11, 21)
LATE = "23:59"


def home() -> Home:
    rooms = tuple(
        Room(id=kind.value, name=kind.value, kind=kind)
        for kind in (RoomKind.KITCHEN, RoomKind.BEDROOM, RoomKind.BATHROOM, RoomKind.HALL)
    )
    return replace(a_home(1, "g1", "王奶奶"), rooms=rooms)


def seen(*told: str, kind: Kind = Kind.MOTION) -> list[Reading]:
    """`-22:10 kitchen` is yesterday evening; a door says its kind."""
    found = []
    for text in told:
        clock, _, room = text.partition(" ")
        day = ON - timedelta(days=1) if clock.startswith("-") else ON
        at = datetime.combine(day, datetime.strptime(clock.lstrip("-"), "%H:%M").time(), home().zone)  # noqa: DTZ007
        is_door = room == "door"
        found.append(Reading("h1", "d" if is_door else room, room, Kind.DOOR if is_door else kind, 1.0, at, at))
    return sorted(found, key=lambda reading: reading.at)


def the_day(*told: str, until: str = LATE):
    now = datetime.combine(ON, datetime.strptime(until, "%H:%M").time(), home().zone)  # noqa: DTZ007
    (day,) = days_of(home(), seen(*told), ON, ON, now)
    return day


def clock(at: datetime | None) -> str:
    return f"{at.astimezone(home().zone):%H:%M}" if at else ""


def test_a_night_with_ways_to_the_bathroom_and_a_glass_of_water_is_one_night():
    day = the_day(
        "-21:50 kitchen",
        "-22:05 kitchen",
        "00:30 hall",
        "00:31 bathroom",
        "03:10 kitchen",
        "03:14 kitchen",
        "04:40 hall",
        "06:55 kitchen",
        "07:05 kitchen",
    )

    assert clock(day.up) == "06:55"
    assert day.rested == timedelta(hours=8, minutes=50)


def test_somebody_who_is_up_for_long_in_the_night_rested_for_the_longer_part():
    up = [f"02:{minute:02}" + " kitchen" for minute in range(0, 40, 10)]
    day = the_day("-22:00 kitchen", *up, "08:00 kitchen")

    assert day.rested == timedelta(hours=5, minutes=30)
    assert clock(day.up) == "08:00"


def test_of_a_night_that_was_not_heard_nothing_is_said():
    at = datetime(2026, 11, 21, 5, tzinfo=home().zone)
    hole = Reading("h1", "hub", "", Kind.RETURNED, 3 * 3600.0, at, at)
    told = sorted([*seen("-22:00 kitchen", "07:00 kitchen"), hole], key=lambda reading: reading.at)
    (day,) = days_of(home(), told, ON, ON, at + timedelta(hours=10))

    assert day.rested is None
    assert the_day("07:00 kitchen").rested is None, "nor of one whose evening nobody saw"
    assert the_day().was_seen is False
    assert the_day().out_for(at) is None


def test_whoever_leaves_is_still_seen_in_the_hall():
    told = seen("10:00 door", "10:01 hall", "11:20 door", "11:21 hall", "11:30 kitchen", "12:00 door", "12:04 kitchen")

    (outing,) = outings(home(), told)

    assert (clock(outing.left), clock(outing.back)) == ("10:00", "11:20")


def test_still_out():
    (outing,) = outings(home(), seen("15:00 kitchen", "16:00 door"))

    assert clock(outing.left) == "16:00"
    assert outing.back is None


def test_where_somebody_was_by_the_parts_of_the_day():
    rooms = part_of_day(home(), seen("08:00 kitchen", "08:10 kitchen", "09:00 bathroom", "19:00 bedroom", "10:00 door"))

    assert rooms == {"morning": ["kitchen", "bathroom"], "evening": ["bedroom"]}
