"""One device that floods, in short, through a real broker and the real gateway. Long: bench/flood.py."""

import shutil
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.external,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the load generator needs a C compiler (cc)"),
]


@pytest.mark.parametrize("button", [False, True], ids=["sensor", "button"])
@pytest.mark.parametrize("broker", ["nats", "mosquitto"])
def test_other_homes_are_heard_and_the_flooding_device_can_call_for_help(bench, broker, button, tmp_path):
    if broker == "mosquitto" and shutil.which("mosquitto") is None and not Path("/usr/sbin/mosquitto").exists():
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")

    verdict = bench("flood")(
        tmp_path, broker=broker, rate=2000, seconds=8, homes=40, presses_per_s=3, readings_per_s=40, button=button
    )

    assert verdict.own_call_ms is not None
    assert verdict.others_flooded_ms["lost"] == 0
    assert verdict.others_flooded_ms["n"] >= 10
    assert verdict.others_readings_lost == 0
    assert verdict.is_bounded
    assert verdict.told_cut >= 1
