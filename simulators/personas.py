"""Kinds of elder, and what each does with a day.

A persona is data: when she wakes, where she goes, how she rests. From a seed and a date it gives one day, from one
waking to the next, as stays in rooms. The same seed gives the same day whichever other days were asked for.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from gateway.domain import RoomKind

MINUTE = timedelta(minutes=1)

LONGEST_SLEEP = timedelta(hours=4, minutes=50)
"""Nobody here sleeps longer without getting up once: the elders we model do not, and a sensor sees only movement."""

LONGEST_SIT = timedelta(minutes=100)
"""How long anybody stays put while awake before getting up for tea or the toilet."""


class Activity(StrEnum):
    """What somebody does in a room; it decides how much of them a sensor sees."""

    SLEEP = "sleep"
    NAP = "nap"
    BED_REST = "bed_rest"  # lies awake
    TOILET = "toilet"
    WASH = "wash"
    COOK = "cook"
    TEA = "tea"
    EAT = "eat"
    TV = "tv"
    READ = "read"
    CHORES = "chores"
    GUEST = "guest"  # a visitor is in the flat
    WANDER = "wander"  # restless, from room to room
    OUT = "out"

    @property
    def is_in_bed(self) -> bool:
        return self in (Activity.SLEEP, Activity.NAP, Activity.BED_REST)

    @property
    def is_seated(self) -> bool:
        return self in (Activity.TV, Activity.READ)


@dataclass(frozen=True, slots=True)
class Stay:
    """From `at` to `until` somebody is in a room (None: out of the flat) and does one thing."""

    at: datetime
    until: datetime
    room: RoomKind | None
    activity: Activity
    why: str = ""  # market, cards, a daughter's visit …


@dataclass(frozen=True, slots=True, kw_only=True)
class Outing:
    """A reason to leave the flat: at about this hour, for about so long, on some days."""

    why: str
    hour: float
    minutes: float
    chance: float = 1.0
    spread: float = 15  # minutes
    days: frozenset[int] = frozenset(range(7))  # 0 is Monday


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody comes: a daughter on Sunday, a carer three times a day."""

    who: str
    hour: float
    minutes: float
    chance: float = 1.0
    days: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nap:
    hour: float
    minutes: float
    chance: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Leisure:
    """One way to fill the time between the fixed points of a day."""

    room: RoomKind
    activity: Activity
    minutes: float
    weight: float = 1.0


LIVING = RoomKind.LIVING
KITCHEN = RoomKind.KITCHEN
BEDROOM = RoomKind.BEDROOM
BATHROOM = RoomKind.BATHROOM
HALL = RoomKind.HALL

AROUND_THE_HOUSE = (
    Leisure(room=LIVING, activity=Activity.TV, minutes=45, weight=2),
    Leisure(room=LIVING, activity=Activity.READ, minutes=30),
    Leisure(room=KITCHEN, activity=Activity.CHORES, minutes=15),
    Leisure(room=BEDROOM, activity=Activity.CHORES, minutes=10),
    Leisure(room=LIVING, activity=Activity.CHORES, minutes=15),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One kind of elder. Hours are local clock hours; `lively` scales how often she moves while doing something."""

    key: str
    zh: str
    en: str
    wakes: float = 6.3
    sleeps: float = 21.6
    spread: float = 18  # minutes, of waking and going to bed
    night_visits: tuple[int, int] = (1, 2)
    breakfast_after: float = 35  # minutes
    lunch: float = 11.6
    supper: float = 17.6
    outings: tuple[Outing, ...] = ()
    visits: tuple[Visit, ...] = ()
    naps: tuple[Nap, ...] = (Nap(hour=12.7, minutes=60),)
    leisure: tuple[Leisure, ...] = AROUND_THE_HOUSE
    toilet_every: float = 150  # minutes, by day
    lively: float = 1.0
    cooks: bool = True
    wanders: float = 0.0  # how often a night is interrupted by wandering
    night_exits: float = 0.0  # how often such a night leads out of the door
    cat: bool = False
    tags: frozenset[str] = field(default_factory=frozenset)

    def day(self, seed: int, day: date, zone: ZoneInfo) -> tuple[Stay, ...]:
        """From waking on `day` to waking on the day after, without a gap."""
        return tuple(_Day(self, seed, day, zone).stays())

    def wakes_on(self, seed: int, day: date, zone: ZoneInfo) -> datetime:
        """When she gets up; known for any day by itself, so that days join without a gap."""
        chance = Random(f"{seed}/{self.key}/{day}/wake")
        return _moment(day, self.wakes, zone) + timedelta(seconds=round(60 * _bounded(chance, self.spread)))


@dataclass(slots=True)
class _Day:
    """A day while it is being written: a pen (`_at`) that moves from waking to the next waking."""

    persona: Persona
    seed: int
    day: date
    zone: ZoneInfo
    _chance: Random = field(init=False)
    _at: datetime = field(init=False)
    _end: datetime = field(init=False)
    _toilet_due: datetime = field(init=False)
    _written: list[Stay] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._chance = Random(f"{self.seed}/{self.persona.key}/{self.day}")
        self._at = self.persona.wakes_on(self.seed, self.day, self.zone)
        self._end = self.persona.wakes_on(self.seed, self.day + timedelta(days=1), self.zone)
        self._toilet_due = self._at

    def stays(self) -> Iterator[Stay]:
        plans = self._plans()
        self._toilet()
        self._stay(BATHROOM, Activity.WASH, self._about(10))
        for at, act in sorted(plans, key=lambda plan: plan[0]):
            self._leisure_until(at)
            act()
        bedtime = self._clock(self.persona.sleeps) + _bounded(self._chance, self.persona.spread) * MINUTE
        self._leisure_until(bedtime - 15 * MINUTE)
        self._toilet()
        self._stay(BATHROOM, Activity.WASH, self._about(9))
        self._night()
        yield from self._written

    # ------------------------------------------------------------------ what the day holds

    def _plans(self) -> list[tuple[datetime, Callable[[], None]]]:
        """The fixed points. A die is thrown for each plan, happen or not: one choice must not shift all others."""
        persona, chance = self.persona, self._chance
        plans: list[tuple[datetime, Callable[[], None]]] = [
            (self._at + self._about(persona.breakfast_after) * MINUTE, partial(self._meal, self._about(15))),
            (self._clock(persona.lunch) + _bounded(chance, 12) * MINUTE, partial(self._meal, self._about(35))),
            (self._clock(persona.supper) + _bounded(chance, 12) * MINUTE, partial(self._meal, self._about(30))),
        ]
        for nap in persona.naps:
            plan = (self._clock(nap.hour) + _bounded(chance, 10) * MINUTE, partial(self._nap, self._about(nap.minutes)))
            if chance.random() < nap.chance:
                plans.append(plan)
        for outing in persona.outings:
            plan = (
                self._clock(outing.hour) + _bounded(chance, outing.spread) * MINUTE,
                partial(self._go_out, self._about(outing.minutes), outing.why),
            )
            if chance.random() < outing.chance and self.day.weekday() in outing.days:
                plans.append(plan)
        for visit in persona.visits:
            plan = (
                self._clock(visit.hour) + _bounded(chance, 8) * MINUTE,
                partial(self._stay, LIVING, Activity.GUEST, self._about(visit.minutes), visit.who),
            )
            if chance.random() < visit.chance and self.day.weekday() in visit.days:
                plans.append(plan)
        return plans

    def _meal(self, cooking: float) -> None:
        if self.persona.cooks:
            self._stay(KITCHEN, Activity.COOK, cooking)
        self._stay(LIVING, Activity.EAT, self._about(20))
        if self.persona.cooks:
            self._stay(KITCHEN, Activity.CHORES, self._about(8))

    def _nap(self, minutes: float) -> None:
        self._stay(BEDROOM, Activity.NAP, min(minutes, 150))
        self._toilet()

    def _go_out(self, minutes: float, why: str) -> None:
        self._stay(None, Activity.OUT, minutes, why)
        self._stay(LIVING, Activity.CHORES, self._about(6))  # puts her things away: seen again at once
        self._toilet()

    def _leisure_until(self, at: datetime) -> None:
        ways = self.persona.leisure
        weights = [way.weight for way in ways]
        while at - self._at > 2 * MINUTE:
            if self._at >= self._toilet_due:
                self._toilet()
                if self._chance.random() < 0.5:
                    self._stay(KITCHEN, Activity.TEA, self._about(4))
                continue
            way = self._chance.choices(ways, weights)[0]
            until = min(
                at, self._at + min(self._about(way.minutes) * MINUTE, LONGEST_SIT), self._toilet_due + 2 * MINUTE
            )
            self._stay(way.room, way.activity, (until - self._at) / MINUTE)

    def _night(self) -> None:
        """To bed; up a few times for the toilet, so spread that no sleep is too long; then the next waking."""
        start, length = self._at, self._end - self._at
        times = self._chance.randint(*self.persona.night_visits)
        times = max(times, math.ceil(length / (LONGEST_SLEEP * 0.97)) - 1)
        share = length / (times + 1)
        play = min(0.3, (LONGEST_SLEEP / share - 1) / 2)
        wandering = self._chance.random() < self.persona.wanders
        leaving = self._chance.random() < self.persona.night_exits
        restless = self._chance.randint(1, max(1, times))
        for visit in range(1, times + 1):
            at = start + (visit + self._chance.uniform(-play, play)) * share
            self._stay(BEDROOM, Activity.SLEEP, (at - self._at) / MINUTE)
            self._toilet()
            if wandering and visit == restless:
                self._wander(leaving)
        self._stay(BEDROOM, Activity.SLEEP, (self._end - self._at) / MINUTE)

    def _wander(self, leaving: bool) -> None:
        rooms = (HALL, LIVING, KITCHEN, BEDROOM)
        for _ in range(self._chance.randint(4, 10)):
            self._stay(self._chance.choice(rooms), Activity.WANDER, self._about(3))
        if leaving:
            self._stay(None, Activity.OUT, self._chance.uniform(4, 11), "night")
            self._stay(LIVING, Activity.WANDER, self._about(3))

    # ------------------------------------------------------------------ the pen

    def _toilet(self) -> None:
        self._stay(BATHROOM, Activity.TOILET, self._chance.uniform(3, 8))
        self._toilet_due = self._at + self._about(self.persona.toilet_every) * MINUTE

    def _stay(self, room: RoomKind | None, activity: Activity, minutes: float, why: str = "") -> None:
        until = min(self._at + max(1.0, minutes) * MINUTE, self._end)
        until -= timedelta(microseconds=until.microsecond)
        if until > self._at:
            self._written.append(Stay(self._at, until, room, activity, why))
            self._at = until

    def _about(self, minutes: float) -> float:
        """A quarter more or less."""
        return minutes + _bounded(self._chance, minutes / 8)

    def _clock(self, hour: float) -> datetime:
        return _moment(self.day, hour, self.zone)


def _moment(day: date, hour: float, zone: ZoneInfo) -> datetime:
    """A local clock hour of a day (24 and more: of the day after) as a moment in UTC, where arithmetic is safe."""
    days, hour = divmod(hour, 24)
    day += timedelta(days=int(days))
    wall = datetime(day.year, day.month, day.day, int(hour), int(hour * 60 % 60), int(hour * 3600 % 60), tzinfo=zone)
    return wall.astimezone(UTC)


def _bounded(chance: Random, spread: float) -> float:
    """A normal variation that never runs away: two standard deviations at most."""
    return max(-2 * spread, min(2 * spread, chance.gauss(0, spread)))


# --------------------------------------------------------------------------- the kinds of elder

PERSONAS: dict[str, Persona] = {
    persona.key: persona
    for persona in (
        Persona(
            key="early_riser",
            zh="早起晨练、逛早市",
            en="up before dawn for exercise and the morning market",
            wakes=5.2,
            sleeps=20.9,
            breakfast_after=120,
            outings=(
                Outing(why="晨练", hour=5.7, minutes=55, chance=0.85),
                Outing(why="早市", hour=8.4, minutes=50, chance=0.8),
                Outing(why="散步", hour=18.9, minutes=35, chance=0.5),
            ),
            lively=1.2,
        ),
        Persona(
            key="night_visitor",
            zh="夜里常起身",
            en="up several times a night",
            wakes=6.6,
            sleeps=21.2,
            night_visits=(3, 5),
            toilet_every=100,
            outings=(Outing(why="买菜", hour=9.3, minutes=40, chance=0.5),),
        ),
        Persona(
            key="tv_sitter",
            zh="整天看电视",
            en="sits before the television most of the day",
            wakes=7.1,
            sleeps=22.4,
            outings=(Outing(why="取快递", hour=10.2, minutes=20, chance=0.3),),
            leisure=(
                Leisure(room=LIVING, activity=Activity.TV, minutes=85, weight=6),
                Leisure(room=KITCHEN, activity=Activity.CHORES, minutes=10),
            ),
            lively=0.7,
        ),
        Persona(
            key="bed_rest",
            zh="多卧床、少走动",
            en="spends most of the day in bed, a carer comes three times",
            wakes=7.3,
            sleeps=20.5,
            toilet_every=115,
            cooks=False,
            visits=(
                Visit(who="护理员", hour=8.2, minutes=45),
                Visit(who="护理员", hour=11.6, minutes=50),
                Visit(who="护理员", hour=17.5, minutes=40),
            ),
            naps=(Nap(hour=13.2, minutes=95),),
            leisure=(
                Leisure(room=BEDROOM, activity=Activity.BED_REST, minutes=70, weight=5),
                Leisure(room=LIVING, activity=Activity.TV, minutes=35),
            ),
            lively=0.5,
        ),
        Persona(
            key="napper",
            zh="白天爱打盹",
            en="naps morning and afternoon",
            wakes=6.1,
            sleeps=21.9,
            naps=(
                Nap(hour=9.6, minutes=55, chance=0.7),
                Nap(hour=12.8, minutes=105),
                Nap(hour=16.0, minutes=35, chance=0.5),
            ),
            outings=(Outing(why="散步", hour=15.0, minutes=30, chance=0.45),),
            lively=0.8,
        ),
        Persona(
            key="card_player",
            zh="每天下午出门打牌",
            en="out at the card table every afternoon",
            wakes=6.8,
            sleeps=22.2,
            outings=(
                Outing(why="买菜", hour=8.7, minutes=45, chance=0.6),
                Outing(why="打牌", hour=13.6, minutes=185, chance=0.93),
            ),
            naps=(Nap(hour=12.4, minutes=40, chance=0.6),),
        ),
        Persona(
            key="wanderer",
            zh="记性不好、夜里走动",
            en="forgetful, walks about at night and sometimes out of the door",
            wakes=6.0,
            sleeps=21.0,
            night_visits=(2, 4),
            wanders=0.55,
            night_exits=0.12,
            outings=(Outing(why="散步", hour=9.8, minutes=30, chance=0.6),),
            visits=(Visit(who="女儿", hour=17.0, minutes=70, chance=0.7),),
            leisure=(
                *AROUND_THE_HOUSE,
                Leisure(room=LIVING, activity=Activity.WANDER, minutes=12, weight=2),
                Leisure(room=KITCHEN, activity=Activity.WANDER, minutes=6),
            ),
            lively=1.3,
            tags=frozenset({"dementia"}),
        ),
        Persona(
            key="cat_widow",
            zh="老伴已走、养一只猫",
            en="widowed, lives with a cat",
            wakes=6.5,
            sleeps=21.8,
            outings=(
                Outing(why="买菜", hour=9.0, minutes=45, chance=0.7),
                Outing(why="串门", hour=15.2, minutes=70, chance=0.4),
            ),
            visits=(Visit(who="儿子一家", hour=10.8, minutes=240, chance=0.8, days=frozenset({6})),),
            cat=True,
        ),
        Persona(
            key="gardener",
            zh="养花、看报、写字",
            en="tends the balcony, reads the paper, writes characters",
            wakes=6.4,
            sleeps=21.5,
            outings=(Outing(why="公园", hour=9.4, minutes=80, chance=0.65),),
            leisure=(
                Leisure(room=LIVING, activity=Activity.CHORES, minutes=30, weight=2),
                Leisure(room=LIVING, activity=Activity.READ, minutes=45, weight=2),
                Leisure(room=BEDROOM, activity=Activity.CHORES, minutes=12),
                Leisure(room=KITCHEN, activity=Activity.TEA, minutes=6),
            ),
            lively=1.1,
        ),
        Persona(
            key="school_run",
            zh="接送孙辈上下学",
            en="takes a grandchild to school and back",
            wakes=6.0,
            sleeps=22.0,
            breakfast_after=20,
            outings=(
                Outing(why="送孙女上学", hour=7.4, minutes=35, chance=0.97, spread=5, days=frozenset(range(5))),
                Outing(why="接孙女放学", hour=16.2, minutes=45, chance=0.97, spread=5, days=frozenset(range(5))),
                Outing(why="买菜", hour=9.6, minutes=40, chance=0.5),
            ),
            visits=(Visit(who="孙女", hour=16.95, minutes=75, days=frozenset(range(5))),),
            lively=1.2,
        ),
    )
}
"""One line of thought each; a new kind of elder is one more entry."""
