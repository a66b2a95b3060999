"""A life put to a watch at one pace or another: ticks may come as often as they like and change nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from detectors import Watch
from gateway.domain import Finding, Reading
from gateway.ports import Context

CONTEXT = Context()


def live_through(watch: Watch, readings: Iterable[Reading], tick: timedelta | None = None) -> list[Finding]:
    """What was found; between the readings it is asked each `tick`, or not at all."""
    found: list[Finding] = []
    now: datetime | None = None
    for reading in readings:
        while tick is not None and now is not None and now + tick < reading.at:
            now += tick
            found += watch.tick(now, CONTEXT)
        found += watch.observe(reading, CONTEXT)
        now = reading.at if now is None else max(now, reading.at)
    return found
