"""Tokens of other programs, and the answers they were given: kept with the act itself, for a day."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain import Act
from gateway.ports import Answered, ApiToken

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
CITY = ApiToken(
    id="t1",
    name="city",
    token_hash="h1",
    rights=("alerts:read", "alerts:act"),
    place="1101",
    created_by="chief",
    created_at=NOW,
    expires_at=NOW + timedelta(days=365),
)
SAID = Answered(token="t1", key="k", asked="a", status=200, answer='{"done":true}', at=NOW, home="h1")
DAY = timedelta(days=1)


def test_a_token_comes_back_as_it_was_whatever_has_become_of_it(accounts):
    assert accounts.token("h1") is None and accounts.tokens() == []

    accounts.put_token(CITY)
    assert accounts.token("h1") == accounts.token("h1") == CITY
    accounts.see_token("t1", NOW + DAY)
    accounts.see_token("unknown", NOW)

    assert accounts.token("h1") == replace(CITY, last_used_at=NOW + DAY)
    accounts.put_token(replace(CITY, revoked_at=NOW))
    assert accounts.token("h1").revoked_at == NOW, "whoever asks decides what a revoked one opens"


def test_tokens_are_listed_by_name_the_newest_first(accounts):
    newer = replace(CITY, id="t2", token_hash="h2", created_at=NOW + DAY)
    for token in (replace(CITY, id="t3", name="water", token_hash="h3"), CITY, newer):
        accounts.put_token(token)

    assert [token.id for token in accounts.tokens()] == ["t2", "t1", "t3"]


@pytest.mark.parametrize("door", ["alerts", "registry"])
def test_a_key_is_answered_once(book, door):
    with getattr(book, door).begin() as ledger:
        assert ledger.remember(SAID)

    assert book.alerts.answered("t1", "k", NOW) == SAID
    assert book.alerts.answered("t2", "k", NOW) is None, "a key is one token's own"
    with getattr(book, door).begin() as ledger:
        assert not ledger.remember(replace(SAID, asked="b"))
    assert book.alerts.answered("t1", "k", NOW) == SAID


def test_an_answer_is_undone_with_its_act(book):
    with pytest.raises(LookupError), book.registry.begin() as ledger:
        ledger.remember(SAID)
        ledger.audit(Act(at=NOW, who="api:city", what="api.accept", ref="h1"))
        raise LookupError

    assert book.alerts.answered("t1", "k", NOW) is None
    assert book.alerts.acts() == []


def test_an_answer_is_kept_for_a_day(book):
    with book.alerts.begin() as ledger:
        ledger.remember(SAID)

    assert book.alerts.answered("t1", "k", NOW + DAY) == SAID
    late = NOW + DAY + timedelta(seconds=1)
    assert book.alerts.answered("t1", "k", late) is None
    with book.alerts.begin() as ledger:
        assert ledger.remember(replace(SAID, at=late)), "the key may be used anew"


def test_what_was_answered_about_a_home_goes_with_it(book):
    with book.alerts.begin() as ledger:
        ledger.remember(SAID)
        ledger.remember(replace(SAID, key="other", home="h2"))
        for ref in (
            "h1",
            "h10",
            "h1/sos/b1/7",
            "wang",
            "wangwu",
        ):  # answers of no home
            ledger.remember(replace(SAID, key=ref, home="", answer=json.dumps({"ref": ref})))
    with book.alerts.begin() as ledger:
        ledger.forget_home("h1", ("wang",), "x")

    kept = [key for key in ("k", "other", "h1", "h10", "h1/sos/b1/7", "wang", "wangwu") if answer_to(book, key)]
    assert kept == ["other", "h10", "wangwu"]


def answer_to(book, key: str):
    return book.alerts.answered("t1", key, NOW)
