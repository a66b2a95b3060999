"""How a text is said in a language: its words, a paragraph of them, a moment, a span."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.catalogue import N_
from gateway.locales import LANGUAGES, catalogue

DEFAULT_LANGUAGE = "zh"


def say(language: str, text: str, **values: object) -> str:
    """`text` in this language, with its {names} filled in."""
    said = catalogue(language if language in LANGUAGES else DEFAULT_LANGUAGE, "alerts").gettext(text)
    return said.format(**values) if values else said


def paragraph(language: str, *sentences: str) -> str:
    return ("" if language == "zh" else " ").join(sentences)


def clock(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The time of day where the home is, with the date where that is not the day of `now`."""
    there, today = moment.astimezone(zone), now.astimezone(zone).date()
    if there.date() == today:
        return f"{there:%H:%M}"
    return f"{there:%m-%d %H:%M}" if there.year == today.year else f"{there:%Y-%m-%d %H:%M}"


def span(length: str | float | timedelta, language: str) -> str:
    """How long something lasted, as one would say it: 3 小时 5 分."""
    whole = int(length.total_seconds()) if isinstance(length, timedelta) else int(float(length))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 60:
        return say(language, "{seconds} s", seconds=whole)
    if hours == 0:
        return say(language, "{minutes} min", minutes=minutes)
    if days >= 2:
        return _two(language, N_("{days} days"), N_("{days} days {hours} h"), days, hours % 24, "days", "hours")
    return _two(language, N_("{hours} h"), N_("{hours} h {minutes} min"), hours, minutes % 60, "hours", "minutes")


def _two(language: str, alone: str, both: str, first: int, second: int, one: str, two: str) -> str:
    return say(language, both, **{one: first, two: second}) if second else say(language, alone, **{one: first})
