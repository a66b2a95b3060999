"""Virtual time: a week in a moment, in the right order, or an error that says who waits."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from simulators.vtime import Deadlock, VirtualClock, inline, live

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_a_week_passes_at_once():
    async def main(clock: VirtualClock) -> datetime:
        await asyncio.sleep(timedelta(days=7).total_seconds())
        return clock.now()

    assert live(main, START) == START + timedelta(days=7)


def test_sleepers_wake_in_the_order_of_their_times():
    woken: list[tuple[str, datetime]] = []

    async def main(clock: VirtualClock) -> None:
        async def sleeper(name: str, hours: int) -> None:
            await asyncio.sleep(hours * 3600)
            woken.append((name, clock.now()))

        async with asyncio.TaskGroup() as group:
            for name, hours in (("late", 9), ("early", 1), ("noon", 4)):
                group.create_task(sleeper(name, hours))

    live(main, START)

    assert woken == [(name, START + timedelta(hours=h)) for name, h in (("early", 1), ("noon", 4), ("late", 9))]


def test_a_timeout_ends_what_takes_too_long():
    async def main(clock: VirtualClock) -> datetime:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return clock.now()

    assert live(main, START) == START + timedelta(seconds=30)


def test_a_program_in_which_nothing_can_happen_any_more_is_told_so():
    async def main(clock: VirtualClock) -> None:
        await asyncio.sleep(5)
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"5\.000 s after the start\n.*test_vtime\.py"):
        live(main, START)


def test_threads_are_refused_by_name():
    def write_to_disk() -> None: ...

    async def main(clock: VirtualClock) -> None:
        await asyncio.to_thread(write_to_disk)

    with pytest.raises(RuntimeError, match="no threads in virtual time"):
        live(main, START)


def test_offloaded_work_runs_inline():
    async def main(clock: VirtualClock) -> int:
        return await inline(max, 3, 7)

    assert live(main, START) == 7


def test_a_clock_that_is_set_back_moves_wall_time_but_no_timer():
    async def main(clock: VirtualClock) -> datetime:
        sleeping = asyncio.create_task(asyncio.sleep(600))
        clock.step(timedelta(hours=-1))
        await sleeping
        return clock.now()

    assert live(main, START) == START + timedelta(minutes=10) - timedelta(hours=1)


def test_an_error_in_the_program_comes_out():
    async def main(clock: VirtualClock) -> None:
        await asyncio.sleep(1)
        raise LookupError("the second drawer")

    with pytest.raises(LookupError, match="the second drawer"):
        live(main, START)


def test_a_naive_start_is_refused():
    async def main(clock: VirtualClock) -> None: ...

    with pytest.raises(ValueError, match="aware start"):
        live(main, datetime(2026, 3, 2))  # noqa: DTZ001
