"""Words about falls: who says so, what speaks for it, and what has been seen since.

Only texts stand here; `alerts/wording` says them.
"""

from collections.abc import Mapping

from alerts.catalogue import N_

SAID: Mapping[str, str] = {
    "fall": N_("{device} reports a fall since {time}."),
    "maybe_fall": N_("{device} suspects a fall since {time}."),
    "impact": N_("{device}, which is worn, felt a hard knock at {time}: {peak} g."),
}
"""What each source said."""

LIKE_A_FALL = N_("By its course the knock is {likelihood} of 100 like a fall; from {threshold} on it is looked at.")
WHERE = N_("Where: {room}.")
LAST_SEEN = N_("Before that last seen: {room}.")

RULES: Mapping[str, str] = {
    "suspected": N_("For {span} nothing has told of anybody getting up."),
    "together": N_("{count} sources say so within two minutes."),
    "still": N_("Since then the wearer has lain still, for {span}."),
    "stands": N_("It has stood by it for {span}: nobody has got up there."),
    "unrecovered": N_("For {span} nothing has told of anybody getting up: no door, no water, no steps elsewhere."),
}
"""What speaks for it besides; what a radar is sure of speaks for itself."""

SURE = N_("Confidence {percent} %.")
