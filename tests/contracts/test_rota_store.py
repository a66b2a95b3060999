"""What every registry keeps of the rota: shifts, swaps, holidays, leave come back as they were and count at once."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain import Area, Duty, Grid, Person, Reach
from gateway.domain.rota import Holiday, Leave, Shift, Why

SHANGHAI = ZoneInfo("Asia/Shanghai")
SPRING = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # a Monday, noon in Shanghai
NIGHT = SPRING + timedelta(hours=15)
MONDAY = date(2026, 3, 2)
DAYS = Shift(
    place="g1",
    duty=Duty.GRID_WORKER,
    person="zhang",
    begins=time(8),
    ends=time(18),
    zone=SHANGHAI,
    first=MONDAY,
    weekdays="12345",
)
LI_FOR_ZHANG = Shift(
    place="g1",
    duty=Duty.GRID_WORKER,
    person="li",
    begins=time(8),
    ends=time(18),
    zone=SHANGHAI,
    first=MONDAY,
    last=MONDAY,
    swap_of=DAYS.id,
)
FEAST = Holiday(day=MONDAY, name="清明节")
AWAY = Leave(
    person="zhang", since=SPRING - timedelta(days=1), until=SPRING + timedelta(days=1), reason="病假", author="ma"
)


@pytest.fixture
def town(registry):
    """A grid in a community in a street, and three people."""
    with registry.begin() as ledger:
        for code, level, parent in (("330106", "street", ""), ("330106001", "community", "330106")):
            ledger.put_area(Area(code=code, name=code, level=level, parent=parent), SPRING)
        ledger.put_grid(Grid(code="g1", name="一网格", community="330106001"))
        for person in ("zhang", "li", "zhao"):
            ledger.put_person(Person(id=person, name=person, reaches=(Reach(channel="console"),)), SPRING)
    return registry


def put(town, *rows) -> None:
    write = {Shift: "put_shift", Holiday: "put_holiday", Leave: "put_leave"}
    with town.begin() as ledger:
        for row in rows:
            getattr(ledger, write[type(row)])(row)


def who(town, at=SPRING, duty=Duty.GRID_WORKER) -> list[str]:
    return [person.id for person in town.on_duty("g1", duty, at)]


def test_what_is_written_comes_back_as_it_was(town):
    put(town, DAYS, LI_FOR_ZHANG, FEAST, AWAY)

    rota = town.rota()
    assert rota.shifts == {("g1", Duty.GRID_WORKER): (DAYS,)}
    assert rota.swaps == {(DAYS.id, MONDAY): LI_FOR_ZHANG}
    assert rota.holidays == {("", MONDAY): FEAST}
    assert rota.leaves == {"zhang": (AWAY,)}
    assert rota.above["g1"] == ("g1", "330106001", "330106", "")


def test_a_shift_counts_from_the_moment_it_is_written(town):
    version = town.version()
    assert who(town) == []

    put(town, DAYS)

    assert town.version() > version
    assert who(town) == ["zhang"]
    assert who(town, NIGHT) == []


def test_the_same_shift_again_is_one_and_may_end_earlier(town):
    put(town, DAYS, DAYS)
    assert who(town) == ["zhang"]

    put(town, replace(DAYS, last=MONDAY))

    assert who(town) == ["zhang"]
    assert who(town, SPRING + timedelta(days=1)) == []


def test_the_later_swap_of_a_day_is_the_one_that_counts(town):
    put(town, DAYS, LI_FOR_ZHANG)
    assert who(town) == ["li"]

    put(town, replace(LI_FOR_ZHANG, person="zhao"))

    (one,) = town.on_call("g1", Duty.GRID_WORKER, SPRING).people
    assert (one.person.id, one.why, one.turn.instead_of) == ("zhao", Why.SWAP, "zhang")


def test_a_shift_that_is_dropped_takes_its_swaps_along(town):
    put(town, DAYS, LI_FOR_ZHANG)

    with town.begin() as ledger:
        ledger.drop_shift(DAYS.id)

    assert who(town) == []
    assert not town.rota().swaps


def test_holidays_and_leave_can_be_taken_back(town):
    put(town, DAYS, FEAST, AWAY)
    assert who(town) == []

    with town.begin() as ledger:
        ledger.drop_holiday("", MONDAY)
    assert who(town) == []

    with town.begin() as ledger:
        ledger.drop_leave("zhang", AWAY.since)
    assert who(town) == ["zhang"]


def test_a_duty_for_an_area_is_one_for_every_grid_in_it(town):
    with town.begin() as ledger:
        ledger.assign("zhao", Duty.STREET, "330106", SPRING)
        ledger.put_duties("li", [(Duty.COMMUNITY, "330106001"), (Duty.DEPUTY, "g1")], SPRING)

    assert who(town, duty=Duty.STREET) == ["zhao"]
    assert who(town, duty=Duty.COMMUNITY) == ["li"]
    assert town.duties("li", SPRING) == [(Duty.COMMUNITY, "330106001"), (Duty.DEPUTY, "g1")]


def test_an_end_of_a_duty_for_an_area_ends_that_one(town):
    with town.begin() as ledger:
        ledger.assign("zhao", Duty.STREET, "330106", SPRING)
        ledger.assign("zhao", Duty.STREET, "", SPRING)
        ledger.assign("zhao", Duty.STREET, "330106", SPRING, SPRING + timedelta(hours=1))

    assert town.duties("zhao", NIGHT) == [(Duty.STREET, "")]


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        (replace(DAYS, person="nobody"), "person 'nobody'"),
        (replace(DAYS, place="g9"), "grid 'g9'"),
        (Holiday(day=MONDAY, place="g9"), "grid 'g9'"),
        (Leave(person="nobody", since=SPRING, until=NIGHT), "person 'nobody'"),
    ],
)
def test_a_row_names_only_what_is_registered(town, row, missing):
    with pytest.raises(LookupError, match=missing):
        put(town, row)


def test_leave_needs_aware_times(town):
    naive = SPRING.replace(tzinfo=None)

    with pytest.raises(ValueError, match="aware"):
        put(town, Leave(person="zhang", since=naive, until=naive + timedelta(days=1)))
