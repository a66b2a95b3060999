"""What has been kept long enough goes in the night, exact to the day, and what is left proves itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from test_forgotten import NOON, Town

from gateway.domain import Finding, Leaving, Monitoring, Severity
from gateway.domain.trail import examined
from gateway.keeping import LEAST, Keeping, Kept
from gateway.refusals import RegistrationError
from gateway.retention import Spans, fingerprint, is_due, keep_to

SPANS = Spans(
    readings=timedelta(days=90),
    hours=timedelta(days=730),
    alerts=timedelta(days=1095),
    audit=timedelta(days=1095),
    given_up=timedelta(days=180),
)
A_DAY = timedelta(days=1)


@pytest.fixture
def town(tmp_path):
    town = Town(tmp_path)
    town.see_to_it(town.alert, "王秀兰说按错了")
    yield town
    town.readings.close()
    town.engine.dispose()


def test_alerts_go_on_the_day_and_one_that_is_open_stays(town):
    for _ in range(3):
        keep_to(SPANS, town.privacy, NOON + SPANS.alerts)
    assert town.alerts.alert(town.alert.id) is not None, "on its last day it is still there"

    after = NOON + SPANS.alerts + A_DAY
    assert keep_to(SPANS, town.privacy, after)["alerts"] == 1

    assert town.alerts.alert(town.alert.id) is None
    assert town.alerts.history(town.alert.id) == []
    assert town.alerts.deliveries(town.alert.id) == []
    assert town.alerts.alert(town.other.id).is_ringing
    (proof,) = town.alerts.acts("retention", what="retention.alerts")
    assert dict(proof.facts) == {
        "count": "1",
        "from": town.alert.raised_at.isoformat(),
        "to": town.alert.raised_at.isoformat(),
        "sha256": fingerprint([town.alert.id]),
    }


def test_the_trail_loses_its_oldest_and_is_whole(town):
    anchors = [town.alerts.trail_end()]
    before = len(list(town.privacy.trail()))

    after = NOON + SPANS.audit + A_DAY
    finding = Finding(home="home-li", code="sos", severity=Severity.EMERGENCY, since=after, at=after)
    town.desk.take([replace(finding)], after)
    gone = keep_to(SPANS, town.privacy, after)["audit"]

    assert gone >= before - 1
    rows = list(town.privacy.trail())
    assert examined(rows, [*anchors, town.alerts.trail_end()]) == []
    assert min(row.act.at for row in rows) > NOON
    keep_to(SPANS, town.privacy, after + SPANS.audit + A_DAY)
    assert examined(list(town.privacy.trail()), anchors) == [], "and so it is after the next time"


def test_a_household_that_was_given_up_is_forgotten_after_its_time(town):
    town.registrar.set_state("home-wang", Monitoring.RETIRED, why=Leaving.MOVED, who="ma", now=NOON)

    assert keep_to(SPANS, town.privacy, NOON + SPANS.given_up)["homes"] == 0
    assert keep_to(SPANS, town.privacy, NOON + SPANS.given_up + A_DAY)["homes"] == 1

    assert town.registry.home("home-wang") is None
    assert town.bytes_left().count("王秀兰") == 0
    assert town.registry.home("home-li") is not None


def test_once_a_night(town):
    assert is_due(town.alerts, NOON)
    keep_to(SPANS, town.privacy, NOON)
    assert not is_due(town.alerts, NOON + timedelta(hours=1))
    assert is_due(town.alerts, NOON + timedelta(hours=23))


def test_what_sensors_said_goes_after_its_time_and_its_sums_stay(town):
    before = town.readings.readings("home-wang", NOON - timedelta(days=30), NOON + A_DAY)
    assert before
    town.readings.roll_up()
    last = max(reading.at for reading in before)

    gone = keep_to(SPANS, town.privacy, last + SPANS.readings + timedelta(hours=1))["readings"]

    assert gone >= len(before)
    assert town.readings.readings("home-wang", NOON - timedelta(days=30), NOON + A_DAY) == []
    kinds = {reading.kind for reading in before}
    assert town.readings.hours("home-wang", NOON - timedelta(days=30), NOON + A_DAY, kinds)
    (proof,) = town.alerts.acts("retention", what="retention.readings")
    assert dict(proof.facts)["count"] == str(gone)
    town.readings.roll_up()
    assert town.readings.hours("home-wang", NOON - timedelta(days=30), NOON + A_DAY, kinds), "and are not made anew"

    keep_to(SPANS, town.privacy, last + SPANS.hours + A_DAY)
    assert town.readings.hours("home-wang", NOON - timedelta(days=30), NOON + A_DAY, kinds) == []


USUAL = {Kept.READINGS: SPANS.readings, Kept.HOURS: SPANS.hours, Kept.ALERTS: SPANS.alerts}


def keeps(town, kind, days, until=None, now=NOON):
    Keeping(town.registry, USUAL).keep("home-wang", kind, days, until, why="本人要求", who="zhao", now=now)


def test_somebody_wants_less_to_be_kept_of_them(town):
    keeps(town, Kept.ALERTS, 180)
    day = town.alert.raised_at + timedelta(days=180)

    assert keep_to(SPANS, town.privacy, day)["alerts"] == 0, "on the last day it is still there"
    assert keep_to(SPANS, town.privacy, day + A_DAY)["alerts"] == 1

    assert town.alerts.alert(town.alert.id) is None
    assert town.alerts.alert(town.other.id) is not None, "next door nothing has changed"


def test_a_court_wants_it_to_stay_and_after_that_day_it_goes(town):
    stays = NOON + timedelta(days=1500)
    keeps(town, Kept.ALERTS, 1600, until=stays)
    town.registrar.set_state("home-wang", Monitoring.RETIRED, why=Leaving.MOVED, who="ma", now=NOON)

    gone = keep_to(SPANS, town.privacy, stays - A_DAY)
    assert (gone["alerts"], gone["homes"]) == (0, 0), "nor is a household erased of which something has to stay"

    assert keep_to(SPANS, town.privacy, stays + A_DAY)["homes"] == 1
    assert town.alerts.alert(town.alert.id) is None


def test_readings_and_sums_have_a_time_of_their_own(town):
    keeps(town, Kept.READINGS, 60)
    keeps(town, Kept.HOURS, 90)
    span = NOON - timedelta(days=30), NOON + A_DAY
    before = town.readings.readings("home-wang", *span)
    last, kinds = max(reading.at for reading in before), {reading.kind for reading in before}
    town.readings.roll_up()

    keep_to(SPANS, town.privacy, last + timedelta(days=60))
    assert town.readings.readings("home-wang", *span), "on the last day they are still there"
    keep_to(SPANS, town.privacy, last + timedelta(days=60, hours=1))
    assert town.readings.readings("home-wang", *span) == []
    assert town.readings.hours("home-wang", *span, kinds)
    keep_to(SPANS, town.privacy, last + timedelta(days=90, hours=1))
    assert town.readings.hours("home-wang", *span, kinds) == []


def test_what_is_kept_for_longer_has_an_end_and_nothing_goes_too_early(town):
    for kind, days, until, why in (
        (Kept.READINGS, 100, None, "no end"),
        (Kept.READINGS, LEAST[Kept.READINGS].days - 1, None, "too short"),
        (Kept.ALERTS, 4000, NOON + A_DAY, "too long"),
        (Kept.HOURS, 90, NOON, "over already"),
    ):
        with pytest.raises(RegistrationError):
            keeps(town, kind, days, until)
            pytest.fail(why)
    with pytest.raises(RegistrationError):
        Keeping(town.registry, USUAL).keep("home-wang", Kept.HOURS, 90, None, why=" ", who="zhao", now=NOON)

    keeps(town, Kept.READINGS, 60)
    keeps(town, Kept.READINGS, 70, now=NOON + A_DAY)
    assert [line.value for line in town.registry.in_force("keep_readings", NOON + A_DAY)] == ["70"]
    Keeping(town.registry, USUAL).end("home-wang", Kept.READINGS, who="zhao", now=NOON + 2 * A_DAY)
    assert town.registry.in_force("keep_readings", NOON + 2 * A_DAY) == []
    with pytest.raises(RegistrationError):
        Keeping(town.registry, USUAL).end("home-wang", Kept.READINGS, who="zhao", now=NOON + 3 * A_DAY)
    said = town.alerts.acts("home-wang", what="retention.keep")
    assert [act.what for act in said] == ["retention.keep.end", "retention.keep", "retention.keep"]
    assert said[-1].who == "zhao"
