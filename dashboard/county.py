"""What is known of an area or a grid as a whole: counted from the stores, without words.

Nothing here looks at a single home's readings or devices, so ten thousand homes cost what ten thousand additions cost.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from alerts import drills, load, sla, sums
from alerts.drills import Standing
from alerts.load import Load
from alerts.selftest import EVERY
from alerts.sla import Case, Clock, Figures, Share
from alerts.sums import Rule, Week
from dashboard import views
from dashboard.house import House
from dashboard.printer import FALLBACK_ZONE
from dashboard.tally import Picture, Tally
from gateway.domain import Alert, Delivery, Home, Monitoring, Outcome, Severity
from gateway.domain.home import GRID
from gateway.domain.plan import VISIT_DUE

WEEKS = 13
"""What is shown week by week: a quarter of a year, the present week included."""

A_WEEK = timedelta(weeks=1)
FOUR_WEEKS = 4 * A_WEEK
"""Of these days the figures speak: long enough for rare rules, short enough for what was changed last month to show."""

WATCHED = (Monitoring.TRIAL, Monitoring.GUARDED)
FOR_PEOPLE = (Severity.EMERGENCY, Severity.HIGH, Severity.MEDIUM)
WHOLE = ""
"""The place in which all others lie."""
NOWHERE = "-"
"""Stands for the homes that nobody has put into a grid."""


@dataclass(frozen=True, slots=True)
class Line:
    """What an overview has to know of a home, kept as long as the registry stays as it is."""

    home: Home
    silent_after: timedelta | None  # None: its hubs promise nothing
    buttons: tuple[tuple[str, str], ...]  # that call for help, each with its home, as their tests are named

    @property
    def is_watched(self) -> bool:
        return self.home.state in WATCHED

    def is_silent(self, heard: datetime | None, now: datetime) -> bool:
        """Watched, and not heard for longer than its hubs have promised."""
        if not self.is_watched or self.silent_after is None:
            return False
        return heard is None or now - heard > self.silent_after


NOTHING = sla.figures_of((), datetime.min.replace(tzinfo=UTC))


@dataclass(slots=True)
class Part:
    """One part of a place: an area, a grid, or all of it; with what happens there now and the cases of four weeks."""

    code: str
    homes: Counter[Monitoring] = field(default_factory=Counter)
    devices: int = 0
    silent: int = 0
    limited: int = 0  # homes in which something that could be noticed cannot be at present
    open: Counter[Severity] = field(default_factory=Counter)
    overdue: int = 0
    faults: int = 0  # open alerts about the equipment
    cases: list[Case] = field(default_factory=list)
    figures: Figures = field(default_factory=lambda: NOTHING)  # of these cases

    @property
    def watched(self) -> int:
        return sum(self.homes[state] for state in WATCHED)

    @property
    def calls(self) -> int:
        """What people are called for at this moment."""
        return sum(self.open[severity] for severity in FOR_PEOPLE)

    @property
    def seen(self) -> Share:
        """Of the homes that are watched, those that are heard and see all they could."""
        return Share(self.watched - min(self.silent + self.limited, self.watched), self.watched)


PartOf = Callable[[str], Part | None]
"""In which part of a place a home lies; None where it lies elsewhere."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven within a month: visits, emergency buttons, and ways to whoever is on duty."""

    visited: Share  # homes that are watched, and in which somebody met the resident
    overdue: int  # homes in which nobody has been for too long
    buttons: Share
    ways: Counter[Standing]

    @property
    def reached(self) -> Share:
        due = sum(n for standing, n in self.ways.items() if standing.is_due)
        return Share(self.ways.total() - due, self.ways.total())


@dataclass(frozen=True, slots=True)
class Sight:
    """A place as whoever answers for it sees it."""

    whole: Part
    parts: Sequence[Part]
    trail: Sequence[str]  # what lies around it, the widest first
    is_grid: bool
    here: Sequence[tuple[Home, int, bool]]  # of a grid: each home, how many alerts are open there, whether it is silent
    open: Sequence[tuple[Alert, Home, Clock | None]]  # what people are called for, what is late first
    silent: Sequence[tuple[Home, datetime | None]]  # with when each was last heard
    blind_to: Sequence[tuple[str, int]]  # what cannot be noticed, and in how many homes
    faults: Sequence[tuple[str, int]]  # what is wrong with the equipment, by the code of the alert
    figures: Figures
    rules: Sequence[Rule]
    people: Sequence[Load]
    homes: Sequence[Load]  # those that call too often
    follow_ups: Share  # late ones, of those that are due
    proof: Proof


@dataclass(frozen=True, slots=True)
class Visited:
    """How often somebody went to the homes of a place in a month without being called there."""

    made: int
    met: Share  # at which the resident was met
    proven: Share  # of which the home's own door, or the code beside it, says that somebody came
    homes: Share  # of the homes watched now, those in which somebody met the resident


@dataclass(frozen=True, slots=True)
class Month:
    """What is written down about a month of a place; a month ends at each home's own midnight."""

    figures: Figures
    severities: Counter[Severity]
    parts: Sequence[Figures]  # of each part in which anything was
    rules: Sequence[Rule]
    outcomes: Sequence[tuple[Outcome, int]]
    visits: Visited


class County:
    """Counts over the areas. What changes with the registry only is remembered with its version."""

    def __init__(self, house: House, tally: Tally) -> None:
        self._house = house
        self._tally = tally
        self._version = -1
        self._lines: dict[str, Line] = {}
        self._grids: frozenset[str] = frozenset()
        self._has_strays = False  # a home that lies in no grid

    def _known(self) -> Mapping[str, Line]:
        """Every home, by its id."""
        registry = self._house.registry
        version = registry.version()
        if version != self._version:
            self._grids = frozenset(grid.code for grid in registry.grids())
            self._lines, self._version = {home.id: _line(home) for home in registry.homes()}, version
            self._has_strays = any(not line.home.grid for line in self._lines.values())
        return self._lines

    def below(self, place: str) -> Mapping[str, str]:
        """Every grid and area within a place -> the direct part of it in which that lies, the place itself too."""
        found = {}
        for code, chain in self._house.registry.rota().above.items():
            if place in chain:
                at = chain.index(place)
                found[code] = chain[at - 1] if at else code
        if place == WHOLE:
            found[WHOLE] = NOWHERE
        return found

    def widest(self, place: str) -> str:
        """The place itself, or where it holds one area and nothing else, that one: nobody has to go down by hand."""
        self._known()
        while len(parts := set(self.below(place).values()) - {place, NOWHERE}) == 1 and not parts <= self._grids:
            if place == WHOLE and self._has_strays:
                break
            (place,) = parts
        return place

    def see(self, place: str, now: datetime) -> Sight:
        house, lines = self._house, self._known()
        below, picture = self.below(place), self._tally.look(now, now - FOUR_WEEKS)
        heard = house.readings.heard()
        parts = {code: Part(code) for code in dict.fromkeys(below.values()) if code not in (place, NOWHERE)}

        def part_at(grid: str) -> Part | None:
            code = below.get(grid)
            if code is not None and code not in parts:
                parts[code] = Part(code)
            return None if code is None else parts[code]

        def part_of(home: str) -> Part | None:
            if home.startswith(GRID):
                return part_at(home.removeprefix(GRID))
            return own.get(home)

        by_grid = {grid: part_at(grid) for grid in {line.home.grid for line in lines.values()}}
        own = {home: part for home, line in lines.items() if (part := by_grid[line.home.grid]) is not None}
        silent = _count_homes(own, lines, heard, now)
        blind_to: Counter[str] = Counter()
        for home, gaps in house.readings.gaps().items():
            if home in own and lines[home].is_watched and (spots := views.blind_spots(gaps)):
                blind_to.update({gap.what for gap in spots})
                if home not in silent:
                    own[home].limited += 1
        opened, faults, due = self._count_alerts(picture.unclosed, part_of, now)
        recent: list[Case] = []
        for case in picture.cases:
            if case.raised_at >= now - FOUR_WEEKS and (part := own.get(case.home)) is not None:
                part.cases.append(case)
                recent.append(case)
        for part in parts.values():
            part.figures = sla.figures_of(part.cases, now, part.code)
        figures = sla.figures_of(recent, now, place)
        calling = Counter(home.id for _, home, _ in opened)
        residents = [lines[home].home for home in own] if place in self._grids else []
        here = [(home, calling[home.id], home.id in silent) for home in residents]
        return Sight(
            whole=_all(place, parts.values(), figures),
            parts=sorted(parts.values(), key=_gravity),
            trail=tuple(reversed(self.above(place)[1:])),
            is_grid=place in self._grids,
            here=sorted(here, key=lambda line: (-line[1], not line[2], line[0].code)),
            open=opened,
            silent=[(lines[home].home, heard.get(home)) for home in silent],
            blind_to=blind_to.most_common(),
            faults=faults.most_common(),
            figures=figures,
            rules=sums.by_rule(recent),
            people=load.of_people(house.alerts.called(now - load.A_DAY), own),
            homes=load.of_homes(_often(recent, now).items(), own),
            follow_ups=Share(sum(at < now for at in due), len(due)),
            proof=self._proof(place, own, picture, now),
        )

    def homes(self, place: str) -> list[Home]:
        """Every home in a place."""
        below = self.below(place)
        return [line.home for line in self._known().values() if line.home.grid in below]

    def weeks(self, place: str, now: datetime) -> list[Week]:
        """A quarter of a year of a place, week by week."""
        homes, below = self._known(), self.below(place)
        picture = self._tally.look(now, now - WEEKS * A_WEEK)
        mine = [case for case in picture.cases if (line := homes.get(case.home)) and line.home.grid in below]
        return sums.by_week(mine, FALLBACK_ZONE, now, WEEKS)

    def month(self, place: str, month: str, now: datetime) -> Month:
        """A month of a place, whenever it was. ValueError: that is no month."""
        homes, below = self._known(), self.below(place)
        since, until = sla.span_of(month)
        parts: dict[str, list[Case]] = {}
        for case in self._tally.raised(since, until, now):
            line = homes.get(case.home)
            if line is None or line.home.grid not in below:
                continue
            if sla.month_of(case.raised_at, line.home.zone) == month:
                parts.setdefault(below[line.home.grid], []).append(case)
        cases = [case for some in parts.values() for case in some]
        return Month(
            figures=sla.figures_of(cases, now, place, month),
            severities=Counter(case.severity for case in cases),
            parts=[sla.figures_of(some, now, code, month) for code, some in sorted(parts.items())],
            rules=sums.by_rule(cases),
            outcomes=sums.by_outcome(cases),
            visits=self._visited(place, month),
        )

    def _visited(self, place: str, month: str) -> Visited:
        homes, below = self._known(), self.below(place)
        mine = {home: line for home, line in homes.items() if line.home.grid in below}
        since, until = sla.span_of(month)
        visits = [
            visit
            for visit in self._house.alerts.visits(since=since, until=until)
            if visit.home in mine and sla.month_of(visit.at, mine[visit.home].home.zone) == month
        ]
        watched = {home for home, line in mine.items() if line.is_watched}
        met = [visit for visit in visits if visit.has_met]
        return Visited(
            made=len(visits),
            met=Share(len(met), len(visits)),
            proven=Share(sum(bool(visit.proof) for visit in visits), len(visits)),
            homes=Share(len({visit.home for visit in met} & watched), len(watched)),
        )

    def _count_alerts(
        self, unclosed: Iterable[Alert], part_of: PartOf, now: datetime
    ) -> tuple[list[tuple[Alert, Home, Clock | None]], Counter[str], list[datetime]]:
        """What is open, what is wrong with the equipment, and by when somebody is to be looked in on again."""
        opened: list[tuple[Alert, Home, Clock | None]] = []
        faults: Counter[str] = Counter()
        due = []
        for alert in unclosed:
            part = part_of(alert.home)
            if part is None:
                continue
            if (at := sla.follow_up_due(alert)) is not None:
                due.append(at)
            if not alert.is_open or alert.is_muted:
                continue
            if alert.severity is Severity.TECHNICAL:
                part.faults += 1
                faults[alert.code] += 1
            if not sla.is_for_people(alert):
                continue
            part.open[alert.severity] += 1
            clock = sla.running(alert)
            part.overdue += clock is not None and clock.is_breached(now)
            line = self._lines.get(alert.home)
            home = line.home if line else self._house.registry.home(alert.home)
            if home is not None:
                opened.append((alert, home, clock))

        def order(line: tuple[Alert, Home, Clock | None]) -> tuple[bool, int, datetime]:
            alert, _, clock = line
            return clock is None or not clock.is_breached(now), alert.severity.value, alert.raised_at

        return sorted(opened, key=order), faults, due

    def _proof(self, place: str, own: Mapping[str, Part], picture: Picture, now: datetime) -> Proof:
        watched = {home for home in own if self._lines[home].is_watched}
        visited = sum(home in watched and now - visit.at <= EVERY for home, visit in picture.visited.items())
        overdue = sum(a.home in own and a.code == VISIT_DUE and a.is_open for a in picture.unclosed)
        ways = self._ways(place, self._house.alerts.trials(), now)
        return Proof(Share(visited, len(watched)), overdue, self._proven(watched, picture, now), ways)

    def buttons(self, place: str, now: datetime) -> Share:
        """Of the emergency buttons of a place those that were tried out within a month."""
        below, lines = self.below(place), self._known()
        watched = [home for home, line in lines.items() if line.is_watched and line.home.grid in below]
        return self._proven(watched, self._tally.look(now), now)

    def _proven(self, homes: Iterable[str], picture: Picture, now: datetime) -> Share:
        buttons = [button for home in homes for button in self._lines[home].buttons]
        tests, since = [picture.tested.get(button) for button in buttons], now - EVERY
        return Share(sum(test is not None and test.at >= since for test in tests), len(buttons))

    def _ways(self, place: str, trials: Iterable[Delivery], now: datetime) -> Counter[Standing]:
        """How the ways stand to everybody who holds a post in this place."""
        registry = self._house.registry
        rota = registry.rota()
        inside = self.below(place)
        held = {p.person for posts in rota.posts.values() for p in posts if p.place in inside and p.covers(now)}
        people = [person for name in held if (person := registry.person(name)) is not None]
        return Counter(line.standing for line in drills.way_lines(people, trials, now))

    def above(self, place: str) -> Sequence[str]:
        """The place and what it lies in, the nearest first."""
        return self._house.registry.rota().above.get(place, (place,))


def _line(home: Home) -> Line:
    interval = home.interval
    return Line(
        home=home,
        silent_after=None if interval is None else views.SILENT_AFTER * interval,
        buttons=tuple((home.id, sensor.id) for sensor in drills.buttons(home)),
    )


def _count_homes(
    own: Mapping[str, Part], lines: Mapping[str, Line], heard: Mapping[str, datetime], now: datetime
) -> dict[str, None]:
    """Count every home into its part; those that are not heard, in the order of the registry."""
    silent: dict[str, None] = {}
    for home, part in own.items():
        line = lines[home]
        part.homes[line.home.state] += 1
        part.devices += len(line.home.sensors)
        if line.is_silent(heard.get(home), now):
            part.silent += 1
            silent[home] = None
    return silent


def _all(code: str, parts: Iterable[Part], figures: Figures) -> Part:
    whole = Part(code, figures=figures)
    for part in parts:
        whole.homes += part.homes
        whole.open += part.open
        whole.devices += part.devices
        whole.silent += part.silent
        whole.limited += part.limited
        whole.overdue += part.overdue
        whole.faults += part.faults
    return whole


def _gravity(part: Part) -> tuple[int, int, int, int, str]:
    """What is late first, then what may cost a life, then what is open and what is not seen."""
    return -part.overdue, -part.open[Severity.EMERGENCY], -part.calls, -part.silent, part.code


def _often(cases: Iterable[Case], now: datetime) -> Counter[str]:
    """How often each home has called people in a week."""
    return Counter(case.home for case in cases if now - case.raised_at <= load.A_WEEK)
