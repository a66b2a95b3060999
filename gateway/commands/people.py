"""`shouwang people …`: who is there, who can be called for what, and who may sign in."""

from enum import StrEnum
from typing import Annotated

import typer

from alerts.routing import tried_at, ways_of
from gateway.commands import Config, Office, State, Who, office, one_of, say
from gateway.config import Refused
from gateway.domain import Act, Consent, Duty, Person, Reach
from gateway.sheets.columns import waits

people = typer.Typer(help="People, their duties and their accounts. 人员", no_args_is_help=True)


@people.command("list")
def people_list(config: Config = None, state: State = None) -> None:
    """Everybody with their duties, telephones and ways to be told, and whether they can sign in."""
    with office(config, state) as here:
        registry = here.stores.registry
        for person in registry.people():
            duties = ", ".join(f"{duty.value} {grid}".strip() for duty, grid in registry.duties(person.id, here.now))
            ways = ", ".join(name for name, _ in ways_of(person))
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


@people.command("first")
def people_first(
    person: str,
    way: Annotated[str, typer.Argument(help="as `people list` names it: wecom_app; of two of a channel, wecom_app.2")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Which of somebody's ways is tried first from now on; the others follow in the order in which they stand."""
    with office(config, state) as here:
        known = here.person(person)
        ways = [name for name, _ in ways_of(known)]
        if way not in ways:
            raise Refused(f"{person} has no way {way!r}; there are {ways}.")
        here.registrar.put_person(tried_at(known, way, 0), who=who, now=here.now)


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
    person: Annotated[str, typer.Argument(help="their id; whoever works for us signs in with it")],
    duty: Annotated[
        str, typer.Option("--duty", help="what the pages show them: installer, grid_worker, family, elder …")
    ] = "installer",
    place: Annotated[
        str, typer.Option("--place", "--grid", help="of which grid or area they see the homes; empty: of all")
    ] = "",
    name: Annotated[str, typer.Option("--name", help="for somebody who is not registered yet")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Print a one-time link with which somebody chooses a password and can sign in from then on."""
    from dashboard.auth import login_of, make_join_link
    from dashboard.scope import ROLES
    from gateway.clock import SystemClock

    with office(config, state) as here:
        wanted = one_of(Duty, duty, "duty")
        if wanted not in ROLES:
            raise Refused(f"Nobody signs in as {duty!r}; there are {[role.value for role in ROLES]}.")
        registry, belongs = here.stores.registry, wanted in (Duty.ELDER, Duty.FAMILY)
        known = registry.person(person) or registry.person(login_of(person))
        if known is None and (belongs or not name):
            raise Refused(f"There is nobody {person!r}; name them with --name, or register them with `people put`.")
        # Who belongs to a household sees that one, and signs in with the number they know.
        login = login_of(next(iter(registry.phones(known.id)), known.id) if belongs and known else person)
        if here.stores.accounts.account(login) is not None:
            raise Refused(
                f"There is an account {login!r} already; `shouwang link --reset {login}` sets a new password."
            )
        if not belongs:
            _known_place(here, place)
            known = known or Person(id=login, name=name, language=here.settings.language)
            held = registry.duties(known.id, here.now)
            duties = held if (wanted, place) in held else [*held, (wanted, place)]
            here.registrar.put_person(known, duties=duties, who=who, now=here.now)
        assert known is not None
        link = make_join_link(
            here.stores.accounts,
            SystemClock(),
            here.settings.base_url,
            login,
            wanted,
            "" if belongs else place,
            person=known.id,
        )
        say(f"{link}\n三天内打开一次有效。 It opens once, within three days.")


@people.command("account")
def people_account(
    login: Annotated[str, typer.Argument(help="the name with which they sign in; none: all accounts are listed")] = "",
    sign_out: Annotated[bool, typer.Option("--sign-out", help="end their sessions in every browser")] = False,
    shut: Annotated[bool, typer.Option("--shut", help="nobody signs in with it any more")] = False,
    open_: Annotated[bool, typer.Option("--open", help="undo --shut")] = False,
    without_figures: Annotated[
        bool, typer.Option("--without-figures", help="the telephone with the second step is lost")
    ] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Who may sign in and where they are signed in; shut an account, or end what is open."""
    from dataclasses import replace

    from dashboard.auth import end_invitations, login_of

    with office(config, state) as here:
        accounts = here.stores.accounts
        asked = accounts.account(login_of(login)) if login else None
        if login and asked is None:
            raise Refused(f"There is no account {login!r}; `shouwang people account` lists them.")
        if asked is not None:
            done = [
                word
                for word, wanted in (
                    ("signed-out", sign_out),
                    ("shut", shut),
                    ("open", open_),
                    ("figures-off", without_figures),
                )
                if wanted
            ]
            if shut and open_:
                raise Refused("Say --shut or --open, not both.")
            if shut or open_:
                asked = replace(asked, disabled_at=here.now if shut else None)
                accounts.put(asked)
            if shut or sign_out:
                accounts.end_sessions(asked.login)
            if shut:
                end_invitations(accounts, asked.login, here.now)
            if without_figures:
                accounts.drop_second_step(asked.login)
            with here.stores.registry.begin() as ledger:
                for word in done:
                    ledger.audit(Act(at=here.now, who=who, what=f"account.{word}", ref=asked.login))
        for one in [asked] if asked else accounts.accounts():
            open_in = [session.browser or "?" for session in accounts.sessions(one.login, here.now)]
            step = "  asks for figures" if accounts.second_step(one.login) else ""
            is_shut = f"  shut since {one.disabled_at:%Y-%m-%d}" if one.disabled_at else ""
            place = one.place or "-"
            say(f"{one.login:16} {one.duty.value:12} {place:12} {'; '.join(open_in) or '-'}{step}{is_shut}")


def _known_place(here: Office, place: str) -> None:
    registry = here.stores.registry
    known = [grid.code for grid in registry.grids()] + [area.code for area in registry.areas()]
    if place and place not in known:
        raise Refused(f"There is no grid or area {place!r}; there are {known}.")
