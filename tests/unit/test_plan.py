"""What a plan can say, what it says at a moment, and what it refuses."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from alerts.catalogue import Catalogue
from detectors import DETECTORS, options_of
from gateway.domain import Override, Scope
from gateway.domain.almanac import MID_AUTUMN, NEW_YEAR, season_of, year_of
from gateway.domain.plan import (
    ALWAYS_ON,
    OF_AN_ALERT,
    SETTINGS,
    UNUSUAL,
    Nonsense,
    Unit,
    lives_again,
    options_in,
    readable,
    setting_of,
    span_at,
    understood,
)

CHINA = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 5, 11, tzinfo=CHINA)  # a Monday, at midnight


def line(key: str, value: str, begins: float = 0, ends: float | None = None, **place: str) -> Override:
    """A line from and to so many days after T0."""
    return Override(
        **(place or {"home": "h1"}),
        key=key,
        value=value,
        since=T0 + timedelta(days=begins),
        until=None if ends is None else T0 + timedelta(days=ends),
        author="li",
        reason="因人而异",
    )


def plan(lines: list[Override], days: float = 1, hours: float = 0) -> dict[str, str]:
    return dict(span_at(lines, T0 + timedelta(days=days, hours=hours), CHINA).plan)


# --------------------------------------------------------------------------- the table


def test_every_limit_of_every_detector_has_its_row_and_every_row_a_limit():
    limits = {f"{name}.{option}" for name, kind in DETECTORS.items() for option in options_of(kind)}
    rows = {one.key for one in SETTINGS if "." in one.key and one.key.partition(".")[0] not in ("vital", "card")}

    assert rows == limits - {"fall.model"}, "a file of the installation, not of a home"


@pytest.mark.parametrize("setting", [s for s in SETTINGS if "." in s.key], ids=lambda setting: setting.key)
def test_a_limit_is_given_in_the_type_that_its_detector_wants(setting):
    detector, _, option = setting.key.partition(".")
    if detector in ("vital", "card"):
        assert options_in({setting.key: "what is no number"}) == {}
        return
    example = {Unit.CLOCK: "05:30", Unit.YES_NO: "yes"}.get(setting.unit, f"{setting.high:g}")

    given = options_in({setting.key: understood(setting.key, example)})[detector][option]

    default = options_of(DETECTORS[detector])[option]
    assert default is None or type(given) is type(default)


def test_every_row_has_words_and_sound_limits():
    for setting in (*SETTINGS, *OF_AN_ALERT.values()):
        assert setting.words
        assert setting.low <= setting.high


def test_every_alert_of_the_catalogue_can_be_spoken_of():
    codes = Catalogue().codes()
    for code in codes:
        assert understood(f"{code}.ack", "3", codes) == "3"
        if code not in ALWAYS_ON:
            assert understood(code, "off", codes) == "off"


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("bath_dwell", " 90 ", "90"),
        ("not_up", "10:30", "10:30"),
        ("night_exit", "OFF", "off"),
        ("vital.spo2/p-2", "88..", "88.."),
        ("inactivity.by_day", "4.5", "4.5"),
        ("inactivity.budget", "0.50", "0.5"),
        ("visit/2", "mon,wed 09:00-11:00", "mon,wed 09:00-11:00"),
        ("quiet", "22:00-07:00", "22:00-07:00"),
        ("heating", "11-15..03-15", "11-15..03-15"),
        ("heating", "off", "off"),
        ("wandering.severity", "2", "2"),
        ("sos.wait1", "0.5", "0.5"),
        ("silence", "door_open, leak", "door_open,leak"),
    ],
)
def test_what_is_sensible_is_understood(key, value, kept):
    assert understood(key, value) == kept


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("bath_dwel", "90", "A plan knows no 'bath_dwel'"),
        ("bath_dwell", "2 h", "a number from 10 to 360 (minutes), not '2 h'"),
        ("bath_dwell", "5", "lies between 10 and 360 (minutes); 5 does not"),
        ("bath_dwell", "90.5", "lies between"),
        ("not_up", "9", "a time of day such as 22:30, not '9'"),
        ("pet", "off", "cannot be switched off"),
        ("pet", "no", "one of yes, not 'no'"),
        ("vital.spo2", "95..88", "is written as 100..150"),
        ("vital.spo2", "..", "is written as 100..150"),
        ("quiet", "22:00-22:00", "is written as 22:00-07:00"),
        ("visit", "xyz 09:00-10:00", "is written as 22:00-07:00"),
        ("heating", "13-15..03-15", "month and day"),
        ("absence", "pub", "one of holiday, hospital, family"),
        ("sos", "off", "is never switched off"),
        ("home_silent", "off", "is never switched off"),
        ("sos.severity", "2", "is always an emergency"),
        ("gas.confirm", "1", "nobody is asked first"),
        ("smoke.wait1", "11", "Nobody waits longer than 10 minutes"),
        ("silence", "door_open,gas", "'gas' is never silenced"),
        ("wandering.severity", "6", "lies between 1 and 5"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(key, value, sentence):
    with pytest.raises(Nonsense) as refused:
        understood(key, value)

    assert sentence in str(refused.value)


def test_an_alert_that_nobody_knows_is_refused_where_the_catalogue_is_known():
    with pytest.raises(Nonsense):
        setting_of("bath_dwel.ack", codes=["bath_dwell"])


def test_a_line_holds_for_exactly_one_place():
    with pytest.raises(ValueError, match="one home, grid or area"):
        line("pet", "yes", home="h1", grid="g1")


# --------------------------------------------------------------------------- who has the last word


def test_the_household_beats_its_grid_and_the_grid_its_area():
    lines = [
        line("bath_dwell", "30", area="a"),
        line("night_exit", "20", area="a"),
        line("bath_dwell", "60", grid="g1"),
        line("bath_dwell", "90", home="h1"),
    ]

    assert plan(lines)["bath_dwell"] == "90"
    assert plan(lines[:3])["bath_dwell"] == "60"
    assert plan(lines)["night_exit"] == "20"
    assert [one.scope for one in lines] == [Scope.AREA, Scope.AREA, Scope.GRID, Scope.HOME]


def test_what_is_switched_off_for_a_month_comes_back_as_it_was():
    lines = [line("bath_dwell", "90"), line("bath_dwell", "off", 10, 40)]

    assert plan(lines, 9)["bath_dwell"] == "90"
    assert plan(lines, 10)["bath_dwell"] == "off"
    assert plan(lines, 40)["bath_dwell"] == "90"


def test_nothing_changes_within_a_span_and_something_does_at_its_end():
    lines = [
        line("bath_dwell", "90", 1, 30),
        line("visit/1", "mon,wed 09:00-11:00", 2, 60),
        line("heating", "11-15..03-15", grid="g1"),
        line("absence", "family", 200, 212),
    ]
    at, turns = T0, 0
    while at < T0 + timedelta(days=400):
        span = span_at(lines, at, CHINA)
        assert span.since <= at < span.until
        late = span.until - timedelta(seconds=1)
        assert span_at(lines, late, CHINA).plan == span.plan == span_at(lines, span.since, CHINA).plan
        at, turns = span.until, turns + 1

    assert turns > 40


# --------------------------------------------------------------------------- what does not teach


def test_a_carer_is_expected_only_at_her_hours():
    lines = [line("visit/1", "mon,wed 09:00-11:00")]

    assert plan(lines, 0, 10) == {"visit": "yes", UNUSUAL: "visit"}
    assert plan(lines, 0, 8.9) == plan(lines, 0, 11) == plan(lines, 1, 10) == {}
    assert plan(lines, 2, 9) == {"visit": "yes", UNUSUAL: "visit"}


def test_a_night_nurse_is_there_over_midnight():
    lines = [line("visit/1", "21:00-06:00")]

    assert plan(lines, 1, 23)[UNUSUAL] == plan(lines, 2, 5)[UNUSUAL] == "visit"
    assert plan(lines, 2, 7) == {}


def test_a_guest_teaches_nothing_and_who_stays_does():
    assert plan([line("second_person", "yes", 0, 20)])[UNUSUAL] == "second_person"
    assert UNUSUAL not in plan([line("second_person", "yes")])
    assert UNUSUAL not in plan([line("pet", "yes", 0, 300)])


def test_the_week_of_the_spring_festival_is_the_lunar_one():
    eve, over = datetime(2027, 2, 5, tzinfo=CHINA), datetime(2027, 2, 13, tzinfo=CHINA)

    assert (eve, over) in year_of(datetime(2026, 7, 1, tzinfo=UTC), CHINA).festivals
    assert span_at([], eve, CHINA).plan == {UNUSUAL: "festivals"}
    assert span_at([], over, CHINA).plan == span_at([], eve - timedelta(seconds=1), CHINA).plan == {}
    assert UNUSUAL not in span_at([line("festivals", "no")], eve, CHINA).plan


@pytest.mark.parametrize(
    ("first", "over"),
    [
        ("2026-05-01", "2026-05-06"),  # Labour Day
        ("2026-09-25", "2026-09-26"),  # the dinner of the Mid-Autumn Festival
        ("2026-10-01", "2026-10-08"),  # the National Day's week
        ("2025-10-01", "2025-10-08"),  # with Mid-Autumn in it
        ("2020-10-01", "2020-10-08"),  # both on one day
    ],
)
def test_the_other_holidays_for_which_families_come_home_teach_nothing_either(first, over):
    begins, ends = (datetime.fromisoformat(day).replace(tzinfo=CHINA) for day in (first, over))

    for at in (begins, ends - timedelta(seconds=1)):
        assert span_at([], at, CHINA).plan == {UNUSUAL: "festivals"}
    for at in (begins - timedelta(seconds=1), ends):
        assert span_at([], at, CHINA).plan == {}
        assert span_at([], at, CHINA).since <= at < span_at([], at, CHINA).until


def test_the_almanac_is_one_of_the_moon():
    """Each new year lies 354, 355, 383, 384 or 385 days after the one before, between 21 January and 20 February."""
    moons = [date.fromisoformat(day) for day in MID_AUTUMN]
    assert {(later - day).days for day, later in pairwise(moons)} <= {353, 354, 355, 383, 384, 385}
    assert all((9, 7) <= (day.month, day.day) <= (10, 8) for day in moons)
    assert [day.year for day in moons] == list(range(2020, 2051))
    # Seven moons and a half lie between the two, eight and a half where a month is put in.
    gaps = {(moon - date.fromisoformat(first)).days for first, moon in zip(NEW_YEAR, moons, strict=True)}
    assert gaps <= {219, 220, 221, 222, 249, 250, 251}
    days = [date.fromisoformat(day) for day in NEW_YEAR]

    assert {(later - day).days for day, later in pairwise(days)} <= {353, 354, 355, 383, 384, 385}
    assert all((1, 21) <= (day.month, day.day) <= (2, 20) for day in days)
    assert [day.year for day in days] == list(range(2020, 2051))


def test_a_week_after_the_heating_begins_or_ends_nothing_is_learnt():
    lines = [line("heating", "11-15..03-15", area="a")]
    begins = datetime(2026, 11, 15, tzinfo=CHINA)

    assert span_at(lines, begins - timedelta(seconds=1), CHINA).plan["environment.heated"] == "no"
    first_days = span_at(lines, begins, CHINA)
    assert (first_days.plan["environment.heated"], first_days.plan[UNUSUAL]) == ("yes", "heating")
    later = span_at(lines, begins + timedelta(days=7), CHINA).plan
    assert (later["environment.heated"], UNUSUAL in later) == ("yes", False)


def test_a_home_that_is_not_heated_has_no_seasons():
    lines = [line("heating", "11-15..03-15", area="a"), line("heating", "off")]

    assert plan(lines, 190) == {"heating": "off"}


@pytest.mark.parametrize(
    ("area", "season"),
    [
        ("110000", "11-15..03-15"),  # 北京
        ("230100", "10-20..04-20"),  # 哈尔滨
        ("650102001003", "10-15..04-15"),  # a community of 乌鲁木齐
        ("330106", ""),  # 杭州: nobody heats the town
        ("990100", ""),
        ("11", ""),  # no code of an area
        ("district", ""),
    ],
)
def test_a_province_is_heated_when_its_towns_are(area, season):
    assert season_of(area) == season


def test_options_come_in_their_own_types():
    said = {
        "night.begins": "22:30",
        "doors.at_most": "5",
        "night.changes": "12",
        "inactivity.learns": "no",
        "pet": "yes",
    }

    assert options_in(said) == {
        "night": {"begins": time(22, 30), "changes": 12},
        "doors": {"at_most": timedelta(days=5)},
        "inactivity": {"learns": False},
    }


# --------------------------------------------------------------------------- at home again


def seen(*times: str, day: int = 12) -> list[datetime]:
    return [datetime.fromisoformat(f"2026-05-{day:02d}T{at}:00").replace(tzinfo=CHINA) for at in times]


AWAY = [line("absence", "family", 0, 12), line("visit/1", "15:00-16:00")]


@pytest.mark.parametrize(
    ("signs", "back"),
    [
        ([], None),
        (seen("00:05", "00:15", "00:30", "00:50", "01:20", day=11), None),  # packing
        (seen("10:00", "10:05", "10:12", "10:20"), None),  # watering the flowers
        (seen("03:00", "12:00", "21:00"), None),  # ghosts
        (seen("15:00", "15:10", "15:20", "15:30", "15:50"), None),  # the cleaner, as expected
        (seen("10:00", "10:10", "10:20", "10:35"), "10:35"),  # she is back
        (seen("10:00", "10:05", "18:00", "18:10", "18:20", "18:40"), "18:40"),
    ],
)
def test_whoever_lives_there_again_is_told_from_whoever_looks_in(signs, back):
    at = lives_again(AWAY, signs, CHINA)

    assert (at and f"{at:%H:%M}") == back


def test_nobody_is_back_who_was_never_away():
    assert lives_again(AWAY[1:], seen("10:00", "10:10", "10:20", "10:35"), CHINA) is None


def test_a_line_that_a_newer_program_wrote_changes_nothing_and_stops_nothing():
    newer = [line("visit/1", "whenever"), line("night.begins", "dusk"), line("leak.ack", "soon"), line("x.y", "z")]
    known = [line("maintenance", "a,b"), line("absence", "住院"), line("bath_dwell", "90")]

    assert readable([*newer, *known]) == known
