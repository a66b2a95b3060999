"""Nothing that anybody can send stops the intake: a million mutated messages, counted to the last one.

    python bench/fuzz.py                             # 1,000,000 of them, some minutes
    python bench/fuzz.py --count 20000 --seed 7      # the same seed says the same

Valid messages of every decoder are bent: bytes, structure, numbers, texts, nesting, topics. Each is taken in by the
intake of three homes, in event time. What it falls over, what takes it longer than 100 ms of its own time, and whatever
is neither used nor put away nor counted as cut or as saying nothing new, is told with the message itself.
"""

import argparse
import gc
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway.domain import URGENT, Home, Hub, Kind, Role, Sensor
from gateway.ports import Batch, HubDevice, Message
from gateway.stores.memory import MemoryReadings
from ingest.intake import Intake
from ingest.way import Taken

BEGIN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LONGEST_MS = 100.0
HOMES = 3

# --------------------------------------------------------------------------- who is spoken to


def address(number: int) -> str:
    return f"0x00158d00{number:08x}"


class Neighbourhood:
    """Three homes with a sensor of every role in every dialect."""

    def __init__(self) -> None:
        self._homes = [self._home(f"home-{number}", f"hub-{number}") for number in range(HOMES)]

    def version(self) -> int:
        return 1

    def homes(self) -> list[Home]:
        return self._homes

    def _home(self, home: str, hub: str) -> Home:
        sensors = [
            Sensor(id=f"{dialect}-{number}", hub=hub, address=where(number), name="x", room="room", role=role)
            for dialect, where in PLACES.items()
            for number, role in enumerate(Role)
        ]
        return Home(
            id=home, code=home, name=home, grid="g", zone=ZoneInfo("Asia/Shanghai"), hubs=(Hub(id=hub, home=home),),
            sensors=tuple(sensors),
        )  # fmt: skip

    def names(self) -> Iterator[HubDevice]:
        for home in self._homes:
            for number in range(len(Role)):
                yield HubDevice(home.hubs[0].id, address(number + 1), f"z{number}")


PLACES: dict[str, Callable[[int], str]] = {
    "z": lambda number: address(number + 1),
    "p": lambda number: f"p{number}",
    "s": lambda number: f"shelly{number}",
    "t": lambda number: f"tasmota{number}",
    "e": lambda number: f"node{number}",
}

# --------------------------------------------------------------------------- what is bent

N = "{n}"
"""In a topic: the number of a sensor."""

CORPUS: dict[str, list[tuple[str, Any]]] = {
    "zigbee2mqtt": [
        ("z{n}", {"contact": False, "battery": 97, "linkquality": 134, "voltage": 2995, "last_seen": "$now"}),
        ("z{n}", {"occupancy": True, "illuminance": 37, "battery_low": False, "last_seen": "$now"}),
        ("z{n}", {"presence": None, "presence_event": "approach", "target_distance": 1.62}),
        ("z{n}", {"action": "emergency", "battery": 100, "voltage": 3000}),
        ("sos/z{n}", {"sos": True, "battery_low": False, "last_seen": "$now"}),
        ("z{n}", {"smoke": True, "test": False, "smoke_density": 12}),
        ("z{n}", {"fall_down_status": "maybe_fall", "tumble_switch": "ON", "occupancy": True}),
        ("z{n}", {"status": "falling", "breathing_rate": 15, "location_x": -40}),
        ("z{n}", {"state": "ON", "power": 1850.5, "energy": 12.4, "voltage": 231, "last_seen": "$ms"}),
        ("z{n}", {"temperature": 21.48, "humidity": 46.2, "pressure": 1009.6, "device": {"ieeeAddr": "0x1"}}),
        ("z{n}/contact", True),
        ("z{n}/action", b"single"),
        ("z{n}/availability", {"state": "offline"}),
        ("z{n}/set", {"state": "ON"}),
        ("bridge/state", {"state": "online"}),
        ("bridge/health", {"response_time": "$ms", "devices": {address(1): {"messages": 41, "leave_count": 0}}}),
        ("bridge/event", {"type": "device_leave", "data": {"ieee_address": address(3), "friendly_name": "z2"}}),
        ("bridge/event", {"type": "device_announce", "data": {"ieee_address": address(3), "friendly_name": "z2"}}),
        ("bridge/response/device/rename", {"data": {"from": "z1", "to": "sos/z1"}, "status": "ok"}),
        (
            "bridge/devices",
            [
                {
                    "ieee_address": address(number + 1),
                    "friendly_name": f"z{number}",
                    "type": "EndDevice",
                    "power_source": "Battery",
                    "definition": {
                        "model": "SNZB-04",
                        "vendor": "SONOFF",
                        "exposes": [
                            {"type": "binary", "property": "contact", "value_on": False, "value_off": True},
                            {"type": "numeric", "property": "battery", "unit": "%"},
                        ],
                    },
                }
                for number in range(len(Role))
            ],
        ),
    ],
    "plain": [
        ("p{n}", {"kind": "motion", "value": 1, "at": "$now", "seq": 17}),
        ("p{n}", [{"kind": "door", "value": 1, "at": "$now"}, {"kind": "battery", "value": 80}]),
        ("sos/p{n}", {"kind": "sos"}),
        ("p{n}", {"kind": "water", "value": 3.5}),
        ("p{n}", {"kind": "heartbeat"}),
        ("hub", {"kind": "heartbeat", "mains": False, "battery": 87, "at": "$now"}),
    ],
    "shelly": [
        (
            "shelly{n}/events/rpc",
            {
                "src": "shelly",
                "dst": "shelly/events",
                "method": "NotifyStatus",
                "params": {
                    "ts": "$s",
                    "input:0": {"id": 0, "state": True},
                    "devicepower:0": {"battery": {"percent": 9}},
                },
            },
        ),
        (
            "shelly{n}/events/rpc",
            {
                "method": "NotifyEvent",
                "params": {
                    "ts": "$s",
                    "events": [{"component": "input:0", "id": 0, "event": "single_push", "ts": "$s"}],
                },
            },
        ),
        (
            "shelly{n}/events/rpc",
            {"method": "NotifyStatus", "params": {"ts": "$s", "bthomesensor:201": {"value": True}}},
        ),
        ("shelly{n}/status/smoke:0", {"id": 0, "alarm": True, "mute": False}),
        ("shelly{n}/online", b"true"),
        ("shelly{n}/sensor/state", b"open"),
        ("shelly{n}/input_event/0", {"event": "S", "event_cnt": 3}),
    ],
    "tasmota": [
        ("tele/tasmota{n}/STATE", {"Time": "2026-02-24T22:20:38", "UptimeSec": 611, "POWER": "OFF"}),
        ("tele/tasmota{n}/SENSOR", {"Switch1": "ON", "DS18B20": {"Temperature": 21.5}, "TempUnit": "C"}),
        (
            "tele/tasmota{n}/SENSOR",
            {"ZbReceived": {"0x4773": {"Device": "0x4773", "Name": "door", "Contact": 1, "LinkQuality": 70}}},
        ),
        ("stat/tasmota{n}/RESULT", {"Button1": {"Action": "SINGLE"}}),
        ("stat/tasmota{n}/POWER", b"ON"),
        ("tele/tasmota{n}/LWT", b"Online"),
    ],
    "esphome": [
        ("node{n}/binary_sensor/door/state", b"ON"),
        ("node{n}/sensor/temperature/state", b"21.5"),
        ("node{n}/event/button/state", {"event_type": "single"}),
        ("node{n}/status", b"online"),
    ],
}
"""Decoder -> what a device of that dialect sends. `$now`, `$ms` and `$s` stand for the moment in its three forms."""

LEAVES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 0.1, -0.0, 255, 256, 2**31, 2**53, 2**63, 10**30, -(10**30), 1e308, 5e-324,
    "", " ", "true", "ON", "online", "offline", "fall", "falling", "emergency", "single", "NaN", "1e999",
    "\0", "\ufffe", "２１", "٣", "門", "\u202edoor", "😀", "../..", "0x" + "f" * 16, "A" * 300, "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-23:59", [], {}, [[]],
    {"": None}, {"state": "ON"}, [1, "2", None],
]  # fmt: skip
RAW = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"-",
    b"01",
    b"9" * 400,
    b"9" * 5000,
    b'"\\ud800"',
    b'"\\u0000"',
    b"\xff\xfe",
]
WORDS = sorted(
    {
        key
        for messages in CORPUS.values()
        for _, tree in messages
        for part in (tree if isinstance(tree, list) else [tree])
        if isinstance(part, dict)
        for key in part
    }
)
LEVELS = [
    "",
    "+",
    "#",
    "$SYS",
    "..",
    " ",
    "\0",
    "\ufffd",
    "sos",
    "hub",
    "bridge",
    "set",
    "get",
    "門",
    "x" * 70,
    "availability",
]


class Bender:
    """Makes messages from the corpus, each a little or very wrong; one seed, one sequence."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._now = BEGIN

    def messages(self, count: int) -> Iterator[Message]:
        chance = self._chance
        dialects = [*sorted(CORPUS), "zigbee2mqtt", "zigbee2mqtt", "plain"]
        for _ in range(count):
            self._now += self._pause()
            dialect = chance.choice(dialects)
            rest, tree = chance.choice(CORPUS[dialect])
            topic = f"shouwang/hub-{chance.randrange(HOMES)}/{dialect}/{rest.format(n=chance.randrange(len(Role)))}"
            payload = self._payload(tree)
            if chance.random() < 0.2:
                topic = self._bent_topic(topic)
            yield Message(topic, payload, self._now, chance.random() < 0.05)

    def _pause(self) -> timedelta:
        turn = self._chance.random()
        if turn < 0.3:
            return timedelta(0)
        if turn < 0.9999:
            return timedelta(milliseconds=self._chance.expovariate(1 / 30))
        return timedelta(seconds=self._chance.uniform(-5, 4000))  # a quiet hour; a clock that is set back

    def _payload(self, tree: Any) -> bytes:
        chance = self._chance
        if not isinstance(tree, bytes):
            tree = self._dated(tree)
            for _ in range(chance.choice((0, 1, 1, 2, 4))):
                tree = self._bent(tree)
        payload = tree if isinstance(tree, bytes) else json.dumps(tree, ensure_ascii=False).encode("utf-8", "replace")
        turn = chance.random()
        if turn < 0.35:
            for _ in range(chance.choice((1, 1, 2, 8))):
                payload = self._bent_bytes(payload)
        elif turn < 0.3505:
            payload = self._huge(payload)
        return payload

    def _dated(self, tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: self._dated(value) for key, value in tree.items()}
        if isinstance(tree, list):
            return [self._dated(value) for value in tree]
        if tree not in ("$now", "$ms", "$s"):
            return tree
        at = self._now - timedelta(seconds=self._chance.choice((0, 0, 0.2, 3, 400, 40_000, 900_000, -200, -4000)))
        if tree == "$now":
            return at.isoformat(timespec="milliseconds")
        return at.timestamp() if tree == "$s" else int(at.timestamp() * 1000)

    def _bent(self, tree: Any) -> Any:
        """One node of it is another."""
        chance = self._chance
        turn = chance.random()
        if isinstance(tree, dict) and tree and turn < 0.85:
            key = chance.choice(list(tree))
            bent = dict(tree)
            match chance.randrange(6):
                case 0:
                    del bent[key]
                case 1:
                    bent[chance.choice(WORDS)] = bent.pop(key)
                case 2:
                    bent[chance.choice(WORDS)] = chance.choice(LEAVES)
                case 3:
                    bent[key] = chance.choice(LEAVES)
                case _:
                    bent[key] = self._bent(bent[key])
            return bent
        if isinstance(tree, list) and tree and turn < 0.85:
            at = chance.randrange(len(tree))
            match chance.randrange(4):
                case 0:
                    return tree[:at]
                case 1:
                    return tree * chance.choice((2, 3, 40))
                case _:
                    return [*tree[:at], self._bent(tree[at]), *tree[at + 1 :]]
        match chance.randrange(4):
            case 0:
                return {chance.choice(WORDS): tree}
            case 1:
                return [tree, chance.choice(LEAVES)]
            case _:
                return chance.choice(LEAVES)

    def _bent_bytes(self, payload: bytes) -> bytes:
        chance = self._chance
        at = chance.randrange(len(payload) + 1)
        to = min(len(payload), at + chance.choice((0, 1, 1, 4, 40)))
        match chance.randrange(6):
            case 0:
                return payload[:at]
            case 1:
                return payload[:at] + payload[to:]
            case 2:
                return payload[:at] + bytes([chance.randrange(256)]) + payload[to:]
            case 3:
                return payload[:at] + chance.choice(RAW) + payload[to:]
            case 4:
                return payload[:to] + payload[at:]
            case _:
                return (
                    payload[:at]
                    + chance.choice((b"{", b"[", b'"', b"}", b",", b":", b"\0", b"\\u", b"e9"))
                    + payload[at:]
                )

    def _huge(self, payload: bytes) -> bytes:
        """What takes long to read, up to a little more than is read at all."""
        size = self._chance.choice((1_000, 20_000, 65_500, 66_000, 1_048_000, 1_049_000))
        match self._chance.randrange(6):
            case 0:
                return b"[" * size
            case 1:
                return b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6)
            case 2:
                return b'{"action":' + b"9" * size + b"}"
            case 3:
                return b"[" + b",".join([payload] * (size // max(1, len(payload)))) + b"]"
            case 4:
                return b'{"last_seen":"' + b"2" * size + b'"}'
            case _:
                return b"{" + b",".join(b'"%d":%d' % (number, number) for number in range(size // 12)) + b"}"

    def _bent_topic(self, topic: str) -> str:
        chance = self._chance
        levels = topic.split("/")
        at = chance.randrange(len(levels))
        match chance.randrange(7):
            case 0:
                levels[at] = chance.choice(LEVELS)
            case 1:
                levels.insert(at, chance.choice(LEVELS))
            case 2:
                del levels[at]
            case 3:
                levels[at] = levels[at].swapcase() or "x"
            case 4:
                levels[at] += chance.choice(LEVELS)
            case 5:
                levels = [*levels, *levels[2:]]
            case _:
                levels[-1] = chance.choice(("stranger", f"new-{chance.randrange(100_000)}", "x" * 65_000))
        return "/".join(levels)


# --------------------------------------------------------------------------- what comes of it


@dataclass(slots=True)
class Tally:
    """Where every message has gone."""

    messages: int = 0
    used: int = 0  # it gave readings, or told of devices
    put_away: int = 0  # it gave nothing but an entry in the quarantine
    cut: int = 0
    passed_over: int = 0  # nothing new, or nothing that was sensed
    readings: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    told_cut: int = 0
    longest_ms: float = 0.0  # of our own time: what others on this machine do is not counted
    longest: str = ""
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        accounted = self.used + self.put_away + self.cut + self.passed_over
        return not self.broken and accounted == self.messages and self.longest_ms <= LONGEST_MS


def fuzz(count: int, seed: int, say: Callable[[str], None] = lambda words: None) -> Tally:
    """Take in `count` bent messages; what was wrong stands in `broken`."""
    neighbourhood = Neighbourhood()
    intake = Intake(neighbourhood)
    intake.devices.remember(neighbourhood.names())
    store, batch = MemoryReadings(), Batch()
    tally, clock = Tally(), time.thread_time_ns
    began = time.perf_counter()
    for message in Bender(seed).messages(count):
        tally.messages += 1
        before = clock()
        try:
            taken = intake.take(message, tally.messages)
        except Exception as error:  # what we are here to find
            tally.broken.append(f"message {tally.messages}: {error!r}: {_shown(message)}")
            continue
        took = (clock() - before) / 1e6
        if took > tally.longest_ms:
            tally.longest_ms, tally.longest = took, f"message {tally.messages}: {_shown(message)}"
        _count(tally, taken)
        tally.broken += [f"message {tally.messages}: {what}: {_shown(message)}" for what in _wrong(taken, message)]
        batch.quarantined += taken.quarantined
        if tally.messages % 1000 == 0:
            store.commit(batch)
            batch.quarantined = []
        if tally.messages % 50_000 == 0:
            intake.devices.refresh()
            say(f"{tally.messages:,} messages, the longest took {tally.longest_ms:.1f} ms")
    store.commit(batch)
    tally.seconds = time.perf_counter() - began
    _balance(tally, intake, store)
    return tally


def _count(tally: Tally, taken: Taken) -> None:
    told = [one for one in taken.readings if one.kind is Kind.CUT]
    tally.told_cut += int(sum(one.value for one in told))
    tally.readings += len(taken.readings)
    for refused in taken.quarantined:
        tally.refused[refused.reason] += refused.count
        if refused.reason == "flooded":
            tally.told_cut += refused.count
    if taken.is_cut:
        tally.cut += 1
    elif len(taken.readings) > len(told) or taken.devices:
        tally.used += 1
    elif taken.quarantined:
        tally.put_away += 1
    else:
        tally.passed_over += 1


def _wrong(taken: Taken, message: Message) -> Iterator[str]:
    if taken.heard and (message.retained or not taken.home):
        yield "it is said to prove that a hub is alive"
    if taken.urgent != any(one.kind in URGENT and one.value == 1 for one in taken.readings):
        yield "it is urgent without cause, or not urgent with one"
    if len({(one.sensor, one.kind, one.at, one.seq) for one in taken.readings}) < len(taken.readings):
        yield "two of its readings are one row"
    for one in taken.readings:
        if one.home != taken.home or not math.isfinite(one.value):
            yield f"it gave {one}"
        if not timedelta(days=-7) <= one.at - one.heard <= timedelta(minutes=5):
            yield f"it gave a reading of {one.at}"
    for refused in taken.quarantined:
        try:
            (refused.topic + refused.detail).encode()
        except UnicodeEncodeError:
            yield "it was put away under a name that cannot be shown"


def _balance(tally: Tally, intake: Intake, store: MemoryReadings) -> None:
    """Nothing has gone astray: what was cut is told or waits to be told, what was put away stands in the store."""
    flows = [intake._nobodys, *(bound.flow for bound in intake.devices._in_hand)]  # who has been cut stays in hand
    for hub in intake.devices.hubs.values():
        flows += [hub.news, hub.others, hub.itself.flow]
    waiting = sum(flow.cut for flow in flows)
    if tally.told_cut + waiting != tally.cut:
        tally.broken.append(f"{tally.cut} messages were cut, {tally.told_cut} told and {waiting} wait to be told")
    kept = dict(store.refused())
    if kept != dict(tally.refused):
        tally.broken.append(f"the store counts {kept}, given were {dict(tally.refused)}")


def _shown(message: Message) -> str:
    return f"{message.topic[:120]!a} {message.payload[:200]!r} ({len(message.payload)} bytes)"


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--count", type=int, default=1_000_000)
    words.add_argument("--seed", type=int, default=2026)
    asked = words.parse_args()
    gc.set_threshold(5_000, 20, 1_000_000)  # as the gateway runs: to look through all of memory is not for its road
    tally = fuzz(asked.count, asked.seed, lambda text: print(text, flush=True))
    print(
        f"seed {asked.seed}: {tally.messages:,} messages = {tally.used:,} used + {tally.put_away:,} put away"
        f" + {tally.cut:,} cut + {tally.passed_over:,} with nothing new; {tally.readings:,} readings"
    )
    print(f"{tally.messages / tally.seconds:,.0f} messages/s, bending included; put away: {dict(tally.refused)}")
    print(f"longest {tally.longest_ms:.1f} ms: {tally.longest}")
    for what in tally.broken[:20]:
        print("BROKEN", what)
    return 0 if tally.holds else 1


if __name__ == "__main__":
    sys.exit(main())
