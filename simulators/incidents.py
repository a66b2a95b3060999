"""Somebody falls in a home that was recorded: how soon a watch says so, and how often it says so of nobody.

The home lives on untouched. At moments drawn by chance while somebody is at home a copy of the watch is taken aside:
from there on nobody causes anything, the equipment goes on, and the first that is told of a person counts. What is
told of the untouched home is false. Every watch learns as it goes; it never sees the future.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from detectors import Watch
from gateway.domain import SECOND_EVENT, Finding, Home, Kind, Reading
from gateway.ports import Context

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

HORIZON = timedelta(hours=48)
"""Who has not been found by then counts as missed."""

HEARTBEAT = MINUTE
"""How often the hub is heard; each of its devices every hour."""

HOLE = timedelta(hours=20)
"""So long without a word of any kind, and the recorder was off."""

UNEXPLAINED = timedelta(hours=16)
"""A longer silence is an absence that nobody saw: nobody falls in it."""

BY_DAY_H = (7, 22)
PER_DAY, PER_NIGHT = 3, 1

COLD = timedelta(days=14)
"""The first days of a home, told apart: nothing is known yet."""

INACTIVE = frozenset({"inactivity", "entered_no_motion", "bath_dwell", "bed_no_return", "not_up"})
AWAY = frozenset({"not_returned", "night_exit"})


@dataclass(frozen=True)
class Life:
    """A home and all that was heard of it, in order; what its people did with hindsight."""

    home: Home
    readings: tuple[Reading, ...]
    learns: timedelta  # so long nothing is counted, but for the first days' own figures
    events: tuple[datetime, ...] = field(init=False)
    outings: frozenset[tuple[datetime, datetime]] = field(init=False)
    unfit: tuple[tuple[datetime, datetime], ...] = field(init=False)  # out, unexplained or not recorded

    def __post_init__(self) -> None:
        events = [r for r in self.readings if r.is_event]
        times = [r.at for r in events]
        living = _without_ghosts(events)
        doors = [r.at for r in events if r.kind is Kind.DOOR]
        outings = [
            (began, ended)
            for began, ended in pairwise(living)
            if ended - began >= 15 * MINUTE
            and _has(doors, began - 5 * MINUTE, began)
            and _has(doors, ended, ended + 2 * MINUTE)
        ]
        long = [(began, ended) for began, ended in pairwise(times) if ended - began > UNEXPLAINED]
        holes = [(a.at, b.at) for a, b in pairwise(self.readings) if b.at - a.at > HOLE]
        object.__setattr__(self, "events", tuple(living))
        object.__setattr__(self, "outings", frozenset(outings))
        object.__setattr__(self, "unfit", tuple(sorted({*outings, *long, *holes})))

    @property
    def begins(self) -> datetime:
        return self.readings[0].at

    @property
    def ends(self) -> datetime:
        return self.readings[-1].at

    @property
    def counted_from(self) -> datetime:
        return self.begins + self.learns

    def is_home(self, at: datetime) -> bool:
        place = bisect_right(self.unfit, at, key=lambda span: span[0]) - 1
        return place < 0 or at >= self.unfit[place][1]

    def between(self, since: datetime, until: datetime) -> tuple[Reading, ...]:
        first, last = (bisect_left(self.readings, at, key=lambda r: r.at) for at in (since, until))
        return self.readings[first:last]

    def days(self, since: datetime, until: datetime) -> float:
        """How many days were recorded between these."""
        holes = (span for span in self.unfit if span[1] - span[0] > HOLE)
        lost = sum((max(min(b, until) - max(a, since), timedelta(0)) for a, b in holes), timedelta(0))
        return (until - since - lost) / DAY


def _has(times: Sequence[datetime], since: datetime, until: datetime) -> bool:
    place = bisect_left(times, since)
    return place < len(times) and times[place] <= until


def _without_ghosts(events: Sequence[Reading]) -> list[datetime]:
    """When somebody lived here: without infrared pulses that stand alone, unless most here do."""

    def is_alone(place: int) -> bool:
        near = (events[p].at for p in (place - 1, place + 1) if 0 <= p < len(events))
        return events[place].kind is Kind.MOTION and all(abs(at - events[place].at) > SECOND_EVENT for at in near)

    alone = [is_alone(place) for place in range(len(events))]
    return [r.at for r, ghost in zip(events, alone, strict=True) if not ghost or 2 * sum(alone) > len(events)]


def life_of(home: Home, readings: Iterable[Reading], learns: timedelta) -> Life:
    """As its hub would have told it: heard every minute, and each sensor once an hour."""
    hubs = tuple(replace(hub, interval=HEARTBEAT) for hub in home.hubs)
    return Life(replace(home, hubs=hubs), tuple(r for r in readings if r.kind is not Kind.AVAILABLE), learns)


@dataclass
class Result:
    """What one watch made of one home."""

    days: float = 0.0
    false: list[Finding] = field(default_factory=list)
    away: list[Finding] = field(default_factory=list)
    cold_days: float = 0.0
    cold_false: int = 0
    cold_latest: timedelta = timedelta(0)
    by_day: list[timedelta] = field(default_factory=list)
    by_night: list[timedelta] = field(default_factory=list)
    missed: int = 0
    as_away: int = 0
    standing: int = 0  # an alert stood already when it happened
    entered: list[timedelta] = field(default_factory=list)  # came in, and nothing
    outages: list[timedelta] = field(default_factory=list)  # until the silent hub was told
    outages_wrong: int = 0
    dead: int = 0
    dead_wrong: int = 0
    outings: int = 0
    outings_seen: int = 0
    outings_false: int = 0


def judge(
    life: Life, watch_of: Callable[[Home], Watch], *, seed: int = 1, per_home: int = 120, only_false: bool = False
) -> Result:
    """Live through a home once, with copies aside for each incident."""
    chance = Random(f"{seed}/{life.home.id}")
    result = Result(days=life.days(life.counted_from, life.ends))
    until_warm = min(life.begins + COLD, life.ends)
    result.cold_days = life.days(life.begins, until_warm)
    moments: list[tuple[datetime, str]] = []
    if not only_false:
        moments = sorted([*_incidents(life, chance, per_home), *_outages(life, chance, per_home)])
    watch = watch_of(life.home)
    at = life.begins
    told: list[Finding] = []
    rows = iter(life.readings)
    waiting = next(rows, None)
    for moment, what in [*moments, (life.ends, "")]:
        while waiting is not None and waiting.at < moment:
            told += _pass(watch, at, waiting.at, life)
            _count_outing(life, watch, at, waiting, result)
            at = waiting.at
            told += _hear(watch, waiting, life)
            waiting = next(rows, None)
        if what:
            told += _pass(watch, at, moment, life)
            at = moment
            aside = deepcopy(watch, {id(life.home): life.home})
            _TRIALS[what](life, aside, moment, told, result)
    for finding in told:
        if finding.code in INACTIVE:
            result.cold_false += finding.at < until_warm
            if finding.at >= life.counted_from:
                result.false.append(finding)
        elif finding.code in AWAY and finding.at >= life.counted_from:
            result.away.append(finding)
    return result


def _count_outing(life: Life, watch: Watch, before: datetime, reading: Reading, result: Result) -> None:
    """A silence of a quarter of an hour ends: was it an outing, and was it taken for one?"""
    away = watch.detectors.get("away")
    if away is None or not reading.is_event or reading.at < life.counted_from:
        return
    place = bisect_left(life.events, reading.at)
    is_one = 0 < place < len(life.events) and life.events[place] == reading.at
    if not is_one or reading.at - life.events[place - 1] < 15 * MINUTE:
        return
    was_out = (life.events[place - 1], reading.at) in life.outings
    result.outings += was_out
    result.outings_seen += was_out and away.state.out
    result.outings_false += not was_out and away.state.out and not away.state.entering


def _incidents(life: Life, chance: Random, per_home: int) -> list[tuple[datetime, str]]:
    """By chance while somebody is at home: three by day for one by night, as many of the first days as of others."""
    cold, known = [], []
    day = life.begins.astimezone(life.home.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < life.ends - HORIZON:
        for is_day in (True,) * PER_DAY + (False,) * PER_NIGHT:
            for _ in range(40):
                hour = chance.uniform(*BY_DAY_H) if is_day else chance.uniform(BY_DAY_H[1], BY_DAY_H[0] + 24) % 24
                at = (day + timedelta(hours=hour)).astimezone(life.begins.tzinfo)
                if life.begins + HOUR < at < life.ends and life.is_home(at):
                    if at >= life.counted_from:
                        known.append((at, "day" if is_day else "night"))
                    if at < life.begins + COLD:
                        cold.append((at, "cold"))
                    break
        day += DAY
    comings = [(ended, "entered") for _, ended in sorted(life.outings) if ended >= life.counted_from]
    return [part for some in (cold, known, comings) for part in chance.sample(some, len(some))[:per_home]]


def _outages(life: Life, chance: Random, per_home: int) -> list[tuple[datetime, str]]:
    span = (life.ends - HORIZON - life.counted_from).total_seconds()
    times = max(3, per_home // 20) if span > 0 else 0
    return [
        (life.counted_from + timedelta(seconds=chance.random() * span), what)
        for what in ("outage", "dead")
        for _ in range(times)
    ]


# --------------------------------------------------------------------------- what is tried


def _known(life: Life, watch: Watch, at: datetime, told: Sequence[Finding], result: Result, delays: str) -> None:
    hit = _lie_still(watch, at, life)
    if hit is None and any(f.code in INACTIVE and at - 12 * HOUR <= f.at < at for f in told):
        result.standing += 1
        return
    result.missed += hit is None
    result.as_away += hit is not None and hit.code in AWAY
    getattr(result, delays).append(HORIZON if hit is None else hit.at - at)


def _by_day(life: Life, watch: Watch, at: datetime, told: Sequence[Finding], result: Result) -> None:
    _known(life, watch, at, told, result, "by_day")


def _by_night(life: Life, watch: Watch, at: datetime, told: Sequence[Finding], result: Result) -> None:
    _known(life, watch, at, told, result, "by_night")


def _in_the_first_days(life: Life, watch: Watch, at: datetime, told: Sequence[Finding], result: Result) -> None:
    hit = _lie_still(watch, at, life)
    if hit is not None or not any(f.code in INACTIVE and at - 12 * HOUR <= f.at < at for f in told):
        result.cold_latest = max(result.cold_latest, HORIZON if hit is None else hit.at - at)


def _came_in(life: Life, watch: Watch, at: datetime, told: Sequence[Finding], result: Result) -> None:
    """The door opens and closes again, and then there is nothing."""
    door = [r for r in life.between(at, at + 2 * MINUTE) if r.kind is Kind.DOOR][:2]
    before = [r for r in life.between(at, door[0].at) if r.is_event]
    for reading in (*before, *door):
        _hear(watch, reading, life)
    hit = _lie_still(watch, door[-1].at, life)
    result.entered.append(HORIZON if hit is None else hit.at - door[0].at)


def _outage(life: Life, watch: Watch, at: datetime, told: Sequence[Finding], result: Result) -> None:
    """Power or network are lost: nothing is heard for two days, and then whatever there is for an hour."""
    context = Context(listening_since=life.begins)
    back = at + HORIZON
    found = [f for minute in range(1, HORIZON // MINUTE) for f in _ask(watch, at + minute * MINUTE, context)]
    result.outages.append(min((f.at - at for f in found if f.code == "home_silent"), default=HORIZON))
    found += _live(watch, back, back + HOUR, life, life.between(back, back + HOUR))
    result.outages_wrong += any(f.code in INACTIVE for f in found)


def _dead(life: Life, watch: Watch, at: datetime, told: Sequence[Finding], result: Result) -> None:
    """The sensor that fires most stops, and life goes on."""
    busy = Counter(r.sensor for r in life.between(at - COLD, at)).most_common(1)
    if busy:
        sensor = busy[0][0]
        rows = (r for r in life.between(at, at + HORIZON) if r.sensor != sensor)
        found = _live(watch, at, at + HORIZON, life, rows, dead=sensor)
        result.dead += 1
        result.dead_wrong += any(f.code in INACTIVE for f in found)


_TRIALS: Mapping[str, Callable[[Life, Watch, datetime, Sequence[Finding], Result], None]] = {
    "day": _by_day,
    "night": _by_night,
    "cold": _in_the_first_days,
    "entered": _came_in,
    "outage": _outage,
    "dead": _dead,
}


def _lie_still(watch: Watch, since: datetime, life: Life) -> Finding | None:
    """Nobody causes anything any more: the first that is told of a person."""
    for hour in range(HORIZON // HOUR):
        for found in _pass(watch, since + hour * HOUR, since + (hour + 1) * HOUR, life):
            if found.code in INACTIVE | AWAY:
                return found
    return None


# --------------------------------------------------------------------------- time


def _live(
    watch: Watch, at: datetime, until: datetime, life: Life, rows: Iterable[Reading], dead: str = ""
) -> list[Finding]:
    found: list[Finding] = []
    for reading in rows:
        found += _pass(watch, at, reading.at, life, dead)
        at = reading.at
        found += _hear(watch, reading, life)
    return found + _pass(watch, at, until, life, dead)


def _hear(watch: Watch, reading: Reading, life: Life) -> list[Finding]:
    context = Context(listening_since=life.begins)
    marker = watch.hear(reading.heard, 0)
    found = [] if marker is None else watch.observe(marker, context)
    return found + watch.observe(reading, context)


def _pass(watch: Watch, since: datetime, until: datetime, life: Life, dead: str = "") -> list[Finding]:
    """The hub is heard each minute and each of its sensors once an hour, and the watch is asked what it wants to be."""
    found: list[Finding] = []
    context = Context(listening_since=life.begins)
    minute = (since - life.begins) // HEARTBEAT + 1
    while (now := life.begins + minute * HEARTBEAT) <= until:
        marker = watch.hear(now, 0)
        if marker is not None:
            found += watch.observe(marker, context)
        for sensor in life.home.sensors[minute % 60 :: 60]:
            if sensor.id != dead:
                found += watch.observe(Reading(life.home.id, sensor.id, "", Kind.AVAILABLE, 1.0, now, now), context)
        found += _ask(watch, now, context)
        minute += 1
    return found


def _ask(watch: Watch, now: datetime, context: Context) -> list[Finding]:
    found: list[Finding] = []
    before: datetime | None = None
    while (due := watch.due()) is not None and due <= now and (before is None or due > before):
        found += watch.tick(now, context)
        before = due
    return found
