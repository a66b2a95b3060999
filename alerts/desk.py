"""The only hand that opens, accepts, resolves and closes alerts.

Every call is one transaction, and everything is decided inside it: two processes may act at once on the same file.
What must be said is written down with the decision; the courier speaks afterwards.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from alerts import muted
from alerts.catalogue import Catalogue
from alerts.climbing import is_beyond
from alerts.escalation import Reason, Verdict, mended
from alerts.history import What
from alerts.incident import codes_of
from alerts.maintenance import TEST
from alerts.minutes import CLIMB
from alerts.routing import answers_by
from alerts.sitting import Sitting
from alerts.sla import needs_follow_up
from gateway.domain import (
    Act,
    Alert,
    Answer,
    Answers,
    Delivery,
    Elder,
    Facts,
    FamilyWord,
    Finding,
    Outcome,
    Purpose,
    Sending,
    Stage,
    State,
)
from gateway.domain.fault import FAULTS, fault
from gateway.domain.home import GRID
from gateway.domain.plan import VISIT_DUE
from gateway.domain.visit import Visit
from gateway.ports import AlertLedger, AlertStore, Directory, Timer

log = logging.getLogger(__name__)

TIMERS_AT_ONCE = 10
"""Deadlines taken care of in one tick, a millisecond each, so that a press waits for no more than these: a town whose
hubs all fell silent has thousands in the same second."""

FRESH = timedelta(milliseconds=100)
"""So long after it was written down a message may be sent as it was written, without looking whether it still holds."""

AFTER_A_FAULT = timedelta(minutes=1)
"""A deadline that a fault of ours did not let us keep is tried again after this."""

SETBACK = timedelta(seconds=1)
"""A clock that goes back by more than this was set by somebody."""

ALL = 100_000
"""More alerts than a county has open."""

LONGEST_STAY = timedelta(days=30)
"""The family says until when somebody is with them, at most so long ahead."""

ANSWERED_WITHIN = timedelta(minutes=15)
"""So long after a question in the home a press of an ordinary button is the answer to it."""

BY_MESSAGE = frozenset({"link", "sms", "voice"})
"""Ways to answer for which nobody signs in: they are for whoever has the message in hand, and for nobody else. What
somebody may do who has signed in, or stands at the gateway's own console, is decided at that door."""

NOT_REACHED = ("elder", Elder.NOT_REACHED.value)
"""Somebody tried to look in again and saw nobody."""


class Desk:
    """Takes findings, rings until somebody accepts, and writes down what became of it."""

    def __init__(
        self,
        store: AlertStore,
        directory: Directory,
        nudge: Callable[[], None] = lambda: None,
        *,
        prepare: Callable[[Sequence[tuple[Delivery, Alert]]], None] = lambda said: None,
        catalogue: Catalogue | None = None,
        call: str = "",
        has_passed: Callable[[Finding], bool] = lambda finding: False,
    ) -> None:
        """`prepare` is told of emergencies while the disk writes them down; nothing of them may be said before the
        nudge. `call` is the channel by which a telephone is rung up, where there is one: what is urgent goes by it as
        well to everybody whose number is known. `has_passed` is asked about what was held back while somebody worked
        in a home, and about a silence whose next rung is due: is it over by now?"""
        self._store = store
        self._directory = directory
        self._nudge = nudge  # tells the courier that there is something to say
        self._prepare = prepare
        self._catalogue = catalogue or Catalogue()
        self.call = call
        self._has_passed = has_passed
        self._beside: Callable[[AlertLedger, Verdict], None] = lambda ledger, verdict: None
        self._seen: datetime | None = None
        self._owned_up: set[tuple[str, str]] = set()  # over which home and in what a fault of ours was told
        self._fresh: deque[tuple[Delivery, Alert]] = deque(maxlen=64)

    # ------------------------------------------------------------------ findings and time

    def take(self, findings: Sequence[Finding], now: datetime) -> list[Verdict]:
        """Deal with what was found. The same finding twice changes nothing."""
        if not findings:
            return []
        try:
            return self._take(findings, now, Sitting.consider)
        except FAULTS:
            log.exception("among what was found is something that the desk cannot deal with")
            return [verdict for finding in findings for verdict in self._take_alone(finding, now)]

    def _take_alone(self, finding: Finding, now: datetime) -> list[Verdict]:
        """After a fault of ours among several: each by itself, so that the others are told; and the one that it is in
        without all that may have failed."""
        try:
            return self._take([finding], now, Sitting.consider)
        except FAULTS:
            extra = {"home": finding.home, "code": finding.code}
            log.exception("people are called without the plan of their home", extra=extra)
        try:
            told = self._take([finding], now, Sitting.open_plainly)
        except FAULTS:
            log.exception("nobody of a home can be called", extra=extra)
            return self._take([fault(GRID, "desk", now, over=finding.home)], now, Sitting.consider)
        self.own_up(finding.home, "desk", now)
        return told

    def own_up(self, home: str, part: str, now: datetime) -> None:
        """Tell once of a fault of ours in this part of the program over this home; where its people cannot be told, or
        it is about the installation as a whole, the installation's are."""
        if (home, part) in self._owned_up:
            return
        self._owned_up.add((home, part))
        for found in (fault(home, part, now), fault(GRID, part, now, over=home)):
            try:
                self._take([found], now, Sitting.consider)
                return
            except FAULTS:
                log.exception("a fault cannot be told", extra={"home": home, "part": part})

    def _take(
        self, findings: Sequence[Finding], now: datetime, deal: Callable[[Sitting, Finding], Verdict]
    ) -> list[Verdict]:
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            verdicts = [deal(sitting, finding) for finding in findings]
            sitting.end()
            if said := list(sitting.emergencies()):
                ledger.before_commit(partial(self._prepare, said))
        self._rise(sitting)
        return verdicts

    def overhear(self, findings: Sequence[Finding]) -> None:
        """Keep what a rule without a voice has found; nobody is told."""
        muted.keep(self._store, findings)

    def tick(self, now: datetime) -> bool:
        """Climb what is due, what is due first first. True: more is due, and the next tick should follow at once."""
        if self._seen is None or now < self._seen - SETBACK:
            try:
                self._mend(now)
            except FAULTS:
                log.exception("deadlines cannot be mended")
        self._seen = now
        due = self._store.timers_due(now, TIMERS_AT_ONCE)
        if self._store.illegible() or self._directory.illegible():
            self.own_up(GRID, "book", now)
        if not due:
            return False
        try:
            self._ring(due, now)
        except FAULTS:
            log.exception("among the deadlines is one that the desk cannot deal with")
            for timer in due:
                self._ring_alone(timer, now)
        return len(due) == TIMERS_AT_ONCE

    def _ring_alone(self, timer: Timer, now: datetime) -> None:
        """After a fault of ours among several: each by itself, so that other ladders are climbed; and of the one that
        it is in the next rung as it stands. Where that fails too it is tried again, and somebody is told."""
        is_rung = timer.kind == CLIMB
        for deal in (Sitting.ring, Sitting.ring_plainly) if is_rung else (Sitting.tell_together,):
            try:
                self._ring([timer], now, deal)
                return
            except FAULTS:
                log.exception("a deadline cannot be kept", extra={"alert": timer.ref})
        with self._store.begin() as ledger:
            ledger.set_timer(replace(timer, due_at=now + AFTER_A_FAULT))
        self.own_up(timer.ref.partition("/")[0] if is_rung else GRID, "desk", now)

    def _ring(self, due: Sequence[Timer], now: datetime, deal: Callable[[Sitting, Timer], None] | None = None) -> None:
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            for timer in due:
                act = deal or (Sitting.ring if timer.kind == CLIMB else Sitting.tell_together)
                act(sitting, timer)
            sitting.end()
        self._rise(sitting)

    # ------------------------------------------------------------------ acts of people

    def accept(
        self, alert_id: str, who: str, now: datetime, how: str = "page", *, can_arrive: bool | None = None
    ) -> Verdict:
        """Make the alert this person's. The first one wins; whoever comes second is told who has it.

        Whoever cannot arrive coordinates: that person is called no more, and the ladder goes on for somebody who can.
        None: not said; then the household's list of contacts knows who lives too far away.
        """

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if refusal := _cannot_accept(alert, who):
                return refusal
            if how in BY_MESSAGE and not sitting.was_told(alert, who):
                return Verdict(False, Reason.NOT_TOLD, alert)
            if can_arrive is False or (can_arrive is None and sitting.lives_far(alert.home, who)):
                return _coordinated(sitting, alert, who, how)
            return Verdict(True, Reason.DONE, sitting.accept(alert, who, how))

        return self._act(alert_id, who, now, act)

    def on_the_way(self, alert_id: str, who: str, now: datetime, *, proof: str = "") -> Verdict:
        """Somebody has set off. Whoever does so for what nobody has accepted accepts it; others go along."""
        return self._moves(alert_id, who, now, What.EN_ROUTE, proof)

    def on_site(self, alert_id: str, who: str, now: datetime, *, proof: str = "") -> Verdict:
        """Somebody is there. `proof` says by what we know: the door opened, the code on the wall, the position."""
        return self._moves(alert_id, who, now, What.ON_SITE, proof)

    def _moves(self, alert_id: str, who: str, now: datetime, what: What, proof: str) -> Verdict:
        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if refusal := _is_over(alert):
                return refusal
            if alert.is_ringing:
                alert = sitting.accept(alert, who, what.value)
            return Verdict(True, Reason.DONE, sitting.moves(alert, who, what, proof))

        return self._act(alert_id, who, now, act)

    def hand_over(self, alert_id: str, who: str, to: str, now: datetime, *, why: str) -> Verdict:
        """Give it to somebody else, who is told. There is an owner at every moment: `who`, and from now on `to`."""

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if refusal := _is_over(alert):
                return refusal
            if not alert.is_taken:
                return Verdict(False, Reason.NOT_YOURS, alert)
            person = sitting.directory.person(to)
            if person is None or not person.reaches or to == alert.owner:
                return Verdict(False, Reason.NO_SUCH_PERSON, alert)
            return Verdict(True, Reason.DONE, sitting.hand_over(alert, who, person, why))

        return self._act(alert_id, who, now, act)

    def cannot_go(self, alert_id: str, who: str, now: datetime, *, why: str = "") -> Verdict:
        """Whoever has it cannot go there after all: that person keeps it together, and people are called anew."""

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if refusal := _is_over(alert):
                return refusal
            if alert.owner != who or alert.state not in (State.ACCEPTED, State.EN_ROUTE):
                return Verdict(False, Reason.NOT_GOING, alert)
            return Verdict(True, Reason.COORDINATES, sitting.cannot_go(alert, who, why))

        return self._act(alert_id, who, now, act)

    def answer(self, alert_id: str, answer: Answer, who: str, now: datetime, how: str = "") -> Verdict:
        """What the resident says who was asked. "No help" ends what nobody has yet; "help" calls everybody at once."""

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if refusal := _is_over(alert):
                return refusal
            facts: Facts = (("answer", answer.value), ("how", how))
            sitting.write_down(alert, What.ANSWERED, who, "alert.answered", facts=facts)
            if answer is Answer.HELP:
                return Verdict(True, Reason.DONE, sitting.needs_help(alert))
            if not _can_be_cancelled(alert, self._catalogue):
                return Verdict(False, Reason.NOT_BY_WORD, alert)
            if alert.is_taken:
                return Verdict(True, Reason.NOTED, alert)
            return Verdict(True, Reason.DONE, sitting.cancel(alert, who))

        return self._act(alert_id, who, now, act)

    def pressed(self, home_id: str, at: datetime, now: datetime) -> list[Verdict]:
        """An ordinary button in a home whose resident answers by one: to what was asked there, all is well.

        Only a press that followed the question counts: later, a button is a button again.
        """
        home = self._directory.home(home_id)
        if home is None or answers_by(home, self._directory) not in (Answers.BUTTON, Answers.SPEAKER):
            return []
        asked = [
            alert.id
            for alert in self._store.alerts(home=home_id, unclosed=True)
            if alert.is_ringing
            and any(
                said.purpose is Purpose.ASK
                and said.sent_at is not None
                and timedelta(0) <= at - said.sent_at <= ANSWERED_WITHIN
                for said in self._store.deliveries(alert.id)
            )
        ]
        return [self.answer(alert, Answer.NO_HELP, home.person, now, "button") for alert in asked]

    def family(
        self, alert_id: str, who: str, what: FamilyWord, until: datetime | None, now: datetime, *, sure: bool = False
    ) -> Verdict:
        """One tap of the family: she is with me (until when), I see to it, send somebody.

        That she is with somebody ends an emergency only when it was said to be sure, and never one of the house
        itself: what burns, burns without her.
        """
        with_me = what is FamilyWord.WITH_ME

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if refusal := _is_over(alert):
                return refusal
            if with_me and (until is None or not now < until <= now + LONGEST_STAY):
                return Verdict(False, Reason.NO_END, alert)
            facts: Facts = (("word", what.value), *((("until", until.isoformat()),) if until and with_me else ()))
            sitting.write_down(alert, What.FAMILY, who, "alert.family", facts=facts)
            if with_me and until is not None:
                return _is_with_family(sitting, alert, who, until, sure)
            if refusal := _cannot_accept(alert, who):
                return refusal
            if what is FamilyWord.SEND_WORKER:
                return replace(_coordinated(sitting, alert, who, "family"), reason=Reason.DONE)
            if sitting.lives_far(alert.home, who):
                return _coordinated(sitting, alert, who, "family")
            return Verdict(True, Reason.DONE, sitting.accept(alert, who, "family"))

        return self._act(alert_id, who, now, act)

    def note(self, alert_id: str, who: str, text: str, now: datetime) -> Verdict:
        """Add a line to the history; also when it is long over."""

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            sitting.write_down(alert, What.NOTE, who, "alert.note", why=text.strip(), facts=(("note", text.strip()),))
            return Verdict(True, Reason.DONE, alert)

        return self._act(alert_id, who, now, act)

    def resolve(self, alert_id: str, who: str, outcome: Outcome | None, note: str, now: datetime) -> Verdict:
        """Write down what it was. Resolving what nobody has accepted accepts it in the same person's name."""

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if refusal := _is_over(alert):
                return refusal
            if outcome is None:
                return Verdict(False, Reason.NO_OUTCOME, alert)
            if alert.is_ringing:
                alert = sitting.accept(alert, who, "resolve")
            return Verdict(True, Reason.DONE, sitting.resolve(alert, who, Outcome(outcome), note))

        return self._act(alert_id, who, now, act)

    def follow_up(self, alert_id: str, who: str, note: str, now: datetime, *, facts: Facts = ()) -> Verdict:
        """Somebody asked afterwards how the resident is."""

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if alert.state is State.RESOLVED and NOT_REACHED in facts:
                said = (*facts, ("note", note.strip())) if note.strip() else facts
                sitting.write_down(alert, What.FOLLOWED_UP, who, "alert.followed-up", facts=said)
                return Verdict(True, Reason.DONE, alert)  # tried, and still to be done
            if alert.state is State.RESOLVED:
                return Verdict(True, Reason.DONE, sitting.follow_up(alert, who, note, facts))
            return _is_over(alert) or Verdict(False, Reason.UNRESOLVED, alert)

        return self._act(alert_id, who, now, act)

    def close(self, alert_id: str, who: str, now: datetime) -> Verdict:
        """File it. Nothing is filed before it was resolved, and nothing real before somebody has looked in again."""

        def act(sitting: Sitting, alert: Alert) -> Verdict:
            if alert.state is State.RESOLVED and needs_follow_up(alert):
                return Verdict(False, Reason.UNVISITED, alert)
            if alert.state in (State.RESOLVED, State.FOLLOWED_UP):
                return Verdict(True, Reason.DONE, sitting.close(alert, who))
            return _is_over(alert) or Verdict(False, Reason.UNRESOLVED, alert)

        return self._act(alert_id, who, now, act)

    def visited(self, visit: Visit, now: datetime, *, by: str = "") -> Verdict:
        """Somebody was there without having been called: kept, and whatever said that a visit was due is settled by it.
        `by` wrote it down, where that was not whoever went."""
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            ledger.keep_visit(visit)
            facts: Facts = (("person", visit.person), ("elder", visit.elder.value))
            ledger.audit(Act(at=now, who=by or visit.person, what="visit", ref=visit.home, facts=facts))
            home = self._directory.home(visit.home)
            ledger.publish(now, "visit", visit.home, visit.home, home.grid if home else "")
            for alert in ledger.open_alerts(visit.home) if visit.has_met else ():
                if alert.code == VISIT_DUE:
                    sitting.visited(alert, visit)
            sitting.end()
            verdict = Verdict(True, Reason.DONE)
            self._beside(ledger, verdict)
        self._rise(sitting)
        return verdict

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

    def beside(self, write: Callable[[AlertLedger, Verdict], None]) -> "Desk":
        """The same hand for one act of a person: what it decides and what `write` writes become durable together."""
        other = copy(self)
        other._beside = write
        return other

    def _act(self, alert_id: str, who: str, now: datetime, act: Callable[[Sitting, Alert], Verdict]) -> Verdict:
        if not who:
            return Verdict(False, Reason.NOBODY)
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            alert = ledger.alert(alert_id)
            verdict = Verdict(False, Reason.UNKNOWN) if alert is None else act(sitting, alert)
            sitting.end()
            self._beside(ledger, verdict)
        self._rise(sitting)
        return verdict

    def say(self, deliveries: Iterable[Delivery], act: Act) -> None:
        """Put messages into the outbox that belong to no alert: a drill, what became of an answer."""
        with self._store.begin() as ledger:
            for delivery in deliveries:
                ledger.queue(delivery)
            ledger.audit(act)
            self._beside(ledger, Verdict(True, Reason.DONE))
        self._nudge()

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

    def said(self, delivery_id: str, now: datetime, message: str = "") -> None:
        """The channel has taken it, and calls it `message`. *Sent* is not *delivered* is not *answered*."""
        self.all_said([(delivery_id, now, message)])

    def all_said(self, taken: Iterable[tuple[str, datetime, str]]) -> None:
        """The same of several in one transaction: the sooner it is durable, the fewer are said again after a fall."""
        sittings = []
        with self._store.begin() as ledger:
            for delivery_id, now, message in taken:
                sitting = self._sit(ledger, now)
                delivery = ledger.delivery(delivery_id)
                if delivery is not None:
                    sitting.said(delivery, message)
                sitting.end()
                sittings.append(sitting)
        for sitting in sittings:
            self._rise(sitting)

    def put_off(self, delivery_id: str, reason: str, until: datetime, now: datetime, code: str = "") -> None:
        """The channel could not carry it now; it is tried again. `code` is the provider's own."""
        self._report(delivery_id, now, lambda sitting, delivery: sitting.put_off(delivery, reason, until, code))

    def gave_up(self, delivery_id: str, reason: str, now: datetime, code: str = "", lasting: bool = True) -> None:
        """It will never be carried, or a receipt says that it did not arrive. When that leaves nobody on the rung, the
        next one is climbed at once."""
        self._report(delivery_id, now, lambda sitting, delivery: sitting.gave_up(delivery, reason, code, lasting))

    def stuck(self, deliveries: Iterable[str], now: datetime) -> None:
        """These wait for a place in a channel that carries nothing; nothing was tried, and another way may be free."""
        with self._store.begin() as ledger:
            sitting = self._sit(ledger, now)
            for delivery_id in deliveries:
                delivery = ledger.delivery(delivery_id)
                if delivery is not None and delivery.state is Sending.WAITING and delivery.failed_at is None:
                    sitting.stuck(delivery)
            sitting.end()
        self._rise(sitting)

    def arrived(self, delivery_id: str, stage: Stage, at: datetime, now: datetime) -> None:
        """A receipt: since `at` it is delivered, opened or answered. What would have gone by a later way stays."""
        self._report(delivery_id, now, lambda sitting, delivery: sitting.arrived(delivery, stage, at))

    def _report(self, delivery_id: str, now: datetime, note: Callable[[Sitting, Delivery], None]) -> None:
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
            if mended(alert, now) == alert and not any(is_beyond(d, now) for d in waiting):
                continue
            try:
                with self._store.begin() as ledger:
                    sitting = self._sit(ledger, now)
                    sitting.mend(alert.id)
                    sitting.end()
                self._rise(sitting)
            except FAULTS:
                log.exception("a deadline cannot be mended", extra={"alert": alert.id})

    def _sit(self, ledger: AlertLedger, now: datetime) -> Sitting:
        return Sitting(ledger, self._directory.standing(), self._catalogue, now, self._has_passed, self.call)

    def _rise(self, sitting: Sitting) -> None:
        for level, message, alert in sitting.remarks:
            log.log(level, message, extra={"alert": alert})
        self._fresh.extend(sitting.emergencies())
        if sitting.has_said_something:
            self._nudge()


def _coordinated(sitting: Sitting, alert: Alert, who: str, how: str) -> Verdict:
    """Accepted by somebody who cannot be there; the first who does so keeps it together."""
    if alert.coordinator:
        return Verdict(False, Reason.YOURS if alert.coordinator == who else Reason.TAKEN, alert)
    return Verdict(True, Reason.COORDINATES, sitting.coordinate(alert, who, how))


def _can_be_cancelled(alert: Alert, catalogue: Catalogue) -> bool:
    return all(catalogue.entry(code).can_be_cancelled for code in codes_of(alert))


def _is_with_family(sitting: Sitting, alert: Alert, who: str, until: datetime, sure: bool) -> Verdict:
    if not _can_be_cancelled(alert, sitting.catalogue):
        return Verdict(False, Reason.NOT_BY_WORD, alert)
    if alert.severity.is_emergency and not sure:
        return Verdict(False, Reason.ASK_AGAIN, alert)
    if alert.is_ringing:
        alert = sitting.accept(alert, who, "family")
    sitting.declare_away(alert.home, who, until)
    return Verdict(True, Reason.DONE, sitting.resolve(alert, who, Outcome.ELDER_AWAY, ""))


def _cannot_accept(alert: Alert, who: str) -> Verdict | None:
    if refusal := _is_over(alert):
        return refusal
    if alert.is_ringing:
        return None
    return Verdict(False, Reason.YOURS if alert.owner == who else Reason.TAKEN, alert)


_OVER = {
    State.RESOLVED: Reason.OVER,
    State.FOLLOWED_UP: Reason.OVER,
    State.CLOSED: Reason.CLOSED,
    State.CANCELLED: Reason.CANCELLED,
}


def _is_over(alert: Alert) -> Verdict | None:
    reason = _OVER.get(alert.state)
    return None if reason is None else Verdict(False, reason, alert)
