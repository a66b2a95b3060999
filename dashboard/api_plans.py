"""一户一案 for other programs: absences, expected visits, limits, rules off, silences; of homes, grids and areas."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Body

from dashboard import shapes as shape
from dashboard.answers import aware, plan_as_data
from dashboard.api_door import ApiDoor, Doing, Name, Said, Why, refused
from dashboard.keys import Caller, Right
from dashboard.pages import ON_DUTY
from dashboard.plan import FROM_THE_FILE, LEADERS, Plans
from dashboard.problems import Field
from gateway.domain import Absence, Home, Scope


@dataclass(frozen=True, kw_only=True)
class AbsenceBody(Said):
    """Nobody is at home until then. Moments carry their offset from UTC."""

    kind: Absence
    until: datetime
    since: datetime | None = None
    why: Why = ""


@dataclass(frozen=True, kw_only=True)
class BackBody(Said):
    """Somebody is at home again."""

    why: Why = ""


@dataclass(frozen=True, kw_only=True)
class VisitHoursBody(Said):
    """Somebody comes at these hours, by the clock there: "09:00-11:00", or "mon,wed 09:00-11:00"."""

    hours: Name
    why: Why
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PlanBody(Said):
    """A line of a plan: what holds instead of the usual."""

    key: Name
    value: Name
    why: Why
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class EndBody(Said):
    """From now on this line does not hold any more."""

    key: Name
    why: Why = ""


@dataclass(frozen=True, kw_only=True)
class SilenceBody(Said):
    """What can wait is held back until then, a day at most; without codes all of it. An emergency never is."""

    until: datetime
    why: Why
    codes: Annotated[list[str], Body(max_length=60)]


def routes(door: ApiDoor, plans: Plans) -> None:
    """Hang up the addresses."""
    right, house = Right.PLANS, door.house

    def end(doing: Doing, scope: Scope, place: str, said: EndBody) -> None:
        if said.key in FROM_THE_FILE:
            raise refused("This line follows the resident's file; change that.", Field("key", "is not ended here"))
        doing.registrar(place).plans.end(place, said.key, scope=scope, why=said.why, **doing.by)

    def put(doing: Doing, scope: Scope, place: str, said: PlanBody) -> None:
        doing.registrar(place).plans.put(
            place,
            said.key,
            said.value,
            scope=scope,
            since=aware(said.since, "since"),
            until=aware(said.until, "until"),
            why=said.why,
            **doing.by,
        )

    def silence(doing: Doing, scope: Scope, place: str, said: SilenceBody) -> None:
        until = aware(said.until, "until") or doing.once.now
        doing.registrar(place).plans.silence(place, ",".join(said.codes), until, scope=scope, why=said.why, **doing.by)

    def at(caller: Caller, code: str) -> Scope:
        """Whether it is a grid or an area of the caller's; else the same 404 as where there is none."""
        scope = Scope.GRID if code in {grid.code for grid in house.registry.grids()} else Scope.AREA
        plans.place(caller.visitor, scope, code)
        return scope

    # ------------------------------------------------------------------ one home

    @door.read("/homes/{home_id}/plan", Right.HOMES, shape.PlanShape, *ON_DUTY)
    def show_plan(caller: Caller, home: Home) -> Mapping[str, Any]:
        """Absences, expected visits, silences and limits, of the home itself, its grid and its areas."""
        return {"home": home.id, "lines": plan_as_data(house.registry.plan_lines(home.id), house.clock.now())}

    @door.act("/homes/{home_id}/absence", right, "home.absence")
    def declare_absence(doing: Doing, home: Home, said: AbsenceBody) -> None:
        """Nobody is at home until then: what can be explained by that calls nobody."""
        until, since = aware(said.until, "until"), aware(said.since, "since")
        doing.registrar().plans.declare_absence(
            home.id, said.kind, until or doing.once.now, since=since, why=said.why, **doing.by
        )

    @door.act("/homes/{home_id}/back", right, "home.back")
    def end_absence(doing: Doing, home: Home, said: BackBody) -> None:
        """Somebody is at home again; also right when no absence holds."""
        doing.registrar().plans.end_absence(home.id, why=said.why, **doing.by)

    @door.act("/homes/{home_id}/expected", right, "home.visit")
    def expect_visit(doing: Doing, home: Home, said: VisitHoursBody) -> None:
        """Somebody comes at these hours, a carer or a daughter: what moves then may be theirs."""
        doing.registrar().plans.expect_visit(
            home.id, said.hours, until=aware(said.until, "until"), why=said.why, **doing.by
        )

    @door.act("/homes/{home_id}/plan", right, "home.plan")
    def plan_line(doing: Doing, home: Home, said: PlanBody) -> None:
        """Let another limit hold in this home, or switch a rule off ("off"); what always calls cannot be."""
        put(doing, Scope.HOME, home.id, said)

    @door.act("/homes/{home_id}/plan/end", right, "home.plan-end")
    def end_plan_line(doing: Doing, home: Home, said: EndBody) -> None:
        """From now on the usual holds again, or what the grid or the area says."""
        end(doing, Scope.HOME, home.id, said)

    @door.act("/homes/{home_id}/silence", right, "home.silence")
    def silence_home(doing: Doing, home: Home, said: SilenceBody) -> None:
        """Hold back what can wait. When the silence ends it is judged again."""
        silence(doing, Scope.HOME, home.id, said)

    # ------------------------------------------------------------------ a grid, an area

    @door.read("/places/{code}/plan", Right.HOMES, shape.PlacePlanShape, *LEADERS)
    def show_place_plan(caller: Caller, code: str) -> Mapping[str, Any]:
        """What holds in a whole grid or area instead of the usual."""
        lines = house.registry.overrides(code, at(caller, code))
        return {"place": code, "lines": plan_as_data(lines, house.clock.now())}

    @door.act("/places/{code}/plan", right, "place.plan")
    def plan_place_line(doing: Doing, code: str, said: PlanBody) -> None:
        """Let another limit hold in every home of a grid or an area that has none of its own."""
        put(doing, at(doing.caller, code), code, said)

    @door.act("/places/{code}/plan/end", right, "place.plan-end")
    def end_place_line(doing: Doing, code: str, said: EndBody) -> None:
        """From now on the usual holds there again."""
        end(doing, at(doing.caller, code), code, said)

    @door.act("/places/{code}/silence", right, "place.silence")
    def silence_place(doing: Doing, code: str, said: SilenceBody) -> None:
        """Hold back what can wait in all of a grid or an area."""
        silence(doing, at(doing.caller, code), code, said)
