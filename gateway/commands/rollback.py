"""`shouwang rollback`: the book as an older program knows it, with everything that its tables have a place for."""

from typing import Annotated

import typer

from gateway.commands import Config, State, existing, say, settings_of
from gateway.config import Refused


def rollback(
    to: Annotated[str, typer.Argument(help="the migration that the older program knows; it says so when it refuses")],
    config: Config = None,
    state: State = None,
) -> None:
    """Take the book back before an older program is installed: all the way or not at all. 回退"""
    from gateway.backup import is_lived_in
    from gateway.stores.book import open_book, revision
    from gateway.stores.migrations import downgrade, known

    settings = settings_of(config, state)
    if is_lived_in(folder := existing(settings)):
        raise Refused(f"A gateway runs in {folder}: stop it first.")
    engine = open_book(settings.book or f"sqlite:///{folder / 'gateway.db'}", migrate=False)
    try:
        stands_at, steps = revision(engine), known()
        older = steps[: steps.index(stands_at)] if stands_at in steps else []
        if to not in older:
            could = f"can go back to {', '.join(older)}" if older else "cannot go back with this program"
            raise Refused(f"The book stands at {stands_at} and {could}.")
        downgrade(engine, to)
    finally:
        engine.dispose()
    say(f"{stands_at} → {to}")
    say("请安装旧版本；再启动这个版本会重新升级。 Install the older program now: a start of this one goes up again.")
