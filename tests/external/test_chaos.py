"""Faults of real processes in short: a held lock, a clock that jumps. All of them at length: bench/chaos.py."""

import shutil

import pytest

pytestmark = [
    pytest.mark.external,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the load generator needs a C compiler (cc)"),
]


def test_a_book_that_another_program_holds_delays_presses_and_loses_none(bench, tmp_path):
    [row] = bench("chaos")(tmp_path, "lock", files=("gateway.db",), held_s=6)  # longer than the gateway waits for it

    assert row.holds, row
    assert row.worst_s >= 5


def test_a_clock_that_jumps_leaves_no_rung_out_and_lets_no_emergency_sleep(bench, tmp_path):
    [row] = bench("chaos")(tmp_path, "clock", jumps=(3600, -3600, 0), dwell_s=4, rung_s=3)

    assert row.holds, row
    assert " 0 left out" in row.remark


@pytest.mark.parametrize("broker", ["nats", "mosquitto"])
def test_who_presses_while_the_disk_can_only_be_read_is_called_for_and_stands_in_the_book_afterwards(
    bench, tmp_path, broker
):
    try:
        [row] = bench("chaos")(tmp_path, "worn", broker=broker, worn_s=5)
    except bench("NotHere", "chaos") as why:
        pytest.skip(str(why))

    assert row.holds, row
