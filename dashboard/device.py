"""This telephone as a part of the house: put on its home screen, told by push, sounding, and useful without a line.

The worker that serves kept pages (`static/worker.js`) and the queue of acts (`static/queue.js`) live in the browser;
here stands what they ask us for.
"""

from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboard import push, views
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.house import House
from dashboard.pages import ON_DUTY, Pages
from dashboard.printer import STATIC, Printer
from dashboard.words import Tongue
from gateway.domain import Alert, Duty, Home
from gateway.locales import LANGUAGES

ICONS = ((192, "any"), (512, "any"), (512, "maskable"))
"""What telephones ask for: side in pixels, and whether its edge may be cut off."""

LARGEST_SUBSCRIPTION = 4 * 1024


class Device:
    """What these pages need."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages

    def push_key(self) -> str:
        """The public half of the key by which push services know us; empty where push is not set up."""
        path = self.house.push_key
        return path.read_text("ascii").strip() if path is not None and path.is_file() else ""

    def show(self, request: Request, visitor: Visitor) -> Response:
        return self.printer.page(
            request,
            "device.html",
            visitor=visitor,
            push_key=self.push_key(),
            is_told=push.is_told(self.house, visitor),
            can_be_told=self.house.registry.person(visitor.account.person) is not None,
        )

    def ringing(self, visitor: Visitor) -> list[tuple[Alert, Home]]:
        """The alerts in which a life may be in danger that nobody of theirs has accepted yet, the oldest first."""
        unclosed = self.house.alerts.alerts(unclosed=True, limit=views.ALL)
        ringing = [a for a in unclosed if a.is_ringing and not a.is_muted and a.severity.is_emergency]
        theirs = {home.id: home for home in self.pages.homes(visitor)} if ringing else {}
        return sorted(((a, theirs[a.home]) for a in ringing if a.home in theirs), key=lambda pair: pair[0].raised_at)

    def manifest(self, language: str) -> dict[str, Any]:
        """What a telephone needs to know to put us on its home screen."""
        say, static = Tongue(language).say, self.printer.static
        icons: list[dict[str, str]] = [
            {
                "src": static(f"icons/{'edge-' if purpose == 'maskable' else ''}{side}.png"),
                "sizes": f"{side}x{side}",
                "type": "image/png",
                "purpose": purpose,
            }
            for side, purpose in ICONS
        ]
        icons.append({"src": static("logo.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
        return {
            "id": "/",
            "name": say("Shouwang: who lives alone is not alone"),
            "short_name": say("Shouwang"),
            "lang": "zh-CN" if language == "zh" else "en",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f3f5f4",
            "theme_color": "#175a52",
            "icons": icons,
        }


def routes(device: Device, doors: Doors) -> Addresses:
    """The parts that need nobody signed in hold nothing of anybody."""
    router = Addresses()
    house, printer = device.house, device.printer
    Anybody = Annotated[Visitor, Depends(doors.signed_in(*Duty))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*Duty))]  # noqa: N806
    OnDuty = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806

    @router.get("/worker.js")
    def worker() -> Response:
        """At the root, because a service worker serves only what lies below its own address."""
        return Response((STATIC / "worker.js").read_bytes(), media_type="text/javascript; charset=utf-8")

    @router.get("/manifest/{language}.webmanifest")
    def manifest(language: str) -> Response:
        if language not in LANGUAGES:
            raise HTTPException(404)
        return JSONResponse(device.manifest(language), media_type="application/manifest+json")

    @router.get("/offline")
    def offline(request: Request) -> Response:
        """What stands where a page was never kept; it is fetched while the line stands."""
        return printer.page(request, "offline.html", here="/")

    @router.get("/device/me")
    def me(visitor: Anybody) -> Response:
        """Who is signed in here, as the browser's own memory calls them, and the token of this session's forms."""
        return JSONResponse({"who": printer.mark_of(visitor), "csrf": visitor.csrf})

    @router.get("/ringing")
    def ringing(request: Request, visitor: OnDuty, but: str = "") -> Response:
        """What stands above whatever else is open while somebody's life may be in danger, `but` for what is open."""
        others = [(alert, home) for alert, home in device.ringing(visitor) if alert.id != but]
        return printer.page(request, "ringing.html", visitor=visitor, ringing=others)

    @router.get("/device")
    def show(request: Request, visitor: Anybody) -> Response:
        return device.show(request, visitor)

    @router.post("/device/push")
    def subscribe(
        visitor: Acting, subscription: Annotated[str, Form(max_length=LARGEST_SUBSCRIPTION)] = ""
    ) -> Response:
        given = push.read(subscription)
        if given is None or not device.push_key() or not push.subscribe(house, visitor, given):
            raise HTTPException(422)
        return Response(status_code=204)

    @router.post("/device/push/off")
    def unsubscribe(visitor: Acting) -> Response:
        push.end_session(house, visitor)
        return RedirectResponse("/device", status_code=303)

    return router
