"""The household, what hangs on its walls, and the people around it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """行政区划: codes are strings with a validity (GB/T 2260 to county, 12-digit statistical codes below)."""

    code: str
    name: str
    level: str  # city, district, street, community: the depth is data
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """网格: the smallest area somebody answers for."""

    code: str
    name: str
    community: str  # an area's code


class RoomKind(StrEnum):
    BEDROOM = "bedroom"
    BATHROOM = "bathroom"
    KITCHEN = "kitchen"
    LIVING = "living"
    HALL = "hall"
    OTHER = "other"


class Role(StrEnum):
    """What a sensor is *for* in this home; set by whoever installs it."""

    MOTION = "motion"
    PRESENCE = "presence"
    EXIT_DOOR = "exit_door"
    OPENING = "opening"
    BED = "bed"
    CHAIR = "chair"
    APPLIANCE = "appliance"
    TAP = "tap"
    BUTTON = "button"
    SOS = "sos"  # emergency button or pull cord
    SMOKE = "smoke"
    GAS = "gas"
    CO = "co"
    LEAK = "leak"
    FALL = "fall"
    CLIMATE = "climate"
    WATER_METER = "water_meter"
    VITALS = "vitals"  # cuff, oximeter, glucose meter, scales, fever thermometer

    @property
    def is_life_safety(self) -> bool:
        return self in {Role.SOS, Role.SMOKE, Role.GAS, Role.CO, Role.LEAK, Role.FALL}


class Monitoring(StrEnum):
    """Where a household stands: 建档, 试运行, 守护中, 暂停, 停用."""

    REGISTERED = "registered"
    TRIAL = "trial"
    GUARDED = "guarded"
    PAUSED = "paused"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    id: str
    name: str
    kind: RoomKind = RoomKind.OTHER


class Power(StrEnum):
    """What a device lives on: it says how long its silence may last."""

    UNKNOWN = ""
    BATTERY = "battery"
    MAINS = "mains"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A registered device. `address` is what its hub calls it for good: the IEEE address, or the plain topic's name."""

    id: str
    hub: str
    address: str
    name: str
    room: str
    role: Role
    subject: str = ""
    inverted: bool = False  # wired the other way round, e.g. a bed mat that *opens* its contact when lain on
    model: str = ""  # what its hub calls the product, e.g. "SNZB-03P"
    power: Power = Power.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """The box in the home that speaks MQTT. Topics name its opaque id; the registry says whose home it is in."""

    id: str
    home: str
    interval: timedelta | None = timedelta(seconds=60)
    """How often it promises to be heard; None promises nothing (a recording), and such a home never freezes."""


_NUMBERS = re.compile(r"(-?\d{1,2}(?:\.\d+)?)[\s,，;；、]+(-?\d{1,3}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a household is, in degrees as satellites and telephones give them (WGS-84).

    Chinese maps show everything some hundred metres off (GCJ-02): what is copied from them is not this.
    """

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(f"no such place on earth: {self.latitude}, {self.longitude}")

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """As people copy it: latitude, longitude; None of an empty text. ValueError: that is no position."""
        if not text.strip():
            return None
        numbers = _NUMBERS.fullmatch(text.strip())
        if numbers is None:
            raise ValueError(f"'{text}' is no position; it looks like 30.25741, 120.20511: latitude, longitude")
        return cls(round(float(numbers[1]), 5), round(float(numbers[2]), 5))

    def __str__(self) -> str:
        return f"{self.latitude:.5f}, {self.longitude:.5f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A household as the detectors and the ladder see it."""

    id: str
    code: str  # 户号: short, may stand on a lock screen
    name: str  # 王奶奶
    grid: str
    zone: ZoneInfo
    state: Monitoring = Monitoring.GUARDED
    rooms: tuple[Room, ...] = ()
    hubs: tuple[Hub, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    address: str = ""
    access: str = ""  # how to get in: key holder, lock
    person: str = ""  # the resident, where there is one
    trial_until: datetime | None = None  # the learning period's end: shown wherever the home is
    position: Position | None = None  # for the map; nobody has to know it

    def room(self, room: str) -> Room | None:
        return next((r for r in self.rooms if r.id == room), None)

    @property
    def interval(self) -> timedelta | None:
        """The longest promise among its hubs, or None when one of them promises nothing."""
        promises = [hub.interval for hub in self.hubs]
        if not promises or None in promises:
            return None
        return max(p for p in promises if p is not None)

    @property
    def exit_doors(self) -> frozenset[str]:
        return frozenset(s.id for s in self.sensors if s.role is Role.EXIT_DOOR)


GRID = "grid:"


def grid_as_home(grid: Grid | Area, zone: ZoneInfo) -> Home:
    """What concerns a whole grid or area is told to people as if it were a household: an alert has a home, and a home
    its clock and its people. Its id can be no household's."""
    return Home(id=f"{GRID}{grid.code}", code=grid.code, name=grid.name or grid.code, grid=grid.code, zone=zone)


class Duty(StrEnum):
    """For what a person can be called; a rung of a ladder names one or more of these.

    Some are posts that somebody is assigned to; who the resident, the family and the key holders are stands with the
    household, and who sits at the desk of a community, a street or a district with the area.
    """

    ELDER = "elder"  # 老人本人: asked, never paged
    FAMILY = "family"  # 家属
    GRID_WORKER = "grid_worker"  # 网格员
    DEPUTY = "deputy"  # 副手/备班
    KEY_HOLDER = "key_holder"  # 钥匙保管人/邻居/物业
    NIGHT_POOL = "night_pool"  # 夜间值守: street desk, hotline, property guards
    SUPERVISOR = "supervisor"  # 社区/街道负责人
    COMMUNITY = "community"  # 社区/居委会值班
    STREET = "street"  # 街道值班 (一网统管)
    DISTRICT = "district"  # 区县值班
    FIRE_STATION = "fire_station"  # 微型消防站
    DOCTOR = "doctor"  # 家庭医生
    MEDICAL = "medical"  # 就医联系人
    VOLUNTEER = "volunteer"  # 志愿者: learns address and task, nothing else
    INSTALLER = "installer"  # 安装/运维
    ADMIN = "admin"  # 系统管理员


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One way to reach a person: a channel's name and the address it needs.

    `after` puts it in a row behind the ways before it: what is not urgent (severity 3 to 5) goes by it only when
    nothing has come back from them for that long. What is urgent goes by every way at once.
    """

    channel: str
    address: str = ""
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may be told. One person may be daughter and grid worker: duties are rows, not a type."""

    id: str
    name: str
    language: str = "zh"
    reaches: tuple[Reach, ...] = ()
