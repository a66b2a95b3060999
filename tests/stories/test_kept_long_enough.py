"""What has been kept long enough goes in the night, exact to the day, and what is left proves itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from test_forgotten import NOON, Town

from gateway.domain import Finding, Leaving, Monitoring, Severity
from gateway.domain.trail import examined
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
