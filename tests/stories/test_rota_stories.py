"""The duty sheet in earnest: desk and courier call whoever the sheet names at that moment."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from test_care_loop import LONG_AGO, House

from alerts import gaps
from alerts.escalation import Reason
from gateway.domain import Contact, Duty, Finding, Grid, Home, Outcome, Person, Reach, Relation, Severity
from gateway.domain.rota import Holiday, Leave, Shift
from gateway.rota import DutySheet

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = date(2026, 2, 17)  # the first day of Spring Festival; the story begins at 11:00


class Street:
    """Two grids with a worker by day each, a street desk that is awake at night, and a supervisor."""

    def __init__(self) -> None:
        self.house = House({"wang": Duty.SUPERVISOR})
        self.registry = self.house.registry
        with self.registry.begin() as book:
            book.put_grid(Grid(code="g2", name="二网格", community="310106"))
            book.put_home(Home(id="h2", code="A-0400", name="李爷爷", grid="g2", zone=SHANGHAI), LONG_AGO)
            for person in ("zhang", "li", "desk", "guard"):
                book.put_person(
                    Person(id=person, name=person, reaches=(Reach(channel="phone", address=person),)), LONG_AGO
                )
        self.sheet = DutySheet(self.registry)
        self.days = {"g1": self.works("g1", "zhang"), "g2": self.works("g2", "li")}

    def works(self, grid: str, person: str, hours: str = "08:00-18:00", weekdays: str = "1234567") -> Shift:
        begins, ends = (time.fromisoformat(part) for part in hours.split("-"))
        shift = Shift(
            place=grid,
            duty=Duty.GRID_WORKER,
            person=person,
            begins=begins,
            ends=ends,
            zone=SHANGHAI,
            first=TUESDAY - timedelta(days=30),
            weekdays=weekdays,
        )
        self.sheet.add_shift(shift, who="wang", now=LONG_AGO)
        return shift

    def assign(self, person: str, duty: Duty, place: str) -> None:
        with self.registry.begin() as book:
            book.assign(person, duty, place, LONG_AGO)

    async def pressed(
        self, home: str, clock: str, day: date = TUESDAY, seconds: float = 200
    ) -> list[tuple[float, str]]:
        """Who is called, after how many seconds, when somebody presses there at that time."""
        moment = datetime.combine(day, time.fromisoformat(clock), SHANGHAI).astimezone(UTC)
        begins = (moment - self.house.now()).total_seconds() + self.house.seconds
        await self.house.until(begins)
        del self.house.phone.rang[:]
        self.house.desk.take(
            [Finding(home=home, code="sos", severity=Severity.EMERGENCY, since=moment, at=moment)], moment
        )
        await self.house.until(begins + seconds)
        called = [(second - begins, person) for second, what, person in self.house.phone.rang if what == "page"]
        self.house.desk.resolve(self.house.alert().id, "wang", Outcome.ASSISTANCE_GIVEN, "", self.house.now())
        return called


async def test_nobody_works_at_night_so_the_street_desk_gets_it_at_once():
    street = Street()
    street.assign("desk", Duty.NIGHT_POOL, "310106")

    assert (await street.pressed("h1", "12:00"))[:2] == [(0, "zhang"), (60, "wang")]
    assert (await street.pressed("h1", "23:30"))[:2] == [(0, "desk"), (120, "wang")], "nobody's minute is lost"


async def test_the_property_guard_of_the_house_is_woken_as_well():
    street = Street()
    street.assign("desk", Duty.NIGHT_POOL, "310106")
    with street.registry.begin() as book:
        book.put_contacts("h1", [Contact(home="h1", person="guard", relation=Relation.PROPERTY)], LONG_AGO)

    assert {person for second, person in await street.pressed("h1", "23:30") if second == 0} == {"desk", "guard"}


async def test_two_grids_swap():
    street = Street()
    now = street.house.now()
    friday = TUESDAY + timedelta(days=3)

    street.sheet.swap((street.days["g1"].id, TUESDAY), (street.days["g2"].id, friday), who="wang", now=now)

    assert (await street.pressed("h1", "12:00"))[0] == (0, "li")
    assert (await street.pressed("h2", "12:30"))[0] == (0, "li")
    assert (await street.pressed("h2", "12:00", friday))[0] == (0, "zhang")


async def test_an_alert_that_rings_over_the_end_of_a_shift_calls_whoever_is_on_duty_then():
    street = Street()
    street.works("g1", "li", "18:00-08:00")

    called = await street.pressed("h1", "17:59", seconds=400)

    assert called[0] == (0, "zhang")
    assert "li" in [person for _, person in called[1:]], "in the next round it is li's turn"


async def test_on_leave_and_nobody_stands_in():
    street = Street()
    begins = street.house.now()
    street.sheet.put_leave(
        Leave(person="zhang", since=begins, until=begins + timedelta(days=3)), who="wang", now=begins
    )

    assert (await street.pressed("h1", "12:00"))[0] == (0, "wang")

    street.sheet.stand_in((street.days["g1"].id, TUESDAY + timedelta(days=1)), "li", who="wang", now=begins)
    assert (await street.pressed("h1", "12:00", TUESDAY + timedelta(days=1)))[0] == (0, "li")


async def test_on_the_first_day_of_spring_festival_whoever_works_on_sundays_is_called():
    street = Street()
    street.sheet.end_shift(street.days["g1"].id, TUESDAY - timedelta(days=1), who="wang", now=street.house.now())
    street.works("g1", "zhang", weekdays="12345")
    street.works("g1", "li", weekdays="67")
    street.sheet.put_holiday(Holiday(day=TUESDAY, name="春节"), who="wang", now=street.house.now())

    assert (await street.pressed("h1", "12:00"))[0] == (0, "li")
    assert (await street.pressed("h1", "12:00", TUESDAY + timedelta(days=1)))[0] == (0, "zhang")


async def test_hours_that_nobody_has_are_told_to_the_supervisor_once_and_beforehand():
    street = Street()
    street.works("g2", "guard", "18:00-08:00")
    with street.registry.begin() as book:
        book.put_duties("wang", [(Duty.INSTALLER, "g1")], LONG_AGO + timedelta(days=1))
        book.assign("desk", Duty.ADMIN, "", LONG_AGO)

    for hour in range(5):
        (place,) = [place for place in gaps.watched(street.registry) if place.grid == "g1"]
        for finding in gaps.findings(place, street.registry, street.house.now()):
            (verdict,) = street.house.desk.take([finding], street.house.now())
            assert verdict.reason is (Reason.KNOWN if hour else Reason.NEW)
        await street.house.until(street.house.seconds + 60)

    assert [(what, person) for _, what, person in street.house.phone.rang] == [("page", "desk")]
    (letter,) = street.house.phone.letters
    assert "无人可响应" in letter.title
    assert "18:00" in letter.body
    assert "g1" in letter.title, "the grid's code stands where a household's would"
