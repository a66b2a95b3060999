"""What a resident lets others see: by whom, what, and for how long not. Every act is one audited transaction.

Each counts from the moment it is written: pages, streams, messages and links ask anew each time.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain import Act, Consent, Facts, Home, Look, Override, Sight
from gateway.domain.people import LOOKS, looks
from gateway.domain.plan import NOT_SHOWN
from gateway.ports import Directory, RegistryLedger, RegistryStore
from gateway.refusals import N_, known_home, refused

NOT_SHOWN_AT_MOST = timedelta(days=7)
"""Whoever wants the family to see nothing for longer takes the consent back."""

OWN_WISH = "own wish"
"""Why something is paused or withdrawn, where residents themselves pressed the button and owe nobody a reason."""


def shown_to(person: str, home: Home, directory: Directory, now: datetime) -> frozenset[Look]:
    """What of this home somebody of the family may look at, at this moment."""
    if not home.person or not_shown_until(home, directory, now) is not None:
        return frozenset()
    return looks(person, directory.contacts(home.id), directory.consents(home.person))


def not_shown_until(home: Home, directory: Directory, now: datetime) -> datetime | None:
    """Until when the resident is not shown to the family; None while they are."""
    return next((line.until for line in directory.plan(home.id, now) if line.key == NOT_SHOWN), None)


@dataclass(slots=True)
class _Act:
    ledger: RegistryLedger
    home: Home
    who: str
    now: datetime

    def note(self, what: str, ref: str, *, why: str = "", facts: Facts = ()) -> None:
        self.ledger.audit(Act(at=self.now, who=self.who, what=what, ref=ref, why=why, facts=facts))
        self.ledger.publish(self.now, "registry", self.home.id, home=self.home.id, grid=self.home.grid)


class Sharing:
    """The use-cases, for the resident's own page, the installer's and the command line. Refuses with a
    RegistrationError."""

    def __init__(self, store: RegistryStore) -> None:
        self._store = store

    def show(
        self,
        home_id: str,
        viewer: str,
        wanted: Iterable[Look],
        *,
        version: str,
        given_by: str,
        evidence: str,
        who: str,
        now: datetime,
    ) -> None:
        """The resident agrees that this contact is shown these, each a consent of its own; what holds goes on."""
        wanted = sorted(wanted)
        with self._act(home_id, who, now) as act:
            contacts = self._store.contacts(home_id)
            if all(contact.person != viewer for contact in contacts):
                raise refused(N_("There is nobody '{person}' among the contacts of this home."), person=viewer)
            most = [contact.may_see for contact in contacts if contact.person == viewer]
            if not any(set(wanted) <= set(LOOKS[sight]) for sight in most):
                needed = next(sight for sight in Sight if set(wanted) <= set(LOOKS[sight]))
                wider = [replace(c, may_see=needed) if c.person == viewer else c for c in contacts]
                act.ledger.put_contacts(home_id, wider, now)
                act.note("contacts.put", home_id)
            holding = {c.purpose for c in self._store.consents(act.home.person) if c.viewer == viewer and c.holds}
            for look in wanted:
                if look.value in holding:
                    continue
                act.ledger.give_consent(
                    Consent(
                        person=act.home.person,
                        purpose=look.value,
                        version=version,
                        given_at=now,
                        given_by=given_by,
                        evidence=evidence,
                        viewer=viewer,
                    )
                )
                act.note("consent.give", act.home.person, facts=(("purpose", look.value), ("viewer", viewer)))

    def hide(
        self, home_id: str, viewer: str, unwanted: Iterable[Look], *, why: str = OWN_WISH, who: str, now: datetime
    ) -> None:
        """This contact is not shown these any more, from this moment on. Nothing to withdraw is no error."""
        purposes = {look.value for look in unwanted}
        with self._act(home_id, who, now) as act:
            for consent in self._store.consents(act.home.person):
                if consent.holds and consent.viewer == viewer and consent.purpose in purposes:
                    act.ledger.withdraw_consent(consent.number, now)
                    facts = (("purpose", consent.purpose), ("viewer", viewer))
                    act.note("consent.withdraw", act.home.person, why=why, facts=facts)

    def pause(self, home_id: str, until: datetime, *, why: str = OWN_WISH, who: str, now: datetime) -> None:
        """Until then the family sees nothing, and is told of emergencies only. It ends by itself."""
        if not now < until <= now + NOT_SHOWN_AT_MOST:
            raise refused(N_("A pause of showing ends within a week; for longer, take the consent back."))
        with self._act(home_id, who, now) as act:
            self._end(act)
            act.ledger.put_override(
                Override(home=home_id, key=NOT_SHOWN, value="yes", since=now, until=until, author=who, reason=why)
            )
            act.note("sharing.pause", home_id, why=why, facts=(("until", until.isoformat()),))

    def resume(self, home_id: str, *, who: str, now: datetime) -> None:
        """What was agreed to is shown again. Nothing to end is no error: it may have ended by itself."""
        with self._act(home_id, who, now) as act:
            if self._end(act):
                act.note("sharing.resume", home_id)

    def _end(self, act: _Act) -> bool:
        running = [
            line for line in self._store.overrides(act.home.id) if line.key == NOT_SHOWN and line.covers(act.now)
        ]
        for line in running:
            act.ledger.put_override(replace(line, until=act.now))
        return bool(running)

    @contextmanager
    def _act(self, home_id: str, who: str, now: datetime) -> Iterator[_Act]:
        with self._store.begin() as ledger:
            home = known_home(self._store, home_id)
            if not home.person:
                raise refused(N_("Register the resident first: consent is given by a person."))
            yield _Act(ledger, home, who, now)
