"""Words of the ladder beyond a first call: asking the resident, reminding, handing over, and how it ended.

Only texts stand here; `alerts/wording` says them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.catalogue import N_
from alerts.escalation import Reason
from alerts.history import What
from gateway.domain import Purpose


@dataclass(frozen=True, slots=True)
class Words:
    """One kind of message: its title, its text, the text where nobody's name is known, and a few characters of it."""

    title: str
    body: str
    nameless: str
    what: str


LETTERS: Mapping[Purpose, Words] = {
    Purpose.REMIND: Words(
        N_("Still yours: {name} · {household}"),
        N_("You have accepted it, and nothing has been heard since. Are you on the way? Open the link and say so."),
        N_("You have accepted it, and nothing has been heard since. Are you on the way? Open the link and say so."),
        N_("still yours: {name}"),
    ),
    Purpose.HANDED: Words(
        N_("Handed over to you: {name} · {household}"),
        N_("{owner} hands this over to you: it is yours now. Open the link to see why."),
        N_("This was handed over to you: it is yours now. Open the link to see why."),
        N_("yours now: {name}"),
    ),
    Purpose.STIRS: Words(
        N_("Signs of life again: {name} · {household}"),
        N_("There are signs of life again. Telephone or look in, and confirm by the link; until then it stays open."),
        N_("There are signs of life again. Telephone or look in, and confirm by the link; until then it stays open."),
        N_("please confirm: {name}"),
    ),
    Purpose.OVER: Words(
        N_("Over: {name} · {household}"),
        N_("{owner} has written down what it was. You need do nothing more."),
        N_("It is over by itself. You need do nothing more."),
        N_("over: {name}"),
    ),
}

ALONE = N_("Nobody else can be reached who could be there. It is with you alone: find somebody, or go.")
TAKEN_BACK = N_("The resident says that no help is needed. You need do nothing more.")

ASK_TITLE = N_("Are you all right?")
ASK_HOW = N_("If all is well, press 1. If you need help, press 2. Without an answer somebody will come and look.")
COMES_TITLE = N_("Somebody takes care of it")
COMES = N_("{owner} knows and takes care of it.")
COMES_NAMELESS = N_("Somebody knows and takes care of it.")

NEEDS_HELP = N_("The resident was asked and says that help is needed.")
NO_ANSWER = N_("The resident was asked and did not answer.")

HISTORY: Mapping[What, str] = {
    What.COORDINATES: N_("{who} keeps it together from afar ({how}); somebody is called who can be there"),
    What.ANSWERED: N_("The resident has answered"),
    What.FAMILY: N_("{who} of the family has answered"),
    What.OVERDUE: N_("Overdue"),
    What.STIRRED: N_("Signs of life again: the next call waits for a confirmation"),
    What.HANDED: N_("{who} handed it over from {was_owner} to {to}"),
    What.EN_ROUTE: N_("{who} is on the way"),
    What.ON_SITE: N_("{who} is there"),
    What.REMINDED: N_("Reminded {who}: nothing has been heard since"),
    What.LAPSED: N_("{who} had it and nothing happened: calling again"),
    What.NOTE: N_("{who} noted"),
    What.FOLLOWED_UP: N_("{who} asked afterwards how the resident is"),
    What.CANCELLED: N_("Taken back by the resident: no help is needed"),
}
ANSWERED: Mapping[str, str] = {
    "no-help": N_("The resident says: no help is needed"),
    "help": N_("The resident says: help is needed"),
}
FAMILY: Mapping[str, str] = {
    "with_me": N_("{who} of the family: the resident is with me, until {until}"),
    "mine": N_("{who} of the family: I see to it"),
    "send_worker": N_("{who} of the family: please send somebody"),
}
OVERDUE: Mapping[str, str] = {
    "ack": N_("Overdue: nobody has accepted in time"),
    "site": N_("Overdue: nobody is there in time"),
}
ASKED = N_("Asking the resident: {people}")
NOT_ASKED = N_("The resident cannot be asked, or was asked already; the next are called at once")

HOW: Mapping[str, str] = {
    "family": N_("for the family"),
    "en-route": N_("by setting off"),
    "on-site": N_("by being there"),
}

ANSWERS: Mapping[Reason, str] = {
    Reason.COORDINATES: N_("Thank you: you keep it together. Somebody who can be there is being called."),
    Reason.NOT_YOURS: N_("Nobody has it yet: it can be handed over once somebody has accepted."),
    Reason.NO_SUCH_PERSON: N_("Choose somebody else who can be reached."),
    Reason.NOT_BY_WORD: N_("Written down. Somebody must look all the same, so people are still called."),
    Reason.ASK_AGAIN: N_("This is an emergency: say once more that nobody needs to go there."),
    Reason.NO_END: N_("Say until when; at most 30 days ahead."),
    Reason.NOTED: N_("Written down for {owner}, who has it."),
    Reason.CANCELLED: N_("The resident has said that no help is needed."),
}
