"""How the pages speak: which language, and how moments and spans are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from alerts import wording
from gateway.domain import Kind, Purpose, Role, Stage
from gateway.locales import LANGUAGES, catalogue

JUST_NOW = timedelta(minutes=2)


def choose_language(cookie: str | None, accepted: str) -> str:
    """What the reader chose, else what the browser prefers of what we speak, else Chinese."""
    if cookie in LANGUAGES:
        return str(cookie)
    wishes = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        try:
            wishes.append((-float(weight or 1), position, tag.strip().lower()[:2]))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(wishes) if tag in LANGUAGES), "zh")


@dataclass(frozen=True)
class Tongue:
    """One language of the pages."""

    language: str
    _catalogue: NullTranslations = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_catalogue", catalogue(self.language, "pages"))

    def say(self, text: str, **values: object) -> str:
        """`text` in this language, with its {names} filled in."""
        said = self._catalogue.gettext(text)
        return said.format(**values) if values else said

    def clock(self, moment: datetime, zone: ZoneInfo, now: datetime) -> str:
        """The time of day, with the day where it is not today: 22:41, yesterday 22:41, 11-19 22:41."""
        there, today = moment.astimezone(zone), now.astimezone(zone).date()
        time = f"{there:%H:%M}"
        days = (today - there.date()).days
        if days == 0:
            return time
        if days == 1:
            return self.say("yesterday {time}", time=time)
        if days == -1:
            return self.say("tomorrow {time}", time=time)
        return f"{there:%m-%d} {time}" if there.year == today.year else f"{there:%Y-%m-%d} {time}"

    @staticmethod
    def offset(zone: ZoneInfo, now: datetime) -> str:
        """How far the clocks of a zone are from those of the world: UTC+6, UTC+5:30."""
        minutes = int((now.astimezone(zone).utcoffset() or timedelta(0)).total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"

    def ago(self, moment: datetime, now: datetime) -> str:
        """How long it is since: just now, 12 min ago, 3 h 20 min ago."""
        gone = now - moment
        if gone < JUST_NOW:
            return self.say("just now")
        return self.say("{span} ago", span=self.span(gone))

    def span(self, gone: timedelta) -> str:
        return wording.span(gone, self.language)

    def remaining(self, left: timedelta) -> str:
        """Time until a deadline, in the unit one would say aloud."""
        if left <= timedelta(0):
            return self.say("now")
        return self.say("in {span}", span=self.span(left))

    def role(self, role: Role) -> str:
        return self.say(ROLES[role])

    def purpose(self, purpose: Purpose) -> str:
        return self.say(PURPOSES[purpose])

    def stage(self, stage: Stage) -> str:
        """How far a message came."""
        return self.say(STAGES[stage])

    def happening(self, kind: Kind, value: float) -> str:
        """What a reading of this kind tells, as a short phrase: door opened, got out of bed."""
        on, off = HAPPENINGS.get(kind, (OTHERWISE, OTHERWISE))
        return self.say(on if value else off, kind=kind.value)


def N_(text: str) -> str:  # noqa: N802 (gettext's own name, which the extraction looks for)
    """Marks a text for the catalogue where it is only listed."""
    return text


PURPOSES: Mapping[Purpose, str] = {
    Purpose.PAGE: N_("called"),
    Purpose.AGAIN: N_("called again"),
    Purpose.TAKEN: N_("told who has it"),
    Purpose.ASK: N_("asked"),
    Purpose.REMIND: N_("reminded"),
    Purpose.HANDED: N_("handed over to"),
    Purpose.STIRS: N_("told of signs of life"),
    Purpose.OVER: N_("told that it is over"),
    Purpose.CARD: N_("told that the emergency card was opened"),
    Purpose.TEST: N_("test"),
}
STAGES: Mapping[Stage, str] = {
    Stage.WAITING: N_("waiting"),
    Stage.SENT: N_("sent"),
    Stage.DELIVERED: N_("delivered"),
    Stage.OPENED: N_("read"),
    Stage.ANSWERED: N_("answered"),
    Stage.FAILED: N_("failed"),
    Stage.WITHDRAWN: N_("withdrawn"),
}
ROLES: Mapping[Role, str] = {
    Role.MOTION: N_("motion"),
    Role.PRESENCE: N_("presence radar"),
    Role.EXIT_DOOR: N_("front door"),
    Role.OPENING: N_("door or drawer"),
    Role.BED: N_("bed"),
    Role.CHAIR: N_("chair"),
    Role.APPLIANCE: N_("appliance"),
    Role.TAP: N_("tap"),
    Role.BUTTON: N_("button"),
    Role.SOS: N_("emergency button"),
    Role.SMOKE: N_("smoke"),
    Role.GAS: N_("gas"),
    Role.CO: N_("carbon monoxide"),
    Role.LEAK: N_("water leak"),
    Role.FALL: N_("fall radar"),
    Role.CLIMATE: N_("temperature"),
    Role.WATER_METER: N_("water meter"),
    Role.VITALS: N_("vital signs"),
}
OTHERWISE = N_("{kind} reported")
HAPPENINGS: Mapping[Kind, tuple[str, str]] = {
    Kind.MOTION: (N_("movement"), N_("movement")),
    Kind.PRESENCE: (N_("movement"), N_("movement")),
    Kind.DOOR: (N_("front door opened"), N_("front door closed")),
    Kind.OPENING: (N_("opened"), N_("closed")),
    Kind.BED: (N_("in bed"), N_("out of bed")),
    Kind.CHAIR: (N_("seated"), N_("got up")),
    Kind.VIBRATION: (N_("movement"), N_("movement")),
    Kind.APPLIANCE: (N_("appliance in use"), N_("appliance off")),
    Kind.TAP: (N_("water drawn"), N_("water off")),
    Kind.BUTTON: (N_("button pressed"), N_("button released")),
    Kind.ASSIST: (N_("assistance key pressed"), N_("assistance key released")),
    Kind.SOS: (N_("emergency button pressed"), N_("emergency button released")),
    Kind.SMOKE: (N_("smoke alarm"), N_("smoke alarm over")),
    Kind.GAS: (N_("gas alarm"), N_("gas alarm over")),
    Kind.CO: (N_("carbon monoxide alarm"), N_("carbon monoxide alarm over")),
    Kind.LEAK: (N_("water leak"), N_("water leak over")),
    Kind.FALL: (N_("fall reported"), N_("fall report over")),
    Kind.MAYBE_FALL: (N_("fall suspected"), N_("no fall suspected any more")),
    Kind.IMPACT: (N_("hard knock felt"), N_("hard knock felt")),
    Kind.STIRS: (N_("wearer moves"), N_("wearer keeps still")),
    Kind.TAMPER: (N_("device opened"), N_("device closed")),
}
