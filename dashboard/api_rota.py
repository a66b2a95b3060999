"""The duty sheet for other programs: weeks, hours that nobody has, swaps, leave; who would be called; drills."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any

from fastapi import Body, Query

from alerts.drills import drill
from alerts.selftest import WINDOW
from alerts.who import moment, rehearse
from dashboard import shapes as shape
from dashboard.answers import iso
from dashboard.api_door import PAGE, ApiDoor, Cursor, Doing, Limit, Name, Said, done, missing
from dashboard.drills import TRIERS, Drills
from dashboard.keys import Caller, Right
from dashboard.pages import ON_DUTY
from dashboard.problems import CODES, Field, Problem
from dashboard.rota import ASKED, KEEPERS, WORKED, Line, Rotas, midnight, monday_of, place_of
from gateway.domain import Duty, Home
from gateway.domain.home import GRID
from gateway.domain.rota import A_DAY, EVERY_DAY, Holiday, Leave, Shift
from gateway.rota import DutySheet, Place

Turn = Annotated[str, Body(max_length=200, description="`key` of a turn of the week")]


@dataclass(frozen=True, kw_only=True)
class SwapBody(Said):
    """Two turns: each of the two works the other's."""

    one: Turn
    other: Turn


@dataclass(frozen=True, kw_only=True)
class StandInBody(Said):
    """A turn, and who works it instead."""

    one: Turn
    person: Name


@dataclass(frozen=True, kw_only=True)
class ShiftBody(Said):
    """A shift by the clock of the place; one that does not end later than it begins ends on the next day."""

    person: Name
    duty: Duty
    begins: time
    ends: time
    first: date
    last: date | None = None
    weekdays: Annotated[str, Body(pattern=r"^1?2?3?4?5?6?7?$", min_length=1, description="Monday is 1")] = EVERY_DAY


@dataclass(frozen=True, kw_only=True)
class EndShiftBody(Said):
    shift: Annotated[str, Body(max_length=200, description="`id` of a shift")]


@dataclass(frozen=True, kw_only=True)
class LeaveBody(Said):
    """From the first day to the last, both included, by the clock of the place."""

    person: Name
    first: date
    last: date
    why: Annotated[str, Body(max_length=300)] = ""


@dataclass(frozen=True, kw_only=True)
class EndLeaveBody(Said):
    person: Name


@dataclass(frozen=True, kw_only=True)
class HolidayBody(Said):
    """A day on which the sheet of another weekday holds: a feast counts as 7. 0 takes it back."""

    day: date
    counts_as: Annotated[int, Body(ge=0, le=7)] = 7
    name: Name = ""


@dataclass(frozen=True)
class TurnShape:
    """Who works from then until then. `key` names the turn, for a swap; nobody at all has a turn without a person."""

    key: str
    shift: str
    duty: Duty | None
    place: str
    person: str
    name: str
    instead_of: str
    begins: str
    ends: str
    away: bool
    mute: bool


@dataclass(frozen=True)
class RotaDayShape:
    day: str
    holiday: str | None
    turns: list[TurnShape]


@dataclass(frozen=True)
class LeaveShape:
    person: str
    since: str
    until: str
    reason: str


@dataclass(frozen=True)
class RotaShape:
    """A week of a grid or an area."""

    place: str
    monday: str
    days: list[RotaDayShape]
    leaves: list[LeaveShape]


@dataclass(frozen=True)
class RotasShape:
    """`gap`: from when on nobody could be called, within a week; null where somebody always can."""

    place: str
    name: str
    gap: str | None


@dataclass(frozen=True)
class RotaListShape:
    places: list[RotasShape]


@dataclass(frozen=True)
class CalledShape:
    person: str
    name: str
    duty: Duty
    channels: list[str]


@dataclass(frozen=True)
class RungShape:
    """Who is called so many seconds after the beginning. Nobody: the next rung follows at once."""

    after_seconds: float
    duties: list[Duty]
    called: list[CalledShape]


@dataclass(frozen=True)
class WhoShape:
    """`held`: nobody is called at all, for the home is paused, worked in, or only on file."""

    home: str
    at: str
    code: str
    held: bool
    rungs: list[RungShape]


def routes(door: ApiDoor, rotas: Rotas, drills: Drills) -> None:
    """Hang up the addresses."""
    _of_the_sheet(door, rotas)
    _of_drills(door, drills)


def _of_the_sheet(door: ApiDoor, rotas: Rotas) -> None:
    right, house = Right.ROTA, door.house

    def sheet(doing: Doing, code: str) -> DutySheet:
        return rotas.sheet.beside(lambda ledger: doing.keep(ledger, code))

    def own(caller: Caller, key: str) -> Place:
        """The turn of this key, where it is theirs to swap."""
        place = place_of(key)
        if place is None or rotas.picked(key, caller.visitor) is None:
            raise Problem(422, *CODES[422], Field("one", "is the key of a turn of your place that is not over"))
        return place

    def works(grid: Home, person: str) -> None:
        if person not in {one.id for one in rotas.staff(grid)}:
            raise Problem(422, *CODES[422], Field("person", "is somebody who works in this place"))

    def act(path: str, what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """An act on the sheet of a place that is theirs."""
        return door.act(f"/rota/{{code}}{path}", right, f"rota.{what}")

    @door.read("/rota", Right.REGISTRY, RotaListShape, *KEEPERS)
    def list_rotas(caller: Caller) -> Mapping[str, Any]:
        """The grids and areas of your place, and from when on nobody could be called there."""
        holes, now = rotas.holes(caller.visitor), house.clock.now()
        told = []
        for place in rotas.grids(caller.visitor) + rotas.areas(caller.visitor):
            hole = holes.get(place.grid)
            gap = iso(max(hole.since, now)) if hole else None
            told.append({"place": place.grid, "name": place.name, "gap": gap})
        return {"places": told}

    @door.read("/rota/{code}", Right.REGISTRY, RotaShape, *KEEPERS)
    def show_rota(
        caller: Caller,
        code: str,
        week: Annotated[str, Query(max_length=10, description="any day of it; nothing: this week")] = "",
    ) -> Mapping[str, Any]:
        """A week of a grid or an area: who works when, and the hours that nobody has."""
        grid, now = rotas.grid(caller.visitor, code), house.clock.now()
        monday = monday_of(week, now.astimezone(grid.zone).date())
        days = [
            {
                "day": f"{day.date}",
                "holiday": day.holiday.name if day.holiday else None,
                "turns": [_turn(line) for line in day.lines],
            }
            for day in rotas.week(grid, monday, caller.visitor)
        ]
        leaves = [
            {"person": one.person, "since": iso(one.since), "until": iso(one.until), "reason": one.reason}
            for one in rotas.leaves(grid)
        ]
        return {"place": code, "monday": f"{monday}", "days": days, "leaves": leaves}

    @act("/swap", "swap")
    def swap_turns(doing: Doing, code: str, said: SwapBody) -> None:
        """Each of two works the other's turn."""
        rotas.grid(doing.visitor, code)
        sheet(doing, code).swap(own(doing.caller, said.one), own(doing.caller, said.other), **doing.by)

    @act("/stand-in", "stand-in")
    def stand_in(doing: Doing, code: str, said: StandInBody) -> None:
        """Somebody else works that turn."""
        works(rotas.grid(doing.visitor, code), said.person)
        sheet(doing, code).stand_in(own(doing.caller, said.one), said.person, **doing.by)

    @act("/shifts", "shift")
    def add_shift(doing: Doing, code: str, said: ShiftBody) -> None:
        """Somebody works these hours from a day on."""
        grid = rotas.grid(doing.visitor, code)
        works(grid, said.person)
        if said.duty not in WORKED:
            raise Problem(422, *CODES[422], Field("duty", f"is one of {', '.join(WORKED)}"))
        if said.begins.tzinfo or said.ends.tzinfo:
            raise Problem(422, *CODES[422], Field("begins", "is a time by the clock of the place, as 08:00"))
        if said.last is not None and said.last < said.first:
            raise Problem(422, *CODES[422], Field("last", "lies not before the first day"))
        shift = Shift(
            place=grid.grid,
            duty=said.duty,
            person=said.person,
            begins=said.begins.replace(second=0, microsecond=0),
            ends=said.ends.replace(second=0, microsecond=0),
            zone=grid.zone,
            first=said.first,
            last=said.last,
            weekdays=said.weekdays,
        )
        sheet(doing, code).add_shift(shift, **doing.by)

    @act("/shifts/end", "shift-end")
    def end_shift(doing: Doing, code: str, said: EndShiftBody) -> None:
        """A shift is not worked any more from today on."""
        grid = rotas.grid(doing.visitor, code)
        if not rotas.pages.covers(doing.visitor, said.shift.partition("/")[0]):
            raise missing()
        yesterday = doing.once.now.astimezone(grid.zone).date() - A_DAY
        sheet(doing, code).end_shift(said.shift, yesterday, **doing.by)

    @act("/leave", "leave")
    def put_leave(doing: Doing, code: str, said: LeaveBody) -> None:
        """Somebody is not called for any duty on these days."""
        grid = rotas.grid(doing.visitor, code)
        works(grid, said.person)
        if said.last < said.first or said.last.year > 9000 or said.first.year < 1970:
            raise Problem(422, *CODES[422], Field("last", "lies not before the first day"))
        leave = Leave(
            person=said.person,
            since=midnight(said.first, grid.zone),
            until=midnight(said.last + A_DAY, grid.zone),
            reason=" ".join(said.why.split()),
        )
        sheet(doing, code).put_leave(leave, **doing.by)

    @act("/leave/end", "leave-end")
    def end_leave(doing: Doing, code: str, said: EndLeaveBody) -> None:
        """Whoever is back can be called from now on."""
        works(rotas.grid(doing.visitor, code), said.person)
        sheet(doing, code).end_leave(said.person, **doing.by)

    @act("/holiday", "holiday")
    def put_holiday(doing: Doing, code: str, said: HolidayBody) -> None:
        """A day of this place that counts as another weekday; what holds everywhere comes in as a table."""
        grid = rotas.grid(doing.visitor, code)
        if not said.counts_as:
            sheet(doing, code).drop_holiday(code, said.day, **doing.by)
            return
        holiday = Holiday(day=said.day, place=grid.grid, counts_as=said.counts_as, name=" ".join(said.name.split()))
        sheet(doing, code).put_holiday(holiday, **doing.by)

    @door.read("/homes/{home_id}/who", Right.REGISTRY, WhoShape, *ON_DUTY)
    def show_who(
        caller: Caller,
        home: Home,
        at: Annotated[str, Query(max_length=40, description="Sunday 03:00, 2026-03-15 03:00; nothing: now")] = "",
        code: Annotated[str, Query(max_length=40, description=f"one of {', '.join(ASKED)}")] = ASKED[0],
    ) -> Mapping[str, Any]:
        """Who would be called about this home, in which order and through what: found out by trying it on paper."""
        if code not in ASKED:
            raise Problem(422, *CODES[422], Field("query.code", f"is one of {', '.join(ASKED)}"))
        if house.blank_book is None or home.id.startswith(GRID):
            raise missing()
        try:
            when = moment(at, home.zone, house.clock.now())
        except (ValueError, OverflowError):
            raise Problem(422, *CODES[422], Field("query.at", "is a moment, as Sunday 03:00")) from None
        found = rehearse(home, when, house.registry, house.blank_book(), code=code, call=house.desk.call)
        rungs = [
            {
                "after_seconds": rung.after.total_seconds(),
                "duties": [duty.value for duty in rung.duties],
                "called": [
                    {
                        "person": one.person.id,
                        "name": one.person.name,
                        "duty": one.duty.value,
                        "channels": [way.channel for way in one.ways],
                    }
                    for one in rung.called
                ],
            }
            for rung in found.rungs
        ]
        return {"home": home.id, "at": iso(found.at), "code": code, "held": found.held, "rungs": rungs}


def _turn(line: Line) -> Mapping[str, Any]:
    turn = line.turn
    return {
        "key": line.key,
        "shift": turn.shift.id if turn else "",
        "duty": turn.shift.duty.value if turn else None,
        "place": turn.shift.place if turn else "",
        "person": turn.person if turn else "",
        "name": line.name,
        "instead_of": turn.instead_of if turn else "",
        "begins": iso(line.begins),
        "ends": iso(line.ends),
        "away": line.away,
        "mute": line.mute,
    }


def _of_drills(door: ApiDoor, drills: Drills) -> None:
    right = Right.DRILLS

    @door.read("/drills", Right.REGISTRY, shape.DrillsShape, *TRIERS)
    def list_drills(caller: Caller, cursor: Cursor = "", limit: Limit = PAGE) -> Mapping[str, Any]:
        """How each way to each responder and each emergency button did in its last test; first come the ways."""
        return door.api.tests(caller, cursor, limit)

    @door.act("/drills/people/{person_id}", right, "drill")
    def drill_person(doing: Doing, person_id: str) -> Mapping[str, Any]:
        """Send somebody a marked message by everything that reaches them, to be answered."""
        drill(doing.desk(person_id), drills.person(doing.visitor, person_id), doing.caller.name, doing.once.now)
        return done(person_id)

    @door.act("/drills/homes/{home_id}", right, "home.button-test")
    def announce_button_test(doing: Doing, home: Home) -> None:
        """Emergency buttons are about to be tried out: the first press of each calls nobody for half an hour."""
        doing.registrar().announce_button_test(home.id, doing.once.now + WINDOW, **doing.by)
