"""Who gets in: the first start, signing in, guessing, forms from elsewhere, and every door that must be locked."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pages_house import BASE, PASSWORD, SECRET, HandClock, Rig, hidden, sign_in

from dashboard.auth import Brake, Gatekeeper, comes_from_here, login_of, make_entrance_link, make_join_link
from dashboard.house import House
from gateway.domain import Duty, Person

FILLED_IN = {"name": "赵敏", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def rig() -> Rig:
    return Rig()


# --------------------------------------------------------------------------- the first start


def test_the_setup_link_makes_the_first_administrator_and_signs_in(rig):
    browser = rig.browser()
    path = rig.setup_path()

    assert browser.get(path).status_code == 200
    answer = browser.post(path, data=FILLED_IN)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    account = rig.accounts.account("赵敏")
    assert account.duty is Duty.ADMIN and account.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert rig.registry.person("赵敏").name == "赵敏"
    assert browser.get("/").status_code == 200


def test_the_setup_link_works_once(rig):
    path = rig.setup_path()
    rig.browser().post(path, data=FILLED_IN)

    assert rig.browser().post(path, data=FILLED_IN | {"name": "somebody else"}).status_code == 410
    assert rig.browser().get(path).status_code == 410
    assert rig.accounts.count() == 1


def test_a_second_printed_link_makes_no_second_administrator(rig):
    first, second = rig.setup_path(), rig.setup_path()
    rig.browser().post(first, data=FILLED_IN)

    assert rig.browser().post(second, data=FILLED_IN | {"name": "intruder"}).status_code == 410


def test_a_setup_link_expires(rig):
    path = rig.setup_path()
    rig.clock.go_on(hours=25)

    assert rig.browser().post(path, data=FILLED_IN).status_code == 410
    assert rig.accounts.count() == 0


@pytest.mark.parametrize(
    "wrong", [{"password": "short", "again": "short"}, {"again": "something else"}, {"name": "   "}, {"name": "a\nb"}]
)
def test_a_mistake_in_the_form_does_not_use_the_link_up(rig, wrong):
    path = rig.setup_path()

    answer = rig.browser().post(path, data=FILLED_IN | wrong)

    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert PASSWORD not in answer.text
    assert rig.browser().post(path, data=FILLED_IN).status_code == 303


def test_an_invented_setup_link_makes_nobody(rig):
    assert rig.browser().post("/setup/invented", data=FILLED_IN).status_code == 410
    assert rig.accounts.count() == 0


# --------------------------------------------------------------------------- joining, and a lost password


def join_path(rig, login="sun", duty=Duty.INSTALLER, grid="g1", *, fresh=True) -> str:
    return make_join_link(rig.accounts, rig.clock, BASE, login, duty, grid, fresh=fresh).removeprefix(BASE)


CHOSEN = {"password": "another long password", "again": "another long password"}


def test_an_installer_who_was_invited_chooses_a_password_and_is_in(rig):
    path, browser = join_path(rig), rig.browser()

    assert "sun" in browser.get(path).text, "the page says with what name one signs in"
    answer = browser.post(path, data=CHOSEN)

    account = rig.accounts.account("sun")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (account.duty, account.place, account.person) == (Duty.INSTALLER, "g1", "sun")
    assert rig.registry.person("sun") is not None
    assert rig.browser().post(path, data=CHOSEN).status_code == 410, "it opens once"


def test_looking_at_an_invitation_or_a_mistake_does_not_use_it_up(rig):
    path = join_path(rig)
    for _ in range(3):
        assert rig.browser().get(path).status_code == 200

    assert rig.browser().post(path, data={"password": "short", "again": "short"}).status_code == 422
    assert rig.browser().post(path, data=CHOSEN | {"again": "x"}).status_code == 422
    assert rig.browser().post(path, data=CHOSEN).status_code == 303


def test_an_invitation_expires_and_an_invented_one_opens_nothing(rig):
    path = join_path(rig)
    rig.clock.go_on(days=4)

    for dead in (path, "/join/invented"):
        assert rig.browser().get(dead).status_code == 410
        assert rig.browser().post(dead, data=CHOSEN).status_code == 410
    setup = rig.setup_path().replace("/setup/", "/join/")
    assert rig.browser().post(setup, data=CHOSEN).status_code == 410, "a set-up link is no invitation"


def test_two_invitations_for_one_name_make_one_account(rig):
    first, second = join_path(rig), join_path(rig, duty=Duty.ADMIN, grid="")
    rig.browser().post(first, data=CHOSEN)

    assert rig.browser().post(second, data=CHOSEN | {"password": "x" * 12, "again": "x" * 12}).status_code == 410
    assert rig.accounts.account("sun").duty is Duty.INSTALLER


def test_a_lost_password_is_chosen_anew_and_whoever_was_signed_in_is_out(rig):
    inside = rig.browser()
    inside.post(join_path(rig), data=CHOSEN)
    assert inside.get("/install").status_code == 200

    path = join_path(rig, duty=Duty.ADMIN, grid="", fresh=False)
    answer = rig.browser().post(path, data={"password": "a third long password", "again": "a third long password"})

    assert answer.status_code == 303
    assert inside.get("/install").headers["location"].startswith("/login")
    assert sign_in(rig.browser(), "sun", "a third long password").status_code == 303
    assert sign_in(rig.browser(), "sun", CHOSEN["password"]).status_code == 401
    assert rig.accounts.account("sun").duty is Duty.INSTALLER, "a new password is no promotion"


def test_nobody_is_invited_twice_and_nobody_unknown_is_reset(rig):
    rig.browser().post(join_path(rig), data=CHOSEN)

    with pytest.raises(ValueError, match="--reset"):
        join_path(rig, login=" SUN ")
    with pytest.raises(ValueError, match="no account"):
        join_path(rig, login="nobody", fresh=False)


# --------------------------------------------------------------------------- the demo's entrance


def test_the_entrance_is_used_by_its_button_and_not_by_a_preview(rig):
    path = make_entrance_link(rig.accounts, rig.clock, BASE, Person(id="ma", name="马主任")).removeprefix(BASE)
    for _ in range(3):
        assert rig.browser().get(path).status_code == 200  # a chat program looks
    browser = rig.browser()

    assert browser.post(path).status_code == 303
    assert "王奶奶" in browser.get("/").text
    assert rig.browser().post(path).status_code == 410


def test_no_password_fits_the_demo_person(rig):
    make_entrance_link(rig.accounts, rig.clock, BASE, Person(id="ma", name="马主任"))

    for password in ("", "!", PASSWORD):
        assert sign_in(rig.browser(), "ma", password).status_code == 401


def test_an_entrance_never_replaces_a_real_account(rig):
    rig.account("ma", Duty.ADMIN)

    with pytest.raises(ValueError, match="signs in with a password"):
        make_entrance_link(rig.accounts, rig.clock, BASE, Person(id="ma", name="马主任"))


# --------------------------------------------------------------------------- signing in and out


def test_signing_in_and_out(rig):
    browser = rig.signed_in("ma")
    session = browser.cookies["__Host-session"]

    assert browser.get("/").status_code == 200
    csrf = hidden(browser.get("/").text, "csrf")
    assert browser.post("/logout", data={"csrf": csrf}).headers["location"] == "/login"

    stale = rig.browser(cookies={"__Host-session": session})
    assert stale.get("/").headers["location"] == "/login?next=/"


def test_the_session_cookie_cannot_be_read_or_sent_from_elsewhere(rig):
    rig.account("ma", Duty.SUPERVISOR)

    cookies = sign_in(rig.browser(), "ma").headers.get_list("set-cookie")

    (session,) = [c for c in cookies if c.startswith("__Host-session=")]
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/"} <= {part.strip() for part in session.split(";")}


def test_only_hashes_of_tokens_are_stored(rig):
    token = rig.signed_in("ma").cookies["__Host-session"]

    assert token not in repr(vars(rig.accounts))


def test_a_session_is_new_at_every_sign_in_and_the_old_one_ends(rig):
    browser = rig.signed_in("ma")
    before = browser.cookies["__Host-session"]

    sign_in(browser, "ma")

    assert browser.cookies["__Host-session"] != before
    assert rig.browser(cookies={"__Host-session": before}).get("/").status_code == 303


def test_a_session_ends_by_itself(rig):
    browser = rig.signed_in("ma")
    rig.clock.go_on(days=31)

    assert browser.get("/").headers["location"] == "/login?next=/"


def test_a_wrong_name_and_a_wrong_password_look_alike(rig):
    rig.account("ma", Duty.SUPERVISOR)

    wrong_password, nobody = sign_in(rig.browser(), "ma", "wrong"), sign_in(rig.browser(), "nobody", "wrong")

    assert (wrong_password.status_code, nobody.status_code) == (401, 401)
    assert "登录名或密码不对" in wrong_password.text and "登录名或密码不对" in nobody.text


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", ""])
def test_signing_in_leads_only_to_our_own_pages(rig, elsewhere):
    rig.account("ma", Duty.GRID_WORKER)
    browser = rig.browser()
    csrf = hidden(browser.get("/login").text, "csrf")

    answer = browser.post("/login", data={"login": "ma", "password": PASSWORD, "csrf": csrf, "next": elsewhere})

    assert answer.headers["location"] == "/"
    assert browser.get("/language/en", params={"back": elsewhere}).headers["location"] == "/"


def test_who_leads_begins_with_the_overview_unless_a_page_was_asked_for(rig):
    rig.account("ma", Duty.SUPERVISOR)
    places = []
    for wish in ("/", "/homes/h1"):
        browser = rig.browser()
        csrf = hidden(browser.get("/login").text, "csrf")
        given = {"login": "ma", "password": PASSWORD, "csrf": csrf, "next": wish}
        places.append(browser.post("/login", data=given).headers["location"])

    assert places == ["/overview", "/homes/h1"]


def test_names_are_one_whatever_the_keyboard_makes_of_them():
    assert login_of(" Ｍa ") == login_of("ma") == "ma"


# --------------------------------------------------------------------------- guessing


def test_ten_guesses_in_a_quarter_of_an_hour(rig):
    rig.account("ma", Duty.SUPERVISOR)
    browser = rig.browser()

    assert [sign_in(browser, "ma", f"guess {n}").status_code for n in range(11)] == [401] * 10 + [429]
    assert sign_in(browser, "ma").status_code == 429  # even the right one: nothing is learned from trying on

    rig.clock.go_on(minutes=16)
    assert sign_in(browser, "ma").status_code == 303


def test_many_sources_together_get_a_hundred_guesses_an_hour():
    brake, now = Brake(), HandClock().now()

    tried = sum(brake.guess("ma", f"10.0.{n // 9}", "", now + timedelta(seconds=n)) for n in range(1000))

    assert tried == 100


def test_a_flood_of_guesses_does_not_lock_the_owner_out(rig):
    mine = rig.signed_in("ma")  # this browser is known from now on
    keeper = Gatekeeper(rig.accounts, rig.clock, SECRET)
    for n in range(200):
        keeper.brake.guess("ma", f"10.1.0.{n}", "", rig.clock.now())
    known = keeper.known("ma", mine.cookies["__Host-known"])

    assert not keeper.brake.guess("ma", "10.9.9.9", "", rig.clock.now())
    assert keeper.sign_in("ma", PASSWORD, "10.9.9.9", known) is not None


def test_the_mark_of_one_account_opens_no_door_to_another(rig):
    keeper = Gatekeeper(rig.accounts, rig.clock, SECRET)
    mark = keeper.mark("ma")

    assert keeper.known("ma", mark)
    assert keeper.known("liu", mark) == ""
    assert keeper.known("ma", mark + "x") == ""
    assert keeper.known("ma", None) == ""


def test_one_source_cannot_go_through_the_names_either():
    brake, now = Brake(), HandClock().now()

    assert sum(brake.guess(f"name-{n}", "10.0.0.1", "", now) for n in range(1000)) == 200


def test_the_brake_forgets_what_it_cannot_hold():
    brake, now = Brake(remembered=100), HandClock().now()
    for n in range(1000):
        brake.guess(f"name-{n}", f"10.{n}", "", now)

    assert len(brake._guesses) <= 103


# --------------------------------------------------------------------------- forms from elsewhere


@pytest.mark.parametrize("headers", [{"origin": "https://evil.test"}, {"origin": "null"}])
def test_a_form_of_another_site_does_nothing(rig, headers):
    alert = rig.press()
    browser = rig.signed_in("ma")
    csrf = hidden(browser.get("/").text, "csrf")

    for path in (f"/alerts/{alert.id}/accept", f"/a/{rig.links.token(alert.id, 'liu')}/accept", "/logout"):
        assert browser.post(path, data={"csrf": csrf}, headers=headers).status_code == 403
    assert rig.alert(alert.id).is_ringing


@pytest.mark.parametrize("csrf", ["", "guessed", None])
def test_a_form_without_this_sessions_token_does_nothing(rig, csrf):
    alert = rig.press()
    browser = rig.signed_in("ma")

    answer = browser.post(f"/alerts/{alert.id}/accept", data={} if csrf is None else {"csrf": csrf})

    assert answer.status_code == 403
    assert rig.alert(alert.id).is_ringing


def test_another_sessions_token_does_not_do(rig):
    alert = rig.press()
    other = hidden(rig.signed_in("he", Duty.DEPUTY).get("/").text, "csrf")
    browser = rig.signed_in("ma")

    assert browser.post(f"/alerts/{alert.id}/accept", data={"csrf": other}).status_code == 403


def test_nobody_is_signed_in_by_another_site(rig):
    rig.account("ma", Duty.SUPERVISOR)
    theirs = hidden(rig.browser().get("/login").text, "csrf")  # another browser's form

    answer = rig.browser().post("/login", data={"login": "ma", "password": PASSWORD, "csrf": theirs})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("origin", "fetch_site", "host", "is_ours"),
    [
        (BASE, "same-origin", "watch.test", True),
        ("http://192.168.1.5:8080", None, "192.168.1.5:8080", True),
        (None, None, "watch.test", True),
        (None, "same-origin", "watch.test", True),
        (None, "cross-site", "watch.test", False),
        ("https://evil.test", "cross-site", "watch.test", False),
        ("null", "same-origin", "watch.test", False),
        ("http://watch.test", None, "", False),
    ],
)
def test_where_a_form_comes_from(origin, fetch_site, host, is_ours):
    assert comes_from_here(origin, fetch_site, host, BASE) is is_ours


# --------------------------------------------------------------------------- every door


def test_a_script_that_asks_for_a_part_is_sent_to_the_door(rig):
    answer = rig.browser().get("/", headers={"hx-request": "true"})

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?next=/")


@pytest.mark.parametrize(
    ("act", "path", "headers", "back"),
    [
        ("GET", "/clocks?late=1", {}, "/clocks?late=1"),
        (
            "GET",
            "/ringing",
            {"hx-request": "true", "hx-current-url": f"{BASE}/homes/h1?day=2026-03-02"},
            "/homes/h1?day=2026-03-02",
        ),
        (
            "POST",
            "/alerts/h1/sos/-/1/resolve",
            {"hx-request": "true", "hx-current-url": f"{BASE}/alerts/h1/sos/-/1"},
            "/alerts/h1/sos/-/1",
        ),
        ("POST", "/install/h1/edit", {}, "/install/h1/edit"),
        ("POST", "/install/h1/devices/h1-sos/remove", {}, "/install/h1/devices/h1-sos"),
        ("POST", "/alerts/h1/sos/-/1/resolve", {}, "/"),
    ],
)
def test_whoever_signs_in_again_comes_back_to_the_page_where_they_were(rig, act, path, headers, back):
    answer = rig.browser().request(act, path, headers={"accept": "text/html", **headers})

    door = urlsplit(answer.headers.get("hx-redirect") or answer.headers["location"])
    asked = parse_qs(door.query)
    assert (door.path, asked["next"]) == ("/login", [back])
    assert ("unsaved" in asked) is (act == "POST" and not headers)


def test_whoever_was_signed_out_in_the_midst_of_a_form_is_told_that_it_was_not_saved(rig):
    browser = rig.signed_in("li", Duty.INSTALLER)
    rig.accounts.end_sessions("li")

    answer = browser.post("/install/new", data={"name": "王奶奶"}, headers={"accept": "text/html"})

    assert answer.status_code == 303
    assert "没有保存" in browser.get(answer.headers["location"]).text


@pytest.mark.parametrize("duty", [Duty.FAMILY, Duty.INSTALLER])
def test_families_and_installers_see_no_days_of_anybody(rig, duty):
    browser = rig.signed_in("somebody", duty)

    for path in ("/homes/h1", "/events", "/quarantine", f"/alerts/{rig.press().id}"):
        answer = browser.get(path)
        assert answer.status_code in (403, 404), path
        assert "王奶奶" not in answer.text


def test_health_says_nothing_about_anybody():
    rig = Rig(more={"health": lambda: {"well": True, "homes": 3}})
    with rig.browser() as browser:
        answer = browser.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"well": True, "homes": 3, "live": True})


def test_an_unwell_gateway_does_not_look_well():
    with Rig(more={"health": lambda: {"well": False}}).browser() as browser:
        assert browser.get("/healthz").status_code == 503


def test_when_the_reader_behind_the_live_pages_dies_the_house_is_told():
    told: list[BaseException] = []
    rig = Rig(more={"fell": told.append})

    def gone() -> int:
        raise OSError("the file is gone")

    rig.alerts.last_event = gone
    with rig.browser() as browser:
        feed = rig.app.state.feed
        browser.portal.call(feed._somebody.set)
        until = time.monotonic() + 10
        while not told and time.monotonic() < until:
            time.sleep(0.01)

        assert [str(error) for error in told] == ["the file is gone"]
        assert browser.get("/healthz").status_code == 503


PARTS = ("alerts", "desk", "registry", "registrar", "accounts", "readings", "clock")


def test_the_house_refuses_nonsense(rig):
    given = {name: getattr(rig.house, name) for name in PARTS}

    with pytest.raises(ValueError, match="at least 16 bytes"):
        House(**given, secret=b"short", base_url=BASE)
    with pytest.raises(ValueError, match="base_url"):
        House(**given, secret=SECRET, base_url="watch.test")
