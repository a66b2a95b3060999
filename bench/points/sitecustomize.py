"""Lets the gateway kill itself at a named place. Python loads this at its start where this folder is in PYTHONPATH.

`bench/chaos.py` puts it there and lays out the plan: a folder of files, `<point> <nth>` in each. Every start of the
gateway takes the first of them and falls when it passes that place with a press for the nth time. The product knows
nothing of it.
"""

import functools
import importlib
import inspect
import os
import signal
import sys
import time
from pathlib import Path

POINTS = {
    "received": ("gateway.pipeline", "Pipeline", "handle", "before"),
    "alert written": ("alerts.desk", "Desk", "take", "after"),
    "all written": ("gateway.pipeline", "Pipeline", "handle", "after"),
    "settled": ("ingest.mqtt", "MqttSource", "settle", "after"),
    "to be sent": ("alerts.channels.webhook", "Webhook", "send", "before"),
    "sent": ("alerts.channels.webhook", "Webhook", "send", "after"),
    "to be struck out": ("alerts.desk", "Desk", "all_said", "before"),
    "struck out": ("alerts.desk", "Desk", "all_said", "after"),
}
"""In the order of the road."""


def arm(plan: Path) -> None:
    """Take the next line of the plan and lay the trap."""
    for file in sorted(plan.glob("*.next")):
        point, _, nth = file.read_text().rpartition(" ")
        file.unlink()
        module, owner, method, when = POINTS[point]
        kind = getattr(importlib.import_module(module), owner)
        setattr(kind, method, _trapped(getattr(kind, method), when, _Trap(plan, point, int(nth))))
        return


class _Trap:
    def __init__(self, plan: Path, point: str, nth: int) -> None:
        self.plan, self.point, self.left = plan, point, nth

    def passed(self, given: tuple) -> None:
        """Count whatever has to do with a press; fall at the last."""
        batch = given[1] if len(given) > 1 and isinstance(given[1], list | tuple) else ()
        if batch and not any(getattr(one, "urgent", getattr(one, "code", "sos") == "sos") for one in batch):
            return
        self.left -= 1
        if self.left == 0:
            with (self.plan / "struck").open("a") as log:
                log.write(f"{time.monotonic_ns()} {self.point}\n")
            os.kill(os.getpid(), signal.SIGKILL)


def _trapped(method, when: str, trap: _Trap):
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def wrapped(*given, **named):
            if when == "before":
                trap.passed(given)
            result = await method(*given, **named)
            if when == "after":
                trap.passed(given)
            return result
    else:

        @functools.wraps(method)
        def wrapped(*given, **named):
            if when == "before":
                trap.passed(given)
            result = method(*given, **named)
            if when == "after":
                trap.passed(given)
            return result

    return wrapped


if "CHAOS_PLAN" in os.environ and "gateway.app" in sys.orig_argv:
    arm(Path(os.environ["CHAOS_PLAN"]))
