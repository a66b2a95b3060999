"""What programs ask for most often is answered before any address is looked up, and opens no more than the address."""

from dataclasses import replace

import pytest
from test_api import Program, code_of
from walled_house import Walled

from dashboard.keys import MOST_A_MINUTE, Right, revoke
from gateway.domain import Monitoring

HOME = "/homes/h1"


class Watched(Walled):
    """The walled house, whose hatch is watched: what it was asked for, and whether it answered."""

    def __post_init__(self):
        super().__post_init__()
        hatch, self.answered = self.app.hatch, []
        answers = hatch.answers

        async def watched(scope, send):
            self.answered.append(await answers(scope, send))
            return self.answered[-1]

        hatch.answers = watched


@pytest.fixture
def rig():
    return Watched()


@pytest.fixture
def city(rig):
    return Program(rig)


def test_the_first_look_is_written_down_and_the_next_ones_are_answered_the_same_at_the_hatch(rig, city):
    first, again = city.get(HOME), city.get(HOME)

    assert rig.answered == [False, True]
    assert first.status_code == again.status_code == 200 and first.content == again.content
    assert dict(first.headers) == dict(again.headers)
    assert [(act.what, act.ref) for act in rig.alerts.acts(who="api:city")] == [("read.home", "h1")]
    rig.clock.go_on(hours=1)
    city.get(HOME)
    city.get(HOME)
    assert rig.answered[2:] == [False, True]


def test_what_happens_in_the_home_is_in_the_next_answer(rig, city):
    before = [city.get(HOME).json() for _ in range(2)][-1]
    rig.desk.accept(rig.own.id, "liu", rig.clock.now(), "page")

    after = city.get(HOME).json()
    assert rig.answered[-1] and before["stand"] == "emergency" and after["stand"] == "taken"


def test_a_token_that_was_withdrawn_ran_out_or_lost_its_place_opens_nothing_from_the_next_request_on(rig, city):
    narrow = Program(rig, Right.HOMES, place="g1", name="narrow")
    short = Program(rig, Right.HOMES, name="short")
    for program in (city, narrow, short):
        assert [program.get(HOME).status_code for _ in range(2)] == [200, 200]
    assert rig.answered == [False, True] * 3

    revoke(rig.accounts, city.token.id, rig.clock.now())
    with rig.registry.begin() as ledger:
        ledger.put_home(replace(rig.registry.home("h1"), grid="g2"), rig.clock.now())
    rig.accounts.put_token(replace(short.token, expires_at=rig.clock.now(), last_used_at=rig.clock.now()))

    assert [code_of(program.get(HOME)) for program in (city, narrow, short)] == [
        "token-unknown",
        "not-found",
        "token-unknown",
    ]
    rig.accounts.put_token(replace(short.token, rights=(Right.ALERTS.value,), last_used_at=rig.clock.now()))
    assert code_of(short.get(HOME)) == "right-missing"
    assert rig.answered[6:] == [False] * 4


def test_a_home_beyond_the_wall_one_that_is_none_and_an_odd_request_are_left_to_the_addresses(rig, city):
    city.get(HOME)
    strange, none = city.get("/homes/h9"), city.get("/homes/nowhere")

    assert strange.content == none.content and code_of(strange) == code_of(none) == "not-found"
    assert city.get(HOME, day="x").status_code == 200
    assert code_of(city.browser.delete(f"/api/v1{HOME}")) == "no-such-verb"
    assert code_of(city.get(f"{HOME}/nothing")) == "not-found"
    for given in ("", "Bearer", f"Basic {city.secret}", "Bearer sw_invented"):
        city.browser.headers["authorization"] = given
        assert city.get(HOME).status_code == 401
    assert not any(rig.answered)


def test_a_request_is_counted_once_wherever_it_is_answered(rig, city):
    codes = [city.get(HOME).status_code for _ in range(MOST_A_MINUTE + 1)]

    assert codes == [200] * MOST_A_MINUTE + [429]
    rig.clock.go_on(minutes=1)
    assert city.get(HOME).status_code == 200


def test_that_a_token_is_in_use_is_noted_as_often_as_before(rig, city):
    city.get(HOME)
    rig.clock.go_on(minutes=6)
    city.get(HOME)

    assert rig.accounts.token(city.token.token_hash).last_used_at == rig.clock.now()


def test_whoever_asks_waits_while_something_is_on_the_road_and_not_for_ever(city):
    looks = iter([True, True, False, *[True] * 10_000])
    rig = Watched(more={"is_busy": lambda: next(looks)})
    program = Program(rig)

    assert [program.get(path).status_code for path in (HOME, HOME, "/homes")] == [200, 200, 200]
    assert next(looks) is True  # nobody went on asking


def test_where_the_book_is_elsewhere_the_loop_asks_it_nothing():
    rig = Watched(more={"is_at_hand": False})
    program = Program(rig)

    assert [program.get(HOME).status_code for _ in range(2)] == [200, 200]
    assert rig.answered == [False, False]


def test_a_home_that_is_watched_no_more_has_a_state_too(rig, city):
    rig.registrar.set_state("h2", Monitoring.RETIRED, who="chief", now=rig.clock.now(), why="moved")

    assert city.get("/homes/h2").json()["state"] == "retired"


def test_what_changes_in_one_home_makes_no_other_be_read_anew(rig, monkeypatch):
    monkeypatch.setattr("dashboard.answers.STATES_KEPT", 2)
    api = rig.app.hatch.door.api
    one, other = rig.registry.home("h1"), rig.registry.home("h2")
    told = api.state(one), api.state(other)
    rig.clock.go_on(seconds=1)
    rig.hear("h1")

    assert api.state(one) is not told[0] and api.state(other) is told[1]
    api.state(rig.registry.home("h3"))  # one more than is kept
    assert api.state(other) == told[1]
