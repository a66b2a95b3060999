"""Whom of the family a resident does not want to be told: what was once agreed to and is taken back, counts at once.

In danger of life nobody waits for that (PIPL 13-4): an emergency is told to everybody it is meant for. Whoever is never
to be called, not even then, is taken off the list of contacts.
"""

from datetime import datetime

from gateway.domain import Alert, Duty, Home, Look
from gateway.domain.people import is_declined
from gateway.domain.plan import NOT_SHOWN
from gateway.ports import Directory

BY_RELATION = (None, Duty.FAMILY)
"""Under these a message goes to somebody as the family; whoever was called for a post is told by that."""


def may_be_told(
    person: str, duty: Duty | None, alert: Alert, home: Home | None, directory: Directory, now: datetime
) -> bool:
    """Whether a message about this alert may go to this person, or a link of theirs still opens it."""
    if home is None or not home.person or alert.severity.is_emergency or duty not in BY_RELATION:
        return True
    if all(contact.person != person for contact in directory.contacts(home.id)):
        return True  # not as the family: somebody on duty
    if duty is None and any(directory.duties(person, now)):
        return True
    if any(line.key == NOT_SHOWN for line in directory.plan(home.id, now)):
        return False
    return not is_declined(person, Look.ALERTS, directory.consents(home.person))
