"""What a detector concluded from readings and from silence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.severity import Severity

Facts = tuple[tuple[str, str], ...]
"""Names and values from which sentences are made elsewhere: durations in seconds, moments in ISO 8601 UTC, codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something people may have to deal with.

    `since` is when the *cause* began (for inactivity the last sign of life), `at` when it was concluded. The id
    is derived from the cause, so that whatever happens twice arrives at the same id.
    """

    home: str
    code: str
    severity: Severity
    since: datetime
    at: datetime
    subject: str = ""
    facts: Facts = ()
    blind: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.at.tzinfo is None:
            raise ValueError(f"a finding needs aware times: since={self.since!r} at={self.at!r}")

    @property
    def id(self) -> str:
        """home/code/subject/since: the same cause gives the same id, however often and whenever it is found."""
        moment = f"{self.since:%Y%m%dT%H%M%S}.{self.since.microsecond // 1000:03d}Z"
        return f"{self.home}/{self.code}/{self.subject or '-'}/{moment}"

    def fact(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.facts if key == name), default)


def seconds(span: timedelta) -> str:
    """A duration as a fact."""
    return str(int(span.total_seconds()))
