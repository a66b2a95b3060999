"""The page of other programs: which come in, what for, where and until when; a token is made here and shown once."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboard.accounts import WHOLE, Accounts
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Word
from dashboard.keys import LONGEST, NAME, Right, make_token, revoke
from dashboard.printer import tongue_of
from dashboard.words import N_
from gateway.domain import Act, Duty
from gateway.ports import ApiToken

RIGHTS: Mapping[Right, str] = {
    Right.HOMES: N_("how homes stand, what they cannot notice, their devices and plans"),
    Right.DAYS: N_("every movement in a home: only where it cannot do without"),
    Right.ALERTS: N_("alerts, what was done about them, and each message"),
    Right.ACT: N_("accept alerts and deal with them, for a person it names"),
    Right.PLANS: N_("note absences, set limits"),
    Right.PHOTOS: N_("pictures that were taken in a home"),
    Right.CARD: N_("open the hand-over card of an emergency, for a person it names who says why"),
    Right.REGISTRY: N_("people, contacts and telephone numbers, drills"),
    Right.IMPORT: N_("take in tables of the whole registry"),
    Right.EXPORT: N_("take out the whole registry, with what stands there of health"),
    Right.FIGURES: N_("figures of the months"),
    Right.INSTALL: N_("install: households, rooms, hubs, devices, walk tests, consents on paper"),
    Right.PEOPLE: N_("contacts, the resident's file, consents taken back; who is called for what, and by what"),
    Right.HEALTH: N_("read what is kept of a resident's health"),
    Right.PLACES: N_("open, change and close areas and grids"),
    Right.ROTA: N_("shifts, swaps, leave, holidays"),
    Right.DRILLS: N_("send drills, announce tests of emergency buttons"),
    Right.ACCOUNTS: N_("invite people, change what they see, shut accounts; never an administrator's"),
    Right.PRIVACY: N_("who looked at somebody, copies of all that is kept, erasure, how long it is kept"),
    Right.AUDIT: N_("read the audit trail"),
    Right.MACHINE: N_("look after the gateway itself: its health, its copies, whether its trail is whole"),
    Right.TOKENS: N_("make and withdraw tokens that can do no more than itself"),
}
DAYS = (30, 90, 365, LONGEST)


class Tokens:
    """What the page needs from the stores."""

    def __init__(self, them: Accounts) -> None:
        self.them = them
        self.house = them.house
        self.pages = them.pages

    def of(self, visitor: Visitor) -> list[ApiToken]:
        """The tokens for places of theirs: nobody makes or takes one for more than they keep themselves."""
        return [token for token in self.house.accounts.tokens() if self.pages.covers(visitor, token.place)]

    def show(
        self, request: Request, visitor: Visitor, *, secret: str = "", error: str = "", said: str = ""
    ) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        return self.them.printer.page(
            request,
            "tokens_list.html",
            status=422 if error else 200,
            visitor=visitor,
            now=now,
            here="/tokens",
            tokens=self.of(visitor),
            rights=[(right.value, tongue.say(words)) for right, words in RIGHTS.items()],
            right_name=lambda right: tongue.say(RIGHTS[Right(right)]),
            places=self.them.places(visitor, tongue),
            days=DAYS,
            secret=secret,
            error=error,
            said=tongue.say(N_("The token opens nothing any more.")) if said == "revoked" else "",
            **self.them.words(tongue),
        )

    def note(self, visitor: Visitor, what: str, token: ApiToken) -> None:
        facts = (("name", token.name), ("rights", " ".join(token.rights)), ("place", token.place))
        with self.house.registry.begin() as ledger:
            now = self.house.clock.now()
            ledger.audit(Act(at=now, who=visitor.account.person, what=what, ref=token.id, facts=facts))


def routes(tokens: Tokens, doors: Doors) -> Addresses:
    """For administrators; each act is a line of the audit trail under their name."""
    router = Addresses(prefix="/tokens")
    accounts, clock = tokens.house.accounts, tokens.house.clock
    Admin = Annotated[Visitor, Depends(doors.signed_in(Duty.ADMIN))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(Duty.ADMIN))]  # noqa: N806

    @router.get("")
    def show(request: Request, visitor: Admin, said: str = "") -> Response:
        return tokens.show(request, visitor, said=said)

    @router.post("/make")
    def make(
        request: Request,
        visitor: Acting,
        name: Annotated[str, Form(max_length=40)] = "",
        right: Annotated[list[Right], Form()] = [],  # noqa: B006 - FastAPI makes a new one for each form
        place: Word = "",
        days: Annotated[int, Form(ge=1, le=LONGEST)] = 365,
    ) -> Response:
        say, name = tongue_of(request).say, name.strip()
        if not place:
            return tokens.show(request, visitor, error=say("Choose what they see."))
        if place not in {code for code, _ in tokens.them.places(visitor, tongue_of(request))}:
            raise HTTPException(404)
        if not NAME.fullmatch(name) or not right:
            error = say("A name of 2 to 40 letters a-z, figures and hyphens, and at least one thing it is for.")
            return tokens.show(request, visitor, error=error)
        where = place.replace(WHOLE, "")
        made, secret = make_token(accounts, clock.now(), name, right, where, days, visitor.account.person)
        tokens.note(visitor, "token.made", made)
        return tokens.show(request, visitor, secret=secret)

    @router.post("/revoke")
    def take_back(visitor: Acting, token: Annotated[str, Form(max_length=20)] = "") -> Response:
        if token not in {one.id for one in tokens.of(visitor)}:
            raise HTTPException(404)
        gone = revoke(accounts, token, clock.now())
        if gone is not None:
            tokens.note(visitor, "token.revoked", gone)
        return RedirectResponse("/tokens?said=revoked", status_code=303)

    return router
