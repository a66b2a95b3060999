"""Whoever works with us: for what and where somebody is called, by what they are reached, and when they are away."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.channels import CHANNELS
from alerts.drills import way_lines
from alerts.gaps import works
from alerts.routing import tried_at, ways_of
from alerts.ways import LONGEST
from dashboard.accounts import LEADERS, SHOWN, STAFF, WHOLE, Accounts
from dashboard.addresses import Addresses
from dashboard.auth import Visitor, login_of
from dashboard.doors import Doors
from dashboard.drills import STANDINGS
from dashboard.forms import Text, Why, Word
from dashboard.grids import ANSWERING
from dashboard.pages import CHANNELS as CHANNEL_NAMES
from dashboard.printer import FALLBACK_ZONE, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Duty, Person, Reach
from gateway.domain.rota import A_DAY, Leave
from gateway.locales import LANGUAGES
from gateway.ports import Undeliverable
from gateway.registry import RegistrationError
from gateway.rota import DutySheet

CALLED_FOR = (*ANSWERING, Duty.DOCTOR, Duty.VOLUNTEER)
"""For what somebody can be called by being named for a place."""

SECRET = frozenset({"webhook", "wecom", "dingtalk", "feishu", "pushplus", "serverchan", "web_push", "apprise"})
"""Channels whose address opens the way to somebody by itself: it is entered here, and never shown again."""

ANYWHERE = frozenset({"console", "webhook", "apprise", "lamp", "siren"})
"""Channels by which the gateway can be made to speak to any machine or hub: only whoever keeps all enters one."""

MADE_ELSEWHERE = frozenset({"web_push", "home"})
"""A browser enters itself, and the resident's own loudspeaker comes with the household."""

MOST_WAYS = 8
MOST_PHONES = 3
SHOWN_OF_SECRET = 4

SAID = {
    "added": N_("Added. Now give them a way to be reached, and send a test."),
    "saved": N_("Saved. It counts from now on."),
    "ended": N_("Ended. They are not called for it any more."),
    "removed": N_("Removed."),
    "back": N_("Noted. They are called again."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody in the list."""

    person: Person
    duties: str
    is_mute: bool  # called for something, and no message would reach them
    leave: Leave | None


class Staff:
    """What these pages need from the stores."""

    def __init__(self, them: Accounts) -> None:
        self.them = them
        self.house = them.house
        self.pages = them.pages
        self.sheet = DutySheet(them.house.registry)

    # ------------------------------------------------------------------ who may see and change whom

    def people(self, visitor: Visitor) -> list[Person]:
        """Whoever works for a place of theirs: named for a duty, on a duty sheet, signing in, or nothing yet."""
        registry, now = self.house.registry, self.house.clock.now()
        rota = registry.rota()
        working = {post.person for posts in rota.posts.values() for post in posts if post.covers(now)}
        working |= {shift.person for shifts in rota.shifts.values() for shift in shifts}
        working |= {one.person for one in self.house.accounts.accounts() if one.duty in STAFF}
        around = {home.person for home in registry.homes()}
        around |= {one.person for contacts in registry.contacts_of_all().values() for one in contacts}
        return [one for one in self.pages.people(visitor) if one.id in working or one.id not in around]

    def person(self, visitor: Visitor, person_id: str) -> Person:
        """Somebody of theirs, or the same 404 as where there is nobody."""
        found = next((one for one in self.people(visitor) if one.id == person_id), None)
        if found is None:
            raise HTTPException(404)
        return found

    def may_change(self, visitor: Visitor, person: Person) -> bool:
        """Whether name, numbers and ways are theirs to change: nothing that this person is called for, and no household
        they stand around, lies beyond the visitor's place; and nobody changes somebody who may more than they."""
        if self.keeps_all(visitor):
            return True
        registry = self.house.registry
        duties = registry.duties(person.id, self.house.clock.now())
        places = {place for _, place in duties}
        contacts = registry.contacts_of_all()
        places |= {
            home.grid for home in registry.homes() if any(c.person == person.id for c in contacts.get(home.id, ()))
        }
        accounts = [one for one in self.house.accounts.accounts() if one.person == person.id]
        return (
            all(self.pages.covers(visitor, place) for place in places)
            and all(self.may_name(visitor, duty, place) for duty, place in duties)
            and all(self.them.may_manage(visitor, one) for one in accounts)
        )

    def theirs(self, visitor: Visitor, person_id: str) -> Person:
        """Somebody whose numbers and ways this visitor may change."""
        person = self.person(visitor, person_id)
        if not self.may_change(visitor, person):
            raise HTTPException(403)
        return person

    def duty_at(self, visitor: Visitor, duty: str, place: str) -> tuple[Duty, str]:
        """What somebody is to be called for and where, by this visitor's word."""
        wanted = next((one for one in CALLED_FOR if one.value == duty), None)
        place = place.replace(WHOLE, "")
        if wanted is None or not self.may_name(visitor, wanted, place):
            raise HTTPException(404)
        return wanted, place

    def new_way(self, visitor: Visitor, person: Person, way: Reach, tongue: Tongue) -> str:
        """What is wrong with one more way to somebody; empty when nothing is."""
        if way.channel not in self.may_enter(visitor):
            raise HTTPException(404)
        if any((one.channel, one.address) == (way.channel, way.address) for one in person.reaches):
            return tongue.say("They are reached by this already.")
        if len(person.reaches) >= MOST_WAYS:
            return tongue.say("{most} ways are the most.", most=MOST_WAYS)
        return wrong_address(way, tongue)

    def tried_earlier(self, person: Person, way: str) -> Person:
        """Somebody for whom this way is tried before the one that stood above it; 404 for a way they have not."""
        order = [name for name, _ in ways_of(person)]
        if way not in order:
            raise HTTPException(404)
        return tried_at(person, way, max(0, order.index(way) - 1))

    def is_free(self, login: str) -> bool:
        """Whether nobody is called so yet."""
        return self.house.registry.person(login) is None and self.house.accounts.account(login) is None

    def keeps_all(self, visitor: Visitor) -> bool:
        return visitor.account.duty is Duty.ADMIN and self.pages.covers(visitor, "")

    def may_name(self, visitor: Visitor, duty: Duty, place: str) -> bool:
        """Whether somebody may be called for this there by this visitor's word; only an administrator names one."""
        is_more = duty is Duty.ADMIN and visitor.account.duty is not Duty.ADMIN
        return not is_more and self.pages.covers(visitor, place) and (not place or self._is_place(place))

    def _is_place(self, code: str) -> bool:
        return code in self.house.registry.rota().above

    # ------------------------------------------------------------------ how they stand

    def lines(self, visitor: Visitor, tongue: Tongue) -> list[Line]:
        registry, now = self.house.registry, self.house.clock.now()
        reached, leaves = works(self.house.alerts.trials()), registry.rota().leaves
        held: dict[str, list[tuple[Duty, str]]] = {}
        for posts in registry.rota().posts.values():
            for post in posts:
                if post.covers(now):
                    held.setdefault(post.person, []).append((post.duty, post.place))
        lines = []
        for person in self.people(visitor):
            duties = [one for one in held.get(person.id, ()) if self.pages.covers(visitor, one[1])]
            away = next((leave for leave in leaves.get(person.id, ()) if leave.covers(now)), None)
            words = self.duties_in_words(duties, tongue)
            lines.append(Line(person, words, bool(duties) and not reached(person), away))
        return sorted(lines, key=lambda line: (not line.is_mute, not line.duties, line.person.name))

    def duties_in_words(self, duties: Iterable[tuple[Duty, str]], tongue: Tongue) -> str:
        place = self.them.words(tongue)["place_name"]
        named = [f"{wording.duty_name(duty, tongue.language)} {place(where)}" for duty, where in duties]
        return tongue.say("; ").join(named)

    def line(self, visitor: Visitor, tongue: Tongue) -> tuple[str, bool]:
        """How they stand, in one line; and whether somebody could not be told."""
        lines = self.lines(visitor, tongue)
        called = sum(bool(line.duties) for line in lines)
        said = [tongue.say(N_("{n} person is called") if called == 1 else N_("{n} people are called"), n=called)]
        if mute := sum(line.is_mute for line in lines):
            said.append(tongue.say("{n} cannot be reached", n=mute))
        if away := sum(line.leave is not None for line in lines):
            said.append(tongue.say("{n} on leave", n=away))
        return " · ".join(said), bool(mute)

    def ways(self, person: Person) -> list[dict[str, Any]]:
        """Every way of somebody with what its last test said."""
        trials, now = self.house.alerts.trials(person.id), self.house.clock.now()
        tests = {line.reach: line for line in way_lines([person], trials, now)}
        return [{"name": name, "reach": reach, "test": tests[reach]} for name, reach in ways_of(person)]

    # ------------------------------------------------------------------ pages

    def show_list(
        self, request: Request, visitor: Visitor, sought: str, said: str = "", error: str = "", **given: str
    ) -> Response:
        tongue, word = tongue_of(request), sought.strip().lower()
        lines = [
            line
            for line in self.lines(visitor, tongue)
            if word in f"{line.person.id} {line.person.name} {line.duties}".lower()
        ]
        return self.them.printer.page(
            request,
            "administration_people.html",
            status=422 if error else 200,
            visitor=visitor,
            here="/administration/people",
            lines=lines[:SHOWN],
            more=max(0, len(lines) - SHOWN),
            sought=sought,
            places=self.them.places(visitor, tongue),
            duties=self.duty_choices(visitor, tongue),
            address=address,
            given={"name": "", "id": "", "phone": "", "duty": "grid_worker", "place": "", **given},
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    def duty_choices(self, visitor: Visitor, tongue: Tongue) -> list[tuple[str, str]]:
        return [
            (duty.value, wording.duty_name(duty, tongue.language))
            for duty in CALLED_FOR
            if duty is not Duty.ADMIN or visitor.account.duty is Duty.ADMIN
        ]

    def show_one(self, request: Request, visitor: Visitor, person: Person, said: str = "", error: str = "") -> Response:
        tongue, registry, now = tongue_of(request), self.house.registry, self.house.clock.now()
        account = next((one for one in self.house.accounts.accounts() if one.person == person.id), None)
        duties = registry.duties(person.id, now)
        return self.them.printer.page(
            request,
            "administration_person.html",
            status=422 if error else 200,
            visitor=visitor,
            now=now,
            here=address(person.id),
            at=address(person.id),
            person=person,
            phones=registry.phones(person.id),
            most_phones=MOST_PHONES,
            duties=[
                (duty, place, self.duties_in_words([(duty, place)], tongue), self.may_name(visitor, duty, place))
                for duty, place in duties
                if self.pages.covers(visitor, place)
            ],
            elsewhere=sum(not self.pages.covers(visitor, place) for _, place in duties),
            ways=self.ways(person),
            leaves=[leave for leave in registry.rota().leaves.get(person.id, ()) if leave.until > now],
            account=account if account and self.them.may_manage(visitor, account) else None,
            has_account=account is not None,
            login=login_of(person.id),
            roles=[duty for duty in STAFF if duty is not Duty.ADMIN or visitor.account.duty is Duty.ADMIN],
            first_duty=duties[0] if duties else (Duty.GRID_WORKER, ""),
            may_change=self.may_change(visitor, person),
            channels=[(name, tongue.say(CHANNEL_NAMES[name])) for name in self.may_enter(visitor)],
            channel=lambda name: tongue.say(CHANNEL_NAMES[name]) if name in CHANNEL_NAMES else name,
            shown=shown,
            standing=lambda line: tongue.say(STANDINGS[line.standing]),
            reason=lambda text: wording.reason_text(text, tongue.language) if text else "",
            duty_choices=self.duty_choices(visitor, tongue),
            places=self.them.places(visitor, tongue),
            languages=LANGUAGES,
            today=f"{now.astimezone(FALLBACK_ZONE):%Y-%m-%d}",
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
            **self.them.words(tongue),
        )

    def may_enter(self, visitor: Visitor) -> list[str]:
        """The channels that are set up and that this visitor may enter an address for."""
        everything = self.keeps_all(visitor)
        return [
            name
            for name in self.house.channels
            if name in CHANNEL_NAMES and name not in MADE_ELSEWHERE and (everything or name not in ANYWHERE)
        ]


def address(person: str) -> str:
    return f"/administration/people/{quote(person, safe='')}"


def shown(reach: Reach) -> str:
    """An address, or of one that opens the way by itself its last letters."""
    if reach.channel not in SECRET or not reach.address:
        return reach.address
    return f"…{reach.address[-SHOWN_OF_SECRET:]}"


def wrong_address(reach: Reach, tongue: Tongue) -> str:
    """What is wrong with an address, as its channel says it; empty when nothing is."""
    try:
        CHANNELS[reach.channel].check(reach.address)
    except Undeliverable as why:
        return tongue.say("The address is {why}.", why=wording.reason_text(str(why), tongue.language))
    return ""


# --------------------------------------------------------------------------- routes


def routes(staff: Staff, doors: Doors) -> Addresses:
    """For administrators and supervisors, each for the people of their place."""
    router = Addresses(prefix="/administration/people")
    house, registrar, sheet = staff.house, staff.house.registrar, staff.sheet
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*LEADERS))]  # noqa: N806

    def act(
        request: Request, visitor: Visitor, person: Person, said: str, do: Callable[[dict[str, Any]], Any]
    ) -> Response:
        """Do it, and show the page again; what was refused stands above it."""
        tongue = tongue_of(request)
        try:
            do({"who": visitor.account.person, "now": house.clock.now()})
        except RegistrationError as refusal:
            return staff.show_one(request, visitor, person, error=refusal.say(tongue.language))
        return RedirectResponse(f"{address(person.id)}?said={said}", status_code=303)

    theirs, duty_at = staff.theirs, staff.duty_at

    @router.get("")
    def show_list(request: Request, visitor: Leader, sought: str = "", said: str = "") -> Response:
        return staff.show_list(request, visitor, sought, said)

    @router.post("")
    def add(
        request: Request,
        visitor: Acting,
        name: Word = "",
        id: Word = "",
        phone: Word = "",
        duty: Word = "",
        place: Word = "",
    ) -> Response:
        tongue, given = tongue_of(request), {"name": name, "id": id, "phone": phone, "duty": duty, "place": place}
        if not place:
            return staff.show_list(request, visitor, "", error=tongue.say("Choose where they are called."), **given)
        wanted, made, phone = duty_at(visitor, duty, place), login_of(id or phone), phone.strip()
        if not staff.is_free(made):
            error = tongue.say("This name is taken; choose another one.")
            return staff.show_list(request, visitor, "", error=error, **given)
        person = Person(id=made, name=name.strip(), language=tongue.language)
        try:
            registrar.put_person(
                person,
                phones=[phone] if phone else [],
                duties=[wanted],
                who=visitor.account.person,
                now=house.clock.now(),
            )
        except RegistrationError as refusal:
            return staff.show_list(request, visitor, "", error=refusal.say(tongue.language), **given)
        return RedirectResponse(f"{address(made)}?said=added", status_code=303)

    @router.get("/{person_id}")
    def show(request: Request, visitor: Leader, person_id: str, said: str = "") -> Response:
        return staff.show_one(request, visitor, staff.person(visitor, person_id), said)

    @router.post("/{person_id}")
    def change(
        request: Request,
        visitor: Acting,
        person_id: str,
        name: Word = "",
        language: Word = "",
        phone: Annotated[Sequence[str], Form(max_length=MOST_PHONES)] = (),
    ) -> Response:
        person = theirs(visitor, person_id)
        wanted = replace(person, name=name.strip(), language=language if language in LANGUAGES else person.language)
        phones = [number for one in phone if (number := one.strip())]
        return act(request, visitor, person, "saved", lambda by: registrar.put_person(wanted, phones=phones, **by))

    # ------------------------------------------------------------------ for what somebody is called

    @router.post("/{person_id}/duties")
    def name_for(request: Request, visitor: Acting, person_id: str, duty: Word = "", place: Word = "") -> Response:
        person = staff.person(visitor, person_id)
        if not place:
            return staff.show_one(
                request, visitor, person, error=tongue_of(request).say("Choose where they are called.")
            )
        wanted = duty_at(visitor, duty, place)
        held = house.registry.duties(person.id, house.clock.now())
        duties = list(dict.fromkeys((*held, wanted)))
        return act(request, visitor, person, "saved", lambda by: registrar.put_person(person, duties=duties, **by))

    @router.post("/{person_id}/duties/end")
    def end_duty(request: Request, visitor: Acting, person_id: str, duty: Word = "", place: Word = "") -> Response:
        person, gone = staff.person(visitor, person_id), duty_at(visitor, duty, place)
        left = [one for one in house.registry.duties(person.id, house.clock.now()) if one != gone]
        return act(request, visitor, person, "ended", lambda by: registrar.put_person(person, duties=left, **by))

    # ------------------------------------------------------------------ by what somebody is reached

    @router.post("/{person_id}/ways")
    def add_way(
        request: Request,
        visitor: Acting,
        person_id: str,
        channel: Word = "",
        where: Text = "",
        after: Annotated[int, Form(ge=0, le=int(LONGEST / timedelta(minutes=1)))] = 0,
    ) -> Response:
        person, tongue = theirs(visitor, person_id), tongue_of(request)
        way = Reach(channel=channel, address=where.strip(), after=timedelta(minutes=after))
        if error := staff.new_way(visitor, person, way, tongue):
            return staff.show_one(request, visitor, person, error=error)
        wanted = replace(person, reaches=(*person.reaches, way))
        return act(request, visitor, person, "saved", lambda by: registrar.put_person(wanted, **by))

    @router.post("/{person_id}/ways/up")
    def try_earlier(request: Request, visitor: Acting, person_id: str, way: Word = "") -> Response:
        person = theirs(visitor, person_id)
        wanted = staff.tried_earlier(person, way)
        return act(request, visitor, person, "saved", lambda by: registrar.put_person(wanted, **by))

    @router.post("/{person_id}/ways/remove")
    def remove_way(request: Request, visitor: Acting, person_id: str, way: Word = "") -> Response:
        person = theirs(visitor, person_id)
        left = tuple(reach for name, reach in ways_of(person) if name != way)
        wanted = replace(person, reaches=left)
        return act(request, visitor, person, "removed", lambda by: registrar.put_person(wanted, **by))

    # ------------------------------------------------------------------ away

    @router.post("/{person_id}/leave")
    def put_leave(
        request: Request,
        visitor: Acting,
        person_id: str,
        first: Word = "",
        last: Word = "",
        why: Why = "",
    ) -> Response:
        person = theirs(visitor, person_id)
        try:
            since, until = date.fromisoformat(first), date.fromisoformat(last or first) + A_DAY
            leave = Leave(
                person=person.id, since=_midnight(since), until=_midnight(until), reason=" ".join(why.split())
            )
        except ValueError:
            error = tongue_of(request).say("Leave needs a first day, and a last one that lies not before it.")
            return staff.show_one(request, visitor, person, error=error)
        return act(request, visitor, person, "saved", lambda by: sheet.put_leave(leave, **by))

    @router.post("/{person_id}/leave/end")
    def end_leave(request: Request, visitor: Acting, person_id: str) -> Response:
        person = theirs(visitor, person_id)
        return act(request, visitor, person, "back", lambda by: sheet.end_leave(person.id, **by))

    return router


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, FALLBACK_ZONE)
