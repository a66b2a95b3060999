"""A detector, or another setting of one, that runs beside the live ones and has no voice."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.domain import Finding, Kind, Reading
from gateway.ports import Context, Detector

SHADOW = "shadow/"
"""What the names and the codes of those begin with that nobody is told of."""


class Shadow:
    """Notices what the detector inside it notices, under a code of its own, so that it is kept and nobody is paged."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.kinds: frozenset[Kind] = getattr(detector, "kinds", frozenset(Kind))
        self.events_only: bool = getattr(detector, "events_only", False)

    @property
    def state(self) -> Any:
        return self.detector.state

    @state.setter
    def state(self, state: Any) -> None:
        self.detector.state = state

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        return [_muted(found) for found in self.detector.observe(reading, context)]

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        return [_muted(found) for found in self.detector.tick(now, context)]

    def due(self) -> datetime | None:
        return self.detector.due()


def _muted(found: Finding) -> Finding:
    return replace(found, code=SHADOW + found.code)


def is_muted(found: Finding) -> bool:
    return found.code.startswith(SHADOW)
