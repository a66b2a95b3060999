"""一户一案: what holds for one household, its grid or its areas, from when to when, by whose word and why.

Limits, rules that are switched off, absences, expected visits and silences are one kind of thing: a dated line. A line
is only ever written forward. It begins no earlier than it is written and ends no earlier than it is ended, so that
what held at a moment is the same whenever it is asked, by what lived through it and by what replays it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.domain.almanac import year_of


def N_(text: str) -> str:  # noqa: N802 (gettext's own name, which the extraction looks for)
    """Marks a text for the catalogue of the pages."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One line of a plan: from, to, who said so and why. `until` None is open-ended.

    It holds for one household, or for all of a grid, or for all of an area: exactly one of them is named.
    """

    home: str = ""
    grid: str = ""
    area: str = ""
    key: str
    value: str
    since: datetime
    until: datetime | None
    author: str
    reason: str

    def __post_init__(self) -> None:
        if sum(map(bool, (self.home, self.grid, self.area))) != 1:
            raise ValueError(f"the line {self.key!r} holds for one home, grid or area; exactly one must be named")

    @property
    def place(self) -> str:
        return self.home or self.grid or self.area

    @property
    def scope(self) -> "Scope":
        return Scope.HOME if self.home else Scope.GRID if self.grid else Scope.AREA

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class Scope(StrEnum):
    HOME = "home"
    GRID = "grid"
    AREA = "area"


OFF, YES, NO = "off", "yes", "no"

ABSENCE, VISIT, SILENCE, QUIET = "absence", "visit", "silence", "quiet"
VISIT_DUE, VISIT_ON = "visit_due", "visit_on"
DEMENTIA, RISK, SECOND_PERSON, PET = "dementia", "risk", "second_person", "pet"
FESTIVALS, HEATING = "festivals", "heating"

BY_ALMANAC = "almanac"
"""The reason of a line that nobody wrote: it is so in this province, until somebody says otherwise."""

NOT_SHOWN = "not_shown"
"""The key of a line by which a resident is not shown to the family for a while. Only they themselves say it."""

UNUSUAL = "unusual"
"""In a plan at a moment: why this time teaches nothing of what is usual. Nobody writes it, it follows from the rest."""

NEVER_HELD = frozenset({"sos", "smoke", "gas", "co"})
"""Nothing holds these back, makes them milder or switches them off: no silence, no quiet hours, no plan."""

ALWAYS_ON = NEVER_HELD | {"home_silent", "detector_failed", "no_responder"}
"""What tells that nothing else could be told is not switched off either."""

STAYS = timedelta(days=60)
"""A second person or a pet with an end nearer than this is a visitor, who teaches nothing. Who stays is usual."""

CHANGE_OF_SEASON = timedelta(days=7)
"""So long after the heating begins or ends a home lives otherwise than it did."""


WORDED = (VISIT, SECOND_PERSON, PET)
"""What whoever reads an alert has to know of a home, because it may be the cause."""


class Absence(StrEnum):
    """Where somebody is who is not at home: 外出, 住院, 探亲."""

    HOLIDAY = "holiday"
    HOSPITAL = "hospital"
    FAMILY = "family"


# --------------------------------------------------------------------------- what can be said


class Unit(StrEnum):
    """How a value is written."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    COUNT = "count"
    LITRES = "litres"
    DEGREES = "degrees"
    NUMBER = "number"
    CLOCK = "clock"  # 22:30
    HOURS_OF_DAY = "hours_of_day"  # 22:00-07:00
    VISIT = "visit"  # 09:00-11:00, mon,wed 09:00-11:00
    SEASON = "season"  # 11-15..03-15
    LIMITS = "limits"  # 100..150, 88.., ..150
    SEVERITY = "severity"  # 1 to 5
    YES_NO = "yes_no"
    YES = "yes"
    ABSENCE = "absence_kind"
    SWITCH = "switch"  # nothing but off
    TEXT = "text"  # a few words, as they are
    CODES = "codes"  # codes of alerts, or nothing: all that it may cover


NUMBERS = frozenset(
    {Unit.MINUTES, Unit.HOURS, Unit.DAYS, Unit.COUNT, Unit.LITRES, Unit.DEGREES, Unit.NUMBER, Unit.SEVERITY}
)


UNIT_WORDS: Mapping[Unit, str] = {
    Unit.MINUTES: N_("minutes"),
    Unit.HOURS: N_("hours"),
    Unit.DAYS: N_("days"),
    Unit.COUNT: N_("a whole number"),
    Unit.LITRES: N_("litres"),
    Unit.DEGREES: N_("degrees Celsius"),
    Unit.NUMBER: N_("a number"),
    Unit.CLOCK: N_("a time of day such as 22:30"),
    Unit.HOURS_OF_DAY: N_("hours such as 22:00-07:00"),
    Unit.SEASON: N_("days such as 11-15..03-15"),
    Unit.LIMITS: N_("limits such as 100..150"),
    Unit.SEVERITY: N_("1 to 5"),
    Unit.YES_NO: N_("yes or no"),
    Unit.YES: N_("yes"),
    Unit.SWITCH: N_("off"),
    Unit.TEXT: N_("a few words"),
}
"""How a value is written, for whoever writes one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a plan can say: how it is written, between what limits, and in words what it means."""

    key: str
    unit: Unit
    words: str
    low: float = 0
    high: float = 0
    can_be_off: bool = False
    only_home: bool = False
    needs_end: bool = False
    is_listed: bool = True  # may be set by hand; the rest has a use-case of its own


def _rule(code: str, words: str, unit: Unit = Unit.SWITCH, low: float = 0, high: float = 0) -> Setting:
    """The limit of a rule by the code of its alert: in force as it stands, without regard to habit; or off."""
    return Setting(code, unit, words, low, high, can_be_off=True)


_M, _H, _D, _C = Unit.MINUTES, Unit.HOURS, Unit.DAYS, Unit.CLOCK

SETTINGS: tuple[Setting, ...] = (
    # rules, by the code of the alert
    _rule("inactivity", N_("No activity: watched or not")),
    _rule("not_returned", N_("Not returned: watched or not")),
    _rule("entered_no_motion", N_("Came in, no movement: watched or not")),
    _rule("bath_dwell", N_("In the bathroom no longer than"), _M, 10, 360),
    _rule("bed_no_return", N_("Back in bed within"), _M, 10, 360),
    _rule("not_up", N_("Up by"), _C),
    _rule("night_exit", N_("Out at night no longer than"), _M, 1, 240),
    _rule("wandering", N_("Changes of room in half an hour at night, at most"), Unit.COUNT, 4, 40),
    _rule("door_open", N_("Front door open no longer than"), _M, 1, 720),
    _rule("door_not_used", N_("Front door used within"), _M, 24 * 60, 60 * 24 * 60),
    _rule("room_cold", N_("No room colder than"), Unit.DEGREES, -10, 25),
    _rule("room_hot", N_("No room hotter than"), Unit.DEGREES, 25, 50),
    _rule("water_low", N_("Water used in a day, at least"), Unit.LITRES, 0.1, 500),
    _rule("water_high", N_("Water used in a day, at most"), Unit.LITRES, 100, 20_000),
    _rule("water_trickle", N_("Water never stops: watched or not")),
    _rule("vital", N_("Measurements: watched or not")),
    _rule("vital.systolic", N_("Blood pressure, upper value"), Unit.LIMITS, 50, 260),
    _rule("vital.diastolic", N_("Blood pressure, lower value"), Unit.LIMITS, 30, 160),
    _rule("vital.heart_rate", N_("Heart rate"), Unit.LIMITS, 30, 220),
    _rule("vital.spo2", N_("Oxygen saturation"), Unit.LIMITS, 50, 100),
    _rule("vital.glucose", N_("Blood sugar"), Unit.LIMITS, 1, 40),
    _rule("vital.weight", N_("Weight"), Unit.LIMITS, 20, 250),
    _rule("vital.body_temperature", N_("Body temperature"), Unit.LIMITS, 30, 43),
    _rule("trend_note", N_("Change of habits: watched or not")),
    _rule("fall", N_("Possible fall: watched or not")),
    _rule("leak", N_("Water leak: watched or not")),
    _rule("assist", N_("Call for assistance: watched or not")),
    # who lives there
    Setting(SECOND_PERSON, Unit.YES, N_("A second person lives here"), only_home=True),
    Setting(PET, Unit.YES, N_("A pet lives here"), only_home=True),
    Setting("housebound", Unit.YES, N_("Does not leave the home"), only_home=True),
    Setting(FESTIVALS, Unit.YES_NO, N_("The long holidays are not learnt from")),
    Setting(HEATING, Unit.SEASON, N_("Heated from, and to"), can_be_off=True),
    # the limits from which habits are learnt, and the times between which they hold
    Setting("inactivity.by_day", _H, N_("No activity by day, at least"), 1, 24),
    Setting("inactivity.at_any_time", _H, N_("No activity at any time, at least"), 1, 48),
    Setting("inactivity.day_begins", _C, N_("No activity: the day begins")),
    Setting("inactivity.day_ends", _C, N_("No activity: the day ends")),
    Setting("inactivity.budget", Unit.NUMBER, N_("No activity: alerts in thirty quiet days"), 0.1, 10),
    Setting("inactivity.learns", Unit.YES_NO, N_("No activity: limits are learnt")),
    Setting("away.shortest", _H, N_("Out, at least"), 1, 72),
    Setting("away.longest", _H, N_("Out, at most"), 1, 240),
    Setting("away.by_night", _M, N_("Out at an hour that is not usual, at most"), 5, 720),
    Setting("entered.within", _M, N_("Seen inside after coming in, within"), 3, 240),
    Setting("room.limit", _M, N_("Bathroom, at least"), 10, 360),
    Setting("room.bathing", _M, N_("Bathroom at the bathing hour, at least"), 10, 360),
    Setting("room.bathing_begins", _C, N_("Bathing hour begins")),
    Setting("room.bathing_ends", _C, N_("Bathing hour ends")),
    Setting("room.day_begins", _C, N_("Bathroom: the day begins")),
    Setting("room.day_ends", _C, N_("Bathroom: the day ends")),
    Setting("room.at_most", _M, N_("Bathroom, at most"), 30, 720),
    Setting("bed.back_within", _M, N_("Back in bed, at least"), 10, 360),
    Setting("bed.about_within", _M, N_("Back in bed while seen about, at least"), 10, 720),
    Setting("bed.at_most", _M, N_("Back in bed, at most"), 30, 720),
    Setting("bed.night_begins", _C, N_("Bed: the night begins")),
    Setting("bed.night_ends", _C, N_("Bed: the night ends")),
    Setting("bed.dawn", _C, N_("Bed: getting up counts from")),
    Setting("bed.earliest", _C, N_("Not up: told no earlier than")),
    Setting("bed.margin", _M, N_("Not up: later than usual by"), 5, 360),
    Setting("bed.in_bed", _H, N_("In bed, at most"), 4, 48),
    Setting("night.begins", _C, N_("Out at night: the night begins")),
    Setting("night.ends", _C, N_("Out at night: the night ends")),
    Setting("night.back_within", _M, N_("Out at night, at most"), 1, 240),
    Setting("night.changes", Unit.COUNT, N_("Changes of room in half an hour, at least"), 4, 40),
    Setting("doors.open_by_day", _M, N_("Front door open by day, at least"), 1, 720),
    Setting("doors.open_by_night", _M, N_("Front door open by night, at most"), 1, 240),
    Setting("doors.night_begins", _C, N_("Front door: the night begins")),
    Setting("doors.night_ends", _C, N_("Front door: the night ends")),
    Setting("doors.not_used", _H, N_("Front door not used, at least"), 24, 720),
    Setting("doors.margin", _H, N_("Front door not used: longer than usual by"), 1, 240),
    Setting("doors.at_most", _D, N_("Front door not used, at most"), 2, 60),
    Setting("environment.heated", Unit.YES_NO, N_("The home is heated")),
    Setting("environment.cold", Unit.DEGREES, N_("A room is too cold below"), -10, 25),
    Setting("environment.hot", Unit.DEGREES, N_("A room is too hot above"), 25, 50),
    Setting("environment.lasts", _H, N_("A room is too cold or too hot for"), 0.5, 48),
    Setting("water.too_little", Unit.LITRES, N_("Too little water is less than"), 0.1, 500),
    Setting("water.waking_hours", _H, N_("Too little water within waking hours of"), 4, 48),
    Setting("water.too_much", Unit.LITRES, N_("Too much water is more than"), 100, 20_000),
    Setting("water.day_begins", _C, N_("Water: the day begins")),
    Setting("water.day_ends", _C, N_("Water: the day ends")),
    Setting("vitals.again", _H, N_("A measurement is told again after"), 1, 240),
    Setting("fall.together", _M, N_("A fall: two sources agree within"), 0.5, 10),
    Setting("fall.confirm", _M, N_("A fall: the resident is asked, for"), 0, 5),
    Setting("fall.still_for", _M, N_("A fall: keeps still afterwards for"), 0.2, 10),
    Setting("fall.unrecovered", _M, N_("A fall: not up again within"), 0.5, 30),
    Setting(
        "fall.threshold",
        Unit.COUNT,
        N_("A fall: how sure in percent a wearable has to be; 0: as its model says"),
        0,
        100,
    ),
    Setting("supervision.warn_before_empty", _D, N_("Battery: told so long before it is empty"), 7, 180),
    # how long it is quiet for whom
    Setting(QUIET, Unit.HOURS_OF_DAY, N_("Quiet hours: what can wait comes in one message afterwards")),
    # how often somebody goes there without being called
    _rule(VISIT_DUE, N_("Somebody visits every"), _D, 1, 365),
    Setting(VISIT_ON, Unit.YES, N_("A visit on the day from which this holds"), only_home=True),
    # what stands on the emergency card
    Setting("card.police", Unit.TEXT, N_("Police post, with its number")),
    Setting("card.two_people", Unit.YES, N_("Never alone: two people go in")),
    # what has a use-case of its own
    Setting(ABSENCE, Unit.ABSENCE, N_("Not at home"), only_home=True, needs_end=True, is_listed=False),
    Setting(VISIT, Unit.VISIT, N_("Somebody is expected"), only_home=True, is_listed=False),
    Setting(SILENCE, Unit.CODES, N_("Silenced"), needs_end=True, is_listed=False),
    Setting(DEMENTIA, Unit.YES, N_("May lose the way"), only_home=True, is_listed=False),
    Setting(RISK, Unit.YES, N_("High risk"), only_home=True, is_listed=False),
)
"""Everything that a plan can say. A row here is all that a new one needs to be written, checked and shown."""

OF_AN_ALERT: Mapping[str, Setting] = {
    "severity": Setting("severity", Unit.SEVERITY, N_("How bad it is: 1 the worst, 5 equipment"), 1, 5),
    "confirm": Setting("confirm", _M, N_("The resident is asked first, for"), 0, 60),
    "ack": Setting("ack", _M, N_("Accepted within"), 0.5, 7 * 24 * 60),
    "site": Setting("site", _M, N_("Somebody there within"), 5, 7 * 24 * 60),
    "remind": Setting("remind", _M, N_("Accepted and not on the way: asked again after"), 1, 7 * 24 * 60),
    "lapse": Setting("lapse", _M, N_("Accepted and not on the way: called out again after"), 2, 7 * 24 * 60),
    **{
        f"wait{n}": Setting(f"wait{n}", _M, N_("So long before the next rung of the ladder"), 0, 7 * 24 * 60)
        for n in range(1, 10)
    },
}
"""What can be said of each alert of the catalogue, as `<code>.<name>`."""

LONGEST_WORDS = 120

URGENT_WAIT_AT_MOST = 10
"""Minutes that any rung may wait of what is never held back."""

_SETTINGS = {setting.key: setting for setting in SETTINGS}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,3})?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LIMITS = re.compile(r"(\d{1,4}(?:\.\d{1,2})?)?\.\.(\d{1,4}(?:\.\d{1,2})?)?")
_SEASON = re.compile(r"(\d\d-\d\d)\.\.(\d\d-\d\d)")


class Nonsense(ValueError):
    """What cannot stand in a plan: a sentence with names in it, to be filled in by whoever says it in a language."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text.format(**values))
        self.text = text
        self.values = values


def setting_of(key: str, codes: Iterable[str] = ()) -> Setting:
    """The row of the table that a key means; refused with what would be right where there is none.

    `codes` are those of the catalogue; without any, every code is taken for known.
    """
    plain, _, number = key.partition("/")  # vital.spo2/p-2: of one person; visit/2: the second of its kind
    if plain in _SETTINGS and (not number or plain == VISIT or plain.startswith("vital.")):
        return _SETTINGS[plain]
    code, _, name = key.partition(".")
    known = set(codes)
    if code and name in OF_AN_ALERT and (not known or code in known):
        return OF_AN_ALERT[name]
    if known and key in known and key not in ALWAYS_ON:
        return Setting(key, Unit.SWITCH, N_("Watched or not"), can_be_off=True)
    if key in ALWAYS_ON:
        raise Nonsense(N_("'{key}' is never switched off."), key=key)
    raise Nonsense(
        N_("A plan knows no '{key}'; it knows rules such as {some}, and numbers of an alert such as {numbers}."),
        key=key,
        some="bath_dwell, night_exit, inactivity.by_day",
        numbers="bath_dwell.ack, bath_dwell.severity",
    )


def understood(key: str, value: str, codes: Iterable[str] = ()) -> str:
    """The value as it is kept; refused in a sentence where it is none."""
    setting, value = setting_of(key, codes), " ".join(value.split())
    if setting.unit is Unit.TEXT:
        if not 0 < len(value) <= LONGEST_WORDS:
            raise Nonsense(N_("'{key}' is a few words, at most {most} characters."), key=key, most=str(LONGEST_WORDS))
        return value
    value = value.lower()
    code, _, name = key.partition(".")
    if code in NEVER_HELD and name:
        _never_milder(key, name, value)
    if value == OFF:
        if not setting.can_be_off:
            raise Nonsense(N_("'{key}' cannot be switched off."), key=key)
        return value
    unit = setting.unit
    if unit in NUMBERS:
        return _number(key, setting, value)
    if unit is Unit.CLOCK and not _CLOCK.fullmatch(value):
        raise Nonsense(N_("'{key}' is a time of day such as 22:30, not '{value}'."), key=key, value=value)
    if unit in (Unit.HOURS_OF_DAY, Unit.VISIT):
        window_of(key, value)
    elif unit is Unit.SEASON:
        _season(key, value)
    elif unit is Unit.LIMITS:
        _limits(key, setting, value)
    elif unit is Unit.CODES:
        return _codes(value, codes)
    words = {
        Unit.YES_NO: (YES, NO),
        Unit.YES: (YES,),
        Unit.ABSENCE: tuple(Absence),
        Unit.SWITCH: (OFF,),
    }.get(unit)
    if words is not None and value not in words:
        raise Nonsense(N_("'{key}' is one of {words}, not '{value}'."), key=key, words=", ".join(words), value=value)
    return value


def _number(key: str, setting: Setting, value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise Nonsense(
            N_("'{key}' is a number from {low} to {high} ({unit}), not '{value}'."),
            key=key,
            low=f"{setting.low:g}",
            high=f"{setting.high:g}",
            unit=UNIT_WORDS[setting.unit],
            value=value,
        )
    number = float(value)
    is_whole = setting.unit in (Unit.COUNT, Unit.SEVERITY) or (setting.unit is Unit.MINUTES and "." not in key)
    if not setting.low <= number <= setting.high or (is_whole and number != int(number)):
        raise Nonsense(
            N_("'{key}' lies between {low} and {high} ({unit}); {value} does not."),
            key=key,
            low=f"{setting.low:g}",
            high=f"{setting.high:g}",
            unit=UNIT_WORDS[setting.unit],
            value=value,
        )
    return f"{number:g}" if not is_whole else str(int(number))


def _never_milder(key: str, name: str, value: str) -> None:
    code = key.partition(".")[0]
    too_long = name.startswith("wait") and _NUMBER.fullmatch(value) and float(value) > URGENT_WAIT_AT_MOST
    if (name == "severity" and value != "1") or (name == "confirm" and value != "0"):
        raise Nonsense(N_("'{code}' is always an emergency, and nobody is asked first."), code=code)
    if too_long:
        raise Nonsense(
            N_("Nobody waits longer than {most} minutes for the next to be called for '{code}'."),
            most=URGENT_WAIT_AT_MOST,
            code=code,
        )


def _limits(key: str, setting: Setting, value: str) -> None:
    written = _LIMITS.fullmatch(value)
    bounds = [float(bound) for bound in written.groups() if bound] if written else []
    if not bounds or bounds != sorted(bounds) or any(not setting.low <= one <= setting.high for one in bounds):
        raise Nonsense(
            N_("'{key}' is written as 100..150, 88.. or ..150, between {low} and {high}; not '{value}'."),
            key=key,
            low=f"{setting.low:g}",
            high=f"{setting.high:g}",
            value=value,
        )


def _codes(value: str, codes: Iterable[str]) -> str:
    named, known = [one.strip() for one in value.split(",") if one.strip()], set(codes)
    for code in named:
        if code in NEVER_HELD:
            raise Nonsense(N_("'{code}' is never silenced."), code=code)
        if known and code not in known:
            raise Nonsense(N_("There is no alert '{code}'."), code=code)
    return ",".join(named)


def _season(key: str, value: str) -> tuple[tuple[int, int], tuple[int, int]]:
    written = _SEASON.fullmatch(value)
    try:
        if written is None:
            raise ValueError
        begins, ends = (date.fromisoformat(f"2001-{part}") for part in written.groups())
    except ValueError:
        raise Nonsense(
            N_("'{key}' is written as 11-15..03-15 (month and day), not '{value}'."), key=key, value=value
        ) from None
    return (begins.month, begins.day), (ends.month, ends.day)


def ending(lines: Iterable[Override], key: str, at: datetime) -> list[Override]:
    """What these lines say of a key, ended at that moment; what was still to come is taken back."""
    holding = (line for line in lines if line.key == key and (line.until is None or line.until > at))
    return [replace(line, until=max(line.since, at)) for line in holding]


def readable(lines: Iterable[Override]) -> list[Override]:
    """The lines that this program understands: one that a newer program wrote changes nothing, and stops nothing."""
    return [line for line in lines if _is_readable(line)]


def _is_readable(line: Override) -> bool:
    try:
        setting = setting_of(line.key)
        if setting.unit is not Unit.ABSENCE:  # wherever they are, they are away
            understood(line.key, line.value)
    except Nonsense:
        return line.key.partition("/")[0] not in _SETTINGS and "." not in line.key  # work, a pause: others read them
    return True


# --------------------------------------------------------------------------- hours and days


@dataclass(frozen=True, slots=True)
class Window:
    """A part of certain days of the week; one that ends before it begins goes over midnight."""

    begins: time
    ends: time
    days: frozenset[int] = frozenset(range(7))

    def around(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """The one that `at` lies in, or the next one."""
        today = at.astimezone(zone).date()
        for ahead in range(-1, 9):
            day = today + timedelta(days=ahead)
            if day.weekday() not in self.days:
                continue
            begins = datetime.combine(day, self.begins, zone)
            last = day if self.ends > self.begins else day + timedelta(days=1)
            ends = datetime.combine(last, self.ends, zone)
            if ends > at:
                return begins, ends
        return None


def window_of(key: str, value: str) -> Window:
    """22:00-07:00, or with days: mon,wed,fri 09:00-11:00."""
    days, _, hours = value.rpartition(" ")
    names = [name for name in days.split(",") if name]
    begins, _, ends = hours.partition("-")
    is_right = all(_CLOCK.fullmatch(one) for one in (begins, ends)) and begins != ends and set(names) <= set(_DAYS)
    if not is_right:
        raise Nonsense(
            N_("'{key}' is written as 22:00-07:00, or with days as mon,wed 09:00-11:00; not '{value}'."),
            key=key.partition("/")[0],
            value=value,
        )
    on = frozenset(_DAYS.index(name) for name in names) or frozenset(range(7))
    return Window(time.fromisoformat(begins), time.fromisoformat(ends), on)


def _heating(value: str, at: datetime, zone: ZoneInfo) -> tuple[bool, list[datetime]]:
    """Whether it is heated at this moment, and the beginnings and ends of seasons around it."""
    begins, ends = _season(HEATING, value)
    there = at.astimezone(zone)
    turns = sorted(
        (datetime.combine(date(year, *day), time(), zone), is_on)
        for year in range(there.year - 1, there.year + 2)
        for day, is_on in ((begins, True), (ends, False))
    )
    is_on = next((on for turn, on in reversed(turns) if turn <= at), False)
    return is_on, [turn for turn, _ in turns]


# --------------------------------------------------------------------------- what holds at a moment


@dataclass(frozen=True, slots=True)
class Span:
    """What holds for a household, and from when to when nothing about it changes."""

    since: datetime
    until: datetime
    plan: Mapping[str, str] = field(default_factory=dict)


def span_at(lines: Sequence[Override], at: datetime, zone: ZoneInfo) -> Span:
    """What these lines say at a moment; `lines` from the farthest to the nearest, and the older before the newer.

    The nearest has the last word: a household's own line beats its grid's, that beats its area's.
    """
    turns: list[datetime] = []
    plan: dict[str, str] = {}
    unusual = ""
    for line in lines:
        turns.append(line.since)
        if line.until is not None:
            turns.append(line.until)
        if not line.covers(at):
            continue
        plain = line.key.partition("/")[0]
        if plain == VISIT:
            window = window_of(line.key, line.value).around(at, zone)
            if window is not None:
                turns += window
                if window[0] <= at:
                    plan[VISIT], unusual = YES, VISIT
            continue
        if plain in (SECOND_PERSON, PET) and line.until is not None and line.until - line.since <= STAYS:
            unusual = plain
        if plain == ABSENCE:
            unusual = ABSENCE
        plan[line.key] = line.value
    if plan.get(HEATING, OFF) != OFF:
        is_on, seasons = _heating(plan[HEATING], at, zone)
        plan.setdefault("environment.heated", YES if is_on else NO)
        for turn in seasons:
            turns += (turn, turn + CHANGE_OF_SEASON)
            if turn <= at < turn + CHANGE_OF_SEASON:
                unusual = unusual or HEATING
    year = year_of(at, zone)
    for begins, ends in year.festivals:
        turns += (begins, ends)
        if begins <= at < ends and plan.get(FESTIVALS) != NO:
            unusual = unusual or FESTIVALS
    if unusual:
        plan[UNUSUAL] = unusual
    since = max([year.begins, *(turn for turn in turns if turn <= at)])  # the almanac was asked about this year
    until = min((turn for turn in turns if turn > at), default=_FOR_EVER)
    return Span(since.astimezone(UTC), until.astimezone(UTC), plan)


_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


# --------------------------------------------------------------------------- at home again

GONE_FOR = timedelta(hours=3)
"""Nobody seen inside for so long: whoever packed has left, and whoever watered the flowers has gone."""

ABOUT_FOR = timedelta(minutes=30)
"""Seen inside for so long at a stretch, somebody lives there again."""

SEEN_OFTEN = 4
"""And so often: two ghosts' pulses are nobody's half hour."""

LOOKED_BACK = timedelta(hours=24)
"""How much of an absence is looked at each time."""


def lives_again(lines: Sequence[Override], signs: Iterable[datetime], zone: ZoneInfo) -> datetime | None:
    """When somebody was seen to live in a home that is declared empty, by the signs of life inside since it was.

    Not who comes at a visitor's hours, nor who only looks in: somebody who is about for half an hour after three hours
    without anybody.
    """
    absence = next((line for line in reversed(lines) if line.key == ABSENCE), None)
    if absence is None:
        return None
    visits = [window_of(line.key, line.value) for line in lines if line.key.partition("/")[0] == VISIT]
    last, begun, count = absence.since, None, 0
    for at in sorted(signs):
        if at <= absence.since or any((w := visit.around(at, zone)) and w[0] <= at for visit in visits):
            continue
        if at - last >= GONE_FOR:
            begun, count = at, 0
        elif at - last > ABOUT_FOR:
            begun, count = (at if begun is not None else None), 0
        last, count = at, count + 1
        if begun is not None and count >= SEEN_OFTEN and at - begun >= ABOUT_FOR:
            return at
    return None


_NO_DETECTORS = frozenset({"vital", "card"})
"""Of what is written with a dot: a person's limits of a measurement, and what stands on the emergency card."""


def options_in(plan: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What a plan says of the detectors' own options: detector -> option -> value, in the option's own type."""
    options: dict[str, dict[str, object]] = {}
    for key, value in plan.items():
        setting = _SETTINGS.get(key)
        detector, _, option = key.partition(".")
        if setting is None or not option or detector in _NO_DETECTORS:
            continue
        options.setdefault(detector, {})[option] = _as_option(setting.unit, value)
    return options


def _as_option(unit: Unit, value: str) -> object:
    if unit is Unit.CLOCK:
        return time.fromisoformat(value)
    if unit is Unit.YES_NO:
        return value == YES
    if unit is Unit.COUNT:
        return int(value)
    spans = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1), Unit.DAYS: timedelta(days=1)}
    return float(value) * spans[unit] if unit in spans else float(value)
