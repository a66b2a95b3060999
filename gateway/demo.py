"""The demo: twelve simulated homes around the real gateway, their past played first, then real time.

The demo process plays the hubs. Below it runs the same supervisor, broker and gateway as in a real installation, so
that the gateway can be killed while the homes go on living.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dashboard.sights import SIGHTS_VERSION
from gateway import broker
from gateway.app import Stores, open_stores, ready_broker
from gateway.child import end, spawn
from gateway.clock import SystemClock
from gateway.config import ConfigError, Settings
from gateway.domain import Contact, Duty, Home, Look, Person, Reach, Relation, Sight
from gateway.ports import Batch, Clock, HubDevice
from gateway.sharing import Sharing
from simulators.broker import Hubs, publish_once
from simulators.neighbourhood import HISTORY, Neighbourhood, neighbourhood
from simulators.speech import Dialect

DAUGHTER = "daughter"
NOBODYS = "13800138000"
"""A number that rings at a carrier's machine: what a page offers to call is to be seen, and nobody to be woken."""

MARK = "demo.json"
"""Stands in a state folder that the demo has made, and so may make anew."""

READINGS_AT_ONCE = 2_000
UP_WITHIN_S = 60.0
LEAD = timedelta(seconds=20)
"""The history is played up to this long from now: about when the pages are up, so that a visitor misses nothing."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A neighbourhood that is registered and has a past."""

    settings: Settings
    neighbourhood: Neighbourhood
    secrets: dict[str, str]


def prepare(settings: Settings, *, seed: int, scenario: str, pace: float, say: Callable[[str], None]) -> Demo:
    """Make the state folder anew, register twelve homes and play 28 days of their lives into it.

    `pace` is how many of the days are played in a second, 0 for as fast as the machine can.
    """
    _clear(settings.state)
    stores = open_stores(settings.state)
    port = settings.web.port
    phone = f"http://127.0.0.1:{port}/phone/hook"
    homes = neighbourhood(
        seed,
        SystemClock().now()
        + LEAD
        + (HISTORY / timedelta(days=1) / pace * timedelta(seconds=1) if pace else timedelta(0)),
        staged=scenario == "morning",
        reach=lambda person: (Reach(channel="webhook", address=f"{phone}/{person}"),),
    )
    secrets = {hub.id: broker.new_secret()[0] for home in homes.homes for hub in home.hubs}
    with stores.registry.begin() as ledger:
        homes.register(ledger)
        for hub, secret in secrets.items():
            ledger.set_hub_secret(hub, broker.hash_secret(secret))
    _has_a_daughter(stores, homes)
    _write_mark(settings.state, {"seed": seed, "secrets": secrets})
    ready_broker(settings, stores)
    _play_history(stores, homes, pace, say)
    stores.readings.close()
    return Demo(settings, homes, secrets)


def _has_a_daughter(stores: Stores, homes: Neighbourhood) -> None:
    """Whoever presses the button in the first minute has a daughter far away, who sees what she was let see."""
    home, now = _of_the_family(homes), homes.now - HISTORY
    with stores.registry.begin() as ledger:
        ledger.put_person(Person(id=DAUGHTER, name="小梅"), now)
        ledger.put_phones(DAUGHTER, [NOBODYS], now)
        contact = Contact(home=home.id, person=DAUGHTER, relation=Relation.CHILD, may_see=Sight.ALL, is_far=True)
        ledger.put_contacts(home.id, [contact], now)
    agreed = {"version": SIGHTS_VERSION, "given_by": home.person, "evidence": "demo", "who": home.person}
    Sharing(stores.registry).show(home.id, DAUGHTER, [Look.CALM, Look.ALERTS, Look.DAYS], now=now, **agreed)


def _of_the_family(homes: Neighbourhood) -> Home:
    chosen = homes.scenario.presses if homes.scenario is not None else homes.homes[0].id
    return homes.household(chosen).home


def _clear(state: Path) -> None:
    """Raises ConfigError for a folder that holds anything but an earlier demo."""
    if state.exists() and any(state.iterdir()):
        if not (state / MARK).exists():
            raise ConfigError(f"state: {state} is not empty and was not made by the demo; choose another folder.")
        shutil.rmtree(state)


def _write_mark(state: Path, what: dict[str, Any]) -> None:
    descriptor = os.open(state / MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(what, file)


def _play_history(stores: Stores, homes: Neighbourhood, pace: float, say: Callable[[str], None]) -> None:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    begins, days = homes.now - HISTORY, HISTORY / timedelta(days=1)
    batch, count, began = Batch(), 0, time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("28 天的生活 · 28 days of history", total=days)
        for reading in homes.history(first_arrival=1):
            batch.readings.append(reading)
            batch.last_arrival = reading.arrival
            count += 1
            if len(batch.readings) >= READINGS_AT_ONCE:
                stores.readings.commit(batch)
                batch = Batch()
                played = (reading.at - begins) / timedelta(days=1)
                if pace:
                    time.sleep(max(0.0, played / pace - (time.monotonic() - began)))
                progress.update(task, completed=played)
        batch.heard.update(homes.last_heard())
        batch.devices.extend(_announced(homes))  # as their hubs have done on every day of the history
        stores.readings.commit(batch)
        progress.update(task, completed=days)
    say(f"{len(homes.homes)} 户，28 天，{count} 条读数 · {len(homes.homes)} homes, 28 days, {count} readings")


def _announced(homes: Neighbourhood) -> Iterator[HubDevice]:
    for household in homes.households:
        if household.dialect is Dialect.ZIGBEE2MQTT:
            for device in household.devices:
                model = device.model
                yield HubDevice(household.hub, device.sensor.address, device.topic, model.model, model.vendor)


# --------------------------------------------------------------------------- running


class _Stop:
    """Whether we were told to stop. A plain flag: a signal may come while this very thread holds an event's lock."""

    asked = False

    def ask(self, *_: object) -> None:
        self.asked = True


def run(demo: Demo, supervisor: list[str], *, say: Callable[[str], None]) -> int:
    """Start the supervisor, say where to look, and play the hubs until told to stop."""
    stop = _Stop()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop.ask)
    child = spawn(supervisor)
    try:
        address = demo.settings.base_url
        if not _is_up(address, child, stop):
            return child.poll() or (0 if stop.asked else 1)
        _say_where(demo, say)
        with _hubs(demo) as hubs:
            while not stop.asked and child.poll() is None:
                hubs.join(0)  # raises what the players of the hubs have raised
                time.sleep(0.3)
        return child.poll() or 0
    finally:
        end(child, within_s=15)


def _is_up(address: str, child: Any, stop: _Stop) -> bool:
    deadline = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None and not stop.asked:
        with (
            contextlib.suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer,  # noqa: S310 - our own address
        ):
            if answer.status == 200:
                return True
        time.sleep(0.2)
    return False


def _say_where(demo: Demo, say: Callable[[str], None]) -> None:
    from dashboard.app import make_entrance_link

    stores = open_stores(demo.settings.state)
    visitor = next(person for person, duty in demo.neighbourhood.staff if duty is Duty.SUPERVISOR)
    family = _of_the_family(demo.neighbourhood)
    guests = [(visitor, Duty.SUPERVISOR)]
    for who, duty in ((DAUGHTER, Duty.FAMILY), (family.person, Duty.ELDER)):
        found = stores.registry.person(who)
        guests += [(found, duty)] if found is not None else []
    links = [make_entrance_link(stores.accounts, SystemClock(), demo.settings.base_url, *guest) for guest in guests]
    stores.readings.close()
    say("")
    for title, link in zip(("请打开 · open: ", "家属 · family:", "老人 · elder: "), links, strict=False):
        say(f"{title} {link}")
    scenario = demo.neighbourhood.scenario
    if scenario is not None:
        names = {home.id: home.name for home in demo.neighbourhood.homes}

        def clock(moment: datetime) -> str:
            return f"{moment.astimezone(demo.neighbourhood.homes[0].zone):%H:%M:%S}"

        say(f"  {names[scenario.out]} 去了早市，不报警 · is out at the market, no alarm")
        say(f"  {names[scenario.dark]} 家网关断电：看不见，不是无活动 · hub is dark: not seen, not “inactive”")
        say(f"  {clock(scenario.presses_at)} {names[scenario.presses]} 按下紧急按钮 · presses the emergency button")
        say(f"  {clock(scenario.silent_due)} {names[scenario.silent]} 太久没有动静 · has been silent for too long")
    say("Ctrl-C 结束 · ends")


@contextlib.contextmanager
def _hubs(demo: Demo) -> Iterator[Hubs]:
    hubs = Hubs(broker.endpoint(demo.settings.state), demo.secrets, demo.neighbourhood.live(), clock=SystemClock())
    hubs.start()
    try:
        yield hubs
    finally:
        hubs.stop()


# --------------------------------------------------------------------------- within the gateway


def with_the_plain_rule(settings: Settings) -> Settings:
    """The stage is set for the hours of the rule that anybody can reckon, unless the settings say otherwise."""
    inactivity = {"learns": False, **settings.detectors.get("inactivity", {})}
    return settings.model_copy(update={"detectors": {**settings.detectors, "inactivity": inactivity}})


def page_parts(settings: Settings, stores: Stores, clock: Clock) -> dict[str, Any]:
    """What the demo adds to the pages: the responders' phones, a button to press and a button to kill."""
    from simulators.phone import create_phone

    mark = json.loads((settings.state / MARK).read_text(encoding="utf-8"))
    homes = neighbourhood(mark["seed"], clock.now(), staged=False)
    holders = [(person.id, duty) for person, duty in homes.staff]

    def press(home_id: str) -> None:
        household = homes.household(home_id)
        said = household.press_now(clock.now())
        publish_once(broker.endpoint(settings.state), household.hub, mark["secrets"][household.hub], said)

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    texts = settings.state / "phones.jsonl"
    texts.touch(mode=0o600)  # what stands in the state folder is for the gateway's user alone, here too
    return {
        "demo": True,
        "demo_kill": kill,
        "demo_press": press,
        "phone": create_phone(clock, holders, stores.registry, stores.alerts, texts),
    }
