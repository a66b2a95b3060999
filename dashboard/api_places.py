"""Areas, grids and whoever is called for them, for other programs: opened, changed and closed as on the pages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Body

from alerts.routing import ways_of
from alerts.ways import LONGEST
from dashboard.accounts import LEADERS
from dashboard.answers import cut
from dashboard.api_door import PAGE, ApiDoor, Cursor, Doing, Limit, Name, Said, Why, refused
from dashboard.auth import login_of
from dashboard.grids import Grids, around_of
from dashboard.keys import Caller, Right
from dashboard.problems import CODES, Field, Problem
from dashboard.staff import MOST_PHONES, Staff, shown
from gateway.domain import Area, Duty, Grid, Person, Reach
from gateway.locales import LANGUAGES

Phones = Annotated[list[Annotated[str, Body(max_length=20)]], Body(max_length=MOST_PHONES)]


@dataclass(frozen=True, kw_only=True)
class PlaceBody(Said):
    """An area, or with the level "grid" a grid, and in what area it lies; "*" is in none."""

    code: Name
    name: Name
    level: Name
    around: Name


@dataclass(frozen=True, kw_only=True)
class PlaceChangeBody(Said):
    """Another name, or another area around it; what is not said stays."""

    name: Name | None = None
    around: Name | None = None


@dataclass(frozen=True, kw_only=True)
class CloseBody(Said):
    """Why nobody answers for it any more, and to which grid the households of a grid go."""

    why: Why
    into: Name = ""


@dataclass(frozen=True, kw_only=True)
class DutyBody(Said):
    """For what somebody is called, and where; "*" is everywhere."""

    duty: Duty
    place: Name


@dataclass(frozen=True, kw_only=True)
class NewPersonBody(DutyBody):
    """Somebody who is called for something from now on; they sign in only where they are invited."""

    id: Name
    name: Name
    phones: Phones


@dataclass(frozen=True, kw_only=True)
class PersonBody(Said):
    """Another name, language or other numbers, the first of them first; what is not said stays."""

    name: Name | None = None
    language: Name | None = None
    phones: Phones | None = None


@dataclass(frozen=True, kw_only=True)
class WayBody(Said):
    """One more way by which somebody is told, so many minutes after the others."""

    channel: Name
    address: Annotated[str, Body(max_length=500)]
    after_minutes: Annotated[int, Body(ge=0, le=int(LONGEST / timedelta(minutes=1)))] = 0


@dataclass(frozen=True, kw_only=True)
class OneWayBody(Said):
    way: Annotated[str, Body(max_length=80, description="`way` of one of their ways")]


@dataclass(frozen=True)
class PlaceShape:
    code: str
    name: str
    level: str
    around: str


@dataclass(frozen=True)
class PlacesShape:
    places: list[PlaceShape]
    next: str | None


@dataclass(frozen=True)
class PersonWayShape:
    """Of an address that opens the way to somebody by itself only the last letters are told."""

    way: str
    channel: str
    address: str
    after_minutes: float


@dataclass(frozen=True)
class PersonWaysShape:
    person: str
    name: str
    language: str
    phones: list[str]
    ways: list[PersonWayShape]


def routes(door: ApiDoor, grids: Grids, staff: Staff) -> None:
    """Hang up the addresses."""
    _of_places(door, grids)
    _of_people(door, staff)


def _of_places(door: ApiDoor, grids: Grids) -> None:
    right = Right.PLACES

    @door.read("/places", Right.REGISTRY, PlacesShape, *LEADERS)
    def list_places(caller: Caller, cursor: Cursor = "", limit: Limit = PAGE) -> Mapping[str, Any]:
        """The areas and grids of your place, by code."""
        areas, own = grids.theirs(caller.visitor)
        found: list[Area | Grid] = [*areas, *own]
        piece, following = cut(sorted(found, key=lambda place: place.code), lambda place: place.code, cursor, limit)
        told = [
            {
                "code": place.code,
                "name": place.name,
                "level": place.level if isinstance(place, Area) else "grid",
                "around": around_of(place),
            }
            for place in piece
        ]
        return {"places": told, "next": following}

    @door.act("/places", right, "place.open")
    def open_place(doing: Doing, said: PlaceBody) -> None:
        """A new area or grid within your place."""
        around, code = grids.within(doing.visitor, said.around), said.code.strip()
        made: Area | Grid = (
            Grid(code=code, name=said.name.strip(), community=around)
            if said.level == "grid"
            else Area(code=code, name=said.name.strip(), level=said.level, parent=around)
        )
        grids.places.beside(lambda ledger: doing.keep(ledger, code)).open(made, **doing.by)

    @door.act("/places/{code}", right, "place.change")
    def change_place(doing: Doing, code: str, said: PlaceChangeBody) -> None:
        """Another name, or another area around it; what lies in it goes along."""
        place = grids.place(doing.visitor, code)
        now_in = around_of(place)
        around = now_in if said.around is None else grids.within(doing.visitor, said.around, now_in)
        name = place.name if said.name is None else said.name.strip()
        wanted = (
            replace(place, name=name, community=around)
            if isinstance(place, Grid)
            else replace(place, name=name, parent=around)
        )
        grids.places.beside(lambda ledger: doing.keep(ledger, code)).change(wanted, **doing.by)

    @door.act("/places/{code}/close", right, "place.close")
    def close_place(doing: Doing, code: str, said: CloseBody) -> None:
        """Nobody answers for it any more; the households of a grid go to another one, shifts and plan end."""
        place = grids.place(doing.visitor, code)
        if said.into:
            grids.place(doing.visitor, said.into)
        beside = grids.places.beside(lambda ledger: doing.keep(ledger, code))
        if error := grids.close(place, said.into, said.why, doing.tongue, beside, doing.caller.name):
            raise refused(error)


def _of_people(door: ApiDoor, staff: Staff) -> None:
    right, house = Right.PEOPLE, door.house

    def duty_at(doing: Doing, said: DutyBody) -> tuple[Duty, str]:
        if not said.place:
            raise refused("Say for which place.", Field("place", 'is a grid, an area, or "*" for everywhere'))
        return staff.duty_at(doing.visitor, said.duty.value, said.place)

    @door.read("/people/{person_id}", Right.REGISTRY, PersonWaysShape, *LEADERS)
    def show_person(caller: Caller, person_id: str) -> Mapping[str, Any]:
        """Somebody who works in your place: numbers, and the ways by which they are told."""
        person = staff.person(caller.visitor, person_id)
        return {
            "person": person.id,
            "name": person.name,
            "language": person.language,
            "phones": list(house.registry.phones(person.id)),
            "ways": [
                {
                    "way": way,
                    "channel": reach.channel,
                    "address": shown(reach),
                    "after_minutes": reach.after.total_seconds() / 60,
                }
                for way, reach in ways_of(person)
            ],
        }

    @door.act("/people", right, "person.add")
    def add_person(doing: Doing, said: NewPersonBody) -> None:
        """Somebody who is called for something from now on. Give them a way to be reached, and send a drill."""
        wanted, made = duty_at(doing, said), login_of(said.id)
        if not staff.is_free(made):
            raise refused(doing.tongue.say("This name is taken; choose another one."), Field("id", "is nobody's yet"))
        person = Person(id=made, name=said.name.strip(), language=doing.tongue.language)
        doing.registrar(made).put_person(person, phones=said.phones, duties=[wanted], **doing.by)

    @door.act("/people/{person_id}", right, "person.change")
    def change_person(doing: Doing, person_id: str, said: PersonBody) -> None:
        """Another name, language or other numbers."""
        person = staff.theirs(doing.visitor, person_id)
        if said.language not in (None, *LANGUAGES):
            raise Problem(422, *CODES[422], Field("language", f"is one of {', '.join(LANGUAGES)}"))
        name = person.name if said.name is None else said.name.strip()
        wanted = replace(person, name=name, language=said.language or person.language)
        doing.registrar(person.id).put_person(wanted, phones=said.phones, **doing.by)

    @door.act("/people/{person_id}/duties", right, "person.duty")
    def name_person(doing: Doing, person_id: str, said: DutyBody) -> None:
        """Somebody is called for this there, at any hour, from now on."""
        person, wanted = staff.person(doing.visitor, person_id), duty_at(doing, said)
        duties = list(dict.fromkeys((*house.registry.duties(person.id, doing.once.now), wanted)))
        doing.registrar(person.id).put_person(person, duties=duties, **doing.by)

    @door.act("/people/{person_id}/duties/end", right, "person.duty-end")
    def end_duty(doing: Doing, person_id: str, said: DutyBody) -> None:
        """Somebody is not called for this there any more."""
        person, gone = staff.person(doing.visitor, person_id), duty_at(doing, said)
        left = [one for one in house.registry.duties(person.id, doing.once.now) if one != gone]
        doing.registrar(person.id).put_person(person, duties=left, **doing.by)

    @door.act("/people/{person_id}/ways", right, "person.way")
    def add_way(doing: Doing, person_id: str, said: WayBody) -> None:
        """One more way by which somebody is told."""
        person = staff.theirs(doing.visitor, person_id)
        after = timedelta(minutes=said.after_minutes)
        way = Reach(channel=said.channel, address=said.address.strip(), after=after)
        if error := staff.new_way(doing.visitor, person, way, doing.tongue):
            raise refused(error, Field("address", "is one that this channel can be told by"))
        doing.registrar(person.id).put_person(replace(person, reaches=(*person.reaches, way)), **doing.by)

    @door.act("/people/{person_id}/ways/up", right, "person.way-up")
    def try_earlier(doing: Doing, person_id: str, said: OneWayBody) -> None:
        """Tried one place earlier from now on. How long the ways wait for each other belongs to their places."""
        person = staff.theirs(doing.visitor, person_id)
        doing.registrar(person.id).put_person(staff.tried_earlier(person, said.way), **doing.by)

    @door.act("/people/{person_id}/ways/remove", right, "person.way-remove")
    def remove_way(doing: Doing, person_id: str, said: OneWayBody) -> None:
        """Somebody is not told by this any more."""
        person = staff.theirs(doing.visitor, person_id)
        left = tuple(reach for name, reach in ways_of(person) if name != said.way)
        doing.registrar(person.id).put_person(replace(person, reaches=left), **doing.by)
