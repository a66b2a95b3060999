"""How long the records of one household are kept, where that is otherwise than for all of them.

Somebody wants less to be kept of them; a court wants what happened to stay. Each is a dated line of the household's
plan with who said so and why. What keeps longer has an end, for nobody remembers to take it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain import Act, Override
from gateway.ports import RegistryStore
from gateway.refusals import N_, check_reason, known_home, refused

LONGEST = timedelta(days=3650)
"""Longer than this nothing is kept of anybody."""


class Kept(StrEnum):
    """What can be kept for a time of its own; the value is the key of the line."""

    READINGS = "keep_readings"
    HOURS = "keep_hours"
    ALERTS = "keep_alerts"


LEAST: Mapping[Kept, timedelta] = {
    Kept.READINGS: timedelta(days=60),  # the longest that a detector looks back
    Kept.HOURS: timedelta(days=60),
    Kept.ALERTS: timedelta(days=180),  # what was done about a danger is asked about for half a year
}
"""Nobody's records are kept for less."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """The two acts, for the administrator's page and the command line. Refuse with a RegistrationError."""

    store: RegistryStore
    usual: Mapping[Kept, timedelta]  # what the settings say

    def keep(
        self, home_id: str, kind: Kept, days: int, until: datetime | None, *, why: str, who: str, now: datetime
    ) -> Override:
        """From now on this household's records of this kind are kept for so many days; until then, or for good."""
        span = timedelta(days=days)
        if not LEAST[kind] <= span <= LONGEST:
            raise refused(
                N_("It can be kept for {least} to {most} days, not for {days}."),
                least=LEAST[kind].days,
                most=LONGEST.days,
                days=days,
            )
        check_reason(why)
        if until is None and span > self.usual[kind]:
            raise refused(N_("Please say until when: what is kept for longer than the rest has an end."))
        if until is not None and not now < until <= now + LONGEST:
            raise refused(N_("The end has to lie in the future, within ten years."))
        with self.store.begin() as ledger:
            home = known_home(self.store, home_id)
            for line in self._running(home_id, kind, now):
                ledger.put_override(replace(line, until=now))
            line = Override(
                home=home_id, key=kind.value, value=str(days), since=now, until=until, author=who, reason=why.strip()
            )
            ledger.put_override(line)
            facts = (("kind", kind.value), ("days", str(days)), ("until", until.isoformat() if until else ""))
            ledger.audit(Act(at=now, who=who, what="retention.keep", ref=home_id, why=why.strip(), facts=facts))
            ledger.publish(now, "registry", home_id, home=home_id, grid=home.grid)
            return line

    def end(self, home_id: str, kind: Kept, *, why: str = "", who: str, now: datetime) -> None:
        """From now on what holds for everybody holds here too."""
        with self.store.begin() as ledger:
            running = self._running(home_id, kind, now)
            if not running:
                raise refused(N_("Nothing of its own is said about how long this is kept here."))
            for line in running:
                ledger.put_override(replace(line, until=now))
            facts = (("kind", kind.value),)
            ledger.audit(Act(at=now, who=who, what="retention.keep.end", ref=home_id, why=why.strip(), facts=facts))

    def _running(self, home_id: str, kind: Kept, now: datetime) -> list[Override]:
        return [line for line in self.store.overrides(home_id) if line.key == kind.value and line.covers(now)]


def lines(store: RegistryStore, now: datetime) -> list[tuple[Kept, Override]]:
    """What holds at this moment, of all homes."""
    return [(kind, line) for kind in Kept for line in store.in_force(kind.value, now)]


def spans(store: RegistryStore, kind: Kept, now: datetime) -> dict[str, timedelta]:
    """The homes whose records of this kind have a time of their own."""
    return {line.home: timedelta(days=int(line.value)) for line in store.in_force(kind.value, now)}
