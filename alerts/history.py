"""What an alert's history can tell. The words for it are made in `alerts/wording.py`."""

from enum import StrEnum


class What(StrEnum):
    RAISED = "raised"
    TOLD = "told"  # a rung was climbed and these people are called
    EMPTY = "empty"  # a rung was climbed and nobody could be called
    NOBODY = "nobody"  # the whole ladder reached nobody
    SENT = "sent"
    PUT_OFF = "put-off"  # a channel could not carry it; it is tried again
    FAILED = "failed"  # a channel will never carry it
    AGAIN = "again"
    WORSE = "worse"
    RINGS_AGAIN = "rings-again"  # it had an owner, who cannot be reached
    HELD = "held"  # nobody is called while somebody works in the home
    RELEASED = "released"  # the work is over, and it is judged again
    MENDED = "mended"  # a deadline was moved because the clock was put back
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    CLOSED = "closed"
