"""The responders' phones of the demo: what a real person would read, ringing beside the page.

The gateway knows nothing of this. It posts to a webhook, as it would to any provider, and the phone shows what came.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import Body, FastAPI, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from gateway.domain import Alert, Duty, Purpose
from gateway.locales import LANGUAGES, catalogue
from gateway.ports import AlertStore, Clock, Directory

HERE = Path(__file__).parent
KEPT = 40
"""Messages a phone keeps; the oldest go first."""
LONGEST = 2_000
"""Characters of one text; a real provider takes less."""
LOOK_S = 0.25
"""How often a page looks whether something has changed. It is a demo: a handful of pages, all in memory."""
QUIET_S = 15.0
"""After this long without anything new the page is told that the line still stands."""
ZONE = ZoneInfo("Asia/Shanghai")


def N_(text: str) -> str:  # noqa: N802 (gettext's own name, which the extraction looks for)
    """Marks a text for the catalogue where it is only listed."""
    return text


DUTIES = {
    Duty.ELDER: N_("resident"),
    Duty.FAMILY: N_("family"),
    Duty.GRID_WORKER: N_("grid worker"),
    Duty.DEPUTY: N_("deputy"),
    Duty.KEY_HOLDER: N_("key holder"),
    Duty.NIGHT_POOL: N_("night desk"),
    Duty.SUPERVISOR: N_("supervisor"),
    Duty.COMMUNITY: N_("community desk"),
    Duty.STREET: N_("street desk"),
    Duty.DISTRICT: N_("district desk"),
    Duty.FIRE_STATION: N_("fire station"),
    Duty.DOCTOR: N_("family doctor"),
    Duty.MEDICAL: N_("contact for the hospital"),
    Duty.VOLUNTEER: N_("volunteer"),
    Duty.INSTALLER: N_("installer"),
    Duty.ADMIN: N_("administrator"),
}


@dataclass(frozen=True, slots=True)
class Text:
    """One message as it came."""

    id: str
    alert: str
    purpose: str
    title: str
    body: str
    link: str
    at: str  # ISO 8601


@dataclass(slots=True)
class Phone:
    """One person's phone: what has come, newest first."""

    person: str
    duty: Duty
    texts: deque[Text] = field(default_factory=partial(deque, maxlen=KEPT))

    def ring(self, text: Text) -> None:
        """The same message twice is shown once: a provider repeats what it is not sure of."""
        if all(known.id != text.id for known in self.texts):
            self.texts.appendleft(text)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message on the screen: does it still ring, and who has the alert."""

    text: Text
    rings: bool
    owner: str
    is_mine: bool
    clock: str


class Phones:
    """All phones of the grid. With a journal they survive the death of the gateway, as real ones would."""

    def __init__(
        self,
        clock: Clock,
        holders: Sequence[tuple[str, Duty]],
        directory: Directory,
        alerts: AlertStore,
        journal: Path | None = None,
    ) -> None:
        self.clock = clock
        self.directory = directory
        self.alerts = alerts
        self.journal = journal
        self.phones = {person: Phone(person, duty) for person, duty in holders}
        self._writing = threading.Lock()
        if journal is not None and journal.exists():
            self._remember(journal.read_text("utf-8").splitlines())
            self._rewrite(journal)

    def take(self, person: str, message: dict[str, Any]) -> bool:
        """A message has come; False when there is no such phone."""
        phone = self.phones.get(person)
        if phone is None:
            return False
        words = {key: str(message.get(key) or "")[:LONGEST] for key in ("id", "alert", "purpose", "title", "body")}
        link = str(message.get("link") or "")[:LONGEST]
        text = Text(**words, link=_own_path(link), at=self.clock.now().isoformat())
        with self._writing:
            phone.ring(text)
            if self.journal is not None:
                with self.journal.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([person, asdict(text)], ensure_ascii=False) + "\n")
        return True

    def screens(self) -> list[tuple[Phone, str, list[Shown]]]:
        """Each phone with its owner's name and what is on it."""
        alerts: dict[str, Alert | None] = {}
        with self._writing:
            held = [(phone, list(phone.texts)) for phone in self.phones.values()]
        shown = []
        for phone, texts in held:
            for text in texts:
                if text.alert not in alerts:
                    alerts[text.alert] = self.alerts.alert(text.alert)
            shown.append((phone, self._name(phone.person), [self._show(phone, t, alerts[t.alert]) for t in texts]))
        return shown

    def _show(self, phone: Phone, text: Text, alert: Alert | None) -> Shown:
        rings = alert is not None and alert.is_ringing and text.purpose in (Purpose.PAGE, Purpose.AGAIN)
        owner = alert.owner if alert else ""
        at = datetime.fromisoformat(text.at).astimezone(ZONE)
        name = self._name(owner) if owner else ""
        return Shown(text, rings, name, owner == phone.person, f"{at:%H:%M:%S}")

    def _name(self, person: str) -> str:
        found = self.directory.person(person)
        return found.name if found else person

    def _remember(self, lines: Iterable[str]) -> None:
        for line in lines:
            # The gateway may have been killed in the middle of the last line.
            with suppress(ValueError, TypeError):
                person, text = json.loads(line)
                if person in self.phones:
                    self.phones[person].ring(Text(**text))

    def _rewrite(self, journal: Path) -> None:
        """The journal never grows beyond what the phones keep, by more than one run's messages."""
        lines = [[p.person, asdict(t)] for p in self.phones.values() for t in reversed(p.texts)]
        journal.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")


def _own_path(link: str) -> str:
    """The path of a link, for it is opened on the very host that shows the phone; nothing but a web page is opened."""
    parts = urlsplit(link)
    is_page = parts.scheme in ("http", "https", "") and parts.path.startswith("/") and not parts.path.startswith("//")
    return parts.path if is_page else ""


def create_phone(
    clock: Clock,
    holders: Sequence[tuple[str, Duty]],
    directory: Directory,
    alerts: AlertStore,
    journal: Path | None = None,
) -> FastAPI:
    """The phones of these people, to be mounted at /phone. `journal`: a file that makes them survive a restart."""
    phones = Phones(clock, holders, directory, alerts, journal)
    templates = Jinja2Templates(HERE / "templates")
    app = FastAPI(title="Phones", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.phones = phones
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="phone-static")

    def context(request: Request) -> dict[str, Any]:
        language = _language(request)
        say = catalogue(language, "pages").gettext
        return {"screens": phones.screens(), "_": say, "duties": DUTIES, "language": language}

    @app.post("/hook/{person}")
    def hook(person: str, message: Annotated[dict[str, Any], Body()]) -> Response:
        """What the webhook channel posts to."""
        return Response(status_code=204 if phones.take(person, message) else 404)

    @app.get("/")
    def show(request: Request) -> HTMLResponse:
        return templates.TemplateResponse(request, "phones.html", context(request))

    @app.get("/live")
    async def follow(request: Request) -> StreamingResponse:
        """The screens anew whenever something on them has changed."""

        def draw() -> str:
            return templates.get_template("screens.html").render(context(request))

        async def stream() -> AsyncIterator[str]:
            before, quiet = "", 0.0
            while not await request.is_disconnected():
                now = await asyncio.to_thread(draw)
                if now != before:
                    before, quiet = now, 0.0
                    yield "".join(f"data: {line}\n" for line in now.splitlines()) + "\n"
                elif quiet >= QUIET_S:
                    quiet = 0.0
                    yield ": still here\n\n"
                await asyncio.sleep(LOOK_S)
                quiet += LOOK_S

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return app


def _language(request: Request) -> str:
    wished = request.query_params.get("lang") or request.cookies.get("language") or ""
    if wished in LANGUAGES:
        return wished
    return "en" if request.headers.get("accept-language", "zh").lower().startswith("en") else "zh"
