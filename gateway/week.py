"""A bad week in virtual time: the production program, its faults and its people, from one seed.

The road, the desk and the courier are the ones that run live. Only the rim is simulated: hubs that publish what their
elders do, a broker that keeps what is not acknowledged, carriers that fail, people who come or do not, and a power
supply that goes at the worst moments. Afterwards a checker reads what was stored and said, and names every promise
that was broken.
"""

import asyncio
import contextlib
import logging
import multiprocessing
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from alerts.courier import Courier
from alerts.desk import Desk
from alerts.incident import codes_of
from alerts.maintenance import has_passed
from detectors.ear import PATIENCE
from gateway.domain import (
    SIGNS_OF_LIFE,
    Alert,
    Answer,
    Answers,
    Area,
    Contact,
    Delivery,
    Duty,
    Entry,
    FamilyWord,
    Finding,
    Grid,
    Outcome,
    Person,
    Profile,
    Purpose,
    Reach,
    Relation,
    Sending,
    State,
    last_sign,
)
from gateway.pipeline import Pipeline
from gateway.ports import AlertLedger, AlertStore, Batch, Clock, Letter, Message, ReadingStore, TryLater, Undeliverable
from gateway.registry import Registry
from gateway.stores.memory import MemoryAlerts, MemoryReadings, MemoryRegistry, MemoryTrail
from ingest.intake import Intake
from simulators.faults import Faults
from simulators.household import Household, furnish
from simulators.personas import PERSONAS
from simulators.speech import Publication, is_press
from simulators.vtime import VirtualClock, inline, live

START = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)  # midnight in Shanghai, the first days of spring
HUB_INTERVAL = timedelta(minutes=10)
HOMES = 3
AT_ONCE = 50
SHORTEST_WAIT, LONGEST_WAIT = timedelta(milliseconds=200), timedelta(seconds=60)
"""The simulated road sleeps until the next deadline, within these; the real one goes round every 200 ms."""


class PowerCut(BaseException):
    """The gateway's process ends here and now; what was not durable is gone."""


@dataclass(slots=True)
class Power:
    """Decides when the gateway falls: armed for one point of the road, it cuts when that point is passed."""

    armed: str = ""
    cuts: int = 0

    def passes(self, point: str) -> None:
        if self.armed == point:
            self.armed = ""
            self.cuts += 1
            raise PowerCut(point)


POINTS = ("before the desk", "after the desk", "before the commit", "after the commit", "after sending")


@dataclass(slots=True)
class ShakyAlerts:
    """The alert store of a process whose power may fail around a transaction."""

    store: AlertStore
    power: Power

    @contextlib.contextmanager
    def begin(self) -> Iterator[AlertLedger]:
        self.power.passes("before the desk")
        with self.store.begin() as ledger:
            yield ledger
        self.power.passes("after the desk")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


HASTE = ("failed", "answered", "coordinates", "family", "worse", "rings-again", "lapsed", "mended")
"""What makes the next rung due at once, or gives an alert another ladder."""

LONGEST_DOWN = timedelta(hours=2)
"""A gateway that fell is up again by then, whatever befalls it on the way."""

CHECKPOINT_EVERY = timedelta(minutes=30)
"""Thirty times the pipeline's own: the power fails between checkpoints, and a week is not spent writing them."""


@dataclass(slots=True)
class ShakyReadings:
    """The reading store of the same process."""

    store: ReadingStore
    power: Power

    def commit(self, batch: Batch) -> None:
        self.power.passes("before the commit")
        self.store.commit(batch)
        self.power.passes("after the commit")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass(slots=True)
class KeepingBroker:
    """Keeps what was published at QoS 1 until it is settled; a new connection gets all of it again, in order."""

    kept: dict[int, Publication] = field(default_factory=dict)
    retained: dict[str, Publication] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)
    connected: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)
    _number: int = 0

    def publish(self, publication: Publication) -> bool:
        """False when it was lost: QoS 0 and nobody listening."""
        if publication.retained:
            self.retained[publication.topic] = replace(publication, retained=False)
        if publication.qos == 0 and not self.connected:
            return False
        self._number += 1
        self.kept[self._number] = publication
        self.waiting.append(self._number)
        self.came.set()
        return True

    def connect(self) -> None:
        self.connected = True
        again = sorted(self.kept)
        for publication in self.retained.values():
            self._number += 1
            self.kept[self._number] = replace(publication, retained=True)
            again.append(self._number)
        self.waiting = deque(again)
        self.came.set()

    def lost(self) -> None:
        self.connected = False


@dataclass(slots=True)
class BrokerSource:
    """The gateway's end of it: a Source that never waits, for virtual time does."""

    broker: KeepingBroker
    clock: Clock
    since: datetime

    def poll(self, wait: timedelta) -> Sequence[Message]:
        taken = [self.broker.waiting.popleft() for _ in range(min(AT_ONCE, len(self.broker.waiting)))]
        now = self.clock.now()
        messages = []
        for number in taken:
            said = self.broker.kept[number]
            urgent = "/sos/" in said.topic
            messages.append(Message(said.topic, said.payload, now, said.retained, urgent, number))
        return sorted(messages, key=lambda m: not m.urgent)

    def settle(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.broker.kept.pop(message.receipt, None)  # type: ignore[call-overload]

    def listening_since(self) -> datetime | None:
        return self.since

    def close(self) -> None:
        self.broker.lost()


@dataclass(slots=True)
class Carrier:
    """The one channel of the week. It works, it is down for hours, it does not know a number, it is slow."""

    week: "Week"
    chance: Random

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        week = self.week
        now = week.clock.now()
        if any(begin <= now < end for begin, end in week.outages):
            raise TryLater("the carrier is down")
        if delivery.person in week.dead_numbers:
            raise Undeliverable("no such number")
        began = now
        await asyncio.sleep(self.chance.choice([0.2, 0.5, 1, 8]))
        week.say(f"{delivery.person} reads: {letter.title} [{delivery.purpose.value}] {delivery.alert}")
        week.carried.append(Carried(delivery, began, week.clock.now()))
        week.power.passes("after sending")
        if delivery.purpose in (Purpose.PAGE, Purpose.HANDED):
            week.reads(delivery)
        elif delivery.purpose is Purpose.ASK:
            week.is_asked(delivery)


@dataclass(frozen=True, slots=True)
class Carried:
    delivery: Delivery
    began: datetime
    arrived: datetime


@dataclass(slots=True)
class Week:
    """What happened, and which promises did not hold."""

    seed: int
    days: int
    clock: VirtualClock
    chance: Random
    power: Power = field(default_factory=Power)
    broker: KeepingBroker = field(default_factory=KeepingBroker)
    story: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    presses: list[tuple[str, datetime]] = field(default_factory=list)  # those that the broker took over
    carried: list[Carried] = field(default_factory=list)
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    dead_numbers: set[str] = field(default_factory=set)
    silent: dict[str, datetime] = field(default_factory=dict)
    dark: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    down: list[tuple[datetime, datetime]] = field(default_factory=list)
    desk: Desk | None = None
    hurried: set[str] = field(default_factory=set)
    people: list[asyncio.Task[None]] = field(default_factory=list)
    raised: int = 0

    def say(self, what: str) -> None:
        self.story.append(f"{self.clock.now() + timedelta(hours=8):%a %H:%M:%S}  {what}")

    def summary(self) -> str:
        return (
            f"seed {self.seed}: {self.days} days, {len(self.presses)} presses, {self.raised} alerts,"
            f" {len(self.carried)} messages read, {self.power.cuts} power cuts,"
            f" {len(self.broken)} promises broken"
        )

    # ------------------------------------------------------------------ people

    def reads(self, delivery: Delivery) -> None:
        """Whoever is paged thinks about it: some come at once, some late, some never."""
        if delivery.alert in self.hurried or self.chance.random() < 0.35:
            return
        wait = self.chance.choice([20, 45, 90, 240, 700])
        does = self.chance.choice([self._comes, self._comes, self._comes, self._coordinates, self._forgets])
        if delivery.person.startswith("daughter"):
            does = self.chance.choice([self._has_her, self._coordinates, self._comes])
        if does in (self._comes, self._has_her):
            self.hurried.add(delivery.alert)
        self.people.append(asyncio.ensure_future(does(delivery.alert, delivery.person, wait)))

    def is_asked(self, delivery: Delivery) -> None:
        """Whoever is asked says that it is nothing, or calls for help; mostly there is no answer."""
        if self.chance.random() < 0.7:
            return
        answer = self.chance.choice([Answer.NO_HELP, Answer.NO_HELP, Answer.HELP])
        wait = self.chance.choice([5, 30, 100])
        self.people.append(asyncio.ensure_future(self._answers(delivery.alert, delivery.person, answer, wait)))

    async def _answers(self, alert: str, who: str, answer: Answer, wait: float) -> None:
        await asyncio.sleep(wait)
        self.say(f"{who} answers {answer.value} to {alert}")
        await self._does(lambda desk: desk.answer(alert, answer, who, self.clock.now(), "speaker"))

    async def _coordinates(self, alert: str, who: str, wait: float) -> None:
        """Far away, or unable to leave: keeps it together."""
        await asyncio.sleep(wait)
        self.say(f"{who} coordinates {alert}")
        await self._does(lambda desk: desk.accept(alert, who, self.clock.now(), "link", can_arrive=False))

    async def _forgets(self, alert: str, who: str, wait: float) -> None:
        """Accepts in half sleep, and sleeps on."""
        await asyncio.sleep(wait)
        self.say(f"{who} accepts {alert} and forgets it")
        await self._does(lambda desk: desk.accept(alert, who, self.clock.now(), "voice", can_arrive=True))

    async def _has_her(self, alert: str, who: str, wait: float) -> None:
        await asyncio.sleep(wait)
        self.say(f"{who} has her: {alert}")
        now = self.clock.now()
        word, until = FamilyWord.WITH_ME, now + timedelta(hours=5)
        await self._does(lambda desk: desk.family(alert, who, word, until, self.clock.now(), sure=True))

    async def _comes(self, alert: str, who: str, wait: float) -> None:
        await asyncio.sleep(wait)
        await self._does(lambda desk: desk.accept(alert, who, self.clock.now(), "link", can_arrive=True))
        self.say(f"{who} accepts {alert}")
        await asyncio.sleep(self.chance.choice([60, 200]))
        if self.chance.random() < 0.1:
            self.say(f"{who} hands {alert} over to the supervisor")
            await self._does(lambda desk: desk.hand_over(alert, who, "supervisor", self.clock.now(), why="换班"))
        await self._does(lambda desk: desk.on_the_way(alert, who, self.clock.now()))
        await asyncio.sleep(self.chance.choice([300, 900, 3000]))
        await self._does(lambda desk: desk.on_site(alert, who, self.clock.now(), proof="door"))
        outcome = self.chance.choice(list(Outcome))
        await self._does(lambda desk: desk.resolve(alert, who, outcome, "", self.clock.now()))
        self.say(f"{who} resolves {alert}: {outcome.value}")
        await self._does(lambda desk: desk.follow_up(alert, who, "", self.clock.now()))
        await self._does(lambda desk: desk.close(alert, who, self.clock.now()))

    async def _does(self, act: Callable[[Desk], object]) -> None:
        """A page's button: pressed again until the gateway answers."""
        while True:
            if self.desk is not None:
                with contextlib.suppress(PowerCut):
                    act(self.desk)
                    return
            await asyncio.sleep(5)


def live_through_a_bad_week(seed: int, days: int = 7) -> Week:
    """The same seed gives the same week, to the letter."""

    async def main(clock: VirtualClock) -> Week:
        week = Week(seed, days, clock, Random(f"week/{seed}"))  # noqa: S311 - seeded, not secret
        await _live(week)
        return week

    return live(main, START)


@dataclass(frozen=True, slots=True)
class Lived:
    """What is left of a week that was lived in another process."""

    seed: int
    summary: str
    broken: list[str]
    presses: int
    cuts: int

    @property
    def again(self) -> str:
        return f"shouwang simulate --seed {self.seed}"


def live_through_bad_weeks(seeds: Sequence[int], processes: int) -> Iterator[Lived]:
    """Many weeks, on several cores, in the order of their seeds."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_lived, seeds, chunksize=5)


def _lived(seed: int) -> Lived:
    logging.disable(logging.CRITICAL)  # the story says it, and a hundred weeks' logs nobody reads
    week = live_through_a_bad_week(seed)
    return Lived(seed, week.summary(), week.broken, len(week.presses), week.power.cuts)


async def _live(week: Week) -> None:
    trail = MemoryTrail()
    alerts, readings, registry = MemoryAlerts(trail), MemoryReadings(), MemoryRegistry(trail)
    households = _neighbourhood(week, registry)
    end = START + timedelta(days=week.days)
    hubs = asyncio.create_task(_hubs(week, households, end))
    trouble = asyncio.create_task(_trouble(week))
    gateway = asyncio.create_task(_gateway(week, alerts, readings, registry))
    await hubs
    trouble.cancel()
    week.power.armed = ""
    # A quiet day more, in which whatever still rings is answered or goes on ringing.
    await asyncio.sleep(timedelta(hours=6).total_seconds())
    for task in (gateway, *week.people):
        task.cancel()
    await asyncio.gather(gateway, trouble, *week.people, return_exceptions=True)
    Checker(week, alerts, households, {home.id: home for home in registry.homes()}).check()


def _neighbourhood(week: Week, registry: MemoryRegistry) -> list[Household]:
    chance = week.chance
    households = []
    kinds = list(PERSONAS.values())
    for number in range(HOMES):
        household = furnish(f"home-{number}", chance.choice(kinds), seed=chance.randrange(10**6), interval=HUB_INTERVAL)
        for _ in range(chance.randint(0, 3)):
            at = START + timedelta(seconds=chance.uniform(3600, week.days * 86400 - 3600))
            household = household.press_sos(at)
        if chance.random() < 0.4:
            at = START + timedelta(days=week.days - 1, seconds=chance.uniform(0, 10 * 3600))
            household = household.stay_home(at - timedelta(hours=6), at + timedelta(days=2)).fall_silent(at)
            week.silent[household.home.id] = at
        elif chance.random() < 0.5:
            since = START + timedelta(seconds=chance.uniform(3600, (week.days - 1) * 86400))
            until = since + timedelta(hours=chance.uniform(0.5, 12))
            household = household.hub_dark(since, until)
            week.dark[household.home.id] = (since, until)
        person = "" if number == 0 else f"resident-{number}"  # nobody is on file for the first home
        households.append(replace(household, home=replace(household.home, person=person)))
    people = [("worker", Duty.GRID_WORKER), ("deputy", Duty.DEPUTY), ("supervisor", Duty.SUPERVISOR)]
    people += [("installer", Duty.INSTALLER), ("street", Duty.STREET)]
    if chance.random() < 0.25:
        people.pop(1)  # a grid without a deputy
    if chance.random() < 0.25:
        week.dead_numbers.add(chance.choice([p for p, _ in people if p != "supervisor"]))
    for _ in range(chance.randint(0, 2)):
        begin = START + timedelta(seconds=chance.uniform(0, week.days * 86400))
        week.outages.append((begin, begin + timedelta(minutes=chance.uniform(5, 180))))
    grid = households[0].home.grid
    private = [h.home.person for h in households if h.home.person] + [f"daughter-{h.home.id}" for h in households]
    Registry(registry, lambda secret: secret).register(
        areas=[Area(code="a", name="社区", level="community")],
        grids=[Grid(code=grid, name="网格", community="a")],
        people=[
            (Person(id=p, name=p, reaches=(Reach(channel="phone", address=p),)), [(d, grid)] if d else [])
            for p, d in (*people, *((p, None) for p in (*private, "neighbour")))
        ],
        homes=[household.home for household in households],
        who="week",
        now=START,
    )
    with registry.begin() as book:
        for household in households:
            home = household.home
            if home.person:
                book.put_profile(Profile(person=home.person, answers_by=chance.choice(list(Answers))), START)
            child = Contact(
                home=home.id,
                person=f"daughter-{home.id}",
                relation=Relation.CHILD,
                is_far=chance.random() < 0.5,
            )
            key = Contact(home=home.id, person="neighbour", relation=Relation.KEY_HOLDER)
            book.put_contacts(home.id, [c for c in (child, key) if chance.random() < 0.7], START)
    return households


async def _hubs(week: Week, households: Sequence[Household], end: datetime) -> None:
    """Every hub publishes what its home says, through a bad network."""
    faults = Faults(seed=week.seed, lost=0.02, doubled=0.02, shuffled=0.01)
    streams = [faults.over(h.publications(START, end)) for h in households]
    heads = [(next(stream, None), stream) for stream in streams]
    home_of = {h.hub: h.home.id for h in households}
    while any(head is not None for head, _ in heads):
        index = min((i for i, (head, _) in enumerate(heads) if head is not None), key=lambda i: heads[i][0].at)  # type: ignore[union-attr]
        said, stream = heads[index]
        assert said is not None
        await asyncio.sleep(max(0.0, (said.at - week.clock.now()).total_seconds()))
        taken = week.broker.publish(said)
        if is_press(said):
            home = home_of[said.hub]
            week.say(f"{home} presses the button{'' if taken else ' (lost: nobody listened)'}")
            if taken:
                week.presses.append((home, week.clock.now()))
        heads[index] = (next(stream, None), stream)


async def _trouble(week: Week) -> None:
    """Power cuts at the worst moments."""
    while True:
        await asyncio.sleep(week.chance.expovariate(1 / 14_000))
        week.power.armed = week.chance.choice(POINTS)


async def _gateway(week: Week, alerts: MemoryAlerts, readings: MemoryReadings, registry: MemoryRegistry) -> None:
    """The supervisor: starts the gateway, and starts it again when it falls."""
    while True:
        fell_at = None
        try:
            await _run_gateway(week, alerts, readings, registry)
        except PowerCut as cut:
            fell_at = week.clock.now()
            week.say(f"the power fails {cut}")
        week.broker.lost()
        week.desk = None
        await asyncio.sleep(week.chance.choice([2, 5, 30, 600, 3600]))
        if fell_at is not None:
            week.down.append((fell_at, week.clock.now()))


async def _run_gateway(week: Week, alerts: MemoryAlerts, readings: MemoryReadings, registry: MemoryRegistry) -> None:
    clock = week.clock
    shaky = ShakyAlerts(alerts, week.power)
    courier: Courier | None = None

    def is_over(finding: Finding) -> bool:
        life, heard = last_sign(readings.newest(finding.home, SIGNS_OF_LIFE, limit=20)), readings.heard()
        conditions = readings.conditions(finding.home)
        return has_passed(finding, conditions, heard.get(finding.home), life.at if life else None)

    desk = Desk(shaky, registry, lambda: courier.wake() if courier is not None else None, has_passed=is_over)
    pipeline = Pipeline(
        intake=Intake(registry),
        directory=registry,
        readings=ShakyReadings(readings, week.power),
        desk=desk,
        checkpoint_every=CHECKPOINT_EVERY,
    )
    pipeline.start(clock.now())
    courier = Courier(
        shaky,
        desk,
        registry,
        {"phone": Carrier(week, week.chance)},
        clock,
        lambda delivery: f"https://example.org/a/{delivery.alert}",
        offload=inline,
        seed=week.seed,
        poll=None,
    )
    week.broker.connect()
    week.desk = desk
    source = BrokerSource(week.broker, clock, clock.now())
    week.say("the gateway is up")
    speaking = asyncio.create_task(courier.run())
    road = asyncio.create_task(_road(source, pipeline, week, alerts.next_timer))
    try:
        done, _ = await asyncio.wait([speaking, road], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (speaking, road):
            task.cancel()
        await asyncio.gather(speaking, road, return_exceptions=True)


async def _road(source: BrokerSource, pipeline: Pipeline, week: Week, timers: Callable[[], datetime | None]) -> None:
    """`gateway.road` without its thread: the same three calls in the same order."""
    while True:
        messages = source.poll(SHORTEST_WAIT)
        now = week.clock.now()
        if messages:
            pipeline.handle(messages, now)
            source.settle(messages)
        pipeline.tick(now, source.listening_since())
        if not source.broker.waiting:
            source.broker.came.clear()
            due = min((d for d in (pipeline.next_due(), timers()) if d is not None), default=now + LONGEST_WAIT)
            wait = max(SHORTEST_WAIT, min(due - now, LONGEST_WAIT))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await source.broker.came.wait()


# --------------------------------------------------------------------------- the checker


@dataclass(slots=True)
class Checker:
    """Reads what was stored and what was said, and nothing else."""

    week: Week
    alerts: MemoryAlerts
    households: Sequence[Household]
    homes: dict[str, Any]

    def check(self) -> None:
        alerts = self.alerts.alerts(limit=100_000)
        self.week.raised = len(alerts)
        by_home: dict[str, list[Alert]] = defaultdict(list)
        for alert in alerts:
            by_home[alert.home].append(alert)
        self._presses_reach_somebody(by_home)
        self._nobody_is_called_after_somebody_came()
        self._nothing_is_said_twice()
        for alert in alerts:
            self._ladder_is_climbed_in_order(alert)
            self._no_rung_is_climbed_early(alert)
            self._nobody_is_told_the_same_twice(alert)
            self._is_somebodys(alert)
            self._has_a_reason(alert)
        self._the_silent_are_found(by_home)
        self._the_unheard_are_not_called_silent(by_home)

    def _break(self, promise: str) -> None:
        self.week.broken.append(promise)

    def _presses_reach_somebody(self, by_home: dict[str, list[Alert]]) -> None:
        for home, at in self.week.presses:
            taking = [
                a
                for a in by_home[home]
                if "sos" in codes_of(a) and (a.raised_at >= at or (a.resolved_at is None or a.resolved_at >= at))
            ]
            if not taking:
                self._break(f"the press in {home} at {at:%d %H:%M:%S} opened no alert")
                continue
            told = any(
                d.state is Sending.SENT
                for a in taking
                for d in self.alerts.deliveries(a.id)
                if d.purpose is Purpose.PAGE
            )
            ringing = any(a.is_ringing and a.next_at is not None for a in taking)
            # The power may fail before anybody was told; then she who pressed is asked, and says that all is well.
            taken_back = any(a.state is State.CANCELLED for a in taking)
            if not told and not ringing and not taken_back:
                self._break(f"the press in {home} at {at:%d %H:%M:%S} reached nobody and rings no more")

    def _nobody_is_called_after_somebody_came(self) -> None:
        for carried in self.week.carried:
            if carried.delivery.purpose is not Purpose.PAGE:
                continue
            owned = _owned_spans(self.alerts, carried.delivery.alert)
            if any(begin < carried.began < end for begin, end in owned):
                self._break(f"{carried.delivery.person} was paged for {carried.delivery.alert} while somebody had it")
            keeping = [e for e in self.alerts.history(carried.delivery.alert) if e.what == "coordinates"]
            if any(e.who == carried.delivery.person and e.at < carried.began for e in keeping):
                self._break(f"{carried.delivery.person} coordinates {carried.delivery.alert} and was paged for it")

    def _nothing_is_said_twice(self) -> None:
        often: dict[str, int] = defaultdict(int)
        for carried in self.week.carried:
            often[carried.delivery.id] += 1
        repeated = sum(count - 1 for count in often.values())
        # One notice may be repeated for each crash between sending and writing that it was sent.
        if repeated > self.week.power.cuts:
            self._break(f"{repeated} messages were repeated in {self.week.power.cuts} power cuts")

    def _ladder_is_climbed_in_order(self, alert: Alert) -> None:
        steps = [
            (int(dict(e.facts)["round"]), int(dict(e.facts)["rung"]))
            for e in self.alerts.history(alert.id)
            if "rung" in dict(e.facts) and "round" in dict(e.facts)
        ]
        if len(steps) != len(set(steps)):
            self._break(f"a rung of {alert.id} was climbed twice: {steps}")
        if steps != sorted(steps):
            self._break(f"the ladder of {alert.id} was climbed out of order: {steps}")
        for (round_, rung), following in pairwise(steps):
            if following[0] == round_ and following[1] != rung + 1:
                self._break(f"a rung of {alert.id} was skipped: {steps}")

    def _no_rung_is_climbed_early(self, alert: Alert) -> None:
        """Each rung has its time, unless something was said or found out that makes the next one due at once."""
        before: tuple[Entry, datetime] | None = None
        history = self.alerts.history(alert.id)
        by_this_ladder = max((n for n, entry in enumerate(history) if entry.what == "worse"), default=0)
        for entry in history[by_this_ladder:]:
            if entry.what not in ("told", "empty"):
                # Nobody waits for whoever cannot be reached; and what grew worse has another ladder.
                before = None if entry.what in HASTE else before
                continue
            facts = dict(entry.facts)
            due = entry.at - timedelta(seconds=int(facts.get("late_s", "0")))
            if before is not None and facts["round"] == dict(before[0].facts)["round"]:
                rung = alert.ladder.rungs[int(dict(before[0].facts)["rung"])]
                told = set(dict(before[0].facts)["duty"].split(","))
                waited_for = {duty.value for duty in rung.waited_for}
                if alert.coordinator:
                    waited_for -= {Duty.ELDER, Duty.FAMILY}  # they have answered
                waited = before[0].what == "told" and told & waited_for
                if waited and due < before[1] + rung.wait - timedelta(seconds=3):
                    self._break(f"a rung of {alert.id} was climbed {before[1] + rung.wait - due} early")
            before = entry, due

    def _nobody_is_told_the_same_twice(self, alert: Alert) -> None:
        told = [
            (d.purpose.value, d.person, d.channel, d.address, dict(d.facts).get("round", ""))
            for d in self.alerts.deliveries(alert.id)
            if d.purpose is Purpose.PAGE and d.state is Sending.SENT
        ]
        if len(told) != len(set(told)):
            self._break(f"somebody was called twice in one round of {alert.id}")

    def _is_somebodys(self, alert: Alert) -> None:
        """What is open rings or has an owner, and is looked at again; what nobody does anything about rings again."""
        if not alert.is_open:
            return
        if alert.due_at is None or not (alert.is_ringing or alert.owner):
            self._break(f"{alert.id} is open, and nobody will ever look at it again")
        now, lapse = self.week.clock.now(), alert.ladder.lapse
        if alert.state is State.ACCEPTED and lapse and alert.owned_at and now > alert.owned_at + lapse + LONGEST_DOWN:
            self._break(f"{alert.id} was accepted by {alert.owner} and forgotten")

    def _has_a_reason(self, alert: Alert) -> None:
        if not alert.finding.facts:
            self._break(f"{alert.id} gives no reason")

    def _the_silent_are_found(self, by_home: dict[str, list[Alert]]) -> None:
        for home, since in self.week.silent.items():
            found = [f for a in by_home[home] for f in (a.finding, *(one.finding for one in a.also))]
            if not any(f.code in ("inactivity", "not_returned") and f.at >= since for f in found):
                self._break(f"{home} has been silent since {since:%d %H:%M} and nobody was told")

    def _the_unheard_are_not_called_silent(self, by_home: dict[str, list[Alert]]) -> None:
        for home, (since, until) in self.week.dark.items():
            for alert in by_home[home]:
                heard_until = since + HUB_INTERVAL * PATIENCE
                if alert.code == "inactivity" and heard_until < alert.raised_at < until:
                    self._break(f"{home} was dark and told as inactive at {alert.raised_at:%d %H:%M}")
            long_enough = until - since > HUB_INTERVAL * 4 and not any(
                begin < until and since < end for begin, end in self.week.down
            )
            if long_enough and not any(a.code == "home_silent" and since <= a.raised_at for a in by_home[home]):
                self._break(f"{home} went dark at {since:%d %H:%M} and nobody was told")


def _owned_spans(alerts: MemoryAlerts, alert_id: str) -> list[tuple[datetime, datetime]]:
    """While somebody had it: from each acceptance until it was resolved or rang again."""
    spans: list[tuple[datetime, datetime]] = []
    begin: datetime | None = None
    for entry in alerts.history(alert_id):
        if entry.what == "accepted":
            begin = entry.at
        elif entry.what in ("rings-again", "lapsed", "worse", "resolved") and begin is not None:
            spans.append((begin, entry.at))
            begin = None
    if begin is not None:
        spans.append((begin, datetime.max.replace(tzinfo=UTC)))
    return spans
