"""A month of a place on paper, with what each figure means; and the same as a workbook."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from alerts import sla, wording
from alerts.sla import Share
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.chronicle import HEADS, percent
from dashboard.county import Month, Sight
from dashboard.doors import Doors
from dashboard.files import OF, Table, as_workbook
from dashboard.overview import LEADERS, Overview, address
from dashboard.printer import FALLBACK_ZONE, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Severity

MEANINGS: dict[str, tuple[str, str]] = {
    "alerts": (
        N_("Alerts"),
        N_("For which people were called: not the equipment, tests and doubles, nor what the resident took back."),
    ),
    "answered-60": (
        N_("Answered within 60 s"),
        N_("From the alert until somebody who can go has accepted it. Alarm centres promise 97.5 %."),
    ),
    "answered-180": (N_("Answered within 180 s"), N_("The same within three minutes. Alarm centres promise 99 %.")),
    "answer": (N_("Answer, median"), N_("Half of the alerts were accepted sooner than this.")),
    "arrived-15": (
        N_("Arrived within 15 min"),
        N_("From the alert until somebody was at the door, where somebody set out or should have; the aim in town."),
    ),
    "arrived-30": (N_("Arrived within 30 min"), N_("The same within half an hour; the aim for remote homes.")),
    "arrival": (N_("Arrival, median"), N_("Half of those who went were there sooner than this.")),
    "breached": (
        N_("Deadline missed"),
        N_("Alerts that were accepted, set off for or reached later than their own ladder allows."),
    ),
    "false": (
        N_("False alarms"),
        N_("Of the alerts whose outcome says whether they were so, those that were not."),
    ),
    "looked-in": (
        N_("Looked in on within a day"),
        N_("After help, an emergency or a shut door somebody looks in again within 24 hours."),
    ),
    "visits": (N_("Visits"), N_("How often somebody went there without being called, and noted it.")),
    "visits-met": (N_("Resident met"), N_("Of these visits those at which the resident was seen.")),
    "visits-proven": (
        N_("Proven at the door"),
        N_("Of these visits those of which the home's own door, or the code beside it, says that somebody came."),
    ),
    "visits-homes": (
        N_("Homes visited"),
        N_("Of the homes watched on the day of printing, those in which somebody met the resident in this month."),
    ),
    "watched": (N_("Homes watched"), N_("On the day of printing: on trial or guarded.")),
    "seen": (
        N_("Heard, and sees all it could"),
        N_("On the day of printing: homes that are heard and in which nothing is out of order that should notice."),
    ),
    "buttons": (N_("Buttons proven this month"), N_("Emergency buttons that were tried out in the last 31 days.")),
    "reached": (
        N_("People on duty proven to be reached"),
        N_("Ways to whoever holds a post, by which a message was answered or taken in the last 31 days."),
    ),
}
RULE_HEADS = (N_("Alert"), N_("Raised"), N_("Right"), N_("Wrong"), N_("Unclear"), N_("Precision"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its name and its meaning, in words."""

    name: str
    value: int | Share | timedelta | None
    meaning: str

    def said(self, tongue: Tongue) -> str:
        if isinstance(self.value, Share):
            return percent(self.value)
        if isinstance(self.value, timedelta):
            return tongue.span(self.value)
        return "–" if self.value is None else str(self.value)


def figures(month: Month, sight: Sight, tongue: Tongue) -> Iterator[Figure]:
    """All of them, in the order in which they are read."""
    of = month.figures
    values: dict[str, int | Share | timedelta | None] = {
        "alerts": of.alerts,
        "answered-60": of.answered[0],
        "answered-180": of.answered[1],
        "answer": of.answer,
        "arrived-15": of.arrived[0],
        "arrived-30": of.arrived[1],
        "arrival": of.arrival,
        "breached": of.breached,
        "false": of.false,
        "looked-in": of.looked_in,
        "visits": month.visits.made,
        "visits-met": month.visits.met,
        "visits-proven": month.visits.proven,
        "visits-homes": month.visits.homes,
        "watched": sight.whole.watched,
        "seen": sight.whole.seen,
        "buttons": sight.proof.buttons,
        "reached": sight.proof.reached,
    }
    for key, value in values.items():
        name, meaning = MEANINGS[key]
        yield Figure(tongue.say(name), value, tongue.say(meaning))


class Months:
    """What this page needs from the stores."""

    def __init__(self, overview: Overview) -> None:
        self.overview = overview
        self.house = overview.house

    def month(self, place: str, month: str) -> Month:
        try:
            return self.overview.county.month(place, month, self.house.clock.now())
        except ValueError:
            raise HTTPException(404) from None

    def show(self, request: Request, visitor: Visitor, place: str, month: str) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        found = self.month(place, month)
        middle = datetime.fromisoformat(f"{month}-15")
        return self.overview.pages.printer.page(
            request,
            "month_sheet.html",
            now=now,
            visitor=visitor,
            place=place,
            back=address(place),
            title=self.overview.title(place, tongue),
            month=month,
            found=found,
            figures=list(figures(found, self.overview.county.see(place, now), tongue)),
            severities=[
                (wording.severity_name(severity, tongue.language), n)
                for severity in Severity
                if (n := found.severities[severity])
            ],
            heads=[tongue.say(head) for head in HEADS],
            rule_heads=[tongue.say(head) for head in RULE_HEADS],
            name_of=lambda code: self.overview.title(code, tongue),
            rule_name=lambda code: wording.alert_name(code, tongue.language),
            outcomes=[(wording.outcome_name(outcome, tongue.language), n) for outcome, n in found.outcomes],
            percent=percent,
            previous=f"{middle - timedelta(days=30):%Y-%m}",
            following=f"{middle + timedelta(days=30):%Y-%m}",
            is_now=month >= sla.month_of(now, FALLBACK_ZONE),
        )

    def tables(self, place: str, month: str, tongue: Tongue) -> Sequence[Table]:
        found, say = self.month(place, month), tongue.say
        sight = self.overview.county.see(place, self.house.clock.now())
        told = [(one.name, one.value, one.meaning) for one in figures(found, sight, tongue)]
        parts = [
            (self.overview.title(one.grid, tongue), one.alerts, *one.answered, *one.arrived, one.false)
            for one in found.parts
        ]
        rules = [
            (wording.alert_name(one.code, tongue.language), one.raised, one.real, one.false, one.unsure, one.right)
            for one in found.rules
        ]
        outcomes = [(wording.outcome_name(outcome, tongue.language), n) for outcome, n in found.outcomes]
        return (
            Table(
                say("Figures"),
                [say("Figure"), say("Value"), say("What it means")],
                [(name, _plain(value), meaning) for name, value, meaning in told],
            ),
            Table(say("By area"), [say("Area"), *(say(head) for head in HEADS[2:8])], parts),
            Table(say("By rule"), [say(head) for head in RULE_HEADS], rules),
            Table(say("Outcomes"), [say("Outcome"), say("Alerts")], outcomes),
        )


def _plain(value: object) -> object:
    """In a column of unlike things a share is said as on paper, and a span in seconds."""
    if isinstance(value, Share):
        return percent(value)
    return value.total_seconds() if isinstance(value, timedelta) else value


def routes(months: Months, doors: Doors) -> Addresses:
    """For whoever answers for an area, within it."""
    router = Addresses()
    overview = months.overview
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)

    @router.get("/month/{place}/{month}.xlsx")
    def download(request: Request, visitor: Leader, place: str, month: str) -> Response:
        tongue = tongue_of(request)
        tables = months.tables(overview.place(visitor, place), month, tongue)
        return as_workbook(f"month-{month}", tables, tongue.say(OF))

    @router.get("/month/{place}/{month}")
    def show(request: Request, visitor: Leader, place: str, month: str) -> Response:
        return months.show(request, visitor, overview.place(visitor, place), month)

    return router
