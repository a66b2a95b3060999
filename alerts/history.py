"""What an alert's history can tell. The words for it are made in `alerts/wording`."""

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
    JOINED = "joined"  # something else was found in the same incident
    MUTED = "muted"  # another alert says more, and nobody is called for this one
    SPEAKS = "speaks"  # this one speaks for another from now on
    BACK = "back"  # of those it speaks for, this one is over
    ALL_BACK = "all-back"
    SETTLES = "settles"  # what spoke for it is over; it may still come back by itself
    GROWN = "grown"  # an outage reaches further than was known
    WORSE = "worse"
    RINGS_AGAIN = "rings-again"  # it had an owner, who cannot be reached
    HELD = "held"  # nobody is called while somebody works in the home
    RELEASED = "released"  # the work is over, and it is judged again
    IN_ONE = "in-one"  # told in one message with others that have waited
    MENDED = "mended"  # a deadline was moved because the clock was put back
    ACCEPTED = "accepted"
    COORDINATES = "coordinates"  # accepted from afar: the ladder goes on for somebody who can be there
    ANSWERED = "answered"  # the resident, who was asked
    STIRRED = "stirred"  # signs of life again: the next rung waits for a confirmation
    FAMILY = "family"  # said something with one tap
    HANDED = "handed"  # from one owner to the next
    EN_ROUTE = "en-route"
    ON_SITE = "on-site"
    REMINDED = "reminded"  # whoever has it was asked whether anything happens
    LAPSED = "lapsed"  # nothing happened: it is nobody's again
    OVERDUE = "overdue"
    NOTE = "note"
    CARD = "card"  # somebody broke the glass: the emergency card was opened
    PHOTO = "photo"
    LATE = "late"  # what somebody did came over a bad line long after it was pressed
    RESOLVED = "resolved"
    FOLLOWED_UP = "followed-up"
    CLOSED = "closed"
    CANCELLED = "cancelled"
