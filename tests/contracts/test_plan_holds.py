"""A household's plan has the last word: every option of every detector, every limit by an alert's code, every rule."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from alerts.catalogue import Catalogue
from detectors import DETECTORS, options_of, watch_over
from gateway.domain import Finding, Kind, Reading, Severity
from gateway.domain.plan import ALWAYS_ON, SETTINGS, Setting, Unit, options_in, understood
from gateway.pipeline import _by_plan
from gateway.ports import Context
from simulators.household import furnish
from simulators.story import Story

OPTIONS = [s for s in SETTINGS if "." in s.key and s.key.partition(".")[0] in DETECTORS]


@pytest.mark.parametrize("setting", OPTIONS, ids=lambda setting: setting.key)
def test_every_option_of_every_detector_is_what_the_plan_says(setting: Setting):
    detector, _, option = setting.key.partition(".")
    usual = options_of(DETECTORS[detector])[option]
    home = furnish("h1", "gardener", seed=0, interval=None).home
    written = {Unit.CLOCK: "03:21", Unit.YES_NO: "no" if usual is True else "yes"}.get(
        setting.unit, f"{setting.low if setting.low != _plain(usual, setting) else setting.high:g}"
    )

    plan = {setting.key: understood(setting.key, written)}
    made = getattr(watch_over(home, options_in(plan)).detectors[detector], option)

    assert made != usual
    assert made == options_in(plan)[detector][option]


def _plain(usual: object, setting: Setting) -> object:
    spans = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1), Unit.DAYS: timedelta(days=1)}
    return usual / spans[setting.unit] if isinstance(usual, timedelta) else usual


@pytest.mark.parametrize("code", sorted(Catalogue().codes()))
def test_a_rule_that_is_off_tells_nothing_and_what_calls_for_help_is_never_off(code):
    found = Finding(home="h1", code=code, severity=Severity.HIGH, since=_AT, at=_AT)

    told = _by_plan([found], Context(plan={code: "off"}))

    assert told == ([found] if code in ALWAYS_ON else [])


_AT = datetime.fromisoformat("2026-03-02T03:00:00+00:00")


# --------------------------------------------------------------------------- limits by the code of an alert


def falls_in_the_bathroom(story: Story) -> None:
    story.at("10:00").moves_in("bathroom").after(hours=3)


def does_not_come_back_to_bed(story: Story) -> None:
    story.at("22:00").moves_in("bedroom").lies_down().at("02:00").gets_up().after(hours=4)


def lies_on(story: Story) -> None:
    for _ in range(2):
        story.at("07:00").moves_in("kitchen").at("22:00").moves_in("bedroom").lies_down().at("06:50").gets_up()
    story.at("07:00").moves_in("kitchen").at("22:00").moves_in("bedroom").lies_down().after(hours=13)


def leaves_at_night(story: Story) -> None:
    story.at("22:00").moves_in("living").at("23:30").goes_out().after(hours=5)


def walks_about(story: Story) -> None:
    story.at("22:00").moves_in("bedroom").at("01:00")
    for _ in range(8):
        for room in ("living", "kitchen", "bathroom"):
            story.moves_in(room).after(minutes=1)


def leaves_the_door_open(story: Story) -> None:
    story.at("10:00").moves_in("living").opens("door").after(minutes=1).moves_in("living").after(hours=13)


def does_not_use_the_door(story: Story) -> None:
    story.at("10:00").goes_out().comes_home()
    for _ in range(60):
        story.after(hours=1).moves_in("living").after(minutes=3).moves_in("kitchen")


LIMITS: dict[str, tuple[Callable[[Story], None], str, str, timedelta]] = {
    "bath_dwell": (falls_in_the_bathroom, "20", "120", timedelta(minutes=20)),
    "bed_no_return": (does_not_come_back_to_bed, "12", "180", timedelta(minutes=12)),
    "night_exit": (leaves_at_night, "5", "200", timedelta(minutes=5)),
    "door_open": (leaves_the_door_open, "3", "700", timedelta(minutes=3)),
    "door_not_used": (does_not_use_the_door, "1440", "3000", timedelta(hours=24)),
}
"""What happens, a short limit and a long one in minutes, and the short one as a time."""


def lived(act: Callable[[Story], None], code: str, plan: dict[str, str]) -> list[Finding]:
    home = furnish("story", "gardener", seed=0, interval=None).home  # devices that never report are not missed
    story = Story(home=home, day=date(2026, 3, 2), options={"inactivity": {"learns": False}, **options_in(plan)})
    story.context = replace(story.context, plan=plan)
    act(story)
    return [one for one in _by_plan(story.findings, story.context) if one.code == code]


@pytest.mark.parametrize("code", LIMITS)
def test_a_limit_in_minutes_holds_as_it_stands(code):
    act, short, long, after = LIMITS[code]

    early, late = (lived(act, code, {code: understood(code, value)}) for value in (short, long))

    assert early[0].at - early[0].since == after
    assert dict(early[0].facts)["limit_s"] == str(int(after.total_seconds()))
    assert not late or late[0].at - late[0].since == timedelta(minutes=int(long))
    assert lived(act, code, {code: "off"}) == []


def test_getting_up_is_looked_for_at_the_hour_of_the_plan():
    story_at = {said: lived(lies_on, "not_up", {"not_up": said}) for said in ("08:15", "10:30", "off")}

    assert [f"{one.at.astimezone(Story().home.zone):%H:%M}" for one in story_at["08:15"]] == ["08:15"]
    assert [f"{one.at.astimezone(Story().home.zone):%H:%M}" for one in story_at["10:30"]] == ["10:30"]
    assert story_at["off"] == []


def test_walking_about_is_told_from_as_many_changes_of_room_as_the_plan_says():
    found = {said: lived(walks_about, "wandering", {"wandering": said}) for said in ("5", "40", "off")}

    assert len(found["5"]) == 1
    assert found["40"] == found["off"] == []


@pytest.mark.parametrize(
    ("code", "degrees", "told", "untold"),
    [("room_cold", 12.0, "13", "11"), ("room_hot", 33.0, "32", "34")],
)
def test_a_room_is_too_cold_or_too_hot_by_the_plans_own_degrees(code, degrees, told, untold):
    def measures(story: Story) -> None:
        climate = next(s for s in story.home.sensors if s.role == "climate")
        for _ in range(20):
            story.after(minutes=20)
            reading = _reading(story, climate.id, climate.room, Kind.TEMPERATURE, degrees)
            story.findings.extend(story.watch.observe(reading, story.context))

    assert len(lived(measures, code, {code: told})) == 1
    assert lived(measures, code, {code: untold}) == lived(measures, code, {code: "off"}) == []


def _reading(story: Story, sensor: str, room: str, kind: Kind, value: float):
    return Reading(story.home.id, sensor, room, kind, value, story.now, story.now)


def test_every_limit_by_a_code_is_asked_here_or_where_its_meter_is():
    asked = {*LIMITS, "not_up", "wandering", "room_cold", "room_hot"}
    by_their_meters = {"water_low", "water_high"}  # in test_water_use.py
    by_people = {"visit_due"}  # in test_visits.py
    limits = {s.key for s in SETTINGS if s.can_be_off and s.unit not in (Unit.SWITCH, Unit.LIMITS, Unit.SEASON)}

    assert limits == asked | by_their_meters | by_people
