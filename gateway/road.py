"""The one writer thread: takes messages from the source, sends them down the pipeline, settles them, ticks."""

import logging
import threading
from datetime import datetime, timedelta

from gateway.pipeline import Pipeline
from gateway.ports import Clock, Source

log = logging.getLogger(__name__)

TICK = timedelta(milliseconds=200)
"""How late a deadline may be told at most; a rung of the ladder may be two seconds late."""


class Road:
    """Goes round until stopped. Whatever it does not expect is a bug: it falls, and the gateway falls with it."""

    def __init__(self, source: Source, pipeline: Pipeline, clock: Clock) -> None:
        self._source, self._pipeline, self._clock = source, pipeline, clock
        self._stop_asked = threading.Event()
        self.beat: datetime = clock.now()

    def run(self) -> None:
        source, pipeline, clock = self._source, self._pipeline, self._clock
        next_tick = clock.now()
        was_deaf, wait = True, TICK
        while not self._stop_asked.is_set():
            messages = source.poll(wait)
            now = clock.now()
            if messages:
                pipeline.handle(messages, now)
                source.settle(messages)  # a crash before this line loses nothing
            if now >= next_tick or next_tick - now > TICK:  # the second: the clock was set back
                listening = source.listening_since()
                if (listening is None) != was_deaf:
                    was_deaf = listening is None
                    if was_deaf:
                        log.warning("the broker cannot be heard")
                    else:
                        log.info("listening to the broker")
                pipeline.tick(now, listening)
                wait = timedelta(0) if pipeline.is_behind(now) else TICK
                next_tick = now + wait
            self.beat = now
        pipeline.keep_all()

    def stop(self) -> None:
        """Ask it to end after the present round; thread-safe."""
        self._stop_asked.set()
