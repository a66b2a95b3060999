"""Mistakes of our own that a program contained: it goes on, and here none of them passes for that reason."""

import logging

from gateway.domain.fault import FAULTS


class Untried(ZeroDivisionError):
    """What a bad week lets a carrier raise that nobody tried out. It is planned, and no fault of ours."""


class OurFaults(logging.Handler):
    """Gathers from the log what was contained."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, FAULTS) and not isinstance(error, Untried):
            self.faults.append(f"a fault of ours: {record.name}: {record.getMessage()}: {error!r}")
