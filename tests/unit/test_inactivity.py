from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from detectors import watch_over
from gateway.domain import Home, Hub, Kind, Reading, Role, Room, Sensor
from gateway.ports import Context

SHANGHAI = ZoneInfo("Asia/Shanghai")


def flat(interval: timedelta | None = None) -> Home:
    return Home(
        id="h1",
        code="A-101",
        name="王奶奶",
        grid="g1",
        zone=SHANGHAI,
        rooms=(Room(id="kitchen", name="厨房"), Room(id="hall", name="门口")),
        hubs=(Hub(id="hub1", home="h1", interval=interval),),
        sensors=(
            Sensor(id="door", hub="hub1", address="door", name="大门", room="hall", role=Role.EXIT_DOOR),
            Sensor(id="pir", hub="hub1", address="pir", name="厨房", room="kitchen", role=Role.MOTION),
        ),
    )


class Day:
    """A day at home in local time; the watch's clock follows what is said."""

    def __init__(self, home: Home, *, learns: bool = True) -> None:
        self.watch = watch_over(home, {"inactivity": {"learns": learns}})
        self.told: list[tuple[str, str]] = []
        self.findings = []
        self.now = datetime(2026, 3, 2, 0, 0, tzinfo=SHANGHAI)
        self.context = Context()

    def _moment(self, clock: str) -> datetime:
        hour, minute = clock.split(":")
        moment = self.now.replace(hour=int(hour), minute=int(minute), second=0)
        return moment if moment >= self.now else moment + timedelta(days=1)

    def _note(self, found) -> None:
        for f in found:
            if f.code == "door_not_used":  # nobody here goes out
                continue
            self.findings.append(f)
            self.told.append((f"{f.at.astimezone(SHANGHAI):%H:%M}", f.code))

    def hears(self, clock: str) -> None:
        self.now = self._moment(clock)
        marker = self.watch.hear(self.now.astimezone(UTC), 0)
        if marker is not None:
            self._note(self.watch.observe(marker, self.context))

    def _says(self, clock: str, sensor: str, kind: Kind, value: float, after: int = 0) -> None:
        self.hears(clock)
        at = (self.now + timedelta(seconds=after)).astimezone(UTC)
        self._note(self.watch.observe(Reading("h1", sensor, "kitchen", kind, value, at, at), self.context))

    def moves(self, clock: str) -> None:
        self._says(clock, "pir", Kind.MOTION, 1)
        self._says(clock, "pir", Kind.MOTION, 1, after=70)

    def one_pulse(self, clock: str) -> None:
        self._says(clock, "pir", Kind.MOTION, 1)

    def door(self, clock: str) -> None:
        self._says(clock, "door", Kind.DOOR, 1)
        self._says(clock, "door", Kind.DOOR, 0, after=5)

    def waits_until(self, clock: str) -> None:
        self.now = self._moment(clock)
        self._note(self.watch.tick(self.now.astimezone(UTC), self.context))


@pytest.fixture
def day() -> Day:
    """In a home with the plain hours."""
    return Day(flat(), learns=False)


@pytest.fixture
def learnt() -> Day:
    return Day(flat())


def test_three_quiet_hours_of_the_day_are_told_once(day):
    day.moves("08:05")
    day.waits_until("13:00")
    day.waits_until("14:00")

    assert day.told == [("11:06", "inactivity")]


def test_life_in_between_starts_again(day):
    day.moves("08:05")
    day.moves("10:30")
    day.waits_until("13:00")
    day.waits_until("15:00")

    assert day.told == [("13:31", "inactivity")]


def test_sleep_before_seven_does_not_count_towards_the_three_hours(day):
    day.moves("05:30")
    day.waits_until("09:59")

    assert day.told == []

    day.waits_until("10:00")

    assert day.told == [("10:00", "inactivity")]


def test_six_hours_at_any_time(day):
    day.moves("00:10")
    day.waits_until("06:30")

    assert day.told == [("06:11", "inactivity")]


def test_a_lone_pulse_is_no_sign_of_life(day):
    day.moves("08:05")
    day.one_pulse("10:00")
    day.waits_until("12:00")

    assert day.told == [("11:06", "inactivity")]


def test_where_sensors_rest_so_long_that_every_pulse_is_lone_each_one_is_life(day):
    for hour in range(4, 21):
        day.one_pulse(f"{hour:02}:00")
    day.one_pulse("22:00")
    day.told.clear()
    day.waits_until("03:59")

    assert day.told == []

    day.waits_until("04:01")

    assert day.told == [("04:00", "inactivity")]


def test_from_the_first_event_on_silence_is_counted(day):
    day.one_pulse("08:05")
    day.waits_until("12:00")

    assert day.told == [("11:05", "inactivity")]


def test_an_outing_has_its_own_limit(day):
    day.moves("08:05")
    day.door("08:30")
    day.waits_until("13:00")

    assert day.told == []

    day.waits_until("15:00")

    assert day.told == [("14:30", "not_returned")]
    assert day.findings[0].fact("rule") == "away"


def test_coming_home_ends_the_outing(day):
    day.moves("08:05")
    day.door("08:30")
    day.door("11:00")
    day.moves("11:05")
    day.waits_until("15:00")

    assert day.told == [("14:06", "inactivity")]


def lives_a_day(day: Day) -> None:
    """Up in the middle of the night and every two hours of the day, dozing after lunch."""
    for clock in ("02:00", "05:30", "07:30", "09:30", "11:30", "14:15", "16:00", "18:00", "20:00", "22:30"):
        day.moves(clock)


def test_the_reason_carries_elapsed_limit_and_the_usual(learnt):
    for _ in range(8):
        lives_a_day(learnt)
    learnt.moves("02:00")
    learnt.moves("05:30")
    learnt.moves("07:30")
    learnt.waits_until("18:00")
    found = learnt.findings[-1]

    assert found.fact("elapsed_s") == found.fact("limit_s")
    assert 3 * 3600 <= int(found.fact("limit_s")) <= 6 * 3600
    assert timedelta(hours=1) < timedelta(seconds=int(found.fact("usual_s"))) < timedelta(hours=3)
    assert found.fact("moves_in_10") in {str(tenths) for tenths in range(11)}
    assert found.fact("learning_days") == "6"
    assert found.fact("last_room") == "kitchen"


def never_rests(day: Day, days: int, but: range = range(0)) -> None:
    """Moves every twenty minutes, day and night, until eight in the morning after so many days."""
    for minute in range(0, days * 24 * 60 + 8 * 60, 20):
        of_day = minute % (24 * 60)
        if of_day not in but:
            day.moves(f"{of_day // 60:02}:{of_day % 60:02}")


def test_for_a_week_the_ladder_stands_alone(learnt):
    never_rests(learnt, 4)
    learnt.moves("08:05")
    learnt.waits_until("15:00")

    assert learnt.told == [("14:06", "inactivity")]


def test_who_always_moves_is_missed_within_the_hour(learnt):
    never_rests(learnt, 20)
    learnt.moves("08:05")
    learnt.waits_until("12:00")
    found = learnt.findings[-1]

    assert learnt.told == [("08:51", "inactivity")]
    assert found.fact("rule") == "usual"
    assert 0 < int(found.fact("moves_in_10")) <= 10


def test_who_rests_long_at_noon_is_left_to_rest_then_and_only_then(learnt):
    never_rests(learnt, 20, but=range(12 * 60 + 1, 14 * 60))
    for minute in range(8 * 60 + 20, 12 * 60 + 1, 20):
        learnt.moves(f"{minute // 60:02}:{minute % 60:02}")
    learnt.told.clear()
    learnt.waits_until("13:59")

    assert learnt.told == []

    for minute in range(14 * 60, 16 * 60 + 1, 20):
        learnt.moves(f"{minute // 60:02}:{minute % 60:02}")
    learnt.waits_until("17:59")

    assert learnt.told == [("16:46", "inactivity")]


def test_at_an_hour_at_which_she_is_usually_out_little_is_known_of_how_she_rests(learnt):
    for _ in range(20):
        for minute in (*range(0, 9 * 60, 20), *range(12 * 60, 24 * 60, 20)):
            learnt.moves(f"{minute // 60:02}:{minute % 60:02}")
            if minute == 8 * 60 + 40:
                learnt.door("08:59")
                learnt.door("11:58")
    for minute in range(0, 9 * 60 + 1, 20):
        learnt.moves(f"{minute // 60:02}:{minute % 60:02}")
    learnt.told.clear()
    learnt.waits_until("10:15")

    assert learnt.told == []


def test_who_sleeps_through_and_is_up_once_has_not_lain_down_too_long_at_once(learnt):
    for _ in range(20):
        for minute in range(6 * 60 + 30, 22 * 60, 20):
            learnt.moves(f"{minute // 60:02}:{minute % 60:02}")
    learnt.moves("01:00")
    learnt.told.clear()
    learnt.waits_until("03:30")

    assert learnt.told == []


def test_a_silence_that_passes_the_ladder_lifts_the_home_a_rung(learnt):
    learnt.moves("08:05")
    learnt.moves("14:30")
    learnt.waits_until("20:31")

    assert learnt.told == [("14:06", "inactivity")]

    learnt.moves("20:40")
    learnt.moves("06:00")
    learnt.waits_until("15:00")

    assert learnt.told[1:] == [("15:00", "inactivity")]


def test_alarms_that_were_none_make_the_limits_wider_and_peace_makes_them_narrower():
    calm, loud = Day(flat()), Day(flat())
    for number in range(24):
        lives_a_day(calm)
        for clock in ("02:00", "05:30", "07:30", "09:30", "11:30"):
            loud.moves(clock)
        for clock in ("18:00",) if number in (15, 18, 21) else ("14:15", "16:00", "18:00"):
            loud.moves(clock)
        loud.moves("20:00")
        loud.moves("22:30")

    factors = [life.watch.detectors["inactivity"].state.factor for life in (calm, loud)]
    assert factors[0] < 1 < factors[1]


def test_an_outing_a_hole_and_a_declared_absence_teach_nothing_of_life_at_home():
    taught = []
    for what in ("nothing", "outing", "hole"):
        day = Day(flat(interval=timedelta(minutes=10)) if what == "hole" else flat())
        for _ in range(3):
            for clock in ("02:00", "05:30", "07:30", "09:30", "11:30"):
                day.moves(clock)
            if what == "outing":
                day.door("11:40")
                day.door("15:50")
            elif what == "nothing":
                day.moves("13:45")
            for clock in ("16:00", "18:00", "20:00", "22:30"):
                day.moves(clock)
        state = day.watch.detectors["inactivity"].state
        taught.append(max(one.rung for one in state.days))

    assert taught == [0, 0, 0]


def test_the_rule_alone_where_nothing_is_to_be_learnt(day):
    never_rests(day, 20)
    day.moves("08:05")
    day.waits_until("12:00")

    assert day.told == [("11:06", "inactivity")]


def test_while_an_absence_is_declared_nobody_is_missed(day):
    day.moves("08:05")
    day.context = Context(plan={"absence": "hospital"})
    day.waits_until("20:00")

    assert day.told == []

    day.context = Context()
    day.waits_until("02:30")

    assert [code for _, code in day.told] == ["inactivity"]


def test_a_finding_does_not_depend_on_how_often_anybody_ticks():
    often, seldom = Day(flat(), learns=False), Day(flat(), learns=False)
    for life in (often, seldom):
        life.moves("08:05")
    for minute in range(60):
        often.waits_until(f"11:{minute:02}")
    seldom.moves("20:00")

    assert often.findings == seldom.findings


def test_a_home_we_cannot_hear_is_not_a_home_where_nobody_moves():
    day = Day(flat(interval=timedelta(minutes=1)))
    day.moves("08:05")
    for minute in range(6, 30):
        day.hears(f"08:{minute:02}")
    day.waits_until("14:00")

    assert [code for _, code in day.told] == ["home_silent"]
    assert day.findings[0].severity.name == "MEDIUM"


def test_after_a_hole_the_silence_is_judged_once_the_stored_up_readings_are_in():
    day = Day(flat(interval=timedelta(minutes=1)), learns=False)
    day.moves("08:05")
    day.hears("08:06")
    day.hears("13:00")
    day.waits_until("13:01")

    assert day.told == []

    for minute in range(1, 5):
        day.hears(f"13:{minute:02}")
    day.waits_until("13:04")

    assert day.told == [("11:06", "inactivity")]


def test_stored_up_life_after_a_hole_is_no_alarm():
    day = Day(flat(interval=timedelta(minutes=1)))
    day.moves("08:05")
    day.hears("08:06")
    day.moves("13:00")
    for minute in range(2, 9):
        day.hears(f"13:{minute:02}")
    day.waits_until("13:08")

    assert day.told == []


def test_a_silent_hub_is_told_at_three_intervals_and_again_when_the_home_is_blind():
    day = Day(flat(interval=timedelta(minutes=1)))
    day.moves("08:05")
    day.waits_until("08:10")
    day.waits_until("08:40")

    assert day.told == [("08:09", "home_silent"), ("08:36", "home_silent")]
    assert len({f.id for f in day.findings}) == 1
    assert [f.severity.name for f in day.findings] == ["TECHNICAL", "MEDIUM"]


def test_our_own_deafness_is_not_the_hubs_silence():
    day = Day(flat(interval=timedelta(minutes=1)))
    day.moves("08:05")
    day.context = Context(listening_since=datetime(2026, 3, 2, 12, 0, tzinfo=SHANGHAI))
    day.waits_until("12:02")

    assert day.told == []

    day.waits_until("12:03")

    assert day.told == [("12:03", "home_silent")]
