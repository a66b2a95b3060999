"""What is usual in a home at each time of day, learnt from the days lived in it.

Of each day are kept the quarter hours in which somebody moved and those in which nobody could be seen; of each week
the two longest silences that began in each hour. Everything else is computed from these once a day, when a silence
asks for it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from math import ceil, log
from operator import attrgetter
from struct import Struct
from typing import Any

QUARTER_S = 900
QUARTERS = 96
HOURS = 24
DAY_S = 86400
EVERY_QUARTER = (1 << QUARTERS) - 1

PRIOR = (0.06,) * 24 + (0.15,) * 4 + (0.5,) * 60 + (0.25,) * 8
"""How often an unknown person moves in a quarter hour: by night, from six, from seven, from ten in the evening."""

PRIOR_DAYS = 2.0
"""So many days of the home's own weigh as much."""

P_LOW, P_HIGH = 0.01, 0.97

STEP_S = 240
"""Resolution of the longest silences: a byte holds up to 17 hours."""

ABOUT = tuple(
    sum(15 << 4 * hour for hour in {(middle - 1) % HOURS, middle, (middle + 1) % HOURS}) for middle in range(HOURS)
)
"""Of each hour the quarter hours in it and in its neighbours, as bits."""

SECOND = 1
"""Of what happened in four weeks the second worst counts: the worst is too often an outing that nobody saw."""


@dataclass(slots=True)
class Day:
    """One day of a home, as far as it teaches. Quarter hours are counted from midnight."""

    active: bytes = bytes(QUARTERS // 8)  # a bit for each quarter hour in which somebody moved
    unseen: bytes = b""  # pairs: from this quarter to before that one nobody was at home, or nobody could tell
    began_m: int = 0  # the most unusual silence that ended on this day: when it began, in minutes since midnight,
    length_m: int = 0  # and how long it was
    rung: int = 0  # the lowest rung of the ladder that would not have alarmed

    def lived(self, quarter: int) -> None:
        self.active = _with(self.active, quarter)

    def could_not_see(self, begin: int, end: int) -> None:
        self.unseen += bytes((begin, end))

    def known(self) -> int:
        """The quarter hours of which something is known, as bits."""
        known = EVERY_QUARTER
        for begin, end in zip(self.unseen[::2], self.unseen[1::2], strict=True):
            known &= ~((1 << end) - (1 << begin))
        return known | int.from_bytes(self.active, "little")


_DAY = Struct("<12sHHBH")
"""Of a day that is over: who moved when, its most unusual silence, its rung, how many bytes about the unseen follow."""


class Days:
    """The last days of a home, numbered without a gap: the newest as it is being lived, those before it packed."""

    __slots__ = ("_before", "_number", "newest")

    def __init__(self, plain: Mapping[int, Any] | None = None) -> None:
        days = list((plain or {}).items())
        self._before = b"".join(_packed(*values) for _, values in days[:-1])
        self._number, self.newest = 0, Day()
        if days:
            self._number, self.newest = days[-1][0], Day(*days[-1][1])

    def begin(self, number: int, at_most: int) -> None:
        """A new day; of more than so many the oldest is forgotten."""
        if self._number:
            self._before += _packed(*_values(self.newest))
            if sum(1 for _ in self._parts()) >= at_most:
                self._before = self._before[_DAY.size + _DAY.unpack_from(self._before)[-1] :]
        self.newest, self._number = Day(), number

    def before(self) -> Iterator[Day]:
        """All but the newest, oldest first."""
        return (Day(*values) for values in self._parts())

    def __iter__(self) -> Iterator[Day]:
        yield from self.before()
        if self._number:
            yield self.newest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Days) and self.plain() == other.plain()

    def plain(self) -> dict[int, Any]:
        if not self._number:
            return {}
        days = [*self._parts(), _values(self.newest)]
        return dict(enumerate(days, self._number + 1 - len(days)))

    def _parts(self) -> Iterator[tuple[bytes, bytes, int, int, int]]:
        packed, place = self._before, 0
        while place < len(packed):
            active, began_m, length_m, rung, unseen = _DAY.unpack_from(packed, place)
            place += _DAY.size + unseen
            yield active, packed[place - unseen : place], began_m, length_m, rung


_values = attrgetter(*(field.name for field in fields(Day)))


def _packed(active: bytes, unseen: bytes, began_m: int, length_m: int, rung: int) -> bytes:
    return _DAY.pack(active, began_m, length_m, rung, len(unseen)) + unseen


def with_silence(week: bytes, hour: int, length_s: float) -> bytes:
    """The two longest silences of a week by the hour in which they began, longest first, with one more."""
    steps = min(ceil(length_s / STEP_S), 255)
    longest = sorted((*week[2 * hour : 2 * hour + 2], steps), reverse=True)[:2]
    return week[: 2 * hour] + bytes(longest) + week[2 * hour + 2 :]


def _with(bits: bytes, place: int) -> bytes:
    byte = place >> 3
    return bits[:byte] + bytes((bits[byte] | 1 << (place & 7),)) + bits[byte + 1 :]


class Usual:
    """The home's own measure of silence. Times are seconds of local time; only their place within a day matters."""

    __slots__ = ("_active", "_known", "_moved", "_sum", "days", "most")

    def __init__(self, days: Sequence[Day]) -> None:
        self.days = len(days)
        moved = [int.from_bytes(day.active, "little") for day in days]
        self._active = bytes(_counts(moved))
        self._moved = bytes(sum(1 for day in moved if day & about) for about in ABOUT)
        unseen = _counts(EVERY_QUARTER & ~day.known() for day in days)  # of far fewer quarters than known
        self._known = bytes(len(days) - count for count in unseen)
        # Packed: every home has one of these, and a list would keep each number as an object of its own.
        self._sum = array("d", (0.0, *accumulate(map(self._due, range(QUARTERS)))))
        worst = [self.due(60 * day.began_m, 60 * (day.began_m + day.length_m)) for day in days if day.length_m]
        self.most = sorted(worst, reverse=True)[min(SECOND, len(worst) - 1)] if worst else 0.0
        """How much life was due in the second most unusual silence: with what a new one is compared."""

    def due(self, began_s: float, ended_s: float) -> float:
        """How much life was due in this silence: quarter hours in which somebody usually moves weigh most."""
        return self._until(ended_s) - self._until(began_s)

    def when(self, began_s: float, due: float) -> float:
        """When so much life will have been due since then."""
        days, rest = divmod(self._until(began_s) + due, self._sum[-1])
        quarter = min(bisect_right(self._sum, rest) - 1, QUARTERS - 1)
        return days * DAY_S + (quarter + (rest - self._sum[quarter]) / self._due(quarter)) * QUARTER_S

    def known(self, at_s: float) -> int:
        """Of how many days it is known whether somebody moved at this time: on the others she was out, or unseen."""
        return self._known[int(at_s % DAY_S // QUARTER_S)]

    def moved(self, at_s: float) -> int:
        """On how many days somebody moved within an hour of this time: on the others no silence could begin then."""
        return self._moved[int(at_s % DAY_S // 3600)]

    def tenths(self, at_s: float) -> int:
        """In how many of ten such quarter hours somebody moves."""
        return round(10 * self._share(int(at_s % DAY_S // QUARTER_S)))

    def _share(self, quarter: int) -> float:
        """On how many of all days somebody moves in this quarter hour."""
        active, known = _about(self._active, quarter), _about(self._known, quarter)
        return (active + PRIOR_DAYS * PRIOR[quarter]) / (known + PRIOR_DAYS)

    def _due(self, quarter: int) -> float:
        """How much life is due in it."""
        return -log(1 - min(max(self._share(quarter), P_LOW), P_HIGH))

    def _until(self, at_s: float) -> float:
        days, rest = divmod(at_s, DAY_S)
        quarter = int(rest // QUARTER_S)
        return days * self._sum[-1] + self._sum[quarter] + (rest / QUARTER_S - quarter) * self._due(quarter)


def longest_s(weeks: Sequence[bytes], began_s: float) -> float:
    """How long silences last at most that begin within an hour of this time of day; 0 when none is known."""
    hour = int(began_s % DAY_S // 3600)
    near = (2 * ((hour - 1) % HOURS), 2 * hour, 2 * ((hour + 1) % HOURS))
    return sorted((0, 0, *(steps for week in weeks for one in near for steps in week[one : one + 2])))[-2] * STEP_S


def _counts(days: Iterable[int]) -> list[int]:
    counts = [0] * QUARTERS
    for bits in days:
        while bits:
            lowest = bits & -bits
            counts[lowest.bit_length() - 1] += 1
            bits ^= lowest
    return counts


def _about(counts: Sequence[int], quarter: int) -> float:
    """This quarter hour, and half of what is known of its neighbours."""
    return counts[quarter] + 0.5 * (counts[quarter - 1] + counts[quarter + 1 - QUARTERS])


def lowest_rung(rungs: int, alarms: Callable[[int], bool]) -> int:
    """The lowest rung that would not have alarmed; the highest when all would have."""
    return next((rung for rung in range(rungs) if not alarms(rung)), rungs - 1)


NOTHING_KNOWN = Usual(())
"""What is usual in a home of which nothing is known yet."""
