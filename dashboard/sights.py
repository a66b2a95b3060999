"""What a resident can let somebody see, in words: the texts that are agreed to, each for one person by itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dashboard.scope import KIN
from dashboard.words import N_, Tongue
from gateway.domain import Contact, Look
from gateway.domain.people import LOOKS

SIGHTS_VERSION = "2026-11"
"""Changes with every word of the texts; whoever agreed to another one is asked again."""

SIGHTS: Mapping[Look, tuple[str, str]] = {
    Look.CALM: (
        N_("Whether all is well"),
        N_("One sentence: whether I am up and well, when and in which room I was seen last, and if the devices work."),
    ),
    Look.ALERTS: (
        N_("When something is wrong"),
        N_("That something is wrong, what was noticed, who sees to it and how it ended; and to be told of it."),
    ),
    Look.DAYS: (
        N_("My days in outline"),
        N_("When I got up, how long I rested and was out, and in which rooms I was in the morning and at night."),
    ),
    Look.TIMELINE: (
        N_("Every movement"),
        N_("Each movement and each use of a door with its minute. Nobody needs this to know that I am well."),
    ),
}
"""Name and text of each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a resident is asked about one of the family, when consent is asked for in the home."""

    key: str  # of its box in the form
    viewer: str
    looks: tuple[Look, ...]
    name: str
    text: str


def asked(contacts: Iterable[Contact], name_of: Callable[[str], str], tongue: Tongue) -> list[Asked]:
    """One box for each of the family whom the list of contacts lets see something; every movement has its own."""
    found = []
    for contact in contacts:
        outline = tuple(look for look in LOOKS[contact.may_see] if look is not Look.TIMELINE)
        if contact.relation not in KIN or not outline:
            continue
        name = name_of(contact.person)
        found.append(_asked("see", contact.person, outline, name, tongue))
        if Look.TIMELINE in LOOKS[contact.may_see]:
            found.append(_asked("timeline", contact.person, (Look.TIMELINE,), name, tongue))
    return found


def _asked(key: str, viewer: str, looks: tuple[Look, ...], name: str, tongue: Tongue) -> Asked:
    words = tongue.say(", ").join(tongue.say(SIGHTS[look][0]) for look in looks)
    text = " ".join(tongue.say(SIGHTS[look][1]) for look in looks)
    return Asked(f"{key}/{viewer}", viewer, looks, tongue.say("{name} may see: {what}", name=name, what=words), text)
