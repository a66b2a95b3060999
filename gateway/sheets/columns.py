"""The tables, their columns in both languages, and how a cell of each is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gateway.domain import (
    Ability,
    Answers,
    Duty,
    Hearing,
    Living,
    Monitoring,
    Position,
    Power,
    Reach,
    Relation,
    Risk,
    Role,
    RoomKind,
    Sex,
    Sight,
)
from gateway.domain.rota import EVERY_DAY
from gateway.refusals import HOURS, N_, PHONE, SHORTEST_SECRET, Sentence, is_zone
from gateway.sheets.words import choices, codes

E = TypeVar("E", bound=StrEnum)

STANDARD_ZONE = "Asia/Shanghai"


class WrongCell(Exception):
    """What stands in a cell cannot be; the sentence says what could."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.sentence = Sentence(text, tuple(values.items()))


def _text(cell: str) -> str:
    return cell


def _one_of(kind: type[E], empty: E | None = None) -> Callable[[str], E]:
    """Reads a code or its Chinese word; an empty cell is `empty`, where there is such a thing."""
    known = codes(kind)

    def read(cell: str) -> E:
        if not cell and empty is not None:
            return empty
        found = known.get(cell, known.get(cell.lower()))
        if found is None:
            raise WrongCell(N_("'{value}' is none of {choices}."), value=cell, choices=choices(kind))
        return kind(found)

    return read


def _state(cell: str) -> Monitoring | None:
    return _one_of(Monitoring)(cell) if cell else None


def _position(cell: str) -> Position | None:
    try:
        return Position.read(cell)
    except ValueError:
        text = N_("'{value}' is no position; it looks like 30.25741, 120.20511: latitude, longitude.")
        raise WrongCell(text, value=cell) from None


def _whole(cell: str) -> int | None:
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", cell):
        raise WrongCell(N_("'{value}' is no whole number."), value=cell)
    return int(cell)


def _yes(cell: str) -> bool:
    if cell.lower() in ("是", "yes", "true", "1"):
        return True
    if cell.lower() in ("", "否", "no", "false", "0"):
        return False
    raise WrongCell(N_("'{value}' is neither yes (是) nor no (否)."), value=cell)


def _zone(cell: str) -> ZoneInfo:
    if not cell:
        return ZoneInfo(STANDARD_ZONE)
    if not is_zone(cell):
        raise WrongCell(N_("'{value}' is no time zone; Asia/Shanghai is one."), value=cell)
    return ZoneInfo(cell)


def _interval(cell: str) -> timedelta | None:
    seconds = _whole(cell)
    return timedelta(seconds=60) if seconds is None else timedelta(seconds=seconds) if seconds else None


_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"  # as we write it, and as a spreadsheet makes of it
    r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?)?(Z|[+-]\d{2}:\d{2})?"
)


def _moment(cell: str) -> tuple[datetime, bool] | None:
    """A moment, and whether it names its zone; else it is meant where the home is."""
    if not cell:
        return None
    if match := _MOMENT.fullmatch(cell):
        year, month, day, hour, minute, second, part, zone = match.groups()
        text = f"{year}-{int(month):02}-{int(day):02}T{int(hour or 0):02}:{minute or '00'}:{second or '00'}"
        try:
            return datetime.fromisoformat(f"{text}{part or ''}{zone or '+00:00'}"), bool(zone)
        except ValueError:
            pass
    raise WrongCell(N_("'{value}' is no date; 2026-03-15 and 2026-03-15 08:30 are."), value=cell)


def _day(cell: str) -> date | None:
    read = _moment(cell)
    if read is not None and not re.search(r"[ T:]", cell):
        return read[0].date()
    if read is not None:
        raise WrongCell(N_("'{value}' is more than a day; 2026-03-15 is one."), value=cell)
    return None


def _leave_end(cell: str) -> tuple[datetime, bool] | None:
    """The end of a leave: a day alone is its last one."""
    read = _moment(cell)
    if read is None or re.search(r"[ T:]", cell):
        return read
    return read[0] + timedelta(days=1), read[1]


def _clock(cell: str) -> time:
    if match := re.fullmatch(r"([01]?[0-9]|2[0-3])[:：]([0-5][0-9])", cell):
        return time(int(match[1]), int(match[2]))
    raise WrongCell(N_("'{value}' is no time of day; 08:00 and 22:30 are."), value=cell)


_WEEKDAYS = {
    "每天": EVERY_DAY,
    "daily": EVERY_DAY,
    "工作日": "12345",
    "workdays": "12345",
    "周末": "67",
    "weekend": "67",
}
_ZH_WEEKDAYS = str.maketrans("一二三四五六日天", "12345677")


def weekdays(cell: str) -> str:
    """`12345`, `一三五`, `工作日`: the weekdays in their order; nothing is every day."""
    if cell.lower() in _WEEKDAYS:
        return _WEEKDAYS[cell.lower()]
    digits = re.sub(r"[\s,，、;；]|周|星期", "", cell).translate(_ZH_WEEKDAYS)
    if re.fullmatch(r"[1-7]{0,7}", digits):
        return "".join(sorted(set(digits))) or EVERY_DAY
    raise WrongCell(
        N_("'{value}' are no weekdays; 12345, 一三五, 工作日 and 周末 are, and nothing is every day."), value=cell
    )


def _counts_as(cell: str) -> int:
    found = weekdays(cell) if cell else "7"
    if len(found) == 1:
        return int(found)
    raise WrongCell(N_("A day counts as one weekday: 7 (日) for a holiday, 1 (一) for a Saturday that is worked."))


def _several(cell: str, separator: str = r"[;；\n]") -> list[str]:
    return [part.strip() for part in re.split(separator, cell) if part.strip()]


def _phones(cell: str) -> tuple[str, ...]:
    numbers = tuple(_several(cell, r"[;；,，、\n]"))
    for number in numbers:
        if not PHONE.fullmatch(number):
            text = N_("'{number}' is no telephone number; it looks like 13800001111 or 0571-88880000.")
            raise WrongCell(text, number=number)
    return numbers


def _duties(cell: str) -> tuple[tuple[Duty, str], ...]:
    """`grid_worker g-01; deputy g-02`: a duty without a grid is for every grid."""
    parts = [part.partition(" ") for part in _several(cell)]
    return tuple((_one_of(Duty)(duty), grid.strip()) for duty, _, grid in parts)


def _reaches(cell: str) -> tuple[Reach, ...]:
    """`webhook https://example.org/x; console`. An address may hold a semicolon, but none before a space."""
    reaches = []
    for part in _several(cell, r";\s|;$|；|\n"):
        minutes, way = waits(part)
        channel, _, address = way.partition(" ")
        if not re.fullmatch(r"[a-z0-9_-]{1,32}", channel):
            raise WrongCell(
                N_("'{value}' is no way to reach somebody; 'console' and 'webhook https://…' are."), value=part
            )
        reaches.append(Reach(channel=channel, address=address.strip(), after=minutes))
    return tuple(reaches)


def waits(way: str) -> tuple[timedelta, str]:
    """`+5 tencent_sms 13800138000`: five minutes after the first way, and the way itself."""
    found = re.match(r"\+(\d{1,2})\s+", way)
    return (timedelta(minutes=int(found[1])), way[found.end() :]) if found else (timedelta(0), way)


def _hours(cell: str) -> str:
    if cell and not HOURS.fullmatch(cell):
        raise WrongCell(N_("'{hours}' are no hours; they look like 08:00-22:00, or are empty."), hours=cell)
    return cell


def _secret(cell: str) -> str:
    if cell and len(cell) < SHORTEST_SECRET:
        text = N_("The secret is too short; at least {least} characters (128 bit).")
        raise WrongCell(text, least=SHORTEST_SECRET)
    return cell


def _language(cell: str) -> str:
    if cell not in ("", "zh", "en"):
        raise WrongCell(N_("'{value}' is none of {choices}."), value=cell, choices="zh, en")
    return cell or "zh"


def _address(cell: str) -> str:
    return cell.lower() if re.fullmatch(r"0[xX][0-9a-fA-F]{16}", cell) else cell


# --------------------------------------------------------------------------- the tables


@dataclass(frozen=True)
class Column:
    name: str
    zh: str
    read: Callable[[str], Any] = _text
    needed: bool = False  # a new row cannot do without it
    shown: bool = True  # False: read, and never written out


@dataclass(frozen=True)
class Table:
    name: str
    zh: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    comes_as: str = ""  # its key inside a home in TOML, where it has one

    def column(self, header: str) -> Column | None:
        wanted = header.strip().lower()
        return next((c for c in self.columns if wanted in (c.name, c.zh)), None)

    def headers(self, language: str) -> list[str]:
        return [c.zh if language == "zh" else c.name for c in self.columns if c.shown]


_HOME = Column("home", "住户", needed=True)
TABLES = {
    table.name: table
    for table in (
        Table(
            "areas",
            "行政区划",
            (
                Column("code", "代码", needed=True),
                Column("name", "名称", needed=True),
                Column("level", "层级", needed=True),
                Column("parent", "上级"),
            ),
            ("code",),
        ),
        Table(
            "grids",
            "网格",
            (Column("code", "编号", needed=True), Column("name", "名称", needed=True), Column("community", "社区")),
            ("code",),
        ),
        Table(
            "people",
            "人员",
            (
                Column("id", "编号", needed=True),
                Column("name", "姓名", needed=True),
                Column("language", "语言", _language),
                Column("phones", "电话", _phones),
                Column("duties", "职责", _duties),
                Column("reaches", "通知方式", _reaches, shown=False),  # addresses of webhooks are secrets
            ),
            ("id",),
        ),
        Table(
            "homes",
            "住户",
            (
                Column("id", "编号", needed=True),
                Column("code", "户号"),
                Column("name", "名称", needed=True),
                Column("grid", "网格", needed=True),
                Column("zone", "时区", _zone),
                Column("state", "状态", _state),
                Column("why", "原因"),
                Column("trial_until", "试运行至", _moment),
                Column("address", "地址"),
                Column("access", "入户方式"),
                Column("position", "坐标", _position),
                Column("person", "老人"),
            ),
            ("id",),
        ),
        Table(
            "rooms",
            "房间",
            (
                _HOME,
                Column("id", "编号", needed=True),
                Column("name", "名称", needed=True),
                Column("kind", "类型", _one_of(RoomKind, RoomKind.OTHER)),
            ),
            ("home", "id"),
            "rooms",
        ),
        Table(
            "hubs",
            "网关",
            (
                _HOME,
                Column("id", "编号", needed=True),
                Column("interval_s", "心跳秒数", _interval),
                Column("secret", "密钥", _secret, shown=False),
            ),
            ("home", "id"),
            "hubs",
        ),
        Table(
            "devices",
            "设备",
            (
                _HOME,
                Column("id", "编号", needed=True),
                Column("name", "名称", needed=True),
                Column("room", "房间", needed=True),
                Column("role", "用途", _one_of(Role), needed=True),
                Column("hub", "网关"),
                Column("address", "地址", _address, needed=True),
                Column("subject", "对象"),
                Column("inverted", "反向", _yes),
                Column("model", "型号"),
                Column("power", "供电", _one_of(Power, Power.UNKNOWN)),
            ),
            ("home", "id"),
            "sensors",
        ),
        Table(
            "profiles",
            "老人档案",
            (
                Column("person", "人员", needed=True),
                Column("birth_year", "出生年份", _whole),
                Column("sex", "性别", _one_of(Sex, Sex.UNKNOWN)),
                Column("living", "居住类型", _one_of(Living, Living.UNKNOWN)),
                Column("ability", "能力等级", _one_of(Ability, Ability.UNKNOWN)),
                Column("risk", "风险等级", _one_of(Risk, Risk.UNKNOWN)),
                Column("conditions", "病史"),
                Column("dialect", "方言"),
                Column("hearing", "听力", _one_of(Hearing, Hearing.UNKNOWN)),
                Column("answers_by", "应答方式", _one_of(Answers, Answers.NONE)),
                Column("hospital", "就医医院"),
                Column("dementia", "认知障碍", _yes),
            ),
            ("person",),
        ),
        Table(
            "contacts",
            "联系人",
            (
                _HOME,
                Column("person", "人员", needed=True),
                Column("relation", "关系", _one_of(Relation), needed=True),
                Column("hours", "可联系时段", _hours),
                Column("may_see", "可见范围", _one_of(Sight, Sight.NOTHING)),
            ),
            ("home", "person", "relation"),
            "contacts",
        ),
        Table(
            "shifts",
            "值班表",
            (
                Column("place", "网格或区域", needed=True),
                Column("duty", "职责", _one_of(Duty), needed=True),
                Column("person", "人员", needed=True),
                Column("weekdays", "星期", weekdays),
                Column("begins", "开始", _clock, needed=True),
                Column("ends", "结束", _clock, needed=True),
                Column("first", "首日", _day, needed=True),
                Column("last", "末日", _day),
                Column("zone", "时区", _zone),
                Column("swap_of", "代替班次"),
            ),
            ("place", "duty", "person", "first", "begins", "ends", "weekdays", "swap_of"),
        ),
        Table(
            "holidays",
            "节假日",
            (
                Column("place", "网格或区域"),
                Column("day", "日期", _day, needed=True),
                Column("counts_as", "按星期", _counts_as),
                Column("name", "名称"),
            ),
            ("place", "day"),
        ),
        Table(
            "leaves",
            "请假",
            (
                Column("person", "人员", needed=True),
                Column("since", "开始", _moment, needed=True),
                Column("until", "结束", _leave_end, needed=True),
                Column("reason", "原因"),
            ),
            ("person", "since"),
        ),
    )
}

ROTA = ("shifts", "holidays", "leaves")
"""The tables that say who works when."""
"""In the order in which they build upon each other; each is a file of its own in CSV."""
