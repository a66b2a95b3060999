"""The days of the year on which everybody lives otherwise: the holidays for which families come home, and the seasons
of heating."""

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

MID_AUTUMN: tuple[str, ...] = (
    "2020-10-01", "2021-09-21", "2022-09-10", "2023-09-29", "2024-09-17", "2025-10-06", "2026-09-25", "2027-09-15",
    "2028-10-03", "2029-09-22", "2030-09-12", "2031-10-01", "2032-09-19", "2033-09-08", "2034-09-27", "2035-09-16",
    "2036-10-04", "2037-09-24", "2038-09-13", "2039-10-02", "2040-09-20", "2041-09-10", "2042-09-28", "2043-09-17",
    "2044-10-05", "2045-09-25", "2046-09-15", "2047-10-04", "2048-09-22", "2049-09-11", "2050-09-30",
)  # fmt: skip
"""The fifteenth day of the eighth month (中秋): the family comes for one dinner."""

WEEKS_OF_THE_SUN = (((5, 1), 5), ((10, 1), 7))
"""Labour Day (五一) and the National Day (国庆): from when, and how many days the country is off."""

SEASONS: dict[str, str] = {
    **dict.fromkeys(("11", "12", "13", "37", "41", "61"), "11-15..03-15"),  # 京津冀鲁豫陕
    **dict.fromkeys(("14", "21", "54", "62", "64"), "11-01..03-31"),  # 晋辽藏甘宁
    "22": "10-20..04-10",  # 吉
    "23": "10-20..04-20",  # 黑
    **dict.fromkeys(("15", "63", "65"), "10-15..04-15"),  # 蒙青新
}
"""Where towns are heated by law, by the first two digits of an area's code (GB/T 2260): from when to when most towns of
the province are. South of these nobody heats a whole town."""

_FIRST_DAYS = {day.year: day for day in map(date.fromisoformat, NEW_YEAR)}
_FULL_MOONS = {day.year: day for day in map(date.fromisoformat, MID_AUTUMN)}


@dataclass(frozen=True, slots=True)
class Year:
    """A calendar year as it is lived somewhere: its first moment, and the festivals of it and of the next (UTC)."""

    begins: datetime
    festivals: tuple[tuple[datetime, datetime], ...]  # each from its first midnight to its last


def year_of(at: datetime, zone: ZoneInfo) -> Year:
    return _year(at.astimezone(zone).year, zone)


@lru_cache(maxsize=256)  # a zone or two, and the years that are replayed
def _year(year: int, zone: ZoneInfo) -> Year:
    days: list[tuple[date, date]] = []
    for one in (year, year + 1):
        if one in _FIRST_DAYS:
            days.append((_FIRST_DAYS[one] - EVE, _FIRST_DAYS[one] + WEEK))
        if one in _FULL_MOONS:
            days.append((_FULL_MOONS[one], _FULL_MOONS[one] + timedelta(days=1)))
        for first, long in WEEKS_OF_THE_SUN:
            days.append((date(one, *first), date(one, *first) + timedelta(days=long)))
    spans = ((_midnight(first, zone), _midnight(over, zone)) for first, over in sorted(days))
    return Year(_midnight(date(year, 1, 1), zone), tuple(spans))


def season_of(area: str) -> str:
    """From when to when the towns of this area's province are heated, as a plan says it; empty where none is.

    Only a code of GB/T 2260, or one of twelve digits below it, says in which province an area lies.
    """
    return SEASONS.get(area[:2], "") if len(area) in (6, 9, 12) and area.isdecimal() else ""


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
