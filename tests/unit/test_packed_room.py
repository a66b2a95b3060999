"""What is laid aside as bytes takes their room, and not that in which they were written: a quarter more for these."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from detectors.device import Devices, Function, Known
from gateway.domain import Kind
from ingest.known import Bound, Last, recalled

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
COUNT = 1_000


def a_bound() -> Bound:
    lasts = {kind: Last(1.0, AT, is_dated=True) for kind in (Kind.MOTION, Kind.BATTERY, Kind.LINK)}
    return Bound("home-7", 0, "pir", "hall", "", "0x1", {}, lasts=lasts, told_at=AT, told_heard=AT)


DEVICE = Known("0x1", AT, AT, heard=AT, days=tuple(range(14)), functions=(Function(Kind.MOTION, AT, 1.0, 7, since=AT),))
DEVICES = Devices()
PACKED = a_bound().packed()


def of_supervision() -> bytes:
    DEVICES["pir"] = DEVICE
    DEVICES.rest("pir")
    packed = DEVICES["pir"]
    assert isinstance(packed, bytes)
    return packed


def of_a_checkpoint() -> bytes:
    return recalled(PACKED)


@pytest.mark.parametrize("pack", [a_bound().packed, of_a_checkpoint, of_supervision])
def test_bytes_of_a_silent_device_have_no_room_to_spare(pack: Callable[[], bytes]) -> None:
    kept: list[bytes] = [b""] * COUNT
    pack()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(COUNT):
            kept[number] = pack()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 1.1 * sum(map(sys.getsizeof, kept))
