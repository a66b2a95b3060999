"""`shouwang audit …`: who did or read what, and whether anybody has altered what stands there."""

import json
from datetime import UTC
from typing import Annotated

import typer

from gateway.commands import Config, State, moment, office, say
from gateway.config import Refused

audit = typer.Typer(help="The audit trail: look into it, and prove that it is whole. 审计", no_args_is_help=True)

WRONG = {
    "altered": "does not say what it said",
    "broken": "does not follow on the row before it: one was removed, put in or moved",
    "missing": "was noted elsewhere as the last, and is not there or is another",
}


@audit.command("verify")
def audit_verify(
    anchor: Annotated[
        list[str] | None, typer.Option("--anchor", help="1024:9f86…, from a log or from paper; may be repeated")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs: rows, anchors, and what is wrong")] = False,
    config: Config = None,
    state: State = None,
) -> None:
    """Go through all of it: every row by its hash, its place in the chain, and every end that was noted elsewhere."""
    from gateway import anchors
    from gateway.domain.trail import Anchor, examined

    with office(config, state) as here:
        try:
            ends = [*anchors.noted(here.settings.state), *(Anchor.of(text) for text in anchor or ())]
        except ValueError as error:
            raise Refused(str(error)) from error
        rows = list(here.privacy.trail())
        breaks = examined(rows, ends)
        if as_json:
            wrong = [(one.number, one.flaw.value) for one in breaks]
            say(json.dumps({"rows": len(rows), "anchors": len(ends), "breaks": wrong}))
            raise typer.Exit(1 if breaks else 0)
        for one in breaks:
            say(f"row {one.number} {WRONG[one.flaw.value]}")
        if breaks:
            raise typer.Exit(1)
        say(f"完整。 Whole: {len(rows)} rows, {len(ends)} anchors. End: {here.stores.alerts.trail_end() or '-'}")


@audit.command("anchor")
def audit_anchor(config: Config = None, state: State = None) -> None:
    """Print where the trail ends now: keep it where nobody here can reach it, and give it to `verify` one day."""
    with office(config, state) as here:
        say(str(here.stores.alerts.trail_end() or "-"))


@audit.command("search")
def audit_search(
    by: Annotated[str, typer.Option("--by", help="the id of whoever did it")] = "",
    what: Annotated[str, typer.Option("--what", help="how the act begins: read., consent., home.put")] = "",
    about: Annotated[str, typer.Option("--about", help="a home, a person, a device, an alert, by its id")] = "",
    since: Annotated[str, typer.Option("--since", help="2026-03-01")] = "",
    until: Annotated[str, typer.Option("--until", help="2026-04-01")] = "",
    limit: int = 100,
    config: Config = None,
    state: State = None,
) -> None:
    """The newest first: when, who, what, about what, why."""
    with office(config, state) as here:
        begins, ends = (moment(text, UTC) if text else None for text in (since, until))
        acts = here.stores.alerts.acts(about or None, limit, who=by, what=what, since=begins, until=ends)
        for act in acts:
            facts = " ".join(f"{name}={value}" for name, value in act.facts)
            say(f"{act.at:%Y-%m-%d %H:%M:%S}  {act.who:16} {act.what:24} {act.ref}  {act.why}  {facts}".rstrip())
