"""Pages that follow what happens, by server-sent events.

An event says only *that* something changed (its topic and the alert's or the home's id), never what: the page asks
again for what it shows, through the same door as before, so that no event can tell anybody what is not theirs. The
id of an event is its row in the event table; a browser that was away names the last one it has seen.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from gateway.domain import Event
from gateway.ports import AlertStore

PING_S = 15
LOOK_S = 0.1
"""How often the table is looked at while somebody listens: a third of what a page may take to show an alert."""
READ_AT_ONCE = 200
WAITING_EVENTS = 5 * READ_AT_ONCE
"""A listener that falls this far behind is cut off; it comes again and names where it stopped."""
REPLAY = 1000
"""A browser that missed more than this is told to look at everything once."""
LISTENERS = 1000


class Feed:
    """One reader of the event table for everybody who listens."""

    def __init__(self, alerts: AlertStore) -> None:
        self._alerts = alerts
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._somebody = asyncio.Event()
        self._following = asyncio.Event()  # set while what comes is handed out
        self._seen = 0
        self._is_reading = False

    @property
    def is_reading(self) -> bool:
        return self._is_reading

    async def run(self) -> None:
        """Follow the table until cancelled. If this falls, every listener is let go and comes again."""
        self._is_reading = True
        try:
            while True:
                await self._somebody.wait()
                self._seen = await asyncio.to_thread(self._alerts.last_event)
                self._following.set()
                while self._listeners:
                    await asyncio.sleep(LOOK_S)
                    for event in await asyncio.to_thread(self._alerts.events, self._seen, READ_AT_ONCE):
                        self._seen = event.id
                        self._hand_out(event)
                self._following.clear()
                self._somebody.clear()
        finally:
            self._is_reading = False
            self._following.set()  # nobody waits for a reader that is gone
            for queue in tuple(self._listeners):
                self._cut_off(queue)

    def _hand_out(self, event: Event) -> None:
        for queue in tuple(self._listeners):
            if queue.full():
                self._cut_off(queue)
            else:
                queue.put_nowait(event)

    def _cut_off(self, queue: asyncio.Queue[Event | None]) -> None:
        self._listeners.discard(queue)
        # All of it goes, not only the oldest: the browser asks again from the last event that it really got.
        with suppress(asyncio.QueueEmpty):
            while True:
                queue.get_nowait()
        queue.put_nowait(None)

    async def listen(self, after: int, wanted: Callable[[Event], bool]) -> AsyncIterator[Event | None]:
        """Events after `after`, those of the past first. None: too many were missed, look at everything.

        Ends when the listener was cut off.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue(WAITING_EVENTS)
        # The ear opens before the past is read, so nothing falls between; what comes twice is passed over by its id.
        self._listeners.add(queue)
        self._somebody.set()
        try:
            await self._following.wait()
            newest = await asyncio.to_thread(self._alerts.last_event)
            # After a restored backup the browser may know ids that the table has not reached again.
            if after > newest or newest - after > REPLAY:
                yield None
                after = newest
            while past := await asyncio.to_thread(self._alerts.events, after, READ_AT_ONCE):
                for event in past:
                    after = event.id
                    if wanted(event):
                        yield event
            while (coming := await queue.get()) is not None:
                if coming.id > after and wanted(coming):
                    yield coming
        finally:
            self._listeners.discard(queue)

    async def messages(self, after: int, wanted: Callable[[Event], bool]) -> AsyncIterator[ServerSentEvent]:
        """The same as what a browser reads: `news` events with the table's ids."""
        yield ping()  # tells the page at once that the line stands
        async for event in self.listen(after, wanted):
            if event is None:
                newest = await asyncio.to_thread(self._alerts.last_event)
                yield ServerSentEvent(data=json.dumps({"topic": "all", "ref": ""}), event="news", id=str(newest))
            else:
                about = json.dumps({"topic": event.topic, "ref": event.ref})
                yield ServerSentEvent(data=about, event="news", id=str(event.id))

    def respond(self, after: int, wanted: Callable[[Event], bool]) -> Response:
        """The stream, or a refusal when nobody reads the table or too many follow: such a page looks by itself."""
        if not self._is_reading or len(self._listeners) >= LISTENERS:
            return Response(status_code=503, headers={"Retry-After": "5"})
        return EventSourceResponse(
            self.messages(after, wanted), ping=PING_S, ping_message_factory=ping, send_timeout=PING_S
        )


def ping() -> ServerSentEvent:
    """A named event, for a page can see that it came; a comment would stay inside the browser."""
    return ServerSentEvent(data="{}", event="ping")


def resume_from(header: str | None, after: int) -> int:
    """Where to go on: what the browser has seen last, else what the page was made from."""
    if header is not None and header.isascii() and header.isdigit() and len(header) <= 18:
        return int(header)
    return after
