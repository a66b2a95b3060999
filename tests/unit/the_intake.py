"""One home at the mouth of the gateway: messages in, readings out, time as it pleases."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from gateway.domain import Home, Hub, Kind, Monitoring, Reading, Role, Sensor
from gateway.ports import HubDevice, Message
from ingest.intake import Intake
from ingest.way import Taken

MORNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
HUB = "hub-7"
HOME = "home-7"


def address(number: int) -> str:
    return f"0x00158d00{number:08x}"


def sensor(name: str, role: Role, number: int = 0, **more) -> Sensor:
    more.setdefault("address", address(number) if number else name)
    return Sensor(id=name, hub=HUB, name=name, room="room", role=role, **more)


def a_home(*sensors: Sensor, home: str = HOME, hub: str = HUB, state: Monitoring = Monitoring.GUARDED) -> Home:
    return Home(
        id=home,
        code="0007",
        name="Grandmother",
        grid="g",
        zone=ZoneInfo("Asia/Shanghai"),
        state=state,
        hubs=(Hub(id=hub, home=home),),
        sensors=tuple(replace(one, hub=hub) for one in sensors),
    )


class Registered:
    """A directory that knows these homes."""

    def __init__(self, *homes: Home) -> None:
        self.all = list(homes)

    def version(self) -> int:
        return len(self.all)

    def homes(self) -> list[Home]:
        return self.all


class Ear:
    """Says things to an intake, the way a hub does, and remembers what came of it."""

    def __init__(self, *sensors: Sensor, names: dict[str, str] | None = None) -> None:
        self.directory = Registered(a_home(*sensors))
        self.intake = Intake(self.directory)
        self.names = names or {one.name: one.address for one in sensors if one.address.startswith("0x")}
        self.intake.devices.remember(HubDevice(HUB, where, name) for name, where in self.names.items())
        self.now = MORNING
        self.arrival = 0
        self.readings: list[Reading] = []
        self.alive: list[Reading] = []

    def after(self, **span: float) -> "Ear":
        self.now += timedelta(**span)
        return self

    def hears(self, topic: str, payload: object = b"", *, retained: bool = False) -> Taken:
        """A message below `shouwang/<hub>/`; what is not bytes is sent as JSON."""
        return self.hears_at(f"shouwang/{HUB}/{topic}", payload, retained=retained)

    def hears_at(self, topic: str, payload: object = b"", *, retained: bool = False) -> Taken:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.arrival += 1
        taken = self.intake.take(Message(topic, body, self.now, retained), self.arrival)
        # That a device lives is told beside whatever it says: tests that ask for it find it here.
        self.alive += [one for one in taken.readings if one.kind is Kind.ALIVE]
        taken.readings = [one for one in taken.readings if one.kind is not Kind.ALIVE]
        self.readings.extend(taken.readings)
        return taken

    def z2m(self, name: str, retained: bool = False, **keys: object) -> list[tuple[Kind, float]]:
        """A device's state as Zigbee2MQTT publishes it; what it gave, briefly."""
        return brief(self.hears(f"zigbee2mqtt/{name}", keys, retained=retained))

    def plain(self, name: str, retained: bool = False, **report: object) -> list[tuple[Kind, float]]:
        return brief(self.hears(f"plain/{name}", report, retained=retained))

    @property
    def said(self) -> list[tuple[Kind, float]]:
        return [(one.kind, one.value) for one in self.readings]


def written_down(values: dict) -> dict:
    """As it comes back from a checkpoint."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(values))


def brief(taken: Taken) -> list[tuple[Kind, float]]:
    return [(one.kind, one.value) for one in taken.readings]


def why(taken: Taken) -> list[str]:
    return [one.reason for one in taken.quarantined]


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
