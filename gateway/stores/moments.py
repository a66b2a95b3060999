"""How a moment is written down: whole microseconds or milliseconds since 1970, in UTC, so that no zone is ever lost."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)


def aware(moment: datetime) -> datetime:
    """The same moment; raises ValueError when nobody can know which moment it is."""
    if moment.tzinfo is None:
        raise ValueError(f"a store needs aware times: {moment!r} names no zone")
    return moment


def checked(noun: T) -> T:
    """The same noun; raises ValueError when one of its moments is naive."""
    kind: Any = type(noun)
    for name in _names(kind):
        value = getattr(noun, name)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"a store needs aware times: {type(noun).__name__}.{name}={value!r} names no zone")
    return noun


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def to_us(moment: datetime) -> int:
    return (aware(moment) - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def to_ms(moment: datetime) -> int:
    """Rounded down to the millisecond, as the id of a finding is."""
    return (aware(moment) - EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)
