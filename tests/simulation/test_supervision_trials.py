"""A hundred homes in which equipment falls silent: told as equipment, in time, and never as an inactive person."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from detectors import battery as detectors_battery
from detectors import watch_over
from gateway.domain import Finding, Kind, Role
from gateway.ports import Context
from simulators.battery import Battery, a_battery
from simulators.household import Household, furnish
from simulators.personas import PERSONAS

pytestmark = [pytest.mark.simulation, pytest.mark.slow]

TRIALS = 100
OF_PERSONS = frozenset(
    {"inactivity", "not_returned", "entered_no_motion", "bath_dwell", "bed_no_return", "not_up"}
    | {"night_exit", "wandering", "door_open", "door_not_used"}
)
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
WARM_UP, AFTERWARDS = timedelta(days=6), timedelta(hours=36)
BEAT = timedelta(minutes=1)


@dataclass
class Trial:
    seed: int
    fault: str
    at: datetime
    heard: datetime  # when the device or the hub was last heard
    interval: timedelta = BEAT  # what it promises
    found: list[Finding] = field(default_factory=list)
    untouched: list[Finding] = field(default_factory=list)  # of the same life without the fault

    @property
    def delay(self) -> timedelta | None:
        """How long after its last word it was told."""
        code = "home_silent" if self.fault == "hub" else "device_offline"
        told = [one.at for one in self.found if one.code == code and (self.fault in (one.subject, "hub"))]
        return min(told) - self.heard if told else None

    @property
    def blamed(self) -> list[Finding]:
        """What was told of the person although she was as well as in the untouched life."""
        anyway = _of_person(self.untouched)
        return [one for one in _of_person(self.found) if not any(_overlap(one, other) for other in anyway)]


def _of_person(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.code in OF_PERSONS]


def _overlap(one: Finding, other: Finding) -> bool:
    return one.since <= other.at and other.since <= one.at


def live(household: Household, until: datetime) -> list[Finding]:
    """The home's watch through its life, ticked whenever it asks for it; the hub is heard each minute unless dark."""
    watch, context = watch_over(household.home), Context(listening_since=BEGIN)
    found: list[Finding] = []
    beat, arrival = BEGIN, 0

    def hear(at: datetime) -> None:
        marker = watch.hear(at, arrival)
        if marker is not None:
            found.extend(watch.observe(marker, context))

    def pass_time(to: datetime) -> None:
        nonlocal beat
        while beat <= to:
            due = watch.due()
            if due is not None and due <= beat:
                found.extend(watch.tick(beat, context))
            if not household.is_dark(beat):
                hear(beat)
            beat += BEAT

    for reading in household.readings(BEGIN, until, alive=True):
        pass_time(reading.at)
        arrival += 1
        hear(reading.at)
        found.extend(watch.observe(reading, context))
    pass_time(until)
    return found


def run(seed: int) -> Trial:
    chance = Random(seed)
    persona = sorted(PERSONAS)[seed % len(PERSONAS)]
    household = furnish(f"trial{seed}", persona, seed=seed)
    at = BEGIN + WARM_UP + timedelta(hours=24 * chance.random())
    until = at + AFTERWARDS
    if seed % 10 < 3:
        back = at + timedelta(minutes=chance.choice([20, 90, 300, 900]))
        broken, trial = household.hub_dark(at, back), Trial(seed, "hub", at, at)
    else:
        kettle = household.device(Role.APPLIANCE)
        device = kettle if seed % 10 == 3 else chance.choice([d for d in household.devices if d is not kettle])
        broken = household.kill_sensor(device.sensor.id, at)
        before = [
            r.at for r in household.readings(at - timedelta(days=1), at, alive=True) if r.sensor == device.sensor.id
        ]
        interval = timedelta(minutes=device.model.checks_in_min)
        trial = Trial(seed, device.sensor.id, at, max(before), interval)
    trial.found = [one for one in live(broken, until) if one.at >= at]
    trial.untouched = live(household, until)
    return trial


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(run, range(TRIALS), chunksize=5))


@pytest.mark.timeout(900)
def test_none_is_told_as_an_inactive_person(trials):
    blamed = {trial.seed: [(one.code, one.since, one.at) for one in trial.blamed] for trial in trials if trial.blamed}

    assert blamed == {}


def test_a_silent_hub_is_told_within_three_minutes(trials):
    delays = [trial.delay for trial in trials if trial.fault == "hub"]

    assert len(delays) == 30
    assert all(delay is not None and delay <= timedelta(minutes=3) for delay in delays)


def test_a_dead_plug_is_told_within_ten_minutes(trials):
    delays = [trial.delay for trial in trials if trial.interval == timedelta(minutes=4)]

    assert len(delays) == 10
    assert all(delay is not None and delay <= timedelta(minutes=10) for delay in delays)


def test_an_empty_battery_is_told_within_two_and_a_half_intervals(trials):
    of_batteries = [trial for trial in trials if trial.fault != "hub" and trial.interval > timedelta(minutes=4)]
    late = {t.seed: (t.fault, t.delay) for t in of_batteries if t.delay is None or t.delay > 2.5 * t.interval}

    assert len(of_batteries) == 60
    assert late == {}


def test_nothing_else_is_told_of_equipment_that_works(trials):
    """A week in each of a hundred homes without any fault."""
    wrong = [
        (trial.seed, one.code, one.subject)
        for trial in trials
        for one in trial.untouched
        if one not in _of_person(trial.untouched)
    ]

    assert wrong == []


# --------------------------------------------------------------------------- batteries

BATTERIES = 400


@dataclass
class Warned:
    battery: Battery
    ahead: list[timedelta]  # of each warning: how long before the end

    @property
    def is_early(self) -> bool:
        """Somebody drove out for a battery with half a year and a quarter of its life left."""
        return bool(self.ahead) and self.ahead[0] > max(timedelta(days=180), self.battery.life / 4)


def drain(seed: int) -> Warned:
    battery, judged, ahead = a_battery(seed, BEGIN), detectors_battery.Battery(), []
    for at, kind, value in battery.reports(timedelta(hours=6)):
        if judged.pass_time(at):
            ahead.append(battery.empty_at - at)
        if kind is Kind.BATTERY:
            judged.said_percent(value, at)
        else:
            judged.said_volts(value, at)
    return Warned(battery, ahead)


@pytest.fixture(scope="module")
def drained() -> list[Warned]:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(drain, range(BATTERIES), chunksize=20))


@pytest.mark.timeout(600)
def test_nearly_every_battery_is_told_a_month_before_its_end(drained):
    in_time = [one for one in drained if one.ahead and one.ahead[0] >= timedelta(days=30)]

    assert len(in_time) >= 0.95 * BATTERIES
    assert all(one.ahead and one.ahead[0] >= timedelta(days=7) for one in drained)


def test_a_battery_is_told_once_through_noise_and_cold_mornings(drained):
    assert all(len(one.ahead) == 1 for one in drained)


def test_few_batteries_are_told_far_too_early(drained):
    assert sum(one.is_early for one in drained) <= 0.1 * BATTERIES
