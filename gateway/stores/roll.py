"""What a registry answers from: one frozen picture of who lives where and who is on duty."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain import Area, Contact, Duty, Grid, Home, Hub, Override, Person, Profile
from gateway.stores.moments import aware


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A person's duty for a grid, from and to; a grid of "" means every grid."""

    person: str
    duty: Duty
    grid: str
    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """The registry as it stood at one version."""

    version: int = 0
    areas: Mapping[str, Area] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    homes: Mapping[str, Home] = field(default_factory=dict)
    posts: Mapping[tuple[str, Duty], tuple[Post, ...]] = field(default_factory=dict)
    overrides: Mapping[str, tuple[Override, ...]] = field(default_factory=dict)
    phones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    contacts: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def on_duty(self, grid: str, duty: Duty, at: datetime) -> list[Person]:
        """Those of this grid in the order in which they were assigned, then those who answer for every grid."""
        posts = self.posts.get((grid, duty), ())
        if grid:
            posts += self.posts.get(("", duty), ())
        names = dict.fromkeys(post.person for post in posts if post.covers(at))  # each person once, in order
        return [self.people[name] for name in names]

    def duties(self, person: str, at: datetime) -> list[tuple[Duty, str]]:
        held = [post for posts in self.posts.values() for post in posts if post.person == person and post.covers(at)]
        return list(dict.fromkeys((post.duty, post.grid) for post in held))

    def plan(self, home: str, at: datetime) -> list[Override]:
        """In the order in which they began: where two speak of the same, the later one comes last."""
        return [o for o in self.overrides.get(home, ()) if o.since <= at and (o.until is None or at < o.until)]


def posts_by_duty(posts: Iterable[Post]) -> dict[tuple[str, Duty], tuple[Post, ...]]:
    sorted_out: dict[tuple[str, Duty], list[Post]] = {}
    for post in posts:
        sorted_out.setdefault((post.grid, post.duty), []).append(post)
    return {key: tuple(held) for key, held in sorted_out.items()}


def overrides_by_home(overrides: Iterable[Override]) -> dict[str, tuple[Override, ...]]:
    sorted_out: dict[str, list[Override]] = {}
    for override in sorted(overrides, key=lambda o: o.since):
        sorted_out.setdefault(override.home, []).append(override)
    return {home: tuple(lines) for home, lines in sorted_out.items()}


class ReadsRoll(ABC):
    """The reading half of a registry; who inherits says where the current roll comes from."""

    @abstractmethod
    def _roll(self) -> Roll: ...

    def version(self) -> int:
        return self._roll().version

    def homes(self) -> list[Home]:
        return list(self._roll().homes.values())

    def home(self, home_id: str) -> Home | None:
        return self._roll().homes.get(home_id)

    def hubs(self) -> list[Hub]:
        return [hub for home in self._roll().homes.values() for hub in home.hubs]

    def on_duty(self, grid: str, duty: Duty, at: datetime) -> list[Person]:
        return self._roll().on_duty(grid, duty, aware(at))

    def person(self, person_id: str) -> Person | None:
        return self._roll().people.get(person_id)

    def plan(self, home: str, at: datetime) -> list[Override]:
        return self._roll().plan(home, aware(at))

    def overrides(self, home: str) -> list[Override]:
        return list(self._roll().overrides.get(home, ()))

    def contacts(self, home: str) -> list[Contact]:
        return list(self._roll().contacts.get(home, ()))

    def profile(self, person: str) -> Profile | None:
        return self._roll().profiles.get(person)

    def phones(self, person: str) -> tuple[str, ...]:
        return self._roll().phones.get(person, ())

    def duties(self, person: str, at: datetime) -> list[tuple[Duty, str]]:
        return self._roll().duties(person, aware(at))

    def areas(self) -> list[Area]:
        return list(self._roll().areas.values())

    def grids(self) -> list[Grid]:
        return list(self._roll().grids.values())

    def people(self) -> list[Person]:
        return list(self._roll().people.values())

    def hub_secrets(self) -> Mapping[str, str]:
        return self._roll().secrets


def duties_changed(
    held: Iterable[Post], wanted: Sequence[tuple[Duty, str]], person: str, at: datetime
) -> tuple[list[Post], list[Post]]:
    """The person's posts that end at that moment, and those that begin; what is held and wanted goes on as it is."""
    current = [post for post in held if post.person == person and post.covers(at)]
    ended = [replace(post, until=at) for post in current if (post.duty, post.grid) not in wanted]
    kept = {(post.duty, post.grid) for post in current}
    begun = [Post(person=person, duty=d, grid=g, since=at) for d, g in dict.fromkeys(wanted) if (d, g) not in kept]
    return ended, begun


def contacts_with_phones(
    contacts: Iterable[Contact], phones: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Contact, ...]]:
    sorted_out: dict[str, list[Contact]] = {}
    for contact in sorted(contacts, key=lambda c: (c.home, c.place)):
        sorted_out.setdefault(contact.home, []).append(replace(contact, phones=phones.get(contact.person, ())))
    return {home: tuple(people) for home, people in sorted_out.items()}


def absent(what: str, name: str, needed_by: str) -> LookupError:
    """An error for a row that names another one which is not there."""
    return LookupError(f"{needed_by} names the {what} {name!r}, which is not registered; put it in first")


def check_home(home: Home, *, grid_is_known: bool, person_is_known: bool, code_taken_by: str | None) -> None:
    """Refuse a household that names what nobody registered, or another household's 户号."""
    if home.grid and not grid_is_known:
        raise absent("grid", home.grid, f"home {home.id!r}")
    if home.person and not person_is_known:
        raise absent("person", home.person, f"home {home.id!r}")
    if home.code and code_taken_by is not None:
        raise ValueError(f"the code {home.code!r} of home {home.id!r} belongs to {code_taken_by!r}; codes are unique")
