"""`shouwang drill …`: a button that calls, a message that arrives, both tried out while nothing happens."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

import typer

from gateway.commands import Config, Office, State, Who, office, say
from gateway.domain import ButtonTest, Delivery, Stage

drills = typer.Typer(help="Drills: who can be reached, which button calls. 演练", no_args_is_help=True)

Wait = Annotated[float, typer.Option("--wait", min=0, help="minutes to wait for the answer; 0 does not wait")]

LOOK_EVERY_S = 1.0

T = TypeVar("T")


@drills.command("person")
def drill_person(
    person: Annotated[str, typer.Argument(help="their id; `shouwang people list` names them")],
    wait: Wait = 10,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Send a marked message by everything that reaches a person, and wait until they answer it. 响应人演练"""
    with office(config, state) as here:
        from alerts.drills import drill

        found = here.reachable(person)
        sent = drill(_desk(here), found, who, here.now)
        ids = {message.id for message in sent}

        def answered() -> list[Delivery] | None:
            ways = [d for d in here.stores.alerts.trials(person) if d.id in ids]
            return ways if any(d.answered_at for d in ways) else None

        _await(answered, wait)
        ways = [d for d in here.stores.alerts.trials(person) if d.id in ids]
        for delivery in ways:
            say(f"{delivery.id.rpartition('/')[2]:16} {_stage(delivery)}")
        if wait and not any(d.answered_at for d in ways):
            raise typer.Exit(1)


@drills.command("button")
def drill_button(
    home: Annotated[str, typer.Argument(help="the home's id")],
    minutes: Annotated[float, typer.Option("--minutes", min=1, max=30, help="how long the test stays open")] = 10,
    wait: Annotated[bool, typer.Option(help="wait until every button was pressed")] = True,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Announce a test of a home's emergency buttons: the first press of each is kept and calls nobody. 按钮自检"""
    with office(config, state) as here:
        line = here.registrar.announce_button_test(
            here.home(home).id, here.now + timedelta(minutes=minutes), who=who, now=here.now
        )
        wanted = set(line.value.split(","))
        say(f"Press now, each button once: {', '.join(sorted(wanted))}. A minute after its test a press is real again.")

        def pressed() -> list[ButtonTest] | None:
            tests = [t for t in here.stores.alerts.button_tests(home) if t.at >= line.since]
            return tests if {t.sensor for t in tests} >= wanted else None

        if not wait:
            return
        _await(pressed, minutes)
        heard = {t.sensor: t.at for t in here.stores.alerts.button_tests(home) if t.at >= line.since}
        for sensor in sorted(wanted):
            say(f"{sensor:24} {_there(heard[sensor], here, home) if sensor in heard else 'not heard'}")
        if heard.keys() < wanted:
            raise typer.Exit(1)


@drills.command("list")
def drill_list(
    all_: Annotated[bool, typer.Option("--all", help="also what is in order")] = False,
    config: Config = None,
    state: State = None,
) -> None:
    """Ways and buttons that were not proven within a month, the worst first. 逾期清单"""
    with office(config, state) as here:
        from alerts.drills import button_lines, responders, way_lines

        registry, alerts = here.stores.registry, here.stores.alerts
        for way in way_lines(responders(registry), alerts.trials(), here.now):
            if all_ or way.standing.is_due:
                last = f"{way.last.created_at:%Y-%m-%d %H:%M}" if way.last else "-"
                say(f"{way.standing.value:12} {way.person.id:16} {way.reach.channel:16} {last}")
        plans = registry.plans((home.id for home in registry.homes()), here.now)
        for button in button_lines(registry.homes(), alerts.button_tests(), plans, here.now):
            if all_ or button.is_due:
                last = f"{button.last.at:%Y-%m-%d %H:%M}" if button.last else "-"
                say(f"{'due' if button.is_due else 'well':12} {button.home.id:16} {button.sensor.id:16} {last}")


def _desk(here: Office):  # type: ignore[no-untyped-def]
    from alerts.desk import Desk

    return Desk(here.stores.alerts, here.stores.registry)


def _await(look: Callable[[], T | None], minutes: float) -> T | None:
    """Look again and again until there is something, or the time is over."""
    until = time.monotonic() + minutes * 60
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
    return found


def _stage(delivery: Delivery) -> str:
    at = {Stage.SENT: delivery.sent_at, Stage.DELIVERED: delivery.delivered_at, Stage.OPENED: delivery.opened_at}
    moment = {**at, Stage.ANSWERED: delivery.answered_at, Stage.FAILED: delivery.failed_at}.get(delivery.stage)
    told = f"{delivery.stage.value:10} {moment:%H:%M:%S}" if moment else delivery.stage.value
    return f"{told}  {delivery.reason}".rstrip()


def _there(at: datetime, here: Office, home: str) -> str:
    return f"heard {at.astimezone(here.home(home).zone):%H:%M:%S}"
