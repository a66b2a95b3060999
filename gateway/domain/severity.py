"""How bad a finding is. One is the worst."""

from enum import Enum


class Severity(Enum):
    """1 紧急 life in danger, 2 高, 3 中, 4 低/关怀, 5 运维 (equipment).

    Ordered with 1 as the worst; compare with `worse_than`, for a bare `>` would read the wrong way round.
    """

    EMERGENCY = 1
    HIGH = 2
    MEDIUM = 3
    CARE = 4
    TECHNICAL = 5

    def worse_than(self, other: "Severity") -> bool:
        return self.value < other.value

    @property
    def is_emergency(self) -> bool:
        return self is Severity.EMERGENCY
