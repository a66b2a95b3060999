"""`shouwang mirror`: how far the copy in InfluxDB has come, and whether it holds what the readings hold."""

from datetime import timedelta
from typing import Annotated

import typer

from gateway.commands import Config, State, office, say
from gateway.config import Refused


def mirror(
    check: Annotated[str, typer.Option("--check", help="a home whose hours are compared there and here")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="so far back")] = 30,
    config: Config = None,
    state: State = None,
) -> None:
    """How the mirror in InfluxDB is, and whether it agrees. 镜像"""
    from gateway.mirror import how_it_is
    from gateway.stores import SUMMED_UP
    from gateway.stores.influx import Influx, InfluxHistory, TryAgain

    with office(config, state) as here:
        part = here.settings.influx
        if not part.url:
            raise Refused("influx.url is not set: there is no mirror.")
        told = how_it_is(here.settings.state, here.now)
        if told is None:
            say("the mirror has never run")
        else:
            say(f"{told['behind']} readings behind, as of {told['age_s']} s ago; {told['refused']} lines refused")
            if told["trouble"]:
                say(f"it waits since {told['since']}: {told['trouble']}")
        if not check:
            return
        home, until = here.home(check), here.now - timedelta(hours=2)  # what is newer may be under way
        asked = (home.id, until - timedelta(days=days), until, sorted(SUMMED_UP))
        try:
            there = InfluxHistory(Influx(part.url, part.token.get_secret_value(), part.org, part.bucket)).hours(*asked)
        except TryAgain as error:
            raise Refused(f"{part.url} does not answer: {error.reason}") from None
        ours = {(hour.begins, hour.sensor, hour.kind): hour.count for hour in here.stores.readings.hours(*asked)}
        theirs = {(hour.begins, hour.sensor, hour.kind): hour.count for hour in there}
        wrong = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key, 0) != theirs.get(key, 0))
        for key in wrong:
            begins, sensor, kind = key
            counts = f"{ours.get(key, 0)} here, {theirs.get(key, 0)} there"
            say(f"{begins:%Y-%m-%d %H:00} UTC  {sensor}  {kind.value}: {counts}")
        if wrong:
            raise typer.Exit(1)
        say(f"{sum(ours.values())} readings in {len(ours)} hours agree")
