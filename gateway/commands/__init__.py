"""Commands about homes, hubs, devices and people, one file each; `gateway/cli.py` puts them under one name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gateway.config import Refused, Settings, load

if TYPE_CHECKING:  # opened only by commands that look at a gateway
    from gateway.app import Stores
    from gateway.domain import Home, Person
    from gateway.privacy import Privacy
    from gateway.registry import Registry

E = TypeVar("E", bound=StrEnum)

Config = Annotated[Path | None, typer.Option("--config", "-c", help="settings file (TOML)", show_default=False)]
State = Annotated[Path | None, typer.Option("--state", help="state folder, instead of the configured one")]
Who = Annotated[str, typer.Option("--who", help="who does it, for the audit trail")]


def settings_of(
    config: Path | None, state: Path | None = None, port: int | None = None, mqtt_port: int | None = None
) -> Settings:
    return load(
        config,
        state=state,
        web=None if port is None else {"port": port},
        broker=None if mqtt_port is None else {"port": mqtt_port},
    )


def say(text: str = "") -> None:
    typer.echo(text)


def existing(settings: Settings) -> Path:
    if not settings.book and not (settings.state / "gateway.db").exists():
        raise Refused(f"There is no gateway in {settings.state}; name its folder with --state or --config.")
    return settings.state


@dataclass(frozen=True)
class Office:
    """A gateway's files, opened for one command."""

    settings: Settings
    stores: "Stores"
    registrar: "Registry"
    now: datetime

    @property
    def privacy(self) -> "Privacy":
        return self.stores.privacy(self.settings.state, self.registrar)

    def home(self, home_id: str) -> "Home":
        home = self.stores.registry.home(home_id)
        if home is None:
            raise Refused(f"There is no home {home_id!r}; `shouwang homes list` names them.")
        return home

    def person(self, person_id: str) -> "Person":
        person = self.stores.registry.person(person_id)
        if person is None:
            raise Refused(f"There is no person {person_id!r}; `shouwang people list` names them.")
        return person

    def reachable(self, person_id: str) -> "Person":
        """Somebody who has a way to be told."""
        person = self.person(person_id)
        if not person.reaches:
            give = f"shouwang people put {person_id} --reach …"
            raise Refused(f"Nothing reaches {person_id}: give them a way with `{give}`.")
        return person

    def language(self, asked: str) -> str:
        """The language of a table: as asked for, or that of the settings."""
        if asked not in ("", "zh", "en"):
            raise Refused(f"{asked!r} is no language of ours; there are zh and en.")
        return asked or self.settings.language


def moment(text: str, zone: tzinfo) -> datetime:
    """A date or a time, as a clock there shows it."""
    try:
        there = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no date; 2026-03-15 and 2026-03-15T08:30 are.") from None
    return (there if there.tzinfo else there.replace(tzinfo=zone)).astimezone(UTC)


@contextmanager
def office(config: Path | None, state: Path | None, *, may_be_new: bool = False) -> Iterator[Office]:
    """Open the gateway for one command; what is refused is said in the language of the settings."""
    from gateway.app import open_stores
    from gateway.clock import SystemClock
    from gateway.registry import RegistrationError

    settings = settings_of(config, state)
    folder = settings.state if may_be_new else existing(settings)
    stores = open_stores(folder, settings.book)
    try:
        registrar = stores.registrar(folder, settings.areas.levels, settings.lines)
        yield Office(settings, stores, registrar, SystemClock().now())
    except RegistrationError as error:
        raise Refused(error.say(settings.language)) from error
    finally:
        stores.readings.close()


def one_of(kind: type[E], word: str, what: str) -> E:
    """The member of an enumeration that a word names; refused with all of them otherwise."""
    if word not in list(kind):
        raise Refused(f"{word!r} is no {what}; there are {[member.value for member in kind if member.value]}.")
    return kind(word)
