"""One household, one plan (一户一案): who is away, who is expected, what holds instead of the usual, what is silent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.catalogue import Catalogue
from alerts.plans import CALLED_BY_THEMSELVES, CAN_WAIT
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why, Word
from dashboard.house import House
from dashboard.pages import Pages
from dashboard.printer import FALLBACK_ZONE, Printer, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Absence, Duty, Home, Override, Scope, Severity
from gateway.domain.home import GRID
from gateway.domain.plan import (
    ABSENCE,
    ALWAYS_ON,
    BY_ALMANAC,
    DEMENTIA,
    NEVER_HELD,
    OF_AN_ALERT,
    OFF,
    RISK,
    SETTINGS,
    SILENCE,
    UNIT_WORDS,
    VISIT,
    YES,
    Setting,
    Unit,
    setting_of,
)
from gateway.registry import RegistrationError

WORKERS = (Duty.GRID_WORKER, Duty.DEPUTY, Duty.SUPERVISOR, Duty.ADMIN)
LEADERS = (Duty.SUPERVISOR, Duty.ADMIN)
EVERYBODY = (*WORKERS, Duty.INSTALLER, Duty.FAMILY)

FROM_THE_FILE = frozenset({DEMENTIA, RISK})
"""Lines that say something of the resident's health: they follow the file, and families are not shown them."""

SILENT_HOURS = (1, 4, 12, 24)

KINDS: Mapping[Absence, str] = {
    Absence.HOLIDAY: N_("on a journey"),
    Absence.HOSPITAL: N_("in hospital"),
    Absence.FAMILY: N_("with the family"),
}
DAYS = {
    "mon": N_("Mon"),
    "tue": N_("Tue"),
    "wed": N_("Wed"),
    "thu": N_("Thu"),
    "fri": N_("Fri"),
    "sat": N_("Sat"),
    "sun": N_("Sun"),
}
IN_WORDS: Mapping[Unit, str] = {
    Unit.MINUTES: N_("{value} minutes"),
    Unit.HOURS: N_("{value} hours"),
    Unit.DAYS: N_("{value} days"),
    Unit.LITRES: N_("{value} litres"),
    Unit.DEGREES: N_("{value} °C"),
}
BLANK = dict.fromkeys(
    ("kind", "day", "clock", "begins", "ends", "on", "key", "alert", "number", "value", "off", "why"), ""
)
"""The forms as they are before anybody has filled them in."""

SAID = {
    "saved": N_("Saved. It holds from now on."),
    "ended": N_("Ended. From now on what is usual holds again."),
    "away": N_("Noted. Nobody is called because nobody moves there."),
    "back": N_("Noted. The home is watched as usual again."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plan in words."""

    line: Override
    what: str
    value: str
    reason: str
    until: str
    begins: str  # empty: it holds already
    may_end: bool


class Plans:
    """What these pages need from the stores."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages
        self.catalogue = Catalogue()

    # ------------------------------------------------------------------ who may see and say what

    def home(self, visitor: Visitor, home_id: str) -> Home:
        """A home of theirs: of their place, or of their family. Else the same 404 as where there is none."""
        return self.pages.home(visitor, home_id)

    def place(self, visitor: Visitor, scope: Scope, place: str) -> str:
        """The name of a grid or an area, for whoever leads there."""
        registry = self.house.registry
        if visitor.account.duty in LEADERS and self.pages.covers(visitor, place):
            if scope is Scope.GRID:
                return next((grid.name for grid in registry.grids() if grid.code == place), "") or self._nowhere()
            if scope is Scope.AREA:
                return next((area.name for area in registry.areas() if area.code == place), "") or self._nowhere()
        return self._nowhere()

    def _nowhere(self) -> str:
        raise HTTPException(404)

    def zone(self, place: str) -> ZoneInfo:
        """By whose clock the plan of a grid, an area or ("") all of them begins and ends: that of the homes in it."""
        whole = self.house.registry.home(f"{GRID}{place}")
        return whole.zone if whole else FALLBACK_ZONE

    def clock_said(self, place: str, tongue: Tongue, now: datetime) -> str:
        """By whose clock; "" where all homes that are known have the same."""
        zone, grids = self.zone(place), self.house.registry.grids()
        offset = tongue.offset(zone, now)
        if all(tongue.offset(self.zone(grid.code), now) == offset for grid in grids):
            return ""
        return tongue.say(
            "Days and times here are those of {zone} ({offset}), now {time}; "
            "hours that come each day are each home's own.",
            zone=zone.key,
            offset=offset,
            time=tongue.clock(now, zone, now),
        )

    # ------------------------------------------------------------------ in words

    def name_of(self, key: str, tongue: Tongue) -> str:
        """What a line is about: a setting's words, with the alert's name where it is one of an alert's numbers."""
        code, _, number = key.partition(".")
        setting = setting_of(key)
        words = tongue.say(setting.words)
        if number and setting in OF_AN_ALERT.values():
            n = number.removeprefix("wait") if number.startswith("wait") else ""
            alert = wording.alert_name(code, tongue.language)
            return tongue.say("{alert}: {what}", alert=alert, what=f"{words} ({n})" if n else words)
        return words

    def value_of(self, key: str, value: str, tongue: Tongue) -> str:
        unit = setting_of(key).unit
        if value == OFF:
            return tongue.say("switched off")
        if unit in IN_WORDS:
            return tongue.say(IN_WORDS[unit], value=value)
        if unit is Unit.SEVERITY:
            return wording.severity_name(Severity(int(value)), tongue.language)
        if unit is Unit.ABSENCE:
            return tongue.say(KINDS[Absence(value)])
        if unit is Unit.VISIT:
            days, _, hours = value.rpartition(" ")
            return " ".join([*(tongue.say(DAYS[day]) for day in days.split(",") if day), hours])
        if unit is Unit.CODES:
            names = [wording.alert_name(code, tongue.language) for code in value.split(",") if code]
            return tongue.say(", ").join(names) or tongue.say("everything that can wait")
        return tongue.say("yes") if value == YES else tongue.say("no") if value == "no" else value

    def line(self, line: Override, tongue: Tongue, zone: ZoneInfo, visitor: Visitor, scope: Scope) -> Line:
        now = self.house.clock.now()
        reason = line.reason
        if line.reason == "profile":
            reason = tongue.say("as in the resident's file")
        elif line.reason == BY_ALMANAC:
            reason = tongue.say("as usual in this province")
        elif line.key == ABSENCE and line.reason in list(Absence):
            reason = ""
        is_off = line.value == OFF and line.key in self.catalogue.codes()
        is_theirs = line.scope is scope and line.key not in FROM_THE_FILE
        plain = line.key.partition("/")[0]
        is_family = visitor.account.duty in (Duty.FAMILY, Duty.INSTALLER)
        return Line(
            line=line,
            what=wording.alert_name(line.key, tongue.language) if is_off else self.name_of(line.key, tongue),
            value=self.value_of(line.key, line.value, tongue),
            reason=reason,
            until=tongue.clock(line.until, zone, now) if line.until else "",
            begins=tongue.clock(line.since, zone, now) if line.since > now else "",
            may_end=is_theirs and (not is_family or plain in (ABSENCE, VISIT)),
        )

    # ------------------------------------------------------------------ pages

    def show(
        self,
        request: Request,
        visitor: Visitor,
        scope: Scope,
        place: str,
        said: str = "",
        error: str = "",
        given: Mapping[str, Any] | None = None,
    ) -> Response:
        registry, tongue, now = self.house.registry, tongue_of(request), self.house.clock.now()
        home = self.home(visitor, place) if scope is Scope.HOME else None
        name = f"{home.name} {home.code}" if home else self.place(visitor, scope, place)
        zone = home.zone if home else self.zone(place)
        held = registry.plan_lines(place) if home else registry.overrides(place, scope)
        known = [line for line in held if is_known(line.key) and (line.until is None or line.until > now)]
        if visitor.account.duty is Duty.FAMILY:
            known = [line for line in known if line.key not in FROM_THE_FILE]
        lines = [self.line(line, tongue, zone, visitor, scope) for line in known]
        groups: dict[str, list[Line]] = {ABSENCE: [], VISIT: [], SILENCE: [], "": []}
        for line in lines:
            plain = line.line.key.partition("/")[0]
            groups[plain if plain in groups else ""].append(line)
        is_worker = visitor.account.duty in WORKERS
        return self.printer.page(
            request,
            "plan.html",
            status=422 if error else 200,
            now=now,
            visitor=visitor,
            page_zone=zone,
            home=home,
            here=f"/plans/{scope.value}/{place}",
            at=f"/plans/{scope.value}/{place}",
            back=self._back(visitor, home, place),
            name=name,
            clock_said="" if home else self.clock_said(place, tongue, now),
            groups=groups,
            rest=groups[""],
            kinds=[(kind.value, tongue.say(word)) for kind, word in KINDS.items()],
            days=[(day, tongue.say(word)) for day, word in DAYS.items()],
            settings=self.choices(tongue, scope) if is_worker else [],
            alerts=self.alert_choices(tongue) if is_worker else [],
            numbers=[(n, tongue.say(s.words), n.removeprefix("wait")) for n, s in OF_AN_ALERT.items()],
            silences=self.silence_choices(tongue),
            silent_hours=SILENT_HOURS,
            is_worker=is_worker,
            name_of=self.pages.name_of,
            where=lambda line: self._where(line, visitor),
            today=f"{now.astimezone(zone):%Y-%m-%d}",
            given={**BLANK, **(given or {})},
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    def _back(self, visitor: Visitor, home: Home | None, place: str) -> str:
        if visitor.account.duty is Duty.FAMILY:
            return f"/family/{home.id}" if home else "/family"
        if visitor.account.duty is Duty.INSTALLER:
            return f"/install/{home.id}" if home else "/"
        return f"/homes/{home.id}" if home else f"/administration/alerts?place={quote(place, safe='')}"

    def _where(self, line: Override, visitor: Visitor) -> tuple[str, str]:
        """Whose line it is that also holds here, and where it is changed, if this visitor may."""
        registry = self.house.registry
        if line.grid:
            name = next((grid.name for grid in registry.grids() if grid.code == line.grid), line.grid)
        else:
            name = next((area.name for area in registry.areas() if area.code == line.area), line.area)
        may = visitor.account.duty in LEADERS and self.pages.covers(visitor, line.place)
        return name, f"/plans/{line.scope.value}/{line.place}" if may else ""

    def choices(self, tongue: Tongue, scope: Scope) -> list[tuple[str, str, str]]:
        """What can be set here by hand: the key, its words, and how it is written."""
        return [
            (setting.key, tongue.say(setting.words), _written(setting, tongue))
            for setting in SETTINGS
            if setting.is_listed and not (setting.only_home and scope is not Scope.HOME)
        ]

    def alert_choices(self, tongue: Tongue) -> list[tuple[str, str, bool]]:
        """Every alert of the catalogue, and whether it may be switched off."""
        return [
            (code, wording.alert_name(code, tongue.language), code not in ALWAYS_ON)
            for code in self.catalogue.codes()
            if code != "test"
        ]

    def silence_choices(self, tongue: Tongue) -> list[tuple[str, str]]:
        """What can be silenced: what can wait, and what nobody called for."""
        never = CALLED_BY_THEMSELVES | NEVER_HELD
        return [
            (code, wording.alert_name(code, tongue.language))
            for code in self.catalogue.codes()
            if code not in never and self.catalogue.entry(code).severity in CAN_WAIT
        ]


def is_known(key: str) -> bool:
    """Work, pauses and tests of buttons stand in the same table, and are shown where they are made."""
    try:
        setting_of(key)
    except ValueError:
        return False
    return True


def _written(setting: Setting, tongue: Tongue) -> str:
    unit = tongue.say(UNIT_WORDS[setting.unit])
    span = f"{setting.low:g}–{setting.high:g} " if setting.high and setting.unit is not Unit.SEVERITY else ""
    return f"{span}{unit}"


def ending(day: str, clock: str, zone: ZoneInfo) -> datetime | None:
    """The moment that a form's date and time mean; without a time the end of that day. Raises ValueError."""
    if not day:
        return None
    on = date.fromisoformat(day)
    if clock:
        return datetime.combine(on, time.fromisoformat(clock), zone)
    return datetime.combine(on + timedelta(days=1), time(), zone)


# --------------------------------------------------------------------------- routes


def routes(plans: Plans, doors: Doors) -> Addresses:
    """The addresses of these pages; each act is one form, and one line of the audit trail."""
    router = Addresses(prefix="/plans")
    house, registrar = plans.house, plans.house.registrar
    In = Annotated[Visitor, Depends(doors.signed_in(*EVERYBODY))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*EVERYBODY))]  # noqa: N806
    Working = Annotated[Visitor, Depends(doors.acting(*WORKERS))]  # noqa: N806

    def act(
        request: Request,
        visitor: Visitor,
        scope: Scope,
        place: str,
        said: str,
        do: Callable[[ZoneInfo], Any],
        **given: Any,
    ) -> Response:
        """Do it, and show the page again; what was refused stands above the form."""
        tongue = tongue_of(request)
        if scope is Scope.HOME:
            zone = plans.home(visitor, place).zone
        else:
            plans.place(visitor, scope, place)
            zone = plans.zone(place)
        try:
            do(zone)
        except RegistrationError as refusal:
            error = refusal.say(tongue.language)
            if is_known(key := given.get("whole", "")):  # here nobody has typed the key
                error = error.replace(key, plans.name_of(key, tongue))
            return plans.show(request, visitor, scope, place, error=error, given=given)
        except ValueError:
            error = tongue.say("That is no date; choose one from the calendar.")
            return plans.show(request, visitor, scope, place, error=error, given=given)
        return RedirectResponse(f"/plans/{scope.value}/{place}?said={said}", status_code=303)

    @router.get("")
    def show_own(request: Request, visitor: Annotated[Visitor, Depends(doors.signed_in(Duty.FAMILY))]) -> Response:
        """The family's front page: the home they belong to, or the choice of several."""
        homes = plans.pages.homes(visitor)
        if len(homes) == 1:
            return RedirectResponse(f"/plans/home/{homes[0].id}", status_code=303)
        return plans.printer.page(request, "plan_homes.html", visitor=visitor, homes=homes)

    @router.get("/{scope}/{place}")
    def show(request: Request, visitor: In, scope: Scope, place: str, said: str = "") -> Response:
        return plans.show(request, visitor, scope, place, said)

    @router.post("/home/{place}/absence")
    def declare(
        request: Request, visitor: Acting, place: str, kind: Word = "", day: Word = "", clock: Word = "", why: Why = ""
    ) -> Response:
        def do(zone: ZoneInfo) -> None:
            until = ending(day, clock, zone)
            if until is None or kind not in list(Absence):
                raise ValueError
            registrar.plans.declare_absence(
                place, Absence(kind), until, why=why.strip(), who=visitor.account.person, now=house.clock.now()
            )

        return act(request, visitor, Scope.HOME, place, "away", do, kind=kind, day=day, clock=clock, why=why)

    @router.post("/home/{place}/back")
    def back(request: Request, visitor: Acting, place: str) -> Response:
        def do(zone: ZoneInfo) -> None:
            registrar.plans.end_absence(place, who=visitor.account.person, now=house.clock.now())

        return act(request, visitor, Scope.HOME, place, "back", do)

    @router.post("/home/{place}/visit")
    def expect(
        request: Request,
        visitor: Acting,
        place: str,
        begins: Word = "",
        ends: Word = "",
        on: Annotated[list[str] | None, Form(max_length=7)] = None,
        day: Word = "",
        why: Why = "",
    ) -> Response:
        def do(zone: ZoneInfo) -> None:
            hours = f"{','.join(one for one in on or () if one in DAYS)} {begins[:5]}-{ends[:5]}".strip()
            until = ending(day, "", zone)
            registrar.plans.expect_visit(
                place, hours, until=until, why=why, who=visitor.account.person, now=house.clock.now()
            )

        return act(request, visitor, Scope.HOME, place, "saved", do, begins=begins, ends=ends, on=on, why=why)

    @router.post("/{scope}/{place}/set")
    def put(
        request: Request,
        visitor: Working,
        scope: Scope,
        place: str,
        key: Word = "",
        alert: Word = "",
        number: Word = "",
        value: Word = "",
        off: Word = "",
        day: Word = "",
        why: Why = "",
    ) -> Response:
        whole = f"{alert}.{number}" if alert and number else alert or key

        def do(zone: ZoneInfo) -> None:
            registrar.plans.put(
                place,
                whole,
                OFF if off else value,
                scope=scope,
                until=ending(day, "", zone),
                why=why,
                who=visitor.account.person,
                now=house.clock.now(),
            )

        return act(
            request,
            visitor,
            scope,
            place,
            "saved",
            do,
            key=key,
            alert=alert,
            number=number,
            value=value,
            off=off,
            why=why,
            whole=whole,
        )

    @router.post("/{scope}/{place}/silence")
    def silence(
        request: Request,
        visitor: Working,
        scope: Scope,
        place: str,
        hours: Annotated[int, Form(ge=1, le=24)] = 1,
        codes: Annotated[list[str] | None, Form(max_length=60)] = None,
        why: Why = "",
    ) -> Response:
        def do(zone: ZoneInfo) -> None:
            now = house.clock.now()
            until = now + timedelta(hours=hours)
            registrar.plans.silence(
                place, ",".join(codes or ()), until, scope=scope, why=why, who=visitor.account.person, now=now
            )

        return act(request, visitor, scope, place, "saved", do)

    @router.post("/{scope}/{place}/end")
    def end(request: Request, visitor: Acting, scope: Scope, place: str, key: Word = "", why: Why = "") -> Response:
        plain = key.partition("/")[0]
        if key in FROM_THE_FILE or (visitor.account.duty not in WORKERS and plain not in (ABSENCE, VISIT)):
            raise HTTPException(403)

        def do(zone: ZoneInfo) -> None:
            registrar.plans.end(
                place, key, scope=scope, why=why.strip(), who=visitor.account.person, now=house.clock.now()
            )

        return act(request, visitor, scope, place, "ended", do)

    return router
