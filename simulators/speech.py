"""How hubs speak: the bytes that Zigbee2MQTT and a plain hub hand to the broker for what their devices noticed."""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from gateway.domain import Kind, Role
from simulators.devices import Device, Model, Signal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Dialect(StrEnum):
    """What a home's hub speaks."""

    ZIGBEE2MQTT = "zigbee2mqtt"
    PLAIN = "plain"


class LastSeen(StrEnum):
    """How a Zigbee2MQTT is told to write `last_seen`; it is off unless somebody turns it on."""

    OFF = "disable"
    ISO = "ISO_8601"
    LOCAL = "ISO_8601_local"
    EPOCH = "epoch"


@dataclass(frozen=True, slots=True)
class Publication:
    """One message as a hub hands it to the broker at `at`."""

    at: datetime
    topic: str
    payload: bytes
    hub: str
    qos: int = 1
    retained: bool = False


def is_press(said: Publication) -> bool:
    """Whether this message tells that an emergency button is pressed: a cached `"sos": false` is none."""
    if "/sos/" not in said.topic or "/availability" in said.topic:
        return False
    told = json.loads(said.payload)
    reports = told if isinstance(told, list) else [told]
    return any(
        bool(r.get("action")) or r.get("sos") is True or (r.get("kind") == "sos" and bool(r.get("value", True)))
        for r in reports
    )


class Voice(Protocol):
    """Remembers what a real hub remembers, and says what it would say. Times are milliseconds since 1970."""

    def start(self, at: int) -> Iterator[Publication]: ...

    def note(self, signal: Signal) -> None:
        """Take it in without saying it: what happened before we began to listen."""
        ...

    def say(self, signal: Signal) -> Iterator[Publication]: ...

    def health(self, at: int) -> Iterator[Publication]: ...


def encoded(value: Any) -> bytes:
    """As the JavaScript of Zigbee2MQTT writes JSON: sorted keys, no blanks, no `.0`."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def iso(ms: int, zone: ZoneInfo | None = None) -> str:
    """`2026-03-01T15:32:45.941Z`, or with the zone's offset."""
    text = moment(ms).astimezone(zone or UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z") if zone is None else text


@dataclass(slots=True)
class Zigbee2mqtt:
    """A hub with Zigbee2MQTT: every message repeats the cached state of its device; a start repeats them all."""

    hub: str
    devices: Sequence[Device]
    zone: ZoneInfo
    last_seen: LastSeen
    qos: int
    seed: int
    _state: list[dict[str, Any]] = field(init=False)
    _seen: dict[int, int] = field(init=False, default_factory=dict)
    _published: int = field(init=False, default=0)
    _started: int = field(init=False, default=0)
    _chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = Random(f"{self.seed}/radio")
        self._state = [{**device.model.idle, **_empty(device), "linkquality": 100} for device in self.devices]

    def start(self, at: int) -> Iterator[Publication]:
        self._started = at
        yield self._publish(at, "bridge/state", {"state": "online"}, retained=True)
        yield self._publish(at, "bridge/info", _info(self.hub), retained=True)
        yield self._publish(at, "bridge/devices", self._announcement(), retained=True)
        for device in self.devices:
            yield self._publish(at, f"{device.topic}/availability", {"state": "online"}, retained=True)
        for index in range(len(self.devices)):
            yield self._state_of(at, index)
        yield from self.health(at)

    def note(self, signal: Signal) -> None:
        at, index, kind, value = signal
        state, model = self._state[index], self.devices[index].model
        if not (model.bridge_clears and kind is Kind.MOTION and not value):
            self._seen[index] = at
            state["linkquality"] = self._chance.randint(58, 176)
        if kind is Kind.BATTERY:
            state["battery"] = int(value)
            if "voltage" in state:
                state["voltage"] = 2500 + int(value) * 6
            return
        if model.press or kind is Kind.ALIVE:
            return  # an action is in its one message and nowhere else
        state.update(model.says(kind, value))
        if "trigger_count" in state and value:
            state["trigger_count"] += 1
        if "illuminance" in state and kind is Kind.MOTION and value:
            state["illuminance"] = _daylight(at, self.zone)
        if "energy" in state and not value:
            state["energy"] = round(state["energy"] + 0.09, 2)

    def say(self, signal: Signal) -> Iterator[Publication]:
        at, index, kind, value = signal
        self.note(signal)
        if kind is Kind.HUMIDITY:
            return  # one sensor, one message: it travelled with the temperature of the same moment
        model = self.devices[index].model
        once = model.says(kind, value) if model.press and kind is Kind.SOS else {}
        yield self._state_of(at, index, once)

    def health(self, at: int) -> Iterator[Publication]:
        self._published += 1
        up = (at - self._started) // 1000 if self._started else 86_400
        yield self._publish(
            at,
            "bridge/health",
            {
                "response_time": at,
                "os": {"load_average": [0.12, 0.1, 0.09], "memory_used_mb": 412.5, "memory_percent": 21.3},
                "process": {"uptime_sec": up, "memory_used_mb": 96.4, "memory_percent": 5},
                "mqtt": {"connected": True, "queued": 0, "received": 3, "published": self._published},
                "devices": {
                    device.sensor.address: {
                        "messages": 41 + index,
                        "messages_per_sec": 0.0005,
                        "leave_count": 0,
                        "network_address_changes": 0,
                    }
                    for index, device in enumerate(self.devices)
                },
            },
            retained=True,
        )

    def _state_of(self, at: int, index: int, once: Mapping[str, Any] | None = None) -> Publication:
        device = self.devices[index]
        said = {**self._state[index], **(once or {})}
        seen = self._seen.get(index, at)
        match self.last_seen:
            case LastSeen.ISO:
                said["last_seen"] = iso(seen)
            case LastSeen.LOCAL:
                said["last_seen"] = iso(seen, self.zone)
            case LastSeen.EPOCH:
                said["last_seen"] = seen
            case LastSeen.OFF:
                pass
        self._published += 1
        return self._publish(at, device.topic, said, qos=self.qos)

    def _publish(self, at: int, topic: str, said: Any, *, qos: int = 1, retained: bool = False) -> Publication:
        return Publication(
            moment(at), f"shouwang/{self.hub}/zigbee2mqtt/{topic}", encoded(said), self.hub, qos, retained
        )

    def _announcement(self) -> list[dict[str, Any]]:
        coordinator = {
            "ieee_address": f"0x00124b00{abs(self.seed) % 2**32:08x}",
            "type": "Coordinator",
            "friendly_name": "Coordinator",
            "supported": True,
            "disabled": False,
            "interview_completed": True,
            "network_address": 0,
            "definition": None,
        }
        return [coordinator, *(_announced(number, device) for number, device in enumerate(self.devices, 1))]


def _empty(device: Device) -> dict[str, Any]:
    """A contact on a mat hangs open while nobody lies there, unlike the contact of a closed door."""
    return device.model.says(Kind.BED, 0.0) if device.role is Role.BED else {}


def _announced(number: int, device: Device) -> dict[str, Any]:
    model = device.model
    return {
        "ieee_address": device.sensor.address,
        "type": "Router" if model.mains else "EndDevice",
        "friendly_name": device.topic,
        "supported": True,
        "disabled": False,
        "power_source": "Mains (single phase)" if model.mains else "Battery",
        "model_id": model.model_id,
        "manufacturer": model.vendor,
        "network_address": 4096 + number * 977,
        "interview_completed": True,
        "interviewing": False,
        "definition": {
            "model": model.model,
            "vendor": model.vendor,
            "description": model.description,
            "exposes": [*_exposed(model), _exposed_number("linkquality", "lqi")],
        },
    }


def _exposed(model: Model) -> Iterator[dict[str, Any]]:
    if model.press:
        yield {"type": "enum", "name": "action", "property": "action", "access": 1, "values": [model.press]}
    for key, value in model.idle.items():
        if isinstance(value, bool):
            on, off = (False, True) if key == "contact" else (True, False)
            yield {
                "type": "binary",
                "name": key,
                "property": key,
                "access": 1,
                "value_on": on,
                "value_off": off,
            }
        elif isinstance(value, str):
            yield {"type": "enum", "name": key, "property": key, "access": 1, "values": [value]}
        else:
            yield _exposed_number(
                key, {"battery": "%", "temperature": "°C", "humidity": "%", "power": "W"}.get(key, "")
            )


def _exposed_number(key: str, unit: str) -> dict[str, Any]:
    return {"type": "numeric", "name": key, "property": key, "access": 1, **({"unit": unit} if unit else {})}


def _info(hub: str) -> dict[str, Any]:
    return {
        "version": "2.14.1",
        "commit": "unknown",
        "coordinator": {"type": "zStack3x0", "meta": {"revision": 20221226}},
        "network": {"channel": 15, "pan_id": 6754},
        "permit_join": False,
        "restart_required": False,
        "log_level": "info",
        "config": {"mqtt": {"base_topic": f"shouwang/{hub}/zigbee2mqtt"}, "availability": {"enabled": True}},
    }


def _daylight(at: int, zone: ZoneInfo) -> int:
    hour = moment(at).astimezone(zone).hour
    return (2, 2, 2, 2, 2, 4, 18, 55, 120, 180, 210, 230, 240, 235, 220, 190, 140, 80, 42, 38, 36, 34, 20, 6)[hour]


@dataclass(slots=True)
class Plain:
    """A hub that speaks our own plain JSON: one small object with the device's time and its counter."""

    hub: str
    devices: Sequence[Device]
    qos: int
    seed: int
    _counters: dict[int, int] = field(init=False, default_factory=dict)

    def start(self, at: int) -> Iterator[Publication]:
        yield from self.health(at)

    def note(self, signal: Signal) -> None: ...

    def say(self, signal: Signal) -> Iterator[Publication]:
        at, index, kind, value = signal
        if kind is Kind.ALIVE:  # it reports what it draws, which between two uses is nothing
            kind, value = Kind.POWER, 0.0
        device = self.devices[index]
        # A device counts on from wherever it was; where that is does not matter, only that no number comes twice.
        seq = self._counters[index] = self._counters.get(index, at // 1000 % 1_000_000_000) + 1
        said = {"kind": kind.value, "value": int(value) if value == int(value) else value, "at": iso(at), "seq": seq}
        topic = f"shouwang/{self.hub}/plain/{device.topic}"
        yield Publication(moment(at), topic, encoded(said), self.hub, self.qos)

    def health(self, at: int) -> Iterator[Publication]:
        yield heartbeat(self.hub, at)


def heartbeat(hub: str, at: int) -> Publication:
    """What only proves that the box is alive."""
    topic = f"shouwang/{hub}/plain/hub"
    return Publication(moment(at), topic, encoded({"kind": "heartbeat", "at": iso(at)}), hub)


# --------------------------------------------------------------------------- a hub's day


def speak(
    voice: Voice,
    hub: str,
    signals: Iterable[Signal],
    since: int,
    until: int | None,
    *,
    starts: Sequence[int],
    dark: Sequence[tuple[int, int | None]],
    health: timedelta,
    beat: timedelta | None,
) -> Iterator[Publication]:
    """Everything a hub publishes from `since`, in order of time. Signals before it are only remembered.

    It starts at the moments `starts`, is mute in the spans `dark`, reports every `health` how it is and, with
    `beat`, that often that it is.
    """

    def is_dark(at: int) -> bool:
        return any(begin <= at and (end is None or at < end) for begin, end in dark)

    def every(span: timedelta, what: str) -> Iterator[tuple[int, int, str, Signal | None]]:
        period = int(span.total_seconds() * 1000)
        at = since + (Random(f"{hub}/{what}").randrange(period) - since) % period
        while until is None or at < until:
            if not is_dark(at):
                yield at, 2, what, None
            at += period

    lives = [
        ((at, 0, "start", None) for at in sorted(starts)),
        ((signal[0], 1, "say", signal) for signal in signals),
        every(health, "health"),
    ]
    if beat is not None:
        lives.append(every(beat, "beat"))
    for at, _, what, signal in heapq.merge(*lives, key=lambda event: event[:2]):
        if what == "start":
            yield from voice.start(at)
        elif what == "health":
            yield from voice.health(at)
        elif what == "beat":
            yield heartbeat(hub, at)
        elif signal is not None:
            if at >= since:
                yield from voice.say(signal)
            else:
                voice.note(signal)
