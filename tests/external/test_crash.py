"""The crash test in short: `kill -9` of the real gateway while presses and readings arrive. Long: bench/crash.py."""

import shutil
from pathlib import Path

import pytest

KILLS = 6

pytestmark = [
    pytest.mark.external,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the load generator needs a C compiler (cc)"),
]


@pytest.mark.parametrize("broker", ["nats", "mosquitto"])
def test_nothing_acknowledged_is_lost_when_the_gateway_is_killed(bench, broker, tmp_path):
    if broker == "mosquitto" and shutil.which("mosquitto") is None and not Path("/usr/sbin/mosquitto").exists():
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    rate = 400 if broker == "mosquitto" else 150  # the embedded broker fsyncs each message

    verdict = bench("crash")(
        tmp_path,
        kills=KILLS,
        seed=2026,
        broker=broker,
        homes=20,
        readings_per_s=rate,
        longest_s=1.5,
        say=lambda *a, **k: 0,
    )

    assert verdict.holds, verdict
    assert verdict.kills == KILLS
    assert verdict.presses >= 10 and verdict.readings >= 500
