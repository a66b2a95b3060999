"""The doorstep: what lies ready at the hatch of the pages is handed out before the visitor is shown in.

uvicorn makes a task of every request and puts its answer together from messages, in two writings. For what programs
ask a thousand times a second that costs as much again as the answer; so it is written to the line at once. Everything
else goes the ordinary way, and so does whatever falls here.
"""

from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class Hatch(Protocol):
    """Where the application keeps what it can say at once."""

    head: bytes
    """The lines that stand in the head of every answer."""

    def lies_ready(self, scope: Any) -> bytes | None:
        """The body of the answer to this request. None: ask in the ordinary way, for nothing was said or counted."""


class Doorstep(HttpToolsProtocol):
    """One connection to an application that has a `hatch`. What uvicorn promises holds: answers come in the order of
    the questions, one at a time. Would it begin requests in another way one day, all of them would be ordinary ones."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Not while what came is being taken apart: what falls there is held to be the fault of whoever sent it.
        self.loop.call_soon(self._answer, cycle, app)

    def _answer(self, cycle: RequestResponseCycle, app: Any) -> None:
        body = None
        hatch = cast(Hatch, cast(Any, self.config.app).hatch)
        try:
            if cycle.keep_alive and not (
                cycle.disconnected or cycle.waiting_for_100_continue or self.flow.write_paused
            ):
                body = hatch.lies_ready(cycle.scope)
        finally:
            if body is None:
                super()._start_asgi_task(cycle, app)  # what fell will fall there again, and be answered
        if body is not None:
            lines = b"".join(b"%b: %b\r\n" % line for line in self.server_state.default_headers)
            length = b"content-length: %d\r\n" % len(body)
            self.transport.write(b"".join((b"HTTP/1.1 200 OK\r\n", lines, length, hatch.head, b"\r\n", body)))
            cycle.response_started = cycle.response_complete = True
            cycle.on_response()
