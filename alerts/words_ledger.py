"""Words for what is not about an alert: drills, and what became of an answer by SMS."""

from enum import StrEnum

from alerts.catalogue import N_
from alerts.wording import say
from gateway.domain import Delivery, Home, Purpose
from gateway.ports import Letter


class Said(StrEnum):
    """What became of an answer; kept with the message that tells it."""

    ACCEPTED = "accepted"
    SENT_FOR = "sent-for"  # 请派人: from afar, and somebody else has to go
    YOURS = "yours"
    TAKEN = "taken"
    OVER = "over"
    DRILL = "drill"
    HEARD = "heard"  # the resident's own answer
    UNKNOWN = "unknown"  # there is no such number
    UNCLEAR = "unclear"  # it cannot be told which alert is meant


SHORT: dict[Said, str] = {
    Said.ACCEPTED: N_("it is yours"),
    Said.SENT_FOR: N_("looking for others"),
    Said.YOURS: N_("yours already"),
    Said.TAKEN: N_("others have it"),
    Said.OVER: N_("over already"),
    Said.DRILL: N_("drill noted"),
    Said.HEARD: N_("heard you"),
    Said.UNKNOWN: N_("unknown number"),
    Said.UNCLEAR: N_("not understood"),
}
"""A few characters each: all that fits into a carrier's template."""

WHOLE: dict[Said, str] = {
    Said.ACCEPTED: N_("Thank you: it is yours. Say so when you are on your way."),
    Said.SENT_FOR: N_("Thank you: you keep it together, and we go on calling for somebody who can go there."),
    Said.YOURS: N_("You have it already."),
    Said.TAKEN: N_("Somebody else has it already. You need do nothing more."),
    Said.OVER: N_("This one is over already. You need do nothing more."),
    Said.DRILL: N_("Thank you: the drill has reached you, and that is written down."),
    Said.HEARD: N_("Thank you, we have heard you."),
    Said.UNKNOWN: N_("We know no such number. Please send the five digits of the message, or open its link."),
    Said.UNCLEAR: N_("We could not tell what you mean. Please send the five digits of the message, or open its link."),
}


def trial_letter(delivery: Delivery, home: Home | None, language: str, link: str) -> Letter:
    """A drill, or what became of an answer: nothing in it is about anybody's home but its code."""
    if delivery.purpose is Purpose.DRILL:
        return Letter(
            title=say(language, "[DRILL] Please confirm that you can be reached"),
            body=say(
                language,
                "This is a drill, and nothing has happened. Open the link and press the button, so that we know.",
            ),
            link=link,
            what=say(language, "drill"),
        )
    said = Said(dict(delivery.facts).get("said", Said.UNCLEAR.value))
    short = say(language, SHORT[said])
    title = f"{short} · {say(language, 'household {code}', code=home.code)}" if home else short
    return Letter(title=title, body=say(language, WHOLE[said]), household=home.code if home else "", what=short)
