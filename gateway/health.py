"""What is well, in numbers without names: for the health page, the log and whoever watches the watchman."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.pipeline import Pipeline
from gateway.ports import AlertStore, Clock, Source


@dataclass(frozen=True, slots=True)
class Health:
    """Asked by the pages' `/healthz`; every value is read, nothing is computed that costs."""

    clock: Clock
    started_at: datetime
    pipeline: Pipeline
    source: Source
    alerts: AlertStore
    beat: Callable[[], datetime]  # when the road last went round

    def report(self) -> Mapping[str, Any]:
        now = self.clock.now()
        counts = self.pipeline.counts
        listening = self.source.listening_since()
        late = (now - self.beat()).total_seconds()
        return {
            "well": listening is not None and late < 10,
            "listening": listening is not None,
            "uptime_s": int((now - self.started_at).total_seconds()),
            "road_idle_s": round(late, 1),
            "homes": self.pipeline.homes(),
            "messages": counts.messages,
            "readings": counts.readings,
            "quarantined": counts.quarantined,
            "findings": counts.findings,
            "last_event": self.alerts.last_event(),
        }
