"""Who can be reached and which button calls, by test: what is overdue first, and the buttons to try it now."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.drills import ButtonLine, Standing, WayLine, button_lines, drill, responders, way_lines
from alerts.selftest import WINDOW
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.house import House
from dashboard.pages import Pages, channel_word
from dashboard.printer import Printer, tongue_of
from dashboard.words import N_
from gateway.domain import Duty, Person
from gateway.registry import RegistrationError

TRIERS = (Duty.GRID_WORKER, Duty.DEPUTY, Duty.SUPERVISOR, Duty.ADMIN)
"""Who may try out the buttons of homes that are theirs to see."""
CALLERS = (Duty.SUPERVISOR, Duty.ADMIN)
"""Who may see how everybody can be reached, and send them a drill."""

SHOWN = 200
"""Homes, and people, on the page; what is due stands first."""

STANDINGS: Mapping[Standing, str] = {
    Standing.FAILED: N_("does not arrive"),
    Standing.UNANSWERED: N_("not answered"),
    Standing.NEVER: N_("never tried"),
    Standing.OVERDUE: N_("not tried for a month"),
    Standing.UNDER_WAY: N_("under way"),
    Standing.SENT: N_("sent, no answer asked for"),
    Standing.WELL: N_("answered"),
}


class Drills:
    """What the page of drills needs from the stores."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages

    def ways(self, visitor: Visitor) -> list[WayLine]:
        if visitor.account.duty not in CALLERS:
            return []
        registry = self.house.registry
        theirs = {person.id for person in self.pages.people(visitor)}
        called = [person for person in responders(registry) if person.id in theirs]
        return way_lines(called, self.house.alerts.trials(), self.house.clock.now())

    def buttons(self, visitor: Visitor) -> list[ButtonLine]:
        now, homes = self.house.clock.now(), self.pages.homes(visitor)
        plans = self.house.registry.plans((home.id for home in homes), now)
        return list(button_lines(homes, self.pages.tally.look(now).tested.values(), plans, now))

    def show(self, request: Request, visitor: Visitor, error: str = "", status: int = 200) -> Response:
        tongue, ways, buttons = tongue_of(request), self.ways(visitor), self.buttons(visitor)
        people: dict[str, list[WayLine]] = {}
        for line in ways:
            people.setdefault(line.person.id, []).append(line)
        homes: dict[str, list[ButtonLine]] = {}
        for button in buttons:
            homes.setdefault(button.home.id, []).append(button)
        due = sum(way.standing.is_due for way in ways) + sum(button.is_due for button in buttons)
        return self.printer.page(
            request,
            "drills.html",
            visitor=visitor,
            status=status,
            people=list(people.values())[:SHOWN],
            people_in_all=len(people),
            homes=list(homes.values())[:SHOWN],
            homes_in_all=len(homes),
            due=due,
            error=error,
            channel=lambda name: channel_word(name, tongue),
            standing=lambda line: tongue.say(STANDINGS[line.standing]),
            reason=lambda text: wording.reason_text(text, tongue.language) if text else "",
            may_call=visitor.account.duty in CALLERS,
        )

    def person(self, visitor: Visitor, person_id: str) -> Person:
        """Whom this visitor may send a drill; else the same 404 as where there is nobody."""
        person = next((one for one in self.pages.people(visitor) if one.id == person_id), None)
        if person is None or not person.reaches:
            raise HTTPException(404)
        return person


def routes(drills: Drills, doors: Doors) -> Addresses:
    """The page, and its two acts."""
    router = Addresses()
    house = drills.house
    Reader = Annotated[Visitor, Depends(doors.signed_in(*TRIERS))]  # noqa: N806 (a type)
    Trier = Annotated[Visitor, Depends(doors.acting(*TRIERS))]  # noqa: N806
    Caller = Annotated[Visitor, Depends(doors.acting(*CALLERS))]  # noqa: N806

    @router.get("/drills")
    def show(request: Request, visitor: Reader) -> Response:
        return drills.show(request, visitor)

    @router.post("/drills/people/{person_id}")
    def call(request: Request, visitor: Caller, person_id: str) -> Response:
        drill(house.desk, drills.person(visitor, person_id), visitor.account.person, house.clock.now())
        return RedirectResponse("/drills", status_code=303)

    @router.post("/drills/homes/{home_id}")
    def announce(request: Request, visitor: Trier, home_id: str) -> Response:
        home, now = drills.pages.home(visitor, home_id), house.clock.now()
        try:
            house.registrar.announce_button_test(home.id, now + WINDOW, who=visitor.account.person, now=now)
        except RegistrationError as refused:
            return drills.show(request, visitor, refused.say(tongue_of(request).language), 422)
        return RedirectResponse("/drills", status_code=303)

    return router
