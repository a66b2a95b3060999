"""Composition root: opens the stores, builds the road, starts what runs beside it. One process.

Started by the supervisor as `python -m gateway.app`. The road comes first and the pages last, because a press that
waits in the broker must not wait for templates to be loaded.
"""

import argparse
import asyncio
import contextlib
import errno
import gc
import importlib
import logging
import os
import secrets
import signal
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    # What libraries bring along where they find it and nothing here asks for: colours, a command line, the models of an
    # older pydantic, threads of another kind. Megabytes, and a tenth of a second of every start.
    sys.modules.update(dict.fromkeys(("rich", "httpx._main", "pydantic.v1", "greenlet")))  # type: ignore[arg-type]
    gc.disable()  # what is imported stays: to look through it again and again would take a tenth of the start

from alerts.catalogue import Catalogue
from alerts.channels import make as make_channel
from alerts.courier import Courier
from alerts.desk import Desk
from alerts.maintenance import has_passed
from gateway import broker, upkeep
from gateway.clock import SystemClock
from gateway.config import ConfigError, Settings, load, problems
from gateway.domain import SIGNS_OF_LIFE, Alert, Delivery, Finding, Reach, last_sign
from gateway.domain.endpoint import Endpoint
from gateway.health import Health
from gateway.log import set_up_log
from gateway.pipeline import Pipeline
from gateway.ports import (
    AccountStore,
    AlertStore,
    Channel,
    Clock,
    History,
    ReadingStore,
    RegistryStore,
    Source,
    TryLater,
)
from gateway.privacy import Privacy
from gateway.pulse import HEARTBEAT, SignOfLife
from gateway.registry import Registry
from gateway.rescue import (
    READINGS,
    Wish,
    is_short,
    note_missing,
    rescue,
)
from gateway.reserve import Reserve, takes_writes
from gateway.road import Road
from gateway.sheets import STANDARD_LEVELS
from gateway.stores import WrongBook
from ingest.intake import Intake
from ingest.mqtt import MqttSource, queue_warning
from ingest.post import MqttPost

log = logging.getLogger(__name__)

BEAT_EVERY_S = 1.0
"""From one sign of life to the next."""

YOUNG, OLDER, NEVER = 5_000, 2, 1_000_000
"""When Python looks for what nobody can reach any more, beside the look after each tick (`gateway.road`). Looking
through everything that a thousand homes remember takes 150 ms, in which no press is heard, and that of a county two
seconds: what a start has made or what outlives a house-keeping is set aside (`gc.freeze`), and looked through once a
day. And through what is younger it looks in small portions: of twenty a press waited 60 ms while ten thousand homes
woke."""

COMES_BACK_S = 1.5
"""How long a stop waits for messages that are under way: what was not seen to arrive the next start says again."""

DISK_LOOKED_AT_S = 2.0
"""From one look to the next at a disk that takes nothing."""

SIGNS_LOOKED_AT = 20
"""Readings among which the last sign of life is looked for; what merely cleared is none."""

HAND_OVER_S = 0.0002
"""How long the road may hold the interpreter while the courier waits to speak. Python's own 5 ms, several times a
message, is what a press would wait while readings are worked on; where nobody waits it costs nothing."""


GIVE_WAY_S = 0.002
"""So long the road stands still when somebody has called for help: the courier speaks before the readings go on."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The two files of the state folder, opened."""

    alerts: AlertStore
    registry: RegistryStore
    accounts: AccountStore
    readings: ReadingStore

    def privacy(self, state: Path, registrar: Registry) -> Privacy:
        return Privacy(self.alerts, self.registry, registrar, self.accounts, self.readings, state / "photos", state)

    def registrar(self, state: Path, levels: Sequence[str] = STANDARD_LEVELS, lines: Sequence[Reach] = ()) -> Registry:
        """Registration, with the embedded broker following along when hubs come and go."""

        def follow(hubs: Mapping[str, str]) -> None:
            if broker.is_set_up(state):  # else a first start, or an outside broker: nobody to tell yet
                broker.reload(state, hubs)

        return Registry(self.registry, broker.hash_secret, follow, levels, Catalogue().codes(), lines)


def open_stores(state: Path, database: str = "") -> Stores:
    """Open or create `gateway.db` and `readings.db` in the state folder, readable by this user only.

    With a `database` URL what is in `gateway.db` lies there instead; readings stay in the state folder.
    """
    from gateway.stores.readings import SqliteReadings
    from gateway.stores.sql import SqlAccounts, SqlAlerts, SqlRegistry, open_book

    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    book = open_book(database or f"sqlite:///{state / 'gateway.db'}")
    return Stores(SqlAlerts(book), SqlRegistry(book), SqlAccounts(book), SqliteReadings(state / "readings.db"))


def page_secret(state: Path) -> bytes:
    """What signs one-tap links: made at the first start, kept in the state folder."""
    path = state / "page.secret"
    if not path.exists() or not path.stat().st_size:  # a disk that gave up in that moment has left an empty one
        made = path.with_suffix(".new")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    return path.read_bytes()


def endpoint(settings: Settings) -> Endpoint:
    """Where the broker is: the configured one, or the one that came with us."""
    url = settings.broker.url.get_secret_value()
    if not url:
        return broker.endpoint(settings.state)
    try:
        given = Endpoint.parse(url)
    except ValueError as error:
        raise ConfigError(f"broker.url: {error}") from None
    if given.second:
        raise ConfigError("broker.url: 'second' is for hubs and stands in broker.public")
    return replace(given, ca=settings.broker.ca) if settings.broker.ca else given


def uplink(settings: Settings) -> Endpoint:
    """Where the hubs in the homes reach the broker: what stands in a hub kit.

    Without `broker.public` the port is the broker's own, and its host the one by which people reach the pages where
    the broker itself only knows "this machine" or "every address".
    """
    if settings.broker.public:
        return Endpoint.parse(settings.broker.public)
    here = endpoint(settings)
    host = settings.broker.host if not settings.broker.url.get_secret_value() else here.host
    if host in ("", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"):  # noqa: S104 - read here, not bound
        host = urlsplit(settings.base_url).hostname or here.host
    return replace(here, host=host, username="", password="", check_name=True)


def ready_broker(settings: Settings, stores: Stores) -> None:
    """Let the embedded broker know every hub of the registry, before it is started."""
    part = settings.broker
    if not part.url.get_secret_value():
        hubs = stores.registry.hub_secrets()
        broker.Broker(settings.state, part.host, part.port, hubs, cert=part.cert, key=part.key).write_config()


def reserve(host: str, port: int) -> socket.socket:
    """Bind the pages' port before anything else is started. Raises ConfigError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"web.port: {host}:{port} cannot be used ({error.strerror}). Stop what listens there, or choose another"
            f" port: --port 0 takes a free one."
        ) from None
    listener.listen(512)
    return listener


async def serve(settings: Settings, clock: SystemClock, *, demo: bool, config: Path | None = None) -> None:
    """Run until told to stop by SIGTERM or SIGINT. If any part falls, all of it falls, to be started again."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    listener = reserve(settings.web.host, settings.web.port)
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    room, ashore, aboard = Reserve(settings.state), settings.state, contextlib.ExitStack()
    with contextlib.suppress(OSError):  # of a disk that can only be read
        if room.look():  # before anything is written: this may be the start after a disk was full
            broker.renew(settings.state)
    is_adrift = not takes_writes(ashore)
    if is_adrift:
        from gateway import lifeboat

        log.error("the disk takes nothing: people are called from memory, and nothing is settled")
        room = lifeboat.NoRoom(ashore)
        settings = settings.model_copy(update={"state": aboard.enter_context(lifeboat.boarded(ashore))})
    looking = partial(rescue, settings.state, clock.now(), book=not settings.book)
    looked = None if is_adrift else loop.run_in_executor(None, looking)
    for part in ("sql", "readings"):  # loaded while the files are looked through, which is SQLite's work
        importlib.import_module(f"gateway.stores.{part}")
    rescued = looked is None or await looked
    stores = open_stores(settings.state, settings.book)
    if clock.has_forgotten() and (heard := stores.readings.heard()):
        clock.go_on_from(max(heard.values()))
        log.error("the machine has forgotten the time: what was heard last goes on", extra={"now": str(clock.now())})
    if not rescued and (
        short := is_short(settings.state, stores.alerts.last_event(), stores.readings.last_arrival(), clock.now())
    ):
        note_missing(settings.state, short)
    if not settings.influx.url:
        stores.readings.mirror(None)  # nothing waits for one that was there once
    scheme = "https" if settings.web.cert else "http"
    base_url = settings.base_url if settings.web.port else f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"

    courier: Courier | None = None

    def nudge() -> None:
        if courier is not None:
            courier.wake()

    def prepare(said: Sequence[tuple[Delivery, Alert]]) -> None:
        if courier is not None:
            courier.prepare(said)

    def is_over(finding: Finding) -> bool:
        """What was held back while somebody worked in the home or it was paused; a silence, before more are called."""
        readings, home = stores.readings, finding.home
        life = last_sign(readings.newest(home, SIGNS_OF_LIFE, limit=SIGNS_LOOKED_AT))
        heard = readings.heard(home).get(home)
        return has_passed(finding, readings.conditions(home), heard, life.at if life else None)

    registrar = stores.registrar(settings.state, settings.areas.levels, settings.lines)

    desk = Desk(stores.alerts, stores.registry, nudge, prepare=prepare, call=settings.call, has_passed=is_over)
    pipeline = Pipeline(
        intake=Intake(stores.registry),
        directory=stores.registry,
        readings=stores.readings,
        desk=desk,
        options=settings.detectors,
        shadow=settings.shadow,
        give_way=partial(time.sleep, GIVE_WAY_S),
    )
    pipeline.start(clock.now())
    gc.freeze()
    source: Source
    if is_adrift and not settings.broker.url.get_secret_value():
        source = _stand_in(settings.state, ashore, clock, aboard)
    else:
        ours = not settings.broker.url.get_secret_value()
        source = MqttSource(
            endpoint(settings), settings.state, clock, renew=partial(broker.renew, settings.state) if ours else None
        )
    road = lifeboat.Lookout(source, pipeline, desk, clock) if is_adrift else Road(source, pipeline, clock)
    if settings.broker.url.get_secret_value() and not settings.broker.queue_checked:
        loop.run_in_executor(None, _warn_of_small_queue, endpoint(settings))
    health = Health(
        clock,
        clock.now(),
        pipeline,
        source,
        stores.alerts,
        settings.state,
        room,
        road=lambda: road.beat,
        courier=lambda: courier.rounds if courier else 0,
        attempts=lambda: courier.attempts if courier else {},
        is_mirrored=bool(settings.influx.url),
    )

    def forget(browser: str) -> None:
        registrar.drop_way(Reach(channel="web_push", address=browser), who="gateway", now=clock.now())

    from dashboard.links import Links

    wish = Wish()
    links = Links(page_secret(settings.state), base_url, clock)
    with (
        aboard,
        ThreadPoolExecutor(1, thread_name_prefix="road") as pool,
        contextlib.closing(source),
        contextlib.closing(SignOfLife(settings.state / HEARTBEAT)) as sign,
    ):
        async with channels(settings, clock, forget) as ready, asyncio.TaskGroup() as group:
            courier = Courier(stores.alerts, desk, stores.registry, ready, clock, links.link, code=links.code)
            beside = [group.create_task(_beat(health, sign), name="sign of life")]
            if is_adrift:
                keeping = until_mended(ashore)
            else:
                keeping = upkeep.keep_tidy(stores, stores.registrar(settings.state), desk, clock, stop)
                affairs = upkeep.keep_up(settings, stores, desk, clock, health, wish)
                beside.append(group.create_task(affairs, name="upkeep"))
            parts: list[asyncio.Future[Any]] = [
                loop.run_in_executor(pool, road.run),
                group.create_task(courier.run(), name="courier"),
                group.create_task(keeping, name="keeping"),
                group.create_task(
                    _pages(
                        settings,
                        stores,
                        desk,
                        clock,
                        health,
                        ready,
                        listener,
                        base_url,
                        stop,
                        demo,
                        config,
                        wish,
                        lambda: road.is_busy or courier.is_busy,
                    ),
                    name="pages",
                ),
            ]
            stopping = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait([stopping, *parts], return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    health.is_leaving = True
                    health.beat(sign)  # the last one: whoever watches gives us a while to come back
            finally:
                for task in beside:
                    task.cancel()
                stopping.cancel()
                stop.set()
                road.stop()
                courier.leave()
                loop.call_later(COMES_BACK_S, parts[1].cancel)
                parts[2].cancel()
            await parts[0]
    stores.readings.close()
    log.info("stopped")


def _stand_in(state: Path, ashore: Path, clock: SystemClock, aboard: contextlib.ExitStack) -> Source:
    """In the place of our own broker, whose queue lies on the disk that takes nothing. What it had acknowledged before
    is heard from a copy of that queue."""
    from ingest.stand_in import StandIn

    setup = broker.setup_of(state)

    def tls() -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(setup.cert, setup.key)
        return context

    vacate = partial(broker.renew, ashore)
    stand_in = StandIn(setup.host, setup.port, setup.admits, vacate, clock, tls=tls if setup.cert else None)
    copy = broker.Broker(state, port=0, hubs={})  # it acknowledges from memory, so it lets nobody in but us
    try:
        broker.copy_queue(ashore, state)
        aboard.callback(copy.stop)
        copy.start()
    except (broker.BrokerError, OSError) as why:
        log.error("what the broker had acknowledged before waits for the disk", extra={"reason": str(why)})
    else:
        stand_in.hand_over_too(MqttSource(copy.endpoint(), state, clock))
    return stand_in


async def until_mended(state: Path) -> None:
    """Look whether the disk takes writes again; the next start goes on from what stands on it. A folder without our
    files is the place where the disk is to hang, while somebody mends it elsewhere."""
    while not ((state / READINGS).exists() and await asyncio.to_thread(takes_writes, state)):
        await asyncio.sleep(DISK_LOOKED_AT_S)
    broker.renew(state)  # ours would go on refusing what is published
    log.warning("the disk takes writes again: starting anew from what stands on it")


async def _beat(health: Health, sign: SignOfLife) -> None:
    """From inside the loop on which pages and courier live: when it hangs, so does this. Falls with a disk that takes
    nothing, for the next start calls people from memory: a broker on that disk hands nothing over that would fail."""
    while True:
        health.beat(sign)
        if health.is_silenced and not await asyncio.to_thread(takes_writes, health.state):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(health.state))
        await asyncio.sleep(BEAT_EVERY_S)


def _warn_of_small_queue(broker_at: Endpoint) -> None:
    """An outside broker that keeps little for a gateway that is away loses readings silently: say so once."""
    try:
        warning = queue_warning(broker_at)
    except OSError as error:
        warning = f"the broker's queue limit could not be looked at: {error}"
    if warning:
        log.warning(warning)


@dataclass(frozen=True, slots=True)
class WayBack:
    """Asks hubs through the broker, which is looked for when there is something to ask: an SMS needs none."""

    settings: Settings

    def post(self, hub: str, rest: str, payload: bytes) -> None:
        try:
            where = endpoint(self.settings)
        except broker.BrokerError as error:
            raise TryLater(str(error)) from error
        MqttPost(where).post(hub, rest, payload)


@contextlib.asynccontextmanager
async def channels(
    settings: Settings, clock: Clock, forget: Callable[[str], None] = lambda address: None
) -> AsyncIterator[Mapping[str, Channel]]:
    """Every channel that this installation can speak through, opened and closed together. `forget` is told of a browser
    that has forgotten us."""
    given = {"clock": clock, "post": WayBack(settings), "keys": settings.state / "push.pem", "forget": forget}
    async with contextlib.AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(make_channel(name, settings.channels.get(name, {}), **given))
            for name in settings.ready_channels
        }


def _history(settings: Settings) -> History | None:
    """The mirror, for whoever looks back further than our own sums reach."""
    part = settings.influx
    if not part.url:
        return None
    from gateway.stores.influx import Influx, InfluxHistory

    return InfluxHistory(Influx(part.url, part.token.get_secret_value(), part.org, part.bucket))


async def _pages(
    settings: Settings,
    stores: Stores,
    desk: Desk,
    clock: Clock,
    health: Health,
    ready: Mapping[str, Channel],
    listener: socket.socket,
    base_url: str,
    stop: asyncio.Event,
    demo: bool,
    config: Path | None,
    wish: Wish,
    is_busy: Callable[[], bool],
) -> None:
    """The web pages. Loaded beside the running road, in a thread, because they take the longest to load."""
    await asyncio.to_thread(importlib.import_module, "dashboard.app")
    import uvicorn

    from dashboard.app import create_app, make_setup_link
    from dashboard.house import House
    from gateway.doorstep import Doorstep
    from gateway.inspection import workings

    fallen: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fell(error: BaseException) -> None:
        if not fallen.done():
            fallen.set_exception(error)

    house = House(
        alerts=stores.alerts,
        desk=desk,
        registry=stores.registry,
        registrar=stores.registrar(settings.state, settings.areas.levels, settings.lines),
        accounts=stores.accounts,
        readings=stores.readings,
        clock=clock,
        secret=page_secret(settings.state),
        base_url=base_url,
        secure_cookies=base_url.startswith("https://"),
        health=health.report,
        meters=health.meters,
        metrics_token=settings.web.metrics.get_secret_value(),
        fell=fell,
        is_busy=is_busy,
        is_at_hand=not settings.book.startswith("postgresql"),
        photos=settings.state / "photos",
        privacy=stores.privacy(settings.state, stores.registrar(settings.state)),
        workings=workings(settings.state, config, wish, dict(settings.retention)),
        push_key=settings.state / "push.pub" if "web_push" in settings.ready_channels else None,
        channels=ready,
        webhook_secret=str(settings.channels.get("webhook", {}).get("secret", "")),
        post=MqttPost(endpoint(settings)),
        uplink=uplink(settings),
        map_tiles=settings.map.tiles,
        history=_history(settings),
        blank_book=_blank_book,
        answers_only=health.reserve.takes_nothing,
        **(_demo_parts(settings, stores, clock) if demo else {}),
    )

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # signals are ours: the road has to stop too

    server = Server(
        uvicorn.Config(
            create_app(house),
            http=Doorstep,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
            lifespan="on",
            ssl_certfile=settings.web.cert,
            ssl_keyfile=settings.web.key,
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    if not (demo or house.answers_only) and stores.accounts.count() == 0:
        link = make_setup_link(stores.accounts, clock, base_url)
        _say(f"第一次启动：请在 24 小时内打开这个一次性链接，设置管理员\nFirst start: open this one-time link: {link}")
    gc.collect()  # what the loading of it all has left behind
    gc.freeze()
    log.info("pages are up", extra={"address": base_url})
    stopping = asyncio.ensure_future(stop.wait())
    parts: list[asyncio.Future[Any]] = [serving, stopping, fallen]
    await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    server.handle_exit(signal.SIGTERM, None)
    await serving
    stopping.cancel()
    if fallen.done():
        await fallen  # and the whole gateway with it


def _blank_book() -> AlertStore:
    from gateway.stores.memory import MemoryAlerts

    return MemoryAlerts()


def _on_stage(settings: Settings) -> Settings:
    from gateway.demo import with_the_plain_rule

    return with_the_plain_rule(settings)


def _demo_parts(settings: Settings, stores: Stores, clock: Clock) -> dict[str, Any]:
    from gateway.demo import page_parts

    return page_parts(settings, stores, clock)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run_fast(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop, whose loop costs half of asyncio's own; where there is none, on that."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)


def main(arguments: list[str] | None = None, run: Callable[[Coroutine[Any, Any, None]], None] = run_fast) -> int:
    """The gateway process; the supervisor starts it, and starts it again when it falls."""
    parser = argparse.ArgumentParser(prog="python -m gateway.app")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--demo", action="store_true")
    asked = parser.parse_args(arguments)
    gc.set_threshold(YOUNG, OLDER, NEVER)
    gc.enable()
    try:
        settings = load(asked.config)
        if wrong := problems(settings):
            raise ConfigError("\n".join(wrong))
        if asked.demo:
            settings = _on_stage(settings)
        set_up_log(settings.log, settings.log_as)
        sys.setswitchinterval(HAND_OVER_S)
        run(serve(settings, SystemClock(), demo=asked.demo, config=asked.config))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_CONFIG  # starting again would not help before a person has done something
    except WrongBook as error:
        sys.stderr.write(f"{error}\n")
        return 1  # a database that does not answer may soon
    return 0


if __name__ == "__main__":
    ended = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended)  # Python's own end looks through all that a thousand homes remember: two seconds of every stop
