"""`shouwang places …`: areas and grids, what lies in what, and who works there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands import Config, Office, State, Who, office, say
from gateway.domain import Area, Duty, Grid

if TYPE_CHECKING:  # opened only by commands that look at a gateway
    from gateway.places import Places

places = typer.Typer(help="Areas and grids: open, rename, move, close. 区划与网格", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="of an area its official code, of a grid what you call it")]


@places.command("list")
def places_list(config: Config = None, state: State = None) -> None:
    """Every area with what lies in it; of each grid its households and who works there."""
    with office(config, state) as here:
        areas = {area.code for area in here.stores.registry.areas()}
        for line in _tree(here, [place for place in _all(here) if _around(place) not in areas], ""):
            say(line)


def _tree(here: Office, parts: list[Area | Grid], indent: str) -> Iterator[str]:
    for place in parts:
        if isinstance(place, Grid):
            homes = sum(home.grid == place.code for home in here.stores.registry.homes())
            workers = here.stores.registry.on_duty(place.code, Duty.GRID_WORKER, here.now)
            names = ", ".join(person.id for person in workers) or "NOBODY"
            yield f"{indent}{place.code}  {place.name}  {homes} homes  {names}"
        else:
            yield f"{indent}{place.code}  {place.name}  {place.level}"
            yield from _tree(here, [one for one in _all(here) if _around(one) == place.code], indent + "  ")


def _all(here: Office) -> list[Area | Grid]:
    return [*here.stores.registry.areas(), *here.stores.registry.grids()]


def _around(place: Area | Grid) -> str:
    return place.community if isinstance(place, Grid) else place.parent


@places.command("put")
def places_put(
    code: Code,
    name: Annotated[str, typer.Option("--name")] = "",
    level: Annotated[str, typer.Option("--level", help="of a new area: city, district, street …; else a grid")] = "",
    around: Annotated[str | None, typer.Option("--in", help='the area it lies in; "" for none')] = None,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Open an area or a grid, or give it another name or another area around it; what is not named stays as it is."""
    with office(config, state) as here:
        them = _places(here)
        known = them.find(code)
        if known is None:
            new = (
                Area(code=code, name=name, level=level, parent=around or "")
                if level
                else Grid(code=code, name=name, community=around or "")
            )
            them.open(new, who=who, now=here.now)
        elif isinstance(known, Grid):
            community = known.community if around is None else around
            them.change(replace(known, name=name or known.name, community=community), who=who, now=here.now)
        else:
            parent = known.parent if around is None else around
            them.change(replace(known, name=name or known.name, parent=parent), who=who, now=here.now)


@places.command("close")
def places_close(
    code: Code,
    why: Annotated[str, typer.Option("--why", help="the reason, for whoever reads it later")] = "",
    into: Annotated[str, typer.Option("--into", help="the grid to which its households go")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Nobody answers for it any more; its duties, shifts and plans end, and its households go to another grid."""
    with office(config, state) as here:
        moved = _places(here).close(code, into=into, why=why, who=who, now=here.now)
        say(f"{moved} homes moved to {into}" if moved else "closed")


def _places(here: Office) -> "Places":
    from gateway.places import Places

    return Places(here.stores.registry, here.registrar.levels)
