"""谁看过: whoever looks at somebody's page is written down, once an hour for each who looks and each home.

Every page, form and answer about a home asks `Pages.home`, `Pages.alert` or `Pages.holder` for it, and these ask here;
so no page of a home can be made that is not written down. A list names everybody of a place: it is one row a day for
each who looks and each place, and whoever stands in it finds that row.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.domain import Act, Home
from gateway.domain.home import GRID
from gateway.ports import Account, RegistryStore
from gateway.privacy import ABOUT_ALL_OF, LISTED

LISTS: Mapping[str, str] = {
    "home_list.html": "homes",
    "today.html": "today",
    "clocks_list.html": "clocks",
    "ringing.html": "ringing",
    "overview.html": "overview",
    "map.html": "map",
    "drills.html": "drills",
    "board_list.html": "board",
    "route_sheet.html": "board",
    "install_list.html": "install",
    "install_household.html": "install",
    "accounts_list.html": "accounts",
    "glass.html": "glass",
    "administration_alerts.html": "alerts",
    "machine_audit.html": "audit",
    "machine_retention.html": "retention",
}
"""The templates of pages that name residents, and what the list is called in the trail."""

DAYS_OF = ZoneInfo("Asia/Shanghai")

READ = "read."
"""With this the act of every reading begins."""


@dataclass(slots=True)
class Seen:
    """Remembers who was written down in this hour, so that a page that asks again each half minute is one line."""

    registry: RegistryStore
    _hour: datetime | None = field(default=None, init=False)
    _noted: set[tuple[str, str, str]] = field(default_factory=set, init=False)
    _day: date | None = field(default=None, init=False)
    _listed: set[tuple[str, str, str]] = field(default_factory=set, init=False)
    _noting: threading.Lock = field(default_factory=threading.Lock, init=False)

    def note_list(self, account: Account, place: str, what: str, now: datetime) -> None:
        """All homes of a place in one list: once a day."""
        key, day = (account.person, place, what), now.astimezone(DAYS_OF).date()
        with self._noting:
            if day != self._day:
                self._day = day
                self._listed.clear()
            if key in self._listed:
                return
            facts = (("list", what), ("as", account.duty.value))
            with self.registry.begin() as ledger:
                act = Act(at=now, who=account.person, what=LISTED, ref=f"{ABOUT_ALL_OF}{place}", facts=facts)
                ledger.audit(act)
            self._listed.add(key)

    def is_noted(self, who: str, home_id: str, what: str, now: datetime) -> bool:
        """Whether `note` would have nothing to write."""
        return _hour_of(now) == self._hour and (who, home_id, what) in self._noted

    def note(self, who: str, home: Home, what: str, now: datetime, role: str = "") -> None:
        """`what` is the sort of page: home, alert, link. Residents who look at themselves are nobody else."""
        if home.id.startswith(GRID) or (home.person and who == home.person):
            return
        key, hour = (who, home.id, what), _hour_of(now)
        with self._noting:
            if hour != self._hour:
                self._hour = hour
                self._noted.clear()
            if key in self._noted:
                return
            facts = (("as", role),) if role else ()
            with self.registry.begin() as ledger:  # first written, then shown: a look that is not written fails
                ledger.audit(Act(at=now, who=who, what=f"{READ}{what}", ref=home.id, facts=facts))
            self._noted.add(key)


def _hour_of(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
