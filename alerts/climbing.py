"""Who is called next, and what follows when nobody is reached, nobody comes, or she stirs again: a ladder, climbed.

When a rung is due is decided in `alerts/escalation.py`; here people are found for it, and what becomes of their
messages is taken in.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from alerts import reasons
from alerts.escalation import Nudge, Step, climb, climb_now, from_the_start, held_for_life, mended, watched
from alerts.history import What
from alerts.incident import BEFORE_ANYBODY_COMES, STORM, codes_of, gathered_at
from alerts.maintenance import TEST
from alerts.minutes import SYSTEM, TO_THE_OWNER, Minutes
from alerts.routing import pages, turn_of
from alerts.ways import after, call_of, next_ways, one_by_one
from gateway.domain import (
    Alert,
    Delivery,
    Duty,
    Facts,
    Person,
    Purpose,
    Sending,
    Stage,
    State,
)

AGAIN_EVERY = timedelta(seconds=60)
"""However often a button is pressed, whoever has the alert is told at most once in each of these."""

LATE = timedelta(seconds=2)
"""A rung climbed later than this says so in the history: lateness of an escalation is a defect."""

LONGEST_WAIT = timedelta(seconds=60)
"""The courier never puts a delivery off for longer."""

CONCERNING_LIFE = frozenset({"inactivity", "entered_no_motion", "not_returned"})
"""What signs of life speak against: they hold the next rung, and somebody is asked to confirm."""


class Climbing(Minutes):
    """The ladders of one transaction."""

    def _climb(self, alert: Alert, *, is_new: bool = False, at_once: int = 0) -> Alert:
        """Climb what is due. `at_once`: so many rungs of this round are climbed without a wait; none is passed over."""
        said = [] if is_new else self.ledger.deliveries(alert.id)
        calls, this_round = Calls(self, alert, said), alert.round

        def staffed(round_: int, rung: int) -> bool:
            return calls.are_waited_for(round_, rung) and (round_ != this_round or rung >= at_once)

        alert, steps = climb(alert, self.now, staffed)
        waiting = [d for d in said if d.purpose in (Purpose.PAGE, Purpose.ASK) and d.state is Sending.WAITING]
        asked = len({turn_of(d) for d in said if d.purpose is Purpose.ASK and d.state is Sending.SENT})
        unreached = 0
        for step in steps:
            called = calls.on(step.round, step.rung)
            alert = self._step(alert, step, called, waiting, asked)
            unreached += not any(person.reaches for _, person in called)
        if steps and unreached >= len(alert.ladder.rungs):
            self._reached_nobody(alert)
        return self._save(alert)

    def _step(
        self, alert: Alert, step: Step, called: list[tuple[Duty, Person]], waiting: list[Delivery], asked: int
    ) -> Alert:
        if alert.code == TEST:  # one real message is enough to know that the way is open
            called = [(duty, person) for duty, person in called if person.reaches][:1]
        duties = dict.fromkeys(duty for duty, _ in called) or step.duties
        facts: Facts = (
            ("duty", ",".join(duty.value for duty in duties)),
            ("round", str(step.round)),
            ("rung", str(step.rung)),
            ("people", ",".join(person.id for _, person in called)),
        )
        if mute := [person.id for _, person in called if not person.reaches]:
            facts += (("mute", ",".join(mute)),)
        if self.now - step.due_at > LATE:
            facts += (("late_s", str(int((self.now - step.due_at).total_seconds()))),)
        queued = self._spread(alert, pages(alert, step, called, self.now, asked=asked))
        self._write(alert, What.TOLD if queued else What.EMPTY, facts=facts)
        # Whoever has not been reached since the last round is called once when the channel is back, not once a round.
        places = {(d.person, d.channel, d.address) for d in queued}
        for old in [d for d in waiting if (d.person, d.channel, d.address) in places]:
            waiting.remove(old)
            self._withdraw(old, reasons.NEWER)
        self._queue(queued)
        waiting.extend(queued)
        is_asking = bool(queued) and all(d.purpose is Purpose.ASK for d in queued)
        return replace(alert, state=State.CONFIRMING) if is_asking and alert.state is State.RAISED else alert

    def _reached_nobody(self, alert: Alert) -> None:
        facts = () if alert.next_at is None else (("again_at", alert.next_at.isoformat()),)
        self._write(alert, What.NOBODY, facts=facts)
        self.remarks.append((logging.ERROR, "nobody on the whole ladder can be reached", alert.id))
        if alert.coordinator and (person := self.directory.person(alert.coordinator)) is not None:
            # There is nobody else: whoever keeps it together is the only one who can still find somebody.
            turn, alone = f"{alert.round}.{alert.rung}.alone", (("alone", "1"),)
            self._write_to(person, alert, Purpose.REMIND, turn, alone)

    def _has_called(self, alert: Alert, duty: Duty | None = None) -> bool:
        """Somebody was called who can come; for this duty, where one is named."""
        called = {d.duty for d in self._of(alert, Purpose.PAGE)} - BEFORE_ANYBODY_COMES
        return bool(called) if duty is None else duty in called

    def _may_be_told_again(self, alert: Alert) -> bool:
        return all(self.now - told.created_at >= AGAIN_EVERY for told in self._of(alert, Purpose.PAGE))

    def mend(self, alert_id: str) -> None:
        alert = self.ledger.alert(alert_id)
        if alert is None:
            return
        for delivery in self.ledger.deliveries(alert_id):
            if delivery.state is Sending.WAITING and is_beyond(delivery, self.now):
                self.ledger.update(replace(delivery, next_at=None))
                self.has_said_something = True
        possible = mended(alert, self.now)
        if possible != alert:
            self._write(alert, What.MENDED)
            self.remarks.append((logging.WARNING, "the clock was put back: a deadline was moved", alert_id))
            self._save(possible)

    # ------------------------------------------------------------------ while people have it, and while she stirs

    def _tell_owner(self, alert: Alert, also: str = "") -> bool:
        """Page the owner again, at most once a minute. False: there is no way to reach the owner.

        `also` is the code of something else that was found.
        """
        owner = self.directory.person(alert.owner)
        if owner is None or not owner.reaches:
            return False
        minute = int(self.now.timestamp() // AGAIN_EVERY.total_seconds())
        facts: Facts = (("count", str(alert.count)), ("minute", str(minute)))
        if also:
            facts += (("also", also),)
        self._write_to(owner, alert, Purpose.AGAIN, str(minute), facts)
        return True

    def _ring_again(self, alert: Alert, why: What = What.RINGS_AGAIN) -> Alert:
        """Whoever accepted it cannot be told that it goes on, or does nothing about it, so it is nobody's again."""
        self.write_down(alert, why, alert.owner, f"alert.{why.value}")
        for delivery in self.ledger.deliveries(alert.id):
            if delivery.purpose in TO_THE_OWNER and delivery.state is Sending.WAITING:
                self._withdraw(delivery, reasons.NEWER)
        return self._climb(from_the_start(alert, self.now))

    def _watch(self, alert: Alert) -> Alert:
        """Something has become due because nobody did anything."""
        alert, nudges = watched(alert, self.now)
        for nudge, due_at in nudges:
            if nudge is Nudge.OVERDUE:
                limit = "ack" if alert.is_ringing else "site"
                facts: Facts = (("limit", limit), ("due_at", due_at.isoformat()))
                self.write_down(alert, What.OVERDUE, alert.owner, "alert.overdue", facts=facts)
            elif nudge is Nudge.LAPSE:
                return self._ring_again(alert, What.LAPSED)
            elif not self._remind(alert):
                return self._ring_again(alert)
        return self._save(alert)

    def _remind(self, alert: Alert) -> bool:
        """Ask whoever has it whether anything happens. False: there is no way to reach that person."""
        owner = self.directory.person(alert.owner)
        if owner is None or not owner.reaches or alert.owned_at is None:
            return False
        turn = f"{alert.owned_at.timestamp():.3f}.{alert.state.value}.{alert.reminded}"
        self._write_to(owner, alert, Purpose.REMIND, turn, (("owner", alert.owner),))
        self._write(alert, What.REMINDED, who=alert.owner)
        return True

    def _has_stirred(self, alert: Alert) -> bool:
        """It was about a silence alone, and somebody has broken it. Whoever calls for help may move."""
        is_silence = not alert.severity.is_emergency and CONCERNING_LIFE.issuperset(codes_of(alert))
        return is_silence and self.has_passed(alert.finding)

    def _hold_for_life(self, alert: Alert) -> Alert:
        """There are signs of life again. Nobody further is called for a while, and whoever was is asked to confirm."""
        alert = held_for_life(alert, self.now)
        self.write_down(alert, What.STIRRED, SYSTEM, "alert.stirred")
        for delivery in self._told(alert):
            if delivery.duty is not Duty.ELDER:
                self._queue([self._again_to(alert, delivery, Purpose.STIRS, facts=())])
        return self._save(alert)

    # ------------------------------------------------------------------ what the courier reports

    def said(self, delivery: Delivery, message: str = "") -> None:
        if delivery.state is Sending.SENT:
            return
        sent = replace(
            delivery,
            state=Sending.SENT,
            sent_at=self.now,
            attempts=delivery.attempts + 1,
            next_at=None,
            reason="",
            code="",
            message=message,
        )
        self.ledger.update(sent)
        self._tend_next_ways(sent)
        for other in self._said_with(sent):  # what it told of besides was said too
            self.said(replace(other, state=Sending.WAITING), message)
        alert = self._record(delivery, What.SENT)
        if alert is None or delivery.purpose not in (Purpose.PAGE, Purpose.AGAIN):
            return
        if alert.notified_at is None:
            state = State.NOTIFIED if alert.is_ringing else alert.state
            self.ledger.save(replace(alert, state=state, notified_at=self.now))
        # It was on its way when somebody accepted, or when it ended: this person too must hear of it.
        if alert.is_taken and alert.owner != delivery.person:
            self._queue([self._taken(alert, delivery)])
        elif alert.state is State.CANCELLED:
            self._queue([self._over(alert, delivery, "")])

    def put_off(self, delivery: Delivery, reason: str, until: datetime, code: str = "") -> None:
        if delivery.state is not Sending.WAITING:
            return
        attempts = delivery.attempts + 1
        waiting = replace(delivery, attempts=attempts, next_at=until, reason=reason, code=code, failed_at=self.now)
        self.ledger.update(waiting)
        self._tend_next_ways(waiting)
        if attempts == 1:  # once is enough to know; the number of attempts is kept with the delivery
            self._record(delivery, What.PUT_OFF, reason)

    def stuck(self, delivery: Delivery) -> None:
        waiting = replace(delivery, reason=reasons.BUSY, failed_at=self.now)
        self.ledger.update(waiting)
        self._tend_next_ways(waiting)

    def arrived(self, delivery: Delivery, stage: Stage, at: datetime) -> None:
        name = f"{stage.value}_at"
        if delivery.state is not Sending.SENT or getattr(delivery, name) is not None:
            return
        here = replace(delivery, **{name: at})  # type: ignore[arg-type]
        self.ledger.update(here)
        self._tend_next_ways(here)
        if (alert := self.ledger.alert(delivery.alert)) is not None:
            self._moved.setdefault(alert.id, alert)

    def _tend_next_ways(self, delivery: Delivery) -> None:
        """Where a person's ways wait for each other: what becomes of those behind this one."""
        alert = self.ledger.alert(delivery.alert)
        if alert is None or not one_by_one(alert.severity):
            return
        for waiting in next_ways(delivery, call_of(delivery, self.ledger.deliveries(delivery.alert)), self.now):
            self.ledger.update(waiting)
            self.has_said_something = True

    def gave_up(self, delivery: Delivery, reason: str, code: str = "", lasting: bool = True) -> None:
        if delivery.state not in (Sending.WAITING, Sending.SENT) or delivery.has_arrived:
            return
        failed = replace(
            delivery,
            state=Sending.FAILED,
            attempts=delivery.attempts + (delivery.state is Sending.WAITING),
            next_at=None,
            reason=reason,
            code=code,
            lasting=lasting,
            failed_at=self.now,
        )
        self.ledger.update(failed)
        self._tend_next_ways(failed)
        self._say_by_themselves(failed)
        alert = self._record(delivery, What.FAILED, reason)
        if alert is None:
            return
        self._audit(alert, SYSTEM, "alert.undeliverable", why=reason, facts=(("delivery", delivery.id),))
        if delivery.purpose in (Purpose.PAGE, Purpose.ASK) and alert.is_ringing:
            self._climb_past_the_dead(alert, turn_of(delivery))
        elif delivery.purpose in TO_THE_OWNER and alert.owner == delivery.person and alert.is_taken:
            letter = delivery.id.rpartition("/")[0]
            others = [d for d in self._of(alert, delivery.purpose) if d.id.rpartition("/")[0] == letter]
            if all(d.state is Sending.FAILED for d in others):
                self._ring_again(alert)

    def _climb_past_the_dead(self, alert: Alert, turn: tuple[int, int]) -> None:
        """If nobody is left on the rung that was climbed last, its minutes would be wasted."""
        said = self.ledger.deliveries(alert.id)
        called = [d for d in said if d.purpose in (Purpose.PAGE, Purpose.ASK)]
        if turn != max(map(turn_of, called)):
            return
        here = [d for d in called if turn_of(d) == turn]
        waited_for = alert.ladder.rungs[turn[1]].waited_for if turn[1] < len(alert.ladder.rungs) else ()
        if any(d.state is not Sending.FAILED for d in [d for d in here if d.duty in waited_for] or here):
            return
        calls = Calls(self, alert, said)
        if alert.rung and any(calls.are_waited_for(alert.round, n) for n in range(alert.rung, len(alert.ladder.rungs))):
            self._climb(climb_now(alert, self.now))
        elif all(d.state is Sending.FAILED for d in called if turn_of(d)[0] == turn[0]):
            self._reached_nobody(alert)


class Calls:
    """Whom each rung means now: everybody once in a round, a coordinator never, the resident in the first only."""

    def __init__(self, sitting: Minutes, alert: Alert, said: Iterable[Delivery]) -> None:
        self._sitting = sitting
        self._alert = alert
        self._called = {(turn_of(d)[0], d.person) for d in said if d.purpose is Purpose.PAGE}
        self._rungs: dict[tuple[int, int], list[tuple[Duty, Person]]] = {}

    def on(self, round_: int, rung: int) -> list[tuple[Duty, Person]]:
        """The people of a rung, each with the duty for which they are called. Asked for in the order of the ladder."""
        turn = round_, rung
        if turn not in self._rungs:
            called = {p.id: (duty, p) for duty, p in self._meant(round_, rung)}
            self._rungs[turn] = list(called.values())
            self._called.update((round_, p.id) for duty, p in called.values() if duty is not Duty.ELDER and p.reaches)
        return self._rungs[turn]

    def are_waited_for(self, round_: int, rung: int) -> bool:
        """Whether the rung has anybody new whose minutes are worth waiting for."""
        waited_for = self._alert.ladder.rungs[rung].waited_for
        if self._alert.coordinator and set(waited_for) <= {Duty.ELDER, Duty.FAMILY}:
            return False  # the family has answered: what is needed is somebody who can be there
        return any(person.reaches for duty, person in self.on(round_, rung) if duty in waited_for)

    def _meant(self, round_: int, rung: int) -> Iterator[tuple[Duty, Person]]:
        alert = self._alert
        seen = {alert.coordinator}
        for duty in alert.ladder.rungs[rung].duties:
            if duty is Duty.ELDER and (round_ or alert.coordinator or not self._sitting.can_be_asked(alert)):
                continue
            for person in self._sitting.people(alert.home, duty):
                if person.id not in seen and (duty is Duty.ELDER or (round_, person.id) not in self._called):
                    seen.add(person.id)
                    yield duty, person if duty is Duty.ELDER else self._sitting.reached(person, alert)


def is_beyond(delivery: Delivery, now: datetime) -> bool:
    longest = LONGEST_WAIT * 1.5 + after(delivery) + (STORM if gathered_at(delivery) else timedelta(0))
    return delivery.next_at is not None and delivery.next_at > now + longest
