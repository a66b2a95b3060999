"""`shouwang people …`: who is there, who can be called for what, and who may sign in."""

from enum import StrEnum
from typing import Annotated

import typer

from gateway.commands import Config, Office, State, Who, office, one_of, say
from gateway.config import Refused
from gateway.domain import Consent, Duty, Person, Reach
from gateway.sheets.columns import waits

people = typer.Typer(help="People, their duties and their accounts. 人员", no_args_is_help=True)


@people.command("list")
def people_list(config: Config = None, state: State = None) -> None:
    """Everybody with their duties, telephones and ways to be told, and whether they can sign in."""
    with office(config, state) as here:
        registry = here.stores.registry
        for person in registry.people():
            duties = ", ".join(f"{duty.value} {grid}".strip() for duty, grid in registry.duties(person.id, here.now))
            ways = ", ".join(reach.channel for reach in person.reaches)
            account = here.stores.accounts.account(person.id)
            signs_in = f"signs in as {account.duty.value}" if account else ""
            phones = " ".join(registry.phones(person.id))
            say(f"{person.id:16} {person.name:12} {duties or '-'}  {phones}  {ways}  {signs_in}".rstrip())


@people.command("put")
def people_put(
    person: Annotated[str, typer.Argument(help="their id, with which they would sign in")],
    name: Annotated[str, typer.Option("--name")] = "",
    phone: Annotated[list[str] | None, typer.Option("--phone", help="first choice first; may be repeated")] = None,
    duty: Annotated[list[str] | None, typer.Option("--duty", help="grid_worker:g-01; may be repeated")] = None,
    reach: Annotated[list[str] | None, typer.Option("--reach", help="webhook:https://…; may be repeated")] = None,
    language: Annotated[str, typer.Option("--language", help="zh or en")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Register somebody, or change them; what is not named stays as it is."""
    with office(config, state) as here:
        known = here.stores.registry.person(person)
        reaches = known.reaches if known else ()
        if reach:
            reaches = tuple(_reach(way) for way in reach)
        put = Person(
            id=person,
            name=name or (known.name if known else ""),
            language=language or (known.language if known else here.settings.language),
            reaches=reaches,
        )
        duties = None if duty is None else [(one_of(Duty, word, "duty"), grid) for word, grid in map(_two, duty)]
        here.registrar.put_person(put, phones=phones(phone), duties=duties, who=who, now=here.now)


def phones(given: list[str] | None) -> list[str] | None:
    """None leaves them as they are; `--phone ""` takes them away."""
    return None if given is None else [number for number in given if number]


def _reach(way: str) -> Reach:
    """`webhook:https://…`, or with the minutes that it waits for the ways before it: `+5 tencent_sms:138…`."""
    after, way = waits(way)
    channel, address = _two(way)
    return Reach(channel=channel, address=address, after=after)


def _two(text: str) -> tuple[str, str]:
    one, _, other = text.partition(":")
    return one, other


class Step(StrEnum):
    LIST = "list"
    GIVE = "give"
    WITHDRAW = "withdraw"


@people.command("consents")
def people_consents(
    person: str,
    step: Annotated[str, typer.Argument(help="list, give or withdraw")] = "list",
    number: Annotated[int, typer.Argument(help="which one is withdrawn")] = 0,
    purpose: Annotated[str, typer.Option("--purpose", help="whereabouts, sharing or health")] = "",
    by: Annotated[str, typer.Option("--by", help="who agreed, where it was not the person: a guardian")] = "",
    evidence: Annotated[str, typer.Option("--evidence", help="where the signed sheet lies")] = "",
    why: Annotated[str, typer.Option("--why", help="why it is withdrawn")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """What somebody has agreed to: list, give (what was signed on paper), withdraw."""
    from dashboard.walk import CONSENT_VERSION, PURPOSES

    with office(config, state) as here:
        match one_of(Step, step, "step; say list, give or withdraw"):
            case Step.LIST:
                for consent in here.stores.registry.consents(person):
                    stands = f"withdrawn {consent.withdrawn_at:%Y-%m-%d}" if consent.withdrawn_at else "holds"
                    given = f"{consent.given_at:%Y-%m-%d} by {consent.given_by}"
                    paper = consent.evidence.partition(":")[0]  # of a drawn signature only that there is one
                    say(f"{consent.number}  {consent.purpose:12} {consent.version}  {given}  {paper}  {stands}")
            case Step.GIVE:
                if purpose not in PURPOSES:
                    raise Refused(f"{purpose!r} is nothing one agrees to here; there are {list(PURPOSES)}.")
                if not evidence.strip():
                    raise Refused("Say with --evidence where the signed sheet lies; without it nobody can prove it.")
                consent = Consent(
                    person=person,
                    purpose=purpose,
                    version=CONSENT_VERSION,
                    given_at=here.now,
                    given_by=by or person,
                    evidence=f"paper:{evidence.strip()}",
                )
                say(str(here.registrar.give_consent(consent, who=who, now=here.now)))
            case Step.WITHDRAW:
                if not why.strip():
                    raise Refused("Say with --why, for the audit trail, why it is withdrawn.")
                here.registrar.withdraw_consent(person, number, why=why.strip(), who=who, now=here.now)


@people.command("invite")
def people_invite(
    person: Annotated[str, typer.Argument(help="their id: they will sign in with it")],
    duty: Annotated[
        str, typer.Option("--duty", help="what the pages show them: installer, grid_worker …")
    ] = "installer",
    grid: Annotated[str, typer.Option("--grid", help="of which grid they see the homes; empty: of all")] = "",
    name: Annotated[str, typer.Option("--name", help="for somebody who is not registered yet")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Print a one-time link with which somebody chooses a password and can sign in from then on."""
    from dashboard.auth import login_of, make_join_link
    from gateway.clock import SystemClock

    with office(config, state) as here:
        wanted, login = one_of(Duty, duty, "duty"), login_of(person)
        _known_grid(here, grid)
        registry = here.stores.registry
        if here.stores.accounts.account(login) is not None:
            raise Refused(
                f"There is an account {login!r} already; `shouwang link --reset {login}` sets a new password."
            )
        known = registry.person(login)
        if known is None and not name:
            raise Refused(f"There is nobody {login!r}; name them with --name, or register them with `people put`.")
        held = registry.duties(login, here.now)
        duties = held if (wanted, grid) in held else [*held, (wanted, grid)]
        here.registrar.put_person(
            known or Person(id=login, name=name, language=here.settings.language),
            duties=duties,
            who=who,
            now=here.now,
        )
        link = make_join_link(here.stores.accounts, SystemClock(), here.settings.base_url, login, wanted, grid)
        say(f"{link}\n三天内打开一次有效。 It opens once, within three days.")


def _known_grid(here: Office, grid: str) -> None:
    if grid and grid not in {known.code for known in here.stores.registry.grids()}:
        raise Refused(f"There is no grid {grid!r}; there are {[g.code for g in here.stores.registry.grids()]}.")
