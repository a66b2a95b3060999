"""Homes in which life changes slowly: what is noted, how soon, and what is noted where nothing has changed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from detectors import Watch
from detectors.trend import Trend
from gateway.domain import Finding, Reading, RoomKind
from gateway.ports import Context
from simulators.household import furnish
from simulators.personas import PERSONAS, Activity, Leisure, Persona
from simulators.recordings import pass_time
from simulators.trials import Lived, Tried, first_after

BEGIN = datetime(2026, 3, 1, 4, tzinfo=UTC)
CHANGES = BEGIN + timedelta(days=45)
DAYS, CALM_DAYS = 66, 180
HOMES = 20

SITS = (
    Leisure(room=RoomKind.LIVING, activity=Activity.TV, minutes=95, weight=6),
    Leisure(room=RoomKind.BEDROOM, activity=Activity.READ, minutes=95),
)


def up_at_night(before: Persona) -> Persona:
    low, high = before.night_visits
    return replace(before, night_visits=(low + 3, high + 4))


def sits_all_day(before: Persona) -> Persona:
    return replace(before, leisure=SITS, cooks=False, lively=0.4 * before.lively)


def stays_in(before: Persona) -> Persona:
    return replace(before, outings=())


DECLINES = {
    "up at night": (up_at_night, {"toilet_night", "bed_exits", "in_bed", "up"}),
    "sits all day": (sits_all_day, {"active", "rooms", "toilet_day", "up"}),
    "goes out no more": (stays_in, {"out", "rooms", "active"}),
}


def lived(persona: Persona, seed: int, since: datetime, until: datetime) -> Iterator[Reading]:
    return furnish("h1", persona, seed=seed, interval=None).readings(since, until)


def noted(seed: int, readings: Iterable[Reading]) -> tuple[list[Finding], Watch]:
    home = furnish("h1", PERSONAS["gardener"], seed=seed, interval=None).home
    watch = Watch(home, {"trend": Trend(home)})
    found: list[Finding] = []
    for reading in readings:
        found += pass_time(watch, reading.at, Context())
        found += watch.observe(reading, Context())
    return found, watch


def calm(seed: int) -> tuple[list[Finding], Watch]:
    """Half a year in which nothing changes."""
    persona = PERSONAS[sorted(PERSONAS)[seed % len(PERSONAS)]]
    return noted(seed, lived(persona, seed, BEGIN, BEGIN + timedelta(days=CALM_DAYS)))


def declining(name: str, seed: int) -> Tried:
    change, tells = DECLINES[name]
    fit = sorted(key for key, one in PERSONAS.items() if name != "goes out no more" or _is_out_daily(one))
    before = PERSONAS[fit[seed % len(fit)]]
    until = BEGIN + timedelta(days=DAYS)
    found, _ = noted(seed, (*lived(before, seed, BEGIN, CHANGES), *lived(change(before), seed, CHANGES, until)))
    return Tried(
        name, "trend_note", first_after(CHANGES, (f for f in found if f.fact("feature") in tells), "trend_note")
    )


def _is_out_daily(persona: Persona) -> bool:
    return sum(o.minutes * o.chance * len(o.days) / 7 for o in persona.outings) >= 100


def run(seed: int) -> Lived:
    found, _ = calm(seed)
    told = Counter(one.code for one in found)
    return Lived([declining(name, seed) for name in DECLINES], CALM_DAYS, ("trend_note",), told)
