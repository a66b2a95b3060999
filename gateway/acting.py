"""What somebody does to the registry at one moment."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain import Act, Facts, Home
from gateway.ports import RegistryLedger


@dataclass(slots=True)
class Acting:
    """One transaction, one line of the audit trail, one event."""

    ledger: RegistryLedger
    who: str
    now: datetime

    def write(self, what: str, ref: str, home: Home, *, why: str = "", facts: Facts = ()) -> None:
        self.note(what, ref, why=why, facts=facts)
        self.ledger.publish(self.now, "registry", home.id, home=home.id, grid=home.grid)

    def note(self, what: str, ref: str, *, why: str = "", facts: Facts = ()) -> None:
        self.ledger.audit(Act(at=self.now, who=self.who, what=what, ref=ref, why=why, facts=facts))

    def publish(self, ref: str) -> None:
        self.ledger.publish(self.now, "registry", ref)
