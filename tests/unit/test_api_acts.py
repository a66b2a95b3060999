"""A program installs a home, keeps its people and its duty sheet, and says who may sign in: as the pages do, once."""

from datetime import timedelta

import pytest
from test_api import Program, code_of
from walled_house import STRANGE, Walled

from dashboard.keys import Right
from gateway.domain import Duty, Monitoring, Role
from gateway.ports import Batch, Quarantined


@pytest.fixture
def rig():
    return Walled()


@pytest.fixture
def city(rig):
    return Program(rig)


def ok(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


# --------------------------------------------------------------------------- installing


def test_a_home_is_installed_from_nothing_to_the_inbox(rig, city):
    home = ok(city.post("/homes", code="B-7", name="钱奶奶", grid="g2", position="30.25741, 120.20511"))["ref"]
    assert rig.registry.home(home).person and rig.registry.home(home).state is Monitoring.REGISTERED
    assert ok(city.post(f"/homes/{home}/rooms", name="客厅", kind="living"))["ref"].startswith("room-")
    hub = ok(city.post(f"/homes/{home}/hubs"))
    rig.readings.commit(
        Batch(
            quarantined=[
                Quarantined(
                    f"shouwang/{hub['hub']}/plain/door/1", "unknown-device", rig.clock.now(), 9, b"{}", hub["hub"], ""
                )
            ]
        )
    )

    (found,) = ok(city.get(f"/homes/{home}/inbox"))["devices"]
    room = rig.registry.home(home).rooms[0].id
    device = ok(
        city.post(f"/homes/{home}/devices", hub=found["hub"], address=found["address"], room=room, role="exit_door")
    )["ref"]

    told = ok(city.get(f"/homes/{home}/installation"))
    assert [step["step"] for step in told["steps"] if step["done"]] == ["rooms", "devices"] and told["next"] == "hub"
    assert ok(city.post(f"/homes/{home}/devices/{device}", room=room, role="opening", name="冰箱"))["done"]
    assert rig.registry.home(home).sensors[0].role is Role.OPENING
    assert code_of(city.post(f"/homes/{home}/rooms/{room}/remove")) == "refused"
    assert ok(city.post(f"/homes/{home}/devices/{device}/remove", why="装错了"))["done"]
    assert ok(city.post(f"/homes/{home}/rooms/{room}/remove"))["done"]
    assert {act.what for act in rig.alerts.acts(who="api:city")} >= {"home.open", "api.home.open", "api.hub.add"}


def test_a_hubs_secret_is_told_once_and_kept_nowhere(rig, city):
    first = city.post("/homes/h2/hubs", once="a-hub-for-h2")
    again = city.post("/homes/h2/hubs", once="a-hub-for-h2")

    told, repeated = first.json(), again.json()
    assert told["secret"] and rig.registry.hub_secrets()[told["hub"]] == f"hash of {told['secret']}"
    assert (repeated["hub"], repeated["secret"]) == (told["hub"], None) and again.headers["idempotent-replayed"]
    assert len(rig.registry.home("h2").hubs) == 2
    assert told["secret"] not in rig.alerts.answered(city.token.id, "a-hub-for-h2", rig.clock.now()).answer
    renewed = ok(city.post(f"/homes/h2/hubs/{told['hub']}/renew"))
    assert renewed["secret"] not in ("", told["secret"])
    assert ok(city.post(f"/homes/h2/hubs/{told['hub']}/remove"))["done"]
    assert code_of(city.post("/homes/h2/hubs/hub-9/renew")) == "not-found"


def test_a_home_is_paused_resumed_and_given_up(rig, city):
    assert ok(city.post("/homes/h2/state", act="pause", why="住院"))["state"] == "paused"
    assert ok(city.post("/homes/h2/state", act="resume"))["state"] == rig.registry.home("h2").state.value
    assert code_of(city.post("/homes/h2/state", act="retire", why="somehow")) == "refused"
    assert ok(city.post("/homes/h2/state", act="retire", why="moved"))["state"] == "retired"


def test_a_walk_test_a_paper_and_a_record(rig, city):
    ok(city.post("/homes/h1/walk/start"))
    tries = ok(city.get("/homes/h1/walk"))
    assert tries["since"] and False in {one["passed"] for one in tries["tries"]}
    assert code_of(city.post("/homes/h1/walk/end")) == "refused"
    for sensor in rig.registry.home("h1").sensors:
        ok(city.post("/homes/h1/walk/note", sensor=sensor.id, note="电池明天带来"))
    ok(city.post("/homes/h1/walk/end"))
    offered = [one["purpose"] for one in ok(city.get("/homes/h1/consent"))["purposes"]]
    assert (
        "see/wei" in offered and code_of(city.post("/homes/h1/consent", purposes=["health"], paper="3-17")) == "refused"
    )
    ok(city.post("/homes/h1/consent", purposes=["whereabouts", "sharing"], paper="3-17"))
    assert ok(city.post("/homes/h1/records", days=14))["ref"] == "1"
    (record,) = ok(city.get("/homes/h1/records"))["records"]
    assert record["devices"] == 3


# --------------------------------------------------------------------------- people, accounts


def test_contacts_are_kept_in_the_order_in_which_they_are_called(rig, city):
    ok(city.post("/homes/h2/contacts", name="小李", relation="child", phones=["13900001111"]))
    ok(city.post("/homes/h2/contacts", name="邻居", relation="neighbour", phones=["13900002222"]))
    second = rig.registry.contacts("h2")[1].person
    ok(city.post(f"/homes/h2/contacts/neighbour/{second}/up"))
    assert [one["name"] for one in ok(city.get("/homes/h2/contacts"))["contacts"]] == ["邻居", "小李"]
    ok(city.post(f"/homes/h2/contacts/neighbour/{second}", name="老邻居", relation="neighbour", phones=["13900002222"]))
    assert rig.registry.person(second).name == "老邻居"
    ok(city.post(f"/homes/h2/contacts/neighbour/{second}/remove"))
    assert len(rig.registry.contacts("h2")) == 1
    assert code_of(city.post("/homes/h2/contacts", name="x", relation="child", phones=[])) == "refused"
    assert code_of(city.post("/homes/h2/contacts/child/kin9/remove")) == "not-found"


def test_a_file_is_kept_and_health_only_where_it_was_agreed_to(rig, city):
    ok(city.post("/homes/h1/profile", birth_year=1938, risk="high", living="alone"))
    assert ok(city.get("/homes/h1/profile"))["risk"] == "high"
    assert ok(city.get("/homes/h1/health"))["conditions"] == "本地病"
    assert code_of(Program(rig, Right.REGISTRY, Right.PEOPLE, name="other").get("/homes/h1/health")) == "right-missing"
    given = next(one for one in ok(city.get("/homes/h1/consents"))["consents"] if one["purpose"] == "health")
    ok(city.post(f"/homes/h1/consents/{given['number']}/withdraw", why="她自己说的"))
    assert (
        code_of(city.get("/homes/h1/health")) == code_of(city.post("/homes/h1/health", conditions="x")) == "not-agreed"
    )
    assert "profile.read" in {act.what for act in rig.alerts.acts(who="api:city")}


def test_somebody_is_invited_changed_and_shut_and_no_administrator_ever_is(rig, city):
    invited = ok(
        city.post("/accounts/invite", name="小周", login="zhou", duty="grid_worker", place="g1", once="invite-zhou")
    )
    assert invited["link"].startswith("https://watch.test/join/")
    replayed = city.post(
        "/accounts/invite", name="小周", login="zhou", duty="grid_worker", place="g1", once="invite-zhou"
    )
    assert replayed.json()["link"] is None
    assert [one["login"] for one in ok(city.get("/accounts"))["accounts"] if one["invited_until"]] == ["zhou"]
    ok(city.post("/accounts/role", login="li1", duty="deputy", place="g2"))
    assert (rig.accounts.account("li1").duty, rig.accounts.account("li1").place) == (Duty.DEPUTY, "g2")
    ok(city.post("/accounts/shut", login="li1"))
    assert rig.accounts.account("li1").disabled_at
    assert code_of(city.post("/accounts/invite", name="x", login="x9", duty="admin", place="g1")) == "not-understood"
    assert code_of(city.post("/accounts/invite", name="x", login="x9", duty="deputy", place="g9")) == "not-found"
    for login in ("adm", "chief", "boss9", "nobody"):
        assert code_of(city.post("/accounts/reset", login=login)) == "not-found", login
    assert "adm" not in {one["login"] for one in ok(city.get("/accounts"))["accounts"]}


def test_a_grid_is_opened_renamed_and_closed_and_its_homes_go_on(rig, city):
    ok(city.post("/places", code="g5", name="新网格", level="grid", around="1101"))
    ok(city.post("/places/g5", name="五号网格"))
    assert {"code": "g5", "name": "五号网格", "level": "grid", "around": "1101"} in ok(city.get("/places"))["places"]
    assert code_of(city.post("/places/g2/close", why="合并")) == "refused"
    ok(city.post("/places/g2/close", why="合并", into="g5"))
    assert rig.registry.home("h3").grid == "g5"
    for code in ("g9", "gx"):
        assert code_of(city.post(f"/places/{code}", name="x")) == "not-found"
    assert code_of(city.post("/places", code="g6", name="x", level="grid", around="1199")) == "not-found"


def test_somebody_is_called_for_a_grid_by_a_way_of_theirs(rig, city):
    ok(city.post("/people", id="sun", name="孙师傅", phones=["13900003333"], duty="deputy", place="g2"))
    ok(city.post("/people/sun/duties", duty="deputy", place="g1"))
    ok(city.post("/people/sun/duties/end", duty="deputy", place="g2"))
    ok(city.post("/people/sun", name="孙大姐", language="zh"))
    assert rig.registry.duties("sun", rig.clock.now()) == [(Duty.DEPUTY, "g1")]
    ok(city.post("/people/sun/ways", channel="email", address="sun@example.org"))
    told = ok(city.get("/people/sun"))
    assert (told["name"], told["phones"]) == ("孙大姐", ["13900003333"])
    (way,) = [one for one in told["ways"] if one["channel"] == "email"]
    ok(city.post("/people/sun/ways/remove", way=way["way"]))
    assert not rig.registry.person("sun").reaches
    assert code_of(city.post("/people/sun/ways", channel="console", address="x")) == "not-found"
    assert code_of(city.post("/people", id="liu", name="x", phones=[], duty="deputy", place="g1")) == "refused"
    assert code_of(city.get("/people/far9")) == code_of(city.get("/people/nobody")) == "not-found"


# --------------------------------------------------------------------------- the duty sheet, plans, drills


def test_a_week_is_swapped_and_somebody_goes_on_leave(rig, city):
    week = ok(city.get("/rota/g1", week="2026-11-23"))
    turn = week["days"][0]["turns"][0]
    assert (turn["person"], turn["duty"]) == ("liu", "grid_worker")
    ok(city.post("/rota/g1/stand-in", one=turn["key"], person="he"))
    assert ok(city.get("/rota/g1", week="2026-11-23"))["days"][0]["turns"][0]["person"] == "he"
    ok(city.post("/rota/g1/shifts", person="he", duty="deputy", begins="20:00", ends="08:00", first="2026-12-01"))
    assert (
        code_of(
            city.post("/rota/g1/shifts", person="far9", duty="deputy", begins="20:00", ends="08:00", first="2026-12-01")
        )
        == "not-understood"
    )
    ok(city.post("/rota/g1/leave", person="liu", first="2026-12-01", last="2026-12-02", why="年假"))
    assert [one["person"] for one in ok(city.get("/rota/g1"))["leaves"]] == ["liu"]
    ok(city.post("/rota/g1/leave/end", person="liu"))
    ok(city.post("/rota/g1/holiday", day="2026-12-25", counts_as=7, name="节"))
    assert code_of(city.get("/rota/g9")) == code_of(city.get("/rota/gx")) == "not-found"
    assert {place["place"] for place in ok(city.get("/rota"))["places"]} == {"1101", "g1", "g2"}


def test_who_would_be_called_and_drills(rig, city):
    told = ok(city.get("/homes/h2/who", code="sos", at="2026-11-23 10:00"))
    assert any(one["person"] == "liu" for rung in told["rungs"] for one in rung["called"])
    rig.rename("h1", state=Monitoring.GUARDED)
    ok(city.post("/drills/homes/h1"))
    assert ok(city.post("/drills/people/liu", once="drill-liu-once"))["ref"] == "liu"
    ok(city.post("/drills/people/liu", once="drill-liu-once"))
    assert len(rig.alerts.trials("liu")) == 1
    assert code_of(city.post("/drills/people/far9")) == code_of(city.post("/drills/homes/h9")) == "not-found"


def test_a_plan_for_a_grid_a_visit_and_a_silence(rig, city):
    until = (rig.clock.now() + timedelta(hours=2)).isoformat()
    ok(city.post("/homes/h2/expected", hours="mon,wed 09:00-11:00", why="护工"))
    ok(city.post("/homes/h2/silence", until=until, codes=["door_open"], why="装修"))
    assert {line["key"] for line in ok(city.get("/homes/h2/plan"))["lines"]} >= {"visit/1", "silence"}
    ok(city.post("/places/g1/plan", key="door_open", value="off", why="旧楼"))
    assert [line["value"] for line in ok(city.get("/places/g1/plan"))["lines"]] == ["off"]
    ok(city.post("/places/g1/plan/end", key="door_open"))
    assert code_of(city.post("/places/g9/plan", key="door_open", value="off", why="x")) == "not-found"
    assert code_of(city.post("/homes/h1/plan/end", key="dementia")) == "refused"


def test_a_daughter_says_by_a_program_that_her_mother_is_with_her(rig, city):
    answer = city.post(f"/alerts/{rig.own.id}/family", person="wei", word="with_me", hours=6, sure=True)
    assert ok(answer)["done"] and STRANGE not in answer.text
    assert city.post(f"/alerts/{rig.own.id}/family", person="liu", word="mine").json()["code"] == "not-family"


def test_a_visit_is_planned_noted_and_told(rig, city):
    ok(city.post("/homes/h1/profile", risk="high"))
    rig.rename("h1", state=Monitoring.GUARDED, trial_until=rig.clock.now() - timedelta(days=9))

    (due,) = ok(city.get("/visits"))["visits"]
    assert (due["home"], due["every_days"], due["is_due"]) == ("h1", 7, True)
    ok(city.post("/homes/h1/visits", person="liu", elder="well", note="聊了天", once="visit-h1-today"))
    ok(city.post("/homes/h1/visits", person="liu", elder="well", note="聊了天", once="visit-h1-today"))
    (visit,) = ok(city.get("/homes/h1/visits"))["visits"]
    assert (visit["person"], visit["elder"]) == ("liu", "well") and not ok(city.get("/visits"))["visits"][0]["is_due"]
    assert code_of(city.post("/homes/h1/visits", person="far9", elder="well")) == "no-such-person"
    assert code_of(city.post("/homes/h1/visits", person="liu", elder="well", code="0")) == "refused"
    assert {"visit", "api.visit"} <= {act.what for act in rig.alerts.acts("h1", who="api:city")}
