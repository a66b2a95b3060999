"""Things one can buy and hang on a wall: what each says, how long it is blind, how it is announced.

A table, not a class each: most devices differ only in what they call things.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain import Kind, Role, RoomKind, Sensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A device as its maker sells it and Zigbee2MQTT announces it.

    `idle` is what it says when nothing happens, `key` what changes when something does. A motion sensor is blind
    for `blind_s` after it fired and clears `clears_s` after it last fired.
    """

    model: str
    vendor: str
    model_id: str
    description: str
    key: str
    idle: Mapping[str, Any]
    mains: bool = False
    blind_s: int = 0
    clears_s: int = 0
    checks_in_min: int = 55  # how often it reports by itself
    press: str = ""  # the action that a press sends; empty: it latches its key instead
    bridge_clears: bool = False  # it only says "true"; the bridge makes up the "false"

    def says(self, kind: Kind, value: float) -> dict[str, Any]:
        """What changes in its state when this happens."""
        match self.key:
            case "contact":  # true means the magnet touches, or the mat's contact is pressed together
                return {"contact": value == 0 if kind is not Kind.BED else value == 1}
            case "power":
                running = value > 0
                return {"power": 1780 if running else 0, "current": 7.74 if running else 0}
            case "action":
                return {"action": self.press}
            case "temperature":
                return {"temperature" if kind is Kind.TEMPERATURE else "humidity": value}
            case "work_state":
                return {"occupancy": value == 1, "work_state": "presence" if value == 1 else "none"}
            case key:
                return {key: value == 1}


def _battery(**more: Any) -> dict[str, Any]:
    return {"battery": 100, "voltage": 3100, **more}


MODELS: dict[str, Model] = {
    model.model: model
    for model in (
        Model(
            model="RTCGQ11LM",
            vendor="Aqara",
            model_id="lumi.sensor_motion.aq2",
            description="Motion sensor",
            key="occupancy",
            idle=_battery(occupancy=False, illuminance=0, device_temperature=24, power_outage_count=3),
            blind_s=60,
            clears_s=90,
            bridge_clears=True,
        ),
        Model(
            model="SNZB-03",
            vendor="SONOFF",
            model_id="MS01",
            description="Motion sensor",
            key="occupancy",
            idle=_battery(occupancy=False, battery_low=False),
            blind_s=60,
            clears_s=60,
        ),
        Model(
            model="TS0202",
            vendor="Tuya",
            model_id="TS0202",
            description="Motion sensor",
            key="occupancy",
            idle=_battery(occupancy=False, battery_low=False, tamper=False),
            blind_s=60,
            clears_s=75,
            checks_in_min=240,
        ),
        Model(
            model="MCCGQ11LM",
            vendor="Aqara",
            model_id="lumi.sensor_magnet.aq2",
            description="Door and window sensor",
            key="contact",
            idle=_battery(contact=True, device_temperature=23, power_outage_count=12, trigger_count=0),
        ),
        Model(
            model="SNZB-04",
            vendor="SONOFF",
            model_id="DS01",
            description="Contact sensor",
            key="contact",
            idle=_battery(contact=True, battery_low=False),
            checks_in_min=120,
        ),
        Model(
            model="TS0203",
            vendor="Tuya",
            model_id="TS0203",
            description="Door/window sensor",
            key="contact",
            idle=_battery(contact=True, battery_low=False, tamper=False),
            checks_in_min=240,
        ),
        Model(
            model="TS0601_bed_presence_sensor",
            vendor="Tuya",
            model_id="TS0601",
            description="Bed presence sensor",
            key="work_state",
            idle={"battery": 100, "occupancy": False, "work_state": "none", "illuminance": 0},
        ),
        Model(
            model="C3007",
            vendor="Tuya",
            model_id="TS0215A",
            description="Pressure pad",
            key="pressure",
            idle=_battery(pressure=False, battery_low=False),
        ),
        Model(
            model="TS0215A_sos",
            vendor="Tuya",
            model_id="TS0215A",
            description="SOS button",
            key="action",
            idle=_battery(),
            checks_in_min=240,
            press="emergency",
        ),
        Model(
            model="HS1EB",
            vendor="Heiman",
            model_id="SOS-EM",
            description="Smart emergency button",
            key="action",
            idle={"battery": 100},
            checks_in_min=180,
            press="single",
        ),
        Model(
            model="SEB01ZB",
            vendor="Feibit",
            model_id="FB56-SKT17AC1.4",
            description="SOS button",
            key="sos",
            idle={"battery": 100, "battery_low": False, "sos": False, "tamper": False},
            checks_in_min=120,
        ),
        Model(
            model="HS1SA",
            vendor="Heiman",
            model_id="SMOK_V16",
            description="Smoke detector",
            key="smoke",
            idle={"battery": 100, "battery_low": False, "smoke": False, "test": False},
            checks_in_min=240,
        ),
        Model(
            model="WSDCGQ11LM",
            vendor="Aqara",
            model_id="lumi.weather",
            description="Temperature and humidity sensor",
            key="temperature",
            idle=_battery(temperature=20.5, humidity=45.2, pressure=1009.6),
        ),
        Model(
            model="TS011F_plug_1",
            vendor="Tuya",
            model_id="TS011F",
            description="Smart plug (with power monitoring)",
            key="power",
            idle={
                "state": "ON",
                "power": 0,
                "current": 0,
                "voltage": 231,
                "energy": 12.4,
                "child_lock": "UNLOCK",
            },
            mains=True,
            checks_in_min=4,
        ),
    )
}
"""Facts about makers' devices: keys as Zigbee2MQTT documents them. A new device is one more entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One sensor on a wall: what it is, where it hangs, what it is for."""

    sensor: Sensor
    model: Model
    topic: str  # what its hub calls it today: the friendly name, which may contain a slash

    @property
    def room(self) -> str:
        return self.sensor.room

    @property
    def role(self) -> Role:
        return self.sensor.role


Signal = tuple[int, int, Kind, float]
"""When (ms), which device (its place in the household's list), what, and how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One place on a wall in a flat, and what may hang there; a home chooses one of the models by its seed."""

    room: RoomKind
    role: Role
    zh: str
    models: tuple[str, ...]


_PIR = ("RTCGQ11LM", "SNZB-03", "TS0202")
_CONTACT = ("MCCGQ11LM", "SNZB-04", "TS0203")
_MATS = ("TS0601_bed_presence_sensor", "TS0203")  # many wire a plain contact to a mat under the mattress

PARTS: dict[str, Part] = {
    "entry/door": Part(room=RoomKind.HALL, role=Role.EXIT_DOOR, zh="门口/大门", models=_CONTACT),
    "entry/motion": Part(room=RoomKind.HALL, role=Role.MOTION, zh="门口/人体", models=_PIR),
    "living/motion": Part(room=RoomKind.LIVING, role=Role.MOTION, zh="客厅/人体", models=_PIR),
    "living/chair": Part(room=RoomKind.LIVING, role=Role.CHAIR, zh="客厅/座椅", models=("C3007",)),
    "living/climate": Part(room=RoomKind.LIVING, role=Role.CLIMATE, zh="客厅/温湿度", models=("WSDCGQ11LM",)),
    "kitchen/motion": Part(room=RoomKind.KITCHEN, role=Role.MOTION, zh="厨房/人体", models=_PIR),
    "kitchen/fridge": Part(room=RoomKind.KITCHEN, role=Role.OPENING, zh="厨房/冰箱", models=_CONTACT),
    "kitchen/kettle": Part(room=RoomKind.KITCHEN, role=Role.APPLIANCE, zh="厨房/水壶", models=("TS011F_plug_1",)),
    "sos/smoke": Part(room=RoomKind.KITCHEN, role=Role.SMOKE, zh="sos/厨房烟感", models=("HS1SA",)),
    "bathroom/motion": Part(room=RoomKind.BATHROOM, role=Role.MOTION, zh="卫生间/人体", models=_PIR),
    "bedroom/motion": Part(room=RoomKind.BEDROOM, role=Role.MOTION, zh="卧室/人体", models=_PIR),
    "bedroom/bed": Part(room=RoomKind.BEDROOM, role=Role.BED, zh="卧室/床垫", models=_MATS),
    "sos/bedside": Part(room=RoomKind.BEDROOM, role=Role.SOS, zh="sos/床头按钮", models=("TS0215A_sos", "HS1EB")),
    "sos/bathroom": Part(room=RoomKind.BATHROOM, role=Role.SOS, zh="sos/卫生间拉绳", models=("HS1EB", "SEB01ZB")),
}
"""The names are the friendly names given at installation: life-safety devices are named `sos/…`."""
