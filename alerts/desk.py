"""The only hand that opens, accepts, resolves and closes alerts.

Every call is one transaction, and everything is decided inside it: two processes may act at once on the same file.
What must be said is written down with the decision; the courier speaks afterwards.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts import reasons
from alerts.catalogue import Catalogue
from alerts.escalation import (
    Reason,
    Step,
    Verdict,
    climb,
    climb_now,
    from_the_start,
    judge,
    mended,
)
from alerts.history import What
from alerts.maintenance import (
    HELD_FOR,
    LOOK_AGAIN,
    TEST,
    Treatment,
    Work,
    as_test,
    held_back,
    is_held,
    let_go,
    tested,
    treatment,
    work_or_pause_in,
)
from alerts.routing import delivery_id, letters_for, pages, people_for, reachable, turn_of
from gateway.domain import (
    Act,
    Alert,
    Delivery,
    Duty,
    Entry,
    Facts,
    Finding,
    Home,
    Ladder,
    Monitoring,
    Outcome,
    Person,
    Purpose,
    Sending,
    Severity,
    State,
)
from gateway.ports import AlertLedger, AlertStore, Directory, Timer

log = logging.getLogger(__name__)

CLIMB = "climb"
"""The kind of timer that is ours; others may use the same table."""

AGAIN_EVERY = timedelta(seconds=60)
"""However often a button is pressed, whoever has the alert is told at most once in each of these."""

LATE = timedelta(seconds=2)
"""A rung climbed later than this says so in the history: lateness of an escalation is a defect."""

TIMERS_AT_ONCE = 200
"""Deadlines taken care of in one transaction, so that a press waits for no more than these."""

LONGEST_WAIT = timedelta(seconds=60)
"""The courier never puts a delivery off for longer."""

FRESH = timedelta(milliseconds=100)
"""So long after it was written down a message may be sent as it was written, without looking whether it still holds."""

SETBACK = timedelta(seconds=1)
"""A clock that goes back by more than this was set by somebody."""

ALL = 100_000
"""More alerts than a county has open."""

SYSTEM = ""
"""Who acts when nobody does: the gateway itself."""


class Desk:
    """Takes findings, rings until somebody accepts, and writes down what became of it."""

    def __init__(
        self,
        store: AlertStore,
        directory: Directory,
        nudge: Callable[[], None] = lambda: None,
        *,
        catalogue: Catalogue | None = None,
        has_passed: Callable[[Finding], bool] = lambda finding: False,
    ) -> None:
        """`has_passed` is asked about what was held back while somebody worked in a home: is it over by now?"""
        self._store = store
        self._directory = directory
        self._nudge = nudge  # tells the courier that there is something to say
        self._catalogue = catalogue or Catalogue()
        self._has_passed = has_passed
        self._seen: datetime | None = None
        self._fresh: deque[tuple[Delivery, Alert]] = deque(maxlen=64)

    # ------------------------------------------------------------------ findings and time

    def take(self, findings: Sequence[Finding], now: datetime) -> list[Verdict]:
        """Deal with what was found. The same finding twice changes nothing."""
        if not findings:
            return []
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            verdicts = [sitting.consider(finding) for finding in findings]
            sitting.end()
        self._rise(sitting)
        return verdicts

    def tick(self, now: datetime) -> None:
        """Climb what is due."""
        if self._seen is None or now < self._seen - SETBACK:
            self._mend(now)
        self._seen = now
        while True:
            due = self._store.timers_due(now, TIMERS_AT_ONCE)
            ours = [timer for timer in due if timer.kind == CLIMB]
            if not ours:
                return
            with self._store.begin() as ledger:
                sitting = self._sit(ledger, now)
                for timer in ours:
                    sitting.ring(timer)
                sitting.end()
            self._rise(sitting)
            if len(due) < TIMERS_AT_ONCE:
                return

    # ------------------------------------------------------------------ acts of people

    def accept(self, alert_id: str, who: str, now: datetime, how: str = "page") -> Verdict:
        """Make the alert this person's. The first one wins; whoever comes second is told who has it."""

        def act(sitting: "_Sitting", alert: Alert) -> Verdict:
            if refusal := _cannot_accept(alert, who):
                return refusal
            return Verdict(True, Reason.DONE, sitting.accept(alert, who, how))

        return self._act(alert_id, who, now, act)

    def resolve(self, alert_id: str, who: str, outcome: Outcome | None, note: str, now: datetime) -> Verdict:
        """Write down what it was. Resolving what nobody has accepted accepts it in the same person's name."""

        def act(sitting: "_Sitting", alert: Alert) -> Verdict:
            if refusal := _is_over(alert):
                return refusal
            if outcome is None:
                return Verdict(False, Reason.NO_OUTCOME, alert)
            if alert.is_ringing:
                alert = sitting.accept(alert, who, "resolve")
            return Verdict(True, Reason.DONE, sitting.resolve(alert, who, Outcome(outcome), note))

        return self._act(alert_id, who, now, act)

    def close(self, alert_id: str, who: str, now: datetime) -> Verdict:
        """File it. Nothing is filed before it was resolved."""

        def act(sitting: "_Sitting", alert: Alert) -> Verdict:
            if alert.state is State.CLOSED:
                return Verdict(False, Reason.CLOSED, alert)
            if alert.state is not State.RESOLVED:
                return Verdict(False, Reason.UNRESOLVED, alert)
            return Verdict(True, Reason.DONE, sitting.close(alert, who))

        return self._act(alert_id, who, now, act)

    def end_tests(self, home: str, who: str, now: datetime) -> list[Alert]:
        """File every test alert of this home that is still open, as a test. Those that were filed."""
        tests = [a for a in self._store.alerts(home=home, unclosed=True, limit=ALL) if a.code == TEST]
        ended = []
        for test in tests:
            self.resolve(test.id, who, Outcome.TEST_OR_DRILL, "", now)
            filed = self.close(test.id, who, now)
            if filed.told and filed.alert is not None:
                ended.append(filed.alert)
        return ended

    def _act(self, alert_id: str, who: str, now: datetime, act: Callable[["_Sitting", Alert], Verdict]) -> Verdict:
        if not who:
            return Verdict(False, Reason.NOBODY)
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            alert = ledger.alert(alert_id)
            verdict = Verdict(False, Reason.UNKNOWN) if alert is None else act(sitting, alert)
            sitting.end()
        self._rise(sitting)
        return verdict

    # ------------------------------------------------------------------ the courier

    def fresh(self, now: datetime) -> list[tuple[Delivery, Alert]]:
        """Emergency messages that became durable a moment ago, each given once: a courier in the same process need
        not read them from the outbox, in which they stand all the same."""
        found = []
        while self._fresh:
            delivery, alert = self._fresh.popleft()
            if timedelta(0) <= now - delivery.created_at <= FRESH:
                found.append((delivery, alert))
        return found

    def said(self, delivery_id: str, now: datetime) -> None:
        """The channel has taken it. *Sent* is not *delivered* is not *answered*."""
        self._report(delivery_id, now, lambda sitting, delivery: sitting.said(delivery))

    def put_off(self, delivery_id: str, reason: str, until: datetime, now: datetime) -> None:
        """The channel could not carry it now; it is tried again."""
        self._report(delivery_id, now, lambda sitting, delivery: sitting.put_off(delivery, reason, until))

    def gave_up(self, delivery_id: str, reason: str, now: datetime) -> None:
        """It will never be carried. When that leaves nobody on the rung, the next one is climbed at once."""
        self._report(delivery_id, now, lambda sitting, delivery: sitting.gave_up(delivery, reason))

    def _report(self, delivery_id: str, now: datetime, note: Callable[["_Sitting", Delivery], None]) -> None:
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            delivery = ledger.delivery(delivery_id)
            if delivery is not None:
                note(sitting, delivery)
            sitting.end()
        self._rise(sitting)

    # ------------------------------------------------------------------ within

    def _mend(self, now: datetime) -> None:
        """At a start, and when the clock went back: no deadline may lie further ahead than it possibly can."""
        for alert in self._store.alerts(unclosed=True, limit=ALL):
            if not alert.is_open:
                continue
            waiting = [d for d in self._store.deliveries(alert.id) if d.state is Sending.WAITING]
            if mended(alert, now) == alert and not any(_is_beyond(d, now) for d in waiting):
                continue
            with self._store.begin() as ledger:
                sitting = self._sit(ledger, now)
                sitting.mend(alert.id)
                sitting.end()
            self._rise(sitting)

    def _sit(self, ledger: AlertLedger, now: datetime) -> "_Sitting":
        return _Sitting(ledger, self._directory, self._catalogue, now, self._has_passed)

    def _rise(self, sitting: "_Sitting") -> None:
        for level, message, alert in sitting.remarks:
            log.log(level, message, extra={"alert": alert})
        self._fresh.extend(sitting.emergencies())
        if sitting.has_said_something:
            self._nudge()


class _Sitting:
    """What the desk does within one transaction."""

    def __init__(
        self,
        ledger: AlertLedger,
        directory: Directory,
        catalogue: Catalogue,
        now: datetime,
        has_passed: Callable[[Finding], bool],
    ) -> None:
        self.ledger = ledger
        self.directory = directory
        self.catalogue = catalogue
        self.now = now
        self.has_passed = has_passed
        self.has_said_something = False
        self.remarks: list[tuple[int, str, str]] = []  # for the log, once all of this has become durable
        self._moved: dict[str, Alert] = {}  # as it was last written; each is published once
        self._queued: list[Delivery] = []
        self._homes: dict[str, Home | None] = {}
        self._on_duty: dict[tuple[str, Duty], list[Person]] = {}

    def end(self) -> None:
        """Publish what has changed; the last thing in the transaction."""
        for alert in self._moved.values():
            home = self._home(alert.home)
            self.ledger.publish(self.now, "alert", alert.id, alert.home, home.grid if home else "")

    def emergencies(self) -> Iterable[tuple[Delivery, Alert]]:
        """What is to be said at once, with what it is about."""
        for delivery in self._queued:
            alert = self._moved.get(delivery.alert)
            if alert is not None and alert.severity.is_emergency and delivery.next_at is None:
                yield delivery, alert

    # ------------------------------------------------------------------ findings

    def consider(self, finding: Finding) -> Verdict:
        """Decide about one finding and do what follows."""
        work = self._work(finding.home)
        how = treatment(finding, work, self.catalogue.entry(finding.code).severity)
        if how is Treatment.TEST and work is not None:
            finding = as_test(finding, work)
        cause = self.catalogue.cause(finding)
        alert = self.ledger.open_alert(finding.home, finding.code, finding.subject)
        known = not self.ledger.join(cause, alert.id if alert else cause.id)
        verdict = judge(finding, open_alert=alert, known=known)
        if verdict.reason is Reason.KNOWN:
            return verdict
        # What people know already goes its way; only what they do not know yet can be held back.
        if how is Treatment.HELD and work is not None and (alert is None or is_held(alert)):
            finding = held_back(finding, work)
            verdict = replace(verdict, told=False, reason=Reason.HELD)
            if alert is not None and finding.severity.worse_than(alert.severity):
                return replace(verdict, alert=self._worsen(alert, finding))
        if alert is None:
            return replace(verdict, alert=self._open(cause.id, finding))
        if verdict.reason is Reason.WORSE:
            return replace(verdict, alert=self._worsen(alert, finding))
        return replace(verdict, alert=self._repeat(alert, finding))

    def _open(self, alert_id: str, finding: Finding) -> Alert:
        alert = Alert(
            id=alert_id,
            home=finding.home,
            code=finding.code,
            subject=finding.subject,
            severity=finding.severity,
            state=State.RAISED,
            ladder=self._ladder(finding),
            raised_at=self.now,
            finding=finding,
            next_at=self.now,
        )
        facts = (("code", alert.code), ("severity", alert.severity.name.lower()))
        self._write(alert, What.RAISED, facts=facts)
        self._audit(alert, SYSTEM, "alert.raised", facts=facts)
        return self._hold(alert) if is_held(alert) else self._climb(alert, is_new=True)

    def _repeat(self, alert: Alert, finding: Finding) -> Alert:
        """It was pressed or found again: count it, and tell whoever has it."""
        alert = _counted(alert, finding, self.now)
        facts = (("count", str(alert.count)),)
        self._write(alert, What.AGAIN, facts=facts)
        self._audit(alert, SYSTEM, "alert.again", facts=facts)
        if alert.state is State.ACCEPTED and not self._tell_owner(alert):
            return self._ring_again(alert)
        if alert.code == TEST and alert.is_ringing and self._may_be_told_again(alert):
            return self._climb(from_the_start(alert, self.now))  # no ladder goes on that would try it once more
        self._save(alert)
        return alert

    def _worsen(self, alert: Alert, finding: Finding) -> Alert:
        """More severe than what people were told: call them from the start, by the ladder for *that*."""
        facts = (("was", alert.severity.name.lower()), ("severity", finding.severity.name.lower()))
        alert = replace(
            _counted(alert, finding, self.now),
            severity=finding.severity,
            finding=finding,
            ladder=self.catalogue.ladder(alert.code, finding.severity),
        )
        self._write(alert, What.WORSE, facts=facts)
        self._audit(alert, SYSTEM, "alert.worse", facts=facts)
        if is_held(alert):
            self._save(alert)
            return alert
        if alert.state is State.ACCEPTED:
            self._tell_owner(alert)
        return self._climb(from_the_start(alert, self.now))

    def _may_be_told_again(self, alert: Alert) -> bool:
        return all(self.now - told.created_at >= AGAIN_EVERY for told in self._of(alert, Purpose.PAGE))

    def _tell_owner(self, alert: Alert) -> bool:
        """Page the owner again, at most once a minute. False: there is no way to reach the owner."""
        owner = self.directory.person(alert.owner)
        if owner is None or not owner.reaches:
            return False
        minute = int(self.now.timestamp() // AGAIN_EVERY.total_seconds())
        facts = (("count", str(alert.count)), ("minute", str(minute)))
        self._queue(letters_for(owner, alert, Purpose.AGAIN, str(minute), self.now, facts=facts))
        return True

    def _ring_again(self, alert: Alert) -> Alert:
        """Whoever accepted it cannot be told that it goes on, so it is nobody's again."""
        self._write(alert, What.RINGS_AGAIN, who=alert.owner)
        return self._climb(from_the_start(alert, self.now))

    # ------------------------------------------------------------------ while somebody works in the home

    def _ladder(self, finding: Finding) -> Ladder:
        """A copy of the policy's ladder; for a test only its first rung on which anybody can be reached."""
        if finding.code != TEST:
            return self.catalogue.ladder(finding.code, finding.severity)
        real = tested(finding)
        rungs = self.catalogue.ladder(real.code, real.severity).rungs
        first = next((r for r in rungs if reachable(self._people(finding.home, r.duty))), rungs[0])
        return Ladder(rungs=(first,), repeat=None)

    def _hold(self, alert: Alert) -> Alert:
        """On the books, but nobody is called until the work has ended."""
        author = alert.finding.fact(HELD_FOR)
        alert = replace(alert, next_at=self.now + LOOK_AGAIN)
        self._write(alert, What.HELD, who=author)
        self._audit(alert, author, "alert.held")
        self._save(alert)
        return alert

    def _look_again(self, alert: Alert) -> None:
        """Is the work over? Then what was held back is judged again: it has passed, or people are called now."""
        if self._work(alert.home) is not None:
            self._save(replace(alert, next_at=self.now + LOOK_AGAIN))
            return
        author = alert.finding.fact(HELD_FOR)
        alert = replace(alert, finding=let_go(alert.finding), next_at=self.now)
        self._write(alert, What.RELEASED)
        self._audit(alert, SYSTEM, "alert.released")
        if self.has_passed(alert.finding):
            is_equipment = self.catalogue.entry(alert.code).severity is Severity.TECHNICAL
            outcome = Outcome.TEST_OR_DRILL if is_equipment or not author else Outcome.ELDER_AWAY
            self.resolve(self.accept(alert, author, "maintenance") if author else alert, author, outcome, "")
        else:
            self._climb(alert)

    def _work(self, home: str) -> Work | None:
        found = self._home(home)
        state = found.state if found else Monitoring.GUARDED
        return work_or_pause_in(self.directory.plan(home, self.now), self.now, state)

    # ------------------------------------------------------------------ the ladder

    def ring(self, timer: Timer) -> None:
        """A deadline has come. What the row says is only a reminder; the alert itself knows whether it is true."""
        alert = self.ledger.alert(timer.ref)
        if alert is None or not alert.is_ringing or alert.next_at is None:
            self.ledger.clear_timer(timer.id)
        elif alert.next_at > self.now:
            self.ledger.set_timer(replace(timer, due_at=alert.next_at))
        elif is_held(alert):
            self._look_again(alert)
        else:
            self._climb(alert)

    def mend(self, alert_id: str) -> None:
        alert = self.ledger.alert(alert_id)
        if alert is None:
            return
        for delivery in self.ledger.deliveries(alert_id):
            if delivery.state is Sending.WAITING and _is_beyond(delivery, self.now):
                self.ledger.update(replace(delivery, next_at=None))
                self.has_said_something = True
        possible = mended(alert, self.now)
        if possible != alert:
            self._write(alert, What.MENDED)
            self.remarks.append((logging.WARNING, "the clock was put back: a deadline was moved", alert_id))
            self._save(possible)

    def _climb(self, alert: Alert, *, is_new: bool = False) -> Alert:
        rungs_in_all = len(alert.ladder.rungs)
        alert, steps = climb(alert, self.now, lambda duty: reachable(self._people(alert.home, duty)))
        waiting = [] if is_new or not steps else self._waiting(alert, Purpose.PAGE)
        for step in steps:
            self._step(alert, step, waiting)
        if sum(step.empty for step in steps) >= rungs_in_all:
            self._reached_nobody(alert)
        self._save(alert)
        return alert

    def _step(self, alert: Alert, step: Step, waiting: list[Delivery]) -> None:
        people = self._people(alert.home, step.duty)
        if alert.code == TEST:  # one real message is enough to know that the way is open
            people = [person for person in people if person.reaches][:1]
        facts: Facts = (
            ("duty", step.duty.value),
            ("round", str(step.round)),
            ("rung", str(step.rung)),
            ("people", ",".join(person.id for person in people)),
        )
        if self.now - step.due_at > LATE:
            facts += (("late_s", str(int((self.now - step.due_at).total_seconds()))),)
        self._write(alert, What.EMPTY if step.empty else What.TOLD, facts=facts)
        queued = pages(alert, step, people, self.now)
        # Whoever has not been reached since the last round is called once when the channel is back, not once a round.
        places = {(d.person, d.channel, d.address) for d in queued}
        for old in [d for d in waiting if (d.person, d.channel, d.address) in places]:
            waiting.remove(old)
            self._withdraw(old, reasons.NEWER)
        self._queue(queued)
        waiting.extend(queued)

    def _reached_nobody(self, alert: Alert) -> None:
        facts = () if alert.next_at is None else (("again_at", alert.next_at.isoformat()),)
        self._write(alert, What.NOBODY, facts=facts)
        self.remarks.append((logging.ERROR, "nobody on the whole ladder can be reached", alert.id))

    # ------------------------------------------------------------------ acts

    def accept(self, alert: Alert, who: str, how: str) -> Alert:
        told: dict[tuple[str, str, str], Delivery] = {}
        for delivery in self.ledger.deliveries(alert.id):
            if delivery.purpose not in (Purpose.PAGE, Purpose.AGAIN):
                continue
            if delivery.state is Sending.WAITING:
                self._withdraw(delivery, reasons.ACCEPTED_FIRST)
            elif delivery.state is Sending.SENT and delivery.person != who:
                told.setdefault((delivery.person, delivery.channel, delivery.address), delivery)
        alert = replace(
            alert,
            state=State.ACCEPTED,
            owner=who,
            accepted_at=self.now,
            next_at=None,
            finding=let_go(alert.finding),  # whoever accepts what was held back has it, like anything else
        )
        self._queue(self._taken(alert, delivery) for delivery in told.values())
        self._write(alert, What.ACCEPTED, who=who, facts=(("how", how),))
        self._audit(alert, who, "alert.accepted", facts=(("how", how),))
        self._save(alert)
        return alert

    def resolve(self, alert: Alert, who: str, outcome: Outcome, note: str) -> Alert:
        for purpose in (Purpose.PAGE, Purpose.AGAIN):
            for delivery in self._waiting(alert, purpose):
                self._withdraw(delivery, reasons.RESOLVED_FIRST)
        alert = replace(
            alert, state=State.RESOLVED, resolved_at=self.now, outcome=outcome, note=note.strip(), next_at=None
        )
        facts = (("outcome", outcome.value),)
        self._write(alert, What.RESOLVED, who=who, facts=(*facts, ("note", alert.note)) if alert.note else facts)
        self._audit(alert, who, "alert.resolved", why=alert.note, facts=facts)
        self._save(alert)
        return alert

    def close(self, alert: Alert, who: str) -> Alert:
        alert = replace(alert, state=State.CLOSED, closed_at=self.now)
        self._write(alert, What.CLOSED, who=who)
        self._audit(alert, who, "alert.closed")
        self._save(alert)
        return alert

    # ------------------------------------------------------------------ what the courier reports

    def said(self, delivery: Delivery) -> None:
        if delivery.state is Sending.SENT:
            return
        sent = replace(
            delivery, state=Sending.SENT, sent_at=self.now, attempts=delivery.attempts + 1, next_at=None, reason=""
        )
        self.ledger.update(sent)
        alert = self._record(delivery, What.SENT)
        if alert is None or delivery.purpose not in (Purpose.PAGE, Purpose.AGAIN):
            return
        if alert.notified_at is None:
            state = State.NOTIFIED if alert.state is State.RAISED else alert.state
            self.ledger.save(replace(alert, state=state, notified_at=self.now))
        if alert.owner and alert.owner != delivery.person and alert.state is State.ACCEPTED:
            # It was on its way when somebody accepted: this person too must hear who has it.
            self._queue([self._taken(alert, delivery)])

    def put_off(self, delivery: Delivery, reason: str, until: datetime) -> None:
        if delivery.state is not Sending.WAITING:
            return
        attempts = delivery.attempts + 1
        self.ledger.update(replace(delivery, attempts=attempts, next_at=until, reason=reason))
        if attempts == 1:  # once is enough to know; the number of attempts is kept with the delivery
            self._record(delivery, What.PUT_OFF, reason)

    def gave_up(self, delivery: Delivery, reason: str) -> None:
        if delivery.state is not Sending.WAITING:
            return
        failed = replace(delivery, state=Sending.FAILED, attempts=delivery.attempts + 1, next_at=None, reason=reason)
        self.ledger.update(failed)
        alert = self._record(delivery, What.FAILED, reason)
        if alert is None:
            return
        self._audit(alert, SYSTEM, "alert.undeliverable", why=reason, facts=(("delivery", delivery.id),))
        if delivery.purpose is Purpose.PAGE and alert.is_ringing:
            self._climb_past_the_dead(alert, turn_of(delivery))
        elif delivery.purpose is Purpose.AGAIN and alert.owner == delivery.person and alert.is_open:
            minute = dict(delivery.facts).get("minute")
            others = [d for d in self._of(alert, Purpose.AGAIN) if dict(d.facts).get("minute") == minute]
            if all(d.state is Sending.FAILED for d in others):
                self._ring_again(alert)

    def _climb_past_the_dead(self, alert: Alert, turn: tuple[int, int]) -> None:
        """If nobody is left on the rung that was climbed last, its minutes would be wasted."""
        called = self._of(alert, Purpose.PAGE)
        if turn != max(map(turn_of, called)) or any(
            d.state is not Sending.FAILED for d in called if turn_of(d) == turn
        ):
            return
        if alert.rung:
            self._climb(climb_now(alert, self.now))
        elif all(d.state is Sending.FAILED for d in called if turn_of(d)[0] == turn[0]):
            self._reached_nobody(alert)

    # ------------------------------------------------------------------ small hands

    def _home(self, home: str) -> Home | None:
        if home not in self._homes:
            self._homes[home] = self.directory.home(home)
        return self._homes[home]

    def _people(self, home: str, duty: Duty) -> list[Person]:
        key = home, duty
        if key not in self._on_duty:
            self._on_duty[key] = people_for(duty, self._home(home), self.directory, self.now)
        return self._on_duty[key]

    def _of(self, alert: Alert, purpose: Purpose) -> list[Delivery]:
        return [d for d in self.ledger.deliveries(alert.id) if d.purpose is purpose]

    def _waiting(self, alert: Alert, purpose: Purpose) -> list[Delivery]:
        return [d for d in self._of(alert, purpose) if d.state is Sending.WAITING]

    def _queue(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            if self.ledger.queue(delivery):
                self.has_said_something = True
                self._queued.append(delivery)

    def _withdraw(self, delivery: Delivery, reason: str) -> None:
        self.ledger.update(replace(delivery, state=Sending.WITHDRAWN, next_at=None, reason=reason))

    def _taken(self, alert: Alert, told: Delivery) -> Delivery:
        """The message that somebody has it, the way on which this person was called."""
        way = told.id.rpartition("/")[2]
        return replace(
            told,
            id=delivery_id(alert.id, Purpose.TAKEN, f"{alert.round}.{alert.rung}", told.person, way),
            purpose=Purpose.TAKEN,
            created_at=self.now,
            facts=(("owner", alert.owner),),
            state=Sending.WAITING,
            attempts=0,
            next_at=None,
            sent_at=None,
            reason="",
        )

    def _save(self, alert: Alert) -> None:
        """Write the alert and the reminder of its next deadline."""
        self.ledger.save(alert)
        timer = f"{CLIMB}/{alert.id}"
        if alert.is_ringing and alert.next_at is not None:
            self.ledger.set_timer(Timer(timer, CLIMB, alert.id, alert.next_at))
        else:
            self.ledger.clear_timer(timer)
        self._moved[alert.id] = alert

    def _write(self, alert: Alert, what: What, who: str = SYSTEM, facts: Facts = ()) -> None:
        self.ledger.write(Entry(alert=alert.id, at=self.now, what=what.value, who=who, facts=facts))
        self._moved.setdefault(alert.id, alert)

    def _record(self, delivery: Delivery, what: What, reason: str = "") -> Alert | None:
        """Write what became of a delivery into the history of its alert, if it has one."""
        alert = self.ledger.alert(delivery.alert)
        if alert is not None:
            facts: Facts = (
                ("purpose", delivery.purpose.value),
                ("person", delivery.person),
                ("channel", delivery.channel),
            )
            self._write(alert, what, facts=(*facts, ("reason", reason)) if reason else facts)
        return alert

    def _audit(self, alert: Alert, who: str, what: str, why: str = "", facts: Facts = ()) -> None:
        self.ledger.audit(Act(at=self.now, who=who, what=what, ref=alert.id, why=why, facts=facts))


def _cannot_accept(alert: Alert, who: str) -> Verdict | None:
    if refusal := _is_over(alert):
        return refusal
    if alert.is_ringing:
        return None
    return Verdict(False, Reason.YOURS if alert.owner == who else Reason.TAKEN, alert)


def _is_over(alert: Alert) -> Verdict | None:
    if alert.state is State.RESOLVED:
        return Verdict(False, Reason.OVER, alert)
    if alert.state is State.CLOSED:
        return Verdict(False, Reason.CLOSED, alert)
    return None


def _counted(alert: Alert, finding: Finding, now: datetime) -> Alert:
    """The alert with one repeat more. It shows the newest of what is equally bad; a lesser one is only counted."""
    if finding.id == alert.finding.id:  # the same cause, not another press
        return alert
    alert = replace(alert, count=alert.count + 1, last_at=now)
    if finding.severity is alert.severity and finding.at >= alert.finding.at:
        return replace(alert, finding=finding)
    return alert


def _is_beyond(delivery: Delivery, now: datetime) -> bool:
    return delivery.next_at is not None and delivery.next_at > now + LONGEST_WAIT * 1.5
