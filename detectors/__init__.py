"""What can be noticed about a home. One file each, one line here."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from detectors.away import Away
from detectors.bed import Bed
from detectors.doors import Doors
from detectors.emergency import Emergency
from detectors.entered import Entered
from detectors.environment import Environment
from detectors.fall import Fall
from detectors.inactivity import Inactivity
from detectors.night import Night
from detectors.room import Dwell
from detectors.shadow import SHADOW, Shadow, is_muted
from detectors.supervision import Supervision
from detectors.trend import Trend
from detectors.vitals import Vitals
from detectors.watch import Doze, SetBack, Watch
from detectors.water import Water
from gateway.domain import Home
from gateway.ports import Detector

DETECTORS: dict[str, type[Detector]] = {
    "emergency": Emergency,
    "fall": Fall,
    "supervision": Supervision,  # before all that judge silence
    "inactivity": Inactivity,
    "away": Away,
    "entered": Entered,
    "room": Dwell,
    "bed": Bed,
    "night": Night,
    "doors": Doors,
    "environment": Environment,
    "water": Water,
    "vitals": Vitals,
    "trend": Trend,
}

__all__ = ["DETECTORS", "Doze", "SetBack", "Watch", "is_muted", "options_of", "watch_over"]


def watch_over(
    home: Home,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    shadow: Mapping[str, Mapping[str, Any]] | None = None,
) -> Watch:
    """A watch with every detector, each with its options: the names and types of its constructor's arguments.

    Those that `shadow` names run a second time, muted, with what it says laid over their options.
    """
    chosen, tried = options or {}, shadow or {}
    detectors: dict[str, Detector] = {name: kind(home, **chosen.get(name, {})) for name, kind in DETECTORS.items()}  # type: ignore[call-arg]
    for name, other in tried.items():
        detectors[SHADOW + name] = Shadow(DETECTORS[name](home, **{**chosen.get(name, {}), **other}))  # type: ignore[call-arg]
    return Watch(home, detectors)


def options_of(kind: type[Detector]) -> dict[str, Any]:
    """What a detector can be told, with its default: its constructor is the only schema."""
    declared: Any = kind
    return {f.name: f.default for f in fields(declared) if f.init and f.name != "home"}
