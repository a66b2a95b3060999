"""What the rules notice in seeded homes, where recorded ones cannot show it: found, missed, and told for nothing.

Recorded homes hold nobody who fell in the bathroom, no burst pipe and no smoke. Here they happen to simulated elders,
each from a seed. One file for each kind of trial; `gateway.trials` puts them into one table.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from detectors import Watch
from gateway.domain import SIGNS_OF_LIFE, Finding, Kind, Reading
from gateway.ports import Context, Detector


@dataclass(frozen=True, slots=True)
class Tried:
    """Something that happened to somebody, and after how long its rule told of it; None: never."""

    incident: str
    code: str
    after: timedelta | None


@dataclass(slots=True)
class Lived:
    """One simulated home or person: what was tried on copies of it, and what was told while nothing happened."""

    tried: list[Tried] = field(default_factory=list)
    days: float = 0
    watched: tuple[str, ...] = ()  # the codes that could have been told for nothing
    false: Counter[str] = field(default_factory=Counter)


def first_after(at: datetime, found: Iterable[Finding], code: str) -> timedelta | None:
    """How long after this moment a rule told of it."""
    return min((one.at - at for one in found if one.code == code and one.at >= at), default=None)


def live(
    watch: Watch | Detector, readings: Iterable[Reading], until: datetime, context: Context | None = None
) -> list[Finding]:
    """A watch, or one detector, through these readings, asked whenever it wants to be."""
    told, found = context or Context(), list[Finding]()

    def pass_time(to: datetime) -> None:
        before = None
        while (due := watch.due()) is not None and due <= to and due != before:
            found.extend(watch.tick(due, told))
            before = due

    for reading in readings:
        pass_time(reading.at)
        found.extend(watch.observe(reading, told))
    pass_time(until)
    return found


_CLEARS = frozenset({Kind.MOTION, Kind.PRESENCE})


def lies_still(readings: Iterable[Reading], since: datetime) -> Iterable[Reading]:
    """Nobody causes anything any more; what clears by itself still clears, and the devices go on."""
    return (r for r in readings if r.at <= since or r.kind not in SIGNS_OF_LIFE or (r.kind in _CLEARS and not r.value))
