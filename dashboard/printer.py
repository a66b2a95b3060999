"""Makes a page out of a template: language, static files, what is known about whoever looks."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from alerts import wording
from dashboard.auth import Visitor
from dashboard.house import House
from dashboard.seen import LISTS, Seen
from dashboard.views import Stand
from dashboard.words import N_, Tongue, choose_language
from gateway.domain import Duty, Home
from gateway.domain.home import GRID

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGE_COOKIE = "language"
FALLBACK_ZONE = ZoneInfo("Asia/Shanghai")
"""For times that belong to no home."""

KEEP = "X-Keep"
"""Tells the service worker that this page may be kept, and for whom."""
SIRENS = (Duty.GRID_WORKER, Duty.DEPUTY, Duty.SUPERVISOR, Duty.ADMIN)
"""On whose pages, whatever is open, an emergency that nobody has accepted stands on top and sounds."""

OF_A_PLACE = ("overview.html", "map.html")
"""Lists of the place that was asked for; the others are of the place that the account is for."""

STAND_WORDS = {
    Stand.EMERGENCY: N_("Emergency"),
    Stand.RINGING: N_("Ringing"),
    Stand.TAKEN: N_("Accepted"),
    Stand.BLIND: N_("Not seen"),
    Stand.CARE: N_("To be looked at"),
    Stand.PAUSED: N_("Not watched"),
    Stand.UNKNOWN: N_("Waiting for a sign of life"),
    Stand.AWAY: N_("Out"),
    Stand.WELL: N_("In order"),
}


def tongue_of(request: Request) -> Tongue:
    cookie = request.cookies.get(LANGUAGE_COOKIE)
    return Tongue(choose_language(cookie, request.headers.get("accept-language", "")))


def qr_code(text: str) -> Markup:
    """Drawn into the page itself: a picture of its own would have an address, and a secret must not be fetched."""
    import segno  # seldom drawn

    return Markup(segno.make(text, error="m", micro=False).svg_inline(border=4, omitsize=True, svgclass="qr"))  # noqa: S704 - our own drawing; the text is only its dots


def alert_url(alert_id: str) -> str:
    """An alert's page. Its id holds slashes, which stay: they are part of the path."""
    return "/alerts/" + quote(alert_id, safe="/:")


@dataclass(slots=True)
class Printer:
    """Prints pages, with every value escaped."""

    house: House
    _templates: Environment = field(init=False)
    _marks: dict[str, str] = field(init=False)
    seen: Seen = field(init=False)

    def __post_init__(self) -> None:
        self.seen = Seen(self.house.registry)
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            static=self.static,
            alert_url=alert_url,
            wording=wording,
            stand_words={stand.name.lower(): word for stand, word in STAND_WORDS.items()},
            visitor=None,
            live="",
            sirens=SIRENS,
            mark_of=self.mark_of,
            phone_beside=False,
            demo=self.house.demo,
            phone=self.house.phone is not None,
        )
        # The mark of a file's content in its address lets browsers keep it for good.
        self._marks = {
            path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in STATIC.rglob("*")
            if path.is_file()
        }

    def mark_of(self, visitor: Visitor) -> str:
        """What a browser's own memory calls whoever is signed in: it keeps their pages and acts apart from others'."""
        return hmac.new(self.house.secret, b"kept:" + visitor.account.login.encode(), hashlib.sha256).hexdigest()[:16]

    def static(self, name: str) -> str:
        return f"/static/{name}?v={self._marks[name]}"

    def page(
        self,
        request: Request,
        template: str,
        *,
        now: datetime | None = None,
        visitor: Visitor | None = None,
        status: int = 200,
        keep: bool = False,
        **context: Any,
    ) -> HTMLResponse:
        """`keep`: the browser may show it again to the same person when there is no line."""
        text = self.part(request, template, now=now, visitor=visitor, **context)
        if template in LISTS and visitor is not None:
            place = context["place"] if template in OF_A_PLACE else visitor.account.place
            self.seen.note_list(visitor.account, place, LISTS[template], now or self.house.clock.now())
        headers = {"Content-Language": tongue_of(request).language}
        if keep and visitor is not None and status == 200:
            headers[KEEP] = self.mark_of(visitor)
        return HTMLResponse(text, status_code=status, headers=headers)

    def part(
        self,
        request: Request,
        template: str,
        *,
        now: datetime | None = None,
        visitor: Visitor | None = None,
        **context: Any,
    ) -> Markup:
        """A template filled in, which another one may hold as it is."""
        tongue = tongue_of(request)

        def ngettext(one: str, many: str, n: int) -> str:
            return tongue.say(one if n == 1 else many, n=n)

        moment = now or self.house.clock.now()

        @cache
        def usual() -> str:
            whole = self.house.registry.home(GRID)
            return tongue.offset(whole.zone if whole else FALLBACK_ZONE, moment)

        def other_zone(home: Home | None) -> str:
            """By how much the clocks of a home differ from UTC, where they are not those of the other homes."""
            offset = tongue.offset(home.zone, moment) if home is not None else ""
            return offset if offset and offset != usual() else ""

        of_home = context.get("home") or getattr(context.get("view"), "home", None)
        # A page made in answer to a form is looked at again by GET, so it names itself without what was posted.
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        text = self._templates.get_template(template).render(
            {
                "_": tongue.say,
                "ngettext": ngettext,
                "tongue": tongue,
                "now": moment,
                "other_zone": other_zone,
                "visitor": visitor,
                "here": here,
                "page_zone": FALLBACK_ZONE,
                "phone_beside": self.house.phone is not None and visitor is not None,
                "of_home": of_home if isinstance(of_home, Home) else None,
                **context,
            }
        )
        return Markup(text)  # noqa: S704 (every value in it was escaped)
