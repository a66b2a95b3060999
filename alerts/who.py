"""Who would be called, in which order, when, through what, and why: found out by trying it, with the desk itself.

The desk is given a blank book. It decides as it would decide in earnest, from the same registry, rota and plans, and
what it writes down is read off; nobody is told, for nobody carries what stands in that book.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.catalogue import Catalogue
from alerts.desk import Desk
from alerts.history import What
from alerts.routing import on_call
from gateway.domain import Delivery, Duty, Finding, Home, Person
from gateway.domain.rota import OnCall
from gateway.ports import AlertStore, Directory

MOST_RUNGS = 60
"""No ladder has more, with every time the resident is asked."""


@dataclass(frozen=True, slots=True)
class Way:
    """One message, and how long after the call for this person began it goes out."""

    channel: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody who is called on a rung, for which duty, why this person, and through what; nothing may reach them."""

    person: Person
    duty: Duty
    why: OnCall | None
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung that would be climbed, so long after the beginning. Nobody on it: the next follows at once."""

    after: timedelta
    duties: tuple[Duty, ...]
    called: tuple[Called, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The first round of a ladder. After the last rung's wait it begins again, until somebody accepts."""

    at: datetime
    code: str
    rungs: tuple[Rung, ...]
    again_after: timedelta | None
    held: bool = False  # nobody is called at all while the home is paused, worked in, or only on file


class _Rehearsing(Desk):
    def _rise(self, sitting: object) -> None:
        """Nobody is told, and nothing is remarked on in the log."""


def rehearse(
    home: Home,
    at: datetime,
    directory: Directory,
    book: AlertStore,
    *,
    code: str = "sos",
    call: str = "",
    catalogue: Catalogue | None = None,
) -> Rehearsal:
    """Live through one round of what would follow if this were found in this home at that moment. `call`: as the desk
    has it."""
    catalogue = catalogue or Catalogue()
    desk = _Rehearsing(book, directory, catalogue=catalogue, call=call)
    finding = Finding(home=home.id, code=code, severity=catalogue.entry(code).severity, since=at, at=at)
    (verdict,) = desk.take([finding], at)
    alert = verdict.alert
    if alert is None or not verdict.told:
        return Rehearsal(at, code, (), None, held=True)
    for _ in range(MOST_RUNGS):
        alert = book.alert(alert.id)
        if alert is None or alert.round or not alert.is_ringing or alert.next_at is None:
            break
        desk.tick(alert.next_at)
    again = alert.next_at - at if alert is not None and alert.round == 1 and alert.next_at is not None else None
    return Rehearsal(at, code, tuple(_rungs(finding.id, home, directory, book, at)), again)


def _rungs(alert_id: str, home: Home, directory: Directory, book: AlertStore, at: datetime) -> Iterator[Rung]:
    """What the desk wrote down about the first round."""
    first = [d for d in book.deliveries(alert_id) if dict(d.facts).get("round") == "0"]
    for entry in book.history(alert_id):
        facts = dict(entry.facts)
        if entry.what not in (What.TOLD, What.EMPTY) or facts["round"] != "0":
            continue
        sent = [d for d in first if d.rung == int(facts["rung"])]
        duties = tuple(Duty(word) for word in facts["duty"].split(","))
        people = [person for name in facts["people"].split(",") if (person := directory.person(name)) is not None]
        called = (_called(person, duties, sent, home, directory, entry.at) for person in people)
        yield Rung(entry.at - at, duties, tuple(called))


def _called(
    person: Person, duties: Sequence[Duty], sent: Sequence[Delivery], home: Home, directory: Directory, at: datetime
) -> Called:
    own = [d for d in sent if d.person == person.id]
    ways = tuple(Way(d.channel, d.next_at - d.created_at if d.next_at else timedelta(0)) for d in own)
    meant = [d.duty for d in own if d.duty is not None] or duties
    for duty in meant:
        for one in on_call(duty, home, directory, at):
            if one.person.id == person.id:
                return Called(person, duty, one, ways)
    return Called(person, meant[0], None, ways)


# --------------------------------------------------------------------------- "Sunday 03:00"

_DAYS: Mapping[str, int] = {
    "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 7,
    "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7,
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7,
}  # fmt: skip
_AHEAD: Mapping[str, int] = {"today": 0, "今天": 0, "tomorrow": 1, "明天": 1, "后天": 2}
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:：]([0-5][0-9])")


def moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment that somebody means: "Sunday 03:00", 周日 03:00, "tomorrow 3:00", "03:00", 2026-03-15T03:00, "now".

    A weekday or a time of day is the next one; the clock is that of the zone. Raises ValueError with what would do.
    """
    said = " ".join(text.split()).lower()
    there = now.astimezone(zone)
    if said in ("", "now", "现在"):
        return now
    try:
        exact = datetime.fromisoformat(said.upper())
    except ValueError:
        day, _, clock = said.rpartition(" ")
        found = _CLOCK.fullmatch(clock)
        if found is None:
            raise ValueError(_WOULD_DO.format(text=text)) from None
        at = time(int(found[1]), int(found[2]))
        if day in _AHEAD:
            return _local(there, _AHEAD[day], at)
        weekday = _DAYS.get(day.removeprefix("周").removeprefix("星期").removeprefix("礼拜"))
        if weekday is None and day:
            raise ValueError(_WOULD_DO.format(text=text)) from None
        days = 0 if weekday is None else (weekday - there.isoweekday()) % 7
        then = _local(there, days, at)
        return then if then >= now else _local(there, days + (7 if weekday else 1), at)
    return (exact if exact.tzinfo else exact.replace(tzinfo=zone)).astimezone(UTC)


_WOULD_DO = "'{text}' is no moment; 'Sunday 03:00', '周日 03:00', 'tomorrow 03:00', '03:00' and '2026-03-15 03:00' are."


def _local(there: datetime, days: int, at: time) -> datetime:
    return datetime.combine(there.date() + timedelta(days=days), at, there.tzinfo).astimezone(UTC)
