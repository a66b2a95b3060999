"""Areas and grids: what lies in what, who answers there and where nobody does; opened, renamed, moved, closed here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from dashboard.accounts import LEADERS, WHOLE, Accounts
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why, Word
from dashboard.printer import tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Area, Duty, Grid
from gateway.domain.home import GRID
from gateway.domain.rota import OnCall, Rota, Turn
from gateway.places import Places
from gateway.registry import RegistrationError

ANSWERING = (
    Duty.GRID_WORKER,
    Duty.DEPUTY,
    Duty.SUPERVISOR,
    Duty.COMMUNITY,
    Duty.STREET,
    Duty.DISTRICT,
    Duty.NIGHT_POOL,
    Duty.FIRE_STATION,
    Duty.INSTALLER,
    Duty.ADMIN,
)
"""Who is called for a place, in the order of the ladder; the rest stands around the household."""

UNMANNED_SHOWN = 40
"""Grids without a worker that are named on the first page; how many there are is said."""

LEVELS: Mapping[str, str] = {
    "city": N_("City"),
    "district": N_("District"),
    "street": N_("Street"),
    "community": N_("Community"),
    "grid": N_("Grid"),
}
COUNTED: Mapping[str, tuple[str, str]] = {
    "city": (N_("{n} city"), N_("{n} cities")),
    "district": (N_("{n} district"), N_("{n} districts")),
    "street": (N_("{n} street"), N_("{n} streets")),
    "community": (N_("{n} community"), N_("{n} communities")),
    "grid": (N_("{n} grid"), N_("{n} grids")),
}
SAID = {
    "opened": N_("Opened."),
    "changed": N_("Changed. It counts from now on."),
    "closed": N_("Closed. What was there stays known."),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A place in the list of what lies in another one."""

    place: Area | Grid
    grids: int
    homes: int
    unmanned: int  # grids in it for which no grid worker is named
    worker: str = ""  # of a grid: who is named
    now: OnCall | None = None  # of a grid: which grid worker would be called at this moment


def named(rota: Rota, place: str, duty: Duty, now: datetime) -> tuple[str, list[str]]:
    """Who is called for this duty of a place, at whatever hour, and at which place they stand: the nearest that names
    anybody."""
    for where in rota.above.get(place, (place, "")):
        found = [post.person for post in rota.posts.get((where, duty), ()) if post.covers(now)]
        for shift in rota.shifts.get((where, duty), ()):
            if shift.last is None or shift.last >= now.astimezone(shift.zone).date():
                found.append(shift.person)
        if found:
            return where, list(dict.fromkeys(found))
    return "", []


class Grids:
    """What these pages need from the stores."""

    def __init__(self, them: Accounts) -> None:
        self.them = them
        self.house = them.house
        self.pages = them.pages
        self.places = Places(them.house.registry, them.house.registrar.levels)

    # ------------------------------------------------------------------ what there is

    def place(self, visitor: Visitor, code: str) -> Area | Grid:
        """A place of theirs, or the same 404 as where there is none."""
        place = self.places.find(code) if self.pages.covers(visitor, code) else None
        if place is None:
            raise HTTPException(404)
        return place

    def within(self, visitor: Visitor, code: str, now_in: str | None = None) -> str:
        """Where it is to lie: where it lies already, or in a place of theirs."""
        code = code.replace(WHOLE, "")
        if code != now_in and not (self.pages.covers(visitor, code) and (not code or self.places.find(code))):
            raise HTTPException(404)
        return code

    def close(self, place: Area | Grid, into: str, why: str, tongue: Tongue, places: Places, who: str) -> str:
        """Nobody answers for it any more; why it cannot be, or nothing."""
        if bound := self.bound(place):
            text = N_("{names} sign in for this place; change first what they see, under Accounts.")
            return tongue.say(text, names=tongue.say(", ").join(bound))
        if self.is_told_of(place):
            return tongue.say("People are being called about this place; settle that alert first.")
        try:
            places.close(place.code, into=into, why=why, who=who, now=self.house.clock.now())
        except RegistrationError as refusal:
            return refusal.say(tongue.language)
        return ""

    def theirs(self, visitor: Visitor) -> tuple[list[Area], list[Grid]]:
        registry = self.house.registry
        return (
            [area for area in registry.areas() if self.pages.covers(visitor, area.code)],
            [grid for grid in registry.grids() if self.pages.covers(visitor, grid.code)],
        )

    def unmanned(self, grids: Iterable[Grid]) -> list[Grid]:
        """Grids for which no grid worker is named, neither there nor in an area around."""
        rota, now = self.house.registry.rota(), self.house.clock.now()
        return [grid for grid in grids if not named(rota, grid.code, Duty.GRID_WORKER, now)[1]]

    def parts(self, visitor: Visitor, within: str | None) -> list[Part]:
        """What lies directly in a place; with None what is theirs and lies in nothing of theirs."""
        areas, grids = self.theirs(visitor)
        known = {area.code for area in areas}
        rota, now = self.house.registry.rota(), self.house.clock.now()
        unmanned = {grid.code for grid in self.unmanned(grids)}
        homes: dict[str, int] = {}
        for home in self.house.registry.homes():
            homes[home.grid] = homes.get(home.grid, 0) + 1
        below: dict[str, list[Grid]] = {}
        for grid in grids:
            for around in rota.above[grid.code]:
                below.setdefault(around, []).append(grid)
        parts = []
        places: list[Area | Grid] = [*areas, *grids]
        for place in places:
            around = around_of(place)
            if around == within if within is not None else around not in known:
                inside = below.get(place.code, [])
                workers = named(rota, place.code, Duty.GRID_WORKER, now)[1] if isinstance(place, Grid) else []
                called = self.house.registry.on_call(place.code, Duty.GRID_WORKER, now).people if workers else ()
                parts.append(
                    Part(
                        place,
                        len(inside),
                        sum(homes.get(grid.code, 0) for grid in inside),
                        sum(grid.code in unmanned for grid in inside),
                        worker=self.pages.name_of(workers[0]) if workers else "",
                        now=called[0] if called else None,
                    )
                )
        return parts

    def line(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        """How it stands, such as "3 streets · 40 grids · 2 grids without a grid worker"; and whether that is bad."""
        areas, grids = self.theirs(visitor)
        counts = [(level, sum(area.level == level for area in areas)) for level in self.places.levels]
        said = [self.counted(level, n, tongue) for level, n in (*counts, ("grid", len(grids))) if n]
        missing = len(self.unmanned(grids))
        if missing:
            text = N_("{n} grid without a grid worker") if missing == 1 else N_("{n} grids without a grid worker")
            said.append(tongue.say(text, n=missing))
        return " · ".join(said) or tongue.say("No grid is registered."), bool(missing) or not grids

    # ------------------------------------------------------------------ in words

    def level(self, level: str, tongue: Tongue) -> str:
        if level in LEVELS:
            return tongue.say(LEVELS[level])
        return self.places.level_names.get(level, "") or level

    def counted(self, level: str, n: int, tongue: Tongue) -> str:
        if level in COUNTED:
            return tongue.say(COUNTED[level][n != 1], n=n)
        return f"{n} {self.level(level, tongue)}"

    def wider(self, visitor: Visitor, place: Area | Grid) -> list[tuple[str, str]]:
        """The areas of theirs in which a place could lie."""
        areas, order = self.theirs(visitor)[0], self.places.levels
        at = len(order) if isinstance(place, Grid) else _depth(place.level, order)
        inside = self.house.registry.rota().above
        return [
            (area.code, area.name)
            for area in areas
            if _depth(area.level, order) < at and place.code not in inside.get(area.code, ())
        ]

    def answering(self, place: Area | Grid, tongue: Tongue) -> list[dict[str, Any]]:
        """Per duty who is called for this place, and where they stand if that is around it; a grid shows its worker
        and deputy even where there is none."""
        registry, now = self.house.registry, self.house.clock.now()
        rows = []
        for duty in ANSWERING:
            where, people = named(registry.rota(), place.code, duty, now)
            is_missed = isinstance(place, Grid) and duty in (Duty.GRID_WORKER, Duty.DEPUTY)
            if people or is_missed:
                found = [person for one in people if (person := registry.person(one)) is not None]
                called = {one.person.id: one.turn for one in registry.on_call(place.code, duty, now).people}
                name = registry.place_name(where) if where else tongue.say("everywhere")
                rows.append(
                    {
                        "duty": wording.duty_name(duty, tongue.language),
                        "people": [(person, _now_in_words(called, person.id, now, tongue)) for person in found],
                        "where": "" if where == place.code else name,
                        "is_bad": not people and duty is Duty.GRID_WORKER,
                    }
                )
        return rows

    # ------------------------------------------------------------------ pages

    def show(
        self,
        request: Request,
        visitor: Visitor,
        place: Area | Grid | None,
        said: str = "",
        error: str = "",
        given: Mapping[str, str] | None = None,
    ) -> Response:
        tongue, registry = tongue_of(request), self.house.registry
        grids = self.theirs(visitor)[1]
        parts = self.parts(visitor, place.code if place else None) if not isinstance(place, Grid) else []
        around = around_of(place) if place else ""
        inside = _depth(place.level, self.places.levels) + 1 if isinstance(place, Area) else 0
        may_open = visitor.account.duty is Duty.ADMIN and not isinstance(place, Grid)
        return self.them.printer.page(
            request,
            "administration_place.html" if place else "administration_places.html",
            status=422 if error else 200,
            visitor=visitor,
            here=address(place.code) if place else address(),
            place=place,
            is_grid=isinstance(place, Grid),
            level=self.level("grid" if isinstance(place, Grid) else place.level if place else "", tongue),
            up=(address(around), registry.place_name(around))
            if around and self.pages.covers(visitor, around)
            else (address(), tongue.say("Areas and grids")),
            around=around,
            parts=parts,
            line=self.line(visitor, tongue),
            unmanned=self.unmanned(grids) if place is None else [],
            shown=UNMANNED_SHOWN,
            answering=self.answering(place, tongue) if place else [],
            levels=[(level, self.level(level, tongue)) for level in (*self.places.levels[inside:], "grid")],
            wider=self.wider(visitor, place) if place else [],
            others=[(grid.code, grid.name) for grid in grids if place and grid.code != place.code],
            homes=sum(1 for home in registry.homes() if place and home.grid == place.code),
            part_words=lambda part: self.part_words(part, tongue),
            level_of=lambda one: self.level("grid" if isinstance(one, Grid) else one.level, tongue),
            address=address,
            may_act=visitor.account.duty is Duty.ADMIN,
            may_open=may_open and (place is not None or self.pages.covers(visitor, "")),
            may_go_nowhere=self.pages.covers(visitor, ""),
            given={"code": "", "name": "", "level": "", "why": "", **(given or {})},
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    def part_words(self, part: Part, tongue: Tongue) -> str:
        homes = tongue.say(N_("{n} household") if part.homes == 1 else N_("{n} households"), n=part.homes)
        if isinstance(part.place, Grid):
            return f"{homes} · {self.worker_words(part, tongue)}"
        said = [self.counted("grid", part.grids, tongue), homes]
        if part.unmanned:
            said.append(tongue.say("{n} without a grid worker", n=part.unmanned))
        return " · ".join(said)

    def worker_words(self, part: Part, tongue: Tongue) -> str:
        """Who would be called in a grid at this moment, and until when they are on shift."""
        if not part.worker:
            return tongue.say("no grid worker")
        if part.now is None:
            return tongue.say("{name}, who cannot be called now", name=part.worker)
        name, turn = part.now.person.name, part.now.turn
        if turn is None:
            return name
        until = tongue.clock(turn.ends, turn.shift.zone, self.house.clock.now())
        return tongue.say("{name}, on shift until {time}", name=name, time=until)

    def bound(self, place: Area | Grid) -> list[str]:
        """Who signs in for just this place: they would see nothing any more."""
        return [self.them.name_of(one.person) for one in self.house.accounts.accounts() if one.place == place.code]

    def is_told_of(self, place: Area | Grid) -> bool:
        """Whether people are called about it at this moment."""
        return any(alert.is_open for alert in self.house.alerts.alerts(home=GRID + place.code, unclosed=True))


def around_of(place: Area | Grid) -> str:
    return place.community if isinstance(place, Grid) else place.parent


def address(code: str = "") -> str:
    return f"/administration/places/{quote(code, safe='')}" if code else "/administration/places"


def _now_in_words(called: Mapping[str, Turn | None], person: str, now: datetime, tongue: Tongue) -> str:
    """Of somebody who is named for a place: on shift until when, or not to be called now; nothing for whoever answers
    at any hour."""
    if person not in called:
        return tongue.say("not now")
    turn = called[person]
    return (
        "" if turn is None else tongue.say("on shift until {time}", time=tongue.clock(turn.ends, turn.shift.zone, now))
    )


def _depth(level: str, order: Sequence[str]) -> int:
    return order.index(level) if level in order else len(order) - 1


# --------------------------------------------------------------------------- routes


def routes(grids: Grids, doors: Doors) -> Addresses:
    """Whoever leads sees what lies in their place; an administrator changes it."""
    router = Addresses(prefix="/administration/places")
    house, places = grids.house, grids.places
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(Duty.ADMIN))]  # noqa: N806

    @router.get("")
    def show_all(request: Request, visitor: Leader, said: str = "") -> Response:
        return grids.show(request, visitor, None, said)

    @router.post("")
    def open_place(
        request: Request, visitor: Acting, around: Word = "", code: Word = "", name: Word = "", level: Word = ""
    ) -> Response:
        where = grids.within(visitor, around)
        code, name = code.strip(), name.strip()
        made: Area | Grid = (
            Grid(code=code, name=name, community=where)
            if level == "grid"
            else Area(code=code, name=name, level=level, parent=where)
        )
        try:
            places.open(made, who=visitor.account.person, now=house.clock.now())
        except RegistrationError as refusal:
            error, given = refusal.say(tongue_of(request).language), {"code": code, "name": name, "level": level}
            return grids.show(request, visitor, places.find(where), error=error, given=given)
        return RedirectResponse(f"{address(where)}?said=opened", status_code=303)

    @router.get("/{code}")
    def show(request: Request, visitor: Leader, code: str, said: str = "") -> Response:
        return grids.show(request, visitor, grids.place(visitor, code), said)

    @router.post("/{code}")
    def change(request: Request, visitor: Acting, code: str, name: Word = "", around: Word = "") -> Response:
        place = grids.place(visitor, code)
        where = grids.within(visitor, around, around_of(place))
        wanted = (
            replace(place, name=name.strip(), community=where)
            if isinstance(place, Grid)
            else replace(place, name=name.strip(), parent=where)
        )
        try:
            places.change(wanted, who=visitor.account.person, now=house.clock.now())
        except RegistrationError as refusal:
            return grids.show(request, visitor, place, error=refusal.say(tongue_of(request).language))
        return RedirectResponse(f"{address(code)}?said=changed", status_code=303)

    @router.post("/{code}/close")
    def close(
        request: Request,
        visitor: Acting,
        code: str,
        into: Word = "",
        why: Why = "",
    ) -> Response:
        place, tongue = grids.place(visitor, code), tongue_of(request)
        if into:
            grids.place(visitor, into)
        if error := grids.close(place, into, why, tongue, places, visitor.account.person):
            return grids.show(request, visitor, place, error=error, given={"why": why})
        around = around_of(place)
        back = around if around and grids.pages.covers(visitor, around) else ""
        return RedirectResponse(f"{address(back)}?said=closed", status_code=303)

    return router
