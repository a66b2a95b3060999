"""From messages to readings: whose it is, what it means in this home, and whether it is news. Pure: no clock, no I/O.

Bridges repeat what they remember: in every message, after every restart, in retained topics. So a *change* is an
event and its presence is not, and everything here turns on what was known before. What is known is a fold over the
readings given out, so that a restart which recalls the stored readings knows the same.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from sys import intern
from zlib import crc32

from gateway.domain import Kind, Power, Reading
from gateway.domain.reading import LATE
from gateway.ports import Directory, HubDevice, Message, Quarantined
from ingest.decoders import DECODERS
from ingest.decoders.base import (
    DANGERS,
    NOTHING_BEFORE,
    NOTHING_QUIET,
    Decoded,
    Fault,
    Heard,
    News,
    Part,
    Portion,
    Signal,
    Unreadable,
)
from ingest.devices import HUB_MEANINGS, Devices, KnownHub, is_ieee, lasting
from ingest.flood import EVERY, NEVER, OTHERS, UNTOLD_TIME, Flow
from ingest.known import (
    LASTING,
    Bound,
    Last,
    Said,
    calls_for_help,
    is_counted,
    is_thin,
    note_told,
    remember,
    tests_itself,
    to_ms,
)
from ingest.roles import (
    ALARM,
    ANY_ROLE,
    CALLS,
    FLAG,
    LIFE,
    MEASURE,
    ROLES,
    SELF_TESTED,
    Meaning,
    Nature,
)
from ingest.way import LARGEST_NEWS, Road, Taken

ROOT = "shouwang"

AHEAD = timedelta(minutes=5)
"""A device time further in the future than this comes from a wrong clock: the time we heard it counts."""

OLDEST = timedelta(days=7)
"""Older news is none, unless it calls for help."""

ECHO = timedelta(seconds=2)
"""Within this a bridge that publishes objects *and* attributes says the same press a second time."""

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

_EARLY, _NOTHING, _MS = -AHEAD, timedelta(0), timedelta(milliseconds=1)
_METER, _SELF_TEST = Kind.METER, Signal.SELF_TEST  # a look into an enum is as dear as a call
_OF_REACH = frozenset({Signal.AVAILABLE, Signal.CONNECTED})

_REPEATED = {
    kind: signal
    for signal, kind in ANY_ROLE.items()
    if kind not in LASTING and not any(signal in uses for uses in ROLES.values())
}
"""What nearly every message says again, by what it is told: the same in every role."""

_is_hub = re.compile(r"[a-z0-9-]{1,64}").fullmatch


class Intake:
    """Turns what the broker hands over into readings of registered sensors, and puts the rest where it can be seen."""

    def __init__(self, directory: Directory) -> None:
        self.devices = Devices(directory)
        self._roads = self.devices.roads
        self._nobodys = Flow(OTHERS)  # what no registered hub said
        self._unsettled_until = NEVER
        self._heard = self._heard_ms = NEVER  # when the last message was heard, and that as it will be stored
        self._called: dict[tuple[str, str, Kind], datetime] = {}  # strangers that call for help -> when last
        self._to_sensor = self._hear_sensor  # bound once, for each road that leads there

    def unsettle(self, until: datetime) -> None:
        """A connection is new: until then the broker may hand over older messages behind newer ones."""
        self._unsettled_until = max(self._unsettled_until, until)

    def put_back(self, now: datetime) -> None:
        """The clock was put back to this moment: no connection is newer, and nothing has started later."""
        self._unsettled_until = min(self._unsettled_until, now)
        for hub in self.devices.hubs.values():
            hub.starting_until = min(hub.starting_until, now)

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

    def _find(self, topic: str, now: datetime) -> Road:
        """Read a topic: `shouwang/<hub>/<decoder>/…`."""
        levels = topic.split("/", 3)
        if len(levels) < 4 or levels[0] != ROOT or not _is_hub(levels[1]):
            return Road("", "", self._refuse, reason="bad-topic")
        _, hub, dialect, rest = levels
        if hub not in self.devices.hubs:
            return Road("", hub, self._refuse, reason="unknown-hub")
        home, hub = self.devices.hubs[hub].home, self.devices.hubs[hub].itself.sensor  # the text that is there already
        decoder = DECODERS.get(dialect)
        if decoder is None:
            return Road(home, hub, self._refuse, reason="unknown-topic")
        places = decoder.places(rest)
        if not places:
            return Road(home, hub, self._refuse, reason="bad-topic")
        if places[0].part is Part.HUB:
            return Road(home, hub, self._hear_hub, decoder, rest, largest=LARGEST_NEWS)
        if places[0].part is Part.NOTHING:
            return Road(home, hub, _pass_over)
        if home in self.devices.asleep:
            return Road(home, hub, _ask_to_wake)
        self.devices.ready(home)
        if places[0].part is Part.SEVERAL:
            _, name, key = places[0]
            device = self.devices.announced(hub, name)
            road = Road(home, hub, self._hear_several, decoder, rest, key, device=device, name=name)
            return self.devices.keep(topic, road) if self.devices.below(home, hub, name) else road
        for place in places:
            found, device = self.devices.whose(hub, place.name)
            if found is None and device is not None:
                break  # a device nobody registered, and not a topic below one that somebody did
            if found is not None:
                bound = self.devices.device(home, found, now)
                return self.devices.keep(
                    topic, Road(home, hub, self._to_sensor, decoder, intern(rest), place.key, bound, device)
                )
        return Road(home, hub, self._hear_stranger, decoder, rest)

    # ------------------------------------------------------------------ a registered sensor

    def _hear_sensor(self, road: Road, message: Message, arrival: int, taken: Taken) -> None:
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
        if decoded.address and decoded.address != bound.address and is_ieee(bound.address):
            self._hear_stranger(road, message, arrival, taken)  # the name was given to another device
            return
        if before is not NOTHING_BEFORE:
            bound.quiet = decoded.hushed or {}
        self._hear_device(road, bound, decoded, message, arrival, taken)

    def _hear_several(self, road: Road, message: Message, arrival: int, taken: Taken) -> None:
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
                bound = self.devices.device(road.home, place, message.heard)  # only now: the next may take its room
                if decoded.is_last_will and self.devices.homes[road.home].sensors[place].power is Power.BATTERY:
                    continue  # it sleeps, and says goodbye each time
                told = Taken(road.home)
                self._hear_device(road, bound, Decoded(portion.heard), message, arrival, told)
                taken.readings += told.readings
                taken.quarantined += told.quarantined
                taken.urgent, taken.is_cut = taken.urgent or told.urgent, taken.is_cut or told.is_cut
            if not places and any(one.signal is not Signal.LINK for one in portion.heard):
                self._hear_strange_part(road, portion, message, arrival, taken)

    def _meant_by(self, road: Road, portion: Portion) -> list[int]:
        """Whose place this part is. What holds for the whole device holds for each of its parts."""
        if not portion.part:
            return self.devices.below(road.home, road.hub, road.name)
        place = self.devices.place(road.hub, f"{road.name}/{portion.part}")
        if place is None and not portion.is_child:
            place = self.devices.place(road.hub, road.name)
        return [] if place is None else [place]

    def _hear_device(
        self, road: Road, bound: Bound, decoded: Decoded, message: Message, arrival: int, taken: Taken
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
                and message.heard < max(self._unsettled_until, self.devices.hubs[road.hub].starting_until)
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
        heard = to_ms(message.heard)
        at = heard
        if own is not None and not -AHEAD <= heard - own <= OLDEST:
            own = self._by_our_clock(hub, own, heard)
        if own is not None and heard - own >= -AHEAD:
            at = to_ms(own)
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
        known = self.devices.hubs[hub].itself.lasts.get(Kind.CLOCK)
        if known is None or abs(known.value) <= AHEAD.total_seconds():
            return at
        age = heard - at + timedelta(seconds=known.value)
        return heard - max(age, _NOTHING) if -AHEAD <= age <= OLDEST else at

    def _weigh(
        self,
        road: Road,
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
            self._heard, self._heard_ms = message.heard, to_ms(message.heard)
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
            at, seq = to_ms(said.at), said.seq
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
        heard = to_ms(message.heard)
        if timedelta(0) <= heard - at <= LATE:
            at, seq = to_ms(at), crc32(message.payload, one.part)
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

    def _is_told_twice(self, road: Road, bound: Bound, kind: Kind, heard: datetime, taken: Taken) -> bool:
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

    def _has_room(self, road: Road, message: Message, arrival: int, taken: Taken) -> bool:
        """Whether there is room for what no registered sensor said. If not the message is cut."""
        hub = self.devices.hubs.get(road.hub)
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

    def _refuse(self, road: Road, message: Message, arrival: int, taken: Taken) -> None:
        if self._has_room(road, message, arrival, taken):
            _put_away(road, message, taken, road.reason)

    # ------------------------------------------------------------------ the hub

    def _hear_hub(self, road: Road, message: Message, arrival: int, taken: Taken) -> None:
        if road.home in self.devices.asleep:
            if _is_of_devices(road, message):
                taken.is_asleep = True
                return
        else:
            self.devices.ready(road.home)
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
            self.devices.learn_all(road.hub, news.devices, taken.devices)
        for before, after in news.renamed:
            device = self.devices.announced(road.hub, before)
            self.devices.learn(HubDevice(road.hub, device.address if device else lasting(before), after), taken.devices)
        for device in news.joined:
            self.devices.learn(device, taken.devices)
        self._hear_about_itself(road, news, message, arrival, taken)
        if message.retained:
            return
        heard = to_ms(message.heard)
        for address in news.left:
            self._note_reach(road.hub, address, 0.0, heard, arrival, taken)
        for device in news.joined:
            self._note_reach(road.hub, device.address, 1.0, heard, arrival, taken)

    def _hear_about_itself(self, road: Road, news: News, message: Message, arrival: int, taken: Taken) -> None:
        """How the hub is, and which of its devices it has had messages from that it did not pass on."""
        hub = self.devices.hubs[road.hub]
        if news.messages is not None:
            before, hub.messages = hub.messages, news.messages
        if message.retained:
            return
        heard = to_ms(message.heard)
        if news.starts:
            hub.starting_until = message.heard + STARTING
        for one in news.heard:
            for meaning in HUB_MEANINGS.get(one.signal, ()):
                last = hub.itself.lasts.get(meaning.kind)
                self._weigh(road, hub.itself, meaning, one, one.value, last, message, arrival, taken)
        if news.at is not None:
            _note_clock(hub, news.at, heard, arrival, taken)
        for address, count in (news.messages or {}).items():
            # Fewer than before: it counts anew since it was started.
            if before is not None and count and count != before.get(address, count):
                bound = self.devices.at(road.hub, address, message.heard)
                if bound is not None:
                    self._note_alive(road.hub, bound, news.at, message, arrival, taken)

    def _note_reach(self, hub: str, address: str, value: float, heard: datetime, arrival: int, taken: Taken) -> None:
        """A device that leaves its network is out of reach until it joins again."""
        bound = self.devices.at(hub, lasting(address), heard)
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

    # ------------------------------------------------------------------ strangers

    def _hear_stranger(self, road: Road, message: Message, arrival: int, taken: Taken) -> None:
        """A device nobody registered: what it says must be seen, and where it calls for help somebody must come.

        We do not know the room, but we know the home: its hub said it, with the hub's own secret.
        """
        has_room = self._has_room(road, message, arrival, taken)
        reason = "unknown-device"
        said = ""
        for place in road.decoder.places(road.rest):
            device = self.devices.announced(road.hub, place.name)
            try:
                decoded = road.decoder.decode(message.payload, place.key, device)
            except Unreadable:
                continue
            if decoded.address and has_room:
                self.devices.learn(HubDevice(road.hub, decoded.address, road.rest), taken.devices)
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

    def _hear_strange_part(self, road: Road, portion: Portion, message: Message, arrival: int, taken: Taken) -> None:
        """The same of a part, or of a device that speaks through another; it may be registered as a whole, too."""
        has_room = self._has_room(road, message, arrival, taken)
        name, reason = road.name, "unknown-device"
        if portion.part and (portion.is_child or self.devices.below(road.home, road.hub, road.name)):
            name = f"{road.name}/{portion.part}"
        if self._is_alarming(road, name, portion.heard, message, arrival, taken, has_room):
            reason = "unregistered-alarm"
        if has_room:
            _put_away(road, message, taken, reason, self._meet(road, name, road.device, portion.heard, taken))

    def _is_alarming(
        self,
        road: Road,
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
        if road.home in self.devices.guarded and not message.retained:
            self._call_for_help(road, name[:NAME_SHOWN], dangers, message, arrival, taken, has_room)
        return True

    def _meet(self, road: Road, name: str, device: HubDevice | None, heard: list[Heard], taken: Taken) -> str:
        """Keep what a stranger has spoken of, for whoever is to register it; where no hub lists it, list it here."""
        strangers, name = self.devices.hubs[road.hub].strangers, name.removeprefix("sos/")
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
        road: Road,
        name: str,
        dangers: list[Heard],
        message: Message,
        arrival: int,
        taken: Taken,
        has_room: bool,
    ) -> None:
        heard = to_ms(message.heard)
        if len(self._called) > STRANGERS_REMEMBERED:
            self._called.clear()
        for one in dangers:
            kind = CALLS[one.signal]
            last = self._called.get((road.home, name, kind))
            if not one.momentary and last is not None and abs(heard - last) < STILL_CALLING:
                continue  # a state that lasts is repeated with every message
            if not has_room and not self.devices.hubs[road.hub].others.lets_call(kind, heard):
                continue
            if not any(told.kind is kind for told in taken.readings):
                self._called[road.home, name, kind] = heard
                taken.readings.append(
                    Reading(road.home, name, "", kind, 1.0, heard, heard, arrival, crc32(message.payload))
                )
                taken.urgent = True


def _is_of_devices(road: Road, message: Message) -> bool:
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
        heard = to_ms(message.heard)
        cut = Reading(
            bound.home, bound.sensor, bound.room, Kind.CUT, float(count), heard, heard, arrival, subject=bound.subject
        )
        taken.readings.append(cut)


def _note_clock(hub: KnownHub, shown: datetime, heard: datetime, arrival: int, taken: Taken) -> None:
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


def _rank(bound: Bound, signal: Signal) -> int:
    means = bound.meanings.get(signal)
    return means[0].rank if means else 0


# --------------------------------------------------------------------------- what could not be used


def _pass_over(road: Road, message: Message, arrival: int, taken: Taken) -> None:
    """Commands to devices: nothing was sensed."""


def _ask_to_wake(road: Road, message: Message, arrival: int, taken: Taken) -> None:
    """It is about a device of a home that sleeps: nothing can be made of it before it is awake."""
    taken.is_asleep = True


def _put_away_faults(road: Road, message: Message, taken: Taken, faults: Iterable[Fault]) -> None:
    for fault in faults:
        _put_away(road, message, taken, fault.reason, fault.detail)


def _put_away(road: Road, message: Message, taken: Taken, reason: str, detail: str = "") -> None:
    taken.quarantined.append(put_by(message, road.hub, reason, detail))


def put_by(message: Message, hub: str, reason: str, detail: str = "") -> Quarantined:
    """What is kept of a message that could not be used."""
    return Quarantined(
        _shown(message.topic, TOPIC_SHOWN),
        reason,
        to_ms(message.heard),
        len(message.payload),
        message.payload[:HEAD_SHOWN],
        hub,
        _shown(detail, DETAIL_SHOWN),
    )


def _shown(text: str, most: int) -> str:
    """Text from outside, as it can be kept and shown."""
    return text[:most].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
