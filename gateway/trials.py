"""`shouwang evaluate simulated`: every rule that recorded homes cannot show, tried on seeded ones, in one table."""

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from detectors import Watch
from detectors.emergency import Emergency
from gateway.domain import Area, Finding, Grid, Home, Hub, Role, Sensor
from gateway.ports import Context, HubDevice, Message
from gateway.stores.memory import MemoryRegistry
from ingest.intake import Intake
from simulators.trials import Lived, Tried, climate, decline, falls, first_after, rooms, vitals, water

DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)

# --------------------------------------------------------------------------- buttons, cords, smoke, gas

HAZARD_HOMES, HAZARD_DAYS = 50, 90

HANGS: Mapping[str, Role] = {
    "cord": Role.SOS,
    "button": Role.BUTTON,
    "smoke": Role.SMOKE,
    "gas": Role.GAS,
    "co": Role.CO,
    "leak": Role.LEAK,
}

ALARMS: Mapping[str, tuple[str, str, str, Mapping[str, object]]] = {
    "pulls the cord": ("sos", "cord", "action", {"action": "emergency"}),
    "presses twice for help": ("assist", "button", "action", {"action": "double"}),
    "holds the button for help": ("assist", "button", "action", {"action": "hold"}),
    "presses the second key for help": ("assist", "button", "action", {"action": "2_single"}),
    "smoke": ("smoke", "smoke", "smoke", {"smoke": True}),
    "smoke, a day after a self-test": ("smoke", "smoke", "smoke", {"smoke": True, "test": False}),
    "gas": ("gas", "gas", "gas", {"gas": True}),
    "carbon monoxide": ("co", "co", "carbon_monoxide", {"carbon_monoxide": True}),
    "water on the floor": ("leak", "leak", "water_leak", {"water_leak": True}),
}
"""What happens -> by which alert it is told, which device says it, by which key, and in which words."""


class _Flat:
    """One home at the mouth of the gateway: a hub's messages go the whole way to what the detector finds."""

    def __init__(self, seed: int) -> None:
        hub = f"hub-{seed}"
        self.home = Home(
            id=f"hazard{seed}",
            code=f"{seed}",
            name="王奶奶",
            grid="grid",
            zone=ZoneInfo("Asia/Shanghai"),
            hubs=(Hub(id=hub, home=f"hazard{seed}", interval=None),),
            sensors=tuple(
                Sensor(id=name, hub=hub, address=f"0x00158d00{place:08x}", name=name, room="", role=role)
                for place, (name, role) in enumerate(HANGS.items())
            ),
        )
        registry = MemoryRegistry()
        with registry.begin() as book:
            book.put_area(Area(code="a", name="社区", level="community"), BEGIN)
            book.put_grid(Grid(code="grid", name="网格", community="a"))
            book.put_home(self.home, BEGIN)
        self._intake = Intake(registry)
        self._intake.devices.remember(HubDevice(hub, one.address, one.name) for one in self.home.sensors)
        self._watch = Watch(self.home, {"emergency": Emergency(self.home)})
        self._heard = 0

    def hears(self, at: datetime, device: str, says: Mapping[str, object], *, retained: bool = False) -> list[Finding]:
        topic = f"shouwang/{self.home.hubs[0].id}/zigbee2mqtt/{device}"
        self._heard += 1
        taken = self._intake.take(Message(topic, json.dumps(says).encode(), at, retained), self._heard)
        return [found for reading in taken.readings for found in self._watch.observe(reading, Context())]


def _calm_day(flat: _Flat, noon: datetime, chance: Random) -> Iterator[Finding]:
    """What is no call for help: a plain press, a hub that starts anew, and once a month a device that tries itself."""
    at = noon
    for device, key in (("smoke", "smoke"), ("gas", "gas"), ("co", "carbon_monoxide"), ("leak", "water_leak")):
        at += chance.uniform(1, 30) * MINUTE
        if device != "leak" and chance.random() < 1 / 30:
            yield from flat.hears(at, device, {key: True, "test": True})
            yield from flat.hears(at + chance.uniform(2, 20) * SECOND, device, {key: False, "test": False})
        yield from flat.hears(at + MINUTE, device, {key: False, "battery": chance.randint(20, 100)})
    for _ in range(chance.randint(0, 3)):  # the lamp
        at += chance.uniform(1, 30) * MINUTE
        yield from flat.hears(at, "button", {"action": chance.choice(("single", "1_single"))})
    if chance.random() < 0.1:  # the hub starts anew and is told what its broker remembers
        for device, says in (("cord", {"action": "emergency"}), ("button", {"action": "double"})):
            yield from flat.hears(at + MINUTE, device, says, retained=True)


def hazards(seed: int) -> Lived:
    """Three months of one home, and everything that can happen in it once, at the same hour of another day."""
    chance, flat = Random(f"hazards {seed}"), _Flat(seed)  # noqa: S311 (seeded, not secret)
    lived = Lived(days=HAZARD_DAYS, watched=tuple(dict.fromkeys(code for code, *_ in ALARMS.values())))
    days = dict(zip(chance.sample(range(2, HAZARD_DAYS), len(ALARMS)), ALARMS, strict=True))
    for number in range(HAZARD_DAYS):
        noon = BEGIN + number * DAY
        lived.false.update(one.code for one in _calm_day(flat, noon, chance))
        if number not in days:
            continue
        code, device, key, says = ALARMS[days[number]]
        at = noon + timedelta(hours=6)
        if "test" in says:
            lived.false.update(one.code for one in flat.hears(at - DAY + MINUTE, device, {key: True, "test": True}))
        told = flat.hears(at, device, says)
        lived.tried.append(Tried(days[number], code, first_after(at, told, code)))
        lived.false.update(one.code for one in told if one.code != code)
        flat.hears(at + 2 * MINUTE, device, {key: "" if key == "action" else False})
    lived.tried.sort(key=lambda one: list(ALARMS).index(one.incident))
    return lived


# --------------------------------------------------------------------------- the table


class Trial(NamedTuple):
    """What lives through one home by its seed, and how many homes are enough to say something."""

    homes: int
    run: Callable[[int], Lived]


TRIALS: Mapping[str, Trial] = {
    "hazards": Trial(HAZARD_HOMES, hazards),
    "rooms": Trial(rooms.HOMES, rooms.run),
    "falls": Trial(falls.HOMES, falls.run),
    "water": Trial(water.HOMES, water.run),
    "vitals": Trial(vitals.HOMES, vitals.run),
    "climate": Trial(climate.HOMES, climate.run),
    "decline": Trial(decline.HOMES, decline.run),
}

HEAD = ("rule", "what happens", "tried", "found", "missed", "half within", "nine of ten within", "told for nothing")


def run_all(names: Sequence[str], homes: int, processes: int) -> Iterator[tuple[str, list[Lived]]]:
    """These trials on so many homes each, or on as many as they need; on several cores, in the order of the seeds."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for name in names:
            trial = TRIALS[name]
            yield name, list(pool.map(trial.run, range(homes or trial.homes)))


def table(lives: Iterable[Lived]) -> Iterator[str]:
    """Found, missed, and told for nothing, for each rule; in Markdown."""
    tried: dict[tuple[str, str], list[timedelta | None]] = {}
    days: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for life in lives:
        for one in life.tried:
            tried.setdefault((one.code, one.incident), []).append(one.after)
        for code in life.watched:
            days[code] += round(life.days)
        false.update(life.false)
    yield _row(HEAD)
    yield _row(["---"] * len(HEAD))
    named: set[str] = set()
    for (code, incident), afters in tried.items():
        told = sorted(after for after in afters if after is not None)
        late = told[9 * len(told) // 10] if told else None
        nothing = "" if code in named else f"{false[code]} in {days[code]:,} days"
        named.add(code)
        yield _row(
            (
                f"`{code}`",
                incident,
                str(len(afters)),
                str(len(told)),
                str(len(afters) - len(told)),
                _span(told[len(told) // 2] if told else None),
                _span(late),
                nothing,
            )
        )
    for code in sorted(days.keys() - named):
        yield _row((f"`{code}`", "", "", "", "", "", "", f"{false[code]} in {days[code]:,} days"))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _span(after: timedelta | None) -> str:
    if after is None:
        return "–"
    if after < 2 * MINUTE:
        return f"{after / SECOND:.0f} s"
    if after < timedelta(hours=2):
        return f"{after / MINUTE:.0f} min"
    return f"{after / timedelta(hours=1):.1f} h" if after < 2 * DAY else f"{after / DAY:.1f} days"
