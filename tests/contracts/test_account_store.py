"""What every store of accounts keeps: who may come in, for how long, and that an invitation works once."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain import Duty
from gateway.ports import Account, Session
from gateway.stores.sql import SqlAccounts, open_book

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAIVE = datetime(2026, 11, 21)  # noqa: DTZ001  (it is the naivety that is examined)
LI = Account(
    login="li", password_hash="$argon2id$…", person="li", duty=Duty.GRID_WORKER, place="g1", created_at=NOW - HOUR
)
SIGNED_IN = Session(token_hash="t1", login="li", created_at=NOW, expires_at=NOW + HOUR)


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
