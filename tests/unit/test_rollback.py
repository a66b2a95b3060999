"""An older program on a newer book says so and changes nothing; the way back is gone by the newer one, on purpose."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from gateway.cli import app, main
from gateway.pulse import HEARTBEAT, SignOfLife
from gateway.stores.book import HEAD, open_book, revision, writing
from gateway.stores.migrations import known
from gateway.stores.readings import SqliteReadings


@pytest.fixture
def state(tmp_path):
    """A gateway's folder with a grid in its book."""
    engine = open_book(f"sqlite:///{tmp_path}/gateway.db")
    with writing(engine) as connection:
        connection.execute(text("insert into grid (code, name, community) values ('g1', '一号网格', 'c1')"))
    engine.dispose()
    SqliteReadings(tmp_path / "readings.db").close()
    return tmp_path


def said_by(state, *words):
    done = CliRunner().invoke(app, [*words, "--state", str(state)], catch_exceptions=True)
    return done.exit_code, f"{done.output}{done.exception or ''}"


def test_an_older_program_names_both_versions_and_both_ways_and_leaves_the_files_as_they_are(
    state, monkeypatch, capsys
):
    with closing(sqlite3.connect(state / "gateway.db")) as db:
        db.execute("update alembic_version set version_num = '9999'")
        db.commit()
    before = {path.name: path.read_bytes() for path in state.glob("*.db")}
    monkeypatch.setattr("sys.argv", ["shouwang", "homes", "list", "--state", str(state)])

    with pytest.raises(SystemExit) as ended:
        main()

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "newer program (migration 9999)" in told and f"this one knows {HEAD}" in told
    assert f"shouwang rollback {HEAD}" in told and "restore the backup" in told
    assert {path.name: path.read_bytes() for path in state.glob("*.db")} == before


def test_the_newer_program_takes_the_book_back_with_what_is_in_it(state):
    older = known()[-2]

    code, told = said_by(state, "rollback", older)

    engine = open_book(f"sqlite:///{state}/gateway.db", migrate=False)
    assert (code, revision(engine)) == (0, older), told
    with engine.connect() as connection:
        assert connection.execute(text("select code, name from grid")).all() == [("g1", "一号网格")]
    engine.dispose()
    open_book(f"sqlite:///{state}/gateway.db").dispose()  # and a start of the newer one goes up again


@pytest.mark.parametrize("to", ["9999", HEAD, "base"])
def test_where_it_cannot_go_is_said_with_where_it_can(state, to):
    code, told = said_by(state, "rollback", to)

    assert code != 0
    assert f"The book stands at {HEAD} and can go back to 0001, 0002" in told


def test_not_under_a_gateway_that_runs(state):
    SignOfLife(state / HEARTBEAT).give({})

    code, told = said_by(state, "rollback", "0001")

    assert code != 0
    assert "A gateway runs" in told
