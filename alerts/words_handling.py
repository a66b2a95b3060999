"""Words of what people do about an alert once they have it: by what an arrival is known, how the resident was.

Only texts stand here; `alerts/wording` says them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from alerts.catalogue import N_
from alerts.escalation import Reason
from gateway.domain import Elder

PROOFS: Mapping[str, str] = {
    "door": N_("the front door opened"),
    "code": N_("code read at the door"),
    "position": N_("position {place}"),
}

DOOR_AT = N_("the front door opened at {time}")

ELDERS: Mapping[Elder, str] = {
    Elder.WELL: N_("well"),
    Elder.NEEDS_HELP: N_("needs help"),
    Elder.IN_HOSPITAL: N_("in hospital"),
    Elder.MOVED: N_("lives elsewhere now"),
    Elder.DECEASED: N_("has died"),
    Elder.NOT_REACHED: N_("could not be reached"),
}

ANSWERS: Mapping[Reason, str] = {
    Reason.NO_WORDS: N_("Write a word or two first: others rely on it."),
    Reason.NO_ELDER: N_("Say first how the resident is."),
    Reason.WRONG_CODE: N_("That is not the code of this home. Leave it empty if you cannot read it."),
    Reason.UNVISITED: N_("Somebody looks in again first: after something real nothing is filed without it."),
    Reason.PRESSED_LONG_AGO: N_("It was on its way for too long to count. If you still go, press again."),
    Reason.NOT_FAMILY: N_("Only the family of this home can say this."),
    Reason.NOT_TOLD: N_("Only those who were told of it can accept it this way. Please sign in, or telephone."),
    Reason.NOT_GOING: N_("Only whoever has it, and is not there yet, can give it back."),
}


def proofs(text: str, say: Callable[..., str], clock: Callable[[datetime], str]) -> list[str]:
    """By what an arrival is known, each in words; what a newer program wrote is passed over."""
    told = []
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name == "door" and value:
            told.append(say(DOOR_AT, time=clock(datetime.fromisoformat(value))))
        elif name in PROOFS:
            told.append(say(PROOFS[name], place=value))
    return told
