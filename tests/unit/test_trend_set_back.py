"""What a hub says whose clock is set back in the middle of a night."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from measured_home import BEGIN, a_home

from detectors.trend import FEATURES, IN_BED, Trend
from gateway.domain import Kind, Reading, Role, Sensor
from gateway.ports import Context


def test_a_bed_that_was_left_before_it_was_entered_costs_no_day():
    home = a_home()
    bed = Sensor(id="bed", hub="hub1", address="bed", name="bed", room="bedroom", role=Role.BED)
    trend = Trend(replace(home, sensors=(*home.sensors, bed)))

    def says(at: datetime, sensor: str, room: str, kind: Kind, value: float) -> None:
        moment = at.astimezone(UTC)
        trend.observe(Reading("h1", sensor, room, kind, value, moment, moment), Context())

    says(BEGIN, "pir", "kitchen", Kind.MOTION, 1.0)
    assert not trend.tick(BEGIN + timedelta(hours=13), Context())  # the first day is seen in part only
    says(BEGIN + timedelta(hours=20), "pir", "kitchen", Kind.MOTION, 1.0)
    says(BEGIN + timedelta(hours=26), "bed", "bedroom", Kind.BED, 1.0)
    says(BEGIN + timedelta(hours=25), "bed", "bedroom", Kind.BED, 0.0)

    assert not trend.tick(BEGIN + timedelta(hours=37), Context())

    assert len(trend.state.days) == len(FEATURES) and trend.state.days[IN_BED] == 0
