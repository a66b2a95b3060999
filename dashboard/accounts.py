"""Who may sign in: inviting, changing what somebody sees, a lost password or telephone, and shutting an account.

An administrator does so for everybody in their place, a supervisor for theirs, and nobody makes another one more than
they are themselves. Links are handed over, not sent: whoever makes one shows it, or has it scanned, face to face.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from dashboard import scope
from dashboard.addresses import Addresses
from dashboard.auth import Invitation, Visitor, end_invitations, login_of, make_join_link
from dashboard.doors import Doors
from dashboard.forms import Word
from dashboard.house import House
from dashboard.pages import Pages
from dashboard.printer import Printer, qr_code, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Act, Contact, Duty, Home, Person
from gateway.ports import Account
from gateway.registry import RegistrationError

LEADERS = (Duty.SUPERVISOR, Duty.ADMIN)
STAFF = tuple(duty for duty in scope.ROLES if duty not in (Duty.ELDER, Duty.FAMILY))
"""Who is invited by naming a place; residents and relatives are invited from their household."""

WHOLE = "*"
"""Chosen on purpose for somebody who sees everything; nothing chosen is a mistake, and no choice."""

SHOWN = 300
"""Accounts on one page; whoever has more of them searches."""

SAID = {
    "changed": N_("Changed. They have to sign in anew."),
    "signed-out": N_("Signed out everywhere."),
    "figures-off": N_("The second step is taken away."),
    "shut": N_("The account is shut."),
    "open": N_("The account is open again."),
    "withdrawn": N_("The invitation opens nothing any more."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One account, or somebody who was invited and has not come yet (`until`: how long the link opens)."""

    login: str
    name: str
    duty: Duty
    place: str
    shut: bool = False
    until: datetime | None = None


class Refused(Exception):
    """It cannot be done; the sentence says why, and is said in the reader's language."""


class Accounts:
    """What these pages need from the stores."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages

    # ------------------------------------------------------------------ who may manage whom

    def may_give(self, visitor: Visitor, duty: Duty, place: str) -> bool:
        """Whether they may make somebody this there: never more, and never for more, than they are themselves."""
        if duty not in STAFF or (duty is Duty.ADMIN and visitor.account.duty is not Duty.ADMIN):
            return False
        registry = self.house.registry
        known = {"", *(grid.code for grid in registry.grids()), *(area.code for area in registry.areas())}
        return place in known and self.pages.covers(visitor, place)

    def belonging(self) -> Mapping[tuple[str, Duty], set[str]]:
        """Residents and relatives, each with the grids of their homes; whatever they are shown at present."""
        found: dict[tuple[str, Duty], set[str]] = {}
        contacts = self.house.registry.contacts_of_all()
        for home in self.house.registry.homes():
            for one in _could_sign_in(home, contacts.get(home.id, ())):
                found.setdefault(one, set()).add(home.grid)
        return found

    def may_manage(
        self, visitor: Visitor, account: Account, belonging: Mapping[tuple[str, Duty], set[str]] | None = None
    ) -> bool:
        if account.duty in STAFF:
            return self.may_give(visitor, account.duty, account.place)
        if self.pages.covers(visitor, ""):
            return True
        # Of a daughter with parents in two areas neither supervisor may take the account over.
        grids = (belonging or self.belonging()).get((account.person, account.duty), set())
        return bool(grids) and all(self.pages.covers(visitor, grid) for grid in grids)

    def account(self, visitor: Visitor, login: str) -> Account:
        """The account, or the same 404 whether it does not exist or is not theirs to manage."""
        account = self.house.accounts.account(login_of(login))
        if account is None or not self.may_manage(visitor, account):
            raise HTTPException(404)
        return account

    def is_last(self, account: Account) -> bool:
        """Whether nobody would be left who may do everything."""
        others = (one for one in self.house.accounts.accounts() if one.login != account.login)
        return (
            account.duty is Duty.ADMIN
            and not account.place
            and not any(o.duty is Duty.ADMIN and not o.place and o.disabled_at is None for o in others)
        )

    def is_theirs(self, visitor: Visitor, person: Person) -> bool:
        """Whether somebody who is known already works or belongs where this visitor leads."""
        return person in self.pages.people(visitor)

    def around(self, home: Home) -> list[tuple[Person, Duty]]:
        """Who of a household could sign in: the resident and the family."""
        contacts = self.house.registry.contacts(home.id)
        known = ((self.house.registry.person(one), duty) for one, duty in _could_sign_in(home, contacts))
        return [(person, duty) for person, duty in known if person is not None]

    def login_for(self, person: Person) -> str:
        """Who belongs to a household signs in with the telephone number, which they know."""
        return next(iter(self.house.registry.phones(person.id)), person.id)

    # ------------------------------------------------------------------ acts

    def note(self, visitor: Visitor, what: str, login: str, why: str = "") -> None:
        act = Act(at=self.house.clock.now(), who=visitor.account.person, what=f"account.{what}", ref=login, why=why)
        with self.house.registry.begin() as ledger:
            ledger.audit(act)

    def invite(self, visitor: Visitor, name: str, login: str, duty: Duty, place: str, language: str) -> str:
        """A link for somebody who is to work for us; they are on the registry from now on."""
        house, login = self.house, login_of(login)
        if not self.may_give(visitor, duty, place):
            raise HTTPException(404)
        known = house.registry.person(login)
        if house.accounts.account(login) is not None or (known is not None and not self.is_theirs(visitor, known)):
            raise Refused(N_("This name is taken; choose another one."))
        now = house.clock.now()
        house.registrar.put_person(
            known or Person(id=login, name=name.strip(), language=language),
            duties=list(dict.fromkeys((*house.registry.duties(login, now), (duty, place)))),
            who=visitor.account.person,
            now=now,
        )
        return self.link_for(visitor, login, duty, place, login)

    def invite_kin(self, visitor: Visitor, home: Home, person: str, duty: str) -> tuple[str, str]:
        """A link for the resident or somebody of the family, and by which name they sign in; the link is empty where
        they can do so already."""
        asked = next(((p, d) for p, d in self.around(home) if (p.id, d.value) == (person, duty)), None)
        if asked is None:
            raise HTTPException(404)
        login = login_of(self.login_for(asked[0]))
        if self.house.accounts.account(login) is not None:
            return "", login
        return self.link_for(visitor, login, asked[1], "", asked[0].id), login

    def link_for(self, visitor: Visitor, login: str, duty: Duty, place: str, person: str) -> str:
        """A link for somebody new; an earlier one for the same name opens no more."""
        house = self.house
        end_invitations(house.accounts, login, house.clock.now())
        link = make_join_link(house.accounts, house.clock, house.base_url, login, duty, place, person=person)
        self.note(visitor, "invited", login)
        return link

    def withdraw(self, visitor: Visitor, login: str) -> None:
        if login not in {line.login for line in self.lines(visitor) if line.until is not None}:
            raise HTTPException(404)
        end_invitations(self.house.accounts, login, self.house.clock.now())
        self.note(visitor, "invitation-withdrawn", login)

    def reset(self, visitor: Visitor, account: Account) -> str:
        """A link by which they choose a new password."""
        house = self.house
        end_invitations(house.accounts, account.login, house.clock.now())
        link = make_join_link(house.accounts, house.clock, house.base_url, account.login, account.duty, fresh=False)
        self.note(visitor, "reset-link", account.login)
        return link

    def change_role(self, visitor: Visitor, account: Account, duty: Duty, place: str) -> None:
        if account.duty not in STAFF or not self.may_give(visitor, duty, place):
            raise HTTPException(404)
        if self.is_last(account) and (duty, place) != (Duty.ADMIN, ""):
            raise Refused(N_("This is the last administrator of all; make another one first."))
        self.house.accounts.put(replace(account, duty=duty, place=place))
        self.house.accounts.end_sessions(account.login)
        self.note(visitor, "role", account.login, why=f"{duty.value} {place}".strip())

    def sign_out(self, visitor: Visitor, account: Account) -> None:
        self.house.accounts.end_sessions(account.login)
        self.note(visitor, "signed-out", account.login)

    def drop_second_step(self, visitor: Visitor, account: Account) -> None:
        self.house.accounts.drop_second_step(account.login)
        self.note(visitor, "figures-off", account.login)

    def shut(self, visitor: Visitor, account: Account) -> None:
        """Nobody comes in by it from this moment on."""
        house, now = self.house, self.house.clock.now()
        if account.login == visitor.account.login or self.is_last(account):
            raise Refused(N_("Nobody shuts their own account, nor that of the last administrator of all."))
        house.accounts.put(replace(account, disabled_at=now))
        house.accounts.end_sessions(account.login)
        end_invitations(house.accounts, account.login, now)
        self.note(visitor, "shut", account.login)

    def open_again(self, visitor: Visitor, account: Account) -> None:
        self.house.accounts.put(replace(account, disabled_at=None))
        self.note(visitor, "open", account.login)

    # ------------------------------------------------------------------ pages

    def lines(self, visitor: Visitor) -> list[Line]:
        accounts, now, belonging = self.house.accounts, self.house.clock.now(), self.belonging()
        lines = [
            Line(one.login, self.name_of(one.person), one.duty, one.place, one.disabled_at is not None)
            for one in accounts.accounts()
            if self.may_manage(visitor, one, belonging)
        ]
        for purpose, until in accounts.invitations(now):
            invited = Invitation.of(purpose)
            if invited is None or invited.kind != "join":
                continue
            if self.may_manage(visitor, _as_account(invited, now), belonging):
                name = self.name_of(invited.person)
                lines.append(Line(invited.login, name, invited.duty, invited.place, until=until))
        return lines

    def name_of(self, person: str) -> str:
        found = self.house.registry.person(person)
        return found.name if found else person

    def words(self, tongue: Tongue) -> dict[str, Any]:
        registry = self.house.registry
        return {
            "role": lambda duty: wording.duty_name(duty, tongue.language),
            "place_name": lambda code: registry.place_name(code) if code else tongue.say("everywhere"),
        }

    def places(self, visitor: Visitor, tongue: Tongue) -> list[tuple[str, str]]:
        """Where somebody can be put by this visitor, the widest first."""
        registry = self.house.registry
        areas = {area.code: area for area in registry.areas()}
        names = [(area.code, f"{area.name} {area.code}") for area in areas.values()]
        for grid in registry.grids():
            around = areas.get(grid.community)
            names.append((grid.code, f"{around.name if around else ''} {grid.name} {grid.code}".strip()))
        found = [(code, name) for code, name in names if self.pages.covers(visitor, code)]
        return [*found, (WHOLE, tongue.say("everywhere"))] if self.pages.covers(visitor, "") else found

    def show_list(
        self, request: Request, visitor: Visitor, sought: str, said: str = "", error: str = "", given: str = ""
    ) -> Response:
        tongue, word = tongue_of(request), sought.strip().lower()
        lines = [line for line in self.lines(visitor) if word in f"{line.login} {line.name}".lower()]
        return self.printer.page(
            request,
            "accounts_list.html",
            visitor=visitor,
            here="/accounts",
            status=422 if error else 200,
            lines=lines[:SHOWN],
            more=max(0, len(lines) - SHOWN),
            sought=sought,
            roles=[duty for duty in STAFF if duty is not Duty.ADMIN or visitor.account.duty is Duty.ADMIN],
            places=self.places(visitor, tongue),
            given=given,
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
            **self.words(tongue),
        )

    def show_one(
        self, request: Request, visitor: Visitor, account: Account, said: str = "", error: str = ""
    ) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        return self.printer.page(
            request,
            "accounts_one.html",
            visitor=visitor,
            now=now,
            here="/accounts",
            status=422 if error else 200,
            account=account,
            name=self.name_of(account.person),
            is_self=account.login == visitor.account.login,
            by_place=account.duty in STAFF,
            homes=[] if account.duty in STAFF else scope.homes_of(account, self.house.registry),
            sessions=self.house.accounts.sessions(account.login, now),
            step=self.house.accounts.second_step(account.login),
            roles=[duty for duty in STAFF if duty is not Duty.ADMIN or visitor.account.duty is Duty.ADMIN],
            places=self.places(visitor, tongue),
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
            **self.words(tongue),
        )

    def show_household(self, request: Request, visitor: Visitor, home: Home) -> Response:
        accounts = {(one.person, one.duty): one.login for one in self.house.accounts.accounts()}
        return self.printer.page(
            request,
            "accounts_home.html",
            visitor=visitor,
            here=f"/accounts/homes/{home.id}",
            home=home,
            people=[(person, duty, accounts.get((person.id, duty), "")) for person, duty in self.around(home)],
            **self.words(tongue_of(request)),
        )

    def show_link(self, request: Request, visitor: Visitor, link: str, login: str) -> Response:
        return self.printer.page(
            request,
            "accounts_link.html",
            visitor=visitor,
            here="/accounts",
            link=link,
            login=login,
            qr=qr_code(link),
        )


def _could_sign_in(home: Home, contacts: Iterable[Contact]) -> Iterable[tuple[str, Duty]]:
    """The resident and the family of a household."""
    kin = dict.fromkeys(contact.person for contact in contacts if contact.relation in scope.KIN)
    return [(home.person, Duty.ELDER)] * bool(home.person) + [(person, Duty.FAMILY) for person in kin]


def _as_account(invited: Invitation, now: datetime) -> Account:
    return Account(
        login=invited.login,
        password_hash="",
        person=invited.person,
        duty=invited.duty,
        place=invited.place,
        created_at=now,
    )


def routes(them: Accounts, doors: Doors) -> Addresses:
    """For administrators and supervisors; each act is a line of the audit trail under their name."""
    router = Addresses(prefix="/accounts")
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*LEADERS))]  # noqa: N806

    def back(login: str, said: str) -> Response:
        return RedirectResponse(f"/accounts/one?login={quote(login, safe='')}&said={said}", status_code=303)

    def chosen(duty: str) -> Duty:
        wanted = next((one for one in STAFF if one.value == duty), None)
        if wanted is None:
            raise HTTPException(404)
        return wanted

    @router.get("")
    def show(request: Request, visitor: Leader, sought: str = "", said: str = "") -> Response:
        return them.show_list(request, visitor, sought, said)

    @router.post("/invite")
    def invite_staff(
        request: Request, visitor: Acting, name: Word = "", login: Word = "", duty: Word = "", place: Word = ""
    ) -> Response:
        tongue = tongue_of(request)
        if not place:
            return them.show_list(request, visitor, "", error=tongue.say("Choose what they see."))
        try:
            link = them.invite(visitor, name, login, chosen(duty), place.replace(WHOLE, ""), tongue.language)
        except Refused as refusal:
            return them.show_list(request, visitor, "", error=tongue.say(str(refusal)))
        except RegistrationError as refusal:
            return them.show_list(request, visitor, "", error=refusal.say(tongue.language))
        return them.show_link(request, visitor, link, login_of(login))

    @router.post("/invitations/withdraw")
    def withdraw(visitor: Acting, login: Word = "") -> Response:
        them.withdraw(visitor, login)
        return RedirectResponse("/accounts?said=withdrawn", status_code=303)

    # ------------------------------------------------------------------ a household

    @router.get("/homes/{home_id}")
    def show_household(request: Request, visitor: Leader, home_id: str) -> Response:
        return them.show_household(request, visitor, them.pages.home(visitor, home_id))

    @router.post("/homes/{home_id}/invite")
    def invite_family(request: Request, visitor: Acting, home_id: str, person: Word = "", duty: Word = "") -> Response:
        home = them.pages.home(visitor, home_id)
        link, login = them.invite_kin(visitor, home, person, duty)
        return them.show_link(request, visitor, link, login) if link else them.show_household(request, visitor, home)

    # ------------------------------------------------------------------ one account

    @router.get("/one")
    def show_one(request: Request, visitor: Leader, login: str = "", said: str = "") -> Response:
        return them.show_one(request, visitor, them.account(visitor, login), said)

    @router.post("/one/reset")
    def reset(request: Request, visitor: Acting, login: Word = "") -> Response:
        account = them.account(visitor, login)
        return them.show_link(request, visitor, them.reset(visitor, account), account.login)

    @router.post("/one/role")
    def change_role(request: Request, visitor: Acting, login: Word = "", duty: Word = "", place: Word = "") -> Response:
        account, say = them.account(visitor, login), tongue_of(request).say
        if not place:
            return them.show_one(request, visitor, account, error=say("Choose what they see."))
        try:
            them.change_role(visitor, account, chosen(duty), place.replace(WHOLE, ""))
        except Refused as refusal:
            return them.show_one(request, visitor, account, error=say(str(refusal)))
        return back(account.login, "changed")

    @router.post("/one/sign-out")
    def sign_out(visitor: Acting, login: Word = "") -> Response:
        account = them.account(visitor, login)
        them.sign_out(visitor, account)
        return back(account.login, "signed-out")

    @router.post("/one/figures-off")
    def take_second_step(visitor: Acting, login: Word = "") -> Response:
        account = them.account(visitor, login)
        them.drop_second_step(visitor, account)
        return back(account.login, "figures-off")

    @router.post("/one/shut")
    def shut(request: Request, visitor: Acting, login: Word = "") -> Response:
        account = them.account(visitor, login)
        try:
            them.shut(visitor, account)
        except Refused as refusal:
            return them.show_one(request, visitor, account, error=tongue_of(request).say(str(refusal)))
        return back(account.login, "shut")

    @router.post("/one/open")
    def open_again(visitor: Acting, login: Word = "") -> Response:
        account = them.account(visitor, login)
        them.open_again(visitor, account)
        return back(account.login, "open")

    return router
