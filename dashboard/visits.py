"""探访: to whom somebody has to go, and what is noted of a visit that nobody called for."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from alerts import visits, wording
from alerts.desk import Desk
from alerts.visits import Due
from dashboard.addresses import Addresses
from dashboard.alert_page import AlertPage, by_queue
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.handling import LATEST, Given, Handling
from dashboard.pages import ON_DUTY
from dashboard.printer import alert_url, tongue_of
from dashboard.words import N_
from gateway.domain import Elder, Home, State
from gateway.domain.visit import Visit

SHOWN = 12
"""Visits on the page of one home: a quarter of a year of the most frequent ones."""


class Visits:
    """What the page, the list of a day and other programs need."""

    def __init__(self, dealing: Handling) -> None:
        self.dealing = dealing
        self.pages = dealing.pages
        self.house = dealing.house

    def due(self, homes: Sequence[Home]) -> list[Due]:
        """Every home of these that is planned for, what is due first in front."""
        house = self.house
        return visits.planned(homes, house.registry, house.alerts.last_visits(), house.clock.now())

    def keep(
        self,
        home: Home,
        person: str,
        elder: Elder,
        note: str,
        code: str,
        *,
        by: str = "",
        desk: Desk | None = None,
        pressed: str = "",
    ) -> Visit | None:
        """Note a visit with what the home itself says about it; None: the code is not that of the door. It is of this
        minute, or of that in which it was pressed where there was no line.

        Of a visit that was noted twice the first stands.
        """
        now = self.house.clock.now()
        at = went_at(pressed, now)
        proof = self.dealing.proof(home.id, Given(code=code), at)
        if proof is None:
            return None
        visit = Visit(home=home.id, at=at, person=person, elder=elder, note=note.strip(), proof=proof)
        (desk or self.house.desk).visited(visit, now, by=by)
        return visit

    def show(self, request: Request, visitor: Visitor, home: Home, error: str = "", **given: str) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        return self.pages.printer.page(
            request,
            "home_visit.html",
            status=422 if error else 200,
            now=now,
            visitor=visitor,
            keep=not given,
            page_zone=home.zone,
            home=home,
            due=next(iter(self.due([home])), None),
            visits=self.house.alerts.visits(home.id)[: -SHOWN - 1 : -1],
            name_of=self.pages.name_of,
            elders=[(elder.value, wording.elder_name(elder, tongue.language)) for elder in Elder],
            elder_name=lambda elder: wording.elder_name(elder, tongue.language),
            given={"elder": "", "note": "", "code": "", **given},
            error=error,
        )


def went_at(pressed: str, now: datetime) -> datetime:
    """The minute of a visit: when it was pressed, by the clock of the telephone, where that may be; else this one."""
    try:
        at = datetime.fromisoformat(pressed)
    except ValueError:
        at = now
    if at.tzinfo is None or not now - LATEST < at <= now:
        at = now
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def routes(them: Visits, page: AlertPage, doors: Doors) -> Addresses:
    """For whoever goes to these homes, and for whoever answers for them."""
    router = Addresses()
    pages, house, links = them.pages, them.house, them.pages.links
    OnDuty = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*ON_DUTY))]  # noqa: N806

    @router.get("/homes/{home_id}/visit")
    def show(request: Request, visitor: OnDuty, home_id: str) -> Response:
        return them.show(request, visitor, pages.home(visitor, home_id))

    @router.post("/homes/{home_id}/visit")
    def note(
        request: Request,
        visitor: Acting,
        home_id: str,
        elder: Annotated[str, Form(max_length=20)] = "",
        note: Annotated[str, Form(max_length=1000)] = "",
        code: Annotated[str, Form(max_length=20)] = "",
        key: Annotated[str, Form(max_length=40)] = "",
        pressed: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        home, person, text = pages.home(visitor, home_id), visitor.account.person, ""
        word = hashlib.sha256(f"visit\n{home.id}\n{person}\n{key}".encode()).hexdigest()[:32] if key else ""
        if not (word and house.alerts.was_heard(word)):
            desk = house.desk.beside(lambda ledger, _: ledger.hear(word, house.clock.now())) if word else house.desk
            if elder not in list(Elder):
                text = N_("Please choose how the resident is.")
            elif them.keep(home, person, Elder(elder), note, code, desk=desk, pressed=pressed) is None:
                text = N_("That is not the code beside this door.")
        said = tongue_of(request).say(text) if text else ""
        if by_queue(request):
            return JSONResponse({"done": not said, "said": said})
        if said:
            return them.show(request, visitor, home, said, elder=elder, note=note, code=code)
        if request.headers.get("hx-request"):
            return Response(headers={"HX-Redirect": "/today"})
        return RedirectResponse("/today", status_code=303)

    # ------------------------------------------------------------------ the code at the door

    def before(request: Request, visitor: Visitor, home: Home) -> Response:
        """Whoever stands there is on the way to an alert, or has come for a visit."""
        mine = [a for a in house.alerts.alerts(home=home.id, unclosed=True) if a.owner == visitor.account.person]
        going = next((a for a in mine if a.state in (State.ACCEPTED, State.EN_ROUTE)), None)
        code = links.door_code(home.id)
        if going is None:
            return them.show(request, visitor, home, code=code)
        return page.show_alert(
            request,
            going,
            visitor=visitor,
            base=alert_url(going.id),
            csrf=visitor.csrf,
            given=Given(code=code),
            at_door=True,
        )

    @router.get("/door/{token}")
    def at_the_door(request: Request, visitor: OnDuty, token: str) -> Response:
        """What the code beside the door leads to."""
        return before(request, visitor, pages.home(visitor, links.at_door(token)))

    @router.post("/door")
    def by_figures(request: Request, visitor: Acting, code: Annotated[str, Form(max_length=20)] = "") -> Response:
        """The same for whoever cannot scan: the six figures below it."""
        found = [home for home in pages.homes(visitor) if links.door_code(home.id) == "".join(code.split())]
        if len(found) == 1:
            return before(request, visitor, pages.home(visitor, found[0].id))
        say = tongue_of(request).say
        title, text = say("No door has this code"), say("Of your homes there is none, or more than one. Use the list.")
        return pages.printer.page(request, "said.html", status=404, here="/today", title=title, text=text, refresh=0)

    return router
