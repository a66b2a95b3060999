"""When a carrier fails: it refuses every SMS, takes them and delivers none, or is dead for a day. In virtual time."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from alerts.courier import AT_ONCE, RESERVE, Courier
from alerts.desk import Desk
from alerts.inbound import Inbound
from gateway.domain import (
    Area,
    Delivery,
    Duty,
    Finding,
    Grid,
    Home,
    Person,
    Purpose,
    Reach,
    Sending,
    Severity,
    Stage,
)
from gateway.ports import Letter, Receipt, TryLater, Undeliverable
from gateway.stores.memory import MemoryAlerts, MemoryRegistry
from simulators.vtime import VirtualClock, inline, live

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
LONG_AGO = T0 - timedelta(days=30)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STAFF = {"zhang": Duty.GRID_WORKER, "li": Duty.DEPUTY, "ma": Duty.SUPERVISOR}

NO_MONEY = ("refused: isv.AMOUNT_NOT_ENOUGH 账户余额不足", "isv.AMOUNT_NOT_ENOUGH")


class Line:
    """A channel that does as its carrier does, and notes who was reached, and when."""

    def __init__(self, clock: VirtualClock, carrier: Callable[[Delivery], object]) -> None:
        self.clock = clock
        self.carrier = carrier
        self.tried = Counter[str]()
        self.reached: list[tuple[float, str, str]] = []

    async def send(self, delivery: Delivery, letter: Letter) -> str:
        self.tried[delivery.id] += 1
        waits = self.carrier(delivery)
        if isinstance(waits, timedelta):
            await asyncio.sleep(waits.total_seconds())
        self.reached.append(((self.clock.now() - T0).total_seconds(), delivery.purpose.value, delivery.person))
        return f"their-{delivery.id}"


class Town:
    """One grid with three people, each with SMS first; the desk ticks each second beside the courier."""

    def __init__(
        self, clock: VirtualClock, *more: Reach, homes: int = 1, **carriers: Callable[[Delivery], object]
    ) -> None:
        self.clock = clock
        self.store = MemoryAlerts()
        self.registry = MemoryRegistry(self.store.trail)
        with self.registry.begin() as book:
            book.put_area(Area(code="a", name="a", level="district"), LONG_AGO)
            book.put_grid(Grid(code="g1", name="g", community="a"))
            for n in range(homes):
                home = Home(id=f"h{n}", code=f"A-{n}", name="x", grid="g1", zone=ZoneInfo("Asia/Shanghai"))
                book.put_home(home, LONG_AGO)
            for person, duty in STAFF.items():
                reaches = (Reach(channel="sms", address=person), *more)
                book.put_person(Person(id=person, name=person, reaches=reaches), LONG_AGO)
                book.assign(person, duty, "g1", LONG_AGO)
        self.desk = Desk(self.store, self.registry, lambda: self.courier.wake())
        self.lines = {name: Line(clock, carrier) for name, carrier in carriers.items()}
        self.courier = Courier(
            self.store, self.desk, self.registry, self.lines, clock, lambda d: "", offload=inline, poll=None
        )
        self.inbound = Inbound(self.store, self.desk, lambda delivery: "0000")

    def finds(self, code: str = "sos", severity: Severity = Severity.EMERGENCY, home: str = "h0") -> str:
        now = self.clock.now()
        alert = self.desk.take([Finding(home=home, code=code, severity=severity, since=now, at=now)], now)[0].alert
        assert alert is not None
        return alert.id

    async def for_(self, span: timedelta, step: int = 1) -> None:
        """Let this much time pass, as the gateway would: the courier runs, the desk looks at its clock."""
        carrying = asyncio.create_task(self.courier.run())
        until = self.clock.now() + span
        while self.clock.now() < until:
            await asyncio.sleep(step)
            self.desk.tick(self.clock.now())
        carrying.cancel()
        with suppress(asyncio.CancelledError):
            await carrying

    def seconds(self, line: str, person: str) -> float:
        """When somebody was first reached by this line."""
        return next(moment for moment, _, who in self.lines[line].reached if who == person)


def refuses(delivery: Delivery) -> None:
    raise Undeliverable(*NO_MONEY)


def is_dead(delivery: Delivery) -> None:
    raise TryLater("no connection: refused")


def hangs(delivery: Delivery) -> timedelta:
    return timedelta(days=30)


def works(delivery: Delivery) -> None:
    """Takes it at once."""


VOICE = Reach(channel="voice", address="x")


# --------------------------------------------------------------------------- the carrier refuses every SMS


def test_the_carrier_refuses_every_sms():
    """Everybody has a second way: nobody is told later for it, and the ledger says what the carrier said."""

    async def story(clock):
        town = Town(clock, VOICE, sms=refuses, voice=works)
        alert = town.finds()
        await town.for_(4 * MINUTE)

        assert town.seconds("voice", "zhang") < 1
        assert not town.lines["sms"].reached
        failed = [d for d in town.store.deliveries(alert) if d.channel == "sms" and d.purpose is Purpose.PAGE]
        assert failed
        assert {(d.state, d.code, d.lasting) for d in failed} == {(Sending.FAILED, NO_MONEY[1], True)}
        assert all(d.failed_at is not None for d in failed)
        assert all(count == 1 for count in town.lines["sms"].tried.values()), "a no is not asked for twice"
        assert [act.why for act in town.store.acts(alert) if act.what == "alert.undeliverable"]

    live(story, T0)


def test_the_carrier_refuses_every_sms_and_there_is_nothing_else():
    """The whole ladder is climbed at once, it is known that nobody was reached, and it goes on ringing."""

    async def story(clock):
        town = Town(clock, sms=refuses)
        alert = town.finds()
        await town.for_(30 * timedelta(seconds=1))

        assert {d.person for d in town.store.deliveries(alert)} == STAFF.keys(), "nobody's minutes were waited for"
        assert "nobody" in [entry.what for entry in town.store.history(alert)]
        await town.for_(HOUR)
        assert town.store.alert(alert).is_ringing
        assert len(town.lines["sms"].tried) > 10, "it is tried again in every round"

    live(story, T0)


def test_the_carrier_takes_every_sms_and_delivers_none():
    """What a receipt says later counts as much as what was refused at once."""

    async def story(clock):
        town = Town(clock, sms=works)
        alert = town.finds()
        await town.for_(5 * timedelta(seconds=1))
        (first,) = [d for d in town.store.deliveries(alert) if d.stage is Stage.SENT]

        no = Receipt(message=first.message, arrived=False, code="MK:0010", reason="用户关机")
        town.inbound.take("sms", no, clock.now())
        await town.for_(2 * timedelta(seconds=1))

        assert {d.person for d in town.store.deliveries(alert) if d.stage is Stage.SENT} == {"li"}
        assert clock.now() - T0 < timedelta(seconds=60), "long before the grid worker's minute was over"

    live(story, T0)


# --------------------------------------------------------------------------- one way after the other

IN_A_ROW = (
    Reach(channel="wecom", address="x", after=5 * MINUTE),
    Reach(channel="voice", address="x", after=10 * MINUTE),
)


def test_what_is_not_urgent_goes_by_the_next_way_when_nothing_comes_back():
    async def story(clock):
        town = Town(clock, *IN_A_ROW, sms=works, wecom=works, voice=works)
        town.finds("leak", Severity.MEDIUM)
        await town.for_(12 * MINUTE)

        told = {line: town.seconds(line, "zhang") for line in town.lines}
        assert told["sms"] < 1
        assert 5 * 60 <= told["wecom"] - told["sms"] < 5 * 60 + 2
        assert 10 * 60 <= told["voice"] - told["sms"] < 10 * 60 + 3

    live(story, T0)


def test_what_was_read_rings_nobodys_telephone():
    async def story(clock):
        town = Town(clock, *IN_A_ROW, sms=works, wecom=works, voice=works)
        alert = town.finds("leak", Severity.MEDIUM)
        await town.for_(MINUTE)
        (sms,) = [d for d in town.store.deliveries(alert) if d.stage is Stage.SENT]
        town.desk.arrived(sms.id, Stage.OPENED, clock.now(), clock.now())
        await town.for_(20 * MINUTE)

        assert not town.lines["wecom"].reached
        assert not town.lines["voice"].reached

    live(story, T0)


def test_what_is_urgent_goes_by_every_way_at_once():
    async def story(clock):
        town = Town(clock, *IN_A_ROW, sms=works, wecom=works, voice=works)
        town.finds()
        await town.for_(5 * timedelta(seconds=1))

        assert all(town.seconds(line, "zhang") < 1 for line in town.lines)

    live(story, T0)


def test_a_row_survives_a_restart():
    async def story(clock):
        town = Town(clock, *IN_A_ROW, sms=works, wecom=works, voice=works)
        town.finds("leak", Severity.MEDIUM)
        await town.for_(MINUTE)
        town.desk = Desk(town.store, town.registry, lambda: town.courier.wake())
        town.courier = Courier(
            town.store, town.desk, town.registry, town.lines, clock, lambda d: "", offload=inline, poll=None
        )
        await town.for_(MINUTE)
        assert not town.lines["wecom"].reached, "a new start does not take a wait for a clock put back"
        await town.for_(4 * MINUTE)
        assert town.lines["wecom"].reached

    live(story, T0)


# --------------------------------------------------------------------------- a dead channel


def test_what_finds_no_place_in_a_dead_channel_takes_the_next_way_too():
    """Two hundred calls hang in it before; nothing was tried, and still thirty seconds are enough."""

    async def story(clock):
        town = Town(clock, Reach(channel="voice", address="x", after=10 * MINUTE), homes=201, sms=hangs, voice=works)
        for n in range(1, 201):
            town.finds(home=f"h{n}")
        alert = town.finds("leak", Severity.MEDIUM)
        due = town.store.deliveries(alert)[0].next_at or T0  # in a storm what is not urgent is bundled for a while
        await town.for_(4 * MINUTE)

        (voice,) = [d for d in town.store.deliveries(alert) if d.channel == "voice" and d.person == "zhang"]
        assert voice.sent_at is not None
        assert voice.sent_at - due <= timedelta(seconds=30)

    live(story, T0)


@pytest.mark.parametrize("dead", [is_dead, hangs, refuses], ids=["refuses connections", "hangs", "refuses messages"])
def test_a_dead_channel_hands_over_within_thirty_seconds(dead):
    """Also what is not urgent, and would have waited ten minutes for a receipt."""

    async def story(clock):
        town = Town(clock, Reach(channel="voice", address="x", after=10 * MINUTE), sms=dead, voice=works)
        town.finds("leak", Severity.MEDIUM)
        await town.for_(MINUTE)

        assert town.seconds("voice", "zhang") <= 30

    live(story, T0)


@pytest.mark.parametrize("dead", [is_dead, hangs], ids=["refuses connections", "hangs"])
def test_a_dead_channel_delays_no_other(dead):
    """Two hundred messages wait for the dead one; each of those by the other leaves within a second."""

    async def story(clock):
        town = Town(clock, VOICE, homes=200, sms=dead, voice=works)
        for n in range(200):
            town.finds(home=f"h{n}")
        await town.for_(10 * timedelta(seconds=1))

        pages = [moment for moment, purpose, who in town.lines["voice"].reached if (purpose, who) == ("page", "zhang")]
        assert len(pages) == 200
        assert max(pages) <= 1

    live(story, T0)


@pytest.mark.parametrize("dead", [is_dead, hangs], ids=["refuses connections", "hangs"])
def test_nothing_is_lost_in_a_day_without_the_channel_and_nothing_piles_up(dead):
    """What waits is bounded by people and alerts, not by hours; when the carrier is back everybody hears of all."""

    async def story(clock):
        town = Town(clock, homes=3, sms=dead)
        line = town.lines["sms"]
        alerts = []
        most_waiting = most_under_way = 0
        for hour in range(24):
            if hour in (0, 14, 22):
                alerts.append(town.finds("inactivity", Severity.HIGH, home=f"h{len(alerts)}"))
            await town.for_(HOUR, step=10)
            waiting = town.store.outbox(clock.now() + HOUR)
            assert len({(d.alert, d.person) for d in waiting}) == len(waiting), (
                "one unread message each, not one a round"
            )
            most_waiting = max(most_waiting, len(waiting))
            most_under_way = max(most_under_way, len(town.courier._under_way))
        assert most_waiting <= len(alerts) * len(STAFF)
        assert most_under_way <= AT_ONCE + RESERVE
        assert len(town.courier._carried) <= 256
        assert len(town.courier._gone) <= len(alerts) * len(STAFF)
        assert not line.reached

        line.carrier = works
        await town.for_(3 * MINUTE)

        told = Counter(d.alert for d in town.store.sent("sms", clock.now() - 5 * MINUTE))
        assert told.keys() == set(alerts)
        assert not [d for d in town.store.outbox(clock.now()) if d.created_at < clock.now() - 2 * MINUTE]
        for alert, person in product(alerts, STAFF):
            ways = [d for d in town.store.deliveries(alert) if d.person == person and d.state is Sending.SENT]
            assert len(ways) == 1, f"{person} hears of {alert} once, not once for each round that was missed"

    live(story, T0)
