"""The hatch: what other programs ask for most often is handed out before any address is looked up.

How a home stands is asked for again and again, of a thousand homes. On the way of all other requests it costs half a
millisecond, most of it for finding the address, for taking apart what was sent, and for handing the work to a thread
and back; and each of these takes the interpreter from the road. Here it costs a fifth of that.

Nothing is refused here and nothing written down: whatever is not plain goes on to the addresses, which know what to
say. So who may see what is decided in one place, and a token that was withdrawn opens nothing from the next request on.
"""

from collections.abc import Mapping
from typing import Any

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

    async def answers(self, scope: Scope, send: Send) -> bool:
        """Answer what is plain. False: it goes on to the addresses, and nothing was said."""
        house = self.door.house
        if scope["method"] != "GET" or scope["query_string"] or not house.is_at_hand or house.answers_only:
            return False
        await self.door.give_way()
        told = self._told(scope)
        if told is None:
            return False
        body = msgspec.json.encode(told)
        headers = [(b"content-length", b"%d" % len(body)), *self.headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return True

    def _told(self, scope: Scope) -> Mapping[str, Any] | None:
        home_id, _, what = scope["path"].removeprefix(HOMES).partition("/")
        door, given = self.door, next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if (asked := door.plain.get(what)) is None:
            return None
        caller = door.keys.known(bearer_of(given.decode("latin-1")), asked.right)
        home = door.pages.known(caller.visitor, home_id) if caller else None
        if caller is None or home is None or not door.keys.counts(caller):
            return None
        return asked.do(caller, home)
