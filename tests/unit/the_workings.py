"""A gateway that is asked about itself and answers as it is told to."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dashboard.workings import Copies, Remark, Verdict, Workings

SPANS = {
    "readings": timedelta(days=90),
    "hours": timedelta(days=730),
    "alerts": timedelta(days=1095),
    "audit": timedelta(days=1095),
    "given_up": timedelta(days=180),
}


def remark(grade: str, what: str, to_do: str = "") -> Remark:
    return Remark(grade, {"zh": what, "en": what}, {"zh": to_do, "en": to_do} if to_do else {})


@dataclass
class Inside:
    """What is found when somebody looks, and what was asked."""

    remarks: list[Remark] = field(default_factory=lambda: [remark("well", "gateway.db is whole.")])
    verdict: Verdict = field(default_factory=lambda: Verdict(12, 3, ()))
    copies: Copies = field(
        default_factory=lambda: Copies(copies=(), backup=None, wished_at=None, failed_at=None, put_aside=())
    )
    wished: list[datetime] = field(default_factory=list)
    looks: int = 0

    def examine(self) -> list[Remark]:
        self.looks += 1
        return self.remarks

    def workings(self) -> Workings:
        return Workings(
            examine=self.examine,
            verify=lambda: self.verdict,
            copies=lambda: self.copies,
            wish_copy=self.wished.append,
            spans=SPANS,
            version="0.9.1",
        )
