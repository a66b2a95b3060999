"""The page of whoever answers for forty grids: what is open and late, how fast people come, which rules are right."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from alerts import sla, wording
from alerts.drills import Standing
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.chronicle import percent
from dashboard.county import NOWHERE, WHOLE, County, Part, Sight
from dashboard.doors import Doors
from dashboard.drills import STANDINGS
from dashboard.files import OF, Table, as_csv, as_workbook
from dashboard.install_words import STATES
from dashboard.pages import Pages
from dashboard.printer import FALLBACK_ZONE, tongue_of
from dashboard.together import Together
from dashboard.words import N_, Tongue
from gateway.domain import Duty, Monitoring, Severity

LEADERS = (Duty.SUPERVISOR, Duty.ADMIN)
"""Who answers for more than the homes they go to."""

SHOWN = 20
"""Of each list on the page; how many more there are is said, and the parts of the place lead to them."""

HEADS = (
    N_("Area"),
    N_("Homes watched"),
    N_("Open"),
    N_("Open, life in danger"),
    N_("Overdue"),
    N_("Not heard"),
    N_("Sees less than it could"),
    N_("Faults of devices"),
    N_("Alerts in 4 weeks"),
    N_("Answered within 60 s"),
    N_("Answered within 180 s"),
    N_("Arrived within 15 min"),
    N_("Arrived within 30 min"),
    N_("False alarms"),
    N_("Deadline missed"),
)


class Overview:
    """What this page needs from the stores."""

    def __init__(self, pages: Pages, county: County) -> None:
        self.pages = pages
        self.house = pages.house
        self.county = county
        self.together: Together[Sight] = Together()

    def front(self, visitor: Visitor) -> str:
        """The place with which somebody begins: theirs, or what in it has more than one part."""
        return self.county.widest(visitor.account.place)

    def place(self, visitor: Visitor, place: str) -> str:
        """The place, or the same 404 whether it does not exist or is not theirs."""
        if place not in self.county.below(WHOLE) or not self.pages.covers(visitor, place):
            raise HTTPException(404)
        return place

    def show(self, request: Request, visitor: Visitor, place: str) -> Response:
        house, tongue, now = self.house, tongue_of(request), self.house.clock.now()
        after = house.alerts.last_event()
        sight = self.together.get((place, after), lambda: self.county.see(place, now))
        language, front = tongue.language, self.front(visitor)
        trail = [code for code in sight.trail if code == front or front in self.county.above(code)]
        return self.pages.printer.page(
            request,
            "overview.html",
            now=now,
            visitor=visitor,
            place=place,
            sight=sight,
            shown=SHOWN,
            title=self.title(place, tongue),
            trail=[(address(code), self.title(code, tongue)) for code in trail],
            heads=[tongue.say(head) for head in HEADS],
            name_of=lambda part: self.name_of(part, tongue),
            address=address,
            percent=percent,
            emergency=Severity.EMERGENCY,
            states=[(tongue.say(STATES[state]), n) for state in Monitoring if (n := sight.whole.homes[state])],
            blind_to=[(wording.task_name(code, language), n) for code, n in sight.blind_to],
            faults=[(wording.alert_name(code, language), n) for code, n in sight.faults],
            rule_name=lambda code: wording.alert_name(code, language),
            person=self.pages.name_of,
            home_of=house.registry.home,
            ways=[(tongue.say(STANDINGS[s]), s.is_due, n) for s in Standing if (n := sight.proof.ways[s])],
            month=sla.month_of(now, FALLBACK_ZONE),
            live=f"/events?after={after}",
        )

    def title(self, place: str, tongue: Tongue) -> str:
        return self.house.registry.place_name(place) if place else tongue.say("All areas")

    def name_of(self, part: Part, tongue: Tongue) -> str:
        return tongue.say("Without a grid") if part.code == NOWHERE else self.title(part.code, tongue)

    def table(self, place: str, tongue: Tongue) -> Table:
        """The parts of a place and their sum, as they stand now."""
        sight = self.county.see(place, self.house.clock.now())
        title = self.title(place, tongue)
        rows = [_row(part, self.name_of(part, tongue)) for part in (*sight.parts, sight.whole)]
        return Table(title, [tongue.say(head) for head in HEADS], rows)


def _row(part: Part, name: str) -> Sequence[object]:
    figures = part.figures
    return (
        name,
        part.watched,
        part.calls,
        part.open[Severity.EMERGENCY],
        part.overdue,
        part.silent,
        part.limited,
        part.faults,
        figures.alerts,
        *figures.answered,
        *figures.arrived,
        figures.false,
        figures.breached,
    )


def address(place: str) -> str:
    """The page of a place; of all of it, the front one."""
    return f"/overview/{quote(place, safe='')}" if place else "/overview"


# --------------------------------------------------------------------------- routes


def routes(overview: Overview, doors: Doors) -> Addresses:
    """For whoever answers for an area, within it."""
    router = Addresses()
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)

    @router.get("/overview")
    def show_front(request: Request, visitor: Leader) -> Response:
        return overview.show(request, visitor, overview.front(visitor))

    @router.get("/overview/{place}")
    def show_place(request: Request, visitor: Leader, place: str) -> Response:
        return overview.show(request, visitor, overview.place(visitor, place))

    @router.get("/overview/{place}/parts.csv")
    def download_csv(request: Request, visitor: Leader, place: str) -> Response:
        tongue = tongue_of(request)
        return as_csv("overview", overview.table(overview.place(visitor, place), tongue), tongue.say(OF))

    @router.get("/overview/{place}/parts.xlsx")
    def download_workbook(request: Request, visitor: Leader, place: str) -> Response:
        tongue = tongue_of(request)
        return as_workbook("overview", [overview.table(overview.place(visitor, place), tongue)], tongue.say(OF))

    return router
