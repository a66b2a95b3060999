"""A mistake of ours, contained: one home, one message or one alert pays for it and not all of them, and it is told."""

from datetime import datetime

from gateway.domain.finding import Finding
from gateway.domain.severity import Severity

FAILED = "detector_failed"

FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
"""What a mistake in our own program raises. What a disk, a store or a network has to say is none of these: then the
gateway falls, and begins anew with what is durable."""


class Astray(Exception):
    """A mistake of ours over so many homes that it is about none of them: what the program remembers is wrong, and to
    begin anew with what is durable mends it."""


def fault(home: str, part: str, at: datetime, *, over: str = "") -> Finding:
    """What is told where a part of the program failed over a home; `over` it, where the home's own people cannot be
    told and the installation's are."""
    return Finding(
        home=home,
        code=FAILED,
        subject=part,
        severity=Severity.TECHNICAL,
        since=at,
        at=at,
        facts=(("detector", part), *((("over", over),) if over else ())),
    )
