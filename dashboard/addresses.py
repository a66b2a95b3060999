"""How an address of the pages is hung up: what its function takes is read when somebody first comes to it.

FastAPI reads it for each address as soon as it is declared, and once more at the first request for each router that was
put into the application: three hundred addresses held 15 MB and took half a second, and a day needs a few dozen.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import Receive, Scope, Send


class Address(APIRoute):
    """Knows its path and its verbs; everything else is worked out when it is first asked for."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, methods: Sequence[str], **declared: Any) -> None:
        self.path, self.endpoint, self.methods = path, endpoint, {*methods}
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._declared: dict[str, Any] | None = {"methods": methods, **declared}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or (declared := self.__dict__.get("_declared")) is None:
            raise AttributeError(f"an address has no {name!r}")
        # Two who come at once read it both, which is right as well.
        super().__init__(self.path, self.endpoint, **declared)
        self._declared = None
        return getattr(self, name)


class Addresses(APIRouter):
    """Some of them, declared as with any router. Put them up with `app.router.routes.extend`."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__(prefix=prefix, route_class=Address)


class Wing(BaseRoute):
    """Many addresses that begin alike, put up as one and looked through only for what begins so."""

    def __init__(self, addresses: Addresses) -> None:
        self.routes, self._begins = addresses.routes, f"{addresses.prefix}/"

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        partly: tuple[Match, Scope] = Match.NONE, {}
        if scope["type"] != "http" or not scope["path"].startswith(self._begins):
            return partly
        for route in self.routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, found
            if match is Match.PARTIAL and partly[0] is Match.NONE:
                partly = match, found
        return partly

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)
