"""What somebody has to drive out for: the faults of the equipment, worst first, and what to bring. Pure; no words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from alerts.maintenance import TEST
from alerts.wording import STANDARD
from dashboard.proof import LOW_BATTERY
from dashboard.views import blind_since, is_equipment, room_name
from gateway.domain import Alert, Condition, Gap, Home, Monitoring, Power, Sensor, Severity
from gateway.ports import ReadingStore

DUE_WITHIN = timedelta(days=60)
"""A battery that will be empty within this goes on the list: the warning comes a month ahead, a round takes another."""

BATTERY_FAULTS = frozenset({"battery_low", "battery_unknown"})
HINTS = frozenset({"link_weak", "chatter", "flood", "battery_unknown"})
"""Faults that cost nobody's life today: seen to when somebody is there anyway."""

FEW = 500
"""Up to so many homes are asked about one by one, and a grid costs what it costs; beyond, all are read at once."""

IN_SERVICE = frozenset({Monitoring.TRIAL, Monitoring.GUARDED})

CELLS: Mapping[str, str] = {
    "RTCGQ11LM": "CR2450",
    "RTCGQ14LM": "2 × CR2450",
    "MCCGQ11LM": "CR1632",
    "MCCGQ13LM": "CR123A",
    "SJCGQ11LM": "CR2032",
    "WSDCGQ11LM": "CR2032",
    "WXKG11LM": "CR2032",
    "SNZB-01": "CR2450",
    "SNZB-01P": "CR2477",
    "SNZB-02": "CR2450",
    "SNZB-02P": "CR2477",
    "SNZB-03": "CR2450",
    "SNZB-03P": "CR2477",
    "SNZB-04": "CR2032",
    "SNZB-04P": "CR2477",
    "E2013": "AAA",
    "E2134": "3 × AAA",
    "E2202": "AAA",
    "9290012607": "2 × AAA",
    "3RMS16BZ": "2 × AAA",
    "3RDS17BZ": "2 × AAA",
}
"""Which battery a model takes, where its maker's manual says so; for any other one looks before one goes."""


class Urgency(IntEnum):
    LIFE = 0  # an alert of severity 1 or 2 cannot be raised
    FAULT = 1
    BATTERY = 2  # due, by the forecast
    HINT = 3


class Spare(IntEnum):
    """What to put into the bag."""

    CELL = 0
    DEVICE = 1
    HUB = 2
    REPEATER = 3  # a mains device in between
    MISSING = 4  # what was never there


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to see to in one home."""

    home: Home
    sensor: Sensor | None  # None: the hub, or the home as a whole
    room: str  # its name
    urgency: Urgency
    codes: tuple[str, ...]  # of the condition: "offline", "mute" …
    gaps: tuple[Gap, ...]  # what cannot be noticed because of it
    alerts: tuple[Alert, ...]
    since: datetime | None
    battery: float | None = None
    empty_at: datetime | None = None
    bring: tuple[tuple[Spare, str], ...] = ()  # with the battery's type or the model, where it is known


def faults(homes: Iterable[Home], unclosed: Iterable[Alert], readings: ReadingStore, now: datetime) -> list[Fault]:
    """Everything that is wrong with the equipment of these homes, what blinds a grave alert first."""
    served = {home.id: home for home in homes if home.state in IN_SERVICE}
    heard, gaps = readings.heard(), readings.gaps()
    alerts: dict[str, list[Alert]] = {}
    for alert in unclosed:
        if alert.is_open and is_equipment(alert) and alert.code != TEST:
            alerts.setdefault(alert.home, []).append(alert)
    conditions: dict[str, dict[str, Condition]] = {}
    for asked in served if len(served) <= FEW else (None,):
        for condition in readings.conditions(asked):
            # Of nearly all there is nothing to say; those beside a fault say how their battery is.
            if condition.home in alerts or condition.home in gaps or condition.faults or _is_low(condition, now):
                conditions.setdefault(condition.home, {})[condition.sensor] = condition
    found: list[Fault] = []
    for name, home in served.items():
        silent = blind_since(home, heard.get(name), now)
        if silent is not None or name in alerts or name in gaps or name in conditions:
            found += _of_home(home, silent, alerts.get(name, []), gaps.get(name, ()), conditions.get(name, {}), now)
    return sorted(found, key=_order)


def _is_low(condition: Condition, now: datetime) -> bool:
    """Whether the battery wants changing within the time that the list looks ahead."""
    if condition.battery is not None and condition.battery < LOW_BATTERY:
        return True
    return condition.empty_at is not None and condition.empty_at <= now + DUE_WITHIN


def _of_home(
    home: Home,
    silent: datetime | None,
    alerts: Sequence[Alert],
    gaps: Sequence[Gap],
    conditions: Mapping[str, Condition],
    now: datetime,
) -> Iterable[Fault]:
    sensors = {sensor.id for sensor in home.sensors}
    of_none = tuple(gap for gap in gaps if gap.sensor not in sensors)
    own = tuple(alert for alert in alerts if alert.subject not in sensors)
    if silent is not None or own:
        bring = ((Spare.HUB, ""),) if silent is not None else ()
        urgency = Urgency.LIFE if silent is not None or _is_grave(of_none, own) else Urgency.FAULT
        since = silent or min(alert.finding.since for alert in own)
        yield Fault(
            home, None, "", urgency, ("home",) if silent else (), of_none if silent else (), own, since, bring=bring
        )
    missing = () if silent is not None else tuple(gap for gap in of_none if gap.why == "sensor_missing")
    if missing:
        # Nothing has broken, and nobody is worse off than on the day when the record was signed.
        yield Fault(home, None, "", Urgency.HINT, (), missing, (), missing[0].since, bring=((Spare.MISSING, ""),))
    for sensor in home.sensors:
        mine = tuple(alert for alert in alerts if alert.subject == sensor.id)
        blinded = tuple(gap for gap in gaps if gap.sensor == sensor.id) if silent is None else ()
        fault = _of_sensor(home, sensor, conditions.get(sensor.id), blinded, mine, now)
        if fault is not None:
            yield fault


def _of_sensor(
    home: Home,
    sensor: Sensor,
    condition: Condition | None,
    gaps: tuple[Gap, ...],
    alerts: tuple[Alert, ...],
    now: datetime,
) -> Fault | None:
    codes = condition.faults if condition else ()
    battery = condition.battery if condition else None
    empty_at = condition.empty_at if condition else None
    is_due = sensor.power is not Power.MAINS and (
        "battery_low" in codes or (condition is not None and _is_low(condition, now))
    )
    broken = [code for code in codes if code not in BATTERY_FAULTS | HINTS]
    if gaps and _is_grave(gaps, alerts):
        urgency = Urgency.LIFE
    elif broken or gaps or any(alert.code != "battery_low" for alert in alerts):
        urgency = Urgency.FAULT
    elif is_due:
        urgency = Urgency.BATTERY
    elif codes or alerts:
        urgency = Urgency.HINT
    else:
        return None
    begun = [gap.since for gap in gaps] + [alert.finding.since for alert in alerts]
    return Fault(
        home,
        sensor,
        room_name(home, sensor.room),
        urgency,
        codes,
        gaps,
        alerts,
        min(begun, default=None),
        battery,
        empty_at,
        tuple(_bring(sensor, codes, is_due=is_due)),
    )


def _bring(sensor: Sensor, codes: Sequence[str], *, is_due: bool) -> Iterable[tuple[Spare, str]]:
    runs_on_battery = sensor.power is not Power.MAINS
    if is_due or ("offline" in codes and runs_on_battery):
        yield Spare.CELL, CELLS.get(sensor.model, "")
    if {"offline", "mute", "stuck", "chatter", "faulty", "flood"} & set(codes):
        yield Spare.DEVICE, sensor.model
    if "link_weak" in codes:
        yield Spare.REPEATER, ""


def _is_grave(gaps: Iterable[Gap], alerts: Iterable[Alert]) -> bool:
    """It takes away an alert of severity 1 or 2, or people have been told that the home is blind."""
    return any(STANDARD.entry(gap.what).severity.worse_than(Severity.MEDIUM) for gap in gaps) or any(
        alert.severity.worse_than(Severity.CARE) for alert in alerts
    )


def _order(fault: Fault) -> tuple[int, float, str]:
    due = fault.empty_at if fault.urgency is Urgency.BATTERY else fault.since
    return fault.urgency, due.timestamp() if due else 0.0, fault.home.code


@dataclass(frozen=True, slots=True)
class Stop:
    """One home on the round, with everything to be done there."""

    home: Home
    faults: tuple[Fault, ...]

    @property
    def urgency(self) -> Urgency:
        return min(fault.urgency for fault in self.faults)


def route(found: Iterable[Fault]) -> list[tuple[str, list[Stop]]]:
    """The round: by grid, and within a grid by address, each home once."""
    at_home: dict[str, list[Fault]] = {}
    for fault in found:
        at_home.setdefault(fault.home.id, []).append(fault)
    grids: dict[str, list[Stop]] = {}
    for own in at_home.values():
        grids.setdefault(own[0].home.grid, []).append(Stop(own[0].home, tuple(own)))
    return [(grid, sorted(grids[grid], key=lambda stop: (stop.home.address, stop.home.code))) for grid in sorted(grids)]


def bag(found: Iterable[Fault]) -> dict[tuple[Spare, str], int]:
    """Everything to put into the bag for these faults, and how often."""
    counted: dict[tuple[Spare, str], int] = {}
    for fault in found:
        for spare in fault.bring:
            counted[spare] = counted.get(spare, 0) + 1
    return dict(sorted(counted.items()))
