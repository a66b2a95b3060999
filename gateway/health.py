"""What is well, in numbers without names: for the health page, the log and whoever watches the watchman."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gateway.broker import queued, renew
from gateway.mirror import how_it_is
from gateway.pipeline import Pipeline
from gateway.ports import AlertStore, Clock, Source
from gateway.pulse import (
    HEARTBEAT,
    WATCHDOG,
    Pulse,
    SignOfLife,
    Standing,
    as_words,
    last_sign_of,
    tell_systemd,
)
from gateway.reserve import Reserve

log = logging.getLogger(__name__)

LATE_S = 10.0
"""A part that has stood still for longer is not well; each goes round several times in a few seconds."""

FILES = ("gateway.db", "gateway.db-wal", "readings.db", "readings.db-wal")

DAYS = 7
"""For so many days is remembered how long all homes together were silent at most."""

MUCH_LONGER = 3
AT_LEAST_S = 40.0
"""A silence is unusual when it is so many times as long as the longest of those days, and no shorter than this."""


@dataclass(slots=True)
class Hush:
    """How long all homes together are silent at most: learnt day by day, so that more can be told from nothing."""

    longest: dict[str, float] = field(default_factory=dict)  # day -> seconds; kept over restarts by whoever asks
    _messages: int = -1
    _since: float = 0.0

    def seconds(self, messages: int, is_listening: bool, now: float, today: date) -> float:
        """For how long nothing has been heard, once that is unusual; else 0."""
        silent, usual = now - self._since, self.usual(today)
        if messages != self._messages or not is_listening:
            # Learnt when it ends, and only what was usual: a silence that goes on must not excuse itself.
            if is_listening and self._messages >= 0 and (usual is None or silent <= usual):
                self._learn(silent, today.isoformat())
            self._messages, self._since = messages, now
            return 0.0
        return silent if usual is not None and silent > usual else 0.0

    def _learn(self, silent: float, day: str) -> None:
        self.longest[day] = max(self.longest.get(day, 0.0), round(silent, 1))
        for old in sorted(self.longest)[:-DAYS]:
            del self.longest[old]

    def usual(self, today: date) -> float | None:
        """What is still usual; None before a whole day has been heard."""
        if not any(day < today.isoformat() for day in self.longest):
            return None
        return max(AT_LEAST_S, MUCH_LONGER * max(self.longest.values()))


@dataclass(slots=True)
class Health:
    """Asked by the pages' `/healthz`, and once a second for the sign of life; nothing is computed that costs."""

    clock: Clock
    started_at: datetime
    pipeline: Pipeline
    source: Source
    alerts: AlertStore
    state: Path
    reserve: Reserve
    road: Callable[[], object]  # something that changes whenever the road goes round
    courier: Callable[[], object]  # the same of the courier
    attempts: Callable[[], Mapping[tuple[str, str], int]]  # channel and how an attempt ended -> how often
    is_mirrored: bool = False  # the readings are copied elsewhere; how that goes concerns no alarm
    is_leaving: bool = False  # it was told to stop, and says so
    is_silenced: bool = False  # the sign of life could not be given
    hush: Hush = field(default_factory=Hush)
    _began: float = field(default_factory=time.monotonic)
    _heard: float = field(default_factory=time.monotonic)
    _road: Standing = field(init=False)
    _courier: Standing = field(init=False)
    _is_up: bool = False

    def __post_init__(self) -> None:
        self._road, self._courier = Standing(self.road), Standing(self.courier)
        said = last_sign_of(self.state / HEARTBEAT, float("inf"))
        if said is not None and isinstance(known := said[1].get("usual"), dict):
            self.hush.longest.update({str(day): float(seconds) for day, seconds in known.items()})

    def pulse(self) -> Pulse:
        now, listening = time.monotonic(), self.source.listening_since() is not None
        if listening:
            self._heard = now
        return Pulse(
            pid=os.getpid(),
            up_s=round(now - self._began, 1),
            homes=self.pipeline.homes(),
            road_s=round(self._road.seconds(now), 1),
            courier_s=round(self._courier.seconds(now), 1),
            deaf_s=round(now - self._heard, 1),
            hushed_s=round(
                self.hush.seconds(self.pipeline.counts.messages, listening, now, self.clock.now().date()), 1
            ),
            full=self.reserve.is_full,
            leaving=self.is_leaving,
        )

    def beat(self, sign: SignOfLife) -> None:
        """Look at the disk, give a sign of life, and tell systemd where all goes round."""
        try:
            if self.reserve.look() and renew(self.state):
                log.warning("the broker is started anew: it does not write again by itself")
            pulse = self.pulse()
            # At the next start the files have to know of at least this much (`rescue.is_short`).
            reached = {"last_event": self.alerts.last_event(), "last_arrival": self.pipeline.arrived()}
            sign.give({**as_words(pulse), "usual": self.hush.longest, **reached})
        except OSError as error:  # a disk that fails: whoever watches us hears nothing more, and says so
            if not self.is_silenced:
                log.error("no sign of life can be given", extra={"reason": error.strerror})
            self.is_silenced = True
            return
        self.is_silenced = False
        if self.is_leaving:
            tell_systemd("STOPPING=1")
        elif is_going_round(pulse):
            tell_systemd("WATCHDOG=1" if self._is_up else "READY=1")
            self._is_up = True

    def watchdog_s(self) -> float | None:
        """How long ago a watchdog gave a sign of life; None: there never was one."""
        seen = last_sign_of(self.state / WATCHDOG / HEARTBEAT, time.monotonic())
        return None if seen is None else round(seen[0], 1)

    def report(self) -> Mapping[str, Any]:
        pulse, counts = self.pulse(), self.pipeline.counts
        return {
            "well": is_going_round(pulse) and not pulse.deaf_s,
            "listening": not pulse.deaf_s,
            "uptime_s": int((self.clock.now() - self.started_at).total_seconds()),
            "road_idle_s": pulse.road_s,
            "messages": counts.messages,
            "readings": counts.readings,
            "quarantined": counts.quarantined,
            "findings": counts.findings,
            "last_event": self.alerts.last_event(),
            "watchdog_s": self.watchdog_s(),
            "mirror": how_it_is(self.state, self.clock.now()) if self.is_mirrored else None,
            **as_words(pulse),
        }

    def meters(self) -> Mapping[str, Any]:
        """What is measured for `/metrics`, beside what the stores say themselves."""
        now, counts = self.clock.now(), self.pipeline.counts
        last, kept = counts.last_message_at, self.pipeline.kept_at or self.started_at
        return {
            **self.report(),
            "last_message_s": None if last is None else (now - last).total_seconds(),
            "took_s": counts.took_s,
            "checkpoint_s": (now - kept).total_seconds(),
            "attempts": dict(self.attempts()),
            "files": {name: size for name in FILES if (size := _size(self.state / name)) is not None},
            "free": self.reserve.free(),
            "queue": queued(self.state),
        }


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def is_going_round(pulse: Pulse) -> bool:
    """Whether every part of it turns; what comes from outside (the broker, the disk) is another question."""
    return max(pulse.road_s, pulse.courier_s) < LATE_S
