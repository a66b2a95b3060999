"""Who lives in a household and who stands around it: the resident's file, the contacts, and what was agreed to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Text, Word, tidy
from dashboard.house import House
from dashboard.pages import Pages
from dashboard.printer import Printer, tongue_of
from dashboard.sights import SIGHTS
from dashboard.walk import NEEDED, PURPOSES
from dashboard.words import N_, Tongue
from gateway.domain import (
    Ability,
    Answers,
    Contact,
    Duty,
    Hearing,
    Home,
    Living,
    Look,
    Person,
    Profile,
    Relation,
    Risk,
    Sex,
    Sight,
)
from gateway.domain.people import HEALTH
from gateway.registry import RegistrationError

KEEPERS = (Duty.INSTALLER, Duty.SUPERVISOR, Duty.ADMIN)
"""Who keeps these files. A grid worker reads in an alert what helps there, and needs no more."""

MOST_CONTACTS = 20
"""Nobody has more people to call one after another; and a page that lists them stays a page."""

E = TypeVar("E", bound=StrEnum)

WORDS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    Sex: {Sex.FEMALE: N_("female"), Sex.MALE: N_("male")},
    Living: {
        Living.ALONE: N_("alone"),
        Living.COUPLE: N_("as a couple, without children"),
        Living.LEFT_BEHIND: N_("with grandchildren, children away"),
        Living.FAMILY: N_("with family"),
    },
    Ability: {
        Ability.ABLE: N_("able"),
        Ability.MILD: N_("mildly impaired"),
        Ability.MODERATE: N_("moderately impaired"),
        Ability.SEVERE: N_("severely impaired"),
        Ability.TOTAL: N_("totally impaired"),
    },
    Risk: {
        Risk.HIGH: N_("high risk: a visit each week"),
        Risk.KEY: N_("key: a visit each month"),
        Risk.GENERAL: N_("general: a visit each quarter"),
    },
    Answers: {
        Answers.BUTTON: N_("with a button"),
        Answers.SPEAKER: N_("by a smart speaker"),
        Answers.PHONE: N_("by telephone"),
    },
    Hearing: {Hearing.GOOD: N_("hears well"), Hearing.POOR: N_("hard of hearing"), Hearing.DEAF: N_("deaf")},
    Relation: {
        Relation.CHILD: N_("son or daughter"),
        Relation.SPOUSE: N_("spouse"),
        Relation.RELATIVE: N_("relative"),
        Relation.NEIGHBOUR: N_("neighbour"),
        Relation.KEY_HOLDER: N_("has a key"),
        Relation.MEDICAL: N_("contact for the hospital"),
        Relation.DOCTOR: N_("family doctor"),
        Relation.CADRE: N_("community cadre"),
        Relation.PROPERTY: N_("property management"),
        Relation.VOLUNTEER: N_("volunteer"),
    },
    Sight: {
        Sight.NOTHING: N_("nothing"),
        Sight.CALM: N_("once a day that all is well"),
        Sight.ALERTS: N_("alerts"),
        Sight.ALL: N_("everything"),
    },
}

SAID = {
    "saved": N_("Saved."),
    "removed": N_("Taken off the list."),
    "withdrawn": N_("Withdrawn. That it was once given stays known."),
}


class People:
    """What these pages need from the stores."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages

    def resident(self, home: Home) -> Person:
        person = self.house.registry.person(home.person) if home.person else None
        if person is None:
            raise HTTPException(404)
        return person

    def profile(self, home: Home) -> Profile:
        return self.house.registry.profile(home.person) or Profile(person=home.person)

    def has_agreed(self, home: Home, purpose: str) -> bool:
        return any(c.holds and c.purpose == purpose for c in self.house.registry.consents(home.person))

    def contact(self, home: Home, relation: str, person: str) -> Contact:
        found = (c for c in self.house.registry.contacts(home.id) if (c.relation, c.person) == (relation, person))
        contact = next(found, None)
        if contact is None:
            raise HTTPException(404)
        return contact

    def is_only_ours(self, home: Home, person: str) -> bool:
        """Known to us through this household alone: name and numbers may be changed here. Whoever works for us, signs
        in, or is a contact elsewhere as well, is not renamed from one household's page."""
        registry, now = self.house.registry, self.house.clock.now()
        elsewhere = any(
            person == other.person or any(c.person == person for c in registry.contacts(other.id))
            for other in registry.homes()
            if other.id != home.id
        )
        return not (elsewhere or registry.duties(person, now) or self.house.accounts.account(person) is not None)

    def known_as(self, name: str, phones: Sequence[str]) -> Person | None:
        """The same name under the same number is the same person."""
        registry = self.house.registry
        alike = (person for person in registry.people() if person.name == name)
        return next((person for person in alike if set(phones) & set(registry.phones(person.id))), None)

    def new_id(self, home: Home) -> str:
        taken = {person.id for person in self.house.registry.people()}
        return next(made for n in range(1, len(taken) + 2) if (made := f"{home.id[:50]}-contact-{n}") not in taken)

    # ------------------------------------------------------------------ pages

    def page(self, request: Request, template: str, visitor: Visitor, home: Home, **more: Any) -> Response:
        tongue = tongue_of(request)
        return self.printer.page(
            request,
            template,
            visitor=visitor,
            page_zone=home.zone,
            home=home,
            at=f"/install/{home.id}/people",
            word=lambda code: tongue.say(WORDS[type(code)][code]) if code in WORDS[type(code)] else "",
            choices=lambda name: [(code.value, tongue.say(word)) for code, word in WORDS[KINDS[name]].items()],
            **{"error": "", "status": 422 if more.get("error") else 200, **more},
        )

    def show(self, request: Request, visitor: Visitor, home: Home, said: str = "", error: str = "") -> Response:
        registry, tongue = self.house.registry, tongue_of(request)
        consents = registry.consents(home.person) if home.person else []
        holding = {c.purpose for c in consents if c.holds}
        return self.page(
            request,
            "people_list.html",
            visitor,
            home,
            here=f"/install/{home.id}/people",
            up="/homes" if visitor.account.duty is Duty.SUPERVISOR else "/install",
            resident=registry.person(home.person) if home.person else None,
            profile=self.profile(home),
            contacts=registry.contacts(home.id),
            may_add=len(registry.contacts(home.id)) < MOST_CONTACTS,
            name_of=self.pages.name_of,
            consents=consents,
            lapsed=[p for p in NEEDED if p not in holding and any(c.purpose == p for c in consents)],
            purpose_name=lambda key: tongue.say(PURPOSES[key][0]) if key in PURPOSES else key,
            sight_name=lambda consent: tongue.say(
                "{name} may see: {what}",
                name=self.pages.name_of(consent.viewer),
                what=tongue.say(SIGHTS[Look(consent.purpose)][0]),
            ),
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    def show_profile(
        self, request: Request, visitor: Visitor, home: Home, given: Mapping[str, Any] | None = None, error: str = ""
    ) -> Response:
        known = self.profile(home)
        kept = {name: getattr(known, name) for name in ("birth_year", "dialect", *PROFILE)}
        return self.page(
            request, "people_profile.html", visitor, home, given=given or kept, fields=PROFILE, error=error
        )

    def show_health(self, request: Request, visitor: Visitor, home: Home, who: str) -> Response:
        """Opened only where it was agreed to that it is kept, and whoever opens it is written down."""
        agreed = self.has_agreed(home, HEALTH)
        now = self.house.clock.now()
        profile = self.house.registrar.read_profile(home.person, who=who, now=now) if agreed else None
        return self.page(request, "people_health.html", visitor, home, profile=profile)

    def show_contact(
        self, request: Request, visitor: Visitor, home: Home, old: Contact | None, given: Mapping[str, Any], error: str
    ) -> Response:
        return self.page(
            request,
            "people_contact.html",
            visitor,
            home,
            here=f"/install/{home.id}/people",
            old=old,
            given=given,
            may_rename=old is None or self.is_only_ours(home, old.person),
            error=error,
        )

    def of_contact(self, contact: Contact) -> dict[str, Any]:
        """The form of a contact, filled in with what is known."""
        begin, _, end = contact.hours.partition("-")
        return {
            "name": self.pages.name_of(contact.person),
            "relation": contact.relation,
            "phones": contact.phones,
            "begin": begin,
            "end": end,
            "may_see": contact.may_see,
            "is_far": contact.is_far,
        }

    # ------------------------------------------------------------------ acts

    def keep(self, home: Home, old: Contact | None, given: Mapping[str, Any], tongue: Tongue, who: str) -> str:
        """Keep a contact as the form has it; what is wrong with it, or nothing."""
        begin, end = given["begin"], given["end"]
        if old is not None and not self.is_only_ours(home, old.person):
            given = {**given, "name": self.pages.name_of(old.person), "phones": old.phones}
        if not given["name"]:
            return tongue.say("A contact needs a name.")
        if given["relation"] not in list(Relation):
            return tongue.say("Please choose what they are to the resident.")
        if not given["phones"]:
            return tongue.say("A contact needs a telephone number: nobody can call them otherwise.")
        if bool(begin) != bool(end):
            return tongue.say("Hours have a beginning and an end; leave both empty for any time.")
        registry, now = self.house.registry, self.house.clock.now()
        contacts = registry.contacts(home.id)
        known = registry.person(old.person) if old is not None else self.known_as(given["name"], given["phones"])
        person = known or Person(id=self.new_id(home), name=given["name"])
        new = Contact(
            home=home.id,
            person=person.id,
            relation=Relation(given["relation"]),
            hours=f"{begin}-{end}" if begin else "",
            may_see=Sight(given["may_see"]) if given["may_see"] in list(Sight) else Sight.NOTHING,
            # Whoever is known beyond this household keeps the numbers that were given there.
            phones=tuple(given["phones"]) if known is None or self.is_only_ours(home, person.id) else (),
            is_far=given["is_far"],
        )
        others = [c for c in contacts if c != old]
        if any((c.person, c.relation) == (new.person, new.relation) for c in others):
            return tongue.say("{name} is on the list as that already.", name=person.name)
        if old is None and len(contacts) >= MOST_CONTACTS:
            return tongue.say("{most} contacts are the most.", most=MOST_CONTACTS)
        at = contacts.index(old) if old is not None else len(others)
        renamed = [replace(person, name=given["name"])] if person.name != given["name"] or known is None else []
        try:
            self.house.registrar.put_contacts(
                home.id, [*others[:at], new, *others[at:]], people=renamed, who=who, now=now
            )
        except RegistrationError as refusal:
            return refusal.say(tongue.language)
        return ""

    def call_earlier(self, home: Home, contact: Contact, who: str) -> None:
        """One place earlier on the list; whoever stands first stays there."""
        contacts = self.house.registry.contacts(home.id)
        at = max(contacts.index(contact) - 1, 0)
        others = [c for c in contacts if c != contact]
        self.put_contacts(home, [*others[:at], contact, *others[at:]], who)

    def put_contacts(self, home: Home, contacts: Iterable[Contact], who: str) -> None:
        self.house.registrar.put_contacts(home.id, list(contacts), who=who, now=self.house.clock.now())


PROFILE: Mapping[str, tuple[type[StrEnum], str]] = {
    "sex": (Sex, N_("Sex")),
    "living": (Living, N_("Lives")),
    "risk": (Risk, N_("How often somebody visits")),
    "ability": (Ability, N_("Grade of ability")),
    "answers_by": (Answers, N_("Can answer when asked")),
}
KINDS: Mapping[str, type[StrEnum]] = {
    **{name: kind for name, (kind, _) in PROFILE.items()},
    "hearing": Hearing,
    "relation": Relation,
    "may_see": Sight,
}


def chosen(kind: type[E], word: str) -> E:
    """What was chosen; nothing, where nothing was."""
    return kind(word) if word in list(kind) else kind("")


# --------------------------------------------------------------------------- routes


def routes(people: People, doors: Doors) -> Addresses:
    """The addresses of these pages, for whoever keeps the files of a household."""
    router = Addresses(prefix="/install/{home_id}/people")
    house, registrar = people.house, people.house.registrar
    In = Annotated[Visitor, Depends(doors.signed_in(*KEEPERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*KEEPERS))]  # noqa: N806

    def of(visitor: Visitor, home_id: str) -> Home:
        return people.pages.home(visitor, home_id)

    def with_resident(visitor: Visitor, home_id: str) -> Home:
        home = of(visitor, home_id)
        people.resident(home)
        return home

    def back(home: Home, said: str) -> Response:
        return RedirectResponse(f"/install/{home.id}/people?said={said}", status_code=303)

    @router.get("")
    def show(request: Request, visitor: In, home_id: str, said: str = "") -> Response:
        return people.show(request, visitor, of(visitor, home_id), said)

    # ------------------------------------------------------------------ the resident

    @router.get("/profile")
    def show_profile(request: Request, visitor: In, home_id: str) -> Response:
        return people.show_profile(request, visitor, with_resident(visitor, home_id))

    @router.post("/profile")
    def put_profile(
        request: Request,
        visitor: Acting,
        home_id: str,
        birth_year: Annotated[str, Form(max_length=8)] = "",
        sex: Text = "",
        living: Text = "",
        risk: Text = "",
        ability: Text = "",
        answers_by: Text = "",
        dialect: Word = "",
    ) -> Response:
        home, tongue = with_resident(visitor, home_id), tongue_of(request)
        given: dict[str, Any] = {"birth_year": tidy(birth_year), "dialect": tidy(dialect)}
        picked = {"sex": sex, "living": living, "risk": risk, "ability": ability, "answers_by": answers_by}
        given |= {name: chosen(KINDS[name], word) for name, word in picked.items()}
        year = given["birth_year"]
        if year and not year.isdecimal():
            error = tongue.say("A year of birth has four figures, such as 1938.")
            return people.show_profile(request, visitor, home, given, error)
        profile = replace(people.profile(home), **{**given, "birth_year": int(year) if year else None})
        try:
            registrar.put_profile(profile, who=visitor.account.person, now=house.clock.now())
        except RegistrationError as refusal:
            return people.show_profile(request, visitor, home, given, refusal.say(tongue.language))
        return back(home, "saved")

    @router.get("/health")
    def show_health(request: Request, visitor: In, home_id: str) -> Response:
        return people.show_health(request, visitor, with_resident(visitor, home_id), visitor.account.person)

    @router.post("/health")
    def put_health(
        visitor: Acting,
        home_id: str,
        conditions: Annotated[str, Form(max_length=2_000)] = "",
        hearing: Text = "",
        hospital: Word = "",
        dementia: Text = "",
    ) -> Response:
        home = with_resident(visitor, home_id)
        if not people.has_agreed(home, HEALTH):
            raise HTTPException(403)
        profile = replace(
            people.profile(home),
            conditions=conditions.replace("\r\n", "\n").strip(),
            hearing=chosen(Hearing, hearing),
            hospital=tidy(hospital),
            dementia=dementia == "1",
        )
        registrar.put_profile(profile, who=visitor.account.person, now=house.clock.now())
        return back(home, "saved")

    # ------------------------------------------------------------------ contacts

    @router.get("/contacts/new")
    def show_new(request: Request, visitor: In, home_id: str) -> Response:
        blank = {"name": "", "relation": "", "phones": (), "begin": "", "end": "", "may_see": "", "is_far": False}
        return people.show_contact(request, visitor, of(visitor, home_id), None, blank, "")

    def form_of(
        name: Text = "",
        relation: Text = "",
        phone: Annotated[list[str] | None, Form()] = None,
        begin: Annotated[str, Form(max_length=8)] = "",
        end: Annotated[str, Form(max_length=8)] = "",
        may_see: Text = "",
        is_far: Annotated[str, Form(max_length=1)] = "",
    ) -> dict[str, Any]:
        phones = tuple(dict.fromkeys(tidy(number) for number in (phone or [])[:10] if number.strip()))
        given = {"name": tidy(name), "relation": relation, "phones": phones, "may_see": may_see}
        return {**given, "begin": begin.strip()[:5], "end": end.strip()[:5], "is_far": is_far == "1"}

    Given = Annotated[dict[str, Any], Depends(form_of)]  # noqa: N806

    def keep(request: Request, visitor: Visitor, home: Home, old: Contact | None, given: dict[str, Any]) -> Response:
        error = people.keep(home, old, given, tongue_of(request), visitor.account.person)
        return people.show_contact(request, visitor, home, old, given, error) if error else back(home, "saved")

    @router.post("/contacts/new")
    def add(request: Request, visitor: Acting, home_id: str, given: Given) -> Response:
        return keep(request, visitor, of(visitor, home_id), None, given)

    @router.get("/contacts/{relation}/{person}")
    def show_contact(request: Request, visitor: In, home_id: str, relation: str, person: str) -> Response:
        home = of(visitor, home_id)
        old = people.contact(home, relation, person)
        return people.show_contact(request, visitor, home, old, people.of_contact(old), "")

    @router.post("/contacts/{relation_was}/{person}")
    def change(
        request: Request, visitor: Acting, home_id: str, relation_was: str, person: str, given: Given
    ) -> Response:
        home = of(visitor, home_id)
        return keep(request, visitor, home, people.contact(home, relation_was, person), given)

    @router.post("/contacts/{relation}/{person}/up")
    def call_earlier(visitor: Acting, home_id: str, relation: str, person: str) -> Response:
        home = of(visitor, home_id)
        people.call_earlier(home, people.contact(home, relation, person), visitor.account.person)
        return back(home, "saved")

    @router.post("/contacts/{relation}/{person}/remove")
    def remove(visitor: Acting, home_id: str, relation: str, person: str) -> Response:
        home = of(visitor, home_id)
        contact = people.contact(home, relation, person)
        people.put_contacts(home, [c for c in house.registry.contacts(home.id) if c != contact], visitor.account.person)
        return back(home, "removed")

    # ------------------------------------------------------------------ what was agreed to

    @router.post("/consents/{number}/withdraw")
    def withdraw(request: Request, visitor: Acting, home_id: str, number: int, why: Text = "") -> Response:
        home, tongue = with_resident(visitor, home_id), tongue_of(request)
        if not tidy(why):
            error = tongue.say("Please write down why it is withdrawn: in whose words, on what occasion.")
            return people.show(request, visitor, home, error=error)
        try:
            registrar.withdraw_consent(
                home.person, number, why=tidy(why), who=visitor.account.person, now=house.clock.now()
            )
        except RegistrationError as refusal:
            return people.show(request, visitor, home, error=refusal.say(tongue.language))
        return back(home, "withdrawn")

    return router
