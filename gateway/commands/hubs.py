"""`shouwang hubs …`: the boxes in the homes, their secrets, and the kit that makes a box one of ours."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import Config, Office, State, Who, office, say
from gateway.config import Refused
from gateway.domain.endpoint import Endpoint

hubs = typer.Typer(help="Hubs and their secrets. 家庭网关", no_args_is_help=True)

KitFile = Annotated[
    Path | None, typer.Option("--kit", help="write the hub's kit (zip) here instead of showing the secret")
]


@hubs.command("list")
def hubs_list(config: Config = None, state: State = None) -> None:
    """Every hub, the home it stands in, and whether it has a secret."""
    with office(config, state) as here:
        known = here.stores.registry.hub_secrets()
        for hub in here.stores.registry.hubs():
            say(f"{hub.id:24} {hub.home:20} {'secret set' if hub.id in known else 'no secret'}")


@hubs.command("add")
def hubs_add(
    home: str,
    hub_id: Annotated[
        str, typer.Option("--id", help="its id; made for you otherwise, which says nothing of the home")
    ] = "",
    kit: KitFile = None,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Add a hub to a home and show its secret, this once; or put both into a kit."""
    with office(config, state) as here:
        uplink = _way_home(here, kit)
        hub, secret = here.registrar.add_hub(home, hub_id=hub_id, who=who, now=here.now)
        _hand_over(here, hub.id, secret, kit, uplink)


@hubs.command("replace")
def hubs_replace(
    home: str, hub: str, kit: KitFile = None, config: Config = None, state: State = None, who: Who = "cli"
) -> None:
    """A new box for a broken one: what hung on the old one hangs on the new one."""
    with office(config, state) as here:
        uplink = _way_home(here, kit)
        new, secret = here.registrar.replace_hub(home, hub, who=who, now=here.now)
        _hand_over(here, new.id, secret, kit, uplink)


@hubs.command("remove")
def hubs_remove(home: str, hub: str, config: Config = None, state: State = None, who: Who = "cli") -> None:
    """Take a hub out of a home; nothing may hang on it any more."""
    with office(config, state) as here:
        here.registrar.remove_hub(home, hub, who=who, now=here.now)


@hubs.command("secret")
def hubs_secret(hub: str, config: Config = None, state: State = None, who: Who = "cli") -> None:
    """Make a new secret for a hub and show it, this once; the old one ends, no other home is dropped."""
    with office(config, state) as here:
        _hand_over(here, hub, _new_secret(here, hub, who), None, None)


@hubs.command("kit")
def hubs_kit(
    hub: str,
    to: Annotated[Path, typer.Argument(help="the zip to write")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Write the files that make a box this hub, with a new secret in them; the old one ends."""
    with office(config, state) as here:
        uplink = _way_home(here, to)
        _hand_over(here, hub, _new_secret(here, hub, who), to, uplink)


@hubs.command("revoke")
def hubs_revoke(hub: str, config: Config = None, state: State = None, who: Who = "cli") -> None:
    """Take a hub's secret away: it can no longer connect."""
    with office(config, state) as here:
        here.registrar.renew_secret(hub, None, who=who, now=here.now)


def _new_secret(here: Office, hub: str, who: str) -> str:
    from gateway import broker

    secret, _ = broker.new_secret()
    here.registrar.renew_secret(hub, secret, who=who, now=here.now)
    return secret


def _way_home(here: Office, kit: Path | None) -> Endpoint | None:
    """How a hub reaches the broker, for its kit. Asked first: no secret ends for the sake of a kit that cannot be."""
    if kit is None:
        return None
    from gateway.app import uplink

    if not kit.absolute().parent.is_dir():
        raise Refused(f"There is no folder {kit.absolute().parent} to write the kit into.")
    return uplink(here.settings)


def _hand_over(here: Office, hub: str, secret: str, kit: Path | None, uplink: Endpoint | None) -> None:
    if kit is None or uplink is None:
        say(f"user {hub}\npassword {secret}\n只显示这一次。 It is shown this once.")
        return
    from gateway.kit import make_kit

    home = next((known.home for known in here.stores.registry.hubs() if known.id == hub), "")
    packed = make_kit(hub, secret, uplink, home=here.home(home).code)
    kit.unlink(missing_ok=True)
    with os.fdopen(os.open(kit, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # it holds the secret
        file.write(packed)
    say(f"{kit}: the kit of {hub}. 里面有密钥，请妥善保管。 It holds the secret; keep it safe.")
