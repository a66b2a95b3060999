"""What is left in one battery, where it is going, and when somebody has to bring a new one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

import msgspec

DAY = timedelta(days=1)

LOW, DEEP = 20, 10
"""Percent. Practice gives notice at 20; what a meter shows below 8 nobody should count on."""

WARN_AHEAD = timedelta(days=60)
"""A straight line that reaches the bottom within this is told: a month is needed, and the line is a guess."""

HALF = 32
"""Above this a falling line says nothing yet: many a meter falls fast from the first 100 % and then stays for years."""

DAYS_KEPT, WEEKS_KEPT = 35, 30
MOST = 255
"""Percent, of a meter that cannot count: a day is kept in a byte."""

KNEE_FALL, KNEE_TIMES = 8, 1.6
"""A flat cell that has now lost so many points in four weeks, so many times more than ever, is near its end."""

KNEE_AFTER = 20
"""Weeks until one knows what is usual: a new cell falls fast at first."""

NEW_BATTERY = 25
"""So many points up for a whole day is a new battery."""

WELL_FOR = 7
"""Days on which a device that called its battery low, and gives no percent or shows full, does so no more: it has a new
one. On fewer days an old one may only have been warm."""

FULL = 90

FULL_FOR_TOO_LONG = timedelta(days=365)
"""A meter that has shown 100 % for a year shows nothing."""

CELLS = ((1.9, 1.0, 1.5), (3.8, 2.0, 3.0), (11.0, 6.4, 9.0))
"""Up to so many volts it is a single cell, a 3 V cell or pair, a 9 V block; empty and full of each. Which chemistry it
is nobody says, so this is a straight line: the course of the curve tells more than its height."""


def charge(volts: float) -> float | None:
    """Percent by the voltage of a battery; None for the mains."""
    for most, empty, full in CELLS:
        if volts <= most:
            return min(100.0, max(0.0, 100 * (volts - empty) / (full - empty)))
    return None


class Battery(msgspec.Struct, array_like=True, gc=False):
    """One battery by its daily best: a cold morning or a busy radio presses the voltage for hours, never for good."""

    percent: float | None = None  # as last said
    by_meter: bool = False  # the device gives percent itself, so its voltage is not asked
    day_at: datetime | None = None  # when the present day of this battery began
    best: float = 0.0  # the day's highest so far
    days: bytes = b""  # of each day, the newest last: whole percentages
    weeks: bytes = b""  # the median of each week, the newest last
    count: int = 0  # days since the last week was closed
    low_days: int = 0  # days in a row on which it was low or near its end
    flag: bool = False  # the device itself says that it is low
    full_at: datetime | None = None  # since when it has shown 100 % without a break
    risen_at: datetime | None = None
    told: bool = False
    by_flag: bool = False  # told when the device itself called it low
    well_days: int = 0  # days in a row on which it has taken that back

    def said_percent(self, percent: float, at: datetime) -> None:
        self.by_meter = True
        self._said(percent, at)

    def said_volts(self, volts: float, at: datetime) -> None:
        percent = None if self.by_meter and not self.is_stuck(at) else charge(volts)
        if percent is not None:
            self._said(percent, at)

    def _said(self, percent: float, at: datetime) -> None:
        if self.day_at is None:
            self.day_at, self.best = at, percent
        self.percent = percent
        self.best = max(self.best, percent)
        if percent < 100:
            self.full_at = None
        elif self.full_at is None:
            self.full_at = at
        usual = max(self.days[-7:], default=percent)
        if percent < usual + NEW_BATTERY:
            self.risen_at = None
        elif self.risen_at is None:
            self.risen_at = at

    def said_low(self, is_low: bool, at: datetime) -> None:
        """The device's own word: of some it is the only one."""
        self.flag = is_low
        self.day_at = self.day_at or at

    def pass_time(self, now: datetime, ahead: timedelta = WARN_AHEAD) -> bool:
        """Close the days that are over; whether it must be told now that a new one is due."""
        warn = False
        while self.day_at is not None and now - self.day_at >= DAY:
            if self.risen_at is not None and now - self.risen_at >= DAY:
                self._renew(self.day_at)
            self.day_at += DAY
            self._close_day()
            self.low_days = self.low_days + 1 if self._is_due(ahead) else 0
            if self.low_days >= 2 and not self.told:  # one bad day is a cold one
                self.told = warn = True
                self.by_flag = self.flag
            self.well_days = self.well_days + 1 if self.told and self._is_well() else 0
            if self.well_days >= WELL_FOR:
                self.told, self.by_flag, self.well_days = False, False, 0
        return warn

    def _is_well(self) -> bool:
        return self.by_flag and not self.flag and (self.percent is None or self.percent >= FULL)

    def is_stuck(self, now: datetime) -> bool:
        """Its meter has shown 100 % for so long that what is left is unknown."""
        return self.full_at is not None and now - self.full_at >= FULL_FOR_TOO_LONG

    def empty_at(self) -> datetime | None:
        """Where its learnt slope ends; None while it does not fall."""
        slope = self._slope()
        if slope >= 0 or self.day_at is None or not self.days:
            return None
        return self.day_at + timedelta(days=max(0.0, (self._level() - DEEP) / -slope))

    def _renew(self, now: datetime) -> None:
        """Somebody has put in a new one: what was learnt of the old one is over."""
        self.days, self.weeks, self.count, self.low_days = b"", b"", 0, 0
        self.best, self.told, self.risen_at, self.day_at = self.percent or 0.0, False, None, now

    def _close_day(self) -> None:
        if self.percent is None:
            return
        self.days = bytes((*self.days, min(max(round(self.best), 0), MOST)))[-DAYS_KEPT:]
        self.best = self.percent
        self.count += 1
        if self.count == 7:
            self.count = 0
            self.weeks = bytes((*self.weeks, round(median(self.days[-7:]))))[-WEEKS_KEPT:]

    def _level(self) -> float:
        return float(median(self.days[-5:]))

    def _is_due(self, ahead: timedelta) -> bool:
        if self.flag:
            return True
        if not self.days:
            return False
        level, slope = self._level(), self._slope()
        if level <= LOW or self.days[-1] <= DEEP:
            return True
        if level <= HALF and slope < 0 and (level - DEEP) / -slope <= ahead / DAY:
            return True
        return self._is_over_the_knee(level)

    def _slope(self) -> float:
        """Points a day: the median of all slopes between weeks (Theil-Sen), over a quarter or over the last weeks,
        whichever falls faster."""
        slopes = [_theil_sen(self.weeks[-count:]) for count in (6, 13) if len(self.weeks) >= count]
        return min(slopes, default=0.0) / 7

    def _is_over_the_knee(self, level: float) -> bool:
        if len(self.weeks) < KNEE_AFTER:
            return False
        before = float(median(self.days[:7]))
        fall = before - level
        usual = max(past - later for past, later in zip(self.weeks[:-8], self.weeks[4:-4], strict=True))
        in_steps = all(later < earlier for earlier, later in zip(self.weeks[-4:], self.weeks[-3:], strict=False))
        return fall >= KNEE_FALL and fall >= KNEE_TIMES * max(usual, 1) and in_steps


def _theil_sen(values: Sequence[int]) -> float:
    return float(
        median((values[j] - values[i]) / (j - i) for i in range(len(values)) for j in range(i + 1, len(values)))
    )
