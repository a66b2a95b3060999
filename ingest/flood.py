"""How much one device may say, so that its neighbours are heard. Pure: it runs on the times that messages carry.

What is legitimate and what is a flood can look alike: after an outage a hub hands over twelve hours in one second.
They differ in the device's own time. So a flow runs on the time at which we heard, and for what was stored up on the
time at which the device says that it happened: twelve hours of readings are counted as the twelve hours they are. Own
time counts forward only and never past the moment of hearing, so that a device that lies about it can spend each past
hour once and no more. Younger than the length of a burst nothing is called stored up: at the allowed pace no more
than a burst can lie in it.

A device that tells no time cannot be judged so. While a connection of ours is new, what it says costs a tenth:
the broker hands over what it kept for us.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.domain import Kind

EVERY = timedelta(milliseconds=50)
"""What one device may say in the long run: 20 messages a second. The busiest radars say five."""

BURST = timedelta(seconds=10)
"""Silence is saved up this long: 200 messages at once."""

OTHERS = EVERY / 10
"""All of a hub that is no registered sensor's, together: devices nobody registered, topics that are none."""

TELL_EVERY = timedelta(minutes=1)
CALL_EVERY = timedelta(seconds=1)
"""Of a device that floods with calls for help so many pass; they join one alert."""

UNTOLD_TIME = 10
"""So many times cheaper is what carries no time of its own, just after a connection."""

NEVER = datetime.min.replace(tzinfo=UTC)
_NOTHING = timedelta(0)
_FULL = BURST - EVERY


@dataclass(slots=True)
class Flow:
    """A bucket of time: silence fills it, each message takes its price."""

    every: timedelta = EVERY
    left: timedelta = BURST
    heard: datetime = NEVER
    own: datetime = NEVER  # the newest of its own times
    cut: int = 0  # not used, and not told yet
    told_at: datetime = NEVER
    called: dict[Kind, datetime] | None = None

    def passes(self, heard: datetime, own: datetime | None, price: timedelta) -> bool:
        """Whether there is room for a message heard then, which says that it happened at `own`."""
        gained = _NOTHING if self.heard is NEVER else heard - self.heard
        self.heard = heard
        if own is not None and self.own < own <= heard:
            if heard - own > BURST:
                gained = own - self.own
            self.own = own
        left = self.left + gained if gained > _NOTHING else self.left  # our clock may be set back
        if left < self.every:
            self.left = left
            return False
        left -= price  # perhaps into debt: one message may list a thousand reports
        full = _FULL if self.every is EVERY else BURST - self.every  # shared by all devices, as nearly always
        self.left = left if left < full else full
        return True

    @property
    def is_full(self) -> bool:
        """It may say as much as one that has never spoken."""
        return self.left >= BURST - self.every

    def lets_call(self, kind: Kind, heard: datetime) -> bool:
        """A call for help passes where nothing else does: one in a second, of each kind."""
        if self.called is None:
            self.called = {}
        last = self.called.get(kind)
        if last is not None and abs(heard - last) < CALL_EVERY:
            return False
        self.called[kind] = heard
        return True

    def due(self, heard: datetime) -> int:
        """How many were cut that must be told now: the first at once, then those of a minute together."""
        if not self.cut or abs(heard - self.told_at) < TELL_EVERY:
            return 0
        told, self.cut, self.told_at = self.cut, 0, heard
        return told
