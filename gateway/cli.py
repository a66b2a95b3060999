"""The command `shouwang`: everything the gateway can do, from a terminal."""

import importlib.util
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import Config, State, existing, office, say, settings_of
from gateway.commands.alerts import alerts
from gateway.commands.audit import audit
from gateway.commands.backup import backup, restore
from gateway.commands.devices import devices
from gateway.commands.doctor import doctor
from gateway.commands.drill import drills
from gateway.commands.evaluate import evaluate
from gateway.commands.homes import homes
from gateway.commands.hubs import hubs
from gateway.commands.mirror import mirror
from gateway.commands.people import people
from gateway.commands.places import places
from gateway.commands.plan import plan
from gateway.commands.privacy import privacy
from gateway.commands.receipts import receipts
from gateway.commands.rollback import rollback
from gateway.commands.rota import rota
from gateway.commands.tell import tell
from gateway.commands.token import token
from gateway.commands.train_fall import train_fall
from gateway.commands.visits import visits
from gateway.commands.watchdog import watchdog
from gateway.commands.who import who
from gateway.config import ConfigError, Refused, Settings, load, problems, understood

app = typer.Typer(
    help="守望 Shouwang — watches over old people who live alone, and does not let go until somebody has come.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
RUNNING, LOOKED_AFTER, HOMES, CALLED, TRIED = (
    "Running",
    "Keeping it well",
    "Homes and people",
    "Alerts",
    "Trying it out",
)
"""The subjects of the commands, as `--help` shows them: those first that somebody needs first."""

Port = Annotated[int | None, typer.Option("--port", help="port of the pages; 0 takes a free one")]
MqttPort = Annotated[int | None, typer.Option("--mqtt-port", help="port of the embedded broker; 0 takes a free one")]


# --------------------------------------------------------------------------- running


class Alone(StrEnum):
    """A part that something else than our supervisor starts again, such as a unit of systemd."""

    BROKER = "broker"
    GATEWAY = "gateway"
    MIRROR = "mirror"


@app.command(rich_help_panel=RUNNING)
def run(
    config: Config = None,
    state: State = None,
    port: Port = None,
    mqtt_port: MqttPort = None,
    only: Annotated[Alone | None, typer.Option("--only", help="this part alone, for units of systemd")] = None,
) -> None:
    """Run the gateway, with its own broker unless the settings name another one. 启动网关"""
    settings = settings_of(config, state, port, mqtt_port)
    _refuse_problems(settings)
    if only is Alone.BROKER and settings.broker.url.get_secret_value():
        raise Refused("broker.url names another broker, so there is none of ours to run; stop this unit.")
    if only is Alone.MIRROR:
        if not settings.influx.url:
            raise Refused("influx.url names no server, so there is nothing to mirror to; stop this unit.")
        os.environ["SHOUWANG_STATE"] = str(settings.state.absolute())
        mirroring = [sys.executable, *_frugal(), "-m", "gateway.mirror", *_named(config)]
        os.execv(mirroring[0], mirroring)  # noqa: S606 - becomes the mirror
    from gateway import broker

    if not settings.broker.url.get_secret_value() and not broker.is_set_up(settings.state):
        from gateway.app import open_stores, ready_broker

        ready_broker(settings, open_stores(settings.state, settings.book))  # later starts know the hubs of the last run
    command = _supervisor(settings, config)
    if only is not None:
        ours, gateway = command[: command.index("--")], command[command.index("--") + 1 :]
        command = gateway if only is Alone.GATEWAY else [part for part in ours if part != "--mirror"]
    os.execv(command[0], command)  # noqa: S606 - becomes the small process; nothing of this one is needed


@app.command(rich_help_panel=RUNNING)
def demo(
    state: Annotated[Path, typer.Option(help="where the neighbourhood lives; it is made anew")] = Path("state/demo"),
    port: Annotated[int, typer.Option("--port", help="port of the pages; 0 takes a free one")] = 8080,
    mqtt_port: Annotated[int, typer.Option("--mqtt-port", help="port of the broker; 0 takes a free one")] = 1883,
    seed: Annotated[int, typer.Option(help="which neighbourhood")] = 7,
    pace: Annotated[float, typer.Option(min=0, help="days of history played in a second; 0: as fast as it can")] = 0,
    scenario: Annotated[str, typer.Option(help="morning: the prepared first two minutes; quiet: nothing prepared")] = (
        "morning"
    ),
) -> None:
    """Run the gateway with twelve simulated homes and their responders' phones. 演示"""
    from gateway import demo as stage
    from gateway.app import reserve

    with reserve("127.0.0.1", port) as probe:  # taken: say so before a history is played; 0: choose one now
        port = probe.getsockname()[1]
    os.environ.pop("SHOUWANG_DATABASE", None)  # made anew each time: it never touches a book with real homes
    settings = load(None, state=state, web={"port": port}, broker={"port": mqtt_port})
    _refuse_problems(settings)
    os.environ.setdefault("SHOUWANG_LOG", "warning")  # the address is to be seen, not the road
    prepared = stage.prepare(settings, seed=seed, scenario=scenario, pace=pace, say=say)
    raise typer.Exit(stage.run(prepared, _supervisor(settings, None, demo=True), say=say))


def _supervisor(settings: Settings, config: Path | None, *, demo: bool = False) -> list[str]:
    """The command line of the small process that keeps the broker and the gateway up; sets what both inherit."""
    os.environ["SHOUWANG_STATE"] = str(settings.state.absolute())
    os.environ["SHOUWANG_WEB__PORT"] = str(settings.web.port)
    python = [sys.executable, *_frugal()]
    gateway = [*python, "-m", "gateway.app", *_named(config)]
    if demo:
        gateway += ["--demo"]
    broker = settings.broker
    command = [*python, "-m", "gateway.supervisor", "--state", str(settings.state.absolute())]
    if broker.url.get_secret_value():
        command += ["--no-broker"]
    if settings.influx.url and not demo:
        command += ["--mirror", *_named(config)]
    command += ["--host", broker.host, "--port", str(broker.port)]
    if broker.cert and broker.key:
        command += ["--cert", str(broker.cert.absolute()), "--key", str(broker.key.absolute())]
    return [*command, "--", *gateway]


def _named(config: Path | None) -> list[str]:
    return [] if config is None else ["--config", str(config.absolute())]


def _frugal() -> list[str]:
    """Python's options for what runs for months: without docstrings and the columns of tracebacks, which are 5 MB.

    Only where what is compiled so is kept, or each start would take twice as long: in a folder of its own, which
    `scripts/setup` fills, or beside each source, as in the image or where somebody may write there.
    """
    options = ["-OO", "-X", "no_debug_ranges"]
    if (own := Path(sys.prefix, "pycache")).is_dir():
        return [*options, "-X", f"pycache_prefix={own}"]
    for source in (os.__file__, Path(__file__).with_name("__init__.py")):
        kept = Path(importlib.util.cache_from_source(source, optimization=2))
        if not kept.exists() and (sys.dont_write_bytecode or not os.access(kept.parent, os.W_OK)):
            return []
    return options


def _refuse_problems(settings: Settings) -> None:
    if wrong := problems(settings):
        raise ConfigError("\n".join(wrong))


@app.command(rich_help_panel=RUNNING)
def check(config: Config = None, state: State = None) -> None:
    """Print what the settings are understood to mean, and refuse nonsense in sentences. 检查配置"""
    settings = settings_of(config, state)
    for name, value, meaning in understood(settings):
        say(f"{name} = {value or '-'}{'   # ' + meaning if meaning else ''}")
    if wrong := [*problems(settings), *_who_hears_nothing(settings)]:
        raise ConfigError("\n".join(wrong))
    say("\n配置没有问题。 The settings are in order.")


def _who_hears_nothing(settings: Settings) -> list[str]:
    """People of a gateway that is there already, whom nothing would reach by one of their ways."""
    if not settings.book and not (settings.state / "gateway.db").exists():
        return []
    from alerts.channels import unreachable
    from gateway.app import open_stores

    return list(unreachable(open_stores(settings.state, settings.book).registry.people(), settings.ready_channels))


@app.command(rich_help_panel=RUNNING)
def link(
    reset: Annotated[str, typer.Option("--reset", help="the account whose password is lost")] = "",
    config: Config = None,
    state: State = None,
) -> None:
    """Make a one-time link: to set up the first administrator, or with --reset to choose a new password. 一次性链接"""
    from dashboard.app import make_setup_link
    from dashboard.auth import make_join_link
    from gateway.clock import SystemClock
    from gateway.domain import Duty

    with office(config, state) as here:
        accounts, address = here.stores.accounts, here.settings.base_url
        if reset:
            try:
                say(make_join_link(accounts, SystemClock(), address, reset, Duty.ADMIN, fresh=False))
            except ValueError as error:
                raise Refused(str(error)) from error
        elif accounts.count():
            raise Refused("This gateway has accounts already; --reset LOGIN makes a link to choose a new password.")
        else:
            say(make_setup_link(accounts, SystemClock(), address))


# --------------------------------------------------------------------------- simulation and recordings


@app.command(rich_help_panel=TRIED)
def simulate(
    seed: Annotated[int, typer.Option(help="the same seed gives the same week")] = 1,
    days: Annotated[int, typer.Option(min=1, max=60)] = 4,
    story: Annotated[bool, typer.Option(help="print what happened")] = True,
) -> None:
    """Live through a bad week in virtual time: the production program, its faults and its responders. 模拟"""
    from gateway.week import live_through_a_bad_week

    week = live_through_a_bad_week(seed, days=days)
    if story:
        for line in week.story:
            say(line)
    say(week.summary())
    if week.broken:
        for promise in week.broken:
            say(f"BROKEN: {promise}")
        raise typer.Exit(1)


@app.command(rich_help_panel=TRIED)
def replay(
    files: Annotated[list[Path], typer.Argument(help="recordings, one home a file; .gz too")],
    format: Annotated[str, typer.Option("--format", help="casas, ordonez, kasteren or stream")],
    home: Annotated[str, typer.Option(help="the home's name; the file's name otherwise")] = "",
    zone: Annotated[str, typer.Option(help="where the recording's wall clock hung")] = "Asia/Shanghai",
    exit: Annotated[list[str] | None, typer.Option("--exit", help="sensor at the entry door; may be repeated")] = None,
    alerts: Annotated[Path | None, typer.Option(help="write home,start,kind,reason here")] = None,
    via_mqtt: Annotated[bool, typer.Option("--via-mqtt", help="publish it to a real broker and take it in")] = False,
    state: Annotated[Path | None, typer.Option("--state", help="with --via-mqtt: where everything is kept")] = None,
) -> None:
    """Play a recorded home through the detectors in event time, or through the real broker. 回放"""
    from gateway.replay import replay_files, replay_via_mqtt

    if via_mqtt:
        replay_via_mqtt(files, format, home=home, zone=zone, exits=exit or [], state=state, say=say)
    else:
        replay_files(files, format, home=home, zone=zone, exits=exit or [], alerts=alerts, say=say)


@app.command(rich_help_panel=LOOKED_AFTER)
def quarantine(config: Config = None, state: State = None, limit: int = 50) -> None:
    """What could not be read or belongs to nobody we know, newest first. 隔离区"""
    from gateway.stores.readings import SqliteReadings

    for kept in SqliteReadings(existing(settings_of(config, state)) / "readings.db").quarantine(limit):
        head = kept.head[:60].decode("utf-8", "replace")
        say(f"{kept.at:%m-%d %H:%M:%S}  {kept.reason:16} x{kept.count:<6} {kept.size:>7} B  {kept.topic}  {head}")


# --------------------------------------------------------------------------- those with files of their own

for one in (doctor, watchdog, backup, restore, rollback, mirror, receipts):
    app.command(rich_help_panel=LOOKED_AFTER)(one)
app.command(rich_help_panel=CALLED)(who)
app.command(rich_help_panel=CALLED)(tell)
app.command(rich_help_panel=TRIED)(train_fall)
for panel, groups in {
    HOMES: {"homes": homes, "hubs": hubs, "devices": devices, "people": people, "places": places, "rota": rota,
            "plan": plan, "visits": visits, "privacy": privacy},
    CALLED: {"alerts": alerts, "drill": drills},
    LOOKED_AFTER: {"audit": audit, "token": token},
    TRIED: {"evaluate": evaluate},
}.items():  # fmt: skip
    for name, group in groups.items():
        app.add_typer(group, name=name, rich_help_panel=panel)


def main() -> None:
    """Entry point. What was asked wrongly is answered with a sentence and exit code 2, never a traceback."""
    from gateway.broker import BrokerError
    from gateway.registry import RegistrationError
    from gateway.stores import WrongBook

    try:
        app()
    except (ConfigError, Refused, RegistrationError, BrokerError, WrongBook) as error:
        typer.echo(f"{error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
