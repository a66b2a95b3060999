"""Carries what the desk has written down: sends, waits, tries again, and reports how it went.

At least once: a crash between sending and striking out repeats one message, under the same id.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from time import monotonic
from types import MappingProxyType
from typing import Any

from alerts import reasons
from alerts.agreed import may_be_told
from alerts.catalogue import Catalogue
from alerts.channels.telephone import UNANSWERED
from alerts.climbing import LONGEST_WAIT
from alerts.desk import Desk
from alerts.ways import HASTE
from alerts.wording import letter
from alerts.words_ledger import trial_letter
from gateway.domain import Alert, Delivery, Home, Purpose, Sending
from gateway.domain.fault import FAULTS
from gateway.ports import AlertStore, Channel, Clock, Directory, Letter, TryLater, Undeliverable

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=15)
"""How long one attempt may take, whatever the channel itself believes."""

FIRST_WAIT = timedelta(seconds=1)
"""After a first failure; each further one doubles it, up to LONGEST_WAIT."""

KEEP_TRYING = timedelta(hours=48)
"""After this long a message is no news any more; the ladder has repeated it many times."""

AT_ONCE = 32
"""Messages under way in one channel, so that a hanging one holds neither all sockets nor the other channels."""

AT_ONE_ADDRESS = 4
"""Of these, to one address: one dead telephone must not use up its whole channel."""

RESERVE = 16
"""Beyond these bounds, for emergencies only: severity 1 does not queue behind what hangs."""

PROMPT = timedelta(milliseconds=40)
"""So long a channel's next message waits for the answer to the one before, and half as long each time in vain: whatever
is under way when we fall is said again, and where a carrier answers at once there is nothing to be had by sending
thirty together."""

STEP = timedelta(milliseconds=5)
"""And no shorter than this, where its carrier takes its time."""

STRIKE = timedelta(seconds=1)
"""So long a channel's next message waits for the one before to be struck out, once it is taken. A disk that is slower
must not hold up calls."""

AFTER_A_FAULT = timedelta(seconds=5)
"""The outbox is looked through again after this; whoever is woken meanwhile sets off what is new."""

LEFT_OVER = timedelta(seconds=0.1)
"""So long until another look where something is due that did not set off: it was written this very moment, or cannot be
read."""

AT_HAND = 2
"""Messages whose words are looked up together with the outbox: a press needs no second way to the stores."""

OUT_OF_THE_DOOR_S = 0.005
"""An emergency that needs nothing from the outbox is on its way before anything else is looked for there."""

SETS_OFF_WITHIN_S = 0.05
"""What was handed to its channel is out of our hands after this long: nobody gives way to it any more."""

LOOK = 200
LOOK_AGAIN = 10_000
"""Rows of the outbox read at a time; all of them when the first are many, so that none hides behind the others."""

GLANCE = timedelta(seconds=1)
"""While something is under way the outbox is looked at this often for what has become due meanwhile."""


@dataclass(slots=True)
class _Lane:
    """One channel's messages: those next in turn, urgent ones first, and how many are under way to each address."""

    queue: list[Delivery] = field(default_factory=list)
    going: dict[str, int] = field(default_factory=dict)
    latest: str = ""  # who set off last, while the next waits for that
    patience: timedelta = PROMPT  # how long the next one waits for the answer to the latest

    def next(self) -> Delivery | None:
        if self.latest or sum(self.going.values()) >= AT_ONCE:
            return None
        for place, delivery in enumerate(self.queue):
            if self.going.get(delivery.address, 0) < AT_ONE_ADDRESS:
                return self.queue.pop(place)
        return None

    @property
    def has_reserve(self) -> bool:
        return not self.latest and sum(self.going.values()) < AT_ONCE + RESERVE

    def began(self, delivery: Delivery) -> None:
        self.latest = delivery.id
        self.going[delivery.address] = self.going.get(delivery.address, 0) + 1

    def ended(self, delivery: Delivery) -> None:
        self.lets_go(delivery)
        self.going[delivery.address] -= 1
        if not self.going[delivery.address]:
            del self.going[delivery.address]

    def lets_go(self, delivery: Delivery) -> bool:
        """Wait for this one no longer. Whether it was waited for."""
        if self.latest != delivery.id:
            return False
        self.latest = ""
        return True


@dataclass(frozen=True, slots=True)
class _Errand:
    """A message and what its words are made of, as the stores had it a moment ago."""

    delivery: Delivery
    alert: Alert | None
    home: Home | None
    language: str
    owner: str
    words: Letter | None = None  # where they were found before it was time to send them


class Courier:
    """Empties the outbox. Each channel has a lane of its own: a hanging one delays nobody else."""

    def __init__(
        self,
        store: AlertStore,
        desk: Desk,
        directory: Directory,
        channels: Mapping[str, Channel],
        clock: Clock,
        link: Callable[[Delivery], str],
        *,
        offload: Callable[..., Awaitable[Any]] = asyncio.to_thread,
        seed: int | str = 0,
        poll: timedelta | None = timedelta(seconds=2),
        catalogue: Catalogue | None = None,
        code: Callable[[Delivery], str] = lambda delivery: "",
    ) -> None:
        self._store = store
        self._desk = desk
        self._directory = directory
        self._channels = channels
        self._clock = clock
        self._link = link
        self._code = code  # what an answer by SMS begins with
        # Writing may wait for a disk or for another writer; the event loop may not. Reading waits for nobody, and a
        # thread for it would cost a press a millisecond.
        self._offload = offload
        self._seed = seed
        self._poll = poll  # other processes write into the same outbox; None: there are none
        self._catalogue = catalogue or Catalogue()
        self._lanes: dict[str, _Lane] = {}
        self._under_way: set[str] = set()
        self._gone: set[str] = set()  # what has set off, and perhaps arrived, since the outbox was last read
        self._carried: deque[str] = deque(maxlen=256)  # the last ones, longer than the desk calls anything fresh
        self._taken: list[tuple[str, datetime, str]] = []  # by a channel, and nobody has begun to strike it out
        self._unstruck: set[str] = set()  # taken, and it may be said again after a fall
        self._pen = asyncio.Lock()
        self._ill: dict[str, datetime] = {}  # channel -> since when it carries nothing
        self.attempts: Counter[tuple[str, str]] = Counter()  # channel and how an attempt ended: sent, later, failed
        self.rounds = 0  # grows whenever it looks what is to be sent: whoever watches sees that it does
        self._awake = asyncio.Event()
        self._set_off_at = 0.0  # the latest of all messages, by the monotonic clock
        self._leaving = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._prepared: dict[str, _Errand] = {}  # what is just being written down, with its words

    async def round(self) -> datetime | None:
        """Send what is due, once, and wait until that is done. When to come again; None: not until woken."""
        async with asyncio.TaskGroup() as group:
            self._look(group)
        return self._store.next_delivery()

    async def run(self) -> None:
        """Send until told to leave. A fault of the store ends it, as itself and not within a group."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                while not self._leaving:
                    self._awake.clear()
                    self.rounds += 1
                    if self._set_off_fresh(group):
                        await asyncio.sleep(OUT_OF_THE_DOOR_S)
                    if not self._leaving:
                        try:
                            self._look(group)
                        except FAULTS:  # bulkhead: one line of the outbox must not keep what is new from setting off
                            log.exception("the outbox cannot be looked through")
                            await self._rest(self._clock.now() + AFTER_A_FAULT)
                        else:
                            await self._rest(self._store.next_delivery())
        except BaseExceptionGroup as faults:
            if len(faults.exceptions) > 1:
                raise
            raise faults.exceptions[0] from None

    def leave(self) -> None:
        """Set off no more. `run` ends when what is under way has come back: else the next start would say it again."""
        self._leaving = True
        for lane in self._lanes.values():
            lane.queue.clear()
        self._awake.set()

    @property
    def is_busy(self) -> bool:
        """Whether a message is setting off at this moment; one that hangs keeps nobody waiting."""
        return self._awake.is_set() or (bool(self._under_way) and monotonic() - self._set_off_at < SETS_OFF_WITHIN_S)

    def wake(self) -> None:
        """There is something to say. May be called from any thread, before `run` and after its end too."""
        loop = self._loop
        if loop is None:
            self._awake.set()
        elif not loop.is_closed():
            loop.call_soon_threadsafe(self._awake.set)

    def prepare(self, said: Sequence[tuple[Delivery, Alert]]) -> None:
        """These are being written down at this moment: find their words while the disk is busy. They are sent when the
        desk calls them fresh, and if they never become durable, never. May be called from any thread."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop was closed: nothing more is said
                loop.call_soon_threadsafe(self._find_words, said[:AT_HAND])

    def _find_words(self, said: Sequence[tuple[Delivery, Alert]]) -> None:
        directory = self._directory.standing()
        errands = [self._errand_about(delivery, alert, directory) for delivery, alert in said]
        self._prepared = {errand.delivery.id: replace(errand, words=self._words_or_few(errand)) for errand in errands}

    # ------------------------------------------------------------------ when

    async def _rest(self, next_at: datetime | None) -> None:
        """Until something is due or we are woken."""
        now = self._clock.now()
        waits = [] if self._poll is None else [self._poll]
        if self._under_way:
            waits.append(GLANCE)  # what is under way counts as due, and hides what is due next
        elif next_at is not None:
            waits.append(min(next_at - now, LONGEST_WAIT) if next_at > now else LEFT_OVER)
        try:
            async with asyncio.timeout(min(waits).total_seconds() if waits else None):
                await self._awake.wait()
        except TimeoutError:
            pass

    def _look(self, group: asyncio.TaskGroup) -> None:
        """Read the outbox anew, so that what is urgent comes first, and set off."""
        self._gone.clear()
        due, errands = self._read(self._clock.now())
        for lane in self._lanes.values():
            lane.queue.clear()
        for delivery in due:
            if delivery.id not in self._gone:
                self._lanes.setdefault(delivery.channel, _Lane()).queue.append(delivery)
        for lane in self._lanes.values():
            self._set_off(lane, group, errands)
        for lane in self._lanes.values():
            self._press_on(lane, group)
        self._own_up(group)

    def _own_up(self, group: asyncio.TaskGroup) -> None:
        """Say of what has stood in a full lane for too long that it is not being carried: there may be another way."""
        now = self._clock.now()
        stuck = [
            delivery.id
            for lane in self._lanes.values()
            for delivery in lane.queue
            if delivery.failed_at is None and now - (delivery.next_at or delivery.created_at) >= HASTE
        ]
        if stuck:
            group.create_task(self._say_stuck(stuck[:LOOK], now), name="stuck")

    async def _say_stuck(self, stuck: list[str], now: datetime) -> None:
        await self._offload(self._desk.stuck, stuck, now)

    def _set_off_fresh(self, group: asyncio.TaskGroup) -> bool:
        """Emergencies that the desk has just written down: they go without a second way to the stores."""
        prepared, self._prepared = self._prepared, {}
        fresh = self._desk.fresh(self._clock.now())
        for delivery, alert in fresh:
            if delivery.id in self._under_way or delivery.id in self._gone or delivery.id in self._carried:
                continue
            lane = self._lanes.setdefault(delivery.channel, _Lane())
            if lane.has_reserve:  # else it waits in the outbox for its turn
                errand = prepared.get(delivery.id) or self._errand_about(delivery, alert, self._directory.standing())
                self._start(delivery, lane, group, errand)
        return bool(fresh)

    def _read(self, now: datetime) -> tuple[list[Delivery], dict[str, _Errand]]:
        """What is due, and everything that is needed to send the first of it."""
        due = self._store.outbox(now, LOOK)
        if len(due) == LOOK:
            due = self._store.outbox(now, LOOK_AGAIN)
        new = [delivery for delivery in due if delivery.id not in self._under_way]
        return new, {delivery.id: self._errand(delivery) for delivery in new[:AT_HAND]}

    def _set_off(
        self, lane: _Lane, group: asyncio.TaskGroup, errands: Mapping[str, _Errand] = MappingProxyType({})
    ) -> None:
        while (delivery := lane.next()) is not None:
            self._start(delivery, lane, group, errands.get(delivery.id))

    def _press_on(self, lane: _Lane, group: asyncio.TaskGroup) -> None:
        """Let emergencies past a lane that is full; they stand first in it."""
        for delivery in lane.queue[:RESERVE]:
            alert = self._store.alert(delivery.alert) if lane.has_reserve else None
            if alert is None or not alert.severity.is_emergency:
                return
            if delivery in lane.queue:  # it may have set off meanwhile
                lane.queue.remove(delivery)
                self._start(delivery, lane, group)

    def _start(self, delivery: Delivery, lane: _Lane, group: asyncio.TaskGroup, errand: _Errand | None = None) -> None:
        lane.began(delivery)
        self._under_way.add(delivery.id)
        self._set_off_at = monotonic()
        self._gone.add(delivery.id)
        group.create_task(self._go(delivery, errand, lane, group), name=f"deliver {delivery.id}")
        asyncio.get_running_loop().call_later(lane.patience.total_seconds(), self._step, delivery, lane, group)

    def _step(self, delivery: Delivery, lane: _Lane, group: asyncio.TaskGroup, *, has_waited: bool = False) -> None:
        """It takes its time: the next may go, unless it is only to be struck out."""
        if delivery.id in self._unstruck and not has_waited:
            step = partial(self._step, delivery, lane, group, has_waited=True)
            asyncio.get_running_loop().call_later(STRIKE.total_seconds(), step)
        elif lane.lets_go(delivery):
            lane.patience = max(lane.patience / 2, STEP)
            self._set_off(lane, group)
            self._press_on(lane, group)

    async def _go(self, delivery: Delivery, errand: _Errand | None, lane: _Lane, group: asyncio.TaskGroup) -> None:
        try:
            # Whoever had to wait for a place in the lane asks again: somebody may have accepted since.
            errand = errand or self._errand_if_it_waits(delivery)
            if errand is not None:
                await self._carry(errand)
        except FAULTS as error:  # bulkhead: one delivery must not stop the others
            await self._our_fault(delivery, error)
        finally:
            lane.ended(delivery)
            self._under_way.discard(delivery.id)
            self._carried.append(delivery.id)
        self._set_off(lane, group)
        self._press_on(lane, group)
        if not self._under_way:
            self._awake.set()  # to find out what is due next

    # ------------------------------------------------------------------ how

    async def _carry(self, errand: _Errand) -> None:
        """One message, one attempt, one report."""
        delivery, alert = errand.delivery, errand.alert
        if alert is not None and not may_be_told(
            delivery.person, delivery.duty, alert, errand.home, self._directory, self._clock.now()
        ):
            await self._give_up(delivery, reasons.NOT_AGREED, lasting=False)
            return
        channel = self._channels.get(delivery.channel)
        if channel is None:
            await self._give_up(delivery, f"{reasons.NOT_CONFIGURED}: {delivery.channel}")
            return
        words, handed = errand.words or self._words_or_few(errand), self._clock.now()
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                message = await channel.send(delivery, words)
            self._set_off_at = 0.0  # out of our hands: for writing that down nobody has to wait
        except TryLater as why:
            await self._try_later(delivery, str(why) or reasons.UNSAID, why.code)
        except Undeliverable as why:
            await self._give_up(delivery, str(why) or reasons.UNSAID, why.code)
        except TimeoutError:
            await self._try_later(delivery, f"{reasons.NO_ANSWER}: {PATIENCE.total_seconds():g} s")
        except Exception as error:  # bulkhead: whatever a channel is made of
            await self._our_fault(delivery, error)
        else:
            if self._clock.now() - handed <= PROMPT:
                self._lanes[delivery.channel].patience = PROMPT
            self.attempts[delivery.channel, "sent"] += 1
            await self._strike_out(delivery, message or "")
            self._is_well(delivery.channel)
            log.info(
                "said",
                extra={"delivery": delivery.id, "channel": delivery.channel, "handed_at": handed.isoformat()},
            )

    async def _strike_out(self, delivery: Delivery, message: str) -> None:
        """Durably, before anything else becomes of it. What was taken during one commit shares the next, so that it
        waits for one and not for a row of them: whatever waits here is said again after a fall."""
        self._taken.append((delivery.id, self._clock.now(), message))
        self._unstruck.add(delivery.id)
        async with self._pen:
            if taken := self._taken:  # else whoever had the pen before us has written it down
                self._taken = []
                await self._offload(self._desk.all_said, taken)
        self._unstruck.discard(delivery.id)

    def _errand_if_it_waits(self, queued: Delivery) -> _Errand | None:
        found = next((d for d in self._store.deliveries(queued.alert) if d.id == queued.id), None)
        return self._errand(found) if found is not None and found.state is Sending.WAITING else None

    def _errand(self, delivery: Delivery) -> _Errand:
        return self._errand_about(delivery, self._store.alert(delivery.alert), self._directory.standing())

    def _errand_about(self, delivery: Delivery, alert: Alert | None, directory: Directory) -> _Errand:
        home = directory.home(alert.home) if alert else None
        person = directory.person(delivery.person)
        owner_id = dict(delivery.facts).get("owner", "")
        owner = directory.person(owner_id) if owner_id else None
        return _Errand(
            delivery, alert, home, language=person.language if person else "", owner=owner.name if owner else ""
        )

    def _words(self, errand: _Errand) -> Letter:
        delivery = errand.delivery
        if delivery.purpose in (Purpose.DRILL, Purpose.REPLY):
            said = trial_letter(delivery, errand.home, errand.language, self._link(delivery))
        else:
            said = letter(
                delivery,
                errand.alert,
                home=errand.home,
                language=errand.language,
                owner=errand.owner,
                link=self._link(delivery),
                known=self._catalogue,
            )
        return said if delivery.purpose in UNANSWERED else replace(said, code=self._code(delivery))

    async def _our_fault(self, delivery: Delivery, error: Exception) -> None:
        log.exception("delivery failed", extra={"delivery": delivery.id, "channel": delivery.channel})
        await self._try_later(delivery, f"{reasons.OUR_FAULT}: {type(error).__name__}")

    def _words_or_few(self, errand: _Errand) -> Letter:
        """Where a fault of ours is in the words of one message it says whose home it is and what was found, and where
        to look: it must not keep this message from setting off, and no other."""
        try:
            return self._words(errand)
        except FAULTS:
            log.exception("the words of a message cannot be found", extra={"delivery": errand.delivery.id})
        alert, home, link = errand.alert, errand.home, self._link(errand.delivery)
        household, what = home.code if home is not None else "", alert.code if alert is not None else ""
        return Letter(
            title=f"【守望 Shouwang】{household} {what}".rstrip(),
            body="请打开链接查看。Open the link to see what it is.",
            link=link,
            household=household,
            what=what,
        )

    async def _try_later(self, delivery: Delivery, reason: str, code: str = "") -> None:
        now = self._clock.now()
        self.attempts[delivery.channel, "later"] += 1
        self._is_ill(delivery.channel, reason)
        if now - delivery.created_at > KEEP_TRYING:
            await self._give_up(delivery, f"{reasons.TOO_OLD}: {reason}", code, lasting=False)
            return
        until = now + self.pause(delivery)
        await self._offload(self._desk.put_off, delivery.id, reason, until, now, code)

    async def _give_up(self, delivery: Delivery, reason: str, code: str = "", *, lasting: bool = True) -> None:
        self.attempts[delivery.channel, "failed"] += 1
        log.warning("undeliverable", extra={"delivery": delivery.id, "channel": delivery.channel, "reason": reason})
        await self._offload(self._desk.gave_up, delivery.id, reason, self._clock.now(), code, lasting)

    def pause(self, delivery: Delivery) -> timedelta:
        """How long to wait after this attempt: 1 s, 2 s, 4 s … 60 s, jittered so that a thousand do not come at once.

        The jitter follows from seed and message, so that the same seed lives through the same week.
        """
        wait = min(FIRST_WAIT * 2.0 ** min(delivery.attempts, 10), LONGEST_WAIT)
        jitter = Random(f"{self._seed}/{delivery.id}/{delivery.attempts}").uniform(0.8, 1.2)  # noqa: S311 - no secret
        return min(wait * jitter, LONGEST_WAIT)

    # ------------------------------------------------------------------ said once when lost, once when back

    def _is_ill(self, channel: str, reason: str) -> None:
        if channel not in self._ill:
            self._ill[channel] = self._clock.now()
            log.warning("channel fails", extra={"channel": channel, "reason": reason})

    def _is_well(self, channel: str) -> None:
        since = self._ill.pop(channel, None)
        if since is not None:
            lasted = int((self._clock.now() - since).total_seconds())
            log.info("channel works again", extra={"channel": channel, "failed_for_s": lasted})
