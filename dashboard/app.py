"""The pages put together: `create_app(house)` is a web application that needs nothing but what the house hands it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import (
    account,
    accounts,
    administration,
    alert_page,
    answers,
    api,
    api_accounts,
    api_door,
    api_hatch,
    api_install,
    api_machine,
    api_people,
    api_places,
    api_plans,
    api_privacy,
    api_rota,
    api_scene,
    api_visits,
    api_walk,
    atlas,
    audit,
    board,
    charts,
    demo,
    device,
    doors,
    drills,
    elder,
    family,
    glass,
    handling,
    handover,
    install,
    install_view,
    keys,
    machine,
    metrics,
    month,
    overview,
    pages,
    people,
    pictures,
    plan,
    privacy,
    problems,
    push,
    receipts,
    records,
    rota,
    today,
    tokens,
    visits,
    walk,
)
from dashboard.addresses import Addresses, Wing
from dashboard.auth import Gatekeeper, make_entrance_link, make_setup_link
from dashboard.county import County
from dashboard.doors import Doors, SignInFirst, page_before
from dashboard.house import House
from dashboard.links import Links
from dashboard.live import Feed
from dashboard.printer import STATIC, Printer, tongue_of
from dashboard.words import N_

__all__ = ["House", "Links", "create_app", "make_entrance_link", "make_setup_link"]

LARGEST_FORM = 64 * 1024
"""No form of ours is larger; more is refused before it is read."""

HEADERS = {
    # Everything comes from here, no script or style stands in a page, and nobody else frames it.
    "content-security-policy": "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    # Never a path, for it may hold a link's token; but the origin, by which we know our own forms: with
    # `no-referrer` browsers would post them with the origin "null".
    "referrer-policy": "strict-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


SEALED = frozenset(name.encode() for name in HEADERS)
PLAIN = _encoded(HEADERS)

LOOK_THROUGH_S = 3600.0
"""Between two looks for what has been kept long enough."""

APOLOGIES = {
    403: (N_("Not for you"), N_("Your account may not do this.")),
    404: (N_("Not found"), N_("There is no such page, or it is not yours to see.")),
    410: (N_("This link is no longer valid"), N_("It has expired or was cut off. Sign in to see the alert.")),
    413: (N_("That is too large"), N_("Go back and choose something smaller.")),
    422: (N_("That could not be read"), N_("Go back and fill in the form once more.")),
    503: (
        N_("The disk takes nothing"),
        N_(
            "Calls go out all the same, and whoever is called can answer by the link in the message. Everything else "
            "has to wait until somebody has mended the disk."
        ),
    ),
}


def create_app(house: House) -> FastAPI:
    """The web application over these stores."""
    printer = Printer(house)
    keeper = Gatekeeper(house.accounts, house.clock, house.secret)
    entrance = Doors(house, keeper)
    feed = Feed(house.alerts)
    links = Links(house.secret, house.base_url, house.clock)

    def fell(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            house.fell(error)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(feed.run(), name="event feed"),
            asyncio.create_task(_let_go(house), name="what has been kept long enough"),
        ]
        for task in tasks:
            task.add_done_callback(fell)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # what they died of was told to the house

    app = Application(
        title="Shouwang", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None, max_body_size=LARGEST_FORM
    )
    app.state.feed = feed

    def put_up(some: Addresses) -> None:
        app.router.routes.extend(some.routes)

    sight = pages.Pages(house, printer, feed, links)
    put_up(doors.routes(house, printer, entrance, pages.local))
    if house.demo:
        put_up(demo.routes(house, printer, entrance, sight))
    put_up(account.routes(account.OwnAccount(house, printer, keeper), entrance))
    managing = accounts.Accounts(house, printer, sight)
    put_up(accounts.routes(managing, entrance))
    giving = tokens.Tokens(managing)
    put_up(tokens.routes(giving, entrance))
    put_up(pages.routes(sight, entrance))
    put_up(device.routes(device.Device(house, printer, sight), entrance))
    put_up(handover.routes(handover.Handover(sight), entrance))
    kept = records.Records(sight)
    put_up(records.routes(kept, entrance))
    dealing = handling.Handling(sight)
    page = alert_page.AlertPage(dealing)
    put_up(alert_page.routes(page, entrance))
    visiting = visits.Visits(dealing)
    put_up(visits.routes(visiting, page, entrance))
    put_up(today.routes(today.Today(sight), entrance))
    put_up(family.routes(family.Family(sight, dealing), entrance))
    put_up(elder.routes(elder.Elder(sight), entrance))
    answering = privacy.Privacy(sight)
    put_up(privacy.routes(answering, entrance))
    put_up(glass.routes(glass.Glass(sight), entrance))
    trail = audit.Audit(sight)
    put_up(audit.routes(trail, entrance))
    running = machine.Machine(sight)
    put_up(machine.routes(running, entrance))
    installing = install_view.Install(house, printer, sight)
    put_up(install.routes(installing, entrance))
    trying = drills.Drills(house, printer, sight)
    counting = County(house, sight.tally)
    county = overview.Overview(sight, counting)
    put_up(overview.routes(county, entrance))
    put_up(month.routes(month.Months(county), entrance))
    put_up(charts.routes(charts.Charts(sight, county), entrance))
    put_up(atlas.routes(atlas.Atlas(county), entrance))
    boarding = board.Board(house, printer, sight)
    put_up(board.routes(boarding, entrance))
    peopling = people.People(house, printer, sight)
    put_up(people.routes(peopling, entrance))
    planning = plan.Plans(house, printer, sight)
    put_up(plan.routes(planning, entrance))
    sheet = rota.Rotas(house, printer, sight)
    put_up(rota.routes(sheet, entrance))
    put_up(drills.routes(trying, entrance))
    whole = administration.Administration(managing, planning, counting, trying, running, sheet)
    for router in administration.routes(whole, entrance):
        put_up(router)
    put_up(receipts.routes(receipts.Receipts(house, printer, links), entrance))
    walking = walk.Walk(house, printer, sight)
    put_up(walk.routes(walking, entrance))
    door = api_door.ApiDoor(
        answers.Answers(sight, dealing, kept, trying),
        keys.Keys(house, entrance),
        api.homes,  # first: what programs ask for most often
        lambda door: api_plans.routes(door, planning),
        lambda door: api_install.routes(door, installing, boarding),
        lambda door: api_walk.routes(door, walking),
        lambda door: api_people.routes(door, peopling),
        lambda door: api_rota.routes(door, sheet, trying),
        lambda door: api_accounts.routes(door, managing),
        lambda door: api_visits.routes(door, visiting),
        lambda door: api_places.routes(door, whole.grids, whole.staff),
        lambda door: api_scene.routes(door, answering, installing),
        lambda door: api_privacy.routes(door, answering, answering.elder, running),
        lambda door: api_machine.routes(door, running, trail, giving),
        api.routes,  # last: its document names them all
    )
    # A request is held against every address before its own; theirs are known by the first letters of the path.
    app.router.routes.insert(0, Wing(door.router))
    app.hatch = api_hatch.Hatch(door, PLAIN)
    put_up(metrics.routes(house))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    if house.phone is not None:
        app.mount("/phone", house.phone, name="phone")

    @app.get("/healthz")
    def healthz() -> Response:
        state: dict[str, Any] = {**house.health(), "live": feed.is_reading}
        return JSONResponse(state, status_code=200 if feed.is_reading and state.get("well", True) else 503)

    @app.exception_handler(SignInFirst)
    async def ask_to_sign_in(request: Request, _: SignInFirst) -> Response:
        door = f"/login?next={quote(page_before(request))}"
        if request.url.path.startswith(problems.API):
            return problems.as_problem(HTTPException(401))
        if request.headers.get("hx-request"):
            return Response(status_code=401, headers={"HX-Redirect": door})
        if "text/html" in request.headers.get("accept", "text/html"):
            return RedirectResponse(door if request.method == "GET" else f"{door}&unsaved=yes", status_code=303)
        return Response(status_code=401)

    @app.exception_handler(HTTPException)
    async def apologise(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith(problems.API):
            return problems.as_problem(error)
        if error.status_code not in APOLOGIES:
            return Response(status_code=error.status_code, headers=error.headers)
        title, text = APOLOGIES[error.status_code]
        say = tongue_of(request).say
        # A session that is met is noted, so while nothing can be written down nobody is looked for.
        visitor = None if house.answers_only else await asyncio.to_thread(entrance.visitor, request)
        return printer.page(
            request,
            "said.html",
            visitor=visitor,
            status=error.status_code,
            here="/",
            title=say(title),
            text=say(text),
            refresh=0,
        )

    @app.exception_handler(RequestValidationError)
    async def could_not_read(request: Request, error: RequestValidationError) -> Response:
        if not request.url.path.startswith(problems.API):
            return await apologise(request, HTTPException(422))
        try:
            await door.ask_who(request)
        except SignInFirst as nobody:
            return await ask_to_sign_in(request, nobody)
        except HTTPException as refused:
            return await apologise(request, refused)
        return problems.as_problem(problems.misread(error))

    if house.answers_only:
        app.add_middleware(AnswersOnly, apologise=apologise)
    app.add_middleware(Squeeze)
    app.add_middleware(Seal, tiles=house.map_tiles)
    return app


class Application(FastAPI):
    """Looks at the hatch before anything else."""

    hatch: api_hatch.Hatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not (scope["type"] == "http" and await self.hatch.answers(scope, send)):
            await super().__call__(scope, receive, send)


async def _let_go(house: House) -> None:
    """Pictures that were kept long enough, and browsers that are told though nobody is signed in there any more."""
    while True:
        await asyncio.to_thread(pictures.let_go, house.photos, house.clock.now())
        await asyncio.to_thread(push.sweep, house)
        await asyncio.sleep(LOOK_THROUGH_S)


ANSWERED = ("/a/", "/static/", "/healthz")
"""What is open while nothing can be written down: an answer to a call counts at once, and is given again if need be."""


class AnswersOnly:
    """Says of everything else that it has to wait: what somebody entered now would be forgotten."""

    def __init__(self, app: ASGIApp, apologise: Callable[[Request, HTTPException], Awaitable[Response]]) -> None:
        self.app, self.apologise = app, apologise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(ANSWERED):
            said = await self.apologise(Request(scope), HTTPException(503))
            await said(scope, receive, send)
        else:
            await self.app(scope, receive, send)


ASKED_FROM_HERE = (b"same-origin", b"none")
"""What `Sec-Fetch-Site` says of what our own page asked for, and of what somebody typed, tapped or bookmarked."""


class Squeeze:
    """Sends text compressed, on a bad line a tenth of it.

    The length of a compressed page tells whoever listens on the line a little of what stands in it, and a site that
    makes the browser ask again and again with chosen words can spell out the rest (BREACH). So a page is compressed
    only when the browser says that no other site made it ask; files that are the same for everybody always are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.plain = app
        self.squeezed = GZipMiddleware(app, minimum_size=1000, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked = next((value for name, value in scope["headers"] if name == b"sec-fetch-site"), b"")
            if asked in ASKED_FROM_HERE or scope["path"].startswith("/static/"):
                await self.squeezed(scope, receive, send)
                return
        await self.plain(scope, receive, send)


class Seal:
    """Puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, tiles: str = "") -> None:
        self.app = app
        ground = urlsplit(tiles)
        self.map_policy = HEADERS["content-security-policy"]
        if tiles:  # pictures of the ground may come from that one host, and only on the map
            self.map_policy += f"; img-src 'self' {ground.scheme}://{ground.netloc}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        is_kept = path.startswith("/static/") and b"v=" in scope["query_string"]

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [header for header in message.get("headers", ()) if header[0].lower() not in SEALED]
                message["headers"] = own + (PLAIN if path.startswith(problems.API) else self._seals(path))
                if is_kept and message["status"] == 200:
                    MutableHeaders(scope=message)["cache-control"] = "public, max-age=31536000, immutable"
            await send(message)

        await self.app(scope, receive, sealed)

    def _seals(self, path: str) -> list[tuple[bytes, bytes]]:
        """What every answer of this address carries."""
        seals = dict(HEADERS)
        if path.startswith("/install/"):  # labels are scanned there, and homes get their position
            seals["permissions-policy"] = "camera=(self), microphone=(), geolocation=(self)"
        if path == "/map" or path.startswith("/map/"):
            seals["content-security-policy"] = self.map_policy
        if path.startswith(("/alerts/", "/a/", "/door/")):  # whoever arrives may say where they are
            seals["permissions-policy"] = "camera=(), microphone=(), geolocation=(self)"
        return _encoded(seals)
