"""The days of the year on which everybody lives otherwise: the week of the Spring Festival, by the lunar calendar."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YEAR: tuple[str, ...] = (
    "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06",
    "2028-01-26", "2029-02-13", "2030-02-03", "2031-01-23", "2032-02-11", "2033-01-31", "2034-02-19", "2035-02-08",
    "2036-01-28", "2037-02-15", "2038-02-04", "2039-01-24", "2040-02-12", "2041-02-01", "2042-01-22", "2043-02-10",
    "2044-01-30", "2045-02-17", "2046-02-06", "2047-01-26", "2048-02-14", "2049-02-02", "2050-01-23",
)  # fmt: skip
"""The first day of the first month (正月初一), as reckoned by GB/T 33661-2017 and tabled by the Hong Kong Observatory.

It is the day of Beijing's calendar that holds the new moon; in 2027 and 2030 that falls within minutes of midnight,
which is why the days are written down and not reckoned here.
"""

EVE = timedelta(days=1)
"""The family comes for the dinner of New Year's Eve (除夕) …"""

WEEK = timedelta(days=7)
"""… and leaves after the seventh day (初七), when work begins again."""

_FIRST_DAYS = {day.year: day for day in map(date.fromisoformat, NEW_YEAR)}


@dataclass(frozen=True, slots=True)
class Year:
    """A calendar year as it is lived somewhere: its first moment, and the festivals of it and of the next (UTC)."""

    begins: datetime
    festivals: tuple[tuple[datetime, datetime], ...]  # from New Year's Eve to the end of the seventh day


def year_of(at: datetime, zone: ZoneInfo) -> Year:
    return _year(at.astimezone(zone).year, zone)


@lru_cache(maxsize=256)  # a zone or two, and the years that are replayed
def _year(year: int, zone: ZoneInfo) -> Year:
    days = [_FIRST_DAYS[first] for first in (year, year + 1) if first in _FIRST_DAYS]
    weeks = ((_midnight(day - EVE, zone), _midnight(day + WEEK, zone)) for day in days)
    return Year(_midnight(date(year, 1, 1), zone), tuple(weeks))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
