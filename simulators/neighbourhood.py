"""Twelve believable homes in one grid: who lives there, 28 days of their past, and the lives they go on with.

A function of a seed and a moment. With `staged`, four of the homes are what a visitor is shown in the first two
minutes: somebody out at the market, a hub gone dark, a press of an emergency button, and somebody who fell silent.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.domain import Area, Duty, Grid, Home, Person, Reach, Reading
from gateway.ports import RegistryLedger
from simulators.devices import Signal
from simulators.household import SHANGHAI, SMALL_KIT, WHOLE_KIT, Household, furnish
from simulators.speech import Dialect, LastSeen, Publication

DEMO_INTERVAL = timedelta(seconds=15)
"""Hubs of the demo promise to be heard this often, so that one gone dark shows soon."""

HISTORY = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """One door in the neighbourhood: who lives behind it, and what hangs there."""

    code: str
    surname: str
    title: str
    full: str
    persona: str
    dialect: Dialect = Dialect.ZIGBEE2MQTT
    last_seen: LastSeen = LastSeen.ISO
    chinese_names: bool = False
    kit: tuple[str, ...] = WHOLE_KIT
    key: str = "钥匙在居委会"


_NO_CHAIR = tuple(part for part in WHOLE_KIT if part not in ("living/chair", "kitchen/kettle"))

FLATS: tuple[Flat, ...] = (
    Flat(code="3-101", surname="王", title="奶奶", full="王秀兰", persona="early_riser", kit=_NO_CHAIR),
    Flat(code="3-102", surname="李", title="爷爷", full="李德福", persona="card_player", dialect=Dialect.PLAIN),
    Flat(code="3-201", surname="张", title="奶奶", full="张桂英", persona="night_visitor", last_seen=LastSeen.LOCAL),
    Flat(code="3-202", surname="刘", title="爷爷", full="刘振山", persona="tv_sitter", last_seen=LastSeen.EPOCH),
    Flat(
        code="3-301",
        surname="陈",
        title="奶奶",
        full="陈玉珍",
        persona="bed_rest",
        key="护理员有钥匙，门锁密码在居委会",
    ),
    Flat(
        code="3-302", surname="杨", title="爷爷", full="杨守义", persona="napper", dialect=Dialect.PLAIN, kit=_NO_CHAIR
    ),
    Flat(
        code="5-101",
        surname="赵",
        title="奶奶",
        full="赵淑贤",
        persona="wanderer",
        chinese_names=True,
        key="女儿住 5-402",
    ),
    Flat(code="5-102", surname="黄", title="奶奶", full="黄月华", persona="cat_widow"),
    Flat(code="5-201", surname="周", title="爷爷", full="周文彬", persona="gardener", dialect=Dialect.PLAIN),
    Flat(code="5-202", surname="吴", title="奶奶", full="吴素琴", persona="school_run", last_seen=LastSeen.OFF),
    Flat(code="5-301", surname="徐", title="奶奶", full="徐凤英", persona="gardener", kit=_NO_CHAIR),
    Flat(
        code="5-302",
        surname="孙",
        title="爷爷",
        full="孙永年",
        persona="tv_sitter",
        dialect=Dialect.PLAIN,
        kit=SMALL_KIT,
    ),
)

OUT, DARK, PRESSES, SILENT = "3-101", "3-202", "5-102", "5-201"
"""Who is staged as what."""

AREAS: tuple[Area, ...] = (
    Area(code="990100", name="示范市", level="city"),
    Area(code="990101", name="安和区", level="district", parent="990100"),
    Area(code="990101001000", name="向阳街道", level="street", parent="990101"),
    Area(code="990101001003", name="和平里社区", level="community", parent="990101001000"),
)
"""Codes that no real place has."""

GRID = Grid(code="990101001003-02", name="和平里第二网格", community="990101001003")

STAFF: tuple[tuple[str, str, Duty], ...] = (
    ("worker", "林晓梅", Duty.GRID_WORKER),
    ("deputy", "陈建国", Duty.DEPUTY),
    ("supervisor", "高敏", Duty.SUPERVISOR),
    ("installer", "何志强", Duty.INSTALLER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a visitor will see, and when: homes by id, moments in UTC."""

    out: str
    out_since: datetime
    dark: str
    dark_since: datetime
    presses: str
    presses_at: datetime
    silent: str
    silent_since: datetime
    silent_due: datetime  # when the plain inactivity rule falls due
    silent_code: str  # "inactivity", or between 22:00 and 01:00, when that rule never falls due, "not_returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """A grid with its homes and people, at a moment."""

    seed: int
    now: datetime
    households: tuple[Household, ...]
    staff: tuple[tuple[Person, Duty], ...]
    residents: tuple[Person, ...]
    scenario: Scenario | None
    areas: tuple[Area, ...] = AREAS
    grid: Grid = GRID

    @property
    def homes(self) -> tuple[Home, ...]:
        return tuple(household.home for household in self.households)

    @property
    def people(self) -> tuple[Person, ...]:
        return (*(person for person, _ in self.staff), *self.residents)

    def household(self, home: str) -> Household:
        for household in self.households:
            if household.home.id == home:
                return household
        raise LookupError(f"no home {home!r} in this neighbourhood; it has {', '.join(h.id for h in self.homes)}")

    def register(self, ledger: RegistryLedger) -> None:
        """Write everything an installer would have entered."""
        for area in self.areas:
            ledger.put_area(area, self.now)
        ledger.put_grid(self.grid)
        for person in self.people:
            ledger.put_person(person, self.now)
        for person, duty in self.staff:
            ledger.assign(person.id, duty, self.grid.code, self.now - HISTORY)
        for home in self.homes:
            ledger.put_home(home, self.now)

    def history(self, span: timedelta = HISTORY, first_arrival: int = 1) -> Iterator[Reading]:
        """What a gateway would have stored up to now, of all homes in order of time, arrival numbers counting on."""
        since = self.now - span
        lives = [_numbered(index, household, since, self.now) for index, household in enumerate(self.households)]
        read = [household.reading for household in self.households]
        for arrival, (signal, index) in enumerate(heapq.merge(*lives), first_arrival):
            yield read[index](signal, arrival)

    def last_heard(self, at: datetime | None = None) -> Mapping[str, datetime]:
        """When each home's hub was last heard by `at` (now): a history of readings alone does not tell."""
        moment = at or self.now
        return {h.home.id: h.heard_by(moment) for h in self.households}

    def live(self, until: datetime | None = None) -> Iterator[Publication]:
        """What all hubs publish from now on, in order of time; endless without `until`."""
        streams = [household.publications(self.now, until) for household in self.households]
        return heapq.merge(*streams, key=lambda publication: publication.at)


def _numbered(index: int, household: Household, since: datetime, until: datetime) -> Iterator[tuple[Signal, int]]:
    return ((signal, index) for signal in household.changes(since, until, alive=True))


def neighbourhood(
    seed: int,
    now: datetime,
    *,
    staged: bool = True,
    reach: Callable[[str], tuple[Reach, ...]] = lambda person: (Reach(channel="console"),),
    interval: timedelta = DEMO_INTERVAL,
    zone: ZoneInfo = SHANGHAI,
) -> Neighbourhood:
    """The neighbourhood of this seed at this moment. `reach` says by what means each of the staff is told."""
    now = now - timedelta(microseconds=now.microsecond)
    households = {flat.code: _move_in(flat, seed, interval, zone) for flat in FLATS}
    scenario = _stage(households, now, zone) if staged else None
    return Neighbourhood(
        seed=seed,
        now=now,
        households=tuple(households.values()),
        staff=tuple((Person(id=id, name=name, reaches=reach(id)), duty) for id, name, duty in STAFF),
        residents=tuple(Person(id=f"elder-{flat.code}", name=flat.full) for flat in FLATS),
        scenario=scenario,
    )


def _move_in(flat: Flat, seed: int, interval: timedelta, zone: ZoneInfo) -> Household:
    building, door = flat.code.split("-")
    return furnish(
        f"home-{flat.code}",
        flat.persona,
        code=flat.code,
        name=flat.surname + flat.title,
        seed=seed,
        grid=GRID.code,
        address=f"和平里 {building} 号楼 {door} 室",
        access=flat.key,
        person=f"elder-{flat.code}",
        dialect=flat.dialect,
        last_seen=flat.last_seen,
        chinese_names=flat.chinese_names,
        interval=interval,
        kit=flat.kit,
        zone=zone,
    )


# --------------------------------------------------------------------------- the first two minutes


def _stage(homes: dict[str, Household], now: datetime, zone: ZoneInfo) -> Scenario:
    """Change four lives so that the next minutes show what the gateway is for."""
    out_since, dark_since = now - timedelta(minutes=50), now - timedelta(minutes=40)
    presses_at, due = now + timedelta(seconds=25), now + timedelta(seconds=75)
    homes[OUT] = (
        homes[OUT].stay_home(now - timedelta(hours=4), out_since).go_out(out_since, now + timedelta(minutes=40), "早市")
    )
    homes[DARK] = homes[DARK].hub_dark(dark_since)
    homes[PRESSES] = homes[PRESSES].stay_home(now - timedelta(hours=1), now + timedelta(hours=1)).press_sos(presses_at)
    silent = homes[SILENT].stay_home(now - timedelta(hours=8), due)
    since = silent_since(due, zone)
    if since is not None:
        homes[SILENT], code = silent.fall_silent(since), "inactivity"
    else:  # who goes out and does not come back is due after six hours at any time
        since, code = due - OUTING - DOOR_CLOSES, "not_returned"
        homes[SILENT] = silent.go_out(since)
    return Scenario(
        out=homes[OUT].home.id,
        out_since=out_since,
        dark=homes[DARK].home.id,
        dark_since=dark_since,
        presses=homes[PRESSES].home.id,
        presses_at=presses_at,
        silent=homes[SILENT].home.id,
        silent_since=since,
        silent_due=due,
        silent_code=code,
    )


BY_DAY, AT_ANY_TIME, OUTING = timedelta(hours=3), timedelta(hours=6), timedelta(hours=6)
DAY_BEGINS, DAY_ENDS = time(7), time(22)
DOOR_CLOSES = timedelta(seconds=7)


def due_after(since: datetime, zone: ZoneInfo) -> datetime:
    """When a silence at home that began at `since` is too long: three hours within 07–22, or six at any time."""
    today = since.astimezone(zone).date()
    due = since + AT_ANY_TIME
    for day in (today, today + timedelta(days=1)):
        begins = datetime.combine(day, DAY_BEGINS, zone).astimezone(since.tzinfo)
        ends = datetime.combine(day, DAY_ENDS, zone).astimezone(since.tzinfo)
        by_day = max(since, begins) + BY_DAY
        if by_day <= ends:
            due = min(due, by_day)
    return due


def silent_since(due: datetime, zone: ZoneInfo) -> datetime | None:
    """When somebody must have moved last for the rule to fall due at `due`; None where no silence does."""
    for span in (BY_DAY, AT_ANY_TIME):
        if due_after(due - span, zone) == due:
            return due - span
    return None
