"""Ladders of real processes under `kill -9`: no rung is missed or climbed twice. Long: bench/ladders.py."""

import shutil

import pytest

pytestmark = [
    pytest.mark.external,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the load generator needs a C compiler (cc)"),
]


def test_a_ladder_is_climbed_rung_by_rung_however_often_its_gateway_is_killed(bench, tmp_path):
    verdict = bench("ladders")(
        tmp_path, kills=6, seed=2026, wait_s=6.0, homes=10, longest_s=3.0, say=lambda *words, **more: None
    )

    assert verdict.holds, verdict
    assert verdict.kills == 6
    assert verdict.alerts == 10 and verdict.steps >= 50
