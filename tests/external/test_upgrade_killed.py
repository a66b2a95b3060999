"""Upgrades and ways back under `kill -9`: whole or not at all, and no row is lost. Long: bench/upgrade.py."""

import random
from collections.abc import Iterator

import pytest
from live_postgres import LivePostgres

pytestmark = [pytest.mark.external, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[LivePostgres]:
    live = LivePostgres()
    live.start()
    yield live
    live.remove()


def test_a_book_of_an_older_program_is_brought_up_whole_or_not_at_all(bench, tmp_path):
    upgrade_killed = bench("upgrade_killed", "upgrade")
    files = bench("Files", "upgrade")(tmp_path)

    verdict = upgrade_killed(files, rows=4, every=90, at_random=1, seed=2026, only=["0004"])

    assert verdict.holds, verdict.broken
    assert verdict.ways == 3 and verdict.kills >= 6


def test_so_it_is_in_postgresql(bench, server):
    databases = bench("Databases", "upgrade")(server)

    verdict = bench("upgrade_killed", "upgrade")(databases, rows=4, every=200, at_random=1, seed=2026, only=["0011"])

    assert verdict.holds, verdict.broken
    assert verdict.kills >= 3


def test_so_are_the_readings(bench, tmp_path):
    verdict = bench("upgrade_readings", "upgrade")(tmp_path, rows=500, kills=5, chance=random.Random(7))

    assert verdict.holds, verdict.broken
