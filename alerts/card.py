"""急救交接卡: who may open what an ambulance crew has to know, for what reason, and who is told that they did.

What a resident has told about illness is shown by consent to those who keep the file. In danger of life nobody waits
for that: whoever goes there breaks the glass. It is an act of its own, with a reason, and it ends by itself.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.history import What
from alerts.routing import letters_for, people_for
from gateway.domain import Act, Alert, Delivery, Duty, Entry, Purpose, Severity
from gateway.ports import AlertLedger, AlertStore, Directory

LASTS = timedelta(hours=1)
"""How long a card stays open for whoever opened it: a way to the hospital. It is opened again with another reason."""

SHORTEST_REASON = 2
"""Characters: 昏迷 is a reason."""

TOLD = frozenset({Purpose.PAGE, Purpose.AGAIN})
"""Whoever was called by one of these is a responder of the alert."""


LAY = frozenset({Duty.ELDER, Duty.FAMILY, Duty.KEY_HOLDER, Duty.VOLUNTEER})
"""Neighbours, family, volunteers: they learn what their errand needs. Illnesses are not ours to tell them."""


class Denial(StrEnum):
    """Why a card is not opened."""

    UNKNOWN = "unknown"
    OVER = "over"
    NO_EMERGENCY = "no-emergency"
    NOT_A_RESPONDER = "not-a-responder"
    NO_REASON = "no-reason"


@dataclass(frozen=True, slots=True)
class Opening:
    """Who opened the card, why, and until when it stays open."""

    who: str
    at: datetime
    until: datetime
    why: str


def denial(
    alert: Alert, who: str, why: str, *, responders: Collection[str], leads: bool, lends_a_hand: bool = False
) -> Denial | None:
    """Why this person may not open the card now; None when they may. Danger first, then who, then the reason."""
    if not alert.is_open:
        return Denial.OVER
    if alert.severity.worse_than(Severity.MEDIUM) is False:
        return Denial.NO_EMERGENCY
    if lends_a_hand and alert.severity is not Severity.EMERGENCY:
        return Denial.NO_EMERGENCY
    if not leads and not lends_a_hand and who not in responders:
        return Denial.NOT_A_RESPONDER
    if len(why.strip()) < SHORTEST_REASON:
        return Denial.NO_REASON
    return None


def responders(alert: Alert, deliveries: Iterable[Delivery]) -> set[str]:
    """Whoever has it, and whoever was called about it; but nobody who helps without holding a post."""
    called: dict[str, set[Duty]] = {}
    for delivery in deliveries:
        if delivery.purpose in TOLD and delivery.duty is not None:
            called.setdefault(delivery.person, set()).add(delivery.duty)
    lay = {person for person, duties in called.items() if duties <= LAY}
    return (called.keys() | ({alert.owner} if alert.owner else set())) - lay


def disclose(
    store: AlertStore,
    directory: Directory,
    alert_id: str,
    who: str,
    why: str,
    now: datetime,
    *,
    leads: bool = False,
    lends_a_hand: bool = False,
    beside: Callable[[AlertLedger], None] = lambda ledger: None,
) -> Opening | Denial:
    """Break the glass: on the alert's history, in the audit trail, and told to whoever leads; or why not. What `beside`
    writes becomes durable with it.

    `leads`: this person answers for the area, and needs not have been called. `lends_a_hand`: they are on duty and
    were not called, here or elsewhere; somebody's life is in danger and they are the ones who can go.
    """
    with store.begin() as ledger:
        alert = ledger.alert(alert_id)
        if alert is None:
            return Denial.UNKNOWN
        told = responders(alert, ledger.deliveries(alert_id))
        refused = denial(alert, who, why, responders=told, leads=leads, lends_a_hand=lends_a_hand)
        if refused is not None:
            ledger.audit(Act(at=now, who=who, what="card.refused", ref=alert_id, why=why.strip(), facts=_said(refused)))
            return refused
        opening = Opening(who, now, now + LASTS, why.strip())
        facts = (("why", opening.why), ("until", opening.until.isoformat()))
        ledger.write(Entry(alert=alert_id, at=now, what=What.CARD.value, who=who, facts=facts))
        home, opener = directory.home(alert.home), directory.person(who)
        ledger.audit(
            Act(at=now, who=who, what="card.opened", ref=alert_id, why=opening.why, facts=(("home", alert.home),))
        )
        if home is not None and home.person:  # whoever asks who has read a resident's file finds this too
            why, about = opening.why, (("alert", alert_id),)
            ledger.audit(Act(at=now, who=who, what="profile.disclosed", ref=home.person, why=why, facts=about))
        facts = (("name", opener.name if opener else who), ("why", opening.why))
        for leader in people_for(Duty.SUPERVISOR, home, directory, now):
            if leader.id != who:
                turn = f"{now:%Y%m%dT%H%M%S}.{who}"
                for letter in letters_for(leader, alert, Purpose.CARD, turn, now, facts=facts):
                    ledger.queue(letter)
        ledger.publish(now, "alert", alert_id, alert.home, home.grid if home else "")
        beside(ledger)
        return opening


def opened(alert: Alert, history: Iterable[Entry], who: str, now: datetime) -> Opening | None:
    """The opening that still holds for this person; it ends with its time and with the alert."""
    if not alert.is_open:
        return None
    for entry in reversed([e for e in history if e.what == What.CARD and e.who == who]):
        facts = dict(entry.facts)
        until = datetime.fromisoformat(facts["until"])
        return Opening(who, entry.at, until, facts["why"]) if now < until else None
    return None


def _said(refused: Denial) -> tuple[tuple[str, str], ...]:
    return (("refused", refused.value),)
