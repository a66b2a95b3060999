"""`shouwang alerts`: what people do about alerts, at the terminal; the timeline, the clocks and the figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands import Config, Office, State, office, one_of, say
from gateway.config import Refused
from gateway.domain import Elder, Outcome

if TYPE_CHECKING:
    from alerts.desk import Desk
    from alerts.escalation import Verdict
    from dashboard.chronicle import Chronicle
    from dashboard.links import Links
    from dashboard.words import Tongue
    from gateway.domain import Alert

alerts = typer.Typer(
    help="Alerts: from the list to the file, with timeline, clocks and figures. 预警工单", no_args_is_help=True
)

AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="its id; `shouwang alerts list` shows it")]
Person = Annotated[str, typer.Argument(metavar="PERSON", help="who does it: a person's id")]
Why = Annotated[str, typer.Option("--why", help="for those who read it later")]
Note = Annotated[str, typer.Option("--note", help="what else is to be known")]


# --------------------------------------------------------------------------- looking


@alerts.command("list")
def alerts_list(
    config: Config = None,
    state: State = None,
    all_: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,
) -> None:
    """Alerts that are not closed, the worst first."""
    with office(config, state) as here:
        for alert in here.stores.alerts.alerts(unclosed=not all_):
            holder = f"  {'owner' if alert.owner else 'coordinator'} {alert.holder}" if alert.holder else ""
            when, what = f"{alert.raised_at:%m-%d %H:%M:%S}", f"{alert.state.value:11} x{alert.count}"
            within = f"  told in {alert.incident}" if alert.is_muted else ""
            say(f"{when}  {alert.severity.value}  {what} {alert.id}{holder}{within}")


@alerts.command("show")
def alerts_show(alert_id: AlertId, config: Config = None, state: State = None) -> None:
    """One alert: why, who was told, what was done, what is due."""
    from alerts import sla, wording

    with office(config, state) as here:
        alert, language = _alert(here, alert_id), here.settings.language
        home = here.stores.registry.home(alert.home)
        say(f"{alert.id}  severity {alert.severity.value}  {alert.state.value}  x{alert.count}")
        if home is not None:
            for line in wording.explain(alert.finding, language, home.zone, home):
                say(f"  {line}")
            for one in alert.also:
                why = wording.explain(one.finding, language, home.zone, home)[0]
                say(f"  + {one.finding.code} x{one.count}  {why}")
        if alert.is_muted:
            say(f"  told in {alert.incident}")
        for member in here.stores.alerts.members(alert.id):
            say(f"  for {member.id}  {member.state.value}")
        clock = sla.running(alert)
        if clock is not None:
            late = " LATE" if clock.is_breached(here.now) else ""
            say(f"  {clock.step.value} by {clock.due_at:%m-%d %H:%M:%S}{late}")
        for entry in here.stores.alerts.history(alert_id):
            say(f"  {entry.at:%m-%d %H:%M:%S}  {entry.what}  {entry.who}  {dict(entry.facts) or ''}")
        for delivery in here.stores.alerts.deliveries(alert_id):
            said = f"{delivery.purpose.value} {delivery.person} by {delivery.channel}"
            say(f"  {said}: {delivery.stage.value} {delivery.reason}")


@alerts.command("timeline")
def alerts_timeline(
    alert_id: AlertId,
    as_json: Annotated[bool, typer.Option("--json", help="everything as data, each line in every language")] = False,
    config: Config = None,
    state: State = None,
) -> None:
    """Readings, decisions, messages and people around one alert, in the order in which they happened."""
    with office(config, state) as here:
        alert, chronicle = _alert(here, alert_id), _chronicle(here)
        if as_json:
            say(json.dumps(chronicle.as_data(alert), ensure_ascii=False, indent=1))
            return
        home = here.stores.registry.home(alert.home)
        for line in chronicle.told(alert, _tongue(here)):
            at = line.at.astimezone(home.zone) if home else line.at
            say(f"{at:%m-%d %H:%M:%S}  {line.sort.value:8}  {line.text}")


@alerts.command("clocks")
def alerts_clocks(config: Config = None, state: State = None) -> None:
    """What is late, the worst first; then what is due next; then who is to be looked in on again."""
    from alerts import sla

    with office(config, state) as here:
        unclosed = here.stores.alerts.alerts(unclosed=True, limit=100_000)
        for alert, clock in sla.board([a for a in unclosed if sla.is_for_people(a)], here.now):
            late = f"late {clock.late(here.now)}" if clock.is_breached(here.now) else ""
            say(f"{clock.due_at:%m-%d %H:%M:%S}  {clock.step.value:7}  {alert.id}  {alert.holder}  {late}".rstrip())
        due = [(at, alert.id) for alert in unclosed if (at := sla.follow_up_due(alert)) is not None]
        for at, alert_id in sorted(due):
            say(f"{at:%m-%d %H:%M:%S}  look-in  {alert_id}  {'late' if at < here.now else ''}".rstrip())


@alerts.command("figures")
def alerts_figures(
    month: Annotated[str, typer.Option("--month", help="such as 2026-11; this month otherwise")] = "",
    grid: Annotated[str, typer.Option("--grid", help="of one grid only")] = "",
    csv: Annotated[Path | None, typer.Option("--csv", help="write a sheet here instead; - prints it")] = None,
    config: Config = None,
    state: State = None,
) -> None:
    """How fast people answered and came in a month, and how many alarms were false, for each grid."""
    from alerts import sla
    from dashboard.chronicle import percent, sheet
    from dashboard.printer import FALLBACK_ZONE

    with office(config, state) as here:
        month = month or sla.month_of(here.now, FALLBACK_ZONE)
        chronicle, tongue = _chronicle(here), _tongue(here)
        try:
            rows = chronicle.figures(month, lambda code: grid in ("", code))
        except ValueError:
            raise Refused(f"{month!r} is no month; 2026-11 is one.") from None
        if csv is not None:
            text = sheet(rows, tongue, chronicle.grid_name(tongue))
            if str(csv) == "-":
                say(text.replace("\r\n", "\n").rstrip("\n"))
            else:
                csv.write_text("\ufeff" + text, encoding="utf-8", newline="")
            return
        say(f"{'grid':12} {'alerts':>6}  {'60 s':>14} {'180 s':>14} {'15 min':>14} {'30 min':>14} {'false':>14}")
        for row in rows:
            shares = " ".join(f"{percent(share):>14}" for share in (*row.answered, *row.arrived, row.false))
            say(f"{row.grid or 'all':12} {row.alerts:>6}  {shares}")


# --------------------------------------------------------------------------- acting


@alerts.command("accept")
def alerts_accept(
    alert_id: AlertId,
    person: Person,
    afar: Annotated[bool, typer.Option("--afar", help="cannot go there: coordinates, and the ladder goes on")] = False,
    config: Config = None,
    state: State = None,
) -> None:
    """Take an alert on."""
    _act(
        config,
        state,
        lambda desk, here: desk.accept(alert_id, person, here.now, "cli", can_arrive=False if afar else None),
    )


@alerts.command("depart")
def alerts_depart(alert_id: AlertId, person: Person, config: Config = None, state: State = None) -> None:
    """Somebody has set off."""
    _act(config, state, lambda desk, here: desk.on_the_way(alert_id, person, here.now))


@alerts.command("arrive")
def alerts_arrive(
    alert_id: AlertId,
    person: Person,
    code: Annotated[str, typer.Option("--code", help="the six figures beside the door, as they were read out")] = "",
    config: Config = None,
    state: State = None,
) -> None:
    """Somebody is there; with the code of the door, where it was read out by telephone."""

    def arrive(desk: "Desk", here: Office) -> "Verdict":
        if code and code != _links(here).door_code(_alert(here, alert_id).home):
            raise Refused(f"{code!r} is not the code of this home's door; leave it out if it cannot be read.")
        return desk.on_site(alert_id, person, here.now, proof="code" if code else "")

    _act(config, state, arrive)


@alerts.command("cannot-go")
def alerts_cannot_go(
    alert_id: AlertId, person: Person, why: Why = "", config: Config = None, state: State = None
) -> None:
    """Whoever has it cannot go there after all: others are called anew."""
    _act(config, state, lambda desk, here: desk.cannot_go(alert_id, person, here.now, why=why))


@alerts.command("hand-over")
def alerts_hand_over(
    alert_id: AlertId,
    person: Person,
    to: Annotated[str, typer.Argument(metavar="TO", help="who has it from now on: a person's id")],
    why: Why = "",
    config: Config = None,
    state: State = None,
) -> None:
    """Give it to somebody else, who is told at once."""
    if not why.strip():
        raise Refused("Say with --why why it is handed over: whoever takes it reads that.")
    _act(config, state, lambda desk, here: desk.hand_over(alert_id, person, to, here.now, why=why.strip()))


@alerts.command("note")
def alerts_note(
    alert_id: AlertId,
    person: Person,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what is to be known")],
    config: Config = None,
    state: State = None,
) -> None:
    """Add a line to the history."""
    if not text.strip():
        raise Refused("An empty note says nothing; write a word or two.")
    _act(config, state, lambda desk, here: desk.note(alert_id, person, text, here.now))


@alerts.command("resolve")
def alerts_resolve(
    alert_id: AlertId,
    person: Person,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="one of the fixed codes")],
    note: Note = "",
    config: Config = None,
    state: State = None,
) -> None:
    """Write down what was found: OUTCOME is one of the fixed codes, such as assistance-given."""
    found = one_of(Outcome, outcome, "outcome")
    _act(config, state, lambda desk, here: desk.resolve(alert_id, person, found, note, here.now))


@alerts.command("follow-up")
def alerts_follow_up(
    alert_id: AlertId,
    person: Person,
    elder: Annotated[str, typer.Argument(metavar="STATE", help="how the resident is: well, needs-help …")],
    note: Note = "",
    config: Config = None,
    state: State = None,
) -> None:
    """Write down how the resident is when somebody looks in again."""
    facts = (("elder", one_of(Elder, elder, "state of a resident").value),)
    _act(config, state, lambda desk, here: desk.follow_up(alert_id, person, note, here.now, facts=facts))


@alerts.command("close")
def alerts_close(alert_id: AlertId, person: Person, config: Config = None, state: State = None) -> None:
    """Put a resolved alert on file; something real only after somebody has looked in again."""
    _act(config, state, lambda desk, here: desk.close(alert_id, person, here.now))


@alerts.command("card")
def alerts_card(alert_id: AlertId, person: Person, why: Why = "", config: Config = None, state: State = None) -> None:
    """Open the emergency card of the home: audited, told to whoever leads, and printed without its last 24 hours."""
    from alerts import card
    from dashboard.handover import DENIED, in_text

    with office(config, state) as here:
        alert, tongue = _alert(here, alert_id), _tongue(here)
        opening = card.disclose(here.stores.alerts, here.stores.registry, alert.id, person, why, here.now)
        if isinstance(opening, card.Denial):
            raise Refused(tongue.say(DENIED[opening]))
        for line in in_text(here.home(alert.home), here.stores.registry, tongue, here.now):
            say(line)


# --------------------------------------------------------------------------- small hands


def _alert(here: Office, alert_id: str) -> "Alert":
    alert = here.stores.alerts.alert(alert_id)
    if alert is None:
        raise Refused(f"There is no alert {alert_id!r}; `shouwang alerts list --all` names them.")
    return alert


def _chronicle(here: Office) -> "Chronicle":
    from dashboard.chronicle import Chronicle
    from dashboard.tally import Tally
    from gateway.clock import SystemClock

    stores = here.stores
    return Chronicle(stores.alerts, stores.registry, stores.readings, SystemClock(), Tally(stores.alerts))


def _links(here: Office) -> "Links":
    from dashboard.links import Links
    from gateway.app import page_secret
    from gateway.clock import SystemClock

    return Links(page_secret(here.settings.state), here.settings.base_url, SystemClock())


def _tongue(here: Office) -> "Tongue":
    from dashboard.words import Tongue

    return Tongue(here.settings.language)


def _act(config: Path | None, state: Path | None, act: "Callable[[Desk, Office], Verdict]") -> None:
    """One act, and what came of it in a sentence; exit code 1 where it was refused."""
    from alerts import wording
    from alerts.desk import Desk

    with office(config, state) as here:
        verdict = act(Desk(here.stores.alerts, here.stores.registry, call=here.settings.call), here)

        def name_of(person: str) -> str:
            found = here.stores.registry.person(person)
            return found.name if found else person

        say(wording.answer(verdict, here.settings.language, name_of))
        if not verdict.told:
            raise typer.Exit(1)
