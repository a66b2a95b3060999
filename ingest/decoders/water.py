"""Water meters: whatever they count in, as litres."""

import re
from functools import lru_cache
from typing import Any

from ingest.decoders.base import Converter, number

MOST_LITRES = 1e10
"""No meter shows more: a home that fills a bathtub each minute needs a hundred years for it."""

MOST_DRAWN = 100_000.0
"""Litres in one report."""

_LITRES = {
    "": 1.0,
    "l": 1.0,
    "litre": 1.0,
    "litres": 1.0,
    "liter": 1.0,
    "liters": 1.0,
    "ml": 0.001,
    "m3": 1000.0,
    "m³": 1000.0,
    "㎥": 1000.0,
    "gal": 3.785411784,
}
_unit = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)? ?([a-z]*3?|m³|㎥)").fullmatch


def litres_of(unit: str) -> float | None:
    """One count in litres: "l", "m³", or "10 l" where the meter gives a pulse for each ten. None: it is no volume."""
    found = _unit(unit.strip().lower())
    if found is None or found[2] not in _LITRES:
        return None
    return float(found[1] or 1) * _LITRES[found[2]] or None


@lru_cache(maxsize=64)
def litres(factor: float, most: float = MOST_LITRES) -> Converter:
    """A count, as litres to the thousandth."""
    count = number(0, most / factor)

    def convert(raw: Any) -> float | None:
        return round(count(raw) * factor, 3)

    return convert
