"""`shouwang rota …`: who works when, who stands in for whom, holidays, leave, and the hours that nobody has."""

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from gateway.commands import Config, Office, State, Who, moment, office, one_of, say
from gateway.commands.homes import tables_in
from gateway.config import Refused
from gateway.domain import Duty
from gateway.domain.home import GRID
from gateway.domain.rota import EVERY_DAY, Holiday, Leave, Shift, Turn

if TYPE_CHECKING:  # opened only by commands that look at a gateway
    from alerts.gaps import Gap
    from gateway.rota import DutySheet

T = TypeVar("T")

rota = typer.Typer(help="Duty sheets: shifts, swaps, holidays, leave. 值班表", no_args_is_help=True)


@rota.command("list")
def rota_list(
    place: Annotated[str, typer.Argument(help="a grid or an area; empty: everything")] = "",
    config: Config = None,
    state: State = None,
) -> None:
    """Shifts, swaps, holidays and leave that still count, and the hours of the coming week that nobody has."""
    with office(config, state) as here:
        kept, today = here.stores.registry.rota(), here.now.date() - timedelta(days=1)
        standing = [shift for shifts in kept.shifts.values() for shift in shifts]
        for shift in (*standing, *kept.swaps.values()):
            if place in ("", shift.place) and (shift.last is None or shift.last >= today):
                say(f"shift    {shift.id}  {_shift(shift)}")
        for holiday in kept.holidays.values():
            if holiday.day >= today and place in ("", holiday.place):
                say(f"holiday  {holiday.day}  as {holiday.counts_as}  {holiday.place} {holiday.name}".rstrip())
        for leave in (leave for leaves in kept.leaves.values() for leave in leaves):
            if leave.until > here.now:
                say(f"leave    {leave.person}  {leave.since.isoformat()} – {leave.until.isoformat()}  {leave.reason}")
        for grid, gap in _gaps(place, here):
            there = _zone_of(grid, here)
            since, until = (f"{moment.astimezone(there):%a %m-%d %H:%M}" for moment in (gap.since, gap.until))
            say(f"NOBODY   {grid}  {since} – {until}")


@rota.command("add")
def rota_add(
    place: Annotated[str, typer.Argument(help="a grid or an area")],
    person: str,
    hours: Annotated[str, typer.Option("--hours", help="08:00-18:00; 22:00-06:00 ends on the next day")],
    duty: Annotated[str, typer.Option("--duty", help="grid_worker, deputy, night_pool …")] = "grid_worker",
    days: Annotated[str, typer.Option("--days", help="12345, 一三五, workdays, weekend; empty: every day")] = "",
    first: Annotated[str, typer.Option("--first", help="2026-03-15; today otherwise")] = "",
    last: Annotated[str, typer.Option("--last", help="the last day; empty: until it is ended")] = "",
    zone: Annotated[str, typer.Option("--zone", help="whose clock is meant; that of the place otherwise")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Enter a shift: from then on somebody with shifts is called in these only."""
    from gateway.refusals import HOURS, is_zone
    from gateway.sheets import weekdays

    with office(config, state) as here:
        if not HOURS.fullmatch(hours):
            raise Refused(f"{hours!r} are no hours; 08:00-18:00 are.")
        if zone and not is_zone(zone):
            raise Refused(f"{zone!r} is no time zone; Asia/Shanghai is one.")
        there = ZoneInfo(zone) if zone else _zone_of(place, here)
        begins, ends = map(time.fromisoformat, hours.split("-"))
        shift = _made(
            lambda: Shift(
                place=place,
                duty=one_of(Duty, duty, "duty"),
                person=person,
                begins=begins,
                ends=ends,
                zone=there,
                first=_day(first) or here.now.astimezone(there).date(),
                last=_day(last),
                weekdays=weekdays(days) if days else EVERY_DAY,
            )
        )
        _sheet(here).add_shift(shift, who=who, now=here.now)
        say(shift.id)


@rota.command("end")
def rota_end(
    shift: Annotated[str, typer.Argument(help="as `rota list` names it")],
    last: Annotated[str, typer.Option("--last", help="the last day on which it is worked; yesterday otherwise")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """End a shift."""
    with office(config, state) as here:
        yesterday = here.now.astimezone(_zone_of(shift.partition("/")[0], here)).date() - timedelta(days=1)
        _sheet(here).end_shift(shift, _day(last) or yesterday, who=who, now=here.now)


@rota.command("swap")
def rota_swap(
    shift: Annotated[str, typer.Argument(help="as `rota list` names it")],
    day: Annotated[str, typer.Argument(help="the day on which it begins")],
    other: Annotated[str, typer.Argument(help="the shift it is swapped with, or the person who stands in")],
    other_day: Annotated[str, typer.Argument(help="its day; empty: nothing is worked in return")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Let two people work each other's shift, or somebody stand in for one day."""
    with office(config, state) as here:
        one, sheet = (shift, _some_day(day)), _sheet(here)
        if other_day:
            turns: tuple[Turn, ...] = sheet.swap(one, (other, _some_day(other_day)), who=who, now=here.now)
        else:
            turns = (sheet.stand_in(one, other, who=who, now=here.now),)
        for turn in turns:
            say(f"{turn.day}  {turn.shift.place} {turn.shift.duty.value}  {turn.person}")


@rota.command("holiday")
def rota_holiday(
    day: Annotated[str, typer.Argument(help="2026-10-01")],
    as_: Annotated[int, typer.Option("--as", min=1, max=7, help="7: a Sunday; 1: a Monday, for a worked Saturday")] = 7,
    place: Annotated[str, typer.Option("--place", help="a grid or an area; empty: everywhere")] = "",
    name: Annotated[str, typer.Option("--name")] = "",
    drop: Annotated[bool, typer.Option("--drop", help="it is none")] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Let the rota of another weekday hold on a day: 节假日, 调休."""
    with office(config, state) as here:
        if drop:
            _sheet(here).drop_holiday(place, _some_day(day), who=who, now=here.now)
        else:
            holiday = Holiday(day=_some_day(day), place=place, counts_as=as_, name=name)
            _sheet(here).put_holiday(holiday, who=who, now=here.now)


@rota.command("leave")
def rota_leave(
    person: str,
    since: Annotated[str, typer.Option("--from", help="2026-03-15 or 2026-03-15T08:30; now otherwise")] = "",
    until: Annotated[str, typer.Option("--until", help="a day alone is the last one")] = "",
    why: Annotated[str, typer.Option("--why")] = "",
    end: Annotated[bool, typer.Option("--end", help="they are back, or do not go")] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Take somebody off every duty for a while. 请假"""
    from gateway.sheets import STANDARD_ZONE

    with office(config, state) as here:
        if end:
            _sheet(here).end_leave(person, who=who, now=here.now)
            return
        if not until:
            raise Refused("Say with --until when they are back; leave ends by itself.")
        there = ZoneInfo(STANDARD_ZONE)
        begins = moment(since, there) if since else here.now
        ends = moment(until, there) + timedelta(days=1 if _is_day(until) else 0)
        leave = _made(lambda: Leave(person=person, since=begins, until=ends, reason=why.strip()))
        _sheet(here).put_leave(leave, who=who, now=here.now)


@rota.command("import")
def rota_import(
    sheets: Annotated[list[Path], typer.Argument(help="shifts.csv, holidays.csv, leaves.csv, or a folder of them")],
    only_check: Annotated[
        bool, typer.Option("--check", help="say what is wrong or would change, and change nothing")
    ] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Take duty sheets from tables: all of it, or nothing and why."""
    with office(config, state) as here:
        files = {path.name: path.read_bytes() for path in tables_in(sheets)}
        changes = here.registrar.import_files(files, who=who, now=here.now, only_check=only_check)
        say(changes.rota_summary().say(here.settings.language))


@rota.command("export")
def rota_export(
    to: Annotated[Path, typer.Argument(help="a folder for the CSV files")],
    language: Annotated[str, typer.Option("--language", help="zh or en, for headers and words")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Write shifts, holidays and leave as tables; read again, they change nothing."""
    from gateway.sheets import ROTA, write_csv

    with office(config, state) as here:
        language = here.language(language)
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in write_csv(here.stores.registry, here.now, language, only=ROTA).items():
            (to / name).touch(0o600)  # who is ill when is nobody else's business
            (to / name).write_bytes(content)
            say(str(to / name))
        here.registrar.note_export(who=who, now=here.now)


def _sheet(here: Office) -> "DutySheet":
    from gateway.rota import DutySheet

    return DutySheet(here.stores.registry)


def _shift(shift: Shift) -> str:
    days = "daily" if shift.weekdays == EVERY_DAY else shift.weekdays
    until = f" until {shift.last}" if shift.last else ""
    hours = f"{shift.begins:%H:%M}-{shift.ends:%H:%M} {shift.zone.key}"
    if shift.swap_of:
        return f"{shift.person} stands in on {shift.first}"
    return f"{shift.person}  {shift.duty.value}  {days} {hours}  from {shift.first}{until}"


def _gaps(place: str, here: Office) -> Iterator[tuple[str, "Gap"]]:
    from alerts.catalogue import Catalogue
    from alerts.gaps import AHEAD, duties_of_a_grid, gaps, works

    registry, reached = here.stores.registry, works(here.stores.alerts.trials())
    for grid in sorted({home.grid for home in registry.homes() if home.grid}):
        if place in ("", *registry.rota().above.get(grid, ())[:-1]):
            for gap in gaps(grid, registry, here.now, here.now + AHEAD, duties_of_a_grid(Catalogue()), reached):
                yield grid, gap


def _zone_of(place: str, here: Office) -> ZoneInfo:
    """The clock of the homes there."""
    from gateway.sheets import STANDARD_ZONE

    known = here.stores.registry.home(GRID + place)
    return known.zone if known else ZoneInfo(STANDARD_ZONE)


def _is_day(text: str) -> bool:
    return len(text) == len("2026-03-15")


def _day(text: str) -> date | None:
    return _some_day(text) if text else None


def _some_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no day; 2026-03-15 is one.") from None


def _made(make: Callable[[], T]) -> T:
    """What cannot be is refused with the noun's own words."""
    from gateway.sheets.columns import WrongCell

    try:
        return make()
    except WrongCell as wrong:
        raise Refused(str(wrong.sentence)) from None
    except ValueError as error:
        raise Refused(f"{error}.") from None
