"""`shouwang tell PERSON`: whether a message would arrive, tried on a quiet afternoon."""

import asyncio
import time
from typing import Annotated

import typer

from gateway.commands import Config, Office, State, Who, office, say
from gateway.domain import Act, Person


def tell(
    person: Annotated[str, typer.Argument(help="their id; `shouwang people list` names them")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Send a test message by everything that reaches a person, and print what each channel said. 测试通知"""
    with office(config, state) as here:
        found = here.reachable(person)
        with here.stores.registry.begin() as ledger:
            ledger.audit(Act(at=here.now, who=who, what="tell", ref=person))
        if not asyncio.run(_tell(found, here)):
            raise typer.Exit(1)


async def _tell(person: Person, here: Office) -> bool:
    """One after the other, so that it is seen which telephone rings for which line. Whether all of them were sent."""
    from alerts.tell import tests_for, tried
    from alerts.wording import reason_text
    from gateway.app import channels
    from gateway.clock import SystemClock

    all_sent, clock = True, SystemClock()
    async with channels(here.settings, clock) as ready:
        for way, test in tests_for(person, here.now):
            began = time.monotonic()
            told = await tried(test, person, ready, clock)
            with here.stores.alerts.begin() as ledger:
                ledger.queue(told)  # as it ended: nothing is left to be carried, and the list of drills knows it
            all_sent = all_sent and not told.reason
            words = reason_text(told.reason, here.settings.language) if told.reason else "已发 sent"
            say(f"{way:16} {words}  ({time.monotonic() - began:.1f} s)")
    return all_sent
