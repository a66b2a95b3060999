"""From a finding to somebody who has it: desk and courier together, in virtual time."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.catalogue import Catalogue
from alerts.courier import Courier
from alerts.desk import Desk
from alerts.escalation import Reason, Verdict
from gateway.domain import (
    Alert,
    Area,
    Delivery,
    Duty,
    Finding,
    Grid,
    Home,
    Ladder,
    Outcome,
    Person,
    Reach,
    Rung,
    Sending,
    Severity,
    State,
)
from gateway.ports import Letter, TryLater, Undeliverable
from gateway.stores.memory import MemoryAlerts, MemoryRegistry

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)  # the first day of Spring Festival, 11:00 in the homes
LONG_AGO = T0 - timedelta(days=30)
EVERYBODY = {"zhang": Duty.GRID_WORKER, "li": Duty.DEPUTY, "wang": Duty.SUPERVISOR, "zhao": Duty.INSTALLER}
NAMES = {"zhang": "张师傅", "li": "李姐", "wang": "王主任", "zhao": "赵工"}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class Telephone:
    """A channel that does as the story says and notes what rang, and when."""

    def __init__(self, house: "House") -> None:
        self.house = house
        self.rang: list[tuple[float, str, str]] = []
        self.letters: list[Letter] = []
        self.ids: list[str] = []
        self.answers: dict[str, Callable[[Delivery], None]] = {}

    async def send(self, delivery: Delivery, letter: Letter) -> None:
        answer = self.answers.get(delivery.person)
        if answer is not None:
            answer(delivery)
        self.rang.append((self.house.seconds, delivery.purpose.value, delivery.person))
        self.letters.append(letter)
        self.ids.append(delivery.id)


class House:
    """Desk, courier and stores; `until` lets event time pass as the production loop would."""

    def __init__(
        self,
        people: Mapping[str, Duty] = EVERYBODY,
        *,
        reaches: Mapping[str, tuple[Reach, ...]] | None = None,
        ladders: Mapping[str, Ladder] | None = None,
    ) -> None:
        self._now = T0
        self.found: list[Finding] = []
        self.store = MemoryAlerts()
        self.registry = MemoryRegistry(self.store.trail)
        self.phone = Telephone(self)
        self.catalogue = Catalogue(ladders=ladders)
        with self.registry.begin() as book:
            book.put_area(Area(code="310106", name="静安", level="district"), LONG_AGO)
            book.put_grid(Grid(code="g1", name="一网格", community="310106"))
            book.put_home(
                Home(id="h1", code="A-0312", name="王奶奶", grid="g1", zone=ZoneInfo("Asia/Shanghai")), LONG_AGO
            )
            for person, duty in people.items():
                ways = (reaches or {}).get(person, (Reach(channel="phone", address=person),))
                book.put_person(Person(id=person, name=NAMES[person], reaches=ways), LONG_AGO)
                book.assign(person, duty, "g1", LONG_AGO)
        self.restart()

    def now(self) -> datetime:
        return self._now

    @property
    def seconds(self) -> float:
        return (self._now - T0).total_seconds()

    def restart(self) -> None:
        """Everything but the stores is new."""
        self.desk = Desk(self.store, self.registry, catalogue=self.catalogue)
        self.courier = Courier(
            self.store,
            self.desk,
            self.registry,
            {"phone": self.phone},
            self,
            lambda delivery: f"https://example.org/a/{delivery.person}",
            offload=_inline,
            poll=None,
            catalogue=self.catalogue,
        )

    async def until(self, seconds: float) -> None:
        """Every deadline of desk and courier up to that second, each at its moment."""
        while True:
            self.desk.tick(self._now)
            next_letter = await self.courier.round()
            moments = [m for m in (next_letter, self.store.next_timer()) if m is not None]
            if not moments or min(moments) > at(seconds):
                self._now = at(seconds)
                return
            self._now = max(self._now, min(moments))

    def sleeps_until(self, seconds: float) -> None:
        """The gateway is down, and nothing happens."""
        self._now = at(seconds)

    def finds(self, code: str = "sos", severity: Severity = Severity.EMERGENCY, **more: str) -> Verdict:
        since = datetime.fromisoformat(more.pop("since")) if "since" in more else self._now
        finding = Finding(home="h1", code=code, severity=severity, since=since, at=self._now, **more)
        self.found.append(finding)
        return self.desk.take([finding], self._now)[0]

    def alert(self) -> Alert:
        return self.store.alerts()[0]

    def history(self) -> list[str]:
        return [entry.what for entry in self.store.history(self.alert().id)]

    def deliveries(self, state: Sending) -> list[str]:
        return [d.person for d in self.store.deliveries(self.alert().id) if d.state is state]


async def _inline(function: Callable, *arguments: object) -> object:
    return function(*arguments)


def refuses(delivery: Delivery) -> None:
    raise Undeliverable("no such number")


def is_down(delivery: Delivery) -> None:
    raise TryLater("HTTP 503")


# --------------------------------------------------------------------------- nobody answers


async def test_nobody_answers_at_the_spring_festival():
    house = House()
    house.finds()

    await house.until(601)

    assert house.phone.rang == [
        (0, "page", "zhang"),
        (60, "page", "li"),
        (180, "page", "wang"),
        (300, "page", "zhang"),
        (360, "page", "li"),
        (480, "page", "wang"),
        (600, "page", "zhang"),
    ]
    assert house.alert().state is State.NOTIFIED


async def test_it_rings_for_days_until_somebody_reacts():
    house = House()
    house.finds()

    await house.until(3 * 86_400)

    assert len(house.phone.rang) == 3 * 86_400 // 300 * 3 + 1
    assert len(set(house.phone.ids)) == len(house.phone.ids)


async def test_a_silent_elder_is_nobodys_emergency_but_has_its_ten_minutes():
    house = House()
    house.finds("inactivity", Severity.HIGH)

    await house.until(1801)

    assert house.phone.rang == [
        (0, "page", "zhang"),
        (600, "page", "li"),
        (1200, "page", "wang"),
        (1800, "page", "zhang"),
    ]


async def test_equipment_is_never_the_grid_workers_business():
    house = House()
    house.finds("home_silent", Severity.TECHNICAL)

    await house.until(86_400)

    assert {person for _, _, person in house.phone.rang} == {"zhao"}


async def test_a_code_that_nobody_wrote_into_the_catalogue_is_told_all_the_same():
    house = House()
    house.finds("something-new", Severity.MEDIUM)

    await house.until(1)

    assert house.phone.rang == [(0, "page", "zhang")]
    assert house.phone.letters[0].title == "【中】预警 · 户号 A-0312"


# --------------------------------------------------------------------------- somebody accepts


async def test_the_deputy_accepts_and_everybody_called_hears_who_has_it():
    house = House()
    alert = house.finds().alert
    await house.until(70)

    assert house.desk.accept(alert.id, "li", house.now()).reason is Reason.DONE
    house.desk.on_the_way(alert.id, "li", house.now())
    await house.until(900)

    assert house.phone.rang[2:] == [(70, "taken", "zhang")]
    assert house.phone.letters[2].body == "李姐已接单，您不用再处理。"
    assert (house.alert().state, house.alert().owner) == (State.EN_ROUTE, "li")


async def test_whoever_comes_second_is_told_who_has_it():
    house = House()
    alert = house.finds().alert
    await house.until(1)
    house.desk.accept(alert.id, "zhang", house.now())

    second = house.desk.accept(alert.id, "li", house.now())
    again = house.desk.accept(alert.id, "zhang", house.now())

    assert (second.told, second.reason, second.owner) == (False, Reason.TAKEN, "zhang")
    assert again.reason is Reason.YOURS


async def test_what_had_not_been_said_yet_is_not_said_any_more():
    house = House()
    house.phone.answers["zhang"] = is_down
    alert = house.finds().alert
    await house.until(2)

    house.desk.accept(alert.id, "li", house.now())
    house.phone.answers.clear()
    await house.until(300)

    assert house.phone.rang == []
    assert house.deliveries(Sending.WITHDRAWN) == ["zhang"]


async def test_a_page_that_was_on_its_way_when_somebody_accepted_is_followed_by_who_has_it():
    house = House()
    alert = house.finds().alert
    house.phone.answers["zhang"] = lambda delivery: house.desk.accept(alert.id, "li", house.now())

    await house.until(10)

    assert house.phone.rang == [(0, "page", "zhang"), (0, "taken", "zhang")]


async def test_from_press_to_the_file():
    house = House()
    alert = house.finds().alert
    await house.until(5)
    house.desk.accept(alert.id, "zhang", house.now(), "link")
    await house.until(60)
    house.desk.on_the_way(alert.id, "zhang", house.now())
    await house.until(600)
    house.desk.on_site(alert.id, "zhang", house.now(), proof="door")
    await house.until(900)

    early = house.desk.close(alert.id, "zhang", house.now())
    without = house.desk.resolve(alert.id, "zhang", None, "", house.now())
    house.desk.resolve(alert.id, "zhang", Outcome.ACCIDENTAL_PRESS, "  晾衣服碰到  ", house.now())
    late = house.desk.accept(alert.id, "li", house.now())
    house.desk.follow_up(alert.id, "li", "已通电话，一切都好", house.now())
    house.desk.close(alert.id, "wang", house.now())

    assert [early.reason, without.reason, late.reason] == [Reason.UNRESOLVED, Reason.NO_OUTCOME, Reason.OVER]
    end = house.alert()
    assert (end.state, end.outcome, end.note) == (State.CLOSED, Outcome.ACCIDENTAL_PRESS, "晾衣服碰到")
    assert (end.notified_at, end.accepted_at, end.en_route_at, end.on_site_at) == (T0, at(5), at(60), at(600))
    assert (end.resolved_at, end.followed_up_at, end.closed_at) == (at(900), at(900), at(900))
    steps = ["accepted", "en-route", "on-site", "resolved", "followed-up", "closed"]
    assert house.history() == ["raised", "told", "sent", *steps]
    assert [act.what for act in reversed(house.store.acts())] == [f"alert.{what}" for what in ("raised", *steps)]


async def test_resolving_what_nobody_has_accepted_accepts_it_first():
    house = House()
    alert = house.finds().alert
    await house.until(1)

    house.desk.resolve(alert.id, "li", Outcome.REAL_EMERGENCY, "", house.now())
    await house.until(3600)

    assert house.alert().owner == "li"
    assert house.history()[-3:] == ["accepted", "resolved", "sent"]
    assert house.phone.rang == [(0, "page", "zhang"), (1, "taken", "zhang")]


def test_an_act_needs_an_alert_and_somebody():
    house = House()
    alert = house.finds().alert

    assert house.desk.accept("h1/sos/-/20200101T000000.000Z", "li", T0).reason is Reason.UNKNOWN
    assert house.desk.accept(alert.id, "", T0).reason is Reason.NOBODY
    assert house.alert().state is State.RAISED


# --------------------------------------------------------------------------- again


async def test_pressing_again_while_it_rings_is_counted_and_restarts_nothing():
    house = House()
    house.finds()
    await house.until(50)

    assert house.finds().reason is Reason.RINGING
    await house.until(61)

    assert house.alert().count == 2
    assert house.phone.rang == [(0, "page", "zhang"), (60, "page", "li")]


async def test_pressing_again_after_it_was_accepted_pages_the_owner_once_a_minute():
    house = House()
    alert = house.finds().alert
    await house.until(10)
    house.desk.accept(alert.id, "zhang", house.now())
    for second in (61, 62, 63, 125):
        await house.until(second)
        assert house.finds().reason is Reason.AGAIN
    await house.until(300)

    assert house.phone.rang[1:] == [(61, "again", "zhang"), (125, "again", "zhang")]
    assert "又按了一次（共 2 次）" in house.phone.letters[1].body
    assert "又按了一次（共 5 次）" in house.phone.letters[2].body
    assert len(house.store.alerts()) == 1


async def test_pressing_after_it_was_resolved_is_a_new_alert():
    house = House()
    first = house.finds().alert
    await house.until(10)
    house.desk.resolve(first.id, "zhang", Outcome.ELDER_SAFE, "", house.now())
    await house.until(20)

    second = house.finds()
    await house.until(21)

    assert second.reason is Reason.NEW
    assert [alert.state for alert in house.store.alerts()] == [State.NOTIFIED, State.RESOLVED]


def test_a_couples_two_pendants_are_two_alerts():
    house = House()

    reasons = [house.finds(subject="grandmother").reason, house.finds(subject="grandfather").reason]

    assert reasons == [Reason.NEW, Reason.NEW]


async def test_the_same_finding_twice_changes_nothing_whatever_became_of_it():
    house = House()
    first = house.finds(since=T0.isoformat()).alert
    await house.until(5)

    assert house.finds(since=T0.isoformat()).reason is Reason.KNOWN
    house.desk.resolve(first.id, "zhang", Outcome.ELDER_SAFE, "", house.now())
    assert house.finds(since=T0.isoformat()).reason is Reason.KNOWN

    assert house.alert().count == 1
    assert len(house.store.alerts()) == 1


async def test_a_press_that_is_played_back_calls_nobody_and_stands_in_the_log(caplog):
    house = House()
    first = house.finds(since=T0.isoformat()).alert
    await house.until(5)
    house.desk.resolve(first.id, "zhang", Outcome.ELDER_SAFE, "", house.now())
    rang = list(house.phone.rang)

    with caplog.at_level(logging.INFO):
        house.finds(since=T0.isoformat())
    await house.until(600)

    assert house.phone.rang == rang
    assert [(record.message, record.alert) for record in caplog.records if "told again" in record.message] == [
        ("a press that is known was told again: nobody is called", first.id)
    ]


async def test_an_owner_who_cannot_be_reached_is_no_owner_when_it_is_pressed_again():
    house = House()
    alert = house.finds().alert
    await house.until(10)
    house.desk.accept(alert.id, "zhang", house.now())
    await house.until(100)

    house.phone.answers["zhang"] = refuses
    house.finds()
    await house.until(101)

    assert house.alert().is_ringing
    assert house.alert().owner == ""
    assert house.phone.rang[1:] == [(100, "page", "li")]  # the grid worker's rung is dead and climbed at once


# --------------------------------------------------------------------------- worse


async def test_a_home_still_dark_after_half_an_hour_is_the_grid_workers_too():
    house = House()
    silent_since = at(-180).isoformat()
    first = house.finds("home_silent", Severity.TECHNICAL, since=silent_since).alert
    await house.until(10)
    house.desk.accept(first.id, "zhao", house.now())
    await house.until(1620)

    worse = house.finds("home_silent", Severity.MEDIUM, since=silent_since)
    await house.until(1621)

    assert worse.reason is Reason.WORSE
    assert worse.alert.id == first.id
    assert house.phone.rang == [(0, "page", "zhao"), (1620, "again", "zhao"), (1620, "page", "zhang")]
    assert (house.alert().severity, house.alert().count) == (Severity.MEDIUM, 1)


async def test_a_home_that_turns_blind_after_its_fault_was_resolved_is_a_new_alert():
    house = House()
    silent_since = at(-180).isoformat()
    first = house.finds("home_silent", Severity.TECHNICAL, since=silent_since).alert
    house.desk.resolve(first.id, "zhao", Outcome.SENSOR_FAULT, "", house.now())
    await house.until(1620)

    second = house.finds("home_silent", Severity.MEDIUM, since=silent_since)
    once_more = house.finds("home_silent", Severity.MEDIUM, since=silent_since)
    await house.until(1621)

    assert (second.reason, once_more.reason) == (Reason.NEW, Reason.KNOWN)
    assert house.phone.rang[-1] == (1620, "page", "zhang")


async def test_a_lesser_finding_is_counted_and_does_not_make_little_of_it():
    house = House()
    house.finds("fall", Severity.EMERGENCY)
    await house.until(5)

    house.finds("fall", Severity.HIGH)

    assert (house.alert().severity, house.alert().count) == (Severity.EMERGENCY, 2)
    assert house.alert().finding.severity is Severity.EMERGENCY


# --------------------------------------------------------------------------- who cannot be reached


async def test_a_dead_number_uses_up_nobodys_minutes():
    house = House()
    house.phone.answers["zhang"] = refuses
    house.finds()

    await house.until(121)

    assert house.phone.rang == [(0, "page", "li"), (120, "page", "wang")]
    assert "failed" in house.history()


async def test_nobody_has_to_wait_for_a_rung_without_anybody_on_duty():
    house = House({"li": Duty.DEPUTY, "wang": Duty.SUPERVISOR})
    house.finds()

    await house.until(1)

    assert house.phone.rang == [(0, "page", "li")]
    assert house.history() == ["raised", "empty", "told", "sent"]


async def test_a_grid_without_anybody_is_said_loudly_and_keeps_ringing(caplog):
    house = House({})
    with caplog.at_level(logging.ERROR):
        house.finds()

    await house.until(121)

    assert "nobody on the whole ladder can be reached" in caplog.text
    assert house.history() == ["raised", *5 * ["empty"], "nobody", "overdue", *5 * ["empty"], "nobody"]
    assert house.alert().state is State.RAISED


async def test_somebody_on_duty_without_a_channel_is_an_empty_rung():
    house = House(reaches={"zhang": ()})
    house.finds()

    await house.until(1)

    assert house.phone.rang == [(0, "page", "li")]


async def test_every_number_is_dead_and_the_ladder_does_not_spin():
    house = House()
    for person in EVERYBODY:
        house.phone.answers[person] = refuses
    house.finds()

    await house.until(3600)

    assert house.phone.rang == []
    assert 3 * 3600 // 120 <= len(house.deliveries(Sending.FAILED)) <= 3 * (3600 // 120 + 1)
    assert "nobody" in house.history()


async def test_after_an_hour_without_a_channel_each_is_called_once_and_not_twelve_times():
    house = House()
    for person in EVERYBODY:
        house.phone.answers[person] = is_down
    house.finds()
    await house.until(3600)

    house.phone.answers.clear()
    await house.until(3659)

    assert sorted(person for _, _, person in house.phone.rang) == ["li", "wang", "zhang"]


async def test_one_dead_way_does_not_matter_while_another_works():
    house = House(reaches={"zhang": (Reach(channel="pager"), Reach(channel="phone", address="1"))})
    house.finds()

    await house.until(59)

    assert house.phone.rang == [(0, "page", "zhang")]
    failed = [d for d in house.store.deliveries(house.alert().id) if d.state is Sending.FAILED]
    assert [d.reason for d in failed] == ["there is no such channel: pager"]


# --------------------------------------------------------------------------- the gateway was down


async def test_a_restart_at_any_moment_skips_and_repeats_no_rung():
    house = House()
    house.finds()
    for second in (0.5, 59, 60, 61, 179.5, 180, 299):
        await house.until(second)
        house.restart()
    await house.until(301)

    assert [(second, person) for second, _, person in house.phone.rang] == [
        (0, "zhang"),
        (60, "li"),
        (180, "wang"),
        (300, "zhang"),
    ]


async def test_what_fell_due_while_it_was_down_is_climbed_at_once_and_in_order():
    house = House()
    house.finds()
    await house.until(10)

    house.sleeps_until(200)
    house.restart()
    await house.until(301)

    assert [(second, person) for second, _, person in house.phone.rang] == [
        (0, "zhang"),
        (200, "li"),
        (200, "wang"),
        (300, "zhang"),
    ]


async def test_a_night_asleep_is_not_made_up_for_round_by_round():
    house = House()
    house.finds()
    await house.until(10)

    house.sleeps_until(8 * 3600)
    house.restart()
    await house.until(8 * 3600 + 121)

    assert [(second, person) for second, _, person in house.phone.rang[1:]] == [
        (28_800, "li"),
        (28_800, "wang"),
        (28_920, "zhang"),
    ]


async def test_a_clock_put_back_by_an_hour_does_not_let_an_emergency_sleep():
    house = House()
    house.finds()
    await house.until(30)

    house.sleeps_until(30 - 3600)
    await house.until(30 - 3600 + 61)

    assert house.phone.rang[1:] == [(30 - 3600 + 60, "page", "li")]
    assert "mended" in house.history()


async def test_a_crash_before_anything_was_said_loses_nothing():
    house = House()
    house.finds()
    house.restart()

    await house.until(1)

    assert house.phone.rang == [(0, "page", "zhang")]


@pytest.mark.faulty
def test_a_transaction_that_fails_leaves_nothing_behind():
    house = House()
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the store refuses it

    with pytest.raises(ValueError, match="aware"):
        house.desk.take([_press(T0)], naive)

    assert house.store.alerts() == []
    assert house.store.outbox(T0) == []
    assert house.desk.take([_press(T0)], T0)[0].reason is Reason.NEW


# --------------------------------------------------------------------------- what a configuration may change


async def test_a_ladder_of_ones_own():
    only = Ladder(rungs=(Rung(duty=Duty.SUPERVISOR, wait=timedelta(seconds=5)),), repeat=timedelta(seconds=5))
    house = House(ladders={"sos": only})
    house.finds()

    await house.until(11)

    assert house.phone.rang == [(0, "page", "wang"), (10, "page", "wang")]


async def test_an_alert_under_way_keeps_the_ladder_it_was_opened_with():
    house = House()
    house.finds()
    only = Ladder(rungs=(Rung(duty=Duty.INSTALLER, wait=timedelta(seconds=5)),), repeat=timedelta(0))
    house.catalogue = Catalogue(ladders={"sos": only})
    house.restart()

    await house.until(61)

    assert [person for _, _, person in house.phone.rang] == ["zhang", "li"]


async def test_a_ladder_that_does_not_repeat_ends():
    once = Ladder(rungs=(Rung(duty=Duty.GRID_WORKER, wait=timedelta(seconds=5)),))
    house = House(ladders={"inactivity": once})
    house.finds("inactivity", Severity.HIGH)

    await house.until(3600)

    assert house.phone.rang == [(0, "page", "zhang")]
    assert house.store.next_timer() is None


# --------------------------------------------------------------------------- what others see


def test_each_transaction_publishes_each_alert_once():
    house = House()
    before = house.store.last_event()

    house.desk.take([_press(T0), _press(at(1))], at(1))

    events = house.store.events(before)
    assert [(e.topic, e.ref, e.home, e.grid) for e in events] == [("alert", house.alert().id, "h1", "g1")]


def test_the_courier_is_woken_when_there_is_something_to_say():
    house, woken = House(), []
    desk = Desk(house.store, house.registry, lambda: woken.append(True))

    desk.take([_press(T0)], T0)
    desk.take([_press(T0)], T0)

    assert woken == [True]


def _press(moment: datetime) -> Finding:
    return Finding(home="h1", code="sos", severity=Severity.EMERGENCY, since=moment, at=moment)
