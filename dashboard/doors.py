"""The doors: who is let in to a page, and the pages on which people come in and go out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from dashboard import push, scope
from dashboard.addresses import Addresses
from dashboard.auth import (
    PASSWORD_LENGTHS,
    SESSION_LIFE,
    UNUSABLE,
    Gatekeeper,
    Invitation,
    TooManyGuesses,
    Visitor,
    comes_from_here,
    end_invitations,
    hash_token,
    login_of,
    new_token,
)
from dashboard.forms import Text, Word
from dashboard.house import House
from dashboard.printer import Printer, tongue_of
from gateway.domain import Act, Duty, Event, Person
from gateway.ports import Account

SESSION = "session"
KNOWN = "known"
"""Marks a browser that has signed in to an account before."""
FORM = "form"
"""Ties the sign-in form to the browser that asked for it, so that no other site can sign anybody in."""
KNOWN_LIFE_S = 180 * 86_400
LOOK_AGAIN = timedelta(seconds=30)


class SignInFirst(Exception):
    """Nobody is signed in here, or not any more."""


@dataclass(slots=True)
class Doors:
    """Asked by every route before anything else."""

    house: House
    keeper: Gatekeeper

    def cookie(self, name: str) -> str:
        # The prefix makes browsers refuse the cookie from anywhere but this host over TLS.
        return f"__Host-{name}" if self.house.secure_cookies else name

    def visitor(self, request: Request) -> Visitor | None:
        return self.keeper.recognise(request.cookies.get(self.cookie(SESSION)), request.cookies.get(self.cookie(KNOWN)))

    def signed_in(self, *duties: Duty) -> Callable[[Request], Visitor]:
        """Lets in who is signed in and has one of these duties."""

        def check(request: Request) -> Visitor:
            visitor = self.visitor(request)
            if visitor is None:
                raise SignInFirst
            if visitor.account.duty not in duties:
                raise HTTPException(403)
            return visitor

        return check

    def acting(self, *duties: Duty) -> Callable[..., Visitor]:
        """The same for a form: it must come from one of our pages and carry this session's own token."""
        signed_in = self.signed_in(*duties)

        def check(request: Request, csrf: Annotated[str, Form()] = "") -> Visitor:
            self.from_here(request)
            visitor = signed_in(request)
            if not same(csrf, visitor.csrf):
                raise HTTPException(403)
            return visitor

        return check

    def while_signed_in(self, visitor: Visitor, wanted: Callable[[Event], bool]) -> Callable[[Event], bool]:
        """A stream outlives the request that began it: it tells nothing more half a minute after the session ended."""
        looked, is_in = self.house.clock.now(), True

        def still_wanted(event: Event) -> bool:
            nonlocal looked, is_in
            now = self.house.clock.now()
            if is_in and now - looked >= LOOK_AGAIN:
                looked, is_in = now, self.keeper.is_open(visitor)
            return is_in and wanted(event)

        return still_wanted

    def from_here(self, request: Request) -> None:
        headers = request.headers
        if not comes_from_here(
            headers.get("origin"), headers.get("sec-fetch-site"), headers.get("host", ""), self.house.base_url
        ):
            raise HTTPException(403)

    # ------------------------------------------------------------------ coming in

    def let_in(self, request: Request, account: Account, to: str, how: str) -> Response:
        """Open a new session (an old one in this browser ends) and go on."""
        self.keeper.end(request.cookies.get(self.cookie(SESSION)))
        token = self.keeper.open(account, browser_of(request.headers.get("user-agent", "")))
        self.note(account.login, f"sign-in.{how}")
        answer = RedirectResponse(to, status_code=303)
        self.set(answer, SESSION, token, int(SESSION_LIFE.total_seconds()))
        self.set(answer, KNOWN, self.keeper.mark(account.login), KNOWN_LIFE_S)
        return answer

    def set(self, answer: Response, name: str, value: str, max_age: int) -> None:
        answer.set_cookie(
            self.cookie(name),
            value,
            max_age=max_age,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self.house.secure_cookies,
        )

    def new_password(self, account: Account, password: str, how: str) -> None:
        """From now on only this one opens: every session of the account ends, and every link made for it."""
        standing = self.house.accounts.account(account.login) or account
        self.house.accounts.put(replace(standing, password_hash=self.keeper.passwords.hash(password)))
        self.house.accounts.end_sessions(account.login)
        end_invitations(self.house.accounts, account.login, self.house.clock.now())
        self.note(account.login, f"account.{how}")

    def note(self, who: str, what: str, ref: str = "", why: str = "") -> None:
        with self.house.registry.begin() as ledger:
            ledger.audit(Act(at=self.house.clock.now(), who=who, what=what, ref=ref or who, why=why))


def let_out(doors: Doors) -> Response:
    """Back to the door, without the session's cookie."""
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(
        doors.cookie(SESSION), path="/", secure=doors.house.secure_cookies, httponly=True, samesite="lax"
    )
    return answer


def same(one: str, other: str) -> bool:
    """Equal, compared in a time that does not tell how far."""
    return hash_token(one) == hash_token(other)


def password_error(say: Callable[..., str], password: str, again: str) -> str:
    """What is wrong with a newly chosen password; empty when nothing is."""
    if len(password) not in PASSWORD_LENGTHS:
        return say("The password needs {least} to {most} characters.", least=10, most=PASSWORD_LENGTHS.stop - 1)
    return "" if password == again else say("The two passwords differ.")


BROWSERS = (
    ("wxwork/", "WeCom"),
    ("micromessenger/", "WeChat"),
    ("edg", "Edge"),
    ("firefox/", "Firefox"),
    ("chrom", "Chrome"),
    ("safari/", "Safari"),
)
SYSTEMS = (
    ("harmony", "HarmonyOS"),
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os", "Mac"),
    ("linux", "Linux"),
)


def browser_of(user_agent: str) -> str:
    """What its owner knows a browser by: "WeChat, Android"; of all that it says of itself no more is kept."""
    said = user_agent.lower()
    parts = (next((name for mark, name in known if mark in said), "") for known in (BROWSERS, SYSTEMS))
    return ", ".join(part for part in parts if part)


def page_before(request: Request) -> str:
    """Where somebody was, or wanted to be, who has to sign in first: a page, never a piece of one and never an act."""
    stands_on = request.headers.get("hx-current-url")
    if stands_on or request.method == "GET":
        page = urlsplit(stands_on or str(request.url))
        return f"{page.path}?{page.query}" if page.query else page.path
    # A form belongs to the page at its own address or the nearest above; a page of any path says nothing about that.
    pages = [one for one in request.app.router.routes if not getattr(one, "path", "").endswith(":path}")]
    path = request.url.path
    while path and not any(
        one.matches({**request.scope, "method": "GET", "path": path})[0] is Match.FULL for one in pages
    ):
        path = path.rpartition("/")[0]
    return path or "/"


def source_of(request: Request) -> str:
    return request.client.host if request.client else ""


def routes(house: House, printer: Printer, doors: Doors, local: Callable[[str], str]) -> Addresses:
    """Sign in and out, set up, and the demo's entrance."""
    router = Addresses()
    keeper = doors.keeper
    from_here = [Depends(doors.from_here)]

    # ------------------------------------------------------------------ signing in

    def login_form(request: Request, *, next_: str, status: int = 200, error: str = "", login: str = "") -> Response:
        token = request.cookies.get(doors.cookie(FORM)) or new_token()
        answer = printer.page(
            request,
            "login.html",
            status=status,
            error=error,
            login=login,
            next=local(next_),
            csrf=keeper.csrf(token),
            any_account=house.accounts.count() > 0,
            here="/login",
        )
        doors.set(answer, FORM, token, 86_400)
        return answer

    @router.get("/login")
    def show_login(request: Request, next: str = "/", unsaved: str = "") -> Response:
        say = tongue_of(request).say
        lost = say("You were signed out meanwhile. What you entered was not saved: please sign in and send it again.")
        return login_form(request, next_=next, error=lost if unsaved else "")

    @router.post("/login", dependencies=from_here)
    def log_in(
        request: Request,
        login: Word = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        next: Annotated[str, Form()] = "/",
        csrf: Annotated[str, Form()] = "",
    ) -> Response:
        say = tongue_of(request).say
        token = request.cookies.get(doors.cookie(FORM))
        if token is None or not same(csrf, keeper.csrf(token)):
            return login_form(request, next_=next, status=403, login=login, error=say("Please try once more."))
        known = keeper.known(login, request.cookies.get(doors.cookie(KNOWN)))
        try:
            account = keeper.sign_in(login, password, source_of(request), known)
        except TooManyGuesses:
            error = say("Too many attempts. Wait a quarter of an hour, then try again.")
            return login_form(request, next_=next, status=429, login=login, error=error)
        if account is None:
            error = say("Name or password is not right.")
            return login_form(request, next_=next, status=401, login=login, error=error)
        if keeper.accounts.second_step(account.login) is not None:
            return figures_form(request, account, next_=next)
        return doors.let_in(request, account, first_page(account, next), "password")

    def first_page(account: Account, asked: str) -> str:
        return scope.AFTER_SIGNING_IN.get(account.duty, "/") if local(asked) == "/" else local(asked)

    def figures_form(request: Request, account: Account, *, next_: str, status: int = 200, error: str = "") -> Response:
        token = request.cookies.get(doors.cookie(FORM)) or ""
        return printer.page(
            request,
            "login_figures.html",
            status=status,
            error=error,
            half_way=keeper.half_way(account),
            next=local(next_),
            csrf=keeper.csrf(token),
            here="/login",
        )

    @router.post("/login/figures", dependencies=from_here)
    def take_second_step(
        request: Request,
        half_way: Text = "",
        given: Annotated[str, Form(max_length=40)] = "",
        next: Annotated[str, Form()] = "/",
        csrf: Annotated[str, Form()] = "",
    ) -> Response:
        say = tongue_of(request).say
        token, account = request.cookies.get(doors.cookie(FORM)), keeper.came_half_way(half_way)
        if account is None or token is None or not same(csrf, keeper.csrf(token)):
            return login_form(request, next_=next, status=403, error=say("Please try once more."))
        known = keeper.known(account.login, request.cookies.get(doors.cookie(KNOWN)))
        try:
            if keeper.steps_in(account, given, source_of(request), known):
                return doors.let_in(request, account, first_page(account, next), "figures")
        except TooManyGuesses:
            error = say("Too many attempts. Wait a quarter of an hour, then try again.")
            return figures_form(request, account, next_=next, status=429, error=error)
        # Whoever fails here knew the password: its owner should hear of it.
        doors.note(account.login, "sign-in.figures-refused")
        error = say("These figures are not right, or they have been used.")
        return figures_form(request, account, next_=next, status=401, error=error)

    @router.post("/logout")
    def log_out(request: Request, visitor: Annotated[Visitor, Depends(doors.acting(*Duty))]) -> Response:
        keeper.accounts.end_session(visitor.token_hash)
        push.end_session(house, visitor)
        doors.note(visitor.account.login, "sign-out")
        return let_out(doors)

    # ------------------------------------------------------------------ the first start

    def setup_form(request: Request, *, status: int = 200, error: str = "", name: str = "") -> Response:
        return printer.page(request, "setup.html", status=status, error=error, name=name)

    def used_up(request: Request) -> Response:
        tongue = tongue_of(request)
        return printer.page(
            request,
            "said.html",
            status=410,
            title=tongue.say("This link has been used or has expired"),
            text=tongue.say("Every such link opens once. Start the gateway again for a new one.")
            if house.demo or not house.accounts.count()
            else tongue.say("Every such link opens once. Ask whoever gave it to you for a new one, or sign in."),
            refresh=0,
        )

    @router.get("/setup/{token}")
    def show_setup(request: Request, token: str) -> Response:
        return used_up(request) if house.accounts.count() else setup_form(request)

    @router.post("/setup/{token}", dependencies=from_here)
    def set_up(
        request: Request,
        token: str,
        name: Word = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        again: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        say = tongue_of(request).say
        login = login_of(name)
        # What is wrong with the form is said before the link is used up.
        if not login or not login.isprintable():
            return setup_form(request, status=422, error=say("Please give a name."), name=name)
        if error := password_error(say, password, again):
            return setup_form(request, status=422, error=error, name=name)
        now = house.clock.now()
        # Once there is an account, no set-up link makes another administrator, however many were printed.
        if house.accounts.count() or house.accounts.use_invitation(hash_token(token), now) != "setup":
            return used_up(request)
        person = Person(id=login, name=name.strip(), language=tongue_of(request).language)
        account = Account(
            login=login,
            password_hash=keeper.passwords.hash(password),
            person=person.id,
            duty=Duty.ADMIN,
            created_at=now,
        )
        with house.registry.begin() as ledger:
            ledger.put_person(person, now)
            ledger.audit(Act(at=now, who=login, what="account.first-administrator", ref=login))
        house.accounts.put(account)
        return doors.let_in(request, account, "/", "setup")

    # ------------------------------------------------------------------ joining, and a lost password

    def join_form(request: Request, invitation: Invitation, *, status: int = 200, error: str = "") -> Response:
        return printer.page(request, "join.html", status=status, error=error, login=invitation.login)

    @router.get("/join/{token}")
    def show_join(request: Request, token: str) -> Response:
        invitation = Invitation.of(house.accounts.invitation(hash_token(token), house.clock.now()))
        return used_up(request) if invitation is None else join_form(request, invitation)

    @router.post("/join/{token}", dependencies=from_here)
    def join(
        request: Request,
        token: str,
        password: Annotated[str, Form(max_length=1000)] = "",
        again: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        now = house.clock.now()
        invitation = Invitation.of(house.accounts.invitation(hash_token(token), now))
        if invitation is None:
            return used_up(request)
        # What is wrong with the form is said before the link is used up.
        if error := password_error(tongue_of(request).say, password, again):
            return join_form(request, invitation, status=422, error=error)
        standing = house.accounts.account(invitation.login)
        is_expected = (standing is None) == (invitation.kind == "join")
        if not is_expected or house.accounts.use_invitation(hash_token(token), now) is None:
            return used_up(request)
        account = standing or Account(
            login=invitation.login,
            password_hash=UNUSABLE,
            person=invitation.person,
            duty=invitation.duty,
            place=invitation.place,
            created_at=now,
        )
        if house.registry.person(account.person) is None:
            with house.registry.begin() as ledger:
                ledger.put_person(Person(id=account.person, name=account.login), now)
        doors.new_password(account, password, invitation.kind)
        if keeper.accounts.second_step(account.login) is not None:  # a link is one step, and this account asks for two
            return RedirectResponse("/login", status_code=303)
        return doors.let_in(request, account, "/", invitation.kind)

    # ------------------------------------------------------------------ the demo's entrance

    @router.get("/enter/{token}")
    def show_entrance(request: Request, token: str) -> Response:
        return printer.page(request, "enter.html")

    @router.post("/enter/{token}", dependencies=from_here)
    def enter(request: Request, token: str) -> Response:
        purpose = house.accounts.use_invitation(hash_token(token), house.clock.now()) or ""
        kind, _, login = purpose.partition(":")
        account = house.accounts.account(login) if kind == "enter" else None
        return used_up(request) if account is None else doors.let_in(request, account, "/", "entrance")

    return router
