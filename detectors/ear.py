"""A home we cannot hear is not a home where nobody moves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

from detectors.habit import NOTHING
from gateway.domain import Finding, Home, Kind, Reading, Severity, seconds
from gateway.domain.reading import LATE
from gateway.ports import Context

PATIENCE = 2
"""A hub counts as heard for this many of its declared intervals: one lost heartbeat, or its jitter, is no hole."""

FAULT_AFTER = 3
"""Missed intervals until the silence is told as a fault (a 60 s heartbeat missed for 3 min)."""

BLIND_AFTER = timedelta(minutes=30)
"""From then on the home is blind, and its grid worker has to know."""

CATCH_UP = timedelta(minutes=2)
"""After a hole, time goes on standing still at most this long, so that what the hub stored up can come in first."""


@dataclass(slots=True)
class EarState:
    heard: datetime | None = None  # when a hub of this home was last heard
    frozen_at: datetime | None = None  # where time stands still while stored-up readings come in
    thaws_at: datetime | None = None
    told: int = 0  # the worst severity said about this silence; 0 none
    behind_s: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """Hub -> by how much its clock is behind, if that matters."""

    def __post_init__(self) -> None:
        self.behind_s = self.behind_s or NOTHING


class Ear:
    """Knows whether a home is heard, up to when its silence is evidence, and says when its hub has gone silent.

    A home whose hubs promise no interval (a recording) is always heard.
    """

    __slots__ = ("allowed", "home", "interval", "state")

    def __init__(self, home: Home) -> None:
        self.home = home
        self.interval = home.interval
        self.allowed = None if self.interval is None else _patience(self.interval)
        self.state = EarState()

    def hear(self, heard: datetime) -> None:
        """Note that the hub was heard."""
        if self.state.heard is None or heard > self.state.heard:
            self.state.heard = heard

    def hole(self, heard: datetime) -> timedelta | None:
        """For how long it was silent, if it was heard then for the first time after a hole."""
        last = self.state.heard
        if last is None or self.allowed is None or heard - last <= self.allowed:
            return None
        return heard - last

    def returned(self, reading: Reading) -> None:
        """A hole has ended; let time stand still where it stood until the stored-up readings are in."""
        hole = timedelta(seconds=reading.value)
        state = self.state
        if state.heard is None or reading.at > state.heard:
            state.heard = reading.at
        state.told = 0
        if self.allowed is None:
            return
        in_catch_up = state.thaws_at is not None and reading.at < state.thaws_at
        if not in_catch_up:  # a second hole during the first one's catch-up does not move time on
            state.frozen_at = reading.at - hole + self.allowed
        state.thaws_at = reading.at + min(hole, CATCH_UP)

    def note_clock(self, reading: Reading) -> None:
        """How a hub's clock stands, as the intake has found out."""
        others = {hub: behind_s for hub, behind_s in self.state.behind_s.items() if hub != reading.sensor}
        is_behind = -reading.value >= LATE.total_seconds()
        self.state.behind_s = {**others, reading.sensor: -reading.value} if is_behind else others or NOTHING

    def in_our_time(self, reading: Reading) -> Reading:
        """The same reading, were the clock of its hub right: life of just now is not a day old."""
        hub = next((sensor.hub for sensor in self.home.sensors if sensor.id == reading.sensor), reading.sensor)
        behind_s = self.state.behind_s.get(hub)
        if behind_s is None or reading.is_undated:
            return reading
        at = min(reading.at + timedelta(seconds=behind_s), reading.heard)
        return replace(reading, at=at, late=reading.heard - at > LATE)

    def horizon(self, now: datetime) -> datetime | None:
        """Up to which moment this home's silence is evidence at `now`; None when it was never heard."""
        if self.allowed is None:
            return now
        state = self.state
        if state.heard is None:
            return None
        if state.thaws_at is not None and now < state.thaws_at and state.frozen_at is not None:
            return state.frozen_at
        return min(now, state.heard + self.allowed)

    def kept(self, horizon: datetime) -> datetime:
        """Up to where the hub has kept its promise: beyond that no device is blamed for a silence."""
        if self.interval is None or self.state.heard is None:
            return horizon
        return min(horizon, self.state.heard + self.interval)

    def when(self, moment: datetime) -> datetime | None:
        """When the horizon will have reached `moment`; None: not before the hub is heard again."""
        if self.allowed is None:
            return moment
        state = self.state
        if state.heard is None or moment > state.heard + self.allowed:
            return None
        if state.thaws_at is not None and state.frozen_at is not None and moment > state.frozen_at:
            return max(moment, state.thaws_at)
        return moment

    def when_kept(self, moment: datetime) -> datetime | None:
        """When the hub will have kept its promise up to `moment`; None: not before it is heard again."""
        if self.interval is not None and (self.state.heard is None or moment > self.state.heard + self.interval):
            return None
        return self.when(moment)

    def due(self) -> datetime | None:
        """When the silence of the hub itself must next be told."""
        if self.interval is None or self.state.heard is None or self.state.told == Severity.MEDIUM.value:
            return None
        return self.state.heard + (BLIND_AFTER if self.state.told else self.interval * FAULT_AFTER)

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        """A hub that is silent although we listened is told as equipment, and after half an hour as a blind home."""
        state = self.state
        if self.interval is None or state.heard is None or state.told == Severity.MEDIUM.value:
            return
        listening = state.heard if context.listening_since is None else max(state.heard, context.listening_since)
        for limit, severity in (
            (BLIND_AFTER, Severity.MEDIUM),
            (self.interval * FAULT_AFTER, Severity.TECHNICAL),
        ):
            # Our own deafness is not the hub's: the shorter limit runs only while we listened ourselves.
            at = max(state.heard + limit, listening + self.interval * FAULT_AFTER)
            if now >= at:
                if state.told == severity.value:
                    return
                state.told = severity.value
                yield Finding(
                    home=self.home.id,
                    code="home_silent",
                    severity=severity,
                    since=state.heard,
                    at=at,
                    facts=(
                        ("last_at", state.heard.isoformat()),
                        ("elapsed_s", seconds(at - state.heard)),
                        ("limit_s", seconds(limit)),
                        ("usual_s", seconds(self.interval)),
                    ),
                )
                return

    def marker(self, heard: datetime, hole: timedelta, arrival: int) -> Reading:
        """The reading that keeps the hole in the home's history, so that a replay stands still where we did."""
        hub = self.home.hubs[0].id if self.home.hubs else ""
        return Reading(
            self.home.id, hub, "", Kind.RETURNED, hole.total_seconds(), heard, heard, arrival=arrival, seq=arrival
        )


@lru_cache(maxsize=64)
def _patience(interval: timedelta) -> timedelta:
    """For how long after its last word a hub of this interval counts as heard."""
    return interval * PATIENCE
