"""What the desk does within one transaction: everything is decided and written down here, and nothing is said.

Whatever is found or done is taken in from the top: findings, what is held back, what another alert says better, the
ladder, the acts of people, and what the courier reports.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from alerts import reasons
from alerts.catalogue import Catalogue
from alerts.escalation import (
    Nudge,
    Reason,
    Step,
    Verdict,
    climb,
    climb_now,
    from_the_start,
    held_for_life,
    judge,
    mended,
    next_look,
    watched,
)
from alerts.history import What
from alerts.incident import (
    BEFORE_ANYBODY_COMES,
    ENOUGH_CALLS,
    HUB,
    LOOK_WHETHER_OVER,
    MANY_HOMES,
    OUTAGE,
    SAID_BY_THE_HUB,
    SETTLES,
    SETTLING,
    STORM,
    WITHIN,
    Outage,
    about_area,
    bundled,
    bundled_until,
    codes_of,
    gathered_at,
    is_seconded,
    joined_by,
    led_by,
    muted_by,
    outage_at,
    outage_of,
    rung_within,
    settling,
    spoken_for_by,
    taking,
    time_left,
    unbundled,
    until_called,
    wider,
)
from alerts.maintenance import (
    HELD_FOR,
    HUSHED,
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
from alerts.plans import Hush, graded, hush_over, hushed, in_force, in_one, planned
from alerts.routing import answers_by, delivery_id, letters_for, pages, people_for, reachable, turn_of
from alerts.selftest import KEY, PRESSES, announced_in, is_test
from alerts.ways import after, call_of, next_ways, one_by_one, rung_up
from gateway.domain import (
    Absence,
    Act,
    Alert,
    Answer,
    Answers,
    ButtonTest,
    Delivery,
    Duty,
    Entry,
    Facts,
    Finding,
    Home,
    Ladder,
    Monitoring,
    Outcome,
    Override,
    Person,
    Purpose,
    Sending,
    Severity,
    Stage,
    State,
)
from gateway.domain.plan import ABSENCE, ending, readable
from gateway.ports import AlertLedger, Directory, Timer

TOGETHER = "together"
"""The kind of timer at which one person is told of several alerts in one message."""

WITH = "with"
"""The fact of a message that tells of several: the id of each other call that it stands for."""

CLIMB = "climb"
"""The kind of timer that is ours; others may use the same table."""

AGAIN_EVERY = timedelta(seconds=60)
"""However often a button is pressed, whoever has the alert is told at most once in each of these."""

LATE = timedelta(seconds=2)
"""A rung climbed later than this says so in the history: lateness of an escalation is a defect."""

LONGEST_WAIT = timedelta(seconds=60)
"""The courier never puts a delivery off for longer."""

WATCHED = (Monitoring.TRIAL, Monitoring.GUARDED)
"""Homes in these states count when it is asked how much of an area is dark."""

SYSTEM = ""
"""Who acts when nobody does: the gateway itself."""

CALLS = (Purpose.PAGE, Purpose.AGAIN, Purpose.ASK)
"""Whoever was sent one of these hears who has it, or that it is over."""

TO_THE_OWNER = (Purpose.AGAIN, Purpose.REMIND, Purpose.HANDED)
"""When none of these reaches whoever has it, nobody has it."""

OUT_OF_DOORS = frozenset({"not_returned", "night_exit"})

CONCERNING_LIFE = frozenset({"inactivity", "entered_no_motion", "not_returned"})
"""What signs of life speak against: they hold the next rung, and somebody is asked to confirm."""


class Sitting:
    """What the desk does within one transaction."""

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

    # ------------------------------------------------------------------ findings

    def consider(self, finding: Finding) -> Verdict:
        """Decide about one finding and do what follows."""
        if finding.code in PRESSES and (test := self._announced_test(finding)) is not None:
            return self._tested(finding, test)
        work = self._work(finding.home)
        how = treatment(finding, work, self.catalogue.entry(finding.code).severity)
        if how is Treatment.TEST and work is not None:
            finding = as_test(finding, work)
        cause = self.catalogue.cause(finding)
        finding = graded(finding, self.catalogue.usual(finding.code), in_force(self._plan(finding.home)))
        open_alerts = self.ledger.open_alerts(finding.home)
        hush = self._hush(finding) if how is Treatment.REAL else None
        # What waits takes in only more of the same, so that what cannot wait does not vanish in it.
        open_alerts = [one for one in open_alerts if not one.finding.fact(HUSHED) or one.code == finding.code]
        alert = taking(finding, open_alerts, self.catalogue.usual, self.now, alone=how is Treatment.HELD)
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
        elif hush is not None and (alert is None or is_held(alert)):
            finding = hushed(finding, hush)
            is_worse = verdict.reason is Reason.WORSE
            verdict = replace(verdict, told=False, reason=Reason.HUSHED)
            if alert is not None and is_worse:
                return replace(verdict, alert=self._worsen(alert, finding))
        elif alert is not None and alert.finding.fact(HUSHED):  # the same, and by now it cannot wait
            alert = self._let_go(alert)
        if alert is None:
            return replace(verdict, alert=self._open(cause.id, finding))
        if verdict.reason is Reason.WORSE:
            return replace(verdict, alert=self._worsen(alert, finding))
        return replace(verdict, alert=self._repeat(alert, finding))

    def _announced_test(self, finding: Finding) -> Override | None:
        line = announced_in(self._plan(finding.home), self.now)
        return line if line and is_test(finding, line, self.ledger.button_tests(finding.home)) else None

    def _tested(self, finding: Finding, line: Override) -> Verdict:
        """A button was tried out, as announced: it is written down, and nobody is called."""
        test = ButtonTest(home=finding.home, sensor=finding.fact("sensor"), at=finding.since, by=line.author)
        if not self.ledger.join(self.catalogue.cause(finding), f"{KEY}/{finding.home}"):
            return Verdict(False, Reason.KNOWN)
        if any(t.sensor == test.sensor and t.at >= line.since for t in self.ledger.button_tests(finding.home)):
            return Verdict(False, Reason.TESTED)  # pressed twice, to be sure
        self.ledger.keep_test(test)
        self.ledger.audit(
            Act(at=self.now, who=line.author, what="button.tested", ref=finding.home, facts=(("sensor", test.sensor),))
        )
        home = self._home(finding.home)
        self.ledger.publish(self.now, "home", finding.home, finding.home, home.grid if home else "")
        return Verdict(False, Reason.TESTED)

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
        if is_held(alert) and not finding.fact(HUSHED):
            return self._hold(alert)
        if (speaker := self._speaker(alert)) is not None:  # quiet hours of a home do not hide that its street is dark
            return self._mute(alert, speaker)
        if is_held(alert):
            return self._hold(alert)
        alert = self._climb(alert, is_new=True)
        for other in muted_by(alert, self.ledger.open_alerts(alert.home)) if alert.code == HUB else ():
            self._mute(other, alert)
        return alert

    def _repeat(self, alert: Alert, finding: Finding) -> Alert:
        """It was pressed or found again, or something else was found: count it, and tell whoever has it."""
        is_certain = is_seconded(alert, finding)
        alert = joined_by(alert, finding, self.now)
        facts: Facts = (("count", str(alert.count)),)
        if finding.code != alert.code:
            facts = (("code", finding.code), ("severity", finding.severity.name.lower()))
        what = What.AGAIN if finding.code == alert.code else What.JOINED
        self._write(alert, what, facts=facts)
        self._audit(alert, SYSTEM, f"alert.{what}", facts=facts)
        if alert.is_taken and not self._tell_owner(alert, finding.code if what is What.JOINED else ""):
            return self._ring_again(alert)
        if is_certain and alert.is_ringing and not self._has_called(alert, Duty.FIRE_STATION):
            return self._climb(climb_now(alert, self.now))
        if alert.code == TEST and alert.is_ringing and self._may_be_told_again(alert):
            return self._climb(from_the_start(alert, self.now))  # no ladder goes on that would try it once more
        if alert.is_ringing and what is What.JOINED and not self._has_called(alert):
            within = until_called(self._ladder_for(finding))
            if within < time_left(alert, self.now):  # within an incident nothing is told later than it would be alone
                return self._climb(replace(from_the_start(alert, self.now), rung=rung_within(alert.ladder, within)))
        return self._save(alert)

    def _worsen(self, alert: Alert, finding: Finding) -> Alert:
        """More severe than what people were told: call them from the start, by the ladder for *that*."""
        facts: Facts = (("was", alert.severity.name.lower()), ("severity", finding.severity.name.lower()))
        if finding.code != alert.code:
            facts += (("code", finding.code),)
        left = timedelta(0) if self._has_called(alert) else time_left(alert, self.now)
        alert = replace(led_by(alert, finding, self.now), ladder=self._ladder_for(finding))
        self._write(alert, What.WORSE, facts=facts)
        self._audit(alert, SYSTEM, "alert.worse", facts=facts)
        if is_held(alert) or alert.is_muted:
            return self._save(alert)
        if alert.is_taken:
            self._tell_owner(alert)
        # Nobody is called later for the worse than for what it was: what has been asked is not asked from the start.
        return self._climb(replace(from_the_start(alert, self.now), rung=rung_within(alert.ladder, left)))

    def _has_called(self, alert: Alert, duty: Duty | None = None) -> bool:
        """Somebody was called who can come; for this duty, where one is named."""
        called = {d.duty for d in self._of(alert, Purpose.PAGE)} - BEFORE_ANYBODY_COMES
        return bool(called) if duty is None else duty in called

    def _may_be_told_again(self, alert: Alert) -> bool:
        return all(self.now - told.created_at >= AGAIN_EVERY for told in self._of(alert, Purpose.PAGE))

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

    # ------------------------------------------------------------------ while somebody works in the home

    def _ladder(self, finding: Finding) -> Ladder:
        """A copy of the policy's ladder; for a test only its first rung on which anybody can be reached."""
        if finding.code != TEST:
            return self._ladder_for(finding)
        real = tested(finding)
        rungs = self.catalogue.ladder(real.code, real.severity).rungs
        singly = [replace(rung, duty=duty, also=()) for rung in rungs for duty in rung.waited_for]
        singly = [rung for rung in singly if rung.duty not in (Duty.ELDER, Duty.FAMILY)]
        first = next((r for r in singly if reachable(self.people(finding.home, r.duty))), singly[0])
        return Ladder(rungs=(first,), repeat=None)

    def _hold(self, alert: Alert) -> Alert:
        """On the books, but nobody is called until the work has ended."""
        author, hush = alert.finding.fact(HELD_FOR), self._hush(alert.finding)
        alert = replace(alert, next_at=self.now + LOOK_AGAIN)
        facts: Facts = ()
        if hush is not None and alert.finding.fact(HUSHED):
            alert = replace(alert, next_at=min(hush.until, self.now + LOOK_AGAIN))
            facts = ((HUSHED, hush.kind), ("until", hush.until.isoformat()))
        self._write(alert, What.HELD, who=author, facts=facts)
        self._audit(alert, author, "alert.held")
        return self._save(alert)

    def _look_again(self, alert: Alert) -> None:
        """Is the work over? Then what was held back is judged again: it has passed, or people are called now."""
        if alert.finding.fact(HUSHED):
            self._look_whether_it_waits(alert)
            return
        if self._work(alert.home) is not None:
            self._save(replace(alert, next_at=self.now + LOOK_AGAIN))
            return
        author = alert.finding.fact(HELD_FOR)
        alert = self._let_go(alert)
        if self.has_passed(alert.finding):
            is_equipment = self.catalogue.entry(alert.code).severity is Severity.TECHNICAL
            outcome = Outcome.TEST_OR_DRILL if is_equipment or not author else Outcome.ELDER_AWAY
            self.resolve(self.accept(alert, author, "maintenance") if author else alert, author, outcome, "")
        else:
            self._climb(alert)

    def _let_go(self, alert: Alert) -> Alert:
        # Nobody's time was counted while nobody was to know of it.
        alert = replace(alert, finding=let_go(alert.finding), next_at=self.now, worse_at=self.now)
        self._write(alert, What.RELEASED)
        self._audit(alert, SYSTEM, "alert.released")
        return alert

    def _work(self, home: str) -> Work | None:
        found = self._home(home)
        state = found.state if found else Monitoring.GUARDED
        return work_or_pause_in(self._plan(home), self.now, state)

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

    def _look_whether_it_waits(self, alert: Alert) -> None:
        """Are the quiet hours over, or the silence? Then it has passed, or people hear of it, of several in one."""
        if (hush := self._hush(alert.finding)) is not None:
            self._save(replace(alert, next_at=min(hush.until, self.now + LOOK_AGAIN)))
            return
        alert = self._let_go(alert)
        if self.has_passed(alert.finding):
            is_equipment = self.catalogue.usual(alert.code) is Severity.TECHNICAL
            self.resolve(alert, SYSTEM, Outcome.SENSOR_FAULT if is_equipment else Outcome.ELDER_SAFE, "")
            return
        before = len(self._queued)
        alert = self._climb(alert)
        self._waited += [(delivery, alert) for delivery in self._queued[before:]]

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

    # ------------------------------------------------------------------ many calls to one person

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

    # ------------------------------------------------------------------ what another alert says better

    def _speaker(self, alert: Alert) -> Alert | None:
        """The alert that says more than this new one would: the silent hub's, or that of its dark area."""
        if alert.code == HUB:
            return self._outage(alert)
        return spoken_for_by(self.ledger.open_alerts(alert.home)) if alert.code in SAID_BY_THE_HUB else None

    def _outage(self, alert: Alert) -> Alert | None:
        """The outage of an area to which this silent home belongs; opened here when this home makes the number full."""
        outages = self.ledger.open_everywhere(OUTAGE)
        going_on = outage_of(alert.home, outages, {alert.home: self.directory.around(alert.home)}, self.now)
        if going_on is not None:
            return going_on
        dark = {alert.home, *self.ledger.homes_with(HUB, self.now - WITHIN)}
        if len(dark) < MANY_HOMES:
            return None
        homes = [home for home in self.directory.homes() if home.state in WATCHED and home.interval is not None]
        places = {home.id: self.directory.around(home.id) for home in homes}
        found = outage_at(alert.home, dark, places)
        return self._open_outage(alert, found, wider(found.area, outages, places)) if found else None

    def _open_outage(self, alert: Alert, found: Outage, grown: list[Alert]) -> Alert:
        """One incident for all of them; outages of places within it have grown into one, the oldest."""
        silent = [
            one
            for home in found.homes
            for one in self.ledger.open_alerts(home)
            if one.code == HUB and (not is_held(one) or one.finding.fact(HUSHED))
        ]
        name = self.directory.place_name(found.area)
        if grown:
            outage = replace(grown[0], subject=found.area, finding=about_area(grown[0].finding, found.area, name))
            self.write_down(outage, What.GROWN, SYSTEM, "alert.grown", facts=(("area", name),))
            self._save(outage)
            for other in grown[1:]:
                for member in self.ledger.members(other.id):
                    self._save(replace(member, incident=outage.id))
                self._mute(other, outage)
        else:
            finding = Finding(
                home=alert.home,
                code=OUTAGE,
                severity=self.catalogue.entry(OUTAGE).severity,
                since=min(one.finding.since for one in (alert, *silent)),
                at=self.now,
            )
            finding = about_area(finding, found.area, name)
            self.ledger.join(finding, finding.id)
            outage = self._open(finding.id, finding)
        for one in silent:
            if one.incident != outage.id:
                self._mute(one, outage)
        return outage

    def _mute(self, alert: Alert, speaker: Alert) -> Alert:
        """Nobody is called for it while the other stands. It stays on the books, and is looked at again."""
        for delivery in self._waiting(alert, Purpose.PAGE):
            self._withdraw(delivery, reasons.SAID_BY_ANOTHER)
        alert = replace(alert, incident=speaker.id, finding=let_go(alert.finding))
        if alert.is_ringing:
            alert = replace(alert, next_at=self.now + LOOK_WHETHER_OVER)
        self.write_down(alert, What.MUTED, SYSTEM, "alert.muted", facts=(("code", speaker.code), ("by", speaker.id)))
        speaker = self.ledger.alert(speaker.id) or speaker
        self._write(speaker, What.SPEAKS, facts=self._member(alert))
        self._save(replace(speaker, last_at=self.now, next_at=speaker.next_at or self.now))
        return self._save(alert)

    def _look_whether_it_is_over(self, alert: Alert) -> None:
        """Is what was muted over by itself? If only what speaks for it is, people are called once it had its time."""
        speaker = self.ledger.alert(alert.incident)
        settles = alert.finding.fact(SETTLING)
        if self.has_passed(alert.finding):
            self._is_back(self.close(self.resolve(alert, SYSTEM, Outcome.DUPLICATE, ""), SYSTEM), speaker)
        elif speaker is not None and speaker.is_open and not self.has_passed(speaker.finding):
            self._save(replace(alert, finding=settling(alert.finding, None), next_at=self.now + LOOK_WHETHER_OVER))
        elif not settles:
            until = self.now + SETTLES
            alert = replace(alert, finding=settling(alert.finding, until), next_at=until)
            self._write(alert, What.SETTLES, facts=(("again_at", until.isoformat()),))
            self._save(alert)
        else:
            alert = replace(alert, finding=settling(alert.finding, None), incident="")
            self.write_down(alert, What.RELEASED, SYSTEM, "alert.released")
            hush = self._hush(alert.finding)
            if hush is not None:
                self._hold(replace(alert, finding=hushed(alert.finding, hush)))
            else:
                self._climb(from_the_start(alert, self.now))

    def _is_back(self, alert: Alert, speaker: Alert | None) -> None:
        """What stands for many says of each that it is over, and rings no more after the last; a person ends it."""
        if speaker is None or not speaker.is_open:
            return
        self._write(speaker, What.BACK, facts=self._member(alert))
        if speaker.code == OUTAGE and not any(one.is_open for one in self.ledger.members(speaker.id)):
            self._write(speaker, What.ALL_BACK)
            self._save(replace(speaker, next_at=None))

    def _member(self, alert: Alert) -> Facts:
        home = self._home(alert.home)
        return (("code", alert.code), ("home", home.code if home else alert.home), ("sensor", alert.subject))

    # ------------------------------------------------------------------ the ladder

    def ring(self, timer: Timer) -> None:
        """A deadline has come. What the row says is only a reminder; the alert itself knows whether it is true."""
        alert = self.ledger.alert(timer.ref)
        due_at = alert.due_at if alert is not None else None
        if alert is None or due_at is None or not alert.is_open:
            self.ledger.clear_timer(timer.id)
            return
        if due_at > self.now:
            self.ledger.set_timer(replace(timer, due_at=due_at))
            return
        if alert.watch_at is not None and alert.watch_at <= self.now:
            alert = self._watch(alert)
        if alert.is_ringing and alert.next_at is not None and alert.next_at <= self.now:
            if is_held(alert):
                self._look_again(alert)
            elif alert.is_muted:
                self._look_whether_it_is_over(alert)
            elif alert.stirred_at is None and self._has_stirred(alert):
                self._hold_for_life(alert)
            else:
                self._climb(alert)

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

    def _climb(self, alert: Alert, *, is_new: bool = False) -> Alert:
        said = [] if is_new else self.ledger.deliveries(alert.id)
        calls = Calls(self, alert, said)
        alert, steps = climb(alert, self.now, calls.are_waited_for)
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

    # ------------------------------------------------------------------ acts

    def accept(self, alert: Alert, who: str, how: str) -> Alert:
        told = self._stop_calling(alert, reasons.ACCEPTED_FIRST)
        alert = replace(
            alert,
            state=State.ACCEPTED,
            owner=who,
            owned_at=self.now,
            reminded=0,
            accepted_at=self.now,
            next_at=None,
            finding=let_go(alert.finding),  # whoever accepts what was held back has it, like anything else
        )
        self._queue(self._taken(alert, delivery) for delivery in told if delivery.person != who)
        self.write_down(alert, What.ACCEPTED, who, "alert.accepted", facts=(("how", how),))
        return self._save(alert)

    def coordinate(self, alert: Alert, who: str, how: str) -> Alert:
        """It is kept together from afar: that person is called no more, and somebody is sent for who can be there."""
        for delivery in self._waiting(alert, Purpose.PAGE):
            if delivery.person == who:
                self._withdraw(delivery, reasons.ACCEPTED_FIRST)
        alert = replace(alert, coordinator=who, finding=let_go(alert.finding))
        self.write_down(alert, What.COORDINATES, who, "alert.coordinated", facts=(("how", how),))
        rungs = alert.ladder.rungs
        so_far = rungs[: alert.rung] if alert.round == 0 else rungs
        if any(duty not in (Duty.ELDER, Duty.FAMILY) for rung in so_far for duty in rung.duties):
            return self._save(alert)  # they are being called, each in turn
        return self._climb(replace(alert, next_at=self.now))

    def moves(self, alert: Alert, who: str, what: What, proof: str) -> Alert:
        """On the way, or there. Whoever goes along is written down; the alert moves with its owner."""
        self.write_down(alert, what, who, f"alert.{what.value}", facts=(("proof", proof),) if proof else ())
        if alert.owner == who and what is What.EN_ROUTE and alert.state is State.ACCEPTED:
            alert = replace(alert, state=State.EN_ROUTE, en_route_at=self.now, reminded=0)
        elif alert.owner == who and what is What.ON_SITE and alert.state is not State.ON_SITE:
            alert = replace(alert, state=State.ON_SITE, on_site_at=self.now, reminded=0)
        return self._save(alert)

    def hand_over(self, alert: Alert, who: str, to: Person, why: str) -> Alert:
        for purpose in TO_THE_OWNER:
            for delivery in self._waiting(alert, purpose):
                self._withdraw(delivery, reasons.NEWER)
        facts: Facts = (("from", alert.owner), ("to", to.id), *((("note", why),) if why else ()))
        self.write_down(alert, What.HANDED, who, "alert.handed", why=why, facts=facts)
        told = [d for d in self._told(alert) if d.person == alert.owner != who]
        alert = replace(alert, state=State.ACCEPTED, owner=to.id, owned_at=self.now, reminded=0, en_route_at=None)
        self._queue(self._taken(alert, delivery) for delivery in told)  # whoever had it did not give it away
        turn = f"{self.now.timestamp():.3f}"
        self._write_to(to, alert, Purpose.HANDED, turn, (("owner", who),))
        return self._save(alert)

    def cannot_go(self, alert: Alert, who: str, why: str) -> Alert:
        """It is nobody's who can be there: rung from the start, and kept together by whoever had it."""
        facts: Facts = (("how", "cannot-go"), *((("note", why),) if why else ()))
        self.write_down(alert, What.COORDINATES, who, "alert.given-back", why=why, facts=facts)
        for delivery in self.ledger.deliveries(alert.id):
            if delivery.purpose in TO_THE_OWNER and delivery.state is Sending.WAITING:
                self._withdraw(delivery, reasons.NEWER)
        return self._climb(replace(from_the_start(alert, self.now), coordinator=who))

    def needs_help(self, alert: Alert) -> Alert:
        """She was asked and says that she needs help: an emergency, whatever it was before."""
        if not alert.severity.is_emergency:
            finding = replace(
                alert.finding, severity=Severity.EMERGENCY, facts=(*alert.finding.facts, ("answer", "help"))
            )
            return self._worsen(replace(alert, finding=let_go(alert.finding)), let_go(finding))
        if alert.is_taken:
            return self._save(alert) if self._tell_owner(alert) else self._ring_again(alert)
        return self._climb(climb_now(alert, self.now))

    def cancel(self, alert: Alert, who: str) -> Alert:
        """The resident says that no help is needed, and nobody has it yet."""
        told = self._stop_calling(alert, reasons.RESOLVED_FIRST)
        alert = replace(alert, state=State.CANCELLED, resolved_at=self.now, outcome=Outcome.ELDER_SAFE, next_at=None)
        self._queue(self._over(alert, delivery, "") for delivery in told if delivery.duty is not Duty.ELDER)
        self.write_down(alert, What.CANCELLED, who, "alert.cancelled")
        return self._save(alert)

    def resolve(self, alert: Alert, who: str, outcome: Outcome, note: str) -> Alert:
        told = self._stop_calling(alert, reasons.RESOLVED_FIRST)
        alert = replace(
            alert, state=State.RESOLVED, resolved_at=self.now, outcome=outcome, note=note.strip(), next_at=None
        )
        # Whoever has it, or keeps it together from afar, hears that it is over when somebody else ends it.
        concerned = {alert.owner, alert.coordinator} - {who, ""}
        self._queue(self._over(alert, delivery, who) for delivery in told if delivery.person in concerned)
        facts: Facts = (("outcome", outcome.value),)
        facts = (*facts, ("note", alert.note)) if alert.note else facts
        self._write(alert, What.RESOLVED, who=who, facts=facts)
        self._audit(alert, who, "alert.resolved", why=alert.note, facts=facts[:1])
        return self._save(alert)

    def declare_away(self, home_id: str, who: str, until: datetime) -> None:
        """The resident is with the family until then: until then nobody is told that nothing moves in the home."""
        home = self._home(home_id)
        if home is None:
            return
        lines = [line for line in self.directory.plan_lines(home_id) if line.home == home_id]
        for line in ending(lines, ABSENCE, self.now):
            self.ledger.put_override(line)
        line = Override(
            home=home_id, key=ABSENCE, value=Absence.FAMILY, since=self.now, until=until, author=who, reason="family"
        )
        self.ledger.put_override(line)
        facts: Facts = (("key", line.key), ("value", line.value), ("until", until.isoformat()))
        self.ledger.audit(Act(at=self.now, who=who, what="plan.home", ref=home_id, why=line.reason, facts=facts))
        self.ledger.publish(self.now, "registry", home_id, home_id, home.grid)

    def follow_up(self, alert: Alert, who: str, note: str, facts: Facts) -> Alert:
        alert = replace(alert, state=State.FOLLOWED_UP, followed_up_at=self.now)
        facts = (*facts, ("note", note.strip())) if note.strip() else facts
        self.write_down(alert, What.FOLLOWED_UP, who, "alert.followed-up", facts=facts)
        return self._save(alert)

    def close(self, alert: Alert, who: str) -> Alert:
        alert = replace(alert, state=State.CLOSED, closed_at=self.now)
        self.write_down(alert, What.CLOSED, who, "alert.closed")
        return self._save(alert)

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

    # ------------------------------------------------------------------ while people have it, and while she stirs

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

    # ------------------------------------------------------------------ small hands

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
        return person if one_by_one(alert.severity) else rung_up(person, self.directory.phones(person.id), self._call)

    def _write_to(self, person: Person, alert: Alert, purpose: Purpose, turn: str, facts: Facts) -> None:
        self._queue(letters_for(self.reached(person, alert), alert, purpose, turn, self.now, facts=facts))

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
        self._say_by_themselves(delivery)

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


class Calls:
    """Whom each rung means now: everybody once in a round, a coordinator never, the resident in the first only."""

    def __init__(self, sitting: Sitting, alert: Alert, said: Iterable[Delivery]) -> None:
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
