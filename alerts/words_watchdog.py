"""Words of the watchdog, by its faults: what is wrong, what that means, what to do."""

from collections.abc import Mapping

from alerts.catalogue import N_

TITLES: Mapping[str, str] = {
    "gone": N_("Shouwang does not answer"),
    "left": N_("Shouwang was stopped and has not come back"),
    "falling": N_("Shouwang falls again and again"),
    "stuck": N_("Shouwang takes nothing in"),
    "mute": N_("Shouwang sends nothing"),
    "deaf": N_("Shouwang cannot hear its broker"),
    "hushed": N_("Shouwang hears from no home"),
    "full": N_("Shouwang's disk is full"),
}

MEANS: Mapping[str, str] = {
    "gone": N_("No sign of life since {time}. Nobody is called, whatever happens in a home."),
    "left": N_("It was told to stop at {time}. Nobody is called, whatever happens in a home."),
    "falling": N_("Since {time} it has been started again each time it fell. Calls may come late."),
    "stuck": N_("Since {time} no reading is taken in and no deadline is noticed, though the program runs."),
    "mute": N_("Since {time} no message has been sent, though alarms are taken in."),
    "deaf": N_("Since {time} no button and no sensor can be heard."),
    "hushed": N_("No home has said anything for longer than it ever was; the last did at {time}."),
    "full": N_("Since {time}. Alarms still go out, from a reserve that will not last."),
}

TO_DO: Mapping[str, str] = {
    "gone": N_("Look at the machine first; then `systemctl restart shouwang-gateway`, and its log."),
    "left": N_("Start it: `systemctl start shouwang-gateway`."),
    "falling": N_("Its log says why; `shouwang doctor` looks at the rest."),
    "stuck": N_("`systemctl restart shouwang-gateway`; then look at the disk, and at what else uses its files."),
    "mute": N_("`systemctl restart shouwang-gateway`; then `shouwang tell` to somebody."),
    "deaf": N_("`systemctl restart shouwang-broker`; then the network and the certificate."),
    "hushed": N_("Look at the way from the homes to the broker: network, firewall, certificate."),
    "full": N_("Make room: old logs first, then backups."),
}

AGAIN = N_("Well again: {what}")
SINCE = N_("It has been well for a minute; it was not since {time}.")
MEANWHILE = N_("Look at the list for what happened meanwhile.")
HOMES = N_("Homes concerned: {count}.")
STILL = N_("Told {count} times. `shouwang watchdog --seen` ends that.")
