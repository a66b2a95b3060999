"""Who may sign in, for other programs: invitations, what somebody sees, a lost password, shutting an account.

A program never makes an administrator and never touches one's account: whoever stole its token would keep the house. A
link is told once, in the answer to the act that made it, and kept nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dashboard.accounts import LEADERS, Accounts, Refused
from dashboard.answers import cut, iso
from dashboard.api_door import PAGE, ApiDoor, Cursor, Doing, Limit, Name, Said, done, missing, refused
from dashboard.auth import login_of
from dashboard.keys import Caller, Right
from dashboard.problems import Field
from gateway.domain import Duty, Home
from gateway.ports import Account

Staff = Literal["volunteer", "grid_worker", "deputy", "installer", "supervisor"]


@dataclass(frozen=True, kw_only=True)
class InvitationBody(Said):
    """Somebody who is to work for us: as what, and for which grid or area; "*" is everywhere."""

    name: Name
    login: Name
    duty: Staff
    place: Name


@dataclass(frozen=True, kw_only=True)
class KinBody(Said):
    """The resident of a home, or somebody of the family, by an id that stands among its contacts."""

    person: Name
    duty: Literal["elder", "family"]


@dataclass(frozen=True, kw_only=True)
class LoginBody(Said):
    login: Name


@dataclass(frozen=True, kw_only=True)
class RoleBody(LoginBody):
    """What somebody is and sees from now on."""

    duty: Staff
    place: Name


@dataclass(frozen=True)
class AccountShape:
    """`invited_until`: they have not come yet, and the link opens until then."""

    login: str
    name: str
    duty: Duty
    place: str
    shut: bool
    invited_until: str | None


@dataclass(frozen=True)
class AccountsShape:
    accounts: list[AccountShape]
    next: str | None


@dataclass(frozen=True)
class LinkShape:
    """`link` stands in the first answer only. Hand it over face to face: whoever opens it chooses the password."""

    login: str
    link: str | None


def routes(door: ApiDoor, them: Accounts) -> None:
    """Hang up the addresses."""
    right = Right.ACCOUNTS

    def of(doing: Doing, login: str) -> Account:
        account = them.account(doing.visitor, login)
        if account.duty is Duty.ADMIN:
            raise missing()
        return account

    def linked(doing: Doing, login: str, link: str) -> Mapping[str, Any]:
        doing.hidden["link"] = link
        return {"login": login, "link": None}

    def place(code: str) -> str:
        """Everywhere is said on purpose, as on the page: an empty word is one that was forgotten."""
        if not code:
            raise refused("Say for which place.", Field("place", 'is a grid, an area, or "*" for everywhere'))
        return code.replace("*", "")

    @door.read("/accounts", right, AccountsShape, *LEADERS)
    def list_accounts(caller: Caller, cursor: Cursor = "", limit: Limit = PAGE) -> Mapping[str, Any]:
        """Who may sign in, and who was invited and has not come yet; without administrators."""
        them.pages.listed(caller.visitor, "api")
        lines = sorted(
            (line for line in them.lines(caller.visitor) if line.duty is not Duty.ADMIN), key=lambda line: line.login
        )
        piece, following = cut(lines, lambda line: line.login, cursor, limit)
        told = [
            {
                "login": line.login,
                "name": line.name,
                "duty": line.duty.value,
                "place": line.place,
                "shut": line.shut,
                "invited_until": iso(line.until),
            }
            for line in piece
        ]
        return {"accounts": told, "next": following}

    @door.act("/accounts/invite", right, "account.invite", LinkShape)
    def invite_staff(doing: Doing, said: InvitationBody) -> Mapping[str, Any]:
        """A link by which somebody chooses a password and signs in; an earlier one for the same name opens no more."""
        try:
            link = them.invite(
                doing.visitor, said.name, said.login, Duty(said.duty), place(said.place), doing.tongue.language
            )
        except Refused as refusal:
            raise refused(doing.tongue.say(str(refusal))) from refusal
        return linked(doing, login_of(said.login), link)

    @door.act("/homes/{home_id}/invite", right, "account.invite", LinkShape)
    def invite_kin(doing: Doing, home: Home, said: KinBody) -> Mapping[str, Any]:
        """A link for the resident or the family; null where they can sign in already."""
        link, login = them.invite_kin(doing.visitor, home, said.person, said.duty)
        return linked(doing, login, link) if link else {"login": login, "link": None}

    @door.act("/accounts/withdraw", right, "account.withdraw")
    def withdraw_invitation(doing: Doing, said: LoginBody) -> Mapping[str, Any]:
        """An invitation opens nothing any more."""
        if any(line.login == said.login and line.duty is Duty.ADMIN for line in them.lines(doing.visitor)):
            raise missing()
        them.withdraw(doing.visitor, said.login)
        return done(said.login)

    @door.act("/accounts/reset", right, "account.reset", LinkShape)
    def reset_password(doing: Doing, said: LoginBody) -> Mapping[str, Any]:
        """A link by which somebody who has lost the password chooses another one."""
        account = of(doing, said.login)
        return linked(doing, account.login, them.reset(doing.visitor, account))

    @door.act("/accounts/role", right, "account.role")
    def change_role(doing: Doing, said: RoleBody) -> Mapping[str, Any]:
        """What somebody is and sees from now on; they have to sign in anew."""
        account = of(doing, said.login)
        them.change_role(doing.visitor, account, Duty(said.duty), place(said.place))
        return done(account.login)

    @door.act("/accounts/sign-out", right, "account.sign-out")
    def sign_out(doing: Doing, said: LoginBody) -> Mapping[str, Any]:
        """End every session of an account."""
        account = of(doing, said.login)
        them.sign_out(doing.visitor, account)
        return done(account.login)

    @door.act("/accounts/figures-off", right, "account.figures-off")
    def drop_second_step(doing: Doing, said: LoginBody) -> Mapping[str, Any]:
        """Take the second step away from somebody whose telephone is lost."""
        account = of(doing, said.login)
        them.drop_second_step(doing.visitor, account)
        return done(account.login)

    @door.act("/accounts/shut", right, "account.shut")
    def shut_account(doing: Doing, said: LoginBody) -> Mapping[str, Any]:
        """Nobody comes in by this account from now on."""
        account = of(doing, said.login)
        them.shut(doing.visitor, account)
        return done(account.login)

    @door.act("/accounts/open", right, "account.open")
    def open_account(doing: Doing, said: LoginBody) -> Mapping[str, Any]:
        """Let somebody in again whose account was shut."""
        account = of(doing, said.login)
        them.open_again(doing.visitor, account)
        return done(account.login)
