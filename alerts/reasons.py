"""Why a message was not sent, in our own words; after a colon follow the provider's, or a number.

Kept with the delivery as they stand here; `wording.reason_text` says them in a reader's language.
"""

from alerts.catalogue import N_

ACCEPTED_FIRST = N_("accepted before it could be sent")
RESOLVED_FIRST = N_("resolved before it could be sent")
NEWER = N_("a newer call takes its place")
ARRIVED = N_("has arrived by another way")
BUSY = N_("no place in a channel that carries nothing")
UNREACHED = N_("taken by the provider, and did not arrive")
SAID_BY_ANOTHER = N_("another alert says it")
NOT_CONFIGURED = N_("there is no such channel")
NO_ANSWER = N_("no answer in time")
NO_CONNECTION = N_("no connection")
REFUSED = N_("refused")
NOT_WELL = N_("the other side is not well")
SENT_ON = N_("sent on elsewhere, which is not followed; enter the final address")
NO_ADDRESS = N_("not an address that could work")
TOO_OLD = N_("not carried for two days")
OUR_FAULT = N_("a fault of ours")
NOT_AGREED = N_("the resident does not want them to be told")
UNSAID = N_("the channel gave no reason")

REASONS = frozenset(
    {
        ACCEPTED_FIRST,
        RESOLVED_FIRST,
        NEWER,
        ARRIVED,
        BUSY,
        UNREACHED,
        SAID_BY_ANOTHER,
        NOT_CONFIGURED,
        NO_ANSWER,
        NO_CONNECTION,
        REFUSED,
        NOT_WELL,
        SENT_ON,
        NO_ADDRESS,
        TOO_OLD,
        OUR_FAULT,
        NOT_AGREED,
        UNSAID,
    }
)
