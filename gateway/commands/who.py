"""`shouwang who HOME --at "Sunday 03:00"`: who would be called, in which order, through what, and why."""

from datetime import timedelta
from typing import Annotated

import typer

from gateway.commands import Config, Office, State, office, say
from gateway.config import Refused
from gateway.domain import Home


def who(
    home: Annotated[str, typer.Argument(help="the home's id or its household code")],
    at: Annotated[str, typer.Option("--at", help="when: 'Sunday 03:00', '周日 03:00', '2026-03-15 03:00'")] = "now",
    code: Annotated[str, typer.Option("--code", help="what would be found: sos, smoke, inactivity …")] = "sos",
    config: Config = None,
    state: State = None,
) -> None:
    """Say who would be called about a home, in which order, through what, and why. Nobody is told. 会通知谁"""
    from alerts import wording, words_rota
    from alerts.catalogue import Catalogue
    from alerts.who import moment, rehearse
    from gateway.stores.memory import MemoryAlerts

    with office(config, state) as here:
        place = _home(home, here)
        if code not in Catalogue().codes():
            raise Refused(f"{code!r} is no alert; there are {Catalogue().codes()}.")
        try:
            when = moment(at, place.zone, here.now)
        except ValueError as error:
            raise Refused(str(error)) from None
        language = here.settings.language
        said = rehearse(place, when, here.stores.registry, MemoryAlerts(), code=code, call=here.settings.call)
        title = f"{place.name} {place.code} · {wording.alert_name(code, language)}"
        say(f"{title} · {when.astimezone(place.zone):%Y-%m-%d %a %H:%M} {place.zone.key}")
        if said.held:
            say(wording.say(language, words_rota.NOBODY_NOW))
            return
        for rung in said.rungs:
            duties = " + ".join(wording.duty_name(duty, language) for duty in rung.duties)
            say(
                f"{_after(rung.after):>8}  {duties}"
                + ("" if rung.called else f"  ({wording.say(language, words_rota.EMPTY)})")
            )
            for one in rung.called:
                ways = ", ".join(f"{w.channel} +{_after(w.after)}" if w.after else w.channel for w in one.ways)
                told = ways or wording.say(language, words_rota.NO_WAY)
                why = words_rota.why(one, place.zone, language, here.stores.registry, when)
                say(f"          {one.person.name} ({one.person.id})  {told}  – {why}")
        if said.again_after is not None:
            say(f"{_after(said.again_after):>8}  {wording.say(language, words_rota.AGAIN)}")


def _home(name: str, here: Office) -> Home:
    by_code = next((h for h in here.stores.registry.homes() if h.code == name), None)
    return by_code or here.home(name)


def _after(span: timedelta) -> str:
    """Seconds from the beginning, with minutes where there are many."""
    whole = int(span.total_seconds())
    return f"{whole} s" if whole < 600 else f"{whole // 60} min"
