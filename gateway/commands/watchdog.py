"""`shouwang watchdog`: the process that says when the gateway is dead, hung, full or deaf."""

import asyncio
import signal
from typing import Annotated

import typer

from gateway.commands import Config, State, say, settings_of
from gateway.config import Refused, Settings, problems


def watchdog(
    config: Config = None,
    state: State = None,
    seen: Annotated[bool, typer.Option("--seen", help="say that somebody sees to it: no more repeats")] = False,
) -> None:
    """Watch over the gateway from outside it, and tell people when it is dead, hung, full or deaf. 看门狗"""
    settings = settings_of(config, state)
    if wrong := problems(settings):
        raise Refused("\n".join(wrong))
    if seen:
        _see(settings)
        return
    from gateway.log import set_up_log

    set_up_log(settings.log, settings.log_as)
    asyncio.run(_watch(settings))


def _see(settings: Settings) -> None:
    """Written as a file, so that it reaches a watchdog without a gateway in between."""
    from gateway.pulse import WATCHDOG

    folder = settings.state / WATCHDOG
    if not folder.is_dir():
        raise Refused(f"No watchdog has ever run on {settings.state}; name its folder with --state or --config.")
    (folder / "seen").touch(mode=0o600)
    say("已记录：本次故障不再重复通知；新的故障仍会通知。 Noted: no more repeats of this fault; a new one is told.")


async def _watch(settings: Settings) -> None:
    from gateway.clock import SystemClock
    from gateway.watchdog import watch

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await watch(settings, SystemClock(), stop)
