"""What an account may look at: a grid, an area with everything below it, the whole, or only its own family.

Every page asks here, by way of `Pages.home` and `Pages.homes`. Whoever works for us is bound to a place; relatives and
residents are bound to their homes, and a place in their account would mean nothing. A volunteer sees no home at all:
the link in a message opens the one address they are sent to.
"""

from collections.abc import Iterable, Mapping

from gateway.domain import Contact, Duty, Home, Relation
from gateway.domain.people import looks
from gateway.ports import Account, Directory

BY_PLACE = frozenset({Duty.GRID_WORKER, Duty.DEPUTY, Duty.INSTALLER, Duty.SUPERVISOR, Duty.ADMIN})
"""Who sees the homes of the place in their account; a place of "" is the whole."""

ROLES = (
    Duty.ELDER,
    Duty.FAMILY,
    Duty.VOLUNTEER,
    Duty.GRID_WORKER,
    Duty.DEPUTY,
    Duty.INSTALLER,
    Duty.SUPERVISOR,
    Duty.ADMIN,
)
"""For what somebody can have an account; the other duties are posts that are called and sign in as one of these."""

KIN = frozenset({Relation.CHILD, Relation.SPOUSE, Relation.RELATIVE})
"""Which of a household's contacts are its family. They see it while the resident agrees that they see any of it."""

FRONT: Mapping[Duty, str] = {
    Duty.ELDER: "/me",
    Duty.FAMILY: "/family",
    Duty.VOLUNTEER: "/account",
    Duty.INSTALLER: "/install",
}
"""The page on which somebody begins, where that is not the list of homes."""


AFTER_SIGNING_IN: Mapping[Duty, str] = {Duty.SUPERVISOR: "/overview", Duty.ADMIN: "/overview"}
"""What somebody is shown first who has not asked for a page; the list of homes stays one tap away."""


def covers(account: Account, place: str, directory: Directory) -> bool:
    """Whether this grid or area is theirs to see: it is the one they are bound to, or lies in it."""
    if account.duty not in BY_PLACE:
        return False
    return not account.place or account.place in directory.rota().above.get(place, (place,))


def is_theirs(account: Account, home: Home, directory: Directory) -> bool:
    """Whether they may look at this home."""
    if account.duty is Duty.ELDER:
        return bool(home.person) and home.person == account.person
    if account.duty is Duty.FAMILY:
        kin = [one for one in directory.contacts(home.id) if one.person == account.person and one.relation in KIN]
        return bool(kin and home.person and looks(account.person, kin, directory.consents(home.person)))
    return covers(account, home.grid, directory)


def homes_of(account: Account, directory: Directory) -> list[Home]:
    if account.duty in BY_PLACE:
        above, place = directory.rota().above, account.place
        return [home for home in directory.homes() if not place or place in above.get(home.grid, (home.grid,))]
    if account.duty is Duty.FAMILY:
        around = (home for home, known in directory.contacts_of_all().items() if _knows(account.person, known))
        near = [home for home_id in around if (home := directory.home(home_id)) is not None]
    else:
        near = [home for home in directory.homes() if home.person == account.person]
    return [home for home in near if is_theirs(account, home, directory)]


def _knows(person: str, contacts: Iterable[Contact]) -> bool:
    return any(contact.person == person for contact in contacts)


def home_of(account: Account, home_id: str, directory: Directory) -> Home | None:
    """The home, or the grid that something is told about; nothing, whether it does not exist or is not theirs."""
    home = directory.home(home_id)
    return home if home is not None and is_theirs(account, home, directory) else None


def people_of(account: Account, directory: Directory) -> frozenset[str]:
    """Who lives in the homes of theirs, stands around them, or is called for their grids and areas."""
    found: set[str] = set()
    contacts, rota = directory.contacts_of_all(), directory.rota()
    for home in homes_of(account, directory):
        found.update((home.person, *(contact.person for contact in contacts.get(home.id, ()))))
    for held in (rota.posts, rota.shifts):
        for (place, _), lines in held.items():
            if covers(account, place, directory):
                found.update(line.person for line in lines)
    return frozenset(found - {""})
