"""Planned visits: going there without having been called."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.people import Elder


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """探访: somebody went to a home without being called there, and how they found the resident.

    One person makes one visit in a minute: what was pressed twice is the same.
    """

    home: str
    at: datetime
    person: str  # who went there
    elder: Elder
    note: str = ""
    proof: str = ""  # what the home itself says about who came: the front door, the code at it

    def __post_init__(self) -> None:
        if self.at.second or self.at.microsecond:
            raise ValueError(f"a visit is told by its minute, not as {self.at}")

    @property
    def has_met(self) -> bool:
        """Whether anybody was seen: whoever rang in vain has to come again."""
        return self.elder is not Elder.NOT_REACHED
