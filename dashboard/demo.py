"""Two buttons that only the demo has: press an emergency button, and kill the gateway."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.house import House
from dashboard.pages import ON_DUTY, Pages
from dashboard.printer import Printer, tongue_of

LAST_WORDS = timedelta(milliseconds=300)
"""The answer reaches the browser before the process dies."""


def routes(house: House, printer: Printer, doors: Doors, pages: Pages) -> Addresses:
    router = Addresses(prefix="/demo")
    acting = doors.acting(*ON_DUTY)

    def said(request: Request, visitor: Visitor, title: str, text: str, refresh: int = 0) -> Response:
        return printer.page(request, "said.html", visitor=visitor, here="/", title=title, text=text, refresh=refresh)

    @router.post("/press")
    def press(request: Request, visitor: Annotated[Visitor, Depends(acting)], home: Annotated[str, Form()]) -> Response:
        found = pages.home(visitor, home)
        if house.demo_press is None:
            raise HTTPException(404)
        house.demo_press(found.id)
        say = tongue_of(request).say
        return said(request, visitor, say("Pressed"), say("Pressed in the home of {name}.", name=found.name), 2)

    @router.post("/kill")
    def kill(request: Request, visitor: Annotated[Visitor, Depends(acting)], after: BackgroundTasks) -> Response:
        if house.demo_kill is None:
            raise HTTPException(404)
        after.add_task(_kill, house.demo_kill)
        say = tongue_of(request).say
        text = say("Killed. It comes back within seconds; no deadline is lost meanwhile.")
        return said(request, visitor, say("kill -9"), text, 5)

    return router


async def _kill(kill: Callable[[], None]) -> None:
    await asyncio.sleep(LAST_WORDS.total_seconds())
    kill()
