"""Seeded people with a cuff, an oximeter, a glucose meter: who turns ill is told, a cuff that slipped is not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from detectors.vitals import Vitals
from gateway.domain import Finding, Home, Hub, Kind, Reading, Role, Sensor, Severity
from simulators.trials import Lived, Tried, first_after, live

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOMES, MEASURED_DAYS = 200, 60

COMMON: dict[Kind, tuple[float, float, float]] = {
    Kind.SYSTOLIC: (132, 8, 7),
    Kind.HEART_RATE: (72, 6, 4),
    Kind.SPO2: (96.5, 0.8, 1.0),
    Kind.GLUCOSE: (7.0, 1.2, 0.5),
    Kind.BODY_TEMPERATURE: (36.5, 0.2, 0.2),
}
"""What an old person has, how much that differs between people and between two measurements of one."""

ILL: dict[Kind, float] = {
    Kind.SYSTOLIC: 196,
    Kind.HEART_RATE: 138,
    Kind.SPO2: 85,
    Kind.GLUCOSE: 20,
    Kind.BODY_TEMPERATURE: 39.4,
}
SLIPPED = 0.02
"""Of all measurements: a cuff that slipped, a cold finger, a drop of juice."""


@dataclass
class Measured:
    kind: Kind
    well: list[Finding]
    ill: list[Finding]
    ill_at: datetime


def of_vitals(seed: int) -> Measured:
    chance = Random(seed)
    kind = sorted(COMMON)[seed % len(COMMON)]
    mean, between, within = COMMON[kind]
    own = chance.gauss(mean, between)
    home = Home(
        id=f"p{seed}",
        code="1",
        name="x",
        grid="g",
        zone=ZoneInfo("Asia/Shanghai"),
        hubs=(Hub(id="hub", home=f"p{seed}", interval=None),),
        sensors=(Sensor(id="cuff", hub="hub", address="cuff", name="x", room="", role=Role.VITALS),),
    )
    end, ill_at = BEGIN + timedelta(days=MEASURED_DAYS), BEGIN + timedelta(days=chance.uniform(20, 50))

    def measure(turns_ill: datetime | None, until: datetime) -> Iterator[Reading]:
        dice = Random(seed + 1)
        for number in range(2 * MEASURED_DAYS):
            at = BEGIN + timedelta(hours=12 * number, minutes=dice.uniform(0, 90))
            for again in range(2):  # twice in a row, as one is told to
                is_ill = turns_ill is not None and at >= turns_ill
                value = dice.gauss(ILL[kind] if is_ill else own, within)
                if dice.random() < SLIPPED:
                    value += dice.choice([-1, 1]) * 8 * within
                if at < until:
                    yield Reading(home.id, "cuff", "", kind, round(value, 1), at, at, seq=2 * number + again + 1)
                at += timedelta(minutes=6)

    well = live(Vitals(home), measure(None, end), end)
    until = ill_at + timedelta(days=3)
    return Measured(kind, well, live(Vitals(home), measure(ill_at, until), until), ill_at)


def pages(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.severity is not Severity.CARE]


def run(seed: int) -> Lived:
    one = of_vitals(seed)
    told = first_after(one.ill_at, pages(one.ill), "vital")
    false = Counter(found.code for found in pages(one.well))
    return Lived([Tried(f"turns ill: {one.kind.value}", "vital", told)], MEASURED_DAYS, ("vital",), false)
