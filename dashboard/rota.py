"""The duty sheet on a telephone: the week of a grid, the hours that nobody has, two taps to swap; and who would be
called about a home."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import gaps, wording, words_rota
from alerts.catalogue import Catalogue
from alerts.gaps import Gap
from alerts.who import moment, rehearse
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Text, Word
from dashboard.house import House
from dashboard.pages import ON_DUTY, Pages, channel_word
from dashboard.printer import Printer, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Duty, Home, Monitoring, Person
from gateway.domain.home import GRID
from gateway.domain.rota import A_DAY, EVERY_DAY, Holiday, Leave, Shift, Turn, Why
from gateway.registry import RegistrationError
from gateway.rota import DutySheet, Place

KEEPERS = (Duty.SUPERVISOR, Duty.ADMIN)
"""Who keeps the sheet of the grids that are theirs to see."""

WORKED = (
    Duty.GRID_WORKER,
    Duty.DEPUTY,
    Duty.NIGHT_POOL,
    Duty.SUPERVISOR,
    Duty.COMMUNITY,
    Duty.STREET,
    Duty.DISTRICT,
    Duty.FIRE_STATION,
    Duty.INSTALLER,
)
"""Duties that have shifts, in the order in which they are shown."""

WATCHED = (Monitoring.GUARDED, Monitoring.TRIAL)

MOST_GRIDS = 60
"""So many other places are named beside a week; from the list of sheets one comes to all of them."""

SAID = {
    "swapped": N_("Swapped. It counts from now on."),
    "saved": N_("Saved."),
    "ended": N_("Taken off the sheet."),
}
ASKED = ("sos", "smoke", "fall", "inactivity", "not_returned", "home_silent")
"""What the page asks about: one of each kind of ladder."""


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of a day, with what there is to know about it; or a span that nobody has, which has no turn."""

    begins: datetime
    ends: datetime
    turn: Turn | None = None
    name: str = ""
    instead_of: str = ""
    away: bool = False  # on leave, and nobody stands in
    mute: bool = False  # no message would reach them
    is_over: bool = False
    may_swap: bool = False

    @property
    def key(self) -> str:
        return f"{self.turn.shift.id}@{self.turn.day}" if self.turn else ""


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    holiday: Holiday | None
    lines: tuple[Line, ...]
    is_today: bool
    is_posted: bool  # somebody can be called by a post, which has no hours


class Rotas:
    """What these pages need from the stores."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages
        self.sheet = DutySheet(house.registry)

    def grids(self, visitor: Visitor) -> list[Home]:
        """The grids that are theirs to see, each with its clock."""
        return self._places(visitor, (grid.code for grid in self.house.registry.grids()))

    def areas(self, visitor: Visitor) -> list[Home]:
        """Communities, streets and what lies above them, for whoever keeps more than one grid."""
        return self._places(visitor, (area.code for area in self.house.registry.areas()))

    def _places(self, visitor: Visitor, codes: Iterable[str]) -> list[Home]:
        known = (self.house.registry.home(GRID + code) for code in codes if self.pages.covers(visitor, code))
        return [place for place in known if place is not None]

    def grid(self, visitor: Visitor, code: str) -> Home:
        return self.pages.home(visitor, GRID + code)

    def gaps(self, grid: Home, since: datetime, until: datetime) -> list[Gap]:
        duties = gaps.duties_of_a_grid(Catalogue())
        return list(gaps.gaps(grid.grid, self.house.registry, since, until, duties, self.reached()))

    def reached(self) -> Callable[[Person], bool]:
        return gaps.works(self.house.alerts.trials())

    def staff(self, grid: Home) -> list[Person]:
        """Who works in this grid or in the areas around it."""
        rota, registry = self.house.registry.rota(), self.house.registry
        around = set(rota.above.get(grid.grid, ()))
        names = {post.person for (place, _), posts in rota.posts.items() if place in around for post in posts}
        names |= {shift.person for (place, _), shifts in rota.shifts.items() if place in around for shift in shifts}
        people = (registry.person(name) for name in names)
        return sorted((person for person in people if person is not None), key=lambda person: person.name)

    # ------------------------------------------------------------------ the week

    def week(self, grid: Home, monday: date, visitor: Visitor) -> list[Day]:
        now, rota = self.house.clock.now(), self.house.registry.rota()
        begins, ends = midnight(monday, grid.zone), midnight(monday + 7 * A_DAY, grid.zone)
        is_grid = grid.grid in {known.code for known in self.house.registry.grids()}
        holes = self.gaps(grid, max(now, begins), ends) if is_grid and ends > now else []
        days, reached = [], self.reached()
        for day in (monday + n * A_DAY for n in range(7)):
            first, last = midnight(day, grid.zone), midnight(day + A_DAY, grid.zone)
            lines = [self._line(turn, visitor, now, reached) for turn in self._turns(grid, day)]
            for hole in holes:
                if hole.since < last and hole.until > first:
                    lines.append(Line(max(hole.since, first), min(hole.until, last), is_over=hole.until <= now))
            lines.sort(key=lambda line: line.begins)
            is_today = day == now.astimezone(grid.zone).date()
            is_posted = not lines and self._is_posted(grid, first + A_DAY / 2)
            days.append(Day(day, rota.holiday(grid.grid, day), tuple(lines), is_today, is_posted))
        return days

    def _is_posted(self, grid: Home, at: datetime) -> bool:
        calls = (self.house.registry.on_call(grid.grid, duty, at).people for duty in WORKED)
        return any(one.why is Why.POST for people in calls for one in people)

    def _turns(self, grid: Home, day: date) -> Iterator[Turn]:
        rota = self.house.registry.rota()
        for duty in WORKED:
            for place in rota.above.get(grid.grid, ()):
                yield from rota.turns(place, duty, day)

    def _line(self, turn: Turn, visitor: Visitor, now: datetime, reached: Callable[[Person], bool]) -> Line:
        registry = self.house.registry
        person = registry.person(turn.person)
        other = registry.person(turn.instead_of) if turn.instead_of else None
        return Line(
            turn.begins,
            turn.ends,
            turn,
            name=person.name if person else turn.person,
            instead_of=other.name if other else "",
            away=registry.rota().is_away(turn.person, max(turn.begins, min(now, turn.ends - timedelta(seconds=1)))),
            mute=person is None or not reached(person),
            is_over=turn.ends <= now,
            may_swap=turn.ends > now and self.pages.covers(visitor, turn.shift.place),
        )

    def picked(self, key: str, visitor: Visitor) -> Line | None:
        """The turn that was tapped first; nothing, where it is no longer there or not theirs to swap."""
        found = place_of(key)
        if found is None:
            return None
        rota = self.house.registry.rota()
        shifts = (shift for shifts in rota.shifts.values() for shift in shifts if shift.id == found[0])
        for shift in shifts:
            for turn in rota.turns(shift.place, shift.duty, found[1]):
                line = self._line(turn, visitor, self.house.clock.now(), self.reached())
                if turn.shift == shift and line.may_swap:
                    return line
        return None

    def holes(self, visitor: Visitor) -> dict[str, Gap | None]:
        """The next hours that nobody has, of each grid in which somebody is watched."""
        now = self.house.clock.now()
        watched = {h.grid for h in self.pages.homes(visitor) if h.state in WATCHED}
        duties, reached, until = gaps.duties_of_a_grid(Catalogue()), self.reached(), now + gaps.AHEAD
        return {
            grid.grid: next(gaps.gaps(grid.grid, self.house.registry, now, until, duties, reached), None)
            for grid in self.grids(visitor)
            if grid.grid in watched
        }

    def _is_unwatched(self, grid: Home) -> bool:
        """Whether it is a grid in which nobody is watched yet: hours that nobody has are told nobody then."""
        registry = self.house.registry
        is_grid = grid.grid in {known.code for known in registry.grids()}
        return is_grid and all(home.grid != grid.grid or home.state not in WATCHED for home in registry.homes())

    def leaves(self, grid: Home) -> list[Leave]:
        """Of whoever works here: what of it is not over."""
        now, leaves = self.house.clock.now(), self.house.registry.rota().leaves
        return [leave for person in self.staff(grid) for leave in leaves.get(person.id, ()) if leave.until > now]

    def show_list(self, request: Request, visitor: Visitor) -> Response:
        grids, holes = self.grids(visitor), self.holes(visitor)
        grids.sort(key=lambda grid: (holes.get(grid.grid) is None, grid.name))
        areas = self.areas(visitor)
        return self.printer.page(request, "rota_list.html", visitor=visitor, grids=grids, holes=holes, areas=areas)

    def show_week(
        self, request: Request, visitor: Visitor, grid: Home, week: str, pick: str, said: str = "", error: str = ""
    ) -> Response:
        tongue, now, registry = tongue_of(request), self.house.clock.now(), self.house.registry
        today = now.astimezone(grid.zone).date()
        monday = monday_of(week, today)
        rota = registry.rota()
        calls = [(duty, registry.on_call(grid.grid, duty, now).people) for duty in WORKED]
        places = rota.above.get(grid.grid, ())
        standing = [s for duty in WORKED for place in places for s in rota.shifts.get((place, duty), ())]
        return self.printer.page(
            request,
            "rota_week.html",
            status=422 if error else 200,
            now=now,
            visitor=visitor,
            page_zone=grid.zone,
            here=f"/rota/{quote(grid.grid)}?week={monday}",
            at=f"/rota/{quote(grid.grid, safe='')}",
            grid=grid,
            monday=monday,
            previous=monday - 7 * A_DAY,
            following=monday + 7 * A_DAY,
            today=today,
            days=self.week(grid, monday, visitor),
            is_unwatched=self._is_unwatched(grid),
            pick=self.picked(pick, visitor),
            others=[o for o in self.grids(visitor) + self.areas(visitor) if o.grid != grid.grid][:MOST_GRIDS],
            staff=self.staff(grid),
            shifts=[s for s in standing if s.last is None or s.last >= today],
            may_end=lambda shift: self.pages.covers(visitor, shift.place),
            leaves=self.leaves(grid),
            calls=[(duty, people) for duty, people in calls if people],
            duties=[(duty.value, wording.duty_name(duty, tongue.language)) for duty in WORKED],
            **self._words(tongue, grid, now),
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    def _words(self, tongue: Tongue, grid: Home, now: datetime) -> dict[str, Any]:
        def weekday(number: int) -> str:
            return wording.day_name(number - 1, tongue.language)

        def days(shift: Shift) -> str:
            if shift.weekdays == EVERY_DAY:
                return tongue.say("every day")
            return tongue.say(", ").join(weekday(int(number)) for number in shift.weekdays)

        return {
            "weekday": weekday,
            "weekdays": days,
            "hours": lambda line: _hours(line, grid.zone),
            "duty_name": lambda duty: wording.duty_name(duty, tongue.language),
            "name_of": self.pages.name_of,
            "place_name": lambda place: self._place_names().get(place, place),
            "right": lambda one: words_rota.right(one, grid.zone, tongue.language, self.house.registry, now),
        }

    def _place_names(self) -> Mapping[str, str]:
        registry = self.house.registry
        return {area.code: area.name for area in registry.areas()} | {grid.code: grid.name for grid in registry.grids()}

    # ------------------------------------------------------------------ who would be called

    def show_who(self, request: Request, visitor: Visitor, home: Home, at: str, code: str) -> Response:
        tongue, now, error = tongue_of(request), self.house.clock.now(), ""
        if self.house.blank_book is None:
            raise HTTPException(404)
        code = code if code in ASKED else ASKED[0]
        try:
            when = moment(at, home.zone, now)
        except ValueError:
            when = now
            error = tongue.say("That is no moment. Write it as Sunday 03:00, tomorrow 03:00 or 2026-03-15 03:00.")
        said = rehearse(home, when, self.house.registry, self.house.blank_book(), code=code, call=self.house.desk.call)
        return self.printer.page(
            request,
            "rota_who.html",
            status=422 if error else 200,
            now=now,
            visitor=visitor,
            page_zone=home.zone,
            home=home,
            when=when,
            asked=at,
            code=code,
            codes=[(one, wording.alert_name(one, tongue.language)) for one in ASKED],
            said=said,
            error=error,
            after=lambda span: _after(span, tongue),
            duty_name=lambda duty: wording.duty_name(duty, tongue.language),
            channel=lambda name: channel_word(name, tongue),
            why=lambda one: words_rota.why(one, home.zone, tongue.language, self.house.registry, when),
            weekday=wording.day_name(when.astimezone(home.zone).weekday(), tongue.language),
        )


def _after(span: timedelta, tongue: Tongue) -> str:
    return tongue.say("at once") if not span else tongue.say("after {span}", span=tongue.span(span))


def _hours(line: Line, zone: ZoneInfo) -> str:
    """From when until when, by the clock there; the end of a day is 24:00."""
    begins, ends = line.begins.astimezone(zone), line.ends.astimezone(zone)
    is_midnight = ends.time() == time.min and ends.date() > begins.date()
    return f"{begins:%H:%M}–{'24:00' if is_midnight else f'{ends:%H:%M}'}"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def monday_of(week: str, today: date) -> date:
    """The Monday of the week of this day; of today, where it is none."""
    try:
        day = date.fromisoformat(week)
    except ValueError:
        day = today
    return day - timedelta(days=day.weekday())


def place_of(key: str) -> Place | None:
    """A shift's id and its day."""
    shift, _, day = key.rpartition("@")
    try:
        return shift, date.fromisoformat(day)
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


# --------------------------------------------------------------------------- routes


def routes(rotas: Rotas, doors: Doors) -> Addresses:
    """The sheet, for whoever keeps it; who would be called, for whoever is on duty."""
    router = Addresses()
    house, sheet = rotas.house, rotas.sheet
    Keeper = Annotated[Visitor, Depends(doors.signed_in(*KEEPERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*KEEPERS))]  # noqa: N806
    Reader = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806

    def back(grid: Home, said: str, week: str = "") -> Response:
        return RedirectResponse(f"/rota/{quote(grid.grid, safe='')}?week={quote(week)}&said={said}", status_code=303)

    def act(
        request: Request, visitor: Visitor, grid: Home, week: str, said: str, do: Callable[[str, datetime], object]
    ) -> Response:
        """Do it, or show the sheet again with the sentence that says why not."""
        try:
            do(visitor.account.person, house.clock.now())
        except RegistrationError as refused:
            error = refused.say(tongue_of(request).language)
            return rotas.show_week(request, visitor, grid, week, "", error=error)
        return back(grid, said, week)

    def own(visitor: Visitor, *keys: str) -> list[Place]:
        """The turns of these keys, each theirs to swap."""
        lines = [rotas.picked(key, visitor) for key in keys]
        if None in lines:
            raise HTTPException(404)
        return [place for key in keys if (place := place_of(key)) is not None]

    def works_here(grid: Home, person: str) -> None:
        if person not in {one.id for one in rotas.staff(grid)}:
            raise HTTPException(404)

    @router.get("/rota")
    def show_list(request: Request, visitor: Keeper) -> Response:
        places = rotas.grids(visitor) + rotas.areas(visitor)
        if len(places) == 1:
            return RedirectResponse(f"/rota/{quote(places[0].grid, safe='')}", status_code=303)
        return rotas.show_list(request, visitor)

    @router.get("/rota/{code}")
    def show_week(
        request: Request, visitor: Keeper, code: str, week: str = "", pick: str = "", said: str = ""
    ) -> Response:
        return rotas.show_week(request, visitor, rotas.grid(visitor, code), week, pick, said)

    @router.post("/rota/{code}/swap")
    def swap(
        request: Request, visitor: Acting, code: str, one: Text = "", other: Text = "", week: Text = ""
    ) -> Response:
        grid, (first, second) = rotas.grid(visitor, code), own(visitor, one, other)
        return act(
            request, visitor, grid, week, "swapped", lambda who, now: sheet.swap(first, second, who=who, now=now)
        )

    @router.post("/rota/{code}/stand-in")
    def stand_in(
        request: Request, visitor: Acting, code: str, one: Text = "", person: Text = "", week: Text = ""
    ) -> Response:
        grid, (turn,) = rotas.grid(visitor, code), own(visitor, one)
        works_here(grid, person)
        return act(
            request, visitor, grid, week, "swapped", lambda who, now: sheet.stand_in(turn, person, who=who, now=now)
        )

    @router.post("/rota/{code}/shifts")
    def add_shift(
        request: Request,
        visitor: Acting,
        code: str,
        person: Text = "",
        duty: Text = "",
        begins: Text = "",
        ends: Text = "",
        day: Annotated[Sequence[str], Form()] = (),
        first: Text = "",
        last: Text = "",
        week: Text = "",
    ) -> Response:
        grid, tongue = rotas.grid(visitor, code), tongue_of(request)
        works_here(grid, person)
        weekdays = "".join(number for number in EVERY_DAY if number in day)
        hours = _clock(begins), _clock(ends)
        try:
            days = date.fromisoformat(first), date.fromisoformat(last) if last else None
        except ValueError:
            days = None
        error = ""
        if duty not in [one.value for one in WORKED]:
            error = tongue.say("Please choose a duty.")
        elif not weekdays:
            error = tongue.say("Please choose the weekdays.")
        elif None in hours or days is None or (days[1] is not None and days[1] < days[0]):
            error = tongue.say("A shift needs a beginning, an end and a first day; its last day lies not before that.")
        if error or days is None or hours[0] is None or hours[1] is None:
            return rotas.show_week(request, visitor, grid, week, "", error=error)
        shift = Shift(
            place=grid.grid,
            duty=Duty(duty),
            person=person,
            begins=hours[0],
            ends=hours[1],
            zone=grid.zone,
            first=days[0],
            last=days[1],
            weekdays=weekdays,
        )
        return act(request, visitor, grid, week, "saved", lambda who, now: sheet.add_shift(shift, who=who, now=now))

    @router.post("/rota/{code}/shifts/end")
    def end_shift(request: Request, visitor: Acting, code: str, shift: Text = "", week: Text = "") -> Response:
        grid = rotas.grid(visitor, code)
        if not rotas.pages.covers(visitor, shift.partition("/")[0]):
            raise HTTPException(404)
        yesterday = house.clock.now().astimezone(grid.zone).date() - A_DAY
        return act(
            request, visitor, grid, week, "ended", lambda who, now: sheet.end_shift(shift, yesterday, who=who, now=now)
        )

    @router.post("/rota/{code}/leave")
    def put_leave(
        request: Request,
        visitor: Acting,
        code: str,
        person: Text = "",
        first: Text = "",
        last: Text = "",
        why: Text = "",
        week: Text = "",
    ) -> Response:
        grid, tongue = rotas.grid(visitor, code), tongue_of(request)
        works_here(grid, person)
        try:
            since, until = date.fromisoformat(first), date.fromisoformat(last or first) + A_DAY
            leave = Leave(
                person=person,
                since=midnight(since, grid.zone),
                until=midnight(until, grid.zone),
                reason=" ".join(why.split()),
            )
        except ValueError:
            error = tongue.say("Leave needs a first day, and a last one that lies not before it.")
            return rotas.show_week(request, visitor, grid, week, "", error=error)
        return act(request, visitor, grid, week, "saved", lambda who, now: sheet.put_leave(leave, who=who, now=now))

    @router.post("/rota/{code}/leave/end")
    def end_leave(request: Request, visitor: Acting, code: str, person: Text = "", week: Text = "") -> Response:
        grid = rotas.grid(visitor, code)
        works_here(grid, person)
        return act(request, visitor, grid, week, "saved", lambda who, now: sheet.end_leave(person, who=who, now=now))

    @router.post("/rota/{code}/holiday")
    def put_holiday(
        request: Request,
        visitor: Acting,
        code: str,
        day: Text = "",
        counts_as: Annotated[int, Form(ge=0, le=7)] = 7,
        name: Word = "",
        week: Text = "",
    ) -> Response:
        """Of this grid: what holds everywhere comes in as a table, once a year. 0 takes it back."""
        grid, tongue = rotas.grid(visitor, code), tongue_of(request)
        try:
            date_ = date.fromisoformat(day)
        except ValueError:
            return rotas.show_week(request, visitor, grid, week, "", error=tongue.say("Please choose a day."))
        if not counts_as:
            return act(
                request,
                visitor,
                grid,
                week,
                "ended",
                lambda who, now: sheet.drop_holiday(code, date_, who=who, now=now),
            )
        holiday = Holiday(day=date_, place=grid.grid, counts_as=counts_as, name=" ".join(name.split()))
        return act(request, visitor, grid, week, "saved", lambda who, now: sheet.put_holiday(holiday, who=who, now=now))

    @router.get("/homes/{home_id}/who")
    def show_who(request: Request, visitor: Reader, home_id: str, at: str = "", code: str = "") -> Response:
        return rotas.show_who(request, visitor, rotas.pages.home(visitor, home_id), at, code)

    return router
