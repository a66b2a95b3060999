"""`shouwang plan …`: one household, one plan (一户一案): limits, absences, visits and silences, each with its end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from gateway.commands import Config, Office, State, Who, moment, office, one_of, say
from gateway.config import Refused
from gateway.domain import Absence, Override, Scope
from gateway.domain.home import GRID
from gateway.domain.plan import OF_AN_ALERT, OFF, SETTINGS, UNUSUAL, Setting, span_at
from gateway.locales import catalogue

plan = typer.Typer(
    help="Plans of homes, grids and areas: limits, rules off, absences, visits, silences. 一户一案",
    no_args_is_help=True,
)

Place = Annotated[str, typer.Argument(help="id of the home; with --grid or --area the code of one")]
OfGrid = Annotated[bool, typer.Option("--grid", help="PLACE is a grid: it holds for all its homes")]
OfArea = Annotated[bool, typer.Option("--area", help="PLACE is an area: it holds for all homes within")]
Key = Annotated[str, typer.Argument(help="what is planned; `shouwang plan keys` names all there is")]
From = Annotated[str, typer.Option("--from", help="begins then, such as 2026-03-15T08:30; without it now")]
Until = Annotated[str, typer.Option("--until", help="ends then; without it it stays")]
Why = Annotated[str, typer.Option("--why", help="the reason, for whoever reads it later")]


CHINA = ZoneInfo("Asia/Shanghai")
"""By whose clock the plan of a place is written in which no home is registered."""


@plan.command("list")
def plan_list(
    place: Place,
    grid: OfGrid = False,
    area: OfArea = False,
    every: Annotated[bool, typer.Option("--all", help="also what has ended or is still to come")] = False,
    config: Config = None,
    state: State = None,
) -> None:
    """What holds here now, by whose word and why; of a home also what its grid and its areas say."""
    with office(config, state) as here:
        scope, zone = _scope(grid, area), _zone(here, place, grid or area)
        registry = here.stores.registry
        lines = list(registry.plan_lines(place)) if scope is Scope.HOME else registry.overrides(place, scope)
        for line in lines:
            if every or line.covers(here.now) or line.since > here.now:
                say(_line(line, zone))
        if scope is Scope.HOME:
            span = span_at(lines, here.now, zone)
            if why := span.plan.get(UNUSUAL):
                say(f"  ! nothing is learnt from these days: {why}")


def _line(line: Override, zone: ZoneInfo) -> str:
    until = f"{line.until.astimezone(zone):%Y-%m-%d %H:%M}" if line.until else "open end"
    begins = f"{line.since.astimezone(zone):%Y-%m-%d %H:%M}"
    said = f"{line.author}: {line.reason}" if line.author else line.reason
    where = "" if line.home else f"  ({line.scope.value} {line.place})"
    return f"{line.key:28} {line.value or '-':16} {begins} – {until}  {said}{where}"


@plan.command("keys")
def plan_keys(config: Config = None, state: State = None) -> None:
    """Everything that a plan can say, with its unit and its limits."""
    with office(config, state) as here:
        for line in _keys(here.settings.language):
            say(line)


def _keys(language: str) -> Iterator[str]:
    words = catalogue(language, "pages")
    for setting in SETTINGS:
        if setting.is_listed:
            off = ", off" if setting.can_be_off and setting.unit.value != "switch" else ""
            yield f"{setting.key:32} {_written(setting):24}{off:6}  {words.gettext(setting.words)}"
    for name, setting in OF_AN_ALERT.items():
        yield f"{'<alert>.' + name:32} {_written(setting):24}{'':6}  {words.gettext(setting.words)}"


def _written(setting: Setting) -> str:
    span = f" {setting.low:g}..{setting.high:g}" if setting.high else ""
    return "off" if setting.unit.value == "switch" else f"{setting.unit.value}{span}"


@plan.command("set")
def plan_set(
    place: Place,
    key: Key,
    value: Annotated[str, typer.Argument(help="what holds instead, such as 90 or 22:30")],
    why: Why = "",
    begins: From = "",
    until: Until = "",
    grid: OfGrid = False,
    area: OfArea = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Let another limit hold, from now or later on. What held before comes back when it ends."""
    with office(config, state) as here:
        zone = _zone(here, place, grid or area)
        here.registrar.plans.put(
            place,
            key,
            value,
            scope=_scope(grid, area),
            since=_moment(begins, zone),
            until=_moment(until, zone),
            why=why,
            who=who,
            now=here.now,
        )


@plan.command("off")
def plan_off(
    place: Place,
    rule: Annotated[str, typer.Argument(help="the alert that is not to be told, such as door_open")],
    why: Why = "",
    until: Until = "",
    grid: OfGrid = False,
    area: OfArea = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Switch a rule off; smoke, gas, carbon monoxide and the call for help never are."""
    plan_set(place, rule, OFF, why, "", until, grid, area, config, state, who)


@plan.command("end")
def plan_end(
    place: Place,
    key: Key,
    why: Why = "",
    grid: OfGrid = False,
    area: OfArea = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """End what is planned: a limit, a rule that is off, a visit (visit/1), a silence, an absence."""
    with office(config, state) as here:
        here.registrar.plans.end(place, key, scope=_scope(grid, area), why=why, who=who, now=here.now)


@plan.command("absence")
def plan_absence(
    home: Annotated[str, typer.Argument(help="id of the home")],
    kind: Annotated[str, typer.Argument(help="holiday, hospital or family")],
    until: Annotated[str, typer.Option("--until", help="when they will be back: 30 days at most")],
    begins: From = "",
    why: Why = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Nobody is at home until then. It ends by itself, and when somebody lives there again."""
    with office(config, state) as here:
        zone, end = here.home(home).zone, one_of(Absence, kind, "kind of absence")
        back = _moment(until, zone)
        if back is None:
            raise Refused("Please say until when: --until 2026-03-15.")
        here.registrar.plans.declare_absence(
            home, end, back, since=_moment(begins, zone), why=why, who=who, now=here.now
        )


@plan.command("visit")
def plan_visit(
    home: Annotated[str, typer.Argument(help="id of the home")],
    hours: Annotated[str, typer.Argument(help="09:00-11:00, or with days 'mon,wed 09:00-11:00'")],
    why: Why = "",
    begins: From = "",
    until: Until = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Somebody is expected at these hours: nothing is learnt from them, and alerts say so."""
    with office(config, state) as here:
        zone = here.home(home).zone
        since, end = _moment(begins, zone), _moment(until, zone)
        line = here.registrar.plans.expect_visit(home, hours, since=since, until=end, why=why, who=who, now=here.now)
        say(line.key)


@plan.command("silence")
def plan_silence(
    place: Place,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=24, help="how long: a day at most")],
    alerts: Annotated[
        str, typer.Option("--alerts", help="which, separated by commas; without it all that can wait")
    ] = "",
    why: Why = "",
    grid: OfGrid = False,
    area: OfArea = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Hold back what can wait; it is told when the silence ends. Calls for help, smoke and gas are never silenced."""
    with office(config, state) as here:
        until = here.now + timedelta(hours=hours)
        here.registrar.plans.silence(place, alerts, until, scope=_scope(grid, area), why=why, who=who, now=here.now)


def _scope(grid: bool, area: bool) -> Scope:
    if grid and area:
        raise Refused("Say --grid or --area, not both.")
    return Scope.GRID if grid else Scope.AREA if area else Scope.HOME


def _zone(here: Office, place: str, is_wide: bool) -> ZoneInfo:
    """By whose clock a plan begins and ends: a grid's or an area's by that of the homes in it."""
    whole = here.stores.registry.home(f"{GRID}{place}") if is_wide else here.home(place)
    return whole.zone if whole else CHINA


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A date or a time, as a clock there shows it; None where nothing was said."""
    return moment(text, zone) if text else None
