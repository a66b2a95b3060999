"""Households' people for other programs: the contacts around a home, the resident's file, what was agreed to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from fastapi import Body

from dashboard.answers import iso
from dashboard.api_door import ApiDoor, Doing, Name, Said, refused
from dashboard.forms import tidy
from dashboard.keys import Caller, Right
from dashboard.people import KEEPERS, People
from dashboard.problems import CODES, Field, Problem
from gateway.domain import Ability, Answers, Consent, Hearing, Home, Living, Relation, Risk, Sex, Sight
from gateway.domain.people import HEALTH

Clock = Annotated[str, Body(max_length=5, pattern=r"^([0-2]\d:[0-5]\d)?$", description="08:00, or empty: any time")]


@dataclass(frozen=True, kw_only=True)
class ContactBody(Said):
    """Somebody around a household. A name and numbers that are known beyond it are not changed from here."""

    name: Name
    relation: Relation
    phones: Annotated[list[Annotated[str, Body(max_length=20)]], Body(max_length=10)]
    begin: Clock = ""
    end: Clock = ""
    may_see: Sight = Sight.NOTHING
    is_far: bool = False


@dataclass(frozen=True, kw_only=True)
class ProfileBody(Said):
    """The resident's file without what is kept of health; what is not named becomes unknown."""

    birth_year: Annotated[int, Body(ge=1900, le=2100)] | None = None
    sex: Sex = Sex.UNKNOWN
    living: Living = Living.UNKNOWN
    risk: Annotated[Risk, Body(description="how often somebody visits: high each week, key month, general quarter")] = (
        Risk.UNKNOWN
    )
    ability: Ability = Ability.UNKNOWN
    answers_by: Answers = Answers.NONE
    dialect: Name = ""


@dataclass(frozen=True, kw_only=True)
class HealthBody(Said):
    """What may be kept of health where the resident has agreed to it."""

    conditions: Annotated[str, Body(max_length=2_000)] = ""
    hearing: Hearing = Hearing.UNKNOWN
    hospital: Name = ""
    dementia: bool = False


@dataclass(frozen=True, kw_only=True)
class WithdrawBody(Said):
    """In whose words, on what occasion."""

    why: Annotated[str, Body(min_length=1, max_length=300)]


@dataclass(frozen=True)
class ProfileShape:
    home: str
    person: str
    name: str
    birth_year: int | None
    sex: Sex
    living: Living
    risk: Risk
    ability: Ability
    answers_by: Answers
    dialect: str


@dataclass(frozen=True)
class HealthShape:
    home: str
    person: str
    conditions: str
    hearing: Hearing
    hospital: str
    dementia: bool


@dataclass(frozen=True)
class ConsentShape:
    """To what purpose, for one viewer where it names one, when and by whom, until when it held."""

    number: int
    purpose: str
    viewer: str
    version: str
    given_at: str
    given_by: str
    withdrawn_at: str | None


@dataclass(frozen=True)
class ConsentsShape:
    home: str
    person: str
    consents: list[ConsentShape]


def consent_as_data(consent: Consent) -> Mapping[str, Any]:
    """Without the evidence: a signature that was drawn is the resident's own."""
    return {
        "number": consent.number,
        "purpose": consent.purpose,
        "viewer": consent.viewer,
        "version": consent.version,
        "given_at": iso(consent.given_at),
        "given_by": consent.given_by,
        "withdrawn_at": iso(consent.withdrawn_at),
    }


def routes(door: ApiDoor, people: People) -> None:
    """Hang up the addresses."""
    right, house = Right.PEOPLE, door.house

    # ------------------------------------------------------------------ contacts

    def keep(doing: Doing, home: Home, person: tuple[str, str] | None, said: ContactBody) -> None:
        old = people.contact(home, *person) if person else None
        given = {**asdict(said), "name": tidy(said.name), "phones": tuple(dict.fromkeys(map(tidy, said.phones)))}
        if error := doing.last_of(people).keep(home, old, given, doing.tongue, doing.caller.name):
            raise refused(error)

    @door.act("/homes/{home_id}/contacts", right, "contact.add")
    def add_contact(doing: Doing, home: Home, said: ContactBody) -> None:
        """Somebody new around a household, called after those who are there."""
        keep(doing, home, None, said)

    @door.act("/homes/{home_id}/contacts/{relation}/{person}", right, "contact.change")
    def change_contact(doing: Doing, home: Home, relation: str, person: str, said: ContactBody) -> None:
        """What is noted of a contact, as it is to be."""
        keep(doing, home, (relation, person), said)

    @door.act("/homes/{home_id}/contacts/{relation}/{person}/up", right, "contact.up")
    def call_contact_earlier(doing: Doing, home: Home, relation: str, person: str) -> None:
        """Called one place earlier from now on."""
        doing.last_of(people).call_earlier(home, people.contact(home, relation, person), doing.caller.name)

    @door.act("/homes/{home_id}/contacts/{relation}/{person}/remove", right, "contact.remove")
    def remove_contact(doing: Doing, home: Home, relation: str, person: str) -> None:
        """Take somebody off the list of a household."""
        gone = people.contact(home, relation, person)
        left = [contact for contact in house.registry.contacts(home.id) if contact != gone]
        doing.registrar().put_contacts(home.id, left, **doing.by)

    # ------------------------------------------------------------------ the resident

    @door.read("/homes/{home_id}/profile", Right.REGISTRY, ProfileShape, *KEEPERS)
    def show_profile(caller: Caller, home: Home) -> Mapping[str, Any]:
        """The resident's file, without what is kept of health."""
        known, resident = people.profile(home), people.resident(home)
        return {
            "home": home.id,
            "person": resident.id,
            "name": resident.name,
            "birth_year": known.birth_year,
            "sex": known.sex.value,
            "living": known.living.value,
            "risk": known.risk.value,
            "ability": known.ability.value,
            "answers_by": known.answers_by.value,
            "dialect": known.dialect,
        }

    @door.act("/homes/{home_id}/profile", right, "profile.put")
    def put_profile(doing: Doing, home: Home, said: ProfileBody) -> None:
        """The resident's file as it is to be. The risk says how often somebody has to visit."""
        resident = people.resident(home)
        profile = replace(people.profile(home), **{**asdict(said), "dialect": tidy(said.dialect)})
        doing.registrar(resident.id).put_profile(profile, **doing.by)

    def agreed(home: Home) -> None:
        people.resident(home)
        if not people.has_agreed(home, HEALTH):
            raise Problem(403, "not-agreed", "The resident has not agreed that anything of this is kept.")

    @door.read("/homes/{home_id}/health", Right.HEALTH, HealthShape, *KEEPERS)
    def show_health(caller: Caller, home: Home) -> Mapping[str, Any]:
        """What is kept of health, where the resident has agreed to it. Whoever reads it is written down."""
        agreed(home)
        known = house.registrar.read_profile(home.person, who=caller.name, now=house.clock.now())
        return {
            "home": home.id,
            "person": home.person,
            "conditions": known.conditions,
            "hearing": known.hearing.value,
            "hospital": known.hospital,
            "dementia": known.dementia,
        }

    @door.act("/homes/{home_id}/health", right, "health.put")
    def put_health(doing: Doing, home: Home, said: HealthBody) -> None:
        """What may be kept of health, as it is to be."""
        agreed(home)
        profile = replace(
            people.profile(home),
            conditions=said.conditions.replace("\r\n", "\n").strip(),
            hearing=said.hearing,
            hospital=tidy(said.hospital),
            dementia=said.dementia,
        )
        doing.registrar(home.person).put_profile(profile, **doing.by)

    # ------------------------------------------------------------------ what was agreed to

    @door.read("/homes/{home_id}/consents", Right.REGISTRY, ConsentsShape, *KEEPERS)
    def list_consents(caller: Caller, home: Home) -> Mapping[str, Any]:
        """What the resident has agreed to, and what of it was taken back."""
        resident = people.resident(home)
        told = [consent_as_data(consent) for consent in house.registry.consents(resident.id)]
        return {"home": home.id, "person": resident.id, "consents": told}

    @door.act("/homes/{home_id}/consents/{number}/withdraw", right, "consent.withdraw")
    def withdraw_consent(doing: Doing, home: Home, number: int, said: WithdrawBody) -> None:
        """What was agreed to no longer holds; that it once did stays known."""
        resident = people.resident(home)
        if not tidy(said.why):
            raise Problem(422, *CODES[422], Field("why", "says in whose words, on what occasion"))
        doing.registrar(resident.id).withdraw_consent(resident.id, number, why=tidy(said.why), **doing.by)
