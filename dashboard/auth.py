"""Who may come in: passwords, sessions, one-time entrances, and a brake on guessing.

Tokens are random and only their hashes are stored. There is no default password anywhere.
"""

import hashlib
import hmac
import secrets
import threading
import unicodedata
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, unquote, urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadData, URLSafeSerializer

from dashboard import figures
from gateway.domain import Duty, Person
from gateway.ports import Account, AccountStore, Clock, SecondStep, Session

SESSION_LIFE = timedelta(days=30)
"""A grid worker paged at 03:00 must not meet a password first; signing out ends it at once."""
IDLE_LIFE = timedelta(days=14)
"""A telephone that lies in a drawer for longer has to sign in again."""
ADMIN_LIFE, ADMIN_IDLE = timedelta(days=7), timedelta(hours=12)
"""Whoever may change everything is not paged, and can be asked for the password each morning."""
MOST_SESSIONS = 10
"""Browsers signed in to one account; at one more the one that was used longest ago is out."""
SEEN_EVERY = timedelta(minutes=5)
"""How exactly is noted when a session was used: a page that follows every event must not write at each."""
SETUP_LIFE = timedelta(hours=24)
JOIN_LIFE = timedelta(days=3)
"""An installer reads the link today and opens it on the way to the first home."""
ENTRANCE_LIFE = timedelta(hours=12)
HALF_WAY_LIFE = timedelta(minutes=5)
"""Between the password and the figures from the telephone."""
PASSWORD_LENGTHS = range(10, 201)
"""Ten is the least we take; the most keeps a guesser from making us hash megabytes."""
UNUSABLE = "!"
"""Stands where a password hash would; no password fits it."""


def hash_token(token: str) -> str:
    """How a random token is stored; it has 256 random bits, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    return secrets.token_urlsafe(32)


def login_of(name: str) -> str:
    """One spelling of a login name: full-width letters, case and outer spaces do not matter."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


# --------------------------------------------------------------------------- passwords


class Passwords:
    """argon2id as OWASP profiles it (19 MiB, two passes, one lane), a few at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        # Each hash costs 19 MiB and tens of milliseconds: a flood of guesses waits in line and cannot fill the memory.
        self._turns = threading.BoundedSemaphore(2)
        self._decoy = self._hasher.hash(new_token())

    def hash(self, password: str) -> str:
        with self._turns:
            return self._hasher.hash(password)

    def fits(self, password: str, account: Account | None) -> bool:
        """Takes equally long whether the account exists or not."""
        usable = account is not None and account.password_hash != UNUSABLE
        stored = account.password_hash if account is not None and usable else self._decoy
        with self._turns:
            try:
                return self._hasher.verify(stored, password) and usable
            except (VerificationError, InvalidHashError):
                return False


# --------------------------------------------------------------------------- the brake


@dataclass(slots=True)
class Brake:
    """Slows guessing down, and never shuts the owner of an account out.

    A guesser is an account name together with where the guess comes from. A browser that has signed in to this
    account before is a place of its own: what strangers do to the account does not count against it.
    """

    per_guesser: int = 10
    window: timedelta = timedelta(minutes=15)
    per_account: int = 100
    account_window: timedelta = timedelta(hours=1)
    per_source: int = 200
    remembered: int = 20_000  # keys; beyond it the least recent is forgotten
    _guesses: OrderedDict[tuple[str, ...], deque[datetime]] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def guess(self, login: str, source: str, known: str, now: datetime) -> bool:
        """Count one guess; False when it may not be tried. A success is taken back with `forgive`."""
        limits = self._limits(login, source, known)
        with self._lock:
            if any(len(self._recent(key, now - window)) >= most for key, most, window in limits):
                return False
            for key, _, _ in limits:
                self._guesses[key].append(now)
            return True

    def forgive(self, login: str, source: str, known: str) -> None:
        """The password was right: this guesser begins anew. The account's own count stays."""
        with self._lock:
            self._guesses.pop(self._limits(login, source, known)[0][0], None)

    def _limits(self, login: str, source: str, known: str) -> list[tuple[tuple[str, ...], int, timedelta]]:
        if known:
            return [(("known", login, known), self.per_guesser, self.window)]
        return [
            (("guesser", login, source), self.per_guesser, self.window),
            (("account", login), self.per_account, self.account_window),
            (("source", source), self.per_source, self.window),
        ]

    def _recent(self, key: tuple[str, ...], since: datetime) -> deque[datetime]:
        times = self._guesses.setdefault(key, deque(maxlen=max(self.per_guesser, self.per_account, self.per_source)))
        self._guesses.move_to_end(key)
        while times and times[0] <= since:
            times.popleft()
        while len(self._guesses) > self.remembered:
            self._guesses.popitem(last=False)
        return times


# --------------------------------------------------------------------------- sessions


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, for the length of one request."""

    account: Account
    token_hash: str
    csrf: str
    mark: str = ""  # of a browser that has signed in to this account before


@dataclass(slots=True)
class Gatekeeper:
    """Opens, recognises and ends sessions."""

    accounts: AccountStore
    clock: Clock
    secret: bytes
    passwords: Passwords = field(default_factory=Passwords)
    brake: Brake = field(default_factory=Brake)
    # Six figures are guessed sooner than a password: 20 an hour would take years for an even chance.
    second_brake: Brake = field(default_factory=lambda: Brake(per_guesser=5, per_account=20))

    def sign_in(self, login: str, password: str, source: str, known: str) -> Account | None:
        """The account when the password fits and may be tried; the two refusals look alike from outside."""
        name = login_of(login)
        if not self.brake.guess(name, source, known, self.clock.now()):
            raise TooManyGuesses(name)
        account = self.accounts.account(name)
        if not self.passwords.fits(password[: PASSWORD_LENGTHS.stop], account):
            return None
        self.brake.forgive(name, source, known)
        return account if account is not None and account.disabled_at is None else None

    def open(self, account: Account, browser: str = "") -> str:
        """A new session; gives the token for the cookie, which is kept nowhere."""
        token, now = new_token(), self.clock.now()
        for old in self.accounts.sessions(account.login, now)[MOST_SESSIONS - 1 :]:
            self.accounts.end_session(old.token_hash)
        session = Session(
            token_hash=hash_token(token),
            login=account.login,
            created_at=now,
            expires_at=now + (ADMIN_LIFE if account.duty is Duty.ADMIN else SESSION_LIFE),
            seen_at=now,
            browser=browser,
        )
        self.accounts.open_session(session)
        return token

    def recognise(self, token: str | None, mark: str | None = None) -> Visitor | None:
        if not token:
            return None
        now, token_hash = self.clock.now(), hash_token(token)
        session = self.accounts.session(token_hash, now)
        account = self.accounts.account(session.login) if session else None
        if session is None or account is None or account.disabled_at is not None:
            return None
        unused = now - session.seen_at
        if unused >= (ADMIN_IDLE if account.duty is Duty.ADMIN else IDLE_LIFE):
            return None
        if unused >= SEEN_EVERY:
            self.accounts.see_session(token_hash, now)
        return Visitor(
            account=account, token_hash=token_hash, csrf=self.csrf(token), mark=self.known(account.login, mark)
        )

    def is_open(self, visitor: Visitor) -> bool:
        """Whether the session of this visitor, and the account with what it saw, still stand."""
        session = self.accounts.session(visitor.token_hash, self.clock.now())
        return session is not None and self.accounts.account(session.login) == visitor.account

    def end(self, token: str | None) -> None:
        if token:
            self.accounts.end_session(hash_token(token))

    def csrf(self, token: str) -> str:
        """What every form of this session carries: another site can make a browser post, but cannot know this."""
        return hmac.new(self.secret, b"csrf:" + token.encode(), hashlib.sha256).hexdigest()

    # ------------------------------------------------------------------ the second step

    def half_way(self, account: Account) -> str:
        """What says for five minutes that the password was right; a new password makes it void."""
        until = self.clock.now() + HALF_WAY_LIFE
        return str(self._half_ways().dumps([account.login, int(until.timestamp()), hash_token(account.password_hash)]))

    def came_half_way(self, pass_: str) -> Account | None:
        try:
            login, until, password = self._half_ways().loads(pass_)
        except (BadData, ValueError, TypeError):
            return None
        account = self.accounts.account(login)
        if account is None or account.disabled_at is not None or self.clock.now().timestamp() >= until:
            return None
        return account if hash_token(account.password_hash) == password else None

    def steps_in(self, account: Account, given: str, source: str, known: str) -> bool:
        """Whether the figures from the telephone, or a code for when it is lost, let this account in."""
        if not self.second_brake.guess(account.login, source, known, self.clock.now()):
            raise TooManyGuesses(account.login)
        if not self._fits(account.login, given):
            return False
        self.second_brake.forgive(account.login, source, known)
        return True

    def _fits(self, login: str, given: str) -> bool:
        step = self.accounts.second_step(login)
        if step is None:
            return False
        interval = figures.interval_that_says(given, self.telephone(login, step.salt), self.clock.now())
        if interval is not None:
            return self.accounts.use_interval(login, interval)
        return self.accounts.use_code(login, hash_token(figures.plain(given)))

    def telephone(self, login: str, salt: str) -> bytes:
        """The secret that the telephone holds. It is made anew each time, so a stolen book holds none."""
        return hmac.new(self.secret, f"figures:{login}:{salt}".encode(), hashlib.sha256).digest()[:20]

    def begin_second_step(self, login: str, salt: str, given: str) -> list[str] | None:
        """From now on this account asks for figures; gives the codes for a lost telephone, which are kept nowhere.

        None when `given` is not what the telephone shows: it has not taken the secret over, or its clock is wrong.
        """
        now = self.clock.now()
        interval = figures.interval_that_says(given, self.telephone(login, salt), now)
        if interval is None:
            return None
        codes = figures.new_codes()
        hashes = frozenset(hash_token(figures.plain(code)) for code in codes)
        self.accounts.put_second_step(SecondStep(login=login, salt=salt, since=now, used=interval, codes=hashes))
        return codes

    def _half_ways(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt="shouwang.half-way")

    # A browser that has signed in keeps a signed mark, so that a flood of guesses from elsewhere cannot lock it out.

    def mark(self, login: str) -> str:
        return str(self._marks().dumps([login, secrets.token_urlsafe(9)]))

    def known(self, login: str, mark: str | None) -> str:
        """The mark's own name when it was given to this login, else ""."""
        try:
            owner, name = self._marks().loads(mark or "")
        except (BadData, ValueError, TypeError):
            return ""
        return str(name) if owner == login_of(login) else ""

    def _marks(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt="shouwang.known-browser")


class TooManyGuesses(Exception):
    """This guesser, account or source has used up its guesses for now."""


# --------------------------------------------------------------------------- one-time entrances


def make_setup_link(accounts: AccountStore, clock: Clock, base_url: str) -> str:
    """The first start's way in: whoever opens this once becomes the administrator."""
    token = new_token()
    accounts.put_invitation(hash_token(token), "setup", clock.now() + SETUP_LIFE)
    return f"{base_url.rstrip('/')}/setup/{token}"


def make_join_link(
    accounts: AccountStore,
    clock: Clock,
    base_url: str,
    login: str,
    duty: Duty,
    place: str = "",
    *,
    person: str = "",
    fresh: bool = True,
) -> str:
    """Whoever opens this once chooses the password of this account; `fresh` makes it, else it has to be there.

    Raises ValueError when a fresh account is there already, or the one to be reset is not.
    """
    name = login_of(login)
    standing = accounts.account(name)
    if fresh and standing is not None:
        raise ValueError(f"There is an account {name!r} already; `shouwang link --reset {name}` sets a new password.")
    if not fresh and standing is None:
        raise ValueError(f"There is no account {name!r}; `shouwang people invite` makes one.")
    invitation = Invitation("join" if fresh else "reset", name, duty, place, person or name)
    token = new_token()
    accounts.put_invitation(hash_token(token), invitation.purpose, clock.now() + JOIN_LIFE)
    return f"{base_url.rstrip('/')}/join/{token}"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a one-time link to choose a password is for: to join with a duty, or to reset a lost password."""

    kind: str
    login: str
    duty: Duty
    place: str = ""
    person: str = ""

    @property
    def purpose(self) -> str:
        return ":".join(
            (self.kind, self.duty.value, *(quote(word, safe="") for word in (self.place, self.person)), self.login)
        )

    @classmethod
    def of(cls, purpose: str | None) -> "Invitation | None":
        kind, *rest = (purpose or "").split(":", 4)
        if kind not in ("join", "reset") or len(rest) < 4:
            return None
        duty, place, person, login = rest
        return cls(kind, login, Duty(duty), unquote(place), unquote(person))


def end_invitations(accounts: AccountStore, login: str, now: datetime) -> None:
    """No link that was made for this name opens any more."""
    for purpose, _ in accounts.invitations(now):
        invitation = Invitation.of(purpose)
        if invitation is not None and invitation.login == login:
            accounts.end_invitations(purpose)


def make_entrance_link(
    accounts: AccountStore,
    clock: Clock,
    base_url: str,
    person: Person,
    duty: Duty = Duty.SUPERVISOR,
    place: str = "",
) -> str:
    """The demo's way in: signs `person` in once, without a password, by a tap on a button."""
    now = clock.now()
    login = login_of(person.id)
    account = Account(login=login, password_hash=UNUSABLE, person=person.id, duty=duty, place=place, created_at=now)
    standing = accounts.account(login)
    if standing is not None and standing.password_hash != UNUSABLE:
        raise ValueError(f"{login!r} signs in with a password; an entrance link is for a demo person")
    accounts.put(account)
    token = new_token()
    accounts.put_invitation(hash_token(token), f"enter:{login}", now + ENTRANCE_LIFE)
    return f"{base_url.rstrip('/')}/enter/{token}"


def comes_from_here(origin: str | None, fetch_site: str | None, host: str, base_url: str) -> bool:
    """Whether a form was posted from one of our own pages, as far as the browser says.

    Browsers name the page's origin with every POST. A client that names nothing (a script, a very old web view) has
    no cookies another site could misuse unseen, and still needs the form's token.
    """
    if origin is None:
        return fetch_site in (None, "same-origin", "none")
    here = urlsplit(base_url)
    there = urlsplit(origin)
    return (there.scheme, there.netloc) == (here.scheme, here.netloc) or (bool(host) and there.netloc == host)
