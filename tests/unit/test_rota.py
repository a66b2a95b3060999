"""Who can be called when: midnight, the changing of the clocks, swaps, holidays, leave, and places nobody works in."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain import Duty, Person, Reach
from gateway.domain.rota import FOR_GOOD, Holiday, Leave, Post, Rota, Shift, Why

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MONDAY = date(2026, 11, 2)
PEOPLE = {
    name: Person(id=name, name=name, reaches=(Reach(channel="console"),)) for name in ("zhang", "li", "wang", "zhao")
} | {"mute": Person(id="mute", name="mute")}
ABOVE = {
    "g1": ("g1", "dongfeng", "street", "district", ""),
    "g2": ("g2", "dongfeng", "street", "district", ""),
    "dongfeng": ("dongfeng", "street", "district", ""),
}


def a_shift(person: str = "zhang", hours: str = "08:00-18:00", **more) -> Shift:
    begins, ends = (time.fromisoformat(part) for part in hours.split("-"))
    usual = {"place": "g1", "duty": Duty.GRID_WORKER, "zone": SHANGHAI, "first": MONDAY}
    return Shift(person=person, begins=begins, ends=ends, **{**usual, **more})


def swapped(shift: Shift, day: date, person: str) -> Shift:
    return Shift(
        place=shift.place,
        duty=shift.duty,
        person=person,
        begins=shift.begins,
        ends=shift.ends,
        zone=shift.zone,
        first=day,
        last=day,
        swap_of=shift.id,
    )


def held(person: str, place: str = "g1", duty: Duty = Duty.GRID_WORKER) -> Post:
    return Post(person=person, duty=duty, place=place, since=LONG_AGO)


class Sheet:
    """A duty sheet that is asked by the clock on the wall."""

    def __init__(self, *parts, zone: ZoneInfo = SHANGHAI) -> None:
        def of(kind):
            return [part for part in parts if isinstance(part, kind)]

        self.rota = Rota.laid_out(of(Post), of(Shift), of(Holiday), of(Leave), ABOVE)
        self.zone = zone

    def spell(self, day: date, clock: str, grid: str = "g1", duty: Duty = Duty.GRID_WORKER):
        return self.at(datetime.combine(day, time.fromisoformat(clock), self.zone), grid, duty)

    def at(self, moment: datetime, grid: str = "g1", duty: Duty = Duty.GRID_WORKER):
        return self.rota.spell(grid, duty, moment, PEOPLE)

    def who(self, day: date, clock: str, grid: str = "g1", duty: Duty = Duty.GRID_WORKER) -> str:
        return " ".join(one.person.id for one in self.spell(day, clock, grid, duty).people)


# --------------------------------------------------------------------------- hours


def test_a_shift_begins_on_its_minute_and_ends_before_its_last():
    sheet = Sheet(a_shift())

    assert [sheet.who(MONDAY, clock) for clock in ("07:59", "08:00", "17:59", "18:00")] == ["", "zhang", "zhang", ""]


def test_a_night_shift_belongs_to_the_day_on_which_it_begins():
    friday_night = Sheet(a_shift(hours="22:00-06:00", weekdays="5"))
    friday, saturday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=5)

    assert [friday_night.who(friday, clock) for clock in ("03:00", "21:59", "22:00")] == ["", "", "zhang"]
    assert [friday_night.who(saturday, clock) for clock in ("05:59", "06:00", "22:00")] == ["zhang", "", ""]


def test_a_whole_day_ends_where_the_next_begins():
    sheet = Sheet(a_shift(hours="08:00-08:00", weekdays="1"), a_shift("li", "08:00-08:00", weekdays="2"))

    tuesday = MONDAY + timedelta(days=1)
    assert [sheet.who(tuesday, clock) for clock in ("00:00", "07:59", "08:00", "23:59")] == [
        "zhang",
        "zhang",
        "li",
        "li",
    ]


def test_a_shift_holds_from_its_first_day_to_its_last():
    sheet = Sheet(a_shift(last=MONDAY + timedelta(days=1)))

    days = [MONDAY + timedelta(days=n) for n in (-1, 0, 1, 2)]
    assert [sheet.who(day, "12:00") for day in days] == ["", "zhang", "zhang", ""]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 7), (date(2026, 10, 25), 9), (date(2026, 6, 1), 8)],
    ids=["an hour is left out", "an hour comes twice", "an ordinary night"],
)
def test_no_hole_is_left_where_the_clocks_change(day, hours):
    """In Berlin 02:30 does not exist on one night and comes twice on another."""
    winter = date(2026, 1, 1)
    sheet = Sheet(
        a_shift(hours="22:00-02:30", zone=BERLIN, first=winter),
        a_shift("li", "02:30-06:00", zone=BERLIN, first=winter),
        zone=BERLIN,
    )
    begins = datetime.combine(day - timedelta(days=1), time(22), BERLIN).astimezone(UTC)
    ends = datetime.combine(day, time(6), BERLIN).astimezone(UTC)

    assert ends - begins == timedelta(hours=hours)
    minute = begins
    while minute < ends:
        assert len(sheet.at(minute).people) == 1, minute
        minute += timedelta(minutes=1)
    assert sheet.at(ends).people == ()


def test_midnight_that_does_not_exist_is_no_hole_either():
    """In Beirut the clocks go forward at midnight."""
    beirut, day = ZoneInfo("Asia/Beirut"), date(2026, 3, 29)
    sheet = Sheet(
        a_shift(hours="16:00-00:00", zone=beirut, first=date(2026, 1, 1)),
        a_shift("li", "00:00-08:00", zone=beirut, first=date(2026, 1, 1)),
        zone=beirut,
    )
    minute = datetime.combine(day - timedelta(days=1), time(22), beirut).astimezone(UTC)

    for _ in range(240):
        assert len(sheet.at(minute).people) == 1, minute
        minute += timedelta(minutes=1)


# --------------------------------------------------------------------------- who


def test_whoever_has_shifts_is_called_in_them_only_and_whoever_has_none_at_any_hour():
    sheet = Sheet(held("zhang"), held("li"), a_shift())

    assert sheet.who(MONDAY, "12:00") == "zhang li"
    assert sheet.who(MONDAY, "03:00") == "li"


def test_before_the_first_shift_and_after_the_last_the_duty_is_held_as_ever():
    """A sheet that ran out must not leave a grid without anybody."""
    sheet = Sheet(held("zhang"), a_shift(last=MONDAY + timedelta(days=6)))

    assert sheet.who(MONDAY - timedelta(days=1), "03:00") == "zhang"
    assert sheet.who(MONDAY, "03:00") == ""
    assert sheet.who(MONDAY + timedelta(days=7), "03:00") == "zhang"


def test_shifts_of_one_duty_say_nothing_about_another():
    sheet = Sheet(held("zhang", duty=Duty.DEPUTY), a_shift())

    assert sheet.who(MONDAY, "03:00", duty=Duty.DEPUTY) == "zhang"


def test_a_swap_takes_the_place_of_one_day():
    shift = a_shift()
    sheet = Sheet(shift, swapped(shift, MONDAY, "li"))

    assert sheet.who(MONDAY, "12:00") == "li"
    assert sheet.who(MONDAY + timedelta(days=1), "12:00") == "zhang"
    (one,) = sheet.spell(MONDAY, "12:00").people
    assert (one.why, one.turn.instead_of) == (Why.SWAP, "zhang")


def test_a_swap_that_is_swapped_again_is_the_last_word():
    shift = a_shift()

    assert swapped(shift, MONDAY, "li").id == swapped(shift, MONDAY, "wang").id
    assert Sheet(shift, swapped(shift, MONDAY, "zhang")).spell(MONDAY, "12:00").people[0].why is Why.SHIFT


def test_on_a_holiday_the_rota_of_a_sunday_holds_and_a_worked_saturday_is_a_monday():
    workdays, weekend = a_shift(weekdays="12345"), a_shift("li", weekdays="67")
    feast, worked = MONDAY + timedelta(days=2), MONDAY + timedelta(days=5)
    sheet = Sheet(workdays, weekend, Holiday(day=feast, name="国庆"), Holiday(day=worked, counts_as=1))

    assert [sheet.who(MONDAY + timedelta(days=n), "12:00") for n in range(7)] == [
        "zhang",
        "zhang",
        "li",
        "zhang",
        "zhang",
        "zhang",
        "li",
    ]
    assert sheet.spell(feast, "12:00").people[0].why is Why.HOLIDAY


def test_a_holiday_of_one_street_is_none_elsewhere_and_the_nearest_one_counts():
    sheet = Sheet(
        a_shift(weekdays="12345"),
        a_shift("li", weekdays="12345", place="g2"),
        Holiday(day=MONDAY),
        Holiday(day=MONDAY, place="g2", counts_as=1),
    )

    assert sheet.who(MONDAY, "12:00", "g1") == ""
    assert sheet.who(MONDAY, "12:00", "g2") == "li"


def test_leave_takes_somebody_off_every_duty_until_it_ends():
    away = Leave(
        person="zhang",
        since=datetime.combine(MONDAY, time(12), SHANGHAI),
        until=datetime.combine(MONDAY, time(14), SHANGHAI),
    )
    sheet = Sheet(a_shift(), held("zhang", duty=Duty.DEPUTY), away)

    assert [sheet.who(MONDAY, clock) for clock in ("11:59", "12:00", "14:00")] == ["zhang", "", "zhang"]
    assert sheet.who(MONDAY, "13:00", duty=Duty.DEPUTY) == ""


# --------------------------------------------------------------------------- places


def test_the_nearest_place_with_anybody_is_meant():
    sheet = Sheet(held("zhao", "street"), held("wang", "dongfeng"), a_shift(place="g1"))

    assert sheet.who(MONDAY, "12:00", "g1") == "zhang"
    assert sheet.who(MONDAY, "03:00", "g1") == "wang"
    assert sheet.who(MONDAY, "12:00", "g2") == "wang"


def test_whoever_cannot_be_reached_does_not_stand_before_the_next_place():
    sheet = Sheet(held("mute"), held("wang", "dongfeng"))

    assert sheet.who(MONDAY, "12:00") == "mute wang"


def test_whoever_answers_for_every_grid_comes_last_and_always():
    sheet = Sheet(held("zhang"), held("zhao", ""))

    assert sheet.who(MONDAY, "12:00") == "zhang zhao"
    assert sheet.who(MONDAY, "12:00", "unknown") == "zhao"


# --------------------------------------------------------------------------- how long it holds


def test_an_answer_holds_until_the_next_edge_and_is_true_all_that_time():
    shift = a_shift(weekdays="12345")
    away = Leave(
        person="zhang",
        since=datetime.combine(MONDAY, time(12), SHANGHAI),
        until=datetime.combine(MONDAY, time(14), SHANGHAI),
    )
    sheet = Sheet(held("li", "dongfeng"), shift, away, swapped(shift, MONDAY + timedelta(days=1), "wang"))
    moment = datetime.combine(MONDAY - timedelta(days=1), time(0), SHANGHAI).astimezone(UTC)
    end = moment + timedelta(days=4)
    spells = 0

    while moment < end:
        spell = sheet.at(moment)
        assert spell.since <= moment < spell.until
        minute = moment
        while minute < min(spell.until, end):
            assert sheet.at(minute).people == spell.people, minute
            minute += timedelta(minutes=7)
        moment, spells = spell.until, spells + 1
    assert spells < 30


def test_where_nothing_changes_an_answer_holds_for_good():
    assert Sheet(held("zhang")).spell(MONDAY, "12:00").until == FOR_GOOD


# --------------------------------------------------------------------------- nonsense


@pytest.mark.parametrize(
    "make",
    [
        lambda: a_shift(weekdays=""),
        lambda: a_shift(weekdays="18"),
        lambda: a_shift(weekdays="11"),
        lambda: a_shift(last=MONDAY - timedelta(days=1)),
        lambda: a_shift(swap_of="another"),
        lambda: Holiday(day=MONDAY, counts_as=0),
        lambda: Leave(person="zhang", since=LONG_AGO, until=LONG_AGO),
    ],
)
def test_nonsense_is_refused_when_it_is_made(make):
    with pytest.raises(ValueError, match="not "):
        make()
