"""What Shelly, Tasmota and ESPHome have in common: each device speaks for itself, and its name is its address.

A sensor is registered as `<device>`, or as `<device>/<part>` where one device has several: two inputs, a door and a
drawer. Topics lie below `<dialect>/<device>/…`, or `<dialect>/sos/<device>/…` for life-safety devices.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ingest.decoders.base import Decoded, Fault, Heard, Portion, Row, Signal, fault

WHOLE = ""
"""The part that is the whole device."""

PARTS_AT_MOST = 128
"""Of one message. A bridge for Bluetooth or Zigbee reports a few; a message that lists more is not read on."""

_NAME_AT_MOST = 64
_strange = re.compile(r"[^\w.:-]+").sub


def address(name: str) -> str:
    """A name as it can be registered: as it is, with `-` for what cannot stand in one."""
    return _strange("-", name)[:_NAME_AT_MOST].strip("-")


def levels(rest: str) -> list[str]:
    """The levels of a topic below the dialect, without the mark of life safety."""
    return rest.removeprefix("sos/").split("/")


class Saying:
    """What one message says, gathered part by part."""

    __slots__ = ("_faults", "_parts", "at", "is_last_will")

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.is_last_will = False
        self._parts: dict[tuple[str, bool], list[Heard]] = {}
        self._faults: list[Fault] = []

    def say(
        self,
        part: str,
        rows: Iterable[Row],
        raw: Any,
        *,
        key: str,
        at: datetime | None = None,
        seq: int | None = None,
        is_child: bool = False,
    ) -> None:
        """Read one value; None was never reported."""
        if raw is None:
            return
        for row in rows:
            try:
                value = row.convert(raw)
            except ValueError as error:
                self.doubt(fault(key, raw, error))
                return
            if value is not None:
                self._of(part, is_child).append(Heard(row.signal, value, row.momentary, at or self.at, seq))

    def note(self, part: str, signal: Signal, value: float, *, is_child: bool = False) -> None:
        """Something that needs no reading."""
        self._of(part, is_child).append(Heard(signal, value, False, self.at))

    def doubt(self, what: Fault) -> None:
        if len(self._faults) < PARTS_AT_MOST:
            self._faults.append(what)

    def decoded(self) -> Decoded:
        portions = [Portion(part, heard, child) for (part, child), heard in self._parts.items() if heard]
        return Decoded([], self._faults or None, portions=portions, is_last_will=self.is_last_will)

    def _of(self, part: str, is_child: bool) -> list[Heard]:
        if len(self._parts) >= PARTS_AT_MOST and (part, is_child) not in self._parts:
            return []  # said into the wind
        return self._parts.setdefault((part, is_child), [])


def by_dbm(raw: Any) -> float | None:
    """Signal strength in dBm as the 0 to 255 of a link: -50 is as good as it gets, -100 is hardly heard."""
    if (type(raw) is int or type(raw) is float) and -200 <= raw <= 0:
        return float(round(min(max((raw + 100) * 5.1, 0.0), 255.0)))
    raise ValueError("a number from -200 to 0")


def by_percent(raw: Any) -> float | None:
    if (type(raw) is int or type(raw) is float) and 0 <= raw <= 100:
        return float(round(raw * 2.55))
    raise ValueError("a number from 0 to 100")
