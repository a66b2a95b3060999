"""A slow change: more visits to the toilet at night, fewer rooms, less time out than in the month before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from math import ceil, floor
from statistics import median
from typing import ClassVar

from detectors.habit import DOOR_RULE, LONG_HOLE, table
from detectors.kinds import BED, DOOR, RETURNED
from detectors.silence import AT_THE_DOOR
from gateway.domain import SIGNS_OF_LIFE, Facts, Finding, Home, Kind, Reading, RoomKind, Severity, seconds
from gateway.domain.plan import ABSENCE, OFF, UNUSUAL
from gateway.ports import Context

FEATURES = ("active", "rooms", "toilet_night", "toilet_day", "bed_exits", "in_bed", "out", "up")
"""What is counted of a day: quarter hours with life, changes of room, visits, times out of bed at night, quarter hours
in bed and out of the home, and how many quarter hours after five she was first seen outside bed and bath."""

ACTIVE, ROOMS, TOILET_NIGHT, TOILET_DAY, BED_EXITS, IN_BED, OUT, UP = range(len(FEATURES))

NOTHING = 255
"""The value of a feature of which this home cannot tell."""

CLOSES = time(12)
"""A day is closed at noon: the night belongs to it whole, and nobody is told of a habit at six in the morning."""

NIGHT_BEGINS_H, NIGHT_ENDS_H, MORNING_H = 22, 6, 5

MONTH, LAG = 28, 7
"""A day is held against the four weeks that ended a week before it, so that a change is not its own yardstick."""

KNOWN = 21
"""So many of those days must be known."""

SCALE, ONE = 1.4826, 1.0
"""The median deviation as a standard deviation, and one more, for what is counted in small numbers."""

SLACK, ENOUGH, MOST = 0.5, 5.0, 10.0
"""Page's cumulative sum: a day adds what it lies beyond half a deviation; from five on it is a change. It is kept below
ten, so that it is forgotten as soon as things are as they were."""

BEYOND, FAR, DAYS = 1.5, 4.0, 3
"""Three days in a row must each lie so many deviations off; a single day counts no more than four."""

SELDOM = 2
"""And lie beyond all but two of the month's days: what happens every week is not new."""

FORTNIGHT = 14

SAME_VISIT = timedelta(minutes=10)
TURNED_OVER = timedelta(minutes=5)
QUARTER = timedelta(minutes=15)

_BATHROOM, _BEDROOM, _OTHER = RoomKind.BATHROOM, RoomKind.BEDROOM, RoomKind.OTHER


@dataclass(slots=True)
class TrendState:
    ends: datetime | None = None  # when the present day is closed
    today: list[int] = field(default_factory=list)
    quarter: int = -1  # the last one with life
    room: str = ""
    bath_at: datetime | None = None
    bed_at: datetime | None = None  # since when somebody has been in bed
    rose_at: datetime | None = None
    left_at: datetime | None = None  # the entry door moved, and nobody has been seen inside since
    spoilt: bool = False  # this day is no measure of any other
    days: bytes = b""  # of up to 35 days one byte for each feature, the newest last
    sums: bytes = bytes(2 * len(FEATURES))  # tenths: too much of each feature, too little of each
    told: int = 0  # how many days ago something was noted, from the other end: days that must still pass


@dataclass(slots=True)
class Trend:
    """A daily count has lain far from the home's own month for three days in a row, and not by chance.

    Robust deviations from the four weeks that ended a week ago, added up (two-sided CUSUM). It is worded as counts,
    told at noon as a note that can wait, at most once a fortnight, and never says what may be behind it.
    """

    kinds: ClassVar[frozenset[Kind]] = (SIGNS_OF_LIFE | {Kind.RETURNED}) - {Kind.SOS, Kind.BUTTON, Kind.ASSIST}
    home: Home
    state: TrendState = field(default_factory=TrendState, init=False)
    _kinds: Mapping[str, RoomKind] = field(init=False)

    def __post_init__(self) -> None:
        self._kinds = table(tuple((room.id, room.kind) for room in self.home.rooms))

    # ------------------------------------------------------------------ a day

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]:
        state = self.state
        if state.ends is None:
            self._open(reading.at)
            state.spoilt = True  # only a part of the first day is seen
        if reading.kind is RETURNED:
            state.spoilt = state.spoilt or reading.value >= LONG_HOLE.total_seconds()
            state.left_at = None
            return ()
        if not reading.is_event:
            return ()
        if context.blind or ABSENCE in context.plan or UNUSUAL in context.plan:
            state.spoilt = True
        if reading.kind is DOOR:
            self._at_the_door(reading.at)
            return ()
        there = reading.at.astimezone(self.home.zone)
        is_night = not NIGHT_ENDS_H <= there.hour < NIGHT_BEGINS_H
        if state.left_at is not None and reading.at > state.left_at + DOOR_RULE:
            state.left_at = None
        if reading.kind is BED:
            self._in_bed(reading, is_night=is_night)
            return ()
        self._inside(reading, there, is_night=is_night)
        return ()

    def _inside(self, reading: Reading, there: datetime, *, is_night: bool) -> None:
        state, today = self.state, self.state.today
        kind = self._kinds.get(reading.room, _OTHER)
        quarter = there.hour * 4 + there.minute // 15
        if not is_night and quarter != state.quarter:
            today[ACTIVE] += 1
            state.quarter = quarter
        if reading.room and reading.room != state.room:
            if not is_night and state.room:
                today[ROOMS] += 1
            state.room = reading.room
        if kind is _BATHROOM:
            if state.bath_at is None or reading.at - state.bath_at > SAME_VISIT:
                today[TOILET_NIGHT if is_night else TOILET_DAY] += 1
            state.bath_at = reading.at
        elif kind is not _BEDROOM and today[UP] == NOTHING and MORNING_H <= there.hour < CLOSES.hour:
            today[UP] = quarter - 4 * MORNING_H

    def _in_bed(self, reading: Reading, *, is_night: bool) -> None:
        state, at = self.state, reading.at
        if reading.value:
            if is_night and state.rose_at is not None and at - state.rose_at > TURNED_OVER:
                state.today[BED_EXITS] += 1
            state.bed_at, state.rose_at = state.bed_at or at, None
        elif state.bed_at is not None:
            # A bed may be left before it was entered, by a hub whose clock was set back in between.
            state.today[IN_BED] += max(at - state.bed_at, timedelta()) // QUARTER
            state.bed_at, state.rose_at = None, at

    def _at_the_door(self, at: datetime) -> None:
        """What lies between two movements of the door, with nobody seen inside, was spent outside."""
        state = self.state
        if state.left_at is not None and at - state.left_at > AT_THE_DOOR:
            state.today[OUT] += (at - state.left_at) // QUARTER
            state.left_at = None
        elif state.left_at is None or at > state.left_at:
            state.left_at = at

    def _open(self, at: datetime) -> None:
        """A day begins that is closed at the next noon."""
        state = self.state
        there = at.astimezone(self.home.zone)
        day = there.date() + timedelta(days=there.time() >= CLOSES)
        state.ends = datetime.combine(day, CLOSES, self.home.zone).astimezone(UTC)
        state.today = [0] * len(FEATURES)
        state.today[UP] = NOTHING
        state.spoilt = False

    # ------------------------------------------------------------------ a month

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        found: list[Finding] = []
        while state.ends is not None and now >= state.ends:
            ended = state.ends
            if state.told:
                state.told -= 1
            if not state.spoilt and state.today[ACTIVE]:
                found += self._close(ended, context)
            self._open(ended)
        return found

    def due(self) -> datetime | None:
        return self.state.ends

    def _close(self, at: datetime, context: Context) -> Iterable[Finding]:
        state = self.state
        state.days = (state.days + self._counted())[-(MONTH + LAG) * len(FEATURES) :]
        sums, noted = bytearray(state.sums), None
        for feature in range(len(FEATURES)):
            values = list(state.days[feature :: len(FEATURES)])
            month = [value for value in values[:-LAG] if value != NOTHING]
            if len(month) < KNOWN or NOTHING in values[-DAYS:]:
                continue
            usual, width = _usual(month)
            for side, sign in ((0, 1), (len(FEATURES), -1)):
                step = min(sign * (values[-1] - usual) / width, FAR) - SLACK
                total = min(max(sums[feature + side] / 10 + step, 0.0), MOST)
                sums[feature + side] = round(10 * total)
                limit = _limit(month, usual, width, sign)
                if noted is None and total >= ENOUGH and all(sign * (one - limit) >= 0 for one in values[-DAYS:]):
                    noted = feature, sign, usual, limit, values[-DAYS:]
        state.sums = bytes(sums)
        if noted is None or state.told or context.plan.get("trend_note") == OFF:
            return ()
        state.told, state.sums = FORTNIGHT, bytes(2 * len(FEATURES))
        return (self._finding(at, *noted, context=context),)

    def _counted(self) -> bytes:
        """The day that has ended, as far as this home can tell of it."""
        state = self.state
        has = {sensor.role.value for sensor in self.home.sensors}
        if "bed" not in has:
            state.today[BED_EXITS] = state.today[IN_BED] = NOTHING
        if not self.home.exit_doors:
            state.today[OUT] = NOTHING
        if RoomKind.BATHROOM not in self._kinds.values():
            state.today[TOILET_NIGHT] = state.today[TOILET_DAY] = NOTHING
        return bytes(count if count == NOTHING else min(count, NOTHING - 1) for count in state.today)

    def _finding(
        self,
        at: datetime,
        feature: int,
        sign: int,
        usual: float,
        limit: float,
        values: Sequence[int],
        *,
        context: Context,
    ) -> Finding:
        began = at - timedelta(days=DAYS)
        facts: Facts = (
            ("feature", FEATURES[feature]),
            ("elapsed_s", seconds(at - began)),
            ("days", ",".join(str(value) for value in values)),
            ("usual", f"{usual:.0f}"),
            ("limit", f"{max(limit, 0):.0f}"),
            ("side", ("later" if sign > 0 else "earlier") if feature == UP else ("more" if sign > 0 else "less")),
        )
        return Finding(
            home=self.home.id,
            code="trend_note",
            severity=Severity.CARE,
            since=began,
            at=at,
            facts=facts,
            blind=context.blind,
        )


def _usual(month: Sequence[int]) -> tuple[float, float]:
    """The middle of a month, and how far a day usually lies from it."""
    middle = median(month)
    return middle, SCALE * median(abs(value - middle) for value in month) + ONE


def _limit(month: Sequence[int], usual: float, width: float, sign: int) -> float:
    """From where on a count is out of the ordinary, above or below."""
    ordered = sorted(month, reverse=sign > 0)
    far, seldom = usual + sign * BEYOND * width, ordered[SELDOM] + sign
    return ceil(max(far, seldom)) if sign > 0 else floor(min(far, seldom))
