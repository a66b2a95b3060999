"""谁看过: whoever looks at somebody's page is written down, once an hour for each who looks and each home.

Every page, form and answer about a home asks `Pages.home`, `Pages.alert` or `Pages.holder` for it, and these ask here;
so no page of a home can be made that is not written down.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain import Act, Home
from gateway.domain.home import GRID
from gateway.ports import RegistryStore

READ = "read."
"""With this the act of every reading begins."""


@dataclass(slots=True)
class Seen:
    """Remembers who was written down in this hour, so that a page that asks again each half minute is one line."""

    registry: RegistryStore
    _hour: datetime | None = field(default=None, init=False)
    _noted: set[tuple[str, str, str]] = field(default_factory=set, init=False)
    _noting: threading.Lock = field(default_factory=threading.Lock, init=False)

    def note(self, who: str, home: Home, what: str, now: datetime, role: str = "") -> None:
        """`what` is the sort of page: home, alert, link. Residents who look at themselves are nobody else."""
        if home.id.startswith(GRID) or (home.person and who == home.person):
            return
        key, hour = (who, home.id, what), now.replace(minute=0, second=0, microsecond=0)
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
