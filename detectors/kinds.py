"""The kinds that are asked about with every reading, each by a name of its own: a look into the enum costs as much as
a call, and a dozen detectors ask several times."""

from gateway.domain import Kind

ALIVE, APPLIANCE, AVAILABLE, BED, CLOCK, CONNECTED, DOOR, MOTION, RETURNED, STIRS, TEMPERATURE = (
    Kind.ALIVE,
    Kind.APPLIANCE,
    Kind.AVAILABLE,
    Kind.BED,
    Kind.CLOCK,
    Kind.CONNECTED,
    Kind.DOOR,
    Kind.MOTION,
    Kind.RETURNED,
    Kind.STIRS,
    Kind.TEMPERATURE,
)
