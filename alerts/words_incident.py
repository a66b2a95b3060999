"""Words of incidents: what else was found, what another alert says better, and an area that has gone dark.

Only texts stand here; `alerts/wording` says them.
"""

from collections.abc import Mapping

from alerts.catalogue import N_
from alerts.history import What

ALSO = N_("Also found: {names}.")
ALSO_NOW = N_("Something else was found meanwhile: {names}.")
OFTEN = N_("{name} ({count} times)")
LEADS_NOW = N_("More serious: {name}, {severity}; called from the start")

TOGETHER = (
    N_("{count} alerts within minutes · the worst: {name}"),
    N_("Open the list, see why, and accept each: {names}."),
    N_("{count} alerts within minutes"),
)
"""Title, text and a few characters of the message that tells of many calls at once."""

HISTORY: Mapping[What, str] = {
    What.JOINED: N_("Also found: {name}, {severity}"),
    What.MUTED: N_("Nobody is called for this while another alert stands: {name}"),
    What.SPEAKS: N_("Stands here too: {household} · {name}"),
    What.BACK: N_("Heard again: {household}"),
    What.ALL_BACK: N_("All of them are heard again; nobody is called any more"),
    What.SETTLES: N_("What stood for it is over; looked at again at {time}"),
    What.GROWN: N_("It reaches further: {area}"),
}

OUTAGE_WHY = (
    N_("Many homes fell silent within minutes: {area}, since {time}."),
    N_("It is probably the power or the network. Until they are heard again nobody sees whether anybody moves there."),
)
