"""What a registry answers from: one frozen picture of who lives where and who is on duty."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.domain import Area, Consent, Contact, Duty, Grid, Home, Hub, Override, Person, Profile, Scope
from gateway.domain.almanac import season_of
from gateway.domain.home import GRID, grid_as_home
from gateway.domain.plan import BY_ALMANAC, HEATING
from gateway.domain.rota import Post, Rota, Spell
from gateway.ports import Directory
from gateway.stores.moments import aware

_K = TypeVar("_K")
_V = TypeVar("_V")
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

STEPS_REMEMBERED = 100
"""So many steps back it is known which homes changed; the road asks five times a second."""

CHANGED_AT_MOST = 5_000
"""Of a step that changed more homes it is not remembered which: a county's names, a hundred times over."""

STANDARD_ZONE = ZoneInfo("Asia/Shanghai")
"""The clock of a grid in which nobody lives yet."""

WHOLE = Grid(code="", name="守望 Shouwang", community="")
"""The installation as a whole, about which people are told something too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """The registry as it stood at one version."""

    version: int = 0
    areas: Mapping[str, Area] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    homes: Mapping[str, Home] = field(default_factory=dict)
    rota: Rota = field(default_factory=Rota)
    overrides: Mapping[tuple[Scope, str], tuple[Override, ...]] = field(default_factory=dict)
    phones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    contacts: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    _spells: dict[tuple[str, Duty], Spell] = field(default_factory=dict, init=False, repr=False, compare=False)
    _zones: dict[str, ZoneInfo] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lines: dict[str, tuple[Override, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def on_call(self, grid: str, duty: Duty, at: datetime) -> Spell:
        """Kept until it may become another answer: a press at three in the morning asks again and again."""
        known = self._spells.get((grid, duty))
        if known is None or not known.since <= at < known.until:
            known = self._spells[grid, duty] = self.rota.spell(grid, duty, at, self.people)
        return known

    def grid_as_home(self, home_id: str) -> Home | None:
        """A grid or area that something is told about, with the clock of the homes in it."""
        if not home_id.startswith(GRID):
            return None
        code = home_id.removeprefix(GRID)
        place = self.grids.get(code) or self.areas.get(code) or (None if code else WHOLE)
        if place is None:
            return None
        return grid_as_home(place, self.zones().get(code, STANDARD_ZONE))

    def zones(self) -> Mapping[str, ZoneInfo]:
        """The clock of each grid and area in which there are homes: that of the first of them. Looked up once."""
        if not self._zones and self.homes:
            first: dict[str, ZoneInfo] = {}
            for home in self.homes.values():
                first.setdefault(home.grid, home.zone)
            zones: dict[str, ZoneInfo] = {}
            for grid, zone in first.items():
                for place in self.rota.above.get(grid, ()):
                    zones.setdefault(place, zone)
            self._zones.update(zones)
        return self._zones

    def duties(self, person: str, at: datetime) -> list[tuple[Duty, str]]:
        posts = [post for posts in self.rota.posts.values() for post in posts]
        held = [post for post in posts if post.person == person and post.covers(at)]
        return list(dict.fromkeys((post.duty, post.place) for post in held))

    def plan(self, home: str, at: datetime) -> list[Override]:
        return [line for line in self.plan_lines(home) if line.covers(at)]

    def plans(self, homes: Iterable[str], at: datetime) -> dict[str, list[Override]]:
        """What holds around a home is looked up once for all that lie in the same grid."""
        around: dict[str, list[Override]] = {}
        plans = {}
        for home in homes:
            known = self.homes.get(home)
            own = [line for line in self.overrides.get((Scope.HOME, home), ()) if line.covers(at)]
            if known is not None:
                if known.grid not in around:
                    around[known.grid] = [line for line in self.lines_around(known.grid) if line.covers(at)]
                own = around[known.grid] + own
            plans[home] = own
        return plans

    def plan_lines(self, home: str) -> tuple[Override, ...]:
        """From the farthest area to the home itself, each in the order in which they began: the last has the word."""
        own, known = self.overrides.get((Scope.HOME, home), ()), self.homes.get(home)
        if known is None:
            return own
        around = self.lines_around(known.grid)
        return (*around, *own) if own else around

    def lines_around(self, code: str) -> tuple[Override, ...]:
        """What was ever planned for a grid and the areas around it, the farthest first; the same for all its homes."""
        known = self._lines.get(code)
        if known is None:
            grid, known = self.grids.get(code), self.overrides.get((Scope.GRID, code), ())
            areas = self.areas_of(grid.community if grid else "")
            for area in areas:
                known = (*self.overrides.get((Scope.AREA, area), ()), *known)
            known = self._lines[code] = (*(_climate(areas[-1]) if areas else ()), *known)
        return known

    def around(self, home: str) -> tuple[str, ...]:
        known = self.homes.get(home)
        grid = self.grids.get(known.grid) if known else None
        return (grid.code, *self.areas_of(grid.community)) if grid else ()

    def areas_around(self, grid: str) -> list[str]:
        known = self.grids.get(grid)
        return self.areas_of(known.community) if known else []

    def areas_of(self, code: str) -> list[str]:
        """This area and those around it, the nearest first."""
        around: list[str] = []
        while code in self.areas and code not in around:  # a sheet may have nested two in each other
            around.append(code)
            code = self.areas[code].parent
        return around


@cache
def _climate(area: str) -> tuple[Override, ...]:
    """What the province says of the heating before anybody has written a line: any line beats it."""
    season = season_of(area)
    if not season:
        return ()
    line = Override(area=area, key=HEATING, value=season, since=_ALWAYS, until=None, author="", reason=BY_ALMANAC)
    return (line,)


def chains(areas: Mapping[str, Area], grids: Iterable[Grid]) -> dict[str, tuple[str, ...]]:
    """Each grid and area with what it lies in, the nearest first, and last the whole of it. A ring ends where it
    would begin anew."""
    above = {code: area.parent for code, area in areas.items()} | {grid.code: grid.community for grid in grids}
    found = {}
    for place in above:
        chain = [place]
        while (wider := above.get(chain[-1], "")) and wider not in chain:
            chain.append(wider)
        found[place] = (*chain, "")
    return found


def overrides_by_place(overrides: Iterable[Override]) -> dict[tuple[Scope, str], tuple[Override, ...]]:
    sorted_out: dict[tuple[Scope, str], list[Override]] = {}
    for override in sorted(overrides, key=lambda o: (o.since, o.key)):
        sorted_out.setdefault((override.scope, override.place), []).append(override)
    return {place: tuple(lines) for place, lines in sorted(sorted_out.items())}


def changed_between(before: Roll, after: Roll, touched: Mapping[str, Set[str]] | None = None) -> frozenset[str] | None:
    """The homes that are others in these two rolls, by themselves or by a line that speaks of them or their place.

    `touched`: by scope the names that the changes between them were about; where that is not known all are compared.
    None: too many to be remembered.
    """
    if touched is None:
        spoken = _differing(before.overrides, after.overrides)
        homes = {place for scope, place in spoken if scope is Scope.HOME}
        homes |= {name for name, home in after.homes.items() if before.homes.get(name) is not home}
        homes |= before.homes.keys() - after.homes.keys()
        places = {place for scope, place in spoken if scope is not Scope.HOME}
        places |= _differing(before.areas, after.areas) | _differing(before.grids, after.grids)
    else:
        homes = {
            name
            for name in touched.get(Scope.HOME, ())
            if before.homes.get(name) is not after.homes.get(name)
            or before.overrides.get((Scope.HOME, name)) != after.overrides.get((Scope.HOME, name))
        }
        places = {*touched.get(Scope.GRID, ()), *touched.get(Scope.AREA, ())}
    if places:
        lie_there = {
            code
            for code in before.grids.keys() | after.grids.keys()
            if not places.isdisjoint((code, *before.areas_around(code), *after.areas_around(code)))
        }
        for name, home in after.homes.items():
            if home.grid in lie_there:
                homes.add(name)
                if len(homes) > CHANGED_AT_MOST:
                    break
    return frozenset(homes) if len(homes) <= CHANGED_AT_MOST else None


def _differing(before: Mapping[_K, _V], after: Mapping[_K, _V]) -> set[_K]:
    if before is after:
        return set()
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


class ReadsRoll(ABC):
    """The reading half of a registry; who inherits says where the current roll comes from."""

    def __init__(self) -> None:
        self._steps: deque[tuple[int, int, frozenset[str] | None]] = deque(maxlen=STEPS_REMEMBERED)

    @abstractmethod
    def _roll(self) -> Roll: ...

    @abstractmethod
    def consents(self, person: str) -> list[Consent]: ...

    def illegible(self) -> list[str]:
        return []

    def standing(self) -> "Standing":
        return Standing(self, self._roll())

    def _note_step(self, before: Roll, after: Roll, changed: frozenset[str] | None) -> None:
        self._steps.append((before.version, after.version, changed))

    def changes(self, since: int) -> frozenset[str] | None:
        now = self._roll().version
        found: set[str] = set()
        for before, after, homes in reversed(tuple(self._steps)):
            if now <= since:
                break
            if after == now:
                if homes is None:
                    return None
                found |= homes
                now = before
        return frozenset(found) if now <= since else None

    def version(self) -> int:
        return self._roll().version

    def homes(self) -> list[Home]:
        return list(self._roll().homes.values())

    def home(self, home_id: str) -> Home | None:
        roll = self._roll()
        return roll.homes.get(home_id) or roll.grid_as_home(home_id)

    def hubs(self) -> list[Hub]:
        return [hub for home in self._roll().homes.values() for hub in home.hubs]

    def on_duty(self, grid: str, duty: Duty, at: datetime) -> list[Person]:
        return [one.person for one in self._roll().on_call(grid, duty, aware(at)).people]

    def on_call(self, grid: str, duty: Duty, at: datetime) -> Spell:
        return self._roll().on_call(grid, duty, aware(at))

    def rota(self) -> Rota:
        return self._roll().rota

    def person(self, person_id: str) -> Person | None:
        return self._roll().people.get(person_id)

    def plan(self, home: str, at: datetime) -> list[Override]:
        return self._roll().plan(home, aware(at))

    def plans(self, homes: Iterable[str], at: datetime) -> dict[str, list[Override]]:
        return self._roll().plans(homes, aware(at))

    def plan_lines(self, home: str) -> tuple[Override, ...]:
        return self._roll().plan_lines(home)

    def in_force(self, key: str, at: datetime) -> list[Override]:
        lines = (line for lines in self._roll().overrides.values() for line in lines)
        found = (line for line in lines if line.key == key and line.covers(aware(at)))
        return sorted(found, key=lambda line: line.since)

    def overrides(self, place: str, scope: Scope = Scope.HOME) -> list[Override]:
        return list(self._roll().overrides.get((scope, place), ()))

    def around(self, home: str) -> tuple[str, ...]:
        return self._roll().around(home)

    def place_name(self, code: str) -> str:
        place = self._roll().grids.get(code) or self._roll().areas.get(code)
        return (place.name if place else "") or code

    def contacts(self, home: str) -> list[Contact]:
        return list(self._roll().contacts.get(home, ()))

    def contacts_of_all(self) -> Mapping[str, Sequence[Contact]]:
        return self._roll().contacts

    def profiles(self) -> Mapping[str, Profile]:
        return self._roll().profiles

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


class Standing(ReadsRoll):
    """A registry as it stands at one moment, for one decision: to ask at each question whether anybody has changed it
    takes longer than the answer."""

    def __init__(self, registry: Directory, roll: Roll) -> None:
        super().__init__()
        self._registry = registry
        self._stands = roll

    def _roll(self) -> Roll:
        return self._stands

    def changes(self, since: int) -> frozenset[str] | None:
        return self._registry.changes(since)

    def consents(self, person: str) -> list[Consent]:
        return self._registry.consents(person)

    def illegible(self) -> list[str]:
        return self._registry.illegible()


def duties_changed(
    held: Iterable[Post], wanted: Sequence[tuple[Duty, str]], person: str, at: datetime
) -> tuple[list[Post], list[Post]]:
    """The person's posts that end at that moment, and those that begin; what is held and wanted goes on as it is."""
    current = [post for post in held if post.person == person and post.covers(at)]
    ended = [replace(post, until=at) for post in current if (post.duty, post.place) not in wanted]
    kept = {(post.duty, post.place) for post in current}
    begun = [Post(person=person, duty=d, place=g, since=at) for d, g in dict.fromkeys(wanted) if (d, g) not in kept]
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


def check_override(override: Override, *, is_known: bool) -> None:
    """Refuse a line of a plan for what nobody registered."""
    if not is_known:
        raise absent(override.scope.value, override.place, f"the override {override.key!r}")


def check_home(home: Home, *, grid_is_known: bool, person_is_known: bool, code_taken_by: str | None) -> None:
    """Refuse a household that names what nobody registered, or another household's 户号."""
    if home.grid and not grid_is_known:
        raise absent("grid", home.grid, f"home {home.id!r}")
    if home.person and not person_is_known:
        raise absent("person", home.person, f"home {home.id!r}")
    if home.code and code_taken_by is not None:
        raise ValueError(f"the code {home.code!r} of home {home.id!r} belongs to {code_taken_by!r}; codes are unique")
