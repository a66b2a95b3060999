"""Homes in which somebody falls by day, in the bathroom or in the hall, does not come back to bed or home, does not
get up, walks out at night.

Each home lives on untouched for a month, for what is told of somebody to whom nothing happened. On five of its days,
when its habits are known, each incident is tried on a copy of it.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random

from detectors import DETECTORS, Watch
from gateway.domain import SIGNS_OF_LIFE, Kind, Reading, RoomKind
from gateway.ports import Context
from simulators.household import Household, furnish
from simulators.personas import PERSONAS, Activity, Stay
from simulators.trials import Lived, Tried, first_after, lies_still, live

HOMES = 40
BEGIN = datetime(2026, 3, 1, 4, tzinfo=UTC)  # noon
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
KNOWN, DAYS = 16, 30
TRIED_ON = range(KNOWN, KNOWN + 10, 2)
WATCHED = ("supervision", "inactivity", "away", "entered", "room", "bed", "night", "doors")

INSIDE = SIGNS_OF_LIFE - {Kind.DOOR}

CODES = (
    "inactivity",
    "not_returned",
    "entered_no_motion",
    "bath_dwell",
    "bed_no_return",
    "not_up",
    "night_exit",
    "wandering",
    "door_open",
    "door_not_used",
)


def stays_open(readings: Iterable[Reading], since: datetime) -> Iterator[Reading]:
    """The next time the door is opened it is not closed again."""
    opened = False
    for reading in readings:
        if reading.kind is Kind.DOOR and opened:
            continue
        opened = opened or (reading.kind is Kind.DOOR and reading.at > since and reading.value == 1)
        yield reading


def _falls_in_the_hall(readings: Iterable[Reading], at: datetime) -> Iterator[Reading]:
    """The door is the last that is heard of whoever comes home then."""
    return (r for r in lies_still(readings, at + 2 * MINUTE) if r.at <= at - MINUTE or r.kind not in INSIDE)


def night_stays(household: Household, noon: datetime) -> list[Stay]:
    """From bedtime to waking, of the night that follows this noon."""
    return household.stays(noon.astimezone(household.home.zone).date())[-12:]


def run(seed: int) -> Lived:
    chance = Random(seed)
    persona = sorted(PERSONAS)[seed % len(PERSONAS)]
    household = furnish(f"room{seed}", persona, seed=seed, interval=None)
    lived, zone = Lived(days=DAYS, watched=CODES), household.home.zone
    context = Context(plan={"dementia": "yes"} if "dementia" in PERSONAS[persona].tags else {})
    watch = Watch(household.home, {name: DETECTORS[name](household.home) for name in WATCHED})  # type: ignore[call-arg]
    for number in range(DAYS):
        noon = BEGIN + number * DAY
        if number in TRIED_ON:
            _try_all(lived, household, watch, noon, chance, context)
        told = live(watch, household.readings(noon, noon + DAY), noon + DAY, context)
        lived.false.update(one.code for one in told if one.code in CODES)
        walks = [s for s in night_stays(household, noon) if s.activity is Activity.WANDER]
        if walks and sum((s.until - s.at for s in walks), timedelta(0)) >= 24 * MINUTE:
            clock = walks[0].at.astimezone(zone).time()
            if clock.hour == 23 or clock.hour < 4:
                lived.tried.append(Tried("wandered at night", "wandering", first_after(walks[0].at, told, "wandering")))
    if persona == "wanderer":
        del lived.false["wandering"]  # she does wander
    return lived


def _try_all(
    lived: Lived, household: Household, watch: Watch, noon: datetime, chance: Random, context: Context
) -> None:
    stays = household.stays(noon.astimezone(household.home.zone).date())
    after = [s for s in stays if s.at > noon]

    def during(some: list[Stay]) -> datetime:
        stay = chance.choice(some)
        return stay.at + (stay.until - stay.at) * chance.random()

    def tell(incident: str, code: str, at: datetime, readings: Iterable[Reading], days: int = 2) -> None:
        told = live(deepcopy(watch), readings, noon + days * DAY, context)
        lived.tried.append(Tried(incident, code, first_after(at, told, code)))

    def usual(days: int = 2) -> Iterator[Reading]:
        return household.readings(noon, noon + days * DAY)

    at = during([s for s in after if s.room is not None and 7 <= _hour(s.at, household) < 20])
    tell("fell by day", "inactivity", at, lies_still(usual(), at))
    at = during([s for s in after if s.room is RoomKind.BATHROOM])
    tell("fell in the bathroom", "bath_dwell", at, lies_still(usual(), at))
    visits = [s for s in after if s.activity is Activity.TOILET and _is_night(s.at, household)]
    if visits:
        at = during(visits)
        tell("fell out of bed at night", "bed_no_return", at, lies_still(usual(), at))
    last = max((s for s in after if s.activity is Activity.SLEEP), key=lambda s: s.at)
    at = max(last.at + 5 * MINUTE, last.until - timedelta(hours=2))
    tell("did not get up", "not_up", at, lies_still(usual(), at))
    asleep = [s for s in after if s.activity is Activity.SLEEP and s.until - s.at > 60 * MINUTE]
    exits = [during(asleep) for _ in range(3)]
    out = [at for at in exits if at.astimezone(household.home.zone).hour >= 23 or _hour(at, household) < 4.4]
    for at in out[:1]:
        gone = household.go_out(at)
        tell("went out at night", "night_exit", at, gone.readings(noon, noon + 2 * DAY))
    outings = [s for s in after if s.room is None and 7 <= _hour(s.at, household) < 18]
    if outings:
        at = outings[0].at
        tell("did not come home", "not_returned", at, household.go_out(at).readings(noon, noon + 2 * DAY))
        at = outings[0].until
        tell("came home and fell in the hall", "entered_no_motion", at, _falls_in_the_hall(usual(), at))
    doors = [r for r in usual() if r.kind is Kind.DOOR and r.value == 1]
    if doors:
        at = doors[0].at
        tell("left the door open", "door_open", at, stays_open(usual(), at - MINUTE))
    if not any(one.code == "door_not_used" for one in lived.tried):
        begins = max((r.at for r in household.readings(noon - 3 * DAY, noon) if r.kind is Kind.DOOR), default=noon)
        inside = household.stay_home(noon, noon + 12 * DAY)
        quiet = (r for r in inside.readings(noon, noon + 12 * DAY) if r.kind is not Kind.DOOR)
        tell("did not use the door", "door_not_used", begins, quiet, days=12)


def _hour(at: datetime, household: Household) -> float:
    there = at.astimezone(household.home.zone)
    return there.hour + there.minute / 60


def _is_night(at: datetime, household: Household) -> bool:
    return _hour(at, household) >= 22 or _hour(at, household) < 5.9
