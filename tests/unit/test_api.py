"""Another program at the door: what its token opens, what it is told, and that what it does is done once."""

import json
from datetime import timedelta

import pytest
from pages_house import Rig
from walled_house import STRANGE, Walled

from dashboard.answers import cursor_of
from dashboard.api import document
from dashboard.keys import MOST_A_MINUTE, MOST_GUESSES, Right, make_token, revoke
from gateway.domain import Duty, Severity, State
from gateway.ports import Answered

ALL = tuple(Right)


class Program:
    """Another program with a token of this house."""

    def __init__(self, rig, *rights, place="1101", name="city"):
        self.rig = rig
        self.token, self.secret = make_token(rig.accounts, rig.clock.now(), name, rights or ALL, place, 30, "chief")
        self.browser = rig.browser(headers={"accept": "application/json", "accept-language": "en"})
        del self.browser.headers["origin"]
        self.browser.headers["authorization"] = f"Bearer {self.secret}"
        self.keys = 0

    def get(self, path, **query):
        return self.browser.get(f"/api/v1{path}", params=query)

    def post(self, path, once="", **said):
        self.keys += 1
        headers = {"idempotency-key": once or f"key-number-{self.keys}"}
        return self.browser.post(f"/api/v1{path}", json=said, headers=headers)


@pytest.fixture
def rig():
    return Walled()


@pytest.fixture
def city(rig):
    return Program(rig)


def code_of(answer):
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code and told["type"] == f"urn:shouwang:problem:{told['code']}"
    return told["code"]


# --------------------------------------------------------------------------- reading


def test_a_program_sees_the_homes_of_its_place_and_no_others(city):
    told = city.get("/homes").json()

    assert [home["id"] for home in told["homes"]] == ["h1", "h2", "h3"]
    assert told["homes"][0]["stand"] == "emergency" and told["homes"][0]["last_sign"]["kind"] == "motion"
    assert city.get("/homes/h1").json() == told["homes"][0]
    assert code_of(city.get("/homes/h9")) == code_of(city.get("/homes/nowhere")) == "not-found"
    assert city.get("/homes/h9").json() == city.get("/homes/nowhere").json()


def test_a_list_comes_in_pieces_until_there_is_no_more(city):
    seen, cursor = [], ""
    while cursor is not None:
        piece = city.get("/homes", limit=1, cursor=cursor).json()
        seen += [home["id"] for home in piece["homes"]]
        cursor = piece["next"]

    assert seen == ["h1", "h2", "h3"]
    assert code_of(city.get("/homes", cursor="ä")) == "not-understood"


def test_ways_and_buttons_come_in_pieces_of_one_list(city):
    whole, seen, cursor = city.get("/drills").json(), [], ""
    while cursor is not None:
        piece = city.get("/drills", limit=1, cursor=cursor).json()
        assert len(piece["ways"]) + len(piece["buttons"]) == 1
        seen += piece["ways"] + piece["buttons"]
        cursor = piece["next"]

    assert whole["next"] is None and whole["ways"] and whole["buttons"]
    assert seen == whole["ways"] + whole["buttons"]


def test_alerts_come_newest_first_with_filters_and_pieces(rig, city):
    ids = [rig.own.id]
    for n in range(3):
        rig.clock.go_on(hours=20 * (n + 1))
        ids.append(rig.press("h2", Severity.HIGH, f"inactivity{n}" if n else "inactivity").id)

    seen, cursor = [], ""
    while cursor is not None:
        piece = city.get("/alerts", limit=1, cursor=cursor).json()
        seen += [alert["id"] for alert in piece["alerts"]]
        cursor = piece["next"]

    assert seen == ids[::-1]
    assert [a["id"] for a in city.get("/alerts", home="h1").json()["alerts"]] == ids[:1]
    assert [a["id"] for a in city.get("/alerts", severity=1, unclosed=True).json()["alerts"]] == ids[:1]
    assert city.get("/alerts", state="resolved").json()["alerts"] == []
    assert code_of(city.get("/alerts", home="h9")) == "not-found"
    assert code_of(city.get("/alerts", since="2026-03-01T00:00:00")) == "not-understood"


@pytest.mark.parametrize("path", [f"/homes/h1/{part}" for part in ("coverage", "devices", "day", "plan", "contacts")])
def test_what_is_known_of_a_home(city, path):
    answer = city.get(path)

    assert answer.status_code == 200 and answer.json()["home"] == "h1"
    assert code_of(city.get(path.replace("h1", "h9"))) == "not-found"


def test_the_rest_names_nobody_from_beyond_the_place(rig, city):
    for path in ("/people", "/drills", "/figures", "/quarantine", "/alerts", "/homes"):
        answer = city.get(path)
        assert answer.status_code == 200, path
        assert STRANGE not in answer.text and "far9" not in answer.text, path
    assert {person["id"] for person in city.get("/people").json()["people"]} >= {"liu", "wang", "wei"}


def test_who_looks_at_a_home_by_a_program_is_written_down(rig, city):
    city.get("/homes/h1")

    (look,) = rig.alerts.acts(who="api:city")
    assert (look.what, look.ref) == ("read.home", "h1")


def test_a_timeline_tells_a_program_no_movements_unless_it_is_for_them(rig):
    rig.clock.go_on(minutes=1)
    path = f"/alerts/{rig.own.id}/timeline"
    plain, whole = Program(rig, Right.ALERTS).get(path).json(), Program(rig, Right.ALERTS, Right.DAYS).get(path).json()

    assert "reading" in {line["sort"] for line in whole["timeline"]}
    assert "reading" not in {line["sort"] for line in plain["timeline"]}
    assert "functions" not in Program(rig, Right.HOMES).get("/homes/h1/devices").json()["devices"][0]


# --------------------------------------------------------------------------- tokens


def test_a_token_opens_what_it_is_for(rig):
    watcher = Program(rig, Right.HOMES)

    assert watcher.get("/homes").status_code == 200
    for path in ("/alerts", "/figures", "/people", "/homes/h1/day", "/homes/h1/contacts", "/registry.zip"):
        assert code_of(watcher.get(path)) == "right-missing", path
    assert code_of(watcher.post(f"/alerts/{rig.own.id}/accept", person="liu")) == "right-missing"
    assert rig.alert(rig.own.id).state is not State.ACCEPTED


def test_no_token_an_invented_a_revoked_and_an_old_one_open_nothing(rig, city):
    city.browser.headers["authorization"] = "Bearer sw_invented"
    assert code_of(city.get("/homes")) == "token-unknown"
    city.browser.headers["authorization"] = f"Bearer {city.secret}"
    assert city.get("/homes").status_code == 200
    revoke(rig.accounts, city.token.id, rig.clock.now())
    assert city.get("/homes").status_code == 401
    other = Program(rig)
    rig.clock.go_on(days=30)
    assert other.get("/homes").status_code == 401
    del other.browser.headers["authorization"]
    answer = other.get("/homes")
    assert code_of(answer) == "not-signed-in" and answer.headers["www-authenticate"] == "Bearer"


def test_whoever_may_not_come_in_is_told_that_and_not_what_was_wrong_with_the_rest(rig, city):
    odd = [("/homes", {"limit": "many"}), ("/homes/h1/day", {"day": "x" * 99}), ("/alerts", {"severity": "9"})]
    assert [code_of(city.get(path, **query)) for path, query in odd] == ["not-understood"] * 3

    watcher = Program(rig, Right.FIGURES, name="watcher")
    assert [code_of(watcher.get(path, **query)) for path, query in odd] == ["right-missing"] * 3
    city.browser.headers["authorization"] = "Bearer sw_invented"
    assert [code_of(city.get(path, **query)) for path, query in odd] == ["token-unknown"] * 3
    del city.browser.headers["authorization"]
    assert [city.get(path, **query).status_code for path, query in odd] == [401] * 3
    assert rig.browser().get("/api/v1/homes?limit=many").status_code == 401
    assert rig.signed_in("liu", Duty.GRID_WORKER).get("/api/v1/homes?limit=many").status_code == 422


def test_a_token_is_kept_as_a_hash_and_found_by_those_who_search_for_secrets(rig, city):
    assert city.secret.startswith("sw_") and len(city.secret) >= 46
    assert city.secret not in repr(rig.accounts.tokens())
    city.get("/homes")
    assert rig.accounts.token(city.token.token_hash).last_used_at == rig.clock.now()


@pytest.mark.parametrize(
    ("name", "rights", "days", "said"),
    [("City", ALL, 30, "no name"), ("city", (), 30, "for something"), ("city", ALL, 0, "1 to 730 days")],
)
def test_a_token_that_cannot_be_is_refused_with_what_would_be_right(rig, name, rights, days, said):
    with pytest.raises(ValueError, match=said):
        make_token(rig.accounts, rig.clock.now(), name, rights, "", days, "chief")


def test_a_program_that_asks_too_often_waits(city):
    answers = [city.get("/openapi.json") if n == 0 else city.get("/homes/nowhere") for n in range(MOST_A_MINUTE + 1)]

    assert answers[-2].status_code == 404
    assert code_of(answers[-1]) == "too-many" and answers[-1].headers["retry-after"] == "60"
    city.rig.clock.go_on(minutes=1)
    assert city.get("/homes").status_code == 200


def test_whoever_tries_tokens_is_soon_asked_to_come_again_and_a_good_one_beside_him_passes(rig, city):
    thief = Program(rig)
    answers = []
    for number in range(MOST_GUESSES + 5):
        thief.browser.headers["authorization"] = f"Bearer shw_{number:043}"
        answers.append(thief.get("/homes").status_code)

    assert answers == [401] * MOST_GUESSES + [429] * 5
    assert city.get("/homes").status_code == 200
    rig.clock.go_on(seconds=61)
    assert thief.get("/homes").status_code == 401


def test_a_pages_session_reads_and_does_not_act():
    rig = Rig()
    alert = rig.press()
    browser = rig.signed_in("liu", Duty.GRID_WORKER, "g1")

    assert browser.get("/api/v1/homes").status_code == 200
    answer = browser.post(f"/api/v1/alerts/{alert.id}/accept", json={"person": "liu"})
    assert answer.status_code == 403 and answer.json()["code"] == "token-needed"
    assert rig.alert(alert.id).is_ringing


# --------------------------------------------------------------------------- acts


def test_an_alert_is_dealt_with_from_beginning_to_end(rig, city):
    at = f"/alerts/{rig.own.id}"

    assert city.post(f"{at}/accept", person="liu").json() == {
        "done": True,
        "reason": "done",
        "ref": rig.own.id,
        "state": "accepted",
    }
    assert city.post(f"{at}/on-the-way", person="liu").json()["state"] == "en_route"
    assert city.post(f"{at}/on-site", person="liu").json()["state"] == "on_site"
    assert city.post(f"{at}/note", note="120 已叫").json()["done"]
    assert city.post(f"{at}/resolve", person="liu", outcome="real-emergency", note="跌倒").json()["state"] == "resolved"
    assert city.post(f"{at}/follow-up", person="liu", elder="well").json()["state"] == "followed_up"
    assert city.post(f"{at}/close", person="liu").json()["state"] == "closed"

    alert = rig.alert(rig.own.id)
    assert (alert.state, alert.owner, alert.note) == (State.CLOSED, "liu", "跌倒")
    told = [act for act in rig.alerts.acts(rig.own.id) if act.who == "api:city" and act.what.startswith("api.")]
    assert [act.what for act in told[::-1]] == [
        f"api.alert.{name}" for name in ("accept", "on-the-way", "on-site", "note", "resolve", "follow-up", "close")
    ]
    assert dict(told[-1].facts)["person"] == "liu"


def test_an_alert_is_taken_by_somebody_never_by_a_program(rig, city):
    for person in ("", "api:city", "far9", "nobody"):
        answer = city.post(f"/alerts/{rig.own.id}/accept", person=person)
        assert code_of(answer) == "no-such-person", person
        assert answer.json()["fields"][0]["name"] == "person"
    assert rig.alert(rig.own.id).is_ringing


def test_who_comes_second_is_told_who_has_it(rig, city):
    rig.desk.accept(rig.own.id, "liu", rig.clock.now())

    answer = city.post(f"/alerts/{rig.own.id}/accept", person="he")

    assert answer.status_code == 409 and code_of(answer) == "taken"
    assert "刘网格员" in answer.json()["detail"]
    assert code_of(city.post(f"/alerts/{rig.own.id}/resolve", person="he", outcome="elder-away")) == "taken"


def test_the_same_key_acts_once_and_is_answered_the_same(rig, city):
    at = f"/alerts/{rig.own.id}/note"
    first = city.post(at, once="the-same-key", note="到了")
    rig.clock.go_on(hours=1)
    again = city.post(at, once="the-same-key", note="到了")

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    assert sum(entry.what == "note" for entry in rig.alerts.history(rig.own.id)) == 1
    assert code_of(city.post(at, once="the-same-key", note="别的")) == "key-used"
    assert Program(rig, name="water").post(at, once="the-same-key", note="别的").status_code == 200
    rig.clock.go_on(hours=24)
    assert city.post(at, once="the-same-key", note="别的").status_code == 200


def test_a_refusal_is_remembered_too(rig, city):
    rig.desk.accept(rig.own.id, "liu", rig.clock.now())
    at = f"/alerts/{rig.own.id}/accept"
    first = city.post(at, once="the-same-key", person="he")
    rig.desk.hand_over(rig.own.id, "liu", "he", rig.clock.now(), why="换班")

    assert city.post(at, once="the-same-key", person="he").json() == first.json()


def test_who_comes_with_the_same_key_at_the_same_moment_is_given_the_first_answer(rig, city):
    """Between the look and the act another request with this key was done: this one is undone and answered by it."""
    at = f"/alerts/{rig.own.id}/note"
    city.post(at, once="the-same-key", note="到了")
    kept = rig.alerts.answered(city.token.id, "the-same-key", rig.clock.now())
    looks = [None, kept]
    rig.alerts.answered = lambda *asked: looks.pop(0)

    answer = city.post(at, once="the-same-key", note="到了")

    assert isinstance(kept, Answered) and answer.json() == json.loads(kept.answer)
    assert sum(entry.what == "note" for entry in rig.alerts.history(rig.own.id)) == 1


@pytest.mark.parametrize("key", ["", "short", "with a space in it", "k" * 81])
def test_an_act_without_a_key_is_not_done(rig, city, key):
    headers = {"idempotency-key": key} if key else {}
    answer = city.browser.post(f"/api/v1/alerts/{rig.own.id}/accept", json={"person": "liu"}, headers=headers)

    assert code_of(answer) == "not-understood" and answer.json()["fields"][0]["name"] == "header.Idempotency-Key"
    assert rig.alert(rig.own.id).is_ringing


def test_a_misspelt_field_is_named_and_nothing_is_done(rig, city):
    answer = city.post(f"/alerts/{rig.own.id}/resolve", person="liu", outcome="real-emergency", notes="x")

    assert code_of(answer) == "not-understood" and [field["name"] for field in answer.json()["fields"]] == ["notes"]
    assert code_of(city.post(f"/alerts/{rig.own.id}/dance", person="liu")) == "not-understood"
    assert rig.alert(rig.own.id).is_ringing


def test_a_journey_is_declared_and_ended(rig, city):
    until = rig.clock.now() + timedelta(days=2)

    assert city.post("/homes/h2/absence", kind="holiday", until=until.isoformat(), why="回老家").status_code == 200
    (line,) = [line for line in city.get("/homes/h2/plan").json()["lines"] if line["key"] == "absence"]
    assert (line["value"], line["author"]) == ("holiday", "api:city")
    assert city.post("/homes/h2/back").status_code == 200
    assert not [line for line in city.get("/homes/h2/plan").json()["lines"] if line["key"] == "absence"]
    assert code_of(city.post("/homes/h2/absence", kind="holiday", until="2036-01-01T00:00:00Z")) == "refused"
    assert code_of(city.post("/homes/h9/absence", kind="holiday", until=until.isoformat())) == "not-found"


def test_a_limit_is_set_and_ended_as_on_the_page(rig, city):
    assert city.post("/homes/h2/plan", key="pet", value="yes", why="猫").status_code == 200
    assert code_of(city.post("/homes/h2/plan", key="sos", value="off", why="吵")) == "refused"
    assert city.post("/homes/h2/plan/end", key="pet", why="送人了").status_code == 200
    assert code_of(city.post("/homes/h2/plan/end", key="pet")) == "refused"
    assert {act.what for act in rig.alerts.acts("h2", who="api:city")} >= {"api.home.plan", "api.home.plan-end"}


@pytest.mark.parametrize("text", ["\x00", "a\ud800b"])
def test_what_no_store_keeps_is_refused_before_it_is_stored(rig, city, text):
    body = json.dumps({"note": text}).encode()
    headers = {"idempotency-key": "key-number-1", "content-type": "application/json"}
    answer = city.browser.post(f"/api/v1/alerts/{rig.own.id}/note", content=body, headers=headers)

    assert code_of(answer) == "not-understood"
    assert city.browser.get("/api/v1/alerts/h1%00").status_code == 404
    assert city.get("/alerts", cursor=cursor_of("9999-12-31T23:59:59.999999+00:00|x")).status_code == 422


# --------------------------------------------------------------------------- sheets, the document


def test_the_registry_goes_out_and_comes_in_for_a_token_of_everywhere(rig, city):
    sheet = '[[people]]\nid = "neu"\nname = "新人"\n'
    chief = Program(rig, place="", name="chief")

    def put(program, body, **query):
        headers = {
            "idempotency-key": f"sheet-{len(body)}-{query}".replace(" ", "")[:80],
            "content-type": "application/toml",
        }
        return program.browser.post("/api/v1/registry", params=query, content=body, headers=headers)

    assert code_of(put(city, sheet)) == code_of(city.get("/registry.zip")) == "not-for-a-part"
    assert put(chief, sheet, check=True).json()["changed"] and rig.registry.person("neu") is None
    assert put(chief, sheet).json()["changed"] and rig.registry.person("neu").name == "新人"
    assert code_of(put(chief, sheet + "[[people]]\nid = 7\n")) == "refused"
    assert chief.get("/registry.zip").content[:2] == b"PK"
    assert {act.what for act in rig.alerts.acts(who="api:chief")} >= {"registry.export", "api.registry.import"}


def test_the_document_names_every_address_with_its_right(rig, city):
    document = city.get("/openapi.json").json()
    operations = [one for path in document["paths"].values() for one in path.values()]

    assert all(path.startswith("/api/v1/") for path in document["paths"])
    assert len({one["operationId"] for one in operations}) == len(operations) > 20
    for one in operations:
        assert one["description"] and one["security"], one["operationId"]
        assert {"401", "403", "404", "422", "429"} <= one["responses"].keys(), one["operationId"]
    rights = {right for one in operations for held in one["security"] for right in held["token"]}
    assert rights == set(Right)
    assert rig.visit("nobody").ask("GET", "/api/v1/openapi.json").status_code == 401


def test_the_document_that_is_handed_out_is_that_of_the_addresses(rig, city):
    made = document(rig.app.router.routes[0].routes)

    given = city.get("/openapi.json").json()

    assert given.pop("servers") == [{"url": rig.house.base_url}]
    assert given == json.loads(json.dumps(made)), "an address was changed: run scripts/openapi"


def test_an_address_that_is_none_is_a_problem_too(city):
    assert code_of(city.get("/nothing")) == "not-found"
    assert code_of(city.browser.delete("/api/v1/homes")) == "no-such-verb"


# --------------------------------------------------------------------------- the page on which tokens are made


def test_the_administrator_lets_a_program_in_and_shuts_it_out(rig):
    chief = rig.visit("admin")
    form = {"name": "city-platform", "right": ["alerts:read", "figures:read"], "place": "1101", "days": "90"}
    made = chief.ask("POST", "/tokens/make", form)
    secret = made.text.split('value="sw_')[1].split('"')[0]
    (token,) = rig.accounts.tokens()

    assert (token.rights, token.place, token.created_by) == (("alerts:read", "figures:read"), "1101", "chief")
    assert rig.accounts.token(token.token_hash) == token and secret not in chief.ask("GET", "/tokens").text
    program = rig.browser(headers={"authorization": f"Bearer sw_{secret}"})
    assert program.get("/api/v1/alerts").status_code == 200
    assert chief.ask("POST", "/tokens/revoke", {"token": token.id}).status_code == 303
    assert program.get("/api/v1/alerts").status_code == 401
    assert [act.what for act in rig.alerts.acts(token.id)] == ["token.revoked", "token.made"]


def test_nobody_makes_or_takes_a_token_for_more_than_they_keep(rig):
    local, whole = rig.visit("local admin"), Program(rig, place="", name="whole").token
    form = {"name": "city", "right": ["alerts:read"], "days": "90"}

    assert local.ask("POST", "/tokens/make", {**form, "place": "*"}).status_code == 404
    assert local.ask("POST", "/tokens/make", {**form, "place": "1199"}).status_code == 404
    assert local.ask("POST", "/tokens/revoke", {"token": whole.id}).status_code == 404
    assert "whole" not in local.ask("GET", "/tokens").text.split('<ul class="plain-list">')[1].split("</ul>")[0]
    assert local.ask("POST", "/tokens/make", {**form, "place": ""}).status_code == 422
    assert local.ask("POST", "/tokens/make", {**form, "place": "1101", "name": "City!"}).status_code == 422
    assert len(rig.accounts.tokens()) == 1
