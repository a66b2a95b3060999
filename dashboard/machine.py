"""What an administrator looks after besides people: how long things are kept, what there is to go back to, and whether
the gateway itself is well. In plain words, with what to do."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why, Word
from dashboard.pages import Pages
from dashboard.pictures import KEPT as PICTURES_KEPT
from dashboard.plan import ending
from dashboard.printer import tongue_of
from dashboard.words import N_, Tongue
from dashboard.workings import Copies, CouldNotLook, Remark, Workings
from gateway.domain import Act, Alert, Duty, Home, Override
from gateway.domain.home import GRID
from gateway.keeping import LEAST, LONGEST, Keeping, Kept
from gateway.keeping import lines as kept_apart
from gateway.registry import RegistrationError

NIGHTS = timedelta(days=14)
"""So far back stands what went in each night; all of it is in the audit trail."""

MISSED = timedelta(days=90)
"""So far back stands what was missing at a start."""

FRESH = timedelta(minutes=1)
"""Whoever asks again within this gets what was found a moment ago."""

A_MOMENT = timedelta(microseconds=1)

COPY_DUE = timedelta(hours=48)
BACKUP_DUE = timedelta(days=8)
STANDS_STILL_S = 10.0
WATCHDOG_LATE_S = 60.0
TIGHT = 1024**3

GRADES = {"bad": "emergency", "note": "care", "well": "well"}
"""How each looks: the icon, and the class that gives the colour."""

RETENTION_SAID = {
    "kept": N_("Saved. It holds from this night on."),
    "ended": N_("Ended. What holds for everybody holds here too."),
}
COPY_SAID = {"wished": N_("A copy is being made. It stands here within a minute or two.")}

KEPT_WORDS: Mapping[Kept, str] = {
    Kept.READINGS: N_("what sensors said"),
    Kept.HOURS: N_("the sums of each hour"),
    Kept.ALERTS: N_("alerts that are over"),
}

CLASSES: Sequence[tuple[str, str, str]] = (
    ("readings", N_("What sensors said"), N_("each night; a row of the audit trail proves how many")),
    ("hours", N_("The sums of each hour, for long charts"), N_("each night")),
    (
        "alerts",
        N_("Alerts that are over, with history and messages"),
        N_("each night, with a proof; never an open one"),
    ),
    ("pictures", N_("Pictures taken at an alert"), N_("each hour, the file")),
    ("given_up", N_("A household that was given up"), N_("erased with its resident's file, with a proof of its own")),
    ("audit", N_("The audit trail"), N_("its oldest rows; what is left still proves itself")),
    ("copies", N_("Copies of the files"), N_("the eighth, when a new one is made")),
)
"""By its name in the settings: what it is, and how it goes."""

GONE = {
    "readings": N_("{n} readings"),
    "hours": N_("{n} sums of hours"),
    "alerts": N_("{n} alerts"),
    "homes": N_("{n} households"),
    "audit": N_("{n} rows of the audit trail"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing as it stands, in a sentence; `address` is the page about it, "" where it is said here."""

    name: str
    words: str
    grade: str = "well"  # or note, or bad
    to_do: str = ""
    address: str = ""

    @property
    def look(self) -> str:
        return GRADES[self.grade]


@dataclass(frozen=True, slots=True)
class Apart:
    """A household whose records have a time of their own."""

    home: Home
    kind: Kept
    line: Override
    words: str
    author: str
    last: str  # the last day on which it holds; empty: it has no end


@dataclass(frozen=True, slots=True)
class Night:
    """What went in one night, and the rows that prove it."""

    at: datetime
    gone: Sequence[str]
    proofs: Sequence[Act]


class Machine:
    """What these pages need from the stores, and from the gateway."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self._looking = threading.Lock()
        self._looked_at: datetime | None = None
        self._remarks: Sequence[Remark] = ()

    @property
    def workings(self) -> Workings:
        if self.house.workings is None:
            raise HTTPException(404)
        return self.house.workings

    # ------------------------------------------------------------------ how long things are kept

    def show_retention(
        self,
        request: Request,
        visitor: Visitor,
        said: str = "",
        error: str = "",
        given: Mapping[str, str] | None = None,
    ) -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        return self.pages.printer.page(
            request,
            "machine_retention.html",
            status=422 if error else 200,
            now=now,
            visitor=visitor,
            here="/administration/retention",
            classes=self._classes(tongue),
            nights=list(self._nights(now, tongue)),
            apart=self.apart(visitor, now, tongue),
            kinds=[(kind.value, tongue.say(KEPT_WORDS[kind]), LEAST[kind].days) for kind in Kept],
            most=LONGEST.days,
            given=given or dict.fromkeys(("code", "kind", "days", "day", "why"), ""),
            said=tongue.say(RETENTION_SAID[said]) if said in RETENTION_SAID else "",
            error=error,
        )

    def _classes(self, tongue: Tongue) -> list[tuple[str, str, str]]:
        spans = {**self.workings.spans, "pictures": PICTURES_KEPT, "copies": timedelta(days=7)}
        return [
            (tongue.say(name), tongue.say("{n} days", n=spans[key].days), tongue.say(how)) for key, name, how in CLASSES
        ]

    def _nights(self, now: datetime, tongue: Tongue) -> Iterator[Night]:
        """The newest first. The row that ends a night comes after those that prove what went in it."""
        acts = self.house.alerts.acts("retention", 500, since=now - NIGHTS)
        done = [act for act in acts if act.what == "retention.done"]
        for night in done:
            counts = {kind: int(n) for kind, n in night.facts if n.isdecimal()}
            gone = [tongue.say(GONE[kind], n=n) for kind, n in counts.items() if n and kind in GONE]
            yield Night(night.at, gone, [act for act in acts if act.at == night.at and act is not night])

    def apart(self, visitor: Visitor, now: datetime, tongue: Tongue) -> list[Apart]:
        """Those of their homes, those that end soonest first."""
        found = []
        homes = {home.id: home for home in self.pages.homes(visitor)}
        for kind, line in kept_apart(self.house.registry, now):
            if line.home in homes:
                home, words = homes[line.home], tongue.say(KEPT_WORDS[kind])
                last = f"{(line.until - A_MOMENT).astimezone(home.zone):%Y-%m-%d}" if line.until else ""
                found.append(Apart(home, kind, line, words, self.pages.name_of(line.author), last))
        return sorted(found, key=lambda one: (one.line.until is None, one.line.until or now, one.home.code))

    def keeping(self) -> Keeping:
        return Keeping(
            self.house.registry, {kind: self.workings.spans[kind.value.removeprefix("keep_")] for kind in Kept}
        )

    # ------------------------------------------------------------------ what there is to go back to

    def show_backup(self, request: Request, visitor: Visitor, said: str = "") -> Response:
        tongue, now, copies = tongue_of(request), self.house.clock.now(), self.workings.copies()
        return self.pages.printer.page(
            request,
            "machine_backup.html",
            now=now,
            visitor=visitor,
            here="/administration/backup",
            stands=self.backup_lines(copies, now, tongue),
            copies=copies,
            size=in_bytes,
            missed=[(alert, self._missed(alert, tongue)) for alert in self.missed(now)],
            said=tongue.say(COPY_SAID[said]) if said in COPY_SAID and copies.wished_at else "",
        )

    def backup_lines(self, copies: Copies, now: datetime, tongue: Tongue) -> list[Line]:
        """How the daily copies stand, and how the backups."""
        say, name, other = tongue.say, tongue.say("Daily copies"), tongue.say("Backup on another disk")
        newest = copies.copies[0].made_at if copies.copies else None
        if newest is None:
            first = Line(
                name, say("None was made yet."), "note", say("A gateway that runs makes one a day; make one now.")
            )
        elif now - newest > COPY_DUE:
            late = say("The last is {span} old.", span=tongue.span(now - newest))
            first = Line(name, late, "bad", say("Look whether the disk has room, and into the log."))
        else:
            first = Line(name, say("The last is {span} old, and was read through.", span=tongue.span(now - newest)))
        backup = copies.backup
        if backup is None:
            to_do = say("Copies on this disk go with it: put `shouwang backup --to …` into a timer.")
            return [first, Line(other, say("None was ever made on this machine."), "bad", to_do)]
        age = say("The last is {span} old, and was read back.", span=tongue.span(now - backup.made_at))
        if now - backup.made_at > BACKUP_DUE:
            return [first, Line(other, age, "bad", say("Look why the timer does not run."))]
        return [first, Line(other, age)]

    def missed(self, now: datetime) -> list[Alert]:
        """What was missing at a start, as it was told then."""
        alerts = self.house.alerts.alerts(home=GRID, limit=200)
        return [one for one in alerts if one.code == "gateway_missing" and one.raised_at > now - MISSED]

    def _missed(self, alert: Alert, tongue: Tongue) -> str:
        home = self.house.registry.home(alert.home)
        return " ".join(wording.explain(alert.finding, tongue.language, home.zone, home)) if home else alert.code

    # ------------------------------------------------------------------ whether it is well

    def show_health(self, request: Request, visitor: Visitor, found: bool = False, error: str = "") -> Response:
        tongue, now = tongue_of(request), self.house.clock.now()
        remarks = self.remarks(tongue)
        return self.pages.printer.page(
            request,
            "machine_health.html",
            now=now,
            visitor=visitor,
            here="/administration/health",
            stands=list(self.health_lines(tongue, now)),
            remarks=[line for line in remarks if line.grade != "well"],
            well=[line for line in remarks if line.grade == "well"],
            looked_at=self._looked_at,
            to_look=self.house.workings is not None and not found,
            version=self.workings.version,
            files=[(name, in_bytes(size)) for name, size in self.house.meters().get("files", {}).items()],
            error=error,
        )

    def remarks(self, tongue: Tongue) -> list[Line]:
        """What was found when it was last looked through, the worst first."""
        order = {"bad": 0, "note": 1, "well": 2}
        found = (
            Line("", one.what[tongue.language], one.grade, one.to_do.get(tongue.language, "")) for one in self._remarks
        )
        return sorted(found, key=lambda line: order[line.grade])

    def look(self) -> None:
        """Look at all of it, once for all who ask at the same time. Raises CouldNotLook."""
        with self._looking:
            now = self.house.clock.now()
            if self._looked_at is None or now - self._looked_at >= FRESH:
                self._remarks = self.workings.examine()
                self._looked_at = now

    def health_lines(self, tongue: Tongue, now: datetime) -> Iterator[Line]:
        """What the gateway knows of itself without looking for it."""
        said, say = self.house.meters(), tongue.say

        def span(name: str) -> str:
            return tongue.span(timedelta(seconds=float(said.get(name) or 0)))

        yield Line(say("Gateway"), say("runs for {span}; {n} homes", span=span("uptime_s"), n=said.get("homes", 0)))
        for name, words in (("road_s", N_("Readings and deadlines")), ("courier_s", N_("Messages to people"))):
            if float(said.get(name) or 0) > STANDS_STILL_S:
                yield Line(say(words), say("stand still for {span}", span=span(name)), "bad", say("Start it again."))
            else:
                yield Line(say(words), say("go round"))
        yield from self._line_to_homes(said, say, span)
        yield from self._disk(said, say)
        watchdog = said.get("watchdog_s")
        if watchdog is None or float(watchdog) > WATCHDOG_LATE_S:
            gone = say("none runs") if watchdog is None else say("no sign of life for {span}", span=span("watchdog_s"))
            to_do = say("Start it: nobody would be told that the gateway is dead.")
            yield Line(say("Watchdog"), gone, "bad", to_do)
        else:
            yield Line(say("Watchdog"), say("watches"))
        yield from self._carried(said, say)
        if mirror := said.get("mirror"):
            if mirror.get("trouble"):
                behind = say("{n} readings behind: {why}", n=mirror.get("behind", 0), why=mirror["trouble"])
                yield Line(
                    say("Mirror"), behind, "note", say("No alarm depends on it. Look at the server of InfluxDB.")
                )
            else:
                yield Line(say("Mirror"), say("{n} readings behind", n=mirror.get("behind", 0)))

    def _line_to_homes(
        self, said: Mapping[str, Any], say: Callable[..., str], span: Callable[[str], str]
    ) -> Iterator[Line]:
        broker = say("Broker")
        if said.get("deaf_s"):
            to_do = say("Look whether the broker runs, at its address, password and certificate.")
            yield Line(broker, say("not heard for {span}", span=span("deaf_s")), "bad", to_do)
        elif said.get("hushed_s"):
            to_do = say("Look at the line by which the hubs come.")
            yield Line(broker, say("no home has spoken for {span}", span=span("hushed_s")), "bad", to_do)
        elif said.get("last_message_s") is None:
            yield Line(broker, say("heard; no home has spoken yet"))
        else:
            yield Line(broker, say("heard; the last message came {span} ago", span=span("last_message_s")))

    def _disk(self, said: Mapping[str, Any], say: Callable[..., str]) -> Iterator[Line]:
        disk, free = say("Disk"), said.get("free")
        if said.get("full"):
            to_do = say("Make room; the reserve then comes back by itself.")
            yield Line(disk, say("full: alarms live from the reserve"), "bad", to_do)
        elif free is not None and free < TIGHT:
            yield Line(disk, say("{size} are free", size=in_bytes(free)), "note", say("Look for what fills it."))
        elif free is not None:
            yield Line(disk, say("{size} are free", size=in_bytes(free)))

    def _carried(self, said: Mapping[str, Any], say: Callable[..., str]) -> Iterator[Line]:
        """What each channel did since the start."""
        attempts: Mapping[tuple[str, str], int] = said.get("attempts", {})
        for channel in sorted({channel for channel, _ in attempts}):
            sent, failed = attempts.get((channel, "sent"), 0), attempts.get((channel, "failed"), 0)
            later = attempts.get((channel, "later"), 0)
            words = say(
                "{sent} sent since the start, {later} put off, {failed} failed", sent=sent, later=later, failed=failed
            )
            grade = "bad" if failed + later and not sent else "note" if failed else "well"
            to_do = say("Send a test by it, and read what the provider answers.") if grade != "well" else ""
            yield Line(channel, words, grade, to_do)

    # ------------------------------------------------------------------ the front page of administration

    def lines(self, visitor: Visitor, tongue: Tongue) -> list[Line]:
        """How each of these pages stands, in one line with its address; what is not theirs is left out."""
        now, say = self.house.clock.now(), tongue.say
        count = len(self.apart(visitor, now, tongue))
        words = say("{n} households have a time of their own", n=count) if count else say("the same for all")
        found = [
            Line(say("Audit trail"), *self._trail(visitor, tongue, now), address="/administration/audit"),
            Line(say("How long things are kept"), words, address="/administration/retention"),
        ]
        if self.house.workings is None or not self.pages.covers(visitor, ""):
            return found
        worst = _worst(self.backup_lines(self.house.workings.copies(), now, tongue))
        found.append(Line(say("Copies and backups"), worst.words, worst.grade, address="/administration/backup"))
        worst = _worst(list(self.health_lines(tongue, now)))
        health = say("all of it goes round") if worst.grade == "well" else f"{worst.name}{say(': ')}{worst.words}"
        found.append(Line(say("Health of the gateway"), health, worst.grade, address="/administration/health"))
        return found

    def _trail(self, visitor: Visitor, tongue: Tongue, now: datetime) -> tuple[str, str]:
        last = next(iter(self.house.alerts.acts("audit", 1, what="audit.checked")), None)
        if not self.pages.covers(visitor, ""):
            return tongue.say("who did what in your homes"), "well"
        if last is None:
            return tongue.say("not gone through yet"), "well"
        if dict(last.facts).get("broken", "0") != "0":
            return tongue.say("was altered"), "bad"
        return tongue.say("unbroken {ago}", ago=tongue.ago(last.at, now)), "well"


def _worst(lines: Sequence[Line]) -> Line:
    order = ("bad", "note", "well")
    return min(lines, key=lambda line: order.index(line.grade))


def in_bytes(size: int) -> str:
    """As one says it: 12 KB, 3.4 MB, 1.2 GB."""
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size / 1e3:.0f} KB"


# --------------------------------------------------------------------------- routes


def routes(machine: Machine, doors: Doors) -> Addresses:
    """For administrators; copies and health for whoever keeps all of it."""
    router = Addresses(prefix="/administration")
    house = machine.house
    Admin = Annotated[Visitor, Depends(doors.signed_in(Duty.ADMIN))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(Duty.ADMIN))]  # noqa: N806

    def whole(visitor: Visitor) -> Visitor:
        if not machine.pages.covers(visitor, ""):
            raise HTTPException(403)
        return visitor

    def of_all(visitor: Admin) -> Visitor:
        return whole(visitor)

    def acting_for_all(visitor: Acting) -> Visitor:
        return whole(visitor)

    Chief = Annotated[Visitor, Depends(of_all)]  # noqa: N806
    ActingChief = Annotated[Visitor, Depends(acting_for_all)]  # noqa: N806

    @router.get("/retention")
    def show_retention(request: Request, visitor: Admin, said: str = "") -> Response:
        return machine.show_retention(request, visitor, said)

    @router.post("/retention/keep")
    def keep(
        request: Request,
        visitor: Acting,
        code: Word = "",
        kind: Annotated[Kept, Form()] = Kept.ALERTS,
        days: Annotated[str, Form(max_length=6)] = "",
        day: Annotated[str, Form(max_length=10)] = "",
        why: Why = "",
    ) -> Response:
        tongue = tongue_of(request)
        given = {"code": code, "kind": kind.value, "days": days, "day": day, "why": why}
        home = next((one for one in machine.pages.homes(visitor) if one.code == code.strip()), None)
        if home is None:
            error = tongue.say("There is no household of this number.")
            return machine.show_retention(request, visitor, error=error, given=given)
        try:
            until = ending(day, "", home.zone)
            machine.keeping().keep(
                home.id, kind, int(days), until, why=why, who=visitor.account.person, now=house.clock.now()
            )
        except RegistrationError as refusal:
            return machine.show_retention(request, visitor, error=refusal.say(tongue.language), given=given)
        except ValueError:
            error = tongue.say("Give a whole number of days, and a date from the calendar.")
            return machine.show_retention(request, visitor, error=error, given=given)
        return RedirectResponse("/administration/retention?said=kept", status_code=303)

    @router.post("/retention/end")
    def end(
        request: Request,
        visitor: Acting,
        home: Annotated[str, Form(max_length=64)] = "",
        kind: Annotated[Kept, Form()] = Kept.ALERTS,
    ) -> Response:
        found = machine.pages.home(visitor, home)
        try:
            machine.keeping().end(found.id, kind, who=visitor.account.person, now=house.clock.now())
        except RegistrationError as refusal:
            return machine.show_retention(request, visitor, error=refusal.say(tongue_of(request).language))
        return RedirectResponse("/administration/retention?said=ended", status_code=303)

    @router.get("/backup")
    def show_backup(request: Request, visitor: Chief, said: str = "") -> Response:
        return machine.show_backup(request, visitor, said)

    @router.post("/backup/copy")
    def copy(visitor: ActingChief) -> Response:
        now = house.clock.now()
        with house.registry.begin() as ledger:
            ledger.audit(Act(at=now, who=visitor.account.person, what="copy.wished", ref="copies"))
        machine.workings.wish_copy(now)
        return RedirectResponse("/administration/backup?said=wished", status_code=303)

    @router.get("/health")
    def show_health(request: Request, visitor: Chief) -> Response:
        return machine.show_health(request, visitor)

    @router.get("/health/checkup")
    def look(request: Request, visitor: Chief) -> Response:
        """All of it, looked at now: seconds, in a process of its own."""
        try:
            machine.look()
        except CouldNotLook as why:
            error = tongue_of(request).say("It could not be looked at: {why}", why=why)
            return machine.show_health(request, visitor, found=True, error=error)
        return machine.show_health(request, visitor, found=True)

    return router
