"""Whose devices are whose, by what names and topics, and what is known of each. Pure: no clock, no I/O.

A home is bound when it is first asked for. Of its devices those that speak again and again are in hand, the others lie
as bytes; of a home that sleeps nothing lies here at all: its checkpoint has it.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain
from sys import intern
from typing import Any

from gateway.domain import Home, Kind, Monitoring, Reading, Sensor
from gateway.ports import Directory, Expose, HubDevice
from ingest.decoders.base import Signal
from ingest.decoders.exposes import EXPOSES_AT_MOST
from ingest.flood import BURST, NEVER, OTHERS, Flow
from ingest.known import Bound, note_count, note_told, recalled, remember
from ingest.roles import HUB, Meaning, meanings, nature
from ingest.way import Road

NAMES_AT_MOST = 2048
"""Of one hub: what joined since it last listed its devices is added to that list."""

IN_HAND = 10_000
"""Devices whose memory is kept unpacked, 1 KB each: those of a thousand homes. Of more those that have been silent are
laid aside as some hundred bytes, and unpacked when they speak, in some microseconds."""

NEWCOMERS, SOON = 1_000, timedelta(seconds=10)
"""These are devices that speak again and again. One that has spoken once, and not so soon before, is one of so many
newcomers: most devices say something every few minutes, and need not be in hand in between."""

ASIDE_AT_ONCE, ASIDE_AT_A_TICK = 4, 500
"""With each device that is taken in hand so many others are looked at that have been in hand for longest; and after an
hour in which all spoke at once so many with each tick, some microseconds each."""

VALUES_VERSION = 4

HUB_MEANINGS = {signal: (Meaning(kind, nature(kind), 0, None),) for signal, kind in HUB.items()}
_OF_HUB = frozenset({*HUB.values(), Kind.CLOCK})


@dataclass(slots=True)
class KnownHub:
    """A registered hub: what it says about itself, and what comes through it that is no registered sensor's."""

    home: str
    itself: Bound  # under its own id
    news: Flow = field(default_factory=lambda: Flow(OTHERS))
    others: Flow = field(default_factory=lambda: Flow(OTHERS))
    strangers: dict[str, set[Signal]] = field(default_factory=dict)  # name -> what it has spoken of
    starting_until: datetime = NEVER
    messages: dict[str, int] | None = None  # address -> its count, when it was last told
    ahead: float = 0.0  # seconds, at least, by which its clock is ahead of ours …
    since: datetime | None = None  # … in the messages since then


class Devices:
    """Who is listened to: homes as they are registered, their hubs, and the memory of their devices."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.hubs: dict[str, KnownHub] = {}
        self.guarded: set[str] = set()  # homes for which somebody comes, also for a device nobody registered
        self.homes: dict[str, Home] = {}  # whoever is listened to
        self.asleep: set[str] = set()  # of them, those of whose devices nothing is kept here
        # Home -> each of its sensors as it is registered: taken in hand, or what is known of it as bytes.
        self._devices: dict[str, list[Bound | bytes]] = {}
        self._newcomers: deque[Bound] = deque()  # of all homes; whoever was taken in hand first is first …
        self._in_hand: deque[Bound] = deque()  # … and of these whoever has been for longest
        self._names: dict[str, dict[str, HubDevice]] = {}  # hub -> friendly name -> device
        self.roads: dict[str, Road] = {}  # topic -> where it goes, for topics of registered sensors
        self._topics: dict[str, list[str]] = {}  # home -> those of them that are no device's first
        self.refresh()

    # ------------------------------------------------------------------ who is there

    def refresh(self, said: Mapping[str, Home | None] | None = None) -> None:
        """The registry has changed: these homes are registered so, or not any more; or perhaps every one is another.
        Bind anew. What is known stays, except of sensors that became something else."""
        if said is None:
            said = dict.fromkeys(self.homes) | {home.id: home for home in self._directory.homes()}
        homes = {name: home for name, home in said.items() if home is not None}
        same = {name for name, home in homes.items() if self.homes.get(name) is home}  # a line of its plan was written
        changed = said.keys() - same
        hubs: dict[str, KnownHub] = {}
        known = {name: self._unbind(name, hubs) for name in changed}
        for name, home in homes.items():
            if name in same:
                continue
            if home.state in (Monitoring.TRIAL, Monitoring.GUARDED):
                self.guarded.add(name)
            if home.state is Monitoring.RETIRED:
                continue  # whoever has left is not listened to
            self.homes[name] = home
            for hub in home.hubs:
                self.hubs[hub.id] = _hub_of(name, hub.id, hubs.get(hub.id))
            before = known[name]
            if before is not None:
                self._bind(home, before)
        self.asleep.difference_update([name for name in changed if name not in self.homes])
        for had in hubs:
            box = self.hubs.get(had)
            if box is None:
                self._names.pop(had, None)
            elif box.strangers:
                box.strangers = {one: said for one, said in box.strangers.items() if self.whose(had, one)[0] is None}

    def _unbind(self, home: str, hubs: dict[str, KnownHub]) -> dict[str, tuple[Sensor, Bound | bytes]] | None:
        """Let go of a home that may be another now. Its hubs are put with the rest, for whoever has them now; what was
        known of its sensors is handed back, None when nobody had asked for them."""
        self.guarded.discard(home)
        self._forget_roads(home)
        before = self.homes.pop(home, None)
        for hub in before.hubs if before else ():
            if hub.id in self.hubs and self.hubs[hub.id].home == home:
                hubs[hub.id] = self.hubs.pop(hub.id)
        devices = self._devices.pop(home, None)
        if before is None or devices is None:
            return None
        return {sensor.id: (sensor, device) for sensor, device in zip(before.sensors, devices, strict=True)}

    def _bind(self, home: Home, before: Mapping[str, tuple[Sensor, Bound | bytes]]) -> None:
        """Be ready for this home's devices. What is known stays, except of what became something else."""
        devices = self._devices[home.id] = [b""] * len(home.sensors)
        for place, sensor in enumerate(home.sensors):
            was, device = before.get(sensor.id, (sensor, b""))
            is_same = (was.hub, was.address, was.role, was.inverted) == (
                sensor.hub,
                sensor.address,
                sensor.role,
                sensor.inverted,
            )
            if is_same:
                devices[place] = device
            if isinstance(device, Bound):
                device.place = place if is_same else -1
                device.room, device.subject, device.quiet = sensor.room, sensor.subject, None
        for _, device in before.values():
            if isinstance(device, Bound) and not (device.place < len(devices) and devices[device.place] is device):
                device.place = -1

    def holds(self, hub: str) -> str | None:
        """The home whose messages this hub's are taken for."""
        known = self.hubs.get(hub)
        return None if known is None else known.home

    def ready(self, home: str) -> None:
        """Each home is bound when it is first asked for: of a whole county few are, just after a start."""
        if home not in self._devices and home in self.homes:
            self._bind(self.homes[home], {})

    def device(self, home: str, place: int, now: datetime) -> Bound:
        """One of a home's devices, in hand."""
        device = self._devices[home][place]
        if isinstance(device, Bound):
            return device
        sensor = self.homes[home].sensors[place]
        bound = self._devices[home][place] = Bound(
            home,
            place,
            sensor.id,
            sensor.room,
            sensor.subject,
            lasting(sensor.address),
            meanings(sensor.role, sensor.inverted),
        )
        bound.unpack(device)
        bound.taken_at = now
        self.make_room(now, ASIDE_AT_ONCE)  # for others: whoever is taken in hand here is about to speak
        (self._in_hand if bound.spoke_after(now - SOON) else self._newcomers).append(bound)
        return bound

    # ------------------------------------------------------------------ in hand, laid aside, asleep

    def make_room(self, now: datetime, at_most: int = ASIDE_AT_A_TICK) -> None:
        """Where more devices are in hand than should be, look at so many of them that have been for longest."""
        for _ in range(min(at_most, len(self._newcomers) - NEWCOMERS)):
            bound = self._newcomers.popleft()
            self._lay_aside(bound, now, bound.flow.heard > bound.taken_at)
        for _ in range(min(at_most, len(self._in_hand) - IN_HAND)):
            bound = self._in_hand.popleft()
            self._lay_aside(bound, now, abs(now - bound.flow.heard) < BURST)

    def _lay_aside(self, bound: Bound, now: datetime, speaks: bool) -> None:
        """It is kept as bytes, unless it speaks often or something of it would be lost."""
        if bound.place < 0:
            return
        if speaks or not bound.may_rest(now):
            self._in_hand.append(bound)
            return
        self._devices[bound.home][bound.place] = bound.packed()
        roads = self.roads
        roads.pop(bound.topic, None)
        for topic in self._topics.pop(bound.home, ()):
            if (road := roads.get(topic)) is None or road.bound is bound:
                roads.pop(topic, None)
            else:
                self._topics.setdefault(bound.home, []).append(topic)

    def doze(self, home: str) -> bool:
        """Let go of what is known of this home's devices: `last_values` has been written down, and is restored when
        one of them speaks. False while there is something that would be lost: what a flood has cost is still untold."""
        devices = self._devices.get(home, ())
        in_hand = [device for device in devices if isinstance(device, Bound)]
        if any(bound.flow.cut for bound in in_hand):
            return False
        self.asleep.add(home)
        self._forget_roads(home)
        for bound in in_hand:
            bound.place = -1
        self._devices.pop(home, None)
        if home in self.homes:
            for hub in self.homes[home].hubs:
                self._names.pop(hub.id, None)
        return True

    def rouse(self, home: str) -> None:
        """Be ready for what is to be restored, and then for messages."""
        self.asleep.discard(home)

    # ------------------------------------------------------------------ what was known

    def recall(self, reading: Reading) -> None:
        """A reading of an earlier run, in the order of arrival: after a restart nothing old is news."""
        self.ready(reading.home)
        home = self.homes.get(reading.home)
        sensors = () if home is None else home.sensors
        place = next((place for place, sensor in enumerate(sensors) if sensor.id == reading.sensor), None)
        if place is None:
            hub = self.hubs.get(reading.sensor)
            if hub is not None and hub.home == reading.home and reading.kind in _OF_HUB:
                remember(hub.itself.lasts, reading.kind, reading.value, reading.at, reading.seq != 0)
            return
        bound = self.device(reading.home, place, reading.heard)
        bound.is_fresh = True  # which witness said it is not known
        note_told(bound, (reading,))
        if reading.kind is Kind.ALIVE or reading.kind is Kind.CUT:
            return
        remember(bound.lasts, reading.kind, reading.value, reading.at, reading.seq != 0)
        if reading.seq and reading.at == reading.heard:  # perhaps it counts because it has no clock
            note_count(bound, reading.kind, reading.seq, reading.heard)

    def last_values(self, home: str) -> dict[str, Any]:
        """What is known of a home, as plain values for its checkpoint."""
        home_here = self.homes.get(home)
        if home_here is None:
            return {"version": VALUES_VERSION, "sensors": {}}
        known = {hub.id: self.hubs[hub.id].itself.packed() for hub in home_here.hubs}
        for sensor, device in zip(home_here.sensors, self._devices.get(home, ()), strict=False):
            known[sensor.id] = device.packed() if isinstance(device, Bound) else device
        return {"version": VALUES_VERSION, "sensors": {name: packed for name, packed in known.items() if packed}}

    def restore_values(self, home: str, plain: Mapping[str, Any]) -> bool:
        """Take over what `last_values` gave. False when it is of another make: then recall the readings instead."""
        if plain.get("version") != VALUES_VERSION:
            return False
        self.ready(home)
        home_here, known = self.homes.get(home), plain["sensors"]
        if home_here is None:
            return True
        for hub in home_here.hubs:
            if hub.id in known and not self.hubs[hub.id].itself.lasts:  # while the devices slept their hub did not
                self.restore_hub(hub.id, known[hub.id])
        devices = self._devices[home]
        for place, sensor in enumerate(home_here.sensors):
            if sensor.id in known:
                devices[place] = recalled(known[sensor.id])
        return True

    def restore_hub(self, hub: str, packed: bytes) -> None:
        """Take over what the hub of a home that sleeps had said of itself: it is heard meanwhile."""
        self.hubs[hub].itself.unpack(recalled(packed))

    # ------------------------------------------------------------------ addresses and names

    def place(self, hub: str, address: str) -> int | None:
        """Where the sensor of this address is registered; of two for the same device it is the first. Homes are
        sealed: what another home's hub says is never about this one."""
        for place, sensor in enumerate(self.homes[self.hubs[hub].home].sensors):
            one = sensor.address
            if (one == address or (not one.islower() and lasting(one) == address)) and sensor.hub == hub:
                return place
        return None

    def at(self, hub: str, address: str, now: datetime) -> Bound | None:
        """The device of this address, in hand."""
        place = self.place(hub, address)
        return None if place is None else self.device(self.hubs[hub].home, place, now)

    def below(self, home: str, hub: str, name: str) -> list[int]:
        """The places of the sensor registered for a whole device, and of those registered for its parts."""
        parts, found = f"{name}/", dict[str, int]()
        for place, sensor in enumerate(self.homes[home].sensors):
            address = lasting(sensor.address)
            if sensor.hub == hub and (address == name or address.startswith(parts)):
                found.setdefault(address, place)  # of two registered for the same one the first
        return list(found.values())

    def whose(self, hub: str, name: str) -> tuple[int | None, HubDevice | None]:
        """Whose device bears this name, and what its hub announced of it. What is not announced goes by its address."""
        device = self.announced(hub, name)
        found = None if device is None else self.place(hub, device.address)
        return self.place(hub, lasting(name)) if found is None else found, device

    def announced(self, hub: str, name: str) -> HubDevice | None:
        """What its hub has announced of the device that bears this name."""
        return self._names.get(hub, {}).get(name)

    def remember(self, devices: Iterable[HubDevice]) -> None:
        """Names known from an earlier run."""
        for device in devices:
            hub = self.hubs.get(device.hub)
            if hub is None:
                continue
            if device.address == device.name and not device.exposes and not is_ieee(device.name):  # we listed it
                hub.strangers[device.name] = set()
            else:
                device = self._as_kept(device)
                self._names.setdefault(device.hub, {})[device.name] = device
            self._forget_roads(hub.home)

    def learn_all(self, hub: str, devices: list[HubDevice], news: list[HubDevice]) -> None:
        """The hub has listed its devices: names that are not among them are nobody's any more.
        Those that were not known so are put with the news."""
        before = self._names.get(hub, {})
        after = {device.name: device for device in devices}
        if after == before:
            return
        known = set(before.values())
        news.extend(device for device in devices if device not in known)
        self._names[hub] = {device.name: device for device in map(self._as_kept, devices)}
        self._forget_roads(self.hubs[hub].home)

    def learn(self, device: HubDevice, news: list[HubDevice]) -> None:
        """The hub has told of one device. What is new in it is put with the news."""
        names = self._names.setdefault(device.hub, {})
        for name, known in list(names.items()):
            if known.address == device.address:
                # Most events name a device without saying what it is.
                device = replace(
                    device,
                    model=device.model or known.model,
                    vendor=device.vendor or known.vendor,
                    power=device.power or known.power,
                    exposes=_all_of(known.exposes, device.exposes),
                )
                if known == device:
                    return
                del names[name]
        if len(names) >= NAMES_AT_MOST:
            return
        device = self._as_kept(device)
        names[device.name] = device
        news.append(device)
        self._forget_roads(self.hubs[device.hub].home)

    def _as_kept(self, device: HubDevice) -> HubDevice:
        """The same, made of texts and lists that are there already: a county has a million devices of a few makes."""
        box, place, address = self.hubs[device.hub], self.place(device.hub, device.address), device.address
        if place is not None and self.homes[box.home].sensors[place].address == address:
            address = self.homes[box.home].sensors[place].address
        name, model, vendor = intern(device.name), intern(device.model), intern(device.vendor)
        return HubDevice(box.itself.sensor, address, name, model, vendor, device.power, _once(device.exposes))

    # ------------------------------------------------------------------ topics

    def keep(self, topic: str, road: Road) -> Road:
        """The next message of this topic finds its way at once."""
        # Each sensor has a few topics: its state, its availability, attributes. A hub that invents more costs nothing.
        if len(self.roads) >= 1_000 + 8 * (len(self._newcomers) + len(self._in_hand)):
            for bound in chain(self._newcomers, self._in_hand):
                bound.topic = ""
            self.roads.clear()
            self._topics.clear()
        self.roads[topic] = road
        if road.bound is not None and not road.bound.topic:
            road.bound.topic = topic
        else:
            self._topics.setdefault(road.home, []).append(topic)
        return road

    def _forget_roads(self, home: str) -> None:
        topics = self._topics.pop(home, [])
        for device in self._devices.get(home, ()):
            if isinstance(device, Bound):
                topics.append(device.topic)
                device.topic = ""
        for topic in topics:
            self.roads.pop(topic, None)


def _hub_of(home: str, name: str, before: KnownHub | None) -> KnownHub:
    """A hub as it stands in this home; what it said there before is known."""
    here = before if before is not None and before.home == home else None
    itself = Bound(home, -1, name, "", "", "", HUB_MEANINGS, {} if here is None else here.itself.lasts)
    return KnownHub(home, itself) if here is None else replace(here, itself=itself)


@lru_cache(maxsize=4096)
def _once(exposes: tuple[Expose, ...]) -> tuple[Expose, ...]:
    return exposes


def _all_of(known: tuple[Expose, ...], told: tuple[Expose, ...]) -> tuple[Expose, ...]:
    """What a device has announced so far: some tell of one thing at a time."""
    return tuple({one.property: one for one in (*known, *told)}.values())[:EXPOSES_AT_MOST]


def is_ieee(address: str) -> bool:
    return address[:2] in ("0x", "0X")


def lasting(address: str) -> str:
    """IEEE addresses are written in capitals or not; names are as they are."""
    # Lowered only where it must be: `lower` makes a second text of each of a million addresses.
    return address.lower() if is_ieee(address) and not address.islower() else address
