"""The resident's own page: what is shown to whom, a pause of it, and who has looked. In large type."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.maintenance import PAUSE
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Word
from dashboard.pages import Pages
from dashboard.people import WORDS
from dashboard.printer import tongue_of
from dashboard.scope import KIN
from dashboard.seen import READ
from dashboard.sights import SIGHTS, SIGHTS_VERSION
from dashboard.walk import PURPOSES
from dashboard.words import N_, Tongue
from gateway.domain import Act, Contact, Duty, Home, Look, Monitoring, Override, Person
from gateway.domain.people import looks
from gateway.privacy import LISTED, lists_of
from gateway.registry import RegistrationError
from gateway.sharing import OWN_WISH, Sharing, not_shown_until

REMEMBERED = timedelta(days=30)
"""So far back this page tells who looked; the sheet on paper tells all of it."""

ALL_OF_IT = 5_000

NOT_SHOWN_HOURS = (1, 4, 12, 72)
UNWATCHED_HOURS = (1, 2, 4, 8)
"""Whoever wants not to be watched for longer tells the grid worker, who asks whether all is well."""

STAFF = (Duty.GRID_WORKER, Duty.DEPUTY, Duty.SUPERVISOR)

SAID = {
    "shown": N_("Done. They can see it from now on."),
    "hidden": N_("Done. They cannot see it any more."),
    "paused": N_("Done. Nobody of the family sees anything until then."),
    "resumed": N_("Done. It is shown again."),
    "unwatched": N_("Done. Until then nobody worries if you do not move. The emergency button works as ever."),
    "watched": N_("Done. You are watched over again."),
    "withdrawn": N_("Withdrawn. That it was once given stays known."),
}

LOOKED_AT: Mapping[str, str] = {
    "read.home": N_("your page"),
    "read.alert": N_("an alert"),
    "read.link": N_("an alert, by the link of a message"),
    "profile.read": N_("your health file"),
    "profile.disclosed": N_("your emergency card"),
    "privacy.export": N_("a copy of everything kept about you"),
}
"""What somebody looked at, by the act in the audit trail."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Somebody looked: when, who, as what, at what, and why where a reason was asked for."""

    at: datetime
    name: str
    role: str
    what: str
    why: str


LISTS: Mapping[str, str] = {
    "homes": N_("all homes"),
    "today": N_("today's work"),
    "clocks": N_("deadlines"),
    "ringing": N_("emergencies that ring"),
    "overview": N_("an area at a glance"),
    "map": N_("the map"),
    "drills": N_("tests of buttons"),
    "board": N_("faults of devices"),
    "install": N_("homes to install"),
    "accounts": N_("accounts"),
    "glass": N_("emergency cards opened"),
    "alerts": N_("what holds for alerts in whose home"),
    "audit": N_("the audit trail"),
    "retention": N_("how long things are kept"),
    "api": N_("another program"),
}
"""What a list was of, by its name in the audit trail."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody saw them in lists, with all others of a place: on how many days, when last, in which."""

    name: str
    role: str
    days: int
    last: datetime
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody of the family, and what the resident lets them see."""

    person: str
    name: str
    relation: str
    shown: frozenset[Look]


class Elder:
    """What these pages need from the stores."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self.printer = pages.printer
        self.sharing = Sharing(pages.house.registry)

    def home(self, visitor: Visitor) -> Home:
        """Where they live; the first, where it is by turns."""
        homes = self.pages.homes(visitor)
        if not homes:
            raise HTTPException(404)
        return homes[0]

    def show(self, request: Request, visitor: Visitor, home: Home, said: str = "", error: str = "") -> Response:
        house, now, tongue = self.house, self.house.clock.now(), tongue_of(request)
        pause = self.pause(home, now)
        holding = [c for c in house.registry.consents(home.person) if c.holds and c.purpose in PURPOSES]
        return self.printer.page(
            request,
            "me.html",
            status=422 if error else 200,
            now=now,
            visitor=visitor,
            page_zone=home.zone,
            here="/me",
            home=home,
            viewers=self.viewers(home, tongue),
            sights=[(look, tongue.say(name), tongue.say(text)) for look, (name, text) in SIGHTS.items()],
            staff=self.staff(home, tongue, now),
            not_shown_until=not_shown_until(home, house.registry, now),
            not_shown_hours=NOT_SHOWN_HOURS,
            is_watched=home.state in (Monitoring.TRIAL, Monitoring.GUARDED),
            pause=pause,
            may_resume=pause is not None and pause.author == visitor.account.person,
            unwatched_hours=UNWATCHED_HOURS,
            consents=[(c, tongue.say(PURPOSES[c.purpose][0])) for c in holding],
            onlookers=self.onlookers(home, tongue, now - REMEMBERED)[:50],
            listed=self.listed(home, tongue, now - REMEMBERED),
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    def viewers(self, home: Home, tongue: Tongue) -> list[Viewer]:
        """The family in the order of the list, each once."""
        registry = self.house.registry
        contacts, consents = registry.contacts(home.id), registry.consents(home.person)
        kin: dict[str, Contact] = {}
        for contact in contacts:
            if contact.relation in KIN:
                kin.setdefault(contact.person, contact)
        return [
            Viewer(
                person,
                self.pages.name_of(person),
                tongue.say(WORDS[type(contact.relation)][contact.relation]),
                looks(person, contacts, consents),
            )
            for person, contact in kin.items()
        ]

    def staff(self, home: Home, tongue: Tongue, now: datetime) -> list[tuple[str, str]]:
        """Who of those on duty can see the page: what they need to come and help."""
        found: dict[str, tuple[Person, Duty]] = {}
        for duty in STAFF:
            for person in self.house.registry.on_duty(home.grid, duty, now):
                found.setdefault(person.id, (person, duty))
        return [(person.name, wording.duty_name(duty, tongue.language)) for person, duty in found.values()]

    def pause(self, home: Home, now: datetime) -> Override | None:
        if home.state is not Monitoring.PAUSED:
            return None
        return next((line for line in self.house.registry.plan(home.id, now) if line.key == PAUSE), None)

    # ------------------------------------------------------------------ who looked

    def onlookers(self, home: Home, tongue: Tongue, since: datetime | None = None) -> list[Onlooker]:
        """Everybody who looked, the newest first: each of them once an hour."""
        store = self.house.alerts
        acts = store.acts(home.id, ALL_OF_IT, what=READ, since=since)
        acts += store.acts(home.id, ALL_OF_IT, what="privacy.export", since=since)
        if home.person:
            acts += [a for a in store.acts(home.person, ALL_OF_IT, what="profile.", since=since) if a.what in LOOKED_AT]
        acts.sort(key=lambda act: act.at, reverse=True)
        return [self._onlooker(act, tongue) for act in acts]

    def listed(self, home: Home, tongue: Tongue, since: datetime | None = None) -> list[Listed]:
        """Who saw this home in lists of its grid, its areas or of all; who did so last stands first."""
        store = self.house.alerts
        acts = [
            act
            for ref in lists_of(home, self.house.registry)
            for act in store.acts(ref, ALL_OF_IT, what=LISTED, since=since)
            if act.who != home.person
        ]
        by_whom: dict[str, list[Act]] = {}
        for act in sorted(acts, key=lambda act: act.at, reverse=True):
            by_whom.setdefault(act.who, []).append(act)
        found = []
        for who, theirs in by_whom.items():
            role = dict(theirs[0].facts).get("as", "")
            lists = dict.fromkeys(dict(act.facts).get("list", "") for act in theirs)
            found.append(
                Listed(
                    name=self.pages.name_of(who),
                    role=wording.duty_name(Duty(role), tongue.language) if role in list(Duty) else "",
                    days=len({act.at.astimezone(home.zone).date() for act in theirs}),
                    last=theirs[0].at,
                    lists=tuple(tongue.say(LISTS[name]) for name in lists if name in LISTS),
                )
            )
        return found

    def _onlooker(self, act: Act, tongue: Tongue) -> Onlooker:
        role = dict(act.facts).get("as", "")
        return Onlooker(
            at=act.at,
            name=self.pages.name_of(act.who),
            role=wording.duty_name(Duty(role), tongue.language) if role in list(Duty) else "",
            what=tongue.say(LOOKED_AT[act.what]),
            why=act.why,
        )

    def show_onlookers(self, request: Request, visitor: Visitor, home: Home, up: str) -> Response:
        """All of it as a sheet: for whoever reads paper and no screen."""
        tongue = tongue_of(request)
        return self.printer.page(
            request,
            "looks_sheet.html",
            visitor=visitor,
            page_zone=home.zone,
            home=home,
            up=up,
            onlookers=self.onlookers(home, tongue),
            listed=self.listed(home, tongue),
        )


# --------------------------------------------------------------------------- routes


def routes(elder: Elder, doors: Doors) -> Addresses:
    """The addresses of the resident's page; nobody else's."""
    router = Addresses(prefix="/me")
    house = elder.house
    In = Annotated[Visitor, Depends(doors.signed_in(Duty.ELDER))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(Duty.ELDER))]  # noqa: N806

    def done(said: str) -> Response:
        return RedirectResponse(f"/me?said={said}", status_code=303)

    @router.get("")
    def show(request: Request, visitor: In, said: str = "") -> Response:
        return elder.show(request, visitor, elder.home(visitor), said)

    @router.get("/looks")
    def show_onlookers(request: Request, visitor: In) -> Response:
        return elder.show_onlookers(request, visitor, elder.home(visitor), "/me")

    @router.post("/show")
    def let_see(request: Request, visitor: Acting, viewer: Word = "", look: Word = "", hide: Word = "") -> Response:
        """One thing to one person, from now on or not any more."""
        home, now, me = elder.home(visitor), house.clock.now(), visitor.account.person
        if look not in list(Look) or viewer not in {v.person for v in elder.viewers(home, tongue_of(request))}:
            raise HTTPException(422)
        if hide:
            # Whoever may not see the one sentence sees no page, so nothing that stands on it either.
            unwanted = list(Look) if look == Look.CALM else [Look(look)]
            elder.sharing.hide(home.id, viewer, unwanted, who=me, now=now)
            return done("hidden")
        wanted = {Look.CALM, Look(look)}
        elder.sharing.show(
            home.id, viewer, wanted, version=SIGHTS_VERSION, given_by=me, evidence="page", who=me, now=now
        )
        return done("shown")

    @router.post("/pause")
    def pause(request: Request, visitor: Acting, hours: Annotated[int, Form(ge=1, le=72)] = 1) -> Response:
        home, now = elder.home(visitor), house.clock.now()
        elder.sharing.pause(home.id, now + timedelta(hours=hours), who=visitor.account.person, now=now)
        return done("paused")

    @router.post("/resume")
    def resume(request: Request, visitor: Acting) -> Response:
        elder.sharing.resume(elder.home(visitor).id, who=visitor.account.person, now=house.clock.now())
        return done("resumed")

    @router.post("/unwatched")
    def stop_watching(request: Request, visitor: Acting, hours: Annotated[int, Form(ge=1, le=8)] = 1) -> Response:
        home, now, tongue = elder.home(visitor), house.clock.now(), tongue_of(request)
        if home.state not in (Monitoring.TRIAL, Monitoring.GUARDED):
            return elder.show(request, visitor, home, error=tongue.say("You are not being watched over at present."))
        house.registrar.set_state(
            home.id,
            Monitoring.PAUSED,
            why=tongue.say("at the resident's own wish"),
            until=now + timedelta(hours=hours),
            who=visitor.account.person,
            now=now,
        )
        return done("unwatched")

    @router.post("/watched")
    def watch_again(request: Request, visitor: Acting) -> Response:
        """As it was before; only what they paused themselves."""
        home, now = elder.home(visitor), house.clock.now()
        pause = elder.pause(home, now)
        if pause is None or pause.author != visitor.account.person:
            tongue = tongue_of(request)
            return elder.show(request, visitor, home, error=tongue.say("Ask the grid worker: somebody else paused it."))
        ends = home.trial_until if home.trial_until and home.trial_until > now else None
        state = Monitoring(pause.value)
        house.registrar.set_state(home.id, state, trial_until=ends, who=visitor.account.person, now=now)
        return done("watched")

    @router.post("/consents/{number}/withdraw")
    def withdraw(request: Request, visitor: Acting, number: int) -> Response:
        home = elder.home(visitor)
        try:
            house.registrar.withdraw_consent(
                home.person, number, why=OWN_WISH, who=visitor.account.person, now=house.clock.now()
            )
        except RegistrationError as refusal:
            return elder.show(request, visitor, home, error=refusal.say(tongue_of(request).language))
        return done("withdrawn")

    return router
