"""What comes back from telephones: receipts, and answers by SMS, by a key that was pressed, by a bridge of your own.

A provider's own format is read in the provider's file (`alerts/channels`); here it is decided what follows. Everything
may come twice, late, or from somebody who only pretends: an answer acts once, for the message it names, within a day.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts import reasons
from alerts.channels.exchange import clean
from alerts.channels.telephone import same_number
from alerts.desk import Desk
from alerts.escalation import Reason, Verdict
from alerts.words_ledger import Said
from gateway.domain import Act, Answer, Delivery, Purpose, Stage
from gateway.ports import AlertStore, Pressed, Receipt, Returned, Texted

ANSWERED_WITHIN = timedelta(days=1)
"""So long a message can be answered: as long as the link in it can be opened."""

MOST_REPLIES = 5
REPLIES_PER = timedelta(minutes=10)
"""Whoever sends nonsense again and again is answered so often, and then no more: each answer costs money."""

LOOKED_AT = 5_000
"""Messages of one channel among which the one that is answered is looked for: more than a district sends in a day."""

_ANSWER = re.compile(r"(?P<code>\d{4})(?P<choice>1|2|接单|请?派人)")
CHOICES = {"1": True, "接单": True, "2": False, "派人": False, "请派人": False}
"""What follows the code, and whether whoever says so goes there."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Takes in what comes back. Nothing is looked up twice, and nothing acts but through the desk."""

    store: AlertStore
    desk: Desk
    code: Callable[[Delivery], str]

    def take(self, channel: str, word: Returned, now: datetime) -> Said | None:
        """One word from a provider of this channel. None: there is nothing to be said about it."""
        match word:
            case Receipt():
                self._receipt(channel, word, now)
                return None
            case Pressed():
                return self._key(channel, word, now)
            case Texted():
                return self._text(channel, word, now)

    def act(self, delivery: Delivery, goes: bool, how: str, now: datetime) -> Said:
        """What somebody says by answering this message: I go; or, send somebody else."""
        if delivery.sent_at is None or now - delivery.sent_at > ANSWERED_WITHIN:
            return Said.UNKNOWN
        self.desk.arrived(delivery.id, Stage.ANSWERED, now, now)
        if delivery.purpose is Purpose.DRILL:
            return Said.DRILL
        if delivery.purpose is Purpose.ASK:  # the resident: 1 is "I am well", 2 is "help"
            answer = Answer.NO_HELP if goes else Answer.HELP
            self.desk.answer(delivery.alert, answer, delivery.person, now, how)
            return Said.HEARD
        return _said(
            self.desk.accept(delivery.alert, delivery.person, now, how, can_arrive=None if goes else False), goes
        )

    def settled(self, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
        """A receipt for this very message."""
        if receipt.arrived:
            self.desk.arrived(delivery.id, Stage.DELIVERED, min(receipt.at or now, now), now)
        else:
            said = clean(f"{receipt.code} {receipt.reason}", (delivery.address,))
            why = f"{reasons.UNREACHED}: {said}".rstrip(": ")
            self.desk.gave_up(delivery.id, why, now, receipt.code, receipt.lasting)

    def _receipt(self, channel: str, receipt: Receipt, now: datetime) -> None:
        delivery = self.store.by_message(channel, receipt.message)
        if delivery is not None:  # else another program sends through the same account
            self.settled(delivery, receipt, now)

    def _key(self, channel: str, pressed: Pressed, now: datetime) -> Said | None:
        delivery, word = self.store.by_message(channel, pressed.message), _id(channel, pressed.message, pressed.key)
        if delivery is None or pressed.key[:1] not in CHOICES or self.store.was_heard(word):
            return None
        said = self.act(delivery, CHOICES[pressed.key[:1]], "voice", now)
        with self.store.begin() as ledger:
            ledger.hear(word, now)
        return said

    def _text(self, channel: str, text: Texted, now: datetime) -> Said | None:
        word = _id(channel, text.number, text.id, text.text)
        if self.store.was_heard(word):
            return None
        sent = self.store.sent(channel, now - ANSWERED_WITHIN, LOOKED_AT)
        theirs = [delivery for delivery in sent if same_number(delivery.address, text.number)]
        if not theirs:
            return None  # somebody whom we have told nothing
        asked = [d for d in theirs if d.purpose not in (Purpose.TEST, Purpose.REPLY)]
        said, about = self._understood(text.text, asked, now)
        # Done before it is written down: whoever crashes between the two is told again by the provider, and an act
        # that was done already changes nothing.
        with self.store.begin() as ledger:
            ledger.hear(word, now)
        self._reply(said, about or theirs[0], word, theirs, now)
        return said

    def _understood(self, text: str, asked: list[Delivery], now: datetime) -> tuple[Said, Delivery | None]:
        found = _ANSWER.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
        if found is None:
            return Said.UNCLEAR, None
        meant = {d.alert: d for d in reversed(asked) if self.code(d) == found["code"]}
        if len(meant) != 1:
            return (Said.UNCLEAR if meant else Said.UNKNOWN), None
        (delivery,) = meant.values()
        return self.act(delivery, CHOICES[found["choice"]], "sms", now), delivery

    def _reply(self, said: Said, about: Delivery, word: str, theirs: list[Delivery], now: datetime) -> None:
        """Tell them what became of it, the way they answered; politely also where it could not be understood."""
        lately = [d for d in theirs if d.purpose is Purpose.REPLY and d.created_at > now - REPLIES_PER]
        if len(lately) >= MOST_REPLIES:
            return
        is_known = said not in (Said.UNKNOWN, Said.UNCLEAR)
        reply = Delivery(
            id=f"reply/{word}",
            alert=about.alert if is_known else "reply",
            purpose=Purpose.REPLY,
            person=about.person,
            channel=about.channel,
            address=about.address,
            created_at=now,
            facts=(("said", said.value),),
        )
        self.desk.say([reply], Act(at=now, who=about.person, what="answer.sms", ref=reply.alert, why=said.value))


def _id(*parts: str) -> str:
    """What tells one word from outside from all others, without keeping what was said."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _said(verdict: Verdict, goes: bool) -> Said:
    """A verdict of the desk, as one who answers by telephone is told it."""
    if verdict.told:
        return Said.ACCEPTED if goes else Said.SENT_FOR
    why = {Reason.YOURS: Said.YOURS, Reason.TAKEN: Said.TAKEN, Reason.NOT_TOLD: Said.UNKNOWN}
    return why.get(verdict.reason, Said.OVER)
