"""What the desk reads and writes down in one transaction, whatever it is about: who is meant, what is said, what was.

Messages stand here too, with what makes one of several; who is called, and when, stands in `alerts/climbing.py`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from alerts import reasons
from alerts.catalogue import Catalogue
from alerts.escalation import next_look
from alerts.history import What
from alerts.incident import ENOUGH_CALLS, STORM, bundled, bundled_until, gathered_at, unbundled
from alerts.maintenance import TEST, Work, work_or_pause_in
from alerts.plans import Hush, hush_over, in_force, in_one, planned
from alerts.routing import answers_by, delivery_id, letters_for, people_for
from alerts.ways import one_by_one, rung_up
from gateway.domain import (
    Act,
    Alert,
    Answer,
    Answers,
    Delivery,
    Duty,
    Entry,
    Facts,
    Finding,
    Home,
    Ladder,
    Monitoring,
    Override,
    Person,
    Purpose,
    Sending,
    State,
)
from gateway.domain.plan import readable
from gateway.ports import AlertLedger, Directory, Timer

TOGETHER = "together"
"""The kind of timer at which one person is told of several alerts in one message."""

WITH = "with"
"""The fact of a message that tells of several: the id of each other call that it stands for."""

CLIMB = "climb"
"""The kind of timer that is ours; others may use the same table."""

SYSTEM = ""
"""Who acts when nobody does: the gateway itself."""

CALLS = (Purpose.PAGE, Purpose.AGAIN, Purpose.ASK)
"""Whoever was sent one of these hears who has it, or that it is over."""

TO_THE_OWNER = (Purpose.AGAIN, Purpose.REMIND, Purpose.HANDED)
"""When none of these reaches whoever has it, nobody has it."""

OUT_OF_DOORS = frozenset({"not_returned", "night_exit"})


class Minutes:
    """One transaction: its ledger, what was looked up in it, and what it has to say once it is durable."""

    def __init__(
        self,
        ledger: AlertLedger,
        directory: Directory,
        catalogue: Catalogue,
        now: datetime,
        has_passed: Callable[[Finding], bool],
        call: str = "",
    ) -> None:
        self.ledger = ledger
        self.directory = directory
        self.catalogue = catalogue
        self.now = now
        self.has_passed = has_passed
        self._call = call
        self.has_said_something = False
        self.remarks: list[tuple[int, str, str]] = []  # for the log, once all of this has become durable
        self._moved: dict[str, Alert] = {}  # as it was last written; each is published once
        self._queued: list[Delivery] = []
        self._homes: dict[str, Home | None] = {}
        self._plans: dict[str, list[Override]] = {}
        self._waited: list[tuple[Delivery, Alert]] = []  # calls for what quiet hours or a silence have held back
        self._on_duty: dict[tuple[str, Duty], list[Person]] = {}

    def end(self) -> None:
        """Publish what has changed; the last thing in the transaction."""
        self._tell_in_one()
        for alert in self._moved.values():
            home = self._home(alert.home)
            self.ledger.publish(self.now, "alert", alert.id, alert.home, home.grid if home else "")

    def emergencies(self) -> Iterable[tuple[Delivery, Alert]]:
        """What is to be said at once, with what it is about."""
        for delivery in self._queued:
            alert = self._moved.get(delivery.alert)
            if alert is not None and alert.severity.is_emergency and delivery.next_at is None:
                yield delivery, alert

    # ------------------------------------------------------------------ who is meant

    def _home(self, home: str) -> Home | None:
        if home not in self._homes:
            self._homes[home] = self.directory.home(home)
        return self._homes[home]

    def people(self, home: str, duty: Duty) -> list[Person]:
        key = home, duty
        if key not in self._on_duty:
            self._on_duty[key] = people_for(duty, self._home(home), self.directory, self.now)
        return self._on_duty[key]

    def reached(self, person: Person, alert: Alert) -> Person:
        """The person with the ways by which they hear of this alert: what is urgent rings their telephone too."""
        if not self._call or one_by_one(alert.severity):
            return person
        return rung_up(person, self.directory.phones(person.id), self._call)

    def can_be_asked(self, alert: Alert) -> bool:
        """Not by what hangs on the wall of a home that somebody has left."""
        home = self._home(alert.home)
        return home is not None and (
            alert.code not in OUT_OF_DOORS or answers_by(home, self.directory) is Answers.PHONE
        )

    def was_told(self, alert: Alert, who: str) -> bool:
        """There is a message about it to this person, who has not been struck off the register since."""
        said = (delivery.person for delivery in self.ledger.deliveries(alert.id))
        return who in said and self.directory.person(who) is not None

    def lives_far(self, home: str, who: str) -> bool:
        return any(contact.person == who and contact.is_far for contact in self.directory.contacts(home))

    # ------------------------------------------------------------------ the household's plan

    def _plan(self, home: str) -> list[Override]:
        if home not in self._plans:
            self._plans[home] = readable(self.directory.plan(home, self.now))
        return self._plans[home]

    def _ladder_for(self, finding: Finding) -> Ladder:
        ladder = self.catalogue.ladder(finding.code, finding.severity)
        return planned(ladder, finding.code, in_force(self._plan(finding.home)))

    def _hush(self, finding: Finding) -> Hush | None:
        home = self._home(finding.home)
        return hush_over(finding, self._plan(finding.home), self.now, home.zone) if home else None

    def _work(self, home: str) -> Work | None:
        found = self._home(home)
        state = found.state if found else Monitoring.GUARDED
        return work_or_pause_in(self._plan(home), self.now, state)

    # ------------------------------------------------------------------ messages

    def _write_to(self, person: Person, alert: Alert, purpose: Purpose, turn: str, facts: Facts) -> None:
        self._queue(letters_for(self.reached(person, alert), alert, purpose, turn, self.now, facts=facts))

    def _queue(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            if self.ledger.queue(delivery):
                self.has_said_something = True
                self._queued.append(delivery)

    def _withdraw(self, delivery: Delivery, reason: str) -> None:
        self.ledger.update(replace(delivery, state=Sending.WITHDRAWN, next_at=None, reason=reason))
        self._say_by_themselves(delivery)

    def _of(self, alert: Alert, purpose: Purpose) -> list[Delivery]:
        return [d for d in self.ledger.deliveries(alert.id) if d.purpose is purpose]

    def _waiting(self, alert: Alert, purpose: Purpose) -> list[Delivery]:
        return [d for d in self._of(alert, purpose) if d.state is Sending.WAITING]

    def _told(self, alert: Alert) -> list[Delivery]:
        """One message for each way on which somebody was called: that one hears what became of it."""
        sent = [d for d in self.ledger.deliveries(alert.id) if d.purpose in CALLS and d.state is Sending.SENT]
        return list({(d.person, d.channel, d.address): d for d in reversed(sent)}.values())[::-1]

    def _stop_calling(self, alert: Alert, reason: str) -> list[Delivery]:
        """Withdraw what has not left yet; those whom something has reached."""
        for delivery in self.ledger.deliveries(alert.id):
            is_call = delivery.purpose in CALLS or delivery.purpose in TO_THE_OWNER or delivery.purpose is Purpose.STIRS
            if is_call and delivery.state is Sending.WAITING:
                self._withdraw(delivery, reason)
        return self._told(alert)

    def _taken(self, alert: Alert, told: Delivery) -> Delivery:
        """The message that somebody has it, the way on which this person was called."""
        return self._again_to(alert, told, Purpose.TAKEN, facts=(("owner", alert.owner),))

    def _over(self, alert: Alert, told: Delivery, who: str) -> Delivery:
        """The message that it is over: by somebody's word, by the resident's own, or by itself."""
        facts: Facts = (("owner", who),) if who else ()
        if alert.state is State.CANCELLED:
            facts = (("answer", Answer.NO_HELP.value),)
        return self._again_to(alert, told, Purpose.OVER, facts=facts)

    def _again_to(self, alert: Alert, told: Delivery, purpose: Purpose, facts: Facts) -> Delivery:
        way = told.id.rpartition("/")[2]
        return replace(
            told,
            id=delivery_id(alert.id, purpose, f"{alert.round}.{alert.rung}", told.person, way),
            purpose=purpose,
            created_at=self.now,
            facts=facts,
            state=Sending.WAITING,
            attempts=0,
            next_at=None,
            sent_at=None,
            reason="",
            code="",
            lasting=False,
            failed_at=None,
            message="",
            delivered_at=None,
            opened_at=None,
            answered_at=None,
        )

    # ------------------------------------------------------------------ several in one message

    def _tell_in_one(self) -> None:
        """Whoever would be called for several things that have waited is called once, for all of them."""
        alerts = {delivery.id: alert for delivery, alert in self._waited}
        homes = {alert.home: self._home(alert.home) for _, alert in self._waited}
        calls = []
        for delivery, alert in self._waited:
            home = homes[alert.home]
            calls.append((delivery, alert.severity, f"{home.code if home else alert.home}:{alert.code}"))
        for told, others in in_one(calls):
            self.ledger.update(replace(told, facts=(*told.facts, *((WITH, other.id) for other in others))))
            for other in others:
                self._withdraw(other, reasons.SAID_BY_ANOTHER)
                self._write(alerts[other.id], What.IN_ONE, facts=(("person", other.person), ("by", told.alert)))

    def _said_with(self, told: Delivery) -> list[Delivery]:
        """The calls that were to be said by this one message as well, and for which nothing else was done since."""
        found = [self.ledger.delivery(value) for name, value in told.facts if name == WITH]
        return [call for call in found if call is not None and call.reason == reasons.SAID_BY_ANOTHER]

    def _say_by_themselves(self, told: Delivery) -> None:
        """The message that was to tell of several is not sent: each of the others goes by itself."""
        for call in self._said_with(told):
            alert = self.ledger.alert(call.alert)
            if alert is not None and alert.is_ringing:
                self.ledger.update(replace(call, state=Sending.WAITING, next_at=None, reason=""))
                self.has_said_something = True

    def _spread(self, alert: Alert, calls: list[Delivery]) -> list[Delivery]:
        """Who gets many calls within minutes gets what is no emergency a little later, all in one message."""
        if alert.severity.is_emergency or alert.code == TEST:
            return calls
        spread = []
        for person, own in groupby(calls, key=lambda call: call.person):
            before = self.ledger.calls_to(person, self.now - STORM, ENOUGH_CALLS)
            until = bundled_until(before, alert.id, self.now)
            if until is not None:
                self.ledger.set_timer(Timer(f"{TOGETHER}/{person}", TOGETHER, person, until))
            spread += [bundled(c, until) if until is not None and c.purpose is Purpose.PAGE else c for c in own]
        return spread

    def tell_together(self, timer: Timer) -> None:
        """What has waited for one person is said in one message."""
        self.ledger.clear_timer(timer.id)
        for call in self.ledger.calls_to(timer.ref, timer.due_at - STORM):
            alert = self.ledger.alert(call.alert)
            if gathered_at(call) is not None and alert is not None:
                call = unbundled(call, self.now)
                self.ledger.update(call)
                self._waited.append((call, alert))
                self.has_said_something = True

    # ------------------------------------------------------------------ what is written down

    def _save(self, alert: Alert) -> Alert:
        """Write the alert and the reminder of its next deadline."""
        if not alert.is_ringing:
            alert = replace(alert, next_at=None)
        alert = replace(alert, watch_at=next_look(alert))
        self.ledger.save(alert)
        timer = f"{CLIMB}/{alert.id}"
        if alert.due_at is not None:
            self.ledger.set_timer(Timer(timer, CLIMB, alert.id, alert.due_at))
        else:
            self.ledger.clear_timer(timer)
        self._moved[alert.id] = alert
        return alert

    def write_down(self, alert: Alert, what: What, who: str, act: str, *, why: str = "", facts: Facts = ()) -> None:
        """A line of the history, and one of the audit trail."""
        self._write(alert, what, who=who, facts=facts)
        self._audit(alert, who, act, why=why, facts=facts)

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
