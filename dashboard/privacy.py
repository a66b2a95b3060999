"""What leaders answer for: who looked, which glass was broken and why, a copy for whoever asks, and erasure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.elder import Elder
from dashboard.forms import Why, Word
from dashboard.pages import Pages
from dashboard.people import KEEPERS
from dashboard.printer import FALLBACK_ZONE, alert_url, tongue_of
from dashboard.words import N_
from gateway.domain import Act, Duty, Home
from gateway.registry import RegistrationError

LEADERS = (Duty.SUPERVISOR, Duty.ADMIN)

LOOKED_BACK = timedelta(days=90)
"""So far back stands what was opened without being asked; all of it is in the audit trail."""

OPENED, REVIEWED = "card.opened", "card.reviewed"

SAID = {"erased": N_("Erased. The proof stands in the audit trail."), "reviewed": N_("Noted.")}


@dataclass(frozen=True, slots=True)
class Glass:
    """An emergency card that somebody opened: for what reason, and who has looked at that reason since."""

    act: Act
    home: Home
    name: str
    reviewer: str
    verdict: str


class Privacy:
    """What these pages need from the stores."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self.printer = pages.printer
        self.elder = Elder(pages)

    def show(self, request: Request, visitor: Visitor, home: Home, error: str = "") -> Response:
        return self.printer.page(
            request,
            "privacy.html",
            status=422 if error else 200,
            visitor=visitor,
            page_zone=home.zone,
            here=f"/install/{home.id}/privacy",
            home=home,
            may_act=self.house.privacy is not None and visitor.account.duty is Duty.ADMIN,
            error=error,
        )

    def glasses(self, visitor: Visitor, now: datetime) -> list[Glass]:
        """The newest first: those of the homes that are theirs to answer for."""
        store, found = self.house.alerts, []
        reviewed = {act.ref: act for act in store.acts(limit=5_000, what=REVIEWED, since=now - LOOKED_BACK)}
        for act in store.acts(limit=1_000, what=OPENED, since=now - LOOKED_BACK):
            home = self.house.registry.home(dict(act.facts).get("home", ""))
            if home is None or not self.pages.covers(visitor, home.grid):
                continue
            review = reviewed.get(key_of(act))
            reviewer = self.pages.name_of(review.who) if review else ""
            found.append(Glass(act, home, self.pages.name_of(act.who), reviewer, review.why if review else ""))
        return found

    def show_glasses(self, request: Request, visitor: Visitor, said: str = "") -> Response:
        now, tongue = self.house.clock.now(), tongue_of(request)
        return self.printer.page(
            request,
            "glass.html",
            now=now,
            visitor=visitor,
            page_zone=FALLBACK_ZONE,
            here="/glass",
            glasses=self.glasses(visitor, now),
            key=key_of,
            alert_url=alert_url,
            said=tongue.say(SAID[said]) if said in SAID else "",
        )


def key_of(act: Act) -> str:
    """One opening, by alert, person and moment."""
    return f"{act.ref}@{act.who}@{act.at.isoformat()}"


# --------------------------------------------------------------------------- routes


def routes(privacy: Privacy, doors: Doors) -> Addresses:
    """The addresses of these pages."""
    router = Addresses()
    pages, house = privacy.pages, privacy.house
    Keeper = Annotated[Visitor, Depends(doors.signed_in(*KEEPERS))]  # noqa: N806 (a type)
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806
    Reviewing = Annotated[Visitor, Depends(doors.acting(*LEADERS))]  # noqa: N806
    Acting = Annotated[Visitor, Depends(doors.acting(Duty.ADMIN))]  # noqa: N806

    @router.get("/install/{home_id}/looks")
    def show_looks(request: Request, visitor: Keeper, home_id: str) -> Response:
        """On paper, for a resident who has no screen."""
        home = pages.home(visitor, home_id)
        return privacy.elder.show_onlookers(request, visitor, home, f"/install/{home.id}/people")

    @router.get("/install/{home_id}/privacy")
    def show(request: Request, visitor: Leader, home_id: str) -> Response:
        return privacy.show(request, visitor, pages.home(visitor, home_id))

    @router.post("/install/{home_id}/privacy/copy")
    def copy(visitor: Acting, home_id: str) -> Response:
        """Everything kept about them, as one file; asked for by a form, for it is written down who took it."""
        home = pages.home(visitor, home_id)
        if house.privacy is None:
            raise HTTPException(404)
        packed = house.privacy.export(home.id, who=visitor.account.person, now=house.clock.now())
        name = f'attachment; filename="{home.id}.zip"'
        return Response(packed, media_type="application/zip", headers={"Content-Disposition": name})

    @router.post("/install/{home_id}/privacy/erase")
    def erase(
        request: Request,
        visitor: Acting,
        home_id: str,
        code: Word = "",
        why: Why = "",
    ) -> Response:
        """Nothing of it can be brought back, so the household's own number is typed in."""
        home, tongue = pages.home(visitor, home_id), tongue_of(request)
        if house.privacy is None:
            raise HTTPException(404)
        if code.strip() != home.code:
            error = tongue.say("That is not this household's number. Nothing was erased.")
            return privacy.show(request, visitor, home, error)
        try:
            house.privacy.erase(home.id, why=why, who=visitor.account.person, now=house.clock.now())
        except RegistrationError as refusal:
            return privacy.show(request, visitor, home, refusal.say(tongue.language))
        return RedirectResponse("/glass?said=erased", status_code=303)

    @router.get("/glass")
    def show_glasses(request: Request, visitor: Leader, said: str = "") -> Response:
        return privacy.show_glasses(request, visitor, said)

    @router.post("/glass")
    def review(
        visitor: Reviewing,
        opening: Annotated[str, Form(max_length=400)] = "",
        verdict: Why = "",
    ) -> Response:
        """Somebody who did not open it themselves has looked whether the reason holds."""
        now = house.clock.now()
        found = next((g for g in privacy.glasses(visitor, now) if key_of(g.act) == opening), None)
        if found is None or found.act.who == visitor.account.person or not verdict.strip():
            raise HTTPException(422)
        with house.registry.begin() as ledger:
            ledger.audit(Act(at=now, who=visitor.account.person, what=REVIEWED, ref=opening, why=verdict.strip()))
        return RedirectResponse("/glass?said=reviewed", status_code=303)

    return router
