"""`shouwang token`, as somebody types it."""

import pytest
from typer.testing import CliRunner

from dashboard.auth import hash_token
from gateway.cli import app
from gateway.config import Refused
from gateway.stores.sql import SqlAccounts, SqlAlerts, open_book


@pytest.fixture
def shouwang(tmp_path):
    def terminal(*line):
        ran = CliRunner().invoke(app, [*line, "--state", str(tmp_path)])
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.output

    return terminal


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUWANG_LANGUAGE", "en")
    return open_book(f"sqlite:///{tmp_path / 'gateway.db'}")


def test_a_token_is_made_listed_and_revoked(book, shouwang):
    secret, line, *_ = shouwang(
        "token", "make", "city-platform", "--right", "alerts:act", "--right", "alerts:read"
    ).splitlines()
    accounts, trail = SqlAccounts(book), SqlAlerts(book)
    made = accounts.token(hash_token(secret))

    assert made.rights == ("alerts:read", "alerts:act") and made.id in line
    assert "never used" in shouwang("token", "list") and secret not in shouwang("token", "list")
    assert "revoked" in shouwang("token", "revoke", made.id)
    assert accounts.token(hash_token(secret)).revoked_at is not None
    assert [act.what for act in trail.acts(made.id)] == ["token.revoked", "token.made"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("make", "city", "--right", "alerts:eat"), "alerts:eat.*homes:read"),
        (("make", "city", "--right", "alerts:read", "--place", "nowhere"), "no grid or area 'nowhere'"),
        (("make", "City!", "--right", "alerts:read"), "no name of a program"),
        (("revoke", "nothing"), "token list"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(book, shouwang, line, said):
    with pytest.raises(Refused, match=said):
        shouwang("token", *line)
