"""Words for what the gateway tells about itself: its disk, its watchman, its certificates."""

from collections.abc import Mapping

from alerts.catalogue import N_

WHY: Mapping[str, str] = {
    "gateway_disk": N_(
        "At {time} next to nothing was free. The reserve of 32 MB has been let go, so that alarms still go out."
    ),
    "gateway_watchdog": N_(
        "It is missed since {time}. While it is away nobody is told when the gateway is dead, hung or deaf."
    ),
    "gateway_certificate": N_("The certificate of {which} ends on {until}."),
}

WHICH: Mapping[str, str] = {"broker": N_("the broker"), "pages": N_("the pages")}
