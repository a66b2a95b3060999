"""By what other programs come in: a token of their own that says what it is for, where, and until when.

Who is signed in reads the same addresses with the session's cookie; to act, a program needs a token. It carries no
cookie, so no other site can act in its name, and everything it does stands in the audit trail as `api:<name>`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fastapi import Request

from dashboard.auth import UNUSABLE, Visitor, hash_token, new_token
from dashboard.doors import Doors, source_of
from dashboard.house import House
from dashboard.problems import CODES, Problem
from dashboard.receipts import Turnstile
from gateway.domain import Duty
from gateway.ports import Account, AccountStore, ApiToken

PREFIX = "sw_"
"""By this those who search for secrets in what others publish know one of ours."""

BY_PROGRAM = "api:"
"""With this begins the name of a program in the audit trail."""

MOST_A_MINUTE = 300
"""Requests of one token; a sweep over a county's homes, a hundred at a time, takes fewer."""

MOST_GUESSES = 60
"""Tokens that open nothing, from one source in a minute; whoever stands beside it with a good one is let in."""

USED_EVERY = timedelta(minutes=5)
"""How exactly it is known when a token was used last."""

LONGEST = 730
"""Days for which a token is made at most."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")


class Right(StrEnum):
    """What a token can be for. None of them holds another."""

    HOMES = "homes:read"  # homes, how they stand, what they cannot see, their devices, their plans
    DAYS = "days:read"  # what was seen in a home on one day
    ALERTS = "alerts:read"
    ACT = "alerts:act"  # accept … resolve, always for a person who is named
    PLANS = "plans:write"  # absences, limits, silences
    PHOTOS = "photos:read"  # pictures that were taken in a home
    CARD = "card:open"  # the hand-over card of an emergency, for somebody who says why
    REGISTRY = "registry:read"  # people, contacts, duties, ways and drills, what could not be read
    IMPORT = "registry:write"  # sheets into the registry
    EXPORT = "registry:export"  # all of the registry as sheets, health included
    FIGURES = "figures:read"
    INSTALL = "install:write"  # households, rooms, hubs, devices, walk tests, consents on paper
    PEOPLE = "people:write"  # contacts, the resident's file, consents taken back; who is called for what, and by what
    HEALTH = "health:read"  # what is kept of a resident's health, where that was agreed to
    PLACES = "places:write"  # areas and grids
    ROTA = "rota:write"  # shifts, swaps, leave, holidays
    DRILLS = "drills:write"  # drills, and tests of emergency buttons
    ACCOUNTS = "accounts:write"  # who may sign in; never as an administrator
    PRIVACY = "privacy:write"  # who looked, copies, erasures, how long somebody's records are kept, opened cards
    AUDIT = "audit:read"
    MACHINE = "machine:write"  # the gateway itself: its health, its copies, whether its trail is whole
    TOKENS = "tokens:write"  # other tokens, none of which can do more


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: somebody who is signed in, or a program by its token."""

    visitor: Visitor
    token: ApiToken | None = None

    @property
    def name(self) -> str:
        return self.visitor.account.person


def make_token(
    accounts: AccountStore,
    now: datetime,
    name: str,
    rights: Iterable[Right],
    place: str,
    days: int,
    who: str,
    *,
    drawn: str = "",
) -> tuple[ApiToken, str]:
    """A new token, and what its program has to hold: that is kept nowhere. ValueError says what would be right.

    `drawn` is what nobody can guess, where the same has to come out again.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a program; 2 to 40 of a-z, 0-9 and - are, as in city-platform.")
    if not 1 <= days <= LONGEST:
        raise ValueError(f"A token opens for 1 to {LONGEST} days, not for {days}.")
    wanted = [right for right in Right if right in set(rights)]
    if not wanted:
        raise ValueError(f"A token is for something; there are {[right.value for right in Right]}.")
    secret = PREFIX + (drawn or new_token())
    token = ApiToken(
        id=hash_token(secret)[:10],
        name=name,
        token_hash=hash_token(secret),
        rights=tuple(right.value for right in wanted),
        place=place,
        created_by=who,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    accounts.put_token(token)
    return token, secret


def revoke(accounts: AccountStore, token_id: str, now: datetime) -> ApiToken | None:
    """From now on it opens nothing, nor does any that it has made; the token as it is now, None where there is none."""
    tokens = accounts.tokens()
    token = next((one for one in tokens if one.id == token_id), None)
    if token is None:
        return None
    if token.revoked_at is None:
        token = replace(token, revoked_at=now)
        accounts.put_token(token)
    for made in tokens:
        if made.created_by == BY_PROGRAM + token.name and made.id != token.id and made.revoked_at is None:
            revoke(accounts, made.id, now)
    return token


@dataclass(slots=True)
class Keys:
    """Asked by every route of the interface before anything else."""

    house: House
    doors: Doors
    turnstile: Turnstile = field(default_factory=lambda: Turnstile(MOST_A_MINUTE))
    guesses: Turnstile = field(default_factory=lambda: Turnstile(MOST_GUESSES))

    def may(self, right: Right | None, *duties: Duty) -> Callable[[Request], Caller]:
        """Lets in a token that is for this (None: any), and for reading whoever has one of these duties."""
        signed_in = self.doors.signed_in(*duties)

        def check(request: Request) -> Caller:
            if "\0" in request.url.path or "%00" in request.url.path:  # no id of ours holds it, nor does PostgreSQL
                raise Problem(404, *CODES[404])
            given = bearer_of(request.headers.get("authorization", ""))
            if given is not None:
                return self._by_token(given, right, source_of(request))
            visitor = signed_in(request)
            if request.method != "GET":
                raise Problem(
                    403, "token-needed", "To act by this interface send a token; a page's session only reads."
                )
            return Caller(visitor)

        return check

    def _by_token(self, given: str, right: Right | None, source: str) -> Caller:
        house, now = self.house, self.house.clock.now()
        token = house.accounts.token(hash_token(given))
        if token is None or not _opens(token, now):
            if self.guesses.is_full(source, now):
                raise Problem(429, *CODES[429], headers={"Retry-After": "60"})
            raise Problem(401, "token-unknown", "This token was never made here, was revoked, or has run out.")
        if self.turnstile.is_full(token.id, now):
            raise Problem(429, *CODES[429], headers={"Retry-After": "60"})
        if right is not None and right not in token.rights:
            raise Problem(403, "right-missing", f"This token is not for {right.value!r}; make one that is.")
        if not _is_noted(token, now):
            house.accounts.see_token(token.id, now)
        return _caller(token)

    def known(self, given: str | None, right: Right) -> Caller | None:
        """Who asks with this token, where there is nothing to refuse or to write down; it is not counted yet."""
        token = self.house.accounts.token(hash_token(given)) if given else None
        now = self.house.clock.now()
        if token is None or not _opens(token, now) or right not in token.rights or not _is_noted(token, now):
            return None
        return _caller(token)

    def counts(self, caller: Caller) -> bool:
        """Count a request; False: it is one too many."""
        return caller.token is None or not self.turnstile.is_full(caller.token.id, self.house.clock.now())


def _opens(token: ApiToken, now: datetime) -> bool:
    return token.revoked_at is None and now < token.expires_at


def _is_noted(token: ApiToken, now: datetime) -> bool:
    """Whether it is known already that the token is in use."""
    return token.last_used_at is not None and now - token.last_used_at < USED_EVERY


def _caller(token: ApiToken) -> Caller:
    name = BY_PROGRAM + token.name
    account = Account(
        login=name,
        password_hash=UNUSABLE,
        person=name,
        duty=Duty.ADMIN,  # within its place; what it may do there its rights say
        place=token.place,
        created_at=token.created_at,
    )
    return Caller(Visitor(account=account, token_hash="", csrf=""), token)


def bearer_of(header: str) -> str | None:
    """What a program sends as its token, in the header `Authorization`."""
    scheme, _, given = header.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None
