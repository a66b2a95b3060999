"""Whatever happens in whatever order: what the care loop never gives up."""

import asyncio
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from test_care_loop import EVERYBODY, at, is_down, refuses
from test_care_loop_people import DAUGHTER, LATER, NEIGHBOUR, Village

from alerts.escalation import Reason
from alerts.incident import TOGETHER
from alerts.minutes import CLIMB
from gateway.domain import OVER, Answer, Delivery, FamilyWord, Outcome, Purpose, Sending, Severity, State
from gateway.ports import TryLater

KINDS = [
    ("sos", Severity.EMERGENCY),
    ("inactivity", Severity.HIGH),
    ("bath_dwell", Severity.HIGH),
    ("smoke", Severity.EMERGENCY),
    ("home_silent", Severity.TECHNICAL),
    ("home_silent", Severity.MEDIUM),
    ("fall", Severity.HIGH),
    ("fall", Severity.EMERGENCY),
    ("from-the-future", Severity.MEDIUM),
]
ANSWERS = {"well": None, "down": is_down, "refuses": refuses}

CALLED = [*EVERYBODY, DAUGHTER, NEIGHBOUR, "street"]

people = st.sampled_from(CALLED)
which = st.integers(0, 5)
happenings = st.one_of(
    st.tuples(st.just("finds"), st.sampled_from(KINDS), st.sampled_from(["", "grandmother"])),
    st.tuples(st.just("finds again"), which),
    st.tuples(st.just("passes"), st.sampled_from([0.5, 20, 61, 200, 700, 4000])),
    st.tuples(st.just("sleeps"), st.sampled_from([1, 90, 3600, 40_000])),
    st.tuples(st.just("restarts")),
    st.tuples(st.just("crashes after sending")),
    st.tuples(st.just("accepts"), which, people, st.sampled_from([None, True, False])),
    st.tuples(st.just("sets off"), which, people),
    st.tuples(st.just("is there"), which, people),
    st.tuples(st.just("hands over"), which, people, people),
    st.tuples(st.just("she answers"), which, st.sampled_from(list(Answer))),
    st.tuples(st.just("the daughter taps"), which, st.sampled_from(list(FamilyWord))),
    st.tuples(st.just("she stirs"), st.booleans()),
    st.tuples(st.just("resolves"), which, people),
    st.tuples(st.just("closes"), which, people),
    st.tuples(st.just("telephone"), st.sampled_from([*CALLED, "granny"]), st.sampled_from(list(ANSWERS))),
)


class Witness(Village):
    """A village whose telephone also notes whether the alert had an owner when it rang."""

    def __init__(self) -> None:
        super().__init__()
        self.crashes = 0
        self.paged_though_taken: list[str] = []
        self.open_twice: list[str] = []
        send = self.phone.send

        async def watched(delivery: Delivery, letter: object) -> None:
            alert = self.store.alert(delivery.alert)
            if delivery.purpose is Purpose.PAGE and (not alert.is_ringing or alert.coordinator == delivery.person):
                self.paged_though_taken.append(delivery.id)
            await send(delivery, letter)

        self.phone.send = watched

    async def lives_through(self, happening: tuple) -> None:
        match happening:
            case ("finds", (code, severity), subject):
                self.finds(code, severity, subject=subject)
            case ("finds again", number):
                finding = self.found[number % len(self.found)]
                assert self.desk.take([finding], self.now())[0].reason is Reason.KNOWN
            case ("passes", seconds):
                await self.until(self.seconds + seconds)
            case ("sleeps", seconds):
                self.sleeps_until(self.seconds + seconds)
                self.restart()
            case ("restarts",):
                self.restart()
            case ("crashes after sending",):
                self.desk.tick(self.now())
                waiting = self.store.outbox(self.now())
                for delivery in waiting:
                    if self.phone.answers.get(delivery.person) is None:
                        self.phone.ids.append(delivery.id)
                self.crashes += len(waiting)
                self.restart()
            case ("accepts", number, who, can):
                self.acts(number, lambda alert: self.desk.accept(alert, who, self.now(), can_arrive=can))
            case ("sets off", number, who):
                self.acts(number, lambda alert: self.desk.on_the_way(alert, who, self.now()))
            case ("is there", number, who):
                self.acts(number, lambda alert: self.desk.on_site(alert, who, self.now(), proof="door"))
            case ("hands over", number, who, to):
                self.acts(number, lambda alert: self.desk.hand_over(alert, who, to, self.now(), why="换班"))
            case ("she answers", number, answer):
                self.acts(number, lambda alert: self.desk.answer(alert, answer, "granny", self.now()))
            case ("the daughter taps", number, word):
                self.acts(number, lambda alert: self.desk.family(alert, DAUGHTER, word, LATER, self.now(), sure=True))
            case ("she stirs", whether):
                self.stirs = whether
            case ("resolves", number, who):
                self.acts(number, lambda alert: self.desk.resolve(alert, who, Outcome.ELDER_SAFE, "", self.now()))
            case ("closes", number, who):
                self.acts(number, lambda alert: self.desk.close(alert, who, self.now()))
            case ("telephone", who, how):
                self.phone.answers[who] = ANSWERS[how]
        self.is_sound()

    def acts(self, number: int, act: object) -> None:
        alerts = self.store.alerts()
        if alerts:
            act(alerts[number % len(alerts)].id)

    def is_sound(self) -> None:
        """True at every moment."""
        alerts = self.store.alerts(limit=10_000)
        open_ones = sorted((a.home, a.code, a.subject, a.raised_at) for a in alerts if a.is_open)
        for one, other in pairwise(open_ones):
            assert one[:3] != other[:3] or other[3] - one[3] > TOGETHER, "opened twice, and the first would take it in"
        all_of_them = self.store.timers_due(at(1e9), 10_000)
        timers = {timer.ref: timer.due_at for timer in all_of_them if timer.kind == CLIMB}
        assert timers == {a.id: a.due_at for a in alerts if a.due_at}, "each deadline has its timer, and only those"
        assert all(a.due_at for a in alerts if a.is_open), "open, and nobody will ever look at it again"
        for alert in alerts:
            assert alert.is_ringing or alert.owner or alert.state is State.CANCELLED, "nobody's, and silent"
            assert (alert.outcome is None) == (alert.state not in OVER)
            calls = [d for d in self.store.deliveries(alert.id) if d.purpose in (Purpose.PAGE, Purpose.ASK)]
            waiting = {d.person for d in calls if d.state is Sending.WAITING}
            assert not waiting or alert.is_ringing, "a call waits though somebody has it"
            assert alert.coordinator not in waiting, "whoever coordinates is called"
            turns = [(dict(d.facts)["round"], d.person, d.channel) for d in calls if d.purpose is Purpose.PAGE]
            assert len(turns) == len(set(turns)), "called twice in one round"

    def steps(self, alert: str) -> list[tuple[int, int]]:
        entries = [dict(e.facts) for e in self.store.history(alert) if e.what in ("told", "empty")]
        return [(int(facts["round"]), int(facts["rung"])) for facts in entries]


def check(house: Witness) -> None:
    assert house.paged_though_taken == []
    assert len(house.phone.ids) - len(set(house.phone.ids)) <= house.crashes, "said twice without a crash"
    for alert in house.store.alerts(limit=10_000):
        steps = house.steps(alert.id)
        assert steps, f"nobody was ever meant by {alert.id}"
        assert len(steps) == len(set(steps)), f"a rung was climbed twice: {steps}"
        for (round_, rung), following in pairwise(steps):
            assert following in ((round_, rung + 1), *((r, 0) for r in range(round_ + 1, round_ + 3))), (
                f"skipped: {steps}"
            )
        times = [entry.at for entry in house.store.history(alert.id)]
        assert times == sorted(times), "the history goes back in time"


def hears_who_has_it(house: Witness) -> None:
    """Whoever was called and did not get it has been told who did, unless the number is dead by now."""
    for alert in house.store.alerts(limit=10_000):
        if not alert.is_taken:
            continue
        deliveries = house.store.deliveries(alert.id)
        called = {d.person for d in deliveries if d.purpose in (Purpose.PAGE, Purpose.ASK) and d.state is Sending.SENT}
        told = {d.person for d in deliveries if d.purpose is Purpose.TAKEN and d.state is not Sending.WAITING}
        themselves = {entry.who for entry in house.store.history(alert.id) if entry.what in ("accepted", "handed")}
        assert called <= told | themselves | {alert.owner}


async def everything_works_again(house: Witness) -> None:
    house.phone.answers.clear()
    # A round that reached nobody begins again after its last rung's wait: four hours for equipment and a dark home.
    await house.until(house.seconds + 4 * 3600 + 120)
    for alert in house.store.alerts(limit=10_000):
        if alert.is_ringing:
            told = [
                d for d in house.store.deliveries(alert.id) if d.purpose is Purpose.PAGE and d.state is Sending.SENT
            ]
            assert told, f"{alert.id} rings and nobody was ever told"


@settings(max_examples=60, deadline=None)
@given(st.lists(happenings, min_size=6, max_size=30))
def test_no_rung_is_missed_nobody_is_paged_for_what_somebody_has_and_all_is_told_in_the_end(story):
    async def live() -> None:
        house = Witness()
        for happening in [("finds", KINDS[0], ""), *story]:
            await house.lives_through(happening)
        check(house)
        await everything_works_again(house)
        house.is_sound()
        check(house)
        hears_who_has_it(house)
        note("; ".join(map(str, house.phone.rang[:20])))

    asyncio.run(live())


@settings(max_examples=60, deadline=None)
@given(st.lists(happenings, min_size=6, max_size=30))
def test_a_restart_after_everything_that_happens_changes_nothing(story):
    gone = ("sleeps", "restarts", "crashes after sending")
    events = [("finds", KINDS[0], ""), *(event for event in story if event[0] not in gone)]

    async def live(*, restarts: bool) -> tuple:
        house = Witness()
        for happening in events:
            await house.lives_through(happening)
            if restarts:
                house.restart()
        await house.until(house.seconds + 1000)
        alerts = house.store.alerts(limit=10_000)
        return house.phone.rang, alerts, [house.store.history(alert.id) for alert in alerts]

    assert asyncio.run(live(restarts=True)) == asyncio.run(live(restarts=False))


@pytest.mark.parametrize("seed", range(20))
def test_a_carrier_that_fails_every_other_time_delays_and_loses_nothing(seed):
    async def live() -> None:
        house = Witness()
        tries = defaultdict(int)

        def moody(delivery: Delivery) -> None:
            tries[delivery.id] += 1
            if tries[delivery.id] % (2 + seed % 5):
                raise TryLater("HTTP 503")

        for person in (*CALLED, "granny"):
            house.phone.answers[person] = moody
        house.finds()
        await house.until(59)

        assert sorted(person for _, _, person in house.phone.rang) == [DAUGHTER, "granny", "zhang"]
        check(house)

    asyncio.run(live())
