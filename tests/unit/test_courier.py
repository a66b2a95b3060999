"""How what was written down gets said: when, in which order, and how often. In virtual time."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from alerts.courier import AT_ONCE, AT_ONE_ADDRESS, KEEP_TRYING, PATIENCE, RESERVE, Courier
from alerts.desk import Desk
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
)
from gateway.ports import Letter, TryLater, Undeliverable
from gateway.stores.memory import MemoryAlerts, MemoryRegistry
from simulators.vtime import VirtualClock, inline, live

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
LONG_AGO = T0 - timedelta(days=30)


class Scripted:
    """A channel that does what the test says, and notes when each message came."""

    def __init__(self, clock: VirtualClock, answer: Callable[[Delivery], object] = lambda delivery: None) -> None:
        self.clock = clock
        self.answer = answer
        self.tried: list[tuple[float, Delivery]] = []
        self.under_way = 0
        self.most_under_way = 0

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        self.tried.append(((self.clock.now() - T0).total_seconds(), delivery))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            waits = self.answer(delivery)
            if waits:
                await asyncio.sleep(waits)
        finally:
            self.under_way -= 1

    @property
    def times(self) -> list[float]:
        return [moment for moment, _ in self.tried]

    @property
    def ids(self) -> list[str]:
        return [delivery.id for _, delivery in self.tried]


class Post:
    """An outbox with whatever the test puts in, and the courier that empties it."""

    def __init__(self, clock: VirtualClock, **channels: Callable[[Delivery], object]) -> None:
        self.clock = clock
        self.store = MemoryAlerts()
        self.registry = MemoryRegistry(self.store.trail)
        with self.registry.begin() as book:
            book.put_area(Area(code="a", name="a", level="district"), LONG_AGO)
            book.put_grid(Grid(code="g1", name="g", community="a"))
            zone = ZoneInfo("Asia/Shanghai")
            book.put_home(Home(id="h1", code="A-1", name="王奶奶", grid="g1", zone=zone), LONG_AGO)
        self.channels = {name: Scripted(clock, answer) for name, answer in channels.items()}
        self.desk = Desk(
            self.store,
            self.registry,
            lambda: self.courier.wake(),
            prepare=lambda said: self.courier.prepare(said),
        )
        self.courier = self.new_courier()

    def new_courier(
        self, poll: timedelta | None = None, link: Callable[[Delivery], str] = lambda delivery: ""
    ) -> Courier:
        return Courier(self.store, self.desk, self.registry, self.channels, self.clock, link, offload=inline, poll=poll)

    def on_duty(self, *reaches: Reach, person: str = "zhang") -> None:
        with self.registry.begin() as book:
            book.put_person(Person(id=person, name=person, reaches=reaches), LONG_AGO)
            book.assign(person, Duty.GRID_WORKER, "g1", LONG_AGO)

    def finds(self, severity: Severity = Severity.EMERGENCY, code: str = "sos", subject: str = "") -> str:
        now = self.clock.now()
        finding = Finding(home="h1", code=code, severity=severity, since=now, at=now, subject=subject)
        alert = self.desk.take([finding], now)[0].alert
        assert alert is not None
        return alert.id

    def fills(self, count: int, channel: str, severity: Severity = Severity.HIGH, address: str = "{n}") -> None:
        """That many messages at once, straight into the outbox, each to an address of its own unless told otherwise."""
        alert = self.finds(severity, f"flood-{severity.name}")
        with self.store.begin() as ledger:
            for n in range(count):
                ledger.queue(
                    Delivery(
                        id=f"{alert}/page/9.{n}/p{n}/{channel}",
                        alert=alert,
                        purpose=Purpose.PAGE,
                        person=f"p{n}",
                        channel=channel,
                        address=address.format(n=n),
                        created_at=self.clock.now(),
                    )
                )
        self.courier.wake()

    def states(self, alert: str) -> Counter[str]:
        return Counter(d.state.value for d in self.store.deliveries(alert))

    async def runs_for(self, seconds: float) -> None:
        running = asyncio.create_task(self.courier.run())
        await asyncio.sleep(seconds)
        assert not running.done(), running.exception()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def in_virtual_time(story: Callable[[VirtualClock], object]) -> None:
    live(story, T0)


def test_an_emergency_sets_off_before_the_outbox_is_read_and_goes_once():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.on_duty(Reach(channel="phone", address="1"))
        looked: list[float] = []
        read = post.store.outbox

        def outbox(now, limit=200):
            looked.append((now - T0).total_seconds())
            return read(now, limit)

        post.store.outbox = outbox
        running = asyncio.create_task(post.courier.run())
        await asyncio.sleep(10)
        alert = post.finds()
        await asyncio.sleep(10)
        running.cancel()

        assert post.channels["phone"].times == [10.0]
        assert min(moment for moment in looked if moment >= 10) > 10
        assert post.states(alert) == {"sent": 1}

    in_virtual_time(story)


def test_the_words_of_an_emergency_are_found_while_it_is_written_down_and_go_out_once_it_is():
    async def story(clock):
        done: list[str] = []
        post = Post(clock, phone=lambda d: done.append("sent"))
        post.on_duty(Reach(channel="phone", address="1"))
        post.courier = post.new_courier(link=lambda d: done.append("worded") or "")
        running = asyncio.create_task(post.courier.run())
        await asyncio.sleep(10)
        plan = post.store.trail.plan

        def fails(lines):
            done.append("the disk gave up")
            raise OSError("the disk gave up")

        post.store.trail.plan = fails
        with pytest.raises(OSError, match="gave up"):
            post.finds()
        await asyncio.sleep(10)
        assert done == ["the disk gave up", "worded"]  # and nobody was told of what nobody will find again

        post.store.trail.plan = plan
        alert = post.finds()
        await asyncio.sleep(10)
        running.cancel()

        assert done[2:] == ["worded", "sent"] and post.channels["phone"].times == [20.0]
        assert post.states(alert) == {"sent": 1}

    in_virtual_time(story)


def test_what_is_being_written_down_when_the_courier_has_gone_is_written_down():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.on_duty(Reach(channel="phone", address="1"))
        gone = threading.Thread(target=lambda: asyncio.run(_no_more(post.courier)))
        gone.start()
        gone.join()

        assert post.states(post.finds()) == {"waiting": 1}

    in_virtual_time(story)


async def _no_more(courier: Courier) -> None:
    courier.leave()
    await courier.run()


def test_who_is_told_to_leave_waits_for_what_is_under_way_and_sets_off_no_more():
    """A message that was cut off in the middle may have arrived: the next start would say it again."""

    async def story(clock):
        post = Post(clock, phone=lambda d: 0.8)
        running = asyncio.create_task(post.courier.run())
        await asyncio.sleep(10)
        post.fills(2 * AT_ONCE, "phone")
        await asyncio.sleep(0.3)
        post.courier.leave()
        post.fills(1, "lamp")
        await asyncio.wait_for(running, 1)

        (alert,) = {d.alert for d in post.store.outbox(clock.now(), 1000) if d.channel == "phone"}
        assert post.states(alert) == {"sent": AT_ONCE, "waiting": AT_ONCE + 1}
        assert len(set(post.channels["phone"].ids)) == len(post.channels["phone"].ids) == AT_ONCE

    in_virtual_time(story)


def test_what_the_desk_wrote_a_while_ago_is_read_from_the_outbox_again():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.on_duty(Reach(channel="phone", address="1"))
        alert = post.finds()
        post.desk.accept(alert, "wang", clock.now())  # before any courier was there
        await asyncio.sleep(1)

        assert post.desk.fresh(clock.now()) == []
        await post.runs_for(5)
        assert [d.purpose for _, d in post.channels["phone"].tried if d.purpose is Purpose.PAGE] == []

    in_virtual_time(story)


def is_down(delivery: Delivery) -> None:
    raise TryLater("HTTP 503")


def hangs(delivery: Delivery) -> float:
    return 1e6


# --------------------------------------------------------------------------- at once, and once


def test_what_is_written_down_is_said_at_once_and_once():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.on_duty(Reach(channel="phone", address="1"))
        running = asyncio.create_task(post.runs_for(50))
        await asyncio.sleep(10)
        alert = post.finds()
        await running

        assert post.channels["phone"].times == [10]
        assert post.states(alert) == {"sent": 1}

    in_virtual_time(story)


def test_a_courier_woken_before_it_runs_or_after_its_end_does_no_harm():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.on_duty(Reach(channel="phone", address="1"))
        post.finds()
        await post.runs_for(1)
        post.courier.wake()

        assert post.channels["phone"].times == [0]

    in_virtual_time(story)


def test_what_another_process_wrote_is_found_by_looking():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.on_duty(Reach(channel="phone", address="1"))
        post.courier = post.new_courier(poll=timedelta(seconds=2))
        running = asyncio.create_task(post.runs_for(50))
        await asyncio.sleep(11)
        now = clock.now()
        elsewhere = Desk(post.store, post.registry)  # its nudge reaches nobody here
        elsewhere.take([Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=now, at=now)], now)
        await running

        assert post.channels["phone"].times == [12]

    in_virtual_time(story)


def test_one_round_says_everything_that_is_due_and_when_to_come_again():
    async def story(clock):
        post = Post(clock, phone=is_down, pager=lambda d: 3)
        post.on_duty(Reach(channel="phone", address="1"), Reach(channel="pager", address="2"))
        post.finds()

        again = await post.courier.round()

        assert clock.now() == T0 + timedelta(seconds=3)
        assert timedelta(seconds=0.8) <= again - T0 <= timedelta(seconds=1.2)

    in_virtual_time(story)


def test_an_accepted_alert_is_not_said_though_it_was_read_from_the_outbox_before():
    async def story(clock):
        post = Post(clock, phone=lambda d: 1)
        post.on_duty(*(Reach(channel="phone", address="one telephone") for _ in range(AT_ONE_ADDRESS + 3)))
        alert = post.finds(Severity.HIGH, "inactivity")
        running = asyncio.create_task(post.runs_for(60))
        await asyncio.sleep(0.5)
        post.desk.accept(alert, "zhang", clock.now())
        await running

        assert post.states(alert) == {"sent": AT_ONE_ADDRESS, "withdrawn": 3}

    in_virtual_time(story)


def test_what_sets_off_while_the_outbox_is_being_read_is_not_said_twice():
    async def story(clock):
        post = Post(clock, phone=lambda d: 0.3)

        async def slowly(function, *arguments):
            """A disk that takes its time: the answer is old when it comes."""
            answer = function(*arguments)
            if isinstance(answer, tuple):  # the whole outbox
                await asyncio.sleep(1)
            return answer

        post.courier = Courier(
            post.store, post.desk, post.registry, post.channels, clock, lambda d: "", offload=slowly, poll=None
        )
        running = asyncio.create_task(post.runs_for(60))
        post.fills(AT_ONCE * 5, "phone")
        for _ in range(40):
            await asyncio.sleep(0.1)
            post.courier.wake()
        await running

        ids = post.channels["phone"].ids
        assert len(ids) == len(set(ids)) == AT_ONCE * 5

    in_virtual_time(story)


# --------------------------------------------------------------------------- trying again


def test_waits_grow_to_a_minute_and_are_jittered():
    async def story(clock):
        post = Post(clock, phone=is_down)
        post.fills(2, "phone")
        await post.runs_for(600)

        first, second = ([t for t, d in post.channels["phone"].tried if d.person == p] for p in ("p0", "p1"))
        gaps = [b - a for a, b in pairwise(first)]
        for gap, wait in zip(gaps, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=False):
            assert wait * 0.8 <= gap <= min(wait * 1.2, 60)
        assert first != second

    in_virtual_time(story)


def test_the_same_seed_waits_the_same():
    def times() -> list[float]:
        async def story(clock):
            post = Post(clock, phone=is_down)
            post.fills(3, "phone")
            await post.runs_for(300)
            return post.channels["phone"].times

        return live(story, T0)

    assert times() == times()


def test_after_a_day_without_the_carrier_what_is_still_true_is_said():
    async def story(clock):
        back = T0 + timedelta(hours=24)
        post = Post(clock, phone=lambda d: is_down(d) if clock.now() < back else None)
        post.fills(10, "phone")
        await post.runs_for(24 * 3600 + 61)

        sent = [d for a in post.store.alerts() for d in post.store.deliveries(a.id) if d.state is Sending.SENT]
        assert len(sent) == 10
        assert all(d.sent_at - back <= timedelta(seconds=60) for d in sent)
        assert all(d.attempts >= 24 * 60 for d in sent)

    in_virtual_time(story)


def test_after_two_days_a_message_is_no_news_any_more():
    async def story(clock):
        post = Post(clock, phone=is_down)
        post.fills(1, "phone")
        await post.runs_for(KEEP_TRYING.total_seconds() + 120)

        (delivery,) = post.store.deliveries(post.store.alerts()[0].id)
        assert delivery.state is Sending.FAILED
        assert delivery.reason == "not carried for two days: HTTP 503"

    in_virtual_time(story)


def test_a_failing_channel_is_named_once_when_lost_and_once_when_back(caplog):
    async def story(clock):
        post = Post(clock, phone=lambda d: is_down(d) if clock.now() < T0 + timedelta(seconds=100) else None)
        post.fills(5, "phone")
        await post.runs_for(300)

    with caplog.at_level(logging.INFO, "alerts.courier"):
        in_virtual_time(story)

    told = [record for record in caplog.records if record.name == "alerts.courier" and record.message != "said"]
    assert [record.message for record in told] == ["channel fails", "channel works again"]
    assert told[1].failed_for_s in range(90, 160)


def test_the_history_tells_of_the_first_failure_only():
    async def story(clock):
        post = Post(clock, phone=is_down)
        post.on_duty(Reach(channel="phone", address="1"))
        alert = post.finds()
        await post.runs_for(50)

        assert [e.what for e in post.store.history(alert)].count("put-off") == 1

    in_virtual_time(story)


def test_an_undeliverable_message_is_not_tried_twice():
    async def story(clock):
        def refuses(delivery: Delivery) -> None:
            raise Undeliverable("no such number")

        post = Post(clock, phone=refuses)
        post.on_duty(Reach(channel="phone", address="1"))
        alert = post.finds()
        await post.runs_for(59)

        assert len(post.channels["phone"].tried) == 1
        assert [d.reason for d in post.store.deliveries(alert)] == ["no such number"]

    in_virtual_time(story)


def test_a_channel_nobody_configured_is_told_as_such():
    async def story(clock):
        post = Post(clock)
        post.on_duty(Reach(channel="pigeon"))
        alert = post.finds()
        await post.runs_for(1)

        assert [d.reason for d in post.store.deliveries(alert)] == ["there is no such channel: pigeon"]

    in_virtual_time(story)


# --------------------------------------------------------------------------- nobody is held up by another


def test_a_hanging_channel_delays_no_other():
    async def story(clock):
        post = Post(clock, phone=lambda d: None, pager=hangs)
        post.fills(500, "pager")
        running = asyncio.create_task(post.runs_for(30))
        await asyncio.sleep(5)
        post.fills(100, "phone", Severity.MEDIUM)
        await running

        assert max(post.channels["phone"].times) - 5 <= 1
        assert len(post.channels["phone"].tried) == 100
        assert post.channels["pager"].most_under_way == AT_ONCE

    in_virtual_time(story)


def test_a_telephone_that_hangs_does_not_use_up_its_channel():
    async def story(clock):
        post = Post(clock, phone=lambda d: hangs(d) if d.address == "dead" else None)
        post.fills(200, "phone", address="dead")
        running = asyncio.create_task(post.runs_for(10))
        await asyncio.sleep(1)
        post.fills(10, "phone", Severity.MEDIUM)
        await running

        well = [moment for moment, d in post.channels["phone"].tried if d.address != "dead"]
        assert well == [1] * 10

    in_virtual_time(story)


def test_what_hangs_is_given_up_waiting_for_and_tried_again():
    async def story(clock):
        post = Post(clock, phone=hangs)
        post.on_duty(Reach(channel="phone", address="1"))
        alert = post.finds()
        await post.runs_for(40)

        assert [round(t) for t in post.channels["phone"].times] == [0, 16, 33]
        assert post.store.deliveries(alert)[0].reason == f"no answer in time: {PATIENCE.total_seconds():g} s"

    in_virtual_time(story)


@pytest.mark.faulty
def test_a_broken_channel_stops_nobody_else(caplog):
    async def story(clock):
        post = Post(clock, phone=lambda d: None, broken=lambda d: 1 / 0)
        post.on_duty(Reach(channel="broken"), Reach(channel="phone", address="1"))
        alert = post.finds()
        await post.runs_for(1)

        by_channel = {d.channel: d for d in post.store.deliveries(alert)}
        assert by_channel["phone"].state is Sending.SENT
        assert (by_channel["broken"].state, by_channel["broken"].reason) == (
            Sending.WAITING,
            "a fault of ours: ZeroDivisionError",
        )

    in_virtual_time(story)
    assert "delivery failed" in caplog.text


def test_an_emergency_goes_before_what_waits_and_past_what_hangs():
    async def story(clock):
        post = Post(clock, phone=lambda d: None if "EMERGENCY" in d.alert else 14)
        post.fills(AT_ONCE * 3, "phone", Severity.HIGH)
        running = asyncio.create_task(post.runs_for(60))
        await asyncio.sleep(2)
        post.fills(RESERVE, "phone", Severity.EMERGENCY)
        await running

        urgent = [moment for moment, d in post.channels["phone"].tried if "EMERGENCY" in d.alert]
        assert urgent == [2] * RESERVE

    in_virtual_time(story)


def test_an_emergency_to_a_telephone_that_hangs_with_lesser_news_is_tried_at_once():
    async def story(clock):
        post = Post(clock, phone=hangs)
        post.fills(AT_ONE_ADDRESS * 2, "phone", Severity.HIGH, address="1")
        running = asyncio.create_task(post.runs_for(10))
        await asyncio.sleep(2)
        post.fills(1, "phone", Severity.EMERGENCY, address="1")
        await running

        assert [moment for moment, d in post.channels["phone"].tried if "EMERGENCY" in d.alert] == [2]

    in_virtual_time(story)


def test_thousands_are_all_carried_and_none_twice():
    async def story(clock):
        post = Post(clock, phone=lambda d: 0.05)
        post.fills(3000, "phone")
        await post.runs_for(60)

        ids = post.channels["phone"].ids
        assert len(ids) == len(set(ids)) == 3000
        assert post.channels["phone"].most_under_way <= AT_ONCE

    in_virtual_time(story)


# --------------------------------------------------------------------------- ends


def test_a_courier_stopped_in_the_middle_repeats_at_most_what_was_under_way():
    async def story(clock):
        post = Post(clock, phone=lambda d: 2)
        post.fills(40, "phone")
        await post.runs_for(1)
        first = set(post.channels["phone"].ids)
        post.courier = post.new_courier()
        await post.runs_for(60)

        counted = Counter(post.channels["phone"].ids)
        assert len(counted) == 40
        assert {delivery for delivery, times in counted.items() if times > 1} == first
        assert len(first) == AT_ONCE

    in_virtual_time(story)


@pytest.mark.parametrize(("carrier_s", "disk_s", "again"), [(0, 0.03, 1), (0.01, 0.5, 1), (2, 0.03, AT_ONCE)])
def test_a_courier_that_falls_says_one_message_again_where_its_carrier_answers_at_once(carrier_s, disk_s, again):
    async def story(clock):
        post = Post(clock, phone=lambda d: carrier_s)

        async def slow_disk(write, *what):
            await asyncio.sleep(disk_s)
            write(*what)

        post.courier._offload = slow_disk
        post.fills(200, "phone")
        await post.runs_for(1.01)
        post.courier = post.new_courier()
        await post.runs_for(60)

        counted = Counter(post.channels["phone"].ids)
        assert len(counted) == 200
        assert sum(counted.values()) - len(counted) == again

    in_virtual_time(story)


def test_a_disk_that_stands_still_holds_up_no_call_for_long():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)

        async def dead_disk(write, *what):
            await asyncio.sleep(600)

        post.courier._offload = dead_disk
        post.fills(5, "phone")
        await post.runs_for(6)

        assert len(post.channels["phone"].ids) == 5

    in_virtual_time(story)


def test_a_store_that_fails_ends_the_courier_as_itself():
    class Broken(MemoryAlerts):
        def outbox(self, now, limit=200):
            raise OSError("disk full")

    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.store = Broken()
        with pytest.raises(OSError, match="disk full"):
            await post.new_courier().run()

    in_virtual_time(story)


def test_a_store_that_fails_when_it_is_to_strike_out_ends_the_courier_as_itself():
    async def story(clock):
        post = Post(clock, phone=lambda d: None)
        post.on_duty(Reach(channel="phone", address="1"))
        post.finds()

        def fails(taken: object) -> None:
            raise OSError("disk full")

        post.desk.all_said = fails
        with pytest.raises(OSError, match="disk full"):
            await post.new_courier().run()

    in_virtual_time(story)


async def test_threads_may_wake_it(tmp_path):
    """With real threads, as it runs in production."""
    woken = asyncio.Event()

    class Clock:
        def now(self) -> datetime:
            return T0

    class Bell:
        async def send(self, delivery: Delivery, letter: Letter) -> None:
            woken.set()

    store = MemoryAlerts()
    registry = MemoryRegistry(store.trail)
    with registry.begin() as book:
        book.put_person(Person(id="zhang", name="张师傅", reaches=(Reach(channel="bell"),)), LONG_AGO)
    desk = Desk(store, registry)
    courier = Courier(store, desk, registry, {"bell": Bell()}, Clock(), lambda d: "", poll=None)
    running = asyncio.create_task(courier.run())
    await asyncio.sleep(0.05)

    def elsewhere() -> None:
        finding = Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=T0, at=T0)
        alert = desk.take([finding], T0)[0].alert
        page = Delivery(
            id="d", alert=alert.id, purpose=Purpose.PAGE, person="zhang", channel="bell", address="", created_at=T0
        )
        with store.begin() as ledger:
            ledger.queue(page)
        courier.wake()

    await asyncio.to_thread(elsewhere)
    await asyncio.wait_for(woken.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_pause_never_exceeds_a_minute():
    courier = Courier(MemoryAlerts(), None, None, {}, None, lambda d: "")
    delivery = Delivery(id="d", alert="a", purpose=Purpose.PAGE, person="p", channel="c", address="", created_at=T0)

    pauses = [courier.pause(replace(delivery, attempts=n)) for n in range(3000)]

    assert max(pauses) <= timedelta(seconds=60)
    assert min(pauses) >= timedelta(seconds=0.8)
