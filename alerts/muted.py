"""What was found by rules that have no voice yet: written into the audit trail, and nobody is told."""

from collections.abc import Iterable

from gateway.domain import Act, Finding
from gateway.ports import AlertStore

REF = "shadow/{home}"


def keep(store: AlertStore, found: Iterable[Finding]) -> None:
    with store.begin() as ledger:
        for one in found:
            facts = (("since", one.since.isoformat()), *one.facts)
            ledger.audit(Act(at=one.at, who="gateway", what=one.code, ref=REF.format(home=one.home), facts=facts))


def heard_of(store: AlertStore, home: str, limit: int = 200) -> list[Act]:
    """Newest first."""
    return store.acts(REF.format(home=home), limit)
