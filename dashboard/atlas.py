"""The map: where the homes are whose position is known, and what is the matter there. Many homes are shown by area.

Nothing is asked of any other host unless `map.tiles` names one. What stands on the map stands in a list below it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response

from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.county import NOWHERE, Sight
from dashboard.doors import Doors
from dashboard.overview import LEADERS, Overview, address
from dashboard.printer import tongue_of
from dashboard.words import Tongue
from gateway.domain import Home, Position

MANY = 300
"""More homes than this are shown by area: a telephone draws no more, and nobody finds one among them."""


class Matter(StrEnum):
    """What is the matter at a place, the worst first; also the name of its colour and shape."""

    EMERGENCY = "emergency"
    RINGING = "ringing"
    BLIND = "blind"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing on the map: a home, or an area with so many of them."""

    name: str
    href: str
    position: Position
    matter: Matter
    calls: int = 0
    homes: int = 0  # in an area


class Atlas:
    """What this page needs from the stores."""

    def __init__(self, overview: Overview) -> None:
        self.overview = overview
        self.house = overview.house

    def spots(self, place: str, sight: Sight, tongue: Tongue) -> tuple[list[Spot], int]:
        """What is drawn, the worst last so that it lies on top; and how many homes have no position."""
        homes = self.overview.county.homes(place)
        known = [(home, home.position) for home in homes if home.position is not None]
        matters = _matters(sight)
        if len(known) <= MANY or sight.is_grid:
            found = [
                Spot(home.name, f"/homes/{quote(home.id, safe='')}", position, *matters.get(home.id, (Matter.WELL, 0)))
                for home, position in known
            ]
        else:
            found = self._by_area(place, known, matters, tongue)
        order = list(reversed(Matter))
        return sorted(found, key=lambda spot: (order.index(spot.matter), spot.name)), len(homes) - len(known)

    def _by_area(
        self,
        place: str,
        known: Sequence[tuple[Home, Position]],
        matters: Mapping[str, tuple[Matter, int]],
        tongue: Tongue,
    ) -> list[Spot]:
        below = self.overview.county.below(place)
        areas: dict[str, list[tuple[Home, Position]]] = {}
        for home, position in known:
            areas.setdefault(below[home.grid], []).append((home, position))
        order = list(Matter)
        spots = []
        for code, homes in areas.items():
            told = [matters.get(home.id, (Matter.WELL, 0)) for home, _ in homes]
            middle = Position(fmean(p.latitude for _, p in homes), fmean(p.longitude for _, p in homes))
            spots.append(
                Spot(
                    tongue.say("Without a grid") if code == NOWHERE else self.overview.title(code, tongue),
                    on_map(code) if code not in (NOWHERE, place) else address(place),
                    middle,
                    min((matter for matter, _ in told), key=order.index),
                    sum(calls for _, calls in told),
                    len(homes),
                )
            )
        return spots

    def show(self, request: Request, visitor: Visitor, place: str) -> Response:
        house, tongue, now = self.house, tongue_of(request), self.house.clock.now()
        after = house.alerts.last_event()
        sight = self.overview.county.see(place, now)
        front = self.overview.front(visitor)
        trail = [code for code in sight.trail if code == front or front in self.overview.county.above(code)]
        spots, unknown = self.spots(place, sight, tongue)
        return self.overview.pages.printer.page(
            request,
            "map.html",
            now=now,
            visitor=visitor,
            place=place,
            title=self.overview.title(place, tongue),
            trail=[(on_map(code), self.overview.title(code, tongue)) for code in trail],
            overview=address(place),
            spots=spots,
            unknown=unknown,
            tiles=house.map_tiles,
            live=f"/events?after={after}",
        )


def _matters(sight: Sight) -> dict[str, tuple[Matter, int]]:
    """What is the matter in each home in which anything is, and for how many alerts people are called there."""
    found: dict[str, tuple[Matter, int]] = {home.id: (Matter.BLIND, 0) for home, _ in sight.silent}
    for alert, home, _ in sight.open:
        was, calls = found.get(home.id, (Matter.WELL, 0))
        is_worst = alert.severity.is_emergency or was is Matter.EMERGENCY
        found[home.id] = (Matter.EMERGENCY if is_worst else Matter.RINGING, calls + 1)
    return found


def on_map(place: str) -> str:
    return f"/map/{quote(place, safe='')}" if place else "/map"


def routes(atlas: Atlas, doors: Doors) -> Addresses:
    """For whoever answers for an area, within it."""
    router = Addresses()
    overview = atlas.overview
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)

    @router.get("/map")
    def show_front(request: Request, visitor: Leader) -> Response:
        return atlas.show(request, visitor, overview.front(visitor))

    @router.get("/map/{place}")
    def show_place(request: Request, visitor: Leader, place: str) -> Response:
        return atlas.show(request, visitor, overview.place(visitor, place))

    return router
