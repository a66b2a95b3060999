"""`shouwang doctor`: whether a gateway is in order, and what to do where it is not."""

from typing import Annotated

import typer

from gateway.commands import Config, State, say, settings_of

MARKS = {"well": "✓", "note": "!", "bad": "✗"}


def doctor(
    config: Config = None,
    state: State = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="read every page of both files; minutes where they are large")
    ] = False,
) -> None:
    """Look at files, machine, broker, channels, certificates and watchdog, and say what to do. 体检"""
    from gateway.clock import SystemClock
    from gateway.doctor import Grade, examine

    settings = settings_of(config, state)
    worst = False
    for remark in examine(settings, SystemClock().now(), deep=deep):
        say(f"{MARKS[remark.grade]} {remark.what.say(settings.language)}")
        if remark.to_do is not None:
            say(f"    → {remark.to_do.say(settings.language)}")
        worst = worst or remark.grade is Grade.BAD
    if worst:
        raise typer.Exit(1)
