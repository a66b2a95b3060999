"""Administration in one place: each subject with one line that says how it stands, and the way there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from alerts.gaps import NO_RESPONDER
from dashboard import grids, levels, staff, telling
from dashboard.accounts import LEADERS, Accounts
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.county import County
from dashboard.doors import Doors
from dashboard.drills import Drills
from dashboard.machine import Machine
from dashboard.plan import Plans
from dashboard.printer import tongue_of
from dashboard.rota import Rotas
from dashboard.words import N_, Tongue
from gateway.domain import Duty

How = Callable[[Visitor, Tongue], tuple[str, bool]]
"""How a subject stands in a sentence, and whether somebody should look."""


GRIDS_LOOKED_THROUGH = 60
"""Of so many grids the duty sheets are looked through for one line: a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A line of the page."""

    path: str
    title: str
    says: str
    is_bad: bool = False


class Administration:
    """What the page needs from the others."""

    def __init__(
        self, them: Accounts, plans: Plans, county: County, drills: Drills, machine: Machine, sheets: Rotas
    ) -> None:
        self.them = them
        self.county = county
        self.house = them.house
        self.pages = them.pages
        self.drills = drills
        self.machine = machine
        self.sheets = sheets
        self.grids = grids.Grids(them)
        self.staff = staff.Staff(them)
        self.levels = levels.Levels(self.grids, plans)
        self.telling = telling.Telling(them)

    def groups(self, visitor: Visitor, tongue: Tongue) -> Iterator[tuple[str, list[Subject]]]:
        """The subjects as they belong together, for what this visitor may open."""
        is_admin = visitor.account.duty is Duty.ADMIN

        def subjects(*rows: tuple[str, str, How]) -> list[Subject]:
            return [Subject(path, tongue.say(title), *how(visitor, tongue)) for path, title, how in rows]

        yield (
            tongue.say("Places and people"),
            subjects(
                ("/administration/places", N_("Areas and grids"), self.grids.line),
                ("/administration/people", N_("People"), self.staff.line),
                ("/rota", N_("Duty sheets"), self._sheets),
                ("/accounts", N_("Accounts"), self._accounts),
            ),
        )
        yield (
            tongue.say("Alerts and messages"),
            subjects(
                ("/administration/alerts", N_("Alerts, levels and deadlines"), self.levels.line),
                ("/administration/channels", N_("Channels"), self.telling.line),
                ("/drills", N_("Drills"), self._drills),
            ),
        )
        devices: list[tuple[str, str, How]] = [
            ("/board", N_("Faults"), _about(N_("what is broken, and what to bring")))
        ]
        if is_admin:
            devices = [
                ("/install", N_("Installation"), _about(N_("homes, hubs, and devices that have just reported"))),
                *devices,
                ("/quarantine", N_("Unread messages"), self._unread),
                ("/tokens", N_("Other programs"), self._programs),
            ]
        yield tongue.say("Devices and programs"), subjects(*devices)
        machine = self.machine.lines(visitor, tongue) if is_admin else []
        yield (
            tongue.say("What runs and what is kept"),
            [Subject(line.address, line.name, line.words, line.grade == "bad") for line in machine],
        )

    def _sheets(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        """What the list of the sheets says. Of a county it is what was told of the coming days: looking through every
        sheet would take longer than anybody waits."""
        if len(self.sheets.grids(visitor)) <= GRIDS_LOOKED_THROUGH:
            holes = self.sheets.holes(visitor)
            n = sum(hole is not None for hole in holes.values())
            if n:
                text = (
                    N_("{n} grid has hours that nobody has") if n == 1 else N_("{n} grids have hours that nobody has")
                )
                return tongue.say(text, n=n), True
            if not holes:
                return tongue.say("no home is watched yet"), False
            return tongue.say("somebody can be called at every hour of the coming week"), False
        told = self.pages.tally.look(self.house.clock.now()).unclosed
        open_now = [alert for alert in told if alert.code == NO_RESPONDER and alert.is_open]
        homes = (self.house.registry.home(alert.home) for alert in open_now)
        n = sum(home is not None and self.pages.covers(visitor, home.grid) for home in homes)
        if not n:
            return tongue.say("no warning is open that nobody could be called"), False
        text = N_("{n} warning: nobody could be called") if n == 1 else N_("{n} warnings: nobody could be called")
        return tongue.say(text, n=n), True

    def _accounts(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        lines = self.them.lines(visitor)
        invited = sum(line.until is not None for line in lines)
        there = sum(line.until is None and not line.shut for line in lines)
        said = tongue.say(N_("{n} account") if there == 1 else N_("{n} accounts"), n=there)
        return said + (" · " + tongue.say("{n} invited", n=invited) if invited else ""), False

    def _drills(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        buttons = self.county.buttons(visitor.account.place, self.house.clock.now())
        due = buttons.whole - buttons.part + sum(way.standing.is_due for way in self.drills.ways(visitor))
        if not due:
            return tongue.say("Everything was proven within a month"), False
        return tongue.say(N_("{n} test is due") if due == 1 else N_("{n} tests are due"), n=due), True

    def _unread(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        n = len(self.pages.unread(visitor))
        if not n:
            return tongue.say("every message could be read"), False
        text = N_("{n} kind of message could not be read") if n == 1 else N_("{n} kinds of message could not be read")
        return tongue.say(text, n=n), True

    def _programs(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        now = self.house.clock.now()
        n = sum(
            self.pages.covers(visitor, token.place) and token.revoked_at is None and token.expires_at > now
            for token in self.house.accounts.tokens()
        )
        if not n:
            return tongue.say("No other program comes in."), False
        return tongue.say(N_("{n} program comes in") if n == 1 else N_("{n} programs come in"), n=n), False

    def show(self, request: Request, visitor: Visitor) -> Response:
        return self.them.printer.page(
            request,
            "administration.html",
            visitor=visitor,
            here="/administration",
            groups=[(title, found) for title, found in self.groups(visitor, tongue_of(request)) if found],
        )


def _about(words: str) -> How:
    """A subject of which only what it is about is said: counting it would take longer than opening it."""
    return lambda visitor, tongue: (tongue.say(words), False)


def routes(administration: Administration, doors: Doors) -> list[Addresses]:
    """For administrators, and for supervisors with what lies in their place: the page, and those it leads to."""
    router = Addresses()
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)

    @router.get("/administration")
    def show(request: Request, visitor: Leader) -> Response:
        return administration.show(request, visitor)

    return [
        router,
        grids.routes(administration.grids, doors),
        staff.routes(administration.staff, doors),
        levels.routes(administration.levels, doors),
        telling.routes(administration.telling, doors),
    ]
