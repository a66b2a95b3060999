"""`shouwang token …`: what other programs come in by, what for, where and until when."""

from typing import Annotated

import typer

from gateway.commands import Config, Office, State, Who, office, one_of, say
from gateway.config import Refused

token = typer.Typer(help="Tokens of other programs: make, list and revoke them. 接口令牌", no_args_is_help=True)


@token.command("make")
def token_make(
    name: Annotated[str, typer.Argument(help="the program's name, as it will stand in the audit trail: city-platform")],
    right: Annotated[list[str], typer.Option("--right", help="homes:read, alerts:act …; may be repeated")],
    place: Annotated[
        str, typer.Option("--place", help="a grid, or an area with all below it; nothing: everywhere")
    ] = "",
    days: Annotated[int, typer.Option("--days", help="how long it opens; 730 at most")] = 365,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Make a token and print it: it is shown this once and kept nowhere."""
    from dashboard.keys import Right, make_token

    with office(config, state) as here:
        registry = here.stores.registry
        places = {grid.code for grid in registry.grids()} | {area.code for area in registry.areas()}
        if place and place not in places:
            raise Refused(f"There is no grid or area {place!r}; `shouwang homes list` names those with homes.")
        rights = [one_of(Right, word, "right of a token") for word in right]
        try:
            made, secret = make_token(here.stores.accounts, here.now, name, rights, place, days, who)
        except ValueError as error:
            raise Refused(str(error)) from error
        _note(here, who, "token.made", made.id, (("name", name), ("rights", " ".join(made.rights)), ("place", place)))
        say(secret)
        say(f"{made.id}  {made.name}  {place or '*'}  until {made.expires_at:%Y-%m-%d}  {' '.join(made.rights)}")


@token.command("list")
def token_list(config: Config = None, state: State = None) -> None:
    """All that were made: id, name, place, until when, what for, when used last."""
    with office(config, state) as here:
        for one in here.stores.accounts.tokens():
            ends = f"revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else f"until {one.expires_at:%Y-%m-%d}"
            used = f"used {one.last_used_at:%Y-%m-%d %H:%M}" if one.last_used_at else "never used"
            say(f"{one.id}  {one.name:20} {one.place or '*':12} {ends:20} {used:22} {' '.join(one.rights)}")


@token.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(help="its id, as `token list` prints it")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """From now on it opens nothing. It stays on the list, for the audit trail names it."""
    from dashboard.keys import revoke

    with office(config, state) as here:
        gone = revoke(here.stores.accounts, token_id, here.now)
        if gone is None:
            raise Refused(f"There is no token {token_id!r}; `shouwang token list` names them.")
        _note(here, who, "token.revoked", gone.id, (("name", gone.name),))
        say(f"{gone.id}  {gone.name}  revoked {gone.revoked_at:%Y-%m-%d %H:%M}")


def _note(here: Office, who: str, what: str, ref: str, facts: tuple[tuple[str, str], ...]) -> None:
    from gateway.domain import Act

    with here.stores.registry.begin() as ledger:
        ledger.audit(Act(at=here.now, who=who, what=what, ref=ref, facts=facts))
