"""Tells what happens in one home in the words of a caregiver, and keeps what the watch concluded.

    story.at("08:05").moves_in("kitchen")
    story.at("13:00")

    assert story.told == [("11:05", "inactivity")]

Time only goes forward: a clock that lies behind is that of the day after. The home's hub beats each minute, as long
as it is not said to be dark.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

from detectors import Watch, watch_over
from gateway.domain import Finding, Home, Kind, Reading, Role
from gateway.ports import Context
from simulators.household import furnish

BEAT = timedelta(minutes=1)

BETWEEN_STEPS = timedelta(seconds=20)
"""Whoever moves in a room is seen a second time this much later: one pulse alone is no sign of life."""

THINGS: Mapping[str, tuple[Role, Kind]] = {
    "door": (Role.EXIT_DOOR, Kind.DOOR),
    "fridge": (Role.OPENING, Kind.OPENING),
    "bed": (Role.BED, Kind.BED),
    "chair": (Role.CHAIR, Kind.CHAIR),
    "kettle": (Role.APPLIANCE, Kind.APPLIANCE),
    "sos": (Role.SOS, Kind.SOS),
    "smoke": (Role.SMOKE, Kind.SMOKE),
}


PLAIN: Mapping[str, Mapping[str, Any]] = {"inactivity": {"learns": False}}
"""The plain hours, three by day or six at any time: a home of which nothing is known yet is given more."""


class Story:
    """One home, lived through by hand. What is found is in `told`, as local clock and code, and in `findings`."""

    def __init__(
        self,
        *,
        home: Home | None = None,
        day: date = date(2026, 3, 2),
        begins: time = time(0),
        options: Mapping[str, Mapping[str, Any]] = PLAIN,
    ) -> None:
        self.home = home or furnish("story", "gardener", seed=0, name="王奶奶", interval=BEAT).home
        self.watch: Watch = watch_over(self.home, options)
        self.findings: list[Finding] = []
        self.now = datetime.combine(day, begins, self.home.zone).astimezone(UTC)
        self.context = Context(listening_since=self.now)
        self._arrival = 0
        self._next_beat: datetime | None = self.now
        self._advance(self.now)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(self._clock(finding.at), finding.code) for finding in self.findings]

    # ------------------------------------------------------------------ time

    def at(self, clock: str) -> Self:
        """Let time pass until the next "hh:mm" or "hh:mm:ss"."""
        local = self.now.astimezone(self.home.zone)
        then = datetime.combine(local.date(), time.fromisoformat(clock), self.home.zone)
        if then.astimezone(UTC) < self.now:
            then = datetime.combine(local.date() + timedelta(days=1), time.fromisoformat(clock), self.home.zone)
        return self._advance(then.astimezone(UTC))

    def after(self, **span: float) -> Self:
        """Let so much time pass: `after(hours=3)`, `after(days=2)`."""
        return self._advance(self.now + timedelta(**span))

    def _advance(self, until: datetime) -> Self:
        """Everything happens at its own moment: each heartbeat, and whatever falls due."""
        asked: datetime | None = None
        while True:
            due = self.watch.due()
            if due is not None and asked is not None and due <= asked:
                due = None  # it waits for something else than time
            coming = min((m for m in (self._next_beat, due) if m is not None), default=None)
            if coming is None or coming > until:
                break
            if coming == self._next_beat:
                self._beat(coming)
                self._next_beat = coming + BEAT
                asked = None
            else:
                self._note(self.watch.tick(coming, self.context))
                asked = coming
        self.now = until
        self._note(self.watch.tick(until, self.context))
        return self

    def _beat(self, at: datetime) -> None:
        self._arrival += 1
        marker = self.watch.hear(at, self._arrival)
        if marker is not None:
            self._note(self.watch.observe(marker, self.context))

    # ------------------------------------------------------------------ what people do

    def moves_in(self, room: str) -> Self:
        """Is seen in a room, and again a moment later."""
        self.is_seen_once_in(room)
        self._advance(self.now + BETWEEN_STEPS)
        return self.is_seen_once_in(room)

    def is_seen_once_in(self, room: str) -> Self:
        """One pulse of a motion sensor: somebody, or the sun on a curtain."""
        return self._say(Role.MOTION, Kind.MOTION, 1, room)

    def opens(self, thing: str) -> Self:
        return self._use(thing, 1)

    def closes(self, thing: str) -> Self:
        return self._use(thing, 0)

    def presses(self, button: str = "sos", *, minutes_ago: float = 0) -> Self:
        """Presses an emergency button; it may be heard only later."""
        role, kind = _thing(button)
        return self._say(role, kind, 1, happened=self.now - timedelta(minutes=minutes_ago))

    def goes_out(self) -> Self:
        return self.is_seen_once_in("hall").opens("door")._advance(self.now + timedelta(seconds=6)).closes("door")

    def comes_home(self) -> Self:
        self.opens("door")._advance(self.now + timedelta(seconds=6)).closes("door")
        return self._advance(self.now + BETWEEN_STEPS).moves_in("living")

    def lies_down(self) -> Self:
        return self._use("bed", 1)

    def gets_up(self) -> Self:
        return self._use("bed", 0)

    def sits_down(self) -> Self:
        return self._use("chair", 1)

    def stands_up(self) -> Self:
        return self._use("chair", 0)

    def boils_water(self) -> Self:
        return self._use("kettle", 1)._advance(self.now + timedelta(minutes=3))._use("kettle", 0)

    # ------------------------------------------------------------------ what devices do

    def smoke_rises(self) -> Self:
        return self._use("smoke", 1)

    def reports(self, kind: Kind, value: float, room: str = "living") -> Self:
        """A device says something that is no sign of life: its battery, a temperature."""
        return self._say(Role.MOTION, kind, value, room)

    def hub_goes_dark(self) -> Self:
        """Nothing of this home is heard any more."""
        self._next_beat = None
        return self

    def hub_returns(self) -> Self:
        self._next_beat = self.now
        return self._advance(self.now)

    def _use(self, thing: str, value: float) -> Self:
        role, kind = _thing(thing)
        return self._say(role, kind, value)

    def _say(
        self, role: Role, kind: Kind, value: float, room: str | None = None, happened: datetime | None = None
    ) -> Self:
        sensor = next((s for s in self.home.sensors if s.role is role and room in (None, s.room)), None)
        if sensor is None:
            place = f" in {room!r}" if room else ""
            raise LookupError(f"home {self.home.id} has no {role.value} sensor{place}")
        at = happened or self.now
        self._beat(self.now)
        late = self.now - at > timedelta(minutes=5)
        reading = Reading(self.home.id, sensor.id, sensor.room, kind, value, at, self.now, self._arrival, late=late)
        self._note(self.watch.observe(reading, self.context))
        return self

    def _note(self, found: list[Finding]) -> None:
        self.findings.extend(found)

    def _clock(self, at: datetime) -> str:
        return f"{at.astimezone(self.home.zone):%H:%M}"


def _thing(name: str) -> tuple[Role, Kind]:
    if name not in THINGS:
        raise LookupError(f"there is no {name!r} in this story; there are {', '.join(THINGS)}")
    return THINGS[name]
