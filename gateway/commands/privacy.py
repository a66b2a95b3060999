"""`shouwang privacy …`: a copy of everything kept about somebody, its erasure, and the impact assessment."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import Config, State, Who, moment, office, one_of, say
from gateway.config import Refused
from gateway.keeping import Keeping, Kept, lines

privacy = typer.Typer(help="What a person may ask of whoever keeps their data. 个人信息", no_args_is_help=True)


@privacy.command("export")
def privacy_export(
    home: Annotated[str, typer.Argument(help="the home's id")],
    to: Annotated[Path, typer.Option("--to", help="the zip file to write; readable by you only")],
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Everything kept about a household and its resident, as one zip of plain files. 导出"""
    with office(config, state) as here:
        packed = here.privacy.export(home, who=who, now=here.now)
        try:
            descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Refused(f"{to} is there already; name another file.") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed)
        say(f"{to}  {len(packed)} B")


@privacy.command("erase")
def privacy_erase(
    home: Annotated[str, typer.Argument(help="the home's id")],
    why: Annotated[str, typer.Option("--why", help="who asked for it, and how; no name")],
    sure: Annotated[bool, typer.Option("--sure", help="nothing of it can be brought back")] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Forget a household and its resident: readings, alerts, file, pictures, accounts. 删除"""
    if not sure:
        raise Refused("Nothing of it can be brought back. Say --sure, after `shouwang privacy export` where wanted.")
    with office(config, state) as here:
        erased = here.privacy.erase(home, why=why, who=who, now=here.now)
        counts = ", ".join(f"{count} {name}" for name, count in sorted(erased.counts.items()))
        say(f"已删除。 Erased: {counts}. The proof stands in the audit trail as {erased.stand_in}.")
        if here.settings.influx.url:
            say(f'InfluxDB 中的读数需另行删除。 Delete its readings in InfluxDB too: home="{home}".')


@privacy.command("keep")
def privacy_keep(
    home: Annotated[str, typer.Argument(help="the home's id; without it what holds of all homes is listed")] = "",
    kind: Annotated[str, typer.Argument(help="readings, hours or alerts")] = "",
    days: Annotated[int, typer.Option("--days", help="so long its records of this kind are kept")] = 0,
    until: Annotated[str, typer.Option("--until", help="ends then; needed for longer than the settings say")] = "",
    why: Annotated[str, typer.Option("--why", help="who asked for it; no name")] = "",
    end: Annotated[bool, typer.Option("--end", help="from now on the settings hold here too")] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Keep one household's records for a shorter or a longer time than the others'. 留存"""
    with office(config, state) as here:
        registry, now = here.stores.registry, here.now
        if not home:
            for which, line in lines(registry, now):
                ends = f"{line.until:%Y-%m-%d}" if line.until else "open end"
                say(f"{line.home:16} {_plain(which):10} {line.value:>5} days – {ends}  {line.author}: {line.reason}")
            return
        zone = here.home(home).zone
        which = one_of(Kept, f"keep_{kind}", "kind of record (readings, hours, alerts)")
        keeping = Keeping(registry, {one: getattr(here.settings.retention, _plain(one)) for one in Kept})
        if end:
            keeping.end(home, which, why=why, who=who, now=now)
        else:
            last = moment(until, zone) if until else None
            keeping.keep(home, which, days, last, why=why, who=who, now=now)


def _plain(kind: Kept) -> str:
    """As the settings call it."""
    return kind.value.removeprefix("keep_")


@privacy.command("assessment")
def privacy_assessment(
    language: Annotated[str, typer.Option("--language", help="zh or en; empty: the language of the settings")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """The impact assessment, from what is registered and set here; each version is kept. 影响评估"""
    from gateway.assessment import Setup, assessment, keep

    with office(config, state) as here:
        settings, stores = here.settings, here.stores
        setup = Setup(
            channels=settings.ready_channels,
            retention=dict(settings.retention),
            is_https=settings.base_url.startswith("https://"),
            is_mirrored=bool(settings.influx.url),
            is_elsewhere=bool(settings.database.get_secret_value()),
        )
        spoken = language or settings.language
        text, version = assessment(setup, stores.registry, stores.accounts, stores.alerts, spoken, here.now)
        path = keep(settings.state, text, version, stores.alerts, who=who, now=here.now)
        say(f"{text}\n{path}")
