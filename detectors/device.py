"""What is known of one device, and of all of a home: whoever speaks is in hand, the others lie as bytes."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from detectors.battery import Battery
from gateway.domain import Kind


class Function(msgspec.Struct, array_like=True, gc=False):
    """When one function of a device last told something: by the clock, and by the home's quarter hours of life."""

    kind: Kind
    at: datetime
    value: float
    quarter: int
    longest: int = 0
    before: int = 0  # the longest of the four weeks before
    since: datetime | None = None  # when `longest` was begun
    gaps: int = 0
    begun: int = 0  # the quarter hour of life in which it was first heard
    lived: int = 0  # in how many since it told something
    clears: bool = False  # it has said that it cleared, so it can be stuck


class Fault(msgspec.Struct, array_like=True, gc=False):
    """One thing that is wrong with a device; kept for a while after it ended, so that it does not flap."""

    since: datetime
    ended: datetime | None = None


class Known(msgspec.Struct, array_like=True, gc=False):
    """What is known of one device."""

    address: str
    since: datetime  # watched from here on
    day_at: datetime
    heard: datetime | None = None
    longest_s: int = 0  # of the present day: its longest silence
    days: tuple[int, ...] = ()  # the same of up to 14 days, the newest last
    reports: int = 0  # how often it spoke without anybody doing anything, at first
    minute_at: datetime | None = None
    minute: int = 0  # events in this minute
    calm_at: datetime | None = None  # when it stops being one that talks too much
    link: float = 0.0
    usual_link: float = 0.0
    links: int = 0
    link_at: datetime | None = None
    battery: Battery = msgspec.field(default_factory=Battery)
    functions: tuple[Function, ...] = ()  # what it does: mostly one or two things
    faults: dict[str, Fault] = {}
    gone_at: datetime | None = None  # when its connection broke off
    faulty_at: datetime | None = None  # since when it says that it cannot do its work
    next_at: datetime | None = None
    """Before this moment the mere passing of time makes nothing true of it; without one it has to be asked. Not in a
    checkpoint."""

    def function(self, kind: Kind) -> Function | None:
        for one in self.functions:
            if one.kind is kind:
                return one
        return None

    def among(self, kinds: Collection[Kind]) -> list[Function]:
        return [one for one in self.functions if one.kind in kinds]

    def has(self, code: str) -> bool:
        fault = self.faults.get(code)
        return fault is not None and fault.ended is None


_FIELDS = Known.__struct_fields__
_FUNCTIONS = _FIELDS.index("functions")
_encode = msgspec.msgpack.Encoder().encode
_unpack, _values = msgspec.msgpack.Decoder(Known).decode, msgspec.msgpack.Decoder(list).decode


def _pack(known: Known) -> bytes:
    """A copy: to what it returns msgspec leaves the room in which it wrote, up to half as much again."""
    return b"".join((_encode(known), b""))


class Devices(dict[str, Known | bytes]):
    """The devices of a home by their sensors. One that is silent takes a quarter of the room: all that is known of it
    lies as the bytes that a checkpoint would hold, and is unpacked in two microseconds when it speaks or is judged."""

    __slots__ = ()

    @classmethod
    def restored(cls, plain: Mapping[str, Any]) -> "Devices":
        """Out of a checkpoint. Raises TypeError for what was never in one."""
        devices = cls()
        try:
            for sensor, one in plain.items():
                values = [*one]
                values[_FUNCTIONS] = [[kind, *told] for kind, told in values[_FUNCTIONS].items()]
                devices[sensor] = _pack(msgspec.convert(values, Known))
        except (AttributeError, LookupError, msgspec.ValidationError) as error:
            raise TypeError(f"no device that supervision could know: {error}") from error
        return devices

    def plain(self) -> dict[str, Any]:
        return {sensor: _plain(_pack(one) if isinstance(one, Known) else one) for sensor, one in self.items()}

    def look(self, sensor: str) -> Known:
        """To look at: what is changed of it may be lost."""
        one = self[sensor]
        return one if isinstance(one, Known) else _unpack(one)

    def seen(self) -> Iterator[tuple[str, Known]]:
        """All of them, to look at."""
        for sensor, one in self.items():
            yield sensor, one if isinstance(one, Known) else _unpack(one)

    def take(self, sensor: str) -> Known:
        """Taken in hand: what is changed of it is kept."""
        one = self[sensor]
        if isinstance(one, bytes):
            self[sensor] = one = _unpack(one)
        return one

    def rest(self, sensor: str) -> None:
        """It is silent."""
        one = self.get(sensor)
        if isinstance(one, Known):
            self[sensor] = _pack(one)


def _plain(packed: bytes) -> list[Any]:
    values = _values(packed)
    values[_FUNCTIONS] = {kind: told for kind, *told in values[_FUNCTIONS]}
    return values[:-1]
