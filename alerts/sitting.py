"""What the desk does within one transaction: everything is decided and written down here, and nothing is said.

Findings, what is held back, what another alert says better, and the acts of people, from the top. What is written and
said stands in `alerts/minutes.py`, the ladder in `alerts/climbing.py`.
"""

import logging
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from alerts import reasons
from alerts.climbing import Climbing
from alerts.escalation import Reason, Verdict, climb_now, from_the_start, judge
from alerts.history import What
from alerts.incident import (
    HUB,
    LOOK_WHETHER_OVER,
    MANY_HOMES,
    OUTAGE,
    SAID_BY_THE_HUB,
    SETTLES,
    SETTLING,
    WITHIN,
    Outage,
    about_area,
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
    until_called,
    wider,
)
from alerts.maintenance import (
    HELD_FOR,
    HUSHED,
    LOOK_AGAIN,
    TEST,
    Treatment,
    as_test,
    held_back,
    is_held,
    let_go,
    tested,
    treatment,
)
from alerts.minutes import SYSTEM, TO_THE_OWNER
from alerts.plans import graded, hushed, in_force
from alerts.routing import reachable
from alerts.selftest import KEY, PRESSES, announced_in, is_test
from alerts.visits import OUTCOMES
from gateway.domain import (
    Absence,
    Act,
    Alert,
    ButtonTest,
    Duty,
    Facts,
    Finding,
    Ladder,
    Monitoring,
    Outcome,
    Override,
    Person,
    Purpose,
    Sending,
    Severity,
    State,
)
from gateway.domain.plan import ABSENCE, ending
from gateway.domain.visit import Visit
from gateway.ports import Timer

WATCHED = (Monitoring.TRIAL, Monitoring.GUARDED)
"""Homes in these states count when it is asked how much of an area is dark."""


class Sitting(Climbing):
    """What the desk does within one transaction."""

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
            if finding.code in PRESSES:  # told by a broker after a fall, a button until it is heard, or an eavesdropper
                self.remarks.append((logging.INFO, "a press that is known was told again: nobody is called", cause.id))
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

    def open_plainly(self, finding: Finding) -> Verdict:
        """The same where all that has failed: without the plan, the hour, the work in the home and what else is open
        there. People are called."""
        cause = self.catalogue.cause(finding)
        if not self.ledger.join(cause, cause.id):
            return Verdict(False, Reason.KNOWN)
        ladder = self.catalogue.ladder(finding.code, finding.severity)
        return Verdict(True, Reason.NEW, self._climb(self._raise(cause.id, finding, ladder), is_new=True))

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

    def _raise(self, alert_id: str, finding: Finding, ladder: Ladder) -> Alert:
        alert = Alert(
            id=alert_id,
            home=finding.home,
            code=finding.code,
            subject=finding.subject,
            severity=finding.severity,
            state=State.RAISED,
            ladder=ladder,
            raised_at=self.now,
            finding=finding,
            next_at=self.now,
        )
        facts = (("code", alert.code), ("severity", alert.severity.name.lower()))
        self._write(alert, What.RAISED, facts=facts)
        self._audit(alert, SYSTEM, "alert.raised", facts=facts)
        return alert

    def _open(self, alert_id: str, finding: Finding) -> Alert:
        alert = self._raise(alert_id, finding, self._ladder(finding))
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
                # In the same round, so that whoever was called already is not called again, and nobody is passed over.
                return self._climb(replace(alert, next_at=self.now), at_once=rung_within(alert.ladder, within))
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
        # Nobody is called later for the worse than for what it was: whoever was asked is not waited for once more.
        return self._climb(from_the_start(alert, self.now), at_once=rung_within(alert.ladder, left))

    # ------------------------------------------------------------------ a deadline has come

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

    def ring_plainly(self, timer: Timer) -> None:
        """The same where that has failed: who is next on the ladder is called."""
        alert = self.ledger.alert(timer.ref)
        if alert is None or not alert.is_ringing:
            raise ValueError("nothing rings here that could be climbed")
        self._climb(alert)

    # ------------------------------------------------------------------ what is held back

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
        # By grids, of which there are hundreds where there are a hundred thousand homes.
        homes = [home for home in self.directory.homes() if home.state in WATCHED and home.interval is not None]
        one_of = {home.grid: home.id for home in homes}
        lines = {grid: self.directory.around(home) for grid, home in one_of.items()}
        watched: Counter[str] = Counter()
        for grid, count in Counter(home.grid for home in homes).items():
            watched.update(dict.fromkeys(lines[grid], count))
        found = outage_at(alert.home, {home.id: lines[home.grid] for home in homes if home.id in dark}, watched)
        return self._open_outage(alert, found, wider(found.area, outages, lines.values())) if found else None

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

    def visited(self, alert: Alert, visit: Visit) -> None:
        """What asked for a visit is settled by it, and filed: when to come again say the visits themselves."""
        alert = self.accept(alert, visit.person, "visit") if alert.is_ringing else alert
        self.close(self.resolve(alert, visit.person, OUTCOMES[visit.elder], visit.note), visit.person)

    def close(self, alert: Alert, who: str) -> Alert:
        alert = replace(alert, state=State.CLOSED, closed_at=self.now)
        self.write_down(alert, What.CLOSED, who, "alert.closed")
        return self._save(alert)
