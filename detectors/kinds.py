"""The kinds that are asked about with every reading, each by a name of its own: a look into the enum costs as much as
a call, and a dozen detectors ask several times."""

from gateway.domain import Kind

APPLIANCE, BED, CLOCK, DOOR, MOTION, RETURNED = (
    Kind.APPLIANCE,
    Kind.BED,
    Kind.CLOCK,
    Kind.DOOR,
    Kind.MOTION,
    Kind.RETURNED,
)
