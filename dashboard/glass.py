"""破窗: somebody on duty who was not called, or is from elsewhere, is the one who can go. Their own number of the
household opens its emergency to them, with a reason, for an hour; it is written down, and told to whoever leads there.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from alerts import card
from alerts.card import Opening
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why, Word
from dashboard.pages import ON_DUTY, Pages
from dashboard.printer import alert_url, tongue_of
from gateway.domain import Act, Alert, Severity

TRIES = 5
"""Numbers under which nothing was open, in an hour: whoever was told one by telephone needs one or two."""

AN_HOUR = timedelta(hours=1)

REFUSED = "card.refused"


class Glass:
    """What this page needs from the stores."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house

    def show(self, request: Request, visitor: Visitor, *, error: str = "", code: str = "", why: str = "") -> Response:
        return self.pages.printer.page(
            request,
            "glass_break.html",
            status=422 if error else 200,
            visitor=visitor,
            here="/glass/break",
            lasts=card.LASTS,
            code=code,
            why=why,
            error=error,
        )

    def emergency(self, code: str) -> Alert | None:
        """The emergency that is open in the household of this number, the newest."""
        home = next((one for one in self.house.registry.homes() if one.code == code and code), None)
        if home is None:
            return None
        open_ones = self.house.alerts.alerts(home=home.id, unclosed=True)
        return next((a for a in open_ones if a.is_open and a.severity is Severity.EMERGENCY), None)

    def has_guessed(self, who: str) -> bool:
        since = self.house.clock.now() - AN_HOUR
        return len(self.house.alerts.acts("glass", TRIES, who=who, what=REFUSED, since=since)) >= TRIES

    def break_it(self, visitor: Visitor, code: str, why: str) -> Alert | None:
        """The alert that is open to them now; None where there is nothing under this number, whatever the reason."""
        who, now = visitor.account.person, self.house.clock.now()
        alert = None if self.has_guessed(who) else self.emergency(code)
        if alert is not None:
            opening = card.disclose(self.house.alerts, self.house.registry, alert.id, who, why, now, lends_a_hand=True)
            return alert if isinstance(opening, Opening) else None
        with self.house.registry.begin() as ledger:
            ledger.audit(Act(at=now, who=who, what=REFUSED, ref="glass", why=why))
        return None


# --------------------------------------------------------------------------- routes


def routes(glass: Glass, doors: Doors) -> Addresses:
    """For whoever is on duty anywhere."""
    router = Addresses(prefix="/glass")
    In = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*ON_DUTY))]  # noqa: N806

    @router.get("/break")
    def show(request: Request, visitor: In) -> Response:
        return glass.show(request, visitor)

    @router.post("/break")
    def break_it(
        request: Request,
        visitor: Acting,
        code: Word = "",
        why: Why = "",
    ) -> Response:
        say, code, why = tongue_of(request).say, code.strip(), why.strip()
        if len(why) < card.SHORTEST_REASON:
            error = say("Write down why you need it: for whom, and what for.")
            return glass.show(request, visitor, error=error, code=code, why=why)
        alert = glass.break_it(visitor, code, why)
        if alert is None:  # the same whether the number is wrong, nothing is open there, or too much was tried
            error = say("No emergency is open under this number. Ask for it once more, or call the duty desk.")
            return glass.show(request, visitor, error=error, code=code, why=why)
        return RedirectResponse(alert_url(alert.id), status_code=303)

    return router
