"""The one writer thread: takes messages from the source, sends them down the pipeline, settles them, ticks."""

import gc
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic

from gateway.pipeline import JUMP, Pipeline
from gateway.ports import Clock, Message, Source

log = logging.getLogger(__name__)

TICK = timedelta(milliseconds=200)
"""How late a deadline may be told at most; a rung of the ladder may be two seconds late."""

KEEPING = timedelta(milliseconds=40)
"""From one slice of a checkpoint to the next."""

MANY = 400
"""Behind a batch of so many more lie ready: they are worked on while the disk writes. Of fewer each is waited for, for
to hand a commit to a thread costs more than it saves."""

AT_ONCE = timedelta(0)

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
        self._owed: Sequence[Message] = ()  # handled, and not settled before the disk has it

    def run(self) -> None:
        source, pipeline, clock = self._source, self._pipeline, self._clock
        next_tick = clock.now()
        was_deaf, wait = True, TICK
        while not self._stop_asked.is_set():
            messages = source.poll(AT_ONCE if self._owed else wait)
            now = clock.now()
            listening = self._listening.since(now)
            if messages:
                self.is_busy = True
                handled = pipeline.handle(messages, now, self._between, beside=len(messages) >= MANY)
                source.settle(self._owed)  # this batch was not written before those were durable
                self._owed = handled
                self.is_busy = False
            if self._owed and not (messages and pipeline.is_committing):
                self._settle()
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
        self._settle()
        pipeline.keep_all()

    def _between(self) -> Sequence[Message]:
        """In the midst of a batch: who calls for help, and whether the disk has the one before."""
        if self._owed and not self._pipeline.is_committing:
            self._settle()
        return self._source.presses()

    def _settle(self) -> None:
        self._pipeline.finish()
        self._source.settle(self._owed)  # a crash before this loses nothing
        self._owed = ()

    def stop(self) -> None:
        """Ask it to end after the present round; thread-safe."""
        self._stop_asked.set()
