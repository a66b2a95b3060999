"""What a grid worker has to do today, on one page: hers, whom to look in on, who comes home, what to try and bring."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from alerts import sla
from alerts.drills import ButtonLine, button_lines
from alerts.visits import Due, dues
from dashboard import faults
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.faults import Fault, Spare
from dashboard.pages import ON_DUTY, Pages
from dashboard.printer import tongue_of
from dashboard.words import N_
from gateway.domain import Absence, Alert, Home, Override, Severity
from gateway.domain.plan import ABSENCE, VISIT, VISIT_DUE, window_of

SOON = timedelta(hours=24)
"""An absence that ends within this is today's: whoever comes home may need something."""
BATTERY_WITHIN = timedelta(days=14)
"""A battery that will be empty within this goes along today; the installer's board looks further ahead."""
SHOWN = 100
"""Lines of one sort: more than anybody does in a day."""

FROM = {
    Absence.HOLIDAY: N_("from a journey"),
    Absence.HOSPITAL: N_("from hospital"),
    Absence.FAMILY: N_("from the family"),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody who is expected in a home today."""

    home: Home
    who: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """One day's work in some homes, what is late first in each part."""

    mine: tuple[Alert, ...]  # accepted and not yet settled
    follow_ups: tuple[tuple[datetime, Alert], ...]  # to be looked in on again, by when
    care: tuple[Alert, ...]  # hints of care: a visit without haste
    visits: tuple[Due, ...]  # homes to which somebody goes without being called, due now or in the coming days
    returns: tuple[Override, ...]  # absences that end
    expected: tuple[Expected, ...]
    tests: tuple[ButtonLine, ...]  # emergency buttons that nobody has tried for a month
    batteries: tuple[Fault, ...]
    bag: dict[tuple[Spare, str], int]

    @property
    def count(self) -> int:
        parts = (self.mine, self.follow_ups, self.care, self.visits, self.returns, self.tests, self.batteries)
        return sum(len(part) for part in parts)


class Today:
    """What this page needs from the stores."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self.printer = pages.printer

    def day(self, visitor: Visitor, now: datetime) -> Day:
        house = self.house
        homes = {home.id: home for home in self.pages.homes(visitor)}
        plans = house.registry.plans(homes, now)
        picture = self.pages.tally.look(now)
        unclosed = sorted((a for a in picture.unclosed if a.home in homes), key=_gravity)
        due = ((at, alert) for alert in unclosed if (at := sla.follow_up_due(alert)) is not None)
        absences = (line for line in house.registry.in_force(ABSENCE, now) if line.home in homes)
        flat = [fault for fault in faults.faults(homes.values(), unclosed, house.readings, now) if _is_flat(fault, now)]
        visits = dues(homes.values(), house.registry, picture.visited.values(), plans)
        tests = button_lines(homes.values(), picture.tested.values(), plans, now)
        return Day(
            mine=tuple(a for a in unclosed if a.is_taken and a.owner == visitor.account.person),
            follow_ups=tuple(sorted(due, key=lambda line: line[0])[:SHOWN]),
            care=tuple(a for a in unclosed if a.is_ringing and a.severity is Severity.CARE and a.code != VISIT_DUE)[
                :SHOWN
            ],
            visits=tuple(due for due in visits if due.is_soon(now))[:SHOWN],
            returns=tuple(line for line in absences if line.until is not None and line.until <= now + SOON)[:SHOWN],
            expected=tuple(expected for home in homes.values() for expected in _expected(home, plans[home.id], now))[
                :SHOWN
            ],
            tests=tuple(test for test in tests if test.is_due)[:SHOWN],
            batteries=tuple(flat[:SHOWN]),
            bag={spare: n for spare, n in faults.bag(flat).items() if spare[0] is Spare.CELL},
        )

    def show(self, request: Request, visitor: Visitor) -> Response:
        house, now, tongue = self.house, self.house.clock.now(), tongue_of(request)
        after, day = house.alerts.last_event(), self.day(visitor, now)
        return self.printer.page(
            request,
            "today.html",
            now=now,
            visitor=visitor,
            keep=True,
            day=day,
            home_of=house.registry.home,
            returns_from=lambda line: tongue.say(FROM[Absence(line.value)]) if line.value in list(Absence) else "",
            live=f"/events?after={after}",
        )


def _gravity(alert: Alert) -> tuple[int, float, str]:
    """The gravest first, and of these what is new."""
    return alert.severity.value, -alert.raised_at.timestamp(), alert.id


def _is_flat(fault: Fault, now: datetime) -> bool:
    """Whether a battery is due there within the next days, or nobody knows for how long it has been."""
    if not any(spare is Spare.CELL for spare, _ in fault.bring):
        return False
    return fault.empty_at is None or fault.empty_at <= now + BATTERY_WITHIN


def _expected(home: Home, plan: list[Override], now: datetime) -> list[Expected]:
    """Who is expected there on the rest of this day, by the home's own clock."""
    found = []
    for line in plan:
        if line.key.partition("/")[0] != VISIT:
            continue
        around = window_of(line.key, line.value).around(now, home.zone)
        if around is not None and around[0].date() <= now.astimezone(home.zone).date():
            found.append(Expected(home, line.reason, *around))
    return found


def routes(today: Today, doors: Doors) -> Addresses:
    """For whoever goes to these homes, and for whoever answers for them."""
    router = Addresses()
    OnDuty = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)

    @router.get("/today")
    def show(request: Request, visitor: OnDuty) -> Response:
        return today.show(request, visitor)

    return router
