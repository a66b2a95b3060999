"""Falls, told by radars and wearables, and by whether somebody gets up: one finding, as sure as its sources."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from detectors import DETECTORS, Watch
from detectors.fall import Fall
from detectors.fall_model import load
from gateway.domain import Finding, Home, Hub, Kind, Reading, Role, Room, RoomKind, Sensor, Severity
from gateway.domain.impact import TRAITS, Impact
from gateway.ports import Context

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
HIGH, EMERGENCY = Severity.HIGH, Severity.EMERGENCY


def like(**values: float) -> float:
    """An impact of these traits; what is not named is as on an ordinary fall."""
    usual = {
        "peak": 5.2,
        "jerk": 3.0,
        "width": 0.26,
        "crowd": 0.13,
        "push": 0.7,
        "shock": 1.0,
        "bounce": 0.4,
        "rest": 0.02,
        "approach": 0.07,
        "stir": 0.16,
        "weight": 1.0,
        "turned": 80,
        "tipped": 80,
    }
    return Impact.measured({**usual, **values}).packed()


A_FALL = like()
A_KNOCK = like(turned=4, tipped=4, width=0.02, shock=0.3, bounce=0.02)


class Story:
    """A flat with a radar in the bathroom, motion sensors in three rooms and a watch on her wrist."""

    def __init__(self, context: Context | None = None, **options) -> None:
        self.context = context or Context()
        rooms = {"bath": RoomKind.BATHROOM, "kitchen": RoomKind.KITCHEN, "living": RoomKind.LIVING}
        sensors = [Sensor(id="door", hub="hub", address="door", name="", room="hall", role=Role.EXIT_DOOR)]
        for name, role, room in (
            ("radar", Role.FALL, "bath"),
            ("watch", Role.FALL, "living"),
            *((f"{room}-pir", Role.MOTION, room) for room in rooms),
        ):
            sensors.append(Sensor(id=name, hub="hub", address=name, name=name, room=room, role=role))
        self.home = Home(
            id="h1",
            code="A-1",
            name="",
            grid="g",
            zone=ZoneInfo("Asia/Shanghai"),
            rooms=tuple(Room(id=name, name=name, kind=kind) for name, kind in rooms.items()),
            hubs=(Hub(id="hub", home="h1", interval=None),),
            sensors=tuple(sensors),
        )
        self.watch = Watch(self.home, {"fall": Fall(self.home, **options)})
        self.now = NOON
        self.found: list[Finding] = []

    def after(self, seconds: float) -> "Story":
        self.now += timedelta(seconds=seconds)
        while (due := self.watch.due()) is not None and due <= self.now:
            self.found += self.watch.tick(due, self.context)
        return self

    def says(
        self, sensor: str, kind: Kind, value: float = 1, subject: str = "", room: str = "", ago: float = 0
    ) -> "Story":
        room = room or {"radar": "bath", "watch": "living", "door": "hall"}.get(sensor, sensor.removesuffix("-pir"))
        at = self.now - timedelta(seconds=ago)
        self.found += self.watch.observe(
            Reading("h1", sensor, room, kind, value, at, self.now, late=ago > 300, subject=subject), self.context
        )
        return self

    def radar(self, word: str, value: float = 1) -> "Story":
        return self.says("radar", Kind(word), value)

    def watch_feels(self, impact: float = A_FALL, **more) -> "Story":
        return self.says("watch", Kind.IMPACT, impact, **more)

    def lies_still(self) -> "Story":
        return self.says("watch", Kind.STIRS, 0)

    def moves(self) -> "Story":
        return self.says("watch", Kind.STIRS, 1)

    def is_seen_in(self, *rooms: str) -> "Story":
        for room in rooms:
            self.says(f"{room}-pir", Kind.MOTION).after(15)
        return self

    @property
    def told(self) -> list[tuple[int, str, Severity]]:
        return [
            (round((one.at - NOON).total_seconds()), one.fact("rule"), one.severity)
            for one in self.found
            if one.code == "fall"
        ]


def planned(**plan: str) -> Context:
    return Context(plan=plan)


# --------------------------------------------------------------------------- one source


def test_what_a_radar_is_sure_of_is_told_at_once_and_asks_first():
    story = Story().radar("fall")

    assert story.told == [(0, "sure", HIGH)]
    assert story.found[0].fact("sensor") == "radar"
    assert story.found[0].fact("room") == "bath"


def test_a_radar_that_stands_by_it_for_a_minute_is_an_emergency():
    assert Story().radar("fall").after(300).told == [(0, "sure", HIGH), (60, "stands", EMERGENCY)]


def test_a_radar_that_loses_sight_of_her_leaves_three_minutes_to_recover():
    story = Story().radar("fall").after(20).radar("fall", 0).after(600)

    assert story.told == [(0, "sure", HIGH), (180, "unrecovered", EMERGENCY)]


def test_who_walks_elsewhere_after_a_fall_does_not_become_an_emergency():
    story = Story().radar("fall").after(30).is_seen_in("kitchen", "living").after(900)

    assert story.told == [(0, "sure", HIGH)]


def test_a_suspicion_of_a_radar_waits_a_minute_for_it_to_become_sure():
    story = Story().radar("maybe_fall").after(12).radar("fall").radar("maybe_fall", 0)

    assert story.told == [(12, "sure", HIGH)]
    assert story.found[0].since == NOON


def test_a_suspicion_that_stays_one_is_told_after_a_minute():
    assert Story().radar("maybe_fall").after(90).told == [(60, "suspected", HIGH)]


def test_a_suspicion_where_nobody_was_seen_waits_three_minutes():
    assert Story().is_seen_in("kitchen").radar("maybe_fall").after(200).told == [(195, "suspected", HIGH)]
    assert Story().is_seen_in("kitchen", "bath").radar("maybe_fall").after(70).told == [(90, "suspected", HIGH)]


def test_a_suspicion_that_was_told_and_is_taken_back_becomes_no_worse():
    story = Story().radar("maybe_fall").after(70).radar("maybe_fall", 0).after(900)

    assert story.told == [(60, "suspected", HIGH)]


def test_a_suspicion_that_the_radar_takes_back_is_nothing():
    assert Story().radar("maybe_fall").after(30).radar("maybe_fall", 0).after(900).told == []


def test_a_fall_that_only_a_watch_felt_is_told_when_nobody_gets_up():
    story = Story().moves().is_seen_in("living").after(30)
    begins = (story.now - NOON).total_seconds()
    story.watch_feels().after(5).moves().after(900)

    assert story.told == [(begins + 60, "suspected", HIGH), (begins + 180, "unrecovered", EMERGENCY)]
    assert story.found[0].fact("room") == "living"
    assert int(story.found[0].fact("likelihood")) >= int(story.found[0].fact("threshold"))
    assert story.found[0].fact("peak_dg") in ("50", "51", "52", "53", "54", "55")


def test_who_lies_still_after_an_impact_is_an_emergency_within_some_seconds_of_a_minute():
    story = Story().moves().watch_feels().after(5).lies_still().after(300)

    assert story.told == [(65, "still", EMERGENCY)]
    assert story.found[0].fact("still_s") == "60"


def test_who_was_still_before_the_fall_is_still_since_the_fall():
    story = Story().lies_still().after(3600)
    story.watch_feels().after(300)

    assert [(rule, severity) for _, rule, severity in story.told] == [("still", EMERGENCY)]
    assert story.found[0].at - story.found[0].since == timedelta(seconds=60)


def test_who_gets_up_before_the_minute_is_over_is_not_told_of():
    for up in (
        lambda story: story.is_seen_in("kitchen", "bath"),
        lambda story: story.says("door", Kind.DOOR),
        lambda story: story.says("tap", Kind.TAP, room="kitchen"),
        lambda story: story.says("bed", Kind.BED, room="bedroom"),
    ):
        story = Story().is_seen_in("living").after(10).watch_feels().after(25)

        assert up(story).after(900).told == [], up


def test_what_a_fall_itself_moves_is_no_recovery():
    story = Story().is_seen_in("living").after(30).watch_feels().after(3)
    story.says("bed", Kind.BED, 0, room="bedroom").after(4).says("drawer", Kind.OPENING, room="living").after(120)

    assert [rule for _, rule, _ in story.told] == ["suspected"]


def test_one_pulse_elsewhere_and_a_call_for_help_are_no_recovery():
    story = Story().is_seen_in("living").after(30).watch_feels().after(25)
    story.is_seen_in("kitchen").says("watch", Kind.SOS).after(40)

    assert [rule for _, rule, _ in story.told] == ["suspected"]


@pytest.mark.parametrize("line", ["pet", "second_person"])
def test_where_others_live_their_steps_are_not_hers(line):
    story = Story(planned(**{line: "yes"})).is_seen_in("living").after(30).watch_feels().after(25)
    story.is_seen_in("kitchen", "bath").after(60)

    assert [rule for _, rule, _ in story.told] == ["suspected"]


def test_a_knock_on_the_table_is_nothing():
    assert Story().watch_feels(A_KNOCK).after(5).lies_still().after(900).told == []


# --------------------------------------------------------------------------- together


@pytest.mark.parametrize("apart", [1, 20, 119])
def test_two_sources_within_two_minutes_are_an_emergency_at_once(apart):
    story = Story().radar("maybe_fall").after(apart).watch_feels()

    assert story.told[-1] == (apart, "together", EMERGENCY)
    assert story.found[-1].fact("sensor") == ""
    assert story.found[-1].fact("sources") == "radar:maybe_fall,watch:impact"
    assert {one.since for one in story.found} == {NOON}


def test_a_second_source_makes_it_worse_only_once():
    story = Story().radar("fall").after(5).watch_feels().after(5).radar("fall").watch_feels().after(600)

    assert story.told == [(0, "sure", HIGH), (5, "together", EMERGENCY)]


def test_more_sources_are_more_confident():
    def confidence(story: Story) -> int:
        return int(story.found[-1].fact("confidence"))

    suspected = Story().radar("maybe_fall").after(70)
    sure = Story().radar("fall")
    still = Story().watch_feels().after(5).lies_still().after(90)
    together = Story().radar("fall").watch_feels()

    assert 40 < confidence(suspected) < confidence(sure) < confidence(together) <= 99
    assert confidence(still) > confidence(suspected)


def test_what_is_said_after_ten_minutes_is_another_fall():
    story = Story().radar("fall").after(30).radar("fall", 0).after(900).radar("fall")

    assert [one.since - NOON for one in story.found if one.fact("rule") == "sure"] == [
        timedelta(0),
        timedelta(seconds=930),
    ]


def test_what_a_radar_is_sure_of_anew_is_told_anew_for_the_first_may_be_settled_by_then():
    again = Story().radar("fall").after(200).radar("fall", 0).after(40).radar("fall")
    assert [one.since - NOON for one in again.found if one.fact("rule") == "sure"] == [
        timedelta(0),
        timedelta(seconds=240),
    ]

    grown = Story().radar("maybe_fall").after(300).radar("fall")
    assert grown.told[-1] == (300, "sure", HIGH)
    assert grown.after(70).told[-1] == (360, "stands", EMERGENCY)


def test_after_a_suspicion_that_was_taken_back_a_knock_is_looked_at_anew():
    story = Story().radar("maybe_fall").after(70).radar("maybe_fall", 0).after(240).watch_feels().after(70)

    assert story.told == [(60, "suspected", HIGH), (370, "suspected", HIGH)]


def test_after_she_has_recovered_another_fall_is_another():
    story = Story().radar("fall").after(30).radar("fall", 0).is_seen_in("kitchen", "living").after(60).radar("fall")

    assert len({one.since for one in story.found}) == 2


def test_two_people_are_not_each_others_second_source():
    story = Story().says("watch", Kind.IMPACT, A_FALL, subject="wang").after(3)
    story.says("watch2", Kind.FALL, 1, subject="li").after(90)

    told = [(one.fact("rule"), one.subject) for one in story.found]
    assert told == [("sure", "li"), ("suspected", "wang")]


# --------------------------------------------------------------------------- late, away, switched off


def test_a_fall_heard_late_is_told_with_its_age():
    story = Story().says("radar", Kind.FALL, ago=1800)

    assert story.found[0].since == NOON - timedelta(seconds=1800)
    assert story.found[0].at == NOON
    assert story.found[0].fact("late_s") == "1800"


def test_an_old_fall_heard_while_another_is_looked_at_is_told_by_itself():
    story = Story().radar("fall").after(10).says("radar2", Kind.FALL, ago=7200)

    assert [one.since - NOON for one in story.found] == [timedelta(0), timedelta(seconds=10 - 7200)]


def test_while_nobody_is_at_home_only_what_is_sure_is_told_and_does_not_grow():
    story = Story(planned(absence="hospital")).radar("maybe_fall").watch_feels().radar("fall").after(900)

    assert story.told == [(0, "sure", HIGH)]


def test_the_plan_switches_it_off_or_gives_her_longer():
    assert Story(planned(fall="off")).radar("fall").watch_feels().after(900).told == []
    longer = Story(confirm=timedelta(minutes=2)).radar("maybe_fall").after(150)
    assert longer.told == [(120, "suspected", HIGH)]


def test_where_nobody_is_to_be_waited_for_a_suspicion_is_told_at_once():
    assert Story(confirm=timedelta(0)).watch_feels().after(5).told == [(0, "suspected", HIGH)]


def test_a_radar_that_may_be_dead_is_believed_only_when_it_is_sure():
    story = Story(Context(blind=("radar",))).radar("maybe_fall").after(120)
    assert story.told == []

    assert [rule for _, rule, _ in story.radar("fall").told] == ["sure"]


# --------------------------------------------------------------------------- the model


def test_the_shipped_model_says_what_it_was_trained_on():
    model = load()

    assert "simulated" in model.training.on
    assert model.training.subjects >= 50
    assert model.training.specificity >= 0.98
    assert model.likelihood(Impact.unpacked(A_FALL)) > model.threshold > model.likelihood(Impact.unpacked(A_KNOCK))


def test_a_site_may_ask_for_more_or_less():
    assert Story(threshold=99).watch_feels(like(turned=40, tipped=40)).after(120).told == []
    assert Story(threshold=5).watch_feels(like(turned=40, tipped=40)).after(90).told == [(60, "suspected", HIGH)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be used"),
        ("{}", "no fall model"),
        ('{"format": 1, "traits": ["peak"]}', "of another make"),
        ("[]", "no fall model"),
    ],
)
def test_a_file_that_is_no_model_is_refused_by_name(tmp_path, text, said):
    path = tmp_path / "mine.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=said) as refused:
        Fall(Story().home, model=str(path))
    assert "mine.json" in str(refused.value)


def test_a_model_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="nowhere"):
        Fall(Story().home, model="nowhere.json")


def test_a_model_comes_back_from_its_file(tmp_path):
    path = tmp_path / "again.json"
    path.write_text(load().text(), encoding="utf-8")

    assert load(str(path)) == load()
    assert len(TRAITS) == 13


def test_it_stands_among_the_others():
    assert list(DETECTORS)[:2] == ["emergency", "fall"]
