"""Words for what the gateway tells about itself: its disk, its watchman, its certificates, what it lost."""

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

LOST: Mapping[str, str] = {
    "book": N_(
        "Its book (homes, people, alerts) was damaged or gone at {time} and was put aside. It goes on from a copy of "
        "{until}; what was written down after that is missing, open alerts too."
    ),
    "learnt": N_(
        "Its readings were damaged or gone at {time} and were put aside. What it had learnt by {until} is known again; "
        "the days of the homes before that cannot be looked at any more."
    ),
    "readings": N_(
        "Its readings were damaged or gone at {time} and were put aside. No copy was left: every home is learnt anew."
    ),
    "backup": N_("It was restored at {time} from a backup of {until}; what happened after that is missing."),
    "damaged": N_(
        "When its files were to be copied at {time} one of them was damaged. It goes on for now; look with `shouwang "
        "doctor` and start it anew soon: then the last whole copy takes its place."
    ),
    "short": N_(
        "At the start at {time} the newest entries of its files were missing: the disk lost what it had said it had "
        "written, or older files lie in their place."
    ),
}
"""What is missing, and from when on."""
