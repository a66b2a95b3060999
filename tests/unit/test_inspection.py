"""What the administrator's pages ask of a gateway's folder is found out by the real commands, in a process beside."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.workings import CouldNotLook
from gateway.backup import last_backup, make
from gateway.cli import app
from gateway.inspection import standing, workings
from gateway.rescue import Wish, keep_copies

EXAMPLE = Path(__file__).parents[2] / "examples" / "neighbourhood.toml"
NOW = datetime(2026, 11, 21, 12, 0, 7, 250_000, tzinfo=UTC)


@pytest.fixture
def state(tmp_path) -> Path:
    folder = tmp_path / "state"
    CliRunner().invoke(app, ["homes", "import", str(EXAMPLE), "--state", str(folder)], catch_exceptions=False)
    return folder


def test_all_of_it_is_looked_at_in_every_language(state):
    remarks = workings(state, None, Wish(), {}).examine()

    said = {remark.what["en"]: remark for remark in remarks}
    assert said["gateway.db is whole."].what["zh"] == "gateway.db 完好。"
    dead = said["The gateway does not run, or hangs."]
    assert dead.grade == "bad" and dead.to_do["en"] and dead.to_do["zh"]


def test_the_trail_is_gone_through(state):
    verdict = workings(state, None, Wish(), {}).verify()

    assert verdict.rows > 0
    assert verdict.breaks == []


def test_a_folder_that_cannot_be_looked_at_is_said(tmp_path):
    with pytest.raises(CouldNotLook, match="no gateway"):
        workings(tmp_path / "nowhere", None, Wish(), {}).verify()


def test_copies_and_backups_stand_as_the_folder_says(state, tmp_path):
    wish = Wish()
    assert standing(state, wish).copies == []
    wish.make(NOW)
    assert standing(state, wish).wished_at == NOW

    keep_copies(state, NOW)
    wish.tried(NOW)
    made = standing(state, wish)
    assert [copy.made_at for copy in made.copies] == [NOW.replace(microsecond=0)] * 2
    assert (made.wished_at, made.failed_at, made.backup) == (None, None, None)

    later = NOW + timedelta(hours=1)
    wish.make(later)
    wish.tried(later)  # and nothing new lies there: no room, say
    assert standing(state, wish).failed_at == later

    path, contents = make(state, tmp_path / "usb", later)
    backup = standing(state, wish).backup
    assert (backup.made_at, backup.path, backup.size) == (later, str(path), path.stat().st_size)
    assert backup.with_readings == contents.with_readings
    assert not backup.is_sealed
    (state / "backup.last").write_text("{")
    assert last_backup(state) is None


def test_what_nobody_wished_for_is_not_counted_as_tried():
    wish = Wish()
    wish.tried(NOW)

    assert wish.tried_at is None
