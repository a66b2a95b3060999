"""The pages of what is kept: an alert's timeline, the clocks that run, who is to be looked in on, the figures."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from alerts import load, sla, wording
from alerts.sla import Figures, Step
from alerts.timeline import Sort
from dashboard import views
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.chronicle import HEADS, Chronicle, sheet
from dashboard.doors import Doors
from dashboard.files import OF, Table, as_workbook
from dashboard.pages import ON_DUTY, WITH_INSTALLERS, Pages
from dashboard.printer import FALLBACK_ZONE, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Alert, Duty, State

STEPS: Mapping[Step, str] = {
    Step.ACCEPT: N_("to be accepted"),
    Step.DEPART: N_("to set off"),
    Step.ARRIVE: N_("to arrive"),
}

SORTS: Mapping[Sort, str] = {
    Sort.READING: N_("seen"),
    Sort.DECISION: N_("decided"),
    Sort.MESSAGE: N_("message"),
    Sort.PERSON: N_("person"),
}


class Records:
    """What these pages need from the stores."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self.printer = pages.printer
        house = self.house
        self.chronicle = Chronicle(house.alerts, house.registry, house.readings, house.clock, pages.tally)

    def show_timeline(self, request: Request, visitor: Visitor, alert: Alert) -> Response:
        tongue, home = tongue_of(request), self.house.registry.home(alert.home)
        zone = home.zone if home else FALLBACK_ZONE
        return self.printer.page(
            request,
            "timeline_sheet.html",
            visitor=visitor,
            page_zone=zone,
            alert=alert,
            home=home,
            sentences=wording.explain(alert.finding, tongue.language, zone, home),
            told=self.chronicle.told(alert, tongue),
            sort_names={sort: tongue.say(name) for sort, name in SORTS.items()},
            owner=self.pages.name_of(alert.owner) if alert.owner else "",
        )

    # ------------------------------------------------------------------ the clocks that run

    def show_clocks(self, request: Request, visitor: Visitor) -> Response:
        house, now, tongue = self.house, self.house.clock.now(), tongue_of(request)
        unclosed = house.alerts.alerts(unclosed=True, limit=views.ALL)
        places = {a.home: home for a in unclosed if (home := house.registry.home(a.home)) is not None}
        homes = {home_id: home for home_id, home in places.items() if self.pages.covers(visitor, home.grid)}
        unclosed = [a for a in unclosed if a.home in homes]
        board = sla.board([a for a in unclosed if views.is_for_people(a.severity)], now)
        due = sorted(
            ((at, alert) for alert in unclosed if (at := sla.follow_up_due(alert)) is not None),
            key=lambda line: line[0],
        )
        return self.printer.page(
            request,
            "clocks_list.html",
            now=now,
            visitor=visitor,
            board=board,
            follow_ups=due,
            homes=homes,
            step_name=lambda step: tongue.say(STEPS[step]),
            holder=lambda alert: self.pages.name_of(alert.holder) if alert.holder else "",
            people_load=self._load_of_people(homes, now),
            home_load=load.of_homes(house.alerts.raised_by_home(now - load.A_WEEK), homes),
            to_file=sum(a.state in (State.RESOLVED, State.FOLLOWED_UP) and not sla.follow_up_due(a) for a in unclosed),
            live=f"/events?after={house.alerts.last_event()}",
        )

    def _load_of_people(self, homes: Collection[str], now: datetime) -> list[tuple[str, load.Load]]:
        """Each person by name, with for how many alerts of these homes they were called in a day."""
        found = load.of_people(self.house.alerts.called(now - load.A_DAY), homes)
        return [(self.pages.name_of(one.who), one) for one in found]

    # ------------------------------------------------------------------ the figures

    def show_figures(self, request: Request, visitor: Visitor, month: str) -> Response:
        now, tongue = self.house.clock.now(), tongue_of(request)
        month = month or sla.month_of(now, FALLBACK_ZONE)
        rows = self._rows(visitor, month)
        first = datetime.fromisoformat(f"{month}-15")
        return self.printer.page(
            request,
            "figures_sheet.html",
            visitor=visitor,
            month=month,
            rows=rows,
            heads=[tongue.say(head) for head in HEADS],
            grid_name=self.chronicle.grid_name(tongue),
            previous=f"{first - timedelta(days=30):%Y-%m}",
            following=f"{first + timedelta(days=30):%Y-%m}",
            is_now=month >= sla.month_of(now, FALLBACK_ZONE),
        )

    def figures_sheet(self, visitor: Visitor, month: str, tongue: Tongue) -> str:
        return sheet(self._rows(visitor, month), tongue, self.chronicle.grid_name(tongue))

    def figures_table(self, visitor: Visitor, month: str, tongue: Tongue) -> Table:
        names = self.chronicle.grid_name(tongue)
        seconds = [tongue.say("{what}, in seconds", what=tongue.say(head)) for head in HEADS[8:]]
        rows = [
            (
                names.get(row.grid, row.grid),
                row.month,
                row.alerts,
                *row.answered,
                *row.arrived,
                row.false,
                *(span.total_seconds() if span is not None else None for span in (row.answer, row.arrival)),
            )
            for row in self._rows(visitor, month)
        ]
        return Table(month, [*(tongue.say(head) for head in HEADS[:8]), *seconds], rows)

    def _rows(self, visitor: Visitor, month: str) -> list[Figures]:
        try:
            return self.chronicle.figures(month, lambda grid: self.pages.covers(visitor, grid))
        except ValueError:
            raise HTTPException(404) from None


# --------------------------------------------------------------------------- routes


def routes(records: Records, doors: Doors) -> Addresses:
    """For who may see the home; the figures for who leads and whoever is measured by them."""
    router = Addresses()
    pages = records.pages
    In = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)
    Dealing = Annotated[Visitor, Depends(doors.signed_in(*WITH_INSTALLERS))]  # noqa: N806

    def whole(visitor: Visitor, alert_id: str) -> Alert:
        """A timeline shows somebody's day, so an installer reads none that has any."""
        if visitor.account.duty is Duty.INSTALLER:
            raise HTTPException(403)
        return pages.alert(visitor, alert_id)

    @router.get("/alerts/{alert_id:path}/timeline")
    def show_timeline(request: Request, visitor: Dealing, alert_id: str) -> Response:
        return records.show_timeline(request, visitor, whole(visitor, alert_id))

    @router.get("/clocks")
    def show_clocks(request: Request, visitor: In) -> Response:
        return records.show_clocks(request, visitor)

    @router.get("/figures")
    def show_figures(request: Request, visitor: In, month: str = "") -> Response:
        return records.show_figures(request, visitor, month)

    @router.get("/figures.csv")
    def download_figures(request: Request, visitor: In, month: str = "") -> Response:
        text = records.figures_sheet(
            visitor, month or sla.month_of(pages.house.clock.now(), FALLBACK_ZONE), tongue_of(request)
        )
        # The mark at the beginning tells a spreadsheet that it is UTF-8.
        return Response(
            "\ufeff" + text,
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="figures.csv"'},
        )

    @router.get("/figures.xlsx")
    def download_workbook(request: Request, visitor: In, month: str = "") -> Response:
        tongue = tongue_of(request)
        month = month or sla.month_of(pages.house.clock.now(), FALLBACK_ZONE)
        return as_workbook("figures", [records.figures_table(visitor, month, tongue)], tongue.say(OF))

    return router
