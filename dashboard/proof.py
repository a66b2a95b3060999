"""What proves that a device works: it fired, signal and battery will do, its test alert arrived. Pure; no words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.maintenance import LONGEST, TEST
from dashboard.views import room_name
from gateway.domain import (
    HAZARDS,
    VITALS,
    Alert,
    Condition,
    Delivery,
    Home,
    Installation,
    Kind,
    Power,
    Purpose,
    Reading,
    Role,
    Sending,
    Sensor,
    Trial,
)
from gateway.ports import AlertStore, ReadingStore, RegistryStore

WEAK_LINK = 40
"""Of 255. Zigbee stacks reckon differently, but below this installers see messages lost; above it few are."""

LOW_BATTERY = 20
"""Percent: nobody leaves behind a battery that must be changed soon. The limit of the supervision's notice too."""

MAIN: Mapping[Role, frozenset[Kind]] = {
    Role.MOTION: frozenset({Kind.MOTION}),
    Role.PRESENCE: frozenset({Kind.PRESENCE, Kind.MOTION}),
    Role.EXIT_DOOR: frozenset({Kind.DOOR}),
    Role.OPENING: frozenset({Kind.OPENING}),
    Role.BED: frozenset({Kind.BED}),
    Role.CHAIR: frozenset({Kind.CHAIR}),
    Role.APPLIANCE: frozenset({Kind.APPLIANCE, Kind.VIBRATION}),
    Role.TAP: frozenset({Kind.TAP, Kind.VIBRATION}),
    Role.BUTTON: frozenset({Kind.BUTTON}),
    Role.SOS: frozenset({Kind.SOS}),
    Role.SMOKE: frozenset({Kind.SMOKE, Kind.SELF_TEST}),
    Role.GAS: frozenset({Kind.GAS, Kind.SELF_TEST}),
    Role.CO: frozenset({Kind.CO, Kind.SELF_TEST}),
    Role.LEAK: frozenset({Kind.LEAK}),
    # Nobody has to fall: a radar must see the room, a wearable be moved.
    Role.FALL: frozenset({Kind.FALL, Kind.PRESENCE, Kind.MOTION, Kind.STIRS, Kind.IMPACT}),
    Role.CLIMATE: frozenset({Kind.TEMPERATURE, Kind.HUMIDITY}),
    Role.WATER_METER: frozenset({Kind.WATER}),
    Role.VITALS: VITALS,
}
"""What a device must say to prove that it does what it hangs there for."""

ONLY_ON = HAZARDS | {Kind.MOTION, Kind.PRESENCE, Kind.VIBRATION, Kind.TAP, Kind.BUTTON, Kind.SOS, Kind.SELF_TEST}
"""Kinds whose 0 says that something is over, which proves nothing."""

TOLD = frozenset[Kind]().union({Kind.LINK, Kind.BATTERY, Kind.BATTERY_LOW}, *MAIN.values())
"""Every kind that the walk test looks at."""

AHEAD = timedelta(minutes=5)
"""A device's clock may be ahead of ours by so much."""


class Doubt(StrEnum):
    """Why a device has not passed."""

    SILENT = "silent"  # it has not fired since the test began
    REMEMBERED = "remembered"  # it was heard, but its hub may only have known so from before
    WEAK_LINK = "weak-link"
    LOW_BATTERY = "low-battery"
    NOT_SENT = "not-sent"  # its test alert has not left us yet
    NOT_REACHED = "not-reached"  # its test alert could not be carried to anybody


@dataclass(frozen=True, slots=True)
class Try:
    """One device in the walk test."""

    sensor: Sensor
    room: str  # its name
    fired: datetime | None
    link: float | None
    battery: float | None
    trial: Trial | None  # its test alert
    failure: str  # why the test alert could not be carried, as the courier keeps it
    doubts: tuple[Doubt, ...]
    note: str = ""  # why it was left as it is

    @property
    def passed(self) -> bool:
        return not self.doubts

    @property
    def settled(self) -> bool:
        """Passed, or left as it is for a reason that somebody wrote down."""
        return self.passed or bool(self.note)


def tries(
    home: Home, alerts: AlertStore, readings: ReadingStore, registry: RegistryStore, since: datetime, now: datetime
) -> list[Try]:
    """How each device of this home stands in the walk test that began at `since`, in the order of the rooms."""
    said: dict[str, list[Reading]] = {}
    remembered: dict[str, list[Reading]] = {}
    for reading in readings.readings(home.id, since, now + AHEAD, TOLD):
        if reading.heard >= since:  # what a hub merely remembers proves nothing
            (remembered if reading.late else said).setdefault(reading.sensor, []).append(reading)
    conditions = {condition.sensor: condition for condition in readings.conditions(home.id)}
    tests: dict[str, Alert] = {}
    for alert in alerts.alerts(home=home.id):  # newest first
        if alert.code == TEST and alert.finding.since >= since:
            tests.setdefault(alert.subject, alert)
    notes = {i.sensor: i.note for i in registry.installations(home.id) if i.at >= since and i.passed is False}
    places = {room.id: place for place, room in enumerate(home.rooms)}
    found = []
    for sensor in sorted(home.sensors, key=lambda s: (places.get(s.room, len(places)), s.name)):
        test = tests.get(sensor.id)
        called = [d for d in alerts.deliveries(test.id) if d.purpose is Purpose.PAGE] if test else []
        told, condition = said.get(sensor.id, []), conditions.get(sensor.id)
        is_remembered = _fired(sensor, remembered.get(sensor.id, [])) is not None
        found.append(_try(home, sensor, told, is_remembered, condition, test, called, notes.get(sensor.id, "")))
    return found


def _try(
    home: Home,
    sensor: Sensor,
    told: Sequence[Reading],
    is_remembered: bool,
    condition: Condition | None,
    test: Alert | None,
    called: Sequence[Delivery],
    note: str,
) -> Try:
    fired = _fired(sensor, told)
    link = _last(told, Kind.LINK, condition.link if condition else None)
    battery = _last(told, Kind.BATTERY, condition.battery if condition else None)
    trial = _trial(test, called)
    failure = next((d.reason for d in called if d.state is Sending.FAILED), "")
    doubts = []
    if fired is None:
        doubts.append(Doubt.REMEMBERED if is_remembered else Doubt.SILENT)
    if link is not None and link < WEAK_LINK:
        doubts.append(Doubt.WEAK_LINK)
    is_low = bool(_last(told, Kind.BATTERY_LOW, None)) or (battery is not None and battery < LOW_BATTERY)
    if is_low and sensor.power is not Power.MAINS:  # of some devices "low" is the only word about it
        doubts.append(Doubt.LOW_BATTERY)
    if test is not None and (trial is None or trial.sent_at is None):
        waits = any(d.state is Sending.WAITING for d in called)
        doubts.append(Doubt.NOT_SENT if waits else Doubt.NOT_REACHED)
    elif test is None and fired is not None and sensor.role is Role.SOS:
        doubts.append(Doubt.NOT_SENT)
    return Try(sensor, room_name(home, sensor.room), fired, link, battery, trial, failure, tuple(doubts), note)


def _fired(sensor: Sensor, told: Sequence[Reading]) -> datetime | None:
    """When it last did what it hangs there for."""
    return next(
        (r.at for r in reversed(told) if r.kind in MAIN[sensor.role] and (r.value or r.kind not in ONLY_ON)), None
    )


def _last(told: Sequence[Reading], kind: Kind, otherwise: float | None) -> float | None:
    return next((reading.value for reading in reversed(told) if reading.kind is kind), otherwise)


def _trial(test: Alert | None, called: Sequence[Delivery]) -> Trial | None:
    if test is None:
        return None
    # One person may have several channels: the first that carried it is the proof.
    sent = min((d for d in called if d.sent_at is not None), key=lambda d: d.sent_at or d.created_at, default=None)
    first = sent or next(iter(called), None)
    # Whoever files the test accepts it too; only who was called proves that the way is open.
    is_answered = test.owner in {delivery.person for delivery in called}
    return Trial(
        sensor=test.subject,
        pressed_at=test.finding.since,
        person=first.person if first else "",
        sent_at=sent.sent_at if sent else None,
        accepted_by=test.owner if is_answered else "",
        accepted_at=test.accepted_at if is_answered else None,
    )


def last_results(home: Home, registry: RegistryStore) -> dict[str, Installation]:
    """What the newest walk test said of each device that hangs here now."""
    there = {sensor.id for sensor in home.sensors}
    return {i.sensor: i for i in registry.installations(home.id) if i.sensor in there and i.passed is not None}


def trials(home: Home, alerts: AlertStore, registry: RegistryStore) -> tuple[Trial, ...]:
    """The test alert of each device in its newest walk test."""
    results = last_results(home, registry)
    newest: dict[str, Trial] = {}
    for alert in alerts.alerts(home=home.id):
        if alert.code != TEST or alert.subject not in results or alert.subject in newest:
            continue
        called = [d for d in alerts.deliveries(alert.id) if d.purpose is Purpose.PAGE]
        trial = _trial(alert, called)
        if trial is not None and trial.pressed_at >= results[alert.subject].at - LONGEST:
            newest[alert.subject] = trial
    return tuple(newest.values())
