"""Words of plans: what is held back until when, one message for what has waited, and what else may have moved.

Only texts stand here; `alerts/wording` says them.
"""

from collections.abc import Mapping

from alerts.catalogue import N_
from gateway.domain.plan import PET, QUIET, SECOND_PERSON, SILENCE, VISIT

HELD: Mapping[str, str] = {
    "": N_("Held back: {who} works in the home or has paused it"),
    QUIET: N_("Held back until {until}: quiet hours, set by {who}"),
    SILENCE: N_("Held back until {until}: silenced by {who}"),
}

MAY_BE_ANOTHER: Mapping[str, str] = {
    VISIT: N_("Somebody is expected at this hour: what moved may have been the visitor."),
    SECOND_PERSON: N_("A second person lives here: look after both."),
    PET: N_("A pet lives here: what moved may have been the pet."),
}
"""What whoever reads an alert has to know of the home."""

DIGEST_TITLE = N_("{count} things have waited · the worst: {name}")
DIGEST_BODY = N_("Held back until now, none of it urgent: {names}.")
DIGEST_ONE = N_("household {code}: {name}")
DIGEST_MORE = N_("and {count} more")
DIGEST_WHAT = N_("{count} things have waited")
