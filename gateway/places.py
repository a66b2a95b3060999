"""Areas and grids: what lies in what. Every act is one audited transaction, and counts from then on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain import Act, Area, Facts, Grid, Scope
from gateway.ports import RegistryLedger, RegistryStore
from gateway.refusals import ID, N_, check_reason, is_name, refused
from gateway.sheets import STANDARD_LEVELS, lies_above

A_DAY = timedelta(days=1)

MOST_NAMED = 5
"""Of what still lies in a place so much is named; nobody reads forty names in a sentence."""


@dataclass(slots=True)
class _Act:
    ledger: RegistryLedger
    who: str
    now: datetime

    def note(self, what: str, code: str, *, why: str = "", facts: Facts = ()) -> None:
        self.ledger.audit(Act(at=self.now, who=self.who, what=what, ref=code, why=why, facts=facts))
        self.ledger.publish(self.now, "registry", code)


class Places:
    """The use-cases of areas and grids, for the command line and the pages alike. Refuses with a RegistrationError."""

    def __init__(self, store: RegistryStore, levels: Sequence[str] = STANDARD_LEVELS) -> None:
        """`levels` says how areas are nested here, the widest first: a code and its Chinese name."""
        self._store = store
        self._beside: Callable[[RegistryLedger], None] = lambda ledger: None
        self.levels = tuple(level.split(" ", 1)[0] for level in levels)
        self.level_names = dict(zip(self.levels, (level.partition(" ")[2] for level in levels), strict=True))

    def beside(self, write: Callable[[RegistryLedger], None]) -> "Places":
        """The same for one act: what it changes and what `write` writes become durable together."""
        other = copy(self)
        other._beside = write
        return other

    def find(self, code: str) -> Area | Grid | None:
        places: list[Area | Grid] = [*self._store.areas(), *self._store.grids()]
        return next((place for place in places if place.code == code), None)

    def open(self, place: Area | Grid, *, who: str, now: datetime) -> None:
        """A new area or grid. A code that was closed may be given again: it is another place then."""
        with self._act(who, now) as act:
            if (standing := self.find(place.code)) is not None:
                raise refused(N_("The code {code} is taken by {name}."), code=place.code, name=standing.name)
            self._put(act, place, "open")

    def change(self, place: Area | Grid, *, who: str, now: datetime) -> None:
        """Another name, or another area around it; what lies in it goes along."""
        with self._act(who, now) as act:
            self._known(place.code)
            self._put(act, place, "change")

    def close(self, code: str, *, into: str = "", why: str, who: str, now: datetime) -> int:
        """Nobody answers for it any more; of a grid the households go to the grid `into`. Returns how many went.

        Whoever was called for it is called for it no longer, its shifts end and its plan ends.
        """
        check_reason(why)
        with self._act(who, now) as act:
            place = self._known(code)
            moved = self._move(act, place, into) if isinstance(place, Grid) else self._must_be_empty(place)
            self._end_all(act, place)
            if isinstance(place, Grid):
                act.ledger.close_grid(code, now)
            else:
                act.ledger.close_area(code, now)
            facts = (("into", into), ("homes", str(moved))) if moved else ()
            act.note(f"{_kind(place)}.close", code, why=why.strip(), facts=facts)
            return moved

    def _put(self, act: _Act, place: Area | Grid, what: str) -> None:
        if not ID.fullmatch(place.code.lower()):
            raise refused(N_("A code is 1 to 64 letters, digits and '-'."))
        if not place.name or not is_name(place.name):
            raise refused(N_("It needs a name of at most 80 characters."))
        around = place.community if isinstance(place, Grid) else place.parent
        wider = next((area for area in self._store.areas() if area.code == around), None)
        if around and wider is None:
            raise refused(N_("There is no area '{area}'."), area=around)
        if isinstance(place, Area):
            if place.level not in self.levels:
                raise refused(N_("'{value}' is none of {choices}."), value=place.level, choices=", ".join(self.levels))
            is_ring = place.code in self._store.rota().above.get(around, ())
            if wider is not None and (is_ring or not lies_above(wider, place, self.levels)):
                raise refused(
                    N_("'{area}' is a {level}; it cannot lie above this one."), area=wider.name, level=wider.level
                )
            act.ledger.put_area(place, act.now)
        else:
            act.ledger.put_grid(place)
        act.note(f"{_kind(place)}.{what}", place.code, facts=(("name", place.name), ("in", around)))

    def _move(self, act: _Act, grid: Grid, into: str) -> int:
        homes = [home for home in self._store.homes() if home.grid == grid.code]
        if homes and into not in {other.code for other in self._store.grids()} - {grid.code}:
            text = N_("{n} households still lie in {grid}; say to which grid they go.")
            raise refused(text, n=len(homes), grid=grid.name)
        for home in homes:
            act.ledger.put_home(replace(home, grid=into), act.now)
            act.ledger.audit(Act(at=act.now, who=act.who, what="home.change", ref=home.id, facts=(("grid", into),)))
            act.ledger.publish(act.now, "registry", home.id, home=home.id, grid=into)
        return len(homes)

    def _must_be_empty(self, area: Area) -> int:
        inside = [one.name for one in self._store.areas() if one.parent == area.code]
        inside += [one.name for one in self._store.grids() if one.community == area.code]
        if inside:
            named = ", ".join(inside[:MOST_NAMED]) + (" …" if len(inside) > MOST_NAMED else "")
            raise refused(
                N_("In {area} there still lie {places}; move or close them first."), area=area.name, places=named
            )
        return 0

    def _end_all(self, act: _Act, place: Area | Grid) -> None:
        rota = self._store.rota()
        for (where, _), posts in rota.posts.items():
            for post in posts if where == place.code else ():
                if post.until is None or post.until > act.now:
                    act.ledger.assign(post.person, post.duty, where, post.since, max(post.since, act.now))
        for (where, _), shifts in rota.shifts.items():
            for shift in shifts if where == place.code else ():
                yesterday = act.now.astimezone(shift.zone).date() - A_DAY
                if shift.first > yesterday:
                    act.ledger.drop_shift(shift.id)
                elif shift.last is None or shift.last > yesterday:
                    act.ledger.put_shift(replace(shift, last=yesterday))
        scope = Scope.GRID if isinstance(place, Grid) else Scope.AREA
        for line in self._store.overrides(place.code, scope):
            if line.until is None or line.until > act.now:
                act.ledger.put_override(replace(line, until=max(line.since, act.now)))

    def _known(self, code: str) -> Area | Grid:
        place = self.find(code)
        if place is None:
            raise refused(N_("There is no grid or area '{place}'; register it first."), place=code)
        return place

    @contextmanager
    def _act(self, who: str, now: datetime) -> Iterator[_Act]:
        """One transaction. What is read inside it stays as it is until its end: there is one writer at a time."""
        with self._store.begin() as ledger:
            yield _Act(ledger, who, now)
            self._beside(ledger)


def _kind(place: Area | Grid) -> str:
    return "grid" if isinstance(place, Grid) else "area"
