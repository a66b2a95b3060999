"""What is unusual by the household's plan teaches nothing: visitors, guests, carers, festivals, the change of season.

Two households live alike, have quite different guests for four days, and live on alike. What is known of them is the
same, whoever was there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

import pytest

from detectors import DETECTORS, Watch
from gateway.domain import Home, Kind, Reading, Role, Sensor
from gateway.domain.plan import UNUSUAL
from gateway.ports import Context
from simulators.household import furnish

BEGIN = datetime(2026, 6, 1, 4, tzinfo=UTC)  # noon
DAY = timedelta(days=1)
LEARNS, LASTS, AFTERWARDS = 20, 4, 3
HERS, GUESTS = "early_riser", ("wanderer", "tv_sitter")

LEARNT: dict[str, tuple[str, ...]] = {
    "inactivity": ("factor", "weeks", "days"),
    "away": ("outings", "hours"),
    "room": ("days",),
    "bed": ("rises", "sleepers"),
    "night": ("exits", "peaks"),
    "doors": ("days", "gaps"),
    "water": ("use.days", "use.draws"),
    "trend": ("days", "sums"),
}
"""What each detector that learns has learnt, by the names of its state."""

ELSEWHERE = {
    "emergency": "learns nothing",
    "fall": "learns nothing",
    "vitals": "a measurement is one, whoever visits",
    "environment": "a room's temperature, which no visitor makes",
    "entered": "which sensors tell of who comes in, and any visitor proves that",
    "supervision": "how often a device is heard, whoever is there",
}


def flat() -> Home:
    home = furnish("h1", HERS, seed=3, interval=None).home
    meter = Sensor(id="meter", hub=home.hubs[0].id, address="m", name="水表", room="kitchen", role=Role.WATER_METER)
    return replace(home, sensors=(*home.sensors, meter))


def lived(persona: str, since: datetime, days: int) -> Iterator[Reading]:
    """A life, and enough water through the meter whenever the fridge is opened."""
    for reading in furnish("h1", persona, seed=3, interval=None).readings(since, since + days * DAY):
        yield reading
        if reading.kind is Kind.OPENING and reading.value:
            at, number = reading.at + timedelta(seconds=30), int(reading.at.timestamp())
            yield Reading("h1", "meter", "kitchen", Kind.WATER, 12.0, at, at, seq=number)


@cache
def knows(name: str, guests: str, *, announced: bool) -> Any:
    home = flat()
    watch = Watch(home, {name: DETECTORS[name](home)})
    begins, ends = BEGIN + LEARNS * DAY, BEGIN + (LEARNS + LASTS) * DAY
    visited = Context(plan={UNUSUAL: "visit"} if announced else {})
    readings = [*lived(HERS, BEGIN, LEARNS), *lived(guests, begins, LASTS), *lived(HERS, ends, AFTERWARDS)]
    for reading in sorted(readings, key=lambda one: one.at):
        context, before = visited if begins <= reading.at < ends else Context(), None
        while (due := watch.due()) is not None and due <= reading.at and due != before:
            watch.tick(due, context)
            before = due
        watch.observe(reading, context)
    return {field: attrgetter(field)(watch.detectors[name].state) for field in LEARNT[name]}


def test_every_detector_is_asked_or_says_why_not():
    assert LEARNT.keys() | ELSEWHERE.keys() == DETECTORS.keys()


@pytest.mark.parametrize("name", LEARNT)
def test_guests_who_are_announced_teach_nothing(name):
    one, other = (knows(name, guests, announced=True) for guests in GUESTS)

    assert one == other


@pytest.mark.parametrize("name", LEARNT)
def test_and_these_would_have_taught_something(name):
    one, other = (knows(name, guests, announced=False) for guests in GUESTS)

    assert one != other
