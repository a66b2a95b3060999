"""What the house remembers: alerts, registry and accounts in `gateway.db`, readings in `readings.db`, fakes in memory.

Import the module you need (`gateway.stores.sql`, `.readings`, `.memory`); nothing is opened by an import.
"""

import json
from collections.abc import Iterable
from datetime import timedelta

from gateway.domain import SIGNS_OF_LIFE, VITALS, Kind


class WrongBook(Exception):
    """This file cannot be used by this version of the program."""


QUARANTINE_LIMIT = 5_000
"""Topics and reasons kept apart: enough to find every broken device, too few for a noisy one to fill the disk."""

QUARANTINE_TEXT = 512
"""How much of a refused topic is kept: a broker allows 64 KiB, a person needs one line."""

CARRIED_LOOKED_AT = 20_000
"""Messages, the newest, of which is counted how far they came: more than a day of ten thousand homes."""

QUARANTINE_HEAD = 256
"""How many bytes of a refused message are kept."""

ANSWERS_KEPT = timedelta(days=1)
"""So long another program that asks the same again is given the same answer."""

SUMMED_UP = (
    SIGNS_OF_LIFE
    | VITALS
    | {Kind.TEMPERATURE, Kind.HUMIDITY, Kind.POWER, Kind.WATER, Kind.BATTERY, Kind.VOLTAGE, Kind.LINK}
)
"""What is summed up by the hour: life, measurements, and how a device lives."""


def naming(home: str, people: Iterable[str]) -> list[str]:
    """The words by which an answer in JSON names this home, an alert of it, or one of these people."""
    return [json.dumps(name, ensure_ascii=False) for name in (home, *people)] + [f'"{home}/']
