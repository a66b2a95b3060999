"""An event loop whose clock jumps: the production program lives through a bad week in seconds.

Whenever everybody waits, time moves to the next timer at once. `asyncio.sleep`, timeouts and task groups work as
they always do; nothing ever really waits. There are no threads in virtual time: hand `inline` to whoever wants
to offload work.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Never, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_TURNS_AT_ONE_MOMENT = 1_000_000
"""A program that turns this often without letting time pass never will."""


class Deadlock(RuntimeError):
    """Everybody waits and nothing is scheduled: in virtual time nothing can ever happen again."""


class Livelock(RuntimeError):
    """The program is busy for ever within one moment."""


class JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    """Where an ordinary loop would sleep, this one moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 0.0
        self._turns = 0
        self._explain: Callable[[], str] = lambda: ""

    def explain_with(self, explain: Callable[[], str]) -> None:
        self._explain = explain

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # One descriptor is the loop's own, with which threads wake it; here are no threads.
        if len(self.get_map()) > 1 and (ready := super().select(0)):
            return ready
        if timeout is None:
            raise Deadlock(
                f"everybody waits and nothing is scheduled, {self.moment:.3f} s after the start{self._explain()}"
            )
        if timeout > 0:
            self.moment += timeout
            self._turns = 0
        else:
            self._turns += 1
            if self._turns > MOST_TURNS_AT_ONE_MOMENT:
                raise Livelock(
                    f"{self._turns} turns of the loop without time passing, {self.moment:.3f} s after the start"
                    f"{self._explain()}"
                )
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that starts at second 0 and never waits."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)
        self._jumping.explain_with(self._who_waits)

    def time(self) -> float:
        return self._jumping.moment

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Never:  # type: ignore[override]
        """Refused: while a thread works the loop would believe that everybody waits, and time would run away."""
        name = getattr(func, "__qualname__", repr(func))
        raise RuntimeError(f"no threads in virtual time: {name} must run inline (see simulators.vtime.inline)")

    def _who_waits(self) -> str:
        waiting = []
        for task in asyncio.all_tasks(self):
            frames = task.get_stack(limit=1)
            where = f"{frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else "?"
            waiting.append(f"\n  {task.get_name()} waits in {where}")
        return "".join(sorted(waiting))


class VirtualClock:
    """Wall time in virtual time: a start plus what the loop has lived through.

    `step` is what a hub's or a gateway's clock does when somebody sets it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError(f"a clock needs an aware start: {start!r}")
        self._loop = loop
        self._start = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def step(self, by: timedelta) -> None:
        """Set the wall clock forward or back; timers do not notice, as on a real machine."""
        self._start += by


def live(main: Callable[[VirtualClock], Coroutine[Any, Any, T]], start: datetime) -> T:
    """Live through `main` in virtual time that begins at `start`, and give what it returns."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(VirtualClock(runner.get_loop(), start)))


async def inline(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What stands for `asyncio.to_thread` where there are no threads: it simply calls."""
    return function(*args, **kwargs)
