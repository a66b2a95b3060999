"""`shouwang backup` and `shouwang restore`: everything that must survive in one file, and the way back."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import Config, State, existing, say, settings_of
from gateway.config import Refused

Identity = Annotated[
    Path | None, typer.Option("--identity", help="the file with the secret key of age, for a sealed backup")
]


def backup(
    to: Annotated[Path, typer.Option("--to", help="the folder into which it goes, best on another disk")],
    seal: Annotated[
        list[str] | None, typer.Option("--for", help="public key of age (age1…) that can open it; may be said again")
    ] = None,
    readings: Annotated[bool, typer.Option(help="take the readings along; without them it is small")] = True,
    keep: Annotated[int, typer.Option("--keep", min=1, help="days; older backups there are deleted")] = 30,
    config: Config = None,
    state: State = None,
) -> None:
    """Copy the whole state into one file while the gateway runs, and read it back. 备份"""
    from gateway.backup import BackupError, make, prune
    from gateway.clock import SystemClock

    settings, now = settings_of(config, state), SystemClock().now()
    try:
        made, contents = make(existing(settings), to, now, recipients=seal or (), readings=readings)
    except BackupError as error:
        raise Refused(error.say(settings.language)) from error
    say(f"{made}  {made.stat().st_size / 1e6:.1f} MB, {len(contents.files)} files")
    if settings.book:
        say("住户和预警在 PostgreSQL，请另外备份。 The book lies in PostgreSQL and is not in it: use pg_dump there.")
    for path in prune(to, timedelta(days=keep), now):
        say(f"- {path}")


def restore(
    file: Annotated[Path, typer.Argument(help="a backup", exists=True, dir_okay=False)],
    check: Annotated[bool, typer.Option("--check", help="only read it from beginning to end")] = False,
    over: Annotated[bool, typer.Option("--over", help="what is in the folder now is kept under another name")] = False,
    identity: Identity = None,
    config: Config = None,
    state: State = None,
) -> None:
    """Make the state folder from a backup: all of it or nothing. 恢复"""
    from gateway import backup as archive
    from gateway.clock import SystemClock

    settings = settings_of(config, state)
    try:
        if check:
            contents = archive.look_into(file, identity=identity)
        else:
            contents = archive.restore(file, settings.state, SystemClock().now(), identity=identity, over=over)
    except archive.BackupError as error:
        raise Refused(error.say(settings.language)) from error
    say(f"{contents.made_at:%Y-%m-%d %H:%M} UTC, shouwang {contents.program}, {contents.size / 1e6:.1f} MB:")
    for name, (size, _) in sorted(contents.files.items()):
        say(f"  {size:>12}  {name}")
    if not check:
        say(f"→ {settings.state}")
