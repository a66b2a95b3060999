"""Ten thousand guesses in event time, sessions that are fixed or stolen, and where no secret may lie."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pages_house import BASE, PASSWORD, SECRET, HandClock, hidden, sign_in
from test_matrix import ROUTES, filled, names
from walled_house import Walled

from dashboard import figures
from dashboard.auth import Gatekeeper, Passwords, TooManyGuesses, make_join_link
from dashboard.doors import Doors
from gateway.domain import Duty
from gateway.ports import Account, SecondStep
from gateway.stores.memory import MemoryAccounts

GUESSES = 10_000
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


class Plain(Passwords):
    """Says whether a password fits without the work of a hash, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def fits(self, password: str, account: Account | None) -> bool:
        self.asked += 1
        return account is not None and password == PASSWORD


class Siege:
    """A gate, its owner, and whoever stands before it."""

    def __init__(self) -> None:
        self.clock, self.accounts, self.passwords = HandClock(), MemoryAccounts(), Plain()
        self.keeper = Gatekeeper(self.accounts, self.clock, SECRET, passwords=self.passwords)
        for login in ("ma", *(f"name-{n}" for n in range(500))):
            self.accounts.put(
                Account(
                    login=login,
                    password_hash="x",
                    person=login,
                    duty=Duty.SUPERVISOR,
                    created_at=self.clock.now(),
                )
            )
        self.mark = self.keeper.known("ma", self.keeper.mark("ma"))
        self.tried: list = []

    def guess(self, login: str, source: str, password: str = "wrong", known: str = "") -> bool | None:
        """None when it was not even tried."""
        try:
            return self.keeper.sign_in(login, password, source, known) is not None
        except TooManyGuesses:
            return None

    def attack(self, who: Iterator[tuple[str, str]], gap: timedelta) -> None:
        for login, source in who:
            if self.guess(login, source) is not None:
                self.tried.append(self.clock.now())
            self.clock.at += gap

    def most_within(self, span: timedelta) -> int:
        begins, most = 0, 0
        for ends, at in enumerate(self.tried):
            while self.tried[begins] <= at - span:
                begins += 1
            most = max(most, ends - begins + 1)
        return most


@pytest.mark.parametrize("gap_s", [0.1, 1.0, 7.0])
def test_ten_thousand_guesses_at_one_account_from_one_source(gap_s):
    siege = Siege()

    siege.attack((("ma", "10.0.0.1") for _ in range(GUESSES)), timedelta(seconds=gap_s))

    assert siege.most_within(QUARTER) <= 10
    assert len(siege.tried) == siege.passwords.asked
    assert siege.guess("ma", "10.0.0.2", PASSWORD), "the owner gets in from anywhere else"


def test_ten_thousand_guesses_at_one_account_from_as_many_sources():
    siege = Siege()

    siege.attack((("ma", f"10.{n >> 8}.{n & 255}.1") for n in range(GUESSES)), timedelta(seconds=1))

    assert siege.most_within(HOUR) <= 100
    assert siege.guess("ma", "10.255.0.1", PASSWORD) is None
    assert siege.guess("ma", "10.255.0.1", PASSWORD, siege.mark), "the owner's browser is not kept out meanwhile"
    siege.clock.at += HOUR
    assert siege.guess("ma", "10.255.0.1", PASSWORD), "and nobody for longer than an hour after it"


def test_ten_thousand_guesses_at_as_many_accounts_from_one_source():
    siege = Siege()

    siege.attack(((f"name-{n % 500}", "10.0.0.1") for n in range(GUESSES)), timedelta(seconds=0.5))

    assert siege.most_within(QUARTER) <= 200
    assert siege.guess("name-7", "10.0.0.2", PASSWORD)


def test_a_flood_of_sources_and_names_makes_the_brake_forget_neither_the_account_nor_its_own_size():
    siege = Siege()

    for n in range(3 * GUESSES):
        siege.guess("ma" if n % 3 == 0 else f"invented-{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
        siege.clock.at += timedelta(milliseconds=10)

    assert len(siege.keeper.brake._guesses) <= siege.keeper.brake.remembered + 3
    assert siege.guess("ma", "10.255.0.1") is None


def test_ten_thousand_guesses_at_the_figures():
    siege = Siege()
    account, tried = siege.accounts.account("ma"), []
    siege.accounts.put_second_step(SecondStep(login="ma", salt="salt", since=siege.clock.now()))

    for n in range(GUESSES):
        try:
            if siege.keeper.steps_in(account, f"{n:06}", f"10.0.{n % 200}.1", ""):
                tried.append(siege.clock.now())
                break
            siege.tried.append(siege.clock.now())
        except TooManyGuesses:
            pass
        siege.clock.at += timedelta(seconds=1)

    assert not tried
    assert siege.most_within(HOUR) <= 20
    shown = figures.figures(siege.keeper.telephone("ma", "salt"), figures.interval_of(siege.clock.now()))
    assert siege.keeper.steps_in(account, shown, "10.1.1.1", siege.mark), "the owner's browser is not kept out"


# --------------------------------------------------------------------------- tokens


def opens(rig: Walled, token: str) -> list[str]:
    """Every address that still answers to this token."""
    browser, found, ours = rig.browser(cookies={"__Host-session": token}), [], names(rig, "own")
    for route, entry in ROUTES.items():
        verb, _, address = route.partition(" ")
        csrf = rig.keeper.csrf(token)
        path = filled(address + entry.query, ours, address)
        answer = browser.get(path) if verb == "GET" else browser.post(path, data={"csrf": csrf})
        to = answer.headers.get("location", "")
        if answer.status_code != 401 and not (answer.status_code == 303 and to.startswith("/login")):
            found.append(route)
    return found


ENDINGS = {
    "logout": "/logout",
    "everywhere": "/account/sign-out-everywhere",
    "password": "/account/password",
    "role": "/accounts/one/role",
    "shut": "/accounts/one/shut",
    "signed out by the administrator": "/accounts/one/sign-out",
    "reset": "/accounts/one/reset",
}


@pytest.mark.parametrize("how", ENDINGS)
def test_a_token_opens_nothing_after(how):
    rig = Walled()
    rig.account("he", Duty.SUPERVISOR, "1101")
    mine = rig.browser()
    sign_in(mine, "he")
    token = mine.cookies["__Host-session"]
    csrf = rig.keeper.csrf(token)
    assert opens(rig, token)
    sign_in(mine, "he")
    token, csrf = (t := mine.cookies["__Host-session"]), rig.keeper.csrf(t)
    new = {"password": "another long password", "again": "another long password"}

    if how in ("logout", "everywhere", "password"):
        answer = mine.post(ENDINGS[how], data={"csrf": csrf, "current": PASSWORD, **new})
    else:
        answer = rig.visit("admin").ask("POST", ENDINGS[how], {"login": "he", "duty": "deputy", "place": "g1"})
        if how == "reset":
            path = re.search(rf'value="{BASE}(/join/[^"]+)"', answer.text)[1]
            answer = rig.browser().post(path, data=new)

    assert answer.status_code == 303, answer.text
    assert opens(rig, token) == []


def test_a_session_that_somebody_else_chose_is_never_adopted():
    rig = Walled()
    rig.account("he", Duty.DEPUTY, "g1")
    chosen = "chosen-by-an-attacker-chosen-by-an-attacker"
    victim = rig.browser(cookies={"__Host-session": chosen, "session": chosen})

    sign_in(victim, "he")

    jar = {cookie.value for cookie in victim.cookies.jar if cookie.name == "__Host-session"}
    assert chosen not in jar or len(jar) > 1
    assert opens(rig, chosen) == []


@pytest.mark.parametrize("how", ["sign-out", "shut", "role"])
def test_a_stream_that_was_open_tells_nothing_more(how):
    rig = Walled()
    token = rig.keeper.open(rig.accounts.account("liu"))
    wanted = Doors(rig.house, rig.keeper).while_signed_in(rig.keeper.recognise(token), lambda event: True)
    event = rig.alerts.events(0)[0]
    rig.clock.go_on(seconds=31)
    assert wanted(event)

    rig.visit("admin").ask("POST", f"/accounts/one/{how}", {"login": "liu", "duty": "deputy", "place": "g1"})
    rig.clock.go_on(seconds=31)

    assert not wanted(event)


# --------------------------------------------------------------------------- where secrets must not lie


class Ear:
    """Keeps every answer of a browser with its address and headers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def __call__(self, response) -> None:
        response.read()
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.multi_items())
        self.heard.append((f"{response.request.method} {response.request.url.path}", f"{headers}\n{response.text}"))


def test_no_secret_lies_in_a_log_or_an_answer_that_is_not_meant_to_show_it(caplog):
    """Signing in, failing to, joining, a telephone, a hub, and every error page; then every secret is looked for."""
    caplog.set_level(logging.DEBUG)
    rig, ear = Walled(), Ear()
    secrets: dict[str, tuple[str, str]] = {}  # what it is -> itself, and the one answer that may show it

    def browser(**options):
        made = rig.browser(**options)
        made.event_hooks["response"].append(ear)
        return made

    chief = browser()
    rig.account("chief", Duty.ADMIN)
    sign_in(chief, "chief", "a wrong password of mine")
    sign_in(chief, "chief")
    token = chief.cookies["__Host-session"]
    secrets |= {
        "a wrong password": ("a wrong password of mine", ""),
        "the password": (PASSWORD, ""),
        "the session": (token, "POST /login"),
        "its hash": (rig.keeper.recognise(token).token_hash, ""),
        "the hashed password": (rig.accounts.account("chief").password_hash, ""),
        "our own secret": (SECRET.decode(), ""),
    }
    csrf = rig.keeper.csrf(token)

    page = chief.post("/account/figures", data={"csrf": csrf, "password": PASSWORD}).text
    salt = hidden(page, "salt")
    telephone = rig.keeper.telephone("chief", salt)
    secrets["the telephone"] = figures.in_words(telephone), "POST /account/figures"
    secrets["the telephone in one word"] = figures.plain(figures.in_words(telephone)), ""
    shown = figures.figures(telephone, figures.interval_of(rig.clock.now()))
    page = chief.post("/account/figures/begin", data={"csrf": csrf, "salt": salt, "given": shown}).text
    for n, code in enumerate(re.findall(r"<code>([A-Z2-7-]{19})</code>", page)):
        secrets[f"recovery code {n}"] = code, "POST /account/figures/begin"
    again = browser()
    half = sign_in(again, "chief").text
    secrets["half way"] = hidden(half, "half_way"), "POST /login"

    page = chief.post("/accounts/one/reset", data={"csrf": csrf, "login": "li1"}).text
    link = re.search(rf'value="{BASE}/join/([^"]+)"', page)[1]
    secrets["a link to join"] = link, "POST /accounts/one/reset"
    joining = browser()
    joining.get(f"/join/{link}")
    new = "a password that li chose"
    secrets["a chosen password"] = new, ""
    joining.post(f"/join/{link}", data={"password": "short", "again": "other"})
    joining.post(f"/join/{link}", data={"password": new, "again": new})
    joining.get(f"/join/{link}")

    at = chief.post("/install/h1/hub", data={"csrf": csrf}).headers["location"]
    secret = re.search(r'class="secret">([^<]+)<', chief.get(at).text)[1]
    secrets["the hub's secret"] = secret, f"GET {at}"
    secrets["its hash at the broker"] = next(iter(rig.registry.hub_secrets().values())), ""

    one_tap = rig.links.token(rig.own.id, "liu")
    setup = make_join_link(rig.accounts, rig.clock, BASE, "unborn", Duty.ADMIN).rpartition("/")[2]
    secrets["a link never opened"] = setup, ""
    for route, entry in ROUTES.items():
        verb, _, address = route.partition(" ")
        path = filled(address + entry.query, names(rig, "own"), address)
        chief.get(path) if verb == "GET" else chief.post(path, data={})
    for wrong in ("/nothing", "/homes/%00", "/figures.csv?month=x", "/events?after=-1"):
        chief.get(wrong)
    browser().get(f"/a/{one_tap}")
    browser().get(f"/a/{one_tap}x")

    ours_only = [
        record for record in caplog.records if not record.name.startswith("http")
    ]  # not what the tests' client says
    places = [("log", record.getMessage() + str(record.__dict__)) for record in ours_only] + ear.heard
    found = [
        (what, where)
        for what, (secret, may_show) in secrets.items()
        for where, text in places
        if secret in text and where != may_show and secret not in where  # a link's own page knows its address
    ]
    assert not found, "\n".join(map(str, dict.fromkeys(found)))
    assert len(secrets) >= 20


def test_no_page_of_a_link_hands_its_token_to_another_address():
    """The language is changed by a form there: an address with the token in it might be kept by a proxy."""
    rig = Walled()
    rig.keeper.open(rig.accounts.account("li1"))
    join = make_join_link(rig.accounts, rig.clock, BASE, "new", Duty.DEPUTY, "g1").removeprefix(BASE)
    one_tap = f"/a/{rig.links.token(rig.own.id, 'liu')}"

    for path in (join, one_tap):
        page = rig.browser().get(path)
        assert page.status_code == 200
        token = path.rpartition("/")[2]
        elsewhere = [
            to
            for to in re.findall(r'(?:href|src|action|hx-[\w:-]+)="([^"]*)"', page.text)
            if token in to and not to.startswith(path)
        ]
        assert elsewhere == []
        assert page.headers["referrer-policy"] == "strict-origin"
        changed = rig.browser().post("/language/en", data={"back": path})
        assert (changed.status_code, changed.headers["location"]) == (303, path)
