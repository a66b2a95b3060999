"""What is found at an alert and what is known behind glass, for other programs: pictures, the hand-over card, and the
judgement on whoever opened it.

A program opens the card in the name of a person who may, with that person's reason; what stands on it is kept in no
answer. It never breaks the glass of a home beyond its place: that is for whoever stands before the door.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Body, Query, Request
from fastapi.responses import Response

from alerts import card
from alerts.card import Denial
from alerts.history import What
from alerts.routing import people_for
from dashboard import pictures, views
from dashboard.answers import iso
from dashboard.api_door import ApiDoor, Doing, Name, Said, done, missing, refused
from dashboard.handover import DENIED, facts_of
from dashboard.install_view import INSTALLERS, Install
from dashboard.keys import Caller, Right
from dashboard.pages import A_DAY, ON_DUTY, in_words
from dashboard.printer import tongue_of
from dashboard.privacy import LEADERS, REVIEWED, Privacy, key_of
from dashboard.problems import CODES, Field, Problem
from gateway.domain import Act, Alert, Contact, Duty, Home, Installation

SORTS = ("image/jpeg", "image/png")

Someone = Annotated[str, Query(max_length=80, description="for whom the card was opened")]


@dataclass(frozen=True, kw_only=True)
class CardBody(Said):
    """Who needs the card, and why: for whom, and what for."""

    person: Name
    why: Annotated[str, Body(min_length=card.SHORTEST_REASON, max_length=300)]


@dataclass(frozen=True, kw_only=True)
class VerdictBody(Said):
    """Who has looked at the reason of an opening, and whether it holds."""

    opening: Annotated[str, Body(max_length=400)]
    person: Name
    verdict: Annotated[str, Body(min_length=1, max_length=300)]


@dataclass(frozen=True)
class PhotoShape:
    name: str
    at: str
    person: str


@dataclass(frozen=True)
class PhotosShape:
    """Those that are still kept, the oldest first."""

    photos: list[PhotoShape]


@dataclass(frozen=True)
class CalledShape:
    name: str
    relation: str
    hours: str
    phones: list[str]


@dataclass(frozen=True)
class SeenShape:
    at: str
    text: str


@dataclass(frozen=True)
class CardShape:
    """What an ambulance crew, a locksmith or the police have to know. Of health nothing stands here that the resident
    has not agreed to; `entry` is when somebody agreed that the door is opened in danger."""

    alert: str
    home: str
    until: str
    why: str
    resident: str
    code: str
    address: str
    access: str
    birth_year: int | None
    agreed_to_health: bool
    conditions: str
    hearing: str
    hospital: str
    dementia: bool
    dialect: str
    entry: str | None
    entry_by: str
    police: str
    two_people: bool
    keys: list[CalledShape]
    contacts: list[CalledShape]
    last_day: list[SeenShape]


@dataclass(frozen=True)
class GlassShape:
    """A card that was opened, and what somebody has found of the reason since; "" where nobody has looked yet."""

    opening: str
    alert: str
    home: str
    person: str
    at: str
    why: str
    reviewer: str
    verdict: str


@dataclass(frozen=True)
class GlassesShape:
    glasses: list[GlassShape]


def routes(door: ApiDoor, privacy: Privacy, install: Install) -> None:
    """Hang up the addresses."""
    _of_photos(door, install)
    _of_cards(door)
    _of_glass(door, privacy)


def _of_photos(door: ApiDoor, install: Install) -> None:
    pages, house, dealing = door.pages, door.house, door.api.dealing

    def no_picture(kept: object) -> None:
        if not kept:
            text = "That is no JPEG or PNG picture of at most 2 MB, or there are enough. Nothing was kept."
            raise refused(text, Field("body", "is a JPEG or PNG picture of at most 2 MB"))

    @door.read("/alerts/{alert_id:path}/photos", Right.PHOTOS, PhotosShape, *ON_DUTY)
    def list_photos(caller: Caller, alert_id: str) -> Mapping[str, Any]:
        """The pictures that were taken at an alert."""
        taken = [e for e in house.alerts.history(pages.alert(caller.visitor, alert_id).id) if e.what == What.PHOTO]
        told = [{"name": dict(e.facts)["photo"], "at": iso(e.at), "person": e.who} for e in taken]
        return {"photos": [one for one in told if dealing.is_kept(str(one["name"]))]}

    @door.read("/alerts/{alert_id:path}/photos/{name}", Right.PHOTOS, None, *ON_DUTY, gives=SORTS)
    def show_photo(caller: Caller, alert_id: str, name: str) -> Response:
        """One of them."""
        return dealing.photo(pages.alert(caller.visitor, alert_id), name)

    @door.act("/alerts/{alert_id:path}/photos", Right.ACT, "alert.photo", takes=SORTS, largest=pictures.LARGEST)
    def add_photo(
        doing: Doing, alert_id: str, person: Annotated[str, Query(max_length=80, description="who took it")]
    ) -> None:
        """A picture of what was found; `ref` is its name. What a telephone writes beside it, as the place, is not
        kept."""
        alert = pages.alert(doing.visitor, alert_id)
        door.somebody(doing.caller, person)
        no_picture(dealing.keep_photo(alert, person, doing.raw, beside=doing.keep))

    @door.read("/homes/{home_id}/photos", Right.PHOTOS, PhotosShape, *INSTALLERS)
    def list_device_photos(caller: Caller, home: Home) -> Mapping[str, Any]:
        """The pictures that show where the devices of a home hang."""
        lines = [line for line in house.registry.installations(home.id) if pictures.is_kept(house.photos, line.photo)]
        return {"photos": [{"name": line.photo, "at": iso(line.at), "person": line.by} for line in lines]}

    @door.read("/homes/{home_id}/photos/{name}", Right.PHOTOS, None, *INSTALLERS, gives=SORTS)
    def show_device_photo(caller: Caller, home: Home, name: str) -> Response:
        """One of them."""
        return install.photo(home, name)

    @door.act(
        "/homes/{home_id}/devices/{sensor_id}/photo",
        Right.INSTALL,
        "device.photo",
        takes=SORTS,
        largest=pictures.LARGEST,
    )
    def add_device_photo(doing: Doing, home: Home, sensor_id: str) -> None:
        """A picture of where a device hangs, for whoever changes its battery."""
        sensor = install.sensor(home, sensor_id)
        name = "" if install.has_enough_photos(home) else pictures.keep(house.photos, doing.raw)
        no_picture(name)
        line = Installation(home=home.id, sensor=sensor.id, at=doing.once.now, by=doing.caller.name, photo=name)
        doing.registrar(name).note_installation(line, **doing.by)


def _of_cards(door: ApiDoor) -> None:
    pages, house = door.pages, door.house

    def leads(alert: Alert, person: str) -> bool:
        """Whether they answer for the area, and need not have been called."""
        leaders = people_for(Duty.SUPERVISOR, house.registry.home(alert.home), house.registry, house.clock.now())
        return person in {one.id for one in leaders}

    @door.act("/alerts/{alert_id:path}/card", Right.CARD, "card.open")
    def open_card(doing: Doing, alert_id: str, said: CardBody) -> None:
        """Break the glass for somebody who was called about this alert, or leads there; told to whoever leads. It stays
        open to them for an hour."""
        alert = pages.alert(doing.visitor, alert_id)
        person = door.somebody(doing.caller, said.person)
        opening = card.disclose(
            house.alerts,
            house.registry,
            alert.id,
            person,
            said.why,
            doing.once.now,
            leads=leads(alert, person),
            beside=lambda ledger: doing.keep(ledger, alert.id),
        )
        if isinstance(opening, Denial):
            raise Problem(403, opening.value, doing.tongue.say(DENIED[opening]))

    @door.read("/alerts/{alert_id:path}/card", Right.CARD, CardShape, *ON_DUTY)
    def show_card(caller: Caller, request: Request, alert_id: str, person: Someone = "") -> Mapping[str, Any]:
        """The card while it is open to this person; whoever is signed in sees the one that they opened themselves."""
        alert, now, tongue = pages.alert(caller.visitor, alert_id), house.clock.now(), tongue_of(request)
        who = door.somebody(caller, person) if caller.token else caller.name
        home, opening = house.registry.home(alert.home), card.opened(alert, house.alerts.history(alert.id), who, now)
        if home is None or opening is None:
            raise Problem(403, "not-open", "The card is not open to this person: open it first, with a reason.")
        of, day = facts_of(home, house.registry, now), house.readings.readings(home.id, now - A_DAY, now + A_DAY)

        blind = views.blind_since(home, house.readings.heard(home.id).get(home.id), now)

        def called(people: tuple[tuple[str, Contact], ...]) -> list[Mapping[str, Any]]:
            return [
                {"name": name, "relation": one.relation.value, "hours": one.hours, "phones": list(one.phones)}
                for name, one in people
            ]

        return {
            "alert": alert.id,
            "home": home.id,
            "until": iso(opening.until),
            "why": opening.why,
            "resident": of.resident,
            "code": home.code,
            "address": home.address,
            "access": home.access,
            "birth_year": of.profile.birth_year,
            "agreed_to_health": of.has_agreed,
            "conditions": of.profile.conditions,
            "hearing": of.profile.hearing.value,
            "hospital": of.profile.hospital,
            "dementia": of.profile.dementia,
            "dialect": of.profile.dialect,
            "entry": iso(of.entry.given_at) if of.entry else None,
            "entry_by": of.entry_by,
            "police": of.police or "110",
            "two_people": of.two_people,
            "keys": called(of.keys),
            "contacts": called(of.contacts),
            "last_day": [
                {"at": iso(one.start), "text": one.text}
                for one in in_words(tongue, home, day, blind, now - A_DAY, now, now)
            ],
        }


def _of_glass(door: ApiDoor, privacy: Privacy) -> None:
    house = door.house

    @door.read("/glass", Right.PRIVACY, GlassesShape, *LEADERS)
    def list_glasses(caller: Caller) -> Mapping[str, Any]:
        """The cards that were opened in the last 90 days, the newest first, and who has looked at the reason since."""
        door.pages.listed(caller.visitor, "glass")
        told = [
            {
                "opening": key_of(one.act),
                "alert": one.act.ref,
                "home": one.home.id,
                "person": one.act.who,
                "at": iso(one.act.at),
                "why": one.act.why,
                "reviewer": one.reviewer,
                "verdict": one.verdict,
            }
            for one in privacy.glasses(caller.visitor, house.clock.now())
        ]
        return {"glasses": told}

    @door.act("/glass", Right.PRIVACY, "card.review")
    def review_glass(doing: Doing, said: VerdictBody) -> None:
        """Somebody who leads there, and did not open it, has looked whether the reason holds."""
        found = next(
            (one for one in privacy.glasses(doing.visitor, doing.once.now) if key_of(one.act) == said.opening), None
        )
        if found is None:
            raise missing()
        person, verdict = door.somebody(doing.caller, said.person), said.verdict.strip()
        leaders = people_for(Duty.SUPERVISOR, found.home, house.registry, doing.once.now)
        if person == found.act.who or person not in {one.id for one in leaders}:
            raise refused(
                "Whoever judges this leads there, and is not whoever opened it.", Field("person", "leads there")
            )
        if not verdict:
            raise Problem(422, *CODES[422], Field("verdict", "says what was found"))
        with house.registry.begin() as ledger:
            ledger.audit(Act(at=doing.once.now, who=person, what=REVIEWED, ref=said.opening, why=verdict))
            doing.keep(ledger, found.act.ref, done(found.act.ref))
