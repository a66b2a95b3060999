"""Messages → readings → findings → desk; and the tick. The road on one page, plain synchronous code over batches."""

import heapq
import logging
import math
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain, islice, takewhile
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from alerts.desk import Desk
from detectors import Doze, SetBack, Watch, is_muted, watch_over
from gateway.domain import Condition, Finding, Home, Kind, Monitoring, Override, Reading, Severity, Span
from gateway.domain.fault import FAULTS, Astray, fault
from gateway.domain.plan import ALWAYS_ON, OFF, WORDED, YES, options_in, readable, span_at
from gateway.ports import Batch, Checkpoint, Context, Directory, Message, ReadingStore
from ingest.intake import Intake, put_by
from ingest.way import Taken

log = logging.getLogger(__name__)

SLICE = 16
"""Messages of a batch after which is asked who calls for help: some milliseconds."""

TOLD_AT_ONCE = 16
"""Of what readings show so much is told at once, a millisecond each: a press that comes meanwhile waits for no more."""

HEARD_EVERY = timedelta(seconds=5)
"""How often a home's *last heard* is written: a heartbeat alone is not worth an fsync."""

CHECKPOINT_EVERY = timedelta(seconds=60)
CHECKPOINT_SLICE = 8
CHECKPOINT_TICKS = 1_000
"""A checkpoint is written in slices of so many homes, or in so many ticks: a press never waits for thousands."""

QUICKLY = 1
"""The level at which a checkpoint is packed: two fifths of the size for a tenth of a millisecond."""

FEW = 20
"""So many homes without a checkpoint are read back one by one at a start."""

JUMP = timedelta(minutes=1)
"""By how much the clock may go another way than time itself between two looks; more, and somebody has set it."""

UNSETTLED = timedelta(seconds=30)
"""After a connection, so long may what was not acknowledged before come in behind what is newer."""

TICK_US = 5_000
GLANCE_US, FOLLOW_US, LOOK_US, TURN_US, ROUSE_US, TOLD_US = 10, 20, 60, 200, 500, 1_000
"""What one tick may take, so that no press waits for all that is due at one moment: a home whose hub was heard since is
passed over, one's registration and lines are compared, one is looked at, one's detectors are made anew because it or
a line for a whole district changed them, one is woken, people are called for what was found. The next tick follows at
once. Whoever moves meanwhile is not kept waiting: a reading finds its own plan."""

AWAKE_AT_MOST = 30_000
"""Homes whose memory is kept unpacked, some 20 KB each. Of a larger county those that spoke last are; the others doze,
which is what a stop with a checkpoint and a start would do to each: a home is woken by its next message or deadline.
With a hundred thousand, of thirteen sensors and four weeks each, so many leave room below 1.5 GB."""

AWAKE_AT_A_START = 100
"""Homes that are all awake before the first message is taken in, half a millisecond each. Of more each sleeps until its
turn comes: whoever pressed a button while nobody heard does not wait until ten thousand others are remembered."""

MISSED_AT_MOST = 20_000
"""Readings since the last checkpoints that a start holds for homes which sleep, half a kilobyte each: of more the homes
that they are about wake at once."""

LAID_DOWN_AT_ONCE = 40
"""Of those that are too many so many fall asleep after a batch or a tick, half a millisecond each; the next tick
follows at once."""

TOO_MANY_AWAKE = 2_000
"""Where messages wake more than that, so many more than should be stay awake at most: some 70 MB."""

NO_OPTIONS: Mapping[str, Mapping[str, Any]] = {}
"""What the plan of most homes says of the detectors: they share it."""

SAME_HOME_AGAIN = timedelta(seconds=1)
"""A home whose deadline cannot be told yet is not asked more often than this."""

AT_FAULT_AT_MOST, WELL_AFTER = 20, timedelta(minutes=10)
"""Homes over which a fault of ours may have come up since a start that long ago."""

AFTER_A_FAULT = timedelta(minutes=1)
"""A home over which a fault of ours came up is looked at again after this."""


@dataclass(frozen=True, slots=True)
class Held:
    """A home's plan for a while: between these two moments nothing about it changes."""

    since: datetime
    until: datetime
    base: Context  # what every home is told
    context: Context  # the same, with this home's plan
    options: Mapping[str, Mapping[str, Any]]  # what the plan says of the detectors' own limits
    lines: Sequence[Override]


@dataclass(slots=True)
class Counts:
    """What has passed, for whoever asks how the gateway is."""

    messages: int = 0
    readings: int = 0
    quarantined: int = 0
    findings: int = 0
    last_message_at: datetime | None = None
    took_s: float = 0.0  # the last batch, from the source to what is durable


class Pipeline:
    """One way through. The caller settles messages with the broker only when they are durable: after `handle` has
    returned, or where it went on beside the disk, after `finish`."""

    def __init__(
        self,
        *,
        intake: Intake,
        directory: Directory,
        readings: ReadingStore,
        desk: Desk,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        shadow: Mapping[str, Mapping[str, Any]] | None = None,
        checkpoint_every: timedelta = CHECKPOINT_EVERY,
        awake_at_most: int = AWAKE_AT_MOST,
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        """`give_way` lets whoever carries messages go first when somebody has called for help."""
        self._intake = intake
        self._devices = intake.devices
        self._directory = directory
        self._readings = readings
        self._desk = desk
        self._options = options or {}
        self._shadow = shadow or {}
        self._checkpoint_every = checkpoint_every
        self._awake_at_most = awake_at_most
        self._give_way = give_way
        self._watches: OrderedDict[str, Watch] = OrderedDict()  # of the homes that are awake; who spoke last is last
        self._dozing: dict[str, Doze] = {}  # the others
        self._missed: dict[str, list[Reading]] = {}  # of those: what came after its checkpoint, since the last start
        self._context = Context()
        self._held: dict[str, Held] = {}
        self._said: Sequence[Override] = ()  # the lines of a plan that were read last …
        self._read: Sequence[Override] = ()  # … and of those what this program understands
        self._deadlines: list[tuple[datetime, str]] = []  # a heap; an entry may be early, never late
        self._scheduled: dict[str, datetime] = {}
        self._recalled: dict[str, list[Finding]] = {}  # what was found while remembering, by home
        self._untold: list[Finding] = []  # of that and of everything else: until the desk has taken it
        self._arrival = self._durable = 0
        self._commit: tuple[int, Future[None]] | None = None  # the batch that the disk has in hand: up to this arrival
        self._version = -1
        self._heard_written: dict[str, datetime] = {}
        self._owned_up: set[tuple[str, str]] = set()  # over which home and in what a fault of ours was told
        self._unkept: set[str] = set()  # homes of which a fault of ours lets no checkpoint be made
        self._changed: set[str] = set()  # homes that moved on since their last checkpoint …
        self._looked_at: set[str] = set()  # … and those of which merely a deadline has come since
        self._shown: dict[str, tuple[int, bool]] = {}  # which revision of a home's equipment the store shows
        self._ticked: datetime | None = None
        self._began = datetime.max.replace(tzinfo=UTC)
        self._set_back: dict[str, SetBack] = {}  # homes that still remember by a clock which was put back since
        self._climbs_on = False  # more ladders are due than one tick climbs
        self._to_keep: list[str] = []
        self._to_follow: deque[str] = deque()  # homes that may be others, or around which lines may have been written
        self._everyone: Iterator[str] = iter(())  # after those, where nobody knows which
        self._giving_up: set[str] = set()  # of them, those that may have lost a hub to one which is still to come
        self._is_following = False
        self._settled = 0
        self._settling = 0
        self._slice = CHECKPOINT_SLICE
        self._next_keep: datetime | None = None
        self.kept_at: datetime | None = None  # when every home's checkpoint was last up to date
        self.counts = Counts()

    # ------------------------------------------------------------------ start

    def start(self, now: datetime) -> None:
        """Remember: load every checkpoint and replay what came after it.

        Of a few homes all are awake then. Of many each is laid down, and woken when its turn comes: by its next message
        or deadline, and those that have missed something one after the other, at once.
        """
        self._began, self._version = now, self._directory.version()
        homes = [home for home in self._directory.homes() if home.state is not Monitoring.RETIRED]
        if len(homes) > min(self._awake_at_most, AWAKE_AT_A_START):
            for home in homes:
                self._lay_down(Doze.restored(home, {}))
        else:
            self._devices.remember(self._readings.devices())
            for home in homes:
                try:
                    self._watch(home)
                except FAULTS:  # it is tried again with each of its messages, and whoever calls from there is heard
                    log.exception("a home cannot be watched", extra={"home": home.id})
                    self._own_up(home.id, "pipeline", now, self._untold)
                    self._lay_down(Doze.restored(home, {}))
        self._settled = self._readings.settled()
        reached: dict[str, int] = {}
        for checkpoint in self._readings.checkpoints():
            if self._restore(checkpoint) if checkpoint.home in self._watches else self._glance_at(checkpoint):
                reached[checkpoint.home] = checkpoint.arrival
        self._missed = {home: [] for home in self._dozing if home not in reached}
        self._replay(reached)
        self._tell_recalled()
        for home_id, heard in self._readings.heard().items():
            if home_id in self._watches:
                self._watches[home_id].recall_heard(heard)
            elif home_id in self._dozing:
                self._dozing[home_id].ear.hear(heard)
        self._context = Context(listening_since=now)  # the first message comes before the first tick
        self._arrival = self._durable = self._readings.last_arrival()
        self._changed = set(self._watches)  # after a long replay the next start should be short
        self._next_keep = now + self._checkpoint_every
        self._intake.unsettle(now + UNSETTLED)
        self._ticked = now
        for watch in self._watches.values():
            self._shown[watch.home.id] = watch.revision  # the store shows it as it was; the first checkpoint will anew
            self._schedule(watch)
            self._find_ahead(watch.home.id, watch.heard_at())
        for home_id, doze in self._dozing.items():
            if home_id in self._missed:
                self._look_at(home_id, now)
            else:
                self._schedule(doze)
            self._find_ahead(home_id, doze.ear.state.heard)

    def _replay(self, reached: dict[str, int]) -> None:
        """Feed what the checkpoints do not know yet, in the order in which it arrived."""
        forgotten = self._watches.keys() - reached.keys()
        after = self._settled
        if len(forgotten) > FEW or self._settled == 0:
            after = 0  # one long read instead of one for each home
        else:
            for home in sorted(forgotten):
                for reading in self._readings.replay(0, home):
                    self._recall(reading)
                    reached[home] = reading.arrival
        missed = 0
        for reading in self._readings.replay(after):
            if reading.arrival > reached.get(reading.home, 0):
                if reading.home in self._dozing:
                    self._missed.setdefault(reading.home, []).append(reading)
                    missed += 1
                    if missed > MISSED_AT_MOST and (reading.home, "pipeline") not in self._owned_up:
                        missed -= len(self._missed[reading.home])
                        self._wake_early(reading)
                else:
                    self._recall(reading)

    def _wake_early(self, last: Reading) -> None:
        """Too much is held of what homes have missed: the one that this reading is about wakes before its turn."""
        try:
            self._rouse(last.home, until=last.arrival)
        except FAULTS:  # it is tried again in its turn, and whoever calls from there is heard
            log.exception("a home cannot be woken", extra={"home": last.home})
            self._own_up(last.home, "pipeline", last.heard, self._untold)

    def _restore(self, checkpoint: Checkpoint) -> bool:
        watch = self._watches[checkpoint.home]
        try:
            plain = msgspec.msgpack.decode(_unpacked(checkpoint.state))
            restored = self._devices.restore_values(checkpoint.home, plain["values"]) and watch.restore(plain["watch"])
        except (zlib.error, msgspec.DecodeError, LookupError, TypeError, ValueError):
            restored = False  # it is a cache: what it held is replayed
        if not restored:
            log.warning("checkpoint of another make, replaying", extra={"home": checkpoint.home})
        elif (heard := watch.heard_at()) is not None:
            try:
                self._plan(watch, heard, self._untold)  # what changed after it was written down changes as it did then
            except FAULTS:
                log.exception("the plan of a home cannot be followed", extra={"home": checkpoint.home})
                self._own_up(checkpoint.home, "plan", heard, self._untold)
        return restored

    def _recall(self, reading: Reading) -> None:
        watch = self._watches.get(reading.home)
        if watch is None:
            return
        found: list[Finding] = []
        try:
            watch = self._observe(watch, reading, found)
            self._devices.recall(reading)
        except FAULTS:  # what could not be dealt with when it was new lies here still
            log.exception("a reading cannot be remembered", extra={"home": reading.home, "arrival": reading.arrival})
            self._own_up(reading.home, "memory", reading.heard, found)
        if found:
            self._recalled[reading.home] = [*filter(watch.is_unanswered, self._recalled.get(reading.home, ())), *found]

    def _tell_recalled(self) -> None:
        """Of what was found while remembering, the next batch or tick tells what may still be true. The desk knows most
        of it, for it was told when it was live; but this program may judge sooner than the one that lived it, and
        whoever has not moved since would be found no second time."""
        for home, found in self._recalled.items():
            if (watch := self._watches.get(home)) is not None:
                self._untold.extend(filter(watch.is_unanswered, found))
        self._recalled.clear()

    # ------------------------------------------------------------------ who is awake

    def _glance_at(self, checkpoint: Checkpoint) -> bool:
        """Of a checkpoint only what must be known of a home that sleeps."""
        if checkpoint.home not in self._dozing:
            return False
        home = self._dozing[checkpoint.home].home
        try:
            glance = _glance(_unpacked(checkpoint.state))
            doze = Doze.restored(home, glance.watch.ear, *glance.due)
            for hub in home.hubs:
                if said := glance.values.sensors.get(hub.id):
                    self._devices.restore_hub(hub.id, said)
            if (heard := doze.ear.state.heard) is not None:
                lines = self._lines(home.id)
                self._let_hold(home, span_at(lines, heard, home.zone), lines, None)
        except (*FAULTS, zlib.error, msgspec.DecodeError):
            return False  # it is woken at once, and then its readings are replayed
        self._dozing[home.id] = doze
        return True

    def _lay_down(self, doze: Doze) -> bool:
        """Let go of what is known of a home, which its checkpoint knows."""
        home = doze.home.id
        if not self._devices.doze(home):
            return False
        self._watches.pop(home, None)
        self._shown.pop(home, None)
        self._dozing[home] = doze
        return True

    def _rouse(self, home_id: str, until: float = math.inf) -> Watch:
        """Wake a home: what a start does for each of a few. `until` this arrival it remembers what was stored."""
        doze = self._dozing[home_id]
        self._devices.rouse(home_id)
        for hub in doze.home.hubs:
            self._devices.remember(self._readings.devices(hub.id))
        self._watch(doze.home)
        del self._dozing[home_id]
        missed: Iterable[Reading] = self._missed.pop(home_id, ())
        checkpoint = self._readings.checkpoint(home_id)
        if checkpoint is None or not self._restore(checkpoint):
            if self._settled:
                missed = takewhile(lambda reading: reading.arrival <= until, self._readings.replay(0, home_id))
            self._changed.add(home_id)
        for reading in missed:
            self._recall(reading)
            self._changed.add(home_id)
        self._tell_recalled()
        watch = self._watches[home_id]
        if (heard := doze.ear.state.heard) is not None:
            watch.recall_heard(heard)
        self._find_ahead(home_id, watch.heard_at())
        self._shown[home_id] = watch.revision
        return watch

    def _make_room(self) -> None:
        """Where more are awake than should be, those that spoke least recently may sleep."""
        over = self._awake_too_many()
        if over <= 0:
            return
        quiet = list(islice(self._watches, min(over, max(LAID_DOWN_AT_ONCE, over - TOO_MANY_AWAKE))))
        # The others lie in their checkpoints as they are.
        moved = [home for home in quiet if home in self._changed or home in self._looked_at]
        if moved:
            conditions = [one for home in moved for one in self._conditions(self._watches[home])]
            self._readings.keep(self._kept_of(moved), self._settled, Batch(conditions=conditions))
        for home in quiet:
            if home not in self._unkept and self._lay_down(self._watches[home].doze()):
                self._changed.discard(home)
            else:
                self._watches.move_to_end(home)

    def _awake_too_many(self) -> int:
        return len(self._watches) - self._awake_at_most

    def _overhear(self, taken: Taken, heard: datetime, batch: Batch) -> bool:
        """A hub has spoken whose home sleeps, and none of its devices. False: the home must wake for it."""
        doze = self._dozing[taken.home]
        if taken.readings or (taken.heard and not doze.hears(heard)):
            return False
        if taken.heard:
            self._note_heard(taken.home, heard, batch)
            self._schedule(doze)
        return True

    # ------------------------------------------------------------------ messages

    def handle(
        self,
        messages: Sequence[Message],
        now: datetime,
        presses: Callable[[], Sequence[Message]] = tuple,
        *,
        beside: bool = False,
    ) -> Sequence[Message]:
        """Take in a batch, and the `presses` that come meanwhile. When this returns, alerts, deliveries and readings of
        all that is returned are durable; `beside` the disk its readings only after `finish`, which the next batch calls
        before it writes."""
        batch = Batch()
        began = monotonic()
        self._ticked = max(self._ticked or now, now)  # whoever is heard between two ticks is not ahead of the clock
        found = self._untold
        take, readings = self._intake.take, batch.readings
        handled: list[Message] = []
        has_given_way = False
        for message in chain.from_iterable(_with_presses(messages, presses, handled)):
            self._arrival = arrival = self._arrival + 1
            watch, is_urgent, known = None, message.urgent, len(found)
            try:
                taken = take(message, arrival)
                home = taken.home
                if taken.is_asleep:
                    self._rouse(home)
                    taken = take(message, arrival)
                if taken.quarantined:
                    batch.quarantined.extend(taken.quarantined)
                if taken.devices:
                    batch.devices.extend(taken.devices)
                watch, is_urgent = self._watches.get(home), taken.urgent
                if watch is None:
                    if home not in self._dozing or self._overhear(taken, message.heard, batch):
                        continue
                    watch = self._rouse(home)
                if taken.heard:
                    watch = self._hear(watch, message.heard, batch, found)
                for reading in taken.readings:
                    readings.append(reading)
                    watch = self._observe(watch, reading, found)
            except FAULTS:  # bulkhead: one message must not deafen us to all others
                self._put_by(message, batch, found)
            if is_urgent and len(found) > known:  # a press does not wait for its neighbours in the batch
                self._tell(found, max(now, message.heard), known)
                if not has_given_way:  # once: many that press at once wait for each other
                    has_given_way = True
                    self._give_way()
            elif len(found) >= TOLD_AT_ONCE:
                self._tell(found, now)
            if watch is None:
                continue
            if taken.readings:
                self._changed.add(home)
                self._watches.move_to_end(home)
            if watch.revision != self._shown.get(home):
                self._show(watch, batch)
            scheduled, held = self._scheduled.get(home), self._held.get(home)
            if scheduled is None or watch.is_due_before(scheduled) or (held is not None and held.until < scheduled):
                self._schedule(watch)
        self._tell(found, now)
        for press in _answers(batch.readings):
            try:
                self._desk.pressed(press.home, press.at, now)
            except FAULTS:  # whoever was asked goes on being called for
                log.exception("an answer cannot be taken", extra={"home": press.home})
                self._own_up(press.home, "desk", now, found)
        self.counts.messages += len(handled)
        self.counts.last_message_at = now
        self.finish()
        if batch:
            batch.last_arrival = self._arrival
            if beside:
                self._commit = self._arrival, self._readings.commit_beside(batch)
            else:
                self._readings.commit(batch)
                self._durable = self._arrival
            self.counts.readings += len(batch.readings)
            self.counts.quarantined += len(batch.quarantined)
        if self._awake_too_many() >= LAID_DOWN_AT_ONCE:
            self.finish()
            self._make_room()
        self.counts.took_s = monotonic() - began
        return handled

    def _put_by(self, message: Message, batch: Batch, found: list[Finding]) -> None:
        """A fault of ours in the midst of this message: it is kept where it can be seen, and told. Of a call for help
        all that is sure is known: which home it came from."""
        _, _, below = message.topic.partition("/")
        hub = below.partition("/")[0]
        home, heard = self._devices.holds(hub), message.heard
        log.exception("a message cannot be dealt with", extra={"home": home or ""})
        batch.quarantined.append(put_by(message, hub, "fault"))
        if home is None:
            return
        if message.urgent and not message.retained:
            facts = (("kind", Kind.SOS.value), ("last_at", heard.isoformat()))
            severity = Severity.EMERGENCY
            found.append(Finding(home=home, code="sos", severity=severity, since=heard, at=heard, facts=facts))
        self._own_up(home, "intake", heard, found)

    def _own_up(self, home: str, part: str, at: datetime, found: list[Finding]) -> None:
        """Tell of a fault of ours over this home, once. Raises Astray where there are too many, and the start long ago:
        just after one another would not mend them, and whoever calls for help is heard all the same."""
        if (home, part) not in self._owned_up:
            self._owned_up.add((home, part))
            found.append(fault(home, part, at))
            homes = len({over for over, _ in self._owned_up})
            if homes > AT_FAULT_AT_MOST and self._ticked is not None and self._ticked - self._began >= WELL_AFTER:
                raise Astray(f"a fault of ours over {homes} homes")

    def finish(self) -> None:
        """Wait until all that was handled is durable. Raises what the disk had to say against it: nothing that knows of
        these readings may be written then."""
        if self._commit is not None:
            arrival, done = self._commit
            done.result()
            self._commit, self._durable = None, arrival

    @property
    def is_committing(self) -> bool:
        """Whether the disk still has a batch in hand."""
        return self._commit is not None and not self._commit[1].done()

    def _hear(self, watch: Watch, heard: datetime, batch: Batch, found: list[Finding]) -> Watch:
        home, marker = watch.home.id, watch.hear(heard, self._arrival)
        if marker is not None:
            batch.readings.append(marker)
            self._changed.add(home)
            watch = self._observe(watch, marker, found)
            self._schedule(watch)  # its hub is asked after sooner again than while it was known to be silent
        elif home not in self._heard_written:
            self._schedule(watch)  # nobody asks after a hub that was never heard, and now somebody will
        self._note_heard(home, heard, batch)
        return watch

    def _note_heard(self, home: str, heard: datetime, batch: Batch) -> None:
        written = self._heard_written.get(home)
        if written is None or heard - written >= HEARD_EVERY:
            self._heard_written[home] = heard
            batch.heard[home] = heard

    def _show(self, watch: Watch, batch: Batch) -> None:
        """What pages and installers read: how the home's devices are, and what it cannot notice."""
        self._shown[watch.home.id] = watch.revision
        batch.conditions.extend(self._conditions(watch))
        try:
            batch.gaps[watch.home.id] = watch.gaps()
        except FAULTS:
            self._cannot_show(watch.home.id)

    def _conditions(self, watch: Watch) -> Sequence[Condition]:
        try:
            return watch.conditions()
        except FAULTS:
            self._cannot_show(watch.home.id)
            return ()

    def _cannot_show(self, home: str) -> None:
        log.exception("how the devices of a home are cannot be shown", extra={"home": home})
        if self._ticked is not None:
            self._own_up(home, "supervision", self._ticked, self._untold)

    def _tell(self, found: list[Finding], now: datetime, since: int = 0) -> None:
        """Let the desk have what was found; `since`, where not all of it, but what was found last."""
        told = found[since:]
        if not told:
            return
        if self._shadow and (muted := [one for one in told if is_muted(one)]):
            try:
                self._desk.overhear(muted)
            except FAULTS:
                log.exception("what was found without a voice cannot be kept")
            told = [one for one in told if not is_muted(one)]
        self.counts.findings += len(told)
        self._desk.take(told, now)
        del found[since:]

    # ------------------------------------------------------------------ time

    def tick(self, now: datetime, listening_since: datetime | None = None) -> None:
        """Time has passed. `listening_since` None: we are deaf ourselves, and no hub is called silent."""
        if self._ticked is not None and self._ticked - now > JUMP:
            self._put_back(SetBack(self._ticked, now))
        self._ticked = now
        self.finish()
        if listening_since is not None and listening_since != self._context.listening_since:
            self._intake.unsettle(listening_since + UNSETTLED)
        if self._context.listening_since != (listening_since or now):
            self._context = Context(listening_since=listening_since or now)
        spent_us = self._follow_registry()
        found = self._untold
        batch = Batch()
        while spent_us < TICK_US and self._deadlines and self._deadlines[0][0] <= now:
            due, home = heapq.heappop(self._deadlines)
            if self._scheduled.get(home) != due:
                continue  # an earlier one took its place
            del self._scheduled[home]
            try:
                spent_us += self._look_after(home, now, found, batch)
            except FAULTS:  # bulkhead: one home must not blind us to all others
                log.exception("a home cannot be looked at", extra={"home": home})
                self._own_up(home, "pipeline", now, found)
                self._look_at(home, now + AFTER_A_FAULT)
                spent_us += TOLD_US
        self._tell(found, now)
        if batch:
            self._readings.commit(batch)
        self._climbs_on = self._desk.tick(now)
        self._checkpoint(now)
        self._make_room()
        self._devices.make_room(now)

    def _look_after(self, home: str, now: datetime, found: list[Finding], batch: Batch) -> int:
        """A deadline of this home has come; how long that took, about."""
        watch, spent_us = self._watches.get(home), 0
        if (doze := self._dozing.get(home)) is not None:
            soonest = self._due(doze)
            if home not in self._missed and home not in self._set_back and (soonest is None or soonest > now):
                self._schedule(doze)  # its hub has been heard since
                return GLANCE_US
            watch = self._rouse(home)
            spent_us += ROUSE_US
        if watch is None:
            return spent_us
        before = len(found)
        if (by := self._set_back.pop(home, None)) is not None:
            watch.set_back(by)
            self._changed.add(home)
            if (heard := watch.heard_at()) is not None:
                self._note_heard(home, heard, batch)
            spent_us += ROUSE_US
        was, watch = watch, self._plan(watch, now, found)
        spent_us += LOOK_US if watch is was else TURN_US
        held = self._held[home]
        found.extend(_by_plan(watch.tick(now, held.context), held.context))
        self._looked_at.add(home)
        if told := len(found) - before:
            self._changed.add(home)
            spent_us += TOLD_US * told
        if watch.revision != self._shown.get(home):
            self._show(watch, batch)
        self._schedule(watch, not_before=now + SAME_HOME_AGAIN)
        return spent_us

    def _put_back(self, by: SetBack) -> None:
        """Every home is looked at, one after the other: what it remembers lies ahead of the clock as it stands."""
        names = sorted((*self._watches, *self._dozing))
        for home in names:
            # Put back twice: whoever still remembers by the first clock goes from there to the last.
            self._set_back[home] = SetBack(max(by.before, self._set_back.get(home, by).before), by.now)
        self._scheduled = dict.fromkeys(names, by.now)
        self._deadlines = [(by.now, home) for home in names]
        self._heard_written.clear()
        self._intake.put_back(by.now)
        self._next_keep = by.now + self._checkpoint_every

    def _find_ahead(self, home: str, heard: datetime | None) -> None:
        """What was stored under a clock that has been put back since would be remembered as it was."""
        if heard is not None and self._ticked is not None and heard - self._ticked > JUMP:
            self._set_back.setdefault(home, SetBack(heard, self._ticked))
            self._look_at(home, self._ticked)

    def is_behind(self, now: datetime) -> bool:
        """Whether more is due than one tick looks at: then the next should follow at once."""
        if self._climbs_on or self._is_following or self._awake_too_many() >= LAID_DOWN_AT_ONCE:
            return True
        return bool(self._deadlines) and self._deadlines[0][0] <= now

    @property
    def is_keeping(self) -> bool:
        """Whether a checkpoint is being written, slice after slice."""
        return bool(self._to_keep)

    def next_due(self) -> datetime | None:
        """When a home's next deadline falls; the desk's own timers are asked for at every tick."""
        return self._deadlines[0][0] if self._deadlines else None

    def _due(self, watch: Watch | Doze) -> datetime | None:
        due, held = watch.due(), self._held.get(watch.home.id)
        if held is not None and (due is None or held.until < due):
            return held.until  # another plan may bring other deadlines
        return due

    def _schedule(self, watch: Watch | Doze, not_before: datetime | None = None) -> None:
        due = self._due(watch)
        if due is not None:
            self._look_at(watch.home.id, due if not_before is None else max(due, not_before))

    def _look_at(self, home: str, due: datetime) -> None:
        scheduled = self._scheduled.get(home)
        if scheduled is None or due < scheduled:  # a later one is found when the earlier comes up
            self._scheduled[home] = due
            heapq.heappush(self._deadlines, (due, home))

    # ------------------------------------------------------------------ one household, one plan (一户一案)

    def _observe(self, watch: Watch, reading: Reading, found: list[Finding]) -> Watch:
        """Show a home its reading by the plan of the moment at which it happened; the watch that goes on."""
        held = self._held.get(watch.home.id)
        if held is None or held.base is not self._context or not held.since <= reading.at < held.until:
            watch = self._plan(watch, reading.at, found)
            held = self._held[watch.home.id]
        told = watch.observe(reading, held.context)
        if told:
            found.extend(_by_plan(told, held.context))
        return watch

    def _plan(self, watch: Watch, at: datetime, found: list[Finding]) -> Watch:
        """Let the plan of this moment hold. What came due before it changed is told by what held until then."""
        home = watch.home
        while True:
            held = self._held.get(home.id)
            if held is None:
                lines: Sequence[Override] = self._lines(home.id)
                span = span_at(lines, at, home.zone)
            elif at >= held.until:
                # Since when we listen is known better now: somebody may have set the clock beyond all of it.
                then = replace(held.context, listening_since=self._context.listening_since)
                found.extend(_by_plan(watch.tick(held.until, then), then))
                lines, span = held.lines, span_at(held.lines, held.until, home.zone)
            elif at < held.since:  # heard late: what happened then is judged by what held then
                lines, span = held.lines, span_at(held.lines, at, home.zone)
            elif held.base is not self._context:
                lines, span = held.lines, Span(held.since, held.until, held.context.plan)
            else:
                return watch
            watch = self._hold(watch, span, lines, held)

    def _lines(self, home: str) -> Sequence[Override]:
        """What was ever planned for a home and around it. Its neighbours mostly share it: read through once."""
        lines = self._directory.plan_lines(home)
        if lines is not self._said:
            self._said, self._read = lines, readable(lines)
        return self._read

    def _hold(self, watch: Watch, span: Span, lines: Sequence[Override], before: Held | None) -> Watch:
        return self._watch(watch.home) if self._let_hold(watch.home, span, lines, before) else watch

    def _let_hold(self, home: Home, span: Span, lines: Sequence[Override], before: Held | None) -> bool:
        """Whether the detectors have other limits from now on."""
        base, plan = self._context, span.plan
        if before is not None and before.context.plan == plan:
            plan, options = before.context.plan, before.options
        else:
            options = options_in(plan) if plan else NO_OPTIONS
        context = base if not plan else replace(base, plan=plan)
        if before is not None and before.base is base and before.context.plan is plan:
            context = before.context
        self._held[home.id] = Held(span.since, span.until, base, context, options, lines)
        return options != (before.options if before is not None else {})

    # ------------------------------------------------------------------ memory

    def _checkpoint(self, now: datetime) -> None:
        if not self._to_keep:
            if self._next_keep is None or now < self._next_keep:
                return
            self._next_keep = now + self._checkpoint_every
            self._to_keep = sorted(self._changed)
            self._slice = max(CHECKPOINT_SLICE, len(self._to_keep) // CHECKPOINT_TICKS + 1)
            self._settling = self._settled if self._missed or self._unkept else self._arrival
            if not self._to_keep:
                self.kept_at = now
                return
        part, self._to_keep = self._to_keep[: self._slice], self._to_keep[self._slice :]
        awake, batch = [home for home in part if home in self._watches], Batch()
        for home in awake:
            self._show(self._watches[home], batch)  # when each device was last heard
        kept = self._kept_of(awake)
        if not self._to_keep:
            self.kept_at = now
            self._settled = self._settled if self._unkept else self._settling
        self._readings.keep(kept, self._settled, batch)
        self._changed.difference_update(home for home in part if home not in self._unkept)

    def keep_all(self) -> None:
        """Write a checkpoint of every home that moved on: before a clean stop, so that the next start is short."""
        self.finish()
        if self._untold:
            return  # the next start remembers once more, and finds it again
        changed, self._to_keep, self._changed = sorted(self._changed), [], set()
        kept = self._kept_of(home for home in changed if home in self._watches)
        if not self._missed and not self._unkept:
            self._settled = self._arrival
        self._readings.keep(kept, self._settled)

    def _kept_of(self, homes: Iterable[str]) -> list[Checkpoint]:
        """Their checkpoints. Where a fault of ours lets none be made, the next start remembers from the one before."""
        kept = []
        for home in homes:
            try:
                kept.append(self._kept(home))
                self._unkept.discard(home)
            except (*FAULTS, msgspec.MsgspecError):
                log.exception("a home's checkpoint cannot be made", extra={"home": home})
                self._unkept.add(home)
                if self._ticked is not None:
                    self._own_up(home, "memory", self._ticked, self._untold)
        return kept

    def _kept(self, home: str) -> Checkpoint:
        watch = self._watches[home]
        self._looked_at.discard(home)
        state = {"watch": watch.checkpoint(), "values": self._devices.last_values(home), "due": watch.dues()}
        return Checkpoint(home, self._arrival, _packed(msgspec.msgpack.encode(state)))

    # ------------------------------------------------------------------ who is watched

    def _follow_registry(self) -> int:
        """Look at homes that may be others than they were, for half of a tick at most; how long that took, about."""
        version = self._directory.version()
        if version != self._version:
            said = self._directory.changes(self._version)
            self._version = version
            self._is_following = True
            if said is None:
                self._to_follow.clear()
                self._everyone = self._all_names()
            else:
                self._to_follow.extend(said)
        spent_us = 0
        while self._is_following and spent_us < TICK_US // 2:
            name = self._to_follow.popleft() if self._to_follow else next(self._everyone, None)
            if name is None:
                self._is_following = False
                given_up, self._giving_up = self._giving_up, set()
                spent_us += self._follow({name: self._directory.home(name) for name in given_up})
                break
            home = self._directory.home(name)
            if self._has_given_up_a_hub(name, home):
                self._giving_up.add(name)  # its hub goes on being its own until whoever has it now is followed
                continue
            holders = {self._devices.holds(hub.id) for hub in home.hubs} if home is not None else set()
            others = {other: self._directory.home(other) for other in holders if other is not None and other != name}
            try:
                spent_us += self._follow({**others, name: home})
            except FAULTS:  # it is watched as it was until the next start, or until it is changed once more
                log.exception("a home cannot be followed", extra={"home": name})
                if self._ticked is not None:
                    self._own_up(name, "registry", self._ticked, self._untold)
        return spent_us

    def _all_names(self) -> Iterator[str]:
        """Every home of the registry, and then whoever was known here and is not in it: drawn a few at a time."""
        known, homes, drawn = [*self._watches, *self._dozing], self._directory.homes(), set()
        for home in homes:
            drawn.add(home.id)
            yield home.id
        yield from set(known) - drawn

    def _has_given_up_a_hub(self, name: str, home: Home | None) -> bool:
        known = self._watches.get(name) or self._dozing.get(name)
        if known is None or known.home is home:
            return False
        left = set() if home is None else {hub.id for hub in home.hubs}
        return any(hub.id not in left for hub in known.home.hubs)

    def _follow(self, homes: Mapping[str, Home | None]) -> int:
        """These homes stand so in the registry, or lines were written around them; what it took, about."""
        self._devices.refresh(homes)
        spent_us = 0
        for name, home in homes.items():
            spent_us += FOLLOW_US
            watch, doze = self._watches.get(name), self._dozing.get(name)
            if home is None:
                for known in (self._watches, self._dozing, self._missed, self._held, self._set_back):
                    known.pop(name, None)
                self._unkept.discard(name)
            elif doze is not None and doze.home == home:
                doze.ear.home = home  # the same noun of the newer registry: the older one may go
                if self._is_replanned(home):
                    self._schedule(doze)
            elif watch is not None and watch.home == home:
                if self._is_replanned(home):
                    self._schedule(watch)
            else:
                self._is_replanned(home)
                if doze is not None:
                    self._rouse(name)
                    spent_us += ROUSE_US
                self._schedule(self._watch(home))
                self._changed.add(name)
                spent_us += TURN_US
        return spent_us

    def _is_replanned(self, home: Home) -> bool:
        """Lines are only written forward, so what holds is what held; but it may hold for less long, or for longer."""
        held = self._held.get(home.id)
        if held is None:
            return False
        lines = self._lines(home.id)
        if lines == held.lines:
            return False
        until = span_at(lines, held.since, home.zone).until
        self._held[home.id] = replace(held, until=until, lines=lines)
        return True

    def _watch(self, home: Home) -> Watch:
        """A watch for this home; what an earlier one of the same home knew is handed on."""
        before = self._watches.get(home.id)
        self._shown.pop(home.id, None)
        held = self._held.get(home.id)
        options = _with(self._options, held.options) if held is not None else self._options
        watch = watch_over(home, options, self._shadow)
        if before is not None:
            watch.restore(before.checkpoint())
            self._changed.add(home.id)
        if home.state is Monitoring.RETIRED:
            self._watches.pop(home.id, None)
        else:
            self._watches[home.id] = watch
        return watch

    def homes(self) -> int:
        return len(self._watches) + len(self._dozing)

    def arrived(self) -> int:
        """The number of the newest message whose batch is durable."""
        return self._durable


class _Ear(msgspec.Struct):
    ear: dict[str, Any]


class _Values(msgspec.Struct):
    sensors: dict[str, bytes]


class _Glance(msgspec.Struct):
    """What a start reads of the checkpoint of a home that goes on sleeping."""

    watch: _Ear
    values: _Values
    due: tuple[datetime | None, datetime | None]


_glance = msgspec.msgpack.Decoder(_Glance).decode


@cache
def _words() -> bytes:
    """What stands in every checkpoint beside its numbers: the names of all that is remembered. A program that
    remembers other things has other words, cannot unpack it, and replays."""
    nobody = Home(id="", name="", code="", grid="", zone=ZoneInfo("UTC"))
    return msgspec.msgpack.encode(watch_over(nobody).checkpoint())


def _packed(state: bytes) -> bytes:
    packing = zlib.compressobj(QUICKLY, zdict=_words())
    return packing.compress(state) + packing.flush()


def _unpacked(state: bytes) -> bytes:
    unpacking = zlib.decompressobj(zdict=_words())
    return unpacking.decompress(state) + unpacking.flush()


def _with(options: Mapping[str, Mapping[str, Any]], planned: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the installation says of the detectors, and over it what a home's plan says."""
    return {name: {**options.get(name, {}), **planned.get(name, {})} for name in (*options, *planned)}


def _by_plan(found: Sequence[Finding], context: Context) -> list[Finding]:
    """What is told where a plan holds: nothing of a rule that it switches off, and what must be known of the home."""
    if not found or not context.plan:
        return list(found)
    plan = context.plan
    known = ",".join(key for key in WORDED if plan.get(key) == YES)
    told = [one for one in found if one.code in ALWAYS_ON or plan.get(one.code) != OFF]
    return [replace(one, facts=(*one.facts, ("plan", known))) for one in told] if known else told


def _with_presses(
    messages: Sequence[Message], presses: Callable[[], Sequence[Message]], handled: list[Message]
) -> Iterator[Sequence[Message]]:
    """A batch in slices, and between two of readings whoever calls for help: nobody waits for the rest. What comes by
    one session keeps its order: before the last of those that called already nobody is asked."""
    for at in range(0, len(messages), SLICE):
        if at and not messages[at].urgent and (pressed := presses()):
            handled.extend(pressed)
            yield pressed
        part = messages[at : at + SLICE]
        handled.extend(part)
        yield part


def _answers(readings: Sequence[Reading]) -> list[Reading]:
    """Ordinary buttons that were pressed just now. A double or long press asks for help, and says nothing else."""
    button = Kind.BUTTON  # looked up once, not for each reading
    pressed = [r for r in readings if r.kind is button and r.value and not r.late]
    if not pressed:
        return pressed
    for_help = {(r.sensor, r.at) for r in readings if r.kind is Kind.ASSIST}
    return [r for r in pressed if (r.sensor, r.at) not in for_help]
