"""The family's page: one calm sentence, the day in outline, and what they can do; as far as the resident lets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import Depends, Form, Header, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.maintenance import PAUSE, TEST
from dashboard import views
from dashboard.addresses import Addresses
from dashboard.alert_page import STAYS, tone_of
from dashboard.auth import Visitor
from dashboard.days import PARTS, Day, days_of, moment, part_of_day
from dashboard.doors import Doors
from dashboard.handling import Given, Handling
from dashboard.live import resume_from
from dashboard.pages import Pages, first_sixth_hour, in_words, span_of_day
from dashboard.plan import KINDS
from dashboard.printer import tongue_of
from dashboard.sights import SIGHTS
from dashboard.views import HomeLine, Stand
from dashboard.words import N_, Tongue
from gateway.domain import SIGNS_OF_LIFE, Absence, Alert, Duty, Event, FamilyWord, Home, Kind, Look, Monitoring
from gateway.domain.plan import ABSENCE
from gateway.sharing import not_shown_until, shown_to

A_DAY = timedelta(days=1)
A_WEEK = 7 * A_DAY

MORNING_IS_OVER = time(10)
"""Before this hour nobody wonders that somebody was not seen yet today."""

REMEMBERED = timedelta(days=30)
"""So long a past alert stands on the family's page."""

WEEKS_BACK = 12
"""Further back nothing is drawn: readings are not kept much longer."""

DAY_KINDS = SIGNS_OF_LIFE | {Kind.RETURNED}

PART_NAMES = {
    "night": N_("At night"),
    "morning": N_("Morning"),
    "noon": N_("Midday"),
    "afternoon": N_("Afternoon"),
    "evening": N_("Evening"),
}
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


@dataclass(frozen=True, slots=True)
class Calm:
    """The one sentence. `tone` is its colour and its sign; not seeing is a tone of its own, neither well nor danger."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One day in a chart."""

    label: str
    said: str
    share: float | None  # of the chart's height; None: not known


class Family:
    """What these pages need from the stores."""

    def __init__(self, pages: Pages, handling: Handling) -> None:
        self.pages = pages
        self.handling = handling
        self.house = pages.house
        self.printer = pages.printer

    def shown(self, visitor: Visitor, home: Home) -> frozenset[Look]:
        return shown_to(visitor.account.person, home, self.house.registry, self.house.clock.now())

    def must_show(self, visitor: Visitor, home_id: str, look: Look) -> Home:
        """The home, when they are shown this of it; the same 404 otherwise as where there is none."""
        home = self.pages.home(visitor, home_id)
        if look not in self.shown(visitor, home):
            raise HTTPException(404)
        return home

    def alert(self, visitor: Visitor, home_id: str, alert_id: str) -> Alert:
        home = self.must_show(visitor, home_id, Look.ALERTS)
        alert = self.house.alerts.alert(alert_id)
        if alert is None or alert.home != home.id or not _is_theirs(alert):
            raise HTTPException(404)
        return alert

    # ------------------------------------------------------------------ the page of a home

    def show(self, request: Request, visitor: Visitor, home: Home, week: int = 0, refused: str = "") -> Response:
        house, now, tongue = self.house, self.house.clock.now(), tongue_of(request)
        shown = self.shown(visitor, home)
        until = not_shown_until(home, house.registry, now)
        if not shown:
            return self.printer.page(
                request, "family_hidden.html", visitor=visitor, page_zone=home.zone, home=home, until=until
            )
        today = now.astimezone(home.zone).date()
        unclosed = house.alerts.alerts(home=home.id, unclosed=True)
        heard = house.readings.heard(home.id).get(home.id)
        plan = house.registry.plan(home.id, now)
        line = views.home_line(home, unclosed, heard, views.last_life(home, house.readings), plan, now)
        gaps = house.readings.gaps(home.id).get(home.id, ())
        days = self._days(home, today, today, now)
        sees_alerts = Look.ALERTS in shown
        context: dict[str, Any] = {
            "calm": self.calm(tongue, home, line, days[0], sees_alerts=sees_alerts, now=now),
            "is_blind": line.blind_since is not None,
            "gaps": views.blind_spots(gaps),
            "troubled": self._devices_in_trouble(home),
            "alerts": [a for a in unclosed if a.is_open and _is_theirs(a)] if sees_alerts else [],
            "past": self._past(home, now) if sees_alerts else [],
            "sees_days": Look.DAYS in shown,
            "sees_timeline": Look.TIMELINE in shown,
        }
        if Look.DAYS in shown:
            context |= self._in_outline(tongue, home, days[0], today, week, now)
        return self.printer.page(
            request,
            "family.html",
            status=422 if refused else 200,
            now=now,
            visitor=visitor,
            page_zone=home.zone,
            here=f"/family/{home.id}",
            home=home,
            stays=[(hours, tongue.say(text)) for hours, text in STAYS.items()],
            tone_of=tone_of,
            why=lambda alert: next(iter(wording.explain(alert.finding, tongue.language, home.zone, home)), ""),
            name_of=self.pages.name_of,
            shown_names=[tongue.say(SIGHTS[look][0]) for look in Look if look in shown],
            several=len(self.pages.homes(visitor)) > 1,
            refused=refused,
            live=f"/family/{home.id}/events?after={house.alerts.last_event()}",
            **context,
        )

    def calm(self, tongue: Tongue, home: Home, line: HomeLine, today: Day, *, sees_alerts: bool, now: datetime) -> Calm:
        """What is true of the resident at this moment, in one sentence; never more than is known."""
        say, stand = tongue.say, line.stand

        def clock(at: datetime) -> str:
            return tongue.clock(at, home.zone, now)

        if home.state is Monitoring.RETIRED:
            return Calm("paused", say("No longer watched over"), "")
        if stand in (Stand.EMERGENCY, Stand.RINGING, Stand.TAKEN) and line.alert is not None:
            return self._trouble(tongue, line, line.alert, clock(line.alert.raised_at), sees_alerts=sees_alerts)
        if stand is Stand.PAUSED:
            pause = next((o for o in self.house.registry.plan(home.id, now) if o.key == PAUSE), None)
            until = say("Until {time}.", time=clock(pause.until)) if pause and pause.until else ""
            return Calm(
                "paused", say("Watching is paused"), f"{until} {say('Emergency buttons work as ever.')}".strip()
            )
        if line.blind_since is not None:
            since = clock(line.blind_since) if line.blind_since.year > 1970 else ""
            text = say("Nothing was heard from the home since {time}.", time=since) if since else say("Not heard yet.")
            return Calm("blind", say("We cannot see right now"), f"{text} {say(NEITHER)}")
        if stand is Stand.AWAY:
            return self._away(tongue, home, line, now)
        if line.life is None:
            return Calm("unknown", say("No sign of life yet"), say("The devices work; nobody has been noticed yet."))
        if any(gap.what == "inactivity" for gap in views.blind_spots(self._gaps(home))):
            seen = say("Last seen {time}.", time=clock(line.life.at))
            return Calm("blind", say("We cannot see enough right now"), f"{seen} {say(NEITHER)}")
        return self._well(tongue, home, line.life, today, now)

    def _trouble(self, tongue: Tongue, line: HomeLine, alert: Alert, since: str, *, sees_alerts: bool) -> Calm:
        say, tone = tongue.say, line.stand.name.lower()
        if not sees_alerts:
            return Calm("taken", say("Somebody is looking into something"), say("The people on duty know of it."))
        name = wording.alert_name(alert.code, tongue.language)
        if line.stand is Stand.TAKEN:
            owner = self.pages.name_of(alert.owner)
            return Calm(
                tone, say("{name} is seeing to it", name=owner), say("{what}, since {time}", what=name, time=since)
            )
        return Calm(tone, name, say("Since {time}. People are being called until somebody has it.", time=since))

    def _away(self, tongue: Tongue, home: Home, line: HomeLine, now: datetime) -> Calm:
        say = tongue.say
        declared = next((o for o in self.house.registry.plan(home.id, now) if o.key == ABSENCE), None)
        since = tongue.clock(line.since, home.zone, now) if line.since else ""
        if declared is not None and declared.value in list(Absence):
            until = say("Until {time}.", time=tongue.clock(declared.until, home.zone, now)) if declared.until else ""
            return Calm("away", tongue.say(KINDS[Absence(declared.value)]), until)
        return Calm("away", say("Out"), say("Left the home at {time}.", time=since))

    def _well(self, tongue: Tongue, home: Home, life: views.Life, today: Day, now: datetime) -> Calm:
        say = tongue.say
        where = say("the front door") if life.kind is Kind.DOOR else life.room
        there, then = now.astimezone(home.zone), life.at.astimezone(home.zone)
        if then.date() < there.date():
            said = say("Last seen {time}.", time=tongue.clock(life.at, home.zone, now))
            if there.time() < MORNING_IS_OVER:
                return Calm("well", say("A quiet night"), said)
            return Calm("unknown", say("Not seen yet today"), f"{said} {say('If that is unusual, people are called.')}")
        up = tongue.clock(today.up, home.zone, now) if today.up is not None else ""
        ago = tongue.ago(life.at, now)
        seen = say("{ago} in: {room}", ago=ago, room=where) if where else ago
        return Calm("well", say("All is well today"), say("Up at {time}, {seen}", time=up, seen=seen) if up else seen)

    # ------------------------------------------------------------------ the days in outline

    def _days(self, home: Home, first: date, last: date, now: datetime) -> list[Day]:
        begins, ends = moment(home, first - A_DAY, time()), moment(home, last + A_DAY, time())
        return days_of(home, self.house.readings.readings(home.id, begins, ends, DAY_KINDS), first, last, now)

    def _in_outline(
        self, tongue: Tongue, home: Home, day: Day, today: date, week: int, now: datetime
    ) -> dict[str, Any]:
        """Today by its parts, and a week in two small charts."""
        readings = self.house.readings.readings(home.id, moment(home, today, time()), now + A_DAY, DAY_KINDS)
        rooms = part_of_day(home, readings)
        told = [
            (tongue.say(PART_NAMES[part]), tongue.say(", ").join(views.room_name(home, room) for room in rooms[part]))
            for part, _, _ in PARTS
            if part in rooms
        ]
        went = [
            tongue.say("Out {left}–{back}", left=_clock(o.left, home), back=_clock(o.back, home))
            if o.back
            else tongue.say("Out since {left}", left=_clock(o.left, home))
            for o in day.outings
        ]
        last = today - week * A_WEEK
        days = self._days(home, last - 6 * A_DAY, last, now)
        return {
            "today_told": told,
            "today_out": went,
            "rest": bars(tongue, days, [d.rested for d in days], timedelta(hours=12)),
            "out": bars(
                tongue, days, [d.out_for(now) for d in days], timedelta(hours=6), [len(d.outings) for d in days]
            ),
            "week": week,
            "weeks_back": WEEKS_BACK,
            "week_of": f"{days[0].on:%m-%d} – {days[-1].on:%m-%d}",
            "has_door": bool(home.exit_doors),
        }

    def _gaps(self, home: Home) -> Sequence[Any]:
        return self.house.readings.gaps(home.id).get(home.id, ())

    def _devices_in_trouble(self, home: Home) -> list[str]:
        """The devices that do not do what they hang there for."""
        names = {sensor.id: sensor.name or sensor.id for sensor in home.sensors}
        bad = (c.sensor for c in self.house.readings.conditions(home.id) if c.faults)
        return [names[sensor] for sensor in dict.fromkeys(bad) if sensor in names]

    def _past(self, home: Home, now: datetime) -> list[Alert]:
        raised = self.house.alerts.raised(now - REMEMBERED, now + A_DAY, home=home.id)
        return [a for a in reversed(raised) if not a.is_open and a.outcome is not None and _is_theirs(a)][:10]

    # ------------------------------------------------------------------ every movement

    def show_timeline(self, request: Request, visitor: Visitor, home: Home, day: str) -> Response:
        house, now, tongue = self.house, self.house.clock.now(), tongue_of(request)
        start, end, chosen = span_of_day(day, home, now)
        readings = house.readings.readings(home.id, start, end)
        blind = views.blind_since(home, house.readings.heard(home.id).get(home.id), now)
        drawn = views.ribbon(home, readings, blind, start, end, now)
        on = chosen or now.astimezone(home.zone).date()
        return self.printer.page(
            request,
            "family_timeline.html",
            now=now,
            visitor=visitor,
            page_zone=home.zone,
            home=home,
            ribbon=drawn,
            marks_offset=first_sixth_hour(drawn),
            told=in_words(tongue, home, readings, blind, start, end, now),
            day_title=f"{chosen:%Y-%m-%d}" if chosen else tongue.say("The last 24 hours"),
            previous=(on - A_DAY).isoformat(),
            following=(on + A_DAY).isoformat() if chosen and chosen < now.astimezone(home.zone).date() else "",
        )


NEITHER = N_("That says neither that all is well nor that something is wrong.")


def bars(
    tongue: Tongue,
    days: Sequence[Day],
    values: Sequence[timedelta | None],
    full: timedelta,
    counts: Sequence[int] | None = None,
) -> list[Bar]:
    """A week as bars; a day of which nothing is known has none, and says so."""
    most = max([full, *(value for value in values if value is not None)])
    drawn = []
    for n, (day, value) in enumerate(zip(days, values, strict=True)):
        said = tongue.say("not known")
        if value is not None:
            said = tongue.say("{hours} h", hours=f"{value / timedelta(hours=1):.1f}") if value else "0"
            if counts is not None:
                times = tongue.say("{n}×", n=counts[n])
                said = f"{times} {said}" if value else times
        label = tongue.say(WEEKDAYS[day.on.weekday()])
        drawn.append(Bar(label, said, None if value is None else round(value / most, 3)))
    return drawn


def _is_theirs(alert: Alert) -> bool:
    """What concerns the resident: not the equipment, no test, nothing that another alert tells already."""
    return alert.code != TEST and not alert.is_muted and not views.is_equipment(alert)


def _clock(at: datetime, home: Home) -> str:
    return f"{at.astimezone(home.zone):%H:%M}"


# --------------------------------------------------------------------------- routes


def routes(family: Family, doors: Doors) -> Addresses:
    """The addresses of the family's pages."""
    router = Addresses(prefix="/family")
    pages = family.pages
    In = Annotated[Visitor, Depends(doors.signed_in(Duty.FAMILY))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(Duty.FAMILY))]  # noqa: N806

    @router.get("")
    def show_own(request: Request, visitor: In) -> Response:
        """Their home, or the choice of several; and what to do where nobody has let them see any."""
        homes = pages.homes(visitor)
        if len(homes) == 1:
            return RedirectResponse(f"/family/{homes[0].id}", status_code=303)
        return family.printer.page(request, "family_homes.html", visitor=visitor, homes=homes)

    @router.get("/{home_id}")
    def show(
        request: Request, visitor: In, home_id: str, week: Annotated[int, Query(ge=0, le=WEEKS_BACK)] = 0
    ) -> Response:
        return family.show(request, visitor, pages.home(visitor, home_id), week)

    @router.get("/{home_id}/timeline")
    def show_timeline(request: Request, visitor: In, home_id: str, day: str = "") -> Response:
        return family.show_timeline(request, visitor, family.must_show(visitor, home_id, Look.TIMELINE), day)

    @router.get("/{home_id}/events")
    async def events(
        visitor: In,
        home_id: str,
        after: Annotated[int, Query(ge=0)] = 0,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """That something has changed there, while they may know it: asked anew at each event."""
        if not pages.is_shown(visitor, home_id):
            raise HTTPException(404)

        def wanted(event: Event) -> bool:
            home = family.house.registry.home(home_id) if event.home == home_id else None
            return home is not None and bool(family.shown(visitor, home))

        return pages.feed.respond(resume_from(last_event_id, after), doors.while_signed_in(visitor, wanted))

    @router.post("/{home_id}/alerts/{alert_id:path}")
    def say(
        request: Request,
        visitor: Acting,
        home_id: str,
        alert_id: str,
        word: Annotated[str, Form(max_length=20)] = "",
        hours: Annotated[int, Form(ge=0, le=720)] = 0,
        sure: Annotated[str, Form(max_length=1)] = "",
    ) -> Response:
        """老人在我这, 我来处理, 请网格员上门."""
        alert = family.alert(visitor, home_id, alert_id)
        if word not in list(FamilyWord):
            raise HTTPException(422)
        given = Given(word=word, hours=hours, sure=sure == "1")
        verdict = family.handling.act("family", alert, visitor.account.person, Duty.FAMILY, "page", given)
        if not verdict.told:
            home = pages.home(visitor, home_id)
            return family.show(request, visitor, home, refused=pages.answer(request, verdict))
        return RedirectResponse(f"/family/{home_id}", status_code=303)

    return router
