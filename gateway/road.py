"""The one writer thread: takes messages from the source, sends them down the pipeline, settles them, ticks."""

import gc
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from gateway.pipeline import Pipeline
from gateway.ports import Clock, Source

log = logging.getLogger(__name__)

TICK = timedelta(milliseconds=200)
"""How late a deadline may be told at most; a rung of the ladder may be two seconds late."""

KEEPING = timedelta(milliseconds=40)
"""From one slice of a checkpoint to the next."""

JUMP = timedelta(minutes=1)
"""By how much the clock may go another way than time itself between two looks; more, and somebody has set it."""

JUST_MADE = 1
"""What was made since the last tick is looked through for what nobody can reach any more: a millisecond. Python itself
counts what comes less what goes, and where homes wake and others fall asleep it looks when hundreds of thousands of
objects have come together, in a fifth of a second in which no press is heard."""


class Listening:
    """Since when we listen, by the clock as it stands. Whoever sets the clock lets that begin anew: a day that nobody
    lived through is no day in which a hub was silent."""

    def __init__(self, source: Source, elapsed: Callable[[], float] = monotonic) -> None:
        self._source, self._elapsed = source, elapsed
        self._last: tuple[datetime, float] | None = None
        self._set_at: datetime | None = None
        self._before: datetime | None = None  # what the source said when the clock was set

    def since(self, now: datetime) -> datetime | None:
        """None: we hear nothing. To be asked all the time, as soon as the clock was."""
        said, elapsed = self._source.listening_since(), self._elapsed()
        if self._last is not None:
            before, then = self._last
            jump = now - before - timedelta(seconds=elapsed - then)
            if abs(jump) > JUMP:
                self._set_at, self._before = now, said
                log.warning("the clock was set", extra={"by_s": round(jump.total_seconds())})
        self._last = now, elapsed
        return self._set_at if said is not None and said == self._before else said


class Road:
    """Goes round until stopped. Whatever it does not expect is a bug: it falls, and the gateway falls with it."""

    def __init__(self, source: Source, pipeline: Pipeline, clock: Clock) -> None:
        self._source, self._pipeline, self._clock = source, pipeline, clock
        self._listening = Listening(source)
        self._stop_asked = threading.Event()
        self.beat: datetime = clock.now()
        self.is_busy = False  # with what has come

    def run(self) -> None:
        source, pipeline, clock = self._source, self._pipeline, self._clock
        next_tick = clock.now()
        was_deaf, wait = True, TICK
        while not self._stop_asked.is_set():
            messages = source.poll(wait)
            now = clock.now()
            listening = self._listening.since(now)
            if messages:
                self.is_busy = True
                source.settle(pipeline.handle(messages, now, source.presses))  # a crash before this loses nothing
                self.is_busy = False
            if now >= next_tick or next_tick - now > TICK:  # the second: the clock was set back
                if (listening is None) != was_deaf:
                    was_deaf = listening is None
                    if was_deaf:
                        log.warning("the broker cannot be heard")
                    else:
                        log.info("listening to the broker")
                pipeline.tick(now, listening)
                gc.collect(JUST_MADE)
                wait = timedelta(0) if pipeline.is_behind(now) else KEEPING if pipeline.is_keeping else TICK
                next_tick = now + wait
            self.beat = now
        pipeline.keep_all()

    def stop(self) -> None:
        """Ask it to end after the present round; thread-safe."""
        self._stop_asked.set()
