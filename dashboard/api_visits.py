"""探访 for other programs: to whom somebody has to go, and what was noted of a visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Body

from dashboard.answers import cut, iso
from dashboard.api_door import PAGE, ApiDoor, Cursor, Doing, Limit, Name, Said, refused
from dashboard.keys import Caller, Right
from dashboard.pages import ON_DUTY
from dashboard.problems import Field
from dashboard.visits import Visits
from gateway.domain import Elder, Home


@dataclass(frozen=True, kw_only=True)
class VisitBody(Said):
    """Who was there just now, and how the resident is; `code` is what stands beside the door."""

    person: Name
    elder: Elder
    note: Annotated[str, Body(max_length=1000)] = ""
    code: Annotated[str, Body(max_length=20)] = ""


@dataclass(frozen=True)
class VisitShape:
    at: str
    person: str
    elder: Elder
    note: str
    proof: str


@dataclass(frozen=True)
class VisitsShape:
    home: str
    visits: list[VisitShape]


@dataclass(frozen=True)
class DueShape:
    """`due` is null where nobody knows since when to count: nobody has noted a visit there yet."""

    home: str
    every_days: float | None
    last: str | None
    due: str | None
    is_due: bool


@dataclass(frozen=True)
class DuesShape:
    visits: list[DueShape]
    next: str | None


def routes(door: ApiDoor, them: Visits) -> None:
    """Hang up the addresses."""
    house = door.house

    @door.read("/visits", Right.HOMES, DuesShape, *ON_DUTY)
    def list_visits(caller: Caller, cursor: Cursor = "", limit: Limit = PAGE) -> Mapping[str, Any]:
        """The homes of your place for which visits are planned, by id, and when somebody has to go there next."""
        door.pages.listed(caller.visitor, "api")
        now = house.clock.now()
        planned = sorted(them.due(door.pages.homes(caller.visitor)), key=lambda due: due.home.id)
        piece, following = cut(planned, lambda due: due.home.id, cursor, limit)
        told = [
            {
                "home": due.home.id,
                "every_days": due.every.total_seconds() / 86_400 if due.every else None,
                "last": iso(due.last.at if due.last else None),
                "due": iso(due.at),
                "is_due": due.is_due(now),
            }
            for due in piece
        ]
        return {"visits": told, "next": following}

    @door.read("/homes/{home_id}/visits", Right.HOMES, VisitsShape, *ON_DUTY)
    def show_visits(caller: Caller, home: Home) -> Mapping[str, Any]:
        """Every visit to this home, the oldest first."""
        told = [
            {
                "at": iso(visit.at),
                "person": visit.person,
                "elder": visit.elder.value,
                "note": visit.note,
                "proof": visit.proof,
            }
            for visit in house.alerts.visits(home.id)
        ]
        return {"home": home.id, "visits": told}

    @door.act("/homes/{home_id}/visits", Right.ACT, "visit")
    def note_visit(doing: Doing, home: Home, said: VisitBody) -> None:
        """Somebody was there without having been called: whatever said that a visit was due is settled by it."""
        door.somebody(doing.caller, said.person)
        kept = them.keep(
            home, said.person, said.elder, said.note, said.code, by=doing.caller.name, desk=doing.desk(home.id)
        )
        if kept is None:
            raise refused("That is not the code beside this door.", Field("code", "stands beside the door"))
