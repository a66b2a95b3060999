"""The installer's board: what is broken, what will be soon, where to drive, and what to bring."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from dashboard import faults, views
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.faults import Fault, Spare, Urgency
from dashboard.house import House
from dashboard.install_words import FAULTS
from dashboard.pages import Pages
from dashboard.printer import Printer, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Duty, Home, Monitoring
from gateway.registry import RegistrationError

READERS = (Duty.INSTALLER, Duty.SUPERVISOR, Duty.ADMIN)

SHOWN = 300
"""Lines of one kind on the board; whoever has more of them works by the route list of a grid."""

URGENCIES: Mapping[Urgency, str] = {
    Urgency.LIFE: N_("First: an emergency could go unnoticed"),
    Urgency.FAULT: N_("Faults"),
    Urgency.BATTERY: N_("Batteries due"),
    Urgency.HINT: N_("When you are there anyway"),
}
SPARES: Mapping[Spare, tuple[str, str]] = {
    Spare.CELL: (N_("battery {kind}"), N_("battery: see the device for its type")),
    Spare.DEVICE: (N_("spare device {kind}"), N_("spare device")),
    Spare.HUB: (N_("spare hub, power supply, network cable"), N_("spare hub, power supply, network cable")),
    Spare.REPEATER: (N_("mains plug as a repeater"), N_("mains plug as a repeater")),
    Spare.MISSING: (N_("what is missing"), N_("what is missing")),
}


class Board:
    """What the board and the route list need from the stores."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages

    def faults(self, visitor: Visitor) -> list[Fault]:
        house = self.house
        unclosed = house.alerts.alerts(unclosed=True, limit=views.ALL)
        return faults.faults(self.pages.homes(visitor), unclosed, house.readings, house.clock.now())

    def learnt(self, visitor: Visitor) -> list[Home]:
        """Homes whose learning period is over, and nobody has said yet that they are guarded."""
        now = self.house.clock.now()
        homes = [h for h in self.pages.homes(visitor) if h.state is Monitoring.TRIAL and h.trial_until is not None]
        return [home for home in homes if home.trial_until is not None and home.trial_until <= now]

    def guard(self, visitor: Visitor, home_id: str) -> None:
        """Somebody has looked at a home whose learning period is over, and says that it is guarded from now on."""
        home = self.pages.home(visitor, home_id)
        if home.state is Monitoring.GUARDED:
            return  # the button was pressed twice
        if home.id not in {one.id for one in self.learnt(visitor)}:
            raise HTTPException(422)
        try:
            self.house.registrar.set_state(
                home.id, Monitoring.GUARDED, who=visitor.account.person, now=self.house.clock.now()
            )
        except RegistrationError as refusal:
            raise HTTPException(422) from refusal

    def _words(self, tongue: Tongue) -> dict[str, Any]:
        now = self.house.clock.now()

        def bring(spare: tuple[Spare, str]) -> str:
            kind, name = spare
            with_name, without = SPARES[kind]
            return tongue.say(with_name, kind=name) if name else tongue.say(without)

        def what(fault: Fault) -> list[str]:
            """The sentence that says most, and only that: what cannot be noticed, else what people were told."""
            if fault.sensor is not None and fault.gaps:
                return [wording.say_coverage(fault.gaps, fault.home, tongue.language, now)]
            if fault.gaps:
                return [wording.say_gap(gap, fault.home, tongue.language, now) for gap in fault.gaps]
            told = [tongue.say(FAULTS[code]) if code in FAULTS else code for code in fault.codes if code != "home"]
            return told or [wording.alert_name(alert.code, tongue.language) for alert in fault.alerts]

        return {"bring": bring, "what": what}

    def show_board(self, request: Request, visitor: Visitor) -> Response:
        tongue, found = tongue_of(request), self.faults(visitor)
        groups = [
            (urgency.name.lower(), tongue.say(title), [fault for fault in found if fault.urgency is urgency])
            for urgency, title in URGENCIES.items()
        ]
        return self.printer.page(
            request,
            "board_list.html",
            visitor=visitor,
            groups=[(name, title, lines[:SHOWN], len(lines)) for name, title, lines in groups if lines],
            learnt=self.learnt(visitor),
            count=len(found),
            home_base="/homes" if visitor.account.duty is Duty.SUPERVISOR else "/install",
            grid_name=self._grid_names().get,
            **self._words(tongue),
        )

    def show_route(self, request: Request, visitor: Visitor, all_of_it: bool) -> Response:
        tongue = tongue_of(request)
        found = [f for f in self.faults(visitor) if all_of_it or f.urgency is not Urgency.HINT]
        return self.printer.page(
            request,
            "route_sheet.html",
            visitor=visitor,
            grids=faults.route(found),
            bag=faults.bag(found),
            grid_name=self._grid_names().get,
            all_of_it=all_of_it,
            **self._words(tongue),
        )

    def _grid_names(self) -> dict[str, str]:
        return {grid.code: grid.name for grid in self.house.registry.grids()}


def routes(board: Board, doors: Doors) -> Addresses:
    """For whoever sees to the equipment, and for whoever answers for the area."""
    router = Addresses()
    Reader = Annotated[Visitor, Depends(doors.signed_in(*READERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*READERS))]  # noqa: N806

    @router.get("/board")
    def show_board(request: Request, visitor: Reader) -> Response:
        return board.show_board(request, visitor)

    @router.post("/board/homes/{home_id}/guard")
    def guard(visitor: Acting, home_id: str) -> Response:
        board.guard(visitor, home_id)
        return RedirectResponse("/board", status_code=303)

    @router.get("/board/route")
    def show_route(request: Request, visitor: Reader, all: str = "") -> Response:
        return board.show_route(request, visitor, all_of_it=all == "1")

    return router
