"""Who would be called: found out with the desk itself, without anybody being told."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.who import moment, rehearse
from gateway.domain import (
    Answers,
    Contact,
    Duty,
    Grid,
    Home,
    Monitoring,
    Person,
    Profile,
    Reach,
    Relation,
)
from gateway.domain.rota import Shift, Why
from gateway.stores.memory import MemoryAlerts, MemoryRegistry

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 2)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOME = Home(id="h1", code="A-1", name="王奶奶", grid="g1", zone=SHANGHAI, person="wang")


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), SHANGHAI).astimezone(UTC)


@pytest.fixture
def town() -> MemoryRegistry:
    """By day Zhang, at night nobody but the street's desk; a daughter, and a neighbour who has a key."""
    registry = MemoryRegistry()
    ways = {
        "zhang": (
            Reach(channel="wecom_app", address="z"),
            Reach(channel="tencent_voice", address="1", after=timedelta(minutes=2)),
        ),
        "desk": (Reach(channel="tencent_voice", address="2"),),
        "daughter": (Reach(channel="tencent_sms", address="3"),),
        "neighbour": (),
        "wang": (Reach(channel="lamp", address="hub"),),
        "ma": (Reach(channel="console"),),
    }
    with registry.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一网格", community=""))
        for person, reaches in ways.items():
            ledger.put_person(Person(id=person, name=person, reaches=reaches), LONG_AGO)
        ledger.put_home(HOME, LONG_AGO)
        ledger.assign("desk", Duty.NIGHT_POOL, "g1", LONG_AGO)
        ledger.assign("ma", Duty.SUPERVISOR, "g1", LONG_AGO)
        ledger.put_shift(
            Shift(
                place="g1",
                duty=Duty.GRID_WORKER,
                person="zhang",
                begins=time(8),
                ends=time(18),
                zone=SHANGHAI,
                first=MONDAY,
            )
        )
        contacts = [
            Contact(home="h1", person="daughter", relation=Relation.CHILD),
            Contact(home="h1", person="neighbour", relation=Relation.KEY_HOLDER),
        ]
        ledger.put_contacts("h1", contacts, LONG_AGO)
    return registry


def called(rehearsal) -> list[tuple[int, str, str]]:
    return [
        (int(rung.after.total_seconds()), one.duty.value, one.person.id)
        for rung in rehearsal.rungs
        for one in rung.called
        if one.ways
    ]


def test_by_day_the_worker_and_the_family_come_first_and_the_desk_of_the_night_not_at_all(town):
    said = rehearse(HOME, at("12:00"), town, MemoryAlerts())

    assert called(said)[:2] == [(0, "grid_worker", "zhang"), (0, "family", "daughter")]
    assert (60, "supervisor", "ma") in called(said) or (180, "supervisor", "ma") in called(said)
    assert "desk" not in [person for _, _, person in called(said)]
    (zhang,) = (one for rung in said.rungs for one in rung.called if one.person.id == "zhang")
    assert (zhang.why.why, zhang.why.turn.ends) == (Why.SHIFT, at("18:00"))
    assert [(way.channel, way.after) for way in zhang.ways] == [
        ("wecom_app", timedelta(0)),
        ("tencent_voice", timedelta(0)),
    ], "an emergency goes by every way at once"


@pytest.fixture
def numbered(town) -> MemoryRegistry:
    """The same town, in which a number is on file for everybody."""
    with town.begin() as ledger:
        for number, person in enumerate(("zhang", "desk", "daughter", "neighbour", "wang", "ma")):
            ledger.put_phones(person, [f"1390000000{number}"], LONG_AGO)
    return town


def rings(town: MemoryRegistry, code: str, clock: str) -> dict[str, list[str]]:
    said = rehearse(HOME, at(clock, MONDAY + timedelta(days=6)), town, MemoryAlerts(), code=code, call="aliyun_voice")
    return {one.person.id: [way.channel for way in one.ways] for rung in said.rungs for one in rung.called}


def test_what_is_urgent_rings_every_telephone_whose_number_is_known(numbered):
    """At three in the morning a message on a silent telephone reaches nobody."""
    assert rings(numbered, "sos", "03:00") == {
        "daughter": ["tencent_sms", "aliyun_voice"],
        "neighbour": ["aliyun_voice"],
        "desk": ["tencent_voice"],  # rung up already, by a channel of their own
        "ma": ["console", "aliyun_voice"],
    }


def test_what_can_wait_rings_no_telephone(numbered):
    told = rings(numbered, "leak", "12:00")

    assert (told["daughter"], told["ma"]) == (["tencent_sms"], ["console"])


def test_the_resident_is_asked_by_her_own_means_only(numbered):
    with numbered.begin() as ledger:
        ledger.put_profile(Profile(person="wang", answers_by=Answers.SPEAKER), LONG_AGO)

    assert rings(numbered, "sos", "03:00")["wang"] == ["lamp"]


def test_at_night_the_street_desk_gets_it(town):
    said = rehearse(HOME, at("03:00", MONDAY + timedelta(days=6)), town, MemoryAlerts())

    people = [person for _, _, person in called(said)]
    assert people.index("desk") < people.index("ma")
    assert "zhang" not in people
    (desk,) = (one for rung in said.rungs for one in rung.called if one.person.id == "desk")
    assert desk.why.why is Why.NIGHT


def test_whoever_has_no_way_to_be_told_is_shown_without_one(town):
    said = rehearse(HOME, at("12:00"), town, MemoryAlerts())

    (neighbour,) = (one for rung in said.rungs for one in rung.called if one.person.id == "neighbour")
    assert neighbour.ways == ()
    assert neighbour.why.relation is Relation.KEY_HOLDER


def test_what_can_wait_goes_by_one_way_after_the_other(town):
    said = rehearse(HOME, at("12:00"), town, MemoryAlerts(), code="room_cold")

    (zhang,) = (one for rung in said.rungs for one in rung.called if one.person.id == "zhang")
    assert [way.after for way in zhang.ways] == [timedelta(0), timedelta(minutes=2)]


def test_it_says_when_all_of_it_begins_again(town):
    said = rehearse(HOME, at("12:00"), town, MemoryAlerts())

    assert said.again_after is not None
    assert said.again_after > said.rungs[-1].after or not said.rungs[-1].called


def test_the_resident_is_asked_first_where_there_is_a_way_to_answer(town):
    with town.begin() as ledger:
        ledger.put_profile(Profile(person="wang", answers_by=Answers.BUTTON), LONG_AGO)

    said = rehearse(HOME, at("12:00"), town, MemoryAlerts(), code="bath_dwell")

    assert called(said)[0] == (0, "elder", "wang")


def test_a_home_that_is_only_on_file_calls_nobody_about_silence(town):
    with town.begin() as ledger:
        ledger.put_home(
            Home(id="h2", code="A-2", name="李", grid="g1", zone=SHANGHAI, state=Monitoring.REGISTERED), LONG_AGO
        )

    said = rehearse(town.home("h2"), at("12:00"), town, MemoryAlerts(), code="inactivity")

    assert said.held
    assert said.rungs == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Sunday 03:00", "2026-11-08 03:00"),
        ("sun 3:00", "2026-11-08 03:00"),
        ("周日 03:00", "2026-11-08 03:00"),
        ("星期天 03:00", "2026-11-08 03:00"),
        ("礼拜三 18:30", "2026-11-04 18:30"),
        ("Monday 11:00", "2026-11-09 11:00"),
        ("Monday 13:00", "2026-11-02 13:00"),
        ("tomorrow 03:00", "2026-11-03 03:00"),
        ("明天 03:00", "2026-11-03 03:00"),
        ("后天 3：00", "2026-11-04 03:00"),
        ("today 08:00", "2026-11-02 08:00"),
        ("03:00", "2026-11-03 03:00"),
        ("13:00", "2026-11-02 13:00"),
        ("2026-12-24 18:00", "2026-12-24 18:00"),
        ("2026-12-24T18:00", "2026-12-24 18:00"),
        ("2026-12-24T18:00+00:00", "2026-12-25 02:00"),
        ("", "2026-11-02 12:00"),
        ("now", "2026-11-02 12:00"),
    ],
)
def test_a_moment_is_understood_as_one_says_it(text, meant):
    """It is Monday, 2 November, noon."""
    assert f"{moment(text, SHANGHAI, at('12:00')).astimezone(SHANGHAI):%Y-%m-%d %H:%M}" == meant


@pytest.mark.parametrize("text", ["Someday 03:00", "03", "Sunday", "Sunday 25:00", "昨天 03:00"])
def test_what_is_no_moment_is_refused_with_what_would_do(text):
    with pytest.raises(ValueError, match="Sunday 03:00"):
        moment(text, SHANGHAI, at("12:00"))
