"""A press, a pull, smoke, gas: no model, no waiting."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from gateway.domain import Facts, Finding, Home, Kind, Reading, Severity, seconds
from gateway.ports import Context

SEVERITIES = {
    Kind.SOS: Severity.EMERGENCY,
    Kind.SMOKE: Severity.EMERGENCY,
    Kind.GAS: Severity.EMERGENCY,
    Kind.CO: Severity.EMERGENCY,
    Kind.LEAK: Severity.MEDIUM,
    Kind.ASSIST: Severity.MEDIUM,
}


@dataclass(slots=True)
class EmergencyState:
    """Nothing to remember: every press is its own cause."""


@dataclass(slots=True)
class Emergency:
    """Somebody pressed an emergency button or pulled a cord, asked for help, or a smoke, gas or water sensor alarms.

    Found from the reading itself, at once, never debounced; a press heard late still alarms and says how late.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(SEVERITIES)
    home: Home
    state: EmergencyState = field(default_factory=EmergencyState, init=False)

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        severity = SEVERITIES.get(reading.kind)
        if severity is None or not reading.value:
            return ()
        facts: Facts = (
            ("kind", reading.kind.value),
            ("sensor", reading.sensor),
            ("room", reading.room),
            ("last_at", reading.at.isoformat()),
        )
        if reading.late and not reading.is_undated:
            facts += (("late_s", seconds(reading.heard - reading.at)),)
        found = Finding(
            home=reading.home,
            code=reading.kind.value,
            severity=severity,
            since=reading.at,
            at=reading.heard,
            subject=reading.subject,
            facts=facts,
            blind=context.blind,
        )
        return (found,)

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        return ()

    def due(self) -> datetime | None:
        return None
