"""The one place that asks the time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Nobody ran this program earlier: a clock that says so has forgotten the time. Many small machines begin in 1970."""


class SystemClock:
    """The machine's clock. Where that has forgotten the time, the last moment that was known goes on instead: in 1970
    nobody was on duty yet."""

    def __init__(
        self, machine: Callable[[], datetime] = lambda: datetime.now(UTC), elapsed: Callable[[], float] = monotonic
    ) -> None:
        self._machine, self._elapsed = machine, elapsed
        self._known: tuple[datetime, float] | None = None  # a moment, and what had elapsed then

    def now(self) -> datetime:
        said, elapsed = self._machine(), self._elapsed()
        if said >= MADE:
            self._known = said, elapsed
        elif self._known is not None:
            moment, then = self._known
            return moment + timedelta(seconds=elapsed - then)
        return said

    def has_forgotten(self) -> bool:
        """Whether the machine does not know the time, and nobody has told us."""
        return self.now() < MADE

    def go_on_from(self, moment: datetime) -> None:
        """The last moment that anybody knows of."""
        self._known = moment, self._elapsed()
