"""`shouwang evaluate`: how well a rule does, before anybody is paged by it."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from detectors import DETECTORS
from gateway.commands import Config, Office, State, Who, office, say
from gateway.config import Refused, options_for
from gateway.domain import Home

evaluate = typer.Typer(
    help="How well a rule does: on stored history, on recordings, by what was found. 评估规则",
    invoke_without_command=True,
)

HomeId = Annotated[str, typer.Option("--home", help="one household; all otherwise")]
Weeks = Annotated[int, typer.Option("--weeks", min=1, max=104, help="how many weeks are counted")]


@evaluate.callback()
def history(
    context: typer.Context,
    rule: Annotated[str, typer.Option("--rule", help="a detector, such as inactivity")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="option=value; may be repeated")] = None,
    home: HomeId = "",
    weeks: Weeks = 4,
    config: Config = None,
    state: State = None,
) -> None:
    """Replay a rule over stored history with its present and with other settings: alerts per home-week."""
    if context.invoked_subcommand is not None:
        return
    if not rule:
        raise Refused("Name a rule with --rule, such as `shouwang evaluate --rule inactivity --set budget=2`.")
    if rule not in DETECTORS:
        raise Refused(f"There is no rule {rule!r}; there are {sorted(DETECTORS)}.")
    with office(config, state) as here:
        from gateway.hindsight import try_rule

        before = here.settings.detectors.get(rule, {})
        try:
            after = {**before, **options_for(rule, _assigned(set_ or []))}
        except ValueError as error:
            raise Refused(str(error)) from None
        say(f"{'home':16} {'weeks':>6} {'before':>8} {'after':>8}   per home-week")
        total = [0.0, 0, 0]
        for one in _homes(here, home):
            tried = try_rule(
                one,
                rule,
                before,
                after,
                readings=here.stores.readings,
                directory=here.stores.registry,
                weeks=weeks,
                now=here.now,
            )
            if not tried.weeks:
                continue
            total = [total[0] + tried.weeks, total[1] + len(tried.before), total[2] + len(tried.after)]
            say(_rates(one.id, tried.weeks, len(tried.before), len(tried.after)))
            for mark, some in (("-", tried.gone), ("+", tried.new)):
                for found in some:
                    say(f"    {mark} {found.at.astimezone(one.zone):%Y-%m-%d %H:%M}  {_plain(found.code)}")
        if not total[0]:
            raise Refused("Nothing is stored of these homes in this time.")
        say(_rates("all", total[0], int(total[1]), int(total[2])))


def _rates(name: str, weeks: float, before: int, after: int) -> str:
    return f"{name:16} {weeks:6.1f} {before / weeks:8.2f} {after / weeks:8.2f}"


def _plain(code: str) -> str:
    from detectors.shadow import SHADOW

    return code.removeprefix(SHADOW)


def _homes(here: Office, home: str) -> list[Home]:
    return [here.home(home)] if home else here.stores.registry.homes()


def _assigned(pairs: list[str]) -> dict[str, Any]:
    for pair in pairs:
        if "=" not in pair:
            raise Refused(f"{pair!r} sets nothing; it is written option=value, such as budget=2.")
    return dict(pair.split("=", 1) for pair in pairs)


# --------------------------------------------------------------------------- recordings


@evaluate.command("recordings")
def recordings(
    homes: Annotated[list[str], typer.Argument(help="name=format:path[:door,door[:days to learn]]")],
    zone: Annotated[str, typer.Option(help="where the recordings' wall clocks hung")] = "Asia/Shanghai",
    seed: Annotated[int, typer.Option(help="draws the incidents")] = 1,
    per_home: Annotated[int, typer.Option(min=20, max=2000, help="incidents of each sort in each home")] = 120,
    picture: Annotated[Path | None, typer.Option(help="write the curves here, as SVG")] = None,
) -> None:
    """Let somebody fall in recorded homes, by our rule and by the plain ones; one table, and the bars beside it."""
    from gateway.evaluate import Recorded, Report
    from gateway.evaluate import picture as drawn

    try:
        where = ZoneInfo(zone)
    except (KeyError, ValueError):
        raise Refused(f"{zone!r} is no time zone; Asia/Shanghai is one.") from None
    report = Report([Recorded.parse(text).lives(where) for text in homes])
    report.run(seed, per_home, say)
    for line in report.lines():
        say(line)
    if picture is not None:
        picture.write_text(drawn(report), encoding="utf-8")


# --------------------------------------------------------------------------- simulated homes


@evaluate.command("simulated")
def simulated(
    only: Annotated[list[str] | None, typer.Option("--only", help="one kind of trial; may be repeated")] = None,
    homes: Annotated[int, typer.Option(min=0, max=1000, help="so many homes each; 0: as many as it needs")] = 0,
    processes: Annotated[int, typer.Option(min=1, help="on so many cores")] = 1,
) -> None:
    """Let things happen in seeded homes that recorded ones cannot show; found, missed and false, by rule."""
    from gateway.trials import TRIALS, run_all, table

    names = list(only or TRIALS)
    if unknown := [name for name in names if name not in TRIALS]:
        raise Refused(f"There is no trial {unknown[0]!r}; there are {', '.join(TRIALS)}.")
    for line in table([life for _, lives in run_all(names, homes, processes) for life in lives]):
        say(line)


# --------------------------------------------------------------------------- verdicts


@evaluate.command("suggest")
def suggest(home: HomeId = "", weeks: Weeks = 12, config: Config = None, state: State = None) -> None:
    """How often each rule was right in each home, by what people found, and which limits might be better."""
    from gateway.hindsight import precisions, suggestions

    with office(config, state) as here:
        known = precisions(here.stores.alerts, here.now - timedelta(weeks=weeks), here.now, home or None)
        if not known:
            raise Refused("No alert of this time has been closed with an outcome yet.")
        say(f"{'home':16} {'rule':20} {'real':>5} {'false':>6} {'unsure':>7}   right")
        for one in known:
            share = "-" if one.share is None else f"{one.share:.0%}"
            say(f"{one.home:16} {one.code:20} {one.real:5} {one.false:6} {one.unsure:7}   {share}")
        for made in suggestions(known, _plans(here)):
            say(f"{made.home}: {made.key} {made.present:g} -> {made.value:g}, for {made.because.false} were false.")
            say(f"    shouwang evaluate accept {made.home} {made.code} --why ...")


@evaluate.command("accept")
def accept(
    home: str,
    code: Annotated[str, typer.Argument(help="the rule, such as bath_dwell")],
    why: Annotated[str, typer.Option("--why", help="the reason, for the plan and the audit trail")],
    weeks: Weeks = 12,
    who: Who = "cli",
    config: Config = None,
    state: State = None,
) -> None:
    """Write what is suggested for a rule into a household's plan."""
    from gateway.hindsight import precisions, suggestions

    with office(config, state) as here:
        here.home(home)
        known = precisions(here.stores.alerts, here.now - timedelta(weeks=weeks), here.now, home)
        made = next((one for one in suggestions(known, _plans(here)) if one.code == code), None)
        if made is None:
            raise Refused(f"Nothing is suggested for {code!r} in {home}; `shouwang evaluate suggest` says what is.")
        line = here.registrar.plans.put(home, made.key, f"{made.value:g}", why=why, who=who, now=here.now)
        say(f"{home}: {line.key} = {line.value}")


def _plans(here: Office) -> Mapping[str, Mapping[str, str]]:
    """What holds for each home at present."""
    registry = here.stores.registry
    return {home.id: {line.key: line.value for line in registry.plan(home.id, here.now)} for home in registry.homes()}


# --------------------------------------------------------------------------- shadows


@evaluate.command("shadow")
def shadow(home: HomeId = "", config: Config = None, state: State = None, limit: int = 50) -> None:
    """What the rules that run muted would have told, newest first."""
    from alerts.muted import heard_of

    with office(config, state) as here:
        for one in _homes(here, home):
            for act in heard_of(here.stores.alerts, one.id, limit):
                facts = dict(act.facts)
                when = f"{act.at.astimezone(one.zone):%Y-%m-%d %H:%M}"
                say(f"{one.id:16} {when}  {_plain(act.what)}  {facts.get('limit_s', '-')} s")
