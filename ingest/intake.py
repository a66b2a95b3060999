"""From messages to readings: whose it is, what it means in this home, and whether it is news. Pure: no clock, no I/O.

Bridges repeat what they remember: in every message, after every restart, in retained topics. So a *change* is an
event and its presence is not, and everything here turns on what was known before. What is known is a fold over the
readings given out, so that a restart which recalls the stored readings knows the same.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain
from sys import intern
from typing import Any
from zlib import crc32

import msgspec

from gateway.domain import Home, Kind, Monitoring, Power, Reading, Sensor
from gateway.domain.reading import LATE
from gateway.ports import Directory, Expose, HubDevice, Message, Quarantined
from ingest.decoders import DECODERS
from ingest.decoders.base import (
    DANGERS,
    NOTHING_BEFORE,
    NOTHING_QUIET,
    Decoded,
    Decoder,
    Fault,
    Heard,
    News,
    Part,
    Portion,
    Signal,
    Unreadable,
)
from ingest.decoders.exposes import EXPOSES_AT_MOST
from ingest.flood import BURST, EVERY, NEVER, OTHERS, UNTOLD_TIME, Flow
from ingest.known import (
    LASTING,
    Bound,
    Last,
    Said,
    calls_for_help,
    is_counted,
    is_thin,
    note_count,
    note_told,
    recalled,
    remember,
    tests_itself,
)
from ingest.roles import (
    ALARM,
    ANY_ROLE,
    CALLS,
    FLAG,
    HUB,
    LIFE,
    MEASURE,
    ROLES,
    SELF_TESTED,
    Meaning,
    Nature,
    meanings,
    nature,
)

ROOT = "shouwang"

LARGEST = 64 * 1024
LARGEST_NEWS = 1024 * 1024
"""Bytes. A hub's list of its devices is long; what one device says is not."""

AHEAD = timedelta(minutes=5)
"""A device time further in the future than this comes from a wrong clock: the time we heard it counts."""

OLDEST = timedelta(days=7)
"""Older news is none, unless it calls for help."""

ECHO = timedelta(seconds=2)
"""Within this a bridge that publishes objects *and* attributes says the same press a second time."""

NAMES_AT_MOST = 2048
"""Of one hub: what joined since it last listed its devices is added to that list."""

NAME_SHOWN = 64
STRANGERS_REMEMBERED = 1000
STRANGERS_LISTED = 64
"""Of one hub: devices nobody registered, with what they have said. A hub that invents names fills no list further."""

STILL_CALLING = timedelta(minutes=10)
"""A danger that an unregistered device keeps repeating is called again after this."""

TOPIC_SHOWN, HEAD_SHOWN, DETAIL_SHOWN = 256, 256, 200
"""How much of what could not be used is kept."""

ALIVE_EVERY = timedelta(minutes=2)
"""A device that has nothing new to say is noted as alive this often: often enough for the shortest limit on silence."""

STARTING = timedelta(minutes=1)
"""After a hub has connected it repeats all it remembers; without a time in it that proves no device alive."""

CLOCK_WATCHED, CLOCK_LEAP = timedelta(minutes=10), 2.0
"""A hub's message may be held up on its way, never hurried: of so many minutes the one that came quickest tells how
its clock stands, and it is told again when it has moved by so many seconds."""

NEWS_PAGE = 4096
"""Bytes of a hub's news that cost as much as one message: its list of devices is long."""

LARGEST_DRAUGHT = 100_000.0
"""Litres. A meter that has moved further was exchanged, like one that moved back: it counts from there."""

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

_EARLY, _NOTHING, _MS = -AHEAD, timedelta(0), timedelta(milliseconds=1)
_BELOW_MS = tuple(timedelta(microseconds=us) for us in range(1000))
_METER, _SELF_TEST = Kind.METER, Signal.SELF_TEST  # a look into an enum is as dear as a call
_OF_REACH = frozenset({Signal.AVAILABLE, Signal.CONNECTED})

_REPEATED = {
    kind: signal
    for signal, kind in ANY_ROLE.items()
    if kind not in LASTING and not any(signal in uses for uses in ROLES.values())
}
"""What nearly every message says again, by what it is told: the same in every role."""

_HUB_MEANINGS = {signal: (Meaning(kind, nature(kind), 0, None),) for signal, kind in HUB.items()}
_OF_HUB = frozenset({*HUB.values(), Kind.CLOCK})
_is_hub = re.compile(r"[a-z0-9-]{1,64}").fullmatch


class Taken(msgspec.Struct, gc=False):
    """What one message gave. Its home is "" when it is nobody's. (A msgspec struct: one is made for each message.)"""

    home: str = ""
    heard: bool = False  # it proves that the home's hub is alive: neither retained nor a last will
    readings: list[Reading] = []
    quarantined: list[Quarantined] = []
    devices: list[HubDevice] = []
    urgent: bool = False  # commit at once
    is_cut: bool = False  # too much was said: nothing of it was used
    is_asleep: bool = False  # nothing was read yet: `rouse` the home, restore what it knew, and take the message again


@dataclass(slots=True)
class _Hub:
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


class _Road(msgspec.Struct):
    """Where the messages of one topic go. (A msgspec struct: one is made with every first word after a silence.)"""

    home: str
    hub: str
    way: Callable[["_Road", Message, int, Taken], None]
    decoder: Decoder = DECODERS["plain"]
    rest: str = ""  # the topic below the decoder's name
    key: str = ""
    bound: Bound | None = None
    device: HubDevice | None = None  # as its hub announced it
    name: str = ""  # of a device that speaks for several
    reason: str = ""  # why it leads nowhere
    largest: int = LARGEST


class Intake:
    """Turns what the broker hands over into readings of registered sensors, and puts the rest where it can be seen."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._hubs: dict[str, _Hub] = {}
        self._nobodys = Flow(OTHERS)  # what no registered hub said
        self._unsettled_until = NEVER
        self._heard = self._heard_ms = NEVER  # when the last message was heard, and that as it will be stored
        self._called: dict[tuple[str, str, Kind], datetime] = {}  # strangers that call for help -> when last
        self._guarded: set[str] = set()  # homes for which somebody comes, also for a device nobody registered
        self._homes: dict[str, Home] = {}  # whoever is listened to
        self._asleep: set[str] = set()  # of them, those of whose devices nothing is kept here
        # Home -> each of its sensors as it is registered: taken in hand, or what is known of it as bytes.
        self._devices: dict[str, list[Bound | bytes]] = {}
        self._newcomers: deque[Bound] = deque()  # of all homes; whoever was taken in hand first is first …
        self._in_hand: deque[Bound] = deque()  # … and of these whoever has been for longest
        self._names: dict[str, dict[str, HubDevice]] = {}  # hub -> friendly name -> device
        self._roads: dict[str, _Road] = {}  # topic -> where it goes, for topics of registered sensors
        self._topics: dict[str, list[str]] = {}  # home -> those of them that are no device's first
        self._to_sensor = self._hear_sensor  # bound once, for each road that leads there
        self.refresh()

    # ------------------------------------------------------------------ who is there

    def refresh(self, said: Mapping[str, Home | None] | None = None) -> None:
        """The registry has changed: these homes are registered so, or not any more; or perhaps every one is another.
        Bind anew. What is known stays, except of sensors that became something else."""
        if said is None:
            said = dict.fromkeys(self._homes) | {home.id: home for home in self._directory.homes()}
        homes = {name: home for name, home in said.items() if home is not None}
        same = {name for name, home in homes.items() if self._homes.get(name) is home}  # a line of its plan was written
        changed = said.keys() - same
        hubs: dict[str, _Hub] = {}
        known = {name: self._unbind(name, hubs) for name in changed}
        for name, home in homes.items():
            if name in same:
                continue
            if home.state in (Monitoring.TRIAL, Monitoring.GUARDED):
                self._guarded.add(name)
            if home.state is Monitoring.RETIRED:
                continue  # whoever has left is not listened to
            self._homes[name] = home
            for hub in home.hubs:
                self._hubs[hub.id] = _hub_of(name, hub.id, hubs.get(hub.id))
            before = known[name]
            if before is not None:
                self._bind(home, before)
        self._asleep.difference_update([name for name in changed if name not in self._homes])
        for had in hubs:
            box = self._hubs.get(had)
            if box is None:
                self._names.pop(had, None)
            elif box.strangers:
                box.strangers = {one: said for one, said in box.strangers.items() if self._whose(had, one)[0] is None}

    def _unbind(self, home: str, hubs: dict[str, _Hub]) -> dict[str, tuple[Sensor, Bound | bytes]] | None:
        """Let go of a home that may be another now. Its hubs are put with the rest, for whoever has them now; what was
        known of its sensors is handed back, None when nobody had asked for them."""
        self._guarded.discard(home)
        self._forget_roads(home)
        before = self._homes.pop(home, None)
        for hub in before.hubs if before else ():
            if hub.id in self._hubs and self._hubs[hub.id].home == home:
                hubs[hub.id] = self._hubs.pop(hub.id)
        devices = self._devices.pop(home, None)
        if before is None or devices is None:
            return None
        return {sensor.id: (sensor, device) for sensor, device in zip(before.sensors, devices, strict=True)}

    def holds(self, hub: str) -> str | None:
        """The home whose messages this hub's are taken for."""
        known = self._hubs.get(hub)
        return None if known is None else known.home

    def unsettle(self, until: datetime) -> None:
        """A connection is new: until then the broker may hand over older messages behind newer ones."""
        self._unsettled_until = max(self._unsettled_until, until)

    def put_back(self, now: datetime) -> None:
        """The clock was put back to this moment: no connection is newer, and nothing has started later."""
        self._unsettled_until = min(self._unsettled_until, now)
        for hub in self._hubs.values():
            hub.starting_until = min(hub.starting_until, now)

    def doze(self, home: str) -> bool:
        """Let go of what is known of this home's devices: `last_values` has been written down, and is restored when
        one of them speaks. False while there is something that would be lost: what a flood has cost is still untold."""
        devices = self._devices.get(home, ())
        in_hand = [device for device in devices if isinstance(device, Bound)]
        if any(bound.flow.cut for bound in in_hand):
            return False
        self._asleep.add(home)
        self._forget_roads(home)
        for bound in in_hand:
            bound.place = -1
        self._devices.pop(home, None)
        if home in self._homes:
            for hub in self._homes[home].hubs:
                self._names.pop(hub.id, None)
        return True

    def rouse(self, home: str) -> None:
        """Be ready for what is to be restored, and then for messages."""
        self._asleep.discard(home)

    def _ready(self, home: str) -> None:
        """Each home is bound when it is first asked for: of a whole county few are, just after a start."""
        if home not in self._devices and home in self._homes:
            self._bind(self._homes[home], {})

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

    def _device(self, home: str, place: int, now: datetime) -> Bound:
        """One of a home's devices, in hand."""
        device = self._devices[home][place]
        if isinstance(device, Bound):
            return device
        sensor = self._homes[home].sensors[place]
        bound = self._devices[home][place] = Bound(
            home,
            place,
            sensor.id,
            sensor.room,
            sensor.subject,
            _lasting(sensor.address),
            meanings(sensor.role, sensor.inverted),
        )
        bound.unpack(device)
        bound.taken_at = now
        self.make_room(now, ASIDE_AT_ONCE)  # for others: whoever is taken in hand here is about to speak
        (self._in_hand if bound.spoke_after(now - SOON) else self._newcomers).append(bound)
        return bound

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
        roads = self._roads
        roads.pop(bound.topic, None)
        for topic in self._topics.pop(bound.home, ()):
            if (road := roads.get(topic)) is None or road.bound is bound:
                roads.pop(topic, None)
            else:
                self._topics.setdefault(bound.home, []).append(topic)

    def _place(self, hub: str, address: str) -> int | None:
        """Where the sensor of this address is registered; of two for the same device it is the first. Homes are
        sealed: what another home's hub says is never about this one."""
        for place, sensor in enumerate(self._homes[self._hubs[hub].home].sensors):
            one = sensor.address
            if (one == address or (not one.islower() and _lasting(one) == address)) and sensor.hub == hub:
                return place
        return None

    def _at(self, hub: str, address: str, now: datetime) -> Bound | None:
        """The same, in hand."""
        place = self._place(hub, address)
        return None if place is None else self._device(self._hubs[hub].home, place, now)

    def remember_devices(self, devices: Iterable[HubDevice]) -> None:
        """Names known from an earlier run."""
        for device in devices:
            hub = self._hubs.get(device.hub)
            if hub is None:
                continue
            if device.address == device.name and not device.exposes and not _is_ieee(device.name):  # we listed it
                hub.strangers[device.name] = set()
            else:
                device = self._as_kept(device)
                self._names.setdefault(device.hub, {})[device.name] = device
            self._forget_roads(hub.home)

    # ------------------------------------------------------------------ what was known

    def recall(self, reading: Reading) -> None:
        """A reading of an earlier run, in the order of arrival: after a restart nothing old is news."""
        self._ready(reading.home)
        home = self._homes.get(reading.home)
        sensors = () if home is None else home.sensors
        place = next((place for place, sensor in enumerate(sensors) if sensor.id == reading.sensor), None)
        if place is None:
            hub = self._hubs.get(reading.sensor)
            if hub is not None and hub.home == reading.home and reading.kind in _OF_HUB:
                remember(hub.itself.lasts, reading.kind, reading.value, reading.at, reading.seq != 0)
            return
        bound = self._device(reading.home, place, reading.heard)
        bound.is_fresh = True  # which witness said it is not known
        note_told(bound, (reading,))
        if reading.kind is Kind.ALIVE or reading.kind is Kind.CUT:
            return
        remember(bound.lasts, reading.kind, reading.value, reading.at, reading.seq != 0)
        if reading.seq and reading.at == reading.heard:  # perhaps it counts because it has no clock
            note_count(bound, reading.kind, reading.seq, reading.heard)

    def last_values(self, home: str) -> dict[str, Any]:
        """What is known of a home, as plain values for its checkpoint."""
        home_here = self._homes.get(home)
        if home_here is None:
            return {"version": VALUES_VERSION, "sensors": {}}
        known = {hub.id: self._hubs[hub.id].itself.packed() for hub in home_here.hubs}
        for sensor, device in zip(home_here.sensors, self._devices.get(home, ()), strict=False):
            known[sensor.id] = device.packed() if isinstance(device, Bound) else device
        return {"version": VALUES_VERSION, "sensors": {name: packed for name, packed in known.items() if packed}}

    def restore_values(self, home: str, plain: Mapping[str, Any]) -> bool:
        """Take over what `last_values` gave. False when it is of another make: then recall the readings instead."""
        if plain.get("version") != VALUES_VERSION:
            return False
        self._ready(home)
        home_here, known = self._homes.get(home), plain["sensors"]
        if home_here is None:
            return True
        for hub in home_here.hubs:
            if hub.id in known and not self._hubs[hub.id].itself.lasts:  # while the devices slept their hub did not
                self.restore_hub(hub.id, known[hub.id])
        devices = self._devices[home]
        for place, sensor in enumerate(home_here.sensors):
            if sensor.id in known:
                devices[place] = recalled(known[sensor.id])
        return True

    def restore_hub(self, hub: str, packed: bytes) -> None:
        """Take over what the hub of a home that sleeps had said of itself: it is heard meanwhile."""
        self._hubs[hub].itself.unpack(recalled(packed))

    # ------------------------------------------------------------------ which way

    def take(self, message: Message, arrival: int) -> Taken:
        """What this message says, to whom it belongs, and what of it could not be used."""
        road = self._roads.get(message.topic) or self._find(message.topic, message.heard)
        home, size = road.home, len(message.payload)
        taken = Taken(home, home != "" and not message.retained)
        if size > road.largest and not road.reason:
            if self._has_room(road, message, arrival, taken):
                _put_away(road, message, taken, "too-large", f"{size} bytes; at most {road.largest} are read")
        elif size or road.reason:  # an empty payload deletes a retained message and says nothing else
            road.way(road, message, arrival, taken)
        return taken

    def _find(self, topic: str, now: datetime) -> _Road:
        """Read a topic: `shouwang/<hub>/<decoder>/…`."""
        levels = topic.split("/", 3)
        if len(levels) < 4 or levels[0] != ROOT or not _is_hub(levels[1]):
            return _Road("", "", self._refuse, reason="bad-topic")
        _, hub, dialect, rest = levels
        if hub not in self._hubs:
            return _Road("", hub, self._refuse, reason="unknown-hub")
        home, hub = self._hubs[hub].home, self._hubs[hub].itself.sensor  # the text that is there already
        decoder = DECODERS.get(dialect)
        if decoder is None:
            return _Road(home, hub, self._refuse, reason="unknown-topic")
        places = decoder.places(rest)
        if not places:
            return _Road(home, hub, self._refuse, reason="bad-topic")
        if places[0].part is Part.HUB:
            return _Road(home, hub, self._hear_hub, decoder, rest, largest=LARGEST_NEWS)
        if places[0].part is Part.NOTHING:
            return _Road(home, hub, _pass_over)
        if home in self._asleep:
            return _Road(home, hub, _ask_to_wake)
        self._ready(home)
        if places[0].part is Part.SEVERAL:
            _, name, key = places[0]
            device = self._names.get(hub, {}).get(name)
            road = _Road(home, hub, self._hear_several, decoder, rest, key, device=device, name=name)
            return self._keep(topic, road) if self._below(home, hub, name) else road
        for place in places:
            found, device = self._whose(hub, place.name)
            if found is None and device is not None:
                break  # a device nobody registered, and not a topic below one that somebody did
            if found is not None:
                bound = self._device(home, found, now)
                return self._keep(
                    topic, _Road(home, hub, self._to_sensor, decoder, intern(rest), place.key, bound, device)
                )
        return _Road(home, hub, self._hear_stranger, decoder, rest)

    def _keep(self, topic: str, road: _Road) -> _Road:
        # Each sensor has a few topics: its state, its availability, attributes. A hub that invents more costs nothing.
        if len(self._roads) >= 1_000 + 8 * (len(self._newcomers) + len(self._in_hand)):
            for bound in chain(self._newcomers, self._in_hand):
                bound.topic = ""
            self._roads, self._topics = {}, {}
        self._roads[topic] = road
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
            self._roads.pop(topic, None)

    def _below(self, home: str, hub: str, name: str) -> list[int]:
        """The places of the sensor registered for a whole device, and of those registered for its parts."""
        parts, found = f"{name}/", dict[str, int]()
        for place, sensor in enumerate(self._homes[home].sensors):
            address = _lasting(sensor.address)
            if sensor.hub == hub and (address == name or address.startswith(parts)):
                found.setdefault(address, place)  # of two registered for the same one the first
        return list(found.values())

    def _whose(self, hub: str, name: str) -> tuple[int | None, HubDevice | None]:
        """Whose device bears this name, and what its hub announced of it. What is not announced goes by its address."""
        device = self._names.get(hub, {}).get(name)
        found = None if device is None else self._place(hub, device.address)
        return self._place(hub, _lasting(name)) if found is None else found, device

    # ------------------------------------------------------------------ a registered sensor

    def _hear_sensor(self, road: _Road, message: Message, arrival: int, taken: Taken) -> None:
        bound = road.bound
        assert bound is not None
        before = NOTHING_BEFORE
        if bound.quiet is None and not bound.is_fresh and road.decoder.repeats_state:
            before = _said_before(bound)
        try:
            decoded = road.decoder.decode(message.payload, road.key, road.device, bound.quiet or NOTHING_QUIET, before)
        except Unreadable as error:
            if error.reason == "unknown-device":
                self._hear_stranger(road, message, arrival, taken)
            elif self._fits(bound, (), None, None, message, arrival, taken):
                _put_away(road, message, taken, error.reason, error.detail)
            return
        if decoded.address and decoded.address != bound.address and _is_ieee(bound.address):
            self._hear_stranger(road, message, arrival, taken)  # the name was given to another device
            return
        if before is not NOTHING_BEFORE:
            bound.quiet = decoded.hushed or {}
        self._hear_device(road, bound, decoded, message, arrival, taken)

    def _hear_several(self, road: _Road, message: Message, arrival: int, taken: Taken) -> None:
        """One device speaks for its parts, or for others: each says its own."""
        try:
            decoded = road.decoder.decode(message.payload, road.key, road.device)
        except Unreadable as error:
            if self._has_room(road, message, arrival, taken):
                _put_away(road, message, taken, error.reason, error.detail)
            return
        taken.heard = taken.heard and not decoded.is_last_will
        if decoded.faults is not None and self._has_room(road, message, arrival, taken):
            _put_away_faults(road, message, taken, decoded.faults)
        for portion in decoded.portions or ():
            places = self._meant_by(road, portion)
            for place in places:
                bound = self._device(road.home, place, message.heard)  # only now: the next may take its room
                if decoded.is_last_will and self._homes[road.home].sensors[place].power is Power.BATTERY:
                    continue  # it sleeps, and says goodbye each time
                told = Taken(road.home)
                self._hear_device(road, bound, Decoded(portion.heard), message, arrival, told)
                taken.readings += told.readings
                taken.quarantined += told.quarantined
                taken.urgent, taken.is_cut = taken.urgent or told.urgent, taken.is_cut or told.is_cut
            if not places and any(one.signal is not Signal.LINK for one in portion.heard):
                self._hear_strange_part(road, portion, message, arrival, taken)

    def _meant_by(self, road: _Road, portion: Portion) -> list[int]:
        """Whose place this part is. What holds for the whole device holds for each of its parts."""
        if not portion.part:
            return self._below(road.home, road.hub, road.name)
        place = self._place(road.hub, f"{road.name}/{portion.part}")
        if place is None and not portion.is_child:
            place = self._place(road.hub, road.name)
        return [] if place is None else [place]

    def _hear_device(
        self, road: _Road, bound: Bound, decoded: Decoded, message: Message, arrival: int, taken: Taken
    ) -> None:
        heard, faults = decoded.heard, decoded.faults
        own = heard[-1].at if heard else decoded.quiet_at
        # Only now, for a press must be seen before it can pass; and before anything of it is remembered.
        if not self._fits(bound, heard, own, faults, message, arrival, taken):
            return
        if faults is not None:
            _put_away_faults(road, message, taken, faults)
        if bound.is_fresh:
            bound.is_fresh = False
            # Where several signals stand for one kind, the best is to be known from the first message on.
            heard = sorted(heard, key=lambda one: (one.part, _rank(bound, one.signal)))
        bound.is_testing = bool(heard) and heard[0].signal is _SELF_TEST and heard[0].value == 1.0
        repeats = road.decoder.repeats_state
        meanings_of, lasts = bound.meanings.get, bound.lasts
        for one in heard:
            means = meanings_of(one.signal)
            if means is None:
                if not repeats:  # it was said on purpose, so somebody wants to know why nothing comes of it
                    detail = f"{one.signal.value} from a sensor that is registered for something else"
                    _put_away(road, message, taken, "not-its-role", detail)
                elif one.key:
                    _note_quiet(bound, decoded, one.key)
                continue
            for meaning in means:
                kind, turn, value = meaning.kind, meaning.turn, one.value
                last = lasts.get(kind)
                if turn is not None:
                    value = turn(value, None if last is None else last.value)
                if (
                    last is not None
                    and value == last.value
                    and repeats
                    and not one.momentary
                    and meaning.rank >= last.rank
                    and (one.at is None or one.at >= last.at)
                ):
                    if kind not in LASTING:
                        if one.key and turn is None and len(means) == 1:
                            _note_quiet(bound, decoded, one.key)
                    elif one.at is not None and one.at > last.at:
                        self._note_repetition(bound, meaning, one, last, message, arrival, taken)
                    continue  # what nearly every key of nearly every message says: as before
                self._weigh(road, bound, meaning, one, value, last, message, arrival, taken)
        if taken.readings and note_told(bound, taken.readings):
            return
        # That it is within reach, or no longer, is its bridge's word or the broker's.
        if not message.retained and not (len(heard) == 1 and heard[0].signal in _OF_REACH):
            if bound.told_at is not None and _NOTHING <= (own or message.heard) - bound.told_at < ALIVE_EVERY:
                return  # as nearly always
            if (
                own is None
                and repeats
                and message.heard < max(self._unsettled_until, self._hubs[road.hub].starting_until)
            ):
                return
            self._note_alive(road.hub, bound, own, message, arrival, taken)

    def _note_alive(
        self, hub: str, bound: Bound, own: datetime | None, message: Message, arrival: int, taken: Taken
    ) -> None:
        """It was heard and there was nothing new in it. Now and then that is told too, or it would pass for dead.

        A bridge that starts repeats what it knew with the time it knew it at: that is told under its own time, and
        proves nothing about now.
        """
        heard = _to_ms(message.heard)
        at = heard
        if own is not None and not -AHEAD <= heard - own <= OLDEST:
            own = self._by_our_clock(hub, own, heard)
        if own is not None and heard - own >= -AHEAD:
            at = _to_ms(own)
        if bound.told_at is not None and bound.told_heard is not None:
            last, last_heard = bound.told_at, bound.told_heard
            if at - last < ALIVE_EVERY and (last - at < ALIVE_EVERY or _NOTHING <= heard - last_heard < ALIVE_EVERY):
                return  # the second: its clock was set back, or these are old news (before it: ours was set back)
        age = heard - at
        if age > OLDEST:
            return
        seq = 0 if own is None else crc32(message.payload)
        alive = Reading(
            bound.home, bound.sensor, bound.room, Kind.ALIVE, 1.0, at, heard, arrival, seq, age > LATE, bound.subject
        )
        taken.readings.append(alive)
        bound.told_at, bound.told_heard = at, heard

    def _by_our_clock(self, hub: str, at: datetime, heard: datetime) -> datetime:
        """When it was that a hub calls `at` whose clock is known to be so wrong that nothing it dates could be news:
        one that was without power begins in the year it was made, and what it says is news all the same."""
        known = self._hubs[hub].itself.lasts.get(Kind.CLOCK)
        if known is None or abs(known.value) <= AHEAD.total_seconds():
            return at
        age = heard - at + timedelta(seconds=known.value)
        return heard - max(age, _NOTHING) if -AHEAD <= age <= OLDEST else at

    def _weigh(
        self,
        road: _Road,
        bound: Bound,
        meaning: Meaning,
        one: Heard,
        value: float,
        last: Last | None,
        message: Message,
        arrival: int,
        taken: Taken,
    ) -> None:
        """Is it news, and when did it happen? If it is, it becomes a reading."""
        kind, nature, rank = meaning.kind, meaning.nature, meaning.rank
        repeats, retained, momentary = road.decoder.repeats_state, message.retained, one.momentary
        if message.heard is not self._heard:  # of a batch mostly the same moment, and then of all its readings
            self._heard, self._heard_ms = message.heard, _to_ms(message.heard)
        heard = self._heard_ms
        at, late, has_time = heard, retained, False
        if one.at is not None:
            own, age = one.at, heard - one.at
            is_usable = _EARLY <= age <= OLDEST
            if not is_usable:
                own = self._by_our_clock(road.hub, own, heard)
                age = heard - own
                is_usable = _EARLY <= age <= OLDEST
            if is_usable:
                at, late, has_time = own, retained or age > LATE, True
            elif nature is ALARM:
                late = retained or age > OLDEST  # a call for help is never too old to be looked after
            elif age > OLDEST:
                if momentary or not repeats or last is None or value != last.value:
                    _put_away(road, message, taken, "too-old", f"{kind.value} of {one.at.isoformat()}")
                return

        if momentary:
            if retained:
                if not any(refused.reason == "retained-event" for refused in taken.quarantined):
                    detail = f"{kind.value} happens once; a retained message of it tells nothing"
                    _put_away(road, message, taken, "retained-event", detail)
                return
            if repeats and self._is_told_twice(road, bound, kind, heard, taken):
                return
        elif nature is ALARM and kind in SELF_TESTED and value and tests_itself(bound, at):
            return
        elif nature is LIFE and last is not None and rank > last.rank:
            return  # a better witness has been heard
        elif has_time and last is not None and last.is_dated and at < last.at:
            # Stored up, told again, or from a clock that was set back: given out under its own time (told again it is
            # the same reading), and never the present value.
            if retained or (repeats and nature in (FLAG, MEASURE)):
                return
            if value == last.before(at):
                return
        elif last is not None and value == last.value:
            last.rank = min(last.rank, rank)  # after a restart the first word of a witness comes this way
            if repeats and one.at is not None and one.at > last.at and kind in LASTING:
                self._note_repetition(bound, meaning, one, last, message, arrival, taken)
            return
        elif nature is LIFE:
            if retained or (repeats and last is None):
                # Remembered by the bridge since we do not know when: kept to compare with, never taken for life.
                at, late, has_time = heard, True, False
        elif nature is MEASURE and last is not None and is_thin(kind, value, at, last):
            return

        if repeats and has_time and last is not None and at == last.at and value != last.value:
            # The device has said nothing since: its bridge made this up (a motion that cleared), some time after.
            at += _MS
        seq = one.seq
        if seq is None:
            seq = crc32(message.payload, one.part) if has_time or one.part else 0
        elif seq and (one.at is None or repeats) and is_counted(bound, nature, kind, seq, heard):
            return
        for told in taken.readings:
            if told.kind is kind and told.seq == seq and told.at == at:
                at += _MS  # the same message says both: two rows, in its order
        taken.readings.append(
            Reading(bound.home, bound.sensor, bound.room, kind, value, at, heard, arrival, seq, late, bound.subject)
        )
        if nature is ALARM and value == 1.0:
            taken.urgent = True
        if kind is _METER and last is not None and 0 < value - last.value <= LARGEST_DRAUGHT:
            taken.readings.append(replace(taken.readings[-1], kind=Kind.WATER, value=round(value - last.value, 3)))
        between = None if last is None or not has_time else last.contradicted(at, value)
        remember(bound.lasts, kind, value, at, seq != 0, rank)
        if kind not in LASTING:
            bound.quiet = None
        if between is not None:
            # The order was wrong: after this change the device has said that it is as it was before it.
            value, said = between
            at, seq = _to_ms(said.at), said.seq
            taken.readings.append(
                Reading(bound.home, bound.sensor, bound.room, kind, value, at, heard, arrival, seq, late, bound.subject)
            )
            if last is not None and at > last.at:
                remember(bound.lasts, kind, value, at, True, rank)

    def _note_repetition(
        self,
        bound: Bound,
        meaning: Meaning,
        one: Heard,
        last: Last,
        message: Message,
        arrival: int,
        taken: Taken,
    ) -> None:
        """As before, said once more. Just after a connection an older change may be on its way yet: then it is kept."""
        at = one.at
        assert at is not None
        if at - message.heard > AHEAD:  # a clock that runs ahead says nothing about when
            return
        if message.heard >= self._unsettled_until or meaning.nature is not Nature.LIFE or message.retained:
            last.again = Said(at, crc32(message.payload, one.part))
            return
        heard = _to_ms(message.heard)
        if timedelta(0) <= heard - at <= LATE:
            at, seq = _to_ms(at), crc32(message.payload, one.part)
            # Late and yet not old: a state without a date, which is never taken for life.
            taken.readings.append(
                Reading(
                    bound.home,
                    bound.sensor,
                    bound.room,
                    meaning.kind,
                    last.value,
                    at,
                    heard,
                    arrival,
                    seq,
                    True,
                    bound.subject,
                )
            )
            remember(bound.lasts, meaning.kind, last.value, at, True, meaning.rank)

    def _is_told_twice(self, road: _Road, bound: Bound, kind: Kind, heard: datetime, taken: Taken) -> bool:
        """One press, told under two keys or in two topics."""
        if any(reading.kind is kind and reading.value for reading in taken.readings):
            return True
        if not road.key:
            bound.pressed_at = heard
            return False
        return bound.pressed_at is not None and abs(heard - bound.pressed_at) <= ECHO

    # ------------------------------------------------------------------ too much

    def _fits(
        self,
        bound: Bound,
        heard: Sequence[Heard],
        own: datetime | None,
        faults: Sequence[Fault] | None,
        message: Message,
        arrival: int,
        taken: Taken,
    ) -> bool:
        """Whether this device may say this much. If not the message is cut, unless it calls for help."""
        flow, price = bound.flow, EVERY
        if heard and heard[-1].part:
            price *= 1 + heard[-1].part  # a list counts as what it lists
        if faults is not None:
            price += EVERY * len(faults)
        if own is None and message.heard < self._unsettled_until:
            price /= UNTOLD_TIME
        fits = flow.passes(message.heard, own, price) or calls_for_help(bound, heard, message.heard)
        if flow.cut or not fits:
            _note_cut(flow, fits, bound, message, arrival, taken)
        return fits

    def _has_room(self, road: _Road, message: Message, arrival: int, taken: Taken) -> bool:
        """Whether there is room for what no registered sensor said. If not the message is cut."""
        hub = self._hubs.get(road.hub)
        price = OTHERS
        if hub is None:
            flow = self._nobodys
        elif road.way == self._hear_hub:
            flow, price = hub.news, OTHERS * (1 + len(message.payload) // NEWS_PAGE)
        else:
            flow = hub.others
        if message.heard < self._unsettled_until:
            price /= UNTOLD_TIME
        fits = flow.passes(message.heard, None, price)
        if hub is not None:
            if flow.cut or not fits:
                _note_cut(flow, fits, hub.itself, message, arrival, taken)
            return fits
        if not fits:
            flow.cut += 1
            taken.is_cut = True
        count = flow.due(message.heard)
        if count:  # there is no home in which it could be told
            _put_away(road, message, taken, "flooded", f"{count} messages of hubs that nobody registered")
            taken.quarantined[-1] = replace(taken.quarantined[-1], count=count)
        return fits

    def _refuse(self, road: _Road, message: Message, arrival: int, taken: Taken) -> None:
        if self._has_room(road, message, arrival, taken):
            _put_away(road, message, taken, road.reason)

    # ------------------------------------------------------------------ the hub

    def _hear_hub(self, road: _Road, message: Message, arrival: int, taken: Taken) -> None:
        if road.home in self._asleep:
            if _is_of_devices(road, message):
                taken.is_asleep = True
                return
        else:
            self._ready(road.home)
        if not self._has_room(road, message, arrival, taken):
            return
        try:
            news = road.decoder.news(road.hub, road.rest, message.payload)
        except Unreadable as error:
            _put_away(road, message, taken, error.reason, error.detail)
            return
        taken.heard = taken.heard and news.is_alive
        if news.faults:
            _put_away_faults(road, message, taken, news.faults)
        if news.devices is not None:
            self._learn_all(road.hub, news.devices, taken)
        for before, after in news.renamed:
            device = self._names.get(road.hub, {}).get(before)
            self._learn(HubDevice(road.hub, device.address if device else _lasting(before), after), taken)
        for device in news.joined:
            self._learn(device, taken)
        self._hear_about_itself(road, news, message, arrival, taken)
        if message.retained:
            return
        heard = _to_ms(message.heard)
        for address in news.left:
            self._note_reach(road.hub, address, 0.0, heard, arrival, taken)
        for device in news.joined:
            self._note_reach(road.hub, device.address, 1.0, heard, arrival, taken)

    def _hear_about_itself(self, road: _Road, news: News, message: Message, arrival: int, taken: Taken) -> None:
        """How the hub is, and which of its devices it has had messages from that it did not pass on."""
        hub = self._hubs[road.hub]
        if news.messages is not None:
            before, hub.messages = hub.messages, news.messages
        if message.retained:
            return
        heard = _to_ms(message.heard)
        if news.starts:
            hub.starting_until = message.heard + STARTING
        for one in news.heard:
            for meaning in _HUB_MEANINGS.get(one.signal, ()):
                last = hub.itself.lasts.get(meaning.kind)
                self._weigh(road, hub.itself, meaning, one, one.value, last, message, arrival, taken)
        if news.at is not None:
            _note_clock(hub, news.at, heard, arrival, taken)
        for address, count in (news.messages or {}).items():
            # Fewer than before: it counts anew since it was started.
            if before is not None and count and count != before.get(address, count):
                bound = self._at(road.hub, address, message.heard)
                if bound is not None:
                    self._note_alive(road.hub, bound, news.at, message, arrival, taken)

    def _note_reach(self, hub: str, address: str, value: float, heard: datetime, arrival: int, taken: Taken) -> None:
        """A device that leaves its network is out of reach until it joins again."""
        bound = self._at(hub, _lasting(address), heard)
        if bound is None:
            return
        last = bound.lasts.get(Kind.AVAILABLE)
        if (1.0 if last is None else last.value) == value:
            return
        taken.readings.append(
            Reading(
                bound.home,
                bound.sensor,
                bound.room,
                Kind.AVAILABLE,
                value,
                heard,
                heard,
                arrival,
                subject=bound.subject,
            )
        )
        remember(bound.lasts, Kind.AVAILABLE, value, heard, False, 0)

    def _learn_all(self, hub: str, devices: list[HubDevice], taken: Taken) -> None:
        """The hub has listed its devices: names that are not among them are nobody's any more."""
        before = self._names.get(hub, {})
        after = {device.name: device for device in devices}
        if after == before:
            return
        known = set(before.values())
        taken.devices.extend(device for device in devices if device not in known)
        self._names[hub] = {device.name: device for device in map(self._as_kept, devices)}
        self._forget_roads(self._hubs[hub].home)

    def _as_kept(self, device: HubDevice) -> HubDevice:
        """The same, made of texts and lists that are there already: a county has a million devices of a few makes."""
        box, place, address = self._hubs[device.hub], self._place(device.hub, device.address), device.address
        if place is not None and self._homes[box.home].sensors[place].address == address:
            address = self._homes[box.home].sensors[place].address
        name, model, vendor = intern(device.name), intern(device.model), intern(device.vendor)
        return HubDevice(box.itself.sensor, address, name, model, vendor, device.power, _once(device.exposes))

    def _learn(self, device: HubDevice, taken: Taken) -> None:
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
        taken.devices.append(device)
        self._forget_roads(self._hubs[device.hub].home)

    # ------------------------------------------------------------------ strangers

    def _hear_stranger(self, road: _Road, message: Message, arrival: int, taken: Taken) -> None:
        """A device nobody registered: what it says must be seen, and where it calls for help somebody must come.

        We do not know the room, but we know the home: its hub said it, with the hub's own secret.
        """
        has_room = self._has_room(road, message, arrival, taken)
        reason = "unknown-device"
        said = ""
        for place in road.decoder.places(road.rest):
            device = self._names.get(road.hub, {}).get(place.name)
            try:
                decoded = road.decoder.decode(message.payload, place.key, device)
            except Unreadable:
                continue
            if decoded.address and has_room:
                self._learn(HubDevice(road.hub, decoded.address, road.rest), taken)
                known = self._find(message.topic, message.heard)
                if known.bound is not None and known.bound.address == decoded.address:
                    known.way(known, message, arrival, taken)
                    return
            if self._is_alarming(road, road.rest, decoded.heard, message, arrival, taken, has_room):
                reason = "unregistered-alarm"
            if has_room:
                said = self._meet(road, place.name, device, decoded.heard, taken)
            if decoded.heard:
                break
        if has_room:
            _put_away(road, message, taken, reason, said)

    def _hear_strange_part(self, road: _Road, portion: Portion, message: Message, arrival: int, taken: Taken) -> None:
        """The same of a part, or of a device that speaks through another; it may be registered as a whole, too."""
        has_room = self._has_room(road, message, arrival, taken)
        name, reason = road.name, "unknown-device"
        if portion.part and (portion.is_child or self._below(road.home, road.hub, road.name)):
            name = f"{road.name}/{portion.part}"
        if self._is_alarming(road, name, portion.heard, message, arrival, taken, has_room):
            reason = "unregistered-alarm"
        if has_room:
            _put_away(road, message, taken, reason, self._meet(road, name, road.device, portion.heard, taken))

    def _is_alarming(
        self,
        road: _Road,
        name: str,
        heard: list[Heard],
        message: Message,
        arrival: int,
        taken: Taken,
        has_room: bool,
    ) -> bool:
        dangers = [one for one in heard if one.signal in DANGERS and one.value == 1.0]
        if all(one.momentary and message.retained for one in dangers):
            return False
        if road.home in self._guarded and not message.retained:
            self._call_for_help(road, name[:NAME_SHOWN], dangers, message, arrival, taken, has_room)
        return True

    def _meet(self, road: _Road, name: str, device: HubDevice | None, heard: list[Heard], taken: Taken) -> str:
        """Keep what a stranger has spoken of, for whoever is to register it; where no hub lists it, list it here."""
        strangers, name = self._hubs[road.hub].strangers, name.removeprefix("sos/")
        said = strangers.get(name)
        if said is None:
            said = set()
            if len(strangers) < STRANGERS_LISTED:
                strangers[name] = said
                if device is None and not road.decoder.announces:
                    taken.devices.append(HubDevice(road.hub, name, name))
        said.update(one.signal for one in heard)
        return " ".join(sorted(said))

    def _call_for_help(
        self,
        road: _Road,
        name: str,
        dangers: list[Heard],
        message: Message,
        arrival: int,
        taken: Taken,
        has_room: bool,
    ) -> None:
        heard = _to_ms(message.heard)
        if len(self._called) > STRANGERS_REMEMBERED:
            self._called.clear()
        for one in dangers:
            kind = CALLS[one.signal]
            last = self._called.get((road.home, name, kind))
            if not one.momentary and last is not None and abs(heard - last) < STILL_CALLING:
                continue  # a state that lasts is repeated with every message
            if not has_room and not self._hubs[road.hub].others.lets_call(kind, heard):
                continue
            if not any(told.kind is kind for told in taken.readings):
                self._called[road.home, name, kind] = heard
                taken.readings.append(
                    Reading(road.home, name, "", kind, 1.0, heard, heard, arrival, crc32(message.payload))
                )
                taken.urgent = True


def _hub_of(home: str, name: str, before: _Hub | None) -> _Hub:
    """A hub as it stands in this home; what it said there before is known."""
    here = before if before is not None and before.home == home else None
    itself = Bound(home, -1, name, "", "", "", _HUB_MEANINGS, {} if here is None else here.itself.lasts)
    return _Hub(home, itself) if here is None else replace(here, itself=itself)


def _is_of_devices(road: _Road, message: Message) -> bool:
    """Whether a hub speaks of its devices, or merely of itself."""
    try:
        news = road.decoder.news(road.hub, road.rest, message.payload)
    except Unreadable:
        return False
    return bool(news.devices is not None or news.joined or news.left or news.renamed or news.messages)


# --------------------------------------------------------------------------- what is news


def _said_before(bound: Bound) -> Mapping[Signal, float]:
    """What would be no news of this device whenever it is said, by its signals: so much is known of one that was laid
    aside, whose keys have still to be met."""
    return {_REPEATED[kind]: last.value for kind, last in bound.lasts.items() if kind in _REPEATED and not last.rank}


def _note_quiet(bound: Bound, decoded: Decoded, key: str) -> None:
    """The same under this key is no news, however often and whenever it is said: until something else was."""
    assert decoded.raw is not None
    if bound.quiet is None:
        bound.quiet = {}
    bound.quiet[key] = decoded.raw[key]


def _note_cut(flow: Flow, fits: bool, bound: Bound, message: Message, arrival: int, taken: Taken) -> None:
    """Count this message unless it fits, and tell how many were cut when that is due."""
    if not fits:
        flow.cut += 1
        taken.is_cut = True
    count = flow.due(message.heard)
    if count:
        heard = _to_ms(message.heard)
        cut = Reading(
            bound.home, bound.sensor, bound.room, Kind.CUT, float(count), heard, heard, arrival, subject=bound.subject
        )
        taken.readings.append(cut)


def _note_clock(hub: _Hub, shown: datetime, heard: datetime, arrival: int, taken: Taken) -> None:
    """Of a spell of messages the one that came quickest tells how far the hub's clock is ahead of ours."""
    ahead = (shown - heard).total_seconds()
    if hub.since is not None and timedelta(0) <= heard - hub.since < CLOCK_WATCHED:
        hub.ahead = max(hub.ahead, ahead)
        return
    if hub.since is not None:
        value, last = float(round(hub.ahead)), hub.itself.lasts.get(Kind.CLOCK)
        if last is None or abs(value - last.value) >= CLOCK_LEAP:
            taken.readings.append(Reading(hub.home, hub.itself.sensor, "", Kind.CLOCK, value, heard, heard, arrival))
            remember(hub.itself.lasts, Kind.CLOCK, value, heard, False)
    hub.since, hub.ahead = heard, ahead


@lru_cache(maxsize=4096)
def _once(exposes: tuple[Expose, ...]) -> tuple[Expose, ...]:
    return exposes


def _all_of(known: tuple[Expose, ...], told: tuple[Expose, ...]) -> tuple[Expose, ...]:
    """What a device has announced so far: some tell of one thing at a time."""
    return tuple({one.property: one for one in (*known, *told)}.values())[:EXPOSES_AT_MOST]


def _rank(bound: Bound, signal: Signal) -> int:
    means = bound.meanings.get(signal)
    return means[0].rank if means else 0


def _to_ms(moment: datetime) -> datetime:
    """As it will be stored, so that what is recalled after a restart is what was given out."""
    below = moment.microsecond % 1000
    return moment - _BELOW_MS[below] if below else moment  # the same object: it is remembered in several places


def _is_ieee(address: str) -> bool:
    return address[:2] in ("0x", "0X")


def _lasting(address: str) -> str:
    """IEEE addresses are written in capitals or not; names are as they are."""
    # Lowered only where it must be: `lower` makes a second text of each of a million addresses.
    return address.lower() if _is_ieee(address) and not address.islower() else address


# --------------------------------------------------------------------------- what could not be used


def _pass_over(road: _Road, message: Message, arrival: int, taken: Taken) -> None:
    """Commands to devices: nothing was sensed."""


def _ask_to_wake(road: _Road, message: Message, arrival: int, taken: Taken) -> None:
    """It is about a device of a home that sleeps: nothing can be made of it before it is awake."""
    taken.is_asleep = True


def _put_away_faults(road: _Road, message: Message, taken: Taken, faults: Iterable[Fault]) -> None:
    for fault in faults:
        _put_away(road, message, taken, fault.reason, fault.detail)


def _put_away(road: _Road, message: Message, taken: Taken, reason: str, detail: str = "") -> None:
    taken.quarantined.append(
        Quarantined(
            _shown(message.topic, TOPIC_SHOWN),
            reason,
            _to_ms(message.heard),
            len(message.payload),
            message.payload[:HEAD_SHOWN],
            road.hub,
            _shown(detail, DETAIL_SHOWN),
        )
    )


def _shown(text: str, most: int) -> str:
    """Text from outside, as it can be kept and shown."""
    return text[:most].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
