"""Hours in which nobody of a grid could be called are told beforehand, once each, and by day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pages_house import HandClock

from alerts.catalogue import Catalogue
from alerts.desk import Desk
from alerts.gaps import Gap, duties_of_a_grid, gaps, watched, works
from alerts.gaps import findings as findings_of
from gateway.app import Stores
from gateway.domain import Delivery, Duty, Grid, Home, Monitoring, Person, Purpose, Reach, Sending
from gateway.domain.rota import Leave, Shift
from gateway.stores.memory import MemoryAccounts, MemoryAlerts, MemoryReadings, MemoryRegistry
from gateway.upkeep import look_ahead

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 2)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DUTIES = duties_of_a_grid(Catalogue())


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), SHANGHAI).astimezone(UTC)


NOON = at("12:00")


def a_shift(person: str, begins: str, ends: str, weekdays: str = "1234567") -> Shift:
    return Shift(
        place="g1",
        duty=Duty.GRID_WORKER,
        person=person,
        begins=time.fromisoformat(begins),
        ends=time.fromisoformat(ends),
        zone=SHANGHAI,
        first=MONDAY,
        weekdays=weekdays,
    )


def town(*shifts: Shift, night: bool = False, state: Monitoring = Monitoring.GUARDED) -> MemoryRegistry:
    registry = MemoryRegistry()
    with registry.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一网格", community=""))
        for person in ("zhang", "li"):
            ledger.put_person(Person(id=person, name=person, reaches=(Reach(channel="console"),)), LONG_AGO)
        ledger.put_person(Person(id="mute", name="哑"), LONG_AGO)
        ledger.put_home(Home(id="h1", code="A-1", name="王奶奶", grid="g1", zone=SHANGHAI, state=state), LONG_AGO)
        for shift in shifts:
            ledger.put_shift(shift)
        if night:
            ledger.assign("li", Duty.NIGHT_POOL, "g1", LONG_AGO)
    return registry


def week(registry, now: datetime = NOON) -> list[Gap]:
    return list(gaps("g1", registry, now, now + timedelta(days=7), DUTIES))


def findings(registry, now: datetime, trials=()):
    return [finding for place in watched(registry) for finding in findings_of(place, registry, now, trials)]


def told(registry, now: datetime = NOON, trials=()) -> list[tuple[str, datetime]]:
    return [(finding.subject, finding.since) for finding in findings(registry, now, trials)]


def test_a_night_without_anybody_is_found_with_its_edges():
    registry = town(a_shift("zhang", "08:00", "18:00"), a_shift("li", "19:00", "08:00"))

    found = week(registry)

    assert found[0] == Gap(at("18:00"), at("19:00"))
    assert len(found) == 7


def test_with_a_night_desk_there_is_no_gap():
    assert week(town(a_shift("zhang", "08:00", "18:00"), night=True)) == []
    assert told(town(a_shift("zhang", "08:00", "18:00"), night=True)) == []


def test_only_the_next_gap_of_a_grid_is_told_and_the_same_one_is_one_finding():
    registry = town(a_shift("zhang", "08:00", "18:00"), a_shift("li", "18:00", "08:00", "12345"))
    saturday = MONDAY + timedelta(days=5)

    assert told(registry) == [("", at("18:00", saturday))]
    first, again = (findings(registry, now)[0].id for now in (NOON, NOON + timedelta(hours=3)))
    assert first == again


@pytest.mark.parametrize("clock", ["00:30", "03:00", "07:59"])
def test_a_gap_that_is_going_on_began_where_it_began(clock):
    registry = town(a_shift("zhang", "08:00", "18:00"))
    tuesday = MONDAY + timedelta(days=1)

    assert told(registry, at(clock, tuesday)) == [("", at("18:00"))]


def test_what_lies_far_ahead_waits_for_the_day():
    registry = town(a_shift("zhang", "08:00", "18:00"), a_shift("li", "18:00", "08:00", "12345"))
    tuesday, saturday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=5)

    assert told(registry, at("03:00", tuesday)) == []
    assert told(registry, at("08:00", tuesday)) == [("", at("18:00", saturday))]
    assert told(registry, at("06:30", saturday)) == [("", at("18:00", saturday))]


def test_a_grid_that_never_has_anybody_is_told_once_a_week():
    registry = town()
    days = [findings(registry, at("12:00", MONDAY + timedelta(days=n)))[0].id for n in range(8)]

    assert len(set(days)) == 2
    assert told(registry) == [("", at("00:00"))]


def test_leave_that_nobody_stands_in_for_is_a_gap():
    registry = town(a_shift("zhang", "00:00", "00:00"))
    begins, ends = at("12:00", MONDAY + timedelta(days=2)), at("18:00", MONDAY + timedelta(days=2))
    with registry.begin() as ledger:
        ledger.put_leave(Leave(person="zhang", since=begins, until=ends))

    assert week(registry) == [Gap(begins, ends)]


def test_whoever_is_on_duty_without_a_way_to_be_told_is_named_and_counts_for_nobody():
    registry = town(a_shift("mute", "08:00", "18:00"), a_shift("zhang", "18:00", "08:00"))

    tuesday = MONDAY + timedelta(days=1)
    gap, mute = findings(registry, at("12:00", tuesday))
    assert (gap.subject, gap.since) == ("", at("08:00", tuesday))
    assert (mute.subject, mute.fact("name"), mute.fact("duty")) == ("mute", "哑", "grid_worker")
    assert told(registry, at("07:00", tuesday)) == [("", at("08:00", tuesday))], (
        "names wait for the day; a gap that begins soon does not"
    )


def test_a_way_that_failed_when_it_was_tried_is_none():
    registry = town(a_shift("zhang", "00:00", "00:00"))
    trial = Delivery(
        id="drill/1",
        alert="drill",
        purpose=Purpose.TEST,
        person="zhang",
        channel="console",
        address="",
        created_at=NOON,
        state=Sending.FAILED,
    )

    assert told(registry) == []
    assert [subject for subject, _ in told(registry, trials=[trial])] == ["", "zhang"]
    assert works([trial])(Person(id="zhang", name="", reaches=(Reach(channel="sms", address="1"),)))


@pytest.mark.parametrize("state", [Monitoring.REGISTERED, Monitoring.PAUSED, Monitoring.RETIRED])
def test_where_no_home_is_watched_nobody_is_missed(state):
    assert told(town(state=state)) == []


async def test_the_gateway_looks_ahead_by_itself_and_tells_each_gap_once():
    registry = town(a_shift("zhang", "08:00", "18:00"))
    clock = HandClock(NOON)
    stores = Stores(MemoryAlerts(registry.trail), registry, MemoryAccounts(), MemoryReadings())
    desk = Desk(stores.alerts, registry)

    for _ in range(3):
        await look_ahead(stores, desk, clock)
        clock.go_on(hours=1)

    (alert,) = stores.alerts.alerts()
    assert (alert.home, alert.code, alert.count) == ("grid:g1", "no_responder", 1)
    assert alert.finding.since == at("18:00")
