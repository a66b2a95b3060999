"""What is heavy for a program to hold: pictures, the card behind glass, what residents may ask, the gateway, tokens."""

import io
import zipfile

import pytest
from test_api import Program, code_of
from test_handling_pages import PICTURE
from test_privacy_pages import Late
from the_workings import Inside
from walled_house import STRANGE, Walled

from dashboard.keys import Right
from dashboard.workings import Verdict
from gateway.domain import Look, Outcome

WHY = "昏迷，已叫 120"


class Keeping(Walled):
    """The walled house with a folder for pictures, and with everything that a resident may ask for."""

    def __post_init__(self) -> None:
        self.inside = Inside(verdict=Verdict(12, 3, ((7, "altered"),)))
        self.more = {"privacy": Late(self), "workings": self.inside.workings(), **self.more}
        super().__post_init__()


@pytest.fixture
def rig(tmp_path):
    return Keeping(more={"photos": tmp_path})


@pytest.fixture
def city(rig):
    return Program(rig)


def taken(rig, who="liu"):
    """The press in the home of this side is theirs from now on."""
    rig.desk.accept(rig.own.id, who, rig.clock.now(), "page")


def ok(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(city, path, picture, once):
    headers = {"idempotency-key": once, "content-type": "image/jpeg"}
    return city.browser.post(f"/api/v1{path}", content=picture, headers=headers)


# --------------------------------------------------------------------------- pictures, and the card behind glass


def test_a_picture_of_what_was_found_is_sent_once_and_shown_again(rig, city, tmp_path):
    at = f"/alerts/{rig.own.id}/photos"
    first, again = (send(city, f"{at}?person=liu", PICTURE, "the-kitchen-floor") for _ in range(2))

    (shown,) = ok(city.get(at))["photos"]
    assert ok(first) == ok(again) and first.json()["ref"] == shown["name"] and shown["person"] == "liu"
    assert city.get(f"{at}/{shown['name']}").content == PICTURE
    assert code_of(send(city, f"{at}?person=liu", b"<script>", "no-picture-at-all")) == "refused"
    assert code_of(send(city, f"{at}?person=far9", PICTURE, "somebody-elses")) == "no-such-person"
    assert code_of(city.get(f"/alerts/{rig.strange.id}/photos")) == "not-found"
    assert code_of(Program(rig, Right.ALERTS, name="other").get(at)) == "right-missing"
    assert code_of(send(city, f"{at}?person=liu", b"x" * 3_000_000, "far-too-large")) == "too-large"


def test_a_picture_of_where_a_device_hangs(rig, city):
    name = ok(send(city, "/homes/h1/devices/h1-m/photo", PICTURE, "above-the-stove"))["ref"]

    assert [one["name"] for one in ok(city.get("/homes/h1/photos"))["photos"]] == [name]
    assert city.get(f"/homes/h1/photos/{name}").content == PICTURE
    assert code_of(city.get(f"/homes/h2/photos/{name}")) == "not-found"


def test_the_card_is_opened_for_a_person_who_may_and_is_written_down_as_on_the_page(rig, city):
    at = f"/alerts/{rig.own.id}/card"
    assert code_of(city.get(at, person="liu")) == "not-open"
    assert code_of(city.post(at, person="far9", why=WHY)) == "no-such-person"
    assert code_of(city.post(at, person="wei", why=WHY)) == "not-a-responder"

    taken(rig)
    first, again = (city.post(at, once="the-ambulance-asks", person="liu", why=WHY) for _ in range(2))

    assert ok(first) == ok(again)
    card = ok(city.get(at, person="liu"))
    assert (card["conditions"], card["agreed_to_health"], card["why"]) == ("本地病", True, WHY)
    assert code_of(city.get(at, person="he")) == "not-open"
    assert [act.who for act in rig.alerts.acts(what="card.opened")] == ["liu"]
    assert [act.ref for act in rig.alerts.acts(what="profile.disclosed")] == ["wang"]
    assert "本地病" not in rig.alerts.answered(city.token.id, "the-ambulance-asks", rig.clock.now()).answer
    assert code_of(city.post(f"/alerts/{rig.strange.id}/card", person="liu", why=WHY)) == "not-found"
    rig.clock.go_on(hours=1)
    assert code_of(city.get(at, person="liu")) == "not-open"


def test_an_opening_is_judged_by_somebody_who_leads_there_and_did_not_open_it(rig, city):
    taken(rig)
    ok(city.post(f"/alerts/{rig.own.id}/card", person="liu", why=WHY))
    (glass,) = ok(city.get("/glass"))["glasses"]

    assert code_of(city.post("/glass", opening=glass["opening"], person="liu", verdict="没问题")) == "refused"
    assert code_of(city.post("/glass", opening="x@y@z", person="ma", verdict="没问题")) == "not-found"
    ok(city.post("/glass", opening=glass["opening"], person="ma", verdict="理由成立"))

    (glass,) = ok(city.get("/glass"))["glasses"]
    assert (glass["person"], glass["reviewer"], glass["verdict"]) == ("liu", "马主任", "理由成立")


# --------------------------------------------------------------------------- what residents may ask


def test_what_the_family_sees_is_changed_on_the_residents_behalf_and_on_paper(rig, city):
    def shown():
        (viewer,) = ok(city.get("/homes/h1/sharing"))["viewers"]
        return viewer["shown"]

    def put(**said):
        return city.post("/homes/h1/sharing", viewer="wei", **said)

    assert len(shown()) == len(Look)
    ok(put(looks=["see_calm"], shown=False, why="老人自己说的"))
    assert shown() == []
    assert code_of(put(looks=["see_days"], shown=True)) == "not-understood"
    ok(put(looks=["see_days"], shown=True, paper="3-18"))
    assert shown() == ["see_calm", "see_days"]
    assert rig.registry.consents("wang")[-1].evidence == "paper:3-18"
    ok(city.post("/homes/h1/sharing/pause", hours=4, why="老人自己说的"))
    assert ok(city.get("/homes/h1/sharing"))["not_shown_until"]
    ok(city.post("/homes/h1/sharing/resume"))
    assert ok(city.get("/homes/h1/sharing"))["not_shown_until"] is None
    assert code_of(city.post("/homes/h1/sharing", viewer="kin9", looks=["see_calm"], shown=False, why="x")) == (
        "not-understood"
    )


def test_whoever_took_a_copy_is_seen_by_the_resident(rig, city):
    answer = city.get("/homes/h1/copy.zip")

    assert "household.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert ("api:city", "您的全部资料副本") in {
        (one["name"], one["what"])
        for one in city.browser.get("/api/v1/homes/h1/looks", headers={"accept-language": "zh"}).json()["looks"]
    }
    assert code_of(city.get("/homes/h9/copy.zip")) == code_of(city.get("/homes/h9/looks")) == "not-found"


def test_erasing_takes_two_steps_and_answers_with_its_proof(rig, city):
    at = "/homes/h1/erasure"
    asked = ok(city.get(at))
    assert (asked["alerts"], asked["open_alerts"]) == (1, 1)
    meant = {"code": "A-1", "word": asked["word"], "why": "家属代本人申请"}

    assert code_of(city.post(at, **meant)) == "refused"  # somebody is being helped there
    taken(rig)
    rig.desk.resolve(rig.own.id, "liu", Outcome.ACCIDENTAL_PRESS, "", rig.clock.now())
    for wrong in ({"code": "A-2"}, {"word": "1.x"}, {"word": ok(city.get("/homes/h2/erasure"))["word"]}):
        assert code_of(city.post(at, **(meant | wrong))) == "refused"
    rig.clock.go_on(minutes=16)
    assert code_of(city.post(at, **meant)) == "refused"
    meant |= {"word": ok(city.get(at))["word"]}
    before = rig.beyond_the_wall()
    first, again = (city.post(at, once="erase-the-household", **meant) for _ in range(2))

    assert ok(first) == ok(again) and rig.registry.home("h1") is None and rig.beyond_the_wall() == before
    (proof,) = rig.alerts.acts(first.json()["ref"], what="privacy.erased")
    assert dict(proof.facts) == {name: str(n) for name, n in first.json()["removed"].items()}
    assert code_of(city.get(at)) == "not-found"
    assert not [act for act in rig.alerts.acts(limit=9_999) if "h1" in act.ref or "王奶奶" in repr(act)]


def test_an_erasure_whose_answer_was_lost_is_found_by_its_key(rig, city, monkeypatch):
    taken(rig)
    rig.desk.resolve(rig.own.id, "liu", Outcome.ACCIDENTAL_PRESS, "", rig.clock.now())
    said = {"code": "A-1", "word": ok(city.get("/homes/h1/erasure"))["word"], "why": "申请"}
    with monkeypatch.context() as power_cut:
        power_cut.setattr("dashboard.answers.Once.keep_alone", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            city.post("/homes/h1/erasure", once="erase-the-household", **said)

    told = ok(city.post("/homes/h1/erasure", once="erase-the-household", **said))

    assert told["removed"]["alerts"] == 1
    assert len(rig.alerts.acts(what="privacy.erased")) == 1


def test_records_are_kept_for_a_time_of_their_own(rig, city):
    ok(city.post("/homes/h2/retention", kind="keep_readings", days=60, why="老人要求"))
    told = ok(city.get("/retention"))
    assert {one["kind"]: one["days"] for one in told["kept"]}["readings"] == 90
    assert [(one["home"], one["days"]) for one in told["apart"]] == [("h2", 60)]
    assert code_of(city.post("/homes/h2/retention", kind="keep_readings", days=6, why="老人要求")) == "refused"
    ok(city.post("/homes/h2/retention/end", kind="keep_readings"))
    assert ok(city.get("/retention"))["apart"] == []


# --------------------------------------------------------------------------- the gateway itself


def test_the_gateway_is_looked_after_by_a_token_for_everywhere_only(rig, city):
    whole = Program(rig, place="", name="keeper")

    assert {one["grade"] for one in ok(whole.get("/machine/checkup"))["lines"]} >= {"well"} and rig.inside.looks == 1
    assert ok(whole.get("/machine/health"))["version"] == "0.9.1"
    assert ok(whole.get("/machine/backups"))["backup"] is None
    ok(whole.post("/machine/copy"))
    assert rig.inside.wished == [rig.clock.now()]
    assert ok(whole.post("/audit/check"))["broken"] == 1
    assert ok(whole.get("/audit/chain"))["rows"] == 12
    for path in ("/machine/checkup", "/machine/health", "/machine/backups", "/audit/chain"):
        assert code_of(city.get(path)) == "not-for-a-part", path
    for path in ("/machine/copy", "/audit/check"):
        assert code_of(city.post(path)) == "not-for-a-part", path


def test_the_trail_is_read_in_pieces_and_for_a_part_one_household_at_a_time(rig, city):
    whole, seen, cursor = Program(rig, place="", name="keeper"), [], ""
    while cursor is not None:
        piece = ok(whole.get("/audit", cursor=cursor, limit=7))
        seen += [(one["at"], one["what"], one["ref"]) for one in piece["acts"]]
        cursor = piece["next"]

    assert seen == [(act.at.isoformat(), act.what, act.ref) for act in rig.alerts.acts(limit=9_999)]
    assert len(ok(whole.get("/audit", what="token.", since="2026-11-21T00:00:00Z"))["acts"]) == 0
    assert code_of(city.get("/audit")) == "not-understood"
    assert {one["ref"].partition("/")[0] for one in ok(city.get("/audit", about="h1"))["acts"]} <= {"h1", "wang"}
    assert ok(city.get("/audit", about="h9")) == ok(city.get("/audit", about="hx")) == {"acts": [], "next": None}
    assert STRANGE not in city.get("/audit", about="h1").text


def test_a_token_is_never_for_more_than_the_one_that_made_it(rig, city):
    maker = Program(rig, Right.TOKENS, Right.HOMES, place="g1", name="maker")
    wanted = {"name": "board", "rights": ["homes:read"], "place": "g1", "days": 7}

    made = ok(maker.post("/tokens", once="a-token-for-the-board", **wanted))
    again = ok(maker.post("/tokens", once="a-token-for-the-board", **wanted))

    assert made["secret"].startswith("sw_") and again == {**made, "secret": None}
    board = rig.browser(headers={"authorization": f"Bearer {made['secret']}"})
    assert [one["id"] for one in board.get("/api/v1/homes").json()["homes"]] == ["h1", "h2"]
    for more in ({"rights": ["alerts:act"]}, {"days": 31}, {"name": "!"}, {"place": ""}):
        assert code_of(maker.post("/tokens", **(wanted | more))) == "refused", more
    for beyond in ("1101", "g9", "*", "gx"):
        assert code_of(maker.post("/tokens", **(wanted | {"place": beyond}))) == "not-found"
    assert {one["name"] for one in ok(maker.get("/tokens"))["tokens"]} == {"maker", "board"}  # the city's can do more
    assert code_of(maker.post(f"/tokens/{city.token.id}/revoke")) == "not-found"

    ok(city.post(f"/tokens/{maker.token.id}/revoke"))

    assert code_of(maker.get("/homes")) == "token-unknown" and board.get("/api/v1/homes").status_code == 401


def test_a_token_whose_answer_was_lost_is_not_made_twice(rig, monkeypatch):
    maker = Program(rig, Right.TOKENS, Right.HOMES, place="g1", name="maker")
    wanted = {"name": "board", "rights": ["homes:read"], "place": "g1", "days": 7}
    with monkeypatch.context() as power_cut:
        power_cut.setattr("dashboard.answers.Once.keep_alone", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            maker.post("/tokens", once="a-token-for-the-board", **wanted)
    rig.clock.go_on(minutes=1)

    made = ok(maker.post("/tokens", once="a-token-for-the-board", **wanted))

    assert [one.id for one in rig.accounts.tokens() if one.name == "board"] == [made["id"]]
    assert rig.browser(headers={"authorization": f"Bearer {made['secret']}"}).get("/api/v1/homes").status_code == 200
