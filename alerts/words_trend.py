"""Words about slow changes: what was counted, and how a count is shown.

Only texts stand here; `alerts/wording` says them.
"""

from collections.abc import Callable, Mapping

from alerts.catalogue import N_

FIVE_H = 5


def _times(count: int) -> str:
    return str(count)


def _hours(quarters: int) -> str:
    return f"{quarters / 4:g}"


def _clock(quarters: int) -> str:
    return f"{FIVE_H + quarters // 4:02}:{quarters % 4 * 15:02}"


FEATURES: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "active": (N_("Hours by day in which somebody moved: {days} (usually {usual})."), _hours),
    "rooms": (N_("Changes of room by day: {days} (usually {usual})."), _times),
    "toilet_night": (N_("Toilet visits at night: {days} (usually {usual})."), _times),
    "toilet_day": (N_("Toilet visits by day: {days} (usually {usual})."), _times),
    "bed_exits": (N_("Times out of bed at night: {days} (usually {usual})."), _times),
    "in_bed": (N_("Hours in bed: {days} (usually {usual})."), _hours),
    "out": (N_("Hours out of the home: {days} (usually {usual})."), _hours),
    "up": (N_("First seen in the morning outside bed and bath: {days} (usually {usual})."), _clock),
}
"""How each is told, and what its number means: how often, quarter hours, or quarter hours after five."""

SIDES: Mapping[str, str] = {
    "more": N_("Out of the ordinary here: {limit} and more, three days in a row."),
    "less": N_("Out of the ordinary here: {limit} and less, three days in a row."),
    "later": N_("Out of the ordinary here: {limit} and later, three days in a row."),
    "earlier": N_("Out of the ordinary here: {limit} and earlier, three days in a row."),
}
