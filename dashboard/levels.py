"""Every kind of alert with the numbers that hold for a place: how bad, how long people have, who is called; and changed
here with a reason, for a grid or for an area with all that lies in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.catalogue import first_asked
from alerts.plans import planned
from dashboard.accounts import LEADERS
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why, Word
from dashboard.grids import Grids
from dashboard.plan import Line, Plans, ending
from dashboard.printer import tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Duty, Grid, Home, Ladder, Override, Scope, Severity
from gateway.domain.plan import ALWAYS_ON, NEVER_HELD, OF_AN_ALERT, OFF
from gateway.registry import RegistrationError

WATCHED = "watched"
"""In place of a number: whether the alert is told at all."""

HOMES_SHOWN = 100
"""Lines of households below the table of a place; how many more there are is said."""

TEST = "test"
"""The one code that nobody sets anything for."""

SAID = {
    "saved": N_("Saved. It holds from now on; alerts that are under way keep the times they began with."),
    "reset": N_("Taken back. From now on what is usual holds again."),
}


@dataclass(frozen=True, slots=True)
class Own:
    """What a household's own plan says about an alert."""

    home: Home
    line: Line


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of alert as it holds for a place."""

    code: str
    severity: Severity
    ladder: Ladder
    is_off: bool
    said: Mapping[str, Override]  # number -> the line that says it, where one does
    homes: int = 0  # households in which something else holds

    @property
    def asks(self) -> timedelta:
        return sum((rung.wait for rung in self.ladder.rungs[: first_asked(self.ladder)]), timedelta(0))

    def value(self, number: str) -> timedelta | None:
        """One of its times; None where there is none."""
        ladder = self.ladder
        if number == "confirm":
            return self.asks
        if number == "ack":
            return None if ladder.ack is None else ladder.ack - self.asks
        if number.startswith("wait"):
            at = first_asked(ladder) + int(number[4:]) - 1
            return ladder.rungs[at].wait if at < len(ladder.rungs) else None
        return {"site": ladder.site, "remind": ladder.remind, "lapse": ladder.lapse}[number]


class Levels:
    """What these pages need from the stores."""

    def __init__(self, grids: Grids, plans: Plans) -> None:
        self.grids = grids
        self.plans = plans
        self.house = grids.house
        self.pages = grids.pages
        self.catalogue = plans.catalogue

    def codes(self) -> list[str]:
        found = [code for code in self.catalogue.codes() if code != TEST]
        return sorted(found, key=lambda code: self.catalogue.entry(code).severity.value)

    def lines(self, place: str) -> dict[str, Override]:
        """What holds there now of what was ever planned for it and for the areas around: the nearest has the word."""
        registry, now = self.house.registry, self.house.clock.now()
        grids = {grid.code for grid in registry.grids()}
        held: dict[str, Override] = {}
        for code in reversed(registry.rota().above.get(place, ())):
            for line in registry.overrides(code, Scope.GRID if code in grids else Scope.AREA) if code else ():
                if line.covers(now):
                    held[line.key] = line
        return held

    def row(self, code: str, lines: Mapping[str, Override]) -> Row:
        keys = {number: f"{code}.{number}" for number in OF_AN_ALERT} | {WATCHED: code}
        said = {number: lines[key] for number, key in keys.items() if key in lines}
        usual = self.catalogue.entry(code).severity
        is_fixed = "severity" not in said or code in NEVER_HELD
        severity = usual if is_fixed else Severity(int(said["severity"].value))
        values = {line.key: line.value for line in said.values()}
        ladder = planned(self.catalogue.ladder(code, severity), code, values)
        is_off = WATCHED in said and said[WATCHED].value == OFF and code not in ALWAYS_ON
        return Row(code, severity, ladder, is_off, said)

    def rows(self, place: str, own: Iterable[tuple[Home, Override]] = ()) -> list[Row]:
        lines = self.lines(place)
        homes: dict[str, set[str]] = {}
        for home, line in own:
            homes.setdefault(_alert_of(line), set()).add(home.id)
        return [replace(self.row(code, lines), homes=len(homes.get(code, ()))) for code in self.codes()]

    def of_households(self, visitor: Visitor, place: str) -> list[tuple[Home, Override]]:
        """What the plans of single households in a place say about alerts: it beats what the table says."""
        registry, now, known = self.house.registry, self.house.clock.now(), set(self.codes())
        above = registry.rota().above
        homes = {home.id: home for home in self.pages.homes(visitor) if place in above.get(home.grid, ("",))}
        return [
            (homes[home], line)
            for home, plan in registry.plans(homes, now).items()
            for line in plan
            if line.scope is Scope.HOME and _alert_of(line) in known
        ]

    def line(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        """How many kinds there are, and how many numbers differ from the usual in the places of this visitor."""
        registry, now = self.house.registry, self.house.clock.now()
        areas, grids = self.grids.theirs(visitor)
        scopes = [(Scope.AREA, area.code) for area in areas] + [(Scope.GRID, grid.code) for grid in grids]
        known = set(self.codes())
        changed = {
            (code, line.key)
            for scope, code in scopes
            for line in registry.overrides(code, scope)
            if line.covers(now) and _alert_of(line) in known
        }
        said = [tongue.say("{n} kinds of alert", n=len(known))]
        if changed:
            places = len({code for code, _ in changed})
            text = N_("{n} changed in {places} place") if places == 1 else N_("{n} changed in {places} places")
            said.append(tongue.say(text, n=len(changed), places=places))
        if homes := len({home.id for home, _ in self.of_households(visitor, visitor.account.place)}):
            text = N_("something else holds in {n} household") if homes == 1 else N_("something else in {n} households")
            said.append(tongue.say(text, n=homes))
        return " · ".join(said if len(said) > 1 else [*said, tongue.say("all as usual")]), False

    # ------------------------------------------------------------------ pages

    def choices(self, visitor: Visitor) -> list[tuple[str, str]]:
        """The places of theirs, the widest first."""
        areas, grids = self.grids.theirs(visitor)
        depth = {code: len(chain) for code, chain in self.house.registry.rota().above.items()}
        found = [(area.code, area.name) for area in sorted(areas, key=lambda area: depth[area.code])]
        return [*found, *((grid.code, grid.name) for grid in grids)]

    def scope(self, visitor: Visitor, code: str) -> Scope:
        """Of a place of theirs, or the same 404 as where there is none."""
        return Scope.GRID if isinstance(self.grids.place(visitor, code), Grid) else Scope.AREA

    def show_table(self, request: Request, visitor: Visitor, place: str, said: str = "") -> Response:
        tongue, choices = tongue_of(request), self.choices(visitor)
        place = place or next((code for code, _ in choices), "")
        scope = self.scope(visitor, place) if place else None
        own = self.of_households(visitor, place) if place else []
        return self.grids.them.printer.page(
            request,
            "administration_alerts.html",
            visitor=visitor,
            here=f"/administration/alerts?place={quote(place, safe='')}",
            place=place,
            scope=scope.value if scope else "",
            choices=choices,
            rows=self.rows(place, own),
            own=[
                Own(home, self.plans.line(line, tongue, home.zone, visitor, Scope.HOME))
                for home, line in own[:HOMES_SHOWN]
            ],
            more=max(0, len(own) - HOMES_SHOWN),
            name_of=self.pages.name_of,
            address=address,
            said=tongue.say(SAID[said]) if said in SAID else "",
            **self.words(tongue, place),
        )

    def show_one(
        self,
        request: Request,
        visitor: Visitor,
        place: str,
        code: str,
        said: str = "",
        error: str = "",
        given: Mapping[str, str] | None = None,
    ) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        row = self.row(code, self.lines(place))
        waits = [f"wait{n}" for n in range(1, 10) if row.value(f"wait{n}") is not None]
        return self.grids.them.printer.page(
            request,
            "administration_alert.html",
            status=422 if error else 200,
            visitor=visitor,
            now=now,
            here=address(place, code),
            at=address(place, code),
            back=f"/administration/alerts?place={quote(place, safe='')}",
            place=place,
            place_name=self.house.registry.place_name(place),
            row=row,
            numbers=["severity", "confirm", "ack", "site", "remind", "lapse", *waits],
            rungs=self.rungs(row, tongue),
            number_name=lambda number: self.number_name(number, tongue),
            may_change=lambda number: may_change(row, number),
            may_be_off=code not in ALWAYS_ON,
            name_of=self.pages.name_of,
            severities=[(severity.value, wording.severity_name(severity, tongue.language)) for severity in Severity],
            today=f"{now.astimezone(self.plans.zone(place)):%Y-%m-%d}",
            clock_said=self.plans.clock_said(place, tongue, now),
            given={"number": "", "value": "", "why": "", "day": "", **(given or {})},
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
            **self.words(tongue, place),
        )

    def words(self, tongue: Tongue, place: str) -> dict[str, Any]:
        registry = self.house.registry
        return {
            "alert_name": lambda code: wording.alert_name(code, tongue.language),
            "severity_name": lambda severity: wording.severity_name(severity, tongue.language),
            "shown": lambda row, number: self.shown(row, number, tongue),
            "whose": lambda line: "" if line.place == place else registry.place_name(line.place),
            "minutes": lambda row, number: in_minutes(row.value(number)),
        }

    def shown(self, row: Row, number: str, tongue: Tongue) -> str:
        if number == "severity":
            return wording.severity_name(row.severity, tongue.language)
        span = row.value(number)
        if span is None:
            return "–"
        if number == "confirm" and not span:
            return tongue.say("nobody is asked")
        return tongue.span(span) if span else tongue.say("at once")

    def number_name(self, number: str, tongue: Tongue) -> str:
        if number == WATCHED:
            return tongue.say("Watched or not")
        words = tongue.say(OF_AN_ALERT[number].words)
        return f"{words} ({number[4:]})" if number.startswith("wait") else words

    def rungs(self, row: Row, tongue: Tongue) -> Iterable[tuple[str, str]]:
        """The ladder in words: how long after the alert, and who is called then; who is asked again and again stands
        in one line, from when until when."""
        after = timedelta(0)
        spans: list[tuple[tuple[Duty, ...], timedelta, timedelta]] = []
        for rung in row.ladder.rungs:
            if spans and spans[-1][0] == rung.duties:
                spans[-1] = (rung.duties, spans[-1][1], after)
            else:
                spans.append((rung.duties, after, after))
            after += rung.wait
        for duties, first, last in spans:
            when = tongue.say("after {span}", span=tongue.span(first)) if first else tongue.say("at once")
            if last > first:
                when = tongue.say("{first}, again until {last}", first=when, last=tongue.span(last))
            yield when, tongue.say(", ").join(wording.duty_name(duty, tongue.language) for duty in duties)


def _alert_of(line: Override) -> str:
    """The code of the alert that a line of a plan is about; of any other line something that is none."""
    return line.key.partition(".")[0]


def address(place: str, code: str) -> str:
    return f"/administration/alerts/{quote(place, safe='')}/{quote(code, safe='')}"


def may_change(row: Row, number: str) -> bool:
    """What is always an emergency stays one, and nobody is asked first; of what has no limit none is set."""
    if number in ("severity", "confirm"):
        return row.code not in NEVER_HELD
    return row.value(number) is not None


def in_minutes(span: timedelta | None) -> str:
    """As it is written into a form."""
    return "" if span is None else f"{span / timedelta(minutes=1):g}"


# --------------------------------------------------------------------------- routes


def routes(levels: Levels, doors: Doors) -> Addresses:
    """Whoever leads a place says what holds there; each line has its author, its reason, and an end if it needs one."""
    router = Addresses(prefix="/administration/alerts")
    registrar, clock = levels.house.registrar, levels.house.clock
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*LEADERS))]  # noqa: N806

    def known(code: str) -> str:
        if code not in levels.codes():
            raise HTTPException(404)
        return code

    def act(
        request: Request, visitor: Visitor, place: str, code: str, said: str, do: Callable[[], Any], **given: str
    ) -> Response:
        tongue = tongue_of(request)
        try:
            do()
        except RegistrationError as refusal:
            error = refusal.say(tongue.language)
            number = given.get("number", "")
            key = code if number == WATCHED else f"{code}.{number}"
            name = levels.number_name(number, tongue) if number in OF_AN_ALERT or number == WATCHED else number
            return levels.show_one(request, visitor, place, code, error=error.replace(key, name), given=given)
        except ValueError:
            error = tongue.say("That is no date; choose one from the calendar.")
            return levels.show_one(request, visitor, place, code, error=error, given=given)
        return RedirectResponse(f"{address(place, code)}?said={said}", status_code=303)

    @router.get("")
    def show_table(request: Request, visitor: Leader, place: str = "", said: str = "") -> Response:
        return levels.show_table(request, visitor, place, said)

    @router.get("/{code}/{alert}")
    def show_one(request: Request, visitor: Leader, code: str, alert: str, said: str = "") -> Response:
        levels.scope(visitor, code)
        return levels.show_one(request, visitor, code, known(alert), said)

    @router.post("/{code}/{alert}")
    def put(
        request: Request,
        visitor: Acting,
        code: str,
        alert: str,
        number: Word = "",
        value: Word = "",
        day: Word = "",
        why: Why = "",
    ) -> Response:
        scope, alert = levels.scope(visitor, code), known(alert)
        key = alert if number == WATCHED else f"{alert}.{number}"

        def do() -> None:
            registrar.plans.put(
                code,
                key,
                OFF if number == WATCHED else value,
                scope=scope,
                until=ending(day, "", levels.plans.zone(code)),
                why=why,
                who=visitor.account.person,
                now=clock.now(),
            )

        return act(request, visitor, code, alert, "saved", do, number=number, value=value, day=day, why=why)

    @router.post("/{code}/{alert}/reset")
    def reset(request: Request, visitor: Acting, code: str, alert: str, number: Word = "", why: Why = "") -> Response:
        scope, alert = levels.scope(visitor, code), known(alert)
        key = alert if number == WATCHED else f"{alert}.{number}"

        def do() -> None:
            registrar.plans.end(code, key, scope=scope, why=why.strip(), who=visitor.account.person, now=clock.now())

        return act(request, visitor, code, alert, "reset", do, number=number, why=why)

    return router
