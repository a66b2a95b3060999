"""One's own account: where one is signed in, another password, and figures from a telephone as a second step."""

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from dashboard import figures, scope
from dashboard.addresses import Addresses
from dashboard.auth import Gatekeeper, TooManyGuesses, Visitor, new_token
from dashboard.doors import Doors, let_out, password_error, source_of
from dashboard.house import House
from dashboard.printer import Printer, qr_code, tongue_of
from dashboard.words import N_

SAID = {
    "password": N_("Your password is changed. Every other browser has to sign in anew."),
    "figures-off": N_("The second step is off."),
}
GATEWAY = "守望 Shouwang"
"""Under which name the telephone's app keeps the figures."""


class OwnAccount:
    """What the page of one's own account needs."""

    def __init__(self, house: House, printer: Printer, keeper: Gatekeeper) -> None:
        self.house = house
        self.printer = printer
        self.keeper = keeper

    def show(self, request: Request, visitor: Visitor, said: str = "", error: str = "", status: int = 200) -> Response:
        accounts, registry, now = self.house.accounts, self.house.registry, self.house.clock.now()
        tongue, own = tongue_of(request), visitor.account
        person = registry.person(own.person)
        return self.printer.page(
            request,
            "account.html",
            status=status,
            now=now,
            visitor=visitor,
            here="/account",
            name=person.name if person else own.login,
            role=wording.duty_name(own.duty, tongue.language),
            place=registry.place_name(own.place) if own.place else "",
            by_place=own.duty in scope.BY_PLACE,
            sessions=accounts.sessions(own.login, now),
            step=accounts.second_step(own.login),
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    def wrong_password(self, request: Request, visitor: Visitor, password: str) -> str:
        """Why this is not the person who signed in; empty when the password is right. Counted like a sign-in."""
        say = tongue_of(request).say
        try:
            is_right = self.keeper.sign_in(visitor.account.login, password, source_of(request), visitor.mark)
        except TooManyGuesses:
            return say("Too many attempts. Wait a quarter of an hour, then try again.")
        return "" if is_right else say("That is not your password.")

    def show_telephone(
        self, request: Request, visitor: Visitor, salt: str, *, status: int = 200, error: str = ""
    ) -> Response:
        """The secret, for the telephone to take over: in this answer and nowhere else."""
        secret = self.keeper.telephone(visitor.account.login, salt)
        return self.printer.page(
            request,
            "account_telephone.html",
            visitor=visitor,
            here="/account",
            status=status,
            salt=salt,
            secret=figures.in_words(secret),
            qr=qr_code(figures.address(secret, visitor.account.login, GATEWAY)),
            error=error,
        )


def routes(own: OwnAccount, doors: Doors) -> Addresses:
    """For everybody who is signed in, and only about themselves."""
    router = Addresses(prefix="/account")
    house, keeper = own.house, own.keeper
    In = Annotated[Visitor, Depends(doors.signed_in(*scope.ROLES))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*scope.ROLES))]  # noqa: N806
    Password = Annotated[str, Form(max_length=1000)]  # noqa: N806

    @router.get("")
    def show(request: Request, visitor: In, said: str = "") -> Response:
        return own.show(request, visitor, said)

    @router.post("/password")
    def change_password(
        request: Request, visitor: Acting, current: Password = "", password: Password = "", again: Password = ""
    ) -> Response:
        error = password_error(tongue_of(request).say, password, again)
        error = error or own.wrong_password(request, visitor, current)
        if error:
            return own.show(request, visitor, error=error, status=422)
        doors.new_password(visitor.account, password, "password")
        return doors.let_in(request, visitor.account, "/account?said=password", "new-password")

    @router.post("/sign-out-everywhere")
    def sign_out_everywhere(visitor: Acting) -> Response:
        house.accounts.end_sessions(visitor.account.login)
        doors.note(visitor.account.login, "sign-out.everywhere")
        return let_out(doors)

    @router.post("/figures")
    def show_telephone(request: Request, visitor: Acting, password: Password = "") -> Response:
        if house.accounts.second_step(visitor.account.login) is not None:
            raise HTTPException(404)  # whoever has one takes it off first
        if error := own.wrong_password(request, visitor, password):
            return own.show(request, visitor, error=error, status=422)
        return own.show_telephone(request, visitor, new_token()[:16])

    @router.post("/figures/begin")
    def begin(
        request: Request,
        visitor: Acting,
        salt: Annotated[str, Form(min_length=8, max_length=64)],
        given: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        if house.accounts.second_step(visitor.account.login) is not None:
            raise HTTPException(404)
        codes = keeper.begin_second_step(visitor.account.login, salt, given)
        if codes is None:
            error = tongue_of(request).say("That is not what the telephone should show. Is its clock right?")
            return own.show_telephone(request, visitor, salt, status=422, error=error)
        doors.note(visitor.account.login, "account.figures-on")
        return own.printer.page(request, "account_codes.html", visitor=visitor, here="/account", codes=codes)

    @router.post("/figures/end")
    def end(request: Request, visitor: Acting, password: Password = "") -> Response:
        if error := own.wrong_password(request, visitor, password):
            return own.show(request, visitor, error=error, status=422)
        house.accounts.drop_second_step(visitor.account.login)
        doors.note(visitor.account.login, "account.figures-off")
        return RedirectResponse("/account?said=figures-off", status_code=303)

    return router
