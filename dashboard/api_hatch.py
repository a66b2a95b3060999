"""The hatch: what other programs ask for most often is handed out before any address is looked up.

How a home stands is asked for again and again, of a thousand homes. On the way of all other requests it costs half a
millisecond, most of it for finding the address, for taking apart what was sent, and for handing the work to a thread
and back; and each of these takes the interpreter from the road. Here it costs a sixth of that.

Nothing is refused here and nothing written down: whatever is not plain goes on to the addresses, which know what to
say. So who may see what is decided in one place, and a token that was withdrawn opens nothing from the next request on.
"""

import msgspec
from starlette.types import Scope, Send

from dashboard.api_door import ApiDoor
from dashboard.keys import bearer_of

HOMES = "/api/v1/homes/"


class Hatch:
    """Stands before the addresses; the event loop itself answers, for each question to the stores is one of
    microseconds. Where the book is a server somewhere else, it is not."""

    def __init__(self, door: ApiDoor, headers: list[tuple[bytes, bytes]]) -> None:
        self.door = door
        self.headers = [(b"content-type", b"application/json"), *headers]
        self.head = b"".join(b"%b: %b\r\n" % header for header in self.headers)

    async def answers(self, scope: Scope, send: Send) -> bool:
        """Answer what is plain. False: it goes on to the addresses, and nothing was said."""
        if not self._is_plain(scope):
            return False
        await self.door.give_way()
        body = self._told(scope)
        if body is None:
            return False
        headers = [(b"content-length", b"%d" % len(body)), *self.headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return True

    def lies_ready(self, scope: Scope) -> bytes | None:
        """The body of an answer for which nobody has to wait, under the `head` of them all (`gateway.doorstep`)."""
        return self._told(scope) if self._is_plain(scope) and not self.door.house.is_busy() else None

    def _is_plain(self, scope: Scope) -> bool:
        house, is_state = self.door.house, scope["path"].startswith(HOMES) and not scope["query_string"]
        return is_state and scope["method"] == "GET" and house.is_at_hand and not house.answers_only

    def _told(self, scope: Scope) -> bytes | None:
        home_id, _, what = scope["path"].removeprefix(HOMES).partition("/")
        door, given = self.door, next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if (asked := door.plain.get(what)) is None:
            return None
        caller = door.keys.known(bearer_of(given.decode("latin-1")), asked.right)
        home = door.pages.known(caller.visitor, home_id) if caller else None
        if caller is None or home is None or not door.keys.counts(caller):
            return None
        return msgspec.json.encode(asked.do(caller, home))
