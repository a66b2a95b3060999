"""How the tables of `gateway.db` came to be: one step a file, forward and back.

Everything runs in one transaction, so a migration that is cut off half-way has not begun.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from gateway.stores import WrongBook
from gateway.stores.book import revision, writing


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the book up to date; one written by a newer program is refused."""
    stands_at, ours = revision(engine), known()
    if stands_at is not None and stands_at not in ours:
        raise WrongBook(
            f"this gateway.db was written by a newer program (migration {stands_at}); this one knows {ours[-1]}. "
            f"Install the newer program, take the book back by its `shouwang rollback {ours[-1]}`, or restore the "
            "backup from before the update."
        )
    _run(engine, command.upgrade, to)


def downgrade(engine: Engine, to: str) -> None:
    """Take steps back: "base" leaves nothing."""
    _run(engine, command.downgrade, to)


def known() -> list[str]:
    """Every step there is, the oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _run(engine: Engine, step: object, to: str) -> None:
    config = alembic_config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        step(config, to)  # type: ignore[operator]
