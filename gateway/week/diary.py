"""What happened in a week, by the time that it truly was; the gateway's own clock may have been wrong."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.desk import Desk
from gateway.domain import Act, Alert, Delivery, Entry
from gateway.ports import Letter
from gateway.stores.memory import MemoryAlerts
from simulators.vtime import VirtualClock

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Carried:
    """A message that somebody reads. `is_known`: the gateway was told that it was taken over."""

    delivery: Delivery
    letter: Letter
    began: datetime
    is_known: bool = True


@dataclass(slots=True)
class Journal:
    """When what stands in the book was truly written."""

    entries: dict[str, list[tuple[datetime, Entry]]] = field(default_factory=lambda: defaultdict(list))
    found: dict[str, datetime] = field(default_factory=dict)  # finding -> when an alert first spoke of it
    over: dict[str, datetime] = field(default_factory=dict)  # alert -> since when it is over

    def note(self, alert: Alert, at: datetime) -> None:
        for found in (alert.id, alert.finding.id, *(joined.finding.id for joined in alert.also)):
            self.found.setdefault(found, at)
        if alert.is_open:
            self.over.pop(alert.id, None)
        else:
            self.over.setdefault(alert.id, at)

    def raised(self, alert: Alert) -> datetime:
        """When it was opened."""
        return self.found[alert.id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the gateway had written down when the week was over."""

    alerts: list[Alert]
    deliveries: dict[str, list[Delivery]]
    history: dict[str, list[Entry]]
    acts: list[Act]
    now: datetime  # what its clock showed then

    @classmethod
    def of(cls, store: MemoryAlerts, now: datetime) -> "Books":
        alerts = store.alerts(limit=100_000)
        return cls(
            alerts=alerts,
            deliveries={alert.id: store.deliveries(alert.id) for alert in alerts},
            history={alert.id: store.history(alert.id) for alert in alerts},
            acts=store.trail.acts,
            now=now,
        )


@dataclass(slots=True)
class Week:
    """What befell the gateway, what it did, and which promises did not hold."""

    seed: int
    days: int
    start: datetime
    world: VirtualClock  # what time it truly is
    clock: VirtualClock  # what the gateway's clock on the wall shows
    story: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    journal: Journal = field(default_factory=Journal)
    home_of: dict[str, str] = field(default_factory=dict)  # by hub
    # ---- what befell it
    presses: list[tuple[str, datetime]] = field(default_factory=list)  # those that the broker took over
    silent: dict[str, datetime] = field(default_factory=dict)  # homes in which nobody moves any more, since when
    dark: dict[str, Span] = field(default_factory=dict)  # homes whose hub has no power
    may_see: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # person -> homes
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)  # home -> what it is called by
    cuts: int = 0  # how often its power failed
    falls: int = 0  # how often it fell, for whatever reason
    down: list[Span] = field(default_factory=list)
    put_back: timedelta = timedelta(0)  # by how much its clock was set back, all in all
    troubles: int = 0  # of all other kinds
    # ---- what it did
    carried: list[Carried] = field(default_factory=list)
    heard: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))  # home -> when
    raised: int = 0
    # ---- while it is being lived
    pressed: set[bytes] = field(default_factory=set)  # the messages of these presses: told twice they are one
    desk: Desk | None = None  # while the gateway is up
    fell: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def say(self, what: str) -> None:
        self.story.append(f"{self.world.now() + timedelta(hours=8):%a %H:%M:%S}  {what}")

    def trouble(self, what: str) -> None:
        self.troubles += 1
        self.say(what)

    async def until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.world.now()).total_seconds()))

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)

    def summary(self) -> str:
        return (
            f"seed {self.seed}: {self.days} days, {len(self.presses)} presses, {self.raised} alerts,"
            f" {len(self.carried)} messages read, {self.cuts} power cuts, {self.troubles} other troubles,"
            f" {len(self.broken)} promises broken"
        )
