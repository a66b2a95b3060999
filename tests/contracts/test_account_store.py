"""What every store of accounts keeps: who may come in, for how long, and that an invitation works once."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain import Duty
from gateway.ports import Account, SecondStep, Session
from gateway.stores.sql import SqlAccounts, open_book

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAIVE = datetime(2026, 11, 21)  # noqa: DTZ001  (it is the naivety that is examined)
LI = Account(
    login="li", password_hash="$argon2id$…", person="li", duty=Duty.GRID_WORKER, place="g1", created_at=NOW - HOUR
)
SIGNED_IN = Session(token_hash="t1", login="li", created_at=NOW, expires_at=NOW + HOUR, seen_at=NOW)


@pytest.fixture
def house(accounts):
    """Accounts in which Li is known."""
    accounts.put(LI)
    return accounts


def test_an_account_comes_back_as_it_was(accounts):
    assert accounts.count() == 0
    assert accounts.account("li") is None

    accounts.put(LI)

    assert accounts.account("li") == LI
    assert accounts.count() == 1


def test_putting_again_replaces_and_keeps_the_sessions(house):
    house.open_session(SIGNED_IN)

    house.put(replace(LI, password_hash="new"))

    assert house.account("li").password_hash == "new"
    assert house.count() == 1
    assert house.session("t1", NOW) == SIGNED_IN, "who ends sessions says so"


def test_a_session_holds_until_it_expires(house):
    house.open_session(SIGNED_IN)

    assert house.session("t1", NOW) == SIGNED_IN
    assert house.session("t1", NOW + HOUR - timedelta(microseconds=1)) == SIGNED_IN
    assert house.session("t1", NOW + HOUR) is None
    assert house.session("unknown", NOW) is None


def test_a_session_can_be_ended(house):
    house.open_session(SIGNED_IN)
    house.open_session(replace(SIGNED_IN, token_hash="t2"))

    house.end_session("t1")
    house.end_session("unknown")

    assert house.session("t1", NOW) is None
    assert house.session("t2", NOW) is not None


def test_all_sessions_of_one_person_can_be_ended(house):
    house.put(replace(LI, login="zhao"))
    house.open_session(SIGNED_IN)
    house.open_session(replace(SIGNED_IN, token_hash="t2"))
    house.open_session(replace(SIGNED_IN, token_hash="t3", login="zhao"))

    house.end_sessions("li")

    assert [house.session(token, NOW) is None for token in ("t1", "t2", "t3")] == [True, True, False]


def test_a_later_sign_in_does_not_bring_an_expired_session_back(house):
    house.open_session(SIGNED_IN)
    house.open_session(replace(SIGNED_IN, token_hash="t2", created_at=NOW + 2 * HOUR, expires_at=NOW + 3 * HOUR))

    assert house.session("t1", NOW) is None
    assert house.session("t2", NOW + 2 * HOUR) is not None


def test_nobody_unknown_is_signed_in(accounts):
    with pytest.raises(LookupError, match="account 'li'"):
        accounts.open_session(SIGNED_IN)


def test_an_invitation_works_once(accounts):
    accounts.put_invitation("i1", "set-up", NOW + HOUR)

    assert accounts.use_invitation("unknown", NOW) is None
    assert accounts.use_invitation("i1", NOW) == "set-up"
    assert accounts.use_invitation("i1", NOW) is None


def test_an_invitation_expires(accounts):
    accounts.put_invitation("i1", "set-up", NOW + HOUR)

    assert accounts.use_invitation("i1", NOW + HOUR) is None
    assert accounts.use_invitation("i1", NOW + HOUR - timedelta(seconds=1)) == "set-up"


def test_looking_at_an_invitation_does_not_use_it(accounts):
    accounts.put_invitation("i1", "set-up", NOW + HOUR)

    assert accounts.invitation("i1", NOW) == accounts.invitation("i1", NOW) == "set-up"
    assert accounts.invitation("i1", NOW + HOUR) is None
    assert accounts.invitation("i2", NOW) is None

    accounts.use_invitation("i1", NOW)
    assert accounts.invitation("i1", NOW) is None


def test_an_invitation_can_be_renewed(accounts):
    accounts.put_invitation("i1", "set-up", NOW + HOUR)
    accounts.use_invitation("i1", NOW)

    accounts.put_invitation("i1", "set-up", NOW + 2 * HOUR)

    assert accounts.use_invitation("i1", NOW + HOUR) == "set-up"


def test_of_many_who_use_an_invitation_at_once_one_succeeds(accounts):
    accounts.put_invitation("i1", "set-up", NOW + HOUR)
    answers = []
    doors = [threading.Thread(target=lambda: answers.append(accounts.use_invitation("i1", NOW))) for _ in range(8)]

    for door in doors:
        door.start()
    for door in doors:
        door.join()

    assert sorted(answers, key=str) == [None] * 7 + ["set-up"]


def test_a_time_without_a_zone_is_refused(house):
    for act in (
        lambda: house.put(replace(LI, created_at=NAIVE)),
        lambda: house.open_session(replace(SIGNED_IN, expires_at=NAIVE)),
        lambda: house.session("t1", NAIVE),
        lambda: house.put_invitation("i1", "set-up", NAIVE),
        lambda: house.use_invitation("i1", NAIVE),
        lambda: house.invitation("i1", NAIVE),
    ):
        with pytest.raises(ValueError, match="aware"):
            act()


def test_accounts_are_there_after_a_restart(tmp_path):
    url = f"sqlite:///{tmp_path}/gateway.db"
    before = open_book(url)
    SqlAccounts(before).put(LI)
    SqlAccounts(before).open_session(SIGNED_IN)
    before.dispose()

    after = SqlAccounts(open_book(url))

    assert after.account("li") == LI
    assert after.session("t1", NOW) == SIGNED_IN


def test_all_accounts_are_listed_by_name(house):
    house.put(replace(LI, login="a", disabled_at=NOW))

    assert [(one.login, one.disabled_at) for one in house.accounts()] == [("a", NOW), ("li", None)]


def test_the_sessions_of_one_person_stand_in_the_order_of_their_use(house):
    house.put(replace(LI, login="zhao"))
    for token, login, minutes in (("t1", "li", 5), ("t2", "li", 9), ("t3", "zhao", 7), ("t4", "li", 1)):
        seen = NOW + timedelta(minutes=minutes)
        house.open_session(replace(SIGNED_IN, token_hash=token, login=login, seen_at=seen, browser="Edge"))
    house.see_session("t4", NOW + timedelta(minutes=30))
    house.see_session("unknown", NOW)

    assert [session.token_hash for session in house.sessions("li", NOW)] == ["t4", "t2", "t1"]
    assert house.sessions("li", NOW)[0].browser == "Edge"
    assert house.sessions("li", NOW + HOUR) == []


STEP = SecondStep(login="li", salt="s", since=NOW, codes=frozenset({"c1", "c2"}))


def test_the_figures_of_an_interval_open_once_and_none_before_it_afterwards(house):
    house.put_second_step(STEP)

    assert [house.use_interval("li", interval) for interval in (7, 7, 6, 8)] == [True, False, False, True]
    assert house.second_step("li") == replace(STEP, used=8)
    assert not house.use_interval("nobody", 9)


def test_a_recovery_code_opens_once(house):
    house.put_second_step(STEP)

    assert [house.use_code("li", code) for code in ("c1", "c1", "wrong")] == [True, False, False]
    assert house.second_step("li").codes == {"c2"}


def test_a_second_step_is_begun_anew_and_taken_away(house):
    house.put_second_step(STEP)
    house.put_second_step(replace(STEP, salt="another", codes=frozenset({"c3"})))

    assert house.second_step("li") == replace(STEP, salt="another", codes=frozenset({"c3"}))

    house.drop_second_step("li")
    assert house.second_step("li") is None
    assert not house.use_code("li", "c3")


def test_nobody_unknown_has_a_second_step(accounts):
    with pytest.raises(LookupError, match="account 'li'"):
        accounts.put_second_step(STEP)


def test_of_many_who_use_the_same_figures_at_once_one_gets_in(house):
    house.put_second_step(STEP)
    answers = []
    doors = [threading.Thread(target=lambda: answers.append(house.use_interval("li", 7))) for _ in range(8)]

    for door in doors:
        door.start()
    for door in doors:
        door.join()

    assert sorted(answers) == [False] * 7 + [True]


def test_open_invitations_are_listed_and_can_be_ended(accounts):
    for token, purpose in (("i1", "join:li"), ("i2", "join:zhao"), ("i3", "join:zhao"), ("i4", "setup")):
        accounts.put_invitation(token, purpose, NOW + HOUR)
    accounts.use_invitation("i4", NOW)

    assert [purpose for purpose, _ in accounts.invitations(NOW)] == ["join:li", "join:zhao", "join:zhao"]
    assert accounts.invitations(NOW + HOUR) == []

    accounts.end_invitations("join:zhao")
    assert accounts.invitations(NOW) == [("join:li", NOW + HOUR)]
    assert accounts.use_invitation("i2", NOW) is None
