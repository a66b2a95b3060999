"""探访: to whom somebody has to go, and what is noted of a visit that nobody called for."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from alerts import visits, wording
from alerts.visits import Due
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.handling import Given, Handling
from dashboard.pages import ON_DUTY
from dashboard.printer import tongue_of
from dashboard.words import N_
from gateway.domain import Elder, Home
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

    def keep(self, home: Home, person: str, elder: Elder, note: str, code: str, *, by: str = "") -> Visit | None:
        """Note a visit of this minute with what the home itself says about it; None: the code is not that of the door.

        Of a visit that was noted twice the first stands.
        """
        now = self.house.clock.now()
        proof = self.dealing.proof(home.id, Given(code=code), now)
        if proof is None:
            return None
        at = now.replace(second=0, microsecond=0)
        visit = Visit(home=home.id, at=at, person=person, elder=elder, note=note.strip(), proof=proof)
        self.house.desk.visited(visit, now, by=by)
        return visit

    def show(self, request: Request, visitor: Visitor, home: Home, error: str = "", **given: str) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        return self.pages.printer.page(
            request,
            "home_visit.html",
            status=422 if error else 200,
            now=now,
            visitor=visitor,
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


def routes(them: Visits, doors: Doors) -> APIRouter:
    """For whoever goes to these homes, and for whoever answers for them."""
    router = APIRouter(prefix="/homes/{home_id}/visit")
    OnDuty = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*ON_DUTY))]  # noqa: N806

    @router.get("")
    def show(request: Request, visitor: OnDuty, home_id: str) -> Response:
        return them.show(request, visitor, them.pages.home(visitor, home_id))

    @router.post("")
    def note(
        request: Request,
        visitor: Acting,
        home_id: str,
        elder: Annotated[str, Form(max_length=20)] = "",
        note: Annotated[str, Form(max_length=1000)] = "",
        code: Annotated[str, Form(max_length=20)] = "",
    ) -> Response:
        home, given = them.pages.home(visitor, home_id), {"elder": elder, "note": note, "code": code}
        if elder not in list(Elder):
            text = N_("Please choose how the resident is.")
        elif them.keep(home, visitor.account.person, Elder(elder), note, code) is None:
            text = N_("That is not the code beside this door.")
        else:
            return RedirectResponse("/today", status_code=303)
        return them.show(request, visitor, home, tongue_of(request).say(text), **given)

    return router
