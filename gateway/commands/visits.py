"""`shouwang visits …`: to whom somebody has to go without being called, and what was noted of a visit. 探访"""

from datetime import date, datetime, time
from typing import Annotated

import typer

from gateway.commands import Config, State, Who, moment, office, one_of, say
from gateway.config import Refused
from gateway.domain import Elder
from gateway.domain.plan import VISIT_ON, YES
from gateway.domain.visit import Visit

visits = typer.Typer(help="Planned visits: what is due, and what was noted. 探访", no_args_is_help=True)

HomeId = Annotated[str, typer.Argument(help="the home's id; `shouwang homes list` names them")]


@visits.command("list")
def list_due(
    all: Annotated[bool, typer.Option("--all", help="also what is not due yet")] = False,
    config: Config = None,
    state: State = None,
) -> None:
    """Say where somebody has to go, what is due first in front. 到期清单"""
    with office(config, state) as here:
        from alerts.visits import planned

        registry = here.stores.registry
        dues = planned(registry.homes(), registry, here.stores.alerts.last_visits(), here.now)
        shown = [due for due in dues if all or due.is_due(here.now)]
        for due in shown:
            last = f"{due.last.at.astimezone(due.home.zone):%Y-%m-%d} {due.last.person}" if due.last else "never"
            at = f"{due.at.astimezone(due.home.zone):%Y-%m-%d}" if due.at else "now"
            say(f"{due.home.id:20} {due.home.name:12} due {at:12} last {last}")
        if not shown:
            say("Nobody has to go anywhere.")


@visits.command("done")
def note(
    home: HomeId,
    person: Annotated[str, typer.Option("--person", help="who went there; `shouwang people list` names them")],
    elder: Annotated[
        str, typer.Option("--elder", help="how the resident is: well, needs-help, not-reached …")
    ] = "well",
    note: Annotated[str, typer.Option("--note")] = "",
    at: Annotated[str, typer.Option("--at", help="when, by the clock there; now where nothing is said")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Note a visit. Whatever said that one was due is settled by it. 登记探访"""
    with office(config, state) as here:
        from alerts.desk import Desk

        found, visitor = here.home(home), here.person(person)
        when = (moment(at, found.zone) if at else here.now).replace(second=0, microsecond=0)
        if when > here.now:
            raise Refused(f"A visit is noted when somebody was there, and {at} has not come yet.")
        kept = Visit(
            home=found.id, at=when, person=visitor.id, elder=one_of(Elder, elder, "state of a resident"), note=note
        )
        Desk(here.stores.alerts, here.stores.registry).visited(kept, here.now, by=who)
        say(f"{found.name}: noted for {when.astimezone(found.zone):%Y-%m-%d %H:%M}.")


@visits.command("on")
def set_day(
    home: HomeId,
    day: Annotated[str, typer.Argument(help="2026-10-18")],
    why: Annotated[str, typer.Option("--why", help="重阳, 出院, 高温")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Set a day on which somebody has to go there, beside the usual visits. 定日探访"""
    with office(config, state) as here:
        found = here.home(home)
        try:
            wanted = date.fromisoformat(day)
        except ValueError:
            raise Refused(f"{day!r} is no date; 2026-10-18 is one.") from None
        since = max(datetime.combine(wanted, time(8), found.zone), here.now)
        here.registrar.plans.put(found.id, VISIT_ON, YES, since=since, why=why, who=who, now=here.now)
        say(f"{found.name}: a visit on {wanted}.")


@visits.command("show")
def show(home: HomeId, config: Config = None, state: State = None) -> None:
    """Say who was there and how the resident was, the oldest first. 探访记录"""
    with office(config, state) as here:
        found = here.home(home)
        for visit in here.stores.alerts.visits(found.id):
            at = f"{visit.at.astimezone(found.zone):%Y-%m-%d %H:%M}"
            say(f"{at} {visit.person:12} {visit.elder.value:12} {visit.note}".rstrip())
