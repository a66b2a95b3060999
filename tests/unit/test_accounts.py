"""One's own account and those of others: inviting, roles and places, sessions, and the second step."""

import re
from datetime import timedelta

import pytest
from pages_house import BASE, PASSWORD, SECRET, Rig, hidden, sign_in

from dashboard import figures
from dashboard.auth import Gatekeeper
from gateway.domain import Contact, Duty, Person, Relation

NEW = {"password": "another long password", "again": "another long password"}


@pytest.fixture
def rig() -> Rig:
    """The daughter Wei has her mother Wang in h1 (grid g1) and her father-in-law in h3 (grid g2)."""
    rig = Rig()
    now = rig.clock.now()
    with rig.registry.begin() as ledger:
        for person, name in (("wang", "王奶奶"), ("wei", "王薇"), ("qi", "齐明"), ("zhou", "周邻居")):
            ledger.put_person(Person(id=person, name=name), now)
        ledger.put_phones("qi", ["13900001111"], now)
        ledger.put_contacts(
            "h1",
            [
                Contact(home="h1", person="wei", relation=Relation.CHILD),
                Contact(home="h1", person="qi", relation=Relation.CHILD, place=1),
                Contact(home="h1", person="zhou", relation=Relation.NEIGHBOUR, place=2),
            ],
            now,
        )
        ledger.put_contacts("h3", [Contact(home="h3", person="wei", relation=Relation.RELATIVE)], now)
    rig.rename("h1", person="wang")
    return rig


class Desk:
    """Somebody at the page of accounts, with their form token."""

    def __init__(self, rig: Rig, duty: Duty = Duty.ADMIN, place: str = "", login: str = "boss") -> None:
        self.browser = rig.signed_in(login, duty, place)
        self.csrf = hidden(self.browser.get("/account").text, "csrf")

    def post(self, path: str, **given: str):
        return self.browser.post(path, data={"csrf": self.csrf, **given})

    def get(self, path: str):
        return self.browser.get(path)


def link_in(answer) -> str:
    assert answer.status_code == 200, answer.text
    return re.search(rf'value="{BASE}(/join/[^"]+)"', answer.text)[1]


def staff(login: str, duty: Duty, place: str) -> dict[str, str]:
    return {"name": "某某", "login": login, "duty": duty.value, "place": place}


# --------------------------------------------------------------------------- inviting


@pytest.mark.parametrize("duty", [Duty.GRID_WORKER, Duty.DEPUTY, Duty.VOLUNTEER, Duty.INSTALLER, Duty.SUPERVISOR])
def test_a_supervisor_invites_whoever_works_in_their_area(rig, duty):
    path = link_in(Desk(rig, Duty.SUPERVISOR, "1101").post("/accounts/invite", **staff("sun", duty, "g2")))

    browser = rig.browser()
    assert browser.post(path, data=NEW).status_code == 303
    assert (rig.accounts.account("sun").duty, rig.accounts.account("sun").place) == (duty, "g2")
    assert (duty, "g2") in rig.registry.duties("sun", rig.clock.now()), "and they can be called for it"


@pytest.mark.parametrize(
    ("duty", "place"), [(Duty.ADMIN, "g1"), (Duty.SUPERVISOR, "*"), (Duty.GRID_WORKER, "g2"), (Duty.FAMILY, "g1")]
)
def test_nobody_makes_another_one_more_than_they_are(rig, duty, place):
    desk = Desk(rig, Duty.SUPERVISOR, "g1")

    assert desk.post("/accounts/invite", **staff("sun", duty, place)).status_code == 404
    assert rig.accounts.invitations(rig.clock.now()) == []
    assert rig.registry.person("sun") is None


def test_nobody_sees_everything_because_a_place_was_forgotten(rig):
    desk = Desk(rig)

    assert desk.post("/accounts/invite", **staff("sun", Duty.GRID_WORKER, "")).status_code == 422
    assert desk.post("/accounts/invite", **staff("sun", Duty.GRID_WORKER, "g77")).status_code == 404
    link_in(desk.post("/accounts/invite", **staff("sun", Duty.GRID_WORKER, "*")))
    rig.account("li", Duty.GRID_WORKER, "g1")
    assert desk.post("/accounts/one/role", login="li", duty="grid_worker", place="").status_code == 422
    assert desk.post("/accounts/one/role", login="li", duty="grid_worker", place="g77").status_code == 404
    assert rig.accounts.account("li").place == "g1"


def test_residents_and_relatives_are_invited_from_their_household(rig):
    desk = Desk(rig, Duty.SUPERVISOR, "g1")
    page = desk.get("/accounts/homes/h1").text
    assert "齐明" in page and "王奶奶" in page and "周邻居" not in page, "a neighbour is no family"

    path = link_in(desk.post("/accounts/homes/h1/invite", person="qi", duty="family"))
    browser = rig.browser()
    assert browser.post(path, data=NEW).status_code == 303

    account = rig.accounts.account("13900001111")
    assert (account.person, account.duty) == ("qi", Duty.FAMILY), "who signs in with the number they know"
    for person, duty in (("zhou", "family"), ("qi", "elder"), ("nobody", "family"), ("qi", "grid_worker")):
        assert desk.post("/accounts/homes/h1/invite", person=person, duty=duty).status_code == 404
    assert desk.get("/accounts/homes/h3").status_code == desk.get("/accounts/homes/none").status_code == 404


def test_a_newer_link_voids_the_older_and_a_withdrawn_one_opens_nothing(rig):
    desk = Desk(rig)
    first = link_in(desk.post("/accounts/invite", **staff("sun", Duty.DEPUTY, "g1")))
    second = link_in(desk.post("/accounts/invite", **staff("sun", Duty.DEPUTY, "g2")))

    assert rig.browser().post(first, data=NEW).status_code == 410
    assert "sun" in desk.get("/accounts").text
    assert desk.post("/accounts/invitations/withdraw", login="sun").status_code == 303
    assert rig.browser().post(second, data=NEW).status_code == 410
    assert desk.post("/accounts/invitations/withdraw", login="sun").status_code == 404


def test_a_name_that_somebody_else_bears_is_not_taken_over(rig):
    with rig.registry.begin() as ledger:
        ledger.put_person(Person(id="far", name="远方"), rig.clock.now())
    desk = Desk(rig, Duty.SUPERVISOR, "g1")

    answer = desk.post("/accounts/invite", **staff("far", Duty.DEPUTY, "g1"))

    assert answer.status_code == 422 and "远方" not in answer.text
    assert desk.post("/accounts/invite", **staff("boss", Duty.DEPUTY, "g1")).status_code == 422


# --------------------------------------------------------------------------- managing


ACTS = ("reset", "role", "sign-out", "figures-off", "shut", "open")


@pytest.mark.parametrize("act", ACTS)
def test_what_is_not_theirs_to_manage_is_not_there(rig, act):
    desk = Desk(rig, Duty.SUPERVISOR, "g1")
    rig.account("chief", Duty.ADMIN, "g1")
    rig.account("whole", Duty.SUPERVISOR, "")
    rig.account("other", Duty.GRID_WORKER, "g2")
    rig.account("wei", Duty.FAMILY)  # a parent in each grid
    more = {"duty": "deputy", "place": "g1"}

    for login in ("chief", "whole", "other", "wei", "nobody"):
        answer = desk.post(f"/accounts/one/{act}", login=login, **more)
        assert answer.status_code == 404, login
        assert desk.get(f"/accounts/one?login={login}").status_code == 404
    page = desk.get("/accounts").text
    assert not any(f"login={login}" in page for login in ("chief", "whole", "other", "wei"))
    assert rig.accounts.invitations(rig.clock.now()) == []


def test_a_relative_whom_the_resident_shows_nothing_is_still_somebody_to_manage(rig):
    desk = Desk(rig, Duty.SUPERVISOR, "g1")
    rig.account("qi", Duty.FAMILY)

    assert "login=qi" in desk.get("/accounts").text
    assert desk.post("/accounts/one/shut", login="qi").status_code == 303


def test_another_role_or_place_ends_what_was_open(rig):
    desk, worker = Desk(rig), rig.signed_in("li", Duty.GRID_WORKER, "g1")
    assert worker.get("/homes/h1").status_code == 200

    assert desk.post("/accounts/one/role", login="li", duty="grid_worker", place="g2").status_code == 303

    assert worker.get("/homes/h1").headers["location"].startswith("/login")
    sign_in(worker, "li")
    assert [worker.get(f"/homes/{home}").status_code for home in ("h1", "h3")] == [404, 200]


def test_a_shut_account_is_out_at_once_and_looks_like_none(rig):
    desk, worker = Desk(rig), rig.signed_in("li", Duty.GRID_WORKER, "g1")
    reset = link_in(desk.post("/accounts/one/reset", login="li"))

    assert desk.post("/accounts/one/shut", login="li").status_code == 303

    assert worker.get("/").headers["location"].startswith("/login")
    refused = sign_in(rig.browser(), "li")
    assert (refused.status_code, "登录名或密码不对" in refused.text) == (401, True)
    assert rig.browser().post(reset, data=NEW).status_code == 410
    assert desk.post("/accounts/one/open", login="li").status_code == 303
    assert sign_in(rig.browser(), "li").status_code == 303


def test_the_last_administrator_of_all_stays(rig):
    desk = Desk(rig)
    rig.account("chief", Duty.ADMIN, "g1")

    assert desk.post("/accounts/one/shut", login="boss").status_code == 422
    assert desk.post("/accounts/one/role", login="boss", duty="supervisor", place="*").status_code == 422
    assert desk.post("/accounts/one/role", login="boss", duty="admin", place="g1").status_code == 422
    assert desk.post("/accounts/one/shut", login="chief").status_code == 303


def test_each_act_is_written_down_under_the_name_of_whoever_did_it(rig):
    desk = Desk(rig)
    rig.account("li", Duty.GRID_WORKER, "g1")
    for act in ("reset", "sign-out", "shut", "open"):
        desk.post(f"/accounts/one/{act}", login="li")

    acts = [(act.who, act.what) for act in reversed(rig.alerts.acts("li"))]
    assert acts == [("boss", f"account.{what}") for what in ("reset-link", "signed-out", "shut", "open")]


# --------------------------------------------------------------------------- one's own


def test_another_password_ends_every_other_session_and_gives_this_one_a_new_token(rig):
    desk, elsewhere = Desk(rig), rig.browser()
    sign_in(elsewhere, "boss")
    before = desk.browser.cookies["__Host-session"]

    assert desk.post("/account/password", current=PASSWORD, **NEW).headers["location"] == "/account?said=password"

    assert desk.browser.cookies["__Host-session"] != before
    assert desk.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert rig.browser(cookies={"__Host-session": before}).get("/account").status_code == 303
    assert sign_in(rig.browser(), "boss").status_code == 401


def test_without_the_password_of_now_nothing_changes_and_guessing_it_is_slowed_down(rig):
    desk = Desk(rig)

    answers = [desk.post("/account/password", current="wrong", **NEW) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {422}
    assert "次数太多" in answers[-1].text or "15" in answers[-1].text or "一刻钟" in answers[-1].text
    assert sign_in(rig.browser(), "boss").status_code == 303, "the owner gets in from elsewhere"


def test_one_can_sign_out_everywhere(rig):
    desk, elsewhere = Desk(rig), rig.browser(headers={"user-agent": "Mozilla/5.0 (Linux; Android 14) Chrome/120"})
    sign_in(elsewhere, "boss")
    page = desk.get("/account").text
    assert "Chrome, Android" in page

    assert desk.post("/account/sign-out-everywhere").headers["location"] == "/login"

    for browser in (desk.browser, elsewhere):
        assert browser.get("/account").status_code == 303


def test_an_eleventh_browser_puts_the_one_out_that_was_used_longest_ago(rig):
    rig.account("li", Duty.GRID_WORKER, "g1")
    browsers = [rig.browser() for _ in range(11)]
    for browser in browsers:
        sign_in(browser, "li")
        rig.clock.go_on(minutes=6)
        browsers[0].get("/account")

    assert [browser.get("/account").status_code for browser in browsers] == [200, 303] + [200] * 9


@pytest.mark.parametrize(
    ("duty", "idle", "whole"),
    [
        (Duty.GRID_WORKER, timedelta(days=14), timedelta(days=30)),
        (Duty.ADMIN, timedelta(hours=12), timedelta(days=7)),
    ],
)
def test_a_session_ends_unused_and_at_the_latest(rig, duty, idle, whole):
    unused, used = rig.signed_in("li", duty), rig.signed_in("he", duty)
    begun = rig.clock.now()

    while rig.clock.now() - begun < idle:
        assert used.get("/account").status_code == 200
        rig.clock.at += idle / 4
    assert unused.get("/account").status_code == 303

    while rig.clock.now() - begun < whole - idle / 4:
        assert used.get("/account").status_code == 200
        rig.clock.at += idle / 4
    rig.clock.at = begun + whole
    assert used.get("/account").status_code == 303


# --------------------------------------------------------------------------- the second step


class Telephone:
    """What the app on it shows, once the secret is taken over."""

    def __init__(self, rig: Rig, desk: Desk, login: str) -> None:
        self.rig = rig
        page = desk.post("/account/figures", password=PASSWORD).text
        self.secret = Gatekeeper(rig.accounts, rig.clock, SECRET).telephone(login, hidden(page, "salt"))
        assert figures.in_words(self.secret) in page
        self.codes = re.findall(r"<code>([A-Z2-7-]+)</code>", self._begin(desk, hidden(page, "salt")).text)

    def _begin(self, desk: Desk, salt: str):
        assert desk.post("/account/figures/begin", salt=salt, given="000000").status_code == 422
        return desk.post("/account/figures/begin", salt=salt, given=self.shows())

    def shows(self) -> str:
        return figures.figures(self.secret, figures.interval_of(self.rig.clock.now()))


def second_step(browser, given: str, login: str = "boss"):
    page = sign_in(browser, login)
    assert page.status_code == 200 and "__Host-session" not in browser.cookies
    return browser.post(
        "/login/figures",
        data={"given": given, "half_way": hidden(page.text, "half_way"), "csrf": hidden(page.text, "csrf")},
    )


def test_after_the_password_the_figures_are_asked_for_and_open_once(rig):
    telephone = Telephone(rig, Desk(rig), "boss")
    assert len(telephone.codes) == 8
    assert second_step(rig.browser(), telephone.shows()).status_code == 401, "they opened when it was set up"
    rig.clock.go_on(seconds=30)

    shown = telephone.shows()
    assert second_step(rig.browser(), "123456").status_code == 401
    assert second_step(rig.browser(), shown).status_code == 303
    assert second_step(rig.browser(), shown).status_code == 401


def test_a_lost_telephone_costs_a_code_each_time(rig):
    telephone = Telephone(rig, Desk(rig), "boss")

    assert second_step(rig.browser(), telephone.codes[0].lower()).status_code == 303
    assert second_step(rig.browser(), telephone.codes[0]).status_code == 401
    assert second_step(rig.browser(), telephone.codes[1].replace("-", " ")).status_code == 303
    assert len(rig.accounts.second_step("boss").codes) == 6


def test_half_the_way_is_good_for_five_minutes_for_this_password_and_this_form(rig):
    desk = Desk(rig)
    telephone = Telephone(rig, desk, "boss")
    browser = rig.browser()
    page = sign_in(browser, "boss").text
    given = {"half_way": hidden(page, "half_way"), "csrf": hidden(page, "csrf")}

    assert rig.browser().post("/login/figures", data=given | {"given": telephone.codes[0]}).status_code == 403
    assert browser.post("/login/figures", data=given | {"half_way": "x", "given": "1"}).status_code == 403
    desk.post("/account/password", current=PASSWORD, **NEW)
    assert browser.post("/login/figures", data=given | {"given": telephone.codes[0]}).status_code == 403

    page = sign_in(browser, "boss", NEW["password"]).text
    rig.clock.go_on(minutes=6)
    given = {"half_way": hidden(page, "half_way"), "csrf": hidden(page, "csrf"), "given": telephone.shows()}
    assert browser.post("/login/figures", data=given).status_code == 403


def test_guessing_figures_is_slowed_down_and_the_owners_browser_is_not(rig):
    desk = Desk(rig)
    telephone = Telephone(rig, desk, "boss")
    stranger = rig.browser()

    answers = [second_step(stranger, f"{n:06}").status_code for n in range(6)]

    assert answers == [401] * 5 + [429]
    rig.clock.go_on(seconds=30)
    assert second_step(stranger, telephone.shows()).status_code == 429
    desk.post("/logout")
    assert second_step(desk.browser, telephone.shows()).status_code == 303
    assert [act.what for act in rig.alerts.acts("boss")].count("sign-in.figures-refused") == 5


def test_a_reset_link_is_one_step_and_the_telephone_stays_the_other(rig):
    desk = Desk(rig)
    Telephone(rig, desk, "boss")
    path = link_in(desk.post("/accounts/one/reset", login="boss"))

    browser = rig.browser()

    assert browser.post(path, data=NEW).headers["location"] == "/login"
    assert "__Host-session" not in browser.cookies


def test_the_second_step_goes_with_the_password_or_by_whoever_manages(rig):
    desk = Desk(rig)
    Telephone(rig, desk, "boss")
    assert desk.post("/account/figures", password=PASSWORD).status_code == 404, "there is one"
    assert desk.post("/account/figures/end", password="wrong").status_code == 422
    assert rig.accounts.second_step("boss") is not None
    assert desk.post("/account/figures/end", password=PASSWORD).status_code == 303
    assert rig.accounts.second_step("boss") is None

    Telephone(rig, desk, "boss")
    other = Desk(rig, login="chief")
    assert other.post("/accounts/one/figures-off", login="boss").status_code == 303
    assert sign_in(rig.browser(), "boss").status_code == 303


def test_neither_the_secret_nor_a_code_lies_in_the_book(rig):
    telephone = Telephone(rig, Desk(rig), "boss")
    kept = repr(vars(rig.accounts))

    word = figures.in_words(telephone.secret)
    assert not any(secret in kept for secret in (word, figures.plain(word), telephone.secret.hex()))
    assert not any(code in kept or figures.plain(code) in kept for code in telephone.codes)
