from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from detectors import Watch
from detectors.away import Away
from detectors.entered import Entered
from detectors.inactivity import Inactivity
from gateway.domain import Home, Hub, Kind, Reading, Role, Room, Sensor
from gateway.ports import Context

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 3, 2, 0, 0, tzinfo=SHANGHAI)


def flat() -> Home:
    return Home(
        id="h1",
        code="A-101",
        name="王奶奶",
        grid="g1",
        zone=SHANGHAI,
        rooms=(Room(id="kitchen", name="厨房"), Room(id="hall", name="门口")),
        hubs=(Hub(id="hub1", home="h1", interval=None),),
        sensors=(
            Sensor(id="door", hub="hub1", address="door", name="大门", room="hall", role=Role.EXIT_DOOR),
            Sensor(id="pir", hub="hub1", address="pir", name="厨房", room="kitchen", role=Role.MOTION),
        ),
    )


class Weeks:
    """Days in one home, told by day and clock; only what concerns coming and going watches."""

    def __init__(self) -> None:
        home = flat()
        self.watch = Watch(home, {"inactivity": Inactivity(home), "away": Away(home), "entered": Entered(home)})
        self.context = Context()
        self.day = 0
        self.findings = []

    def at(self, clock: str, day: int | None = None) -> datetime:
        self.day = self.day if day is None else day
        hour, minute = clock.split(":")
        return BEGIN + timedelta(days=self.day, hours=int(hour), minutes=int(minute))

    def _says(self, at: datetime, sensor: str, kind: Kind, value: float = 1.0) -> None:
        at = at.astimezone(UTC)
        self.passes(at)
        self.findings += self.watch.observe(Reading("h1", sensor, "kitchen", kind, value, at, at), self.context)

    def passes(self, at: datetime) -> None:
        while (due := self.watch.due()) is not None and due <= at:
            self.findings += self.watch.tick(due, self.context)
            if self.watch.due() == due:
                break

    def moves(self, clock: str, day: int | None = None) -> None:
        at = self.at(clock, day)
        self._says(at, "pir", Kind.MOTION)
        self._says(at + timedelta(seconds=70), "pir", Kind.MOTION)

    def pulses(self, clock: str, day: int | None = None) -> None:
        self._says(self.at(clock, day), "pir", Kind.MOTION)

    def door(self, clock: str, day: int | None = None) -> None:
        at = self.at(clock, day)
        self._says(at, "door", Kind.DOOR, 1.0)
        self._says(at + timedelta(seconds=5), "door", Kind.DOOR, 0.0)

    def waits_until(self, clock: str, day: int | None = None) -> None:
        self.passes(self.at(clock, day).astimezone(UTC))

    def lives(self, days: int, out: tuple[str, str] = ("09:00", "10:30")) -> None:
        """Ordinary days: up every two hours, and out for a while."""
        up = ("01:30", "04:30", "06:30", "08:30", "12:30", "14:30", "16:30", "18:30", "20:30", "22:00")
        for day in range(self.day, self.day + days):
            for clock in (one for one in up if one < out[0]):
                self.moves(clock, day)
            self.door(out[0], day)
            self.door(out[1])
            self._says(self.at(out[1]) + timedelta(seconds=90), "pir", Kind.MOTION)
            for clock in (one for one in up if one > out[1]):
                self.moves(clock)
        self.day += 1

    @property
    def told(self) -> list[tuple[str, str]]:
        """What was said of coming and going; how long a silence at home may be is another test's business."""
        return [one for one in self.all_told if one[1] != "inactivity"]

    @property
    def all_told(self) -> list[tuple[str, str]]:
        return [(f"{one.at.astimezone(SHANGHAI):%d %H:%M}", one.code) for one in self.findings]


@pytest.fixture
def weeks() -> Weeks:
    return Weeks()


def test_an_outing_is_told_after_six_hours_where_none_was_longer(weeks):
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.waits_until("23:00")

    assert weeks.told == [("02 14:30", "not_returned")]
    assert weeks.findings[0].fact("rule") == "away"


def test_who_is_often_out_for_half_a_day_has_more_time(weeks):
    weeks.lives(5, out=("09:00", "15:00"))
    weeks.door("08:40")
    weeks.waits_until("23:00")

    assert weeks.told == [("07 17:38", "not_returned")]
    assert int(weeks.findings[-1].fact("usual_s")) == 5 * 3600 + 59 * 60


def test_twelve_days_of_holiday_are_one_alert(weeks):
    weeks.lives(3)
    weeks.door("08:40")
    for day in range(4, 16):
        weeks.pulses("13:00", day)  # the sun on the curtain: nobody is there

    assert [code for _, code in weeks.told] == ["not_returned"]


def test_ghosts_in_an_empty_home_change_nothing_however_many_there_are(weeks):
    weeks.lives(3)
    weeks.door("08:30")
    for day in range(weeks.day, weeks.day + 12):
        for hour in range(10, 22):
            weeks.pulses(f"{hour:02}:00", day)
    weeks.waits_until("23:00")

    assert [code for _, code in weeks.told] == ["not_returned"]
    assert weeks.all_told[-1][1] == "not_returned"


def test_a_holiday_that_was_declared_is_none_and_its_end_gives_time_to_come_home(weeks):
    weeks.lives(3)
    weeks.context = Context(plan={"absence": "at her son's"})
    weeks.door("08:40")
    weeks.waits_until("12:00", 15)

    assert weeks.told == []

    weeks.context = Context()
    weeks.waits_until("17:00")

    assert weeks.told == []

    weeks.waits_until("18:05")

    assert [code for _, code in weeks.told] == ["not_returned"]


def test_what_was_declared_or_told_does_not_make_the_next_limit_longer(weeks):
    weeks.lives(3)
    limit = weeks.watch.detectors["away"]._limit(weeks.at("10:00").astimezone(UTC))
    weeks.context = Context(plan={"absence": "hospital"})
    weeks.door("08:40")
    weeks.door("11:00", 9)
    weeks.moves("11:01")

    assert weeks.watch.detectors["away"]._limit(weeks.at("12:00").astimezone(UTC)) == limit


def test_out_in_the_middle_of_the_night_as_never_before_is_told_after_an_hour(weeks):
    weeks.lives(15)
    weeks.door("02:00")
    weeks.waits_until("04:00")

    assert weeks.told == [("17 03:00", "not_returned")]
    assert weeks.findings[-1].fact("rule") == "night"


def test_who_goes_to_the_market_before_dawn_may(weeks):
    weeks.lives(15, out=("04:40", "06:00"))
    weeks.door("04:40")
    weeks.waits_until("08:00")

    assert weeks.told == []


def test_coming_in_ends_an_outing_at_the_first_pulse(weeks):
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.door("11:00")
    weeks.pulses("11:01")
    weeks.waits_until("17:00")
    weeks.waits_until("17:02")

    assert weeks.all_told == [("02 17:01", "inactivity")]


# --------------------------------------------------------------------------- came in, and nothing


def test_who_comes_home_and_does_not_move_is_told_within_a_quarter_of_an_hour(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.door("11:00")
    weeks.waits_until("12:00")

    assert weeks.told == [("05 11:15", "entered_no_motion")]
    assert weeks.findings[-1].fact("limit_s") == "900"
    assert 0 < int(weeks.findings[-1].fact("usual_s")) < 300
    assert weeks.findings[-1].fact("out_s") == str(2 * 3600 + 29 * 60 + 55)


def test_where_nobody_was_ever_seen_to_come_in_nobody_is_accused_of_it(weeks):
    weeks.lives(2)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.door("11:00")
    weeks.waits_until("12:00")

    assert weeks.told == []


def test_a_blind_sensor_that_never_sees_who_comes_in_hides_nobody(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.context = Context(blind=("balcony_pir",))
    weeks.door("11:00")
    weeks.waits_until("12:00")

    assert [code for _, code in weeks.told if code == "entered_no_motion"] == ["entered_no_motion"]


def test_while_the_one_that_sees_who_comes_in_is_blind_nobody_is_accused(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.context = Context(blind=("pir",))
    weeks.door("11:00")
    weeks.waits_until("12:00")

    assert weeks.told == []


def test_one_pulse_inside_is_enough(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.door("11:00")
    weeks.pulses("11:14")
    weeks.waits_until("12:00")

    assert weeks.told == []


def test_leaving_with_a_word_in_the_open_door_is_not_coming_home(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.door("08:31")
    weeks.waits_until("10:00")

    assert weeks.told == []


def test_a_door_that_is_used_from_within_is_not_coming_home(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.moves("08:40")
    weeks.door("10:00")
    weeks.waits_until("11:00")

    assert weeks.told == []


def test_a_ghost_in_the_empty_home_hides_nobody_who_comes_in_afterwards(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.pulses("09:40")
    weeks.door("11:00")
    weeks.waits_until("12:00")

    assert weeks.told == [("05 11:15", "entered_no_motion")]


def test_a_pulse_just_before_the_door_is_somebody_who_leaves(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.door("08:30")
    weeks.pulses("10:59")
    weeks.door("11:00")
    weeks.waits_until("12:00")

    assert weeks.told == []


def test_where_entries_go_unseen_and_life_goes_on_it_stops_after_the_second(weeks):
    weeks.lives(3)
    for day in range(3, 9):
        weeks.moves("08:00", day)
        weeks.door("08:30")
        weeks.door("09:30")
        weeks.moves("10:10")  # the only eye of this home is far from its door

    assert [code for _, code in weeks.told if code == "entered_no_motion"] == ["entered_no_motion"] * 2


def test_while_an_absence_is_declared_whoever_waters_the_flowers_is_no_alarm(weeks):
    weeks.lives(3)
    weeks.moves("08:00")
    weeks.context = Context(plan={"absence": "hospital"})
    weeks.door("08:30")
    weeks.door("11:00")
    weeks.waits_until("12:00")

    assert weeks.told == []
