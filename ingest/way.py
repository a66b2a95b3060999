"""Where the messages of one topic go, and what one message gave."""

from collections.abc import Callable

import msgspec

from gateway.domain import Reading
from gateway.ports import HubDevice, Message, Quarantined
from ingest.decoders import DECODERS
from ingest.decoders.base import Decoder
from ingest.known import Bound

LARGEST = 64 * 1024
LARGEST_NEWS = 1024 * 1024
"""Bytes. A hub's list of its devices is long; what one device says is not."""


class Taken(msgspec.Struct, gc=False):
    """What one message gave. Its home is "" when it is nobody's. (A msgspec struct: one is made for each message.)"""

    home: str = ""
    heard: bool = False  # it proves that the home's hub is alive: neither retained nor a last will
    readings: list[Reading] = []
    quarantined: list[Quarantined] = []
    devices: list[HubDevice] = []
    urgent: bool = False  # commit at once
    is_cut: bool = False  # too much was said: nothing of it was used
    is_asleep: bool = False  # nothing was read yet: `rouse` the home, restore what it knew, and take the message again


class Road(msgspec.Struct):
    """Where the messages of one topic go. (A msgspec struct: one is made with every first word after a silence.)"""

    home: str
    hub: str
    way: Callable[["Road", Message, int, Taken], None]
    decoder: Decoder = DECODERS["plain"]
    rest: str = ""  # the topic below the decoder's name
    key: str = ""
    bound: Bound | None = None
    device: HubDevice | None = None  # as its hub announced it
    name: str = ""  # of a device that speaks for several
    reason: str = ""  # why it leads nowhere
    largest: int = LARGEST
